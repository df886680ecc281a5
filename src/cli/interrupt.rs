use std::io;

/// Ctrl-C, and being told to end: counted instead of obeyed at once, so that a request on its way can be waited for.
pub struct Interrupts {
    count: u32,
    #[cfg(unix)]
    signals: [tokio::signal::unix::Signal; 3],
}

impl Interrupts {
    /// From now on they are counted.
    ///
    /// # Errors
    /// Where the system lets nobody listen.
    pub fn new() -> io::Result<Self> {
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            let signals =
                [signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?, signal(SignalKind::hangup())?];
            Ok(Self { count: 0, signals })
        }
        #[cfg(not(unix))]
        Ok(Self { count: 0 })
    }

    /// The next one.
    pub async fn next(&mut self) {
        #[cfg(unix)]
        {
            let [interrupt, terminate, hang_up] = &mut self.signals;
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
                _ = hang_up.recv() => {}
            }
        }
        #[cfg(not(unix))]
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
        self.count += 1;
    }

    /// How many came.
    pub fn count(&self) -> u32 {
        self.count
    }

    /// Whether one came.
    pub fn seen(&self) -> bool {
        self.count > 0
    }
}
