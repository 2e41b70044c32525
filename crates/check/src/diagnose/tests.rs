//! A table of attempts and the codes they lead to. Sessions are played by the real state machine against a
//! script, so that the facts are those that a driver would bring.

mod connection;

use super::*;
use crate::report::published;
use proptest::prelude::*;
use waxseal_proto::dns::{Authenticity, Outcome, QueryName, RecordType};
use waxseal_proto::name::{DomainName, Mailbox};
use waxseal_proto::observation::{Observation, Reason};
use waxseal_proto::secret::Secret;
use waxseal_proto::smtp::sasl::{Choice, ClientNonce, Credential, SignIn};
use waxseal_proto::smtp::session::Verified;
use waxseal_proto::smtp::submission::{
    Goal, Onward, Secured, Security, SubmissionAction, SubmissionOutcome, SubmissionPlan,
    SubmissionSession, Transaction,
};
use waxseal_proto::smtp::{MessageData, ReversePath};
use waxseal_proto::tls::danger::{ClearTextAllowance, Exception};
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
    BreakTls,
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
                (None, Then::BreakTls) => session.handle_tls_broken(),
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
        unreadable: 0,
    });
    SmtpTried {
        answers: answers.to_vec(),
        connects: Vec::new(),
        ..attempt(Mode::Starttls, 587, None)
    }
}

/// An attempt without TLS, by a recorded exception, or by the leave for loopback that does not cover the
/// address.
fn in_clear(clear_text: ClearText, replies: &[&str]) -> SmtpTried {
    let times = ("2026-01-01T00:00:00Z".parse().unwrap(), "2026-02-01T00:00:00Z".parse().unwrap());
    let exception = Exception::grant("https://docs.example.com/relay", "old relay", times).unwrap();
    let allowance = match clear_text {
        ClearText::Allowed => ClearTextAllowance::by_exception(&exception, times.0),
        ClearText::NotAllowed => ClearTextAllowance::for_loopback([127, 0, 0, 1].into()),
    };
    let security = Security::None(allowance.unwrap());
    let session = play(security, deliver(), &completed(), replies, Then::Close);
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
        (in_clear(ClearText::NotAllowed, &[]), &["input-mode-none"]),
        (in_clear(ClearText::Allowed, &[GREETING, OK, OK, OK, DATA, OK]), &["input-mode-none"]),
        (
            in_clear(
                ClearText::Allowed,
                &[GREETING, OK, "530 5.7.0 Must issue a STARTTLS command first\r\n"],
            ),
            &["auth-530-starttls-first", "input-mode-none"],
        ),
    ];
    for (tried, expected) in &table {
        check(tried, expected);
    }
}

/// Nobody was asked for leave where nothing was reached: what failed is the connection, and the mode is told as
/// a warning.
#[test]
fn mode_none_that_reached_nothing_is_no_error_of_usage() {
    for connect in [Connect::Refused, Connect::TimedOut] {
        let tried = attempt(Mode::None, 25, None);
        let address = ADDRESS.parse().unwrap();
        let tried = SmtpTried { connects: vec![(address, connect.clone())], ..tried };
        let findings = published(&diagnose(&tried), HOST);
        let codes: Vec<(&str, &str)> =
            findings.iter().map(|each| (each.code.as_str(), each.severity.as_str())).collect();
        assert!(codes.first().is_some_and(|(code, _)| code.starts_with("tcp-")), "{codes:?}");
        assert!(codes.contains(&("input-mode-none", "warn")), "{codes:?}");
    }
}

