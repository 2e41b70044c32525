//! Tests of the authority: what it issues is read back with x509-parser and judged with webpki.

use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use x509_parser::prelude::*;

use super::*;

const NOW: i64 = 1_790_000_000;
const HOST: &str = "mx1.a.test";

fn issue(toml: &str) -> Result<Issued, AuthorityError> {
    let recipe: Recipe = toml::from_str(toml).unwrap();
    Authority::new(NOW).unwrap().issue(&recipe, HOST, NOW)
}

/// Verifies as a strict client of the lab root does; the text names the error.
fn verify(toml: &str) -> Result<(), String> {
    use rustls::client::danger::ServerCertVerifier as _;
    let recipe: Recipe = toml::from_str(toml).unwrap();
    let authority = Authority::new(NOW).unwrap();
    let issued = authority.issue(&recipe, HOST, NOW).unwrap();
    let mut roots = rustls::RootCertStore::empty();
    roots.add(authority.root_der()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let verifier =
        rustls::client::WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider)
            .build()
            .unwrap();
    let (leaf, rest) = issued.chain.split_first().unwrap();
    let name = ServerName::try_from(HOST).unwrap();
    let now = UnixTime::since_unix_epoch(std::time::Duration::from_secs(NOW as u64));
    verifier
        .verify_server_cert(leaf, rest, &name, &[], now)
        .map(|_| ())
        .map_err(|error| format!("{error:?}"))
}

#[test]
fn recipes_give_the_faults_they_name() {
    let cases = [
        ("", ""),
        ("key = 'rsa2048'", ""),
        ("issuer = 'rsa'", ""),
        ("issuer = 'root'", ""),
        ("issuer = 'below-intermediate'\nsend = ['leaf', 'issuer', 'upper']", ""),
        ("issuer = 'below-intermediate'", "UnknownIssuer"),
        ("key = 'ecdsa-p384'", ""),
        ("send = ['leaf', 'unrelated', 'issuer']", ""),
        ("issuer = 'constrained'\npermitted = ['a.test']", ""),
        ("extra = ['hostile-subject']", ""),
        ("not_before_days = -90\nnot_after_days = -1", "Expired"),
        ("not_before_days = 1", "NotValidYet"),
        ("names = ['other.test']", "NotValidForName"),
        ("names = ['*.test']", "NotValidForName"),
        ("names = []\ncn = '{host}'", "NotValidForName"),
        ("names = []\nips = ['198.18.0.1']", "NotValidForName"),
        ("issuer = 'self-signed'", "CaUsedAsEndEntity|UnknownIssuer"),
        ("issuer = 'private'", "UnknownIssuer"),
        ("send = ['leaf']", "UnknownIssuer"),
        ("issuer = 'lapsed'", "Expired"),
        ("issuer = 'lapsed-twin'", "Expired"),
        ("usage = ['client']", "InvalidPurpose"),
        ("issuer = 'constrained'\npermitted = ['b.test']", "NameConstraintViolation"),
        ("issuer = 'not-ca'", "EndEntityUsedAsCa"),
        (
            "issuer = 'path-too-long'\nsend = ['leaf', 'issuer', 'upper']",
            "PathLenConstraintViolated",
        ),
        (
            "extra = ['critical-extension']",
            "UnhandledCriticalExtension|UnsupportedCriticalExtension",
        ),
        ("send = ['garbage']", "BadEncoding|BadDer"),
        ("send = ['truncated-leaf']", "BadEncoding|BadDer"),
        ("issuer = 'rsa'\nsignature = 'sha1'", "UnsupportedSignatureAlgorithm"),
    ];
    for (recipe, wanted) in cases {
        match verify(recipe) {
            Ok(()) => assert_eq!(wanted, "", "{recipe}"),
            Err(error) => assert!(
                !wanted.is_empty() && wanted.split('|').any(|word| error.contains(word)),
                "{recipe}: {error}"
            ),
        }
    }
}

