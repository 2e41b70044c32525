//! Every scenario of the lab through the real survey, rules and report. `WAXSEAL_SCENARIOS=name,name` runs
//! some of them and prints their findings.

use super::lab_world::{lab_now, request, world};
use super::{less_seen, wire};
use futures::StreamExt;
use std::net::IpAddr;
use waxseal_app::check_domain;
use waxseal_app::check_domain::Checked;
use waxseal_check::facts::Facts;
use waxseal_check::finding::Finding;
use waxseal_check::registry::{self, Rule};
use waxseal_check::report::{FailOn, exit_status};
use waxseal_lab::catalogue;
use waxseal_lab::control::{Lab, LabOptions};
use waxseal_lab::expectation::mismatches;
use waxseal_lab::scenario::Scenario;

/// Scenarios that run at once.
const SIDE_BY_SIDE: usize = 8;

fn chosen() -> Vec<Scenario> {
    let mut all = catalogue::all().unwrap();
    all.retain(|scenario| scenario.api.is_none() && scenario.submission.is_none());
    let Ok(names) = std::env::var("WAXSEAL_SCENARIOS") else { return all };
    all.into_iter().filter(|s| names.split(',').any(|name| name == s.name)).collect()
}

async fn run(lab: &Lab, scenario: &Scenario) -> Checked {
    let world = world(&lab.world(), scenario);
    let request = request(scenario);
    for _ in 1..scenario.options.rounds.unwrap_or(1) {
        check_domain(&world, &request, &|_| {}).await;
    }
    check_domain(&world, &request, &|_| {}).await
}

async fn run_one(shared: &Lab, scenario: &Scenario) -> Checked {
    if !scenario.options.own_lab {
        return run(shared, scenario).await;
    }
    let options = LabOptions::at(scenario.options.now.unwrap_or_else(lab_now));
    let own = Lab::start(std::slice::from_ref(scenario), options).await.unwrap();
    run(&own, scenario).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scenarios() {
    let chosen = chosen();
    let verbose = std::env::var("WAXSEAL_SCENARIOS").is_ok();
    let shared: Vec<Scenario> =
        chosen.iter().filter(|scenario| !scenario.options.own_lab).cloned().collect();
    let lab = Lab::start(&shared, LabOptions::at(lab_now())).await.unwrap();
    let lab = &lab;
    let results: Vec<(&Scenario, Checked, Vec<String>)> = futures::stream::iter(&chosen)
        .map(|scenario| async move {
            let checked = run_one(lab, scenario).await;
            let exit = exit_status(&checked.report, FailOn::Fail);
            let report = serde_json::to_value(&checked.report).unwrap();
            let wrong = mismatches(scenario, &report, exit);
            if verbose {
                println!("{}: {} exit {exit}", scenario.name, report["verdict"]);
                for finding in &checked.report.findings {
                    let f = finding;
                    println!(
                        "  {} {} {} {} {:?}",
                        f.severity, f.code, f.owner, f.subject, f.evidence
                    );
                }
                for host in &checked.report.mx {
                    for address in &host.addresses {
                        println!("  {} {} {}", host.host, address.address, address.outcome);
                        println!("  {:#?}", address.transcript);
                        println!("  {:?}", address.tls);
                    }
                }
            }
            (scenario, checked, wrong)
        })
        .buffer_unordered(SIDE_BY_SIDE)
        .collect()
        .await;
    let failed: Vec<String> = results
        .iter()
        .filter(|(.., wrong)| !wrong.is_empty())
        .map(|(scenario, _, wrong)| format!("{}: {}", scenario.name, wrong.join("; ")))
        .collect();
    println!("scenarios: {} passed, {} failed", results.len() - failed.len(), failed.len());
    assert!(failed.is_empty(), "\n{}", failed.join("\n"));
    let improved: Vec<String> = results
        .iter()
        .flat_map(|(scenario, checked, _)| {
            let losses = less_seen::improved_by_loss(checked);
            losses.into_iter().map(|loss| format!("{}: {loss}", scenario.name))
        })
        .collect();
    assert!(improved.is_empty(), "seeing less makes it better:\n{}", improved.join("\n"));
    let taken: usize = results.iter().map(|(_, checked, _)| less_seen::removable(checked)).sum();
    assert!(taken >= results.len(), "nothing was taken out of the facts");
    let in_shared_lab = results.iter().filter(|(scenario, ..)| !scenario.options.own_lab);
    let unverified = in_shared_lab.flat_map(|(_, checked, _)| unverified(checked)).collect();
    let forbidden = wire::forbidden(&lab.recordings(), &unverified);
    assert!(forbidden.is_empty(), "sent by a probe:\n{}", forbidden.join("\n"));
    if !verbose {
        let needless = rules_nobody_misses(&results);
        assert!(needless.is_empty(), "no scenario fails without: {}", needless.join(", "));
    }
}

/// The addresses whose certificate did not verify in the first session, for no name they were asked by.
fn unverified(checked: &Checked) -> Vec<IpAddr> {
    let addresses = || checked.report.mx.iter().flat_map(|host| &host.addresses);
    let verified = |address: &str| {
        addresses()
            .filter(|other| other.address == address)
            .any(|other| other.certificate.as_ref().is_some_and(|c| c.valid))
    };
    addresses()
        .filter(|address| address.certificate.as_ref().is_some_and(|c| !c.valid))
        .filter(|address| !verified(&address.address))
        .map(|address| address.address.parse().unwrap())
        .collect()
}

/// The rules without which every scenario would still hold. A scenario misses a rule when a code it must
/// show comes from that rule alone; codes of inputs that name nothing come from no rule. What only a
/// submission can show, a server that greets where TLS was begun, is missed by its own scenarios.
fn rules_nobody_misses(results: &[(&Scenario, Checked, Vec<String>)]) -> Vec<&'static str> {
    let only_of_submissions = ["greeting-before-tls"];
    registry::rules()
        .filter(|rule| !only_of_submissions.contains(&rule.name))
        .filter(|left_out| {
            !results.iter().any(|(scenario, checked, _)| {
                checked.facts.as_ref().is_some_and(|facts| misses(scenario, facts, left_out))
            })
        })
        .map(|rule| rule.name)
        .collect()
}

fn misses(scenario: &Scenario, facts: &Facts, left_out: &Rule) -> bool {
    let findings: Vec<Finding> = registry::rules()
        .filter(|rule| rule.name != left_out.name)
        .flat_map(|rule| (rule.judge)(facts))
        .collect();
    scenario.must.iter().any(|code| !findings.iter().any(|f| f.code.as_str() == code))
}
