//! What every session does before its own business (RFC 5321 §3.1, RFC 3207 §4): it reads replies, keeps
//! the evidence, and judges greeting, EHLO and STARTTLS. The probe session and the submission session both
//! hold one [`Prelude`] and decide what to send. Keep: STARTTLS and the handshake only with an empty
//! buffer, and [`Prelude::start_inside_tls`] leaves nothing of what came in clear.

use super::ehlo::EhloSeen;
use super::reply::{PartialReply, Progress, Reply, ReplyReader};
use super::reply_class::{
    EhloClass, GreetingClass, StartTlsClass, classify_ehlo, classify_greeting, classify_starttls,
};
use super::seen::{SessionEnd, SessionSeen, Stage};
use super::transcript::Transcript;
use crate::deviation::Deviation;
use crate::limits::{EVIDENCE_OCTETS_MAX, REPLY_OCTETS_PER_PART_MAX};
use crate::observation::{Observation, Reason};
use crate::tls::seen::{HandshakeEnd, HandshakeFailure, HandshakeSeen};

/// What a reply answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    Greeting,
    Ehlo,
    Helo,
    StartTls,
    EhloAfterTls,
    Quit,
}

/// What came of the octets received so far.
pub(super) enum Heard {
    Nothing,
    Reply(Reply),
    Unreadable(PartialReply, Reason),
}

/// Where the judgement of a reply leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    Ehlo,
    Helo,
    StartTls,
    Handshake,
    /// Nothing more can come of this session: QUIT.
    Quit,
    /// Close at once, without a word.
    Close,
}

/// The reading side and the record of one session.
#[derive(Debug)]
pub(super) struct Prelude {
    reader: ReplyReader,
    /// Octets received and not yet read as a reply.
    pending: Vec<u8>,
    /// Octets received in this part of the session: in clear, or inside TLS.
    octets: usize,
    pub(super) seen: SessionSeen,
}

impl Asked {
    pub(super) const fn stage(self) -> Stage {
        match self {
            Self::Greeting => Stage::Greeting,
            Self::Ehlo | Self::Helo => Stage::Ehlo,
            Self::StartTls => Stage::StartTls,
            Self::EhloAfterTls => Stage::EhloAfterTls,
            Self::Quit => Stage::Quit,
        }
    }
}

impl Prelude {
    /// Nothing has come yet.
    pub(super) const fn new() -> Self {
        Self { reader: ReplyReader::new(), pending: Vec::new(), octets: 0, seen: nothing_seen() }
    }

    /// Takes octets in, as many as the cap of this part allows.
    pub(super) fn receive(&mut self, bytes: &[u8]) {
        keep_evidence(&mut self.seen.first_octets, bytes);
        let room = REPLY_OCTETS_PER_PART_MAX.saturating_sub(self.octets);
        self.octets = self.octets.saturating_add(bytes.len());
        self.pending.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
    }

    /// Whether more has come in this part than is read.
    pub(super) const fn is_over_cap(&self) -> bool {
        self.octets > REPLY_OCTETS_PER_PART_MAX
    }

    /// Notes that the cap of this part ended the session.
    pub(super) fn note_cap(&mut self) {
        if let Some(partial) = &mut self.seen.unfinished {
            partial.deviations.push(Deviation::OctetsOverCap);
        }
    }

    /// Whether every octet received has been read.
    pub(super) fn is_drained(&self) -> bool {
        self.pending.is_empty()
    }

    /// Forgets what was received and not read.
    pub(super) fn drop_pending(&mut self) {
        self.pending.clear();
    }

    /// Octets of an unfinished reply.
    pub(super) const fn unfinished_octets(&self) -> usize {
        self.reader.octets()
    }

    /// Reads one reply, if it is there.
    pub(super) fn hear(&mut self) -> Heard {
        if self.pending.is_empty() {
            return Heard::Nothing;
        }
        let fed = self.reader.feed(&self.pending);
        self.pending.drain(..fed.consumed);
        self.note_raw_lines();
        match fed.progress {
            Progress::NeedMore => Heard::Nothing,
            Progress::Complete(reply) => Heard::Reply(reply),
            Progress::NotReply(partial) => Heard::Unreadable(partial, Reason::Unintelligible),
            Progress::CapReached(partial) => Heard::Unreadable(partial, Reason::LimitReached),
        }
    }

