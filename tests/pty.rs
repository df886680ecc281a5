//! The real program in a real pseudo-terminal: the main job by keyboard and by mouse, and the terminal handed back whatever
//! happens.
#![cfg(unix)]
#![expect(clippy::expect_used, reason = "a test that cannot go on has failed")]

#[path = "harness/process.rs"]
#[expect(dead_code, reason = "the other half of it is for the command line's tests")]
mod process;
#[path = "harness/pty.rs"]
#[expect(dead_code, reason = "the other half of it is for the command line's tests")]
mod pty;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use process::Tenant;
use pty::Terminal;
use rustix::process::Signal;

/// The demo tenant's client "Billing API".
const BILLING: &str = "Qm2vXz8KpL4nRt7YwB1cFj6HsD9gUe3A";

fn on(tenant: &Tenant, size: (u16, u16), more: &[(&str, &str)]) -> Terminal {
    let variables =
        [&[("AUTH0_DOMAIN", tenant.running.url()), ("AUTH0_API_TOKEN", tenant.running.token())], more].concat();
    let terminal = Terminal::start(tenant.home.path(), &[], &variables, size);
    terminal.until("28 clients");
    terminal
}

fn secret(tenant: &Tenant) -> String {
    tenant.running.secret_of(BILLING).expect("a secret")
}

/// The bytes that put `text` into the terminal's clipboard.
fn osc52(text: &str) -> Vec<u8> {
    format!("\u{1b}]52;c;{}", STANDARD.encode(text)).into_bytes()
}

#[test]
fn the_main_job_by_keyboard() {
    let tenant = Tenant::demo();
    let old = secret(&tenant);
    let mut terminal = on(&tenant, (80, 24), &[]);
    terminal.keys("/billing api\r\r");
    terminal.until("Client Secret");
    terminal.until("Creates invoices");
    terminal.keys("r");
    terminal.until("Which way?");
    terminal.keys("r");
    terminal.until("Rotate the client secret?");
    // What is pressed at once is not heard; then the answers are offered, and Enter is none of them.
    terminal.keys("yy\r");
    terminal.until("y rotate now");
    terminal.keys("\r\r");
    assert!(terminal.screen().contains("y rotate now"));
    assert_eq!(tenant.posts(), 0);
    terminal.keys("y");
    terminal.until("New secret");
    terminal.until("Auth0 accepts the new secret.");
    let new = secret(&tenant);
    assert_ne!(new, old);
    assert!(!terminal.screen().contains(&new), "the new secret is masked");
    terminal.keys("v");
    terminal.until(&new);
    terminal.keys("v");
    terminal.until_gone(&new);
    terminal.keys("c");
    terminal.until_written(&osc52(&new));
    terminal.until("cleared in 30 s");
    #[cfg(target_os = "linux")]
    pty::assert_in_no_process(&new);
    terminal.keys("q");
    assert_eq!(terminal.end(), 0);
    terminal.assert_restored();
    terminal.assert_nowhere(&new);
    assert_eq!(tenant.posts(), 1);
}

#[test]
fn the_main_job_by_mouse() {
    let tenant = Tenant::demo();
    let mut terminal = on(&tenant, (120, 36), &[]);
    terminal.click("Billing API");
    terminal.until("Creates invoices");
    terminal.click("[ ] Reveal");
    // The pane is narrow: the secret stands on two lines, its first characters on one.
    terminal.until(&secret(&tenant)[..16]);
    terminal.click("[x] Reveal");
    terminal.until("[ ] Reveal");
    terminal.click("⟳");
    terminal.until("Which way?");
    terminal.click("For leaks");
    terminal.until("Rotate the client secret?");

    let old = secret(&tenant);
    terminal.click("y rotate now");
    // All of it: quitting asks while something is under way.
    terminal.until("Auth0 accepts the new secret.");
    let new = secret(&tenant);
    assert_ne!(new, old);
    terminal.click("c copy");
    terminal.until_written(&osc52(&new));
    terminal.keys("\u{1b}");
    terminal.until_gone("New secret");
    terminal.wheel_down("Checkout");
    terminal.click("q quit");
    assert_eq!(terminal.end(), 0);
    terminal.assert_restored();
    terminal.assert_nowhere(&new);
    assert_eq!(tenant.posts(), 1);
}

#[test]
fn the_demo_needs_nothing() {
    let home = tempfile::tempdir().expect("a folder");
    let mut terminal = Terminal::start(home.path(), &["demo"], &[], (80, 24));
    terminal.until("28 clients");
    terminal.keys("/billing api\r\r");
    terminal.until("Creates invoices");
    terminal.keys("r");
    terminal.until("Which way?");
    terminal.keys("r");
    terminal.until("y rotate now");
    terminal.keys("y");
    terminal.until("New secret");
    terminal.keys("\u{3}");
    terminal.keys("\u{3}");
    assert!(matches!(terminal.end(), 0 | 130));
    terminal.assert_restored();
}

