//! Rules of STARTTLS (RFC 3207). "Not offered" is only said of an address that answered EHLO properly.
//! Masking is told from absence, and a refusal from both.

use super::greeting::{reply_text, sessions, unreadable_at, waited};
use super::tcp::at;
use crate::facts::{AddressFacts, Facts};
use crate::finding::{ANY, BOTH, Finding, When};
use crate::registry::Rule;
use waxseal_proto::deviation::Deviation;
use waxseal_proto::finding::Code;
use waxseal_proto::smtp::ehlo::greeting_is_masked;
use waxseal_proto::smtp::reply_class::{StartTlsClass, classify_starttls};
use waxseal_proto::smtp::seen::{SessionEnd, SessionSeen, Stage};
use waxseal_proto::tls::mode::Mode;
use waxseal_proto::tls::seen::{HandshakeEnd, HandshakeFailure, Offer};

const CASE: &[When] = &[ANY];

/// The rules of this area.
pub(crate) const RULES: &[Rule] = &[
    Rule {
        name: "starttls-missing",
        codes: &[(Code::StarttlsNotAdvertised, BOTH), (Code::StarttlsStripped, BOTH)],
        judge: missing,
    },
    Rule { name: "starttls-partial-mx", codes: &[(Code::StarttlsPartialMx, CASE)], judge: partial },
    Rule {
        name: "starttls-refused",
        codes: &[(Code::Starttls454, BOTH), (Code::Starttls5xx, BOTH)],
        judge: refused,
    },
    Rule {
        name: "starttls-injected-reply",
        codes: &[(Code::StarttlsInjectedReply, BOTH)],
        judge: injected,
    },
    Rule { name: "starttls-hang", codes: &[(Code::StarttlsHang, BOTH)], judge: hang },
    Rule {
        name: "starttls-offered-inside-tls",
        codes: &[(Code::StarttlsOfferedInsideTls, BOTH)],
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
        .filter(|(_, _, session)| {
            facts.path.mode() == Mode::Starttls && offered(session) == Some(false)
        })
        .map(|(host, address, session)| match masked(session) {
            Some(mask) => {
                Finding::new(Code::StarttlsStripped, facts.path.case(), at(host, address))
                    .with("masked text", mask)
            }
            None => Finding::new(Code::StarttlsNotAdvertised, facts.path.case(), at(host, address))
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
            let (code, answer) = refusal(session)?;
            Some(
                Finding::new(code, facts.path.case(), at(host, address))
                    .with("answer to STARTTLS", answer),
            )
        })
        .collect()
}

/// The code for an answer to STARTTLS that lets no TLS start, and the answer in words. Octets behind a
/// clean 220 are `starttls-injected-reply`, silence is `starttls-hang`, an end `tls-closed-mid`.
fn refusal(session: &SessionSeen) -> Option<(Code, String)> {
    if let Some(reply) = session.starttls.seen() {
        let code = match classify_starttls(reply) {
            StartTlsClass::Go => return None,
            StartTlsClass::Unavailable => Code::Starttls454,
            StartTlsClass::Malformed | StartTlsClass::Refused | StartTlsClass::Unexpected => {
                Code::Starttls5xx
            }
        };
        return Some((code, with_deviations(reply_text(reply), &reply.deviations)));
    }
    let unreadable = unreadable_at(session, Stage::StartTls)?;
    let text = format!("no SMTP reply: {}", unreadable.lines.join(" / "));
    Some((Code::Starttls5xx, with_deviations(text, &unreadable.deviations)))
}

fn with_deviations(text: String, deviations: &[Deviation]) -> String {
    if deviations.is_empty() {
        return text;
    }
    let words: Vec<&str> = deviations.iter().map(|deviation| deviation.as_str()).collect();
    format!("{text} ({})", words.join(", "))
}

fn injected(facts: &Facts) -> Vec<Finding> {
    sessions(facts)
        .filter(|(_, _, session)| !session.injected.is_empty())
        .map(|(host, address, session)| {
            Finding::new(Code::StarttlsInjectedReply, facts.path.case(), at(host, address))
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
            if facts.path.mode() != Mode::Starttls {
                return None;
            }
            let (what, stage) = if after_command {
                ("no reply to STARTTLS within", Stage::StartTls)
            } else if after_hello && !small_hello_works(address) {
                ("no ServerHello within", Stage::Handshake)
            } else {
                return None;
            };
            Some(
                Finding::new(Code::StarttlsHang, facts.path.case(), at(host, address))
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
            Finding::new(Code::StarttlsOfferedInsideTls, facts.path.case(), at(host, address))
                .with("EHLO inside TLS", "lists STARTTLS again")
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use waxseal_proto::name::DomainName;
    use waxseal_proto::smtp::session::{Action, ProbePlan, ProbeSession, Until};

    /// A session with a server that offers STARTTLS and answers it so.
    fn answered(starttls: &[u8]) -> SessionSeen {
        let replies =
            [b"220 mx\r\n", b"250-mx\r\n250 STARTTLS\r\n".as_slice(), starttls, b"221 bye\r\n"];
        let ehlo_name = DomainName::parse("client.example").unwrap().into();
        let mut session = ProbeSession::new(ProbePlan { ehlo_name, until: Until::Quit });
        let mut replies = replies.into_iter();
        loop {
            match session.poll_action() {
                Action::Read { .. } => match replies.next() {
                    Some(reply) => session.handle_bytes(reply),
                    None => session.handle_timed_out(),
                },
                Action::Write(_) | Action::Close => {}
                Action::StartTls => session.handle_timed_out(),
                Action::Done => return session.into_seen(),
            }
        }
    }

    #[test]
    fn every_answer_that_is_no_clean_go_has_a_code() {
        let cases: [(&[u8], Option<Code>); 9] = [
            (b"220 go\r\n", None),
            (b"220 go\r\n250 injected\r\n", None),
            (b"220 go", None),
            (b"454 later\r\n", Some(Code::Starttls454)),
            (b"554 no\r\n", Some(Code::Starttls5xx)),
            (b"250 fine\r\n", Some(Code::Starttls5xx)),
            (b"220 g\x01o\r\n", Some(Code::Starttls5xx)),
            (b"220-go\r\n250 go\r\n", Some(Code::Starttls5xx)),
            (b"ready\r\n", Some(Code::Starttls5xx)),
        ];
        for (wire, expected) in cases {
            let found = refusal(&answered(wire)).map(|(code, _)| code);
            assert_eq!(found, expected, "{:?}", String::from_utf8_lossy(wire));
        }
        let (_, words) = refusal(&answered(b"220 g\x01o\r\n")).unwrap();
        assert!(words.ends_with(&format!("({})", Deviation::ControlOctet.as_str())), "{words:?}");
    }
}
