use std::fmt;
use std::time::Duration;

use crate::domain::Untrusted;

/// Which kind of failure it was. Exit codes and screens are chosen by it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// 401: the token or the client's own credentials were refused, or have expired.
    Unauthorized,
    /// 403 for want of a scope. The scopes that would do are in [`Error::missing_scopes`].
    MissingScope,
    /// 403 for another reason: the plan, the account.
    Forbidden,
    /// 404: no such client.
    NotFound,
    /// 400, 405, 409, 413 …: the request was refused. Of a change, [`Error::applied`] says whether that is certain.
    Refused,
    /// 429, still after waiting as long as the policy allows.
    RateLimited,
    /// No connection: name not resolved, refused, TLS failed, proxy refused.
    Unreachable,
    /// Connected, but no whole answer in time.
    TimedOut,
    /// The connection broke before the whole answer was there.
    Broken,
    /// 5xx or 408: the server or a proxy before it failed.
    Server,
    /// 3xx: redirects are never followed.
    Redirected,
    /// The body was not what the API documents: not JSON, cut short, too large.
    Unreadable,
}

/// Whether a request that failed may have changed something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applied {
    /// Certainly not: it was refused, or never sent.
    No,
    /// It may have been.
    InDoubt,
}

/// A failed request, in words for a person and fields for a program.
///
/// It never holds a secret: request bodies, headers and answers with secrets stay out of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// Which kind.
    pub kind: ErrorKind,
    /// Whether it may have been applied. For a read this is always [`Applied::No`].
    pub applied: Applied,
    /// What was attempted, such as `rotate the secret of client abc`. Safe to print.
    pub doing: String,
    /// What Auth0 or the network said. Not safe to print as it is, hence the type.
    pub message: Untrusted,
    /// What to do about it, one sentence. Safe to print.
    pub hint: String,
    /// HTTP status, where there was one.
    pub status: Option<u16>,
    /// Auth0's `errorCode`.
    pub error_code: Option<Untrusted>,
    /// The scopes of which any one would have permitted it.
    pub missing_scopes: Vec<Untrusted>,
    /// What was sent as `X-Correlation-ID`: to find the request in the tenant's log.
    pub correlation_id: Option<String>,
    /// How long the server asked to wait, where it did.
    pub retry_after: Option<Duration>,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "could not {}: {}", self.doing, self.message.shown())?;
        if let Some(status) = self.status {
            write!(f, " (HTTP {status}")?;
            if let Some(code) = &self.error_code {
                write!(f, ", {}", code.shown())?;
            }
            write!(f, ")")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}
