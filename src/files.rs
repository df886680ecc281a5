//! Files that only their owner may read, replaced as a whole.
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

/// The permission bits of everybody but the owner.
#[cfg(unix)]
const OTHERS: u32 = 0o077;

/// The most that a file of ours may hold.
const MOST: u64 = 1 << 20;

/// Makes a folder that only its owner may look into, whatever the umask; one that is there already must be like that.
///
/// # Errors
/// Where it cannot be made, or others may look into it: the message names the `chmod` to run.
pub fn private_folder(folder: &Path) -> io::Result<()> {
    if !folder.is_dir() {
        let mut builder = DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(folder)?;
        // The umask may have taken bits away from what was asked for.
        #[cfg(unix)]
        fs::set_permissions(folder, std::os::unix::fs::PermissionsExt::from_mode(0o700))?;
    }
    check_private(&fs::metadata(folder)?, folder)
}

/// Opens a file of ours; others must not be able to read it, nor to look into its folder.
///
/// # Errors
/// As the system says; or with the `chmod` to run.
pub fn open(path: &Path) -> io::Result<File> {
    let file = File::open(path)?;
    check_private(&file.metadata()?, path)?;
    if let Some(folder) = path.parent() {
        check_private(&fs::metadata(folder)?, folder)?;
    }
    Ok(file)
}

/// Reads a file of ours as text.
///
/// # Errors
/// As the system says; where others can read it; where it is larger than a megabyte or no UTF-8.
pub fn read(path: &Path) -> io::Result<Zeroizing<String>> {
    let mut bytes = read_bytes(path)?;
    String::from_utf8(std::mem::take(&mut *bytes)).map(Zeroizing::new).map_err(|error| {
        drop(Zeroizing::new(error.into_bytes()));
        io::Error::other("it is no UTF-8 text")
    })
}

/// Reads a file of ours as it is.
///
/// # Errors
/// As the system says; where others can read it; where it is larger than a megabyte.
pub fn read_bytes(path: &Path) -> io::Result<Zeroizing<Vec<u8>>> {
    let file = open(path)?;
    let size = file.metadata()?.len();
    if size > MOST {
        return Err(io::Error::other(format!("it is larger than {} MiB", MOST >> 20)));
    }
    // Room for all of it from the start: a text that grows leaves copies behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(usize::try_from(size).unwrap_or_default() + 64));
    file.take(MOST).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Reads somebody's private key: only its owner may be able to, wherever it lies.
///
/// # Errors
/// As the system says; where others can read it; where it is no text.
pub fn read_key(path: &Path) -> io::Result<String> {
    let file = File::open(path)?;
    check_private(&file.metadata()?, path)?;
    let size = usize::try_from(file.metadata()?.len().min(MOST)).unwrap_or_default();
    let mut text = Zeroizing::new(String::with_capacity(size + 64));
    file.take(MOST).read_to_string(&mut text)?;
    Ok(std::mem::take(&mut *text))
}

/// Why something of ours is not private, and the command that mends it. Both are safe to print.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exposure {
    /// What is wrong.
    pub what: String,
    /// The command.
    pub mend: String,
}

/// The permission bits of a file or folder; `None` where the system has none.
#[cfg(unix)]
#[must_use]
pub fn mode(metadata: &fs::Metadata) -> Option<u32> {
    Some(std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o7777)
}

/// The permission bits of a file or folder; `None` where the system has none.
#[cfg(not(unix))]
#[must_use]
pub fn mode(_: &fs::Metadata) -> Option<u32> {
    None
}

/// Replaces a file of ours as a whole: whoever reads it sees the old one or the new one, and when this returns the new one is
/// on the disk. Where `path` is a link, what it leads to is replaced, in its own folder.
///
/// # Errors
/// As the system says; then the old one is still there.
pub fn replace(path: &Path, contents: &[u8]) -> io::Result<()> {
    private_folder(path.parent().ok_or_else(|| io::Error::other("it names no file"))?)?;
    // What a link leads to may lie among a person's dotfiles: that folder is theirs, and only the file in it is ours.
    let path = match fs::canonicalize(path) {
        Ok(path) => path,
        Err(error) if error.kind() == io::ErrorKind::NotFound => path.to_owned(),
        Err(error) => return Err(error),
    };
    let folder = path.parent().ok_or_else(|| io::Error::other("it names no file"))?;
    let (temporary, mut file) = create(folder, &path)?;
    let written = file
        .write_all(contents)
        .and_then(|()| file.sync_all())
        .and_then(|()| fs::rename(&temporary, &path))
        .and_then(|()| sync_folder(folder));
    if written.is_err() {
        // What failed is what matters; that the remains may stay as well is no second error.
        let _ = fs::remove_file(&temporary);
    }
    written
}

