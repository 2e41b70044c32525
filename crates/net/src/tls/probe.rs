//! One handshake and what it showed (RFC 9846 §4, RFC 6066 §3 for SNI). The chain is read from the
//! verifier also when the handshake failed after it. Nothing is judged here beyond rustls' own verdict and `proto::x509`.
//! The ways in are [`Tls::observe`], [`Tls::strict`] and [`Tls::seal`]; a change must keep the stream out of the caller's
//! hands when a strict handshake did not verify.

use super::danger::Observer;
use super::failure::{handshake_failure, is_empty_chain};
use super::verify::{Presented, Recorder, RequestFlag};
use super::vouching::Vouching;
use super::{ALPN_HTTP, Tls};
use crate::tap::Tapped;
use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use waxseal_check::question::Peer;
use waxseal_proto::name::DomainName;
use waxseal_proto::observation::{Observation, Reason};
use waxseal_proto::tls::hello::NamedGroup;
use waxseal_proto::tls::seen::{
    CipherSuite, HandshakeEnd, HandshakeFailure, HandshakeSeen, Offer, TlsSession, TlsVersion,
};
use waxseal_proto::x509::{ChainQuery, ChainVerdict, ReferenceId, judge};

/// A stream inside TLS.
pub(crate) type SecureStream = TlsStream<Tapped<TcpStream>>;

/// One observed handshake.
#[derive(Debug)]
pub(crate) struct Observed {
    /// What it showed.
    pub(crate) seen: HandshakeSeen,
    /// The strict verdict was yes and the handshake finished.
    pub(crate) verified: bool,
    /// The stream, if the handshake finished.
    pub(crate) stream: Option<Box<SecureStream>>,
    /// The judgement of the chain, where rustls accepted it.
    pub(crate) judged: Option<ChainVerdict>,
}

impl Tls {
    /// Looks at a server with the observing verifier. Diagnosis only: see [`super::danger`].
    pub(crate) async fn observe(
        &self,
        stream: TcpStream,
        (peer, offer): (&Peer, Offer),
        limit: Duration,
    ) -> Observed {
        let recorder = Arc::new(Recorder::new(Arc::clone(&self.verifier) as _));
        let requested = Arc::new(RequestFlag::default());
        let observer = Arc::new(Observer(Arc::clone(&recorder)));
        let config = self.config(observer, &requested, offer);
        let (end, stream) = handshake(config, server_name(peer), stream, limit).await;
        let presented = recorder.presented();
        let accepted = presented.verified && stream.is_some();
        let judged = accepted.then(|| self.judged(&presented, peer)).flatten();
        let verified = judged.as_ref().is_some_and(|verdict| verdict.valid);
        Observed { seen: seen(end, presented, &requested), verified, stream, judged }
    }

    /// The faults that a report would show. They are more than rustls asks for (the key usage of an issuer,
    /// for example), and a session is no better verified than its report says.
    fn judged(&self, presented: &Presented, peer: &Peer) -> Option<ChainVerdict> {
        let reference = match peer {
            Peer::Address(address) => ReferenceId::Ip(*address),
            Peer::Host(host) => ReferenceId::Dns(host.clone()),
        };
        presented.chain.as_ref().map(|chain| {
            judge(&ChainQuery {
                chain,
                roots: &self.roots,
                reference: Some(&reference),
                now: self.clock.now(),
                crls: &[],
                max_depth: None,
                extra_intermediates: &[],
            })
        })
    }

    /// Connects for HTTP: without a verified certificate there is no stream. What the handshake showed is
    /// told either way.
    pub(crate) async fn strict(
        &self,
        stream: TcpStream,
        host: &DomainName,
        limit: Duration,
    ) -> Observed {
        let recorder = Arc::new(Recorder::new(Arc::clone(&self.verifier) as _));
        let requested = Arc::new(RequestFlag::default());
        let config = self.config(Arc::clone(&recorder) as _, &requested, Offer::Standard);
        let config = config.map(|mut config| {
            config.alpn_protocols = vec![ALPN_HTTP.to_vec()];
            config
        });
        let name = server_name(&Peer::Host(host.clone()));
        let (end, stream) = handshake(config, name, stream, limit).await;
        let presented = recorder.presented();
        let verified = presented.verified && stream.is_some();
        let stream = stream.filter(|_| verified);
        Observed { seen: seen(end, presented, &requested), verified, stream, judged: None }
    }
}

