//! What auth0-cli holds: read, never written, and only its access tokens. Its client secrets and refresh tokens are its own.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde::Deserialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;
use zeroize::Zeroizing;

use super::Variables;
use super::keyring::{self, Entry, KeyringError, KeyringStatus};
use crate::domain::untrusted::shown;
use crate::domain::{Domain, Scopes, Secret, Untrusted};

/// The file has a few kilobytes; what is larger is something else.
const LARGEST_FILE: u64 = 1024 * 1024;

/// A token stands in parts of 2,048 bytes, and auth0-cli makes no more of them. Source: auth0-cli, `internal/keyring`.
const MOST_PARTS: usize = 50;

/// auth0-cli itself takes a token for expired this long before it is, in seconds.
const MARGIN: i64 = 5 * 60;

/// A tenant that auth0-cli has signed in to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CliTenant {
    /// Where it is.
    pub domain: Domain,
    /// What auth0-cli calls it.
    pub name: Untrusted,
    /// When its token expires, in seconds since 1970, where auth0-cli noted it.
    pub expires_at: Option<i64>,
    /// What its token may do. auth0-cli notes it for people only, not for machines.
    pub scopes: Option<Scopes>,
    /// Whether a client signed in, and not a person in the browser.
    pub machine_login: bool,
    /// The client that signed in; empty where a person did.
    pub client_id: Untrusted,
    /// Whether it is the one that auth0-cli uses where none is named.
    pub is_default: bool,
    /// Whether the token stands in the file itself, for want of a keyring.
    pub token_in_file: bool,
    /// The domain as auth0-cli writes it: its name for the tenant in the keyring.
    account: String,
}

impl CliTenant {
    /// Whether its token is of no use any more at `now`, in seconds since 1970. auth0-cli gives up five minutes early.
    #[must_use]
    pub fn is_expired(&self, now: i64) -> bool {
        self.expires_at.is_some_and(|at| now + MARGIN > at)
    }

    /// The command that gets a new token.
    #[must_use]
    pub fn renewal(&self) -> String {
        if !self.machine_login {
            return "auth0 login".to_owned();
        }
        let id = self.client_id.raw();
        // It stands in a command that is to be copied: nothing that a shell would obey gets into it.
        if id.chars().all(|one| one.is_ascii_alphanumeric() || matches!(one, '_' | '-')) {
            format!("auth0 login --domain {} --client-id {id}", self.domain)
        } else {
            format!("auth0 login --domain {}", self.domain)
        }
    }
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The tenants, in the order of their domains.
    pub tenants: Vec<CliTenant>,
    /// Whether others may read or change the file, in which a token may stand.
    pub open_to_others: bool,
    /// The file, whether it is there or not.
    pub file: PathBuf,
}

impl Found {
    /// What to say where others may read the file.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let file = self.file.to_string_lossy();
        self.open_to_others.then(|| format!("others can read auth0-cli's file; run: chmod 600 {}", shown(&file)))
    }
}

/// Why auth0-cli gives no token. Safe to print.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CliError {
    /// It is not there, or has not signed in to this tenant.
    NotThere {
        /// The tenant.
        domain: Domain,
    },
    /// It has signed in to this tenant, but there is no token, or only a part of one.
    NoToken {
        /// The tenant.
        domain: Domain,
        /// Whether there is a part of one.
        part: bool,
        /// The command that gets a new one.
        renewal: String,
    },
    /// Its token has expired, or will within five minutes.
    Expired {
        /// The tenant.
        domain: Domain,
        /// When, in seconds since 1970.
        at: i64,
        /// The command that gets a new one.
        renewal: String,
    },
    /// Its file cannot be read.
    File {
        /// The file.
        file: PathBuf,
        /// Line, counted from one, where it is known.
        line: Option<usize>,
        /// What is wrong, and what to do.
        message: String,
    },
    /// The keyring, in which it keeps its tokens, cannot be read.
    Keyring(KeyringError),
}

