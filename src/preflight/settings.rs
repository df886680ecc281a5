use super::tenant::{SECRET, Target};
use super::{Inputs, client};
use crate::domain::preflight::{Setting, Source};
use crate::domain::{Colour, Domain, Environment, Keep, Origin, RatePlan, WayIn};
use crate::tenants::Config;

/// What the settings follow from.
pub(super) struct Known<'a> {
    pub(super) inputs: &'a Inputs<'a>,
    pub(super) config: &'a Config,
    pub(super) target: Option<&'a Target<'a>>,
}

/// What stands for a value that is not there.
const NOT_SET: &str = "not set";

/// What stands for a value that is not shown.
const SET: &str = "set";

/// Every setting that applies: those of the file, those of the selected tenant, and the environment's.
pub(super) fn list(known: &Known<'_>) -> Vec<Setting> {
    let mut settings = of_file(known.config);
    if let Some(target) = known.target {
        settings.extend(of_tenant(known, target));
    }
    settings.extend(of_environment(known.inputs));
    settings
}

fn of_file(config: &Config) -> Vec<Setting> {
    let line = |name: &str| from(config, name);
    let path = |path: &std::path::PathBuf| path.display().to_string();
    vec![
        Setting::new("tenant", config.selected.as_deref().unwrap_or(NOT_SET), line("tenant")),
        Setting::new("mouse", word(config.mouse), line("mouse")),
        Setting::new("ca_file", config.ca_file.as_ref().map_or(NOT_SET.to_owned(), path), line("ca_file")),
        Setting::new("nag_after_days", config.nag_after_days.to_string(), line("nag_after_days")),
        Setting::new("lock_after_minutes", config.lock_after_minutes.to_string(), line("lock_after_minutes")),
        Setting::new(
            "identity_file",
            config.identity_file.as_ref().map_or(NOT_SET.to_owned(), path),
            line("identity_file"),
        ),
    ]
}

fn of_tenant(known: &Known<'_>, target: &Target<'_>) -> Vec<Setting> {
    let (config, profile) = (known.config, target.profile());
    let named = |setting: &str| format!("tenants.{}.{setting}", profile.name);
    let line = |setting: &str| from(config, &named(setting));
    let setting = |name: &str, value: Option<String>, source: Source| {
        Setting::new(named(name), value.as_deref().unwrap_or(NOT_SET), source)
    };
    let text = |text: &str| Some(text.to_owned());
    let is_set = |name: &str| known.inputs.tenants.variable(name).is_some_and(|value| !value.is_empty());
    let given = target.variable();
    let by_domain = *target.origin() == Origin::Environment && is_set("AUTH0_DOMAIN");
    let domain = if by_domain { Source::Variable("AUTH0_DOMAIN") } else { line("domain") };
    let audience = match (&profile.audience, known.inputs.tenants.variable("AUTH0_AUDIENCE")) {
        (Some(ours), Some(set)) if set == ours.as_str() && (by_domain || given.is_some()) => {
            Source::Variable("AUTH0_AUDIENCE")
        }
        _ => line("audience"),
    };
    let own_audience = || profile.domain.management_audience();
    let by_given = |setting: &str, variable: &'static str| match given {
        Some(_) => Source::Variable(variable),
        None => line(setting),
    };
    let key = match target.way() {
        Some(WayIn::PrivateKeyJwt { key_file, algorithm, .. }) => Some((key_file, *algorithm)),
        _ => None,
    };
    let algorithm = match (key, is_set("AUTH0_CLIENT_ASSERTION_SIGNING_ALG")) {
        (Some(_), false) if given.is_some() => Source::Default,
        _ => by_given("algorithm", "AUTH0_CLIENT_ASSERTION_SIGNING_ALG"),
    };
    let read_only = if known.inputs.read_only { Source::Flag("--read-only") } else { line("read_only") };
    let ca_file = if config.lines.contains_key(&named("ca_file")) { line("ca_file") } else { from(config, "ca_file") };
    let mut all = vec![
        setting("domain", Some(profile.domain.to_string()), domain),
        setting("audience", Some(profile.audience.clone().unwrap_or_else(own_audience)), audience),
        setting("environment", profile.environment.map(Environment::name).and_then(text), line("environment")),
        setting(
            "colour",
            text(profile.colour.unwrap_or_else(|| Colour::of(profile.environment)).name()),
            line("colour"),
        ),
        setting("read_only", text(word(profile.read_only || known.inputs.read_only)), read_only),
        setting(
            "sign_in",
            target.way().map(WayIn::name).and_then(text),
            given.map_or_else(|| line("sign_in"), Source::Variable),
        ),
        match target.way().and_then(WayIn::client_id) {
            Some(id) => setting("client_id", Some(client(id)), by_given("client_id", "AUTH0_CLIENT_ID")),
            None => setting("client_id", None, Source::Default),
        },
        match key {
            Some((Some(path), _)) => setting("private_key", Some(path.display().to_string()), line("private_key")),
            Some((None, _)) => setting("private_key", text(SET), by_given("private_key", SECRET[2])),
            None => setting("private_key", None, Source::Default),
        },
        match key {
            Some((_, used)) => setting("algorithm", text(used.name()), algorithm),
            None => setting("algorithm", None, Source::Default),
        },
        match given {
            Some(_) => setting("kept_in", text("environment"), given.map_or(Source::Default, Source::Variable)),
            None => setting("kept_in", profile.kept.map(Keep::name).and_then(text), line("kept_in")),
        },
        setting("plan", profile.plan.map(RatePlan::name).and_then(text), line("plan")),
        setting("ca_file", profile.ca_file.as_ref().map(|path| path.display().to_string()), ca_file),
    ];
    for (id, target) in profile.targets.iter().flat_map(|(id, targets)| targets.iter().map(move |one| (id, one))) {
        let name = format!("targets.{id}.{}", target.name);
        all.push(setting(&name, Some(target.place_words()), line(&name)));
    }
    all
}

