//! Rules of the zone's name servers, each asked directly (RFC 1912 §2.8, RFC 1034 §4.3.5), and the
//! comparison with the list a provider gives.

use super::dns::SERVER;
use crate::facts::{Facts, NameServerFacts};
use crate::finding::{ANY, Finding, When};
use crate::survey::exchange_text;
use std::collections::BTreeSet;
use waxseal_proto::dns::{DnsAnswer, Failure, MxExchange, Outcome, Record};
use waxseal_proto::finding::Code;

/// An expected host is not among the MX.
pub(crate) const MISSING: When = When("missing");
/// Every expected host is there, and others too.
pub(crate) const EXTRA: When = When("extra");

fn servers(facts: &Facts) -> &[NameServerFacts] {
    facts.name_servers.seen().map_or(&[], Vec::as_slice)
}

/// Adds the name servers, whose owner is where records are added, and which of them serve an MX already.
pub(crate) fn name_servers(facts: &Facts, finding: Finding) -> Finding {
    servers(facts).iter().fold(finding, |finding, server| {
        let finding = finding.with("name server", &server.host);
        match server.mx.seen().map(|answer| (mx_set(answer), answer.ttl_s)) {
            Some((set, ttl_s)) if !set.is_empty() => {
                let set: Vec<String> = set.into_iter().collect();
                let ttl = ttl_s.map_or_else(String::new, |ttl_s| format!(", TTL {ttl_s} s"));
                finding
                    .with("already serves", format!("{} at {}{ttl}", set.join(", "), server.host))
            }
            Some(_) | None => finding,
        }
    })
}

/// The MX records of an answer as `preference host`, sorted.
pub(crate) fn mx_set(answer: &DnsAnswer) -> BTreeSet<String> {
    answer
        .records()
        .iter()
        .filter_map(Record::mx)
        .map(|mx| format!("{} {}", mx.preference, exchange_text(&mx.exchange)))
        .collect()
}

/// Name servers that refuse, or answer without authority (lame delegation).
pub(crate) fn refusing(facts: &Facts) -> Vec<Finding> {
    servers(facts)
        .iter()
        .filter_map(|server| {
            let answer = server.soa.seen().or_else(|| server.mx.seen())?;
            let words = match &answer.outcome {
                Outcome::Failed(Failure::Refused) => "refused (RCODE 5)",
                Outcome::Failed(Failure::NotImplemented) => "not implemented (RCODE 4)",
                Outcome::Failed(Failure::NotAuthoritative) => "answers without authority",
                Outcome::Found(_) | Outcome::NoData | Outcome::NoName if !answer.authoritative => {
                    "answers without authority"
                }
                Outcome::Failed(_) | Outcome::Found(_) | Outcome::NoData | Outcome::NoName => {
                    return None;
                }
            };
            Some(
                Finding::new(Code::DnsRefused, SERVER, &server.host)
                    .with("zone", &answer.name)
                    .with("answer", words),
            )
        })
        .collect()
}

fn serial(server: &NameServerFacts) -> Option<u32> {
    server.soa.seen()?.records().iter().find_map(|record| record.soa().map(|soa| soa.serial))
}

/// Whether an answer is one that counts for a comparison: authoritative, found or proven absent.
fn comparable(answer: &DnsAnswer) -> bool {
    answer.authoritative && !matches!(answer.outcome, Outcome::Failed(_))
}

/// Servers of one zone that differ in serial or in the MX they serve, and a resolver that still has an
/// older set.
pub(crate) fn disagreement(facts: &Facts) -> Vec<Finding> {
    let mut sets: Vec<(String, BTreeSet<String>, String)> = Vec::new();
    for server in servers(facts) {
        let Some(answer) = server.mx.seen().filter(|answer| comparable(answer)) else { continue };
        let serial = serial(server).map_or_else(String::new, |serial| format!(", serial {serial}"));
        sets.push((server.host.to_string(), mx_set(answer), serial));
    }
    let Some((_, first, _)) = sets.first() else { return Vec::new() };
    let serials: BTreeSet<u32> = servers(facts).iter().filter_map(serial).collect();
    let resolver = facts.mx.answer.seen().filter(|a| !matches!(a.outcome, Outcome::Failed(_)));
    let stale_resolver =
        resolver.is_some_and(|answer| sets.iter().all(|(_, set, _)| *set != mx_set(answer)));
    let differ = sets.iter().any(|(_, set, _)| set != first);
    if !differ && serials.len() < 2 && !stale_resolver {
        return Vec::new();
    }
    let mut finding = Finding::new(Code::DnsResolverDisagreement, ANY, &facts.scope.target);
    for (host, set, serial) in &sets {
        finding = finding.with("name server", format!("{host}: {}{serial}", listed(set)));
    }
    if let Some(answer) = resolver.filter(|_| stale_resolver) {
        let ttl = answer.ttl_s.map_or_else(String::new, |ttl_s| format!(", {ttl_s} s left"));
        finding = finding.with("resolver", format!("{}{ttl}", listed(&mx_set(answer))));
    }
    vec![finding]
}

fn listed(set: &BTreeSet<String>) -> String {
    if set.is_empty() {
        return "no MX".to_owned();
    }
    set.iter().cloned().collect::<Vec<_>>().join(", ")
}

/// The MX set against the list the caller gave.
pub(crate) fn unexpected(facts: &Facts) -> Vec<Finding> {
    let expected = &facts.scope.expected_mx;
    let Some(answer) = facts.mx.answer.seen().filter(|_| !expected.is_empty()) else {
        return Vec::new();
    };
    if matches!(answer.outcome, Outcome::Failed(_)) {
        return Vec::new();
    }
    let hosts = |answer: &DnsAnswer| -> BTreeSet<String> {
        answer
            .records()
            .iter()
            .filter_map(Record::mx)
            .filter(|mx| mx.exchange != MxExchange::Root)
            .map(|mx| exchange_text(&mx.exchange))
            .collect()
    };
    let published = hosts(answer);
    let wanted: BTreeSet<String> = expected.iter().map(ToString::to_string).collect();
    let missing: Vec<&String> = wanted.difference(&published).collect();
    let extra: Vec<&String> = published.difference(&wanted).collect();
    if missing.is_empty() && extra.is_empty() {
        return Vec::new();
    }
    let when = if missing.is_empty() { EXTRA } else { MISSING };
    let mut finding = Finding::new(Code::DnsMxUnexpected, when, &facts.scope.target);
    finding = missing.iter().fold(finding, |f, host| f.with("expected, not published", host));
    finding = extra.iter().fold(finding, |f, host| f.with("published, not expected", host));
    for server in servers(facts) {
        let Some(direct) = server.mx.seen().filter(|answer| comparable(answer)) else { continue };
        if wanted.is_subset(&hosts(direct)) && !missing.is_empty() {
            finding = finding.with("already served by", &server.host);
        }
    }
    if let Some(ttl_s) = answer.ttl_s.filter(|_| !missing.is_empty()) {
        finding = finding.with("the resolver asks again in", format!("{ttl_s} s"));
    }
    vec![finding]
}
