//! What every delivery service offers to the rest of the product, whatever its HTTP interface looks like
//! (RFC 9110 §9 for what its requests may be repeated for).
//!
//! The ways in are [`ServiceId`] and [`connect`], which turns settings and keys into a
//! [`DeliveryService`]; that one builds requests and reads answers. Invariants: a request goes to a host that
//! only constants and parsed settings make up, and one outcome entry comes back for each message.

use std::collections::BTreeMap;

use jiff::Timestamp;
use waxseal_proto::name::DomainName;
use waxseal_proto::secret::Secret;

use crate::account::{AccountQuestion, AccountState, Topic, Verification, Verified};
use crate::http::{HttpRequest, HttpResponse};
use crate::limits::{KEY_OCTETS_MAX, SETTING_OCTETS_MAX};
use crate::message::{IdempotencyKey, InboxTls, Outgoing};
use crate::outcome::ServiceOutcome;
use crate::second_path::SecondPath;
use crate::{amazon_ses, brevo, mailgun, postmark, resend, sendgrid};

/// A service with a built-in HTTP connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ServiceId {
    /// Amazon SES, version 2 of its interface.
    AmazonSes,
    /// Brevo.
    Brevo,
    /// Mailgun.
    Mailgun,
    /// Postmark.
    Postmark,
    /// Resend.
    Resend,
    /// Twilio SendGrid.
    SendGrid,
}

impl ServiceId {
    /// Every service.
    pub const ALL: [Self; 6] =
        [Self::AmazonSes, Self::Brevo, Self::Mailgun, Self::Postmark, Self::Resend, Self::SendGrid];

    /// The key in settings and output; also the name of the preset of its SMTP side.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AmazonSes => "amazon-ses",
            Self::Brevo => "brevo",
            Self::Mailgun => "mailgun",
            Self::Postmark => "postmark",
            Self::Resend => "resend",
            Self::SendGrid => "sendgrid",
        }
    }

    /// The service of that key.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|id| id.as_str() == word)
    }

    /// What a connection to it needs, in the order in which to ask.
    pub const fn fields(self) -> &'static [Field] {
        match self {
            Self::AmazonSes => amazon_ses::FIELDS,
            Self::Brevo => brevo::FIELDS,
            Self::Mailgun => mailgun::FIELDS,
            Self::Postmark => postmark::FIELDS,
            Self::Resend => resend::FIELDS,
            Self::SendGrid => sendgrid::FIELDS,
        }
    }

    /// What it can do.
    pub const fn capabilities(self) -> Capabilities {
        match self {
            Self::AmazonSes => amazon_ses::CAPABILITIES,
            Self::Brevo => brevo::CAPABILITIES,
            Self::Mailgun => mailgun::CAPABILITIES,
            Self::Postmark => postmark::CAPABILITIES,
            Self::Resend => resend::CAPABILITIES,
            Self::SendGrid => sendgrid::CAPABILITIES,
        }
    }

    /// The host of its interface; where there are regions, that of the first one.
    pub const fn api_host(self) -> &'static str {
        match self {
            Self::AmazonSes => "email.us-east-1.amazonaws.com",
            Self::Brevo => "api.brevo.com",
            Self::Mailgun => "api.mailgun.net",
            Self::Postmark => "api.postmarkapp.com",
            Self::Resend => "api.resend.com",
            Self::SendGrid => "api.sendgrid.com",
        }
    }

    /// What it can say or insist on towards inboxes.
    pub const fn second_path(self) -> SecondPath {
        crate::second_path::of(self)
    }
}

/// Whether a field must be filled in, and how it is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldKind {
    /// A setting that may be left out.
    Optional,
    /// A secret that may be left out.
    OptionalSecret,
    /// A setting.
    Required,
    /// A secret: stored sealed, never shown again.
    RequiredSecret,
}

/// One thing that a connection needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its key in settings.
    pub name: &'static str,
    /// Whether it is needed and secret.
    pub kind: FieldKind,
    /// The only values it may have; empty when it is free.
    pub choices: &'static [&'static str],
}

impl Field {
    pub(crate) const fn new(name: &'static str, kind: FieldKind) -> Self {
        Self { name, kind, choices: &[] }
    }

    /// Whether its value is stored sealed.
    pub const fn is_secret(&self) -> bool {
        matches!(self.kind, FieldKind::OptionalSecret | FieldKind::RequiredSecret)
    }
}

