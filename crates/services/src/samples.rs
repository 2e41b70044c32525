//! Messages, settings and answers for the tests of this crate (RFC 2606 names only).
//! The ways in are [`message`] and [`connection`]; nothing here is part of the product.

use jiff::Timestamp;
use waxseal_proto::secret::Secret;

use crate::address::{EmailAddress, NamedAddress};
use crate::header::{HeaderName, HeaderText};
use crate::http::{Completeness, HeaderContent, HttpRequest, HttpResponse};
use crate::message::{Content, Outgoing, Parties, Reference, Subject};
use crate::service::{DeliveryService, ServiceId, Settings, connect};

/// The key of every sample connection.
pub(crate) const KEY: &str = "sample-key-0123456789";

pub(crate) fn at() -> Timestamp {
    "2026-01-05T10:00:00Z".parse().unwrap()
}

pub(crate) fn mailbox(address: &str, name: &str) -> NamedAddress {
    NamedAddress::new(EmailAddress::parse(address).unwrap(), name).unwrap()
}

/// A message to `to` with one custom header.
pub(crate) fn message_to(to: &str, reference: &str) -> Outgoing {
    let parties = Parties {
        from: mailbox("news@example.com", "Example News"),
        to: mailbox(to, ""),
        reply_to: Some(mailbox("help@example.com", "")),
    };
    let content = Content::new("Hello", "<p>Hello</p>").unwrap();
    let reference = Reference::parse(reference).unwrap();
    Outgoing::new(parties, Subject::parse("A test").unwrap(), content, reference)
        .with_header(
            HeaderName::parse("List-Unsubscribe").unwrap(),
            HeaderText::parse("<https://example.com/u/1>").unwrap(),
        )
        .unwrap()
}

pub(crate) fn message() -> Outgoing {
    message_to("anna@example.net", "r-1")
}

/// A connection with the fewest settings.
pub(crate) fn connection(id: ServiceId, plain: &[(&str, &str)]) -> Box<dyn DeliveryService> {
    let mut settings = Settings::default();
    for (name, value) in plain {
        settings.plain.insert((*name).to_string(), (*value).to_string());
    }
    let secret = id.fields().iter().find(|field| field.is_secret()).unwrap();
    settings.secret.insert(secret.name.to_string(), Secret::new(KEY.to_string()));
    connect(id, &settings).unwrap()
}

pub(crate) fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> HttpResponse {
    let headers = headers.iter().map(|(name, value)| ((*name).to_string(), (*value).to_string()));
    HttpResponse::new(status, headers, body.as_bytes().to_vec(), Completeness::Whole)
}

/// A request as it stands on the wire, without what the executor adds.
pub(crate) fn wire(request: &HttpRequest) -> String {
    let first = format!(
        "{} https://{}{}\n",
        request.method.as_str(),
        request.host.as_str(),
        request.path_and_query
    );
    let headers = request.headers.iter().map(|header| match &header.value {
        HeaderContent::Plain(value) => format!("{}: {value}\n", header.name),
        HeaderContent::Secret(value) => format!("{}: (secret) {}\n", header.name, value.expose()),
    });
    let headers: Vec<String> = headers.collect();
    format!("{first}{}\n{}", headers.concat(), String::from_utf8_lossy(&request.body))
}
