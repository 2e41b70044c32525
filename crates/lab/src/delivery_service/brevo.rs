//! Brevo: messages in one or many versions, account and domains. Fields and errors as in its documentation.
//! What it answers to a repeated idempotency key is not documented beyond "ignored"; the lab repeats the first
//! answer, and refuses the key for another message. The way in: [`rule`].

use serde_json::{Value, json};

use super::desk::{Answer, Case, Earlier, Ruling, addresses};
use super::shape::{Shape, may, must};
use super::{Permission, ServiceFault, mailbox};

const ADDRESS: Shape = Shape::Object(&[must("email", Shape::Text), may("name", Shape::Text)]);
const SENDER: Shape = Shape::Object(&[
    may("email", Shape::Text),
    may("name", Shape::Text),
    may("id", Shape::Integer),
]);
const TO: Shape = Shape::List(&ADDRESS, 99);
const VERSION: Shape = Shape::Object(&[
    must("to", TO),
    may("cc", TO),
    may("bcc", TO),
    may("replyTo", ADDRESS),
    may("subject", Shape::Text),
    may("params", Shape::Any),
    may("htmlContent", Shape::Text),
    may("textContent", Shape::Text),
    may("headers", Shape::Map(&Shape::Text)),
]);
const ATTACHMENT: Shape = Shape::Object(&[
    may("url", Shape::Text),
    may("content", Shape::Base64),
    may("name", Shape::Text),
]);
const EMAIL: Shape = Shape::Object(&[
    may("sender", SENDER),
    may("to", TO),
    may("cc", TO),
    may("bcc", TO),
    may("replyTo", ADDRESS),
    may("subject", Shape::Text),
    may("htmlContent", Shape::Text),
    may("textContent", Shape::Text),
    may("attachment", Shape::List(&ATTACHMENT, 1_000)),
    may("headers", Shape::Map(&Shape::Text)),
    may("templateId", Shape::Integer),
    may("params", Shape::Any),
    may("tags", Shape::List(&Shape::Text, 1_000)),
    may("scheduledAt", Shape::Text),
    may("batchId", Shape::Text),
    may("messageVersions", Shape::List(&VERSION, 2_000)),
]);
const RECIPIENTS_MAX: usize = 2_000;

fn error(status: u16, code: &str, message: &str) -> Answer {
    Answer::json(status, &json!({ "code": code, "message": message }))
}

fn refused(status: u16, code: &str, message: &str) -> Ruling {
    Ruling::Refuse(error(status, code, message), vec![format!("{code}: {message}")])
}

/// Judges a request.
pub(super) fn rule(case: &Case<'_>) -> Result<Ruling, Ruling> {
    match case.request.header("api-key") {
        None => {
            let text = "authentication not found in headers";
            return Err(refused(401, "unauthorized", text));
        }
        Some(key) if key != case.key() => {
            return Err(refused(401, "unauthorized", "Key not found"));
        }
        Some(_) => {}
    }
    let failed = |answer| Err(Ruling::Fail(answer));
    if case.has(ServiceFault::CallerRefused) {
        let text = "We have detected you are using an unrecognised IP address 192.0.2.1. If you performed this \
            action make sure to add the new IP address in this link: https://app.brevo.com/security/authorised_ips";
        return failed(error(401, "unauthorized", text));
    }
    if case.has(ServiceFault::RateLimited) {
        let text = "Too many requests, please try again later";
        let answer = error(429, "too_many_requests", text).with("x-sib-ratelimit-limit", "1000");
        return failed(
            answer.with("x-sib-ratelimit-remaining", "0").with("x-sib-ratelimit-reset", "7"),
        );
    }
    if case.has(ServiceFault::ServiceError) {
        return failed(error(500, "internal_error", "Something went wrong"));
    }
    match case.place() {
        ("POST", "/v3/smtp/email") => send(case),
        ("GET", "/v3/account") => tell(case, tell_account),
        ("GET", "/v3/senders/domains") => tell(case, tell_domains),
        _ => Err(refused(404, "document_not_found", "The requested resource does not exist")),
    }
}

fn tell(case: &Case<'_>, what: fn(&Case<'_>) -> Value) -> Result<Ruling, Ruling> {
    if !case.may(Permission::Read) {
        return Err(refused(403, "permission_denied", "Permission denied"));
    }
    Ok(Ruling::Tell(Answer::json(200, &what(case))))
}

fn tell_account(case: &Case<'_>) -> Value {
    let account = case.account();
    json!({
        "organization_id": "lab",
        "user_id": 1,
        "enterprise": false,
        "email": "lab@example.com",
        "firstName": "Lab",
        "lastName": "Lab",
        "companyName": "Lab",
        "address": { "street": "1", "city": "Lab", "zipCode": "1", "country": "FR" },
        "plan": [{ "type": "subscription", "credits": account.quota.left(), "creditsType": "sendLimit" }],
        "relay": {
            "enabled": !case.has(ServiceFault::AccountSuspended),
            "data": { "userName": "lab@example.com", "relay": "smtp-relay.brevo.com", "port": 587 },
        },
    })
}

