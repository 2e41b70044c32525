//! What this machine looks like from outside: its source address, the PTR name of it, whether that name
//! leads back (RFC 8601 §3), and the name it gives in EHLO (RFC 5321 §4.1.1.1, §4.1.4). Nothing is sent to
//! find the source address. The way in is [`look`]; a change must keep a name that does not resolve out
//! of EHLO unless the operator chose it.

use crate::dial::source_towards;
use crate::world::World;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use waxseal_check::question::Vantage;
use waxseal_proto::dns::{Failure, Outcome, QueryName, Record, RecordType};
use waxseal_proto::name::{DomainName, classify};
use waxseal_proto::observation::{Observation, Reason};
use waxseal_proto::smtp::command::EhloName;

/// Addresses nobody has (RFC 5737, RFC 3849): the way to them is the way to any public address.
const SOMEWHERE_V4: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
const SOMEWHERE_V6: IpAddr = IpAddr::V6(Ipv6Addr::new(0x2001, 0x0db8, 0, 0, 0, 0, 0, 1));

/// What was found, and the name as SMTP sends it.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) vantage: Vantage,
    pub(crate) ehlo_name: EhloName,
}

/// Looks once.
pub(crate) async fn look(world: &World) -> Found {
    let address = match world.own_address() {
        Some(address) => Some(address),
        None if world.is_published() => None,
        None => match source_towards(SOMEWHERE_V4).await {
            Some(address) => Some(address),
            None => source_towards(SOMEWHERE_V6).await,
        },
    };
    let ptr = match address {
        None => Err(Reason::EarlierStageFailed),
        // Nobody outside sees a private address, and its PTR name would be the local network's own.
        Some(address) if world.own_address().is_none() && !classify(address).is_public() => {
            Err(Reason::NotAsked)
        }
        Some(address) => pointer(world, address).await,
    };
    let confirmed = match (&ptr, address) {
        (Ok(name), Some(address)) => leads_back(world, name, address).await,
        (Err(reason), _) => Err(*reason),
        (Ok(_), None) => Err(Reason::EarlierStageFailed),
    };
    let chosen = match (world.ehlo_name(), &ptr, &confirmed) {
        (Some(name), _, _) | (None, Ok(name), Ok(true)) => Some(name.clone()),
        (None, _, _) if world.is_published() => None,
        (None, _, _) => system_host_name().await,
    };
    let ehlo_name = match (chosen, address) {
        (Some(name), _) => EhloName::from(name),
        (None, Some(address)) => EhloName::from(address),
        (None, None) => EhloName::from(IpAddr::V4(Ipv4Addr::LOCALHOST)),
    };
    let vantage = Vantage {
        address: observed(address.ok_or(Reason::EarlierStageFailed)),
        ptr: observed(ptr),
        forward_confirmed: observed(confirmed),
        ehlo_name: ehlo_name.as_str().to_owned(),
    };
    Found { vantage, ehlo_name }
}

fn observed<T>(result: Result<T, Reason>) -> Observation<T> {
    match result {
        Ok(value) => Observation::Observed(value),
        Err(reason) => Observation::NotObserved(reason),
    }
}

async fn pointer(world: &World, address: IpAddr) -> Result<DomainName, Reason> {
    let name = QueryName::parse(&reverse_name(address)).ok_or(Reason::EarlierStageFailed)?;
    let answer = world.resolve(&name, RecordType::Ptr).await;
    let names = answer.records().iter().filter_map(|record| match record {
        Record::Ptr(name) => DomainName::parse(name.as_str()).ok(),
        Record::Address(_)
        | Record::Cname(_)
        | Record::Mx(_)
        | Record::Ns(_)
        | Record::Soa(_)
        | Record::Tlsa(_)
        | Record::Txt(_) => None,
    });
    let missing = match answer.outcome {
        Outcome::Failed(Failure::TimedOut) => Reason::TimedOut,
        // A name that no host can have.
        Outcome::Failed(Failure::Malformed) | Outcome::Found(_) => Reason::Unintelligible,
        Outcome::Failed(_) | Outcome::NoData | Outcome::NoName => Reason::RefusedByPeer,
    };
    names.into_iter().next().ok_or(missing)
}

async fn leads_back(world: &World, name: &DomainName, address: IpAddr) -> Result<bool, Reason> {
    let record_type = match address {
        IpAddr::V4(_) => RecordType::A,
        IpAddr::V6(_) => RecordType::Aaaa,
    };
    let answer = world.resolve(&QueryName::from(name), record_type).await;
    Ok(answer.records().contains(&Record::Address(address)))
}

/// RFC 1035 §3.5, RFC 3596 §2.5.
fn reverse_name(address: IpAddr) -> String {
    match address {
        IpAddr::V4(v4) => {
            let [a, b, c, d] = v4.octets();
            format!("{d}.{c}.{b}.{a}.in-addr.arpa")
        }
        IpAddr::V6(v6) => {
            let nibbles = v6.octets().into_iter().rev().flat_map(|octet| [octet & 15, octet >> 4]);
            let digits = nibbles.filter_map(|nibble| char::from_digit(u32::from(nibble), 16));
            let labels: String = digits.flat_map(|digit| [digit, '.']).collect();
            format!("{labels}ip6.arpa")
        }
    }
}

/// The host name of the system, if it is fully qualified.
async fn system_host_name() -> Option<DomainName> {
    for file in ["/proc/sys/kernel/hostname", "/etc/hostname"] {
        if let Ok(text) = tokio::fs::read_to_string(file).await {
            let name = DomainName::parse(text.trim()).ok();
            return name.filter(|name| name.as_str().contains('.'));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reverse_names_are_those_of_the_standards() {
        for (address, expected) in [
            ("198.18.0.25", "25.0.18.198.in-addr.arpa"),
            (
                "2001:db8::567:89ab",
                "b.a.9.8.7.6.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa",
            ),
        ] {
            assert_eq!(reverse_name(address.parse().unwrap()), expected);
        }
    }
}
