//! Tests and verifications: begun by a form, followed step by step where scripts run, else waited for. The result
//! has its own address, which answers as long as the record of the test is kept.

use super::show::with_problem;
use super::{Answer, Desk, Instead, Moment, private, sentence, status};
use crate::cli::error::chain;
use crate::escape;
use crate::http::{Client, Site, StreamPlace, Visitor};
use crate::limits::{PLAIN_WAIT, STREAM_BEAT};
use crate::render;
use crate::web::frame::{Frame, page};
use askama::Template;
use axum::extract::{Extension, Form, Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Redirect, Response};
use futures::Stream;
use serde::Deserialize;
use std::convert::Infallible;
use std::sync::Arc;
use tokio::sync::watch;
use waxseal_app::connections;
use waxseal_app::connections::wire::ConnectionView;
use waxseal_app::connections::{ConnectionsError, Fault};
use waxseal_app::jobs::wire::JobView;
use waxseal_app::jobs::{JobError, JobWatch, Wanted};
use waxseal_app::test_send::{IdempotencyKey, TestError, TestRequest};
use waxseal_app::users::Role;
use waxseal_check::report::send::wire::OutcomeV1;
use waxseal_proto::name::Mailbox;

/// A form that begins something.
#[derive(Deserialize)]
pub(super) struct Begin {
    #[serde(default)]
    form_token: String,
    #[serde(default)]
    to: String,
    #[serde(default)]
    key: String,
}

#[derive(Template)]
#[template(path = "connection_live.html")]
struct Live {
    id: String,
    job: String,
    heading: String,
}

#[derive(Template)]
#[template(path = "connection_job.html")]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a part of the page that is shown or not"
)]
struct JobPage<'a> {
    frame: Frame<'a>,
    id: String,
    job: String,
    name: String,
    heading: String,
    is_running: bool,
    repeated: bool,
    state: &'static str,
    steps: String,
    problem: Option<String>,
    shown: Option<Shown>,
    account: Vec<(&'static str, String)>,
    may_have_arrived: bool,
    is_sender: bool,
    is_owner: bool,
    arrived: Option<super::received::Arrived>,
    upload_problem: Option<String>,
    form_token: String,
}

/// The result of a test or a verification with what can be done about it.
pub(super) struct Shown {
    pub(super) job: String,
    pub(super) at: Moment,
    pub(super) html: String,
    pub(super) passed: bool,
    /// The message may be in an inbox.
    pub(super) may_have_arrived: bool,
    pub(super) suggestions: Vec<Suggestion>,
}

/// Another pair of port and mode that answers.
pub(super) struct Suggestion {
    pub(super) port: u16,
    pub(super) security: String,
    pub(super) label: String,
}

impl Shown {
    /// The result of a recorded test.
    pub(super) async fn of_trial(desk: &Desk, view: &ConnectionView, id: &str) -> Option<Self> {
        let job = desk.site.jobs.view(&desk.data, id).await.ok()?;
        Self::of(view, &job)
    }

    fn of(view: &ConnectionView, job: &JobView) -> Option<Self> {
        let sent = job.result.as_ref()?;
        let now = (view.port, view.security);
        let other = |port: u16, security: &str| now != (Some(port), Some(security));
        let suggestions = sent.suggestions.iter().filter(|one| other(one.port, &one.security));
        Some(Self {
            job: job.id.clone(),
            at: Moment::of(&sent.began_at),
            html: render::site_sent(sent),
            passed: sent.accepted,
            may_have_arrived: matches!(sent.outcome, OutcomeV1::Accepted | OutcomeV1::Unknown),
            suggestions: suggestions
                .map(|one| Suggestion {
                    port: one.port,
                    label: label(view, one.port, &one.security),
                    security: one.security.clone(),
                })
                .collect(),
        })
    }
}

/// What a click on a suggestion does.
fn label(view: &ConnectionView, port: u16, security: &str) -> String {
    let security = escape::line(security);
    if view.port == Some(port) {
        format!("Change security to {security}")
    } else if view.security == Some(security.as_str()) {
        format!("Change the port to {port}")
    } else {
        format!("Change the port to {port} and security to {security}")
    }
}

/// `POST /connections/{id}/test`: sends one real message.
pub(super) async fn test(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    Path(id): Path<String>,
    headers: HeaderMap,
    Form(form): Form<Begin>,
) -> Answer {
    let desk = Desk::open(site, visitor).await?;
    desk.needs(Role::Sender)?;
    desk.sent(&form.form_token)?;
    let view = desk.connection(&id).await?;
    let by_script = headers.contains_key("hx-request");
    let to = match Mailbox::parse(form.to.trim()) {
        Ok(to) => to,
        Err(error) => {
            let text = sentence(&error.to_string(), None);
            let wrong = StatusCode::UNPROCESSABLE_ENTITY;
            return refused(&desk, &view, (wrong, by_script), (&form.to, text)).await;
        }
    };
    let request = TestRequest {
        connection: id,
        to,
        // A form without one, or with one of no use, is a test of its own.
        key: IdempotencyKey::parse(&form.key).ok(),
    };
    let begun = desk.site.jobs.begin(&desk.data, Wanted::Test(request), desk.site.now()).await;
    match begun {
        Ok(watch) => {
            if !watch.view().repeated {
                desk.note("connection.tested", &view.name).await;
            }
            Ok(follow(&desk, &view, watch, by_script).await)
        }
        Err(error) => not_begun(&desk, &view, &error, (&form.to, by_script)).await,
    }
}

