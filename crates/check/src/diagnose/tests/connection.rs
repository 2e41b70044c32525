//! From settings to the certificate: what the rules of a mail host say on path A, and which looks at other
//! pairs are asked for.

use super::*;
use crate::facts::Facts;
use crate::rules::cert::fault_finding_code;
use waxseal_proto::smtp::seen::SessionEnd;
use waxseal_proto::tls::hello::{HelloAnswer, HelloPlan};
use waxseal_proto::tls::requirement::MinimumVersion;
use waxseal_proto::tls::seen::Alert;
use waxseal_proto::x509::{Fault, read_certificates};

const AUTHORITY: &str = include_str!("authority.pem");
/// For `smtp.mailgun.org`, from the authority above, 24 November 2026 to 23 January 2027.
const SERVICE: &str = include_str!("service.pem");

fn alert(number: u8) -> HandshakeSeen {
    failed(HandshakeFailure::AlertReceived(Alert(number)))
}

/// An attempt over STARTTLS at the handshake: a failure, with the chain above if it got that far.
fn at_handshake(seen: &HandshakeSeen) -> SmtpTried {
    let replies = [GREETING, CLEAR_EHLO, GO];
    let session = play(Security::StartTls(secured()), deliver(), seen, &replies, Then::Close);
    attempt(Mode::Starttls, 587, Some(session))
}

/// A server with the certificate of another name, which our verifier refuses.
fn with_service_chain(host: &str, day: &str) -> SmtpTried {
    let refused = HandshakeFailure::Incompatible("invalid peer certificate".to_owned());
    let chain = Observation::Observed(read_certificates(SERVICE.as_bytes()).unwrap());
    SmtpTried {
        host: Peer::Host(DomainName::parse(host).unwrap()),
        at: format!("{day}T00:00:00Z").parse().unwrap(),
        roots: Arc::new(Roots::from_pem(AUTHORITY.as_bytes()).unwrap()),
        ..at_handshake(&HandshakeSeen { chain, ..failed(refused) })
    }
}

fn evidence(findings: &[Finding]) -> String {
    let all = findings.iter().flat_map(|finding| &finding.evidence);
    let lines: Vec<String> = all.map(|one| format!("{}: {}", one.label, one.value)).collect();
    lines.join("\n")
}

