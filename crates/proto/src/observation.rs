//! What was seen, or why it was not: no bare `Option` stands for "we could not find out".
//!
//! [`Observation`] wraps every value that was looked for in the world; [`Reason`] says why one is
//! missing. A change must keep the two apart: absence proven by an answer is a value (for example
//! [`crate::dns::Outcome::NoData`]), absence of an answer is a [`Reason`].

/// A value that was looked for: seen, or not seen for a stated reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Observation<T> {
    /// The value was seen.
    Observed(T),
    /// The value was not seen, and why.
    NotObserved(Reason),
}

/// Why something was not observed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// The network of this machine blocks it (port 25 closed here, proven by control hosts).
    BlockedHere,
    /// The address is private, loopback or otherwise special, and the guard refused it.
    GuardRefused,
    /// A limit named in a `limits` module was reached first.
    LimitReached,
    /// An earlier stage failed, so this one could not be reached.
    EarlierStageFailed,
    /// Nobody asked: out of scope of this run.
    NotAsked,
    /// The peer closed or reset the connection first.
    PeerClosed,
    /// The peer refused (reply, RST, RCODE).
    RefusedByPeer,
    /// No answer within the limit.
    TimedOut,
    /// Something came, but it could not be read as an answer of the protocol asked for.
    Unintelligible,
    /// It was received over a session whose certificate did not verify, so it is not believed.
    Unverified,
}

impl<T> Observation<T> {
    /// The value, if it was seen.
    pub const fn seen(&self) -> Option<&T> {
        match self {
            Self::Observed(value) => Some(value),
            Self::NotObserved(_) => None,
        }
    }

    /// The value, to be changed in place.
    pub const fn seen_mut(&mut self) -> Option<&mut T> {
        match self {
            Self::Observed(value) => Some(value),
            Self::NotObserved(_) => None,
        }
    }

    /// The reason, if it was not seen.
    pub const fn reason(&self) -> Option<Reason> {
        match self {
            Self::Observed(_) => None,
            Self::NotObserved(reason) => Some(*reason),
        }
    }

    /// Applies `change` to the value, keeping the reason of a missing one.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Observation<U> {
        match self {
            Self::Observed(value) => Observation::Observed(change(value)),
            Self::NotObserved(reason) => Observation::NotObserved(reason),
        }
    }
}

impl Reason {
    /// The stable word for this reason, as reports show it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BlockedHere => "blocked-here",
            Self::GuardRefused => "guard-refused",
            Self::LimitReached => "limit-reached",
            Self::EarlierStageFailed => "earlier-stage-failed",
            Self::NotAsked => "not-asked",
            Self::PeerClosed => "peer-closed",
            Self::RefusedByPeer => "refused-by-peer",
            Self::TimedOut => "timed-out",
            Self::Unintelligible => "unintelligible",
            Self::Unverified => "unverified",
        }
    }
}
