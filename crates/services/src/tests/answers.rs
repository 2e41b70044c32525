//! Answers of every documented shape, and what each is taken to mean.

use std::time::Duration;

use waxseal_proto::name::DomainName;
use waxseal_proto::observation::{Observation, Reason};

use crate::account::{
    AccountState, DomainState, Permission, Quota, QuotaUnit, Sending, Stage, Topic, Verified,
};
use crate::fault::{FaultClass, FaultKind, FaultText};
use crate::outcome::{Fate, ServiceMessageId, ServiceOutcome};
use crate::samples::{KEY, answer, at, connection, message, message_to};
use crate::second_path::InboxPolicy;
use crate::service::{DeliveryService, ServiceId};

fn service(id: ServiceId) -> Box<dyn DeliveryService> {
    let plain: &[(&str, &str)] = match id {
        ServiceId::AmazonSes => &[("region", "eu-west-1"), ("access-key-id", "AKIDEXAMPLE")],
        ServiceId::Mailgun => &[("domain", "mg.example.com")],
        ServiceId::Brevo | ServiceId::Postmark | ServiceId::Resend | ServiceId::SendGrid => &[],
    };
    connection(id, plain)
}

fn sent(id: ServiceId, status: u16, headers: &[(&str, &str)], body: &str) -> ServiceOutcome {
    service(id).read_one(&message(), &answer(status, headers, body), at())
}

/// Service, status, header, body, id.
type SuccessCase = (ServiceId, u16, (&'static str, &'static str), &'static str, &'static str);