#[test]
fn the_shared_stages_have_their_codes_on_this_path() {
    let at_ehlo = |reply: &str| starttls(&[GREETING, reply]);
    let offered = |reply: &str| starttls(&[GREETING, CLEAR_EHLO, reply]);
    let masked = "250-smtp.example.com\r\n250 XXXXXXXA\r\n";
    let inside = "250-smtp.example.com\r\n250-STARTTLS\r\n250 AUTH PLAIN\r\n";
    let table: Vec<(SmtpTried, &[&str])> = vec![
        (starttls(&[]), &["greet-early-close"]),
        (starttls(&["421 4.3.2 later\r\n"]), &["greet-4xx"]),
        (starttls(&["HTTP/1.1 400 Bad Request\r\n"]), &["greet-not-smtp"]),
        (starttls(&["22x\r\n"]), &["greet-malformed"]),
        (at_ehlo("502 what?\r\n"), &["ehlo-rejected"]),
        (at_ehlo("501 5.5.4 bad name\r\n"), &["ehlo-name-rejected"]),
        (at_ehlo("450 later\r\n"), &["ehlo-temporary"]),
        (at_ehlo(masked), &["starttls-stripped"]),
        (offered("454 4.7.0 TLS not available\r\n"), &["starttls-454"]),
        (offered("502 5.5.1 no\r\n"), &["starttls-5xx"]),
        (offered("220 go\r\n250 injected\r\n"), &["starttls-injected-reply"]),
        (offered(""), &["tls-closed-mid"]),
        (at_handshake(&failed(HandshakeFailure::TimedOut { received: 0 })), &["starttls-hang"]),
        (at_handshake(&failed(HandshakeFailure::Reset)), &["tls-reset-mid"]),
        (at_handshake(&alert(70)), &["tls-version-too-old"]),
        (at_handshake(&alert(40)), &["tls-no-shared-cipher"]),
        (at_handshake(&alert(49)), &["tls-access-denied"]),
        (at_handshake(&alert(80)), &["tls-internal-error"]),
        (at_handshake(&alert(112)), &["tls-sni-unrecognized"]),
        (at_handshake(&alert(116)), &["tls-client-cert-required"]),
        (at_handshake(&alert(46)), &["tls-protocol-error"]),
        (at_handshake(&alert(51)), &["tls-integrity-error"]),
        (at_handshake(&alert(71)), &["tls-insufficient-security"]),
        (at_handshake(&alert(86)), &["tls-inappropriate-fallback"]),
        (at_handshake(&alert(120)), &["tls-alpn-rejected"]),
        (at_handshake(&failed(HandshakeFailure::RecordOverflow)), &["tls-record-overflow"]),
        (at_handshake(&failed(HandshakeFailure::Closed)), &["tls-closed-mid"]),
        (starttls(&[GREETING, CLEAR_EHLO, GO, "200 what?\r\n"]), &["ehlo-rejected"]),
        (
            at_handshake(&HandshakeSeen { certificate_requested: true, ..alert(48) }),
            &["tls-client-cert-rejected"],
        ),
        (starttls(&[GREETING, CLEAR_EHLO, GO]), &["greet-early-close"]),
        (starttls(&[GREETING, CLEAR_EHLO, GO, "554 no\r\n"]), &["tls-policy-after-handshake"]),
        (tls(465, &completed(), &[GREETING, "502 no\r\n"]), &["ehlo-rejected"]),
        (tls(465, &completed(), &["554 no\r\n"]), &["greet-5xx"]),
        (tls(465, &completed(), &[]), &["greet-early-close"]),
        (tls(993, &completed(), &["* OK IMAP4\r\n"]), &["tcp-wrong-port"]),
        (
            tls(465, &failed(HandshakeFailure::NotTls(b"SSH-2.0\r\n".to_vec())), &[]),
            &["greet-not-smtp"],
        ),
        (
            tls(465, &failed(HandshakeFailure::NotTls(b"554 no\r\n".to_vec())), &[]),
            &["greet-plain-port-with-tls"],
        ),
    ];
    for (tried, expected) in &table {
        check(tried, expected);
        for finding in diagnose(tried) {
            assert_ne!(finding.when, crate::finding::PATH_B, "{}", finding.code);
        }
    }
    assert!(has(&starttls(&[GREETING, CLEAR_EHLO, GO, inside]), "starttls-offered-inside-tls"));
}

#[test]
fn an_attempt_that_never_got_a_session_has_a_cause() {
    let local = |local_family_missing| Connect::Unreachable { local_family_missing };
    for (connect, expected) in [
        (Connect::Refused, "tcp-refused"),
        (Connect::Reset, "tcp-reset-early"),
        (Connect::TimedOut, "tcp-timeout"),
        (Connect::GuardRefused, "input-target-private"),
        (local(true), "tcp-unreachable"),
        (local(false), "tcp-unreachable"),
    ] {
        let connects = vec![(ADDRESS.parse().unwrap(), connect)];
        check(&SmtpTried { connects, ..attempt(Mode::Starttls, 587, None) }, &[expected]);
    }
}

#[test]
fn silence_and_slowness_are_told_apart() {
    let until = |replies: &[&str]| {
        let security = Security::StartTls(secured());
        let session = play(security, deliver(), &completed(), replies, Then::Silence);
        attempt(Mode::Starttls, 587, Some(session))
    };
    check(&until(&["220-wait"]), &["greet-tarpit"]);
    check(&until(&[GREETING]), &["ehlo-hang"]);
    check(&until(&[GREETING, CLEAR_EHLO]), &["starttls-hang"]);
    check(&until(&[GREETING, CLEAR_EHLO, GO]), &["ehlo-hang"]);
    check(&until(&[GREETING, CLEAR_EHLO, GO, EHLO]), &["auth-temporary"]);
    let long = format!("250-{}\r\n", "x".repeat(5000));
    check(&until(&[GREETING, &long]), &["ehlo-malformed"]);
    let mut slow = at_sign_in("535 5.7.8 no\r\n");
    slow.timings = vec![(Step::Greeting, Duration::from_secs(9))];
    check(&slow, &["auth-bad-credentials"]);
    assert!(has(&slow, "greet-delay"));
}

