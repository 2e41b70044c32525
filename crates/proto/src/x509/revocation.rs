//! Revocation lists in a question (RFC 5280 §5). Lists are given by the caller, nothing is fetched. A list
//! that was given and cannot be used makes the chain fail: what it says is then not excluded. A list that
//! is out of date still revokes, but no longer proves the opposite.

use webpki::{
    BorrowedCertRevocationList, CertRevocationList, ExpirationPolicy, RevocationOptions,
    RevocationOptionsBuilder, UnknownStatusPolicy,
};
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer;
use x509_parser::revocation_list::CertificateRevocationList;
use x509_parser::x509::SubjectPublicKeyInfo;

use rustls_pki_types::CertificateRevocationListDer;
use rustls_pki_types::pem::PemObject;

use super::fault::Fault;
use super::roots::name_content;
use super::seen::{CertificateFileError, parse};
use crate::limits::{X509_CRLS_MAX, X509_FILE_OCTETS_MAX};

/// OID of the CRL number extension.
const OID_CRL_NUMBER: &str = "2.5.29.20";

/// The lists of one question.
pub(super) struct RevocationLists {
    lists: Vec<CertRevocationList<'static>>,
    /// The DER of each, same order.
    ders: Vec<Vec<u8>>,
    /// What is wrong with lists that cannot be used.
    pub(super) faults: Vec<Fault>,
}

impl RevocationLists {
    /// Reads the lists, DER.
    pub(super) fn read(ders: &[Vec<u8>]) -> Self {
        let mut lists = Vec::new();
        let mut kept = Vec::new();
        let mut faults = Vec::new();
        for (index, der) in ders.iter().enumerate() {
            let read = if index < X509_CRLS_MAX {
                read_list(der)
            } else {
                Err(format!("more than {X509_CRLS_MAX} lists"))
            };
            match read {
                Ok(list) => {
                    lists.push(list);
                    kept.push(der.clone());
                }
                Err(reason) => {
                    faults.push(Fault::CrlUnusable { reason });
                    if index >= X509_CRLS_MAX {
                        break;
                    }
                }
            }
        }
        Self { lists, ders: kept, faults }
    }

    /// Borrowed, as the validator wants them.
    pub(super) fn borrowed(&self) -> Vec<&CertRevocationList<'static>> {
        self.lists.iter().collect()
    }

    /// Whether a list signed with the issuer's `key` (subjectPublicKeyInfo) names the certificate.
    pub(super) fn revokes(&self, certificate: &X509Certificate<'_>, key: &[u8]) -> bool {
        let Ok((_, key)) = SubjectPublicKeyInfo::from_der(key) else {
            return false;
        };
        self.ders.iter().any(|der| {
            CertificateRevocationList::from_der(der).is_ok_and(|(_, list)| {
                list.issuer().as_raw() == certificate.issuer().as_raw()
                    && list
                        .iter_revoked_certificates()
                        .any(|revoked| revoked.raw_serial() == certificate.raw_serial())
                    && list.verify_signature(&key).is_ok()
            })
        })
    }

    /// Whether a list of this root exists although the root's key usage does not allow it to sign lists
    /// (RFC 5280 §4.2.1.3). The validator does not see a trust anchor's key usage.
    pub(super) fn issuer_not_allowed(&self, root_der: &[u8]) -> Option<Fault> {
        let root = parse(root_der).ok()?;
        let usage = root.key_usage().ok().flatten()?;
        let subject = name_content(root.tbs_certificate.subject.as_raw());
        let issued = self.lists.iter().any(|list| list.issuer() == subject);
        (issued && !usage.value.crl_sign()).then(|| Fault::CrlUnusable {
            reason: format!("{} may not sign revocation lists", root.subject()),
        })
    }
}

/// Splits a file into DER revocation lists: the X509 CRL sections of PEM, or the whole file as one list.
///
/// # Errors
/// Too large, broken PEM, or PEM without a list. Whether a list can be used is judged later.
pub fn read_revocation_lists(octets: &[u8]) -> Result<Vec<Vec<u8>>, CertificateFileError> {
    if octets.len() > X509_FILE_OCTETS_MAX {
        return Err(CertificateFileError::TooLarge { octets: octets.len() });
    }
    if !octets.windows(11).any(|window| window == b"-----BEGIN ") {
        return Ok(vec![octets.to_vec()]);
    }
    let lists: Vec<Vec<u8>> = CertificateRevocationListDer::pem_slice_iter(octets)
        .take(X509_CRLS_MAX + 1)
        .map(|section| section.map(|der| der.as_ref().to_vec()))
        .collect::<Result<_, _>>()
        .map_err(|error| CertificateFileError::Pem(error.to_string()))?;
    if lists.is_empty() {
        return Err(CertificateFileError::Pem("no X509 CRL section".to_owned()));
    }
    Ok(lists)
}

/// The options of one run; `None` without lists, which the validator takes for "do not check".
pub(super) fn options<'a>(
    lists: &'a [&'a CertRevocationList<'a>],
    policy: UnknownStatusPolicy,
    expiration: ExpirationPolicy,
) -> Option<RevocationOptions<'a>> {
    let builder = RevocationOptionsBuilder::new(lists).ok()?;
    Some(builder.with_status_policy(policy).with_expiration_policy(expiration).build())
}

/// One list, or why it cannot be used.
fn read_list(der: &[u8]) -> Result<CertRevocationList<'static>, String> {
    let list = BorrowedCertRevocationList::from_der(der).map_err(|error| format!("{error:?}"))?;
    let (_, parsed) =
        CertificateRevocationList::from_der(der).map_err(|error| error.to_string())?;
    // RFC 5280 §5.2.3: issuers must include a CRL number, non-critical.
    let number =
        parsed.extensions().iter().find(|extension| extension.oid.to_id_string() == OID_CRL_NUMBER);
    match number {
        None => return Err("no CRL number".to_owned()),
        Some(extension) if extension.critical => return Err("CRL number is critical".to_owned()),
        Some(_) => {}
    }
    list.to_owned().map(CertRevocationList::from).map_err(|error| format!("{error:?}"))
}
