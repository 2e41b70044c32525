//! From the very octets of a service's answer to the finding a person reads, and from every way in which a
//! call can end without one.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use waxseal_proto::finding::Code;
use waxseal_proto::name::DomainName;
use waxseal_proto::observation::{Observation, Reason};
use waxseal_proto::secret::Secret;
use waxseal_proto::tls::seen::{HandshakeEnd, HandshakeFailure, HandshakeSeen};
use waxseal_proto::x509::Roots;
use waxseal_services::account::{
    AccountState, DomainState, Permission, Quota, QuotaUnit, Sending, Stage, Verified,
};
use waxseal_services::address::{EmailAddress, NamedAddress};
use waxseal_services::http::{Completeness, HttpResponse};
use waxseal_services::message::{Content, Outgoing, Parties, Reference, Subject};
use waxseal_services::service::{DeliveryService, ServiceId, Settings, connect};

use super::{CameTo, Heard, ServiceTried, diagnose_service, smtp_instead};
use crate::call::{Breakage, CallEnd, CallSeen, CallStep, Line};
use crate::question::Connect;

fn at() -> Timestamp {
    "2026-01-05T10:00:00Z".parse().unwrap()
}

fn adapter(id: ServiceId) -> Box<dyn DeliveryService> {
    let mut settings = Settings::default();
    for field in id.fields() {
        let value = match field.name {
            "region" if id == ServiceId::AmazonSes => "eu-west-1",
            "access-key-id" => "AKIDEXAMPLE",
            "domain" => "mg.example.com",
            "secret-access-key" | "api-key" | "server-token" => {
                let secret = Secret::new("sample-key-0123456789".to_owned());
                settings.secret.insert(field.name.to_owned(), secret);
                continue;
            }
            _ => continue,
        };
        settings.plain.insert(field.name.to_owned(), value.to_owned());
    }
    connect(id, &settings).unwrap()
}

fn message() -> Outgoing {
    let mailbox = |address| NamedAddress::new(EmailAddress::parse(address).unwrap(), "").unwrap();
    let parties = Parties {
        from: mailbox("news@example.com"),
        to: mailbox("anna@example.net"),
        reply_to: None,
    };
    let content = Content::new("Hello", "<p>Hello</p>").unwrap();
    let reference = Reference::parse("r-1").unwrap();
    Outgoing::new(parties, Subject::parse("A test").unwrap(), content, reference)
}

fn response(status: u16, headers: &[(&str, &str)], body: &str) -> HttpResponse {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    HttpResponse::new(status, headers, body.as_bytes().to_vec(), Completeness::Whole)
}

fn call(host: &str, end: CallEnd) -> CallSeen {
    CallSeen {
        host: DomainName::parse(host).unwrap(),
        port: 443,
        line: Line::Fresh,
        answers: Vec::new(),
        connects: vec![("192.0.2.1".parse().unwrap(), Connect::Connected)],
        handshake: Observation::NotObserved(Reason::NotAsked),
        end,
        timings: Vec::new(),
    }
}

fn tried(service: ServiceId, end: CallEnd, heard: Heard) -> ServiceTried {
    ServiceTried {
        service,
        call: call(service.api_host(), end),
        heard,
        account: AccountState::default(),
        other_host: None,
        at: at(),
        roots: Arc::new(Roots::from_anchors(&[])),
    }
}

fn sent(service: ServiceId, response: &HttpResponse) -> ServiceTried {
    let heard = Heard::Sent(adapter(service).read_one(&message(), response, at()));
    tried(service, CallEnd::Answered(response.clone()), heard)
}

/// The codes of findings, and one line for each piece of evidence of the first.
fn shown(tried: &ServiceTried) -> (Vec<&'static str>, String) {
    let findings = diagnose_service(tried);
    for finding in &findings {
        let text = waxseal_guides::finding(finding.code.as_str()).unwrap();
        assert!(text.case(finding.when.0).is_some(), "{} {}", finding.code, finding.when.0);
    }
    let evidence = findings.first().map_or_else(String::new, |finding| {
        let lines = finding.evidence.iter().map(|e| format!("{}: {}\n", e.label, e.value));
        lines.collect()
    });
    (findings.iter().map(|finding| finding.code.as_str()).collect(), evidence)
}