#[test]
fn a_version_below_the_one_asked_for_is_the_cause() {
    let HandshakeEnd::Completed(session) = completed().end else { panic!("not completed") };
    let old =
        handshake(HandshakeEnd::Completed(TlsSession { version: TlsVersion::Tls12, ..session }));
    let requirement = Requirement { minimum: MinimumVersion::Tls13 };
    let security = Security::StartTls(Secured { requirement, ..secured() });
    let replies = [GREETING, CLEAR_EHLO, GO, "221 bye\r\n"];
    let session = play(security, deliver(), &old, &replies, Then::Close);
    let tried = attempt(Mode::Starttls, 587, Some(session));
    check(&tried, &["tls13-missing"]);
    let findings = published(&diagnose(&tried), HOST);
    assert_eq!(findings.first().map(|finding| finding.severity.as_str()), Some("fail"));
}

#[test]
fn a_certificate_for_another_name_says_whose_it_is() {
    let tried = with_service_chain(HOST, "2026-12-01");
    check(&tried, &["cert-name-mismatch"]);
    let shown = evidence(&diagnose(&tried));
    for part in
        ["smtp.mailgun.org", "the name belongs to: Mailgun", "https://documentation.mailgun"]
    {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    assert!(!has(&tried, "tls-no-shared-cipher"), "a cause is reported once");

    check(&with_service_chain("smtp.mailgun.org", "2027-02-01"), &["cert-expired"]);
    let stranger = SmtpTried {
        roots: Arc::new(Roots::default()),
        ..with_service_chain("smtp.mailgun.org", "2026-12-01")
    };
    check(&stranger, &["cert-private-ca"]);
}

#[test]
fn a_pinned_key_is_the_only_judge() {
    let tried = with_service_chain(HOST, "2036-12-01");
    let other = SmtpTried { pinned_key: Some([7; 32]), ..tried };
    check(&other, &["cert-key-not-pinned"]);
    assert_eq!(diagnose(&other).len(), 1, "names and dates do not count");
    let key = "17517d02d5e2ce7332e3ba31be1414fb651ddd144cab93130ba35c12f9a927af";
    let octet = |at: usize| u8::from_str_radix(&key[2 * at..2 * at + 2], 16).unwrap();
    let right = SmtpTried { pinned_key: Some(std::array::from_fn(octet)), ..other };
    assert!(!has(&right, "cert-key-not-pinned"));
}

#[test]
fn faults_of_signatures_and_length_have_their_own_codes() {
    let subject = || "x".to_owned();
    for (fault, expected) in [
        (Fault::BadSignature { subject: subject() }, Code::CertBadSignature),
        (
            Fault::UnsupportedAlgorithm { algorithm: subject(), subject: subject() },
            Code::CertBadSignature,
        ),
        (Fault::ChainTooLong { certificates: 99, limit: 10 }, Code::CertChainTooLong),
        (Fault::Revoked, Code::CertRevoked),
        (Fault::Unparsable { position: None, detail: subject() }, Code::CertUnparsable),
        (Fault::KeyNotPinned { presented: subject() }, Code::CertKeyNotPinned),
    ] {
        assert_eq!(fault_finding_code(&fault), expected);
    }
}

#[test]
fn addresses_that_fail_beside_one_that_works_are_not_the_cause() {
    let mut tried = at_sign_in("535 5.7.8 no\r\n");
    tried.connects.insert(0, ("2001:db8::7".parse().unwrap(), Connect::Refused));
    check(&tried, &["auth-bad-credentials"]);
    assert!(has(&tried, "tcp-ipv6-broken") && !has(&tried, "tcp-mx-partial"));
}

#[test]
fn port_25_is_called_closed_only_when_another_port_answers() {
    let silent = |port| SmtpTried {
        connects: vec![(ADDRESS.parse().unwrap(), Connect::TimedOut)],
        ..attempt(Mode::Starttls, port, None)
    };
    check(&silent(25), &["tcp-timeout"]);
    let mut tried = silent(25);
    tried.other_pairs = vec![PairTried {
        connects: vec![(ADDRESS.parse().unwrap(), Connect::Connected)],
        ..looked(587, Mode::Starttls)
    }];
    check(&tried, &["tcp-port25-blocked"]);
    assert!(evidence(&diagnose(&tried)).contains("answers too: port 587 with STARTTLS"));
    let mut tried = SmtpTried { port: 2526, ..tried };
    check(&tried, &["tcp-timeout"]);
    tried.other_pairs.clear();
    assert_eq!(other_pairs(&tried).len(), 3);
}

#[test]
fn looks_are_asked_for_only_where_they_can_tell() {
    let refused = attempt(Mode::Starttls, 587, None);
    assert_eq!(other_pairs(&refused), [(465, Mode::Tls), (2525, Mode::Starttls)]);
    let known =
        SmtpTried { host: Peer::Host(DomainName::parse("smtp.fastmail.com").unwrap()), ..refused };
    assert_eq!(other_pairs(&known), [(465, Mode::Tls)], "the documented pairs of the service");
    for tried in [
        unresolved(),
        starttls(&["554 5.7.1 no\r\n"]),
        starttls(&["HTTP/1.1 400 Bad Request\r\n"]),
        at_handshake(&alert(40)),
        at_sign_in("535 5.7.8 no\r\n"),
        tls(587, &failed(HandshakeFailure::NotTls(GREETING.as_bytes().to_vec())), &[]),
    ] {
        assert_eq!(other_pairs(&tried), [], "{:?}", diagnose(&tried).first());
    }
    let in_clear = in_clear(ClearText::Allowed, &[]);
    assert_eq!(other_pairs(&in_clear).first(), Some(&(25, Mode::Tls)));
}

#[test]
fn settings_that_contradict_themselves_are_told_before_the_first_connection() {
    let judged = |host: &str, port, security| -> Vec<&'static str> {
        let given = Settings { host, port, security, clear_text: ClearText::NotAllowed };
        settings(&given).into_iter().map(|finding| finding.code.as_str()).collect()
    };
    let mode = Chosen::Mode;
    for (host, port, security, expected) in [
        (HOST, 587, mode(Mode::Starttls), &[][..]),
        (HOST, 465, mode(Mode::Tls), &[]),
        (HOST, 2525, mode(Mode::Tls), &[]),
        (HOST, 465, mode(Mode::Starttls), &["input-mode-port-conflict"]),
        (HOST, 587, mode(Mode::Tls), &["input-mode-port-conflict"]),
        (HOST, 25, mode(Mode::Tls), &["input-mode-port-conflict"]),
        ("mail.smtp2go.com", 2525, mode(Mode::Tls), &["input-mode-port-conflict"]),
        ("mail.smtp2go.com", 8465, mode(Mode::Tls), &[]),
        (HOST, 587, mode(Mode::None), &["input-mode-none"]),
        (HOST, 587, Chosen::Optional, &["starttls-optional-in-settings"]),
        ("mail", 587, mode(Mode::Starttls), &["input-host-not-fqdn"]),
        ("localhost", 587, mode(Mode::Starttls), &[]),
        ("127.0.0.1", 587, mode(Mode::Starttls), &[]),
        ("192.0.2.7", 587, mode(Mode::Starttls), &["input-ip-literal-target"]),
        ("u@example.com", 587, mode(Mode::Starttls), &["input-address-or-url-given"]),
        ("", 587, mode(Mode::Starttls), &["input-empty"]),
        ("a..b", 587, mode(Mode::Starttls), &["input-domain-syntax"]),
        (HOST, 0, mode(Mode::Starttls), &["input-port-invalid"]),
    ] {
        assert_eq!(judged(host, port, security), expected, "{host}:{port} {security:?}");
    }
    for (word, expected) in [
        ("STARTTLS", Some(mode(Mode::Starttls))),
        ("none", Some(mode(Mode::None))),
        ("if-available", Some(Chosen::Optional)),
        ("ssl", None),
    ] {
        assert_eq!(Chosen::parse(word), expected, "{word}");
    }
}

