use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::task::{Context, Poll};

use axum::Extension;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use super::routes::router;
use super::tenant::Tenant;

/// What a fault does to the connection that a request came on.
#[derive(Clone, Debug)]
pub(super) struct Wire {
    /// Bytes that may still be written; negative: no end.
    left: Arc<AtomicI64>,
    reset: Arc<AtomicBool>,
}

impl Default for Wire {
    fn default() -> Self {
        Self { left: Arc::new(AtomicI64::new(-1)), reset: Arc::default() }
    }
}

impl Wire {
    /// Lets `bytes` more out, then breaks: by a reset, or by an orderly end.
    pub(super) fn break_after(&self, bytes: u32, reset: bool) {
        self.reset.store(reset, Ordering::SeqCst);
        self.left.store(i64::from(bytes), Ordering::SeqCst);
    }

    pub(super) fn is_broken(&self) -> bool {
        self.left.load(Ordering::SeqCst) == 0
    }
}

/// A connection that can be broken at a chosen byte.
struct Breakable {
    stream: TcpStream,
    wire: Wire,
}

impl AsyncRead for Breakable {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Breakable {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let left = self.wire.left.load(Ordering::SeqCst);
        if left == 0 {
            if self.wire.reset.load(Ordering::SeqCst) {
                // Closing with unsent-time zero makes the kernel send a reset.
                let _ = self.stream.set_zero_linger();
            }
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        let allowed = usize::try_from(left).map_or(bytes.len(), |left| left.min(bytes.len()));
        let written = Pin::new(&mut self.stream).poll_write(context, &bytes[..allowed]);
        if let Poll::Ready(Ok(count)) = &written
            && left > 0
        {
            self.wire.left.fetch_sub(i64::try_from(*count).unwrap_or(left), Ordering::SeqCst);
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

/// Accepts connections until it is aborted.
pub(super) async fn serve(listener: TcpListener, tls: Option<TlsAcceptor>, tenant: Arc<Tenant>) {
    let router = router(&tenant);
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // Out of file handles, most likely: the ones in use will be given back.
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            continue;
        };
        let _ = stream.set_nodelay(true);
        let wire = Wire::default();
        let service = TowerToHyperService::new(router.clone().layer(Extension(wire.clone())));
        let breakable = Breakable { stream, wire };
        let (tls, mut closed) = (tls.clone(), tenant.watch_closed());
        tokio::spawn(async move {
            let builder = http1::Builder::new();
            let ended = async {
                match tls {
                    None => drop(builder.serve_connection(TokioIo::new(breakable), service).await),
                    Some(tls) => {
                        if let Ok(stream) = tls.accept(breakable).await {
                            drop(builder.serve_connection(TokioIo::new(stream), service).await);
                        }
                    }
                }
            };
            tokio::select! {
                () = ended => {}
                _ = closed.wait_for(|closed| *closed) => {}
            }
        });
    }
}
