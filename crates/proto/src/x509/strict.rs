//! The strict verdict (RFC 5280 §6.1) by rustls-webpki, the validator that TLS sessions use too. This file
//! only prepares its arguments and adds the caller's depth limit, which it has no argument for.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use jiff::Timestamp;
use rustls_pki_types::{CertificateDer, UnixTime};
use webpki::{
    ALL_VERIFICATION_ALGS, EndEntityCert, Error, KeyUsage, RevocationOptions, VerifiedPath,
};

use super::roots::Roots;
use super::seen::parse;

/// What does not change between runs over one chain.
pub(super) struct Run<'a> {
    pub(super) leaf: CertificateDer<'a>,
    pub(super) intermediates: Vec<CertificateDer<'a>>,
    pub(super) roots: &'a Roots,
    pub(super) max_depth: Option<usize>,
}

/// A path the validator accepts.
pub(super) struct StrictPath {
    /// DER, leaf first.
    pub(super) certificates: Vec<Vec<u8>>,
    /// The root.
    pub(super) root: usize,
}

/// Why there is none.
pub(super) struct StrictError {
    /// The validator's most specific error.
    pub(super) error: Error,
    /// A path failed only by the caller's depth limit.
    pub(super) depth_hit: bool,
    /// A path failed only by this authority, whose key may not sign certificates.
    pub(super) not_a_signer: Option<String>,
}

impl Run<'_> {
    /// Looks for an acceptable path at `time`.
    pub(super) fn validate(
        &self,
        time: UnixTime,
        revocation: Option<RevocationOptions<'_>>,
    ) -> Result<StrictPath, StrictError> {
        let depth_hit = Cell::new(false);
        let not_a_signer = RefCell::new(None);
        let check_path = |path: &VerifiedPath<'_>| {
            // RFC 5280 §6.1.4 (n): a key usage must allow signing certificates; the validator skips it.
            if let Some(subject) = self.not_a_signer(path) {
                not_a_signer.replace(Some(subject));
                return Err(Error::EndEntityUsedAsCa);
            }
            let counted = path
                .intermediate_certificates()
                .filter(|one| one.subject() != one.issuer())
                .count();
            if self.max_depth.is_some_and(|limit| counted > limit) {
                depth_hit.set(true);
                return Err(Error::MaximumPathDepthExceeded);
            }
            Ok(())
        };
        let leaf = EndEntityCert::try_from(&self.leaf).map_err(|error| StrictError {
            error,
            depth_hit: false,
            not_a_signer: None,
        })?;
        let result = leaf.verify_for_usage(
            ALL_VERIFICATION_ALGS,
            self.roots.anchors(),
            &self.intermediates,
            time,
            KeyUsage::server_auth(),
            revocation,
            Some(&check_path),
        );
        match result {
            Ok(path) => Ok(StrictPath {
                certificates: std::iter::once(self.leaf.as_ref().to_vec())
                    .chain(path.intermediate_certificates().map(|one| one.der().as_ref().to_vec()))
                    .collect(),
                root: self.roots.position(path.anchor()).unwrap_or(usize::MAX),
            }),
            Err(error) => Err(StrictError {
                error,
                depth_hit: depth_hit.get(),
                not_a_signer: not_a_signer.take(),
            }),
        }
    }

    /// The first authority of a path whose key usage lacks keyCertSign.
    fn not_a_signer(&self, path: &VerifiedPath<'_>) -> Option<String> {
        let root = self.roots.position(path.anchor());
        let root = root.and_then(|index| self.roots.certificate(index));
        let authorities = path.intermediate_certificates().map(|one| one.der().to_vec());
        authorities.chain(root.map(<[u8]>::to_vec)).find_map(|der| {
            let authority = parse(&der).ok()?;
            let usage = authority.key_usage().ok().flatten()?;
            (!usage.value.key_cert_sign()).then(|| authority.subject().to_string())
        })
    }
}

/// The time as the validator takes it; before 1970 counts as 1970.
pub(super) fn unix_time(time: Timestamp) -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_secs(u64::try_from(time.as_second()).unwrap_or(0)))
}
