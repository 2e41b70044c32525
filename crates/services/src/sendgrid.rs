//! Twilio SendGrid's HTTP interface, version 3: up to 1,000 recipients of one content in each call.
//!
//! One id comes back in a header for the whole call; events find their message by `custom_args`. No MIME, no
//! idempotency key; TLS towards inboxes is a setting of the account. Built from the published interface
//! description and documentation, never run live. The way in is [`SendGrid::new`].
//! Invariant: only 202 means queued, since 200 is the answer of its test mode.

mod wire;

use jiff::Timestamp;
use waxseal_proto::name::DomainName;
use waxseal_proto::observation::Observation;

use crate::account::{
    AccountQuestion, AccountState, DomainState, Permission, Quota, QuotaUnit, Topic, Verification,
    Verified, missing, observed,
};
use crate::fault::{FaultKind, Said, ServiceFault};
use crate::http::{HttpRequest, HttpResponse};
use crate::json;
use crate::message::{InboxTls, Outgoing};
use crate::outcome::{Fate, ServiceMessageId, ServiceOutcome};
use crate::second_path::InboxPolicy;
use crate::service::{
    Batch, BatchShape, Capabilities, DeliveryService, Field, FieldKind, Idempotency, Key,
    MessageIdHandling, MimeSupport, ServiceId, Settings, SettingsError, Unsendable, check_count,
    check_inbox_tls_is_default,
};

/// 30 MB in all.
const REQUEST_OCTETS_MAX: usize = 30_000_000;
const BATCH_MESSAGES_MAX: usize = 1_000;
const REGIONS: &[(&str, &str)] = &[("global", "api.sendgrid.com"), ("eu", "api.eu.sendgrid.com")];

pub(crate) const FIELDS: &[Field] = &[
    Field::new("api-key", FieldKind::RequiredSecret),
    Field { name: "region", kind: FieldKind::Optional, choices: &["global", "eu"] },
];

pub(crate) const CAPABILITIES: Capabilities = Capabilities {
    mime: MimeSupport::No,
    batch: BatchShape::ManyPersonalised(BATCH_MESSAGES_MAX),
    idempotency: Idempotency::None,
    message_id: MessageIdHandling::Replaced,
    inbox_tls_by_message: InboxTls::ServiceDefault,
    documentation: "https://www.twilio.com/docs/sendgrid/api-reference/mail-send/mail-send",
};

/// A connection with one key.
pub(crate) struct SendGrid {
    host: DomainName,
    key: Key,
}

impl SendGrid {
    /// Reads settings.
    pub(crate) fn new(settings: &Settings) -> Result<Self, SettingsError> {
        let host = settings.choice("region", REGIONS)?;
        let host = DomainName::parse(host).map_err(|_| SettingsError::Invalid("region"))?;
        Ok(Self { host, key: settings.required_secret("api-key")? })
    }

    fn with_key(&self, request: HttpRequest) -> HttpRequest {
        request.secret("Authorization", format!("Bearer {}", self.key.expose()))
    }

    fn get(&self, path: String) -> HttpRequest {
        self.with_key(json::get(&self.host, path))
    }

    fn send(&self, messages: &[Outgoing]) -> Result<HttpRequest, Unsendable> {
        check_inbox_tls_is_default(messages)?;
        let body = json::body(&wire::Send::new(messages)?, REQUEST_OCTETS_MAX)?;
        let request = self.with_key(json::post(&self.host, "/v3/mail/send".to_string(), body));
        Ok(request.plain("Content-Type", "application/json"))
    }

    fn read(
        &self,
        messages: &[Outgoing],
        response: &HttpResponse,
        at: Timestamp,
    ) -> ServiceOutcome {
        if response.status() == 202 {
            let id = response
                .header("x-message-id")
                .and_then(|id| ServiceMessageId::read(id, &[self.key.expose()]));
            return ServiceOutcome::each(messages, None, |_| Fate::Accepted { id: id.clone() });
        }
        ServiceOutcome::of_fault(messages, self.fault(response, at))
    }

    fn fault(&self, response: &HttpResponse, at: Timestamp) -> ServiceFault {
        let errors: wire::Errors = response.json().unwrap_or_default();
        let first = errors.errors.first();
        let text = first.and_then(|error| error.message.as_deref());
        let field = first.and_then(|error| error.field.as_deref());
        let kind = kind_of(response.status(), &text.unwrap_or_default().to_ascii_lowercase());
        let said = Said { code: None, field, text };
        ServiceFault::judged((ServiceId::SendGrid, kind), response, said, &[self.key.expose()], at)
    }
}

