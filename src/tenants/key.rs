use std::io::{self, Read as _};
use std::path::Path;

use zeroize::Zeroizing;

use super::Home;
use crate::domain::FingerprintKey;
use crate::files;

/// The key that fingerprints are made with: read from `fingerprint.key`, or made on first use. Only its owner may read it.
///
/// # Errors
/// A sentence that names the file, what is wrong with it, and what to do.
pub fn fingerprint_key(home: &Home) -> Result<FingerprintKey, String> {
    let path = home.state().join("fingerprint.key");
    let key = match read(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            make(&path).map_err(|error| format!("{}: {error}", path.display()))?;
            read(&path)
        }
        other => other,
    };
    key.map(|key| FingerprintKey::new(&key)).map_err(|error| format!("{}: {error}", path.display()))
}

fn read(path: &Path) -> io::Result<Zeroizing<[u8; 32]>> {
    let mut file = files::open(path)?;
    let mut key = Zeroizing::new([0; 32]);
    file.read_exact(key.as_mut()).map_err(|_| io::Error::other("it is too short; remove it, and a new one is made"))?;
    Ok(key)
}

/// Of two processes that make one at once, one wins, and both read the same key.
fn make(path: &Path) -> io::Result<()> {
    let mut key = Zeroizing::new([0_u8; 32]);
    aws_lc_rs::rand::fill(key.as_mut()).map_err(|_| io::Error::other("the system gave no random bytes"))?;
    files::make_once(path, key.as_ref())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::domain::Secret;

    fn home(folder: &Path) -> Home {
        let folder = folder.as_os_str().to_owned();
        Home::find(&move |name| (name == "ROLLOVER_HOME").then(|| folder.clone())).expect("a home")
    }

    #[test]
    fn it_is_made_once_and_stays_the_same() {
        let folder = tempfile::tempdir().expect("a folder");
        let home = home(&folder.path().join("new"));
        let secret = Secret::new("s".repeat(64));
        let first = fingerprint_key(&home).expect("a key").of(&secret);
        assert!(first.is_some());
        assert_eq!(fingerprint_key(&home).expect("a key").of(&secret), first);
        let left: Vec<_> = fs::read_dir(home.state()).expect("the folder").collect();
        assert_eq!(left.len(), 1, "{left:?}");
    }

    #[test]
    #[cfg(unix)]
    fn only_its_owner_may_read_it() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().expect("a folder");
        let home = home(&folder.path().join("new"));
        fingerprint_key(&home).expect("a key");
        let path = home.state().join("fingerprint.key");
        let mode = |path: &Path| fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
        assert_eq!((mode(&path), mode(home.state())), (0o600, 0o700));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).expect("a mode");
        let error = fingerprint_key(&home).expect_err("it is open to others");
        assert!(error.contains("chmod 600"), "{error}");
    }
}
