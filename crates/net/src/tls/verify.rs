//! The strict verdict: rustls' own path building, dates, purpose and names (RFC 5280 §6, RFC 9525) over
//! the world's roots and clock, and a note of what was presented. It overrules nothing. The way in is
//! [`Recorder`]; a change must keep its answer that of rustls.

use rustls::client::ResolvesClientCert;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::sign::CertifiedKey;
use rustls::{DigitallySignedStruct, Error, SignatureScheme};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// What a server presented, and what rustls thinks of it.
#[derive(Clone, Debug, Default)]
pub(super) struct Presented {
    /// DER, as sent; `None` if the handshake did not get to the certificates.
    pub(super) chain: Option<Vec<Vec<u8>>>,
    /// The stapled OCSP response; empty if none.
    pub(super) ocsp_staple: Vec<u8>,
    /// The strict verdict was yes.
    pub(super) verified: bool,
}

/// Verifies strictly and remembers what was presented.
#[derive(Debug)]
pub(super) struct Recorder {
    strict: Arc<dyn ServerCertVerifier>,
    presented: Mutex<Presented>,
}

impl Recorder {
    pub(super) fn new(strict: Arc<dyn ServerCertVerifier>) -> Self {
        Self { strict, presented: Mutex::default() }
    }

    /// What was presented so far, also after a failed handshake.
    pub(super) fn presented(&self) -> Presented {
        self.presented.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl ServerCertVerifier for Recorder {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verdict = self.strict.verify_server_cert(
            end_entity,
            intermediates,
            server_name,
            ocsp_response,
            now,
        );
        let chain = std::iter::once(end_entity).chain(intermediates);
        *self.presented.lock().unwrap_or_else(PoisonError::into_inner) = Presented {
            chain: Some(chain.map(|certificate| certificate.as_ref().to_vec()).collect()),
            ocsp_staple: ocsp_response.to_vec(),
            verified: verdict.is_ok(),
        };
        verdict
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.strict.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.strict.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.strict.supported_verify_schemes()
    }
}

/// Notes that a CertificateRequest came (RFC 9846 §4.3.2); no client certificate is ever sent.
#[derive(Debug, Default)]
pub(super) struct RequestFlag(AtomicBool);

impl RequestFlag {
    pub(super) fn was_requested(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl ResolvesClientCert for RequestFlag {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.0.store(true, Ordering::Relaxed);
        None
    }

    fn has_certs(&self) -> bool {
        false
    }
}
