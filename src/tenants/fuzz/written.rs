//! Configurations as somebody may have written them, and texts that are nearly one.
use std::collections::BTreeSet;
use std::fmt::Write as _;

use fastrand::Rng;

use super::super::edit::settings;
use super::targets::{as_settings, targets};
use crate::domain::{AssertionAlgorithm, Colour, Domain, Environment, Keep, Profile, RatePlan, WayIn};

/// A configuration as somebody may have written it, and what of it belongs to whom.
pub(super) struct Written {
    pub(super) text: String,
    pub(super) comments: Vec<Comment>,
    /// Lines that go with a tenant.
    owned: Vec<(String, String)>,
    /// Lines in braces.
    pub(super) braced: Vec<String>,
}

pub(super) struct Comment {
    pub(super) text: String,
    pub(super) owner: Option<String>,
}

/// A setting as it is written, and whose it is.
pub(super) struct Line {
    pub(super) setting: String,
    pub(super) value: String,
    pub(super) owner: String,
}

impl Written {
    pub(super) fn new(random: &mut Rng) -> Self {
        let mut written = Self { text: String::new(), comments: Vec::new(), owned: Vec::new(), braced: Vec::new() };
        let mut names = BTreeSet::new();
        for _ in 0..random.usize(..5) {
            names.insert(a_name(random));
        }
        let tenants: Vec<_> = names
            .iter()
            .enumerate()
            .map(|(number, name)| {
                let domain = Domain::parse(&format!("{number}.{}", a_host(random))).expect("a domain");
                let domain = if random.u8(..) < 30 {
                    Domain::parse(&format!("http://127.0.0.1:{}", 8000 + number)).expect("one")
                } else {
                    domain
                };
                Profile { domain, targets: targets(random), ..a_profile(random, name) }
            })
            .collect();
        // Whose targets have headers of their own, which come last where none may come before.
        let mut later = Vec::new();
        written.settings_of_the_file(random, &tenants);
        let style = random.u8(..6);
        // Braces can be followed by no header, and headers by no dotted key of the file itself.
        match style {
            0 if !tenants.is_empty() => written.in_braces(random, &tenants),
            1 => {
                for tenant in &tenants {
                    if written.dotted(random, "tenants", tenant) {
                        later.push(tenant);
                    }
                }
            }
            2 => {
                let (under, own) = tenants.split_at(random.usize(..=tenants.len()));
                written.rest(random, None);
                let header = random.choice(["[tenants]", "[ tenants ]", "[\"tenants\"]", "['tenants']"]).expect("one");
                written.line(random, None, header);
                for tenant in under {
                    if random.bool() {
                        if written.dotted(random, "", tenant) {
                            later.push(tenant);
                        }
                    } else {
                        written.value_in_braces(random, tenant);
                    }
                }
                for tenant in own {
                    written.table(random, tenant);
                }
            }
            _ => {
                for tenant in &tenants {
                    written.table(random, tenant);
                }
                if random.u8(..) < 40 && !tenants.is_empty() {
                    written.line(random, None, "[tenants]");
                }
            }
        }
        for tenant in later {
            written.sections(random, tenant);
        }
        written.rest(random, None);
        if random.u8(..) < 60 {
            written.text.truncate(written.text.trim_end_matches('\n').len());
        }
        match random.u8(..8) {
            0 => written.text = written.text.replace('\n', "\r\n"),
            1 => {
                let mut mixed = String::new();
                for line in written.text.split_inclusive('\n') {
                    mixed.push_str(&if random.bool() { line.replace('\n', "\r\n") } else { line.to_owned() });
                }
                written.text = mixed;
            }
            _ => {}
        }
        if random.u8(..8) == 0 {
            written.text.insert(0, '\u{feff}');
        }
        written
    }

