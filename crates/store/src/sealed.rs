//! The envelope of a sealed secret: `v1:key_id:nonce:ct`, XChaCha20-Poly1305 (RFC 8439 with the 24-octet
//! nonce of draft-irtf-cfrg-xchacha), nonce and ciphertext in base64url without padding.
//!
//! The place where it is stored (table, row, column) is associated data, so an envelope opens nowhere
//! else. The ways in are [`MasterKeys::seal`] and [`MasterKeys::open`]. Keep: no error and no `Debug`
//! holds an octet of a secret or of a key.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use uuid::Uuid;
use waxseal_proto::secret::Secret;
use zeroize::Zeroizing;

use crate::id::{NoRandomness, random};
use crate::keys::{KeyId, MasterKeys};
use crate::limits::SECRET_OCTETS_MAX;

const VERSION: &str = "v1";
const NONCE_OCTETS: usize = 24;
const TAG_OCTETS: usize = 16;

/// Where a sealed value is stored: the associated data of its envelope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The table.
    pub table: &'static str,
    /// The row.
    pub row: Uuid,
    /// The column.
    pub column: &'static str,
}

impl std::fmt::Display for Place {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}/{}/{}", self.table, self.row.hyphenated(), self.column)
    }
}

/// A sealed value as it is stored.
#[derive(Clone, PartialEq, Eq)]
pub struct Envelope {
    key_id: KeyId,
    nonce: [u8; NONCE_OCTETS],
    ciphertext: Vec<u8>,
}

impl std::fmt::Debug for Envelope {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Envelope(sealed with key {})", self.key_id)
    }
}

/// Why a secret was not sealed or not opened. None of these texts holds a part of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// The stored text is no envelope of a version that this program knows.
    #[error("the sealed value at {place} is damaged: {problem}")]
    Malformed {
        /// Where it is stored.
        place: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// The key it was sealed with is not among the master keys.
    #[error(
        "the secret at {place} was sealed with key {key_id}, which is not among the master keys"
    )]
    UnknownKey {
        /// Where it is stored.
        place: String,
        /// The key that is needed.
        key_id: KeyId,
    },
    /// The key is right and the content is not what was sealed for this place.
    #[error("the sealed value at {place} was changed after it was sealed")]
    Tampered {
        /// Where it is stored.
        place: String,
    },
    /// The envelope is whole, but was sealed for another place.
    #[error("the sealed value at {place} was moved there from {sealed_for}")]
    Moved {
        /// Where it is stored.
        place: String,
        /// Where it belongs.
        sealed_for: String,
    },
    /// What was sealed is no text.
    #[error("the secret at {place} is not text")]
    NotText {
        /// Where it is stored.
        place: String,
    },
    /// A secret of no octets, or of more than any service gives out.
    #[error("a secret must have 1 to {SECRET_OCTETS_MAX} octets, this one has {octets}")]
    Size {
        /// How many it has.
        octets: usize,
    },
    /// No nonce could be made.
    #[error(transparent)]
    Randomness(#[from] NoRandomness),
}

impl Envelope {
    /// Reads the stored text of `place`.
    ///
    /// # Errors
    /// [`SealError::Malformed`].
    pub fn parse(text: &str, place: &Place) -> Result<Self, SealError> {
        let malformed = |problem| SealError::Malformed { place: place.to_string(), problem };
        let mut parts = text.split(':');
        let (version, key_id, nonce, ciphertext) =
            (parts.next(), parts.next(), parts.next(), parts.next());
        if version != Some(VERSION) {
            return Err(malformed("not an envelope of version v1"));
        }
        let (Some(key_id), Some(nonce), Some(ciphertext), None) =
            (key_id, nonce, ciphertext, parts.next())
        else {
            return Err(malformed("not four parts"));
        };
        let key_id = KeyId::parse(key_id).ok_or_else(|| malformed("bad key id"))?;
        let nonce = URL_SAFE_NO_PAD
            .decode(nonce)
            .ok()
            .and_then(|octets| octets.try_into().ok())
            .ok_or_else(|| malformed("bad nonce"))?;
        let ciphertext = URL_SAFE_NO_PAD
            .decode(ciphertext)
            .ok()
            .filter(|octets| {
                (TAG_OCTETS + 1..=TAG_OCTETS + SECRET_OCTETS_MAX).contains(&octets.len())
            })
            .ok_or_else(|| malformed("bad ciphertext"))?;
        Ok(Self { key_id, nonce, ciphertext })
    }

