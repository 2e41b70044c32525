//! The one sign-in attempt of a submission (RFC 4954 §4): the turns between the last EHLO and MAIL. What
//! goes before and after is in [`super`]. Keep: without a `Cleared` in the passage there is no attempt, and
//! a refused one is never repeated or weakened.

use super::SubmissionSession;
use super::plan::{Step, StepEnd};
use super::seen::{SignedIn, Stop, SubmissionOutcome};
use super::state::Line;
use crate::observation::{Observation, Reason};
use crate::smtp::prelude::quit_unless_closing;
use crate::smtp::reply::Reply;
use crate::smtp::reply_class::Permanence;
use crate::smtp::sasl::exchange::Exchange;
use crate::smtp::sasl::refusal::{RefusalKind, SignInRefusal, classify_sign_in};
use crate::smtp::seen::SessionEnd;
use crate::tls::requirement::Passage;

impl SubmissionSession {
    /// Begins the one sign-in attempt, or goes on where none is asked for.
    pub(super) fn start_sign_in(&mut self, offered: &[String]) {
        let secured = self.plan.security.secured();
        let sign_in = secured.and_then(|secured| secured.sign_in.as_ref());
        let (Some(sign_in), Some(Passage::Sealed(cleared))) = (sign_in, &self.passage) else {
            return self.start_transfer();
        };
        match sign_in.choose(offered) {
            Ok(mechanism) => {
                let (exchange, line) = Exchange::start(sign_in, mechanism, cleared);
                self.attempt = Some((mechanism, exchange));
                self.send(Line::SignIn(line));
            }
            Err(kind) => {
                self.record.begin(Step::SignIn);
                self.refuse_sign_in(kind, None);
                self.quit(SessionEnd::Stopped);
            }
        }
    }

    pub(super) fn on_sign_in_reply(&mut self, reply: Reply) {
        let secured = self.plan.security.secured();
        let sign_in = secured.and_then(|secured| secured.sign_in.as_ref());
        let (Some(sign_in), Some(Passage::Sealed(cleared)), Some((mechanism, exchange))) =
            (sign_in, &self.passage, &mut self.attempt)
        else {
            return self.finish(SessionEnd::Stopped);
        };
        let mechanism = *mechanism;
        if reply.is_exactly(334) {
            let line = exchange.handle_prompt(&reply.message(), sign_in, cleared);
            return self.send(Line::SignIn(line));
        }
        let code = reply.code.number();
        let kind = if reply.is_exactly(235) {
            exchange.fault().map(RefusalKind::of_fault)
        } else if Permanence::of(reply.code) == Permanence::Transient {
            Some(classify_sign_in(&reply, mechanism))
        } else {
            let own = exchange.own_fault().map(RefusalKind::of_fault);
            Some(own.unwrap_or_else(|| classify_sign_in(&reply, mechanism)))
        };
        match kind {
            None => {
                self.signed_in = Observation::Observed(SignedIn { mechanism, reply });
                self.record.end(StepEnd::Passed);
                self.start_transfer();
            }
            Some(kind) => {
                self.refuse_sign_in(kind, Some(reply));
                self.follow(quit_unless_closing(code));
            }
        }
    }

    fn refuse_sign_in(&mut self, kind: RefusalKind, reply: Option<Reply>) {
        let attempt = self.attempt.as_ref();
        self.outcome = Some(SubmissionOutcome::AuthFailed);
        self.signed_in = Observation::NotObserved(Reason::RefusedByPeer);
        self.stop = Some(Stop::SignIn(SignInRefusal {
            kind,
            mechanism: attempt.map(|(mechanism, _)| *mechanism),
            fault: attempt.and_then(|(_, exchange)| exchange.fault().cloned()),
            reply,
        }));
        self.record.end(StepEnd::Failed);
    }
}
