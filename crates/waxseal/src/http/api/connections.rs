//! `/api/v1/connections`: list, add, show, change, remove, their secrets and whether they are used. The same use
//! cases and the same views as the command line. Keep: no answer holds a secret, and every change is noted in the
//! log of its workspace.

use super::answer::{Answer, etag, once};
use super::auth::{AddConnection, Caller, Can, Connections, Read};
use super::body::{Body, Keyed, Part, Words};
use super::fields::{ConnectionFields, NewSecret};
use super::openapi;
use super::problem::Problem;
use super::refusals;
use crate::http::Site;
use crate::limits::{API_PAGE_DEFAULT, API_PAGE_MAX};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;
use waxseal_app::audit;
use waxseal_app::connections::wire::{ConnectionView, Offer};
use waxseal_app::connections::{self as cases, Changed, Connection, SecretChange, Use, Wanted};
use waxseal_app::tokens::Scope;
use waxseal_check::report::wire::FindingV1;

/// One connection.
#[derive(Serialize, ToSchema)]
pub(super) struct OneConnection {
    #[schema(schema_with = openapi::connection)]
    pub(super) connection: ConnectionView,
    /// Whether this server looks at a lab.
    pub(super) simulated: bool,
}

/// A connection that was added or changed.
#[derive(Serialize, ToSchema)]
pub(super) struct ChangedConnection {
    #[schema(schema_with = openapi::connection)]
    connection: ConnectionView,
    /// What is known of its host.
    #[schema(schema_with = openapi::offer)]
    offer: Offer,
    /// What contradicts itself in its settings.
    #[schema(schema_with = openapi::findings)]
    warnings: Vec<FindingV1>,
    /// Whether this server looks at a lab.
    simulated: bool,
}

/// A part of the connections.
#[derive(Serialize, ToSchema)]
pub(super) struct SomeConnections {
    /// In the order in which they were added; `detail` of their tests is null here.
    #[schema(schema_with = openapi::connections)]
    connections: Vec<ConnectionView>,
    /// What to send as `cursor` for the next part; null when there is none.
    next: Option<String>,
    /// The workspace.
    workspace: String,
    /// Whether this server looks at a lab.
    simulated: bool,
}

/// Which part of a list.
#[derive(Debug, Deserialize)]
pub(super) struct Which {
    /// How many at most.
    #[serde(default)]
    limit: Option<String>,
    /// What `next` said.
    #[serde(default)]
    cursor: Option<String>,
}

impl Which {
    fn limit(&self) -> Result<u32, Problem> {
        let Some(text) = &self.limit else { return Ok(API_PAGE_DEFAULT) };
        let limit = text.parse().ok().filter(|limit| (1..=API_PAGE_MAX).contains(limit));
        limit.ok_or_else(|| bad_query("limit", &format!("a number from 1 to {API_PAGE_MAX}")))
    }
}

fn bad_query(field: &str, hint: &str) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "bad-query", "The query cannot be read")
        .hint(&format!("{field}: {hint}"))
        .field(field)
}

