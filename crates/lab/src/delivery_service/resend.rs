//! Resend: single messages and batches with idempotency keys, and its list of domains. Fields and errors as in
//! its published interface description. The way in: [`rule`].

use serde_json::{Value, json};

use super::desk::{Answer, Case, Earlier, Ruling};
use super::shape::{Shape, may, must};
use super::{Permission, ServiceFault, mailbox};

const TEXTS: Shape = Shape::List(&Shape::Text, 50);
const TO: Shape = Shape::Either(&[Shape::Text, TEXTS]);
const TAG: Shape = Shape::Object(&[must("name", Shape::Text), must("value", Shape::Text)]);
const ATTACHMENT: Shape = Shape::Object(&[
    may("content", Shape::Base64),
    may("path", Shape::Text),
    may("filename", Shape::Text),
    may("content_type", Shape::Text),
    may("content_id", Shape::Text),
]);
const EMAIL: Shape = Shape::Object(&[
    must("from", Shape::Text),
    must("to", TO),
    may("cc", TO),
    may("bcc", TO),
    may("reply_to", TO),
    must("subject", Shape::Text),
    may("html", Shape::Text),
    may("text", Shape::Text),
    may("headers", Shape::Map(&Shape::Text)),
    may("attachments", Shape::List(&ATTACHMENT, 1_000)),
    may("tags", Shape::List(&TAG, 75)),
    may("scheduled_at", Shape::Text),
    may("template", Shape::Any),
    may("topic_id", Shape::Text),
]);
const BATCH: Shape = Shape::List(&EMAIL, 100);
const REQUEST_MAX: usize = 40_000_000;

fn error(status: u16, name: &str, message: &str) -> Answer {
    Answer::json(status, &json!({ "statusCode": status, "name": name, "message": message }))
}

fn refused(status: u16, name: &str, message: &str) -> Ruling {
    Ruling::Refuse(error(status, name, message), vec![format!("{name}: {message}")])
}

/// Judges a request.
pub(super) fn rule(case: &Case<'_>) -> Result<Ruling, Ruling> {
    if case.request.header("user-agent").is_none_or(str::is_empty) {
        let page = Answer::text(403, "text/plain", "error code: 1010");
        return Err(Ruling::Refuse(page, vec!["no User-Agent".into()]));
    }
    let authorization = case.request.header("authorization").unwrap_or_default();
    match authorization.strip_prefix("Bearer ") {
        None => {
            let text = "Missing API key in the authorization header.";
            return Err(refused(401, "missing_api_key", text));
        }
        Some(key) if key != case.key() => {
            return Err(refused(403, "invalid_api_key", "API key is invalid."));
        }
        Some(_) => {}
    }
    let failed = |answer| Err(Ruling::Fail(answer));
    if case.has(ServiceFault::RateLimited) {
        let text = "Too many requests. You can only make 5 requests per second. See rate limit response headers \
            for more information. Or contact support to increase rate limit.";
        let answer = error(429, "rate_limit_exceeded", text).with("ratelimit-limit", "5");
        let answer = answer.with("ratelimit-remaining", "0").with("ratelimit-reset", "1");
        return failed(answer.with("retry-after", "1"));
    }
    if case.has(ServiceFault::ServiceError) {
        return failed(error(500, "application_error", "An unexpected error occurred."));
    }
    match case.place() {
        ("POST", "/emails") => one(case),
        ("POST", "/emails/batch") => batch(case),
        ("GET", "/domains") => tell_domains(case),
        _ => Err(refused(404, "not_found", "The requested endpoint does not exist.")),
    }
}

fn tell_domains(case: &Case<'_>) -> Result<Ruling, Ruling> {
    if !case.may(Permission::Read) {
        let text = "This API key is restricted to only send emails";
        return Err(refused(401, "restricted_api_key", text));
    }
    let domain = |(place, name): (usize, &String)| {
        json!({
            "id": format!("1ab1ab1a-0000-4000-8000-0000000d{place:04x}"),
            "name": name,
            "status": "verified",
            "created_at": "2026-01-01 00:00:00.000000+00",
            "region": "eu-west-1",
            "capabilities": { "sending": "enabled", "receiving": "disabled" },
        })
    };
    let data: Vec<Value> = case.desk.senders.iter().enumerate().map(domain).collect();
    let list = json!({ "object": "list", "has_more": false, "data": data });
    Ok(Ruling::Tell(Answer::json(200, &list)))
}

