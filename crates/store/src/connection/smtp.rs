//! Custom SMTP: host, port, how it is encrypted, how it signs in, what it trusts (RFC 8314 §3, RFC 3207).
//!
//! The security mode is stored and never derived from a port. Keep: credentials exist only inside
//! [`Transport::Encrypted`], so mode none cannot have any, and an exception for it has an end.

use std::net::IpAddr;
use std::num::NonZeroU16;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};
use waxseal_proto::name::DomainName;
use waxseal_proto::tls::mode::Mode;
use waxseal_proto::x509::Roots;

use super::text::{FieldError, HttpsUrl, OneLine};
use crate::limits::{EXCEPTION_DAYS_MAX, EXCEPTION_MAX, PINNED_KEYS_MAX, TRUST_PEM_OCTETS_MAX};

/// A server of the person's choice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomSmtp {
    /// Where it is.
    pub host: RelayHost,
    /// The port.
    pub port: NonZeroU16,
    /// How the connection is secured.
    pub transport: Transport,
    /// The name given in EHLO; `None` lets the program choose.
    pub ehlo_name: Option<DomainName>,
    /// Which addresses of the host are tried.
    pub ip_preference: IpPreference,
}

impl CustomSmtp {
    /// The security mode.
    pub const fn mode(&self) -> Mode {
        match &self.transport {
            Transport::Encrypted { mode: EncryptedMode::Starttls, .. } => Mode::Starttls,
            Transport::Encrypted { mode: EncryptedMode::Tls, .. } => Mode::Tls,
            Transport::Clear { .. } => Mode::None,
        }
    }
}

/// A host name or an address.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RelayHost {
    /// An address, without brackets.
    Address(IpAddr),
    /// A host name.
    Name(DomainName),
}

impl RelayHost {
    /// Reads a host name or an address; no port, no brackets, no URL.
    ///
    /// # Errors
    /// Any other text.
    pub fn parse(text: &str) -> Result<Self, FieldError> {
        if let Ok(address) = text.parse::<IpAddr>() {
            return Ok(Self::Address(address));
        }
        let name =
            DomainName::parse(text).map_err(|error| FieldError::new("host", error.to_string()))?;
        // RFC 1123 §2.1: the last label of a host name is not all digits.
        let last = name.labels().next_back().unwrap_or_default();
        if last.bytes().all(|octet| octet.is_ascii_digit()) {
            return Err(FieldError::new("host", "is neither a host name nor an address"));
        }
        Ok(Self::Name(name))
    }
}

impl std::fmt::Display for RelayHost {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Address(address) => address.fmt(formatter),
            Self::Name(name) => name.fmt(formatter),
        }
    }
}

/// How a connection is secured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Transport {
    /// Mode none: nothing is encrypted, and there is no sign-in.
    Clear {
        /// The owner's exception, needed for every host off loopback.
        exception: Option<ClearTextException>,
    },
    /// Nothing but EHLO and STARTTLS leaves before TLS is verified.
    Encrypted {
        /// How TLS begins.
        mode: EncryptedMode,
        /// How it signs in, if it does.
        sign_in: Option<SignIn>,
        /// What certificates it trusts.
        trust: Trust,
        /// The oldest version it speaks.
        minimum_tls: MinimumTls,
    },
}

/// The two modes that encrypt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EncryptedMode {
    /// STARTTLS, which must succeed.
    Starttls,
    /// TLS from the first octet.
    Tls,
}

/// How a connection signs in. The password or token is stored sealed and apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignIn {
    /// Which mechanism.
    pub mechanism: Mechanism,
    /// The user name.
    pub user: OneLine,
}

/// Which SASL mechanism is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mechanism {
    /// The strongest one that the server offers after TLS and that takes a password.
    Automatic,
    /// CRAM-MD5 only.
    CramMd5,
    /// LOGIN only.
    Login,
    /// PLAIN only.
    Plain,
    /// SCRAM-SHA-256 only.
    ScramSha256,
    /// XOAUTH2; the secret is a token.
    Xoauth2,
}

impl Mechanism {
    /// Every choice.
    pub const ALL: [Self; 6] = [
        Self::Automatic,
        Self::CramMd5,
        Self::Login,
        Self::Plain,
        Self::ScramSha256,
        Self::Xoauth2,
    ];

    /// The stable word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Automatic => "automatic",
            Self::CramMd5 => "cram-md5",
            Self::Login => "login",
            Self::Plain => "plain",
            Self::ScramSha256 => "scram-sha-256",
            Self::Xoauth2 => "xoauth2",
        }
    }

    /// The choice of that word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|each| each.as_str() == word)
    }
}

