//! Whether the domains that SPF and DKIM spoke for belong to the From domain (identifier alignment, RFC
//! 9989 §4.4), as far as one message shows it. The organisational domain is taken from the Public Suffix List, not from
//! the DNS tree walk, since nothing is looked up here. The way in is [`AlignmentSeen::of`]. Keep: only
//! results of one field are joined, and no verdict is made of them.

use super::auth_results::{AuthResult, AuthResults};
use super::header::HeaderBlock;
use crate::name::DomainName;

/// How close two domains are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Alignment {
    /// Different organisational domains.
    NotAligned,
    /// The same organisational domain.
    Relaxed,
    /// The same domain.
    Strict,
}

/// Which mechanism spoke for a domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mechanism {
    /// DKIM: `header.d`, or the domain of `header.i`.
    Dkim,
    /// SPF: the domain of `smtp.mailfrom`, or `smtp.helo`.
    Spf,
}

/// One domain that a result speaks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The mechanism.
    pub mechanism: Mechanism,
    /// Its result in lower case.
    pub result: String,
    /// The domain.
    pub domain: DomainName,
    /// How close it is to the From domain; `None` when that is not known.
    pub alignment: Option<Alignment>,
}

/// The From domain and the domains of one field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlignmentSeen {
    /// The domain of the one author; `None` when the message has none, several, or an unreadable one.
    pub from_domain: Option<DomainName>,
    /// What the results speak for, in their order.
    pub identities: Vec<Identity>,
}

impl Alignment {
    /// The stable word, as reports show it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotAligned => "none",
            Self::Relaxed => "relaxed",
            Self::Strict => "strict",
        }
    }

    /// Compares two domains.
    pub fn between(from: &DomainName, other: &DomainName) -> Self {
        if from == other {
            return Self::Strict;
        }
        match (from.organizational(), other.organizational()) {
            (Some(ours), Some(theirs)) if ours == theirs => Self::Relaxed,
            (Some(_) | None, Some(_) | None) => Self::NotAligned,
        }
    }
}

impl Mechanism {
    /// The method word of the results.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Dkim => "dkim",
            Self::Spf => "spf",
        }
    }
}

impl AlignmentSeen {
    /// Compares the domains of one field with the From domain of the message.
    pub fn of(block: &HeaderBlock, results: &AuthResults) -> Self {
        let from_domain = from_domain(block);
        let identities = results.results.iter().filter_map(|result| {
            let (mechanism, domain) = identity(result)?;
            let alignment = from_domain.as_ref().map(|from| Alignment::between(from, &domain));
            Some(Identity { mechanism, result: result.result.clone(), domain, alignment })
        });
        let identities = identities.collect();
        Self { from_domain, identities }
    }

    /// The closest alignment among results of a mechanism that passed.
    pub fn passed(&self, mechanism: Mechanism) -> Option<Alignment> {
        let passed = |one: &&Identity| one.mechanism == mechanism && one.result == "pass";
        self.identities.iter().filter(passed).filter_map(|one| one.alignment).max()
    }
}

/// The domain of the author (RFC 5322 §3.6.2), where there is exactly one field with one domain.
pub fn from_domain(block: &HeaderBlock) -> Option<DomainName> {
    let mut fields = block.named("From");
    let value = fields.next()?.value();
    if fields.next().is_some() {
        return None;
    }
    let mut domains: Vec<DomainName> = Vec::new();
    for mailbox in mailboxes(&value) {
        let domain = mailbox.rsplit_once('@').map(|(_, domain)| domain.trim())?;
        let domain = DomainName::parse(domain).ok()?;
        if !domains.contains(&domain) {
            domains.push(domain);
        }
    }
    match domains.as_slice() {
        [domain] => Some(domain.clone()),
        _ => None,
    }
}

/// The addresses of a list, without display names, comments and quoted strings.
fn mailboxes(value: &str) -> Vec<String> {
    let (mut found, mut current, mut angle) = (Vec::new(), String::new(), None::<String>);
    let (mut quoted, mut depth) = (false, 0_usize);
    let mut chars = value.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' if quoted || depth > 0 => {
                chars.next();
            }
            '"' if depth == 0 => quoted = !quoted,
            _ if quoted => {}
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ if depth > 0 => {}
            '<' => current.clear(),
            '>' => angle = Some(std::mem::take(&mut current)),
            ',' => {
                found.push(angle.take().unwrap_or_else(|| current.clone()));
                current.clear();
            }
            c => current.push(c),
        }
    }
    found.push(angle.unwrap_or(current));
    found.retain(|one| !one.trim().is_empty());
    found
}

/// The mechanism and domain of one result.
fn identity(result: &AuthResult) -> Option<(Mechanism, DomainName)> {
    let (mechanism, keys) = match result.method.as_str() {
        "dkim" => (Mechanism::Dkim, ["header.d", "header.i"]),
        "spf" => (Mechanism::Spf, ["smtp.mailfrom", "smtp.helo"]),
        _ => return None,
    };
    let value = keys.iter().find_map(|key| result.property(key))?;
    let domain = value.rsplit_once('@').map_or(value, |(_, domain)| domain);
    // Microsoft writes `header.d=none` for a message without a signature.
    let domain = DomainName::parse(domain.trim_end_matches('>')).ok()?;
    domain.as_str().contains('.').then_some((mechanism, domain))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_author_is_found() {
        let table = [
            ("a@example.com", "example.com"),
            ("\"x@evil.test, <y@evil.test>\" (z@evil.test) <a@Example.COM>", "example.com"),
            ("=?utf-8?Q?a=40b?= <a@mail.example.com>", "mail.example.com"),
            ("a@example.com, b@example.com", "example.com"),
            ("a@example.com, b@example.net", "-"),
            ("nobody", "-"),
            ("", "-"),
        ];
        for (value, expected) in table {
            let block = HeaderBlock::parse(format!("From: {value}\r\n").as_bytes());
            let found = from_domain(&block).map(|domain| domain.to_string());
            assert_eq!(found.as_deref().unwrap_or("-"), expected, "{value}");
        }
        let twice = HeaderBlock::parse(b"From: a@example.com\r\nFrom: b@example.com\r\n");
        assert_eq!(from_domain(&twice), None);
    }

    #[test]
    fn domains_are_compared() {
        let table = [
            ("example.com", "example.com", Alignment::Strict),
            ("example.com", "bounce.example.com", Alignment::Relaxed),
            ("news.example.co.uk", "mail.example.co.uk", Alignment::Relaxed),
            ("a.co.uk", "b.co.uk", Alignment::NotAligned),
            ("example.com", "example.com.evil.test", Alignment::NotAligned),
            ("a.github.io", "b.github.io", Alignment::NotAligned),
        ];
        for (from, other, expected) in table {
            let name = |text| DomainName::parse(text).unwrap();
            assert_eq!(Alignment::between(&name(from), &name(other)), expected, "{from} {other}");
        }
    }

    #[test]
    fn only_passed_results_align() {
        let block = HeaderBlock::parse(b"From: x <a@example.com>\r\n");
        let results = AuthResults::parse(
            "mx.test; spf=pass smtp.mailfrom=b@bounce.example.com; dkim=fail header.d=example.com; \
             dkim=pass header.i=@esp.test; dkim=none header.d=none",
        );
        let seen = AlignmentSeen::of(&block, &results);
        assert_eq!(seen.identities.len(), 3);
        assert_eq!(seen.passed(Mechanism::Spf), Some(Alignment::Relaxed));
        assert_eq!(seen.passed(Mechanism::Dkim), Some(Alignment::NotAligned));
    }
}
