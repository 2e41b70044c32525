//! SendGrid, version 3: mail with up to 1,000 personalizations, scopes, credits, domains, enforced TLS. Fields
//! as in its published interface description. The way in: [`rule`].

use serde_json::{Value, json};

use super::desk::{Answer, Case, Ruling, addresses};
use super::shape::{Shape, may, must};
use super::{InboxTls, Permission, ServiceFault, mailbox};

const ADDRESS: Shape = Shape::Object(&[must("email", Shape::Text), may("name", Shape::Text)]);
const ADDRESSES: Shape = Shape::List(&ADDRESS, 1_000);
const TEXTS: Shape = Shape::Map(&Shape::Text);
const PERSONALIZATION: Shape = Shape::Object(&[
    must("to", ADDRESSES),
    may("cc", ADDRESSES),
    may("bcc", ADDRESSES),
    may("from", ADDRESS),
    may("subject", Shape::Text),
    may("headers", TEXTS),
    may("substitutions", TEXTS),
    may("dynamic_template_data", Shape::Any),
    may("custom_args", TEXTS),
    may("send_at", Shape::Integer),
]);
const CONTENT: Shape = Shape::Object(&[must("type", Shape::Text), must("value", Shape::Text)]);
const ATTACHMENT: Shape = Shape::Object(&[
    must("content", Shape::Base64),
    may("type", Shape::Text),
    must("filename", Shape::Text),
    may("disposition", Shape::Word(&["inline", "attachment"])),
    may("content_id", Shape::Text),
]);
const SWITCH: Shape = Shape::Object(&[may("enable", Shape::Bool)]);
const MAIL_SETTINGS: Shape = Shape::Object(&[
    may("bypass_list_management", SWITCH),
    may("bypass_spam_management", SWITCH),
    may("bypass_bounce_management", SWITCH),
    may("bypass_unsubscribe_management", SWITCH),
    may("footer", Shape::Any),
    may("sandbox_mode", SWITCH),
]);
const TRACKING: Shape = Shape::Object(&[
    may("click_tracking", Shape::Any),
    may("open_tracking", Shape::Any),
    may("subscription_tracking", Shape::Any),
    may("ganalytics", Shape::Any),
]);
const SEND: Shape = Shape::Object(&[
    must("personalizations", Shape::List(&PERSONALIZATION, 1_000)),
    must("from", ADDRESS),
    may("reply_to", ADDRESS),
    may("reply_to_list", ADDRESSES),
    may("subject", Shape::Text),
    may("content", Shape::List(&CONTENT, 1_000)),
    may("attachments", Shape::List(&ATTACHMENT, 1_000)),
    may("template_id", Shape::Text),
    may("headers", TEXTS),
    may("categories", Shape::List(&Shape::Text, 10)),
    may("custom_args", TEXTS),
    may("send_at", Shape::Integer),
    may("batch_id", Shape::Text),
    may("asm", Shape::Any),
    may("ip_pool_name", Shape::Text),
    may("mail_settings", MAIL_SETTINGS),
    may("tracking_settings", TRACKING),
]);
const RESERVED: &[&str] = &[
    "x-sg-id",
    "x-sg-eid",
    "received",
    "dkim-signature",
    "content-type",
    "content-transfer-encoding",
    "to",
    "from",
    "subject",
    "reply-to",
    "cc",
    "bcc",
];
const REQUEST_MAX: usize = 30_000_000;

fn error(status: u16, message: &str, field: Option<&str>) -> Answer {
    let error = json!({ "message": message, "field": field, "help": null });
    Answer::json(status, &json!({ "errors": [error] }))
}

fn refused(status: u16, message: &str, field: Option<&str>) -> Ruling {
    let why = format!("{}: {message}", field.unwrap_or("request"));
    Ruling::Refuse(error(status, message, field), vec![why])
}