    pub(super) fn owns(&self, name: &str, line: &str) -> bool {
        let owns = |owner: &str| owner.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('\0'));
        self.owned.iter().any(|(owner, owned)| owns(owner) && owned == line)
            || self.braced.iter().any(|one| one == line)
    }

    /// A comment that no other is like.
    fn comment(&mut self, random: &mut Rng, owner: Option<&str>) -> String {
        const TAILS: [&str; 8] = ["", " \"", " '''", " [tenants.x]", " plan = \"free\"", " é\u{4e00}", " # }", " , \\"];
        let text = format!("#c{};{}", self.comments.len(), random.choice(TAILS).expect("one"));
        self.comments.push(Comment { text: text.clone(), owner: owner.map(str::to_owned) });
        text
    }

    /// Empty lines and comments that stand for themselves.
    fn rest(&mut self, random: &mut Rng, owner: Option<&str>) {
        for _ in 0..random.usize(..3) {
            if random.bool() {
                self.text.push_str(random.choice(["\n", "\n\n", "  \n", "\t\n"]).expect("one"));
            } else {
                let comment = self.comment(random, owner);
                self.push(owner, &format!("{}{comment}\n", random.choice(["", "  ", "\t"]).expect("one")));
            }
        }
    }

    fn push(&mut self, owner: Option<&str>, text: &str) {
        if let Some(owner) = owner {
            self.owned.extend(text.lines().map(|line| (owner.to_owned(), line.to_owned())));
        }
        self.text.push_str(text);
    }

    fn line(&mut self, random: &mut Rng, owner: Option<&str>, text: &str) {
        let comment = if random.u8(..) < 60 { format!(" {}", self.comment(random, owner)) } else { String::new() };
        let indent = random.choice(["", "", "", " ", "\t"]).expect("one");
        let behind = random.choice(["", "", " ", "\t"]).expect("one");
        self.push(owner, &format!("{indent}{text}{behind}{comment}\n"));
    }

    fn settings_of_the_file(&mut self, random: &mut Rng, tenants: &[Profile]) {
        let mut lines = Vec::new();
        if let Some(tenant) = random.choice(tenants)
            && random.bool()
        {
            lines.push(format!("tenant = {}", spelled(random, &tenant.name)));
        }
        if random.bool() {
            lines.push(format!("{} = {}", key(random, "mouse"), random.bool()));
        }
        if random.bool() {
            lines.push(format!("ca_file={}", spelled(random, "/etc/ca.pem")));
        }
        random.shuffle(&mut lines);
        for line in lines {
            self.rest(random, None);
            self.line(random, None, &line);
        }
    }

    /// A header, with what stands right above it.
    pub(super) fn header(&mut self, random: &mut Rng, owner: &str, header: &str) {
        self.rest(random, None);
        if random.bool() {
            self.text.push('\n');
        }
        // What stands right above the header goes with the table: which of them, the spaces decide.
        let unowned = self.comments.len();
        let above = self.text.lines().rev().take_while(|line| line.trim_start().starts_with('#')).map(str::to_owned);
        for line in above.collect::<Vec<_>>() {
            for comment in &mut self.comments[..unowned] {
                if line.contains(&comment.text) {
                    comment.owner = Some(owner.to_owned());
                }
            }
            self.owned.push((owner.to_owned(), line));
        }
        self.line(random, Some(owner), header);
    }

    /// What stands under a header.
    pub(super) fn settings(&mut self, random: &mut Rng, owner: &str, all: &[Line]) {
        for (number, one) in all.iter().enumerate() {
            if number > 0 || random.bool() {
                self.rest(random, Some(owner));
            }
            let line = format!("{}{}{}", one.setting, random.choice(["=", " = ", "\t= "]).expect("one"), one.value);
            let start = self.text.len();
            self.line(random, Some(&one.owner), &line);
            if one.value.starts_with('{') {
                self.braced.extend(self.text[start..].lines().map(str::to_owned));
            }
        }
    }

    fn table(&mut self, random: &mut Rng, tenant: &Profile) {
        let name = key(random, &tenant.name);
        let header = match random.u8(..6) {
            0 => format!("[ tenants . {name} ]"),
            1 => format!("['tenants'.{name}]"),
            _ => format!("[tenants.{name}]"),
        };
        self.header(random, &tenant.name, &header);
        let mut all = listed(random, tenant);
        let below = random.bool();
        if !below {
            all.extend(as_settings(random, tenant));
            random.shuffle(&mut all);
        }
        self.settings(random, &tenant.name, &all);
        if below {
            self.sections(random, tenant);
        }
    }

    /// Whether the targets are still to be written.
    fn dotted(&mut self, random: &mut Rng, above: &str, tenant: &Profile) -> bool {
        let later = random.bool();
        let mut all = listed(random, tenant);
        if !later {
            all.extend(as_settings(random, tenant));
        }
        for one in all {
            self.rest(random, None);
            let mut names = vec![key(random, &tenant.name), one.setting];
            if !above.is_empty() {
                names.insert(0, key(random, above));
            }
            let line = format!("{} = {}", names.join(random.choice([".", " . "]).expect("one")), one.value);
            // What is said behind it stays.
            let comment = if random.bool() { format!(" {}", self.comment(random, None)) } else { String::new() };
            let start = self.text.len();
            self.push(Some(&one.owner), &format!("{line}{comment}\n"));
            if one.value.starts_with('{') {
                self.braced.extend(self.text[start..].lines().map(str::to_owned));
            }
        }
        later
    }

    fn braces(&mut self, random: &mut Rng, owner: Option<&str>, entries: &[String]) -> String {
        let mut text = "{".to_owned();
        for (number, entry) in entries.iter().enumerate() {
            let gap = match random.u8(..5) {
                0 => format!(" {}\n", self.comment(random, owner)),
                1 => "\n  ".to_owned(),
                _ => " ".to_owned(),
            };
            let behind =
                if random.u8(..5) == 0 { format!(" {}\n", self.comment(random, owner)) } else { String::new() };
            let comma = if number + 1 < entries.len() || random.u8(..5) == 0 { "," } else { "" };
            let _ = write!(text, "{gap}{entry}{behind}{comma}");
        }
        if random.u8(..5) == 0 {
            let _ = writeln!(text, " {}", self.comment(random, owner));
        }
        text + random.choice(["", " "]).expect("one") + "}"
    }

    fn value_in_braces(&mut self, random: &mut Rng, tenant: &Profile) {
        let owner = Some(tenant.name.as_str());
        let mut all = listed(random, tenant);
        all.extend(as_settings(random, tenant));
        let entries: Vec<_> = all.iter().map(|one| format!("{} = {}", one.setting, one.value)).collect();
        let braces = self.braces(random, owner, &entries);
        self.rest(random, None);
        let comment = if random.bool() { format!(" {}", self.comment(random, None)) } else { String::new() };
        let name = key(random, &tenant.name);
        let start = self.text.len();
        self.push(owner, &format!("{name} = {braces}{comment}\n"));
        self.braced.extend(self.text[start..].lines().map(str::to_owned));
    }

    fn in_braces(&mut self, random: &mut Rng, tenants: &[Profile]) {
        let mut entries = Vec::new();
        for tenant in tenants {
            let owner = Some(tenant.name.as_str());
            let mut settings = listed(random, tenant);
            settings.extend(as_settings(random, tenant));
            let name = key(random, &tenant.name);
            if random.bool() {
                let inner: Vec<_> = settings.iter().map(|one| format!("{}={}", one.setting, one.value)).collect();
                entries.push(format!("{name} = {}", self.braces(random, owner, &inner)));
            } else {
                entries.extend(settings.iter().map(|one| format!("{name}.{} = {}", one.setting, one.value)));
            }
        }
        let all = self.braces(random, None, &entries);
        self.rest(random, None);
        let start = self.text.len();
        self.line(random, None, &format!("tenants = {all}"));
        self.braced.extend(self.text[start..].lines().map(str::to_owned));
    }
}

