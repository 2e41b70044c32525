//! From the description to unsigned zones: records read, root, top-level and reverse zones added,
//! name servers given addresses, delegations drawn.
//!
//! Signs nothing; `build` does. The way in is [`Drafts::read`]. Invariant: every zone but the root
//! has a parent among the drafts, so that a chain from the root always exists.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};

use hickory_proto::rr::rdata::{A, AAAA, NS, PTR, SOA};
use hickory_proto::rr::{Name, RData, Record, RecordType};

use super::config::{DnsConfig, TcpMode, VariantConfig, ZoneConfig};
use super::error::DnsError;
use super::limits::{RECORDS_PER_ZONE_MAX, SERVERS_MAX, TTL_DEFAULT_S, ZONES_MAX};
use super::record::{absolute_name, parse_line, parse_name, parse_type};
use super::signing::ZoneFault;

/// The servers of zones that name none.
const DEFAULT_SERVERS: [&str; 2] = ["ns1.lab-dns.test.", "ns2.lab-dns.test."];

/// Zones that are always there.
const STANDING_ZONES: [&str; 7] = [
    ".",
    "arpa.",
    "example.",
    "test.",
    "18.198.in-addr.arpa.",
    "19.198.in-addr.arpa.",
    "8.b.d.0.1.0.0.2.ip6.arpa.",
];

/// Timers of every SOA record in seconds: refresh, retry, expire, minimum (RFC 1035 §3.3.13).
const SOA_TIMERS: (i32, i32, i32, u32) = (3_600, 600, 86_400, 300);

/// Unsigned data of one zone.
pub(super) type Records = BTreeMap<Name, BTreeMap<RecordType, Vec<Record>>>;

/// One zone before it is signed.
pub(super) struct Draft {
    pub(super) origin: Name,
    pub(super) signed: bool,
    pub(super) fault: Option<ZoneFault>,
    pub(super) servers: Vec<Name>,
    pub(super) records: Records,
    pub(super) variants: Vec<VariantConfig>,
    pub(super) ttl: u32,
    serial: u32,
}

/// One name server.
pub(super) struct ServerDraft {
    pub(super) addresses: Vec<IpAddr>,
    pub(super) tcp: TcpMode,
}

/// All zones and servers of a world.
pub(super) struct Drafts {
    pub(super) zones: BTreeMap<Name, Draft>,
    pub(super) servers: BTreeMap<Name, ServerDraft>,
}

impl Drafts {
    /// Reads a description.
    ///
    /// # Errors
    ///
    /// The first name, record or reference that is wrong.
    pub(super) fn read(config: &DnsConfig) -> Result<Self, DnsError> {
        if config.zones.len() > ZONES_MAX {
            return Err(DnsError::Limit { what: "zones".to_owned(), max: ZONES_MAX });
        }
        let mut zones = BTreeMap::new();
        for zone in &config.zones {
            let draft = Draft::read(zone)?;
            let origin = draft.origin.clone();
            if zones.insert(origin.clone(), draft).is_some() {
                return Err(DnsError::DuplicateZone { zone: origin.to_ascii() });
            }
        }
        add_generated_zones(&mut zones, config)?;
        let servers = read_servers(config, &zones)?;
        let mut drafts = Self { zones, servers };
        drafts.add_pointers(config)?;
        drafts.add_server_addresses();
        drafts.delegate();
        for draft in drafts.zones.values_mut() {
            draft.add_apex();
        }
        Ok(drafts)
    }

    /// The zone with the longest origin that holds `name`.
    pub(super) fn zone_of(&mut self, name: &Name) -> Option<&mut Draft> {
        let origin = enclosing(&self.zones, name)?;
        self.zones.get_mut(&origin)
    }

    fn add_pointers(&mut self, config: &DnsConfig) -> Result<(), DnsError> {
        for ptr in &config.ptrs {
            let owner = Name::from(ptr.address).to_lowercase();
            for text in &ptr.names {
                let target = absolute_name("ptr", text)?;
                let data = RData::PTR(PTR(target));
                let zone = self.zone_of(&owner).ok_or_else(|| no_zone(&owner))?;
                zone.add(Record::from_rdata(owner.clone(), zone.ttl, data));
            }
        }
        Ok(())
    }

    /// Publishes each server's addresses where its zone has none.
    fn add_server_addresses(&mut self) {
        for (host, server) in &self.servers {
            let Some(origin) = enclosing(&self.zones, host) else { continue };
            let Some(zone) = self.zones.get_mut(&origin) else { continue };
            let known = zone.records.get(host).is_some_and(|node| {
                node.contains_key(&RecordType::A) || node.contains_key(&RecordType::AAAA)
            });
            if known {
                continue;
            }
            for address in &server.addresses {
                let data = match address {
                    IpAddr::V4(v4) => RData::A(A(*v4)),
                    IpAddr::V6(v6) => RData::AAAA(AAAA(*v6)),
                };
                zone.add(Record::from_rdata(host.clone(), zone.ttl, data));
            }
        }
    }

