//! The targets of a tenant: `[tenants.acme.targets.CLIENT_ID.NAME]`.
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use toml::Spanned;
use toml::de::DeValue;

use super::{Config, ConfigError, Place, in_order};
use crate::domain::target::{
    self, CURRENT_KEY, CommandPlace, FALLBACK_KEY, FilePlace, Format, SlotNames, Target, check_slots,
};
use crate::domain::untrusted::{brief, is_hidden};

/// The settings of a target.
const TARGET_SETTINGS: [&str; 12] = [
    "file",
    "format",
    "command",
    "read_command",
    "environment",
    "timeout",
    "key",
    "fallback_key",
    "list",
    "after",
    "follow_links",
    "allow_mode",
];

/// The longest that a command may be given, in seconds.
const LONGEST_TIMEOUT: i64 = 3600;

/// A value and the place of its name.
type Set<T> = Option<(T, usize)>;

/// The settings of a target as they stand in the file.
#[derive(Default)]
struct Settings {
    file: Set<PathBuf>,
    format: Set<Format>,
    command: Set<Vec<String>>,
    read_command: Set<Vec<String>>,
    environment: Set<Vec<String>>,
    timeout: Set<Duration>,
    key: Set<String>,
    fallback_key: Set<String>,
    list: Set<String>,
    after: Vec<String>,
    follow_links: Set<bool>,
    allow_mode: Set<bool>,
}

