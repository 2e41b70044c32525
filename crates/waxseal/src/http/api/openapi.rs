//! The description of the interface (OpenAPI 3.1), made from the handlers. The report's schema is the
//! committed one of `waxseal.report/1`, taken over as it is.

use super::{catalogue, checks};
use serde_json::{Map, Value};
use utoipa::OpenApi;
use utoipa::openapi::{Ref, RefOr, Schema};
use waxseal_check::report::wire::ReportV1;

const REPORT: &str = "ReportV1";

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Waxseal",
        description = "TLS for email, checked from a server: the same results as on the command line and in the pages."
    ),
    paths(
        checks::begin, checks::show, checks::delete, checks::events,
        catalogue::presets, catalogue::preset, catalogue::guides, catalogue::guide,
        catalogue::findings, catalogue::finding,
    ),
    tags(
        (name = "checks", description = "Domains, looked at from this server"),
        (name = "catalogue", description = "What is known: services, guides, findings"),
    )
)]
struct Description;

/// The place of the report in other schemas.
pub(super) fn report() -> RefOr<Schema> {
    RefOr::Ref(Ref::from_schema_name(REPORT))
}

/// The whole document. `base` is the public address, or empty.
pub(super) fn text(base: &str) -> String {
    let mut document = serde_json::to_value(Description::openapi()).unwrap_or_default();
    if let Some(schemas) =
        document.pointer_mut("/components/schemas").and_then(Value::as_object_mut)
    {
        schemas.extend(report_schemas());
    }
    if let (false, Some(document)) = (base.is_empty(), document.as_object_mut()) {
        document.insert("servers".to_owned(), serde_json::json!([{ "url": base }]));
    }
    let mut text = serde_json::to_string_pretty(&document).unwrap_or_default();
    text.push('\n');
    text
}

/// The report and its parts, with references as OpenAPI wants them.
fn report_schemas() -> Map<String, Value> {
    let schema = schemars::schema_for!(ReportV1);
    let mut schema = Value::from(schema);
    let mut all = Map::new();
    if let Some(root) = schema.as_object_mut() {
        root.remove("$schema");
        if let Some(Value::Object(parts)) = root.remove("$defs") {
            all.extend(parts);
        }
    }
    all.insert(REPORT.to_owned(), schema);
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
