use std::io::{IsTerminal as _, Read as _};
use std::path::Path;
use std::sync::Arc;

use serde_json::json;
use zeroize::Zeroizing;

use super::Ended;
use super::arguments::{Global, Login};
use super::ask;
use super::exit::{Failure, code};
use super::output::{Output, say};
use super::session::tenants;
use crate::auth0::{Api, Session};
use crate::domain::profile::check_name;
use crate::domain::sign_in::CliTenant;
use crate::domain::untrusted::shown;
use crate::domain::{Ability, Domain, Environment, Greeting, Keep, Profile, Scopes, Secret, Surroundings, WayIn};
use crate::tenants::{Config, SHORTEST_PASSPHRASE, Tenants, full_path, private_key};

/// Connects a tenant: finds out how to sign in, signs in once, and stores what is needed to do so again.
pub async fn run(global: &Global, login: &Login) -> Ended {
    let tenants = tenants()?;
    let config = tenants.config()?;
    let output = Output::new(login.json);
    let surroundings = tenants.surroundings().await;
    let Draft { mut profile, secret } = draft(global, login, &config, &surroundings)?;
    profile.read_only |= global.read_only;
    let api = connect(&tenants, &profile, secret.as_ref()).await?;
    let session = api.session().await?;
    let greeting = api.greet().await?;
    tell(&output, &profile, &session, &greeting);
    profile.environment = environment(login, &profile, &greeting)?;
    let keep = where_kept(login, &profile, &surroundings)?;
    let unlocked = if keep == Some(Keep::File) { passphrase(&tenants, &surroundings).await } else { Ok(()) };
    unlocked?;
    profile.kept = keep;
    // A tenant that is connected is meant to be used; one that is already selected stays so when another is added by a script.
    let select = !login.no_select;
    tenants.store(&profile, secret, select).await?;
    tenants.used(&profile.domain);
    report(&output, &profile, select);
    if login.json {
        Output::new(true).document(&json!({
            "name": profile.name,
            "domain": profile.domain.to_string(),
            "environment": profile.environment.map(Environment::name),
            "read_only": profile.read_only,
            "sign_in": profile.way_in.as_ref().map(WayIn::name),
            "kept_in": profile.kept.map(Keep::name),
            "scopes": session.scopes.is_known().then(|| session.scopes.names().collect::<Vec<_>>()),
            "expires_at": session.expires_at,
        }))?;
    }
    Ok(code::DONE)
}

/// What is known before signing in.
struct Draft {
    profile: Profile,
    /// The client secret, key or token, where one is needed.
    secret: Option<Arc<Secret>>,
}

fn draft(global: &Global, login: &Login, config: &Config, surroundings: &Surroundings) -> Result<Draft, Failure> {
    let before = global.tenant.as_ref().and_then(|name| config.tenants.get(name));
    let kind = way(login, before, surroundings)?;
    let from_cli = if kind == Kind::Auth0Cli { Some(cli_tenant(login, before, surroundings)?) } else { None };
    let domain = match (&login.domain, &from_cli, before) {
        (Some(domain), ..) => Domain::parse(domain).map_err(|why| Failure::usage(format!("--domain: {why}"), ""))?,
        (None, Some(found), _) => found.domain.clone(),
        (None, None, Some(before)) => before.domain.clone(),
        (None, None, None) => ask_domain()?,
    };
    let known = before.or_else(|| config.profile_of(&domain));
    let name = match (&global.tenant, known) {
        (Some(name), _) => name.clone(),
        (None, Some(known)) => known.name.clone(),
        (None, None) => free_name(&domain, config),
    };
    check_name(&name).map_err(|why| Failure::usage(why, "--tenant NAME names it."))?;
    let client_id = || match (&login.client_id, known.and_then(|known| known.way_in.as_ref()?.client_id())) {
        (Some(id), _) => Ok(id.clone()),
        (None, Some(id)) => Ok(id.to_owned()),
        (None, None) => ask::line("Client ID: ", "--client-id"),
    };
    let (way_in, secret) = match kind {
        Kind::ClientSecret => {
            let client_id = client_id()?;
            (WayIn::ClientSecret { client_id }, Some(typed("Client secret (hidden): ")?))
        }
        Kind::PrivateKey => {
            let (client_id, algorithm) = (client_id()?, login.algorithm.unwrap_or_default());
            match login.private_key.as_deref() {
                Some(path) if path.as_os_str() != "-" => {
                    let path = full_path(path)?;
                    let key = private_key(&path)?;
                    let kept = login.store_key;
                    let key_file = (!kept).then_some(path);
                    (WayIn::PrivateKeyJwt { client_id, algorithm, key_file }, Some(Arc::new(key)))
                }
                Some(_) => (WayIn::PrivateKeyJwt { client_id, algorithm, key_file: None }, Some(from_stdin()?)),
                None => {
                    let path = ask::line("Private key file (PEM): ", "--private-key")?;
                    let path = full_path(Path::new(&path))?;
                    let key = private_key(&path)?;
                    (WayIn::PrivateKeyJwt { client_id, algorithm, key_file: Some(path) }, Some(Arc::new(key)))
                }
            }
        }
        Kind::Token => (WayIn::Token, Some(typed("Access token (hidden): ")?)),
        Kind::Auth0Cli => (WayIn::Auth0Cli, None),
    };
    let start = known.cloned().unwrap_or_else(|| Profile::new(name.clone(), domain.clone()));
    let profile = Profile {
        name,
        domain,
        audience: login.audience.clone().or(start.audience),
        environment: login.environment.or(start.environment),
        colour: login.colour.or(start.colour),
        plan: login.plan.or(start.plan),
        ca_file: match &login.ca_file {
            Some(path) => Some(full_path(path)?),
            None => start.ca_file,
        },
        way_in: Some(way_in),
        ..start
    };
    Ok(Draft { profile, secret })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    ClientSecret,
    PrivateKey,
    Token,
    Auth0Cli,
}

