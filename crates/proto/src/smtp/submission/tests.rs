//! Tests of the submission session against a scripted peer in memory: no socket, no clock, any split of
//! bytes, and whatever octets a peer may send.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{
    Goal, Onward, Secured, Security, Step, StepEnd, StepEvent, Stop, SubmissionAction,
    SubmissionOutcome, SubmissionPlan, SubmissionSeen, SubmissionSession, Transaction,
};
use crate::name::Mailbox;
use crate::observation::{Observation, Reason};
use crate::secret::Secret;
use crate::smtp::command::EhloName;
use crate::smtp::sasl::exchange::ExchangeFault;
use crate::smtp::sasl::refusal::RefusalKind;
use crate::smtp::sasl::{Choice, ClientNonce, Credential, Mechanism, SignIn};
use crate::smtp::seen::SessionEnd;
use crate::smtp::session::Verified;
use crate::smtp::transcript::Line;
use crate::smtp::{MessageData, ReversePath};
use crate::tls::danger::ClearTextAllowance;
use crate::tls::requirement::{MinimumVersion, Requirement, Unmet};
use crate::tls::seen::{
    CipherSuite, HandshakeEnd, HandshakeFailure, HandshakeSeen, TlsSession, TlsVersion,
};

mod any_peer;
mod edges;

const PASSWORD: &str = "canary-7f3a9c51e0d24b68";
const USER: &str = "somebody@example.com";
const PEER: &str = "198.18.0.10";

/// What happens when the session waits and the peer has nothing more to say.
#[derive(Clone, Copy, Debug)]
enum Silence {
    TimedOut,
    Closed,
    Reset,
}

/// The three modes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    None,
    StartTls,
    Tls,
}

/// A peer: what it says at each command, in clear and inside TLS.
#[derive(Clone, Debug)]
struct Peer {
    mode: Mode,
    greeting: Vec<u8>,
    clear: BTreeMap<&'static str, Vec<u8>>,
    inside: BTreeMap<&'static str, Vec<u8>>,
    handshake: Option<HandshakeFailure>,
    version: TlsVersion,
    verified: Verified,
    silence: Silence,
}

/// What was written, and whether it was inside TLS.
type Written = (bool, Vec<u8>);

struct Run {
    seen: SubmissionSeen,
    written: Vec<Written>,
    events: Vec<StepEvent>,
}

fn handshake(failure: Option<HandshakeFailure>, version: TlsVersion) -> HandshakeSeen {
    HandshakeSeen {
        chain: Observation::NotObserved(Reason::NotAsked),
        certificate_requested: false,
        end: match failure {
            Some(failure) => HandshakeEnd::Failed(failure),
            None => HandshakeEnd::Completed(TlsSession {
                version,
                suite: CipherSuite(0x1301),
                group: None,
                ocsp_staple: Vec::new(),
            }),
        },
    }
}

fn sign_in(choice: Choice) -> SignIn {
    let credential = Credential::Password(Secret::new(PASSWORD.to_owned()));
    SignIn::new(USER, credential, choice, ClientNonce::from_random([1; 18])).unwrap()
}

fn mailbox(text: &str) -> Mailbox {
    Mailbox::parse(text).unwrap()
}

fn transaction(recipients: &[&str], text: &str, onward: Onward) -> Goal {
    let sender = ReversePath::Mailbox(mailbox("a@example.com"));
    let recipients = recipients.iter().map(|text| mailbox(text)).collect();
    let message = MessageData::new(text.as_bytes().to_vec()).unwrap();
    Goal::Deliver(Transaction::new(sender, recipients, message, onward).unwrap())
}

fn one_message() -> Goal {
    transaction(&["b@example.net"], "Subject: a\r\n\r\n.b\r\n", Onward::Unspecified)
}

impl Mode {
    fn security(self, sign_in: Option<SignIn>) -> Security {
        let requirement = Requirement::default();
        match self {
            Self::None => {
                let (from, to) = ("2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z");
                let (from, to) = (from.parse().unwrap(), to.parse().unwrap());
                let exception = crate::tls::danger::Exception::grant(
                    "https://docs.example.com/",
                    "an old relay",
                    (from, to),
                );
                let allowance = ClearTextAllowance::by_exception(&exception.unwrap(), from);
                Security::None(allowance.unwrap())
            }
            Self::StartTls => Security::StartTls(Secured { requirement, sign_in }),
            Self::Tls => Security::Tls(Secured { requirement, sign_in }),
        }
    }
}

