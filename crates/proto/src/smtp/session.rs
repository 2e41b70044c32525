//! The SMTP probe session as a state machine without I/O (RFC 5321 §3.1, RFC 3207 §4). The driver asks
//! [`ProbeSession::poll_action`] what to do, does it, and reports what came; it decides nothing.
//!
//! ```text
//!  greeting ──220──▶ EHLO ──250 with STARTTLS──▶ STARTTLS ──clean 220, nothing behind it──▶ handshake
//!     │               │ │                           │  │                                      │  │  │
//!     │               │ └─500,502─▶ HELO            │  └─octets behind it──▶ close     failed──┘  │  │
//!     │ 421: close    │              │              │ malformed 220: close           ▼           │  │
//!     ▼ not SMTP: close              ▼              ▼                              close         │  │
//!    QUIT ◀───────────┴──────────────┴──────────────┘               certificate did not verify ──┘  │
//!     │                                                                          ▼                  ▼
//!     └──reply──▶ close        close ◀──end of TLS──  QUIT inside TLS ◀──reply── EHLO inside TLS ◀─verified
//! ```
//!
//! Time-out, end of stream, reset and a cap end the session at once, from any state. Invariants: in clear
//! only EHLO, HELO after a refused EHLO, STARTTLS and QUIT, each at most once, in this order; STARTTLS and
//! the handshake only with an empty clear-text buffer; nothing learnt before TLS is used after it; after a
//! certificate that did not verify only QUIT.

use super::command::Command;
use super::ehlo::EhloSeen;
pub use super::plan::{Action, ProbePlan, Until, Verified};
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

/// One probe session.
#[derive(Debug)]
pub struct ProbeSession {
    plan: ProbePlan,
    state: State,
    reader: ReplyReader,
    /// Octets received and not yet read as a reply.
    pending: Vec<u8>,
    /// Octets received in this part of the session: in clear, or inside TLS.
    octets: usize,
    inside_tls: bool,
    end: Option<SessionEnd>,
    seen: SessionSeen,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
    Await(Step),
    Send(Command),
    Handshake,
    /// Inside TLS, QUIT is answered: waiting for the peer to end TLS.
    AwaitClose,
    Closing,
    Done,
}

/// What a reply answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Greeting,
    Ehlo,
    Helo,
    StartTls,
    EhloAfterTls,
    Quit,
}

impl Step {
    const fn stage(self) -> Stage {
        match self {
            Self::Greeting => Stage::Greeting,
            Self::Ehlo | Self::Helo => Stage::Ehlo,
            Self::StartTls => Stage::StartTls,
            Self::EhloAfterTls => Stage::EhloAfterTls,
            Self::Quit => Stage::Quit,
        }
    }
}

impl ProbeSession {
    /// A session on a connection that has just been opened: it waits for the greeting.
    pub const fn new(plan: ProbePlan) -> Self {
        Self {
            plan,
            state: State::Await(Step::Greeting),
            reader: ReplyReader::new(),
            pending: Vec::new(),
            octets: 0,
            inside_tls: false,
            end: None,
            seen: nothing_seen(),
        }
    }

    /// What to do next. Reading and starting TLS are asked for again until something is reported; writing
    /// and closing are asked for once.
    pub fn poll_action(&mut self) -> Action {
        self.advance();
        match &self.state {
            State::Await(step) => Action::Read { stage: step.stage() },
            State::AwaitClose => Action::Read { stage: Stage::Quit },
            State::Send(command) => {
                let octets = command.encode();
                self.seen.transcript.push_command(command);
                self.state = State::Await(self.step_answering(command));
                Action::Write(octets)
            }
            State::Handshake => Action::StartTls,
            State::Closing => {
                self.state = State::Done;
                Action::Close
            }
            State::Done => Action::Done,
        }
    }

