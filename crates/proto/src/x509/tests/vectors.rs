//! The published vectors (RFC 5280 §6.1, RFC 9525 §6.3): x509-limbo, BetterTLS and the DNS name table of rustls-webpki. Sources and
//! licences are in the README beside each file.

use std::net::IpAddr;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use rustls_pki_types::CertificateRevocationListDer;
use rustls_pki_types::pem::PemObject;
use serde::Deserialize;

use super::super::*;
use crate::name::DomainName;

/// The day limbo.json was made.
const LIMBO_NOW: &str = "2026-11-23T00:00:00Z";

#[derive(Deserialize)]
struct Limbo {
    testcases: Vec<LimboCase>,
}

#[derive(Deserialize)]
struct LimboCase {
    id: String,
    features: Vec<String>,
    trusted_certs: Vec<String>,
    untrusted_intermediates: Vec<String>,
    peer_certificate: String,
    validation_time: Option<String>,
    expected_result: String,
    expected_peer_name: Option<PeerName>,
    max_chain_depth: Option<usize>,
    #[serde(default)]
    crls: Vec<String>,
}

#[derive(Deserialize)]
struct PeerName {
    kind: String,
    value: String,
}

#[derive(Deserialize)]
struct Baseline {
    false_accept: Vec<String>,
    false_reject: Vec<String>,
}

fn der(pem: &str) -> Vec<u8> {
    read_certificates(pem.as_bytes()).unwrap().remove(0)
}

fn limbo_verdict(case: &LimboCase) -> ChainVerdict {
    let chain: Vec<Vec<u8>> = std::iter::once(&case.peer_certificate)
        .chain(&case.untrusted_intermediates)
        .map(|pem| der(pem))
        .collect();
    let roots: Vec<Vec<u8>> = case.trusted_certs.iter().map(|pem| der(pem)).collect();
    let crls: Vec<Vec<u8>> = case
        .crls
        .iter()
        .map(|pem| CertificateRevocationListDer::from_pem_slice(pem.as_bytes()).unwrap().to_vec())
        .collect();
    // A name that cannot be asked for is a refusal before any certificate is looked at.
    let reference = case.expected_peer_name.as_ref().map(|name| match name.kind.as_str() {
        "DNS" => DomainName::parse(&name.value).ok().map(ReferenceId::Dns),
        "IP" => Some(ReferenceId::Ip(name.value.parse().unwrap())),
        kind => panic!("{kind}"),
    });
    let now = case.validation_time.as_deref().unwrap_or(LIMBO_NOW);
    let mut verdict = judge(&ChainQuery {
        chain: &chain,
        roots: &Roots::from_ders(&roots),
        reference: reference.as_ref().and_then(Option::as_ref),
        now: now.parse().unwrap(),
        crls: &crls,
        max_depth: case.max_chain_depth,
        extra_intermediates: &[],
    });
    if matches!(reference, Some(None)) {
        verdict.valid = false;
    }
    verdict
}

