use std::borrow::Cow;
use std::fmt::{self, Write as _};

use unicode_general_category::{GeneralCategory, get_general_category};

/// Text that came from the API or any other place that we do not control.
///
/// It has no `Display`: only [`Untrusted::shown`] gives something to print, with everything that a
/// terminal would obey or that would mislead a reader made visible as `\u{202E}`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Untrusted(Box<str>);

impl Untrusted {
    /// Wraps text as it came.
    #[must_use]
    pub fn new(text: impl Into<Box<str>>) -> Self {
        Self(text.into())
    }

    /// The text as it came: to compare, to match, to send back. Never to print.
    #[must_use]
    pub fn raw(&self) -> &str {
        &self.0
    }

    /// The text as it may be printed.
    #[must_use]
    pub fn shown(&self) -> Cow<'_, str> {
        shown(&self.0)
    }
}

impl fmt::Debug for Untrusted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.shown())
    }
}

impl From<&str> for Untrusted {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl From<String> for Untrusted {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl<'de> serde::Deserialize<'de> for Untrusted {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::from)
    }
}

/// How many characters of one text are ever shown; the rest becomes `…`.
pub const LONGEST_SHOWN: usize = 4096;

/// Makes `text` safe to print on one line: C0, C1, DEL, bidirectional controls, zero-width and tag
/// characters, private and unassigned code points become visible escapes; at most two combining
/// marks stay on one base; and no more than [`LONGEST_SHOWN`] characters are shown.
#[must_use]
pub fn shown(text: &str) -> Cow<'_, str> {
    if text.len() <= LONGEST_SHOWN && text.bytes().all(|byte| (0x20..0x7f).contains(&byte)) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    let mut marks = 0;
    for (position, character) in text.chars().enumerate() {
        if position == LONGEST_SHOWN {
            out.push('…');
            break;
        }
        match judge(character) {
            Judgement::Plain => {
                marks = 0;
                out.push(character);
            }
            Judgement::Mark => {
                marks += 1;
                // A mark with nothing to stand on would join whatever is drawn before it.
                if marks <= 2 && !out.is_empty() {
                    out.push(character);
                } else {
                    escape(&mut out, character);
                }
            }
            Judgement::Escape => {
                marks = 0;
                escape(&mut out, character);
            }
        }
    }
    Cow::Owned(out)
}

/// Like [`shown`], and no longer than a sentence can hold: what stands behind it must be seen.
#[must_use]
pub fn brief(text: &str) -> Cow<'_, str> {
    const MOST: usize = 80;
    let shown = shown(text);
    match shown.char_indices().nth(MOST) {
        Some((end, _)) => Cow::Owned(format!("{}…", &shown[..end])),
        None => shown,
    }
}

/// Like [`shown`], with line breaks kept as line breaks, for help and error texts of several lines.
#[must_use]
pub fn shown_lines(text: &str) -> String {
    text.lines().map(shown).collect::<Vec<_>>().join("\n")
}

/// Whether a terminal would obey `character`, or a reader would not see it: what [`shown`] makes visible, but for
/// combining marks, which depend on what stands before them.
#[must_use]
pub fn is_hidden(character: char) -> bool {
    matches!(judge(character), Judgement::Escape)
}

fn escape(out: &mut String, character: char) {
    let written = write!(out, "\\u{{{:04X}}}", u32::from(character));
    debug_assert!(written.is_ok(), "writing to a String cannot fail");
}

enum Judgement {
    Plain,
    Mark,
    Escape,
}

fn judge(character: char) -> Judgement {
    use GeneralCategory as G;
    if matches!(character, ' '..='~') {
        return Judgement::Plain;
    }
    // Zero-width and invisible characters that Unicode counts as letters, marks or symbols.
    if matches!(
        character,
        '\u{034F}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}' | '\u{180B}'..='\u{180F}' | '\u{3164}' | '\u{FFA0}'
        | '\u{2800}' | '\u{FFFC}' | '\u{1D159}' | '\u{1D173}'..='\u{1D17A}' | '\u{E0000}'..='\u{E0FFF}'
    ) {
        return Judgement::Escape;
    }
    match get_general_category(character) {
        G::Control
        | G::Format
        | G::LineSeparator
        | G::ParagraphSeparator
        | G::PrivateUse
        | G::Surrogate
        | G::Unassigned => Judgement::Escape,
        // The no-break and other wide spaces look like a space but are not one.
        G::SpaceSeparator => {
            if character == '\u{3000}' {
                Judgement::Plain
            } else {
                Judgement::Escape
            }
        }
        G::NonspacingMark | G::EnclosingMark | G::SpacingMark => Judgement::Mark,
        _ => Judgement::Plain,
    }
}

