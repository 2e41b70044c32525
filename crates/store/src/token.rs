//! Secrets that a person or program shows to be let in: links, sessions, API tokens. They are random, given
//! out once and stored as SHA-256 only; 144 random bits need no slow hash.
//!
//! The ways in are [`Token::new`] and [`TokenHash::of`]. Keep: neither `Debug` nor `Display` shows a secret.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::id::{NoRandomness, random};

/// Random octets of a token: 144 bits, which are 24 characters.
const TOKEN_OCTETS: usize = 18;

/// A new secret. It can be shown once, to whoever asked for it.
pub struct Token(String);

impl Token {
    /// A new random one.
    ///
    /// # Errors
    /// When the system gives no random numbers.
    pub fn new() -> Result<Self, NoRandomness> {
        Ok(Self(URL_SAFE_NO_PAD.encode(random::<TOKEN_OCTETS>()?)))
    }

    /// The text: letters, digits, `-` and `_`.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What is stored of it.
    pub fn hash(&self) -> TokenHash {
        TokenHash::of(&self.0)
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Token(..)")
    }
}

/// What is stored of a token. Looking one up by its hash leaks nothing through the time it takes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TokenHash([u8; 32]);

impl TokenHash {
    /// The hash of what somebody showed.
    pub fn of(shown: &str) -> Self {
        Self::of_octets(shown.as_bytes())
    }

    pub(crate) fn of_octets(shown: &[u8]) -> Self {
        let mut octets = [0; 32];
        octets.copy_from_slice(digest(&SHA256, shown).as_ref());
        Self(octets)
    }

    /// As it stands in the database.
    pub(crate) fn hex(self) -> String {
        self.0.iter().fold(String::with_capacity(64), |mut out, octet| {
            use std::fmt::Write as _;
            let _ = write!(out, "{octet:02x}");
            out
        })
    }
}

impl std::fmt::Debug for TokenHash {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("TokenHash(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_differ_and_are_not_shown() {
        let (one, other) = (Token::new().unwrap(), Token::new().unwrap());
        assert_ne!(one.expose(), other.expose());
        assert_eq!(one.expose().len(), 24);
        assert_eq!(one.hash(), TokenHash::of(one.expose()));
        assert!(!format!("{one:?} {:?}", one.hash()).contains(one.expose()));
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(TokenHash::of("abc").hex(), abc);
    }
}
