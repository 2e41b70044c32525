//! RSA by plain modular exponentiation, for what good libraries refuse: signing with a 1024-bit key, with
//! SHA-1, and decrypting a static-RSA premaster secret (RFC 8017 §7.2, §8.1, §8.2).
//! Neither constant-time nor meant to be: the keys are published fixtures. The way in: [`RsaFixture`].

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::digest;
use num_bigint::BigUint;
use rustls::sign::{Signer, SigningKey};
use rustls::{Error, SignatureAlgorithm, SignatureScheme};

use super::der;

/// An RSA private key read from one of the committed fixtures.
pub(crate) struct RsaFixture {
    modulus: BigUint,
    private_exponent: BigUint,
    length: usize,
    public_der: Vec<u8>,
}

impl fmt::Debug for RsaFixture {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "RsaFixture({} bits)", self.length * 8)
    }
}

impl RsaFixture {
    /// Reads a PKCS #1 private key (RFC 8017 A.1.2).
    pub(crate) fn from_pkcs1(input: &[u8]) -> Option<Self> {
        let (_, body, _) = der::read(input)?;
        let (_, _version, rest) = der::read(body)?;
        let (_, modulus, rest) = der::read(rest)?;
        let (_, public_exponent, rest) = der::read(rest)?;
        let (_, private_exponent, _) = der::read(rest)?;
        let public_der = der::sequence(&[
            der::tlv(der::INTEGER, modulus),
            der::tlv(der::INTEGER, public_exponent),
        ]);
        let modulus = BigUint::from_bytes_be(modulus);
        let length = usize::try_from(modulus.bits().div_ceil(8)).ok()?;
        let private_exponent = BigUint::from_bytes_be(private_exponent);
        Some(Self { modulus, private_exponent, length, public_der })
    }

    /// The bare private-key operation (RFC 8017 §5.1.2, §5.2.1), as long as the modulus.
    pub(crate) fn private_operation(&self, input: &[u8]) -> Vec<u8> {
        let result = BigUint::from_bytes_be(input).modpow(&self.private_exponent, &self.modulus);
        left_pad(&result.to_bytes_be(), self.length)
    }

    /// RSASSA-PKCS1-v1_5 with SHA-1 (RFC 8017 §8.2).
    pub(crate) fn sign_pkcs1_sha1(&self, message: &[u8]) -> Vec<u8> {
        const PREFIX: [u8; 15] = [
            0x30, 0x21, 0x30, 0x09, 0x06, 0x05, 0x2b, 0x0e, 0x03, 0x02, 0x1a, 0x05, 0x00, 0x04,
            0x14,
        ];
        let hash = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, message);
        self.sign_pkcs1(&PREFIX, hash.as_ref())
    }

    /// RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017 §8.2).
    pub(crate) fn sign_pkcs1_sha256(&self, message: &[u8]) -> Vec<u8> {
        const PREFIX: [u8; 19] = [
            0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02,
            0x01, 0x05, 0x00, 0x04, 0x20,
        ];
        let hash = digest::digest(&digest::SHA256, message);
        self.sign_pkcs1(&PREFIX, hash.as_ref())
    }

    fn sign_pkcs1(&self, prefix: &[u8], hash: &[u8]) -> Vec<u8> {
        let filler = self.length - 3 - prefix.len() - hash.len();
        let block = [&[0, 1][..], &vec![0xff; filler], &[0], prefix, hash].concat();
        self.private_operation(&block)
    }

    /// RSASSA-PSS with SHA-256, 32 octets of salt (RFC 8017 §8.1, §9.1.1).
    pub(crate) fn sign_pss_sha256(&self, message: &[u8]) -> Vec<u8> {
        let salt = [0x5a; 32];
        let hash = digest::digest(&digest::SHA256, message);
        let seal = digest::digest(&digest::SHA256, &[&[0; 8][..], hash.as_ref(), &salt].concat());
        let masked_length = self.length - 33;
        let mut block = vec![0; masked_length - 33];
        block.push(1);
        block.extend_from_slice(&salt);
        for (octet, mask) in block.iter_mut().zip(mgf1_sha256(seal.as_ref(), masked_length)) {
            *octet ^= mask;
        }
        if let Some(first) = block.first_mut() {
            *first &= 0x7f;
        }
        block.extend_from_slice(seal.as_ref());
        block.push(0xbc);
        self.private_operation(&block)
    }
}

fn mgf1_sha256(seed: &[u8], length: usize) -> Vec<u8> {
    let mut out = Vec::new();
    let mut counter = 0u32;
    while out.len() < length {
        let block = [seed, &counter.to_be_bytes()].concat();
        out.extend_from_slice(digest::digest(&digest::SHA256, &block).as_ref());
        counter += 1;
    }
    out.truncate(length);
    out
}

/// `value` with leading zeros up to `length` octets.
pub(crate) fn left_pad(value: &[u8], length: usize) -> Vec<u8> {
    let mut out = vec![0; length.saturating_sub(value.len())];
    out.extend_from_slice(value);
    out
}

impl rcgen::PublicKeyData for RsaFixture {
    fn der_bytes(&self) -> &[u8] {
        &self.public_der
    }

    fn algorithm(&self) -> &'static rcgen::SignatureAlgorithm {
        &rcgen::PKCS_RSA_SHA256
    }
}

/// The fixture as a key with which rustls can sign a handshake.
#[derive(Debug, Clone)]
pub(crate) struct WeakSigningKey(pub(crate) Arc<RsaFixture>);

impl SigningKey for WeakSigningKey {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        [SignatureScheme::RSA_PSS_SHA256, SignatureScheme::RSA_PKCS1_SHA256]
            .into_iter()
            .find(|scheme| offered.contains(scheme))
            .map(|scheme| {
                let signer = WeakSigner { key: Arc::clone(&self.0), scheme };
                Box::new(signer) as Box<dyn Signer>
            })
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        SignatureAlgorithm::RSA
    }
}

#[derive(Debug)]
struct WeakSigner {
    key: Arc<RsaFixture>,
    scheme: SignatureScheme,
}

impl Signer for WeakSigner {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        Ok(if self.scheme == SignatureScheme::RSA_PSS_SHA256 {
            self.key.sign_pss_sha256(message)
        } else {
            self.key.sign_pkcs1_sha256(message)
        })
    }

    fn scheme(&self) -> SignatureScheme {
        self.scheme
    }
}
