//! SendGrid's JSON (RFC 8259), field by field as its documentation names it.
//!
//! Nothing is judged here; [`super`] does that. Invariant: an answer that lacks a field that decides
//! acceptance does not parse.

use serde::{Deserialize, Serialize};

use super::{Outgoing, Unsendable};
use crate::json::{EmailAndName, Map};
use crate::limits::ACCOUNT_LIST_MAX;

#[derive(Serialize)]
pub(super) struct Send<'a> {
    personalizations: Vec<Personalization<'a>>,
    from: EmailAndName<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reply_to: Option<EmailAndName<'a>>,
    subject: &'a str,
    content: Vec<Content<'a>>,
}

#[derive(Serialize)]
struct Personalization<'a> {
    to: [EmailAndName<'a>; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<&'a str>,
    #[serde(skip_serializing_if = "Map::is_empty")]
    headers: Map<'a>,
    custom_args: Map<'a>,
}

#[derive(Serialize)]
struct Content<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    value: &'a str,
}

impl<'a> Send<'a> {
    /// One content for all; what may differ goes into the personalizations.
    pub(super) fn new(messages: &'a [Outgoing]) -> Result<Self, Unsendable> {
        let first = messages.first().ok_or(Unsendable::Count)?;
        for message in messages {
            if message.from() != first.from() || message.reply_to() != first.reply_to() {
                return Err(Unsendable::Differ("from or reply-to"));
            }
            if message.content() != first.content() {
                return Err(Unsendable::Differ("bodies"));
            }
        }
        let text = first.content().text().map(|value| Content { kind: "text/plain", value });
        let html = first.content().html().map(|value| Content { kind: "text/html", value });
        Ok(Self {
            personalizations: messages
                .iter()
                .map(|message| Personalization {
                    to: [EmailAndName(message.to())],
                    subject: Some(message.subject()).filter(|subject| *subject != first.subject()),
                    headers: Map(message.headers().collect()),
                    custom_args: Map(vec![("waxseal-reference", message.reference())]),
                })
                .collect(),
            from: EmailAndName(first.from()),
            reply_to: first.reply_to().map(EmailAndName),
            subject: first.subject(),
            content: text.into_iter().chain(html).collect(),
        })
    }
}

#[derive(Default, Deserialize)]
pub(super) struct Errors {
    #[serde(default)]
    pub(super) errors: Vec<Error>,
}

#[derive(Deserialize)]
pub(super) struct Error {
    pub(super) message: Option<String>,
    pub(super) field: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Scopes {
    scopes: Vec<String>,
}

impl Scopes {
    pub(super) fn may_send(&self) -> bool {
        self.scopes.iter().take(ACCOUNT_LIST_MAX).any(|scope| scope == "mail.send")
    }
}

#[derive(Deserialize)]
pub(super) struct Credits {
    pub(super) remain: u64,
    pub(super) total: u64,
}

#[derive(Deserialize)]
pub(super) struct Domain {
    pub(super) domain: String,
    pub(super) valid: bool,
}

#[derive(Deserialize)]
pub(super) struct EnforcedTls {
    pub(super) require_tls: bool,
    pub(super) require_valid_cert: bool,
}
