//! Composes a message (RFC 5322 §3.6, RFC 2046 §5.1.4): From, To, Subject, Date, Message-ID, and the text as
//! plain text and HTML. The same input gives the same octets. The ways in are [`compose`] and
//! [`test_message`]. Keep: every value of a header has a type that cannot hold a line end, and both parts
//! are quoted-printable, so that the boundary cannot occur in them.

use jiff::Timestamp;
use waxseal_proto::name::{DomainName, MailDomain};
use waxseal_proto::smtp::{MessageData, MessageError};

use crate::header::{Address, HeaderText, address_field, text_field};
use crate::limits::BODY_OCTETS_MAX;
use crate::quoted_printable;

/// Sixteen fresh random octets: boundary and Message-ID come from them. Never used for two messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seed(pub [u8; 16]);

/// The identifier of a message, angle brackets left out (RFC 5322 §3.6.4).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct MessageId(String);

/// What a message is made of.
#[derive(Clone, Debug)]
pub struct Draft {
    /// From.
    pub from: Address,
    /// To.
    pub to: Address,
    /// Subject.
    pub subject: HeaderText,
    /// The body as plain text.
    pub text: String,
    /// The body as HTML.
    pub html: String,
}

/// A composed message.
#[derive(Clone, Debug)]
pub struct Composed {
    /// Its identifier.
    pub message_id: MessageId,
    /// Its octets.
    pub data: MessageData,
}

/// Why no message could be composed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ComposeError {
    /// A body part is too large.
    #[error("a body part is larger than {BODY_OCTETS_MAX} octets")]
    BodyTooLarge,
    /// The octets are no message that can travel.
    #[error("the composed message cannot travel")]
    Message(#[source] MessageError),
}

impl Seed {
    fn hex(self) -> String {
        format!("{:032x}", u128::from_be_bytes(self.0))
    }
}

impl MessageId {
    /// The identifier of a message from this sender.
    pub fn new(seed: Seed, sender: &MailDomain) -> Self {
        let domain = sender.name().map_or("localhost.invalid", DomainName::as_str);
        Self(format!("{}@{domain}", seed.hex()))
    }

    /// The identifier, without angle brackets.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Composes a message; `written` becomes its Date.
///
/// # Errors
///
/// A body part that is too large, or a result that cannot travel.
pub fn compose(draft: &Draft, written: Timestamp, seed: Seed) -> Result<Composed, ComposeError> {
    if draft.text.len().max(draft.html.len()) > BODY_OCTETS_MAX {
        return Err(ComposeError::BodyTooLarge);
    }
    let message_id = MessageId::new(seed, draft.from.mailbox.domain());
    // RFC 2046 §5.1.1; "=_" cannot occur in quoted-printable.
    let boundary = format!("=_{}", seed.hex());
    let part = |kind: &str, body: &str| {
        format!(
            "--{boundary}\r\nContent-Type: text/{kind}; charset=utf-8\r\n\
             Content-Transfer-Encoding: quoted-printable\r\n\r\n{}",
            quoted_printable::encode(body)
        )
    };
    let whole = [
        address_field("From", &draft.from),
        address_field("To", &draft.to),
        text_field("Subject", &draft.subject),
        format!("Date: {}\r\n", written.strftime("%a, %d %b %Y %H:%M:%S +0000")),
        format!("Message-ID: <{}>\r\n", message_id.as_str()),
        "MIME-Version: 1.0\r\n".to_owned(),
        format!("Content-Type: multipart/alternative;\r\n boundary=\"{boundary}\"\r\n\r\n"),
        part("plain", &draft.text),
        part("html", &draft.html),
        format!("--{boundary}--\r\n"),
    ];
    let data = MessageData::new(whole.concat().into_bytes()).map_err(ComposeError::Message)?;
    Ok(Composed { message_id, data })
}

/// The message of a test send: it says what it is, and carries its identifier for the search in a mailbox.
pub fn test_draft(from: Address, to: Address, subject: HeaderText, seed: Seed) -> Draft {
    let id = seed.hex();
    let lines = [
        "This is a test message from Waxseal.".to_owned(),
        "Somebody asked Waxseal to test a connection to a delivery service by sending one real email \
         to this address. Nothing has to be done with it."
            .to_owned(),
        format!("Test: {id}"),
    ];
    let text = lines.join("\n\n");
    let html = format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Test message</title>\
         </head><body>\n{}</body></html>\n",
        lines.map(|line| format!("<p>{line}</p>\n")).concat()
    );
    Draft { from, to, subject, text, html }
}

