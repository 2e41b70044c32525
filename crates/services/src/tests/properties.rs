//! What holds for every input: no answer makes a service panic or lose somebody, no field breaks a header.

use proptest::prelude::*;
use waxseal_proto::name::DomainName;

use crate::account::{AccountState, Topic};
use crate::address::{EmailAddress, NamedAddress};
use crate::fault::FaultText;
use crate::header::{HeaderName, HeaderText};
use crate::http::{Completeness, HttpResponse};
use crate::limits::FAULT_TEXT_CHARS_MAX;
use crate::message::{MessageId, Subject};
use crate::outcome::Fate;
use crate::presets;
use crate::samples::{KEY, at, connection, message, message_to};
use crate::service::{DeliveryService, ServiceId};

fn services() -> Vec<Box<dyn DeliveryService>> {
    let plain = |id| -> &[(&str, &str)] {
        match id {
            ServiceId::AmazonSes => &[("region", "eu-west-1"), ("access-key-id", "AKIDEXAMPLE")],
            ServiceId::Mailgun => &[("domain", "mg.example.com")],
            ServiceId::Brevo | ServiceId::Postmark | ServiceId::Resend | ServiceId::SendGrid => &[],
        }
    };
    ServiceId::ALL.into_iter().map(|id| connection(id, plain(id))).collect()
}

/// Bodies that get far: JSON with the words of the services, cut anywhere.
fn body() -> impl Strategy<Value = Vec<u8>> {
    let word = prop::sample::select(vec![
        "MessageId",
        "MessageID",
        "ErrorCode",
        "Message",
        "message",
        "id",
        "data",
        "errors",
        "index",
        "messageIds",
        "name",
        "code",
        "scopes",
        "domain",
        "state",
        "plan",
        "credits",
        "relay",
        "SendQuota",
        "Max24HourSend",
        KEY,
    ]);
    let value = prop_oneof![
        Just("null".to_string()),
        Just("[]".to_string()),
        Just("{}".to_string()),
        Just("[{}]".to_string()),
        Just("1e400".to_string()),
        any::<i64>().prop_map(|number| number.to_string()),
        any::<f64>().prop_map(|number| number.to_string()),
        ".{0,40}".prop_map(|text| serde_json::Value::String(text).to_string()),
        Just(format!("\"{KEY}\"")),
    ];
    let object = prop::collection::vec((word, value), 0..6).prop_map(|fields| {
        let fields: Vec<String> =
            fields.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
        format!("{{{}}}", fields.join(","))
    });
    let json = prop_oneof![
        object.clone(),
        prop::collection::vec(object, 0..4).prop_map(|objects| format!("[{}]", objects.join(",")))
    ];
    let cut = (json, any::<prop::sample::Index>(), any::<bool>()).prop_map(|(json, at, whole)| {
        let bytes = json.into_bytes();
        if whole { bytes } else { bytes[..at.index(bytes.len())].to_vec() }
    });
    prop_oneof![cut, prop::collection::vec(any::<u8>(), 0..200)]
}

fn response() -> impl Strategy<Value = HttpResponse> {
    let status = prop_oneof![
        prop::sample::select(vec![200_u16, 201, 202, 400, 401, 403, 404, 422, 429, 500]),
        any::<u16>()
    ];
    let header = (
        prop::sample::select(vec![
            "retry-after",
            "x-message-id",
            "x-amzn-errortype",
            "ratelimit-reset",
        ]),
        ".{0,40}",
    );
    (status, prop::collection::vec(header, 0..3), body()).prop_map(|(status, headers, body)| {
        let headers = headers.into_iter().map(|(name, value)| (name.to_string(), value));
        HttpResponse::new(status, headers, body, Completeness::Whole)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn no_answer_panics_or_loses_anybody(response in response()) {
        let messages = [message(), message_to("bob@example.net", "r-2")];
        let domain = DomainName::parse("example.com").unwrap();
        for service in services() {
            let one = service.read_one(&messages[0], &response, at());
            let many = service.read_batch(&messages, &response, at());
            prop_assert_eq!((one.recipients.len(), many.recipients.len()), (1, 2));
            for outcome in [&one, &many] {
                for entry in &outcome.recipients {
                    if matches!(entry.fate, Fate::Accepted { .. }) {
                        prop_assert!((200..300).contains(&response.status()));
                    }
                }
                let text = format!("{outcome:?}");
                prop_assert!(!text.contains(KEY), "{}", text);
            }
            let verified = service.read_verification(&response, at());
            let text = format!("{verified:?}");
            prop_assert!(!text.contains(KEY), "{}", text);
            for topic in [Topic::Account, Topic::Credits, Topic::Domain, Topic::InboxTls] {
                let mut state = AccountState::default();
                service.read_account(&mut state, topic, &response, &domain);
            }
        }
    }

    #[test]
    fn a_fault_text_is_one_bounded_line(said in "(?s).{0,800}") {
        if let Some(text) = FaultText::clean(&said, &[KEY]) {
            prop_assert!(text.as_str().chars().count() <= FAULT_TEXT_CHARS_MAX);
            prop_assert!(!text.as_str().chars().any(char::is_control));
        }
    }

    #[test]
    fn no_accepted_field_holds_a_line_end(text in "(?s).{0,60}", end in prop::sample::select(vec!["\r\n", "\n", "\r", "\u{85}", "\u{2028}", "\u{2029}", "\u{b}", "\u{c}", "\0"])) {
        let address = EmailAddress::parse("a@example.com").unwrap();
        let broken = format!("{text}{end}Bcc: b@example.net");
        prop_assert!(EmailAddress::parse(&broken).is_err());
        prop_assert!(NamedAddress::new(address.clone(), &broken).is_err());
        prop_assert!(Subject::parse(&broken).is_err());
        prop_assert!(HeaderName::parse(&broken).is_err());
        prop_assert!(HeaderText::parse(&broken).is_err());
        prop_assert!(MessageId::parse(&broken).is_err());
        // What is accepted stays on one line in every form.
        if let Ok(mailbox) = NamedAddress::new(address, &text) {
            for header in [mailbox.to_header(), mailbox.to_ascii_header()] {
                prop_assert!(!header.contains(['\r', '\n']));
            }
            prop_assert!(mailbox.to_ascii_header().is_ascii());
        }
    }

    #[test]
    fn no_host_panics(host in "(?s).{0,60}") {
        let _ = presets::for_host(&host).count();
        let _ = presets::for_presented_name(&host).count();
    }
}