fn plan(security: Security, goal: Goal) -> SubmissionPlan {
    SubmissionPlan {
        ehlo_name: EhloName::from(std::net::IpAddr::from([127, 0, 0, 1])),
        security,
        goal,
    }
}

/// The verb of a line, by which a peer answers; a line of a sign-in exchange has none.
fn verb(line: &str) -> &str {
    match line.split(' ').next().unwrap_or_default() {
        word @ ("EHLO" | "STARTTLS" | "QUIT" | "AUTH" | "MAIL" | "RCPT" | "DATA" | "." | "*") => {
            word
        }
        _ => "line",
    }
}

impl Peer {
    /// A server that does everything right.
    fn good(mode: Mode) -> Self {
        let quit = ("QUIT", b"221 bye\r\n".to_vec());
        let mail = [
            ("MAIL", b"250 2.1.0 ok\r\n".to_vec()),
            ("RCPT", b"250 2.1.5 ok\r\n".to_vec()),
            ("DATA", b"354 go\r\n".to_vec()),
            (".", b"250 2.0.0 queued as 4bX1\r\n".to_vec()),
            quit.clone(),
        ];
        let mut clear = BTreeMap::from([
            ("EHLO", b"250-a.example\r\n250-SIZE 1000\r\n250 STARTTLS\r\n".to_vec()),
            ("STARTTLS", b"220 go\r\n".to_vec()),
            quit,
        ]);
        let mut inside = BTreeMap::from([
            ("EHLO", b"250-a.example\r\n250-SIZE 1000\r\n250 AUTH PLAIN LOGIN\r\n".to_vec()),
            ("AUTH", b"235 2.7.0 welcome\r\n".to_vec()),
        ]);
        match mode {
            Mode::None => clear.extend(mail),
            Mode::StartTls | Mode::Tls => inside.extend(mail),
        }
        Self {
            mode,
            greeting: b"220 a.example ESMTP\r\n".to_vec(),
            clear,
            inside,
            handshake: None,
            version: TlsVersion::Tls13,
            verified: Verified::Yes,
            silence: Silence::TimedOut,
        }
    }

    fn clear(mut self, command: &'static str, reply: &str) -> Self {
        self.clear.insert(command, reply.as_bytes().to_vec());
        self
    }

    fn inside(mut self, command: &'static str, reply: &str) -> Self {
        self.inside.insert(command, reply.as_bytes().to_vec());
        self
    }

    fn silence(mut self, silence: Silence) -> Self {
        self.silence = silence;
        self
    }

    fn reply_to(&self, in_tls: bool, octets: &[u8]) -> Vec<u8> {
        let replies = if in_tls { &self.inside } else { &self.clear };
        let text = String::from_utf8_lossy(octets);
        if text.ends_with("\r\n.\r\n") || text == ".\r\n" {
            return replies.get(".").cloned().unwrap_or_default();
        }
        text.lines().flat_map(|line| replies.get(verb(line)).cloned().unwrap_or_default()).collect()
    }

    fn run(&self, goal: Goal) -> Run {
        self.run_as(Some(sign_in(Choice::Automatic)), goal)
    }

