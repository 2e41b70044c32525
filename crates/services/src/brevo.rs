//! Brevo's HTTP interface: single messages, and batches of distinct versions from one sender.
//!
//! The idempotency key travels in the message's `headers`, not in the request's. No MIME, no word about TLS
//! towards inboxes. Built from documentation and its client library, never run live. The way in is
//! [`Brevo::new`]. Invariant: the ids of an answer are used only when there is one for each message.

mod wire;

use jiff::Timestamp;
use waxseal_proto::name::DomainName;
use waxseal_proto::observation::{Observation, Reason};

use crate::account::{
    AccountQuestion, AccountState, DomainState, Quota, QuotaUnit, Sending, Topic, Verification,
    Verified, missing, observed,
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

/// Not documented; 20 MB holds 1,000 ordinary messages and keeps a call short.
const REQUEST_OCTETS_MAX: usize = 20_000_000;
const BATCH_MESSAGES_MAX: usize = 2_000;
/// Documented as 30 minutes, in older text as 15: the shorter one is safe.
const IDEMPOTENCY_S: u64 = 15 * 60;

pub(crate) const FIELDS: &[Field] = &[Field::new("api-key", FieldKind::RequiredSecret)];

pub(crate) const CAPABILITIES: Capabilities = Capabilities {
    mime: MimeSupport::No,
    batch: BatchShape::ManyDistinct(BATCH_MESSAGES_MAX),
    idempotency: Idempotency::Key { kept_s: IDEMPOTENCY_S },
    message_id: MessageIdHandling::Replaced,
    inbox_tls_by_message: InboxTls::ServiceDefault,
    documentation: "https://developers.brevo.com/reference/sendtransacemail",
};

/// A connection with one key.
pub(crate) struct Brevo {
    host: DomainName,
    key: Key,
}

impl Brevo {
    /// Reads settings.
    pub(crate) fn new(settings: &Settings) -> Result<Self, SettingsError> {
        let host = DomainName::parse("api.brevo.com").map_err(|_| SettingsError::Unknown)?;
        Ok(Self { host, key: settings.required_secret("api-key")? })
    }

    fn get(&self, path: &str) -> HttpRequest {
        self.with_key(json::get(&self.host, path.to_string()))
    }

    fn with_key(&self, request: HttpRequest) -> HttpRequest {
        request.plain("Accept", "application/json").secret("api-key", self.key.expose().clone())
    }

    fn post(&self, body: Vec<u8>) -> HttpRequest {
        let request = self.with_key(json::post(&self.host, "/v3/smtp/email".to_string(), body));
        request.plain("Content-Type", "application/json")
    }

    fn fault(&self, response: &HttpResponse, at: Timestamp) -> ServiceFault {
        let error: wire::Error = response.json().unwrap_or_default();
        let text = error.message.as_deref();
        let words = text.unwrap_or_default().to_ascii_lowercase();
        let kind = if response.is_success() {
            FaultKind::UnexpectedAnswer
        } else {
            kind_of(error.code.as_deref().unwrap_or_default(), &words)
                .unwrap_or_else(|| FaultKind::of_status(response.status()))
        };
        let said = Said { code: error.code.as_deref(), field: None, text };
        ServiceFault::judged((ServiceId::Brevo, kind), response, said, &[self.key.expose()], at)
    }

    fn read(
        &self,
        messages: &[Outgoing],
        response: &HttpResponse,
        at: Timestamp,
    ) -> ServiceOutcome {
        let sent: Option<wire::Sent> = response.json().filter(|_| response.is_success());
        let ids: Vec<Option<ServiceMessageId>> = sent
            .iter()
            .flat_map(wire::Sent::ids)
            .map(|id| ServiceMessageId::read(id, &[self.key.expose()]))
            .collect();
        if ids.is_empty() || ids.len() != messages.len() {
            return ServiceOutcome::of_fault(messages, self.fault(response, at));
        }
        ServiceOutcome::each(messages, None, |place| match ids.get(place).cloned().flatten() {
            Some(id) => Fate::Accepted { id: Some(id) },
            None => Fate::Unknown,
        })
    }
}

/// The kind of a documented error; `None` when only the status can tell.
fn kind_of(code: &str, text: &str) -> Option<FaultKind> {
    let says = |words: &str| text.contains(words);
    Some(match code {
        "unauthorized" if says("ip address") => FaultKind::CallerAddressRefused,
        "unauthorized" => FaultKind::KeyInvalid,
        "permission_denied" if says("not yet activated") || says("suspended") => {
            FaultKind::AccountSuspended
        }
        "account_under_validation" => FaultKind::AccountSuspended,
        "permission_denied" => FaultKind::KeyScope,
        "invalid_parameter" | "missing_parameter" if says("sender") && says("not valid") => {
            FaultKind::SenderUnverified
        }
        "not_enough_credits" => FaultKind::QuotaExceeded,
        "too_many_requests" => FaultKind::RateLimited,
        "invalid_parameter" | "missing_parameter" | "out_of_range" | "document_not_found"
        | "method_not_allowed" | "bad_request" => FaultKind::PayloadInvalid,
        _ => return None,
    })
}

impl DeliveryService for Brevo {
    fn id(&self) -> ServiceId {
        ServiceId::Brevo
    }

    fn host(&self) -> &DomainName {
        &self.host
    }

    fn verification(&self, _at: Timestamp) -> Verification {
        Verification::Request(self.get("/v3/account"))
    }

    fn read_verification(&self, response: &HttpResponse, at: Timestamp) -> Verified {
        if response.is_success() && response.json::<wire::Account>().is_some() {
            Verified::KeyAccepted
        } else {
            Verified::Refused(self.fault(response, at))
        }
    }

    fn account_questions(&self, _from_domain: &DomainName, _at: Timestamp) -> Vec<AccountQuestion> {
        let ask = |topic, path| AccountQuestion { topic, request: self.get(path) };
        vec![ask(Topic::Account, "/v3/account"), ask(Topic::Domain, "/v3/senders/domains")]
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
                let account: Option<wire::Account> =
                    response.json().filter(|_| response.is_success());
                let relay = account.as_ref().and_then(|account| account.relay.as_ref());
                state.sending = observed(relay, reason)
                    .map(|relay| if relay.enabled { Sending::Enabled } else { Sending::Stopped });
                let left = account.as_ref().and_then(wire::Account::credits);
                state.quota = observed(left, reason).map(|left| Quota {
                    unit: QuotaUnit::Credits,
                    limit: Observation::NotObserved(Reason::NotAsked),
                    left: Observation::Observed(left),
                });
            }
            Topic::Domain => {
                let domains: Option<wire::Domains> =
                    response.json().filter(|_| response.is_success());
                state.domain = observed(domains, reason).map(|domains| {
                    let is_ready = |each: &wire::Domain| {
                        each.authenticated
                            && each.domain_name.eq_ignore_ascii_case(from_domain.as_str())
                    };
                    if domains.domains.iter().any(is_ready) {
                        DomainState::Verified
                    } else {
                        DomainState::Unverified
                    }
                });
            }
            Topic::Credits | Topic::InboxTls => {}
        }
    }

    fn send_one(&self, message: &Outgoing, _at: Timestamp) -> Result<HttpRequest, Unsendable> {
        check_inbox_tls_is_default(std::slice::from_ref(message))?;
        let email = wire::Email::one(message)?;
        Ok(self.post(json::body(&email, REQUEST_OCTETS_MAX)?))
    }

    fn send_batch(&self, batch: Batch<'_>, _at: Timestamp) -> Result<HttpRequest, Unsendable> {
        check_count(batch.messages, BATCH_MESSAGES_MAX)?;
        check_inbox_tls_is_default(batch.messages)?;
        let key = batch.idempotency_key.map(crate::message::IdempotencyKey::as_str);
        let email = wire::Email::many(batch.messages, key)?;
        Ok(self.post(json::body(&email, REQUEST_OCTETS_MAX)?))
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
