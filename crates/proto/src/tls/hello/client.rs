//! Writes hand-made ClientHellos (RFC 9846 §4.2.1, RFC 5246 §7.4.1.2). They carry no key share, so that no
//! key is needed: a TLS 1.3 server answers with HelloRetryRequest, which already shows suite and group.
//! Randomness is an argument. The way in is [`ClientHello::for_plan`] or one of the narrower questions;
//! then [`ClientHello::to_record`].

use super::{HelloPlan, NamedGroup};
use crate::name::DomainName;
use crate::tls::seen::{CipherSuite, TlsVersion};

/// renegotiation_info as a suite number (RFC 5746 §3.3).
const RENEGOTIATION_SCSV: u16 = 0x00ff;

/// Octets of the header of a handshake message (RFC 9846 §4).
const HANDSHAKE_HEADER_OCTETS: usize = 4;

/// Lengths of a ClientHello that are padded to the end of this range (RFC 7685 §4).
const PADDED_OCTETS: std::ops::Range<usize> = 256..512;

/// The suites of an ordinary session of ours: TLS 1.3, then ECDHE with AEAD.
const USUAL_SUITES: [u16; 9] =
    [0x1302, 0x1301, 0x1303, 0xc02c, 0xc02b, 0xcca9, 0xc030, 0xc02f, 0xcca8];

/// Every suite up to TLS 1.2 that a mail server may choose, strong first: ECDHE, DHE, static ECDH and DH,
/// static RSA, anonymous, NULL, export. Without PSK, SRP and Kerberos, which need a shared secret.
const ANY_SUITES: [u16; 157] = [
    0xc02c, 0xc030, 0xc02b, 0xc02f, 0xcca9, 0xcca8, 0xc0af, 0xc0ad, 0xc0ae, 0xc0ac, 0xc05d, 0xc061,
    0xc05c, 0xc060, 0xc087, 0xc08b, 0xc086, 0xc08a, 0xc024, 0xc028, 0xc023, 0xc027, 0xc073, 0xc077,
    0xc072, 0xc076, 0xc049, 0xc04d, 0xc048, 0xc04c, 0x009f, 0x009e, 0xccaa, 0xc0a3, 0xc09f, 0xc0a2,
    0xc09e, 0xc053, 0xc052, 0xc07d, 0xc07c, 0x006b, 0x0067, 0x00c4, 0x00be, 0xc045, 0xc044, 0x00a3,
    0x00a2, 0xc057, 0xc056, 0x006a, 0x0040, 0xc00a, 0xc014, 0xc009, 0xc013, 0x0039, 0x0033, 0x0038,
    0x0032, 0x0088, 0x0045, 0x0087, 0x0044, 0x009a, 0x0099, 0xc02e, 0xc032, 0xc02d, 0xc031, 0xc026,
    0xc02a, 0xc025, 0xc029, 0xc005, 0xc00f, 0xc004, 0xc00e, 0x00a1, 0x00a0, 0x00a5, 0x00a4, 0x0069,
    0x003f, 0x0068, 0x003e, 0x0037, 0x0031, 0x0036, 0x0030, 0x009d, 0x009c, 0xc0a1, 0xc09d, 0xc0a0,
    0xc09c, 0xc051, 0xc050, 0xc07b, 0xc07a, 0x003d, 0x003c, 0x00c0, 0x00ba, 0xc03d, 0xc03c, 0x0035,
    0x002f, 0x0084, 0x0041, 0x0096, 0x0007, 0xc008, 0xc012, 0x0016, 0x0013, 0xc003, 0xc00d, 0x000d,
    0x0010, 0x000a, 0xc007, 0xc011, 0xc002, 0xc00c, 0x0005, 0x0004, 0x0015, 0x0012, 0x0009, 0x00a7,
    0x00a6, 0x006d, 0x006c, 0xc019, 0xc018, 0x003a, 0x0034, 0xc017, 0x001b, 0xc016, 0x0018, 0x001a,
    0xc006, 0xc010, 0x003b, 0x0002, 0x0014, 0x0008, 0x0006, 0x0003, 0x0001, 0x0011, 0x0017, 0x0019,
    0xc015,
];

/// The groups of an ordinary session of ours.
const USUAL_GROUPS: [u16; 4] = [0x11ec, 29, 23, 24];

/// Every group a mail server may choose, strong first.
const ANY_GROUPS: [u16; 32] = [
    0x11ec, 29, 23, 24, 0x11eb, 0x11ed, 30, 25, 31, 32, 33, 26, 27, 28, 257, 258, 259, 260, 256,
    22, 21, 20, 19, 18, 14, 13, 12, 11, 10, 9, 513, 514,
];

