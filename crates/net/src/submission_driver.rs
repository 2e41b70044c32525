//! Carries one submission attempt out (RFC 6409, RFC 8314 §3): resolves the host, connects, moves octets, makes
//! the handshake with a verifier that refuses, and tells each step with its time. It decides nothing about
//! mail. The way in is [`World::submit`]; a change must keep it without a read buffer of its own, and on one
//! address once a session has begun.

use crate::clock::Stopwatch;
use crate::dial::Target;
use crate::error::NetError;
use crate::limits::{Limits, READ_OCTETS_MAX};
use crate::service_driver::addresses_in;
use crate::smtp_driver::{Ending, Link};
use crate::tls::{Vouching, alert_of};
use crate::world::World;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::timeout;
use waxseal_check::question::{Connect, Peer};
use waxseal_proto::dns::{DnsAnswer, QueryName, RecordType};
use waxseal_proto::observation::Observation;
use waxseal_proto::smtp::reply::Reply;
use waxseal_proto::smtp::session::Verified;
use waxseal_proto::smtp::submission::{
    Step, StepEnd, StepEvent, Stop, SubmissionAction, SubmissionPlan, SubmissionSeen,
    SubmissionSession,
};
use waxseal_proto::tls::requirement::Unmet;
use waxseal_proto::tls::seen::{Alert, HandshakeEnd, HandshakeFailure, HandshakeSeen, TlsVersion};
use waxseal_send::attempt::{Family, Host, SmtpAttempt};

/// What is told while an attempt runs. What a step showed is told just before its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// How connecting to one address went.
    Connect(IpAddr, Connect),
    /// What the handshake showed.
    Handshake(Box<HandshakeSeen>),
    /// The last reply of a step, without any secret.
    Reply(Step, Reply),
    /// The addresses of the host, in the order in which they are tried; empty when there is none.
    Resolved(Vec<IpAddr>, Duration),
    /// A step began, or ended after this time.
    Step(StepEvent, Duration),
}

/// What one attempt showed.
#[derive(Clone, Debug)]
pub struct Submission {
    /// What the resolver said, one answer for each address family asked.
    pub answers: Vec<DnsAnswer>,
    /// Each address that was tried and how connecting went, in order.
    pub connects: Vec<(IpAddr, Connect)>,
    /// The session; `None` when no address could be connected to.
    pub seen: Option<SubmissionSeen>,
    /// The time of each step that was entered, in order.
    pub timings: Vec<(Step, Duration)>,
}

/// Who is told.
type Listener<'a> = &'a mut (dyn FnMut(Told) + Send);

/// Times of the steps, told as they pass.
struct Teller<'a> {
    listener: Listener<'a>,
    current: Option<(Step, Stopwatch)>,
    timings: Vec<(Step, Duration)>,
}

impl Teller<'_> {
    fn tell(&mut self, event: StepEvent) {
        let elapsed = match event {
            StepEvent::Begun(step) => {
                self.leave();
                self.current = Some((step, Stopwatch::start()));
                Duration::ZERO
            }
            StepEvent::Ended(_, _) => self.leave(),
        };
        (self.listener)(Told::Step(event, elapsed));
    }

    fn leave(&mut self) -> Duration {
        let Some((step, watch)) = self.current.take() else { return Duration::ZERO };
        let elapsed = watch.elapsed();
        self.timings.push((step, elapsed));
        elapsed
    }

    fn left_of(&self, limit: Duration) -> Duration {
        self.current.map_or(limit, |(_, watch)| watch.left_of(limit))
    }
}

