//! The submission session as a state machine without I/O (RFC 6409, RFC 8314 §3, RFC 3207 §4, RFC 4954,
//! RFC 5321 §3.3). The driver asks [`SubmissionSession::poll_action`] what to do, does it, and reports what
//! came; it decides nothing.
//!
//! ```text
//!  starttls: greeting ─▶ EHLO ─▶ STARTTLS ─▶ handshake ─▶ EHLO ─┐
//!  tls:      handshake ─▶ greeting ─▶ EHLO ─────────────────────┼─▶ AUTH ─▶ MAIL, RCPT…, DATA ─▶ message ─▶ QUIT
//!  none:     greeting ─▶ EHLO ──────────────────────────────────┴── (no AUTH) ──▶ as above
//! ```
//!
//! Invariants: in clear only EHLO, STARTTLS and QUIT, each at most once, except in mode none; AUTH needs a
//! `Cleared`, MAIL a `Passage`; after a handshake that did not verify at most QUIT.

mod plan;
mod record;
mod seen;
mod sign_in;
mod state;
mod transfer;

use std::collections::VecDeque;
use std::net::IpAddr;

pub use plan::{
    Goal, Onward, Secured, Security, Step, StepEnd, StepEvent, SubmissionAction, SubmissionPlan,
    Transaction, TransactionError,
};
pub use seen::{RecipientSeen, SignedIn, StepSeen, Stop, SubmissionOutcome, SubmissionSeen};

use super::command::Command;
use super::ehlo::EhloSeen;
use super::plan::Verified;
use super::prelude::{Asked, Heard, Next, Prelude, end_of, quit_unless_closing};
use super::reply::{PartialReply, Reply};
use super::sasl::Mechanism;
use super::sasl::exchange::Exchange;
use super::seen::{SessionEnd, Stage};
use crate::observation::{Observation, Reason};
use crate::secret::Secret;
use crate::tls::requirement::{Passage, Requirement, Unmet};
use crate::tls::seen::{HandshakeFailure, HandshakeSeen};
use record::Record;
use state::{Awaited, Line, State};
use transfer::{Further, Part, Transfer, Turn};

/// One submission session.
#[derive(Debug)]
pub struct SubmissionSession {
    plan: SubmissionPlan,
    state: State,
    /// What the next replies answer, in order.
    awaited: VecDeque<Awaited>,
    prelude: Prelude,
    /// What a message may travel over; absent until it is earned.
    passage: Option<Passage>,
    attempt: Option<(Mechanism, Exchange)>,
    transfer: Transfer,
    record: Record,
    end: Option<SessionEnd>,
    outcome: Option<SubmissionOutcome>,
    stop: Option<Stop>,
    signed_in: Observation<SignedIn>,
}

impl SubmissionSession {
    /// A session on a connection to `peer` that has just been opened.
    pub fn new(plan: SubmissionPlan, peer: IpAddr) -> Self {
        let mut prelude = Prelude::new();
        let mut record = Record::default();
        let mut passage = None;
        let mut stop = None;
        let mut state = State::Await;
        match &plan.security {
            Security::None(allowance) if allowance.covers(peer) => {
                passage = Some(Passage::InClear(allowance.clone()));
                prelude.mark_missing(Asked::StartTls, Reason::NotAsked);
                prelude.seen.handshake = Observation::NotObserved(Reason::NotAsked);
                prelude.mark_missing(Asked::EhloAfterTls, Reason::NotAsked);
            }
            Security::None(_) => {
                stop = Some(Stop::NotAllowedInClear);
                state = State::Closing;
            }
            Security::StartTls(_) => {}
            Security::Tls(_) => {
                prelude.mark_missing(Asked::Ehlo, Reason::NotAsked);
                prelude.mark_missing(Asked::StartTls, Reason::NotAsked);
                prelude.seen.stage = Stage::Handshake;
                record.begin(Step::Handshake);
                state = State::Handshake;
            }
        }
        if let Some(sign_in) = plan.security.secured().and_then(|secured| secured.sign_in.as_ref())
        {
            for secret in sign_in.secrets() {
                record.keep_secret(secret);
            }
        }
        let mut session = Self {
            transfer: Transfer::new(&plan.goal),
            plan,
            awaited: VecDeque::new(),
            prelude,
            passage,
            attempt: None,
            record,
            end: None,
            outcome: None,
            stop,
            signed_in: Observation::NotObserved(Reason::NotAsked),
            state,
        };
        if matches!(session.state, State::Await) {
            session.expect(Awaited::Prelude(Asked::Greeting));
        }
        session
    }

