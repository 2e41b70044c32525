//! Which addresses may be connected to (RFC 6890). The guard judges the very socket address that the
//! connection then goes to, after resolution, so that no name can lead to a private network. It opens
//! nothing. The way in is [`Guard::admits`]; a change must keep it inside [`crate::dial`], the only place
//! that opens connections.

use std::net::IpAddr;
use waxseal_proto::name::{AddressClass, classify};

/// What is let through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guard {
    /// Private networks and loopback too (`--allow-private`); never a metadata service or an address
    /// that is no single host.
    PrivateToo,
    /// Public addresses only.
    PublicOnly,
    /// As public only, with 198.18.0.0/15 and 2001:db8::/32 counting as public: the ranges a simulated
    /// world publishes.
    Simulated,
}

impl Guard {
    /// Whether this address may be connected to.
    pub fn admits(self, address: IpAddr) -> bool {
        let class = classify(address);
        match self {
            Self::PrivateToo => is_a_host(class),
            Self::PublicOnly => class.is_public(),
            Self::Simulated => class.is_public() || is_published(address),
        }
    }
}

/// Whether a port named by foreign data (a report address, a certificate) may be connected to: those of the
/// web, and those no system service listens on. Nobody's certificate sends this machine to another's SSH.
pub const fn is_web_port(port: u16) -> bool {
    matches!(port, 80 | 443 | 1024..)
}

const fn is_a_host(class: AddressClass) -> bool {
    match class {
        AddressClass::Broadcast
        | AddressClass::Metadata
        | AddressClass::Multicast
        | AddressClass::Unspecified => false,
        AddressClass::Benchmarking
        | AddressClass::CarrierNat
        | AddressClass::Discard
        | AddressClass::Documentation
        | AddressClass::LinkLocal
        | AddressClass::Loopback
        | AddressClass::Private
        | AddressClass::Public
        | AddressClass::Reserved
        | AddressClass::SiteLocal
        | AddressClass::Teredo => true,
    }
}

const fn is_published(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let [first, second, ..] = v4.octets();
            first == 198 && (second == 18 || second == 19)
        }
        IpAddr::V6(v6) => {
            let [first, second, ..] = v6.segments();
            first == 0x2001 && second == 0x0db8
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Address, admitted by: public only, private too, simulated.
    const CASES: &[(&str, bool, bool, bool)] = &[
        ("8.8.8.8", true, true, true),
        ("2606:4700::1", true, true, true),
        ("127.0.0.1", false, true, false),
        ("10.1.2.3", false, true, false),
        ("172.31.0.1", false, true, false),
        ("192.168.1.1", false, true, false),
        ("169.254.169.254", false, false, false),
        ("100.64.0.1", false, true, false),
        ("0.0.0.0", false, false, false),
        ("224.0.0.1", false, false, false),
        ("255.255.255.255", false, false, false),
        ("198.18.0.10", false, true, true),
        ("198.19.255.255", false, true, true),
        ("203.0.113.1", false, true, false),
        ("::1", false, true, false),
        ("::", false, false, false),
        ("fe80::1", false, true, false),
        ("fd00::1", false, true, false),
        ("2001:db8::25", false, true, true),
        // Forms that carry an IPv4 address: mapped, compatible, NAT64, 6to4.
        ("::ffff:127.0.0.1", false, true, false),
        ("::ffff:169.254.169.254", false, false, false),
        ("::ffff:8.8.8.8", true, true, true),
        ("::10.0.0.1", false, true, false),
        ("64:ff9b::10.0.0.1", false, true, false),
        ("64:ff9b::808:808", true, true, true),
        ("2002:7f00:1::1", false, true, false),
        ("2002:0a01:0203::1", false, true, false),
    ];

    #[test]
    fn foreign_data_names_no_port_of_a_system_service() {
        for (port, allowed) in [
            (80, true),
            (443, true),
            (8443, true),
            (0, false),
            (22, false),
            (25, false),
            (1023, false),
        ] {
            assert_eq!(is_web_port(port), allowed, "{port}");
        }
    }

    #[test]
    fn every_form_of_a_special_address_is_judged_by_what_it_leads_to() {
        for (address, public, private, simulated) in CASES {
            let address: IpAddr = address.parse().unwrap();
            assert_eq!(Guard::PublicOnly.admits(address), *public, "public only {address}");
            assert_eq!(Guard::PrivateToo.admits(address), *private, "private too {address}");
            assert_eq!(Guard::Simulated.admits(address), *simulated, "simulated {address}");
        }
    }
}
