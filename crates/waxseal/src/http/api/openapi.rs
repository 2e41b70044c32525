//! The description of the interface (OpenAPI 3.1), made from the handlers. The report's schema is the
//! committed one of `waxseal.report/1`, taken over as it is.

use super::{catalogue, checks, connections, jobs, trials};
use crate::cli::headers::Message;
use schemars::JsonSchema;
use serde_json::{Map, Value, json};
use utoipa::openapi::schema::{Object, OneOfBuilder, Type};
use utoipa::openapi::{Array, Ref, RefOr, Schema};
use utoipa::{OpenApi, PartialSchema, ToSchema};
use waxseal_app::connections::wire::{ConnectionView, Offer, TrialView};
use waxseal_app::jobs::wire::JobView;
use waxseal_check::report::wire::ReportV1;

const REPORT: &str = "ReportV1";
const SECRET: &str = "Secret";

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Waxseal",
        description = "TLS for email, checked from a server, and connections to delivery services: the same results as on the command line and in the pages."
    ),
    paths(
        checks::begin, checks::show, checks::delete, checks::events,
        connections::list, connections::add, connections::show, connections::change, connections::remove,
        connections::set_secret, connections::remove_secret, connections::enable, connections::disable,
        trials::verify, trials::test, trials::tests, trials::received, trials::headers,
        jobs::show, jobs::events, jobs::me,
        catalogue::presets, catalogue::preset, catalogue::guides, catalogue::guide,
        catalogue::findings, catalogue::finding,
    ),
    tags(
        (name = "checks", description = "Domains, looked at from this server"),
        (name = "connections", description = "How messages are handed over: delivery services and SMTP servers"),
        (name = "jobs", description = "Verifications and test sends that go on by themselves"),
        (name = "tokens", description = "Who may do what"),
        (name = "catalogue", description = "What is known: services, guides, findings"),
    )
)]
struct Description;

/// The place of a report that is not there yet.
pub(super) fn report() -> RefOr<Schema> {
    let missing = Object::with_type(Type::Null);
    let either = OneOfBuilder::new().item(Ref::from_schema_name(REPORT)).item(missing);
    RefOr::T(Schema::OneOf(either.build()))
}

/// The place of a connection.
pub(super) fn connection() -> RefOr<Schema> {
    named("ConnectionView")
}

/// Several connections.
pub(super) fn connections() -> RefOr<Schema> {
    list("ConnectionView")
}

/// What is known of a host.
pub(super) fn offer() -> RefOr<Schema> {
    named("Offer")
}

/// Findings.
pub(super) fn findings() -> RefOr<Schema> {
    list("FindingV1")
}

/// A test or verification.
pub(super) fn trial() -> RefOr<Schema> {
    named("TrialView")
}

/// Several of them.
pub(super) fn trials() -> RefOr<Schema> {
    list("TrialView")
}

/// A job.
pub(super) fn job() -> RefOr<Schema> {
    named("JobView")
}

/// The header of a message.
pub(super) fn message() -> RefOr<Schema> {
    named("Headers")
}

/// A secret, which goes in only.
pub(super) fn secret() -> RefOr<Schema> {
    named(SECRET)
}

/// The answer about a header: its schema is another one's.
pub(super) struct HeadersRead;

impl PartialSchema for HeadersRead {
    fn schema() -> RefOr<Schema> {
        message()
    }
}

impl ToSchema for HeadersRead {}

fn named(schema: &str) -> RefOr<Schema> {
    RefOr::Ref(Ref::from_schema_name(schema))
}

fn list(schema: &str) -> RefOr<Schema> {
    RefOr::T(Schema::Array(Array::new(Ref::from_schema_name(schema))))
}

/// The whole document. `base` is the public address, or empty.
pub(super) fn text(base: &str) -> String {
    let mut document = serde_json::to_value(Description::openapi()).unwrap_or_default();
    if let Some(schemas) =
        document.pointer_mut("/components/schemas").and_then(Value::as_object_mut)
    {
        schemas.extend(schemas_of::<ReportV1>(REPORT));
        schemas.extend(schemas_of::<ConnectionView>("ConnectionView"));
        schemas.extend(schemas_of::<Offer>("Offer"));
        schemas.extend(schemas_of::<TrialView>("TrialView"));
        schemas.extend(schemas_of::<JobView>("JobView"));
        schemas.extend(schemas_of::<Message>("Headers"));
        schemas.insert(SECRET.to_owned(), secret_schema());
    }
    if let Some(components) = document.pointer_mut("/components").and_then(Value::as_object_mut) {
        components.insert("securitySchemes".to_owned(), json!({ "token": token_scheme() }));
    }
    if let Some(paths) = document.pointer_mut("/paths").and_then(Value::as_object_mut) {
        for (path, operations) in paths.iter_mut() {
            for (method, operation) in operations.as_object_mut().into_iter().flatten() {
                operation["operationId"] = name_of(method, path).into();
                what_all_answer(operation);
            }
        }
    }
    if let (false, Some(document)) = (base.is_empty(), document.as_object_mut()) {
        document.insert("servers".to_owned(), json!([{ "url": base }]));
    }
    let mut text = serde_json::to_string_pretty(&document).unwrap_or_default();
    text.push('\n');
    text
}

