//! From the octets of a question to what is sent back: octets, a delay, silence or a closed
//! connection (RFC 1034 §4.3, RFC 6891, RFC 8914).
//!
//! Reads no socket and no clock. The way in is [`respond`]. The right answer is made first, then
//! the fault of the description spoils it.

use std::time::Duration;

use hickory_proto::op::{Edns, Message, MessageType, OpCode, Query, ResponseCode};
use hickory_proto::rr::rdata::opt::EdnsOption;
use hickory_proto::rr::{DNSClass, Name, RData, Record, RecordType};

use super::build::{View, World};
use super::config::{AnswerFault, ResolverMode, Transport};
use super::fault::{Question, Role, applying};
use super::limits::{CNAME_STEPS_MAX, UDP_PAYLOAD_OCTETS, UDP_PLAIN_OCTETS};
use super::log::{LoggedQuery, QueryLog};
use super::zone::{Found, RrSet, Security, Zone};

/// EDNS option code of extended errors (RFC 8914 §2).
const EDE_OPTION: u16 = 15;
/// Octets of a DNS header: without them there is no identifier to answer to.
const HEADER_OCTETS: usize = 12;
/// Flips an identifier into one that was never asked with.
const WRONG_ID_MASK: u16 = 0x5555;

/// What a socket does with a question.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Reaction {
    /// Close the connection without an answer; over UDP the same as silence.
    Close,
    /// Send these octets after a delay.
    Send { octets: Vec<u8>, delay: Duration },
    /// Nothing.
    Silence,
}

/// Answers one message.
pub(super) fn respond(
    world: &World,
    log: &QueryLog,
    (role, transport): (&Role, Transport),
    octets: &[u8],
) -> Reaction {
    let request = match Message::from_vec(octets) {
        Ok(request) if request.metadata.message_type == MessageType::Query => request,
        Ok(_) => return Reaction::Silence,
        Err(_) => return unreadable(octets),
    };
    let mut reply = Reply::to(&request);
    let [query] = request.queries.as_slice() else {
        reply.message.metadata.response_code = ResponseCode::FormErr;
        return reply.send(transport);
    };
    let name = query.name().to_lowercase();
    let cd = request.metadata.checking_disabled;
    log.push(LoggedQuery {
        name: name.to_ascii(),
        record_type: query.query_type().to_string(),
        server: match role {
            Role::Resolver => "resolver".to_owned(),
            Role::Server(host) => host.to_ascii(),
        },
        transport,
        checking_disabled: cd,
        dnssec_ok: reply.dnssec_ok,
    });
    if let Some(code) = unsupported(&request, query) {
        reply.message.metadata.response_code = code;
        return reply.send(transport);
    }
    let view = match role {
        Role::Resolver => Some(&world.zones),
        Role::Server(host) => world.servers.get(host).map(|server| &server.zones),
    };
    let Some(view) = view else { return Reaction::Silence };
    reply.fill(world, role, view, (&name, query.query_type()));
    let question = Question {
        name: &name,
        record_type: query.query_type(),
        role,
        transport,
        checking_disabled: cd,
    };
    match applying(&world.faults, &question) {
        Some(fault) => reply.spoil(fault, transport),
        None => reply.send(transport),
    }
}

/// FORMERR for what cannot be read but has an identifier, as far as that can be done.
fn unreadable(octets: &[u8]) -> Reaction {
    match octets {
        [high, low, flags, ..] if octets.len() >= HEADER_OCTETS && flags & 0x80 == 0 => {
            let id = u16::from_be_bytes([*high, *low]);
            let message = Message::error_msg(id, OpCode::Query, ResponseCode::FormErr);
            encoded(&message, Duration::ZERO)
        }
        _ => Reaction::Silence,
    }
}

