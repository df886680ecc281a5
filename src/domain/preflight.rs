use std::borrow::Cow;
use std::fmt;

/// How one thing stands; the worst is the greatest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Standing {
    /// It works, or there is nothing to say against it.
    Ok,
    /// It works, and somebody should know of it; or it could not be looked at.
    Warning,
    /// It does not work.
    Problem,
}

impl Standing {
    /// As it is written for programs.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Problem => "problem",
        }
    }

    /// One sign that tells it without a colour.
    #[must_use]
    pub fn sign(self) -> &'static str {
        match self {
            Self::Ok => "✓",
            Self::Warning => "!",
            Self::Problem => "✗",
        }
    }
}

/// What belongs together on a screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Area {
    /// The program itself.
    Program,
    /// Its files.
    Files,
    /// Where credentials are kept.
    Keeping,
    /// Which tenant, with which credentials.
    Tenant,
    /// The way there.
    Network,
    /// The token, and what it may do.
    Token,
    /// Copying.
    Clipboard,
    /// What the interface is drawn on.
    Terminal,
}

impl Area {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Self; 8] = [
        Self::Program,
        Self::Files,
        Self::Keeping,
        Self::Tenant,
        Self::Network,
        Self::Token,
        Self::Clipboard,
        Self::Terminal,
    ];

    /// Its heading.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Program => "Program",
            Self::Files => "Files",
            Self::Keeping => "Keyring and passphrase",
            Self::Tenant => "Tenant",
            Self::Network => "Network",
            Self::Token => "Token",
            Self::Clipboard => "Clipboard",
            Self::Terminal => "Terminal",
        }
    }

    /// As it is written for programs, before the dot of a topic's id.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Program => "program",
            Self::Files => "files",
            Self::Keeping => "keeping",
            Self::Tenant => "tenant",
            Self::Network => "network",
            Self::Token => "token",
            Self::Clipboard => "clipboard",
            Self::Terminal => "terminal",
        }
    }
}

/// What a finding is about. Programs know it by [`Topic::id`], which stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Topic {
    /// Which version this is, and how it was built.
    Version,
    /// The operating system.
    System,
    /// Whether a crash would leave the memory in a file.
    CoreDumps,
    /// Whether other programs of the same user can read the memory.
    Memory,
    /// `config.toml`: there, well formed, private.
    Config,
    /// The folder of `config.toml`.
    ConfigFolder,
    /// The folder of what the program keeps for itself.
    StateFolder,
    /// The key of fingerprints.
    FingerprintKey,
    /// The key of sealed credentials.
    SealingKey,
    /// The folder of sealed credentials.
    Credentials,
    /// The ledger's file.
    Ledger,
    /// Who can open what is sealed in the ledger.
    LedgerKey,
    /// Rollovers that have not ended.
    Rollovers,
    /// The keyring of the operating system.
    Keyring,
    /// The passphrase of sealed credentials.
    Passphrase,
    /// What auth0-cli is signed in at.
    Auth0Cli,
    /// Which tenant is selected, and by what.
    Selection,
    /// The credentials for it.
    SignIn,
    /// What the tenant is for: by `config.toml`, and by its own settings.
    Environment,
    /// The tenant's name has an address.
    Name,
    /// The proxy on the way.
    Proxy,
    /// Connection, TLS and HTTP.
    Reach,
    /// This machine's clock against the server's.
    Clock,
    /// The rate limit, and the plan that it tells of.
    RateLimit,
    /// Until when the token is valid.
    Validity,
    /// Whether the Management API takes the token.
    Acceptance,
    /// One scope of the token.
    Scope(&'static str),
    /// The scopes that rollover has no use for.
    OtherScopes,
    /// Which way a value gets to the clipboard.
    Copying,
    /// Whether stdout is a terminal.
    Output,
    /// What kind of terminal it says it is.
    Kind,
    /// How many colours it has.
    Colours,
    /// How large it is.
    Size,
    /// Whether it shows more than ASCII.
    Locale,
    /// What stands between the program and the terminal.
    Between,
}

