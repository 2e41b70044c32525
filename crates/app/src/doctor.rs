//! What this machine can and cannot see: resolver, DNSSEC, port 25, own address and names. It judges only
//! what the answers show; a closed port is told from a dead target by control hosts alone.

use crate::check_domain::{ControlHost, control_questions};
use crate::world::World;
use jiff::Timestamp;
use waxseal_check::question::{Answer, Connect, DnsQuestion, DnsServer, Question, Vantage};
use waxseal_proto::dns::{Authenticity, Outcome, QueryName, RecordType};

/// The port of mail exchange between servers (RFC 5321 §4.5.4.2).
const PORT_SMTP: u16 = 25;

/// What was found out about this machine.
#[derive(Clone, Debug)]
pub struct Doctor {
    /// Whether the resolver answers at all, and whether it passes DNSSEC records.
    pub resolver: ResolverState,
    /// Whether port 25 can be reached from here.
    pub port_25: PortState,
    /// Each control host and how the connection attempt ended.
    pub controls: Vec<(String, Connect)>,
    /// Own address and names.
    pub vantage: Option<Vantage>,
    /// The clock certificates are judged by.
    pub now: Timestamp,
}

/// What the resolver is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResolverState {
    /// It answers and passes DNSSEC records that validate up to the trust anchor.
    PassesDnssec,
    /// It answers, and DNSSEC cannot be validated through it.
    StripsDnssec,
    /// It does not answer.
    Silent,
}

/// What is known about outgoing port 25.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PortState {
    /// A control host answered on it.
    Open,
    /// Every control host was silent on it.
    Blocked,
    /// No control host on it was tried, or they disagree.
    Unknown,
}

/// Looks at this machine.
pub async fn doctor(world: &World, controls: &[ControlHost]) -> Doctor {
    let mut tried = Vec::new();
    let mut on_port_25 = Vec::new();
    for question in control_questions(world, controls).await {
        let name = format!("{}:{}", question.address, question.port);
        let port = question.port;
        if let Answer::Control(connect) = world.answer(&Question::Control(question)).await {
            if port == PORT_SMTP {
                on_port_25.push(connect.clone());
            }
            tried.push((name, connect));
        }
    }
    let vantage = if let Answer::Vantage(vantage) = world.answer(&Question::Vantage).await {
        Some(vantage)
    } else {
        None
    };
    Doctor {
        resolver: resolver(world).await,
        port_25: port_25(&on_port_25),
        controls: tried,
        vantage,
        now: world.now(),
    }
}

async fn resolver(world: &World) -> ResolverState {
    let question = DnsQuestion {
        name: QueryName::root(),
        record_type: RecordType::Soa,
        server: DnsServer::Resolver,
    };
    let Answer::Dns(answer) = world.answer(&Question::Dns(question)).await else {
        return ResolverState::Silent;
    };
    match (answer.outcome, answer.authenticity) {
        (Outcome::Failed(_), _) => ResolverState::Silent,
        (_, Authenticity::Secure) => ResolverState::PassesDnssec,
        (_, Authenticity::Bogus | Authenticity::Indeterminate | Authenticity::Insecure) => {
            ResolverState::StripsDnssec
        }
    }
}

/// Judged by control hosts on that port alone: another port that answers says nothing about it.
fn port_25(tried: &[Connect]) -> PortState {
    if tried.contains(&Connect::Connected) {
        PortState::Open
    } else if !tried.is_empty() && tried.iter().all(|connect| *connect == Connect::TimedOut) {
        PortState::Blocked
    } else {
        PortState::Unknown
    }
}
