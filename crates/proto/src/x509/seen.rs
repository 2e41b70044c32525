//! What a certificate says (RFC 5280 §4), in words for people and reports: nothing is judged, nothing of
//! it is trusted. Foreign text is kept as it stands; faces escape it. The way in is [`inspect`] for one
//! certificate and [`read_certificates`] for a file of them, PEM or DER.

use std::net::IpAddr;

use aws_lc_rs::digest;
use jiff::Timestamp;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::{DistributionPointName, GeneralName, ParsedExtension};
use x509_parser::prelude::FromDer;
use x509_parser::public_key::PublicKey;
use x509_parser::signature_algorithm::RsaSsaPssParams;
use x509_parser::time::ASN1Time;
use x509_parser::x509::{AlgorithmIdentifier, SubjectPublicKeyInfo};

use crate::limits::{X509_CERTIFICATES_PER_FILE_MAX, X509_FILE_OCTETS_MAX};

/// What one certificate says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateSeen {
    /// Subject name, RFC 4514 style, as far as it can be shown.
    pub subject: String,
    /// Issuer name.
    pub issuer: String,
    /// The common names of the subject.
    pub common_names: Vec<String>,
    /// Valid from.
    pub not_before: Timestamp,
    /// Valid until, that second included.
    pub not_after: Timestamp,
    /// dNSName entries of the subject alternative name, as they stand.
    pub dns_names: Vec<String>,
    /// iPAddress entries of the subject alternative name.
    pub ip_addresses: Vec<IpAddr>,
    /// The subject's key.
    pub key: KeySeen,
    /// Name of the signature algorithm, such as `sha256WithRSAEncryption`; the OID where it has none here.
    pub signature_algorithm: String,
    /// Lower-case hexadecimal SHA-256 of the certificate.
    pub sha256: String,
    /// Lower-case hexadecimal SHA-256 of the subjectPublicKeyInfo.
    pub spki_sha256: String,
    /// Lower-case hexadecimal serial number.
    pub serial: String,
    /// basicConstraints says CA.
    pub is_ca: bool,
    /// Issuer equals subject and the key verifies its own signature.
    pub self_signed: bool,
    /// Extended key usages; `None` without the extension, which allows all.
    pub extended_key_usages: Option<Vec<String>>,
    /// caIssuers URIs (RFC 5280 §4.2.2.1).
    pub ca_issuers: Vec<String>,
    /// CRL distribution point URIs.
    pub crl_urls: Vec<String>,
    /// OCSP responder URIs.
    pub ocsp_urls: Vec<String>,
}

/// A public key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeySeen {
    /// Kind of key.
    pub kind: KeyKind,
    /// Bits of the modulus or of the curve's field; 0 where unknown.
    pub bits: u32,
    /// Curve or OID name for kinds that need one, such as `P-256`.
    pub curve: Option<String>,
}

/// Kinds of public keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// DSA.
    Dsa,
    /// An elliptic curve key for ECDSA.
    Ec,
    /// Ed25519.
    Ed25519,
    /// Ed448.
    Ed448,
    /// Something else.
    Other,
    /// RSA, RSASSA-PSS keys included.
    Rsa,
}

impl KeyKind {
    /// As reports show it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Dsa => "dsa",
            Self::Ec => "ec",
            Self::Ed25519 => "ed25519",
            Self::Ed448 => "ed448",
            Self::Other => "other",
            Self::Rsa => "rsa",
        }
    }
}

/// Why a file of certificates, or one certificate, cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CertificateFileError {
    /// Broken DER.
    #[error("certificate cannot be read: {0}")]
    Der(String),
    /// Nothing in it.
    #[error("no certificate found")]
    Empty,
    /// Broken PEM.
    #[error("PEM cannot be read: {0}")]
    Pem(String),
    /// Larger than is read.
    #[error("file of {octets} octets is larger than {X509_FILE_OCTETS_MAX}")]
    TooLarge {
        /// Its size.
        octets: usize,
    },
    /// More certificates than are read.
    #[error("more than {X509_CERTIFICATES_PER_FILE_MAX} certificates")]
    TooMany,
    /// Octets after the end of the certificate.
    #[error("trailing data after the certificate")]
    TrailingData,
}

/// Reads one DER certificate.
///
/// # Errors
/// Broken DER or octets after its end.
pub fn inspect(der: &[u8]) -> Result<CertificateSeen, CertificateFileError> {
    let certificate = parse(der)?;
    Ok(describe(der, &certificate))
}