impl Topic {
    fn described(self) -> (Area, &'static str, &'static str) {
        match self {
            Self::Version => (Area::Program, "version", "Version"),
            Self::System => (Area::Program, "system", "System"),
            Self::CoreDumps => (Area::Program, "core_dumps", "Core dumps"),
            Self::Memory => (Area::Program, "memory", "Memory"),
            Self::Config => (Area::Files, "config", "config.toml"),
            Self::ConfigFolder => (Area::Files, "config_folder", "Settings"),
            Self::StateFolder => (Area::Files, "state_folder", "State"),
            Self::FingerprintKey => (Area::Files, "fingerprint_key", "Fingerprints"),
            Self::SealingKey => (Area::Files, "sealing_key", "Sealing key"),
            Self::Credentials => (Area::Files, "credentials", "Credentials"),
            Self::Ledger => (Area::Files, "ledger", "Ledger"),
            Self::LedgerKey => (Area::Keeping, "ledger_key", "Ledger's key"),
            Self::Rollovers => (Area::Files, "rollovers", "Rollovers"),
            Self::Keyring => (Area::Keeping, "keyring", "Keyring"),
            Self::Passphrase => (Area::Keeping, "passphrase", "Passphrase"),
            Self::Auth0Cli => (Area::Keeping, "auth0_cli", "auth0-cli"),
            Self::Selection => (Area::Tenant, "selected", "Selected"),
            Self::SignIn => (Area::Tenant, "sign_in", "Sign-in"),
            Self::Environment => (Area::Tenant, "environment", "Environment"),
            Self::Name => (Area::Network, "dns", "Name"),
            Self::Proxy => (Area::Network, "proxy", "Proxy"),
            Self::Reach => (Area::Network, "reach", "Connection"),
            Self::Clock => (Area::Network, "clock", "Clock"),
            Self::RateLimit => (Area::Network, "rate_limit", "Rate limit"),
            Self::Validity => (Area::Token, "validity", "Valid"),
            Self::Acceptance => (Area::Token, "accepted", "Accepted"),
            Self::Scope(scope) => (Area::Token, scope, scope),
            Self::OtherScopes => (Area::Token, "other_scopes", "Other scopes"),
            Self::Copying => (Area::Clipboard, "way", "Way"),
            Self::Output => (Area::Terminal, "output", "Output"),
            Self::Kind => (Area::Terminal, "kind", "Kind"),
            Self::Colours => (Area::Terminal, "colours", "Colours"),
            Self::Size => (Area::Terminal, "size", "Size"),
            Self::Locale => (Area::Terminal, "locale", "Characters"),
            Self::Between => (Area::Terminal, "between", "Between"),
        }
    }

    /// Where it is shown.
    #[must_use]
    pub fn area(self) -> Area {
        self.described().0
    }

    /// For programs: `network.dns`, `token.read:clients`.
    #[must_use]
    pub fn id(self) -> String {
        let (area, id, _) = self.described();
        format!("{}.{id}", area.name())
    }

    /// A word or two for a person.
    #[must_use]
    pub fn title(self) -> &'static str {
        self.described().2
    }
}

/// One thing that was looked at. Nothing secret is in it, so that it can be pasted into a bug report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What it is about.
    pub topic: Topic,
    /// How it stands.
    pub standing: Standing,
    /// What was found. Safe to print, on one line.
    pub what: String,
    /// What to do about it. Safe to print, on one line.
    pub mend: Option<String>,
}

impl Finding {
    /// Something that works.
    #[must_use]
    pub fn ok(topic: Topic, what: impl AsRef<str>) -> Self {
        Self::new(topic, Standing::Ok, what.as_ref(), None)
    }

    /// The same, with something that could be done.
    #[must_use]
    pub fn advising(self, mend: impl AsRef<str>) -> Self {
        Self { mend: Some(safe(mend.as_ref())), ..self }
    }

    /// Something to know of; an empty mend is none.
    #[must_use]
    pub fn warning(topic: Topic, what: impl AsRef<str>, mend: impl AsRef<str>) -> Self {
        Self::new(topic, Standing::Warning, what.as_ref(), Some(mend.as_ref()))
    }

    /// Something that does not work; an empty mend is none.
    #[must_use]
    pub fn problem(topic: Topic, what: impl AsRef<str>, mend: impl AsRef<str>) -> Self {
        Self::new(topic, Standing::Problem, what.as_ref(), Some(mend.as_ref()))
    }

    /// What is wrong may come from outside, whoever wrote it down: it is made safe here, once for all.
    fn new(topic: Topic, standing: Standing, what: &str, mend: Option<&str>) -> Self {
        let mend = mend.filter(|mend| !mend.is_empty()).map(safe);
        Self { topic, standing, what: safe(what), mend }
    }
}

/// Where a setting has its value from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// Nobody set it.
    Default,
    /// `config.toml`, at this line.
    File {
        /// Line, counted from one, where it is known.
        line: Option<usize>,
    },
    /// The environment, where the setting is a variable itself.
    Environment,
    /// This environment variable.
    Variable(&'static str),
    /// This flag of the command line.
    Flag(&'static str),
    /// Chosen in this run.
    Chosen,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { line: Some(line) } => write!(f, "config.toml, line {line}"),
            Self::File { line: None } => f.write_str("config.toml"),
            Self::Environment => f.write_str("environment"),
            Self::Variable(name) | Self::Flag(name) => f.write_str(name),
            Self::Chosen => f.write_str("chosen here"),
        }
    }
}

