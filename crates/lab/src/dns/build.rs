//! From unsigned zones to a world: DS records, NSEC chains (RFC 4034 §4), signatures, and what
//! validation must make of each zone.
//!
//! The way in is [`World::build`]. Opens no socket. Invariant: a zone's `security` is what a
//! correct validator with the world's trust anchor finds, because the validating resolver answers
//! from it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

use hickory_proto::dnssec::rdata::{DNSSECRData, NSEC};
use hickory_proto::rr::{Name, RData, Record, RecordType};

use super::config::{DnsConfig, DnssecFault, ResolverConfig, TcpMode};
use super::draft::{Draft, Drafts, Records};
use super::error::DnsError;
use super::fault::Fault;
use super::record::absolute_name;
use super::signing::{DsFits, KeyRing, SignatureState, Signer, signing_error};
use super::zone::{Node, RrSet, Security, Zone};

/// RFC 8914 §4.7: DNSSEC bogus.
const EDE_BOGUS: u16 = 6;
/// RFC 8914 §4.8: signature expired.
const EDE_EXPIRED: u16 = 7;
/// RFC 8914 §4.9: signature not yet valid.
const EDE_NOT_YET_VALID: u16 = 8;
/// RFC 8914 §4.10: DNSKEY missing.
const EDE_DNSKEY_MISSING: u16 = 9;
/// RFC 8914 §4.11: RRSIGs missing.
const EDE_RRSIGS_MISSING: u16 = 10;

/// TTL in seconds of NSEC records: the SOA minimum (RFC 9077 §3.1).
const NSEC_TTL_S: u32 = 300;

/// The zones one socket answers for.
pub(super) type View = BTreeMap<Name, Arc<Zone>>;

/// One authoritative server.
pub(super) struct ServerView {
    pub(super) addresses: Vec<IpAddr>,
    pub(super) tcp: TcpMode,
    pub(super) zones: View,
}

/// Everything that is served.
pub(super) struct World {
    /// All zones, as the resolver sees them.
    pub(super) zones: View,
    pub(super) servers: BTreeMap<Name, ServerView>,
    pub(super) faults: Vec<Fault>,
    pub(super) resolver: ResolverConfig,
    /// The trust anchor as DNSKEY presentation text.
    pub(super) anchor_text: String,
    /// The raw public key of the trust anchor.
    pub(super) anchor_octets: Vec<u8>,
}

impl World {
    /// Builds a world; keys that `keys` holds already are used again.
    pub(super) fn build(
        config: &DnsConfig,
        now: i64,
        keys: &mut KeyRing,
    ) -> Result<Self, DnsError> {
        let mut drafts = Drafts::read(config)?;
        add_ds_records(&mut drafts, keys)?;
        let mut zones = View::new();
        let mut servers: BTreeMap<Name, ServerView> = BTreeMap::new();
        for (host, server) in &drafts.servers {
            let (addresses, tcp) = (server.addresses.clone(), server.tcp);
            servers.insert(host.clone(), ServerView { addresses, tcp, zones: View::new() });
        }
        // The map's order puts parents before children, so a parent's security is known first.
        for draft in drafts.zones.values() {
            let security = zone_security(draft, &zones);
            let zone = Arc::new(finish(draft, draft.records.clone(), security, (now, keys))?);
            zones.insert(draft.origin.clone(), Arc::clone(&zone));
            for host in &draft.servers {
                if let Some(server) = servers.get_mut(host) {
                    server.zones.insert(draft.origin.clone(), Arc::clone(&zone));
                }
            }
            for variant in &draft.variants {
                let host = absolute_name("variant server", &variant.server)?;
                let server = servers.get_mut(&host).filter(|_| draft.servers.contains(&host));
                let server = server.ok_or_else(|| DnsError::Config {
                    what: format!("zone {}, variant", draft.origin),
                    reason: format!("{host} is not a server of the zone"),
                })?;
                let records = draft.varied(variant)?;
                let zone = finish(draft, records, security, (now, keys))?;
                server.zones.insert(draft.origin.clone(), Arc::new(zone));
            }
        }
        let faults = Fault::read_all(&config.faults, servers.keys())?;
        let root = keys.key(&Name::root())?;
        Ok(Self {
            zones,
            servers,
            faults,
            resolver: config.resolver.clone(),
            anchor_text: format!(". 3600 IN DNSKEY {}", root.presentation()),
            anchor_octets: root.public_octets(),
        })
    }
}

