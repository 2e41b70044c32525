//! Why a request was refused, as a problem document (RFC 9457): a code that programs can rely on, what to do
//! next, and the guide that explains it.

use axum::extract::rejection::JsonRejection;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use std::time::Duration;
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};
use waxseal_app::tokens::Scope;
use waxseal_check::report::wire::ReportV1;

/// A refusal.
#[derive(Clone, Debug)]
pub(super) struct Problem(Box<Told>);

impl PartialSchema for Problem {
    fn schema() -> RefOr<Schema> {
        Told::schema()
    }
}

impl ToSchema for Problem {}

/// What a refusal says.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct Told {
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
    /// The field of the body, the word of the query or the header that is wrong.
    field: Option<String>,
    #[serde(skip)]
    retry_after: Option<Duration>,
    #[serde(skip)]
    authenticate: Option<String>,
}

impl Problem {
    /// A refusal with a code.
    pub(super) fn new(status: StatusCode, code: &str, title: &str) -> Self {
        Self(Box::new(Told {
            kind: "about:blank".to_owned(),
            title: title.to_owned(),
            status: status.as_u16(),
            detail: None,
            code: code.to_owned(),
            hint: None,
            guide: None,
            field: None,
            retry_after: None,
            authenticate: None,
        }))
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

    /// Nobody comes in here without a token (RFC 6750 §3).
    pub(super) fn no_token() -> Self {
        Self::unknown(("token-needed", "This needs a token"))
            .hint("send Authorization: Bearer TOKEN; a person makes one with: waxseal token create")
    }

    /// This is for those who show a token.
    pub(super) fn unknown((code, title): (&str, &str)) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, code, title)
            .authenticate("Bearer realm=\"waxseal\"".to_owned())
    }

    /// The token never was, ended, or was revoked.
    pub(super) fn wrong_token() -> Self {
        let status = StatusCode::UNAUTHORIZED;
        Self::new(status, "token-wrong", "This token lets nobody in")
            .hint("it may be mistyped, revoked or past its end; a person makes a new one")
            .authenticate("Bearer realm=\"waxseal\", error=\"invalid_token\"".to_owned())
    }

    /// The token may not do this.
    pub(super) fn scope(scope: Scope) -> Self {
        let scope = scope.as_str();
        Self::new(StatusCode::FORBIDDEN, "scope-missing", "This token may not do this")
            .detail(format!("this needs the scope {scope}"))
            .hint("a person makes a token that has it with: waxseal token create --scope")
            .authenticate(format!(
                "Bearer realm=\"waxseal\", error=\"insufficient_scope\", scope=\"{scope}\""
            ))
    }

    /// With what to do next.
    pub(super) fn hint(mut self, hint: &str) -> Self {
        self.0.hint = Some(hint.to_owned());
        self
    }

    /// With what is wrong with this request.
    pub(super) fn detail(mut self, detail: String) -> Self {
        self.0.detail = Some(detail);
        self
    }

    /// With the field that is wrong.
    pub(super) fn field(mut self, field: &str) -> Self {
        self.0.field = Some(field.to_owned());
        self
    }

    fn authenticate(mut self, challenge: String) -> Self {
        self.0.authenticate = Some(challenge);
        self
    }

    /// Once this time has passed, the request may be repeated.
    pub(super) fn retry_after(mut self, wait: Duration) -> Self {
        self.0.retry_after = Some(wait);
        self
    }

    /// The finding about an input that cannot be checked.
    pub(super) fn of_input(report: &ReportV1) -> Self {
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        report.findings.first().map_or_else(
            || Self::new(status, "input", "This cannot be checked"),
            |finding| {
                let mut problem = Self::new(status, &finding.code, &finding.title);
                finding.page.clone_into(&mut problem.0.kind);
                problem.0.detail = finding.evidence.first().cloned();
                problem.0.hint = finding.fix.first().cloned();
                problem.0.guide = Some(finding.guide.clone());
                problem
            },
        )
    }
}

impl From<JsonRejection> for Problem {
    fn from(rejection: JsonRejection) -> Self {
        let text = rejection.body_text();
        let mut problem = Self::new(rejection.status(), "bad-body", "The body cannot be read");
        problem.0.field = field_of(&text);
        problem.detail(text)
    }
}

/// The field that a fault of a body names: the path before the problem, or the name of a field that is missing or
/// not known.
fn field_of(text: &str) -> Option<String> {
    let (_, told) = text.split_once("target type: ")?;
    let (path, problem) = told.split_once(": ").unwrap_or(("", told));
    let is_path = !path.contains(' ');
    let problem = if is_path { problem } else { told };
    let path = if is_path { path } else { "" };
    let name = ["unknown field `", "missing field `"].iter().find_map(|words| {
        let (_, after) = problem.split_once(words)?;
        after.split_once('`').map(|(name, _)| name)
    });
    match (path, name) {
        ("", name) => name.map(str::to_owned),
        // The path of an unknown field has it as its end already.
        (path, Some(name)) if !path.ends_with(name) => Some(format!("{path}.{name}")),
        (path, _) => Some(path.to_owned()),
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::BAD_REQUEST);
        let text = serde_json::to_string(&self.0).unwrap_or_default();
        let mut response = (
            status,
            [(header::CONTENT_TYPE, "application/problem+json")],
            crate::escape::json(&text),
        )
            .into_response();
        let challenge = self.0.authenticate.as_deref().map(HeaderValue::from_str);
        if let Some(Ok(challenge)) = challenge {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        if let Some(wait) = self.0.retry_after {
            let seconds = HeaderValue::from(wait.as_secs() + 1);
            response.headers_mut().insert(header::RETRY_AFTER, seconds);
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_of_a_body_names_its_field() {
        let start = "Failed to deserialize the JSON body into the target type: ";
        for (text, field) in [
            ("port: invalid type: string \"x\", expected u16 at line 1 column 9", Some("port")),
            ("settings.region: invalid type: integer `1`", Some("settings.region")),
            ("prot: unknown field `prot`, expected one of `port`, `host`", Some("prot")),
            ("unknown field `prot`, expected `port`", Some("prot")),
            ("missing field `domain` at line 1 column 2", Some("domain")),
            ("invalid type: integer `1`, expected struct NewCheck", None),
        ] {
            assert_eq!(field_of(&format!("{start}{text}")).as_deref(), field, "{text}");
        }
        assert_eq!(field_of("Failed to parse the request body as JSON: EOF"), None);
    }
}