    /// What had come of a reply that will not be finished.
    pub(super) fn take_partial(&mut self) -> Option<PartialReply> {
        let partial = self.reader.take_partial();
        self.note_raw_lines();
        partial
    }

    /// Judges the greeting.
    pub(super) fn on_greeting(&mut self, greeting: Reply) -> Next {
        let class = classify_greeting(&greeting);
        let code = greeting.code.number();
        self.seen.greeting = Observation::Observed(greeting);
        match class {
            GreetingClass::Ready => {
                self.seen.stage = Stage::Ehlo;
                Next::Ehlo
            }
            GreetingClass::Throttled
            | GreetingClass::Greylisted
            | GreetingClass::ReputationBlocked
            | GreetingClass::Rejected
            | GreetingClass::Malformed => quit_unless_closing(code),
        }
    }

    /// Judges the answer to EHLO in clear, where STARTTLS is to follow.
    pub(super) fn on_ehlo(&mut self, reply: Reply) -> Next {
        let class = classify_ehlo(&reply);
        let code = reply.code.number();
        let ehlo = EhloSeen::from_reply(reply);
        let offered = ehlo.offers("STARTTLS");
        self.seen.ehlo = Observation::Observed(ehlo);
        match class {
            EhloClass::Accepted if offered && self.pending.is_empty() => {
                self.seen.stage = Stage::StartTls;
                Next::StartTls
            }
            EhloClass::Accepted if offered => {
                // A reply waits for a command that was not sent yet: it would be taken for the answer.
                self.seen.stage = Stage::StartTls;
                let ahead = std::mem::take(&mut self.pending);
                self.note_injected(&ahead);
                Next::Close
            }
            EhloClass::Accepted => {
                self.seen.starttls = Observation::NotObserved(Reason::NotAsked);
                Next::Quit
            }
            EhloClass::NotUnderstood => Next::Helo,
            EhloClass::NameRejected
            | EhloClass::Greylisted
            | EhloClass::Throttled
            | EhloClass::ReputationBlocked
            | EhloClass::Refused => quit_unless_closing(code),
        }
    }

    /// Judges the reply to STARTTLS.
    pub(super) fn on_starttls(&mut self, reply: Reply) -> Next {
        let class = classify_starttls(&reply);
        let code = reply.code.number();
        self.seen.starttls = Observation::Observed(reply);
        match class {
            StartTlsClass::Go if self.pending.is_empty() => {
                self.seen.stage = Stage::Handshake;
                Next::Handshake
            }
            StartTlsClass::Go => {
                let injected = std::mem::take(&mut self.pending);
                self.note_injected(&injected);
                Next::Close
            }
            // The server may already wait for TLS: nothing more goes to it in clear.
            StartTlsClass::Malformed => Next::Close,
            StartTlsClass::Unavailable | StartTlsClass::Refused | StartTlsClass::Unexpected => {
                quit_unless_closing(code)
            }
        }
    }

    /// Records how a handshake ended; the failure, if it did not finish.
    pub(super) fn on_handshake(&mut self, handshake: HandshakeSeen) -> Option<HandshakeFailure> {
        let failure = match &handshake.end {
            HandshakeEnd::Completed(tls) => {
                let note = format!("TLS {} established", tls.version.as_str());
                self.seen.transcript.push_note(&note);
                None
            }
            HandshakeEnd::Failed(failure) => {
                self.seen.transcript.push_note("TLS handshake failed");
                Some(failure.clone())
            }
        };
        self.seen.handshake = Observation::Observed(handshake);
        failure
    }

    /// RFC 3207 §4.2: nothing from before the handshake may live on.
    pub(super) fn start_inside_tls(&mut self) {
        self.reader = ReplyReader::new();
        self.pending.clear();
        self.octets = 0;
    }

    /// Records octets in clear where only TLS may stand.
    pub(super) fn note_injected(&mut self, octets: &[u8]) {
        self.keep_injected(octets);
        self.seen.transcript.push_note("octets in clear where only TLS may stand");
    }

    /// Keeps such octets without a word.
    pub(super) fn keep_injected(&mut self, octets: &[u8]) {
        keep_evidence(&mut self.seen.injected, octets);
    }

