//! A throw-away certificate authority: fresh keys at each start, one root that lab clients trust, and issuers
//! for every kind of bad chain (RFC 5280). RSA keys are committed fixtures, because making them is slow.
//! It knows nothing of sockets. The way in: [`Authority::new`], [`Authority::issue`]. Nothing it makes is
//! ever written outside a session folder.

mod der;
mod issuers;
mod ocsp;
mod recipe;
pub(crate) mod weak_rsa;

use std::sync::Arc;

use rcgen::{
    CertificateParams, CrlDistributionPoint, CustomExtension, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, KeyPair, KeyUsagePurpose, SanType, SerialNumber,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::SigningKey;
use time::{Duration, OffsetDateTime};

use issuers::{Ca, Issuers};
pub use recipe::{CrlPointer, Digest, Element, Extra, IssuerKind, KeyKind, Recipe, Staple, Usage};
use weak_rsa::{RsaFixture, WeakSigningKey};

/// The zone in which the authority's own download hosts live.
pub const AUTHORITY_DOMAIN: &str = "lab-authority.test";
/// The host that serves issuer certificates and revocation lists over plain HTTP.
pub const AIA_HOST: &str = "aia.lab-authority.test";
/// The host of revocation lists at which nothing listens.
pub const CLOSED_CRL_HOST: &str = "crl-closed.lab-authority.test";

const RSA_1024: &[u8] = include_bytes!("../../fixtures/rsa1024.pkcs1.der");
const RSA_2048_LEAF: &[u8] = include_bytes!("../../fixtures/rsa2048-leaf.pkcs1.der");
const RSA_2048_ISSUER: &[u8] = include_bytes!("../../fixtures/rsa2048-issuer.pkcs1.der");

/// The RSA key of every leaf with `key = "rsa2048"`, for servers made by hand.
pub(crate) fn leaf_fixture() -> Option<RsaFixture> {
    RsaFixture::from_pkcs1(RSA_2048_LEAF)
}

/// Why a certificate could not be made.
#[derive(Debug, thiserror::Error)]
pub enum AuthorityError {
    /// The certificate library refused.
    #[error("certificate: {0}")]
    Certificate(#[from] rcgen::Error),
    /// The TLS library refused a key.
    #[error("key: {0}")]
    Key(#[from] rustls::Error),
    /// The recipe contradicts itself.
    #[error("recipe: {0}")]
    Recipe(&'static str),
}

/// A certificate chain as a server shows it, with the key the server signs with.
#[derive(Clone, Debug)]
pub struct Issued {
    /// The certificates of the Certificate message, in the order sent.
    pub chain: Vec<CertificateDer<'static>>,
    /// The key for the handshake signature.
    pub key: Arc<dyn SigningKey>,
    /// The leaf, also where it is not sent.
    pub leaf: CertificateDer<'static>,
    /// The stapled OCSP answer; empty for none.
    pub staple: Vec<u8>,
}

/// The throw-away authority of one lab.
#[derive(Debug)]
pub struct Authority {
    issuers: Issuers,
    rsa_1024: Arc<RsaFixture>,
    rsa_issuer: RsaFixture,
}

/// A leaf's key: what rcgen needs to certify and what rustls needs to sign.
enum LeafKey {
    Generated(KeyPair),
    Weak(Arc<RsaFixture>),
}

impl Authority {
    /// Makes a fresh authority; `now` is in seconds since 1970.
    ///
    /// # Errors
    /// Where a key or certificate cannot be made.
    pub fn new(now: i64) -> Result<Self, AuthorityError> {
        let bad_fixture = || AuthorityError::Recipe("an RSA fixture cannot be read");
        Ok(Self {
            issuers: Issuers::new(instant(now)?, rsa_pair(RSA_2048_ISSUER)?)?,
            rsa_1024: Arc::new(RsaFixture::from_pkcs1(RSA_1024).ok_or_else(bad_fixture)?),
            rsa_issuer: RsaFixture::from_pkcs1(RSA_2048_ISSUER).ok_or_else(bad_fixture)?,
        })
    }

    /// The root that lab clients trust, as PEM.
    pub fn root_pem(&self) -> String {
        self.issuers.root.pem()
    }

    /// The root that lab clients trust.
    pub fn root_der(&self) -> CertificateDer<'static> {
        self.issuers.root.der().clone()
    }

    /// The root of the private issuer, as PEM: no client trusts it unless it is told to.
    pub fn private_root_pem(&self) -> String {
        self.issuers.private_root.pem()
    }

    /// The documents that [`AIA_HOST`] serves: path and content.
    ///
    /// # Errors
    /// Where a revocation list cannot be signed.
    pub fn downloads(&self, now: i64) -> Result<Vec<(String, Vec<u8>)>, AuthorityError> {
        self.issuers.downloads(instant(now)?)
    }

    /// Makes the certificate of `recipe` for `host`; `now` is in seconds since 1970.
    ///
    /// # Errors
    /// Where the recipe contradicts itself or a certificate cannot be made.
    pub fn issue(&self, recipe: &Recipe, host: &str, now: i64) -> Result<Issued, AuthorityError> {
        let now = instant(now)?;
        let mut params = leaf_params(recipe, host, now)?;
        let leaf_key = self.leaf_key(recipe.key)?;
        let own;
        let issuer = match recipe.issuer {
            IssuerKind::SelfSigned => None,
            IssuerKind::Constrained => {
                own = self.issuers.constrained(&recipe.permitted, host, now)?;
                Some(&own)
            }
            IssuerKind::Intermediate
            | IssuerKind::Rsa
            | IssuerKind::Root
            | IssuerKind::Private
            | IssuerKind::Lapsed
            | IssuerKind::LapsedTwin
            | IssuerKind::BelowIntermediate
            | IssuerKind::NotCa
            | IssuerKind::NoCertSign
            | IssuerKind::PathTooLong => Some(self.issuers.shared(recipe.issuer)),
        };
        if let Some(ca) = issuer.filter(|_| recipe.aia) {
            params.custom_extensions.push(aia_extension(ca));
        }
        params.crl_distribution_points = crl_pointer(recipe.crl, issuer);
        let leaf = sign_leaf(&params, &leaf_key, issuer)?;
        let leaf = match recipe.signature {
            Digest::Sha256 => leaf,
            Digest::Sha1 => der::resign_sha1(&leaf, |tbs| self.rsa_issuer.sign_pkcs1_sha1(tbs))
                .ok_or(AuthorityError::Recipe("signature = \"sha1\" needs issuer = \"rsa\""))?
                .into(),
        };
        let key = if recipe.wrong_key {
            rustls_key(LeafKey::Generated(KeyPair::generate()?))?
        } else {
            rustls_key(leaf_key)?
        };
        let chain = recipe
            .send
            .iter()
            .filter_map(|element| self.element(*element, &leaf, issuer))
            .collect();
        let staple = match issuer {
            Some(ca) => ocsp::response(recipe.staple, &leaf, ca, now)?,
            None => Vec::new(),
        };
        Ok(Issued { chain, key, leaf, staple })
    }

    fn leaf_key(&self, kind: KeyKind) -> Result<LeafKey, AuthorityError> {
        Ok(match kind {
            KeyKind::EcdsaP256 => LeafKey::Generated(KeyPair::generate()?),
            KeyKind::EcdsaP384 => {
                LeafKey::Generated(KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384)?)
            }
            KeyKind::Ed25519 => LeafKey::Generated(KeyPair::generate_for(&rcgen::PKCS_ED25519)?),
            KeyKind::Rsa2048 => LeafKey::Generated(rsa_pair(RSA_2048_LEAF)?),
            KeyKind::Rsa1024 => LeafKey::Weak(Arc::clone(&self.rsa_1024)),
        })
    }

    fn element(
        &self,
        element: Element,
        leaf: &CertificateDer<'static>,
        issuer: Option<&Ca>,
    ) -> Option<CertificateDer<'static>> {
        match element {
            Element::Leaf => Some(leaf.clone()),
            Element::Issuer => issuer.filter(|ca| !ca.is_root).map(Ca::der),
            Element::Upper => issuer.and_then(|ca| ca.upper.clone()),
            Element::Root => Some(self.root_der()),
            Element::Unrelated => Some(self.issuers.unrelated.der()),
            Element::Garbage => Some(CertificateDer::from(vec![0x42; 300])),
            Element::TruncatedLeaf => {
                leaf.get(..leaf.len() / 2).map(|half| CertificateDer::from(half.to_vec()))
            }
        }
    }
}

fn sign_leaf(
    params: &CertificateParams,
    key: &LeafKey,
    issuer: Option<&Ca>,
) -> Result<CertificateDer<'static>, AuthorityError> {
    let certificate = match (key, issuer) {
        (LeafKey::Generated(pair), None) => params.self_signed(pair)?,
        (LeafKey::Generated(pair), Some(ca)) => params.signed_by(pair, ca.issuer())?,
        (LeafKey::Weak(fixture), Some(ca)) => params.signed_by(fixture.as_ref(), ca.issuer())?,
        (LeafKey::Weak(_), None) => {
            return Err(AuthorityError::Recipe("rsa1024 cannot be self-signed"));
        }
    };
    Ok(certificate.der().clone())
}