/// What bogus signatures look like to a validator; `Secure` for good ones.
pub(super) fn signature_security(state: SignatureState) -> Security {
    match state {
        SignatureState::Corrupted => Security::Bogus(EDE_BOGUS),
        SignatureState::Expired => Security::Bogus(EDE_EXPIRED),
        SignatureState::Good => Security::Secure,
        SignatureState::Missing => Security::Bogus(EDE_RRSIGS_MISSING),
        SignatureState::NotYetValid => Security::Bogus(EDE_NOT_YET_VALID),
    }
}

/// The zone whose data proves or denies the DS record of `origin`.
fn parent_of<'a>(zones: &'a View, origin: &Name) -> Option<&'a Arc<Zone>> {
    let mut at = origin.clone();
    while !at.is_root() {
        at = at.base_name();
        if let Some(zone) = zones.get(&at) {
            return Some(zone);
        }
    }
    None
}

fn zone_security(draft: &Draft, zones: &View) -> Security {
    let own = match &draft.fault {
        None if draft.signed => Security::Secure,
        None => Security::Insecure,
        Some(fault) => match fault.kind {
            DnssecFault::MissingDs => Security::Insecure,
            DnssecFault::UnsignedWithDs | DnssecFault::WrongDs => {
                Security::Bogus(EDE_DNSKEY_MISSING)
            }
            DnssecFault::Corrupted
            | DnssecFault::Expired
            | DnssecFault::MissingSignatures
            | DnssecFault::NotYetValid
                if fault.covers_zone() =>
            {
                signature_security(fault.state(RecordType::DNSKEY))
            }
            DnssecFault::Corrupted
            | DnssecFault::Expired
            | DnssecFault::MissingSignatures
            | DnssecFault::NotYetValid => Security::Secure,
        },
    };
    match parent_of(zones, &draft.origin).map(|parent| parent.security_of(RecordType::DS)) {
        Some(Security::Bogus(code)) => Security::Bogus(code),
        Some(Security::Insecure) => Security::Insecure,
        Some(Security::Secure) | None => own,
    }
}

/// Puts DS records for signed zones into signed parents.
fn add_ds_records(drafts: &mut Drafts, keys: &mut KeyRing) -> Result<(), DnsError> {
    let mut found = Vec::new();
    for draft in drafts.zones.values().filter(|draft| draft.signed && !draft.origin.is_root()) {
        let fits = match draft.fault.as_ref().map(|fault| fault.kind) {
            Some(DnssecFault::MissingDs) => continue,
            Some(DnssecFault::WrongDs) => DsFits::Nothing,
            Some(
                DnssecFault::Corrupted
                | DnssecFault::Expired
                | DnssecFault::MissingSignatures
                | DnssecFault::NotYetValid
                | DnssecFault::UnsignedWithDs,
            )
            | None => DsFits::Key,
        };
        let key = keys.key(&draft.origin)?;
        let ds = key.ds(&draft.origin, fits).map_err(|e| signing_error(&draft.origin, e))?;
        found.push((draft.origin.clone(), ds));
    }
    for (origin, ds) in found {
        if let Some(parent) = drafts.zone_of(&origin.base_name())
            && parent.signed
        {
            let ttl = parent.ttl;
            parent.add(Record::from_rdata(origin, ttl, ds));
        }
    }
    Ok(())
}

