//! Requests written down from the services' documentation, over real HTTPS: what must be taken, and what must
//! be refused and how.

mod batches;

use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::sigv4::{KnownKey, Target};
use super::*;
use crate::control::{Lab, LabOptions};
use crate::scenario::Scenario;

const NOW: i64 = 1_790_000_000;

async fn lab(service: &str, more: &str) -> Lab {
    let text = format!(
        "title = 't'\nkind = 'healthy'\ndomain = 'example.com'\n[[service]]\nservice = '{service}'\n{more}\n"
    );
    let scenario = Scenario::parse("healthy/x", &text).unwrap_or_else(|error| panic!("{error}"));
    Lab::start(&[scenario], LabOptions::at(NOW)).await.unwrap()
}

/// An answer: status, head, body.
#[derive(Debug)]
struct Answered {
    status: u16,
    head: String,
    body: String,
}

fn request(line: &str, headers: &[(&str, &str)], body: &str) -> Request {
    let (method, target) = line.split_once(' ').unwrap();
    let headers = headers.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
    Request { method: method.into(), target: target.into(), headers, body: body.into() }
}

/// Asks over HTTPS under the service's name.
async fn ask(lab: &Lab, host: &str, request: &Request) -> Answered {
    let mut roots = rustls::RootCertStore::empty();
    let pem = lab.world().roots_pem;
    roots.add(CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_details(provider, Arc::new(AtNow))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let tcp = TcpStream::connect(lab.socket(host, 443).unwrap()).await.unwrap();
    let name = ServerName::try_from(host.to_owned()).unwrap();
    let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
    let mut tls = connector.connect(name, tcp).await.unwrap();
    let mut text = format!("{} {} HTTP/1.1\r\n", request.method, request.target);
    if request.header("host").is_none() {
        text.extend(["Host: ", host, "\r\n"]);
    }
    for (name, value) in &request.headers {
        text.extend([name, ": ", value, "\r\n"]);
    }
    if !request.body.is_empty() {
        text.extend(["Content-Length: ", &request.body.len().to_string(), "\r\n"]);
    }
    text.push_str("\r\n");
    tls.write_all(text.as_bytes()).await.unwrap();
    tls.write_all(&request.body).await.unwrap();
    let mut octets = Vec::new();
    tls.read_to_end(&mut octets).await.unwrap();
    let text = String::from_utf8(octets).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Answered { status, head: head.into(), body: body.into() }
}

/// The lab's certificates are made for its own time.
#[derive(Debug)]
struct AtNow;

impl rustls::time_provider::TimeProvider for AtNow {
    fn current_time(&self) -> Option<UnixTime> {
        Some(UnixTime::since_unix_epoch(Duration::from_secs(NOW.cast_unsigned())))
    }
}

/// A good request to a service, and where it goes.
fn good(service: ServiceName) -> (&'static str, Request) {
    let json = ("Content-Type", "application/json");
    match service {
        ServiceName::AmazonSes => {
            let body = r#"{"FromEmailAddress":"\"News\" <news@example.com>","Destination":{"ToAddresses":["anna@example.net"]},"Content":{"Simple":{"Subject":{"Data":"A"},"Body":{"Text":{"Data":"B"}},"Headers":[{"Name":"List-Unsubscribe","Value":"<https://example.com/u>"}]}},"EmailTags":[{"Name":"n","Value":"v"}]}"#;
            let host = "email.eu-west-1.amazonaws.com";
            (host, request("POST /v2/email/outbound-emails", &[("Host", host), json], body))
        }
        ServiceName::Brevo => {
            let body = r#"{"sender":{"email":"news@example.com","name":"News"},"to":[{"email":"anna@example.net"}],"subject":"A","htmlContent":"B","headers":{"idempotencyKey":"7f9c2ba4-e88f-4d1c-a4f3-0f2c7f1e9d11"}}"#;
            let headers = [("api-key", service.usual_key()), json];
            ("api.brevo.com", request("POST /v3/smtp/email", &headers, body))
        }
        ServiceName::Mailgun => {
            let headers = [
                ("Authorization", "Basic YXBpOmtleS1sYWItdGhhdC1vcGVucy1ub3RoaW5n"),
                ("Content-Type", "application/x-www-form-urlencoded"),
            ];
            let body = "from=news%40example.com&to=anna%40example.net&subject=A&text=B&o%3Arequire-tls=yes&h%3AX-A=1&v%3Ar=1";
            ("api.mailgun.net", request("POST /v3/example.com/messages", &headers, body))
        }
        ServiceName::Postmark => {
            let body = r#"{"From":"\"News\" <news@example.com>","To":"anna@example.net","Subject":"A","TextBody":"B","Headers":[{"Name":"X-A","Value":"1"}],"MessageStream":"broadcast"}"#;
            let headers = [
                ("Accept", "application/json"),
                ("X-Postmark-Server-Token", service.usual_key()),
                json,
            ];
            ("api.postmarkapp.com", request("POST /email", &headers, body))
        }
        ServiceName::Resend => {
            let body = r#"{"from":"News <news@example.com>","to":["anna@example.net"],"subject":"A","text":"B","tags":[{"name":"n","value":"v"}]}"#;
            let bearer = "Bearer re_lab_key_that_opens_nothing";
            let headers = [
                ("Authorization", bearer),
                ("User-Agent", "x/1"),
                json,
                ("Idempotency-Key", "k-1"),
            ];
            ("api.resend.com", request("POST /emails", &headers, body))
        }
        ServiceName::Sendgrid => {
            let body = r#"{"personalizations":[{"to":[{"email":"anna@example.net"}],"custom_args":{"r":"1"}}],"from":{"email":"news@example.com"},"subject":"A","content":[{"type":"text/plain","value":"B"}]}"#;
            let bearer = "Bearer SG.lab.key-that-opens-nothing";
            (
                "api.sendgrid.com",
                request("POST /v3/mail/send", &[("Authorization", bearer), json], body),
            )
        }
    }
}

/// Signs where the service wants it.
fn signed(service: ServiceName, mut request: Request) -> Request {
    if service == ServiceName::AmazonSes {
        let key = KnownKey { id: USUAL_KEY_ID, secret: service.usual_key(), session_token: None };
        sigv4::sign(&mut request, key, Target { region: "eu-west-1", service: "ses", now: NOW });
    }
    request
}

const ALL: [ServiceName; 6] = [
    ServiceName::AmazonSes,
    ServiceName::Brevo,
    ServiceName::Mailgun,
    ServiceName::Postmark,
    ServiceName::Resend,
    ServiceName::Sendgrid,
];

#[tokio::test]
async fn every_service_takes_a_message_and_keeps_it() {
    let ids = [
        r#"{"MessageId":"0102018f1ab00001-"#,
        r#"{"messageId":"<202601051000.1@"#,
        r#""id":"<20260105100001."#,
        r#""MessageID":"1ab1ab1a-"#,
        r#"{"id":"1ab1ab1a-"#,
        "",
    ];
    for (service, id) in ALL.into_iter().zip(ids) {
        let lab = lab(service.as_str(), "").await;
        let (host, plain) = good(service);
        let request = signed(service, plain);
        let answer = ask(&lab, host, &request).await;
        assert!((200..=202).contains(&answer.status) && answer.body.contains(id), "{answer:?}");
        assert_eq!(answer.head.contains("X-Message-Id: "), service == ServiceName::Sendgrid);
        let kept = lab.service_requests();
        assert_eq!(kept.len(), 1);
        assert!(matches!(&kept[0].verdict, Verdict::Accepted(ids) if ids.len() == 1), "{kept:?}");
        assert_eq!((&kept[0].method, &kept[0].path), (&request.method, &request.target));
        assert_eq!(kept[0].body_octets(), request.body);
        assert_eq!(kept[0].header("host"), Some(host));
        assert_eq!(kept[0].status, answer.status);
        // The recorder holds the head, as of every other server.
        assert!(lab.recordings()[0].tls_commands[0].starts_with("POST /"));
        let again = ask(&lab, host, &request).await;
        let same = matches!(service, ServiceName::Brevo | ServiceName::Resend);
        assert_eq!(again.body == answer.body && again.head == answer.head, same, "{service:?}");
        let replayed = matches!(&lab.service_requests()[1].verdict, Verdict::Replayed(_));
        assert_eq!(replayed, same, "{service:?}");
    }
}

/// Service, what is replaced in the request's text, status, part of the answer.
type Change = (ServiceName, &'static str, &'static str, u16, &'static str);

const CHANGES: &[Change] = {
    use ServiceName as S;
    &[
        (S::AmazonSes, "POST /v2", "POST /v1", 404, "UnknownOperationException"),
        (S::AmazonSes, "\"Simple\"", "\"simple\"", 400, "Content.simple: unknown field"),
        (S::AmazonSes, "{\"Text\":{\"Data\":\"B\"}}", "{}", 400, "Body must have Text or Html"),
        (
            S::AmazonSes,
            "news@example.com",
            "news@other.example",
            400,
            "identities failed the check in region EU-WEST-1: news@other.example",
        ),
        (S::AmazonSes, "anna@example.net", "anna@", 400, "BadRequestException"),
        (S::AmazonSes, "anna@example.net", "\u{e4}@example.net", 400, "is not ASCII"),
        (S::AmazonSes, "List-Unsubscribe", "List Unsubscribe", 400, "Invalid header"),
        (S::AmazonSes, "\"v\"", "\"v w\"", 400, "Invalid tag"),
        (
            S::AmazonSes,
            "\"EmailTags\"",
            "\"ConfigurationSetName\":\"none\",\"EmailTags\"",
            404,
            "Configuration set <none> does not exist.",
        ),
        (S::AmazonSes, "application/json", "text/plain", 400, "SerializationException"),
        (
            S::Brevo,
            "xkeysib-lab",
            "xkeysib-other",
            401,
            r#"{"code":"unauthorized","message":"Key not found"}"#,
        ),
        (S::Brevo, "api-key", "Authorization", 401, "authentication not found in headers"),
        (S::Brevo, "htmlContent", "html", 400, "html: unknown field"),
        (S::Brevo, "\"subject\":\"A\",", "", 400, "subject is missing"),
        (S::Brevo, "7f9c2ba4-e88f", "7f9c2ba4e88f", 400, "valid UUID"),
        (
            S::Brevo,
            "news@example.com",
            "news@other.example",
            400,
            "the sender you used news@other.example is not valid",
        ),
        (S::Brevo, "anna@example.net", "anna", 400, "email anna is not valid in to"),
        (S::Brevo, "POST /v3", "POST ", 404, "document_not_found"),
        (S::Mailgun, "YXBpOmtleS1s", "YXBpOmtleS1z", 401, "Forbidden"),
        (S::Mailgun, "/v3/example.com/messages", "/v3/messages", 200, "Mailgun Magnificent API"),
        (
            S::Mailgun,
            "/v3/example.com",
            "/v3/other.example",
            404,
            r#"{"message":"Domain not found: other.example"}"#,
        ),
        (S::Mailgun, "news%40example.com", "news%40other.example", 403, "The domain is unverified"),
        (
            S::Mailgun,
            "to=anna%40example.net",
            "to=anna",
            400,
            "to parameter is not a valid address",
        ),
        (S::Mailgun, "&text=B", "", 400, "Need at least one of"),
        (S::Mailgun, "&text=B", "&txt=B", 400, "txt parameter is not valid"),
        (S::Mailgun, "o%3Arequire-tls=yes", "o%3Arequire-tls=1", 400, "o:require-tls"),
        (S::Mailgun, "x-www-form-urlencoded", "json", 400, "is no form"),
        (S::Postmark, "1ab00000", "2ab00000", 401, r#""ErrorCode":10"#),
        (S::Postmark, "Accept: application/json", "Accept: */*", 422, r#""ErrorCode":409"#),
        (S::Postmark, "TextBody", "Text", 422, r#""ErrorCode":403"#),
        (S::Postmark, "\"To\"", "To", 422, r#""ErrorCode":402"#),
        (S::Postmark, "news@example.com", "news@other.example", 422, r#""ErrorCode":400"#),
        (S::Postmark, "anna@example.net", "anna", 422, r#""ErrorCode":300"#),
        (S::Postmark, "broadcast", "other", 422, r#""ErrorCode":1235"#),
        (S::Postmark, "POST /email", "POST /emails", 404, r#""ErrorCode":701"#),
        (S::Resend, "Bearer re_lab", "Bearer re_other", 403, "invalid_api_key"),
        (S::Resend, "Bearer re_lab", "re_lab", 401, "missing_api_key"),
        (S::Resend, "User-Agent: x/1", "X-A: 1", 403, "error code: 1010"),
        (
            S::Resend,
            "news@example.com",
            "news@other.example",
            403,
            "The other.example domain is not verified",
        ),
        (S::Resend, "\"text\":\"B\"", "\"texts\":\"B\"", 422, "texts: unknown field"),
        (S::Resend, "\"value\":\"v\"", "\"value\":\"v.w\"", 422, "Tags should only contain"),
        (S::Resend, "POST /emails", "POST /email", 404, "not_found"),
        (S::Sendgrid, "Bearer SG.lab", "Bearer SG.other", 401, "invalid, expired, or revoked"),
        (S::Sendgrid, "news@example.com", "news@other.example", 403, "verified Sender Identity"),
        (
            S::Sendgrid,
            "\"text/plain\"",
            "\"text/html\",\"value\":\"x\"},{\"type\":\"text/plain\"",
            400,
            "text/plain must be first",
        ),
        (
            S::Sendgrid,
            "\"from\"",
            "\"headers\":{\"Reply-To\":\"x\"},\"from\"",
            400,
            "reserved keys",
        ),
        (
            S::Sendgrid,
            "\"custom_args\":{\"r\":\"1\"}",
            "\"custom_args\":{\"r\":1}",
            400,
            "custom_args.r: of another type",
        ),
        (S::Sendgrid, "anna@example.net", "anna", 400, "valid address"),
        (S::Sendgrid, "\"subject\":\"A\",", "", 400, "The subject is required"),
    ]
};

#[tokio::test]
async fn what_is_not_documented_is_refused_in_the_services_words() {
    for service in ALL {
        let lab = lab(service.as_str(), "").await;
        for (_, from, to, status, part) in CHANGES.iter().filter(|change| change.0 == service) {
            let (host, mut request) = good(service);
            let change = |text: &str| text.replacen(from, to, 1);
            let before = request.clone();
            let line = change(&format!("{} {}", request.method, request.target));
            let (method, target) = line.split_once(' ').unwrap();
            (request.method, request.target) = (method.into(), target.into());
            for header in &mut request.headers {
                let line = change(&format!("{}: {}", header.0, header.1));
                let (name, value) = line.split_once(": ").unwrap();
                *header = (name.into(), value.into());
            }
            request.body = change(&String::from_utf8(request.body.clone()).unwrap()).into();
            assert_ne!(request, before, "{from:?} is not in the request");
            let answer = ask(&lab, host, &signed(service, request)).await;
            let text = format!("{}\n{}", answer.head, answer.body);
            assert!(answer.status == *status && text.contains(part), "{service:?} {to:?}: {text}");
            let kept = lab.service_requests();
            assert!(
                matches!(kept.last().unwrap().verdict, Verdict::Refused(_)),
                "{service:?} {to:?}"
            );
        }
    }
}

/// What the scenario says of the service, status, part of the answer to a good message.
type FaultCase = (ServiceName, &'static str, u16, &'static str);

const FAULTS: &[FaultCase] = {
    use ServiceName as S;
    &[
        (S::AmazonSes, "may = ['read']", 403, "is not authorized to perform: ses:SendEmail"),
        (S::AmazonSes, "sandbox = true", 400, "EU-WEST-1: anna@example.net"),
        (S::AmazonSes, "region = 'us-east-1'", 400, "EU-WEST-1: news@example.com"),
        (S::AmazonSes, "fault = 'rate-limited'", 429, "Maximum sending rate exceeded."),
        (S::AmazonSes, "quota = { limit = 5, used = 5 }", 429, "Daily message quota exceeded."),
        (S::AmazonSes, "clock_ahead_s = 600", 403, "Signature expired"),
        (S::AmazonSes, "key = 'another'", 403, "does not match the signature you provided"),
        (
            S::AmazonSes,
            "key_id = 'ANOTHER'",
            403,
            "The security token included in the request is invalid.",
        ),
        (
            S::AmazonSes,
            "session_token = 't'",
            403,
            "The security token included in the request is invalid.",
        ),
        (
            S::AmazonSes,
            "fault = 'account-suspended'",
            400,
            "x-amzn-ErrorType: SendingPausedException",
        ),
        (S::AmazonSes, "fault = 'service-error'", 500, "Internal"),
        (S::Brevo, "may = ['read']", 403, "permission_denied"),
        (S::Brevo, "fault = 'rate-limited'", 429, "x-sib-ratelimit-reset: 7"),
        (S::Brevo, "quota = { limit = 5, used = 5 }", 402, "not_enough_credits"),
        (S::Brevo, "fault = 'caller-refused'", 401, "unrecognised IP address"),
        (S::Mailgun, "may = ['read']", 401, "Forbidden"),
        (S::Mailgun, "sandbox = true", 403, "Sandbox subdomains"),
        (S::Mailgun, "region = 'eu'", 404, "Domain not found: example.com"),
        (S::Mailgun, "fault = 'rate-limited'", 429, "Too many requests"),
        (S::Postmark, "fault = 'account-pending'", 422, r#""ErrorCode":412"#),
        (S::Postmark, "suppressed = ['anna@example.net']", 422, r#""ErrorCode":406"#),
        (S::Postmark, "quota = { limit = 5, used = 5 }", 422, r#""ErrorCode":405"#),
        (S::Postmark, "fault = 'service-error'", 503, r#""ErrorCode":100"#),
        (S::Resend, "sandbox = true", 403, "You can only send testing emails"),
        (S::Resend, "fault = 'idempotency-running'", 409, "concurrent_idempotent_requests"),
        (S::Resend, "fault = 'rate-limited'", 429, "retry-after: 1"),
        (S::Resend, "quota = { limit = 5, used = 5 }", 429, "daily_quota_exceeded"),
        (S::Sendgrid, "may = ['read']", 403, "access forbidden"),
        (S::Sendgrid, "region = 'eu'", 401, "invalid, expired, or revoked"),
        (S::Sendgrid, "quota = { limit = 5, used = 5 }", 401, "Maximum credits exceeded"),
        (S::Sendgrid, "fault = 'rate-limited'", 429, "X-RateLimit-Remaining: 0"),
        (
            S::Sendgrid,
            "answer = { status = 502, content_type = 'text/html', body = '<h1>bad</h1>' }",
            502,
            "<h1>bad",
        ),
    ]
};

#[tokio::test]
async fn every_fault_is_shown_as_the_service_shows_it() {
    for (service, toml, status, part) in FAULTS {
        let lab = lab(service.as_str(), toml).await;
        let (host, request) = good(*service);
        let answer = ask(&lab, host, &signed(*service, request)).await;
        let text = format!("{}\n{}", answer.head, answer.body);
        assert!(answer.status == *status && text.contains(part), "{service:?} {toml}: {text}");
    }
}

#[tokio::test]
async fn accounts_tell_their_state() {
    use ServiceName as S;
    let cases: [(S, &str, &str, &str); 15] = [
        (
            S::AmazonSes,
            "sandbox = true",
            "/v2/email/account",
            r#""ProductionAccessEnabled":false,"SendQuota":{"Max24HourSend":200.0,"MaxSendRate":1.0"#,
        ),
        (
            S::AmazonSes,
            "",
            "/v2/email/identities/example.com",
            r#""VerifiedForSendingStatus":true"#,
        ),
        (
            S::AmazonSes,
            "",
            "/v2/email/identities/other.example",
            "Email identity other.example does not exist.",
        ),
        (
            S::AmazonSes,
            "streams = ['s']
inbox_tls = 'required'",
            "/v2/email/configuration-sets/s",
            r#""TlsPolicy":"REQUIRE""#,
        ),
        (S::AmazonSes, "may = ['send']", "/v2/email/account", "ses:GetAccount"),
        (S::Brevo, "", "/v3/account", r#""credits":48800,"creditsType":"sendLimit""#),
        (S::Brevo, "", "/v3/senders/domains", r#""authenticated":true"#),
        (
            S::Mailgun,
            "inbox_tls = 'verified'",
            "/v4/domains/example.com",
            r#""require_tls":true,"skip_verification":false"#,
        ),
        (S::Postmark, "", "/server", r#""DeliveryType":"Live""#),
        (S::Postmark, "", "/message-streams/none", r#""ErrorCode":1226"#),
        (S::Resend, "", "/domains", r#""name":"example.com""#),
        (S::Resend, "may = ['send']", "/domains", "restricted_api_key"),
        (S::Sendgrid, "may = ['read']", "/v3/scopes", r#"["user.credits.read""#),
        (S::Sendgrid, "", "/v3/user/credits", r#""remain":48800"#),
        (S::Sendgrid, "", "/v3/whitelabel/domains?domain=example.com", r#""valid":true"#),
    ];
    for (service, toml, target, part) in cases {
        let lab = lab(service.as_str(), toml).await;
        let (host, mut request) = good(service);
        (request.method, request.target) = ("GET".into(), target.into());
        request.headers.retain(|(name, _)| name != "Content-Type");
        request.body.clear();
        let answer = ask(&lab, host, &signed(service, request)).await;
        assert!(answer.body.contains(part), "{target}: {answer:?}");
    }
}

#[test]
fn contradictions_are_named() {
    for (toml, part) in [
        (
            "service = 'brevo'
fault = 'idempotency-running'",
            "has no fault",
        ),
        (
            "service = 'mailgun'
region = 'asia'",
            "is none of",
        ),
        ("service = 'mailjet'", "mailjet"),
        (
            "service = 'brevo'
keys = 'x'",
            "keys",
        ),
    ] {
        let text = format!(
            "title = 't'
kind = 'healthy'
[[service]]
{toml}
"
        );
        let error = Scenario::parse("healthy/x", &text).unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    }
}
