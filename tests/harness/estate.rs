//! A pretend tenant, a home, and targets of "Billing API": all that a rollover by the real program needs, and what to look at
//! after it was killed.
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rollover::domain::Domain;
use rollover::domain::rollover::{Role, Rollover};
use rollover::ledger::Ledger;
use rollover::sim::{Recorded, Running, Scenario};
use tempfile::TempDir;

use super::process::{configure, files, identity_file, private_folder, program, write_private};

/// The demo tenant's client "Billing API": machine to machine, `client_secret_post`.
pub const BILLING: &str = "Qm2vXz8KpL4nRt7YwB1cFj6HsD9gUe3A";

/// Where the program works, and what it works on. The tenant is not in it: it may serve many.
pub struct Estate {
    /// `ROLLOVER_HOME`.
    pub home: TempDir,
    /// Where the targets lie.
    pub folder: TempDir,
    /// The targets' files.
    pub targets: Vec<PathBuf>,
    url: String,
    token: String,
}

/// A target's file with this secret and, where there is one, this fallback: `.env` where the number is even, else JSON. The fallback
/// stands in it from the start or not at all, so that what a delivery adds is what it takes away.
pub fn contents(number: usize, current: &str) -> String {
    if number.is_multiple_of(2) {
        return format!("# app {number}\nPORT=80{number}\nAUTH0_CLIENT_SECRET={current}\nDEBUG='1'\n");
    }
    format!("{{\n  \"port\": 80{number},\n  \"AUTH0_CLIENT_SECRET\": \"{current}\",\n  \"debug\": [true, 1.50]\n}}\n")
}

impl Estate {
    /// A fresh home with so many targets that hold the live secret.
    pub fn new(tenant: &Running, targets: usize) -> Self {
        Self::with_after(tenant, targets, None)
    }

    /// The same; after each delivery a program runs.
    pub fn with_after(tenant: &Running, targets: usize, after: Option<&[String]>) -> Self {
        let (home, folder) = (private_folder(), private_folder());
        let live = tenant.secret_of(BILLING).expect("a secret");
        let mut config = format!("[tenants.demo]\ndomain = \"{}\"\n", tenant.url());
        let targets: Vec<_> = (0..targets)
            .map(|number| {
                let (name, format) =
                    if number.is_multiple_of(2) { ("app.env", "dotenv") } else { ("app.json", "json") };
                let path = folder.path().join(format!("{number}{name}"));
                write_private(&path, &contents(number, &live));
                write!(
                    config,
                    "\n[tenants.demo.targets.{BILLING}.app{number}]\nfile = '{}'\nformat = \"{format}\"\n",
                    path.display()
                )
                .expect("a text");
                if let Some(after) = after {
                    writeln!(config, "after = {after:?}").expect("a text");
                }
                path
            })
            .collect();
        configure(home.path(), &config);
        Self { home, folder, targets, url: tenant.url().to_owned(), token: tenant.token().to_owned() }
    }

