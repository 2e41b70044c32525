//! A path from leaf to root without regard to dates, purposes and constraints (RFC 4158 §2): only names
//! and signatures. It serves to say *which* certificate of a failed chain is at fault; whether a chain is
//! trusted is never decided here. Searches are bounded by steps, depth and signatures.

use std::collections::BTreeMap;

use jiff::Timestamp;
use x509_parser::certificate::X509Certificate;
use x509_parser::error::X509Error;
use x509_parser::prelude::FromDer;
use x509_parser::x509::SubjectPublicKeyInfo;

use super::chain::Readable;
use super::roots::Roots;
use super::seen::{KeyKind, key_seen};
use crate::limits::{X509_PATH_CERTIFICATES_MAX, X509_PATH_SIGNATURES_MAX, X509_PATH_STEPS_MAX};

/// Bits under which an RSA key is too weak to be computed with (RFC 9325 §4.5).
pub(super) const RSA_BITS_MIN: u32 = 2048;

/// What computing a signature showed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Signature {
    /// Does not verify.
    Bad,
    /// Verifies.
    Good,
    /// Not computed: algorithm, key or budget do not allow it.
    Unknown,
}

/// Verifies the signature of `certificate` with the key of its issuer.
pub(super) fn check_signature(
    certificate: &X509Certificate<'_>,
    issuer: &SubjectPublicKeyInfo<'_>,
) -> Signature {
    let key = key_seen(issuer);
    if key.kind == KeyKind::Rsa && key.bits < RSA_BITS_MIN {
        return Signature::Unknown;
    }
    match certificate.verify_signature(Some(issuer)) {
        Ok(()) => Signature::Good,
        Err(X509Error::SignatureVerificationError) => Signature::Bad,
        Err(_) => Signature::Unknown,
    }
}

/// What the search found.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Places in the chain, leaf first.
    pub(super) certificates: Vec<usize>,
    /// The root it reaches.
    pub(super) root: Option<usize>,
    /// A certificate whose signature verifies with the key of none that bears its issuer's name.
    pub(super) bad_signature: Option<usize>,
    /// The search was cut off.
    pub(super) exhausted: bool,
}

/// Searches the best path from `certificates[0]`: one that reaches a root before one that does not, then
/// the one with the fewest faults at `now`, then the shorter (with a root) or longer (without).
pub(super) fn find(certificates: &[Readable<'_>], roots: &Roots, now: Timestamp) -> Found {
    let mut search = Search {
        certificates,
        roots,
        now,
        steps: 0,
        signatures: BTreeMap::new(),
        best: None,
        found: Found::default(),
    };
    search.walk(&mut vec![0]);
    let mut found = search.found;
    if let Some((_, path, root)) = search.best {
        found.certificates = path;
        found.root = root;
    }
    found
}

/// How good a path is; smaller is better.
type Score = (bool, usize, usize);

struct Search<'a> {
    certificates: &'a [Readable<'a>],
    roots: &'a Roots,
    now: Timestamp,
    steps: usize,
    /// By (certificate, issuer); roots are counted on after the certificates.
    signatures: BTreeMap<(usize, usize), Signature>,
    best: Option<(Score, Vec<usize>, Option<usize>)>,
    found: Found,
}

impl Search<'_> {
    fn walk(&mut self, path: &mut Vec<usize>) {
        self.steps += 1;
        if self.steps > X509_PATH_STEPS_MAX || path.len() > X509_PATH_CERTIFICATES_MAX {
            self.found.exhausted |= self.steps > X509_PATH_STEPS_MAX;
            return;
        }
        let certificates = self.certificates;
        let Some((top, readable)) =
            path.last().and_then(|top| certificates.get(*top).map(|readable| (*top, readable)))
        else {
            return;
        };
        let (mut ends_here, mut bad) = (true, false);
        for index in 0..self.roots.len() {
            let anchor = self.roots.anchors().get(index);
            let Some(anchor) = anchor.filter(|anchor| anchor.subject.as_ref() == readable.issuer())
            else {
                continue;
            };
            let spki = webpki::spki_for_anchor(anchor);
            let signature = self.signature(top, certificates.len() + index, spki.as_ref());
            if signature == Signature::Bad {
                bad = true;
            } else {
                ends_here = false;
                self.consider(path, Some(index));
            }
        }
        for (index, issuer) in certificates.iter().enumerate().skip(1) {
            if path.contains(&index) || issuer.subject() != readable.issuer() {
                continue;
            }
            let spki = issuer.certificate.public_key().raw;
            if self.signature(top, index, spki) == Signature::Bad {
                bad = true;
            } else {
                ends_here = false;
                path.push(index);
                self.walk(path);
                path.pop();
            }
        }
        if ends_here {
            if bad && self.found.bad_signature.is_none() {
                self.found.bad_signature = Some(top);
            }
            self.consider(path, None);
        }
    }

    /// What the key `spki` of the issuer at `issuer` makes of the signature on the certificate at `at`.
    fn signature(&mut self, at: usize, issuer: usize, spki: &[u8]) -> Signature {
        let Some(readable) = self.certificates.get(at) else {
            return Signature::Unknown;
        };
        let computed = self.signatures.len();
        *self.signatures.entry((at, issuer)).or_insert_with(
            || match SubjectPublicKeyInfo::from_der(spki) {
                Ok((_, spki)) if computed < X509_PATH_SIGNATURES_MAX => {
                    check_signature(&readable.certificate, &spki)
                }
                Ok(_) | Err(_) => Signature::Unknown,
            },
        )
    }

    fn consider(&mut self, path: &[usize], root: Option<usize>) {
        let faults = path
            .iter()
            .skip(1)
            .filter_map(|index| self.certificates.get(*index))
            .filter(|readable| {
                !readable.seen.is_ca
                    || self.now > readable.seen.not_after
                    || self.now < readable.seen.not_before
            })
            .count();
        let length = if root.is_some() {
            path.len()
        } else {
            X509_PATH_CERTIFICATES_MAX.saturating_sub(path.len())
        };
        let score = (root.is_none(), faults, length);
        if self.best.as_ref().is_none_or(|(best, _, _)| score < *best) {
            self.best = Some((score, path.to_vec(), root));
        }
    }
}