    /// Runs a session against this peer to its end.
    fn run_as(&self, sign_in: Option<SignIn>, goal: Goal) -> Run {
        let plan = plan(self.mode.security(sign_in), goal);
        let mut session = SubmissionSession::new(plan, PEER.parse().unwrap());
        let mut inbox = if self.mode == Mode::Tls { Vec::new() } else { self.greeting.clone() };
        let (mut written, mut events, mut in_tls) = (Vec::new(), Vec::new(), false);
        for _ in 0..10_000 {
            let action = session.poll_action();
            while let Some(event) = session.poll_event() {
                events.push(event);
            }
            match action {
                SubmissionAction::Write(octets) => {
                    inbox.extend(self.reply_to(in_tls, octets.expose()));
                    written.push((in_tls, octets.expose().clone()));
                }
                SubmissionAction::Read { .. } if inbox.is_empty() => match self.silence {
                    Silence::TimedOut => session.handle_timed_out(),
                    Silence::Closed => session.handle_closed(),
                    Silence::Reset => session.handle_reset(),
                },
                SubmissionAction::Read { .. } => session.handle_bytes(&std::mem::take(&mut inbox)),
                SubmissionAction::StartTls if !inbox.is_empty() => {
                    session.handle_injected(&std::mem::take(&mut inbox));
                }
                SubmissionAction::StartTls => {
                    in_tls = self.handshake.is_none();
                    if in_tls && self.mode == Mode::Tls {
                        inbox.clone_from(&self.greeting);
                    }
                    let seen = handshake(self.handshake.clone(), self.version);
                    session.handle_handshake(seen, self.verified);
                }
                SubmissionAction::Close => {
                    assert!(matches!(session.poll_action(), SubmissionAction::Done));
                    while let Some(event) = session.poll_event() {
                        events.push(event);
                    }
                    return Run { seen: session.into_seen(), written, events };
                }
                SubmissionAction::Done => panic!("done without close"),
            }
        }
        panic!("the session does not end");
    }
}

/// What was written, one word a write: its verbs, `msg` for the message, `tls:` before what was inside.
fn words(written: &[Written]) -> String {
    let word = |(in_tls, octets): &Written| {
        let text = String::from_utf8_lossy(octets);
        let verbs: Vec<&str> =
            if text.contains("\r\n\r\n") { vec!["msg"] } else { text.lines().map(verb).collect() };
        format!("{}{}", if *in_tls { "tls:" } else { "" }, verbs.join("+"))
    };
    written.iter().map(word).collect::<Vec<_>>().join(" ")
}

#[test]
fn a_good_server_takes_a_message_in_each_mode() {
    use Step as S;
    for (mode, commands, steps) in [
        (
            Mode::StartTls,
            "EHLO STARTTLS tls:EHLO tls:AUTH tls:MAIL tls:RCPT tls:DATA tls:msg tls:QUIT",
            vec![
                S::Greeting,
                S::Ehlo,
                S::StartTls,
                S::Handshake,
                S::EhloAfterTls,
                S::SignIn,
                S::Mail,
                S::Rcpt,
                S::Data,
                S::Body,
                S::Quit,
            ],
        ),
        (
            Mode::Tls,
            "tls:EHLO tls:AUTH tls:MAIL tls:RCPT tls:DATA tls:msg tls:QUIT",
            vec![
                S::Handshake,
                S::Greeting,
                S::Ehlo,
                S::SignIn,
                S::Mail,
                S::Rcpt,
                S::Data,
                S::Body,
                S::Quit,
            ],
        ),
        (
            Mode::None,
            "EHLO MAIL RCPT DATA msg QUIT",
            vec![S::Greeting, S::Ehlo, S::Mail, S::Rcpt, S::Data, S::Body, S::Quit],
        ),
    ] {
        let run = Peer::good(mode).run(one_message());
        assert_eq!(words(&run.written), commands);
        assert_eq!(run.seen.outcome, SubmissionOutcome::Accepted);
        assert_eq!((run.seen.stop.as_ref(), &run.seen.session.end), (None, &SessionEnd::Complete));
        assert_eq!(run.seen.server_id().as_deref(), Some("queued as 4bX1"));
        assert!(run.seen.recipients[0].is_accepted());
        let seen_steps: Vec<Step> = run.seen.steps.iter().map(|seen| seen.step).collect();
        assert_eq!(seen_steps, steps);
        assert!(run.seen.steps.iter().all(|seen| seen.end == Some(StepEnd::Passed)), "{mode:?}");
        let told: Vec<StepEvent> = steps
            .iter()
            .flat_map(|step| [StepEvent::Begun(*step), StepEvent::Ended(*step, StepEnd::Passed)])
            .collect();
        assert_eq!(run.events, told);
        let message = run.written.iter().find(|(_, octets)| octets.starts_with(b"Subject"));
        assert_eq!(message.unwrap().1, b"Subject: a\r\n\r\n..b\r\n.\r\n");
    }
}

