//! One message to one recipient, typed, as the delivery services take it (RFC 5322 §3.6 for its fields).
//!
//! Nothing here writes MIME: a rendered message may be attached ([`Outgoing::with_mime`]) for services that
//! take it. The way in is [`Outgoing::new`]. Invariants: exactly one recipient, so that nobody sees another's
//! address; no field holds a line end but the bodies and the MIME form; every header name at most once.

use crate::address::NamedAddress;
use crate::header::{HeaderName, HeaderText, TextError, one_line};
use crate::limits::{
    BODY_OCTETS_MAX, HEADERS_MAX, IDEMPOTENCY_KEY_OCTETS_MAX, MESSAGE_ID_OCTETS_MAX,
    MIME_OCTETS_MAX, REFERENCE_OCTETS_MAX, SUBJECT_OCTETS_MAX,
};

/// Why a message cannot be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MessageError {
    /// The subject is empty, too long or not one line.
    #[error("bad subject")]
    Subject(#[source] TextError),
    /// Neither text nor HTML, or only white space.
    #[error("message without a body")]
    NoBody,
    /// A body or the MIME form over its limit.
    #[error("message part longer than {max_octets} octets")]
    TooLarge {
        /// The limit.
        max_octets: usize,
    },
    /// Over 15 custom headers.
    #[error("more than {HEADERS_MAX} custom headers")]
    TooManyHeaders,
    /// The same header twice.
    #[error("custom header given twice")]
    HeaderTwice,
    /// Not `<left@right>` in visible ASCII.
    #[error("bad message id")]
    MessageId,
    /// Not 1 to 64 of ASCII letters, digits, hyphen and underscore.
    #[error("bad reference")]
    Reference,
    /// Not 1 to 256 of visible ASCII.
    #[error("bad idempotency key")]
    IdempotencyKey,
}

/// A subject: one line, up to 2,000 octets, not empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject(String);

impl Subject {
    /// Parses a subject.
    ///
    /// # Errors
    ///
    /// [`MessageError::Subject`].
    pub fn parse(text: &str) -> Result<Self, MessageError> {
        if text.trim().is_empty() {
            return Err(MessageError::Subject(TextError::Empty));
        }
        one_line(text, SUBJECT_OCTETS_MAX).map(Self).map_err(MessageError::Subject)
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The bodies of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    text: Option<String>,
    html: Option<String>,
}

impl Content {
    /// Text, HTML or both. An empty one counts as absent.
    ///
    /// # Errors
    ///
    /// [`MessageError::NoBody`] or [`MessageError::TooLarge`].
    pub fn new(text: &str, html: &str) -> Result<Self, MessageError> {
        if text.len() > BODY_OCTETS_MAX || html.len() > BODY_OCTETS_MAX {
            return Err(MessageError::TooLarge { max_octets: BODY_OCTETS_MAX });
        }
        let kept = |body: &str| Some(body.to_string()).filter(|body| !body.trim().is_empty());
        let content = Self { text: kept(text), html: kept(html) };
        match content {
            Self { text: None, html: None } => Err(MessageError::NoBody),
            Self { .. } => Ok(content),
        }
    }

    /// The text form.
    pub fn text(&self) -> Option<&str> {
        self.text.as_deref()
    }

    /// The HTML form.
    pub fn html(&self) -> Option<&str> {
        self.html.as_deref()
    }
}

/// A message id with its angle brackets (RFC 5322 §3.6.4), without comments or quoting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageId(String);

impl MessageId {
    /// Parses `<left@right>`.
    ///
    /// # Errors
    ///
    /// [`MessageError::MessageId`].
    pub fn parse(text: &str) -> Result<Self, MessageError> {
        let inner = text.strip_prefix('<').and_then(|rest| rest.strip_suffix('>'));
        let sides = inner.and_then(|inner| inner.split_once('@'));
        let atom = |part: &str| {
            !part.is_empty()
                && part
                    .bytes()
                    .all(|each| each.is_ascii_graphic() && !b"<>@\"(),:;[]\\".contains(&each))
        };
        match sides {
            Some((left, right))
                if atom(left) && atom(right) && text.len() <= MESSAGE_ID_OCTETS_MAX =>
            {
                Ok(Self(text.to_string()))
            }
            Some(_) | None => Err(MessageError::MessageId),
        }
    }

