//! What no scripted peer shows: events at moments when the session does not wait for them.

use super::{
    Choice, Mode, Observation, Onward, PASSWORD, PEER, Peer, Reason, RefusalKind, SessionEnd,
    Silence, Step, Stop, SubmissionAction, SubmissionOutcome, SubmissionSession, TlsVersion, Unmet,
    Verified, handshake, one_message, plan, sign_in, transaction, words,
};
use crate::smtp::submission::RecipientSeen;

/// A session that has been told this much, with nothing left to answer.
fn told(mode: Mode, replies: &[&[u8]]) -> SubmissionSession {
    let plan = plan(mode.security(Some(sign_in(Choice::Automatic))), one_message());
    let mut session = SubmissionSession::new(plan, PEER.parse().unwrap());
    for reply in replies {
        session.handle_bytes(reply);
        let _ = session.poll_action();
    }
    session
}

const TO_TLS: [&[u8]; 3] = [b"220 a\r\n", b"250-a\r\n250 STARTTLS\r\n", b"220 go\r\n"];

#[test]
fn octets_in_clear_before_the_handshake_end_it() {
    let mut session = told(Mode::StartTls, &TO_TLS);
    session.handle_injected(b"");
    assert!(matches!(session.poll_action(), SubmissionAction::StartTls), "nothing came");
    session.handle_injected(b"250 injected\r\n");
    assert!(matches!(session.poll_action(), SubmissionAction::Close));
    assert!(matches!(session.poll_action(), SubmissionAction::Done));
    session.handle_injected(b"more");
    let seen = session.into_seen();
    assert_eq!(seen.session.injected, b"250 injected\r\n");
    assert_eq!(seen.session.end, SessionEnd::Stopped);
    assert_eq!(seen.outcome, SubmissionOutcome::Failed);
}

#[test]
fn what_comes_after_the_end_changes_nothing() {
    let expected = Peer { greeting: b"421 later\r\n".to_vec(), ..Peer::good(Mode::StartTls) };
    let expected = expected.run(one_message()).seen;
    let mut session = told(Mode::StartTls, &[b"421 later\r\n"]);
    session.handle_bytes(b"220 a\r\n");
    session.handle_handshake(handshake(None, TlsVersion::Tls13), Verified::Yes);
    session.handle_closed();
    assert!(matches!(session.poll_action(), SubmissionAction::Done));
    let seen = session.into_seen();
    assert_eq!(seen, expected);
    assert!(matches!(seen.session.handshake, Observation::NotObserved(_)));
}

#[test]
fn a_farewell_that_nobody_asked_for_is_no_confusion() {
    for (unasked, stop) in
        [("421 4.3.2 going down", None), ("250 2.0.0 hello", Some(Stop::OutOfStep))]
    {
        let greeting = format!("220 a\r\n{unasked}\r\n").into_bytes();
        let run = Peer { greeting, ..Peer::good(Mode::StartTls) }.run(one_message());
        assert_eq!(words(&run.written), "", "{unasked}");
        assert_eq!(run.seen.stop, stop, "{unasked}");
        let last = run.seen.steps.last().unwrap();
        assert_eq!((last.step, last.replies.len()), (Step::Ehlo, usize::from(stop.is_none())));
    }
}

#[test]
fn what_is_no_reply_ends_the_session_at_once() {
    let mut session = told(Mode::StartTls, &[b"HTTP/1.1 400 Bad Request\r\n"]);
    assert!(matches!(session.poll_action(), SubmissionAction::Done), "closed already");
    let seen = session.into_seen();
    assert_eq!(seen.session.greeting, Observation::NotObserved(Reason::Unintelligible));
    assert_eq!(seen.session.end, SessionEnd::Stopped);
    assert!(seen.session.unfinished.is_some());
}

#[test]
fn a_half_reply_is_kept_except_after_quit() {
    let half = b"220-a.example wait".to_vec();
    let peer = Peer { greeting: half, ..Peer::good(Mode::Tls) }.silence(Silence::Closed);
    assert!(peer.run(one_message()).seen.session.unfinished.is_some());
    let peer = Peer::good(Mode::Tls).inside("QUIT", "221-bye").silence(Silence::Closed);
    let seen = peer.run(one_message()).seen;
    assert_eq!((seen.outcome, seen.session.unfinished), (SubmissionOutcome::Accepted, None));
}

