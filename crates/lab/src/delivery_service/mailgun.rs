//! Mailgun: forms with text and HTML or a MIME file, and the state of a domain. Fields as in its documentation.
//! A path that does not exist is answered with a greeting and 200, as the real one does.
//! The way in: [`rule`].

use base64::Engine as _;
use serde_json::{Value, json};

use super::desk::{Answer, Case, Ruling};
use super::form::{self, FormField};
use super::{InboxTls, Permission, ServiceFault, mailbox};

/// Fields that a form may have; `*` ends a prefix.
const FIELDS: &[&str] = &[
    "from",
    "to",
    "cc",
    "bcc",
    "subject",
    "text",
    "html",
    "amp-html",
    "attachment",
    "inline",
    "template",
    "t:version",
    "t:text",
    "t:variables",
    "o:tag",
    "o:dkim",
    "o:deliverytime",
    "o:testmode",
    "o:tracking",
    "o:tracking-clicks",
    "o:tracking-opens",
    "o:require-tls",
    "o:skip-verification",
    "h:*",
    "v:*",
    "recipient-variables",
];
/// Fields of the MIME form.
const MIME_FIELDS: &[&str] = &[
    "to",
    "message",
    "o:tag",
    "o:dkim",
    "o:deliverytime",
    "o:testmode",
    "o:tracking",
    "o:tracking-clicks",
    "o:tracking-opens",
    "o:require-tls",
    "o:skip-verification",
    "v:*",
    "recipient-variables",
];
/// Fields that may stand several times.
const REPEATED: &[&str] = &["to", "cc", "bcc", "o:tag", "attachment", "inline"];
const RECIPIENTS_MAX: usize = 1_000;
const MESSAGE_MAX: usize = 25_000_000;

fn error(status: u16, message: &str) -> Answer {
    Answer::json(status, &json!({ "message": message }))
}

fn refused(status: u16, message: &str) -> Ruling {
    Ruling::Refuse(error(status, message), vec![message.to_owned()])
}

fn forbidden(why: &str) -> Ruling {
    Ruling::Refuse(Answer::text(401, "text/html; charset=utf-8", "Forbidden"), vec![why.into()])
}

/// Judges a request.
pub(super) fn rule(case: &Case<'_>) -> Result<Ruling, Ruling> {
    let (method, path) = case.place();
    let target = match (method, path.split('/').collect::<Vec<_>>().as_slice()) {
        ("POST", ["", "v3", domain, kind @ ("messages" | "messages.mime")]) => {
            Some((*domain, Some(*kind)))
        }
        ("GET", ["", "v4", "domains", domain]) => Some((*domain, None)),
        _ => None,
    };
    let Some((domain, kind)) = target else {
        let page = Answer::text(200, "text/html; charset=utf-8", "Mailgun Magnificent API");
        return Err(Ruling::Refuse(page, vec![format!("no such path: {method} {path}")]));
    };
    check_key(case)?;
    let failed = |answer| Err(Ruling::Fail(answer));
    if case.has(ServiceFault::CallerRefused) {
        return failed(error(401, "Your IP address is not on the allowlist of this account."));
    }
    if case.has(ServiceFault::RateLimited) {
        return failed(error(429, "Too many requests"));
    }
    if case.has(ServiceFault::ServiceError) {
        return failed(error(500, "Internal Server Error"));
    }
    // A sending key is told the same as a wrong one when it asks.
    let needed = if kind.is_some() { Permission::Send } else { Permission::Read };
    if !case.may(needed) {
        return Err(forbidden("the key may not do this"));
    }
    let known = case.desk.senders.iter().any(|sender| sender.eq_ignore_ascii_case(domain));
    let sandbox = case.account().sandbox && domain.starts_with("sandbox");
    if !case.at_home() || !(known || sandbox) {
        return Err(refused(404, &format!("Domain not found: {domain}")));
    }
    match kind {
        Some(kind) => send(case, domain, kind),
        None => Ok(Ruling::Tell(Answer::json(200, &domain_state(case, domain)))),
    }
}