/// Service, status and body of an answer to a message, the first code, and what came of the message.
const ANSWERS: &[(ServiceId, u16, &str, Code, CameTo)] = &[
    (
        ServiceId::Postmark,
        401,
        r#"{"ErrorCode":10,"Message":"The Server Token you provided is not valid."}"#,
        Code::ApiKeyInvalid,
        CameTo::Failed,
    ),
    (
        ServiceId::Postmark,
        422,
        r#"{"ErrorCode":400,"Message":"The From address is not a Sender Signature."}"#,
        Code::ApiSenderUnverified,
        CameTo::Rejected,
    ),
    (
        ServiceId::Postmark,
        422,
        r#"{"ErrorCode":406,"Message":"Inactive recipient"}"#,
        Code::ApiRecipientSuppressed,
        CameTo::Rejected,
    ),
    (
        ServiceId::Postmark,
        422,
        r#"{"ErrorCode":412,"Message":"Account pending"}"#,
        Code::ApiSandbox,
        CameTo::Rejected,
    ),
    (
        ServiceId::Postmark,
        422,
        r#"{"ErrorCode":300,"Message":"Invalid email request"}"#,
        Code::ApiPayloadInvalid,
        CameTo::Rejected,
    ),
    (ServiceId::SendGrid, 401, "{}", Code::ApiKeyInvalid, CameTo::Failed),
    (
        ServiceId::SendGrid,
        403,
        r#"{"errors":[{"message":"access forbidden","field":null}]}"#,
        Code::ApiKeyScope,
        CameTo::Failed,
    ),
    (ServiceId::SendGrid, 429, "{}", Code::ApiRateLimited, CameTo::Failed),
    (
        ServiceId::Brevo,
        402,
        r#"{"code":"not_enough_credits","message":"x"}"#,
        Code::ApiQuotaExceeded,
        CameTo::Failed,
    ),
    (ServiceId::Brevo, 503, "", Code::ApiServiceError, CameTo::Unknown),
    (ServiceId::Resend, 413, "{}", Code::ApiPayloadInvalid, CameTo::Rejected),
    (ServiceId::Resend, 200, "<html>", Code::ApiServiceError, CameTo::Unknown),
    (ServiceId::Mailgun, 407, "", Code::ApiProxyAuth, CameTo::Failed),
    (ServiceId::Mailgun, 500, "{}", Code::ApiServiceError, CameTo::Unknown),
];

#[test]
fn every_answer_gets_its_code_and_its_outcome() {
    for (service, status, body, code, came_to) in ANSWERS {
        let tried = sent(*service, &response(*status, &[], body));
        let (codes, evidence) = shown(&tried);
        assert_eq!(codes.first(), Some(&code.as_str()), "{service:?} {status} {body}");
        assert_eq!(tried.came_to(), *came_to, "{service:?} {status} {body}");
        assert!(evidence.contains(&format!("HTTP status: {status}\n")), "{evidence}");
        assert!(!evidence.contains("sample-key"), "{evidence}");
    }
}

