//! Files on Unix: everything happens by name within a folder that is held open, and no link is followed on the way.
use std::ffi::{OsStr, OsString};
use std::fs::{self, File, Metadata};
use std::io::{self, Read as _, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, fchown};
use std::path::PathBuf;
use std::time::Duration;

use rustix::fs::{AtFlags, Dir, FileType, FlockOperation, Mode, OFlags, flock, openat, renameat, statat, unlinkat};
use rustix::io::Errno;
use zeroize::Zeroizing;

use super::{MOST, Seen, TargetError, TargetErrorKind, allowed, error, failed, is_changed, no_plain_file, too_large};
use crate::domain::target::FilePlace;
use crate::files::Exposure;

/// How often the lock of a file is asked for, and the pause between: five seconds.
const TRIES: u32 = 100;
const PAUSE: Duration = Duration::from_millis(50);

/// How much of a file's name goes into the name of what is written beside it: a name has at most 255 bytes.
const NAME: usize = 200;

/// What tells one state of a file from another, beside its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Identity {
    device: u64,
    inode: u64,
    size: u64,
    changed: (i64, i64),
}

impl Identity {
    fn of(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.len(),
            changed: (metadata.mtime(), metadata.mtime_nsec()),
        }
    }
}

/// A file that is open, within its folder.
struct Open {
    folder: File,
    name: OsString,
    path: PathBuf,
    file: File,
    metadata: Metadata,
}

impl Open {
    fn at(place: &FilePlace) -> Result<Self, TargetError> {
        // Once; from here on the folder is held, and whoever changes the link changes nothing for us.
        let path = if place.follow_links {
            fs::canonicalize(&place.path).map_err(|failure| failed(&place.path, "where its link leads", &failure))?
        } else {
            place.path.clone()
        };
        let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(no_plain_file(&path, false));
        };
        let folder = rustix::fs::open(folder, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
            .map(File::from)
            .map_err(|failure| failed(&path, "its folder cannot be opened", &failure.into()))?;
        let name = name.to_owned();
        let file = open(&folder, &name).map_err(|failure| match failure {
            Failure::Kind { is_link } => no_plain_file(&path, is_link),
            Failure::System(failure) => failed(&path, "it cannot be opened", &failure),
        })?;
        let metadata = file.metadata().map_err(|failure| failed(&path, "it cannot be looked at", &failure))?;
        Ok(Self { folder, name, path, file, metadata })
    }

    fn look(&self) -> Result<Seen, TargetError> {
        let identity = Identity::of(&self.metadata);
        if identity.size > MOST {
            return Err(too_large(&self.path));
        }
        let fail = |failure: io::Error| failed(&self.path, "it cannot be read", &failure);
        // For all of it from the start: a buffer that grows leaves copies behind.
        let mut bytes = Zeroizing::new(Vec::with_capacity(usize::try_from(identity.size).unwrap_or_default() + 64));
        (&self.file).take(identity.size + 1).read_to_end(&mut bytes).map_err(fail)?;
        // Whoever writes into it right now has it half done.
        let after = self.file.metadata().map_err(fail)?;
        if bytes.len() as u64 != identity.size || Identity::of(&after) != identity {
            return Err(is_changed(&self.path));
        }
        let (exposures, warnings) = self.exposure();
        Ok(Seen { bytes, identity, path: self.path.clone(), exposures, warnings })
    }

    /// Who else can get at it: what is refused unless allowed, and what is worth knowing.
    fn exposure(&self) -> (Vec<Exposure>, Vec<String>) {
        let path = super::shown(&self.path);
        let (mut exposures, mut warnings) = (Vec::new(), Vec::new());
        let (mode, owner, us) = (self.metadata.mode(), self.metadata.uid(), rustix::process::geteuid().as_raw());
        if owner != us {
            let what = format!("it belongs to another user ({owner})");
            exposures.push(Exposure { what, mend: format!("chown {us} '{path}'") });
        }
        if mode & 0o006 != 0 {
            let what = if mode & 0o002 == 0 { "everybody can read it" } else { "everybody can change it" };
            exposures.push(Exposure { what: what.to_owned(), mend: format!("chmod o= '{path}'") });
        }
        if mode & 0o060 != 0 {
            warnings.push(format!("its group can get at it; where only its owner needs it, run: chmod g= '{path}'"));
        }
        if self.metadata.nlink() > 1 {
            let others = self.metadata.nlink() - 1;
            warnings.push(format!("it has {others} more name(s): those keep what it holds now, secrets included"));
        }
        if self.folder.metadata().is_ok_and(|folder| folder.mode() & 0o1002 == 0o002) {
            warnings.push("everybody can put another file in its place: its folder is open to all".to_owned());
        }
        (exposures, warnings)
    }

