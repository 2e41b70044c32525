//! Stapled OCSP answers: one SingleResponse, signed by the issuer itself (RFC 6960 §4.2.1, RFC 6066 §8).
//! No responder host exists; a server hands the answer out in its handshake. The way in: [`response`].

use aws_lc_rs::digest;
use rcgen::SigningKey as _;
use time::{Duration, OffsetDateTime};
use x509_parser::prelude::FromDer as _;
use x509_parser::prelude::X509Certificate;

use super::der::{BIT_STRING, INTEGER, sequence, tlv};
use super::issuers::Ca;
use super::{AuthorityError, Staple};

const OCTET_STRING: u8 = 0x04;
const ENUMERATED: u8 = 0x0a;
const GENERALIZED_TIME: u8 = 0x18;
/// id-pkix-ocsp-basic.
const BASIC_OID: [u8; 11] = [0x06, 0x09, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01, 0x01];
const SHA1_OID: [u8; 7] = [0x06, 0x05, 0x2b, 0x0e, 0x03, 0x02, 0x1a];
const ECDSA_SHA256_OID: [u8; 10] = [0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02];
const RSA_SHA256_OID: [u8; 11] = [0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b];
const NULL: [u8; 2] = [0x05, 0x00];

/// The answer for `leaf`; empty where the recipe staples none.
pub(super) fn response(
    staple: Staple,
    leaf: &[u8],
    ca: &Ca,
    now: OffsetDateTime,
) -> Result<Vec<u8>, AuthorityError> {
    let day = Duration::days(1);
    let (status, this_update, next_update) = match staple {
        Staple::None => return Ok(Vec::new()),
        Staple::Good => (tlv(0x80, &[]), now - day, now + day * 6),
        Staple::Expired => (tlv(0x80, &[]), now - day * 20, now - day * 13),
        Staple::Revoked => (tlv(0xa1, &generalized(now - day * 2)), now - day, now + day * 6),
    };
    let unreadable = |_| AuthorityError::Recipe("a staple needs a certificate that can be read");
    let (_, leaf) = X509Certificate::from_der(leaf).map_err(unreadable)?;
    let issuer = ca.der();
    let (_, issuer) = X509Certificate::from_der(&issuer).map_err(unreadable)?;
    let key_hash = sha1(&issuer.public_key().subject_public_key.data);
    let certificate_id = sequence(&[
        sequence(&[SHA1_OID.to_vec(), NULL.to_vec()]),
        tlv(OCTET_STRING, &sha1(issuer.subject().as_raw())),
        tlv(OCTET_STRING, &key_hash),
        tlv(INTEGER, leaf.raw_serial()),
    ]);
    let single = sequence(&[
        certificate_id,
        status,
        generalized(this_update),
        tlv(0xa0, &generalized(next_update)),
    ]);
    let data = sequence(&[
        tlv(0xa2, &tlv(OCTET_STRING, &key_hash)),
        generalized(this_update),
        sequence(&[single]),
    ]);
    let key = ca.issuer().key();
    let algorithm = if key.algorithm() == &rcgen::PKCS_RSA_SHA256 {
        sequence(&[RSA_SHA256_OID.to_vec(), NULL.to_vec()])
    } else {
        sequence(&[ECDSA_SHA256_OID.to_vec()])
    };
    let signature = [vec![0], key.sign(&data)?].concat();
    let basic = sequence(&[data, algorithm, tlv(BIT_STRING, &signature)]);
    let octets = sequence(&[BASIC_OID.to_vec(), tlv(OCTET_STRING, &basic)]);
    Ok(sequence(&[tlv(ENUMERATED, &[0]), tlv(0xa0, &octets)]))
}

fn sha1(octets: &[u8]) -> Vec<u8> {
    digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, octets).as_ref().to_vec()
}

fn generalized(time: OffsetDateTime) -> Vec<u8> {
    let text = format!(
        "{:04}{:02}{:02}{:02}{:02}{:02}Z",
        time.year(),
        u8::from(time.month()),
        time.day(),
        time.hour(),
        time.minute(),
        time.second()
    );
    tlv(GENERALIZED_TIME, text.as_bytes())
}
