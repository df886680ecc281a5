//! What `config.toml` may hold, and what is said of each mistake in it.
#![expect(clippy::expect_used, reason = "a test that cannot go on has failed")]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rollover::domain::untrusted::{is_hidden, shown};
use rollover::domain::{Domain, Profile};
use rollover::tenants::{Config, ConfigError, Tenants};

/// A tenant without a mistake; what is wrong comes behind it.
const ACME: &str = "[tenants.acme]\ndomain = \"acme.eu.auth0.com\"\n";

/// Texts with a mistake that do not come out of [`SETTINGS`] below.
const MISTAKES: &[&str] = &[
    // Names that are not known, near to one that is and far from all.
    "muose = true",
    "\nTenant = \"acme\"",
    "wheel = 1",
    "\"\" = 1",
    "\"a\\u0007b\\u202Ec\\nd\" = 1",
    "[tenant.acme]\ndomain = \"acme.eu.auth0.com\"",
    "[[tenants]]\nname = \"acme\"",
    "[general]\nmouse = true",
    "[tenants]\ndomain = \"acme.eu.auth0.com\"",
    "[tenants.acme]\ndomian = \"acme.eu.auth0.com\"",
    "[tenants.acme]\nhost = \"acme.eu.auth0.com\"",
    "[tenants.acme]\nclientid = \"abc\"",
    "[tenants.acme]\nclient_secret = \"abc\"",
    "[tenants.acme]\ncolor = \"red\"",
    "[tenants.acme]\nreadonly = true",
    "[tenants.acme]\n\"client_id \" = \"abc\"",
    // Words that are not known.
    "[tenants.acme]\nenvironment = \"prodution\"",
    "[tenants.acme]\nenvironment = \"Production\"",
    "[tenants.acme]\nenvironment = \"live\"",
    "[tenants.acme]\nenvironment = \"\"",
    "[tenants.acme]\ncolour = \"grün\"",
    "[tenants.acme]\ncolour = \"#ff0000\"",
    "[tenants.acme]\nsign_in = \"client_secret\"",
    "[tenants.acme]\nsign_in = \"password\"",
    "[tenants.acme]\nalgorithm = \"RS265\"",
    "[tenants.acme]\nalgorithm = \"none\"",
    "[tenants.acme]\nkept_in = \"keychain\"",
    "[tenants.acme]\nkept_in = \"plain\"",
    "[tenants.acme]\nplan = \"selfservice\"",
    "[tenants.acme]\nplan = \"professional\"",
    "[tenants.acme]\nplan = \"\\u001B[31m\\u202Efree\"",
    // The same twice.
    "mouse = true\nmouse = false",
    "[tenants.acme]\ndomain = \"acme.eu.auth0.com\"\ndomain = \"acme.us.auth0.com\"",
    "[tenants.acme]\ndomain = \"acme.eu.auth0.com\"\n\n[tenants.acme]\ndomain = \"acme.us.auth0.com\"",
    "[tenants]\nacme.domain = \"acme.eu.auth0.com\"\n[tenants.acme]\nplan = \"free\"",
    "[tenants.shop]\ndomain = \"acme.eu.auth0.com\"\n[tenants.acme]\ndomain = \"https://ACME.eu.auth0.com/\"",
    // Addresses.
    "\n[tenants.acme]\n",
    "[tenants.acme]\ndomain = \"\"",
    "[tenants.acme]\ndomain = \"acme eu.auth0.com\"",
    "[tenants.acme]\ndomain = \"http://acme.eu.auth0.com\"",
    "[tenants.acme]\ndomain = \"https://acme.eu.auth0.com/api/v2/\"",
    "[tenants.acme]\ndomain = \"https://me:pw@acme.eu.auth0.com\"",
    "[tenants.acme]\ndomain = \"ftp://acme.eu.auth0.com\"",
    "[tenants.acme]\ndomain = \"acme.eu.auth0.com:99999\"",
    "[tenants.acme]\ndomain = \"acme\\u202E.eu.auth0.com\"",
    // Settings that do not go together.
    "[tenants.acme]\ndomain = \"acme.eu.auth0.com\"\nsign_in = \"client-secret\"",
    "[tenants.acme]\ndomain = \"acme.eu.auth0.com\"\nsign_in = \"private-key-jwt\"\nprivate_key = \"/etc/key.pem\"",
    "[tenants.acme]\ndomain = \"acme.eu.auth0.com\"\nsign_in = \"client-secret\"\nclient_id = \" \"",
    "[tenants.acme]\ndomain = \"acme.eu.auth0.com\"\nclient_id = \"abc\"",
    "[tenants.acme]\ndomain = \"acme.eu.auth0.com\"\nsign_in = \"token\"\nclient_id = \"abc\"",
    "[tenants.acme]\ndomain = \"acme.eu.auth0.com\"\nsign_in = \"auth0-cli\"\nclient_id = \"abc\"",
    "[tenants.acme]\ndomain = \"acme.eu.auth0.com\"\nsign_in = \"client-secret\"\nclient_id = \"abc\"\nprivate_key = \"/k\"",
    "[tenants.acme]\ndomain = \"acme.eu.auth0.com\"\nsign_in = \"client-secret\"\nclient_id = \"abc\"\nalgorithm = \"RS256\"",
    // Paths.
    "ca_file = \"ca.pem\"",
    "ca_file = \"\"",
    "ca_file = \"~other/ca.pem\"",
    "[tenants.acme]\nprivate_key = \"./key.pem\"",
    "[tenants.acme]\nca_file = \"ca.pem\"",
    // Numbers.
    "nag_after_days = 0",
    "nag_after_days = 366",
    "lock_after_minutes = -1",
    "lock_after_minutes = 0x7fffffffffffffffff",
    "lock_after_minutes = 1_441",
    // Targets: in the wrong place, or by the wrong name.
    "[tenants.acme.target.abc.env]\nfile = \"/srv/.env\"",
    "[targets.abc.env]\nfile = \"/srv/.env\"",
    "[tenants.acme.targets.env]\nfile = \"/srv/.env\"",
    "[tenants.acme.targets]\nfile = \"/srv/.env\"",
    "[tenants.acme.targets.\"Billing API\".env]\nfile = \"/srv/.env\"",
    "[tenants.acme.targets.\"\".env]\nfile = \"/srv/.env\"",
    "[tenants.acme.targets.abc.\"\"]\nfile = \"/srv/.env\"",
    "[tenants.acme.targets.abc.\"-x\"]\nfile = \"/srv/.env\"",
    "[tenants.acme.targets.abc.\"a\\u202Eb\"]\nfile = \"/srv/.env\"",
    "[tenants.acme.targets.abc.env]\nfiel = \"/srv/.env\"",
    "[tenants.acme.targets.abc.env]\nfallback = \"B\"",
    "[tenants.acme.targets.abc.env]\nsecret = \"B\"",
    // Targets whose settings do not go together.
    "[tenants.acme.targets.abc.env]",
    "[tenants.acme.targets.abc.env]\nkey = \"A\"",
    "[tenants.acme.targets.abc.env]\nfile = \"/srv/.env\"\ncommand = [\"true\"]",
    "[tenants.acme.targets.abc.env]\nfile = \"/srv/secrets\"",
    "[tenants.acme.targets.abc.env]\nfile = \"/\"",
    "[tenants.acme.targets.abc.env]\nfile = \"srv/.env\"",
    "[tenants.acme.targets.abc.env]\nfile = \"/srv/.env\"\nread_command = [\"true\"]",
    "[tenants.acme.targets.abc.env]\nfile = \"/srv/.env\"\nenvironment = [\"A\"]",
    "[tenants.acme.targets.abc.env]\nfile = \"/srv/.env\"\ntimeout = 5",
    "[tenants.acme.targets.abc.env]\ncommand = [\"true\"]\nformat = \"json\"",
    "[tenants.acme.targets.abc.env]\ncommand = [\"true\"]\nfollow_links = true",
    "[tenants.acme.targets.abc.env]\ncommand = [\"true\"]\nallow_mode = false",
    "[tenants.acme.targets.abc.env]\nfile = \"/srv/.env\"\nlist = \",\"\nfallback_key = \"B\"",
    "[tenants.acme.targets.abc.env]\nfile = \"/srv/.env\"\nkey = \"B\"\nfallback_key = \"B\"",
    "[tenants.acme.targets.abc.env]\nfile = \"/srv/.env\"\nfallback_key = \"AUTH0_CLIENT_SECRET\"",
    // Values of targets.
    "[tenants.acme.targets.abc.env]\nfile = \"/srv/x\"\nformat = \"docker_env\"",
    "[tenants.acme.targets.abc.env]\nfile = \"/srv/x\"\nformat = \"xml\"",
    "[tenants.acme.targets.abc.env]\ncommand = []",
    "[tenants.acme.targets.abc.env]\ncommand = [\" \"]",
    "[tenants.acme.targets.abc.env]\ncommand = \"vault kv put\"",
    "[tenants.acme.targets.abc.env]\ncommand = [\"vault\", 3]",
    "[tenants.acme.targets.abc.env]\ncommand = [\"vault\", \"a\\u0000b\"]",
    "[tenants.acme.targets.abc.env]\ncommand = [\"true\"]\ntimeout = 0",
    "[tenants.acme.targets.abc.env]\ncommand = [\"true\"]\ntimeout = 3601",
    "[tenants.acme.targets.abc.env]\ncommand = [\"true\"]\ntimeout = 99999999999999999999",
    "[tenants.acme.targets.abc.env]\ncommand = [\"true\"]\nenvironment = [\"A=1\"]",
    "[tenants.acme.targets.abc.env]\ncommand = [\"true\"]\nenvironment = [\"\"]",
    "[tenants.acme.targets.abc.env]\nfile = \"/srv/.env\"\nafter = []",
    "[tenants.acme.targets.abc.env]\nfile = \"/srv/.env\"\nkey = \"\"",
    "[tenants.acme.targets.abc.env]\nfile = \"/srv/.env\"\nkey = \"A B\"",
    "[tenants.acme.targets.abc.env]\nfile = \"/srv/.env\"\nkey = \"A\\nB\"",
    "[tenants.acme.targets.abc.env]\nfile = \"/srv/.env\"\nlist = \"\"",
    "[tenants.acme.targets.abc.env]\nfile = \"/srv/.env\"\nlist = \"_\"",
    "[tenants.acme.targets.abc.env]\nfile = \"/srv/.env\"\nlist = \"\\n\"",
    // Two targets where one belongs.
    "[tenants.acme.targets.abc.env]\nfile = \"/srv/.env\"\n[tenants.acme.targets.abc.env]\nfile = \"/srv/2.env\"",
    "[tenants.acme.targets.abc.env]\nfile = \"/srv/.env\"\n[tenants.acme.targets.abc.two]\nfile = \"/srv/.env\"",
    "[tenants.acme.targets.abc.env]\nfile = \"/srv/.env\"\n[tenants.acme.targets.xyz.two]\nfile = \"/srv/.env\"\nlist = \",\"",
    "[tenants.acme]\ndomain = \"acme.eu.auth0.com\"\n[tenants.acme.targets.abc.env]\nfile = \"/srv/.env\"\n[tenants.shop.targets.abc.two]\nfile = \"/srv/.env\"",
    // The tenant that is opened.
    "tenant = \"acme\"",
    "tenant = \"\"\n[tenants.acme]\ndomain = \"acme.eu.auth0.com\"",
    "tenant = \"acm\"\n[tenants.acme]\ndomain = \"acme.eu.auth0.com\"",
    "tenant = \"zzz\"\n[tenants.acme]\ndomain = \"acme.eu.auth0.com\"",
    // Names of tenants.
    "[tenants.\"\"]\ndomain = \"acme.eu.auth0.com\"",
    "[tenants.\" \"]\ndomain = \"acme.eu.auth0.com\"",
    "[tenants.\" acme\"]\ndomain = \"acme.eu.auth0.com\"",
    "[tenants.-acme]\ndomain = \"acme.eu.auth0.com\"",
    "[tenants.\"ac\\u0007me\"]\ndomain = \"acme.eu.auth0.com\"",
    "[tenants.\"ac\u{202e}me\"]\ndomain = \"acme.eu.auth0.com\"",
    "[tenants.\"ac\\nme\"]\ndomain = \"acme.eu.auth0.com\"",
    // Which of two mistakes is told: the first.
    "wheel = 1\n[tenants.acme]\nplan = 3\ncolour = 4",
    "[tenants.zoo]\nplan = 3\n[tenants.acme]\nplan = 3",
    // No TOML.
    "mouse",
    "mouse =",
    "mouse = ",
    "= true",
    "mouse = yes",
    "mouse = True",
    "mouse = true true",
    "mouse: true",
    "tenant = acme",
    "tenant = \"acme",
    "tenant = 'acme\n",
    "tenant = \"acme\nmouse = true",
    "tenant = \"\"\"acme",
    "tenant = \"C:\\keys\"",
    "tenant = \"\\u12\"",
    "tenant = \u{201c}acme\u{201d}",
    "mouse = 01",
    "mouse = [1, 2",
    "tenants = { acme = { domain = \"acme.eu.auth0.com\" }",
    "tenants = { acme = { domain = \"acme.eu.auth0.com\", , } }",
    "[tenants.acme",
    "[tenants.acme]]",
    "[tenants.]",
    "[tenants.my acme]",
    "[]",
    "[tenants.acme] domain = \"acme.eu.auth0.com\"",
    "<<<<<<< HEAD\nmouse = true\n=======\nmouse = false\n>>>>>>> theirs",
    "{\n  \"mouse\": true\n}",
    "mouse = \u{1b}[31m",
    "mouse = true\u{0}",
    "# a comment with \u{7} in it",
    "tenant = \"a\u{0}b\"",
    "\u{a0}mouse = true",
    "mouse = true\rtenant = \"acme\"",
    // A byte order mark and another system's line ends are none; what comes behind them is where a person sees it.
    "\u{feff}muose = true",
    "# one\r\n# two\r\nmuose = true\r\n",
    "mouse = true\n\u{feff}tenant = \"acme\"",
];