/// List the connections
#[utoipa::path(
    get, path = "/api/v1/connections", tag = "connections",
    security(("token" = ["read"])),
    params(
        ("limit" = Option<u32>, Query, description = "How many at most", minimum = 1, maximum = 100),
        ("cursor" = Option<String>, Query, description = "What next said", pattern = "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"),
    ),
    responses(
        (status = 200, description = "A part of them, in the order in which they were added", body = SomeConnections),
        (status = 400, description = "The query cannot be read", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn list(
    State(site): State<Arc<Site>>,
    Can { caller, .. }: Can<Read>,
    Words(which): Words<Which>,
) -> Result<Answer, Problem> {
    let after = which.cursor.as_deref().map(str::parse).transpose();
    let after = after.map_err(|_| bad_query("cursor", "what next said"))?;
    let found = cases::page(&caller.data, after, which.limit()?, site.now()).await;
    let (connections, has_more) = found.map_err(|error| refusals::connections(&site, &error))?;
    let last = connections.last().filter(|_| has_more);
    Answer::ok(&SomeConnections {
        next: last.map(|last| last.id.clone()),
        connections,
        workspace: caller.data.workspace_name().to_string(),
        simulated: site.settings.simulated,
    })
}

/// Add a connection
///
/// It is enabled and untested. A secret in the body needs the scope `connections`.
#[utoipa::path(
    post, path = "/api/v1/connections", tag = "connections", request_body = ConnectionFields,
    security(("token" = ["add-connection"])),
    params(("Idempotency-Key" = Option<String>, Header, description = "Names this request: sent again with the same key, nothing is added and the first answer is repeated", max_length = 128, pattern = "^[!-~]+$")),
    responses(
        (status = 201, description = "Added", body = ChangedConnection),
        (status = 400, description = "The body is not JSON, or the key cannot be one", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "The name is taken, or this request is being answered", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "The body is too large", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "The body is not said to be JSON", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A field is wrong or missing, or the key was used for another request", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn add(
    State(site): State<Arc<Site>>,
    Can { caller, .. }: Can<AddConnection>,
    keyed: Keyed,
    body: Body<ConnectionFields>,
) -> Result<Response, Problem> {
    if body.value.has_secret() {
        caller.needs(Scope::Connections)?;
    }
    let (form, secret) = body.value.new_form();
    let wanted = Wanted { form, secret, exception: None };
    let (doing, by) = (Arc::clone(&site), caller.clone());
    once(&site, &caller, (&keyed, &body.octets), async move {
        let added = cases::add(&by.data, &wanted, doing.now()).await;
        let added = added.map_err(|error| refusals::connections(&doing, &error))?;
        note(&doing, &by, "connection.added", &added.connection.name).await?;
        let location = format!("/api/v1/connections/{}", added.connection.id);
        Ok(changed(&doing, added, StatusCode::CREATED)?.at(location))
    })
    .await
}

/// Get a connection
#[utoipa::path(
    get, path = "/api/v1/connections/{id}", tag = "connections",
    security(("token" = ["read"])),
    params(("id" = String, Path, description = "Its identifier")),
    responses(
        (status = 200, description = "The connection; ETag is its revision", body = OneConnection),
        (status = 404, description = "There is no such connection", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn show(
    State(site): State<Arc<Site>>,
    Can { caller, .. }: Can<Read>,
    Part(id): Part,
) -> Result<Answer, Problem> {
    let found = find(&site, &caller, &id).await?;
    let shown = cases::show(&caller.data, &found.id.to_string(), site.now()).await;
    let connection = shown.map_err(|error| refusals::connections(&site, &error))?;
    let revision = connection.revision;
    let simulated = site.settings.simulated;
    Ok(Answer::ok(&OneConnection { connection, simulated })?.revision(revision))
}

/// Change a connection
///
/// What is left out stays, null takes an optional field away. New settings or a new secret make it untested. A
/// change of host, service or trust asks for the secret again in the same request.
#[utoipa::path(
    patch, path = "/api/v1/connections/{id}", tag = "connections", request_body = ConnectionFields,
    security(("token" = ["connections"])),
    params(
        ("id" = String, Path, description = "Its identifier"),
        ("If-Match" = Option<String>, Header, description = "The ETag of the connection as it was read; otherwise nothing is changed"),
    ),
    responses(
        (status = 200, description = "Changed", body = ChangedConnection),
        (status = 400, description = "The body is not JSON", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "There is no such connection", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "The name is taken, the secret stands in the way, or somebody changed the connection meanwhile", body = Problem, content_type = "application/problem+json"),
        (status = 412, description = "The connection has another revision than If-Match says", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "The body is too large", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "The body is not said to be JSON", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A field is wrong", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn change(
    State(site): State<Arc<Site>>,
    Can { caller, .. }: Can<Connections>,
    Part(id): Part,
    headers: HeaderMap,
    body: Body<ConnectionFields>,
) -> Result<Answer, Problem> {
    let before = find(&site, &caller, &id).await?;
    let wanted = headers.get(header::IF_MATCH).map(|tag| tag.to_str().unwrap_or_default().trim());
    if wanted.is_some_and(|tag| tag != "*" && tag != etag(before.revision)) {
        let status = StatusCode::PRECONDITION_FAILED;
        return Err(Problem::new(status, "changed-meanwhile", "The connection was changed")
            .hint("get it again, look at it, and send its ETag as If-Match")
            .field("If-Match"));
    }
    let (form, secret) = body.value.change();
    edit(&site, &caller, &before, Wanted { form, secret, exception: None }, "connection.changed")
        .await
}

/// Remove a connection
///
/// With its secret and its tests; refused while something uses it.
#[utoipa::path(
    delete, path = "/api/v1/connections/{id}", tag = "connections",
    security(("token" = ["connections"])),
    params(("id" = String, Path, description = "Its identifier")),
    responses(
        (status = 200, description = "What was removed", body = OneConnection),
        (status = 404, description = "There is no such connection", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "It is in use", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn remove(
    State(site): State<Arc<Site>>,
    Can { caller, .. }: Can<Connections>,
    Part(id): Part,
) -> Result<Answer, Problem> {
    let before = find(&site, &caller, &id).await?;
    let removed = cases::remove(&caller.data, &before.id.to_string(), site.now()).await;
    let connection = removed.map_err(|error| refusals::connections(&site, &error))?;
    note(&site, &caller, "connection.removed", &connection.name).await?;
    Answer::ok(&OneConnection { connection, simulated: site.settings.simulated })
}

/// Store the secret of a connection
///
/// It takes the place of what was stored, and is never shown.
#[utoipa::path(
    put, path = "/api/v1/connections/{id}/secret", tag = "connections", request_body = NewSecret,
    security(("token" = ["connections"])),
    params(("id" = String, Path, description = "Its identifier")),
    responses(
        (status = 200, description = "Stored", body = ChangedConnection),
        (status = 400, description = "The body is not JSON", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "There is no such connection", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "Somebody changed the connection meanwhile", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "The body is too large", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "The body is not said to be JSON", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "The connection has no such secret", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn set_secret(
    State(site): State<Arc<Site>>,
    Can { caller, .. }: Can<Connections>,
    Part(id): Part,
    body: Body<NewSecret>,
) -> Result<Answer, Problem> {
    let before = find(&site, &caller, &id).await?;
    let secret = SecretChange::Set(body.value.secret.0);
    let wanted = Wanted { secret, ..Wanted::default() };
    edit(&site, &caller, &before, wanted, "connection.secret-set").await
}

/// Remove the secret of a connection
#[utoipa::path(
    delete, path = "/api/v1/connections/{id}/secret", tag = "connections",
    security(("token" = ["connections"])),
    params(("id" = String, Path, description = "Its identifier")),
    responses(
        (status = 200, description = "Removed, or there was none", body = ChangedConnection),
        (status = 404, description = "There is no such connection", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "Somebody changed the connection meanwhile", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn remove_secret(
    State(site): State<Arc<Site>>,
    Can { caller, .. }: Can<Connections>,
    Part(id): Part,
) -> Result<Answer, Problem> {
    let before = find(&site, &caller, &id).await?;
    let wanted = Wanted { secret: SecretChange::Remove, ..Wanted::default() };
    edit(&site, &caller, &before, wanted, "connection.secret-removed").await
}

/// Enable a connection
#[utoipa::path(
    post, path = "/api/v1/connections/{id}/enable", tag = "connections",
    security(("token" = ["connections"])),
    params(("id" = String, Path, description = "Its identifier")),
    responses(
        (status = 200, description = "Enabled", body = OneConnection),
        (status = 404, description = "There is no such connection", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn enable(
    State(site): State<Arc<Site>>,
    Can { caller, .. }: Can<Connections>,
    Part(id): Part,
) -> Result<Answer, Problem> {
    set_use(&site, &caller, &id, (Use::Enabled, "connection.enabled")).await
}

/// Disable a connection
///
/// It is kept, and nothing is sent over it.
#[utoipa::path(
    post, path = "/api/v1/connections/{id}/disable", tag = "connections",
    security(("token" = ["connections"])),
    params(("id" = String, Path, description = "Its identifier")),
    responses(
        (status = 200, description = "Disabled", body = OneConnection),
        (status = 404, description = "There is no such connection", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn disable(
    State(site): State<Arc<Site>>,
    Can { caller, .. }: Can<Connections>,
    Part(id): Part,
) -> Result<Answer, Problem> {
    set_use(&site, &caller, &id, (Use::Disabled, "connection.disabled")).await
}

/// The connection of an identifier; names are for people.
pub(super) async fn find(site: &Site, caller: &Caller, id: &str) -> Result<Connection, Problem> {
    if id.parse::<cases::ConnectionId>().is_err() {
        return Err(Problem::not_found("connection"));
    }
    let found = cases::find(&caller.data, id).await;
    found.map_err(|error| refusals::connections(site, &error))
}

/// Adds a line to the log of the caller's workspace.
pub(super) async fn note(
    site: &Site,
    caller: &Caller,
    what: &str,
    subject: &str,
) -> Result<(), Problem> {
    let noted = audit::note(&caller.data, &caller.who(), what, subject, site.now()).await;
    noted.map_err(|error| {
        site.fault("note a change", &error);
        Problem::broken()
    })
}

async fn edit(
    site: &Site,
    caller: &Caller,
    before: &Connection,
    wanted: Wanted,
    what: &str,
) -> Result<Answer, Problem> {
    let edited = cases::edit_from(&caller.data, before, &wanted, site.now()).await;
    let edited = edited.map_err(|error| refusals::connections(site, &error))?;
    note(site, caller, what, &edited.connection.name).await?;
    changed(site, edited, StatusCode::OK)
}

fn changed(site: &Site, changed: Changed, status: StatusCode) -> Result<Answer, Problem> {
    let revision = changed.connection.revision;
    let answer = ChangedConnection {
        connection: changed.connection,
        offer: changed.offer,
        warnings: changed.warnings,
        simulated: site.settings.simulated,
    };
    Ok(Answer::of(status, &answer)?.revision(revision))
}

async fn set_use(
    site: &Site,
    caller: &Caller,
    id: &str,
    (to, what): (Use, &str),
) -> Result<Answer, Problem> {
    let before = find(site, caller, id).await?;
    let set = cases::set_use(&caller.data, &before.id.to_string(), to, site.now()).await;
    let connection = set.map_err(|error| refusals::connections(site, &error))?;
    note(site, caller, what, &connection.name).await?;
    Answer::ok(&OneConnection { connection, simulated: site.settings.simulated })
}
