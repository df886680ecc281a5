use tui_input::Input;

use crate::tui::app::hidden::Hidden;

/// What a field is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldId {
    /// The tenant's address.
    Domain,
    /// The client that signs in.
    ClientId,
    /// Its secret.
    ClientSecret,
    /// The file of its private key, or the key itself, pasted.
    PrivateKey,
    /// What is signed with that key.
    Algorithm,
    /// A Management API token.
    Token,
    /// The audience, behind a custom domain.
    Audience,
    /// What the tenant is called.
    Name,
    /// What it is for.
    Environment,
    /// The colour of its name.
    Colour,
    /// Whether changes are forbidden.
    ReadOnly,
    /// Where the credential is kept.
    Keep,
    /// A new passphrase.
    Passphrase,
    /// The same again.
    PassphraseAgain,
    /// Which kind of target.
    Kind,
    /// The file of a target.
    Path,
    /// How that file is written.
    Format,
    /// How two secrets are held there.
    Slots,
    /// The key of the current secret.
    CurrentKey,
    /// The key of the fallback.
    FallbackKey,
    /// The key of a list of secrets.
    ListKey,
    /// What stands between two secrets of a list.
    Separator,
    /// The command that stores the secrets.
    WriteCommand,
    /// The command that prints what is stored.
    ReadCommand,
    /// What is run after a delivery.
    After,
}

impl FieldId {
    /// What stands before it.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Domain => "Domain",
            Self::ClientId => "Client ID",
            Self::ClientSecret => "Client Secret",
            Self::PrivateKey => "Private key",
            Self::Algorithm => "Signed with",
            Self::Token => "Access token",
            Self::Audience => "Audience",
            Self::Name => "Name",
            Self::Environment => "Environment",
            Self::Colour => "Colour",
            Self::ReadOnly => "Changes",
            Self::Keep => "Kept in",
            Self::Passphrase => "Passphrase",
            Self::PassphraseAgain => "Again",
            Self::Kind => "Kind",
            Self::Path => "File",
            Self::Format => "Format",
            Self::Slots => "Holds",
            Self::CurrentKey => "Current",
            Self::FallbackKey => "Fallback",
            Self::ListKey => "Key",
            Self::Separator => "Between two",
            Self::WriteCommand => "Writes with",
            Self::ReadCommand => "Reads with",
            Self::After => "Afterwards",
        }
    }

    /// What is expected there, shown while it is empty.
    #[must_use]
    pub fn example(self) -> &'static str {
        match self {
            Self::Domain => "acme.eu.auth0.com",
            Self::ClientId => "of the machine-to-machine client",
            Self::ClientSecret | Self::Token => "type or paste it; it stays hidden",
            Self::PrivateKey => "path of the PEM file, or paste the key itself",
            Self::Audience => "only behind a custom domain",
            Self::Name => "acme",
            Self::Passphrase => "8 characters at least",
            Self::PassphraseAgain => "the same once more",
            Self::Path => "/srv/billing/.env",
            Self::CurrentKey | Self::ListKey => "AUTH0_CLIENT_SECRET",
            Self::FallbackKey => "AUTH0_CLIENT_SECRET_FALLBACK",
            Self::Separator => "empty: a list of the format itself",
            Self::WriteCommand => "program and arguments; the secrets come as JSON on stdin",
            Self::ReadCommand => "optional: prints what is stored, as JSON",
            Self::After => "optional: program and arguments, such as a restart",
            Self::Algorithm
            | Self::Environment
            | Self::Colour
            | Self::ReadOnly
            | Self::Keep
            | Self::Kind
            | Self::Format
            | Self::Slots => "",
        }
    }

    /// Whether it may stay empty.
    #[must_use]
    pub fn is_optional(self) -> bool {
        matches!(self, Self::Audience | Self::Separator | Self::ReadCommand | Self::After)
    }
}