#[test]
fn every_refused_sign_in_has_its_code() {
    let table: &[(&str, &str)] = &[
        ("535 5.7.8 authentication failed", "auth-bad-credentials"),
        ("535 no", "auth-bad-credentials"),
        ("534-5.7.9 Application-specific password required", "auth-app-password-needed"),
        ("535 5.7.8 an app password is needed", "auth-app-password-needed"),
        ("534 5.7.14 <https://accounts.example/signin> Please log in", "auth-web-login-needed"),
        ("534 5.7.9 mechanism too weak", "auth-mechanism-mismatch"),
        ("504 5.5.4 unrecognised mechanism", "auth-mechanism-mismatch"),
        ("432 4.7.12 a password transition is needed", "auth-mechanism-mismatch"),
        ("530 5.7.0 Must issue a STARTTLS command first", "auth-530-starttls-first"),
        ("530 5.7.0 Authentication required", "auth-530-auth-required"),
        ("538 5.7.11 encryption required", "auth-538-encryption-required"),
        ("550 5.7.30 Basic authentication is not supported", "auth-oauth-needed"),
        ("535 5.7.139 basic authentication is disabled", "auth-oauth-needed"),
        ("525 5.7.13 account disabled", "auth-account-disabled"),
        ("535 5.7.8 this account has been suspended", "auth-account-disabled"),
        ("454 4.7.0 temporary failure", "auth-temporary"),
        ("421 4.7.0 too many login attempts", "auth-temporary"),
        ("451 4.3.0 directory down", "auth-temporary"),
        ("501 5.5.2 cannot decode", "auth-exchange-broken"),
        ("500 5.5.6 line too long", "auth-exchange-broken"),
        ("535 5.7.8 192.0.2.1 is not an allowed address", "auth-network-not-allowed"),
        ("554 5.7.1 your IP is not on the list of this key", "auth-network-not-allowed"),
        ("552 5.3.0 no", "send-too-large"),
        ("554 5.0.0 no", "send-permanent"),
    ];
    for (reply, expected) in table {
        check(&at_sign_in(&line(reply)), &[expected]);
    }
}

/// A reply as it stands on the wire: the last line of `a\nb` is the final one.
fn line(reply: &str) -> String {
    let (code, text) = reply.split_at(3);
    let text = text.trim_start_matches([' ', '-']);
    let (before, last) = text.rsplit_once('\n').unwrap_or(("", text));
    let before =
        before.lines().fold(String::new(), |wire, line| format!("{wire}{code}-{line}\r\n"));
    format!("{before}{code} {last}\r\n")
}

#[test]
fn what_is_offered_for_sign_in_is_told() {
    let no_auth = "250 smtp.example.com\r\n";
    check(&starttls(&[GREETING, CLEAR_EHLO, GO, no_auth]), &["auth-not-advertised"]);
    let other = "250-smtp.example.com\r\n250 AUTH GSSAPI NTLM\r\n";
    check(&starttls(&[GREETING, CLEAR_EHLO, GO, other]), &["auth-mechanism-mismatch"]);
    let oauth = "250-smtp.example.com\r\n250 AUTH XOAUTH2 OAUTHBEARER\r\n";
    check(&starttls(&[GREETING, CLEAR_EHLO, GO, oauth]), &["auth-oauth-needed"]);

    let taken = [OK, OK, DATA, OK];
    assert!(has(&in_transfer(&taken), "auth-after-tls-only"));
    let early = "250-smtp.example.com\r\n250-AUTH PLAIN\r\n250 STARTTLS\r\n";
    let tried = starttls(&[&[GREETING, early, GO, EHLO, SIGNED_IN][..], &taken].concat());
    assert!(has(&tried, "auth-advertised-in-clear") && !has(&tried, "auth-after-tls-only"));
    assert!(!has(&tls(465, &completed(), &[GREETING, EHLO, SIGNED_IN]), "auth-after-tls-only"));
}

fn has(tried: &SmtpTried, code: &str) -> bool {
    diagnose(tried).iter().any(|finding| finding.code.as_str() == code)
}

#[test]
fn a_session_lost_at_sign_in_does_not_blame_the_password() {
    check(&starttls(&[GREETING, CLEAR_EHLO, GO, EHLO]), &["auth-temporary"]);
    check(&at_sign_in("hello?\r\n"), &["auth-exchange-broken"]);
    check(&at_sign_in("334 not base64!\r\n"), &["auth-exchange-broken"]);
}

#[test]
fn what_is_known_of_a_provider_explains_a_bare_refusal() {
    let refused = |host: &str| SmtpTried {
        host: Peer::Host(DomainName::parse(host).unwrap()),
        ..at_sign_in("535 5.7.8 no\r\n")
    };
    check(&refused("smtp.mail.me.com"), &["auth-app-password-needed"]);
    check(&refused("smtp-mail.outlook.com"), &["auth-oauth-needed"]);
    let zoho = diagnose(&refused("smtp.zoho.eu"));
    let evidence = &zoho.first().unwrap().evidence;
    assert!(evidence.iter().any(|e| e.value.contains("data centre")), "{evidence:?}");
}

