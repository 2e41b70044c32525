//! One sign-in attempt as a state machine (RFC 4954 §4): the AUTH command, a response for each prompt,
//! cancellation. It reads no reply code; the session does. The way in is [`Exchange::start`]. Keep: every
//! line is made with a [`Cleared`], and [`AuthLine`] shows nothing of what it carries.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use md5::Md5;

use super::scram::{ClientFirst, ServerProof};
use super::{Mechanism, SignIn};
use crate::limits::{AUTH_LINE_OCTETS_MAX, AUTH_PROMPTS_MAX, COMMAND_LINE_OCTETS_MAX};
use crate::secret::Secret;
use crate::tls::requirement::Cleared;

/// Stands in a transcript for what a line carried.
const HIDDEN: &str = "[secret]";

/// One attempt.
#[derive(Debug)]
pub struct Exchange {
    expect: Expect,
    prompts: usize,
    fault: Option<ExchangeFault>,
    server: ServerTrust,
}

/// Whether the mechanism has the server prove that it knows the password, and whether it did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ServerTrust {
    NotAsked,
    Awaited,
    Proven,
}

/// What the next prompt is for.
#[derive(Debug)]
enum Expect {
    CramChallenge,
    /// The initial response, which did not fit into the command, and what follows it.
    Initial(Secret<String>, Box<Self>),
    LoginPassword,
    LoginUserName,
    /// No prompt may come any more.
    Outcome,
    ScramFinal(Secret<ServerProof>),
    ScramFirst(Secret<ClientFirst>),
    TokenError,
}

/// What broke an exchange before its final reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExchangeFault {
    /// A prompt that is no base64, not of the mechanism, or too long.
    Prompt,
    /// The server asked for fewer or more iterations than are accepted.
    ScramIterations(u32),
    /// The server's nonce does not begin with ours.
    ScramNonce,
    /// The server said in SCRAM's own words that the proof is wrong.
    ScramRefused,
    /// The server accepted without proving that it knows the password.
    ServerNotProven,
    /// The server described why it refuses the token; its `status`, if it gave one.
    TokenRefused(Option<String>),
    /// More prompts than any mechanism has.
    TooManyPrompts,
}

/// One line of an exchange: what goes to the server, and what a transcript may show of it.
#[derive(Debug)]
pub struct AuthLine {
    wire: Secret<String>,
    shown: String,
}

impl AuthLine {
    /// The octets, CRLF included.
    pub(crate) fn encode(&self) -> Secret<Vec<u8>> {
        Secret::new(format!("{}\r\n", self.wire.expose()).into_bytes())
    }

    /// What a transcript shows.
    pub fn shown(&self) -> &str {
        &self.shown
    }

    /// The part that carries the credential, to be searched for in what the server says.
    pub(crate) fn carried(&self) -> Option<Secret<String>> {
        let wire = self.wire.expose();
        self.shown
            .strip_suffix(HIDDEN)
            .and_then(|front| wire.strip_prefix(front))
            .map(|carried| Secret::new(carried.to_owned()))
    }

    fn hidden(payload: &str) -> Self {
        Self { wire: Secret::new(payload.to_owned()), shown: HIDDEN.to_owned() }
    }

    fn plain(text: &str) -> Self {
        Self { wire: Secret::new(text.to_owned()), shown: text.to_owned() }
    }
}

impl Exchange {
    /// Begins with the AUTH command, and its initial response where it fits (RFC 4954 §4).
    pub fn start(sign_in: &SignIn, mechanism: Mechanism, _: &Cleared) -> (Self, AuthLine) {
        let mut server = ServerTrust::NotAsked;
        let (initial, expect) = match mechanism {
            Mechanism::CramMd5 => (None, Expect::CramChallenge),
            Mechanism::Login => (None, Expect::LoginUserName),
            Mechanism::Plain => (Some(plain(sign_in)), Expect::Outcome),
            Mechanism::ScramSha256 => {
                server = ServerTrust::Awaited;
                let first = ClientFirst::new(sign_in);
                (Some(STANDARD.encode(first.message())), Expect::ScramFirst(Secret::new(first)))
            }
            Mechanism::Xoauth2 => (Some(xoauth2(sign_in)), Expect::TokenError),
        };
        let command = format!("AUTH {}", mechanism.as_str());
        let (expect, line) = match initial {
            None => (expect, AuthLine::plain(&command)),
            Some(initial) => {
                let with = format!("{command} {initial}");
                if with.len().saturating_add(2) <= COMMAND_LINE_OCTETS_MAX {
                    let shown = format!("{command} {HIDDEN}");
                    (expect, AuthLine { wire: Secret::new(with), shown })
                } else {
                    let later = Expect::Initial(Secret::new(initial), Box::new(expect));
                    (later, AuthLine::plain(&command))
                }
            }
        };
        (Self { expect, prompts: 0, fault: None, server }, line)
    }

