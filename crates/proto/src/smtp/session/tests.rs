//! Tests of the probe session against a scripted peer in memory: no socket, no clock, any split of bytes.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::{Action, ProbePlan, ProbeSession, Until, Verified};
use crate::deviation::Deviation;
use crate::observation::{Observation, Reason};
use crate::smtp::command::EhloName;
use crate::smtp::outcome::ProbeOutcome;
use crate::smtp::seen::{SessionEnd, SessionSeen, Stage};
use crate::smtp::transcript::Line;
use crate::tls::seen::{
    Alert, CipherSuite, HandshakeEnd, HandshakeFailure, HandshakeSeen, TlsSession, TlsVersion,
};

mod edges;
mod published;

/// What happens when the session waits and the peer has nothing more to say.
#[derive(Clone, Copy, Debug)]
enum Silence {
    TimedOut,
    Closed,
    Reset,
}

/// A peer: what it says at each command, in clear and inside TLS.
#[derive(Clone, Debug)]
struct Peer {
    greeting: Vec<u8>,
    clear: BTreeMap<&'static str, Vec<u8>>,
    inside: BTreeMap<&'static str, Vec<u8>>,
    handshake: Option<HandshakeFailure>,
    verified: Verified,
    silence: Silence,
    chunk: usize,
}

/// A command as it was written: `true` inside TLS.
type Sent = (bool, String);

const TLS_MARK: &str = "<handshake>";

fn plan(until: Until) -> ProbePlan {
    ProbePlan { ehlo_name: EhloName::from(std::net::IpAddr::from([127, 0, 0, 1])), until }
}

fn handshake(failure: Option<HandshakeFailure>) -> HandshakeSeen {
    HandshakeSeen {
        chain: Observation::NotObserved(Reason::NotAsked),
        certificate_requested: false,
        end: match failure {
            Some(failure) => HandshakeEnd::Failed(failure),
            None => HandshakeEnd::Completed(TlsSession {
                version: TlsVersion::Tls13,
                suite: CipherSuite(0x1301),
                group: None,
                ocsp_staple: Vec::new(),
            }),
        },
    }
}

impl Peer {
    /// A server that does everything right.
    fn good() -> Self {
        let quit = ("QUIT", b"221 bye\r\n".to_vec());
        Self {
            greeting: b"220 mx.example ESMTP\r\n".to_vec(),
            clear: BTreeMap::from([
                ("EHLO", b"250-mx.example\r\n250-SIZE 1000\r\n250 STARTTLS\r\n".to_vec()),
                ("HELO", b"250 mx.example\r\n".to_vec()),
                ("STARTTLS", b"220 go\r\n".to_vec()),
                quit.clone(),
            ]),
            inside: BTreeMap::from([
                ("EHLO", b"250-mx.example\r\n250 AUTH PLAIN\r\n".to_vec()),
                quit,
            ]),
            handshake: None,
            verified: Verified::Yes,
            silence: Silence::TimedOut,
            chunk: usize::MAX,
        }
    }

    fn greeting(mut self, text: &[u8]) -> Self {
        self.greeting = text.to_vec();
        self
    }

    fn clear(mut self, command: &'static str, reply: &[u8]) -> Self {
        self.clear.insert(command, reply.to_vec());
        self
    }

    fn inside(mut self, command: &'static str, reply: &[u8]) -> Self {
        self.inside.insert(command, reply.to_vec());
        self
    }

    fn silence(mut self, silence: Silence) -> Self {
        self.silence = silence;
        self
    }

    fn verified(mut self, verified: Verified) -> Self {
        self.verified = verified;
        self
    }

    fn handshake_fails(mut self, failure: HandshakeFailure) -> Self {
        self.handshake = Some(failure);
        self
    }

