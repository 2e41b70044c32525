//! Every request byte by byte, written down from the services' documentation. The signatures of Amazon SES
//! were computed with another implementation (Python's hmac).

use waxseal_proto::name::DomainName;

use crate::account::Verification;
use crate::limits::BATCH_MESSAGES_MAX;
use crate::message::{
    Content, IdempotencyKey, InboxTls, MessageId, Outgoing, Parties, Reference, Subject,
};
use crate::samples::{KEY, at, connection, mailbox, message, message_to, wire};
use crate::service::{
    Batch, BatchShape, DeliveryService, ServiceId, Settings, SettingsError, Unsendable, connect,
};

fn one(service: &dyn DeliveryService, message: &Outgoing) -> String {
    wire(&service.send_one(message, at()).unwrap())
}

fn many(service: &dyn DeliveryService, messages: &[Outgoing], key: Option<&str>) -> String {
    let key = key.map(|key| IdempotencyKey::parse(key).unwrap());
    let batch = Batch { messages, idempotency_key: key.as_ref() };
    wire(&service.send_batch(batch, at()).unwrap())
}

fn two() -> [Outgoing; 2] {
    [message(), message_to("bob@example.net", "r-2")]
}

fn ses() -> Box<dyn DeliveryService> {
    let plain = [
        ("region", "eu-west-1"),
        ("access-key-id", "AKIDEXAMPLE"),
        ("configuration-set", "news-set"),
    ];
    connection(ServiceId::AmazonSes, &plain)
}

#[test]
fn amazon_ses() {
    assert_eq!(
        one(&*ses(), &message()),
        concat!(
            "POST https://email.eu-west-1.amazonaws.com/v2/email/outbound-emails\n",
            "Content-Type: application/json\n",
            "X-Amz-Date: 20260105T100000Z\n",
            "Authorization: (secret) AWS4-HMAC-SHA256 ",
            "Credential=AKIDEXAMPLE/20260105/eu-west-1/ses/aws4_request, ",
            "SignedHeaders=content-type;host;x-amz-date, ",
            "Signature=2b01d85ed6935a4b1aa0aa7ead006d03a158e92ba82851597cc1b8d81183931b\n\n",
            r#"{"FromEmailAddress":"\"Example News\" <news@example.com>","Destination":{"ToAddresses":["a"#,
            r#"nna@example.net"]},"ReplyToAddresses":["help@example.com"],"Content":{"Simple":{"Subject":"#,
            r#"{"Data":"A test","Charset":"UTF-8"},"Body":{"Text":{"Data":"Hello","Charset":"UTF-8"},"Htm"#,
            r#"l":{"Data":"<p>Hello</p>","Charset":"UTF-8"}},"Headers":[{"Name":"List-Unsubscribe","Value"#,
            r#"":"<https://example.com/u/1>"}]}},"EmailTags":[{"Name":"waxseal-reference","Value":"r-1"}]"#,
            r#","ConfigurationSetName":"news-set"}"#,
        )
    );
    let batch = Batch { messages: &two(), idempotency_key: None };
    assert_eq!(ses().send_batch(batch, at()).unwrap_err(), Unsendable::Count);
}

#[test]
fn amazon_ses_mime() {
    let message = message().with_mime(b"From: a\r\n\r\nb\r\n".to_vec()).unwrap();
    let request = one(&*ses(), &message);
    let body = request.split_once("\n\n").unwrap().1;
    assert_eq!(
        body,
        concat!(
            r#"{"FromEmailAddress":"\"Example News\" <news@example.com>","#,
            r#""Destination":{"ToAddresses":["anna@example.net"]},"#,
            r#""Content":{"Raw":{"Data":"RnJvbTogYQ0KDQpiDQo="}},"#,
            r#""EmailTags":[{"Name":"waxseal-reference","Value":"r-1"}],"#,
            r#""ConfigurationSetName":"news-set"}"#,
        )
    );
}