/// Replies to MAIL.
const AT_MAIL: &[(&str, &str)] = &[
    ("550 5.7.1 no", "send-from-not-authorised"),
    (
        "553 5.7.1 <a@example.com>: Sender address rejected: not owned by user u",
        "send-from-not-authorised",
    ),
    (
        "550 5.7.60 SMTP; Client does not have permissions to send as this sender",
        "send-from-not-authorised",
    ),
    ("554 Message rejected: Email address is not verified", "send-from-not-authorised"),
    (
        "450 4.3.2 The from.email domain must be verified in your account",
        "send-from-not-authorised",
    ),
    ("550 5.7.27 sender address has null MX", "dns-null-mx-on-sender"),
    ("550 5.7.27 no", "dns-null-mx-on-sender"),
    ("550-5.7.27 this sender's SPF\n5.7.27 did not pass", "send-auth-rejected"),
    ("530 5.7.0 Authentication required", "auth-530-auth-required"),
    ("530 5.7.0 Must issue a STARTTLS command first", "auth-530-starttls-first"),
    ("550 5.7.30 Basic authentication is not supported for Client Submission", "auth-oauth-needed"),
    ("538 5.7.11 encryption required for this mechanism", "auth-538-encryption-required"),
    ("535 5.7.8 no longer signed in", "auth-bad-credentials"),
    ("552 5.3.4 message size exceeds fixed limit", "send-too-large"),
    ("552 no", "send-too-large"),
    ("503 5.5.1 EHLO first", "send-sequence-error"),
    ("421 4.7.29 no", "send-tls-required"),
    ("421 4.7.0 TLS required", "send-tls-required"),
    ("550 5.7.29 this message was not sent over TLS", "send-tls-required"),
    ("550 5.7.29 ARC validation failure", "send-auth-rejected"),
    ("550 5.7.10 encryption needed", "send-tls-required"),
    ("550 5.7.30 REQUIRETLS support required", "send-requiretls-unsupported"),
    ("550 5.4.5 Daily sending quota exceeded", "send-quota-exceeded"),
    ("452 4.5.3 too many recipients today", "send-quota-exceeded"),
    ("450 4.2.1 hourly limit of this account reached", "send-quota-exceeded"),
    ("421 4.7.28 unusual rate of mail", "send-rate-limited"),
    ("454 Throttling failure: Maximum sending rate exceeded", "send-rate-limited"),
    ("553 5.6.7 address needs SMTPUTF8", "send-utf8-unsupported"),
    ("550 your account has been suspended", "auth-account-disabled"),
    ("554 5.7.1 unauthorized IP address", "auth-network-not-allowed"),
    (
        "554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using a blocklist",
        "send-policy-rejected",
    ),
    ("451 4.3.0 later", "send-temporary"),
    ("550 no", "send-permanent"),
    ("354 go", "send-sequence-error"),
];
/// Replies to RCPT.
const AT_RCPT: &[(&str, &str)] = &[
    ("550 5.1.1 no such user", "send-recipient-unknown"),
    ("550 5.1.2 bad destination system", "send-recipient-unknown"),
    ("553 no", "send-recipient-unknown"),
    ("550 User unknown", "send-recipient-unknown"),
    ("556 5.1.10 recipient address has null MX", "send-recipient-unknown"),
    ("554 5.7.1 <b@example.net>: Relay access denied", "send-relay-denied"),
    ("550 relaying denied", "send-relay-denied"),
    ("551 user not local", "send-relay-denied"),
    ("554 5.7.1 authentication required to relay", "auth-530-auth-required"),
    ("452 4.2.2 mailbox full", "send-mailbox-full"),
    ("552 5.2.2 over quota", "send-mailbox-full"),
    ("450 4.7.1 greylisted", "send-greylisted"),
    ("451 4.7.1 please try again later", "send-greylisted"),
    ("450 4.2.1 too many messages for this mailbox", "send-rate-limited"),
    ("550 5.7.1 policy", "send-policy-rejected"),
    ("550 5.7.1 Recipient address rejected: Access denied", "send-policy-rejected"),
    ("550 5.7.25 the address has no PTR record", "send-policy-rejected"),
    ("450 4.3.0 later", "send-temporary"),
    ("554 5.0.0 no", "send-permanent"),
];
/// Replies to the message itself.
const AT_BODY: &[(&str, &str)] = &[
    ("554 5.7.1 spam message rejected", "send-content-blocked"),
    (
        "552-5.7.0 This message was blocked because its content\n5.7.0 presents a risk",
        "send-content-blocked",
    ),
    ("550 5.7.0 attachment not allowed", "send-content-blocked"),
    ("554 5.7.1 rejected, your IP address is listed for spam", "send-policy-rejected"),
    ("550 5.7.1 no", "send-policy-rejected"),
    ("550 5.7.26 no", "send-auth-rejected"),
    (
        "550 5.7.515 Access denied, sending domain does not meet the required authentication level",
        "send-auth-rejected",
    ),
    ("421 4.7.32 no", "send-auth-rejected"),
    ("550 5.7.30 DKIM did not pass", "send-auth-rejected"),
    ("550 5.7.1 rejected by the DMARC policy of the domain", "send-auth-rejected"),
    ("550 5.7.30 no", "send-policy-rejected"),
    ("500 line too long", "send-line-too-long"),
    ("554 5.6.0 a line of the message is longer: maximum line length is 998", "send-line-too-long"),
    ("521 5.5.2 mx.example.com Error: bare <LF> received", "send-bare-newline"),
    ("550 5.6.11 message contains bare LF", "send-bare-newline"),
    (
        "550 5.7.1 messages missing a valid Message-ID header are not accepted",
        "send-format-invalid",
    ),
    ("554 5.6.0 multiple From fields", "send-format-invalid"),
    ("552 5.3.4 message too big", "send-too-large"),
    ("550 5.4.5 daily limit", "send-quota-exceeded"),
    ("554 5.4.6 too many hops", "send-permanent"),
    ("451 4.3.0 later", "send-temporary"),
    ("554 5.0.0 no", "send-permanent"),
];

