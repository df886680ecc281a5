use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::Home;
use crate::files::{self, Exposure};

/// What a file or folder of ours is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// The folder of `config.toml`.
    ConfigFolder,
    /// `config.toml`.
    Config,
    /// The folder of what the program keeps for itself.
    StateFolder,
    /// The key of fingerprints.
    FingerprintKey,
    /// The key of sealed credentials, under a passphrase, or its public half.
    SealingKey,
    /// The folder of sealed credentials, or one of them.
    Credentials,
}

/// One file or folder of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// What it is for.
    pub what: What,
    /// Where it is, or would be.
    pub path: PathBuf,
    /// How it lies there.
    pub seen: Seen,
}

/// How a file or folder lies on the disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// It is not there.
    Absent,
    /// It is there, and nobody else can get at it.
    Private {
        /// Its permission bits, where the system has such.
        mode: Option<u32>,
        /// How many files are in it, for a folder of ours that is counted.
        files: Option<usize>,
    },
    /// Somebody else can get at it.
    Exposed {
        /// Its permission bits, where the system has such.
        mode: Option<u32>,
        /// How, and the mend.
        exposure: Exposure,
    },
    /// It cannot be used: why. Not to be printed as it is.
    Unusable(String),
}

impl Place {
    fn at(what: What, path: PathBuf) -> Self {
        let seen = seen(&path);
        Self { what, path, seen }
    }
}

pub(super) fn look(home: &Home) -> Vec<Place> {
    let (config, state) = (home.config_file(), home.state());
    let mut places = Vec::with_capacity(6);
    if let Some(folder) = config.parent().filter(|folder| *folder != state) {
        places.push(Place::at(What::ConfigFolder, folder.to_owned()));
    }
    places.push(Place::at(What::Config, config));
    places.push(Place::at(What::StateFolder, state.to_owned()));
    places.push(fingerprint_key(state));
    places.push(sealing_key(state));
    places.push(credentials(state));
    places
}

fn seen(path: &Path) -> Seen {
    match fs::metadata(path) {
        Ok(metadata) => match files::exposure(&metadata, path) {
            Some(exposure) => Seen::Exposed { mode: files::mode(&metadata), exposure },
            None => Seen::Private { mode: files::mode(&metadata), files: None },
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => Seen::Absent,
        Err(error) => Seen::Unusable(error.to_string()),
    }
}

fn fingerprint_key(state: &Path) -> Place {
    let mut place = Place::at(What::FingerprintKey, state.join("fingerprint.key"));
    let short = fs::metadata(&place.path).is_ok_and(|metadata| metadata.is_file() && metadata.len() < 32);
    if short && matches!(place.seen, Seen::Private { .. }) {
        place.seen = Seen::Unusable("it is too short; remove it, and a new one is made".to_owned());
    }
    place
}

/// The private key, or its public half where that is the one with a fault.
fn sealing_key(state: &Path) -> Place {
    let private = Place::at(What::SealingKey, state.join("identity.age"));
    let public = Place::at(What::SealingKey, state.join("identity.pub"));
    match (&private.seen, &public.seen) {
        (Seen::Private { .. }, Seen::Absent) => {
            let why = "it is not there, and without it nothing can be sealed".to_owned();
            Place { seen: Seen::Unusable(why), ..public }
        }
        (Seen::Private { .. }, Seen::Exposed { .. } | Seen::Unusable(_)) => public,
        _ => private,
    }
}

/// The folder, or the first file in it that somebody else can get at.
fn credentials(state: &Path) -> Place {
    let mut place = Place::at(What::Credentials, state.join("credentials"));
    let Seen::Private { files, .. } = &mut place.seen else { return place };
    let Ok(entries) = fs::read_dir(&place.path) else { return place };
    let sealed = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "age");
    let mut sealed: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).filter(sealed).collect();
    sealed.sort();
    *files = Some(sealed.len());
    let faulty = sealed.into_iter().map(|path| Place::at(What::Credentials, path));
    let faulty = faulty.into_iter().find(|one| !matches!(one.seen, Seen::Private { .. }));
    faulty.unwrap_or(place)
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn at(folder: &Path) -> Home {
        let folder = folder.as_os_str().to_owned();
        Home::find(&move |name| (name == "ROLLOVER_HOME").then(|| folder.clone())).expect("a home")
    }

    fn of(home: &Home, what: What) -> Place {
        look(home).into_iter().find(|place| place.what == what).expect("it is looked at")
    }

    #[test]
    fn what_others_can_get_at_is_named_with_the_mend() {
        let folder = tempfile::tempdir().expect("a folder");
        let home = at(&folder.path().join("home"));
        assert!(look(&home).iter().all(|place| place.seen == Seen::Absent), "nothing was made by looking");
        let state = home.state().to_owned();
        for (what, path) in [
            (What::Config, home.config_file()),
            (What::FingerprintKey, state.join("fingerprint.key")),
            (What::SealingKey, state.join("identity.age")),
            (What::Credentials, state.join("credentials").join("one.age")),
        ] {
            files::replace(&path, &[7; 32]).expect("it is made");
            if what == What::SealingKey {
                assert!(matches!(of(&home, what).seen, Seen::Unusable(why) if why.contains("nothing can be sealed")));
                files::replace(&state.join("identity.pub"), b"age1").expect("it is made");
            }
            assert!(matches!(of(&home, what).seen, Seen::Private { .. }), "{what:?}");
            fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).expect("a mode");
            let place = of(&home, what);
            let Seen::Exposed { mode, exposure } = place.seen else { panic!("{what:?} is open to others") };
            assert_eq!((mode, place.path.as_path()), (Some(0o644), path.as_path()));
            assert_eq!(exposure.mend, format!("chmod 600 '{}'", path.display()));
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("a mode");
        }
        fs::set_permissions(&state, fs::Permissions::from_mode(0o750)).expect("a mode");
        assert!(matches!(of(&home, What::StateFolder).seen, Seen::Exposed { mode: Some(0o750), .. }));
        fs::write(state.join("fingerprint.key"), "short").expect("a file");
        assert!(matches!(of(&home, What::FingerprintKey).seen, Seen::Unusable(why) if why.contains("too short")));
    }
}
