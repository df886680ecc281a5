//! Fitting and wrapping text by the cells it takes. The text must be safe to print already.
use std::borrow::Cow;

use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::UnicodeWidthStr as _;

/// Cells that `text` takes.
#[must_use]
pub fn width(text: &str) -> u16 {
    u16::try_from(text.width()).unwrap_or(u16::MAX)
}

/// `text`, or as much of it as fits before an `…`.
#[must_use]
pub fn fit(text: &str, cells: u16) -> Cow<'_, str> {
    if width(text) <= cells {
        return Cow::Borrowed(text);
    }
    if cells == 0 {
        return Cow::Borrowed("");
    }
    let mut out = String::new();
    let mut used = 0;
    for grapheme in text.graphemes(true) {
        let wide = width(grapheme);
        if used + wide > cells - 1 {
            break;
        }
        used += wide;
        out.push_str(grapheme);
    }
    out.push('…');
    Cow::Owned(out)
}

/// `text`, or as much of its end as fits behind an `…`.
#[must_use]
pub fn fit_end(text: &str, cells: u16) -> String {
    if width(text) <= cells {
        return text.to_owned();
    }
    let mut graphemes: Vec<&str> = Vec::new();
    let mut used = 0;
    for grapheme in text.graphemes(true).rev() {
        let wide = width(grapheme);
        if used + wide > cells.saturating_sub(1) {
            break;
        }
        used += wide;
        graphemes.push(grapheme);
    }
    graphemes.push(if cells == 0 { "" } else { "…" });
    graphemes.into_iter().rev().collect()
}

/// `text` on lines of at most `cells`, broken between words, or within a word that is longer than a line.
#[must_use]
pub fn wrap(text: &str, cells: u16) -> Vec<String> {
    let cells = cells.max(1);
    let mut lines = Vec::new();
    for paragraph in text.lines() {
        let mut line = String::new();
        for word in paragraph.split(' ') {
            let gap = u16::from(!line.is_empty());
            if width(&line) + gap + width(word) <= cells {
                if gap == 1 {
                    line.push(' ');
                }
                line.push_str(word);
                continue;
            }
            if !line.is_empty() {
                lines.push(std::mem::take(&mut line));
            }
            for grapheme in word.graphemes(true) {
                if width(&line) + width(grapheme) > cells && !line.is_empty() {
                    lines.push(std::mem::take(&mut line));
                }
                line.push_str(grapheme);
            }
        }
        lines.push(line);
    }
    lines
}

/// How long ago, in a word or two.
#[must_use]
pub fn ago(seconds: i64) -> String {
    match seconds {
        i64::MIN..60 => "just now".to_owned(),
        60..3600 => format!("{} min ago", seconds / 60),
        3600..86_400 => format!("{} h ago", seconds / 3600),
        _ => format!("{} d ago", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_long_ago_is_told_coarsely() {
        let all = [-5, 59, 60, 3599, 3600, 86_400, 400 * 86_400].map(ago);
        assert_eq!(all, ["just now", "just now", "1 min ago", "59 min ago", "1 h ago", "1 d ago", "400 d ago"]);
    }

    #[test]
    fn text_that_is_cut_says_so() {
        assert_eq!(fit("Billing", 7), "Billing");
        assert_eq!(fit("Billing", 5), "Bill…");
        assert_eq!(fit("日本語の名前", 7), "日本語…");
        assert_eq!(fit("日本語の名前", 6), "日本…");
        assert_eq!(fit("x", 0), "");
        assert_eq!(fit_end("/srv/billing/.env", 10), "…ling/.env");
        assert_eq!(
            (fit_end("short", 5), fit_end("日本語", 4), fit_end("x", 0)),
            ("short".into(), "…語".into(), String::new())
        );
    }

    #[test]
    fn lines_break_between_words_and_long_words_within() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("abcdefgh ij", 3), ["abc", "def", "gh", "ij"]);
        assert_eq!(wrap("a\n\nb", 5), ["a", "", "b"]);
        assert_eq!(wrap("日本語", 4), ["日本", "語"]);
    }
}
