//! A look around before the work: what works here and what does not, and how to mend it. Asks nobody anything, changes nothing
//! but what reading a tenant's settings leaves in Auth0's own records, and never waits for long.

/// The program's own files.
mod files;
/// Where credentials are kept.
mod keeping;
/// The ledger, and what waits in it.
mod ledger;
/// The way to the tenant.
mod network;
/// The program itself, and what the system does for it.
mod program;
/// Every setting, and where it came from.
mod settings;
/// Which tenant, with which credentials.
mod tenant;
/// What the interface is drawn on, and the clipboard.
mod terminal;
/// What the token is worth.
mod token;

use std::future::Future;
use std::time::Duration;

use crate::auth0::Api;
use crate::domain::preflight::{Finding, Report};
use crate::domain::{Origin, Profile};
use crate::tenants::Tenants;

/// How long one check may take.
pub const PATIENCE: Duration = Duration::from_secs(8);

/// What is looked at.
#[derive(Clone, Copy, Debug)]
pub struct Inputs<'a> {
    /// What the user has.
    pub tenants: &'a Tenants,
    /// `--tenant`.
    pub flag: Option<&'a str>,
    /// `--read-only`.
    pub read_only: bool,
    /// A tenant that is open already. It is looked at instead of the one that would be selected.
    pub open: Option<Open<'a>>,
    /// How long one check may take; [`PATIENCE`], but for tests.
    pub patience: Duration,
}

impl<'a> Inputs<'a> {
    /// For a start without flags, and with the usual patience.
    #[must_use]
    pub fn new(tenants: &'a Tenants) -> Self {
        Self { tenants, flag: None, read_only: false, open: None, patience: PATIENCE }
    }
}

/// A tenant that is open.
#[derive(Clone, Copy, Debug)]
pub struct Open<'a> {
    /// What is known of it.
    pub profile: &'a Profile,
    /// What selected it.
    pub origin: &'a Origin,
    /// Talks to it.
    pub api: &'a Api,
}

/// Looks at everything. What fails or hangs is a finding and stops nothing else; the network is used only for a tenant.
pub async fn run(inputs: Inputs<'_>) -> Report {
    let variable = |name: &str| inputs.tenants.variable(name);
    let (config, mistake) = match inputs.tenants.config() {
        Ok(config) => (config, None),
        Err(mistake) => (crate::tenants::Config::default(), Some(mistake)),
    };
    let mut findings = program::look();
    findings.extend(files::look(&inputs.tenants.places(), &config, mistake.as_ref()));
    findings.extend(ledger::look(inputs.tenants, &config));

    let target = tenant::Target::of(&inputs, &config, mistake.is_some());
    let settings = settings::list(&settings::Known { inputs: &inputs, config: &config, target: target.as_ref().ok() });
    // Boxed, for what talks to buses and servers is large, and whoever awaits this would carry it about.
    let far = Box::pin(async {
        let mut findings = Vec::new();
        match target {
            Ok(mut target) => {
                findings.push(target.selection(&config, &variable));
                let (sign_in, api) = target.open(&inputs).await;
                findings.push(sign_in);
                if let Some(api) = api {
                    findings.extend(beyond(&target, &api, inputs.patience).await);
                }
            }
            Err(finding) => findings.push(finding),
        }
        findings
    });
    let keeping = Box::pin(keeping::look(inputs.tenants, inputs.patience));
    let (kept, copying, far) = tokio::join!(keeping, terminal::clipboard(inputs.patience), far);
    findings.extend(kept);
    findings.extend(far);
    findings.push(copying);
    findings.extend(terminal::look(&variable, terminal::Facts::of_stdout()));
    Report::new(findings, settings)
}

/// What only the tenant can tell.
async fn beyond(target: &tenant::Target<'_>, api: &Api, patience: Duration) -> Vec<Finding> {
    let way = network::look(api, target.is_keyed(), patience).await;
    let mut findings = way.findings;
    let token = token::look(target, api, way.reached, way.clock_ahead, patience).await;
    findings.extend(token);
    if way.reached {
        let limit = api.pace().borrow().limit;
        findings.push(network::rate_limit(limit, target.profile().plan, target.profile().environment));
    }
    findings
}

/// What comes of `work`, or `None` where it takes too long.
async fn within<T>(patience: Duration, work: impl Future<Output = T>) -> Option<T> {
    tokio::time::timeout(patience, work).await.ok()
}

/// How long was waited, for a sentence.
fn waited(patience: Duration) -> String {
    format!("{} s", patience.as_secs_f32().ceil())
}

/// A client's id as it may be shown. Auth0's have 32 characters, its secrets 64: what is longer may be a secret that got into
/// the wrong setting.
fn client(id: &str) -> String {
    const LONGEST_ID: usize = 48;
    match id.chars().count() {
        count if count > LONGEST_ID => format!("an id of {count} characters"),
        _ => crate::domain::untrusted::shown(id).into_owned(),
    }
}

/// `text` with a plural's end, where there are several.
fn count(number: usize, word: &str) -> String {
    if number == 1 { format!("1 {word}") } else { format!("{number} {word}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looking_around_can_be_a_task_of_its_own() {
        fn task<T: Send>(_: &T) {}
        let tenants = Tenants::new(|name| (name == "ROLLOVER_HOME").then(|| "/nowhere".into()), false);
        task(&run(Inputs::new(&tenants.expect("a home"))));
    }
}
