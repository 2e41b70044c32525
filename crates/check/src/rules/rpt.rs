//! Rules of TLS reporting (RFC 8460 §3). Absence is a note. Nothing is ever sent to a report address.
//! A record that could not be looked up is no absence.

use crate::facts::{Facts, ReportEndpoint, ReportMailbox, RptFacts};
use crate::finding::{ANY, Finding, When};
use crate::question::{Connect, FetchEnd};
use crate::registry::Rule;
use crate::survey::rpt_record_set;
use waxseal_proto::dns::{MxSet, Outcome};
use waxseal_proto::finding::Code;
use waxseal_proto::name::DomainName;
use waxseal_proto::tls::seen::{HandshakeEnd, HandshakeFailure};
use waxseal_proto::tls_rpt::RecordSet;

const CASE: &[When] = &[ANY];

/// The rules of this area.
pub(crate) const RULES: &[Rule] = &[
    Rule {
        name: "rpt-record",
        codes: &[
            (Code::RptNone, CASE),
            (Code::RptMultiple, CASE),
            (Code::RptSyntax, CASE),
            (Code::RptRuaScheme, CASE),
        ],
        judge: record,
    },
    Rule {
        name: "rpt-destination",
        codes: &[(Code::RptRuaMailUndeliverable, CASE), (Code::RptRuaHttpsUnreachable, CASE)],
        judge: destination,
    },
    Rule { name: "rpt-external", codes: &[(Code::RptExternal, CASE)], judge: external },
];

fn record(facts: &Facts) -> Vec<Finding> {
    let Some(answer) = facts.rpt.seen().and_then(|rpt| rpt.record.seen()) else {
        return Vec::new();
    };
    let no_domain = facts.mx.set.seen() == Some(&MxSet::NoName);
    if no_domain || matches!(answer.outcome, Outcome::Failed(_)) {
        return Vec::new();
    }
    let new = |code| Finding::new(code, ANY, &facts.scope.target);
    match rpt_record_set(answer) {
        RecordSet::None => vec![new(Code::RptNone).with("TXT", "no record")],
        RecordSet::Multiple(texts) => {
            vec![texts.iter().fold(new(Code::RptMultiple), |f, text| f.with("TXT", text))]
        }
        RecordSet::NearMiss(texts) => {
            vec![texts.iter().fold(new(Code::RptSyntax), |f, text| f.with("TXT", text))]
        }
        RecordSet::Invalid(parse) | RecordSet::Valid(parse, _) => parse
            .codes()
            .into_iter()
            .map(|code| {
                parse
                    .errors
                    .iter()
                    .filter(|error| error.code() == code)
                    .fold(new(code), |f, error| f.with("record", error))
            })
            .collect(),
    }
}

fn destination(facts: &Facts) -> Vec<Finding> {
    let Some(rpt) = facts.rpt.seen() else { return Vec::new() };
    let mailboxes = rpt.mailboxes.iter().filter_map(|mailbox| {
        let words = mailbox_fault(mailbox)?;
        Some(
            Finding::new(Code::RptRuaMailUndeliverable, ANY, &facts.scope.target)
                .with("mail domain", &mailbox.domain)
                .with("why", words),
        )
    });
    let endpoints = rpt.endpoints.iter().filter_map(|endpoint| {
        let words = endpoint_fault(endpoint)?;
        Some(
            Finding::new(Code::RptRuaHttpsUnreachable, ANY, &facts.scope.target)
                .with("host", &endpoint.host)
                .with("why", words),
        )
    });
    mailboxes.chain(endpoints).collect()
}

fn mailbox_fault(mailbox: &ReportMailbox) -> Option<&'static str> {
    match MxSet::from_answer(mailbox.mx.seen()?) {
        MxSet::Null(_) => Some("it has a null MX"),
        MxSet::NoName => Some("it does not exist"),
        MxSet::NoData => {
            let absent = mailbox.addresses.len() == 2
                && mailbox
                    .addresses
                    .iter()
                    .all(|answer| matches!(answer.outcome, Outcome::NoData | Outcome::NoName));
            absent.then_some("it has no MX and no address")
        }
        MxSet::Failed(_) | MxSet::Hosts(_) | MxSet::NullMixed { .. } => None,
    }
}

fn endpoint_fault(endpoint: &ReportEndpoint) -> Option<&'static str> {
    let absent = endpoint.lookups.len() == 2
        && endpoint
            .lookups
            .iter()
            .all(|answer| matches!(answer.outcome, Outcome::NoData | Outcome::NoName));
    if absent {
        return Some("the name has no address");
    }
    match endpoint.reach.seen()? {
        FetchEnd::NotConnected(Connect::GuardRefused) => Some("its address is not public"),
        FetchEnd::NotConnected(_) => Some("no connection"),
        FetchEnd::TooSlow => Some("no answer in time"),
        // Reporters may ignore certificate errors here (RFC 8460 §5.4), but not a failed handshake.
        FetchEnd::TlsRefused(handshake) => match &handshake.end {
            HandshakeEnd::Completed(_) => None,
            HandshakeEnd::Failed(HandshakeFailure::Incompatible(_))
                if handshake.chain.seen().is_some_and(|chain| !chain.is_empty()) =>
            {
                None
            }
            HandshakeEnd::Failed(_) => Some("the TLS handshake fails"),
        },
        FetchEnd::HttpMalformed(_)
        | FetchEnd::Response(_)
        | FetchEnd::TlsEstablished
        | FetchEnd::TooLarge => None,
    }
}

fn external(facts: &Facts) -> Vec<Finding> {
    let Some(rpt) = facts.rpt.seen() else { return Vec::new() };
    let Some(domain) = facts.scope.target.domain() else { return Vec::new() };
    let hosts: Vec<&DomainName> =
        destinations(rpt).filter(|host| host.organizational() != domain.organizational()).collect();
    if hosts.is_empty() {
        return Vec::new();
    }
    let finding = Finding::new(Code::RptExternal, ANY, domain);
    vec![hosts.into_iter().fold(finding, |f, host| f.with("reports go to", host))]
}

fn destinations(rpt: &RptFacts) -> impl Iterator<Item = &DomainName> {
    let mailboxes = rpt.mailboxes.iter().map(|mailbox| &mailbox.domain);
    mailboxes.chain(rpt.endpoints.iter().map(|endpoint| &endpoint.host))
}
