//! The cases: which server is started how, and what a check of it must say.
//!
//! Every case runs the built binary as a person would, with `--json`, and compares the report's own
//! fields. The way in is [`run_all`].

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::Value;

use super::nsd::{self, Signatures};
use super::pki::{Authority, Certificate, Period};
use super::server::Server;
use super::tree::Tree;
use super::witness::{self, MailFact};
use super::{exim, postfix, submission};
use crate::command::Command;
use crate::pipeline::Count;

const DOMAIN: &str = "peer.test";
const HOST: &str = "mx.peer.test";

/// What happens to the session folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum After {
    /// It stays, for a look at logs and configurations.
    Keep,
    /// It goes.
    Remove,
}

/// How a mail server is set up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Setup {
    Expired,
    Good,
    NoStarttls,
}

/// What the report must say.
struct Expected {
    verdicts: &'static [&'static str],
    outcome: &'static str,
    /// Codes that must be among the findings.
    must: &'static [&'static str],
    /// Whether a finding of severity `fail` may be there at all.
    any_fail: bool,
    /// The report's `dnssec` field, where the case is about it.
    dnssec: Option<&'static str>,
}

impl Setup {
    fn expected(self) -> Expected {
        let base =
            Expected { verdicts: &["fail"], outcome: "", must: &[], any_fail: true, dnssec: None };
        match self {
            Self::Expired => Expected { outcome: "starttls-ok", must: &["cert-expired"], ..base },
            Self::Good => Expected {
                verdicts: &["pass", "warn"],
                outcome: "starttls-ok",
                any_fail: false,
                ..base
            },
            Self::NoStarttls => Expected {
                outcome: "starttls-not-offered",
                must: &["starttls-not-advertised"],
                ..base
            },
        }
    }
}

type Start = fn(&Tree, &Path, &str, Option<&Certificate>) -> Result<Server>;

const MAIL_SERVERS: &[(&str, Start)] = &[("postfix", postfix::start), ("exim", exim::start)];
const SETUPS: &[(&str, Setup)] =
    &[("good", Setup::Good), ("expired", Setup::Expired), ("no-starttls", Setup::NoStarttls)];

/// What all cases share: programs, the binary under test, certificates, folder.
struct Session<'a> {
    tree: &'a Tree,
    binary: &'a Path,
    folder: PathBuf,
    authority: Authority,
    good: Certificate,
    expired: Certificate,
}

