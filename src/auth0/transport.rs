use std::error::Error as _;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderValue};
use reqwest::{Certificate, Client, RequestBuilder, redirect, retry, tls};
use url::Url;
use zeroize::Zeroizing;

use super::error::{Applied, Error, ErrorKind};
use crate::domain::{Domain, Untrusted};

const CONNECT: Duration = Duration::from_secs(10);
const HEADERS: Duration = Duration::from_secs(30);
const BODY: Duration = Duration::from_secs(30);

/// The most that one client's body may take.
pub(super) const ONE: usize = 1 << 20;
/// The most that a page of clients may take.
pub(super) const PAGE: usize = 16 << 20;

/// Sends single requests. No redirects, no cookies, no compression, no retries of its own.
pub(super) struct Transport {
    base: Url,
    loopback: bool,
    /// More authorities to trust, beside the platform's.
    ca_file: Option<PathBuf>,
    /// Made when it is first needed: reading the platform's trust roots takes time that the first frame should not wait for.
    reads: OnceLock<Client>,
    /// For changes, made like that; it keeps no connection.
    changes: OnceLock<Client>,
}

/// An answer in full. Its body is wiped when dropped: it may hold a secret.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Zeroizing<Vec<u8>>,
}

/// Why there is no answer.
pub(super) struct Failure {
    pub(super) kind: ErrorKind,
    /// Whether the first byte of the request may have gone out.
    pub(super) sent: bool,
    pub(super) message: String,
}

impl Failure {
    pub(super) fn into_error(self, doing: &str, mutation: bool) -> Error {
        let applied = if mutation && self.sent { Applied::InDoubt } else { Applied::No };
        let hint = match self.kind {
            ErrorKind::Unreachable => "Check the domain, the network and the proxy, then try again.",
            ErrorKind::TimedOut if applied == Applied::No => "Auth0 did not answer in time. Try again.",
            _ if applied == Applied::InDoubt => {
                "It may or may not have been applied. Look at the client before you try again."
            }
            _ => "The connection broke before the whole answer was there. Try again.",
        };
        Error {
            kind: self.kind,
            applied,
            doing: doing.to_owned(),
            message: Untrusted::from(self.message),
            hint: hint.to_owned(),
            status: None,
            error_code: None,
            missing_scopes: Vec::new(),
            correlation_id: None,
            retry_after: None,
        }
    }
}

impl Transport {
    pub(super) fn new(domain: &Domain, ca_file: Option<PathBuf>) -> Self {
        let (reads, changes) = (OnceLock::new(), OnceLock::new());
        Self { base: domain.base().clone(), loopback: domain.is_loopback(), ca_file, reads, changes }
    }

    /// A URL below the tenant's root. `path` has its parts percent-encoded already.
    pub(super) fn url(&self, path: &str) -> Url {
        let mut url = self.base.clone();
        url.set_path(path);
        url
    }

    /// `kept`: how many connections may wait for the next request.
    fn client(&self, kept: usize) -> Result<Client, Failure> {
        let mut headers = HeaderMap::new();
        headers.insert("accept", HeaderValue::from_static("application/json"));
        let mut builder = Client::builder()
            .user_agent(concat!("rollover/", env!("CARGO_PKG_VERSION")))
            .default_headers(headers)
            .redirect(redirect::Policy::none())
            .retry(retry::never())
            .https_only(self.base.scheme() == "https")
            .connect_timeout(CONNECT)
            .pool_max_idle_per_host(kept)
            .pool_idle_timeout(Duration::from_secs(30))
            .tls_version_min(tls::Version::TLS_1_2)
            .tcp_nodelay(true);
        if self.loopback {
            builder = builder.no_proxy();
        }
        if self.base.scheme() == "http" {
            // A pretend tenant on loopback: nothing will be verified, so no trust roots need to be read.
            builder = builder.tls_certs_only([]);
        } else if let Some(path) = &self.ca_file {
            builder = builder.tls_certs_merge(authorities(path)?);
        }
        builder.build().map_err(set_up)
    }

