//! The issuers of a lab: one good intermediate and one for every way in which an issuer can be wrong
//! (RFC 5280 §4.2.1.3, §4.2.1.9, §4.2.1.10). It makes no leaf. The way in: [`Issuers::new`]; each issuer has
//! a slug under which its certificate and revocation list can be downloaded.

use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CertifiedIssuer,
    DistinguishedName, DnType, GeneralSubtree, IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose,
    NameConstraints,
};
use rustls::pki_types::CertificateDer;
use time::{Duration, OffsetDateTime};

use super::{AuthorityError, IssuerKind};

/// One issuer with the certificate by which it is shown.
pub(super) struct Ca {
    certified: CertifiedIssuer<'static, KeyPair>,
    shown: Option<CertificateDer<'static>>,
    /// The certificate above, where that is not a root.
    pub(super) upper: Option<CertificateDer<'static>>,
    /// The name of its documents on the download host.
    pub(super) slug: &'static str,
    /// Whether it is the root, which no server sends.
    pub(super) is_root: bool,
}

impl std::fmt::Debug for Ca {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Ca({})", self.slug)
    }
}

impl Ca {
    /// What signs.
    pub(super) fn issuer(&self) -> &Issuer<'static, KeyPair> {
        &self.certified
    }

    /// The certificate servers send for it, as PEM.
    #[cfg(test)]
    pub(super) fn pem(&self) -> String {
        self.certified.pem()
    }

    /// The certificate servers send for it.
    pub(super) fn der(&self) -> CertificateDer<'static> {
        self.shown.clone().unwrap_or_else(|| self.certified.der().clone())
    }
}

/// All shared issuers of one lab.
#[derive(Debug)]
pub(super) struct Issuers {
    /// The root lab clients trust.
    pub(super) root: RootCa,
    /// The root that signed the private issuer.
    pub(super) private_root: RootCa,
    intermediate: Ca,
    rsa: Ca,
    root_as_issuer: Ca,
    private: Ca,
    lapsed: Ca,
    lapsed_twin: Ca,
    below: Ca,
    not_ca: Ca,
    no_cert_sign: Ca,
    path_too_long: Ca,
    /// An issuer of nothing.
    pub(super) unrelated: Ca,
}

/// The root: certificate and signing key.
pub(super) struct RootCa(CertifiedIssuer<'static, KeyPair>);

impl std::fmt::Debug for RootCa {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("RootCa")
    }
}

impl RootCa {
    /// The certificate as PEM.
    pub(super) fn pem(&self) -> String {
        self.0.pem()
    }

    /// The certificate.
    pub(super) fn der(&self) -> &CertificateDer<'static> {
        self.0.der()
    }
}

const ROOT_YEARS: i64 = 20;
const ISSUER_YEARS: i64 = 8;

fn named(name: &str, now: OffsetDateTime, years: i64) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::OrganizationName, "Waxseal lab, not for real use");
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = now - Duration::days(365 * years);
    params.not_after = now + Duration::days(365 * years);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.use_authority_key_identifier_extension = true;
    params
}

fn root(
    name: &str,
    now: OffsetDateTime,
) -> Result<CertifiedIssuer<'static, KeyPair>, rcgen::Error> {
    let mut params = named(name, now, ROOT_YEARS);
    params.use_authority_key_identifier_extension = false;
    CertifiedIssuer::self_signed(params, KeyPair::generate()?)
}

fn issuer(
    slug: &'static str,
    params: CertificateParams,
    key: KeyPair,
    above: &Issuer<'_, KeyPair>,
) -> Result<Ca, AuthorityError> {
    let certified = CertifiedIssuer::signed_by(params, key, above)?;
    Ok(Ca { certified, shown: None, upper: None, slug, is_root: false })
}

fn expired(mut params: CertificateParams, now: OffsetDateTime) -> CertificateParams {
    params.not_after = now - Duration::days(1);
    params
}

