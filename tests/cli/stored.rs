//! What `login` has stored, on a terminal: the passphrase, what is asked for because it is kept nowhere, and files that only
//! their owner may read.
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use rollover::sim::ALL_SCOPES;
use serde_json::json;

use super::login::{Place, keyed};
use super::process::{Tenant, fed};
use super::pty::Terminal;
use super::sealed::PASSPHRASE;
use super::{BILLING, KEYED};

const SIZE: (u16, u16) = (160, 50);
const ASKS: &str = "Passphrase of the stored credentials:";
/// No test may reach the keyring of whoever runs it.
pub const NO_KEYRING: (&str, &str) = ("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent/bus");

/// The program on a terminal.
pub fn on_terminal(place: &Place, arguments: &[&str]) -> Terminal {
    let user = place.user.path().to_str().expect("a path");
    Terminal::start(place.home(), arguments, &[("HOME", user), NO_KEYRING], SIZE)
}

/// It ends like this, and nothing that was typed or is secret was ever on the screen.
pub fn ends(place: &mut Place, mut terminal: Terminal, code: u32, typed: &[&str]) -> String {
    assert_eq!(terminal.end(), code, "{}", terminal.screen());
    terminal.assert_settings();
    let raw = String::from_utf8_lossy(&terminal.raw()).into_owned();
    place.tenant.assert_silent(&raw);
    for text in typed {
        assert!(!raw.contains(text), "what was typed was shown:\n{raw}");
    }
    raw
}

#[test]
fn a_person_connects_a_tenant_and_chooses_a_passphrase() {
    let mut place = Place::new();
    for name in ["identity.age", "identity.pub"] {
        std::fs::remove_file(place.home().join(name)).expect("it goes");
    }
    let (id, secret) = (place.tenant.running.client_id().to_owned(), place.tenant.running.client_secret().to_owned());
    let mut terminal = on_terminal(&place, &["login"]);
    terminal.until("1, 2 or 3 [1]:");
    terminal.keys("\r");
    terminal.until("Domain, such as acme.eu.auth0.com:");
    terminal.keys(&format!("{}\r", place.url()));
    terminal.until("Client ID:");
    terminal.keys(&format!("{id}\r"));
    terminal.answer_unseen("Client secret (hidden):", &secret);
    terminal.until("✓ rotate client secrets (update:client_keys)");
    terminal.until("What is it for: development, staging or production?");
    terminal.keys("prod\r");
    terminal.until("there is no keyring to use");
    terminal.answer_unseen("Passphrase:", "chosen by myself");
    terminal.answer_unseen("The same again:", "chosen by myself");
    let raw = ends(&mut place, terminal, 0, &["chosen by myself", &secret]);
    assert!(raw.contains("its client secret is in"), "{raw}");
    let stored = place.stored();
    assert_eq!(
        (&stored["environment"], &stored["kept_in"], &stored["client_id"]),
        (&json!("production"), &json!("file"), &json!(id))
    );

    // Production wants the name typed, with what is stored as well.
    let mut terminal = on_terminal(&place, &["rotate", BILLING, "--now"]);
    terminal.answer_unseen(ASKS, "chosen by myself");
    terminal.until("Type the client's name, or its id");
    terminal.keys("yes\r");
    ends(&mut place, terminal, 1, &["chosen by myself"]);
    assert_eq!(place.tenant.posts(), 0);
}

#[test]
fn two_passphrases_that_differ_store_nothing() {
    let mut place = Place::new();
    for name in ["identity.age", "identity.pub"] {
        std::fs::remove_file(place.home().join(name)).expect("it goes");
    }
    let (url, id) = (place.url(), place.tenant.running.client_id().to_owned());
    let secret = place.tenant.running.client_secret().to_owned();
    for (first, second, code) in [("chosen by myself", "chosen by mistake", 1), ("short", "short", 1)] {
        let arguments = ["login", "--domain", &url, "--client-id", &id, "--environment", "staging"];
        let mut terminal = on_terminal(&place, &arguments);
        terminal.answer_unseen("Client secret (hidden):", &secret);
        terminal.answer_unseen("Passphrase:", first);
        terminal.answer_unseen("The same again:", second);
        ends(&mut place, terminal, code, &[&secret]);
        assert_eq!(place.kept(), [""; 0]);
        assert!(!place.home().join("identity.age").exists());
    }
}

