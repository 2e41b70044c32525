//! Signing in and out, links that let somebody in once, people, and the log. Rules are those of
//! [`Accounts`](waxseal_app::users::Accounts); a form that changes something carries the token of its session.

use super::frame::{Frame, Message, Place, page, private};
use crate::escape;
use crate::http::{Client, Site, Visitor, no_cookie, session_cookie};
use askama::Template;
use axum::extract::{Extension, Form, Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use jiff::Timestamp;
use serde::Deserialize;
use std::sync::Arc;
use waxseal_app::users::{AccountError, Entered, EntryLink, Role, TokenHash};

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignIn<'a> {
    frame: Frame<'a>,
    name: String,
    problem: Option<String>,
}

#[derive(Template)]
#[template(path = "enter.html")]
struct Enter<'a> {
    frame: Frame<'a>,
    title: &'static str,
    lead: String,
    button: &'static str,
    token: String,
    name: String,
    is_new: bool,
    problem: Option<String>,
}

#[derive(Template)]
#[template(path = "account.html")]
struct Account<'a> {
    frame: Frame<'a>,
    name: String,
    role: &'static str,
    workspace: String,
    form_token: String,
    is_owner: bool,
    people: Vec<PersonRow>,
    log: Vec<LogRow>,
    link: Option<String>,
}

struct PersonRow {
    name: String,
    role: &'static str,
    at: String,
    at_words: String,
}

struct LogRow {
    at: String,
    at_words: String,
    who: String,
    what: String,
    subject: String,
}

/// Name and password.
#[derive(Deserialize)]
pub(super) struct Credentials {
    #[serde(default)]
    name: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    again: String,
}

/// A form of a session.
#[derive(Deserialize)]
pub(super) struct SessionForm {
    #[serde(default)]
    form_token: String,
    #[serde(default)]
    role: String,
}