/// Runs every case, or those of the peers whose name starts with `only`, and prints one line for each.
///
/// # Errors
/// When the session folder or the certificates cannot be made.
pub(crate) fn run_all(tree: &Tree, binary: &Path, after: After, only: &str) -> Result<Count> {
    let folder = std::env::temp_dir().join(format!("waxseal-peers-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let authority = Authority::new(&folder.join("ca"))?;
    let good = authority.certificate(HOST, Period::Present)?;
    let expired = authority.certificate(HOST, Period::Past)?;
    let session = Session { tree, binary, folder, authority, good, expired };
    let mut count = Count::default();
    for (server, start) in MAIL_SERVERS {
        for (name, setup) in SETUPS {
            let name = format!("{server}-{name}");
            if !name.starts_with(only) {
                continue;
            }
            note(&mut count, &name, session.mail_case(&name, *start, *setup));
        }
    }
    for (name, signatures) in [("nsd-signed", Signatures::Good), ("nsd-bogus", Signatures::Damaged)]
    {
        if name.starts_with(only) {
            note(&mut count, name, session.signed_case(name, signatures));
        }
    }
    let submission = submission::Session::new(tree, binary, &session.folder, &session.authority)?;
    count.add(submission.run(only));
    match after {
        After::Keep => println!("kept: {}", session.folder.display()),
        After::Remove => std::fs::remove_dir_all(&session.folder)?,
    }
    Ok(count)
}

/// Counts one case and prints its line.
pub(crate) fn note(count: &mut Count, name: &str, result: Result<Vec<String>>) {
    let problems = result.unwrap_or_else(|error| vec![format!("{error:#}")]);
    if problems.is_empty() {
        count.passed += 1;
        println!("peer {name}: ok");
        return;
    }
    count.failed += 1;
    println!("peer {name}: FAILED");
    for problem in problems {
        println!("  {problem}");
    }
}

impl Session<'_> {
    fn mail_case(&self, name: &str, start: Start, setup: Setup) -> Result<Vec<String>> {
        let folder = self.folder.join(name);
        std::fs::create_dir_all(&folder)?;
        let (certificate, fact) = match setup {
            Setup::Expired => (Some(&self.expired), MailFact::Expired),
            Setup::Good => (Some(&self.good), MailFact::Good),
            Setup::NoStarttls => (None, MailFact::NoStarttls),
        };
        let server = start(self.tree, &folder, HOST, certificate)?;
        if let Some(problem) = witness::mail(server.address, &self.authority.root(), fact)? {
            return Ok(vec![problem]);
        }
        let zone = format!(
            r#"{{"records":[{{"name":"{DOMAIN}","type":"MX","data":["10 {HOST}"]}},{{"name":"{HOST}","type":"A","data":["127.0.0.1"]}}],"secure":[]}}"#
        );
        let zone_file = folder.join("zone.json");
        std::fs::write(&zone_file, zone)?;
        let dns = [String::from("--zone-file"), zone_file.display().to_string()];
        let report = self.check(server.address, &dns)?;
        Ok(compare(&report, &setup.expected()))
    }

    fn signed_case(&self, name: &str, signatures: Signatures) -> Result<Vec<String>> {
        let mail = self.folder.join(format!("{name}-mail"));
        std::fs::create_dir_all(&mail)?;
        let server = postfix::start(self.tree, &mail, HOST, Some(&self.good))?;
        let world = nsd::start(self.tree, &self.folder.join(name), (DOMAIN, HOST), signatures)?;
        let held =
            witness::signatures_hold(self.tree, world.server.address, &world.trust_anchor, DOMAIN)?;
        if held != (signatures == Signatures::Good) {
            return Ok(vec![format!("drill says that the signatures hold: {held}")]);
        }
        let dns = [
            String::from("--resolver"),
            world.server.address.to_string(),
            String::from("--trust-anchor"),
            world.trust_anchor.display().to_string(),
        ];
        let report = self.check(server.address, &dns)?;
        let expected = match signatures {
            Signatures::Good => Expected { dnssec: Some("secure"), ..Setup::Good.expected() },
            Signatures::Damaged => Expected {
                verdicts: &["fail"],
                outcome: "",
                must: &["dns-dnssec-bogus"],
                any_fail: true,
                dnssec: Some("bogus"),
            },
        };
        Ok(compare(&report, &expected))
    }

    fn check(&self, server: SocketAddr, dns: &[String]) -> Result<Value> {
        let route = format!("{HOST}:25={server}");
        let roots = self.authority.root().display().to_string();
        let done = Command::new(self.binary)
            .args([
                "check",
                DOMAIN,
                "--json",
                "--allow-private",
                "--connect",
                &route,
                "--roots",
                &roots,
            ])
            .args(dns)
            .output()?;
        serde_json::from_str(&done.stdout)
            .with_context(|| format!("no report: {}\n{}{}", done.status, done.stdout, done.stderr))
    }
}

/// What of the report is not as expected.
fn compare(report: &Value, expected: &Expected) -> Vec<String> {
    let mut problems = Vec::new();
    let verdict = text(report, "/verdict");
    if !expected.verdicts.contains(&verdict) {
        problems.push(format!("verdict '{verdict}', expected one of {:?}", expected.verdicts));
    }
    let outcome = text(report, "/mx/0/addresses/0/outcome");
    if !expected.outcome.is_empty() && outcome != expected.outcome {
        problems.push(format!("outcome '{outcome}', expected '{}'", expected.outcome));
    }
    let findings = report["findings"].as_array().map(Vec::as_slice).unwrap_or_default();
    for code in expected.must {
        if !findings.iter().any(|finding| text(finding, "/code") == *code) {
            problems.push(format!("no finding '{code}'"));
        }
    }
    if !expected.any_fail {
        let fails = findings.iter().filter(|finding| text(finding, "/severity") == "fail");
        problems.extend(
            fails.map(|finding| format!("unexpected finding '{}'", text(finding, "/code"))),
        );
    }
    if let Some(dnssec) = expected.dnssec {
        let found = report["dnssec"].to_string();
        if found.trim_matches('"') != dnssec && text(report, "/dnssec/status") != dnssec {
            problems.push(format!("dnssec {found}, expected '{dnssec}'"));
        }
    }
    problems
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(code: &str) -> Value {
        let json = format!(
            r#"{{"verdict":"fail","mx":[{{"addresses":[{{"outcome":"starttls-ok"}}]}}],
                "findings":[{{"code":"{code}","severity":"fail"}}],"dnssec":"insecure"}}"#
        );
        serde_json::from_str(&json).unwrap()
    }

    #[test]
    fn a_report_is_compared_field_by_field() {
        assert!(compare(&report("cert-expired"), &Setup::Expired.expected()).is_empty());
        let problems = compare(&report("cert-expired"), &Setup::Good.expected());
        assert_eq!(problems.len(), 2, "{problems:?}");
        let problems = compare(&report("cert-self-signed"), &Setup::NoStarttls.expected());
        assert_eq!(problems.len(), 2, "{problems:?}");
    }
}
