//! A dozen roles, on the terminal's own sixteen colours. But for a tenant's badge neither background nor plain text is ever set, and of the colours
//! only magenta and red, which can be read on dark and on light, are given to words; green and yellow go to signs and
//! borders. Nothing is said by colour alone.
use ratatui::style::{Color, Modifier, Style};

use crate::domain::Colour;

/// What each kind of text looks like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Theme {
    /// Plain text.
    pub text: Style,
    /// Labels, hints, what matters less.
    pub dim: Style,
    /// Titles and heads.
    pub title: Style,
    /// What is being pointed out: the program's name, the focused border.
    pub accent: Style,
    /// The selected line.
    pub selected: Style,
    /// The selected line of a part that has not the focus.
    pub selected_elsewhere: Style,
    /// Letters that a filter matched.
    pub matched: Style,
    /// A key that can be pressed.
    pub key: Style,
    /// It worked; it is permitted: for signs.
    pub good: Style,
    /// Mind this: for signs.
    pub warning: Style,
    /// It did not work; it cannot be undone.
    pub danger: Style,
    /// Borders.
    pub border: Style,
    /// A secret in full.
    pub secret: Style,
    /// The badge of a production tenant.
    pub production: Style,
    /// That nothing can be changed.
    pub locked: Style,
    colours: bool,
}

impl Theme {
    /// The badge of a tenant in its colour. Text and ground are both set: of a reversed yellow, a light terminal makes white on
    /// yellow, which nobody can read.
    #[must_use]
    pub fn badge(&self, colour: Colour) -> Style {
        let bold = Style::new().add_modifier(Modifier::BOLD);
        if !self.colours {
            return bold.add_modifier(Modifier::REVERSED);
        }
        let (text, ground) = match colour {
            Colour::Red => (Color::White, Color::Red),
            Colour::Green => (Color::Black, Color::Green),
            Colour::Yellow => (Color::Black, Color::Yellow),
            Colour::Blue => (Color::White, Color::Blue),
            Colour::Magenta => (Color::White, Color::Magenta),
            Colour::Cyan => (Color::Black, Color::Cyan),
        };
        bold.fg(text).bg(ground)
    }

    /// The border of a dialog about a tenant, in its colour.
    #[must_use]
    pub fn edge(&self, colour: Colour) -> Style {
        let bold = Style::new().add_modifier(Modifier::BOLD);
        if !self.colours {
            return bold;
        }
        bold.fg(match colour {
            Colour::Red => Color::Red,
            Colour::Green => Color::Green,
            Colour::Yellow => Color::Yellow,
            Colour::Blue => Color::Blue,
            Colour::Magenta => Color::Magenta,
            Colour::Cyan => Color::Cyan,
        })
    }

    /// With colours, or, for `NO_COLOR`, with bold, underlined and reversed text alone.
    #[must_use]
    pub fn new(colours: bool) -> Self {
        let plain = Style::new();
        let bold = plain.add_modifier(Modifier::BOLD);
        let colour = |style: Style, colour: Color| if colours { style.fg(colour) } else { style };
        Self {
            text: plain,
            dim: if colours { plain.add_modifier(Modifier::DIM) } else { plain },
            title: bold,
            accent: colour(bold, Color::Magenta),
            selected: plain.add_modifier(Modifier::REVERSED),
            selected_elsewhere: plain.add_modifier(Modifier::UNDERLINED),
            matched: bold.add_modifier(Modifier::UNDERLINED),
            key: colour(bold, Color::Magenta),
            good: colour(plain, Color::Green),
            warning: colour(bold, Color::Yellow),
            danger: colour(bold, Color::Red),
            border: if colours { plain.add_modifier(Modifier::DIM) } else { plain },
            secret: bold,
            production: colour(bold.add_modifier(Modifier::REVERSED), Color::Red),
            locked: bold.add_modifier(Modifier::REVERSED),
            colours,
        }
    }
}
