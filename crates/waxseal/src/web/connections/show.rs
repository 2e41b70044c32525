//! The list of connections, and one connection: its state, how to test it, what the last test showed, its settings.

use super::jobs::Shown;
use super::{Answer, Desk, Moment, private};
use crate::cli::connection::{arrived, way};
use crate::escape;
use crate::http::{Site, Visitor};
use crate::render::{prose, state_seal};
use crate::web::frame::{Frame, page};
use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use serde::Deserialize;
use std::sync::Arc;
use waxseal_app::connections;
use waxseal_app::connections::wire::{ConnectionView, TrialView};
use waxseal_app::users::{Role, Token};
use waxseal_check::report::wire::FindingV1;

#[derive(Template)]
#[template(path = "connections.html")]
struct List<'a> {
    frame: Frame<'a>,
    rows: Vec<Row>,
    is_owner: bool,
    workspace: String,
}

struct Row {
    id: String,
    name: String,
    state: &'static str,
    class: &'static str,
    seal: &'static str,
    way: String,
    from: String,
    encrypted: bool,
    enabled: bool,
    last_test: Option<LastTest>,
}

struct LastTest {
    outcome: &'static str,
    at: Moment,
    current: bool,
}

/// Something that contradicts itself, as a note beside settings.
pub(super) struct Warning {
    pub(super) title: String,
    pub(super) meaning: String,
    pub(super) fix: Vec<String>,
    pub(super) page: String,
    pub(super) code: String,
}

impl Warning {
    pub(super) fn of(finding: &FindingV1) -> Self {
        Self {
            title: escape::line(&finding.title),
            meaning: prose(&finding.meaning),
            fix: finding.fix.iter().map(|step| prose(step)).collect(),
            page: escape::line(&finding.page),
            code: escape::line(&finding.code),
        }
    }
}

#[derive(Template)]
#[template(path = "connection.html")]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a part of the page that is shown or not"
)]
struct One<'a> {
    frame: Frame<'a>,
    id: String,
    name: String,
    state: &'static str,
    class: &'static str,
    seal: &'static str,
    state_words: &'static str,
    encrypted: bool,
    enabled: bool,
    is_owner: bool,
    is_sender: bool,
    form_token: String,
    key_made: bool,
    needs_secret: bool,
    warnings: Vec<Warning>,
    test: TestForm,
    last: Option<Shown>,
    settings: Vec<(&'static str, Vec<String>)>,
    added: Moment,
    changed: Moment,
    secret_since: Option<Moment>,
    has_secret: bool,
    exception: Option<Exception>,
    can_have_exception: bool,
    tests: Vec<TestRow>,
    last_verify: Option<TestRow>,
}

/// The form of a test send.
pub(super) struct TestForm {
    pub(super) to: String,
    pub(super) problem: Option<String>,
    /// Names the test, so that a form that is sent twice sends one message.
    pub(super) key: String,
}

struct Exception {
    documentation: String,
    reason: String,
    granted_by: String,
    ends: Moment,
    in_force: bool,
}

struct TestRow {
    id: String,
    at: Moment,
    outcome: &'static str,
    current: bool,
    arrived: Option<String>,
}

impl TestRow {
    fn of(trial: &TrialView) -> Self {
        Self {
            id: trial.id.clone(),
            at: Moment::of(&trial.started_at),
            outcome: trial.outcome,
            current: trial.current,
            arrived: arrived(trial).map(|line| escape::line(&line)),
        }
    }
}

/// What a page of a connection is asked with.
#[derive(Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    key: String,
}

fn class(state: &str) -> &'static str {
    match state {
        "passing" => "is-good",
        "failing" => "is-bad",
        _ => "is-quiet",
    }
}

/// `GET /connections`.
pub(super) async fn list(State(site): State<Arc<Site>>, visitor: Visitor) -> Answer {
    let desk = Desk::open(site, visitor).await?;
    let found = match connections::list(&desk.data, desk.site.now()).await {
        Ok(found) => found,
        Err(error) => return Err(desk.failed(&error).await),
    };
    let template = List {
        frame: desk.frame(),
        rows: found.iter().map(row).collect(),
        is_owner: desk.visitor.is(Role::Owner),
        workspace: escape::line(desk.data.workspace_name().as_str()),
    };
    Ok(private(page(&desk.site, &template)))
}

fn row(view: &ConnectionView) -> Row {
    Row {
        id: view.id.clone(),
        name: escape::line(&view.name),
        state: view.state,
        class: class(view.state),
        seal: state_seal(view.state),
        way: escape::line(&way(view)),
        from: escape::line(&view.from_address),
        encrypted: view.encrypted,
        enabled: view.enabled,
        last_test: view.last_test.as_ref().map(|test| LastTest {
            outcome: test.outcome,
            at: Moment::of(&test.started_at),
            current: test.current,
        }),
    }
}

/// `GET /connections/{id}`.
pub(super) async fn one(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    Path(id): Path<String>,
    Query(asked): Query<Asked>,
) -> Answer {
    let desk = Desk::open(site, visitor).await?;
    let view = desk.connection(&id).await?;
    connection_page(&desk, &view, None, asked.key == "made").await
}