    /// Octets arrived: in clear before the handshake, decrypted after it.
    pub fn handle_bytes(&mut self, bytes: &[u8]) {
        if self.state == State::Handshake {
            self.handle_injected(bytes);
            return;
        }
        if !self.is_talking() {
            return;
        }
        keep_evidence(&mut self.seen.first_octets, bytes);
        let room = REPLY_OCTETS_PER_PART_MAX.saturating_sub(self.octets);
        self.octets = self.octets.saturating_add(bytes.len());
        self.pending.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
        self.advance();
        if self.octets > REPLY_OCTETS_PER_PART_MAX && self.is_talking() {
            self.interrupt(Reason::LimitReached, SessionEnd::CapReached);
            if let Some(partial) = &mut self.seen.unfinished {
                partial.deviations.push(Deviation::OctetsOverCap);
            }
        }
    }

    /// The peer ended the stream (EOF). Inside TLS, call [`Self::handle_close_notify`] first.
    pub fn handle_closed(&mut self) {
        self.interrupt(Reason::PeerClosed, SessionEnd::Closed);
    }

    /// The peer reset the connection, or a write failed.
    pub fn handle_reset(&mut self) {
        self.interrupt(Reason::PeerClosed, SessionEnd::Reset);
    }

    /// The limit of the stage was reached.
    pub fn handle_timed_out(&mut self) {
        let received = self.reader.octets();
        self.interrupt(Reason::TimedOut, SessionEnd::TimedOut { received });
    }

    /// How the handshake asked for ended, and whether the certificate verified. A failed one closes the
    /// session: nothing more is said in clear.
    pub fn handle_handshake(&mut self, handshake: HandshakeSeen, verified: Verified) {
        if self.state != State::Handshake {
            return;
        }
        let failure = match &handshake.end {
            HandshakeEnd::Completed(tls) => {
                let note = format!("TLS {} established", tls.version.as_str());
                self.seen.transcript.push_note(&note);
                None
            }
            HandshakeEnd::Failed(failure) => Some(failure.clone()),
        };
        self.seen.handshake = Observation::Observed(handshake);
        if let Some(failure) = failure {
            self.seen.transcript.push_note("TLS handshake failed");
            if let HandshakeFailure::NotTls(octets) = &failure {
                keep_evidence(&mut self.seen.injected, octets);
            }
            self.finish(end_of(&failure));
            return;
        }
        // RFC 3207 §4.2: nothing from before the handshake may live on.
        self.reader = ReplyReader::new();
        self.pending.clear();
        self.octets = 0;
        self.inside_tls = true;
        match (self.plan.until, verified) {
            (Until::StartTls, Verified::Yes | Verified::No) => self.finish(SessionEnd::Stopped),
            (Until::Quit, Verified::Yes) => {
                self.seen.stage = Stage::EhloAfterTls;
                self.state = State::Send(Command::Ehlo(self.plan.ehlo_name.clone()));
            }
            (Until::Quit, Verified::No) => {
                self.seen.ehlo_after_tls = Observation::NotObserved(Reason::Unverified);
                self.seen.transcript.push_note("certificate not verified");
                self.quit(SessionEnd::Stopped);
            }
        }
    }

    /// Octets that are no TLS came after the STARTTLS reply: the session closes at once. The driver may
    /// report them at any time until the session is taken apart, also after a failed handshake.
    pub fn handle_injected(&mut self, octets: &[u8]) {
        if octets.is_empty() {
            return;
        }
        keep_evidence(&mut self.seen.injected, octets);
        self.seen.transcript.push_note("octets in clear where only TLS may stand");
        if self.state != State::Done {
            self.finish(SessionEnd::Stopped);
        }
    }

    /// TLS ended: by close_notify, or by EOF without it.
    pub fn handle_close_notify(&mut self, received: bool) {
        if self.inside_tls && self.is_talking() {
            self.seen.close_notify = Observation::Observed(received);
            self.interrupt(Reason::PeerClosed, SessionEnd::Closed);
        }
    }

    /// What the session showed. A session left before its end counts as stopped.
    pub fn into_seen(mut self) -> SessionSeen {
        if self.plan.until == Until::StartTls && self.seen.handshake.seen().is_none() {
            self.seen.handshake = Observation::NotObserved(Reason::NotAsked);
        }
        self.seen.end = self.end.unwrap_or(SessionEnd::Stopped);
        self.seen
    }

