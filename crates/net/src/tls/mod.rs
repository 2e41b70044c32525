//! TLS with rustls (RFC 9846, RFC 5246): what is offered, who verifies, what was seen. Two verifiers, three
//! ways in: [`Tls::strict`] and [`Tls::seal`] never go on without a verified certificate, [`Tls::observe`] goes on to look
//! and says whether it verified. TLS 1.3 and 1.2 only, no resumption, no early data, no renegotiation.

mod danger;
mod failure;
mod probe;
mod verify;
mod vouching;

pub(crate) use failure::alert_of;
pub(crate) use probe::SecureStream;
pub(crate) use vouching::Vouching;

use crate::clock::Clock;
use crate::error::NetError;
use rustls::client::{Resumption, WebPkiServerVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::{ClientConfig, RootCertStore};
use std::sync::Arc;
use verify::RequestFlag;
use waxseal_proto::tls::seen::Offer;
use waxseal_proto::x509::Roots;

/// ALPN for HTTP (RFC 7301 §6); SMTP has none.
const ALPN_HTTP: &[u8] = b"http/1.1";

/// Roots, clock and provider of a world.
#[derive(Debug)]
pub(crate) struct Tls {
    provider: Arc<CryptoProvider>,
    without_hybrid: Arc<CryptoProvider>,
    verifier: Arc<WebPkiServerVerifier>,
    roots: Arc<Roots>,
    clock: Clock,
}

impl Tls {
    /// TLS that trusts these roots.
    pub(crate) fn new(roots: Arc<Roots>, clock: Clock) -> Result<Self, NetError> {
        let provider = aws_lc_rs::default_provider();
        let mut classic = provider.clone();
        // X25519MLKEM768 makes the hello larger than one packet (RFC 10024 §1).
        classic.kx_groups = vec![
            aws_lc_rs::kx_group::X25519,
            aws_lc_rs::kx_group::SECP256R1,
            aws_lc_rs::kx_group::SECP384R1,
        ];
        let provider = Arc::new(provider);
        let store = RootCertStore { roots: roots.anchors().to_vec() };
        let verifier =
            WebPkiServerVerifier::builder_with_provider(Arc::new(store), Arc::clone(&provider))
                .build()
                .map_err(|error| NetError::Tls { problem: error.to_string() })?;
        Ok(Self { provider, without_hybrid: Arc::new(classic), verifier, roots, clock })
    }

    /// Fills a buffer with random octets.
    ///
    /// # Errors
    ///
    /// The operating system gave none.
    pub(crate) fn fill_random(&self, buffer: &mut [u8]) -> Result<(), NetError> {
        let problem = "no random octets to be had".to_owned();
        self.provider.secure_random.fill(buffer).map_err(|_| NetError::Tls { problem })
    }

    /// A configuration around one verifier. Session parameters are never kept: every handshake is a full
    /// one and shows its certificate.
    fn config(
        &self,
        verifier: Arc<dyn rustls::client::danger::ServerCertVerifier>,
        requested: &Arc<RequestFlag>,
        offer: Offer,
    ) -> Result<ClientConfig, rustls::Error> {
        let provider = match offer {
            Offer::SmallHello => &self.without_hybrid,
            Offer::Standard | Offer::WithoutSni => &self.provider,
        };
        let flag: Arc<RequestFlag> = Arc::clone(requested);
        let mut config =
            ClientConfig::builder_with_details(Arc::clone(provider), Arc::new(self.clock))
                .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])?
                .dangerous()
                .with_custom_certificate_verifier(verifier)
                .with_client_cert_resolver(flag);
        config.resumption = Resumption::disabled();
        config.enable_early_data = false;
        config.enable_sni = offer != Offer::WithoutSni;
        Ok(config)
    }
}
