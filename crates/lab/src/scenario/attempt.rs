//! The `[submission]` part of a scenario (path A): what a client is set to, and what must become of it. The lab
//! says what to try as plain data and tries nothing itself. The way in: [`Attempt`].

use serde::Deserialize;

use super::Kind;
use crate::expectation::ExpectedAttempt;
use crate::smtp_server::{TEST_PASSWORD, TEST_USER};

/// What a client is set to, and what is expected.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Attempt {
    /// The host as typed; default `smtp.{domain}`.
    pub host: Option<String>,
    /// The port as typed: text, because invalid ports are faults.
    pub port: String,
    /// `starttls`, `tls` or `none`.
    pub mode: String,
    /// The user name; default `sender@{domain}`; empty for no sign-in.
    pub user: Option<String>,
    /// The password.
    pub password: String,
    /// An OAuth access token instead of the password.
    pub token: Option<String>,
    /// Whom the server must be vouched for by.
    pub trust: Trust,
    /// The least TLS version, `1.2` or `1.3`.
    pub least_tls: Option<String>,
    /// The name given in EHLO instead of the client's own.
    pub ehlo_name: Option<String>,
    /// The address the message is from; default `sender@{domain}`.
    pub from: Option<String>,
    /// The address it goes to; default `recipient@{domain}`.
    pub to: Option<String>,
    /// Asks for verified TLS on the way onwards (RFC 8689).
    pub require_tls: bool,
    /// Octets added to the message.
    pub padding: usize,
    /// The first code: the cause.
    pub first: Option<String>,
    /// Its owner.
    pub owner: Option<String>,
    /// Its severity.
    pub severity: Option<String>,
    /// Further codes that must be found.
    pub must: Vec<String>,
    /// Codes that must not be found.
    pub must_not: Vec<String>,
    /// What becomes of the message, as the product says it.
    pub outcome: Option<String>,
}

impl Default for Attempt {
    fn default() -> Self {
        Self {
            host: None,
            port: "587".into(),
            mode: "starttls".into(),
            user: None,
            password: TEST_PASSWORD.into(),
            token: None,
            trust: Trust::Public,
            least_tls: None,
            ehlo_name: None,
            from: None,
            to: None,
            require_tls: false,
            padding: 0,
            first: None,
            owner: None,
            severity: None,
            must: Vec::new(),
            must_not: Vec::new(),
            outcome: None,
        }
    }
}

/// Whom a server must be vouched for by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Trust {
    /// The roots of the world.
    #[default]
    Public,
    /// The lab's private root, which the world does not trust, and nothing else.
    PrivateRoot,
    /// The public key that the server shows.
    Key,
    /// Another public key than the server shows.
    OtherKey,
}

impl Attempt {
    /// The host as typed.
    pub fn host(&self) -> &str {
        self.host.as_deref().unwrap_or_default()
    }

    /// The user name; `None` for no sign-in.
    pub fn user(&self) -> Option<&str> {
        self.user.as_deref().filter(|user| !user.is_empty())
    }

    /// The address the message is from.
    pub fn from(&self) -> &str {
        self.from.as_deref().unwrap_or_default()
    }

    /// The address the message goes to.
    pub fn to(&self) -> &str {
        self.to.as_deref().unwrap_or_default()
    }

    /// The message to send, with CRLF line ends: correct but for what `padding` adds.
    pub fn message(&self) -> String {
        const LINE: &str =
            "So many octets are added that the message has the size that is wanted.\r\n";
        let (from, to) = (self.from(), self.to());
        let domain = from.rsplit('@').next().unwrap_or_default();
        format!(
            "From: <{from}>\r\nTo: <{to}>\r\nSubject: A message of the lab\r\n\
             Date: Thu, 1 Jan 2026 00:00:00 +0000\r\nMessage-ID: <1.lab@{domain}>\r\n\r\n\
             This message was made to try a server.\r\n{}",
            LINE.repeat(self.padding.div_ceil(LINE.len()))
        )
    }

    /// What is expected; `kind` is the family of the scenario.
    pub fn expected(&self, kind: Kind) -> ExpectedAttempt<'_> {
        ExpectedAttempt {
            kind,
            first: self.first.as_deref(),
            owner: self.owner.as_deref(),
            severity: self.severity.as_deref(),
            must: &self.must,
            must_not: &self.must_not,
            outcome: self.outcome.as_deref(),
        }
    }

    /// Fills what the file leaves open.
    pub(super) fn settle(&mut self, domain: &str) {
        let usual = format!("{TEST_USER}@{domain}");
        self.host.get_or_insert_with(|| format!("smtp.{domain}"));
        self.user.get_or_insert_with(|| usual.clone());
        self.from.get_or_insert(usual);
        self.to.get_or_insert_with(|| format!("recipient@{domain}"));
    }

    pub(super) fn judge(&self, kind: Kind) -> Result<(), (&'static str, String)> {
        if kind == Kind::Fault && self.first.is_none() {
            return Err(("first", "a fault needs the code of its cause".into()));
        }
        if kind == Kind::Healthy && (self.first.is_some() || self.owner.is_some()) {
            return Err(("first", "a healthy set-up has no cause".into()));
        }
        if self.owner.is_some() != self.first.is_some() {
            return Err(("owner", "the cause has an owner, and nothing else has".into()));
        }
        if !["starttls", "tls", "none"].contains(&self.mode.as_str()) {
            return Err(("mode", format!("{:?} is no mode", self.mode)));
        }
        let named = self.first.iter().chain(&self.must).find(|code| self.must_not.contains(code));
        if let Some(code) = named {
            return Err(("must_not", format!("{code} is also expected")));
        }
        Ok(())
    }
}
