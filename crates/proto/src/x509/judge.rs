//! The judgement of a presented chain (RFC 5280 §6.1, RFC 9525 §6, rules of the CA/B Forum TLS BR as
//! warnings). Order of work: read, strict verdict by rustls-webpki, then each cause by itself: dates, name,
//! trust, constraints, revocation, keys. Nothing is fetched and no clock is read. The way in is [`judge`].
//! Invariant: without faults of our own the strict verdict stands, and `valid` never exceeds it.

use jiff::Timestamp;
use rustls_pki_types::CertificateDer;
use webpki::{Error, ExpirationPolicy, UnknownStatusPolicy};

use super::chain::Readable;
use super::fault::{Constraint, Fault, Warning};
use super::path::{self, Found, RSA_BITS_MIN};
use super::profile;
use super::reference::{ReferenceId, name_fault, name_matches};
use super::revocation::{RevocationLists, options};
use super::roots::Roots;
use super::seen::{CertificateSeen, KeyKind, KeySeen, is_weak_signature, key_seen};
use super::strict::{Run, StrictError, StrictPath, unix_time};
use super::trust;
use crate::limits::X509_CHAIN_CERTIFICATES_MAX;

/// Bits under which an elliptic curve key is too weak (CA/B Forum TLS BR §6.1.5, RFC 9325 §4.5).
const EC_BITS_MIN: u32 = 224;

/// One question about one chain.
#[derive(Clone, Copy, Debug)]
pub struct ChainQuery<'a> {
    /// DER certificates as presented, leaf first.
    pub chain: &'a [Vec<u8>],
    /// The trusted roots.
    pub roots: &'a Roots,
    /// Whose certificate it should be; `None` leaves the name out.
    pub reference: Option<&'a ReferenceId>,
    /// The time to judge at.
    pub now: Timestamp,
    /// DER revocation lists; none given means revocation is not looked at.
    pub crls: &'a [Vec<u8>],
    /// Intermediates allowed between leaf and root, self-issued ones not counted (RFC 5280 §6.1.4 (l)).
    pub max_depth: Option<usize>,
    /// Certificates from elsewhere. They only help to tell what is missing, never make a chain valid.
    pub extra_intermediates: &'a [Vec<u8>],
}

/// The answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainVerdict {
    /// Whether a TLS client must accept the chain for the reference name.
    pub valid: bool,
    /// Everything that speaks against it, in the order of [`Fault::error_word`]'s list.
    pub faults: Vec<Fault>,
    /// What is worth showing besides.
    pub warnings: Vec<Warning>,
    /// Subjects of the path found, leaf to root; without root where none was reached.
    pub path: Vec<String>,
    /// Whether the leaf is for the reference; `None` without a reference or a readable leaf.
    pub name_match: Option<bool>,
    /// The presented certificates that can be read, in order.
    pub certificates: Vec<CertificateSeen>,
}

impl ChainVerdict {
    /// The contract words of the faults, each once, in the fixed order.
    pub fn error_words(&self) -> Vec<&'static str> {
        let mut words: Vec<&'static str> = self.faults.iter().map(Fault::error_word).collect();
        words.dedup();
        words
    }
}

/// Judges a chain. All faults are found independently of one another.
pub fn judge(query: &ChainQuery<'_>) -> ChainVerdict {
    let mut work = Work::read(query);
    if work.certificates.is_empty() {
        return work.verdict(None);
    }
    let strict = work.strict();
    work.judge_leaf();
    let name_match = work.judge_name();
    match &strict {
        Ok(path) => work.note_valid_path(path),
        Err(error) => work.diagnose(error),
    }
    work.judge_revocation(&strict);
    profile::chain_warnings(query, &work.certificates, &mut work.warnings);
    work.verdict(name_match)
}

/// The work on one question.
struct Work<'a> {
    query: &'a ChainQuery<'a>,
    /// Readable certificates; empty when the leaf is not readable.
    certificates: Vec<Readable<'a>>,
    lists: RevocationLists,
    faults: Vec<Fault>,
    /// Unreadable certificates after the leaf.
    unreadable: Vec<(usize, String)>,
    warnings: Vec<Warning>,
    path: Vec<String>,
}