fn token_scheme() -> Value {
    json!({
        "type": "http",
        "scheme": "bearer",
        "description": "A token that a person made with: waxseal token create. The words beside it in an \
                        operation are the scopes that it must have.",
    })
}

fn secret_schema() -> Value {
    json!({
        "description": "The password, token or key as a text; of a service also an object from its secret \
                        fields to their texts. It is stored and never shown. null removes it in a change.",
        "writeOnly": true,
        "oneOf": [
            { "type": "string", "minLength": 1, "maxLength": 16384 },
            { "type": "object", "additionalProperties": { "type": "string" } },
            { "type": "null" },
        ],
    })
}

/// One event of a stream.
fn event_schema() -> Value {
    let text = |description: &str| json!({ "description": description, "type": "string" });
    json!({
        "description": "One event of the stream.",
        "type": "object",
        "required": ["event", "data"],
        "properties": { "event": text("What happened"), "data": text("JSON about it") },
    })
}

/// The name of an operation: no two have the same.
fn name_of(method: &str, path: &str) -> String {
    let words = path.trim_start_matches("/api/v1/").split('/');
    let words = words.map(|word| word.trim_matches(['{', '}']));
    std::iter::once(method).chain(words).collect::<Vec<_>>().join("_")
}

/// What every operation can answer besides its own, and the headers of its answers.
fn what_all_answer(operation: &mut Value) {
    let problem = |description: &str| {
        let schema = json!({ "$ref": "#/components/schemas/Problem" });
        json!({
            "description": description,
            "content": { "application/problem+json": { "schema": schema } },
        })
    };
    let header = |text: &str| json!({ "description": text, "schema": { "type": "string" } });
    let needs_token = operation.get("security").is_some();
    let Some(answers) = operation.get_mut("responses").and_then(Value::as_object_mut) else {
        return;
    };
    let mut add = |status: &str, value: Value| {
        answers.entry(status).or_insert(value);
    };
    add("500", problem("This server could not do its own job"));
    if needs_token {
        let mut refused = problem("No token, or one that lets nobody in");
        refused["headers"] = json!({ "WWW-Authenticate": header("RFC 6750") });
        add("401", refused);
        add("403", problem("The token has not the scope; the detail names it"));
    }
    let mut patience =
        problem("Wrong tokens, checks, tests or event streams: more than this client may");
    patience["headers"] = json!({ "Retry-After": header("Seconds, where waiting helps") });
    add("429", patience);
    for (status, answer) in answers.iter_mut() {
        if let Some(stream) = answer.pointer_mut("/content/text~1event-stream") {
            *stream = json!({ "schema": event_schema() });
        }
        if matches!(status.as_str(), "201" | "202") {
            answer["headers"] = json!({
                "Location": header("Where the thing is"),
                "Idempotent-Replayed": header("true when this answer was given before"),
            });
        }
    }
}

/// The schema of a published value and of its parts, with references as OpenAPI wants them.
fn schemas_of<T: JsonSchema>(name: &str) -> Map<String, Value> {
    let mut schema = Value::from(schemars::schema_for!(T));
    let mut all = Map::new();
    if let Some(root) = schema.as_object_mut() {
        root.remove("$schema");
        if let Some(Value::Object(parts)) = root.remove("$defs") {
            all.extend(parts);
        }
    }
    all.insert(name.to_owned(), schema);
    all.values_mut().for_each(point_to_components);
    all
}

fn point_to_components(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields.iter_mut() {
                if let (Value::String(text), "$ref") = (&mut *field, name.as_str()) {
                    *text = text.replace("#/$defs/", "#/components/schemas/");
                }
                point_to_components(field);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(point_to_components),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_description_is_the_present_one() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/openapi.json");
        if std::env::var("INSTA_UPDATE").is_ok_and(|update| update == "always") {
            std::fs::write(&path, text("")).unwrap();
        }
        let committed = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            committed == text(""),
            "run this test with INSTA_UPDATE=always and look at the change"
        );
        let document: Value = serde_json::from_str(&committed).unwrap();
        assert_eq!(document["openapi"], "3.1.0");
        assert!(!committed.contains("#/$defs/"));
        assert!(document["components"]["schemas"]["FindingV1"]["properties"]["guide"].is_object());
    }
}