/// Every setting, and values of which one kind may be right.
const SETTINGS: [&str; 31] = [
    "tenant",
    "mouse",
    "ca_file",
    "nag_after_days",
    "lock_after_minutes",
    "identity_file",
    "tenants.acme.domain",
    "tenants.acme.audience",
    "tenants.acme.environment",
    "tenants.acme.colour",
    "tenants.acme.read_only",
    "tenants.acme.sign_in",
    "tenants.acme.client_id",
    "tenants.acme.private_key",
    "tenants.acme.algorithm",
    "tenants.acme.kept_in",
    "tenants.acme.plan",
    "tenants.acme.ca_file",
    "tenants.acme.targets",
    "tenants.acme.targets.abc.env.file",
    "tenants.acme.targets.abc.env.format",
    "tenants.acme.targets.abc.env.command",
    "tenants.acme.targets.abc.env.read_command",
    "tenants.acme.targets.abc.env.environment",
    "tenants.acme.targets.abc.env.timeout",
    "tenants.acme.targets.abc.env.key",
    "tenants.acme.targets.abc.env.fallback_key",
    "tenants.acme.targets.abc.env.list",
    "tenants.acme.targets.abc.env.after",
    "tenants.acme.targets.abc.env.follow_links",
    "tenants.acme.targets.abc.env.allow_mode",
];

