//! A table of attempts and the codes they lead to. Sessions are played by the real state machine against a
//! script, so that the facts are those that a driver would bring.

use super::*;
use crate::report::published;
use waxseal_proto::dns::{Authenticity, Outcome, QueryName, RecordType};
use waxseal_proto::name::{DomainName, Mailbox};
use waxseal_proto::observation::{Observation, Reason};
use waxseal_proto::secret::Secret;
use waxseal_proto::smtp::sasl::{Choice, ClientNonce, Credential, SignIn};
use waxseal_proto::smtp::session::Verified;
use waxseal_proto::smtp::submission::{
    Goal, Onward, Secured, Security, SubmissionAction, SubmissionPlan, SubmissionSession,
    Transaction,
};
use waxseal_proto::smtp::{MessageData, ReversePath};
use waxseal_proto::tls::danger::ClearTextAllowance;
use waxseal_proto::tls::requirement::Requirement;
use waxseal_proto::tls::seen::{
    CipherSuite, HandshakeEnd, HandshakeFailure, HandshakeSeen, TlsSession, TlsVersion,
};

const HOST: &str = "smtp.example.com";
const ADDRESS: &str = "192.0.2.7";
const GREETING: &str = "220 smtp.example.com ESMTP\r\n";
const CLEAR_EHLO: &str = "250-smtp.example.com\r\n250 STARTTLS\r\n";
const GO: &str = "220 go\r\n";
const EHLO: &str = "250-smtp.example.com\r\n250 AUTH PLAIN LOGIN\r\n";
const SIGNED_IN: &str = "235 2.7.0 ok\r\n";
const OK: &str = "250 ok\r\n";
const DATA: &str = "354 go\r\n";

/// What the server does once the script is at its end.
#[derive(Clone, Copy, PartialEq)]
enum Then {
    Close,
    Silence,
}

fn handshake(end: HandshakeEnd) -> HandshakeSeen {
    let chain = Observation::NotObserved(Reason::NotAsked);
    HandshakeSeen { chain, certificate_requested: false, end }
}

fn completed() -> HandshakeSeen {
    handshake(HandshakeEnd::Completed(TlsSession {
        version: TlsVersion::Tls13,
        suite: CipherSuite(0x1301),
        group: waxseal_proto::tls::hello::NamedGroup(0x11ec).into(),
        ocsp_staple: Vec::new(),
    }))
}

fn failed(failure: HandshakeFailure) -> HandshakeSeen {
    handshake(HandshakeEnd::Failed(failure))
}

fn secured() -> Secured {
    let credential = Credential::Password(Secret::new("canary-4711".to_owned()));
    let nonce = ClientNonce::from_random([1; 18]);
    let sign_in = SignIn::new("u@example.com", credential, Choice::Automatic, nonce).unwrap();
    Secured { requirement: Requirement::default(), sign_in: Some(sign_in) }
}

fn deliver() -> Goal {
    let mailbox = |text| Mailbox::parse(text).unwrap();
    let message = MessageData::new(b"Subject: a\r\n\r\nb\r\n".to_vec()).unwrap();
    let sender = ReversePath::Mailbox(mailbox("a@example.com"));
    let recipients = vec![mailbox("b@example.net")];
    Goal::Deliver(Transaction::new(sender, recipients, message, Onward::Unspecified).unwrap())
}

/// Plays a session: each read takes the next reply.
fn play(
    security: Security,
    goal: Goal,
    tls: &HandshakeSeen,
    replies: &[&str],
    then: Then,
) -> SubmissionSeen {
    let ehlo_name = DomainName::parse("client.example").unwrap().into();
    let plan = SubmissionPlan { ehlo_name, security, goal };
    let mut session = SubmissionSession::new(plan, ADDRESS.parse().unwrap());
    let mut replies = replies.iter();
    loop {
        let action = session.poll_action();
        while session.poll_event().is_some() {}
        match action {
            SubmissionAction::Read { .. } => match (replies.next(), then) {
                (Some(reply), _) => session.handle_bytes(reply.as_bytes()),
                (None, Then::Close) => session.handle_closed(),
                (None, Then::Silence) => session.handle_timed_out(),
            },
            SubmissionAction::Write(_) | SubmissionAction::Close => {}
            SubmissionAction::StartTls => session.handle_handshake(tls.clone(), Verified::Yes),
            SubmissionAction::Done => return session.into_seen(),
        }
    }
}

