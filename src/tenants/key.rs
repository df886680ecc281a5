use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::Home;
use crate::domain::FingerprintKey;

/// The key that fingerprints are made with: read from `fingerprint.key`, or made on first use. Only its owner may read it.
///
/// # Errors
/// A sentence that names the file, what is wrong with it, and what to do.
pub fn fingerprint_key(home: &Home) -> Result<FingerprintKey, String> {
    let path = home.state().join("fingerprint.key");
    let key = match read(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            make(home.state(), &path).map_err(|error| format!("{}: {error}", path.display()))?;
            read(&path)
        }
        other => other,
    };
    key.map(|key| FingerprintKey::new(&key)).map_err(|error| format!("{}: {error}", path.display()))
}

fn read(path: &Path) -> io::Result<Zeroizing<[u8; 32]>> {
    let mut file = File::open(path)?;
    private(&file, path)?;
    let mut key = Zeroizing::new([0; 32]);
    file.read_exact(key.as_mut()).map_err(|_| io::Error::other("it is too short; remove it, and a new one is made"))?;
    Ok(key)
}

#[cfg(unix)]
fn private(file: &File, path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = file.metadata()?.permissions().mode();
    let open_to_others = mode & 0o077 != 0;
    if open_to_others {
        return Err(io::Error::other(format!("others can read it; run: chmod 600 {}", path.display())));
    }
    Ok(())
}

#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "there are modes to look at elsewhere")]
fn private(_: &File, _: &Path) -> io::Result<()> {
    Ok(())
}

/// Makes the key under a name of its own and then links it to the final one: of two processes that do so at once, one wins
/// and both read the same key.
fn make(folder: &Path, path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)?;
    let mut key = Zeroizing::new([0_u8; 32]);
    aws_lc_rs::rand::fill(key.as_mut()).map_err(|_| io::Error::other("the system gave no random bytes"))?;
    let (temporary, mut file) = create(folder)?;
    let linked = file.write_all(key.as_ref()).and_then(|()| file.sync_all()).and_then(|()| {
        match fs::hard_link(&temporary, path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            other => other,
        }
    });
    let removed = fs::remove_file(&temporary);
    linked.and(removed)
}

fn create(folder: &Path) -> io::Result<(PathBuf, File)> {
    let path = folder.join(format!(".fingerprint.key.{}", std::process::id()));
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(&path) {
        // Left by a process of this number that died half-way.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            fs::remove_file(&path)?;
            options.open(&path).map(|file| (path, file))
        }
        other => other.map(|file| (path, file)),
    }
}

#[cfg(test)]
mod tests {
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
