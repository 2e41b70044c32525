//! Rules of the SMTP greeting (RFC 5321 §3.1, §4.2, §4.5.3.1.5). A refusal at the greeting says nothing about
//! TLS.

use super::tcp::{addresses, at};
use crate::facts::{AddressFacts, Facts, HostFacts, Path};
use crate::finding::{ANY, BOTH, Finding, When};
use crate::question::Peer;
use crate::registry::Rule;
use waxseal_proto::deviation::Deviation;
use waxseal_proto::finding::Code;
use waxseal_proto::name::DomainName;
use waxseal_proto::smtp::reply::{PartialReply, Reply};
use waxseal_proto::smtp::seen::{SessionEnd, SessionSeen, Stage};
use waxseal_proto::tls::hello::{HelloAnswer, HelloPlan};
use waxseal_proto::tls::mode::Mode;
use waxseal_proto::tls::seen::{HandshakeEnd, HandshakeFailure};
use waxseal_proto::tls::tap::{FirstOctets, first_octets};

const CASE: &[When] = &[ANY];

/// The rules of this area.
pub(crate) const RULES: &[Rule] = &[
    Rule {
        name: "greeting-missing",
        codes: &[
            (Code::GreetNone, BOTH),
            (Code::GreetTarpit, BOTH),
            (Code::GreetEarlyClose, BOTH),
            (Code::GreetTlsPortInPlaintext, CASE),
        ],
        judge: missing,
    },
    Rule {
        name: "greeting-before-tls",
        codes: &[(Code::GreetPlainPortWithTls, CASE)],
        judge: plain_port_with_tls,
    },
    Rule { name: "greeting-slow", codes: &[(Code::GreetDelay, BOTH)], judge: slow },
    Rule {
        name: "greeting-refused",
        codes: &[(Code::Greet4xx, BOTH), (Code::Greet5xx, BOTH)],
        judge: refused,
    },
    Rule {
        name: "greeting-not-smtp",
        codes: &[(Code::GreetNotSmtp, BOTH), (Code::TcpWrongPort, CASE)],
        judge: not_smtp,
    },
    Rule {
        name: "greeting-form",
        codes: &[(Code::GreetOversizedLine, BOTH), (Code::GreetMalformed, BOTH)],
        judge: form,
    },
    Rule { name: "greeting-name", codes: &[(Code::GreetNameDiffers, BOTH)], judge: name_differs },
];

type Seen<'a> = (&'a HostFacts, &'a AddressFacts, &'a SessionSeen);

/// Every session that was had, with its host and address.
pub(crate) fn sessions(facts: &Facts) -> impl Iterator<Item = Seen<'_>> {
    addresses(facts).filter_map(|(host, address)| Some((host, address, address.session()?)))
}

/// A reply on one line, as evidence.
pub(crate) fn reply_text(reply: &Reply) -> String {
    format!("{} {}", reply.code.number(), reply.lines.join(" / "))
}

/// What came at `stage` instead of a reply, when that ended the session: it had no reply code, or went over
/// a cap. A reply cut short by silence or by the end of the connection is not meant.
pub(crate) fn unreadable_at(session: &SessionSeen, stage: Stage) -> Option<&PartialReply> {
    let by_its_form = match session.end {
        SessionEnd::CapReached | SessionEnd::Complete | SessionEnd::Stopped => true,
        SessionEnd::Closed
        | SessionEnd::Reset
        | SessionEnd::TimedOut { .. }
        | SessionEnd::TlsBroken => false,
    };
    session.unfinished.as_ref().filter(|_| by_its_form && session.stage == stage)
}

fn missing(facts: &Facts) -> Vec<Finding> {
    sessions(facts)
        .filter_map(|(host, address, session)| missing_at(facts, host, address, session))
        .collect()
}

