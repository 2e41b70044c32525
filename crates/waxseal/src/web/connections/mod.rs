//! `/connections`: connections are listed, added, shown, tested, changed and removed. Each handler calls one use
//! case and fills one template; roles decide who may do what, forms carry the token of their session, and an
//! identifier of another workspace is as unknown as one that never was. No secret reaches a template.

mod change;
mod exception;
mod fields;
mod jobs;
mod received;
mod show;
mod typed;
mod write;

use super::frame::{Frame, Message, Place, page};
use crate::cli::error::chain;
use crate::escape;
use crate::http::{Site, Visitor, to_the_end};
use crate::limits::UPLOAD_OCTETS_MAX;
use axum::Router;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use std::sync::Arc;
use waxseal_app::audit;
use waxseal_app::connections::wire::ConnectionView;
use waxseal_app::connections::{self, ConnectionsError, Fault};
use waxseal_app::store::Data;
use waxseal_app::users::Role;

/// The addresses that wait for nothing but this program.
pub(super) fn routes() -> Router<Arc<Site>> {
    Router::new()
        .route("/connections", get(show::list))
        .route("/connections/new", get(write::choose))
        .route("/connections/new/{way}", get(write::new_form).post(write::add))
        .route("/connections/warnings", get(write::warnings))
        .route("/connections/{id}", get(show::one))
        .route("/connections/{id}/edit", get(write::edit_form).post(write::edit))
        .route("/connections/{id}/use", post(change::set_use))
        .route("/connections/{id}/apply", post(change::apply))
        .route("/connections/{id}/remove", get(change::remove_form).post(change::remove))
        .route("/connections/{id}/exception", get(exception::form).post(exception::grant))
        .route(
            "/connections/{id}/received",
            post(received::upload).layer(DefaultBodyLimit::max(UPLOAD_OCTETS_MAX)),
        )
        .route("/connections/{id}/tests/{job}", get(jobs::show))
}

/// The addresses that wait for a server or a service elsewhere.
pub(super) fn waiting_routes() -> Router<Arc<Site>> {
    Router::new()
        .route("/connections/{id}/test", post(jobs::test))
        .route("/connections/{id}/verify", post(jobs::verify))
        .route("/connections/{id}/tests/{job}/events", get(jobs::events))
        .layer(middleware::from_fn(to_the_end))
}

/// Why a handler answers with something else than its page.
struct Instead(Box<Response>);

impl IntoResponse for Instead {
    fn into_response(self) -> Response {
        *self.0
    }
}

type Answer = Result<Response, Instead>;

/// Whoever is signed in, and what the workspace of this person holds.
struct Desk {
    site: Arc<Site>,
    visitor: Visitor,
    data: Data,
}

impl Desk {
    async fn open(site: Arc<Site>, visitor: Visitor) -> Result<Self, Instead> {
        match site.data_of(visitor.user()).await {
            Ok(data) => Ok(Self { site, visitor, data }),
            Err(error) => {
                site.fault("open what a workspace holds", &error);
                Err(failed_here(&site))
            }
        }
    }

    /// For somebody of at least this role only.
    fn needs(&self, role: Role) -> Result<(), Instead> {
        if self.visitor.is(role) {
            return Ok(());
        }
        let text = match role {
            Role::Owner => "Owners add, change and remove connections.",
            Role::Sender | Role::Viewer => "Senders and owners test connections.",
        };
        Err(self.said(StatusCode::FORBIDDEN, "Your role does not allow this", text))
    }

    /// For a form of this session only.
    fn sent(&self, form_token: &str) -> Result<(), Instead> {
        if self.visitor.sent(form_token) {
            return Ok(());
        }
        let text = "Go back, load the page again, and send the form once more.";
        Err(self.said(StatusCode::FORBIDDEN, "This form is out of date", text))
    }