#[test]
fn without_a_tenant_the_first_screen_offers_the_demo() {
    let home = tempfile::tempdir().expect("a folder");
    let mut terminal = Terminal::start(home.path(), &[], &[], (80, 24));
    terminal.until("AUTH0_DOMAIN");
    terminal.keys("d");
    terminal.until("Billing API");
    terminal.keys("q");
    assert_eq!(terminal.end(), 0);
    terminal.assert_restored();
}

#[test]
fn ctrl_c_always_works() {
    let tenant = Tenant::demo();
    for keys in ["\u{3}", "/abc\u{3}", "?\u{3}", ":\u{3}", "\r\u{3}"] {
        let mut terminal = on(&tenant, (80, 24), &[]);
        terminal.keys(keys);
        assert_eq!(terminal.end(), 130, "{keys:?}");
        terminal.assert_restored();
    }
}

#[test]
fn signals_end_it_with_the_terminal_handed_back() {
    let tenant = Tenant::demo();
    for (signal, code) in [(Signal::TERM, 143), (Signal::HUP, 129), (Signal::INT, 130)] {
        let mut terminal = on(&tenant, (80, 24), &[]);
        terminal.keys("/billing api\r\rv");
        terminal.until("[x] Reveal");
        let secret = secret(&tenant);
        terminal.signal(signal);
        assert_eq!(terminal.end(), code);
        terminal.assert_restored();
        terminal.assert_nowhere(&secret[..16]);
    }
}

#[test]
#[cfg(target_os = "linux")]
fn it_stops_and_comes_back_whole() {
    let tenant = Tenant::demo();
    let mut terminal = on(&tenant, (80, 24), &[]);
    for by_key in [true, false] {
        if by_key {
            terminal.keys("\u{1a}");
        } else {
            terminal.signal(Signal::TSTP);
        }
        terminal.until_stopped();
        terminal.until_handed_back();
        terminal.assert_restored();
        terminal.signal(Signal::CONT);
        terminal.until("Billing API");
        terminal.keys("j");
        terminal.until(if by_key { "2/28" } else { "3/28" });
    }
    terminal.keys("q");
    assert_eq!(terminal.end(), 0);
    terminal.assert_restored();
}

#[test]
#[cfg(debug_assertions)]
fn a_panic_hands_the_terminal_back_and_shows_no_data() {
    let tenant = Tenant::demo();
    let mut terminal = on(&tenant, (80, 24), &[("ROLLOVER_TEST_PANIC", "1")]);
    terminal.keys("/billing api\r\rv");
    terminal.until("[x] Reveal");
    let secret = secret(&tenant);
    terminal.keys("m");
    assert_eq!(terminal.end(), 1);
    terminal.assert_restored();
    assert!(terminal.screen().contains("a fault of the program at src/"), "{}", terminal.screen());
    terminal.assert_nowhere(&secret[..16]);
    terminal.assert_nowhere("a panic was asked for");
}

#[test]
fn a_lost_terminal_ends_it() {
    let tenant = Tenant::demo();
    let mut terminal = on(&tenant, (80, 24), &[]);
    terminal.hang_up();
    assert_eq!(terminal.end(), 129);
}

#[test]
fn an_error_screen_hands_the_terminal_back_too() {
    let mut tenant = Tenant::demo();
    let token = tenant.running.mint_token("read:logs", std::time::Duration::from_mins(5));
    let variables = [("AUTH0_DOMAIN", tenant.running.url()), ("AUTH0_API_TOKEN", token.as_str())];
    let mut terminal = Terminal::start(tenant.home.path(), &[], &variables, (80, 24));
    terminal.until("Insufficient scope");
    terminal.keys("q");
    assert_eq!(terminal.end(), 0);
    terminal.assert_restored();
    tenant.assert_silent(&String::from_utf8_lossy(&terminal.raw()));
}

#[test]
fn another_size_is_taken_up_at_once() {
    let tenant = Tenant::demo();
    let mut terminal = on(&tenant, (80, 24), &[]);
    assert!(!terminal.screen().contains("Authentication"));
    terminal.resize(140, 40);
    terminal.until("Authentication");
    terminal.resize(50, 10);
    terminal.until("enlarge the window");
    terminal.keys("\u{3}");
    assert_eq!(terminal.end(), 130);
    terminal.assert_restored();
}