impl<'a> Work<'a> {
    fn read(query: &'a ChainQuery<'a>) -> Self {
        let mut work = Self {
            query,
            certificates: Vec::new(),
            lists: RevocationLists::read(query.crls),
            faults: Vec::new(),
            unreadable: Vec::new(),
            warnings: Vec::new(),
            path: Vec::new(),
        };
        if query.chain.is_empty() {
            work.faults.push(Fault::Unparsable {
                position: None,
                detail: "no certificate was presented".to_owned(),
            });
        }
        if query.chain.len() > X509_CHAIN_CERTIFICATES_MAX {
            work.faults.push(Fault::ChainTooLong {
                certificates: query.chain.len(),
                limit: X509_CHAIN_CERTIFICATES_MAX,
            });
        }
        let read = query.chain.iter().take(X509_CHAIN_CERTIFICATES_MAX);
        for (position, der) in read.enumerate() {
            match Readable::read(der) {
                Ok(readable) if position == 0 => {
                    let refusal = readable
                        .refusal
                        .clone()
                        .map(|detail| Fault::Unparsable { position: Some(position), detail });
                    work.faults.extend(refusal);
                    work.certificates.push(readable);
                }
                Ok(Readable { refusal: Some(detail), .. }) => {
                    work.unreadable.push((position, detail));
                }
                Ok(readable) => work.certificates.push(readable),
                Err(detail) if position == 0 => {
                    work.faults.push(Fault::Unparsable { position: Some(position), detail });
                    return work;
                }
                Err(detail) => work.unreadable.push((position, detail)),
            }
        }
        work
    }

    /// The strict verdict. Lists are read for what they revoke, whatever their age.
    fn strict(&self) -> Result<StrictPath, StrictError> {
        let lists = self.lists.borrowed();
        self.run().validate(
            unix_time(self.query.now),
            options(&lists, UnknownStatusPolicy::Allow, ExpirationPolicy::Ignore),
        )
    }