fn attempt(mode: Mode, port: u16, session: Option<SubmissionSeen>) -> SmtpTried {
    let connect = if session.is_some() { Connect::Connected } else { Connect::Refused };
    SmtpTried {
        host: Peer::Host(DomainName::parse(HOST).unwrap()),
        port,
        mode,
        answers: Vec::new(),
        connects: vec![(ADDRESS.parse().unwrap(), connect)],
        session,
        timings: Vec::new(),
        other_pairs: Vec::new(),
        at: Timestamp::UNIX_EPOCH,
        roots: Arc::new(Roots::default()),
        pinned_key: None,
    }
}

/// An attempt over STARTTLS in which the server says this, then closes.
fn starttls(replies: &[&str]) -> SmtpTried {
    let session =
        play(Security::StartTls(secured()), deliver(), &completed(), replies, Then::Close);
    attempt(Mode::Starttls, 587, Some(session))
}

/// As [`starttls`], up to the sign-in, with this answer to it.
fn at_sign_in(reply: &str) -> SmtpTried {
    starttls(&[GREETING, CLEAR_EHLO, GO, EHLO, reply, "221 bye\r\n"])
}

/// As [`starttls`], signed in, with these answers to MAIL, RCPT, DATA and the message.
fn in_transfer(replies: &[&str]) -> SmtpTried {
    let before = [GREETING, CLEAR_EHLO, GO, EHLO, SIGNED_IN];
    starttls(&[&before, replies, &["221 bye\r\n"]].concat())
}

/// An attempt with TLS from the first octet.
fn tls(port: u16, tls: &HandshakeSeen, replies: &[&str]) -> SmtpTried {
    let session = play(Security::Tls(secured()), deliver(), tls, replies, Then::Close);
    attempt(Mode::Tls, port, Some(session))
}

fn pair(port: u16, mode: Mode, session: Option<SubmissionSeen>) -> PairTried {
    PairTried { port, mode, connects: Vec::new(), session }
}

fn nobody() -> Secured {
    Secured { requirement: Requirement::default(), sign_in: None }
}

/// A look at a pair that works.
fn looked(port: u16, mode: Mode) -> PairTried {
    let session = match mode {
        Mode::Tls => {
            let replies = [GREETING, EHLO, "221 bye\r\n"];
            play(Security::Tls(nobody()), Goal::Verify, &completed(), &replies, Then::Close)
        }
        Mode::Starttls | Mode::None => {
            let replies = [GREETING, CLEAR_EHLO, GO, EHLO, "221 bye\r\n"];
            play(Security::StartTls(nobody()), Goal::Verify, &completed(), &replies, Then::Close)
        }
    };
    pair(port, mode, Some(session))
}

fn silent(mode: Mode, port: u16) -> SmtpTried {
    let session = play(Security::StartTls(secured()), deliver(), &completed(), &[], Then::Silence);
    attempt(mode, port, Some(session))
}

fn unresolved() -> SmtpTried {
    let name = DomainName::parse(HOST).unwrap();
    let answers = [RecordType::A, RecordType::Aaaa].map(|record_type| DnsAnswer {
        name: QueryName::from(&name),
        record_type,
        outcome: Outcome::NoName,
        authenticity: Authenticity::Insecure,
        aliases: Vec::new(),
        ttl_s: None,
        authoritative: false,
        over_tcp: false,
    });
    SmtpTried {
        answers: answers.to_vec(),
        connects: Vec::new(),
        ..attempt(Mode::Starttls, 587, None)
    }
}

