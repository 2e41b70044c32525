//! `/api/v1/checks`: begin a check, follow it, get its report, delete it. The same desk as the pages: the same
//! ports, budgets and shared measurements.

use super::answer::{Answer, once};
use super::auth::MayCheck;
use super::body::{Body, Keyed, Part};
use super::problem::Problem;
use crate::escape;
use crate::http::{Client, Site, StreamPlace};
use crate::limits::STREAM_BEAT;
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures::Stream;
use serde::{Deserialize, Serialize};
use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;
use tokio::sync::watch;
use utoipa::ToSchema;
use waxseal_app::Progress;
use waxseal_app::check_desk::{
    Begun, DeskError, Kind, Patience, Refusal, TokenHash, Wanted, Watch,
};
use waxseal_check::report::wire::ReportV1;

/// The header by which the maker of a result deletes it.
const OWNER: &str = "waxseal-owner";

/// What is wanted.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewCheck {
    /// The domain.
    #[schema(example = "example.com", max_length = 320)]
    domain: String,
    /// `smtp-tls` for everything, `mx` for the MX records alone.
    #[serde(default)]
    kind: CheckKind,
    /// The port of the mail hosts: 25, 465 or 587.
    #[serde(default = "port_smtp")]
    #[schema(default = 25)]
    port: u16,
}

/// What is looked at.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum CheckKind {
    /// The MX records and what stands around them.
    Mx,
    /// Everything.
    #[default]
    SmtpTls,
}

/// A check that was begun.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct BegunCheck {
    /// The secret name of the result; whoever knows it can read the report.
    id: String,
    /// The secret that deletes it; shown once.
    owner: String,
    /// `running` or `done`.
    status: CheckStatus,
    /// The page of the result.
    page: String,
}

/// Whether the report is there.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum CheckStatus {
    /// The report is there.
    Done,
    /// Not yet.
    Running,
}

/// A check.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Check {
    /// Its secret name.
    id: String,
    /// `running` or `done`.
    status: CheckStatus,
    /// When the result ends, RFC 3339 in UTC; null while it runs.
    expires_at: Option<String>,
    /// The report; null while it runs.
    #[schema(schema_with = super::openapi::report)]
    report: Option<ReportV1>,
}

const fn port_smtp() -> u16 {
    25
}

