//! Chains made on the spot: one fault each, several at once, and what must stay silent.

mod vectors;

use jiff::Timestamp;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CustomExtension, DnType,
    ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose,
    NameConstraints, RevokedCertParams, SerialNumber,
};
use time::OffsetDateTime;

use super::*;
use crate::name::DomainName;

/// 2026-06-01T00:00:00Z.
const NOW: i64 = 1_780_272_000;
const DAY: i64 = 86_400;

struct Authority {
    params: CertificateParams,
    key: KeyPair,
    der: Vec<u8>,
}

fn dates(params: &mut CertificateParams, from_days: i64, until_days: i64) {
    params.not_before = OffsetDateTime::from_unix_timestamp(NOW + from_days * DAY).unwrap();
    params.not_after = OffsetDateTime::from_unix_timestamp(NOW + until_days * DAY).unwrap();
}

fn authority_params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    dates(&mut params, -1000, 1000);
    params
}

fn root(name: &str) -> Authority {
    let key = KeyPair::generate().unwrap();
    let params = authority_params(name);
    let der = params.self_signed(&key).unwrap().der().to_vec();
    Authority { params, key, der }
}

impl Authority {
    fn issue(&self, params: &CertificateParams, key: &KeyPair) -> Vec<u8> {
        let issuer = Issuer::from_params(&self.params, &self.key);
        params.signed_by(key, &issuer).unwrap().der().to_vec()
    }

    fn authority(&self, params: CertificateParams) -> Self {
        let key = KeyPair::generate().unwrap();
        let der = self.issue(&params, &key);
        Self { params, key, der }
    }

    fn crl(&self, serials: &[u64], until_days: i64) -> Vec<u8> {
        let at = |days: i64| OffsetDateTime::from_unix_timestamp(NOW + days * DAY).unwrap();
        let params = CertificateRevocationListParams {
            this_update: at(-10),
            next_update: at(until_days),
            crl_number: SerialNumber::from(7),
            issuing_distribution_point: None,
            revoked_certs: serials
                .iter()
                .map(|serial| RevokedCertParams {
                    serial_number: SerialNumber::from(*serial),
                    revocation_time: at(-11),
                    reason_code: None,
                    invalidity_date: None,
                })
                .collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        let issuer = Issuer::from_params(&self.params, &self.key);
        params.signed_by(&issuer).unwrap().der().to_vec()
    }
}

fn leaf_params(names: &[&str]) -> CertificateParams {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names).unwrap();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.serial_number = Some(SerialNumber::from(77));
    dates(&mut params, -30, 60);
    params
}

fn key() -> KeyPair {
    KeyPair::generate().unwrap()
}

struct Question<'a> {
    chain: Vec<Vec<u8>>,
    roots: Vec<Vec<u8>>,
    name: &'a str,
    crls: Vec<Vec<u8>>,
    extras: Vec<Vec<u8>>,
}

impl Question<'_> {
    fn ask(&self) -> ChainVerdict {
        let reference = self.name.parse().map_or_else(
            |_| ReferenceId::Dns(DomainName::parse(self.name).unwrap()),
            ReferenceId::Ip,
        );
        let verdict = judge(&ChainQuery {
            chain: &self.chain,
            roots: &Roots::from_ders(&self.roots),
            reference: Some(&reference),
            now: Timestamp::from_second(NOW).unwrap(),
            crls: &self.crls,
            max_depth: None,
            extra_intermediates: &self.extras,
        });
        assert_eq!(verdict.valid, verdict.faults.is_empty());
        verdict
    }
}

/// A leaf straight from a root for `mx.a.test`, with the parameters changed.
fn leaf_faults(change: impl FnOnce(&mut CertificateParams), name: &str) -> Vec<Fault> {
    let root = root("root");
    let mut params = leaf_params(&["mx.a.test"]);
    change(&mut params);
    question(&root, &params, name).ask().faults
}

fn question<'a>(root: &Authority, params: &CertificateParams, name: &'a str) -> Question<'a> {
    Question {
        chain: vec![root.issue(params, &key())],
        roots: vec![root.der.clone()],
        name,
        crls: Vec::new(),
        extras: Vec::new(),
    }
}

