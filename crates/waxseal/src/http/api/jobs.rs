//! `/api/v1/jobs` and `/api/v1/me`: where a verification or test send stands, its steps as they pass, and what a
//! token may do.

use super::answer::Answer;
use super::auth::{AnyToken, Can, Read};
use super::body::Part;
use super::openapi;
use super::problem::Problem;
use super::refusals;
use crate::escape;
use crate::http::Client;
use crate::http::Site;
use crate::http::StreamPlace;
use crate::limits::STREAM_BEAT;
use axum::extract::{Extension, State};
use axum::http::StatusCode;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures::Stream;
use serde::Serialize;
use std::convert::Infallible;
use std::sync::Arc;
use tokio::sync::watch;
use utoipa::ToSchema;
use waxseal_app::jobs::JobWatch;
use waxseal_app::jobs::wire::JobView;

/// A job.
#[derive(Serialize, ToSchema)]
pub(super) struct OneJob {
    #[schema(schema_with = openapi::job)]
    pub(super) job: JobView,
    /// Whether this server looks at a lab.
    pub(super) simulated: bool,
}

/// What a token is.
#[derive(Serialize, ToSchema)]
pub(super) struct Me {
    /// Its identifier.
    id: String,
    /// What people call it.
    name: String,
    /// What it may do.
    scopes: Vec<&'static str>,
    /// When it ends, RFC 3339 in UTC; null when it does not by itself.
    expires_at: Option<String>,
    /// The workspace it acts in.
    workspace: String,
    /// Whether this server looks at a lab.
    simulated: bool,
}

/// Get what this token may do
#[utoipa::path(
    get, path = "/api/v1/me", tag = "tokens", security(("token" = [])),
    responses((status = 200, description = "The token", body = Me))
)]
pub(super) async fn me(
    State(site): State<Arc<Site>>,
    Can { caller, .. }: Can<AnyToken>,
) -> Result<Answer, Problem> {
    let bearer = caller.bearer;
    Answer::ok(&Me {
        id: bearer.id.to_string(),
        name: bearer.name,
        scopes: bearer.scopes.words(),
        expires_at: bearer.expires_at.map(|at| at.to_string()),
        workspace: bearer.workspace_name,
        simulated: site.settings.simulated,
    })
}

/// Get a job
///
/// A verification or a test send. Its record is kept when the server starts again.
#[utoipa::path(
    get, path = "/api/v1/jobs/{id}", tag = "jobs", security(("token" = ["read"])),
    params(("id" = String, Path, description = "Its identifier")),
    responses(
        (status = 200, description = "Where it stands, with the result once it is there", body = OneJob),
        (status = 404, description = "There is no such job", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn show(
    State(site): State<Arc<Site>>,
    Can { caller, .. }: Can<Read>,
    Part(id): Part,
) -> Result<Answer, Problem> {
    let job = site.jobs.view(&caller.data, &id).await;
    let job = job.map_err(|error| refusals::job(&site, &error))?;
    Answer::ok(&OneJob { job, simulated: site.settings.simulated })
}

/// Follow a job
///
/// Server-sent events: `step` for each step from the first on, then `end` with the job.
#[utoipa::path(
    get, path = "/api/v1/jobs/{id}/events", tag = "jobs", security(("token" = ["read"])),
    params(("id" = String, Path, description = "Its identifier")),
    responses(
        (status = 200, description = "Events; only `end` for a job that is long over", body = String, content_type = "text/event-stream"),
        (status = 404, description = "There is no such job", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn events(
    State(site): State<Arc<Site>>,
    Can { caller, .. }: Can<Read>,
    Part(id): Part,
    Extension(Client(client)): Extension<Client>,
) -> Result<Response, Problem> {
    let Some(watch) = site.jobs.watch(&caller.data, &id) else {
        let job = site.jobs.view(&caller.data, &id).await;
        let job = job.map_err(|error| refusals::job(&site, &error))?;
        let over = futures::stream::once(async move { Ok::<_, Infallible>(end(&job)) });
        return Ok(Sse::new(over).into_response());
    };
    let place = site.stream(client).ok_or_else(|| {
        let status = StatusCode::TOO_MANY_REQUESTS;
        Problem::new(status, "streams", "You have as many event streams as you may")
    })?;
    let closing = site.closing.subscribe();
    let follower = Follower { watch: Some(watch), closing, _place: place };
    let beat = KeepAlive::new().interval(STREAM_BEAT);
    Ok(Sse::new(stream(follower)).keep_alive(beat).into_response())
}

struct Follower {
    watch: Option<JobWatch>,
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
        let event = if let Some(step) = next {
            event("step", &step)
        } else {
            let event = end(&watch.view());
            follower.watch = None;
            event
        };
        Some((Ok(event), follower))
    })
}

fn end(job: &JobView) -> Event {
    event("end", job)
}

fn event(name: &str, value: &impl Serialize) -> Event {
    let text = serde_json::to_string(value).unwrap_or_default();
    Event::default().event(name).data(escape::json(&text))
}
