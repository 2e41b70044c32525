//! A presented chain, read (RFC 9846 §4.5.1, RFC 5280 §4): each certificate by the parser that shows it and
//! by the validator, because what the validator cannot read it will not use. Nothing is judged here. Keep: a
//! certificate with a `refusal` is shown and diagnosed, and never on a valid path.

use rustls_pki_types::CertificateDer;
use webpki::EndEntityCert;
use x509_parser::certificate::X509Certificate;

use super::roots::name_content;
use super::seen::{CertificateSeen, describe, parse};

/// One certificate that can be shown.
pub(super) struct Readable<'a> {
    /// Its DER.
    pub(super) der: &'a [u8],
    /// As parsed.
    pub(super) certificate: X509Certificate<'a>,
    /// As shown.
    pub(super) seen: CertificateSeen,
    /// Why the validator refuses to use it, although all of it can be read.
    pub(super) refusal: Option<String>,
}

impl<'a> Readable<'a> {
    /// Reads one certificate; the error is in words.
    pub(super) fn read(der: &'a [u8]) -> Result<Self, String> {
        let certificate = parse(der).map_err(|error| error.to_string())?;
        let wrapped = CertificateDer::from(der);
        let refusal = match EndEntityCert::try_from(&wrapped) {
            Ok(_) => None,
            // RFC 5280 §4.2: it must be rejected, but it is no riddle, and its other faults show.
            Err(error @ webpki::Error::UnsupportedCriticalExtension) => Some(reading_error(&error)),
            Err(error) => return Err(reading_error(&error)),
        };
        Ok(Self { der, seen: describe(der, &certificate), certificate, refusal })
    }

    /// Content octets of the subject name.
    pub(super) fn subject(&self) -> &'a [u8] {
        name_content(self.certificate.tbs_certificate.subject.as_raw())
    }

    /// Content octets of the issuer name.
    pub(super) fn issuer(&self) -> &'a [u8] {
        name_content(self.certificate.tbs_certificate.issuer.as_raw())
    }
}

/// The validator's reason for not reading a certificate, in words.
fn reading_error(error: &webpki::Error) -> String {
    if *error == webpki::Error::UnsupportedCriticalExtension {
        return "a critical extension that is not known".to_owned();
    }
    format!("{error:?}")
}
