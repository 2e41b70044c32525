//! `/tools/mx` and `/tools/smtp-tls`: a form that works without scripts, and with them shows the check while
//! it runs. Which checks are allowed is decided by [`CheckDesk`](waxseal_app::check_desk::CheckDesk).

use super::frame::{Frame, Message, Place, page};
use super::results::owner_cookie;
use crate::escape;
use crate::http::{Client, Site, Visitor, visitor};
use crate::render::prose;
use askama::Template;
use axum::extract::{Extension, Form, Path, Query, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use std::sync::Arc;
use waxseal_app::check_desk::{Begun, DeskError, Kind, Patience, Refusal, Secrets, Wanted};
use waxseal_check::report::wire::ReportV1;

/// The port of mail hosts among themselves (RFC 5321 §4.5.4.2).
const PORT_SMTP: u16 = 25;

/// Where a browser is told to go after a request by script.
const HX_REDIRECT: HeaderName = HeaderName::from_static("hx-redirect");

/// The form.
pub(super) struct Checker {
    pub(super) kind: &'static str,
    pub(super) domain: String,
    pub(super) problem: Option<Problem>,
}

/// What is wrong with what was typed.
pub(super) struct Problem {
    pub(super) title: String,
    /// HTML.
    pub(super) texts: Vec<String>,
    pub(super) page: Option<String>,
}

#[derive(Template)]
#[template(path = "tool.html")]
struct Tool<'a> {
    frame: Frame<'a>,
    title: &'static str,
    lead: &'static str,
    does: &'static [&'static str],
    other: (&'static str, &'static str, &'static str),
    checker: Checker,
}

#[derive(Template)]
#[template(path = "live.html")]
struct Live<'a> {
    token: &'a str,
    target: String,
}

/// What a form or a link asks for.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    domain: String,
}

impl Checker {
    /// An empty form.
    pub(super) const fn empty(kind: Kind) -> Self {
        Self { kind: kind.as_str(), domain: String::new(), problem: None }
    }
}

fn kind_of(name: &str) -> Option<Kind> {
    [Kind::Mx, Kind::SmtpTls].into_iter().find(|kind| kind.as_str() == name)
}

fn tool(site: &Site, kind: Kind, checker: Checker) -> Tool<'_> {
    let frame = Frame::of(site).at(Place::Checker);
    match kind {
        Kind::Mx => Tool {
            frame,
            title: "MX record checker",
            lead: "Which servers take the mail of a domain, and whether every name server says the same.",
            does: &[
                "It looks up the MX records and the addresses behind them, as a sending server would.",
                "It asks the name servers of the zone directly and compares their answers.",
                "It opens no connection to the mail servers.",
            ],
            other: ("The hosts are right?", "/tools/smtp-tls", "Check their TLS"),
            checker,
        },
        Kind::SmtpTls => Tool {
            frame,
            title: "SMTP TLS checker",
            lead: "A real STARTTLS session to every mail host of a domain, from this server.",
            does: &[
                "It connects to every address of every mail host on port 25 and begins TLS.",
                "It judges the certificates, the MTA-STS policy and the TLS reporting record.",
                "It says who has to act on each finding, and what it could not see.",
            ],
            other: ("No mail servers found?", "/tools/mx", "Look at the MX records alone"),
            checker,
        },
    }
}

/// `GET /tools/{kind}`.
pub(super) async fn form(
    State(site): State<Arc<Site>>,
    Path(name): Path<String>,
    visitor: Option<Visitor>,
    Query(asked): Query<Asked>,
) -> Response {
    let Some(kind) = kind_of(&name) else { return super::not_found(State(site)).await };
    if !may_check(&site, visitor.as_ref()) {
        return switched_off(&site);
    }
    let checker = Checker { domain: escape::line(&asked.domain), ..Checker::empty(kind) };
    page(&site, &tool(&site, kind, checker))
}

/// `POST /tools/{kind}`: begins the check. A script gets the live view at once; a form waits for the result.
pub(super) async fn check(
    State(site): State<Arc<Site>>,
    Path(name): Path<String>,
    Extension(Client(client)): Extension<Client>,
    headers: HeaderMap,
    Form(asked): Form<Asked>,
) -> Response {
    let Some(kind) = kind_of(&name) else { return super::not_found(State(site)).await };
    if !may_check(&site, visitor(&site, &headers).await.as_ref()) {
        return switched_off(&site);
    }
    let by_script = headers.contains_key("hx-request");
    let wanted = Wanted { input: asked.domain.trim().to_owned(), kind, port: PORT_SMTP };
    let begun = match site.desk.begin(&wanted, client, site.now()).await {
        Ok(begun) => begun,
        Err(refusal) => return refused(&site, &wanted, &refusal, by_script),
    };
    let secrets = match begun {
        Begun::Measured(measured) => site.desk.keep(measured, site.now()).await,
        Begun::Running(watch) if by_script => {
            return match site.desk.ticket(watch, Patience::ABrowserOpens).await {
                Ok(secrets) => live(&site, &secrets, &wanted.input),
                Err(error) => broken(&site, &error),
            };
        }
        Begun::Running(mut watch) => match watch.end().await {
            Ok(measured) => site.desk.keep(measured, site.now()).await,
            Err(problem) => Err(DeskError::NotStored(problem)),
        },
    };
    match secrets {
        Ok(secrets) => finished(&site, &secrets, by_script),
        Err(error) => broken(&site, &error),
    }
}

