use std::path::PathBuf;
use std::sync::Arc;

use super::Main;
use super::form::{Field, FieldId, Form, Value};
use crate::auth0::Session;
use crate::domain::{
    AssertionAlgorithm, Colour, Domain, Environment, Greeting, Keep, OpenFailure, Profile, Secret, Surroundings, WayIn,
};
use crate::tui::app::state::Ticket;

/// Connecting a tenant: how, with what, what came of it, what to call it.
#[derive(Debug)]
pub struct SignIn {
    /// How.
    pub kind: Kind,
    /// How far it has come.
    pub step: Step,
    /// What is being filled in.
    pub form: Form,
    /// What is wrong, and what to do.
    pub wrong: Option<(String, String)>,
    /// The tenant that was on screen before, to go back to.
    pub back: Option<Box<Main>>,
    /// What is known of the tenant so far.
    pub draft: Option<Profile>,
    /// The credential that was tried.
    pub secret: Option<Arc<Secret>>,
}

/// How to sign in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// As a machine-to-machine client with its secret.
    ClientSecret,
    /// As one with its private key.
    PrivateKey,
    /// With a token.
    Token,
    /// With the token of auth0-cli.
    Auth0Cli,
}

/// How far signing in has come.
#[derive(Debug)]
pub enum Step {
    /// Address and credential are being typed.
    Credentials,
    /// They are being tried.
    Trying(Ticket),
    /// They are right; what the tenant is called, and where the credential goes.
    Review(Box<Tried>),
    /// It is being stored.
    Storing(Ticket, Box<Tried>),
}

/// What was found by signing in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tried {
    /// What the token may do.
    pub session: Session,
    /// What the tenant says of itself.
    pub greeting: Greeting,
}

/// What is tried: a profile, and the credential for it where one was typed.
#[derive(Debug, PartialEq)]
pub struct Attempt {
    /// Where and how.
    pub profile: Profile,
    /// The client secret, the private key, the token.
    pub secret: Option<Arc<Secret>>,
}

/// What is stored.
#[derive(Debug, PartialEq)]
pub struct Storing {
    /// The tenant.
    pub profile: Profile,
    /// Its credential, where it is to be kept.
    pub secret: Option<Arc<Secret>>,
    /// The passphrase, where one was chosen.
    pub passphrase: Option<Arc<Secret>>,
}

const NO_ENVIRONMENT: &str = "not said";
const BY_ENVIRONMENT: &str = "by environment";
const ALLOWED: &str = "allowed";
const READ_ONLY: &str = "read-only";
const NOWHERE: &str = "nowhere: ask each time";

impl SignIn {
    /// The form of a way in; what `known` says of the tenant is filled in.
    #[must_use]
    pub fn new(kind: Kind, known: Option<&Profile>, back: Option<Box<Main>>) -> Self {
        let domain = known.map(|known| known.domain.to_string()).unwrap_or_default();
        let id = known.and_then(|known| known.way_in.as_ref()?.client_id()).unwrap_or_default();
        let audience = known.and_then(|known| known.audience.as_deref()).unwrap_or_default();
        let mut fields = vec![Field::text(FieldId::Domain, &domain)];
        match kind {
            Kind::ClientSecret => {
                fields.push(Field::text(FieldId::ClientId, id));
                fields.push(Field::hidden(FieldId::ClientSecret));
            }
            Kind::PrivateKey => {
                fields.push(Field::text(FieldId::ClientId, id));
                fields.push(Field::text(FieldId::PrivateKey, ""));
                let words = AssertionAlgorithm::ALL.map(AssertionAlgorithm::name).to_vec();
                fields.push(Field::choice(FieldId::Algorithm, words, 0));
            }
            Kind::Token => fields.push(Field::hidden(FieldId::Token)),
            Kind::Auth0Cli => {}
        }
        fields.push(Field::text(FieldId::Audience, audience));
        let form = Form::new(fields);
        Self { kind, step: Step::Credentials, form, wrong: None, back, draft: known.cloned(), secret: None }
    }