fn unsupported(request: &Message, query: &Query) -> Option<ResponseCode> {
    if request.metadata.op_code != OpCode::Query {
        return Some(ResponseCode::NotImp);
    }
    if request.edns.as_ref().is_some_and(|edns| edns.version() != 0) {
        return Some(ResponseCode::BADVERS);
    }
    if query.query_class() != DNSClass::IN {
        return Some(ResponseCode::Refused);
    }
    let meta = [RecordType::ANY, RecordType::AXFR, RecordType::IXFR];
    meta.contains(&query.query_type()).then_some(ResponseCode::NotImp)
}

/// One answer in the making.
struct Reply {
    message: Message,
    dnssec_ok: bool,
    /// What validating all of it would find; the worst part decides.
    security: Security,
    udp_octets_max: u16,
    wants_ad: bool,
    /// The SOA set of the zone asked last.
    soa: Option<RrSet>,
}

impl Reply {
    fn to(request: &Message) -> Self {
        let mut message =
            Message::new(request.metadata.id, MessageType::Response, request.metadata.op_code);
        message.metadata.recursion_desired = request.metadata.recursion_desired;
        message.metadata.checking_disabled = request.metadata.checking_disabled;
        message.add_queries(request.queries.iter().cloned());
        let mut udp_octets_max = UDP_PLAIN_OCTETS;
        let mut dnssec_ok = false;
        if let Some(asked) = &request.edns {
            dnssec_ok = asked.flags().dnssec_ok;
            udp_octets_max = asked.max_payload().clamp(UDP_PLAIN_OCTETS, UDP_PAYLOAD_OCTETS);
            let mut edns = Edns::new();
            edns.set_max_payload(UDP_PAYLOAD_OCTETS);
            edns.set_dnssec_ok(dnssec_ok);
            message.set_edns(edns);
        }
        let wants_ad = dnssec_ok || request.metadata.authentic_data;
        let security = Security::Secure;
        Self { message, dnssec_ok, security, udp_octets_max, wants_ad, soa: None }
    }

    /// Makes the right answer of this server.
    fn fill(&mut self, world: &World, role: &Role, view: &View, asked: (&Name, RecordType)) {
        self.message.metadata.recursion_available = *role == Role::Resolver;
        self.walk(world, role, view, asked);
        if *role != Role::Resolver {
            return;
        }
        self.message.metadata.authoritative = false;
        match world.resolver.mode {
            ResolverMode::Plain => {}
            ResolverMode::Stripping => self.strip(asked.1),
            ResolverMode::Validating => self.validate(),
        }
    }

    /// Follows the question through zones and aliases.
    fn walk(&mut self, world: &World, role: &Role, view: &View, asked: (&Name, RecordType)) {
        let (mut name, record_type) = (asked.0.clone(), asked.1);
        let mut seen: Vec<Name> = Vec::new();
        for _ in 0..CNAME_STEPS_MAX {
            let Some(zone) = zone_for(view, &name, record_type) else {
                if seen.is_empty() {
                    self.message.metadata.response_code = ResponseCode::Refused;
                }
                return;
            };
            self.message.metadata.authoritative |= seen.is_empty();
            seen.push(name.clone());
            self.soa = zone.soa().cloned();
            match zone.find(&name, record_type) {
                Found::Answer { set, proof } => {
                    self.answer(zone, &set);
                    self.prove(zone, &proof);
                    return;
                }
                Found::Alias { set, proof } => {
                    self.answer(zone, &set);
                    self.prove(zone, &proof);
                    let Some(target) = alias_target(&set) else { return };
                    if seen.contains(&target) {
                        return;
                    }
                    name = target;
                }
                Found::Delegation { cut } => {
                    self.refer(world, role, zone, &cut);
                    return;
                }
                Found::NoData { proof } => {
                    self.deny(zone, &proof);
                    return;
                }
                Found::NxDomain { proof } => {
                    self.message.metadata.response_code = ResponseCode::NXDomain;
                    self.deny(zone, &proof);
                    return;
                }
            }
        }
    }

    fn answer(&mut self, zone: &Zone, set: &RrSet) {
        self.weigh(zone.security_of(set.record_type));
        self.message.add_answers(set.records.iter().cloned());
        if self.dnssec_ok {
            self.message.add_answers(set.signature.iter().cloned());
        }
    }

