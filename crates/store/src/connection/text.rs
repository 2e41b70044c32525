//! Texts that people type: one line without control characters, and an https address.
//!
//! The ways in are [`OneLine::parse`] and [`HttpsUrl::parse`]. Keep: no value holds CR, LF or another
//! control character, so it can stand in a header field or a log line.

use waxseal_proto::name::DomainName;

use crate::limits::{LINE_OCTETS_MAX, TEXT_OCTETS_MAX};

/// Which field is wrong and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {problem}")]
pub struct FieldError {
    /// The field, in the words of the command line.
    pub field: &'static str,
    /// What is wrong.
    pub problem: String,
}

impl FieldError {
    /// For a field and a problem.
    pub(crate) fn new(field: &'static str, problem: impl Into<String>) -> Self {
        Self { field, problem: problem.into() }
    }
}

/// One line of text: not empty, no control characters, no white space around it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OneLine(String);

impl OneLine {
    /// Checks a text of at most [`LINE_OCTETS_MAX`] octets. White space around it is cut off.
    ///
    /// # Errors
    /// An empty or long text, or a control or line separator character.
    pub fn parse(field: &'static str, text: &str) -> Result<Self, FieldError> {
        Self::bounded(field, text, LINE_OCTETS_MAX)
    }

    /// The same for a sentence of at most [`TEXT_OCTETS_MAX`] octets.
    ///
    /// # Errors
    /// As [`OneLine::parse`].
    pub fn parse_sentence(field: &'static str, text: &str) -> Result<Self, FieldError> {
        Self::bounded(field, text, TEXT_OCTETS_MAX)
    }

    fn bounded(field: &'static str, text: &str, octets_max: usize) -> Result<Self, FieldError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(FieldError::new(field, "is empty"));
        }
        if text.len() > octets_max {
            return Err(FieldError::new(field, format!("is longer than {octets_max} octets")));
        }
        let is_separator =
            |each: char| each.is_control() || matches!(each, '\u{2028}' | '\u{2029}');
        if let Some((position, _)) = text.char_indices().find(|(_, each)| is_separator(*each)) {
            let problem = format!("has a control character at octet {position}");
            return Err(FieldError::new(field, problem));
        }
        Ok(Self(text.to_owned()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for OneLine {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// An address of a page that begins with `https://`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HttpsUrl(String);

impl HttpsUrl {
    /// Checks scheme, host and characters (RFC 3986 §2). A user name in it is refused.
    ///
    /// # Errors
    /// Anything else than an https address of a named host.
    pub fn parse(field: &'static str, text: &str) -> Result<Self, FieldError> {
        let bad = |problem: &str| Err(FieldError::new(field, problem));
        if text.len() > TEXT_OCTETS_MAX {
            return bad("is too long for an address");
        }
        let Some(rest) = text.strip_prefix("https://") else {
            return bad("is not an address that begins with https://");
        };
        if text.bytes().any(|octet| !octet.is_ascii_graphic() || b"<>\"\\^`{|}".contains(&octet)) {
            return bad("has a character that an address cannot hold");
        }
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        if authority.contains('@') {
            return bad("holds a user name");
        }
        let (host, port) = authority.split_once(':').unwrap_or((authority, "443"));
        if port.parse::<u16>().is_err() {
            return bad("has a bad port");
        }
        match DomainName::parse(host) {
            Ok(name) if name.as_str().contains('.') => Ok(Self(text.to_owned())),
            Ok(_) | Err(_) => bad("does not name a host"),
        }
    }

    /// The address.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_is_one_line() {
        assert_eq!(OneLine::parse("name", "  Büro 1 ").unwrap().as_str(), "Büro 1");
        let long = "x".repeat(LINE_OCTETS_MAX + 1);
        for bad in ["", "  ", "a\r\nBcc: b", "a\u{0}b", "a\u{85}b", "a\u{2028}b", &long] {
            let error = OneLine::parse("name", bad).unwrap_err();
            assert_eq!(error.field, "name", "{bad:?}");
        }
    }

    #[test]
    fn pages_are_https() {
        for good in ["https://docs.example.com", "https://a.example:8443/x?y#z"] {
            assert_eq!(HttpsUrl::parse("page", good).unwrap().as_str(), good);
        }
        let cases = [
            "http://docs.example.com",
            "HTTPS://docs.example.com",
            "https://",
            "https:///path",
            "https://user@docs.example.com/",
            "https://localhost/",
            "https://a.example:x/",
            "https://a.example/a b",
            "https://a.example/\r\n",
            "javascript:alert(1)",
        ];
        for bad in cases {
            assert!(HttpsUrl::parse("page", bad).is_err(), "{bad}");
        }
    }
}
