use std::io::{self, Write as _};
use std::mem::ManuallyDrop;
use std::process::ExitCode;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use arboard::Clipboard;
use tokio::sync::mpsc as channel;
use tokio::time::Instant;

use super::request::{FAILED, READY, Request};
use super::turn::Turn;
use crate::domain::Secret;
use crate::process;

/// How long another program may take to hand out what it put into the clipboard. One that hangs must
/// not keep the helper, and the secret in it, alive.
const READ_WITHIN: Duration = Duration::from_secs(10);

/// How long setting the clipboard may take. Who started us waits no longer either.
#[cfg(all(unix, not(target_os = "macos")))]
const SET_WITHIN: Duration = Duration::from_secs(5);

/// After clearing, how long to watch for a clipboard manager that puts the value back.
const WATCH: Duration = Duration::from_millis(500);

/// How often to ask whether the display is still there, while a text that is no secret is held for
/// as long as nobody else copies something.
const STILL_THERE: Duration = Duration::from_mins(1);

/// The clipboard helper: reads a value on stdin, puts it into the clipboard, says so on stdout, and
/// holds it. A secret is cleared when its time is over, or on SIGTERM, if the clipboard still holds
/// it; what somebody else put there in the meantime is left alone.
///
/// It has its own session, so neither Ctrl-C nor the end of the terminal reaches it.
#[must_use]
pub fn helper_main() -> ExitCode {
    process::harden();
    // Fails only for a process that leads its group already, as when started by hand in a shell.
    #[cfg(unix)]
    let _ = rustix::process::setsid();

    let Err(error) = Request::read(io::stdin().lock()).map_err(|error| error.to_string()).and_then(|request| {
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| error.to_string())?;
        runtime.block_on(hold(request))
    }) else {
        return ExitCode::SUCCESS;
    };
    answer(&format!("{FAILED}{}", error.replace(['\r', '\n'], " ")));
    ExitCode::FAILURE
}

/// Tells the program that started us. If it is gone by now, there is still the clipboard to clear.
fn answer(line: &str) {
    let mut stdout = io::stdout().lock();
    let _ = writeln!(stdout, "{line}").and_then(|()| stdout.flush());
}

/// What arboard says, without the "unknown error" that it begins with where the text says all.
fn reason(error: &arboard::Error) -> String {
    match error {
        arboard::Error::Unknown { description } => description.clone(),
        other => other.to_string(),
    }
}

/// Why the waiting ended.
#[derive(PartialEq, Eq)]
enum Ended {
    /// Another program owns the clipboard now.
    Replaced,
    /// The time is over.
    Over,
    /// We were told to stop.
    Told,
    /// The display is gone.
    Gone,
}

/// Puts the value into the clipboard and stays until it is out of it again. An error means that it
/// never was in it.
async fn hold(request: Request) -> Result<(), String> {
    let Request { value, clear_after } = request;
    // Never dropped: dropping asks the desktop's clipboard manager to keep what we hold.
    let mut clipboard = ManuallyDrop::new(Clipboard::new().map_err(|error| reason(&error))?);
    let turn = Turn::take();
    let mut replaced = match offer(&mut clipboard, &value, clear_after.is_some()).await {
        Ok(replaced) => replaced,
        Err(error) => {
            turn.give_back();
            return Err(error);
        }
    };
    let deadline = clear_after.map(|after| Instant::now() + after);
    let mut told = Told::listen();
    answer(READY);

    if !OWNED && deadline.is_none() {
        turn.give_back();
        return Ok(());
    }
    let mut ended = wait(&mut clipboard, deadline, Some(&mut replaced), &mut told).await;
    if deadline.is_none() || ended == Ended::Gone {
        turn.give_back();
        return Ok(());
    }
    let value = Arc::new(value);
    // A clipboard manager may own the value now and offer it on; then its time still runs.
    if ended == Ended::Replaced && !turn.is_over() && holds(&value) {
        ended = wait(&mut clipboard, deadline, None, &mut told).await;
    }
    if ended != Ended::Replaced && !turn.is_over() {
        clear(&mut clipboard, &value).await;
    }
    turn.give_back();
    Ok(())
}

async fn clear(clipboard: &mut Clipboard, value: &Arc<Secret>) {
    const TRIES: usize = 3;
    for _ in 0..TRIES {
        if !holds(value) || clipboard.clear().is_err() {
            return;
        }
        tokio::time::sleep(WATCH).await;
    }
}

