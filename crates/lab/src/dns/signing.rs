//! Zone keys and RRSIG records: ECDSA P-256 (RFC 6605), one key per zone that signs everything.
//!
//! Deliberately also makes signatures that must not validate. Does not choose which records are
//! signed; `build` does. Keys live as long as their [`KeyRing`], so that a changed world keeps its
//! trust anchor.

use std::collections::BTreeMap;
use std::sync::Arc;

use hickory_proto::dnssec::crypto::EcdsaSigningKey;
use hickory_proto::dnssec::rdata::sig::SigInput;
use hickory_proto::dnssec::rdata::{DNSKEY, DNSSECRData, DS, RRSIG};
use hickory_proto::dnssec::{
    Algorithm, DigestType, DnsSecError, PublicKey, PublicKeyBuf, SigningKey, TBS,
};
use hickory_proto::rr::{DNSClass, Name, RData, Record, RecordType, SerialNumber};

use super::config::{DnssecFault, DnssecFaultConfig};
use super::error::DnsError;
use super::limits::{SIGNATURE_AHEAD_S, SIGNATURE_FAULT_DISTANCE_S, SIGNATURE_PAST_S};
use super::record::parse_type;

/// Octets flipped in the digest of a DS record that must fit no key.
const WRONG_DS_MASK: u8 = 0xff;

/// The key of one zone.
pub(super) struct ZoneKey {
    key: EcdsaSigningKey,
    public: PublicKeyBuf,
    dnskey: DNSKEY,
    tag: u16,
}

impl ZoneKey {
    fn generate() -> Result<Self, DnsSecError> {
        let algorithm = Algorithm::ECDSAP256SHA256;
        let pkcs8 = EcdsaSigningKey::generate_pkcs8(algorithm)?;
        let key = EcdsaSigningKey::from_pkcs8(&pkcs8, algorithm)?;
        let public = key.to_public_key()?;
        let dnskey = DNSKEY::from_key(&public);
        let tag = dnskey.calculate_key_tag()?;
        Ok(Self { key, public, dnskey, tag })
    }

    /// The DNSKEY record data of the zone.
    pub(super) fn dnskey(&self) -> RData {
        RData::from(self.dnskey.clone())
    }

    /// The DNSKEY data in presentation form, without the owner.
    pub(super) fn presentation(&self) -> String {
        self.dnskey.to_string()
    }

    /// The raw public key octets as they stand in DNSKEY.
    pub(super) fn public_octets(&self) -> Vec<u8> {
        self.public.public_bytes().to_vec()
    }

    /// The DS record data for the parent (RFC 4509).
    pub(super) fn ds(&self, zone: &Name, fits: DsFits) -> Result<RData, DnsSecError> {
        let digest = self.dnskey.to_digest(zone, DigestType::SHA256)?;
        let mut octets = digest.as_ref().to_vec();
        match fits {
            DsFits::Key => {}
            DsFits::Nothing => octets.iter_mut().for_each(|octet| *octet ^= WRONG_DS_MASK),
        }
        let ds = DS::new(self.tag, Algorithm::ECDSAP256SHA256, DigestType::SHA256, octets);
        Ok(RData::DNSSEC(DNSSECRData::DS(ds)))
    }
}

/// Whether a DS record fits the zone's key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DsFits {
    /// It does.
    Key,
    /// It fits no key at all.
    Nothing,
}

/// The keys made so far, by zone.
#[derive(Default)]
pub(super) struct KeyRing {
    keys: BTreeMap<Name, Arc<ZoneKey>>,
}

impl KeyRing {
    /// The key of a zone, made when it is first asked for.
    pub(super) fn key(&mut self, zone: &Name) -> Result<Arc<ZoneKey>, DnsError> {
        if let Some(key) = self.keys.get(zone) {
            return Ok(Arc::clone(key));
        }
        let key = ZoneKey::generate().map_err(|e| signing_error(zone, e))?;
        let key = Arc::new(key);
        self.keys.insert(zone.clone(), Arc::clone(&key));
        Ok(key)
    }
}

/// Names the zone in a signing error.
pub(super) fn signing_error(zone: &Name, source: DnsSecError) -> DnsError {
    DnsError::Signing { zone: zone.to_ascii(), source }
}

/// How one set of a zone is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SignatureState {
    Corrupted,
    Expired,
    Good,
    Missing,
    NotYetValid,
}