#[test]
fn without_pipelining_every_recipient_is_asked_for_by_itself() {
    let two = transaction(&["b@example.net", "c@example.net"], "a: b\r\n\r\n", Onward::default());
    let run = Peer::good(Mode::None).run(two);
    assert_eq!(words(&run.written), "EHLO MAIL RCPT RCPT DATA msg QUIT");
    assert!(run.seen.recipients.iter().all(RecipientSeen::is_accepted));
    assert_eq!(run.seen.recipients.len(), 2);
}

#[test]
fn a_reply_that_never_came_is_missing_for_its_reason() {
    let missing = |verb: &'static str, silence: Silence| {
        let seen = Peer::good(Mode::None).clear(verb, "").silence(silence).run(one_message()).seen;
        let rcpt = seen.recipients[0].reply.clone();
        [seen.mail, rcpt, seen.data, seen.delivered]
    };
    for (silence, reason) in
        [(Silence::TimedOut, Reason::TimedOut), (Silence::Closed, Reason::PeerClosed)]
    {
        for (place, verb) in ["MAIL", "RCPT", "DATA", "."].into_iter().enumerate() {
            let replies = missing(verb, silence);
            assert_eq!(replies[place], Observation::NotObserved(reason), "{verb}");
            let reached = replies.iter().filter(|reply| reply.seen().is_some()).count();
            assert_eq!(reached, place, "{verb}");
        }
    }
}

#[test]
fn what_broke_an_exchange_outweighs_a_refusal_but_not_a_later() {
    for (answer, kind) in [
        ("535 5.7.8 no\r\n", RefusalKind::ExchangeBroken),
        ("454 4.7.0 later\r\n", RefusalKind::Temporary),
    ] {
        let peer = Peer::good(Mode::Tls)
            .inside("EHLO", "250-a\r\n250 AUTH CRAM-MD5\r\n")
            .inside("AUTH", "334 not base64!\r\n")
            .inside("*", answer);
        let run = peer.run(one_message());
        assert_eq!(words(&run.written), "tls:EHLO tls:AUTH tls:* tls:QUIT", "{answer}");
        assert_eq!(run.seen.refusal().map(|refusal| refusal.kind), Some(kind), "{answer}");
    }
}

#[test]
fn outcomes_steps_and_reasons_have_stable_words() {
    use SubmissionOutcome as O;
    for (outcome, word) in [
        (O::Accepted, "accepted"),
        (O::AuthFailed, "auth-failed"),
        (O::Failed, "failed"),
        (O::Ready, "ready"),
        (O::Rejected, "rejected"),
        (O::Uncertain, "uncertain"),
    ] {
        assert_eq!(outcome.as_str(), word);
    }
    let steps = [Step::Connect, Step::Handshake, Step::EhloAfterTls, Step::SignIn, Step::Body];
    let words = ["connect", "handshake", "ehlo-after-tls", "sign-in", "body"];
    assert_eq!(steps.map(Step::as_str), words);
    let reasons = [Unmet::HandshakeFailed, Unmet::Unverified, Unmet::VersionTooOld];
    assert_eq!(reasons.map(Unmet::as_str), ["handshake-failed", "unverified", "version-too-old"]);
}

#[test]
fn the_reply_of_a_step_is_told_while_the_session_runs() {
    let session = told(Mode::StartTls, &TO_TLS[..2]);
    let reply = |step| session.reply_of(step).map(|reply| reply.lines.join("/"));
    assert_eq!(reply(Step::Greeting), Some("a".to_owned()));
    assert_eq!(reply(Step::Ehlo), Some("a/STARTTLS".to_owned()));
    assert_eq!(reply(Step::StartTls), None, "not answered yet");
    let echo = format!("220 hello {PASSWORD}\r\n");
    let session = told(Mode::StartTls, &[echo.as_bytes()]);
    let shown = session.reply_of(Step::Greeting).unwrap().lines.join("/");
    assert!(shown.starts_with("hello ") && !shown.contains(PASSWORD), "{shown}");
}
