//! The mailbox of an envelope (RFC 5321 §4.1.2, §4.1.3; RFC 6531 §3.3 for letters outside ASCII): a local
//! part, an at sign, a domain or address literal. No comments, no folding, no display name: those belong
//! to header fields. The way in is [`Mailbox::parse`]. Keep: no value holds CR, LF or another control
//! octet, so it can stand in a command or a header field as it is.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::domain::{DomainName, NameError, NameErrorKind};
use crate::limits::{LOCAL_PART_OCTETS_MAX, MAILBOX_OCTETS_MAX};

/// The part before the at sign: a dot-string or a quoted string, as written, at most 64 octets.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LocalPart(String);

/// The part after the at sign.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MailDomain {
    /// An address literal (RFC 5321 §4.1.3).
    Literal(IpAddr),
    /// A name, in A-labels.
    Name(DomainName),
}

/// One address of an envelope.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mailbox {
    local: LocalPart,
    domain: MailDomain,
}

/// Why a text is no mailbox.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind} at octet {position}")]
pub struct MailboxError {
    /// What is wrong.
    pub kind: MailboxErrorKind,
    /// The octet of the input at which it was noticed, from 0.
    pub position: usize,
}

/// What is wrong with an address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MailboxErrorKind {
    /// A character that may not stand in a local part without quotes.
    #[error("character not allowed in the part before the at sign")]
    Character,
    /// Two dots in a row, or one at the start or end of the local part.
    #[error("the part before the at sign has an empty piece between dots")]
    EmptyAtom,
    /// Nothing behind the at sign.
    #[error("nothing stands behind the at sign")]
    EmptyDomain,
    /// Nothing before the at sign.
    #[error("nothing stands before the at sign")]
    EmptyLocalPart,
    /// An address literal that is neither IPv4 nor `IPv6:` and an address.
    #[error("the address in brackets is no address literal")]
    Literal,
    /// Over 64 octets before the at sign (RFC 5321 §4.5.3.1.1).
    #[error("the part before the at sign is longer than 64 octets")]
    LocalPartTooLong,
    /// The domain is no domain name.
    #[error("the part behind the at sign is no domain name: {0}")]
    Name(NameErrorKind),
    /// No at sign outside quotes.
    #[error("there is no at sign")]
    NoAtSign,
    /// Over 254 octets (RFC 5321 §4.5.3.1.3: a path has 256, brackets included).
    #[error("the address is longer than 254 octets")]
    TooLong,
    /// A quoted string that does not end before the at sign, or a character it may not hold.
    #[error("the quoted part before the at sign is broken")]
    QuotedString,
}

impl LocalPart {
    /// The text, quotes included.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Reads a dot-string or a quoted string.
    ///
    /// # Errors
    ///
    /// [`MailboxError`] with the first fault found.
    pub fn parse(text: &str) -> Result<Self, MailboxError> {
        if text.is_empty() {
            return Err(MailboxError::at(MailboxErrorKind::EmptyLocalPart, 0));
        }
        let fault = match text.strip_prefix('"') {
            Some(rest) => quoted_fault(rest).map(|position| {
                MailboxError::at(MailboxErrorKind::QuotedString, position.saturating_add(1))
            }),
            None => dot_string_fault(text),
        };
        match fault {
            Some(fault) => Err(fault),
            None if text.len() > LOCAL_PART_OCTETS_MAX => {
                Err(MailboxError::at(MailboxErrorKind::LocalPartTooLong, LOCAL_PART_OCTETS_MAX))
            }
            None => Ok(Self(text.to_owned())),
        }
    }
}

impl MailDomain {
    /// Reads a domain name or an address literal in brackets; `offset` is where it stands in the input.
    fn parse(text: &str, offset: usize) -> Result<Self, MailboxError> {
        if text.is_empty() {
            return Err(MailboxError::at(MailboxErrorKind::EmptyDomain, offset));
        }
        if let Some(rest) = text.strip_prefix('[') {
            let literal = rest.strip_suffix(']').and_then(parse_literal);
            let fault = || MailboxError::at(MailboxErrorKind::Literal, offset);
            return literal.map(Self::Literal).ok_or_else(fault);
        }
        if text.ends_with('.') {
            let position = offset.saturating_add(text.len().saturating_sub(1));
            let kind = MailboxErrorKind::Name(NameErrorKind::EmptyLabel);
            return Err(MailboxError::at(kind, position));
        }
        DomainName::parse(text).map(Self::Name).map_err(|NameError { kind, position }| {
            MailboxError::at(MailboxErrorKind::Name(kind), offset.saturating_add(position))
        })
    }

    /// The name, if it is one.
    pub const fn name(&self) -> Option<&DomainName> {
        match self {
            Self::Literal(_) => None,
            Self::Name(name) => Some(name),
        }
    }
}

impl Mailbox {
    /// Reads one address, without angle brackets. A domain with U-labels is kept in A-labels.
    ///
    /// # Errors
    ///
    /// [`MailboxError`] with the first fault found.
    pub fn parse(text: &str) -> Result<Self, MailboxError> {
        let (local, domain) = split(text)?;
        let local = LocalPart::parse(local)?;
        let offset = local.0.len().saturating_add(1);
        let mailbox = Self { domain: MailDomain::parse(domain, offset)?, local };
        if mailbox.to_string().len() > MAILBOX_OCTETS_MAX {
            // The text may be shorter than its form in A-labels.
            let position = MAILBOX_OCTETS_MAX.min(text.len());
            return Err(MailboxError::at(MailboxErrorKind::TooLong, position));
        }
        Ok(mailbox)
    }

