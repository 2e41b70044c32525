//! Verifications and test sends of a connection, which go on as jobs; the tests that are kept; and what a message of
//! a test says where it arrived.

use super::answer::{Answer, once};
use super::auth::{Caller, Can, Connections, Read, TestSend};
use super::body::{Body, Keyed, Part};
use super::connections::{find, note};
use super::openapi;
use super::problem::Problem;
use super::refusals;
use crate::cli::headers::{Arrived, Message, NO_HEADER};
use crate::http::Site;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;
use waxseal_app::connections::wire::TrialView;
use waxseal_app::connections::{self as cases, ArrivedMessage};
use waxseal_app::jobs::Wanted;
use waxseal_app::test_send::TestRequest;
use waxseal_proto::name::Mailbox;

/// Where the test message goes.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewTest {
    /// The address that gets one real message.
    #[schema(example = "you@example.net", max_length = 254)]
    to: String,
}

/// A received message.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ReceivedMessage {
    /// The message as it was received, or only its header.
    message: String,
}

/// The tests of a connection.
#[derive(Serialize, ToSchema)]
pub(super) struct Tests {
    /// Newest first; `detail` is null here, the job of the same identifier has it.
    #[schema(schema_with = openapi::trials)]
    tests: Vec<TrialView>,
    /// Whether this server looks at a lab.
    simulated: bool,
}

/// What the message of a test says where it arrived.
#[derive(Serialize, ToSchema)]
pub(super) struct ArrivedTest {
    /// The test whose message it is, with the path in its detail.
    #[schema(schema_with = openapi::trial)]
    test: TrialView,
    /// The path of the message.
    #[schema(schema_with = openapi::message)]
    received: Message,
    /// Whether this server looks at a lab.
    simulated: bool,
}

