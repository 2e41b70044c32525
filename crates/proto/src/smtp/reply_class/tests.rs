//! Tests of the classes of replies: each table row is a reply as servers send it.

use super::super::reply::{EnhancedCode, Reply, ReplyCode, parse_reply_file};
use super::{
    EhloClass, GreetingClass, Permanence, Scope, StartTlsClass, classify_ehlo, classify_greeting,
    classify_starttls, is_throttling,
};

fn reply(line: &str) -> Reply {
    parse_reply_file(format!("{line}\r\n").as_bytes()).unwrap().reply
}

#[test]
fn greetings() {
    use GreetingClass as G;
    for (line, class) in [
        ("220 mx.example ESMTP", G::Ready),
        ("220-mx.example\r\n220 ESMTP", G::Ready),
        ("220hi", G::Ready),
        ("220-hi\r\n250 ok", G::Malformed),
        ("221 Service closing transmission channel", G::Rejected),
        ("250 ok", G::Rejected),
        ("354 go", G::Rejected),
        ("530 Must issue STARTTLS first", G::Rejected),
        ("554 5.7.1 no SMTP service for you", G::Rejected),
        ("554 mail is not accepted; see our list of unlisted hosts", G::Rejected),
        (
            "554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org",
            G::ReputationBlocked,
        ),
        ("521 Your IP is blacklisted", G::ReputationBlocked),
        ("550 5.7.1 poor reputation", G::ReputationBlocked),
        ("421 4.3.2 try later", G::Throttled),
        ("421 4.7.0 too many connections, try again later", G::Throttled),
        ("421 greylisted, come back in 5 minutes", G::Greylisted),
        ("450 4.7.1 try again", G::Greylisted),
        ("451 Temporary problem, please try again later", G::Greylisted),
        ("451 4.3.2 rate limit reached, try again later", G::Throttled),
        ("452 insufficient storage", G::Throttled),
        ("450 4.7.1 unlimited patience", G::Greylisted),
    ] {
        assert_eq!(classify_greeting(&reply(line)), class, "{line}");
    }
}

#[test]
fn ehlo_answers() {
    use EhloClass as E;
    for (line, class) in [
        ("250 mx.example", E::Accepted),
        ("250-mx.example\r\n220 x", E::Refused),
        ("354 Start mail input", E::Refused),
        ("220 hello", E::Refused),
        ("500 unrecognized", E::NotUnderstood),
        ("502 5.5.1 not implemented", E::NotUnderstood),
        ("501 Syntax error in command or arguments", E::NameRejected),
        ("501 5.5.4 Invalid domain name", E::NameRejected),
        ("501 HELO requires a domain", E::NameRejected),
        ("504 5.5.2 <host>: need a fully qualified name", E::NameRejected),
        ("550 Bad HELO", E::NameRejected),
        ("550 5.7.1 invalid EHLO hostname", E::NameRejected),
        ("550 go away", E::Refused),
        ("554 5.7.1 your address is listed at bl.spamcop.net", E::ReputationBlocked),
        ("421 4.7.0 slow down", E::Throttled),
        ("450 4.7.1 Greylisting in action", E::Greylisted),
    ] {
        assert_eq!(classify_ehlo(&reply(line)), class, "{line}");
    }
}

#[test]
fn starttls_answers_go_on_only_for_a_clean_220() {
    use StartTlsClass as S;
    for (line, class) in [
        ("220 go", S::Go),
        ("220-go\r\n220 on", S::Go),
        ("220", S::Go),
        ("220-go\r\n250 on", S::Malformed),
        ("220go", S::Malformed),
        ("220 a\0", S::Malformed),
        ("454 4.7.0 TLS not available", S::Unavailable),
        ("421 closing", S::Unavailable),
        ("500 unknown", S::Refused),
        ("554 no", S::Refused),
        ("221 bye", S::Unexpected),
        ("250 ok", S::Unexpected),
        ("354 go", S::Unexpected),
        ("620 what", S::Unexpected),
    ] {
        assert_eq!(classify_starttls(&reply(line)), class, "{line}");
    }
}

#[test]
fn throttling_is_told_from_other_temporary_replies() {
    for (line, expected) in [
        ("421 bye", true),
        ("450 4.7.25 slow down", true),
        ("451 4.4.5 system congested", true),
        ("451 too many messages", true),
        ("450 4.2.1 mailbox unavailable", false),
        ("450 4.7.1 try again later", false),
        ("550 too many connections", false),
    ] {
        assert_eq!(is_throttling(&reply(line)), expected, "{line}");
    }
}

#[test]
fn permanence_follows_the_first_digit_and_scope_the_subject() {
    for (code, permanence, scope) in [
        (199, Permanence::Other, Scope::Session),
        (250, Permanence::Positive, Scope::Session),
        (354, Permanence::Intermediate, Scope::Session),
        (499, Permanence::Transient, Scope::Session),
        (521, Permanence::Permanent, Scope::Host),
        (600, Permanence::Other, Scope::Session),
    ] {
        let code = ReplyCode::new(code).unwrap();
        assert_eq!(Permanence::of(code), permanence);
        assert_eq!(Scope::before_mail(code), scope);
    }
    for (subject, detail, scope) in [
        (0, 0, None),
        (1, 1, Some(Scope::Recipient)),
        (1, 8, Some(Scope::Message)),
        (2, 2, Some(Scope::Recipient)),
        (3, 4, Some(Scope::Message)),
        (3, 2, Some(Scope::Host)),
        (4, 4, Some(Scope::Host)),
        (5, 1, Some(Scope::Session)),
        (7, 26, Some(Scope::Message)),
        (9, 1, None),
    ] {
        assert_eq!(Scope::of(EnhancedCode { class: 5, subject, detail }), scope);
    }
}
