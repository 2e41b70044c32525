//! Certificate chains as a mail client must judge them (RFC 5280 §6.1, RFC 9525, CA/B Forum TLS BR):
//! one question in, *all* faults out. The strict verdict is rustls-webpki's; the single faults come from
//! steps that do not depend on one another, so that an expired certificate for another name from an
//! unknown issuer is reported as three faults. Nothing is fetched here. The way in is [`judge`];
//! [`inspect`] only shows what a certificate says. Invariant: `valid` holds exactly when `faults` is empty.

mod chain;
mod fault;
mod judge;
mod name;
mod path;
mod profile;
mod reference;
mod revocation;
mod roots;
mod seen;
mod staple;
mod strict;
mod trust;

pub use fault::{Constraint, Fault, Issuing, Warning};
pub use judge::{ChainQuery, ChainVerdict, judge};
pub use name::{NameMatch, match_dns};
pub use profile::ProfileRule;
pub use reference::ReferenceId;
pub use revocation::read_revocation_lists;
pub use roots::{Roots, RootsError};
pub(crate) use seen::bit_length;
pub use seen::{
    CertificateFileError, CertificateSeen, KeyKind, KeySeen, inspect, read_certificates,
};
pub use staple::{StapleAnswer, read_staple};

#[cfg(test)]
mod tests;