#[test]
fn nothing_secret_is_shown_unasked_and_no_name_reaches_the_terminal_raw() {
    let mut tenant = Tenant::demo();
    let mut terminal = on(&tenant, (120, 36), &[("NO_COLOR", "1")]);
    for filter in ["totally", "viewer", "runner", "rewards"] {
        terminal.keys(&format!("/{filter}\r\r"));
        // The settings are there, not only what the table knew.
        terminal.until("Application URIs");
        terminal.keys("r");
        terminal.until("Which way?");
        terminal.keys("\r");
        terminal.until("Rotate the client secret?");
        terminal.until("n leave it as it is");
        terminal.keys("n");
        terminal.until_gone("Rotate the client secret?");
        terminal.keys("\u{1b}");
        terminal.until_gone("Reveal client secret");
        terminal.keys("\u{1b}");
        terminal.until("sorted by name");
    }
    terminal.keys("q");
    assert_eq!(terminal.end(), 0);
    let raw = String::from_utf8_lossy(&terminal.raw()).into_owned();
    tenant.assert_silent(&raw);
    assert!(raw.contains("\\u{001B}[2J"), "the name was on screen");
    assert_only_ours(&raw, false);
}

/// Asserts that what was written to the terminal moves the cursor, erases, sets modes and styles, and does nothing else: no
/// title, no clipboard, no colour where there is to be none, and no character that a reader would not see.
fn assert_only_ours(raw: &str, colours: bool) {
    let mut rest = raw;
    while let Some(at) = rest.find(rollover::domain::untrusted::is_hidden) {
        rest = &rest[at..];
        rest = match rest.as_bytes() {
            [b'\r' | b'\n' | 0x08, ..] => &rest[1..],
            [0x1b, b'[', ..] => {
                let length = rest[2..].find(|c: char| ('\u{40}'..='\u{7e}').contains(&c)).expect("a whole sequence");
                let (sequence, after) = rest[2..].split_at(length + 1);
                assert!(sequence.ends_with(['H', 'J', 'K', 'm', 'h', 'l', 'X', 'C']), "{sequence:?}");
                let parameters = sequence.trim_end_matches('m');
                let mut numbers = parameters.split(';').filter_map(|number| number.parse::<u32>().ok());
                let coloured = sequence.ends_with('m') && numbers.any(|number| (30..=47).contains(&number));
                assert!(colours || !coloured, "a colour, despite NO_COLOR: {sequence:?}");
                after
            }
            _ => panic!("{:?} was written raw", &rest.chars().take(8).collect::<String>()),
        };
    }
}

