//! The named steps of an attempt over SMTP, told as they pass and kept for the result. Details are facts, in
//! one line each; nothing is judged but the certificate, by the roots of the attempt. The way in is
//! [`Steps::tell`]. Keep: what was told and what is kept are the same.

use super::{Listener, StepTold, SubmissionRequest};
use crate::limits::STEP_DETAIL_CHARS_MAX;
use crate::world::World;
use jiff::Timestamp;
use std::net::IpAddr;
use std::time::Duration;
use waxseal_check::question::Connect;
use waxseal_check::report::send::wire::StepV1;
use waxseal_check::report::send::{chain_line, handshake_line};
use waxseal_net::Told;
use waxseal_net::clock::Stopwatch;
use waxseal_proto::smtp::submission::{Step, StepEnd, StepEvent};
use waxseal_proto::tls::seen::{HandshakeEnd, HandshakeSeen};
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
    listener: Listener<'a>,
    whole: Stopwatch,
    done: Vec<StepV1>,
    /// What the open step has shown.
    shown: Option<String>,
    handshake: Option<Box<HandshakeSeen>>,
}

impl<'a> Steps<'a> {
    pub(super) fn begin(world: &World, listener: Listener<'a>) -> Self {
        Self { listener, whole: world.stopwatch(), done: Vec::new(), shown: None, handshake: None }
    }

    /// The settings could be made into an attempt.
    pub(super) fn settings(&mut self, line: &str) {
        self.end("settings", StepEnd::Passed, Some(line.to_owned()), Some(self.whole.elapsed()));
    }

    /// Takes what the attempt tells.
    pub(super) fn tell(&mut self, told: Told, judge: &Judge<'_>) {
        match told {
            Told::Resolved(addresses, took) => self.resolved(&addresses, took, judge),
            Told::Connect(address, connect) => self.shown = Some(connect_line(address, &connect)),
            Told::Handshake(seen) => self.handshake = Some(seen),
            Told::Reply(_, reply) => {
                let line = format!("{} {}", reply.code.number(), reply.lines.join(" / "));
                self.shown = Some(line);
            }
            Told::Step(StepEvent::Begun(step), _) => {
                self.shown = None;
                if let Some(step) = name(step) {
                    (self.listener)(StepTold::Began { step, elapsed: self.whole.elapsed() });
                }
            }
            Told::Step(StepEvent::Ended(Step::Handshake, end), took) => {
                self.handshake(end, took, judge);
            }
            Told::Step(StepEvent::Ended(step, end), took) => {
                let shown = self.shown.take();
                if let Some(step) = name(step) {
                    self.end(step, end, shown, Some(took));
                }
            }
        }
    }

    /// All steps, and how long the whole took.
    pub(super) fn finish(self) -> (Vec<StepV1>, Duration) {
        (self.done, self.whole.elapsed())
    }

    fn resolved(&mut self, addresses: &[IpAddr], took: Duration, judge: &Judge<'_>) {
        if matches!(judge.request.host, Host::Address(_)) {
            return;
        }
        let end = if addresses.is_empty() { StepEnd::Failed } else { StepEnd::Passed };
        let words: Vec<String> = addresses.iter().map(ToString::to_string).collect();
        let line = if words.is_empty() { "no address".to_owned() } else { words.join(", ") };
        self.end("dns", end, Some(line), Some(took));
    }

    /// TLS and the certificate. When we broke the handshake off over the certificate, that one says why.
    fn handshake(&mut self, end: StepEnd, took: Duration, judge: &Judge<'_>) {
        let Some(seen) = self.handshake.take() else {
            return self.end("tls", end, None, Some(took));
        };
        let chain = verdict(&seen, judge);
        let is_refused = chain.as_ref().is_some_and(|chain| !chain.valid)
            && matches!(seen.end, HandshakeEnd::Failed(_));
        let line = if is_refused { None } else { Some(handshake_line(&seen)) };
        self.end("tls", end, line, Some(took));
        if let Some(chain) = chain {
            let end = if is_refused { StepEnd::Failed } else { StepEnd::Passed };
            let line = chain_line(&chain.certificates, judge.at);
            let line = chain
                .faults
                .first()
                .map_or_else(|| line.clone(), |fault| format!("{line}; {fault}"));
            self.end("certificate", end, Some(line), None);
        }
    }

    fn end(
        &mut self,
        step: &'static str,
        end: StepEnd,
        detail: Option<String>,
        took: Option<Duration>,
    ) {
        let step = StepV1 {
            step: step.to_owned(),
            passed: end == StepEnd::Passed,
            detail: detail.map(shortened),
            elapsed_ms: milliseconds(self.whole.elapsed()),
            took_ms: took.map(milliseconds),
        };
        (self.listener)(StepTold::Ended(step.clone()));
        self.done.push(step);
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

fn connect_line(address: IpAddr, connect: &Connect) -> String {
    let word = match connect {
        Connect::Connected => return address.to_string(),
        Connect::GuardRefused => "a private or special address, not contacted",
        Connect::Refused => "refused",
        Connect::Reset => "reset",
        Connect::TimedOut => "no answer",
        Connect::Unreachable { local_family_missing: true } => "no network of this family here",
        Connect::Unreachable { local_family_missing: false } => "unreachable",
    };
    format!("{address}: {word}")
}

fn shortened(line: String) -> String {
    if line.chars().count() <= STEP_DETAIL_CHARS_MAX {
        return line;
    }
    let kept: String = line.chars().take(STEP_DETAIL_CHARS_MAX).collect();
    format!("{kept} …")
}

/// Milliseconds with three decimals.
pub(super) fn milliseconds(took: Duration) -> f64 {
    (took.as_secs_f64() * 1_000_000.0).round() / 1000.0
}
