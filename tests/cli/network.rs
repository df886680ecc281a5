//! Through a proxy that the environment names, to a tenant whose name has no address: what is printed, what is sent, and
//! what a proxy that dies at any step comes to.
use std::process::Command;

use rollover::sim::{Options, TlsOptions};

use super::BILLING;
use super::certificates::{Authority, leaf};
use super::process::{Run, Tenant, finish};
use super::proxy::{Does, Proxy};

/// No address belongs to it (RFC 2606).
const NAME: &str = "tenant.example";
/// The user and the password of the proxy, which must stand nowhere, and what is sent of them.
const USER: &str = "proxy-user";
const PASSWORD: &str = "proxy-pass%2Dword";
const SENT: &str = "cHJveHktdXNlcjpwcm94eS1wYXNzLXdvcmQ=";

/// A tenant behind TLS, for a name that only a proxy leads to.
struct Far {
    tenant: Tenant,
    authority: Authority,
    port: u16,
}

impl Far {
    fn new() -> Self {
        let authority = Authority::new("the authority of a test");
        let files = authority.sign(&leaf(&[NAME]));
        let tls = Some(TlsOptions::Files { certificate: files.certificate, key: files.key });
        let tenant = Tenant::with(Options { tls, ..Options::default() });
        let port = tenant.running.url().rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port");
        Self { tenant, authority, port }
    }

    fn host(&self) -> String {
        format!("{NAME}:{}", self.port)
    }

    fn proxy(&self, does: impl Fn(usize) -> Does + Send + 'static) -> Proxy {
        Proxy::to(self.port, does)
    }

    /// The program, with this in its environment.
    fn command(&self, arguments: &[&str], environment: &[(&str, &str)]) -> Command {
        let mut command = self.tenant.command(self.tenant.running.token(), arguments);
        command.env("AUTH0_DOMAIN", self.host()).env("SSL_CERT_FILE", self.authority.file());
        command.envs(environment.iter().copied());
        command
    }

    /// Runs it. Neither a secret of the tenant nor one of the proxy may be in what it prints.
    fn run(&mut self, arguments: &[&str], environment: &[(&str, &str)]) -> Run {
        let command = self.command(arguments, environment);
        let run = self.tenant.silent(command);
        for canary in [USER, PASSWORD, "proxy-pass-word", SENT] {
            assert!(!run.out.contains(canary) && !run.err.contains(canary), "{canary} is in {run:?}");
        }
        run
    }

    /// Runs it, and interrupts it while it waits for what may still arrive: this is no tenant on loopback, where that is a minute.
    #[cfg(unix)]
    fn left_in_doubt(&mut self, mut command: Command) -> Run {
        use rustix::process::{Pid, Signal, kill_process};
        let piped = command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
        let child = piped.spawn().expect("it runs");
        super::until(|| self.run(&["status", "--json"], &[]).json()[0]["state"] == "in_doubt");
        let pid = Pid::from_raw(i32::try_from(child.id()).expect("a pid")).expect("a pid");
        kill_process(pid, Signal::INT).expect("a signal");
        super::process::run_of(&child.wait_with_output().expect("it ends"))
    }

    /// Runs it through a proxy that has to be signed in to.
    fn through(&mut self, proxy: &Proxy, arguments: &[&str]) -> Run {
        let url = format!("http://{USER}:{PASSWORD}@{}", proxy.address);
        self.run(arguments, &[("HTTPS_PROXY", &url)])
    }
}

#[test]
fn through_a_proxy_all_works_and_it_is_signed_in_to() {
    let mut far = Far::new();
    let proxy = far.proxy(|_| Does::Connects);
    let run = far.through(&proxy, &["list"]);
    assert_eq!(run.code, 0, "{}", run.err);
    assert!(run.out.contains("Billing API"), "{}", run.out);
    let old = far.tenant.running.secret_of(BILLING);
    let run = far.through(&proxy, &["rotate", BILLING, "--now", "--yes"]);
    assert_eq!((run.code, far.tenant.posts()), (0, 1), "{}", run.err);
    assert_ne!(far.tenant.running.secret_of(BILLING), old);
    let requests = proxy.requests();
    assert!(requests.len() >= 3, "one for each process, and one for the rotation alone: {requests:?}");
    let host = far.host();
    for request in requests {
        assert!(request.starts_with(&format!("CONNECT {host} HTTP/1.1\r\nHost: {host}\r\n")), "{request}");
        let request = request.to_lowercase();
        assert!(request.contains(&format!("\r\nproxy-authorization: basic {}\r\n", SENT.to_lowercase())), "{request}");
        assert!(!request.contains("\r\nauthorization:") && !request.contains("bearer"), "{request}");
    }
}

