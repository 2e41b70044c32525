//! Amazon SES, version 2 of its HTTP interface: signed requests, one message a call, questions about account,
//! identity and configuration set. Fields as in AWS's service model `sesv2` of 2019-09-27.
//! The way in: [`rule`].

use base64::Engine as _;
use serde_json::{Value, json};

use super::desk::{Answer, Case, Ruling};
use super::form::decoded;
use super::shape::{Shape, may, must};
use super::sigv4::{Checked, KnownKey, Target};
use super::{InboxTls, Permission, ServiceFault, USUAL_KEY_ID, mailbox};

const TEXTS: Shape = Shape::List(&Shape::Text, 1_000);
const CONTENT: Shape = Shape::Object(&[must("Data", Shape::Text), may("Charset", Shape::Text)]);
const HEADER: Shape = Shape::Object(&[must("Name", Shape::Text), must("Value", Shape::Text)]);
const ATTACHMENT: Shape = Shape::Object(&[
    must("RawContent", Shape::Base64),
    must("FileName", Shape::Text),
    may("ContentType", Shape::Text),
    may("ContentDisposition", Shape::Word(&["ATTACHMENT", "INLINE"])),
    may("ContentId", Shape::Text),
    may("ContentDescription", Shape::Text),
    may("ContentTransferEncoding", Shape::Word(&["BASE64", "QUOTED_PRINTABLE", "SEVEN_BIT"])),
]);
const SIMPLE: Shape = Shape::Object(&[
    must("Subject", CONTENT),
    must("Body", Shape::Object(&[may("Text", CONTENT), may("Html", CONTENT)])),
    may("Headers", Shape::List(&HEADER, 15)),
    may("Attachments", Shape::List(&ATTACHMENT, 500)),
]);
const TEMPLATE: Shape = Shape::Object(&[
    may("TemplateName", Shape::Text),
    may("TemplateArn", Shape::Text),
    may("TemplateContent", Shape::Any),
    may("TemplateData", Shape::Text),
    may("Headers", Shape::List(&HEADER, 15)),
    may("Attachments", Shape::List(&ATTACHMENT, 500)),
]);
const SEND: Shape = Shape::Object(&[
    may("FromEmailAddress", Shape::Text),
    may("FromEmailAddressIdentityArn", Shape::Text),
    may(
        "Destination",
        Shape::Object(&[
            may("ToAddresses", TEXTS),
            may("CcAddresses", TEXTS),
            may("BccAddresses", TEXTS),
        ]),
    ),
    may("ReplyToAddresses", TEXTS),
    may("FeedbackForwardingEmailAddress", Shape::Text),
    may("FeedbackForwardingEmailAddressIdentityArn", Shape::Text),
    must(
        "Content",
        Shape::Object(&[
            may("Simple", SIMPLE),
            may("Raw", Shape::Object(&[must("Data", Shape::Base64)])),
            may("Template", TEMPLATE),
        ]),
    ),
    may("EmailTags", Shape::List(&HEADER, 50)),
    may("ConfigurationSetName", Shape::Text),
    may("EndpointId", Shape::Text),
    may("TenantName", Shape::Text),
    may(
        "ListManagementOptions",
        Shape::Object(&[must("ContactListName", Shape::Text), may("TopicName", Shape::Text)]),
    ),
]);
/// Recipients of one message.
const RECIPIENTS_MAX: usize = 50;
/// A message after base64.
const MESSAGE_MAX: usize = 40_000_000;

fn error(status: u16, kind: &str, message: &str) -> Answer {
    Answer::json(status, &json!({ "message": message }))
        .with("x-amzn-ErrorType", kind)
        .with("x-amzn-RequestId", "1ab00000-0000-4000-8000-00000000aaaa")
}

fn refused(status: u16, kind: &str, message: &str) -> Ruling {
    Ruling::Refuse(error(status, kind, message), vec![format!("{kind}: {message}")])
}

fn bad_request(message: &str) -> Ruling {
    refused(400, "BadRequestException", message)
}

/// Judges a request.
pub(super) fn rule(case: &Case<'_>) -> Result<Ruling, Ruling> {
    let account = case.account();
    let key = KnownKey {
        id: account.key_id.as_deref().unwrap_or(USUAL_KEY_ID),
        secret: case.key(),
        session_token: account.session_token.as_deref(),
    };
    let target = Target { region: case.region, service: "ses", now: case.desk.now };
    Checked::of(case.request, key, target)
        .map_err(|fault| refused(403, fault.kind, &fault.message))?;
    if case.has(ServiceFault::RateLimited) {
        let text = "Maximum sending rate exceeded.";
        return Err(Ruling::Fail(error(429, "TooManyRequestsException", text)));
    }
    if case.has(ServiceFault::ServiceError) {
        return Err(Ruling::Fail(error(500, "InternalServiceErrorException", "Internal error")));
    }
    match case.place() {
        ("POST", "/v2/email/outbound-emails") => send(case),
        ("GET", "/v2/email/account") => tell_account(case),
        ("GET", path) => match path.strip_prefix("/v2/email/") {
            Some(rest) => tell(case, rest),
            None => Err(unknown_operation()),
        },
        _ => Err(unknown_operation()),
    }
}

