//! A pretend tenant, a ledger in memory, and targets in a folder: all that a procedure needs, within one process.
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rollover::auth0::{Api, Connection, Credentials};
use rollover::domain::rollover::{Role, Rollover, State};
use rollover::domain::rotation::Progress;
use rollover::domain::target::{FilePlace, Format, Place, SlotNames};
use rollover::domain::{AuthMethod, Domain, FingerprintKey, Secret, Target};
use rollover::ledger::Ledger;
use rollover::rollover::{Desk, Ended, Patience, Subject, seconds};
use rollover::sim::{self, Options, Running, Scenario};
use tempfile::TempDir;

/// The demo tenant's client "Billing API": machine to machine, `client_secret_post`.
pub const BILLING: &str = "Qm2vXz8KpL4nRt7YwB1cFj6HsD9gUe3A";

/// Everything.
pub struct World {
    /// The tenant.
    pub tenant: Running,
    /// What the procedures work with.
    pub desk: Desk,
    /// The client.
    pub subject: Subject,
    /// Where its targets lie.
    pub folder: TempDir,
}

/// So short that nobody waits for it; what is waited for happens all the same.
pub const SHORT: Patience =
    Patience { verify: Duration::from_millis(200), quiesce: Duration::ZERO, apart: Duration::ZERO };

impl World {
    /// With so many `.env` files that hold the live secret.
    pub async fn with(targets: usize) -> Self {
        Self::faulty(targets, "").await
    }

    /// The same, and a tenant with faults.
    pub async fn faulty(targets: usize, scenario: &str) -> Self {
        let world = Self::starting(targets, Options { propagation: Duration::ZERO, ..Options::default() }).await;
        world.play(scenario);
        world
    }

    /// The same, and another tenant.
    pub async fn starting(targets: usize, options: Options) -> Self {
        let tenant = sim::start(options).await.expect("a pretend tenant");
        let folder = tempfile::tempdir().expect("a folder");
        let live = tenant.secret_of(BILLING).expect("a secret");
        let targets = (0..targets).map(|number| {
            let path = folder.path().join(format!("app{number}.env"));
            write(&path, &format!("# app {number}\nPORT=80{number}\nAUTH0_CLIENT_SECRET={live}\nDEBUG=1\n"));
            dotenv(&format!("app{number}"), &path)
        });
        let subject = Subject {
            client_id: BILLING.to_owned(),
            name: "Billing API".into(),
            auth: AuthMethod::SecretPost,
            targets: targets.collect(),
        };
        let desk = Desk {
            api: api(&tenant, tenant.token()),
            ledger: Arc::new(Ledger::in_memory().expect("a ledger")),
            key: Arc::new(FingerprintKey::new(&[7; 32])),
            patience: SHORT,
            clock: seconds,
        };
        Self { tenant, desk, subject, folder }
    }

    /// Other faults from now on.
    pub fn play(&self, scenario: &str) {
        self.tenant.play(Scenario::from_toml(scenario).unwrap_or_else(|error| panic!("{error}\n{scenario}")));
    }

    /// With a token of just these scopes.
    pub fn scoped(&mut self, scopes: &str) {
        let token = self.tenant.mint_token(scopes, Duration::from_hours(1));
        self.desk.api = api(&self.tenant, &token);
    }

    /// The live secret.
    pub fn live(&self) -> String {
        self.tenant.secret_of(BILLING).expect("a secret")
    }

    /// The client's latest rollover, as the ledger has it.
    pub fn row(&self) -> Rollover {
        let row = self.desk.ledger.latest(self.desk.api.domain(), BILLING).expect("the ledger");
        row.expect("a rollover")
    }

    /// Where it stands.
    pub fn state(&self) -> State {
        self.row().state
    }

    /// A secret that the ledger holds.
    pub fn sealed(&self, role: Role) -> Option<String> {
        let secret = self.desk.ledger.secret(&self.row(), role).expect("the ledger");
        secret.map(|secret| secret.expose().to_owned())
    }

    /// What the target's file holds.
    pub fn file(&self, number: usize) -> String {
        std::fs::read_to_string(self.path(number)).expect("a file")
    }

    /// The target's file.
    pub fn path(&self, number: usize) -> PathBuf {
        self.folder.path().join(format!("app{number}.env"))
    }

    /// What the target's file would hold with these secrets.
    pub fn expected(number: usize, current: &str, fallback: Option<&str>) -> String {
        let fallback =
            fallback.map(|fallback| format!("AUTH0_CLIENT_SECRET_FALLBACK={fallback}\n")).unwrap_or_default();
        format!("# app {number}\nPORT=80{number}\nAUTH0_CLIENT_SECRET={current}\n{fallback}DEBUG=1\n")
    }

    /// How many changes of the client's secret arrived, by method.
    pub fn changes(&self, method: &str) -> usize {
        let path = format!("/api/v2/clients/{BILLING}");
        let of_client = |request: &&sim::Recorded| request.method == method && request.path.starts_with(&path);
        self.tenant.requests().iter().filter(of_client).count()
    }
}

/// Whoever hears nothing.
pub fn quiet() -> impl FnMut(Progress) + Send {
    |_| {}
}

/// What a procedure came to, that must have come to an end.
pub fn state(ended: &Ended) -> State {
    match ended {
        Ok(done) => done.rollover.state,
        Err(trouble) => panic!("{trouble:?}"),
    }
}

fn api(tenant: &Running, token: &str) -> Api {
    let domain = Domain::parse(tenant.url()).expect("a domain");
    let token = Arc::new(Secret::new(token.to_owned()));
    Api::new(Connection::new(domain, Credentials::Token(token))).expect("an API client")
}

/// A target that is an `.env` file with two keys.
pub fn dotenv(name: &str, path: &Path) -> Target {
    Target {
        name: name.to_owned(),
        place: Place::File(FilePlace {
            path: path.to_owned(),
            format: Format::Dotenv,
            follow_links: false,
            allow_mode: false,
        }),
        slots: SlotNames::default(),
        after: Vec::new(),
    }
}

/// Writes a file that only its owner can read.
pub fn write(path: &Path, text: &str) {
    std::fs::write(path, text).expect("a file");
    #[cfg(unix)]
    std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).expect("a mode");
}