    /// Puts the NS set of every zone into its parent.
    fn delegate(&mut self) {
        let children: Vec<(Name, Vec<Name>)> =
            self.zones.values().map(|z| (z.origin.clone(), z.servers.clone())).collect();
        for (origin, servers) in children {
            if origin.is_root() {
                continue;
            }
            let Some(parent) = self.zone_of(&origin.base_name()) else { continue };
            parent.records.entry(origin.clone()).or_default().remove(&RecordType::NS);
            for server in servers {
                let ttl = parent.ttl;
                parent.add(Record::from_rdata(origin.clone(), ttl, RData::NS(NS(server))));
            }
        }
    }
}

impl Draft {
    fn read(config: &ZoneConfig) -> Result<Self, DnsError> {
        let origin = absolute_name("zone", &config.name)?;
        let ttl = config.ttl.unwrap_or(TTL_DEFAULT_S);
        let fault = config.dnssec_fault.as_ref().map(|fault| ZoneFault::parse(&origin, fault));
        let servers = config.servers.iter().map(|host| absolute_name("zone server", host));
        let mut draft = Self {
            origin,
            signed: config.signed,
            fault: fault.transpose()?,
            servers: servers.collect::<Result<_, _>>()?,
            records: Records::new(),
            variants: config.variants.clone(),
            ttl,
            serial: config.serial.unwrap_or(1),
        };
        if draft.fault.is_some() && !draft.signed {
            return Err(DnsError::Config {
                what: format!("zone {}, dnssec_fault", draft.origin),
                reason: "the zone must be signed".to_owned(),
            });
        }
        if draft.servers.is_empty() {
            draft.servers = default_servers()?;
        }
        let mut count = 0;
        for line in config.records.iter().cloned().chain(generated_lines(config)) {
            count += 1;
            if count > RECORDS_PER_ZONE_MAX {
                let what = format!("zone {}, records", draft.origin);
                return Err(DnsError::Limit { what, max: RECORDS_PER_ZONE_MAX });
            }
            let record = parse_line(&line, &draft.origin, ttl)?;
            draft.add(record);
        }
        Ok(draft)
    }

    /// Adds a record unless it is there already; its set takes the TTL of the first record.
    pub(super) fn add(&mut self, mut record: Record) {
        let node = self.records.entry(record.name.clone()).or_default();
        let set = node.entry(record.record_type()).or_default();
        if let Some(first) = set.first() {
            record.ttl = first.ttl;
        }
        if !set.contains(&record) {
            set.push(record);
        }
    }

    /// The data of one server that differs from the others.
    pub(super) fn varied(&self, variant: &VariantConfig) -> Result<Records, DnsError> {
        let fail = |reason: String| DnsError::Config {
            what: format!("zone {}, variant of {}", self.origin, variant.server),
            reason,
        };
        let mut copy = Self {
            origin: self.origin.clone(),
            signed: self.signed,
            fault: None,
            servers: self.servers.clone(),
            records: self.records.clone(),
            variants: Vec::new(),
            ttl: self.ttl,
            serial: variant.serial.unwrap_or(self.serial),
        };
        for pair in &variant.without {
            let (owner, record_type) =
                pair.split_once(' ').ok_or_else(|| fail(format!("\"{pair}\" has no type")))?;
            let owner = parse_name(owner, &self.origin).map_err(|e| fail(e.to_string()))?;
            let record_type = parse_type(record_type.trim()).map_err(&fail)?;
            if let Some(node) = copy.records.get_mut(&owner) {
                node.remove(&record_type);
            }
        }
        let mut fresh = Vec::new();
        for line in &variant.records {
            let record = parse_line(line, &self.origin, self.ttl)?;
            if let Some(node) = copy.records.get_mut(&record.name) {
                node.remove(&record.record_type());
            }
            fresh.push(record);
        }
        for record in fresh {
            copy.add(record);
        }
        copy.records.retain(|_, node| !node.is_empty());
        copy.add_apex();
        Ok(copy.records)
    }