/// What a field holds.
#[derive(Debug)]
pub enum Value {
    /// A line of text.
    Text(Input),
    /// A secret.
    Hidden(Hidden),
    /// One of several words.
    Choice {
        /// The words.
        words: Vec<&'static str>,
        /// Which one.
        at: usize,
    },
}

/// One field of a form.
#[derive(Debug)]
pub struct Field {
    /// What it is for.
    pub id: FieldId,
    /// What it holds.
    pub value: Value,
}

impl Field {
    /// A line of text.
    #[must_use]
    pub fn text(id: FieldId, text: &str) -> Self {
        Self { id, value: Value::Text(Input::new(text.to_owned())) }
    }

    /// A secret.
    #[must_use]
    pub fn hidden(id: FieldId) -> Self {
        Self { id, value: Value::Hidden(Hidden::default()) }
    }

    /// One of several words.
    #[must_use]
    pub fn choice(id: FieldId, words: Vec<&'static str>, at: usize) -> Self {
        Self { id, value: Value::Choice { words, at } }
    }

    /// Whether nothing was typed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        match &self.value {
            Value::Text(input) => input.value().trim().is_empty(),
            Value::Hidden(hidden) => hidden.is_empty(),
            Value::Choice { .. } => false,
        }
    }
}

/// Fields, one of which has the focus.
#[derive(Debug, Default)]
pub struct Form {
    /// The fields.
    pub fields: Vec<Field>,
    /// Which one has the focus.
    pub at: usize,
}

impl Form {
    /// A form whose first empty field has the focus.
    #[must_use]
    pub fn new(fields: Vec<Field>) -> Self {
        let mut form = Self { fields, at: 0 };
        form.at = form.next_empty().unwrap_or_default();
        form
    }

    /// The field with the focus.
    #[must_use]
    pub fn current(&self) -> Option<&Field> {
        self.fields.get(self.at)
    }

    /// The same, to change.
    pub fn current_mut(&mut self) -> Option<&mut Field> {
        self.fields.get_mut(self.at)
    }

    /// Moves the focus, round at the ends.
    pub fn move_by(&mut self, steps: isize) {
        if let Some(length) = isize::try_from(self.fields.len()).ok().filter(|length| *length > 0) {
            self.at = (self.at.cast_signed() + steps).rem_euclid(length).unsigned_abs();
        }
    }

    /// The first field, from the focus on, that must be filled and is not.
    #[must_use]
    pub fn next_empty(&self) -> Option<usize> {
        let needed = |field: &Field| field.is_empty() && !field.id.is_optional();
        let count = self.fields.len();
        (0..count).map(|step| (self.at + step) % count).find(|at| self.fields.get(*at).is_some_and(needed))
    }

    /// Takes the next or the previous word of a choice.
    pub fn turn(&mut self, steps: isize) {
        if let Some(Field { value: Value::Choice { words, at }, .. }) = self.current_mut()
            && let Some(length) = isize::try_from(words.len()).ok().filter(|length| *length > 0)
        {
            *at = (at.cast_signed() + steps).rem_euclid(length).unsigned_abs();
        }
    }

    /// The field of this kind.
    #[must_use]
    pub fn field(&self, id: FieldId) -> Option<&Field> {
        self.fields.iter().find(|field| field.id == id)
    }

    /// The text of a field, without blanks around it.
    #[must_use]
    pub fn text(&self, id: FieldId) -> &str {
        match self.field(id).map(|field| &field.value) {
            Some(Value::Text(input)) => input.value().trim(),
            Some(Value::Choice { words, at }) => words.get(*at).copied().unwrap_or_default(),
            Some(Value::Hidden(_)) | None => "",
        }
    }

    /// The secret of a field, where something was typed.
    #[must_use]
    pub fn secret(&self, id: FieldId) -> Option<std::sync::Arc<crate::domain::Secret>> {
        match self.field(id).map(|field| &field.value) {
            Some(Value::Hidden(hidden)) if !hidden.is_empty() => Some(hidden.secret()),
            _ => None,
        }
    }
}