/// Adds keys, NSEC chain and signatures to a zone's records.
fn finish(
    draft: &Draft,
    mut records: Records,
    security: Security,
    (now, keys): (i64, &mut KeyRing),
) -> Result<Zone, DnsError> {
    let fault = draft.fault.clone();
    let bare = fault.as_ref().is_some_and(|fault| fault.kind == DnssecFault::UnsignedWithDs);
    let cuts: BTreeSet<Name> = records
        .iter()
        .filter(|(owner, node)| **owner != draft.origin && node.contains_key(&RecordType::NS))
        .map(|(owner, _)| owner.clone())
        .collect();
    let mut signer = None;
    if draft.signed && !bare {
        let key = keys.key(&draft.origin)?;
        let dnskey = Record::from_rdata(draft.origin.clone(), draft.ttl, key.dnskey());
        let apex = records.entry(draft.origin.clone()).or_default();
        apex.insert(RecordType::DNSKEY, vec![dnskey]);
        add_nsec_chain(draft, &cuts, &mut records);
        signer = Some(Signer { zone: draft.origin.clone(), key, now });
    }
    let mut nodes: BTreeMap<Name, Node> = BTreeMap::new();
    for (owner, sets) in records {
        let place = Place::of(&owner, &cuts);
        let mut node = Node::new();
        for (record_type, records) in sets {
            let state = fault.as_ref().map_or(SignatureState::Good, |f| f.state(record_type));
            let signature = match &signer {
                Some(signer) if place.signs(record_type) => signer.sign(&records, state)?,
                Some(_) | None => None,
            };
            node.insert(record_type, RrSet { record_type, records, signature });
        }
        nodes.insert(owner, node);
    }
    Ok(Zone { origin: draft.origin.clone(), nodes, security, fault })
}

/// Links the owners in canonical order, the last back to the first (RFC 4034 §4.1.1).
fn add_nsec_chain(draft: &Draft, cuts: &BTreeSet<Name>, records: &mut Records) {
    let owners: Vec<(Name, Vec<RecordType>)> = records
        .iter()
        .map(|(owner, node)| (owner, node, Place::of(owner, cuts)))
        .filter(|(_, _, place)| *place != Place::BelowCut)
        .map(|(owner, node, place)| {
            let types = node.keys().copied();
            (owner.clone(), types.filter(|t| place == Place::Authoritative || of_cut(*t)).collect())
        })
        .collect();
    let nexts = owners.iter().skip(1).map(|(next, _)| next).chain([&draft.origin]);
    for ((owner, types), next) in owners.iter().zip(nexts) {
        let nsec = NSEC::new_cover_self(next.clone(), types.iter().copied());
        let data = RData::DNSSEC(DNSSECRData::NSEC(nsec));
        let record = Record::from_rdata(owner.clone(), NSEC_TTL_S, data);
        let node = records.entry(owner.clone()).or_default();
        node.insert(RecordType::NSEC, vec![record]);
    }
}

/// Types that stand at a delegation in the parent zone.
fn of_cut(record_type: RecordType) -> bool {
    matches!(record_type, RecordType::NS | RecordType::DS)
}

/// Where an owner stands in relation to the zone's delegations.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Data of the zone itself.
    Authoritative,
    /// Below a delegation: occluded or glue, never signed.
    BelowCut,
    /// A delegation: only DS and NSEC are the zone's own (RFC 4035 §2.2).
    Cut,
}

impl Place {
    fn of(owner: &Name, cuts: &BTreeSet<Name>) -> Self {
        let mut above = owner.clone();
        while !above.is_root() {
            above = above.base_name();
            if cuts.contains(&above) {
                return Self::BelowCut;
            }
        }
        if cuts.contains(owner) { Self::Cut } else { Self::Authoritative }
    }

    fn signs(self, record_type: RecordType) -> bool {
        match self {
            Self::Authoritative => true,
            Self::BelowCut => false,
            Self::Cut => matches!(record_type, RecordType::DS | RecordType::NSEC),
        }
    }
}
