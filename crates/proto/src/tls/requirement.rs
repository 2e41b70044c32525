//! What a session must have before a credential or a message may leave (RFC 8314 §3, RFC 3207 §4.1,
//! RFC 4954 §4): a finished handshake, a certificate that verified, a version that is allowed. The way in
//! is [`Requirement::judge`]. Keep: it is the only constructor of [`Cleared`], and whatever encodes a
//! credential takes one, so that no credential can be encoded without it.

use super::danger::ClearTextAllowance;
use super::seen::{HandshakeEnd, HandshakeSeen, TlsVersion};
use crate::smtp::session::Verified;

/// The lowest version that may carry mail and credentials; older ones cannot be chosen (RFC 8996).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MinimumVersion {
    /// TLS 1.2, the floor of RFC 8314 §3 as updated by RFC 8996.
    #[default]
    Tls12,
    /// TLS 1.3.
    Tls13,
}

/// What a session inside TLS must have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Requirement {
    /// The lowest version.
    pub minimum: MinimumVersion,
}

/// Proof that a handshake finished, verified and met the requirement. It cannot be made in another way,
/// and it is neither copied nor stored: who may send a credential holds it.
#[derive(Debug)]
pub struct Cleared {
    version: TlsVersion,
}

/// Why a session may carry nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Unmet {
    /// The handshake did not finish.
    HandshakeFailed,
    /// The certificate did not verify.
    Unverified,
    /// The negotiated version is below the minimum.
    VersionTooOld,
}

/// What a message may travel over.
#[derive(Debug)]
pub enum Passage {
    /// Without encryption, by recorded allowance; a credential has no way here.
    InClear(ClearTextAllowance),
    /// Inside verified TLS.
    Sealed(Cleared),
}

impl MinimumVersion {
    /// As a version.
    pub const fn version(self) -> TlsVersion {
        match self {
            Self::Tls12 => TlsVersion::Tls12,
            Self::Tls13 => TlsVersion::Tls13,
        }
    }

    /// As settings write it: `1.2` or `1.3`.
    pub const fn as_str(self) -> &'static str {
        self.version().as_str()
    }

    /// The minimum of that word; `None` when there is no such word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Tls12, Self::Tls13].into_iter().find(|minimum| minimum.as_str() == word)
    }
}

impl Requirement {
    /// Judges a handshake.
    ///
    /// # Errors
    ///
    /// What is missing; the session then sends QUIT at most.
    pub fn judge(&self, handshake: &HandshakeSeen, verified: Verified) -> Result<Cleared, Unmet> {
        let HandshakeEnd::Completed(session) = &handshake.end else {
            return Err(Unmet::HandshakeFailed);
        };
        match verified {
            Verified::No => Err(Unmet::Unverified),
            Verified::Yes if session.version < self.minimum.version() => Err(Unmet::VersionTooOld),
            Verified::Yes => Ok(Cleared { version: session.version }),
        }
    }
}

impl Cleared {
    /// The negotiated version.
    pub const fn version(&self) -> TlsVersion {
        self.version
    }
}

impl Unmet {
    /// The stable word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::HandshakeFailed => "handshake-failed",
            Self::Unverified => "unverified",
            Self::VersionTooOld => "version-too-old",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{MinimumVersion, Requirement, Unmet};
    use crate::observation::{Observation, Reason};
    use crate::smtp::session::Verified;
    use crate::tls::seen::{
        CipherSuite, HandshakeEnd, HandshakeFailure, HandshakeSeen, TlsSession, TlsVersion,
    };

    fn ended(end: HandshakeEnd) -> HandshakeSeen {
        let chain = Observation::NotObserved(Reason::NotAsked);
        HandshakeSeen { chain, certificate_requested: false, end }
    }

    fn completed(version: TlsVersion) -> HandshakeSeen {
        ended(HandshakeEnd::Completed(TlsSession {
            version,
            suite: CipherSuite(0x1301),
            group: None,
            ocsp_staple: Vec::new(),
        }))
    }

    #[test]
    fn only_a_verified_handshake_of_an_allowed_version_clears() {
        use MinimumVersion::{Tls12, Tls13};
        let failed = ended(HandshakeEnd::Failed(HandshakeFailure::Closed));
        for (minimum, handshake, verified, expected) in [
            (Tls12, completed(TlsVersion::Tls12), Verified::Yes, Ok(TlsVersion::Tls12)),
            (Tls12, completed(TlsVersion::Tls13), Verified::Yes, Ok(TlsVersion::Tls13)),
            (Tls13, completed(TlsVersion::Tls13), Verified::Yes, Ok(TlsVersion::Tls13)),
            (Tls13, completed(TlsVersion::Tls12), Verified::Yes, Err(Unmet::VersionTooOld)),
            (Tls12, completed(TlsVersion::Tls11), Verified::Yes, Err(Unmet::VersionTooOld)),
            (Tls12, completed(TlsVersion::Tls13), Verified::No, Err(Unmet::Unverified)),
            (Tls13, completed(TlsVersion::Tls12), Verified::No, Err(Unmet::Unverified)),
            (Tls12, failed.clone(), Verified::Yes, Err(Unmet::HandshakeFailed)),
            (Tls12, failed, Verified::No, Err(Unmet::HandshakeFailed)),
        ] {
            let judged = Requirement { minimum }.judge(&handshake, verified);
            assert_eq!(judged.map(|cleared| cleared.version()), expected, "{minimum:?}");
        }
    }

    #[test]
    fn no_version_below_1_2_can_be_chosen() {
        for minimum in [MinimumVersion::Tls12, MinimumVersion::Tls13] {
            assert_eq!(MinimumVersion::parse(minimum.as_str()), Some(minimum));
        }
        for word in ["", "1.0", "1.1", "ssl3", "1.4", "tls1.2"] {
            assert_eq!(MinimumVersion::parse(word), None, "{word}");
        }
    }
}
