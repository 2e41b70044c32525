//! What a `Received` line says about TLS (no standard gives it a place; RFC 5321 §4.4 allows comments and
//! `Additional-Registered-Clauses`): version, cipher suite and key bits in the forms of the servers in
//! use. The way in is [`TlsNote::read`]. Keep: a name in a certificate or a host name is never taken for a
//! version or a suite, and a version is only given where the line names one.

use super::lexer::Piece;

/// A protocol version that a line names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the variants are the version names")]
pub enum TlsVersionNoted {
    Ssl3,
    Tls10,
    Tls11,
    Tls12,
    Tls13,
}

/// What one line says about TLS.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsNote {
    /// The version named.
    pub version: Option<TlsVersionNoted>,
    /// The line says `TLSv1/SSLv3`: old OpenSSL's name for a family of suites, printed for TLS 1.1 and
    /// 1.2 sessions too. The version given is the lowest of the family.
    pub version_is_family: bool,
    /// The suite as written.
    pub cipher: Option<String>,
    /// Secret bits of the symmetric key in use.
    pub bits: Option<u16>,
    /// The line says in other words that TLS was used.
    pub stated: bool,
}

impl TlsVersionNoted {
    /// The version as reports show it: `1.0` to `1.3`, `ssl3`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ssl3 => "ssl3",
            Self::Tls10 => "1.0",
            Self::Tls11 => "1.1",
            Self::Tls12 => "1.2",
            Self::Tls13 => "1.3",
        }
    }

    /// The version in one word: `TLSv1.3`, `TLS1_2`, `TLS-1.0`, `TLS1`, `SSLv3`; and whether it is the
    /// family name `TLSv1/SSLv3`.
    fn of_word(word: &str) -> Option<(Self, bool)> {
        let (first, second) = word.split_once('/').map_or((word, None), |(a, b)| (a, Some(b)));
        let upper = first.to_ascii_uppercase();
        if let Some(rest) = upper.strip_prefix("SSL") {
            let rest = rest.trim_start_matches(['V', '-', '_']);
            return matches!(rest, "3" | "3.0" | "3_0").then_some((Self::Ssl3, false));
        }
        let rest = upper.strip_prefix("TLS")?.trim_start_matches(['V', '-', '_', ' ']);
        let is_family = second.is_some_and(|name| name.to_ascii_uppercase().starts_with("SSL"));
        Some((Self::of_number(rest)?, is_family))
    }

    fn of_number(text: &str) -> Option<Self> {
        match text.trim_start_matches(['v', 'V']) {
            "1" | "1.0" | "1_0" | "10" => Some(Self::Tls10),
            "1.1" | "1_1" | "11" => Some(Self::Tls11),
            "1.2" | "1_2" | "12" => Some(Self::Tls12),
            "1.3" | "1_3" | "13" => Some(Self::Tls13),
            _ => None,
        }
    }
}

/// Comments that hold names of certificates and addresses, not facts of the session.
const NAME_COMMENTS: [&str; 4] = ["client cn", "client did not", "envelope", "no client cert"];

/// Key sizes below this are octets in old Exim lines, not bits.
const BITS_MIN: u16 = 40;

