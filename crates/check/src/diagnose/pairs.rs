//! Other pairs of port and mode of the same host (RFC 8314 §3.3 and §7.3): when one look at them is worth
//! it, and what it tells. The look carries no credential and no message, and nothing is changed by it: it is
//! evidence and a suggestion for a person.

use super::SmtpTried;
use super::connection::answers;
use crate::finding::Finding;
use crate::question::Connect;
use waxseal_proto::finding::Code;
use waxseal_proto::smtp::seen::{SessionEnd, Stage};
use waxseal_proto::tls::mode::Mode;
use waxseal_proto::tls::seen::{HandshakeEnd, HandshakeFailure};

/// The pairs that submission services listen on (RFC 8314 §3.3, RFC 6409 §3.1; 2525 by custom).
const USUAL: [(u16, Mode); 3] = [(587, Mode::Starttls), (465, Mode::Tls), (2525, Mode::Starttls)];

/// Which pairs deserve one look without credentials; usually none. An attempt that got as far as SMTP
/// needs none, and neither does one whose looks were taken already.
pub fn other_pairs(tried: &SmtpTried) -> Vec<(u16, Mode)> {
    if !tried.other_pairs.is_empty() {
        return Vec::new();
    }
    let same_port = [(tried.port, other_mode(tried.mode))];
    let elsewhere = usual(tried).into_iter().filter(|(port, _)| *port != tried.port);
    let same_port_first = match &tried.session {
        None if is_worth_a_look(tried) => return elsewhere.collect(),
        None => return Vec::new(),
        Some(seen) => match (seen.session.stage, &seen.session.end) {
            (
                Stage::Greeting,
                SessionEnd::Closed | SessionEnd::Reset | SessionEnd::TimedOut { .. },
            ) => seen.session.first_octets.is_empty() && seen.session.handshake.seen().is_none(),
            (Stage::Handshake, _) if tried.mode == Mode::Tls => {
                seen.session.handshake.seen().is_some_and(|handshake| match &handshake.end {
                    HandshakeEnd::Failed(failure) => matches!(
                        failure,
                        HandshakeFailure::Closed
                            | HandshakeFailure::Reset
                            | HandshakeFailure::TimedOut { received: 0 }
                    ),
                    HandshakeEnd::Completed(_) => false,
                })
            }
            _ => false,
        },
    };
    if same_port_first { same_port.into_iter().chain(elsewhere).collect() } else { Vec::new() }
}

/// Whether a connection that could not be had may be one to the wrong port.
fn is_worth_a_look(tried: &SmtpTried) -> bool {
    tried.connects.iter().any(|(_, connect)| {
        matches!(connect, Connect::Refused | Connect::Reset | Connect::TimedOut)
    })
}

/// The mode in which a port speaks that did not answer in this one.
const fn other_mode(mode: Mode) -> Mode {
    match mode {
        Mode::None | Mode::Starttls => Mode::Tls,
        Mode::Tls => Mode::Starttls,
    }
}

/// The documented pairs of the host's service, those that networks seldom block first, or the usual ones.
fn usual(tried: &SmtpTried) -> Vec<(u16, Mode)> {
    let Some(preset) = tried.preset() else { return USUAL.to_vec() };
    preset
        .alternatives(tried.port)
        .iter()
        .filter(|endpoint| endpoint.mode != Mode::None)
        .map(|endpoint| (endpoint.port, endpoint.mode))
        .take(USUAL.len())
        .collect()
}

/// Adds what the looks showed to the cause.
pub(super) fn suggest(tried: &SmtpTried, findings: &mut [Finding]) {
    let Some(cause) = findings.first_mut() else { return };
    let answering = tried
        .other_pairs
        .iter()
        .filter(|pair| pair.session.as_ref().is_some_and(answers))
        .map(|pair| format!("port {} {}", pair.port, in_words(pair.mode)));
    let mut evidence = cause.evidence.clone();
    evidence
        .extend(answering.map(|value| crate::finding::Evidence { label: "answers too", value }));
    cause.evidence = evidence;
    if let Some(preset) = tried.preset().filter(|_| !tried.other_pairs.is_empty()) {
        let page = preset.documentation.to_owned();
        cause
            .evidence
            .push(crate::finding::Evidence { label: "documentation of the service", value: page });
    }
}

/// The pairs under which the host was seen to answer: the other mode of the same port where the diagnosis says
/// that it is spoken there, then those that a look found.
pub fn suggestions(tried: &SmtpTried, findings: &[Finding]) -> Vec<(u16, Mode)> {
    let has = |code| findings.iter().any(|finding| finding.code == code);
    let same_port = match tried.mode {
        Mode::Tls if has(Code::GreetPlainPortWithTls) => Some((tried.port, Mode::Starttls)),
        Mode::None | Mode::Starttls if has(Code::GreetTlsPortInPlaintext) => {
            Some((tried.port, Mode::Tls))
        }
        Mode::None | Mode::Starttls | Mode::Tls => None,
    };
    let seen = tried
        .other_pairs
        .iter()
        .filter(|pair| pair.session.as_ref().is_some_and(answers))
        .map(|pair| (pair.port, pair.mode));
    let mut all: Vec<(u16, Mode)> = Vec::new();
    for pair in same_port.into_iter().chain(seen) {
        if !all.contains(&pair) && pair != (tried.port, tried.mode) && pair.1 != Mode::None {
            all.push(pair);
        }
    }
    all
}

/// A mode in words that stand after a port.
pub(super) const fn in_words(mode: Mode) -> &'static str {
    match mode {
        Mode::Starttls => "with STARTTLS",
        Mode::Tls => "with TLS from the start",
        Mode::None => "without TLS",
    }
}
