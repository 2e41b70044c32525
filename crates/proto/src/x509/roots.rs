//! The authorities a question is asked against (RFC 5280 §6.1.1 (d)): trust anchors for the validator, and
//! for each what is needed to say more about it. Where only the anchor is known (a compiled-in store), its
//! extensions are not. The way in is [`Roots::from_pem`], [`Roots::from_ders`] or [`Roots::from_anchors`].

use rustls_pki_types::{CertificateDer, TrustAnchor};
use webpki::anchor_from_trusted_cert;
use x509_parser::prelude::FromDer;
use x509_parser::x509::X509Name;

use super::seen::{CertificateFileError, read_certificates};

/// A set of trusted roots.
#[derive(Clone, Debug, Default)]
pub struct Roots {
    anchors: Vec<TrustAnchor<'static>>,
    /// Same length and order as `anchors`.
    certificates: Vec<Option<Vec<u8>>>,
    skipped: usize,
}

/// Why roots cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RootsError {
    /// The file cannot be read.
    #[error(transparent)]
    File(#[from] CertificateFileError),
    /// Certificates, but none usable as a root.
    #[error("none of {0} certificates can be used as a root")]
    NoneUsable(usize),
}

impl Roots {
    /// Roots out of a PEM or DER file. Unusable certificates among usable ones are counted, see
    /// [`Self::skipped`].
    ///
    /// # Errors
    /// The file cannot be read, or holds no usable root.
    pub fn from_pem(octets: &[u8]) -> Result<Self, RootsError> {
        let ders = read_certificates(octets)?;
        let roots = Self::from_ders(&ders);
        if roots.is_empty() {
            return Err(RootsError::NoneUsable(ders.len()));
        }
        Ok(roots)
    }

    /// Roots out of DER certificates; what is no certificate is counted in [`Self::skipped`].
    pub fn from_ders<D: AsRef<[u8]>>(ders: &[D]) -> Self {
        let mut roots = Self::default();
        for der in ders {
            let certificate = CertificateDer::from(der.as_ref());
            if let Ok(anchor) = anchor_from_trusted_cert(&certificate) {
                roots.anchors.push(anchor.to_owned());
                roots.certificates.push(Some(der.as_ref().to_vec()));
            } else {
                roots.skipped += 1;
            }
        }
        roots
    }

    /// Roots out of trust anchors, such as those of a compiled-in store.
    pub fn from_anchors(anchors: &[TrustAnchor<'static>]) -> Self {
        Self { certificates: vec![None; anchors.len()], anchors: anchors.to_vec(), skipped: 0 }
    }

    /// Adds the roots of `other`.
    pub fn extend(&mut self, other: Self) {
        self.anchors.extend(other.anchors);
        self.certificates.extend(other.certificates);
        self.skipped += other.skipped;
    }

    /// The trust anchors, for a TLS library.
    pub fn anchors(&self) -> &[TrustAnchor<'static>] {
        &self.anchors
    }

    /// How many roots there are.
    pub fn len(&self) -> usize {
        self.anchors.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.anchors.is_empty()
    }

    /// How many certificates could not be used.
    pub fn skipped(&self) -> usize {
        self.skipped
    }

    /// Whether a root has this subject, given as DER of the Name.
    pub fn is_known_subject(&self, name_der: &[u8]) -> bool {
        let content = name_content(name_der);
        self.anchors.iter().any(|anchor| anchor.subject.as_ref() == content)
    }

    /// The certificate of the root at `index`, where it is known.
    pub(super) fn certificate(&self, index: usize) -> Option<&[u8]> {
        self.certificates.get(index)?.as_deref()
    }

    /// The place of the root with this subject and key.
    pub(super) fn position(&self, anchor: &TrustAnchor<'_>) -> Option<usize> {
        self.anchors.iter().position(|known| {
            known.subject == anchor.subject
                && known.subject_public_key_info == anchor.subject_public_key_info
        })
    }

    /// Subject of the root at `index` in words.
    pub(super) fn subject(&self, index: usize) -> String {
        let Some(anchor) = self.anchors.get(index) else {
            return String::new();
        };
        let wrapped = sequence(anchor.subject.as_ref());
        X509Name::from_der(&wrapped).map(|(_, name)| name.to_string()).unwrap_or_default()
    }
}

/// The content octets of a DER Name, which is how trust anchors hold it.
pub(super) fn name_content(name_der: &[u8]) -> &[u8] {
    x509_parser::asn1_rs::Any::from_der(name_der).map_or(&[], |(_, any)| any.data)
}

/// Content octets as a DER SEQUENCE.
fn sequence(content: &[u8]) -> Vec<u8> {
    let mut der = vec![0x30];
    let length = content.len().to_be_bytes();
    let significant: Vec<u8> = length.iter().copied().skip_while(|octet| *octet == 0).collect();
    match u8::try_from(content.len()) {
        Ok(short) if short < 0x80 => der.push(short),
        Ok(_) | Err(_) => {
            der.push(0x80 | u8::try_from(significant.len()).unwrap_or(0));
            der.extend(&significant);
        }
    }
    der.extend(content);
    der
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compiled_in_roots_are_known_by_subject() {
        let roots = Roots::from_anchors(webpki_roots::TLS_SERVER_ROOTS);
        assert!(roots.len() > 50);
        assert!((0..roots.len()).all(|index| roots.subject(index).contains('=')));
        let anchor = roots.anchors().first().unwrap();
        assert!(roots.is_known_subject(&sequence(anchor.subject.as_ref())));
        assert!(!roots.is_known_subject(&sequence(b"")));
    }

    #[test]
    fn files_without_roots_are_refused() {
        assert!(matches!(Roots::from_pem(b""), Err(RootsError::File(CertificateFileError::Empty))));
        assert!(matches!(Roots::from_pem(b"\x30\x03\x02\x01\x01"), Err(RootsError::NoneUsable(1))));
    }
}
