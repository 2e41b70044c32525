//! The way to a delivery service over HTTPS, judged by the rules of every other connection (RFC 9110 §4.2.2):
//! a call becomes facts of one host, and the rules of connection, handshake and certificate read them. The
//! ways in are [`not_connected`], [`handshake_failed`] and [`chain`]. A change must not judge a second time what a
//! rule judges.

use jiff::Timestamp;
use waxseal_proto::dns::MxExchange;
use waxseal_proto::finding::Code;
use waxseal_proto::name::{DomainName, Target};
use waxseal_proto::observation::{Observation, Reason};
use waxseal_proto::smtp::seen::{SessionEnd, SessionSeen, Stage};
use waxseal_proto::smtp::transcript::Transcript;
use waxseal_proto::tls::mode::Mode;
use waxseal_proto::tls::seen::{HandshakeEnd, HandshakeSeen};
use waxseal_proto::x509::{ChainQuery, ChainVerdict, ReferenceId, Roots, judge};

use super::connection::no_address;
use super::severity;
use crate::call::{CallEnd, CallSeen, CallStep};
use crate::facts::{AddressFacts, Facts, HostFacts, Path};
use crate::finding::{ANY, Finding, PATH_A, PATH_API, When};
use crate::question::{Connect, Peer, ProbeSeen};
use crate::registry::Rule;
use crate::rules::{self, tls_failure};
use crate::survey::Scope;

const API: &[When] = &[PATH_API];

/// What a wrong host in an app's settings explains over SMTP, and never here: with their case.
pub(super) const CASES: &[(Code, &[When])] = &[
    (Code::CertNameMismatch, API),
    (Code::TcpRefused, API),
    (Code::TlsAccessDenied, API),
    (Code::TlsAlpnRejected, API),
    (Code::TlsClientCertRejected, API),
    (Code::TlsClientCertRequired, API),
    (Code::TlsSniUnrecognized, API),
];

/// The judgement of a presented chain; `None` when none was seen.
pub(super) fn chain(
    handshake: &HandshakeSeen,
    host: &DomainName,
    roots: &Roots,
    now: Timestamp,
) -> Option<ChainVerdict> {
    let chain = handshake.chain.seen()?;
    Some(judge(&ChainQuery {
        chain,
        roots,
        reference: Some(&ReferenceId::Dns(host.clone())),
        now,
        crls: &[],
        max_depth: None,
        extra_intermediates: &[],
    }))
}

/// Why no connection came about.
pub(super) fn not_connected(call: &CallSeen, now: Timestamp) -> Vec<Finding> {
    if call.end == CallEnd::Unresolved {
        return vec![no_address(call.host.as_str(), &call.answers)];
    }
    let refused_here = call.connects.iter().find(|(_, connect)| *connect == Connect::GuardRefused);
    if let Some((address, _)) = refused_here {
        let finding = Finding::new(Code::InputTargetPrivate, ANY, &call.host);
        return vec![finding.with("address", address)];
    }
    judged(&facts(call, None, now), &[rules::tcp::RULES])
}

/// Why a handshake came to no verified session.
pub(super) fn handshake_failed(
    call: &CallSeen,
    chain: Option<&ChainVerdict>,
    now: Timestamp,
) -> Vec<Finding> {
    let facts = facts(call, chain, now);
    let mut findings = judged(&facts, &[rules::tls::RULES, rules::cert::RULES]);
    findings.sort_by_key(severity);
    if findings.is_empty() {
        // Octets that are neither TLS nor HTTP. After STARTTLS they have codes of their own.
        findings.extend(no_tls(call));
    }
    findings
}

fn no_tls(call: &CallSeen) -> Option<Finding> {
    let HandshakeEnd::Failed(failure) = &call.handshake.seen()?.end else { return None };
    let finding = Finding::new(Code::TlsProtocolError, PATH_A, &call.host);
    Some(finding.with("handshake", tls_failure::in_words(failure)))
}

/// What the rules say.
fn judged(facts: &Facts, areas: &[&[Rule]]) -> Vec<Finding> {
    let mut findings: Vec<Finding> =
        areas.iter().copied().flatten().flat_map(|rule| (rule.judge)(facts)).collect();
    for finding in &mut findings {
        if CASES.iter().any(|(code, _)| *code == finding.code) {
            finding.when = PATH_API;
        }
    }
    findings
}

fn facts(call: &CallSeen, chain: Option<&ChainVerdict>, now: Timestamp) -> Facts {
    let scope = Scope { port: call.port, ..Scope::full(Target::Domain(call.host.clone())) };
    let connected = |connect: &Connect| *connect == Connect::Connected;
    let addresses = call.connects.iter().map(|(address, connect)| AddressFacts {
        address: *address,
        probe: Observation::Observed(probe(call, connect)),
        chain: match chain {
            Some(chain) if connected(connect) => Observation::Observed(chain.clone()),
            Some(_) | None => Observation::NotObserved(Reason::EarlierStageFailed),
        },
        other_offers: Vec::new(),
        hellos: Vec::new(),
        answers_in: Observation::NotObserved(Reason::NotAsked),
    });
    let host = HostFacts {
        preference: 0,
        exchange: MxExchange::Host(call.host.clone()),
        peer: Observation::Observed(Peer::Host(call.host.clone())),
        lookups: call.answers.clone(),
        addresses: addresses.collect(),
        addresses_left_out: Vec::new(),
    };
    Facts { path: Path::ToService(Mode::Tls), hosts: vec![host], ..Facts::nothing_seen(scope, now) }
}

/// The handshake as the only part of a session that there was.
fn probe(call: &CallSeen, connect: &Connect) -> ProbeSeen {
    const EARLIER: Reason = Reason::EarlierStageFailed;
    const NOT_ASKED: Reason = Reason::NotAsked;
    let took = call.timings.iter().filter(|(step, _)| *step == CallStep::Handshake);
    let session = SessionSeen {
        stage: Stage::Handshake,
        end: SessionEnd::Stopped,
        first_octets: Vec::new(),
        greeting: Observation::NotObserved(NOT_ASKED),
        ehlo: Observation::NotObserved(NOT_ASKED),
        helo: Observation::NotObserved(NOT_ASKED),
        starttls: Observation::NotObserved(NOT_ASKED),
        injected: Vec::new(),
        handshake: call.handshake.clone(),
        ehlo_after_tls: Observation::NotObserved(NOT_ASKED),
        unfinished: None,
        quit: Observation::NotObserved(NOT_ASKED),
        close_notify: Observation::NotObserved(NOT_ASKED),
        transcript: Transcript::default(),
    };
    ProbeSeen {
        connect: connect.clone(),
        session: if *connect == Connect::Connected {
            Observation::Observed(session)
        } else {
            Observation::NotObserved(EARLIER)
        },
        timings: took.map(|(_, took)| (Stage::Handshake, *took)).collect(),
        judged: None,
    }
}
