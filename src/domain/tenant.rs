use std::fmt;

use url::{Host, Url};

/// The address of a tenant: `https://` and a host, or, for a pretend tenant, plain HTTP on loopback.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Domain {
    base: Url,
}

impl Domain {
    /// Reads what stands in `AUTH0_DOMAIN`: a bare host (`acme.eu.auth0.com`, a custom domain,
    /// optionally with a port), an `https://` URL of one, or an `http://` URL of a loopback address.
    ///
    /// # Errors
    /// A sentence that says what is wrong and what is expected.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        // Before an `@` stands a user's name, and maybe a password.
        let shown = super::untrusted::brief(if text.contains('@') { "…@…" } else { text });
        if text.is_empty() {
            return Err("the domain is empty; expected a host such as acme.eu.auth0.com".to_owned());
        }
        let full = if text.contains("://") { text.to_owned() } else { format!("https://{text}") };
        let mut base = Url::parse(&full)
            .map_err(|why| format!("`{shown}` is not a domain ({why}); expected a host such as acme.eu.auth0.com"))?;
        if !base.username().is_empty() || base.password().is_some() {
            return Err("the domain must not hold a user name or password".to_owned());
        }
        if base.path() != "/" || base.query().is_some() || base.fragment().is_some() {
            return Err(format!("`{shown}` has a path; expected the bare host, such as acme.eu.auth0.com"));
        }
        match base.scheme() {
            "https" => {}
            "http" if is_loopback(&base) => {}
            "http" => {
                return Err(format!(
                    "`{shown}` is plain http, which is accepted only for a loopback address; write the bare host for https"
                ));
            }
            other => {
                return Err(format!(
                    "`{}://` is not supported; write the bare host, such as acme.eu.auth0.com",
                    super::untrusted::brief(other)
                ));
            }
        }
        if base.host().is_none() {
            return Err(format!("`{shown}` names no host; expected a host such as acme.eu.auth0.com"));
        }
        if base.host_str().is_some_and(|host| host.len() > 253) {
            return Err(format!("`{shown}` is longer than a host can be; expected one such as acme.eu.auth0.com"));
        }
        base.set_path("/");
        Ok(Self { base })
    }

    /// The URL of the tenant's root, with a slash at its end.
    #[must_use]
    pub fn base(&self) -> &Url {
        &self.base
    }

    /// Host, with the port where it is not the usual one.
    #[must_use]
    pub fn host(&self) -> String {
        let host = self.base.host_str().unwrap_or_default();
        self.base.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
    }

    /// Whether it is on this machine's loopback interface.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        is_loopback(&self.base)
    }

    /// The audience of the tenant's Management API where none is set: `https://DOMAIN/api/v2/`.
    #[must_use]
    pub fn management_audience(&self) -> String {
        format!("{}api/v2/", self.base)
    }

    /// The tenant's name as the dashboard writes it: the host's first label.
    #[must_use]
    pub fn tenant_name(&self) -> String {
        match self.base.host() {
            Some(Host::Domain(host)) => host.split('.').next().unwrap_or(host).to_owned(),
            _ => self.host(),
        }
    }
}

/// What a tenant is for. Production asks more before a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Environment {
    /// For building.
    Development,
    /// For trying out.
    Staging,
    /// The real thing.
    Production,
}

impl Environment {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Development, Self::Staging, Self::Production];

    /// From a word of a configuration file or of Auth0's.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.name().eq_ignore_ascii_case(name.trim()))
    }

    /// As it is written in the configuration file and on screen.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Development => "development",
            Self::Staging => "staging",
            Self::Production => "production",
        }
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.host())
    }
}

impl fmt::Debug for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.base)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<String, String> {
        Domain::parse(text).map(|domain| domain.base().to_string())
    }

    #[test]
    fn hosts_and_loopback_urls_are_accepted() {
        assert_eq!(parse("acme.eu.auth0.com"), Ok("https://acme.eu.auth0.com/".into()));
        assert_eq!(parse(" https://login.acme.com/ "), Ok("https://login.acme.com/".into()));
        assert_eq!(parse("http://127.0.0.1:8080"), Ok("http://127.0.0.1:8080/".into()));
        assert_eq!(parse("http://[::1]:9/"), Ok("http://[::1]:9/".into()));
        assert_eq!(parse("localhost:9443"), Ok("https://localhost:9443/".into()));
    }

    #[test]
    fn everything_else_is_refused_with_a_reason() {
        for (text, part) in [
            ("", "empty"),
            ("http://acme.auth0.com", "loopback"),
            ("http://127.0.0.1.evil.example", "loopback"),
            ("http://localhost.evil.example", "loopback"),
            ("ftp://acme.auth0.com", "not supported"),
            ("https://user:pw@acme.auth0.com", "user name"),
            ("acme.auth0.com/api/v2", "path"),
            ("acme.auth0.com?x=1", "path"),
            ("https://", "not a domain"),
            ("a b", "not a domain"),
        ] {
            let error = parse(text).expect_err(text);
            assert!(error.contains(part), "{text}: {error}");
        }
        for text in ["https://user:canary@a b", "ftp://user:canary@x", "user:canary@x.auth0.com"] {
            let error = parse(text).expect_err(text);
            assert!(!error.contains("canary"), "{error}");
        }
    }

    #[test]
    fn audience_and_names() {
        let domain = Domain::parse("acme.eu.auth0.com").expect("a domain");
        assert_eq!(domain.management_audience(), "https://acme.eu.auth0.com/api/v2/");
        assert_eq!(domain.tenant_name(), "acme");
        assert!(!domain.is_loopback());
    }
}
