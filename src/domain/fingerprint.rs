use std::fmt;

use aws_lc_rs::hmac;

use super::Secret;

/// The key that fingerprints are made with: 32 random bytes, kept beside the program's own state.
/// Without it a fingerprint says nothing about the secret.
pub struct FingerprintKey(hmac::Key);

impl FingerprintKey {
    /// Secrets shorter than this many characters get no fingerprint: they could be guessed from it
    /// by whoever steals both key and fingerprint.
    pub const SHORTEST: usize = 32;

    /// A key from 32 random bytes.
    #[must_use]
    pub fn new(bytes: &[u8; 32]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, bytes))
    }

    /// The fingerprint of `secret`, or `None` where the secret is too short to have a safe one.
    #[must_use]
    pub fn of(&self, secret: &Secret) -> Option<Fingerprint> {
        if secret.chars() < Self::SHORTEST {
            return None;
        }
        Some(self.print(secret)?.fingerprint())
    }

    /// The whole keyed hash of `secret`, to recognise it by; `None` where the secret is too short to have a safe one.
    #[must_use]
    pub fn print(&self, secret: &Secret) -> Option<SecretPrint> {
        if secret.chars() < Self::SHORTEST {
            return None;
        }
        Some(SecretPrint(self.sign(secret.expose().as_bytes())))
    }

    /// The keyed hash of a target's contents: they hold secrets, which a plain hash would let somebody guess at.
    #[must_use]
    pub fn contents(&self, bytes: &[u8]) -> ContentHash {
        ContentHash(self.sign(bytes))
    }

    fn sign(&self, bytes: &[u8]) -> [u8; 32] {
        let tag = hmac::sign(&self.0, bytes);
        let mut whole = [0; 32];
        whole.copy_from_slice(tag.as_ref());
        whole
    }
}

/// HMAC-SHA-256 over a secret: what the ledger recognises it by.
#[derive(Clone, Copy)]
pub struct SecretPrint([u8; 32]);

impl SecretPrint {
    /// From what the ledger holds.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// For the ledger.
    #[must_use]
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Its short form, to show.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint([self.0[0], self.0[1], self.0[2], self.0[3]])
    }
}

/// In constant time: how far two are equal tells nobody anything.
impl PartialEq for SecretPrint {
    fn eq(&self, other: &Self) -> bool {
        aws_lc_rs::constant_time::verify_slices_are_equal(&self.0, &other.0).is_ok()
    }
}

impl Eq for SecretPrint {}

impl fmt::Debug for SecretPrint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.fingerprint(), f)
    }
}

/// HMAC-SHA-256 over what a target holds.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ContentHash([u8; 32]);

impl ContentHash {
    /// From what the ledger holds.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// For the ledger.
    #[must_use]
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0[..4].iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for FingerprintKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// The first four bytes of HMAC-SHA-256 over a secret, shown as eight hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint([u8; 4]);

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depends_on_key_and_secret_and_refuses_short_ones() {
        let long = || Secret::new("a".repeat(64));
        let one = FingerprintKey::new(&[1; 32]);
        let two = FingerprintKey::new(&[2; 32]);
        assert_eq!(one.of(&long()), one.of(&long()));
        assert_ne!(one.of(&long()), two.of(&long()));
        assert_ne!(one.of(&long()), one.of(&Secret::new("b".repeat(64))));
        assert_eq!(one.of(&Secret::new("a".repeat(31))), None);
        assert_eq!(one.of(&long()).map(|f| f.to_string().len()), Some(8));
    }
}