fn check_key(case: &Case<'_>) -> Result<(), Ruling> {
    let authorization = case.request.header("authorization").unwrap_or_default();
    let basic = authorization.strip_prefix("Basic ").unwrap_or_default();
    let octets = base64::engine::general_purpose::STANDARD.decode(basic).unwrap_or_default();
    if octets == format!("api:{}", case.key()).into_bytes() {
        return Ok(());
    }
    Err(forbidden("not Basic with the user api and the key"))
}

fn domain_state(case: &Case<'_>, domain: &str) -> Value {
    let account = case.account();
    let suspended = case.has(ServiceFault::AccountSuspended);
    json!({
        "domain": {
            "id": "1ab1ab1ab1ab1ab1ab1ab1ab",
            "name": domain,
            "state": if suspended { "disabled" } else { "active" },
            "type": if account.sandbox { "sandbox" } else { "custom" },
            "is_disabled": suspended,
            "require_tls": account.inbox_tls != InboxTls::Opportunistic,
            "skip_verification": account.inbox_tls != InboxTls::Verified,
            "smtp_login": format!("postmaster@{domain}"),
            "spam_action": "disabled",
            "wildcard": false,
            "web_prefix": "email",
            "web_scheme": "https",
            "created_at": "Thu, 01 Jan 2026 00:00:00 UTC",
        },
        "receiving_dns_records": [],
        "sending_dns_records": [],
    })
}

fn send(case: &Case<'_>, domain: &str, kind: &str) -> Result<Ruling, Ruling> {
    if case.request.body.len() > MESSAGE_MAX {
        return Err(refused(413, "Message size is over 25 MB"));
    }
    let fields = form::fields(case.request).map_err(|what| refused(400, &what))?;
    let is_mime = kind == "messages.mime";
    let known = if is_mime { MIME_FIELDS } else { FIELDS };
    check_names(&fields, known).map_err(|why| {
        Ruling::Refuse(error(400, &format!("{} parameter is not valid", why.join(", "))), why)
    })?;
    let recipients = recipients(&fields)?;
    check_variables(&fields, &recipients)?;
    check_words(&fields)?;
    if is_mime {
        check_mime(&fields)?;
    } else {
        check_parts(case, domain, &fields)?;
    }
    if !case.not_approved(&recipients).is_empty() {
        let text = format!(
            "Domain {domain} is not allowed to send: Sandbox subdomains are for test purposes only. Please add \
             your own domain or add the address to authorized recipients in Account Settings."
        );
        return Err(refused(403, &text));
    }
    fail(case, domain)?;
    let id = format!("<2026010510000{}.1ab1ab1ab1ab@{domain}>", case.next_number());
    let answer = Answer::json(200, &json!({ "id": id, "message": "Queued. Thank you." }));
    Ok(Ruling::Accept(answer.accepting(vec![id])))
}

fn check_names(fields: &[FormField], known: &[&str]) -> Result<(), Vec<String>> {
    let is_known = |name: &str| {
        known.iter().any(|each| match each.strip_suffix('*') {
            Some(prefix) => name.len() > prefix.len() && name.starts_with(prefix),
            None => *each == name,
        })
    };
    let count = |name: &str| fields.iter().filter(|field| field.name == name).count();
    let wrong: Vec<String> = fields
        .iter()
        .filter(|field| {
            let file = matches!(field.name.as_str(), "attachment" | "inline" | "message");
            !is_known(&field.name)
                || (count(&field.name) > 1 && !REPEATED.contains(&field.name.as_str()))
                || file != field.file_name.is_some()
                || (!file && std::str::from_utf8(&field.value).is_err())
        })
        .map(|field| field.name.clone())
        .collect();
    if wrong.is_empty() { Ok(()) } else { Err(wrong) }
}

fn value<'a>(fields: &'a [FormField], name: &str) -> Option<&'a str> {
    fields.iter().find(|field| field.name == name).map(FormField::text)
}