    /// Records that no reply to `asked` came, and why.
    pub(super) fn mark_missing(&mut self, asked: Asked, reason: Reason) {
        match asked {
            Asked::Greeting => self.seen.greeting = Observation::NotObserved(reason),
            Asked::Ehlo => self.seen.ehlo = Observation::NotObserved(reason),
            Asked::Helo => self.seen.helo = Observation::NotObserved(reason),
            Asked::StartTls => self.seen.starttls = Observation::NotObserved(reason),
            Asked::EhloAfterTls => self.seen.ehlo_after_tls = Observation::NotObserved(reason),
            Asked::Quit => self.seen.quit = Observation::NotObserved(reason),
        }
    }

    fn note_raw_lines(&mut self) {
        for line in self.reader.take_raw_lines() {
            self.seen.transcript.push_server(&line);
        }
    }
}

/// A session ends by decision with QUIT, or without it after 421, where the server closes itself.
pub(super) const fn quit_unless_closing(code: u16) -> Next {
    if code == 421 { Next::Close } else { Next::Quit }
}

/// How a failed handshake ends the session.
pub(super) const fn end_of(failure: &HandshakeFailure) -> SessionEnd {
    match failure {
        HandshakeFailure::Closed => SessionEnd::Closed,
        HandshakeFailure::Reset => SessionEnd::Reset,
        HandshakeFailure::TimedOut { received } => SessionEnd::TimedOut { received: *received },
        HandshakeFailure::AlertReceived(_)
        | HandshakeFailure::Malformed(_)
        | HandshakeFailure::NotTls(_)
        | HandshakeFailure::Incompatible(_)
        | HandshakeFailure::IntegrityFailed(_)
        | HandshakeFailure::RecordOverflow => SessionEnd::Stopped,
    }
}

/// A record before the first octet.
const fn nothing_seen() -> SessionSeen {
    SessionSeen {
        stage: Stage::Greeting,
        end: SessionEnd::Stopped,
        first_octets: Vec::new(),
        greeting: Observation::NotObserved(Reason::EarlierStageFailed),
        ehlo: Observation::NotObserved(Reason::EarlierStageFailed),
        helo: Observation::NotObserved(Reason::NotAsked),
        starttls: Observation::NotObserved(Reason::EarlierStageFailed),
        injected: Vec::new(),
        handshake: Observation::NotObserved(Reason::EarlierStageFailed),
        ehlo_after_tls: Observation::NotObserved(Reason::EarlierStageFailed),
        unfinished: None,
        quit: Observation::NotObserved(Reason::EarlierStageFailed),
        close_notify: Observation::NotObserved(Reason::EarlierStageFailed),
        transcript: Transcript { lines: Vec::new() },
    }
}

fn keep_evidence(kept: &mut Vec<u8>, octets: &[u8]) {
    let room = EVIDENCE_OCTETS_MAX.saturating_sub(kept.len());
    kept.extend_from_slice(octets.get(..room).unwrap_or(octets));
}

#[cfg(test)]
mod tests {
    use super::{Heard, Prelude};
    use crate::limits::{EVIDENCE_OCTETS_MAX, REPLY_OCTETS_PER_PART_MAX};

    #[test]
    fn a_part_ends_behind_its_cap() {
        let mut prelude = Prelude::new();
        prelude.receive(&vec![b'a'; REPLY_OCTETS_PER_PART_MAX]);
        assert!(!prelude.is_over_cap());
        prelude.receive(b"a");
        assert!(prelude.is_over_cap());
        assert_eq!(prelude.pending.len(), REPLY_OCTETS_PER_PART_MAX);
        assert_eq!(prelude.seen.first_octets.len(), EVIDENCE_OCTETS_MAX);
    }

    #[test]
    fn nothing_from_before_the_handshake_lives_on() {
        let mut prelude = Prelude::new();
        prelude.receive(b"250-half a reply\r\n");
        assert!(matches!(prelude.hear(), Heard::Nothing));
        assert!(prelude.unfinished_octets() > 0);
        prelude.receive(b"250 the rest\r\n");
        prelude.start_inside_tls();
        assert!(prelude.is_drained() && !prelude.is_over_cap());
        assert_eq!((prelude.octets, prelude.unfinished_octets()), (0, 0));
        assert!(matches!(prelude.hear(), Heard::Nothing));
    }

    #[test]
    fn what_was_not_read_can_be_forgotten() {
        let mut prelude = Prelude::new();
        prelude.receive(b"220 a\r\n");
        assert!(!prelude.is_drained());
        prelude.drop_pending();
        assert!(prelude.is_drained());
        assert!(matches!(prelude.hear(), Heard::Nothing));
    }
}
