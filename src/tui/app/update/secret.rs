use std::sync::Arc;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::auth0::{Error, SecretRead};
use crate::domain::{Domain, Secret};
use crate::tui::app::effect::Effect;
use crate::tui::app::event::{CopyKind, CopyReport};
use crate::tui::app::keymap::known_secret;
use crate::tui::app::screen::Screen;
use crate::tui::app::screen::pane::{Purpose, SecretView};
use crate::tui::app::state::{InClipboard, REVEAL_STAYS, State, Ticket, Tone};

pub(super) fn reveal(state: &mut State) -> Vec<Effect> {
    let ticket = state.ticket();
    let until = state.now.after(REVEAL_STAYS);
    let Screen::Main(main) = &state.screen else { return Vec::new() };
    let known = main.pane.as_ref().and_then(|pane| known_secret(state, &pane.client_id)).cloned();
    let Screen::Main(main) = &mut state.screen else { return Vec::new() };
    let Some(pane) = &mut main.pane else { return Vec::new() };
    match (&pane.secret, known) {
        (SecretView::Shown { .. } | SecretView::Reading { purpose: Purpose::Reveal, .. }, _) => {
            pane.secret = SecretView::Masked;
            Vec::new()
        }
        (_, Some(secret)) if !main.tenant.scopes().read_secrets().may() => {
            pane.secret = SecretView::Shown { secret, until };
            Vec::new()
        }
        _ => {
            pane.secret = SecretView::Reading { ticket, purpose: Purpose::Reveal };
            vec![Effect::ReadSecret(ticket, pane.client_id.clone())]
        }
    }
}

pub(super) fn read_to_copy(state: &mut State, kind: CopyKind) -> Vec<Effect> {
    let ticket = state.ticket();
    let Screen::Main(main) = &state.screen else { return Vec::new() };
    let Some(pane) = &main.pane else { return Vec::new() };
    let client_id = pane.client_id.clone();
    let shown = match &pane.secret {
        SecretView::Shown { secret, .. } => Some(Arc::clone(secret)),
        _ if !main.tenant.scopes().read_secrets().may() => known_secret(state, &client_id).cloned(),
        _ => None,
    };
    if let Some(secret) = shown {
        return copy_with_secret(&main.tenant.domain().to_string(), kind, &client_id, &secret);
    }
    if let Screen::Main(main) = &mut state.screen
        && let Some(pane) = &mut main.pane
    {
        pane.secret = SecretView::Reading { ticket, purpose: Purpose::Copy(kind) };
        return vec![Effect::ReadSecret(ticket, client_id)];
    }
    Vec::new()
}

pub(super) fn secret_arrived(state: &mut State, ticket: Ticket, result: Result<SecretRead, Error>) -> Vec<Effect> {
    let until = state.now.after(REVEAL_STAYS);
    let Screen::Main(main) = &mut state.screen else { return Vec::new() };
    let Some(pane) = &mut main.pane else { return Vec::new() };
    let SecretView::Reading { ticket: asked, purpose } = pane.secret else { return Vec::new() };
    if asked != ticket {
        return Vec::new();
    }
    let client_id = pane.client_id.clone();
    match (result, purpose) {
        (Ok(SecretRead::Readable(secret)), Purpose::Reveal) => {
            pane.secret = SecretView::Shown { secret, until };
            Vec::new()
        }
        (Ok(SecretRead::Readable(secret)), Purpose::Copy(kind)) => {
            pane.secret = SecretView::Masked;
            copy_with_secret(&main.tenant.domain().to_string(), kind, &client_id, &secret)
        }
        (Ok(SecretRead::NotVisible), _) => {
            pane.secret = SecretView::NotVisible;
            Vec::new()
        }
        (Err(error), _) => {
            pane.secret = SecretView::Failed(error);
            Vec::new()
        }
    }
}

pub(super) fn copy_with_secret(domain: &str, kind: CopyKind, client_id: &str, secret: &Arc<Secret>) -> Vec<Effect> {
    let text = match kind {
        CopyKind::Env => Arc::new(Secret::new(env_lines(domain, client_id, secret.expose()))),
        _ => Arc::clone(secret),
    };
    vec![Effect::CopySecret(kind, text)]
}

/// Lines for an `.env` file. A value of harmless characters stands bare; any other in double quotes, with what dotenv parsers and
/// shells expand there escaped.
fn env_lines(domain: &str, client_id: &str, secret: &str) -> String {
    let quoted = |value: &str| {
        let harmless = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ':' | '/');
        if !value.is_empty() && value.chars().all(harmless) {
            return value.to_owned();
        }
        let mut out = String::from('"');
        for character in value.chars() {
            match character {
                '\n' => out.push_str("\\n"),
                '"' | '\\' | '$' | '`' => out.extend(['\\', character]),
                other => out.push(other),
            }
        }
        out.push('"');
        out
    };
    format!(
        "AUTH0_DOMAIN={}\nAUTH0_CLIENT_ID={}\nAUTH0_CLIENT_SECRET={}\n",
        quoted(domain),
        quoted(client_id),
        quoted(secret)
    )
}

/// What RFC 3986 lets stand in a path as it is.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

pub(super) fn curl(domain: &Domain, client_id: &str) -> String {
    let id = utf8_percent_encode(client_id, UNRESERVED);
    format!(
        "curl --request POST --fail-with-body \\\n  --url '{}api/v2/clients/{id}/rotate-secret' \\\n  \
         --header \"Authorization: Bearer $AUTH0_API_TOKEN\"\n",
        domain.base()
    )
}

pub(super) fn copied(state: &mut State, kind: CopyKind, result: Result<CopyReport, String>) {
    let what = match kind {
        CopyKind::Secret => "Client secret",
        CopyKind::Pending => "Pending client secret",
        CopyKind::ClientId => "Client id",
        CopyKind::Env => "Lines for .env, with the secret,",
        CopyKind::Curl => "curl command",
    };
    let report = match result {
        Ok(report) => report,
        Err(why) => return state.say(Tone::Bad, format!("{what} not copied: {why}")),
    };
    let mut text = format!("{what} copied to the {}", report.route);
    if let Some(wait) = report.clears_after {
        text = format!("{text}; cleared in {} s", wait.as_secs());
        state.clipboard = Some(InClipboard {
            kind,
            by_terminal: report.route.contains("terminal"),
            clears_at: state.now.after(wait),
        });
    }
    text.push('.');
    if let Some(notice) = report.notice {
        text.push(' ');
        text.push_str(&notice);
    }
    state.say(Tone::Good, text);
}