#[test]
fn each_variable_is_honoured_and_named() {
    let mut far = Far::new();
    let proxy = far.proxy(|_| Does::Answers("407 Proxy Authentication Required"));
    let address = proxy.address.to_string();
    for variable in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
        for value in [format!("http://{address}"), address.clone()] {
            let run = far.run(&["list"], &[(variable, &value)]);
            assert_eq!(run.code, 10, "{}", run.err);
            let what = format!("{} cannot be reached: the proxy {address} asks for credentials (HTTP 407)", far.host());
            assert!(run.err.contains(&what), "{}", run.err);
            let hint = format!(
                "{variable} names the proxy {address}. Write user and password into {variable}: http://USER:PASSWORD@{address}"
            );
            assert!(run.err.contains(&hint), "{}", run.err);
        }
    }
    assert_eq!(proxy.requests().len(), 8, "a proxy that refuses is asked once");
    assert!(far.tenant.running.requests().is_empty());
}

#[test]
fn exceptions_and_loopback_go_round_the_proxy() {
    let mut far = Far::new();
    let proxy = far.proxy(|_| Does::Connects);
    let address = proxy.address.to_string();
    for variable in ["NO_PROXY", "no_proxy"] {
        // The name leads nowhere, so nothing is found without the proxy; the resolver is told not to take long over it.
        let run = far.run(
            &["list"],
            &[("HTTPS_PROXY", &address), (variable, "other.example,.example"), ("RES_OPTIONS", "timeout:1 attempts:1")],
        );
        assert_eq!(run.code, 10, "{}", run.err);
        assert!(
            run.err.contains(&format!("{} cannot be reached: its name cannot be resolved", far.host())),
            "{}",
            run.err
        );
        assert!(run.err.contains("Check the domain") && run.err.contains("set HTTPS_PROXY"), "{}", run.err);
    }
    let mut near = Tenant::demo();
    let mut command = near.command(near.running.token(), &["list"]);
    command.env("HTTPS_PROXY", &address).env("HTTP_PROXY", &address).env("ALL_PROXY", &address);
    assert_eq!(near.silent(command).code, 0);
    assert_eq!(proxy.requests(), Vec::<String>::new());
}

#[test]
fn a_proxy_that_cannot_be_used_is_not_passed_over() {
    let mut far = Far::new();
    for (value, what, hint) in [
        (
            "ftp://127.0.0.1:1",
            "HTTPS_PROXY holds no address of a proxy",
            "Write HTTPS_PROXY as http://HOST:PORT, or unset it.",
        ),
        (
            "socks5h://proxy-user:proxy-pass%2Dword@127.0.0.1:1",
            "the proxy 127.0.0.1:1 is of a kind that is not supported: socks5h",
            "HTTPS_PROXY names the proxy 127.0.0.1:1. Use an http:// or https:// proxy, or name tenant.example in NO_PROXY",
        ),
    ] {
        let run = far.run(&["list"], &[("HTTPS_PROXY", value)]);
        assert_eq!(run.code, 10, "{}", run.err);
        assert!(run.err.contains(what) && run.err.contains(hint), "{}", run.err);
    }
    assert!(far.tenant.running.requests().is_empty());
}