fn way(login: &Login, before: Option<&Profile>, surroundings: &Surroundings) -> Result<Kind, Failure> {
    if login.auth0_cli {
        return Ok(Kind::Auth0Cli);
    }
    if login.token {
        return Ok(Kind::Token);
    }
    if login.private_key.is_some() {
        return Ok(Kind::PrivateKey);
    }
    if login.client_id.is_some() {
        return Ok(Kind::ClientSecret);
    }
    match before.and_then(|before| before.way_in.as_ref()) {
        Some(WayIn::ClientSecret { .. }) => return Ok(Kind::ClientSecret),
        Some(WayIn::PrivateKeyJwt { .. }) => return Ok(Kind::PrivateKey),
        Some(WayIn::Token) => return Ok(Kind::Token),
        Some(WayIn::Auth0Cli) => return Ok(Kind::Auth0Cli),
        None => {}
    }
    if !ask::can_ask() {
        return Err(Failure::usage(
            "it is not said how to sign in, and there is no terminal to ask on",
            "Give --domain with --client-id (its secret on stdin), --private-key, --token (on stdin) or --auth0-cli.",
        ));
    }
    say("How does rollover sign in?");
    say("  1  a machine-to-machine client, with its client secret");
    say("  2  a machine-to-machine client, with a private key (private key JWT)");
    say("  3  an access token of the Management API");
    let found = surroundings.auth0_cli.len();
    if found > 0 {
        let many = if found == 1 { "tenant" } else { "tenants" };
        say(&format!("  4  what auth0-cli is signed in at: {found} {many}"));
    }
    if let Some(trouble) = &surroundings.auth0_cli_trouble {
        say(&format!("  !  auth0-cli: {trouble}"));
    }
    let prompt = if found > 0 { "1, 2, 3 or 4 [1]: " } else { "1, 2 or 3 [1]: " };
    match ask::line(prompt, "--client-id")?.as_str() {
        "" | "1" => {
            say("To make one, in the dashboard: Applications, Create Application, Machine to Machine;");
            say("authorize it for the Auth0 Management API with read:clients, update:client_keys and");
            say("read:client_keys. Its Settings show domain, client ID and client secret.");
            Ok(Kind::ClientSecret)
        }
        "2" => Ok(Kind::PrivateKey),
        "3" => Ok(Kind::Token),
        "4" if found > 0 => Ok(Kind::Auth0Cli),
        other => Err(Failure::usage(format!("`{}` is none of these", shown(other)), "")),
    }
}