/// How several messages fit into one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BatchShape {
    /// One message for each call.
    One,
    /// So many messages with nothing in common but the account.
    ManyDistinct(usize),
    /// So many messages with the same author and bodies.
    ManyPersonalised(usize),
}

/// What becomes of our Message-ID.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageIdHandling {
    /// It is kept.
    Kept,
    /// It is replaced by the service's own, or not sent.
    Replaced,
}

/// How a repeated request is recognised, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Idempotency {
    /// By a key, for so many seconds.
    Key {
        /// How long.
        kept_s: u64,
    },
    /// Not at all: a repetition sends twice.
    None,
}

/// What a service can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// Whether it takes a message in MIME form.
    pub mime: MimeSupport,
    /// How several messages fit into one call.
    pub batch: BatchShape,
    /// How it recognises a repetition.
    pub idempotency: Idempotency,
    /// What becomes of our Message-ID.
    pub message_id: MessageIdHandling,
    /// What can be insisted on for a single message, at most.
    pub inbox_tls_by_message: InboxTls,
    /// The page that documents sending.
    pub documentation: &'static str,
}

/// Whether a service takes a message in MIME form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MimeSupport {
    /// It takes it.
    Accepted,
    /// It writes MIME itself.
    No,
}

/// Why settings do not make a connection. Names fields, never values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// Something needed is missing.
    #[error("setting '{0}' is missing")]
    Missing(&'static str),
    /// The value is none that the field may have.
    #[error("setting '{0}' has a value that is not allowed")]
    Invalid(&'static str),
    /// A key that no field has.
    #[error("setting that this service does not know")]
    Unknown,
}

/// Why a request cannot be built: our message does not fit this service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unsendable {
    /// No message, or more than the service takes in one call.
    #[error("number of messages does not fit one call")]
    Count,
    /// The messages of a call differ in something that this service shares among them.
    #[error("messages of one call differ in {0}")]
    Differ(&'static str),
    /// The service takes no message without an HTML body.
    #[error("this service needs an html body")]
    HtmlNeeded,
    /// One call would hold the same recipient twice.
    #[error("the same recipient twice in one call")]
    RecipientTwice,
    /// The service cannot insist on this for one message; it is a setting of the account or domain.
    #[error("this service cannot require tls towards the inbox for a single message")]
    InboxTls,
    /// A body holds what this service would replace.
    #[error("body holds a placeholder of this service")]
    Placeholder,
    /// The request would be larger than the service takes.
    #[error("request larger than the {max_octets} octets that this service takes")]
    TooLarge {
        /// The service's limit.
        max_octets: usize,
    },
    /// The message could not be written as JSON.
    #[error("message cannot be written as json")]
    Encoding,
}

/// Messages for one call, with the key by which the call is recognised when repeated.
#[derive(Clone, Copy, Debug)]
pub struct Batch<'a> {
    /// The messages.
    pub messages: &'a [Outgoing],
    /// The key of the call.
    pub idempotency_key: Option<&'a IdempotencyKey>,
}

/// A connection to a delivery service: builds requests, reads answers, does nothing itself.
pub trait DeliveryService: Send + Sync {
    /// Which service.
    fn id(&self) -> ServiceId;

    /// The host that every request goes to.
    fn host(&self) -> &DomainName;

    /// How to find out without sending whether the settings are right.
    fn verification(&self, at: Timestamp) -> Verification;

    /// What the answer to that request showed.
    fn read_verification(&self, response: &HttpResponse, at: Timestamp) -> Verified;

    /// What can be asked about the account. `from_domain` is the domain of the connection's sender.
    fn account_questions(&self, from_domain: &DomainName, at: Timestamp) -> Vec<AccountQuestion>;

    /// Writes what an answer says into `state`.
    fn read_account(
        &self,
        state: &mut AccountState,
        topic: Topic,
        response: &HttpResponse,
        from_domain: &DomainName,
    );

    /// The request that sends one message.
    ///
    /// # Errors
    ///
    /// [`Unsendable`] when the message does not fit this service.
    fn send_one(&self, message: &Outgoing, at: Timestamp) -> Result<HttpRequest, Unsendable>;

