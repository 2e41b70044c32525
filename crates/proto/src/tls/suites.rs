//! Grading tables for what a server accepts (RFC 9325 §4, RFC 8996, RFC 10015; NCSC-NL TLS guidelines
//! 2025-05; Mozilla server side TLS 6.0, "intermediate"). A server is as good as the worst row it accepts, a
//! session as its own row. What becomes of a grade is decided in `check`. The ways in are the `rate_*`
//! functions.

use super::hello::NamedGroup;
use super::seen::{CipherSuite, TlsVersion};
use crate::x509::{KeyKind, KeySeen};

/// A level of NCSC-NL, worst first so that the minimum of several is the grade of all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Grade {
    /// Not to be used.
    Insufficient,
    /// Still tolerable, to be removed.
    PhaseOut,
    /// Fine, not future proof.
    Sufficient,
    /// Future proof.
    Good,
}

/// What the RFCs say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RfcLevel {
    /// MUST NOT.
    Prohibited,
    /// Allowed, but not recommended.
    NotRecommended,
    /// Nothing special.
    Allowed,
    /// Recommended or mandatory to implement.
    Recommended,
}

/// What the three tables say about one item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rating {
    /// NCSC-NL 2025-05; `None` where its table has no row.
    pub ncsc: Option<Grade>,
    /// Whether Mozilla intermediate 6.0 lists it.
    pub mozilla: bool,
    /// The RFCs.
    pub rfc: RfcLevel,
}

const fn rating(ncsc: Grade, mozilla: bool, rfc: RfcLevel) -> Rating {
    Rating { ncsc: Some(ncsc), mozilla, rfc }
}

const BAD: Rating = rating(Grade::Insufficient, false, RfcLevel::Prohibited);

impl Grade {
    /// As reports show it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Insufficient => "insufficient",
            Self::PhaseOut => "phase-out",
            Self::Sufficient => "sufficient",
            Self::Good => "good",
        }
    }
}

/// Rates a protocol version (RFC 8996, RFC 9325 §3.1).
pub const fn rate_version(version: TlsVersion) -> Rating {
    match version {
        TlsVersion::Ssl3 | TlsVersion::Tls10 | TlsVersion::Tls11 => BAD,
        TlsVersion::Tls12 => rating(Grade::Sufficient, true, RfcLevel::Recommended),
        TlsVersion::Tls13 => rating(Grade::Good, true, RfcLevel::Recommended),
    }
}

/// How the keys of a suite are agreed, and with it most of its grade.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyExchange {
    /// No certificate at all.
    Anonymous,
    /// Finite-field Diffie-Hellman with fresh keys.
    Dhe,
    /// Elliptic curves with fresh keys.
    Ecdhe,
    /// Negotiated apart from the suite (TLS 1.3).
    Separate,
    /// RSA encryption or long-lived Diffie-Hellman keys: no forward secrecy.
    Static,
    /// Shared secrets, passwords, Kerberos, or a suite without a name here.
    Unusual,
}

/// How the keys of this suite are agreed.
pub fn key_exchange(suite: CipherSuite) -> KeyExchange {
    if suite.0 >> 8 == 0x13 {
        return KeyExchange::Separate;
    }
    let name = suite.registered_name().unwrap_or_default();
    let unusual = ["PSK", "SRP", "KRB5", "ECCPWD"];
    if unusual.iter().any(|word| name.contains(word)) {
        KeyExchange::Unusual
    } else if name.contains("_anon_") {
        KeyExchange::Anonymous
    } else if name.starts_with("TLS_ECDHE_") {
        KeyExchange::Ecdhe
    } else if name.starts_with("TLS_DHE_") {
        KeyExchange::Dhe
    } else if ["TLS_RSA_", "TLS_DH_", "TLS_ECDH_"].iter().any(|start| name.starts_with(start)) {
        KeyExchange::Static
    } else {
        KeyExchange::Unusual
    }
}

