//! One presented identifier against one reference name (RFC 9525 §6.3): labels are compared without
//! regard to ASCII case, and `*` may stand for exactly one label when it is the whole left-most one.
//! The strict verdict is rustls-webpki's; this is the same rule for diagnosis and for single questions.
//! The way in is [`match_dns`].

use crate::limits::{LABEL_OCTETS_MAX, NAME_OCTETS_MAX};

/// How one presented identifier relates to one reference name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NameMatch {
    /// The presented identifier stands for the reference name.
    pub matches: bool,
    /// The presented identifier is a well-formed DNS-ID (RFC 9525 §6.3, RFC 1034 §3.5; underscores are
    /// tolerated). A malformed identifier is ignored by clients.
    pub presented_valid: bool,
}

/// Labels a wildcard identifier must have at least, the wildcard included: `*.com` would cover a registry.
const WILDCARD_LABELS_MIN: usize = 3;

/// Compares the dNSName `presented` of a certificate with the host name `reference` looked for
/// (RFC 9525 §6.3). A trailing dot is allowed in the reference only. A reference out of a URI may be
/// percent-encoded (RFC 3986 §3.2.2) and is decoded first.
pub fn match_dns(presented: &str, reference: &str) -> NameMatch {
    let presented_valid = is_presented_valid(presented);
    let reference = percent_decoded(reference);
    let reference = reference.strip_suffix(b".").unwrap_or(&reference);
    let comparable = presented_valid || is_registered_name(presented);
    NameMatch {
        matches: comparable && labels_match(presented.as_bytes(), reference),
        presented_valid,
    }
}

/// Whether the labels are equal, the left-most one up to a wildcard.
fn labels_match(presented: &[u8], reference: &[u8]) -> bool {
    if reference.is_empty() || reference.contains(&b'*') {
        return false;
    }
    let Some(rest) = presented.strip_prefix(b"*.") else {
        return presented.eq_ignore_ascii_case(reference);
    };
    // RFC 9525 §6.3: the wildcard stands for one label, and that label is not empty.
    let mut parts = reference.splitn(2, |octet| *octet == b'.');
    match (parts.next(), parts.next()) {
        (Some(first), Some(others)) => !first.is_empty() && others.eq_ignore_ascii_case(rest),
        (Some(_) | None, None) | (None, Some(_)) => false,
    }
}

/// Whether `presented` is a DNS-ID that a client may use at all.
pub(super) fn is_presented_valid(presented: &str) -> bool {
    if presented.is_empty() || presented.len() > NAME_OCTETS_MAX {
        return false;
    }
    let rest = presented.strip_prefix("*.");
    let labels = presented.split('.').count();
    if rest.is_some() && labels < WILDCARD_LABELS_MIN {
        return false;
    }
    let name = rest.unwrap_or(presented);
    let last_numeric = name
        .rsplit('.')
        .next()
        .is_none_or(|label| label.bytes().all(|octet| octet.is_ascii_digit()));
    !last_numeric && name.split('.').all(is_label)
}

/// Letters, digits, hyphens and underscores, no hyphen at the ends.
fn is_label(label: &str) -> bool {
    !label.is_empty()
        && label.len() <= LABEL_OCTETS_MAX
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label
            .bytes()
            .all(|octet| octet.is_ascii_alphanumeric() || octet == b'-' || octet == b'_')
}

/// Whether `presented` could be the registered name of a URI (RFC 3986 §3.2.2, `&` is one of its
/// sub-delims) though no host name: it then equals only itself. Such an entry stays reported as malformed.
fn is_registered_name(presented: &str) -> bool {
    presented.contains('&') && presented.len() <= NAME_OCTETS_MAX && {
        presented.split('.').all(|label| {
            let plain: String = label.chars().filter(|char| *char != '&').collect();
            is_label(&plain)
        })
    }
}

/// The reference with `%XX` decoded; a `%` without two digits stays.
fn percent_decoded(reference: &str) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(reference.len());
    let mut rest = reference.as_bytes();
    while let Some((first, others)) = rest.split_first() {
        let octet = match (first, others) {
            (b'%', [high, low, ..]) => hex_value(*high).zip(hex_value(*low)),
            _ => None,
        };
        if let Some((high, low)) = octet {
            decoded.push(high << 4 | low);
            rest = others.get(2..).unwrap_or_default();
        } else {
            decoded.push(*first);
            rest = others;
        }
    }
    decoded
}

/// The value of one hexadecimal digit.
fn hex_value(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

/// Why a presented wildcard did not match although it looks as if it should.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WildcardMiss {
    /// The wildcard stands at another level than the reference needs.
    Depth,
    /// The wildcard stands where none may stand.
    Malformed,
}

/// Tells why `presented`, which holds a `*` and does not match, comes near to `reference`; `None` when it
/// is about another name altogether.
pub(super) fn wildcard_miss(presented: &str, reference: &str) -> Option<WildcardMiss> {
    let presented = presented.to_ascii_lowercase();
    let reference = reference.to_ascii_lowercase();
    let plain = |rest: &&str| !rest.contains('*') && !rest.is_empty();
    if let Some(rest) = presented.strip_prefix("*.").filter(plain) {
        if reference == rest {
            return Some(WildcardMiss::Depth);
        }
        let above = reference.strip_suffix(rest)?.strip_suffix('.')?;
        return Some(if above.contains('.') {
            WildcardMiss::Depth
        } else {
            WildcardMiss::Malformed
        });
    }
    (presented.contains('*') && glob(presented.as_bytes(), reference.as_bytes()))
        .then_some(WildcardMiss::Malformed)
}

/// Whether `pattern`, where `*` stands for any octets, covers `text`. Linear backtracking to the last star.
fn glob(pattern: &[u8], text: &[u8]) -> bool {
    let (mut at, mut from) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while let Some(octet) = text.get(from) {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at, from));
                at += 1;
            }
            Some(expected) if expected == octet => {
                at += 1;
                from += 1;
            }
            Some(_) | None => {
                let Some((star_at, star_from)) = star else {
                    return false;
                };
                star = Some((star_at, star_from + 1));
                at = star_at + 1;
                from = star_from + 1;
            }
        }
    }
    pattern.get(at..).is_some_and(|rest| rest.iter().all(|octet| *octet == b'*'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_misses_are_told_apart() {
        let table = [
            ("*.example.test", "a.b.example.test", Some(WildcardMiss::Depth)),
            ("*.example.test", "example.test", Some(WildcardMiss::Depth)),
            ("*.test", "mx.a.test", Some(WildcardMiss::Depth)),
            ("*.test", "mx.test", Some(WildcardMiss::Malformed)),
            ("mx*.example.test", "mx1.example.test", Some(WildcardMiss::Malformed)),
            ("a.*.test", "a.b.test", Some(WildcardMiss::Malformed)),
            ("*.*.test", "a.b.test", Some(WildcardMiss::Malformed)),
            ("*", "mx.example.test", Some(WildcardMiss::Malformed)),
            ("*.other.test", "mx.example.test", None),
            ("*.ample.test", "mx.example.test", None),
            ("mx*.other.test", "mx1.example.test", None),
        ];
        for (presented, reference, expected) in table {
            assert_eq!(wildcard_miss(presented, reference), expected, "{presented} {reference}");
        }
    }

    #[test]
    fn long_names_and_labels_are_malformed() {
        let label = "a".repeat(64);
        assert!(!match_dns(&format!("{label}.test"), "a.test").presented_valid);
        let name = vec!["a".repeat(60); 5].join(".");
        assert!(!match_dns(&name, &name).matches);
    }
}
