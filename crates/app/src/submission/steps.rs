//! The named steps of an attempt over SMTP, made of what the attempt tells. Nothing is judged but the
//! certificate, by the roots of the attempt. The way in is [`Steps::tell`].

use super::{Listener, SubmissionRequest};
use crate::steps::{End, StepList, connect_line};
use crate::world::World;
use jiff::Timestamp;
use std::time::Duration;
use waxseal_check::report::send::wire::StepV1;
use waxseal_net::Told;
use waxseal_proto::smtp::submission::{Step, StepEnd, StepEvent};
use waxseal_proto::tls::seen::HandshakeSeen;
use waxseal_proto::x509::{ChainQuery, ChainVerdict, ReferenceId, Roots, judge};
use waxseal_send::attempt::Host;

/// By what a certificate is judged.
#[derive(Debug)]
pub(super) struct Judge<'a> {
    pub(super) request: &'a SubmissionRequest,
    pub(super) roots: &'a Roots,
    pub(super) at: Timestamp,
}

/// The steps of one attempt.
pub(super) struct Steps<'a> {
    list: StepList<'a>,
    /// What the open step has shown.
    shown: Option<String>,
    handshake: Option<Box<HandshakeSeen>>,
}

impl<'a> Steps<'a> {
    pub(super) fn begin(world: &World, listener: Listener<'a>) -> Self {
        Self { list: StepList::begin(world, listener), shown: None, handshake: None }
    }

    /// The settings could be made into an attempt.
    pub(super) fn settings(&mut self, line: &str) {
        self.list.settings(line);
    }

    /// Takes what the attempt tells.
    pub(super) fn tell(&mut self, told: Told, judge: &Judge<'_>) {
        match told {
            Told::Resolved(_, _) if matches!(judge.request.host, Host::Address(_)) => {}
            Told::Resolved(addresses, took) => self.list.resolved(&addresses, took),
            Told::Connect(address, connect) => self.shown = Some(connect_line(address, &connect)),
            Told::Handshake(seen) => self.handshake = Some(seen),
            Told::Reply(_, reply) => {
                let line = format!("{} {}", reply.code.number(), reply.lines.join(" / "));
                self.shown = Some(line);
            }
            Told::Step(StepEvent::Begun(step), _) => {
                self.shown = None;
                if let Some(step) = name(step) {
                    self.list.began(step);
                }
            }
            Told::Step(StepEvent::Ended(Step::Handshake, end), took) => {
                let end = End::of(end == StepEnd::Passed);
                match self.handshake.take() {
                    Some(seen) => {
                        let chain = verdict(&seen, judge);
                        self.list.handshake((end, took), &seen, chain.as_ref(), judge.at);
                    }
                    None => self.list.end("tls", end, None, Some(took)),
                }
            }
            Told::Step(StepEvent::Ended(step, end), took) => {
                let shown = self.shown.take();
                if let Some(step) = name(step) {
                    self.list.end(step, End::of(end == StepEnd::Passed), shown, Some(took));
                }
            }
        }
    }

    /// All steps, and how long the whole took.
    pub(super) fn finish(self) -> (Vec<StepV1>, Duration) {
        self.list.finish()
    }
}

/// The judgement of the chain that was presented. With pinned keys the key alone counts.
pub(super) fn verdict(seen: &HandshakeSeen, judged_by: &Judge<'_>) -> Option<ChainVerdict> {
    let chain = seen.chain.seen().filter(|chain| !chain.is_empty())?;
    let reference = match &judged_by.request.host {
        Host::Address(address) => ReferenceId::Ip(*address),
        Host::Name(name) => ReferenceId::Dns(name.clone()),
    };
    let mut verdict = judge(&ChainQuery {
        chain,
        roots: judged_by.roots,
        reference: Some(&reference),
        now: judged_by.at,
        crls: &[],
        max_depth: None,
        extra_intermediates: &[],
    });
    let leaf = verdict.certificates.first();
    if let Some(pinned) = leaf.and_then(|leaf| judged_by.request.is_pinned(&leaf.spki_sha256)) {
        verdict.valid = pinned;
        verdict.faults.clear();
        verdict.warnings.clear();
    }
    Some(verdict)
}

/// The name of a step for people; the farewell has none.
const fn name(step: Step) -> Option<&'static str> {
    Some(match step {
        Step::Connect => "connect",
        Step::Greeting => "greeting",
        Step::Ehlo => "ehlo",
        Step::StartTls => "starttls",
        Step::Handshake => "tls",
        Step::EhloAfterTls => "ehlo-again",
        Step::SignIn => "sign-in",
        Step::Mail => "mail",
        Step::Rcpt => "rcpt",
        Step::Data => "data",
        Step::Body => "accepted",
        Step::Quit => return None,
    })
}
