//! Answers: JSON that no proxy keeps, and answers that are given once more for the same key.

use super::auth::Caller;
use super::body::Keyed;
use super::problem::Problem;
use crate::escape;
use crate::http::Site;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use waxseal_app::once::{self, Begun, Once, OnceError};

/// Says that an answer was given before.
const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// An answer.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Answer {
    #[serde(skip)]
    status: StatusCode,
    location: Option<String>,
    etag: Option<String>,
    body: String,
}

impl Answer {
    /// JSON with this status.
    pub(super) fn of(status: StatusCode, value: &impl Serialize) -> Result<Self, Problem> {
        let body = serde_json::to_string(value).map_err(|_| Problem::broken())?;
        Ok(Self { status, location: None, etag: None, body: escape::json(&body) })
    }

    /// JSON with status 200.
    pub(super) fn ok(value: &impl Serialize) -> Result<Self, Problem> {
        Self::of(StatusCode::OK, value)
    }

    /// With where the thing is.
    pub(super) fn at(mut self, location: String) -> Self {
        self.location = Some(location);
        self
    }

    /// With the revision of the thing.
    pub(super) fn revision(mut self, revision: u64) -> Self {
        self.etag = Some(etag(revision));
        self
    }
}

/// A revision as an entity tag (RFC 9110 §8.8.3).
pub(super) fn etag(revision: u64) -> String {
    format!("\"{revision}\"")
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let mut response = (
            self.status,
            [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")],
            self.body,
        )
            .into_response();
        for (name, text) in [(header::LOCATION, self.location), (header::ETAG, self.etag)] {
            if let Some(value) = text.and_then(|text| HeaderValue::from_str(&text).ok()) {
                response.headers_mut().insert(name, value);
            }
        }
        response
    }
}

/// Does something on its own, whoever waits for it; with a key once, and then its answer is repeated.
pub(super) async fn once(
    site: &Arc<Site>,
    caller: &Caller,
    (keyed, body): (&Keyed, &[u8]),
    work: impl Future<Output = Result<Answer, Problem>> + Send + 'static,
) -> Result<Response, Problem> {
    let Some(key) = &keyed.key else {
        return Ok(alone(work).await?.into_response());
    };
    let request = format!("{}\n{}", keyed.line, String::from_utf8_lossy(body));
    let begun = once::begin(&caller.data, &caller.bearer, (key, &request), site.now()).await;
    let begun = match begun.map_err(|error| refused(site, &error))? {
        Once::Repeated { status, text } => return repeated(status, &text),
        Once::Begun(begun) => begun,
    };
    let site = Arc::clone(site);
    let kept = async move {
        let done = work.await;
        keep(&site, &begun, &done).await;
        done
    };
    Ok(alone(kept).await?.into_response())
}

/// Carries something to its end even when the client goes away.
async fn alone(
    work: impl Future<Output = Result<Answer, Problem>> + Send + 'static,
) -> Result<Answer, Problem> {
    tokio::spawn(work).await.map_err(|_| Problem::broken())?
}

async fn keep(site: &Site, begun: &Begun, done: &Result<Answer, Problem>) {
    let kept = match done {
        Ok(answer) => {
            let text = serde_json::to_string(answer).unwrap_or_default();
            begun.keep(answer.status.as_u16(), &text).await
        }
        // What was refused did nothing: the key is free for the mended request.
        Err(_) => begun.withdraw().await,
    };
    if let Err(error) = kept {
        site.fault("keep an answer", &error);
    }
}

fn repeated(status: u16, text: &str) -> Result<Response, Problem> {
    let answer: Answer = serde_json::from_str(text).map_err(|_| Problem::broken())?;
    let status = StatusCode::from_u16(status).map_err(|_| Problem::broken())?;
    let mut response = Answer { status, ..answer }.into_response();
    response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    Ok(response)
}

fn refused(site: &Site, error: &OnceError) -> Problem {
    match error {
        OnceError::OtherRequest => {
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            Problem::new(status, "key-of-another-request", "This key was used for another request")
                .hint("use a new Idempotency-Key for a new request")
                .field("Idempotency-Key")
        }
        OnceError::UnderWay => {
            Problem::new(StatusCode::CONFLICT, "under-way", "This request is being answered")
                .hint("wait and ask again with the same key")
        }
        OnceError::Key | OnceError::Store(_) | OnceError::Damaged | OnceError::NoRandomness(_) => {
            site.fault("look for a kept answer", error);
            Problem::broken()
        }
    }
}