impl TlsNote {
    /// Reads the whole line; `with_words` are the words of the `with` clause.
    pub(super) fn read(pieces: &[Piece<'_>], with_words: &[&str]) -> Self {
        let mut note = Self::default();
        note.read_words(with_words);
        note.read_phrases(pieces);
        for piece in pieces {
            if let Piece::Comment(text) = piece {
                note.read_comment(text);
            }
        }
        note
    }

    /// Whether anything says that TLS was used.
    pub const fn says_tls(&self) -> bool {
        self.stated || self.version.is_some() || self.cipher.is_some()
    }

    /// The words of the `with` clause: `ESMTP/TLS/SUITE`, `ESMTP with STARTTLS`, `esmtps (…) tls SUITE`.
    fn read_words(&mut self, words: &[&str]) {
        for (index, word) in words.iter().enumerate() {
            let atoms: Vec<&str> = word.split('/').collect();
            for atom in &atoms {
                self.take_version(atom);
                if is_suite(atom) {
                    self.take_cipher(atom);
                }
                let last = word.trim_matches(['[', ']', ',']);
                let named =
                    last.eq_ignore_ascii_case("tls") || last.eq_ignore_ascii_case("starttls");
                let parted = atoms.len() > 1 && atom.eq_ignore_ascii_case("tls");
                self.stated |= (named && index > 0) || parted;
            }
        }
    }

    /// What stands outside comments and clauses: `SUITE encrypted SMTP`, `over TLS secured channel`.
    fn read_phrases(&mut self, pieces: &[Piece<'_>]) {
        let words: Vec<&str> = pieces
            .iter()
            .filter_map(|piece| match piece {
                Piece::Word(word, _) => Some(*word),
                Piece::Comment(_) | Piece::Semicolon(_) => None,
            })
            .collect();
        for pair in words.windows(2) {
            let [first, second] = pair else { continue };
            if second.eq_ignore_ascii_case("encrypted") && is_suite(first) {
                self.take_cipher(first);
            }
            let secured = second.eq_ignore_ascii_case("secured");
            self.stated |= secured && first.eq_ignore_ascii_case("tls");
        }
    }

    fn read_comment(&mut self, text: &str) {
        let trimmed = text.trim();
        let lower = trimmed.to_ascii_lowercase();
        if NAME_COMMENTS.iter().any(|start| lower.starts_with(start)) {
            return;
        }
        // Microsoft: `(TLS)` with no details; Google: its own transport between its own machines.
        self.stated |= lower == "tls" || lower == "google transport security";
        let unquoted = without_quoted(trimmed);
        let split = |c: char| c.is_ascii_whitespace() || matches!(c, ',' | ';' | ':' | '(' | ')');
        let atoms: Vec<&str> = unquoted.split(split).filter(|atom| !atom.is_empty()).collect();
        let mut previous = "";
        for (index, atom) in atoms.iter().enumerate() {
            if is_suite(previous) && atom.bytes().all(|octet| octet.is_ascii_digit()) {
                self.take_bits(atom);
            }
            self.read_atom(atom, atoms.get(index + 1).copied().unwrap_or_default());
            previous = atom;
        }
    }

    fn read_atom(&mut self, atom: &str, next: &str) {
        if let Some((key, value)) = atom.split_once('=') {
            let key = key.to_ascii_lowercase();
            match key.as_str() {
                "version" | "tls_version" | "tlsversion" | "tls" | "ver" => {
                    self.take_version(value);
                }
                "cipher" | "tls_cipher" | "ciphersuite" | "suite" => self.take_cipher(value),
                "bits" => self.take_bits(value),
                _ => {}
            }
            return;
        }
        self.take_version(atom);
        if atom.eq_ignore_ascii_case("tls") {
            if let Some(version) = TlsVersionNoted::of_number(next).filter(|_| next.contains('.')) {
                self.version.get_or_insert(version);
            }
        } else if atom.eq_ignore_ascii_case("cipher") {
            self.take_cipher(next);
        } else if is_suite(atom) {
            self.take_cipher(atom);
        } else if next.eq_ignore_ascii_case("bits") {
            self.take_bits(atom);
        } else if let Some(number) = atom.strip_suffix("bits") {
            self.take_bits(number);
        }
    }

    fn take_version(&mut self, word: &str) {
        let Some((version, is_family)) = TlsVersionNoted::of_word(word) else { return };
        if self.version.is_none() {
            self.version = Some(version);
            self.version_is_family = is_family;
        }
    }

    /// Takes a suite that was named as one; words that stand for none are left out.
    fn take_cipher(&mut self, word: &str) {
        let word = word.trim_matches(['"', '\'', '[', ']', '<', '>']);
        let none = ["", "none", "other", "unknown", "null", "(none)", "?"];
        let plain = |octet: u8| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_');
        if none.iter().any(|one| word.eq_ignore_ascii_case(one)) || !word.bytes().all(plain) {
            return;
        }
        if self.cipher.is_none() {
            self.cipher = Some(word.to_owned());
        }
    }

    /// `256` or `128/256`: the bits in use come first.
    fn take_bits(&mut self, word: &str) {
        let first = word.split('/').next().unwrap_or_default();
        if let Some(bits) = first.parse().ok().filter(|bits| *bits >= BITS_MIN) {
            self.bits.get_or_insert(bits);
        }
    }
}

/// Whether a word is the name of a suite: a bulk cipher and a mode or digest among parts between hyphens
/// or underscores.
fn is_suite(word: &str) -> bool {
    if !word.contains(['-', '_']) || word.contains('.') {
        return false;
    }
    let upper = word.to_ascii_uppercase();
    let has = |parts: &[&str]| upper.split(['-', '_']).any(|part| parts.contains(&part));
    let bulk = [
        "3DES",
        "AES",
        "AES128",
        "AES256",
        "AESGCM",
        "ARCFOUR",
        "ARIA",
        "ARIA128",
        "ARIA256",
        "CAMELLIA",
        "CAMELLIA128",
        "CAMELLIA256",
        "CHACHA20",
        "DES",
        "IDEA",
        "RC2",
        "RC4",
        "SEED",
    ];
    let rest =
        ["CBC", "CBC3", "CCM", "CCM8", "GCM", "MD5", "POLY1305", "SHA", "SHA1", "SHA256", "SHA384"];
    has(&bulk)
        && has(&rest)
        && upper.bytes().all(|o| o.is_ascii_alphanumeric() || b"-_".contains(&o))
}

/// A text without what stands between double quotes: subjects and issuers of certificates.
fn without_quoted(text: &str) -> String {
    text.split('"').step_by(2).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suites_are_told_from_other_words() {
        let suites = [
            "ECDHE-RSA-AES256-GCM-SHA384",
            "TLS_AES_128_GCM_SHA256",
            "TLS13_CHACHA20_POLY1305_SHA256",
            "AES128-SHA",
            "RC4-MD5",
            "DES-CBC3-SHA",
            "RSA_ARCFOUR_MD5",
            "DHE_RSA_3DES_EDE_CBC_SHA",
            "ECDHE_X25519__RSA_PSS_RSAE_SHA256__AES_256_GCM",
            "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384_P384",
        ];
        for word in suites {
            assert!(is_suite(word), "{word}");
        }
        for word in
            ["SHA256", "RSA-PSS", "aes-gcm.example.com", "mail-qt0-f197", "AES", "des-moines"]
        {
            assert!(!is_suite(word), "{word}");
        }
    }

    #[test]
    fn versions_are_read() {
        let table = [
            ("TLSv1.3", Some(("1.3", false))),
            ("TLSv1_3", Some(("1.3", false))),
            ("TLS1_2", Some(("1.2", false))),
            ("tls1.1", Some(("1.1", false))),
            ("TLS-1.0", Some(("1.0", false))),
            ("TLSv1", Some(("1.0", false))),
            ("TLS1", Some(("1.0", false))),
            ("TLSv1/SSLv3", Some(("1.0", true))),
            ("SSLv3", Some(("ssl3", false))),
            ("SSLv2", None),
            ("TLSv1.9", None),
            ("TLS", None),
            ("STARTTLS1", None),
        ];
        for (word, expected) in table {
            let found = TlsVersionNoted::of_word(word).map(|(v, family)| (v.as_str(), family));
            assert_eq!(found, expected, "{word}");
        }
    }
}
