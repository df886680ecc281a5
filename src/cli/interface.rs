use super::Ended;
use super::exit::Failure;
use super::output::say;
use super::session::{configuration, variable};
use crate::auth0::Api;
use crate::tenants::{Chosen, select};
use crate::tui::{self, Start, StartTenant};

/// The interface on the selected tenant, or on the first screen where none is.
pub fn run(tenant: Option<&str>) -> Ended {
    let (_, config) = configuration()?;
    let tenant = match select(tenant, &variable, &config)? {
        None => StartTenant::None,
        Some(Chosen { connection, environment }) => {
            StartTenant::Tenant { api: Box::new(Api::new(connection)?), environment }
        }
    };
    open(tenant, config.mouse)
}

/// The interface on the pretend tenant.
pub fn demo() -> Ended {
    let (_, config) = configuration()?;
    open(StartTenant::Demo, config.mouse)
}

fn open(tenant: StartTenant, mouse: bool) -> Ended {
    let colours = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let ended = tui::run(Start { tenant, mouse, colours }).map_err(|error| match error.kind() {
        std::io::ErrorKind::Unsupported => Failure::usage(error.to_string(), "`rollover --help` lists the commands."),
        _ => Failure::failed("terminal", error.to_string(), ""),
    })?;
    for line in ended.lines {
        say(&format!("rollover: {line}"));
    }
    Ok(ended.code)
}
