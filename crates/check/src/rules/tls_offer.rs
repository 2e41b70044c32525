//! What our own handshakes offer (rules §5), to tell "nothing in common" from other refusals: the nine AEAD
//! suites and the groups of the TLS library. A change there is a change here.

use waxseal_proto::tls::hello::NamedGroup;
use waxseal_proto::tls::seen::CipherSuite;

/// The suites of the usual hello: TLS 1.3, then ECDHE with AEAD.
const SUITES: [u16; 9] = [0x1301, 0x1302, 0x1303, 0xc02b, 0xc02c, 0xcca9, 0xc02f, 0xc030, 0xcca8];
/// The groups of the usual hello: X25519MLKEM768, X25519, P-256, P-384.
const GROUPS: [u16; 4] = [0x11ec, 0x001d, 0x0017, 0x0018];
/// Hybrid groups with ML-KEM (RFC 10024).
const HYBRIDS: [u16; 3] = [0x11eb, 0x11ec, 0x11ed];

pub(crate) fn is_offered_suite(suite: CipherSuite) -> bool {
    SUITES.contains(&suite.0)
}

pub(crate) fn is_offered_group(group: NamedGroup) -> bool {
    GROUPS.contains(&group.0)
}

pub(crate) fn is_hybrid(group: NamedGroup) -> bool {
    HYBRIDS.contains(&group.0)
}

/// Suites without any certificate: DH_anon and ECDH_anon (RFC 5246 §A.5, RFC 8422 §6).
pub(crate) const fn is_anonymous(suite: CipherSuite) -> bool {
    matches!(
        suite.0,
        0x0017..=0x001b | 0x0034 | 0x003a | 0x0046 | 0x006c | 0x006d | 0x0089 | 0x009b | 0x00a6
            | 0x00a7 | 0x00bf | 0x00c5 | 0xc015..=0xc019
    )
}
