use std::path::PathBuf;

use super::form::{Field, FieldId, Form};
use crate::domain::Target;
use crate::domain::target::{
    CURRENT_KEY, CommandPlace, FALLBACK_KEY, FilePlace, Format, Place, SlotNames, check_name, check_slots,
};

/// A target of a client that is being made or changed.
#[derive(Debug)]
pub struct TargetForm {
    /// The client's id.
    pub client_id: String,
    /// The target as it was; `None`: a new one.
    pub before: Option<Target>,
    /// What is being filled in.
    pub form: Form,
    /// What is wrong.
    pub wrong: Option<String>,
    /// Whether it is being written.
    pub writing: bool,
}

/// What is changed in the configuration.
#[derive(Clone, Debug, PartialEq)]
pub struct Arranging {
    /// The client.
    pub client_id: String,
    /// The name of the target that goes, where one does.
    pub remove: Option<String>,
    /// The target that comes, where one does.
    pub put: Option<Target>,
}

const FILE: &str = "a file";
const COMMAND: &str = "a command";
const BY_NAME: &str = "by the file's name";
const TWO_KEYS: &str = "two keys";
const ONE_LIST: &str = "one list, the current first";

impl TargetForm {
    /// The form of a target; of a new one where there is none before.
    #[must_use]
    pub fn new(client_id: String, before: Option<Target>) -> Self {
        let form = Form::new(fields(before.as_ref()));
        Self { client_id, before, form, wrong: None, writing: false }
    }

    /// Shows the fields that belong to what was chosen, and keeps what was typed.
    pub fn follow(&mut self) {
        let wanted = wanted(self.form.text(FieldId::Kind) == COMMAND, self.form.text(FieldId::Slots) == ONE_LIST);
        let here: Vec<FieldId> = self.form.fields.iter().map(|field| field.id).collect();
        if here == wanted {
            return;
        }
        let at = self.form.current().map(|field| field.id);
        let mut before = std::mem::take(&mut self.form.fields);
        for id in wanted {
            let known = before.iter().position(|field| field.id == id).map(|position| before.swap_remove(position));
            self.form.fields.push(known.unwrap_or_else(|| empty(id)));
        }
        self.form.at = self.form.fields.iter().position(|field| Some(field.id) == at).unwrap_or_default();
    }

    /// What was filled in, as a target.
    ///
    /// # Errors
    /// Which field is wrong, and how.
    pub fn target(&self) -> Result<Target, (FieldId, String)> {
        let form = &self.form;
        let name = form.text(FieldId::Name).to_owned();
        let words = |id: FieldId| split(form.text(id)).map_err(|why| (id, why));
        let place = if form.text(FieldId::Kind) == COMMAND {
            let old = match self.before.as_ref().map(|before| &before.place) {
                Some(Place::Command(command)) => Some(command),
                _ => None,
            };
            Place::Command(CommandPlace {
                write: words(FieldId::WriteCommand)?,
                read: words(FieldId::ReadCommand)?,
                environment: old.map(|old| old.environment.clone()).unwrap_or_default(),
                timeout: old.map_or(CommandPlace::TIMEOUT, |old| old.timeout),
            })
        } else {
            let path = PathBuf::from(form.text(FieldId::Path));
            if !path.is_absolute() && !path.starts_with("~") {
                return Err((FieldId::Path, "the path of the file begins at the root (/) or at ~/".to_owned()));
            }
            let old = match self.before.as_ref().map(|before| &before.place) {
                Some(Place::File(file)) => Some(file),
                _ => None,
            };
            let chosen = Format::ALL.into_iter().find(|format| format.name() == form.text(FieldId::Format));
            let by_name = path.file_name().and_then(|name| Format::of_name(&name.to_string_lossy()));
            let format = chosen
                .or(by_name)
                .ok_or_else(|| (FieldId::Format, "the file's name does not tell its format: choose one".to_owned()))?;
            Place::File(FilePlace {
                path,
                format,
                follow_links: old.is_some_and(|old| old.follow_links),
                allow_mode: old.is_some_and(|old| old.allow_mode),
            })
        };
        check_name(&name).map_err(|why| (FieldId::Name, why))?;
        let slots = match &place {
            Place::Command(_) => self.before.as_ref().map(|before| before.slots.clone()).unwrap_or_default(),
            Place::File(_) if form.text(FieldId::Slots) == ONE_LIST => SlotNames::List {
                key: form.text(FieldId::ListKey).to_owned(),
                separator: Some(form.text(FieldId::Separator).to_owned()).filter(|text| !text.is_empty()),
            },
            Place::File(_) => SlotNames::Two {
                current: form.text(FieldId::CurrentKey).to_owned(),
                fallback: form.text(FieldId::FallbackKey).to_owned(),
            },
        };
        let at = if matches!(slots, SlotNames::List { .. }) { FieldId::Separator } else { FieldId::CurrentKey };
        check_slots(&slots, &place).map_err(|why| (at, why))?;
        Ok(Target { name, place, slots, after: words(FieldId::After)? })
    }
}

fn wanted(command: bool, list: bool) -> Vec<FieldId> {
    let mut ids = vec![FieldId::Kind, FieldId::Name];
    if command {
        ids.extend([FieldId::WriteCommand, FieldId::ReadCommand]);
    } else {
        ids.extend([FieldId::Path, FieldId::Format, FieldId::Slots]);
        ids.extend(if list {
            [FieldId::ListKey, FieldId::Separator]
        } else {
            [FieldId::CurrentKey, FieldId::FallbackKey]
        });
    }
    ids.push(FieldId::After);
    ids
}

