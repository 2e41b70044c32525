//! Rules of the look-ups (RFC 5321 §5.1, RFC 7505, RFC 2308, RFC 4035 §5.5). A lookup that failed is never
//! read as "no MX".

use super::{dns_hosts, dns_servers};
use crate::facts::Facts;
use crate::finding::{ANY, Finding, When};
use crate::registry::Rule;
use waxseal_proto::dns::{DnsAnswer, Failure, MxSet, Outcome, RecordType};
use waxseal_proto::finding::Code;

const CASE: &[When] = &[ANY];
/// Our own resolver's look-up was refused.
const LOOKUP: When = When("lookup");
/// One authoritative server refuses.
pub(crate) const SERVER: When = When("server");

/// The rules of this area.
pub(crate) const RULES: &[Rule] = &[
    Rule {
        name: "dns-mx-absent",
        codes: &[
            (Code::DnsDomainNxdomain, CASE),
            (Code::DnsNoMailRecords, CASE),
            (Code::DnsImplicitMx, CASE),
            (Code::DnsNullMx, CASE),
            (Code::DnsNullMxMixed, CASE),
        ],
        judge: absent,
    },
    Rule {
        name: "dns-lookup-failed",
        codes: &[
            (Code::DnsMxServfail, CASE),
            (Code::DnsDnssecBogus, CASE),
            (Code::DnsTimeout, CASE),
            (Code::DnsTruncation, CASE),
            (Code::DnsRefused, &[LOOKUP, SERVER]),
        ],
        judge: failed,
    },
    Rule {
        name: "dns-mx-target",
        codes: &[
            (Code::DnsMxCname, CASE),
            (Code::DnsMxIpLiteral, CASE),
            (Code::DnsMxDangling, CASE),
            (Code::DnsMxNoAddress, CASE),
            (Code::DnsMxPrivateAddress, CASE),
        ],
        judge: dns_hosts::targets,
    },
    Rule {
        name: "dns-resolver-disagreement",
        codes: &[(Code::DnsResolverDisagreement, CASE)],
        judge: dns_servers::disagreement,
    },
    Rule {
        name: "dns-mx-unexpected",
        codes: &[(Code::DnsMxUnexpected, &[dns_servers::MISSING, dns_servers::EXTRA])],
        judge: dns_servers::unexpected,
    },
    Rule { name: "dns-single-mx", codes: &[(Code::DnsSingleMx, CASE)], judge: dns_hosts::single },
    Rule {
        name: "dns-too-many-mx",
        codes: &[(Code::DnsTooManyMx, CASE)],
        judge: dns_hosts::too_many,
    },
];

fn absent(facts: &Facts) -> Vec<Finding> {
    let Some(set) = facts.mx.set.seen() else { return Vec::new() };
    let new = |code| Finding::new(code, ANY, &facts.scope.target);
    let finding = match set {
        MxSet::NoName => new(Code::DnsDomainNxdomain).with("MX", "the name does not exist"),
        MxSet::NoData => return no_mx(facts),
        MxSet::Null(preference) => new(Code::DnsNullMx).with("MX", format!("{preference} .")),
        MxSet::NullMixed { hosts } => {
            hosts.iter().fold(new(Code::DnsNullMxMixed).with("MX", "0 ."), |finding, record| {
                let exchange = crate::survey::exchange_text(&record.exchange);
                finding.with("MX", format!("{} {exchange}", record.preference))
            })
        }
        MxSet::Hosts(_) | MxSet::Failed(_) => return Vec::new(),
    };
    vec![dns_servers::name_servers(facts, finding)]
}

/// No MX: the domain's own addresses decide, once both look-ups are answered.
fn no_mx(facts: &Facts) -> Vec<Finding> {
    let own = &facts.mx.own_addresses;
    let found: Vec<String> =
        own.iter().flat_map(crate::survey::addresses_in).map(|a| a.to_string()).collect();
    let failed = own.iter().any(|answer| matches!(answer.outcome, Outcome::Failed(_)));
    let finding = if found.is_empty() {
        if failed || own.len() < 2 {
            return Vec::new();
        }
        Finding::new(Code::DnsNoMailRecords, ANY, &facts.scope.target)
            .with("MX, A and AAAA", "no records")
    } else {
        found.iter().fold(
            Finding::new(Code::DnsImplicitMx, ANY, &facts.scope.target).with("MX", "no records"),
            |finding, address| finding.with("own address", address),
        )
    };
    vec![dns_servers::name_servers(facts, finding)]
}

/// Every look-up that decides something, once for each name and type.
fn lookups(facts: &Facts) -> Vec<&DnsAnswer> {
    let mut answers: Vec<&DnsAnswer> = facts.mx.answer.seen().into_iter().collect();
    answers.extend(&facts.mx.own_addresses);
    answers.extend(facts.hosts.iter().flat_map(|host| &host.lookups));
    let mut seen = std::collections::BTreeSet::new();
    answers.retain(|answer| seen.insert((answer.name.clone(), answer.record_type)));
    answers
}

fn failed(facts: &Facts) -> Vec<Finding> {
    let mut findings: Vec<Finding> = lookups(facts).into_iter().filter_map(failed_lookup).collect();
    // The two look-ups of one host share a cause; it is reported once, with both types.
    findings.dedup_by(|later, first| {
        let same = later.code == first.code && later.subject == first.subject;
        if same {
            first.evidence.append(&mut later.evidence);
        }
        same
    });
    findings.extend(dns_servers::refusing(facts));
    findings
}

fn failed_lookup(answer: &DnsAnswer) -> Option<Finding> {
    let bogus = Failure::Bogus(None);
    let failure = match &answer.outcome {
        Outcome::Failed(failure) => failure,
        Outcome::Found(_) | Outcome::NoData | Outcome::NoName
            if answer.authenticity == waxseal_proto::dns::Authenticity::Bogus =>
        {
            &bogus
        }
        Outcome::Found(_) | Outcome::NoData | Outcome::NoName => return None,
    };
    let (code, when, words) = match failure {
        Failure::Bogus(extended) => (
            Code::DnsDnssecBogus,
            ANY,
            extended.map_or_else(
                || "the signature does not verify".to_owned(),
                |code| format!("the signature does not verify, extended error {code}"),
            ),
        ),
        Failure::ServFail | Failure::Malformed => {
            (Code::DnsMxServfail, ANY, "the server failed (SERVFAIL)".to_owned())
        }
        Failure::OtherCode(code) => (Code::DnsMxServfail, ANY, format!("RCODE {code}")),
        Failure::TimedOut | Failure::Network => {
            (Code::DnsTimeout, ANY, "no answer within the limit".to_owned())
        }
        Failure::Truncated => {
            (Code::DnsTruncation, ANY, "truncated over UDP, and TCP failed".to_owned())
        }
        Failure::Refused | Failure::NotImplemented | Failure::NotAuthoritative => {
            (Code::DnsRefused, LOOKUP, "the look-up was refused".to_owned())
        }
    };
    Some(Finding::new(code, when, &answer.name).with(type_word(answer.record_type), words))
}

/// A record type as evidence names it.
pub(crate) const fn type_word(record_type: RecordType) -> &'static str {
    match record_type {
        RecordType::A => "A",
        RecordType::Aaaa => "AAAA",
        RecordType::Cname => "CNAME",
        RecordType::Mx => "MX",
        RecordType::Ns => "NS",
        RecordType::Ptr => "PTR",
        RecordType::Soa => "SOA",
        RecordType::Tlsa => "TLSA",
        RecordType::Txt => "TXT",
    }
}
