//! What a request brings: a JSON body whose faults name the field, a part of its path, the words behind `?`. Each
//! fault is a problem document.

use super::problem::Problem;
use crate::http::Site;
use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Json, Path, Query, Request};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use serde::de::DeserializeOwned;
use std::sync::Arc;
use waxseal_app::once::RequestKey;

/// The header that names a request.
const KEY: &str = "idempotency-key";

/// A JSON body, and its octets.
pub(super) struct Body<T> {
    pub(super) value: T,
    pub(super) octets: Bytes,
}

impl<T: DeserializeOwned> FromRequest<Arc<Site>> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, site: &Arc<Site>) -> Result<Self, Problem> {
        let kind = request.headers().get(header::CONTENT_TYPE);
        let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim();
        if !kind.eq_ignore_ascii_case("application/json") {
            let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
            return Err(Problem::new(status, "not-json", "The body is not said to be JSON")
                .hint("send Content-Type: application/json"));
        }
        let octets = Bytes::from_request(request, site).await.map_err(|rejection| {
            let too_large = rejection.status() == StatusCode::PAYLOAD_TOO_LARGE;
            let title = if too_large { "The body is too large" } else { "The body did not arrive" };
            Problem::new(rejection.status(), "bad-body", title)
        })?;
        let first = octets.iter().find(|octet| !octet.is_ascii_whitespace());
        // serde would take the fields of an object from a list too.
        if first.is_some_and(|octet| matches!(octet, b'[' | b'"' | b'0'..=b'9' | b'-')) {
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            return Err(Problem::new(status, "bad-body", "The body is no JSON object"));
        }
        let Json(value) = Json::<T>::from_bytes(&octets)?;
        Ok(Self { value, octets })
    }
}

/// The one varying part of a path.
pub(super) struct Part(pub(super) String);

impl FromRequestParts<Arc<Site>> for Part {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, site: &Arc<Site>) -> Result<Self, Problem> {
        let part = Path::<String>::from_request_parts(parts, site).await;
        // What is no text is the name of nothing.
        part.map(|Path(part)| Self(part)).map_err(|_| Problem::not_found("address"))
    }
}

/// The words behind `?`.
pub(super) struct Words<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequestParts<Arc<Site>> for Words<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, site: &Arc<Site>) -> Result<Self, Problem> {
        let words = Query::<T>::from_request_parts(parts, site).await;
        words.map(|Query(words)| Self(words)).map_err(|rejection| {
            Problem::new(StatusCode::BAD_REQUEST, "bad-query", "The query cannot be read")
                .detail(rejection.body_text())
        })
    }
}

/// The request line, and the key that names the request.
pub(super) struct Keyed {
    pub(super) key: Option<RequestKey>,
    pub(super) line: String,
}

impl FromRequestParts<Arc<Site>> for Keyed {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<Site>) -> Result<Self, Problem> {
        let wrong = |problem: String| {
            Problem::new(StatusCode::BAD_REQUEST, "bad-key", "The Idempotency-Key cannot be one")
                .detail(problem)
                .field("Idempotency-Key")
        };
        let mut all = parts.headers.get_all(KEY).iter();
        let key = match (all.next(), all.next()) {
            (None, _) => None,
            (Some(_), Some(_)) => return Err(wrong("there are two of them".to_owned())),
            (Some(key), None) => {
                let key = RequestKey::parse(key.to_str().unwrap_or_default());
                Some(key.map_err(|error| wrong(error.to_string()))?)
            }
        };
        Ok(Self { key, line: format!("{} {}", parts.method, parts.uri.path()) })
    }
}
