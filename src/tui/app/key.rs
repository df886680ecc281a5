use std::fmt;

/// Which key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Code {
    /// A character, as typed: `G` is Shift and g.
    Char(char),
    /// Enter.
    Enter,
    /// Esc.
    Esc,
    /// Tab.
    Tab,
    /// Shift-Tab.
    BackTab,
    /// Backspace.
    Backspace,
    /// Delete.
    Delete,
    /// Arrow up.
    Up,
    /// Arrow down.
    Down,
    /// Arrow left.
    Left,
    /// Arrow right.
    Right,
    /// Home.
    Home,
    /// End.
    End,
    /// Page up.
    PageUp,
    /// Page down.
    PageDown,
    /// A function key.
    Function(u8),
}

/// A key press.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    /// Which key.
    pub code: Code,
    /// With Ctrl.
    pub ctrl: bool,
    /// With Alt.
    pub alt: bool,
}

impl Key {
    /// A key by itself.
    #[must_use]
    pub const fn plain(code: Code) -> Self {
        Self { code, ctrl: false, alt: false }
    }

    /// A character.
    #[must_use]
    pub const fn char(character: char) -> Self {
        Self::plain(Code::Char(character))
    }

    /// A character with Ctrl.
    #[must_use]
    pub const fn ctrl(character: char) -> Self {
        Self { code: Code::Char(character), ctrl: true, alt: false }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.ctrl {
            f.write_str("Ctrl-")?;
        }
        if self.alt {
            f.write_str("Alt-")?;
        }
        match self.code {
            Code::Char(' ') => f.write_str("Space"),
            Code::Char(character) if self.ctrl => write!(f, "{}", character.to_ascii_uppercase()),
            Code::Char(character) => write!(f, "{character}"),
            Code::Enter => f.write_str("Enter"),
            Code::Esc => f.write_str("Esc"),
            Code::Tab => f.write_str("Tab"),
            Code::BackTab => f.write_str("Shift-Tab"),
            Code::Backspace => f.write_str("Backspace"),
            Code::Delete => f.write_str("Delete"),
            Code::Up => f.write_str("↑"),
            Code::Down => f.write_str("↓"),
            Code::Left => f.write_str("←"),
            Code::Right => f.write_str("→"),
            Code::Home => f.write_str("Home"),
            Code::End => f.write_str("End"),
            Code::PageUp => f.write_str("PgUp"),
            Code::PageDown => f.write_str("PgDn"),
            Code::Function(number) => write!(f, "F{number}"),
        }
    }
}

/// What a key means to a line of text that is being edited; `None` where it means nothing there.
#[must_use]
pub fn editing(key: Key) -> Option<tui_input::InputRequest> {
    use tui_input::InputRequest as R;
    Some(match (key.ctrl, key.alt, key.code) {
        (false, false, Code::Char(character)) => R::InsertChar(character),
        (false, false, Code::Backspace) | (true, false, Code::Char('h')) => R::DeletePrevChar,
        (false, false, Code::Delete) | (true, false, Code::Char('d')) => R::DeleteNextChar,
        (true, false, Code::Char('w')) | (false, true, Code::Backspace) => R::DeletePrevWord,
        (true, false, Code::Char('u')) => R::DeleteLine,
        (true, false, Code::Char('k')) => R::DeleteTillEnd,
        (true, false, Code::Char('a')) | (false, false, Code::Home) => R::GoToStart,
        (true, false, Code::Char('e')) | (false, false, Code::End) => R::GoToEnd,
        (false, false, Code::Left) => R::GoToPrevChar,
        (false, false, Code::Right) => R::GoToNextChar,
        (false, true, Code::Char('b')) | (true, false, Code::Left) => R::GoToPrevWord,
        (false, true, Code::Char('f')) | (true, false, Code::Right) => R::GoToNextWord,
        _ => return None,
    })
}
