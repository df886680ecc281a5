use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderValue};
use reqwest::{Certificate, Client, RequestBuilder, redirect, retry, tls};
use url::Url;
use zeroize::Zeroizing;

use super::error::{Applied, Error, ErrorKind};
use super::proxy::{Proxy, Unusable, Way, way_to};
use super::unreachable::{ProxyFault, Route, Why, deepest};
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
    /// The proxy, as far as it has been asked for.
    way: OnceLock<Result<Option<Way>, Unusable>>,
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
    /// The version of TLS, where the HTTP client tells it: not through a proxy (reqwest 0.13.5, `connect_via_proxy`).
    pub(super) tls: Option<&'static str>,
}

/// Why there is no answer.
pub(super) struct Failure {
    pub(super) kind: ErrorKind,
    /// Whether the first byte of the request may have gone out.
    pub(super) sent: bool,
    pub(super) message: String,
    /// What to try, where that is known better than by the kind.
    pub(super) hint: Option<String>,
}

/// What happened, before it is told for whom.
enum Trouble {
    /// There was no connection.
    Unreachable(Why),
    /// It took too long.
    Late(&'static str),
    /// The connection broke.
    Broken(String),
    /// More than so many bytes came.
    Large(usize),
}

impl Failure {
    pub(super) fn into_error(self, doing: &str, mutation: bool) -> Error {
        let applied = if mutation && self.sent { Applied::InDoubt } else { Applied::No };
        let hint = match self.kind {
            _ if self.hint.is_some() => self.hint.as_deref().unwrap_or_default(),
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
        let (way, reads, changes) = (OnceLock::new(), OnceLock::new(), OnceLock::new());
        Self { base: domain.base().clone(), loopback: domain.is_loopback(), ca_file, way, reads, changes }
    }

    /// A URL below the tenant's root. `path` has its parts percent-encoded already.
    pub(super) fn url(&self, path: &str) -> Url {
        let mut url = self.base.clone();
        url.set_path(path);
        url
    }

    /// `kept`: how many connections may wait for the next request.
    fn client(&self, kept: usize) -> Result<Client, Why> {
        self.way().map_err(Why::Unusable)?;
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
            .tls_info(true)
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
        // What is in the file is looked at no sooner than here.
        builder.build().map_err(|error| match &self.ca_file {
            Some(path) => Why::Authorities(path.clone(), deepest(&error)),
            None => Why::of_building(&error),
        })
    }

    /// The way through a proxy. None leads to this machine itself.
    fn way(&self) -> Result<Option<&Way>, Unusable> {
        let way = self.way.get_or_init(|| if self.loopback { Ok(None) } else { way_to(&self.base) });
        way.as_ref().map(Option::as_ref).map_err(Unusable::clone)
    }

    fn made<'a>(&self, place: &'a OnceLock<Client>, kept: usize) -> Result<&'a Client, Trouble> {
        if let Some(client) = place.get() {
            return Ok(client);
        }
        let client = self.client(kept).map_err(Trouble::Unreachable)?;
        Ok(place.get_or_init(|| client))
    }

    /// Sends a request that changes nothing.
    pub(super) async fn read(
        &self,
        build: impl FnOnce(&Client) -> RequestBuilder,
        most: usize,
    ) -> Result<Answer, Failure> {
        self.send(&self.reads, usize::MAX, build, most).await
    }

    /// Sends a request that changes something: once, on a connection that nothing used before, because a kept
    /// connection may turn out to be dead only after the request was written to it. A pool that may keep none is switched
    /// off altogether (hyper-util 0.1.21, `pool::Config::is_enabled`); `tests/contract/wire.rs` counts the connections.
    pub(super) async fn change(
        &self,
        build: impl FnOnce(&Client) -> RequestBuilder,
        most: usize,
    ) -> Result<Answer, Failure> {
        self.send(&self.changes, 0, build, most).await
    }

    async fn send(
        &self,
        place: &OnceLock<Client>,
        kept: usize,
        build: impl FnOnce(&Client) -> RequestBuilder,
        most: usize,
    ) -> Result<Answer, Failure> {
        let result = match self.made(place, kept) {
            Ok(client) => exchange(build(client), most).await,
            Err(trouble) => Err(trouble),
        };
        match result {
            Ok(answer) => Ok(answer),
            Err(trouble) => Err(self.told(trouble).await),
        }
    }

