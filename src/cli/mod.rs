//! The command line: parse, do one thing, say what came of it.

/// The commands and their flags.
mod arguments;
/// The question before a change.
mod ask;
/// What every command that changes secrets has.
mod change;
/// `copy`.
mod copy;
/// The ledger and its key, for commands that need them.
mod desk;
/// `doctor`.
mod doctor;
/// `exec`.
mod exec;
/// Exit codes and failures.
mod exit;
/// No command, and `demo`.
mod interface;
/// Ctrl-C while something is on its way.
mod interrupt;
/// `ledger`.
mod ledger;
/// `list`.
mod list;
/// `login`.
mod login;
/// Data on stdout, everything else on stderr.
mod output;
/// From what was typed to one client.
mod pick;
/// Completion scripts and the manual page.
mod print;
/// `rotate`.
mod rotate;
/// What several commands begin with: the configuration, the tenant, the fingerprint key.
mod session;
/// `show`.
mod show;
/// `sim`.
mod sim;
/// `status`.
mod status;
/// One step of a rollover.
mod steps;
/// `target`.
mod target;
/// `tenants`, `use`, `logout`.
mod tenants;

use std::ffi::OsString;
use std::future::Future;
use std::io::Write as _;

use clap::Parser as _;
use clap::error::ErrorKind;

use arguments::{Arguments, Command};
use change::Procedure;
use exit::{Failure, code};

/// What a command comes to: its exit code, or why it failed.
type Ended = Result<u8, Failure>;

/// Runs the program with these arguments, the first of which is its name. Returns the exit code.
#[must_use]
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> u8 {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let parsed = match Arguments::try_parse_from(&arguments) {
        Ok(parsed) => parsed,
        Err(error) => return explain(&error, arguments.iter().any(|argument| argument == "--json")),
    };
    let json = parsed.command.as_ref().is_some_and(Command::json);
    let global = &parsed.global;
    let ended = match parsed.command {
        None => interface::run(global),
        Some(Command::Demo) => interface::demo(global),
        Some(Command::List(list)) => on_one_thread(list::run(global, &list)),
        Some(Command::Show(show)) => on_one_thread(show::run(global, &show)),
        Some(Command::Copy(copy)) => on_one_thread(copy::run(global, &copy)),
        Some(Command::Rotate(rotate)) => on_one_thread(rotate::run(global, &rotate)),
        Some(Command::Stage(on)) => on_one_thread(steps::run(global, &on, Procedure::Stage)),
        Some(Command::Deliver(on)) => on_one_thread(steps::run(global, &on, Procedure::Deliver)),
        Some(Command::Cutover(cutover)) => {
            on_one_thread(steps::run(global, &cutover.on, Procedure::Cutover(cutover.anyway)))
        }
        Some(Command::Verify(on)) => on_one_thread(steps::run(global, &on, Procedure::Verify)),
        Some(Command::Promote(on)) => on_one_thread(steps::run(global, &on, Procedure::Promote)),
        Some(Command::Retire(on)) => on_one_thread(steps::run(global, &on, Procedure::Retire)),
        Some(Command::Rollback(on)) => on_one_thread(steps::run(global, &on, Procedure::Rollback)),
        Some(Command::Resume(resume)) => on_one_thread(steps::resume(global, &resume)),
        Some(Command::Abandon(on)) => on_one_thread(steps::run(global, &on, Procedure::Abandon)),
        Some(Command::Status(status)) => status::run(global, &status),
        Some(Command::Ledger(command)) => on_one_thread(ledger::run(&command)),
        Some(Command::Target(target)) => on_one_thread(target::run(global, &target)),
        Some(Command::Exec(exec)) => on_one_thread(exec::run(global, &exec)),
        Some(Command::Login(login)) => on_one_thread(login::run(global, &login)),
        Some(Command::Logout(logout)) => on_one_thread(tenants::logout(global, &logout)),
        Some(Command::Tenants(list)) => tenants::list(global, &list),
        Some(Command::Use(name)) => tenants::select(&name),
        Some(Command::Doctor(doctor)) => without_waiting(doctor::run(global, &doctor)),
        Some(Command::Sim(sim)) => sim::run(&sim),
        Some(Command::Completions { shell }) => print::completions(shell),
        Some(Command::Man) => print::man(),
    };
    ended.unwrap_or_else(|failure| {
        output::report(&failure, json);
        failure.code
    })
}

/// What clap has to say: help and version are data, the rest is a usage error.
fn explain(error: &clap::Error, json: bool) -> u8 {
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        return match error.print().and_then(|()| std::io::stdout().flush()) {
            Ok(()) => code::DONE,
            Err(error) => Failure::from(error).code,
        };
    }
    if json {
        let text = error.render().to_string();
        let (message, hint) = text.split_once("\n\n").unwrap_or((&text, ""));
        let message = message.trim_start_matches("error: ").trim();
        output::report(&Failure::usage(message, hint.trim()), true);
    } else {
        // Where stderr is gone there is nobody to tell.
        let _ = error.print();
    }
    code::USAGE
}

/// One thread is enough for one command at a time, and starts sooner than several.
fn on_one_thread(command: impl Future<Output = Ended>) -> Ended {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| cannot_start(&error))?.block_on(command)
}

/// The same for a command that may give up on something that blocks a thread, such as a name service that says nothing: nobody
/// waits for that at the end.
fn without_waiting(command: impl Future<Output = Ended>) -> Ended {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| cannot_start(&error))?;
    let ended = runtime.block_on(command);
    runtime.shutdown_background();
    ended
}

fn cannot_start(error: &std::io::Error) -> Failure {
    Failure::failed("runtime", format!("cannot start: {error}"), "")
}
