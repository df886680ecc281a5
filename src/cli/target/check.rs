//! `target check`.
use std::borrow::Cow;
use std::sync::Arc;

use futures_util::future::join_all;
use serde_json::{Value, json};

use super::super::Ended;
use super::super::arguments::{Check, Global};
use super::super::exit::{Failure, code};
use super::super::output::{Output, say};
use super::super::pick::pick;
use super::super::session::Session;
use super::{name_of, record, row, warn};
use crate::auth0::{Api, ErrorKind, SecretRead};
use crate::domain::target::{Held, Holding, Target, holding};
use crate::domain::untrusted::shown;
use crate::domain::{FingerprintKey, Rollover, Secret};
use crate::targets::{self, Reading, TargetError, TargetErrorKind};
use crate::tenants::fingerprint_key;

/// What a look at one target came to.
struct Looked {
    client_id: String,
    name: Option<String>,
    target: Target,
    warnings: Vec<String>,
    found: Result<Option<Holding>, Trouble>,
}

/// Why nothing was found. Safe to print.
struct Trouble {
    kind: &'static str,
    message: String,
    hint: String,
}

impl Looked {
    /// Whether apps that read it get in, and it holds nothing that nobody knows.
    fn is_well(&self) -> bool {
        matches!(&self.found, Ok(Some(holding)) if holding.works() && holding.word() != "drift")
    }

    fn holding(&self) -> Option<Holding> {
        self.found.as_ref().ok().copied().flatten()
    }

    fn object(&self) -> Value {
        let holding = self.holding();
        let error = self.found.as_ref().err();
        json!({
            "client_id": self.client_id,
            "name": self.name,
            "target": self.target.name,
            "place": self.target.place_words(),
            "current": holding.map(|holding| holding.current.name()),
            "fallback": holding.map(|holding| holding.fallback.name()),
            "holds": holding.map(Holding::word),
            "warnings": self.warnings,
            "error": error.map(|error| json!({ "kind": error.kind, "message": error.message, "hint": error.hint })),
        })
    }
}

/// Compares what targets hold with what is live.
pub async fn run(global: &Global, check: &Check) -> Ended {
    let session = Session::open(global).await?;
    let mut output = Output::new(check.json);
    let (mut clients, mut named) = (session.profile.targets.clone(), None);
    if let Some(wanted) = &check.client {
        let client = pick(&session.api, wanted, &output, &mut None).await?;
        clients.retain(|id, _| id == client.summary.client_id.raw());
        named = name_of(&client);
    }
    let key = fingerprint_key(session.tenants.home()).map_err(|why| {
        Failure::failed(
            "fingerprint_key",
            format!("nothing can be compared without the key of fingerprints: {why}"),
            "",
        )
    })?;
    let ledger = record(&session.tenants);
    let mut all = Vec::new();
    for (id, targets) in clients {
        let row = row(ledger.as_ref(), &session.profile, &id);
        let name = named.clone().or_else(|| row.as_ref().map(|row| row.name.raw().to_owned()));
        let live = live(&session.api, &id).await?;
        all.extend(look(&id, name, targets, live, row.as_ref(), &key).await);
    }
    tell(&mut output, &all)?;
    Ok(if all.iter().all(Looked::is_well) { code::DONE } else { code::FAILED })
}

/// The live secret of a client; `None` where it cannot be read. That the client is gone concerns its targets only.
async fn live(api: &Api, client_id: &str) -> Result<Result<Option<Arc<Secret>>, Trouble>, Failure> {
    match api.client_secret(client_id).await {
        Ok(SecretRead::Readable(secret)) => Ok(Ok(Some(secret))),
        Ok(SecretRead::NotVisible) => Ok(Ok(None)),
        Err(error) if error.kind == ErrorKind::MissingScope => Ok(Ok(None)),
        Err(error) if error.kind == ErrorKind::NotFound => Ok(Err(Trouble {
            kind: "no_such_client",
            message: "this tenant has no such client any more".to_owned(),
            hint: "`rollover target remove` drops the target.".to_owned(),
        })),
        Err(error) => Err(Failure::from(error).about(client_id)),
    }
}

/// Looks at all targets of a client.
async fn look(
    client_id: &str,
    name: Option<String>,
    targets: Vec<Target>,
    live: Result<Option<Arc<Secret>>, Trouble>,
    row: Option<&Rollover>,
    key: &FingerprintKey,
) -> Vec<Looked> {
    let read = join_all(targets.iter().map(|target| targets::read(target, client_id, key))).await;
    let each = targets.into_iter().zip(read).map(|(target, read)| {
        let (mut warnings, mut slots) = (Vec::new(), None);
        let mut found = match (&live, read) {
            (Err(gone), _) => Err(Trouble { kind: gone.kind, message: gone.message.clone(), hint: gone.hint.clone() }),
            (Ok(_), Err(error)) => Err(trouble(error)),
            (Ok(_), Ok(Reading { slots: there, warnings: told, .. })) => {
                warnings = told;
                slots = Some(there);
                Ok(None)
            }
        };
        if let (Ok(live), Some(slots)) = (&live, slots) {
            if live.is_none() && row.is_none() {
                warnings.push(
                    "nothing to compare with: the live secret cannot be read, and the ledger knows none of this client"
                        .to_owned(),
                );
            } else {
                found = Ok(Some(holding(&slots, live.as_deref(), row, key)));
            }
        }
        Looked { client_id: client_id.to_owned(), name: name.clone(), target, warnings, found }
    });
    each.collect()
}

fn trouble(error: TargetError) -> Trouble {
    let kind = match error.kind {
        TargetErrorKind::Missing => "missing",
        TargetErrorKind::Refused => "refused",
        TargetErrorKind::Changed => "changed",
        TargetErrorKind::Format => "format",
        TargetErrorKind::System => "system",
        TargetErrorKind::Command => "command",
        TargetErrorKind::CannotRead => "cannot_read",
    };
    Trouble { kind, message: error.message, hint: error.hint }
}

fn tell(output: &mut Output, all: &[Looked]) -> Result<(), Failure> {
    if output.json {
        output.document(&all.iter().map(Looked::object).collect::<Vec<_>>())?;
        return Ok(());
    }
    let rows = all.iter().map(|one| -> [Cow<'_, str>; 6] {
        let holding = one.holding();
        let slot = |held: fn(Holding) -> Held| holding.map(|holding| words(held(holding))).unwrap_or_default();
        let word = match &one.found {
            Ok(holding) => holding.map_or("unknown", Holding::word),
            Err(_) => "error",
        };
        [
            one.client_id.as_str().into(),
            one.target.name.as_str().into(),
            word.into(),
            slot(|holding| holding.current).into(),
            slot(|holding| holding.fallback).into(),
            one.target.place_words().into(),
        ]
    });
    output.rows(["CLIENT ID", "TARGET", "HOLDS", "FIRST", "FALLBACK", "PLACE"], rows)?;
    if all.is_empty() {
        output.progress("There are no targets. `rollover target add` adds one.");
    }
    for one in all {
        let name = shown(&one.target.name);
        for text in &one.warnings {
            warn(&format!("“{name}” of {}: {text}", shown(&one.client_id)));
        }
        if let Err(error) = &one.found {
            warn(&format!("“{name}” of {}: {}", shown(&one.client_id), error.message));
            if !error.hint.is_empty() {
                say(&format!("  {}", error.hint));
            }
        }
    }
    Ok(())
}

fn words(held: Held) -> String {
    match held {
        Held::Other(Some(print)) => format!("other ({print})"),
        held => held.name().to_owned(),
    }
}
