use std::time::Duration;

use super::arguments::Sim;
use super::exit::{Failure, code};
use super::output::Output;
use super::{Ended, cannot_start};
use crate::sim::{self, Options, Population, Scenario, TlsOptions};

/// Serves the pretend tenant until it is told to stop.
pub fn run(sim: &Sim) -> Ended {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.map_err(|error| cannot_start(&error))?;
    let options = options(sim)?;
    runtime.block_on(async {
        let mut stop = Stop::new()?;
        let running = sim::start(options).await.map_err(|error| Failure::failed("sim", error.to_string(), ""))?;
        Output::new(true).line(&running.first_line())?;
        let ended = stop.asked().await;
        if let Some(folder) = running.ca_file().and_then(std::path::Path::parent) {
            // It holds nothing but the certificate that was made for this run.
            let _ = std::fs::remove_dir_all(folder);
        }
        Ok(ended)
    })
}

fn options(sim: &Sim) -> Result<Options, Failure> {
    if !sim.listen.ip().is_loopback() {
        return Err(Failure::usage(
            format!("{} is no loopback address", sim.listen.ip()),
            "The pretend tenant hands its token to whoever asks: it listens on 127.0.0.1 or [::1] only.",
        ));
    }
    let scenario = sim.scenario.as_deref().map(Scenario::load).transpose();
    let scenario = scenario.map_err(|error| Failure::usage(format!("the scenario cannot be used: {error}"), ""))?;
    let tls = match (&sim.tls_cert, &sim.tls_key) {
        (Some(certificate), Some(key)) => {
            Some(TlsOptions::Files { certificate: certificate.clone(), key: key.clone() })
        }
        _ => sim.tls.then_some(TlsOptions::Generate),
    };
    let tenant = match sim.clients {
        None => Population::Demo,
        Some(clients) => Population::Generated { clients: clients as usize, seed: sim.seed },
    };
    Ok(Options {
        listen: sim.listen,
        tenant,
        scenario,
        plan: sim.plan,
        propagation: Duration::from_secs(sim.propagation),
        latency: sim.latency(),
        tls,
        token_lifetime: Duration::from_secs(sim.token_lifetime),
        ..Options::default()
    })
}

/// Waits for whoever wants it to end.
#[cfg(unix)]
struct Stop {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Stop {
    fn new() -> Result<Self, Failure> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            interrupt: signal(SignalKind::interrupt()).map_err(|error| cannot_start(&error))?,
            terminate: signal(SignalKind::terminate()).map_err(|error| cannot_start(&error))?,
        })
    }

    async fn asked(&mut self) -> u8 {
        tokio::select! {
            _ = self.interrupt.recv() => code::INTERRUPTED,
            _ = self.terminate.recv() => 143,
        }
    }
}

#[cfg(not(unix))]
struct Stop;

#[cfg(not(unix))]
impl Stop {
    #[expect(clippy::unnecessary_wraps, reason = "it can fail elsewhere")]
    fn new() -> Result<Self, Failure> {
        Ok(Self)
    }

    async fn asked(&mut self) -> u8 {
        match tokio::signal::ctrl_c().await {
            Ok(()) => code::INTERRUPTED,
            Err(_) => std::future::pending().await,
        }
    }
}
