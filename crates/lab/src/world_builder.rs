//! Turns scenarios into servers, routes and zones: gives every host its published addresses, binds one loopback
//! socket per published address and port, and writes the DNS records that go with them.
//! It starts no task. The way in: [`WorldBuilder::add`]. Published addresses come from 198.19.0.0/16, then
//! from 198.18.64.0 upwards, and from 2001:db8:19::/48, 64 per scenario, so that all scenarios can live in one lab.

mod services;

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use aws_lc_rs::digest;
use tokio::net::{TcpListener, TcpSocket};

use crate::authority::Authority;
use crate::control::{LabError, LabOptions, Listen, Route};
use crate::delivery_service::{Ledger, ServiceServer};
use crate::dns::{DnsConfig, PtrConfig, ZoneConfig};
use crate::policy_host::{WebBehaviour, WebServer};
use crate::recorder::Recorder;
use crate::scenario::{Family, Host, PortState, Scenario, Sts};
use crate::smtp_server::{MailServer, SmtpBehaviour};
use crate::tls::{Place, TlsBehaviour, TlsSide};

/// Published addresses per scenario and family.
const ADDRESSES_PER_SCENARIO: u32 = 64;
/// Scenarios in one lab: what 198.19.0.0/16 and the upper three quarters of 198.18.0.0/16 hold.
pub(crate) const SCENARIOS_MAX: usize = 1792;
/// Ports that answer with a refusal where a host has no server on them.
const USUAL_PORTS: [u16; 8] = [25, 80, 443, 465, 587, 2465, 2525, 2587];

/// A server with the socket it will answer on.
pub(crate) enum Bound {
    /// A mail server.
    Mail(Arc<MailServer>, TcpListener),
    /// One name of a delivery service.
    Service(Arc<ServiceServer>, TcpListener),
    /// A web server.
    Web(Arc<WebServer>, TcpListener),
}

/// The pieces of a world, collected scenario by scenario.
pub(crate) struct WorldBuilder<'a> {
    authority: &'a Authority,
    recorder: Recorder,
    /// What delivery services were asked.
    pub(crate) ledger: Ledger,
    now: i64,
    listen: Listen,
    /// Servers to start.
    pub(crate) bound: Vec<Bound>,
    /// Where published addresses lead.
    pub(crate) routes: BTreeMap<(IpAddr, u16), Route>,
    /// Zones, reverse names and faults.
    pub(crate) dns: DnsConfig,
    /// A socket that is bound but does not listen: connecting to it is refused.
    pub(crate) refusing: TcpSocket,
    refusing_address: SocketAddr,
    hosts: BTreeMap<String, Vec<IpAddr>>,
    /// SHA-256 of the public key of each mail server, in hexadecimal.
    pub(crate) keys: BTreeMap<(IpAddr, u16), String>,
    scenarios: usize,
}

/// The addresses of one scenario that are still free.
struct Addresses {
    scenario: u32,
    next: u32,
}

impl Addresses {
    fn take(&mut self, family: Family) -> Result<IpAddr, LabError> {
        self.next += 1;
        if self.next >= ADDRESSES_PER_SCENARIO {
            return Err(LabError::TooMany { what: "addresses of one scenario" });
        }
        let number = self.scenario * ADDRESSES_PER_SCENARIO + self.next;
        Ok(match family {
            Family::V4 => {
                let below = number.checked_sub(1 << 16);
                let (base, number) =
                    below.map_or(([198, 19, 0, 0], number), |number| ([198, 18, 64, 0], number));
                Ipv4Addr::from(u32::from(Ipv4Addr::from(base)) + number).into()
            }
            Family::V6 => {
                let base = u128::from(Ipv6Addr::new(0x2001, 0xdb8, 0x19, 0, 0, 0, 0, 0));
                let network = u128::from(self.scenario) << 64;
                Ipv6Addr::from(base | network | u128::from(self.next)).into()
            }
        })
    }
}