impl World {
    /// Carries an attempt out and tells its steps to `listener`. Addresses are tried in turn until one
    /// connects; nothing is tried again after that.
    ///
    /// # Errors
    ///
    /// [`NetError`] when the attempt's own authority cannot be used; nothing was connected to then.
    pub async fn submit(
        &self,
        attempt: &SmtpAttempt,
        listener: Listener<'_>,
    ) -> Result<Submission, NetError> {
        let vouching = self.tls().vouching(&attempt.trust)?;
        let ehlo_name = match &attempt.ehlo_name {
            Some(name) => name.clone(),
            None => self.vantage().await.ehlo_name.clone(),
        };
        let watch = Stopwatch::start();
        let (answers, addresses) = addresses(self, attempt).await;
        listener(Told::Resolved(addresses.clone(), watch.elapsed()));
        let mut teller = Teller { listener, current: None, timings: Vec::new() };
        let mut connects = Vec::new();
        let mut seen = None;
        for address in addresses {
            teller.tell(StepEvent::Begun(Step::Connect));
            let name = match &attempt.host {
                Host::Address(address) => address.to_string(),
                Host::Name(name) => name.as_str().to_owned(),
            };
            let target = Target { host: Some(&name), address, port: attempt.port };
            match self.dialer().dial_relay(&target, self.relays()).await {
                Err(connect) => {
                    (teller.listener)(Told::Connect(address, connect.clone()));
                    connects.push((address, connect));
                    teller.tell(StepEvent::Ended(Step::Connect, StepEnd::Failed));
                }
                Ok((stream, judged)) => {
                    (teller.listener)(Told::Connect(address, Connect::Connected));
                    connects.push((address, Connect::Connected));
                    teller.tell(StepEvent::Ended(Step::Connect, StepEnd::Passed));
                    let plan = SubmissionPlan {
                        ehlo_name,
                        security: attempt.security.clone(),
                        goal: attempt.goal.clone(),
                    };
                    let session = SubmissionSession::new(plan, judged);
                    let drive = Drive { world: self, host: &attempt.host, vouching: &vouching };
                    seen = Some(Box::pin(drive.run(session, stream, &mut teller)).await);
                    break;
                }
            }
        }
        teller.leave();
        Ok(Submission { answers, connects, seen, timings: teller.timings })
    }

    /// Eighteen fresh random octets for one SCRAM exchange.
    ///
    /// # Errors
    ///
    /// The operating system gave none.
    pub fn nonce_octets(&self) -> Result<[u8; 18], NetError> {
        let mut octets = [0; 18];
        self.tls().fill_random(&mut octets)?;
        Ok(octets)
    }

    /// Sixteen fresh random octets for the boundary and the identifier of one message.
    ///
    /// # Errors
    ///
    /// The operating system gave none.
    pub fn seed_octets(&self) -> Result<[u8; 16], NetError> {
        let mut octets = [0; 16];
        self.tls().fill_random(&mut octets)?;
        Ok(octets)
    }
}

/// The addresses of the host in the order asked for. `localhost` needs no resolver (RFC 6761 §6.3).
async fn addresses(world: &World, attempt: &SmtpAttempt) -> (Vec<DnsAnswer>, Vec<IpAddr>) {
    let name = match &attempt.host {
        Host::Address(address) => return (Vec::new(), vec![*address]),
        Host::Name(name) => name,
    };
    let four = (RecordType::A, IpAddr::V4(Ipv4Addr::LOCALHOST));
    let six = (RecordType::Aaaa, IpAddr::V6(Ipv6Addr::LOCALHOST));
    let types = match attempt.family {
        Family::Any => vec![six, four],
        Family::Ipv4First => vec![four, six],
        Family::Ipv4Only => vec![four],
        Family::Ipv6Only => vec![six],
    };
    let (mut answers, mut addresses) = (Vec::new(), Vec::new());
    for (record_type, loopback) in types {
        if name.as_str() == "localhost" {
            addresses.push(loopback);
            continue;
        }
        let answer = world.resolve(&QueryName::from(name), record_type).await;
        addresses.extend(addresses_in(&answer));
        answers.push(answer);
    }
    (answers, addresses)
}

/// One connection being driven.
struct Drive<'a> {
    world: &'a World,
    host: &'a Host,
    vouching: &'a Vouching,
}

