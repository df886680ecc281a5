use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::opening;

/// Room that is kept for a disk that is full: given up, it lets a change be recorded that must not be lost.
#[derive(Debug)]
pub(super) struct Spare {
    path: PathBuf,
}

impl Spare {
    /// How much is kept. A change takes a few pages of 4 KiB, and the journal as many again.
    const SIZE: usize = 256 << 10;

    pub(super) fn beside(ledger: &Path) -> Self {
        Self { path: ledger.with_file_name("ledger.spare") }
    }

    /// Puts it there where it is missing. It is no error where that cannot be: it is for later.
    pub(super) fn keep(&self) {
        let size = u64::try_from(Self::SIZE).unwrap_or_default();
        match fs::symlink_metadata(&self.path) {
            Ok(there) if there.is_file() && there.len() == size => {}
            // Trying would take the last room away, if only for a moment.
            _ if self.is_tight() => {}
            Ok(_) => {
                // Half of one: its writer died, or found no room.
                let _ = fs::remove_file(&self.path).and_then(|()| self.make());
            }
            Err(_) => {
                let _ = self.make();
            }
        }
    }

    /// Gives the room up; whether there was any.
    pub(super) fn give_up(&self) -> bool {
        fs::remove_file(&self.path).is_ok()
    }

    #[cfg(unix)]
    fn is_tight(&self) -> bool {
        let enough = u64::try_from(4 * Self::SIZE).unwrap_or_default();
        let folder = self.path.parent().unwrap_or(&self.path);
        rustix::fs::statvfs(folder).is_ok_and(|disk| disk.f_bavail.saturating_mul(disk.f_frsize) < enough)
    }

    #[cfg(not(unix))]
    fn is_tight(&self) -> bool {
        false
    }

    fn make(&self) -> io::Result<()> {
        let mut file = opening::new_file(&self.path)?;
        // Zeros would take no room where the file system compresses.
        let bytes: Vec<u8> = std::iter::repeat_with(|| fastrand::u8(..)).take(Self::SIZE).collect();
        let written = file.write_all(&bytes).and_then(|()| file.sync_all());
        if written.is_err() {
            let _ = fs::remove_file(&self.path);
        }
        written
    }
}
