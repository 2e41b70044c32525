//! What a person typed as the target of a check (RFC 5321 §2.3.5 and §4.1.3, RFC 3986 §3.2.2). An email
//! address, a URL and `host:port` are reduced to their host, and a note says what was left out; nothing
//! is guessed. The way in is [`TargetInput::parse`]. A change must never name another host than the one
//! the text names.

use super::{DomainName, NameError, NameErrorKind};
use crate::finding::Code;
use crate::limits::INPUT_OCTETS_MAX;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What is to be checked, as read from a typed text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetInput {
    /// The domain, host or address.
    pub target: Target,
    /// The port, if the text named one.
    pub port: Option<u16>,
    /// What the person should know about how the text was read; empty for a plain domain.
    pub notes: Vec<InputNote>,
}

/// A domain name or an IP address.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Target {
    /// An IP address where a name was expected.
    Address(IpAddr),
    /// A domain or host name.
    Domain(DomainName),
}

/// Something about the input that the report must show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InputNote {
    /// An email address was given; only the part after `@` is used. Holds what stood before it.
    AddressGiven(String),
    /// The target is an IP address.
    IpLiteral,
    /// A port stood behind the host.
    PortGiven(u16),
    /// The name is a single label or a suffix of a registry.
    PublicSuffix,
    /// A URL or path was given; only its host is used. Holds what was left out.
    UrlGiven(String),
}

/// Why no target could be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InputError {
    /// Nothing to check was given.
    #[error("nothing to check was given")]
    Empty,
    /// No A-label form exists.
    #[error("the internationalised name cannot be converted: {0}")]
    IdnInvalid(NameError),
    /// The port is missing, 0, above 65535 or not a number. Holds it as typed.
    #[error("the port {0:?} is not a number from 1 to 65535")]
    PortInvalid(String),
    /// The text names no valid host.
    #[error("the name is not valid: {0}")]
    Syntax(NameError),
}

impl Target {
    /// The domain, if it is one.
    pub const fn domain(&self) -> Option<&DomainName> {
        match self {
            Self::Domain(name) => Some(name),
            Self::Address(_) => None,
        }
    }
}

impl std::fmt::Display for Target {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Address(address) => address.fmt(formatter),
            Self::Domain(name) => name.fmt(formatter),
        }
    }
}

impl InputNote {
    /// The finding this note becomes.
    pub const fn code(&self) -> Code {
        match self {
            Self::AddressGiven(_) | Self::PortGiven(_) | Self::UrlGiven(_) => {
                Code::InputAddressOrUrlGiven
            }
            Self::IpLiteral => Code::InputIpLiteralTarget,
            Self::PublicSuffix => Code::InputPublicSuffix,
        }
    }
}

impl InputError {
    /// The finding this error becomes.
    pub const fn code(&self) -> Code {
        match self {
            Self::Empty => Code::InputEmpty,
            Self::IdnInvalid(_) => Code::InputIdnInvalid,
            Self::PortInvalid(_) => Code::InputPortInvalid,
            Self::Syntax(_) => Code::InputDomainSyntax,
        }
    }
}

impl From<NameError> for InputError {
    fn from(error: NameError) -> Self {
        match error.kind {
            NameErrorKind::Empty => Self::Empty,
            NameErrorKind::Idna => Self::IdnInvalid(error),
            NameErrorKind::EmptyLabel
            | NameErrorKind::LabelTooLong
            | NameErrorKind::NameTooLong
            | NameErrorKind::Character
            | NameErrorKind::Hyphen => Self::Syntax(error),
        }
    }
}

impl TargetInput {
    /// Reads a typed text. White space around it is not part of it.
    ///
    /// # Errors
    ///
    /// [`InputError`], each variant with the code of its finding.
    pub fn parse(text: &str) -> Result<Self, InputError> {
        if text.len() > INPUT_OCTETS_MAX {
            let error = NameError::at(NameErrorKind::NameTooLong, INPUT_OCTETS_MAX);
            return Err(InputError::Syntax(error));
        }
        let typed = text.trim();
        if typed.chars().all(|c| matches!(c, '.' | '@')) {
            return Err(InputError::Empty);
        }
        let mut notes = Vec::new();
        let host_and_port = reduce_to_authority(typed, &mut notes);
        let (host, port) = split_port(host_and_port)?;
        if let Some(port) = port {
            notes.push(InputNote::PortGiven(port));
        }
        let target = parse_host(host)?;
        match &target {
            Target::Address(_) => notes.push(InputNote::IpLiteral),
            Target::Domain(name) if name.is_registry_suffix() => {
                notes.push(InputNote::PublicSuffix);
            }
            Target::Domain(_) => {}
        }
        Ok(Self { target, port, notes })
    }
}