#[test]
fn a_group_travels_in_one_write_where_pipelining_is_offered() {
    let ehlo = "250-a.example\r\n250-PIPELINING\r\n250 AUTH PLAIN\r\n";
    let two = || {
        transaction(
            &["b@example.net", "c@example.net"],
            "Subject: a\r\n\r\nb\r\n",
            Onward::Unspecified,
        )
    };
    let head = "EHLO STARTTLS tls:EHLO tls:AUTH tls:MAIL+RCPT+RCPT+DATA";
    let peer = Peer::good(Mode::StartTls).inside("EHLO", ehlo);
    let run = peer.run(two());
    assert_eq!(words(&run.written), format!("{head} tls:msg tls:QUIT"));
    assert_eq!(run.seen.outcome, SubmissionOutcome::Accepted);
    // The group ran ahead: a lone dot ends the message that nobody receives, and its reply is ignored.
    let run = peer.clone().inside("RCPT", "550 5.1.1 who\r\n").run(two());
    assert_eq!(words(&run.written), format!("{head} tls:. tls:QUIT"));
    assert_eq!(run.seen.outcome, SubmissionOutcome::Rejected);
    assert!(run.seen.delivered.seen().is_none());
    let enhanced = run.seen.recipients[1].reply.seen().and_then(|reply| reply.enhanced);
    assert_eq!(enhanced.unwrap().to_string(), "5.1.1");
    let refused =
        peer.clone().inside("MAIL", "451 4.3.0 later\r\n").inside("DATA", "503 5.5.1 no\r\n");
    let run = refused.run(two());
    assert_eq!(words(&run.written), format!("{head} tls:QUIT"));
    assert_eq!(run.seen.outcome, SubmissionOutcome::Failed);
    let run = peer.inside("RCPT", "421 4.3.2 bye\r\n").run(two());
    assert_eq!(words(&run.written), head);
    assert_eq!(
        (run.seen.outcome, run.seen.session.end),
        (SubmissionOutcome::Failed, SessionEnd::Stopped)
    );
}

#[test]
fn parameters_are_sent_only_where_offered_and_never_dropped_silently() {
    let with = |keywords: &[&str]| {
        let lines: Vec<String> =
            keywords.iter().map(|keyword| format!("250-{keyword}\r\n")).collect();
        let ehlo = format!("250-a.example\r\n{}250 AUTH PLAIN\r\n", lines.concat());
        Peer::good(Mode::Tls).inside("EHLO", &ehlo)
    };
    let plain = "Subject: a\r\n\r\nb\r\n";
    let eight = "Subject: a\r\n\r\n\u{fc}\r\n";
    let address = &["\u{fc}@example.net"];
    let to_b = &["b@example.net"];
    let (any, sealed) = (Onward::Unspecified, Onward::RequireTls);
    for (keywords, goal, expected) in [
        (&["SIZE 0"][..], transaction(to_b, plain, any), Ok("MAIL FROM:<a@example.com> SIZE=17")),
        (&["SIZE 17"], transaction(to_b, plain, any), Ok("MAIL FROM:<a@example.com> SIZE=17")),
        (&["SIZE 16"], transaction(to_b, plain, any), Err(Stop::TooLarge { limit: 16 })),
        (&[], transaction(to_b, plain, any), Ok("MAIL FROM:<a@example.com>")),
        (&["8BITMIME"], transaction(to_b, plain, any), Ok("MAIL FROM:<a@example.com>")),
        (
            &["8BITMIME"],
            transaction(to_b, eight, any),
            Ok("MAIL FROM:<a@example.com> BODY=8BITMIME"),
        ),
        (&[], transaction(to_b, eight, any), Err(Stop::EightBitNotOffered)),
        (&["SMTPUTF8"], transaction(address, plain, any), Ok("MAIL FROM:<a@example.com> SMTPUTF8")),
        (&["8BITMIME"], transaction(address, plain, any), Err(Stop::SmtpUtf8NotOffered)),
        (
            &["REQUIRETLS"],
            transaction(to_b, plain, sealed),
            Ok("MAIL FROM:<a@example.com> REQUIRETLS"),
        ),
        (&["REQUIRETLS"], transaction(to_b, plain, any), Ok("MAIL FROM:<a@example.com>")),
        (&[], transaction(to_b, plain, sealed), Err(Stop::RequireTlsNotOffered)),
    ] {
        let run = with(keywords).run(goal);
        let mail = run.written.iter().map(|(_, octets)| String::from_utf8_lossy(octets));
        let mail = mail.into_iter().find(|line| line.starts_with("MAIL"));
        match expected {
            Ok(line) => {
                assert_eq!(mail.unwrap(), format!("{line}\r\n"));
                assert_eq!(run.seen.outcome, SubmissionOutcome::Accepted);
            }
            Err(stop) => {
                assert_eq!((mail, run.seen.stop), (None, Some(stop)));
                assert_eq!(run.seen.outcome, SubmissionOutcome::Failed);
                assert_eq!(words(&run.written), "tls:EHLO tls:AUTH tls:QUIT");
            }
        }
    }
    let in_clear = Peer::good(Mode::None).clear("EHLO", "250-a.example\r\n250 REQUIRETLS\r\n");
    let run = in_clear.run(transaction(to_b, plain, sealed));
    assert_eq!(run.seen.stop, Some(Stop::RequireTlsNotOffered));
}

