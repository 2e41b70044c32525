//! Amazon SES's JSON (RFC 8259), field by field as its documentation names it.
//!
//! Nothing is judged here; [`super`] does that. Invariant: an answer that lacks a field that decides
//! acceptance does not parse.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use waxseal_proto::observation::Reason;

use super::{AccountState, Observation, Outgoing, Quota, QuotaUnit, Sending, Stage, observed};

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Send<'a> {
    from_email_address: String,
    destination: Destination,
    #[serde(skip_serializing_if = "Option::is_none")]
    reply_to_addresses: Option<[String; 1]>,
    content: Content<'a>,
    email_tags: [Pair<'a>; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    configuration_set_name: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Destination {
    to_addresses: [String; 1],
}

#[derive(Serialize)]
enum Content<'a> {
    Raw(Raw),
    Simple(Simple<'a>),
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Raw {
    data: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Simple<'a> {
    subject: Text<'a>,
    body: Body<'a>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    headers: Vec<Pair<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Body<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    html: Option<Text<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Text<'a> {
    data: &'a str,
    charset: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Pair<'a> {
    name: &'a str,
    value: &'a str,
}

impl<'a> Text<'a> {
    const fn new(data: &'a str) -> Self {
        Self { data, charset: "UTF-8" }
    }
}

impl<'a> Send<'a> {
    pub(super) fn new(message: &'a Outgoing, configuration_set_name: Option<&'a str>) -> Self {
        let (content, reply_to) = match message.mime() {
            Some(mime) => (Content::Raw(Raw { data: STANDARD.encode(mime) }), None),
            None => (Content::Simple(Simple::new(message)), message.reply_to()),
        };
        Self {
            from_email_address: message.from().to_ascii_header(),
            destination: Destination { to_addresses: [message.to().to_ascii_header()] },
            reply_to_addresses: reply_to.map(|mailbox| [mailbox.to_ascii_header()]),
            content,
            email_tags: [Pair { name: "waxseal-reference", value: message.reference() }],
            configuration_set_name,
        }
    }
}

impl<'a> Simple<'a> {
    fn new(message: &'a Outgoing) -> Self {
        Self {
            subject: Text::new(message.subject()),
            body: Body {
                text: message.content().text().map(Text::new),
                html: message.content().html().map(Text::new),
            },
            headers: message.headers().map(|(name, value)| Pair { name, value }).collect(),
        }
    }
}

#[derive(Deserialize)]
pub(super) struct Sent {
    #[serde(rename = "MessageId")]
    pub(super) message_id: String,
}

#[derive(Default, Deserialize)]
pub(super) struct Error {
    #[serde(rename = "__type")]
    pub(super) kind: Option<String>,
    #[serde(alias = "Message")]
    pub(super) message: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Account {
    production_access_enabled: bool,
    sending_enabled: bool,
    enforcement_status: Option<String>,
    send_quota: Option<SendQuota>,
}

#[derive(Deserialize)]
struct SendQuota {
    #[serde(rename = "Max24HourSend")]
    max_24_hour_send: f64,
    #[serde(rename = "MaxSendRate")]
    max_send_rate: f64,
    #[serde(rename = "SentLast24Hours")]
    sent_last_24_hours: f64,
}

impl Account {
    pub(super) fn tell(account: Option<Self>, state: &mut AccountState, reason: Reason) {
        let Some(account) = account else {
            state.sending = Observation::NotObserved(reason);
            state.stage = Observation::NotObserved(reason);
            state.quota = Observation::NotObserved(reason);
            state.rate_per_second_max = Observation::NotObserved(reason);
            return;
        };
        let is_shut = account.enforcement_status.as_deref() == Some("SHUTDOWN");
        let sends = account.sending_enabled && !is_shut;
        state.sending =
            Observation::Observed(if sends { Sending::Enabled } else { Sending::Stopped });
        state.stage = Observation::Observed(if account.production_access_enabled {
            Stage::Production
        } else {
            Stage::Sandbox
        });
        if let Some(quota) = account.send_quota {
            // -1 stands for no limit.
            let limit = whole(quota.max_24_hour_send);
            let left = limit
                .zip(whole(quota.sent_last_24_hours))
                .map(|(max, sent)| max.saturating_sub(sent));
            state.quota = Observation::Observed(Quota {
                unit: QuotaUnit::RecipientsPerDay,
                limit: observed(limit, Reason::NotAsked),
                left: observed(left, Reason::NotAsked),
            });
            state.rate_per_second_max =
                observed(whole(quota.max_send_rate), Reason::Unintelligible);
        }
    }
}

/// A count that AWS sends as a floating number; `None` below zero or past any account.
fn whole(number: f64) -> Option<u64> {
    const COUNT_MAX: f64 = 1e12;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the line above excludes what does not fit"
    )]
    (0.0..=COUNT_MAX).contains(&number).then_some(number as u64)
}

#[derive(Deserialize)]
pub(super) struct Identity {
    #[serde(rename = "VerifiedForSendingStatus")]
    pub(super) verified: bool,
}

#[derive(Deserialize)]
pub(super) struct ConfigurationSet {
    #[serde(rename = "DeliveryOptions", default)]
    pub(super) delivery_options: DeliveryOptions,
}

#[derive(Default, Deserialize)]
pub(super) struct DeliveryOptions {
    #[serde(rename = "TlsPolicy")]
    pub(super) tls_policy: Option<String>,
}
