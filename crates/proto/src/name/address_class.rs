//! Which addresses are public (RFC 6890 §2 and the IANA special-purpose registries it set up). It opens
//! no connection; the guard that refuses a target asks [`classify`] for the address it will connect
//! to. A change must keep every form that carries an IPv4 address judged by the address inside.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The block an address lies in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AddressClass {
    /// Benchmarking: 198.18.0.0/15, 2001:2::/48 (RFC 2544, RFC 5180).
    Benchmarking,
    /// 255.255.255.255 (RFC 919 §7).
    Broadcast,
    /// Carrier-grade NAT: 100.64.0.0/10 (RFC 6598).
    CarrierNat,
    /// Discard-only: 100::/64, 100:0:0:1::/64 (RFC 6666, RFC 9780).
    Discard,
    /// Documentation: 192.0.2.0/24, 198.51.100.0/24, 203.0.113.0/24, 2001:db8::/32, 3fff::/20
    /// (RFC 5737, RFC 3849, RFC 9637).
    Documentation,
    /// Link-local: 169.254.0.0/16, fe80::/10 (RFC 3927, RFC 4291 §2.5.6).
    LinkLocal,
    /// Loopback: 127.0.0.0/8, ::1 (RFC 1122 §3.2.1.3, RFC 4291 §2.5.3).
    Loopback,
    /// The metadata service of cloud machines: 169.254.169.254, fd00:ec2::254.
    Metadata,
    /// Multicast: 224.0.0.0/4, ff00::/8 (RFC 5771, RFC 4291 §2.7).
    Multicast,
    /// Private: 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, fc00::/7 (RFC 1918, RFC 4193).
    Private,
    /// Any address of none of these blocks.
    Public,
    /// Reserved or assigned to a protocol, not to hosts: 192.0.0.0/24, 192.88.99.0/24, 240.0.0.0/4,
    /// 2001::/23 beyond its own entries, 64:ff9b:1::/48, 5f00::/16, and IPv6 outside 2000::/3.
    Reserved,
    /// Site-local: fec0::/10 (RFC 3879).
    SiteLocal,
    /// Teredo: 2001::/32 (RFC 4380). A tunnel whose end cannot be judged.
    Teredo,
    /// "This network": 0.0.0.0/8, :: (RFC 1122 §3.2.1.3, RFC 4291 §2.5.2).
    Unspecified,
}

impl AddressClass {
    /// Whether a target in this block may be contacted without a private-network switch.
    pub const fn is_public(self) -> bool {
        matches!(self, Self::Public)
    }

    /// The stable word for this block.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Benchmarking => "benchmarking",
            Self::Broadcast => "broadcast",
            Self::CarrierNat => "carrier-nat",
            Self::Discard => "discard",
            Self::Documentation => "documentation",
            Self::LinkLocal => "link-local",
            Self::Loopback => "loopback",
            Self::Metadata => "metadata",
            Self::Multicast => "multicast",
            Self::Private => "private",
            Self::Public => "public",
            Self::Reserved => "reserved",
            Self::SiteLocal => "site-local",
            Self::Teredo => "teredo",
            Self::Unspecified => "unspecified",
        }
    }
}

/// The block of an address. IPv4-mapped, IPv4-compatible, 6to4 and NAT64 addresses get the class of the
/// IPv4 address they carry.
pub fn classify(address: IpAddr) -> AddressClass {
    match address {
        IpAddr::V4(v4) => classify_v4(v4),
        IpAddr::V6(v6) => classify_v6(v6),
    }
}

const fn classify_v4(address: Ipv4Addr) -> AddressClass {
    match address.octets() {
        [0, ..] => AddressClass::Unspecified,
        [127, ..] => AddressClass::Loopback,
        [10, ..] | [172, 16..=31, ..] | [192, 168, ..] => AddressClass::Private,
        [100, 64..=127, ..] => AddressClass::CarrierNat,
        [169, 254, 169, 254] => AddressClass::Metadata,
        [169, 254, ..] => AddressClass::LinkLocal,
        [192, 0, 2, _] | [198, 51, 100, _] | [203, 0, 113, _] => AddressClass::Documentation,
        [198, 18..=19, ..] => AddressClass::Benchmarking,
        [224..=239, ..] => AddressClass::Multicast,
        [255, 255, 255, 255] => AddressClass::Broadcast,
        [192, 0, 0, _] | [192, 88, 99, _] | [240..=255, ..] => AddressClass::Reserved,
        _ => AddressClass::Public,
    }
}

const fn classify_v6(address: Ipv6Addr) -> AddressClass {
    match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0] => AddressClass::Unspecified,
        [0, 0, 0, 0, 0, 0, 0, 1] => AddressClass::Loopback,
        // Compatible, mapped, and the NAT64 well-known prefix carry it in the last 32 bits.
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            classify_v4(embedded(high, low))
        }
        // 6to4 carries it behind the prefix (RFC 3056 §2).
        [0x2002, high, low, ..] => classify_v4(embedded(high, low)),
        [0x100, 0, 0, 0 | 1, ..] => AddressClass::Discard,
        [0x2001, 0, ..] => AddressClass::Teredo,
        [0x2001, 2, 0, ..] => AddressClass::Benchmarking,
        [0x2001, 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => AddressClass::Documentation,
        [0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254] => AddressClass::Metadata,
        [0xfc00..=0xfdff, ..] => AddressClass::Private,
        [0xfe80..=0xfebf, ..] => AddressClass::LinkLocal,
        [0xfec0..=0xfeff, ..] => AddressClass::SiteLocal,
        [0xff00..=0xffff, ..] => AddressClass::Multicast,
        [0x2001, 0..=0x1ff, ..] => AddressClass::Reserved,
        [0x2000..=0x3fff, ..] => AddressClass::Public,
        _ => AddressClass::Reserved,
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the upper and lower octet are meant")]
const fn embedded(high: u16, low: u16) -> Ipv4Addr {
    Ipv4Addr::new((high >> 8) as u8, high as u8, (low >> 8) as u8, low as u8)
}
