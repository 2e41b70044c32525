//! JSON bodies of requests (RFC 8259): one way to write them, so that limits and order hold everywhere.
//!
//! Keys keep the order in which the service documents them. The ways in are [`body`] and [`Map`].
//! Invariant: a body over the service's limit is refused here, before it is sent.

use serde::{Serialize, Serializer};
use waxseal_proto::name::DomainName;

use crate::address::NamedAddress;
use crate::http::{HTTPS_PORT, HttpRequest, Method};
use crate::service::Unsendable;

/// Writes a body of at most `max_octets`.
pub(crate) fn body(value: &impl Serialize, max_octets: usize) -> Result<Vec<u8>, Unsendable> {
    let body = serde_json::to_vec(value).map_err(|_| Unsendable::Encoding)?;
    if body.len() > max_octets { Err(Unsendable::TooLarge { max_octets }) } else { Ok(body) }
}

/// A `GET` without headers.
pub(crate) fn get(host: &DomainName, path_and_query: String) -> HttpRequest {
    HttpRequest {
        method: Method::Get,
        host: host.clone(),
        port: HTTPS_PORT,
        path_and_query,
        headers: Vec::new(),
        body: Vec::new(),
    }
}

/// A `POST` without headers.
pub(crate) fn post(host: &DomainName, path_and_query: String, body: Vec<u8>) -> HttpRequest {
    HttpRequest { method: Method::Post, body, ..get(host, path_and_query) }
}

/// Texts by name, in the order given.
#[derive(Clone, Debug)]
pub(crate) struct Map<'a>(pub(crate) Vec<(&'a str, &'a str)>);

impl Map<'_> {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Serialize for Map<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().copied())
    }
}

/// `{email, name}`, as SendGrid and Brevo write a mailbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct EmailAndName<'a>(pub(crate) &'a NamedAddress);

impl Serialize for EmailAndName<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let email = std::iter::once(("email", self.0.address().as_str()));
        serializer.collect_map(email.chain(self.0.name().map(|name| ("name", name))))
    }
}