#[test]
fn postmark() {
    let service = connection(ServiceId::Postmark, &[("message-stream", "broadcast")]);
    let email = |to: &str, reference: &str| {
        [
            r#"{"From":"\"Example News\" <news@example.com>","To":""#,
            to,
            r#"","Subject":"A test","HtmlBody":"<p>Hello</p>","TextBody":"Hello","#,
            r#""ReplyTo":"help@example.com","Metadata":{"waxseal-reference":""#,
            reference,
            r#""},"Headers":[{"Name":"List-Unsubscribe","Value":"<https://example.com/u/1>"}],"#,
            r#""MessageStream":"broadcast"}"#,
        ]
        .concat()
    };
    let head = |path: &str| {
        format!(
            "POST https://api.postmarkapp.com{path}\nAccept: application/json\n\
             Content-Type: application/json\nX-Postmark-Server-Token: (secret) {KEY}\n\n"
        )
    };
    let first = email("anna@example.net", "r-1");
    assert_eq!(one(&*service, &message()), format!("{}{first}", head("/email")));
    let second = email("bob@example.net", "r-2");
    assert_eq!(
        many(&*service, &two(), None),
        format!("{}[{first},{second}]", head("/email/batch"))
    );
}

#[test]
fn sendgrid() {
    let service = connection(ServiceId::SendGrid, &[]);
    let entry = |to: &str, reference: &str| {
        format!(
            r#"{{"to":[{{"email":"{to}"}}],"headers":{{"List-Unsubscribe":"<https://example.com/u/1>"}},"custom_args":{{"waxseal-reference":"{reference}"}}}}"#
        )
    };
    let whole = |entries: &str| {
        [
            &format!(
                "POST https://api.sendgrid.com/v3/mail/send\nAuthorization: (secret) Bearer {KEY}\n\
                 Content-Type: application/json\n\n"
            ),
            r#"{"personalizations":["#,
            entries,
            r#"],"from":{"email":"news@example.com","name":"Example News"},"#,
            r#""reply_to":{"email":"help@example.com"},"subject":"A test","#,
            r#""content":[{"type":"text/plain","value":"Hello"},{"type":"text/html","value":"<p>Hello</p>"}]}"#,
        ]
        .concat()
    };
    let (first, second) = (entry("anna@example.net", "r-1"), entry("bob@example.net", "r-2"));
    assert_eq!(one(&*service, &message()), whole(&first));
    assert_eq!(many(&*service, &two(), None), whole(&format!("{first},{second}")));
    let eu = connection(ServiceId::SendGrid, &[("region", "eu")]);
    assert!(one(&*eu, &message()).starts_with("POST https://api.eu.sendgrid.com/v3/mail/send\n"));
}

/// The parts of a form: the head of the request, and `name=value` lines.
fn parts(request: &str) -> (String, Vec<String>) {
    let (head, body) = request.split_once("\n\n").unwrap();
    let boundary = head.rsplit_once("boundary=").unwrap().1;
    let separator = format!("--{boundary}");
    let mut pieces = body.split(separator.as_str());
    assert_eq!(pieces.next(), Some(""));
    let mut lines: Vec<&str> = pieces.collect();
    assert_eq!(lines.pop(), Some("--\r\n"));
    let line = |piece: &&str| {
        let piece = piece.strip_prefix("\r\nContent-Disposition: form-data; name=\"").unwrap();
        let (head, value) = piece.split_once("\r\n\r\n").unwrap();
        format!("{}={}", head.replace('"', ""), value.strip_suffix("\r\n").unwrap())
    };
    (head.replace(boundary, "B"), lines.iter().map(line).collect())
}

const MAILGUN_HEAD: &str = "Authorization: (secret) Basic YXBpOnNhbXBsZS1rZXktMDEyMzQ1Njc4OQ==\n\
     Content-Type: multipart/form-data; boundary=B";

