//! Certificate authorities of a test's own.
use std::fs;
use std::path::PathBuf;

use rcgen::{BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair};
use tempfile::TempDir;

/// An authority, with a folder for its files.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    folder: TempDir,
}

/// A certificate and its key, in files.
pub struct Files {
    /// PEM.
    pub certificate: PathBuf,
    /// PEM.
    pub key: PathBuf,
}

/// A certificate for these names, not signed yet.
pub fn leaf(names: &[&str]) -> CertificateParams {
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    let mut leaf = CertificateParams::new(names).expect("names");
    leaf.distinguished_name.push(DnType::CommonName, "a pretend tenant");
    leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    leaf
}

impl Authority {
    /// A new one, which nobody knows yet.
    pub fn new(name: &str) -> Self {
        let key = KeyPair::generate().expect("a key");
        let mut own = CertificateParams::new(Vec::new()).expect("no names");
        own.distinguished_name.push(DnType::CommonName, name);
        own.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let folder = TempDir::new().expect("a folder");
        fs::write(folder.path().join("ca.pem"), own.self_signed(&key).expect("a certificate").pem()).expect("a file");
        Self { issuer: Issuer::new(own, key), folder }
    }

    /// Its certificate, PEM.
    pub fn file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// Signs a certificate, and puts it into files.
    pub fn sign(&self, leaf: &CertificateParams) -> Files {
        let key = KeyPair::generate().expect("a key");
        let signed = leaf.signed_by(&key, &self.issuer).expect("a certificate");
        let files = Files { certificate: self.folder.path().join("leaf.pem"), key: self.folder.path().join("key.pem") };
        fs::write(&files.certificate, signed.pem()).expect("a file");
        fs::write(&files.key, key.serialize_pem()).expect("a file");
        files
    }
}
