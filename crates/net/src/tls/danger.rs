//! The observing verifier: it lets a handshake finish whatever the certificate is, in order to look at
//! the server (RFC 7435 §3 calls such a session unauthenticated). Its only caller is the probe
//! ([`super::Tls::observe`]), which carries no credential and no message, and sends nothing but QUIT when
//! the strict verdict was no; sending paths and the policy fetch never use it. A change must keep the
//! signature checks real: they prove that the peer holds the key of the certificate it shows.

use super::verify::Recorder;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::{DigitallySignedStruct, Error, SignatureScheme};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use std::sync::Arc;

/// Accepts any certificate; the strict verdict stays in the recorder.
#[derive(Debug)]
pub(super) struct Observer(pub(super) Arc<Recorder>);

impl ServerCertVerifier for Observer {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        // The recorder keeps the verdict; the probe reads it there.
        let _ =
            self.0.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}