/// The variables that rollover reads, as far as they are set; of those that hold something secret only that they are.
fn of_environment(inputs: &Inputs<'_>) -> Vec<Setting> {
    type Shown = fn(&str) -> String;
    let domain: Shown = |value| match Domain::parse(value) {
        Ok(domain) => domain.to_string(),
        // It may hold a password.
        Err(_) => "set, and no domain".to_owned(),
    };
    let plain: Shown = str::to_owned;
    let hidden: Shown = |_| SET.to_owned();
    let known: [(&str, Shown); 11] = [
        ("ROLLOVER_HOME", plain),
        ("ROLLOVER_TENANT", plain),
        ("ROLLOVER_IDENTITY_FILE", plain),
        ("AUTH0_DOMAIN", domain),
        ("AUTH0_AUDIENCE", plain),
        ("AUTH0_CLIENT_ID", client),
        ("AUTH0_CLIENT_ASSERTION_SIGNING_ALG", plain),
        (SECRET[0], hidden),
        (SECRET[1], hidden),
        (SECRET[2], hidden),
        ("NO_COLOR", hidden),
    ];
    let value = |name: &str| inputs.tenants.variable(name).filter(|value| !value.is_empty());
    let set = known.into_iter().filter_map(|(name, shown)| match value(name) {
        Some(value) => Some(Setting::new(name, shown(&value.to_string_lossy()), Source::Environment)),
        // Where the files are is worth knowing in any case.
        None => (name == "ROLLOVER_HOME").then(|| Setting::new(name, NOT_SET, Source::Default)),
    });
    set.collect()
}

fn from(config: &Config, name: &str) -> Source {
    config.lines.get(name).map_or(Source::Default, |line| Source::File { line: Some(*line) })
}

