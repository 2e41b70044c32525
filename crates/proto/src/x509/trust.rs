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
    match from_elsewhere(query) {
        Elsewhere::Completes => return Some(missing(Issuing::Proven)),
        Elsewhere::Ends { issuer } => {
            return Some(Fault::PrivateCa { issuer, root_presented: false });
        }
        Elsewhere::Nothing => {}
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

/// What certificates from elsewhere add to the chain.
enum Elsewhere {
    /// They lead to a root.
    Completes,
    /// The issuer is among them, and the path ends below this other one, which is no root.
    Ends {
        /// The last issuer named.
        issuer: String,
    },
    /// There are none, or none that fits.
    Nothing,
}

fn from_elsewhere(query: &ChainQuery<'_>) -> Elsewhere {
    if query.extra_intermediates.is_empty() {
        return Elsewhere::Nothing;
    }
    let presented: Vec<Readable<'_>> =
        query.chain.iter().filter_map(|der| Readable::read(der).ok()).collect();
    let own = presented.len();
    let fetched = query
        .extra_intermediates
        .iter()
        .filter_map(|der| Readable::read(der).ok())
        .filter(|readable| readable.refusal.is_none());
    let together: Vec<Readable<'_>> = presented
        .into_iter()
        .chain(fetched)
        .take(crate::limits::X509_CHAIN_CERTIFICATES_MAX)
        .collect();
    let found = path::find(&together, query.roots, query.now);
    if found.root.is_some() {
        return Elsewhere::Completes;
    }
    let top = found.certificates.last().filter(|index| **index >= own);
    // Where the fetched one names an issuer to fetch in turn, the path may still go on.
    top.and_then(|index| together.get(*index))
        .filter(|top| top.seen.ca_issuers.is_empty() || top.seen.self_signed)
        .map_or(Elsewhere::Nothing, |top| Elsewhere::Ends { issuer: top.seen.issuer.clone() })
}