#[test]
fn mailgun() {
    let service = connection(ServiceId::Mailgun, &[("domain", "mg.example.com"), ("region", "eu")]);
    let message = message()
        .with_inbox_tls(InboxTls::RequireVerified)
        .with_message_id(MessageId::parse("<1@example.com>").unwrap());
    let (head, fields) = parts(&one(&*service, &message));
    assert_eq!(
        head,
        format!("POST https://api.eu.mailgun.net/v3/mg.example.com/messages\n{MAILGUN_HEAD}")
    );
    assert_eq!(
        fields,
        [
            "to=anna@example.net",
            "from=\"Example News\" <news@example.com>",
            "subject=A test",
            "text=Hello",
            "html=<p>Hello</p>",
            "h:Reply-To=help@example.com",
            "h:List-Unsubscribe=<https://example.com/u/1>",
            "h:Message-Id=<1@example.com>",
            "o:require-tls=yes",
            "o:skip-verification=no",
            "v:waxseal-reference=r-1",
        ]
    );
    let required = message.with_inbox_tls(InboxTls::Require);
    let (_, fields) = parts(&one(&*service, &required));
    assert!(fields.contains(&"o:require-tls=yes".to_string()));
    assert!(!fields.iter().any(|field| field.starts_with("o:skip-verification")));
}

#[test]
fn mailgun_insists_for_the_whole_connection_where_a_message_does_not() {
    let settings = [("domain", "mg.example.com"), ("inbox-tls", "require-verified")];
    let service = connection(ServiceId::Mailgun, &settings);
    let insisted = ["o:require-tls=yes", "o:skip-verification=no"].map(str::to_string);
    let options = |wire: &str| {
        let (_, fields) = parts(wire);
        fields.into_iter().filter(|field| field.starts_with("o:")).collect::<Vec<_>>()
    };
    assert_eq!(options(&one(&*service, &message())), insisted);
    let weaker = message().with_inbox_tls(InboxTls::Require);
    assert_eq!(options(&one(&*service, &weaker)), insisted);
    assert_eq!(options(&many(&*service, &two(), None)), insisted);
}

#[test]
fn mailgun_mime() {
    let service = connection(ServiceId::Mailgun, &[("domain", "mg.example.com")]);
    let message = message().with_mime(b"From: a\r\n\r\nb\r\n".to_vec()).unwrap();
    let (head, fields) = parts(&one(&*service, &message));
    assert_eq!(
        head,
        format!("POST https://api.mailgun.net/v3/mg.example.com/messages.mime\n{MAILGUN_HEAD}")
    );
    assert_eq!(
        fields,
        [
            "to=anna@example.net",
            "message; filename=message.mime\r\nContent-Type: application/octet-stream=From: a\r\n\r\nb\r\n",
            "v:waxseal-reference=r-1",
        ]
    );
}

#[test]
fn mailgun_batch() {
    let service = connection(ServiceId::Mailgun, &[("domain", "mg.example.com")]);
    let (_, fields) = parts(&many(&*service, &two(), None));
    assert_eq!(
        fields,
        [
            "to=anna@example.net",
            "to=bob@example.net",
            "from=\"Example News\" <news@example.com>",
            "subject=%recipient.subject%",
            "text=Hello",
            "html=<p>Hello</p>",
            "h:Reply-To=help@example.com",
            "h:List-Unsubscribe=%recipient.header0%",
            "v:waxseal-reference=%recipient.reference%",
            concat!(
                r#"recipient-variables={"anna@example.net":{"subject":"A test","reference":"r-1","#,
                r#""header0":"<https://example.com/u/1>"},"bob@example.net":{"subject":"A test","#,
                r#""reference":"r-2","header0":"<https://example.com/u/1>"}}"#
            ),
        ]
    );
}

#[test]
fn resend() {
    let service = connection(ServiceId::Resend, &[]);
    let email = |to: &str, reference: &str| {
        [
            r#"{"from":"\"Example News\" <news@example.com>","to":[""#,
            to,
            r#""],"subject":"A test","html":"<p>Hello</p>","text":"Hello","reply_to":"help@example.com","#,
            r#""headers":{"List-Unsubscribe":"<https://example.com/u/1>"},"#,
            r#""tags":[{"name":"waxseal-reference","value":""#,
            reference,
            r#""}]}"#,
        ]
        .concat()
    };
    let head = |path: &str| {
        format!(
            "POST https://api.resend.com{path}\nAuthorization: (secret) Bearer {KEY}\n\
             User-Agent: waxseal/0.1.0\nContent-Type: application/json\nIdempotency-Key: k-1\n"
        )
    };
    let keyed = message().with_idempotency_key(IdempotencyKey::parse("k-1").unwrap());
    let (first, second) = (email("anna@example.net", "r-1"), email("bob@example.net", "r-2"));
    assert_eq!(one(&*service, &keyed), format!("{}\n{first}", head("/emails")));
    assert_eq!(
        many(&*service, &two(), Some("k-1")),
        format!("{}x-batch-validation: permissive\n\n[{first},{second}]", head("/emails/batch"))
    );
    assert!(!one(&*service, &message()).contains("Idempotency-Key"));
}

