use std::error::Error as StdError;
use std::io;
use std::path::{Path, PathBuf};

use tokio_rustls::rustls::pki_types::UnixTime;
use tokio_rustls::rustls::{AlertDescription, CertificateError, Error as TlsError, InvalidMessage, PeerIncompatible};

use super::proxy::{Proxy, Unusable, Way};
use crate::domain::untrusted::shown;

/// Why no connection was made. In each of these cases no byte of a request has gone out.
#[derive(Debug)]
pub(super) enum Why {
    /// The name has no address; what the system says of it.
    Name(String),
    /// Nothing listens there.
    Refused,
    /// It took too long.
    Late,
    /// The other end gave up before there was a secure connection.
    Ended,
    /// Another failure below TLS.
    Network(String),
    /// The certificate's authority is not known here.
    UnknownIssuer,
    /// An authority's own certificate stands where a server's should.
    SelfSigned,
    /// The certificate was valid until this day.
    Expired(Option<String>),
    /// The certificate will be valid from this day on.
    NotYetValid(Option<String>),
    /// The certificate is for other names.
    WrongName(Vec<String>),
    /// Another fault of the certificate.
    Certificate(String),
    /// The server knows TLS before 1.2 only.
    Version,
    /// Whatever answers does not speak TLS.
    NotTls,
    /// Another failure of TLS.
    Tls(String),
    /// `ca_file` cannot be used.
    Authorities(PathBuf, String),
    /// The platform has no authorities, and none are set.
    NoAuthorities,
    /// The proxy did not make the connection.
    Proxy(ProxyFault),
    /// A proxy is named that cannot be used.
    Unusable(Unusable),
    /// Something else.
    Other(String),
}

/// What went wrong with a proxy.
#[derive(Debug)]
pub(super) enum ProxyFault {
    /// There was no connection to the proxy itself.
    Unreached(Box<Why>),
    /// 407.
    Credentials,
    /// Another status than 200, where it is known.
    Refused(Option<u16>),
    /// It ended the connection instead of answering.
    Died,
    /// Its answer is no answer to CONNECT.
    Odd(String),
}

/// What a failure to connect is about.
pub(super) struct Route<'a> {
    /// Host, with the port where it is not the usual one.
    pub(super) host: String,
    /// The host alone, as it must stand in `NO_PROXY`.
    pub(super) name: &'a str,
    pub(super) way: Option<&'a Way>,
    pub(super) ca_file: Option<&'a Path>,
}

impl Why {
    /// Reads the causes below an error of the HTTP client.
    pub(super) fn of(error: &reqwest::Error) -> Self {
        let mut causes = causes(error);
        // The type of a tunnel's error is not public (hyper-util 0.1.21): only its text tells it.
        if let Some(fault) =
            causes.find_map(|cause| cause.to_string().strip_prefix("tunnel error: ").map(str::to_owned))
        {
            return Self::Proxy(match fault.as_str() {
                "proxy authorization required" => ProxyFault::Credentials,
                "unsuccessful" => ProxyFault::Refused(None),
                "unexpected end of file" | "io error establishing tunnel" => ProxyFault::Died,
                "failed to create underlying connection" => ProxyFault::Unreached(Box::new(Self::below(error))),
                _ => ProxyFault::Odd(fault),
            });
        }
        Self::below(error)
    }

    /// Reads why the HTTP client could not be made.
    pub(super) fn of_building(error: &reqwest::Error) -> Self {
        let general = |cause: &TlsError| matches!(cause, TlsError::General(_));
        // It is the verifier's word for an empty store (rustls-platform-verifier 0.7.1).
        if causes(error).filter_map(|cause| cause.downcast_ref()).any(general) {
            return Self::NoAuthorities;
        }
        Self::Other(deepest(error))
    }

