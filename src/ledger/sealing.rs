use std::io::{Read as _, Write as _};
use std::iter;
use std::sync::Arc;

use age::armor::{ArmoredWriter, Format};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::error::LedgerError;
use crate::domain::Secret;
use crate::domain::rollover::{Role, Rollover};

/// Whose secret is sealed. It stands in what is sealed too: age binds nothing from outside, and nothing else would keep rows from
/// being exchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Whose<'a> {
    pub(super) id: &'a str,
    pub(super) tenant: &'a str,
    pub(super) client_id: &'a str,
    pub(super) role: &'a str,
}

impl<'a> Whose<'a> {
    pub(super) fn of(rollover: &'a Rollover, role: Role) -> Self {
        Self {
            id: rollover.id.as_str(),
            tenant: rollover.tenant.base().as_str(),
            client_id: &rollover.client_id,
            role: role.name(),
        }
    }

    fn words(&self) -> String {
        let client_id = crate::domain::untrusted::brief(self.client_id).into_owned();
        format!("what is sealed as the {} secret of client {client_id} in rollover {}", self.role, self.id)
    }
}

#[derive(Serialize)]
struct Written<'a> {
    v: u32,
    rid: &'a str,
    tenant: &'a str,
    client_id: &'a str,
    role: &'a str,
    secret: &'a str,
}

#[derive(Deserialize)]
struct Read {
    v: u32,
    rid: String,
    tenant: String,
    client_id: String,
    role: String,
    secret: Zeroizing<String>,
}

/// Seals a secret for all of `recipients`. The result is a plain age file with JSON in it: whoever has a key can open it without
/// this program. Source: age-encryption.org/v1.
pub(super) fn seal(
    recipients: &[age::x25519::Recipient],
    whose: Whose<'_>,
    secret: &Secret,
) -> Result<Vec<u8>, LedgerError> {
    if recipients.is_empty() {
        return Err(LedgerError::NoKey);
    }
    let plain = written(whose, secret);
    let failed = |why: String| LedgerError::Refused(format!("sealing failed: {why}"));
    let encryptor = age::Encryptor::with_recipients(recipients.iter().map(|one| one as &dyn age::Recipient))
        .map_err(|error| failed(error.to_string()))?;
    let mut sealed = Vec::with_capacity(plain.len() + 512 + 128 * recipients.len());
    let done = encryptor.wrap_output(&mut sealed).and_then(|mut writer| {
        writer.write_all(&plain)?;
        writer.finish()
    });
    done.map_err(|error| failed(error.to_string()))?;
    Ok(sealed)
}

fn written(whose: Whose<'_>, secret: &Secret) -> Zeroizing<Vec<u8>> {
    let Whose { id, tenant, client_id, role } = whose;
    // Room from the start: a text that grows leaves copies behind. Escaping may make six bytes of one.
    let most = 6 * (secret.expose().len() + id.len() + tenant.len() + client_id.len() + role.len()) + 128;
    let mut bytes = Zeroizing::new(Vec::with_capacity(most));
    let document = Written { v: 1, rid: id, tenant, client_id, role, secret: secret.expose() };
    // Writing texts into memory does not fail.
    let _ = serde_json::to_writer(&mut *bytes, &document);
    bytes
}

/// Opens what was sealed; everything in it must be as expected.
pub(super) fn open(
    identity: &age::x25519::Identity,
    sealed: &[u8],
    whose: Whose<'_>,
) -> Result<Arc<Secret>, LedgerError> {
    let plain = match opened(identity, sealed) {
        Ok(plain) => plain,
        Err(age::DecryptError::NoMatchingKeys) => return Err(LedgerError::WrongKey),
        Err(_) => return Err(LedgerError::Foreign(format!("{} is damaged", whose.words()))),
    };
    let read: Read = serde_json::from_slice(&plain)
        .map_err(|_| LedgerError::Foreign(format!("{} was not written by rollover", whose.words())))?;
    if read.v != 1 {
        return Err(LedgerError::Foreign(format!("{} was written by a newer rollover", whose.words())));
    }
    let found = Whose { id: &read.rid, tenant: &read.tenant, client_id: &read.client_id, role: &read.role };
    if found != whose {
        return Err(LedgerError::Foreign(format!("{} belongs to something else; it is not used", whose.words())));
    }
    let mut secret = read.secret;
    Ok(Arc::new(Secret::new(std::mem::take(&mut *secret))))
}

