//! Amazon SES, version 2 of its HTTP interface: one message for each call, signed with Signature Version 4.
//!
//! MIME is sent as it is when the message has it; the service replaces the Message-ID either way. Built from
//! the published service model and documentation, never run live. The way in is [`AmazonSes::new`].
//! Invariant: the host is made of a region that passed its grammar, so no setting leads elsewhere.

mod wire;

use jiff::Timestamp;
use waxseal_proto::name::DomainName;
use waxseal_proto::observation::Observation;
use waxseal_proto::secret::Secret;

use crate::account::{
    AccountQuestion, AccountState, DomainState, Quota, QuotaUnit, Sending, Stage, Topic,
    Verification, Verified, missing, observed,
};
use crate::fault::{FaultKind, Said, ServiceFault};
use crate::http::{HttpRequest, HttpResponse};
use crate::json;
use crate::message::{InboxTls, Outgoing};
use crate::outcome::{Fate, ServiceMessageId, ServiceOutcome};
use crate::second_path::InboxPolicy;
use crate::service::{
    Batch, BatchShape, Capabilities, DeliveryService, Field, FieldKind, Idempotency,
    MessageIdHandling, MimeSupport, ServiceId, Settings, SettingsError, Unsendable, check_count,
    check_inbox_tls_is_default,
};
use crate::sigv4::{Credentials, Scope, ToSign, sign, stamp};

/// 40 MB for each message after base64.
const REQUEST_OCTETS_MAX: usize = 40_000_000;

const ACCOUNT_PATH: &str = "/v2/email/account";

pub(crate) const FIELDS: &[Field] = &[
    Field::new("region", FieldKind::Required),
    Field::new("access-key-id", FieldKind::Required),
    Field::new("secret-access-key", FieldKind::RequiredSecret),
    Field::new("session-token", FieldKind::OptionalSecret),
    Field::new("configuration-set", FieldKind::Optional),
];

pub(crate) const CAPABILITIES: Capabilities = Capabilities {
    mime: MimeSupport::Accepted,
    batch: BatchShape::One,
    idempotency: Idempotency::None,
    message_id: MessageIdHandling::Replaced,
    inbox_tls_by_message: InboxTls::ServiceDefault,
    documentation: "https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html",
};

/// A connection to one region.
pub(crate) struct AmazonSes {
    host: DomainName,
    region: String,
    credentials: Credentials,
    configuration_set: Option<String>,
}

impl AmazonSes {
    /// Reads settings.
    pub(crate) fn new(settings: &Settings) -> Result<Self, SettingsError> {
        let region = settings.required("region")?;
        let host = host_of(region).ok_or(SettingsError::Invalid("region"))?;
        let access_key_id = settings.required("access-key-id")?;
        if !access_key_id.bytes().all(|each| each.is_ascii_alphanumeric()) {
            return Err(SettingsError::Invalid("access-key-id"));
        }
        let configuration_set = settings.optional("configuration-set")?;
        if !configuration_set.is_none_or(is_configuration_set) {
            return Err(SettingsError::Invalid("configuration-set"));
        }
        Ok(Self {
            host,
            region: region.to_string(),
            credentials: Credentials {
                access_key_id: access_key_id.to_string(),
                secret_access_key: settings.required_secret("secret-access-key")?,
                session_token: settings.optional_secret("session-token")?,
            },
            configuration_set: configuration_set.map(str::to_string),
        })
    }

    /// Adds date, token and signature.
    fn signed(&self, request: HttpRequest, at: Timestamp) -> HttpRequest {
        let date = stamp(at);
        let token = self.credentials.session_token.as_ref().map(Secret::expose);
        let mut headers = vec![("host", self.host.as_str()), ("x-amz-date", date.as_str())];
        headers.extend(request.plain_header("Content-Type").map(|value| ("content-type", value)));
        headers.extend(token.map(|token| ("x-amz-security-token", token.as_str())));
        let to_sign = ToSign {
            method: request.method.as_str(),
            path_and_query: &request.path_and_query,
            headers: &headers,
            body: &request.body,
        };
        let scope = Scope { region: &self.region, service: "ses", at };
        let authorization = sign(&self.credentials, scope, to_sign);
        let mut request = request.plain("X-Amz-Date", date);
        if let Some(token) = token {
            request = request.secret("X-Amz-Security-Token", token.clone());
        }
        request.secret("Authorization", authorization)
    }

    fn get(&self, path: String, at: Timestamp) -> HttpRequest {
        self.signed(json::get(&self.host, path), at)
    }