/// Whether a reader could take `text` for another: it mixes letters of Latin with those of Cyrillic
/// or Greek, whose shapes are alike. Said in a question before a change.
#[must_use]
pub fn mixes_scripts(text: &str) -> bool {
    let latin = text.chars().any(|c| c.is_ascii_alphabetic() || matches!(c, '\u{C0}'..='\u{24F}'));
    let alike =
        text.chars().any(|c| matches!(c, '\u{370}'..='\u{3FF}' | '\u{400}'..='\u{52F}' | '\u{13A0}'..='\u{13FF}'));
    latin && alike
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_is_borrowed_as_it_is() {
        assert!(matches!(shown("Billing (EU) #2"), Cow::Borrowed("Billing (EU) #2")));
        assert_eq!(shown("日本語 Ünïcode 🦀"), "日本語 Ünïcode 🦀");
    }

    #[test]
    fn what_a_terminal_obeys_becomes_visible() {
        assert_eq!(shown("a\u{1b}[31mred"), "a\\u{001B}[31mred");
        assert_eq!(shown("\u{9b}2J"), "\\u{009B}2J");
        assert_eq!(shown("a\nb\r\tc\0"), "a\\u{000A}b\\u{000D}\\u{0009}c\\u{0000}");
        assert_eq!(shown("gpj.\u{202e}exe"), "gpj.\\u{202E}exe");
        assert_eq!(shown("\u{2066}x\u{2069}\u{200e}\u{061c}"), "\\u{2066}x\\u{2069}\\u{200E}\\u{061C}");
        assert_eq!(shown("pay\u{200b}roll\u{feff}"), "pay\\u{200B}roll\\u{FEFF}");
        assert_eq!(shown("\u{e0041}\u{e000}\u{378}"), "\\u{E0041}\\u{E000}\\u{0378}");
        assert_eq!(shown("a\u{a0}b"), "a\\u{00A0}b");
    }

    #[test]
    fn combining_marks_are_limited_and_need_a_base() {
        assert_eq!(shown("e\u{301}"), "e\u{301}");
        assert_eq!(shown("e\u{301}\u{302}\u{303}"), "e\u{301}\u{302}\\u{0303}");
        assert_eq!(shown("\u{301}e"), "\\u{0301}e");
    }

    #[test]
    fn long_text_is_cut() {
        let cut = shown(&"x".repeat(LONGEST_SHOWN + 5)).into_owned();
        assert_eq!(cut.chars().count(), LONGEST_SHOWN + 1);
        assert!(cut.ends_with('…'));
        assert_eq!(brief(&"x".repeat(80)), "x".repeat(80));
        assert_eq!(brief(&"\u{202e}".repeat(81)), format!("{}…", "\\u{202E}".repeat(10)));
    }

    #[test]
    fn lookalikes_are_noticed() {
        assert!(mixes_scripts("P\u{430}yments"));
        assert!(!mixes_scripts("Payments"));
        assert!(!mixes_scripts("Платежи"));
    }

    #[test]
    fn debug_is_safe_too() {
        assert_eq!(format!("{:?}", Untrusted::from("a\u{202e}")), "\"a\\\\u{202E}\"");
    }

    proptest::proptest! {
        #[test]
        fn nothing_shown_can_move_a_cursor(text in "\\PC*|[\\x00-\\x{10FFFF}]*") {
            for character in shown(&text).chars() {
                proptest::prop_assert!(!character.is_control());
                proptest::prop_assert!(!matches!(get_general_category(character), GeneralCategory::Format));
            }
        }
    }
}
