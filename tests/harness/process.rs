//! The real program as a process, on a pretend tenant inside the test. Every byte it prints is searched for secrets that
//! were not asked for.
use std::collections::HashSet;
use std::process::{Command, Stdio};

use rollover::sim::{self, Options, Running, Scenario};
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// A pretend tenant, and a home folder for the program.
pub struct Tenant {
    /// The tenant.
    pub running: Running,
    /// `ROLLOVER_HOME`.
    pub home: TempDir,
    /// What must not be printed: every secret that was ever live.
    canaries: HashSet<String>,
    _runtime: Runtime,
}

/// What one run of the program came to.
#[derive(Debug)]
pub struct Run {
    /// Exit code.
    pub code: i32,
    /// Stdout.
    pub out: String,
    /// Stderr.
    pub err: String,
}

impl Run {
    /// Stdout as JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The error on stderr as JSON.
    pub fn error(&self) -> serde_json::Value {
        let document: serde_json::Value =
            serde_json::from_str(&self.err).unwrap_or_else(|error| panic!("{error}: {self:?}"));
        document["error"].clone()
    }
}

/// A folder that only its owner may look into, as a home must be, whatever the umask.
pub fn private_folder() -> TempDir {
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
    builder.tempdir().expect("a folder")
}

/// Writes a configuration that only its owner may read.
pub fn configure(home: &std::path::Path, text: &str) {
    write_private(&home.join("config.toml"), text);
}

/// The program with an environment that holds nothing of ours.
pub fn program(home: &std::path::Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rollover"));
    command.env_clear().env("ROLLOVER_HOME", home).stdin(Stdio::null());
    // No test may reach the keyring of whoever runs it.
    command.env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent/bus");
    // No test waits for what cannot arrive late; and what is sealed is sealed for a key that lies outside the home.
    command.env("ROLLOVER_PATIENCE_MS", "1000").env("ROLLOVER_IDENTITY_FILE", identity_file());
    if let Some(root) = std::env::var_os("SystemRoot") {
        command.env("SystemRoot", root);
    }
    command
}

/// A private key of age that opens every ledger of this run's tests.
pub fn identity_file() -> std::path::PathBuf {
    use age::secrecy::ExposeSecret as _;
    static FOLDER: std::sync::OnceLock<TempDir> = std::sync::OnceLock::new();
    let folder = FOLDER.get_or_init(|| {
        let folder = private_folder();
        let identity = age::x25519::Identity::generate();
        let text = format!("# made for tests\n{}\n", identity.to_string().expose_secret());
        write_private(&folder.path().join("identity.txt"), &text);
        folder
    });
    folder.path().join("identity.txt")
}

/// Writes a file that only its owner can read.
pub fn write_private(path: &std::path::Path, text: &str) {
    std::fs::write(path, text).expect("a file");
    #[cfg(unix)]
    std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).expect("a mode");
}

impl Tenant {
    /// The demo tenant, where an old secret dies at once.
    pub fn demo() -> Self {
        Self::with(Options::default())
    }

    /// The demo tenant with faults.
    pub fn faulty(scenario: &str) -> Self {
        let scenario = Some(Scenario::from_toml(scenario).expect("a scenario"));
        Self::with(Options { scenario, ..Options::default() })
    }

    /// Another one. An old secret dies at once here too.
    pub fn with(options: Options) -> Self {
        Self::exactly(Options { propagation: std::time::Duration::ZERO, ..options })
    }

    /// One whose old secrets live as long as is said.
    pub fn exactly(options: Options) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.expect("a runtime");
        let running = runtime.block_on(sim::start(options)).expect("a pretend tenant");
        let canaries = running.secrets().into_iter().collect();
        Self { running, home: private_folder(), canaries, _runtime: runtime }
    }

    /// The program, signed in with this token.
    pub fn command(&self, token: &str, arguments: &[&str]) -> Command {
        let mut command = program(self.home.path());
        command.args(arguments).env("AUTH0_DOMAIN", self.running.url()).env("AUTH0_API_TOKEN", token);
        command
    }

    /// Runs the program with all scopes; no secret may be in what it prints.
    pub fn run(&mut self, arguments: &[&str]) -> Run {
        let command = self.command(self.running.token(), arguments);
        self.silent(command)
    }

    /// Runs the program with these scopes; no secret may be in what it prints.
    pub fn run_as(&mut self, scopes: &str, arguments: &[&str]) -> Run {
        let token = self.running.mint_token(scopes, std::time::Duration::from_mins(10));
        let command = self.command(&token, arguments);
        self.silent(command)
    }

    /// Runs the program; it may print secrets.
    pub fn reveal(&mut self, arguments: &[&str]) -> Run {
        finish(self.command(self.running.token(), arguments))
    }

    /// Runs a command; no secret may be in what it prints.
    pub fn silent(&mut self, command: Command) -> Run {
        let run = finish(command);
        self.assert_silent(&run.out);
        self.assert_silent(&run.err);
        run
    }

    /// No secret that ever was live is in `text`, nor in a file of the program's, and no token.
    pub fn assert_silent(&mut self, text: &str) {
        self.canaries.extend(self.running.secrets());
        let mut kept = Vec::new();
        for path in files(self.home.path()) {
            match std::fs::read(&path) {
                Ok(bytes) => kept.extend(bytes),
                // Another process is at work there: its journal comes and goes.
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => panic!("{}: {error}", path.display()),
            }
        }
        let kept = String::from_utf8_lossy(&kept);
        for canary in self.canaries.iter().map(String::as_str).chain([self.running.token()]) {
            assert!(!text.contains(canary), "a secret was printed:\n{text}");
            assert!(!kept.contains(canary), "a secret was written to a file");
        }
    }

    /// How many rotations were asked for.
    pub fn posts(&self) -> usize {
        let requests = self.running.requests();
        requests.iter().filter(|request| request.method == "POST" && request.path.ends_with("/rotate-secret")).count()
    }
}

/// Every file below a folder, in order.
pub fn files(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

/// Runs a command to its end.
pub fn finish(mut command: Command) -> Run {
    run_of(&command.output().expect("the program runs"))
}

/// Runs a command to its end, with this on its stdin.
pub fn fed(mut command: Command, stdin: &str) -> Run {
    let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = piped.spawn().expect("the program runs");
    // A program that has failed already reads nothing.
    let _ = std::io::Write::write_all(&mut child.stdin.take().expect("its stdin"), stdin.as_bytes());
    run_of(&child.wait_with_output().expect("the program ends"))
}

/// What a process that has ended came to.
pub fn run_of(output: &std::process::Output) -> Run {
    Run {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8(output.stdout.clone()).expect("UTF-8"),
        err: String::from_utf8(output.stderr.clone()).expect("UTF-8"),
    }
}