#[test]
fn a_refused_sign_in_accuses_no_server_of_a_missing_proof() {
    let scram = "250-smtp.example.com\r\n250 AUTH SCRAM-SHA-256\r\n";
    let refused = starttls(&[GREETING, CLEAR_EHLO, GO, scram, "535 5.7.8 no\r\n", "221 bye\r\n"]);
    check(&refused, &["auth-bad-credentials"]);
    let shown = |tried: &SmtpTried| {
        let findings = diagnose(tried);
        findings[0].evidence.iter().any(|one| one.value.contains("did not prove"))
    };
    assert!(!shown(&refused));
    let unproven = starttls(&[GREETING, CLEAR_EHLO, GO, scram, "235 2.7.0 ok\r\n", "221 bye\r\n"]);
    assert!(shown(&unproven));
}

#[test]
fn refusals_of_the_transaction_are_told_apart() {
    for (reply, expected) in AT_MAIL {
        check(&in_transfer(&[&line(reply)]), &[expected]);
    }
    for (reply, expected) in AT_RCPT {
        check(&in_transfer(&[OK, &line(reply)]), &[expected]);
    }
    for (reply, expected) in AT_BODY {
        check(&in_transfer(&[OK, OK, DATA, &line(reply)]), &[expected]);
    }
}

#[test]
fn codes_that_disagree_are_told_after_the_cause() {
    for (reply, expected) in [
        ("421 5.7.32 no", &["send-temporary", "send-class-conflict"]),
        ("421 5.7.1 slow down", &["send-rate-limited", "send-class-conflict"]),
        ("550 4.2.2 mailbox full", &["send-mailbox-full", "send-class-conflict"]),
        ("451 5.0.0 no", &["send-temporary", "send-class-conflict"]),
    ] {
        check(&in_transfer(&[OK, &line(reply)]), expected);
    }
    assert!(!has(&in_transfer(&[OK, "550 5.0.0 no\r\n"]), "send-class-conflict"));
}

#[test]
fn a_session_lost_in_the_transaction_is_temporary_and_after_the_message_uncertain() {
    let before = [GREETING, CLEAR_EHLO, GO, EHLO, SIGNED_IN];
    let cut = |replies: &[&str]| starttls(&[&before, replies].concat());
    check(&cut(&[OK, OK, DATA]), &["send-ambiguous-end"]);
    check(&cut(&[OK, OK]), &["send-temporary"]);
    check(&cut(&[OK]), &["send-temporary"]);
    check(&cut(&[]), &["send-temporary"]);
}

