//! Signals that concern the terminal.
use std::io;

/// One of them.
#[derive(Clone, Copy, Debug)]
pub(super) enum Signal {
    /// SIGTERM.
    Terminate,
    /// SIGHUP: the terminal is gone.
    HangUp,
    /// SIGINT; Ctrl-C is a key while the terminal is raw.
    Interrupt,
    /// SIGTSTP.
    Stop,
    /// SIGCONT.
    Continue,
    /// The window has another size. (crossterm reports that too, but only from the moment that its reader listens.)
    Window,
}

#[cfg(unix)]
pub(super) struct Signals {
    all: [(tokio::signal::unix::Signal, Signal); 6],
}

#[cfg(unix)]
impl Signals {
    pub(super) fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let on = |kind, meaning| signal(kind).map(|stream| (stream, meaning));
        Ok(Self {
            all: [
                on(SignalKind::terminate(), Signal::Terminate)?,
                on(SignalKind::hangup(), Signal::HangUp)?,
                on(SignalKind::interrupt(), Signal::Interrupt)?,
                on(SignalKind::from_raw(rustix::process::Signal::TSTP.as_raw()), Signal::Stop)?,
                on(SignalKind::from_raw(rustix::process::Signal::CONT.as_raw()), Signal::Continue)?,
                on(SignalKind::window_change(), Signal::Window)?,
            ],
        })
    }

    /// The next one.
    pub(super) async fn next(&mut self) -> Signal {
        let [terminate, hang_up, interrupt, stop, go_on, window] = &mut self.all;
        tokio::select! {
            _ = terminate.0.recv() => terminate.1,
            _ = hang_up.0.recv() => hang_up.1,
            _ = interrupt.0.recv() => interrupt.1,
            _ = stop.0.recv() => stop.1,
            _ = go_on.0.recv() => go_on.1,
            _ = window.0.recv() => window.1,
        }
    }
}

#[cfg(not(unix))]
pub(super) struct Signals;

#[cfg(not(unix))]
impl Signals {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self)
    }

    /// The next one.
    pub(super) async fn next(&mut self) -> Signal {
        match tokio::signal::ctrl_c().await {
            Ok(()) => Signal::Interrupt,
            Err(_) => std::future::pending().await,
        }
    }
}
