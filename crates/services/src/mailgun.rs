//! Mailgun's HTTP interface: one body for up to 1,000 recipients, or a message in MIME form.
//!
//! The only one of our services that takes a TLS policy with each message. One id comes back for the whole
//! call; events find their message by `v:waxseal-reference`. No idempotency key. Built from documentation and
//! its client library, never run live. The way in is [`Mailgun::new`].
//! Invariant: a success is JSON with an `id`, since a wrong path answers 200 with a greeting.

mod wire;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use waxseal_proto::name::DomainName;

use crate::account::{
    AccountQuestion, AccountState, DomainState, Sending, Stage, Topic, Verification, Verified,
    missing, observed,
};
use crate::fault::{FaultKind, Said, ServiceFault};
use crate::form::Form;
use crate::http::{HttpRequest, HttpResponse};
use crate::json::{self, Map};
use crate::message::{InboxTls, Outgoing};
use crate::outcome::{Fate, ServiceMessageId, ServiceOutcome};
use crate::second_path::InboxPolicy;
use crate::service::{
    Batch, BatchShape, Capabilities, DeliveryService, Field, FieldKind, Idempotency, Key,
    MessageIdHandling, MimeSupport, ServiceId, Settings, SettingsError, Unsendable, check_count,
};

/// 25 MB for each message.
const REQUEST_OCTETS_MAX: usize = 25_000_000;
const BATCH_MESSAGES_MAX: usize = 1_000;
const REGIONS: &[(&str, &str)] = &[("us", "api.mailgun.net"), ("eu", "api.eu.mailgun.net")];
/// What begins a placeholder, to be replaced for each recipient.
const PLACEHOLDER: &str = "%recipient";

pub(crate) const FIELDS: &[Field] = &[
    Field::new("domain", FieldKind::Required),
    Field::new("api-key", FieldKind::RequiredSecret),
    Field { name: "region", kind: FieldKind::Optional, choices: &["us", "eu"] },
    Field {
        name: "inbox-tls",
        kind: FieldKind::Optional,
        choices: &["service-default", "require", "require-verified"],
    },
];

/// What a connection insists on towards inboxes where the message says nothing.
const INBOX_TLS: &[(&str, InboxTls)] = &[
    ("service-default", InboxTls::ServiceDefault),
    ("require", InboxTls::Require),
    ("require-verified", InboxTls::RequireVerified),
];

pub(crate) const CAPABILITIES: Capabilities = Capabilities {
    mime: MimeSupport::Accepted,
    batch: BatchShape::ManyPersonalised(BATCH_MESSAGES_MAX),
    idempotency: Idempotency::None,
    message_id: MessageIdHandling::Kept,
    inbox_tls_by_message: InboxTls::RequireVerified,
    documentation: "https://documentation.mailgun.com/docs/mailgun/api-reference/send/mailgun/messages",
};

/// A connection for one sending domain.
pub(crate) struct Mailgun {
    host: DomainName,
    domain: DomainName,
    key: Key,
    inbox_tls: InboxTls,
}

impl Mailgun {
    /// Reads settings.
    pub(crate) fn new(settings: &Settings) -> Result<Self, SettingsError> {
        let host = settings.choice("region", REGIONS)?;
        let host = DomainName::parse(host).map_err(|_| SettingsError::Invalid("region"))?;
        let domain = DomainName::parse(settings.required("domain")?);
        Ok(Self {
            host,
            domain: domain.map_err(|_| SettingsError::Invalid("domain"))?,
            key: settings.required_secret("api-key")?,
            inbox_tls: settings.choice("inbox-tls", INBOX_TLS)?,
        })
    }

    /// RFC 7617 §2, with the user name `api`.
    fn credentials(&self) -> String {
        STANDARD.encode(format!("api:{}", self.key.expose()))
    }

    fn with_key(&self, request: HttpRequest) -> HttpRequest {
        request.secret("Authorization", format!("Basic {}", self.credentials()))
    }

