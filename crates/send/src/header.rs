//! Header fields of composed messages (RFC 5322 §2.2, §3.4; RFC 2047): text without line ends by type,
//! folding, encoded words. The ways in are [`HeaderText::parse`] and [`Address`]. Keep: no constructor but
//! those that check, so that no value can begin another field.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use waxseal_proto::name::Mailbox;

use crate::limits::{ENCODED_WORD_OCTETS_MAX, HEADER_LINE_OCTETS_AIM, HEADER_TEXT_OCTETS_MAX};

/// One line of text: a subject or a display name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeaderText(String);

/// Why a text cannot stand in a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeaderTextError {
    /// A line end, another control character or a Unicode line or paragraph separator.
    #[error("line end or control character at octet {position}")]
    Control {
        /// The octet at which it stands, from 0.
        position: usize,
    },
    /// Nothing but spaces.
    #[error("empty text")]
    Empty,
    /// Too long.
    #[error("text longer than {HEADER_TEXT_OCTETS_MAX} octets")]
    TooLong,
}

/// A mailbox with an optional display name, as From and To show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// The display name.
    pub name: Option<HeaderText>,
    /// The address.
    pub mailbox: Mailbox,
}

impl HeaderText {
    /// Takes one line of text; spaces around it are dropped.
    ///
    /// # Errors
    ///
    /// [`HeaderTextError`] when it is empty, too long or holds a control character.
    pub fn parse(text: &str) -> Result<Self, HeaderTextError> {
        let bad = |letter: char| letter.is_control() || matches!(letter, '\u{2028}' | '\u{2029}');
        if let Some((position, _)) = text.char_indices().find(|(_, letter)| bad(*letter)) {
            return Err(HeaderTextError::Control { position });
        }
        let text = text.trim();
        if text.is_empty() {
            return Err(HeaderTextError::Empty);
        }
        if text.len() > HEADER_TEXT_OCTETS_MAX {
            return Err(HeaderTextError::TooLong);
        }
        Ok(Self(text.to_owned()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The field body of unstructured text: as it is where it survives, else in encoded words.
    fn unstructured(&self) -> String {
        if self.survives_unencoded() { self.0.clone() } else { encoded_words(&self.0) }
    }

    /// RFC 5322 §3.2.5: a phrase, quoted where it must be.
    fn phrase(&self) -> String {
        if !self.survives_unencoded() {
            return encoded_words(&self.0);
        }
        let is_plain = |letter: char| {
            letter.is_ascii_alphanumeric() || " !#$%&'*+-/=?^_`{|}~".contains(letter)
        };
        if self.0.chars().all(is_plain) {
            return self.0.clone();
        }
        format!("\"{}\"", self.0.replace('\\', "\\\\").replace('"', "\\\""))
    }

    /// Whether the text reads the same after folding at its spaces: ASCII, single spaces, short words,
    /// and nothing that looks like an encoded word.
    fn survives_unencoded(&self) -> bool {
        self.0.is_ascii()
            && !self.0.contains("=?")
            && self.0.split(' ').all(|word| !word.is_empty() && word.len() <= 50)
    }
}

impl Address {
    /// An address without a display name.
    pub const fn bare(mailbox: Mailbox) -> Self {
        Self { name: None, mailbox }
    }

    fn field_body(&self) -> String {
        match &self.name {
            Some(name) => format!("{} <{}>", name.phrase(), self.mailbox),
            None => self.mailbox.to_string(),
        }
    }
}

/// A whole field of unstructured text, folded, CRLF included.
pub(crate) fn text_field(name: &str, text: &HeaderText) -> String {
    folded(name, &text.unstructured())
}

/// A whole field of one address, folded, CRLF included.
pub(crate) fn address_field(name: &str, address: &Address) -> String {
    folded(name, &address.field_body())
}

/// RFC 2047 §5: UTF-8 in base64, cut between characters.
fn encoded_words(text: &str) -> String {
    let mut words: Vec<String> = Vec::new();
    let mut chunk = String::new();
    for letter in text.chars() {
        if chunk.len().saturating_add(letter.len_utf8()) > ENCODED_WORD_OCTETS_MAX {
            words.push(std::mem::take(&mut chunk));
        }
        chunk.push(letter);
    }
    words.push(chunk);
    let encoded: Vec<String> =
        words.iter().map(|word| format!("=?utf-8?B?{}?=", STANDARD.encode(word))).collect();
    encoded.join(" ")
}

/// RFC 5322 §2.2.3: lines are broken before a space, as far as there is one.
fn folded(name: &str, body: &str) -> String {
    let mut field = format!("{name}:");
    let mut width = field.len();
    for word in body.split(' ') {
        if width.saturating_add(word.len()) >= HEADER_LINE_OCTETS_AIM && width > 1 {
            field.push_str("\r\n");
            width = 0;
        }
        field.push(' ');
        field.push_str(word);
        width = width.saturating_add(word.len()).saturating_add(1);
    }
    field.push_str("\r\n");
    field
}

#[cfg(test)]
mod tests {
    use super::{Address, HeaderText, HeaderTextError, address_field, text_field};
    use proptest::prelude::*;
    use waxseal_proto::name::Mailbox;

    fn text(text: &str) -> HeaderText {
        HeaderText::parse(text).unwrap()
    }

    #[test]
    fn line_ends_have_no_value() {
        for (given, position) in
            [("a\r\nBcc: b@example.com", 1), ("\na", 0), ("a\0", 1), ("a\u{2028}b", 1), ("a\tb", 1)]
        {
            assert_eq!(HeaderText::parse(given), Err(HeaderTextError::Control { position }));
        }
        assert_eq!(HeaderText::parse("  "), Err(HeaderTextError::Empty));
        assert_eq!(HeaderText::parse(&"a".repeat(751)), Err(HeaderTextError::TooLong));
    }

    #[test]
    fn names_and_subjects_are_written_as_the_standard_asks() {
        for (name, expected) in [
            ("Ann Example", "From: Ann Example <a@example.com>\r\n"),
            ("Ann (Sales), \"A\"", "From: \"Ann (Sales), \\\"A\\\"\" <a@example.com>\r\n"),
            ("J\u{fc}rg", "From: =?utf-8?B?SsO8cmc=?= <a@example.com>\r\n"),
            ("=?utf-8?Q?x?=", "From: =?utf-8?B?PT91dGYtOD9RP3g/PQ==?= <a@example.com>\r\n"),
        ] {
            let mailbox = Mailbox::parse("a@example.com").unwrap();
            let address = Address { name: Some(text(name)), mailbox };
            assert_eq!(address_field("From", &address), expected);
        }
        let long = "word ".repeat(30);
        let field = text_field("Subject", &text(&long));
        assert_eq!(field.replace("\r\n", ""), format!("Subject: {}", long.trim()));
    }

    proptest! {
        #[test]
        fn no_text_begins_another_field(given in "[\\PC\r\n :]{0,200}") {
            if let Ok(text) = HeaderText::parse(&given) {
                let field = text_field("Subject", &text);
                let body = field.strip_suffix("\r\n").unwrap();
                prop_assert!(body.is_ascii());
                for line in body.split("\r\n").skip(1) {
                    prop_assert!(line.starts_with(' ') && !line.trim().is_empty(), "{field:?}");
                }
                prop_assert!(body.split("\r\n").all(|line| line.len() <= 80), "{field:?}");
                prop_assert!(!body.replace("\r\n", "").contains(['\r', '\n']));
            }
        }
    }
}
