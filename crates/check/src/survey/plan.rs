//! Which questions follow from what is known: a function from answers to questions, asked again after every
//! answer until nothing new follows. It judges nothing; every step names its limit.

use super::follow_up::follow_ups;
use super::hosts::{addresses, addresses_in, budgeted, mail_hosts};
use super::issuer::{IssuerAddress, missing_issuers};
use super::known::Known;
use super::scope::{Area, Depth, Scope};
use crate::limits::Limits;
use crate::question::{
    CertificateQuestion, Connect, DnsQuestion, DnsServer, Peer, PolicyQuestion, ProbeQuestion,
    Question, ReachQuestion,
};
use waxseal_proto::dns::{DnsAnswer, Outcome, QueryName, Record, RecordType, TxtRecord};
use waxseal_proto::mta_sts;
use waxseal_proto::name::{DomainName, Target};
use waxseal_proto::tls::seen::Offer;
use waxseal_proto::tls_rpt::{self, ReportDestination};

/// What the plan reads.
#[derive(Clone, Copy)]
pub(crate) struct Sight<'a> {
    pub(crate) scope: &'a Scope,
    pub(crate) limits: &'a Limits,
    pub(crate) known: &'a Known,
}

/// Every question that follows from what is known, also those already asked.
pub(crate) fn wanted(sight: Sight<'_>) -> Vec<Question> {
    let mut questions = Vec::new();
    if let Target::Domain(domain) = &sight.scope.target {
        questions.push(ask(QueryName::from(domain), RecordType::Mx));
        if sight.scope.has(Area::Mx) {
            name_server_questions(sight, domain, &mut questions);
        }
        implicit_mx_questions(sight, domain, &mut questions);
        if sight.scope.has(Area::MtaSts) {
            sts_questions(sight, domain, &mut questions);
        }
        if sight.scope.has(Area::TlsRpt) {
            report_questions(sight, domain, &mut questions);
        }
    }
    host_questions(sight, &mut questions);
    if sight.scope.has(Area::Tls) {
        questions.push(Question::Vantage);
    }
    questions
}

fn ask(name: QueryName, record_type: RecordType) -> Question {
    Question::Dns(DnsQuestion { name, record_type, server: DnsServer::Resolver })
}

fn ask_addresses(name: &QueryName, questions: &mut Vec<Question>) {
    questions.push(ask(name.clone(), RecordType::A));
    questions.push(ask(name.clone(), RecordType::Aaaa));
}

/// RFC 5321 §5.1: the address records of the domain count only when there is no MX at all.
fn implicit_mx_questions(sight: Sight<'_>, domain: &DomainName, questions: &mut Vec<Question>) {
    let name = QueryName::from(domain);
    let no_mx = sight
        .known
        .dns(&name, RecordType::Mx)
        .is_some_and(|answer| answer.outcome == Outcome::NoData);
    if no_mx {
        ask_addresses(&name, questions);
    }
}

/// The zone that holds a domain: the nearest ancestor with NS records, not above the organisational domain.
pub(crate) fn zone_servers<'a>(known: &'a Known, domain: &DomainName) -> ZoneServers<'a> {
    let top = domain.organizational().unwrap_or_else(|| domain.clone());
    let mut name = domain.clone();
    loop {
        match known.dns(&QueryName::from(&name), RecordType::Ns) {
            None => return ZoneServers::Ask(QueryName::from(&name)),
            Some(answer) if matches!(answer.outcome, Outcome::Found(_)) => {
                return ZoneServers::Found(answer);
            }
            Some(_) if name == top => return ZoneServers::None,
            Some(_) => match name.parent() {
                Some(parent) => name = parent,
                None => return ZoneServers::None,
            },
        }
    }
}

/// What is known of the name servers of a zone.
pub(crate) enum ZoneServers<'a> {
    /// The NS answer.
    Found(&'a DnsAnswer),
    /// This NS question comes next.
    Ask(QueryName),
    /// No ancestor up to the organisational domain has NS records that can be seen.
    None,
}

