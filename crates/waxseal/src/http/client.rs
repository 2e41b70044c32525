//! Who a visitor is, for budgets: the address of the connection, or the one that a named reverse proxy
//! reports. IPv6 visitors count by their /64, because one subscriber has at least that many addresses
//! (RFC 6177 §2). Nothing is kept beyond the budgets.

use axum::http::HeaderMap;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

const FORWARDED_FOR: &str = "x-forwarded-for";

/// The other end of a connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(pub(crate) SocketAddr);

/// Whom a budget counts: an IPv4 address, or the first 64 bits of an IPv6 address.
pub(crate) fn client(peer: Peer, headers: &HeaderMap, proxies: &[IpAddr]) -> IpAddr {
    let direct = peer.0.ip().to_canonical();
    if !proxies.contains(&direct) {
        return network(direct);
    }
    // Each proxy appends what it saw: the last entry that is no proxy of ours is the visitor.
    let reported = headers
        .get_all(FORWARDED_FOR)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|part| part.trim().parse::<IpAddr>().map(|address| address.to_canonical()))
        .rfind(|part| part.as_ref().map_or(true, |address| !proxies.contains(address)));
    match reported {
        Some(Ok(address)) => network(address),
        Some(Err(_)) | None => network(direct),
    }
}

fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn only_a_named_proxy_is_believed() {
        let proxy: IpAddr = "192.0.2.1".parse().unwrap();
        let table = [
            ("192.0.2.9:1", "", "192.0.2.9"),
            ("192.0.2.9:1", "198.51.100.7", "192.0.2.9"),
            ("192.0.2.1:1", "198.51.100.7", "198.51.100.7"),
            ("192.0.2.1:1", "10.0.0.1, 198.51.100.7", "198.51.100.7"),
            ("192.0.2.1:1", "198.51.100.7, 192.0.2.1", "198.51.100.7"),
            ("192.0.2.1:1", "198.51.100.7, nonsense", "192.0.2.1"),
            ("192.0.2.1:1", "", "192.0.2.1"),
            ("[::ffff:192.0.2.1]:1", "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
            ("[2001:db8:9:8:7::1]:1", "", "2001:db8:9:8::"),
        ];
        for (peer, forwarded, expected) in table {
            let mut headers = HeaderMap::new();
            if !forwarded.is_empty() {
                headers.insert(FORWARDED_FOR, HeaderValue::from_str(forwarded).unwrap());
            }
            let found = client(Peer(peer.parse().unwrap()), &headers, &[proxy]);
            assert_eq!(found.to_string(), expected, "{peer} {forwarded}");
        }
    }
}
