//! The server's side of SCRAM-SHA-256 without channel binding (RFC 5802 §5, RFC 7677). The way in:
//! [`Scram::respond`], once for each message of the client and once for the empty line after the server's
//! last message.

use std::num::NonZeroU32;

use aws_lc_rs::{digest, hmac, pbkdf2};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::service::{ScramFault, SubmissionService};
use super::sign_in::Turn;

/// The salt of every account; a secret of nothing.
const SALT: &[u8; 16] = b"salt of the lab.";
/// Fewer iterations than any client should take.
const FEW_ITERATIONS: u32 = 16;

/// One SCRAM exchange.
#[derive(Debug)]
pub(super) struct Scram {
    nonce: String,
    step: Step,
}

#[derive(Debug)]
enum Step {
    First,
    Final { user: String, bare: String, server_first: String, nonce: String },
    Farewell { user: String },
    Over,
}

impl Scram {
    pub(super) fn new(nonce: &str) -> Self {
        Self { nonce: nonce.to_owned(), step: Step::First }
    }

    pub(super) fn respond(&mut self, response: &[u8], service: &SubmissionService) -> Turn {
        let Ok(text) = std::str::from_utf8(response) else { return Turn::Malformed };
        match std::mem::replace(&mut self.step, Step::Over) {
            Step::First => self.first(text, service).unwrap_or(Turn::Malformed),
            Step::Final { user, bare, server_first, nonce } => {
                self.last(text, service, &Proof { user, bare, server_first, nonce })
            }
            Step::Farewell { user } if text.is_empty() => Turn::Passed(user),
            Step::Farewell { .. } | Step::Over => Turn::Malformed,
        }
    }

    /// `n,,n=USER,r=NONCE`.
    fn first(&mut self, text: &str, service: &SubmissionService) -> Option<Turn> {
        let bare = text.strip_prefix("n,,").or_else(|| text.strip_prefix("y,,"))?;
        let (user, nonce) = bare.strip_prefix("n=")?.split_once(",r=")?;
        let user = user.replace("=2C", ",").replace("=3D", "=");
        let nonce = match service.scram_fault {
            Some(ScramFault::OtherNonce) => self.nonce.clone(),
            Some(ScramFault::ForgedSignature | ScramFault::FewIterations) | None => {
                format!("{nonce}{}", self.nonce)
            }
        };
        let iterations = iterations(service);
        let server_first = format!("r={nonce},s={},i={iterations}", STANDARD.encode(SALT));
        self.step =
            Step::Final { user, bare: bare.to_owned(), server_first: server_first.clone(), nonce };
        Some(Turn::Challenge(server_first.into_bytes()))
    }

    /// `c=biws,r=NONCE,p=PROOF`.
    fn last(&mut self, text: &str, service: &SubmissionService, proof: &Proof) -> Turn {
        let Some((without_proof, given)) = text.rsplit_once(",p=") else { return Turn::Malformed };
        let Ok(given) = STANDARD.decode(given) else { return Turn::Malformed };
        let bound = ["c=biws", "c=eSws"].iter().any(|binding| {
            without_proof.strip_prefix(binding) == Some(&format!(",r={}", proof.nonce))
        });
        if !bound {
            return Turn::Malformed;
        }
        let known = service.account(&proof.user).filter(|account| !account.password.is_empty());
        let Some(account) = known else { return Turn::Refused };
        let keys = Keys::of(account.password.as_bytes(), iterations(service));
        let message = format!("{},{},{without_proof}", proof.bare, proof.server_first);
        let signature = sign(&keys.stored, message.as_bytes());
        let client_key: Vec<u8> =
            given.iter().zip(&signature).map(|(left, right)| left ^ right).collect();
        if digest::digest(&digest::SHA256, &client_key).as_ref() != keys.stored {
            return Turn::Refused;
        }
        let signer: &[u8] = match service.scram_fault {
            Some(ScramFault::ForgedSignature) => b"made up",
            Some(ScramFault::OtherNonce | ScramFault::FewIterations) | None => &keys.server,
        };
        let vouches = STANDARD.encode(sign(signer, message.as_bytes()));
        self.step = Step::Farewell { user: proof.user.clone() };
        Turn::Challenge(format!("v={vouches}").into_bytes())
    }
}

/// What the first two messages said.
struct Proof {
    user: String,
    bare: String,
    server_first: String,
    nonce: String,
}

/// What a server keeps of a password (RFC 5802 §3).
struct Keys {
    stored: Vec<u8>,
    server: Vec<u8>,
}

impl Keys {
    fn of(password: &[u8], iterations: u32) -> Self {
        let mut salted = [0u8; 32];
        let iterations = NonZeroU32::new(iterations).unwrap_or(NonZeroU32::MIN);
        pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, iterations, SALT, password, &mut salted);
        let client = sign(&salted, b"Client Key");
        Self {
            stored: digest::digest(&digest::SHA256, &client).as_ref().to_vec(),
            server: sign(&salted, b"Server Key"),
        }
    }
}

fn iterations(service: &SubmissionService) -> u32 {
    match service.scram_fault {
        Some(ScramFault::FewIterations) => FEW_ITERATIONS,
        Some(ScramFault::ForgedSignature | ScramFault::OtherNonce) | None => {
            service.scram_iterations
        }
    }
}

fn sign(key: &[u8], message: &[u8]) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), message).as_ref().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The messages of RFC 7677 §3, from which the keys and signatures follow.
    #[test]
    fn the_signatures_are_those_of_the_standard() {
        let mut salted = [0u8; 32];
        let salt = STANDARD.decode("W22ZaJ0SNY7soEsUEjb6gQ==").unwrap();
        let iterations = NonZeroU32::new(4096).unwrap();
        pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, iterations, &salt, b"pencil", &mut salted);
        let nonce = "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
        let message = format!(
            "n=user,r=rOprNGfwEbeRWgbNEkqO,r={nonce},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,c=biws,r={nonce}"
        );
        let signature = sign(&sign(&salted, b"Server Key"), message.as_bytes());
        assert_eq!(STANDARD.encode(signature), "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
    }
}