/// Splits a file into DER certificates: PEM when it holds an encapsulation boundary (RFC 7468 §3), else
/// one or several DER certificates one after the other. They are not judged, and each may still be broken.
///
/// # Errors
/// Too large, too many, no certificate, or broken PEM.
pub fn read_certificates(octets: &[u8]) -> Result<Vec<Vec<u8>>, CertificateFileError> {
    if octets.len() > X509_FILE_OCTETS_MAX {
        return Err(CertificateFileError::TooLarge { octets: octets.len() });
    }
    let certificates = if octets.windows(11).any(|window| window == b"-----BEGIN ") {
        read_pem(octets)?
    } else {
        read_der(octets)
    };
    match certificates.len() {
        0 => Err(CertificateFileError::Empty),
        count if count > X509_CERTIFICATES_PER_FILE_MAX => Err(CertificateFileError::TooMany),
        _ => Ok(certificates),
    }
}

/// The CERTIFICATE sections of PEM text.
fn read_pem(octets: &[u8]) -> Result<Vec<Vec<u8>>, CertificateFileError> {
    CertificateDer::pem_slice_iter(octets)
        .take(X509_CERTIFICATES_PER_FILE_MAX + 1)
        .map(|section| match section {
            Ok(der) => Ok(der.as_ref().to_vec()),
            Err(error) => Err(CertificateFileError::Pem(error.to_string())),
        })
        .collect()
}

/// Concatenated DER values; what is no whole value stays with the last one, so that it is noticed there.
fn read_der(octets: &[u8]) -> Vec<Vec<u8>> {
    let mut certificates: Vec<Vec<u8>> = Vec::new();
    let mut rest = octets;
    while !rest.is_empty() && certificates.len() <= X509_CERTIFICATES_PER_FILE_MAX {
        let one = match X509Certificate::from_der(rest) {
            Ok((after, _)) => rest.get(..rest.len() - after.len()).unwrap_or(rest),
            Err(_) => rest,
        };
        match certificates.last_mut() {
            Some(last) if one.len() == rest.len() && X509Certificate::from_der(one).is_err() => {
                last.extend_from_slice(one);
            }
            Some(_) | None => certificates.push(one.to_vec()),
        }
        rest = rest.get(one.len()..).unwrap_or_default();
    }
    certificates
}

/// The certificate alone, without octets after it.
pub(super) fn parse(der: &[u8]) -> Result<X509Certificate<'_>, CertificateFileError> {
    match X509Certificate::from_der(der) {
        Ok(([], certificate)) => Ok(certificate),
        Ok((_, _)) => Err(CertificateFileError::TrailingData),
        Err(error) => Err(CertificateFileError::Der(error.to_string())),
    }
}

/// All that [`CertificateSeen`] shows.
pub(super) fn describe(der: &[u8], certificate: &X509Certificate<'_>) -> CertificateSeen {
    let mut seen = CertificateSeen {
        subject: certificate.subject().to_string(),
        issuer: certificate.issuer().to_string(),
        common_names: certificate
            .subject()
            .iter_common_name()
            .filter_map(|attribute| attribute.as_str().ok().map(str::to_owned))
            .collect(),
        not_before: timestamp(certificate.validity().not_before),
        not_after: timestamp(certificate.validity().not_after),
        dns_names: Vec::new(),
        ip_addresses: Vec::new(),
        key: key_seen(certificate.public_key()),
        signature_algorithm: signature_name(&certificate.signature_algorithm),
        sha256: hex(digest::digest(&digest::SHA256, der).as_ref()),
        spki_sha256: hex(digest::digest(&digest::SHA256, certificate.public_key().raw).as_ref()),
        serial: hex(certificate.raw_serial()),
        is_ca: false,
        self_signed: is_self_signed(certificate),
        extended_key_usages: None,
        ca_issuers: Vec::new(),
        crl_urls: Vec::new(),
        ocsp_urls: Vec::new(),
    };
    for extension in certificate.extensions() {
        describe_extension(&mut seen, extension.parsed_extension());
    }
    seen
}

