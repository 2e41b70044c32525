//! The master keys that secrets are sealed with: several by id, one of them current.
//!
//! A key's id is derived from the key (the first 8 octets of its SHA-256, in hexadecimal), so another key
//! never passes under the same id. The way in is [`MasterKeys::parse`]; the text has a version, and the
//! same text may come from a file, an environment variable or a command. Nothing here reads one of them.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

use crate::id::{NoRandomness, random};
use crate::limits::{KEY_FILE_OCTETS_MAX, KEYS_MAX};

/// Octets of one master key (RFC 8439 §2.8).
pub(crate) const KEY_OCTETS: usize = 32;
const KEY_ID_OCTETS: usize = 8;
const HEADER: &str = "waxseal-keys 1";

/// Names a master key without telling anything about it: 16 hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(String);

impl KeyId {
    /// Reads the 16 digits.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.bytes().all(|octet| matches!(octet, b'0'..=b'9' | b'a'..=b'f'));
        (digits && text.len() == 2 * KEY_ID_OCTETS).then(|| Self(text.to_owned()))
    }

    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn of(key: &[u8; KEY_OCTETS]) -> Self {
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, key);
        let mut text = String::with_capacity(2 * KEY_ID_OCTETS);
        for octet in digest.as_ref().iter().take(KEY_ID_OCTETS) {
            // Writing to a String cannot fail.
            let _ = write!(text, "{octet:02x}");
        }
        Self(text)
    }
}

impl std::fmt::Display for KeyId {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// The master keys. Their `Debug` shows ids only; their memory is wiped when dropped.
#[derive(Clone)]
pub struct MasterKeys {
    current: KeyId,
    keys: BTreeMap<KeyId, Zeroizing<[u8; KEY_OCTETS]>>,
}

impl std::fmt::Debug for MasterKeys {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "MasterKeys(current {}, {} in all)", self.current, self.keys.len())
    }
}

/// What is wrong with the text of the master keys. No variant holds a part of a key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeysError {
    /// Not the first line of a key text.
    #[error("the master keys must begin with the line '{HEADER}'")]
    Header,
    /// A newer program wrote it.
    #[error("the master keys have version '{found}', this program reads version 1")]
    Version {
        /// The version that stands there.
        found: String,
    },
    /// A line that is not `current ID KEY` or `older ID KEY`.
    #[error("line {line} of the master keys is not 'current ID KEY' or 'older ID KEY'")]
    Line {
        /// From 1.
        line: usize,
    },
    /// The id does not belong to the key.
    #[error("line {line} of the master keys: the key does not belong to the id {id}")]
    WrongId {
        /// From 1.
        line: usize,
        /// The id that stands there.
        id: KeyId,
    },
    /// Not exactly one current key.
    #[error("the master keys must have exactly one current key, there are {found}")]
    Current {
        /// How many there are.
        found: usize,
    },
    /// The same key twice.
    #[error("the master keys name key {id} twice")]
    Repeated {
        /// The key.
        id: KeyId,
    },
    /// Over the limit.
    #[error("the master keys are larger than {KEY_FILE_OCTETS_MAX} octets or {KEYS_MAX} keys")]
    TooLarge,
    /// The text is not UTF-8.
    #[error("the master keys are not text")]
    NotText,
    /// The current key cannot be taken away.
    #[error("key {id} is the current master key; rotate first")]
    IsCurrent {
        /// The key.
        id: KeyId,
    },
    /// There is no such key.
    #[error("there is no master key {id}")]
    Missing {
        /// The key.
        id: KeyId,
    },
    /// No key could be made.
    #[error(transparent)]
    Randomness(#[from] NoRandomness),
}

impl MasterKeys {
    /// One new random key.
    ///
    /// # Errors
    /// When the system gives no random numbers.
    pub fn generate() -> Result<Self, KeysError> {
        let key: Zeroizing<[u8; KEY_OCTETS]> = Zeroizing::new(random()?);
        let current = KeyId::of(&key);
        Ok(Self { keys: BTreeMap::from([(current.clone(), key)]), current })
    }

    /// Reads the text of a key file: the line `waxseal-keys 1`, then one line for each key. A semicolon
    /// separates lines too, for sources that hold a single line.
    ///
    /// # Errors
    /// [`KeysError`] naming the line.
    pub fn parse(text: &[u8]) -> Result<Self, KeysError> {
        if u64::try_from(text.len()).unwrap_or(u64::MAX) > KEY_FILE_OCTETS_MAX {
            return Err(KeysError::TooLarge);
        }
        let text = std::str::from_utf8(text).map_err(|_| KeysError::NotText)?;
        let mut lines = text.split(['\n', ';']).map(str::trim).enumerate();
        let header = lines.next().map(|(_, line)| line).unwrap_or_default();
        if header != HEADER {
            let version = header.strip_prefix("waxseal-keys ");
            return Err(version.map_or(KeysError::Header, |found| KeysError::Version {
                found: found.chars().filter(char::is_ascii_graphic).take(20).collect(),
            }));
        }
        let mut keys = BTreeMap::new();
        let mut current = Vec::new();
        for (at, line) in lines.filter(|(_, line)| !line.is_empty()) {
            let (role, id, key) = read_line(line, at + 1)?;
            if role == "current" {
                current.push(id.clone());
            }
            if keys.len() >= KEYS_MAX {
                return Err(KeysError::TooLarge);
            }
            if keys.insert(id.clone(), key).is_some() {
                return Err(KeysError::Repeated { id });
            }
        }
        let found = current.len();
        match current.pop() {
            Some(current) if found == 1 => Ok(Self { current, keys }),
            Some(_) | None => Err(KeysError::Current { found }),
        }
    }