    /// Takes the file's lock, which programs that change it in turn ask for; `false` where somebody holds it.
    fn lock(&self) -> Result<bool, TargetError> {
        match flock(&self.file, FlockOperation::NonBlockingLockExclusive) {
            Err(Errno::WOULDBLOCK) => Ok(false),
            // Some network file systems have no locks, or none for a file that is open for reading.
            Ok(()) | Err(Errno::BADF | Errno::NOLCK | Errno::NOSYS | Errno::INVAL | Errno::OPNOTSUPP) => Ok(true),
            Err(failure) => Err(failed(&self.path, "it cannot be locked", &failure.into())),
        }
    }

    fn wait_for_lock(&self) -> Result<(), TargetError> {
        for _ in 0..TRIES {
            if self.lock()? {
                return Ok(());
            }
            std::thread::sleep(PAUSE);
        }
        let hint = "Wait until the other program is done, then try again";
        Err(error(TargetErrorKind::System, &self.path, "another program holds its lock", hint))
    }

    /// Whether its name still leads to it, unchanged.
    fn is_in_place(&self, identity: &Identity) -> Result<bool, TargetError> {
        match open(&self.folder, &self.name).and_then(|file| Ok(Identity::of(&file.metadata()?))) {
            Ok(found) => Ok(found == *identity),
            Err(Failure::Kind { .. }) => Ok(false),
            Err(Failure::System(failure)) if failure.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(Failure::System(failure)) => Err(failed(&self.path, "it cannot be looked at", &failure)),
        }
    }

    /// How the names of what is written beside it begin.
    fn beside(&self) -> Vec<u8> {
        let name = self.name.as_bytes();
        [b".", &name[..name.len().min(NAME)], b".rollover-"].concat()
    }

    /// Removes what processes that died left beside it: each holds a secret. Only under its lock.
    fn sweep(&self) {
        let prefix = self.beside();
        let Ok(entries) = Dir::read_from(&self.folder) else { return };
        for entry in entries.flatten() {
            let name = entry.file_name().to_bytes();
            let random = name.strip_prefix(prefix.as_slice());
            if !random.is_some_and(|rest| rest.len() == 16 && rest.iter().all(u8::is_ascii_hexdigit)) {
                continue;
            }
            let name = OsStr::from_bytes(name);
            let Ok(file) = open(&self.folder, name) else { continue };
            let is_ours = file.metadata().is_ok_and(|metadata| metadata.uid() == rustix::process::geteuid().as_raw());
            // Whoever is writing it holds its lock.
            if is_ours && flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok() {
                let _ = unlinkat(&self.folder, name, AtFlags::empty());
            }
        }
    }

    /// The new file, beside the old one, on the disk, with its mode and owner.
    fn write_beside(&self, bytes: &[u8]) -> Result<Beside<'_>, TargetError> {
        let fail = |failure: io::Error| failed(&self.path, "the new file cannot be written beside it", &failure);
        let mut beside = Beside::new(self).map_err(fail)?;
        // Closed to others until it has the mode of the old one, which may be one that allows more.
        beside.file.write_all(bytes).map_err(fail)?;
        let made = beside.file.metadata().map_err(fail)?;
        let (owner, group) = (self.metadata.uid(), self.metadata.gid());
        if (made.uid(), made.gid()) != (owner, group) {
            fchown(&beside.file, Some(owner), Some(group)).map_err(|failure| {
                let hint = format!("Run rollover as a user who may give files to {owner}:{group}");
                error(
                    TargetErrorKind::System,
                    &self.path,
                    &format!("its owner or group cannot be kept: {failure}"),
                    &hint,
                )
            })?;
        }
        attributes::copy(&self.file, &beside.file)
            .map_err(|failure| failed(&self.path, "its access control list cannot be kept", &failure))?;
        beside.file.set_permissions(fs::Permissions::from_mode(self.metadata.mode() & 0o7777)).map_err(fail)?;
        beside.file.sync_all().map_err(fail)?;
        Ok(beside)
    }
}

/// A new file beside the old one; it goes when it is dropped, unless it took the old one's name.
struct Beside<'a> {
    open: &'a Open,
    name: OsString,
    file: File,
    is_in_place: bool,
}

impl<'a> Beside<'a> {
    fn new(open: &'a Open) -> io::Result<Self> {
        loop {
            let mut name = open.beside();
            name.extend_from_slice(format!("{:016x}", fastrand::u64(..)).as_bytes());
            let name = OsStr::from_bytes(&name).to_owned();
            let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            match openat(&open.folder, &name, flags, Mode::RUSR | Mode::WUSR) {
                Err(Errno::EXIST) => {}
                Err(failure) => return Err(failure.into()),
                Ok(file) => {
                    let file = File::from(file);
                    // For whoever sweeps; where there are no locks nobody takes it for held.
                    let _ = flock(&file, FlockOperation::NonBlockingLockExclusive);
                    return Ok(Self { open, name, file, is_in_place: false });
                }
            }
        }
    }