#[test]
fn a_short_name_is_the_cause_of_what_it_leads_to() {
    let short = |tried| SmtpTried { host: Peer::Host(DomainName::parse("mail").unwrap()), ..tried };
    check(&short(unresolved()), &["input-host-not-fqdn", "dns-host-unresolvable"]);
    check(&short(at_sign_in("535 5.7.8 no\r\n")), &["auth-bad-credentials"]);
}

#[test]
fn what_the_server_lacks_for_a_message_is_told() {
    let with = |sender: &str, text: &[u8], onward, ehlo: &str| {
        let message = MessageData::new(text.to_vec()).unwrap();
        let sender = ReversePath::Mailbox(Mailbox::parse(sender).unwrap());
        let recipients = vec![Mailbox::parse("b@example.net").unwrap()];
        let transaction = Transaction::new(sender, recipients, message, onward).unwrap();
        let replies = [GREETING, CLEAR_EHLO, GO, ehlo, SIGNED_IN, "221 bye\r\n"];
        let security = Security::StartTls(secured());
        let session =
            play(security, Goal::Deliver(transaction), &completed(), &replies, Then::Close);
        attempt(Mode::Starttls, 587, Some(session))
    };
    let small = "250-smtp.example.com\r\n250-SIZE 10\r\n250 AUTH PLAIN\r\n";
    let (ascii, eight) = (b"Subject: a\r\n\r\nb\r\n", "Subject: a\r\n\r\nä\r\n".as_bytes());
    let none = Onward::Unspecified;
    check(&with("a@example.com", ascii, none, small), &["send-too-large"]);
    check(&with("a@example.com", eight, none, EHLO), &["send-format-invalid"]);
    check(&with("ä@example.com", ascii, none, EHLO), &["send-utf8-unsupported"]);
    let all_the_way = Onward::RequireTls;
    check(&with("a@example.com", ascii, all_the_way, EHLO), &["send-requiretls-unsupported"]);
    let out_of_step = format!("{EHLO}250 unasked\r\n");
    check(&starttls(&[GREETING, CLEAR_EHLO, GO, &out_of_step]), &["send-sequence-error"]);
}

