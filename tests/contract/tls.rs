//! Certificates and handshakes that are no good, and own authorities that are. The servers here count every byte that comes
//! after the handshake: where a connection is refused, that is none.
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use rcgen::{BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, KeyPair, date_time_ymd};
use rollover::auth0::{Api, Applied, Connection, Credentials, Error, ErrorKind};
use rollover::domain::Domain;
use rollover::sim::{Options, TlsOptions};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{AbortHandle, yield_now};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{self, ServerConfig, SupportedProtocolVersion};

use super::certificates::{Authority, Files, leaf};
use super::time::pass_until;
use super::{BILLING, assert_discreet, listed, secret, started};

const TOKEN: &str = "a-token-that-must-stay-here";
const SECRET: &str = "a-secret-that-must-stay-here";

/// What came of one connection.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Handled {
    /// There was no handshake.
    Refused,
    /// So many bytes came after the handshake.
    Secured(usize),
    /// These bytes came; there never was to be a handshake.
    Raw(Vec<u8>),
}

/// A server that keeps count. It stops when this is dropped.
struct Counting {
    port: u16,
    handled: Arc<Mutex<Vec<Handled>>>,
    server: AbortHandle,
}

impl Counting {
    async fn with<F: Future<Output = Handled> + Send + 'static>(
        handle: impl Fn(TcpStream) -> F + Send + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let handled = Arc::new(Mutex::new(Vec::new()));
        let all = Arc::clone(&handled);
        let server = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (all, handled) = (Arc::clone(&all), handle(stream));
                tokio::spawn(async move {
                    let handled = handled.await;
                    all.lock().expect("no panic before").push(handled);
                });
            }
        });
        Self { port, handled, server: server.abort_handle() }
    }

    /// Speaks TLS, and reads all that comes.
    async fn tls(files: &Files, versions: &[&'static SupportedProtocolVersion]) -> Self {
        let acceptor = acceptor(files, versions);
        Self::with(move |stream| {
            let accepting = acceptor.accept(stream);
            async move {
                let Ok(mut stream) = accepting.await else { return Handled::Refused };
                let mut bytes = Vec::new();
                // The end may be a rude one: what came before it counts.
                let _ = stream.read_to_end(&mut bytes).await;
                Handled::Secured(bytes.len())
            }
        })
        .await
    }

    /// Answers the first bytes with these, and ends.
    async fn raw(answer: &'static [u8]) -> Self {
        Self::with(move |mut stream| async move {
            let mut bytes = vec![0; 16 * 1024];
            let count = stream.read(&mut bytes).await.unwrap_or(0);
            bytes.truncate(count);
            let _ = stream.write_all(answer).await;
            let _ = stream.shutdown().await;
            let _ = stream.read_to_end(&mut bytes).await;
            Handled::Raw(bytes)
        })
        .await
    }

    /// Waits until so many connections have ended.
    async fn ended(&self, count: usize) -> Vec<Handled> {
        loop {
            let handled = self.handled.lock().expect("no panic before").clone();
            if handled.len() >= count {
                return handled;
            }
            yield_now().await;
        }
    }
}

impl Drop for Counting {
    fn drop(&mut self) {
        self.server.abort();
    }
}

