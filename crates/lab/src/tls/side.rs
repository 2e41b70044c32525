//! The full TLS server behind a behaviour: rustls limited to the versions, groups and suites asked for, with
//! certificates by recipe (RFC 8446, RFC 6066 §3 for server names).
//! Hand-made answers are in `raw_tls`. The way in: [`TlsSide::new`].

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::{ClientHello, ResolvesServerCert, WebPkiClientVerifier};
use rustls::sign::CertifiedKey;
use rustls::{RootCertStore, ServerConfig, SupportedProtocolVersion};

use super::behaviour::TlsBehaviour;
use crate::authority::{Authority, AuthorityError, Issued, Recipe};

/// Everything one server needs to speak TLS.
#[derive(Debug)]
pub(crate) struct TlsSide {
    /// The full server.
    pub(crate) config: Arc<ServerConfig>,
    /// The first certificate, for hand-made answers.
    pub(crate) issued: Issued,
    host: String,
    now: i64,
    root: CertificateDer<'static>,
    vouched: OnceLock<bool>,
}

/// Why a TLS side could not be built.
#[derive(Debug, thiserror::Error)]
pub enum TlsSideError {
    /// A certificate could not be made.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
    /// The TLS library refused the settings.
    #[error("TLS settings: {0}")]
    Settings(#[from] rustls::Error),
    /// A name the library does not know.
    #[error("unknown TLS {kind} {name:?}")]
    Unknown {
        /// version, group or suite.
        kind: &'static str,
        /// As written in the scenario.
        name: String,
    },
    /// The client verifier could not be built.
    #[error("client certificates: {0}")]
    ClientVerifier(String),
}

/// For whom a TLS side is built.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'a> {
    /// The host's name.
    pub(crate) host: &'a str,
    /// Which of the host's addresses.
    pub(crate) address: usize,
    /// Seconds since 1970.
    pub(crate) now: i64,
}

impl TlsSide {
    /// Builds the server for one address of a host.
    pub(crate) fn new(
        behaviour: &TlsBehaviour,
        authority: &Authority,
        place: Place<'_>,
    ) -> Result<Self, TlsSideError> {
        let issue = |recipe: &Recipe| authority.issue(recipe, place.host, place.now);
        let first = behaviour
            .certificate_per_address
            .get(&place.address.to_string())
            .unwrap_or(&behaviour.certificate);
        let issued = issue(first)?;
        let second = behaviour.second_certificate.as_ref().map(issue).transpose()?;
        let default = behaviour.default_certificate.as_ref().map(issue).transpose()?;
        let resolver = Certificates {
            first: certified(&issued),
            second: second.as_ref().map(certified),
            default: default.as_ref().map(certified),
        };
        let versions = versions(&behaviour.versions)?;
        let builder = ServerConfig::builder_with_provider(Arc::new(provider(behaviour)?))
            .with_protocol_versions(&versions)?;
        let builder = if behaviour.client_certificate {
            builder.with_client_cert_verifier(client_verifier(authority.root_der())?)
        } else {
            builder.with_no_client_auth()
        };
        let mut config = builder.with_cert_resolver(Arc::new(resolver));
        config.alpn_protocols =
            behaviour.alpn.iter().map(|name| name.clone().into_bytes()).collect();
        Ok(Self {
            config: Arc::new(config),
            issued,
            host: place.host.to_owned(),
            now: place.now,
            root: authority.root_der(),
            vouched: OnceLock::new(),
        })
    }

    /// Whether the first chain is good for the server's own name under the lab's root, by the verifier of
    /// rustls: what a test compares a client's own verdict with.
    pub(crate) fn is_vouched_for(&self) -> bool {
        *self.vouched.get_or_init(|| self.verify().unwrap_or(false))
    }

    fn verify(&self) -> Option<bool> {
        let mut roots = RootCertStore::empty();
        roots.add(self.root.clone()).ok()?;
        let provider = Arc::new(aws_lc_rs::default_provider());
        let verifier =
            WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build().ok()?;
        let (leaf, others) = self.issued.chain.split_first()?;
        let name = ServerName::try_from(self.host.as_str()).ok()?;
        let now = UnixTime::since_unix_epoch(Duration::from_secs(u64::try_from(self.now).ok()?));
        Some(verifier.verify_server_cert(leaf, others, &name, &[], now).is_ok())
    }
}

fn certified(issued: &Issued) -> Arc<CertifiedKey> {
    // `new` and not `from_der`: a key that does not fit the certificate is one of the faults.
    let mut key = CertifiedKey::new(issued.chain.clone(), Arc::clone(&issued.key));
    key.ocsp = Some(issued.staple.clone()).filter(|staple| !staple.is_empty());
    Arc::new(key)
}

fn versions(names: &[String]) -> Result<Vec<&'static SupportedProtocolVersion>, TlsSideError> {
    names
        .iter()
        .map(|name| match name.as_str() {
            "1.2" => Ok(&rustls::version::TLS12),
            "1.3" => Ok(&rustls::version::TLS13),
            _ => Err(TlsSideError::Unknown { kind: "version", name: name.clone() }),
        })
        .collect()
}

fn provider(behaviour: &TlsBehaviour) -> Result<CryptoProvider, TlsSideError> {
    let mut provider = aws_lc_rs::default_provider();
    if !behaviour.groups.is_empty() {
        provider.kx_groups = behaviour
            .groups
            .iter()
            .map(|name| {
                aws_lc_rs::ALL_KX_GROUPS
                    .iter()
                    .find(|group| format!("{:?}", group.name()).eq_ignore_ascii_case(name))
                    .copied()
                    .ok_or_else(|| TlsSideError::Unknown { kind: "group", name: name.clone() })
            })
            .collect::<Result<_, _>>()?;
    }
    if !behaviour.suites.is_empty() {
        provider.cipher_suites = behaviour
            .suites
            .iter()
            .map(|name| {
                let wanted = |suite: &&rustls::SupportedCipherSuite| {
                    format!("{:?}", suite.suite()).replace("TLS13_", "TLS_") == *name
                };
                aws_lc_rs::ALL_CIPHER_SUITES
                    .iter()
                    .find(wanted)
                    .copied()
                    .ok_or_else(|| TlsSideError::Unknown { kind: "suite", name: name.clone() })
            })
            .collect::<Result<_, _>>()?;
    }
    Ok(provider)
}

fn client_verifier(
    root: CertificateDer<'static>,
) -> Result<Arc<dyn rustls::server::danger::ClientCertVerifier>, TlsSideError> {
    let mut roots = RootCertStore::empty();
    roots.add(root)?;
    let provider = Arc::new(aws_lc_rs::default_provider());
    WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
        .build()
        .map_err(|error| TlsSideError::ClientVerifier(error.to_string()))
}

/// Chooses between the certificates of a server.
#[derive(Debug)]
struct Certificates {
    first: Arc<CertifiedKey>,
    second: Option<Arc<CertifiedKey>>,
    default: Option<Arc<CertifiedKey>>,
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        if let (None, Some(default)) = (hello.server_name(), &self.default) {
            return Some(Arc::clone(default));
        }
        let usable =
            |key: &Arc<CertifiedKey>| key.key.choose_scheme(hello.signature_schemes()).is_some();
        match &self.second {
            Some(second) if !usable(&self.first) => Some(Arc::clone(second)),
            Some(_) | None => Some(Arc::clone(&self.first)),
        }
    }
}