fn cli_tenant(login: &Login, before: Option<&Profile>, surroundings: &Surroundings) -> Result<CliTenant, Failure> {
    let wanted = match (&login.domain, before) {
        (Some(domain), _) => Some(Domain::parse(domain).map_err(|why| Failure::usage(format!("--domain: {why}"), ""))?),
        (None, Some(before)) => Some(before.domain.clone()),
        (None, None) => None,
    };
    let all = &surroundings.auth0_cli;
    if let (true, Some(trouble)) = (all.is_empty(), &surroundings.auth0_cli_trouble) {
        return Err(not_in(format!("auth0-cli: {trouble}"), ""));
    }
    if let Some(wanted) = wanted {
        return all.iter().find(|one| one.domain == wanted).cloned().ok_or_else(|| {
            not_in(format!("auth0-cli is not signed in at {wanted}"), "Run: auth0 login --scopes update:client_keys")
        });
    }
    match all.as_slice() {
        [] => Err(not_in(
            "auth0-cli is not signed in anywhere".to_owned(),
            "Run: auth0 login --scopes update:client_keys",
        )),
        [one] => Ok(one.clone()),
        several if ask::can_ask() => {
            for (number, one) in several.iter().enumerate() {
                say(&format!("  {}  {}", number + 1, one.domain));
            }
            let answer = ask::line("Which of them? ", "--domain")?;
            let picked = answer.parse::<usize>().ok().and_then(|number| several.get(number.checked_sub(1)?));
            picked.cloned().ok_or_else(|| Failure::usage(format!("`{}` is none of these", shown(&answer)), ""))
        }
        _ => Err(Failure::usage("auth0-cli is signed in at several tenants", "Name one with --domain.")),
    }
}

fn not_in(message: String, hint: &str) -> Failure {
    Failure { code: code::NOT_SIGNED_IN, kind: "not_signed_in", message, hint: hint.to_owned(), ..Failure::default() }
}

fn ask_domain() -> Result<Domain, Failure> {
    let typed = ask::line("Domain, such as acme.eu.auth0.com: ", "--domain")?;
    Domain::parse(&typed).map_err(|why| Failure::usage(why, ""))
}

/// The host's first label, or with a number where another tenant has that name.
fn free_name(domain: &Domain, config: &Config) -> String {
    let first = domain.tenant_name();
    if !config.tenants.contains_key(&first) {
        return first;
    }
    let others = (2..).map(|number| format!("{first}-{number}"));
    others.take(10_000).find(|name| !config.tenants.contains_key(name)).unwrap_or(first)
}

/// A secret: typed where nobody sees it, or, without a terminal, all of stdin.
fn typed(prompt: &str) -> Result<Arc<Secret>, Failure> {
    if std::io::stdin().is_terminal() { ask::hidden(prompt).map(Arc::new) } else { from_stdin() }
}

fn from_stdin() -> Result<Arc<Secret>, Failure> {
    const MOST: u64 = 64 * 1024;
    let mut text = Zeroizing::new(String::with_capacity(64 * 1024));
    std::io::stdin()
        .lock()
        .take(MOST)
        .read_to_string(&mut text)
        .map_err(|error| Failure::usage(format!("the secret on stdin cannot be read: {error}"), ""))?;
    let trimmed = text.trim();
    if trimmed.is_empty() {
        return Err(Failure::usage("stdin is empty; the secret is expected there", "It is never an argument."));
    }
    Ok(Arc::new(Secret::new(trimmed.to_owned())))
}

async fn connect(tenants: &Tenants, profile: &Profile, secret: Option<&Arc<Secret>>) -> Result<Api, Failure> {
    Ok(match secret {
        Some(secret) => tenants.open_with(profile, Arc::clone(secret))?,
        None => tenants.open(profile, None).await?,
    })
}

