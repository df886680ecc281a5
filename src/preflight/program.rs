use crate::domain::preflight::{Finding, Topic};
use crate::process::{Hardening, hardening};

pub(super) fn look() -> Vec<Finding> {
    let mut findings = vec![Finding::ok(Topic::Version, version()), Finding::ok(Topic::System, system())];
    findings.extend(hardened(hardening()));
    findings
}

fn version() -> String {
    let build = if cfg!(debug_assertions) { ", a debug build" } else { "" };
    format!("rollover {}{build}", env!("CARGO_PKG_VERSION"))
}

fn system() -> String {
    let mut text = format!("{} {}", std::env::consts::OS, std::env::consts::ARCH);
    if let Ok(release) = std::fs::read_to_string("/etc/os-release")
        && let Some(name) = pretty_name(&release)
    {
        text = format!("{text}, {name}");
    }
    if let Ok(kernel) = std::fs::read_to_string("/proc/sys/kernel/osrelease") {
        text = format!("{text}, kernel {}", kernel.trim());
    }
    text
}

/// Source: os-release(5).
fn pretty_name(release: &str) -> Option<&str> {
    let value = release.lines().find_map(|line| line.strip_prefix("PRETTY_NAME="))?;
    Some(value.trim().trim_matches(['"', '\''])).filter(|name| !name.is_empty())
}

fn hardened(found: Hardening) -> Vec<Finding> {
    let mut findings = Vec::new();
    match found.no_core_dumps {
        Some(true) => findings.push(Finding::ok(Topic::CoreDumps, "off")),
        Some(false) => findings.push(Finding::warning(
            Topic::CoreDumps,
            "on: a crash may leave secrets in a file",
            "Run `ulimit -c 0` before rollover.",
        )),
        None => {}
    }
    match found.closed_memory {
        Some(true) => findings.push(Finding::ok(Topic::Memory, "closed to other programs of this user")),
        Some(false) => findings.push(Finding::warning(
            Topic::Memory,
            "other programs of this user can read it: the system did not let it be closed",
            "Look whether a sandbox forbids prctl.",
        )),
        None => {}
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::preflight::Standing;

    #[test]
    fn the_system_is_named_as_it_names_itself() {
        assert_eq!(pretty_name("ID=debian\nPRETTY_NAME=\"Debian GNU/Linux 12\"\n"), Some("Debian GNU/Linux 12"));
        assert_eq!(pretty_name("ID=x"), None);
    }

    #[test]
    fn what_the_system_did_not_do_is_a_warning_and_what_it_does_not_know_is_nothing() {
        let standings = |no_core_dumps, closed_memory| {
            hardened(Hardening { no_core_dumps, closed_memory }).iter().map(|one| one.standing).collect::<Vec<_>>()
        };
        assert_eq!(standings(Some(true), Some(true)), [Standing::Ok, Standing::Ok]);
        assert_eq!(standings(Some(false), Some(false)), [Standing::Warning, Standing::Warning]);
        assert_eq!(standings(None, None), []);
    }
}