#[test]
fn the_passphrase_may_be_wrong_twice() {
    let mut place = Place::new();
    place.login(&[]);
    let mut terminal = on_terminal(&place, &["list"]);
    terminal.answer_unseen(ASKS, "wrong one");
    terminal.until_times(ASKS, 2);
    terminal.answer_unseen("that is not the passphrase", "wrong two");
    terminal.until_times(ASKS, 3);
    terminal.answer_unseen(ASKS, PASSPHRASE);
    terminal.until("Billing API");
    ends(&mut place, terminal, 0, &["wrong one", "wrong two", PASSPHRASE]);

    let before = place.sealed.documents();
    let mut terminal = on_terminal(&place, &["rotate", BILLING, "--now", "--yes"]);
    for times in 1..=3 {
        terminal.until_times(ASKS, times);
        terminal.answer_unseen(ASKS, "wrong again");
    }
    let raw = ends(&mut place, terminal, 3, &["wrong again"]);
    assert_eq!(raw.matches("that is not the passphrase").count(), 3, "{raw}");
    assert_eq!((place.tenant.posts(), place.sealed.documents()), (0, before));
}

#[test]
fn what_is_kept_nowhere_is_asked_for_each_time() {
    let mut place = Place::new();
    place.login(&[]);
    let secret = place.tenant.running.client_secret().to_owned();
    let url = place.url();
    let name = url.trim_start_matches("http://").to_owned();
    place.done(&["login", "--tenant", &name, "--kept-in", "nowhere"], &secret);
    for (answer, code) in [(secret.as_str(), 0), ("wrong-canary", 3)] {
        let mut terminal = on_terminal(&place, &["show", BILLING]);
        terminal.answer_unseen("The client secret, for this once:", answer);
        let raw = ends(&mut place, terminal, code, &[answer]);
        assert_eq!(raw.contains("Billing API"), code == 0, "{raw}");
    }
    assert_eq!(place.sealed.files().len(), 0);

    let token = place.token(ALL_SCOPES);
    place.done(&["login", "--tenant", &name, "--token"], &token);
    let mut terminal = on_terminal(&place, &["list"]);
    terminal.answer_unseen("The access token, for this once:", &token);
    terminal.until("Billing API");
    ends(&mut place, terminal, 0, &[&token]);
}

/// A key has many lines: the shell would get what a hidden prompt does not take.
#[test]
fn a_key_that_is_kept_nowhere_is_asked_for_by_its_file() {
    let (mut place, _folder, file) = keyed();
    let url = place.url();
    let key = std::fs::read_to_string(&file).expect("the key");
    let arguments = ["login", "--domain", &url, "--client-id", KEYED, "--private-key", "-", "--kept-in", "nowhere"];
    place.done(&arguments, &key);
    let mut terminal = on_terminal(&place, &["list"]);
    terminal.until("The file of the private key (PEM), for this once:");
    terminal.keys(&format!("{}\r", file.display()));
    terminal.until("Billing API");
    ends(&mut place, terminal, 0, &[]);
    // From the home folder, which no shell has put in.
    std::fs::copy(&file, place.user.path().join("mine.pem")).expect("a copy");
    let mut terminal = on_terminal(&place, &["list"]);
    terminal.until("The file of the private key (PEM), for this once:");
    terminal.keys("~/mine.pem\r");
    terminal.until("Billing API");
    ends(&mut place, terminal, 0, &[]);
}

#[test]
fn ctrl_c_at_a_hidden_question_hands_the_terminal_back() {
    let mut place = Place::new();
    place.login(&[]);
    for before in ["", "half a passphr"] {
        let mut terminal = on_terminal(&place, &["list"]);
        terminal.until(ASKS);
        terminal.until_unseen();
        terminal.keys(before);
        terminal.keys("\u{3}");
        ends(&mut place, terminal, 130, &["half a"]);
    }
    let mut terminal = on_terminal(&place, &["list"]);
    terminal.until(ASKS);
    terminal.keys("\u{4}");
    ends(&mut place, terminal, 1, &[]);
}