    fn prove(&mut self, zone: &Zone, proof: &[RrSet]) {
        for set in proof {
            self.weigh(zone.security_of(RecordType::NSEC));
            if self.dnssec_ok {
                self.authority(set);
            }
        }
    }

    fn deny(&mut self, zone: &Zone, proof: &[RrSet]) {
        self.weigh(zone.security_of(RecordType::SOA));
        if let Some(soa) = zone.soa() {
            self.authority(soa);
        }
        self.prove(zone, proof);
    }

    /// A referral (RFC 1034 §4.3.2 step 3b); the resolver has nowhere to go and fails.
    fn refer(&mut self, world: &World, role: &Role, zone: &Zone, cut: &Name) {
        if *role == Role::Resolver {
            self.fail_with(22, "no reachable authority");
            return;
        }
        self.message.metadata.authoritative = false;
        let Some(ns) = zone.set(cut, RecordType::NS) else { return };
        self.authority(ns);
        let proof = zone.set(cut, RecordType::DS).or_else(|| zone.nsec_at(cut));
        if let (true, Some(proof)) = (self.dnssec_ok, proof) {
            self.authority(proof);
        }
        for record in &ns.records {
            let RData::NS(host) = &record.data else { continue };
            let addresses = world.servers.get(&host.0).map(|server| server.addresses.as_slice());
            for address in addresses.unwrap_or_default() {
                let data = RData::from(*address);
                self.message.add_additional(Record::from_rdata(host.0.clone(), record.ttl, data));
            }
        }
    }

    fn authority(&mut self, set: &RrSet) {
        self.message.add_authorities(set.records.iter().cloned());
        if self.dnssec_ok {
            self.message.add_authorities(set.signature.iter().cloned());
        }
    }

    fn weigh(&mut self, security: Security) {
        self.security = match (self.security, security) {
            (Security::Bogus(code), _) | (_, Security::Bogus(code)) => Security::Bogus(code),
            (Security::Insecure, _) | (_, Security::Insecure) => Security::Insecure,
            (Security::Secure, Security::Secure) => Security::Secure,
        };
    }

    /// What a resolver that does not know DNSSEC lets through.
    fn strip(&mut self, asked: RecordType) {
        let plain = |record: &Record| !record.record_type().is_dnssec();
        self.message.answers.retain(plain);
        self.message.authorities.retain(plain);
        if asked.is_dnssec() {
            self.message.metadata.response_code = ResponseCode::NoError;
        }
        if let Some(edns) = &mut self.message.edns {
            edns.set_dnssec_ok(false);
        }
    }

    /// What a validating resolver makes of the answer (RFC 4035 §3.2.2, §3.2.3).
    fn validate(&mut self) {
        if self.message.metadata.response_code == ResponseCode::ServFail {
            return;
        }
        match self.security {
            Security::Bogus(code) if !self.message.metadata.checking_disabled => {
                self.fail_with(code, "");
            }
            Security::Bogus(_) | Security::Insecure => {}
            Security::Secure => self.message.metadata.authentic_data = self.wants_ad,
        }
    }

    /// SERVFAIL with an extended error where the question had EDNS.
    fn fail_with(&mut self, code: u16, text: &str) {
        self.empty(ResponseCode::ServFail);
        if let Some(edns) = &mut self.message.edns {
            let mut octets = code.to_be_bytes().to_vec();
            octets.extend_from_slice(text.as_bytes());
            edns.options_mut().insert(EdnsOption::Unknown(EDE_OPTION, octets));
        }
    }

    /// Takes everything out of the answer.
    fn empty(&mut self, code: ResponseCode) {
        self.message.answers.clear();
        self.message.authorities.clear();
        self.message.additionals.clear();
        self.message.metadata.authentic_data = false;
        self.message.metadata.response_code = code;
    }

