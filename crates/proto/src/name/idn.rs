//! Internationalised names: conversion and safe display (RFC 5890 §2.3 and §4.4, RFC 5891 §4, UTS #46).
//! It checks no length and no ASCII grammar. The way in is [`super::DomainName`]. A change must never
//! drop a character on the way to the A-label: what UTS #46 would ignore is refused.

use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};

/// Where the first label starts that needs IDNA: one with a character outside ASCII, or an `xn--` one.
pub(super) fn first_international(name: &str) -> Option<usize> {
    let mut start = 0;
    for label in name.split('.') {
        if !label.is_ascii() || is_a_label(label) {
            return Some(start);
        }
        start += label.len() + 1;
    }
    None
}

/// Where a fault at `place` of the A-label form lies in `name`: in the same label, as many octets from its
/// start, but not behind its end.
pub(super) fn place_before(name: &str, ascii: &str, place: usize) -> usize {
    // UTS #46 §4: these are the dots that a conversion takes for one.
    let is_dot = |c: char| matches!(c, '.' | '\u{3002}' | '\u{ff0e}' | '\u{ff61}');
    let number = ascii.bytes().take(place).filter(|octet| *octet == b'.').count();
    let before: usize = ascii.split('.').take(number).map(|label| label.len() + 1).sum();
    let mut start = 0;
    for (at, label) in name.split_inclusive(is_dot).enumerate() {
        let bare = label.trim_end_matches(is_dot);
        if at == number {
            return start + place.saturating_sub(before).min(bare.len());
        }
        start += label.len();
    }
    name.len()
}

/// The A-label form, or `None` if there is none.
pub(super) fn to_ascii(name: &str) -> Option<String> {
    if name.chars().any(|c| !c.is_ascii() && is_ignored(c)) {
        return None;
    }
    // Hyphens in the third and fourth place are left to `double_hyphen`: plain ASCII labels such as
    // `r3---sn-x` exist in the DNS, and only a U-label must not have them (RFC 5891 §4.2.3.1).
    let ascii = Uts46::new()
        .to_ascii(name.as_bytes(), AsciiDenyList::STD3, Hyphens::CheckFirstLast, DnsLength::Ignore)
        .ok()?;
    let sound = ascii.split('.').all(|label| !is_a_label(label) || !double_hyphen(label));
    sound.then(|| ascii.into_owned())
}

/// The form for people; see [`super::DomainName::to_unicode`].
pub(super) fn to_display(name: &str) -> String {
    let (shown, outcome) = Uts46::new().to_user_interface(
        name.as_bytes(),
        AsciiDenyList::STD3,
        Hyphens::Allow,
        |label, top_level, _bidi| misleads_nobody(label, top_level),
    );
    if outcome.is_ok() { shown.into_owned() } else { name.to_owned() }
}

fn is_a_label(label: &str) -> bool {
    label.get(..4).is_some_and(|prefix| prefix.eq_ignore_ascii_case("xn--"))
}

/// Whether an A-label decodes to one with hyphens in the third and fourth place.
fn double_hyphen(label: &str) -> bool {
    let (decoded, _) =
        Uts46::new().to_unicode(label.as_bytes(), AsciiDenyList::STD3, Hyphens::Allow);
    let mut rest = decoded.chars().skip(2);
    rest.next() == Some('-') && rest.next() == Some('-')
}

/// Whether UTS #46 would map this character to nothing (soft hyphen, zero width space, …).
fn is_ignored(c: char) -> bool {
    let probe = format!("a{c}b");
    let (mapped, _) =
        Uts46::new().to_unicode(probe.as_bytes(), AsciiDenyList::STD3, Hyphens::Allow);
    mapped == "ab"
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Script {
    Cyrillic,
    Greek,
    Latin,
    Neutral,
    Other,
}

const fn script_of(c: char) -> Script {
    match c {
        '0'..='9' | '-' => Script::Neutral,
        'a'..='z' | 'A'..='Z' | '\u{c0}'..='\u{24f}' | '\u{1e00}'..='\u{1eff}' => Script::Latin,
        '\u{370}'..='\u{3ff}' | '\u{1f00}'..='\u{1fff}' => Script::Greek,
        '\u{400}'..='\u{52f}' | '\u{1c80}'..='\u{1c8f}' => Script::Cyrillic,
        _ => Script::Other,
    }
}

/// Cyrillic and Greek letters that many fonts draw exactly like a Latin letter.
const LATIN_TWINS: &str = "асԁеһіјӏорԛѕԝхуɡαεικνορτυχ";

fn misleads_nobody(label: &[char], top_level: &[char]) -> bool {
    let has = |script| label.iter().any(|&c| script_of(c) == script);
    let invisible = label.iter().any(|&c| !c.is_alphanumeric() && c != '-' && !is_mark(c));
    let mixed = [Script::Latin, Script::Greek, Script::Cyrillic]
        .into_iter()
        .filter(|&script| has(script))
        .count()
        > 1;
    let disguised = (has(Script::Cyrillic) || has(Script::Greek))
        && label.iter().all(|&c| script_of(c) == Script::Neutral || LATIN_TWINS.contains(c))
        && top_level.iter().all(char::is_ascii);
    !invisible && !mixed && !disguised
}

/// Combining marks that scripts need inside words. Zero width joiners are none: they cannot be seen.
const fn is_mark(c: char) -> bool {
    matches!(
        c,
        '\u{300}'..='\u{36f}' | '\u{591}'..='\u{5c7}' | '\u{610}'..='\u{6ed}' | '\u{900}'..='\u{1cff}'
            | '\u{3099}'..='\u{309a}' | '\u{b7}' | '\u{30fb}'
    )
}