/// A setting that applies. Of a secret one only that it is set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Its name: as in `config.toml`, or an environment variable's. Safe to print.
    pub name: String,
    /// Its value. Safe to print.
    pub value: String,
    /// Where it has it from.
    pub source: Source,
}

impl Setting {
    /// One with its name and value made safe to print.
    #[must_use]
    pub fn new(name: impl AsRef<str>, value: impl AsRef<str>, source: Source) -> Self {
        Self { name: safe(name.as_ref()), value: safe(value.as_ref()), source }
    }
}

fn safe(text: &str) -> String {
    let line: Cow<'_, str> =
        if text.contains('\n') { text.lines().collect::<Vec<_>>().join(" ").into() } else { text.into() };
    super::untrusted::shown(&line).into_owned()
}

/// What was found by looking around before the work.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// What was looked at, in the order in which it is shown.
    pub findings: Vec<Finding>,
    /// Every setting that applies, with where it came from.
    pub settings: Vec<Setting>,
}

impl Report {
    /// One with its findings in the order of their areas; within an area they stay as they came.
    #[must_use]
    pub fn new(mut findings: Vec<Finding>, settings: Vec<Setting>) -> Self {
        findings.sort_by_key(|finding| finding.topic.area());
        Self { findings, settings }
    }

    /// How the worst of it stands.
    #[must_use]
    pub fn worst(&self) -> Standing {
        self.findings.iter().map(|finding| finding.standing).max().unwrap_or(Standing::Ok)
    }

    /// How many findings stand so.
    #[must_use]
    pub fn count(&self, standing: Standing) -> usize {
        self.findings.iter().filter(|finding| finding.standing == standing).count()
    }

    /// The areas in which something was found, each with its findings.
    pub fn areas(&self) -> impl Iterator<Item = (Area, &[Finding])> {
        self.findings
            .chunk_by(|one, other| one.topic.area() == other.topic.area())
            .filter_map(|findings| Some((findings.first()?.topic.area(), findings)))
    }

    /// In one sentence: how many problems and warnings there are.
    #[must_use]
    pub fn summary(&self) -> String {
        let counted = |count: usize, word: &str| match count {
            1 => format!("1 {word}"),
            count => format!("{count} {word}s"),
        };
        match (self.count(Standing::Problem), self.count(Standing::Warning)) {
            (0, 0) => "Everything works.".to_owned(),
            (0, warnings) => format!("{}, no problem.", counted(warnings, "warning")),
            (problems, 0) => format!("{}.", counted(problems, "problem")),
            (problems, warnings) => format!("{}, {}.", counted(problems, "problem"), counted(warnings, "warning")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Report {
        let findings = vec![
            Finding::warning(Topic::Size, "too small", "Make it larger."),
            Finding::ok(Topic::Version, "1.0"),
            Finding::problem(Topic::Reach, "refused", ""),
            Finding::ok(Topic::Name, "an address"),
        ];
        Report::new(findings, Vec::new())
    }

    #[test]
    fn findings_stand_by_area_and_keep_their_order_within() {
        let report = report();
        let shown: Vec<_> =
            report.areas().map(|(area, all)| (area, all.iter().map(|one| one.topic).collect::<Vec<_>>())).collect();
        assert_eq!(
            shown,
            [
                (Area::Program, vec![Topic::Version]),
                (Area::Network, vec![Topic::Reach, Topic::Name]),
                (Area::Terminal, vec![Topic::Size]),
            ]
        );
    }

    #[test]
    fn the_worst_counts_and_is_counted() {
        let report = report();
        assert_eq!((report.worst(), report.summary().as_str()), (Standing::Problem, "1 problem, 1 warning."));
        let calm = Report::default();
        assert_eq!((calm.worst(), calm.summary().as_str()), (Standing::Ok, "Everything works."));
        let many =
            Report::new(vec![Finding::warning(Topic::Size, "x", ""), Finding::warning(Topic::Kind, "y", "")], vec![]);
        assert_eq!((many.worst(), many.summary().as_str()), (Standing::Warning, "2 warnings, no problem."));
    }

    #[test]
    fn whatever_is_found_is_safe_to_print_on_one_line() {
        let finding = Finding::problem(Topic::Config, "line\u{1b}[31m one\nline two\u{202e}", "run:\n\u{9b}2J");
        assert_eq!(finding.what, "line\\u{001B}[31m one line two\\u{202E}");
        assert_eq!(finding.mend.as_deref(), Some("run: \\u{009B}2J"));
        let setting = Setting::new("tenants.a\u{200b}", "\u{7}", Source::Default);
        assert_eq!((setting.name.as_str(), setting.value.as_str()), ("tenants.a\\u{200B}", "\\u{0007}"));
    }

    #[test]
    fn topics_have_names_for_programs() {
        assert_eq!(Topic::Name.id(), "network.dns");
        assert_eq!(Topic::Scope("read:clients").id(), "token.read:clients");
    }
}