/// A profile's settings in some order, as somebody may write them.
fn listed(random: &mut Rng, profile: &Profile) -> Vec<Line> {
    let line = |setting, value| Line { setting, value, owner: profile.name.clone() };
    let mut all = Vec::new();
    for (setting, value) in settings(profile) {
        let Some(value) = value else {
            if setting == "read_only" && random.bool() {
                all.push(line(setting.to_owned(), "false".to_owned()));
            }
            continue;
        };
        if setting == "algorithm" && value.contains("RS256") && random.bool() {
            continue;
        }
        let parsed: toml_edit::Value = value.parse().expect("a value");
        let value = parsed.as_str().map_or(value, |text| spelled(random, text));
        all.push(line(key(random, setting), value));
    }
    random.shuffle(&mut all);
    all
}

pub(super) fn key(random: &mut Rng, name: &str) -> String {
    match random.u8(..8) {
        0 => spelled_plainly(name),
        1 if !name.contains('\'') => format!("'{name}'"),
        _ => toml_edit::Key::new(name).to_string(),
    }
}

fn spelled_plainly(text: &str) -> String {
    let mut out = "\"".to_owned();
    for character in text.chars() {
        match character {
            '"' | '\\' => {
                out.push('\\');
                out.push(character);
            }
            character if character.is_control() => {
                let _ = write!(out, "\\u{:04X}", u32::from(character));
            }
            character => out.push(character),
        }
    }
    out + "\""
}

