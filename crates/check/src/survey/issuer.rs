//! Where a missing issuer's certificate can be had: the caIssuers addresses of the leaf (RFC 5280 §4.2.2.1),
//! as far as they are plain `http:` with a host name. Nothing is fetched here.

use waxseal_proto::name::DomainName;
use waxseal_proto::x509::{ChainVerdict, Fault, Issuing};

/// The parts of an `http:` address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct IssuerAddress {
    pub(crate) host: DomainName,
    pub(crate) port: u16,
    pub(crate) path: String,
}

/// The addresses a chain names for the issuer it lacks, until one was proven.
pub(crate) fn missing_issuers(chain: &ChainVerdict) -> Vec<IssuerAddress> {
    chain
        .faults
        .iter()
        .flat_map(|fault| {
            if let Fault::MissingIntermediate { aia, issuing: Issuing::Announced, .. } = fault {
                aia.as_slice()
            } else {
                &[]
            }
        })
        .filter_map(|url| parse(url))
        .collect()
}

fn parse(url: &str) -> Option<IssuerAddress> {
    let rest = url.strip_prefix("http://")?;
    let (authority, path) = match rest.find('/') {
        Some(slash) => rest.split_at_checked(slash)?,
        None => (rest, "/"),
    };
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) => (host, port.parse().ok()?),
        None => (authority, 80),
    };
    let printable = path.bytes().all(|octet| octet.is_ascii_graphic());
    let host = DomainName::parse(host).ok().filter(|_| printable && port != 0)?;
    Some(IssuerAddress { host, port, path: path.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(url: &str, expected: Option<(&str, u16, &str)>) {
        let parts = parse(url);
        let parts = parts.as_ref().map(|p| (p.host.as_str(), p.port, p.path.as_str()));
        assert_eq!(parts, expected, "{url}");
    }

    #[test]
    fn only_plain_http_with_a_host_name() {
        check("http://ca.example/r3.der", Some(("ca.example", 80, "/r3.der")));
        check("http://ca.example:8080", Some(("ca.example", 8080, "/")));
        check("https://ca.example/r3.der", None);
        check("http://ca.example:0/x", None);
        check("http://ca.example:99999/x", None);
        check("http://ca.example/a b", None);
        check("http://ca.example/a\r\nHost: other", None);
        check("ldap://ca.example/cn=x", None);
    }
}