    /// Runs a session against this peer to its end.
    fn run(&self, until: Until) -> (SessionSeen, Vec<Sent>) {
        let mut session = ProbeSession::new(plan(until));
        let (mut inbox, mut sent, mut in_tls) = (self.greeting.clone(), Vec::new(), false);
        for _ in 0..400_000 {
            match session.poll_action() {
                Action::Write(octets) => {
                    let line = String::from_utf8(octets).unwrap();
                    let command = line.strip_suffix("\r\n").expect("a command ends in CRLF");
                    let verb = command.split(' ').next().unwrap();
                    let replies = if in_tls { &self.inside } else { &self.clear };
                    inbox.extend(replies.get(verb).into_iter().flatten());
                    sent.push((in_tls, command.to_owned()));
                }
                Action::Read { .. } if inbox.is_empty() => match self.silence {
                    Silence::TimedOut => session.handle_timed_out(),
                    Silence::Closed => {
                        session.handle_close_notify(true);
                        session.handle_closed();
                    }
                    Silence::Reset => session.handle_reset(),
                },
                Action::Read { .. } => {
                    let part: Vec<u8> = inbox.drain(..self.chunk.min(inbox.len())).collect();
                    session.handle_bytes(&part);
                }
                Action::StartTls if until == Until::StartTls => {
                    return (session.into_seen(), sent);
                }
                Action::StartTls if !inbox.is_empty() => {
                    session.handle_injected(&std::mem::take(&mut inbox));
                }
                Action::StartTls => {
                    sent.push((false, TLS_MARK.to_owned()));
                    in_tls = self.handshake.is_none();
                    session.handle_handshake(handshake(self.handshake.clone()), self.verified);
                }
                Action::Close => {
                    assert_eq!(session.poll_action(), Action::Done);
                    return (session.into_seen(), sent);
                }
                Action::Done => panic!("done without close"),
            }
        }
        panic!("the session does not end");
    }
}

fn words(sent: &[Sent]) -> String {
    let verbs: Vec<String> = sent
        .iter()
        .map(|(in_tls, command)| {
            let verb = command.split(' ').next().unwrap_or_default();
            if *in_tls { format!("tls:{verb}") } else { verb.to_owned() }
        })
        .collect();
    verbs.join(" ")
}

/// Whether the commands are those a probe may send, in the only order it may send them.
fn is_allowed(sent: &[Sent], verified: Verified, handshake_done: bool) -> bool {
    let whole = words(sent);
    let (clear, inside) = match whole.split_once(TLS_MARK) {
        Some((clear, inside)) => (clear.trim(), Some(inside.trim())),
        None => (whole.as_str(), None),
    };
    match inside {
        None => matches!(
            clear,
            "" | "QUIT"
                | "EHLO"
                | "EHLO QUIT"
                | "EHLO HELO"
                | "EHLO HELO QUIT"
                | "EHLO STARTTLS"
                | "EHLO STARTTLS QUIT"
        ),
        Some(inside) if !handshake_done => clear == "EHLO STARTTLS" && inside.is_empty(),
        Some(inside) if verified == Verified::No => {
            clear == "EHLO STARTTLS" && matches!(inside, "tls:QUIT" | "")
        }
        Some(inside) => {
            clear == "EHLO STARTTLS" && matches!(inside, "" | "tls:EHLO" | "tls:EHLO tls:QUIT")
        }
    }
}

#[test]
fn a_good_server_is_seen_whole() {
    let (seen, sent) = Peer::good().silence(Silence::Closed).run(Until::Quit);
    assert_eq!(words(&sent), "EHLO STARTTLS <handshake> tls:EHLO tls:QUIT");
    assert_eq!((seen.stage, &seen.end), (Stage::Quit, &SessionEnd::Complete));
    assert_eq!(seen.outcome(), ProbeOutcome::StarttlsOk);
    assert_eq!(
        seen.first_octets,
        b"220 mx.example ESMTP\r\n250-mx.example\r\n250-SIZE 1000\r\n250 STARTTL"
    );
    assert!(seen.ehlo.seen().unwrap().offers("SIZE"));
    let inside = seen.ehlo_after_tls.seen().unwrap();
    assert_eq!((inside.offers("STARTTLS"), inside.auth()), (false, vec!["PLAIN".to_owned()]));
    assert_eq!(seen.quit.seen().unwrap().code.number(), 221);
    assert_eq!(seen.close_notify, Observation::Observed(true));
    assert_eq!(seen.helo, Observation::NotObserved(Reason::NotAsked));
    let lines: Vec<&str> = seen.transcript.lines.iter().map(Line::text).collect();
    assert_eq!(
        lines,
        [
            "220 mx.example ESMTP",
            "EHLO [127.0.0.1]",
            "250-mx.example",
            "250-SIZE 1000",
            "250 STARTTLS",
            "STARTTLS",
            "220 go",
            "TLS 1.3 established",
            "EHLO [127.0.0.1]",
            "250-mx.example",
            "250 AUTH PLAIN",
            "QUIT",
            "221 bye",
        ]
    );
}

