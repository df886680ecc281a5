use std::fmt;

use zeroize::Zeroizing;

/// A client secret, a token, or anything else that must not be seen by accident.
///
/// It cannot be cloned, serialised or printed; `Debug` says `[redacted]`. Share it as `Arc<Secret>`.
/// Its memory is overwritten when it is dropped. Copies that a TLS or JSON layer made on the way
/// here are outside its reach.
pub struct Secret(Zeroizing<Box<str>>);

impl Secret {
    /// Takes ownership of `text`; no copy of it is left behind.
    #[must_use]
    pub fn new(text: String) -> Self {
        // A String with spare capacity would be reallocated by `into_boxed_str`, leaving the old
        // bytes unwiped in the freed block; so the copy is made by hand and the original wiped.
        if text.capacity() == text.len() {
            return Self(Zeroizing::new(text.into_boxed_str()));
        }
        let text = Zeroizing::new(text);
        Self(Zeroizing::new(Box::from(text.as_str())))
    }

    /// The plain text. Every call of this is a place to look at in review.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether both hold the same text, in time that depends only on their lengths.
    #[must_use]
    pub fn same_as(&self, other: &Self) -> bool {
        aws_lc_rs::constant_time::verify_slices_are_equal(self.0.as_bytes(), other.0.as_bytes()).is_ok()
    }

    /// Length in characters.
    #[must_use]
    pub fn chars(&self) -> usize {
        self.0.chars().count()
    }

    /// Whether it holds a control character (NUL, newline, escape …). Auth0's own secrets never do;
    /// such a value is kept and can be copied, but is not drawn as it is.
    #[must_use]
    pub fn has_control(&self) -> bool {
        self.0.chars().any(char::is_control)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.same_as(other)
    }
}

impl Eq for Secret {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_never_shows_the_text() {
        let secret = Secret::new("hunter2hunter2".to_owned());
        assert_eq!(format!("{secret:?}"), "[redacted]");
        assert_eq!(format!("{:?}", Some(&secret)), "Some([redacted])");
    }

    #[test]
    fn equality_is_by_text() {
        let a = Secret::new("one".to_owned());
        assert!(a.same_as(&Secret::new(String::from("one"))));
        assert!(!a.same_as(&Secret::new("two".to_owned())));
        assert!(!a.same_as(&Secret::new("one ".to_owned())));
    }

    #[test]
    fn spare_capacity_keeps_the_text() {
        let mut text = String::with_capacity(400);
        text.push_str("value");
        assert_eq!(Secret::new(text).expose(), "value");
    }
}
