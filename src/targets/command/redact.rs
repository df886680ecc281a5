//! Taking secrets out of what commands print, before anybody sees it.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use zeroize::Zeroizing;

use super::super::json::quoted;
use crate::domain::Secret;
use crate::domain::untrusted::shown;

/// What stands in a secret's place.
const REDACTED: &str = "[redacted]";
/// A piece of a secret this long is taken out too: a tool may break a line within it, or show its beginning.
const PIECE: usize = 12;
/// What follows a piece is one where it is this long: the rest of a secret in which a line was broken.
const REST: usize = 4;
/// What is looked at, from the end: more than is ever shown.
const LOOKED_AT: usize = 8 * 1024;
/// How many characters of a line are shown.
const SHOWN: usize = 200;

/// Knows what is to be taken out.
pub(super) struct Redactor {
    forms: Vec<Zeroizing<String>>,
    /// Whether whatever looks like a secret goes as well, for there are some that nobody here knows.
    blind: bool,
}

impl Redactor {
    /// Takes out these.
    pub(super) fn new(secrets: &[Arc<Secret>]) -> Self {
        let mut forms: Vec<Zeroizing<String>> = secrets.iter().flat_map(|secret| forms(secret.expose())).collect();
        forms.retain(|form| !form.is_empty());
        // The longest first: a short one may be part of it.
        forms.sort_by(|one, other| other.len().cmp(&one.len()).then_with(|| one.cmp(other)));
        forms.dedup();
        Self { forms, blind: false }
    }

    /// Takes out what looks like one: the secrets that a command looks up are not known before it has ended well.
    pub(super) fn blind() -> Self {
        Self { forms: Vec::new(), blind: true }
    }

    /// The last lines that are not empty, in one; `None` where there are none.
    pub(super) fn last_lines(&self, printed: &[u8], most: usize) -> Option<String> {
        let from = printed.len().saturating_sub(LOOKED_AT);
        let text = Zeroizing::new(String::from_utf8_lossy(printed.get(from..)?).into_owned());
        // What the cut left of a line may begin with the end of a secret, too short to be known.
        let text = if from > 0 { text.split_once('\n').map_or("", |(_, rest)| rest) } else { &text };
        let text = self.redacted(text);
        let lines: Vec<_> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        let last = lines.get(lines.len().saturating_sub(most)..)?;
        let cut = |line: &&str| {
            let line = shown(line);
            match line.char_indices().nth(SHOWN) {
                Some((end, _)) => format!("{}…", &line[..end]),
                None => line.into_owned(),
            }
        };
        (!last.is_empty()).then(|| last.iter().map(cut).collect::<Vec<_>>().join(" | "))
    }

    fn redacted(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            let least = if out.trim_end().ends_with(REDACTED) { REST } else { PIECE };
            let known = self.forms.iter().map(|form| piece(rest, form, least)).max().unwrap_or(0);
            let secret = known.max(self.unknown(rest, &out));
            if secret > 0 {
                if !out.ends_with(REDACTED) {
                    out.push_str(REDACTED);
                }
                rest = rest.get(secret..).unwrap_or_default();
            } else {
                out.push(first);
                rest = &rest[first.len_utf8()..];
            }
        }
        out
    }

    /// How much at the beginning looks like a secret: a long word of letters and digits.
    fn unknown(&self, rest: &str, before: &str) -> usize {
        const LEAST: usize = 20;
        let in_word =
            |character: char| character.is_ascii_alphanumeric() || matches!(character, '_' | '-' | '+' | '/' | '=');
        if !self.blind || before.ends_with(in_word) {
            return 0;
        }
        let word = rest.len() - rest.trim_start_matches(in_word).len();
        let has = |of: fn(&char) -> bool| rest[..word].chars().any(|character| of(&character));
        let mixed = has(char::is_ascii_digit) && has(char::is_ascii_alphabetic);
        if word >= LEAST && mixed { word } else { 0 }
    }
}

/// How many bytes at the beginning of `text` are the secret, or a long enough piece of it.
fn piece(text: &str, form: &str, least: usize) -> usize {
    let least = form.len().min(least);
    let (text, form) = (text.as_bytes(), form.as_bytes());
    let common = |from: usize| text.iter().zip(&form[from..]).take_while(|(one, other)| one == other).count();
    (0..=form.len() - least).map(common).filter(|length| *length >= least).max().unwrap_or(0)
}