    fn run(&self) -> Run<'_> {
        let leaf = self.certificates.first().map_or(&[][..], |leaf| leaf.der);
        Run {
            leaf: CertificateDer::from(leaf),
            intermediates: self
                .certificates
                .iter()
                .skip(1)
                .map(|readable| CertificateDer::from(readable.der))
                .collect(),
            roots: self.query.roots,
            max_depth: self.query.max_depth,
        }
    }

    /// What the leaf alone shows: dates, key, signature algorithm, purpose.
    fn judge_leaf(&mut self) {
        let Some(leaf) = self.certificates.first().map(|leaf| &leaf.seen) else {
            return;
        };
        if self.query.now > leaf.not_after {
            self.faults.push(Fault::Expired { not_after: leaf.not_after });
        }
        if self.query.now < leaf.not_before {
            self.faults.push(Fault::NotYetValid { not_before: leaf.not_before });
        }
        self.faults.extend(key_fault(&leaf.subject, &leaf.key));
        self.faults.extend(signature_fault(leaf));
        self.faults.extend(purpose_fault(leaf));
    }

    /// The name alone.
    fn judge_name(&mut self) -> Option<bool> {
        let reference = self.query.reference?;
        let leaf = self.certificates.first()?;
        let matches = name_matches(leaf, reference);
        if !matches {
            self.faults.push(name_fault(&leaf.seen, reference));
        }
        Some(matches)
    }

    /// The chain is valid: its path, and what was not needed for it.
    fn note_valid_path(&mut self, strict: &StrictPath) {
        let mut on_path = Vec::new();
        for der in &strict.certificates {
            let readable = self.certificates.iter().find(|one| one.der == der);
            if let Some(readable) = readable {
                self.path.push(readable.seen.subject.clone());
                profile::certificate_warnings(&readable.certificate, &mut self.warnings);
                on_path.push(readable.der);
            }
        }
        self.note_root(strict.root);
        for readable in self.certificates.iter().skip(1) {
            let seen = &readable.seen;
            if self.query.now > seen.not_after && !on_path.contains(&readable.der) {
                self.warnings.push(Warning::IntermediateExpired {
                    subject: seen.subject.clone(),
                    not_after: seen.not_after,
                });
            }
        }
        for (position, detail) in self.unreadable.drain(..) {
            self.warnings.push(Warning::UnreadableExtra { position, detail });
        }
    }

    fn note_root(&mut self, root: usize) {
        self.path.push(self.query.roots.subject(root));
        if let Some(der) = self.query.roots.certificate(root) {
            profile::root_warnings(der, &mut self.warnings);
        }
    }

    /// The chain is not valid: every cause by itself.
    fn diagnose(&mut self, strict: &StrictError) {
        let found = path::find(&self.certificates, self.query.roots, self.query.now);
        let on_path: Vec<usize> = found.certificates.clone();
        for index in on_path {
            self.judge_path_certificate(index);
        }
        if let Some(root) = found.root {
            self.note_root(root);
            self.judge_root_key(root);
            self.judge_constraints(&found);
        } else if let Some((position, detail)) = self.unreadable.first().cloned() {
            // A certificate that cannot be read may be the one that is missing.
            self.faults.push(Fault::Unparsable { position: Some(position), detail });
        } else {
            self.faults.extend(trust::classify(self.query, &self.certificates, &found));
        }
        if let Some(subject) = strict.not_a_signer.clone() {
            self.faults
                .push(Fault::ConstraintViolated { constraint: Constraint::KeyUsage, subject });
        }
        if strict.depth_hit {
            self.faults.push(Fault::DepthExceeded { limit: self.query.max_depth });
        }
        let leaf = self.certificates.first().map(|leaf| &leaf.seen.subject);
        let explained = self.faults.iter().any(|fault| {
            // The validator looks at no name and not at the leaf's own key.
            let key_of_leaf =
                matches!(fault, Fault::WeakKey { subject, .. } if Some(subject) == leaf);
            fault.error_word() != "name-mismatch" && !key_of_leaf
        });
        if !explained {
            self.faults.push(self.validator_fault(&strict.error));
        }
    }

    /// Dates, key and signature algorithm of one certificate of the best path.
    fn judge_path_certificate(&mut self, index: usize) {
        let Some(seen) = self.certificates.get(index).map(|one| &one.seen) else {
            return;
        };
        self.path.push(seen.subject.clone());
        if index == 0 {
            return;
        }
        let subject = seen.subject.clone();
        if self.query.now > seen.not_after {
            self.faults.push(Fault::IntermediateExpired {
                subject: subject.clone(),
                not_after: seen.not_after,
            });
        }
        if self.query.now < seen.not_before {
            self.faults.push(Fault::IntermediateNotYetValid {
                subject: subject.clone(),
                not_before: seen.not_before,
            });
        }
        if !seen.is_ca {
            self.faults.push(Fault::ConstraintViolated { constraint: Constraint::NotACa, subject });
        }
        self.faults.extend(key_fault(&seen.subject, &seen.key));
        // A root's own signature is never computed.
        if !seen.self_signed {
            self.faults.extend(signature_fault(seen));
        }
    }

    /// The root's key, which the validator refuses without saying so.
    fn judge_root_key(&mut self, root: usize) {
        let Some(anchor) = self.query.roots.anchors().get(root) else {
            return;
        };
        let spki = webpki::spki_for_anchor(anchor);
        if let Some(key) = read_key(spki.as_ref()) {
            let subject = self.query.roots.subject(root);
            self.faults.extend(key_fault(&subject, &key));
        }
    }

    /// Constraints and purposes on the best path, at a time at which all its certificates are valid.
    fn judge_constraints(&mut self, found: &Found) {
        let on_path: Vec<&Readable<'_>> =
            found.certificates.iter().filter_map(|index| self.certificates.get(*index)).collect();
        let from = on_path.iter().map(|one| one.seen.not_before).max();
        let until = on_path.iter().map(|one| one.seen.not_after).min();
        let (Some(from), Some(until)) = (from, until) else {
            return;
        };
        let time = if from <= until { self.query.now.clamp(from, until) } else { self.query.now };
        let mut run = self.run();
        run.intermediates =
            on_path.iter().skip(1).map(|one| CertificateDer::from(one.der)).collect();
        let fault = run
            .validate(unix_time(time), None)
            .err()
            .filter(|refused| !refused.depth_hit && refused.not_a_signer.is_none())
            .filter(|refused| !is_date_or_issuer(&refused.error))
            .map(|refused| self.validator_fault(&refused.error));
        let known = |fault: &Fault| {
            self.faults
                .iter()
                .any(|known| std::mem::discriminant(known) == std::mem::discriminant(fault))
        };
        // The validator's view of algorithms is coarser than what the keys themselves showed.
        let coarse = |fault: &Fault| {
            matches!(fault, Fault::BadSignature { .. } | Fault::UnsupportedAlgorithm { .. })
                && self.faults.iter().any(|known| {
                    matches!(known, Fault::WeakKey { .. } | Fault::WeakSignature { .. })
                })
        };
        if let Some(fault) = fault.filter(|fault| !known(fault) && !coarse(fault)) {
            self.faults.push(fault);
        }
    }

    /// Revocation lists that cannot be used, that revoke, or that settle nothing.
    fn judge_revocation(&mut self, strict: &Result<StrictPath, StrictError>) {
        let unusable = std::mem::take(&mut self.lists.faults);
        self.faults.extend(unusable);
        let lists = self.lists.borrowed();
        if lists.is_empty() {
            return;
        }
        let time = unix_time(self.query.now);
        let deny = options(&lists, UnknownStatusPolicy::Deny, ExpirationPolicy::Enforce);
        let Ok(path) = strict else {
            if self.revoked_on_best_path() && !self.faults.contains(&Fault::Revoked) {
                self.faults.push(Fault::Revoked);
            }
            return;
        };
        let root = self.query.roots.certificate(path.root);
        let refused = root.and_then(|der| self.lists.issuer_not_allowed(der));
        let reason = match self.run().validate(time, deny).map_err(|refused| refused.error) {
            Err(Error::UnknownRevocationStatus) => Some("no list covers the whole path"),
            Err(Error::CrlExpired { .. }) => Some("a list is out of date"),
            Ok(_) | Err(_) => None,
        };
        self.warnings
            .extend(reason.map(|reason| Warning::RevocationUnknown { reason: reason.to_owned() }));
        self.faults.extend(refused);
    }

    /// Whether the lists revoke a certificate of the best path, whatever else is wrong with it.
    fn revoked_on_best_path(&self) -> bool {
        let found = path::find(&self.certificates, self.query.roots, self.query.now);
        let on_path =
            |at: usize| found.certificates.get(at).and_then(|index| self.certificates.get(*index));
        (0..found.certificates.len()).any(|at| {
            let Some(readable) = on_path(at) else {
                return false;
            };
            let root = found.root.and_then(|root| self.query.roots.anchors().get(root));
            let key = match (on_path(at + 1), root) {
                (Some(issuer), _) => issuer.certificate.public_key().raw.to_vec(),
                (None, Some(anchor)) => webpki::spki_for_anchor(anchor).as_ref().to_vec(),
                (None, None) => return false,
            };
            self.lists.revokes(&readable.certificate, &key)
        })
    }

    /// The validator's error as a fault.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the validator's error enum is non-exhaustive"
    )]
    fn validator_fault(&self, error: &Error) -> Fault {
        let leaf = self.certificates.first().map(|leaf| &leaf.seen);
        let subject = leaf.map(|leaf| leaf.subject.clone()).unwrap_or_default();
        let violated =
            |constraint| Fault::ConstraintViolated { constraint, subject: subject.clone() };
        match error {
            Error::CaUsedAsEndEntity => violated(Constraint::CaAsLeaf),
            Error::CertDistrusted => Fault::Distrusted,
            Error::CertRevoked => Fault::Revoked,
            Error::EmptyEkuExtension | Error::RequiredEkuNotFoundContext(_) => {
                Fault::WrongPurpose {
                    subject,
                    purposes: leaf
                        .and_then(|leaf| leaf.extended_key_usages.clone())
                        .unwrap_or_default(),
                }
            }
            Error::EndEntityUsedAsCa => violated(Constraint::NotACa),
            Error::InvalidSignatureForPublicKey => Fault::BadSignature { subject },
            Error::InvalidCrlSignatureForPublicKey
            | Error::IssuerNotCrlSigner
            | Error::UnsupportedCrlIssuingDistributionPoint
            | Error::UnsupportedCrlSignatureAlgorithmContext(_)
            | Error::UnsupportedCrlSignatureAlgorithmForPublicKeyContext(_) => {
                Fault::CrlUnusable { reason: format!("{error:?}") }
            }
            Error::MaximumPathBuildCallsExceeded
            | Error::MaximumNameConstraintComparisonsExceeded
            | Error::MaximumSignatureChecksExceeded => Fault::TooComplex,
            Error::MaximumPathDepthExceeded => Fault::DepthExceeded { limit: None },
            Error::NameConstraintViolation => violated(Constraint::Names),
            Error::PathLenConstraintViolated => violated(Constraint::PathLength),
            Error::UnknownIssuer => Fault::UnknownIssuer {
                issuer: leaf.map(|leaf| leaf.issuer.clone()).unwrap_or_default(),
            },
            Error::UnsupportedSignatureAlgorithmContext(_)
            | Error::UnsupportedSignatureAlgorithmForPublicKeyContext(_) => {
                Fault::UnsupportedAlgorithm {
                    algorithm: leaf
                        .map(|leaf| leaf.signature_algorithm.clone())
                        .unwrap_or_default(),
                    subject,
                }
            }
            Error::BadDer
            | Error::BadDerTime
            | Error::ExtensionValueInvalid
            | Error::InvalidCertValidity
            | Error::InvalidNetworkMaskConstraint
            | Error::InvalidSerialNumber
            | Error::MalformedDnsIdentifier
            | Error::MalformedExtensions
            | Error::MalformedNameConstraint
            | Error::SignatureAlgorithmMismatch
            | Error::TrailingData(_)
            | Error::UnsupportedCertVersion
            | Error::UnsupportedCriticalExtension => {
                Fault::Unparsable { position: None, detail: format!("{error:?}") }
            }
            _ => Fault::Other { detail: format!("{error:?}") },
        }
    }

    fn verdict(mut self, name_match: Option<bool>) -> ChainVerdict {
        self.faults.sort_by_key(Fault::rank);
        self.faults.dedup();
        ChainVerdict {
            valid: self.faults.is_empty(),
            faults: self.faults,
            warnings: self.warnings,
            path: self.path,
            name_match,
            certificates: self.certificates.into_iter().map(|one| one.seen).collect(),
        }
    }
}