    /// Sets the SOA and NS sets of the origin.
    fn add_apex(&mut self) {
        let primary = self.servers.first().cloned().unwrap_or_else(Name::root);
        let contact = self.origin.prepend_label("hostmaster").unwrap_or_else(|_| primary.clone());
        let (refresh, retry, expire, minimum) = SOA_TIMERS;
        let soa = SOA::new(primary, contact, self.serial, refresh, retry, expire, minimum);
        let apex = self.records.entry(self.origin.clone()).or_default();
        apex.remove(&RecordType::SOA);
        apex.remove(&RecordType::NS);
        self.add(Record::from_rdata(self.origin.clone(), self.ttl, RData::SOA(soa)));
        for server in self.servers.clone() {
            self.add(Record::from_rdata(self.origin.clone(), self.ttl, RData::NS(NS(server))));
        }
    }
}

fn default_servers() -> Result<Vec<Name>, DnsError> {
    DEFAULT_SERVERS.iter().map(|host| absolute_name("server", host)).collect()
}

/// The lines of all `generate` entries, made one by one so that a vast range stops at the limit.
fn generated_lines(config: &ZoneConfig) -> impl Iterator<Item = String> + '_ {
    config.generate.iter().flat_map(|entry| {
        (entry.first..=entry.last).map(|n| entry.record.replace('$', &n.to_string()))
    })
}

fn enclosing(zones: &BTreeMap<Name, Draft>, name: &Name) -> Option<Name> {
    let mut at = name.clone();
    loop {
        if zones.contains_key(&at) {
            return Some(at);
        }
        if at.is_root() {
            return None;
        }
        at = at.base_name();
    }
}

fn no_zone(name: &Name) -> DnsError {
    DnsError::Config { what: name.to_ascii(), reason: "no zone holds this name".to_owned() }
}

/// Adds the root, the reverse zones and a top-level zone above every name that needs one.
fn add_generated_zones(
    zones: &mut BTreeMap<Name, Draft>,
    config: &DnsConfig,
) -> Result<(), DnsError> {
    let mut origins = BTreeSet::new();
    for text in STANDING_ZONES {
        origins.insert(absolute_name("zone", text)?);
    }
    let hosts = zones.values().flat_map(|zone| zone.servers.iter().cloned());
    let mut names: Vec<Name> = zones.keys().cloned().chain(hosts).collect();
    for server in &config.servers {
        names.push(absolute_name("server", &server.host)?);
    }
    origins.extend(names.iter().filter(|n| !n.is_root()).map(|name| name.trim_to(1)));
    for origin in origins {
        if zones.contains_key(&origin) {
            continue;
        }
        let name = origin.to_ascii();
        let draft = Draft::read(&ZoneConfig { name, signed: true, ..ZoneConfig::default() })?;
        zones.insert(origin, draft);
    }
    Ok(())
}

/// Reads the servers, and gives an address to those without.
fn read_servers(
    config: &DnsConfig,
    zones: &BTreeMap<Name, Draft>,
) -> Result<BTreeMap<Name, ServerDraft>, DnsError> {
    let mut servers = BTreeMap::new();
    for server in &config.servers {
        let host = absolute_name("server", &server.host)?;
        for address in &server.addresses {
            check_published(&host, *address)?;
        }
        let draft = ServerDraft { addresses: server.addresses.clone(), tcp: server.tcp };
        servers.insert(host, draft);
    }
    for host in zones.values().flat_map(|zone| zone.servers.iter()) {
        servers
            .entry(host.clone())
            .or_insert_with(|| ServerDraft { addresses: Vec::new(), tcp: TcpMode::Open });
    }
    if servers.len() > SERVERS_MAX {
        return Err(DnsError::Limit { what: "name servers".to_owned(), max: SERVERS_MAX });
    }
    let mut taken: BTreeSet<IpAddr> = BTreeSet::new();
    for (host, server) in &servers {
        for address in &server.addresses {
            if !taken.insert(*address) {
                let reason = format!("{address} already belongs to another server");
                return Err(DnsError::Config { what: format!("server {host}"), reason });
            }
        }
    }
    let mut free = (1..=u8::MAX).map(|n| IpAddr::V4(Ipv4Addr::new(198, 18, 254, n)));
    for server in servers.values_mut().filter(|server| server.addresses.is_empty()) {
        server.addresses.extend(free.find(|address| !taken.contains(address)));
    }
    Ok(servers)
}

/// Only the ranges that a lab counts as public may be published for its servers.
fn check_published(host: &Name, address: IpAddr) -> Result<(), DnsError> {
    let fits = match address {
        IpAddr::V4(v4) => matches!(v4.octets(), [198, 18 | 19, ..]),
        IpAddr::V6(v6) => matches!(v6.segments(), [0x2001, 0x0db8, ..]),
    };
    if fits {
        return Ok(());
    }
    Err(DnsError::Config {
        what: format!("server {host}"),
        reason: format!("{address} is outside 198.18.0.0/15 and 2001:db8::/32"),
    })
}
