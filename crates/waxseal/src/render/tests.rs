//! What people and programs read, snapshotted for fixed reports, a hostile one among them.

use super::*;
use std::collections::BTreeMap;
use waxseal_check::report::wire::{
    AddressV1, AreaVerdictV1, CertificateEntryV1, CertificateV1, FindingV1, HostV1, KeyV1,
    MtaStsV1, NameServerV1, NotCheckedV1, PolicyRowV1, PortStateV1, SCHEMA, TlsRptV1, TlsV1,
    VantageV1, VerdictV1,
};

const HOSTILE: &str = "\u{1b}[2J\u{1b}]0;own\u{7}\u{9b}31m\u{202e}<script>alert(1)</script>\
    <img src=x onerror=y>|`[a](javascript:b)`\"'&";

fn texts(list: &[&str]) -> Vec<String> {
    list.iter().map(ToString::to_string).collect()
}

fn area(verdict: VerdictV1, reason: &str) -> AreaVerdictV1 {
    AreaVerdictV1 { verdict, reason: reason.to_owned() }
}

/// A report of a domain without mail host.
fn no_mail() -> ReportV1 {
    ReportV1 {
        schema: SCHEMA.to_owned(),
        simulated: false,
        target: "quiet.example".to_owned(),
        port: 25,
        checked_at: "2026-01-02T03:04:05Z".to_owned(),
        took_ms: 1234,
        vantage: VantageV1 {
            address: Some("192.0.2.9".to_owned()),
            ptr: None,
            ehlo_name: Some("probe.example.net".to_owned()),
            port_25: PortStateV1::Unknown,
        },
        verdict: VerdictV1::NothingToTest,
        proves: Vec::new(),
        does_not_prove: texts(&["that the mail is wanted"]),
        transport: area(VerdictV1::NothingToTest, "the domain has no mail host"),
        sender_trust: area(VerdictV1::NotChecked, "not part of this check yet"),
        reputation: area(VerdictV1::NotChecked, "not part of this check yet"),
        mx_status: "none".to_owned(),
        mx: Vec::new(),
        name_servers: vec![NameServerV1 {
            host: "ns1.example.net".to_owned(),
            address: Some("192.0.2.53".to_owned()),
            answer: "no-data".to_owned(),
            mx: Vec::new(),
            serial: Some(7),
            ttl_s: Some(300),
        }],
        mta_sts: None,
        tls_rpt: None,
        dnssec: Some("insecure".to_owned()),
        spf: None,
        dkim: None,
        dmarc: None,
        ptr: None,
        policy_table: Vec::new(),
        not_checked: vec![NotCheckedV1 { what: "dane".to_owned(), why: "not yet".to_owned() }],
        findings: vec![finding("dns-no-mail-records", "fail", "dns:recipient", "quiet.example")],
    }
}

fn finding(code: &str, severity: &str, owner: &str, subject: &str) -> FindingV1 {
    FindingV1 {
        code: code.to_owned(),
        severity: severity.to_owned(),
        owner: owner.to_owned(),
        also: None,
        subject: subject.to_owned(),
        title: format!("Title of {code}"),
        meaning: "First paragraph with `code` in it.\n\nSecond paragraph.".to_owned(),
        evidence: texts(&["seen: this"]),
        fix: texts(&["Do this.", "Then set `_smtp._tls`."]),
        never: texts(&["Do that."]),
        guide: "tls#certificate".to_owned(),
        page: format!("/guides/findings/{code}"),
        sources: texts(&["RFC 3207 §4"]),
        not_tested: false,
    }
}

fn certificate(valid: bool) -> CertificateV1 {
    CertificateV1 {
        valid,
        errors: if valid { Vec::new() } else { texts(&["expired", "name-mismatch"]) },
        error: (!valid).then(|| "expired".to_owned()),
        detail: (!valid).then(|| "the certificate expired at 2025-12-31T00:00:00Z".to_owned()),
        name_match: Some(valid),
        path: texts(&["CN=mx1.busy.example", "CN=Root"]),
        warnings: Vec::new(),
        certificates: vec![CertificateEntryV1 {
            subject: "CN=mx1.busy.example".to_owned(),
            issuer: "CN=Root".to_owned(),
            not_before: "2025-10-01T00:00:00Z".to_owned(),
            not_after: "2025-12-31T00:00:00Z".to_owned(),
            dns_names: texts(&["mx1.busy.example"]),
            ip_addresses: Vec::new(),
            key: KeyV1 { kind: "ec".to_owned(), bits: Some(256) },
            signature_algorithm: "ecdsa-with-SHA256".to_owned(),
            sha256: "00".repeat(32),
            spki_sha256: "11".repeat(32),
        }],
    }
}

fn address(address: &str, outcome: &str, stages: &[(&str, f64)]) -> AddressV1 {
    AddressV1 {
        address: address.to_owned(),
        outcome: outcome.to_owned(),
        reply: Some("454 4.7.0 TLS not available".to_owned()),
        greeting: Some("220 mx1.busy.example ESMTP".to_owned()),
        timings_ms: stages.iter().map(|(stage, ms)| ((*stage).to_owned(), *ms)).collect(),
        extensions: BTreeMap::from([("STARTTLS".to_owned(), String::new())]),
        tls: None,
        certificate: None,
        transcript: texts(&["S: 220 mx1.busy.example ESMTP", "C: EHLO probe.example.net"]),
    }
}

