//! One call of every tool, and whether a value fits a schema.

use serde_json::{Value, json};

/// A TXT record and a policy as a domain could publish them.
pub(crate) const STS_RECORD: &str = "v=STSv1; id=20260101T000000;";
pub(crate) const STS_POLICY: &str =
    "version: STSv1\nmode: enforce\nmx: *.example.com\nmax_age: 604800\n";
pub(crate) const RPT_RECORD: &str = "v=TLSRPTv1; rua=mailto:tls@example.com";

/// Calls that every tool answers in the lab with a connection `own` that holds its secret. `account` is what a
/// client of the lab's submission server is set to.
pub(crate) fn calls(account: &Value) -> Vec<(&'static str, Value)> {
    let to = &account["to"];
    let test = json!({ "connection": "own", "to": to, "idempotency_key": "once" });
    let add = json!({ "name": "second", "service": "postmark", "from_address": "a@example.com" });
    let read = json!({ "message": "Received: from a.test by b.test with ESMTPS id 1" });
    vec![
        ("check_domain", json!({ "domain": "healthy-one-mx.test", "only": ["tls", "mx"] })),
        ("mx_records", json!({ "domain": "dns-null-mx.test", "expect_mx": ["10 mx.a.test"] })),
        ("explain_finding", json!({ "code": "cert-expired" })),
        ("list_findings", json!({ "prefix": "cert-" })),
        ("list_guides", json!({})),
        ("read_guide", json!({ "guide": "tls#certificate" })),
        ("read_guide", json!({ "guide": "tls" })),
        ("search_guides", json!({ "words": "expired certificate" })),
        ("read_headers", read),
        ("check_address", json!({ "address": "someone@bücher.example" })),
        ("check_address", json!({ "address": "nobody" })),
        (
            "read_mta_sts",
            json!({ "record": STS_RECORD, "policy": STS_POLICY, "host": "mx.example.com" }),
        ),
        ("read_mta_sts", json!({ "record": "v=STSv2" })),
        ("read_tls_rpt", json!({ "record": RPT_RECORD })),
        (
            "inspect_certificates",
            json!({ "pem": include_str!("../../../check/src/diagnose/tests/service.pem") }),
        ),
        ("presets", json!({ "name": "postmark" })),
        ("presets", json!({})),
        ("list_connections", json!({})),
        ("verify_connection", json!({ "connection": "own" })),
        ("test_connection", test.clone()),
        ("test_connection", test),
        ("show_connection", json!({ "connection": "own" })),
        ("add_connection", add),
        ("request_secret_link", json!({ "connection": "second" })),
        ("edit_connection", json!({ "connection": "second", "name": "third" })),
        ("set_connection_enabled", json!({ "connection": "third", "enabled": false })),
        ("list_connections", json!({})),
    ]
}

/// The header of the message of a test, as its recipient may have it.
pub(crate) fn arrival(tested: &Value) -> Value {
    let id = tested["result"]["message_id"].as_str().unwrap();
    json!({
        "connection": "own",
        "message": format!("Received: from a.test by b.test with ESMTPS id 1\nMessage-ID: <{id}>\n"),
    })
}

/// Whether a value fits a schema, and has no field that the schema does not name. The schemas are our own and use
/// few words; one that is not known here is an error.
pub(crate) fn fits(schema: &Value, value: &Value, at: &str) -> Result<(), String> {
    fits_in(&schema["$defs"], schema, value, at)
}

fn fits_in(defs: &Value, schema: &Value, value: &Value, at: &str) -> Result<(), String> {
    if schema == true {
        return Ok(());
    }
    let schema = schema.as_object().ok_or_else(|| format!("{at}: no schema: {schema}"))?;
    for (word, rule) in schema {
        match word.as_str() {
            "$ref" => {
                let name = rule.as_str().unwrap().strip_prefix("#/$defs/").unwrap();
                fits_in(defs, &defs[name], value, at)?;
            }
            "$defs"
            | "additionalProperties"
            | "default"
            | "description"
            | "format"
            | "maximum"
            | "minimum"
            | "required"
            | "title" => {}
            "properties" => fits_fields(defs, schema, value, at)?,
            "anyOf" => {
                let tried: Vec<_> = rule
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|one| fits_in(defs, one, value, at))
                    .collect();
                if tried.iter().all(Result::is_err) {
                    return Err(format!("{at}: none of {tried:?}"));
                }
            }
            "oneOf" => {
                let tried =
                    rule.as_array().unwrap().iter().map(|one| fits_in(defs, one, value, at));
                if tried.flatten().count() != 1 {
                    return Err(format!("{at}: {value} is not one of {rule}"));
                }
            }
            "const" if rule == value => {}
            "enum" if rule.as_array().unwrap().contains(value) => {}
            "items" => {
                for (index, entry) in value.as_array().into_iter().flatten().enumerate() {
                    fits_in(defs, rule, entry, &format!("{at}[{index}]"))?;
                }
            }
            "type" if is_of(rule, value) => {}
            other => return Err(format!("{at}: {value} is not {other} {rule}")),
        }
    }
    Ok(())
}

fn fits_fields(
    defs: &Value,
    schema: &serde_json::Map<String, Value>,
    value: &Value,
    at: &str,
) -> Result<(), String> {
    let Some(fields) = value.as_object() else { return Ok(()) };
    let named = schema["properties"].as_object().unwrap();
    for name in schema.get("required").and_then(Value::as_array).into_iter().flatten() {
        if !fields.contains_key(name.as_str().unwrap()) {
            return Err(format!("{at}: {name} is missing"));
        }
    }
    for (name, field) in fields {
        let rule = named.get(name).ok_or_else(|| format!("{at}: {name} is not in the schema"))?;
        fits_in(defs, rule, field, &format!("{at}.{name}"))?;
    }
    Ok(())
}

fn is_of(rule: &Value, value: &Value) -> bool {
    if let Value::Array(kinds) = rule {
        return kinds.iter().any(|kind| is_of(kind, value));
    }
    match rule.as_str().unwrap() {
        "array" => value.is_array(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "null" => value.is_null(),
        "number" => value.is_number(),
        "object" => value.is_object(),
        "string" => value.is_string(),
        _ => false,
    }
}

#[test]
fn the_look_at_schemas_can_say_no() {
    let schema = json!({ "type": "object", "required": ["a"], "properties": {
        "a": { "type": ["string", "null"] }, "b": { "type": "array", "items": { "const": 1 } } } });
    for (value, good) in [
        (json!({ "a": null }), true),
        (json!({ "a": "x", "b": [1] }), true),
        (json!({ "a": 1 }), false),
        (json!({ "b": [1] }), false),
        (json!({ "a": "x", "b": [2] }), false),
        (json!({ "a": "x", "c": 1 }), false),
        (json!([]), false),
    ] {
        assert_eq!(fits(&schema, &value, "").is_ok(), good, "{value}");
    }
    assert!(fits(&json!({ "anyOf": [{ "type": "null" }, schema] }), &json!(3), "").is_err());
}