    /// What stands above it.
    #[must_use]
    pub fn title(&self) -> &'static str {
        match (&self.step, self.kind) {
            (Step::Review(_) | Step::Storing(..), _) => "Signed in. What is this tenant called?",
            (_, Kind::ClientSecret) => "Sign in as a machine-to-machine client, with its client secret",
            (_, Kind::PrivateKey) => "Sign in as a machine-to-machine client, with a private key",
            (_, Kind::Token) => "Sign in with an access token of the Management API",
            (_, Kind::Auth0Cli) => "Sign in with the token of auth0-cli",
        }
    }

    /// What was typed, as something to try.
    ///
    /// # Errors
    /// Which field is wrong, and how.
    pub fn attempt(&self) -> Result<Attempt, (FieldId, String)> {
        let domain = Domain::parse(self.form.text(FieldId::Domain)).map_err(|why| (FieldId::Domain, why))?;
        let missing = |id: FieldId| (id, format!("{} is missing", id.label()));
        let client_id = || match self.form.text(FieldId::ClientId) {
            "" => Err(missing(FieldId::ClientId)),
            id => Ok(id.to_owned()),
        };
        let secret = |id: FieldId| self.form.secret(id).ok_or_else(|| missing(id));
        let (way_in, secret) = match self.kind {
            Kind::ClientSecret => {
                (WayIn::ClientSecret { client_id: client_id()? }, Some(secret(FieldId::ClientSecret)?))
            }
            Kind::PrivateKey => {
                let algorithm = self.form.text(FieldId::Algorithm).parse().unwrap_or_default();
                let client_id = client_id()?;
                match self.form.field(FieldId::PrivateKey).map(|field| &field.value) {
                    Some(Value::Hidden(key)) if !key.is_empty() => {
                        (WayIn::PrivateKeyJwt { client_id, algorithm, key_file: None }, Some(key.secret()))
                    }
                    Some(Value::Text(path)) if !path.value().trim().is_empty() => {
                        let path = PathBuf::from(path.value().trim());
                        if !path.is_absolute() && !path.starts_with("~") {
                            let why = "the path of the private key begins at the root (/) or at ~/".to_owned();
                            return Err((FieldId::PrivateKey, why));
                        }
                        (WayIn::PrivateKeyJwt { client_id, algorithm, key_file: Some(path) }, None)
                    }
                    _ => return Err(missing(FieldId::PrivateKey)),
                }
            }
            Kind::Token => (WayIn::Token, Some(secret(FieldId::Token)?)),
            Kind::Auth0Cli => (WayIn::Auth0Cli, None),
        };
        let audience = Some(self.form.text(FieldId::Audience)).filter(|text| !text.is_empty()).map(str::to_owned);
        let name = domain.tenant_name();
        let start = match &self.draft {
            Some(draft) if draft.domain == domain => draft.clone(),
            _ => Profile::new(name, domain),
        };
        Ok(Attempt { profile: Profile { way_in: Some(way_in), audience, ..start }, secret })
    }

    /// The form of what is left to say, once signing in has worked.
    #[must_use]
    pub fn review(profile: &Profile, tried: &Tried, surroundings: &Surroundings) -> Form {
        let environment = profile.environment.or(tried.greeting.environment);
        let mut words = vec![NO_ENVIRONMENT];
        words.extend(Environment::ALL.map(Environment::name));
        let at = environment.and_then(|one| words.iter().position(|word| *word == one.name())).unwrap_or_default();
        let mut colours = vec![BY_ENVIRONMENT];
        colours.extend(Colour::ALL.map(Colour::name));
        let colour = profile.colour.and_then(|one| colours.iter().position(|word| *word == one.name()));
        let mut fields = vec![
            Field::text(FieldId::Name, &profile.name),
            Field::choice(FieldId::Environment, words, at),
            Field::choice(FieldId::Colour, colours, colour.unwrap_or_default()),
            Field::choice(FieldId::ReadOnly, vec![ALLOWED, READ_ONLY], usize::from(profile.read_only)),
        ];
        if profile.slot().is_some() {
            let mut words: Vec<_> = Keep::ALL.map(Keep::words).to_vec();
            if surroundings.no_keyring.is_some() {
                words.retain(|word| *word != Keep::Keyring.words());
            }
            words.push(NOWHERE);
            // A token is given for a session; it is kept only where that is asked for.
            let wanted = profile.kept.unwrap_or_else(|| surroundings.best_keep()).words();
            let given = profile.way_in == Some(WayIn::Token) && profile.kept.is_none();
            let wanted = if given { NOWHERE } else { wanted };
            let at = words.iter().position(|word| *word == wanted).unwrap_or_default();
            fields.push(Field::choice(FieldId::Keep, words, at));
        }
        let mut form = Form::new(fields);
        Self::follow_keep(&mut form, surroundings);
        form
    }

    /// Shows the fields of a new passphrase where one is needed, and takes them away where not.
    pub fn follow_keep(form: &mut Form, surroundings: &Surroundings) {
        let needed = form.text(FieldId::Keep) == Keep::File.words() && !surroundings.has_passphrase;
        let there = form.field(FieldId::Passphrase).is_some();
        if needed && !there {
            form.fields.push(Field::hidden(FieldId::Passphrase));
            form.fields.push(Field::hidden(FieldId::PassphraseAgain));
        } else if !needed && there {
            form.fields.retain(|field| !matches!(field.id, FieldId::Passphrase | FieldId::PassphraseAgain));
            form.at = form.at.min(form.fields.len().saturating_sub(1));
        }
    }

    /// What was said of the tenant, as something to store.
    ///
    /// # Errors
    /// Which field is wrong, and how.
    pub fn storing(&self, others: &[Profile]) -> Result<Storing, (FieldId, String)> {
        let Some(draft) = &self.draft else { return Err((FieldId::Name, "nothing has been tried yet".to_owned())) };
        let form = &self.form;
        let name = form.text(FieldId::Name).to_owned();
        crate::domain::profile::check_name(&name).map_err(|why| (FieldId::Name, why))?;
        if let Some(other) = others.iter().find(|other| other.name == name && other.domain != draft.domain) {
            return Err((FieldId::Name, format!("`{name}` is what {} is called already", other.domain)));
        }
        if let Some(other) = others.iter().find(|other| other.name != name && other.domain == draft.domain) {
            let known = crate::domain::untrusted::shown(&other.name).into_owned();
            return Err((FieldId::Name, format!("this tenant is connected already, as `{known}`")));
        }
        let kept = Keep::ALL.into_iter().find(|keep| keep.words() == form.text(FieldId::Keep));
        let mut passphrase = None;
        if form.field(FieldId::Passphrase).is_some() {
            let first = form.secret(FieldId::Passphrase);
            if first.as_ref().is_none_or(|first| first.chars() < 8) {
                return Err((FieldId::Passphrase, "a passphrase has at least 8 characters".to_owned()));
            }
            if first != form.secret(FieldId::PassphraseAgain) {
                return Err((FieldId::PassphraseAgain, "the two passphrases differ".to_owned()));
            }
            passphrase = first;
        }
        let profile = Profile {
            name,
            environment: Environment::from_name(form.text(FieldId::Environment)),
            colour: Colour::ALL.into_iter().find(|one| one.name() == form.text(FieldId::Colour)),
            read_only: form.text(FieldId::ReadOnly) == READ_ONLY,
            kept,
            ..draft.clone()
        };
        let secret = self.secret.clone().filter(|_| kept.is_some());
        Ok(Storing { profile, secret, passphrase })
    }

    /// Takes in why signing in did not work.
    pub fn failed(&mut self, failure: OpenFailure) {
        self.step = Step::Credentials;
        self.wrong = Some((failure.message, failure.hint));
    }
}