/// Checks what holds for every message, and takes its text.
fn message(text: &str, error: &ConfigError) -> String {
    let message = error.to_string();
    let line = error.line.unwrap_or_else(|| panic!("no line: {message}"));
    assert!((1..=text.lines().count().max(1)).contains(&line), "line {line} is not in the file: {text:?}");
    assert!(message.starts_with(&format!("config.toml, line {line}: ")), "{message:?}");
    assert!(!message.chars().any(is_hidden), "{message:?}");
    assert!(message.chars().count() < 400, "too long: {message}");
    message
}

fn told(text: &str) -> String {
    let error = Config::parse(text, Path::new("config.toml"));
    message(text, &error.expect_err(text))
}

fn entry(into: &mut String, text: &str, message: &str) {
    let shown: Vec<_> = text.split('\n').map(shown).collect();
    writeln!(into, "--- {}\n=> {message}", shown.join("\n")).expect("text is written");
}

macro_rules! assert_messages {
    ($name:literal, $text:expr) => {
        insta::with_settings!({ snapshot_path => "config", prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_snapshot!($name, $text);
        });
    };
}

#[test]
fn every_mistake_is_told_with_its_line_and_what_was_expected() {
    let mut all = String::new();
    for text in MISTAKES {
        entry(&mut all, text, &told(text));
    }
    assert_messages!("mistakes", all);
}