/// Nothing went to the tenant: what the proxy does, what is said of it, and what to try.
const BEFORE: [(Does, &str, &str); 11] = [
    (
        Does::EndsAtOnce,
        "the proxy {proxy} ended the connection instead of answering",
        "Is that the address of a proxy?",
    ),
    (
        Does::EndsInRequest,
        "the proxy {proxy} ended the connection instead of answering",
        "Is that the address of a proxy?",
    ),
    (
        Does::EndsUnanswered,
        "the proxy {proxy} ended the connection instead of answering",
        "Else name tenant.example in NO_PROXY to go there directly",
    ),
    (
        Does::EndsInAnswer,
        "the proxy {proxy} ended the connection instead of answering",
        "Is that the address of a proxy?",
    ),
    (
        Does::Answers("407 Proxy Authentication Required"),
        "the proxy {proxy} refuses its credentials (HTTP 407)",
        "Check the user and the password in HTTPS_PROXY",
    ),
    (
        Does::Answers("403 Forbidden"),
        "the proxy {proxy} refuses the connection (HTTP 403)",
        "It must be allowed to connect to {host}: ask whoever runs it",
    ),
    (
        Does::Answers("502 Bad Gateway"),
        "the proxy {proxy} refuses the connection (HTTP 502)",
        "It could not reach {host}: check the domain, or ask whoever runs it",
    ),
    (
        Does::Answers("504 Gateway Timeout"),
        "the proxy {proxy} refuses the connection (HTTP 504)",
        "It could not reach {host}: check the domain, or ask whoever runs it",
    ),
    (
        Does::Answers("302 Found\r\nlocation: https://elsewhere.example/"),
        "the proxy {proxy} refuses the connection (HTTP 302)",
        "It must be allowed to connect to {host}",
    ),
    (
        Does::EndsAfterYes,
        "cannot be reached through the proxy {proxy}: the connection ended before it was secure",
        "Something between here and {host} may cut such connections. HTTPS_PROXY names the proxy {proxy}",
    ),
    (
        Does::EndsInHandshake,
        "cannot be reached through the proxy {proxy}: the connection ended before it was secure",
        "Something between here and {host} may cut such connections",
    ),
];

#[test]
fn a_proxy_that_dies_before_the_request_has_changed_nothing() {
    let mut far = Far::new();
    let (host, old) = (far.host(), far.tenant.running.secret_of(BILLING));
    let check = |run: &Run, proxy: &Proxy, message: &str, hint: &str| {
        let fill = |text: &str| text.replace("{proxy}", &proxy.address.to_string()).replace("{host}", &host);
        assert_eq!(run.code, 10, "{message}: {}", run.err);
        assert!(run.err.contains(&format!("{host} cannot be reached")), "{}", run.err);
        assert!(run.err.contains(&fill(message)), "{message}: {}", run.err);
        assert!(run.err.contains(&fill("HTTPS_PROXY names the proxy {proxy}.")), "{message}: {}", run.err);
        assert!(run.err.contains(&fill(hint)), "{hint}: {}", run.err);
    };
    for (does, message, hint) in BEFORE {
        let proxy = far.proxy(move |_| does);
        let run = far.through(&proxy, &["list"]);
        check(&run, &proxy, message, hint);
        assert!(far.tenant.running.requests().is_empty(), "{does:?}");
    }
    for (does, message, hint) in BEFORE {
        // The reads before it go through; the connection of the rotation itself is the second.
        let proxy = far.proxy(move |number| if number == 0 { Does::Connects } else { does });
        let run = far.through(&proxy, &["rotate", BILLING, "--now", "--yes"]);
        check(&run, &proxy, message, hint);
        assert_eq!((far.tenant.posts(), far.tenant.running.secret_of(BILLING)), (0, old.clone()), "{does:?}");
    }
}

#[test]
fn a_proxy_that_is_gone_is_named() {
    let mut far = Far::new();
    let old = far.tenant.running.secret_of(BILLING);
    let proxy = far.proxy(|_| Does::ConnectsAndLeaves);
    let run = far.through(&proxy, &["rotate", BILLING, "--now", "--yes"]);
    let what = |proxy: &Proxy| format!("the proxy {} cannot be reached: connection refused", proxy.address);
    assert_eq!(run.code, 10, "{}", run.err);
    assert!(run.err.contains(&what(&proxy)), "{}", run.err);
    assert_eq!((far.tenant.posts(), far.tenant.running.secret_of(BILLING)), (0, old));
    // By now nobody accepts a connection there at all.
    let run = far.through(&proxy, &["list"]);
    assert_eq!(run.code, 10, "{}", run.err);
    assert!(
        run.err.contains(&what(&proxy))
            && run.err.contains("Check that address, and that it runs; name tenant.example in NO_PROXY"),
        "{}",
        run.err
    );
}

#[test]
fn a_proxy_that_speaks_no_tls_itself_is_told_from_one_that_does() {
    let mut far = Far::new();
    let proxy = far.proxy(|_| Does::EndsInRequest);
    let run = far.run(&["list"], &[("HTTPS_PROXY", &format!("https://{}", proxy.address))]);
    assert_eq!(run.code, 10, "{}", run.err);
    let what = format!("the proxy {} cannot be reached: the connection ended before it was secure", proxy.address);
    assert!(run.err.contains(&what), "{}", run.err);
    assert!(run.err.contains("Does it speak TLS itself? If not, write http:// in HTTPS_PROXY."), "{}", run.err);
}

