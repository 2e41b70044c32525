//! Small changes of a connection: used or not, another pair of port and mode that a test found, and its removal.
//! Each is one form that somebody sends on purpose.

use super::{Answer, Desk, private};
use crate::escape;
use crate::http::{Site, Visitor};
use crate::web::frame::{Frame, page};
use askama::Template;
use axum::extract::{Form, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect};
use serde::Deserialize;
use std::sync::Arc;
use waxseal_app::connections::{self, Form as Fields, Use, Wanted};
use waxseal_app::users::Role;

#[derive(Template)]
#[template(path = "connection_remove.html")]
struct Remove<'a> {
    frame: Frame<'a>,
    id: String,
    name: String,
    has_secret: bool,
    used_by: Vec<String>,
    form_token: String,
}

/// A form of one connection.
#[derive(Deserialize)]
pub(super) struct Sent {
    #[serde(default)]
    form_token: String,
    #[serde(default)]
    to: String,
    #[serde(default)]
    port: String,
    #[serde(default)]
    security: String,
}

/// `POST /connections/{id}/use`.
pub(super) async fn set_use(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    Path(id): Path<String>,
    Form(sent): Form<Sent>,
) -> Answer {
    let desk = Desk::open(site, visitor).await?;
    desk.needs(Role::Owner)?;
    desk.sent(&sent.form_token)?;
    let view = desk.connection(&id).await?;
    let (to, what) = match sent.to.as_str() {
        "enabled" => (Use::Enabled, "connection.enabled"),
        "disabled" => (Use::Disabled, "connection.disabled"),
        _ => {
            let text = "It is neither enabled nor disabled.";
            return Err(desk.said(StatusCode::UNPROCESSABLE_ENTITY, "This did not work", text));
        }
    };
    if let Err(error) = connections::set_use(&desk.data, &id, to, desk.site.now()).await {
        return Err(desk.failed(&error).await);
    }
    desk.note(what, &view.name).await;
    Ok(back(&id))
}

/// `POST /connections/{id}/apply`: port and mode that a test was seen to be answered by.
pub(super) async fn apply(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    Path(id): Path<String>,
    Form(sent): Form<Sent>,
) -> Answer {
    let desk = Desk::open(site, visitor).await?;
    desk.needs(Role::Owner)?;
    desk.sent(&sent.form_token)?;
    desk.connection(&id).await?;
    let form = Fields { port: Some(sent.port), security: Some(sent.security), ..Fields::default() };
    let wanted = Wanted { form, ..Wanted::default() };
    match connections::edit(&desk.data, &id, &wanted, desk.site.now()).await {
        Ok(changed) => {
            desk.note("connection.changed", &changed.connection.name).await;
            Ok(back(&id))
        }
        Err(error) => Err(desk.failed(&error).await),
    }
}

/// `GET /connections/{id}/remove`.
pub(super) async fn remove_form(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Answer {
    let desk = Desk::open(site, visitor).await?;
    desk.needs(Role::Owner)?;
    let view = desk.connection(&id).await?;
    let used_by = view.used_by.iter().map(|holder| format!("{} {}", holder.kind, holder.id));
    let template = Remove {
        frame: desk.frame(),
        id,
        name: escape::line(&view.name),
        has_secret: view.secret.stored,
        used_by: used_by.map(|holder| escape::line(&holder)).collect(),
        form_token: desk.form_token(),
    };
    Ok(private(page(&desk.site, &template)))
}

/// `POST /connections/{id}/remove`.
pub(super) async fn remove(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    Path(id): Path<String>,
    Form(sent): Form<Sent>,
) -> Answer {
    let desk = Desk::open(site, visitor).await?;
    desk.needs(Role::Owner)?;
    desk.sent(&sent.form_token)?;
    desk.connection(&id).await?;
    match connections::remove(&desk.data, &id, desk.site.now()).await {
        Ok(removed) => {
            desk.note("connection.removed", &removed.name).await;
            Ok(private(Redirect::to("/connections").into_response()))
        }
        Err(error) => Err(desk.failed(&error).await),
    }
}

fn back(id: &str) -> axum::response::Response {
    private(Redirect::to(&format!("/connections/{id}")).into_response())
}
