//! A probe session against a peer that says anything at any moment (RFC 3207 §4, RFC 5321 §4.5.1).
//!
//! Asserts the invariants of the state machine: in clear only EHLO, HELO after it, STARTTLS and QUIT,
//! each at most once and in this order; after a certificate that did not verify only QUIT; an end after
//! a bounded number of steps.

use waxseal_proto::name::DomainName;
use waxseal_proto::observation::{Observation, Reason};
use waxseal_proto::smtp::command::EhloName;
use waxseal_proto::smtp::session::{Action, ProbePlan, ProbeSession, Until, Verified};
use waxseal_proto::tls::seen::{
    CipherSuite, HandshakeEnd, HandshakeFailure, HandshakeSeen, TlsSession, TlsVersion,
};

const OUR_NAME: &str = "probe.example";
/// Steps after which a session counts as endless: each input octet leads to a few at most.
const STEPS_PER_OCTET: usize = 8;
const STEPS_BASE: usize = 64;

/// The input is a script: an octet says what happens, a second how many of the following arrive.
pub(super) struct Script<'a>(pub(super) &'a [u8]);

impl<'a> Script<'a> {
    pub(super) fn octet(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    pub(super) fn take(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(count.min(self.0.len()));
        self.0 = rest;
        taken
    }
}

#[derive(Default)]
struct Sent {
    clear: Vec<String>,
    inside: Vec<String>,
    verified: Option<Verified>,
}

/// Runs one session to its end.
pub fn session(data: &[u8]) {
    let Ok(name) = DomainName::parse(OUR_NAME) else { return };
    let mut script = Script(data);
    let until = if script.octet().is_some_and(|octet| octet % 8 == 7) {
        Until::StartTls
    } else {
        Until::Quit
    };
    let plan = ProbePlan { ehlo_name: EhloName::from(&name), until };
    let mut session = ProbeSession::new(plan);
    let mut sent = Sent::default();
    let mut steps = 0;
    loop {
        steps += 1;
        assert!(steps < STEPS_BASE + data.len() * STEPS_PER_OCTET, "a session without end");
        match session.poll_action() {
            Action::Read { .. } => read(&mut session, &mut script),
            Action::Write(octets) => sent.note(&octets),
            Action::StartTls => start_tls(&mut session, &mut script, &mut sent),
            Action::Close => {}
            Action::Done => break,
        }
    }
    sent.judge();
    let seen = session.into_seen();
    if sent.verified != Some(Verified::Yes) {
        assert!(seen.ehlo_after_tls.seen().is_none(), "facts from an unverified session");
    }
}

fn read(session: &mut ProbeSession, script: &mut Script<'_>) {
    match script.octet() {
        None => session.handle_closed(),
        Some(0) => session.handle_timed_out(),
        Some(1) => session.handle_reset(),
        Some(2) => session.handle_close_notify(true),
        Some(3) => session.handle_close_notify(false),
        Some(count) => {
            let octets = script.take(usize::from(count));
            session.handle_bytes(octets);
        }
    }
}

fn start_tls(session: &mut ProbeSession, script: &mut Script<'_>, sent: &mut Sent) {
    let choice = script.octet();
    let verified =
        if choice.is_some_and(|octet| octet % 2 == 0) { Verified::Yes } else { Verified::No };
    match choice {
        None | Some(0..=15) => session.handle_handshake(failed(), verified),
        Some(16..=31) => {
            let octets = script.take(8);
            session.handle_injected(octets);
            if octets.is_empty() {
                session.handle_handshake(failed(), verified);
            }
        }
        Some(_) => {
            sent.verified = Some(verified);
            session.handle_handshake(completed(), verified);
        }
    }
}

pub(super) fn failed() -> HandshakeSeen {
    HandshakeSeen {
        chain: Observation::NotObserved(Reason::PeerClosed),
        certificate_requested: false,
        end: HandshakeEnd::Failed(HandshakeFailure::Closed),
    }
}

pub(super) fn completed() -> HandshakeSeen {
    let session = TlsSession {
        version: TlsVersion::Tls13,
        suite: CipherSuite(0x1301),
        group: None,
        ocsp_staple: Vec::new(),
    };
    HandshakeSeen {
        chain: Observation::Observed(Vec::new()),
        certificate_requested: false,
        end: HandshakeEnd::Completed(session),
    }
}

impl Sent {
    fn note(&mut self, octets: &[u8]) {
        let text = String::from_utf8_lossy(octets);
        assert!(text.ends_with("\r\n"), "a command without CRLF: {text:?}");
        assert_eq!(text.matches('\n').count(), 1, "more than one command in a write: {text:?}");
        let verb = text.split_whitespace().next().unwrap_or_default().to_owned();
        if self.verified.is_some() { self.inside.push(verb) } else { self.clear.push(verb) }
    }

    fn judge(&self) {
        let order = ["EHLO", "HELO", "STARTTLS", "QUIT"];
        let places: Vec<Option<usize>> =
            self.clear.iter().map(|verb| order.iter().position(|known| known == verb)).collect();
        let ordered = places.windows(2).all(|pair| matches!(pair, [a, b] if a < b));
        assert!(ordered && !places.contains(&None), "sent in clear: {:?}", self.clear);
        let allowed: &[&str] = match self.verified {
            Some(Verified::Yes) => &["EHLO", "QUIT"],
            Some(Verified::No) | None => &["QUIT"],
        };
        assert!(self.inside.len() <= allowed.len(), "sent inside TLS: {:?}", self.inside);
        let known = self.inside.iter().all(|verb| allowed.contains(&verb.as_str()));
        assert!(known, "sent inside TLS: {:?}", self.inside);
    }
}
