//! Why a DNS world could not be started: mistakes in its description, or the machine refusing a
//! socket. Answers that are wrong on purpose are not errors.

/// What is wrong with a [`DnsConfig`](super::DnsConfig), or what the machine refused.
#[derive(Debug, thiserror::Error)]
pub enum DnsError {
    /// A name that cannot be a domain name.
    #[error("{what}: \"{text}\" is not a domain name")]
    Name {
        /// Where the name stands.
        what: &'static str,
        /// The text as given.
        text: String,
        /// What the parser said.
        source: hickory_proto::ProtoError,
    },
    /// A record line that cannot be read.
    #[error("zone {zone}: record \"{line}\": {reason}")]
    Record {
        /// The zone's origin.
        zone: String,
        /// The line as given, shortened.
        line: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The same zone is described twice.
    #[error("zone {zone} is described twice")]
    DuplicateZone {
        /// The zone's origin.
        zone: String,
    },
    /// A description that contradicts itself or names something unknown.
    #[error("{what}: {reason}")]
    Config {
        /// Which part of the description.
        what: String,
        /// What is wrong with it.
        reason: String,
    },
    /// More of something than the lab allows.
    #[error("{what}: at most {max} are allowed")]
    Limit {
        /// What there is too much of.
        what: String,
        /// The limit.
        max: usize,
    },
    /// Making a key or a signature failed.
    #[error("zone {zone}: cannot make a key or sign")]
    Signing {
        /// The zone's origin.
        zone: String,
        /// What the signer said.
        source: hickory_proto::dnssec::DnsSecError,
    },
    /// No loopback socket could be had.
    #[error("cannot open a name server socket on loopback")]
    Socket(#[source] std::io::Error),
}
