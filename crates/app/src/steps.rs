//! The named steps of an attempt to send, over SMTP or over a service's own interface: told as they pass and
//! kept for the result. Details are facts, in one line each. The way in is [`StepList`]. Keep: what was told
//! and what is kept are the same, and nothing in it is a secret.

use crate::limits::STEP_DETAIL_CHARS_MAX;
use crate::submission::{Listener, StepTold};
use crate::world::World;
use jiff::Timestamp;
use std::net::IpAddr;
use std::time::Duration;
use waxseal_check::question::Connect;
use waxseal_check::report::send::wire::StepV1;
use waxseal_check::report::send::{chain_line, handshake_line};
use waxseal_net::clock::Stopwatch;
use waxseal_proto::smtp::outcome::ProbeOutcome;
use waxseal_proto::tls::seen::{HandshakeEnd, HandshakeSeen};
use waxseal_proto::x509::ChainVerdict;

/// How a step ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Failed,
    Passed,
}

/// The steps of one attempt.
pub(crate) struct StepList<'a> {
    listener: Listener<'a>,
    whole: Stopwatch,
    done: Vec<StepV1>,
}

impl End {
    pub(crate) const fn of(passed: bool) -> Self {
        if passed { Self::Passed } else { Self::Failed }
    }
}

impl<'a> StepList<'a> {
    pub(crate) fn begin(world: &World, listener: Listener<'a>) -> Self {
        Self { listener, whole: world.stopwatch(), done: Vec::new() }
    }

    /// The settings could be made into an attempt.
    pub(crate) fn settings(&mut self, line: &str) {
        self.end("settings", End::Passed, Some(line.to_owned()), Some(self.whole.elapsed()));
    }

    /// A step begins.
    pub(crate) fn began(&mut self, step: &'static str) {
        (self.listener)(StepTold::Began { step, elapsed: self.whole.elapsed() });
    }

    /// The addresses of the host.
    pub(crate) fn resolved(&mut self, addresses: &[IpAddr], took: Duration) {
        let words: Vec<String> = addresses.iter().map(ToString::to_string).collect();
        let line = if words.is_empty() { "no address".to_owned() } else { words.join(", ") };
        self.end("dns", End::of(!addresses.is_empty()), Some(line), Some(took));
    }

    /// TLS and the certificate. When we broke the handshake off over the certificate, that one says why.
    pub(crate) fn handshake(
        &mut self,
        (end, took): (End, Duration),
        seen: &HandshakeSeen,
        chain: Option<&ChainVerdict>,
        at: Timestamp,
    ) {
        let is_refused =
            chain.is_some_and(|chain| !chain.valid) && matches!(seen.end, HandshakeEnd::Failed(_));
        let line = if is_refused { None } else { Some(handshake_line(seen)) };
        self.end("tls", end, line, Some(took));
        if let Some(chain) = chain {
            let line = chain_line(&chain.certificates, at);
            let line = match chain.faults.first() {
                Some(fault) => format!("{line}; {fault}"),
                None => line,
            };
            self.end("certificate", End::of(!is_refused), Some(line), None);
        }
    }

    /// A step is over.
    pub(crate) fn end(
        &mut self,
        step: &'static str,
        end: End,
        detail: Option<String>,
        took: Option<Duration>,
    ) {
        let step = StepV1 {
            step: step.to_owned(),
            passed: end == End::Passed,
            detail: detail.map(shortened),
            elapsed_ms: milliseconds(self.whole.elapsed()),
            took_ms: took.map(milliseconds),
        };
        (self.listener)(StepTold::Ended(step.clone()));
        self.done.push(step);
    }

    /// All steps, and how long the whole took.
    pub(crate) fn finish(self) -> (Vec<StepV1>, Duration) {
        (self.done, self.whole.elapsed())
    }
}

/// How connecting to an address went, in one line.
pub(crate) fn connect_line(address: IpAddr, connect: &Connect) -> String {
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

/// How connecting went, in the word of a check.
pub(crate) const fn connect_word(connect: &Connect) -> &'static str {
    match connect {
        Connect::Connected => ProbeOutcome::NotTested,
        Connect::GuardRefused => ProbeOutcome::GuardRefused,
        Connect::Refused => ProbeOutcome::ConnectRefused,
        Connect::Reset => ProbeOutcome::ConnectReset,
        Connect::TimedOut => ProbeOutcome::ConnectTimeout,
        Connect::Unreachable { .. } => ProbeOutcome::ConnectUnreachable,
    }
    .as_str()
}

fn shortened(line: String) -> String {
    if line.chars().count() <= STEP_DETAIL_CHARS_MAX {
        return line;
    }
    let kept: String = line.chars().take(STEP_DETAIL_CHARS_MAX).collect();
    format!("{kept} …")
}

/// Milliseconds with three decimals.
fn milliseconds(took: Duration) -> f64 {
    (took.as_secs_f64() * 1_000_000.0).round() / 1000.0
}
