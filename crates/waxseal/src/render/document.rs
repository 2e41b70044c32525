//! One report as a list of blocks, in the order people read it: verdicts, mail hosts by stage, policies,
//! findings by owner, what it proves, what was not checked, what to do next. Texts are still as peers sent
//! them; the writers escape. The way in is [`blocks`].

use super::matrix::{self, Row};
use waxseal_check::report::wire::{FindingV1, NameServerV1, PortStateV1, ReportV1, VerdictV1};
use waxseal_guides::Owner;

/// The port that goes without saying (RFC 5321 §4.5.4.2).
const PORT_SMTP: u16 = 25;

/// The heading of [`Block::Matrix`].
pub(super) const MAIL_HOSTS: &str = "Mail hosts by stage";
/// The heading of findings that need somebody.
pub(super) const FINDINGS: &str = "Findings by who has to act";
/// The heading of the other findings.
pub(super) const NOTES: &str = "Notes";

/// A part of a report.
pub(super) enum Block<'a> {
    /// A finding.
    Finding(&'a FindingV1),
    /// A heading.
    Heading(String),
    /// A list.
    Items(Vec<String>),
    /// The mail hosts by stage.
    Matrix(Vec<Row>),
    /// A paragraph.
    Note(String),
    /// A heading for the findings of one owner.
    OwnerHeading(String),
    /// A table.
    Table {
        /// Titles of the columns.
        head: &'static [&'static str],
        /// Rows of as many cells.
        rows: Vec<Vec<String>>,
    },
    /// The three verdicts: name, word, reason.
    Verdicts(Vec<(&'static str, VerdictV1, String)>),
}

/// The word for a verdict.
pub(super) const fn shown_verdict(verdict: VerdictV1) -> &'static str {
    match verdict {
        VerdictV1::Fail => "FAIL",
        VerdictV1::Incomplete => "INCOMPLETE",
        VerdictV1::NotChecked => "not checked",
        VerdictV1::NothingToTest => "NOTHING TO TEST",
        VerdictV1::Pass => "PASS",
        VerdictV1::Warn => "WARN",
    }
}

/// The word for a finding's severity.
pub(super) fn shown_severity(finding: &FindingV1) -> &'static str {
    match finding.severity.as_str() {
        _ if finding.not_tested => "NOT TESTED",
        "fail" => "FAIL",
        "warn" => "WARN",
        _ => "info",
    }
}

/// A text of the guides: paragraphs of plain and code parts.
pub(super) fn paragraphs(text: &str) -> Vec<Vec<(Part, &str)>> {
    text.split("\n\n")
        .map(|paragraph| {
            let parts = paragraph.split('`').enumerate();
            parts
                .filter(|(_, part)| !part.is_empty())
                .map(|(index, part)| (if index % 2 == 1 { Part::Code } else { Part::Plain }, part))
                .collect()
        })
        .collect()
}

/// A part of a paragraph.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// Between backticks.
    Code,
    /// Everything else.
    Plain,
}

/// The line above everything: when, from where, how long.
pub(super) fn circumstances(report: &ReportV1) -> String {
    format!("checked {}{}", to_the_second(&report.checked_at), place_and_duration(report))
}

/// From where, and how long it took.
pub(super) fn place_and_duration(report: &ReportV1) -> String {
    let vantage = &report.vantage;
    let from = vantage.address.as_ref().map(|address| format!(" from {address}"));
    let ehlo = vantage.ehlo_name.as_ref().map(|name| format!(", EHLO {name}"));
    let port = (report.port != PORT_SMTP).then(|| format!(", port {}", report.port));
    format!(
        "{}{}{}, {} ms",
        from.unwrap_or_default(),
        ehlo.unwrap_or_default(),
        port.unwrap_or_default(),
        report.took_ms
    )
}

/// A time without its fraction of a second, which no reader needs.
fn to_the_second(time: &str) -> String {
    time.split_once('.').map_or_else(|| time.to_owned(), |(whole, _)| format!("{whole}Z"))
}