impl<'a> WorldBuilder<'a> {
    /// An empty world.
    pub(crate) fn new(
        authority: &'a Authority,
        recorder: Recorder,
        options: LabOptions,
    ) -> Result<Self, LabError> {
        let refusing = TcpSocket::new_v4().map_err(LabError::Socket)?;
        refusing.bind((Ipv4Addr::LOCALHOST, 0).into()).map_err(LabError::Socket)?;
        let refusing_address = refusing.local_addr().map_err(LabError::Socket)?;
        let dns = DnsConfig { now: Some(options.now), ..DnsConfig::default() };
        Ok(Self {
            authority,
            recorder,
            ledger: Ledger::default(),
            now: options.now,
            listen: options.listen,
            bound: Vec::new(),
            routes: BTreeMap::new(),
            dns,
            refusing,
            refusing_address,
            hosts: BTreeMap::new(),
            keys: BTreeMap::new(),
            scenarios: 0,
        })
    }

    /// Published addresses by host name.
    pub(crate) fn into_hosts(self) -> (BTreeMap<String, Vec<IpAddr>>, TcpSocket) {
        (self.hosts, self.refusing)
    }

    /// Adds a scenario: addresses, servers, records.
    pub(crate) async fn add(&mut self, scenario: &Scenario) -> Result<(), LabError> {
        if self.scenarios >= SCENARIOS_MAX {
            return Err(LabError::TooMany { what: "scenarios" });
        }
        let number = u32::try_from(self.scenarios).unwrap_or(u32::MAX);
        let mut free = Addresses { scenario: number, next: 0 };
        self.scenarios += 1;
        let now = scenario.options.now.unwrap_or(self.now);
        let mut zone = ZoneDraft::new(scenario);
        for host in &scenario.hosts {
            let name = scenario.absolute(&host.name);
            let addresses = self.addresses_of(scenario, host, &mut free)?;
            zone.host(host, &name, &addresses);
            self.hosts.insert(name.clone(), addresses.clone());
            if host.ptr && host.same_address_as.is_none() {
                self.point_back(&name, &addresses);
            }
            if host.same_address_as.is_none() {
                let leaf = self.servers_of(host, &name, &addresses, now).await?;
                if let Some(association) = leaf.filter(|_| host.tlsa) {
                    zone.records.push(format!("_25._tcp.{name}. TLSA 3 1 1 {association}"));
                }
            }
        }
        if let Some(sts) = &scenario.sts {
            self.policy_host(scenario, sts, &mut free, &mut zone).await?;
        }
        self.services(scenario, &mut free).await?;
        zone.reporting(scenario);
        zone.finish(&self.hosts, &mut self.dns)
    }

    fn addresses_of(
        &self,
        scenario: &Scenario,
        host: &Host,
        free: &mut Addresses,
    ) -> Result<Vec<IpAddr>, LabError> {
        if let Some(other) = &host.same_address_as {
            let other = scenario.absolute(other);
            return self.hosts.get(&other).cloned().ok_or(LabError::Order { host: other });
        }
        host.addresses.iter().map(|family| free.take(*family)).collect()
    }

    fn point_back(&mut self, name: &str, addresses: &[IpAddr]) {
        for address in addresses {
            self.dns.ptrs.push(PtrConfig { address: *address, names: vec![name.to_owned()] });
        }
    }

    /// Binds the servers of a host; gives the TLSA association of the first mail server on port 25.
    async fn servers_of(
        &mut self,
        host: &Host,
        name: &str,
        addresses: &[IpAddr],
        now: i64,
    ) -> Result<Option<String>, LabError> {
        let mut association = None;
        let usual = [SmtpBehaviour::default()];
        let mail =
            if host.smtp.is_empty() && host.web.is_empty() { &usual[..] } else { &host.smtp };
        let counters: Vec<Arc<AtomicUsize>> = mail.iter().map(|_| Arc::default()).collect();
        for (index, published) in addresses.iter().enumerate() {
            let place = Place { host: name, address: index, now };
            let serves = |on: &[usize]| on.is_empty() || on.contains(&index);
            for (behaviour, counter) in mail.iter().zip(&counters) {
                if !serves(&behaviour.on) {
                    continue;
                }
                let shared = behaviour.limit.as_ref().is_some_and(|limit| limit.shared);
                let counter = if shared { Arc::clone(counter) } else { Arc::default() };
                let pin = self.mail(behaviour, place, *published, counter).await?;
                if behaviour.port.unwrap_or(25) == 25 && association.is_none() {
                    association = pin;
                }
            }
            for behaviour in host.web.iter().filter(|server| serves(&server.on)) {
                self.web(behaviour, place, *published, Vec::new()).await?;
            }
            self.refuse_the_rest(*published);
        }
        Ok(association)
    }