/// Judges a request.
pub(super) fn rule(case: &Case<'_>) -> Result<Ruling, Ruling> {
    let authorization = case.request.header("authorization").unwrap_or_default();
    // A subuser of one region is not known in the other.
    if authorization.strip_prefix("Bearer ") != Some(case.key()) || !case.at_home() {
        let text = if authorization.is_empty() {
            "Permission denied, wrong credentials"
        } else {
            "The provided authorization grant is invalid, expired, or revoked"
        };
        return Err(refused(401, text, None));
    }
    let failed = |answer| Err(Ruling::Fail(answer));
    if case.has(ServiceFault::CallerRefused) {
        let text = "The requestor's IP Address is not whitelisted";
        return failed(error(401, text, None));
    }
    if case.has(ServiceFault::RateLimited) {
        let answer = error(429, "too many requests", None);
        let answer = answer.with("X-RateLimit-Limit", "600").with("X-RateLimit-Remaining", "0");
        return failed(answer.with("X-RateLimit-Reset", &(case.desk.now + 30).to_string()));
    }
    if case.has(ServiceFault::ServiceError) {
        return failed(error(500, "an unexpected error has occurred on our end", None));
    }
    match case.place() {
        ("POST", "/v3/mail/send") => send(case),
        ("GET", path) => tell(case, path).map(Ruling::Tell),
        _ => Err(refused(404, "not found", None)),
    }
}

