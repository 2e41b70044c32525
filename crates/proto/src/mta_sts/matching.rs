//! Host patterns and what a policy means for one mail host (RFC 8461 §4.1, §4.2 and §5). It checks no
//! certificate: the caller brings what it saw. The ways in are [`MxPattern::parse`] and [`decide`]. A
//! change must keep a wildcard to exactly one label, and must never let something that was not observed
//! count as passed or as failed.

use super::policy::{Mode, Policy};
use crate::name::{DomainName, parse_address};
use crate::observation::{Observation, Reason};

/// A host name, or `*.` and a name (RFC 8461 §3.2). Compared without letter case.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MxPattern {
    /// One host.
    Exact(DomainName),
    /// Every host exactly one label below this name.
    Wildcard(DomainName),
}

/// Why a text is no pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MxPatternError {
    /// An IP address.
    #[error("an IP address, not a host name")]
    Address,
    /// Several names in one value.
    #[error("more than one name, one mx line per host is needed")]
    Comma,
    /// Anything else that is no host name.
    #[error("not a host name")]
    Name,
    /// A port behind the name.
    #[error("a port does not belong here")]
    Port,
    /// A final dot.
    #[error("a final dot does not belong here")]
    TrailingDot,
    /// A character outside ASCII.
    #[error("an internationalised name must be written with xn-- labels")]
    ULabel,
    /// A URL or an email address.
    #[error("a URL or address, not a host name")]
    Url,
    /// A `*` that is not the whole first label.
    #[error("* must be the whole first label")]
    Wildcard,
}

/// What a session with one mail host showed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionEvidence {
    /// STARTTLS was offered and the handshake completed.
    pub starttls: Observation<bool>,
    /// The certificate is valid for the MX host name (RFC 8461 §4.2).
    pub certificate_valid: Observation<bool>,
}

/// What a sender that honours the policy does with one mail host (RFC 8461 §5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PolicyDecision {
    /// Deliver: the host passed the check of an active policy.
    Deliver,
    /// Deliver anyway, and count these failures for TLS reporting (mode testing).
    DeliverAndReport(Vec<Miss>),
    /// Treat the host as unreachable and go to the next (mode enforce).
    TreatAsUnreachable(Vec<Miss>),
    /// It could not be told, because something was not observed.
    Undecided(Reason),
    /// No policy, or mode none: as if there were no MTA-STS.
    WithoutPolicy,
}

/// A condition the host did not meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Miss {
    /// The certificate is not valid for the host.
    Certificate,
    /// No pattern matches the host.
    NotListed,
    /// No STARTTLS.
    Starttls,
}

impl MxPattern {
    /// Reads a pattern (RFC 8461 §3.2): A-labels only, no final dot, `*` only as the whole first label.
    ///
    /// # Errors
    ///
    /// [`MxPatternError`] with the likeliest mistake.
    pub fn parse(text: &str) -> Result<Self, MxPatternError> {
        let bare = text.strip_prefix("*.").unwrap_or(text);
        if let Some(error) = mistake(text, bare) {
            return Err(error);
        }
        let name = DomainName::parse(bare).map_err(|_| MxPatternError::Name)?;
        Ok(if bare.len() == text.len() { Self::Exact(name) } else { Self::Wildcard(name) })
    }

    /// Whether a mail host matches (RFC 8461 §4.1): `*` stands for exactly one left-most label.
    pub fn matches(&self, mx: &DomainName) -> bool {
        match self {
            Self::Exact(name) => name == mx,
            Self::Wildcard(base) => mx.parent().is_some_and(|parent| parent == *base),
        }
    }
}

impl std::fmt::Display for MxPattern {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Exact(name) => name.fmt(formatter),
            Self::Wildcard(base) => write!(formatter, "*.{base}"),
        }
    }
}

impl std::str::FromStr for MxPattern {
    type Err = MxPatternError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

fn mistake(text: &str, bare: &str) -> Option<MxPatternError> {
    let has = |wanted: &[char]| bare.contains(wanted);
    let port = |(_, port): (&str, &str)| port.bytes().all(|octet| octet.is_ascii_digit());
    if has(&[',', ';', ' ', '\t']) {
        Some(MxPatternError::Comma)
    } else if parse_address(bare).is_some() {
        Some(MxPatternError::Address)
    } else if has(&['/', '@']) {
        Some(MxPatternError::Url)
    } else if bare.rsplit_once(':').is_some_and(port) {
        Some(MxPatternError::Port)
    } else if has(&['*']) {
        Some(MxPatternError::Wildcard)
    } else if !text.is_ascii() {
        Some(MxPatternError::ULabel)
    } else if bare.ends_with('.') {
        Some(MxPatternError::TrailingDot)
    } else {
        None
    }
}

/// What a sender does with `mx` under `policy`, the one in force now (RFC 8461 §5).
pub fn decide(
    policy: Option<&Policy>,
    mx: &DomainName,
    session: &SessionEvidence,
) -> PolicyDecision {
    let Some(policy) = policy.filter(|policy| policy.mode != Mode::None) else {
        return PolicyDecision::WithoutPolicy;
    };
    let mut misses = Vec::new();
    if policy.matching(mx).is_none() {
        misses.push(Miss::NotListed);
    }
    if session.starttls == Observation::Observed(false) {
        misses.push(Miss::Starttls);
    }
    if session.certificate_valid == Observation::Observed(false) {
        misses.push(Miss::Certificate);
    }
    let unseen = session.starttls.reason().or(session.certificate_valid.reason());
    match (misses.is_empty(), policy.mode, unseen) {
        // One proven miss decides, whatever else was not seen.
        (false, Mode::Enforce, _) => PolicyDecision::TreatAsUnreachable(misses),
        (false, Mode::Testing, _) => PolicyDecision::DeliverAndReport(misses),
        (true, Mode::Enforce | Mode::Testing, Some(reason)) => PolicyDecision::Undecided(reason),
        (true, Mode::Enforce | Mode::Testing, None) => PolicyDecision::Deliver,
        (_, Mode::None, _) => PolicyDecision::WithoutPolicy,
    }
}