    fn domain_request(&self) -> HttpRequest {
        self.with_key(json::get(&self.host, format!("/v4/domains/{}", self.domain.as_str())))
    }

    /// What is insisted on for a message: the stronger of its own word and the connection's.
    fn inbox_tls(&self, message: &Outgoing) -> InboxTls {
        match (message.inbox_tls(), self.inbox_tls) {
            (InboxTls::RequireVerified, _) | (_, InboxTls::RequireVerified) => {
                InboxTls::RequireVerified
            }
            (InboxTls::Require, _) | (_, InboxTls::Require) => InboxTls::Require,
            (InboxTls::ServiceDefault, InboxTls::ServiceDefault) => InboxTls::ServiceDefault,
        }
    }

    fn post(&self, path: &str, form: Form) -> Result<HttpRequest, Unsendable> {
        let (content_type, body) = form.finish();
        if body.len() > REQUEST_OCTETS_MAX {
            return Err(Unsendable::TooLarge { max_octets: REQUEST_OCTETS_MAX });
        }
        let path = format!("/v3/{}/{path}", self.domain.as_str());
        let request = self.with_key(json::post(&self.host, path, body));
        Ok(request.plain("Content-Type", content_type))
    }

    fn read(
        &self,
        messages: &[Outgoing],
        response: &HttpResponse,
        at: Timestamp,
    ) -> ServiceOutcome {
        let said: Option<wire::Said> = response.json().filter(|_| response.is_success());
        match said
            .and_then(|said| said.id)
            .as_deref()
            .and_then(|id| ServiceMessageId::read(id, &[self.key.expose()]))
        {
            Some(id) => {
                ServiceOutcome::each(messages, None, |_| Fate::Accepted { id: Some(id.clone()) })
            }
            None => ServiceOutcome::of_fault(messages, self.fault(response, at)),
        }
    }

    fn fault(&self, response: &HttpResponse, at: Timestamp) -> ServiceFault {
        let said: wire::Said = response.json().unwrap_or_default();
        // A refused key is answered with the bare word `Forbidden`.
        let bare = std::str::from_utf8(response.body()).unwrap_or_default();
        let text = said.message.as_deref().unwrap_or(bare);
        let kind = if response.is_success() {
            FaultKind::UnexpectedAnswer
        } else {
            kind_of(response.status(), &text.to_ascii_lowercase())
        };
        let credentials = self.credentials();
        let secrets = [self.key.expose().as_str(), credentials.as_str()];
        let said = Said { code: None, field: None, text: Some(text) };
        ServiceFault::judged((ServiceId::Mailgun, kind), response, said, &secrets, at)
    }
}

/// The kind: 403 stands for many things, and the text tells which.
fn kind_of(status: u16, text: &str) -> FaultKind {
    let says = |words: &str| text.contains(words);
    match status {
        400 | 401 | 403 if says("test purposes only") || says("authorized recipients") => {
            FaultKind::Sandbox
        }
        400 | 401 | 403 if says("unverified") => FaultKind::SenderUnverified,
        400 | 401 | 403 if says("activate your") || says("disabled") || says("suspended") => {
            FaultKind::AccountSuspended
        }
        400 | 403 | 420 | 429 if says("limit exceeded") || says("quota") => {
            FaultKind::QuotaExceeded
        }
        401 | 403 if says("whitelist") || says("allowlist") => FaultKind::CallerAddressRefused,
        404 if says("domain not found") => FaultKind::RegionMismatch,
        404 => FaultKind::SettingUnknown,
        _ => FaultKind::of_status(status),
    }
}

