//! Values that every reader of a file of variables takes for the same text.
//!
//! Shells, dotenvy, python-dotenv, Node's dotenv and docker compose agree on little: escapes in double quotes, `\\` and `\'` in
//! single ones, `#` without a blank before it, what is expanded. Here only what they agree on is read and written, so a value is
//! always the very bytes between its quotes; the rest is refused with the reason.
use super::scan::Dialect;

/// How a value is quoted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Quote {
    /// Not at all.
    None,
    /// `'`.
    Single,
    /// `"`.
    Double,
}

impl Quote {
    /// Its sign.
    pub(super) fn sign(self) -> &'static [u8] {
        match self {
            Self::None => b"",
            Self::Single => b"'",
            Self::Double => b"\"",
        }
    }
}

/// The text of a value that stands in the file with its quotes; or why apps would differ in what they read.
pub(super) fn text(raw: &[u8], quote: Quote, dialect: Dialect) -> Result<&str, &'static str> {
    let inside = if quote == Quote::None { raw } else { &raw[1..raw.len() - 1] };
    let text = std::str::from_utf8(inside).map_err(|_| "it is no UTF-8 text")?;
    if text.chars().any(char::is_control) {
        return Err("a line break or another control character is in it");
    }
    match (dialect, quote) {
        (Dialect::Docker, _) => Ok(text),
        (_, Quote::Single) if text.contains("${") => Err("`${` is in it: some apps expand it even in single quotes"),
        (_, Quote::Single) if text.contains("\\\\") || text.contains("\\'") => {
            Err("a backslash stands before another or a quote: apps differ in what that means")
        }
        (_, Quote::Single) => Ok(text),
        (_, _) if text.contains('$') => Err(
            "`$` is in it, which is expanded: what apps see is not in the file. Literal text with `$` needs single quotes",
        ),
        (_, _) if text.contains('`') => Err("a backtick is in it: a shell runs what is between two of them"),
        (_, _) if text.contains('\\') => Err("a backslash is in it: apps differ in what that means"),
        (_, Quote::None) if text.contains(['\'', '"']) => Err("a quote is in it, and it does not start with it"),
        (_, Quote::None) if text.contains('#') => {
            Err("`#` is in it: to some apps a comment starts there. Put the value in quotes")
        }
        (_, Quote::None) if text.contains(char::is_whitespace) => {
            Err("a blank is in it, and it is not quoted: a shell would end it there")
        }
        (_, Quote::None) if text.contains([';', '&', '|', '(', ')', '<', '>', '~']) => {
            Err("a sign is in it that means something to a shell. Put the value in quotes")
        }
        (_, Quote::Double | Quote::None) => Ok(text),
    }
}

/// How to quote a text: as it was, where that can hold it, else as can; or why nothing can.
pub(super) fn quote_for(text: &str, was: Quote, dialect: Dialect) -> Result<Quote, &'static str> {
    if text.chars().any(char::is_control) {
        return Err("it holds a control character");
    }
    if dialect == Dialect::Docker {
        return Ok(Quote::None);
    }
    [was, Quote::Single, Quote::Double]
        .into_iter()
        .find(|quote| is_safe(text, *quote))
        .ok_or("no way to quote it is read alike by all apps: it mixes quotes, `$` or backslashes")
}

fn is_safe(text: &str, quote: Quote) -> bool {
    match quote {
        // zsh takes `=name` for the place of a program.
        Quote::None => {
            !text.starts_with('=')
                && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.,:/@%+=".contains(&byte))
        }
        Quote::Single => {
            !text.contains('\'') && !text.contains("\\\\") && !text.ends_with('\\') && !text.contains("${")
        }
        Quote::Double => !text.contains(['"', '\\', '$', '`']),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_as_it_was() {
        for text in
            ["", "abc-_9", "a b", "a#b", "a$b", "a'b", "a\"b", "a\\b", "ä", " a ", "a;b", "~a", "$(a)", "`a`", "!a"]
        {
            for was in [Quote::None, Quote::Single, Quote::Double] {
                let quote = quote_for(text, was, Dialect::Dotenv).unwrap_or_else(|why| panic!("{text}: {why}"));
                let raw = [quote.sign(), text.as_bytes(), quote.sign()].concat();
                assert_eq!(super::text(&raw, quote, Dialect::Dotenv), Ok(text));
                assert!(quote == was || !is_safe(text, was));
            }
        }
    }

    #[test]
    fn what_readers_differ_in_is_neither_read_nor_written() {
        for text in ["a'$b", "a'\"", "a'\\", "a\\\\b", "a\\", "${a}", "a\nb", "a\0", "a'`"] {
            assert!(quote_for(text, Quote::None, Dialect::Dotenv).is_err(), "{text}");
        }
        for (raw, quote) in [
            ("$A", Quote::None),
            ("\"$A\"", Quote::Double),
            ("\"a\\\"b\"", Quote::Double),
            ("'${A}'", Quote::Single),
            ("'a\\\\b'", Quote::Single),
            ("a\\b", Quote::None),
            ("a b", Quote::None),
            ("a#b", Quote::None),
            ("a\"b\"", Quote::None),
            ("`a`", Quote::None),
            ("\"a\nb\"", Quote::Double),
        ] {
            assert!(text(raw.as_bytes(), quote, Dialect::Dotenv).is_err(), "{raw}");
        }
    }

    #[test]
    fn to_docker_everything_is_the_value() {
        for raw in ["'a'", "\"$A\" # b", " a ", "a\\\\'\"`"] {
            assert_eq!(text(raw.as_bytes(), Quote::None, Dialect::Docker), Ok(raw));
            assert_eq!(quote_for(raw, Quote::None, Dialect::Docker), Ok(Quote::None));
        }
    }
}