/// The view of a running check.
fn live(site: &Site, secrets: &Secrets, input: &str) -> Response {
    let template = Live { token: secrets.token.expose(), target: escape::line(input) };
    let mut response = page(site, &template);
    set_owner(site, &mut response, secrets);
    response
}

/// The way to a result.
fn finished(site: &Site, secrets: &Secrets, by_script: bool) -> Response {
    let address = format!("/results/{}", secrets.token.expose());
    let mut response = if by_script {
        let value = HeaderValue::from_str(&address).unwrap_or(HeaderValue::from_static("/"));
        ([(HX_REDIRECT, value)], "").into_response()
    } else {
        Redirect::to(&address).into_response()
    };
    set_owner(site, &mut response, secrets);
    response
}

fn set_owner(site: &Site, response: &mut Response, secrets: &Secrets) {
    if let Ok(cookie) = HeaderValue::from_str(&owner_cookie(site, secrets)) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
}

/// Says beside the field what is wrong. A script swaps the same text in below the form.
fn refused(site: &Site, wanted: &Wanted, refusal: &Refusal, by_script: bool) -> Response {
    let (status, problem) = match refusal {
        Refusal::Input(report) => (StatusCode::UNPROCESSABLE_ENTITY, of_input(report)),
        Refusal::Busy => (
            StatusCode::SERVICE_UNAVAILABLE,
            plain("Too many checks run at the moment", "Try again in a minute."),
        ),
        Refusal::ClientBudget { again_in } => (
            StatusCode::TOO_MANY_REQUESTS,
            plain(
                "You have begun many checks",
                &format!("The next one can begin in {} seconds.", again_in.as_secs() + 1),
            ),
        ),
        Refusal::Port => (
            StatusCode::UNPROCESSABLE_ENTITY,
            plain("This port is not checked here", "Only 25, 465 and 587 are."),
        ),
    };
    let checker = Checker {
        kind: wanted.kind.as_str(),
        domain: escape::line(&wanted.input),
        problem: Some(problem),
    };
    let mut response = page(site, &tool(site, wanted.kind, checker));
    if by_script {
        // htmx swaps nothing on an error status: the whole page takes the place of this one instead.
        let headers = response.headers_mut();
        headers.insert("hx-retarget", HeaderValue::from_static("#main"));
        headers.insert("hx-reselect", HeaderValue::from_static("#main"));
        headers.insert("hx-reswap", HeaderValue::from_static("outerHTML"));
    } else {
        *response.status_mut() = status;
    }
    if let Refusal::ClientBudget { again_in } = refusal {
        let seconds = HeaderValue::from(again_in.as_secs() + 1);
        response.headers_mut().insert(header::RETRY_AFTER, seconds);
    }
    response
}

/// The finding about the input, in its own words.
fn of_input(report: &ReportV1) -> Problem {
    report.findings.first().map_or_else(
        || plain("This cannot be checked", ""),
        |finding| Problem {
            title: escape::line(&finding.title),
            texts: finding.fix.iter().map(|step| prose(step)).collect(),
            page: Some(finding.page.clone()),
        },
    )
}

fn plain(title: &str, text: &str) -> Problem {
    Problem { title: title.to_owned(), texts: vec![escape::html(text)], page: None }
}

/// Everybody where the operator says so; else whoever is signed in.
const fn may_check(site: &Site, visitor: Option<&Visitor>) -> bool {
    site.settings.public_checker || visitor.is_some()
}

fn switched_off(site: &Site) -> Response {
    let message = Message {
        frame: Frame::of(site).noindex(),
        title: "Sign in to check a domain".to_owned(),
        text:
            "This server checks domains for people with an account. Whoever runs it can open the \
               checker to everybody: waxseal serve --public-checker"
                .to_owned(),
        next: Some(("/sign-in", "Sign in")),
    };
    (StatusCode::FORBIDDEN, page(site, &message)).into_response()
}

/// This program could not do its own job.
pub(super) fn broken(site: &Site, error: &DeskError) -> Response {
    site.fault("handle a check", error);
    let message = Message {
        frame: Frame::of(site).noindex(),
        title: "This did not work".to_owned(),
        text: "The fault is on this server, not in what was checked. Try again later.".to_owned(),
        next: Some(("/", "To the start")),
    };
    (StatusCode::INTERNAL_SERVER_ERROR, page(site, &message)).into_response()
}
