//! `/connections/{id}/received`: the message of a test as it arrived, from a file or pasted, shows which of the
//! further hops used TLS. The message itself is not kept.

use super::jobs::job_page;
use super::{Answer, Desk, sentence};
use crate::cli::error::chain;
use crate::cli::headers::{self, NO_HEADER, in_words};
use crate::escape;
use crate::http::{Parts, Site, Visitor};
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect};
use serde_json::Value;
use std::sync::Arc;
use waxseal_app::connections::wire::TrialView;
use waxseal_app::connections::{self, ArrivedMessage, Fault};
use waxseal_app::users::Role;

/// What the lines of a test's message say, as its page shows it.
pub(super) struct Arrived {
    pub(super) claim: String,
    pub(super) hops: Vec<Hop>,
    pub(super) left_out: u64,
}

/// One hop.
pub(super) struct Hop {
    pub(super) by: String,
    pub(super) from: String,
    pub(super) protection: &'static str,
    pub(super) class: &'static str,
    pub(super) tls: String,
}

impl Arrived {
    /// What is kept with a test; none where no message was read yet.
    pub(super) fn of(test: &TrialView) -> Option<Self> {
        let claim = crate::cli::connection::arrived(test)?;
        let received = test.detail.get("received")?;
        let hops = received.get("hops")?.as_array()?;
        let left_out = received.get("hops_left_out").and_then(Value::as_u64).unwrap_or_default();
        let hops = hops.iter().map(Hop::of).collect();
        Some(Self { claim: escape::line(&super::capital(&claim)), hops, left_out })
    }
}

impl Hop {
    fn of(hop: &Value) -> Self {
        let text = |name: &str| {
            let value = hop.get(name).and_then(Value::as_str);
            value.map_or_else(|| "not said".to_owned(), escape::line)
        };
        let word = hop.get("protection").and_then(Value::as_str).unwrap_or_default();
        let version = hop.get("tls_version").and_then(Value::as_str);
        let cipher = hop.get("cipher").and_then(Value::as_str).map(escape::line);
        let tls: Vec<String> =
            version.map(|version| format!("TLS {version}")).into_iter().chain(cipher).collect();
        Self {
            by: text("by"),
            from: text("from"),
            protection: in_words(word),
            class: match word {
                "encrypted" => "good",
                "not-encrypted" => "bad",
                _ => "faint",
            },
            tls: tls.join(", "),
        }
    }
}

/// `POST /connections/{id}/received`.
pub(super) async fn upload(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Answer {
    let desk = Desk::open(site, visitor).await?;
    desk.needs(Role::Sender)?;
    let Ok(body) = body else {
        let text = "Paste its header alone: nothing below the first empty line is read.";
        return Err(desk.said(StatusCode::PAYLOAD_TOO_LARGE, "This message is too large", text));
    };
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let parts = kind.and_then(|kind| Parts::read(kind, &body)).unwrap_or_default();
    let read = |name: &str| String::from_utf8_lossy(parts.get(name)).into_owned();
    desk.sent(&read("form_token"))?;
    let view = desk.connection(&id).await?;
    let job = read("test");
    let message = match parts.get("file") {
        [] => parts.get("pasted"),
        file => file,
    };
    let Some(arrived) = headers::Arrived::parse(message) else {
        let problem = sentence("no header field of a message in it", Some(NO_HEADER));
        let mut response = job_page(&desk, &view, &job, Some(problem)).await?;
        *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
        return Ok(response);
    };
    let message_id = arrived.message_id();
    let message = ArrivedMessage { message_id: message_id.as_deref(), path: arrived.path() };
    match connections::note_arrived(&desk.data, &id, message, desk.site.now()).await {
        Ok(test) => {
            let address = format!("/connections/{id}/tests/{}#arrived", test.id);
            Ok(super::private(Redirect::to(&address).into_response()))
        }
        Err(error) if error.fault() == Fault::Input => {
            let problem = escape::line(&sentence(&chain(&error), None));
            let mut response = job_page(&desk, &view, &job, Some(problem)).await?;
            *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
            Ok(response)
        }
        Err(error) => Err(desk.failed(&error).await),
    }
}