fn instant(seconds: i64) -> Result<OffsetDateTime, AuthorityError> {
    OffsetDateTime::from_unix_timestamp(seconds)
        .map_err(|_| AuthorityError::Recipe("the time is out of range"))
}

fn rsa_pair(pkcs1: &[u8]) -> Result<KeyPair, AuthorityError> {
    let key = PrivateKeyDer::Pkcs1(pkcs1.to_vec().into());
    Ok(KeyPair::from_der_and_sign_algo(&key, &rcgen::PKCS_RSA_SHA256)?)
}

fn rustls_key(key: LeafKey) -> Result<Arc<dyn SigningKey>, AuthorityError> {
    Ok(match key {
        LeafKey::Generated(pair) => {
            let octets = pair.serialize_der();
            let key = if pair.algorithm() == &rcgen::PKCS_RSA_SHA256 {
                PrivateKeyDer::Pkcs1(octets.into())
            } else {
                PrivateKeyDer::Pkcs8(octets.into())
            };
            rustls::crypto::aws_lc_rs::sign::any_supported_type(&key)?
        }
        LeafKey::Weak(fixture) => Arc::new(WeakSigningKey(fixture)),
    })
}

fn leaf_params(
    recipe: &Recipe,
    host: &str,
    now: OffsetDateTime,
) -> Result<CertificateParams, AuthorityError> {
    let mut params = CertificateParams::default();
    params.not_before = now + Duration::days(recipe.not_before_days);
    params.not_after = now + Duration::days(recipe.not_after_days);
    params.serial_number = Some(random_serial()?);
    params.distinguished_name = DistinguishedName::new();
    let domain = host.split_once('.').map_or(host, |(_, rest)| rest);
    let fill = |text: &str| text.replace("{host}", host).replace("{domain}", domain);
    if let Some(cn) = recipe.cn.as_ref().or(recipe.names.first()) {
        params.distinguished_name.push(DnType::CommonName, fill(cn));
    }
    if recipe.extra.contains(&Extra::HostileSubject) {
        let hostile = format!("\u{1b}[31m\u{202e}<script>alert(1)</script>{}", "\0".repeat(10_000));
        params.distinguished_name.push(DnType::OrganizationName, hostile);
    }
    for name in &recipe.names {
        params.subject_alt_names.push(SanType::DnsName(fill(name).try_into()?));
    }
    params.subject_alt_names.extend(recipe.ips.iter().copied().map(SanType::IpAddress));
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    if matches!(recipe.key, KeyKind::Rsa2048 | KeyKind::Rsa1024) {
        params.key_usages.push(KeyUsagePurpose::KeyEncipherment);
    }
    params.extended_key_usages = recipe.usage.iter().copied().map(usage).collect();
    params.use_authority_key_identifier_extension = true;
    if recipe.extra.contains(&Extra::CriticalExtension) {
        let mut unknown =
            CustomExtension::from_oid_content(&[1, 3, 6, 1, 4, 1, 55555, 1], vec![5, 0]);
        unknown.set_criticality(true);
        params.custom_extensions.push(unknown);
    }
    Ok(params)
}