/// The signature schemes of an ordinary session of ours.
const USUAL_SCHEMES: [u16; 10] =
    [0x0403, 0x0503, 0x0603, 0x0807, 0x0806, 0x0805, 0x0804, 0x0601, 0x0501, 0x0401];

/// Every signature scheme a mail server may choose, SHA-1 and MD5 last.
const ANY_SCHEMES: [u16; 24] = [
    0x0403, 0x0503, 0x0603, 0x0807, 0x0808, 0x0804, 0x0805, 0x0806, 0x0809, 0x080a, 0x080b, 0x0401,
    0x0501, 0x0601, 0x0402, 0x0502, 0x0602, 0x0303, 0x0301, 0x0302, 0x0203, 0x0201, 0x0202, 0x0101,
];

/// The octets in a hello that must be random or unique (RFC 9846 §4.2.1); they protect nothing here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientRandom {
    /// `random`.
    pub random: [u8; 32],
    /// `legacy_session_id`, sent with TLS 1.3 only.
    pub session_id: [u8; 32],
}

/// A ClientHello, before it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientHello {
    /// The highest version offered.
    pub version_max: TlsVersion,
    /// The lowest version offered; matters with TLS 1.3 only, older ones have no way to say it.
    pub version_min: TlsVersion,
    /// Suites in order of preference.
    pub suites: Vec<CipherSuite>,
    /// Groups in order of preference.
    pub groups: Vec<NamedGroup>,
    /// Signature schemes in order of preference; sent from TLS 1.2 on.
    pub signature_schemes: Vec<u16>,
    /// DEFLATE is offered beside null compression (RFC 3749).
    pub compression: bool,
    /// TLS_FALLBACK_SCSV is sent (RFC 7507): "I came down from a higher version".
    pub fallback: bool,
}

impl ClientHello {
    /// The hello that asks this question.
    pub fn for_plan(plan: HelloPlan) -> Self {
        let usual = Self {
            version_max: TlsVersion::Tls13,
            version_min: TlsVersion::Tls12,
            suites: suites(&USUAL_SUITES),
            groups: groups(&USUAL_GROUPS),
            signature_schemes: USUAL_SCHEMES.to_vec(),
            compression: false,
            fallback: false,
        };
        match plan {
            HelloPlan::AnySuite => Self {
                version_max: TlsVersion::Tls12,
                suites: suites(&ANY_SUITES),
                groups: groups(&ANY_GROUPS),
                signature_schemes: ANY_SCHEMES.to_vec(),
                ..usual
            },
            HelloPlan::AnyGroup => Self { groups: groups(&ANY_GROUPS), ..usual },
            HelloPlan::AnySignature => Self {
                version_max: TlsVersion::Tls12,
                signature_schemes: ANY_SCHEMES.to_vec(),
                ..usual
            },
            HelloPlan::OldVersions => Self {
                version_max: TlsVersion::Tls11,
                version_min: TlsVersion::Ssl3,
                suites: suites(&ANY_SUITES),
                groups: groups(&ANY_GROUPS),
                ..usual
            },
            HelloPlan::Tls12Extensions => {
                Self { version_max: TlsVersion::Tls12, compression: true, ..usual }
            }
            HelloPlan::ImplicitTls => usual,
        }
    }

    /// A hello for exactly this version up to TLS 1.2, with every suite: is it spoken?
    pub fn only_version(version: TlsVersion) -> Self {
        let plan = match version {
            TlsVersion::Ssl3 | TlsVersion::Tls10 | TlsVersion::Tls11 => HelloPlan::OldVersions,
            TlsVersion::Tls12 => HelloPlan::AnySuite,
            TlsVersion::Tls13 => HelloPlan::AnyGroup,
        };
        Self { version_max: version, version_min: version, ..Self::for_plan(plan) }
    }

    /// A hello of TLS 1.2 with these suites only: is one of them taken?
    pub fn only_suites(suites: Vec<CipherSuite>) -> Self {
        Self { suites, ..Self::for_plan(HelloPlan::AnySuite) }
    }

    /// A hello of TLS 1.3 with this group only: is it taken?
    pub fn only_group(group: NamedGroup) -> Self {
        Self {
            version_min: TlsVersion::Tls13,
            groups: vec![group],
            ..Self::for_plan(HelloPlan::AnyGroup)
        }
    }

