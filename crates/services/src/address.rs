//! Mailbox addresses as delivery services take them (RFC 5321 §4.1.2, RFC 5322 §3.4).
//!
//! Quoted local parts and address literals are refused: no service here takes them, and they are where
//! parsers disagree. The ways in are [`EmailAddress::parse`] and [`NamedAddress::new`]. Invariant: no value of
//! this file holds a control character, so no header can be broken with it.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use waxseal_proto::name::{DomainName, Mailbox, MailboxError};

use crate::header::{TextError, one_line};
use crate::limits::DISPLAY_NAME_OCTETS_MAX;

/// One address, `local-part@domain`: a dot-string of ASCII or UTF-8 (RFC 6531 §3.3) before the `@`, a host
/// name of two labels or more in A-labels after it; at most 254 octets.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EmailAddress {
    // The whole address beside its domain, so that `as_str` needs no allocation.
    whole: String,
    domain: DomainName,
}

/// Why a text is no address that a delivery service takes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// It is no mailbox at all.
    #[error("bad email address")]
    Mailbox(#[source] MailboxError),
    /// A quoted local part or one with an invisible character.
    #[error("email address with a local part that delivery services do not take")]
    LocalPart,
    /// An address literal, or a domain of a single label.
    #[error("email address without a full domain name")]
    Domain,
}

impl EmailAddress {
    /// Parses an address.
    ///
    /// # Errors
    ///
    /// [`AddressError`] with the first fault found. Nothing is trimmed or repaired.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        Self::from_mailbox(&Mailbox::parse(text).map_err(AddressError::Mailbox)?)
    }

    /// Takes a parsed mailbox, unless no delivery service would.
    ///
    /// # Errors
    ///
    /// [`AddressError::LocalPart`] or [`AddressError::Domain`].
    pub fn from_mailbox(mailbox: &Mailbox) -> Result<Self, AddressError> {
        let local = mailbox.local_part().as_str();
        let is_visible = |each: char| {
            !each.is_whitespace() && one_line(each.encode_utf8(&mut [0; 4]), 4).is_ok()
        };
        if local.starts_with('"') || !local.chars().all(is_visible) {
            return Err(AddressError::LocalPart);
        }
        let domain = mailbox.domain().name().filter(|name| name.as_str().contains('.'));
        let domain = domain.ok_or(AddressError::Domain)?;
        Ok(Self { whole: format!("{local}@{}", domain.as_str()), domain: domain.clone() })
    }

    /// The address, `local-part@domain`.
    pub fn as_str(&self) -> &str {
        &self.whole
    }

    /// The part after the `@`, in A-labels and lower case.
    pub const fn domain(&self) -> &DomainName {
        &self.domain
    }

    /// Whether the local part has a character outside ASCII, which needs SMTPUTF8 on the whole way.
    pub fn is_international(&self) -> bool {
        !self.whole.is_ascii()
    }
}

impl fmt::Display for EmailAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.whole)
    }
}

/// An address with the name that people see beside it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NamedAddress {
    address: EmailAddress,
    name: Option<String>,
}

impl NamedAddress {
    /// An address with a display name. An empty name is no name.
    ///
    /// # Errors
    ///
    /// [`TextError`] when the name is over 320 octets or holds a control character.
    pub fn new(address: EmailAddress, name: &str) -> Result<Self, TextError> {
        let name = one_line(name, DISPLAY_NAME_OCTETS_MAX)?;
        Ok(Self { address, name: Some(name).filter(|name| !name.is_empty()) })
    }

    /// An address alone.
    pub const fn bare(address: EmailAddress) -> Self {
        Self { address, name: None }
    }

    /// The address.
    pub const fn address(&self) -> &EmailAddress {
        &self.address
    }

    /// The display name.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// As [`Self::to_header`], but ASCII: a name outside ASCII becomes encoded words (RFC 2047 §2). For
    /// services that do not encode it themselves.
    pub fn to_ascii_header(&self) -> String {
        match &self.name {
            Some(name) if !name.is_ascii() => {
                format!("{} <{}>", encoded_words(name), self.address.whole)
            }
            Some(_) | None => self.to_header(),
        }
    }

