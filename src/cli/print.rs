use std::io::Write as _;

use clap::CommandFactory as _;
use clap_complete::Shell;

use super::Ended;
use super::arguments::Arguments;
use super::exit::code;

/// Prints a completion script.
pub fn completions(shell: Shell) -> Ended {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "rollover", &mut script);
    print(&script)
}

/// Prints the manual page: the program, then each command.
pub fn man() -> Ended {
    let mut command = Arguments::command();
    command.build();
    let mut page = Vec::new();
    clap_mangen::Man::new(command.clone()).render(&mut page)?;
    for one in command.get_subcommands() {
        let name = one.get_name().to_uppercase();
        writeln!(page, ".SH \"ROLLOVER {name}\"")?;
        let manual = clap_mangen::Man::new(one.clone());
        manual.render_description_section(&mut page)?;
        manual.render_options_section(&mut page)?;
    }
    print(&page)
}

fn print(bytes: &[u8]) -> Ended {
    let mut out = std::io::stdout();
    out.write_all(bytes)?;
    out.flush()?;
    Ok(code::DONE)
}
