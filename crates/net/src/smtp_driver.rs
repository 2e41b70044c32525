//! Moves octets between a socket and the SMTP session of `proto` (RFC 5321 §3, RFC 3207 §4). It waits, reads,
//! writes and upgrades when told, with a limit and a time for each stage; it knows no reply code. The way
//! in is [`drive`]; a change must keep it without a read buffer of its own, so that nothing read in clear
//! survives STARTTLS.

use crate::clock::Stopwatch;
use crate::limits::{Limits, READ_OCTETS_MAX};
use crate::tls::{SecureStream, Tls, alert_of};
use std::io::{self, ErrorKind};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use waxseal_check::question::ProbeQuestion;
use waxseal_proto::observation::{Observation, Reason};
use waxseal_proto::smtp::seen::{SessionEnd, SessionSeen, Stage};
use waxseal_proto::smtp::session::{Action, ProbePlan, ProbeSession, Verified};
use waxseal_proto::tls::seen::{Alert, HandshakeEnd, HandshakeFailure, TlsVersion};
use waxseal_proto::x509::ChainVerdict;

/// One connection in its present form.
pub(crate) enum Link {
    Gone,
    Plain(TcpStream),
    Secure(Box<SecureStream>),
}

impl Link {
    pub(crate) async fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Gone => Ok(0),
            Self::Plain(stream) => stream.read(buffer).await,
            Self::Secure(stream) => stream.read(buffer).await,
        }
    }

    pub(crate) async fn write(&mut self, octets: &[u8]) -> io::Result<()> {
        match self {
            Self::Gone => Err(ErrorKind::NotConnected.into()),
            Self::Plain(stream) => stream.write_all(octets).await,
            Self::Secure(stream) => {
                stream.write_all(octets).await?;
                stream.flush().await
            }
        }
    }

    pub(crate) async fn close(&mut self) {
        // The session is over; what the peer does with our farewell is nobody's fact.
        let _ = match self {
            Self::Gone => Ok(()),
            Self::Plain(stream) => stream.shutdown().await,
            Self::Secure(stream) => stream.shutdown().await,
        };
        *self = Self::Gone;
    }
}

/// What the end of a connection looks like that a read ran into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// What came inside TLS is none, and we close it.
    Broken,
    /// The stream is over, with or without an alert.
    Closed,
    /// The peer, or the system under us, broke it off.
    Reset,
    /// The system gave up waiting for the peer (RFC 9293 §3.8.3).
    TimedOut,
}

impl Ending {
    pub(crate) fn of(error: &io::Error) -> Self {
        if matches!(error.kind(), ErrorKind::TimedOut | ErrorKind::HostUnreachable) {
            return Self::TimedOut;
        }
        let broken = matches!(
            error.kind(),
            ErrorKind::BrokenPipe
                | ErrorKind::ConnectionAborted
                | ErrorKind::ConnectionReset
                | ErrorKind::NetworkDown
                | ErrorKind::NetworkUnreachable
        );
        if broken {
            Self::Reset
        } else if error.kind() == ErrorKind::InvalidData && alert_of(error).is_none() {
            Self::Broken
        } else {
            Self::Closed
        }
    }
}

/// Times of the stages, and what is left of their limits.
#[derive(Debug)]
pub(crate) struct StageTimes {
    limits: Limits,
    session: Stopwatch,
    current: Option<(Stage, Stopwatch)>,
    done: Vec<(Stage, Duration)>,
}

impl StageTimes {
    /// Starts with the connection attempt.
    pub(crate) fn start(limits: &Limits) -> Self {
        let session = Stopwatch::start();
        let current = Some((Stage::Connect, session));
        Self { limits: limits.clone(), session, current, done: Vec::new() }
    }

    /// Enters a stage, or stays in it; returns what is left of its limit and of the session's.
    pub(crate) fn enter(&mut self, stage: Stage) -> Duration {
        let watch = match self.current {
            Some((current, watch)) if current == stage => watch,
            _ => {
                self.leave();
                let watch = Stopwatch::start();
                self.current = Some((stage, watch));
                watch
            }
        };
        let left = watch.left_of(self.limits.of_stage(stage));
        left.min(self.session.left_of(self.limits.session_total))
    }

    /// What a write may take: a reply's limit, and no more than is left of the session's.
    fn left_to_write(&self) -> Duration {
        self.limits.reply.min(self.session.left_of(self.limits.session_total))
    }

    fn leave(&mut self) {
        if let Some((stage, watch)) = self.current.take() {
            self.done.push((stage, watch.elapsed()));
        }
    }

    /// The times of all stages that were entered, in order.
    pub(crate) fn finish(mut self) -> Vec<(Stage, Duration)> {
        self.leave();
        self.done
    }
}

/// Drives one whole probe session on a fresh connection. The judgement of the chain comes with it where the
/// session needed one.
pub(crate) async fn drive(
    tls: &Tls,
    stream: TcpStream,
    question: &ProbeQuestion,
    plan: ProbePlan,
    times: &mut StageTimes,
) -> (SessionSeen, Option<ChainVerdict>) {
    let mut session = ProbeSession::new(plan);
    let mut link = Link::Plain(stream);
    let mut first_read_of = None;
    let mut late_alert = None;
    let mut judged = None;
    loop {
        match session.poll_action() {
            Action::Read { stage } => {
                let version = first_read_of.take();
                late_alert =
                    late_alert.or(read(&mut session, &mut link, times.enter(stage), version).await);
            }
            Action::Write(octets) => {
                let limit = times.left_to_write();
                let written = timeout(limit, link.write(&octets)).await;
                match (written, &link) {
                    (Ok(Ok(())), _) => {}
                    // A refusal may lie unread in front of the reset: the next read finds it.
                    (Ok(Err(_)), Link::Secure(_)) if first_read_of.is_some() => {}
                    (Ok(Err(_)), _) => session.handle_reset(),
                    (Err(_), _) => session.handle_timed_out(),
                }
            }
            Action::StartTls => {
                let limit = times.enter(Stage::Handshake);
                (first_read_of, judged) =
                    upgrade(&mut session, &mut link, tls, (question, limit)).await;
            }
            Action::Close => {
                let _ = timeout(times.limits.farewell, link.close()).await;
            }
            Action::Done => break,
        }
    }
    let mut seen = session.into_seen();
    if let Some(alert) = late_alert {
        refused_after_handshake(&mut seen, alert);
    }
    (seen, judged)
}

