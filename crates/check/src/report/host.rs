//! The published form of a mail host and its addresses.
//! It copies what was seen; a stage that was not reached stays empty.

use super::certificate::certificate;
use super::wire::{AddressV1, HostV1, TlsV1};
use crate::facts::{AddressFacts, Facts, HostFacts};
use crate::question::ProbeSeen;
use crate::rules::greeting::reply_text;
use crate::rules::sts::usable_policy;
use crate::rules::tcp::port_blocked_here;
use crate::rules::tls_failure::in_words;
use std::collections::BTreeMap;
use waxseal_proto::mta_sts::Mode;
use waxseal_proto::smtp::outcome::ProbeOutcome;
use waxseal_proto::smtp::seen::{SessionSeen, Stage};
use waxseal_proto::smtp::transcript::Line;
use waxseal_proto::tls::hello::NamedGroup;
use waxseal_proto::tls::seen::{HandshakeEnd, HandshakeSeen};

pub(crate) fn host(facts: &Facts, host: &HostFacts) -> HostV1 {
    let policy = usable_policy(facts).filter(|policy| policy.mode != Mode::None);
    HostV1 {
        host: host.name(),
        preference: host.preference,
        addresses: host.addresses.iter().map(|address| self::address(facts, address)).collect(),
        mta_sts_match: policy
            .zip(host.exchange.host())
            .map(|(policy, name)| policy.matching(name).is_some()),
        dane: None,
    }
}

fn address(facts: &Facts, address: &AddressFacts) -> AddressV1 {
    let session = address.session();
    let seen_ehlo = session.and_then(|session| session.ehlo.seen());
    AddressV1 {
        address: address.address.to_string(),
        outcome: outcome(facts, address).as_str().to_owned(),
        reply: session.and_then(deciding_reply),
        greeting: session.and_then(|session| session.greeting.seen()).map(reply_text),
        timings_ms: timings(address),
        extensions: seen_ehlo
            .map(|ehlo| {
                ehlo.extensions
                    .iter()
                    .map(|extension| (extension.keyword.clone(), extension.parameters.join(" ")))
                    .collect()
            })
            .unwrap_or_default(),
        tls: address.handshake().map(tls),
        certificate: address.chain.seen().map(certificate),
        transcript: session.map(transcript).unwrap_or_default(),
    }
}

/// The one word for an address.
pub(crate) fn outcome(facts: &Facts, address: &AddressFacts) -> ProbeOutcome {
    match address.probe.seen().map(ProbeSeen::outcome) {
        Some(ProbeOutcome::ConnectTimeout)
            if address.session().is_none() && port_blocked_here(facts) =>
        {
            ProbeOutcome::Port25BlockedHere
        }
        Some(outcome) => outcome,
        None => ProbeOutcome::NotTested,
    }
}

/// The reply of the stage at which the session stopped.
fn deciding_reply(session: &SessionSeen) -> Option<String> {
    let reply = match session.stage {
        Stage::Connect | Stage::Greeting => session.greeting.seen(),
        Stage::Ehlo => session.ehlo.seen().map(|ehlo| &ehlo.reply),
        Stage::StartTls | Stage::Handshake => session.starttls.seen(),
        Stage::EhloAfterTls => session.ehlo_after_tls.seen().map(|ehlo| &ehlo.reply),
        Stage::Quit => [
            session.ehlo_after_tls.seen().map(|ehlo| &ehlo.reply),
            session.starttls.seen(),
            session.ehlo.seen().map(|ehlo| &ehlo.reply),
            session.greeting.seen(),
        ]
        .into_iter()
        .flatten()
        .next(),
    };
    reply.map(reply_text)
}

fn timings(address: &AddressFacts) -> BTreeMap<String, f64> {
    let Some(probe) = address.probe.seen() else { return BTreeMap::new() };
    probe
        .timings
        .iter()
        .map(|(stage, took)| {
            let ms = (took.as_secs_f64() * 1_000_000.0).round() / 1000.0;
            (stage_word(*stage).to_owned(), ms)
        })
        .collect()
}

/// The word for a stage.
pub(crate) const fn stage_word(stage: Stage) -> &'static str {
    match stage {
        Stage::Connect => "connect",
        Stage::Greeting => "greeting",
        Stage::Ehlo => "ehlo",
        Stage::StartTls => "starttls",
        Stage::Handshake => "handshake",
        Stage::EhloAfterTls => "ehlo_after_tls",
        Stage::Quit => "quit",
    }
}

/// A handshake as published.
pub fn tls(handshake: &HandshakeSeen) -> TlsV1 {
    match &handshake.end {
        HandshakeEnd::Completed(session) => TlsV1 {
            version: Some(session.version.as_str().to_owned()),
            cipher: Some(session.suite.name()),
            group: session.group.map(NamedGroup::name),
            error: None,
            accepted: None,
        },
        HandshakeEnd::Failed(failure) => TlsV1 {
            version: None,
            cipher: None,
            group: None,
            error: Some(in_words(failure)),
            accepted: None,
        },
    }
}

/// A session line by line: `C:` for what was sent, `S:` for what came, `*:` for an event.
pub fn transcript(session: &SessionSeen) -> Vec<String> {
    session
        .transcript
        .lines
        .iter()
        .map(|line| match line {
            Line::Client(text) => format!("C: {text}"),
            Line::Server(text) => format!("S: {text}"),
            Line::Note(text) => format!("*: {text}"),
        })
        .collect()
}