const ALL_STAGES: [(&str, f64); 7] = [
    ("connect", 1.25),
    ("greeting", 12.0),
    ("ehlo", 3.0),
    ("starttls", 2.0),
    ("handshake", 25.4),
    ("ehlo_after_tls", 2.0),
    ("quit", 1.0),
];

fn mta_sts() -> MtaStsV1 {
    MtaStsV1 {
        answer: Some("found".to_owned()),
        records: texts(&["v=STSv1; id=1"]),
        id: Some("1".to_owned()),
        fetch: Some("ok".to_owned()),
        mode: Some("enforce".to_owned()),
        mx: texts(&["mx1.busy.example"]),
        max_age: Some(86_400),
        valid: true,
        errors: Vec::new(),
    }
}

fn tls_rpt() -> TlsRptV1 {
    TlsRptV1 {
        answer: Some("found".to_owned()),
        records: texts(&["v=TLSRPTv1; rua=mailto:tls@busy.example"]),
        rua: texts(&["mailto:tls@busy.example"]),
        valid: true,
        errors: Vec::new(),
    }
}

/// A report with everything in it.
fn busy() -> ReportV1 {
    let tls = |valid| AddressV1 {
        tls: Some(TlsV1 {
            version: Some("1.3".to_owned()),
            cipher: Some("TLS_AES_256_GCM_SHA384".to_owned()),
            group: Some("X25519MLKEM768".to_owned()),
            error: None,
            accepted: None,
        }),
        certificate: Some(certificate(valid)),
        ..address("192.0.2.1", "starttls-ok", &ALL_STAGES)
    };
    let host = |name: &str, preference, addresses, listed| HostV1 {
        host: name.to_owned(),
        preference,
        addresses,
        mta_sts_match: listed,
        dane: None,
    };
    let not_tested = FindingV1 {
        not_tested: true,
        also: Some("app".to_owned()),
        ..finding("tcp-timeout", "fail", "receiver", "mx3.busy.example [192.0.2.3]")
    };
    ReportV1 {
        simulated: true,
        target: "busy.example".to_owned(),
        verdict: VerdictV1::Fail,
        transport: area(VerdictV1::Fail, "1 fault must be fixed"),
        mx_status: "found".to_owned(),
        proves: texts(&["mx1.busy.example [192.0.2.1]: a session with TLS 1.3 was encrypted"]),
        mx: vec![
            host("mx1.busy.example", 10, vec![tls(true), tls(false)], Some(true)),
            host(
                "mx2.busy.example",
                20,
                vec![
                    address("2001:db8::2", "starttls-refused", &ALL_STAGES[..4]),
                    address("192.0.2.2", "starttls-not-offered", &ALL_STAGES[..3]),
                ],
                Some(false),
            ),
            host(
                "mx3.busy.example",
                30,
                vec![AddressV1 {
                    reply: None,
                    ..address("192.0.2.3", "connect-timeout", &[("connect", 10_000.0)])
                }],
                None,
            ),
            host("mx4.busy.example", 40, Vec::new(), None),
        ],
        mta_sts: Some(mta_sts()),
        tls_rpt: Some(tls_rpt()),
        policy_table: vec![PolicyRowV1 {
            host: "mx1.busy.example".to_owned(),
            opportunistic: "delivers, encrypted".to_owned(),
            dane: "not checked".to_owned(),
            mta_sts: "delivers".to_owned(),
            requiretls: "does not deliver here".to_owned(),
        }],
        findings: vec![
            finding("cert-expired", "fail", "receiver", "mx1.busy.example [192.0.2.1]"),
            not_tested,
            finding("sts-mx-not-listed", "warn", "dns:recipient", "mx2.busy.example"),
            finding("sts-mode-testing", "info", "dns:recipient", "busy.example"),
        ],
        ..no_mail()
    }
}

/// A report in which every text that a peer can choose is an attack.
fn hostile() -> ReportV1 {
    let mut report = busy();
    report.target = HOSTILE.to_owned();
    report.mta_sts.as_mut().unwrap().records = texts(&[HOSTILE]);
    report.tls_rpt.as_mut().unwrap().errors = texts(&[HOSTILE]);
    report.name_servers[0].host = HOSTILE.to_owned();
    report.policy_table[0].host = HOSTILE.to_owned();
    report.vantage.ptr = Some(HOSTILE.to_owned());
    for host in &mut report.mx {
        host.host = HOSTILE.to_owned();
        for address in &mut host.addresses {
            address.reply = Some(format!("{HOSTILE}{}", "\0".repeat(10_000)));
            address.greeting = Some(HOSTILE.to_owned());
            address.transcript = texts(&[HOSTILE]);
            if let Some(certificate) = &mut address.certificate {
                certificate.detail = Some(HOSTILE.to_owned());
                certificate.certificates[0].not_after = HOSTILE.to_owned();
            }
        }
    }
    for finding in &mut report.findings {
        finding.subject = HOSTILE.to_owned();
        finding.meaning = format!("About {HOSTILE}.");
        finding.evidence = vec![HOSTILE.to_owned(), "\0".repeat(10_000)];
        finding.fix = texts(&[HOSTILE]);
        finding.never = texts(&[HOSTILE]);
    }
    report
}

