use std::ops::Range;

use toml_edit::{Document, InlineTable, Item, Key, Table, TableLike, Value};

use crate::domain::untrusted::is_hidden;

/// A TOML text that is changed piece by piece, where every byte that is not meant stays: `toml_edit` finds the places, and the
/// text is cut and mended there. To print its document instead would lose a person's line ends, byte order mark, spelling of
/// names, order of dotted keys, and the comments at what is removed. Between two changes the text is read anew.
///
/// A method that answers `None` met something it does not know how to change.
pub struct Draft {
    text: String,
    line_end: &'static str,
}

/// A text as it is written in the file: in one line, and with nothing in it that a reader would not see.
pub fn value(text: &str) -> String {
    let mut out = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => out.extend(['\\', character]),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            hidden if is_hidden(hidden) => out.extend(format!("\\U{:08X}", u32::from(hidden)).chars()),
            plain => out.push(plain),
        }
    }
    out.push('"');
    out
}

/// Where something stands.
struct Found<'d> {
    key: &'d Key,
    item: &'d Item,
}

/// What something stands in, or would.
struct Around<'d> {
    /// The table that holds it.
    table: &'d dyn TableLike,
    /// The braces around it.
    braces: Option<&'d InlineTable>,
    /// The header above it, where there are no braces; `None` at the beginning of the file.
    header: Option<Range<usize>>,
    /// How many names of its path the braces or the header say already.
    said: usize,
}

impl Draft {
    /// Begins with what is in the file. What is added ends its lines as the first line does.
    pub fn new(text: &str) -> Self {
        let first = text.split_inclusive('\n').next().unwrap_or_default();
        Self { text: text.to_owned(), line_end: if first.ends_with("\r\n") { "\r\n" } else { "\n" } }
    }

    /// The text as it is now.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The text in the end.
    pub fn into_text(self) -> String {
        self.text
    }

    /// Sets a value, or takes it away. Comments stay, those at what is taken away too.
    pub fn set(&mut self, path: &[&str], value: Option<&str>) -> Option<()> {
        let document = Document::parse(self.text.as_str()).ok()?;
        let around = around(&document, path)?;
        let found = found(around.table, path.last()?);
        let cuts = match (found, value) {
            (None, None) => return Some(()),
            (None, Some(value)) => vec![self.added(&document, &around, path, value)?],
            (Some(found), Some(value)) => vec![(found.item.span()?, value.to_owned())],
            (Some(found), None) => self.removed(&around, &found)?,
        };
        self.apply(cuts);
        Some(())
    }

    /// Adds a table with settings: under a header behind what there is of the second name of the path, else at the end of the file;
    /// in braces where what it belongs to is written in braces.
    pub fn add_table(&mut self, path: &[&str], settings: &[(&str, String)]) -> Option<()> {
        let document = Document::parse(self.text.as_str()).ok()?;
        let (mut deepest, mut there) = (document.as_item(), 0);
        while let Some(item) = path.get(there).and_then(|name| deepest.as_table_like()?.get(name)) {
            (deepest, there) = (item, there + 1);
        }
        if !deepest.is_table() {
            let around = around(&document, &[path.get(..there)?, &[""]].concat())?;
            let settings: Vec<_> = settings.iter().map(|(setting, value)| format!("{setting} = {value}")).collect();
            let cut = self.added(&document, &around, path, &format!("{{ {} }}", settings.join(", ")))?;
            self.apply(vec![cut]);
            return Some(());
        }
        let names: Vec<_> = path.iter().map(|name| Key::new(*name).to_string()).collect();
        let at = path.get(..2).filter(|_| there >= 2).and_then(|tenant| self.end_of(&document, tenant));
        let at = at.unwrap_or(self.text.len());
        let (before, end) = (&self.text[..at], self.line_end);
        let mut table = String::new();
        if !before.is_empty() && !before.ends_with('\n') {
            table.push_str(end);
        }
        if !before.trim_start_matches('\u{feff}').trim().is_empty() {
            table.push_str(end);
        }
        table.extend(["[", &names.join("."), "]", end]);
        for (setting, value) in settings {
            table.extend([*setting, " = ", value, end]);
        }
        self.text.insert_str(at, &table);
        Some(())
    }

    /// Where a table with a header ends, with what stands below it: behind the comments that follow at once, if they do not stand
    /// right above something else.
    fn end_of(&self, document: &Document<&str>, path: &[&str]) -> Option<usize> {
        let table = at(document, path)?.as_table().filter(|table| has_header(table))?;
        let below = ends(table).into_iter().map(|(_, end)| end).max();
        let own = last_end(table).or_else(|| table.span().map(|span| span.end));
        let end = self.after_line(below.max(own)?);
        let mut behind = end;
        for line in self.text[end..].split_inclusive('\n') {
            match line.trim().chars().next() {
                Some('#') => behind += line.len(),
                None => break,
                Some(_) => return Some(end),
            }
        }
        Some(behind)
    }