impl fmt::Display for CliError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotThere { domain } => {
                write!(f, "auth0-cli is not signed in to {domain}: run `auth0 login`, then try again")
            }
            Self::NoToken { domain, part, renewal } => {
                let what = if *part { "only a part of its token" } else { "no token" };
                write!(f, "auth0-cli has {what} for {domain}: run `{renewal}`, then try again")
            }
            Self::Expired { domain, at, renewal } => {
                let at = moment(*at);
                write!(
                    f,
                    "auth0-cli's token for {domain} ends at {at}, which is over or nearly so: run `{renewal}`, then try again"
                )
            }
            Self::File { file, line, message } => {
                write!(f, "{}", shown(&file.to_string_lossy()))?;
                if let Some(line) = line {
                    write!(f, ", line {line}")?;
                }
                write!(f, ": {message}")
            }
            Self::Keyring(error) => write!(f, "auth0-cli's token is in the keyring, which cannot be read: {error}"),
        }
    }
}

impl std::error::Error for CliError {}

fn moment(at: i64) -> String {
    OffsetDateTime::from_unix_timestamp(at)
        .ok()
        .and_then(|at| at.format(format_description!("[year]-[month]-[day] [hour]:[minute] UTC")).ok())
        .unwrap_or_else(|| "an unknown time".to_owned())
}

/// The command with which a person signs in to auth0-cli with one scope more than it asks for by itself.
#[must_use]
pub fn missing_scope_command(scope: &str) -> String {
    // Scopes come from outside too, and this is a command to be copied.
    let scope: String =
        scope.chars().filter(|one| one.is_ascii_alphanumeric() || matches!(one, ':' | '_' | '-' | '.')).collect();
    format!("auth0 login --scopes {scope}")
}

/// The tenants that auth0-cli has signed in to. None, where it is not there.
///
/// # Errors
/// Where its file cannot be read.
pub fn tenants(variables: Variables<'_>) -> Result<Found, CliError> {
    let file = file(variables);
    let Some(Read { bytes, open_to_others }) = read(&file)? else {
        return Ok(Found { tenants: Vec::new(), open_to_others: false, file });
    };
    let tenants = logins(&bytes, &file)?.into_iter().map(|login| login.tenant).collect();
    Ok(Found { tenants, open_to_others, file })
}

/// The token that auth0-cli holds for `domain`, whole and with at least five minutes to live. May ask the person to unlock
/// the keyring. The file is read at once; what is returned can become a task of its own.
///
/// # Errors
/// Where there is none.
pub fn token(
    variables: Variables<'_>,
    domain: &Domain,
) -> impl Future<Output = Result<Secret, CliError>> + Send + 'static + use<> {
    let login = login(variables, domain);
    async move {
        let login = login?;
        // auth0-cli puts a token into its file only where it could not write the keyring: nobody need unlock that now.
        let passed_over = login.in_file.is_some() && keyring::state().await.status != KeyringStatus::Ready;
        let kept = if passed_over { Ok(None) } else { joined(&login.tenant.account, keyring::read).await };
        login.choose(kept, OffsetDateTime::now_utc().unix_timestamp())
    }
}

/// A tenant of the file, with the token where it stands there.
struct Login {
    tenant: CliTenant,
    in_file: Option<Secret>,
}

impl Login {
    /// The keyring's token, else the file's, in the order in which auth0-cli itself looks.
    fn choose(self, kept: Result<Option<Secret>, KeyringError>, now: i64) -> Result<Secret, CliError> {
        let tenant = &self.tenant;
        let missing = |part| CliError::NoToken { domain: tenant.domain.clone(), part, renewal: tenant.renewal() };
        let fit = |token: Secret| {
            let Some(claims) = Claims::of(&token) else { return Err(missing(true)) };
            match [claims.exp, tenant.expires_at].into_iter().flatten().min() {
                Some(at) if now + MARGIN > at => {
                    Err(CliError::Expired { domain: tenant.domain.clone(), at, renewal: tenant.renewal() })
                }
                _ => Ok(token),
            }
        };
        let from_keyring = match kept {
            Ok(Some(token)) => fit(token),
            Ok(None) => Err(missing(false)),
            Err(error) => Err(CliError::Keyring(error)),
        };
        match (from_keyring, self.in_file) {
            (Err(_), Some(token)) => fit(token),
            (other, _) => other,
        }
    }
}

/// What a whole token says of itself.
#[derive(Deserialize)]
struct Claims {
    exp: Option<i64>,
}

