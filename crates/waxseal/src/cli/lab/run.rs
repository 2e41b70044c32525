//! `lab run`: scenarios through the real check, or through the attempt they ask for, several at once, each
//! compared with what it expects. The last
//! line of its text, `scenarios: N passed, N failed`, is what other programs read.

use super::super::error::CliError;
use super::super::exit::Exit;
use super::super::world::lab_world;
use super::super::{block_on, output};
use super::api::try_api;
use super::attempt::{Cause, try_scenario};
use super::scenario::{limits, request};
use super::{all, named};
use crate::limits::SCENARIOS_AT_ONCE;
use crate::{clock, escape};
use clap::Args;
use futures::StreamExt;
use serde::Serialize;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use waxseal_app::check_domain;
use waxseal_check::report::wire::{ReportV1, VerdictV1};
use waxseal_check::report::{FailOn, exit_status};
use waxseal_lab::control::{Lab, LabOptions};
use waxseal_lab::delivery_service::KeptRequest;
use waxseal_lab::expectation::mismatches;
use waxseal_lab::scenario::Scenario;

/// `waxseal lab run`.
#[derive(Args, Debug)]
pub(crate) struct Run {
    /// Names of scenarios
    #[arg(value_name = "SCENARIO", required_unless_present_any = ["all", "area"])]
    names: Vec<String>,
    /// Every scenario
    #[arg(long, conflicts_with = "names")]
    all: bool,
    /// Every scenario of this area, such as cert or submission
    #[arg(long, conflicts_with_all = ["names", "all"])]
    area: Option<String>,
    /// Print one JSON object and nothing else
    #[arg(long)]
    json: bool,
    /// Write what delivery services were asked into this file, one JSON object a line
    #[arg(long, value_name = "FILE")]
    requests: Option<PathBuf>,
}

#[derive(Serialize)]
struct Results {
    passed: usize,
    failed: usize,
    scenarios: Vec<ScenarioResult>,
}

#[derive(Serialize)]
struct ScenarioResult {
    name: String,
    area: String,
    passed: bool,
    /// Every way in which the report differs from what the scenario expects.
    wrong: Vec<String>,
    /// Of a check.
    #[serde(skip_serializing_if = "Option::is_none")]
    verdict: Option<VerdictV1>,
    /// Of a check.
    #[serde(skip_serializing_if = "Option::is_none")]
    exit: Option<u8>,
    /// Of a message over SMTP: the cause, expected and found.
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<Cause>,
    codes: Vec<String>,
    /// What delivery services were asked.
    #[serde(skip)]
    requests: Vec<KeptRequest>,
}

/// A checked scenario.
pub(crate) struct CheckedScenario {
    /// The report.
    pub(crate) report: ReportV1,
    /// The exit status it leads to.
    pub(crate) exit: u8,
    /// Every way in which it differs from what the scenario expects.
    pub(crate) wrong: Vec<String>,
}

pub(super) fn run(command: &Run) -> Result<Exit, CliError> {
    let scenarios = match &command.area {
        None if command.all => all()?,
        None => named(&command.names)?,
        Some(area) => in_area(area)?,
    };
    let results = block_on(run_all(&scenarios))?;
    let exit = Exit::of_answer(results.failed == 0);
    if let Some(path) = &command.requests {
        write_requests(path, &results)?;
    }
    if command.json {
        output::json(&results)?;
        return Ok(exit);
    }
    let mut out = String::new();
    for result in &results.scenarios {
        let word = if result.passed { "ok    " } else { "FAILED" };
        let line = format!("{word} {}/{}: {}", result.area, result.name, result.codes.join(" "));
        out.push_str(&escape::line(line.trim_end_matches([':', ' '])));
        out.push('\n');
        for wrong in &result.wrong {
            let _ = writeln!(out, "         {}", escape::line(wrong));
        }
    }
    let _ = writeln!(out, "scenarios: {} passed, {} failed", results.passed, results.failed);
    output::data(&out)?;
    Ok(exit)
}

fn in_area(area: &str) -> Result<Vec<Scenario>, CliError> {
    let mut found = all()?;
    found.retain(|scenario| scenario.area == area);
    if found.is_empty() {
        return Err(CliError::usage(format!("lab: no area is called {area:?}")));
    }
    Ok(found)
}