fn unknown_operation() -> Ruling {
    refused(404, "UnknownOperationException", "The operation is not known.")
}

fn denied(case: &Case<'_>, action: &str) -> Ruling {
    let region = case.region;
    let text = format!(
        "User: arn:aws:iam::111122223333:user/lab is not authorized to perform: ses:{action} on resource: \
         arn:aws:ses:{region}:111122223333:* because no identity-based policy allows the ses:{action} action"
    );
    refused(403, "AccessDeniedException", &text)
}

fn tell_account(case: &Case<'_>) -> Result<Ruling, Ruling> {
    if !case.may(Permission::Read) {
        return Err(denied(case, "GetAccount"));
    }
    let account = case.account();
    let suspended = case.has(ServiceFault::AccountSuspended);
    let quota = if account.sandbox { 200 } else { account.quota.limit };
    Ok(Ruling::Tell(Answer::json(
        200,
        &json!({
            "DedicatedIpAutoWarmupEnabled": false,
            "EnforcementStatus": if suspended { "SHUTDOWN" } else { "HEALTHY" },
            "ProductionAccessEnabled": !account.sandbox,
            "SendQuota": {
                "Max24HourSend": f64::from(quota),
                "MaxSendRate": f64::from(if account.sandbox { 1 } else { account.rate }),
                "SentLast24Hours": f64::from(account.quota.used.min(quota)),
            },
            "SendingEnabled": !suspended,
            "SuppressionAttributes": { "SuppressedReasons": ["BOUNCE", "COMPLAINT"] },
        }),
    )))
}

fn tell(case: &Case<'_>, rest: &str) -> Result<Ruling, Ruling> {
    let unescaped = |text: &str| {
        decoded(text).ok().and_then(|octets| String::from_utf8(octets).ok()).unwrap_or_default()
    };
    if let Some(identity) = rest.strip_prefix("identities/") {
        if !case.may(Permission::Read) {
            return Err(denied(case, "GetEmailIdentity"));
        }
        let identity = unescaped(identity);
        let address =
            if identity.contains('@') { identity.clone() } else { format!("x@{identity}") };
        if !case.is_verified(&address) || !case.at_home() {
            let text = format!("Email identity {identity} does not exist.");
            return Err(refused(404, "NotFoundException", &text));
        }
        return Ok(Ruling::Tell(Answer::json(
            200,
            &json!({
                "IdentityType": if identity.contains('@') { "EMAIL_ADDRESS" } else { "DOMAIN" },
                "FeedbackForwardingStatus": true,
                "VerifiedForSendingStatus": true,
                "VerificationStatus": "SUCCESS",
                "DkimAttributes": { "SigningEnabled": true, "Status": "SUCCESS" },
                "Policies": {},
                "Tags": [],
            }),
        )));
    }
    let Some(set) = rest.strip_prefix("configuration-sets/") else {
        return Err(unknown_operation());
    };
    if !case.may(Permission::Read) {
        return Err(denied(case, "GetConfigurationSet"));
    }
    let set = unescaped(set);
    check_set(case, &set)?;
    let policy = match case.account().inbox_tls {
        InboxTls::Opportunistic => "OPTIONAL",
        InboxTls::Required | InboxTls::Verified => "REQUIRE",
    };
    Ok(Ruling::Tell(Answer::json(
        200,
        &json!({
            "ConfigurationSetName": set,
            "DeliveryOptions": { "TlsPolicy": policy },
            "ReputationOptions": { "ReputationMetricsEnabled": false },
            "SendingOptions": { "SendingEnabled": true },
            "Tags": [],
        }),
    )))
}

fn check_set(case: &Case<'_>, set: &str) -> Result<(), Ruling> {
    let sets = case.account().streams.as_deref().unwrap_or_default();
    if sets.iter().any(|each| each == set) {
        return Ok(());
    }
    let text = format!("Configuration set <{set}> does not exist.");
    Err(refused(404, "NotFoundException", &text))
}

fn send(case: &Case<'_>) -> Result<Ruling, Ruling> {
    if !case.may(Permission::Send) {
        return Err(denied(case, "SendEmail"));
    }
    let body = case.json(SEND).map_err(|why| {
        Ruling::Refuse(error(400, "SerializationException", &why.join("; ")), why)
    })?;
    let content = &body["Content"];
    if content.as_object().is_none_or(|content| content.len() != 1) {
        return Err(bad_request("Content must have exactly one of Simple, Raw and Template"));
    }
    if content["Template"].is_object() {
        return Err(refused(404, "NotFoundException", "Template does not exist."));
    }
    check_content(content).map_err(|what| bad_request(&what))?;
    let from = check_from(&body)?;
    let recipients = recipients(&body["Destination"])?;
    if let Some(set) = body["ConfigurationSetName"].as_str() {
        check_set(case, set)?;
    }
    check_tags(&body["EmailTags"])?;
    let mut failed: Vec<String> = case.not_approved(&recipients);
    if !case.is_verified(&from) || !case.at_home() {
        failed.insert(0, from);
    }
    if !failed.is_empty() {
        let text = format!(
            "Email address is not verified. The following identities failed the check in region {}: {}",
            case.region.to_uppercase(),
            failed.join(", ")
        );
        return Err(refused(400, "MessageRejected", &text));
    }
    fail(case)?;
    let id = format!(
        "0102018f1ab{:05x}-1ab00000-0000-4000-8000-000000000000-000000",
        case.next_number()
    );
    let answer = Answer::json(200, &json!({ "MessageId": id }));
    Ok(Ruling::Accept(answer.accepting(vec![id])))
}

