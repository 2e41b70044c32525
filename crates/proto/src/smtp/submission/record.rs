//! The running record of a submission (RFC 5321 §3.3): which steps were begun and how each ended, the events
//! a driver passes on, and the values that must not be shown. The way in is [`Record`]; keep the order of
//! steps that of the commands, and [`Record::hide_in`] over all that leaves.

use std::collections::VecDeque;

use super::plan::{Step, StepEnd, StepEvent};
use super::seen::{StepSeen, Stop, SubmissionSeen};
use crate::observation::Observation;
use crate::secret::Secret;
use crate::smtp::reply::Reply;
use crate::smtp::transcript::hide_secrets;

/// Steps, events and secrets of one session.
#[derive(Debug, Default)]
pub(super) struct Record {
    steps: Vec<StepSeen>,
    events: VecDeque<StepEvent>,
    secrets: Vec<Secret<String>>,
}

impl Record {
    /// Enters a step, or stays in it.
    pub(super) fn begin(&mut self, step: Step) {
        if self.open().is_none_or(|open| open.step != step) {
            self.steps.push(StepSeen { step, replies: Vec::new(), end: None });
            self.events.push_back(StepEvent::Begun(step));
        }
    }

    /// Adds a reply to the open step.
    pub(super) fn reply(&mut self, reply: &Reply) {
        if let Some(open) = self.open() {
            open.replies.push(reply.clone());
        }
    }

    /// The last reply of the newest step of this kind, every remembered value hidden: it is told while the
    /// session runs, and servers echo.
    pub(super) fn reply_of(&self, step: Step) -> Option<Reply> {
        let newest = self.steps.iter().rfind(|seen| seen.step == step)?;
        let mut reply = newest.replies.last()?.clone();
        for line in &mut reply.lines {
            hide_secrets(line, &self.secrets);
        }
        Some(reply)
    }

    /// Ends the open step.
    pub(super) fn end(&mut self, end: StepEnd) {
        if let Some(open) = self.open() {
            open.end = Some(end);
            let step = open.step;
            self.events.push_back(StepEvent::Ended(step, end));
        }
    }

    /// The next event to tell.
    pub(super) fn poll_event(&mut self) -> Option<StepEvent> {
        self.events.pop_front()
    }

    /// Remembers a value that must not be shown.
    pub(super) fn keep_secret(&mut self, secret: Secret<String>) {
        self.secrets.push(secret);
    }

    /// The steps, taken out.
    pub(super) fn take_steps(&mut self) -> Vec<StepSeen> {
        std::mem::take(&mut self.steps)
    }

    /// Hides every remembered value in all that the server said after TLS: servers echo.
    pub(super) fn hide_in(&self, seen: &mut SubmissionSeen) {
        seen.session.transcript.redact(&self.secrets);
        let steps = seen.steps.iter_mut().flat_map(|step| &mut step.replies);
        let refusal = match &mut seen.stop {
            Some(Stop::SignIn(refusal)) => refusal.reply.as_mut(),
            Some(
                Stop::EightBitNotOffered
                | Stop::NotAllowedInClear
                | Stop::OutOfStep
                | Stop::RequireTlsNotOffered
                | Stop::SmtpUtf8NotOffered
                | Stop::TooLarge { .. }
                | Stop::Unmet(_),
            )
            | None => None,
        };
        let observed =
            [&mut seen.mail, &mut seen.data, &mut seen.delivered, &mut seen.session.quit]
                .into_iter()
                .chain(seen.recipients.iter_mut().map(|recipient| &mut recipient.reply));
        let signed_in = seen.signed_in.seen_mut().map(|signed_in| &mut signed_in.reply);
        let replies = steps
            .chain(observed.filter_map(Observation::seen_mut))
            .chain(refusal)
            .chain(signed_in)
            .flat_map(|reply| &mut reply.lines);
        let unfinished = seen.session.unfinished.iter_mut().flat_map(|partial| &mut partial.lines);
        for line in replies.chain(unfinished) {
            hide_secrets(line, &self.secrets);
        }
    }

    fn open(&mut self) -> Option<&mut StepSeen> {
        self.steps.last_mut().filter(|step| step.end.is_none())
    }
}