/// The page of a connection; `problem` is what was wrong with the address of a test and why.
pub(super) async fn with_problem(
    desk: &Desk,
    view: &ConnectionView,
    problem: (&str, String),
) -> Answer {
    connection_page(desk, view, Some(problem), false).await
}

async fn connection_page(
    desk: &Desk,
    view: &ConnectionView,
    problem: Option<(&str, String)>,
    key_made: bool,
) -> Result<Response, super::Instead> {
    let (found, tests) = (
        connections::find(&desk.data, &view.id).await,
        connections::tests(&desk.data, &view.id).await,
    );
    let (stored, tests) = match (found, tests) {
        (Ok(stored), Ok(tests)) => (stored, tests),
        (Err(error), _) | (_, Err(error)) => return Err(desk.failed(&error).await),
    };
    let last = match view.last_test.as_ref() {
        Some(trial) => Shown::of_trial(desk, view, &trial.id).await,
        None => None,
    };
    let key = Token::new().map(|token| token.expose().to_owned()).unwrap_or_default();
    let (to, problem) =
        problem.map_or_else(Default::default, |(to, text)| (to.to_owned(), Some(text)));
    let template = One {
        frame: desk.frame(),
        id: view.id.clone(),
        name: escape::line(&view.name),
        state: view.state,
        class: class(view.state),
        seal: state_seal(view.state),
        state_words: state_words(view),
        encrypted: view.encrypted,
        enabled: view.enabled,
        is_owner: desk.visitor.is(Role::Owner),
        is_sender: desk.visitor.is(Role::Sender),
        form_token: desk.form_token(),
        key_made,
        needs_secret: (view.service.is_some() || view.sign_in.is_some()) && !view.secret.stored,
        warnings: connections::warnings(&stored.settings.kind).iter().map(Warning::of).collect(),
        test: TestForm { to: escape::line(&to), problem, key },
        last,
        settings: settings(view),
        added: Moment::of(&view.created_at),
        changed: Moment::of(&view.changed_at),
        secret_since: view.secret.changed_at.as_deref().map(Moment::of),
        has_secret: view.service.is_some() || view.security.is_some_and(|mode| mode != "none"),
        exception: view.exception.as_ref().map(|exception| Exception {
            documentation: escape::line(&exception.documentation),
            reason: escape::line(&exception.reason),
            granted_by: escape::line(&exception.granted_by),
            ends: Moment::of(&exception.ends_at),
            in_force: exception.in_force,
        }),
        can_have_exception: view.service.is_none(),
        tests: tests.iter().map(TestRow::of).collect(),
        last_verify: view.last_verify.as_ref().map(TestRow::of),
    };
    Ok(private(page(&desk.site, &template)))
}

fn state_words(view: &ConnectionView) -> &'static str {
    match (view.state, &view.last_test) {
        ("passing", _) => "The last test was taken, with the settings as they are now.",
        ("failing", _) => "The last test did not pass. It stays here until a later one does.",
        (_, Some(_)) => "Settings or secret were changed since the last test.",
        (_, None) => "No message was sent over it yet.",
    }
}

/// Settings by their labels.
fn settings(view: &ConnectionView) -> Vec<(&'static str, Vec<String>)> {
    let line = |text: &str| escape::line(text);
    let from = match &view.from_name {
        Some(name) => format!("{name} <{}>", view.from_address),
        None => view.from_address.clone(),
    };
    let mut lines = vec![("From", vec![line(&from)]), ("Sends by", vec![line(&way(view))])];
    let own: Vec<String> =
        view.settings.iter().map(|(name, value)| line(&format!("{name} = {value}"))).collect();
    if !own.is_empty() {
        lines.push(("Settings of the service", own));
    }
    if view.host.is_some() {
        let sign_in = view.sign_in.as_ref().map_or_else(
            || "nobody signs in".to_owned(),
            |sign_in| format!("{} as {}", sign_in.mechanism, sign_in.user),
        );
        lines.push(("Sign-in", vec![line(&sign_in)]));
    }
    if let Some(trust) = &view.trust {
        let mut trusted = vec![trust.kind.replace('-', " ")];
        let certificates = trust.certificates.iter();
        trusted.extend(
            certificates.map(|one| line(&format!("{} (until {})", one.subject, one.not_after))),
        );
        trusted.extend(trust.pins.iter().map(|pin| line(pin)));
        lines.push(("Trusts", trusted));
    }
    let rest = [
        ("Oldest TLS version", view.minimum_tls.map(str::to_owned)),
        ("Name given in EHLO", view.ehlo_name.clone()),
        ("Addresses", view.ip.map(str::to_owned)),
    ];
    lines.extend(rest.into_iter().filter_map(|(label, value)| Some((label, vec![line(&value?)]))));
    let users: Vec<String> =
        view.used_by.iter().map(|holder| line(&format!("{} {}", holder.kind, holder.id))).collect();
    if !users.is_empty() {
        lines.push(("Used by", users));
    }
    lines
}