impl Tls {
    /// Connects for mail with a verifier that refuses: without a verified certificate there is no stream.
    pub(crate) async fn seal(
        &self,
        stream: TcpStream,
        (peer, vouching): (&Peer, &Vouching),
        limit: Duration,
    ) -> Observed {
        let recorder = Arc::new(Recorder::new(vouching.verifier()));
        let requested = Arc::new(RequestFlag::default());
        let config = self.config(Arc::clone(&recorder) as _, &requested, Offer::Standard);
        let (end, stream) = handshake(config, server_name(peer), stream, limit).await;
        let presented = recorder.presented();
        let verified = presented.verified && stream.is_some();
        Observed { seen: seen(end, presented, &requested), verified, stream, judged: None }
    }
}

fn server_name(peer: &Peer) -> Option<ServerName<'static>> {
    match peer {
        Peer::Address(address) => Some(ServerName::IpAddress((*address).into())),
        Peer::Host(host) => ServerName::try_from(host.as_str().to_owned()).ok(),
    }
}

type Handshake = (HandshakeEnd, Option<Box<SecureStream>>);

/// Carries one handshake out within its limit.
async fn handshake(
    config: Result<ClientConfig, rustls::Error>,
    name: Option<ServerName<'static>>,
    stream: TcpStream,
    limit: Duration,
) -> Handshake {
    let stream = Tapped::new(stream);
    let tap = stream.tap();
    let failed = |failure| (HandshakeEnd::Failed(failure), None);
    let config = match config {
        Ok(config) => config,
        Err(error) => return failed(HandshakeFailure::Incompatible(error.to_string())),
    };
    let Some(name) = name else {
        let word = "the host name cannot be sent as SNI".to_owned();
        return failed(HandshakeFailure::Incompatible(word));
    };
    let connecting = TlsConnector::from(Arc::new(config)).connect(name, stream);
    match timeout(limit, connecting).await {
        Err(_) => {
            let record = tap.record();
            let received = record.received;
            failed(
                record
                    .not_tls()
                    .map_or(HandshakeFailure::TimedOut { received }, HandshakeFailure::NotTls),
            )
        }
        Ok(Err(error)) => failed(handshake_failure(&error, &tap.record())),
        Ok(Ok(stream)) => match session(&stream) {
            Ok(session) => (HandshakeEnd::Completed(session), Some(Box::new(stream))),
            Err(error) => failed(handshake_failure(&error, &tap.record())),
        },
    }
}

/// The parameters of a finished handshake.
fn session(stream: &SecureStream) -> io::Result<TlsSession> {
    let (_, connection) = stream.get_ref();
    let unfinished = || io::Error::from(io::ErrorKind::UnexpectedEof);
    let version = connection.protocol_version().ok_or_else(unfinished)?;
    let suite = connection.negotiated_cipher_suite().ok_or_else(unfinished)?;
    let group = connection.negotiated_key_exchange_group();
    Ok(TlsSession {
        version: TlsVersion::from_wire(u16::from(version)).ok_or_else(unfinished)?,
        suite: CipherSuite(u16::from(suite.suite())),
        group: group.map(|group| NamedGroup(u16::from(group.name()))),
        ocsp_staple: Vec::new(),
    })
}

fn seen(end: HandshakeEnd, presented: Presented, requested: &RequestFlag) -> HandshakeSeen {
    let none_sent = matches!(&end, HandshakeEnd::Failed(failure) if is_empty_chain(failure));
    let chain = match presented.chain {
        Some(chain) => Observation::Observed(chain),
        None if none_sent => Observation::Observed(Vec::new()),
        None => Observation::NotObserved(why_no_chain(&end)),
    };
    let end = match end {
        HandshakeEnd::Completed(session) => {
            HandshakeEnd::Completed(TlsSession { ocsp_staple: presented.ocsp_staple, ..session })
        }
        HandshakeEnd::Failed(failure) => HandshakeEnd::Failed(failure),
    };
    HandshakeSeen { chain, certificate_requested: requested.was_requested(), end }
}

const fn why_no_chain(end: &HandshakeEnd) -> Reason {
    match end {
        HandshakeEnd::Completed(_) => Reason::EarlierStageFailed,
        HandshakeEnd::Failed(failure) => match failure {
            HandshakeFailure::AlertReceived(_) => Reason::RefusedByPeer,
            HandshakeFailure::Closed | HandshakeFailure::Reset => Reason::PeerClosed,
            HandshakeFailure::TimedOut { .. } => Reason::TimedOut,
            HandshakeFailure::Incompatible(_)
            | HandshakeFailure::IntegrityFailed(_)
            | HandshakeFailure::Malformed(_)
            | HandshakeFailure::NotTls(_)
            | HandshakeFailure::RecordOverflow => Reason::EarlierStageFailed,
        },
    }
}