/// A zone's DNSSEC fault with its record types read.
#[derive(Debug, Clone)]
pub(super) struct ZoneFault {
    pub(super) kind: DnssecFault,
    types: Vec<RecordType>,
}

impl ZoneFault {
    pub(super) fn parse(zone: &Name, config: &DnssecFaultConfig) -> Result<Self, DnsError> {
        let fail = |reason: String| DnsError::Config {
            what: format!("zone {zone}, dnssec_fault"),
            reason,
        };
        let types = config.types.iter().map(|t| parse_type(t)).collect::<Result<Vec<_>, _>>();
        let fault = Self { kind: config.kind, types: types.map_err(&fail)? };
        if fault.on_signatures().is_none() && !fault.types.is_empty() {
            return Err(fail("only faults of signatures can be limited to types".to_owned()));
        }
        Ok(fault)
    }

    /// The state of the signatures this fault is about; `None` for faults of DS records.
    fn on_signatures(&self) -> Option<SignatureState> {
        match self.kind {
            DnssecFault::Corrupted => Some(SignatureState::Corrupted),
            DnssecFault::Expired => Some(SignatureState::Expired),
            DnssecFault::MissingSignatures => Some(SignatureState::Missing),
            DnssecFault::NotYetValid => Some(SignatureState::NotYetValid),
            DnssecFault::MissingDs | DnssecFault::UnsignedWithDs | DnssecFault::WrongDs => None,
        }
    }

    /// Whether the fault spoils the zone as a whole.
    pub(super) fn covers_zone(&self) -> bool {
        self.types.is_empty()
    }

    /// How a set of this type is signed.
    pub(super) fn state(&self, record_type: RecordType) -> SignatureState {
        match self.on_signatures() {
            Some(state) if self.types.is_empty() || self.types.contains(&record_type) => state,
            Some(_) | None => SignatureState::Good,
        }
    }
}

/// Signs for one zone at one clock value.
pub(super) struct Signer {
    pub(super) zone: Name,
    pub(super) key: Arc<ZoneKey>,
    /// Unix seconds.
    pub(super) now: i64,
}

impl Signer {
    /// The RRSIG record over one set, `None` when it is to be missing. All records must have the
    /// same owner, type and TTL.
    pub(super) fn sign(
        &self,
        records: &[Record],
        state: SignatureState,
    ) -> Result<Option<Record>, DnsError> {
        let Some(first) = records.first() else { return Ok(None) };
        let (inception, expiration) = match state {
            SignatureState::Missing => return Ok(None),
            SignatureState::Corrupted | SignatureState::Good => {
                (self.now - SIGNATURE_PAST_S, self.now + SIGNATURE_AHEAD_S)
            }
            SignatureState::Expired => {
                (self.now - 2 * SIGNATURE_FAULT_DISTANCE_S, self.now - SIGNATURE_FAULT_DISTANCE_S)
            }
            SignatureState::NotYetValid => {
                (self.now + SIGNATURE_FAULT_DISTANCE_S, self.now + 2 * SIGNATURE_FAULT_DISTANCE_S)
            }
        };
        let input = SigInput {
            type_covered: first.record_type(),
            algorithm: Algorithm::ECDSAP256SHA256,
            num_labels: first.name.num_labels(),
            original_ttl: first.ttl,
            sig_expiration: serial(expiration),
            sig_inception: serial(inception),
            key_tag: self.key.tag,
            signer_name: self.zone.clone(),
        };
        let tbs = TBS::from_input(&first.name, DNSClass::IN, &input, records.iter())
            .map_err(|e| signing_error(&self.zone, e.into()))?;
        let mut signature = self.key.key.sign(&tbs).map_err(|e| signing_error(&self.zone, e))?;
        if let (SignatureState::Corrupted, Some(octet)) = (state, signature.first_mut()) {
            *octet ^= 1;
        }
        let rrsig = RRSIG::from_sig(input, signature);
        let data = RData::DNSSEC(DNSSECRData::RRSIG(rrsig));
        Ok(Some(Record::from_rdata(first.name.clone(), first.ttl, data)))
    }
}

/// Unix seconds as the 32-bit serial number of RFC 4034 §3.1.5.
fn serial(seconds: i64) -> SerialNumber {
    let wrapped = seconds.rem_euclid(1 << 32);
    SerialNumber::new(u32::try_from(wrapped).unwrap_or(u32::MAX))
}
