//! The name in the certificate against the name looked for (RFC 9525 §6): the match is the validator's, and
//! a miss is told apart by its kind, because each has another remedy. Nothing else is judged here.

use std::net::IpAddr;

use rustls_pki_types::{CertificateDer, DnsName, ServerName};
use webpki::EndEntityCert;

use super::chain::Readable;
use super::fault::Fault;
use super::name::{WildcardMiss, is_presented_valid, match_dns, wildcard_miss};
use super::seen::CertificateSeen;
use crate::name::DomainName;

/// Whose certificate it should be (RFC 9525 §6.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReferenceId {
    /// A host name.
    Dns(DomainName),
    /// An address.
    Ip(IpAddr),
    /// A text that is neither: no certificate is for it (RFC 9525 §6.2 needs a host name).
    NoHostName(String),
}

/// Whether the leaf is for the reference, by the validator (RFC 9525 §6.3 and §6.4). A leaf that the
/// validator refuses is compared here, so that the refusal is not taken for a wrong name as well.
pub(super) fn name_matches(leaf: &Readable<'_>, reference: &ReferenceId) -> bool {
    let der = CertificateDer::from(leaf.der);
    let Ok(leaf) = EndEntityCert::try_from(&der) else {
        return names_of_refused(&leaf.seen, reference);
    };
    let server_name = match reference {
        ReferenceId::Dns(name) => match DnsName::try_from(name.as_str()) {
            Ok(name) => ServerName::DnsName(name),
            Err(_) => return false,
        },
        ReferenceId::Ip(address) => ServerName::IpAddress((*address).into()),
        ReferenceId::NoHostName(_) => return false,
    };
    leaf.verify_is_valid_for_subject_name(&server_name).is_ok()
}

/// The same comparison without the validator.
fn names_of_refused(leaf: &CertificateSeen, reference: &ReferenceId) -> bool {
    match reference {
        ReferenceId::Dns(name) => {
            leaf.dns_names.iter().any(|presented| match_dns(presented, name.as_str()).matches)
        }
        ReferenceId::Ip(address) => leaf.ip_addresses.contains(address),
        ReferenceId::NoHostName(_) => false,
    }
}

/// Which kind of mismatch it is.
pub(super) fn name_fault(leaf: &CertificateSeen, reference: &ReferenceId) -> Fault {
    let presented: Vec<String> = leaf
        .dns_names
        .iter()
        .cloned()
        .chain(leaf.ip_addresses.iter().map(ToString::to_string))
        .collect();
    let name = match reference {
        ReferenceId::Dns(name) => name.as_str(),
        ReferenceId::Ip(address) => {
            return Fault::IpOnly { reference: *address, presented };
        }
        ReferenceId::NoHostName(_) => return Fault::NameMismatch { presented },
    };
    for identifier in leaf.dns_names.iter().filter(|name| name.contains('*')) {
        match wildcard_miss(identifier, name) {
            Some(WildcardMiss::Depth) => {
                return Fault::WildcardDepth { presented: identifier.clone() };
            }
            Some(WildcardMiss::Malformed) if !is_presented_valid(identifier) => {
                return Fault::WildcardMalformed { presented: identifier.clone() };
            }
            Some(WildcardMiss::Malformed) | None => {}
        }
    }
    let common_name = leaf
        .common_names
        .iter()
        .find(|common_name| match_dns(common_name, name).matches && leaf.dns_names.is_empty());
    match common_name {
        Some(common_name) => Fault::CommonNameOnly { common_name: common_name.clone() },
        None => Fault::NameMismatch { presented },
    }
}