    /// The request that sends several messages in one call.
    ///
    /// # Errors
    ///
    /// [`Unsendable`] when they do not fit one call of this service.
    fn send_batch(&self, batch: Batch<'_>, at: Timestamp) -> Result<HttpRequest, Unsendable>;

    /// What the answer to [`Self::send_one`] says about `message`.
    fn read_one(
        &self,
        message: &Outgoing,
        response: &HttpResponse,
        at: Timestamp,
    ) -> ServiceOutcome;

    /// What the answer to [`Self::send_batch`] says about each of `messages`.
    fn read_batch(
        &self,
        messages: &[Outgoing],
        response: &HttpResponse,
        at: Timestamp,
    ) -> ServiceOutcome;
}

/// Plain settings and secrets of a connection, by field name.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// What may be shown.
    pub plain: BTreeMap<String, String>,
    /// What may not.
    pub secret: BTreeMap<String, Secret<String>>,
}

/// Makes a connection from settings.
///
/// # Errors
///
/// [`SettingsError`] names the first field that is missing or wrong, or says that one is unknown.
pub fn connect(
    service: ServiceId,
    settings: &Settings,
) -> Result<Box<dyn DeliveryService>, SettingsError> {
    let known = |name: &String, secret: bool| {
        service.fields().iter().any(|field| field.name == name && field.is_secret() == secret)
    };
    let plain_known = settings.plain.keys().all(|name| known(name, false));
    if !plain_known || !settings.secret.keys().all(|name| known(name, true)) {
        return Err(SettingsError::Unknown);
    }
    Ok(match service {
        ServiceId::AmazonSes => Box::new(amazon_ses::AmazonSes::new(settings)?),
        ServiceId::Brevo => Box::new(brevo::Brevo::new(settings)?),
        ServiceId::Mailgun => Box::new(mailgun::Mailgun::new(settings)?),
        ServiceId::Postmark => Box::new(postmark::Postmark::new(settings)?),
        ServiceId::Resend => Box::new(resend::Resend::new(settings)?),
        ServiceId::SendGrid => Box::new(sendgrid::SendGrid::new(settings)?),
    })
}

impl Settings {
    /// A setting that may be left out; an empty one counts as left out.
    pub(crate) fn optional(&self, name: &'static str) -> Result<Option<&str>, SettingsError> {
        let value = self.plain.get(name).map(String::as_str).filter(|value| !value.is_empty());
        match value {
            Some(value)
                if value.len() > SETTING_OCTETS_MAX
                    || !value.bytes().all(|each| each.is_ascii_graphic()) =>
            {
                Err(SettingsError::Invalid(name))
            }
            value => Ok(value),
        }
    }

    pub(crate) fn required(&self, name: &'static str) -> Result<&str, SettingsError> {
        self.optional(name)?.ok_or(SettingsError::Missing(name))
    }

    /// A secret that may be left out. Visible ASCII, so that no header can be broken with it.
    pub(crate) fn optional_secret(&self, name: &'static str) -> Result<Option<Key>, SettingsError> {
        let secret = self.secret.get(name).filter(|secret| !secret.expose().is_empty());
        match secret {
            Some(secret)
                if secret.expose().len() > KEY_OCTETS_MAX
                    || !secret.expose().bytes().all(|each| each.is_ascii_graphic()) =>
            {
                Err(SettingsError::Invalid(name))
            }
            secret => Ok(secret.cloned()),
        }
    }

    pub(crate) fn required_secret(&self, name: &'static str) -> Result<Key, SettingsError> {
        self.optional_secret(name)?.ok_or(SettingsError::Missing(name))
    }

    /// One of a few words; the first when it is left out.
    pub(crate) fn choice<T: Copy>(
        &self,
        name: &'static str,
        choices: &[(&str, T)],
    ) -> Result<T, SettingsError> {
        let chosen = match self.optional(name)? {
            None => choices.first(),
            Some(word) => choices.iter().find(|(each, _)| *each == word),
        };
        chosen.map(|(_, value)| *value).ok_or(SettingsError::Invalid(name))
    }
}

/// A key of visible ASCII.
pub(crate) type Key = Secret<String>;

/// Checks how many messages there are.
pub(crate) fn check_count(messages: &[Outgoing], max: usize) -> Result<(), Unsendable> {
    let max = max.min(crate::limits::BATCH_MESSAGES_MAX);
    if (1..=max).contains(&messages.len()) { Ok(()) } else { Err(Unsendable::Count) }
}

/// Refuses a message that asks for something that can only be set elsewhere.
pub(crate) fn check_inbox_tls_is_default(messages: &[Outgoing]) -> Result<(), Unsendable> {
    let default = |message: &Outgoing| message.inbox_tls() == InboxTls::ServiceDefault;
    if messages.iter().all(default) { Ok(()) } else { Err(Unsendable::InboxTls) }
}
