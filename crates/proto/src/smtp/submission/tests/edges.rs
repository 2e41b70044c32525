//! What no scripted peer shows: events at moments when the session does not wait for them.

use super::{
    Choice, Mode, Observation, PEER, Peer, SessionEnd, SubmissionAction, SubmissionOutcome,
    SubmissionSession, TlsVersion, Verified, handshake, one_message, plan, sign_in,
};

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