    fn refuse_the_rest(&mut self, published: IpAddr) {
        let refused = Route::Socket(self.refusing_address);
        for port in USUAL_PORTS {
            self.routes.entry((published, port)).or_insert(refused);
        }
    }

    /// The route of a port without a server; `None` where one is to be started.
    fn closed_route(&self, state: PortState) -> Option<Route> {
        match state {
            PortState::Open => None,
            PortState::Closed => Some(Route::Socket(self.refusing_address)),
            PortState::Unanswered => Some(Route::Unanswered),
            PortState::Unreachable => Some(Route::Unreachable),
        }
    }

    /// The loopback address for a published one.
    fn loopback(&self, published: IpAddr) -> Ipv4Addr {
        match (self.listen, published) {
            (Listen::OneAddress, _) => Ipv4Addr::LOCALHOST,
            (Listen::DistinctAddresses, IpAddr::V4(address)) => {
                let [_, second, third, fourth] = address.octets();
                Ipv4Addr::new(127, second, third, fourth)
            }
            (Listen::DistinctAddresses, IpAddr::V6(address)) => {
                let [.., scenario, _, _, _, host] = address.segments();
                let number = u32::from(scenario) * ADDRESSES_PER_SCENARIO + u32::from(host);
                Ipv4Addr::from(u32::from(Ipv4Addr::new(127, 20, 0, 0)) + number)
            }
        }
    }

    async fn listen(&mut self, published: IpAddr, port: u16) -> Result<TcpListener, LabError> {
        let listener =
            TcpListener::bind((self.loopback(published), 0)).await.map_err(LabError::Socket)?;
        let address = listener.local_addr().map_err(LabError::Socket)?;
        self.routes.insert((published, port), Route::Socket(address));
        Ok(listener)
    }

    async fn mail(
        &mut self,
        behaviour: &SmtpBehaviour,
        place: Place<'_>,
        published: IpAddr,
        connections: Arc<AtomicUsize>,
    ) -> Result<Option<String>, LabError> {
        let port = behaviour.port.unwrap_or(25);
        if let Some(route) = self.closed_route(behaviour.state) {
            self.routes.insert((published, port), route);
            return Ok(None);
        }
        let tls = self.tls(&behaviour.tls, place)?;
        let association = public_key_digest(&tls.issued.leaf);
        self.keys.extend(association.clone().map(|key| ((published, port), key)));
        let listener = self.listen(published, port).await?;
        let server = MailServer {
            host: place.host.to_owned(),
            published,
            port,
            behaviour: behaviour.clone(),
            tls,
            recorder: self.recorder.clone(),
            connections,
        };
        self.bound.push(Bound::Mail(Arc::new(server), listener));
        Ok(association)
    }

    /// Binds a web server; `documents` are answered besides its paths.
    pub(crate) async fn web(
        &mut self,
        behaviour: &WebBehaviour,
        place: Place<'_>,
        published: IpAddr,
        documents: Vec<(String, Vec<u8>)>,
    ) -> Result<(), LabError> {
        let port = behaviour.port.unwrap_or(if behaviour.plain { 80 } else { 443 });
        if let Some(route) = self.closed_route(behaviour.state) {
            self.routes.insert((published, port), route);
            return Ok(());
        }
        let tls = if behaviour.plain { None } else { Some(self.tls(&behaviour.tls, place)?) };
        let listener = self.listen(published, port).await?;
        let server = WebServer {
            host: place.host.to_owned(),
            published,
            port,
            behaviour: behaviour.clone(),
            documents,
            tls,
            recorder: self.recorder.clone(),
            connections: AtomicUsize::new(0),
        };
        self.bound.push(Bound::Web(Arc::new(server), listener));
        Ok(())
    }