fn acceptor(files: &Files, versions: &[&'static SupportedProtocolVersion]) -> TlsAcceptor {
    let chain: Vec<_> = CertificateDer::pem_file_iter(&files.certificate).expect("a file").collect();
    let chain = chain.into_iter().collect::<Result<_, _>>().expect("certificates");
    let key = PrivateKeyDer::from_pem_file(&files.key).expect("a key");
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .with_protocol_versions(versions)
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .expect("a configuration");
    TlsAcceptor::from(Arc::new(config))
}

/// A certificate that vouches for itself.
fn self_signed(authority: bool) -> (tempfile::TempDir, Files) {
    let key = KeyPair::generate().expect("a key");
    let mut own = leaf(&["localhost"]);
    if authority {
        // As `openssl req -x509` makes them.
        own.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    }
    let folder = tempfile::tempdir().expect("a folder");
    let files = Files { certificate: folder.path().join("leaf.pem"), key: folder.path().join("key.pem") };
    std::fs::write(&files.certificate, own.self_signed(&key).expect("a certificate").pem()).expect("a file");
    std::fs::write(&files.key, key.serialize_pem()).expect("a file");
    (folder, files)
}

fn trusting(url: &str, ca_file: Option<PathBuf>, credentials: Credentials) -> Api {
    let domain = Domain::parse(url).expect("a domain");
    Api::new(Connection { ca_file, ..Connection::new(domain, credentials) }).expect("an API client")
}

/// What comes of a rotation, of a read and of signing in: each must fail before a byte of a request.
async fn refused(url: &str, ca_file: Option<&Path>) -> Error {
    let api = || trusting(url, ca_file.map(Path::to_owned), Credentials::Token(secret(TOKEN)));
    let own = Credentials::ClientSecret { client_id: "us".to_owned(), secret: secret(SECRET), previous: None };
    let signing = trusting(url, ca_file.map(Path::to_owned), own);
    let mut last = None;
    for result in [
        api().client_secret(BILLING).await.map(drop),
        signing.session().await.map(drop),
        api().rotate_secret(BILLING, "an-id").await.map(drop),
    ] {
        let error = result.expect_err("refused");
        assert_eq!((&error.kind, error.applied, error.status), (&ErrorKind::Unreachable, Applied::No, None), "{error}");
        assert_discreet(&error, &[TOKEN.to_owned(), SECRET.to_owned()]);
        last = Some(error);
    }
    last.expect("three errors")
}

fn assert_says(error: &Error, message: &str, hint: &str) {
    assert!(error.message.raw().contains(message), "`{message}` is not in: {error}");
    assert!(error.message.raw().starts_with("localhost:") || error.message.raw().starts_with("127.0.0.1:"), "{error}");
    assert!(error.hint.contains(hint), "`{hint}` is not in: {}", error.hint);
}

const UNKNOWN: &str = "no authority that is trusted here vouches for its certificate";

/// A leaf with something about it.
fn changed(names: &[&str], change: impl FnOnce(&mut CertificateParams)) -> CertificateParams {
    let mut leaf = leaf(names);
    change(&mut leaf);
    leaf
}

#[tokio::test]
async fn a_certificate_that_is_no_good_ends_it_before_a_byte_of_the_request() {
    let ours = Authority::new("ours");
    let cases = [
        (
            "expired",
            changed(&["localhost"], |leaf| leaf.not_after = date_time_ymd(2024, 2, 29)),
            "its certificate has expired on 2024-02-29",
            "Check the clock of this machine; if it is right, the certificate",
        ),
        (
            "not valid yet",
            changed(&["localhost"], |leaf| leaf.not_before = date_time_ymd(2999, 12, 31)),
            "its certificate is not valid yet before 2999-12-31",
            "Check the clock of this machine: it may be slow",
        ),
        (
            "another name",
            leaf(&["elsewhere.example", "*.auth0.example"]),
            "its certificate is for elsewhere.example, *.auth0.example",
            "Check the domain: is localhost:",
        ),
        (
            "not for servers",
            changed(&["localhost"], |leaf| leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth]),
            "certificate",
            "Check the domain",
        ),
    ];
    for (name, leaf, message, hint) in cases {
        for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
            let server = Counting::tls(&ours.sign(&leaf), &[version]).await;
            let error = refused(&format!("https://localhost:{}", server.port), Some(&ours.file())).await;
            assert_says(&error, message, hint);
            assert_eq!(server.ended(3).await, vec![Handled::Refused; 3], "{name}");
        }
    }
    // The name is right, the address is what was asked for.
    let server = Counting::tls(&ours.sign(&leaf(&["localhost"])), rustls::ALL_VERSIONS).await;
    let error = refused(&format!("https://127.0.0.1:{}", server.port), Some(&ours.file())).await;
    assert_says(&error, "its certificate is for localhost", "Check the domain: is 127.0.0.1:");
    assert_eq!(server.ended(3).await, vec![Handled::Refused; 3]);
}