fn tell_domains(case: &Case<'_>) -> Value {
    let entry = |(place, name): (usize, &String)| {
        json!({
            "id": place.to_string(), "domain_name": name, "authenticated": true, "verified": true,
            "domain_provider": null, "ip": null,
        })
    };
    let domains: Vec<Value> = case.desk.senders.iter().enumerate().map(entry).collect();
    json!({ "domains": domains, "count": domains.len(), "current_page": 1, "total_pages": 1 })
}

fn send(case: &Case<'_>) -> Result<Ruling, Ruling> {
    if !case.may(Permission::Send) {
        return Err(refused(403, "permission_denied", "Permission denied"));
    }
    let body = case.json(EMAIL).map_err(|why| {
        let missing = why.iter().all(|each| each.ends_with(": missing"));
        let code = if missing { "missing_parameter" } else { "invalid_parameter" };
        Ruling::Refuse(error(400, code, &why.join("; ")), why)
    })?;
    let key = body["headers"]["idempotencyKey"].as_str();
    if let Some(key) = key {
        check_key(key)?;
        match case.earlier(key) {
            Earlier::Nothing => {}
            Earlier::Same(answer) => return Err(Ruling::Replay(answer)),
            Earlier::Other => {
                let text = "idempotencyKey was used for another request";
                return Err(refused(400, "duplicate_parameter", text));
            }
        }
    }
    let messages = judge(case, &body)?;
    fail(case)?;
    let ids: Vec<String> = (0..messages)
        .map(|_| format!("<202601051000.{}@smtp-relay.mailin.fr>", case.next_number()))
        .collect();
    let answer = match (body["messageVersions"].is_array(), ids.as_slice()) {
        (false, [id]) => json!({ "messageId": id }),
        (_, ids) => json!({ "messageIds": ids }),
    };
    let answer = Answer::json(201, &answer).accepting(ids);
    if let Some(key) = key {
        case.remember(key, &answer);
    }
    Ok(Ruling::Accept(answer))
}

/// RFC 9562 §4: groups of hexadecimal digits.
fn check_key(key: &str) -> Result<(), Ruling> {
    let lengths: Vec<usize> = key.split('-').map(str::len).collect();
    let digits = key.bytes().all(|each| each == b'-' || each.is_ascii_hexdigit());
    if digits && lengths == [8, 4, 4, 4, 12] {
        Ok(())
    } else {
        Err(refused(400, "invalid_parameter", "idempotencyKey should be a valid UUID"))
    }
}

/// How many messages the request makes.
fn judge(case: &Case<'_>, body: &Value) -> Result<usize, Ruling> {
    let invalid = |text: &str| refused(400, "invalid_parameter", text);
    let missing = |text: &str| refused(400, "missing_parameter", text);
    let Some(from) = body["sender"]["email"].as_str() else {
        return Err(missing("sender is missing"));
    };
    if !mailbox::is_address(from) {
        return Err(invalid("valid sender email required"));
    }
    let versions = body["messageVersions"].as_array();
    if body["subject"].as_str().is_none_or(str::is_empty) {
        return Err(missing("subject is missing"));
    }
    let template = body["templateId"].is_number();
    if body["htmlContent"].as_str().is_none_or(str::is_empty) && !template {
        return Err(missing("htmlContent is missing"));
    }
    let messages: Vec<&Value> = versions.map_or_else(|| vec![body], |list| list.iter().collect());
    let mut recipients = Vec::new();
    for message in &messages {
        if message["to"].as_array().is_none_or(Vec::is_empty) {
            return Err(missing("to is missing"));
        }
        for name in ["to", "cc", "bcc"] {
            recipients.extend(addresses(&message[name], "email"));
        }
        for (name, value) in message["headers"].as_object().into_iter().flatten() {
            let value = value.as_str().unwrap_or_default();
            if !name.is_ascii() || !value.is_ascii() || value.contains(['\r', '\n']) {
                return Err(invalid(&format!("headers: {name} is not valid")));
            }
        }
    }
    if let Some(wrong) = recipients.iter().find(|address| !mailbox::is_address(address)) {
        return Err(invalid(&format!("email {wrong} is not valid in to")));
    }
    if recipients.len() > RECIPIENTS_MAX {
        return Err(invalid("total number of recipients exceeds 2000"));
    }
    if !case.is_verified(from) {
        let text = format!(
            "Sending has been rejected because the sender you used {from} is not valid. Validate your sender or \
             authenticate your domain"
        );
        return Err(invalid(&text));
    }
    Ok(messages.len())
}

/// What the account does not allow, and what the scenario wants.
fn fail(case: &Case<'_>) -> Result<(), Ruling> {
    let (status, code, text) = if case.is_used_up() {
        (402, "not_enough_credits", "You do not have enough credits to send this email")
    } else if case.has(ServiceFault::AccountSuspended) {
        let text = "Unable to send email. Your SMTP account is not yet activated. Please contact us at \
            contact@brevo.com for activation";
        (403, "permission_denied", text)
    } else if case.has(ServiceFault::PayloadRefused) {
        (400, "invalid_parameter", "email is not valid in to")
    } else if case.has(ServiceFault::PayloadTooLarge) {
        (413, "bad_request", "Request entity too large")
    } else {
        return Ok(());
    };
    Err(Ruling::Fail(error(status, code, text)))
}
