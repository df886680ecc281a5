//! Texts that are made up, with all the white space, comments and line ends that a format allows. `ROLLOVER_CASES` says how many.

use std::ops::Range;

use fastrand::Rng;
use proptest::prelude::*;

use super::*;
use crate::targets::{json, toml, yaml};

/// A text that is being made up, and where in it the secrets stand.
struct Draft {
    random: Rng,
    text: String,
    line_end: &'static str,
    /// Where the written values of the current secret and the fallback are.
    current: Range<usize>,
    fallback: Option<Range<usize>>,
}

/// What stands below a key.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Current,
    Fallback,
    Other,
}

impl Draft {
    fn new(seed: u64) -> Self {
        let mut random = Rng::with_seed(seed);
        let line_end = if random.bool() { "\n" } else { "\r\n" };
        let text = if random.u8(..8) == 0 { "\u{feff}".to_owned() } else { String::new() };
        Self { random, text, line_end, current: 0..0, fallback: None }
    }

    fn chance(&mut self, one_in: u8) -> bool {
        self.random.u8(..one_in) == 0
    }

    fn put(&mut self, text: &str) {
        self.text.push_str(text);
    }

    fn pick(&mut self, of: &[&str]) {
        let text = of[self.random.usize(..of.len())].replace('\n', self.line_end);
        self.text.push_str(&text);
    }

    /// A value in the place of a secret: written in one of these ways.
    fn slot(&mut self, role: Role, written: &[&str]) {
        let start = self.text.len();
        self.pick(written);
        let place = start..self.text.len();
        if role == Role::Current { self.current = place } else { self.fallback = Some(place) }
    }

    /// Members in some order: with the slots among them where `slots` says so.
    fn roles(&mut self, slots: bool) -> Vec<Role> {
        let mut roles = vec![Role::Other; self.random.usize(..4)];
        if slots {
            roles.insert(self.random.usize(..=roles.len()), Role::Current);
            if self.random.bool() {
                roles.insert(self.random.usize(..=roles.len()), Role::Fallback);
            }
        }
        roles
    }

    fn name(role: Role, number: usize) -> String {
        match role {
            Role::Current => "cur".to_owned(),
            Role::Fallback => "fall".to_owned(),
            Role::Other => format!("k{number}"),
        }
    }
}

// JSON ----------------------------------------------------------------------------------------------------------------------

fn json_text(seed: u64) -> (Draft, SlotNames) {
    let mut draft = Draft::new(seed);
    let nested = draft.random.bool();
    draft.white();
    draft.object(if nested { 0 } else { 3 }, true, nested);
    draft.white();
    let names = if nested { two(r"au\.th.cur", r"au\.th.fall") } else { two("cur", "fall") };
    (draft, names)
}

impl Draft {
    fn white(&mut self) {
        self.pick(&["", "", "", " ", "\t", "\n", "\n  ", "\n\n\t", "  "]);
    }

    fn object(&mut self, depth: usize, slots: bool, nested: bool) {
        let mut roles = self.roles(slots && !nested);
        if nested {
            roles.push(Role::Current);
        }
        self.put("{");
        for (number, role) in roles.iter().enumerate() {
            if number > 0 {
                self.put(",");
            }
            self.white();
            let name = if nested && *role == Role::Current { "au.th".to_owned() } else { Self::name(*role, number) };
            let name = if *role == Role::Other { name + "ü\\n\\u0041" } else { name };
            self.put(&format!("\"{name}\""));
            self.white();
            self.put(":");
            self.white();
            match role {
                Role::Current if nested => self.object(3, true, false),
                Role::Other => self.json_value(depth + 1),
                role => self.slot(*role, &["\"old\"", "\"\"", "null", "\"o\\u006cd \\\"\"", "\"💧\""]),
            }
            self.white();
        }
        self.put("}");
    }

    fn json_value(&mut self, depth: usize) {
        match self.random.u8(..if depth > 3 { 2 } else { 4 }) {
            0 => self.pick(&["1e5", "-0.0", "true", "null", "12345678901234567890"]),
            1 => self.pick(&["\"\"", "\"a,}]\"", "\"cur\\\":\"", "\"\\ud83d\\ude00\""]),
            2 => self.object(depth, false, false),
            _ => {
                self.put("[");
                for number in 0..self.random.usize(..3) {
                    self.put(if number > 0 { "," } else { "" });
                    self.white();
                    self.json_value(depth + 1);
                    self.white();
                }
                self.put("]");
            }
        }
    }
}