#[test]
fn weak_keys_and_weak_signatures_are_what_they_say() {
    let issued = issue("key = 'rsa1024'").unwrap();
    let (_, leaf) = X509Certificate::from_der(&issued.leaf).unwrap();
    let Ok(public_key::PublicKey::RSA(key)) = leaf.public_key().parsed() else { panic!("not RSA") };
    assert_eq!(key.key_size(), 1024);
    let scheme = rustls::SignatureScheme::RSA_PSS_SHA256;
    let signature = issued.key.choose_scheme(&[scheme]).unwrap().sign(b"text").unwrap();
    assert_eq!(signature.len(), 128);
    let public = aws_lc_rs::signature::UnparsedPublicKey::new(
        &aws_lc_rs::signature::RSA_PSS_2048_8192_SHA256,
        leaf.public_key().subject_public_key.data.as_ref(),
    );
    assert!(public.verify(b"text", &signature).is_err(), "a good library refuses 1024 bits");

    let issued = issue("issuer = 'rsa'\nsignature = 'sha1'").unwrap();
    let (_, leaf) = X509Certificate::from_der(&issued.leaf).unwrap();
    assert_eq!(leaf.signature_algorithm.algorithm.to_id_string(), "1.2.840.113549.1.1.5");
    let (_, above) = X509Certificate::from_der(&issued.chain[1]).unwrap();
    let public = aws_lc_rs::signature::UnparsedPublicKey::new(
        &aws_lc_rs::signature::RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY,
        above.public_key().subject_public_key.data.as_ref(),
    );
    let signed = leaf.tbs_certificate.as_ref();
    assert!(public.verify(signed, &leaf.signature_value.data).is_ok(), "the signature is real");
}

#[test]
fn pss_signatures_verify_where_the_key_is_long_enough() {
    let fixture = RsaFixture::from_pkcs1(RSA_2048_LEAF).unwrap();
    for (algorithm, signature) in [
        (&aws_lc_rs::signature::RSA_PSS_2048_8192_SHA256, fixture.sign_pss_sha256(b"m")),
        (&aws_lc_rs::signature::RSA_PKCS1_2048_8192_SHA256, fixture.sign_pkcs1_sha256(b"m")),
    ] {
        let public = aws_lc_rs::signature::UnparsedPublicKey::new(
            algorithm,
            rcgen::PublicKeyData::der_bytes(&fixture),
        );
        assert!(public.verify(b"m", &signature).is_ok(), "{algorithm:?}");
    }
}

#[test]
fn contradictions_are_errors() {
    assert!(issue("signature = 'sha1'").unwrap_err().to_string().contains("issuer"));
    assert!(toml::from_str::<Recipe>("keyy = 'rsa2048'").is_err());
}

#[test]
fn the_missing_issuer_can_be_downloaded_where_aia_says() {
    let authority = Authority::new(NOW).unwrap();
    let issued = authority.issue(&Recipe::default(), HOST, NOW).unwrap();
    let text = String::from_utf8_lossy(&issued.leaf).into_owned();
    assert!(text.contains("http://aia.lab-authority.test/intermediate.der"));
    let downloads = authority.downloads(NOW).unwrap();
    let (_, document) = downloads.iter().find(|(path, _)| path == "/intermediate.der").unwrap();
    assert_eq!(CertificateDer::from(document.clone()), issued.chain[1]);
    let (_, crl) = downloads.iter().find(|(path, _)| path == "/intermediate.crl").unwrap();
    assert!(parse_x509_crl(crl).is_ok());
}

/// Staples are read by an independent program.
#[test]
fn staples_say_what_they_should() {
    let authority = Authority::new(NOW).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("staple.der");
    for (staple, wanted) in [
        ("good", "Cert Status: good"),
        ("revoked", "Cert Status: revoked"),
        ("expired", "Cert Status: good"),
    ] {
        let recipe: Recipe = toml::from_str(&format!("staple = '{staple}'")).unwrap();
        let issued = authority.issue(&recipe, HOST, NOW).unwrap();
        std::fs::write(&path, &issued.staple).unwrap();
        let ca = folder.path().join("ca.pem");
        std::fs::write(&ca, authority.issuers.shared(IssuerKind::Intermediate).pem()).unwrap();
        let output = std::process::Command::new("openssl")
            .args(["ocsp", "-respin"])
            .arg(&path)
            .args(["-resp_text", "-partial_chain", "-attime", &NOW.to_string(), "-CAfile"])
            .arg(&ca)
            .arg("-verify_other")
            .arg(&ca)
            .output()
            .unwrap();
        let text = format!(
            "{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        assert!(text.contains(wanted), "{staple}: {text}");
        assert!(text.contains("Response verify OK"), "{staple}: {text}");
    }
    assert!(authority.issue(&Recipe::default(), HOST, NOW).unwrap().staple.is_empty());
}