    const fn step_answering(&self, command: &Command) -> Step {
        match command {
            Command::Ehlo(_) if self.inside_tls => Step::EhloAfterTls,
            Command::Ehlo(_) => Step::Ehlo,
            Command::Helo(_) => Step::Helo,
            Command::StartTls => Step::StartTls,
            Command::Quit => Step::Quit,
        }
    }

    const fn is_talking(&self) -> bool {
        match self.state {
            State::Await(_) | State::Send(_) | State::AwaitClose => true,
            State::Handshake | State::Closing | State::Done => false,
        }
    }

    /// Reads replies for as long as one is awaited and octets are there.
    fn advance(&mut self) {
        while let State::Await(step) = self.state {
            if self.pending.is_empty() {
                return;
            }
            let fed = self.reader.feed(&self.pending);
            self.pending.drain(..fed.consumed);
            self.note_raw_lines();
            match fed.progress {
                Progress::NeedMore => return,
                Progress::Complete(reply) => self.on_reply(step, reply),
                Progress::NotReply(partial) => {
                    self.on_unreadable(step, partial, Reason::Unintelligible);
                }
                Progress::CapReached(partial) => {
                    self.on_unreadable(step, partial, Reason::LimitReached);
                }
            }
        }
    }

    fn on_reply(&mut self, step: Step, reply: Reply) {
        match step {
            Step::Greeting => self.on_greeting(reply),
            Step::Ehlo => self.on_ehlo(reply),
            Step::Helo => {
                let code = reply.code.number();
                self.seen.helo = Observation::Observed(reply);
                self.quit_unless_closing(code);
            }
            Step::StartTls => self.on_starttls(reply),
            Step::EhloAfterTls => {
                let code = reply.code.number();
                let ehlo = EhloSeen::from_reply(reply);
                let accepted = ehlo.accepted();
                self.seen.ehlo_after_tls = Observation::Observed(ehlo);
                if accepted {
                    self.seen.stage = Stage::Quit;
                    self.quit(SessionEnd::Complete);
                } else {
                    self.quit_unless_closing(code);
                }
            }
            Step::Quit => {
                self.seen.quit = Observation::Observed(reply);
                self.state = if self.inside_tls { State::AwaitClose } else { State::Closing };
            }
        }
    }

    fn on_greeting(&mut self, greeting: Reply) {
        let class = classify_greeting(&greeting);
        let code = greeting.code.number();
        self.seen.greeting = Observation::Observed(greeting);
        match class {
            GreetingClass::Ready => {
                self.seen.stage = Stage::Ehlo;
                self.state = State::Send(Command::Ehlo(self.plan.ehlo_name.clone()));
            }
            GreetingClass::Throttled
            | GreetingClass::Greylisted
            | GreetingClass::ReputationBlocked
            | GreetingClass::Rejected
            | GreetingClass::Malformed => self.quit_unless_closing(code),
        }
    }

    fn on_ehlo(&mut self, reply: Reply) {
        let class = classify_ehlo(&reply);
        let code = reply.code.number();
        let ehlo = EhloSeen::from_reply(reply);
        let offered = ehlo.offers("STARTTLS");
        self.seen.ehlo = Observation::Observed(ehlo);
        match class {
            EhloClass::Accepted if offered && self.pending.is_empty() => {
                self.seen.stage = Stage::StartTls;
                self.state = State::Send(Command::StartTls);
            }
            EhloClass::Accepted if offered => {
                // A reply waits for a command that was not sent yet: it would be taken for the answer.
                self.seen.stage = Stage::StartTls;
                let ahead = std::mem::take(&mut self.pending);
                self.handle_injected(&ahead);
            }
            EhloClass::Accepted => {
                self.seen.starttls = Observation::NotObserved(Reason::NotAsked);
                self.quit(SessionEnd::Stopped);
            }
            EhloClass::NotUnderstood => {
                self.state = State::Send(Command::Helo(self.plan.ehlo_name.clone()));
            }
            EhloClass::NameRejected
            | EhloClass::Greylisted
            | EhloClass::Throttled
            | EhloClass::ReputationBlocked
            | EhloClass::Refused => self.quit_unless_closing(code),
        }
    }

