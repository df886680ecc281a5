//! Files of variables that try an editor, made from bytes: fewer bytes, or smaller ones, make a simpler file, so that what
//! fails shrinks. Which bytes must stay is known here without reading the file again.

/// Bytes to choose by; zeros when they are used up.
pub struct Source<'a>(&'a [u8]);

impl<'a> Source<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    pub fn below(&mut self, most: usize) -> usize {
        usize::from(self.byte()) % most
    }

    fn one_in(&mut self, many: usize) -> bool {
        self.below(many) == many - 1
    }

    fn of<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }
}

/// An assignment to one of our keys.
#[derive(Clone, Debug)]
pub struct Line {
    pub before: &'static str,
    pub key: &'static str,
    pub sign: &'static str,
    pub quote: &'static str,
    pub text: String,
    pub tail: &'static str,
}

/// A line, or several.
#[derive(Clone, Debug)]
pub enum Piece {
    Other(Vec<u8>),
    Current(Line),
    Fallback(Line),
}

/// A file; each piece with its newline.
#[derive(Clone, Debug)]
pub struct Nasty {
    pub pieces: Vec<(Piece, &'static str)>,
}

/// Whom the file is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reader {
    /// Nobody in particular: everything that can stand in such a file.
    Nobody,
    /// Shells and the dotenv libraries all read it without a complaint.
    Everybody,
    /// docker.
    Docker,
}

pub const CURRENT: &str = "AUTH0_CLIENT_SECRET";
pub const FALLBACK: &str = "AUTH0_CLIENT_SECRET_FALLBACK";

const OURS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";

/// A secret as Auth0 and rollover make them; or, one time in four, one that somebody thought up.
pub fn secret(source: &mut Source<'_>) -> String {
    const ODD: &[&str] =
        &["a", "'", "\"", "$", " ", "#", "\\", "`", "ä", "=", "{", "}", "!", ";", "~", "€", "%", "𝕏", "-", "*"];
    if source.one_in(4) {
        let length = 1 + source.below(9);
        return (0..length).map(|_| source.of(ODD)).collect();
    }
    let length = 1 + source.below(64);
    // One byte of the source is enough for all: what matters is where it stands, not what.
    let first = source.below(64);
    (0..length).map(|at| char::from(OURS[(first + at * 7) % OURS.len()])).collect()
}