#[test]
fn a_value_of_another_kind_is_told_in_words() {
    let mut all = String::new();
    for setting in SETTINGS {
        let ends = |ends: &[&str]| ends.iter().any(|end| setting.ends_with(end));
        let is_switch = ends(&["mouse", "read_only", "follow_links", "allow_mode"]);
        let is_number = ends(&["_days", "_minutes", "timeout"]);
        let text = if is_number { format!("{setting} = \"3\"") } else { format!("{setting} = 3") };
        let other = if is_switch { format!("{setting} = \"yes\"") } else { format!("{setting} = false") };
        for text in [text, other] {
            entry(&mut all, &text, &told(&text));
        }
    }
    for text in [
        "tenant = 1.5",
        "tenant = 2026-11-01",
        "tenant = [\"acme\"]",
        "tenant = { name = \"acme\" }",
        "mouse = 0",
        "mouse = \"\\u001B[2J\"",
        "tenants = 3",
        "tenants = \"acme\"",
        "tenants = [\"acme\"]",
        "tenants.acme = \"acme.eu.auth0.com\"",
        "tenants.acme = true",
        "[[tenants.acme]]\ndomain = \"acme.eu.auth0.com\"",
        "tenants.acme.domain.host = \"acme.eu.auth0.com\"",
        "tenants.acme.targets = [\"/srv/.env\"]",
        "tenants.acme.targets.abc = \"/srv/.env\"",
        "tenants.acme.targets.abc.env = \"/srv/.env\"",
        "[[tenants.acme.targets.abc.env]]\nfile = \"/srv/.env\"",
        "[[tenants.acme.targets.abc]]\nname = \"env\"",
        "nag_after_days = 1.5",
    ] {
        entry(&mut all, text, &told(text));
    }
    assert_messages!("kinds", all);
}