/// Rates a cipher suite (RFC 9325 §4.1 and §4.2, RFC 10015 §3 and §4).
pub fn rate_suite(suite: CipherSuite) -> Rating {
    match suite.0 {
        0x1302 | 0x1303 => return rating(Grade::Good, true, RfcLevel::Recommended),
        0x1301 => return rating(Grade::Sufficient, true, RfcLevel::Recommended),
        0x1304 => return rating(Grade::Sufficient, false, RfcLevel::Allowed),
        0x1305 => return rating(Grade::Insufficient, false, RfcLevel::NotRecommended),
        _ => {}
    }
    let name = suite.registered_name().unwrap_or_default();
    match key_exchange(suite) {
        KeyExchange::Ecdhe if !is_broken(name) => rate_ecdhe(name),
        KeyExchange::Dhe if !is_broken(name) && !name.contains("_DSS_") => {
            // RFC 10015 §3: finite-field Diffie-Hellman must not be used in TLS 1.2.
            rating(Grade::PhaseOut, false, RfcLevel::Prohibited)
        }
        KeyExchange::Ecdhe if is_sha1_cbc(name) => {
            rating(Grade::Insufficient, false, RfcLevel::NotRecommended)
        }
        KeyExchange::Separate => Rating { ncsc: None, mozilla: false, rfc: RfcLevel::Allowed },
        KeyExchange::Anonymous
        | KeyExchange::Dhe
        | KeyExchange::Ecdhe
        | KeyExchange::Static
        | KeyExchange::Unusual => BAD,
    }
}

/// ECDHE suites whose cipher and MAC are not broken.
fn rate_ecdhe(name: &str) -> Rating {
    let aes_gcm = name.contains("_AES_") && name.contains("_GCM_");
    if aes_gcm {
        rating(Grade::Sufficient, true, RfcLevel::Recommended)
    } else if name.contains("CHACHA20") {
        rating(Grade::Sufficient, true, RfcLevel::Allowed)
    } else if name.contains("_CCM") {
        rating(Grade::Sufficient, false, RfcLevel::Allowed)
    } else {
        rating(Grade::PhaseOut, false, RfcLevel::NotRecommended)
    }
}

/// Ciphers and MACs that are insufficient whatever the key exchange.
fn is_broken(name: &str) -> bool {
    let words = ["NULL", "EXPORT", "RC4", "RC2", "DES", "IDEA", "SEED", "_CCM_8", "_MD5"];
    words.iter().any(|word| name.contains(word)) || name.ends_with("_SHA")
}

/// AES or CAMELLIA in CBC mode with a SHA-1 MAC: weak, not broken.
fn is_sha1_cbc(name: &str) -> bool {
    name.ends_with("_SHA") && (name.contains("_AES_") || name.contains("_CAMELLIA_"))
}

/// Rates a key exchange group in TLS 1.3 or with ECDHE (RFC 9325 §4.2, RFC 10024).
pub const fn rate_group(group: NamedGroup) -> Rating {
    match group.0 {
        23 | 24 | 29 => rating(Grade::Good, true, RfcLevel::Recommended),
        25..=28 | 30..=33 => rating(Grade::Good, false, RfcLevel::Allowed),
        21 => rating(Grade::PhaseOut, false, RfcLevel::NotRecommended),
        257..=260 => rating(Grade::PhaseOut, false, RfcLevel::Allowed),
        256 => rating(Grade::Insufficient, false, RfcLevel::Allowed),
        4588 => Rating { ncsc: None, mozilla: true, rfc: RfcLevel::Recommended },
        512..=514 | 4587 | 4589 => Rating { ncsc: None, mozilla: false, rfc: RfcLevel::Allowed },
        _ => BAD,
    }
}

/// Rates the size of a Diffie-Hellman group in TLS 1.2 or older, where the client only learns its prime
/// (RFC 9325 §4.1 and §4.5, RFC 10015 §3).
pub const fn rate_dh_bits(bits: u32) -> Rating {
    if bits < 3072 { BAD } else { rating(Grade::PhaseOut, false, RfcLevel::Prohibited) }
}

/// Rates the key of a server's certificate (RFC 9325 §4.5, CA/B Forum TLS BR §6.1.5).
pub fn rate_key(key: &KeySeen) -> Rating {
    match (key.kind, key.curve.as_deref()) {
        (KeyKind::Rsa, _) if key.bits >= 3072 => rating(Grade::Good, true, RfcLevel::Recommended),
        (KeyKind::Rsa, _) if key.bits >= 2048 => {
            rating(Grade::PhaseOut, true, RfcLevel::Recommended)
        }
        (KeyKind::Ec, Some("P-256" | "P-384")) => rating(Grade::Good, true, RfcLevel::Recommended),
        (KeyKind::Ec, Some("P-521")) | (KeyKind::Ed25519 | KeyKind::Ed448, _) => {
            rating(Grade::Good, false, RfcLevel::Allowed)
        }
        (KeyKind::Ec, Some("P-224")) => rating(Grade::PhaseOut, false, RfcLevel::NotRecommended),
        (KeyKind::Rsa | KeyKind::Ec | KeyKind::Dsa | KeyKind::Other, _) => BAD,
    }
}