fn opened(identity: &age::x25519::Identity, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, age::DecryptError> {
    let mut reader = age::Decryptor::new_buffered(sealed)?.decrypt(iter::once(identity as &dyn age::Identity))?;
    // What is opened is shorter than what was sealed, so this never grows.
    let mut plain = Zeroizing::new(Vec::with_capacity(sealed.len()));
    reader.read_to_end(&mut plain)?;
    Ok(plain)
}

/// In age's ASCII armour, to stand in a text.
pub(super) fn armoured(sealed: &[u8]) -> String {
    let done = ArmoredWriter::wrap_output(Vec::new(), Format::AsciiArmor).and_then(|mut writer| {
        writer.write_all(sealed)?;
        writer.finish()
    });
    // Writing into memory does not fail, and armour is ASCII.
    String::from_utf8(done.unwrap_or_default()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOSE: Whose<'static> =
        Whose { id: "an id", tenant: "https://acme.eu.auth0.com/", client_id: "a \"client\"", role: "new" };

    fn pair() -> (age::x25519::Identity, age::x25519::Recipient) {
        let identity = age::x25519::Identity::generate();
        let public = identity.to_public();
        (identity, public)
    }

    #[test]
    fn what_is_sealed_opens_for_each_key_and_for_no_other() {
        let ((own, own_public), (other, other_public), (stranger, _)) = (pair(), pair(), pair());
        for text in ["canary", "", "\u{1}\u{1f}\"\\\n", "é𝄞"] {
            let secret = Secret::new(text.to_owned());
            let sealed = seal(&[own_public.clone(), other_public.clone()], WHOSE, &secret).expect("it is sealed");
            assert_eq!(open(&own, &sealed, WHOSE).expect("our key").expose(), text);
            assert_eq!(open(&other, &sealed, WHOSE).expect("the other key").expose(), text);
            assert_eq!(open(&stranger, &sealed, WHOSE), Err(LedgerError::WrongKey));
        }
        assert_eq!(seal(&[], WHOSE, &Secret::new("canary".to_owned())), Err(LedgerError::NoKey));
    }

    #[test]
    fn what_belongs_to_something_else_is_not_used() {
        let (identity, public) = pair();
        let sealed =
            seal(std::slice::from_ref(&public), WHOSE, &Secret::new("canary".to_owned())).expect("it is sealed");
        for other in [
            Whose { id: "another", ..WHOSE },
            Whose { tenant: "https://evil.eu.auth0.com/", ..WHOSE },
            Whose { client_id: "another", ..WHOSE },
            Whose { role: "old", ..WHOSE },
        ] {
            let error = open(&identity, &sealed, other).expect_err("it is another's");
            assert!(
                matches!(&error, LedgerError::Foreign(why) if why.contains("belongs to something else")),
                "{error}"
            );
        }
        let mut broken = sealed.clone();
        *broken.last_mut().expect("bytes") ^= 1;
        let error = open(&identity, &broken, WHOSE).expect_err("it is damaged").to_string();
        assert!(error.contains("is damaged") && !error.contains("canary"), "{error}");
        for (text, part) in [("canary", "not written by rollover"), ("{\"v\":2}", "not written by rollover")] {
            let sealed = age::encrypt(&public, text.as_bytes()).expect("it is sealed");
            let error = open(&identity, &sealed, WHOSE).expect_err("it is none of ours").to_string();
            assert!(error.contains(part) && !error.contains("canary"), "{error}");
        }
    }

    #[test]
    fn what_is_written_has_room_for_every_escape() {
        let secret = Secret::new("\u{1}".repeat(500));
        let client_id = "\u{1f}".repeat(100);
        let whose = Whose { client_id: &client_id, ..WHOSE };
        let bytes = written(whose, &secret);
        let most = 6 * (500 + whose.id.len() + whose.tenant.len() + 100 + whose.role.len()) + 128;
        assert!(bytes.capacity() <= most, "it grew: {} of {most}", bytes.capacity());
    }
}