    /// The connection of this identifier; a name is none.
    async fn connection(&self, id: &str) -> Result<ConnectionView, Instead> {
        match connections::show(&self.data, id, self.site.now()).await {
            Ok(view) if view.id == id => Ok(view),
            Ok(_) => Err(self.missing().await),
            Err(error) => Err(self.failed(&error).await),
        }
    }

    async fn missing(&self) -> Instead {
        Instead(Box::new(super::not_found(State(Arc::clone(&self.site))).await))
    }

    /// What a use case could not do, as a page of its own.
    async fn failed(&self, error: &ConnectionsError) -> Instead {
        match error.fault() {
            Fault::NotFound => self.missing().await,
            Fault::Machine => {
                self.site.fault("handle a connection", error);
                failed_here(&self.site)
            }
            fault @ (Fault::Conflict | Fault::Input) => {
                let text = sentence(&chain(error), error.hint().as_deref());
                self.said(status(fault), "This did not work", &text)
            }
        }
    }

    fn said(&self, status: StatusCode, title: &str, text: &str) -> Instead {
        let message = Message {
            frame: self.frame(),
            title: title.to_owned(),
            text: escape::line(text),
            next: Some(("/connections", "To the connections")),
        };
        Instead(Box::new(private((status, page(&self.site, &message)).into_response())))
    }

    fn frame(&self) -> Frame<'_> {
        Frame::of(&self.site).at(Place::Connections).noindex()
    }

    /// What forms of this session carry.
    fn form_token(&self) -> String {
        self.visitor.session.form_token.clone()
    }

    fn who(&self) -> &str {
        &self.visitor.user().name
    }

    /// Notes a change. One that cannot be noted was made all the same.
    async fn note(&self, what: &str, subject: &str) {
        let noted = audit::note(&self.data, self.who(), what, subject, self.site.now()).await;
        if let Err(error) = noted {
            self.site.fault("note a change", &error);
        }
    }
}

/// This program could not do its own job.
fn failed_here(site: &Site) -> Instead {
    let message = Message {
        frame: Frame::of(site).at(Place::Connections).noindex(),
        title: "This did not work".to_owned(),
        text: "The fault is on this server. Whoever runs it finds the reason in its log."
            .to_owned(),
        next: Some(("/connections", "To the connections")),
    };
    let response = (StatusCode::INTERNAL_SERVER_ERROR, page(site, &message)).into_response();
    Instead(Box::new(private(response)))
}

const fn status(fault: Fault) -> StatusCode {
    match fault {
        Fault::Conflict => StatusCode::CONFLICT,
        Fault::Input => StatusCode::UNPROCESSABLE_ENTITY,
        Fault::Machine => StatusCode::SERVICE_UNAVAILABLE,
        Fault::NotFound => StatusCode::NOT_FOUND,
    }
}

/// Neither kept by proxies nor by the browser.
fn private(mut response: Response) -> Response {
    let no_store = HeaderValue::from_static("no-store");
    response.headers_mut().insert(header::CACHE_CONTROL, no_store);
    response
}

/// A problem with what to do next, as sentences. What is said in terms of the command line stays out.
fn sentence(problem: &str, hint: Option<&str>) -> String {
    let hint = hint.filter(|hint| !hint.contains("--") && !hint.contains("waxseal "));
    let mut out = capital(problem);
    out.push('.');
    if let Some(hint) = hint {
        out.push(' ');
        out.push_str(&capital(hint));
        out.push('.');
    }
    out
}

fn capital(text: &str) -> String {
    let mut chars = text.trim_end_matches('.').chars();
    let first = chars.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}", chars.as_str())
}

/// A time as templates take it: for programs, and in words.
struct Moment {
    at: String,
    words: String,
}

impl Moment {
    /// A time of the wire.
    fn of(at: &str) -> Self {
        let words = at.parse::<jiff::Timestamp>().map_or_else(
            |_| escape::line(at),
            |time| time.strftime("%Y-%m-%d %H:%M UTC").to_string(),
        );
        Self { at: escape::line(at), words }
    }
}
