use std::fmt;
use std::time::Duration;

use hyper::Uri;
use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use reqwest::header::HeaderValue;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use url::Url;
use zeroize::Zeroizing;

/// In the order in which they are looked at; the first that is set counts, even if it is empty (hyper-util 0.1.21,
/// `matcher::get_first_env`).
const HTTPS: [&str; 2] = ["HTTPS_PROXY", "https_proxy"];
const ALL: [&str; 2] = ["ALL_PROXY", "all_proxy"];
const NONE: [&str; 2] = ["NO_PROXY", "no_proxy"];

/// The proxy that requests to a tenant go through. Its credentials are not in here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proxy {
    /// Host and port. Not to be printed as it is: it comes from the environment.
    pub address: String,
    /// The environment variable that names it; `None`: the settings of the operating system do.
    pub variable: Option<&'static str>,
}

impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let address = crate::domain::untrusted::shown(&self.address);
        write!(f, "{address} ({})", self.variable.unwrap_or("system settings"))
    }
}

/// How to go through a proxy.
pub(super) struct Way {
    pub(super) proxy: Proxy,
    /// Whether there are credentials for it.
    pub(super) signs_in: bool,
    uri: Uri,
    credentials: Option<HeaderValue>,
}

/// A proxy is named, and cannot be used. To go on without would be to do what was not asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Unusable {
    /// This variable holds no address.
    NoAddress(&'static str),
    /// It is of a kind that is not spoken here, such as `socks5`.
    Kind(Proxy, String),
}

/// The way to a tenant: the HTTP client asks the same matcher, so that what is shown is what is done.
pub(super) fn way_to(base: &Url) -> Result<Option<Way>, Unusable> {
    let Ok(target) = base.as_str().parse::<Uri>() else { return Ok(None) };
    chosen(&target, Matcher::from_system().intercept(&target), &|name| std::env::var(name).ok())
}

type Variables<'a> = &'a dyn Fn(&str) -> Option<String>;