/// What is long is told as far as it helps.
#[test]
fn a_long_text_does_not_hide_what_was_expected() {
    let long = "x".repeat(300);
    let wide = "\\u202E".repeat(5000);
    let mut all = String::new();
    for (what, text) in [
        ("300 characters as a setting", format!("{long} = 1")),
        ("300 characters as a tenant's name", format!("[tenants.{long}]\ndomain = \"acme.eu.auth0.com\"")),
        ("300 characters as the tenant that is opened", format!("tenant = \"{long}\"\n{ACME}")),
        ("300 characters as an environment", format!("{ACME}environment = \"{long}\"")),
        ("300 characters as a domain", format!("[tenants.acme]\ndomain = \"{long}\"")),
        ("300 characters with a blank as a domain", format!("[tenants.acme]\ndomain = \"{long} {long}\"")),
        ("a long address with a path", format!("[tenants.acme]\ndomain = \"https://{long}/{long}\"")),
        ("another scheme of 300 characters", format!("[tenants.acme]\ndomain = \"{long}://acme.eu.auth0.com\"")),
        ("a long relative path", format!("ca_file = \"{long}\"")),
        ("5000 invisible characters as a setting", format!("\"{wide}\" = 1")),
        ("5000 invisible characters as an environment", format!("{ACME}environment = \"{wide}\"")),
        ("300 characters as a client's id", format!("{ACME}targets.{long}.env.file = \"/srv/.env\"")),
        (
            "300 characters as a client's id that is none",
            format!("{ACME}targets.\"{long} {long}\".env.file = \"/srv/.env\""),
        ),
        ("300 characters as a target's name", format!("{ACME}targets.abc.{long}.file = \"/srv/.env\"")),
        ("300 characters as a file's name", format!("{ACME}targets.abc.env.file = \"/srv/{long}\"")),
        (
            "300 characters as a variable",
            format!("{ACME}targets.abc.env.file = \"/x.env\"\ntargets.abc.env.key = \"{long} \""),
        ),
        (
            "300 characters between two secrets",
            format!("{ACME}targets.abc.env.file = \"/x.env\"\ntargets.abc.env.list = \"{long}\""),
        ),
        ("a list in a list, 500 times", format!("mouse = {}", "[".repeat(500))),
    ] {
        entry(&mut all, what, &told(&text));
    }
    assert_messages!("long", all);
}

#[test]
fn what_cannot_be_read_as_text_is_told_with_the_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let home = folder.path().join("home");
    let mut builder = std::fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(&home).expect("a folder");
    let file = home.join("config.toml");
    let mut all = String::new();
    let large = "# a line of a comment that says nothing\n".repeat(30_000);
    for (what, bytes) in [
        ("a byte that is no UTF-8 in line 3", b"# one\n# two\ntenant = \"ac\xffme\"\n".as_slice()),
        ("cut off within a character, in line 1", b"tenant = \"gr\xc3"),
        ("UTF-16 with its mark", b"\xff\xfem\0o\0u\0s\0e\0"),
        ("UTF-16 without", b"m\0o\0u\0s\0e\0"),
        ("more than a megabyte", large.as_bytes()),
    ] {
        std::fs::write(&file, bytes).expect("a file");
        #[cfg(unix)]
        std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).expect("a mode");
        let error = Config::load(&file).expect_err(what).to_string();
        assert!(error.starts_with(&file.display().to_string()) && !error.chars().any(is_hidden), "{error:?}");
        entry(&mut all, what, &error.replace(&format!("{}/", home.display()), ""));
    }
    assert_messages!("unreadable", all);
}

