//! Which mail hosts follow from the MX answer (RFC 5321 §5.1, RFC 7505), within the limits. Shared by the
//! plan and the facts, so that what is asked and what is reported cannot differ.

use super::known::Known;
use super::scope::Scope;
use crate::limits::Limits;
use crate::question::Peer;
use std::net::IpAddr;
use waxseal_proto::dns::{DnsAnswer, MxExchange, MxSet, Outcome, QueryName, Record, RecordType};
use waxseal_proto::name::{DomainName, Target};

/// One mail host to look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MailHost {
    pub(crate) preference: u16,
    pub(crate) exchange: MxExchange,
    /// `None` for an exchange that is no host name.
    pub(crate) peer: Option<Peer>,
}

/// The mail hosts of a subject.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct MailHosts {
    pub(crate) hosts: Vec<MailHost>,
    /// Hosts beyond the limit, which are not looked at.
    pub(crate) left_out: Vec<String>,
}

/// The MX answer of the subject's domain, if there is one yet.
pub(crate) fn mx_answer<'a>(scope: &Scope, known: &'a Known) -> Option<&'a DnsAnswer> {
    known.dns(&QueryName::from(scope.target.domain()?), RecordType::Mx)
}

/// The mail hosts that follow from what is known.
pub(crate) fn mail_hosts(scope: &Scope, limits: &Limits, known: &Known) -> MailHosts {
    let domain = match &scope.target {
        Target::Address(address) => return literal(*address),
        Target::Domain(domain) => domain,
    };
    let Some(answer) = mx_answer(scope, known) else { return MailHosts::default() };
    let set = MxSet::from_answer(answer);
    if set == MxSet::NoData && has_address(domain, known) {
        return implicit(domain);
    }
    let mut hosts = MailHosts::default();
    for record in set.in_order(scope.shuffle_seed) {
        if hosts.hosts.len() >= limits.mx_hosts_max {
            hosts.left_out.push(exchange_text(&record.exchange));
            continue;
        }
        hosts.hosts.push(MailHost {
            preference: record.preference,
            peer: record.exchange.host().cloned().map(Peer::Host),
            exchange: record.exchange.clone(),
        });
    }
    hosts
}

/// RFC 5321 §5.1: without any MX the domain itself is the mail host, preference 0.
fn implicit(domain: &DomainName) -> MailHosts {
    MailHosts {
        hosts: vec![MailHost {
            preference: 0,
            exchange: MxExchange::Host(domain.clone()),
            peer: Some(Peer::Host(domain.clone())),
        }],
        left_out: Vec::new(),
    }
}

fn literal(address: IpAddr) -> MailHosts {
    MailHosts {
        hosts: vec![MailHost {
            preference: 0,
            exchange: MxExchange::AddressLiteral(address),
            peer: Some(Peer::Address(address)),
        }],
        left_out: Vec::new(),
    }
}

fn has_address(domain: &DomainName, known: &Known) -> bool {
    let name = QueryName::from(domain);
    [RecordType::A, RecordType::Aaaa].into_iter().any(|record_type| {
        known.dns(&name, record_type).is_some_and(|a| matches!(a.outcome, Outcome::Found(_)))
    })
}

/// An exchange as text.
pub(crate) fn exchange_text(exchange: &MxExchange) -> String {
    match exchange {
        MxExchange::Host(host) => host.to_string(),
        MxExchange::Root => ".".to_owned(),
        MxExchange::AddressLiteral(address) => address.to_string(),
        MxExchange::Invalid(text) => text.clone(),
    }
}

/// The addresses known for a name: IPv4 first, each in the order of its answer. `None` until both
/// look-ups are answered.
pub(crate) fn addresses(name: &QueryName, known: &Known) -> Option<Vec<IpAddr>> {
    let v4 = known.dns(name, RecordType::A)?;
    let v6 = known.dns(name, RecordType::Aaaa)?;
    Some(addresses_in(v4).chain(addresses_in(v6)).collect())
}

/// The addresses in one answer.
pub(crate) fn addresses_in(answer: &DnsAnswer) -> impl Iterator<Item = IpAddr> + '_ {
    answer.records().iter().filter_map(Record::address)
}

/// The addresses of one host that get a session, and those beyond the limit. IPv4 and IPv6 take turns, so
/// that a cut never hides a whole family.
pub(crate) fn budgeted(addresses: &[IpAddr], limits: &Limits) -> (Vec<IpAddr>, Vec<IpAddr>) {
    let (v4, v6): (Vec<IpAddr>, Vec<IpAddr>) = addresses.iter().partition(|a| a.is_ipv4());
    let mut order = Vec::with_capacity(addresses.len());
    let mut rest = (v4.into_iter(), v6.into_iter());
    loop {
        let pair = (rest.0.next(), rest.1.next());
        if pair == (None, None) {
            break;
        }
        for address in [pair.0, pair.1].into_iter().flatten() {
            if !order.contains(&address) {
                order.push(address);
            }
        }
    }
    let left_out = order.split_off(order.len().min(limits.addresses_per_host_max));
    (order, left_out)
}
