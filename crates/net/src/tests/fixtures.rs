//! A throw-away authority, servers that follow a few lines of script, and worlds that lead to them.

use crate::{Limits, Settings, Simulation, Targets, World, ZoneFile};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::crypto::aws_lc_rs::{default_provider, sign::any_supported_type};
use rustls::server::{ClientHello, ResolvesServerCert, WebPkiClientVerifier};
use rustls::sign::CertifiedKey;
use rustls::{RootCertStore, ServerConfig, SupportedProtocolVersion};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

pub(super) const HOST: &str = "mx.example.com";

/// A root that exists for one test.
pub(super) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: rcgen::Certificate,
}

/// A chain and its key.
pub(super) struct Identity {
    pub(super) chain: Vec<CertificateDer<'static>>,
    pub(super) key: PrivateKeyDer<'static>,
}

impl Authority {
    pub(super) fn new() -> Self {
        Self::named("Test Authority")
    }

    pub(super) fn named(name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let certificate = params.self_signed(&key).unwrap();
        Self { issuer: Issuer::new(params, key), certificate }
    }

    pub(super) fn pem(&self) -> Vec<u8> {
        self.certificate.pem().into_bytes()
    }

    pub(super) fn identity(&self, name: &str) -> Identity {
        self.identity_until(name, 4096)
    }

    /// A chain whose leaf ends with that year's first day.
    pub(super) fn identity_until(&self, name: &str, year: i32) -> Identity {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.not_after = date_time_ymd(year, 1, 1);
        let leaf = params.signed_by(&key, &self.issuer).unwrap();
        let chain = vec![leaf.der().clone(), self.certificate.der().clone()];
        Identity { chain, key: PrivatePkcs8KeyDer::from(key.serialize_der()).into() }
    }
}

#[derive(Debug)]
struct Always(Arc<CertifiedKey>);

impl ResolvesServerCert for Always {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }
}

/// A TLS server; the key need not fit the chain.
pub(super) fn tls_server(
    identity: &Identity,
    versions: &[&'static SupportedProtocolVersion],
) -> ServerConfig {
    let key = any_supported_type(&identity.key).unwrap();
    let certified = Arc::new(CertifiedKey::new(identity.chain.clone(), key));
    ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_protocol_versions(versions)
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(Always(certified)))
}

/// A TLS server that wants a client certificate.
pub(super) fn tls_server_with_client_auth(authority: &Authority) -> ServerConfig {
    let mut roots = RootCertStore::empty();
    roots.add(authority.certificate.der().clone()).unwrap();
    let provider = Arc::new(default_provider());
    let verifier =
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
            .build()
            .unwrap();
    let identity = authority.identity(HOST);
    ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_client_cert_verifier(verifier)
        .with_single_cert(identity.chain, identity.key)
        .unwrap()
}

/// Serves every connection with `handler` until the test ends.
pub(super) async fn serve<F, W>(handler: F) -> SocketAddr
where
    F: Fn(TcpStream) -> W + Send + 'static,
    W: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(handler(stream));
        }
    });
    address
}

/// Reads one line; empty at the end of the stream.
pub(super) async fn line<S: AsyncReadExt + Unpin>(stream: &mut S) -> String {
    let mut octets = Vec::new();
    while let Ok(octet) = stream.read_u8().await {
        octets.push(octet);
        if octet == b'\n' {
            break;
        }
    }
    String::from_utf8_lossy(&octets).trim_end().to_owned()
}

/// The clear part of a session; `go` is sent in answer to STARTTLS, in one segment.
pub(super) async fn clear_part(stream: &mut TcpStream, go: &[u8]) {
    stream.write_all(b"220 mx.example.com ESMTP\r\n").await.unwrap();
    assert!(line(stream).await.starts_with("EHLO "));
    stream.write_all(b"250-mx.example.com\r\n250 STARTTLS\r\n").await.unwrap();
    assert_eq!(line(stream).await, "STARTTLS");
    stream.write_all(go).await.unwrap();
}

/// Short limits, so that a silent server costs little.
pub(super) fn limits() -> Limits {
    Limits {
        connect: Duration::from_secs(2),
        greeting: Duration::from_secs(2),
        reply: Duration::from_secs(2),
        farewell: Duration::from_secs(2),
        handshake: Duration::from_secs(2),
        dns_query: Duration::from_millis(300),
        dns_attempts: 1,
        spacing: Duration::ZERO,
        ..Limits::default()
    }
}

/// A world that trusts `authority`, may reach loopback and follows `rules`.
pub(super) fn world(authority: &Authority, rules: &[String], limits: Limits) -> World {
    let simulation = Simulation {
        roots_pem: Some(authority.pem()),
        zone_file: Some(ZoneFile::default()),
        connect: rules.iter().map(|rule| rule.parse().unwrap()).collect(),
        targets: Targets::PrivateToo,
        ..Simulation::default()
    };
    World::real(Settings { limits, simulation, ..Settings::default() }).unwrap()
}