/// Removes what processes that died while they replaced a file have left. Only while nobody else replaces it: under its lock.
pub fn sweep(path: &Path) {
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else { return };
    let start = format!(".{}.", name.to_string_lossy());
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let left = entry.file_name();
        let number = left.to_str().and_then(|left| left.strip_prefix(&start)).unwrap_or_default();
        if !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()) {
            // It is in nobody's way where it cannot be removed.
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Makes a file of ours that is not there yet; of two processes that do so at once one wins, and the other's contents are lost.
///
/// # Errors
/// As the system says.
pub fn make_once(path: &Path, contents: &[u8]) -> io::Result<()> {
    let folder = path.parent().ok_or_else(|| io::Error::other("it names no file"))?;
    private_folder(folder)?;
    let (temporary, mut file) = create(folder, path)?;
    let linked =
        file.write_all(contents).and_then(|()| file.sync_all()).and_then(|()| match fs::hard_link(&temporary, path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            other => other,
        });
    let removed = fs::remove_file(&temporary);
    linked.and(removed).and_then(|()| sync_folder(folder))
}

/// Removes a file of ours; whether there was one.
///
/// # Errors
/// As the system says.
pub fn remove(path: &Path) -> io::Result<bool> {
    match fs::remove_file(path) {
        Ok(()) => path.parent().map_or(Ok(()), sync_folder).map(|()| true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Holds a lock while `work` runs, so that two processes do not change the same file from the same old contents.
///
/// # Errors
/// Where the lock's file cannot be made or locked, or as `work` fails.
pub fn locked<T, E: From<io::Error>>(folder: &Path, work: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
    private_folder(folder)?;
    let path = folder.join(".lock");
    let file = writable(&path, false)?;
    file.lock()?;
    // The lock ends with the file's last handle, also where the process dies.
    let result = work();
    drop(file);
    result
}

fn create(folder: &Path, path: &Path) -> io::Result<(PathBuf, File)> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let temporary = folder.join(format!(".{name}.{}", std::process::id()));
    match writable(&temporary, true) {
        // Left by a process of this number that died half-way.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            fs::remove_file(&temporary)?;
            writable(&temporary, true)
        }
        other => other,
    }
    .map(|file| (temporary, file))
}

fn writable(path: &Path, new: bool) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false).create_new(new);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path)?;
    #[cfg(unix)]
    file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
    Ok(file)
}

/// A name is on the disk once its folder is.
fn sync_folder(folder: &Path) -> io::Result<()> {
    #[cfg(unix)]
    File::open(folder)?.sync_all()?;
    #[cfg(not(unix))]
    let _ = folder;
    Ok(())
}

fn check_private(metadata: &fs::Metadata, path: &Path) -> io::Result<()> {
    match exposure(metadata, path) {
        Some(Exposure { what, mend }) => Err(io::Error::other(format!("{what}; run: {mend}"))),
        None => Ok(()),
    }
}

/// Whether somebody else can get at a file or folder of ours.
#[must_use]
pub fn exposure(metadata: &fs::Metadata, path: &Path) -> Option<Exposure> {
    #[cfg(unix)]
    {
        let path_shown = crate::domain::untrusted::shown(&path.display().to_string()).into_owned();
        let ours = rustix::process::geteuid().as_raw();
        let owner = std::os::unix::fs::MetadataExt::uid(metadata);
        if owner != ours {
            let what = format!("it belongs to another user ({owner})");
            return Some(Exposure { what, mend: format!("chown {ours} '{path_shown}'") });
        }
        if mode(metadata).is_none_or(|mode| mode & OTHERS == 0) {
            return None;
        }
        let (right, what) =
            if metadata.is_dir() { ("700", "others can look into it") } else { ("600", "others can read it") };
        Some(Exposure { what: what.to_owned(), mend: format!("chmod {right} '{path_shown}'") })
    }
    #[cfg(not(unix))]
    {
        let _ = (metadata, path);
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_replaced_is_replaced_whole_and_no_other_file_is_left() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("inner").join("file");
        replace(&path, b"one").expect("it is made");
        replace(&path, b"two").expect("it is replaced");
        assert_eq!(&**read(&path).expect("it is there"), "two");
        assert_eq!(fs::read_dir(path.parent().expect("a folder")).expect("the folder").count(), 1);
        assert!(remove(&path).expect("it goes") && !remove(&path).expect("it is gone"));
    }

    #[test]
    #[cfg(unix)]
    fn nobody_else_may_read_and_whoever_may_is_named_with_the_mend() {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = |path: &Path| fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("inner").join("file");
        replace(&path, b"text").expect("it is made");
        assert_eq!((mode(&path), mode(path.parent().expect("a folder"))), (0o600, 0o700));
        for (wrong, of, part) in [
            (0o640, &*path, "others can read it; run: chmod 600 '"),
            (0o604, &*path, "chmod 600"),
            (0o755, path.parent().expect("a folder"), "others can look into it; run: chmod 700 '"),
        ] {
            let right = mode(of);
            fs::set_permissions(of, fs::Permissions::from_mode(wrong)).expect("a mode");
            let error = read(&path).expect_err("it is open to others").to_string();
            assert!(error.contains(part) && error.contains(&of.display().to_string()), "{error}");
            fs::set_permissions(of, fs::Permissions::from_mode(right)).expect("a mode");
        }
        read(&path).expect("it is mended");
    }

    #[test]
    #[cfg(unix)]
    fn a_link_stays_a_link() {
        let folder = tempfile::tempdir().expect("a folder");
        let real = folder.path().join("dotfiles");
        private_folder(&real).expect("a folder");
        let ours = folder.path().join("ours");
        private_folder(&ours).expect("a folder");
        let link = ours.join("config.toml");
        std::os::unix::fs::symlink(real.join("config.toml"), &link).expect("a link");
        fs::write(real.join("config.toml"), "old").expect("a file");
        replace(&link, b"new").expect("it is replaced");
        assert!(fs::symlink_metadata(&link).expect("it is there").is_symlink());
        assert_eq!(&**read(&real.join("config.toml")).expect("the real one"), "new");
    }
}