fn chosen(target: &Uri, found: Option<Intercept>, variables: Variables<'_>) -> Result<Option<Way>, Unusable> {
    let first = |names: [&'static str; 2]| names.into_iter().find_map(|name| Some((name, variables(name)?)));
    let named = || [first(HTTPS), first(ALL)].into_iter().flatten();
    let understood = |value: &str| Matcher::builder().https(value).build().intercept(target);
    let Some(found) = found else {
        // Within a web server `HTTP_PROXY` may be what a visitor sent as a header: there no variable counts at all.
        let unasked = variables("REQUEST_METHOD").is_some() || named().any(|(_, value)| understood(&value).is_some());
        let excepted = first(NONE).is_some_and(|(_, names)| excepts(&names, target));
        let wrong = named().find(|(_, value)| !value.is_empty()).filter(|_| !unasked && !excepted);
        return wrong.map_or(Ok(None), |(name, _)| Err(Unusable::NoAddress(name)));
    };
    let uri = found.uri().clone();
    let source = named().find(|(_, value)| understood(value).is_some_and(|own| *own.uri() == uri));
    let scheme = uri.scheme_str().unwrap_or("http");
    let port = uri.port_u16().unwrap_or(if scheme == "https" { 443 } else { 80 });
    let address = format!("{}:{port}", uri.host().unwrap_or_default());
    let proxy = Proxy { address, variable: source.map(|(name, _)| name) };
    if !matches!(scheme, "http" | "https") {
        return Err(Unusable::Kind(proxy, scheme.to_owned()));
    }
    let credentials = found.basic_auth().cloned();
    Ok(Some(Way { proxy, signs_in: credentials.is_some(), uri, credentials }))
}

fn excepts(names: &str, target: &Uri) -> bool {
    Matcher::builder().https("http://proxy.invalid").no(names).build().intercept(target).is_none()
}

impl Way {
    /// Asks the proxy again, for the status of its refusal: the HTTP client tells no other than 407 (hyper-util 0.1.21,
    /// `TunnelError`). Nothing goes to the tenant. `None` where the proxy says something else now, or nothing.
    pub(super) async fn refusal(&self, host: &str, port: u16) -> Option<u16> {
        const PATIENCE: Duration = Duration::from_secs(5);
        if self.uri.scheme_str() != Some("http") {
            return None;
        }
        let status = tokio::time::timeout(PATIENCE, self.ask(host, port)).await.ok()??;
        (status != 200).then_some(status)
    }

    async fn ask(&self, host: &str, port: u16) -> Option<u16> {
        let own = self.uri.host()?.trim_matches(['[', ']']);
        let mut stream = TcpStream::connect((own, self.uri.port_u16().unwrap_or(80))).await.ok()?;
        let mut request =
            Zeroizing::new(format!("CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n").into_bytes());
        if let Some(credentials) = &self.credentials {
            request.extend_from_slice(b"Proxy-Authorization: ");
            request.extend_from_slice(credentials.as_bytes());
            request.extend_from_slice(b"\r\n");
        }
        request.extend_from_slice(b"\r\n");
        stream.write_all(&request).await.ok()?;
        let mut line = Vec::new();
        while !line.contains(&b'\n') && line.len() < 1024 {
            if stream.read_buf(&mut line).await.ok()? == 0 {
                break;
            }
        }
        let line = String::from_utf8_lossy(&line);
        let mut words = line.split_ascii_whitespace();
        words.next().filter(|version| version.starts_with("HTTP/"))?;
        words.next()?.parse().ok().filter(|status| (100..600).contains(status))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What comes of an environment, with the matcher that the HTTP client would have made of it.
    fn found(set: &[(&str, &str)], target: &str) -> Result<Option<(String, &'static str)>, Unusable> {
        let variable = |name: &str| set.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        let first = |names: [&str; 2]| names.into_iter().find_map(variable).unwrap_or_default();
        let matcher = if variable("REQUEST_METHOD").is_some() {
            Matcher::builder()
        } else {
            Matcher::builder().https(first(HTTPS)).all(first(ALL)).no(first(NONE))
        };
        let target: Uri = target.parse().expect("a target");
        let way = chosen(&target, matcher.build().intercept(&target), &variable)?;
        Ok(way.map(|way| (way.proxy.address, way.proxy.variable.unwrap_or("none"))))
    }

    #[test]
    fn the_variable_that_counts_is_named() {
        let some = |address: &str, variable| Ok(Some((address.to_owned(), variable)));
        let (https, all) = (("HTTPS_PROXY", "http://user:word@a:1"), ("ALL_PROXY", "b:2"));
        for (set, expected) in [
            (&[https, all][..], some("a:1", "HTTPS_PROXY")),
            (&[("https_proxy", "http://c"), all], some("c:80", "https_proxy")),
            (&[("https_proxy", "https://c"), https], some("a:1", "HTTPS_PROXY")),
            (&[("HTTPS_PROXY", "https://[::1]")], some("[::1]:443", "HTTPS_PROXY")),
            (&[("HTTPS_PROXY", ""), ("https_proxy", "http://c"), all], some("b:2", "ALL_PROXY")),
            (&[("HTTPS_PROXY", "ftp://x"), all], some("b:2", "ALL_PROXY")),
            (&[("all_proxy", "http://c:3")], some("c:3", "all_proxy")),
            (&[("HTTP_PROXY", "http://c:3")], Ok(None)),
            (&[("HTTPS_PROXY", "")], Ok(None)),
            (&[], Ok(None)),
            (&[("REQUEST_METHOD", "GET"), https], Ok(None)),
            (&[("HTTPS_PROXY", "ftp://x")], Err(Unusable::NoAddress("HTTPS_PROXY"))),
            (&[("HTTPS_PROXY", "ftp://x"), ("NO_PROXY", "acme.eu.auth0.com")], Ok(None)),
            (&[("all_proxy", "a b")], Err(Unusable::NoAddress("all_proxy"))),
        ] {
            assert_eq!(found(set, "https://acme.eu.auth0.com/"), expected, "{set:?}");
        }
        let socks = found(&[("ALL_PROXY", "socks5://user:word@s:9")], "https://acme.eu.auth0.com/");
        let proxy = Proxy { address: "s:9".to_owned(), variable: Some("ALL_PROXY") };
        assert_eq!(socks, Err(Unusable::Kind(proxy, "socks5".to_owned())));
    }

    #[test]
    fn exceptions_are_kept() {
        for (none, target, through) in [
            ("auth0.com", "https://acme.eu.auth0.com/", false),
            (".auth0.com", "https://acme.eu.auth0.com/", false),
            ("*", "https://acme.eu.auth0.com/", false),
            ("x.example, acme.eu.auth0.com", "https://acme.eu.auth0.com/", false),
            ("10.0.0.0/8", "https://10.1.2.3/", false),
            ("0.com", "https://acme.eu.auth0.com/", true),
            ("", "https://acme.eu.auth0.com/", true),
        ] {
            for name in NONE {
                let way = found(&[("HTTPS_PROXY", "http://a:1"), (name, none)], target);
                assert_eq!(way.map(|way| way.is_some()), Ok(through), "{name}={none} {target}");
            }
        }
    }
}