    /// Says which host it is about, and what stands in between: the messages of the system do not.
    async fn told(&self, trouble: Trouble) -> Failure {
        let name = self.base.host_str().unwrap_or_default();
        let host = self.base.port().map_or_else(|| name.to_owned(), |port| format!("{name}:{port}"));
        let route = Route { host, name, way: self.way().ok().flatten(), ca_file: self.ca_file.as_deref() };
        let (kind, message) = match trouble {
            Trouble::Unreachable(mut why) => {
                if let (Why::Proxy(ProxyFault::Refused(status)), Some(way)) = (&mut why, route.way) {
                    *status = way.refusal(name, self.base.port_or_known_default().unwrap_or(443)).await;
                }
                let (message, hint) = (why.message(&route), Some(why.hint(&route)));
                return Failure { kind: ErrorKind::Unreachable, sent: false, message, hint };
            }
            Trouble::Late(what) => (ErrorKind::TimedOut, format!("{}{}: {what}", route.host, route.through())),
            Trouble::Broken(what) => {
                (ErrorKind::Broken, format!("the connection to {}{} broke: {what}", route.host, route.through()))
            }
            Trouble::Large(most) => {
                (ErrorKind::Unreadable, format!("the answer of {} is larger than {} MiB", route.host, most >> 20))
            }
        };
        Failure { kind, sent: true, message, hint: None }
    }

    /// The proxy that requests to this tenant go through, without its credentials.
    pub(super) fn proxy(&self) -> Option<&Proxy> {
        self.way().ok().flatten().map(|way| &way.proxy)
    }
}

async fn exchange(request: RequestBuilder, most: usize) -> Result<Answer, Trouble> {
    let sending = tokio::time::timeout(CONNECT + HEADERS, request.send());
    let mut response = match sending.await {
        Ok(Ok(response)) => response,
        Ok(Err(error)) => return Err(trouble(&error)),
        Err(_) => return Err(Trouble::Late("no answer within 40 s")),
    };
    let status = response.status().as_u16();
    let version = response.extensions().get::<tls::TlsInfo>().and_then(tls::TlsInfo::version);
    let tls = match version {
        Some(tls::Version::TLS_1_2) => Some("1.2"),
        Some(tls::Version::TLS_1_3) => Some("1.3"),
        _ => None,
    };
    let headers = std::mem::take(response.headers_mut());
    let mut body = Zeroizing::new(Vec::with_capacity(16 * 1024));
    let reading = async {
        while let Some(chunk) = response.chunk().await.map_err(|error| trouble(&error))? {
            if body.len() + chunk.len() > most {
                return Err(Trouble::Large(most));
            }
            grow(&mut body, chunk.len());
            body.extend_from_slice(&chunk);
        }
        Ok(())
    };
    match tokio::time::timeout(BODY, reading).await {
        Ok(Ok(())) => Ok(Answer { status, headers, body, tls }),
        Ok(Err(trouble)) => Err(trouble),
        Err(_) => Err(Trouble::Late("the answer was not complete within 30 s")),
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

/// The certificate authorities of a PEM file.
fn authorities(path: &Path) -> Result<Vec<Certificate>, Why> {
    let failed = |why: String| Why::Authorities(path.to_owned(), why);
    let pem = std::fs::read(path).map_err(|error| failed(error.to_string()))?;
    let all = Certificate::from_pem_bundle(&pem).map_err(|error| failed(deepest(&error)))?;
    if all.is_empty() { Err(failed("there is no -----BEGIN CERTIFICATE----- in it".to_owned())) } else { Ok(all) }
}

fn trouble(error: &reqwest::Error) -> Trouble {
    // The URL of an error holds ids and, through a proxy, more. Only what is below the error is told, which has none.
    if error.is_connect() || error.is_builder() {
        Trouble::Unreachable(Why::of(error))
    } else if error.is_timeout() {
        Trouble::Late("the connection timed out")
    } else {
        // What reqwest calls a failure to decode is a body that ended early: nothing is decoded at this place.
        let text = deepest(error);
        // That much is said already.
        Trouble::Broken(text.strip_prefix("connection error: ").map_or(text.clone(), str::to_owned))
    }
}