fn empty(id: FieldId) -> Field {
    match id {
        FieldId::Kind => Field::choice(id, vec![FILE, COMMAND], 0),
        FieldId::Format => {
            let mut words = vec![BY_NAME];
            words.extend(Format::ALL.map(Format::name));
            Field::choice(id, words, 0)
        }
        FieldId::Slots => Field::choice(id, vec![TWO_KEYS, ONE_LIST], 0),
        FieldId::CurrentKey | FieldId::ListKey => Field::text(id, CURRENT_KEY),
        FieldId::FallbackKey => Field::text(id, FALLBACK_KEY),
        FieldId::Separator => Field::text(id, ","),
        _ => Field::text(id, ""),
    }
}

fn fields(before: Option<&Target>) -> Vec<Field> {
    let Some(target) = before else { return wanted(false, false).into_iter().map(empty).collect() };
    let command = matches!(target.place, Place::Command(_));
    let list = matches!(target.slots, SlotNames::List { .. });
    let mut fields: Vec<Field> = wanted(command, list).into_iter().map(empty).collect();
    for field in &mut fields {
        let id = field.id;
        let text = match (id, &target.place, &target.slots) {
            (FieldId::Kind, ..) => {
                *field = Field::choice(id, vec![FILE, COMMAND], usize::from(command));
                continue;
            }
            (FieldId::Slots, ..) => {
                *field = Field::choice(id, vec![TWO_KEYS, ONE_LIST], usize::from(list));
                continue;
            }
            (FieldId::Format, Place::File(file), _) => {
                let at = Format::ALL.iter().position(|format| *format == file.format).map_or(0, |at| at + 1);
                let mut words = vec![BY_NAME];
                words.extend(Format::ALL.map(Format::name));
                *field = Field::choice(id, words, at);
                continue;
            }
            (FieldId::Name, ..) => target.name.clone(),
            (FieldId::Path, Place::File(file), _) => file.path.display().to_string(),
            (FieldId::WriteCommand, Place::Command(command), _) => join(&command.write),
            (FieldId::ReadCommand, Place::Command(command), _) => join(&command.read),
            (FieldId::CurrentKey, _, SlotNames::Two { current, .. }) => current.clone(),
            (FieldId::FallbackKey, _, SlotNames::Two { fallback, .. }) => fallback.clone(),
            (FieldId::ListKey, _, SlotNames::List { key, .. }) => key.clone(),
            (FieldId::Separator, _, SlotNames::List { separator, .. }) => separator.clone().unwrap_or_default(),
            (FieldId::After, ..) => join(&target.after),
            _ => continue,
        };
        *field = Field::text(id, &text);
    }
    fields
}

/// A program and its arguments, as a person types them: blanks part them, quotes hold them together. No shell reads them.
fn split(text: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    for character in text.chars() {
        match (quote, character) {
            (Some(open), character) if character == open => quote = None,
            (None, '\'' | '"') => {
                quote = Some(character);
                word.get_or_insert_default();
            }
            (None, character) if character.is_whitespace() => words.extend(word.take()),
            (_, character) => word.get_or_insert_default().push(character),
        }
    }
    if let Some(open) = quote {
        return Err(format!("there is a {open} that is not closed"));
    }
    words.extend(word);
    Ok(words)
}

fn join(words: &[String]) -> String {
    let quoted = words.iter().map(|word| {
        let bare = !word.is_empty() && !word.contains([' ', '\'', '"', '\t']);
        match (bare, word.contains('\'')) {
            (true, _) => word.clone(),
            (false, false) => format!("'{word}'"),
            (false, true) => format!("\"{word}\""),
        }
    });
    quoted.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_parted_by_blanks_and_held_together_by_quotes() {
        let words = |text| split(text).expect("words");
        assert_eq!(words("  systemctl restart  billing "), ["systemctl", "restart", "billing"]);
        assert_eq!(
            words("kubectl patch -p '{\"a\": 1}' \"it's\" ''"),
            ["kubectl", "patch", "-p", "{\"a\": 1}", "it's", ""]
        );
        assert!(split("echo 'half").is_err());
        let all = ["a b", "it's", "", "plain"].map(str::to_owned);
        assert_eq!(words(&join(&all)), all);
    }

    #[test]
    fn what_is_filled_in_comes_back() {
        let target = Target {
            name: "worker".to_owned(),
            place: Place::Command(CommandPlace {
                write: vec!["/bin/store".to_owned(), "two words".to_owned()],
                read: Vec::new(),
                environment: vec!["TOKEN".to_owned()],
                timeout: CommandPlace::TIMEOUT,
            }),
            slots: SlotNames::default(),
            after: vec!["true".to_owned()],
        };
        assert_eq!(TargetForm::new("id".to_owned(), Some(target.clone())).target(), Ok(target));
        let file = Target {
            name: "env".to_owned(),
            place: Place::File(FilePlace {
                path: PathBuf::from("/srv/app/.env"),
                format: Format::Dotenv,
                follow_links: true,
                allow_mode: false,
            }),
            slots: SlotNames::List { key: "SECRETS".to_owned(), separator: Some(",".to_owned()) },
            after: Vec::new(),
        };
        assert_eq!(TargetForm::new("id".to_owned(), Some(file.clone())).target(), Ok(file));
    }
}
