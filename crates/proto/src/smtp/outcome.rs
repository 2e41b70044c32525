//! One word for what became of one address (RFC 5321 §3.1, RFC 3207 §4): the list of `outcome` in the
//! report. "Could not test" has its own words and is never a word about TLS. The way in is
//! [`SessionSeen::outcome`] for a session that was begun; the words before that (connect, guard) are set by
//! who dialled. Certificates are judged elsewhere: [`ProbeOutcome::StarttlsOk`] says that a handshake was
//! finished.

use super::reply_class::{EhloClass, GreetingClass, classify_ehlo, classify_greeting};
use super::seen::{SessionEnd, SessionSeen, Stage};
use crate::observation::Observation;
use crate::tls::seen::HandshakeEnd;

macro_rules! outcomes {
    ($($(#[$doc:meta])+ $variant:ident = $text:literal,)+) => {
        /// What became of one address.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum ProbeOutcome {
            $($(#[$doc])+ $variant,)+
        }

        impl ProbeOutcome {
            /// Every outcome.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The stable word.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)+
                }
            }

            /// The outcome of this word, if there is one.
            pub fn parse(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|outcome| outcome.as_str() == text)
            }
        }
    };
}

outcomes! {
    /// STARTTLS was accepted and the handshake finished; the certificate is judged on its own.
    StarttlsOk = "starttls-ok",
    /// EHLO was accepted and STARTTLS was not in the list.
    StarttlsNotOffered = "starttls-not-offered",
    /// STARTTLS was offered and not answered by a clean 220.
    StarttlsRefused = "starttls-refused",
    /// Octets in clear stood where only TLS may stand.
    ResponseInjection = "response-injection",
    /// The greeting refused this client.
    GreetingRejected = "greeting-rejected",
    /// The greeting is no readable reply, or its lines contradict each other.
    GreetingMalformed = "greeting-malformed",
    /// The server asked to come back later for its load or our rate.
    Throttled = "throttled",
    /// The server refuses a first attempt on purpose.
    Greylisted = "greylisted",
    /// The server refuses our address for its reputation.
    ReputationBlocked = "reputation-blocked",
    /// EHLO was refused.
    EhloFailed = "ehlo-failed",
    /// The TLS handshake broke off.
    TlsHandshakeFailed = "tls-handshake-failed",
    /// No greeting within the limit.
    GreetingTimeout = "greeting-timeout",
    /// No answer to EHLO within the limit.
    EhloTimeout = "ehlo-timeout",
    /// No answer to STARTTLS within the limit.
    StarttlsTimeout = "starttls-timeout",
    /// The peer ended the connection before TLS.
    ClosedEarly = "closed-early",
    /// A reply went over a hard cap.
    ReplyOverCap = "reply-over-cap",
    /// Something else than SMTP answered.
    NotSmtp = "not-smtp",
    /// The connection was refused.
    ConnectRefused = "connect-refused",
    /// The connection was not answered within the limit.
    ConnectTimeout = "connect-timeout",
    /// There is no way to the address.
    ConnectUnreachable = "connect-unreachable",
    /// The connection was reset before a greeting.
    ConnectReset = "connect-reset",
    /// Port 25 is closed on our own side.
    Port25BlockedHere = "port-25-blocked-here",
    /// The address is private, loopback or special, and was not dialled.
    GuardRefused = "guard-refused",
    /// The address was not tried, or the session was left before its end.
    NotTested = "not-tested",
}