/// What the token may do, and what each missing scope would add.
fn tell(output: &Output, profile: &Profile, session: &Session, greeting: &Greeting) {
    let name = greeting.friendly_name.as_ref().map(|name| format!(" ({})", name.shown())).unwrap_or_default();
    output.progress(&format!("Signed in at {}{name}.", profile.domain));
    // What is missing is worth a line in a script's log too; with --json the scopes are in the document.
    let warn = |line: &str| {
        if !output.json {
            say(line);
        }
    };
    for (ability, scope, what) in Scopes::PURPOSES {
        match ability(&session.scopes) {
            Ability::Yes => output.progress(&format!("  ✓ {what} ({scope})")),
            Ability::Unknown => output.progress(&format!("  ? {what} ({scope}): the token does not tell")),
            Ability::No { .. } => warn(&format!("  ✗ {what}: the token lacks {scope}")),
        }
    }
    if let (Some(why), false) = (&greeting.cannot_list, session.scopes.is_known()) {
        warn(&format!("  ✗ {why}"));
    }
    let rotates = session.scopes.rotate().may();
    if !rotates && profile.way_in == Some(WayIn::Auth0Cli) {
        warn("  To add it to the token of auth0-cli: auth0 login --scopes update:client_keys");
    } else if !rotates {
        warn("  Scopes are granted in the dashboard: Applications, APIs, Auth0 Management API.");
    }
}

fn environment(login: &Login, profile: &Profile, greeting: &Greeting) -> Result<Option<Environment>, Failure> {
    if login.environment.is_some() || profile.environment.is_some() {
        return Ok(login.environment.or(profile.environment));
    }
    if greeting.environment.is_some() || !ask::can_ask() {
        return Ok(greeting.environment);
    }
    let answer = ask::line("What is it for: development, staging or production? ", "--environment")?;
    let begun = answer.to_lowercase();
    let meant: Vec<_> =
        Environment::ALL.into_iter().filter(|one| !begun.is_empty() && one.name().starts_with(&begun)).collect();
    match meant.as_slice() {
        [one] => Ok(Some(*one)),
        _ if begun.is_empty() => Ok(None),
        _ => Err(Failure::usage(format!("`{}` is not development, staging or production", shown(&answer)), "")),
    }
}

fn where_kept(login: &Login, profile: &Profile, surroundings: &Surroundings) -> Result<Option<Keep>, Failure> {
    if profile.slot().is_none() {
        return Ok(None);
    }
    if let Some(kept) = login.kept_in {
        return Ok(kept.keep());
    }
    let best = surroundings.best_keep();
    // A token is given for a session; it is kept only where that is asked for.
    if profile.way_in == Some(WayIn::Token) {
        if !ask::can_ask() {
            return Ok(None);
        }
        let answer = ask::line(&format!("Keep the token in {} until it expires? [y/N] ", best.words()), "--kept-in")?;
        return Ok(matches!(answer.to_lowercase().as_str(), "y" | "yes").then_some(best));
    }
    if let (Some(why), false) = (&surroundings.no_keyring, login.json) {
        say(&format!("rollover: there is no keyring to use ({why}); the credential goes to {}.", Keep::File.words()));
    }
    Ok(Some(best))
}

/// Sees to it that sealed files can be written: a passphrase has been chosen, now or before.
async fn passphrase(tenants: &Tenants, surroundings: &Surroundings) -> Result<(), Failure> {
    if surroundings.has_passphrase {
        return Ok(());
    }
    if !ask::can_ask() {
        return Err(Failure::usage(
            "the credential would be kept in a file under a passphrase, none has been chosen yet, and there is no terminal to ask on",
            "Run `rollover login` on a terminal once, or set the credentials in the environment (`rollover --help`).",
        ));
    }
    say(&format!("Choose a passphrase for the stored credentials, {SHORTEST_PASSPHRASE} characters at least."));
    let first = ask::hidden("Passphrase: ")?;
    let second = ask::hidden("The same again: ")?;
    if !first.same_as(&second) {
        return Err(Failure::failed("passphrase", "the two passphrases differ; nothing was stored", ""));
    }
    tenants.choose_passphrase(Arc::new(first)).await.map_err(|error| Failure::failed("store", error.to_string(), ""))
}

fn report(output: &Output, profile: &Profile, selected: bool) {
    let place = match (profile.kept, profile.way_in.as_ref()) {
        (Some(keep), Some(way)) => format!("its {} is in {}", way.asks_for().unwrap_or("credential"), keep.words()),
        (None, Some(WayIn::Auth0Cli)) => "the token is read from auth0-cli".to_owned(),
        (None, Some(WayIn::PrivateKeyJwt { .. })) => "the private key is read from its file".to_owned(),
        _ => "nothing secret was stored: it is asked for each time".to_owned(),
    };
    output.progress(&format!("Stored as `{}` in config.toml; {place}.", shown(&profile.name)));
    let next = if selected { "`rollover` opens it." } else { "--tenant selects it." };
    output.progress(next);
}