    /// `"Name" <address>` with the name quoted (RFC 5322 §3.2.4) where it is ASCII and needs it, or left as
    /// UTF-8 for services that encode it themselves.
    pub fn to_header(&self) -> String {
        match &self.name {
            None => self.address.whole.clone(),
            Some(name) => format!("\"{}\" <{}>", escape_quoted(name), self.address.whole),
        }
    }
}

/// RFC 2047 §2: words of at most 75 characters, each with whole characters of UTF-8.
fn encoded_words(text: &str) -> String {
    // 75 characters less `=?UTF-8?B?` and `?=` leave 63: 45 octets in base64 make 60.
    const OCTETS_PER_WORD: usize = 45;
    let mut words = Vec::new();
    let mut word = String::new();
    for character in text.chars() {
        if word.len() + character.len_utf8() > OCTETS_PER_WORD {
            words.push(encoded_word(&word));
            word.clear();
        }
        word.push(character);
    }
    words.push(encoded_word(&word));
    words.join(" ")
}

fn encoded_word(text: &str) -> String {
    format!("=?UTF-8?B?{}?=", STANDARD.encode(text))
}

fn escape_quoted(name: &str) -> String {
    let mut escaped = String::with_capacity(name.len());
    for character in name.chars() {
        if matches!(character, '"' | '\\') {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_parsed_strictly() {
        let good = [
            ("info@example.com", "info@example.com", "example.com"),
            ("a.b+c@Example.COM", "a.b+c@example.com", "example.com"),
            ("jörg@bücher.example", "jörg@xn--bcher-kva.example", "xn--bcher-kva.example"),
        ];
        for (text, whole, domain) in good {
            let address = EmailAddress::parse(text).unwrap();
            assert_eq!((address.as_str(), address.domain().as_str()), (whole, domain));
        }
        let bad = [
            "",
            "@example.com",
            "info",
            "a b@example.com",
            "a@b",
            "a..b@example.com",
            ".a@example.com",
            "a@example.com\r\nBcc: b@example.com",
            "a\r\n@example.com",
            "a\u{0}@example.com",
            "\"a\"@example.com",
            "a@[192.0.2.1]",
            "a,b@example.com",
            "a<b@example.com",
            "a>@example.com",
            "a\u{2028}b@example.com",
            "a\u{85}b@example.com",
            "a@example.com ",
        ];
        for text in bad {
            assert!(EmailAddress::parse(text).is_err(), "{text:?}");
        }
        let long = format!("{}@example.com", "a".repeat(65));
        assert!(matches!(EmailAddress::parse(&long), Err(AddressError::Mailbox(_))));
        let host = format!("{}.{}.{}.example", "a".repeat(63), "b".repeat(63), "c".repeat(63));
        let whole = format!("{}@{host}", "d".repeat(60));
        assert!(matches!(EmailAddress::parse(&whole), Err(AddressError::Mailbox(_))));
    }

    #[test]
    fn names_outside_ascii_become_encoded_words() {
        let address = EmailAddress::parse("a@example.com").unwrap();
        let header =
            |name: &str| NamedAddress::new(address.clone(), name).unwrap().to_ascii_header();
        assert_eq!(header("Jörg"), "=?UTF-8?B?SsO2cmc=?= <a@example.com>");
        assert_eq!(header("Anna"), "\"Anna\" <a@example.com>");
        let long = header(&"ä".repeat(60));
        assert!(long.split(' ').all(|word| word.len() <= 75), "{long}");
        assert_eq!(long.matches("=?UTF-8?B?").count(), 3);
    }

    #[test]
    fn a_name_cannot_leave_its_quotes() {
        let address = EmailAddress::parse("a@example.com").unwrap();
        let cases = [
            ("Anna", "\"Anna\" <a@example.com>"),
            ("", "a@example.com"),
            ("A\" <x@example.net>, \"", "\"A\\\" <x@example.net>, \\\"\" <a@example.com>"),
            ("back\\", "\"back\\\\\" <a@example.com>"),
        ];
        for (name, header) in cases {
            assert_eq!(NamedAddress::new(address.clone(), name).unwrap().to_header(), header);
        }
        for name in ["a\nb", "a\rb", "a\u{0}", "a\u{2028}b", "a\u{85}"] {
            assert!(NamedAddress::new(address.clone(), name).is_err(), "{name:?}");
        }
        assert!(NamedAddress::new(address, &"x".repeat(321)).is_err());
    }
}