/// The kind: some texts say more than their status, such as 401 for used-up credits.
fn kind_of(status: u16, text: &str) -> FaultKind {
    let says = |words: &str| text.contains(words);
    match status {
        401 if says("maximum credits exceeded") => FaultKind::QuotaExceeded,
        401 | 403 if says("ip address") && says("whitelist") => FaultKind::CallerAddressRefused,
        400 | 403 if says("verified sender identity") => FaultKind::SenderUnverified,
        401 | 403 if says("suspended") || says("disabled") || says("under review") => {
            FaultKind::AccountSuspended
        }
        _ => FaultKind::of_status(status),
    }
}

impl DeliveryService for SendGrid {
    fn id(&self) -> ServiceId {
        ServiceId::SendGrid
    }

    fn host(&self) -> &DomainName {
        &self.host
    }

    fn verification(&self, _at: Timestamp) -> Verification {
        Verification::Request(self.get("/v3/scopes".to_string()))
    }

    fn read_verification(&self, response: &HttpResponse, at: Timestamp) -> Verified {
        match response.json::<wire::Scopes>().filter(|_| response.is_success()) {
            Some(scopes) if scopes.may_send() => Verified::MaySend,
            Some(_) => {
                let text = Some("the key's scopes do not include mail.send");
                let said = Said { text, ..Said::default() };
                let kind = (ServiceId::SendGrid, FaultKind::KeyScope);
                Verified::Refused(ServiceFault::judged(kind, response, said, &[], at))
            }
            None => Verified::Refused(self.fault(response, at)),
        }
    }

    fn account_questions(&self, from_domain: &DomainName, _at: Timestamp) -> Vec<AccountQuestion> {
        let ask = |topic, path: String| AccountQuestion { topic, request: self.get(path) };
        vec![
            ask(Topic::Account, "/v3/scopes".to_string()),
            ask(Topic::Credits, "/v3/user/credits".to_string()),
            ask(Topic::Domain, format!("/v3/whitelabel/domains?domain={}", from_domain.as_str())),
            ask(Topic::InboxTls, "/v3/user/settings/enforced_tls".to_string()),
        ]
    }

    fn read_account(
        &self,
        state: &mut AccountState,
        topic: Topic,
        response: &HttpResponse,
        from_domain: &DomainName,
    ) {
        let reason = missing(response.is_success());
        match topic {
            Topic::Account => {
                let scopes: Option<wire::Scopes> =
                    response.json().filter(|_| response.is_success());
                state.permission = observed(scopes, reason).map(|scopes| {
                    if scopes.may_send() { Permission::MaySend } else { Permission::MayNotSend }
                });
            }
            Topic::Credits => {
                let credits: Option<wire::Credits> =
                    response.json().filter(|_| response.is_success());
                state.quota = observed(credits, reason).map(|credits| Quota {
                    unit: QuotaUnit::Credits,
                    limit: Observation::Observed(credits.total),
                    left: Observation::Observed(credits.remain),
                });
            }
            Topic::Domain => {
                let domains: Option<Vec<wire::Domain>> =
                    response.json().filter(|_| response.is_success());
                state.domain = observed(domains, reason).map(|domains| {
                    let is_valid = |each: &wire::Domain| {
                        each.valid && each.domain.eq_ignore_ascii_case(from_domain.as_str())
                    };
                    if domains.iter().any(is_valid) {
                        DomainState::Verified
                    } else {
                        DomainState::Unverified
                    }
                });
            }
            Topic::InboxTls => {
                let tls: Option<wire::EnforcedTls> =
                    response.json().filter(|_| response.is_success());
                state.inbox_tls = observed(tls, reason).map(|tls| {
                    match (tls.require_tls, tls.require_valid_cert) {
                        (true, true) => InboxPolicy::RequiredVerified,
                        (true, false) => InboxPolicy::Required,
                        // A valid certificate is asked for only where TLS happens at all.
                        (false, true | false) => InboxPolicy::Opportunistic,
                    }
                });
            }
        }
    }

    fn send_one(&self, message: &Outgoing, _at: Timestamp) -> Result<HttpRequest, Unsendable> {
        self.send(std::slice::from_ref(message))
    }

    fn send_batch(&self, batch: Batch<'_>, _at: Timestamp) -> Result<HttpRequest, Unsendable> {
        check_count(batch.messages, BATCH_MESSAGES_MAX)?;
        self.send(batch.messages)
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
