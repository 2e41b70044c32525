//! DNS as the world answers it (RFC 1034, RFC 4035, RFC 6891): a validating resolver, single servers
//! asked directly, or a zone file. Outcomes are told apart, never judged. The way in is
//! [`Resolver`]; a change must keep a failure from looking like an absence.

mod answer;
mod exchange;
mod live;
mod zone_file;

pub use zone_file::ZoneFile;

use exchange::{Ask, Recursion, exchange};
pub(crate) use live::{LiveResolver, ServerChoice, trust_anchors};

use crate::dial::{Dialer, Target};
use crate::limits::Limits;
use std::net::IpAddr;
use waxseal_proto::dns::{Authenticity, DnsAnswer, Failure, Outcome, QueryName, RecordType};

/// The port of DNS (RFC 1035 §4.2).
const DNS_PORT: u16 = 53;

/// What answers the DNS questions of a world.
#[derive(Debug)]
pub(crate) enum Resolver {
    /// A validating resolver on the network.
    Live(Box<LiveResolver>),
    /// A zone file and nothing else.
    Zone(ZoneFile),
}

impl Resolver {
    /// Asks the resolver.
    pub(crate) async fn resolve(&self, name: &QueryName, record_type: RecordType) -> DnsAnswer {
        match self {
            Self::Live(live) => live.resolve(name, record_type).await,
            Self::Zone(zone) => zone.resolve(name, record_type),
        }
    }

    /// Asks one authoritative server, without recursion (RFC 1035 §4.1.1: RD=0).
    pub(crate) async fn ask_server(
        &self,
        dialer: &Dialer,
        server: IpAddr,
        (name, record_type): (&QueryName, RecordType),
    ) -> DnsAnswer {
        if let Self::Zone(zone) = self {
            let answer = zone.resolve(name, record_type);
            return DnsAnswer { authoritative: true, ..answer };
        }
        let target = Target { host: None, address: server, port: DNS_PORT };
        let ask = Ask { name, record_type, recursion: Recursion::None };
        let outcome = match dialer.admit(&target) {
            Err(waxseal_check::question::Connect::TimedOut) => Err(Failure::TimedOut),
            Err(_) => Err(Failure::Network),
            Ok(socket) => exchange(socket, &ask, &dialer.limits).await,
        };
        match outcome {
            Err(failure) => failed(name, record_type, failure),
            Ok(response) => {
                let mut answer = answer::from_message(&response, name, record_type);
                let answered =
                    matches!(answer.outcome, Outcome::Found(_) | Outcome::NoData | Outcome::NoName);
                if answered && !answer.authoritative {
                    answer.outcome = Outcome::Failed(Failure::NotAuthoritative);
                }
                answer
            }
        }
    }
}

/// An answer that is none.
pub(crate) fn failed(name: &QueryName, record_type: RecordType, failure: Failure) -> DnsAnswer {
    let authenticity = match failure {
        Failure::Bogus(_) => Authenticity::Bogus,
        Failure::Malformed
        | Failure::Network
        | Failure::NotAuthoritative
        | Failure::NotImplemented
        | Failure::OtherCode(_)
        | Failure::Refused
        | Failure::ServFail
        | Failure::TimedOut
        | Failure::Truncated => Authenticity::Indeterminate,
    };
    DnsAnswer {
        name: name.clone(),
        record_type,
        outcome: Outcome::Failed(failure),
        authenticity,
        aliases: Vec::new(),
        ttl_s: None,
        authoritative: false,
        over_tcp: false,
        unreadable: 0,
    }
}

/// The settings of one query on the wire, from the limits of a world.
pub(crate) const fn query_limits(limits: &Limits) -> (std::time::Duration, usize) {
    (limits.dns_query, limits.dns_attempts)
}