    fn tls(&self, behaviour: &TlsBehaviour, place: Place<'_>) -> Result<TlsSide, LabError> {
        TlsSide::new(behaviour, self.authority, place)
            .map_err(|source| LabError::Tls { host: place.host.to_owned(), source })
    }

    async fn policy_host(
        &mut self,
        scenario: &Scenario,
        sts: &Sts,
        free: &mut Addresses,
        zone: &mut ZoneDraft<'_>,
    ) -> Result<(), LabError> {
        zone.policy_record(sts);
        let name = scenario.absolute("mta-sts");
        let published = free.take(Family::V4)?;
        if sts.publish {
            zone.records.push(format!("mta-sts A {published}"));
        }
        let mut response = sts.response.clone();
        if response.body.is_empty() && response.body_hex.is_none() && !sts.keep_body {
            response.body = policy_text(scenario, sts);
        }
        let mut tls = sts.tls.clone();
        // The `{host}` of this server is not a host of the file, so it is filled here.
        for entry in &mut tls.certificate.names {
            *entry = entry.replace("{host}", &name);
        }
        let behaviour = WebBehaviour {
            state: sts.state,
            tls,
            paths: BTreeMap::from([("/.well-known/mta-sts.txt".to_owned(), response)]),
            ..WebBehaviour::default()
        };
        let now = scenario.options.now.unwrap_or(self.now);
        let place = Place { host: &name, address: 0, now };
        self.web(&behaviour, place, published, Vec::new()).await?;
        self.refuse_the_rest(published);
        self.hosts.insert(name, vec![published]);
        Ok(())
    }

    /// Adds the authority's own download host.
    pub(crate) async fn authority_hosts(&mut self) -> Result<(), LabError> {
        use crate::authority::{AIA_HOST, AUTHORITY_DOMAIN, CLOSED_CRL_HOST};
        let [served, closed] = [10, 11].map(|last| IpAddr::from([198, 18, 0, last]));
        let documents = self.authority.downloads(self.now)?;
        let behaviour = WebBehaviour { plain: true, ..WebBehaviour::default() };
        let place = Place { host: AIA_HOST, address: 0, now: self.now };
        self.web(&behaviour, place, served, documents).await?;
        self.refuse_the_rest(served);
        self.refuse_the_rest(closed);
        self.dns.zones.push(ZoneConfig {
            name: AUTHORITY_DOMAIN.to_owned(),
            records: vec![
                format!("{AIA_HOST}. A {served}"),
                format!("{CLOSED_CRL_HOST}. A {closed}"),
            ],
            ..ZoneConfig::default()
        });
        Ok(())
    }
}

/// The policy file a scenario asks for in short (RFC 8461 §3.2).
fn policy_text(scenario: &Scenario, sts: &Sts) -> String {
    if let Some(policy) = &sts.policy {
        return policy.clone();
    }
    let listed = sts.mx.clone().unwrap_or_else(|| {
        let with_mx = scenario.hosts.iter().filter(|host| host.mx.is_some());
        with_mx.map(|host| scenario.absolute(&host.name)).collect()
    });
    let mut lines = vec!["version: STSv1".to_owned(), format!("mode: {}", sts.mode)];
    lines.extend(listed.iter().map(|name| format!("mx: {name}")));
    lines.push(format!("max_age: {}\r\n", sts.max_age));
    lines.join("\r\n")
}

/// SHA-256 of the public key, as a TLSA record holds it (RFC 6698 §2.1).
fn public_key_digest(leaf: &[u8]) -> Option<String> {
    let (_, certificate) = x509_parser::parse_x509_certificate(leaf).ok()?;
    let hash = digest::digest(&digest::SHA256, certificate.public_key().raw);
    let digits: Vec<String> = hash.as_ref().iter().map(|octet| format!("{octet:02x}")).collect();
    Some(digits.concat())
}

/// The records of a scenario's zone while they are collected.
struct ZoneDraft<'a> {
    scenario: &'a Scenario,
    records: Vec<String>,
}

impl<'a> ZoneDraft<'a> {
    fn new(scenario: &'a Scenario) -> Self {
        Self { scenario, records: scenario.dns.records.clone() }
    }

