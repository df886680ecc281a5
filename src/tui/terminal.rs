//! Raw mode, alternate screen, signals, and handing the terminal back whatever happens.
use std::io::{self, BufWriter, IsTerminal as _, Stdout, Write};
use std::mem::ManuallyDrop;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crossterm::event::{
    DisableBracketedPaste, DisableFocusChange, DisableMouseCapture, EnableBracketedPaste, EnableFocusChange,
    EnableMouseCapture,
};
use crossterm::terminal::{
    BeginSynchronizedUpdate, EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode,
    enable_raw_mode,
};
use crossterm::{cursor, execute, queue};
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::layout::Rect;
use tokio::sync::mpsc::error::TryRecvError;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::app::effect::Effect;
use super::app::event::{Event, Moment};
use super::app::job::Procedure;
use super::app::keymap::named;
use super::app::screen::{Screen, Welcome};
use super::app::state::{State, Which};
use super::app::update::{open_stored, open_tenant};
use super::input::translate;
use super::runner::{Request, Runner, Step, copier, start_demo};
use super::signals::{Signal, Signals};
use super::theme::Theme;
use super::view::View;
use crate::tenants::{Chosen, Tenants};

/// What the interface opens on.
#[derive(Debug)]
pub enum StartTenant {
    /// Nothing is selected: the first screen.
    None,
    /// The pretend tenant.
    Demo,
    /// One that was selected.
    Tenant(Box<Chosen>),
}

/// What the interface needs to know.
#[derive(Debug)]
pub struct Start {
    /// What to open on.
    pub tenant: StartTenant,
    /// What is configured and stored.
    pub tenants: Tenants,
    /// Whether every change is forbidden.
    pub read_only: bool,
    /// Whether mouse reports are on at first.
    pub mouse: bool,
    /// Whether colours may be used.
    pub colours: bool,
}

/// How the interface ended.
#[derive(Debug, PartialEq, Eq)]
pub struct Ended {
    /// The exit code: 0, 1 after a panic, 128 and the signal's number.
    pub code: u8,
    /// What to say once the terminal is a person's again. Safe to print, never secret.
    pub lines: Vec<String>,
}

/// How long the end waits for a request that is on its way.
const LAST_WAIT: Duration = Duration::from_secs(10);

/// Never dropped: dropping shows the cursor, which `hand_back` does, and where the terminal is gone prints a complaint on
/// stderr, which is gone as well, and that panics.
type Screen80 = ManuallyDrop<Terminal<CrosstermBackend<BufWriter<Stdout>>>>;

/// Runs the interface until the user, a signal or a lost terminal ends it.
///
/// # Errors
/// Where stdin or stdout is no terminal, or the terminal refuses to be set up.
pub fn run(start: Start) -> io::Result<Ended> {
    if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
        return Err(io::Error::new(
            io::ErrorKind::Unsupported,
            "the interface needs a terminal; `rollover list` and `rollover show` work without one",
        ));
    }
    // One thread draws, one works: a terminal that takes nothing, as over a connection that hangs, must not keep a rotation
    // from being told its answer.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        // A thread that searched or sorted would wake up after a while to end itself: an idle program does not wake up.
        .thread_keep_alive(Duration::from_hours(24 * 365))
        .build()?;
    let begun = Instant::now();
    let size = crossterm::terminal::size()?;
    let view = View::new(Theme::new(start.colours));
    let runner = first_runner(&runtime, start, size);
    let guard = Guard::take(runner.state.mouse)?;
    let ended = runtime.block_on(Loop { runner, view, terminal: new_terminal()?, begun, failed_draw: false }.run());
    drop(guard);
    // Blocking searches need not be waited for.
    runtime.shutdown_background();
    Ok(ended)
}

