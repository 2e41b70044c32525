//! The delivery services' own libraries, unmodified but for the address, against the lab's services; then the
//! request of the built binary for the same message beside theirs.
//!
//! The ways in are [`run`] and [`count`]. A library is accepted or the part fails; a difference between the
//! two requests is listed with its reason in `xtask/sdks/differences.toml`, or the part fails. Invariant:
//! nothing but loopback is contacted once the libraries are installed.

mod compare;
mod install;
mod session;

use std::path::Path;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::arguments::Arguments;
use crate::command::Command;
use crate::lab;
use crate::pipeline::Count;
use crate::tools::Missing;
use crate::workspace;
use compare::Differences;
use install::{Installed, Language};
use session::Session;

/// A service, the name of its interface, and the library that sends to it.
struct Sdk {
    service: &'static str,
    host: &'static str,
    language: Language,
    /// As the registry names it.
    library: &'static str,
    script: &'static str,
}

const SDKS: &[Sdk] = &[
    Sdk {
        service: "amazon-ses",
        host: "email.eu-west-1.amazonaws.com",
        language: Language::Python,
        library: "boto3",
        script: "amazon_ses_send.py",
    },
    Sdk {
        service: "brevo",
        host: "api.brevo.com",
        language: Language::Python,
        library: "brevo-python",
        script: "brevo_send.py",
    },
    Sdk {
        service: "mailgun",
        host: "api.mailgun.net",
        language: Language::JavaScript,
        library: "mailgun.js",
        script: "mailgun_send.mjs",
    },
    Sdk {
        service: "postmark",
        host: "api.postmarkapp.com",
        language: Language::JavaScript,
        library: "postmark",
        script: "postmark_send.mjs",
    },
    Sdk {
        service: "resend",
        host: "api.resend.com",
        language: Language::Python,
        library: "resend",
        script: "resend_send.py",
    },
    Sdk {
        service: "sendgrid",
        host: "api.sendgrid.com",
        language: Language::Python,
        library: "sendgrid",
        script: "sendgrid_send.py",
    },
];

/// Where the differences are listed.
const DIFFERENCES: &str = "xtask/sdks/differences.toml";

impl Sdk {
    fn scenario(&self) -> String {
        format!("healthy-{}", self.service)
    }
}

/// Builds the binary and runs every library.
///
/// # Errors
/// When the flags are wrong, a library is missing, or the build fails.
pub(crate) fn run(arguments: &[String]) -> Result<bool> {
    let mut arguments = Arguments::new(arguments);
    let missing = if arguments.flag("--install") { Missing::Install } else { Missing::Report };
    arguments.finish()?;
    let installed = Installed::ready(missing)?;
    Command::cargo().args(["build", "--bin", "waxseal"]).shown()?.success("building")?;
    let count = all(&installed)?;
    Ok(count.failed == 0 && count.skipped == 0)
}

/// Runs every library against the binary that was built before.
///
/// # Errors
/// When a library is missing or the lab does not start.
pub(crate) fn count(missing: Missing) -> Result<Count> {
    all(&Installed::ready(missing)?)
}

fn all(installed: &Installed) -> Result<Count> {
    let binary = lab::binary();
    let scenarios: Vec<String> = SDKS.iter().map(Sdk::scenario).collect();
    let mut differences = Differences::read(&workspace::read(DIFFERENCES)?)?;
    let session = Session::start(&binary, &scenarios)?;
    let ours = our_requests(&binary, &scenarios)?;
    let mut count = Count::default();
    for sdk in SDKS {
        let result = one(sdk, installed, &session, (&ours, &mut differences));
        note(&mut count, &format!("{} ({})", sdk.library, sdk.service), result);
    }
    note(&mut count, "a changed octet", changed_octet(installed, &session));
    note(&mut count, "differences that no longer exist", Ok(differences.unseen()));
    Ok(count)
}

fn note(count: &mut Count, name: &str, result: Result<Vec<String>>) {
    let problems = result.unwrap_or_else(|error| vec![format!("{error:#}")]);
    let word = if problems.is_empty() { "ok" } else { "FAILED" };
    println!("sdk {name}: {word}");
    for problem in &problems {
        println!("  {problem}");
    }
    let one = Count::of(problems.is_empty());
    count.passed += one.passed;
    count.failed += one.failed;
}

/// The requests of the binary, made in a lab of its own.
fn our_requests(binary: &Path, scenarios: &[String]) -> Result<Vec<Value>> {
    let file = std::env::temp_dir().join(format!("waxseal-sdks-{}.jsonl", std::process::id()));
    let done = Command::new(binary)
        .args(["lab", "run", "--requests"])
        .args([file.as_os_str()])
        .args(scenarios)
        .output()?
        .success("sending over the services' interfaces");
    let text = std::fs::read_to_string(&file).unwrap_or_default();
    let _ = std::fs::remove_file(&file);
    done?;
    session::requests(&text)
}

fn one(
    sdk: &Sdk,
    installed: &Installed,
    session: &Session,
    (ours, differences): (&[Value], &mut Differences),
) -> Result<Vec<String>> {
    let mut task = session.task(&sdk.scenario())?;
    let address = session.address(sdk.host)?;
    task["address"] = json!(format!("https://{address}"));
    installed.run(sdk.language, sdk.script, (&task, &session.roots()))?;
    let theirs = session.requests()?;
    let of_service = |request: &&Value| request["service"] == sdk.service;
    let theirs =
        theirs.iter().rfind(of_service).context("the lab kept no request of the library")?;
    let ours = ours.iter().find(of_service).context("the lab kept no request of the binary")?;
    let mut problems = Vec::new();
    for (who, request) in [("library", theirs), ("binary", ours)] {
        if request["verdict"]["accepted"].is_null() {
            problems.push(format!("the {who}'s request was not accepted: {}", request["verdict"]));
        }
    }
    problems.extend(differences.unlisted(sdk.service, theirs, ours)?);
    Ok(problems)
}

/// What boto3 signed is accepted once more as it was, and refused with one octet changed.
fn changed_octet(installed: &Installed, session: &Session) -> Result<Vec<String>> {
    let sdk = SDKS.first().context("the list of libraries is empty")?;
    let requests = session.requests()?;
    let request = requests.iter().rfind(|request| request["service"] == sdk.service);
    let task = json!({
        "address": format!("https://{}", session.address(sdk.host)?),
        "roots": session.roots(),
        "request": request.context("the lab kept no signed request")?,
    });
    let said = installed.run(Language::Python, "replay.py", (&task, &session.roots()))?;
    let statuses: Vec<&str> = said.split_whitespace().collect();
    Ok(if statuses == ["200", "403"] {
        Vec::new()
    } else {
        vec![format!("expected the statuses 200 and 403, got {statuses:?}")]
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_names_every_library_with_its_version() {
        let page = workspace::read("docs/delivery-services.md").unwrap();
        for sdk in SDKS {
            let version = install::version(sdk.language, sdk.library).unwrap();
            let cell = format!("{} {version}", sdk.library);
            assert!(page.contains(&cell), "docs/delivery-services.md does not say {cell}");
        }
    }
}