    /// The hello as one TLS record. The record version is 1.0 as every client sends it (RFC 9846 §5.1),
    /// SSL 3.0 where nothing newer is offered.
    pub fn to_record(&self, server_name: Option<&DomainName>, random: &ClientRandom) -> Vec<u8> {
        let version = self.version_max.to_wire().min(TlsVersion::Tls12.to_wire());
        let mut body = Vec::new();
        body.extend(version.to_be_bytes());
        body.extend(random.random);
        let session_id = if self.offers_13() { &random.session_id[..] } else { &[] };
        body.extend(prefixed_8(session_id));
        let scsv = (!self.offers_13() || self.version_min < TlsVersion::Tls13)
            .then_some(RENEGOTIATION_SCSV);
        let fallback = self.fallback.then_some(0x5600);
        let offered = |suite: &&CipherSuite| self.offers_13() || suite.0 >> 8 != 0x13;
        let numbers = self.suites.iter().filter(offered).map(|suite| suite.0);
        let numbers = numbers.chain(scsv).chain(fallback);
        body.extend(prefixed_16(&words(numbers)));
        body.extend(prefixed_8(if self.compression { &[1, 0] } else { &[0] }));
        // SSL 3.0 servers may choke on extensions (RFC 6101 §5.6.1.2 knows none).
        if self.version_max > TlsVersion::Ssl3 {
            let mut extensions = self.extensions(server_name);
            extensions.extend(padding(HANDSHAKE_HEADER_OCTETS + body.len() + 2 + extensions.len()));
            body.extend(prefixed_16(&extensions));
        }
        let mut handshake = vec![1];
        handshake.extend(body.len().to_be_bytes().iter().skip(size_of::<usize>() - 3));
        handshake.extend(body);
        let record_version = self.version_max.to_wire().min(TlsVersion::Tls10.to_wire());
        let mut record = vec![22];
        record.extend(record_version.to_be_bytes());
        record.extend(prefixed_16(&handshake));
        record
    }

    fn offers_13(&self) -> bool {
        self.version_max == TlsVersion::Tls13
    }

    fn extensions(&self, server_name: Option<&DomainName>) -> Vec<u8> {
        let mut extensions = Vec::new();
        let mut add = |number: u16, body: &[u8]| {
            extensions.extend(number.to_be_bytes());
            extensions.extend(prefixed_16(body));
        };
        if let Some(name) = server_name {
            // RFC 6066 §3: name_type host_name, then the name.
            let mut entry = vec![0];
            entry.extend(prefixed_16(name.as_str().as_bytes()));
            add(0, &prefixed_16(&entry));
        }
        if self.version_min < TlsVersion::Tls13 {
            // extended_master_secret (RFC 7627 §5.1), ec_point_formats (RFC 8422 §5.1.2).
            add(23, &[]);
            add(11, &[1, 0]);
        }
        add(10, &prefixed_16(&words(self.groups.iter().map(|group| group.0))));
        if self.version_max >= TlsVersion::Tls12 {
            add(13, &prefixed_16(&words(self.signature_schemes.iter().copied())));
        }
        if self.offers_13() {
            let versions = if self.version_min == TlsVersion::Tls13 {
                &[0x0304][..]
            } else {
                &[0x0304, 0x0303]
            };
            add(43, &prefixed_8(&words(versions.iter().copied())));
            // RFC 9846 §4.3.8: an empty key_share asks for a HelloRetryRequest.
            add(51, &[0, 0]);
        }
        extensions
    }
}

/// The padding extension where a message of `octets` octets would hang old load balancers, which take one
/// of 256 to 511 octets for SSL 2.0 (RFC 7685 §4).
fn padding(octets: usize) -> Vec<u8> {
    if !PADDED_OCTETS.contains(&octets) {
        return Vec::new();
    }
    let zeros = PADDED_OCTETS.end.saturating_sub(octets + 4);
    let mut extension = vec![0, 21];
    extension.extend(prefixed_16(&vec![0; zeros]));
    extension
}

fn suites(numbers: &[u16]) -> Vec<CipherSuite> {
    numbers.iter().copied().map(CipherSuite).collect()
}

fn groups(numbers: &[u16]) -> Vec<NamedGroup> {
    numbers.iter().copied().map(NamedGroup).collect()
}

fn words(numbers: impl Iterator<Item = u16>) -> Vec<u8> {
    numbers.flat_map(u16::to_be_bytes).collect()
}

/// The octets with a length of one octet before them.
fn prefixed_8(octets: &[u8]) -> Vec<u8> {
    let mut prefixed = vec![u8::try_from(octets.len()).unwrap_or(u8::MAX)];
    prefixed.extend(octets.iter().take(usize::from(u8::MAX)));
    prefixed
}

/// The octets with a length of two octets before them.
fn prefixed_16(octets: &[u8]) -> Vec<u8> {
    let mut prefixed = u16::try_from(octets.len()).unwrap_or(u16::MAX).to_be_bytes().to_vec();
    prefixed.extend(octets.iter().take(usize::from(u16::MAX)));
    prefixed
}