    fn below(error: &reqwest::Error) -> Self {
        if error.is_dns() {
            return Self::Name(deepest(error));
        }
        if let Some(tls) = causes(error).find_map(|cause| cause.downcast_ref::<TlsError>()) {
            return Self::of_tls(tls);
        }
        if error.is_timeout() {
            return Self::Late;
        }
        match causes(error).filter_map(|cause| cause.downcast_ref::<io::Error>()).last().map(io::Error::kind) {
            Some(io::ErrorKind::ConnectionRefused) => Self::Refused,
            Some(
                io::ErrorKind::UnexpectedEof
                | io::ErrorKind::ConnectionReset
                | io::ErrorKind::ConnectionAborted
                | io::ErrorKind::BrokenPipe,
            ) => Self::Ended,
            Some(_) => Self::Network(deepest(error)),
            None => Self::Other(deepest(error)),
        }
    }

    fn of_tls(error: &TlsError) -> Self {
        match error {
            TlsError::InvalidCertificate(why) => Self::of_certificate(why),
            TlsError::AlertReceived(AlertDescription::ProtocolVersion)
            | TlsError::PeerIncompatible(
                PeerIncompatible::ServerDoesNotSupportTls12Or13
                | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig
                | PeerIncompatible::Tls12NotOffered
                | PeerIncompatible::Tls12NotOfferedOrEnabled,
            ) => Self::Version,
            TlsError::InvalidMessage(
                InvalidMessage::InvalidContentType
                | InvalidMessage::UnknownProtocolVersion
                | InvalidMessage::MessageTooLarge,
            ) => Self::NotTls,
            other => Self::Tls(other.to_string()),
        }
    }

    fn of_certificate(why: &CertificateError) -> Self {
        match why {
            // A signature that is wrong is what another authority of the same name makes: one that was set up anew, say.
            CertificateError::UnknownIssuer | CertificateError::BadSignature => Self::UnknownIssuer,
            CertificateError::Expired => Self::Expired(None),
            CertificateError::ExpiredContext { not_after, .. } => Self::Expired(day(*not_after)),
            CertificateError::NotValidYet => Self::NotYetValid(None),
            CertificateError::NotValidYetContext { not_before, .. } => Self::NotYetValid(day(*not_before)),
            CertificateError::NotValidForName => Self::WrongName(Vec::new()),
            CertificateError::NotValidForNameContext { presented, .. } => {
                // They come as `DnsName("a.example")`.
                let bare = |name: &String| name.split('"').nth(1).unwrap_or(name).to_owned();
                Self::WrongName(presented.iter().map(bare).collect())
            }
            // webpki's error, whose crate is not named here.
            CertificateError::Other(other) if other.to_string() == "CaUsedAsEndEntity" => Self::SelfSigned,
            other => Self::Certificate(TlsError::InvalidCertificate(other.clone()).to_string()),
        }
    }

    /// What happened, for [`Error::message`](super::Error::message): it may hold text from outside.
    pub(super) fn message(&self, route: &Route<'_>) -> String {
        let host = &route.host;
        match self {
            Self::Proxy(fault) => {
                let signs_in = route.way.is_some_and(|way| way.signs_in);
                let address = route.way.map_or("", |way| way.proxy.address.as_str());
                format!("{host} cannot be reached: the proxy {address} {}", fault.what(signs_in))
            }
            Self::Authorities(..) | Self::NoAuthorities | Self::Unusable(_) => {
                format!("{host} cannot be reached: {}", self.what())
            }
            why => format!("{host} cannot be reached{}: {}", route.through(), why.what()),
        }
    }

