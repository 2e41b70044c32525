//! Rules for issuers (RFC 5280 §4, CA/B Forum TLS BR §7.1) that verifiers commonly let pass, and facts about
//! the presented chain as a whole. All of it is shown as warnings: refusing what every mail client accepts
//! would help nobody. What endangers a client is a fault and is decided in `judge`.

use std::net::IpAddr;

use jiff::Timestamp;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::{GeneralName, ParsedExtension, X509Extension};

use super::chain::Readable;
use super::fault::Warning;
use super::judge::ChainQuery;
use super::seen::{KeyKind, key_seen, parse};

/// Seconds of a day.
const DAY_SECONDS: i64 = 86_400;
/// A certificate with fewer days left than this is about to expire, where its lifetime is long enough.
const EXPIRY_WARNING_DAYS: i64 = 14;
/// Likewise with less than this part of its lifetime left.
const EXPIRY_WARNING_PART: i64 = 6;
/// Octets of a serial number (RFC 5280 §4.1.2.2).
const SERIAL_OCTETS_MAX: usize = 20;

/// Lifetimes public authorities may issue, in days, by the first second of issue (UTC) for which they hold
/// (CA/B Forum TLS BR 2.2.6 §6.3.2); the latest that has begun applies.
const LIFETIME_LIMITS_DAYS: [(i64, i64); 4] = [
    (i64::MIN, 398),
    (1_773_532_800, 200), // 2026-03-15
    (1_805_068_800, 100), // 2027-03-15
    (1_868_227_200, 47),  // 2029-03-15
];

