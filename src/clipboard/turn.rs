use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

/// A note of which helper was the last to be started on this display.
///
/// When the same secret is copied twice, the first helper finds the clipboard holding just what it
/// would clear, half-way through the second one's time. The note tells it to leave that alone. Where
/// there is no private folder for the note, such a secret is cleared early: the safe side.
pub(super) struct Turn {
    path: Option<PathBuf>,
    mark: String,
}

impl Turn {
    /// Says that this process is the last one now.
    pub fn take() -> Self {
        Self::take_at(path())
    }

    fn take_at(path: Option<PathBuf>) -> Self {
        let nanoseconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos());
        let turn = Self { path, mark: format!("{}-{nanoseconds}", std::process::id()) };
        // A note that cannot be written is as good as no folder for it.
        let _ = turn.write();
        turn
    }

    /// Whether another helper was started since.
    pub fn is_over(&self) -> bool {
        self.path.as_ref().is_some_and(|path| fs::read(path).is_ok_and(|mark| mark != self.mark.as_bytes()))
    }

    /// Takes the note away, if it is still ours.
    pub fn give_back(&self) {
        if let Some(path) = &self.path
            && !self.is_over()
        {
            let _ = fs::remove_file(path);
        }
    }

    fn write(&self) -> std::io::Result<()> {
        let Some(path) = &self.path else { return Ok(()) };
        // Written beside and renamed, so that a reader never sees half a mark.
        let beside = path.with_extension(&self.mark);
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let written = options.open(&beside).and_then(|mut file| file.write_all(self.mark.as_bytes()));
        let renamed = written.and_then(|()| fs::rename(&beside, path));
        if renamed.is_err() {
            let _ = fs::remove_file(&beside);
        }
        renamed
    }
}

/// One note per display, in a folder that belongs to the user alone.
fn path() -> Option<PathBuf> {
    let folder = if cfg!(any(target_os = "macos", windows)) {
        // Both give every user their own.
        std::env::temp_dir()
    } else {
        PathBuf::from(std::env::var_os("XDG_RUNTIME_DIR").filter(|folder| !folder.is_empty())?)
    };
    let display = ["WAYLAND_DISPLAY", "DISPLAY"].iter().find_map(std::env::var_os).unwrap_or_default();
    let display: String = display
        .to_string_lossy()
        .chars()
        .map(|character| if character.is_ascii_alphanumeric() { character } else { '_' })
        .collect();
    Some(folder.join(format!("rollover-clipboard{display}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_to_come_has_the_turn() {
        let folder = tempfile::tempdir().unwrap();
        let note = folder.path().join("note");
        let first = Turn::take_at(Some(note.clone()));
        assert!(!first.is_over());
        let second = Turn::take_at(Some(note.clone()));
        assert!(first.is_over() && !second.is_over());

        first.give_back();
        assert!(note.exists() && !second.is_over(), "the first took the second's note away");
        second.give_back();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        assert!(!first.is_over(), "with nobody after it, the first clears its own value");
    }

    #[test]
    fn without_a_folder_everybody_has_the_turn() {
        let missing = tempfile::tempdir().unwrap().path().join("missing").join("note");
        for path in [None, Some(missing)] {
            let (first, second) = (Turn::take_at(path.clone()), Turn::take_at(path));
            assert!(!first.is_over() && !second.is_over());
            first.give_back();
        }
    }
}