/// What the account does not allow, and what the scenario wants.
fn fail(case: &Case<'_>) -> Result<(), Ruling> {
    let (status, kind, text) = if case.is_used_up() {
        (429, "TooManyRequestsException", "Daily message quota exceeded.")
    } else if case.has(ServiceFault::AccountSuspended) {
        (400, "SendingPausedException", "Sending is disabled for this account.")
    } else if case.has(ServiceFault::PayloadRefused) {
        (400, "BadRequestException", "Missing final '@domain'")
    } else if case.has(ServiceFault::PayloadTooLarge) {
        let text = "Message length is more than 41943040 bytes long: '43000000'.";
        (400, "MessageRejected", text)
    } else {
        return Ok(());
    };
    Err(Ruling::Fail(error(status, kind, text)))
}

fn check_content(content: &Value) -> Result<(), String> {
    if let Some(data) = content["Raw"]["Data"].as_str() {
        if data.len() > MESSAGE_MAX {
            return Err("Message length is more than 41943040 bytes long".into());
        }
        let octets = base64::engine::general_purpose::STANDARD.decode(data).unwrap_or_default();
        let text = String::from_utf8_lossy(&octets).to_lowercase();
        let head = text.split("\r\n\r\n").next().unwrap_or_default();
        let has = |name: &str| head.lines().any(|line| line.starts_with(name));
        return if has("from:") { Ok(()) } else { Err("Missing required header 'From'.".into()) };
    }
    let simple = &content["Simple"];
    if simple["Body"].as_object().is_none_or(serde_json::Map::is_empty) {
        return Err("Body must have Text or Html".into());
    }
    for header in simple["Headers"].as_array().into_iter().flatten() {
        let (name, value) = (header["Name"].as_str(), header["Value"].as_str());
        let (name, value) = (name.unwrap_or_default(), value.unwrap_or_default());
        let printable = |text: &str| text.bytes().all(|each| (0x20..0x7f).contains(&each));
        let named =
            !name.is_empty() && name.bytes().all(|each| each.is_ascii_graphic() && each != b':');
        if !named || name.len() > 126 || value.is_empty() || value.len() > 995 || !printable(value)
        {
            return Err(format!("Invalid header {name:?}"));
        }
    }
    Ok(())
}

fn check_from(body: &Value) -> Result<String, Ruling> {
    let raw = body["Content"]["Raw"].is_object();
    let Some(from) = body["FromEmailAddress"].as_str() else {
        let text =
            if raw { "the lab wants FromEmailAddress" } else { "FromEmailAddress is missing" };
        return Err(bad_request(text));
    };
    let texts = body["ReplyToAddresses"].as_array().into_iter().flatten();
    for text in texts.filter_map(Value::as_str).chain([from]) {
        address(text).map_err(|what| bad_request(&what))?;
    }
    address(from).map_err(|what| bad_request(&what))
}

/// Names must be encoded (RFC 2047), and an address has no other letters.
fn address(text: &str) -> Result<String, String> {
    if text.is_ascii() { mailbox::one(text) } else { Err(format!("{text:?} is not ASCII")) }
}

fn recipients(destination: &Value) -> Result<Vec<String>, Ruling> {
    let lists = ["ToAddresses", "CcAddresses", "BccAddresses"];
    let texts = lists.iter().flat_map(|name| destination[*name].as_array().into_iter().flatten());
    let found: Result<Vec<String>, String> = texts.filter_map(Value::as_str).map(address).collect();
    let found = found.map_err(|what| bad_request(&what))?;
    if (1..=RECIPIENTS_MAX).contains(&found.len()) {
        Ok(found)
    } else {
        Err(bad_request(&format!("Recipient count is {}, allowed are 1 to 50.", found.len())))
    }
}

fn check_tags(tags: &Value) -> Result<(), Ruling> {
    let plain = |text: &Value| {
        let text = text.as_str().unwrap_or_default();
        let fits = |each: u8| each.is_ascii_alphanumeric() || b"_-.@".contains(&each);
        (1..=256).contains(&text.len()) && text.bytes().all(fits)
    };
    for tag in tags.as_array().into_iter().flatten() {
        if !plain(&tag["Name"]) || !plain(&tag["Value"]) {
            return Err(bad_request(
                "Invalid tag: letters, digits, '_', '-', '.' and '@' are allowed.",
            ));
        }
    }
    Ok(())
}
