//! Whose word is taken for who a server is.

use std::fmt;
use std::path::{Path, PathBuf};

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

/// Certificate authorities.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Roots {
    /// Those that the operating system knows: `SSL_CERT_FILE` and `SSL_CERT_DIR` are honoured.
    System,
    /// Those in a file of PEM blocks, and no others.
    File(PathBuf),
}

/// There are no authorities to go by.
#[derive(Debug, thiserror::Error)]
pub enum BadRoots {
    /// The file is not there, or not for us to read.
    #[error("{} cannot be read: {error}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// The file has no certificates in it, or something else between them.
    #[error("{} holds no certificates in PEM form", path.display())]
    Content {
        /// Which.
        path: PathBuf,
    },
    /// The system has none.
    #[error("this system knows no certificate authorities; install ca-certificates or name a file")]
    System,
}

impl Roots {
    /// Reads them, now: a file that changes later is not noticed.
    ///
    /// # Errors
    /// When there is none.
    pub fn load(&self) -> Result<RootCertStore, BadRoots> {
        let mut roots = RootCertStore::empty();
        match self {
            Self::System => {
                // What the system cannot read or parse of its own is not for us to judge, as long
                // as something is left.
                let found = rustls_native_certs::load_native_certs();
                roots.add_parsable_certificates(found.certs);
                if roots.is_empty() {
                    return Err(BadRoots::System);
                }
            }
            Self::File(path) => {
                for certificate in certificates(path, &read(path)?)? {
                    roots
                        .add(certificate)
                        .map_err(|_| BadRoots::Content { path: path.clone() })?;
                }
            }
        }
        Ok(roots)
    }

    /// The PEM blocks of a file, for who parses them again; `None` for the system's.
    ///
    /// # Errors
    /// As [`Roots::load`].
    pub fn pem(&self) -> Result<Option<Vec<u8>>, BadRoots> {
        self.load()?;
        match self {
            Self::System => Ok(None),
            Self::File(path) => read(path).map(Some),
        }
    }
}

impl fmt::Display for Roots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::System => f.write_str("the system's authorities"),
            Self::File(path) => path.display().fmt(f),
        }
    }
}

fn read(path: &Path) -> Result<Vec<u8>, BadRoots> {
    std::fs::read(path).map_err(|error| BadRoots::File {
        path: path.to_owned(),
        error,
    })
}

fn certificates(path: &Path, pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, BadRoots> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    found
        .ok()
        .filter(|found| !found.is_empty())
        .ok_or_else(|| BadRoots::Content {
            path: path.to_owned(),
        })
}
