//! The operator's own certificate files: a chain in PEM, leaf first, and its key. They are read at the start and
//! again when the program is told to; connections that stand keep what they have.

use crate::cli::error::CliError;
use crate::cli::input::read_at_most;
use crate::limits::SERVER_FILE_OCTETS_MAX;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use tokio_rustls::TlsAcceptor;

/// What connections are accepted with now, and where it comes from.
pub(crate) struct Certificates {
    chain: PathBuf,
    key: PathBuf,
    current: RwLock<TlsAcceptor>,
}

impl Certificates {
    /// Reads both files.
    ///
    /// # Errors
    /// Files that cannot be read, hold no certificate or no key, or do not belong together.
    pub(crate) fn read(chain: &Path, key: &Path) -> Result<Arc<Self>, CliError> {
        let current = RwLock::new(acceptor(chain, key)?);
        Ok(Arc::new(Self { chain: chain.to_owned(), key: key.to_owned(), current }))
    }

    /// Reads them again. With an error everything stays as it was.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub(crate) fn reload(&self) -> Result<(), CliError> {
        let new = acceptor(&self.chain, &self.key)?;
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = new;
        Ok(())
    }

    /// For the next connection.
    pub(super) fn acceptor(&self) -> TlsAcceptor {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn acceptor(chain: &Path, key: &Path) -> Result<TlsAcceptor, CliError> {
    let wrong = |path: &Path, why: &dyn std::fmt::Display| {
        CliError::usage(format!("{}: {why}", path.display()))
    };
    let octets = read_at_most(chain, SERVER_FILE_OCTETS_MAX)?;
    let certificates = CertificateDer::pem_slice_iter(&octets)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| wrong(chain, &error))?;
    if certificates.is_empty() {
        return Err(wrong(chain, &"no certificate in PEM form"));
    }
    let octets = read_at_most(key, SERVER_FILE_OCTETS_MAX)?;
    let key_der = PrivateKeyDer::from_pem_slice(&octets)
        .map_err(|_| wrong(key, &"no private key in PEM form"))?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| wrong(chain, &error))?
        .with_no_client_auth()
        .with_single_cert(certificates, key_der)
        .map_err(|error| wrong(chain, &error))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}