fn shown(report: ReportV1, format: Format) -> String {
    let layout = Layout { palette: Palette::plain(), width: 100 };
    reports(&[report], format, FailOn::Fail, layout).unwrap()
}

#[test]
fn reports_read_as_committed() {
    let settings = {
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path("../snapshots");
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        settings
    };
    let cases = [("no-mail", no_mail()), ("busy", busy()), ("hostile", hostile())];
    let formats = [
        ("text", Format::Text),
        ("markdown", Format::Markdown),
        ("html", Format::Html),
        ("junit", Format::Junit),
        ("json", Format::Json),
    ];
    settings.bind(|| {
        for (name, report) in cases {
            for (ending, format) in formats {
                insta::assert_snapshot!(format!("{name}.{ending}"), shown(report.clone(), format));
            }
        }
    });
}

#[test]
fn nothing_hostile_survives_on_any_face() {
    let allowed =
        |c: char| c == '\n' || (!c.is_control() && !('\u{202a}'..='\u{202e}').contains(&c));
    for format in [Format::Text, Format::Markdown, Format::Html, Format::Junit, Format::Json] {
        let text = shown(hostile(), format);
        assert!(text.chars().all(allowed), "{format:?} lets a control character through");
        let size_max = if format == Format::Json { 1_000_000 } else { 200_000 };
        assert!(text.len() < size_max, "{format:?} has {} octets", text.len());
    }
    for format in [Format::Html, Format::Junit, Format::Markdown] {
        let text = shown(hostile(), format);
        assert!(!text.contains("<script") && !text.contains("<img"), "{format:?}");
    }
    let site = site_circumstances(&hostile()) + &site_report(&hostile());
    assert!(site.chars().all(allowed), "a page of the site lets a control character through");
    assert!(!site.contains("<script") && !site.contains("<img"), "{site}");
    let markdown = shown(hostile(), Format::Markdown);
    let options = pulldown_cmark::Options::ENABLE_TABLES;
    let live = pulldown_cmark::Parser::new_ext(&markdown, options).find(|event| {
        use pulldown_cmark::{Event, Tag};
        matches!(
            event,
            Event::Html(_)
                | Event::InlineHtml(_)
                | Event::Start(Tag::Link { .. } | Tag::Image { .. })
        )
    });
    assert_eq!(live, None, "a link or HTML came out live");
    let json: ReportV1 = serde_json::from_str(&shown(hostile(), Format::Json)).unwrap();
    assert_eq!(json, hostile());
}

#[test]
fn a_page_loads_nothing_and_runs_nothing() {
    let page = shown(busy(), Format::Html);
    for forbidden in ["<script", "<link", "<img", "http://", "https://", "url(", "@import"] {
        assert!(!page.contains(forbidden), "{forbidden}");
    }
    assert!(page.contains("prefers-color-scheme: dark") && page.contains("@media print"));
}

#[test]
fn colours_add_nothing_to_the_words() {
    let layout = |palette| Layout { palette, width: 100 };
    let plain = text::report(&busy(), layout(Palette::plain()));
    let coloured = text::report(&busy(), layout(Palette::coloured()));
    assert_ne!(plain, coloured);
    assert_eq!(anstream::adapter::strip_str(&coloured).to_string(), plain);
}

#[test]
fn several_reports_are_one_document_or_one_line_each() {
    let two = [busy(), no_mail()];
    let layout = Layout { palette: Palette::plain(), width: 100 };
    let of = |format| reports(&two, format, FailOn::Fail, layout).unwrap();
    assert_eq!(of(Format::Json).lines().count(), 2);
    assert_eq!(of(Format::Html).matches("<!doctype html>").count(), 1);
    assert_eq!(of(Format::Junit).matches("<testsuite ").count(), 2);
}

#[test]
fn a_closed_port_is_suspected_only_where_nothing_came_back() {
    let steps = |outcome: &str, port_25| {
        let mut report = busy();
        report.verdict = VerdictV1::Incomplete;
        report.vantage.port_25 = port_25;
        for address in report.mx.iter_mut().flat_map(|host| &mut host.addresses) {
            outcome.clone_into(&mut address.outcome);
        }
        shown(report, Format::Text)
    };
    let closed = "from a server whose port 25 is open";
    assert!(steps("connect-timeout", PortStateV1::Unknown).contains(closed));
    assert!(!steps("connect-timeout", PortStateV1::Open).contains(closed));
    assert!(!steps("greeting-rejected", PortStateV1::Open).contains(closed));
    assert!(!steps("connect-refused", PortStateV1::Unknown).contains(closed));
}