fn missing_at(
    facts: &Facts,
    host: &HostFacts,
    address: &AddressFacts,
    session: &SessionSeen,
) -> Option<Finding> {
    let subject = at(host, address);
    let case = facts.path.case();
    let began = !session.first_octets.is_empty();
    if handshake_failed(session) {
        return None;
    }
    if let Some(record) = tls_record(session) {
        return Some(
            Finding::new(Code::GreetTlsPortInPlaintext, ANY, subject)
                .with("in place of a greeting", record),
        );
    }
    match (session.stage, &session.end) {
        (Stage::Greeting, SessionEnd::TimedOut { .. } | SessionEnd::Closed) if !began => {
            if tls_at_once(address) {
                return Some(
                    Finding::new(Code::GreetTlsPortInPlaintext, ANY, subject)
                        .with("second connection", "a TLS handshake starts at once"),
                );
            }
            Some(if session.end == SessionEnd::Closed {
                Finding::new(Code::GreetEarlyClose, case, subject)
                    .with("closed", "after connecting, before any greeting")
            } else {
                Finding::new(Code::GreetNone, case, subject)
                    .with("waited for a greeting", waited(address, Stage::Greeting))
            })
        }
        // Lines ended by LF alone never end for a client that waits for CRLF: that is `greet-malformed`.
        (Stage::Greeting, SessionEnd::TimedOut { .. }) if unfinished_lf(session) => None,
        (Stage::Greeting, SessionEnd::TimedOut { received }) => Some(
            Finding::new(Code::GreetTarpit, case, subject)
                .with("octets of an unfinished greeting", received.max(&session.first_octets.len()))
                .with("slower than", waited(address, Stage::Greeting)),
        ),
        (Stage::Greeting, SessionEnd::Closed) if !speaks_something_else(session) => Some(
            Finding::new(Code::GreetEarlyClose, case, subject)
                .with("closed", "in the middle of the greeting"),
        ),
        (Stage::EhloAfterTls, SessionEnd::Closed | SessionEnd::Reset)
            if facts.path != Path::ToInbox =>
        {
            Some(
                Finding::new(Code::GreetEarlyClose, case, subject)
                    .with("closed", "after the handshake, before any answer to EHLO"),
            )
        }
        (Stage::Ehlo, SessionEnd::Closed | SessionEnd::Reset) => Some(
            Finding::new(Code::GreetEarlyClose, case, subject)
                .with("closed", "after the greeting, before any answer to EHLO"),
        ),
        _ => None,
    }
}

/// Whether the unfinished reply would have ended, had its line feeds counted.
fn unfinished_lf(session: &SessionSeen) -> bool {
    let unfinished = session.unfinished.as_ref();
    unfinished.is_some_and(|reply| reply.deviations.contains(&Deviation::BareLf))
}

fn handshake_failed(session: &SessionSeen) -> bool {
    session.handshake.seen().is_some_and(|seen| matches!(seen.end, HandshakeEnd::Failed(_)))
}

/// A TLS record where a greeting in clear text was awaited, in words.
fn tls_record(session: &SessionSeen) -> Option<String> {
    let awaited = session.stage == Stage::Greeting && session.handshake.seen().is_none();
    match first_octets(&session.first_octets) {
        FirstOctets::TlsAlert(alert) if awaited => {
            Some(format!("TLS alert {} {}", alert.0, alert.name()))
        }
        FirstOctets::TlsHandshake | FirstOctets::TlsIncomplete | FirstOctets::TlsOther(_)
            if awaited =>
        {
            Some("a TLS record".to_owned())
        }
        FirstOctets::Binary
        | FirstOctets::Nothing
        | FirstOctets::RecordTooLong { .. }
        | FirstOctets::SmtpReply { .. }
        | FirstOctets::Text
        | FirstOctets::TlsAlert(_)
        | FirstOctets::TlsHandshake
        | FirstOctets::TlsIncomplete
        | FirstOctets::TlsOther(_) => None,
    }
}