fn words(faults: &[Fault]) -> Vec<&'static str> {
    faults.iter().map(Fault::error_word).collect()
}

#[test]
fn a_good_chain_has_no_fault_and_shows_its_path() {
    let root = root("root");
    let middle = root.authority(authority_params("middle"));
    let question = Question {
        chain: vec![middle.issue(&leaf_params(&["mx.a.test"]), &key()), middle.der],
        roots: vec![root.der],
        name: "mx.a.test",
        crls: Vec::new(),
        extras: Vec::new(),
    };
    let verdict = question.ask();
    assert!(verdict.valid, "{:?}", verdict.faults);
    assert_eq!(verdict.path, ["", "CN=middle", "CN=root"]);
    assert_eq!(verdict.name_match, Some(true));
    assert!(!verdict.warnings.iter().any(|one| !matches!(one, Warning::Profile { .. })));
}

#[test]
fn faults_of_the_leaf_are_found_one_by_one() {
    let at = |days: i64| Timestamp::from_second(NOW + days * DAY).unwrap();
    assert_eq!(
        leaf_faults(|leaf| dates(leaf, -60, -1), "mx.a.test"),
        [Fault::Expired { not_after: at(-1) }]
    );
    assert_eq!(
        leaf_faults(|leaf| dates(leaf, 1, 60), "mx.a.test"),
        [Fault::NotYetValid { not_before: at(1) }]
    );
    assert_eq!(
        leaf_faults(|_| {}, "other.test"),
        [Fault::NameMismatch { presented: vec!["mx.a.test".to_owned()] }]
    );
    assert_eq!(
        leaf_faults(|_| {}, "192.0.2.1"),
        [Fault::IpOnly {
            reference: "192.0.2.1".parse().unwrap(),
            presented: vec!["mx.a.test".to_owned()]
        }]
    );
    let purpose = |leaf: &mut CertificateParams| {
        leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    };
    assert!(matches!(
        leaf_faults(purpose, "mx.a.test").as_slice(),
        [Fault::WrongPurpose { purposes, .. }] if purposes == &["clientAuth"]
    ));
    let unknown = |leaf: &mut CertificateParams| {
        let mut extension = CustomExtension::from_oid_content(&[1, 3, 9999, 1], vec![5, 0]);
        extension.set_criticality(true);
        leaf.custom_extensions = vec![extension];
    };
    assert!(matches!(
        leaf_faults(unknown, "mx.a.test").as_slice(),
        [Fault::Unparsable { position: Some(0), .. }]
    ));
    let unknown_and_expired = |leaf: &mut CertificateParams| {
        unknown(leaf);
        dates(leaf, -60, -1);
    };
    assert!(matches!(
        leaf_faults(unknown_and_expired, "other.test").as_slice(),
        [Fault::Expired { .. }, Fault::NameMismatch { presented }, Fault::Unparsable { .. }]
            if presented == &["mx.a.test"]
    ));
}

#[test]
fn names_that_nearly_match_are_told_apart() {
    let wildcard = |name: &str| {
        let name = name.to_owned();
        move |leaf: &mut CertificateParams| {
            leaf.subject_alt_names = vec![rcgen::SanType::DnsName(name.try_into().unwrap())];
        }
    };
    let depth = Fault::WildcardDepth { presented: "*.test".to_owned() };
    assert_eq!(leaf_faults(wildcard("*.test"), "mx.a.test"), [depth]);
    let malformed = Fault::WildcardMalformed { presented: "mx*.a.test".to_owned() };
    assert_eq!(leaf_faults(wildcard("mx*.a.test"), "mx1.a.test"), [malformed]);
    assert_eq!(leaf_faults(wildcard("*.a.test"), "mx.a.test"), []);
    let common_name = |leaf: &mut CertificateParams| {
        leaf.subject_alt_names.clear();
        leaf.distinguished_name.push(DnType::CommonName, "mx.a.test");
    };
    assert_eq!(
        leaf_faults(common_name, "mx.a.test"),
        [Fault::CommonNameOnly { common_name: "mx.a.test".to_owned() }]
    );
}