    /// A negative answer with the SOA record of the zone asked last, without proof.
    fn deny_unproven(&mut self, code: ResponseCode) {
        self.empty(code);
        if let Some(soa) = self.soa.take() {
            self.authority(&soa);
        }
    }

    /// Carries a fault out.
    fn spoil(mut self, fault: &AnswerFault, transport: Transport) -> Reaction {
        match fault {
            AnswerFault::Drop => return Reaction::Silence,
            AnswerFault::FormErr => self.empty(ResponseCode::FormErr),
            AnswerFault::Lame => {
                self.empty(ResponseCode::NoError);
                self.message.metadata.authoritative = false;
            }
            AnswerFault::Malformed => return self.malformed(),
            AnswerFault::NoData => self.deny_unproven(ResponseCode::NoError),
            AnswerFault::NotImp => self.empty(ResponseCode::NotImp),
            AnswerFault::NxDomain => self.deny_unproven(ResponseCode::NXDomain),
            AnswerFault::Refused => self.empty(ResponseCode::Refused),
            AnswerFault::ServFail => self.empty(ResponseCode::ServFail),
            AnswerFault::ServFailWith { code, text } => self.fail_with(*code, text),
            AnswerFault::Slow { delay_ms } => {
                return self.send_after(transport, Duration::from_millis(*delay_ms));
            }
            AnswerFault::Truncated | AnswerFault::TruncatedTcpClosed => match transport {
                Transport::Udp => return encoded(&self.message.truncate(), Duration::ZERO),
                Transport::Tcp if *fault == AnswerFault::TruncatedTcpClosed => {
                    return Reaction::Close;
                }
                Transport::Tcp => {}
            },
            AnswerFault::WrongId => self.message.metadata.id ^= WRONG_ID_MASK,
        }
        self.send(transport)
    }

    /// Header and question as they should be, one answer announced, half a record sent.
    fn malformed(mut self) -> Reaction {
        self.empty(ResponseCode::NoError);
        self.message.edns = None;
        let Ok(mut octets) = self.message.to_vec() else { return Reaction::Silence };
        if let Some(count) = octets.get_mut(7) {
            *count = 1;
        }
        octets.extend_from_slice(&[0xc0, 0x0c, 0x00]);
        Reaction::Send { octets, delay: Duration::ZERO }
    }

    fn send(self, transport: Transport) -> Reaction {
        self.send_after(transport, Duration::ZERO)
    }

    /// Sends what fits: empty with TC=1 over UDP. What even TCP cannot carry leaves the encoder cut
    /// with TC=1.
    fn send_after(self, transport: Transport, delay: Duration) -> Reaction {
        let reaction = encoded(&self.message, delay);
        match (&reaction, transport) {
            (Reaction::Send { octets, .. }, Transport::Udp)
                if octets.len() > usize::from(self.udp_octets_max) =>
            {
                encoded(&self.message.truncate(), delay)
            }
            (Reaction::Send { .. } | Reaction::Close | Reaction::Silence, _) => reaction,
        }
    }
}

/// The zone that answers a question: DS records live on the parent's side (RFC 4035 §3.1.4.1).
fn zone_for<'a>(view: &'a View, name: &Name, record_type: RecordType) -> Option<&'a Zone> {
    let deepest = |name: &Name| {
        let mut at = name.clone();
        loop {
            if let Some(zone) = view.get(&at) {
                return Some(zone.as_ref());
            }
            if at.is_root() {
                return None;
            }
            at = at.base_name();
        }
    };
    if record_type == RecordType::DS && !name.is_root() {
        return deepest(&name.base_name()).or_else(|| deepest(name));
    }
    deepest(name)
}

fn alias_target(set: &RrSet) -> Option<Name> {
    let record = set.records.first()?;
    let RData::CNAME(target) = &record.data else { return None };
    Some(target.0.to_lowercase())
}

fn encoded(message: &Message, delay: Duration) -> Reaction {
    match message.to_vec() {
        Ok(octets) => Reaction::Send { octets, delay },
        Err(_) => Reaction::Silence,
    }
}