    /// The text that [`MasterKeys::parse`] reads. It holds the keys: write it to a key file only.
    pub fn to_text(&self) -> Zeroizing<String> {
        // Room for everything at once, so that no copy is left behind by growing.
        let mut text =
            Zeroizing::new(String::with_capacity(HEADER.len() + 1 + 80 * self.keys.len()));
        text.push_str(HEADER);
        text.push('\n');
        for (id, key) in &self.keys {
            let role = if *id == self.current { "current" } else { "older" };
            let encoded = Zeroizing::new(URL_SAFE_NO_PAD.encode(key.as_slice()));
            for part in [role, " ", id.as_str(), " ", encoded.as_str(), "\n"] {
                text.push_str(part);
            }
        }
        text
    }

    /// The id of the key that seals.
    pub const fn current(&self) -> &KeyId {
        &self.current
    }

    /// The ids of all keys, sorted.
    pub fn ids(&self) -> impl Iterator<Item = &KeyId> {
        self.keys.keys()
    }

    /// Whether this key is among them.
    pub fn holds(&self, id: &KeyId) -> bool {
        self.keys.contains_key(id)
    }

    /// The same keys with a new random one as the current one.
    ///
    /// # Errors
    /// When there are too many already, or no randomness.
    pub fn with_new_current(&self) -> Result<Self, KeysError> {
        if self.keys.len() >= KEYS_MAX {
            return Err(KeysError::TooLarge);
        }
        let mut next = Self::generate()?;
        next.keys.extend(self.keys.clone());
        Ok(next)
    }

    /// The keys without an older one.
    ///
    /// # Errors
    /// When it is the current one, or not there.
    pub fn without(&self, id: &KeyId) -> Result<Self, KeysError> {
        if *id == self.current {
            return Err(KeysError::IsCurrent { id: id.clone() });
        }
        let mut rest = self.clone();
        rest.keys.remove(id).ok_or_else(|| KeysError::Missing { id: id.clone() })?;
        Ok(rest)
    }

    pub(crate) fn octets_of(&self, id: &KeyId) -> Option<&[u8; KEY_OCTETS]> {
        self.keys.get(id).map(|key| &**key)
    }

    /// The octets of the current key.
    ///
    /// # Panics
    /// Never: every constructor puts the current key among the keys.
    pub(crate) fn current_octets(&self) -> &[u8; KEY_OCTETS] {
        self.octets_of(&self.current).expect("the current key is among the keys")
    }
}

/// One line: its role, the id and the key.
fn read_line(
    line: &str,
    number: usize,
) -> Result<(&str, KeyId, Zeroizing<[u8; KEY_OCTETS]>), KeysError> {
    let bad = || KeysError::Line { line: number };
    let mut words = line.split_ascii_whitespace();
    let (Some(role @ ("current" | "older")), Some(id), Some(key), None) =
        (words.next(), words.next(), words.next(), words.next())
    else {
        return Err(bad());
    };
    let id = KeyId::parse(id).ok_or_else(bad)?;
    let decoded = Zeroizing::new(URL_SAFE_NO_PAD.decode(key).map_err(|_| bad())?);
    let octets: [u8; KEY_OCTETS] = decoded.as_slice().try_into().map_err(|_| bad())?;
    let key = Zeroizing::new(octets);
    if KeyId::of(&key) != id {
        return Err(KeysError::WrongId { line: number, id });
    }
    Ok((role, id, key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_of_keys_is_read_back() {
        let one = MasterKeys::generate().unwrap();
        let two = one.with_new_current().unwrap();
        assert_ne!(one.current(), two.current());
        let read = MasterKeys::parse(two.to_text().as_bytes()).unwrap();
        assert_eq!(read.current(), two.current());
        assert_eq!(read.octets_of(one.current()), Some(one.current_octets()));
        let on_one_line = two.to_text().replace('\n', ";");
        assert_eq!(MasterKeys::parse(on_one_line.as_bytes()).unwrap().current(), two.current());
        assert!(two.without(two.current()).is_err());
        let rest = two.without(one.current()).unwrap();
        assert!(!rest.holds(one.current()) && rest.holds(two.current()));
    }

    #[test]
    fn bad_texts_are_refused_without_showing_a_key() {
        let one = MasterKeys::generate().unwrap();
        let two = MasterKeys::generate().unwrap();
        let (text, other) = (one.to_text(), two.to_text());
        let line = |text: &str| text.lines().nth(1).unwrap().to_owned();
        let (first, second) = (line(&text), line(&other));
        let swapped = first.replace(one.current().as_str(), two.current().as_str());
        let cases = [
            (String::new(), "must begin with"),
            (text.replace("keys 1", "keys 2"), "version '2'"),
            (HEADER.to_owned(), "exactly one current key, there are 0"),
            (format!("{HEADER}\n{first}\n{second}\n"), "there are 2"),
            (format!("{HEADER}\n{first}\n{}\n", first.replace("current", "older")), "twice"),
            (format!("{HEADER}\n{first} x\n"), "line 2"),
            (format!("{HEADER}\n\n{}\n", first.replace("current", "next")), "line 3"),
            (format!("{HEADER}\n{swapped}\n"), "does not belong to the id"),
            ("x".repeat(70_000), "larger than"),
        ];
        let key = first.rsplit(' ').next().unwrap();
        for (text, expected) in cases {
            let error = MasterKeys::parse(text.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
            assert!(!error.contains(key), "{error}");
        }
        assert!(!format!("{one:?}").contains(key));
    }
}
