use std::fmt;

use crate::auth0::{Applied, Error, ErrorKind};
use crate::domain::{OpenFailure, Untrusted};
use crate::ledger::LedgerError;
use crate::rollover::{Trouble, TroubleKind};
use crate::targets::TargetError;
use crate::tenants::{ConfigError, EditError, KeyTrouble, SelectError, StoreError};

/// Exit codes; scripts depend on them.
pub mod code {
    /// Done.
    pub const DONE: u8 = 0;
    /// Failed, nothing in doubt.
    pub const FAILED: u8 = 1;
    /// The command line is wrong.
    pub const USAGE: u8 = 2;
    /// Not signed in, or the token was refused.
    pub const NOT_SIGNED_IN: u8 = 3;
    /// A scope is missing.
    pub const NOT_PERMITTED: u8 = 4;
    /// No such client, or an ambiguous name.
    pub const NO_SUCH_CLIENT: u8 = 5;
    /// A change may or may not have happened.
    pub const IN_DOUBT: u8 = 6;
    /// Some of several clients failed.
    pub const PARTLY_DONE: u8 = 7;
    /// Somebody else changed the secret meanwhile.
    pub const CONFLICT: u8 = 8;
    /// The ledger could not be opened, locked or written.
    pub const LEDGER: u8 = 9;
    /// Auth0 could not be reached, or kept refusing for its rate limit.
    pub const UNREACHABLE: u8 = 10;
    /// Interrupted.
    pub const INTERRUPTED: u8 = 130;
}

/// Why a command ends without having done what it was asked to.
#[derive(Debug, Default)]
pub struct Failure {
    /// The exit code.
    pub code: u8,
    /// A word for programs, such as `missing_scope`.
    pub kind: &'static str,
    /// What went wrong. Safe to print.
    pub message: String,
    /// What to do about it; may be empty. Safe to print.
    pub hint: String,
    /// HTTP status, where there was one.
    pub status: Option<u16>,
    /// Auth0's `errorCode`.
    pub error_code: Option<Untrusted>,
    /// The client that it is about.
    pub client_id: Option<String>,
}

impl Failure {
    /// A wrong command line.
    pub fn usage(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { code: code::USAGE, kind: "usage", message: message.into(), hint: hint.into(), ..Self::default() }
    }

    /// Something that did not work, with nothing in doubt.
    pub fn failed(kind: &'static str, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { code: code::FAILED, kind, message: message.into(), hint: hint.into(), ..Self::default() }
    }

    /// The same, about this client.
    #[must_use]
    pub fn about(self, client_id: &str) -> Self {
        Self { client_id: Some(client_id.to_owned()), ..self }
    }

    /// Whether it is no failure at all: whoever read our output has seen enough.
    #[must_use]
    pub fn is_closed_pipe(&self) -> bool {
        self.kind == CLOSED_PIPE
    }
}

const CLOSED_PIPE: &str = "closed_pipe";

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// The exit code for a failed request.
#[must_use]
pub fn code_of(error: &Error) -> u8 {
    if error.applied == Applied::InDoubt {
        return code::IN_DOUBT;
    }
    match error.kind {
        ErrorKind::Unauthorized => code::NOT_SIGNED_IN,
        ErrorKind::MissingScope | ErrorKind::Forbidden => code::NOT_PERMITTED,
        ErrorKind::NotFound => code::NO_SUCH_CLIENT,
        ErrorKind::RateLimited | ErrorKind::Unreachable | ErrorKind::TimedOut | ErrorKind::Broken => code::UNREACHABLE,
        ErrorKind::Refused | ErrorKind::Server | ErrorKind::Redirected | ErrorKind::Unreadable => code::FAILED,
    }
}

fn kind_of(error: &Error) -> &'static str {
    match error.kind {
        ErrorKind::Unauthorized => "unauthorized",
        ErrorKind::MissingScope => "missing_scope",
        ErrorKind::Forbidden => "forbidden",
        ErrorKind::NotFound => "not_found",
        ErrorKind::Refused => "refused",
        ErrorKind::RateLimited => "rate_limited",
        ErrorKind::Unreachable => "unreachable",
        ErrorKind::TimedOut => "timed_out",
        ErrorKind::Broken => "broken",
        ErrorKind::Server => "server",
        ErrorKind::Redirected => "redirected",
        ErrorKind::Unreadable => "unreadable",
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self {
            code: code_of(&error),
            kind: kind_of(&error),
            message: error.to_string(),
            hint: error.hint,
            status: error.status,
            error_code: error.error_code,
            client_id: None,
        }
    }
}

