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
use super::prelude::{Asked, Heard, Next, Prelude, end_of, quit_unless_closing};
use super::reply::{PartialReply, Reply};
use super::seen::{SessionEnd, SessionSeen, Stage};
use crate::observation::{Observation, Reason};
use crate::tls::seen::{HandshakeFailure, HandshakeSeen};

/// One probe session.
#[derive(Debug)]
pub struct ProbeSession {
    plan: ProbePlan,
    state: State,
    inside_tls: bool,
    end: Option<SessionEnd>,
    prelude: Prelude,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
    Await(Asked),
    Send(Command),
    Handshake,
    /// Inside TLS, QUIT is answered: waiting for the peer to end TLS.
    AwaitClose,
    Closing,
    Done,
}

impl ProbeSession {
    /// A session on a connection that has just been opened: it waits for the greeting.
    pub const fn new(plan: ProbePlan) -> Self {
        Self {
            plan,
            state: State::Await(Asked::Greeting),
            inside_tls: false,
            end: None,
            prelude: Prelude::new(),
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
                self.prelude.seen.transcript.push_command(command);
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
        self.prelude.receive(bytes);
        self.advance();
        if self.prelude.is_over_cap() && self.is_talking() {
            self.interrupt(Reason::LimitReached, SessionEnd::CapReached);
            self.prelude.note_cap();
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

    /// What came inside TLS was no TLS of this session: nothing more can be read.
    pub fn handle_tls_broken(&mut self) {
        self.interrupt(Reason::Unintelligible, SessionEnd::TlsBroken);
    }

    /// The limit of the stage was reached.
    pub fn handle_timed_out(&mut self) {
        let received = self.prelude.unfinished_octets();
        self.interrupt(Reason::TimedOut, SessionEnd::TimedOut { received });
    }

    /// How the handshake asked for ended, and whether the certificate verified. A failed one closes the
    /// session: nothing more is said in clear.
    pub fn handle_handshake(&mut self, handshake: HandshakeSeen, verified: Verified) {
        if self.state != State::Handshake {
            return;
        }
        if let Some(failure) = self.prelude.on_handshake(handshake) {
            if let HandshakeFailure::NotTls(octets) = &failure {
                self.prelude.keep_injected(octets);
            }
            self.finish(end_of(&failure));
            return;
        }
        self.prelude.start_inside_tls();
        self.inside_tls = true;
        match (self.plan.until, verified) {
            (Until::StartTls, Verified::Yes | Verified::No) => self.finish(SessionEnd::Stopped),
            (Until::Quit, Verified::Yes) => {
                self.prelude.seen.stage = Stage::EhloAfterTls;
                self.state = State::Send(Command::Ehlo(self.plan.ehlo_name.clone()));
            }
            (Until::Quit, Verified::No) => {
                self.prelude.seen.ehlo_after_tls = Observation::NotObserved(Reason::Unverified);
                self.prelude.seen.transcript.push_note("certificate not verified");
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
        self.prelude.note_injected(octets);
        if self.state != State::Done {
            self.finish(SessionEnd::Stopped);
        }
    }

    /// TLS ended: by close_notify, or by EOF without it.
    pub fn handle_close_notify(&mut self, received: bool) {
        if self.inside_tls && self.is_talking() {
            self.prelude.seen.close_notify = Observation::Observed(received);
            self.interrupt(Reason::PeerClosed, SessionEnd::Closed);
        }
    }

    /// What the session showed. A session left before its end counts as stopped.
    pub fn into_seen(mut self) -> SessionSeen {
        if self.plan.until == Until::StartTls && self.prelude.seen.handshake.seen().is_none() {
            self.prelude.seen.handshake = Observation::NotObserved(Reason::NotAsked);
        }
        self.prelude.seen.end = self.end.unwrap_or(SessionEnd::Stopped);
        self.prelude.seen
    }

    const fn step_answering(&self, command: &Command) -> Asked {
        match command {
            Command::Ehlo(_) if self.inside_tls => Asked::EhloAfterTls,
            Command::Ehlo(_) => Asked::Ehlo,
            Command::Helo(_) => Asked::Helo,
            Command::StartTls => Asked::StartTls,
            Command::Quit => Asked::Quit,
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
        while let State::Await(asked) = self.state {
            match self.prelude.hear() {
                Heard::Nothing => return,
                Heard::Reply(reply) => self.on_reply(asked, reply),
                Heard::Unreadable(partial, reason) => self.on_unreadable(asked, partial, reason),
            }
        }
    }

    fn on_reply(&mut self, asked: Asked, reply: Reply) {
        let next = match asked {
            Asked::Greeting => self.prelude.on_greeting(reply),
            Asked::Ehlo => self.prelude.on_ehlo(reply),
            Asked::StartTls => self.prelude.on_starttls(reply),
            Asked::Helo => {
                let code = reply.code.number();
                self.prelude.seen.helo = Observation::Observed(reply);
                quit_unless_closing(code)
            }
            Asked::EhloAfterTls => {
                let code = reply.code.number();
                let ehlo = EhloSeen::from_reply(reply);
                let accepted = ehlo.accepted();
                self.prelude.seen.ehlo_after_tls = Observation::Observed(ehlo);
                if accepted {
                    self.prelude.seen.stage = Stage::Quit;
                    return self.quit(SessionEnd::Complete);
                }
                quit_unless_closing(code)
            }
            Asked::Quit => {
                self.prelude.seen.quit = Observation::Observed(reply);
                self.state = if self.inside_tls { State::AwaitClose } else { State::Closing };
                return;
            }
        };
        self.follow(next);
    }

    fn follow(&mut self, next: Next) {
        let name = || self.plan.ehlo_name.clone();
        match next {
            Next::Ehlo => self.state = State::Send(Command::Ehlo(name())),
            Next::Helo => self.state = State::Send(Command::Helo(name())),
            Next::StartTls => self.state = State::Send(Command::StartTls),
            Next::Handshake => self.state = State::Handshake,
            Next::Quit => self.quit(SessionEnd::Stopped),
            Next::Close => self.finish(SessionEnd::Stopped),
        }
    }

    fn quit(&mut self, end: SessionEnd) {
        self.end.get_or_insert(end);
        self.state = State::Send(Command::Quit);
    }

    fn finish(&mut self, end: SessionEnd) {
        self.end.get_or_insert(end);
        self.prelude.drop_pending();
        self.state = State::Closing;
    }

    fn on_unreadable(&mut self, step: Asked, partial: PartialReply, reason: Reason) {
        self.prelude.mark_missing(step, reason);
        if step != Asked::Quit {
            self.prelude.seen.unfinished = Some(partial);
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
                self.prelude.seen.handshake = Observation::NotObserved(reason);
                None
            }
            State::AwaitClose => {
                if self.prelude.seen.close_notify.seen().is_none() {
                    self.prelude.seen.close_notify = Observation::NotObserved(reason);
                }
                None
            }
            State::Closing | State::Done => return,
        };
        let partial = self.prelude.take_partial();
        if let Some(step) = step {
            self.prelude.mark_missing(step, reason);
            if step != Asked::Quit {
                self.prelude.seen.unfinished = partial;
            }
        }
        self.finish(end);
    }
}

#[cfg(test)]
mod tests;