/// The name server hosts in an NS answer, within the limit, sorted so that runs are alike.
pub(crate) fn server_names(answer: &DnsAnswer, limits: &Limits) -> (Vec<QueryName>, usize) {
    let mut names: Vec<QueryName> =
        answer.records().iter().filter_map(Record::ns).cloned().collect();
    names.sort();
    let cut = names.len().saturating_sub(limits.name_servers_max);
    names.truncate(limits.name_servers_max);
    (names, cut)
}

fn name_server_questions(sight: Sight<'_>, domain: &DomainName, questions: &mut Vec<Question>) {
    let answer = match zone_servers(sight.known, domain) {
        ZoneServers::Ask(name) => {
            questions.push(ask(name, RecordType::Ns));
            return;
        }
        ZoneServers::None => return,
        ZoneServers::Found(answer) => answer,
    };
    for server in server_names(answer, sight.limits).0 {
        ask_addresses(&server, questions);
        let Some(found) = addresses(&server, sight.known) else { continue };
        let Some(address) = found.first().copied() else { continue };
        for (name, record_type) in
            [(QueryName::from(domain), RecordType::Mx), (answer.name.clone(), RecordType::Soa)]
        {
            let server = DnsServer::Authoritative(address);
            questions.push(Question::Dns(DnsQuestion { name, record_type, server }));
        }
    }
}

fn host_questions(sight: Sight<'_>, questions: &mut Vec<Question>) {
    let mut timed_out = false;
    let mut issuers = 0;
    for host in mail_hosts(sight.scope, sight.limits, sight.known).hosts {
        let found = match host.peer.as_ref() {
            None => continue,
            Some(Peer::Address(address)) => vec![*address],
            Some(Peer::Host(name)) => {
                let name = QueryName::from(name);
                ask_addresses(&name, questions);
                let answered = [RecordType::A, RecordType::Aaaa]
                    .into_iter()
                    .filter_map(|record_type| sight.known.dns(&name, record_type));
                answered.flat_map(addresses_in).collect()
            }
        };
        let Some(peer) = host.peer else { continue };
        if !sight.scope.has(Area::Tls) {
            continue;
        }
        let complete = match &peer {
            Peer::Address(_) => true,
            Peer::Host(name) => addresses(&QueryName::from(name), sight.known).is_some(),
        };
        if !complete {
            continue;
        }
        for address in budgeted(&found, sight.limits).0 {
            let first = ProbeQuestion {
                peer: peer.clone(),
                address,
                port: sight.scope.port,
                offer: Offer::Standard,
            };
            questions.push(Question::Probe(first.clone()));
            let Some(seen) = sight.known.probe(&first) else { continue };
            timed_out |= seen.connect == Connect::TimedOut;
            if sight.scope.depth == Depth::WithFollowUps {
                let more = follow_ups(&first, seen);
                questions.extend(more.into_iter().take(sight.limits.follow_ups_per_address_max));
            }
            issuer_questions(sight, &first, &mut issuers, questions);
        }
    }
    if timed_out {
        questions.extend(sight.scope.controls.iter().cloned().map(Question::Control));
    }
}

/// Fetches the issuer that a chain lacks, to prove that nothing else is wrong (rules §7.5).
fn issuer_questions(
    sight: Sight<'_>,
    probe: &ProbeQuestion,
    count: &mut usize,
    questions: &mut Vec<Question>,
) {
    if sight.scope.depth == Depth::OneSession {
        return;
    }
    let Some(chain) = sight.known.chains.get(probe) else { return };
    for issuer in missing_issuers(chain) {
        if *count >= sight.limits.issuer_fetches_max {
            return;
        }
        *count += 1;
        let IssuerAddress { host, port, path } = issuer;
        let name = QueryName::from(&host);
        ask_addresses(&name, questions);
        let Some(addresses) = addresses(&name, sight.known) else { continue };
        if !addresses.is_empty() {
            questions.push(Question::Certificate(CertificateQuestion {
                host,
                port,
                path,
                addresses,
            }));
        }
    }
}