/// Names that would like to be more than names, as the body of a list.
fn hostile_clients() -> String {
    let nasty = [
        "\u{1b}[31m",
        "\u{1b}]52;c;QUFB\u{7}",
        "\u{1b}]0;owned\u{7}",
        "\u{9b}2J",
        "\r\n",
        "\u{8}",
        "\u{7f}",
        "\u{202e}",
        "\u{2066}",
        "\u{200b}",
        "\u{feff}",
        "\u{e0041}",
        "\u{301}\u{302}\u{303}",
        "日本",
        "🦊",
        "👩\u{200d}👩",
        "\u{0}",
        "\u{85}",
        "\u{2028}",
        "a",
        "Z",
        " ",
    ];
    let mut random = fastrand::Rng::with_seed(5);
    let clients: Vec<_> = (0..300)
        .map(|number| {
            let name: String = (0..random.usize(1..10)).map(|_| nasty[random.usize(..nasty.len())]).collect();
            serde_json::json!({ "client_id": format!("{name}{number}"), "name": name, "app_type": name })
        })
        .collect();
    let json = serde_json::json!({ "clients": clients }).to_string();
    // A scenario is TOML, which takes no control characters: JSON can say them all in ASCII.
    let mut ascii = String::new();
    for character in json.chars() {
        if matches!(character, ' '..='~') {
            ascii.push(character);
        } else {
            ascii.extend(character.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")));
        }
    }
    ascii
}

#[test]
fn hostile_names_and_errors_reach_neither_the_table_nor_the_screen_raw() {
    let clients = hostile_clients();
    let list = format!("[[fault]]\npath = \"/api/v2/clients\"\nbody = '''{clients}'''\n");
    let error = "[[fault]]\npath = \"/api/v2/clients\"\nstatus = 400\nbody = '{\"statusCode\":400,\"error\":\"Bad\",\
                 \"message\":\"\\u001b]0;owned\\u0007 \\u202e abc\",\"errorCode\":\"\\u009b2J\"}'\n";
    for (scenario, sign) in [(list.as_str(), "\\u{202E}"), (error, "owned")] {
        let tenant = Tenant::faulty(scenario);
        let variables = [("AUTH0_DOMAIN", tenant.running.url()), ("AUTH0_API_TOKEN", tenant.running.token())];
        for arguments in [&["list"][..], &["list", "--json"], &["list", "--filter", "a"]] {
            let mut terminal = Terminal::start(tenant.home.path(), arguments, &variables, (120, 36));
            terminal.end();
            let raw = String::from_utf8(terminal.raw()).expect("UTF-8");
            assert!(raw.contains("owned"), "{arguments:?}: {raw}");
            assert_only_ours(&raw, true);
        }
        let mut terminal = Terminal::start(tenant.home.path(), &[], &variables, (120, 36));
        terminal.until(sign);
        // Through all of the list, and the settings of what is found there.
        for key in ["\u{1b}[6~"; 12] {
            terminal.keys(key);
            terminal.screen();
        }
        terminal.keys("\r");
        terminal.until("q quit");
        terminal.keys("q");
        assert_eq!(terminal.end(), 0);
        assert_only_ours(&String::from_utf8(terminal.raw()).expect("UTF-8"), true);
    }
}

#[test]
fn the_command_line_asks_on_a_terminal_and_takes_only_yes_for_yes() {
    let tenant = Tenant::demo();
    let variables = [("AUTH0_DOMAIN", tenant.running.url()), ("AUTH0_API_TOKEN", tenant.running.token())];
    let ask = |answer: &str| {
        let arguments = ["rotate", "Billing API", "--now"];
        let mut terminal = Terminal::start(tenant.home.path(), &arguments, &variables, (100, 30));
        terminal.until("Rotate? [y/N]");
        let screen = terminal.screen();
        for part in ["Billing API", BILLING, tenant.running.url().trim_start_matches("http://"), "within 30 seconds"] {
            assert!(screen.contains(part), "no {part} in the question:\n{screen}");
        }
        terminal.keys(answer);
        terminal.end()
    };
    let old = secret(&tenant);
    assert_eq!([ask("\r"), ask("n\r"), ask("yep\r"), ask("\u{4}")], [1; 4]);
    assert_eq!((secret(&tenant), tenant.posts()), (old, 0));
    assert_eq!(ask("y\r"), 0);
    assert_eq!(tenant.posts(), 1);
}

#[test]
fn production_wants_the_name_typed_on_the_command_line_too() {
    let tenant = Tenant::demo();
    let config = format!("[tenants.shop]\ndomain = \"{}\"\nenvironment = \"production\"\n", tenant.running.url());
    process::configure(tenant.home.path(), &config);
    let variables = [("ROLLOVER_TENANT", "shop"), ("AUTH0_API_TOKEN", tenant.running.token())];
    let ask = |answer: &str| {
        let arguments = ["rotate", BILLING, "--now"];
        let mut terminal = Terminal::start(tenant.home.path(), &arguments, &variables, (100, 30));
        terminal.until("Type the client's name, or its id");
        terminal.keys(answer);
        terminal.end()
    };
    assert_eq!([ask("y\r"), ask("yes\r"), ask("billing api\r")], [1; 3]);
    assert_eq!(tenant.posts(), 0);
    assert_eq!(ask("Billing API\r"), 0);
    assert_eq!(tenant.posts(), 1);
}

#[test]
fn the_doctor_lists_by_area_with_the_mend_below() {
    let tenant = Tenant::demo();
    let token = tenant.running.mint_token("read:clients", std::time::Duration::from_hours(2));
    let variables = [
        ("AUTH0_DOMAIN", tenant.running.url()),
        ("AUTH0_API_TOKEN", token.as_str()),
        ("LANG", "C.UTF-8"),
        // No test may reach the keyring of whoever runs it.
        ("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent/bus"),
    ];
    let mut terminal = Terminal::start(tenant.home.path(), &["doctor"], &variables, (100, 120));
    assert_eq!(terminal.end(), 0);
    let screen = terminal.screen();
    let lines: Vec<_> = screen.lines().map(str::trim_end).collect();
    let at = |text: &str| lines.iter().position(|line| line.starts_with(text)).unwrap_or_else(|| panic!("{screen}"));
    assert!(at("Program") < at("Tenant") && at("Tenant") < at("Network") && at("Network") < at("SETTING"));
    let absent = at("  ! update:client_keys  absent, so it cannot rotate client secrets");
    assert!(lines[absent + 1].trim_start().starts_with("→ Get a token of a client that has"), "{screen}");
    assert!(lines[at("  ✓ Size")].ends_with("100 × 120"), "{screen}");
    assert!(lines[at("AUTH0_API_TOKEN")].split_whitespace().eq(["AUTH0_API_TOKEN", "set", "environment"]), "{screen}");
    assert!(screen.contains("no problem."), "{screen}");
    terminal.assert_nowhere(&token);
}