impl Issuers {
    /// Makes all shared issuers; `rsa` is the key of the RSA intermediate.
    pub(super) fn new(now: OffsetDateTime, rsa: KeyPair) -> Result<Self, AuthorityError> {
        let top = root("Waxseal Lab Root", now)?;
        let plain = |name: &str| named(name, now, ISSUER_YEARS);
        let intermediate =
            issuer("intermediate", plain("Waxseal Lab Intermediate"), KeyPair::generate()?, &top)?;
        let mut lapsed_twin = issuer(
            "intermediate",
            plain("Waxseal Lab Intermediate"),
            copy(intermediate.issuer().key())?,
            &top,
        )?;
        let mut below = issuer(
            "below-intermediate",
            plain("Waxseal Lab Below Intermediate"),
            KeyPair::generate()?,
            intermediate.issuer(),
        )?;
        below.upper = Some(intermediate.der());
        let old = expired(plain("Waxseal Lab Intermediate"), now);
        lapsed_twin.upper = Some(intermediate.der());
        lapsed_twin.shown = Some(old.signed_by(intermediate.issuer().key(), &top)?.der().clone());
        let mut not_ca = plain("Waxseal Lab Not An Issuer");
        not_ca.is_ca = IsCa::ExplicitNoCa;
        not_ca.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        let mut no_cert_sign = plain("Waxseal Lab No Signing");
        no_cert_sign.key_usages = vec![KeyUsagePurpose::CrlSign];
        let mut short = plain("Waxseal Lab Short Path");
        short.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        let short = issuer("short-path", short, KeyPair::generate()?, &top)?;
        let mut path_too_long = issuer(
            "path-too-long",
            plain("Waxseal Lab Below Short Path"),
            KeyPair::generate()?,
            short.issuer(),
        )?;
        path_too_long.upper = Some(short.der());
        let hidden = root("Waxseal Lab Private Root", now)?;
        let private = plain("Waxseal Lab Private Intermediate");
        let lapsed = expired(plain("Waxseal Lab Lapsed Intermediate"), now);
        let root_key = copy(top.key())?;
        let root_again = named("Waxseal Lab Root", now, ROOT_YEARS);
        Ok(Self {
            intermediate,
            rsa: issuer("rsa", plain("Waxseal Lab RSA Intermediate"), rsa, &top)?,
            private: issuer("private", private, KeyPair::generate()?, &hidden)?,
            lapsed: issuer("lapsed", lapsed, KeyPair::generate()?, &top)?,
            lapsed_twin,
            below,
            not_ca: issuer("not-ca", not_ca, KeyPair::generate()?, &top)?,
            no_cert_sign: issuer("no-cert-sign", no_cert_sign, KeyPair::generate()?, &top)?,
            path_too_long,
            unrelated: issuer(
                "unrelated",
                plain("Waxseal Lab Unrelated Issuer"),
                KeyPair::generate()?,
                &hidden,
            )?,
            root_as_issuer: Ca {
                shown: Some(top.der().clone()),
                certified: CertifiedIssuer::self_signed(root_again, root_key)?,
                upper: None,
                slug: "root",
                is_root: true,
            },
            root: RootCa(top),
            private_root: RootCa(hidden),
        })
    }

    /// The shared issuer of this kind; the self-signed and constrained kinds have none and get the good one.
    pub(super) fn shared(&self, kind: IssuerKind) -> &Ca {
        match kind {
            IssuerKind::Intermediate | IssuerKind::SelfSigned | IssuerKind::Constrained => {
                &self.intermediate
            }
            IssuerKind::Rsa => &self.rsa,
            IssuerKind::Root => &self.root_as_issuer,
            IssuerKind::Private => &self.private,
            IssuerKind::Lapsed => &self.lapsed,
            IssuerKind::LapsedTwin => &self.lapsed_twin,
            IssuerKind::BelowIntermediate => &self.below,
            IssuerKind::NotCa => &self.not_ca,
            IssuerKind::NoCertSign => &self.no_cert_sign,
            IssuerKind::PathTooLong => &self.path_too_long,
        }
    }

    /// An intermediate that may issue for `permitted` only; it is made for one leaf.
    pub(super) fn constrained(
        &self,
        permitted: &[String],
        host: &str,
        now: OffsetDateTime,
    ) -> Result<Ca, AuthorityError> {
        let mut params = named(&format!("Waxseal Lab Constrained for {host}"), now, ISSUER_YEARS);
        params.name_constraints = Some(NameConstraints {
            permitted_subtrees: permitted.iter().cloned().map(GeneralSubtree::DnsName).collect(),
            excluded_subtrees: Vec::new(),
        });
        issuer("constrained", params, KeyPair::generate()?, &self.root.0)
    }

    /// Path and content of every document for download.
    pub(super) fn downloads(
        &self,
        now: OffsetDateTime,
    ) -> Result<Vec<(String, Vec<u8>)>, AuthorityError> {
        let all = [
            &self.intermediate,
            &self.rsa,
            &self.root_as_issuer,
            &self.private,
            &self.lapsed,
            &self.below,
            &self.not_ca,
            &self.no_cert_sign,
            &self.path_too_long,
        ];
        let mut out = Vec::new();
        for ca in all {
            out.push((format!("/{}.der", ca.slug), ca.der().to_vec()));
            if ca.issuer().key_usages().contains(&KeyUsagePurpose::CrlSign) {
                out.push((format!("/{}.crl", ca.slug), empty_crl(ca, now)?));
            }
        }
        Ok(out)
    }
}

fn copy(key: &KeyPair) -> Result<KeyPair, AuthorityError> {
    Ok(KeyPair::try_from(key.serialized_der())?)
}

fn empty_crl(ca: &Ca, now: OffsetDateTime) -> Result<Vec<u8>, AuthorityError> {
    let params = CertificateRevocationListParams {
        this_update: now - Duration::days(1),
        next_update: now + Duration::days(6),
        crl_number: rcgen::SerialNumber::from(1u64),
        issuing_distribution_point: None,
        revoked_certs: Vec::new(),
        key_identifier_method: KeyIdMethod::Sha256,
    };
    Ok(params.signed_by(ca.issuer())?.der().to_vec())
}
