use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

use zeroize::Zeroizing;

use super::exit::Failure;
use super::output::say;
use super::show::called;
use crate::domain::client::{not_rotatable, warnings};
use crate::domain::untrusted::shown;
use crate::domain::{Client, Domain, Environment, Secret};
use crate::rollover::Until;

/// Whether there is a person to ask.
pub fn can_ask() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Asks for a line of text.
///
/// # Errors
/// Where there is nobody to ask: `flag` says it instead.
pub fn line(prompt: &str, flag: &str) -> Result<String, Failure> {
    if !can_ask() {
        let question = prompt.trim_end_matches([' ', ':', '?']);
        return Err(Failure::usage(format!("there is no terminal to ask on: {question}"), format!("Give {flag}.")));
    }
    let mut stderr = io::stderr();
    write!(stderr, "{prompt}").and_then(|()| stderr.flush())?;
    let mut answer = String::new();
    if io::stdin().lock().read_line(&mut answer)? == 0 {
        return Err(Failure::failed("declined", "nothing was typed; nothing was changed", ""));
    }
    Ok(answer.trim().to_owned())
}

/// Asks for a secret; what is typed is not shown.
///
/// # Errors
/// Where there is nobody to ask, or nothing was typed.
pub fn hidden(prompt: &str) -> Result<Secret, Failure> {
    if !can_ask() {
        return Err(Failure::usage("there is no terminal to ask for a secret on", ""));
    }
    let typed = Zeroizing::new(unseen(prompt)?);
    if typed.trim().is_empty() {
        return Err(Failure::failed("declined", "nothing was typed; nothing was changed", ""));
    }
    Ok(Secret::new(typed.trim().to_owned()))
}

/// Reads a line that is not shown. Ctrl-C hands the terminal back first: rpassword by itself raises the signal, which ends the
/// program, and leaves a terminal that shows nothing of what is typed.
#[cfg(unix)]
fn unseen(prompt: &str) -> Result<String, Failure> {
    let nothing = |_| Failure::failed("declined", "nothing was typed; nothing was changed", "");
    let mut terminal = std::fs::OpenOptions::new().read(true).write(true).open("/dev/tty").map_err(nothing)?;
    let _shown_again = unix::Unseen::on(terminal.try_clone().map_err(nothing)?).map_err(nothing)?;
    write!(terminal, "{prompt}").map_err(nothing)?;
    let keys = unix::Keys(terminal.try_clone().map_err(nothing)?);
    let config = rpassword::ConfigBuilder::new().input_reader(keys).output_discard().build();
    let typed = rpassword::read_password_with_config(config);
    writeln!(terminal).map_err(nothing)?;
    typed.map_err(|error| {
        if error.kind() != io::ErrorKind::ConnectionAborted {
            return nothing(error);
        }
        Failure {
            code: super::exit::code::INTERRUPTED,
            kind: "interrupted",
            message: "interrupted; nothing was changed".to_owned(),
            ..Failure::default()
        }
    })
}

#[cfg(not(unix))]
fn unseen(prompt: &str) -> Result<String, Failure> {
    rpassword::prompt_password(prompt)
        .map_err(|_| Failure::failed("declined", "nothing was typed; nothing was changed", ""))
}

#[cfg(unix)]
mod unix {
    use std::fs::File;
    use std::io::{self, Read};

    use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr};

    /// A terminal that shows nothing of what is typed, and passes every key on, as long as this lives.
    pub struct Unseen(File, Termios);

    impl Unseen {
        pub fn on(terminal: File) -> io::Result<Self> {
            let before = tcgetattr(&terminal)?;
            let mut hidden = before.clone();
            hidden.local_modes -= LocalModes::ECHO | LocalModes::ECHONL | LocalModes::ICANON | LocalModes::ISIG;
            hidden.special_codes[SpecialCodeIndex::VMIN] = 1;
            hidden.special_codes[SpecialCodeIndex::VTIME] = 0;
            tcsetattr(&terminal, OptionalActions::Now, &hidden)?;
            Ok(Self(terminal, before))
        }
    }

    impl Drop for Unseen {
        fn drop(&mut self) {
            // What has come and was not read is thrown away: of a paste of several lines, the shell would get the others.
            let _ = tcsetattr(&self.0, OptionalActions::Flush, &self.1);
        }
    }

    /// The keys, up to a Ctrl-C.
    pub struct Keys(pub File);

    impl Read for Keys {
        fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
            const CTRL_C: u8 = 3;
            let count = self.0.read(bytes)?;
            if bytes[..count].contains(&CTRL_C) {
                return Err(io::ErrorKind::ConnectionAborted.into());
            }
            Ok(count)
        }
    }
}