    fn what(&self) -> String {
        let dated =
            |text: &str, day: &Option<String>| day.as_ref().map_or(String::new(), |day| format!(" {text} {day}"));
        match self {
            Self::Name(text) => format!("its name cannot be resolved: {text}"),
            Self::Refused => "connection refused".to_owned(),
            Self::Late => "no connection within 10 s".to_owned(),
            Self::Ended => "the connection ended before it was secure".to_owned(),
            Self::UnknownIssuer => "no authority that is trusted here vouches for its certificate".to_owned(),
            Self::SelfSigned => "its certificate is self-signed".to_owned(),
            Self::Expired(day) => format!("its certificate has expired{}", dated("on", day)),
            Self::NotYetValid(day) => format!("its certificate is not valid yet{}", dated("before", day)),
            Self::WrongName(names) if names.is_empty() => "its certificate is for another name".to_owned(),
            Self::WrongName(names) => {
                let more = if names.len() > 3 { ", …" } else { "" };
                format!("its certificate is for {}{more}", names[..names.len().min(3)].join(", "))
            }
            Self::Version => "it speaks no TLS of version 1.2 or later".to_owned(),
            Self::NotTls => "what answers there does not speak TLS".to_owned(),
            Self::Certificate(text) | Self::Tls(text) | Self::Network(text) | Self::Other(text) => text.clone(),
            Self::Authorities(path, why) => {
                format!("the certificate authorities in {} cannot be used: {why}", path.display())
            }
            Self::NoAuthorities => "this machine has no certificate authorities to trust".to_owned(),
            Self::Unusable(Unusable::NoAddress(variable)) => format!("{variable} holds no address of a proxy"),
            Self::Unusable(Unusable::Kind(proxy, kind)) => {
                format!("the proxy {} is of a kind that is not supported: {kind}", proxy.address)
            }
            Self::Proxy(_) => "its proxy failed".to_owned(),
        }
    }

    /// What to try. Safe to print.
    pub(super) fn hint(&self, route: &Route<'_>) -> String {
        let (host, name, look) = (&route.host, route.name, route.look());
        match self {
            Self::Name(_) => format!("Check the domain, and this machine's network and name service. {look}"),
            Self::Refused => format!("Check the domain and its port: nothing listens there. {look}"),
            Self::Late => format!("Check the network and firewalls between here and {host}. {look}"),
            Self::Network(_) | Self::Other(_) => format!("Check the domain and the network, then try again. {look}"),
            Self::Ended => format!("Something between here and {host} may cut such connections. {look}"),
            Self::UnknownIssuer | Self::SelfSigned => match route.ca_file {
                Some(path) => format!(
                    "Nor does `ca_file`, {}: it must hold the authority that signed what answers for {host}. \
                     Checking cannot be switched off.",
                    printable(path)
                ),
                None => {
                    "A company's proxy that looks into TLS? Then set `ca_file` in config.toml to the PEM file of its \
                         authority. Checking cannot be switched off."
                        .to_owned()
                }
            },
            Self::Expired(_) => {
                format!("Check the clock of this machine; if it is right, the certificate of {host} must be renewed.")
            }
            Self::NotYetValid(_) => format!(
                "Check the clock of this machine: it may be slow. If it is right, the certificate of {host} is at fault."
            ),
            Self::WrongName(_) => {
                format!("Check the domain: is {host} the tenant's own or its custom domain, as the dashboard shows it?")
            }
            Self::Version => format!("TLS 1.2 is the least that is accepted. Check the domain. {look}"),
            Self::NotTls => {
                format!("Check the domain and its port; a network's sign-in page may answer in its place. {look}")
            }
            Self::Certificate(_) | Self::Tls(_) => {
                format!("Check the domain, and what stands between here and {host}. {look}")
            }
            Self::Authorities(path, _) => format!(
                "`ca_file` is {}: it must be a PEM file that this user can read, with -----BEGIN CERTIFICATE-----.",
                printable(path)
            ),
            Self::NoAuthorities => {
                "Install the system's (the package ca-certificates), or set `ca_file` in config.toml to a PEM file."
                    .to_owned()
            }
            Self::Unusable(Unusable::NoAddress(variable)) => {
                format!("Write {variable} as http://HOST:PORT, or unset it.")
            }
            Self::Unusable(Unusable::Kind(proxy, _)) => format!(
                "{} Use an http:// or https:// proxy, or name {name} in NO_PROXY to go there directly.",
                named(proxy)
            ),
            Self::Proxy(fault) => route.way.map_or(look, |way| fault.hint(way, route)),
        }
    }
}