fn recipients(fields: &[FormField]) -> Result<Vec<String>, Ruling> {
    let mut found = Vec::new();
    for field in fields.iter().filter(|field| matches!(field.name.as_str(), "to" | "cc" | "bcc")) {
        let invalid = |_| {
            let name = &field.name;
            refused(
                400,
                &format!("{name} parameter is not a valid address. please check documentation"),
            )
        };
        found.extend(mailbox::list(field.text()).map_err(invalid)?);
    }
    if value(fields, "to").is_none() || found.is_empty() {
        return Err(refused(400, "to parameter is missing"));
    }
    if found.len() > RECIPIENTS_MAX {
        return Err(refused(400, "too many recipients: 1000 are allowed"));
    }
    Ok(found)
}

fn check_variables(fields: &[FormField], recipients: &[String]) -> Result<(), Ruling> {
    let Some(text) = value(fields, "recipient-variables") else { return Ok(()) };
    let variables: Value = serde_json::from_str(text).unwrap_or_default();
    let known = |name: &String| recipients.iter().any(|each| each.eq_ignore_ascii_case(name));
    if variables.as_object().is_some_and(|variables| variables.keys().all(known)) {
        Ok(())
    } else {
        Err(refused(400, "recipient-variables parameter is not a valid JSON dictionary"))
    }
}

fn check_words(fields: &[FormField]) -> Result<(), Ruling> {
    let switches =
        ["o:require-tls", "o:skip-verification", "o:testmode", "o:dkim", "o:tracking-opens"];
    for name in switches {
        let fine = ["yes", "no", "true", "false"];
        if value(fields, name).is_some_and(|word| !fine.contains(&word)) {
            return Err(refused(400, &format!("{name} parameter is not valid")));
        }
    }
    Ok(())
}

fn check_mime(fields: &[FormField]) -> Result<(), Ruling> {
    let text = String::from_utf8_lossy(
        fields.iter().find(|field| field.name == "message").map_or(&[][..], |field| &field.value),
    )
    .to_lowercase();
    let head = text.split("\r\n\r\n").next().unwrap_or_default();
    if head.lines().any(|line| line.starts_with("from:")) {
        Ok(())
    } else {
        Err(refused(400, "message parameter is not a valid MIME message"))
    }
}

fn check_parts(case: &Case<'_>, domain: &str, fields: &[FormField]) -> Result<(), Ruling> {
    let Some(from) = value(fields, "from").and_then(|from| mailbox::one(from).ok()) else {
        let text = "from parameter is not a valid address. please check documentation";
        return Err(refused(400, text));
    };
    let bodies = ["text", "html", "amp-html", "template"];
    if !bodies.iter().any(|name| value(fields, name).is_some_and(|text| !text.is_empty())) {
        let text =
            "Need at least one of 'text', 'html', 'amp-html' or 'template' parameters specified";
        return Err(refused(400, text));
    }
    if fields
        .iter()
        .any(|field| field.name.starts_with("h:") && field.text().contains(['\r', '\n']))
    {
        return Err(refused(400, "header parameter is not valid"));
    }
    if !case.is_verified(&from) && !case.account().sandbox {
        let text = format!(
            "Domain {domain} is not allowed to send: The domain is unverified and requires DNS configuration. \
             Log in to your control panel to view required DNS records."
        );
        return Err(refused(403, &text));
    }
    Ok(())
}

/// What the account does not allow, and what the scenario wants.
fn fail(case: &Case<'_>, domain: &str) -> Result<(), Ruling> {
    let (status, text) = if case.is_used_up() {
        let text = format!("Domain {domain} is not allowed to send: request limit exceeded");
        (403, text)
    } else if case.has(ServiceFault::AccountSuspended) {
        let text = "Please activate your Mailgun account. Check your inbox or log in to your control panel \
            to resend the activation email.";
        (403, text.to_owned())
    } else if case.has(ServiceFault::PayloadRefused) {
        (400, "to parameter is not a valid address. please check documentation".to_owned())
    } else if case.has(ServiceFault::PayloadTooLarge) {
        (413, "Message size is over 25 MB".to_owned())
    } else {
        return Ok(());
    };
    Err(Ruling::Fail(error(status, &text)))
}
