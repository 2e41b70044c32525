//! `lab list` and `lab show`: the scenarios, their files, and the findings that no scenario shows.

use super::super::error::CliError;
use super::super::exit::Exit;
use super::{all, credentials, find, no_scenario, output};
use clap::Args;
use serde::Serialize;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use waxseal_lab::catalogue;
use waxseal_lab::scenario::{Kind, Scenario};
use waxseal_proto::finding::Code;

/// `waxseal lab list`.
#[derive(Args, Debug)]
pub(crate) struct List {
    /// The codes of findings without a scenario, each with the reason
    #[arg(long)]
    uncovered: bool,
    /// Print one JSON object and nothing else
    #[arg(long)]
    json: bool,
}

/// `waxseal lab show`.
#[derive(Args, Debug)]
pub(crate) struct Show {
    /// Name of the scenario
    name: String,
}

#[derive(Serialize)]
struct Listed {
    scenarios: Vec<ListedScenario>,
}

#[derive(Serialize)]
struct ListedScenario {
    name: String,
    area: String,
    kind: &'static str,
    title: String,
    domain: String,
    must: Vec<String>,
    must_not: Vec<String>,
}

#[derive(Serialize)]
struct Uncovered {
    uncovered: Vec<UncoveredCode>,
}

#[derive(Serialize)]
struct UncoveredCode {
    code: &'static str,
    reason: Option<&'static str>,
}

pub(super) fn run(list: &List) -> Result<Exit, CliError> {
    if list.uncovered {
        return uncovered(list.json);
    }
    let scenarios: Vec<ListedScenario> = all()?
        .into_iter()
        .map(|scenario| ListedScenario {
            kind: match scenario.kind {
                Kind::Fault => "fault",
                Kind::Healthy => "healthy",
                Kind::Script => "script",
            },
            must: scenario.expected_codes().map(String::from).collect(),
            name: scenario.name,
            area: scenario.area,
            title: scenario.title,
            domain: scenario.domain,
            must_not: scenario.must_not,
        })
        .collect();
    if list.json {
        output::json(&Listed { scenarios })?;
        return Ok(Exit::Good);
    }
    let mut out = String::new();
    for one in &scenarios {
        let _ = writeln!(out, "{}/{}  {}", one.area, one.name, one.title);
    }
    output::data(&out)?;
    Ok(Exit::Good)
}

fn uncovered(json: bool) -> Result<Exit, CliError> {
    let scenarios = all()?;
    let shown: BTreeSet<&str> = scenarios.iter().flat_map(Scenario::expected_codes).collect();
    let uncovered: Vec<UncoveredCode> = Code::ALL
        .iter()
        .map(|code| code.as_str())
        .filter(|code| !shown.contains(code))
        .map(|code| UncoveredCode { code, reason: catalogue::uncovered_reason(code) })
        .collect();
    if json {
        output::json(&Uncovered { uncovered })?;
        return Ok(Exit::Good);
    }
    let mut out = String::new();
    for one in &uncovered {
        let _ = writeln!(out, "{}: {}", one.code, one.reason.unwrap_or("no reason is given"));
    }
    output::data(&out)?;
    if uncovered.is_empty() {
        output::note("every code has a scenario");
    }
    Ok(Exit::Good)
}

pub(super) fn show(show: &Show) -> Result<Exit, CliError> {
    let Some((_, text)) = catalogue::source(&show.name) else {
        return Err(no_scenario(&show.name));
    };
    output::data(text)?;
    if let Some(scenario) = find(&show.name).ok().filter(|s| s.submission.is_some()) {
        output::note(&credentials(&scenario));
    }
    Ok(Exit::Good)
}
