//! Dependencies point down. Every `crate::…` in the sources is read, and an upward arrow fails.
#![expect(clippy::expect_used, reason = "a test that cannot go on has failed")]
use std::fs;
use std::path::{Path, PathBuf};

/// From the bottom to the top; `lib.rs` lists them in the same order.
const LAYERS: [&str; 13] = [
    "domain",
    "process",
    "files",
    "auth0",
    "clipboard",
    "ledger",
    "targets",
    "rollover",
    "tenants",
    "preflight",
    "sim",
    "tui",
    "cli",
];

/// Within the interface the core knows neither what draws it nor what runs it.
const INTERFACE: [&str; 7] = ["app", "theme", "view", "input", "runner", "signals", "terminal"];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder of sources") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The modules that a text names behind `prefix`, groups in braces included.
fn named<'a>(text: &'a str, prefix: &str) -> Vec<&'a str> {
    let is_name = |character: char| character.is_alphanumeric() || character == '_';
    let mut names = Vec::new();
    for (at, _) in text.match_indices(prefix) {
        let before = text[..at].chars().next_back();
        if before.is_some_and(|character| is_name(character) || character == ':' || character == '$') {
            continue;
        }
        let rest = &text[at + prefix.len()..];
        if let Some(group) = rest.strip_prefix('{') {
            let mut depth = 1;
            let mut start = true;
            for (position, character) in group.char_indices() {
                match character {
                    '{' => depth += 1,
                    '}' => depth -= 1,
                    ',' if depth == 1 => start = true,
                    character if start && is_name(character) => {
                        let name = &group[position..];
                        names.push(&name[..name.find(|c| !is_name(c)).unwrap_or(name.len())]);
                        start = false;
                    }
                    _ => {}
                }
                if depth == 0 {
                    break;
                }
            }
        } else {
            names.push(&rest[..rest.find(|c| !is_name(c)).unwrap_or(rest.len())]);
        }
    }
    names
}

fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).expect("a source");
    text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

fn rank(layers: &[&str], name: &str) -> Option<usize> {
    layers.iter().position(|layer| *layer == name)
}

#[test]
fn no_module_knows_what_is_above_it() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    assert!(files.len() > 30, "the sources were not found");
    let mut wrong = Vec::new();
    for path in files {
        let inside = path.strip_prefix(&root).expect("below src");
        let parts: Vec<_> = inside.iter().map(|part| part.to_string_lossy().replace(".rs", "")).collect();
        let Some(own) = rank(&LAYERS, &parts[0]) else { continue };
        let text = code(&path);
        for name in named(&text, "crate::") {
            let Some(other) = rank(&LAYERS, name) else { continue };
            let shares = LAYERS[own] == "sim" && other != own;
            if other > own || shares {
                wrong.push(format!("{}: uses {name}", inside.display()));
            }
        }
        if parts[0] == "tui" && parts.len() > 1 {
            let Some(own) = rank(&INTERFACE, &parts[1]) else { continue };
            for name in named(&text, "crate::tui::") {
                if rank(&INTERFACE, name).is_some_and(|other| other > own) {
                    wrong.push(format!("{}: uses tui::{name}", inside.display()));
                }
            }
            if parts[1] == "app" {
                for name in named(&text, "crate::") {
                    // Of the last three their words: why something failed, what a procedure came to.
                    if !["domain", "tui", "auth0", "ledger", "rollover"].contains(&name) {
                        wrong.push(format!("{}: the pure core uses {name}", inside.display()));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "upward arrows:\n{}", wrong.join("\n"));
}

#[test]
fn the_reader_of_this_test_sees_groups_and_single_names() {
    let text = "use crate::domain::Secret;\nuse crate::{auth0::{Api, Error}, sim};\nlet x = crate::tui::run();";
    assert_eq!(named(text, "crate::"), ["domain", "auth0", "sim", "tui"]);
}

#[test]
fn the_module_tree_is_listed_from_the_bottom_up() {
    let text = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/src/lib.rs")).expect("lib.rs");
    let listed: Vec<_> = text.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';')).collect();
    assert_eq!(listed, LAYERS);
}

#[test]
fn every_source_stands_on_the_page_about_the_architecture() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(root.join("ARCHITECTURE.md")).expect("the page");
    let mut files = Vec::new();
    sources(&root.join("src"), &mut files);
    let named = |line: &str| {
        line.strip_prefix("| `src/").and_then(|rest| rest.split_once('`')).map(|(name, _)| name.to_owned())
    };
    let listed: Vec<_> = page.lines().filter_map(named).collect();
    let there: Vec<_> = files
        .iter()
        .map(|path| path.strip_prefix(root.join("src")).expect("below src").to_string_lossy().replace('\\', "/"))
        .collect();
    let missing: Vec<_> = there.iter().filter(|name| !listed.contains(name)).collect();
    assert!(missing.is_empty(), "not in ARCHITECTURE.md: {missing:?}");
    let gone: Vec<_> = listed.iter().filter(|name| !there.contains(name)).collect();
    assert!(gone.is_empty(), "in ARCHITECTURE.md, and not there: {gone:?}");
}