    /// The program on this home and tenant.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = program(self.home.path());
        command.args(arguments).env("AUTH0_DOMAIN", &self.url).env("AUTH0_API_TOKEN", &self.token);
        command
    }

    /// The variables of a program that is started on a terminal.
    pub fn variables(&self) -> Vec<(String, String)> {
        let command = self.command(&[]);
        let all = command.get_envs().filter_map(|(name, value)| Some((name.to_str()?, value?.to_str()?)));
        all.filter(|(name, _)| *name != "ROLLOVER_HOME").map(|(name, value)| (name.into(), value.into())).collect()
    }

    /// Starts it; what it prints is kept.
    pub fn start(&self, arguments: &[&str]) -> Child {
        started(self.command(arguments))
    }

    /// What a target's file holds.
    pub fn file(&self, number: usize) -> String {
        std::fs::read_to_string(&self.targets[number]).expect("a file")
    }

    /// The tenant as the ledger names it.
    pub fn domain(&self) -> Domain {
        Domain::parse(&self.url).expect("a domain")
    }

    /// The ledger, its key given. It is checked when it is opened.
    pub fn ledger(&self) -> Option<Ledger> {
        let ledger = Ledger::open_existing(self.home.path()).unwrap_or_else(|error| panic!("{error}"))?;
        if !ledger.recipients().expect("the ledger").is_empty() {
            ledger.unlock(identity()).expect("its key");
        }
        Some(ledger)
    }

    /// The client's latest rollover, and the secrets that are sealed for it: old, new, observed.
    pub fn latest(&self) -> Option<(Rollover, [Option<String>; 3])> {
        let ledger = self.ledger()?;
        let row = ledger.latest(&self.domain(), BILLING).expect("the ledger")?;
        let sealed =
            Role::ALL.map(|role| ledger.secret(&row, role).expect("it opens").map(|secret| secret.expose().to_owned()));
        Some((row, sealed))
    }

    /// The state of the client's latest rollover, by name.
    pub fn state(&self) -> &'static str {
        self.latest().map_or("none", |(row, _)| row.state.name())
    }

    /// The state by a copy of the ledger: what a process that died left is found by the next process, not by the test.
    pub fn state_left(&self) -> &'static str {
        let copy = private_folder();
        for name in ["ledger.db", "ledger.db-journal"] {
            let Ok(bytes) = std::fs::read(self.home.path().join(name)) else { continue };
            let to = copy.path().join(name);
            std::fs::write(&to, bytes).expect("a copy");
            std::fs::set_permissions(&to, std::os::unix::fs::PermissionsExt::from_mode(0o600)).expect("a mode");
        }
        let ledger = Ledger::open_existing(copy.path()).unwrap_or_else(|error| panic!("{error}"));
        let row = ledger.and_then(|ledger| ledger.latest(&self.domain(), BILLING).expect("the ledger"));
        row.map_or("none", |row| row.state.name())
    }

    /// No secret is in a file of the program's own, all of which only their owner may read.
    pub fn assert_private(&self, secrets: &[String], cell: &str) {
        for path in files(self.home.path()) {
            let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{cell}: {}: {error}", path.display()));
            let text = characters(&bytes);
            for secret in secrets {
                assert!(!text.contains(secret.as_str()), "{cell}: a secret in {}", path.display());
            }
        }
        for (path, mode) in modes(self.home.path()) {
            assert_eq!(mode, if path.is_dir() { 0o700 } else { 0o600 }, "{cell}: {}", path.display());
        }
    }
}

/// Starts a program; what it prints is kept.
pub fn started(mut command: Command) -> Child {
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it runs")
}

/// The key of every ledger of this run's tests.
pub fn identity() -> age::x25519::Identity {
    let text = std::fs::read_to_string(identity_file()).expect("a key");
    text.lines().find_map(|line| line.parse().ok()).expect("a key of age")
}

/// Each byte as a character: texts are searched fast even where nothing of this is optimised.
pub fn characters(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}

/// Whether bytes stand somewhere in others.
pub fn holds(bytes: &[u8], wanted: &[u8]) -> bool {
    characters(bytes).contains(&characters(wanted))
}

/// Everything below a folder, with its permission bits.
pub fn modes(folder: &Path) -> Vec<(PathBuf, u32)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let metadata = std::fs::symlink_metadata(&path).expect("it is there");
        found.push((path.clone(), std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o7777));
        if metadata.is_dir() {
            found.extend(modes(&path));
        }
    }
    found
}

/// Other faults from now on.
pub fn play(tenant: &Running, scenario: &str) {
    tenant.play(Scenario::from_toml(scenario).unwrap_or_else(|error| panic!("{error}\n{scenario}")));
}

/// Whether a request changes a client's secret.
pub fn is_change(request: &Recorded) -> bool {
    request.path.starts_with("/api/v2/clients/") && matches!(request.method.as_str(), "PATCH" | "POST")
}

/// How many requests that change a client's secret have come.
pub fn changes(tenant: &Running) -> usize {
    tenant.requests().iter().filter(|request| is_change(request)).count()
}

/// Waits until something holds.
pub fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_mins(1);
    while !holds() {
        assert!(Instant::now() < deadline, "it never came: {what}");
        std::thread::sleep(Duration::from_micros(300));
    }
}