fn words(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

/// `GET /sign-in`.
pub(super) async fn sign_in_form(
    State(site): State<Arc<Site>>,
    visitor: Option<Visitor>,
) -> Response {
    if visitor.is_some() {
        return Redirect::to("/account").into_response();
    }
    let frame = Frame::of(&site).at(Place::Account).noindex();
    page(&site, &SignIn { frame, name: String::new(), problem: None })
}

/// `POST /sign-in`.
pub(super) async fn sign_in(
    State(site): State<Arc<Site>>,
    Extension(Client(client)): Extension<Client>,
    Form(given): Form<Credentials>,
) -> Response {
    let pair = (given.name.as_str(), given.password.as_str());
    match site.accounts.sign_in(pair, client, site.now()).await {
        Ok(entered) => come_in(&site, &entered),
        Err(error) => {
            let frame = Frame::of(&site).at(Place::Account).noindex();
            let problem = Some(told(&site, &error));
            let template = SignIn { frame, name: escape::line(&given.name), problem };
            (status(&error), page(&site, &template)).into_response()
        }
    }
}

fn come_in(site: &Site, entered: &Entered) -> Response {
    with_cookie(Redirect::to("/account").into_response(), &session_cookie(site, &entered.token))
}

fn with_cookie(mut response: Response, cookie: &str) -> Response {
    if let Ok(cookie) = HeaderValue::from_str(cookie) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

const fn status(error: &AccountError) -> StatusCode {
    match error {
        AccountError::Wrong => StatusCode::UNAUTHORIZED,
        AccountError::TooMany { .. } => StatusCode::TOO_MANY_REQUESTS,
        AccountError::Link | AccountError::Nobody => StatusCode::NOT_FOUND,
        AccountError::Name | AccountError::NameTaken | AccountError::Password => {
            StatusCode::UNPROCESSABLE_ENTITY
        }
        AccountError::Data(_)
        | AccountError::Store(_)
        | AccountError::NoRandomness(_)
        | AccountError::Hash => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// The error in words for a visitor, with a capital letter; a fault of ours is logged.
fn told(site: &Site, error: &AccountError) -> String {
    if status(error) == StatusCode::INTERNAL_SERVER_ERROR {
        site.fault("handle people and sessions", error);
    }
    let text = error.to_string();
    let mut chars = text.chars();
    let first = chars.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", chars.as_str())
}

/// A problem as a page of its own.
fn problem(site: &Site, error: &AccountError) -> Response {
    let message = Message {
        frame: Frame::of(site).at(Place::Account).noindex(),
        title: "This did not work".to_owned(),
        text: told(site, error),
        next: Some(("/sign-in", "Sign in")),
    };
    (status(error), page(site, &message)).into_response()
}

fn enter_page<'a>(
    site: &'a Site,
    link: &EntryLink,
    (token, name): (&str, &str),
    problem: Option<String>,
) -> Enter<'a> {
    let is_new = link.user.is_none();
    Enter {
        frame: Frame::of(site).at(Place::Account).noindex(),
        title: if is_new { "Welcome" } else { "A new password" },
        lead: if is_new {
            format!("Choose a name and a password. Your role will be {}.", link.role.as_str())
        } else {
            "It takes the place of the old one and ends every session.".to_owned()
        },
        button: if is_new { "Come in" } else { "Save" },
        token: escape::line(token),
        name: escape::line(name),
        is_new,
        problem,
    }
}

/// `GET /enter/{token}`.
pub(super) async fn enter_form(
    State(site): State<Arc<Site>>,
    Path(token): Path<String>,
) -> Response {
    match site.accounts.entry(TokenHash::of(&token), site.now()).await {
        Ok(link) => private(page(&site, &enter_page(&site, &link, (&token, ""), None))),
        Err(error) => problem(&site, &error),
    }
}

/// `POST /enter/{token}`.
pub(super) async fn enter(
    State(site): State<Arc<Site>>,
    Path(token): Path<String>,
    Form(given): Form<Credentials>,
) -> Response {
    let hash = TokenHash::of(&token);
    let link = match site.accounts.entry(hash, site.now()).await {
        Ok(link) => link,
        Err(error) => return problem(&site, &error),
    };
    let wrong = |text: String, status: StatusCode| {
        let template = enter_page(&site, &link, (&token, &given.name), Some(text));
        private((status, page(&site, &template)).into_response())
    };
    if given.password != given.again {
        let text = "The two passwords are not the same.".to_owned();
        return wrong(text, StatusCode::UNPROCESSABLE_ENTITY);
    }
    let pair = (given.name.as_str(), given.password.as_str());
    match site.accounts.enter(hash, pair, site.now()).await {
        Ok(entered) => come_in(&site, &entered),
        Err(error) => wrong(told(&site, &error), status(&error)),
    }
}

/// `POST /sign-out`.
pub(super) async fn sign_out(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    Form(form): Form<SessionForm>,
) -> Response {
    if !visitor.sent(&form.form_token) {
        return foreign();
    }
    match site.accounts.sign_out(visitor.token).await {
        Ok(()) => with_cookie(Redirect::to("/").into_response(), &no_cookie(&site)),
        Err(error) => problem(&site, &error),
    }
}

/// `POST /account/sign-out-everywhere`.
pub(super) async fn sign_out_everywhere(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    Form(form): Form<SessionForm>,
) -> Response {
    if !visitor.sent(&form.form_token) {
        return foreign();
    }
    match site.accounts.sign_out_everywhere(visitor.user(), site.now()).await {
        Ok(_) => with_cookie(Redirect::to("/sign-in").into_response(), &no_cookie(&site)),
        Err(error) => problem(&site, &error),
    }
}

/// A form without the token of its session.
fn foreign() -> Response {
    (StatusCode::FORBIDDEN, "This form is out of date. Go back, load the page again.\n")
        .into_response()
}

/// `GET /account`.
pub(super) async fn account(State(site): State<Arc<Site>>, visitor: Visitor) -> Response {
    shown(&site, &visitor, None).await
}

/// `POST /account/invite`: owners only.
pub(super) async fn invite(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    headers: HeaderMap,
    Form(form): Form<SessionForm>,
) -> Response {
    if !visitor.sent(&form.form_token) {
        return foreign();
    }
    let role = Role::parse(&form.role).filter(|_| visitor.is(Role::Owner));
    let Some(role) = role else {
        return (StatusCode::FORBIDDEN, "Only owners invite.\n").into_response();
    };
    let team = site.accounts.team(visitor.user().workspace);
    match team.invite(role, &visitor.user().name, site.now()).await {
        Ok(token) => {
            let link = format!("{}/enter/{}", site.found_at(&headers), token.expose());
            shown(&site, &visitor, Some(link)).await
        }
        Err(error) => problem(&site, &error),
    }
}

async fn shown(site: &Site, visitor: &Visitor, link: Option<String>) -> Response {
    let is_owner = visitor.is(Role::Owner);
    let (mut people, mut log) = (Vec::new(), Vec::new());
    if is_owner {
        let team = site.accounts.team(visitor.user().workspace);
        match (team.people().await, team.log().await) {
            (Ok(users), Ok(lines)) => (people, log) = (users, lines),
            (Err(error), _) | (_, Err(error)) => return problem(site, &error),
        }
    }
    let user = visitor.user();
    let workspace = match site.data_of(user).await {
        Ok(data) => escape::line(data.workspace_name().as_str()),
        Err(error) => return problem(site, &AccountError::from(error)),
    };
    let template = Account {
        frame: Frame::of(site).at(Place::Account).noindex(),
        name: escape::line(&user.name),
        role: user.role.as_str(),
        workspace,
        form_token: visitor.session.form_token.clone(),
        is_owner,
        people: people
            .iter()
            .map(|user| PersonRow {
                name: escape::line(&user.name),
                role: user.role.as_str(),
                at: user.created_at.to_string(),
                at_words: words(user.created_at),
            })
            .collect(),
        log: log
            .iter()
            .map(|line| LogRow {
                at: line.at.to_string(),
                at_words: words(line.at),
                who: escape::line(&line.who),
                what: escape::line(&line.what),
                subject: escape::line(&line.subject),
            })
            .collect(),
        link,
    };
    let mut response = page(site, &template);
    let private = HeaderValue::from_static("no-store");
    response.headers_mut().insert(header::CACHE_CONTROL, private);
    response
}