    fn take_its_place(mut self) -> Result<(), TargetError> {
        let Open { folder, name, path, .. } = self.open;
        renameat(folder, &self.name, folder, name)
            .map_err(|failure| failed(path, "it cannot be replaced", &failure.into()))?;
        self.is_in_place = true;
        // A name is on the disk once its folder is.
        folder.sync_all().map_err(|failure| {
            let what = format!("it was replaced, but that may not be on the disk: {failure}");
            error(TargetErrorKind::System, path, &what, "Look at it before the next try")
        })
    }
}

impl Drop for Beside<'_> {
    fn drop(&mut self) {
        if !self.is_in_place {
            // What failed before is what matters; what stays is swept at the next try.
            let _ = unlinkat(&self.open.folder, &self.name, AtFlags::empty());
        }
    }
}

/// Why no file could be opened.
enum Failure {
    Kind { is_link: bool },
    System(io::Error),
}

impl From<io::Error> for Failure {
    fn from(failure: io::Error) -> Self {
        Self::System(failure)
    }
}

/// Opens a plain file to read it. Opening alone does something with many devices, and waits with a pipe: so its kind is asked
/// for before, and again of what was opened.
fn open(folder: &File, name: &OsStr) -> Result<File, Failure> {
    let stat = statat(folder, name, AtFlags::SYMLINK_NOFOLLOW).map_err(io::Error::from)?;
    let kind = FileType::from_raw_mode(stat.st_mode);
    if kind != FileType::RegularFile {
        return Err(Failure::Kind { is_link: kind == FileType::Symlink });
    }
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file = match openat(folder, name, flags, Mode::empty()) {
        Ok(file) => File::from(file),
        // FreeBSD says EMLINK.
        Err(Errno::LOOP | Errno::MLINK) => return Err(Failure::Kind { is_link: true }),
        Err(failure) => return Err(io::Error::from(failure).into()),
    };
    if file.metadata()?.is_file() { Ok(file) } else { Err(Failure::Kind { is_link: false }) }
}

pub(super) fn look(place: &FilePlace) -> Result<Seen, TargetError> {
    Open::at(place)?.look()
}

/// Removes what processes that died left beside a file, unless somebody is changing it.
pub(super) fn sweep(place: &FilePlace) {
    let Ok(open) = Open::at(place) else { return };
    if matches!(open.lock(), Ok(true)) && matches!(open.is_in_place(&Identity::of(&open.metadata)), Ok(true)) {
        open.sweep();
    }
}

/// Puts new contents in the place of old ones.
pub(super) fn replace(place: &FilePlace, identity: &Identity, old: &[u8], new: &[u8]) -> Result<(), TargetError> {
    let open = Open::at(place)?;
    open.wait_for_lock()?;
    let seen = open.look()?;
    if seen.identity != *identity || *seen.bytes != old || !open.is_in_place(identity)? {
        return Err(is_changed(&open.path));
    }
    allowed(place, &seen)?;
    // The lock is that of the file which has the name: whoever writes beside it now does not ask for it.
    open.sweep();
    if old == new {
        return Ok(());
    }
    let beside = open.write_beside(new)?;
    // The last look. It is by name: the file that we hold may have lost it.
    let last = Open::at(place)?.look()?;
    if last.identity != *identity || *last.bytes != old || !open.is_in_place(identity)? {
        return Err(is_changed(&open.path));
    }
    beside.take_its_place()
}

/// Access control lists and the like, which a new file does not have by itself.
#[cfg(any(target_os = "linux", target_os = "macos"))]
mod attributes {
    use std::fs::File;
    use std::io;

    use rustix::fs::{XattrFlags, fgetxattr, flistxattr, fsetxattr};
    use rustix::io::Errno;

    /// What decides who can read a file: without it an app may be locked out.
    const ACCESS: &[u8] = b"system.posix_acl_access";

    pub(super) fn copy(from: &File, to: &File) -> io::Result<()> {
        let mut names = vec![0; 64 << 10];
        let length = match flistxattr(from, names.as_mut_slice()) {
            Ok(length) => length,
            Err(Errno::OPNOTSUPP | Errno::NOSYS) => return Ok(()),
            Err(failure) => return Err(failure.into()),
        };
        let mut value = vec![0; 64 << 10];
        for name in names[..length].split(|byte| *byte == 0).filter(|name| !name.is_empty()) {
            let copied = fgetxattr(from, name, value.as_mut_slice())
                .and_then(|length| fsetxattr(to, name, &value[..length], XattrFlags::empty()));
            match copied {
                // Others are set by the system itself, or only by root: the folder's own apply, as to any new file.
                Err(failure) if name == ACCESS => return Err(failure.into()),
                _ => {}
            }
        }
        Ok(())
    }
}

/// Access control lists and the like, which this system has no call for that we know.
#[cfg(not(any(target_os = "linux", target_os = "macos")))]
mod attributes {
    pub(super) fn copy(_: &std::fs::File, _: &std::fs::File) -> std::io::Result<()> {
        Ok(())
    }
}
