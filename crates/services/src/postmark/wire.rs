//! Postmark's JSON (RFC 8259), field by field as its documentation names it.
//!
//! Nothing is judged here; [`super`] does that. Invariant: an answer that lacks a field that decides
//! acceptance does not parse.

use serde::{Deserialize, Serialize};

use super::Outgoing;
use crate::json::Map;

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Email<'a> {
    from: String,
    to: String,
    subject: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    html_body: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text_body: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reply_to: Option<String>,
    metadata: Map<'a>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    headers: Vec<Header<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message_stream: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Header<'a> {
    name: &'a str,
    value: &'a str,
}

impl<'a> Email<'a> {
    pub(super) fn new(message: &'a Outgoing, message_stream: Option<&'a str>) -> Self {
        Self {
            from: message.from().to_header(),
            to: message.to().to_header(),
            subject: message.subject(),
            html_body: message.content().html(),
            text_body: message.content().text(),
            reply_to: message.reply_to().map(crate::address::NamedAddress::to_header),
            metadata: Map(vec![("waxseal-reference", message.reference())]),
            headers: message.headers().map(|(name, value)| Header { name, value }).collect(),
            message_stream,
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Entry {
    pub(super) error_code: i64,
    #[serde(default)]
    pub(super) message: String,
    #[serde(rename = "MessageID")]
    pub(super) message_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Stream {
    message_stream_type: String,
    archived_at: Option<String>,
}

impl Stream {
    pub(super) fn takes_mail(&self) -> bool {
        self.message_stream_type != "Inbound" && self.archived_at.is_none()
    }
}

/// The answer has the server's tokens too; they are not read.
#[derive(Deserialize)]
pub(super) struct Server {
    #[serde(rename = "DeliveryType")]
    pub(super) delivery_type: String,
}