    /// What to do next. Reading and starting TLS are asked for again until something is reported; writing
    /// and closing are asked for once. Take all events with [`Self::poll_event`] before doing it.
    pub fn poll_action(&mut self) -> SubmissionAction {
        self.advance();
        if let State::Send(line) = &self.state
            && !matches!(line, Line::Command(Command::Quit))
            && !self.prelude.is_drained()
        {
            self.on_unasked();
        }
        match std::mem::replace(&mut self.state, State::Await) {
            State::Await => match self.awaited.front() {
                Some(awaited) => SubmissionAction::Read { step: self.step_of(*awaited) },
                None => self.close_now(),
            },
            State::Send(line) => self.write(line),
            State::Handshake => {
                self.state = State::Handshake;
                SubmissionAction::StartTls
            }
            State::Closing => self.close_now(),
            State::Done => {
                self.state = State::Done;
                SubmissionAction::Done
            }
        }
    }

    /// The next thing to tell about the steps.
    pub fn poll_event(&mut self) -> Option<StepEvent> {
        self.record.poll_event()
    }

    /// The last reply of a step, without any secret, to be told when the step ends.
    pub fn reply_of(&self, step: Step) -> Option<Reply> {
        self.record.reply_of(step)
    }

    /// Octets arrived: in clear before the handshake, decrypted after it.
    pub fn handle_bytes(&mut self, bytes: &[u8]) {
        if matches!(self.state, State::Handshake) {
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

    /// The peer ended the stream (EOF), with or without the end of TLS.
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

    /// The limit of the step was reached.
    pub fn handle_timed_out(&mut self) {
        let received = self.prelude.unfinished_octets();
        self.interrupt(Reason::TimedOut, SessionEnd::TimedOut { received });
    }

    /// Octets that are no TLS came where only TLS may stand: the session closes at once.
    pub fn handle_injected(&mut self, octets: &[u8]) {
        if octets.is_empty() || matches!(self.state, State::Done) {
            return;
        }
        self.prelude.note_injected(octets);
        self.record.end(StepEnd::Failed);
        self.finish(SessionEnd::Stopped);
    }

    /// How the handshake asked for ended, and whether the certificate verified.
    pub fn handle_handshake(&mut self, handshake: HandshakeSeen, verified: Verified) {
        if !matches!(self.state, State::Handshake) {
            return;
        }
        let requirement = self
            .plan
            .security
            .secured()
            .map_or_else(Requirement::default, |secured| secured.requirement);
        let judged = requirement.judge(&handshake, verified);
        if let Some(failure) = self.prelude.on_handshake(handshake) {
            self.stop = Some(Stop::Unmet(Unmet::HandshakeFailed));
            self.record.end(StepEnd::Failed);
            self.keep_octets_of(&failure);
            self.finish(end_of(&failure));
            return;
        }
        self.prelude.start_inside_tls();
        match (judged, &self.plan.security) {
            (Err(unmet), security) => {
                let leave = match security {
                    Security::StartTls(_) => Next::Quit,
                    // The greeting has not come: there is nothing to answer with QUIT.
                    Security::None(_) | Security::Tls(_) => Next::Close,
                };
                self.prelude.mark_missing(Asked::EhloAfterTls, Reason::Unverified);
                let note = format!("TLS does not meet the requirement: {}", unmet.as_str());
                self.prelude.seen.transcript.push_note(&note);
                self.stop = Some(Stop::Unmet(unmet));
                self.follow(leave);
            }
            (Ok(cleared), security) => {
                let starts_with_greeting = matches!(security, Security::Tls(_));
                self.passage = Some(Passage::Sealed(cleared));
                self.record.end(StepEnd::Passed);
                if starts_with_greeting {
                    self.prelude.seen.stage = Stage::Greeting;
                    self.expect(Awaited::Prelude(Asked::Greeting));
                } else {
                    self.prelude.seen.stage = Stage::EhloAfterTls;
                    self.send(Line::Command(Command::Ehlo(self.plan.ehlo_name.clone())));
                }
            }
        }
    }

    /// What the session showed, without any secret. A session left before its end has failed, or is
    /// uncertain.
    pub fn into_seen(mut self) -> SubmissionSeen {
        self.decide_if_lost();
        let Self { plan, prelude, transfer, mut record, end, outcome, stop, signed_in, .. } = self;
        let mut seen = SubmissionSeen {
            mode: plan.security.mode(),
            outcome: outcome.unwrap_or(SubmissionOutcome::Failed),
            stop,
            session: prelude.seen,
            signed_in,
            mail: transfer.mail,
            recipients: transfer.recipients,
            data: transfer.data,
            delivered: transfer.delivered,
            steps: record.take_steps(),
        };
        seen.session.end = end.unwrap_or(SessionEnd::Stopped);
        record.hide_in(&mut seen);
        seen
    }

    const fn is_talking(&self) -> bool {
        match self.state {
            State::Await | State::Send(_) => true,
            State::Handshake | State::Closing | State::Done => false,
        }
    }

    const fn is_sealed(&self) -> bool {
        matches!(self.passage, Some(Passage::Sealed(_)))
    }

    const fn step_of(&self, awaited: Awaited) -> Step {
        awaited.step(self.plan.security.mode())
    }

    /// Waits for a reply; the step it belongs to begins.
    fn expect(&mut self, awaited: Awaited) {
        self.awaited.push_back(awaited);
        self.state = State::Await;
        self.begin_front();
    }

    fn begin_front(&mut self) {
        if let Some(front) = self.awaited.front() {
            self.record.begin(self.step_of(*front));
        }
    }

    /// Decides what is written next; the step it belongs to begins.
    fn send(&mut self, line: Line) {
        let step = match &line {
            Line::Command(command) => self.step_of(Awaited::Prelude(self.asked_by(command))),
            Line::SignIn(_) => Step::SignIn,
            Line::Transfer(outgoing) => outgoing.step(),
        };
        self.record.begin(step);
        self.state = State::Send(line);
    }

    const fn asked_by(&self, command: &Command) -> Asked {
        match command {
            Command::Ehlo(_) if self.is_sealed() => Asked::EhloAfterTls,
            Command::Ehlo(_) => Asked::Ehlo,
            Command::Helo(_) => Asked::Helo,
            Command::StartTls => Asked::StartTls,
            Command::Quit => Asked::Quit,
        }
    }

    fn write(&mut self, line: Line) -> SubmissionAction {
        let octets = match line {
            Line::Command(command) => {
                self.prelude.seen.transcript.push_command(&command);
                self.expect(Awaited::Prelude(self.asked_by(&command)));
                Secret::new(command.encode())
            }
            Line::SignIn(line) => {
                self.prelude.seen.transcript.push_client(line.shown());
                if let Some(carried) = line.carried() {
                    self.record.keep_secret(carried);
                }
                self.expect(Awaited::SignIn);
                line.encode()
            }
            Line::Transfer(outgoing) => {
                // Without a passage nothing of a message has a form on the wire.
                let (Some(passage), Goal::Deliver(transaction)) = (&self.passage, &self.plan.goal)
                else {
                    return self.close_now();
                };
                let transcript = &mut self.prelude.seen.transcript;
                let (octets, parts) = outgoing.encode(transaction, passage, transcript);
                for part in parts {
                    self.expect(Awaited::Transfer(part));
                }
                Secret::new(octets)
            }
        };
        SubmissionAction::Write(octets)
    }

    fn close_now(&mut self) -> SubmissionAction {
        self.state = State::Done;
        SubmissionAction::Close
    }

    /// Reads replies for as long as one is awaited and octets are there.
    fn advance(&mut self) {
        while matches!(self.state, State::Await) {
            let Some(awaited) = self.awaited.front().copied() else { return };
            match self.prelude.hear() {
                Heard::Nothing => return,
                Heard::Reply(reply) => {
                    self.awaited.pop_front();
                    self.record.reply(&reply);
                    self.on_reply(awaited, reply);
                    if matches!(self.state, State::Await) {
                        self.begin_front();
                    }
                }
                Heard::Unreadable(partial, reason) => self.on_unreadable(partial, reason),
            }
        }
    }

    fn on_reply(&mut self, awaited: Awaited, reply: Reply) {
        match awaited {
            Awaited::Prelude(asked) => self.on_prelude_reply(asked, reply),
            Awaited::SignIn => self.on_sign_in_reply(reply),
            Awaited::Transfer(part) => {
                let code = reply.code.number();
                let further =
                    if self.awaited.is_empty() { Further::None } else { Further::Awaited };
                let turn = self.transfer.on_reply(part, reply, &mut self.record, further);
                if code == 421 {
                    self.outcome = Some(self.transfer.outcome());
                    self.finish(SessionEnd::Stopped);
                } else {
                    self.take_turn(turn);
                }
            }
        }
    }

    fn take_turn(&mut self, turn: Turn) {
        match turn {
            Turn::Listen => {}
            Turn::Send(outgoing) => self.send(Line::Transfer(outgoing)),
            Turn::Over => {
                let outcome = self.transfer.outcome();
                self.outcome = Some(outcome);
                let end = if outcome == SubmissionOutcome::Accepted {
                    SessionEnd::Complete
                } else {
                    SessionEnd::Stopped
                };
                self.quit(end);
            }
        }
    }

    fn on_prelude_reply(&mut self, asked: Asked, reply: Reply) {
        let next = match (asked, &self.plan.security) {
            (Asked::Greeting, _) => self.prelude.on_greeting(reply),
            (Asked::Ehlo, Security::StartTls(_)) => self.prelude.on_ehlo(reply),
            (Asked::StartTls, _) => self.prelude.on_starttls(reply),
            (Asked::Ehlo | Asked::EhloAfterTls, _) => return self.on_last_ehlo(reply),
            (Asked::Helo | Asked::Quit, _) => {
                self.prelude.seen.quit = Observation::Observed(reply);
                self.record.end(StepEnd::Passed);
                self.state = State::Closing;
                return;
            }
        };
        match next {
            Next::Ehlo | Next::StartTls | Next::Handshake => self.record.end(StepEnd::Passed),
            Next::Helo | Next::Quit | Next::Close => {}
        }
        self.follow(next);
    }

    /// The EHLO after which the session has all it needs to know.
    fn on_last_ehlo(&mut self, reply: Reply) {
        let code = reply.code.number();
        let ehlo = EhloSeen::from_reply(reply);
        let accepted = ehlo.accepted();
        let offered = ehlo.auth();
        self.transfer.learn(&ehlo);
        if self.is_sealed() {
            self.prelude.seen.ehlo_after_tls = Observation::Observed(ehlo);
        } else {
            self.prelude.seen.ehlo = Observation::Observed(ehlo);
        }
        if !accepted {
            return self.follow(quit_unless_closing(code));
        }
        self.prelude.seen.stage = Stage::Quit;
        self.record.end(StepEnd::Passed);
        self.start_sign_in(&offered);
    }

    fn start_transfer(&mut self) {
        let Goal::Deliver(transaction) = &self.plan.goal else {
            self.outcome = Some(SubmissionOutcome::Ready);
            return self.quit(SessionEnd::Complete);
        };
        let Some(passage) = &self.passage else { return self.finish(SessionEnd::Stopped) };
        match self.transfer.begin(transaction, passage) {
            Ok(outgoing) => self.send(Line::Transfer(outgoing)),
            Err(stop) => {
                self.record.begin(Step::Mail);
                self.stop = Some(stop);
                self.outcome = Some(SubmissionOutcome::Failed);
                self.quit(SessionEnd::Stopped);
            }
        }
    }

    fn follow(&mut self, next: Next) {
        match next {
            Next::Ehlo => self.send(Line::Command(Command::Ehlo(self.plan.ehlo_name.clone()))),
            Next::StartTls => self.send(Line::Command(Command::StartTls)),
            Next::Handshake => {
                self.record.begin(Step::Handshake);
                self.state = State::Handshake;
            }
            // Without EHLO there is no STARTTLS and no AUTH: HELO leads nowhere.
            Next::Helo | Next::Quit => self.quit(SessionEnd::Stopped),
            Next::Close => {
                self.record.end(StepEnd::Failed);
                self.finish(SessionEnd::Stopped);
            }
        }
    }

    fn quit(&mut self, end: SessionEnd) {
        self.end.get_or_insert(end);
        self.record.end(StepEnd::Failed);
        self.awaited.clear();
        self.send(Line::Command(Command::Quit));
    }

    fn finish(&mut self, end: SessionEnd) {
        self.end.get_or_insert(end);
        self.prelude.drop_pending();
        self.awaited.clear();
        self.state = State::Closing;
    }

    /// Something came before it was asked for: a farewell, or a server out of step.
    fn on_unasked(&mut self) {
        match self.prelude.hear() {
            Heard::Reply(reply) if reply.code.number() == 421 => self.record.reply(&reply),
            Heard::Reply(_) | Heard::Nothing | Heard::Unreadable(_, _) => {
                self.stop = Some(Stop::OutOfStep);
            }
        }
        self.record.end(StepEnd::Failed);
        self.finish(SessionEnd::Stopped);
    }

    fn on_unreadable(&mut self, partial: PartialReply, reason: Reason) {
        let end = match reason {
            Reason::LimitReached => SessionEnd::CapReached,
            Reason::BlockedHere
            | Reason::GuardRefused
            | Reason::EarlierStageFailed
            | Reason::NotAsked
            | Reason::PeerClosed
            | Reason::RefusedByPeer
            | Reason::TimedOut
            | Reason::Unintelligible
            | Reason::Unverified => SessionEnd::Stopped,
        };
        self.interrupt(reason, end);
        self.prelude.seen.unfinished = Some(partial);
    }

    /// Something ended the session from outside while it waited or was about to write.
    fn interrupt(&mut self, reason: Reason, end: SessionEnd) {
        match self.state {
            State::Handshake => self.prelude.seen.handshake = Observation::NotObserved(reason),
            State::Await | State::Send(_) => {}
            State::Closing | State::Done => return,
        }
        let partial = self.prelude.take_partial();
        self.decide_if_lost();
        let awaited = std::mem::take(&mut self.awaited);
        let leaving = awaited.contains(&Awaited::Prelude(Asked::Quit));
        for each in awaited {
            match each {
                Awaited::Prelude(asked) => self.prelude.mark_missing(asked, reason),
                Awaited::SignIn => self.signed_in = Observation::NotObserved(reason),
                Awaited::Transfer(part) => self.transfer.mark_missing(part, reason),
            }
        }
        if !leaving {
            self.prelude.seen.unfinished = partial;
        }
        self.record.end(StepEnd::Failed);
        self.finish(end);
    }

    /// RFC 5321 §6.1: when the whole message has left and no answer has come, nobody knows.
    fn decide_if_lost(&mut self) {
        if self.awaited.contains(&Awaited::Transfer(Part::Body)) {
            self.outcome = Some(SubmissionOutcome::Uncertain);
        }
    }

    /// In the mode of STARTTLS octets that are no TLS were injected; with TLS from the first octet they
    /// are what the server says by itself.
    fn keep_octets_of(&mut self, failure: &HandshakeFailure) {
        if let HandshakeFailure::NotTls(octets) = failure {
            match self.plan.security {
                Security::None(_) | Security::StartTls(_) => self.prelude.keep_injected(octets),
                Security::Tls(_) => self.prelude.seen.first_octets.clone_from(octets),
            }
        }
    }
}

#[cfg(test)]
mod tests;