fn in_clear(replies: &[&str]) -> SmtpTried {
    let allowance = ClearTextAllowance::for_loopback("127.0.0.1".parse().unwrap()).unwrap();
    let session = play(Security::None(allowance), deliver(), &completed(), replies, Then::Close);
    attempt(Mode::None, 25, Some(session))
}

#[track_caller]
fn check(tried: &SmtpTried, expected: &[&str]) {
    let findings = diagnose(tried);
    let codes: Vec<&str> = findings.iter().map(|finding| finding.code.as_str()).collect();
    let shown = codes.get(..expected.len()).unwrap_or(&codes);
    assert_eq!(shown, expected, "all: {codes:?}");
    let published = published(&findings, HOST);
    assert_eq!(published.len(), findings.len(), "a finding without words: {codes:?}");
}

#[test]
fn the_cause_comes_first() {
    let plain = failed(HandshakeFailure::NotTls(GREETING.as_bytes().to_vec()));
    let alert = "\u{15}\u{3}\u{1}\0\u{2}\u{2}\u{46}";
    let table: Vec<(SmtpTried, &[&str])> = vec![
        (unresolved(), &["dns-host-unresolvable"]),
        (attempt(Mode::Starttls, 587, None), &["tcp-refused"]),
        (silent(Mode::Starttls, 2525), &["greet-none"]),
        (starttls(&[alert]), &["greet-tls-port-in-plaintext"]),
        (tls(587, &plain, &[]), &["greet-plain-port-with-tls", "input-mode-port-conflict"]),
        (tls(465, &completed(), &["* OK IMAP\r\n"]), &["greet-not-smtp"]),
        (starttls(&["554 5.7.1 no\r\n"]), &["greet-5xx"]),
        (starttls(&[GREETING, "250 smtp.example.com\r\n"]), &["starttls-not-advertised"]),
        (at_sign_in("535 5.7.8 no\r\n"), &["auth-bad-credentials"]),
        (in_transfer(&[OK, "550 5.1.1 unknown\r\n"]), &["send-recipient-unknown"]),
        (in_transfer(&["451 4.3.0 later\r\n"]), &["send-temporary"]),
        (in_transfer(&[OK, OK, DATA, "554 5.0.0 no\r\n"]), &["send-permanent"]),
        (in_clear(&[GREETING, OK, OK, OK, DATA, OK]), &["input-mode-none"]),
    ];
    for (tried, expected) in &table {
        check(tried, expected);
    }
}

#[test]
fn a_look_at_another_pair_proves_the_confusion_both_ways() {
    let mut tried = silent(Mode::Starttls, 465);
    assert_eq!(other_pairs(&tried).first(), Some(&(465, Mode::Tls)));
    tried.other_pairs = vec![looked(465, Mode::Tls)];
    check(&tried, &["greet-tls-port-in-plaintext", "input-mode-port-conflict"]);
    assert_eq!(other_pairs(&tried), []);

    let mut tried = tls(587, &failed(HandshakeFailure::TimedOut { received: 0 }), &[]);
    assert_eq!(other_pairs(&tried).first(), Some(&(587, Mode::Starttls)));
    check(&tried, &["tls-handshake-timeout", "input-mode-port-conflict"]);
    tried.other_pairs = vec![looked(587, Mode::Starttls)];
    check(&tried, &["greet-plain-port-with-tls", "input-mode-port-conflict"]);
}

#[test]
fn a_message_that_was_taken_has_no_cause() {
    let tried = in_transfer(&[OK, OK, DATA, "250 2.0.0 taken\r\n"]);
    assert!(diagnose(&tried).iter().all(|finding| severity(finding) > 0));
    assert_eq!(other_pairs(&tried), []);
}