impl Place<'_> {
    /// All targets of a tenant.
    pub(super) fn targets(
        &self,
        config: &mut Config,
        tenant: &str,
        value: &Spanned<DeValue<'_>>,
    ) -> Result<BTreeMap<String, Vec<Target>>, ConfigError> {
        let path = format!("tenants.{tenant}.targets");
        let mut all = BTreeMap::new();
        for (client, value) in in_order(self.table(value, &path, &format!("[{path}.CLIENT_ID.NAME]"))?) {
            let id = client.get_ref().as_ref();
            check_client_id(id).map_err(|why| self.error(client.span().start, why))?;
            if TARGET_SETTINGS.contains(&id) && !matches!(value.get_ref(), DeValue::Table(_)) {
                return Err(self.misplaced(client.span().start, id, tenant));
            }
            let path = format!("{path}.{id}");
            let mut targets = Vec::new();
            for (name, value) in in_order(self.table(value, &path, &format!("[{path}.NAME]"))?) {
                if TARGET_SETTINGS.contains(&name.get_ref().as_ref()) && !matches!(value.get_ref(), DeValue::Table(_)) {
                    return Err(self.misplaced(name.span().start, name.get_ref(), tenant));
                }
                let target = self.target(config, &path, name, value)?;
                let others = config.tenants.values().flat_map(|tenant| tenant.targets.values().flatten());
                let mut known = others.chain(all.values().flatten()).chain(&targets);
                if let Some(other) = known.find(|other: &&Target| other.clashes_with(&target)) {
                    let message = format!(
                        "`{}` writes to the same key of the same file as `{}`: one would undo what the other did",
                        brief(&target.name),
                        brief(&other.name)
                    );
                    return Err(self.error(name.span().start, message));
                }
                targets.push(target);
            }
            if !targets.is_empty() {
                all.insert(id.to_owned(), targets);
            }
        }
        Ok(all)
    }

    fn misplaced(&self, at: usize, setting: &str, tenant: &str) -> ConfigError {
        let message = format!(
            "`{setting}` is a target's setting; expected it in a table such as [tenants.{tenant}.targets.CLIENT_ID.NAME]"
        );
        self.error(at, message)
    }

    fn target(
        &self,
        config: &mut Config,
        path: &str,
        name: &Spanned<Cow<'_, str>>,
        value: &Spanned<DeValue<'_>>,
    ) -> Result<Target, ConfigError> {
        let at = name.span().start;
        let name = name.get_ref().as_ref();
        target::check_name(name).map_err(|why| self.error(at, why))?;
        let path = format!("{path}.{name}");
        let mut read = Settings::default();
        for (key, value) in in_order(self.table(value, &path, "one with `file` or `command`")?) {
            let (setting, at) = (key.get_ref().as_ref(), key.span().start);
            match setting {
                "file" => read.file = Some((self.path(value, setting)?, at)),
                "format" => {
                    let known = Format::ALL.map(|one| (one.name(), one));
                    read.format = Some((self.word(value, setting, &known)?, at));
                }
                "command" => read.command = Some((self.command(value, setting)?, at)),
                "read_command" => read.read_command = Some((self.command(value, setting)?, at)),
                "environment" => read.environment = Some((self.variables(value, setting)?, at)),
                "timeout" => {
                    let seconds = self.integer(value, setting, 1..=LONGEST_TIMEOUT, " seconds")?;
                    read.timeout = Some((Duration::from_secs(seconds.unsigned_abs()), at));
                }
                "key" => read.key = Some((self.string(value, setting)?.to_owned(), at)),
                "fallback_key" => read.fallback_key = Some((self.string(value, setting)?.to_owned(), at)),
                "list" => read.list = Some((self.string(value, setting)?.to_owned(), at)),
                "after" => read.after = self.command(value, setting)?,
                "follow_links" => read.follow_links = Some((self.boolean(value, setting)?, at)),
                "allow_mode" => read.allow_mode = Some((self.boolean(value, setting)?, at)),
                other => return Err(self.unknown(at, other, &TARGET_SETTINGS)),
            }
            config.lines.insert(format!("{path}.{setting}"), self.line(at));
        }
        config.lines.insert(path, self.line(at));
        self.whole(name, at, read)
    }

    /// The settings of a target, together.
    fn whole(&self, name: &str, at: usize, read: Settings) -> Result<Target, ConfigError> {
        let shown = brief(name).into_owned();
        let useless = |setting: &str, of: &str, at: Option<usize>| match at {
            Some(at) => {
                Err(self.error(at, format!("`{setting}` is for a target with `{of}`, which `{shown}` has not")))
            }
            None => Ok(()),
        };
        let place = match (read.file, read.command) {
            (Some(_), Some((_, at))) => {
                let message = format!("`{shown}` has `file` and `command`; expected one of them");
                return Err(self.error(at, message));
            }
            (None, None) => {
                let message = format!("the target `{shown}` has neither `file` nor `command`; expected one of them");
                return Err(self.error(at, message));
            }
            (Some((path, at)), None) => {
                useless("read_command", "command", read.read_command.map(|(_, at)| at))?;
                useless("environment", "command", read.environment.map(|(_, at)| at))?;
                useless("timeout", "command", read.timeout.map(|(_, at)| at))?;
                let Some(file_name) = path.file_name() else {
                    let message = format!("`file` names no file: `{}`", brief(&path.display().to_string()));
                    return Err(self.error(at, message));
                };
                let told = Format::of_name(&file_name.to_string_lossy());
                let Some(format) = read.format.map(|(format, _)| format).or(told) else {
                    let message = format!(
                        "the name `{}` does not tell the format of the file; expected `format` beside it: {}",
                        brief(&file_name.to_string_lossy()),
                        Format::ALL.map(Format::name).join(", ")
                    );
                    return Err(self.error(at, message));
                };
                target::Place::File(FilePlace {
                    format,
                    path,
                    follow_links: read.follow_links.is_some_and(|(value, _)| value),
                    allow_mode: read.allow_mode.is_some_and(|(value, _)| value),
                })
            }
            (None, Some((write, _))) => {
                useless("format", "file", read.format.map(|(_, at)| at))?;
                useless("follow_links", "file", read.follow_links.map(|(_, at)| at))?;
                useless("allow_mode", "file", read.allow_mode.map(|(_, at)| at))?;
                target::Place::Command(CommandPlace {
                    write,
                    read: read.read_command.map(|(read, _)| read).unwrap_or_default(),
                    environment: read.environment.map(|(names, _)| names).unwrap_or_default(),
                    timeout: read.timeout.map_or(CommandPlace::TIMEOUT, |(timeout, _)| timeout),
                })
            }
        };
        let given = read.list.as_ref().map(|(_, at)| *at).or(read.fallback_key.as_ref().map(|(_, at)| *at));
        let given = given.or(read.key.as_ref().map(|(_, at)| *at)).unwrap_or(at);
        let key = read.key.map_or_else(|| CURRENT_KEY.to_owned(), |(key, _)| key);
        let slots = match (read.list, read.fallback_key) {
            (Some(_), Some((_, at))) => {
                let message = "`fallback_key` and `list` do not go together: a list holds both secrets under `key`";
                return Err(self.error(at, message));
            }
            (Some((separator, _)), None) => {
                SlotNames::List { key, separator: Some(separator).filter(|text| !text.is_empty()) }
            }
            (None, fallback) => SlotNames::Two {
                current: key,
                fallback: fallback.map_or_else(|| FALLBACK_KEY.to_owned(), |(key, _)| key),
            },
        };
        check_slots(&slots, &place).map_err(|why| self.error(given, why))?;
        Ok(Target { name: name.to_owned(), place, slots, after: read.after })
    }

    /// A list of texts.
    fn texts(&self, value: &Spanned<DeValue<'_>>, name: &str, expected: &str) -> Result<Vec<String>, ConfigError> {
        let DeValue::Array(all) = value.get_ref() else { return Err(self.expected(value, name, expected)) };
        let text =
            |value: &Spanned<DeValue<'_>>| match value.get_ref() {
                DeValue::String(text) => Ok(text.clone().into_owned()),
                _ => Err(self
                    .error(value.span().start, format!("`{name}` must be {expected}, and has something else in it"))),
            };
        all.iter().map(text).collect()
    }

    /// A program and its arguments.
    fn command(&self, value: &Spanned<DeValue<'_>>, name: &str) -> Result<Vec<String>, ConfigError> {
        let all = self.texts(value, name, "a list of texts, such as [\"program\", \"argument\"]")?;
        if all.first().is_none_or(|program| program.trim().is_empty()) {
            return Err(
                self.error(value.span().start, format!("`{name}` names no program; expected it first in the list"))
            );
        }
        if all.iter().any(|text| text.contains('\0')) {
            return Err(
                self.error(value.span().start, format!("`{name}` holds a NUL character, which no program is given"))
            );
        }
        Ok(all)
    }

    /// Names of variables.
    fn variables(&self, value: &Spanned<DeValue<'_>>, name: &str) -> Result<Vec<String>, ConfigError> {
        let all = self.texts(value, name, "a list of names, such as [\"VAULT_ADDR\"]")?;
        for text in &all {
            check_variable(text).map_err(|why| self.error(value.span().start, why))?;
        }
        Ok(all)
    }
}

/// Whether this can be a client's id. Source: Auth0's are 32 letters and digits, or `tpa_…`.
fn check_client_id(id: &str) -> Result<(), String> {
    if !id.is_empty() && id.len() <= 256 && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
    {
        return Ok(());
    }
    Err(format!(
        "`{}` is no client's id, which holds letters, digits, `_` and `-`; targets are not set by a client's name",
        brief(id)
    ))
}

/// Whether this can be the name of an environment variable.
///
/// # Errors
/// A sentence that says what is expected.
pub(crate) fn check_variable(name: &str) -> Result<(), String> {
    if name.is_empty() || name.chars().any(|character| character == '=' || character == ' ' || is_hidden(character)) {
        // What stands behind `=` may be a secret.
        let name = brief(name.split('=').next().unwrap_or_default()).into_owned();
        return Err(format!("`{name}` is no variable's name; expected one such as VAULT_ADDR, without a value"));
    }
    Ok(())
}
