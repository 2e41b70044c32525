//! Postmark's HTTP interface: single messages and batches of 500 distinct ones.
//!
//! A batch answers 200 with a code for each message, so every entry is read. No MIME, no idempotency key, no
//! word about TLS towards inboxes. Built from documentation and its client library, never run live. The way
//! in is [`Postmark::new`]. Invariant: an entry that is missing in the answer is unknown, never accepted.

mod wire;

use jiff::Timestamp;
use waxseal_proto::name::DomainName;

use crate::account::{
    AccountQuestion, AccountState, DomainState, Stage, Topic, Verification, Verified, missing,
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

/// 10 MB for each message.
const MESSAGE_OCTETS_MAX: usize = 10_000_000;
/// 50 MB for each batch.
const BATCH_OCTETS_MAX: usize = 50_000_000;
const BATCH_MESSAGES_MAX: usize = 500;
/// The stream that every server has, for single messages.
const DEFAULT_STREAM: &str = "outbound";

pub(crate) const FIELDS: &[Field] = &[
    Field::new("server-token", FieldKind::RequiredSecret),
    Field::new("message-stream", FieldKind::Optional),
];

pub(crate) const CAPABILITIES: Capabilities = Capabilities {
    mime: MimeSupport::No,
    batch: BatchShape::ManyDistinct(BATCH_MESSAGES_MAX),
    idempotency: Idempotency::None,
    message_id: MessageIdHandling::Replaced,
    inbox_tls_by_message: InboxTls::ServiceDefault,
    documentation: "https://postmarkapp.com/developer/api/email-api",
};

/// A connection to one server, as Postmark calls a set of streams.
pub(crate) struct Postmark {
    host: DomainName,
    token: Key,
    stream: Option<String>,
}

impl Postmark {
    /// Reads settings.
    pub(crate) fn new(settings: &Settings) -> Result<Self, SettingsError> {
        let stream = settings.optional("message-stream")?;
        let is_plain = |text: &str| {
            text.bytes().all(|each| each.is_ascii_alphanumeric() || b"-_".contains(&each))
        };
        if !stream.is_none_or(is_plain) {
            return Err(SettingsError::Invalid("message-stream"));
        }
        Ok(Self {
            host: DomainName::parse("api.postmarkapp.com").map_err(|_| SettingsError::Unknown)?,
            token: settings.required_secret("server-token")?,
            stream: stream.map(str::to_string),
        })
    }

    fn with_token(&self, request: HttpRequest) -> HttpRequest {
        let request = request.plain("Accept", "application/json");
        let request = if request.body.is_empty() {
            request
        } else {
            request.plain("Content-Type", "application/json")
        };
        request.secret("X-Postmark-Server-Token", self.token.expose().clone())
    }

    fn stream_path(&self) -> String {
        format!("/message-streams/{}", self.stream.as_deref().unwrap_or(DEFAULT_STREAM))
    }

    fn fault(
        &self,
        entry: Option<&wire::Entry>,
        response: &HttpResponse,
        at: Timestamp,
    ) -> ServiceFault {
        let whole: Option<wire::Entry> = response.json();
        let entry = entry.or(whole.as_ref());
        let number = entry.map_or(0, |entry| entry.error_code);
        let code = number.to_string();
        let text = entry.map(|entry| entry.message.as_str());
        let kind = kind_of(number).unwrap_or_else(|| FaultKind::of_status(response.status()));
        let said = Said {
            code: Some(&code).filter(|_| number != 0).map(String::as_str),
            field: None,
            text,
        };
        ServiceFault::judged(
            (ServiceId::Postmark, kind),
            response,
            said,
            &[self.token.expose()],
            at,
        )
    }

    fn fate(&self, entry: &wire::Entry, response: &HttpResponse, at: Timestamp) -> Fate {
        match (
            entry.error_code,
            entry
                .message_id
                .as_deref()
                .and_then(|id| ServiceMessageId::read(id, &[self.token.expose()])),
        ) {
            (0, Some(id)) => Fate::Accepted { id: Some(id) },
            (0, None) => Fate::Unknown,
            (_, _) => Fate::Rejected(self.fault(Some(entry), response, at)),
        }
    }
}

/// The kind of a documented error code; `None` when only the status can tell.
const fn kind_of(code: i64) -> Option<FaultKind> {
    Some(match code {
        10 => FaultKind::KeyInvalid,
        100 => FaultKind::ServiceError,
        300 | 402 | 403 | 409 | 410 | 411 => FaultKind::PayloadInvalid,
        400 | 401 => FaultKind::SenderUnverified,
        405 => FaultKind::QuotaExceeded,
        406 => FaultKind::RecipientSuppressed,
        412 => FaultKind::Sandbox,
        413 => FaultKind::AccountSuspended,
        429 => FaultKind::RateLimited,
        1226 | 1235 => FaultKind::SettingUnknown,
        _ => return None,
    })
}

impl DeliveryService for Postmark {
    fn id(&self) -> ServiceId {
        ServiceId::Postmark
    }

    fn host(&self) -> &DomainName {
        &self.host
    }

    fn verification(&self, _at: Timestamp) -> Verification {
        Verification::Request(self.with_token(json::get(&self.host, self.stream_path())))
    }

    fn read_verification(&self, response: &HttpResponse, at: Timestamp) -> Verified {
        match response.json::<wire::Stream>().filter(|_| response.is_success()) {
            // Every server token may send, but not into an archived stream or one for incoming mail.
            Some(stream) if stream.takes_mail() => Verified::MaySend,
            Some(_) => {
                let text = Some("the message stream takes no outgoing mail");
                let said = Said { text, ..Said::default() };
                let kind = (ServiceId::Postmark, FaultKind::SettingUnknown);
                Verified::Refused(ServiceFault::judged(kind, response, said, &[], at))
            }
            None if response.status() == 404 => {
                let mut fault = self.fault(None, response, at);
                fault.kind = FaultKind::SettingUnknown;
                fault.class = fault.kind.usual_class();
                Verified::Refused(fault)
            }
            None => Verified::Refused(self.fault(None, response, at)),
        }
    }

    fn account_questions(&self, _from_domain: &DomainName, _at: Timestamp) -> Vec<AccountQuestion> {
        let ask = |topic, path: String| AccountQuestion {
            topic,
            request: self.with_token(json::get(&self.host, path)),
        };
        vec![ask(Topic::Account, "/server".to_string()), ask(Topic::Domain, self.stream_path())]
    }

    fn read_account(
        &self,
        state: &mut AccountState,
        topic: Topic,
        response: &HttpResponse,
        _from_domain: &DomainName,
    ) {
        let reason = missing(response.is_success());
        match topic {
            Topic::Account => {
                let server: Option<wire::Server> =
                    response.json().filter(|_| response.is_success());
                state.stage = observed(server, reason).map(|server| {
                    if server.delivery_type == "Sandbox" {
                        Stage::Sandbox
                    } else {
                        Stage::Production
                    }
                });
            }
            Topic::Domain => {
                let stream: Option<wire::Stream> =
                    response.json().filter(|_| response.is_success());
                state.domain = observed(stream, reason).map(|stream| {
                    if stream.takes_mail() {
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
        let body =
            json::body(&wire::Email::new(message, self.stream.as_deref()), MESSAGE_OCTETS_MAX)?;
        Ok(self.with_token(json::post(&self.host, "/email".to_string(), body)))
    }

    fn send_batch(&self, batch: Batch<'_>, _at: Timestamp) -> Result<HttpRequest, Unsendable> {
        check_count(batch.messages, BATCH_MESSAGES_MAX)?;
        check_inbox_tls_is_default(batch.messages)?;
        let emails =
            batch.messages.iter().map(|message| wire::Email::new(message, self.stream.as_deref()));
        let body = json::body(&emails.collect::<Vec<_>>(), BATCH_OCTETS_MAX)?;
        Ok(self.with_token(json::post(&self.host, "/email/batch".to_string(), body)))
    }

    fn read_one(
        &self,
        message: &Outgoing,
        response: &HttpResponse,
        at: Timestamp,
    ) -> ServiceOutcome {
        let messages = std::slice::from_ref(message);
        let entry: Option<wire::Entry> = response.json();
        match entry.filter(|entry| response.is_success() && entry.error_code == 0) {
            Some(entry) if entry.message_id.is_some() => {
                ServiceOutcome::each(messages, None, |_| self.fate(&entry, response, at))
            }
            Some(_) | None => ServiceOutcome::of_fault(messages, self.fault(None, response, at)),
        }
    }

    fn read_batch(
        &self,
        messages: &[Outgoing],
        response: &HttpResponse,
        at: Timestamp,
    ) -> ServiceOutcome {
        let entries: Option<Vec<wire::Entry>> = response.json().filter(|_| response.is_success());
        let Some(entries) = entries else {
            return ServiceOutcome::failed(messages, self.fault(None, response, at));
        };
        let fault = (entries.len() != messages.len()).then(|| {
            let kind = (ServiceId::Postmark, FaultKind::UnexpectedAnswer);
            ServiceFault::judged(kind, response, Said::default(), &[], at)
        });
        ServiceOutcome::each(messages, fault, |place| {
            entries.get(place).map_or(Fate::Unknown, |entry| self.fate(entry, response, at))
        })
    }
}
