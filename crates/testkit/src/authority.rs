//! A certificate authority of a test's own.

use std::path::{Path, PathBuf};
use std::{fs, io};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose,
};

/// An authority whose certificate lies in a file; gone with its value.
#[derive(Debug)]
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    directory: PathBuf,
}

/// The files of a server.
#[derive(Debug)]
pub struct Identity {
    /// Its certificate, as PEM.
    pub certificate: PathBuf,
    /// The key to it, as PEM, readable for its owner only.
    pub key: PathBuf,
}

impl Authority {
    /// An authority that nobody knows yet.
    ///
    /// # Panics
    /// When its files cannot be written, as everywhere here.
    #[must_use]
    pub fn new() -> Self {
        let name = crate::random_name();
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let title = format!("authority {name}");
        params.distinguished_name.push(DnType::CommonName, title);
        let key = KeyPair::generate().unwrap();
        let issuer = CertifiedIssuer::self_signed(params, key).unwrap();
        let directory = std::env::temp_dir().join(format!("qt_test_{name}"));
        fs::create_dir(&directory).unwrap();
        fs::write(directory.join("ca.pem"), issuer.pem()).unwrap();
        Self { issuer, directory }
    }

    /// The file with its certificate.
    #[must_use]
    pub fn file(&self) -> String {
        self.directory.join("ca.pem").display().to_string()
    }

    /// Writes a certificate for a server of these names or addresses, and its key.
    #[must_use]
    pub fn identity(&self, names: &[&str]) -> Identity {
        let names: Vec<_> = names.iter().map(ToString::to_string).collect();
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(names)
            .unwrap()
            .signed_by(&key, &self.issuer)
            .unwrap();
        let name = crate::random_name();
        let files = Identity {
            certificate: self.directory.join(format!("{name}.pem")),
            key: self.directory.join(format!("{name}.key")),
        };
        fs::write(&files.certificate, certificate.pem()).unwrap();
        write_secret(&files.key, &key.serialize_pem()).unwrap();
        files
    }
}

impl Default for Authority {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Authority {
    fn drop(&mut self) {
        let _removed = fs::remove_dir_all(&self.directory);
    }
}

fn write_secret(path: &Path, text: &str) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::write(path, text)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600))
}
