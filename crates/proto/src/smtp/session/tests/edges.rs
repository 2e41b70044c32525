//! What no scripted peer shows: events at moments when the session does not wait for them, and what it has
//! then not seen.

use super::{Action, Peer, ProbeSession, Until, Verified, handshake, plan};
use crate::observation::{Observation, Reason};

/// A session that has just been told the greeting.
fn greeted(until: Until, greeting: &[u8]) -> ProbeSession {
    let mut session = ProbeSession::new(plan(until));
    session.handle_bytes(greeting);
    session
}

#[test]
fn the_end_of_tls_counts_only_inside_it() {
    let mut session = greeted(Until::Quit, b"220 a\r\n");
    session.handle_close_notify(true);
    assert!(matches!(session.poll_action(), Action::Write(_)), "it goes on");
    let seen = session.into_seen();
    assert_eq!(seen.close_notify, Observation::NotObserved(Reason::EarlierStageFailed));
}

#[test]
fn the_end_of_tls_counts_once() {
    let mut session = greeted(Until::Quit, b"220 a\r\n");
    for reply in [&b"250-a\r\n250 STARTTLS\r\n"[..], b"220 go\r\n"] {
        assert!(matches!(session.poll_action(), Action::Write(_)));
        session.handle_bytes(reply);
    }
    session.handle_handshake(handshake(None), Verified::Yes);
    session.handle_close_notify(true);
    assert_eq!(session.poll_action(), Action::Close);
    session.handle_close_notify(false);
    assert_eq!(session.into_seen().close_notify, Observation::Observed(true));
}

#[test]
fn a_handshake_that_nobody_asked_for_is_told_from_one_that_was_not_reached() {
    for (until, reason) in
        [(Until::Quit, Reason::EarlierStageFailed), (Until::StartTls, Reason::NotAsked)]
    {
        let seen = greeted(until, b"554 no\r\n").into_seen();
        assert_eq!(seen.handshake, Observation::NotObserved(reason), "{until:?}");
    }
    let mut session = greeted(Until::StartTls, b"220 a\r\n");
    for reply in [&b"250-a\r\n250 STARTTLS\r\n"[..], b"220 go\r\n"] {
        assert!(matches!(session.poll_action(), Action::Write(_)));
        session.handle_bytes(reply);
    }
    session.handle_handshake(handshake(None), Verified::Yes);
    assert!(session.into_seen().handshake.seen().is_some());
}

#[test]
fn what_comes_after_the_end_changes_nothing() {
    let (expected, _) = Peer::good().greeting(b"421 later\r\n").run(Until::Quit);
    let mut session = greeted(Until::Quit, b"421 later\r\n");
    session.handle_bytes(b"220 a\r\n");
    assert_eq!(session.poll_action(), Action::Close);
    session.handle_bytes(b"220 a\r\n");
    session.handle_handshake(handshake(None), Verified::Yes);
    session.handle_closed();
    assert_eq!(session.poll_action(), Action::Done);
    assert_eq!(session.into_seen(), expected);
}
