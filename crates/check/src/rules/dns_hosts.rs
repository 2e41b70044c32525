//! Rules of the hosts behind MX records (RFC 5321 §5.1, RFC 2181 §10.3, RFC 6890 §2).
//! A target that does not exist and one without an address stay two findings.

use super::tcp::addresses;
use crate::facts::{Facts, HostFacts};
use crate::finding::{ANY, Finding};
use crate::survey::{AddressRule, addresses_in};
use std::collections::BTreeSet;
use std::net::IpAddr;
use waxseal_proto::dns::{MxExchange, MxSet, Outcome};
use waxseal_proto::finding::Code;
use waxseal_proto::name::{AddressClass, classify};

/// What is wrong with the names and addresses that MX records point at. An implicit MX is the domain
/// itself and has findings of its own.
pub(crate) fn targets(facts: &Facts) -> Vec<Finding> {
    if !matches!(facts.mx.set.seen(), Some(MxSet::Hosts(_) | MxSet::NullMixed { .. })) {
        return Vec::new();
    }
    facts.hosts.iter().flat_map(|host| target(facts, host)).collect()
}

fn target(facts: &Facts, host: &HostFacts) -> Vec<Finding> {
    match &host.exchange {
        MxExchange::AddressLiteral(address) => {
            return vec![Finding::new(Code::DnsMxIpLiteral, ANY, host.name()).with("MX", address)];
        }
        MxExchange::Invalid(text) => {
            return vec![
                Finding::new(Code::DnsMxDangling, ANY, host.name()).with("no host name", text),
            ];
        }
        MxExchange::Host(_) | MxExchange::Root => {}
    }
    let mut findings = Vec::new();
    if let Some(alias) = host.lookups.iter().find_map(|answer| answer.aliases.first()) {
        findings.push(Finding::new(Code::DnsMxCname, ANY, host.name()).with("CNAME", alias));
    }
    let outcomes: Vec<&Outcome> = host.lookups.iter().map(|answer| &answer.outcome).collect();
    if outcomes.contains(&&Outcome::NoName) {
        findings.push(
            Finding::new(Code::DnsMxDangling, ANY, host.name()).with("A and AAAA", "no such name"),
        );
    } else if outcomes.len() == 2 && outcomes.iter().all(|outcome| **outcome == Outcome::NoData) {
        findings.push(
            Finding::new(Code::DnsMxNoAddress, ANY, host.name()).with("A and AAAA", "no records"),
        );
    }
    for address in host.lookups.iter().flat_map(addresses_in) {
        let class = classify(address);
        if !counts_as_public(facts.scope.address_rule, address, class) {
            findings.push(
                Finding::new(Code::DnsMxPrivateAddress, ANY, host.name())
                    .with(class.as_str(), address),
            );
        }
    }
    findings
}

fn counts_as_public(rule: AddressRule, address: IpAddr, class: AddressClass) -> bool {
    match rule {
        AddressRule::AllowPrivate => true,
        AddressRule::Standard => class.is_public(),
        AddressRule::LabRanges => class.is_public() || in_lab_range(address),
    }
}

/// 198.18.0.0/15 (RFC 2544) and 2001:db8::/32 (RFC 3849).
fn in_lab_range(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => matches!(v4.octets(), [198, 18 | 19, _, _]),
        IpAddr::V6(v6) => matches!(v6.segments(), [0x2001, 0x0db8, ..]),
    }
}

/// One exchange, or several on one address.
pub(crate) fn single(facts: &Facts) -> Vec<Finding> {
    if !matches!(facts.mx.set.seen(), Some(MxSet::Hosts(_))) || !facts.hosts_left_out.is_empty() {
        return Vec::new();
    }
    let all: BTreeSet<IpAddr> =
        facts.hosts.iter().flat_map(|host| host.lookups.iter().flat_map(addresses_in)).collect();
    let evidence = match facts.hosts.as_slice() {
        [only] => only.name(),
        [_, _, ..] if all.len() == 1 => "all hosts have one address".to_owned(),
        _ => return Vec::new(),
    };
    vec![Finding::new(Code::DnsSingleMx, ANY, &facts.scope.target).with("mail host", evidence)]
}

/// Hosts or addresses beyond the limits.
pub(crate) fn too_many(facts: &Facts) -> Vec<Finding> {
    let mut left_out = facts.hosts_left_out.clone();
    for host in &facts.hosts {
        left_out.extend(host.addresses_left_out.iter().map(|a| format!("{} [{a}]", host.name())));
    }
    if left_out.is_empty() {
        return Vec::new();
    }
    let tested = addresses(facts).count();
    vec![
        Finding::new(Code::DnsTooManyMx, ANY, &facts.scope.target)
            .with("addresses looked at", tested)
            .with("left out", left_out.len()),
    ]
}