/// One read. Returns the alert that ended a TLS 1.3 session at its first read: there the client finishes
/// before the server has judged it (RFC 9846 §4.4.4), so such an alert is a fact of the handshake.
async fn read(
    session: &mut ProbeSession,
    link: &mut Link,
    limit: Duration,
    first_read_of: Option<TlsVersion>,
) -> Option<Alert> {
    let mut buffer = [0; READ_OCTETS_MAX];
    let inside_tls = matches!(link, Link::Secure(_));
    match timeout(limit, link.read(&mut buffer)).await {
        Err(_) => session.handle_timed_out(),
        Ok(Ok(0)) => {
            if inside_tls {
                session.handle_close_notify(true);
            }
            session.handle_closed();
        }
        Ok(Ok(count)) => session.handle_bytes(buffer.get(..count).unwrap_or_default()),
        Ok(Err(error)) => {
            let alert = alert_of(&error).filter(|_| first_read_of == Some(TlsVersion::Tls13));
            match Ending::of(&error) {
                Ending::Broken => session.handle_tls_broken(),
                Ending::Reset => session.handle_reset(),
                Ending::TimedOut => session.handle_timed_out(),
                Ending::Closed => {
                    if error.kind() == ErrorKind::UnexpectedEof {
                        session.handle_close_notify(false);
                    }
                    session.handle_closed();
                }
            }
            return alert;
        }
    }
    None
}

/// Makes the handshake the session asked for. Returns the version, if it finished, and the judgement of the
/// chain, if one was made.
async fn upgrade(
    session: &mut ProbeSession,
    link: &mut Link,
    tls: &Tls,
    (question, limit): (&ProbeQuestion, Duration),
) -> (Option<TlsVersion>, Option<ChainVerdict>) {
    let Link::Plain(stream) = std::mem::replace(link, Link::Gone) else {
        session.handle_closed();
        return (None, None);
    };
    let offered = (&question.peer, question.offer);
    let observed = Box::pin(tls.observe(stream, offered, limit)).await;
    let version = match &observed.seen.end {
        HandshakeEnd::Completed(session) => Some(session.version),
        HandshakeEnd::Failed(_) => None,
    };
    if let Some(stream) = observed.stream {
        *link = Link::Secure(stream);
    }
    let verified = if observed.verified { Verified::Yes } else { Verified::No };
    session.handle_handshake(observed.seen, verified);
    (version, observed.judged)
}

fn refused_after_handshake(seen: &mut SessionSeen, alert: Alert) {
    if let Observation::Observed(handshake) = &mut seen.handshake {
        handshake.end = HandshakeEnd::Failed(HandshakeFailure::AlertReceived(alert));
    }
    seen.stage = Stage::Handshake;
    seen.end = SessionEnd::Stopped;
    seen.ehlo_after_tls = Observation::NotObserved(Reason::EarlierStageFailed);
}

/// Drives a session up to the moment TLS may start and hands the bare stream back; `None` when it did not
/// get there.
pub(crate) async fn drive_to_starttls(
    stream: TcpStream,
    plan: ProbePlan,
    times: &mut StageTimes,
) -> Result<TcpStream, (Stage, SessionEnd)> {
    let mut session = ProbeSession::new(plan);
    let mut link = Link::Plain(stream);
    loop {
        match session.poll_action() {
            Action::Read { stage } => {
                read(&mut session, &mut link, times.enter(stage), None).await;
            }
            Action::Write(octets) => {
                match timeout(times.left_to_write(), link.write(&octets)).await {
                    Ok(Ok(())) => {}
                    Ok(Err(_)) => session.handle_reset(),
                    Err(_) => session.handle_timed_out(),
                }
            }
            Action::StartTls => {
                return match link {
                    Link::Plain(stream) => Ok(stream),
                    Link::Gone | Link::Secure(_) => Err((Stage::StartTls, SessionEnd::Stopped)),
                };
            }
            Action::Close => link.close().await,
            Action::Done => {
                let seen = session.into_seen();
                return Err((seen.stage, seen.end));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_system_says_is_not_what_the_peer_did() {
        for (kind, expected) in [
            (ErrorKind::ConnectionReset, Ending::Reset),
            (ErrorKind::ConnectionAborted, Ending::Reset),
            (ErrorKind::TimedOut, Ending::TimedOut),
            (ErrorKind::HostUnreachable, Ending::TimedOut),
            (ErrorKind::UnexpectedEof, Ending::Closed),
            (ErrorKind::InvalidData, Ending::Broken),
        ] {
            assert_eq!(Ending::of(&kind.into()), expected, "{kind}");
        }
    }

    #[test]
    fn a_write_waits_no_longer_than_its_session() {
        let limits = Limits { session_total: Duration::ZERO, ..Limits::default() };
        assert_eq!(StageTimes::start(&limits).left_to_write(), Duration::ZERO);
        let times = StageTimes::start(&Limits::default());
        assert!(times.left_to_write() <= times.limits.reply);
    }
}