#[test]
fn a_look_at_another_pair_proves_the_confusion_both_ways() {
    let mut tried = silent(Mode::Starttls, 465);
    assert_eq!(other_pairs(&tried).first(), Some(&(465, Mode::Tls)));
    tried.other_pairs = vec![looked(465, Mode::Tls)];
    check(&tried, &["greet-tls-port-in-plaintext", "input-mode-port-conflict"]);
    assert_eq!(other_pairs(&tried), []);
    assert_eq!(suggestions(&tried, &diagnose(&tried)), [(465, Mode::Tls)]);

    let mut tried = tls(587, &failed(HandshakeFailure::TimedOut { received: 0 }), &[]);
    assert_eq!(other_pairs(&tried).first(), Some(&(587, Mode::Starttls)));
    check(&tried, &["tls-handshake-timeout", "input-mode-port-conflict"]);
    tried.other_pairs = vec![looked(587, Mode::Starttls)];
    check(&tried, &["greet-plain-port-with-tls", "input-mode-port-conflict"]);
    tried.other_pairs.extend([pair(25, Mode::Starttls, None), looked(465, Mode::Tls)]);
    let seen = suggestions(&tried, &diagnose(&tried));
    assert_eq!(seen, [(587, Mode::Starttls), (465, Mode::Tls)], "only what answered");
    // What was said in the open tells it without another look.
    let plain = tls(587, &failed(HandshakeFailure::NotTls(GREETING.as_bytes().to_vec())), &[]);
    assert_eq!(suggestions(&plain, &diagnose(&plain)), [(587, Mode::Starttls)]);
}

#[test]
fn a_refused_token_is_no_wrong_password() {
    let credential = Credential::Token(Secret::new("canary-token".to_owned()));
    let nonce = ClientNonce::from_random([1; 18]);
    let sign_in = SignIn::new("u@example.com", credential, Choice::Automatic, nonce).unwrap();
    let security = || {
        let sign_in = Some(sign_in.clone());
        Security::StartTls(Secured { requirement: Requirement::default(), sign_in })
    };
    let oauth = "250-smtp.example.com\r\n250 AUTH XOAUTH2 PLAIN\r\n";
    let before = [GREETING, CLEAR_EHLO, GO, oauth];
    let said = |replies: &[&str]| {
        let replies = [&before, replies].concat();
        let session = play(security(), deliver(), &completed(), &replies, Then::Close);
        attempt(Mode::Starttls, 587, Some(session))
    };
    // {"status":"401","schemes":"bearer"}
    let described = "334 eyJzdGF0dXMiOiI0MDEiLCJzY2hlbWVzIjoiYmVhcmVyIn0=\r\n";
    check(&said(&[described, "535 5.7.8 no\r\n"]), &["auth-oauth-token-invalid"]);
    check(&said(&["535 5.7.8 no\r\n"]), &["auth-oauth-token-invalid"]);
    check(&said(&["454 4.7.0 later\r\n"]), &["auth-temporary"]);
}

#[test]
fn a_message_that_was_taken_has_no_cause() {
    let tried = in_transfer(&[OK, OK, DATA, "250 2.0.0 taken\r\n"]);
    assert!(diagnose(&tried).iter().all(|finding| severity(finding) > 0));
    assert_eq!(other_pairs(&tried), []);
}

/// A reply with any text, or any octets in its place.
fn any_reply() -> impl Strategy<Value = String> {
    let code = prop_oneof![200_u16..=599, Just(220), Just(250), Just(334), Just(354), Just(535)];
    let enhanced = (2_u8..=5, 0_u16..=8, 0_u16..=40);
    prop_oneof![
        6 => (code, enhanced, ".{0,80}").prop_map(|(code, (class, subject, detail), text)| {
            format!("{code} {class}.{subject}.{detail} {text}\r\n")
        }),
        2 => ".{0,80}".prop_map(|text| format!("{text}\r\n")),
        1 => ".{0,40}",
    ]
}

proptest! {
    #[test]
    fn no_reply_is_without_words_and_none_makes_it_fail(
        known in 0_usize..=9,
        replies in proptest::collection::vec(any_reply(), 0..4),
        port in prop_oneof![Just(25_u16), Just(465), Just(587), any::<u16>()],
        silence in any::<bool>(),
    ) {
        let good = [GREETING, CLEAR_EHLO, GO, EHLO, SIGNED_IN, OK, OK, DATA, OK];
        let said: Vec<&str> =
            good.into_iter().take(known).chain(replies.iter().map(String::as_str)).collect();
        let then = if silence { Then::Silence } else { Then::Close };
        let session = play(Security::StartTls(secured()), deliver(), &completed(), &said, then);
        let failed = !matches!(session.outcome, SubmissionOutcome::Accepted);
        let tried = attempt(Mode::Starttls, port, Some(session));
        let findings = diagnose(&tried);
        prop_assert!(!failed || !findings.is_empty(), "no word about {said:?}");
        prop_assert_eq!(published(&findings, HOST).len(), findings.len());
        let _ = other_pairs(&tried);
    }
}