// YAML ----------------------------------------------------------------------------------------------------------------------

fn yaml_text(seed: u64) -> (Draft, SlotNames) {
    let mut draft = Draft::new(seed);
    draft.pick(&["", "", "# tôp\n", "\n", "---\n", "%YAML 1.2\n---\n"]);
    let (above, names) = if draft.random.bool() { ("", two("cur", "fall")) } else { ("au", two("au.cur", "au.fall")) };
    if above.is_empty() {
        draft.block(0, true);
    } else {
        if draft.chance(2) {
            draft.block(0, false);
        }
        let line_end = draft.line_end;
        if draft.chance(3) {
            draft.put("\"au\": ");
            draft.flow(0, true);
            draft.pick(&["", " # why"]);
            draft.put(line_end);
        } else {
            draft.pick(&["au:", "'au' : # why", "au:  "]);
            draft.put(line_end);
            let indent = 1 + draft.random.usize(..4);
            draft.block(indent, true);
        }
    }
    draft.pick(&["", "", "# end", "...\n", "\n\n"]);
    if draft.chance(4) {
        // No end of line at the end.
        let kept = draft.text.trim_end_matches(['\r', '\n']).len();
        let last = draft.fallback.clone().unwrap_or_default().end.max(draft.current.end);
        draft.text.truncate(kept.max(last));
    }
    (draft, names)
}

impl Draft {
    fn block(&mut self, indent: usize, slots: bool) {
        let mut roles = self.roles(slots);
        if roles.is_empty() {
            roles.push(Role::Other);
        }
        let (line_end, pad) = (self.line_end, " ".repeat(indent));
        // Keys of one map differ; those of another may be the same.
        let first = self.text.len();
        for (number, role) in roles.into_iter().enumerate() {
            self.pick(&["", "", "", "\n", "# cur: no\n", "   # deep\n"]);
            self.put(&pad);
            let name = Self::name(role, first * 8 + number);
            let quote = ["", "", "\"", "'"][self.random.usize(..4)];
            self.put(&format!("{quote}{name}{quote}"));
            self.pick(&[":", ":", " :"]);
            if role == Role::Other {
                self.yaml_value(indent);
            } else {
                self.pick(&[" ", "   "]);
                self.slot(role, &["old", "'o''ld'", "\"o\\\"ld \\u00fc\"", "\"\"", "null", "~", "o ld-ü", "old#x"]);
            }
            if !self.text.ends_with('\n') {
                self.pick(&["", "", " ", " # it's \"why\"", "\t# x"]);
                self.put(line_end);
            }
        }
    }

    fn yaml_value(&mut self, indent: usize) {
        let (line_end, deeper) = (self.line_end, " ".repeat(indent + 2));
        match self.random.u8(..8) {
            0 => self.pick(&["", " &a x", " !t x", " !!str 12", " [ ]"]),
            1 => self.pick(&[" 12", " 1e5", " true", " 2026-11-25", " a b c", " \"x: # y\"", " 'it''s'"]),
            2 => {
                self.put(" ");
                self.flow(indent, false);
            }
            3 => {
                self.pick(&[" |", " >-", " |+"]);
                for line in ["cur: x", "# no comment"] {
                    self.put(&format!("{line_end}{deeper}{line}"));
                }
                self.put(line_end);
            }
            4 => {
                for item in ["- 1", "- cur: x", "- \"y\" # z"] {
                    self.put(&format!("{line_end}{deeper}{item}"));
                }
                self.put(line_end);
            }
            5 if indent < 8 => {
                self.put(line_end);
                self.block(indent + 2, false);
            }
            6 => self.put(&format!("{line_end}{deeper}below")),
            _ => self.put(&format!(" several{line_end}{deeper}lines")),
        }
    }

