//! `/results/{token}`: a result behind an address that nobody can guess; while the check runs, its steps as
//! server-sent events. The token is never logged and never sent to another site.

use super::frame::{Frame, page, private};
use super::not_found;
use super::tools::broken;
use crate::escape;
use crate::http::{Client, Site, StreamPlace, cookie};
use crate::limits::{OWNER_COOKIE_SECONDS, STREAM_BEAT};
use crate::render;
use askama::Template;
use axum::extract::{Extension, Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Redirect, Response};
use futures::Stream;
use std::convert::Infallible;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use waxseal_app::Progress;
use waxseal_app::check_desk::{Kind, LinkedReport, Secrets, TokenHash, Watch, measured_again_from};
use waxseal_check::report::wire::ReportV1;
use waxseal_proto::smtp::seen::Stage;

/// The name of the cookie by which the maker of a result may delete it.
const OWNER: &str = "waxseal-owner";

#[derive(Template)]
#[template(path = "result.html")]
struct ResultPage<'a> {
    frame: Frame<'a>,
    token: &'a str,
    target: String,
    /// HTML.
    circumstances: String,
    simulated: bool,
    kind: &'static str,
    is_owner: bool,
    report: String,
    /// Until then everybody is shown this measurement; HTML.
    again_from: Option<String>,
    /// HTML.
    expires_at: String,
}

#[derive(Template)]
#[template(path = "running.html")]
struct Running<'a> {
    frame: Frame<'a>,
    token: &'a str,
    target: String,
}

/// The cookie goes to the result's own addresses only.
pub(super) fn owner_cookie(site: &Site, secrets: &Secrets) -> String {
    let secure = if site.settings.is_https { "; Secure" } else { "" };
    format!(
        "{OWNER}={}; Path=/results/{}; Max-Age={OWNER_COOKIE_SECONDS}; HttpOnly; SameSite=Strict{secure}",
        secrets.owner.expose(),
        secrets.token.expose()
    )
}

fn owner(headers: &HeaderMap) -> Option<TokenHash> {
    cookie(headers, OWNER).map(TokenHash::of)
}

/// The result behind a token, or the answer instead of it.
async fn linked(
    site: &Arc<Site>,
    token: &str,
    headers: &HeaderMap,
) -> Result<LinkedReport, Response> {
    match site.desk.result(TokenHash::of(token), owner(headers), site.now()).await {
        Ok(Some(linked)) => Ok(linked),
        Ok(None) => Err(not_found(State(Arc::clone(site))).await),
        Err(error) => Err(broken(site, &error)),
    }
}

/// `GET /results/{token}`.
pub(super) async fn show(
    State(site): State<Arc<Site>>,
    Path(token): Path<String>,
    headers: HeaderMap,
) -> Response {
    if let Some(target) = site.desk.runs(TokenHash::of(&token)) {
        let frame = Frame::of(&site).noindex();
        let target = escape::line(&target);
        return private(page(&site, &Running { frame, token: &token, target }));
    }
    let linked = match linked(&site, &token, &headers).await {
        Ok(linked) => linked,
        Err(response) => return response,
    };
    let report = &linked.report;
    let template = ResultPage {
        frame: Frame::of(&site).noindex(),
        token: &token,
        target: escape::line(&report.target),
        circumstances: render::site_circumstances(report),
        simulated: report.simulated,
        kind: Kind::of(report).as_str(),
        is_owner: linked.is_owner,
        report: render::site_report(report),
        again_from: measured_again_from(report)
            .filter(|again| *again > site.now())
            .map(|again| render::site_time(&again.to_string())),
        expires_at: render::site_time(&linked.expires_at.to_string()),
    };
    private(page(&site, &template))
}

