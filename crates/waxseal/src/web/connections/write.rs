//! The forms of a connection: choose a service, fill in, change. What is wrong stands beside its field, values are
//! kept except secrets, and what contradicts itself is shown while it is typed.

use super::fields::{Filling, Group, title};
use super::show::Warning;
use super::typed::{Typed, Way};
use super::{Answer, Desk, private};
use crate::http::{Site, Visitor};
use crate::web::frame::{Frame, page};
use askama::Template;
use axum::extract::{Form, Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::Arc;
use waxseal_app::audit;
use waxseal_app::connections::wire::{ConnectionView, Offer, PresetOffer};
use waxseal_app::connections::{
    self, Changed, ConnectionsError, FieldProblem, Typed as TypedServer, Wanted,
};
use waxseal_app::users::Role;
use waxseal_services::presets;
use waxseal_services::service::ServiceId;

#[derive(Template)]
#[template(path = "connection_choose.html")]
struct Choose<'a> {
    frame: Frame<'a>,
    services: Vec<(&'static str, &'static str)>,
    presets: Vec<(&'static str, &'static str)>,
}

#[derive(Template)]
#[template(path = "connection_form.html")]
struct FormPage<'a> {
    frame: Frame<'a>,
    heading: String,
    lead: &'static str,
    action: String,
    back: String,
    button: &'static str,
    form_token: String,
    groups: Vec<Group>,
    wrong: usize,
    others: Vec<String>,
    notes: Notes,
    is_clear: bool,
    presets: Vec<(&'static str, &'static str)>,
}

/// What is said while host, port and mode are typed.
#[derive(Template, Default)]
#[template(path = "connection_warnings.html")]
struct Notes {
    warnings: Vec<Warning>,
    service: Option<(&'static str, &'static str)>,
    preset: Option<PresetOffer>,
}

impl Notes {
    fn of(host: &str, port: &str, security: &str) -> Self {
        let found = connections::contradictions(TypedServer { host, port, security });
        let Offer { service, presets } = connections::offer(host.trim());
        let service = service.as_deref().and_then(ServiceId::parse);
        let fits =
            |offer: &PresetOffer| offer.port.to_string() == port && offer.security == security;
        Self {
            warnings: found.iter().map(Warning::of).collect(),
            service: service.map(|service| (service.as_str(), title(service))),
            preset: presets.into_iter().next().filter(|offer| !fits(offer)),
        }
    }
}

/// What a page of a form is asked with.
#[derive(Deserialize)]
pub(super) struct Start {
    #[serde(default)]
    preset: String,
}

/// What is typed.
#[derive(Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    host: String,
    #[serde(default)]
    port: String,
    #[serde(default)]
    security: String,
}

/// Names and titles of all presets that are no server of this machine.
fn all_presets() -> Vec<(&'static str, &'static str)> {
    presets::all().map(|preset| (preset.name, preset.title)).collect()
}

/// `GET /connections/new`.
pub(super) async fn choose(State(site): State<Arc<Site>>, visitor: Visitor) -> Answer {
    let desk = Desk::open(site, visitor).await?;
    desk.needs(Role::Owner)?;
    let template = Choose {
        frame: desk.frame(),
        services: ServiceId::ALL.iter().map(|id| (id.as_str(), title(*id))).collect(),
        presets: all_presets(),
    };
    Ok(private(page(&desk.site, &template)))
}

/// `GET /connections/new/{way}`.
pub(super) async fn new_form(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    Path(way): Path<String>,
    Query(start): Query<Start>,
) -> Answer {
    let desk = Desk::open(site, visitor).await?;
    desk.needs(Role::Owner)?;
    let Some(way) = Way::parse(&way) else { return Err(desk.missing().await) };
    let typed = Typed::of_preset(&start.preset);
    let filling = Filling { way, typed: &typed, problems: &[], stored: None };
    Ok(form_page(&desk, &filling))
}

fn form_page(desk: &Desk, filling: &Filling<'_>) -> Response {
    let Filling { way, typed, problems, stored } = filling;
    let groups = filling.groups();
    let others = filling.others(&groups);
    let (heading, lead) = match (stored, way) {
        (Some(view), _) => (
            format!("Change {}", crate::escape::line(&view.name)),
            "New settings or a new secret make a connection untested.",
        ),
        (None, Way::Service(service)) => (
            format!("Add {}", title(*service)),
            "Messages go to the service over its HTTPS interface.",
        ),
        (None, Way::Smtp) => (
            "Add an SMTP server".to_owned(),
            "Host, port and security mode as the provider documents them.",
        ),
        (None, Way::Clear) => (
            "Add a server without encryption".to_owned(),
            "Only where a provider has none at all, for a limited time, by an owner.",
        ),
    };
    let address = stored.map(|view| format!("/connections/{}", view.id));
    let notes = match way {
        Way::Smtp => Notes::of(typed.get("host"), typed.get("port"), typed.get("security")),
        Way::Service(_) | Way::Clear => Notes::default(),
    };
    let template = FormPage {
        frame: desk.frame(),
        heading,
        lead,
        action: address.as_ref().map_or_else(
            || format!("/connections/new/{}", way.as_str()),
            |address| format!("{address}/edit"),
        ),
        back: address.unwrap_or_else(|| "/connections/new".to_owned()),
        button: if stored.is_some() { "Save" } else { "Add" },
        form_token: desk.form_token(),
        groups,
        wrong: problems.len(),
        others,
        notes,
        is_clear: *way == Way::Clear,
        presets: if stored.is_none() && *way == Way::Smtp { all_presets() } else { Vec::new() },
    };
    let response = page(&desk.site, &template);
    if problems.is_empty() {
        return private(response);
    }
    private((StatusCode::UNPROCESSABLE_ENTITY, response).into_response())
}