    /// The part before the at sign.
    pub const fn local_part(&self) -> &LocalPart {
        &self.local
    }

    /// The part behind the at sign.
    pub const fn domain(&self) -> &MailDomain {
        &self.domain
    }

    /// Whether it can only travel where SMTPUTF8 is offered (RFC 6531 §3.2): the local part is not ASCII.
    pub fn needs_smtputf8(&self) -> bool {
        !self.local.0.is_ascii()
    }

    /// The address in ASCII, the domain in A-labels; `None` when the local part has no such form.
    pub fn ascii(&self) -> Option<String> {
        (!self.needs_smtputf8()).then(|| self.to_string())
    }
}

impl std::fmt::Display for Mailbox {
    /// The address as it stands between the angle brackets of a command.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}@{}", self.local.0, self.domain)
    }
}

impl std::fmt::Display for MailDomain {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Literal(IpAddr::V4(four)) => write!(formatter, "[{four}]"),
            Self::Literal(IpAddr::V6(six)) => write!(formatter, "[IPv6:{six}]"),
            Self::Name(name) => formatter.write_str(name.as_str()),
        }
    }
}

impl std::str::FromStr for Mailbox {
    type Err = MailboxError;

    fn from_str(text: &str) -> Result<Self, MailboxError> {
        Self::parse(text)
    }
}

impl MailboxError {
    const fn at(kind: MailboxErrorKind, position: usize) -> Self {
        Self { kind, position }
    }
}

/// Splits at the at sign that ends the local part: the first one outside quotes.
fn split(text: &str) -> Result<(&str, &str), MailboxError> {
    let mut quoted = false;
    let mut escaped = false;
    for (position, letter) in text.char_indices() {
        if std::mem::take(&mut escaped) {
            continue;
        }
        match letter {
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '@' if !quoted => {
                let domain = text.get(position.saturating_add(1)..).unwrap_or_default();
                return Ok((text.get(..position).unwrap_or_default(), domain));
            }
            _ => {}
        }
    }
    let kind = if quoted { MailboxErrorKind::QuotedString } else { MailboxErrorKind::NoAtSign };
    Err(MailboxError::at(kind, text.len()))
}

/// RFC 5321 §4.1.2: Dot-string = Atom *("." Atom); RFC 6531 §3.3 adds letters outside ASCII.
fn dot_string_fault(text: &str) -> Option<MailboxError> {
    let mut last = '.';
    for (position, letter) in text.char_indices() {
        if letter == '.' && last == '.' {
            return Some(MailboxError::at(MailboxErrorKind::EmptyAtom, position));
        }
        if letter != '.' && !is_atext(letter) {
            return Some(MailboxError::at(MailboxErrorKind::Character, position));
        }
        last = letter;
    }
    let end = text.len().saturating_sub(1);
    (last == '.').then(|| MailboxError::at(MailboxErrorKind::EmptyAtom, end))
}

/// RFC 5321 §4.1.2: what follows the opening quote is QcontentSMTP and one closing quote at the end.
/// Returns where it is broken.
fn quoted_fault(rest: &str) -> Option<usize> {
    let mut escaped = false;
    for (position, letter) in rest.char_indices() {
        let fine = match letter {
            _ if std::mem::take(&mut escaped) => matches!(letter, ' '..='~'),
            '\\' => {
                escaped = true;
                true
            }
            '"' => {
                let is_last = position.saturating_add(1) == rest.len();
                return (!is_last).then(|| position.saturating_add(1));
            }
            ' '..='~' => true,
            _ => is_international(letter),
        };
        if !fine {
            return Some(position);
        }
    }
    Some(rest.len())
}

fn is_atext(letter: char) -> bool {
    letter.is_ascii_alphanumeric()
        || matches!(letter, '!' | '#'..='\'' | '*' | '+' | '-' | '/' | '=' | '?' | '^'..='`' | '{'..='~')
        || is_international(letter)
}

/// A letter outside ASCII that people can see: no control character and no space.
fn is_international(letter: char) -> bool {
    !letter.is_ascii() && !letter.is_control() && !letter.is_whitespace()
}

/// What stands in the brackets of an address literal (RFC 5321 §4.1.3).
fn parse_literal(text: &str) -> Option<IpAddr> {
    let Some((tag, six)) = text.split_at_checked(5) else {
        return text.parse::<Ipv4Addr>().ok().map(IpAddr::from);
    };
    if !tag.eq_ignore_ascii_case("IPv6:") {
        return text.parse::<Ipv4Addr>().ok().map(IpAddr::from);
    }
    // RFC 5321 §4.1.3: "::" stands for at least two groups, so at most six others are written.
    let groups: usize = six
        .split(':')
        .filter(|group| !group.is_empty())
        .map(|group| if group.contains('.') { 2 } else { 1 })
        .sum();
    if six.contains("::") && groups > 6 {
        return None;
    }
    six.parse::<Ipv6Addr>().ok().map(IpAddr::from)
}

#[cfg(test)]
mod tests;