/// Begin a check
///
/// A target is measured at most once in ten minutes for everybody together; within them the answer is the
/// earlier report under a new name. Where the operator has not opened the checker to everybody, this needs a token.
#[utoipa::path(
    post, path = "/api/v1/checks", tag = "checks", request_body = NewCheck,
    security(("token" = ["check"]), ()),
    params(("Idempotency-Key" = Option<String>, Header, description = "Names this request, which then needs a token: sent again with the same key, the first answer is repeated", max_length = 128, pattern = "^[!-~]+$")),
    responses(
        (status = 202, description = "Begun, or found", body = BegunCheck),
        (status = 400, description = "The body is not JSON, or the key cannot be one", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "This request is being answered", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "The body is too large", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "The body is not said to be JSON", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "This cannot be checked, or the key was used for another request", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Too many checks run", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn begin(
    State(site): State<Arc<Site>>,
    Extension(Client(client)): Extension<Client>,
    MayCheck(caller): MayCheck,
    keyed: Keyed,
    body: Body<NewCheck>,
) -> Result<Response, Problem> {
    let new = body.value;
    let kind = match new.kind {
        CheckKind::Mx => Kind::Mx,
        CheckKind::SmtpTls => Kind::SmtpTls,
    };
    let wanted = Wanted { input: new.domain.trim().to_owned(), kind, port: new.port };
    match caller {
        Some(caller) => {
            let doing = Arc::clone(&site);
            let work = async move { measure(&doing, &wanted, client).await };
            once(&site, &caller, (&keyed, &body.octets), work).await
        }
        None if keyed.key.is_some() => {
            let title = "An Idempotency-Key needs a token";
            Err(Problem::unknown(("key-without-token", title))
                .hint("leave it out: within ten minutes a second check costs no second measurement")
                .field("Idempotency-Key"))
        }
        None => Ok(measure(&site, &wanted, client).await?.into_response()),
    }
}

async fn measure(site: &Site, wanted: &Wanted, client: IpAddr) -> Result<Answer, Problem> {
    let begun = site.desk.begin(wanted, client, site.now()).await.map_err(|r| refused(&r))?;
    let (secrets, status) = match begun {
        Begun::Measured(measured) => {
            (site.desk.keep(measured, site.now()).await, CheckStatus::Done)
        }
        Begun::Running(watch) => {
            (site.desk.ticket(watch, Patience::UntilTheEnd).await, CheckStatus::Running)
        }
    };
    let secrets = secrets.map_err(|error| broken(site, &error))?;
    let id = secrets.token.expose();
    let begun = BegunCheck {
        id: id.to_owned(),
        owner: secrets.owner.expose().to_owned(),
        status,
        page: format!("{}/results/{id}", site.base()),
    };
    Ok(Answer::of(StatusCode::ACCEPTED, &begun)?.at(format!("/api/v1/checks/{id}")))
}

fn refused(refusal: &Refusal) -> Problem {
    match refusal {
        Refusal::Busy => {
            let status = StatusCode::SERVICE_UNAVAILABLE;
            Problem::new(status, "busy", "Too many checks run at the moment")
                .hint("try again in a minute")
        }
        Refusal::ClientBudget { again_in } => {
            let status = StatusCode::TOO_MANY_REQUESTS;
            Problem::new(status, "budget", "You have begun many checks")
                .hint("wait as long as Retry-After says")
                .retry_after(*again_in)
        }
        Refusal::Input(report) => Problem::of_input(report),
        Refusal::Port => {
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            Problem::new(status, "port", "This port is not checked here")
                .hint("port: 25, 465 or 587")
        }
    }
}

fn broken(site: &Site, error: &DeskError) -> Problem {
    site.fault("handle a check", error);
    Problem::broken()
}

/// Get a check
#[utoipa::path(
    get, path = "/api/v1/checks/{id}", tag = "checks",
    params(("id" = String, Path, description = "The secret name")),
    responses(
        (status = 200, description = "Where it stands, with the report once it is there", body = Check),
        (status = 404, description = "There is no such check, or it ended", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn show(State(site): State<Arc<Site>>, Part(id): Part) -> Result<Answer, Problem> {
    let token = TokenHash::of(&id);
    if site.desk.runs(token).is_some() {
        let status = CheckStatus::Running;
        return Answer::ok(&Check { id, status, expires_at: None, report: None });
    }
    let linked = site.desk.result(token, None, site.now()).await;
    let linked = linked.map_err(|error| broken(&site, &error))?;
    let linked = linked.ok_or_else(|| Problem::not_found("check"))?;
    Answer::ok(&Check {
        id,
        status: CheckStatus::Done,
        expires_at: Some(linked.expires_at.to_string()),
        report: Some(linked.report),
    })
}

/// Delete a result
#[utoipa::path(
    delete, path = "/api/v1/checks/{id}", tag = "checks",
    params(
        ("id" = String, Path, description = "The secret name"),
        ("waxseal-owner" = String, Header, description = "The secret that deletes it"),
    ),
    responses(
        (status = 204, description = "Deleted"),
        (status = 404, description = "There is no such result, or the secrets do not belong together", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn delete(
    State(site): State<Arc<Site>>,
    Part(id): Part,
    headers: HeaderMap,
) -> Result<StatusCode, Problem> {
    let owner = headers.get(OWNER).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let deleted = site.desk.delete(TokenHash::of(&id), TokenHash::of(owner)).await;
    if deleted.map_err(|error| broken(&site, &error))? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(Problem::not_found("result"))
    }
}

/// Follow a check
///
/// Server-sent events: `mx`, `session` and `policy` as they happen, then `end`.
#[utoipa::path(
    get, path = "/api/v1/checks/{id}/events", tag = "checks",
    params(("id" = String, Path, description = "The secret name")),
    responses(
        (status = 200, description = "Events; only `end` for a check that is over", body = String, content_type = "text/event-stream"),
        (status = 429, description = "This client has as many streams as it may", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn events(
    State(site): State<Arc<Site>>,
    Part(id): Part,
    Extension(Client(client)): Extension<Client>,
) -> Result<Response, Problem> {
    let Some(watch) = site.desk.follow(TokenHash::of(&id)) else {
        let over = futures::stream::once(async { Ok::<_, Infallible>(end()) });
        return Ok(Sse::new(over).into_response());
    };
    let place = site.stream(client).ok_or_else(|| {
        let status = StatusCode::TOO_MANY_REQUESTS;
        Problem::new(status, "streams", "You have as many event streams as you may")
    })?;
    let closing = site.closing.subscribe();
    let follower = Follower { watch: Some(watch), closing, _place: place };
    Ok(Sse::new(stream(follower))
        .keep_alive(KeepAlive::new().interval(STREAM_BEAT))
        .into_response())
}

struct Follower {
    watch: Option<Watch>,
    closing: watch::Receiver<bool>,
    _place: StreamPlace,
}

fn stream(follower: Follower) -> impl Stream<Item = Result<Event, Infallible>> {
    futures::stream::unfold(follower, |mut follower| async move {
        let watch = follower.watch.as_mut()?;
        let next = tokio::select! {
            next = watch.next() => next,
            _ = follower.closing.wait_for(|closing| *closing) => return None,
        };
        let Some(progress) = next else {
            follower.watch = None;
            return Some((Ok(end()), follower));
        };
        Some((Ok(event(&progress)), follower))
    })
}

fn end() -> Event {
    Event::default().event("end").data("{}")
}

fn event(progress: &Progress) -> Event {
    let (name, value) = match progress {
        Progress::MxAnswered { name, hosts } => {
            ("mx", serde_json::json!({ "name": name, "hosts": hosts }))
        }
        Progress::PolicyFetched { host } => ("policy", serde_json::json!({ "host": host })),
        Progress::ProbeBegan { host, address } => {
            ("session", serde_json::json!({ "host": host, "address": address, "outcome": null }))
        }
        Progress::ProbeEnded { host, address, took, outcome, .. } => (
            "session",
            serde_json::json!({
                "host": host,
                "address": address,
                "outcome": outcome.as_str(),
                "took_ms": took.as_secs_f64() * 1000.0,
            }),
        ),
    };
    Event::default().event(name).data(escape::json(&value.to_string()))
}
