use crate::domain::preflight::{Finding, Topic};
use crate::tenants::{Config, ConfigError, Place, Seen, What};

pub(super) fn look(places: &[Place], config: &Config, mistake: Option<&ConfigError>) -> Vec<Finding> {
    places.iter().map(|place| judge(place, config, mistake)).collect()
}

fn judge(place: &Place, config: &Config, mistake: Option<&ConfigError>) -> Finding {
    let path = place.path.display();
    let topic = match place.what {
        What::ConfigFolder => Topic::ConfigFolder,
        What::Config => Topic::Config,
        What::StateFolder => Topic::StateFolder,
        What::FingerprintKey => Topic::FingerprintKey,
        What::SealingKey => Topic::SealingKey,
        What::Credentials => Topic::Credentials,
    };
    match &place.seen {
        Seen::Absent => Finding::ok(topic, format!("{path}: {}", absent(place.what))),
        Seen::Exposed { mode, exposure } => {
            let mend = format!("Run: {}", exposure.mend);
            Finding::problem(topic, format!("{path}{}: {}", bits(*mode), exposure.what), mend)
        }
        Seen::Unusable(why) => Finding::problem(topic, format!("{path}: {why}"), ""),
        Seen::Private { mode, .. } if place.what == What::Config => {
            let Some(mistake) = mistake else {
                let tenants = super::count(config.tenants.len(), "tenant");
                return Finding::ok(topic, format!("{path}{}, {tenants}", bits(*mode)));
            };
            let line = mistake.line.map(|line| format!(", line {line}")).unwrap_or_default();
            let what = format!("{path}{line}: {}", mistake.message);
            Finding::problem(topic, what, "Correct that line: until then no other command runs.")
        }
        Seen::Private { mode, files } => {
            let files = files.map(|files| format!(", {}", super::count(files, "file"))).unwrap_or_default();
            Finding::ok(topic, format!("{path}{}{files}", bits(*mode)))
        }
    }
}

fn bits(mode: Option<u32>) -> String {
    mode.map(|mode| format!(" ({mode:04o})")).unwrap_or_default()
}

fn absent(what: What) -> &'static str {
    match what {
        What::Config => "not there; every setting has its default",
        What::ConfigFolder | What::StateFolder => "not there; it is made when something is stored",
        What::FingerprintKey => "not there; it is made when the first fingerprint is",
        What::SealingKey => "not there; no passphrase has been chosen",
        What::Credentials => "not there; nothing is kept in files",
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::domain::preflight::Standing;

    #[test]
    fn a_mistake_is_told_with_its_line_and_a_wrong_mode_before_it() {
        let file = PathBuf::from("/home/me/config.toml");
        let mistake = ConfigError { file: file.clone(), line: Some(3), message: "`domian` is not known".to_owned() };
        let place = |seen| Place { what: What::Config, path: file.clone(), seen };
        let private = Seen::Private { mode: Some(0o600), files: None };
        let found = judge(&place(private.clone()), &Config::default(), Some(&mistake));
        assert_eq!(found.standing, Standing::Problem);
        assert_eq!(found.what, "/home/me/config.toml, line 3: `domian` is not known");
        let exposure = crate::tenants::Exposure { what: "others can read it".into(), mend: "chmod 600 'x'".into() };
        let found = judge(&place(Seen::Exposed { mode: Some(0o644), exposure }), &Config::default(), Some(&mistake));
        assert_eq!(found.what, "/home/me/config.toml (0644): others can read it");
        assert_eq!(found.mend.as_deref(), Some("Run: chmod 600 'x'"));
        assert_eq!(judge(&place(private), &Config::default(), None).what, "/home/me/config.toml (0600), 0 tenants");
    }
}
