//! What one SMTP session showed, stage by stage (RFC 5321 §3, RFC 3207 §4). Values only; rules judge them.
//! The way in is [`SessionSeen`]; a stage that was not reached keeps its reason.

use super::ehlo::EhloSeen;
use super::reply::{PartialReply, Reply};
use super::transcript::Transcript;
use crate::observation::Observation;
use crate::tls::seen::HandshakeSeen;

/// The stages of a session, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// TCP.
    Connect,
    /// Waiting for the greeting.
    Greeting,
    /// First EHLO.
    Ehlo,
    /// STARTTLS and its reply.
    StartTls,
    /// TLS handshake.
    Handshake,
    /// EHLO inside TLS.
    EhloAfterTls,
    /// QUIT and what follows.
    Quit,
}

/// Why the session went no further than it did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SessionEnd {
    /// Every stage was passed and QUIT was sent.
    Complete,
    /// We stopped by our own decision (not offered, refused reply, certificate not verified).
    Stopped,
    /// The peer closed (FIN) while this stage was waiting.
    Closed,
    /// The peer reset the connection (RST).
    Reset,
    /// The limit of this stage was reached.
    TimedOut {
        /// Octets of an unfinished reply that had arrived in this stage.
        received: usize,
    },
    /// The replies broke a hard cap (line, lines, octets before TLS).
    CapReached,
    /// What came inside TLS was no TLS of this session, so we closed it.
    TlsBroken,
}

/// What one session showed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionSeen {
    /// The stage the session ended in. The QUIT that closes a stopped session is no stage of its own:
    /// [`Stage::Quit`] stands here only when every stage before it was passed.
    pub stage: Stage,
    /// Why it ended there.
    pub end: SessionEnd,
    /// The first octets the peer sent, at most 64.
    pub first_octets: Vec<u8>,
    /// The greeting.
    pub greeting: Observation<Reply>,
    /// The answer to the first EHLO.
    pub ehlo: Observation<EhloSeen>,
    /// The answer to HELO, sent only after EHLO was refused with 500 or 502.
    pub helo: Observation<Reply>,
    /// The reply to STARTTLS.
    pub starttls: Observation<Reply>,
    /// Octets that followed the STARTTLS reply and were not TLS, or that the server sent ahead of the
    /// STARTTLS command (at most 64); empty when clean.
    pub injected: Vec<u8>,
    /// The handshake.
    pub handshake: Observation<HandshakeSeen>,
    /// The answer to EHLO inside TLS; not asked when the certificate did not verify.
    pub ehlo_after_tls: Observation<EhloSeen>,
    /// What had come of the reply that the session ended in without its being finished or readable.
    pub unfinished: Option<PartialReply>,
    /// The reply to QUIT.
    pub quit: Observation<Reply>,
    /// Whether the peer ended TLS with close_notify after QUIT.
    pub close_notify: Observation<bool>,
    /// All lines in both directions.
    pub transcript: Transcript,
}