/// Which addresses of a host are tried, and in which order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum IpPreference {
    /// All, in the system's order.
    #[default]
    Any,
    /// IPv4 first.
    Ipv4First,
    /// IPv4 and nothing else.
    Ipv4Only,
    /// IPv6 first.
    Ipv6First,
    /// IPv6 and nothing else.
    Ipv6Only,
}

impl IpPreference {
    /// Every choice.
    pub const ALL: [Self; 5] =
        [Self::Any, Self::Ipv4First, Self::Ipv4Only, Self::Ipv6First, Self::Ipv6Only];

    /// The stable word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Any => "any",
            Self::Ipv4First => "ipv4-first",
            Self::Ipv4Only => "ipv4-only",
            Self::Ipv6First => "ipv6-first",
            Self::Ipv6Only => "ipv6-only",
        }
    }

    /// The choice of that word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|each| each.as_str() == word)
    }
}

/// The oldest TLS version that a connection speaks; older ones than 1.2 do not exist here (RFC 8996).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum MinimumTls {
    /// TLS 1.2.
    #[default]
    Tls12,
    /// TLS 1.3.
    Tls13,
}

impl MinimumTls {
    /// The stable word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tls12 => "1.2",
            Self::Tls13 => "1.3",
        }
    }

    /// The version of that word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Tls12, Self::Tls13].into_iter().find(|each| each.as_str() == word)
    }
}

/// What certificates a connection trusts. There is no choice that skips the check.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Trust {
    /// The certificates of a private authority, in place of the public roots.
    Authority(TrustPem),
    /// A certificate with one of these keys and nothing else, whatever its names, dates and issuer.
    PinnedKeys(Vec<PinnedKey>),
    /// The public roots.
    #[default]
    PublicRoots,
}

impl Trust {
    /// Trust in one to [`PINNED_KEYS_MAX`] keys.
    ///
    /// # Errors
    /// No key, or more.
    pub fn pinned(keys: Vec<PinnedKey>) -> Result<Self, FieldError> {
        if keys.is_empty() || keys.len() > PINNED_KEYS_MAX {
            let problem = format!("one to {PINNED_KEYS_MAX} keys can be pinned");
            return Err(FieldError::new("pin", problem));
        }
        Ok(Self::PinnedKeys(keys))
    }
}

/// Certificates of a private authority in PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustPem(String);

impl TrustPem {
    /// Checks that every block is a certificate that can be used as a root.
    ///
    /// # Errors
    /// Too large, a private key, or a block that is no such certificate.
    pub fn parse(text: &str) -> Result<Self, FieldError> {
        let bad = |problem: String| Err(FieldError::new("ca", problem));
        if text.len() > TRUST_PEM_OCTETS_MAX {
            return bad(format!("is larger than {TRUST_PEM_OCTETS_MAX} octets"));
        }
        // A key file given by mistake must not end up readable in the database.
        if text.contains("PRIVATE KEY") {
            return bad("holds a private key; give the certificate alone".to_owned());
        }
        match Roots::from_pem(text.as_bytes()) {
            Ok(roots) if roots.skipped() == 0 => Ok(Self(text.to_owned())),
            Ok(roots) => bad(format!("{} certificates cannot be used as a root", roots.skipped())),
            Err(error) => bad(error.to_string()),
        }
    }

    /// The PEM text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The SHA-256 of a public key as it stands in a certificate (SubjectPublicKeyInfo, RFC 5280 §4.1.2.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PinnedKey([u8; 32]);

impl PinnedKey {
    /// Reads 64 hexadecimal digits, with or without colons, or base64.
    ///
    /// # Errors
    /// Anything that is not 32 octets.
    pub fn parse(text: &str) -> Result<Self, FieldError> {
        let digits: Vec<u8> = text.bytes().filter(|octet| *octet != b':').collect();
        let hex = (digits.len() == 64)
            .then(|| digits.chunks_exact(2).map(octet_of).collect::<Option<Vec<u8>>>())
            .flatten();
        hex.or_else(|| STANDARD.decode(text).ok())
            .and_then(|octets| octets.try_into().ok())
            .map(Self)
            .ok_or_else(|| FieldError::new("pin", "is not a SHA-256 in hexadecimal or base64"))
    }