fn first_runner(runtime: &tokio::runtime::Runtime, start: Start, size: (u16, u16)) -> Runner {
    let mut state = State::new(size, Screen::Welcome(Welcome::default()), start.mouse);
    state.read_only = start.read_only;
    let (mut api, mut demo, mut effects) = (None, None, Vec::new());
    let _entered = runtime.enter();
    match start.tenant {
        StartTenant::None => effects = vec![Effect::Survey],
        StartTenant::Tenant(chosen) => {
            let Chosen { profile, stored, origin, beats, credentials } = *chosen;
            let which = Which { profile, stored, origin, beats, demo: false };
            match credentials {
                // What the environment says is there already; the rest is found while the first frame is on screen.
                Some(given) => match runtime.block_on(start.tenants.open(&which.profile, Some(given))) {
                    Ok(opened) => {
                        api = Some(opened);
                        effects = open_tenant(&mut state, which);
                    }
                    Err(failure) => {
                        open_tenant(&mut state, which);
                        if let Screen::Main(main) = &mut state.screen {
                            main.tenant.closed = Some(failure);
                        }
                    }
                },
                None => effects = open_stored(&mut state, which),
            }
        }
        StartTenant::Demo => match runtime.block_on(start_demo()) {
            Ok((running, opened)) => {
                effects = open_tenant(&mut state, Which::demo(opened.domain().clone()));
                (api, demo) = (Some(opened), Some(running));
            }
            Err(why) => state.screen = Screen::Welcome(Welcome { failed: Some(why), ..Welcome::default() }),
        },
    }
    let mut runner = Runner::new(state, api, demo, copier(), Some(start.tenants));
    for effect in effects {
        runner.perform(effect);
    }
    runner
}

fn new_terminal() -> io::Result<Screen80> {
    // A frame is written in one go: stdout's own line buffer would cut it into a write per kilobyte.
    let backend = CrosstermBackend::new(BufWriter::with_capacity(64 * 1024, io::stdout()));
    Terminal::new(backend).map(ManuallyDrop::new)
}

/// Reads the terminal on a thread of its own. (crossterm's `EventStream` keeps the first waker it is polled with, so what
/// is already there cannot be drained from it without losing the next wake-up.)
fn read_terminal() -> UnboundedReceiver<io::Result<crossterm::event::Event>> {
    let (sender, receiver) = unbounded_channel();
    std::thread::spawn(move || {
        loop {
            let event = crossterm::event::read();
            let failed = event.is_err();
            if sender.send(event).is_err() || failed {
                return;
            }
        }
    });
    receiver
}

/// Whether the terminal is ours at the moment.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// Has the terminal, and hands it back when dropped.
struct Guard;

impl Guard {
    fn take(mouse: bool) -> io::Result<Self> {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            // On the drawing thread nothing more will be drawn, so the terminal is handed back at once and the message can
            // be read. On another thread the loop is told, ends, and reports.
            if std::thread::current().name() == Some("main") {
                hand_back();
                before(info);
            }
        }));
        set_up(mouse)?;
        Ok(Self)
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        hand_back();
        // Back to the hook of the standard library would print payloads; ours stays, and does nothing more.
    }
}

fn set_up(mouse: bool) -> io::Result<()> {
    enable_raw_mode()?;
    TAKEN.store(true, Ordering::SeqCst);
    let mut out = io::stdout();
    execute!(out, EnterAlternateScreen, EnableBracketedPaste, EnableFocusChange, cursor::Hide)?;
    if mouse {
        execute!(out, EnableMouseCapture)?;
    }
    Ok(())
}

/// Hands the terminal back. Errors are ignored: it may be gone, and there is nobody left to tell.
fn hand_back() {
    if !TAKEN.swap(false, Ordering::SeqCst) {
        return;
    }
    let mut out = io::stdout();
    let _ = queue!(
        out,
        EndSynchronizedUpdate,
        DisableMouseCapture,
        DisableFocusChange,
        DisableBracketedPaste,
        LeaveAlternateScreen,
        cursor::Show
    );
    let _ = out.flush();
    let _ = disable_raw_mode();
}

struct Loop {
    runner: Runner,
    view: View,
    terminal: Screen80,
    begun: Instant,
    failed_draw: bool,
}

/// Why the loop goes on or ends.
enum Next {
    Go,
    End(u8),
}

