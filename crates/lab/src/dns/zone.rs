//! One zone ready to be served: nodes, signatures, NSEC chain, and the lookup of RFC 1034 §4.3.2
//! with the proofs of RFC 4035 §3.1.3.
//!
//! Knows nothing of sockets, faults of answers or other zones. The way in is [`Zone::find`]. Names
//! are absolute and in lower case, so that the map's order is the canonical order of RFC 4034 §6.1
//! on which the proofs rest.

use std::collections::BTreeMap;
use std::ops::Bound;

use hickory_proto::rr::{Name, Record, RecordType};

use super::signing::ZoneFault;

/// The records of one owner and type with their signature.
#[derive(Debug, Clone)]
pub(super) struct RrSet {
    pub(super) record_type: RecordType,
    pub(super) records: Vec<Record>,
    pub(super) signature: Option<Record>,
}

impl RrSet {
    /// Records and signature as a wildcard is expanded for `owner` (RFC 1034 §4.3.3).
    fn expanded(&self, owner: &Name) -> Self {
        let rename = |record: &Record| {
            let mut record = record.clone();
            record.name = owner.clone();
            record
        };
        Self {
            record_type: self.record_type,
            records: self.records.iter().map(rename).collect(),
            signature: self.signature.as_ref().map(rename),
        }
    }
}

/// All sets of one owner.
pub(super) type Node = BTreeMap<RecordType, RrSet>;

/// What validating a zone's data leads to (RFC 4035 §4.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Security {
    /// Fails validation; the INFO-CODE of RFC 8914 §4 says why.
    Bogus(u16),
    /// No chain of trust leads here, provably.
    Insecure,
    /// Validates.
    Secure,
}

/// One zone.
#[derive(Debug, Clone)]
pub(super) struct Zone {
    pub(super) origin: Name,
    pub(super) nodes: BTreeMap<Name, Node>,
    pub(super) security: Security,
    pub(super) fault: Option<ZoneFault>,
}

/// What a zone says to a question.
#[derive(Debug)]
pub(super) enum Found {
    /// The records asked for.
    Answer { set: RrSet, proof: Vec<RrSet> },
    /// An alias at the name.
    Alias { set: RrSet, proof: Vec<RrSet> },
    /// The name lies below a delegation to `cut`.
    Delegation { cut: Name },
    /// The name exists without the type.
    NoData { proof: Vec<RrSet> },
    /// The name does not exist.
    NxDomain { proof: Vec<RrSet> },
}

impl Zone {
    /// Looks a question up; `name` must be in the zone.
    pub(super) fn find(&self, name: &Name, record_type: RecordType) -> Found {
        if let Some(cut) = self.cut_above(name, record_type) {
            return Found::Delegation { cut };
        }
        if let Some(node) = self.nodes.get(name) {
            return match pick(node, record_type) {
                Picked::Alias(set) => Found::Alias { set: set.clone(), proof: Vec::new() },
                Picked::Nothing => Found::NoData { proof: self.covering([name]) },
                Picked::Set(set) => Found::Answer { set: set.clone(), proof: Vec::new() },
            };
        }
        if self.exists(name) {
            return Found::NoData { proof: self.covering([name]) };
        }
        let mut encloser = name.base_name();
        while !self.exists(&encloser) && encloser != self.origin && !encloser.is_root() {
            encloser = encloser.base_name();
        }
        let Ok(wildcard) = encloser.prepend_label("*") else {
            return Found::NxDomain { proof: self.covering([name]) };
        };
        let Some(node) = self.nodes.get(&wildcard) else {
            return Found::NxDomain { proof: self.covering([name, &wildcard]) };
        };
        match pick(node, record_type) {
            Picked::Alias(set) => {
                Found::Alias { set: set.expanded(name), proof: self.covering([name]) }
            }
            Picked::Nothing => Found::NoData { proof: self.covering([name, &wildcard]) },
            Picked::Set(set) => {
                Found::Answer { set: set.expanded(name), proof: self.covering([name]) }
            }
        }
    }

    /// The set of a type at a name, without wildcards or delegations.
    pub(super) fn set(&self, name: &Name, record_type: RecordType) -> Option<&RrSet> {
        self.nodes.get(name)?.get(&record_type)
    }

    /// The SOA set for negative answers (RFC 2308 §3).
    pub(super) fn soa(&self) -> Option<&RrSet> {
        self.set(&self.origin, RecordType::SOA)
    }

    /// The NSEC set at a delegation, which proves whether it has a DS record.
    pub(super) fn nsec_at(&self, name: &Name) -> Option<&RrSet> {
        self.set(name, RecordType::NSEC)
    }

    /// What validation makes of a set of this type from this zone.
    pub(super) fn security_of(&self, record_type: RecordType) -> Security {
        match (self.security, &self.fault) {
            (Security::Secure, Some(fault)) => {
                super::build::signature_security(fault.state(record_type))
            }
            (security, _) => security,
        }
    }

    /// Whether `name` lies below a delegation of this zone, or at it for all but DS and NSEC.
    fn cut_above(&self, name: &Name, record_type: RecordType) -> Option<Name> {
        let mut cut = None;
        let mut at = name.clone();
        while at != self.origin && !at.is_root() {
            if self.set(&at, RecordType::NS).is_some() {
                cut = Some(at.clone());
            }
            at = at.base_name();
        }
        let parent_side = matches!(record_type, RecordType::DS | RecordType::NSEC);
        cut.filter(|cut| !(parent_side && cut == name))
    }

    /// Whether the name has records or names below it (an empty non-terminal, RFC 8020 §3.1).
    fn exists(&self, name: &Name) -> bool {
        let next = self.nodes.range::<Name, _>((Bound::Included(name), Bound::Unbounded)).next();
        next.is_some_and(|(owner, _)| name.zone_of(owner))
    }

    /// The NSEC sets that match or cover the names, each once.
    fn covering<'a>(&self, names: impl IntoIterator<Item = &'a Name>) -> Vec<RrSet> {
        let mut proof: Vec<RrSet> = Vec::new();
        for name in names {
            let before = self.nodes.range::<Name, _>((Bound::Unbounded, Bound::Included(name)));
            let nsec = before.rev().find_map(|(_, node)| node.get(&RecordType::NSEC));
            if let Some(nsec) = nsec
                && !proof.iter().any(|known| known.records == nsec.records)
            {
                proof.push(nsec.clone());
            }
        }
        proof
    }
}

enum Picked<'a> {
    Alias(&'a RrSet),
    Nothing,
    Set(&'a RrSet),
}

fn pick(node: &Node, record_type: RecordType) -> Picked<'_> {
    if let Some(set) = node.get(&record_type) {
        return Picked::Set(set);
    }
    let aliased = !matches!(record_type, RecordType::NSEC | RecordType::RRSIG);
    match node.get(&RecordType::CNAME) {
        Some(set) if aliased => Picked::Alias(set),
        Some(_) | None => Picked::Nothing,
    }
}