#[test]
fn what_is_no_tls_inside_tls_is_no_polite_end() {
    let broken = |replies: &[&str]| {
        let plan = Security::StartTls(secured());
        let session = play(plan, deliver(), &completed(), replies, Then::BreakTls);
        attempt(Mode::Starttls, 587, Some(session))
    };
    let at_ehlo = broken(&[GREETING, CLEAR_EHLO, GO]);
    check(&at_ehlo, &["tls-protocol-error"]);
    assert!(evidence(&diagnose(&at_ehlo)).contains("no TLS of this session"));
    let in_message = broken(&[GREETING, CLEAR_EHLO, GO, EHLO, SIGNED_IN, OK, OK, DATA]);
    check(&in_message, &["send-ambiguous-end"]);
}

#[test]
fn only_a_session_turned_away_at_the_greeting_speaks_of_our_pace() {
    let limited = |answer: HelloAnswer| {
        let mut facts = super::super::connection::facts(&at_sign_in(SIGNED_IN));
        facts.hosts[0].addresses[0].hellos = vec![(HelloPlan::AnySuite, answer)];
        connection_findings(&facts).contains(&"tcp-connection-limited")
    };
    let not_reached = |stage, end| HelloAnswer::NotReached { stage, end };
    assert!(limited(not_reached(Stage::Greeting, SessionEnd::Closed)));
    assert!(limited(not_reached(Stage::Greeting, SessionEnd::Stopped)));
    for other in [
        not_reached(Stage::Ehlo, SessionEnd::Closed),
        not_reached(Stage::StartTls, SessionEnd::Stopped),
        HelloAnswer::Closed,
        HelloAnswer::TimedOut,
    ] {
        assert!(!limited(other.clone()), "{other:?}");
    }
}

fn connection_findings(facts: &Facts) -> Vec<&'static str> {
    let found = super::super::connection::findings(facts);
    found.iter().map(|finding| finding.code.as_str()).collect()
}
