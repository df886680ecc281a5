use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Home;
use super::auth0_cli;
use super::config::{Config, ConfigError};
use super::edit::{self, EditError, Of};
use super::keyring::{self, KeyringState, KeyringStatus};
use super::places::{self, Place};
use super::select::{Chosen, SelectError, select};
use super::usage::Usage;
use super::vault::{Kept, Vault, VaultError};
use crate::auth0::{Api, Connection, Credentials, Keeper, Session};
use crate::domain::sign_in::CliTenant;
use crate::domain::{Domain, Greeting, Keep, Needs, OpenFailure, Profile, Secret, Slot, Surroundings, Target, WayIn};
use crate::files;

/// Looks up environment variables, from any thread.
type Lookup = Arc<dyn Fn(&str) -> Option<OsString> + Send + Sync>;

/// The tenants of this user: what is configured, what is stored, and how to get in. Clones share what was unlocked.
#[derive(Clone)]
pub struct Tenants {
    home: Home,
    vault: Arc<Vault>,
    variables: Lookup,
    keyring: bool,
}

/// Why a tenant could not be stored or forgotten. Safe to print.
#[derive(Debug)]
pub enum StoreError {
    /// The credential could not be kept or removed.
    Vault(VaultError),
    /// The configuration could not be changed.
    Edit(EditError),
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Vault(error) => error.fmt(f),
            Self::Edit(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for StoreError {}

impl From<VaultError> for StoreError {
    fn from(error: VaultError) -> Self {
        Self::Vault(error)
    }
}

impl From<EditError> for StoreError {
    fn from(error: EditError) -> Self {
        Self::Edit(error)
    }
}

impl Tenants {
    /// Those of this environment. `keyring`: whether the operating system's keyring may be used.
    ///
    /// # Errors
    /// Where the platform names no home folder.
    pub fn new(
        variables: impl Fn(&str) -> Option<OsString> + Send + Sync + 'static,
        keyring: bool,
    ) -> Result<Self, String> {
        let home = Home::find(&variables)?;
        let vault = Arc::new(Vault::new(&home, keyring));
        Ok(Self { home, vault, variables: Arc::new(variables), keyring })
    }

    /// Where our files lie.
    #[must_use]
    pub fn home(&self) -> &Home {
        &self.home
    }

    /// Looks an environment variable up.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<OsString> {
        (self.variables)(name)
    }

    /// What `config.toml` says.
    ///
    /// # Errors
    /// The first mistake in it.
    pub fn config(&self) -> Result<Config, ConfigError> {
        Config::load(&self.home.config_file())
    }

    /// Selects the tenant; see [`select`].
    ///
    /// # Errors
    /// Where what is set cannot be right, or credentials are missing.
    pub fn select(&self, flag: Option<&str>, config: &Config) -> Result<Option<Chosen>, SelectError> {
        select(flag, &|name| self.variable(name), config)
    }

    /// Connects to a selected tenant with the credentials that were given, or with those that are kept.
    ///
    /// # Errors
    /// Where they cannot be had; [`OpenFailure::needs`] says what would help if it were typed.
    pub async fn open(&self, profile: &Profile, given: Option<Credentials>) -> Result<Api, OpenFailure> {
        let (credentials, keeper) = match given {
            Some(credentials) => (credentials, None),
            None => self.stored(profile).await?,
        };
        self.connect(profile, credentials, keeper)
    }

    /// Connects with a credential that was just typed: it is used, and not kept.
    ///
    /// # Errors
    /// Where it cannot be one.
    pub fn open_with(&self, profile: &Profile, typed: Arc<Secret>) -> Result<Api, OpenFailure> {
        let way = profile.way_in.as_ref().ok_or_else(|| no_way_in(profile))?;
        self.connect(profile, credentials_of(way, typed, None), None)
    }

    fn connect(
        &self,
        profile: &Profile,
        credentials: Credentials,
        keeper: Option<Arc<dyn Keeper>>,
    ) -> Result<Api, OpenFailure> {
        // A mistake in the file is told where the file is asked for; here it means no authorities for everybody.
        let for_all = || self.config().ok().and_then(|config| config.ca_file);
        let connection = Connection {
            audience: profile.audience.clone(),
            ca_file: profile.ca_file.clone().or_else(for_all),
            burst: profile.plan.and_then(|plan| plan.burst(profile.environment)),
            read_only: profile.read_only,
            keeper,
            ..Connection::new(profile.domain.clone(), credentials)
        };
        Api::new(connection).map_err(|error| OpenFailure::new(error.to_string(), error.hint))
    }

    /// Signs in for the first time, with a credential that was just typed, or, where none was, with what the way in finds itself.
    ///
    /// # Errors
    /// Where the credential cannot be had or is refused, or Auth0 cannot be reached.
    pub async fn try_out(
        &self,
        profile: &Profile,
        typed: Option<Arc<Secret>>,
    ) -> Result<(Session, Greeting), OpenFailure> {
        let api = match typed {
            Some(typed) => self.open_with(profile, typed)?,
            None => self.open(profile, None).await?,
        };
        let failed = |error: crate::auth0::Error| OpenFailure::new(error.to_string(), error.hint);
        let session = api.session().await.map_err(failed)?;
        let greeting = api.greet().await.map_err(failed)?;
        Ok((session, greeting))
    }

    async fn stored(&self, profile: &Profile) -> Result<(Credentials, Option<Arc<dyn Keeper>>), OpenFailure> {
        let way = profile.way_in.as_ref().ok_or_else(|| no_way_in(profile))?;
        match way {
            WayIn::Auth0Cli => {
                let token = auth0_cli::token(&*self.variables, &profile.domain).await;
                let token = token.map_err(|error| OpenFailure::new(error.to_string(), ""))?;
                return Ok((Credentials::Token(Arc::new(token)), None));
            }
            WayIn::PrivateKeyJwt { key_file: Some(path), .. } => {
                return Ok((credentials_of(way, Arc::new(private_key(path)?), None), None));
            }
            WayIn::ClientSecret { .. } | WayIn::PrivateKeyJwt { .. } | WayIn::Token => {}
        }
        let what = way.asks_for().unwrap_or("credential");
        let needed = |message: String| OpenFailure {
            message,
            hint: format!("`rollover login --tenant {}` stores it.", crate::domain::untrusted::shown(&profile.name)),
            needs: Some(Needs::Credential(what)),
        };
        let (Some(slot), Some(keep)) = (profile.slot(), profile.kept) else {
            return Err(needed(format!("the {what} for {} is not stored here", profile.domain)));
        };
        match self.vault.read(keep, &slot).await {
            Ok(Some(Kept { secret, previous })) => {
                let keeper = Stored { vault: Arc::clone(&self.vault), keep, slot };
                Ok((credentials_of(way, secret, previous), Some(Arc::new(keeper))))
            }
            Ok(None) => Err(needed(format!("the {what} for {} is no longer in {}", profile.domain, keep.words()))),
            Err(VaultError::NeedsPassphrase) => Err(OpenFailure {
                message: VaultError::NeedsPassphrase.to_string(),
                hint: "Start rollover on a terminal: it asks for it.".to_owned(),
                needs: Some(Needs::Passphrase),
            }),
            Err(error) => Err(OpenFailure::new(error.to_string(), "`rollover doctor` says what is wrong with it.")),
        }
    }

    /// Everything of ours that may lie on the disk, as it lies there.
    #[must_use]
    pub fn places(&self) -> Vec<Place> {
        places::look(&self.home)
    }

    /// How the keyring stands; `None` where it is not used. Asks nobody anything.
    pub async fn keyring(&self) -> Option<KeyringState> {
        if self.keyring { Some(keyring::state().await) } else { None }
    }

    pub(super) fn vault(&self) -> &Vault {
        &self.vault
    }

    /// Whether a passphrase of sealed credentials has been chosen.
    #[must_use]
    pub fn has_passphrase(&self) -> bool {
        self.vault.has_passphrase()
    }

    /// Whether the passphrase was given in this run.
    #[must_use]
    pub fn is_unlocked(&self) -> bool {
        self.vault.is_unlocked()
    }

    /// Forgets the passphrase's key: the next secret that is sealed under it asks for it again.
    pub fn lock(&self) {
        self.vault.lock();
    }

    /// Gives the passphrase of sealed credentials; they stay open for the rest of the run.
    ///
    /// # Errors
    /// Where it is not the right one.
    pub async fn unlock(&self, passphrase: Arc<Secret>) -> Result<(), VaultError> {
        self.vault.unlock(passphrase).await
    }

    /// Chooses the passphrase of sealed credentials.
    ///
    /// # Errors
    /// Where it is too short, or there is one already.
    pub async fn choose_passphrase(&self, passphrase: Arc<Secret>) -> Result<(), VaultError> {
        self.vault.choose_passphrase(passphrase).await
    }

    /// What this machine offers for signing in. Asks nobody anything.
    pub async fn surroundings(&self) -> Surroundings {
        let found = auth0_cli::tenants(&*self.variables);
        let no_keyring = match self.keyring().await.map(|state| state.status) {
            // Writing to a locked one asks its user to unlock it.
            Some(KeyringStatus::Ready | KeyringStatus::Locked) => None,
            Some(KeyringStatus::Absent(why)) => Some(why),
            None => Some("the keyring is not used here".to_owned()),
        };
        let (auth0_cli, auth0_cli_trouble) = match found {
            Ok(found) => {
                let hint = found.hint();
                (found.tenants, hint)
            }
            Err(error) => (Vec::new(), Some(error.to_string())),
        };
        let auth0_cli =
            auth0_cli.into_iter().map(|one| CliTenant { domain: one.domain, expires_at: one.expires_at }).collect();
        Surroundings { auth0_cli, auth0_cli_trouble, no_keyring, has_passphrase: self.vault.has_passphrase() }
    }

    /// Stores a tenant: its credential first, where one is given and to be kept, then its table in `config.toml`, which becomes
    /// the one that is opened if `select` says so. A credential of the same name that is no longer used is forgotten.
    ///
    /// # Errors
    /// Nothing is half done then: where the table cannot be written, the credential is as it was.
    pub async fn store(
        &self,
        profile: &Profile,
        credential: Option<Arc<Secret>>,
        select: bool,
    ) -> Result<(), StoreError> {
        let before = self.config().map_err(EditError::Mistake)?.tenants.remove(&profile.name);
        let place = profile.kept.zip(profile.slot());
        let mut undo = None;
        if let (Some((keep, slot)), Some(secret)) = (&place, credential) {
            undo = Some((*keep, slot, self.vault.before(*keep, slot).await?));
            self.vault.write(*keep, slot, &Kept { secret, previous: None }).await?;
        }
        if let Err(error) = edit::put(&self.home, profile, select) {
            if let Some((keep, slot, before)) = undo {
                // What could not be written is what is told. The credential may be another table's, of the same client.
                let _ = self.vault.put_back(keep, slot, &before).await;
            }
            return Err(error.into());
        }
        if let Some(old) = before.and_then(|before| before.kept.zip(before.slot()))
            && Some(&old) != place.as_ref()
        {
            // An entry that nobody looks up any more: whether it could be removed does not change what was asked for.
            let _ = self.vault.remove(old.0, &old.1).await;
        }
        Ok(())
    }

    /// Forgets a tenant's credential; with `whole`, its table too. Whether a credential was there.
    ///
    /// # Errors
    /// Where it is not configured, or something cannot be removed.
    pub async fn forget(&self, name: &str, whole: bool) -> Result<bool, StoreError> {
        let config = self.config().map_err(EditError::Mistake)?;
        let Some(profile) = config.tenants.get(name) else {
            return Err(EditError::NoTenant(super::select::no_profile(name, &config)).into());
        };
        let removed = match profile.kept.zip(profile.slot()) {
            Some((keep, slot)) => self.vault.remove(keep, &slot).await?,
            None => false,
        };
        if whole {
            edit::remove(&self.home, name)?;
        } else if profile.kept.is_some() {
            edit::put(&self.home, &Profile { kept: None, ..profile.clone() }, false)?;
        }
        Ok(removed)
    }

    /// Makes a tenant the one that is opened.
    ///
    /// # Errors
    /// Where it is not configured, or the file cannot be changed.
    pub fn use_by_default(&self, name: &str) -> Result<(), EditError> {
        edit::select(&self.home, name)
    }

    /// Where a client's apps read its secret, as the file says now; where it cannot be read, as it said when the profile was read.
    #[must_use]
    pub fn targets_of(&self, profile: &Profile, client_id: &str) -> Vec<Target> {
        let config = self.config().ok();
        let profile = config.as_ref().map_or(Some(profile), |config| config.profile_of(&profile.domain));
        profile.and_then(|profile| profile.targets.get(client_id)).cloned().unwrap_or_default()
    }

    /// Adds a target to a client. Of a tenant that stands in no table, one is made.
    ///
    /// # Errors
    /// Where the client has one of that name, it cannot be one, or the file cannot be changed.
    pub fn add_target(&self, profile: &Profile, client_id: &str, target: &Target) -> Result<(), EditError> {
        edit::put_target(&self.home, Of { profile, client_id }, target, false)
    }

    /// Writes a target of a client, in the place of the one with its name, where there is one.
    ///
    /// # Errors
    /// Where it cannot be one, or the file cannot be changed.
    pub fn put_target(&self, profile: &Profile, client_id: &str, target: &Target) -> Result<(), EditError> {
        edit::put_target(&self.home, Of { profile, client_id }, target, true)
    }

    /// Takes a target of a client out of the configuration; what it holds stays as it is.
    ///
    /// # Errors
    /// Where there is none of that name, or the file cannot be changed.
    pub fn remove_target(&self, profile: &Profile, client_id: &str, name: &str) -> Result<(), EditError> {
        edit::remove_target(&self.home, Of { profile, client_id }, name)
    }

    /// When each tenant was last used.
    #[must_use]
    pub fn usage(&self) -> Usage {
        Usage::load(&self.home)
    }

    /// Remembers that a tenant was used now.
    pub fn used(&self, domain: &Domain) {
        Usage::note(&self.home, domain);
    }
}

impl fmt::Debug for Tenants {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tenants({:?})", self.home)
    }
}

