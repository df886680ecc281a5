use super::process::{finish, program};

fn printed(arguments: &[&str]) -> String {
    let home = tempfile::tempdir().expect("a folder");
    let mut command = program(home.path());
    command.args(arguments);
    let run = finish(command);
    assert_eq!((run.code, run.err.as_str()), (0, ""), "{arguments:?}");
    run.out
}

#[test]
fn completions_know_the_commands_and_not_the_helper() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = printed(&["completions", shell]);
        assert!(script.contains("rotate") && script.contains("dry-run"), "{shell}");
        assert!(!script.contains("clipboard-helper"), "{shell}");
    }
}

#[test]
fn the_manual_page_names_every_command_flag_and_exit_code() {
    let page = printed(&["man"]);
    assert!(page.contains(".TH rollover 1"), "{page}");
    for part in ["ROTATE", "SIM", "\\-\\-dry\\-run", "\\-\\-scenario", "AUTH0_DOMAIN", "6 in doubt"] {
        assert!(page.contains(part), "no {part} in the manual page");
    }
}

#[test]
fn help_and_version_are_data() {
    assert!(printed(&["--help"]).contains("AUTH0_API_TOKEN"));
    assert_eq!(printed(&["--version"]), format!("rollover {}\n", env!("CARGO_PKG_VERSION")));
}