/// Octets in place of the first reply that no SMTP server sends: a reply begins with a digit. With TLS from
/// the first octet they also show at the handshake.
fn speaks_something_else(session: &SessionSeen) -> bool {
    let Some(first) = session.first_octets.first() else { return false };
    let at_greeting = session.stage == Stage::Greeting
        && session.greeting.seen().is_none()
        && !handshake_failed(session);
    let at_handshake = session.stage == Stage::Handshake && not_tls(session);
    !first.is_ascii_digit()
        && session.injected.is_empty()
        && tls_record(session).is_none()
        && (at_greeting || at_handshake)
}

fn not_tls(session: &SessionSeen) -> bool {
    session
        .handshake
        .seen()
        .is_some_and(|seen| matches!(seen.end, HandshakeEnd::Failed(HandshakeFailure::NotTls(_))))
}

/// TLS from the first octet towards a server that greets in clear text (rules §4).
fn plain_port_with_tls(facts: &Facts) -> Vec<Finding> {
    if facts.path.mode() != Mode::Tls {
        return Vec::new();
    }
    sessions(facts)
        .filter(|(_, _, session)| session.stage == Stage::Handshake)
        .filter_map(|(host, address, session)| {
            let finding = Finding::new(Code::GreetPlainPortWithTls, ANY, at(host, address));
            let answer = first_octets(&session.first_octets);
            if not_tls(session) && matches!(answer, FirstOctets::SmtpReply { .. }) {
                let text = String::from_utf8_lossy(&session.first_octets).into_owned();
                return Some(finding.with("answer to the first TLS octets", text.trim_end()));
            }
            let greets = address.answers_in.seen() == Some(&Mode::Starttls);
            (greets && handshake_failed(session)).then(|| {
                finding.with("second connection, in clear text", "greets as a mail server")
            })
        })
        .collect()
}

/// Whether TLS from the first octet was answered by TLS.
fn tls_at_once(address: &AddressFacts) -> bool {
    if address.answers_in.seen() == Some(&Mode::Tls) {
        return true;
    }
    matches!(
        address.hello(HelloPlan::ImplicitTls),
        Some(HelloAnswer::ServerHello(_) | HelloAnswer::Alert(_))
    )
}

/// How long a stage was waited for, for people.
pub(crate) fn waited(address: &AddressFacts, stage: Stage) -> String {
    address
        .took(stage)
        .map_or_else(|| "the limit".to_owned(), |took| format!("{:.1} s", took.as_secs_f64()))
}

fn slow(facts: &Facts) -> Vec<Finding> {
    sessions(facts)
        .filter(|(_, address, session)| {
            session.greeting.seen().is_some()
                && address.took(Stage::Greeting).is_some_and(|took| took >= facts.greeting_slow)
        })
        .map(|(host, address, _)| {
            Finding::new(Code::GreetDelay, facts.path.case(), at(host, address))
                .with("greeting after", waited(address, Stage::Greeting))
        })
        .collect()
}

fn refused(facts: &Facts) -> Vec<Finding> {
    sessions(facts)
        .filter_map(|(host, address, session)| {
            let reply = session.greeting.seen()?;
            let code = match reply.code.number() {
                400..=499 => Code::Greet4xx,
                500..=599 => Code::Greet5xx,
                _ => return None,
            };
            let finding = Finding::new(code, facts.path.case(), at(host, address))
                .with("greeting", reply_text(reply));
            // Inside TLS the outcome of the session speaks of TLS.
            let in_clear = facts.path.mode() != Mode::Tls;
            Some(if in_clear {
                finding.with("read as", session.outcome().as_str())
            } else {
                finding
            })
        })
        .collect()
}

/// The ports on which mail servers are expected; anything else found elsewhere is a wrong port.
const MAIL_PORTS: [u16; 4] = [25, 465, 587, 2525];