impl Drive<'_> {
    async fn run(
        &self,
        mut session: SubmissionSession,
        stream: TcpStream,
        teller: &mut Teller<'_>,
    ) -> SubmissionSeen {
        let limits = self.world.limits();
        let whole = Stopwatch::start();
        let mut link = Link::Plain(stream);
        let mut first_read_of = None;
        let mut late_alert = None;
        loop {
            let action = session.poll_action();
            while let Some(event) = session.poll_event() {
                if let StepEvent::Ended(step, _) = event
                    && let Some(reply) = session.reply_of(step)
                {
                    (teller.listener)(Told::Reply(step, reply));
                }
                teller.tell(event);
            }
            match action {
                SubmissionAction::Read { step } => {
                    let left =
                        left_of(limits, step, whole).min(teller.left_of(limits.of_step(step)));
                    let alert = read(&mut session, &mut link, left).await;
                    let was_tls13 = first_read_of.take() == Some(TlsVersion::Tls13);
                    late_alert = late_alert.or(alert.filter(|_| was_tls13));
                }
                SubmissionAction::Write(octets) => {
                    let step = teller.current.map_or(Step::Connect, |(step, _)| step);
                    let left = left_of(limits, step, whole);
                    match timeout(left, link.write(octets.expose())).await {
                        Ok(Ok(())) => {}
                        // A refusal may lie unread in front of the reset: the next read finds it.
                        Ok(Err(_)) if first_read_of.is_some() => {}
                        Ok(Err(_)) => session.handle_reset(),
                        Err(_) => session.handle_timed_out(),
                    }
                }
                SubmissionAction::StartTls => {
                    first_read_of = self.upgrade(&mut session, &mut link, teller).await;
                }
                SubmissionAction::Close => {
                    let _ = timeout(limits.farewell, link.close()).await;
                }
                SubmissionAction::Done => break,
            }
        }
        let mut seen = session.into_seen();
        if let Some(alert) = late_alert {
            refused_after_handshake(&mut seen, alert);
        }
        seen
    }

    /// Makes the handshake the session asked for. Returns the version, if it finished.
    async fn upgrade(
        &self,
        session: &mut SubmissionSession,
        link: &mut Link,
        teller: &mut Teller<'_>,
    ) -> Option<TlsVersion> {
        let Link::Plain(stream) = std::mem::replace(link, Link::Gone) else {
            session.handle_closed();
            return None;
        };
        let peer = match self.host {
            Host::Address(address) => Peer::Address(*address),
            Host::Name(name) => Peer::Host(name.clone()),
        };
        let limit = self.world.limits().handshake;
        let sealing = self.world.tls().seal(stream, (&peer, self.vouching), limit);
        let observed = Box::pin(sealing).await;
        let version = match &observed.seen.end {
            HandshakeEnd::Completed(tls) => Some(tls.version),
            HandshakeEnd::Failed(_) => None,
        };
        if let Some(stream) = observed.stream {
            *link = Link::Secure(stream);
        }
        (teller.listener)(Told::Handshake(Box::new(observed.seen.clone())));
        let verified = if observed.verified { Verified::Yes } else { Verified::No };
        session.handle_handshake(observed.seen, verified);
        version
    }
}

/// How long a step may wait, to read or to write: its own limit and what is left of the session's. A message
/// that is leaving has its own time alone, and so has the farewell after it.
fn left_of(limits: &Limits, step: Step, whole: Stopwatch) -> Duration {
    let own = limits.of_step(step);
    match step {
        Step::Body | Step::Quit => own,
        Step::Connect
        | Step::Data
        | Step::Ehlo
        | Step::EhloAfterTls
        | Step::Greeting
        | Step::Handshake
        | Step::Mail
        | Step::Rcpt
        | Step::SignIn
        | Step::StartTls => own.min(whole.left_of(limits.session_total)),
    }
}

/// One read; the alert that ended TLS, if one did.
async fn read(session: &mut SubmissionSession, link: &mut Link, limit: Duration) -> Option<Alert> {
    let mut buffer = [0; READ_OCTETS_MAX];
    match timeout(limit, link.read(&mut buffer)).await {
        Err(_) => session.handle_timed_out(),
        Ok(Ok(0)) => session.handle_closed(),
        Ok(Ok(count)) => session.handle_bytes(buffer.get(..count).unwrap_or_default()),
        Ok(Err(error)) => {
            match Ending::of(&error) {
                Ending::Broken => session.handle_tls_broken(),
                Ending::Closed => session.handle_closed(),
                Ending::Reset => session.handle_reset(),
                Ending::TimedOut => session.handle_timed_out(),
            }
            return alert_of(&error);
        }
    }
    None
}

/// In TLS 1.3 the client finishes before the server has judged it (RFC 9846 §4.4.4): an alert at the first
/// read is a fact of the handshake.
fn refused_after_handshake(seen: &mut SubmissionSeen, alert: Alert) {
    if let Observation::Observed(handshake) = &mut seen.session.handshake {
        handshake.end = HandshakeEnd::Failed(HandshakeFailure::AlertReceived(alert));
    }
    seen.stop = Some(Stop::Unmet(Unmet::HandshakeFailed));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_used_up_session_waits_only_for_its_message_and_farewell() {
        let limits = Limits { session_total: Duration::ZERO, ..Limits::default() };
        let left = |step| left_of(&limits, step, Stopwatch::start());
        for step in [Step::Ehlo, Step::SignIn, Step::Mail, Step::Data] {
            assert_eq!(left(step), Duration::ZERO, "{step:?}");
        }
        assert_eq!(left(Step::Body), limits.message_end);
        assert_eq!(left(Step::Quit), limits.farewell);
        let fresh = left_of(&Limits::default(), Step::Mail, Stopwatch::start());
        assert!(fresh <= Limits::default().reply, "a write waits no longer than for its reply");
    }
}