impl ProxyFault {
    fn what(&self, signs_in: bool) -> String {
        match self {
            Self::Unreached(why) => format!("cannot be reached: {}", why.what()),
            Self::Credentials if signs_in => "refuses its credentials (HTTP 407)".to_owned(),
            Self::Credentials => "asks for credentials (HTTP 407)".to_owned(),
            Self::Refused(Some(status)) => format!("refuses the connection (HTTP {status})"),
            Self::Refused(None) => "refuses the connection".to_owned(),
            Self::Died => "ended the connection instead of answering".to_owned(),
            Self::Odd(text) => format!("gives no proper answer: {text}"),
        }
    }

    fn hint(&self, way: &Way, route: &Route<'_>) -> String {
        let (host, name) = (&route.host, route.name);
        let (named, variable) = (named(&way.proxy), way.proxy.variable.unwrap_or("the system's settings"));
        let directly = format!("name {name} in NO_PROXY to go there directly");
        match self {
            Self::Unreached(why) if matches!(**why, Why::NotTls | Why::Ended) => {
                format!("{named} Does it speak TLS itself? If not, write http:// in {variable}.")
            }
            Self::Unreached(why) if matches!(**why, Why::UnknownIssuer | Why::SelfSigned) => {
                format!(
                    "{named} Set `ca_file` in config.toml to the PEM file of the authority that it is certified by."
                )
            }
            Self::Unreached(_) => format!("{named} Check that address, and that it runs; {directly}."),
            Self::Credentials if way.signs_in => format!("{named} Check the user and the password in {variable}."),
            Self::Credentials => format!(
                "{named} Write user and password into {variable}: http://USER:PASSWORD@{}",
                shown(&way.proxy.address)
            ),
            Self::Refused(Some(500..=599)) => {
                format!("{named} It could not reach {host}: check the domain, or ask whoever runs it.")
            }
            Self::Refused(_) => {
                format!("{named} It must be allowed to connect to {host}: ask whoever runs it, or {directly}.")
            }
            Self::Died | Self::Odd(_) => format!("{named} Is that the address of a proxy? Else {directly}."),
        }
    }
}

impl Route<'_> {
    /// ` through the proxy …`, where there is one.
    pub(super) fn through(&self) -> String {
        self.way.map_or(String::new(), |way| format!(" through the proxy {}", way.proxy.address))
    }

    /// The proxy may be the cause, or the want of one.
    fn look(&self) -> String {
        match self.way {
            Some(way) => format!("{} Look for the cause there too.", named(&way.proxy)),
            None => "Where only a proxy leads out, set HTTPS_PROXY.".to_owned(),
        }
    }
}

/// A path as it may be printed.
fn printable(path: &Path) -> String {
    shown(&path.display().to_string()).into_owned()
}

/// Who names the proxy.
fn named(proxy: &Proxy) -> String {
    let address = shown(&proxy.address);
    match proxy.variable {
        Some(variable) => format!("{variable} names the proxy {address}."),
        None => format!("The system's settings name the proxy {address}."),
    }
}

fn day(time: UnixTime) -> Option<String> {
    let seconds = i64::try_from(time.as_secs()).ok()?;
    Some(time::OffsetDateTime::from_unix_timestamp(seconds).ok()?.date().to_string())
}

/// An error and what is below it, down to the bottom. An `io::Error` that wraps another error passes over it in `source`.
fn causes<'a>(error: &'a (dyn StdError + 'static)) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |error| {
        let error: &'a (dyn StdError + 'static) = *error;
        match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(inner) => Some(inner),
            None => error.source(),
        }
    })
}

/// The cause at the bottom says what happened; the layers above it repeat "error sending request".
pub(super) fn deepest(error: &(dyn StdError + 'static)) -> String {
    let mut texts: Vec<String> = causes(error).map(ToString::to_string).collect();
    texts.dedup();
    match texts.as_slice() {
        [.., above, last] if !above.contains(last.as_str()) && texts.len() > 2 => format!("{above}: {last}"),
        [.., last] => last.clone(),
        [] => "unknown failure".to_owned(),
    }
}