/// `GET /results/{token}/report.json`.
pub(super) async fn json(
    State(site): State<Arc<Site>>,
    Path(token): Path<String>,
    headers: HeaderMap,
) -> Response {
    let linked = match linked(&site, &token, &headers).await {
        Ok(linked) => linked,
        Err(response) => return response,
    };
    match serde_json::to_string(&linked.report) {
        Ok(text) => download(&linked.report, ("application/json", "json"), escape::json(&text)),
        Err(error) => {
            site.fault("write a report", &error);
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// `GET /results/{token}/report.md`.
pub(super) async fn markdown(
    State(site): State<Arc<Site>>,
    Path(token): Path<String>,
    headers: HeaderMap,
) -> Response {
    match linked(&site, &token, &headers).await {
        Ok(linked) => {
            let text = render::markdown(&linked.report);
            download(&linked.report, ("text/markdown; charset=utf-8", "md"), text)
        }
        Err(response) => response,
    }
}

fn download(
    report: &ReportV1,
    (media_type, ending): (&'static str, &str),
    text: String,
) -> Response {
    let name: String = report
        .target
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' })
        .collect();
    let disposition = format!("attachment; filename=\"waxseal-{name}.{ending}\"");
    private(
        (
            [
                (header::CONTENT_TYPE, media_type.to_owned()),
                (header::CONTENT_DISPOSITION, disposition),
            ],
            text,
        )
            .into_response(),
    )
}

/// `POST /results/{token}/delete`.
pub(super) async fn delete(
    State(site): State<Arc<Site>>,
    Path(token): Path<String>,
    headers: HeaderMap,
) -> Response {
    let Some(owner) = owner(&headers) else { return not_found(State(site)).await };
    match site.desk.delete(TokenHash::of(&token), owner).await {
        Ok(true) => Redirect::to("/").into_response(),
        Ok(false) => not_found(State(site)).await,
        Err(error) => broken(&site, &error),
    }
}

/// `GET /results/{token}/events`: one `step` for each thing that happens, then `end`. Whoever goes away stops
/// watching, and a check that nobody watches is cancelled.
pub(super) async fn events(
    State(site): State<Arc<Site>>,
    Path(token): Path<String>,
    Extension(Client(client)): Extension<Client>,
) -> Response {
    let Some(watch) = site.desk.follow(TokenHash::of(&token)) else {
        // It ended before the browser came: the result is there.
        let over = futures::stream::once(async { Ok::<_, Infallible>(end()) });
        return Sse::new(over).into_response();
    };
    let Some(place) = site.stream(client) else {
        return StatusCode::TOO_MANY_REQUESTS.into_response();
    };
    let follower =
        Follower { watch, closing: site.closing.subscribe(), _place: place, over: false };
    Sse::new(steps(follower)).keep_alive(KeepAlive::new().interval(STREAM_BEAT)).into_response()
}

struct Follower {
    watch: Watch,
    closing: watch::Receiver<bool>,
    _place: StreamPlace,
    over: bool,
}

fn steps(follower: Follower) -> impl Stream<Item = Result<Event, Infallible>> {
    futures::stream::unfold(follower, |mut follower| async move {
        if follower.over {
            return None;
        }
        loop {
            let next = tokio::select! {
                next = follower.watch.next() => next,
                _ = follower.closing.wait_for(|closing| *closing) => return None,
            };
            let Some(progress) = next else {
                follower.over = true;
                return Some((Ok(end()), follower));
            };
            if let Some(html) = step(&progress, follower.watch.target()) {
                let event = Event::default().event("step").data(html);
                return Some((Ok(event), follower));
            }
        }
    })
}

fn end() -> Event {
    Event::default().event("end").data("over")
}

/// One line of the live view; none for what people need not see.
fn step(progress: &Progress, target: &str) -> Option<String> {
    match progress {
        Progress::MxAnswered { name, hosts } if name.trim_end_matches('.') == target => {
            let hosts = if hosts.is_empty() { "none".to_owned() } else { hosts.join(", ") };
            Some(format!("<li>MX records: {}</li>", escape::html(&hosts)))
        }
        Progress::MxAnswered { .. } | Progress::ProbeBegan { .. } => None,
        Progress::PolicyFetched { host } => {
            Some(format!("<li>MTA-STS policy asked from {}</li>", escape::html(host)))
        }
        Progress::ProbeEnded { host, address, outcome, timings, .. } => Some(format!(
            "<li><strong>{}</strong> [{address}]: <code>{}</code><br><span class=\"took\">{}</span></li>",
            escape::html(host),
            outcome.as_str(),
            stages(timings)
        )),
    }
}

fn stages(timings: &[(Stage, Duration)]) -> String {
    let mut out = String::new();
    for (stage, took) in timings {
        let separator = if out.is_empty() { "" } else { " · " };
        let _ = write!(out, "{separator}{} {:.1} ms", word(*stage), took.as_secs_f64() * 1000.0);
    }
    out
}

const fn word(stage: Stage) -> &'static str {
    match stage {
        Stage::Connect => "connect",
        Stage::Greeting => "greeting",
        Stage::Ehlo => "ehlo",
        Stage::StartTls => "starttls",
        Stage::Handshake => "tls",
        Stage::EhloAfterTls => "ehlo again",
        Stage::Quit => "quit",
    }
}
