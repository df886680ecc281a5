use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use super::{Domain, Environment, Target};

/// What the configuration file knows of one tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// What the user calls it: its name in the file, in `--tenant` and on screen.
    pub name: String,
    /// Where it is.
    pub domain: Domain,
    /// The audience of its Management API, where it is not the usual one: behind a custom domain.
    pub audience: Option<String>,
    /// What it is for.
    pub environment: Option<Environment>,
    /// The colour of its name in the header and in dialogs.
    pub colour: Option<Colour>,
    /// Whether every change is forbidden.
    pub read_only: bool,
    /// How to sign in there; `None` where the environment has to say it.
    pub way_in: Option<WayIn>,
    /// Where the secret, key or token for it is kept; `None`: nowhere, it is asked for.
    pub kept: Option<Keep>,
    /// Auth0's plan, which says how fast requests may follow each other before the first answer tells.
    pub plan: Option<RatePlan>,
    /// More certificate authorities to trust, PEM: a corporate proxy's.
    pub ca_file: Option<PathBuf>,
    /// Where its clients' apps read their secrets: by client id, in the order of the file. No client is here without a target.
    pub targets: BTreeMap<String, Vec<Target>>,
}

impl Profile {
    /// A profile with nothing but a name and an address.
    #[must_use]
    pub fn new(name: String, domain: Domain) -> Self {
        Self {
            name,
            domain,
            audience: None,
            environment: None,
            colour: None,
            read_only: false,
            way_in: None,
            kept: None,
            plan: None,
            ca_file: None,
            targets: BTreeMap::new(),
        }
    }

    /// The slot in which its credential is kept: bound to the tenant's address and to the client, so that a profile whose
    /// domain is changed by hand finds nothing, instead of sending one tenant's secret to another.
    #[must_use]
    pub fn slot(&self) -> Option<Slot> {
        let (kind, client_id) = match self.way_in.as_ref()? {
            WayIn::ClientSecret { client_id } => (SlotKind::ClientSecret, client_id.clone()),
            WayIn::PrivateKeyJwt { client_id, key_file: None, .. } => (SlotKind::PrivateKey, client_id.clone()),
            WayIn::Token => (SlotKind::Token, String::new()),
            WayIn::PrivateKeyJwt { .. } | WayIn::Auth0Cli => return None,
        };
        Some(Slot { domain: self.domain.clone(), kind, client_id })
    }
}

/// Whether a tenant can be called so.
///
/// # Errors
/// A sentence that says what is wrong and what is expected.
pub fn check_name(name: &str) -> Result<(), String> {
    let shown = super::untrusted::shown(name);
    if name.trim().is_empty() {
        return Err("a tenant needs a name, such as acme".to_owned());
    }
    if name.chars().count() > 40 {
        return Err("a tenant's name has at most 40 characters".to_owned());
    }
    if name != name.trim() || name.starts_with('-') || name.chars().any(super::untrusted::is_hidden) {
        return Err(format!(
            "`{shown}` cannot be a tenant's name: no blanks around it, no dash before it, nothing invisible in it"
        ));
    }
    Ok(())
}

/// How to sign in at a tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WayIn {
    /// As a machine-to-machine client with its secret.
    ClientSecret {
        /// The client's id.
        client_id: String,
    },
    /// As a machine-to-machine client with its private key.
    PrivateKeyJwt {
        /// The client's id.
        client_id: String,
        /// What the assertion is signed with.
        algorithm: AssertionAlgorithm,
        /// The file with the key, PEM; `None`: the key itself is kept.
        key_file: Option<PathBuf>,
    },
    /// With a token that was given.
    Token,
    /// With the token that auth0-cli holds.
    Auth0Cli,
}

impl WayIn {
    /// As it is written in the configuration file.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::ClientSecret { .. } => "client-secret",
            Self::PrivateKeyJwt { .. } => "private-key-jwt",
            Self::Token => "token",
            Self::Auth0Cli => "auth0-cli",
        }
    }

    /// The names of all of them.
    pub const NAMES: [&'static str; 4] = ["client-secret", "private-key-jwt", "token", "auth0-cli"];

    /// The client that signs in, where that is known beforehand.
    #[must_use]
    pub fn client_id(&self) -> Option<&str> {
        match self {
            Self::ClientSecret { client_id } | Self::PrivateKeyJwt { client_id, .. } => Some(client_id),
            Self::Token | Self::Auth0Cli => None,
        }
    }

    /// What has to be typed to sign in this way: a word for questions. `None` where nothing has to be.
    #[must_use]
    pub fn asks_for(&self) -> Option<&'static str> {
        match self {
            Self::ClientSecret { .. } => Some("client secret"),
            Self::PrivateKeyJwt { key_file: None, .. } => Some("private key"),
            Self::Token => Some("access token"),
            Self::PrivateKeyJwt { .. } | Self::Auth0Cli => None,
        }
    }
}