#[test]
fn a_code_in_a_header_counts_as_well() {
    for (code, expected) in [
        ("UnrecognizedClientException", "api-key-invalid"),
        ("AccessDeniedException", "api-key-scope"),
        ("TooManyRequestsException", "api-rate-limited"),
    ] {
        let headers = [("x-amzn-errortype", code)];
        let refused = response(403, &headers, r#"{"message":"no"}"#);
        assert_eq!(shown(&sent(ServiceId::AmazonSes, &refused)).0, [expected], "{code}");
    }
}

#[test]
fn what_the_service_says_is_evidence() {
    let body = r#"{"ErrorCode":400,"Message":"The From address is not a Sender Signature."}"#;
    let (_, evidence) = shown(&sent(ServiceId::Postmark, &response(422, &[], body)));
    assert_eq!(
        evidence,
        "HTTP status: 422\ncode of the service: 400\n\
         the service says: The From address is not a Sender Signature.\n"
    );
    let wait = response(429, &[("retry-after", "7")], "{}");
    let (_, evidence) = shown(&sent(ServiceId::SendGrid, &wait));
    assert!(evidence.contains("asks to wait, in seconds: 7\n"), "{evidence}");
}

#[test]
fn an_acceptance_is_named_with_its_id_and_is_no_delivery() {
    let body = r#"{"ErrorCode":0,"Message":"OK","MessageID":"0a129aee-e1cd"}"#;
    let tried = sent(ServiceId::Postmark, &response(200, &[], body));
    let (codes, evidence) = shown(&tried);
    assert_eq!(codes, ["api-accepted-only"]);
    assert_eq!(evidence, "id at the service: 0a129aee-e1cd\n");
    assert_eq!(tried.came_to(), CameTo::Accepted);
    assert_eq!(tried.accepted().unwrap().unwrap().as_str(), "0a129aee-e1cd");
}

#[test]
fn a_call_without_an_answer_says_whether_the_message_may_have_been_taken() {
    let closed = |step| CallEnd::Broken(step, Breakage::Closed);
    let malformed = CallEnd::Broken(CallStep::Answer, Breakage::Malformed("bad".to_owned()));
    let redirect =
        CallEnd::Redirected { status: 302, location: Some("https://example.org/".to_owned()) };
    for (end, code, came_to, line) in [
        (
            closed(CallStep::Answer),
            "api-service-error",
            CameTo::Unknown,
            "request: may have been taken",
        ),
        (
            closed(CallStep::Request),
            "api-service-error",
            CameTo::Failed,
            "request: was not handed over whole",
        ),
        (
            CallEnd::TimedOut(CallStep::Answer),
            "api-service-error",
            CameTo::Unknown,
            "answer: none in time",
        ),
        (malformed, "api-service-error", CameTo::Unknown, "answer: no HTTP: bad"),
        (
            redirect,
            "api-service-error",
            CameTo::Unknown,
            "redirect that was not followed: https://example.org/",
        ),
        (
            CallEnd::Unwritable,
            "api-payload-invalid",
            CameTo::Failed,
            "request: holds something that cannot be written as HTTP",
        ),
    ] {
        let tried = tried(ServiceId::Resend, end, Heard::Nothing);
        let (codes, evidence) = shown(&tried);
        assert_eq!((codes.as_slice(), tried.came_to()), (&[code][..], came_to));
        assert!(evidence.lines().any(|found| found == line), "{evidence}");
    }
}

#[test]
fn connections_that_did_not_come_about_are_those_of_every_path() {
    let address = "192.0.2.1".parse().unwrap();
    for (connect, code) in [
        (Connect::Refused, "tcp-refused"),
        (Connect::TimedOut, "tcp-timeout"),
        (Connect::Unreachable { local_family_missing: false }, "tcp-unreachable"),
        (Connect::GuardRefused, "input-target-private"),
    ] {
        let mut tried = tried(ServiceId::Resend, CallEnd::NotConnected, Heard::Nothing);
        tried.call.connects = vec![(address, connect)];
        assert_eq!(shown(&tried).0, [code]);
        assert_eq!(tried.came_to(), CameTo::Failed);
    }
    let unresolved = tried(ServiceId::Resend, CallEnd::Unresolved, Heard::Nothing);
    assert_eq!(shown(&unresolved).0, ["dns-host-unresolvable"]);
}

#[test]
fn a_handshake_that_failed_without_a_chain_is_no_interception() {
    let failed = |failure| {
        let mut tried = tried(ServiceId::Resend, CallEnd::TlsRefused, Heard::Nothing);
        tried.call.handshake = Observation::Observed(HandshakeSeen {
            chain: Observation::NotObserved(Reason::EarlierStageFailed),
            certificate_requested: false,
            end: HandshakeEnd::Failed(failure),
        });
        shown(&tried)
    };
    let proxy = b"HTTP/1.1 407 Proxy Authentication Required\r\n".to_vec();
    let (codes, evidence) = failed(HandshakeFailure::NotTls(proxy));
    assert_eq!(codes, ["api-proxy-auth"]);
    assert_eq!(evidence, "answer in clear text: HTTP/1.1 407 Proxy Authentication Required\n");
    assert_eq!(failed(HandshakeFailure::Reset).0, ["tls-reset-mid"]);
    assert_eq!(failed(HandshakeFailure::Closed).0, ["tls-closed-mid"]);
    assert_eq!(failed(HandshakeFailure::TimedOut { received: 7 }).0, ["tls-handshake-timeout"]);
    // Nothing at all, or something that is neither TLS nor HTTP, has a name as well.
    assert_eq!(failed(HandshakeFailure::TimedOut { received: 0 }).0, ["tls-handshake-timeout"]);
    let (codes, evidence) = failed(HandshakeFailure::NotTls(b"220 mail".to_vec()));
    assert_eq!(codes, ["tls-protocol-error"]);
    assert!(evidence.contains("220 mail"), "{evidence}");
}

#[test]
fn the_account_s_own_word_is_a_finding_and_a_cause_is_named_once() {
    let account = AccountState {
        sending: Observation::Observed(Sending::Stopped),
        stage: Observation::Observed(Stage::Sandbox),
        permission: Observation::Observed(Permission::MayNotSend),
        domain: Observation::Observed(DomainState::Unverified),
        quota: Observation::Observed(Quota {
            unit: QuotaUnit::Credits,
            limit: Observation::NotObserved(Reason::NotAsked),
            left: Observation::Observed(0),
        }),
        ..AccountState::default()
    };
    let answered = CallEnd::Answered(response(200, &[], "{}"));
    let mut all = tried(ServiceId::Brevo, answered, Heard::Verified(Verified::MaySend));
    assert_eq!(shown(&all).0, Vec::<&str>::new());
    all.account = account;
    assert_eq!(
        shown(&all).0,
        ["api-quota-exceeded", "api-key-scope", "api-sender-unverified", "api-sandbox"]
    );
}

#[test]
fn every_code_has_an_example_here_or_over_real_sockets() {
    // Interception and old trust stores need certificates: they are shown where sockets are.
    let elsewhere = [Code::ApiTlsInterception, Code::ApiTrustStoreOld, Code::ApiRegionMismatch];
    let mut seen: BTreeMap<Code, usize> = BTreeMap::new();
    for (_, _, _, code, _) in ANSWERS {
        *seen.entry(*code).or_default() += 1;
    }
    seen.insert(Code::ApiAcceptedOnly, 1);
    seen.insert(Code::ApiSmtpInstead, 1);
    for (code, _) in super::CODES {
        assert!(seen.contains_key(code) || elsewhere.contains(code), "{code}");
    }
}

#[test]
fn a_region_that_does_not_know_the_domain_is_told_from_a_bad_key() {
    use waxseal_services::fault::FaultKind;
    assert_eq!(super::code_of(FaultKind::RegionMismatch), Code::ApiRegionMismatch);
}

#[test]
fn an_smtp_host_of_a_built_in_service_is_noted_and_no_other() {
    let found = smtp_instead("smtp.postmarkapp.com").unwrap();
    assert_eq!(
        (found.code, found.subject.as_str()),
        (Code::ApiSmtpInstead, "smtp.postmarkapp.com")
    );
    assert_eq!(found.evidence[0].value, "postmark");
    assert_eq!(smtp_instead("mail.example.com"), None);
}