#[test]
fn without_verified_tls_nothing_but_quit_follows() {
    let good = |mode| Peer::good(mode);
    let failed = HandshakeFailure::Incompatible("no".to_owned());
    let with = |mode: Mode, change: fn(&mut Peer)| {
        let mut peer = good(mode);
        change(&mut peer);
        peer
    };
    let unmet = |unmet| Some(Stop::Unmet(unmet));
    let starttls = "EHLO STARTTLS";
    for (peer, commands, stop) in [
        (
            with(Mode::StartTls, |peer| peer.verified = Verified::No),
            "EHLO STARTTLS tls:QUIT",
            unmet(Unmet::Unverified),
        ),
        (with(Mode::Tls, |peer| peer.verified = Verified::No), "", unmet(Unmet::Unverified)),
        (
            with(Mode::StartTls, |peer| peer.version = TlsVersion::Tls11),
            "EHLO STARTTLS tls:QUIT",
            unmet(Unmet::VersionTooOld),
        ),
        (
            Peer { handshake: Some(failed.clone()), ..good(Mode::StartTls) },
            starttls,
            unmet(Unmet::HandshakeFailed),
        ),
        (Peer { handshake: Some(failed), ..good(Mode::Tls) }, "", unmet(Unmet::HandshakeFailed)),
        (good(Mode::StartTls).clear("EHLO", "250-a\r\n250 AUTH PLAIN\r\n"), "EHLO QUIT", None),
        (good(Mode::StartTls).clear("EHLO", "500 what\r\n"), "EHLO QUIT", None),
        (good(Mode::StartTls).clear("EHLO", "421 bye\r\n"), "EHLO", None),
        (good(Mode::StartTls).clear("STARTTLS", "454 4.7.0 no\r\n"), "EHLO STARTTLS QUIT", None),
        (good(Mode::StartTls).clear("STARTTLS", "220 go\r\n235 injected\r\n"), starttls, None),
        (good(Mode::StartTls).clear("STARTTLS", "220-go\r\n250 on\r\n"), starttls, None),
        (good(Mode::StartTls).clear("EHLO", "250-a\r\n250 STARTTLS\r\n220 go\r\n"), "EHLO", None),
        (Peer { greeting: b"554 no\r\n".to_vec(), ..good(Mode::StartTls) }, "QUIT", None),
        (Peer { greeting: b"<html>\r\n".to_vec(), ..good(Mode::StartTls) }, "", None),
    ] {
        let run = peer.run(one_message());
        assert_eq!(words(&run.written), commands, "{peer:?}");
        assert_eq!(run.seen.stop, stop, "{peer:?}");
        assert_eq!(run.seen.outcome, SubmissionOutcome::Failed, "{peer:?}");
    }
    let strict = Requirement { minimum: MinimumVersion::Tls13 };
    let security = Security::Tls(Secured { requirement: strict, sign_in: None });
    let mut session = SubmissionSession::new(plan(security, one_message()), PEER.parse().unwrap());
    session.handle_handshake(handshake(None, TlsVersion::Tls12), Verified::Yes);
    assert!(matches!(session.poll_action(), SubmissionAction::Close));
}

