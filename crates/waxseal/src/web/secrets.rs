//! The page behind a link by which a person enters the secret of one connection. The link alone opens it; it shows
//! no more than is needed to know what the secret is for, and what is entered is never shown again.

use super::frame::{Frame, Message, Place, page, private};
use crate::escape;
use crate::http::Site;
use crate::limits::SECRET_FIELDS_MAX;
use askama::Template;
use axum::extract::{Form, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use std::collections::BTreeMap;
use std::sync::Arc;
use waxseal_app::connections::Fault;
use waxseal_app::secret_link::{Asked, SMTP_FIELD, SecretLinkError, TokenHash, enter, look};
use waxseal_app::store::{Secret, Zeroizing};

#[derive(Template)]
#[template(path = "secret.html")]
struct Page<'a> {
    frame: Frame<'a>,
    title: &'static str,
    asked_by: String,
    name: String,
    goes_to: String,
    user: Option<String>,
    ends_at: String,
    ends_at_words: String,
    replaces: bool,
    revision: u64,
    token: String,
    fields: Vec<FieldRow>,
    problem: Option<String>,
}

struct FieldRow {
    id: String,
    name: &'static str,
    label: String,
    required: bool,
}

impl FieldRow {
    fn of((name, required): (&'static str, bool)) -> Self {
        let label = if name == SMTP_FIELD {
            "Password or token".to_owned()
        } else {
            capital(&name.replace('-', " "))
        };
        let label = if required { label } else { format!("{label} (optional)") };
        Self { id: format!("secret-{name}"), name, label, required }
    }
}

fn form<'a>(site: &'a Site, asked: &Asked, token: &str, problem: Option<String>) -> Page<'a> {
    Page {
        frame: Frame::of(site).at(Place::Account).noindex(),
        title: "A secret is asked for",
        asked_by: escape::line(&capital(&asked.asked_by)),
        name: escape::line(&asked.name),
        goes_to: escape::line(&asked.goes_to),
        user: asked.user.as_deref().map(escape::line),
        ends_at: asked.ends_at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        ends_at_words: asked.ends_at.strftime("%Y-%m-%d %H:%M UTC").to_string(),
        replaces: asked.replaces,
        revision: asked.revision,
        token: escape::line(token),
        fields: asked.fields.iter().copied().map(FieldRow::of).collect(),
        problem,
    }
}

/// `GET /secrets/{token}`.
pub(super) async fn show(State(site): State<Arc<Site>>, Path(token): Path<String>) -> Response {
    match look(&site.data, TokenHash::of(&token), site.now()).await {
        Ok(asked) => private(page(&site, &form(&site, &asked, &token, None))),
        Err(error) => problem(&site, &error),
    }
}

/// `POST /secrets/{token}`.
pub(super) async fn store(
    State(site): State<Arc<Site>>,
    Path(token): Path<String>,
    Form(fields): Form<BTreeMap<String, String>>,
) -> Response {
    let hash = TokenHash::of(&token);
    let revision = fields.get("revision").and_then(|text| text.parse().ok()).unwrap_or_default();
    let entered = fields
        .into_iter()
        .filter(|(name, _)| name != "revision")
        .take(SECRET_FIELDS_MAX)
        .map(|(name, text)| (name, Secret::new(Zeroizing::new(text))))
        .collect();
    match enter(&site.data, hash, (entered, revision), site.now()).await {
        Ok(asked) => {
            let message = Message {
                frame: Frame::of(&site).at(Place::Account).noindex(),
                title: "It is stored".to_owned(),
                text: format!(
                    "The connection “{}” has its secret now. This link does not work any more.",
                    escape::line(&asked.name)
                ),
                next: None,
            };
            private(page(&site, &message))
        }
        Err(error @ (SecretLinkError::Changed | SecretLinkError::Connections(_))) => {
            // The link still works: the page is shown as it is now, with what is wrong.
            let Ok(asked) = look(&site.data, hash, site.now()).await else {
                return problem(&site, &error);
            };
            let template = form(&site, &asked, &token, Some(told(&site, &error)));
            private((status(&error), page(&site, &template)).into_response())
        }
        Err(error) => problem(&site, &error),
    }
}

fn status(error: &SecretLinkError) -> StatusCode {
    match error.fault() {
        Fault::Conflict => StatusCode::CONFLICT,
        Fault::Input => StatusCode::UNPROCESSABLE_ENTITY,
        Fault::Machine => StatusCode::INTERNAL_SERVER_ERROR,
        Fault::NotFound => StatusCode::NOT_FOUND,
    }
}

/// The error in words; a fault of ours is logged and not told.
fn told(site: &Site, error: &SecretLinkError) -> String {
    if error.fault() == Fault::Machine {
        site.fault("store a secret", error);
        return "It could not be stored here. Whoever runs this server finds out why in the log."
            .to_owned();
    }
    let hint = error.hint().map(|hint| format!(" {}.", capital(&hint))).unwrap_or_default();
    escape::line(&format!("{}.{hint}", capital(&error.to_string())))
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}", chars.as_str())
}

fn problem(site: &Site, error: &SecretLinkError) -> Response {
    let message = Message {
        frame: Frame::of(site).at(Place::Account).noindex(),
        title: "This did not work".to_owned(),
        text: told(site, error),
        next: None,
    };
    private((status(error), page(site, &message)).into_response())
}
