use super::Ended;
use super::arguments::Global;
use super::exit::Failure;
use super::output::say;
use super::session::{choose, tenants};
use crate::tenants::Tenants;
use crate::tui::{self, Start, StartTenant};

/// The interface on the selected tenant, or on the first screen where none is.
pub fn run(global: &Global) -> Ended {
    let tenants = tenants()?;
    let (chosen, config) = choose(global, &tenants)?;
    let tenant = chosen.map_or(StartTenant::None, |chosen| StartTenant::Tenant(Box::new(chosen)));
    open(tenant, tenants, config.mouse, global.read_only)
}

/// The interface on the pretend tenant.
pub fn demo(global: &Global) -> Ended {
    let tenants = tenants()?;
    let mouse = tenants.config()?.mouse;
    open(StartTenant::Demo, tenants, mouse, global.read_only)
}

fn open(tenant: StartTenant, tenants: Tenants, mouse: bool, read_only: bool) -> Ended {
    let colours = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let ended = tui::run(Start { tenant, tenants, read_only, mouse, colours }).map_err(|error| match error.kind() {
        std::io::ErrorKind::Unsupported => Failure::usage(error.to_string(), "`rollover --help` lists the commands."),
        _ => Failure::failed("terminal", error.to_string(), ""),
    })?;
    for line in ended.lines {
        say(&format!("rollover: {line}"));
    }
    Ok(ended.code)
}