/// Verify a connection
///
/// Signs in and leaves, or asks the service about the key; no message is sent. The answer is a job.
#[utoipa::path(
    post, path = "/api/v1/connections/{id}/verify", tag = "connections",
    security(("token" = ["connections"])),
    params(
        ("id" = String, Path, description = "Its identifier"),
        ("Idempotency-Key" = Option<String>, Header, description = "Names this request: sent again with the same key, the first answer is repeated", max_length = 128, pattern = "^[!-~]+$"),
    ),
    responses(
        (status = 202, description = "Begun; Location is the job", body = super::jobs::OneJob),
        (status = 400, description = "The key cannot be one", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "There is no such connection", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "This request is being answered, or the connection is disabled", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "The connection has no secret, or the key was used for another request", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn verify(
    State(site): State<Arc<Site>>,
    Can { caller, .. }: Can<Connections>,
    Part(id): Part,
    keyed: Keyed,
) -> Result<Response, Problem> {
    let connection = find(&site, &caller, &id).await?;
    let wanted = Wanted::Verify { connection: connection.id.to_string() };
    let what = ("connection.verified", connection.name.to_string());
    begin(&site, &caller, (&keyed, b""), (wanted, what)).await
}

/// Send a test message
///
/// One real message, over the very path that every message takes. Once begun it is carried to its end, whoever
/// waits. The answer is a job.
#[utoipa::path(
    post, path = "/api/v1/connections/{id}/tests", tag = "connections", request_body = NewTest,
    security(("token" = ["test-send"])),
    params(
        ("id" = String, Path, description = "Its identifier"),
        ("Idempotency-Key" = Option<String>, Header, description = "Names this test: sent again with the same key, nothing is sent and the first answer is repeated", max_length = 128, pattern = "^[!-~]+$"),
    ),
    responses(
        (status = 202, description = "Begun; Location is the job", body = super::jobs::OneJob),
        (status = 400, description = "The body is not JSON, or the key cannot be one", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "There is no such connection", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "The connection is disabled, or this request is being answered", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "The body is too large", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "The body is not said to be JSON", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "The address or the connection cannot be used, or the key was used for another request", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn test(
    State(site): State<Arc<Site>>,
    Can { caller, .. }: Can<TestSend>,
    Part(id): Part,
    keyed: Keyed,
    body: Body<NewTest>,
) -> Result<Response, Problem> {
    let connection = find(&site, &caller, &id).await?;
    let unusable = |field: &str, problem: String| {
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        let problem = format!("{field}: {problem}");
        Problem::new(status, "field", "A field is wrong or missing").detail(problem).field(field)
    };
    let to = Mailbox::parse(body.value.to.trim());
    let to = to.map_err(|error| unusable("to", error.to_string()))?;
    let key = keyed.key.as_ref().map(|key| key.of_test(&caller.bearer)).transpose();
    let key = key.map_err(|error| unusable("Idempotency-Key", error.to_string()))?;
    let wanted = Wanted::Test(TestRequest { connection: connection.id.to_string(), to, key });
    let what = ("connection.tested", connection.name.to_string());
    begin(&site, &caller, (&keyed, &body.octets), (wanted, what)).await
}

async fn begin(
    site: &Arc<Site>,
    caller: &Caller,
    request: (&Keyed, &[u8]),
    (wanted, (what, subject)): (Wanted, (&'static str, String)),
) -> Result<Response, Problem> {
    let (doing, by) = (Arc::clone(site), caller.clone());
    once(site, caller, request, async move {
        let begun = doing.jobs.begin(&by.data, wanted, doing.now()).await;
        let job = begun.map_err(|error| refusals::job(&doing, &error))?.view();
        if !job.repeated {
            note(&doing, &by, what, &subject).await?;
        }
        let location = format!("/api/v1/jobs/{}", job.id);
        let simulated = doing.settings.simulated;
        Ok(Answer::of(StatusCode::ACCEPTED, &super::jobs::OneJob { job, simulated })?.at(location))
    })
    .await
}

/// List the tests of a connection
///
/// Some dozen are kept.
#[utoipa::path(
    get, path = "/api/v1/connections/{id}/tests", tag = "connections",
    security(("token" = ["read"])),
    params(("id" = String, Path, description = "Its identifier")),
    responses(
        (status = 200, description = "Its tests", body = Tests),
        (status = 404, description = "There is no such connection", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn tests(
    State(site): State<Arc<Site>>,
    Can { caller, .. }: Can<Read>,
    Part(id): Part,
) -> Result<Answer, Problem> {
    let connection = find(&site, &caller, &id).await?;
    let tests = cases::tests(&caller.data, &connection.id.to_string()).await;
    let tests = tests.map_err(|error| refusals::connections(&site, &error))?;
    let tests = tests.into_iter().map(TrialView::without_detail).collect();
    Answer::ok(&Tests { tests, simulated: site.settings.simulated })
}

/// Read the message of a test where it arrived
///
/// Its lines show which of the further hops used TLS; they are kept with the test.
#[utoipa::path(
    post, path = "/api/v1/connections/{id}/received", tag = "connections", request_body = ReceivedMessage,
    security(("token" = ["test-send"])),
    params(("id" = String, Path, description = "Its identifier")),
    responses(
        (status = 200, description = "The test and the path of its message", body = ArrivedTest),
        (status = 400, description = "The body is not JSON", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "There is no such connection", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "The body is too large", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "The body is not said to be JSON", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "It is no message, or of no test of this connection", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn received(
    State(site): State<Arc<Site>>,
    Can { caller, .. }: Can<TestSend>,
    Part(id): Part,
    body: Body<ReceivedMessage>,
) -> Result<Answer, Problem> {
    let connection = find(&site, &caller, &id).await?;
    let arrived = read(&body.value)?;
    let message_id = arrived.message_id();
    let message = ArrivedMessage { message_id: message_id.as_deref(), path: arrived.path() };
    let id = connection.id.to_string();
    let noted = cases::note_arrived(&caller.data, &id, message, site.now()).await;
    let test = noted.map_err(|error| refusals::connections(&site, &error))?;
    let received = arrived.wire();
    Answer::ok(&ArrivedTest { test, received, simulated: site.settings.simulated })
}

/// Read the header of a message
///
/// The path of a received message, hop by hop, with what TLS each hop used. Nothing is kept.
#[utoipa::path(
    post, path = "/api/v1/headers", tag = "catalogue", request_body = ReceivedMessage,
    security(("token" = ["read"])),
    responses(
        (status = 200, description = "What its lines say", body = openapi::HeadersRead),
        (status = 400, description = "The body is not JSON", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "The body is too large", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "The body is not said to be JSON", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "It is no message", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn headers(
    _caller: Can<Read>,
    body: Body<ReceivedMessage>,
) -> Result<Answer, Problem> {
    Answer::ok(&read(&body.value)?.wire())
}

fn read(body: &ReceivedMessage) -> Result<Arrived, Problem> {
    Arrived::parse(body.message.as_bytes()).ok_or_else(|| {
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        Problem::new(status, "no-header", "There is no header field of a message in it")
            .hint(NO_HEADER)
            .field("message")
    })
}
