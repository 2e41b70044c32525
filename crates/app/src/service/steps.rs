//! The named steps of an attempt over a delivery service's interface, made of what the call tells: settings, dns,
//! connect, tls, certificate, request, answer, accepted. Nothing is judged but the certificate. The way in is
//! [`Narrator`]. Keep: no detail holds a key, a header or a body.

use std::net::IpAddr;
use std::time::Duration;

use waxseal_check::call::{CallEvent, CallStep, StepResult};
use waxseal_check::diagnose::service::{ServiceTried, judged_chain};
use waxseal_check::report::send::wire::StepV1;
use waxseal_proto::name::DomainName;
use waxseal_proto::tls::seen::HandshakeSeen;

use crate::steps::{End, StepList, connect_line};
use crate::submission::Listener;
use crate::world::World;

/// Turns the events of a call into steps.
pub(super) struct Narrator<'a> {
    world: &'a World,
    host: DomainName,
    list: StepList<'a>,
    /// What the open step has shown.
    shown: Option<String>,
    addresses: Vec<IpAddr>,
    handshake: Option<Box<HandshakeSeen>>,
}

impl<'a> Narrator<'a> {
    pub(super) fn begin(world: &'a World, host: DomainName, listener: Listener<'a>) -> Self {
        let list = StepList::begin(world, listener);
        Self { world, host, list, shown: None, addresses: Vec::new(), handshake: None }
    }

    /// Settings, key and message made a request.
    pub(super) fn settings(&mut self, service: &str) {
        let line = format!("{service}: https to {}", self.host);
        self.list.settings(&line);
    }

    /// Takes one event of the call.
    pub(super) fn hear(&mut self, event: CallEvent) {
        match event {
            CallEvent::Begun(step) => {
                self.shown = None;
                self.list.began(step.as_str());
            }
            CallEvent::Connect(address, connect) => {
                self.shown = Some(connect_line(address, &connect));
            }
            CallEvent::Ended(step, result, took) => self.ended(step, result, took),
            CallEvent::Handshake(seen) => self.handshake = Some(seen),
            CallEvent::Resolved(addresses) => self.addresses = addresses,
            CallEvent::Status(status) => self.shown = Some(format!("HTTP {status}")),
        }
    }

    /// The service took the message, or did not.
    pub(super) fn message(&mut self, tried: &ServiceTried) {
        if let Some(accepted) = tried.accepted() {
            let id = accepted.map(|id| id.as_str().to_owned());
            self.list.end("accepted", End::Passed, id, None);
        }
    }

    /// All steps, and how long the whole took.
    pub(super) fn finish(self) -> (Vec<StepV1>, Duration) {
        self.list.finish()
    }

    fn ended(&mut self, step: CallStep, result: StepResult, took: Duration) {
        let end = End::of(result == StepResult::Passed);
        match (step, self.handshake.take()) {
            (CallStep::Resolve, _) => self.list.resolved(&self.addresses, took),
            (CallStep::Handshake, Some(seen)) => {
                let at = self.world.now();
                let chain = judged_chain(&seen, &self.host, self.world.roots(), at);
                self.list.handshake((end, took), &seen, chain.as_ref(), at);
            }
            (CallStep::Answer | CallStep::Connect | CallStep::Handshake | CallStep::Request, _) => {
                let shown = self.shown.take();
                self.list.end(step.as_str(), end, shown, Some(took));
            }
        }
    }
}
