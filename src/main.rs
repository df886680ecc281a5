//! The `rollover` program: harden, become the clipboard helper where that is asked for, else run the command line.
use std::io::Write as _;
use std::process::ExitCode;

fn main() -> ExitCode {
    rollover::process::harden();
    report_panics_without_data();
    let mut arguments = std::env::args_os();
    if arguments.nth(1).is_some_and(|first| first == rollover::clipboard::HELPER_ARGUMENT) {
        return rollover::clipboard::helper_main();
    }
    ExitCode::from(rollover::cli::run(std::env::args_os()))
}

/// A panic's own message may hold what the program was working on; the place is enough to find the fault.
fn report_panics_without_data() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map_or_else(String::new, |place| format!(" at {}:{}", place.file(), place.line()));
        let _ = writeln!(std::io::stderr(), "rollover: a fault of the program{place}; please report it");
    }));
}