/// Errors about dates and missing issuers, which are judged elsewhere.
fn is_date_or_issuer(error: &Error) -> bool {
    matches!(
        error,
        Error::CertExpired { .. } | Error::CertNotValidYet { .. } | Error::UnknownIssuer
    )
}

/// A key out of a subjectPublicKeyInfo.
fn read_key(spki: &[u8]) -> Option<KeySeen> {
    use x509_parser::prelude::FromDer;
    x509_parser::x509::SubjectPublicKeyInfo::from_der(spki).ok().map(|(_, spki)| key_seen(&spki))
}

/// A key that is too weak or of a kind no TLS client takes.
fn key_fault(subject: &str, key: &KeySeen) -> Option<Fault> {
    let weak = match key.kind {
        KeyKind::Rsa => key.bits < RSA_BITS_MIN,
        KeyKind::Ec => key.bits < EC_BITS_MIN,
        KeyKind::Dsa => {
            return Some(Fault::UnsupportedAlgorithm {
                algorithm: "a dsa key".to_owned(),
                subject: subject.to_owned(),
            });
        }
        KeyKind::Ed25519 | KeyKind::Ed448 | KeyKind::Other => false,
    };
    weak.then(|| Fault::WeakKey { subject: subject.to_owned(), kind: key.kind, bits: key.bits })
}

fn signature_fault(seen: &CertificateSeen) -> Option<Fault> {
    (!seen.self_signed && is_weak_signature(&seen.signature_algorithm)).then(|| {
        Fault::WeakSignature {
            algorithm: seen.signature_algorithm.clone(),
            subject: seen.subject.clone(),
        }
    })
}

fn purpose_fault(leaf: &CertificateSeen) -> Option<Fault> {
    let purposes = leaf.extended_key_usages.as_ref()?;
    (!purposes.iter().any(|purpose| purpose == "serverAuth"))
        .then(|| Fault::WrongPurpose { subject: leaf.subject.clone(), purposes: purposes.clone() })
}