/// What may be insisted on towards inboxes, and the id that events carry.
fn options(form: Form, tls: InboxTls, reference: &str) -> Form {
    let form = match tls {
        InboxTls::ServiceDefault => form,
        // Verification is left as the domain has it, never switched off.
        InboxTls::Require => form.field("o:require-tls", "yes"),
        InboxTls::RequireVerified => {
            form.field("o:require-tls", "yes").field("o:skip-verification", "no")
        }
    };
    form.field("v:waxseal-reference", reference)
}

fn one(message: &Outgoing, tls: InboxTls) -> Form {
    let form = Form::default().field("to", message.to().to_header());
    if let Some(mime) = message.mime() {
        return options(form.file("message", "message.mime", mime), tls, message.reference());
    }
    let form = fields(form, message, message.subject());
    let form =
        message.headers().fold(form, |form, (name, value)| form.field(format!("h:{name}"), value));
    let form = match message.message_id() {
        Some(id) => form.field("h:Message-Id", id),
        None => form,
    };
    options(form, tls, message.reference())
}

/// What a single message and a batch have in common.
fn fields(form: Form, message: &Outgoing, subject: &str) -> Form {
    let form = form.field("from", message.from().to_header()).field("subject", subject);
    let text = message.content().text().map(|text| ("text", text));
    let html = message.content().html().map(|html| ("html", html));
    let form =
        text.into_iter().chain(html).fold(form, |form, (name, value)| form.field(name, value));
    match message.reply_to() {
        Some(reply_to) => form.field("h:Reply-To", reply_to.to_header()),
        None => form,
    }
}

/// One body for all; what differs becomes variables of each recipient.
fn many(messages: &[Outgoing], tls: impl Fn(&Outgoing) -> InboxTls) -> Result<Form, Unsendable> {
    let first = messages.first().ok_or(Unsendable::Count)?;
    check_alike(messages, first)?;
    let form = messages
        .iter()
        .fold(Form::default(), |form, message| form.field("to", message.to().to_header()));
    let form = fields(form, first, "%recipient.subject%");
    let form = first.headers().enumerate().fold(form, |form, (place, (name, _))| {
        form.field(format!("h:{name}"), format!("%recipient.header{place}%"))
    });
    let form = options(form, tls(first), "%recipient.reference%");
    let names: Vec<String> =
        (0..first.headers().len()).map(|place| format!("header{place}")).collect();
    let variables = messages.iter().map(|message| {
        let own = [("subject", message.subject()), ("reference", message.reference())];
        let headers =
            names.iter().zip(message.headers()).map(|(name, (_, value))| (name.as_str(), value));
        (message.to().address().as_str(), Map(own.into_iter().chain(headers).collect()))
    });
    let variables = json::body(&wire::Variables(variables.collect()), REQUEST_OCTETS_MAX)?;
    Ok(form.field("recipient-variables", variables))
}

fn check_alike(messages: &[Outgoing], first: &Outgoing) -> Result<(), Unsendable> {
    let mut seen = std::collections::BTreeSet::new();
    for message in messages {
        if message.from() != first.from() || message.reply_to() != first.reply_to() {
            return Err(Unsendable::Differ("from or reply-to"));
        }
        if message.content() != first.content() || message.mime().is_some() {
            return Err(Unsendable::Differ("bodies"));
        }
        if message.inbox_tls() != first.inbox_tls() {
            return Err(Unsendable::Differ("tls towards the inbox"));
        }
        if !message.headers().map(|(name, _)| name).eq(first.headers().map(|(name, _)| name)) {
            return Err(Unsendable::Differ("header names"));
        }
        if !seen.insert(message.to().address().as_str().to_ascii_lowercase()) {
            return Err(Unsendable::RecipientTwice);
        }
        let values = message.headers().map(|(_, value)| value);
        let texts = [Some(message.subject()), message.content().text(), message.content().html()];
        if texts.into_iter().flatten().chain(values).any(|text| text.contains(PLACEHOLDER)) {
            return Err(Unsendable::Placeholder);
        }
    }
    Ok(())
}

