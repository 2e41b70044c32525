//! Resend's HTTP interface: single messages and batches of 100 distinct ones, with idempotency keys.
//!
//! Batches ask for the permissive check, so that one bad address does not stop the rest; the answer then
//! lists the good ones without their places, which [`Resend::read_batch`] restores. No MIME. Built from the
//! published interface description and client library, never run live. The way in is [`Resend::new`].
//! Invariant: when the numbers of an answer do not add up, nobody counts as accepted.

mod wire;

use jiff::Timestamp;
use waxseal_proto::name::DomainName;

use crate::account::{
    AccountQuestion, AccountState, DomainState, Permission, Topic, Verification, Verified, missing,
    observed,
};
use crate::fault::{FaultKind, Said, ServiceFault};
use crate::http::{HttpRequest, HttpResponse};
use crate::json;
use crate::message::{InboxTls, Outgoing};
use crate::outcome::{Fate, ServiceMessageId, ServiceOutcome};
use crate::service::{
    Batch, BatchShape, Capabilities, DeliveryService, Field, FieldKind, Idempotency, Key,
    MessageIdHandling, MimeSupport, ServiceId, Settings, SettingsError, Unsendable, check_count,
    check_inbox_tls_is_default,
};

/// 40 MB in all.
const REQUEST_OCTETS_MAX: usize = 40_000_000;
const BATCH_MESSAGES_MAX: usize = 100;
/// Keys are kept for 24 hours.
const IDEMPOTENCY_S: u64 = 24 * 3_600;
/// Requests without one are reported to be refused.
const USER_AGENT: &str = concat!("waxseal/", env!("CARGO_PKG_VERSION"));

pub(crate) const FIELDS: &[Field] = &[Field::new("api-key", FieldKind::RequiredSecret)];

pub(crate) const CAPABILITIES: Capabilities = Capabilities {
    mime: MimeSupport::No,
    batch: BatchShape::ManyDistinct(BATCH_MESSAGES_MAX),
    idempotency: Idempotency::Key { kept_s: IDEMPOTENCY_S },
    message_id: MessageIdHandling::Replaced,
    inbox_tls_by_message: InboxTls::ServiceDefault,
    documentation: "https://resend.com/docs/api-reference/emails/send-email",
};

/// A connection with one key.
pub(crate) struct Resend {
    host: DomainName,
    key: Key,
}

impl Resend {
    /// Reads settings.
    pub(crate) fn new(settings: &Settings) -> Result<Self, SettingsError> {
        let host = DomainName::parse("api.resend.com").map_err(|_| SettingsError::Unknown)?;
        Ok(Self { host, key: settings.required_secret("api-key")? })
    }

    fn with_key(&self, request: HttpRequest) -> HttpRequest {
        let request = request.secret("Authorization", format!("Bearer {}", self.key.expose()));
        request.plain("User-Agent", USER_AGENT)
    }

    fn domains(&self) -> HttpRequest {
        self.with_key(json::get(&self.host, "/domains".to_string()))
    }

    fn post(&self, path: &str, body: Vec<u8>, key: Option<&str>) -> HttpRequest {
        let request = self.with_key(json::post(&self.host, path.to_string(), body));
        let request = request.plain("Content-Type", "application/json");
        match key {
            Some(key) => request.plain("Idempotency-Key", key),
            None => request,
        }
    }

    fn fault(&self, response: &HttpResponse, at: Timestamp) -> ServiceFault {
        let error: wire::Error = response.json().unwrap_or_default();
        self.judged(response, error.name.as_deref(), error.message.as_deref(), at)
    }

    fn judged(
        &self,
        response: &HttpResponse,
        name: Option<&str>,
        text: Option<&str>,
        at: Timestamp,
    ) -> ServiceFault {
        let words = text.unwrap_or_default().to_ascii_lowercase();
        let kind = if response.is_success() && name.is_none() {
            FaultKind::UnexpectedAnswer
        } else {
            kind_of(name.unwrap_or_default(), &words)
                .unwrap_or_else(|| FaultKind::of_status(response.status()))
        };
        let said = Said { code: name, field: None, text };
        ServiceFault::judged((ServiceId::Resend, kind), response, said, &[self.key.expose()], at)
    }
}

/// The kind of a documented error; `None` when only the status can tell.
fn kind_of(name: &str, text: &str) -> Option<FaultKind> {
    let says = |words: &str| text.contains(words);
    Some(match name {
        // One name for many things: the text decides.
        "validation_error" | "invalid_from_address" | "invalid_access" | "invalid_api_key"
            if says("domain is not verified") || says("domain is not registered") =>
        {
            FaultKind::SenderUnverified
        }
        "validation_error" if says("testing emails to your own") => FaultKind::Sandbox,
        "validation_error" if says("api key is invalid") => FaultKind::KeyInvalid,
        "missing_api_key" | "invalid_api_key" => FaultKind::KeyInvalid,
        "restricted_api_key" | "invalid_access" => FaultKind::KeyScope,
        "security_error" => FaultKind::AccountSuspended,
        "invalid_region" => FaultKind::RegionMismatch,
        "validation_error"
        | "missing_required_field"
        | "missing_required_fields"
        | "invalid_parameter"
        | "invalid_from_address"
        | "invalid_attachment"
        | "invalid_idempotency_key"
        | "not_found"
        | "method_not_allowed" => FaultKind::PayloadInvalid,
        "daily_quota_exceeded" | "monthly_quota_exceeded" => FaultKind::QuotaExceeded,
        "rate_limit_exceeded" => FaultKind::RateLimited,
        "invalid_idempotent_request" => FaultKind::IdempotencyConflict,
        "concurrent_idempotent_requests" => FaultKind::IdempotencyRunning,
        "application_error" | "internal_server_error" => FaultKind::ServiceError,
        _ => return None,
    })
}

