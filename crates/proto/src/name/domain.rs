//! The domain name type (RFC 1035 §2.3.4, RFC 1123 §2.1, RFC 5890 §2.3). The way in is
//! [`DomainName::parse`]; nothing is looked up. Every value keeps the invariant of its doc comment, so
//! two equal names are equal text. A change must not start to repair names: what is not a name is an
//! error, and no character is ever dropped to make one.

use super::idn;
use crate::limits::{LABEL_OCTETS_MAX, NAME_INPUT_OCTETS_MAX, NAME_OCTETS_MAX};
use std::sync::Arc;

/// A host or domain name: A-labels, lower case, no trailing dot, at most 253 octets, labels of letters,
/// digits and hyphens, at most 63 octets each. The text is shared: a check holds many copies of few names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DomainName(Arc<str>);

/// Why a text is no domain name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind} at octet {position}")]
pub struct NameError {
    /// What is wrong.
    pub kind: NameErrorKind,
    /// The octet of the input at which it was noticed, from 0.
    pub position: usize,
}

/// What is wrong with a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameErrorKind {
    /// Nothing but spaces or a dot.
    #[error("empty name")]
    Empty,
    /// Two dots in a row, or a leading dot.
    #[error("empty label")]
    EmptyLabel,
    /// A label over 63 octets.
    #[error("label longer than 63 octets")]
    LabelTooLong,
    /// Over 253 octets.
    #[error("name longer than 253 octets")]
    NameTooLong,
    /// An octet that no host name may hold.
    #[error("character not allowed in a host name")]
    Character,
    /// A hyphen at the start or end of a label.
    #[error("label starts or ends with a hyphen")]
    Hyphen,
    /// IDNA conversion failed.
    #[error("internationalised name cannot be converted")]
    Idna,
}

impl DomainName {
    /// Parses a host name (RFC 1123 §2.1): labels of letters, digits and inner hyphens, lowered, with
    /// one final dot dropped and nothing else trimmed. U-labels become A-labels (UTS #46 strict,
    /// non-transitional), and an `xn--` label must be one that converts back to itself.
    ///
    /// # Errors
    ///
    /// [`NameError`] with the first fault found.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        if text.trim().is_empty() || text == "." {
            return Err(NameError::at(NameErrorKind::Empty, 0));
        }
        if text.len() > NAME_INPUT_OCTETS_MAX {
            return Err(NameError::at(NameErrorKind::NameTooLong, NAME_INPUT_OCTETS_MAX));
        }
        let bare = text.strip_suffix('.').unwrap_or(text);
        let Some(position) = idn::first_international(bare) else {
            return Self::from_ascii(bare.to_ascii_lowercase());
        };
        check_ascii(bare)?;
        let name = idn::to_ascii(bare).ok_or(NameError::at(NameErrorKind::Idna, position))?;
        Self::from_ascii(name.clone()).map_err(|NameError { kind, position }| {
            NameError::at(kind, idn::place_before(bare, &name, position))
        })
    }

    /// Checked on the A-label form, so that limits and grammar hold for what goes into the DNS.
    fn from_ascii(name: String) -> Result<Self, NameError> {
        check_labels(&name)?;
        if name.len() > NAME_OCTETS_MAX {
            return Err(NameError::at(NameErrorKind::NameTooLong, NAME_OCTETS_MAX));
        }
        Ok(Self(name.into()))
    }

    /// The name, A-labels, without trailing dot.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The same text, not copied.
    pub(crate) fn shared(&self) -> Arc<str> {
        Arc::clone(&self.0)
    }

    /// The labels from left to right; at least one, none empty.
    pub fn labels(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.0.split('.')
    }

    /// The name without its left-most label; `None` for a single label.
    pub fn parent(&self) -> Option<Self> {
        self.0.split_once('.').map(|(_, rest)| Self(rest.into()))
    }

    /// Whether this name is `other` or lies below it.
    pub fn is_same_or_below(&self, other: &Self) -> bool {
        self.0
            .strip_suffix(other.as_str())
            .is_some_and(|front| front.is_empty() || front.ends_with('.'))
    }

    /// The name for people: U-labels where that misleads nobody, A-labels elsewhere (RFC 5890 §4.4).
    /// A label stays an A-label if it mixes Latin, Greek or Cyrillic letters, holds an invisible
    /// character, or is made of Cyrillic or Greek letters that all look like Latin ones.
    pub fn to_unicode(&self) -> String {
        idn::to_display(&self.0)
    }

    /// The registrable domain by the Public Suffix List (both sections, with its `*` default rule);
    /// `None` for a public suffix.
    pub fn organizational(&self) -> Option<Self> {
        psl::domain_str(&self.0).map(|name| Self(name.into()))
    }

    /// Whether the name is itself a public suffix, of a registry or of a private operator; every
    /// single label is one.
    pub fn is_public_suffix(&self) -> bool {
        self.organizational().is_none()
    }

    /// Whether the name is a single label or a suffix of the registry section of the list (`co.uk`),
    /// below which registries sell names. A private operator's suffix (`github.io`) is none.
    pub fn is_registry_suffix(&self) -> bool {
        let private = psl::suffix(self.0.as_bytes())
            .and_then(|suffix| suffix.typ())
            .is_some_and(|section| section == psl::Type::Private);
        self.is_public_suffix() && !private
    }
}

impl NameError {
    /// An error of this kind at an octet of the input.
    pub const fn at(kind: NameErrorKind, position: usize) -> Self {
        Self { kind, position }
    }
}

impl std::fmt::Display for DomainName {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::str::FromStr for DomainName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

/// The ASCII characters of a name that also has others: a wrong one is a plain fault, not an IDNA one.
fn check_ascii(name: &str) -> Result<(), NameError> {
    let wrong = |&(_, c): &(usize, char)| c.is_ascii() && !is_host_character(c) && c != '.';
    match name.char_indices().find(wrong) {
        Some((position, _)) => Err(NameError::at(NameErrorKind::Character, position)),
        None => Ok(()),
    }
}

fn check_labels(name: &str) -> Result<(), NameError> {
    let mut start = 0;
    for label in name.split('.') {
        if let Some((offset, _)) = label.char_indices().find(|&(_, c)| !is_host_character(c)) {
            return Err(NameError::at(NameErrorKind::Character, start + offset));
        }
        if label.is_empty() {
            return Err(NameError::at(NameErrorKind::EmptyLabel, start));
        }
        if label.len() > LABEL_OCTETS_MAX {
            return Err(NameError::at(NameErrorKind::LabelTooLong, start + LABEL_OCTETS_MAX));
        }
        if label.starts_with('-') {
            return Err(NameError::at(NameErrorKind::Hyphen, start));
        }
        if label.ends_with('-') {
            return Err(NameError::at(NameErrorKind::Hyphen, start + label.len() - 1));
        }
        start += label.len() + 1;
    }
    Ok(())
}

const fn is_host_character(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '-'
}