/// Rates the hash of a handshake signature by its scheme number (RFC 9155, RFC 9846 §4.3.3).
pub const fn rate_signature_scheme(scheme: u16) -> Rating {
    let strong = rating(Grade::Sufficient, true, RfcLevel::Recommended);
    match scheme.to_be_bytes() {
        // Hash in the high octet up to TLS 1.2: MD5, SHA-1, SHA-224, then SHA-256 up.
        [1 | 2, 1..=3] => BAD,
        [3, 1..=3] => rating(Grade::PhaseOut, false, RfcLevel::NotRecommended),
        [4..=6, 1..=3] | [8, 4..=0x0b] => strong,
        _ => Rating { ncsc: None, mozilla: false, rfc: RfcLevel::Allowed },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suites_have_the_grades_of_the_table() {
        use Grade::{Good, Insufficient, PhaseOut, Sufficient};
        let table = [
            (0x1302, Good, true),
            (0x1303, Good, true),
            (0x1301, Sufficient, true),
            (0x1304, Sufficient, false),
            (0x1305, Insufficient, false),
            (0xc02b, Sufficient, true),
            (0xc030, Sufficient, true),
            (0xcca8, Sufficient, true),
            (0xc0ac, Sufficient, false),   // ECDHE_ECDSA AES_128_CCM
            (0xc0ae, Insufficient, false), // ... CCM_8
            (0xc027, PhaseOut, false),     // ECDHE CBC SHA-256
            (0xc028, PhaseOut, false),
            (0xc076, PhaseOut, false),     // CAMELLIA
            (0xc060, PhaseOut, false),     // ARIA GCM
            (0x009e, PhaseOut, false),     // DHE GCM
            (0x006b, PhaseOut, false),     // DHE CBC SHA-256
            (0x0033, Insufficient, false), // DHE CBC SHA-1
            (0x00a2, Insufficient, false), // DHE DSS
            (0xc013, Insufficient, false), // ECDHE CBC SHA-1
            (0xc012, Insufficient, false), // 3DES
            (0xc011, Insufficient, false), // RC4
            (0x009c, Insufficient, false), // static RSA
            (0x002f, Insufficient, false),
            (0xc031, Insufficient, false), // static ECDH
            (0x00a0, Insufficient, false), // static DH
            (0x006d, Insufficient, false), // anonymous
            (0xc010, Insufficient, false), // NULL
            (0x0003, Insufficient, false), // EXPORT
            (0xfefe, Insufficient, false), // unknown
        ];
        for (suite, grade, mozilla) in table {
            let suite = CipherSuite(suite);
            let rated = rate_suite(suite);
            assert_eq!((rated.ncsc, rated.mozilla), (Some(grade), mozilla), "{}", suite.name());
        }
    }

    #[test]
    fn versions_groups_and_keys_have_the_grades_of_the_table() {
        use Grade::{Good, Insufficient, PhaseOut, Sufficient};
        assert_eq!(rate_version(TlsVersion::Tls13).ncsc, Some(Good));
        assert_eq!(rate_version(TlsVersion::Tls12).ncsc, Some(Sufficient));
        assert_eq!(rate_version(TlsVersion::Tls11), BAD);
        let groups = [
            (29, Some(Good), true),
            (24, Some(Good), true),
            (25, Some(Good), false),
            (30, Some(Good), false),
            (26, Some(Good), false),
            (21, Some(PhaseOut), false),
            (257, Some(PhaseOut), false),
            (256, Some(Insufficient), false),
            (4588, None, true),
            (4589, None, false),
            (19, Some(Insufficient), false),
        ];
        for (group, grade, mozilla) in groups {
            let rated = rate_group(NamedGroup(group));
            assert_eq!((rated.ncsc, rated.mozilla), (grade, mozilla), "{group}");
        }
        let key = |kind, bits, curve: Option<&str>| {
            let curve = curve.map(str::to_owned);
            rate_key(&KeySeen { kind, bits, curve }).ncsc
        };
        assert_eq!(key(KeyKind::Rsa, 4096, None), Some(Good));
        assert_eq!(key(KeyKind::Rsa, 2048, None), Some(PhaseOut));
        assert_eq!(key(KeyKind::Rsa, 1024, None), Some(Insufficient));
        assert_eq!(key(KeyKind::Ec, 521, Some("P-521")), Some(Good));
        assert_eq!(key(KeyKind::Ec, 192, Some("P-192")), Some(Insufficient));
        assert_eq!(rate_dh_bits(2048).ncsc, Some(Insufficient));
        assert_eq!(rate_dh_bits(3072).ncsc, Some(PhaseOut));
        assert_eq!(rate_signature_scheme(0x0201), BAD);
        assert_eq!(rate_signature_scheme(0x0301).ncsc, Some(PhaseOut));
        assert_eq!(rate_signature_scheme(0x0804).ncsc, Some(Sufficient));
    }
}