impl DeliveryService for Mailgun {
    fn id(&self) -> ServiceId {
        ServiceId::Mailgun
    }

    fn host(&self) -> &DomainName {
        &self.host
    }

    fn verification(&self, _at: Timestamp) -> Verification {
        Verification::Request(self.domain_request())
    }

    fn read_verification(&self, response: &HttpResponse, at: Timestamp) -> Verified {
        if response.is_success() && response.json::<wire::DomainAnswer>().is_some() {
            return Verified::KeyAccepted;
        }
        let fault = self.fault(response, at);
        match fault.kind {
            // A domain sending key, the least that is needed, gets the same refusal as a wrong key.
            FaultKind::KeyInvalid | FaultKind::KeyScope => Verified::OnlyTestSend(fault),
            FaultKind::AccountSuspended
            | FaultKind::CallerAddressRefused
            | FaultKind::ClockWrong
            | FaultKind::IdempotencyConflict
            | FaultKind::IdempotencyRunning
            | FaultKind::PayloadInvalid
            | FaultKind::PayloadTooLarge
            | FaultKind::ProxyAuth
            | FaultKind::QuotaExceeded
            | FaultKind::RateLimited
            | FaultKind::RecipientSuppressed
            | FaultKind::RegionMismatch
            | FaultKind::Sandbox
            | FaultKind::SenderUnverified
            | FaultKind::ServiceError
            | FaultKind::SettingUnknown
            | FaultKind::UnexpectedAnswer => Verified::Refused(fault),
        }
    }

    fn account_questions(&self, _from_domain: &DomainName, _at: Timestamp) -> Vec<AccountQuestion> {
        vec![AccountQuestion { topic: Topic::Domain, request: self.domain_request() }]
    }

    fn read_account(
        &self,
        state: &mut AccountState,
        topic: Topic,
        response: &HttpResponse,
        _from_domain: &DomainName,
    ) {
        match topic {
            Topic::Domain => {}
            Topic::Account | Topic::Credits | Topic::InboxTls => return,
        }
        let reason = missing(response.is_success());
        let answer: Option<wire::DomainAnswer> = response.json().filter(|_| response.is_success());
        let domain = observed(answer.map(|answer| answer.domain), reason);
        state.sending = domain.clone().map(|domain| {
            if domain.state == "disabled" { Sending::Stopped } else { Sending::Enabled }
        });
        state.domain = domain.clone().map(|domain| {
            if domain.state == "active" { DomainState::Verified } else { DomainState::Unverified }
        });
        state.stage = domain.clone().map(|domain| {
            if domain.kind == "sandbox" { Stage::Sandbox } else { Stage::Production }
        });
        state.inbox_tls =
            domain.map(|domain| match (domain.require_tls, domain.skip_verification) {
                (true, false) => InboxPolicy::RequiredVerified,
                (true, true) => InboxPolicy::Required,
                (false, true | false) => InboxPolicy::Opportunistic,
            });
    }

    fn send_one(&self, message: &Outgoing, _at: Timestamp) -> Result<HttpRequest, Unsendable> {
        let path = if message.mime().is_some() { "messages.mime" } else { "messages" };
        self.post(path, one(message, self.inbox_tls(message)))
    }

    fn send_batch(&self, batch: Batch<'_>, _at: Timestamp) -> Result<HttpRequest, Unsendable> {
        check_count(batch.messages, BATCH_MESSAGES_MAX)?;
        self.post("messages", many(batch.messages, |message| self.inbox_tls(message))?)
    }

    fn read_one(
        &self,
        message: &Outgoing,
        response: &HttpResponse,
        at: Timestamp,
    ) -> ServiceOutcome {
        self.read(std::slice::from_ref(message), response, at)
    }

    fn read_batch(
        &self,
        messages: &[Outgoing],
        response: &HttpResponse,
        at: Timestamp,
    ) -> ServiceOutcome {
        self.read(messages, response, at)
    }
}