impl SessionSeen {
    /// The one word for this session.
    pub fn outcome(&self) -> ProbeOutcome {
        if !self.injected.is_empty() {
            return ProbeOutcome::ResponseInjection;
        }
        if let Observation::Observed(handshake) = &self.handshake {
            return match handshake.end {
                HandshakeEnd::Completed(_) => ProbeOutcome::StarttlsOk,
                HandshakeEnd::Failed(_) => ProbeOutcome::TlsHandshakeFailed,
            };
        }
        match self.stage {
            Stage::Connect => {
                self.unfinished_outcome(ProbeOutcome::ConnectTimeout, ProbeOutcome::NotTested)
            }
            Stage::Greeting => self.greeting_outcome(),
            Stage::Ehlo => self.ehlo_outcome(),
            Stage::StartTls if self.starttls.seen().is_some() => ProbeOutcome::StarttlsRefused,
            Stage::StartTls => self
                .unfinished_outcome(ProbeOutcome::StarttlsTimeout, ProbeOutcome::StarttlsRefused),
            Stage::Handshake | Stage::EhloAfterTls | Stage::Quit => match self.end {
                SessionEnd::Complete | SessionEnd::Stopped => ProbeOutcome::NotTested,
                SessionEnd::Closed
                | SessionEnd::Reset
                | SessionEnd::TimedOut { .. }
                | SessionEnd::TlsBroken
                | SessionEnd::CapReached => ProbeOutcome::TlsHandshakeFailed,
            },
        }
    }

    fn greeting_outcome(&self) -> ProbeOutcome {
        if let Observation::Observed(greeting) = &self.greeting {
            return match classify_greeting(greeting) {
                // A good greeting leads into the stage of EHLO.
                GreetingClass::Ready => ProbeOutcome::NotTested,
                GreetingClass::Throttled => ProbeOutcome::Throttled,
                GreetingClass::Greylisted => ProbeOutcome::Greylisted,
                GreetingClass::ReputationBlocked => ProbeOutcome::ReputationBlocked,
                GreetingClass::Rejected => ProbeOutcome::GreetingRejected,
                GreetingClass::Malformed => ProbeOutcome::GreetingMalformed,
            };
        }
        if !starts_like_a_reply(&self.first_octets) {
            return ProbeOutcome::NotSmtp;
        }
        self.unfinished_outcome(ProbeOutcome::GreetingTimeout, ProbeOutcome::GreetingMalformed)
    }

    fn ehlo_outcome(&self) -> ProbeOutcome {
        if let Observation::Observed(ehlo) = &self.ehlo {
            return match classify_ehlo(&ehlo.reply) {
                EhloClass::Accepted => ProbeOutcome::StarttlsNotOffered,
                EhloClass::NotUnderstood | EhloClass::NameRejected | EhloClass::Refused => {
                    ProbeOutcome::EhloFailed
                }
                EhloClass::Greylisted => ProbeOutcome::Greylisted,
                EhloClass::Throttled => ProbeOutcome::Throttled,
                EhloClass::ReputationBlocked => ProbeOutcome::ReputationBlocked,
            };
        }
        self.unfinished_outcome(ProbeOutcome::EhloTimeout, ProbeOutcome::EhloFailed)
    }

    /// The outcome of a stage without a reply: by the end of the session, `timeout` when nothing came in
    /// time, `unreadable` when what came was no reply.
    fn unfinished_outcome(&self, timeout: ProbeOutcome, unreadable: ProbeOutcome) -> ProbeOutcome {
        match self.end {
            SessionEnd::TimedOut { .. } => timeout,
            SessionEnd::Reset if self.stage <= Stage::Greeting => ProbeOutcome::ConnectReset,
            SessionEnd::Closed | SessionEnd::Reset | SessionEnd::TlsBroken => {
                ProbeOutcome::ClosedEarly
            }
            SessionEnd::CapReached => ProbeOutcome::ReplyOverCap,
            SessionEnd::Complete | SessionEnd::Stopped if self.unfinished.is_some() => unreadable,
            SessionEnd::Complete | SessionEnd::Stopped => ProbeOutcome::NotTested,
        }
    }
}

/// Whether these octets, if there are any, were meant as a reply: other protocols do not begin with a digit.
fn starts_like_a_reply(octets: &[u8]) -> bool {
    octets.first().is_none_or(u8::is_ascii_digit)
}