/// What a peer does, what is sent to it, where the session ends and what it is called.
type Row = (Peer, &'static str, Stage, ProbeOutcome);

fn check_rows(rows: Vec<Row>) {
    for (peer, commands, stage, outcome) in rows {
        let (seen, sent) = peer.run(Until::Quit);
        assert_eq!(words(&sent), commands, "{peer:?}");
        assert_eq!(seen.stage, stage, "{peer:?}");
        assert_eq!(seen.outcome(), outcome, "{peer:?}");
        assert!(is_allowed(&sent, peer.verified, peer.handshake.is_none()), "{peer:?}");
    }
}

#[test]
fn greetings_decide_whether_anything_is_said() {
    use ProbeOutcome as O;
    let good = Peer::good;
    let stage = Stage::Greeting;
    check_rows(vec![
        (good().greeting(b"221 bye\r\n"), "QUIT", stage, O::GreetingRejected),
        (good().greeting(b"554 5.7.1 no\r\n"), "QUIT", stage, O::GreetingRejected),
        (
            good().greeting(b"554 listed at zen.spamhaus.org\r\n"),
            "QUIT",
            stage,
            O::ReputationBlocked,
        ),
        (good().greeting(b"421 4.3.2 try later\r\n"), "", stage, O::Throttled),
        (good().greeting(b"450 4.7.1 greylisted\r\n"), "QUIT", stage, O::Greylisted),
        (good().greeting(b"220-hi\r\n250 ok\r\n"), "QUIT", stage, O::GreetingMalformed),
        (good().greeting(b"HTTP/1.1 400 Bad Request\r\n\r\n"), "", stage, O::NotSmtp),
        (good().greeting(b"<html>"), "", stage, O::NotSmtp),
        (good().greeting(b"22 mx.example.test\r\n"), "", stage, O::GreetingMalformed),
        (good().greeting(b"<html>").silence(Silence::Closed), "", stage, O::NotSmtp),
        (good().greeting(b""), "", stage, O::GreetingTimeout),
        (good().greeting(b"220-wait\r\n22"), "", stage, O::GreetingTimeout),
        (good().greeting(b"220 lf only\n"), "", stage, O::GreetingTimeout),
        (good().greeting(b"").silence(Silence::Closed), "", stage, O::ClosedEarly),
        (good().greeting(b"").silence(Silence::Reset), "", stage, O::ConnectReset),
        (good().greeting(&b"220 a".repeat(2000)), "", stage, O::ReplyOverCap),
        (good().greeting(&b"220-a\r\n".repeat(2000)), "", stage, O::ReplyOverCap),
    ]);
}

#[test]
fn ehlo_answers_decide_between_starttls_helo_and_quit() {
    use ProbeOutcome as O;
    let ehlo = |reply: &[u8]| Peer::good().clear("EHLO", reply);
    let stage = Stage::Ehlo;
    check_rows(vec![
        (ehlo(b"250 mx.example\r\n"), "EHLO QUIT", stage, O::StarttlsNotOffered),
        (ehlo(b"250-a\r\n250 XXXXXXXA\r\n"), "EHLO QUIT", stage, O::StarttlsNotOffered),
        (ehlo(b"500 what\r\n"), "EHLO HELO QUIT", stage, O::EhloFailed),
        (ehlo(b"502 no\r\n").clear("HELO", b""), "EHLO HELO", stage, O::EhloFailed),
        (ehlo(b"502 no\r\n").clear("HELO", b"421 bye\r\n"), "EHLO HELO", stage, O::EhloFailed),
        (ehlo(b"501 5.5.4 name\r\n"), "EHLO QUIT", stage, O::EhloFailed),
        (ehlo(b"354 go\r\n"), "EHLO QUIT", stage, O::EhloFailed),
        (ehlo(b"250-a\r\n220 STARTTLS\r\n"), "EHLO QUIT", stage, O::EhloFailed),
        (ehlo(b"421 later\r\n"), "EHLO", stage, O::Throttled),
        (ehlo(b"450 4.7.1 later\r\n"), "EHLO QUIT", stage, O::Greylisted),
        (ehlo(b"550 5.7.1 blocked, see blocklist\r\n"), "EHLO QUIT", stage, O::ReputationBlocked),
        (ehlo(b"hello yourself\r\n"), "EHLO", stage, O::EhloFailed),
        (ehlo(b""), "EHLO", stage, O::EhloTimeout),
        (ehlo(b"").silence(Silence::Closed), "EHLO", stage, O::ClosedEarly),
        (ehlo(b"").silence(Silence::Reset), "EHLO", stage, O::ClosedEarly),
        (ehlo(&b"250-SIZE\r\n".repeat(9000)), "EHLO", stage, O::ReplyOverCap),
    ]);
}

#[test]
fn only_a_clean_220_with_nothing_behind_it_starts_tls() {
    use ProbeOutcome as O;
    let starttls = |reply: &[u8]| Peer::good().clear("STARTTLS", reply);
    let stage = Stage::StartTls;
    let (plain, quit) = ("EHLO STARTTLS", "EHLO STARTTLS QUIT");
    check_rows(vec![
        (starttls(b"454 4.7.0 no\r\n"), quit, stage, O::StarttlsRefused),
        (starttls(b"421 4.7.0 no\r\n"), plain, stage, O::StarttlsRefused),
        (starttls(b"500 what\r\n"), quit, stage, O::StarttlsRefused),
        (starttls(b"221 bye\r\n"), quit, stage, O::StarttlsRefused),
        (starttls(b"250 fine\r\n"), quit, stage, O::StarttlsRefused),
        (starttls(b"220-go\r\n250 on\r\n"), plain, stage, O::StarttlsRefused),
        (starttls(b"220 go\non\r\n"), plain, stage, O::StarttlsRefused),
        (starttls(b"what\r\n"), plain, stage, O::StarttlsRefused),
        (starttls(b""), plain, stage, O::StarttlsTimeout),
        (starttls(b"220 go\n"), plain, stage, O::StarttlsTimeout),
        (starttls(b"").silence(Silence::Closed), plain, stage, O::ClosedEarly),
        (starttls(b"220 go\r\n250 injected\r\n"), plain, stage, O::ResponseInjection),
        (starttls(b"220 go\r\n\0"), plain, stage, O::ResponseInjection),
        (
            Peer::good().clear("EHLO", b"250-a\r\n250 STARTTLS\r\n220 go\r\n"),
            "EHLO",
            stage,
            O::ResponseInjection,
        ),
    ]);
    let (seen, _) = starttls(b"220 go\r\n250 injected\r\n").run(Until::Quit);
    assert_eq!(seen.injected, b"250 injected\r\n");
    assert!(seen.starttls.seen().is_some());
    let long = [b"220 go\r\n".to_vec(), vec![b'a'; 500]].concat();
    assert_eq!(starttls(&long).run(Until::Quit).0.injected.len(), 64);
}

#[test]
fn octets_in_a_later_segment_are_injection_too() {
    let mut peer = Peer::good().clear("STARTTLS", b"220 go\r\n250 late\r\n");
    peer.chunk = 8;
    let (seen, sent) = peer.run(Until::Quit);
    assert_eq!(seen.outcome(), ProbeOutcome::ResponseInjection);
    assert_eq!(seen.injected, b"250 late\r\n");
    assert_eq!(words(&sent), "EHLO STARTTLS");

    let not_tls = HandshakeFailure::NotTls(b"250 late\r\n".to_vec());
    let (seen, _) = Peer::good().handshake_fails(not_tls).run(Until::Quit);
    assert_eq!(seen.outcome(), ProbeOutcome::ResponseInjection);
}

#[test]
fn after_the_handshake_only_a_verified_session_goes_on() {
    use ProbeOutcome as O;
    let failed = |failure| Peer::good().handshake_fails(failure);
    let (open, before) = ("EHLO STARTTLS <handshake>", Stage::Handshake);
    check_rows(vec![
        (failed(HandshakeFailure::AlertReceived(Alert(40))), open, before, O::TlsHandshakeFailed),
        (failed(HandshakeFailure::Closed), open, before, O::TlsHandshakeFailed),
        (failed(HandshakeFailure::TimedOut { received: 3 }), open, before, O::TlsHandshakeFailed),
        (
            Peer::good().verified(Verified::No),
            "EHLO STARTTLS <handshake> tls:QUIT",
            before,
            O::StarttlsOk,
        ),
        (
            Peer::good().inside("EHLO", b"250-a\r\n250 STARTTLS\r\n"),
            "EHLO STARTTLS <handshake> tls:EHLO tls:QUIT",
            Stage::Quit,
            O::StarttlsOk,
        ),
        (
            Peer::good().inside("EHLO", b"421 later\r\n"),
            "EHLO STARTTLS <handshake> tls:EHLO",
            Stage::EhloAfterTls,
            O::StarttlsOk,
        ),
        (
            Peer::good().inside("EHLO", b"500 what\r\n"),
            "EHLO STARTTLS <handshake> tls:EHLO tls:QUIT",
            Stage::EhloAfterTls,
            O::StarttlsOk,
        ),
    ]);
    let (seen, _) = Peer::good().verified(Verified::No).run(Until::Quit);
    assert_eq!(seen.ehlo_after_tls, Observation::NotObserved(Reason::Unverified));
    assert_eq!(seen.end, SessionEnd::Stopped);
    assert!(seen.quit.seen().is_some());
    let (seen, _) = failed(HandshakeFailure::TimedOut { received: 3 }).run(Until::Quit);
    assert_eq!(seen.end, SessionEnd::TimedOut { received: 3 });
}

#[test]
fn an_unfinished_reply_is_kept_with_its_reason() {
    let (seen, _) = Peer::good().greeting(b"220 lf only\n").run(Until::Quit);
    assert_eq!(seen.greeting, Observation::NotObserved(Reason::TimedOut));
    assert_eq!(seen.end, SessionEnd::TimedOut { received: 12 });
    let partial = seen.unfinished.unwrap();
    assert_eq!(partial.deviations, [Deviation::BareLf, Deviation::MissingFinalLine]);

    let (seen, _) = Peer::good().greeting(&b"220-a\r\n".repeat(2000)).run(Until::Quit);
    assert_eq!(seen.greeting, Observation::NotObserved(Reason::LimitReached));
    assert_eq!(seen.end, SessionEnd::CapReached);
    assert_eq!(seen.unfinished.unwrap().deviations, [Deviation::TooManyLines]);

    let long_lines = [b"250-", vec![b'x'; 1000].as_slice(), b"\r\n"].concat().repeat(100);
    let mut peer = Peer::good().clear("EHLO", &long_lines);
    peer.chunk = 1000;
    let (seen, _) = peer.run(Until::Quit);
    assert_eq!(seen.end, SessionEnd::CapReached);
    assert!(seen.unfinished.unwrap().deviations.contains(&Deviation::OctetsOverCap));
}

#[test]
fn a_prelude_stops_where_tls_may_start() {
    let (seen, sent) = Peer::good().run(Until::StartTls);
    assert_eq!(words(&sent), "EHLO STARTTLS");
    assert_eq!(seen.stage, Stage::Handshake);
    assert_eq!(seen.handshake, Observation::NotObserved(Reason::NotAsked));

    let mut session = ProbeSession::new(plan(Until::StartTls));
    session.handle_bytes(b"220 a\r\n");
    assert!(matches!(session.poll_action(), Action::Write(_)));
    session.handle_bytes(b"250-a\r\n250 STARTTLS\r\n");
    assert!(matches!(session.poll_action(), Action::Write(_)));
    session.handle_bytes(b"220 go\r\n");
    assert_eq!(session.poll_action(), Action::StartTls);
    assert_eq!(session.poll_action(), Action::StartTls);
    session.handle_handshake(handshake(None), Verified::Yes);
    assert_eq!(session.poll_action(), Action::Close);
    assert_eq!(session.poll_action(), Action::Done);
}

#[test]
fn a_peer_that_does_not_end_tls_properly_is_noted_and_nothing_more() {
    for (silence, close_notify) in [
        (Silence::TimedOut, Observation::NotObserved(Reason::TimedOut)),
        (Silence::Reset, Observation::NotObserved(Reason::PeerClosed)),
        (Silence::Closed, Observation::Observed(true)),
    ] {
        let (seen, _) = Peer::good().silence(silence).run(Until::Quit);
        assert_eq!(seen.close_notify, close_notify);
        assert_eq!(seen.end, SessionEnd::Complete);
    }
}

#[test]
fn outcomes_have_words_of_their_own() {
    let words: std::collections::BTreeSet<&str> =
        ProbeOutcome::ALL.iter().map(|outcome| outcome.as_str()).collect();
    assert_eq!(words.len(), ProbeOutcome::ALL.len());
    for outcome in ProbeOutcome::ALL {
        assert_eq!(ProbeOutcome::parse(outcome.as_str()), Some(*outcome));
    }
    assert_eq!(ProbeOutcome::parse("fine"), None);
}

/// Replies of every kind, some whole, some broken.
fn any_reply() -> impl Strategy<Value = Vec<u8>> {
    let line = prop_oneof![
        Just(b"220 go\r\n".to_vec()),
        Just(b"220-go\r\n220 on\r\n".to_vec()),
        Just(b"250-a\r\n250 STARTTLS\r\n".to_vec()),
        Just(b"250 a\r\n".to_vec()),
        Just(b"500 what\r\n".to_vec()),
        Just(b"421 later\r\n".to_vec()),
        Just(b"454 no\r\n".to_vec()),
        Just(b"354 go\r\n".to_vec()),
        Just(b"220-hi\r\n250 ok\r\n".to_vec()),
        Just(b"250-x\r\n".to_vec()),
        (100_u16..700).prop_map(|code| format!("{code} STARTTLS\r\n").into_bytes()),
        prop::collection::vec(any::<u8>(), 0..30),
    ];
    prop_oneof![
        8 => line.clone(),
        1 => prop::collection::vec(line, 0..4).prop_map(|lines| lines.concat()),
    ]
}

fn usual_or(usual: &'static [u8]) -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![2 => Just(usual.to_vec()), 1 => any_reply()]
}

prop_compose! {
    fn any_peer()(
        greeting in usual_or(b"220 a\r\n"),
        clear in (usual_or(b"250-a\r\n250 STARTTLS\r\n"), any_reply(), usual_or(b"220 go\r\n"), any_reply()),
        inside in (usual_or(b"250 a\r\n"), any_reply()),
        fails in prop::bool::weighted(0.2),
        verified in prop_oneof![Just(Verified::Yes), Just(Verified::No)],
        silence in prop_oneof![Just(Silence::TimedOut), Just(Silence::Closed), Just(Silence::Reset)],
        chunk in prop_oneof![Just(usize::MAX), 1_usize..12],
    ) -> Peer {
        Peer {
            greeting,
            clear: BTreeMap::from([
                ("EHLO", clear.0), ("HELO", clear.1), ("STARTTLS", clear.2), ("QUIT", clear.3),
            ]),
            inside: BTreeMap::from([("EHLO", inside.0), ("QUIT", inside.1)]),
            handshake: fails.then_some(HandshakeFailure::Closed),
            verified,
            silence,
            chunk,
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn whatever_the_peer_says_only_allowed_commands_are_sent(peer in any_peer()) {
        let (seen, sent) = peer.run(Until::Quit);
        prop_assert!(is_allowed(&sent, peer.verified, peer.handshake.is_none()), "{:?}", sent);
        let tls_started = sent.iter().any(|(_, command)| command == TLS_MARK);
        prop_assert!(!tls_started || seen.injected.is_empty());
        prop_assert!(!tls_started || seen.starttls.seen().is_some_and(|reply| reply.is_clean() && reply.code.number() == 220));
        prop_assert!(seen.injected.len() <= 64 && seen.first_octets.len() <= 64);
    }

    #[test]
    fn the_split_of_whole_replies_changes_nothing(
        replies in (0..5_usize, 0..5_usize, 0..5_usize),
        chunk in 1_usize..40,
    ) {
        let pick = |usual: &[u8], index: usize| match index {
            0 | 1 => usual.to_vec(),
            2 => b"421 later\r\n".to_vec(),
            3 => b"220-hi\r\n250 ok\r\n".to_vec(),
            _ => b"500 5.5.1 what\r\n".to_vec(),
        };
        let mut peer = Peer::good()
            .greeting(&pick(b"220 a\r\n", replies.0))
            .clear("EHLO", &pick(b"250-a\r\n250 STARTTLS\r\n", replies.1))
            .clear("STARTTLS", &pick(b"220 go\r\n", replies.2));
        let whole = peer.run(Until::Quit);
        peer.chunk = chunk;
        prop_assert_eq!(peer.run(Until::Quit), whole);
    }
}