impl Loop {
    fn now(&self) -> Moment {
        Moment(u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX))
    }

    async fn run(mut self) -> Ended {
        let code = self.work().await;
        // The screen is handed back before the last wait: it may take seconds, and the user wants the shell.
        hand_back();
        let lines = self.wind_down(code).await;
        Ended { code, lines }
    }

    async fn work(&mut self) -> u8 {
        let Ok(mut signals) = Signals::new() else { return 1 };
        let mut input = read_terminal();
        // The window may have changed before anybody listened for that.
        if let Next::End(code) = self.signalled(Signal::Window) {
            return code;
        }
        if !self.draw() {
            return self.draw_code();
        }
        loop {
            let begun = self.begun;
            let clock = move || Moment(u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX));
            let wake = self.runner.state.next_wake();
            let alarm = async {
                match wake {
                    Some(moment) => tokio::time::sleep_until((begun + Duration::from_millis(moment.0)).into()).await,
                    None => std::future::pending().await,
                }
            };
            let next = tokio::select! {
                biased;
                signal = signals.next() => self.signalled(signal),
                raw = input.recv() => match raw {
                    Some(Ok(raw)) => self.typed(raw),
                    // The terminal is gone.
                    Some(Err(_)) | None => Next::End(129),
                },
                (step, requests) = self.runner.step(clock) => match step {
                    Step::Took => self.comply(requests),
                    // Nothing has changed: there is nothing to draw.
                    Step::Idle => continue,
                    Step::Broken => Next::End(1),
                },
                () = alarm => {
                    let requests = self.runner.handle(clock(), Event::Woke);
                    self.comply(requests)
                }
            };
            let mut next = next;
            // All input that is already there comes before the next frame: a held key must not queue up frames.
            while matches!(next, Next::Go) {
                match input.try_recv() {
                    Ok(Ok(raw)) => next = self.typed(raw),
                    Ok(Err(_)) | Err(TryRecvError::Disconnected) => next = Next::End(129),
                    Err(TryRecvError::Empty) => break,
                }
            }
            if matches!(next, Next::Go) {
                let requests = self.runner.drain(self.now());
                next = self.comply(requests);
            }
            if let Next::End(code) = next {
                return code;
            }
            if !self.draw() {
                return self.draw_code();
            }
        }
    }

    /// Monotonic time stands still while a laptop sleeps, and the day does not: what is told of tokens follows the day.
    fn tell_the_time(&mut self) {
        let day = time::OffsetDateTime::now_utc().unix_timestamp();
        self.runner.state.epoch = day - i64::try_from(self.begun.elapsed().as_secs()).unwrap_or_default();
    }

    fn draw_code(&self) -> u8 {
        if self.failed_draw { 1 } else { 129 }
    }

    /// Draws one frame; false when the terminal is gone or drawing panicked.
    fn draw(&mut self) -> bool {
        self.tell_the_time();
        let Self { terminal, view, runner, .. } = self;
        let drawn = std::panic::catch_unwind(AssertUnwindSafe(|| {
            panic_if_asked(&runner.state);
            queue!(terminal.backend_mut(), BeginSynchronizedUpdate)?;
            terminal.draw(|frame| view.draw(frame, &runner.state))?;
            execute!(terminal.backend_mut(), EndSynchronizedUpdate)
        }));
        self.failed_draw = drawn.is_err();
        matches!(drawn, Ok(Ok(())))
    }

    fn typed(&mut self, raw: crossterm::event::Event) -> Next {
        let now = self.now();
        match translate(raw, &self.view) {
            Some(event) => {
                let interrupt = matches!(event, Event::Key(key) if key == super::app::Key::ctrl('c'));
                let requests = self.runner.handle(now, event);
                match self.comply(requests) {
                    Next::End(0) if interrupt => Next::End(130),
                    next => next,
                }
            }
            None => Next::Go,
        }
    }

    fn comply(&mut self, requests: Vec<Request>) -> Next {
        for request in requests {
            let done = match request {
                Request::Quit => return Next::End(0),
                Request::Write(bytes) => {
                    let out = self.terminal.backend_mut();
                    out.write_all(&bytes).and_then(|()| out.flush())
                }
                Request::ClearClipboard => {
                    crate::clipboard::clear_terminal(self.terminal.backend_mut());
                    Ok(())
                }
                Request::SetMouse(true) => execute!(self.terminal.backend_mut(), EnableMouseCapture),
                Request::SetMouse(false) => execute!(self.terminal.backend_mut(), DisableMouseCapture),
                Request::Suspend => self.suspend(),
            };
            if done.is_err() {
                return Next::End(129);
            }
        }
        Next::Go
    }

    fn signalled(&mut self, signal: Signal) -> Next {
        match signal {
            Signal::Terminate => Next::End(143),
            Signal::HangUp => Next::End(129),
            Signal::Interrupt => Next::End(130),
            Signal::Stop => self.suspend().map_or(Next::End(129), |()| Next::Go),
            Signal::Continue => self.come_back().map_or(Next::End(129), |()| Next::Go),
            Signal::Window => match crossterm::terminal::size() {
                Ok((width, height)) => {
                    let requests = self.runner.handle(self.now(), Event::Resized(width, height));
                    self.comply(requests)
                }
                Err(_) => Next::End(129),
            },
        }
    }

    /// Hands the terminal back and stops, as Ctrl-Z does everywhere else; goes on here when continued.
    fn suspend(&mut self) -> io::Result<()> {
        hand_back();
        #[cfg(unix)]
        {
            // Stopping ourselves alone: the tasks of this process stop with it, the clipboard's helper goes on.
            let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::STOP);
        }
        self.come_back()
    }

    fn come_back(&mut self) -> io::Result<()> {
        set_up(self.runner.state.mouse)?;
        let size = crossterm::terminal::size()?;
        let now = self.now();
        self.runner.handle(now, Event::Resized(size.0, size.1));
        self.runner.handle(now, Event::Resumed);
        // Not `clear`: that asks the terminal where the cursor is, and never hears the answer, which goes to the thread that
        // reads the keys. A resize, to the same size too, empties the screen and has all of it drawn anew.
        self.terminal.resize(Rect::new(0, 0, size.0, size.1))
    }

    /// Lets requests that are on their way finish, and says what came of the jobs that nobody saw end.
    async fn wind_down(&mut self, code: u8) -> Vec<String> {
        let begun = self.begun;
        let clock = move || Moment(u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX));
        let unseen: Vec<_> = self.runner.state.running().map(|job| job.id).collect();
        if !unseen.is_empty() && code != 129 {
            let _ = writeln!(io::stderr(), "rollover: waiting for what is on its way (10 s at most)…");
        }
        let finish = async {
            while self.runner.state.running().any(|job| job.live.is_none()) {
                if self.runner.step(clock).await.0 == Step::Broken {
                    break;
                }
            }
        };
        // Running out of time is reported below, like everything else that is not known.
        let _ = tokio::time::timeout(LAST_WAIT, finish).await;
        let mut lines = Vec::new();
        for job in unseen.into_iter().filter_map(|id| self.runner.state.job(id)) {
            let name = named(&job.task.name, &job.task.client_id);
            let id = crate::domain::untrusted::shown(&job.task.client_id);
            let doubt = job.row.as_ref().is_some_and(crate::domain::Rollover::in_doubt);
            lines.push(match &job.row {
                _ if !job.runs() => format!("{name} ({id}): {}", job.summary()),
                _ if job.live.is_some() && job.task.procedure == Procedure::RotateNow => {
                    format!("{name} ({id}): rotated. The new secret: rollover copy {id}")
                }
                Some(_) if doubt => {
                    format!(
                        "{name} ({id}): IN DOUBT. No answer came; the next start, or `rollover resume`, settles it."
                    )
                }
                Some(row) => format!("{name} ({id}): {}; the next start goes on.", row.state.words()),
                None => format!("{name} ({id}): nothing was done."),
            });
        }
        lines
    }
}

/// A panic on demand, so that handing the terminal back can be tried. Not in a release build.
fn panic_if_asked(state: &State) {
    if cfg!(debug_assertions)
        && state.notice.as_ref().is_some_and(|notice| notice.text.starts_with("Mouse off"))
        && std::env::var_os("ROLLOVER_TEST_PANIC").is_some()
    {
        assert!(state.ending, "a panic was asked for");
    }
}