#[test]
fn three_faults_at_once_are_all_found() {
    let mut params = leaf_params(&["other.test"]);
    params.distinguished_name.push(DnType::CommonName, "self");
    dates(&mut params, -60, -1);
    let key = key();
    let question = Question {
        chain: vec![params.self_signed(&key).unwrap().der().to_vec()],
        roots: vec![root("root").der],
        name: "mx.a.test",
        crls: Vec::new(),
        extras: Vec::new(),
    };
    let verdict = question.ask();
    assert_eq!(words(&verdict.faults), ["expired", "untrusted-root", "name-mismatch"]);
    assert!(verdict.faults.contains(&Fault::SelfSigned));
}

#[test]
fn untrusted_chains_are_told_apart() {
    let trusted = root("root");
    let private = root("private");
    let private_middle = private.authority(authority_params("private middle"));
    let middle = trusted.authority(authority_params("middle"));
    let mut pointing = leaf_params(&["mx.a.test"]);
    // authorityInfoAccess with caIssuers http://a.test/
    let mut aia = vec![0x30, 0x1f, 0x30, 0x1d];
    aia.extend([0x06, 0x08, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x02, 0x86, 0x11]);
    aia.extend(b"http://a.test/ca/");
    pointing.custom_extensions =
        vec![CustomExtension::from_oid_content(&[1, 3, 6, 1, 5, 5, 7, 1, 1], aia)];
    let plain = leaf_params(&["mx.a.test"]);
    let ask = |chain: Vec<Vec<u8>>, extras: Vec<Vec<u8>>| {
        let question = Question {
            chain,
            roots: vec![trusted.der.clone()],
            name: "mx.a.test",
            crls: Vec::new(),
            extras,
        };
        question.ask().faults
    };
    let missing = |issuing, aia: &[&str]| {
        vec![Fault::MissingIntermediate {
            issuer: "CN=middle".to_owned(),
            aia: aia.iter().map(|uri| (*uri).to_owned()).collect(),
            issuing,
        }]
    };
    assert_eq!(
        ask(vec![middle.issue(&pointing, &key())], vec![]),
        missing(Issuing::Announced, &["http://a.test/ca/"])
    );
    assert_eq!(
        ask(vec![middle.issue(&plain, &key())], vec![middle.der.clone()]),
        missing(Issuing::Proven, &[])
    );
    let unknown = Fault::UnknownIssuer { issuer: "CN=middle".to_owned() };
    assert_eq!(ask(vec![middle.issue(&plain, &key())], vec![]), [unknown]);
    let chain = vec![private_middle.issue(&plain, &key()), private_middle.der];
    let mut with_root = chain.clone();
    with_root.push(private.der);
    for (chain, root_presented) in [(chain, false), (with_root, true)] {
        let expected = Fault::PrivateCa { issuer: "CN=private".to_owned(), root_presented };
        assert_eq!(ask(chain, vec![]), [expected]);
    }
    let forged = root("middle");
    assert!(matches!(
        ask(vec![forged.issue(&plain, &key()), middle.der], vec![]).as_slice(),
        [Fault::BadSignature { .. }]
    ));
}

#[test]
fn an_expired_intermediate_is_a_fault_only_without_another_path() {
    let trusted = root("root");
    let mut expired = authority_params("middle");
    dates(&mut expired, -500, -2);
    let middle_key = key();
    let old = trusted.issue(&expired, &middle_key);
    let fresh = trusted.issue(&authority_params("middle"), &middle_key);
    let middle =
        Authority { params: authority_params("middle"), key: middle_key, der: fresh.clone() };
    let leaf = middle.issue(&leaf_params(&["mx.a.test"]), &key());
    let ask = |chain: Vec<Vec<u8>>| {
        let question = Question {
            chain,
            roots: vec![trusted.der.clone()],
            name: "mx.a.test",
            crls: Vec::new(),
            extras: Vec::new(),
        };
        question.ask()
    };
    let not_after = Timestamp::from_second(NOW - 2 * DAY).unwrap();
    let subject = "CN=middle".to_owned();
    let verdict = ask(vec![leaf.clone(), old.clone()]);
    let fault = Fault::IntermediateExpired { subject: subject.clone(), not_after };
    assert_eq!(verdict.faults, [fault]);
    let verdict = ask(vec![leaf, old, fresh]);
    assert!(verdict.valid);
    assert!(verdict.warnings.contains(&Warning::IntermediateExpired { subject, not_after }));
}