#[test]
fn octets_in_clear_where_tls_is_awaited_are_kept_by_mode() {
    let octets = b"220 a.example ESMTP\r\n".to_vec();
    let failure = Some(HandshakeFailure::NotTls(octets.clone()));
    let run = Peer { handshake: failure.clone(), ..Peer::good(Mode::Tls) }.run(one_message());
    assert_eq!(
        (run.seen.session.first_octets, run.seen.session.injected),
        (octets.clone(), vec![])
    );
    let run = Peer { handshake: failure, ..Peer::good(Mode::StartTls) }.run(one_message());
    assert_eq!(run.seen.session.injected, octets);
}

#[test]
fn an_allowance_in_clear_covers_its_address_and_no_credential_exists_there() {
    let loopback = "127.0.0.1".parse().unwrap();
    let security = || Security::None(ClearTextAllowance::for_loopback(loopback).unwrap());
    let elsewhere = SubmissionSession::new(plan(security(), one_message()), PEER.parse().unwrap());
    let mut session = elsewhere;
    assert!(matches!(session.poll_action(), SubmissionAction::Close));
    let seen = session.into_seen();
    assert_eq!(
        (seen.stop, seen.outcome),
        (Some(Stop::NotAllowedInClear), SubmissionOutcome::Failed)
    );
    let mut session = SubmissionSession::new(plan(security(), one_message()), loopback);
    assert!(matches!(session.poll_action(), SubmissionAction::Read { step: Step::Greeting }));
    // Whatever is offered in clear, there is nobody to sign in.
    let offers = "250-a\r\n250 AUTH PLAIN\r\n";
    let run = Peer::good(Mode::None).clear("EHLO", offers).run(one_message());
    assert_eq!(words(&run.written), "EHLO MAIL RCPT DATA msg QUIT");
}

#[test]
fn a_refused_sign_in_is_named_and_nothing_is_sent() {
    use RefusalKind as K;
    let good = || Peer::good(Mode::Tls);
    let quit = "tls:EHLO tls:AUTH tls:QUIT";
    let cancelled = "tls:EHLO tls:AUTH tls:* tls:QUIT";
    for (peer, choice, commands, kind, mechanism) in [
        (
            good().inside("AUTH", "535 5.7.8 no\r\n"),
            Choice::Automatic,
            quit,
            K::BadCredentials,
            Some(Mechanism::Plain),
        ),
        (
            good().inside("AUTH", "454 4.7.0 later\r\n"),
            Choice::Automatic,
            quit,
            K::Temporary,
            Some(Mechanism::Plain),
        ),
        (
            good().inside("AUTH", "421 4.7.0 too many\r\n"),
            Choice::Automatic,
            "tls:EHLO tls:AUTH",
            K::Temporary,
            Some(Mechanism::Plain),
        ),
        (
            good().inside("AUTH", "235-a\r\n250 b\r\n"),
            Choice::Automatic,
            quit,
            K::ExchangeBroken,
            Some(Mechanism::Plain),
        ),
        (
            good().inside("AUTH", "334 bW9yZQ==\r\n").inside("*", "501 5.7.0 cancelled\r\n"),
            Choice::Automatic,
            cancelled,
            K::ExchangeBroken,
            Some(Mechanism::Plain),
        ),
        (
            good().inside("EHLO", "250 a.example\r\n"),
            Choice::Automatic,
            "tls:EHLO tls:QUIT",
            K::NotAdvertised,
            None,
        ),
        (
            good().inside("EHLO", "250-a\r\n250 AUTH GSSAPI\r\n"),
            Choice::Automatic,
            "tls:EHLO tls:QUIT",
            K::MechanismMismatch,
            None,
        ),
        (
            good().inside("EHLO", "250-a\r\n250 AUTH XOAUTH2\r\n"),
            Choice::Automatic,
            "tls:EHLO tls:QUIT",
            K::OauthNeeded,
            None,
        ),
        (good(), Choice::Only(Mechanism::CramMd5), "tls:EHLO tls:QUIT", K::MechanismMismatch, None),
        (
            good().inside("EHLO", "250-a\r\n250 AUTH SCRAM-SHA-256\r\n"),
            Choice::Automatic,
            quit,
            K::ServerNotProven,
            Some(Mechanism::ScramSha256),
        ),
    ] {
        let run = peer.run_as(Some(sign_in(choice)), one_message());
        assert_eq!(words(&run.written), commands, "{peer:?}");
        let refusal = run.seen.refusal().unwrap();
        assert_eq!((refusal.kind, refusal.mechanism), (kind, mechanism), "{peer:?}");
        assert_eq!(run.seen.outcome, SubmissionOutcome::AuthFailed);
        assert_eq!(run.seen.last_step(), Some(Step::SignIn));
    }
}