#[test]
fn brevo() {
    let service = connection(ServiceId::Brevo, &[]);
    let key = "7f9c2ba4-e88f-4d1c-a4f3-0f2c7f1e9d11";
    let head = format!(
        "POST https://api.brevo.com/v3/smtp/email\nAccept: application/json\n\
         api-key: (secret) {KEY}\nContent-Type: application/json\n\n"
    );
    let keyed = message().with_idempotency_key(IdempotencyKey::parse(key).unwrap());
    let body = concat!(
        r#"{"sender":{"email":"news@example.com","name":"Example News"},"to":[{"email":"anna@example.net"}],"#,
        r#""replyTo":{"email":"help@example.com"},"subject":"A test","htmlContent":"<p>Hello</p>","#,
        r#""textContent":"Hello","headers":{"List-Unsubscribe":"<https://example.com/u/1>","#,
        r#""X-Mailin-custom":"r-1","idempotencyKey":"7f9c2ba4-e88f-4d1c-a4f3-0f2c7f1e9d11"}}"#,
    );
    assert_eq!(one(&*service, &keyed), format!("{head}{body}"));
    let version = |to: &str, reference: &str| {
        [
            r#"{"to":[{"email":""#,
            to,
            r#""}],"replyTo":{"email":"help@example.com"},"subject":"A test","htmlContent":"<p>Hello</p>","#,
            r#""textContent":"Hello","headers":{"List-Unsubscribe":"<https://example.com/u/1>","#,
            r#""X-Mailin-custom":""#,
            reference,
            r#""}}"#,
        ]
        .concat()
    };
    let batch = [
        r#"{"sender":{"email":"news@example.com","name":"Example News"},"subject":"A test","#,
        r#""htmlContent":"<p>Hello</p>","headers":{"idempotencyKey":""#,
        key,
        r#""},"messageVersions":["#,
        &version("anna@example.net", "r-1"),
        ",",
        &version("bob@example.net", "r-2"),
        "]}",
    ]
    .concat();
    assert_eq!(many(&*service, &two(), Some(key)), format!("{head}{batch}"));
}

#[test]
fn questions_read_and_send_nothing() {
    let domain = DomainName::parse("example.com").unwrap();
    let cases: &[(Box<dyn DeliveryService>, &str, &[&str])] = &[
        (
            ses(),
            "email.eu-west-1.amazonaws.com/v2/email/account",
            &[
                "/v2/email/account",
                "/v2/email/identities/example.com",
                "/v2/email/configuration-sets/news-set",
            ],
        ),
        (
            connection(ServiceId::Postmark, &[]),
            "api.postmarkapp.com/message-streams/outbound",
            &["/server", "/message-streams/outbound"],
        ),
        (
            connection(ServiceId::SendGrid, &[]),
            "api.sendgrid.com/v3/scopes",
            &[
                "/v3/scopes",
                "/v3/user/credits",
                "/v3/whitelabel/domains?domain=example.com",
                "/v3/user/settings/enforced_tls",
            ],
        ),
        (
            connection(ServiceId::Mailgun, &[("domain", "mg.example.com")]),
            "api.mailgun.net/v4/domains/mg.example.com",
            &["/v4/domains/mg.example.com"],
        ),
        (connection(ServiceId::Resend, &[]), "api.resend.com/domains", &["/domains"]),
        (
            connection(ServiceId::Brevo, &[]),
            "api.brevo.com/v3/account",
            &["/v3/account", "/v3/senders/domains"],
        ),
    ];
    for (service, verification, paths) in cases {
        let Verification::Request(request) = service.verification(at()) else {
            panic!("{:?} has a verification", service.id());
        };
        assert_eq!(format!("{}{}", request.host.as_str(), request.path_and_query), *verification);
        let questions = service.account_questions(&domain, at());
        let asked: Vec<&str> =
            questions.iter().map(|question| question.request.path_and_query.as_str()).collect();
        assert_eq!(asked, *paths);
        for request in questions.iter().map(|question| &question.request).chain([&request]) {
            assert_eq!(
                (request.method.as_str(), request.port, request.body.len()),
                ("GET", 443, 0)
            );
        }
    }
    let text = match ses().verification(at()) {
        Verification::Request(request) => wire(&request),
        Verification::OnlyTestSend => String::new(),
    };
    assert!(text.contains("SignedHeaders=host;x-amz-date, Signature=dd2368459eba9f61f7936cec41561ed3c861ab8fe9dfd2919b608940fd196ec0"), "{text}");
}

