//! The named steps of an attempt over a delivery service's interface, told as they pass: settings, dns, connect,
//! tls, certificate, request, answer, accepted. Details are facts; nothing is judged here. The ways in are
//! [`StepTold`] and [`Narrator`]. Keep: no detail holds a key, a header or a body.

use std::time::Duration;

use jiff::Timestamp;
use waxseal_check::call::{CallEvent, CallStep, StepResult};
use waxseal_check::diagnose::service::ServiceTried;
use waxseal_proto::name::DomainName;
use waxseal_proto::tls::seen::{HandshakeEnd, HandshakeSeen, TlsSession};
use waxseal_proto::x509::{ChainQuery, ChainVerdict, ReferenceId, judge};

use super::Listener;
use crate::world::World;

/// A step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ServiceStep {
    /// Settings, key and message made a request.
    Settings,
    /// The addresses of the host.
    Dns,
    /// TCP, once for each address that is tried.
    Connect,
    /// TLS: version, suite, group.
    Tls,
    /// The certificate: names, issuer, days left.
    Certificate,
    /// The request was handed over.
    Request,
    /// An answer came.
    Answer,
    /// The service took the message.
    Accepted,
}

impl ServiceStep {
    /// The stable word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Settings => "settings",
            Self::Dns => "dns",
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Certificate => "certificate",
            Self::Request => "request",
            Self::Answer => "answer",
            Self::Accepted => "accepted",
        }
    }

    const fn of_call(step: CallStep) -> Self {
        match step {
            CallStep::Resolve => Self::Dns,
            CallStep::Connect => Self::Connect,
            CallStep::Handshake => Self::Tls,
            CallStep::Request => Self::Request,
            CallStep::Answer => Self::Answer,
        }
    }
}

/// How far a step is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepState {
    /// It has begun.
    Begun,
    /// The attempt could not go on from it.
    Failed,
    /// It was passed.
    Passed,
}

impl StepState {
    /// The stable word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Begun => "begun",
            Self::Failed => "failed",
            Self::Passed => "passed",
        }
    }

    const fn of(passed: bool) -> Self {
        if passed { Self::Passed } else { Self::Failed }
    }
}

/// One step, told when it begins and when it ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepTold {
    /// The step.
    pub step: ServiceStep,
    /// How far it is.
    pub state: StepState,
    /// How long it took; `None` when it begins, and for a step that is part of another.
    pub took: Option<Duration>,
    /// What was seen; may hold foreign text.
    pub detail: Option<String>,
}

/// Turns the events of a call into steps, tells them and keeps those that ended.
pub(super) struct Narrator<'a> {
    world: &'a World,
    host: DomainName,
    listener: Listener<'a>,
    detail: Option<String>,
    certificate: Option<StepTold>,
    ended: Vec<StepTold>,
}

impl<'a> Narrator<'a> {
    pub(super) fn new(world: &'a World, host: DomainName, listener: Listener<'a>) -> Self {
        let (detail, certificate) = (None, None);
        Self { world, host, listener, detail, certificate, ended: Vec::new() }
    }

    /// The steps that ended, in order.
    pub(super) fn into_steps(self) -> Vec<StepTold> {
        self.ended
    }

    /// Settings, key and message made a request.
    pub(super) fn settings(&mut self) {
        self.end(StepTold {
            step: ServiceStep::Settings,
            state: StepState::Passed,
            took: None,
            detail: None,
        });
    }

    /// Takes one event of the call.
    pub(super) fn hear(&mut self, event: CallEvent) {
        match event {
            CallEvent::Begun(step) => (self.listener)(StepTold {
                step: ServiceStep::of_call(step),
                state: StepState::Begun,
                took: None,
                detail: None,
            }),
            CallEvent::Connect(address, _) => self.detail = Some(address.to_string()),
            CallEvent::Ended(step, result, took) => self.ended(step, result, took),
            CallEvent::Handshake(seen) => self.handshake(&seen),
            CallEvent::Resolved(addresses) => {
                let addresses: Vec<String> = addresses.iter().map(ToString::to_string).collect();
                self.detail = Some(format!("{}: {}", self.host, addresses.join(", ")));
            }
            CallEvent::Status(status) => self.detail = Some(format!("HTTP {status}")),
        }
    }

    /// The service took the message, or did not.
    pub(super) fn message(&mut self, tried: &ServiceTried) {
        let Some(accepted) = tried.accepted() else { return };
        self.end(StepTold {
            step: ServiceStep::Accepted,
            state: StepState::Passed,
            took: None,
            detail: accepted.map(|id| id.as_str().to_owned()),
        });
    }

    fn ended(&mut self, step: CallStep, result: StepResult, took: Duration) {
        let detail = self.detail.take();
        let state = StepState::of(result == StepResult::Passed);
        let step = ServiceStep::of_call(step);
        self.end(StepTold { step, state, took: Some(took), detail });
        if step == ServiceStep::Tls
            && let Some(certificate) = self.certificate.take()
        {
            self.end(certificate);
        }
    }

    fn end(&mut self, told: StepTold) {
        (self.listener)(told.clone());
        self.ended.push(told);
    }

    fn handshake(&mut self, seen: &HandshakeSeen) {
        self.detail = match &seen.end {
            HandshakeEnd::Completed(session) => Some(session_words(session)),
            HandshakeEnd::Failed(_) => None,
        };
        let Some(chain) = seen.chain.seen() else { return };
        let now = self.world.now();
        let verdict = judge(&ChainQuery {
            chain,
            roots: self.world.roots(),
            reference: Some(&ReferenceId::Dns(self.host.clone())),
            now,
            crls: &[],
            max_depth: None,
            extra_intermediates: &[],
        });
        self.certificate = Some(StepTold {
            step: ServiceStep::Certificate,
            state: StepState::of(verdict.valid),
            took: None,
            detail: Some(certificate_words(&verdict, now)),
        });
    }
}

fn session_words(session: &TlsSession) -> String {
    let group = session.group.map_or_else(String::new, |group| format!(", {}", group.name()));
    format!("{}, {}{group}", session.version, session.suite.name())
}

fn certificate_words(chain: &ChainVerdict, now: Timestamp) -> String {
    let Some(leaf) = chain.certificates.first() else { return "none that can be read".to_owned() };
    let days = leaf.not_after.duration_since(now).as_hours().div_euclid(24);
    format!("for {}; issued by {}; {days} days left", leaf.dns_names.join(" "), leaf.issuer)
}