impl Nasty {
    pub fn new(source: &mut Source<'_>, reader: Reader) -> Self {
        let newlines: &[&'static str] = match source.below(8) {
            0..=3 => &["\n"],
            4 | 5 => &["\r\n"],
            6 if reader == Reader::Nobody => &["\r"],
            _ => &["\n", "\r\n"],
        };
        // A shell takes the carriage return for a part of the value.
        let newlines = if reader == Reader::Everybody { &["\n"] } else { newlines };
        let mut pieces = Vec::new();
        if reader != Reader::Everybody && source.one_in(10) {
            pieces.push((Piece::Other(b"\xEF\xBB\xBF".to_vec()), ""));
        }
        let has_fallback = source.one_in(2);
        let others = source.below(7);
        let place = source.below(others + 1);
        // Right below the current one, or anywhere.
        let second = if source.one_in(2) { place } else { source.below(others + 1) };
        let second = has_fallback.then_some(second);
        let current = line(source, reader, CURRENT);
        for at in 0..=others {
            if second == Some(at) && second < Some(place) {
                pieces.push((Piece::Fallback(fallback(source, reader, &current)), source.of(newlines)));
            }
            if at == place {
                pieces.push((Piece::Current(current.clone()), source.of(newlines)));
            }
            if second == Some(at) && second >= Some(place) {
                pieces.push((Piece::Fallback(fallback(source, reader, &current)), source.of(newlines)));
            }
            if at < others {
                let newline = source.of(newlines);
                pieces.push((Piece::Other(other(source, reader, newline)), newline));
            }
        }
        if source.one_in(3)
            && let Some(last) = pieces.last_mut()
        {
            last.1 = "";
        }
        Self { pieces }
    }

    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(512);
        for (piece, newline) in &self.pieces {
            match piece {
                Piece::Other(other) => bytes.extend_from_slice(other),
                Piece::Current(line) | Piece::Fallback(line) => put(&mut bytes, line, line.quote, &line.text),
            }
            bytes.extend_from_slice(newline.as_bytes());
        }
        bytes
    }

    /// The texts of the current secret and of the fallback.
    pub fn texts(&self) -> [Option<&str>; 2] {
        let mut texts = [None; 2];
        for (piece, _) in &self.pieces {
            match piece {
                Piece::Other(_) => {}
                Piece::Current(line) => texts[0] = Some(line.text.as_str()),
                Piece::Fallback(line) => texts[1] = Some(line.text.as_str()),
            }
        }
        texts.map(|text| text.filter(|text| !text.is_empty()))
    }

    /// Whether an edited file is this one with other secrets in it, however those are quoted.
    pub fn is_edited(&self, edited: &[u8], current: &str, fallback: &str) -> bool {
        // Those of the file first: mostly they stay.
        let own = self.pieces.iter().find_map(|(piece, _)| match piece {
            Piece::Current(line) => Some(line.quote),
            _ => None,
        });
        let quotes = [own.unwrap_or(""), "", "'", "\""];
        let mut bytes = Vec::with_capacity(edited.len() + 256);
        for first in quotes {
            for second in quotes {
                for goes in [false, true] {
                    bytes.clear();
                    if self.edit(&mut bytes, (first, current), (second, fallback), goes) && bytes == edited {
                        return true;
                    }
                }
            }
        }
        false
    }

    /// What it is when a fallback was added and went again: the same, but for a newline that dotenvy needs at its end.
    pub fn and_back(&self) -> Vec<u8> {
        let mut bytes = self.bytes();
        if let Some((Piece::Current(line), "")) = self.pieces.last()
            && ends_blank(line)
        {
            bytes.extend_from_slice(self.newline().as_bytes());
        }
        bytes
    }

    /// Whether it has a line for the fallback, be it an empty one.
    pub fn has_fallback(&self) -> bool {
        self.pieces.iter().any(|(piece, _)| matches!(piece, Piece::Fallback(_)))
    }

    /// One way to edit it; whether that is a right one. `goes`: the line of the fallback does not stay.
    fn edit(&self, bytes: &mut Vec<u8>, current: (&str, &str), fallback: (&str, &str), goes: bool) -> bool {
        let has_fallback = self.has_fallback();
        let mut above: Option<(&Line, &str)> = None;
        for (piece, newline) in &self.pieces {
            match piece {
                Piece::Other(other) => bytes.extend_from_slice(other),
                Piece::Current(line) => {
                    put(bytes, line, current.0, current.1);
                    if !has_fallback && !fallback.1.is_empty() {
                        let new = Line { key: FALLBACK, tail: "", ..line.clone() };
                        bytes.extend_from_slice(if newline.is_empty() { self.newline() } else { newline }.as_bytes());
                        put(bytes, &new, fallback.0, fallback.1);
                    }
                }
                Piece::Fallback(line) if goes => {
                    let Some((above, before)) = above else { return false };
                    if !fallback.1.is_empty()
                        || (above.before, above.sign) != (line.before, line.sign)
                        || !line.tail.is_empty()
                    {
                        return false;
                    }
                    if newline.is_empty() && !ends_blank(above) {
                        bytes.truncate(bytes.len() - before.len());
                    } else if !newline.is_empty() && *newline != before {
                        return false;
                    }
                    continue;
                }
                Piece::Fallback(line) => put(bytes, line, fallback.0, fallback.1),
            }
            above = match piece {
                Piece::Current(line) => Some((line, newline)),
                _ => None,
            };
            bytes.extend_from_slice(newline.as_bytes());
        }
        has_fallback || !goes
    }

    fn newline(&self) -> &'static str {
        // A newline within a quoted value of the first lines counts too: it is the same one.
        let first = self.pieces.iter().map(|(piece, newline)| match piece {
            Piece::Other(other) if other.contains(&b'\r') && other.windows(2).any(|two| two == b"\r\n") => "\r\n",
            Piece::Other(other) if other.contains(&b'\r') => "\r",
            Piece::Other(other) if other.contains(&b'\n') => "\n",
            _ => newline,
        });
        first.into_iter().find(|newline| !newline.is_empty()).unwrap_or("\n")
    }
}

fn ends_blank(line: &Line) -> bool {
    line.tail.ends_with([' ', '\t'])
}

fn put(bytes: &mut Vec<u8>, line: &Line, quote: &str, text: &str) {
    for part in [line.before, line.key, line.sign, quote, text, quote, line.tail] {
        bytes.extend_from_slice(part.as_bytes());
    }
}

fn fallback(source: &mut Source<'_>, reader: Reader, current: &Line) -> Line {
    let mut new = line(source, reader, FALLBACK);
    if source.one_in(2) {
        (new.before, new.sign) = (current.before, current.sign);
    }
    if new.text.is_empty() && new.quote.is_empty() {
        new.sign = "=";
    }
    new
}

