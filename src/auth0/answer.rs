use serde::Deserialize;

use super::error::{Applied, Error, ErrorKind};
use super::pace::wait_asked_for;
use super::transport::Answer;
use crate::domain::Untrusted;

/// The envelopes of the Management API (`statusCode`, `error`, `message`, `errorCode`) and of the token endpoint (`error`,
/// `error_description`). Source: recordings of go-auth0 and the deploy CLI; RFC 6749, 5.2.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Envelope {
    error: serde_json::Value,
    message: serde_json::Value,
    error_description: serde_json::Value,
    #[serde(rename = "errorCode")]
    error_code: serde_json::Value,
}

fn text(value: &serde_json::Value) -> Option<&str> {
    value.as_str().filter(|text| !text.is_empty())
}

/// How much of a foreign message is kept.
const MOST_TEXT: usize = 600;

fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(MOST_TEXT)]
}

impl Answer {
    /// The answer itself if it is a success, else what is wrong with it. `mutation` says whether the request could
    /// have changed something.
    pub(super) fn accept(self, doing: &str, mutation: bool) -> Result<Self, Error> {
        match self.status {
            200..=299 => Ok(self),
            status => Err(self.into_error(status, doing, mutation)),
        }
    }

    fn into_error(self, status: u16, doing: &str, mutation: bool) -> Error {
        let envelope: Envelope = serde_json::from_slice(&self.body).unwrap_or_default();
        let message = text(&envelope.message)
            .or_else(|| text(&envelope.error_description))
            .or_else(|| text(&envelope.error))
            .map_or_else(|| "the answer holds no message of Auth0's".to_owned(), |text| cut(text).to_owned());
        let error_code = text(&envelope.error_code).map(cut).map(Untrusted::from);
        let missing_scopes = if status == 403 { scopes_named(&message) } else { Vec::new() };
        let kind = match status {
            300..=399 => ErrorKind::Redirected,
            401 => ErrorKind::Unauthorized,
            403 if !missing_scopes.is_empty() || message.starts_with("You cannot read") => ErrorKind::MissingScope,
            403 => ErrorKind::Forbidden,
            404 => ErrorKind::NotFound,
            408 | 500..=599 => ErrorKind::Server,
            429 => ErrorKind::RateLimited,
            400..=499 => ErrorKind::Refused,
            _ => ErrorKind::Unreadable,
        };
        // Only these, documented or seen of Auth0 itself, say for certain that nothing was applied (OAS, `post_rotate-secret`).
        // Others below 500 are as likely a proxy's; 499, say, means that it gave up while Auth0 was still at work.
        let refused = matches!(status, 400 | 401 | 403 | 404 | 409 | 429);
        let applied = if mutation && !refused { Applied::InDoubt } else { Applied::No };
        Error {
            hint: hint(&kind, applied, &missing_scopes, &message),
            kind,
            applied,
            doing: doing.to_owned(),
            message: message.into(),
            status: Some(status),
            error_code,
            missing_scopes,
            correlation_id: None,
            retry_after: wait_asked_for(&self.headers, None),
        }
    }

    /// For a 404 where no client was asked for: what answers there is no Auth0, or knows no such tenant.
    pub(super) fn nowhere(error: Error) -> Error {
        if error.kind != ErrorKind::NotFound {
            return error;
        }
        let hint = "Check the domain: no Auth0 tenant answers there.".to_owned();
        Error { kind: ErrorKind::Unreadable, hint, ..error }
    }

    /// For a success whose body is not what it should be.
    pub(super) fn unreadable(doing: &str, why: &str, mutation: bool) -> Error {
        Error {
            kind: ErrorKind::Unreadable,
            applied: if mutation { Applied::InDoubt } else { Applied::No },
            doing: doing.to_owned(),
            message: format!("the answer cannot be read: {why}").into(),
            hint: if mutation {
                "It may or may not have been applied. Look at the client before you try again.".to_owned()
            } else {
                "Check that the domain is an Auth0 tenant and that no proxy answers in its place.".to_owned()
            },
            status: None,
            error_code: None,
            missing_scopes: Vec::new(),
            correlation_id: None,
            retry_after: None,
        }
    }
}

/// "Insufficient scope, expected any of: a,b", with comma or semicolon after "scope".
fn scopes_named(message: &str) -> Vec<Untrusted> {
    let Some((before, after)) = message.split_once("expected any of:") else { return Vec::new() };
    if !before.to_ascii_lowercase().contains("insufficient scope") {
        return Vec::new();
    }
    after
        .split([',', ' '])
        .map(|name| name.trim_matches(['.', ' ']))
        // They end up in a command to be pasted: only what a scope is made of, and nothing that a shell obeys.
        .filter(|name| {
            !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b":_-.".contains(&byte))
        })
        .map(Untrusted::from)
        .collect()
}

fn hint(kind: &ErrorKind, applied: Applied, scopes: &[Untrusted], message: &str) -> String {
    let scope = scopes.iter().map(|scope| scope.shown().into_owned()).collect::<Vec<_>>().join(" or ");
    match kind {
        ErrorKind::Unauthorized => {
            "The token has expired, was revoked, or is for another tenant; get a new one.".to_owned()
        }
        ErrorKind::MissingScope if scope.is_empty() => {
            "Grant the scope read:client_keys: dashboard, Applications, APIs, Auth0 Management API, Machine to Machine Applications.".to_owned()
        }
        ErrorKind::MissingScope => format!(
            "Grant {scope}: dashboard, Applications, APIs, Auth0 Management API, Machine to Machine Applications. For a token of auth0-cli: auth0 login --scopes {}",
            scopes.first().map(|scope| scope.shown().into_owned()).unwrap_or_default()
        ),
        ErrorKind::Forbidden if message.contains("client-grant") => {
            "Authorize the client: dashboard, Applications, APIs, Auth0 Management API, Machine to Machine Applications.".to_owned()
        }
        ErrorKind::Forbidden if message.contains("Grant type") => {
            "Allow it: dashboard, Applications, the client, Settings, Advanced Settings, Grant Types. A machine-to-machine client has it.".to_owned()
        }
        ErrorKind::Forbidden if message.contains("not been granted scopes") => {
            "Grant them: dashboard, Applications, APIs, Auth0 Management API, Machine to Machine Applications.".to_owned()
        }
        ErrorKind::Forbidden => "The tenant's plan or account does not permit it.".to_owned(),
        ErrorKind::NotFound => "It may have been deleted meanwhile; load the list again. Check that this is the right tenant.".to_owned(),
        ErrorKind::RateLimited => "Nothing was applied. Wait a moment and try again.".to_owned(),
        ErrorKind::Refused if applied == Applied::No => "Auth0 understood the request and refused it; nothing was applied.".to_owned(),
        ErrorKind::Redirected if applied == Applied::No => {
            "Redirects are never followed. Check the domain: it must be the tenant itself.".to_owned()
        }
        _ if applied == Applied::InDoubt => "It may or may not have been applied. Look at the client before you try again.".to_owned(),
        _ => "Auth0, or a proxy before it, failed. Try again in a while; status.auth0.com tells of outages.".to_owned(),
    }
}