/// Cuts URL parts and the local part of an address off, and notes what was cut.
fn reduce_to_authority<'a>(typed: &'a str, notes: &mut Vec<InputNote>) -> &'a str {
    let is_path = |c| matches!(c, '/' | '?' | '#');
    let (front, rest) = match typed.split_once("://") {
        Some((scheme, rest)) if !scheme.contains(is_path) && !scheme.contains('@') => {
            (scheme, rest)
        }
        Some(_) | None => ("", typed.strip_prefix("//").unwrap_or(typed)),
    };
    if rest.len() != typed.len() {
        let (authority, path) = rest.find(is_path).map_or((rest, ""), |at| rest.split_at(at));
        let (userinfo, host) = authority.rsplit_once('@').unwrap_or(("", authority));
        // A password may stand in the user part, so only its presence is kept.
        let user = if userinfo.is_empty() { "" } else { "…@" };
        notes.push(InputNote::UrlGiven(format!("{front}://{user}{path}")));
        return host;
    }
    let inside = between_brackets(typed);
    if let Some((local, domain)) = inside.rsplit_once('@') {
        let local = local.strip_prefix("mailto:").unwrap_or(local);
        notes.push(InputNote::AddressGiven(local.to_owned()));
        return domain.split(is_path).next().unwrap_or(domain);
    }
    match typed.find(is_path) {
        Some(at) => {
            let (host, path) = typed.split_at(at);
            notes.push(InputNote::UrlGiven(path.to_owned()));
            host
        }
        None => typed,
    }
}

/// `Name <user@host>` to `user@host`.
fn between_brackets(typed: &str) -> &str {
    typed
        .strip_suffix('>')
        .and_then(|rest| rest.rsplit_once('<'))
        .map_or(typed, |(_, address)| address)
}

/// `host:port`, `[v6]:port` or a host alone. A bare IPv6 address has no port.
fn split_port(text: &str) -> Result<(&str, Option<u16>), InputError> {
    if text.parse::<Ipv6Addr>().is_ok() || tagged_v6(text).is_some() {
        return Ok((text, None));
    }
    let colon = match text.rfind(']') {
        Some(bracket) => text.get(bracket..).and_then(|rest| rest.find(':')).map(|at| at + bracket),
        None if text.matches(':').count() > 1 && looks_like_v6(text) => None,
        None => text.find(':'),
    };
    let Some((host, port)) = colon.and_then(|at| text.split_at_checked(at)) else {
        return Ok((text, None));
    };
    let port = port.strip_prefix(':').unwrap_or(port);
    let digits = !port.is_empty() && port.bytes().all(|octet| octet.is_ascii_digit());
    match port.parse::<u16>() {
        Ok(number) if digits && number > 0 => Ok((host, Some(number))),
        Ok(_) | Err(_) => Err(InputError::PortInvalid(port.to_owned())),
    }
}

fn looks_like_v6(text: &str) -> bool {
    text.starts_with('[')
        || text.contains("::")
        || text.chars().all(|c| c.is_ascii_hexdigit() || matches!(c, ':' | '.'))
}

/// The address of `IPv6:2001:db8::1` (RFC 5321 §4.1.3).
fn tagged_v6(text: &str) -> Option<Ipv6Addr> {
    let (tag, address) = text.split_at_checked(5)?;
    if tag.eq_ignore_ascii_case("IPv6:") { address.parse().ok() } else { None }
}

fn parse_host(host: &str) -> Result<Target, InputError> {
    if let Some(address) = parse_address(host) {
        return Ok(Target::Address(address));
    }
    let name = DomainName::parse(host)?;
    // RFC 1123 §2.1: the last label of a host name is not all digits, so that it cannot be mistaken
    // for an address.
    let last = name.labels().next_back().unwrap_or_default();
    if last.bytes().all(|octet| octet.is_ascii_digit()) {
        let position = name.as_str().len() - last.len();
        return Err(InputError::Syntax(NameError::at(NameErrorKind::Character, position)));
    }
    Ok(Target::Domain(name))
}

/// An address as typed or as it stands in a name: dotted quad, with or without a final dot, IPv6 with
/// or without the `IPv6:` tag, each also in square brackets.
pub(crate) fn parse_address(host: &str) -> Option<IpAddr> {
    let bare = host.strip_prefix('[').and_then(|h| h.strip_suffix(']')).unwrap_or(host);
    let undotted = bare.strip_suffix('.').unwrap_or(bare);
    if let Ok(v4) = undotted.parse::<Ipv4Addr>() {
        return Some(v4.into());
    }
    undotted.parse::<Ipv6Addr>().ok().or_else(|| tagged_v6(undotted)).map(IpAddr::from)
}
