use std::io::{self, Read};
use std::time::Duration;

use zeroize::Zeroizing;

use super::ClipboardError;
use crate::domain::Secret;

/// The most bytes the helper takes. Secrets have 64, an `.env` snippet a few hundred.
pub(super) const LIMIT: usize = 1024 * 1024;

/// Both sides are normally the same file; after an upgrade under a running program they may not be.
const GREETING: &str = "rollover-clipboard/1";

/// The helper's answer once the clipboard really holds the value.
pub(super) const READY: &str = "ready";

/// Before the reason, when it does not.
pub(super) const FAILED: &str = "failed ";

/// What the helper is told on its stdin: a line `rollover-clipboard/1 MILLISECONDS BYTES`, where
/// `keep` in the place of the milliseconds means never to clear, then so many bytes of UTF-8.
pub(super) struct Request {
    /// What to hold.
    pub value: Secret,
    /// When to clear it. `None`: it is no secret, hold it until somebody else copies something.
    pub clear_after: Option<Duration>,
}

impl Request {
    /// A request to hold `text`.
    pub fn new(text: &str, clear_after: Option<Duration>) -> Result<Self, ClipboardError> {
        if text.len() > LIMIT {
            return Err(ClipboardError::TooLong { bytes: text.len(), limit: LIMIT });
        }
        Ok(Self { value: Secret::new(text.to_owned()), clear_after })
    }

    /// The bytes for the helper's stdin.
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let text = self.value.expose();
        let clear_after = self.clear_after.map_or_else(|| "keep".to_owned(), |after| after.as_millis().to_string());
        let header = format!("{GREETING} {clear_after} {}\n", text.len());
        // Sized beforehand: a growing vector would leave unwiped copies behind.
        let mut bytes = Zeroizing::new(Vec::with_capacity(header.len() + text.len()));
        bytes.extend_from_slice(header.as_bytes());
        bytes.extend_from_slice(text.as_bytes());
        bytes
    }

    /// Reads a request to its end. One that was cut short is an error: half a secret in the
    /// clipboard would be taken for the whole.
    pub fn read(source: impl Read) -> io::Result<Self> {
        const HEADER_LIMIT: usize = 64;
        let mut bytes = Zeroizing::new(Vec::with_capacity(HEADER_LIMIT + LIMIT + 1));
        source.take((HEADER_LIMIT + LIMIT + 1) as u64).read_to_end(&mut bytes)?;
        Self::parse(&bytes).ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "not a whole clipboard request"))
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let end = bytes.iter().position(|byte| *byte == b'\n')?;
        let (header, value) = (std::str::from_utf8(&bytes[..end]).ok()?, &bytes[end + 1..]);
        let mut words = header.split(' ');
        if words.next() != Some(GREETING) {
            return None;
        }
        let clear_after = match words.next()? {
            "keep" => None,
            milliseconds => Some(Duration::from_millis(milliseconds.parse().ok()?)),
        };
        let length: usize = words.next()?.parse().ok()?;
        if words.next().is_some() || length != value.len() || length > LIMIT || length == 0 {
            return None;
        }
        Some(Self { value: Secret::new(std::str::from_utf8(value).ok()?.to_owned()), clear_after })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn there_and_back(text: &str, clear_after: Option<Duration>) {
        let bytes = Request::new(text, clear_after).unwrap().to_bytes();
        let read = Request::read(bytes.as_slice()).unwrap();
        assert_eq!(read.value.expose(), text);
        assert_eq!(read.clear_after, clear_after);
    }

    #[test]
    fn a_request_arrives_as_it_was_sent() {
        there_and_back("p4ss", Some(Duration::from_secs(30)));
        there_and_back("line one\nline two\n", None);
        there_and_back("é\u{202e}🦀\0", Some(Duration::ZERO));
        there_and_back(&"x".repeat(LIMIT), None);
    }

    #[test]
    fn a_request_that_was_cut_anywhere_is_refused() {
        let whole = Request::new("sécret\nvalue", Some(Duration::from_secs(1))).unwrap().to_bytes();
        for end in 0..whole.len() {
            assert!(Request::read(&whole[..end]).is_err(), "cut at {end}");
        }
        let mut longer = whole.to_vec();
        longer.push(b'x');
        assert!(Request::read(longer.as_slice()).is_err());
    }

    #[test]
    fn too_much_is_refused_on_both_sides() {
        assert!(matches!(
            Request::new(&"x".repeat(LIMIT + 1), None),
            Err(ClipboardError::TooLong { bytes, limit: LIMIT }) if bytes == LIMIT + 1
        ));
        assert!(Request::read(io::repeat(b'x')).is_err());
    }
}
