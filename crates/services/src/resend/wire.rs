//! Resend's JSON (RFC 8259), field by field as its documentation names it.
//!
//! Nothing is judged here; [`super`] does that. Invariant: an answer that lacks a field that decides
//! acceptance does not parse.

use serde::{Deserialize, Serialize};

use super::Outgoing;
use crate::json::Map;

#[derive(Serialize)]
pub(super) struct Email<'a> {
    from: String,
    to: [String; 1],
    subject: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    html: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reply_to: Option<String>,
    #[serde(skip_serializing_if = "Map::is_empty")]
    headers: Map<'a>,
    tags: [Tag<'a>; 1],
}

#[derive(Serialize)]
struct Tag<'a> {
    name: &'static str,
    value: &'a str,
}

impl<'a> Email<'a> {
    pub(super) fn new(message: &'a Outgoing) -> Self {
        Self {
            from: message.from().to_header(),
            to: [message.to().to_header()],
            subject: message.subject(),
            html: message.content().html(),
            text: message.content().text(),
            reply_to: message.reply_to().map(crate::address::NamedAddress::to_header),
            headers: Map(message.headers().collect()),
            tags: [Tag { name: "waxseal-reference", value: message.reference() }],
        }
    }
}

#[derive(Deserialize)]
pub(super) struct Sent {
    pub(super) id: String,
}

#[derive(Deserialize)]
pub(super) struct SentBatch {
    pub(super) data: Vec<Sent>,
    #[serde(default)]
    pub(super) errors: Vec<EntryError>,
}

#[derive(Deserialize)]
pub(super) struct EntryError {
    pub(super) index: usize,
    pub(super) message: Option<String>,
}

#[derive(Default, Deserialize)]
pub(super) struct Error {
    pub(super) name: Option<String>,
    pub(super) message: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Domains {
    pub(super) data: Vec<Domain>,
}

#[derive(Deserialize)]
pub(super) struct Domain {
    pub(super) name: String,
    pub(super) status: String,
}
