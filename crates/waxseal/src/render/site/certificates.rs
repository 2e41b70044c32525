//! Every presented chain once, with the addresses that presented it.

use super::super::html::list;
use super::time;
use crate::escape;
use std::fmt::Write as _;
use waxseal_check::report::wire::{AddressV1, CertificateEntryV1, CertificateV1, ReportV1};

/// The chains; nothing when none was presented.
pub(super) fn chains(report: &ReportV1) -> String {
    let mut chains: Vec<(Vec<String>, &CertificateV1)> = Vec::new();
    for host in &report.mx {
        for address in &host.addresses {
            let Some(certificate) = presented(address) else { continue };
            let place = format!("{} [{}]", host.host, address.address);
            match chains.iter_mut().find(|(_, other)| *other == certificate) {
                Some((places, _)) => places.push(place),
                None => chains.push((vec![place], certificate)),
            }
        }
    }
    let mut out = String::new();
    for (places, certificate) in chains {
        chain(&mut out, &places, certificate);
    }
    out
}

fn presented(address: &AddressV1) -> Option<&CertificateV1> {
    address.certificate.as_ref().filter(|chain| !chain.certificates.is_empty())
}

fn chain(out: &mut String, places: &[String], certificate: &CertificateV1) {
    let (word, class, open) =
        if certificate.valid { ("valid", "good", "") } else { ("not valid", "bad", " open") };
    let until = certificate.certificates.first().map(|leaf| time(&leaf.not_after));
    let _ = writeln!(
        out,
        "<details class=\"chain\"{open}><summary><strong class=\"{class}\">{word}</strong> {} <span class=\"faint\">until {}</span></summary>",
        escape::html(&places.join(", ")),
        until.unwrap_or_default()
    );
    let detail = certificate.detail.iter().map(|text| escape::html(text));
    let errors = (!certificate.errors.is_empty())
        .then(|| format!("faults: {}", escape::html(&certificate.errors.join(", "))));
    let warnings = certificate.warnings.iter().map(|text| escape::html(text));
    let lines: Vec<String> = errors.into_iter().chain(detail).chain(warnings).collect();
    if !lines.is_empty() {
        list(out, "ul", lines.into_iter());
    }
    out.push_str("<ol>\n");
    for entry in &certificate.certificates {
        self::entry(out, entry);
    }
    out.push_str("</ol></details>\n");
}

fn entry(out: &mut String, entry: &CertificateEntryV1) {
    let names: Vec<&str> =
        entry.dns_names.iter().chain(&entry.ip_addresses).map(String::as_str).collect();
    let bits = entry.key.bits.map_or_else(String::new, |bits| format!(" {bits}"));
    let _ = writeln!(
        out,
        "<li><strong>{}</strong>\n<dl class=\"facts\">",
        escape::html(&entry.subject)
    );
    let mut fact = |name: &str, value: String| {
        let _ = writeln!(out, "<div><dt>{name}</dt><dd>{value}</dd></div>");
    };
    if !names.is_empty() {
        fact("names", escape::html(&names.join(", ")));
    }
    fact("issued by", escape::html(&entry.issuer));
    fact("valid", format!("{} to {}", time(&entry.not_before), time(&entry.not_after)));
    let key = format!("{}{bits}, signed with {}", entry.key.kind, entry.signature_algorithm);
    fact("key", escape::html(&key));
    fact("SHA-256", format!("<code>{}</code>", escape::html(&entry.sha256)));
    out.push_str("</dl></li>\n");
}
