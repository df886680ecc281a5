//! From crossterm's events to ours.
use crossterm::event::{Event as Raw, KeyCode, KeyEvent, KeyEventKind, KeyModifiers, MouseButton, MouseEventKind};

use super::app::event::Event;
use super::app::key::{Code, Key};
use super::view::View;

/// What a terminal event means; `None` where it means nothing to us. The view says what was pointed at.
#[must_use]
pub fn translate(raw: Raw, view: &View) -> Option<Event> {
    match raw {
        Raw::Key(event) if event.kind != KeyEventKind::Release => key(event).map(Event::Key),
        Raw::Key(_) => None,
        Raw::Paste(text) => Some(Event::Pasted(text)),
        Raw::Resize(width, height) => Some(Event::Resized(width, height)),
        Raw::FocusGained => Some(Event::FocusGained),
        Raw::FocusLost => Some(Event::FocusLost),
        Raw::Mouse(event) => {
            let target = view.target_at(event.column, event.row)?;
            match event.kind {
                MouseEventKind::Down(MouseButton::Left) => Some(Event::Clicked(target)),
                MouseEventKind::ScrollDown => Some(Event::Scrolled(target, 1)),
                MouseEventKind::ScrollUp => Some(Event::Scrolled(target, -1)),
                _ => None,
            }
        }
    }
}

fn key(event: KeyEvent) -> Option<Key> {
    let code = match event.code {
        KeyCode::Char(character) if event.modifiers.contains(KeyModifiers::CONTROL) => {
            Code::Char(character.to_ascii_lowercase())
        }
        KeyCode::Char(character) => Code::Char(character),
        KeyCode::Enter => Code::Enter,
        KeyCode::Esc => Code::Esc,
        KeyCode::Tab => Code::Tab,
        KeyCode::BackTab => Code::BackTab,
        KeyCode::Backspace => Code::Backspace,
        KeyCode::Delete => Code::Delete,
        KeyCode::Up => Code::Up,
        KeyCode::Down => Code::Down,
        KeyCode::Left => Code::Left,
        KeyCode::Right => Code::Right,
        KeyCode::Home => Code::Home,
        KeyCode::End => Code::End,
        KeyCode::PageUp => Code::PageUp,
        KeyCode::PageDown => Code::PageDown,
        KeyCode::F(number) => Code::Function(number),
        _ => return None,
    };
    let ctrl = event.modifiers.contains(KeyModifiers::CONTROL);
    let alt = event.modifiers.contains(KeyModifiers::ALT);
    Some(Key { code, ctrl, alt })
}