fn line(source: &mut Source<'_>, reader: Reader, key: &'static str) -> Line {
    const PLAIN: &[&str] = &["old", "aB_-9", "", "a:b/c", "0", "x.y@z"];
    const SINGLE: &[&str] = &["old", "a b", "", "a\"b", "$a # b", " a;", "a\\b", "`"];
    const DOUBLE: &[&str] = &["old", "a b", "", "it's", "# a", " a;"];
    if reader == Reader::Docker {
        let text = source.of(&["old", "", "'a' # b", " \"$a\" ", "a\\", "="]).to_owned();
        return Line { before: source.of(&["", " ", "\t"]), key, sign: "=", quote: "", text, tail: "" };
    }
    let before = source.of(&["", "", "export ", "  ", "\t", " export \t "]);
    let quote = source.of(&["", "", "'", "\""]);
    let texts = match quote {
        "" => PLAIN,
        "'" => SINGLE,
        _ => DOUBLE,
    };
    let text = source.of(texts).to_owned();
    // A shell takes no blank around the sign.
    let is_tight = reader == Reader::Everybody || (text.is_empty() && quote.is_empty());
    let sign = if is_tight { "=" } else { source.of(&["=", "=", "=", " =", "= ", " = \t"]) };
    // What python-dotenv reads there is a comment's text.
    let may_end = reader == Reader::Nobody || !text.is_empty() || !quote.is_empty();
    let tail = if may_end { source.of(&["", "", "", " ", " # it's", "\t#\"$x` \\\\"]) } else { "" };
    Line { before, key, sign, quote, text, tail }
}

fn other(source: &mut Source<'_>, reader: Reader, newline: &str) -> Vec<u8> {
    match reader {
        Reader::Everybody => tame(source, newline),
        Reader::Docker => source
            .of(&[
                "A='",
                "",
                "# AUTH0_CLIENT_SECRET=no",
                "B=\"",
                "AUTH0_CLIENT_SECRETS=a",
                "C=AUTH0_CLIENT_SECRET=no",
                "D=\\",
                "E",
                "\u{e4}=1",
            ])
            .as_bytes()
            .to_vec(),
        Reader::Nobody => wild(source, newline),
    }
}

fn tame(source: &mut Source<'_>, newline: &str) -> Vec<u8> {
    let text = source.of(&[
        "",
        "# AUTH0_CLIENT_SECRET=no",
        "A=1",
        "export B='x y'",
        "C=\"x~AUTH0_CLIENT_SECRET=no~y\"",
        "D='~AUTH0_CLIENT_SECRET=no~'",
        "E=\"say \\\"hi\\\"\"",
        "MY_AUTH0_CLIENT_SECRET=no",
        "AUTH0_CLIENT_SECRETS=no # it's",
        "F=\"$A\"",
        "  # '",
        "G=",
        "H='\u{e4}\u{20ac}'",
    ]);
    text.replace('~', newline).into_bytes()
}

fn wild(source: &mut Source<'_>, newline: &str) -> Vec<u8> {
    const PARTS: &[&[u8]] = &[
        b"a",
        b" ",
        b"=",
        b"\\\\",
        b"$X",
        b"${X}",
        b"#",
        b" # ",
        b"\xff",
        b"\xc3",
        b"\xe2\x82\xac",
        b"\t",
        b"`",
        b"\x00",
        b"\x1b[2J",
        b"AUTH0_CLIENT_SECRET=no",
        b"export ",
        b"\x0b",
        b":",
        b"\\n",
    ];
    let parts = |source: &mut Source<'_>, extra: &[&[u8]]| {
        let mut bytes = Vec::new();
        for _ in 0..source.below(6) {
            let index = source.below(PARTS.len() + extra.len());
            bytes.extend_from_slice(PARTS.get(index).copied().unwrap_or_else(|| extra[index - PARTS.len()]));
        }
        bytes
    };
    let fake = format!("{newline}AUTH0_CLIENT_SECRET=no{newline}");
    match source.below(9) {
        0 => Vec::new(),
        1 => [b" # ".as_slice(), &parts(source, &[b"'", b"\""])].concat(),
        2 => tame(source, newline),
        3 => {
            let inner = parts(source, &[b"\"", fake.as_bytes(), newline.as_bytes(), b"#"]);
            [b"A='".as_slice(), &inner, b".'", source.of(&[b"".as_slice(), b" ", b" # '", b"b"])].concat()
        }
        4 => {
            let inner = parts(source, &[b"'", b"\\\"", fake.as_bytes(), newline.as_bytes(), b"\\$"]);
            [b"export  B = \"".as_slice(), &inner, b".\"", source.of(&[b"".as_slice(), b" # \"", b";"])].concat()
        }
        5 => [b"C=x".as_slice(), &parts(source, &[b"'", b"\""]), b"."].concat(),
        6 => [b"\xff\xfe=".as_slice(), &parts(source, &[]), b"."].concat(),
        7 => [b"D: \"".as_slice(), fake.as_bytes(), b"\""].concat(),
        _ => source
            .of(&[b"export".as_slice(), b"WORD", b"=", b"AUTH0_CLIENT_SECRETS", b"A=\"\"", b"A=''", b"\t \t"])
            .to_vec(),
    }
}
