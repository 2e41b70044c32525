//! Look at the TLS of one host and port, without its domain: the survey of a check for a mail host that is
//! given instead of found. It judges nothing itself; rules about MX records do not apply and are left out.

use crate::check_domain::{first_address, survey_where};
use crate::world::World;
use std::net::IpAddr;
use waxseal_check::limits::Limits;
use waxseal_check::question::{Answer, HelloQuestion, Peer, Question};
use waxseal_check::report::wire::ReportV1;
use waxseal_check::report::{Run, Simulated, report};
use waxseal_check::survey::{Area, Depth, Scope};
use waxseal_proto::dns::{
    Authenticity, DnsAnswer, MxExchange, MxRecord, Outcome, QueryName, Record, RecordType,
};
use waxseal_proto::finding::Code;
use waxseal_proto::name::{DomainName, Target};
use waxseal_proto::observation::Observation;
use waxseal_proto::tls::hello::{HelloAnswer, HelloPlan};

/// What a session over STARTTLS showed.
#[derive(Clone, Debug)]
pub struct ProbedHost {
    /// The report, with this one host as its mail host.
    pub report: ReportV1,
    /// How many sessions it took.
    pub sessions_used: usize,
}

/// What the first flight of a TLS server showed.
#[derive(Clone, Debug)]
pub struct ProbedTls {
    /// The address; none when the name has none.
    pub address: Option<IpAddr>,
    /// What came back.
    pub answer: Observation<HelloAnswer>,
}

/// One SMTP session with STARTTLS to each address of a host.
pub async fn probe_smtp_host(world: &World, host: &Target, port: u16) -> ProbedHost {
    let began = world.stopwatch();
    let checked_at = world.now();
    let scope = Scope {
        port,
        areas: [Area::Tls].into(),
        depth: Depth::OneSession,
        address_rule: world.address_rule(),
        ..Scope::full(host.clone())
    };
    let given = |question: &Question| given_mx(host.domain()?, question);
    let facts = survey_where(world, scope, &Limits::default(), &given).await;
    let simulated = if world.is_simulated() { Simulated::Yes } else { Simulated::No };
    let mut report = report(&facts, Run { checked_at, took: began.elapsed(), simulated });
    let about_session = |code: &str| {
        code == Code::InputTargetPrivate.as_str()
            || !["input-", "dns-", "sts-", "rpt-"].iter().any(|stage| code.starts_with(stage))
    };
    report.findings.retain(|finding| about_session(&finding.code));
    // A connection that was refused, here or there, is no session.
    let addresses = facts.hosts.iter().flat_map(|host| &host.addresses);
    let sessions_used = addresses.filter(|address| address.session().is_some()).count();
    ProbedHost { report, sessions_used }
}

/// The host is its own mail host, whatever DNS says about it.
fn given_mx(host: &DomainName, question: &Question) -> Option<Answer> {
    let Question::Dns(asked) = question else { return None };
    if asked.record_type != RecordType::Mx || asked.name != QueryName::from(host) {
        return None;
    }
    let exchange = MxExchange::Host(host.clone());
    Some(Answer::Dns(DnsAnswer {
        name: asked.name.clone(),
        record_type: RecordType::Mx,
        outcome: Outcome::Found(vec![Record::Mx(MxRecord { preference: 0, exchange })]),
        authenticity: Authenticity::Indeterminate,
        aliases: Vec::new(),
        ttl_s: None,
        authoritative: false,
        over_tcp: false,
        unreadable: 0,
    }))
}

/// One hand-made hello to a server that speaks TLS at once. No certificate is judged: TLS 1.3 shows it to a
/// finished handshake only.
pub async fn probe_tls_host(world: &World, host: &Target, port: u16) -> ProbedTls {
    let (peer, address) = match host {
        Target::Address(address) => (Peer::Address(*address), Some(*address)),
        Target::Domain(name) => (Peer::Host(name.clone()), first_address(world, name).await),
    };
    let nothing = Observation::NotObserved(waxseal_proto::observation::Reason::EarlierStageFailed);
    let Some(to) = address else { return ProbedTls { address, answer: nothing } };
    let question = HelloQuestion { peer, address: to, port, plan: HelloPlan::ImplicitTls };
    let answer = match world.answer(&Question::Hello(question)).await {
        Answer::Hello(answer) => answer,
        Answer::Certificate(_)
        | Answer::Control(_)
        | Answer::Dns(_)
        | Answer::Policy(_)
        | Answer::Probe(_)
        | Answer::Reach(_)
        | Answer::Vantage(_) => nothing,
    };
    ProbedTls { address, answer }
}