    /// Takes a table out, and what is below it: settings, what is said in it, and the lines of comment right above it.
    pub fn remove_table(&mut self, path: &[&str]) -> Option<()> {
        let text = self.text.clone();
        let document = Document::parse(text.as_str()).ok()?;
        let item = at(&document, path)?;
        match item {
            Item::Table(_) => {}
            Item::Value(Value::InlineTable(table)) if table.is_dotted() => {}
            _ => return self.set(path, None),
        }
        // What has a header of its own goes as a whole, the rest setting by setting: each of these names the table anew.
        let (mut headers, mut settings) = (Vec::new(), Vec::new());
        below(item, path, &mut headers, &mut settings);
        for header in headers.iter().rev() {
            let document = Document::parse(self.text.as_str()).ok()?;
            let cut = self.section(&document, at(&document, header)?.as_table()?)?;
            self.apply(vec![(cut, String::new())]);
        }
        settings.iter().try_for_each(|setting| self.set(setting, None))
    }

    /// Puts other texts in the place of pieces that do not overlap.
    fn apply(&mut self, mut cuts: Vec<(Range<usize>, String)>) {
        cuts.sort_by_key(|(place, _)| std::cmp::Reverse(place.start));
        for (place, text) in cuts {
            self.text.replace_range(place, &text);
        }
    }

    /// What is added to set something that is not there.
    fn added(
        &self,
        document: &Document<&str>,
        around: &Around<'_>,
        path: &[&str],
        value: &str,
    ) -> Option<(Range<usize>, String)> {
        let names: Vec<_> = path.get(around.said..)?.iter().map(|name| Key::new(*name).to_string()).collect();
        let setting = format!("{} = {value}", names.join("."));
        if let Some(braces) = around.braces {
            let (at, text) = match last_end(around.table).or_else(|| last_end(braces)) {
                Some(end) => (end, format!(", {setting}")),
                None => (braces.span()?.start + 1, format!(" {setting} ")),
            };
            return Some((at..at, text));
        }
        let Some(last) = last_end(around.table).or(around.header.as_ref().map(|header| header.end)) else {
            return Some(self.first(document, &setting));
        };
        let at = self.after_line(last);
        let line = self.text.get(self.line_start(last)..last)?;
        let indent = &line[..line.len() - line.trim_start_matches([' ', '\t']).len()];
        let text = if self.text[..at].ends_with('\n') {
            format!("{indent}{setting}{}", self.line_end)
        } else {
            format!("{}{indent}{setting}", self.line_end)
        };
        Some((at..at, text))
    }

    /// The first setting of the file itself: above the first table and what is said right above that.
    fn first(&self, document: &Document<&str>, setting: &str) -> (Range<usize>, String) {
        let end = self.line_end;
        if let Some(start) = ends(document.as_table()).into_iter().map(|(start, _)| start).min() {
            let at = self.above(start, self.beginning());
            return (at..at, format!("{setting}{end}{end}"));
        }
        let at = self.text.len();
        let before = if at > self.beginning() && !self.text.ends_with('\n') { end } else { "" };
        (at..at, format!("{before}{setting}{end}"))
    }

    /// What goes when a setting goes.
    fn removed(&self, around: &Around<'_>, found: &Found<'_>) -> Option<Vec<(Range<usize>, String)>> {
        let (key, value) = (found.key.span()?, found.item.span()?);
        let Some(braces) = around.braces else {
            let rest = self.after_line(value.end);
            let behind = self.text.get(value.end..rest)?;
            let comment = behind.trim_start_matches([' ', '\t']);
            let end = if comment.starts_with('#') { rest - comment.len() } else { rest };
            return Some(vec![(self.line_start(key.start)..end, String::new())]);
        };
        let before = value_ends(braces).into_iter().filter(|end| *end <= key.start).max();
        let comma = before.map(|end| self.skip(end));
        let from = comma.map_or(braces.span()?.start, |comma| comma) + 1;
        let start = self.skip(from);
        let start = if self.text.get(from..start)?.contains('#') { start } else { from };
        let mut cuts = vec![(start..value.end, String::new())];
        let next = self.skip(value.end);
        if self.text[next..].starts_with(',') {
            cuts.push((next..next + 1, String::new()));
        } else if let Some(comma) = comma {
            cuts.push((comma..comma + 1, String::new()));
        }
        Some(cuts)
    }

    /// The lines of a table with a header.
    fn section(&self, document: &Document<&str>, table: &Table) -> Option<Range<usize>> {
        let header = table.span()?;
        let floor = ends(document.as_table()).into_iter().map(|(_, end)| end).filter(|end| *end <= header.start).max();
        let top = floor.map_or(self.beginning(), |floor| self.after_line(floor));
        let mut start = self.above(header.start, top);
        if start == self.beginning() {
            // What is said at the very top may be said of the whole file.
            start = self.line_start(header.start);
        }
        let mut end = self.after_line(last_end(table).unwrap_or(header.end));
        // One empty line between two tables is enough, and none is needed at the end.
        let blank = |line: &str| line.trim_end_matches(['\r', '\n']).trim_matches([' ', '\t']).is_empty();
        let above = self.text.get(top..start)?.split_inclusive('\n').next_back();
        if start == self.beginning() || above.is_some_and(blank) {
            let behind = self.text.get(end..)?.split_inclusive('\n');
            end += behind.take_while(|line| blank(line)).map(str::len).sum::<usize>();
            if end == self.text.len() {
                start -= above.map_or(0, str::len);
            }
        }
        Some(start..end)
    }