/// `mta-sts.<domain>`, unless that would be too long for a name.
pub(crate) fn policy_host(domain: &DomainName) -> Option<DomainName> {
    DomainName::parse(&format!("mta-sts.{domain}")).ok()
}

/// The policy question, once the addresses of the policy host are known.
pub(crate) fn policy_question(known: &Known, domain: &DomainName) -> Option<PolicyQuestion> {
    let host = policy_host(domain)?;
    let addresses = addresses(&QueryName::from(&host), known)?;
    (!addresses.is_empty()).then_some(PolicyQuestion { host, addresses })
}

fn sts_questions(sight: Sight<'_>, domain: &DomainName, questions: &mut Vec<Question>) {
    let record_name = QueryName::below("_mta-sts", domain);
    questions.push(ask(record_name.clone(), RecordType::Txt));
    if let Some(host) = policy_host(domain) {
        ask_addresses(&QueryName::from(&host), questions);
    }
    questions.extend(policy_question(sight.known, domain).map(Question::Policy));
    let none_here = sight
        .known
        .dns(&record_name, RecordType::Txt)
        .is_some_and(|answer| sts_record_set(answer) == mta_sts::RecordSet::None);
    if let Some(parent) = organizational_parent(domain).filter(|_| none_here) {
        questions.push(ask(QueryName::below("_mta-sts", &parent), RecordType::Txt));
    }
}

/// The organisational domain of a sub-domain; `None` for the organisational domain itself.
pub(crate) fn organizational_parent(domain: &DomainName) -> Option<DomainName> {
    domain.organizational().filter(|parent| parent != domain)
}

/// The texts of a TXT answer.
pub(crate) fn texts(answer: &DnsAnswer) -> Vec<String> {
    answer.records().iter().filter_map(Record::txt).map(TxtRecord::to_text).collect()
}

/// The MTA-STS records of a TXT answer.
pub(crate) fn sts_record_set(answer: &DnsAnswer) -> mta_sts::RecordSet {
    mta_sts::RecordSet::evaluate(texts(answer))
}

/// The TLS reporting records of a TXT answer.
pub(crate) fn rpt_record_set(answer: &DnsAnswer) -> tls_rpt::RecordSet {
    tls_rpt::RecordSet::evaluate(texts(answer))
}

/// The report addresses that are looked at.
pub(crate) fn report_destinations(sight: Sight<'_>, domain: &DomainName) -> Vec<ReportDestination> {
    let name = QueryName::below("_smtp._tls", domain);
    let Some(answer) = sight.known.dns(&name, RecordType::Txt) else { return Vec::new() };
    let set = rpt_record_set(answer);
    let mut destinations =
        set.record().map(|record| record.destinations.clone()).unwrap_or_default();
    destinations.truncate(sight.limits.report_uris_max);
    destinations
}

fn report_questions(sight: Sight<'_>, domain: &DomainName, questions: &mut Vec<Question>) {
    questions.push(ask(QueryName::below("_smtp._tls", domain), RecordType::Txt));
    for destination in report_destinations(sight, domain) {
        match destination {
            ReportDestination::Mailto { domain: mailbox_domain, .. } => {
                let name = QueryName::from(&mailbox_domain);
                questions.push(ask(name.clone(), RecordType::Mx));
                let no_mx = sight
                    .known
                    .dns(&name, RecordType::Mx)
                    .is_some_and(|answer| answer.outcome == Outcome::NoData);
                if no_mx {
                    ask_addresses(&name, questions);
                }
            }
            ReportDestination::Https { host: Target::Domain(host), port } => {
                ask_addresses(&QueryName::from(&host), questions);
                questions.extend(reach_question(sight.known, host, port).map(Question::Reach));
            }
            // An address in place of a host has no name to look up or to verify.
            ReportDestination::Https { host: Target::Address(_), .. } => {}
        }
    }
}

/// The bare connect to an https report address, once its addresses are known.
pub(crate) fn reach_question(known: &Known, host: DomainName, port: u16) -> Option<ReachQuestion> {
    let addresses = addresses(&QueryName::from(&host), known)?;
    (!addresses.is_empty()).then_some(ReachQuestion { host, port, addresses })
}
