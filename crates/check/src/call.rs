//! One HTTPS request of our own to a delivery service and what it showed, step by step (RFC 9110, RFC 9112).
//! `net` carries it out and fills [`CallSeen`] in; what it means is judged elsewhere. A change must keep a
//! key and a body out of these values, and tell a request that cannot have arrived from one that may have.

use std::net::IpAddr;
use std::time::Duration;

use waxseal_proto::dns::DnsAnswer;
use waxseal_proto::name::DomainName;
use waxseal_proto::observation::{Observation, Reason};
use waxseal_proto::tls::seen::HandshakeSeen;
use waxseal_services::http::{HTTPS_PORT, HttpResponse};

use crate::question::Connect;

/// The steps of a call, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CallStep {
    /// The addresses of the host.
    Resolve,
    /// TCP.
    Connect,
    /// TLS handshake and certificate.
    Handshake,
    /// Writing the request.
    Request,
    /// Waiting for the answer and reading it.
    Answer,
}

impl CallStep {
    /// The stable word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Resolve => "dns",
            Self::Connect => "connect",
            Self::Handshake => "tls",
            Self::Request => "request",
            Self::Answer => "answer",
        }
    }
}

/// Told while a call runs. What a step showed is told just before its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallEvent {
    /// A step begins.
    Begun(CallStep),
    /// How connecting to one address went.
    Connect(IpAddr, Connect),
    /// A step is over, and how long it took.
    Ended(CallStep, StepResult, Duration),
    /// What the handshake showed.
    Handshake(Box<HandshakeSeen>),
    /// The addresses of the host, in the order in which they are tried; empty when there is none.
    Resolved(Vec<IpAddr>),
    /// The status of the answer.
    Status(u16),
}

/// How a step ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepResult {
    /// The call could not go on from it.
    Failed,
    /// It was passed.
    Passed,
}

/// How the exchange inside TLS broke off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Breakage {
    /// The service closed the connection.
    Closed,
    /// The header of the answer passed the limit.
    HeaderTooLarge,
    /// The answer is no HTTP; the text is the library's own word.
    Malformed(String),
}

/// How a call ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallEnd {
    /// An answer came that is no redirect; its body may be cut.
    Answered(HttpResponse),
    /// The exchange broke off in this step, which is [`CallStep::Request`] or [`CallStep::Answer`].
    Broken(CallStep, Breakage),
    /// There was nothing to ask: the service has no such question. Nothing was connected to.
    NotAsked,
    /// No address could be connected to.
    NotConnected,
    /// The service pointed elsewhere. No redirect is followed: the key is for this host alone.
    Redirected {
        /// The status.
        status: u16,
        /// Where to, foreign text; `None` when it does not say.
        location: Option<String>,
    },
    /// The limit of [`CallStep::Request`] or [`CallStep::Answer`] passed.
    TimedOut(CallStep),
    /// The handshake failed or the certificate did not verify; nothing was sent inside.
    TlsRefused,
    /// The host has no address, or none was found out.
    Unresolved,
    /// The request cannot be written as HTTP; nothing was sent.
    Unwritable,
}

impl CallEnd {
    /// Whether the service may have acted on a request without our learning it. A request that was not
    /// handed over whole is no request yet (RFC 9112 §8).
    pub const fn leaves_open(&self) -> bool {
        match self {
            Self::Broken(step, _) | Self::TimedOut(step) => matches!(step, CallStep::Answer),
            Self::Redirected { .. } => true,
            Self::Answered(_)
            | Self::NotAsked
            | Self::NotConnected
            | Self::TlsRefused
            | Self::Unresolved
            | Self::Unwritable => false,
        }
    }
}

/// Over which connection a call went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line {
    /// One of its own.
    Fresh,
    /// One that an earlier call of the same use had opened and verified.
    KeptOpen,
}

/// What one call showed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallSeen {
    /// The host that was asked for, as the certificate must name it.
    pub host: DomainName,
    /// The port.
    pub port: u16,
    /// Over which connection. On one that was kept open the next three say nothing new and are empty.
    pub line: Line,
    /// What the resolver said, one answer for each address family.
    pub answers: Vec<DnsAnswer>,
    /// Each address that was tried and how connecting went, in order.
    pub connects: Vec<(IpAddr, Connect)>,
    /// The handshake, with the chain as it was presented.
    pub handshake: Observation<HandshakeSeen>,
    /// How it ended.
    pub end: CallEnd,
    /// The time of each step that was entered, in order.
    pub timings: Vec<(CallStep, Duration)>,
}

impl CallSeen {
    /// A call that was not made.
    pub const fn not_asked(host: DomainName) -> Self {
        Self {
            host,
            port: HTTPS_PORT,
            line: Line::Fresh,
            answers: Vec::new(),
            connects: Vec::new(),
            handshake: Observation::NotObserved(Reason::NotAsked),
            end: CallEnd::NotAsked,
            timings: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_request_leaves_its_end_open() {
        let closed = |step| CallEnd::Broken(step, Breakage::Closed);
        for (end, open) in [
            (closed(CallStep::Request), false),
            (closed(CallStep::Answer), true),
            (CallEnd::TimedOut(CallStep::Request), false),
            (CallEnd::TimedOut(CallStep::Answer), true),
            (CallEnd::Redirected { status: 303, location: None }, true),
            (CallEnd::TlsRefused, false),
            (CallEnd::NotConnected, false),
            (CallEnd::Unresolved, false),
            (CallEnd::Unwritable, false),
        ] {
            assert_eq!(end.leaves_open(), open, "{end:?}");
        }
    }
}
