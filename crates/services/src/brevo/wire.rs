//! Brevo's JSON (RFC 8259), field by field as its documentation names it.
//!
//! Nothing is judged here; [`super`] does that. Invariant: an answer that lacks a field that decides
//! acceptance does not parse.

use serde::{Deserialize, Serialize};

use super::{Outgoing, Unsendable};
use crate::json::{EmailAndName, Map};
use crate::limits::ACCOUNT_LIST_MAX;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Email<'a> {
    sender: EmailAndName<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<[EmailAndName<'a>; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reply_to: Option<EmailAndName<'a>>,
    subject: &'a str,
    html_content: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    text_content: Option<&'a str>,
    #[serde(skip_serializing_if = "Map::is_empty")]
    headers: Map<'a>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    message_versions: Vec<Version<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Version<'a> {
    to: [EmailAndName<'a>; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    reply_to: Option<EmailAndName<'a>>,
    subject: &'a str,
    html_content: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    text_content: Option<&'a str>,
    headers: Map<'a>,
}

fn html(message: &Outgoing) -> Result<&str, Unsendable> {
    message.content().html().ok_or(Unsendable::HtmlNeeded)
}

/// Custom headers, and our own name for the message, which comes back in events.
fn headers(message: &Outgoing) -> Vec<(&str, &str)> {
    message.headers().chain([("X-Mailin-custom", message.reference())]).collect()
}

impl<'a> Email<'a> {
    pub(super) fn one(message: &'a Outgoing) -> Result<Self, Unsendable> {
        let key = message.idempotency_key().map(|key| ("idempotencyKey", key));
        Ok(Self {
            sender: EmailAndName(message.from()),
            to: Some([EmailAndName(message.to())]),
            reply_to: message.reply_to().map(EmailAndName),
            subject: message.subject(),
            html_content: html(message)?,
            text_content: message.content().text(),
            headers: Map(headers(message).into_iter().chain(key).collect()),
            message_versions: Vec::new(),
        })
    }

    pub(super) fn many(messages: &'a [Outgoing], key: Option<&'a str>) -> Result<Self, Unsendable> {
        let first = messages.first().ok_or(Unsendable::Count)?;
        if messages.iter().any(|message| message.from() != first.from()) {
            return Err(Unsendable::Differ("from"));
        }
        let versions: Result<Vec<_>, _> = messages.iter().map(Version::new).collect();
        Ok(Self {
            sender: EmailAndName(first.from()),
            to: None,
            reply_to: None,
            // Asked for even though every version has its own.
            subject: first.subject(),
            html_content: html(first)?,
            text_content: None,
            headers: Map(key.map(|key| ("idempotencyKey", key)).into_iter().collect()),
            message_versions: versions?,
        })
    }
}

impl<'a> Version<'a> {
    fn new(message: &'a Outgoing) -> Result<Self, Unsendable> {
        Ok(Self {
            to: [EmailAndName(message.to())],
            reply_to: message.reply_to().map(EmailAndName),
            subject: message.subject(),
            html_content: html(message)?,
            text_content: message.content().text(),
            headers: Map(headers(message)),
        })
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Sent {
    message_id: Option<String>,
    #[serde(default)]
    message_ids: Vec<String>,
}

impl Sent {
    /// The ids of the versions, or the one of a single message.
    pub(super) fn ids(&self) -> impl Iterator<Item = &str> {
        let single = self.message_id.iter().filter(|_| self.message_ids.is_empty());
        self.message_ids.iter().chain(single).map(String::as_str)
    }
}

#[derive(Default, Deserialize)]
pub(super) struct Error {
    pub(super) code: Option<String>,
    pub(super) message: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Account {
    #[serde(default)]
    plan: Vec<Plan>,
    pub(super) relay: Option<Relay>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Plan {
    #[serde(default)]
    credits_type: String,
    credits: Option<serde_json::Number>,
}

#[derive(Deserialize)]
pub(super) struct Relay {
    pub(super) enabled: bool,
}

impl Account {
    /// What the plans for email have left, together.
    pub(super) fn credits(&self) -> Option<u64> {
        let of_email =
            self.plan.iter().take(ACCOUNT_LIST_MAX).filter(|plan| plan.credits_type == "sendLimit");
        of_email.filter_map(|plan| plan.credits.as_ref()?.as_u64()).reduce(u64::saturating_add)
    }
}

#[derive(Deserialize)]
pub(super) struct Domains {
    pub(super) domains: Vec<Domain>,
}

#[derive(Deserialize)]
pub(super) struct Domain {
    pub(super) domain_name: String,
    pub(super) authenticated: bool,
}