/// That there is nobody to ask.
pub fn nobody() -> Failure {
    Failure::usage("this asks first, and there is no terminal to ask on", "Add --yes.")
}

/// Which way secrets are about to change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// The one-call way.
    Now,
    /// The zero-downtime way.
    Rollover {
        /// Up to which step.
        until: Until,
        /// How many of the clients hold both secrets of their last rollover.
        holding: usize,
    },
}

impl How {
    fn heading(self) -> &'static str {
        match self {
            Self::Now => "Rotate now",
            Self::Rollover { .. } => "Roll over to a new secret",
        }
    }

    fn sentences(self) -> Vec<String> {
        match self {
            Self::Now => vec![
                "The current secret stops working within 30 seconds; every app that uses it must be updated."
                    .to_owned(),
            ],
            Self::Rollover { until, holding } => {
                let mut all = Vec::new();
                if holding > 0 {
                    all.push(format!(
                        "{holding} of them still hold the secret before the current one as the fallback: it is dropped first."
                    ));
                }
                all.push(if until < Until::Cutover {
                    "Nothing changes at Auth0 yet.".to_owned()
                } else {
                    "The targets get the new secret as the fallback before it becomes live; apps without the fallback fail."
                        .to_owned()
                });
                all
            }
        }
    }
}

/// Asks before secrets change; production wants more than a letter typed.
///
/// # Errors
/// Where there is nobody to ask, or the answer was not yes.
pub fn confirm(
    clients: &[Client],
    domain: &Domain,
    environment: Option<Environment>,
    ours: Option<&str>,
    how: How,
) -> Result<(), Failure> {
    if !can_ask() {
        return Err(nobody());
    }
    let clients: Vec<_> = clients.iter().filter(|client| not_rotatable(&client.summary.auth).is_none()).collect();
    say(&format!("{}, at {}:", how.heading(), place(domain, environment)));
    for client in &clients {
        say(&format!("  {}  {}", client.summary.client_id.shown(), called(client)));
        for warning in warnings(client, ours) {
            say(&format!("    ! {}", warning.sentence()));
        }
    }
    for sentence in how.sentences() {
        say(&sentence);
    }
    answer(&clients, domain, environment, "Rotate")
}

/// A step that apps notice, or that cannot be taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Question {
    /// What it does: a verb and its object.
    pub verb: &'static str,
    /// What to know before.
    pub warning: &'static str,
}

/// Asks before such a step.
///
/// # Errors
/// Where there is nobody to ask, or the answer was not yes.
pub fn confirm_step(
    client: &Client,
    domain: &Domain,
    environment: Option<Environment>,
    question: Question,
) -> Result<(), Failure> {
    if !can_ask() {
        return Err(nobody());
    }
    say(&format!("{}, at {}:", question.verb, place(domain, environment)));
    say(&format!("  {}  {}", client.summary.client_id.shown(), called(client)));
    say(question.warning);
    answer(&[client], domain, environment, "Go on")
}

fn place(domain: &Domain, environment: Option<Environment>) -> String {
    environment.map_or_else(|| domain.to_string(), |environment| format!("{domain} ({})", environment.name()))
}

fn answer(clients: &[&Client], domain: &Domain, environment: Option<Environment>, word: &str) -> Result<(), Failure> {
    let wanted = match (environment, clients) {
        (Some(Environment::Production), [one]) => {
            say("This is production.");
            vec![one.summary.name.raw().to_owned(), one.summary.client_id.raw().to_owned()]
        }
        (Some(Environment::Production), _) => {
            say("This is production.");
            vec![domain.to_string()]
        }
        _ => vec!["y".to_owned(), "yes".to_owned()],
    };
    let prompt = match (environment, clients.len()) {
        (Some(Environment::Production), 1) => "Type the client's name, or its id, to go on: ".to_owned(),
        (Some(Environment::Production), _) => format!("Type {} to go on: ", shown(&domain.to_string())),
        _ => format!("{word}? [y/N] "),
    };
    let mut stderr = io::stderr();
    write!(stderr, "{prompt}").and_then(|()| stderr.flush())?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    let answer = answer.trim();
    // A name is typed as it is, here as on screen; only a yes may be shouted.
    let production = environment == Some(Environment::Production);
    let says_so =
        |wanted: &String| if production { wanted.trim() == answer } else { wanted.eq_ignore_ascii_case(answer) };
    if !answer.is_empty() && wanted.iter().any(says_so) {
        return Ok(());
    }
    Err(Failure::failed("declined", "nothing was changed", ""))
}