#[test]
fn constraints_of_authorities_are_kept() {
    let trusted = root("root");
    let ask = |change: fn(&mut CertificateParams)| {
        let mut params = authority_params("middle");
        change(&mut params);
        let middle = trusted.authority(params);
        let question = Question {
            chain: vec![middle.issue(&leaf_params(&["mx.a.test"]), &key()), middle.der],
            roots: vec![trusted.der.clone()],
            name: "mx.a.test",
            crls: Vec::new(),
            extras: Vec::new(),
        };
        match question.ask().faults.as_slice() {
            [Fault::ConstraintViolated { constraint, .. }] => *constraint,
            other => panic!("{other:?}"),
        }
    };
    let names = |middle: &mut CertificateParams| {
        middle.name_constraints = Some(NameConstraints {
            permitted_subtrees: vec![GeneralSubtree::DnsName("b.test".to_owned())],
            excluded_subtrees: Vec::new(),
        });
    };
    assert_eq!(ask(names), Constraint::Names);
    assert_eq!(ask(|middle| middle.is_ca = IsCa::ExplicitNoCa), Constraint::NotACa);
    let usage = |middle: &mut CertificateParams| {
        middle.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    };
    assert_eq!(ask(usage), Constraint::KeyUsage);
}

#[test]
fn revocation_lists_revoke_cover_or_leave_unknown() {
    let trusted = root("root");
    let ask = |crls: Vec<Vec<u8>>, from: i64, until: i64| {
        let mut params = leaf_params(&["mx.a.test"]);
        dates(&mut params, from, until);
        let mut question = question(&trusted, &params, "mx.a.test");
        question.crls = crls;
        question.ask()
    };
    let unknown = |verdict: &ChainVerdict| {
        verdict.warnings.iter().any(|one| matches!(one, Warning::RevocationUnknown { .. }))
    };
    let good = ask(vec![trusted.crl(&[5], 10)], -30, 60);
    assert!(good.valid && !unknown(&good));
    assert_eq!(ask(vec![trusted.crl(&[77], 10)], -30, 60).faults, [Fault::Revoked]);
    assert_eq!(ask(vec![trusted.crl(&[77], -1)], -30, 60).faults, [Fault::Revoked]);
    let both = ask(vec![trusted.crl(&[77], 10)], -30, -1);
    assert_eq!(words(&both.faults), ["expired", "revoked"]);
    let mut params = leaf_params(&["mx.a.test"]);
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    let mut wrong = question(&trusted, &params, "other.test");
    wrong.crls = vec![trusted.crl(&[77], 10)];
    assert_eq!(words(&wrong.ask().faults), ["name-mismatch", "revoked", "other"]);
    let stale = ask(vec![trusted.crl(&[5], -1)], -30, 60);
    assert!(stale.valid && unknown(&stale));
    let foreign = ask(vec![root("other").crl(&[77], 10)], -30, 60);
    assert!(foreign.valid && unknown(&foreign));
    let forged = ask(vec![root("root").crl(&[5], 10)], -30, 60);
    assert!(matches!(forged.faults.as_slice(), [Fault::CrlUnusable { .. }]));
    let broken = ask(vec![vec![0x30, 0x00]], -30, 60);
    assert!(matches!(broken.faults.as_slice(), [Fault::CrlUnusable { .. }]));
}