    fn made<'a>(&self, place: &'a OnceLock<Client>, kept: usize) -> Result<&'a Client, Failure> {
        if let Some(client) = place.get() {
            return Ok(client);
        }
        let client = self.client(kept)?;
        Ok(place.get_or_init(|| client))
    }

    /// Sends a request that changes nothing.
    pub(super) async fn read(
        &self,
        build: impl FnOnce(&Client) -> RequestBuilder,
        most: usize,
    ) -> Result<Answer, Failure> {
        exchange(build(self.made(&self.reads, usize::MAX)?), most).await.map_err(|failure| self.located(failure))
    }

    /// Says which host it is that cannot be reached: the message of the system does not.
    fn located(&self, failure: Failure) -> Failure {
        if failure.kind != ErrorKind::Unreachable {
            return failure;
        }
        let host = self.base.host_str().unwrap_or_default();
        let host = self.base.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
        Failure { message: format!("{host} cannot be reached: {}", failure.message), ..failure }
    }

    /// Sends a request that changes something: once, on a connection that nothing used before, because a kept
    /// connection may turn out to be dead only after the request was written to it. A pool that may keep none is switched
    /// off altogether (hyper-util 0.1.21, `pool::Config::is_enabled`); `tests/contract/wire.rs` counts the connections.
    pub(super) async fn change(
        &self,
        build: impl FnOnce(&Client) -> RequestBuilder,
        most: usize,
    ) -> Result<Answer, Failure> {
        exchange(build(self.made(&self.changes, 0)?), most).await.map_err(|failure| self.located(failure))
    }

    /// The proxy that the environment names for this tenant, without its credentials.
    pub(super) fn proxy(&self) -> Option<String> {
        if self.loopback {
            return None;
        }
        let names = ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"];
        let value = names.iter().find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()))?;
        let url = Url::parse(&value).or_else(|_| Url::parse(&format!("http://{value}"))).ok()?;
        let host = url.host_str()?.to_owned();
        Some(url.port().map_or(host.clone(), |port| format!("{host}:{port}")))
    }
}

async fn exchange(request: RequestBuilder, most: usize) -> Result<Answer, Failure> {
    let sending = tokio::time::timeout(CONNECT + HEADERS, request.send());
    let mut response = match sending.await {
        Ok(Ok(response)) => response,
        Ok(Err(error)) => return Err(failure(error)),
        Err(_) => return Err(late("no answer within 40 s")),
    };
    let status = response.status().as_u16();
    let headers = std::mem::take(response.headers_mut());
    let mut body = Zeroizing::new(Vec::with_capacity(16 * 1024));
    let reading = async {
        while let Some(chunk) = response.chunk().await.map_err(failure)? {
            if body.len() + chunk.len() > most {
                return Err(Failure {
                    kind: ErrorKind::Unreadable,
                    sent: true,
                    message: format!("the answer is larger than {} MiB", most >> 20),
                });
            }
            grow(&mut body, chunk.len());
            body.extend_from_slice(&chunk);
        }
        Ok(())
    };
    match tokio::time::timeout(BODY, reading).await {
        Ok(Ok(())) => Ok(Answer { status, headers, body }),
        Ok(Err(failure)) => Err(failure),
        Err(_) => Err(late("the answer was not complete within 30 s")),
    }
}

/// Makes room without leaving an unwiped copy behind, which `Vec`'s own growth would.
fn grow(body: &mut Zeroizing<Vec<u8>>, more: usize) {
    if body.capacity() - body.len() < more {
        let mut larger = Zeroizing::new(Vec::with_capacity((body.len() + more) * 2));
        larger.extend_from_slice(body);
        *body = larger;
    }
}

fn late(message: &str) -> Failure {
    Failure { kind: ErrorKind::TimedOut, sent: true, message: message.to_owned() }
}

/// The certificate authorities of a PEM file.
fn authorities(path: &Path) -> Result<Vec<Certificate>, Failure> {
    let failed = |why: String| Failure {
        kind: ErrorKind::Unreachable,
        sent: false,
        message: format!("the certificate authorities in {} cannot be used: {why}", path.display()),
    };
    let pem = std::fs::read(path).map_err(|error| failed(error.to_string()))?;
    let all = Certificate::from_pem_bundle(&pem).map_err(|error| failed(error.to_string()))?;
    if all.is_empty() { Err(failed("there is no -----BEGIN CERTIFICATE----- in it".to_owned())) } else { Ok(all) }
}

fn set_up(error: reqwest::Error) -> Failure {
    Failure { kind: ErrorKind::Unreachable, sent: false, message: deepest(&error.without_url()) }
}

fn failure(error: reqwest::Error) -> Failure {
    // The URL holds ids and, through a proxy, more: it stays out of messages.
    let error = error.without_url();
    let never_sent = error.is_connect() || error.is_builder();
    let kind = if never_sent {
        ErrorKind::Unreachable
    } else if error.is_timeout() {
        ErrorKind::TimedOut
    } else {
        // What reqwest calls a failure to decode is a body that ended early: nothing is decoded at this place.
        ErrorKind::Broken
    };
    Failure { kind, sent: !never_sent, message: deepest(&error) }
}

/// The cause at the bottom says what happened; the layers above it repeat "error sending request".
fn deepest(error: &reqwest::Error) -> String {
    let mut texts = vec![error.to_string()];
    let mut source = error.source();
    while let Some(error) = source {
        texts.push(error.to_string());
        source = error.source();
    }
    texts.dedup();
    match texts.as_slice() {
        [.., above, last] if !above.contains(last.as_str()) && texts.len() > 2 => format!("{above}: {last}"),
        [.., last] => last.clone(),
        [] => "unknown failure".to_owned(),
    }
}
