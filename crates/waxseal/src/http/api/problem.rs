//! Why a request was refused, as a problem document (RFC 9457): a code that programs can rely on, what to do
//! next, and the guide that explains it.

use axum::extract::rejection::JsonRejection;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use std::time::Duration;
use utoipa::ToSchema;
use waxseal_check::report::wire::ReportV1;

/// A refusal.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct Problem {
    /// The page that explains it, or `about:blank`.
    #[serde(rename = "type")]
    kind: String,
    /// What is wrong, in a few words.
    title: String,
    /// The status of the answer.
    status: u16,
    /// What is wrong with this request.
    detail: Option<String>,
    /// A word that never changes its meaning.
    code: String,
    /// What to do next.
    hint: Option<String>,
    /// The guide section about it, `page#section`.
    guide: Option<String>,
    #[serde(skip)]
    retry_after: Option<Duration>,
}

impl Problem {
    /// A refusal with a code.
    pub(super) fn new(status: StatusCode, code: &str, title: &str) -> Self {
        Self {
            kind: "about:blank".to_owned(),
            title: title.to_owned(),
            status: status.as_u16(),
            detail: None,
            code: code.to_owned(),
            hint: None,
            guide: None,
            retry_after: None,
        }
    }

    /// Nothing is there, or nothing that this client may see.
    pub(super) fn not_found(what: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not-found", &format!("There is no such {what}"))
    }

    /// This program could not do its own job.
    pub(super) fn broken() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "This did not work")
            .hint("The fault is on this server. Try again later")
    }

    /// With what to do next.
    pub(super) fn hint(mut self, hint: &str) -> Self {
        self.hint = Some(hint.to_owned());
        self
    }

    /// Once this time has passed, the request may be repeated.
    pub(super) fn retry_after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self
    }

    /// The finding about an input that cannot be checked.
    pub(super) fn of_input(report: &ReportV1) -> Self {
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        report.findings.first().map_or_else(
            || Self::new(status, "input", "This cannot be checked"),
            |finding| Self {
                kind: finding.page.clone(),
                detail: finding.evidence.first().cloned(),
                hint: finding.fix.first().cloned(),
                guide: Some(finding.guide.clone()),
                ..Self::new(status, &finding.code, &finding.title)
            },
        )
    }
}

impl From<JsonRejection> for Problem {
    /// The text names the field.
    fn from(rejection: JsonRejection) -> Self {
        Self {
            detail: Some(rejection.body_text()),
            ..Self::new(rejection.status(), "bad-body", "The body cannot be read")
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::BAD_REQUEST);
        let text = serde_json::to_string(&self).unwrap_or_default();
        let mut response = (
            status,
            [(header::CONTENT_TYPE, "application/problem+json")],
            crate::escape::json(&text),
        )
            .into_response();
        if let Some(wait) = self.retry_after {
            let seconds = HeaderValue::from(wait.as_secs() + 1);
            response.headers_mut().insert(header::RETRY_AFTER, seconds);
        }
        response
    }
}
