//! A report as a part of a page of the site: the same blocks as everywhere, with links to the guides, the
//! certificate chains, and seals for the verdicts. Like the other writers it judges nothing and escapes
//! everything foreign.

use super::document::{
    Block, blocks_without_commands, place_and_duration, shown_severity, shown_verdict,
};
use super::html::{block, head_of_table, list, prose, titled_list};
use crate::escape;
use jiff::Timestamp;
use std::fmt::Write as _;
use waxseal_check::report::wire::{
    AddressV1, CertificateEntryV1, CertificateV1, FindingV1, ReportV1, VerdictV1,
};

/// The report without its head line.
pub(crate) fn report(report: &ReportV1) -> String {
    let mut out = String::new();
    for part in blocks_without_commands(report) {
        match &part {
            Block::Finding(finding) => self::finding(&mut out, finding),
            Block::Heading(text) => heading(&mut out, text),
            Block::Verdicts(all) => verdicts(&mut out, all),
            Block::Matrix(_) => {
                block(&mut out, &part);
                certificates(&mut out, report);
            }
            Block::Items(_) | Block::Note(_) | Block::OwnerHeading(_) | Block::Table { .. } => {
                block(&mut out, &part);
            }
        }
    }
    out
}

/// The line above a report: when, from where, how long; HTML.
pub(crate) fn circumstances(report: &ReportV1) -> String {
    format!("checked {}{}", time(&report.checked_at), escape::html(&place_and_duration(report)))
}

/// A moment that a script shows in the viewer's zone; without one it is in UTC, and says so.
fn time(text: &str) -> String {
    match text.parse::<Timestamp>() {
        Ok(at) => {
            format!("<time datetime=\"{at}\">{}</time>", at.strftime("%Y-%m-%d %H:%M:%S UTC"))
        }
        Err(_) => escape::html(text),
    }
}

/// A heading with an anchor made of its words.
fn heading(out: &mut String, text: &str) {
    let anchor: String = text
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' })
        .collect();
    let _ = writeln!(out, "<h2 id=\"{anchor}\">{}</h2>", escape::html(text));
}

