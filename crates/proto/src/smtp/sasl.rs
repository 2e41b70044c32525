//! Sign-in (RFC 4954): who signs in, with what, by which mechanism. SCRAM-SHA-256 (RFC 5802, RFC 7677),
//! PLAIN (RFC 4616), LOGIN, CRAM-MD5 (RFC 2195) with a password, XOAUTH2 with a token and nothing else. The
//! way in is [`SignIn::new`]; [`exchange::Exchange`] carries one attempt. Keep: a mechanism is chosen only
//! from what EHLO inside TLS offered, and every line made of a credential takes the proof of verified TLS.

pub mod exchange;
pub mod refusal;
mod scram;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::limits::CREDENTIAL_OCTETS_MAX;
use crate::secret::Secret;
use refusal::RefusalKind;

/// A sign-in mechanism.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mechanism {
    /// A digest of the password over the server's challenge (RFC 2195).
    CramMd5,
    /// Name and password at two prompts; never standardised.
    Login,
    /// Name and password in one response (RFC 4616).
    Plain,
    /// A proof that shows neither side the other's secret (RFC 7677).
    ScramSha256,
    /// An OAuth bearer token, as Google and Microsoft take it.
    Xoauth2,
}

/// With what somebody signs in.
#[derive(Clone, Debug)]
pub enum Credential {
    /// A password, app password or key.
    Password(Secret<String>),
    /// An OAuth access token.
    Token(Secret<String>),
}

/// How the mechanism is chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Choice {
    /// The best one that the server offers and the credential fits.
    #[default]
    Automatic,
    /// This one, or none.
    Only(Mechanism),
}

/// The client's part of the nonce of one SCRAM exchange (RFC 5802 §5.1); never used twice.
#[derive(Clone, Debug)]
pub struct ClientNonce(String);

/// Who signs in, with what, and how.
#[derive(Clone, Debug)]
pub struct SignIn {
    username: Secret<String>,
    credential: Credential,
    choice: Choice,
    nonce: ClientNonce,
}

/// Why somebody cannot sign in with this.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignInError {
    /// The user name is empty.
    #[error("the user name is empty")]
    EmptyUserName,
    /// The password or token is empty.
    #[error("the password or token is empty")]
    EmptyCredential,
    /// A control character in the user name.
    #[error("the user name holds a control character")]
    UserNameCharacter,
    /// NUL in a password, or anything but visible ASCII in a token.
    #[error("the password or token holds a character that no sign-in can carry")]
    CredentialCharacter,
    /// Too long.
    #[error("the user name, password or token is longer than {CREDENTIAL_OCTETS_MAX} octets")]
    TooLong,
    /// The mechanism asked for does not take this kind of credential.
    #[error("{} does not take this kind of credential", .0.as_str())]
    Mechanism(Mechanism),
}

impl Mechanism {
    /// Every mechanism, in the order in which they are preferred.
    pub const PREFERRED: [Self; 5] =
        [Self::ScramSha256, Self::Plain, Self::Login, Self::CramMd5, Self::Xoauth2];

    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CramMd5 => "CRAM-MD5",
            Self::Login => "LOGIN",
            Self::Plain => "PLAIN",
            Self::ScramSha256 => "SCRAM-SHA-256",
            Self::Xoauth2 => "XOAUTH2",
        }
    }

    /// The mechanism of that name, in any case; `None` when it is none of ours.
    pub fn parse(name: &str) -> Option<Self> {
        Self::PREFERRED.into_iter().find(|mechanism| mechanism.as_str().eq_ignore_ascii_case(name))
    }

    const fn takes(self, credential: &Credential) -> bool {
        match self {
            Self::CramMd5 | Self::Login | Self::Plain | Self::ScramSha256 => {
                matches!(credential, Credential::Password(_))
            }
            Self::Xoauth2 => matches!(credential, Credential::Token(_)),
        }
    }
}

impl Credential {
    const fn secret(&self) -> &Secret<String> {
        match self {
            Self::Password(secret) | Self::Token(secret) => secret,
        }
    }
}

impl ClientNonce {
    /// From fresh random octets.
    pub fn from_random(octets: [u8; 18]) -> Self {
        Self(STANDARD.encode(octets))
    }
}

impl SignIn {
    /// A sign-in; the nonce is used only by SCRAM.
    ///
    /// # Errors
    ///
    /// [`SignInError`] when a value is empty, too long or cannot be carried, or when the mechanism asked
    /// for does not take the credential.
    pub fn new(
        username: &str,
        credential: Credential,
        choice: Choice,
        nonce: ClientNonce,
    ) -> Result<Self, SignInError> {
        let secret = credential.secret().expose();
        if username.is_empty() {
            return Err(SignInError::EmptyUserName);
        }
        if secret.is_empty() {
            return Err(SignInError::EmptyCredential);
        }
        if username.len().max(secret.len()) > CREDENTIAL_OCTETS_MAX {
            return Err(SignInError::TooLong);
        }
        if username.chars().any(char::is_control) {
            return Err(SignInError::UserNameCharacter);
        }
        let carried = match credential {
            Credential::Password(_) => !secret.contains('\0'),
            Credential::Token(_) => secret.bytes().all(|octet| octet.is_ascii_graphic()),
        };
        if !carried {
            return Err(SignInError::CredentialCharacter);
        }
        if let Choice::Only(mechanism) = choice
            && !mechanism.takes(&credential)
        {
            return Err(SignInError::Mechanism(mechanism));
        }
        Ok(Self { username: Secret::new(username.to_owned()), credential, choice, nonce })
    }

    /// The values that must appear nowhere: the password or token.
    pub fn secrets(&self) -> [Secret<String>; 1] {
        [self.credential.secret().clone()]
    }

    /// Chooses among what EHLO inside TLS offered, names in upper case.
    ///
    /// # Errors
    ///
    /// The kind of refusal: nothing offered, nothing in common, or only what a password cannot do.
    pub fn choose(&self, offered: &[String]) -> Result<Mechanism, RefusalKind> {
        let is_offered = |mechanism: &Mechanism| {
            offered.iter().any(|name| name.eq_ignore_ascii_case(mechanism.as_str()))
        };
        let chosen = match self.choice {
            Choice::Automatic => Mechanism::PREFERRED
                .into_iter()
                .filter(|mechanism| mechanism.takes(&self.credential))
                .find(is_offered),
            Choice::Only(mechanism) => Some(mechanism).filter(is_offered),
        };
        chosen.ok_or_else(|| {
            let token_only =
                offered.iter().all(|name| matches!(name.as_str(), "XOAUTH2" | "OAUTHBEARER"));
            match self.credential {
                _ if offered.is_empty() => RefusalKind::NotAdvertised,
                Credential::Password(_) if token_only => RefusalKind::OauthNeeded,
                Credential::Password(_) | Credential::Token(_) => RefusalKind::MechanismMismatch,
            }
        })
    }
}

#[cfg(test)]
mod tests;