/// What is pasted beyond the line must not become a command, nor stand in a shell's history.
#[test]
fn what_is_pasted_beyond_the_line_does_not_get_to_the_shell() {
    let mut place = Place::new();
    place.login(&[]);
    let user = place.user.path().to_str().expect("a path").to_owned();
    let script = "\"$0\" \"$@\"; IFS= read -r line; echo \"the shell got [$line]\"";
    let variables = [("HOME", user.as_str()), NO_KEYRING];
    let mut terminal = Terminal::shell(place.home(), script, &["show", BILLING], &variables, SIZE);
    terminal.answer_unseen(ASKS, &format!("{PASSPHRASE}\rcanary of a paste"));
    terminal.until("Authentication");
    terminal.keys("typed later\r");
    terminal.until("the shell got [typed later]");
    ends(&mut place, terminal, 0, &["canary of a paste", PASSPHRASE]);
}

/// Files 0600, folders 0700, below `folder` and `folder` itself.
fn assert_private(folder: &Path) -> Vec<String> {
    let mode = |path: &Path| std::fs::metadata(path).expect("it is there").permissions().mode() & 0o7777;
    assert_eq!(mode(folder), 0o700, "{}", folder.display());
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            names.extend(assert_private(&path));
        } else {
            assert_eq!(mode(&path), 0o600, "{}", path.display());
            names.push(path.file_name().expect("a name").to_string_lossy().into_owned());
        }
    }
    names.sort();
    names
}

#[test]
fn all_is_private_whatever_the_umask() {
    for umask in ["000", "077", "022"] {
        let place = Place::new();
        let (url, id) = (place.url(), place.tenant.running.client_id().to_owned());
        let secret = place.tenant.running.client_secret().to_owned();
        let script = format!("umask {umask}; exec \"$0\" \"$@\"");
        let shell = |home: Option<&Path>, arguments: &[&str]| {
            let mut command = Command::new("/bin/sh");
            command.env_clear().env("HOME", place.user.path()).envs([NO_KEYRING]);
            command.args(["-c", &script, env!("CARGO_BIN_EXE_rollover")]).args(arguments);
            if let Some(home) = home {
                command.env("ROLLOVER_HOME", home);
            }
            command
        };
        // A folder that is not there yet, in one that is not there either.
        let home = place.user.path().join("new").join("folder");
        let user = place.user.path().to_str().expect("a path");
        let arguments = ["login", "--domain", &url, "--client-id", &id, "--environment", "staging"];
        let mut terminal = Terminal::shell(&home, &script, &arguments, &[("HOME", user), NO_KEYRING], SIZE);
        terminal.answer_unseen("Client secret (hidden):", &secret);
        terminal.answer_unseen("Passphrase:", "chosen by myself");
        terminal.answer_unseen("The same again:", "chosen by myself");
        assert_eq!(terminal.end(), 0, "{}", terminal.screen());
        let mut command = shell(Some(&home), &["show", BILLING]);
        command.envs([("AUTH0_DOMAIN", url.as_str()), ("AUTH0_API_TOKEN", place.tenant.running.token())]);
        assert_eq!(fed(command, "").code, 0);
        let names = assert_private(&home);
        let expected = [".lock", "config.toml", "fingerprint.key", "identity.age", "identity.pub", "last-used.json"];
        assert_eq!(names.iter().filter(|name| expected.contains(&name.as_str())).count(), expected.len(), "{names:?}");
        assert_eq!(names.len(), expected.len() + 1, "and the sealed one: {names:?}");

        // Where the platform puts them.
        let run = fed(shell(None, &["login", "--domain", &url, "--token"]), place.tenant.running.token());
        assert_eq!(run.code, 0, "{run:?}");
        let mut found = 0;
        for folder in [".config/rollover", ".local/share/rollover", "Library/Application Support/rollover"] {
            let folder = place.user.path().join(folder);
            if folder.is_dir() {
                found += assert_private(&folder).len();
            }
        }
        assert!(found >= 3, "{found}");
    }
}