    fn on_starttls(&mut self, reply: Reply) {
        let class = classify_starttls(&reply);
        let code = reply.code.number();
        self.seen.starttls = Observation::Observed(reply);
        match class {
            StartTlsClass::Go if self.pending.is_empty() => {
                self.seen.stage = Stage::Handshake;
                self.state = State::Handshake;
            }
            StartTlsClass::Go => {
                let injected = std::mem::take(&mut self.pending);
                self.handle_injected(&injected);
            }
            // The server may already wait for TLS: nothing more goes to it in clear.
            StartTlsClass::Malformed => self.finish(SessionEnd::Stopped),
            StartTlsClass::Unavailable | StartTlsClass::Refused | StartTlsClass::Unexpected => {
                self.quit_unless_closing(code);
            }
        }
    }

    /// Ends a session by decision: with QUIT, or without it after 421, where the server closes itself.
    fn quit_unless_closing(&mut self, code: u16) {
        if code == 421 {
            self.finish(SessionEnd::Stopped);
        } else {
            self.quit(SessionEnd::Stopped);
        }
    }

    fn quit(&mut self, end: SessionEnd) {
        self.end.get_or_insert(end);
        self.state = State::Send(Command::Quit);
    }

    fn finish(&mut self, end: SessionEnd) {
        self.end.get_or_insert(end);
        self.pending.clear();
        self.state = State::Closing;
    }

    fn on_unreadable(&mut self, step: Step, partial: PartialReply, reason: Reason) {
        self.mark_missing(step, reason);
        if step != Step::Quit {
            self.seen.unfinished = Some(partial);
        }
        self.finish(if reason == Reason::LimitReached {
            SessionEnd::CapReached
        } else {
            SessionEnd::Stopped
        });
    }

    /// Something ended the session from outside while it waited or was about to write.
    fn interrupt(&mut self, reason: Reason, end: SessionEnd) {
        let step = match &self.state {
            State::Await(step) => Some(*step),
            State::Send(command) => Some(self.step_answering(command)),
            State::Handshake => {
                self.seen.handshake = Observation::NotObserved(reason);
                None
            }
            State::AwaitClose => {
                if self.seen.close_notify.seen().is_none() {
                    self.seen.close_notify = Observation::NotObserved(reason);
                }
                None
            }
            State::Closing | State::Done => return,
        };
        let partial = self.reader.take_partial();
        self.note_raw_lines();
        if let Some(step) = step {
            self.mark_missing(step, reason);
            if step != Step::Quit {
                self.seen.unfinished = partial;
            }
        }
        self.finish(end);
    }

    fn mark_missing(&mut self, step: Step, reason: Reason) {
        match step {
            Step::Greeting => self.seen.greeting = Observation::NotObserved(reason),
            Step::Ehlo => self.seen.ehlo = Observation::NotObserved(reason),
            Step::Helo => self.seen.helo = Observation::NotObserved(reason),
            Step::StartTls => self.seen.starttls = Observation::NotObserved(reason),
            Step::EhloAfterTls => self.seen.ehlo_after_tls = Observation::NotObserved(reason),
            Step::Quit => self.seen.quit = Observation::NotObserved(reason),
        }
    }

    fn note_raw_lines(&mut self) {
        for line in self.reader.take_raw_lines() {
            self.seen.transcript.push_server(&line);
        }
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

const fn end_of(failure: &HandshakeFailure) -> SessionEnd {
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

fn keep_evidence(kept: &mut Vec<u8>, octets: &[u8]) {
    let room = EVIDENCE_OCTETS_MAX.saturating_sub(kept.len());
    kept.extend_from_slice(octets.get(..room).unwrap_or(octets));
}

#[cfg(test)]
mod tests;