/// `POST /connections/new/{way}`.
pub(super) async fn add(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    Path(way): Path<String>,
    Form(fields): Form<BTreeMap<String, String>>,
) -> Answer {
    let desk = Desk::open(site, visitor).await?;
    desk.needs(Role::Owner)?;
    let typed = Typed::new(fields);
    desk.sent(typed.get("form_token"))?;
    let Some(way) = Way::parse(&way) else { return Err(desk.missing().await) };
    let mut wanted = typed.wanted(way, None);
    if way == Way::Clear {
        wanted.exception = Some(typed.exception(desk.who()));
    }
    let what = if way == Way::Clear { "connection.exception" } else { "connection.added" };
    save(&desk, (None, way), &wanted, what, typed.without_secrets(way)).await
}

/// `GET /connections/{id}/edit`.
pub(super) async fn edit_form(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Answer {
    let desk = Desk::open(site, visitor).await?;
    desk.needs(Role::Owner)?;
    let view = desk.connection(&id).await?;
    let Some(way) = Way::of(&view) else { return Err(desk.missing().await) };
    let typed = Typed::of(&view);
    let filling = Filling { way, typed: &typed, problems: &[], stored: Some(&view) };
    Ok(form_page(&desk, &filling))
}

/// `POST /connections/{id}/edit`.
pub(super) async fn edit(
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
    let Some(way) = Way::of(&view) else { return Err(desk.missing().await) };
    let wanted = typed.wanted(way, Some(&view));
    let what = audit::word_of(&wanted);
    save(&desk, (Some(&view), way), &wanted, what, typed.without_secrets(way)).await
}

/// Adds or changes, or shows the form again with what is wrong.
async fn save(
    desk: &Desk,
    (stored, way): (Option<&ConnectionView>, Way),
    wanted: &Wanted,
    what: &str,
    typed: Typed,
) -> Answer {
    let now = desk.site.now();
    let id = stored.map(|view| view.id.as_str());
    let wrong = match connections::wrong_fields(&desk.data, id, wanted, now).await {
        Ok(wrong) => wrong,
        Err(error) => return Err(desk.failed(&error).await),
    };
    let problems = if wrong.is_empty() {
        let done = match id {
            None => connections::add(&desk.data, wanted, now).await,
            Some(id) => connections::edit(&desk.data, id, wanted, now).await,
        };
        let error = match done {
            Ok(changed) => return Ok(saved(desk, &changed, what).await),
            Err(error) => error,
        };
        let problems = of_field(way, &error);
        if problems.is_empty() {
            return Err(desk.failed(&error).await);
        }
        problems
    } else {
        wrong
    };
    let filling = Filling { way, typed: &typed, problems: &problems, stored };
    Ok(form_page(desk, &filling))
}

async fn saved(desk: &Desk, changed: &Changed, what: &str) -> Response {
    let view = &changed.connection;
    desk.note(what, &view.name).await;
    let key = if changed.key_file_made.is_some() { "?key=made" } else { "" };
    private(Redirect::to(&format!("/connections/{}{key}", view.id)).into_response())
}

/// The field beside which an error belongs; none for one of no field.
fn of_field(way: Way, error: &ConnectionsError) -> Vec<FieldProblem> {
    let secret = match way {
        Way::Service(service) => {
            connections::secret::secret_fields(service).first().copied().unwrap_or("secret")
        }
        Way::Smtp | Way::Clear => "secret",
    };
    let (field, problem, hint) = match error {
        ConnectionsError::Field(problem) => return vec![problem.clone()],
        ConnectionsError::SecretForElsewhere { .. } => (
            secret,
            "the stored one was given for the present host and trust",
            "enter it again, or remove it",
        ),
        ConnectionsError::SecretInTheWay { .. } => {
            (secret, "mode none never signs in and holds no secret", "remove the stored one")
        }
        ConnectionsError::Store(_) if error.is_name_taken() => {
            ("name", "another connection has this name", "choose another one")
        }
        ConnectionsError::ChangedMeanwhile { .. }
        | ConnectionsError::Data(_)
        | ConnectionsError::Disabled { .. }
        | ConnectionsError::InUse { .. }
        | ConnectionsError::NotFound { .. }
        | ConnectionsError::Store(_)
        | ConnectionsError::Submission(_)
        | ConnectionsError::TooMany { .. } => return Vec::new(),
    };
    vec![FieldProblem {
        field: field.to_owned(),
        problem: problem.to_owned(),
        hint: Some(hint.to_owned()),
    }]
}

/// `GET /connections/warnings`: what contradicts itself in what is being typed.
pub(super) async fn warnings(
    State(site): State<Arc<Site>>,
    _visitor: Visitor,
    Query(asked): Query<Asked>,
) -> Response {
    private(page(&site, &Notes::of(&asked.host, &asked.port, &asked.security)))
}