fn scopes(case: &Case<'_>) -> Vec<&'static str> {
    let read: &[&str] =
        &["user.credits.read", "user.settings.enforced_tls.read", "whitelabel.read"];
    let mut scopes = Vec::new();
    if case.may(Permission::Send) {
        scopes.extend(["mail.send", "mail.batch.create"]);
    }
    if case.may(Permission::Read) {
        scopes.extend(read);
    }
    scopes.extend(["2fa_required", "sender_verification_eligible"]);
    scopes
}

fn tell(case: &Case<'_>, path: &str) -> Result<Answer, Ruling> {
    if path == "/v3/scopes" {
        return Ok(Answer::json(200, &json!({ "scopes": scopes(case) })));
    }
    if !case.may(Permission::Read) {
        return Err(refused(403, "access forbidden", None));
    }
    let account = case.account();
    let body = match path {
        "/v3/user/credits" => json!({
            "remain": account.quota.left(), "total": account.quota.limit, "overage": 0,
            "used": account.quota.used, "last_reset": "2026-01-01", "next_reset": "2026-02-01",
            "reset_frequency": "monthly",
        }),
        "/v3/whitelabel/domains" => {
            let asked = case.request.query().strip_prefix("domain=");
            let entry = |(place, domain): (usize, &String)| {
                json!({
                    "id": place + 1, "user_id": 7, "subdomain": "em1", "domain": domain,
                    "username": "lab", "ips": [], "custom_spf": false, "default": place == 0,
                    "legacy": false, "automatic_security": true, "valid": true, "dns": {},
                })
            };
            let fits =
                |(_, domain): &(usize, &String)| asked.is_none_or(|asked| domain.contains(asked));
            let domains = case.desk.senders.iter().enumerate();
            Value::Array(domains.filter(fits).map(entry).collect())
        }
        "/v3/user/settings/enforced_tls" => json!({
            "require_tls": account.inbox_tls != InboxTls::Opportunistic,
            "require_valid_cert": account.inbox_tls == InboxTls::Verified,
            "version": 1.1,
        }),
        _ => return Err(refused(404, "not found", None)),
    };
    Ok(Answer::json(200, &body))
}

fn send(case: &Case<'_>) -> Result<Ruling, Ruling> {
    if !case.may(Permission::Send) {
        return Err(refused(403, "access forbidden", None));
    }
    if case.request.body.len() > REQUEST_MAX {
        return Err(refused(413, "payload too large", None));
    }
    let body = case.json(SEND).map_err(|why| {
        Ruling::Refuse(error(400, &format!("Bad Request: {}", why.join("; ")), None), why)
    })?;
    let sandbox_mode = body["mail_settings"]["sandbox_mode"]["enable"] == true;
    judge(case, &body)?;
    fail(case)?;
    if sandbox_mode {
        return Ok(Ruling::Tell(Answer::text(200, "", "")));
    }
    let id = format!("lab1ab1ab1ab1ab1ab{:05}", case.next_number());
    let answer = Answer::text(202, "", "").with("X-Message-Id", &id);
    Ok(Ruling::Accept(answer.accepting(vec![id])))
}

fn judge(case: &Case<'_>, body: &Value) -> Result<(), Ruling> {
    let invalid = |field: &str, text: &str| Err(refused(400, text, Some(field)));
    let entries = body["personalizations"].as_array().map(Vec::as_slice).unwrap_or_default();
    if entries.is_empty() {
        return invalid(
            "personalizations",
            "The personalizations field is required and must have at least one personalization.",
        );
    }
    let mut all = 0;
    for (place, entry) in entries.iter().enumerate() {
        let field = |name: &str| format!("personalizations.{place}.{name}");
        let mut seen: Vec<String> = Vec::new();
        for name in ["to", "cc", "bcc"] {
            for address in addresses(&entry[name], "email") {
                if !mailbox::is_address(&address) {
                    let text = "Does not contain a valid address.";
                    return invalid(&field(&format!("{name}.0.email")), text);
                }
                if seen.contains(&address.to_lowercase()) {
                    let text = "Each email address in the personalization block should be unique between to, cc, and bcc.";
                    return invalid(&field("to"), text);
                }
                seen.push(address.to_lowercase());
            }
        }
        if entry["to"].as_array().is_none_or(Vec::is_empty) {
            return invalid(
                &field("to"),
                "The to array is required for all personalization objects, and must have at least one email object with a valid email address.",
            );
        }
        all += seen.len();
        check_headers(&entry["headers"], &field("headers"))?;
        if entry["subject"].as_str().or(body["subject"].as_str()).is_none_or(str::is_empty) {
            return invalid(
                "subject",
                "The subject is required. You can get around this requirement if you use a template with a subject defined or if every personalization has a subject defined.",
            );
        }
    }
    if all > 1_000 {
        return invalid("personalizations", "There are too many recipients.");
    }
    check_headers(&body["headers"], "headers")?;
    check_content(&body["content"])?;
    if body["reply_to"].is_object() && body["reply_to_list"].is_array() {
        return invalid("reply_to", "reply_to and reply_to_list exclude each other.");
    }
    let from = body["from"]["email"].as_str().unwrap_or_default();
    if !mailbox::is_address(from) {
        return invalid("from.email", "The from email does not contain a valid address.");
    }
    if !case.is_verified(from) {
        let text = "The from address does not match a verified Sender Identity. Mail cannot be sent until this \
            error is resolved. Visit https://sendgrid.com/docs/for-developers/sending-email/sender-identity/ to \
            see the Sender Identity requirements";
        return Err(refused(403, text, Some("from")));
    }
    Ok(())
}

fn check_headers(headers: &Value, field: &str) -> Result<(), Ruling> {
    for (name, value) in headers.as_object().into_iter().flatten() {
        let plain = value.as_str().is_some_and(|value| !value.contains(['\r', '\n']));
        if RESERVED.contains(&name.to_lowercase().as_str()) || !name.is_ascii() || !plain {
            let text = "The headers must not be one of the reserved keys.";
            return Err(refused(400, text, Some(field)));
        }
    }
    Ok(())
}

fn check_content(content: &Value) -> Result<(), Ruling> {
    let parts = content.as_array().map(Vec::as_slice).unwrap_or_default();
    let kinds: Vec<&str> = parts.iter().filter_map(|part| part["type"].as_str()).collect();
    let place = |kind: &str| kinds.iter().position(|each| *each == kind);
    let text = if parts.is_empty() {
        "Unless a valid template_id is provided, the content parameter is required."
    } else if parts.iter().any(|part| part["value"].as_str().is_none_or(str::is_empty)) {
        "The content value must be a string at least one character in length."
    } else if place("text/plain").is_some_and(|place| place != 0)
        || place("text/html").is_some_and(|place| place > 1)
    {
        "If present, text/plain and text/html may only be provided once and text/plain must be first."
    } else {
        return Ok(());
    };
    Err(refused(400, text, Some("content")))
}

/// What the account does not allow, and what the scenario wants.
fn fail(case: &Case<'_>) -> Result<(), Ruling> {
    let (status, text, field) = if case.is_used_up() {
        (401, "Maximum credits exceeded", None)
    } else if case.has(ServiceFault::AccountSuspended) {
        (403, "Your account has been suspended", None)
    } else if case.has(ServiceFault::PayloadRefused) {
        (400, "Does not contain a valid address.", Some("personalizations.0.to.0.email"))
    } else if case.has(ServiceFault::PayloadTooLarge) {
        (413, "payload too large", None)
    } else {
        return Ok(());
    };
    Err(Ruling::Fail(error(status, text, field)))
}