#[test]
fn a_session_token_is_sent_and_signed() {
    let mut settings = Settings::default();
    for (name, value) in [("region", "eusc-de-east-1"), ("access-key-id", "AKIDEXAMPLE")] {
        settings.plain.insert(name.into(), value.into());
    }
    for name in ["secret-access-key", "session-token"] {
        settings
            .secret
            .insert(name.into(), waxseal_proto::secret::Secret::new(format!("the-{name}")));
    }
    let service = connect(ServiceId::AmazonSes, &settings).unwrap();
    let request = one(&*service, &message());
    assert!(request.starts_with("POST https://email.eusc-de-east-1.amazonaws.eu/"), "{request}");
    assert!(request.contains("\nX-Amz-Security-Token: (secret) the-session-token\n"));
    assert!(request.contains("SignedHeaders=content-type;host;x-amz-date;x-amz-security-token,"));
    assert!(!request.contains("the-secret-access-key"));
}

#[test]
fn settings_cannot_lead_a_request_elsewhere() {
    let refused = |id: ServiceId, plain: &[(&str, &str)], key: &str| {
        let mut settings = Settings::default();
        for (name, value) in plain {
            settings.plain.insert((*name).into(), (*value).into());
        }
        for field in id
            .fields()
            .iter()
            .filter(|field| field.name.contains("key") || field.name.contains("token"))
        {
            if field.is_secret() {
                settings
                    .secret
                    .insert(field.name.into(), waxseal_proto::secret::Secret::new(key.into()));
            }
        }
        connect(id, &settings).err()
    };
    let ses = |region| {
        refused(ServiceId::AmazonSes, &[("region", region), ("access-key-id", "AKID")], KEY)
    };
    assert_eq!(ses("us-gov-west-1"), None);
    for region in
        ["eu-west-1.example.com/", "eu", "EU-WEST-1", "eu-west-1#", "eu-west-1\r\n", "a--1", "1"]
    {
        assert_eq!(ses(region), Some(SettingsError::Invalid("region")), "{region:?}");
    }
    let mailgun = |domain| refused(ServiceId::Mailgun, &[("domain", domain)], KEY);
    assert_eq!(mailgun("mg.example.com"), None);
    for domain in ["mg.example.com/../x", "mg example.com", "a\r\nb.example"] {
        assert_eq!(mailgun(domain), Some(SettingsError::Invalid("domain")), "{domain:?}");
    }
    assert_eq!(mailgun(""), Some(SettingsError::Missing("domain")));
    let stream = refused(ServiceId::Postmark, &[("message-stream", "../servers")], KEY);
    assert_eq!(stream, Some(SettingsError::Invalid("message-stream")));
    let region = refused(ServiceId::SendGrid, &[("region", "mars")], KEY);
    assert_eq!(region, Some(SettingsError::Invalid("region")));
    for key in ["a\r\nX: y", "a b", "ä", "a\u{0}"] {
        assert_eq!(
            refused(ServiceId::Resend, &[], key),
            Some(SettingsError::Invalid("api-key")),
            "{key:?}"
        );
    }
    assert_eq!(refused(ServiceId::Resend, &[], ""), Some(SettingsError::Missing("api-key")));
    assert_eq!(refused(ServiceId::Resend, &[("url", "x")], KEY), Some(SettingsError::Unknown));
    // A key under the name of a plain setting would be shown.
    assert_eq!(refused(ServiceId::Resend, &[("api-key", "x")], KEY), Some(SettingsError::Unknown));
}