    /// The key that it was sealed with.
    pub const fn key_id(&self) -> &KeyId {
        &self.key_id
    }

    /// The text to store.
    pub fn to_text(&self) -> String {
        let encode = |octets: &[u8]| URL_SAFE_NO_PAD.encode(octets);
        format!("{VERSION}:{}:{}:{}", self.key_id, encode(&self.nonce), encode(&self.ciphertext))
    }
}

impl MasterKeys {
    /// Seals a secret for `place` with the current key.
    ///
    /// # Errors
    /// A secret that is empty or too long, or no randomness.
    pub fn seal(
        &self,
        place: &Place,
        secret: &Secret<Zeroizing<String>>,
    ) -> Result<Envelope, SealError> {
        let octets = secret.expose().len();
        if octets == 0 || octets > SECRET_OCTETS_MAX {
            return Err(SealError::Size { octets });
        }
        let nonce: [u8; NONCE_OCTETS] = random()?;
        let associated = place.to_string();
        let payload = Payload { msg: secret.expose().as_bytes(), aad: associated.as_bytes() };
        let ciphertext = cipher(self.current_octets())
            .encrypt(&XNonce::from(nonce), payload)
            .map_err(|_| SealError::Size { octets })?;
        Ok(Self::envelope(self.current().clone(), nonce, ciphertext))
    }

    /// Opens the secret that was sealed for `place`.
    ///
    /// # Errors
    /// A key that is not there, or a changed envelope. An envelope that was moved counts as changed
    /// here; [`MasterKeys::sealed_for`] tells where it came from.
    pub fn open(
        &self,
        place: &Place,
        envelope: &Envelope,
    ) -> Result<Secret<Zeroizing<String>>, SealError> {
        let key = self.octets_of(&envelope.key_id).ok_or_else(|| SealError::UnknownKey {
            place: place.to_string(),
            key_id: envelope.key_id.clone(),
        })?;
        let opened = decrypt(key, place, envelope)
            .ok_or_else(|| SealError::Tampered { place: place.to_string() })?;
        std::str::from_utf8(&opened)
            .map(|text| Secret::new(Zeroizing::new(text.to_owned())))
            .map_err(|_| SealError::NotText { place: place.to_string() })
    }

    /// The place among `candidates` that an envelope was sealed for, if it is one of them.
    pub fn sealed_for(&self, envelope: &Envelope, candidates: &[Place]) -> Option<Place> {
        let key = self.octets_of(&envelope.key_id)?;
        candidates.iter().copied().find(|place| decrypt(key, place, envelope).is_some())
    }

    const fn envelope(key_id: KeyId, nonce: [u8; NONCE_OCTETS], ciphertext: Vec<u8>) -> Envelope {
        Envelope { key_id, nonce, ciphertext }
    }
}

fn cipher(key: &[u8; crate::keys::KEY_OCTETS]) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new(&Key::from(*key))
}

fn decrypt(
    key: &[u8; crate::keys::KEY_OCTETS],
    place: &Place,
    envelope: &Envelope,
) -> Option<Zeroizing<Vec<u8>>> {
    let associated = place.to_string();
    let payload = Payload { msg: &envelope.ciphertext, aad: associated.as_bytes() };
    cipher(key).decrypt(&XNonce::from(envelope.nonce), payload).ok().map(Zeroizing::new)
}

#[cfg(test)]
mod tests;