#[test]
fn a_proxy_that_dies_after_the_request_leaves_a_read_to_be_tried_again() {
    for does in [Does::KeepsRequest, Does::KeepsAnswer, Does::CutsAnswer] {
        let mut far = Far::new();
        let proxy = far.proxy(move |number| if number == 0 { does } else { Does::Connects });
        let run = far.through(&proxy, &["list"]);
        assert_eq!(run.code, 0, "{does:?}: {}", run.err);
        assert!(run.out.contains("Billing API"), "{}", run.out);
        assert_eq!(proxy.requests().len(), 2, "{does:?}");
    }
}

#[test]
#[cfg(unix)]
fn a_proxy_that_dies_after_the_request_leaves_a_rotation_in_doubt() {
    for (does, arrives) in [(Does::KeepsRequest, 0), (Does::KeepsAnswer, 1), (Does::CutsAnswer, 1)] {
        let mut far = Far::new();
        let old = far.tenant.running.secret_of(BILLING);
        let proxy = far.proxy(move |number| if number == 1 { does } else { Does::Connects });
        let url = format!("http://{USER}:{PASSWORD}@{}", proxy.address);
        let command = far.command(&["rotate", BILLING, "--now", "--yes", "--json"], &[("HTTPS_PROXY", &url)]);
        let run = if arrives == 1 { far.tenant.silent(command) } else { far.left_in_doubt(command) };
        assert_eq!(far.tenant.posts(), arrives, "{does:?}: it is sent once: {}", run.err);
        let rotated = far.tenant.running.secret_of(BILLING) != old;
        assert_eq!(rotated, arrives == 1, "{does:?}");
        // A read settles it where the secret has changed; where it has not, the request may still be on its way.
        assert_eq!(run.code, if rotated { 0 } else { 6 }, "{does:?}: {}", run.err);
        if !rotated {
            assert_eq!(run.error()["kind"], "in_doubt");
            let status = far.run(&["status", "--json"], &[]).json();
            let why = status[0]["detail"].as_str().expect("a reason");
            let broke = format!("the connection to {} through the proxy {} broke", far.host(), proxy.address);
            assert!(why.contains(&broke), "{why}");
        }
    }
}

#[test]
fn whoever_looks_into_tls_is_not_trusted() {
    let mut far = Far::new();
    let proxy = far.proxy(|_| Does::Connects);
    let other = Authority::new("another authority");
    let run = far.run(
        &["list"],
        &[("HTTPS_PROXY", &proxy.address.to_string()), ("SSL_CERT_FILE", other.file().to_str().expect("a path"))],
    );
    assert_eq!(run.code, 10, "{}", run.err);
    assert!(run.err.contains("no authority that is trusted here vouches for its certificate"), "{}", run.err);
    assert!(run.err.contains("set `ca_file` in config.toml"), "{}", run.err);
    let nothing = far.tenant.home.path().join("nothing.pem");
    std::fs::write(&nothing, "").expect("a file");
    let run = far.run(
        &["list"],
        &[("HTTPS_PROXY", &proxy.address.to_string()), ("SSL_CERT_FILE", nothing.to_str().expect("a path"))],
    );
    assert_eq!(run.code, 10, "{}", run.err);
    assert!(run.err.contains("this machine has no certificate authorities to trust"), "{}", run.err);
    assert!(run.err.contains("the package ca-certificates"), "{}", run.err);
    assert!(far.tenant.running.requests().is_empty());
}

#[test]
fn the_audience_behind_another_name_is_set_apart() {
    let mut far = Far::new();
    let proxy = far.proxy(|_| Does::Connects);
    let audience = format!("{}/api/v2/", far.tenant.running.url());
    let (id, secret) = (far.tenant.running.client_id().to_owned(), far.tenant.running.client_secret().to_owned());
    let address = proxy.address.to_string();
    let credentials = [
        ("AUTH0_API_TOKEN", ""),
        ("AUTH0_CLIENT_ID", id.as_str()),
        ("AUTH0_CLIENT_SECRET", secret.as_str()),
        ("HTTPS_PROXY", address.as_str()),
    ];
    assert_ne!(far.run(&["list"], &credentials).code, 0, "the tenant's own audience is another");
    let command = {
        let mut command = far.command(&["list"], &credentials);
        command.env("AUTH0_AUDIENCE", &audience);
        command
    };
    let run = finish(command);
    assert_eq!(run.code, 0, "{}", run.err);
}