/// What a secret looks like after it went through what commands put it through.
fn forms(secret: &str) -> Vec<Zeroizing<String>> {
    let mut forms = vec![Zeroizing::new(secret.to_owned())];
    let escaped = quoted(secret);
    forms.push(Zeroizing::new(escaped.trim_matches('"').to_owned()));
    let encoded = percent_encoding::utf8_percent_encode(secret, percent_encoding::NON_ALPHANUMERIC);
    forms.push(Zeroizing::new(encoded.to_string()));
    let hex = |format: fn(u8) -> String| Zeroizing::new(secret.bytes().map(format).collect::<String>());
    forms.push(hex(|byte| format!("{byte:02x}")));
    forms.push(hex(|byte| format!("{byte:02X}")));
    // In base64 it looks different with zero, one or two bytes before it: a header `user:secret` has some.
    for before in 0..3 {
        let mut bytes = Zeroizing::new(vec![0; before]);
        bytes.extend_from_slice(secret.as_bytes());
        for engine in [&STANDARD, &URL_SAFE] {
            let text = Zeroizing::new(engine.encode(&*bytes));
            // The characters at both ends hold bits of what stands beside it too.
            let first = (before * 8).div_ceil(6);
            let last = bytes.len() * 8 / 6;
            forms.push(Zeroizing::new(text.get(first..last).unwrap_or_default().to_owned()));
        }
    }
    forms
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "Zk3_vQ8-hT1nXb5yWm7cRd2fJs4gLp6aUe9oKi0tBqVxNzYwSrCjMhDlFkGuPaEo";

    fn redacted(text: &str, secret: &str) -> String {
        Redactor::new(&[Arc::new(Secret::new(secret.to_owned()))]).last_lines(text.as_bytes(), 9).unwrap_or_default()
    }

    #[test]
    fn a_secret_goes_in_every_form() {
        assert_eq!(redacted(&format!("got {SECRET}!\n"), SECRET), "got [redacted]!");
        for before in ["", "u", "id", "id:"] {
            let text = STANDARD.encode(format!("{before}{SECRET}:more"));
            let left = redacted(&format!("Basic {text}"), SECRET);
            assert!(left.contains(REDACTED) && left.len() < 40, "{left}");
        }
        assert_eq!(redacted("q=a%2Fb%3Fc%3Dd%26e%21fgh", "a/b?c=d&e!fgh"), "q=[redacted]");
        assert_eq!(redacted(r#"{"s":"quo\"te\\d-secret"}"#, r#"quo"te\d-secret"#), r#"{"s":"[redacted]"}"#);
        assert_eq!(redacted("key 736563726574!", "secret"), "key [redacted]!");
        assert_eq!(redacted("ab and b", "b"), "a[redacted] and [redacted]");
    }

    #[test]
    fn a_long_piece_of_it_goes_too() {
        assert_eq!(redacted(&format!("begins with {}…", &SECRET[..16]), SECRET), "begins with [redacted]…");
        for at in [12, 30, 58] {
            let broken = format!("x {}\n{} y", &SECRET[..at], &SECRET[at..]);
            assert_eq!(redacted(&broken, SECRET), "x [redacted] | [redacted] y");
        }
    }

    #[test]
    fn a_line_is_short_and_harmless() {
        assert_eq!(redacted("a\u{1b}[31mb\n\n  \nc\u{202e}\n", SECRET), "a\\u{001B}[31mb | c\\u{202E}");
        assert_eq!(redacted(&"x".repeat(500), SECRET).chars().count(), SHOWN + 1);
        assert_eq!(Redactor::new(&[]).last_lines(b"1\n2\n3\n", 2), Some("2 | 3".to_owned()));
        assert_eq!(Redactor::new(&[]).last_lines(b"\n \n", 2), None);
    }

    #[test]
    fn what_the_cut_left_of_a_line_is_not_shown() {
        let long = format!("{}{}\nthe end\n", "-".repeat(100), SECRET.repeat(200));
        assert_eq!(redacted(&long, "another"), "the end");
    }

    #[test]
    fn a_secret_that_nobody_knows_is_recognised_by_its_looks() {
        let text = format!("GET https://vault/v1/x: token {SECRET} is not allowed to read kv/data/app");
        let left = Redactor::blind().last_lines(text.as_bytes(), 1).expect("a line");
        assert_eq!(left, "GET https://vault/v1/x: token [redacted] is not allowed to read kv/data/app");
    }
}