/// What the key of a repeated request brings back.
fn earlier(case: &Case<'_>) -> Result<Option<&'static str>, Ruling> {
    let Some(key) = case.request.header("idempotency-key") else { return Ok(None) };
    if !(1..=256).contains(&key.len()) {
        let text = "The key must be between 1-256 chars.";
        return Err(refused(400, "invalid_idempotency_key", text));
    }
    if case.has(ServiceFault::IdempotencyRunning) {
        let text = "Same idempotency key used while original request is still in progress.";
        return Err(Ruling::Fail(error(409, "concurrent_idempotent_requests", text)));
    }
    match case.earlier(key) {
        Earlier::Nothing => Ok(None),
        Earlier::Same(answer) => Err(Ruling::Replay(answer)),
        Earlier::Other => {
            let text = "Same idempotency key used with a different request payload.";
            Err(refused(409, "invalid_idempotent_request", text))
        }
    }
}

fn accept(case: &Case<'_>, answer: Answer) -> Ruling {
    if let Some(key) = case.request.header("idempotency-key") {
        case.remember(key, &answer);
    }
    Ruling::Accept(answer)
}

fn one(case: &Case<'_>) -> Result<Ruling, Ruling> {
    let email = body(case, EMAIL)?;
    earlier(case)?;
    judge(case, &email).map_err(|wrong| refused(wrong.0, wrong.1, &wrong.2))?;
    fail(case)?;
    let id = case.next_uuid();
    Ok(accept(case, Answer::json(200, &json!({ "id": id })).accepting(vec![id])))
}

fn batch(case: &Case<'_>) -> Result<Ruling, Ruling> {
    let emails = body(case, BATCH)?;
    earlier(case)?;
    let mode = case.request.header("x-batch-validation").unwrap_or("strict");
    if !matches!(mode, "strict" | "permissive") {
        return Err(refused(
            422,
            "invalid_parameter",
            "x-batch-validation is strict or permissive",
        ));
    }
    fail(case)?;
    let (mut ids, mut errors) = (Vec::new(), Vec::new());
    for (place, email) in emails.as_array().into_iter().flatten().enumerate() {
        let attached = email["attachments"].is_array();
        let attached =
            attached.then(|| (422, "invalid_parameter", "no attachments in a batch".into()));
        match attached.map_or_else(|| judge(case, email), Err) {
            Ok(()) => ids.push(case.next_uuid()),
            Err(wrong) if mode == "strict" => return Err(refused(wrong.0, wrong.1, &wrong.2)),
            Err((_, _, message)) => errors.push(json!({ "index": place, "message": message })),
        }
    }
    let data: Vec<Value> = ids.iter().map(|id| json!({ "id": id })).collect();
    let list = if errors.is_empty() {
        json!({ "data": data })
    } else {
        json!({ "data": data, "errors": errors })
    };
    Ok(accept(case, Answer::json(200, &list).accepting(ids)))
}

fn body(case: &Case<'_>, shape: Shape) -> Result<Value, Ruling> {
    if !case.may(Permission::Send) {
        return Err(refused(
            403,
            "invalid_access",
            "Access must be \"full_access\" | \"sending_access\".",
        ));
    }
    if case.request.body.len() > REQUEST_MAX {
        return Err(refused(413, "validation_error", "The request is larger than 40 MB."));
    }
    case.json(shape).map_err(|why| {
        let missing = why.iter().any(|each| each.ends_with(": missing"));
        let name = if missing { "missing_required_field" } else { "validation_error" };
        Ruling::Refuse(error(422, name, &why.join("; ")), why)
    })
}

/// What is wrong with one message: status, name, message.
type Wrong = (u16, &'static str, String);

fn judge(case: &Case<'_>, email: &Value) -> Result<(), Wrong> {
    let invalid = |field: &str| {
        let text = format!(
            "Invalid `{field}` field. The email address needs to follow the `email@example.com` or `Name \
             <email@example.com>` format."
        );
        (422, "validation_error", text)
    };
    let from = email["from"].as_str().unwrap_or_default();
    let from = mailbox::one(from).map_err(|_| invalid("from"))?;
    let mut recipients = Vec::new();
    for name in ["to", "cc", "bcc", "reply_to"] {
        let texts = match &email[name] {
            Value::String(text) => vec![text.as_str()],
            Value::Array(list) => list.iter().filter_map(Value::as_str).collect(),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => Vec::new(),
        };
        for text in texts {
            let address = mailbox::one(text).map_err(|_| invalid(name))?;
            if name != "reply_to" {
                recipients.push(address);
            }
        }
    }
    if recipients.is_empty() {
        return Err((422, "missing_required_field", "Missing `to` field.".into()));
    }
    let template = email["template"].is_object();
    if email["html"].as_str().or(email["text"].as_str()).is_none() && !template {
        return Err((422, "missing_required_field", "Missing `html` or `text` field.".into()));
    }
    for tag in email["tags"].as_array().into_iter().flatten() {
        let plain = |text: &Value| {
            let text = text.as_str().unwrap_or_default();
            let fits = |each: u8| each.is_ascii_alphanumeric() || b"_-".contains(&each);
            (1..=256).contains(&text.len()) && text.bytes().all(fits)
        };
        if !plain(&tag["name"]) || !plain(&tag["value"]) {
            let text = "Tags should only contain ASCII letters, numbers, underscores, or dashes.";
            return Err((422, "validation_error", text.into()));
        }
    }
    if !case.not_approved(&recipients).is_empty() {
        let own = case.account().approved.first().map_or("owner@example.com", String::as_str);
        let text = format!(
            "You can only send testing emails to your own email address ({own}). To send emails to other \
             recipients, please verify a domain at resend.com/domains, and change the `from` address to an email \
             using this domain."
        );
        return Err((403, "validation_error", text));
    }
    if !case.is_verified(&from) {
        let domain = mailbox::domain(&from);
        let text = format!(
            "The {domain} domain is not verified. Please, add and verify your domain on https://resend.com/domains"
        );
        return Err((403, "validation_error", text));
    }
    Ok(())
}

/// What the account does not allow, and what the scenario wants.
fn fail(case: &Case<'_>) -> Result<(), Ruling> {
    let (status, name, text) = if case.is_used_up() {
        (429, "daily_quota_exceeded", "You have reached your daily email sending quota.")
    } else if case.has(ServiceFault::AccountSuspended) {
        (451, "security_error", "We may have found a security issue with the request.")
    } else if case.has(ServiceFault::PayloadRefused) {
        (
            422,
            "validation_error",
            "Invalid `to` field. The email address needs to follow the format.",
        )
    } else if case.has(ServiceFault::PayloadTooLarge) {
        (413, "validation_error", "The request is larger than 40 MB.")
    } else {
        return Ok(());
    };
    Err(Ruling::Fail(error(status, name, text)))
}
