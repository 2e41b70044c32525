//! Whatever a peer says, in whatever pieces: before verified TLS no credential and no mail leaves, and the
//! commands keep their order.

use super::{
    Choice, Mode, PASSWORD, PEER, USER, Verified, handshake, one_message, plan, sign_in, verb,
};
use crate::smtp::submission::{SubmissionAction, SubmissionOutcome, SubmissionSession};
use crate::tls::seen::{HandshakeFailure, TlsVersion};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;

/// What a random peer does next.
#[derive(Clone, Debug)]
enum Move {
    Octets(Vec<u8>),
    Closed,
    Reset,
    TimedOut,
}

fn reply() -> impl Strategy<Value = Vec<u8>> {
    let text = prop_oneof![
        4 => Just("220 a\r\n"),
        4 => Just("250-a\r\n250-PIPELINING\r\n250-STARTTLS\r\n250 AUTH PLAIN LOGIN CRAM-MD5\r\n"),
        4 => Just("250 ok\r\n"),
        3 => Just("334 PDFAYT4=\r\n"),
        4 => Just("235 ok\r\n"),
        4 => Just("354 go\r\n"),
        1 => Just("421 bye\r\n"),
        1 => Just("535 no\r\n"),
        1 => Just("550 5.1.1 no\r\n"),
        1 => Just("454 no\r\n"),
        1 => Just("220-a\r\n250 b\r\n"),
        1 => Just("220 a\r\n250 b\r\n"),
        1 => Just("\r\n"),
        1 => Just("220 "),
    ];
    text.prop_map(|text| text.as_bytes().to_vec())
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let one = prop_oneof![
        30 => reply().prop_map(Move::Octets),
        2 => prop::collection::vec(any::<u8>(), 1..20).prop_map(Move::Octets),
        1 => Just(Move::Closed),
        1 => Just(Move::Reset),
        1 => Just(Move::TimedOut),
    ];
    prop::collection::vec(one, 0..24)
}

/// Where a session stands, as its peer on the wire sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Channel {
    Clear,
    Unverified,
    Verified,
}

/// The only orders of verbs that a session may send over one channel, as places in a list that never go
/// back; lines of an exchange stand with AUTH.
fn place(verb: &str) -> usize {
    let order =
        ["EHLO", "STARTTLS", "AUTH", "line", "*", "MAIL", "RCPT", "DATA", "msg", ".", "QUIT"];
    order.iter().position(|each| *each == verb).unwrap()
}

fn check_order(channel: Channel, verbs: &[String]) -> Result<(), TestCaseError> {
    let places: Vec<usize> = verbs.iter().map(|verb| place(verb)).collect();
    for (index, pair) in places.windows(2).enumerate() {
        let exchange = pair.iter().all(|place| matches!(place, 2..=4));
        let recipients = pair == [6, 6];
        prop_assert!(pair[0] < pair[1] || exchange || recipients, "{index} {verbs:?}");
    }
    let allowed: &[&str] = match channel {
        Channel::Clear => &["EHLO", "STARTTLS", "QUIT"],
        Channel::Unverified => &["QUIT"],
        Channel::Verified => return Ok(()),
    };
    prop_assert!(
        verbs.iter().all(|verb| allowed.contains(&verb.as_str())),
        "{channel:?} {verbs:?}"
    );
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]
    #[test]
    fn before_verified_tls_no_credential_and_no_mail_leaves(
        moves in moves(),
        mode in prop_oneof![Just(Mode::StartTls), Just(Mode::Tls)],
        verified in prop_oneof![3 => Just(Verified::Yes), 1 => Just(Verified::No)],
        version in prop_oneof![3 => Just(TlsVersion::Tls13), 1 => Just(TlsVersion::Tls11)],
        fails in prop::bool::weighted(0.1),
        piece in 1_usize..40,
    ) {
        let security = mode.security(Some(sign_in(Choice::Automatic)));
        let mut session = SubmissionSession::new(plan(security, one_message()), PEER.parse().unwrap());
        let mut moves = moves.into_iter();
        let mut channel = Channel::Clear;
        let mut sent: Vec<(Channel, String)> = Vec::new();
        let mut message_left = false;
        for _ in 0..2_000 {
            match session.poll_action() {
                SubmissionAction::Write(octets) => {
                    let text = String::from_utf8(octets.expose().clone()).unwrap();
                    if channel != Channel::Verified {
                        for secret in [PASSWORD, USER, &STANDARD.encode(PASSWORD)[..20], "Subject"] {
                            prop_assert!(!text.contains(secret), "{channel:?} {text}");
                        }
                    }
                    if text.contains("\r\n\r\n") {
                        message_left = true;
                        sent.push((channel, "msg".to_owned()));
                    } else {
                        sent.extend(text.lines().map(|line| (channel, verb(line).to_owned())));
                    }
                }
                SubmissionAction::Read { .. } => match moves.next() {
                    Some(Move::Octets(octets)) => {
                        for part in octets.chunks(piece) {
                            session.handle_bytes(part);
                        }
                    }
                    Some(Move::Closed) => session.handle_closed(),
                    Some(Move::Reset) => session.handle_reset(),
                    Some(Move::TimedOut) | None => session.handle_timed_out(),
                },
                SubmissionAction::StartTls => {
                    let failure = fails.then_some(HandshakeFailure::Closed);
                    let good = verified == Verified::Yes && version == TlsVersion::Tls13;
                    channel = if fails {
                        Channel::Clear
                    } else if good {
                        Channel::Verified
                    } else {
                        Channel::Unverified
                    };
                    session.handle_handshake(handshake(failure, version), verified);
                }
                SubmissionAction::Close => {}
                SubmissionAction::Done => break,
            }
        }
        prop_assert!(matches!(session.poll_action(), SubmissionAction::Done), "it does not end");
        for each in [Channel::Clear, Channel::Unverified, Channel::Verified] {
            let verbs: Vec<String> = sent
                .iter()
                .filter(|(channel, _)| *channel == each)
                .map(|(_, verb)| verb.clone())
                .collect();
            check_order(each, &verbs)?;
        }
        let seen = session.into_seen();
        let shown = format!("{seen:?}");
        prop_assert!(!shown.contains(PASSWORD), "{shown}");
        let decided = matches!(seen.outcome, SubmissionOutcome::Accepted | SubmissionOutcome::Uncertain);
        prop_assert!(!decided || message_left, "{:?}", seen.outcome);
    }
}
