//! Header names and values of a message (RFC 5322 §2.2), safe by type: nothing with a line end can be made.
//!
//! The ways in are [`HeaderName::parse`] and [`HeaderText::parse`]. Folding and encoding are the business
//! of whoever writes MIME; services take the plain text. Invariant: no constructor but those that check.

use crate::limits::{HEADER_NAME_OCTETS_MAX, HEADER_VALUE_OCTETS_MAX};

/// Why a text cannot stand in a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// A line end, another control character or a Unicode line or paragraph separator.
    #[error("line end or control character at octet {position}")]
    Control {
        /// The octet at which it stands, from 0.
        position: usize,
    },
    /// Nothing in it.
    #[error("empty text")]
    Empty,
    /// Over the limit.
    #[error("text longer than {max_octets} octets")]
    TooLong {
        /// The limit.
        max_octets: usize,
    },
    /// A character that a header's name may not hold (RFC 5322 §2.2).
    #[error("character not allowed in a header name at octet {position}")]
    NameCharacter {
        /// The octet at which it stands, from 0.
        position: usize,
    },
    /// The header belongs to the message's own fields or to the service.
    #[error("header that may not be set by hand")]
    Reserved,
}

/// Checks that `text` is one line of at most `max_octets`, and returns it unchanged.
pub(crate) fn one_line(text: &str, max_octets: usize) -> Result<String, TextError> {
    if text.len() > max_octets {
        return Err(TextError::TooLong { max_octets });
    }
    match text.char_indices().find(|(_, each)| breaks_line(*each)) {
        Some((position, _)) => Err(TextError::Control { position }),
        None => Ok(text.to_string()),
    }
}

/// Control characters, and what some readers take for a line end.
fn breaks_line(character: char) -> bool {
    character.is_control() || matches!(character, '\u{2028}' | '\u{2029}')
}

/// Names that the message's own fields, the MIME writer or a service set. The list joins RFC 5322's
/// originator, destination and trace fields with the names that SendGrid reserves, so that one message
/// fits every service.
const RESERVED: &[&str] = &[
    "bcc",
    "cc",
    "content-disposition",
    "content-id",
    "content-transfer-encoding",
    "content-type",
    "date",
    "dkim-signature",
    "from",
    "idempotencykey",
    "message-id",
    "mime-version",
    "received",
    "reply-to",
    "resend-idempotency-key",
    "return-path",
    "sender",
    "subject",
    "to",
    "x-pm-message-stream",
    "x-sg-eid",
    "x-sg-id",
];

/// The name of a custom header: printable ASCII without the colon, at most 126 octets, none that the message
/// or the service owns.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HeaderName(String);

impl HeaderName {
    /// Parses a name.
    ///
    /// # Errors
    ///
    /// [`TextError`] when it is empty, too long, holds a character that no name may, or is reserved.
    pub fn parse(text: &str) -> Result<Self, TextError> {
        if text.is_empty() {
            return Err(TextError::Empty);
        }
        if text.len() > HEADER_NAME_OCTETS_MAX {
            return Err(TextError::TooLong { max_octets: HEADER_NAME_OCTETS_MAX });
        }
        let bad = |octet: &u8| !octet.is_ascii_alphanumeric() && !b"-_".contains(octet);
        if let Some(position) = text.bytes().position(|octet| bad(&octet)) {
            return Err(TextError::NameCharacter { position });
        }
        if RESERVED.contains(&text.to_ascii_lowercase().as_str()) {
            return Err(TextError::Reserved);
        }
        Ok(Self(text.to_string()))
    }

    /// The name as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The value of a custom header: one line of at most 995 octets.
///
/// ASCII only. Brevo is reported to damage the rest, and no header that a sender needs by hand has any.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HeaderText(String);

impl HeaderText {
    /// Parses a value.
    ///
    /// # Errors
    ///
    /// [`TextError`] when it is empty, too long, or holds a line end, a control character or a character
    /// outside ASCII.
    pub fn parse(text: &str) -> Result<Self, TextError> {
        if text.trim().is_empty() {
            return Err(TextError::Empty);
        }
        let bad = |octet: &u8| !(0x20..0x7f).contains(octet);
        if let Some(position) = text.bytes().position(|octet| bad(&octet)) {
            return Err(TextError::Control { position });
        }
        one_line(text, HEADER_VALUE_OCTETS_MAX).map(Self)
    }

    /// The value.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_hold_no_line_end_and_are_not_reserved() {
        for good in ["X-Mailer", "List-Unsubscribe", "List-Unsubscribe-Post", "X_A"] {
            assert_eq!(HeaderName::parse(good).unwrap().as_str(), good);
        }
        let bad = [
            "",
            "X-A:",
            "X A",
            "X-A\r\nBcc",
            "X-Ä",
            "X\u{0}",
            "To",
            "bCC",
            "Message-ID",
            "X-SG-EID",
        ];
        for text in bad {
            assert!(HeaderName::parse(text).is_err(), "{text:?}");
        }
        assert!(HeaderName::parse(&"x".repeat(127)).is_err());
    }

    #[test]
    fn values_are_one_line() {
        assert_eq!(
            HeaderText::parse("<https://example.com/u>").unwrap().as_str(),
            "<https://example.com/u>"
        );
        for text in
            ["", "  ", "a\r\nBcc: b@example.com", "a\nb", "a\rb", "a\u{0}", "ä", "a\tb", "a\u{7f}"]
        {
            assert!(HeaderText::parse(text).is_err(), "{text:?}");
        }
        assert!(HeaderText::parse(&"x".repeat(996)).is_err());
        assert!(HeaderText::parse(&"x".repeat(995)).is_ok());
    }
}
