//! The certificates of the receivers: root, issuer and one leaf for each host (RFC 5280 §4.2), all with
//! one kind of key. Leaves share one key, because making a thousand RSA keys would measure nothing.
//! Made anew for every run and valid for a month; the way in is [`Pki::new`].

use anyhow::{Result, bail};
use jiff::Timestamp;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256, RsaKeySize,
};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use time::{Duration, OffsetDateTime};

/// The kind of all keys of a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyKind {
    /// ECDSA with P-256.
    Ecdsa,
    /// RSA with 2048 bits.
    Rsa,
}

impl KeyKind {
    /// Both kinds.
    pub(crate) const ALL: [Self; 2] = [Self::Rsa, Self::Ecdsa];

    /// The word used on the command line and in folder names.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Ecdsa => "ecdsa",
            Self::Rsa => "rsa",
        }
    }

    /// The kind in words.
    pub(crate) const fn words(self) -> &'static str {
        match self {
            Self::Ecdsa => "ECDSA P-256",
            Self::Rsa => "RSA-2048",
        }
    }

    /// The kind of this word.
    ///
    /// # Errors
    /// When there is none.
    pub(crate) fn parse(word: &str) -> Result<Self> {
        match Self::ALL.into_iter().find(|kind| kind.as_str() == word) {
            Some(kind) => Ok(kind),
            None => bail!("no kind of key is called '{word}'"),
        }
    }

    fn generate(self) -> Result<KeyPair, rcgen::Error> {
        match self {
            Self::Ecdsa => KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256),
            Self::Rsa => KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048),
        }
    }
}

/// An authority and the key of its leaves.
#[derive(Debug)]
pub(crate) struct Pki {
    root_pem: String,
    issuer: Issuer<'static, KeyPair>,
    issuer_der: CertificateDer<'static>,
    issuer_pem: String,
    leaf_key: KeyPair,
    dates: [OffsetDateTime; 2],
}

impl Pki {
    /// Root, issuer and leaf key of one kind, valid around `now`.
    ///
    /// # Errors
    /// When a key or certificate cannot be made.
    pub(crate) fn new(kind: KeyKind, now: Timestamp) -> Result<Self> {
        let now = OffsetDateTime::from_unix_timestamp(now.as_second())?;
        let dates = [now - Duration::days(2), now + Duration::days(30)];
        let root_key = kind.generate()?;
        let root = params(&format!("Bench {} root", kind.as_str()), dates, Role::Authority(1))?;
        let root_pem = root.self_signed(&root_key)?.pem();
        let root = Issuer::new(root, root_key);
        let key = kind.generate()?;
        let issuing = format!("Bench {} issuing", kind.as_str());
        let issuer = params(&issuing, dates, Role::Authority(0))?;
        let certificate = issuer.signed_by(&key, &root)?;
        Ok(Self {
            root_pem,
            issuer_der: certificate.der().clone(),
            issuer_pem: certificate.pem(),
            issuer: Issuer::new(issuer, key),
            leaf_key: kind.generate()?,
            dates,
        })
    }

    /// The root as PEM.
    pub(crate) fn root_pem(&self) -> &str {
        &self.root_pem
    }

    /// The private key of all leaves.
    pub(crate) fn leaf_key(&self) -> PrivateKeyDer<'static> {
        PrivateKeyDer::Pkcs8(self.leaf_key.serialize_der().into())
    }

    /// The chain of one host as a server sends it: leaf and issuer.
    ///
    /// # Errors
    /// When the certificate cannot be made.
    pub(crate) fn chain(&self, host: &str) -> Result<Vec<CertificateDer<'static>>> {
        let leaf = params(host, self.dates, Role::Host)?.signed_by(&self.leaf_key, &self.issuer)?;
        Ok(vec![leaf.der().clone(), self.issuer_der.clone()])
    }

    /// Key and chain of a host or wildcard as one PEM file.
    ///
    /// # Errors
    /// When the certificate cannot be made.
    pub(crate) fn key_and_chain_pem(&self, name: &str) -> Result<String> {
        let leaf = params(name, self.dates, Role::Host)?.signed_by(&self.leaf_key, &self.issuer)?;
        Ok([self.leaf_key.serialize_pem(), leaf.pem(), self.issuer_pem.clone()].concat())
    }
}

#[derive(Clone, Copy, Debug)]
enum Role {
    /// May sign, with so many authorities below it.
    Authority(u8),
    Host,
}

fn params(
    name: &str,
    [begin, end]: [OffsetDateTime; 2],
    role: Role,
) -> Result<CertificateParams, rcgen::Error> {
    let mut params = match role {
        Role::Authority(_) => CertificateParams::default(),
        Role::Host => CertificateParams::new(vec![name.to_owned()])?,
    };
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = begin;
    params.not_after = end;
    params.use_authority_key_identifier_extension = true;
    match role {
        Role::Authority(below) => {
            params.is_ca = IsCa::Ca(BasicConstraints::Constrained(below));
            params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        }
        Role::Host => {
            params.is_ca = IsCa::ExplicitNoCa;
            params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
            params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        }
    }
    Ok(params)
}