/// A folder's name is text from outside as well.
#[test]
fn the_path_of_the_file_is_shown_harmlessly() {
    let error = Config::parse("wheel = 1", Path::new("/tmp/\u{1b}[31m\u{202e}/config.toml")).expect_err("a mistake");
    let error = error.to_string();
    assert!(error.starts_with("/tmp/\\u{001B}[31m\\u{202E}/config.toml, line 1: "), "{error:?}");
}

#[test]
fn every_way_to_write_a_table_works() {
    let expected = Config::parse(&format!("{ACME}plan = \"free\"\n"), Path::new("config.toml")).expect("it is right");
    for text in [
        "tenants.acme.domain = \"acme.eu.auth0.com\"\ntenants.acme.plan = \"free\"",
        "tenants.acme = { domain = \"acme.eu.auth0.com\", plan = \"free\" }",
        "tenants = { acme = { domain = \"acme.eu.auth0.com\", plan = \"free\" } }",
        "tenants = { acme.domain = \"acme.eu.auth0.com\", acme.plan = \"free\" }",
        "tenants = {\n  acme = { domain = \"acme.eu.auth0.com\", plan = \"free\" }, # ours\n}",
        "[tenants]\nacme.domain = \"acme.eu.auth0.com\"\nacme.plan = \"free\"",
        "[tenants]\nacme = { domain = \"acme.eu.auth0.com\", plan = \"free\" }",
        "[tenants]\n[tenants.\"acme\"]\n'domain' = '''acme.eu.auth0.com'''\n\"plan\" = 'free'",
        "[ tenants . acme ]\ndomain=\"\\u0061cme.eu.auth0.com\"\nplan=\"\"\"\\\n  free\"\"\"",
        "\u{feff}[tenants.acme]\ndomain = \"acme.eu.auth0.com\"\nplan = \"free\"\n",
        "[tenants.acme]\r\ndomain = \"acme.eu.auth0.com\"\r\nplan = \"free\"\r\n",
        "# no line end behind it\n[tenants.acme]\n\tdomain = \"acme.eu.auth0.com\"\n\tplan = \"free\"",
    ] {
        let config = Config::parse(text, Path::new("config.toml")).expect(text);
        assert_eq!(config.tenants, expected.tenants, "{text}");
    }
    for text in ["", "\n\n", "# nothing\n", "\u{feff}", "\r\n", "[tenants]", "tenants = {}"] {
        let config = Config::parse(text, Path::new("config.toml")).expect(text);
        assert_eq!((config.tenants.len(), config.mouse), (0, true), "{text:?}");
    }
}

/// A home with two tenants and what a person wrote around them.
fn two_tenants() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let home = folder.path().join("home");
    let mut builder = std::fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(&home).expect("a folder");
    let comments = "# what a person wrote\n".repeat(200);
    let text = format!(
        "tenant = \"acme\" # which\n{comments}{ACME}[tenants.shop]\ndomain = \"shop.eu.auth0.com\"\n{comments}"
    );
    let file = home.join("config.toml");
    std::fs::write(&file, text).expect("a file");
    #[cfg(unix)]
    std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).expect("a mode");
    (folder, file)
}

/// Stores twenty tenants, one after the other.
fn store_twenty(home: &Path, whose: &str) {
    let folder = home.as_os_str().to_owned();
    let tenants = Tenants::new(move |name| (name == "ROLLOVER_HOME").then(|| folder.clone()), false).expect("a home");
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    for number in 0..20 {
        let domain = Domain::parse(&format!("{whose}-{number}.eu.auth0.com")).expect("a domain");
        let profile = Profile::new(format!("{whose} {number}"), domain);
        runtime.block_on(tenants.store(&profile, None, number % 2 == 0)).expect("it is stored");
    }
}

