use std::fs;
use std::io::Write as _;
#[cfg(unix)]
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// Where the certificate comes from.
#[derive(Clone, Debug)]
pub enum TlsOptions {
    /// Make a certificate authority and a certificate for `localhost` and `127.0.0.1`.
    Generate,
    /// Use these PEM files.
    Files {
        /// The certificate, with the chain that belongs to it.
        certificate: PathBuf,
        /// Its private key.
        key: PathBuf,
    },
}

type Made = (TlsAcceptor, Option<PathBuf>);

/// An acceptor, and the file of the authority that clients must trust, where one was made.
pub(super) fn acceptor(options: &TlsOptions) -> Result<Made, String> {
    match options {
        TlsOptions::Generate => {
            let (authority, chain, key) = generate().map_err(|error| error.to_string())?;
            let path =
                store(&authority).map_err(|error| format!("the authority's certificate cannot be stored: {error}"))?;
            Ok((with(chain, key)?, Some(path)))
        }
        TlsOptions::Files { certificate, key } => {
            let chain = CertificateDer::pem_file_iter(certificate)
                .and_then(Iterator::collect)
                .map_err(|error| format!("{}: {error}", certificate.display()))?;
            let key = PrivateKeyDer::from_pem_file(key).map_err(|error| format!("{}: {error}", key.display()))?;
            Ok((with(chain, key)?, None))
        }
    }
}

fn with(chain: Vec<CertificateDer<'static>>, key: PrivateKeyDer<'static>) -> Result<TlsAcceptor, String> {
    let config =
        ServerConfig::builder_with_provider(Arc::new(tokio_rustls::rustls::crypto::aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
            .map_err(|error| error.to_string())?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

type Generated = (String, Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

fn generate() -> Result<Generated, rcgen::Error> {
    let authority_key = KeyPair::generate()?;
    let mut authority = CertificateParams::new(Vec::new())?;
    authority.distinguished_name.push(rcgen::DnType::CommonName, "rollover pretend tenant");
    authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let authority_certificate = authority.self_signed(&authority_key)?;
    let issuer = Issuer::new(authority, authority_key);
    let key = KeyPair::generate()?;
    let mut leaf = CertificateParams::new(vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()])?;
    leaf.distinguished_name.push(rcgen::DnType::CommonName, "localhost");
    leaf.use_authority_key_identifier_extension = true;
    leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    leaf.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ServerAuth];
    let certificate = leaf.signed_by(&key, &issuer)?;
    let key = PrivateKeyDer::try_from(key.serialize_der()).map_err(|_| rcgen::Error::CouldNotParseKeyPair)?;
    Ok((authority_certificate.pem(), vec![certificate.der().clone()], key))
}

/// Puts the authority's certificate into a folder of its own. It is no secret, but what a client trusts must not be
/// for others to change.
fn store(pem: &str) -> std::io::Result<PathBuf> {
    let folder = std::env::temp_dir().join(format!("rollover-sim-{}", super::tenant::letters(12)));
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    builder.mode(0o700);
    builder.create(&folder)?;
    let path = Path::new(&folder).join("ca.pem");
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    options.mode(0o600);
    options.open(&path)?.write_all(pem.as_bytes())?;
    Ok(path)
}
