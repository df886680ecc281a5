//! A dozen roles, on the terminal's own sixteen colours. Neither background nor plain text is ever set, and of the colours
//! only magenta and red, which can be read on dark and on light, are given to words; green and yellow go to signs and
//! borders. Nothing is said by colour alone.
use ratatui::style::{Color, Modifier, Style};

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
}

impl Theme {
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
        }
    }
}