    /// Answers a 334 prompt, whose text is given.
    pub fn handle_prompt(&mut self, text: &str, sign_in: &SignIn, _: &Cleared) -> AuthLine {
        self.prompts = self.prompts.saturating_add(1);
        if self.prompts > AUTH_PROMPTS_MAX {
            return self.cancel(ExchangeFault::TooManyPrompts);
        }
        let expect = std::mem::replace(&mut self.expect, Expect::Outcome);
        match expect {
            Expect::Initial(payload, then) => {
                self.expect = *then;
                AuthLine::hidden(payload.expose())
            }
            Expect::LoginUserName => {
                self.expect = Expect::LoginPassword;
                AuthLine::hidden(&STANDARD.encode(sign_in.username.expose()))
            }
            Expect::LoginPassword => {
                AuthLine::hidden(&STANDARD.encode(sign_in.credential.secret().expose()))
            }
            Expect::TokenError => {
                let status = decode(text).ok().as_deref().and_then(status_of);
                self.fault = Some(ExchangeFault::TokenRefused(status));
                AuthLine::plain("")
            }
            Expect::CramChallenge => self.answer_or_cancel(cram_md5(text, sign_in)),
            Expect::ScramFirst(first) => {
                let answer = decode(text).and_then(|text| first.expose().answer(&text, sign_in));
                let answer = answer.map(|(message, proof)| {
                    self.expect = Expect::ScramFinal(Secret::new(proof));
                    STANDARD.encode(message)
                });
                self.answer_or_cancel(answer)
            }
            Expect::ScramFinal(proof) => {
                match decode(text).and_then(|text| proof.expose().check(&text)) {
                    Ok(()) => {
                        self.server = ServerTrust::Proven;
                        AuthLine::plain("")
                    }
                    Err(fault) => self.cancel(fault),
                }
            }
            Expect::Outcome => self.cancel(ExchangeFault::Prompt),
        }
    }

    /// What broke the exchange, when the server has now accepted it or not.
    pub(crate) fn fault(&self) -> Option<&ExchangeFault> {
        match self.server {
            ServerTrust::Awaited => {
                Some(self.fault.as_ref().unwrap_or(&ExchangeFault::ServerNotProven))
            }
            ServerTrust::NotAsked | ServerTrust::Proven => self.fault.as_ref(),
        }
    }

    /// What broke the exchange by our own judgement, when the server has refused it.
    pub(crate) const fn own_fault(&self) -> Option<&ExchangeFault> {
        self.fault.as_ref()
    }

    fn answer_or_cancel(&mut self, answer: Result<String, ExchangeFault>) -> AuthLine {
        match answer {
            Ok(payload) => AuthLine::hidden(&payload),
            Err(fault) => self.cancel(fault),
        }
    }

    /// RFC 4954 §4: a lone asterisk cancels.
    fn cancel(&mut self, fault: ExchangeFault) -> AuthLine {
        self.expect = Expect::Outcome;
        self.fault.get_or_insert(fault);
        AuthLine::plain("*")
    }
}

fn decode(text: &str) -> Result<String, ExchangeFault> {
    if text.len() > AUTH_LINE_OCTETS_MAX {
        return Err(ExchangeFault::Prompt);
    }
    let octets = STANDARD.decode(text.trim()).map_err(|_| ExchangeFault::Prompt)?;
    String::from_utf8(octets).map_err(|_| ExchangeFault::Prompt)
}

/// RFC 4616 §2: no authorisation identity, the name, the password.
fn plain(sign_in: &SignIn) -> String {
    let (name, password) = (sign_in.username.expose(), sign_in.credential.secret().expose());
    STANDARD.encode(format!("\0{name}\0{password}"))
}

fn xoauth2(sign_in: &SignIn) -> String {
    let (name, token) = (sign_in.username.expose(), sign_in.credential.secret().expose());
    STANDARD.encode(format!("user={name}\u{1}auth=Bearer {token}\u{1}\u{1}"))
}

/// RFC 2195 §2: the name and the HMAC-MD5 of the challenge, in hexadecimal.
fn cram_md5(prompt: &str, sign_in: &SignIn) -> Result<String, ExchangeFault> {
    let challenge = decode(prompt)?;
    let password = sign_in.credential.secret().expose();
    let mut mac =
        Hmac::<Md5>::new_from_slice(password.as_bytes()).map_err(|_| ExchangeFault::Prompt)?;
    mac.update(challenge.as_bytes());
    let digest = mac.finalize().into_bytes();
    let mut response = format!("{} ", sign_in.username.expose());
    for octet in digest {
        response.push(char::from_digit(u32::from(octet >> 4), 16).unwrap_or_default());
        response.push(char::from_digit(u32::from(octet & 15), 16).unwrap_or_default());
    }
    Ok(STANDARD.encode(response))
}

/// The value of `"status"` in the JSON with which a server refuses a token (RFC 7628 §3.2.2): letters,
/// digits and underscores only.
fn status_of(json: &str) -> Option<String> {
    let (_, rest) = json.split_once("\"status\"")?;
    let value = rest.trim_start().strip_prefix(':')?.trim_start().trim_start_matches('"');
    let end = value.find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_')?;
    value.get(..end).filter(|word| !word.is_empty() && word.len() <= 40).map(str::to_owned)
}