/// The blocks of a report, with the commands that help next.
pub(super) fn blocks(report: &ReportV1) -> Vec<Block<'_>> {
    let mut blocks = blocks_without_commands(report);
    blocks.push(Block::Heading("Next step".to_owned()));
    blocks.push(Block::Items(next_steps(report)));
    blocks
}

/// The blocks of a report for readers who have no command line before them.
pub(super) fn blocks_without_commands(report: &ReportV1) -> Vec<Block<'_>> {
    let mut blocks = vec![Block::Verdicts(vec![
        (transport(report), report.transport.verdict, report.transport.reason.clone()),
        ("Sender trust", report.sender_trust.verdict, report.sender_trust.reason.clone()),
        ("Reputation", report.reputation.verdict, report.reputation.reason.clone()),
    ])];
    let question = first_question(report);
    blocks.extend(question.map(Block::Note));
    if !report.mx.is_empty() {
        blocks.push(Block::Heading(MAIL_HOSTS.to_owned()));
        blocks.push(Block::Matrix(matrix::rows(report)));
    }
    name_servers(report, &mut blocks);
    policies(report, &mut blocks);
    findings(report, &mut blocks);
    coverage(report, &mut blocks);
    blocks
}

/// A verdict without a single session is none on TLS.
fn transport(report: &ReportV1) -> &'static str {
    if is_left_out(report, "tls") { "Transport (without TLS sessions)" } else { "Transport (TLS)" }
}

/// Whether the caller wanted a part of the check not to be made.
fn is_left_out(report: &ReportV1, area: &str) -> bool {
    report.not_checked.iter().any(|left| left.what == area && left.why.starts_with("left out"))
}

/// With no mail host, the first thing to settle (mission S38).
fn first_question(report: &ReportV1) -> Option<String> {
    match (report.verdict, report.mx_status.as_str()) {
        (VerdictV1::NothingToTest, "null") => Some(format!(
            "{} says by its null MX that it takes no mail. First question: is that intended?",
            report.target
        )),
        (VerdictV1::NothingToTest, "no-domain") => {
            Some(format!("First question: is {} the right name?", report.target))
        }
        (VerdictV1::NothingToTest, _) => {
            Some(format!("First question: should {} receive mail at all?", report.target))
        }
        _ => None,
    }
}

fn name_servers<'a>(report: &'a ReportV1, blocks: &mut Vec<Block<'a>>) {
    if report.name_servers.is_empty() {
        return;
    }
    blocks.push(Block::Heading("Name servers of the zone, asked directly".to_owned()));
    blocks.push(Block::Table {
        head: &["name server", "address", "MX answer", "MX served", "TTL s", "serial"],
        rows: report.name_servers.iter().map(name_server_row).collect(),
    });
}

fn name_server_row(server: &NameServerV1) -> Vec<String> {
    let number = |value: Option<u32>| value.map_or_else(|| "-".to_owned(), |n| n.to_string());
    vec![
        server.host.clone(),
        server.address.clone().unwrap_or_else(|| "-".to_owned()),
        server.answer.clone(),
        if server.mx.is_empty() { "-".to_owned() } else { server.mx.join(", ") },
        number(server.ttl_s),
        number(server.serial),
    ]
}