fn verdicts(out: &mut String, verdicts: &[(&'static str, VerdictV1, String)]) {
    out.push_str("<ul class=\"verdicts\">\n");
    for (name, verdict, reason) in verdicts {
        let class = match verdict {
            VerdictV1::Pass => "is-good",
            VerdictV1::Fail => "is-bad",
            VerdictV1::Warn => "is-weak",
            VerdictV1::Incomplete => "is-open",
            VerdictV1::NothingToTest | VerdictV1::NotChecked => "is-quiet",
        };
        let _ = writeln!(
            out,
            "<li class=\"{class}\">{}<div><h2>{}</h2><p class=\"word\">{}</p><p>{}</p></div></li>",
            seal(*verdict),
            escape::html(name),
            shown_verdict(*verdict),
            escape::html(reason)
        );
    }
    out.push_str("</ul>\n");
}

/// A seal whose shape alone tells the verdict: whole, cracked, broken, or an empty ring.
const fn seal(verdict: VerdictV1) -> &'static str {
    match verdict {
        VerdictV1::Pass => {
            "<svg class=\"seal\" viewBox=\"0 0 48 48\" aria-hidden=\"true\"><circle cx=\"24\" cy=\"24\" r=\"21\"/><path d=\"m15 25 6 6 12-14\"/></svg>"
        }
        VerdictV1::Fail => {
            "<svg class=\"seal\" viewBox=\"0 0 48 48\" aria-hidden=\"true\"><path class=\"wax\" d=\"M21 3.200A21 21 0 0 0 19 44.400l5-9-6-7 7-7-5-8Z\"/><path class=\"wax\" d=\"M27 3.200A21 21 0 0 1 27.500 44.700l4-8-6-8 7-7-6-9Z\"/></svg>"
        }
        VerdictV1::Warn => {
            "<svg class=\"seal\" viewBox=\"0 0 48 48\" aria-hidden=\"true\"><circle cx=\"24\" cy=\"24\" r=\"21\"/><path d=\"m27 4-5 12 6 6-7 8 4 5\"/></svg>"
        }
        VerdictV1::Incomplete => {
            "<svg class=\"seal\" viewBox=\"0 0 48 48\" aria-hidden=\"true\"><circle class=\"ring\" cx=\"24\" cy=\"24\" r=\"20\"/><path d=\"M18.500 19a5.500 5.500 0 1 1 8 5c-2 1-2.500 2-2.500 4m0 5v.5\"/></svg>"
        }
        VerdictV1::NothingToTest | VerdictV1::NotChecked => {
            "<svg class=\"seal\" viewBox=\"0 0 48 48\" aria-hidden=\"true\"><circle class=\"ring\" cx=\"24\" cy=\"24\" r=\"20\"/><path d=\"M17 24h14\"/></svg>"
        }
    }
}

fn finding(out: &mut String, finding: &FindingV1) {
    let severity = shown_severity(finding);
    let class = match severity {
        "FAIL" => "is-bad",
        "info" => "is-quiet",
        "NOT TESTED" => "is-open",
        _ => "is-weak",
    };
    let code = escape::html(&finding.code);
    let _ = writeln!(
        out,
        "<article class=\"finding {class}\">\n<h4><span class=\"stamp\">{severity}</span> {}</h4>",
        escape::html(&finding.title),
    );
    let _ = writeln!(
        out,
        "<p class=\"faint\">{} · <a href=\"{}\"><code>{code}</code></a></p>",
        escape::html(&finding.subject),
        escape::html(&finding.page),
    );
    for paragraph in finding.meaning.split("\n\n") {
        let _ = writeln!(out, "<p>{}</p>", prose(paragraph));
    }
    let plain = |item: &String| escape::html(item);
    let words = |item: &String| prose(item);
    titled_list(out, ("Seen", "ul"), finding.evidence.iter().map(plain));
    titled_list(out, ("Fix", "ol"), finding.fix.iter().map(words));
    titled_list(out, ("Never", "ul"), finding.never.iter().map(words));
    if let Some(also) = &finding.also {
        let _ = writeln!(out, "<p>Help is needed from: {}</p>", escape::html(also));
    }
    let sources: Vec<String> = finding.sources.iter().map(|text| escape::html(text)).collect();
    let _ = writeln!(
        out,
        "<p class=\"faint\"><a href=\"/guides/{}\">Guide: {}</a> · <a href=\"{}\">About {code}</a> · Sources: {}</p>\n</article>",
        escape::html(&finding.guide),
        escape::html(&finding.guide),
        escape::html(&finding.page),
        sources.join("; ")
    );
}

/// Every presented chain once, with the addresses that presented it.
fn certificates(out: &mut String, report: &ReportV1) {
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
    if chains.is_empty() {
        return;
    }
    heading(out, "Certificates");
    for (places, certificate) in chains {
        let word = if certificate.valid { "valid" } else { "not valid" };
        let class = if certificate.valid { "good" } else { "bad" };
        let open = if certificate.valid { "" } else { " open" };
        let _ = writeln!(
            out,
            "<details{open}><summary><strong class=\"{class}\">{word}</strong> {}</summary>",
            escape::html(&places.join(", "))
        );
        let detail = certificate.detail.iter().map(|text| escape::html(text));
        let errors = (!certificate.errors.is_empty())
            .then(|| format!("faults: {}", escape::html(&certificate.errors.join(", "))));
        let warnings = certificate.warnings.iter().map(|text| escape::html(text));
        let lines: Vec<String> = errors.into_iter().chain(detail).chain(warnings).collect();
        if !lines.is_empty() {
            list(out, "ul", lines.into_iter());
        }
        head_of_table(out, &["subject", "issuer", "valid", "names", "key", "SHA-256"]);
        for entry in &certificate.certificates {
            row(out, entry);
        }
        out.push_str("</tbody></table></div></details>\n");
    }
}

fn presented(address: &AddressV1) -> Option<&CertificateV1> {
    address.certificate.as_ref().filter(|chain| !chain.certificates.is_empty())
}

fn row(out: &mut String, entry: &CertificateEntryV1) {
    let names: Vec<&str> =
        entry.dns_names.iter().chain(&entry.ip_addresses).map(String::as_str).collect();
    let bits = entry.key.bits.map_or_else(String::new, |bits| format!(" {bits}"));
    let _ = writeln!(
        out,
        "<tr><th scope=\"row\">{}</th><td>{}</td><td>{} to {}</td><td>{}</td><td>{}{bits}, {}</td><td><code>{}</code></td></tr>",
        escape::html(&entry.subject),
        escape::html(&entry.issuer),
        time(&entry.not_before),
        time(&entry.not_after),
        escape::html(&names.join(", ")),
        escape::html(&entry.key.kind),
        escape::html(&entry.signature_algorithm),
        escape::html(&entry.sha256),
    );
}
