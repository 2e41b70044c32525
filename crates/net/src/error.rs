//! What can go wrong on our own side. A peer's fault is never one of these: it is part of an answer.
//! Each error names the option or setting that the user can change.

/// Waxseal could not do its own job.
#[derive(Debug, thiserror::Error)]
pub enum NetError {
    /// A `--connect` rule does not read as `HOST[:PORT]=IP:PORT`.
    #[error("connect rule {rule:?}: {problem}")]
    ConnectRule {
        /// The rule as given.
        rule: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// The system's resolver settings could not be read.
    #[error("the system's resolver settings cannot be read; name one with --resolver IP:PORT")]
    ResolverSettings(#[source] hickory_net::NetError),
    /// The resolver could not be set up.
    #[error("the resolver cannot be set up")]
    Resolver(#[source] hickory_net::NetError),
    /// A file of roots holds no usable certificate.
    #[error("roots: {problem}")]
    Roots {
        /// What is wrong with it.
        problem: String,
    },
    /// TLS could not be set up.
    #[error("tls cannot be set up: {problem}")]
    Tls {
        /// The library's own word.
        problem: String,
    },
    /// A DNSSEC trust anchor does not read as DNSKEY records.
    #[error("trust anchor: {problem}")]
    TrustAnchor {
        /// What is wrong with it.
        problem: String,
    },
    /// A zone file cannot be used.
    #[error("zone file: {problem}")]
    ZoneFile {
        /// What is wrong with it, naming the record.
        problem: String,
    },
}
