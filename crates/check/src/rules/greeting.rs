//! Rules of the SMTP greeting (RFC 5321 §3.1, §4.2, §4.5.3.1.5). A refusal at the greeting says nothing about
//! TLS.

use super::tcp::{addresses, at};
use crate::facts::{AddressFacts, Facts, HostFacts};
use crate::finding::{ANY, Finding, PATH_B, When};
use crate::question::Peer;
use crate::registry::Rule;
use waxseal_proto::deviation::Deviation;
use waxseal_proto::finding::Code;
use waxseal_proto::name::DomainName;
use waxseal_proto::smtp::outcome::ProbeOutcome;
use waxseal_proto::smtp::reply::{PartialReply, Reply};
use waxseal_proto::smtp::seen::{SessionEnd, SessionSeen, Stage};
use waxseal_proto::tls::hello::{HelloAnswer, HelloPlan};

const B: &[When] = &[PATH_B];
const CASE: &[When] = &[ANY];

/// The rules of this area.
pub(crate) const RULES: &[Rule] = &[
    Rule {
        name: "greeting-missing",
        codes: &[
            (Code::GreetNone, B),
            (Code::GreetTarpit, CASE),
            (Code::GreetEarlyClose, B),
            (Code::GreetTlsPortInPlaintext, CASE),
        ],
        judge: missing,
    },
    Rule { name: "greeting-slow", codes: &[(Code::GreetDelay, CASE)], judge: slow },
    Rule {
        name: "greeting-refused",
        codes: &[(Code::Greet4xx, B), (Code::Greet5xx, B)],
        judge: refused,
    },
    Rule {
        name: "greeting-not-smtp",
        codes: &[(Code::GreetNotSmtp, B), (Code::TcpWrongPort, CASE)],
        judge: not_smtp,
    },
    Rule {
        name: "greeting-form",
        codes: &[(Code::GreetOversizedLine, B), (Code::GreetMalformed, B)],
        judge: form,
    },
    Rule { name: "greeting-name", codes: &[(Code::GreetNameDiffers, CASE)], judge: name_differs },
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
        SessionEnd::Closed | SessionEnd::Reset | SessionEnd::TimedOut { .. } => false,
    };
    session.unfinished.as_ref().filter(|_| by_its_form && session.stage == stage)
}

fn missing(facts: &Facts) -> Vec<Finding> {
    sessions(facts)
        .filter_map(|(host, address, session)| missing_at(host, address, session))
        .collect()
}

fn missing_at(host: &HostFacts, address: &AddressFacts, session: &SessionSeen) -> Option<Finding> {
    let subject = at(host, address);
    let began = !session.first_octets.is_empty();
    match (session.stage, &session.end) {
        (Stage::Greeting, SessionEnd::TimedOut { .. } | SessionEnd::Closed) if !began => {
            if tls_at_once(address) {
                return Some(
                    Finding::new(Code::GreetTlsPortInPlaintext, ANY, subject)
                        .with("second connection", "a TLS handshake starts at once"),
                );
            }
            Some(if session.end == SessionEnd::Closed {
                Finding::new(Code::GreetEarlyClose, PATH_B, subject)
                    .with("closed", "after connecting, before any greeting")
            } else {
                Finding::new(Code::GreetNone, PATH_B, subject)
                    .with("waited for a greeting", waited(address, Stage::Greeting))
            })
        }
        // Lines ended by LF alone never end for a client that waits for CRLF: that is `greet-malformed`.
        (Stage::Greeting, SessionEnd::TimedOut { .. }) if unfinished_lf(session) => None,
        (Stage::Greeting, SessionEnd::TimedOut { received }) => Some(
            Finding::new(Code::GreetTarpit, ANY, subject)
                .with("octets of an unfinished greeting", received.max(&session.first_octets.len()))
                .with("slower than", waited(address, Stage::Greeting)),
        ),
        (Stage::Greeting, SessionEnd::Closed) if session.outcome() != ProbeOutcome::NotSmtp => {
            Some(
                Finding::new(Code::GreetEarlyClose, PATH_B, subject)
                    .with("closed", "in the middle of the greeting"),
            )
        }
        (Stage::Ehlo, SessionEnd::Closed | SessionEnd::Reset) => Some(
            Finding::new(Code::GreetEarlyClose, PATH_B, subject)
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

/// Whether a ClientHello as the first octets was answered by TLS.
fn tls_at_once(address: &AddressFacts) -> bool {
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
            Finding::new(Code::GreetDelay, ANY, at(host, address))
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
            Some(
                Finding::new(code, PATH_B, at(host, address))
                    .with("greeting", reply_text(reply))
                    .with("read as", session.outcome().as_str()),
            )
        })
        .collect()
}

/// The ports on which mail servers are expected; anything else found elsewhere is a wrong port.
const MAIL_PORTS: [u16; 4] = [25, 465, 587, 2525];

fn not_smtp(facts: &Facts) -> Vec<Finding> {
    sessions(facts)
        .filter(|(_, _, session)| session.outcome() == ProbeOutcome::NotSmtp)
        .map(|(host, address, session)| {
            let (code, when) = if MAIL_PORTS.contains(&facts.scope.port) {
                (Code::GreetNotSmtp, PATH_B)
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
        if session.outcome() == ProbeOutcome::NotSmtp {
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
                Finding::new(Code::GreetOversizedLine, PATH_B, &subject)
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
        let mut finding = Finding::new(Code::GreetMalformed, PATH_B, subject);
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
                Finding::new(Code::GreetNameDiffers, ANY, at(host, address)).with("greets as", name)
            })
        })
        .collect()
}