/// The command that a message names.
fn mend(message: &str) -> String {
    let (_, command) = message.split_once("; run: ").unwrap_or_else(|| panic!("no command in: {message}"));
    command.lines().next().expect("a line").trim_end_matches('\r').to_owned()
}

fn mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("a mode");
}

#[test]
fn what_others_can_read_is_refused_and_the_command_that_is_named_mends_it() {
    let mut place = Place::new();
    place.login(&[]);
    let home = place.home().to_owned();
    let sealed = place.sealed.files().pop().expect("a sealed credential");
    let cases = [
        (home.join("config.toml"), 0o644, "chmod 600", 2),
        (home.join("config.toml"), 0o620, "chmod 600", 2),
        (home.clone(), 0o755, "chmod 700", 2),
        (sealed.clone(), 0o640, "chmod 600", 3),
        (sealed.parent().expect("a folder").to_owned(), 0o750, "chmod 700", 3),
    ];
    for (path, wrong, command, code) in cases {
        mode(&path, wrong);
        let run = place.run(&["list"], "");
        assert_eq!(run.code, code, "{}: {run:?}", path.display());
        let mend = mend(&run.err);
        assert!(mend.starts_with(command) && mend.contains(path.to_str().expect("a path")), "{mend}");
        assert!(Command::new("/bin/sh").args(["-c", &mend]).status().expect("a shell").success());
        let run = place.run(&["list"], "");
        assert!(run.err.contains("passphrase"), "{mend} did not mend it: {run:?}");
    }
    // The key under the passphrase: it is asked for once, and then told.
    let identity = home.join("identity.age");
    mode(&identity, 0o644);
    let mut terminal = on_terminal(&place, &["list"]);
    terminal.answer_unseen(ASKS, PASSPHRASE);
    let raw = ends(&mut place, terminal, 3, &[PASSPHRASE]);
    assert_eq!(raw.matches(ASKS).count(), 1, "{raw}");
    assert!(mend(&raw).starts_with("chmod 600 '"), "{raw}");
    mode(&identity, 0o600);

    // The public key: whoever could change it would read what is sealed from then on.
    let public = home.join("identity.pub");
    mode(&public, 0o646);
    let before = place.sealed.documents();
    let name = place.url().trim_start_matches("http://").to_owned();
    let secret = place.tenant.running.client_secret().to_owned();
    let run = place.run(&["login", "--tenant", &name, "--kept-in", "file"], &secret);
    assert_eq!(run.code, 1, "{run:?}");
    assert!(mend(&run.err).starts_with("chmod 600 '"), "{}", run.err);
    assert_eq!(place.sealed.documents(), before);
    mode(&public, 0o600);
    let mut terminal = on_terminal(&place, &["list"]);
    terminal.answer_unseen(ASKS, PASSPHRASE);
    terminal.until("Billing API");
    ends(&mut place, terminal, 0, &[PASSPHRASE]);
}

/// The same client at two tenants, and one file put in the place of the other.
#[test]
fn what_is_sealed_for_one_tenant_does_not_go_to_another() {
    let mut place = Place::new();
    place.login(&[]);
    let sealed = place.sealed.files().pop().expect("a sealed credential");
    let other = Tenant::demo();
    let (url, id) = (other.running.url().to_owned(), other.running.client_id().to_owned());
    let arguments = ["login", "--domain", &url, "--client-id", &id, "--kept-in", "file", "--tenant", "other"];
    place.done(&arguments, other.running.client_secret());
    let second = place.sealed.files().into_iter().find(|path| *path != sealed).expect("another one");
    std::fs::copy(&sealed, &second).expect("they are exchanged");
    mode(&second, 0o600);
    let asked = other.running.requests().len();
    let mut terminal = on_terminal(&place, &["list", "--tenant", "other"]);
    terminal.answer_unseen(ASKS, PASSPHRASE);
    let raw = ends(&mut place, terminal, 3, &[PASSPHRASE]);
    assert!(raw.contains("belongs to another tenant or client"), "{raw}");
    assert_eq!(other.running.requests().len(), asked, "nothing was sent");
}