/// Not a test: what the other process of the test below does.
#[test]
#[ignore = "runs as a process of its own"]
fn another_process() {
    let set = |name: &str| std::env::var_os(name).map(PathBuf::from);
    if let (Some(home), Some(whose)) = (set("STORE_IN"), std::env::var_os("STORE_AS")) {
        store_twenty(&home, &whose.to_string_lossy());
    }
}

#[test]
fn of_what_is_stored_at_once_nothing_is_lost() {
    let (_folder, file) = two_tenants();
    let home = file.parent().expect("a folder");
    let processes: Vec<_> = ["one", "two"]
        .map(|whose| {
            let mut command = Command::new(std::env::current_exe().expect("this program"));
            command.args(["another_process", "--exact", "--ignored"]).stdout(Stdio::null());
            command.env("STORE_IN", home).env("STORE_AS", whose).spawn().expect("a process")
        })
        .into();
    std::thread::scope(|scope| {
        for whose in ["three", "four"] {
            scope.spawn(move || store_twenty(home, whose));
        }
    });
    for mut process in processes {
        assert!(process.wait().expect("it ends").success());
    }
    let config = Config::load(&file).expect("it is whole");
    assert_eq!(config.tenants.len(), 2 + 4 * 20);
    let text = std::fs::read_to_string(&file).expect("it is there");
    assert_eq!(text.matches("# what a person wrote\n").count(), 400);
}

#[cfg(unix)]
fn use_by_default(home: &Path, name: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rollover"));
    command.env_clear().env("ROLLOVER_HOME", home).args(["use", name]);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

#[cfg(unix)]
fn opened_by_default(file: &Path) -> String {
    Config::load(file).expect("it is whole").selected.expect("a tenant")
}

/// Two hundred times: at a random moment, or as soon as the new file is seen to be written.
#[test]
#[cfg(unix)]
fn whoever_is_killed_while_writing_leaves_the_old_file_or_the_new_one() {
    let (_folder, file) = two_tenants();
    let home = file.parent().expect("a folder");
    let rest = || std::fs::read_to_string(&file).expect("it is there").replacen(&opened_by_default(&file), "", 1);
    let other = || if opened_by_default(&file) == "acme" { "shop" } else { "acme" };
    let whole = rest();
    let started = Instant::now();
    assert!(use_by_default(home, other()).status().expect("it runs").success());
    let usual = started.elapsed();
    let mut random = fastrand::Rng::new();
    let (mut old, mut new, mut broken_off) = (0, 0, 0);
    for turn in 0..200 {
        let name = other();
        let mut child = use_by_default(home, name).spawn().expect("it starts");
        let temporary = home.join(format!(".config.toml.{}", child.id()));
        if turn % 2 == 0 {
            std::thread::sleep(usual.mul_f64(random.f64() * 1.2));
        } else {
            while !temporary.exists() && child.try_wait().expect("a child").is_none() {
                std::hint::spin_loop();
            }
            std::thread::sleep(Duration::from_micros(random.u64(..300)));
        }
        // Nothing in the program is told of this kill.
        child.kill().expect("it is ours");
        child.wait().expect("it ends");
        assert_eq!(rest(), whole, "turn {turn}");
        if opened_by_default(&file) == name {
            new += 1;
        } else {
            old += 1;
        }
        broken_off += u32::from(temporary.exists());
    }
    let times = format!("{old} times the old one, {new} times the new one, {broken_off} times broken off");
    assert!(old > 0 && new > 0 && broken_off > 0, "no kill came in between: {times}");
    // What they left does not keep anybody from writing, not even the process that gets the number of one of them.
    let name = other();
    let script =
        "umask 077; left=$ROLLOVER_HOME/.config.toml.$$; echo x >$left; chmod 400 $left; exec \"$0\" use \"$1\"";
    let mut shell = Command::new("/bin/sh");
    shell.env_clear().env("ROLLOVER_HOME", home).args(["-c", script, env!("CARGO_BIN_EXE_rollover"), name]);
    let output = shell.output().expect("it runs");
    assert!(output.status.success(), "{output:?}");
    assert_eq!((opened_by_default(&file).as_str(), rest()), (name, whole));
    let names = std::fs::read_dir(home).expect("the home").map(|entry| entry.expect("an entry").file_name());
    let left: Vec<_> = names.filter(|name| name.to_string_lossy().starts_with(".config.toml")).collect();
    assert!(left.is_empty(), "the next write takes it away: {left:?}");
}