/// Waits for the first of the things that end it. Without a deadline, only for those without one.
async fn wait(
    clipboard: &mut Clipboard,
    deadline: Option<Instant>,
    replaced: Option<&mut Replaced>,
    told: &mut Told,
) -> Ended {
    let over = async {
        match deadline {
            Some(deadline) => tokio::time::sleep_until(deadline).await,
            None => std::future::pending().await,
        }
    };
    let another = async {
        match replaced {
            Some(replaced) => drop(replaced.recv().await),
            None => std::future::pending().await,
        }
    };
    let gone = async {
        while deadline.is_some() || is_there(clipboard) {
            tokio::time::sleep(STILL_THERE).await;
        }
    };
    tokio::select! {
        () = another => Ended::Replaced,
        () = over => Ended::Over,
        () = told.stop() => Ended::Told,
        () = gone => Ended::Gone,
    }
}

/// Whether the display still answers. What it answers does not matter.
fn is_there(clipboard: &mut Clipboard) -> bool {
    !matches!(clipboard.get_text(), Err(arboard::Error::Unknown { .. }))
}

/// Whether the clipboard holds `value`. Asked on a thread of its own, for the program that owns the
/// clipboard may never answer.
fn holds(value: &Arc<Secret>) -> bool {
    let (sender, receiver) = mpsc::channel();
    let value = Arc::clone(value);
    thread::spawn(move || {
        let Ok(clipboard) = Clipboard::new() else { return };
        let text = ManuallyDrop::new(clipboard).get_text();
        let _ = sender.send(text.is_ok_and(|text| Secret::new(text).same_as(&value)));
    });
    receiver.recv_timeout(READ_WITHIN).unwrap_or(false)
}

/// Gets a message when another program has taken the clipboard.
type Replaced = channel::UnboundedReceiver<Result<(), String>>;

/// Whether the platform asks the owner of the clipboard at every paste. On the others the system
/// keeps a copy, and nobody is told when it is replaced.
const OWNED: bool = cfg!(all(unix, not(target_os = "macos")));

/// Puts `value` into the clipboard and returns when it is there.
#[cfg(all(unix, not(target_os = "macos")))]
async fn offer(clipboard: &mut Clipboard, value: &Secret, is_secret: bool) -> Result<Replaced, String> {
    use arboard::SetExtLinux as _;

    /// `wait` sets and serves in one call, so what it set has to be looked for from here.
    const LOOK_EVERY: Duration = Duration::from_millis(2);

    let (sender, mut replaced) = channel::unbounded_channel();
    let text = value.expose().to_owned();
    thread::spawn(move || {
        let served = Clipboard::new().and_then(|clipboard| {
            let mut clipboard = ManuallyDrop::new(clipboard);
            // `wait_until` would do on X11 alone; on Wayland it returns at once.
            let set = clipboard.set().wait();
            if is_secret { set.exclude_from_history().text(text) } else { set.text(text) }
        });
        let _ = sender.send(served.map_err(|error| reason(&error)));
    });
    let give_up = Instant::now() + SET_WITHIN;
    while Instant::now() < give_up {
        match replaced.try_recv() {
            Ok(Err(error)) => return Err(error),
            Ok(Ok(())) => {
                // Set, and replaced already: as well as done, and told once more to who waits for it.
                let (sender, replaced) = channel::unbounded_channel();
                let _ = sender.send(Ok(()));
                return Ok(replaced);
            }
            Err(_) => {}
        }
        if clipboard.get_text().is_ok_and(|text| Secret::new(text).same_as(value)) {
            return Ok(replaced);
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    Err("it did not take the value in time".to_owned())
}

/// The same where the system keeps a copy: there it is done at once.
#[cfg(not(all(unix, not(target_os = "macos"))))]
#[expect(clippy::unused_async, reason = "the other platforms have to wait")]
async fn offer(clipboard: &mut Clipboard, value: &Secret, is_secret: bool) -> Result<Replaced, String> {
    let set = clipboard.set();
    #[cfg(target_os = "macos")]
    let set = if is_secret { arboard::SetExtApple::exclude_from_history(set) } else { set };
    #[cfg(windows)]
    let set = if is_secret {
        use arboard::SetExtWindows as _;
        set.exclude_from_monitoring().exclude_from_cloud().exclude_from_history()
    } else {
        set
    };
    set.text(value.expose()).map_err(|error| reason(&error))?;
    let (sender, replaced) = channel::unbounded_channel();
    // Nobody will ever use it: a sender that is kept makes the receiver wait for good.
    std::mem::forget(sender);
    Ok(replaced)
}

/// The signal that ends the holding early.
#[cfg(unix)]
struct Told(Option<tokio::signal::unix::Signal>);

#[cfg(unix)]
impl Told {
    fn listen() -> Self {
        Self(tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()).ok())
    }

    async fn stop(&mut self) {
        match &mut self.0 {
            Some(signal) => drop(signal.recv().await),
            None => std::future::pending().await,
        }
    }
}

#[cfg(not(unix))]
struct Told;

#[cfg(not(unix))]
impl Told {
    const fn listen() -> Self {
        Self
    }

    async fn stop(&mut self) {
        std::future::pending().await
    }
}