#[test]
fn a_tls_demand_that_the_service_cannot_meet_is_refused() {
    let message = message().with_inbox_tls(InboxTls::Require);
    for id in ServiceId::ALL {
        let plain: &[(&str, &str)] = match id {
            ServiceId::AmazonSes => &[("region", "eu-west-1"), ("access-key-id", "AKID")],
            ServiceId::Mailgun => &[("domain", "mg.example.com")],
            ServiceId::Brevo | ServiceId::Postmark | ServiceId::Resend | ServiceId::SendGrid => &[],
        };
        let refused = connection(id, plain).send_one(&message, at()).err();
        let can = id.capabilities().inbox_tls_by_message != InboxTls::ServiceDefault;
        assert_eq!(refused, (!can).then_some(Unsendable::InboxTls), "{id:?}");
    }
}

#[test]
fn what_does_not_fit_one_call_is_refused() {
    let batch = |id: ServiceId, messages: &[Outgoing]| {
        let plain: &[(&str, &str)] =
            if id == ServiceId::Mailgun { &[("domain", "mg.example.com")] } else { &[] };
        connection(id, plain).send_batch(Batch { messages, idempotency_key: None }, at()).err()
    };
    let written = |from: &str, subject: &str, text: &str, html: &str| {
        let parties = Parties {
            from: mailbox(from, ""),
            to: mailbox("carol@example.net", ""),
            reply_to: None,
        };
        let content = Content::new(text, html).unwrap();
        let reference = Reference::parse("r-3").unwrap();
        Outgoing::new(parties, Subject::parse(subject).unwrap(), content, reference)
    };
    for id in [
        ServiceId::Postmark,
        ServiceId::SendGrid,
        ServiceId::Mailgun,
        ServiceId::Resend,
        ServiceId::Brevo,
    ] {
        assert_eq!(batch(id, &[]), Some(Unsendable::Count), "{id:?}");
        let limit = match id.capabilities().batch {
            BatchShape::One => 1,
            BatchShape::ManyDistinct(limit) | BatchShape::ManyPersonalised(limit) => limit,
        };
        let limit = limit.min(BATCH_MESSAGES_MAX);
        let messages: Vec<Outgoing> =
            (0..=limit).map(|number| message_to(&format!("a{number}@example.net"), "r")).collect();
        assert_eq!(batch(id, &messages), Some(Unsendable::Count), "{id:?}");
        assert_eq!(batch(id, &messages[1..]), None, "{id:?}");
    }
    let other = written("other@example.com", "S", "Hello", "<p>Hello</p>");
    let differ = Some(Unsendable::Differ("from or reply-to"));
    assert_eq!(batch(ServiceId::SendGrid, &[message(), other.clone()]), differ);
    assert_eq!(batch(ServiceId::Mailgun, &[message(), other.clone()]), differ);
    assert_eq!(
        batch(ServiceId::Brevo, &[message(), other.clone()]),
        Some(Unsendable::Differ("from"))
    );
    assert_eq!(batch(ServiceId::Postmark, &[message(), other]), None);
    assert_eq!(
        batch(ServiceId::Mailgun, &[message(), message()]),
        Some(Unsendable::RecipientTwice)
    );
    let placeholder = written("a@example.com", "S", "Dear %recipient.name%", "");
    assert_eq!(batch(ServiceId::Mailgun, &[placeholder]), Some(Unsendable::Placeholder));
    let plain = written("a@example.com", "S", "Hello", "");
    assert_eq!(batch(ServiceId::Brevo, &[plain]), Some(Unsendable::HtmlNeeded));
    let large = "x".repeat(4_900_000);
    let large = written("a@example.com", "S", &format!("{large}\u{1}"), &large.replace('x', "\""));
    let refused = connection(ServiceId::Postmark, &[]).send_one(&large, at()).err();
    assert_eq!(refused, Some(Unsendable::TooLarge { max_octets: 10_000_000 }));
}
