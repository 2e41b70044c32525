//! Postmark: single messages and batches, server and stream. Fields and error codes as in its documentation.
//! The way in: [`rule`].

use serde_json::{Value, json};

use super::desk::{Answer, Case, Ruling};
use super::shape::{Shape, may, must};
use super::{Permission, ServiceFault, mailbox};

const HEADER: Shape = Shape::Object(&[must("Name", Shape::Text), must("Value", Shape::Text)]);
const ATTACHMENT: Shape = Shape::Object(&[
    must("Name", Shape::Text),
    must("Content", Shape::Base64),
    must("ContentType", Shape::Text),
    may("ContentID", Shape::Text),
]);
const EMAIL: Shape = Shape::Object(&[
    must("From", Shape::Text),
    must("To", Shape::Text),
    may("Cc", Shape::Text),
    may("Bcc", Shape::Text),
    may("Subject", Shape::Text),
    may("Tag", Shape::Text),
    may("HtmlBody", Shape::Text),
    may("TextBody", Shape::Text),
    may("ReplyTo", Shape::Text),
    may("Metadata", Shape::Map(&Shape::Text)),
    may("Headers", Shape::List(&HEADER, 1_000)),
    may("TrackOpens", Shape::Bool),
    may("TrackLinks", Shape::Word(&["None", "HtmlAndText", "HtmlOnly", "TextOnly"])),
    may("Attachments", Shape::List(&ATTACHMENT, 1_000)),
    may("MessageStream", Shape::Text),
]);
/// One more than a batch may have, because a longer one has an error code of its own.
const BATCH: Shape = Shape::List(&EMAIL, 501);
const BATCH_MAX: usize = 500;
/// The account waits for approval.
const PENDING: u32 = 412;
const RECIPIENTS_MAX: usize = 50;
const MESSAGE_MAX: usize = 10_000_000;

fn error(status: u16, code: u32, message: &str) -> Answer {
    Answer::json(status, &json!({ "ErrorCode": code, "Message": message }))
}

fn refused(status: u16, code: u32, message: &str) -> Ruling {
    Ruling::Refuse(error(status, code, message), vec![format!("{code}: {message}")])
}

/// Judges a request.
pub(super) fn rule(case: &Case<'_>) -> Result<Ruling, Ruling> {
    check_token(case)?;
    if case.has(ServiceFault::RateLimited) {
        return Err(Ruling::Fail(error(429, 429, "Rate Limit Exceeded")));
    }
    if case.has(ServiceFault::ServiceError) {
        let text = "Postmark's API is offline for maintenance.";
        return Err(Ruling::Fail(error(503, 100, text)));
    }
    match case.place() {
        ("POST", "/email") => one(case),
        ("POST", "/email/batch") => batch(case),
        ("GET", "/server") => Ok(Ruling::Tell(tell_server(case))),
        ("GET", path) => match path.strip_prefix("/message-streams/") {
            Some(stream) => tell_stream(case, stream),
            None => Err(refused(404, 701, "This endpoint does not exist.")),
        },
        _ => Err(refused(404, 701, "This endpoint does not exist.")),
    }
}

fn check_token(case: &Case<'_>) -> Result<(), Ruling> {
    if !case.request.header("accept").is_some_and(|value| value.contains("application/json")) {
        return Err(refused(422, 409, "JSON required: Accept is not application/json."));
    }
    let token = case.request.header("x-postmark-server-token");
    let text = match token {
        Some(token) if token.eq_ignore_ascii_case(case.key()) => return Ok(()),
        Some(_) => {
            "The Server Token you provided in the X-Postmark-Server-Token request header was invalid. Please \
             verify that you are using a valid token."
        }
        None => {
            "No Account or Server API tokens were supplied in the HTTP headers. Please add a header for either \
             X-Postmark-Server-Token or X-Postmark-Account-Token."
        }
    };
    Err(refused(401, 10, text))
}

fn tell_server(case: &Case<'_>) -> Answer {
    let sandbox = case.account().sandbox;
    Answer::json(
        200,
        &json!({
            "ID": 1,
            "Name": "Lab",
            "ApiTokens": [],
            "Color": "blue",
            "SmtpApiActivated": true,
            "RawEmailEnabled": false,
            "DeliveryType": if sandbox { "Sandbox" } else { "Live" },
            "ServerLink": "https://postmarkapp.com/servers/1/streams",
            "TrackOpens": false,
            "TrackLinks": "None",
        }),
    )
}

fn streams<'a>(case: &Case<'a>) -> Vec<&'a str> {
    let named = case.account().streams.as_deref().unwrap_or_default();
    ["outbound", "broadcast"].into_iter().chain(named.iter().map(String::as_str)).collect()
}

fn tell_stream(case: &Case<'_>, stream: &str) -> Result<Ruling, Ruling> {
    if !case.may(Permission::Read) {
        return Err(refused(401, 10, "The Server Token you provided was invalid."));
    }
    if !streams(case).contains(&stream) {
        let text = format!("The message stream for the provided 'ID' ({stream}) was not found.");
        return Err(refused(422, 1226, &text));
    }
    let kind = if stream == "outbound" { "Transactional" } else { "Broadcasts" };
    Ok(Ruling::Tell(Answer::json(
        200,
        &json!({
            "ID": stream,
            "ServerID": 1,
            "Name": stream,
            "Description": "",
            "MessageStreamType": kind,
            "CreatedAt": "2026-01-01T00:00:00-00:00",
            "UpdatedAt": null,
            "ArchivedAt": null,
            "ExpectedPurgeDate": null,
            "SubscriptionManagementConfiguration": { "UnsubscribeHandlingType": "None" },
        }),
    )))
}