#[tokio::test]
async fn an_authority_that_is_not_known_ends_it_too() {
    let (ours, theirs, namesake) = (Authority::new("ours"), Authority::new("theirs"), Authority::new("ours"));
    let (_kept, plain) = self_signed(false);
    let (_kept_too, as_authority) = self_signed(true);
    let (unknown, forged) = (theirs.sign(&leaf(&["localhost"])), namesake.sign(&leaf(&["localhost"])));
    for (files, message) in
        [(&unknown, UNKNOWN), (&forged, UNKNOWN), (&plain, UNKNOWN), (&as_authority, "its certificate is self-signed")]
    {
        let server = Counting::tls(files, rustls::ALL_VERSIONS).await;
        let url = format!("https://localhost:{}", server.port);
        let path = ours.file();
        let named = format!("Nor does `ca_file`, {}: it must hold the authority", path.display());
        assert_says(&refused(&url, Some(&path)).await, message, &named);
        assert_says(
            &refused(&url, None).await,
            message,
            "set `ca_file` in config.toml to the PEM file of its authority",
        );
        assert_eq!(server.ended(6).await, vec![Handled::Refused; 6]);
    }
}

/// A `ServerHello` of TLS 1.1, which chooses `TLS_RSA_WITH_AES_128_CBC_SHA`.
const HELLO_1_1: &[u8] = &[
    22, 3, 2, 0, 42, 2, 0, 0, 38, 3, 2, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22,
    23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 0, 0, 47, 0,
];