pub(super) fn spelled(random: &mut Rng, text: &str) -> String {
    let plain = !text.contains(['\'', '\\', '"']) && !text.chars().any(char::is_control);
    match random.u8(..12) {
        0 if plain => format!("'{text}'"),
        1 if plain => format!("'''{text}'''"),
        2 if plain => format!("\"\"\"{text}\"\"\""),
        3 if plain && !text.starts_with([' ', '\t']) => format!("\"\"\"\\\n   {text}\"\"\""),
        4 if plain => format!("'''\n{text}'''"),
        5 => {
            let mut out = String::new();
            for character in text.chars() {
                let _ = write!(out, "\\U{:08X}", u32::from(character));
            }
            format!("\"{out}\"")
        }
        _ => spelled_plainly(text),
    }
}

pub(super) fn a_name(random: &mut Rng) -> String {
    const NAMES: [&str; 12] =
        ["acme", "shop", "tenant", "domain", "two words", "ünï", "a.b", "quo\"te", "[x]", "#no", "back\\slash", "it's"];
    random.choice(NAMES).expect("one").to_owned()
}

fn a_host(random: &mut Rng) -> &'static str {
    random
        .choice(["acme.eu.auth0.com", "acme.eu.auth0.com:8443", "login.acme.example", "xn--bcher-kva.example"])
        .expect("one")
}

pub(super) fn a_domain(random: &mut Rng) -> Domain {
    let text = match random.u8(..4) {
        0 => format!("http://127.0.0.1:{}", random.u16(1..)),
        1 => "http://[::1]:9/".to_owned(),
        _ => format!("{}.{}", random.u8(..20), a_host(random)),
    };
    Domain::parse(&text).expect("a domain")
}

fn maybe<T>(random: &mut Rng, all: impl IntoIterator<Item = T>) -> Option<T> {
    if random.bool() { random.choice(all.into_iter().collect::<Vec<_>>()) } else { None }
}

pub(super) fn a_profile(random: &mut Rng, name: &str) -> Profile {
    let client_id = |random: &mut Rng| format!("i{}", text(random));
    let way_in = match random.u8(..6) {
        0 => Some(WayIn::ClientSecret { client_id: client_id(random) }),
        1 => Some(WayIn::PrivateKeyJwt {
            client_id: client_id(random),
            algorithm: random.choice(AssertionAlgorithm::ALL).expect("one"),
            key_file: maybe(random, ["/etc/key.pem".into(), "/a \"b\"/c'd".into()]),
        }),
        2 => Some(WayIn::Token),
        3 => Some(WayIn::Auth0Cli),
        _ => None,
    };
    let audience = text(random);
    Profile {
        audience: maybe(random, ["https://acme/api/v2/".to_owned(), String::new(), audience]),
        environment: maybe(random, Environment::ALL),
        colour: maybe(random, Colour::ALL),
        read_only: random.bool(),
        way_in,
        kept: maybe(random, Keep::ALL),
        plan: maybe(random, RatePlan::ALL),
        ca_file: maybe(random, ["/etc/ca.pem".into(), "/ü/\\".into()]),
        ..Profile::new(name.to_owned(), a_domain(random))
    }
}