#[test]
fn a_list_from_before_tls_is_forgotten() {
    // AUTH in clear, none inside: nothing is offered.
    let peer = Peer::good(Mode::StartTls)
        .clear("EHLO", "250-a\r\n250-PIPELINING\r\n250-AUTH PLAIN\r\n250 STARTTLS\r\n");
    let run = peer.clone().inside("EHLO", "250 a\r\n").run(one_message());
    assert_eq!(run.seen.refusal().unwrap().kind, RefusalKind::NotAdvertised);
    let run = peer.run(one_message());
    assert_eq!(
        words(&run.written),
        "EHLO STARTTLS tls:EHLO tls:AUTH tls:MAIL tls:RCPT tls:DATA tls:msg tls:QUIT"
    );
}

#[test]
fn signing_in_alone_sends_nothing() {
    let run = Peer::good(Mode::StartTls).run(Goal::Verify);
    assert_eq!(words(&run.written), "EHLO STARTTLS tls:EHLO tls:AUTH tls:QUIT");
    assert_eq!(
        (run.seen.outcome, run.seen.session.end),
        (SubmissionOutcome::Ready, SessionEnd::Complete)
    );
    assert_eq!(run.seen.signed_in.seen().unwrap().mechanism, Mechanism::Plain);
    let run = Peer::good(Mode::StartTls).run_as(None, Goal::Verify);
    assert_eq!(words(&run.written), "EHLO STARTTLS tls:EHLO tls:QUIT");
}

#[test]
fn refusals_of_the_message_are_rejected_failed_or_uncertain() {
    use SubmissionOutcome as O;
    let good = || Peer::good(Mode::Tls);
    let to_mail = "tls:EHLO tls:AUTH tls:MAIL";
    let to_rcpt = "tls:EHLO tls:AUTH tls:MAIL tls:RCPT";
    let to_data = "tls:EHLO tls:AUTH tls:MAIL tls:RCPT tls:DATA";
    let to_body = "tls:EHLO tls:AUTH tls:MAIL tls:RCPT tls:DATA tls:msg";
    let quit = |before: &str| format!("{before} tls:QUIT");
    for (peer, commands, outcome, step) in [
        (good().inside("MAIL", "550 5.7.60 not you\r\n"), quit(to_mail), O::Rejected, Step::Mail),
        (good().inside("MAIL", "451 4.3.0 later\r\n"), quit(to_mail), O::Failed, Step::Mail),
        (
            good().inside("MAIL", "530 5.7.0 Authentication required\r\n"),
            quit(to_mail),
            O::Rejected,
            Step::Mail,
        ),
        (good().inside("RCPT", "550 5.1.1 who\r\n"), quit(to_rcpt), O::Rejected, Step::Rcpt),
        (good().inside("RCPT", "450 4.2.0 later\r\n"), quit(to_rcpt), O::Failed, Step::Rcpt),
        (good().inside("DATA", "554 5.5.1 no\r\n"), quit(to_data), O::Rejected, Step::Data),
        (good().inside("DATA", "250 what\r\n"), quit(to_data), O::Failed, Step::Data),
        (
            good().inside("DATA", "354 go\r\n250 early\r\n"),
            to_data.to_owned(),
            O::Failed,
            Step::Body,
        ),
        (good().inside(".", "554 5.7.1 spam\r\n"), quit(to_body), O::Rejected, Step::Body),
        (good().inside(".", "451 4.3.0 later\r\n"), quit(to_body), O::Failed, Step::Body),
        (good().inside(".", "421 4.7.28 slow down\r\n"), to_body.to_owned(), O::Failed, Step::Body),
        (good().inside(".", "421 bye\r\n"), to_body.to_owned(), O::Uncertain, Step::Body),
        (good().inside(".", "421 4.3.2 bye\r\n"), to_body.to_owned(), O::Uncertain, Step::Body),
        (good().inside(".", "354 again\r\n"), quit(to_body), O::Uncertain, Step::Body),
        (good().inside(".", "250-a\r\n550 b\r\n"), quit(to_body), O::Uncertain, Step::Body),
        (good().inside(".", "what\r\n"), to_body.to_owned(), O::Uncertain, Step::Body),
        (good().inside(".", ""), to_body.to_owned(), O::Uncertain, Step::Body),
        (
            good().inside(".", "250 o").silence(Silence::Closed),
            to_body.to_owned(),
            O::Uncertain,
            Step::Body,
        ),
        (
            good().inside(".", "").silence(Silence::Reset),
            to_body.to_owned(),
            O::Uncertain,
            Step::Body,
        ),
        (good().inside("DATA", ""), to_data.to_owned(), O::Failed, Step::Data),
        (
            good().inside("RCPT", "").silence(Silence::Closed),
            to_rcpt.to_owned(),
            O::Failed,
            Step::Rcpt,
        ),
        (good().inside("QUIT", "").silence(Silence::Reset), quit(to_body), O::Accepted, Step::Body),
        (
            good().inside("AUTH", "235 ok\r\n421 4.3.2 bye\r\n"),
            "tls:EHLO tls:AUTH".to_owned(),
            O::Failed,
            Step::Mail,
        ),
    ] {
        let run = peer.run(one_message());
        assert_eq!(words(&run.written), commands, "{peer:?}");
        assert_eq!((run.seen.outcome, run.seen.last_step()), (outcome, Some(step)), "{peer:?}");
    }
}

