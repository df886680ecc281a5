//! Sealed credentials under a passphrase that is quick to try, and what is sealed in them.
use std::path::{Path, PathBuf};

use age::secrecy::ExposeSecret as _;
use serde_json::Value;

use super::process::files;

/// The passphrase.
pub const PASSPHRASE: &str = "correct horse";

/// The key that opens them.
pub struct Sealed {
    home: PathBuf,
    identity: age::x25519::Identity,
}

impl Sealed {
    /// As if the passphrase had been chosen before; what a program chooses takes a second to try, on purpose.
    pub fn at(home: &Path) -> Self {
        let identity = age::x25519::Identity::generate();
        let mut under = age::scrypt::Recipient::new(PASSPHRASE.into());
        under.set_work_factor(2);
        let sealed = age::encrypt(&under, identity.to_string().expose_secret().as_bytes()).expect("it is sealed");
        write(&home.join("identity.age"), &sealed);
        write(&home.join("identity.pub"), format!("{}\n", identity.to_public()).as_bytes());
        Self { home: home.to_owned(), identity }
    }

    /// The files in which credentials are sealed.
    pub fn files(&self) -> Vec<PathBuf> {
        let folder = self.home.join("credentials");
        if folder.is_dir() { files(&folder) } else { Vec::new() }
    }

    /// What is sealed in them.
    pub fn documents(&self) -> Vec<Value> {
        let open = |path: &PathBuf| {
            let plain = age::decrypt(&self.identity, &std::fs::read(path).expect("a file")).expect("it is opened");
            serde_json::from_slice(&plain).expect("JSON")
        };
        self.files().iter().map(open).collect()
    }

    /// The public key, as the program reads it.
    pub fn public(&self) -> String {
        format!("{}\n", self.identity.to_public())
    }
}

/// Writes a file that only its owner can read.
pub fn write(path: &Path, contents: &[u8]) {
    std::fs::write(path, contents).expect("a file");
    #[cfg(unix)]
    std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).expect("a mode");
}