#[test]
fn a_message_is_accepted_with_its_id() {
    let cases: &[SuccessCase] = &[
        (ServiceId::AmazonSes, 200, ("", ""), r#"{"MessageId":"0102018f-0000"}"#, "0102018f-0000"),
        (
            ServiceId::Postmark,
            200,
            ("", ""),
            r#"{"To":"anna@example.net","SubmittedAt":"2026-01-05T10:00:00Z","MessageID":"b7bc2f4a-e38e","ErrorCode":0,"Message":"OK"}"#,
            "b7bc2f4a-e38e",
        ),
        (ServiceId::SendGrid, 202, ("X-Message-Id", "14c5d75ce93"), "", "14c5d75ce93"),
        (
            ServiceId::Mailgun,
            200,
            ("", ""),
            r#"{"id":"<2026.1@mg.example.com>","message":"Queued. Thank you."}"#,
            "2026.1@mg.example.com",
        ),
        (ServiceId::Resend, 200, ("", ""), r#"{"id":"49a3999c-0ce1-4ea6"}"#, "49a3999c-0ce1-4ea6"),
        (
            ServiceId::Brevo,
            201,
            ("", ""),
            r#"{"messageId":"<2026.2@smtp-relay.example>"}"#,
            "2026.2@smtp-relay.example",
        ),
    ];
    for (id, status, header, body, expected) in cases {
        let outcome = sent(*id, *status, &[*header], body);
        let accepted: Vec<_> = outcome.accepted().collect();
        assert_eq!(accepted.len(), 1, "{id:?}");
        assert_eq!(accepted[0].0.as_str(), "anna@example.net");
        assert_eq!(accepted[0].1.map(ServiceMessageId::as_str), Some(*expected), "{id:?}");
        assert_eq!(outcome.fault, None, "{id:?}");
    }
}

type ErrorCase = (ServiceId, u16, &'static str, FaultKind);

const ERRORS: &[ErrorCase] = {
    use FaultKind as K;
    use ServiceId as S;
    &[
        (
            S::AmazonSes,
            400,
            r#"{"__type":"MessageRejected","message":"Email address is not verified. The following identities failed the check in region EU-WEST-1: news@example.com"}"#,
            K::SenderUnverified,
        ),
        (
            S::AmazonSes,
            400,
            r#"{"__type":"MessageRejected","message":"Email address is not verified. The following identities failed the check in region EU-WEST-1: news@example.com, anna@example.net"}"#,
            K::SenderUnverified,
        ),
        (
            S::AmazonSes,
            400,
            r#"{"__type":"MessageRejected","message":"Email address is not verified. The following identities failed the check in region EU-WEST-1: anna@example.net"}"#,
            K::Sandbox,
        ),
        (
            S::AmazonSes,
            400,
            r#"{"__type":"MessageRejected","message":"Illegal content"}"#,
            K::PayloadInvalid,
        ),
        (
            S::AmazonSes,
            400,
            r#"{"__type":"com.amazonaws.sesv2#MailFromDomainNotVerifiedException","message":"x"}"#,
            K::SenderUnverified,
        ),
        (S::AmazonSes, 400, r#"{"__type":"AccountSuspendedException"}"#, K::AccountSuspended),
        (S::AmazonSes, 400, r#"{"__type":"SendingPausedException"}"#, K::AccountSuspended),
        (
            S::AmazonSes,
            400,
            r#"{"__type":"BadRequestException","message":"Missing final '@domain'"}"#,
            K::PayloadInvalid,
        ),
        (
            S::AmazonSes,
            400,
            r#"{"__type":"LimitExceededException","message":"Daily message quota exceeded."}"#,
            K::QuotaExceeded,
        ),
        (
            S::AmazonSes,
            404,
            r#"{"__type":"NotFoundException","message":"Configuration set <x> does not exist."}"#,
            K::SettingUnknown,
        ),
        (
            S::AmazonSes,
            429,
            r#"{"__type":"TooManyRequestsException","message":"Maximum sending rate exceeded."}"#,
            K::RateLimited,
        ),
        (
            S::AmazonSes,
            429,
            r#"{"__type":"TooManyRequestsException","message":"Daily message quota exceeded."}"#,
            K::QuotaExceeded,
        ),
        (
            S::AmazonSes,
            403,
            r#"{"__type":"AccessDeniedException","Message":"User is not authorized to perform: ses:SendEmail"}"#,
            K::KeyScope,
        ),
        (
            S::AmazonSes,
            403,
            r#"{"__type":"UnrecognizedClientException","message":"The security token included in the request is invalid."}"#,
            K::KeyInvalid,
        ),
        (
            S::AmazonSes,
            403,
            r#"{"__type":"InvalidSignatureException","message":"Signature expired: 20260105T100000Z is now earlier than 20260105T101500Z"}"#,
            K::ClockWrong,
        ),
        (
            S::AmazonSes,
            403,
            r#"{"__type":"InvalidSignatureException","message":"Credential should be scoped to a valid region."}"#,
            K::RegionMismatch,
        ),
        (
            S::AmazonSes,
            403,
            r#"{"__type":"SignatureDoesNotMatch","message":"The request signature we calculated does not match"}"#,
            K::KeyInvalid,
        ),
        (S::AmazonSes, 500, r#"{"message":null}"#, K::ServiceError),
        (
            S::Postmark,
            401,
            r#"{"ErrorCode":10,"Message":"No Account or Server API tokens were supplied"}"#,
            K::KeyInvalid,
        ),
        (
            S::Postmark,
            422,
            r#"{"ErrorCode":300,"Message":"Invalid 'To' address"}"#,
            K::PayloadInvalid,
        ),
        (
            S::Postmark,
            422,
            r#"{"ErrorCode":400,"Message":"The 'From' address is not a Sender Signature"}"#,
            K::SenderUnverified,
        ),
        (
            S::Postmark,
            422,
            r#"{"ErrorCode":401,"Message":"The 'From' address is not confirmed"}"#,
            K::SenderUnverified,
        ),
        (
            S::Postmark,
            422,
            r#"{"ErrorCode":405,"Message":"Not allowed to send"}"#,
            K::QuotaExceeded,
        ),
        (
            S::Postmark,
            422,
            r#"{"ErrorCode":406,"Message":"You tried to send to a recipient that has been marked as inactive."}"#,
            K::RecipientSuppressed,
        ),
        (
            S::Postmark,
            422,
            r#"{"ErrorCode":412,"Message":"Your account is pending approval"}"#,
            K::Sandbox,
        ),
        (S::Postmark, 422, r#"{"ErrorCode":413,"Message":"Not allowed"}"#, K::AccountSuspended),
        (
            S::Postmark,
            422,
            r#"{"ErrorCode":1235,"Message":"The message stream does not exist"}"#,
            K::SettingUnknown,
        ),
        (S::Postmark, 413, "", K::PayloadTooLarge),
        (S::Postmark, 429, r#"{"ErrorCode":429,"Message":"Rate limit exceeded"}"#, K::RateLimited),
        (S::Postmark, 503, r#"{"ErrorCode":100,"Message":"Maintenance"}"#, K::ServiceError),
        (
            S::SendGrid,
            400,
            r#"{"errors":[{"message":"The from email does not contain a valid address.","field":"from.email","help":null}]}"#,
            K::PayloadInvalid,
        ),
        (
            S::SendGrid,
            401,
            r#"{"errors":[{"message":"The provided authorization grant is invalid, expired, or revoked","field":null,"help":null}]}"#,
            K::KeyInvalid,
        ),
        (
            S::SendGrid,
            401,
            r#"{"errors":[{"message":"Maximum credits exceeded","field":null,"help":null}]}"#,
            K::QuotaExceeded,
        ),
        (
            S::SendGrid,
            403,
            r#"{"errors":[{"message":"access forbidden","field":null,"help":null}]}"#,
            K::KeyScope,
        ),
        (
            S::SendGrid,
            403,
            r#"{"errors":[{"message":"The from address does not match a verified Sender Identity.","field":"from","help":null}]}"#,
            K::SenderUnverified,
        ),
        (S::SendGrid, 413, r#"{"errors":[{"message":"payload too large"}]}"#, K::PayloadTooLarge),
        (S::SendGrid, 429, r#"{"errors":[{"message":"too many requests"}]}"#, K::RateLimited),
        (S::SendGrid, 503, "<html>unavailable</html>", K::ServiceError),
        (S::SendGrid, 200, "", K::UnexpectedAnswer),
        (S::Mailgun, 401, "Forbidden", K::KeyInvalid),
        (
            S::Mailgun,
            400,
            r#"{"message":"to parameter is not a valid address. please check documentation"}"#,
            K::PayloadInvalid,
        ),
        (
            S::Mailgun,
            403,
            r#"{"message":"Domain sandbox1.mailgun.org is not allowed to send: Sandbox subdomains are for test purposes only. Please add your own domain or add the address to authorized recipients in Account Settings."}"#,
            K::Sandbox,
        ),
        (
            S::Mailgun,
            403,
            r#"{"message":"Domain mg.example.com is not allowed to send: The domain is unverified and requires DNS configuration."}"#,
            K::SenderUnverified,
        ),
        (S::Mailgun, 403, r#"{"message":"Please activate your account."}"#, K::AccountSuspended),
        (
            S::Mailgun,
            403,
            r#"{"message":"Domain mg.example.com is not allowed to send: request limit exceeded"}"#,
            K::QuotaExceeded,
        ),
        (S::Mailgun, 404, r#"{"message":"Domain not found: mg.example.com"}"#, K::RegionMismatch),
        (S::Mailgun, 413, "", K::PayloadTooLarge),
        (S::Mailgun, 429, r#"{"message":"Too many requests"}"#, K::RateLimited),
        (S::Mailgun, 200, "Mailgun Magnificent API", K::UnexpectedAnswer),
        (S::Mailgun, 502, "", K::ServiceError),
        (
            S::Resend,
            401,
            r#"{"statusCode":401,"name":"missing_api_key","message":"Missing API Key"}"#,
            K::KeyInvalid,
        ),
        (
            S::Resend,
            403,
            r#"{"statusCode":403,"name":"invalid_api_key","message":"API key is invalid"}"#,
            K::KeyInvalid,
        ),
        (
            S::Resend,
            401,
            r#"{"statusCode":401,"name":"validation_error","message":"API key is invalid"}"#,
            K::KeyInvalid,
        ),
        (
            S::Resend,
            401,
            r#"{"statusCode":401,"name":"restricted_api_key","message":"This API key is restricted to only send emails"}"#,
            K::KeyScope,
        ),
        (
            S::Resend,
            403,
            r#"{"statusCode":403,"name":"invalid_access","message":"x"}"#,
            K::KeyScope,
        ),
        (
            S::Resend,
            403,
            r#"{"statusCode":403,"name":"validation_error","message":"The example.com domain is not verified."}"#,
            K::SenderUnverified,
        ),
        (
            S::Resend,
            403,
            r#"{"statusCode":403,"name":"validation_error","message":"You can only send testing emails to your own email address (a@example.com)."}"#,
            K::Sandbox,
        ),
        (
            S::Resend,
            422,
            r#"{"statusCode":422,"name":"missing_required_field","message":"Missing `to` field."}"#,
            K::PayloadInvalid,
        ),
        (
            S::Resend,
            422,
            r#"{"statusCode":422,"name":"invalid_parameter","message":"x"}"#,
            K::PayloadInvalid,
        ),
        (
            S::Resend,
            409,
            r#"{"statusCode":409,"name":"invalid_idempotent_request","message":"x"}"#,
            K::IdempotencyConflict,
        ),
        (
            S::Resend,
            409,
            r#"{"statusCode":409,"name":"concurrent_idempotent_requests","message":"x"}"#,
            K::IdempotencyRunning,
        ),
        (
            S::Resend,
            429,
            r#"{"statusCode":429,"name":"rate_limit_exceeded","message":"Too many requests"}"#,
            K::RateLimited,
        ),
        (
            S::Resend,
            429,
            r#"{"statusCode":429,"name":"daily_quota_exceeded","message":"x"}"#,
            K::QuotaExceeded,
        ),
        (
            S::Resend,
            429,
            r#"{"statusCode":429,"name":"monthly_quota_exceeded","message":"x"}"#,
            K::QuotaExceeded,
        ),
        (
            S::Resend,
            451,
            r#"{"statusCode":451,"name":"security_error","message":"x"}"#,
            K::AccountSuspended,
        ),
        (
            S::Resend,
            500,
            r#"{"statusCode":500,"name":"application_error","message":"x"}"#,
            K::ServiceError,
        ),
        (
            S::Brevo,
            400,
            r#"{"code":"invalid_parameter","message":"email is not valid in to"}"#,
            K::PayloadInvalid,
        ),
        (
            S::Brevo,
            400,
            r#"{"code":"missing_parameter","message":"subject is missing"}"#,
            K::PayloadInvalid,
        ),
        (
            S::Brevo,
            400,
            r#"{"code":"invalid_parameter","message":"Sending has been rejected because the sender you used news@example.com is not valid."}"#,
            K::SenderUnverified,
        ),
        (S::Brevo, 401, r#"{"code":"unauthorized","message":"Key not found"}"#, K::KeyInvalid),
        (
            S::Brevo,
            401,
            r#"{"code":"unauthorized","message":"We have detected you are using an unrecognised IP address 192.0.2.1."}"#,
            K::CallerAddressRefused,
        ),
        (S::Brevo, 402, r#"{"code":"not_enough_credits","message":"x"}"#, K::QuotaExceeded),
        (
            S::Brevo,
            403,
            r#"{"code":"permission_denied","message":"Unable to send email. Your SMTP account is not yet activated."}"#,
            K::AccountSuspended,
        ),
        (S::Brevo, 403, r#"{"code":"permission_denied","message":"x"}"#, K::KeyScope),
        (S::Brevo, 429, r#"{"code":"too_many_requests","message":"x"}"#, K::RateLimited),
        (S::Brevo, 503, "", K::ServiceError),
        (S::Brevo, 201, "{}", K::UnexpectedAnswer),
    ]
};

#[test]
fn every_error_has_its_kind_and_nobody_is_lost() {
    for (id, status, body, kind) in ERRORS {
        let outcome = sent(*id, *status, &[], body);
        let fault = outcome.fault.as_ref().unwrap();
        assert_eq!((fault.kind, fault.status, fault.service), (*kind, *status, *id), "{body}");
        assert_eq!(fault.class, kind.usual_class(), "{body}");
        let fate = &outcome.recipients[0].fate;
        match kind.usual_class() {
            FaultClass::Permanent => assert_eq!(fate, &Fate::Rejected(fault.clone()), "{body}"),
            FaultClass::Pause => assert_eq!(fate, &Fate::NotTaken, "{body}"),
            // After a failure of the service nobody knows; after a refusal for the rate everybody does.
            FaultClass::Retry { .. } if *kind == FaultKind::RateLimited => {
                assert_eq!(fate, &Fate::NotTaken, "{body}");
            }
            FaultClass::Retry { .. } | FaultClass::Unknown => {
                assert_eq!(fate, &Fate::Unknown, "{body}");
            }
        }
    }
}

#[test]
fn details_are_kept_and_cleaned() {
    let body =
        r#"{"errors":[{"message":"bad\r\nkey sample-key-0123456789","field":"from.email"}]}"#;
    let fault = sent(ServiceId::SendGrid, 400, &[], body).fault.unwrap();
    assert_eq!(fault.text.as_ref().map(FaultText::as_str), Some("bad key [hidden]"));
    assert_eq!(fault.field.as_ref().map(FaultText::as_str), Some("from.email"));
    let signature = r#"{"message":"The request signature we calculated does not match.\n\nThe Canonical String for this request should have been\n'POST\n/v2/email'"}"#;
    let headers = [("x-amzn-ErrorType", "InvalidSignatureException:http://example.com/")];
    let fault = sent(ServiceId::AmazonSes, 403, &headers, signature).fault.unwrap();
    let text = "The request signature we calculated does not match.";
    assert_eq!(fault.text.as_ref().map(FaultText::as_str), Some(text));
    assert_eq!(fault.code.as_ref().map(FaultText::as_str), Some("InvalidSignatureException"));
    assert_eq!(fault.to_string(), "amazon-ses answered 403: KeyInvalid");
}

#[test]
fn the_wait_comes_from_the_answer() {
    let body = r#"{"statusCode":429,"name":"rate_limit_exceeded","message":"x"}"#;
    let fault = sent(ServiceId::Resend, 429, &[("retry-after", "2")], body).fault.unwrap();
    assert_eq!(fault.class, FaultClass::Retry { after: Some(Duration::from_secs(2)) });
}

#[test]
fn a_batch_has_a_fate_for_each() {
    let messages =
        [message(), message_to("bob@example.net", "r-2"), message_to("c@example.net", "r-3")];
    let fates = |id: ServiceId, status: u16, headers: &[(&str, &str)], body: &str| -> Vec<String> {
        let outcome = service(id).read_batch(&messages, &answer(status, headers, body), at());
        let word = |fate: &Fate| match fate {
            Fate::Accepted { id } => {
                id.as_ref().map_or(String::new(), |id| id.as_str().to_string())
            }
            Fate::NotTaken => "not taken".into(),
            Fate::Rejected(fault) => format!("{:?}", fault.kind),
            Fate::Unknown => "unknown".into(),
        };
        outcome.recipients.iter().map(|entry| word(&entry.fate)).collect()
    };
    let postmark = r#"[{"ErrorCode":0,"Message":"OK","MessageID":"1"},{"ErrorCode":406,"Message":"x"},{"ErrorCode":0,"Message":"OK","MessageID":"3"}]"#;
    assert_eq!(fates(ServiceId::Postmark, 200, &[], postmark), ["1", "RecipientSuppressed", "3"]);
    let short = r#"[{"ErrorCode":0,"Message":"OK","MessageID":"1"}]"#;
    assert_eq!(fates(ServiceId::Postmark, 200, &[], short), ["1", "unknown", "unknown"]);
    let resend = r#"{"data":[{"id":"1"},{"id":"3"}],"errors":[{"index":1,"message":"x"}]}"#;
    assert_eq!(fates(ServiceId::Resend, 200, &[], resend), ["1", "PayloadInvalid", "3"]);
    let wrong = r#"{"data":[{"id":"1"}],"errors":[{"index":1,"message":"x"}]}"#;
    assert_eq!(fates(ServiceId::Resend, 200, &[], wrong), ["unknown"; 3]);
    let brevo = r#"{"messageIds":["<1@a>","<2@a>","<3@a>"]}"#;
    assert_eq!(fates(ServiceId::Brevo, 201, &[], brevo), ["1@a", "2@a", "3@a"]);
    assert_eq!(fates(ServiceId::Brevo, 201, &[], r#"{"messageIds":["<1@a>"]}"#), ["unknown"; 3]);
    let mailgun = r#"{"id":"<1@mg.example.com>","message":"Queued. Thank you."}"#;
    assert_eq!(fates(ServiceId::Mailgun, 200, &[], mailgun), ["1@mg.example.com"; 3]);
    assert_eq!(fates(ServiceId::SendGrid, 202, &[("X-Message-Id", "1")], ""), ["1"; 3]);
    for id in ServiceId::ALL {
        assert_eq!(fates(id, 401, &[], ""), ["not taken"; 3], "{id:?}");
        assert_eq!(fates(id, 500, &[], ""), ["unknown"; 3], "{id:?}");
        assert_eq!(fates(id, 429, &[], ""), ["not taken"; 3], "{id:?}");
    }
}

#[test]
fn verification_says_no_more_than_it_knows() {
    let verified = |id: ServiceId, status: u16, body: &str| -> String {
        match service(id).read_verification(&answer(status, &[], body), at()) {
            Verified::KeyAccepted => "key accepted".into(),
            Verified::MaySend => "may send".into(),
            Verified::OnlyTestSend(fault) => format!("only a test send: {:?}", fault.kind),
            Verified::Refused(fault) => format!("{:?}", fault.kind),
        }
    };
    let cases = [
        (
            ServiceId::AmazonSes,
            200,
            r#"{"ProductionAccessEnabled":true,"SendingEnabled":true}"#,
            "key accepted",
        ),
        (
            ServiceId::AmazonSes,
            403,
            r#"{"__type":"AccessDeniedException"}"#,
            "only a test send: KeyScope",
        ),
        (ServiceId::AmazonSes, 403, r#"{"__type":"UnrecognizedClientException"}"#, "KeyInvalid"),
        (
            ServiceId::Postmark,
            200,
            r#"{"ID":"outbound","MessageStreamType":"Transactional","ArchivedAt":null}"#,
            "may send",
        ),
        (
            ServiceId::Postmark,
            200,
            r#"{"ID":"inbound","MessageStreamType":"Inbound"}"#,
            "SettingUnknown",
        ),
        (ServiceId::Postmark, 404, r#"{"ErrorCode":1226,"Message":"x"}"#, "SettingUnknown"),
        (ServiceId::Postmark, 401, r#"{"ErrorCode":10,"Message":"x"}"#, "KeyInvalid"),
        (ServiceId::SendGrid, 200, r#"{"scopes":["mail.send","stats.read"]}"#, "may send"),
        (ServiceId::SendGrid, 200, r#"{"scopes":["stats.read"]}"#, "KeyScope"),
        (ServiceId::SendGrid, 401, r#"{"errors":[]}"#, "KeyInvalid"),
        (ServiceId::Mailgun, 200, r#"{"domain":{"state":"active"}}"#, "key accepted"),
        (ServiceId::Mailgun, 401, "Forbidden", "only a test send: KeyInvalid"),
        (
            ServiceId::Mailgun,
            404,
            r#"{"message":"Domain not found: mg.example.com"}"#,
            "RegionMismatch",
        ),
        (ServiceId::Mailgun, 200, "hello", "UnexpectedAnswer"),
        (ServiceId::Resend, 200, r#"{"data":[]}"#, "may send"),
        (ServiceId::Resend, 401, r#"{"name":"restricted_api_key","message":"x"}"#, "may send"),
        (
            ServiceId::Resend,
            401,
            r#"{"name":"validation_error","message":"API key is invalid"}"#,
            "KeyInvalid",
        ),
        (ServiceId::Brevo, 200, r#"{"email":"a@example.com","plan":[]}"#, "key accepted"),
        (
            ServiceId::Brevo,
            401,
            r#"{"code":"unauthorized","message":"Key not found"}"#,
            "KeyInvalid",
        ),
    ];
    for (id, status, body, expected) in cases {
        assert_eq!(verified(id, status, body), expected, "{id:?} {body}");
    }
}

fn told(id: ServiceId, topic: Topic, status: u16, body: &str) -> AccountState {
    let mut state = AccountState::default();
    let domain = DomainName::parse("example.com").unwrap();
    service(id).read_account(&mut state, topic, &answer(status, &[], body), &domain);
    state
}

#[test]
fn the_account_of_amazon_ses_is_read() {
    let body = r#"{"ProductionAccessEnabled":false,"SendingEnabled":true,"EnforcementStatus":"HEALTHY","SendQuota":{"Max24HourSend":200.0,"MaxSendRate":1.0,"SentLast24Hours":12.0}}"#;
    let state = told(ServiceId::AmazonSes, Topic::Account, 200, body);
    assert_eq!(state.stage, Observation::Observed(Stage::Sandbox));
    assert_eq!(state.sending, Observation::Observed(Sending::Enabled));
    assert_eq!(state.rate_per_second_max, Observation::Observed(1));
    let quota = Quota {
        unit: QuotaUnit::RecipientsPerDay,
        limit: Observation::Observed(200),
        left: Observation::Observed(188),
    };
    assert_eq!(state.quota, Observation::Observed(quota));
    let unlimited = body.replace("200.0", "-1").replace("HEALTHY", "SHUTDOWN");
    let state = told(ServiceId::AmazonSes, Topic::Account, 200, &unlimited);
    assert_eq!(state.sending, Observation::Observed(Sending::Stopped));
    assert_eq!(state.quota.seen().unwrap().limit.seen(), None);
    let refused = told(ServiceId::AmazonSes, Topic::Account, 403, "{}");
    assert_eq!(refused.stage, Observation::NotObserved(Reason::RefusedByPeer));
    let set = told(
        ServiceId::AmazonSes,
        Topic::InboxTls,
        200,
        r#"{"DeliveryOptions":{"TlsPolicy":"REQUIRE"}}"#,
    );
    assert_eq!(set.inbox_tls, Observation::Observed(InboxPolicy::Required));
    let set = told(ServiceId::AmazonSes, Topic::InboxTls, 200, r#"{"ConfigurationSetName":"a"}"#);
    assert_eq!(set.inbox_tls, Observation::Observed(InboxPolicy::Opportunistic));
}

#[test]
fn domains_are_ready_or_not() {
    let cases: &[(ServiceId, &str, Option<DomainState>)] = &[
        (ServiceId::AmazonSes, r#"{"VerifiedForSendingStatus":true}"#, Some(DomainState::Verified)),
        (
            ServiceId::AmazonSes,
            r#"{"VerifiedForSendingStatus":false}"#,
            Some(DomainState::Unverified),
        ),
        (ServiceId::Postmark, r#"{"MessageStreamType":"Broadcasts"}"#, Some(DomainState::Verified)),
        (
            ServiceId::SendGrid,
            r#"[{"domain":"example.com","valid":true}]"#,
            Some(DomainState::Verified),
        ),
        (
            ServiceId::SendGrid,
            r#"[{"domain":"other.example","valid":true}]"#,
            Some(DomainState::Unverified),
        ),
        (
            ServiceId::Mailgun,
            r#"{"domain":{"state":"unverified","type":"custom"}}"#,
            Some(DomainState::Unverified),
        ),
        (
            ServiceId::Resend,
            r#"{"data":[{"name":"example.com","status":"verified"}]}"#,
            Some(DomainState::Verified),
        ),
        (
            ServiceId::Resend,
            r#"{"data":[{"name":"example.com","status":"pending"}]}"#,
            Some(DomainState::Unverified),
        ),
        (
            ServiceId::Brevo,
            r#"{"domains":[{"domain_name":"example.com","authenticated":true}]}"#,
            Some(DomainState::Verified),
        ),
        (ServiceId::Brevo, "nonsense", None),
    ];
    for (id, body, expected) in cases {
        let state = told(*id, Topic::Domain, 200, body);
        assert_eq!(state.domain.seen(), expected.as_ref(), "{id:?} {body}");
        let refused = told(*id, Topic::Domain, 403, body);
        assert_eq!(refused.domain, Observation::NotObserved(Reason::RefusedByPeer), "{id:?}");
    }
}

#[test]
fn the_policy_towards_inboxes_is_read() {
    let sendgrid = |tls: bool, certificate: bool| {
        let body =
            format!(r#"{{"require_tls":{tls},"require_valid_cert":{certificate},"version":1.2}}"#);
        told(ServiceId::SendGrid, Topic::InboxTls, 200, &body).inbox_tls
    };
    assert_eq!(sendgrid(true, true), Observation::Observed(InboxPolicy::RequiredVerified));
    assert_eq!(sendgrid(true, false), Observation::Observed(InboxPolicy::Required));
    assert_eq!(sendgrid(false, true), Observation::Observed(InboxPolicy::Opportunistic));
    let mailgun = |tls: bool, skip: bool| {
        let body = format!(
            r#"{{"domain":{{"state":"active","type":"sandbox","require_tls":{tls},"skip_verification":{skip}}}}}"#
        );
        told(ServiceId::Mailgun, Topic::Domain, 200, &body)
    };
    assert_eq!(
        mailgun(true, false).inbox_tls,
        Observation::Observed(InboxPolicy::RequiredVerified)
    );
    assert_eq!(mailgun(true, true).inbox_tls, Observation::Observed(InboxPolicy::Required));
    assert_eq!(mailgun(false, false).inbox_tls, Observation::Observed(InboxPolicy::Opportunistic));
    assert_eq!(mailgun(false, false).stage, Observation::Observed(Stage::Sandbox));
}

#[test]
fn the_rest_of_the_account_is_read() {
    let state = told(
        ServiceId::Postmark,
        Topic::Account,
        200,
        r#"{"DeliveryType":"Sandbox","ApiTokens":["t"]}"#,
    );
    assert_eq!(state.stage, Observation::Observed(Stage::Sandbox));
    let state = told(ServiceId::SendGrid, Topic::Account, 200, r#"{"scopes":["alerts.read"]}"#);
    assert_eq!(state.permission, Observation::Observed(Permission::MayNotSend));
    let state = told(ServiceId::SendGrid, Topic::Credits, 200, r#"{"remain":7,"total":100}"#);
    assert_eq!(state.quota.seen().unwrap().left, Observation::Observed(7));
    let body = r#"{"plan":[{"type":"sms","creditsType":"sms","credits":5},{"type":"free","creditsType":"sendLimit","credits":300}],"relay":{"enabled":false}}"#;
    let state = told(ServiceId::Brevo, Topic::Account, 200, body);
    assert_eq!(state.quota.seen().unwrap().left, Observation::Observed(300));
    assert_eq!(state.sending, Observation::Observed(Sending::Stopped));
}

#[test]
fn debug_output_holds_no_secret() {
    for id in ServiceId::ALL {
        let request = service(id).send_one(&message(), at()).unwrap();
        let text = format!("{request:?}");
        assert!(!text.contains(KEY) && !text.contains("Signature="), "{id:?}");
        // The form that HTTP Basic gives the key.
        assert!(!text.contains("YXBpOnNhbXBsZS1rZXk"), "{id:?}");
    }
    let account = answer(200, &[], r#"{"ApiTokens":["token-of-the-server"]}"#);
    assert!(!format!("{account:?}").contains("token-of-the-server"));
}