    fn flow(&mut self, indent: usize, slots: bool) {
        let roles = self.roles(slots);
        let deeper = " ".repeat(indent + 3);
        self.put("{");
        for (number, role) in roles.into_iter().enumerate() {
            self.put(if number > 0 { "," } else { "" });
            self.pick(&["", " ", &format!("\n{deeper}"), &format!(" # why\n{deeper}  ")]);
            let name = Self::name(role, number);
            match self.random.u8(..3) {
                0 => self.put(&format!("\"{name}\":")),
                1 => self.put(&format!("'{name}' : ")),
                _ => self.put(&format!("{name}: ")),
            }
            match role {
                Role::Other => self.pick(&["1", "\"a, b\"", "[x, {y: z}]", "a b"]),
                role => self.slot(role, &["\"old\"", "'o''ld'", "\"\"", "\"o, }ld\""]),
            }
            self.pick(&["", " ", &format!("\n{deeper}")]);
        }
        self.put("}");
    }
}

// TOML ----------------------------------------------------------------------------------------------------------------------

fn toml_text(seed: u64) -> (Draft, SlotNames) {
    let mut draft = Draft::new(seed);
    let line_end = draft.line_end;
    let shape = draft.random.u8(..4);
    draft.settings("", shape == 0);
    match shape {
        0 => {}
        1 => {
            draft.pick(&["[au]", " [ \"au\" ] # why", "[[b]]\n[au]", "[b.c]\nx = 1\n[au]"]);
            draft.put(line_end);
            draft.settings("", true);
        }
        2 => draft.settings("au.", true),
        _ => {
            draft.pick(&["au = {", "\"au\"={"]);
            let roles = draft.roles(true);
            for (number, role) in roles.into_iter().enumerate() {
                draft.put(if number > 0 { "," } else { "" });
                draft.pick(&["", " ", "\n  ", " # why\n\t"]);
                draft.setting("", role, number);
                draft.pick(&["", " "]);
            }
            draft.put("}");
            draft.put(line_end);
        }
    }
    draft.pick(&["", "\n", "[z]\ncur = 1\n", "# end", "[[zz]]\n"]);
    if draft.chance(4) {
        let kept = draft.text.trim_end_matches(['\r', '\n']).len();
        draft.text.truncate(kept);
    }
    let names = if shape == 0 { two("cur", "fall") } else { two("au.cur", "au.fall") };
    (draft, names)
}

impl Draft {
    fn settings(&mut self, before: &str, slots: bool) {
        let line_end = self.line_end;
        let first = self.text.len();
        for (number, role) in self.roles(slots).into_iter().enumerate() {
            self.pick(&["", "", "\n", "# cur = 1\n", "  ", "\t"]);
            self.setting(before, role, first * 8 + number);
            self.pick(&["", " ", " # it's \"why\""]);
            self.put(line_end);
        }
    }

    fn setting(&mut self, before: &str, role: Role, number: usize) {
        let quote = ["", "", "\"", "'"][self.random.usize(..4)];
        self.put(&format!("{before}{quote}{}{quote}", Self::name(role, number)));
        self.pick(&[" = ", "=", "  =\t"]);
        match role {
            Role::Other => self.pick(&[
                "0x1F",
                "1979-05-27 07:32:00Z",
                "\"a # b\"",
                "'''\n'x'\n'''",
                "[1, [\"}\"],\n# x\n]",
                "{ cur = 1, x.y = 'z' }",
                "inf",
            ]),
            role => self.slot(role, &["\"old\"", "'old'", "\"\"", "\"o\\\"ld\\u00fc # x\"", "''"]),
        }
    }
}

// What holds for each -------------------------------------------------------------------------------------------------------

/// Mostly as ours are; now and then as nobody's should be.
fn a_secret() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[A-Za-z0-9_-]{64}",
        1 => "[0-9]{1,9}|[0-9]e[0-9]|[yn]|on|null|-[a-z]{3}|0x[0-9a-f]{4}",
        1 => "[ -~]{1,12}",
        1 => "[\"'\\\\#:,{} ü💧\u{202e}\u{85}\u{a0}]{1,8}".prop_filter("no control character", |text| !text.contains(char::is_control)),
    ]
}

