//! Rules of STARTTLS (RFC 3207). "Not offered" is only said of an address that answered EHLO properly.
//! Masking is told from absence, and a refusal from both.

use super::greeting::{reply_text, sessions, waited};
use super::tcp::at;
use crate::facts::{AddressFacts, Facts};
use crate::finding::{ANY, Finding, PATH_B, When};
use crate::registry::Rule;
use waxseal_proto::finding::Code;
use waxseal_proto::smtp::ehlo::greeting_is_masked;
use waxseal_proto::smtp::seen::{SessionEnd, SessionSeen, Stage};
use waxseal_proto::tls::seen::{HandshakeEnd, HandshakeFailure, Offer};

const B: &[When] = &[PATH_B];
const CASE: &[When] = &[ANY];

/// The rules of this area.
pub(crate) const RULES: &[Rule] = &[
    Rule {
        name: "starttls-missing",
        codes: &[(Code::StarttlsNotAdvertised, B), (Code::StarttlsStripped, B)],
        judge: missing,
    },
    Rule { name: "starttls-partial-mx", codes: &[(Code::StarttlsPartialMx, CASE)], judge: partial },
    Rule {
        name: "starttls-refused",
        codes: &[(Code::Starttls454, B), (Code::Starttls5xx, B)],
        judge: refused,
    },
    Rule {
        name: "starttls-injected-reply",
        codes: &[(Code::StarttlsInjectedReply, B)],
        judge: injected,
    },
    Rule { name: "starttls-hang", codes: &[(Code::StarttlsHang, B)], judge: hang },
    Rule {
        name: "starttls-offered-inside-tls",
        codes: &[(Code::StarttlsOfferedInsideTls, B)],
        judge: offered_inside,
    },
];

/// Whether EHLO was accepted and, if so, whether it offered STARTTLS.
fn offered(session: &SessionSeen) -> Option<bool> {
    let ehlo = session.ehlo.seen().filter(|ehlo| ehlo.accepted())?;
    Some(ehlo.offers("STARTTLS"))
}

/// Signs that a device on the way rewrites the session (rules §4.10).
fn masked(session: &SessionSeen) -> Option<String> {
    let keyword = session.ehlo.seen().and_then(|ehlo| ehlo.masked_keyword());
    keyword.map(str::to_owned).or_else(|| {
        let greeting = session.greeting.seen()?;
        greeting_is_masked(greeting).then(|| greeting.message())
    })
}

fn missing(facts: &Facts) -> Vec<Finding> {
    sessions(facts)
        .filter(|(_, _, session)| offered(session) == Some(false))
        .map(|(host, address, session)| match masked(session) {
            Some(mask) => Finding::new(Code::StarttlsStripped, PATH_B, at(host, address))
                .with("masked text", mask),
            None => Finding::new(Code::StarttlsNotAdvertised, PATH_B, at(host, address))
                .with("offered instead", keywords(session)),
        })
        .collect()
}

fn keywords(session: &SessionSeen) -> String {
    let words: Vec<&str> = session
        .ehlo
        .seen()
        .map(|ehlo| ehlo.extensions.iter().map(|e| e.keyword.as_str()).collect())
        .unwrap_or_default();
    if words.is_empty() { "no extensions at all".to_owned() } else { words.join(" ") }
}

fn partial(facts: &Facts) -> Vec<Finding> {
    let with = sessions(facts).any(|(_, _, session)| offered(session) == Some(true));
    let without: Vec<String> = sessions(facts)
        .filter(|(_, _, session)| offered(session) == Some(false))
        .map(|(host, address, _)| at(host, address))
        .collect();
    if !with || without.is_empty() {
        return Vec::new();
    }
    let finding = Finding::new(Code::StarttlsPartialMx, ANY, &facts.scope.target);
    vec![without.into_iter().fold(finding, |f, host| f.with("without STARTTLS", host))]
}

fn refused(facts: &Facts) -> Vec<Finding> {
    sessions(facts)
        .filter_map(|(host, address, session)| {
            let reply = session.starttls.seen()?;
            let code = match reply.code.number() {
                220 if reply.is_consistent() => return None,
                400..=499 => Code::Starttls454,
                _ => Code::Starttls5xx,
            };
            Some(
                Finding::new(code, PATH_B, at(host, address))
                    .with("answer to STARTTLS", reply_text(reply)),
            )
        })
        .collect()
}

fn injected(facts: &Facts) -> Vec<Finding> {
    sessions(facts)
        .filter(|(_, _, session)| !session.injected.is_empty())
        .map(|(host, address, session)| {
            Finding::new(Code::StarttlsInjectedReply, PATH_B, at(host, address))
                .with("octets that are not TLS", String::from_utf8_lossy(&session.injected))
        })
        .collect()
}

/// Whether the same handshake works once the hello fits one packet; then that is the finding.
pub(crate) fn small_hello_works(address: &AddressFacts) -> bool {
    address
        .other_offer(Offer::SmallHello)
        .and_then(|other| other.probe.session.seen()?.handshake.seen())
        .is_some_and(|handshake| matches!(handshake.end, HandshakeEnd::Completed(_)))
}

fn hang(facts: &Facts) -> Vec<Finding> {
    sessions(facts)
        .filter_map(|(host, address, session)| {
            let after_command = session.stage == Stage::StartTls
                && matches!(session.end, SessionEnd::TimedOut { .. });
            let silent = HandshakeEnd::Failed(HandshakeFailure::TimedOut { received: 0 });
            let after_hello = session.handshake.seen().is_some_and(|h| h.end == silent);
            let (what, stage) = if after_command {
                ("no reply to STARTTLS within", Stage::StartTls)
            } else if after_hello && !small_hello_works(address) {
                ("no ServerHello within", Stage::Handshake)
            } else {
                return None;
            };
            Some(
                Finding::new(Code::StarttlsHang, PATH_B, at(host, address))
                    .with(what, waited(address, stage)),
            )
        })
        .collect()
}

fn offered_inside(facts: &Facts) -> Vec<Finding> {
    sessions(facts)
        .filter(|(_, _, session)| {
            session.ehlo_after_tls.seen().is_some_and(|ehlo| ehlo.offers("STARTTLS"))
        })
        .map(|(host, address, _)| {
            Finding::new(Code::StarttlsOfferedInsideTls, PATH_B, at(host, address))
                .with("EHLO inside TLS", "lists STARTTLS again")
        })
        .collect()
}