#[test]
fn limbo_cases_come_out_as_expected() {
    let limbo: Limbo =
        serde_json::from_str(include_str!("../../../vectors/x509-limbo/limbo.json")).unwrap();
    let baseline: Baseline = serde_json::from_str(include_str!(
        "../../../vectors/x509-limbo/baseline-rustls-webpki.json"
    ))
    .unwrap();
    assert_eq!(limbo.testcases.len(), 98);
    let mut wrong = Vec::new();
    let mut silent = Vec::new();
    let mut accepted = Vec::new();
    for case in &limbo.testcases {
        let started = Stopwatch::start();
        let verdict = limbo_verdict(case);
        let expected = case.expected_result == "SUCCESS";
        assert!(!verdict.valid || verdict.faults.is_empty(), "{}", case.id);
        if case.features.iter().any(|feature| feature == "denial-of-service") {
            assert!(started.elapsed() < Duration::from_secs(5), "{}", case.id);
        }
        let known = if expected {
            baseline.false_reject.contains(&case.id)
        } else {
            baseline.false_accept.contains(&case.id) && !case.id.starts_with("crl::")
        };
        if verdict.valid != expected && !known {
            wrong.push(format!("{} {:?}", case.id, verdict.faults));
        }
        if verdict.valid && !expected {
            accepted.push(case.id.clone());
            if verdict.warnings.iter().all(|one| !matches!(one, Warning::Profile { .. })) {
                silent.push(case.id.clone());
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
    assert_eq!(silent, Vec::<String>::new(), "accepted without a warning");
    assert!(accepted.len() <= 26, "{} {accepted:?}", accepted.len());
}

#[test]
fn limbo_failures_have_the_right_words() {
    let limbo: Limbo =
        serde_json::from_str(include_str!("../../../vectors/x509-limbo/limbo.json")).unwrap();
    let table: [(&str, &[&str]); 17] = [
        ("crl::issuer-missing-crlsign", &["other"]),
        ("pathlen::intermediate-pathlen-too-long", &["depth"]),
        ("pathlen::max-chain-depth-1-exhausted", &["depth"]),
        ("pathological::intermediate-cycle-distinct-cas-max-depth", &["unknown-issuer"]),
        ("rfc5280::eku::ee-wrong-eku", &["other"]),
        ("rfc5280::nc::excluded-ipv6-match", &["name-constraint"]),
        ("rfc5280::san::malformed", &["malformed"]),
        ("rfc5280::san::ip-in-dns", &["name-mismatch"]),
        ("rfc5280::validity::expired-leaf", &["expired"]),
        ("rfc5280::validity::not-yet-valid-1-second", &["not-yet-valid"]),
        ("rfc5280::unknown-critical-extension-intermediate", &["malformed"]),
        ("rfc5280::chain-untrusted-root", &["untrusted-root"]),
        ("rfc5280::root-inconsistent-ca-extensions", &["other"]),
        ("webpki::san::wildcard-match-across-labels-san", &["name-mismatch"]),
        ("webpki::cryptographydotio-chain-missing-intermediate", &["unknown-issuer"]),
        ("webpki::forbidden-p192-leaf", &["key-too-weak"]),
        ("webpki::forbidden-weak-rsa-key-in-root", &["key-too-weak"]),
    ];
    for (id, expected) in table {
        let case = limbo.testcases.iter().find(|case| case.id == id).unwrap();
        let verdict = limbo_verdict(case);
        assert_eq!(verdict.error_words(), expected, "{id} {:?}", verdict.faults);
    }
}

/// Wall time of one judgement, without the clock calls that a pure crate must not make.
struct Stopwatch(std::time::Instant);

impl Stopwatch {
    #[expect(clippy::disallowed_methods, reason = "a test of how long a judgement takes")]
    fn start() -> Self {
        Self(std::time::Instant::now())
    }

    fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Better {
    trust_root: String,
    suites: std::collections::BTreeMap<String, BetterSuite>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct BetterSuite {
    test_cases: Vec<BetterCase>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct BetterCase {
    id: u32,
    certificates: Vec<String>,
    hostname: String,
    expected: String,
    #[serde(default)]
    failure_is_warning: bool,
}

#[test]
fn bettertls_cases_come_out_as_expected() {
    let better: Better =
        serde_json::from_str(include_str!("../../../vectors/bettertls/bettertls.json")).unwrap();
    let roots = Roots::from_ders(&[STANDARD.decode(&better.trust_root).unwrap()]);
    let now: Timestamp = "2027-01-01T00:00:00Z".parse().unwrap();
    let mut wrong = Vec::new();
    let mut count = 0;
    for (suite, cases) in &better.suites {
        for case in &cases.test_cases {
            count += 1;
            let chain: Vec<Vec<u8>> =
                case.certificates.iter().map(|one| STANDARD.decode(one).unwrap()).collect();
            let reference = case.hostname.parse::<IpAddr>().map_or_else(
                |_| ReferenceId::Dns(DomainName::parse(&case.hostname).unwrap()),
                ReferenceId::Ip,
            );
            let verdict = judge(&ChainQuery {
                chain: &chain,
                roots: &roots,
                reference: Some(&reference),
                now,
                crls: &[],
                max_depth: None,
                extra_intermediates: &[],
            });
            if verdict.valid != (case.expected == "ACCEPT") && !case.failure_is_warning {
                wrong.push(format!("{suite} {} {} {:?}", case.id, case.expected, verdict.faults));
            }
        }
    }
    assert_eq!(count, 275);
    assert_eq!(wrong, Vec::<String>::new());
}

#[derive(Deserialize)]
struct NameRow {
    presented: String,
    reference: String,
    expected: String,
}

#[test]
fn names_match_as_in_the_table() {
    let rows: Vec<NameRow> =
        serde_json::from_str(include_str!("../../../vectors/hostname-match/webpki-dns.json"))
            .unwrap();
    assert_eq!(rows.len(), 58);
    for row in rows {
        let result = match_dns(&row.presented, &row.reference);
        let context = format!("{:?} {:?}", row.presented, row.reference);
        assert_eq!(result.matches, row.expected == "match", "{context}");
        if row.expected == "malformed-presented-id" {
            assert!(!result.presented_valid, "{context}");
        }
    }
}