fn policies<'a>(report: &'a ReportV1, blocks: &mut Vec<Block<'a>>) {
    let mut rows = Vec::new();
    let mut row = |name: &str, value: String| rows.push(vec![name.to_owned(), value]);
    if let Some(dnssec) = &report.dnssec {
        row("DNSSEC of the MX answer", dnssec.clone());
    }
    if let Some(sts) = &report.mta_sts {
        if sts.records.is_empty() {
            row("MTA-STS record", no_record(sts.answer.as_deref()));
        }
        for record in &sts.records {
            row("MTA-STS record", record.clone());
        }
        if let Some(fetch) = &sts.fetch {
            row("MTA-STS policy fetch", fetch.clone());
        }
        if let Some(mode) = &sts.mode {
            let age = sts.max_age.map_or_else(String::new, |age| format!(", max_age {age} s"));
            row("MTA-STS policy", format!("mode {mode}{age}, mx {}", sts.mx.join(", ")));
        }
        for error in &sts.errors {
            row("MTA-STS fault", error.clone());
        }
    }
    if let Some(rpt) = &report.tls_rpt {
        if rpt.records.is_empty() {
            row("TLS reporting record", no_record(rpt.answer.as_deref()));
        }
        for record in &rpt.records {
            row("TLS reporting record", record.clone());
        }
        for error in &rpt.errors {
            row("TLS reporting fault", error.clone());
        }
    }
    if !rows.is_empty() {
        blocks.push(Block::Heading("DNS and policies".to_owned()));
        blocks.push(Block::Table { head: &["what", "seen"], rows });
    }
    if !report.policy_table.is_empty() {
        blocks.push(Block::Heading("What different senders would do".to_owned()));
        blocks.push(Block::Table {
            head: &["host", "opportunistic", "DANE", "MTA-STS", "REQUIRETLS"],
            rows: report
                .policy_table
                .iter()
                .map(|row| {
                    vec![
                        row.host.clone(),
                        row.opportunistic.clone(),
                        row.dane.clone(),
                        row.mta_sts.clone(),
                        row.requiretls.clone(),
                    ]
                })
                .collect(),
        });
    }
}

/// "none" only after an answer that says so.
fn no_record(answer: Option<&str>) -> String {
    match answer {
        None => "not looked up".to_owned(),
        Some("found" | "no-data" | "no-name") => "none".to_owned(),
        Some(failure) => format!("unknown, the look-up failed: {failure}"),
    }
}

/// Findings that need somebody, grouped by who that is, in the order of each group's gravest; then notes in
/// the order of the report, so that optional policies stay last.
fn findings<'a>(report: &'a ReportV1, blocks: &mut Vec<Block<'a>>) {
    let (notes, grave): (Vec<&FindingV1>, Vec<&FindingV1>) =
        report.findings.iter().partition(|finding| finding.severity == "info");
    blocks.push(Block::Heading(FINDINGS.to_owned()));
    if grave.is_empty() {
        blocks.push(Block::Note("None.".to_owned()));
    }
    by_owner(&grave, blocks);
    if !notes.is_empty() {
        blocks.push(Block::Heading(NOTES.to_owned()));
    }
    let mut before = None;
    for note in notes {
        if before != Some(&note.owner) {
            blocks.push(Block::OwnerHeading(owner_words(&note.owner)));
            before = Some(&note.owner);
        }
        blocks.push(Block::Finding(note));
    }
}

/// Findings under the heading of who has to act, in the order in which the owners come first.
pub(super) fn by_owner<'a>(findings: &[&'a FindingV1], blocks: &mut Vec<Block<'a>>) {
    let mut owners: Vec<&str> = Vec::new();
    for finding in findings {
        if !owners.contains(&finding.owner.as_str()) {
            owners.push(&finding.owner);
        }
    }
    for owner in owners {
        blocks.push(Block::OwnerHeading(owner_words(owner)));
        let of_owner = findings.iter().filter(|finding| finding.owner == owner);
        blocks.extend(of_owner.map(|finding| Block::Finding(finding)));
    }
}

/// The owner in words, from the guides.
pub(super) fn owner_words(owner: &str) -> String {
    const OWNERS: [Owner; 6] = [
        Owner::App,
        Owner::Provider,
        Owner::DnsSender,
        Owner::DnsRecipient,
        Owner::DnsIpOwner,
        Owner::Receiver,
    ];
    let known = OWNERS.iter().find(|known| known.as_str() == owner);
    known.map_or_else(|| owner.to_owned(), |known| format!("{owner}: {}", known.in_words()))
}