#[tokio::test]
async fn a_handshake_that_goes_wrong_ends_it_too() {
    let ours = Authority::new("ours");
    let version = ("it speaks no TLS of version 1.2 or later", "TLS 1.2 is the least that is accepted");
    let ended = ("the connection ended before it was secure", "may cut such connections");
    let other = ("what answers there does not speak TLS", "Check the domain and its port");
    // No library here speaks TLS 1.1: these are the bytes that such a server answers with.
    for (name, answer, (message, hint)) in [
        ("the alert protocol_version", &[21, 3, 1, 0, 2, 2, 70][..], version),
        ("a ServerHello of TLS 1.1", HELLO_1_1, version),
        ("closed at once", b"", ended),
        ("half a ServerHello", &HELLO_1_1[..20], ended),
        ("half the header of a record", &HELLO_1_1[..3], ended),
        ("plain HTTP", b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n", other),
        ("HTML", b"<html><body>Sign in to this network</body></html>\r\n", other),
        ("another protocol", b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n", other),
        ("another alert", &[21, 3, 3, 0, 2, 2, 40], ("HandshakeFailure", "what stands between here and localhost:")),
    ] {
        let server = Counting::raw(answer).await;
        let error = refused(&format!("https://localhost:{}", server.port), Some(&ours.file())).await;
        assert_says(&error, message, hint);
        for handled in server.ended(3).await {
            let Handled::Raw(bytes) = handled else { panic!("{name}: {handled:?}") };
            let text = String::from_utf8_lossy(&bytes);
            assert!(!text.contains(TOKEN) && !text.contains(SECRET) && !text.contains("HTTP/"), "{name}: {text}");
        }
    }
}

#[tokio::test]
async fn a_handshake_that_nobody_answers_is_given_up_after_ten_seconds() {
    let (told, mut began) = tokio::sync::watch::channel(0);
    let server = Counting::with(move |mut stream| {
        let told = told.clone();
        async move {
            let mut bytes = [0; 16 * 1024];
            let count = stream.read(&mut bytes).await.unwrap_or(0);
            told.send_modify(|seen| *seen += count);
            let mut rest = Vec::new();
            let _ = stream.read_to_end(&mut rest).await;
            Handled::Raw(rest)
        }
    })
    .await;
    let url = format!("https://localhost:{}", server.port);
    let ours = Authority::new("ours");
    let api = trusting(&url, Some(ours.file()), Credentials::Token(secret(TOKEN)));
    let rotation = tokio::spawn(async move { api.rotate_secret(BILLING, "an-id").await });
    began.wait_for(|seen| *seen > 0).await.expect("a handshake that begins");
    let took = pass_until(|| rotation.is_finished()).await;
    let error = rotation.await.expect("it ended").expect_err("no answer");
    assert_eq!((&error.kind, error.applied), (&ErrorKind::Unreachable, Applied::No));
    assert_says(&error, "no connection within 10 s", "Check the network and firewalls");
    assert!((9..=12).contains(&took.as_secs()), "{took:?}");
    assert_eq!(server.ended(1).await, [Handled::Raw(Vec::new())], "nothing after the first words");
}

#[tokio::test]
async fn an_authority_in_ca_file_is_trusted() {
    let (ours, theirs) = (Authority::new("ours"), Authority::new("theirs"));
    let files = ours.sign(&leaf(&["localhost", "127.0.0.1"]));
    let tls = Some(TlsOptions::Files { certificate: files.certificate, key: files.key });
    let tenant = started(Options { tls, propagation: std::time::Duration::ZERO, ..Options::default() }).await;
    // A file of several authorities, with text around them, as distributions keep them.
    let several = theirs.file().with_file_name("several.pem");
    let text =
        [theirs.file(), ours.file()].map(|path| std::fs::read_to_string(path).expect("a file")).join("\n# ours:\n");
    std::fs::write(&several, text).expect("a file");
    for file in [ours.file(), several] {
        let api = trusting(tenant.url(), Some(file), Credentials::Token(secret(tenant.token())));
        assert!(listed(&api).await.expect("a list").len() > 10);
        let new = api.rotate_secret(BILLING, "an-id").await.expect("rotated").expect("a secret");
        assert_eq!(Some(new.expose()), tenant.secret_of(BILLING).as_deref());
        let reach = api.reach().await.expect("reached");
        assert_eq!((reach.tls, reach.proxy), (Some("1.3"), None));
    }
    let before = tenant.requests().len();
    refused(tenant.url(), Some(&theirs.file())).await;
    assert_eq!(tenant.requests().len(), before);
}

#[tokio::test]
async fn tls_1_2_is_enough() {
    let ours = Authority::new("ours");
    let acceptor = acceptor(&ours.sign(&leaf(&["localhost"])), &[&rustls::version::TLS12]);
    let server = Counting::with(move |stream| {
        let accepting = acceptor.accept(stream);
        async move {
            let mut stream = accepting.await.expect("a handshake");
            let mut bytes = vec![0; 4096];
            let count = stream.read(&mut bytes).await.expect("a request");
            let answer = "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
            stream.write_all(answer.as_bytes()).await.expect("it is read");
            stream.shutdown().await.expect("an end");
            Handled::Secured(count)
        }
    })
    .await;
    let url = format!("https://localhost:{}", server.port);
    let reach = trusting(&url, Some(ours.file()), Credentials::Token(secret(TOKEN))).reach().await.expect("reached");
    assert_eq!((reach.status, reach.tls), (404, Some("1.2")));
}

#[tokio::test]
async fn a_ca_file_that_cannot_be_used_is_named_and_nothing_is_sent() {
    let server = Counting::raw(b"").await;
    let folder = tempfile::tempdir().expect("a folder");
    let authority = Authority::new("ours");
    let good = std::fs::read_to_string(authority.file()).expect("a file");
    let no_certificate = "there is no -----BEGIN CERTIFICATE----- in it";
    for (name, content, why) in [
        ("missing.pem", None, "No such file"),
        ("empty.pem", Some(String::new()), no_certificate),
        ("garbage.pem", Some("\0\u{1}not a certificate".to_owned()), no_certificate),
        ("key.pem", Some(good.replace("CERTIFICATE", "PRIVATE KEY")), no_certificate),
        ("cut.pem", Some(good[..good.len() / 2].to_owned()), "cannot be used"),
        (
            "inside.pem",
            Some("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".to_owned()),
            "BadEncoding",
        ),
    ] {
        let path = folder.path().join(name);
        if let Some(content) = content {
            std::fs::write(&path, content).expect("a file");
        }
        let error = refused(&format!("https://localhost:{}", server.port), Some(&path)).await;
        assert_says(
            &error,
            &path.display().to_string(),
            &format!("`ca_file` is {}: it must be a PEM file", path.display()),
        );
        assert_says(&error, why, "");
    }
    assert!(server.handled.lock().expect("no panic before").is_empty());
}