    /// The id with its brackets.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Our own name for one message, which comes back in the service's events: 1 to 64 of ASCII letters,
/// digits, hyphen and underscore, the set that all six services take.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Reference(String);

impl Reference {
    /// Parses a reference.
    ///
    /// # Errors
    ///
    /// [`MessageError::Reference`].
    pub fn parse(text: &str) -> Result<Self, MessageError> {
        let fits = (1..=REFERENCE_OCTETS_MAX).contains(&text.len());
        let plain = text.bytes().all(|each| each.is_ascii_alphanumeric() || b"-_".contains(&each));
        if fits && plain { Ok(Self(text.to_string())) } else { Err(MessageError::Reference) }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A key by which a service recognises a repeated request: 1 to 256 of visible ASCII.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    /// Parses a key. Brevo asks for a UUID, so a UUID fits everywhere.
    ///
    /// # Errors
    ///
    /// [`MessageError::IdempotencyKey`].
    pub fn parse(text: &str) -> Result<Self, MessageError> {
        let fits = (1..=IDEMPOTENCY_KEY_OCTETS_MAX).contains(&text.len());
        if fits && text.bytes().all(|each| each.is_ascii_graphic()) {
            Ok(Self(text.to_string()))
        } else {
            Err(MessageError::IdempotencyKey)
        }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What the service shall insist on towards the recipient's mail server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InboxTls {
    /// TLS, or no delivery.
    Require,
    /// TLS with a verified certificate, or no delivery.
    RequireVerified,
    /// Whatever the account is set to.
    ServiceDefault,
}

/// One message to one recipient.
#[derive(Clone, Debug)]
pub struct Outgoing {
    from: NamedAddress,
    to: NamedAddress,
    reply_to: Option<NamedAddress>,
    subject: Subject,
    content: Content,
    headers: Vec<(HeaderName, HeaderText)>,
    reference: Reference,
    message_id: Option<MessageId>,
    mime: Option<Vec<u8>>,
    idempotency_key: Option<IdempotencyKey>,
    inbox_tls: InboxTls,
}

/// Who writes to whom.
#[derive(Clone, Debug)]
pub struct Parties {
    /// The author.
    pub from: NamedAddress,
    /// The one recipient.
    pub to: NamedAddress,
    /// Where answers go, if not to the author.
    pub reply_to: Option<NamedAddress>,
}

impl Outgoing {
    /// A message with nothing but what every message has.
    pub fn new(parties: Parties, subject: Subject, content: Content, reference: Reference) -> Self {
        let Parties { from, to, reply_to } = parties;
        Self {
            from,
            to,
            reply_to,
            subject,
            content,
            headers: Vec::new(),
            reference,
            message_id: None,
            mime: None,
            idempotency_key: None,
            inbox_tls: InboxTls::ServiceDefault,
        }
    }

    /// Adds a custom header.
    ///
    /// # Errors
    ///
    /// [`MessageError::HeaderTwice`] or [`MessageError::TooManyHeaders`].
    pub fn with_header(
        mut self,
        name: HeaderName,
        value: HeaderText,
    ) -> Result<Self, MessageError> {
        if self.headers.len() >= HEADERS_MAX {
            return Err(MessageError::TooManyHeaders);
        }
        let same = |(each, _): &(HeaderName, HeaderText)| {
            each.as_str().eq_ignore_ascii_case(name.as_str())
        };
        if self.headers.iter().any(same) {
            return Err(MessageError::HeaderTwice);
        }
        self.headers.push((name, value));
        Ok(self)
    }

    /// Sets the Message-ID; several services replace it by their own
    /// ([`crate::service::Capabilities::message_id`]).
    #[must_use]
    pub fn with_message_id(mut self, id: MessageId) -> Self {
        self.message_id = Some(id);
        self
    }

    /// Attaches the whole message in MIME form, to be used instead of the fields where the service takes it.
    ///
    /// # Errors
    ///
    /// [`MessageError::TooLarge`] over 25 MB, [`MessageError::NoBody`] when it is empty.
    pub fn with_mime(mut self, mime: Vec<u8>) -> Result<Self, MessageError> {
        if mime.is_empty() {
            return Err(MessageError::NoBody);
        }
        if mime.len() > MIME_OCTETS_MAX {
            return Err(MessageError::TooLarge { max_octets: MIME_OCTETS_MAX });
        }
        self.mime = Some(mime);
        Ok(self)
    }

    /// Sets the key by which the service recognises a repetition.
    #[must_use]
    pub fn with_idempotency_key(mut self, key: IdempotencyKey) -> Self {
        self.idempotency_key = Some(key);
        self
    }

    /// Sets what the service shall insist on towards the inbox.
    #[must_use]
    pub const fn with_inbox_tls(mut self, inbox_tls: InboxTls) -> Self {
        self.inbox_tls = inbox_tls;
        self
    }

    /// The author.
    pub const fn from(&self) -> &NamedAddress {
        &self.from
    }

    /// The recipient.
    pub const fn to(&self) -> &NamedAddress {
        &self.to
    }

    /// Where answers go.
    pub const fn reply_to(&self) -> Option<&NamedAddress> {
        self.reply_to.as_ref()
    }

    /// The subject.
    pub fn subject(&self) -> &str {
        self.subject.as_str()
    }

    /// The bodies.
    pub const fn content(&self) -> &Content {
        &self.content
    }

    /// Custom headers in the order in which they were added.
    pub fn headers(&self) -> impl ExactSizeIterator<Item = (&str, &str)> + Clone {
        self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Our own name for it.
    pub fn reference(&self) -> &str {
        self.reference.as_str()
    }

    /// The Message-ID, with brackets.
    pub fn message_id(&self) -> Option<&str> {
        self.message_id.as_ref().map(MessageId::as_str)
    }

    /// The MIME form.
    pub fn mime(&self) -> Option<&[u8]> {
        self.mime.as_deref()
    }

    /// The idempotency key.
    pub fn idempotency_key(&self) -> Option<&str> {
        self.idempotency_key.as_ref().map(IdempotencyKey::as_str)
    }

    /// What the service shall insist on towards the inbox.
    pub const fn inbox_tls(&self) -> InboxTls {
        self.inbox_tls
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn single_line_fields_refuse_line_ends() {
        for bad in ["", " ", "a\r\nBcc: b@example.com", "a\nb", "a\rb", "a\u{0}", "a\u{2029}b"] {
            assert!(Subject::parse(bad).is_err(), "{bad:?}");
            assert!(MessageId::parse(&format!("<{bad}@example.com>")).is_err(), "{bad:?}");
            assert!(Reference::parse(bad).is_err(), "{bad:?}");
            assert!(IdempotencyKey::parse(bad).is_err(), "{bad:?}");
        }
        assert!(Subject::parse(&"x".repeat(SUBJECT_OCTETS_MAX + 1)).is_err());
        assert!(Reference::parse(&"x".repeat(REFERENCE_OCTETS_MAX + 1)).is_err());
        assert!(IdempotencyKey::parse(&"x".repeat(IDEMPOTENCY_KEY_OCTETS_MAX + 1)).is_err());
        assert_eq!(Subject::parse("Grüße").unwrap().as_str(), "Grüße");
        for bad in ["a@b", "<a>", "<a@b> <c@d>", "<@b>", "<a@>", "<a@b@c>"] {
            assert!(MessageId::parse(bad).is_err(), "{bad:?}");
        }
        assert!(MessageId::parse("<1.2@example.com>").is_ok());
    }

    #[test]
    fn a_body_is_needed_and_bounded() {
        assert_eq!(Content::new(" \n", ""), Err(MessageError::NoBody));
        assert!(Content::new(&"x".repeat(BODY_OCTETS_MAX + 1), "").is_err());
        let content = Content::new("", "<p>a</p>").unwrap();
        assert_eq!((content.text(), content.html()), (None, Some("<p>a</p>")));
    }

    #[test]
    fn headers_are_few_and_different() {
        let mut message = crate::samples::message();
        let value = HeaderText::parse("1").unwrap();
        let name = |text: &str| HeaderName::parse(text).unwrap();
        message = message.with_header(name("X-A"), value.clone()).unwrap();
        let twice = message.clone().with_header(name("x-a"), value.clone());
        assert_eq!(twice.unwrap_err(), MessageError::HeaderTwice);
        let already = message.headers().len();
        for number in already..HEADERS_MAX {
            message = message.with_header(name(&format!("X-{number}")), value.clone()).unwrap();
        }
        let over = message.clone().with_header(name("X-Last"), value);
        assert_eq!(over.unwrap_err(), MessageError::TooManyHeaders);
        assert!(message.clone().with_mime(Vec::new()).is_err());
        assert!(message.with_mime(vec![b'x'; MIME_OCTETS_MAX + 1]).is_err());
    }
}
