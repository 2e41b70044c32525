//! `waxseal lab …`: the small mail internet on loopback. It can be kept running, looked at, run against the
//! real check, and any command can be run inside it. Everything it makes is simulated and temporary.

mod api;
mod attempt;
mod exec;
mod list;
mod run;
mod scenario;

pub(crate) use exec::{inside, runtime};
pub(crate) use run::{check_scenario, start};

use super::error::CliError;
use super::exit::Exit;
use super::serve::Serve;
use super::world::WorldSource;
use super::{block_on, output};
use crate::escape;
use clap::Subcommand;
use waxseal_lab::catalogue;
use waxseal_lab::scenario::Scenario;

/// `waxseal lab`.
#[derive(Subcommand, Debug)]
pub(crate) enum Lab {
    /// Run a waxseal command inside a lab
    #[command(after_help = "Examples:\n  \
        waxseal lab exec -- check cert-expired.test\n  \
        waxseal lab exec --session /tmp/waxseal-lab-abc123 -- check healthy-one-mx.test --json\n\n\
        Without --session the command gets a lab of its own. The exit status is that of the command.")]
    Exec(exec::Exec),
    /// List the scenarios, or the findings that none of them shows
    #[command(after_help = "Examples:\n  \
        waxseal lab list\n  \
        waxseal lab list --uncovered\n  \
        waxseal lab list --json")]
    List(list::List),
    /// Run scenarios through the real check, or a real submission, and compare with what they expect
    #[command(after_help = "Examples:\n  \
        waxseal lab run cert-expired\n  \
        waxseal lab run --area submission\n  \
        waxseal lab run --all --json\n\n\
        Exit status: 0 every expectation held, 1 one did not, 2 no such scenario.")]
    Run(run::Run),
    /// Serve the web pages inside a lab of their own, with temporary data
    #[command(after_help = "Examples:\n  \
        waxseal lab serve\n  \
        waxseal lab serve --listen 127.0.0.1:8080\n\n\
        Domains to try: waxseal lab list. Everything shown is marked as simulated. Commands beside it, such as\n\
        token create, take the session folder that it prints: waxseal lab exec --session DIR -- ...")]
    Serve(Box<Serve>),
    /// Print the file of a scenario
    #[command(after_help = "Examples:\n  waxseal lab show cert-expired")]
    Show(list::Show),
    /// Keep a lab running until Ctrl-C; prints the path of its session folder
    #[command(after_help = "Examples:\n  \
        waxseal lab up\n  \
        waxseal lab up healthy-one-mx cert-expired\n\n\
        The folder holds resolver.txt, routes.txt, ca.pem, private-ca.pem, trust-anchor.txt and\n\
        parts.json, the mail that was accepted (mail) and the data of commands (data), and is removed\n\
        at the end.")]
    Up(exec::Up),
}

pub(super) fn run(lab: &Lab, world: &WorldSource) -> Result<Exit, CliError> {
    if world.is_lab() {
        return Err(CliError::usage("lab: a lab cannot be started inside a lab"));
    }
    match lab {
        Lab::Exec(command) => exec::run(command),
        Lab::List(command) => list::run(command),
        Lab::Run(command) => run::run(command),
        Lab::Serve(command) => exec::serve(command),
        Lab::Show(command) => list::show(command),
        Lab::Up(command) => exec::up(command),
    }
}

/// Every scenario of the catalogue.
fn all() -> Result<Vec<Scenario>, CliError> {
    catalogue::all().map_err(|error| CliError::usage(format!("lab: {error}")))
}

/// The scenarios with these names; all of them for no name.
fn named(names: &[String]) -> Result<Vec<Scenario>, CliError> {
    if names.is_empty() {
        return all();
    }
    names.iter().map(|name| find(name)).collect()
}

/// The scenario with this name.
pub(crate) fn find(name: &str) -> Result<Scenario, CliError> {
    match catalogue::find(name) {
        Ok(Some(scenario)) => Ok(scenario),
        Ok(None) => Err(no_scenario(name)),
        Err(error) => Err(CliError::usage(format!("lab: {error}"))),
    }
}

/// The scenario with a healthy submission server that is always there.
pub(crate) const STANDING: &str = "submission";

/// What a client of the scenario's submission servers is set to, with the lab's test credentials.
fn credentials(scenario: &Scenario) -> String {
    let Some(attempt) = &scenario.submission else { return String::new() };
    let servers = scenario.hosts.iter().flat_map(|host| &host.smtp);
    let ports: Vec<String> = servers
        .filter(|server| server.submission.is_some())
        .map(|server| {
            let mode = if server.implicit_tls { "tls" } else { "starttls" };
            format!("{} ({mode})", server.port.unwrap_or(25))
        })
        .collect();
    let account = scenario
        .hosts
        .iter()
        .flat_map(|host| &host.smtp)
        .find_map(|server| server.submission.as_ref()?.accounts.first());
    let account = account.map_or_else(
        || "no account".to_owned(),
        |account| format!("user {}, password {}", account.user, account.password),
    );
    escape::line(&format!(
        "Submission server of {}: {}, ports {}; {account} (test data of the lab)",
        scenario.name,
        attempt.host(),
        ports.join(", "),
    ))
}

/// The commands that add and test a connection to the scenario's first submission server. The password is
/// typed at the prompt: it is never an argument.
fn first_connection(scenario: &Scenario, folder: &str) -> String {
    let Some(attempt) = &scenario.submission else { return String::new() };
    let run = format!("waxseal lab exec --session {folder} -- connection");
    escape::block(&format!(
        "Try: {run} add own --host {} --port {} --security {} --user {} --from-address {}\n\
         and: {run} test own --to {}",
        attempt.host(),
        attempt.port,
        attempt.mode,
        attempt.user().unwrap_or_default(),
        attempt.from(),
        attempt.to(),
    ))
}

/// What a client of the scenario's delivery service is set to, with the lab's test keys.
fn service_account(scenario: &Scenario) -> String {
    let Some(attempt) = &scenario.api else { return String::new() };
    let secrets: Vec<String> =
        attempt.secrets.iter().map(|(name, value)| format!("{name} {value}")).collect();
    escape::line(&format!(
        "Delivery service of {}: {}, {} (test data of the lab)",
        scenario.name,
        attempt.service().map_or("", |service| service.as_str()),
        secrets.join(", "),
    ))
}

/// The commands that add and test a connection to the scenario's delivery service. The key is typed at the
/// prompt: it is never an argument.
fn first_service(scenario: &Scenario, folder: &str) -> String {
    let Some(attempt) = &scenario.api else { return String::new() };
    let run = format!("waxseal lab exec --session {folder} -- connection");
    let settings: Vec<String> =
        attempt.settings.iter().map(|(name, value)| format!("--setting {name}={value} ")).collect();
    escape::block(&format!(
        "Try: {run} add news --service {} {}--from-address {}\n\
         and: {run} test news --to {}",
        attempt.service().map_or("", |service| service.as_str()),
        settings.concat(),
        attempt.message.from(),
        attempt.message.to,
    ))
}

fn no_scenario(name: &str) -> CliError {
    CliError::usage(format!("lab: no scenario is called {name:?}")).hint("waxseal lab list")
}