/// Composes the message of a test send.
///
/// # Errors
///
/// As [`compose`].
pub fn test_message(
    from: Address,
    to: Address,
    subject: HeaderText,
    (date, seed): (Timestamp, Seed),
) -> Result<Composed, ComposeError> {
    compose(&test_draft(from, to, subject, seed), date, seed)
}

#[cfg(test)]
mod tests {
    use super::{ComposeError, Draft, Seed, compose, test_message};
    use crate::header::{Address, HeaderText};
    use crate::limits::BODY_OCTETS_MAX;
    use jiff::Timestamp;
    use proptest::prelude::*;
    use waxseal_proto::name::Mailbox;

    const SEED: Seed = Seed([0xab; 16]);

    fn address(text: &str) -> Address {
        Address::bare(Mailbox::parse(text).unwrap())
    }

    fn date() -> Timestamp {
        "2026-02-03T04:05:06Z".parse().unwrap()
    }

    fn draft(text: &str) -> Draft {
        Draft {
            from: address("a@example.com"),
            to: address("b@example.net"),
            subject: HeaderText::parse("Hello").unwrap(),
            text: text.to_owned(),
            html: text.to_owned(),
        }
    }

    #[test]
    fn a_message_has_each_field_once_and_two_parts() {
        let composed = compose(&draft("hi"), date(), SEED).unwrap();
        let id = "ab".repeat(16);
        let part = |kind: &str| {
            format!(
                "--=_{id}\r\nContent-Type: text/{kind}; charset=utf-8\r\n\
                 Content-Transfer-Encoding: quoted-printable\r\n\r\nhi\r\n"
            )
        };
        let expected = format!(
            "From: a@example.com\r\nTo: b@example.net\r\nSubject: Hello\r\n\
             Date: Tue, 03 Feb 2026 04:05:06 +0000\r\nMessage-ID: <{id}@example.com>\r\n\
             MIME-Version: 1.0\r\nContent-Type: multipart/alternative;\r\n boundary=\"=_{id}\"\r\n\r\n\
             {}{}--=_{id}--\r\n",
            part("plain"),
            part("html")
        );
        assert_eq!(String::from_utf8_lossy(composed.data.as_bytes()), expected);
        assert_eq!(composed.message_id.as_str(), format!("{id}@example.com"));
        let again = compose(&draft("hi"), date(), SEED).unwrap();
        assert_eq!(again.data, composed.data);
    }

    #[test]
    fn a_test_message_says_what_it_is_and_needs_no_extension() {
        let subject = HeaderText::parse("Pr\u{fc}fung").unwrap();
        let (from, to) = (address("a@example.com"), address("b@example.net"));
        let composed = test_message(from, to, subject, (date(), SEED)).unwrap();
        let text = String::from_utf8_lossy(composed.data.as_bytes()).into_owned();
        assert!(
            text.contains("This is a test message from Waxseal.") && text.contains("<p>Test: ab")
        );
        assert!(!composed.data.needs_8bitmime() && !composed.data.needs_smtputf8());
        let from = address("\u{fc}@example.com");
        let subject = HeaderText::parse("a").unwrap();
        let composed =
            test_message(from, address("b@example.net"), subject, (date(), SEED)).unwrap();
        assert!(composed.data.needs_smtputf8());
    }

    #[test]
    fn a_body_over_its_limit_is_refused() {
        let error = compose(&draft(&"a".repeat(BODY_OCTETS_MAX + 1)), date(), SEED).unwrap_err();
        assert_eq!(error, ComposeError::BodyTooLarge);
    }

    proptest! {
        #[test]
        fn no_body_ends_its_part_or_adds_a_field(text in "[\\PC\r\n\0.=_-]{0,200}") {
            let composed = compose(&draft(&text), date(), SEED).unwrap();
            let octets = String::from_utf8(composed.data.as_bytes().to_vec()).unwrap();
            let (header, _) = octets.split_once("\r\n\r\n").unwrap();
            prop_assert_eq!(header.lines().count(), 8);
            let boundary = format!("--=_{}", "ab".repeat(16));
            prop_assert_eq!(octets.matches(&boundary).count(), 3);
        }
    }
}