impl Claims {
    /// `None` for what is no whole JWT, such as one whose later parts are missing.
    fn of(token: &Secret) -> Option<Self> {
        let mut parts = token.expose().split('.');
        let (header, payload, signature) = (parts.next()?, parts.next()?, parts.next()?);
        let decoded = |part| URL_SAFE_NO_PAD.decode(part).ok().map(Zeroizing::new);
        // No algorithm that Auth0 signs with leaves a signature of another length, but one that was cut has it.
        let whole = decoded(signature).is_some_and(|bytes| !bytes.is_empty() && bytes.len().is_multiple_of(32));
        if parts.next().is_some() || !whole || decoded(header)?.is_empty() {
            return None;
        }
        serde_json::from_slice(&decoded(payload)?).ok()
    }
}

/// The parts of the token of `account`, up to the first that is not there, joined.
async fn joined<F>(account: &str, read: F) -> Result<Option<Secret>, KeyringError>
where
    F: AsyncFn(Entry<'_>) -> Result<Option<Secret>, KeyringError>,
{
    let mut parts = Vec::new();
    while parts.len() < MOST_PARTS {
        let service = format!("Auth0 CLI Access Token {}", parts.len());
        match read(Entry { service: &service, user: account }).await? {
            Some(part) => parts.push(plain(part)),
            None => break,
        }
    }
    // One allocation: no copy stays behind where a text that grows has moved.
    let mut whole = String::with_capacity(parts.iter().map(|part| part.expose().len()).sum());
    for part in &parts {
        whole.push_str(part.expose());
    }
    Ok((!parts.is_empty()).then(|| Secret::new(whole)))
}

/// What was meant by a value. On macOS go-keyring, which auth0-cli uses, writes texts that are encoded and say so.
fn plain(value: Secret) -> Secret {
    let bytes = if let Some(encoded) = value.expose().strip_prefix("go-keyring-base64:") {
        STANDARD.decode(encoded).ok()
    } else if let Some(encoded) = value.expose().strip_prefix("go-keyring-encoded:") {
        hexadecimal(encoded)
    } else {
        return value;
    };
    let text = bytes.map(Zeroizing::new).and_then(|bytes| std::str::from_utf8(&bytes).ok().map(str::to_owned));
    text.map_or(value, Secret::new)
}

fn hexadecimal(text: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let bytes: Option<Vec<u8>> = pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?)).collect();
    bytes.filter(|_| rest.is_empty())
}

/// auth0-cli takes `HOME` as it stands, on every platform. Without one it would look below the current folder; that is
/// somebody else's as likely as not, so nothing is read there.
fn file(variables: Variables<'_>) -> PathBuf {
    variables("HOME").map(PathBuf::from).unwrap_or_default().join(".config").join("auth0").join("config.json")
}

fn login(variables: Variables<'_>, domain: &Domain) -> Result<Login, CliError> {
    let file = file(variables);
    let logins = read(&file)?.map(|Read { bytes, .. }| logins(&bytes, &file)).transpose()?.unwrap_or_default();
    let login = logins.into_iter().find(|login| login.tenant.domain == *domain);
    login.ok_or_else(|| CliError::NotThere { domain: domain.clone() })
}

struct Read {
    bytes: Zeroizing<Vec<u8>>,
    open_to_others: bool,
}

fn read(file: &Path) -> Result<Option<Read>, CliError> {
    let wrong = |message: String| CliError::File { file: file.to_owned(), line: None, message };
    if !file.is_absolute() {
        return Ok(None);
    }
    let opened = match std::fs::metadata(file) {
        // A pipe would keep us waiting for somebody to write into it.
        Ok(metadata) if !metadata.is_file() => return Err(wrong("it is no file".to_owned())),
        Ok(_) => std::fs::File::open(file),
        Err(error) => Err(error),
    };
    let opened = match opened {
        Ok(opened) => opened,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(wrong(error.to_string())),
    };
    let metadata = opened.metadata().map_err(|error| wrong(error.to_string()))?;
    if metadata.len() > LARGEST_FILE {
        return Err(wrong("it is larger than 1 MiB, so it cannot be auth0-cli's".to_owned()));
    }
    let capacity = usize::try_from(metadata.len()).unwrap_or_default() + 1;
    let mut bytes = Zeroizing::new(Vec::with_capacity(capacity));
    opened.take(LARGEST_FILE).read_to_end(&mut bytes).map_err(|error| wrong(error.to_string()))?;
    Ok(Some(Read { bytes, open_to_others: open_to_others(&metadata) }))
}

