//! Texts as people write them, and texts that nobody would: what changes in them, and what does not.

mod generated;
mod json;
mod toml;
mod yaml;

use std::sync::Arc;

use zeroize::Zeroizing;

use crate::domain::Secret;
use crate::domain::target::{SlotNames, Slots};
use crate::targets::edit::EditError;

type Edit = fn(&[u8], &SlotNames, &Slots) -> Result<Zeroizing<Vec<u8>>, EditError>;
type Read = fn(&[u8], &SlotNames) -> Result<Slots, EditError>;

fn secret(text: &str) -> Option<Arc<Secret>> {
    (!text.is_empty()).then(|| Arc::new(Secret::new(text.to_owned())))
}

/// What a target holds; an empty text is no secret.
fn slots(current: &str, fallback: &str) -> Slots {
    Slots { current: secret(current), fallback: secret(fallback) }
}

fn two(current: &str, fallback: &str) -> SlotNames {
    SlotNames::Two { current: current.to_owned(), fallback: fallback.to_owned() }
}

fn list(key: &str, separator: Option<&str>) -> SlotNames {
    SlotNames::List { key: key.to_owned(), separator: separator.map(str::to_owned) }
}

fn held(slots: &Slots) -> (String, String) {
    let text =
        |secret: &Option<Arc<Secret>>| secret.as_ref().map_or_else(String::new, |secret| secret.expose().to_owned());
    (text(&slots.current), text(&slots.fallback))
}

/// A format's two functions, to write tests in.
#[derive(Clone, Copy)]
struct Under {
    edit: Edit,
    read: Read,
}

impl Under {
    fn edited(self, text: &str, names: &SlotNames, wanted: &Slots) -> Result<String, EditError> {
        let edited = (self.edit)(text.as_bytes(), names, wanted)?;
        assert_eq!(held(&(self.read)(&edited, names)?), held(wanted));
        Ok(String::from_utf8(edited.to_vec()).expect("a text"))
    }

    /// The text becomes `with` when the pending secret comes as the fallback, and is what it was when it goes.
    #[track_caller]
    fn adds(self, text: &str, names: &SlotNames, with: &str) {
        let before = (self.read)(text.as_bytes(), names).expect("readable");
        let both = Slots { current: before.current.clone(), fallback: secret("NEW") };
        let added = self.edited(text, names, &both).expect("can be added to");
        assert_eq!(added, with);
        assert_eq!(self.edited(&added, names, &before).expect("can be taken away again"), text);
    }

    /// The text becomes `with` when it holds these secrets.
    #[track_caller]
    fn becomes(self, text: &str, names: &SlotNames, wanted: (&str, &str), with: &str) {
        let edited = self.edited(text, names, &slots(wanted.0, wanted.1)).expect("can be changed");
        assert_eq!(edited, with);
    }

    /// It is refused, in this line, with these words, whether it is read or written.
    #[track_caller]
    fn refuses(self, text: &str, names: &SlotNames, line: usize, words: &str) {
        let error = self.edited(text, names, &slots("OTHER", "NEW")).expect_err("cannot be changed");
        assert!(error.message.contains(words), "{error:?}");
        assert_eq!(error.line, (line > 0).then_some(line), "{error:?}");
    }
}