fn one(case: &Case<'_>) -> Result<Ruling, Ruling> {
    let email = body(case, EMAIL)?;
    fail(case)?;
    if case.request.body.len() > MESSAGE_MAX {
        return Err(refused(413, 300, "The message is larger than 10 MB."));
    }
    let to = judge(case, &email).map_err(|(code, text)| match code {
        PENDING => Ruling::Fail(error(422, code, &text)),
        _ => refused(422, code, &text),
    })?;
    let id = case.next_uuid();
    Ok(Ruling::Accept(Answer::json(200, &accepted(&to, &id)).accepting(vec![id])))
}

fn batch(case: &Case<'_>) -> Result<Ruling, Ruling> {
    let emails = body(case, BATCH)?;
    fail(case)?;
    let emails = emails.as_array().map(Vec::as_slice).unwrap_or_default();
    if emails.len() > BATCH_MAX {
        return Err(refused(422, 410, "Too many messages: a batch may have 500."));
    }
    let mut ids = Vec::new();
    let entries: Vec<Value> = emails
        .iter()
        .map(|email| match judge(case, email) {
            Ok(to) => {
                ids.push(case.next_uuid());
                accepted(&to, ids.last().map_or("", String::as_str))
            }
            Err((code, text)) => json!({ "ErrorCode": code, "Message": text }),
        })
        .collect();
    Ok(Ruling::Accept(Answer::json(200, &Value::Array(entries)).accepting(ids)))
}

fn accepted(to: &str, id: &str) -> Value {
    json!({
        "To": to,
        "SubmittedAt": "2026-01-05T10:00:00.0000000Z",
        "MessageID": id,
        "ErrorCode": 0,
        "Message": "OK",
    })
}

fn body(case: &Case<'_>, shape: Shape) -> Result<Value, Ruling> {
    case.json(shape).map_err(|why| {
        let text = why.join("; ");
        let code = if text.starts_with("no JSON") { 402 } else { 403 };
        Ruling::Refuse(error(422, code, &text), why)
    })
}

/// The recipients as written, or code and text of what is wrong with one message.
fn judge(case: &Case<'_>, email: &Value) -> Result<String, (u32, String)> {
    let text = |name: &str| email[name].as_str();
    let list = |name: &str| {
        let invalid = |what: String| (300, format!("Invalid '{name}' address: {what}"));
        text(name)
            .filter(|text| !text.is_empty())
            .map_or(Ok(Vec::new()), mailbox::list)
            .map_err(invalid)
    };
    let from = list("From")?;
    let [from] = from.as_slice() else {
        return Err((300, "Invalid 'From' value.".into()));
    };
    let mut recipients = list("To")?;
    if recipients.is_empty() {
        return Err((300, "Zero recipients specified".into()));
    }
    recipients.extend(list("Cc")?);
    recipients.extend(list("Bcc")?);
    list("ReplyTo")?;
    if recipients.len() > RECIPIENTS_MAX {
        return Err((300, "Too many recipients: a message may have 50.".into()));
    }
    if text("HtmlBody").or(text("TextBody")).is_none() {
        return Err((300, "Provide either email TextBody or HtmlBody or both.".into()));
    }
    let stream = text("MessageStream").unwrap_or("outbound");
    if !streams(case).contains(&stream) {
        return Err((
            1235,
            format!("The 'MessageStream' '{stream}' does not exist on this server."),
        ));
    }
    if !case.is_verified(from) {
        return Err((
            400,
            format!(
                "The 'From' address you supplied ({from}) is not a Sender Signature on your account. Please add \
                 and confirm this address in order to be able to use it in the 'From' field of your messages."
            ),
        ));
    }
    let outside = recipients.iter().any(|to| mailbox::domain(to) != mailbox::domain(from));
    if case.has(ServiceFault::AccountPending) && outside {
        return Err((
            PENDING,
            "While your account is pending approval, all recipient addresses must share the same domain as the \
             'From' address."
                .into(),
        ));
    }
    let inactive = case.suppressed(&recipients);
    if !inactive.is_empty() {
        return Err((
            406,
            format!(
                "You tried to send to recipient(s) that have been marked as inactive. Found inactive addresses: \
                 {}. Inactive recipients are ones that have generated a hard bounce, a spam complaint, or a \
                 manual suppression.",
                inactive.join(", ")
            ),
        ));
    }
    Ok(text("To").unwrap_or_default().to_owned())
}

/// What the scenario wants.
fn fail(case: &Case<'_>) -> Result<(), Ruling> {
    let (code, text) = if case.is_used_up() {
        (405, "Not allowed to send: your account has run out of credits.")
    } else if case.has(ServiceFault::AccountSuspended) {
        (413, "The account you are using may not send: sending has been disabled.")
    } else if case.has(ServiceFault::PayloadRefused) {
        (300, "Invalid email request: an address could not be parsed.")
    } else if case.has(ServiceFault::PayloadTooLarge) {
        let page = Answer::text(413, "text/html", "<h1>413 Payload Too Large</h1>");
        return Err(Ruling::Fail(page));
    } else {
        return Ok(());
    };
    Err(Ruling::Fail(error(422, code, text)))
}