    fn fault(
        &self,
        message: Option<&Outgoing>,
        response: &HttpResponse,
        at: Timestamp,
    ) -> ServiceFault {
        let body: wire::Error = response.json().unwrap_or_default();
        let code = response.header("x-amzn-errortype").or(body.kind.as_deref());
        // `MessageRejected:http://…` in the header, `com.amazon…#MessageRejected` in the body.
        let code =
            code.and_then(|code| code.split(':').next()).and_then(|code| code.rsplit('#').next());
        // A signature error is followed by the signed text, line by line.
        let text = body.message.as_deref().and_then(|text| text.lines().next());
        let kind = kind_of(code.unwrap_or_default(), text.unwrap_or_default(), message)
            .unwrap_or_else(|| FaultKind::of_status(response.status()));
        let said = Said { code, field: None, text };
        ServiceFault::judged((ServiceId::AmazonSes, kind), response, said, &self.secrets(), at)
    }

    /// Every secret of the account, to be kept out of what is read from answers.
    fn secrets(&self) -> Vec<&str> {
        let mut secrets = vec![self.credentials.secret_access_key.expose().as_str()];
        secrets
            .extend(self.credentials.session_token.as_ref().map(|token| token.expose().as_str()));
        secrets
    }
}

/// `email.{region}.amazonaws.com`, or the European sovereign cloud's own suffix.
fn host_of(region: &str) -> Option<DomainName> {
    let parts: Vec<&str> = region.split('-').collect();
    let (number, words) = parts.split_last()?;
    let is_word =
        |word: &&str| !word.is_empty() && word.bytes().all(|each| each.is_ascii_lowercase());
    let is_number = !number.is_empty() && number.bytes().all(|each| each.is_ascii_digit());
    if words.len() < 2 || !words.iter().all(is_word) || !is_number {
        return None;
    }
    let suffix = if region.starts_with("eusc-") { "amazonaws.eu" } else { "amazonaws.com" };
    DomainName::parse(&format!("email.{region}.{suffix}")).ok()
}

fn is_configuration_set(name: &str) -> bool {
    name.len() <= 64
        && name.bytes().all(|each| each.is_ascii_alphanumeric() || b"-_".contains(&each))
}

/// The kind of a documented error; `None` when only the status can tell.
fn kind_of(code: &str, text: &str, message: Option<&Outgoing>) -> Option<FaultKind> {
    let says = |words: &str| text.to_ascii_lowercase().contains(words);
    Some(match code {
        "MessageRejected" if says("not verified") => {
            // The text lists the identities that failed. The sender's own is the one that matters first.
            let is_listed = |message: &Outgoing| {
                let from = message.from().address();
                let listed = text.rsplit_once(": ").map_or(text, |(_, listed)| listed);
                listed.to_ascii_lowercase().split([',', ' ']).any(|identity| {
                    identity == from.as_str().to_ascii_lowercase()
                        || identity == from.domain().as_str()
                })
            };
            match message {
                Some(message) if !is_listed(message) && says(&to_lower(message)) => {
                    FaultKind::Sandbox
                }
                Some(_) | None => FaultKind::SenderUnverified,
            }
        }
        "MessageRejected" | "BadRequestException" | "ValidationException" => {
            FaultKind::PayloadInvalid
        }
        "MailFromDomainNotVerifiedException" => FaultKind::SenderUnverified,
        "AccountSuspendedException"
        | "SendingPausedException"
        | "OptInRequired"
        | "SubscriptionRequiredException" => FaultKind::AccountSuspended,
        "TooManyRequestsException" | "ThrottlingException" | "Throttling" if !says("quota") => {
            FaultKind::RateLimited
        }
        "LimitExceededException" if says("rate") => FaultKind::RateLimited,
        "TooManyRequestsException"
        | "ThrottlingException"
        | "Throttling"
        | "LimitExceededException" => FaultKind::QuotaExceeded,
        "NotFoundException" => FaultKind::SettingUnknown,
        "AccessDenied" | "AccessDeniedException" | "UnauthorizedException" => FaultKind::KeyScope,
        "SignatureDoesNotMatch" | "InvalidSignatureException" | "IncompleteSignatureException"
            if says("scoped to a valid region") || says("valid region") =>
        {
            FaultKind::RegionMismatch
        }
        "SignatureDoesNotMatch" | "InvalidSignatureException"
            if says("signature expired") || says("not yet current") =>
        {
            FaultKind::ClockWrong
        }
        "RequestExpired" | "RequestTimeTooSkewed" => FaultKind::ClockWrong,
        "SignatureDoesNotMatch"
        | "InvalidSignatureException"
        | "IncompleteSignatureException"
        | "UnrecognizedClientException"
        | "InvalidClientTokenId"
        | "MissingAuthenticationTokenException"
        | "ExpiredToken"
        | "ExpiredTokenException" => FaultKind::KeyInvalid,
        _ => return None,
    })
}

