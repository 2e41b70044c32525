//! The server's side of AUTH (RFC 4954): PLAIN (RFC 4616), LOGIN, CRAM-MD5 (RFC 2195), SCRAM-SHA-256 (RFC 5802,
//! RFC 7677) and XOAUTH2, each really compared with the accounts. Octets in, octets out; base64 and replies
//! are the session's business. The way in: [`Exchange::begin`]. No name or password is prepared (SASLprep):
//! scenarios keep to ASCII.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use hmac::{Hmac, KeyInit, Mac};
use md5::Md5;

use super::scram::Scram;
use super::service::SubmissionService;

/// What the server says next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// `334` with these octets.
    Challenge(Vec<u8>),
    /// The user is signed in.
    Passed(String),
    /// The credentials are wrong.
    Refused,
    /// The response has not the form of the mechanism.
    Malformed,
}

/// One exchange that has begun.
#[derive(Debug)]
pub(super) struct Exchange {
    step: Step,
}

#[derive(Debug)]
enum Step {
    Plain,
    LoginUser,
    LoginPassword {
        user: String,
    },
    CramMd5 {
        challenge: String,
    },
    Scram(Box<Scram>),
    Token,
    /// The error was told; whatever comes, the refusal follows (RFC 7628 §3.2.3).
    TokenRefused,
}

impl Exchange {
    /// Begins a mechanism (upper case); `None` for one that is not carried out. `nonce` is unique to the
    /// exchange.
    pub(super) fn begin(mechanism: &str, host: &str, nonce: &str) -> Option<Self> {
        let step = match mechanism {
            "PLAIN" => Step::Plain,
            "LOGIN" => Step::LoginUser,
            "CRAM-MD5" => Step::CramMd5 { challenge: format!("<{nonce}@{host}>") },
            "SCRAM-SHA-256" => Step::Scram(Box::new(Scram::new(nonce))),
            "XOAUTH2" => Step::Token,
            _ => return None,
        };
        Some(Self { step })
    }

    /// What the server says to an AUTH without initial response.
    pub(super) fn prompt(&self) -> Turn {
        Turn::Challenge(match &self.step {
            Step::LoginUser => b"Username:".to_vec(),
            Step::LoginPassword { .. } => b"Password:".to_vec(),
            Step::CramMd5 { challenge } => challenge.clone().into_bytes(),
            Step::Plain | Step::Scram(_) | Step::Token | Step::TokenRefused => Vec::new(),
        })
    }

    /// Whether the mechanism lets the client speak first.
    pub(super) const fn client_may_begin(&self) -> bool {
        !matches!(self.step, Step::CramMd5 { .. })
    }

    /// Takes a decoded response.
    pub(super) fn respond(&mut self, response: &[u8], service: &SubmissionService) -> Turn {
        let turn = match &mut self.step {
            Step::Plain => plain(response, service),
            Step::LoginUser => {
                let Ok(user) = String::from_utf8(response.to_vec()) else {
                    return Turn::Malformed;
                };
                self.step = Step::LoginPassword { user };
                return self.prompt();
            }
            Step::LoginPassword { user } => with_password(user, response, service),
            Step::CramMd5 { challenge } => cram_md5(challenge, response, service),
            Step::Scram(scram) => scram.respond(response, service),
            Step::Token => token(response, service),
            Step::TokenRefused => return Turn::Refused,
        };
        if let (Step::Token, Turn::Challenge(_)) = (&self.step, &turn) {
            self.step = Step::TokenRefused;
        }
        turn
    }
}

fn with_password(user: &str, password: &[u8], service: &SubmissionService) -> Turn {
    let known = service.account(user).filter(|account| !account.password.is_empty());
    match known {
        Some(account) if verify_slices_are_equal(account.password.as_bytes(), password).is_ok() => {
            Turn::Passed(user.to_owned())
        }
        Some(_) | None => Turn::Refused,
    }
}