    /// The beginning of the lines of comment right above a place, not above `top`.
    fn above(&self, at: usize, top: usize) -> usize {
        let mut start = self.line_start(at);
        while start > top {
            let line = self.line_start(start - 1);
            if line < top || !self.text[line..start].trim_start().starts_with('#') {
                break;
            }
            start = line;
        }
        start
    }

    /// The first place behind white space and comments.
    fn skip(&self, at: usize) -> usize {
        let mut rest = &self.text[at..];
        loop {
            rest = rest.trim_start_matches([' ', '\t', '\r', '\n']);
            if !rest.starts_with('#') {
                return self.text.len() - rest.len();
            }
            rest = rest.find('\n').map_or("", |end| &rest[end..]);
        }
    }

    /// Where the text begins: behind a byte order mark.
    fn beginning(&self) -> usize {
        self.text.len() - self.text.trim_start_matches('\u{feff}').len()
    }

    fn line_start(&self, at: usize) -> usize {
        self.text[..at].rfind('\n').map_or(self.beginning(), |end| end + 1)
    }

    fn after_line(&self, at: usize) -> usize {
        self.text[at..].find('\n').map_or(self.text.len(), |end| at + end + 1)
    }
}

/// What is at the end of a path.
fn at<'d>(document: &'d Document<&str>, path: &[&str]) -> Option<&'d Item> {
    path.iter().try_fold(document.as_item(), |item, name| item.as_table_like()?.get(name))
}

/// Whether a table has a header that is its own, and not only that of one below it.
fn has_header(table: &Table) -> bool {
    !table.is_dotted() && !table.is_implicit()
}

/// What there is at and below a path: tables with headers, the upper ones first; and settings that stand below none of them.
fn below<'d>(item: &'d Item, path: &[&'d str], headers: &mut Vec<Vec<&'d str>>, settings: &mut Vec<Vec<&'d str>>) {
    let mut inner = Vec::new();
    let own = item.as_table().is_some_and(has_header);
    if own {
        headers.push(path.to_vec());
    }
    let dotted = item.as_inline_table().is_some_and(InlineTable::is_dotted);
    match item.as_table_like().filter(|_| item.is_table() || dotted) {
        Some(table) => {
            let settings = if own { &mut inner } else { settings };
            for (name, item) in table.iter() {
                below(item, &[path, &[name]].concat(), headers, settings);
            }
        }
        None => settings.push(path.to_vec()),
    }
}

/// What surrounds the last name of a path; `None` where there is no such table.
fn around<'d>(document: &'d Document<&str>, path: &[&str]) -> Option<Around<'d>> {
    let mut around = Around { table: document.as_table(), braces: None, header: None, said: 0 };
    for (position, name) in path.iter().enumerate().take(path.len() - 1) {
        match around.table.get(name)? {
            Item::Table(table) => {
                around.table = table;
                if !table.is_dotted() {
                    around.header = table.span();
                    around.said = position + 1;
                }
            }
            Item::Value(Value::InlineTable(table)) => {
                around.table = table;
                if !table.is_dotted() {
                    around.braces = Some(table);
                    around.said = position + 1;
                }
            }
            _ => return None,
        }
    }
    Some(around)
}

fn found<'d>(table: &'d dyn TableLike, name: &str) -> Option<Found<'d>> {
    let (key, item) = table.get_key_value(name)?;
    Some(Found { key, item })
}

/// Where values that stand in a table itself end: not those below other headers, nor those in braces of their own.
fn value_ends(table: &dyn TableLike) -> Vec<usize> {
    let of = |item: &Item| match item {
        Item::Table(table) if table.is_dotted() => value_ends(table),
        Item::Value(Value::InlineTable(table)) if table.is_dotted() => value_ends(table),
        Item::Value(value) => value.span().map(|span| span.end).into_iter().collect(),
        _ => Vec::new(),
    };
    table.iter().flat_map(|(_, item)| of(item)).collect()
}

fn last_end(table: &dyn TableLike) -> Option<usize> {
    value_ends(table).into_iter().max()
}

/// Where the headers below a table, and what stands below them, begin and end.
fn ends(table: &Table) -> Vec<(usize, usize)> {
    let mut all = Vec::new();
    for (_, item) in table {
        match item {
            Item::Table(table) => {
                if !table.is_dotted()
                    && let Some(span) = table.span()
                {
                    all.push((span.start, last_end(table).unwrap_or(span.end)));
                }
                all.extend(ends(table));
            }
            Item::Value(value) => all.extend(value.span().map(|span| (span.start, span.end))),
            _ => {}
        }
    }
    all
}