impl DeliveryService for Resend {
    fn id(&self) -> ServiceId {
        ServiceId::Resend
    }

    fn host(&self) -> &DomainName {
        &self.host
    }

    fn verification(&self, _at: Timestamp) -> Verification {
        Verification::Request(self.domains())
    }

    fn read_verification(&self, response: &HttpResponse, at: Timestamp) -> Verified {
        if response.is_success() && response.json::<wire::Domains>().is_some() {
            return Verified::MaySend;
        }
        let fault = self.fault(response, at);
        // A key that may only send is told so, which shows that it is good.
        let is_sending_key =
            fault.code.as_ref().is_some_and(|code| code.as_str() == "restricted_api_key");
        if is_sending_key { Verified::MaySend } else { Verified::Refused(fault) }
    }

    fn account_questions(&self, _from_domain: &DomainName, _at: Timestamp) -> Vec<AccountQuestion> {
        vec![AccountQuestion { topic: Topic::Domain, request: self.domains() }]
    }

    fn read_account(
        &self,
        state: &mut AccountState,
        topic: Topic,
        response: &HttpResponse,
        from_domain: &DomainName,
    ) {
        match topic {
            Topic::Domain => {}
            Topic::Account | Topic::Credits | Topic::InboxTls => return,
        }
        let domains: Option<wire::Domains> = response.json().filter(|_| response.is_success());
        if domains.is_some() {
            state.permission = observed(Some(Permission::MaySend), missing(true));
        }
        state.domain = observed(domains, missing(response.is_success())).map(|domains| {
            let is_verified = |each: &wire::Domain| {
                each.status == "verified" && each.name.eq_ignore_ascii_case(from_domain.as_str())
            };
            if domains.data.iter().any(is_verified) {
                DomainState::Verified
            } else {
                DomainState::Unverified
            }
        });
    }

    fn send_one(&self, message: &Outgoing, _at: Timestamp) -> Result<HttpRequest, Unsendable> {
        check_inbox_tls_is_default(std::slice::from_ref(message))?;
        let body = json::body(&wire::Email::new(message), REQUEST_OCTETS_MAX)?;
        Ok(self.post("/emails", body, message.idempotency_key()))
    }

    fn send_batch(&self, batch: Batch<'_>, _at: Timestamp) -> Result<HttpRequest, Unsendable> {
        check_count(batch.messages, BATCH_MESSAGES_MAX)?;
        check_inbox_tls_is_default(batch.messages)?;
        let emails: Vec<_> = batch.messages.iter().map(wire::Email::new).collect();
        let body = json::body(&emails, REQUEST_OCTETS_MAX)?;
        let key = batch.idempotency_key.map(crate::message::IdempotencyKey::as_str);
        Ok(self.post("/emails/batch", body, key).plain("x-batch-validation", "permissive"))
    }

    fn read_one(
        &self,
        message: &Outgoing,
        response: &HttpResponse,
        at: Timestamp,
    ) -> ServiceOutcome {
        let messages = std::slice::from_ref(message);
        let sent: Option<wire::Sent> = response.json().filter(|_| response.is_success());
        match sent.and_then(|sent| ServiceMessageId::read(&sent.id, &[self.key.expose()])) {
            Some(id) => {
                ServiceOutcome::each(messages, None, |_| Fate::Accepted { id: Some(id.clone()) })
            }
            None => ServiceOutcome::of_fault(messages, self.fault(response, at)),
        }
    }

    fn read_batch(
        &self,
        messages: &[Outgoing],
        response: &HttpResponse,
        at: Timestamp,
    ) -> ServiceOutcome {
        let sent: Option<wire::SentBatch> = response.json().filter(|_| response.is_success());
        let Some(sent) = sent else {
            return ServiceOutcome::failed(messages, self.fault(response, at));
        };
        let error_at = |place: usize| sent.errors.iter().find(|error| error.index == place);
        let failed = (0..messages.len()).filter(|place| error_at(*place).is_some()).count();
        if failed + sent.data.len() != messages.len() {
            return ServiceOutcome::failed(messages, self.judged(response, None, None, at));
        }
        let mut ids =
            sent.data.iter().map(|sent| ServiceMessageId::read(&sent.id, &[self.key.expose()]));
        ServiceOutcome::each(messages, None, |place| match error_at(place) {
            Some(error) => Fate::Rejected(self.judged(
                response,
                Some("validation_error"),
                error.message.as_deref(),
                at,
            )),
            None => match ids.next().flatten() {
                Some(id) => Fate::Accepted { id: Some(id) },
                None => Fate::Unknown,
            },
        })
    }
}
