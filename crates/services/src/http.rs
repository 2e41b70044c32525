//! A request to carry out and the answer that came (RFC 9110, RFC 9112 §3), as values.
//!
//! The scheme is not a field: it is HTTPS, verified, always. The executor writes `Host`, `Content-Length`
//! and `Connection` itself, adds nothing else, follows no redirect, and cuts an answer at
//! [`crate::limits::RESPONSE_OCTETS_MAX`]. Invariant: no header with a line end can be built, and a secret
//! stays a [`Secret`] until the executor writes it.

use std::fmt;

use waxseal_proto::name::DomainName;
use waxseal_proto::secret::Secret;

use crate::limits::RESPONSE_HEADERS_MAX;

/// The port of every built-in service.
pub const HTTPS_PORT: u16 = 443;

/// The method of a request (RFC 9110 §9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Reads.
    Get,
    /// Sends.
    Post,
}

impl Method {
    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
        }
    }
}

/// The value of a request header: plain, or one that no log may show.
#[derive(Clone, Debug)]
pub enum HeaderContent {
    /// May be shown.
    Plain(String),
    /// A key, a token or a signature made with one.
    Secret(Secret<String>),
}

/// One header of a request.
#[derive(Clone, Debug)]
pub struct RequestHeader {
    /// The name, in the spelling of the service's documentation.
    pub name: &'static str,
    /// The value: visible ASCII and spaces.
    pub value: HeaderContent,
}

/// A request, complete but for what the executor adds.
#[derive(Clone, Debug)]
pub struct HttpRequest {
    /// The method.
    pub method: Method,
    /// The host to connect to and to verify the certificate for; also the `Host` header.
    pub host: DomainName,
    /// The TCP port; the `Host` header names it only when it is not 443.
    pub port: u16,
    /// The path and, after a question mark, the query; percent-encoded already.
    pub path_and_query: String,
    /// Headers in the order in which they are written.
    pub headers: Vec<RequestHeader>,
    /// The body; empty with `GET`.
    pub body: Vec<u8>,
}

impl HttpRequest {
    /// The shown value of a header, or `None` when it is absent or secret. Names compare without case.
    pub fn plain_header(&self, name: &str) -> Option<&str> {
        let header = self.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name))?;
        match &header.value {
            HeaderContent::Plain(value) => Some(value),
            HeaderContent::Secret(_) => None,
        }
    }

    /// Adds a header that may be shown. The value comes from a type that holds no line end.
    pub(crate) fn plain(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push(RequestHeader { name, value: HeaderContent::Plain(value.into()) });
        self
    }

    /// Adds a header that may not be shown.
    pub(crate) fn secret(mut self, name: &'static str, value: String) -> Self {
        let value = HeaderContent::Secret(Secret::new(value));
        self.headers.push(RequestHeader { name, value });
        self
    }
}

/// What came back: the final status, headers and as much of the body as the limit allows. Its `Debug` shows
/// no content, since an answer about an account may hold keys (Postmark's does).
#[derive(Clone, PartialEq, Eq)]
pub struct HttpResponse {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    completeness: Completeness,
}

/// Whether the whole body was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Completeness {
    /// All of it.
    Whole,
    /// The limit or the end of the connection came first.
    Cut,
}

impl fmt::Debug for HttpResponse {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("HttpResponse")
            .field("status", &self.status)
            .field("body_octets", &self.body.len())
            .field("completeness", &self.completeness)
            .finish_non_exhaustive()
    }
}

impl HttpResponse {
    /// An answer. Header names are lowered; headers past the limit are dropped.
    pub fn new(
        status: u16,
        headers: impl IntoIterator<Item = (String, String)>,
        body: Vec<u8>,
        completeness: Completeness,
    ) -> Self {
        let headers = headers
            .into_iter()
            .take(RESPONSE_HEADERS_MAX)
            .map(|(name, value)| (name.to_ascii_lowercase(), value))
            .collect();
        Self { status, headers, body, completeness }
    }

    /// The status code.
    pub const fn status(&self) -> u16 {
        self.status
    }

    /// The first header of that lower-case name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(each, _)| each == name).map(|(_, value)| value.trim())
    }

    /// The body as it came.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// Whether the whole body was read.
    pub const fn completeness(&self) -> Completeness {
        self.completeness
    }

    /// The body as JSON of the expected shape; `None` when it is something else.
    pub(crate) fn json<'a, T: serde::Deserialize<'a>>(&'a self) -> Option<T> {
        serde_json::from_slice(&self.body).ok()
    }

    /// Whether the status says that the request was taken (RFC 9110 §15.3).
    pub(crate) const fn is_success(&self) -> bool {
        matches!(self.status, 200..=299)
    }
}
