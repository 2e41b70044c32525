//! What our own handshakes offer (rules §5), to tell "nothing in common" from other refusals: the nine AEAD
//! suites and the groups of the TLS library. A change there is a change here.

use waxseal_proto::tls::hello::NamedGroup;
use waxseal_proto::tls::seen::CipherSuite;

/// The suites of the usual hello: TLS 1.3, then ECDHE with AEAD.
const SUITES: [u16; 9] = [0x1301, 0x1302, 0x1303, 0xc02b, 0xc02c, 0xcca9, 0xc02f, 0xc030, 0xcca8];
/// The groups of the usual hello: X25519MLKEM768, X25519, P-256, P-384.
const GROUPS: [u16; 4] = [0x11ec, 0x001d, 0x0017, 0x0018];

pub(crate) fn is_offered_suite(suite: CipherSuite) -> bool {
    SUITES.contains(&suite.0)
}

pub(crate) fn is_offered_group(group: NamedGroup) -> bool {
    GROUPS.contains(&group.0)
}