/// A text of any characters.
pub(super) fn text(random: &mut Rng) -> String {
    (0..random.usize(..6)).map(|_| any(random)).collect()
}

pub(super) fn any(random: &mut Rng) -> char {
    match random.u8(..8) {
        0 => random.char(..),
        1 => random
            .choice(['\u{0}', '\u{7}', '\u{1b}', '\u{202e}', '\u{feff}', '\u{a0}', '\u{85}', '\u{301}'])
            .expect("one"),
        2 => random.choice(['"', '\'', '\\', '#', '\n', '\r', '\t', '[', ']', '{', '}', '=', ',', '.']).expect("one"),
        _ => random.char(' '..='~'),
    }
}

const TOKENS: [&str; 44] = [
    "[tenants.acme]\n",
    "[tenants.acme.targets.abc.env]\nfile = \"/srv/.env\"\n",
    ".targets.abc",
    "command = [\"x\", \"y\"]\n",
    "timeout = 0x7f\n",
    "[tenants.",
    "[tenants]\n",
    "[[tenants]]\n",
    "]\n",
    "tenants",
    "acme",
    ".",
    " = ",
    "=",
    "\"",
    "'",
    "\"\"\"",
    "'''",
    "{",
    "}",
    "[",
    "]",
    ",",
    "\n",
    "\r\n",
    "\r",
    "#",
    "domain = \"acme.eu.auth0.com\"\n",
    "mouse = true\n",
    "tenant = \"acme\"\n",
    "tenants = {}\n",
    "true",
    "false",
    "1",
    "-1.5e3",
    "inf",
    "2026-11-01",
    "\\",
    "\\u12",
    "\u{feff}",
    "\u{0}",
    "read_only",
    "sign_in = \"token\"\n",
    " ",
];

pub(super) fn soup(random: &mut Rng) -> String {
    let mut text = String::new();
    for _ in 0..random.usize(..25) {
        if random.u8(..) < 200 {
            text.push_str(random.choice(TOKENS).expect("one"));
        } else {
            text.push(any(random));
        }
    }
    text
}

/// A text with one thing in it changed.
pub(super) fn mutated(random: &mut Rng, text: &str) -> String {
    let place = |random: &mut Rng| {
        let mut at = random.usize(..=text.len());
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    };
    let (at, other) = (place(random), place(random));
    let (from, to) = (at.min(other), at.max(other));
    let lines: Vec<_> = text.split_inclusive('\n').collect();
    match random.u8(..8) {
        0 => format!("{}{}{}", &text[..at], random.choice(TOKENS).expect("one"), &text[at..]),
        1 => format!("{}{}{}", &text[..at], any(random), &text[at..]),
        2 => {
            let to = text[at..].chars().next().map_or(at, |character| at + character.len_utf8());
            format!("{}{}{}", &text[..at], any(random), &text[to..])
        }
        3 if to - from < 40 => format!("{}{}", &text[..from], &text[to..]),
        4 if random.bool() => text[..at].to_owned(),
        5 if random.u8(..) < 40 => format!("{}{}", text, &text[from..to]),
        6 if lines.len() > 1 => {
            let mut lines = lines;
            let all = lines.len();
            lines.swap(random.usize(..all), random.usize(..all));
            lines.concat()
        }
        _ if !lines.is_empty() => {
            let mut lines = lines;
            let line = random.usize(..lines.len());
            if random.bool() {
                lines.insert(random.usize(..lines.len()), lines[line]);
            } else {
                lines.remove(line);
            }
            lines.concat()
        }
        _ => text.to_owned(),
    }
}