/// Adds what one extension says.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "extensions that are not shown; the enum is the parser's"
)]
fn describe_extension(seen: &mut CertificateSeen, extension: &ParsedExtension<'_>) {
    match extension {
        ParsedExtension::SubjectAlternativeName(names) => {
            for name in &names.general_names {
                match name {
                    GeneralName::DNSName(name) => seen.dns_names.push((*name).to_owned()),
                    GeneralName::IPAddress(octets) => seen.ip_addresses.extend(ip_address(octets)),
                    _ => {}
                }
            }
        }
        ParsedExtension::BasicConstraints(constraints) => seen.is_ca = constraints.ca,
        ParsedExtension::ExtendedKeyUsage(usage) => {
            let named = [
                (usage.any, "anyExtendedKeyUsage"),
                (usage.server_auth, "serverAuth"),
                (usage.client_auth, "clientAuth"),
                (usage.code_signing, "codeSigning"),
                (usage.email_protection, "emailProtection"),
                (usage.time_stamping, "timeStamping"),
                (usage.ocsp_signing, "OCSPSigning"),
            ];
            let mut usages: Vec<String> = named
                .into_iter()
                .filter(|(set, _)| *set)
                .map(|(_, name)| name.to_owned())
                .collect();
            usages.extend(usage.other.iter().map(ToString::to_string));
            seen.extended_key_usages = Some(usages);
        }
        ParsedExtension::AuthorityInfoAccess(access) => {
            for description in &access.accessdescs {
                if let GeneralName::URI(uri) = &description.access_location {
                    match description.access_method.to_id_string().as_str() {
                        "1.3.6.1.5.5.7.48.1" => seen.ocsp_urls.push((*uri).to_owned()),
                        "1.3.6.1.5.5.7.48.2" => seen.ca_issuers.push((*uri).to_owned()),
                        _ => {}
                    }
                }
            }
        }
        ParsedExtension::CRLDistributionPoints(points) => {
            for point in points.iter() {
                if let Some(DistributionPointName::FullName(names)) = &point.distribution_point {
                    seen.crl_urls.extend(names.iter().filter_map(|name| match name {
                        GeneralName::URI(uri) => Some((*uri).to_owned()),
                        _ => None,
                    }));
                }
            }
        }
        _ => {}
    }
}

/// Whether the certificate names itself as issuer and verifies with its own key. A signature this code
/// cannot compute counts as verified, because the names already say it.
pub(super) fn is_self_signed(certificate: &X509Certificate<'_>) -> bool {
    certificate.subject().as_raw() == certificate.issuer().as_raw()
        && super::path::check_signature(certificate, certificate.public_key())
            != super::path::Signature::Bad
}

/// Kind and size of a key.
pub(super) fn key_seen(spki: &SubjectPublicKeyInfo<'_>) -> KeySeen {
    let oid = spki.algorithm.algorithm.to_id_string();
    let curve = || {
        spki.algorithm
            .parameters
            .as_ref()
            .and_then(|any| any.as_oid().ok())
            .map(|oid| oid.to_id_string())
    };
    match (oid.as_str(), spki.parsed()) {
        ("1.2.840.113549.1.1.1" | "1.2.840.113549.1.1.10", Ok(PublicKey::RSA(key))) => {
            KeySeen { kind: KeyKind::Rsa, bits: bit_length(key.modulus), curve: None }
        }
        ("1.2.840.10045.2.1", parsed) => {
            let (name, bits) = match curve().as_deref() {
                Some("1.2.840.10045.3.1.1") => ("P-192".to_owned(), 192),
                Some("1.3.132.0.33") => ("P-224".to_owned(), 224),
                Some("1.2.840.10045.3.1.7") => ("P-256".to_owned(), 256),
                Some("1.3.132.0.34") => ("P-384".to_owned(), 384),
                Some("1.3.132.0.35") => ("P-521".to_owned(), 521),
                other => (
                    other.unwrap_or("explicit parameters").to_owned(),
                    parsed.map_or(0, |key| u32::try_from(key.key_size()).unwrap_or(0)),
                ),
            };
            KeySeen { kind: KeyKind::Ec, bits, curve: Some(name) }
        }
        ("1.3.101.112", _) => KeySeen { kind: KeyKind::Ed25519, bits: 256, curve: None },
        ("1.3.101.113", _) => KeySeen { kind: KeyKind::Ed448, bits: 456, curve: None },
        ("1.2.840.10040.4.1", parsed) => KeySeen {
            kind: KeyKind::Dsa,
            bits: parsed.map_or(0, |key| u32::try_from(key.key_size()).unwrap_or(0)),
            curve: None,
        },
        (_, _) => KeySeen { kind: KeyKind::Other, bits: 0, curve: Some(oid) },
    }
}