/// How a value may be written in the three formats.
fn written(value: &str) -> Vec<String> {
    let like = ["\"\"", "''", "plain"];
    let mut all: Vec<_> =
        like.iter().flat_map(|like| [yaml::written(value, like), toml::written(value, like)]).collect();
    all.extend([json::quoted(value).to_string(), "null".to_owned(), "\"\"".to_owned()]);
    all
}

fn check(under: Under, made: (Draft, SlotNames), current: &str, fallback: &str) -> Result<(), TestCaseError> {
    let (draft, names) = made;
    let text = draft.text.as_str();
    let told = |error: EditError| TestCaseError::fail(format!("{error:?} in\n{text}"));
    let before = (under.read)(text.as_bytes(), &names).map_err(told)?;
    let edit = |text: &str, wanted: &Slots| under.edited(text, &names, wanted).map_err(told);
    // Nothing to change: nothing changes.
    prop_assert_eq!(edit(text, &before)?, text);
    // Another current secret changes what stands there, and nothing else.
    let one = edit(text, &Slots { current: secret(current), fallback: before.fallback.clone() })?;
    let (head, tail) = (&text[..draft.current.start], &text[draft.current.end..]);
    let middle = one.strip_prefix(head).and_then(|rest| rest.strip_suffix(tail));
    prop_assert!(
        middle.is_some_and(|middle| written(current).iter().any(|text| text == middle)),
        "{}\n->\n{}",
        text,
        one
    );
    // A fallback that is there changes in its place.
    let both = Slots { current: before.current.clone(), fallback: secret(fallback) };
    let with = edit(text, &both)?;
    if let Some(place) = &draft.fallback {
        let (head, tail) = (&text[..place.start], &text[place.end..]);
        let middle = with.strip_prefix(head).and_then(|rest| rest.strip_suffix(tail));
        prop_assert!(
            middle.is_some_and(|middle| written(fallback).iter().any(|text| text == middle)),
            "{}\n->\n{}",
            text,
            with
        );
        // And it can be taken away, with its key or without.
        edit(text, &Slots { current: before.current.clone(), fallback: None })?;
    } else {
        // One that is not there is put in, in one piece, and taken out again.
        let same_start = with.bytes().zip(text.bytes()).take_while(|(one, other)| one == other).count();
        let same_end = with.bytes().rev().zip(text.bytes().rev()).take_while(|(one, other)| one == other).count();
        prop_assert!(same_start + same_end >= text.len(), "{}\n->\n{}", text, with);
        prop_assert_eq!(edit(&with, &before)?, text);
    }
    // All at once, and back.
    let all = edit(text, &slots(current, fallback))?;
    let other = slots(fallback, current);
    edit(&all, &other)?;
    Ok(())
}

fn cases() -> ProptestConfig {
    let number = std::env::var("ROLLOVER_CASES").ok().and_then(|number| number.parse().ok());
    ProptestConfig { cases: number.unwrap_or(1000), failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn json_keeps_every_other_byte(seed: u64, current in a_secret(), fallback in a_secret()) {
        check(Under { edit: json::edit, read: json::read }, json_text(seed), &current, &fallback)?;
    }

    #[test]
    fn yaml_keeps_every_other_byte(seed: u64, current in a_secret(), fallback in a_secret()) {
        check(Under { edit: yaml::edit, read: yaml::read }, yaml_text(seed), &current, &fallback)?;
    }

    #[test]
    fn toml_keeps_every_other_byte(seed: u64, current in a_secret(), fallback in a_secret()) {
        check(Under { edit: toml::edit, read: toml::read }, toml_text(seed), &current, &fallback)?;
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop_oneof![any::<Vec<u8>>(), "[\\[\\]{}:,\"'#&*!|>\\- \nabc]{0,60}".prop_map(String::into_bytes)]) {
        for under in [
            Under { edit: json::edit, read: json::read },
            Under { edit: yaml::edit, read: yaml::read },
            Under { edit: toml::edit, read: toml::read },
        ] {
            let names = two("a", "b");
            let _ = (under.read)(&bytes, &names);
            if let Ok(edited) = (under.edit)(&bytes, &names, &slots("NEW", "OLD")) {
                prop_assert_eq!((under.read)(&edited, &names), Ok(slots("NEW", "OLD")));
            }
        }
    }
}