#[test]
fn order_duplicates_and_strangers_are_warnings() {
    let trusted = root("root");
    let upper = trusted.authority(authority_params("upper"));
    let lower = upper.authority(authority_params("lower"));
    let leaf = lower.issue(&leaf_params(&["mx.a.test"]), &key());
    let stranger = root("stranger").der;
    let ask = |chain: &[&Vec<u8>]| {
        let question = Question {
            chain: chain.iter().map(|der| (*der).clone()).collect(),
            roots: vec![trusted.der.clone()],
            name: "mx.a.test",
            crls: Vec::new(),
            extras: Vec::new(),
        };
        let verdict = question.ask();
        assert!(verdict.valid);
        let warnings = verdict.warnings.into_iter();
        let warnings: Vec<Warning> =
            warnings.filter(|one| !matches!(one, Warning::Profile { .. })).collect();
        warnings
    };
    assert_eq!(ask(&[&leaf, &lower.der, &upper.der, &trusted.der]), []);
    assert_eq!(ask(&[&leaf, &upper.der, &lower.der]), [Warning::ChainOrder]);
    let subject = "CN=lower".to_owned();
    let duplicate = Warning::Duplicate { subject };
    assert_eq!(ask(&[&leaf, &lower.der, &lower.der, &upper.der]), [duplicate]);
    let subject = "CN=stranger".to_owned();
    assert_eq!(ask(&[&leaf, &lower.der, &upper.der, &stranger]), [Warning::Unrelated { subject }]);
}

#[test]
fn certificates_are_read_from_pem_and_der_files() {
    let first = root("first").der;
    let second = root("second").der;
    let pem = |der: &[u8]| {
        use base64::Engine;
        let body = base64::engine::general_purpose::STANDARD.encode(der);
        format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n")
    };
    let text = format!("subject=first\n{}\n{}", pem(&first), pem(&second));
    let both = vec![first.clone(), second.clone()];
    assert_eq!(read_certificates(text.as_bytes()).unwrap(), both);
    assert_eq!(read_certificates(&[first.clone(), second].concat()).unwrap(), both);
    let mut trailing = first.clone();
    trailing.extend([1, 2, 3]);
    let read = read_certificates(&trailing).unwrap();
    assert_eq!(inspect(&read[0]), Err(CertificateFileError::TrailingData));
    assert_eq!(read_certificates(b""), Err(CertificateFileError::Empty));
    assert!(matches!(
        read_certificates(&vec![b' '; crate::limits::X509_FILE_OCTETS_MAX + 1]),
        Err(CertificateFileError::TooLarge { .. })
    ));
    let seen = inspect(&first).unwrap();
    assert_eq!((seen.subject.as_str(), seen.is_ca, seen.self_signed), ("CN=first", true, true));
    assert_eq!((seen.key.kind, seen.key.bits), (KeyKind::Ec, 256));
    assert_eq!(seen.signature_algorithm, "ecdsa-with-SHA256");
    assert_eq!((seen.sha256.len(), seen.spki_sha256.len()), (64, 64));
}

#[test]
fn nothing_and_too_much_are_faults() {
    let roots = Roots::default();
    let ask = |chain: &[Vec<u8>]| {
        judge(&ChainQuery {
            chain,
            roots: &roots,
            reference: None,
            now: Timestamp::from_second(NOW).unwrap(),
            crls: &[],
            max_depth: None,
            extra_intermediates: &[],
        })
    };
    assert_eq!(words(&ask(&[]).faults), ["malformed"]);
    assert_eq!(words(&ask(&[vec![1, 2, 3]]).faults), ["malformed"]);
    let many = vec![root("root").der; 101];
    let faults = ask(&many).faults;
    assert!(faults.iter().any(|fault| matches!(fault, Fault::ChainTooLong { .. })));
}

proptest::proptest! {
    #[test]
    fn foreign_octets_never_panic(octets in proptest::collection::vec(proptest::num::u8::ANY, 0..300)) {
        let _ = inspect(&octets);
        let _ = read_certificates(&octets);
    }

    #[test]
    fn a_damaged_leaf_is_never_valid(at in 0_usize..400, flip in 1_u8..=255) {
        use std::sync::OnceLock;
        static CHAIN: OnceLock<(Vec<u8>, Vec<u8>)> = OnceLock::new();
        let (root, leaf) = CHAIN.get_or_init(|| {
            let root = root("root");
            let leaf = root.issue(&leaf_params(&["mx.a.test"]), &key());
            (root.der, leaf)
        });
        let mut damaged = leaf.clone();
        let at = at % damaged.len();
        damaged[at] ^= flip;
        let question = Question {
            chain: vec![damaged],
            roots: vec![root.clone()],
            name: "mx.a.test",
            crls: Vec::new(),
            extras: Vec::new(),
        };
        proptest::prop_assert!(!question.ask().valid);
    }
}