    /// The octets.
    pub const fn octets(&self) -> &[u8; 32] {
        &self.0
    }
}

fn octet_of(pair: &[u8]) -> Option<u8> {
    let text = std::str::from_utf8(pair).ok().filter(|text| !text.contains('+'))?;
    u8::from_str_radix(text, 16).ok()
}

impl std::fmt::Display for PinnedKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|octet| write!(formatter, "{octet:02x}"))
    }
}

/// The owner's decision to send without encryption for a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClearTextException(ClearTextExceptionGrant);

/// What an exception says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClearTextExceptionGrant {
    /// The provider's page that says that there is no encryption.
    pub documentation: HttpsUrl,
    /// Why.
    pub reason: OneLine,
    /// Who decided.
    pub granted_by: OneLine,
    /// When.
    pub granted_at: Timestamp,
    /// When it ends.
    pub ends_at: Timestamp,
}

impl ClearTextException {
    /// An exception that ends after it was granted and at most [`EXCEPTION_DAYS_MAX`] days later.
    ///
    /// # Errors
    /// Any other end.
    pub fn new(grant: ClearTextExceptionGrant) -> Result<Self, FieldError> {
        let lasts = grant.ends_at.duration_since(grant.granted_at);
        if lasts <= SignedDuration::ZERO {
            return Err(FieldError::new("exception", "ends before it begins"));
        }
        if lasts > EXCEPTION_MAX {
            let problem = format!("ends more than {EXCEPTION_DAYS_MAX} days from now");
            return Err(FieldError::new("exception", problem));
        }
        Ok(Self(grant))
    }

    /// What it says.
    pub const fn grant(&self) -> &ClearTextExceptionGrant {
        &self.0
    }

    /// Whether it holds at this time.
    pub fn is_in_force(&self, now: Timestamp) -> bool {
        (self.0.granted_at..self.0.ends_at).contains(&now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_names_or_addresses() {
        for good in ["smtp.example.com", "localhost", "127.0.0.1", "2001:db8::1"] {
            assert_eq!(RelayHost::parse(good).unwrap().to_string(), good);
        }
        for bad in ["", "a b", "[::1]", "a:25", "https://a.example", "1.2.3", "a\r\nb"] {
            assert!(RelayHost::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn pins_are_32_octets() {
        let hex = "ab".repeat(32);
        let colons = vec!["AB"; 32].join(":");
        let base64 = STANDARD.encode([0xab; 32]);
        for text in [&hex, &colons, &base64] {
            assert_eq!(PinnedKey::parse(text).unwrap().to_string(), hex);
        }
        for bad in ["", "ab", &"ab".repeat(33), &"+b".repeat(32), "not base64!"] {
            assert!(PinnedKey::parse(bad).is_err(), "{bad}");
        }
        assert!(Trust::pinned(Vec::new()).is_err());
        assert!(Trust::pinned(vec![PinnedKey([1; 32]); PINNED_KEYS_MAX + 1]).is_err());
    }

    #[test]
    fn trust_takes_certificates_and_nothing_else() {
        let key = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
        assert!(TrustPem::parse(key).unwrap_err().problem.contains("private key"));
        for bad in ["", "hello", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
            assert!(TrustPem::parse(bad).is_err(), "{bad}");
        }
        assert!(TrustPem::parse(&"x".repeat(TRUST_PEM_OCTETS_MAX + 1)).is_err());
    }

    #[test]
    fn an_exception_ends_within_90_days() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let grant = |ends_at| ClearTextExceptionGrant {
            documentation: HttpsUrl::parse("page", "https://docs.example.com/smtp").unwrap(),
            reason: OneLine::parse("reason", "the device speaks no TLS").unwrap(),
            granted_by: OneLine::parse("by", "owner").unwrap(),
            granted_at: at("2026-01-01T00:00:00Z"),
            ends_at,
        };
        for bad in ["2025-12-31T00:00:00Z", "2026-01-01T00:00:00Z", "2026-04-01T00:00:01Z"] {
            assert!(ClearTextException::new(grant(at(bad))).is_err(), "{bad}");
        }
        let longest = ClearTextException::new(grant(at("2026-04-01T00:00:00Z"))).unwrap();
        for (time, in_force) in [
            ("2025-12-31T23:59:59Z", false),
            ("2026-01-01T00:00:00Z", true),
            ("2026-03-31T23:59:59Z", true),
            ("2026-04-01T00:00:00Z", false),
        ] {
            assert_eq!(longest.is_in_force(at(time)), in_force, "{time}");
        }
    }
}