macro_rules! profile_rules {
    ($($(#[$doc:meta])* $name:ident => $word:literal,)*) => {
        /// A rule for issuers.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum ProfileRule {
            $($(#[$doc])* $name,)*
        }

        impl ProfileRule {
            /// The broken rule as a kebab-case word.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $word,)*
                }
            }
        }
    };
}

profile_rules! {
    /// authorityInfoAccess cannot be read or is empty (RFC 5280 §4.2.2.1).
    AiaMalformed => "malformed-aia",
    /// authorityKeyIdentifier is critical (RFC 5280 §4.2.1.1).
    AkiCritical => "critical-aki",
    /// authorityKeyIdentifier is missing (RFC 5280 §4.2.1.1).
    AkiMissing => "missing-aki",
    /// authorityKeyIdentifier without keyIdentifier (RFC 5280 §4.2.1.1).
    AkiWithoutKeyIdentifier => "aki-without-key-identifier",
    /// basicConstraints of an authority is not critical (RFC 5280 §4.2.1.9).
    BasicConstraintsNotCritical => "noncritical-basic-constraints",
    /// The common name is no copy of a subject alternative name (BR §7.1.4.3).
    CommonNameNotInSan => "common-name-not-in-san",
    /// anyExtendedKeyUsage in a server certificate (BR §7.1.2.7.10).
    EkuAny => "any-eku",
    /// extKeyUsage of a server certificate is critical (BR §7.1.2.7.6).
    EkuCritical => "critical-eku",
    /// A server certificate without extKeyUsage (BR §7.1.2.7.6).
    EkuMissing => "missing-eku",
    /// Name constraints that constrain nothing or cannot be read (RFC 5280 §4.2.1.10).
    NameConstraintsEmpty => "empty-name-constraints",
    /// Name constraints outside of an authority's certificate (RFC 5280 §4.2.1.10).
    NameConstraintsInLeaf => "name-constraints-in-leaf",
    /// A dNSName constraint with a leading dot (RFC 5280 §4.2.1.10).
    NameConstraintsLeadingDot => "name-constraint-leading-dot",
    /// Name constraints are not critical (RFC 5280 §4.2.1.10).
    NameConstraintsNotCritical => "noncritical-name-constraints",
    /// An RSA modulus whose length in bits is no multiple of 8 (BR §6.1.5).
    RsaBitsUneven => "rsa-bits-not-divisible-by-8",
    /// A non-critical subject alternative name beside an empty subject (RFC 5280 §4.2.1.6).
    SanNotCritical => "noncritical-san-with-empty-subject",
    /// An underscore in a dNSName (RFC 5280 §4.2.1.6).
    SanUnderscore => "underscore-in-dns-name",
    /// A serial number over 20 octets (RFC 5280 §4.1.2.2).
    SerialTooLong => "serial-too-long",
    /// A serial number of zero (RFC 5280 §4.1.2.2).
    SerialZero => "serial-zero",
    /// subjectKeyIdentifier is critical (RFC 5280 §4.2.1.2).
    SkiCritical => "critical-ski",
    /// subjectKeyIdentifier of an authority is missing (RFC 5280 §4.2.1.2).
    SkiMissing => "missing-ski",
    /// A root has a critical extension that is not known (RFC 5280 §4.2).
    UnknownCriticalExtension => "unknown-critical-extension",
}

/// What the chain as a whole and the leaf's lifetime show.
pub(super) fn chain_warnings(
    query: &ChainQuery<'_>,
    certificates: &[Readable<'_>],
    warnings: &mut Vec<Warning>,
) {
    order_warnings(certificates, warnings);
    let Some(leaf) = certificates.first().map(|leaf| &leaf.seen) else {
        return;
    };
    warnings.extend(expiring_soon(leaf.not_before, leaf.not_after, query.now));
    warnings.extend(lifetime_too_long(leaf.not_before, leaf.not_after));
}

/// Duplicates, strangers and wrong order (RFC 5246 §7.4.2).
fn order_warnings(certificates: &[Readable<'_>], warnings: &mut Vec<Warning>) {
    let mut related: Vec<bool> = certificates.iter().map(|_| false).collect();
    let mut wanted: Vec<&[u8]> = Vec::new();
    if let (Some(first), Some(leaf)) = (related.first_mut(), certificates.first()) {
        *first = true;
        wanted.push(leaf.issuer());
    }
    while let Some(issuer) = wanted.pop() {
        for (readable, related) in certificates.iter().zip(related.iter_mut()) {
            if !*related && readable.subject() == issuer {
                *related = true;
                wanted.push(readable.issuer());
            }
        }
    }
    let mut before: Vec<&Readable<'_>> = Vec::new();
    let mut in_order = true;
    for (readable, related) in certificates.iter().zip(related) {
        let subject = readable.seen.subject.clone();
        if before.iter().any(|earlier| earlier.der == readable.der) {
            warnings.push(Warning::Duplicate { subject });
        } else if !related {
            warnings.push(Warning::Unrelated { subject });
        } else {
            in_order &=
                before.last().is_none_or(|previous| previous.issuer() == readable.subject());
            before.push(readable);
        }
    }
    if !in_order {
        warnings.push(Warning::ChainOrder);
    }
}

/// Under the smaller of 14 days and one sixth of the lifetime, and not yet expired.
fn expiring_soon(not_before: Timestamp, not_after: Timestamp, now: Timestamp) -> Option<Warning> {
    let left = not_after.as_second().saturating_sub(now.as_second());
    let lifetime = not_after.as_second().saturating_sub(not_before.as_second());
    let threshold = (EXPIRY_WARNING_DAYS * DAY_SECONDS).min(lifetime / EXPIRY_WARNING_PART);
    (now >= not_before && left >= 0 && left < threshold)
        .then_some(Warning::ExpiringSoon { not_after })
}

/// Longer than public authorities may issue; begun days count, the last second included (BR §1.6.1).
fn lifetime_too_long(not_before: Timestamp, not_after: Timestamp) -> Option<Warning> {
    let issued = not_before.as_second();
    let seconds = not_after.as_second().saturating_sub(issued).saturating_add(1);
    let days = seconds.saturating_add(DAY_SECONDS - 1).div_euclid(DAY_SECONDS);
    let limit = LIFETIME_LIMITS_DAYS
        .iter()
        .rev()
        .find(|(from, _)| issued >= *from)
        .map(|(_, limit)| *limit)?;
    (days > limit).then_some(Warning::LifetimeTooLong { days, limit })
}

/// Rules at one presented certificate of the path.
pub(super) fn certificate_warnings(certificate: &X509Certificate<'_>, warnings: &mut Vec<Warning>) {
    let mut rules = common_rules(certificate);
    if !certificate
        .extensions()
        .iter()
        .any(|one| matches!(one.parsed_extension(), ParsedExtension::AuthorityKeyIdentifier(_)))
        && certificate.is_ca()
    {
        rules.push(ProfileRule::AkiMissing);
    }
    if !certificate.is_ca() {
        rules.extend(leaf_rules(certificate));
    }
    push(certificate, rules, warnings);
}

/// Rules at the root, where its certificate is known.
pub(super) fn root_warnings(der: &[u8], warnings: &mut Vec<Warning>) {
    if let Ok(certificate) = parse(der) {
        let mut rules = common_rules(&certificate);
        let unknown = certificate
            .extensions()
            .iter()
            .any(|extension| extension.critical && extension.parsed_extension().unsupported());
        if unknown {
            rules.push(ProfileRule::UnknownCriticalExtension);
        }
        push(&certificate, rules, warnings);
    }
}

fn push(
    certificate: &X509Certificate<'_>,
    mut rules: Vec<ProfileRule>,
    warnings: &mut Vec<Warning>,
) {
    rules.sort_unstable();
    rules.dedup();
    let subject = certificate.subject().to_string();
    warnings
        .extend(rules.into_iter().map(|rule| Warning::Profile { rule, subject: subject.clone() }));
}

/// Rules for every certificate.
fn common_rules(certificate: &X509Certificate<'_>) -> Vec<ProfileRule> {
    let mut rules = Vec::new();
    let serial = certificate.raw_serial();
    if serial.iter().all(|octet| *octet == 0) {
        rules.push(ProfileRule::SerialZero);
    }
    if serial.len() > SERIAL_OCTETS_MAX {
        rules.push(ProfileRule::SerialTooLong);
    }
    let key = key_seen(certificate.public_key());
    if key.kind == KeyKind::Rsa && !key.bits.is_multiple_of(8) {
        rules.push(ProfileRule::RsaBitsUneven);
    }
    for extension in certificate.extensions() {
        rules.extend(extension_rules(extension, certificate.is_ca()));
    }
    let has_ski = certificate
        .extensions()
        .iter()
        .any(|one| matches!(one.parsed_extension(), ParsedExtension::SubjectKeyIdentifier(_)));
    if certificate.is_ca() && !has_ski {
        rules.push(ProfileRule::SkiMissing);
    }
    rules
}

/// Rules for one extension.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "extensions without a rule; the enum is the parser's"
)]
fn extension_rules(extension: &X509Extension<'_>, is_ca: bool) -> Vec<ProfileRule> {
    let mut rules = Vec::new();
    let mut check = |broken: bool, rule| {
        if broken {
            rules.push(rule);
        }
    };
    match extension.parsed_extension() {
        ParsedExtension::AuthorityKeyIdentifier(identifier) => {
            check(extension.critical, ProfileRule::AkiCritical);
            check(identifier.key_identifier.is_none(), ProfileRule::AkiWithoutKeyIdentifier);
        }
        ParsedExtension::SubjectKeyIdentifier(_) => {
            check(extension.critical, ProfileRule::SkiCritical);
        }
        ParsedExtension::BasicConstraints(constraints) => {
            check(constraints.ca && !extension.critical, ProfileRule::BasicConstraintsNotCritical);
        }

        ParsedExtension::NameConstraints(constraints) => {
            check(!extension.critical, ProfileRule::NameConstraintsNotCritical);
            check(!is_ca, ProfileRule::NameConstraintsInLeaf);
            let subtrees = || {
                [&constraints.permitted_subtrees, &constraints.excluded_subtrees]
                    .into_iter()
                    .flatten()
                    .flatten()
            };
            check(subtrees().count() == 0, ProfileRule::NameConstraintsEmpty);
            check(
                subtrees().any(|subtree| {
                    matches!(&subtree.base, GeneralName::DNSName(name) if name.starts_with('.'))
                }),
                ProfileRule::NameConstraintsLeadingDot,
            );
        }
        ParsedExtension::AuthorityInfoAccess(access) => {
            check(access.accessdescs.is_empty(), ProfileRule::AiaMalformed);
        }
        ParsedExtension::ParseError { .. } => match extension.oid.to_id_string().as_str() {
            "1.3.6.1.5.5.7.1.1" => check(true, ProfileRule::AiaMalformed),
            "2.5.29.30" => {
                check(!extension.critical, ProfileRule::NameConstraintsNotCritical);
                check(true, ProfileRule::NameConstraintsEmpty);
            }
            _ => {}
        },
        _ => {}
    }
    rules
}

/// Rules for a server's certificate.
fn leaf_rules(certificate: &X509Certificate<'_>) -> Vec<ProfileRule> {
    let mut rules = Vec::new();
    match certificate.extended_key_usage() {
        Ok(Some(usage)) => {
            if usage.value.any {
                rules.push(ProfileRule::EkuAny);
            }
            if usage.critical {
                rules.push(ProfileRule::EkuCritical);
            }
        }
        Ok(None) => rules.push(ProfileRule::EkuMissing),
        Err(_) => {}
    }
    let Ok(Some(names)) = certificate.subject_alternative_name() else {
        return rules;
    };
    if !names.critical && certificate.subject().iter().next().is_none() {
        rules.push(ProfileRule::SanNotCritical);
    }
    let dns_names: Vec<&str> = names.value.general_names.iter().filter_map(dns_name).collect();
    if dns_names.iter().any(|name| name.contains('_')) {
        rules.push(ProfileRule::SanUnderscore);
    }
    let addresses: Vec<String> = super::seen::describe(&[], certificate)
        .ip_addresses
        .iter()
        .map(IpAddr::to_string)
        .collect();
    let stray = certificate.subject().iter_common_name().any(|attribute| {
        attribute.as_str().is_ok_and(|name| {
            !dns_names.contains(&name) && !addresses.iter().any(|address| address == name)
        })
    });
    if stray {
        rules.push(ProfileRule::CommonNameNotInSan);
    }
    rules
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "other kinds of names; the enum is the parser's"
)]
fn dns_name<'a>(name: &GeneralName<'a>) -> Option<&'a str> {
    match name {
        GeneralName::DNSName(name) => Some(name),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn lifetime_limits_follow_the_issue_date() {
        let table = [
            ("2026-03-14T23:59:59Z", 398, None),
            ("2026-03-14T23:59:59Z", 399, Some((399, 398))),
            ("2026-03-15T00:00:00Z", 200, None),
            ("2026-03-15T00:00:00Z", 201, Some((201, 200))),
            ("2027-03-14T23:59:59Z", 200, None),
            ("2027-03-15T00:00:00Z", 100, None),
            ("2027-03-15T00:00:00Z", 101, Some((101, 100))),
            ("2029-03-15T00:00:00Z", 47, None),
            ("2029-03-15T00:00:00Z", 48, Some((48, 47))),
        ];
        for (issued, days, expected) in table {
            let from = at(issued);
            let until = Timestamp::from_second(from.as_second() + days * DAY_SECONDS - 1).unwrap();
            let expected = expected.map(|(days, limit)| Warning::LifetimeTooLong { days, limit });
            assert_eq!(lifetime_too_long(from, until), expected, "{issued} {days}");
        }
    }

    #[test]
    fn expiry_warning_is_the_smaller_of_fourteen_days_and_a_sixth() {
        let table = [
            ("2026-01-01T00:00:00Z", "2026-04-01T00:00:00Z", "2026-03-18T00:00:00Z", false),
            ("2026-01-01T00:00:00Z", "2026-04-01T00:00:00Z", "2026-03-18T00:00:01Z", true),
            ("2026-01-01T00:00:00Z", "2026-01-07T00:00:00Z", "2026-01-06T00:00:00Z", false),
            ("2026-01-01T00:00:00Z", "2026-01-07T00:00:00Z", "2026-01-06T00:00:01Z", true),
            ("2026-01-01T00:00:00Z", "2026-01-07T00:00:00Z", "2026-01-08T00:00:00Z", false),
        ];
        for (from, until, now, expected) in table {
            assert_eq!(expiring_soon(at(from), at(until), at(now)).is_some(), expected, "{now}");
        }
    }
}
