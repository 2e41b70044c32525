//! The `[api]` part of a scenario (path A over a service's own interface): what a client is set to, the message,
//! and what must become of it. The lab says what to try as plain data and tries nothing itself.
//! The way in: [`ApiAttempt`]. Names of settings are those of the product.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::Kind;
use crate::delivery_service::{ServiceBehaviour, ServiceName, USUAL_KEY_ID};
use crate::expectation::ExpectedAttempt;

/// What a client is set to, the message, and what is expected.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ApiAttempt {
    /// The service; default that of the first `[[service]]`.
    pub service: Option<ServiceName>,
    /// Settings that may be shown; what is left out is right.
    pub settings: BTreeMap<String, String>,
    /// Secret settings; what is left out is right.
    pub secrets: BTreeMap<String, String>,
    /// What is done.
    pub action: ApiAction,
    /// How often it is done; the last time is judged.
    pub times: u8,
    /// The message.
    pub message: ApiMessage,
    /// The same from the second time on; default the first message again.
    pub then: Option<ApiMessage>,
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

impl Default for ApiAttempt {
    fn default() -> Self {
        Self {
            service: None,
            settings: BTreeMap::new(),
            secrets: BTreeMap::new(),
            action: ApiAction::Send,
            times: 1,
            message: ApiMessage::default(),
            then: None,
            first: None,
            owner: None,
            severity: None,
            must: Vec::new(),
            must_not: Vec::new(),
            outcome: None,
        }
    }
}

/// What is done with a connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ApiAction {
    /// One message is sent.
    #[default]
    Send,
    /// The service is asked whether key and settings are right, and for the state of the account.
    Verify,
}

/// A message as plain texts.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ApiMessage {
    /// From, without name; default `news@{domain}`.
    pub from: Option<String>,
    /// The name beside it.
    pub from_name: String,
    /// To; default `anna@example.net`.
    pub to: String,
    /// Reply-To; empty for none.
    pub reply_to: String,
    /// Subject.
    pub subject: String,
    /// The text.
    pub text: String,
    /// The same in HTML; empty for none.
    pub html: String,
    /// Further header fields.
    pub headers: BTreeMap<String, String>,
    /// Our own name for the message, which events bring back.
    pub reference: String,
    /// The key by which a repetition is recognised; empty for none.
    pub idempotency_key: String,
}

impl Default for ApiMessage {
    fn default() -> Self {
        Self {
            from: None,
            from_name: "Example News".into(),
            to: "anna@example.net".into(),
            reply_to: String::new(),
            subject: "A test message".into(),
            text: "This is a test.\n".into(),
            html: "<p>This is a test.</p>\n".into(),
            headers: BTreeMap::new(),
            reference: "lab-1".into(),
            idempotency_key: String::new(),
        }
    }
}

impl ApiMessage {
    /// From, without name.
    pub fn from(&self) -> &str {
        self.from.as_deref().unwrap_or_default()
    }
}

impl ApiAttempt {
    /// The service; present once the scenario was read.
    pub fn service(&self) -> Option<ServiceName> {
        self.service
    }

    /// What is expected of it.
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

    /// Fills what the file leaves open, so that it fits the account of the service.
    pub(super) fn settle(&mut self, domain: &str, services: &[ServiceBehaviour]) {
        let service = match self.service {
            Some(service) => service,
            None => match services.first() {
                Some(first) => *self.service.insert(first.service),
                None => return,
            },
        };
        let account = services.iter().find(|each| each.service == service);
        let set = |settings: &mut BTreeMap<String, String>, name: &str, value: &str| {
            settings.entry(name.to_owned()).or_insert_with(|| value.to_owned());
        };
        let usual_region = service.regions().first().copied().unwrap_or_default();
        let region = account.and_then(|account| account.region.as_deref()).unwrap_or(usual_region);
        let key = account.and_then(|account| account.key.as_deref());
        let key = key.unwrap_or(service.usual_key());
        let secret = match service {
            ServiceName::AmazonSes => {
                let id = account.and_then(|account| account.key_id.as_deref());
                set(&mut self.settings, "region", region);
                set(&mut self.settings, "access-key-id", id.unwrap_or(USUAL_KEY_ID));
                if let Some(token) = account.and_then(|account| account.session_token.as_deref()) {
                    set(&mut self.secrets, "session-token", token);
                }
                "secret-access-key"
            }
            ServiceName::Mailgun => {
                set(&mut self.settings, "domain", domain);
                set(&mut self.settings, "region", region);
                "api-key"
            }
            ServiceName::Sendgrid => {
                set(&mut self.settings, "region", region);
                "api-key"
            }
            ServiceName::Postmark => "server-token",
            ServiceName::Brevo | ServiceName::Resend => "api-key",
        };
        set(&mut self.secrets, secret, key);
        // A setting that a scenario leaves empty is left out.
        self.secrets.retain(|_, value| !value.is_empty());
        self.settings.retain(|_, value| !value.is_empty());
        for message in std::iter::once(&mut self.message).chain(&mut self.then) {
            message.from.get_or_insert_with(|| format!("news@{domain}"));
        }
    }

    pub(super) fn judge(&self, kind: Kind) -> Result<(), (&'static str, String)> {
        if self.service.is_none() {
            return Err(("service", "there is neither a service here nor a [[service]]".into()));
        }
        if kind == Kind::Fault && self.first.is_none() {
            return Err(("first", "a fault needs the code of its cause".into()));
        }
        if self.owner.is_some() != self.first.is_some() {
            return Err(("owner", "the cause has an owner, and nothing else has".into()));
        }
        if self.times == 0 {
            return Err(("times", "nothing would be done".into()));
        }
        let named = self.first.iter().chain(&self.must).find(|code| self.must_not.contains(code));
        if let Some(code) = named {
            return Err(("must_not", format!("{code} is also expected")));
        }
        Ok(())
    }
}
