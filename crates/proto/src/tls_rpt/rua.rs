//! One report address of a TLS reporting record (RFC 8460 §3, RFC 3986 §3, RFC 6068 §2). It contacts
//! nobody. The way in is [`Rua::parse`]. A change must keep the scheme to `mailto` and `https`.

use crate::finding::Code;
use crate::name::{DomainName, Target, parse_address};

/// A URI of `rua`, as written, and where reports to it go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rua {
    /// The URI as written.
    pub uri: String,
    /// Where it leads, or why it leads nowhere.
    pub destination: Result<ReportDestination, RuaError>,
}

/// Where reports go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReportDestination {
    /// POST to this server.
    Https {
        /// The host of the URI.
        host: Target,
        /// The port, 443 unless the URI names one.
        port: u16,
    },
    /// Mail to this address.
    Mailto {
        /// The address with percent-encoding undone, without header fields.
        address: String,
        /// The part behind its last `@`.
        domain: DomainName,
    },
}

/// Why a URI cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RuaError {
    /// Nothing between two commas, or nothing behind `rua=`.
    #[error("empty address")]
    Empty,
    /// `https:` without a valid host or port.
    #[error("no valid host in the URL")]
    Host,
    /// `mailto:` without one valid address.
    #[error("no valid mail address")]
    MailAddress,
    /// No scheme, or another than `mailto` and `https`. Holds it, empty if there is none.
    #[error("scheme {0:?} is not mailto or https")]
    Scheme(String),
    /// A character that no URI may hold, or a broken percent-encoding. Holds the character.
    #[error("character {0:?} is not allowed in a URI")]
    Syntax(char),
    /// A `,`, `!` or `;` that must be percent-encoded here. Holds it.
    #[error("{0:?} must be percent-encoded")]
    Unencoded(char),
}

impl RuaError {
    /// The finding this error becomes.
    pub const fn code(&self) -> Code {
        match self {
            Self::Scheme(_) => Code::RptRuaScheme,
            Self::Empty | Self::Host | Self::MailAddress | Self::Syntax(_) | Self::Unencoded(_) => {
                Code::RptSyntax
            }
        }
    }
}

impl Rua {
    /// Reads one URI, already cut at the commas.
    pub fn parse(uri: &str) -> Self {
        Self { uri: uri.to_owned(), destination: destination(uri) }
    }
}

fn destination(uri: &str) -> Result<ReportDestination, RuaError> {
    if uri.is_empty() {
        return Err(RuaError::Empty);
    }
    let (scheme, rest) = match uri.split_once(':') {
        Some((scheme, rest)) if is_scheme(scheme) => (scheme.to_ascii_lowercase(), rest),
        Some(_) | None => (String::new(), uri),
    };
    check_characters(uri)?;
    match scheme.as_str() {
        "mailto" => mailto(rest),
        "https" => https(rest),
        _ => Err(RuaError::Scheme(scheme)),
    }
}

/// RFC 3986 §3.1. A name with a dot before a colon is a host and a port, not a scheme.
fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-'))
}

fn check_characters(uri: &str) -> Result<(), RuaError> {
    let mut rest = uri.chars();
    while let Some(c) = rest.next() {
        match c {
            ',' | '!' | ';' => return Err(RuaError::Unencoded(c)),
            '%' => {
                let pair = [rest.next(), rest.next()];
                if !pair.iter().all(|c| c.is_some_and(|c| c.is_ascii_hexdigit())) {
                    return Err(RuaError::Syntax(c));
                }
            }
            '"' | '<' | '>' | '\\' | '^' | '`' | '{' | '|' | '}' => {
                return Err(RuaError::Syntax(c));
            }
            _ if c.is_ascii_graphic() => {}
            _ => return Err(RuaError::Syntax(c)),
        }
    }
    Ok(())
}

fn mailto(rest: &str) -> Result<ReportDestination, RuaError> {
    let encoded = rest.split(['?', '#']).next().unwrap_or_default();
    let address = percent_decode(encoded).ok_or(RuaError::MailAddress)?;
    let (local, domain) = address.rsplit_once('@').ok_or(RuaError::MailAddress)?;
    let wrong = |c: char| c.is_control() || c.is_whitespace() || matches!(c, ',' | '@' | '<' | '>');
    if local.is_empty() || local.contains(wrong) {
        return Err(RuaError::MailAddress);
    }
    let domain = DomainName::parse(domain).map_err(|_| RuaError::MailAddress)?;
    Ok(ReportDestination::Mailto { address, domain })
}

fn https(rest: &str) -> Result<ReportDestination, RuaError> {
    let authority = rest.strip_prefix("//").ok_or(RuaError::Host)?;
    let authority = authority.split(['/', '?', '#']).next().unwrap_or_default();
    let host_and_port = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let (host, port) = match host_and_port.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, port),
        Some(_) | None => (host_and_port, ""),
    };
    let port = match port {
        "" => 443,
        digits if digits.bytes().all(|octet| octet.is_ascii_digit()) => {
            digits.parse().ok().filter(|&number| number > 0).ok_or(RuaError::Host)?
        }
        _ => return Err(RuaError::Host),
    };
    let host = match parse_address(host) {
        Some(address) => Target::Address(address),
        None => Target::Domain(DomainName::parse(host).map_err(|_| RuaError::Host)?),
    };
    Ok(ReportDestination::Https { host, port })
}

fn percent_decode(text: &str) -> Option<String> {
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(octet) = rest.next() {
        if octet == b'%' {
            let digit = |o: u8| char::from(o).to_digit(16).and_then(|d| u8::try_from(d).ok());
            octets.push(digit(rest.next()?)? * 16 + digit(rest.next()?)?);
        } else {
            octets.push(octet);
        }
    }
    String::from_utf8(octets).ok()
}