#[cfg(unix)]
fn open_to_others(metadata: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    metadata.permissions().mode() & 0o077 != 0
}

#[cfg(not(unix))]
fn open_to_others(_: &std::fs::Metadata) -> bool {
    false
}

/// The file as auth0-cli writes it, as far as it concerns us. Every version left something out.
#[derive(Deserialize)]
struct Written<'a> {
    #[serde(borrow)]
    default_tenant: Option<Text<'a>>,
    #[serde(borrow)]
    tenants: Option<BTreeMap<Text<'a>, WrittenTenant<'a>>>,
}

#[derive(Deserialize)]
struct WrittenTenant<'a> {
    #[serde(borrow)]
    name: Option<Text<'a>>,
    #[serde(borrow)]
    domain: Option<Text<'a>>,
    #[serde(borrow)]
    access_token: Option<Text<'a>>,
    #[serde(borrow)]
    scopes: Option<Vec<Text<'a>>>,
    #[serde(borrow)]
    expires_at: Option<Text<'a>>,
    #[serde(borrow)]
    client_id: Option<Text<'a>>,
}

/// Borrowed from the file where it holds no escapes, so that no copy of a token stays behind.
#[derive(Deserialize, PartialEq, Eq, PartialOrd, Ord)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// Go writes a text that is not set as an empty one.
fn set<'t>(text: Option<&'t Text<'_>>) -> Option<&'t str> {
    text.map(|text| &*text.0).filter(|text| !text.is_empty())
}

fn logins(bytes: &[u8], file: &Path) -> Result<Vec<Login>, CliError> {
    // The error's own words may repeat what stands there, and a token may.
    let written: Written<'_> = serde_json::from_slice(bytes).map_err(|error| CliError::File {
        file: file.to_owned(),
        line: Some(error.line().max(1)),
        message: match error.classify() {
            serde_json::error::Category::Eof => {
                "it ends in the middle; try again, and if it stays so, remove it and run `auth0 login`".to_owned()
            }
            serde_json::error::Category::Data => {
                "it is not laid out as auth0-cli does it; see whether a newer rollover knows it".to_owned()
            }
            _ => "it is no JSON; remove it and run `auth0 login`".to_owned(),
        },
    })?;
    let default = set(written.default_tenant.as_ref());
    let login = |(key, written): (Text<'_>, WrittenTenant<'_>)| {
        let account = set(written.domain.as_ref()).unwrap_or(&key.0);
        // What is no address cannot be signed in to: nothing is lost without it.
        let domain = Domain::parse(account).ok()?;
        let scopes = written.scopes.map(|all| {
            let all: Vec<_> = all.iter().map(|scope| &*scope.0).collect();
            Scopes::from_claim(&all.join(" "))
        });
        let client_id = set(written.client_id.as_ref());
        let tenant = CliTenant {
            name: set(written.name.as_ref()).map_or_else(|| domain.tenant_name().into(), Untrusted::from),
            // Go's time that is not set is in the year 1.
            expires_at: set(written.expires_at.as_ref())
                .and_then(|at| OffsetDateTime::parse(at, &Rfc3339).ok())
                .map(OffsetDateTime::unix_timestamp)
                .filter(|at| *at > 0),
            scopes,
            machine_login: client_id.is_some(),
            client_id: client_id.unwrap_or_default().into(),
            is_default: default.is_some_and(|default| default == account || default == key.0),
            token_in_file: set(written.access_token.as_ref()).is_some(),
            account: account.to_owned(),
            domain,
        };
        let in_file = set(written.access_token.as_ref()).map(|token| Secret::new(token.to_owned()));
        Some(Login { tenant, in_file })
    };
    Ok(written.tenants.unwrap_or_default().into_iter().filter_map(login).collect())
}

#[cfg(test)]
mod tests;