/// `authzid NUL authcid NUL password` (RFC 4616 §2); nobody may act for somebody else.
fn plain(response: &[u8], service: &SubmissionService) -> Turn {
    let fields: Vec<&[u8]> = response.split(|octet| *octet == 0).collect();
    let [acts_for, user, password] = fields.as_slice() else { return Turn::Malformed };
    let Ok(user) = std::str::from_utf8(user) else { return Turn::Malformed };
    if user.is_empty() || password.is_empty() {
        return Turn::Malformed;
    }
    if !acts_for.is_empty() && *acts_for != user.as_bytes() {
        return Turn::Refused;
    }
    with_password(user, password, service)
}

/// `user SP digest`, the digest in lower-case hexadecimal (RFC 2195 §2).
fn cram_md5(challenge: &str, response: &[u8], service: &SubmissionService) -> Turn {
    let Ok(text) = std::str::from_utf8(response) else { return Turn::Malformed };
    let Some((user, digest)) = text.rsplit_once(' ') else { return Turn::Malformed };
    let known = service.account(user).filter(|account| !account.password.is_empty());
    let wanted = known.and_then(|account| keyed_md5(account.password.as_bytes(), challenge));
    match wanted {
        Some(wanted) if wanted == digest => Turn::Passed(user.to_owned()),
        Some(_) | None => Turn::Refused,
    }
}

fn keyed_md5(key: &[u8], text: &str) -> Option<String> {
    let mut mac = Hmac::<Md5>::new_from_slice(key).ok()?;
    mac.update(text.as_bytes());
    Some(hexadecimal(&mac.finalize().into_bytes()))
}

/// Octets in lower-case hexadecimal.
pub(super) fn hexadecimal(octets: &[u8]) -> String {
    octets.iter().fold(String::new(), |text, octet| format!("{text}{octet:02x}"))
}

/// `user=USER ^A auth=Bearer TOKEN ^A ^A`. A wrong token is told as JSON first, and refused after the client's
/// next line.
fn token(response: &[u8], service: &SubmissionService) -> Turn {
    const ERROR: &[u8] =
        br#"{"status":"401","schemes":"bearer","scope":"https://mail.lab.test/send"}"#;
    let Ok(text) = std::str::from_utf8(response) else { return Turn::Malformed };
    let Some(text) = text.strip_suffix("\u{1}\u{1}") else { return Turn::Malformed };
    let Some((user, bearer)) = text.split_once('\u{1}') else { return Turn::Malformed };
    let (Some(user), Some(bearer)) =
        (user.strip_prefix("user="), bearer.strip_prefix("auth=Bearer "))
    else {
        return Turn::Malformed;
    };
    let known = service.account(user).filter(|account| !account.token.is_empty());
    match known {
        Some(account) if account.token == bearer => Turn::Passed(user.to_owned()),
        Some(_) | None => Turn::Challenge(ERROR.to_vec()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_is_that_of_the_standard() {
        // RFC 2195 §2.
        let digest =
            keyed_md5(b"tanstaaftanstaaf", "<1896.697170952@postoffice.reston.mci.net>").unwrap();
        assert_eq!(digest, "b913a602c7eda7a495b4e6e7334d3890");
    }

    #[test]
    fn plain_wants_three_fields_and_nobody_acts_for_others() {
        let mut service = SubmissionService::default();
        service.settle("a.test");
        let password = super::super::TEST_PASSWORD;
        let say = |text: String| plain(text.as_bytes(), &service);
        let passed = Turn::Passed("sender@a.test".into());
        assert_eq!(say(format!("\0sender@a.test\0{password}")), passed);
        assert_eq!(say(format!("sender@a.test\0sender@a.test\0{password}")), passed);
        assert_eq!(say(format!("other\0sender@a.test\0{password}")), Turn::Refused);
        assert_eq!(say("\0sender@a.test\0wrong".into()), Turn::Refused);
        assert_eq!(say("\0nobody\0wrong".into()), Turn::Refused);
        assert_eq!(say("sender@a.test".into()), Turn::Malformed);
    }
}
