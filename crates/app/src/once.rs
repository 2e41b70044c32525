//! What a program asks for twice by the same key is done once, also over a restart: the answer is kept and repeated.
//!
//! The way in is [`begin`]. Keep: a key belongs to one token and one request, what was refused frees its key, and
//! a kept answer opens only for the token it was given to.

use crate::connections::Fault;
use crate::limits::{ANSWER_KEPT, KEYED_REQUEST_LASTS_AT_MOST, REQUEST_KEY_CHARS_MAX};
use crate::store::Data;
use crate::test_send::IdempotencyKey;
use crate::tokens::Bearer;
use jiff::Timestamp;
use waxseal_store::connection::FieldError;
use waxseal_store::id::NoRandomness;
use waxseal_store::kept_answers::{KeptAnswer, KeptAnswers as _, KeyGate, KeyedRequest};
use waxseal_store::token::TokenHash;
use waxseal_store::{Store, StoreError};

/// The key of one request, chosen by its caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestKey(String);

impl RequestKey {
    /// Reads a key: visible ASCII characters.
    ///
    /// # Errors
    /// Any other text.
    pub fn parse(text: &str) -> Result<Self, OnceError> {
        let fits = (1..=REQUEST_KEY_CHARS_MAX).contains(&text.len())
            && text.bytes().all(|octet| octet.is_ascii_graphic());
        if fits { Ok(Self(text.to_owned())) } else { Err(OnceError::Key) }
    }

    /// The same for a test send, which remembers its keys by itself and longer. The token is part of it, so that
    /// no other token meets it.
    ///
    /// # Errors
    /// None for a key of this length.
    pub fn of_test(&self, bearer: &Bearer) -> Result<IdempotencyKey, FieldError> {
        IdempotencyKey::parse(&format!("token {} {}", bearer.id, self.0))
    }
}

/// Why a request with a key is not done.
#[derive(Debug, thiserror::Error)]
pub enum OnceError {
    /// The key cannot be one.
    #[error("a key has 1 to {REQUEST_KEY_CHARS_MAX} visible ASCII characters")]
    Key,
    /// The key stands for another request.
    #[error("this key was used for another request")]
    OtherRequest,
    /// This program could not do its own job.
    #[error("kept answers could not be read or written")]
    Store(#[from] StoreError),
    /// The answer was kept for this token and does not open.
    #[error("a kept answer is damaged")]
    Damaged,
    /// The system gave no random numbers.
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
    /// The same request is being done.
    #[error("a request with this key is being answered")]
    UnderWay,
}

impl OnceError {
    /// What kind of failure it is.
    pub const fn fault(&self) -> Fault {
        match self {
            Self::Key | Self::OtherRequest => Fault::Input,
            Self::Store(_) | Self::Damaged | Self::NoRandomness(_) => Fault::Machine,
            Self::UnderWay => Fault::Conflict,
        }
    }
}

/// What becomes of a request with a key.
#[derive(Debug)]
pub enum Once {
    /// It is to be done, and its answer kept.
    Begun(Box<Begun>),
    /// It was answered.
    Repeated {
        /// The status of HTTP.
        status: u16,
        /// The answer.
        text: String,
    },
}

/// A request that began.
#[derive(Debug)]
pub struct Begun {
    store: Store,
    bearer: Bearer,
    request: KeyedRequest,
}

/// Begins a request of a token: `request` is all that makes it this one.
///
/// # Errors
/// [`OnceError`]; then nothing is to be done.
pub async fn begin(
    data: &Data,
    bearer: &Bearer,
    (key, request): (&RequestKey, &str),
    now: Timestamp,
) -> Result<Once, OnceError> {
    let request = KeyedRequest {
        token: bearer.id,
        key: TokenHash::of(&key.0),
        request: bearer.answers.hash(request),
        at: now,
        lasts_at_most: KEYED_REQUEST_LASTS_AT_MOST,
        kept: ANSWER_KEPT,
    };
    match data.store().begin_keyed(bearer.workspace, &request).await? {
        KeyGate::Begun => {
            let (store, bearer) = (data.store().clone(), bearer.clone());
            Ok(Once::Begun(Box::new(Begun { store, bearer, request })))
        }
        KeyGate::Answered(KeptAnswer { status, sealed }) => {
            let text = bearer.answers.open(request.request, &sealed).ok_or(OnceError::Damaged)?;
            Ok(Once::Repeated { status, text })
        }
        KeyGate::OtherRequest => Err(OnceError::OtherRequest),
        KeyGate::UnderWay => Err(OnceError::UnderWay),
    }
}

impl Begun {
    /// Keeps the answer.
    ///
    /// # Errors
    /// Whatever the store says.
    pub async fn keep(&self, status: u16, text: &str) -> Result<(), OnceError> {
        let sealed = self.bearer.answers.seal(self.request.request, text)?;
        let answer = KeptAnswer { status, sealed };
        Ok(self.store.keep_answer(self.bearer.workspace, &self.request, &answer).await?)
    }

    /// Frees the key: nothing was done.
    ///
    /// # Errors
    /// Whatever the store says.
    pub async fn withdraw(&self) -> Result<(), OnceError> {
        Ok(self.store.withdraw_keyed(self.bearer.workspace, &self.request).await?)
    }
}