/// `POST /connections/{id}/verify`: signs in and leaves, or asks the service about its key.
pub(super) async fn verify(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    Path(id): Path<String>,
    headers: HeaderMap,
    Form(form): Form<Begin>,
) -> Answer {
    let desk = Desk::open(site, visitor).await?;
    desk.needs(Role::Sender)?;
    desk.sent(&form.form_token)?;
    let view = desk.connection(&id).await?;
    let by_script = headers.contains_key("hx-request");
    let wanted = Wanted::Verify { connection: id };
    match desk.site.jobs.begin(&desk.data, wanted, desk.site.now()).await {
        Ok(watch) => {
            desk.note("connection.verified", &view.name).await;
            Ok(follow(&desk, &view, watch, by_script).await)
        }
        Err(error) => not_begun(&desk, &view, &error, ("", by_script)).await,
    }
}

/// A script gets the live view at once. A plain form waits for the end, and after a while for the page that does.
async fn follow(
    desk: &Desk,
    view: &ConnectionView,
    mut watch: JobWatch,
    by_script: bool,
) -> Response {
    let job = watch.id().to_string();
    if by_script {
        let heading = heading(watch.view().kind, &view.name);
        let live = Live { id: view.id.clone(), job, heading };
        return private(page(&desk.site, &live));
    }
    let mut closing = desk.site.closing.subscribe();
    tokio::select! {
        _ = watch.end() => {}
        () = tokio::time::sleep(PLAIN_WAIT) => {}
        _ = closing.wait_for(|closing| *closing) => {}
    }
    private(Redirect::to(&format!("/connections/{}/tests/{job}", view.id)).into_response())
}

fn heading(kind: &str, name: &str) -> String {
    let what = if kind == "test" { "Test" } else { "Verification" };
    format!("{what} of {}", escape::line(name))
}

/// Says beside the form why nothing was begun.
async fn not_begun(
    desk: &Desk,
    view: &ConnectionView,
    error: &JobError,
    (to, by_script): (&str, bool),
) -> Answer {
    let (status, text) = match error {
        JobError::NotFound { .. } => return Err(desk.missing().await),
        JobError::Busy | JobError::Closing | JobError::Stopped => {
            (StatusCode::SERVICE_UNAVAILABLE, sentence(&error.to_string(), error.hint().as_deref()))
        }
        JobError::Test(refusal) => {
            if refusal.fault() == Fault::NotFound {
                return Err(desk.missing().await);
            }
            if refusal.fault() == Fault::Machine && !is_too_many(refusal) {
                desk.site.fault("test a connection", refusal);
            }
            of_test(refusal)
        }
    };
    refused(desk, view, (status, by_script), (to, text)).await
}

const fn is_too_many(refusal: &TestError) -> bool {
    matches!(refusal, TestError::Connections(ConnectionsError::TooMany { .. }))
}

/// Status and words of a test that was refused.
fn of_test(refusal: &TestError) -> (StatusCode, String) {
    let code =
        if is_too_many(refusal) { StatusCode::TOO_MANY_REQUESTS } else { status(refusal.fault()) };
    if let TestError::Connections(ConnectionsError::Field(problem)) = refusal {
        let text = format!("{}: {}", problem.field, problem.problem);
        return (code, sentence(&text, problem.hint.as_deref()));
    }
    (code, sentence(&chain(refusal), refusal.hint().as_deref()))
}

async fn refused(
    desk: &Desk,
    view: &ConnectionView,
    (status, by_script): (StatusCode, bool),
    (to, text): (&str, String),
) -> Answer {
    let mut response = with_problem(desk, view, (to, escape::line(&text))).await?;
    if by_script {
        // htmx swaps nothing on an error status: the whole page takes the place of this one instead.
        let headers = response.headers_mut();
        headers.insert("hx-retarget", HeaderValue::from_static("#main"));
        headers.insert("hx-reselect", HeaderValue::from_static("#main"));
        headers.insert("hx-reswap", HeaderValue::from_static("outerHTML"));
    } else {
        *response.status_mut() = status;
    }
    Ok(response)
}

/// `GET /connections/{id}/tests/{job}`.
pub(super) async fn show(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    Path((id, job)): Path<(String, String)>,
) -> Answer {
    let desk = Desk::open(site, visitor).await?;
    let view = desk.connection(&id).await?;
    job_page(&desk, &view, &job, None).await
}

