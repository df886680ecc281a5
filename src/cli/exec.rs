use std::ffi::OsString;
use std::process::Command;
use std::sync::Arc;

use super::Ended;
use super::arguments::{Exec, Global};
use super::exit::{Failure, code};
use super::output::{Output, say};
use super::pick::pick;
use super::session::{Session, choose, none_selected, tenants};
use super::show::not_visible;
use super::{desk, show};
use crate::auth0::SecretRead;
use crate::domain::rollover::State;
use crate::domain::target::{CURRENT_KEY, FALLBACK_KEY, SlotNames, Target};
use crate::domain::untrusted::shown;
use crate::domain::{Profile, Role, Rollover, Secret};
use crate::tenants::{Tenants, check_variable};

/// What rollover itself signs in with: nothing that a program of an app's should get.
const OURS: [&str; 3] = ["AUTH0_API_TOKEN", "AUTH0_CLIENT_SECRET", "AUTH0_CLIENT_ASSERTION_PRIVATE_KEY"];

/// The secrets that an app would hold.
struct Secrets {
    current: Arc<Secret>,
    fallback: Option<Arc<Secret>>,
}

/// Runs a program with a client's secrets in its environment. Nothing else of ours may do that: the environment of a process can be
/// read by everything that runs as its user, and is handed on to everything that it starts.
pub async fn run(global: &Global, exec: &Exec) -> Ended {
    for name in [&exec.key, &exec.fallback_key].into_iter().flatten() {
        check_variable(name).map_err(|why| Failure::usage(why, ""))?;
    }
    let tenants = tenants()?;
    let (chosen, config) = choose(global, &tenants)?;
    let profile = chosen.ok_or_else(|| none_selected(&config))?.profile;
    let (id, secrets) = match known(&tenants, &profile, &exec.client).await? {
        Some(secrets) => (exec.client.clone(), secrets),
        None => asked(global, &tenants, exec).await?,
    };
    let (key, fallback_key) = names(exec, &profile.targets.get(&id).cloned().unwrap_or_default())?;
    let mut words = exec.command.iter();
    let program = words.next().ok_or_else(|| Failure::usage("no program is named", ""))?;
    let mut command = Command::new(program);
    command.args(words);
    for name in OURS {
        command.env_remove(name);
    }
    command.env("AUTH0_CLIENT_ID", &id).env(key, secrets.current.expose());
    match &secrets.fallback {
        Some(fallback) => command.env(fallback_key, fallback.expose()),
        None => command.env_remove(fallback_key),
    };
    become_of(command, program)
}

/// Takes the place of this process, so that signals and the exit code are the program's own.
#[cfg(unix)]
fn become_of(mut command: Command, program: &OsString) -> Ended {
    let error = std::os::unix::process::CommandExt::exec(&mut command);
    Err(cannot_run(program, &error))
}

#[cfg(not(unix))]
fn become_of(mut command: Command, program: &OsString) -> Ended {
    let ended = command.status().map_err(|error| cannot_run(program, &error))?;
    Ok(ended.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(code::FAILED))
}

fn cannot_run(program: &OsString, error: &std::io::Error) -> Failure {
    let program = program.to_string_lossy();
    Failure {
        code: code::FAILED,
        ..Failure::failed("command", format!("cannot run “{}”: {error}", shown(&program)), "")
    }
}

/// What the ledger has of a client that is named by its id: then nobody needs to be asked.
async fn known(tenants: &Tenants, profile: &Profile, client_id: &str) -> Result<Option<Secrets>, Failure> {
    // A look makes no ledger.
    let Some(ledger) = tenants.existing_ledger()? else { return Ok(None) };
    let row = ledger.latest(&profile.domain, client_id)?;
    let Some(row) = row else { return Ok(None) };
    let (current, fallback) = roles(&row);
    let Some(current) = current.filter(|role| row.holds(*role)) else { return Ok(None) };
    desk::unlocked(tenants, &ledger).await?;
    let Some(current) = ledger.secret(&row, current)? else { return Ok(None) };
    let fallback = match fallback.filter(|role| row.holds(*role)) {
        Some(role) => ledger.secret(&row, role)?,
        None => None,
    };
    Ok(Some(Secrets { current, fallback }))
}

