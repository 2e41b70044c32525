//! Certificates and chains as a server presents them (RFC 5280 §6.1, RFC 9525 §6).
//!
//! Mutated chains are never accepted by an empty root store, and valid means "no fault".

use jiff::Timestamp;
use waxseal_proto::name::DomainName;
use waxseal_proto::x509::{
    ChainQuery, ReferenceId, Roots, inspect, judge, match_dns, read_certificates, read_staple,
};

/// Reads certificates from PEM or DER and looks into each.
pub fn certificate_file(data: &[u8]) {
    if let Ok(certificates) = read_certificates(data) {
        for der in &certificates {
            let _ = inspect(der);
        }
    }
    let _ = Roots::from_pem(data);
    let _ = read_staple(data, "01", Timestamp::UNIX_EPOCH);
}

/// Judges a chain of whatever certificates the input holds. Nothing is trusted, so nothing is valid.
pub fn chain(data: &[u8]) {
    let chain = read_certificates(data).unwrap_or_else(|_| vec![data.to_vec()]);
    let Ok(name) = DomainName::parse("mx.example.com") else { return };
    let Ok(now) = Timestamp::from_second(1_700_000_000) else { return };
    let nothing = Roots::from_ders::<&[u8]>(&[]);
    let trusting = Roots::from_ders(&chain);
    let reference = ReferenceId::Dns(name);
    for (roots, trusted) in [(&nothing, false), (&trusting, true)] {
        let verdict = judge(&ChainQuery {
            chain: &chain,
            roots,
            reference: Some(&reference),
            now,
            crls: &[],
            max_depth: None,
            extra_intermediates: &[],
        });
        assert_eq!(verdict.valid, verdict.faults.is_empty(), "valid does not mean without fault");
        assert!(trusted || !verdict.valid, "a chain is valid without any root");
    }
}

/// Matches a presented name of any form: only its own and one level of a wildcard.
pub fn presented_name(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    for reference in ["mx.example.com", "example.com", "a.b.c.d.example"] {
        let _ = match_dns(&text, reference);
        let _ = match_dns(reference, &text);
    }
}
