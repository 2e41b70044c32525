//! Why no root is reached (RFC 5280 §6.1, RFC 9846 §4.5.1): self-signed, private authority, missing
//! intermediate, or simply unknown. Looks at names, signatures and pointers only; dates do not matter here.

use super::chain::Readable;
use super::fault::{Fault, Issuing};
use super::judge::ChainQuery;
use super::path::{self, Found};

/// The fault of a chain that reaches no root; `found` is the best path there is.
pub(super) fn classify(
    query: &ChainQuery<'_>,
    certificates: &[Readable<'_>],
    found: &Found,
) -> Option<Fault> {
    let leaf = certificates.first()?;
    if leaf.seen.self_signed {
        return Some(Fault::SelfSigned);
    }
    let top = found.certificates.last().and_then(|index| certificates.get(*index))?;
    if let Some(subject) = found
        .bad_signature
        .and_then(|index| certificates.get(index))
        .map(|readable| readable.seen.subject.clone())
    {
        return Some(Fault::BadSignature { subject });
    }
    if top.seen.self_signed {
        return Some(Fault::PrivateCa { issuer: top.seen.subject.clone(), root_presented: true });
    }
    let missing = |issuing| Fault::MissingIntermediate {
        issuer: top.seen.issuer.clone(),
        aia: top.seen.ca_issuers.clone(),
        issuing,
    };
    if completes(query) {
        return Some(missing(Issuing::Proven));
    }
    let alone = found.certificates.len() == 1;
    if alone && !top.seen.ca_issuers.is_empty() {
        return Some(missing(Issuing::Announced));
    }
    if found.exhausted {
        return Some(Fault::TooComplex);
    }
    if alone {
        return Some(Fault::UnknownIssuer { issuer: top.seen.issuer.clone() });
    }
    Some(Fault::PrivateCa { issuer: top.seen.issuer.clone(), root_presented: false })
}

/// Whether the certificates from elsewhere lead to a root.
fn completes(query: &ChainQuery<'_>) -> bool {
    if query.extra_intermediates.is_empty() {
        return false;
    }
    let together: Vec<Readable<'_>> = query
        .chain
        .iter()
        .chain(query.extra_intermediates)
        .take(crate::limits::X509_CHAIN_CERTIFICATES_MAX)
        .filter_map(|der| Readable::read(der).ok())
        .collect();
    path::find(&together, query.roots, query.now).root.is_some()
}