/// Which of a rollover's secrets is live as far as the record goes, and which one an app would try next.
fn roles(row: &Rollover) -> (Option<Role>, Option<Role>) {
    match row.state {
        // Nobody knows which one is live: an app would try both.
        State::Sending | State::InDoubt | State::Unknown => (Some(Role::Old), Some(Role::New)),
        state if state.is_before_change() => (Some(Role::Old), Some(Role::New)),
        state if state.is_live() => (Some(Role::New), Some(Role::Old)),
        State::RollingBack => (Some(Role::New), Some(Role::Old)),
        State::Retired => (Some(Role::New), None),
        State::RolledBack | State::Abandoned => (Some(Role::Old), None),
        _ => (Some(if row.holds(Role::Observed) { Role::Observed } else { Role::Old }), None),
    }
}

/// The client, asked for at the tenant; and its secrets from the ledger, else the live one from Auth0.
async fn asked(global: &Global, tenants: &Tenants, exec: &Exec) -> Result<(String, Secrets), Failure> {
    let session = Session::open(global).await?;
    let client = pick(&session.api, &exec.client, &Output::new(false), &mut None).await?;
    let id = client.summary.client_id.raw().to_owned();
    if id != exec.client
        && let Some(secrets) = known(tenants, &session.profile, &id).await?
    {
        return Ok((id, secrets));
    }
    let current = match session.api.client_secret(&id).await {
        Ok(SecretRead::Readable(secret)) => secret,
        Ok(SecretRead::NotVisible) => return Err(not_visible(&session.api, &client).await),
        Err(error) => return Err(Failure::from(error).about(&id)),
    };
    let called = show::called(&client);
    say(&format!(
        "rollover: the ledger has no secret of “{called}”: this is the live one from Auth0, without a fallback"
    ));
    Ok((id, Secrets { current, fallback: None }))
}

/// The variables of current and fallback: as the flags say, else as the client's first target that can be a pair of them, else as usual.
fn names(exec: &Exec, targets: &[Target]) -> Result<(String, String), Failure> {
    let variable = |name: &str| {
        name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
            && !name.starts_with(|first: char| first.is_ascii_digit())
    };
    let of_target = targets.iter().find_map(|target| match &target.slots {
        SlotNames::Two { current, fallback } if variable(current) && variable(fallback) => {
            Some((current.clone(), fallback.clone()))
        }
        _ => None,
    });
    let (key, fallback) = of_target.unwrap_or_else(|| (CURRENT_KEY.to_owned(), FALLBACK_KEY.to_owned()));
    let (key, fallback) = (exec.key.clone().unwrap_or(key), exec.fallback_key.clone().unwrap_or(fallback));
    if key == fallback {
        let message = format!("`{}` is the variable of both secrets", shown(&key));
        return Err(Failure::usage(message, "Give --key and --fallback-key two names."));
    }
    Ok((key, fallback))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::rollover::Mode;
    use crate::domain::{Domain, RolloverId, Untrusted};

    /// By state: which secret an app would try first, and which one then.
    #[test]
    fn the_record_says_which_secret_is_live() {
        let mut row = Rollover {
            id: RolloverId::from_stored(String::new()),
            tenant: Domain::parse("acme.eu.auth0.com").expect("a domain"),
            client_id: "abc".into(),
            name: Untrusted::new(""),
            mode: Mode::Set,
            state: State::Planned,
            since: 0,
            began: 0,
            attempt: 0,
            correlation_id: None,
            old: None,
            new: None,
            observed: None,
            sealed: Vec::new(),
            doubt: None,
            detail: String::new(),
            who: String::new(),
            targets: Vec::new(),
            steps: Vec::new(),
            generation: 0,
        };
        for state in State::ALL {
            row.state = state;
            let expected = match state {
                State::Applied | State::Verified | State::Promoting | State::Holding | State::RollingBack => {
                    (Some(Role::New), Some(Role::Old))
                }
                State::Retired => (Some(Role::New), None),
                State::RolledBack | State::Abandoned | State::Conflict => (Some(Role::Old), None),
                _ => (Some(Role::Old), Some(Role::New)),
            };
            assert_eq!(roles(&row), expected, "{state:?}");
        }
    }
}
