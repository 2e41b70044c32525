//! Whom a delivery service must be vouched for by (RFC 8314 §3, RFC 9525): the roots of the world, the
//! authority of a private server, or pinned keys. The way in is
//! [`Tls::vouching`]. Keep: every choice refuses what it does not know, and signatures are always checked.

use super::Tls;
use crate::error::NetError;
use aws_lc_rs::{constant_time, digest};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use std::sync::Arc;
use waxseal_proto::x509::Roots;
use waxseal_send::attempt::Trust;

/// A verifier that refuses, ready for one connection.
#[derive(Clone, Debug)]
pub(crate) struct Vouching(Arc<dyn ServerCertVerifier>);

impl Vouching {
    pub(super) fn verifier(&self) -> Arc<dyn ServerCertVerifier> {
        Arc::clone(&self.0)
    }
}

impl Tls {
    /// The verifier of a connection.
    ///
    /// # Errors
    ///
    /// An authority that holds no usable certificate.
    pub(crate) fn vouching(&self, trust: &Trust) -> Result<Vouching, NetError> {
        Ok(Vouching(match trust {
            Trust::PublicRoots => Arc::clone(&self.verifier) as _,
            Trust::Authority(pem) => {
                let roots = Roots::from_pem(pem)
                    .map_err(|error| NetError::Roots { problem: error.to_string() })?;
                let store = RootCertStore { roots: roots.anchors().to_vec() };
                let provider = Arc::clone(&self.provider);
                WebPkiServerVerifier::builder_with_provider(Arc::new(store), provider)
                    .build()
                    .map_err(|error| NetError::Roots { problem: error.to_string() })?
            }
            Trust::PinnedKeys(keys) => {
                let provider = Arc::clone(&self.provider);
                Arc::new(PinnedKeys { keys: keys.clone(), provider })
            }
        }))
    }
}

/// Accepts these keys, by SHA-256, whatever certificate they come in.
#[derive(Debug)]
struct PinnedKeys {
    keys: Vec<[u8; 32]>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for PinnedKeys {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let key = ParsedCertificate::try_from(end_entity)?.subject_public_key_info();
        let shown = digest::digest(&digest::SHA256, key.as_ref());
        let is_pinned =
            |key: &[u8; 32]| constant_time::verify_slices_are_equal(shown.as_ref(), key).is_ok();
        if self.keys.iter().any(is_pinned) {
            return Ok(ServerCertVerified::assertion());
        }
        Err(Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
