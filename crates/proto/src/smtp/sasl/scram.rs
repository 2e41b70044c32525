//! SCRAM-SHA-256 without channel binding (RFC 5802 §3, §5; RFC 7677): the arithmetic and the messages,
//! without base64 and without SMTP. The way in is [`ClientFirst`]. Keep: the server's signature is
//! compared in constant time, and too few or too many iterations are refused before any is computed.

use std::num::NonZeroU32;

use aws_lc_rs::{constant_time, digest, hmac, pbkdf2};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::exchange::ExchangeFault;
use super::{ClientNonce, SignIn};
use crate::limits::{SCRAM_ITERATIONS_MAX, SCRAM_ITERATIONS_MIN};

/// RFC 5802 §7: no channel binding, no other identity.
const GS2_HEADER: &str = "n,,";
const HASH_OCTETS: usize = 32;

/// What the client said first.
#[derive(Clone, Debug)]
pub(super) struct ClientFirst {
    bare: String,
    nonce: String,
}

/// What the server must prove at the end.
#[derive(Clone, Debug)]
pub(super) struct ServerProof(hmac::Tag);

impl ClientFirst {
    pub(super) fn new(sign_in: &SignIn) -> Self {
        let ClientNonce(nonce) = &sign_in.nonce;
        let name = sign_in.username.expose();
        let name =
            stringprep::saslprep(name).map_or_else(|_| name.clone(), std::borrow::Cow::into_owned);
        let name = name.replace('=', "=3D").replace(',', "=2C");
        Self { bare: format!("n={name},r={nonce}"), nonce: nonce.clone() }
    }

    /// The message.
    pub(super) fn message(&self) -> String {
        format!("{GS2_HEADER}{}", self.bare)
    }

    /// Answers the server's first message with the client's proof.
    pub(super) fn answer(
        &self,
        server_first: &str,
        sign_in: &SignIn,
    ) -> Result<(String, ServerProof), ExchangeFault> {
        let Challenge { nonce, salt, iterations } = Challenge::parse(server_first)?;
        let is_ours = nonce.strip_prefix(&self.nonce).is_some_and(|server| !server.is_empty());
        if !is_ours {
            return Err(ExchangeFault::ScramNonce);
        }
        let password = sign_in.credential.secret().expose();
        // RFC 5802 §2.2 asks for SASLprep; a password it forbids goes as it is, as other clients do it.
        let prepared = stringprep::saslprep(password);
        let password = prepared.as_deref().unwrap_or(password);
        let mut salted = [0_u8; HASH_OCTETS];
        pbkdf2::derive(
            pbkdf2::PBKDF2_HMAC_SHA256,
            iterations,
            &salt,
            password.as_bytes(),
            &mut salted,
        );
        let without_proof = format!("c={},r={nonce}", STANDARD.encode(GS2_HEADER));
        let signed = format!("{},{server_first},{without_proof}", self.bare);
        let client_key = sign(&salted, b"Client Key");
        let stored_key = digest::digest(&digest::SHA256, client_key.as_ref());
        let signature = sign(stored_key.as_ref(), signed.as_bytes());
        let proof: Vec<u8> = client_key
            .as_ref()
            .iter()
            .zip(signature.as_ref())
            .map(|(key, signature)| key ^ signature)
            .collect();
        let server_key = sign(&salted, b"Server Key");
        let expected = sign(server_key.as_ref(), signed.as_bytes());
        let message = format!("{without_proof},p={}", STANDARD.encode(proof));
        Ok((message, ServerProof(expected)))
    }
}

impl ServerProof {
    /// Checks the server's last message.
    pub(super) fn check(&self, server_final: &str) -> Result<(), ExchangeFault> {
        if server_final.starts_with("e=") {
            return Err(ExchangeFault::ScramRefused);
        }
        let signature = server_final
            .strip_prefix("v=")
            .and_then(|text| text.split(',').next())
            .and_then(|text| STANDARD.decode(text).ok())
            .ok_or(ExchangeFault::Prompt)?;
        constant_time::verify_slices_are_equal(self.0.as_ref(), &signature)
            .map_err(|_| ExchangeFault::ServerNotProven)
    }
}

/// The server's first message (RFC 5802 §5.1).
struct Challenge<'a> {
    nonce: &'a str,
    salt: Vec<u8>,
    iterations: NonZeroU32,
}

impl<'a> Challenge<'a> {
    fn parse(text: &'a str) -> Result<Self, ExchangeFault> {
        let mut fields = text.split(',');
        let mut field = |name: &str| {
            let value = fields.next().and_then(|field| field.strip_prefix(name));
            value.ok_or(ExchangeFault::Prompt)
        };
        // A mandatory extension, m=, stands where r= must: it is refused with everything else.
        let nonce = field("r=")?;
        let salt = STANDARD.decode(field("s=")?).map_err(|_| ExchangeFault::Prompt)?;
        let iterations: u32 = field("i=")?.parse().map_err(|_| ExchangeFault::Prompt)?;
        if !(SCRAM_ITERATIONS_MIN..=SCRAM_ITERATIONS_MAX).contains(&iterations) {
            return Err(ExchangeFault::ScramIterations(iterations));
        }
        let iterations = NonZeroU32::new(iterations).ok_or(ExchangeFault::Prompt)?;
        Ok(Self { nonce, salt, iterations })
    }
}

fn sign(key: &[u8], text: &[u8]) -> hmac::Tag {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text)
}
