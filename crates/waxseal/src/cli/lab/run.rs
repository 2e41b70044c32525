//! `lab run`: scenarios through the real check, several at once, each compared with what it expects. The last
//! line of its text, `scenarios: N passed, N failed`, is what other programs read.

use super::super::error::CliError;
use super::super::exit::Exit;
use super::super::world::lab_world;
use super::super::{block_on, output};
use super::scenario::{limits, request};
use super::{all, named};
use crate::limits::SCENARIOS_AT_ONCE;
use crate::{clock, escape};
use clap::Args;
use futures::StreamExt;
use serde::Serialize;
use std::fmt::Write as _;
use waxseal_app::check_domain;
use waxseal_check::report::wire::{ReportV1, VerdictV1};
use waxseal_check::report::{FailOn, exit_status};
use waxseal_lab::control::{Lab, LabOptions};
use waxseal_lab::expectation::mismatches;
use waxseal_lab::scenario::Scenario;

/// `waxseal lab run`.
#[derive(Args, Debug)]
pub(crate) struct Run {
    /// Names of scenarios
    #[arg(value_name = "SCENARIO", required_unless_present = "all")]
    names: Vec<String>,
    /// Every scenario
    #[arg(long, conflicts_with = "names")]
    all: bool,
    /// Print one JSON object and nothing else
    #[arg(long)]
    json: bool,
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
    verdict: VerdictV1,
    exit: u8,
    codes: Vec<String>,
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
    let scenarios = if command.all { all()? } else { named(&command.names)? };
    let results = block_on(run_all(&scenarios))?;
    let exit = Exit::of_answer(results.failed == 0);
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

async fn run_all(scenarios: &[Scenario]) -> Result<Results, CliError> {
    let shared: Vec<Scenario> =
        scenarios.iter().filter(|scenario| !scenario.options.own_lab).cloned().collect();
    let lab = start(&shared, None).await?;
    let lab = &lab;
    let mut checked: Vec<(&Scenario, CheckedScenario)> = Vec::new();
    let mut running = futures::stream::iter(scenarios)
        .map(|scenario| async move { (scenario, run_one(lab, scenario).await) })
        .buffered(SCENARIOS_AT_ONCE);
    while let Some((scenario, result)) = running.next().await {
        checked.push((scenario, result?));
    }
    let scenarios: Vec<ScenarioResult> = checked.into_iter().map(published).collect();
    let passed = scenarios.iter().filter(|result| result.passed).count();
    Ok(Results { passed, failed: scenarios.len() - passed, scenarios })
}

fn published((scenario, checked): (&Scenario, CheckedScenario)) -> ScenarioResult {
    let mut codes: Vec<String> =
        checked.report.findings.iter().map(|finding| finding.code.clone()).collect();
    codes.dedup();
    ScenarioResult {
        name: scenario.name.clone(),
        area: scenario.area.clone(),
        passed: checked.wrong.is_empty(),
        wrong: checked.wrong,
        verdict: checked.report.verdict,
        exit: checked.exit,
        codes,
    }
}

async fn run_one(shared: &Lab, scenario: &Scenario) -> Result<CheckedScenario, CliError> {
    if !scenario.options.own_lab {
        return check_scenario(shared, scenario).await;
    }
    let own = start(std::slice::from_ref(scenario), scenario.options.now).await?;
    check_scenario(&own, scenario).await
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
