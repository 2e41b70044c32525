//! Answers that are repeated when a program asks again by the same key, so that nothing is done twice.
//!
//! The trait is [`KeptAnswers`]. An answer can hold a secret that was shown once, so [`AnswerKey`] seals it with
//! XChaCha20-Poly1305 by the token of its caller: the database alone does not tell it. Keep: of several requests
//! with one key, one begins.

mod sqlite;

use async_trait::async_trait;
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use jiff::{SignedDuration, Timestamp};
use zeroize::Zeroizing;

use crate::error::StoreError;
use crate::id::{ApiTokenId, NoRandomness, WorkspaceId, random};
use crate::token::TokenHash;

const NONCE_OCTETS: usize = 24;

/// A request that carries a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyedRequest {
    /// Whose key it is.
    pub token: ApiTokenId,
    /// The hash of the key.
    pub key: TokenHash,
    /// The hash of what is asked for.
    pub request: TokenHash,
    /// When it came.
    pub at: Timestamp,
    /// One that began longer ago and has no answer was lost with its process.
    pub lasts_at_most: SignedDuration,
    /// How long the answer is kept.
    pub kept: SignedDuration,
}

/// What becomes of a request with a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyGate {
    /// It begins.
    Begun,
    /// It was answered.
    Answered(KeptAnswer),
    /// The same key stands for another request.
    OtherRequest,
    /// The same request is being answered.
    UnderWay,
}

/// An answer as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptAnswer {
    /// The status of HTTP.
    pub status: u16,
    /// What was said, sealed.
    pub sealed: String,
}

/// The answers that are kept for tokens of all workspaces.
#[async_trait]
pub trait KeptAnswers: Send + Sync {
    /// Begins a request, or says why it does not.
    ///
    /// # Errors
    /// A token that is not there, or whatever the database says.
    async fn begin_keyed(
        &self,
        workspace: WorkspaceId,
        request: &KeyedRequest,
    ) -> Result<KeyGate, StoreError>;

    /// Keeps the answer of a request that began.
    ///
    /// # Errors
    /// [`StoreError::TooLarge`], or whatever the database says.
    async fn keep_answer(
        &self,
        workspace: WorkspaceId,
        request: &KeyedRequest,
        answer: &KeptAnswer,
    ) -> Result<(), StoreError>;

    /// Forgets a request that began and did nothing: its key is free again.
    ///
    /// # Errors
    /// Whatever the database says.
    async fn withdraw_keyed(
        &self,
        workspace: WorkspaceId,
        request: &KeyedRequest,
    ) -> Result<(), StoreError>;

    /// Drops answers whose time is over and says how many those were.
    ///
    /// # Errors
    /// Whatever the database says.
    async fn drop_ended_answers(&self, now: Timestamp) -> Result<u64, StoreError>;
}

/// Seals the answers for one token. Whoever does not show the token cannot make it.
#[derive(Clone)]
pub struct AnswerKey(Zeroizing<[u8; 32]>);

impl std::fmt::Debug for AnswerKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("AnswerKey(..)")
    }
}

impl AnswerKey {
    /// The key of a token as it was shown. The prefix keeps it apart from the hash that is stored.
    pub fn of(shown: &str) -> Self {
        let mut text = Zeroizing::new(b"waxseal kept answers\0".to_vec());
        text.extend_from_slice(shown.as_bytes());
        let mut octets = Zeroizing::new([0; 32]);
        octets.copy_from_slice(digest(&SHA256, &text).as_ref());
        Self(octets)
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(&Key::from(*self.0))
    }

    /// What is stored of a request, which can hold a password: only whoever shows the token can try texts against it.
    pub fn hash(&self, request: &str) -> TokenHash {
        let mut text = Zeroizing::new(Vec::with_capacity(self.0.len() + request.len()));
        text.extend_from_slice(self.0.as_slice());
        text.extend_from_slice(request.as_bytes());
        TokenHash::of_octets(&text)
    }

    /// Seals an answer to one request.
    ///
    /// # Errors
    /// When the system gives no random numbers.
    pub fn seal(&self, request: TokenHash, answer: &str) -> Result<String, NoRandomness> {
        let nonce: [u8; NONCE_OCTETS] = random()?;
        let place = request.hex();
        let payload = Payload { msg: answer.as_bytes(), aad: place.as_bytes() };
        // It fails for texts of hundreds of gigabytes only.
        let sealed = self.cipher().encrypt(&XNonce::from(nonce), payload);
        let sealed = sealed.map_err(|_| NoRandomness)?;
        Ok(format!("{}:{}", URL_SAFE_NO_PAD.encode(nonce), URL_SAFE_NO_PAD.encode(sealed)))
    }

    /// Opens the answer to that request; none when it was sealed by another token, or changed.
    pub fn open(&self, request: TokenHash, sealed: &str) -> Option<String> {
        let (nonce, sealed) = sealed.split_once(':')?;
        let nonce: [u8; NONCE_OCTETS] = URL_SAFE_NO_PAD.decode(nonce).ok()?.try_into().ok()?;
        let sealed = URL_SAFE_NO_PAD.decode(sealed).ok()?;
        let place = request.hex();
        let payload = Payload { msg: sealed.as_slice(), aad: place.as_bytes() };
        let opened = self.cipher().decrypt(&XNonce::from(nonce), payload).ok()?;
        String::from_utf8(opened).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_opens_for_its_token_and_request_only() {
        let (key, request) = (AnswerKey::of("wxs_one"), TokenHash::of("POST /a"));
        let sealed = key.seal(request, "{\"owner\":\"secret\"}").unwrap();
        assert!(!sealed.contains("secret") && sealed != key.seal(request, "{}").unwrap());
        assert_eq!(key.open(request, &sealed).as_deref(), Some("{\"owner\":\"secret\"}"));
        assert_eq!(key.open(TokenHash::of("POST /b"), &sealed), None);
        assert_eq!(AnswerKey::of("wxs_two").open(request, &sealed), None);
        for damaged in ["", ":", &sealed[1..], &sealed[..sealed.len() - 1]] {
            assert_eq!(key.open(request, damaged), None, "{damaged}");
        }
        assert_eq!(format!("{key:?}"), "AnswerKey(..)");
    }

    #[test]
    fn what_is_stored_of_a_request_cannot_be_guessed_without_the_token() {
        let (one, two) = (AnswerKey::of("wxs_one"), AnswerKey::of("wxs_two"));
        let request = "POST /a\n{\"secret\":\"1234\"}";
        assert_eq!(one.hash(request), AnswerKey::of("wxs_one").hash(request));
        for other in [two.hash(request), one.hash("POST /a"), TokenHash::of(request)] {
            assert_ne!(one.hash(request), other);
        }
    }
}