#[test]
fn a_session_left_after_the_message_is_uncertain() {
    let session = SubmissionSession::new(
        plan(Mode::None.security(None), one_message()),
        PEER.parse().unwrap(),
    );
    let mut session = session;
    let replies: [&[u8]; 5] =
        [b"220 a\r\n", b"250 a\r\n", b"250 a\r\n", b"250 a\r\n", b"354 a\r\n"];
    for reply in replies {
        session.handle_bytes(reply);
        assert!(matches!(session.poll_action(), SubmissionAction::Write(_)));
    }
    assert_eq!(session.into_seen().outcome, SubmissionOutcome::Uncertain);
}

#[test]
fn a_server_that_echoes_finds_its_echo_hidden() {
    let plain = STANDARD.encode(format!("\0{USER}\0{PASSWORD}"));
    let echo = format!("535 5.7.8 {PASSWORD} in {plain} and {}\r\n", STANDARD.encode(PASSWORD));
    let echoing = Peer::good(Mode::Tls).inside("AUTH", &echo);
    let late =
        Peer::good(Mode::Tls).inside(".", &format!("250 2.0.0 {plain}\r\n")).inside("QUIT", &plain);
    let rcpt = Peer::good(Mode::Tls).inside("RCPT", &format!("550 {PASSWORD}\r\n"));
    for peer in [echoing, late, rcpt] {
        let run = peer.run(one_message());
        let shown = format!("{:?}", run.seen);
        assert!(!shown.contains(PASSWORD) && !shown.contains(&plain), "{shown}");
        let core = &STANDARD.encode(PASSWORD)[..24];
        assert!(!shown.contains(core), "{shown}");
    }
    let run = Peer::good(Mode::Tls).run(one_message());
    let lines: Vec<&str> = run.seen.transcript().lines.iter().map(Line::text).collect();
    assert!(
        lines.contains(&"AUTH PLAIN [secret]") && lines.contains(&"[message of 18 octets]"),
        "{lines:?}"
    );
}

#[test]
fn scram_signs_in_over_a_whole_session() {
    // The server's part of the exchange is not computed here: a wrong signature ends it.
    let peer = Peer::good(Mode::Tls)
        .inside("EHLO", "250-a\r\n250 AUTH PLAIN SCRAM-SHA-256\r\n")
        .inside("AUTH", &format!("334 {}\r\n", STANDARD.encode("r=other,s=W22Z,i=4096")))
        .inside("*", "501 5.7.0 cancelled\r\n");
    let run = peer.run(one_message());
    assert_eq!(words(&run.written), "tls:EHLO tls:AUTH tls:* tls:QUIT");
    let refusal = run.seen.refusal().unwrap();
    assert_eq!(
        (refusal.kind, refusal.fault.as_ref()),
        (RefusalKind::ExchangeBroken, Some(&ExchangeFault::ScramNonce))
    );
}