/// Bits of a big-endian number.
pub(crate) fn bit_length(octets: &[u8]) -> u32 {
    let start = octets.iter().position(|octet| *octet != 0);
    let significant = start.and_then(|start| octets.get(start..)).unwrap_or_default();
    let Some(first) = significant.first() else {
        return 0;
    };
    u32::try_from(significant.len())
        .unwrap_or(u32::MAX)
        .saturating_mul(8)
        .saturating_sub(first.leading_zeros())
}

/// The usual name of a signature algorithm.
pub(super) fn signature_name(algorithm: &AlgorithmIdentifier<'_>) -> String {
    let oid = algorithm.algorithm.to_id_string();
    let name = match oid.as_str() {
        "1.2.840.113549.1.1.2" => "md2WithRSAEncryption",
        "1.2.840.113549.1.1.4" => "md5WithRSAEncryption",
        "1.2.840.113549.1.1.5" | "1.3.14.3.2.29" => "sha1WithRSAEncryption",
        "1.2.840.113549.1.1.10" => return pss_name(algorithm),
        "1.2.840.113549.1.1.11" => "sha256WithRSAEncryption",
        "1.2.840.113549.1.1.12" => "sha384WithRSAEncryption",
        "1.2.840.113549.1.1.13" => "sha512WithRSAEncryption",
        "1.2.840.113549.1.1.14" => "sha224WithRSAEncryption",
        "1.2.840.10045.4.1" => "ecdsa-with-SHA1",
        "1.2.840.10045.4.3.1" => "ecdsa-with-SHA224",
        "1.2.840.10045.4.3.2" => "ecdsa-with-SHA256",
        "1.2.840.10045.4.3.3" => "ecdsa-with-SHA384",
        "1.2.840.10045.4.3.4" => "ecdsa-with-SHA512",
        "1.2.840.10040.4.3" => "dsa-with-sha1",
        "2.16.840.1.101.3.4.3.2" => "dsa-with-sha256",
        "1.3.101.112" => "ed25519",
        "1.3.101.113" => "ed448",
        "2.16.840.1.101.3.4.3.17" => "ml-dsa-44",
        "2.16.840.1.101.3.4.3.18" => "ml-dsa-65",
        "2.16.840.1.101.3.4.3.19" => "ml-dsa-87",
        _ => return oid,
    };
    name.to_owned()
}

/// The name of an RSASSA-PSS signature, which has its hash in the parameters (RFC 4055 §3.1).
fn pss_name(algorithm: &AlgorithmIdentifier<'_>) -> String {
    let parameters =
        algorithm.parameters.as_ref().and_then(|any| RsaSsaPssParams::try_from(any).ok());
    let hash = parameters.map(|parameters| parameters.hash_algorithm_oid().to_id_string());
    match hash.as_deref() {
        Some("2.16.840.1.101.3.4.2.1") => "rsassa-pss-sha256".to_owned(),
        Some("2.16.840.1.101.3.4.2.2") => "rsassa-pss-sha384".to_owned(),
        Some("2.16.840.1.101.3.4.2.3") => "rsassa-pss-sha512".to_owned(),
        Some("1.3.14.3.2.26") => "rsassa-pss-sha1".to_owned(),
        Some(_) | None => "rsassa-pss".to_owned(),
    }
}

/// Whether a signature algorithm name stands for MD2, MD5 or SHA-1.
pub(super) fn is_weak_signature(name: &str) -> bool {
    matches!(
        name,
        "md2WithRSAEncryption"
            | "md5WithRSAEncryption"
            | "sha1WithRSAEncryption"
            | "rsassa-pss-sha1"
            | "ecdsa-with-SHA1"
            | "dsa-with-sha1"
    )
}

/// The time as a timestamp, at the ends of what can be held where it lies beyond.
fn timestamp(time: ASN1Time) -> Timestamp {
    let second = time.timestamp();
    Timestamp::from_second(second).unwrap_or(if second < 0 {
        Timestamp::MIN
    } else {
        Timestamp::MAX
    })
}

/// An address out of 4 or 16 octets.
fn ip_address(octets: &[u8]) -> Option<IpAddr> {
    if let Ok(octets) = <[u8; 4]>::try_from(octets) {
        return Some(IpAddr::from(octets));
    }
    <[u8; 16]>::try_from(octets).ok().map(IpAddr::from)
}

/// Lower-case hexadecimal.
pub(super) fn hex(octets: &[u8]) -> String {
    octets
        .iter()
        .flat_map(|octet| [octet >> 4, octet & 0x0f])
        .filter_map(|digit| char::from_digit(u32::from(digit), 16))
        .collect()
}