fn to_lower(message: &Outgoing) -> String {
    message.to().address().as_str().to_ascii_lowercase()
}

impl DeliveryService for AmazonSes {
    fn id(&self) -> ServiceId {
        ServiceId::AmazonSes
    }

    fn host(&self) -> &DomainName {
        &self.host
    }

    fn verification(&self, at: Timestamp) -> Verification {
        Verification::Request(self.get(ACCOUNT_PATH.to_string(), at))
    }

    fn read_verification(&self, response: &HttpResponse, at: Timestamp) -> Verified {
        if response.is_success() && response.json::<wire::Account>().is_some() {
            return Verified::KeyAccepted;
        }
        let fault = self.fault(None, response, at);
        // A key with the single permission `ses:SendEmail` is what one should use, and may not ask.
        if fault.kind == FaultKind::KeyScope {
            Verified::OnlyTestSend(fault)
        } else {
            Verified::Refused(fault)
        }
    }

    fn account_questions(&self, from_domain: &DomainName, at: Timestamp) -> Vec<AccountQuestion> {
        let ask = |topic, path: String| AccountQuestion { topic, request: self.get(path, at) };
        let mut questions = vec![
            ask(Topic::Account, ACCOUNT_PATH.to_string()),
            ask(Topic::Domain, format!("/v2/email/identities/{}", from_domain.as_str())),
        ];
        if let Some(set) = &self.configuration_set {
            questions.push(ask(Topic::InboxTls, format!("/v2/email/configuration-sets/{set}")));
        }
        questions
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
            Topic::Account | Topic::Credits => {
                let account = response.json().filter(|_| response.is_success());
                wire::Account::tell(account, state, reason);
            }
            Topic::Domain => {
                let identity: Option<wire::Identity> =
                    response.json().filter(|_| response.is_success());
                state.domain = observed(identity, reason).map(|identity| {
                    if identity.verified { DomainState::Verified } else { DomainState::Unverified }
                });
            }
            Topic::InboxTls => {
                let set: Option<wire::ConfigurationSet> =
                    response.json().filter(|_| response.is_success());
                state.inbox_tls = observed(set, reason).map(|set| {
                    if set.delivery_options.tls_policy.as_deref() == Some("REQUIRE") {
                        InboxPolicy::Required
                    } else {
                        InboxPolicy::Opportunistic
                    }
                });
            }
        }
    }

    fn send_one(&self, message: &Outgoing, at: Timestamp) -> Result<HttpRequest, Unsendable> {
        check_inbox_tls_is_default(std::slice::from_ref(message))?;
        let body = json::body(
            &wire::Send::new(message, self.configuration_set.as_deref()),
            REQUEST_OCTETS_MAX,
        )?;
        let request = json::post(&self.host, "/v2/email/outbound-emails".to_string(), body);
        Ok(self.signed(request.plain("Content-Type", "application/json"), at))
    }

    fn send_batch(&self, batch: Batch<'_>, at: Timestamp) -> Result<HttpRequest, Unsendable> {
        check_count(batch.messages, 1)?;
        batch.messages.first().map_or(Err(Unsendable::Count), |message| self.send_one(message, at))
    }

    fn read_one(
        &self,
        message: &Outgoing,
        response: &HttpResponse,
        at: Timestamp,
    ) -> ServiceOutcome {
        let messages = std::slice::from_ref(message);
        let sent: Option<wire::Sent> = response.json().filter(|_| response.is_success());
        match sent.and_then(|sent| ServiceMessageId::read(&sent.message_id, &self.secrets())) {
            Some(id) => {
                ServiceOutcome::each(messages, None, |_| Fate::Accepted { id: Some(id.clone()) })
            }
            None => ServiceOutcome::of_fault(messages, self.fault(Some(message), response, at)),
        }
    }

    fn read_batch(
        &self,
        messages: &[Outgoing],
        response: &HttpResponse,
        at: Timestamp,
    ) -> ServiceOutcome {
        match messages {
            [message] => self.read_one(message, response, at),
            [] | [_, ..] => ServiceOutcome::failed(messages, self.fault(None, response, at)),
        }
    }
}