impl From<Trouble> for Failure {
    fn from(trouble: Trouble) -> Self {
        let (code, kind) = match &trouble.kind {
            TroubleKind::Ledger(_) => (code::LEDGER, "ledger"),
            TroubleKind::Auth0(error) => {
                let hint = trouble.hint.clone();
                return Self { hint, ..Self::from((**error).clone()) };
            }
            TroubleKind::InDoubt => (code::IN_DOUBT, "in_doubt"),
            TroubleKind::Conflict => (code::CONFLICT, "conflict"),
            TroubleKind::Targets => (code::FAILED, "targets"),
            TroubleKind::NotNow => (code::FAILED, "not_now"),
            TroubleKind::NotVerified => (code::FAILED, "not_verified"),
        };
        let cause = trouble.cause.as_deref();
        Self {
            code,
            kind,
            message: trouble.message,
            hint: trouble.hint,
            status: cause.and_then(|cause| cause.status),
            error_code: cause.and_then(|cause| cause.error_code.clone()),
            client_id: trouble.rollover.map(|rollover| rollover.client_id),
        }
    }
}

impl From<LedgerError> for Failure {
    fn from(error: LedgerError) -> Self {
        Trouble::from(error).into()
    }
}

impl From<KeyTrouble> for Failure {
    fn from(trouble: KeyTrouble) -> Self {
        let hint = match &trouble {
            KeyTrouble::Ledger(error) => return error.clone().into(),
            KeyTrouble::NeedsPassphrase => "Run it on a terminal, which asks for it; or name a key of age that opens the \
                                            ledger: identity_file in config.toml, or ROLLOVER_IDENTITY_FILE."
                .to_owned(),
            KeyTrouble::NeedsNewPassphrase(_) => {
                "Run it on a terminal once, which asks for a passphrase; or name a file that age-keygen made: identity_file in \
                 config.toml, or ROLLOVER_IDENTITY_FILE."
                    .to_owned()
            }
            KeyTrouble::Unavailable(_) => String::new(),
        };
        Self { code: code::LEDGER, kind: "ledger_key", message: trouble.to_string(), hint, ..Self::default() }
    }
}

impl From<TargetError> for Failure {
    fn from(error: TargetError) -> Self {
        Self::failed("target", error.message, error.hint)
    }
}

impl From<SelectError> for Failure {
    fn from(error: SelectError) -> Self {
        match error {
            SelectError::Wrong(message) => Self::usage(message, ""),
            SelectError::NotSignedIn(message) => {
                Self { code: code::NOT_SIGNED_IN, kind: "not_signed_in", message, ..Self::default() }
            }
        }
    }
}

impl From<OpenFailure> for Failure {
    fn from(error: OpenFailure) -> Self {
        let (message, hint) = (error.message, error.hint);
        Self { code: code::NOT_SIGNED_IN, kind: "not_signed_in", message, hint, ..Self::default() }
    }
}

impl From<EditError> for Failure {
    fn from(error: EditError) -> Self {
        match error {
            EditError::Mistake(error) => error.into(),
            EditError::NoTenant(why) => Self::usage(why, "`rollover tenants` lists them."),
            EditError::NoTarget(why) => Self::usage(why, "`rollover target list` lists them."),
            EditError::TargetExists(why) => {
                Self::usage(why, "Give another name, or drop that one first: `rollover target remove`.")
            }
            EditError::Wrong(why) => Self::usage(why, ""),
            EditError::File(..) => Self::failed("config", error.to_string(), ""),
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Edit(error) => error.into(),
            StoreError::Vault(error) => {
                Self::failed("store", error.to_string(), "`rollover doctor` says what is wrong.")
            }
        }
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::usage(error.to_string(), "")
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        if error.kind() == std::io::ErrorKind::BrokenPipe {
            return Self { code: code::DONE, kind: CLOSED_PIPE, ..Self::default() };
        }
        Self::failed("output", format!("could not write the output: {error}"), "")
    }
}
