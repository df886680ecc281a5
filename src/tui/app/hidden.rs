use std::fmt;
use std::sync::Arc;

use zeroize::Zeroizing;

use crate::domain::Secret;

/// The most that can be typed or pasted: a private key of 8192 bits takes less.
const MOST: usize = 16 * 1024;

/// A secret that is being typed. It grows and shrinks at its end only: a line that is edited in the middle leaves copies of
/// itself behind in memory, and nobody can see what there is to edit.
pub struct Hidden(Zeroizing<String>);

impl Default for Hidden {
    fn default() -> Self {
        // Room for everything from the start: a text that grows leaves copies behind.
        Self(Zeroizing::new(String::with_capacity(MOST)))
    }
}

impl Hidden {
    /// Adds characters, as far as there is room.
    pub fn push(&mut self, text: &str) {
        for character in text.chars() {
            if self.0.len() + character.len_utf8() > MOST {
                return;
            }
            self.0.push(character);
        }
    }

    /// Takes the last character away.
    pub fn pop(&mut self) {
        self.0.pop();
    }

    /// Takes everything away.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// How many characters there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.chars().count()
    }

    /// Whether nothing but blanks was typed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.trim().is_empty()
    }

    /// Whether it looks like a private key.
    #[must_use]
    pub fn is_pem(&self) -> bool {
        self.0.contains("-----BEGIN")
    }

    /// What was typed, without blanks around it.
    #[must_use]
    pub fn secret(&self) -> Arc<Secret> {
        Arc::new(Secret::new(self.0.trim().to_owned()))
    }
}

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_takes_no_more_than_there_is_room_for_and_never_moves() {
        let mut hidden = Hidden::default();
        let place = hidden.0.as_ptr();
        hidden.push(&"ä".repeat(MOST));
        assert_eq!((hidden.len(), hidden.0.as_ptr()), (MOST / 2, place));
        hidden.pop();
        assert_eq!(hidden.len(), MOST / 2 - 1);
        hidden.clear();
        hidden.push("  s3cret\n");
        assert_eq!(hidden.secret().expose(), "s3cret");
        assert_eq!(format!("{hidden:?}"), "[redacted]");
    }
}