    fn host(&mut self, host: &Host, name: &str, addresses: &[IpAddr]) {
        if let Some(preference) = host.mx {
            self.records.push(format!("@ MX {preference} {name}."));
        }
        if host.publish {
            for address in addresses {
                let kind = if address.is_ipv4() { "A" } else { "AAAA" };
                self.records.push(format!("{name}. {kind} {address}"));
            }
        }
    }

    fn policy_record(&mut self, sts: &Sts) {
        let usual = || vec![format!("v=STSv1; id={};", sts.id)];
        for text in sts.records.clone().unwrap_or_else(usual) {
            self.records.push(format!("_mta-sts TXT {}", quoted(&text)));
        }
    }

    fn reporting(&mut self, scenario: &Scenario) {
        let Some(rpt) = &scenario.rpt else { return };
        let usual = || {
            let rua = if rpt.rua.is_empty() {
                format!("mailto:tls-reports@{}", scenario.domain)
            } else {
                rpt.rua.join(",")
            };
            vec![format!("v=TLSRPTv1; rua={rua}")]
        };
        for text in rpt.records.clone().unwrap_or_else(usual) {
            self.records.push(format!("_smtp._tls TXT {}", quoted(&text)));
        }
    }

    /// Fills address placeholders and gives every record to the zone it belongs to.
    fn finish(
        self,
        hosts: &BTreeMap<String, Vec<IpAddr>>,
        dns: &mut DnsConfig,
    ) -> Result<(), LabError> {
        let scenario = self.scenario;
        let own = &scenario.dns;
        let mut zones = own.zones.clone();
        if own.exists {
            zones.push(ZoneConfig {
                name: scenario.domain.clone(),
                signed: own.signed,
                records: Vec::new(),
                generate: own.generate.clone(),
                servers: own.servers.clone(),
                serial: own.serial,
                ttl: own.ttl,
                dnssec_fault: own.dnssec_fault.clone(),
                variants: own.variants.clone(),
            });
        }
        for record in self.records {
            let owner = record.split_whitespace().next().unwrap_or_default().to_owned();
            let absolute = scenario.absolute(&owner);
            let home = zones
                .iter_mut()
                .filter(|zone| is_below(&absolute, &zone.name))
                .max_by_key(|zone| zone.name.len());
            match home {
                Some(zone) => {
                    let rest = record.get(owner.len()..).unwrap_or_default();
                    zone.records.push(format!("{absolute}.{rest}"));
                }
                None if !own.exists => {}
                None => return Err(LabError::NoZone { record }),
            }
        }
        for zone in &mut zones {
            let fixed = zone.records.iter_mut();
            let varied = zone.variants.iter_mut().flat_map(|variant| variant.records.iter_mut());
            fixed.chain(varied).for_each(|line| fill_addresses(line, scenario, hosts));
        }
        dns.zones.extend(zones);
        dns.ptrs.extend(own.ptrs.iter().cloned());
        dns.servers.extend(own.server_details.iter().cloned());
        dns.faults.extend(own.faults.iter().cloned());
        if let Some(resolver) = &own.resolver {
            dns.resolver = resolver.clone();
        }
        Ok(())
    }
}

fn is_below(name: &str, zone: &str) -> bool {
    let (name, zone) = (name.to_lowercase(), zone.trim_end_matches('.').to_lowercase());
    name == zone || name.strip_suffix(&zone).is_some_and(|rest| rest.ends_with('.'))
}

/// Fills `{v4:NAME}` and `{v6:NAME}` with the first published address of a host.
pub(crate) fn fill_addresses(
    line: &mut String,
    scenario: &Scenario,
    hosts: &BTreeMap<String, Vec<IpAddr>>,
) {
    for host in &scenario.hosts {
        let Some(addresses) = hosts.get(&scenario.absolute(&host.name)) else { continue };
        for (key, wanted) in [("v4", true), ("v6", false)] {
            let first = addresses.iter().find(|address| address.is_ipv4() == wanted);
            if let Some(address) = first {
                let placeholder = format!("{{{key}:{}}}", host.name);
                *line = line.replace(&placeholder, &address.to_string());
            }
        }
    }
}

/// A TXT string in quotes.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