/// Which credential of which tenant.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Slot {
    /// The tenant.
    pub domain: Domain,
    /// What it is.
    pub kind: SlotKind,
    /// The client that signs in with it; empty for a token.
    pub client_id: String,
}

/// What is kept in a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SlotKind {
    /// A client's secret.
    ClientSecret,
    /// A client's private key, PEM.
    PrivateKey,
    /// A Management API token.
    Token,
}

impl SlotKind {
    /// As it is written in what is kept.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::ClientSecret => "client-secret",
            Self::PrivateKey => "private-key",
            Self::Token => "token",
        }
    }

    /// In a sentence.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::ClientSecret => "client secret",
            Self::PrivateKey => "private key",
            Self::Token => "access token",
        }
    }
}

/// Where credentials are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Keep {
    /// The keyring of the operating system.
    Keyring,
    /// Files sealed with age, whose key a passphrase protects.
    File,
}

impl Keep {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Keyring, Self::File];

    /// As it is written in the configuration file.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Keyring => "keyring",
            Self::File => "file",
        }
    }

    /// In a sentence.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Keyring => "the keyring of this system",
            Self::File => "a file under a passphrase",
        }
    }
}

/// What a client assertion is signed with; Auth0 takes these three. Source: Auth0 docs, authenticate with private key JWT.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum AssertionAlgorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    #[default]
    Rs256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    Rs384,
    /// RSASSA-PSS with SHA-256.
    Ps256,
}

impl AssertionAlgorithm {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Rs256, Self::Rs384, Self::Ps256];

    /// As it is written everywhere.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Rs384 => "RS384",
            Self::Ps256 => "PS256",
        }
    }
}

impl FromStr for AssertionAlgorithm {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|one| one.name() == text)
            .ok_or_else(|| format!("`{}` is not RS256, RS384 or PS256", super::untrusted::shown(text)))
    }
}

/// The colours that a tenant can have: those that every terminal has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colour {
    /// Red.
    Red,
    /// Green.
    Green,
    /// Yellow.
    Yellow,
    /// Blue.
    Blue,
    /// Magenta.
    Magenta,
    /// Cyan.
    Cyan,
}

impl Colour {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::Red, Self::Green, Self::Yellow, Self::Blue, Self::Magenta, Self::Cyan];

    /// As it is written in the configuration file.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Red => "red",
            Self::Green => "green",
            Self::Yellow => "yellow",
            Self::Blue => "blue",
            Self::Magenta => "magenta",
            Self::Cyan => "cyan",
        }
    }

    /// The colour of a tenant that has none of its own: production looks dangerous, the rest does not.
    #[must_use]
    pub fn of(environment: Option<Environment>) -> Self {
        match environment {
            Some(Environment::Production) => Self::Red,
            Some(Environment::Staging) => Self::Yellow,
            Some(Environment::Development) => Self::Green,
            None => Self::Blue,
        }
    }
}

/// Auth0's plans, as far as their rate limits differ. Source: Auth0 docs, rate limit configurations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RatePlan {
    /// Two requests a second.
    Free,
    /// Essentials and Professional: the figure is not documented, the headers tell.
    SelfService,
    /// Sixteen a second on production, two elsewhere.
    Enterprise,
}

impl RatePlan {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Free, Self::SelfService, Self::Enterprise];

    /// As it is written in the configuration file.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Free => "free",
            Self::SelfService => "self-service",
            Self::Enterprise => "enterprise",
        }
    }

    /// How many requests may go out at once before the first answer tells; `None` where that is not documented.
    #[must_use]
    pub fn burst(self, environment: Option<Environment>) -> Option<u32> {
        match (self, environment) {
            (Self::Free, _) => Some(2),
            (Self::SelfService, _) => None,
            (Self::Enterprise, Some(Environment::Production)) => Some(50),
            (Self::Enterprise, _) => Some(10),
        }
    }
}

/// Where the selection of a tenant, or its credentials, came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A flag of the command line.
    Flag,
    /// Environment variables.
    Environment,
    /// The profile that is selected.
    Selected,
    /// Chosen in this run.
    Chosen,
}

impl fmt::Display for WayIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ClientSecret { client_id } => {
                write!(f, "client secret of {}", super::untrusted::shown(client_id))
            }
            Self::PrivateKeyJwt { client_id, algorithm, .. } => {
                write!(f, "private key JWT of {} ({})", super::untrusted::shown(client_id), algorithm.name())
            }
            Self::Token => f.write_str("a token"),
            Self::Auth0Cli => f.write_str("the token of auth0-cli"),
        }
    }
}