/// The page of a test; `problem` is what was wrong with a message that was given for it.
pub(super) async fn job_page(
    desk: &Desk,
    view: &ConnectionView,
    job: &str,
    problem: Option<String>,
) -> Answer {
    let job = match desk.site.jobs.view(&desk.data, job).await {
        Ok(job) if job.connection == view.id => job,
        Ok(_) | Err(JobError::NotFound { .. }) => return Err(desk.missing().await),
        Err(error) => {
            desk.site.fault("look for a test", &error);
            return Err(super::failed_here(&desk.site));
        }
    };
    let arrived = arrived(desk, view, &job).await?;
    let shown = Shown::of(view, &job);
    let template = JobPage {
        frame: desk.frame(),
        id: view.id.clone(),
        name: escape::line(&view.name),
        heading: heading(job.kind, &view.name),
        is_running: job.state == "running",
        repeated: job.repeated,
        state: view.state,
        steps: render::site_steps(&job.steps, None),
        problem: job
            .problem
            .as_ref()
            .map(|problem| escape::line(&sentence(&problem.text, problem.hint.as_deref()))),
        account: job.account.as_ref().map(account).unwrap_or_default(),
        may_have_arrived: job.kind == "test"
            && shown.as_ref().is_some_and(|shown| shown.may_have_arrived),
        is_sender: desk.visitor.is(Role::Sender),
        is_owner: desk.visitor.is(Role::Owner),
        upload_problem: problem,
        form_token: desk.form_token(),
        job: job.id,
        shown,
        arrived,
    };
    Ok(private(page(&desk.site, &template)))
}

/// What the lines of the test's message say where it arrived.
async fn arrived(
    desk: &Desk,
    view: &ConnectionView,
    job: &JobView,
) -> Result<Option<super::received::Arrived>, Instead> {
    let tests = match connections::tests(&desk.data, &view.id).await {
        Ok(tests) => tests,
        Err(error) => return Err(desk.failed(&error).await),
    };
    let test = tests.iter().find(|test| test.id == job.id);
    Ok(test.and_then(super::received::Arrived::of))
}

/// What the account of a service says about itself.
fn account(account: &connections::wire::AccountView) -> Vec<(&'static str, String)> {
    let yes = |value: bool| if value { "yes" } else { "no" }.to_owned();
    let quota = account.quota.as_ref().map(|quota| {
        let number = |value: Option<u64>| value.map_or_else(|| "?".to_owned(), |n| n.to_string());
        format!("{} left of {} {}", number(quota.left), number(quota.limit), quota.unit)
    });
    let lines = [
        ("Sending", account.sending.map(str::to_owned)),
        ("Stage", account.stage.map(str::to_owned)),
        ("This key may send", account.key_may_send.map(yes)),
        ("The sending domain is verified", account.domain_verified.map(yes)),
        ("Quota", quota),
        ("Recipients per second", account.rate_per_second_max.map(|rate| rate.to_string())),
        ("TLS towards inboxes", account.inbox_tls.map(str::to_owned)),
    ];
    let known = |(label, value): (&'static str, Option<String>)| Some((label, value?));
    lines.into_iter().filter_map(known).collect()
}

/// `GET /connections/{id}/tests/{job}/events`: one `step` for each step that ends, then `end`. Whoever goes away
/// ends nothing.
pub(super) async fn events(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    Path((id, job)): Path<(String, String)>,
    Extension(Client(client)): Extension<Client>,
) -> Answer {
    let desk = Desk::open(site, visitor).await?;
    desk.connection(&id).await?;
    let watch = desk.site.jobs.watch(&desk.data, &job);
    let Some(watch) = watch.filter(|watch| watch.connection().to_string() == id) else {
        // It ended before the browser came, or never was: its page tells.
        let over = futures::stream::once(async { Ok::<_, Infallible>(end()) });
        return Ok(Sse::new(over).into_response());
    };
    let Some(place) = desk.site.stream(client) else {
        return Ok(StatusCode::TOO_MANY_REQUESTS.into_response());
    };
    let closing = desk.site.closing.subscribe();
    let follower = Follower { watch, closing, _place: place, over: false };
    Ok(Sse::new(steps(follower)).keep_alive(KeepAlive::new().interval(STREAM_BEAT)).into_response())
}

struct Follower {
    watch: JobWatch,
    closing: watch::Receiver<bool>,
    _place: StreamPlace,
    over: bool,
}

fn steps(follower: Follower) -> impl Stream<Item = Result<Event, Infallible>> {
    futures::stream::unfold(follower, |mut follower| async move {
        if follower.over {
            return None;
        }
        let next = tokio::select! {
            next = follower.watch.next() => next,
            _ = follower.closing.wait_for(|closing| *closing) => return None,
        };
        let Some(step) = next else {
            follower.over = true;
            return Some((Ok(end()), follower));
        };
        let event = Event::default().event("step").data(render::site_step(&step));
        Some((Ok(event), follower))
    })
}

fn end() -> Event {
    Event::default().event("end").data("over")
}
