//! The published form of a judged chain, shared by the report and the certificate tools.
//! It judges nothing: faults and warnings come as they were found.

use super::wire::{CertificateEntryV1, CertificateV1, KeyV1};
use waxseal_proto::x509::{CertificateSeen, ChainVerdict};

/// A judged chain as published.
pub fn certificate(chain: &ChainVerdict) -> CertificateV1 {
    let mut errors: Vec<String> = Vec::new();
    for fault in &chain.faults {
        let word = fault.error_word().to_owned();
        if !errors.contains(&word) {
            errors.push(word);
        }
    }
    CertificateV1 {
        valid: chain.valid,
        error: errors.first().cloned(),
        errors,
        detail: chain.faults.first().map(ToString::to_string),
        name_match: chain.name_match,
        path: chain.path.clone(),
        warnings: chain.warnings.iter().map(ToString::to_string).collect(),
        certificates: chain.certificates.iter().map(entry).collect(),
    }
}

/// One certificate as published.
pub fn entry(certificate: &CertificateSeen) -> CertificateEntryV1 {
    CertificateEntryV1 {
        subject: certificate.subject.clone(),
        issuer: certificate.issuer.clone(),
        not_before: certificate.not_before.to_string(),
        not_after: certificate.not_after.to_string(),
        dns_names: certificate.dns_names.clone(),
        ip_addresses: certificate.ip_addresses.iter().map(ToString::to_string).collect(),
        key: KeyV1 {
            kind: certificate.key.kind.as_str().to_owned(),
            bits: Some(certificate.key.bits),
        },
        signature_algorithm: certificate.signature_algorithm.clone(),
        sha256: certificate.sha256.clone(),
        spki_sha256: certificate.spki_sha256.clone(),
    }
}
