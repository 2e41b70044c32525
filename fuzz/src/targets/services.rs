//! What a delivery service answers (RFC 9110 §15): any status, any header, any body.
//!
//! Asserts that every message keeps exactly one fate in its place, and that nothing read from an answer
//! holds the account's key, even when the service echoes it.

use jiff::Timestamp;
use waxseal_proto::name::DomainName;
use waxseal_proto::secret::Secret;
use waxseal_services::account::{AccountState, Topic};
use waxseal_services::address::{EmailAddress, NamedAddress};
use waxseal_services::http::{Completeness, HttpResponse};
use waxseal_services::message::{Content, Outgoing, Parties, Reference, Subject};
use waxseal_services::outcome::ServiceOutcome;
use waxseal_services::service::{DeliveryService, ServiceId, Settings, connect};

const KEY: &str = "canary-key-91b7e0aa52f4";
const TOPICS: [Topic; 4] = [Topic::Account, Topic::Credits, Topic::Domain, Topic::InboxTls];

/// Reads one answer in every way a service can be asked.
pub fn answer(data: &[u8]) {
    let Some((service, response)) = parts(data) else { return };
    let (Some(messages), Ok(domain)) = (messages(), DomainName::parse("example.com")) else {
        return;
    };
    let at = Timestamp::UNIX_EPOCH;
    if let Some(first) = messages.first() {
        judge(&service.read_one(first, &response, at), std::slice::from_ref(first));
    }
    judge(&service.read_batch(&messages, &response, at), &messages);
    hides_the_key(&format!("{:?}", service.read_verification(&response, at)));
    for topic in TOPICS {
        let mut state = AccountState::default();
        service.read_account(&mut state, topic, &response, &domain);
        hides_the_key(&format!("{state:?}"));
    }
}

/// The first octet chooses the service, two are the status, one line is a header, the rest is the body.
fn parts(data: &[u8]) -> Option<(Box<dyn DeliveryService>, HttpResponse)> {
    let (choice, rest) = data.split_first()?;
    let (status, rest) = rest.split_first_chunk::<2>()?;
    let line = rest.iter().position(|octet| *octet == b'\n').unwrap_or(rest.len());
    let (header, body) = rest.split_at(line);
    let header = String::from_utf8_lossy(header);
    let header = header.split_once(':').map(|(name, value)| (name.into(), value.trim().into()));
    let id = *ServiceId::ALL.get(usize::from(*choice) % ServiceId::ALL.len())?;
    let completeness = if choice & 0x80 == 0 { Completeness::Whole } else { Completeness::Cut };
    let body = body.get(1..).unwrap_or_default().to_vec();
    let status = u16::from_be_bytes(*status);
    Some((service(id)?, HttpResponse::new(status, header, body, completeness)))
}

fn service(id: ServiceId) -> Option<Box<dyn DeliveryService>> {
    let mut settings = Settings::default();
    let values =
        [("region", "eu-west-1"), ("access-key-id", "AKIDEXAMPLE"), ("domain", "a.example")];
    for (name, value) in values {
        let field = id.fields().iter().find(|field| field.name == name);
        if field.is_some_and(|field| field.choices.is_empty()) {
            settings.plain.insert(name.into(), value.into());
        }
    }
    let secret = id.fields().iter().find(|field| field.is_secret())?;
    settings.secret.insert(secret.name.into(), Secret::new(KEY.into()));
    connect(id, &settings).ok()
}

fn messages() -> Option<Vec<Outgoing>> {
    let address = |text: &str| EmailAddress::parse(text).map(NamedAddress::bare).ok();
    let message = |to: &str| {
        let parties =
            Parties { from: address("news@example.com")?, to: address(to)?, reply_to: None };
        let content = Content::new("Hello", "<p>Hello</p>").ok()?;
        let subject = Subject::parse("A test").ok()?;
        Some(Outgoing::new(parties, subject, content, Reference::parse("r-1").ok()?))
    };
    ["anna@example.net", "ben@example.net", "cleo@example.net"].into_iter().map(message).collect()
}

fn judge(outcome: &ServiceOutcome, messages: &[Outgoing]) {
    let fates: Vec<&str> = outcome.recipients.iter().map(|each| each.recipient.as_str()).collect();
    let asked: Vec<&str> = messages.iter().map(|each| each.to().address().as_str()).collect();
    assert_eq!(fates, asked, "a message without its fate");
    hides_the_key(&format!("{outcome:?}"));
}

fn hides_the_key(shown: &str) {
    assert!(!shown.contains(KEY), "the key was read from an answer: {shown}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_service_is_reached() {
        for id in ServiceId::ALL {
            assert!(service(id).is_some(), "{id:?}");
        }
        assert_eq!(messages().map(|all| all.len()), Some(3));
    }
}