fn word(value: bool) -> &'static str {
    if value { "true" } else { "false" }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;
    use std::path::Path;

    use super::*;
    use crate::tenants::{SETTINGS, TENANT_SETTINGS, Tenants};

    const KEY: &str = "-----BEGIN PRIVATE KEY-----canary";

    fn listed(text: &str, set: &'static [(&'static str, &'static str)], flag: Option<&str>) -> Vec<Setting> {
        let find = |name: &str| set.iter().find(|(key, _)| *key == name).map(|(_, value)| OsString::from(value));
        let home = |name: &str| (name == "ROLLOVER_HOME").then(|| OsString::from("/nowhere"));
        let tenants = Tenants::new(move |name| home(name).or_else(|| find(name)), false).expect("a home");
        let config = Config::parse(text, Path::new("config.toml")).expect("a configuration");
        let inputs = Inputs { flag, ..Inputs::new(&tenants) };
        let target = Target::of(&inputs, &config, false).ok();
        list(&Known { inputs: &inputs, config: &config, target: target.as_ref() })
    }

    fn one<'a>(all: &'a [Setting], name: &str) -> (&'a str, Source) {
        let setting = all.iter().find(|one| one.name == name).unwrap_or_else(|| panic!("{name} is not listed"));
        (&setting.value, setting.source)
    }

    const FULL: &str = "tenant = \"acme\"\nmouse = false\nca_file = \"/ca.pem\"\nnag_after_days = 9\nlock_after_minutes = 3\n\
        identity_file = \"/key.txt\"\n[tenants.acme]\ndomain = \"acme.eu.auth0.com\"\n\
        audience = \"https://a/\"\nenvironment = \"staging\"\ncolour = \"cyan\"\nread_only = true\nsign_in = \"private-key-jwt\"\n\
        client_id = \"abc\"\nprivate_key = \"/key.pem\"\nalgorithm = \"PS256\"\nkept_in = \"file\"\nplan = \"free\"\nca_file = \"/own.pem\"\n\
        targets.abc.env.file = \"/srv/.env\"\ntargets.abc.vault.command = [\"vault\", \"hidden\"]\n";

    #[test]
    fn every_setting_of_the_file_is_listed_with_its_line() {
        let all = listed(FULL, &[], None);
        let names = SETTINGS.iter().filter(|name| **name != "tenants").map(|name| (*name).to_owned());
        let of_tenant = TENANT_SETTINGS.iter().filter(|name| **name != "targets");
        let targets = ["env", "vault"].map(|name| format!("tenants.acme.targets.abc.{name}"));
        for name in names.chain(of_tenant.map(|name| format!("tenants.acme.{name}"))).chain(targets) {
            let (value, source) = one(&all, &name);
            let Source::File { line: Some(line) } = source else { panic!("{name}: {source}") };
            let written = FULL.lines().nth(line - 1).expect("the line");
            let own = name.strip_prefix("tenants.acme.").unwrap_or(&name);
            assert!(written.starts_with(own), "{name}: {value}: {written}");
            assert!(written.contains(value.trim_start_matches("command ")), "{name}: {value}: {written}");
        }
        assert!(!format!("{all:?}").contains("hidden"), "an argument of a command may be anything");
        let all = listed("[tenants.acme]\ndomain = \"acme.eu.auth0.com\"\nsign_in = \"token\"\n", &[], None);
        assert_eq!(one(&all, "mouse"), ("true", Source::Default));
        assert_eq!(one(&all, "tenants.acme.audience"), ("https://acme.eu.auth0.com/api/v2/", Source::Default));
        assert_eq!(one(&all, "tenants.acme.plan"), ("not set", Source::Default));
        assert_eq!(one(&all, "tenants.acme.sign_in"), ("token", Source::File { line: Some(3) }));
    }

    #[test]
    fn what_the_environment_sets_is_told_by_its_name_and_never_a_secret() {
        static SET: &[(&str, &str)] = &[
            ("AUTH0_DOMAIN", "x.auth0.com"),
            ("AUTH0_CLIENT_ID", "an-id"),
            ("AUTH0_CLIENT_ASSERTION_PRIVATE_KEY", KEY),
            ("AUTH0_AUDIENCE", "https://x/"),
        ];
        let all = listed("", SET, None);
        assert_eq!(one(&all, "tenants.x.domain"), ("x.auth0.com", Source::Variable("AUTH0_DOMAIN")));
        assert_eq!(one(&all, "tenants.x.audience"), ("https://x/", Source::Variable("AUTH0_AUDIENCE")));
        assert_eq!(one(&all, "tenants.x.client_id"), ("an-id", Source::Variable("AUTH0_CLIENT_ID")));
        assert_eq!(one(&all, "tenants.x.private_key"), ("set", Source::Variable("AUTH0_CLIENT_ASSERTION_PRIVATE_KEY")));
        assert_eq!(one(&all, "tenants.x.algorithm"), ("RS256", Source::Default));
        assert_eq!(one(&all, "AUTH0_CLIENT_ASSERTION_PRIVATE_KEY"), ("set", Source::Environment));
        assert!(!format!("{all:?}").contains("canary"));
    }

    #[test]
    fn what_looks_like_a_secret_in_the_wrong_variable_is_not_shown() {
        static SET: &[(&str, &str)] = &[
            ("AUTH0_DOMAIN", "https://user:canary@x.auth0.com"),
            ("AUTH0_CLIENT_ID", "canarycanarycanarycanarycanarycanarycanarycanarycanarycanary1234"),
            ("AUTH0_API_TOKEN", "canary"),
            ("AUTH0_CLIENT_SECRET", "canary"),
        ];
        static RIGHT: &[(&str, &str)] = &[("AUTH0_DOMAIN", "x.auth0.com"), SET[1], SET[3]];
        let all = listed("", SET, None);
        assert_eq!(one(&all, "AUTH0_DOMAIN").0, "set, and no domain");
        assert_eq!(one(&all, "AUTH0_CLIENT_ID").0, "an id of 64 characters");
        assert!(!format!("{all:?}").contains("canary"), "{all:?}");
        let all = listed("", RIGHT, None);
        assert_eq!(one(&all, "tenants.x.client_id").0, "an id of 64 characters");
        assert!(!format!("{all:?}").contains("canary"), "{all:?}");
    }
}
