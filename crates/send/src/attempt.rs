//! One attempt as a value (RFC 6409, RFC 8314 §3): over which connection, secured how, and what for. `net`
//! carries it out and adds nothing. The way in is [`SmtpAttempt`]. Keep: trust can be narrowed to one
//! authority or to keys, and never switched off.

use std::net::IpAddr;

use waxseal_proto::name::DomainName;
use waxseal_proto::smtp::command::EhloName;
use waxseal_proto::smtp::submission::{Goal, Security};

/// Over which connection, and what for.
#[derive(Clone, Debug)]
pub struct SmtpAttempt {
    /// The host, which the certificate must name exactly.
    pub host: Host,
    /// The port, as stored; nothing is derived from it.
    pub port: u16,
    /// The name given in EHLO; the one the world found for itself if absent.
    pub ehlo_name: Option<EhloName>,
    /// Which addresses of the host are tried first.
    pub family: Family,
    /// Whom the server must be vouched for by.
    pub trust: Trust,
    /// The security mode and the sign-in.
    pub security: Security,
    /// What for.
    pub goal: Goal,
}

/// A host of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Host {
    /// An address, for a server without a name.
    Address(IpAddr),
    /// A name.
    Name(DomainName),
}

/// Which addresses of a host are tried first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Family {
    /// As the resolver gives them, IPv6 first.
    #[default]
    Any,
    /// IPv4, then IPv6.
    Ipv4First,
    /// IPv4 and nothing else.
    Ipv4Only,
    /// IPv6 and nothing else.
    Ipv6Only,
}

/// Whom a server must be vouched for by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Trust {
    /// These certificates (PEM) in place of the public roots, for a private server.
    Authority(Vec<u8>),
    /// The SHA-256 of each public key (SubjectPublicKeyInfo, DER) the server may have, the one in use and its
    /// successors; name and dates of the certificate are then not looked at, because the key itself is the
    /// identity. No key, no server.
    PinnedKeys(Vec<[u8; 32]>),
    /// The roots of the world.
    #[default]
    PublicRoots,
}