fn write_requests(path: &Path, results: &Results) -> Result<(), CliError> {
    let kept = results.scenarios.iter().flat_map(|result| &result.requests);
    let lines = kept.map(|request| serde_json::to_string(request).map(|line| line + "\n"));
    let text: String = lines
        .collect::<Result<_, _>>()
        .map_err(|error| CliError::undetermined(format!("json: {error}")))?;
    std::fs::write(path, text)
        .map_err(|error| CliError::usage(format!("{}: {error}", path.display())))
}

async fn run_all(scenarios: &[Scenario]) -> Result<Results, CliError> {
    let shared: Vec<Scenario> =
        scenarios.iter().filter(|scenario| !scenario.options.own_lab).cloned().collect();
    let lab = start(&shared, None).await?;
    let lab = &lab;
    let mut done: Vec<ScenarioResult> = Vec::new();
    let mut running = futures::stream::iter(scenarios)
        .map(|scenario| async move { run_one(lab, scenario).await })
        .buffered(SCENARIOS_AT_ONCE);
    while let Some(result) = running.next().await {
        done.push(result?);
    }
    let passed = done.iter().filter(|result| result.passed).count();
    Ok(Results { passed, failed: done.len() - passed, scenarios: done })
}

async fn run_one(shared: &Lab, scenario: &Scenario) -> Result<ScenarioResult, CliError> {
    if !scenario.options.own_lab {
        return run_in(shared, scenario).await;
    }
    let own = start(std::slice::from_ref(scenario), scenario.options.now).await?;
    run_in(&own, scenario).await
}

async fn run_in(lab: &Lab, scenario: &Scenario) -> Result<ScenarioResult, CliError> {
    let mut cause = None;
    let (findings, wrong, checked) = if let Some(attempt) = &scenario.submission {
        let tried = Box::pin(try_scenario(lab, scenario, attempt)).await?;
        cause = Some(Cause::of(attempt, &tried));
        (tried.sent.findings, tried.wrong, None)
    } else if let Some(attempt) = &scenario.api {
        let tried = Box::pin(try_api(lab, scenario, attempt)).await?;
        (tried.findings, tried.wrong, None)
    } else {
        let checked = check_scenario(lab, scenario).await?;
        let seen = (checked.report.verdict, checked.exit);
        (checked.report.findings, checked.wrong, Some(seen))
    };
    let mut codes: Vec<String> = findings.into_iter().map(|finding| finding.code).collect();
    codes.dedup();
    let own: Vec<_> = scenario.services.iter().map(|service| service.service).collect();
    let mut requests = lab.service_requests();
    requests.retain(|request| own.contains(&request.service));
    Ok(ScenarioResult {
        name: scenario.name.clone(),
        area: scenario.area.clone(),
        passed: wrong.is_empty(),
        wrong,
        verdict: checked.map(|(verdict, _)| verdict),
        exit: checked.map(|(_, exit)| exit),
        cause,
        codes,
        requests,
    })
}

/// Starts a lab for the present moment, or for another one.
pub(crate) async fn start(scenarios: &[Scenario], now: Option<i64>) -> Result<Lab, CliError> {
    let now = now.unwrap_or_else(|| clock::now().as_second());
    Lab::start(scenarios, LabOptions::at(now))
        .await
        .map_err(|error| CliError::undetermined(format!("lab: {error}")))
}

/// Checks a scenario as it asks to be, as often as it asks, and compares the last report.
pub(crate) async fn check_scenario(
    lab: &Lab,
    scenario: &Scenario,
) -> Result<CheckedScenario, CliError> {
    let (waits, limits) = limits(scenario)?;
    let world = lab_world(&lab.world(), scenario.options.now, waits)?;
    let request = request(scenario, limits)?;
    for _ in 1..scenario.options.rounds.unwrap_or(1) {
        check_domain(&world, &request, &|_| {}).await;
    }
    let report = check_domain(&world, &request, &|_| {}).await.report;
    let exit = exit_status(&report, FailOn::Fail);
    let value = serde_json::to_value(&report)
        .map_err(|error| CliError::undetermined(format!("json: {error}")))?;
    let wrong = mismatches(scenario, &value, exit);
    Ok(CheckedScenario { report, exit, wrong })
}
