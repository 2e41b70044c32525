//! `/connections/{id}/exception`: an owner lets a server be used without encryption for a time. The page says what is
//! lost; the use case decides what an exception needs.

use super::fields::{Group, exception_group};
use super::typed::Typed;
use super::{Answer, Desk, private};
use crate::escape;
use crate::http::{Site, Visitor};
use crate::web::frame::{Frame, page};
use askama::Template;
use axum::extract::{Form, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use std::collections::BTreeMap;
use std::sync::Arc;
use waxseal_app::connections::wire::ConnectionView;
use waxseal_app::connections::{
    self, ConnectionsError, FieldProblem, Form as Fields, SecretChange, Wanted,
};
use waxseal_app::users::Role;

#[derive(Template)]
#[template(path = "connection_exception.html")]
struct ExceptionPage<'a> {
    frame: Frame<'a>,
    id: String,
    name: String,
    has_secret: bool,
    wrong: usize,
    others: Vec<String>,
    groups: Vec<Group>,
    /// There is nothing to choose that could contradict itself.
    notes: &'static str,
    form_token: String,
}

/// `GET /connections/{id}/exception`.
pub(super) async fn form(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Answer {
    let desk = Desk::open(site, visitor).await?;
    desk.needs(Role::Owner)?;
    let view = desk.connection(&id).await?;
    if view.service.is_some() {
        return Err(desk.missing().await);
    }
    Ok(shown(&desk, &view, &Typed::default(), &[]))
}

fn shown(desk: &Desk, view: &ConnectionView, typed: &Typed, problems: &[FieldProblem]) -> Response {
    let group = exception_group(typed, problems);
    let others = problems
        .iter()
        .filter(|problem| group.fields.iter().all(|field| field.id != problem.field))
        .map(|problem| escape::line(&super::sentence(&problem.problem, problem.hint.as_deref())));
    let template = ExceptionPage {
        frame: desk.frame(),
        id: view.id.clone(),
        name: escape::line(&view.name),
        has_secret: view.secret.stored,
        wrong: problems.len(),
        others: others.collect(),
        groups: vec![group],
        notes: "",
        form_token: desk.form_token(),
    };
    let response = page(&desk.site, &template);
    if problems.is_empty() {
        return private(response);
    }
    private((StatusCode::UNPROCESSABLE_ENTITY, response).into_response())
}

/// `POST /connections/{id}/exception`: mode none from now on, by this person's leave.
pub(super) async fn grant(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    Path(id): Path<String>,
    Form(fields): Form<BTreeMap<String, String>>,
) -> Answer {
    let desk = Desk::open(site, visitor).await?;
    desk.needs(Role::Owner)?;
    let typed = Typed::new(fields);
    desk.sent(typed.get("form_token"))?;
    let view = desk.connection(&id).await?;
    let form = Fields { security: Some("none".to_owned()), ..Fields::default() };
    let secret = if view.secret.stored { SecretChange::Remove } else { SecretChange::Keep };
    let wanted = Wanted { form, secret, exception: Some(typed.exception(desk.who())) };
    match connections::edit(&desk.data, &id, &wanted, desk.site.now()).await {
        Ok(changed) => {
            desk.note("connection.exception", &changed.connection.name).await;
            let address = format!("/connections/{id}");
            Ok(private(Redirect::to(&address).into_response()))
        }
        Err(ConnectionsError::Field(problem)) => {
            let now = desk.site.now();
            let all = connections::wrong_fields(&desk.data, Some(&id), &wanted, now).await;
            let all = all.unwrap_or_default();
            let problems = if all.is_empty() { vec![problem] } else { all };
            Ok(shown(&desk, &view, &typed, &problems))
        }
        Err(error) => Err(desk.failed(&error).await),
    }
}