fn coverage<'a>(report: &'a ReportV1, blocks: &mut Vec<Block<'a>>) {
    if !report.proves.is_empty() {
        blocks.push(Block::Heading("What this proves".to_owned()));
        blocks.push(Block::Items(report.proves.clone()));
    }
    blocks.push(Block::Heading("What this does not prove".to_owned()));
    blocks.push(Block::Items(report.does_not_prove.clone()));
    blocks.push(Block::Heading("What was not checked".to_owned()));
    blocks.push(Block::Items(
        report.not_checked.iter().map(|left| format!("{}: {}", left.what, left.why)).collect(),
    ));
}

/// Which command helps next. The steps of a fix stand with its finding.
fn next_steps(report: &ReportV1) -> Vec<String> {
    let target = &report.target;
    let mut steps = Vec::new();
    let unusable =
        report.findings.iter().any(|f| f.severity == "fail" && f.code.starts_with("input-"));
    if unusable {
        return vec!["Give a domain: waxseal check example.com".to_owned()];
    }
    if report.verdict == VerdictV1::NothingToTest {
        steps.push(first_mail_host(report));
    }
    if report.verdict == VerdictV1::NothingToTest && !is_left_out(report, "tls") {
        steps.push(format!("The MX records alone: waxseal check --only mx {target}"));
    } else if is_left_out(report, "tls") {
        steps.push(format!(
            "The full check, with a STARTTLS session to every mail host: waxseal check {target}"
        ));
    } else if report.verdict == VerdictV1::Incomplete {
        steps.extend(when_incomplete(report));
    }
    let grave = report.findings.iter().find(|finding| finding.severity != "info");
    if let Some(first) = grave {
        steps.push(format!("Read about {}: waxseal guide {}", first.code, first.code));
    }
    match report.verdict {
        VerdictV1::Fail | VerdictV1::Warn => {
            steps.push(format!("After a fix: waxseal check {target}"));
        }
        VerdictV1::Pass
        | VerdictV1::Incomplete
        | VerdictV1::NothingToTest
        | VerdictV1::NotChecked => {}
    }
    if steps.is_empty() {
        steps.push(
            "Nothing to fix here. SPF, DKIM, DMARC and alignment are a separate question"
                .to_owned(),
        );
    }
    steps
}

/// How a domain without a mail host gets one.
fn first_mail_host(report: &ReportV1) -> String {
    let whose = if report.name_servers.is_empty() {
        "where the domain's DNS is run"
    } else {
        "at the DNS host named above"
    };
    let records = "the MX records your mailbox provider gives";
    match report.mx_status.as_str() {
        "no-domain" => format!(
            "Check the spelling of {}, and at the registrar that it is registered",
            report.target
        ),
        "null" => format!(
            "If it should receive mail after all: replace the null MX by {records}, {whose}, wait for \
             the TTL, check again"
        ),
        _ => format!(
            "If it should receive mail: add {records}, {whose}, wait for the TTL, check again"
        ),
    }
}

/// A closed port 25 is suspected only where nothing came back; a server that answered shows that it is open.
fn when_incomplete(report: &ReportV1) -> Vec<String> {
    let target = &report.target;
    let silent = report
        .mx
        .iter()
        .flat_map(|host| &host.addresses)
        .any(|at| ["connect-timeout", "port-25-blocked-here"].contains(&at.outcome.as_str()));
    if silent && report.vantage.port_25 != PortStateV1::Open {
        return vec![
            "See what this machine can reach, port 25 above all: waxseal doctor".to_owned(),
            format!(
                "Run the same check from a server whose port 25 is open: waxseal check {target}"
            ),
        ];
    }
    vec![
        "See what this machine can reach: waxseal doctor".to_owned(),
        format!("Repeat later, or from another network: waxseal check {target}"),
    ]
}
