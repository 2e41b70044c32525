//! What the survey asks the world, and what the world answers. `net` carries a [`Question`] out and
//! returns the [`Answer`] of the same kind; it never fails: a peer's fault is part of the answer, a limit
//! is a [`Reason`](waxseal_proto::observation::Reason). No rule lives here.

use std::net::IpAddr;
use std::time::Duration;
use waxseal_proto::dns::{DnsAnswer, QueryName, RecordType};
use waxseal_proto::name::DomainName;
use waxseal_proto::observation::Observation;
use waxseal_proto::smtp::outcome::ProbeOutcome;
use waxseal_proto::smtp::seen::{SessionSeen, Stage};
use waxseal_proto::tls::hello::{HelloAnswer, HelloPlan};
use waxseal_proto::tls::seen::{HandshakeSeen, Offer};
use waxseal_proto::x509::ChainVerdict;

/// One question to the world. Two equal questions are asked once.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Question {
    /// Fetch one certificate over plain HTTP, as named by an AIA extension (RFC 5280 §4.2.2.1).
    Certificate(CertificateQuestion),
    /// Does a control host of the administrator answer on this port?
    Control(ControlQuestion),
    /// One DNS question.
    Dns(DnsQuestion),
    /// One hand-made ClientHello on a connection of its own.
    Hello(HelloQuestion),
    /// Fetch an MTA-STS policy (RFC 8461 §3.3).
    Policy(PolicyQuestion),
    /// One SMTP session that stops before any mail transaction.
    Probe(ProbeQuestion),
    /// A bare TLS connect to an https address; nothing is sent inside.
    Reach(ReachQuestion),
    /// What this machine looks like from outside.
    Vantage,
}

/// One DNS question.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DnsQuestion {
    /// The name.
    pub name: QueryName,
    /// The type.
    pub record_type: RecordType,
    /// Who is asked.
    pub server: DnsServer,
}

/// Who answers a DNS question.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DnsServer {
    /// One authoritative server by address, asked without recursion.
    Authoritative(IpAddr),
    /// The validating resolver.
    Resolver,
}

/// The peer of a session: a name to verify, or an address literal.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Peer {
    /// No name is known; the certificate must list the address (RFC 9525 §6.4).
    Address(IpAddr),
    /// The MX host name; sent as SNI and verified (RFC 8461 §4.2).
    Host(DomainName),
}

/// One SMTP session.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProbeQuestion {
    /// Who should be there.
    pub peer: Peer,
    /// The address to connect to; no look-up happens in between.
    pub address: IpAddr,
    /// The port.
    pub port: u16,
    /// What TLS offers.
    pub offer: Offer,
}

/// One hand-made hello.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HelloQuestion {
    /// Who should be there.
    pub peer: Peer,
    /// The address to connect to.
    pub address: IpAddr,
    /// The port.
    pub port: u16,
    /// Which hello.
    pub plan: HelloPlan,
}

/// One policy fetch.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PolicyQuestion {
    /// `mta-sts.<domain>`.
    pub host: DomainName,
    /// Its addresses, tried in order.
    pub addresses: Vec<IpAddr>,
}

/// One bare TLS connect.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReachQuestion {
    /// The host of the https address.
    pub host: DomainName,
    /// Its port.
    pub port: u16,
    /// Its addresses, tried in order.
    pub addresses: Vec<IpAddr>,
}

/// One certificate download.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CertificateQuestion {
    /// The host of the `http:` address.
    pub host: DomainName,
    /// Its port.
    pub port: u16,
    /// Path and query.
    pub path: String,
    /// The addresses of the host, tried in order.
    pub addresses: Vec<IpAddr>,
}

/// One control host.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ControlQuestion {
    /// Its address.
    pub address: IpAddr,
    /// The port to try.
    pub port: u16,
}

/// The answer to a question of the same kind.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    clippy::large_enum_variant,
    reason = "an answer is moved once, from the world to the survey"
)]
pub enum Answer {
    /// The octets that were downloaded, at most 64 KiB.
    Certificate(Observation<Vec<u8>>),
    /// How the connection attempt ended.
    Control(Connect),
    /// The DNS answer.
    Dns(DnsAnswer),
    /// What came back for the hello.
    Hello(Observation<HelloAnswer>),
    /// What the policy fetch came to.
    Policy(FetchEnd),
    /// The session.
    Probe(ProbeSeen),
    /// What the TLS connect came to.
    Reach(FetchEnd),
    /// What this machine looks like.
    Vantage(Vantage),
}

/// How a TCP connection attempt ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Connect {
    /// Connected.
    Connected,
    /// The guard refused the address before any packet.
    GuardRefused,
    /// RST in answer to SYN.
    Refused,
    /// The connection opened and was reset before anything could be read.
    Reset,
    /// No answer within the limit.
    TimedOut,
    /// The network reported no way there. `local_family_missing` when this machine has no address of
    /// that family at all, which says nothing about the peer.
    Unreachable {
        /// This machine has no route for the whole address family.
        local_family_missing: bool,
    },
}

/// One session with its times.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProbeSeen {
    /// The connection attempt.
    pub connect: Connect,
    /// The session; not observed unless connected.
    pub session: Observation<SessionSeen>,
    /// How long each stage took that was entered, in order.
    pub timings: Vec<(Stage, Duration)>,
    /// The judgement of the presented chain for this peer at that moment, where the session needed one to
    /// know whether it may go on; it is not made twice.
    pub judged: Option<ChainVerdict>,
}

impl ProbeSeen {
    /// The one word for this session, as far as it can be said without knowing whether port 25 is closed on
    /// this side.
    pub fn outcome(&self) -> ProbeOutcome {
        if let Some(session) = self.session.seen() {
            return session.outcome();
        }
        match self.connect {
            Connect::Connected => ProbeOutcome::NotTested,
            Connect::GuardRefused => ProbeOutcome::GuardRefused,
            Connect::Refused => ProbeOutcome::ConnectRefused,
            Connect::Reset => ProbeOutcome::ConnectReset,
            Connect::TimedOut => ProbeOutcome::ConnectTimeout,
            Connect::Unreachable { .. } => ProbeOutcome::ConnectUnreachable,
        }
    }
}

/// How an HTTPS fetch, or a bare TLS connect, ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FetchEnd {
    /// No address could be connected to; how the last attempt ended.
    NotConnected(Connect),
    /// The handshake failed or the certificate did not verify. The chain is in there as far as seen.
    TlsRefused(HandshakeSeen),
    /// TLS was fine; for a bare connect this is the good end.
    TlsEstablished,
    /// The response broke HTTP; the text is the library's own word.
    HttpMalformed(String),
    /// The body passed the limit.
    TooLarge,
    /// The time limit passed.
    TooSlow,
    /// A response.
    Response(HttpResponse),
}

/// A response to a policy fetch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpResponse {
    /// Status code.
    pub status: u16,
    /// The Location header, if any; never followed.
    pub location: Option<String>,
    /// The Content-Type header, if any.
    pub content_type: Option<String>,
    /// The body.
    pub body: Vec<u8>,
}

/// What this machine looks like from outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vantage {
    /// The source address towards public targets, as the kernel would choose it.
    pub address: Observation<IpAddr>,
    /// The PTR name of that address.
    pub ptr: Observation<DomainName>,
    /// Whether that name resolves back to the address.
    pub forward_confirmed: Observation<bool>,
    /// The name given in EHLO.
    pub ehlo_name: String,
}