fn usage(usage: Usage) -> ExtendedKeyUsagePurpose {
    match usage {
        Usage::Server => ExtendedKeyUsagePurpose::ServerAuth,
        Usage::Client => ExtendedKeyUsagePurpose::ClientAuth,
        Usage::Email => ExtendedKeyUsagePurpose::EmailProtection,
    }
}

fn random_serial() -> Result<SerialNumber, AuthorityError> {
    let mut serial = [0u8; 16];
    aws_lc_rs::rand::fill(&mut serial)
        .map_err(|_| AuthorityError::Recipe("the system gave no randomness"))?;
    serial[0] = (serial[0] & 0x7f) | 0x01;
    Ok(SerialNumber::from_slice(&serial))
}

fn aia_extension(ca: &Ca) -> CustomExtension {
    const AIA: [u64; 9] = [1, 3, 6, 1, 5, 5, 7, 1, 1];
    let url = format!("http://{AIA_HOST}/{}.der", ca.slug);
    CustomExtension::from_oid_content(&AIA, der::ca_issuers(&url))
}

fn crl_pointer(pointer: CrlPointer, issuer: Option<&Ca>) -> Vec<CrlDistributionPoint> {
    let host = match pointer {
        CrlPointer::Served => AIA_HOST,
        CrlPointer::Closed => CLOSED_CRL_HOST,
        CrlPointer::None => return Vec::new(),
    };
    let Some(ca) = issuer else { return Vec::new() };
    vec![CrlDistributionPoint { uris: vec![format!("http://{host}/{}.crl", ca.slug)] }]
}

#[cfg(test)]
mod tests;