fn not_smtp(facts: &Facts) -> Vec<Finding> {
    sessions(facts)
        .filter(|(_, _, session)| speaks_something_else(session))
        .map(|(host, address, session)| {
            let (code, when) = if MAIL_PORTS.contains(&facts.scope.port) {
                (Code::GreetNotSmtp, facts.path.case())
            } else {
                (Code::TcpWrongPort, ANY)
            };
            Finding::new(code, when, at(host, address))
                .with("port", facts.scope.port)
                .with("first octets", String::from_utf8_lossy(&session.first_octets))
        })
        .collect()
}

/// Whether a deviation breaks the syntax of a reply.
pub(crate) const fn breaks_syntax(deviation: Deviation) -> bool {
    match deviation {
        Deviation::BareCr
        | Deviation::BareLf
        | Deviation::ControlOctet
        | Deviation::DifferingCodes
        | Deviation::MissingCode
        | Deviation::MissingFinalLine
        | Deviation::MissingSeparator => true,
        Deviation::KeywordSyntax
        | Deviation::LineOverCap
        | Deviation::LineOverStandard
        | Deviation::NonAscii
        | Deviation::OctetsOverCap
        | Deviation::TooManyLines => false,
    }
}

/// Whether a deviation is about size.
pub(crate) const fn too_large(deviation: Deviation) -> bool {
    matches!(
        deviation,
        Deviation::LineOverCap
            | Deviation::LineOverStandard
            | Deviation::OctetsOverCap
            | Deviation::TooManyLines
    )
}

fn form(facts: &Facts) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (host, address, session) in sessions(facts) {
        if speaks_something_else(session) || tls_record(session).is_some() {
            continue;
        }
        let subject = at(host, address);
        let cap = session.stage == Stage::Greeting && session.end == SessionEnd::CapReached;
        let unfinished = session.unfinished.as_ref().filter(|_| session.stage == Stage::Greeting);
        let deviations: &[Deviation] = match (session.greeting.seen(), unfinished) {
            (Some(greeting), _) => &greeting.deviations,
            (None, Some(reply)) => &reply.deviations,
            (None, None) => &[],
        };
        if cap || deviations.iter().copied().any(too_large) {
            let size = if cap { "beyond the hard limit" } else { "over 512 octets" };
            findings.push(
                Finding::new(Code::GreetOversizedLine, facts.path.case(), &subject)
                    .with("greeting line", size),
            );
        }
        // A reply that we stopped reading has no final line by our own doing.
        let cut_by_us = unfinished.is_some() && session.end != SessionEnd::Closed;
        let broken: Vec<&str> = deviations
            .iter()
            .filter(|deviation| breaks_syntax(**deviation))
            .filter(|deviation| !(cut_by_us && **deviation == Deviation::MissingFinalLine))
            .map(|deviation| deviation.as_str())
            .collect();
        let odd_code = session
            .greeting
            .seen()
            .filter(|reply| !matches!(reply.code.number(), 220 | 400..=599))
            .map(reply_text);
        if broken.is_empty() && odd_code.is_none() {
            continue;
        }
        let mut finding = Finding::new(Code::GreetMalformed, facts.path.case(), subject);
        for word in broken {
            finding = finding.with("departs from the standard", word);
        }
        if let Some(text) = odd_code {
            finding = finding.with("no greeting has this code", text);
        }
        findings.push(finding);
    }
    findings
}

/// The name in the greeting is for people; the certificate decides (RFC 7672 §3.2).
fn name_differs(facts: &Facts) -> Vec<Finding> {
    sessions(facts)
        .filter_map(|(host, address, session)| {
            let Some(Peer::Host(expected)) = host.peer.seen() else { return None };
            let greeting = session.greeting.seen().filter(|reply| reply.code.number() == 220)?;
            let word = greeting.lines.first()?.split_whitespace().next()?;
            let name = DomainName::parse(word).ok().filter(|name| name.as_str().contains('.'))?;
            (name != *expected).then(|| {
                Finding::new(Code::GreetNameDiffers, facts.path.case(), at(host, address))
                    .with("greets as", name)
            })
        })
        .collect()
}