/// Where the stored secret of the client that signs in is replaced when that client is rotated.
struct Stored {
    vault: Arc<Vault>,
    keep: Keep,
    slot: Slot,
}

impl Keeper for Stored {
    fn keep(&self, new: &Arc<Secret>, before: Option<&Arc<Secret>>) -> Result<(), String> {
        let kept = Kept { secret: Arc::clone(new), previous: before.map(Arc::clone) };
        let writing = self.vault.write(self.keep, &self.slot, &kept);
        tokio::runtime::Handle::current().block_on(writing).map_err(|error| error.to_string())
    }
}

fn no_way_in(profile: &Profile) -> OpenFailure {
    OpenFailure::new(
        format!("there are no credentials for {}", profile.domain),
        format!("`rollover login --tenant {}` stores some.", crate::domain::untrusted::shown(&profile.name)),
    )
}

/// The credentials of a way in, with the secret, key or token for it.
fn credentials_of(way: &WayIn, secret: Arc<Secret>, previous: Option<Arc<Secret>>) -> Credentials {
    match way {
        WayIn::ClientSecret { client_id } => {
            Credentials::ClientSecret { client_id: client_id.clone(), secret, previous }
        }
        WayIn::PrivateKeyJwt { client_id, algorithm, .. } => {
            Credentials::PrivateKeyJwt { client_id: client_id.clone(), key_pem: secret, algorithm: *algorithm }
        }
        WayIn::Token | WayIn::Auth0Cli => Credentials::Token(secret),
    }
}

/// A path in full; it may begin at `~/`, which no shell has replaced where it was typed at a question.
///
/// # Errors
/// Where there is no current folder.
pub fn full_path(path: &Path) -> std::io::Result<PathBuf> {
    match (path.strip_prefix("~"), directories::BaseDirs::new()) {
        (Ok(rest), Some(folders)) => Ok(folders.home_dir().join(rest)),
        _ => std::path::absolute(path),
    }
}

/// Reads a private key's file; like `ssh`, only one that nobody else can read.
///
/// # Errors
/// The file, what is wrong with it, and the mend.
pub fn private_key(path: &Path) -> Result<Secret, OpenFailure> {
    let text = full_path(path).and_then(|path| files::read_key(&path)).map_err(|error| {
        let path = path.display().to_string();
        OpenFailure::new(
            format!("the private key in {} cannot be used: {error}", crate::domain::untrusted::shown(&path)),
            "",
        )
    })?;
    Ok(Secret::new(text))
}
