//! `lab up` and `lab exec`: a lab for others to use, and any command inside one. The lab of a command
//! answers for every scenario that can share a world; one that cannot gets it alone.

use super::super::error::CliError;
use super::super::exit::Exit;
use super::super::world::WorldSource;
use super::super::{ended, output, run_in};
use super::{
    STANDING, Scenario, Serve, all, block_on, credentials, escape, first_connection, first_service,
    named, service_account, start,
};
use clap::Args;
use serde::Serialize;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;
use waxseal_lab::control::{Lab, LabParts};

/// The folder in a session folder that keeps connections and their tests.
const DATA: &str = "data";

/// `waxseal lab exec`.
#[derive(Args, Debug)]
pub(crate) struct Exec {
    /// Session folder of a lab that `lab up` keeps running
    #[arg(long, value_name = "DIR")]
    session: Option<PathBuf>,
    /// The command and its arguments, without `waxseal`
    #[arg(last = true, required = true, value_name = "ARGS")]
    arguments: Vec<OsString>,
}

/// `waxseal lab up`.
#[derive(Args, Debug)]
pub(crate) struct Up {
    /// Names of scenarios; default: all that can share a lab
    #[arg(value_name = "SCENARIO")]
    names: Vec<String>,
    /// Print one JSON object instead of the folder's path
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Running<'a> {
    session: &'a str,
    resolver: String,
    scenarios: usize,
    /// What the clients of path-A scenarios are set to.
    attempts: Vec<Settings<'a>>,
    /// What the clients of delivery services are set to.
    services: Vec<ApiSettings<'a>>,
}

/// What a client of a delivery service is set to; the secrets are test data of the lab.
#[derive(Serialize)]
struct ApiSettings<'a> {
    scenario: &'a str,
    service: &'a str,
    settings: &'a BTreeMap<String, String>,
    secrets: &'a BTreeMap<String, String>,
    from: &'a str,
    to: &'a str,
}

impl<'a> ApiSettings<'a> {
    fn of(scenario: &'a Scenario) -> Option<Self> {
        let attempt = scenario.api.as_ref()?;
        Some(Self {
            scenario: &scenario.name,
            service: attempt.service()?.as_str(),
            settings: &attempt.settings,
            secrets: &attempt.secrets,
            from: attempt.message.from(),
            to: &attempt.message.to,
        })
    }
}

/// What a client of a submission server is set to; the password is test data of the lab.
#[derive(Serialize)]
struct Settings<'a> {
    scenario: &'a str,
    host: String,
    port: &'a str,
    security: &'a str,
    username: Option<&'a str>,
    password: &'a str,
    from: &'a str,
    to: &'a str,
    /// The loopback socket behind host and port.
    socket: Option<String>,
}

impl<'a> Settings<'a> {
    fn of(lab: &Lab, scenario: &'a Scenario) -> Option<Self> {
        let attempt = scenario.submission.as_ref()?;
        let host = lab.attempt_host(scenario)?;
        let port = attempt.port.parse().ok();
        let socket = port.and_then(|port| lab.socket(&host, port)).map(|socket| socket.to_string());
        Some(Self {
            scenario: &scenario.name,
            host,
            port: &attempt.port,
            security: &attempt.mode,
            username: attempt.user(),
            password: &attempt.password,
            from: attempt.from(),
            to: attempt.to(),
            socket,
        })
    }
}

pub(super) fn run(exec: &Exec) -> Result<Exit, CliError> {
    let arguments = || std::iter::once(OsString::from("waxseal")).chain(exec.arguments.clone());
    if let Some(folder) = &exec.session {
        let parts = LabParts::read(folder).map_err(|error| {
            CliError::usage(format!("lab: {error}")).hint("start one with: waxseal lab up")
        })?;
        let data = folder.join(DATA);
        return Ok(run_in(arguments(), &WorldSource::Lab { parts: Box::new(parts), data }));
    }
    let runtime = runtime()?;
    let lab = runtime.block_on(own_lab(&exec.arguments))?;
    // The lab's servers run on the threads of its own runtime while the command has another one.
    let exit = inside(&lab, |world| run_in(arguments(), world));
    drop(lab);
    runtime.shutdown_background();
    exit
}

/// Runs something in a lab, with a folder for data that is removed afterwards.
pub(crate) fn inside<T>(lab: &Lab, work: impl FnOnce(&WorldSource) -> T) -> Result<T, CliError> {
    let session = lab.session().map_err(|error| CliError::undetermined(format!("lab: {error}")))?;
    let data = session.path().join(DATA);
    let done = work(&WorldSource::Lab { parts: Box::new(lab.world()), data });
    drop(session);
    Ok(done)
}

/// The pages of a lab that answers for every scenario that can share one.
pub(super) fn serve(command: &Serve) -> Result<Exit, CliError> {
    let runtime = runtime()?;
    let lab = runtime.block_on(async { start(&sharing(all()?), None).await })?;
    let exit = inside(&lab, |world| super::super::serve::run(command, None, world));
    drop(lab);
    runtime.shutdown_background();
    exit?
}

/// A runtime for a lab whose servers go on while commands run outside of it.
pub(crate) fn runtime() -> Result<tokio::runtime::Runtime, CliError> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| CliError::undetermined(format!("runtime: {error}")))
}

/// A lab that answers for the domains on the command line.
async fn own_lab(arguments: &[OsString]) -> Result<Lab, CliError> {
    let scenarios = all()?;
    let named = |scenario: &&Scenario| {
        let names_it = |text: &OsString| *text == *scenario.domain || *text == *scenario.input();
        arguments.iter().any(names_it)
    };
    let alone = scenarios.iter().find(|scenario| scenario.options.own_lab && named(scenario));
    // In that lab every other domain would seem not to exist.
    if let Some(scenario) = alone
        && let Some(other) =
            scenarios.iter().filter(named).find(|other| other.domain != scenario.domain)
    {
        return Err(CliError::usage(format!(
            "lab: {} and {} cannot share a lab",
            scenario.domain, other.domain
        ))
        .hint("name one of them at a time"));
    }
    match alone {
        Some(scenario) => start(std::slice::from_ref(scenario), scenario.options.now).await,
        None => start(&sharing(scenarios), None).await,
    }
}

fn sharing(scenarios: Vec<Scenario>) -> Vec<Scenario> {
    scenarios.into_iter().filter(|scenario| !scenario.options.own_lab).collect()
}

pub(super) fn up(up: &Up) -> Result<Exit, CliError> {
    let chosen = named(&up.names)?;
    let chosen = if up.names.is_empty() { sharing(chosen) } else { chosen };
    block_on(async {
        let lab = start(&chosen, None).await?;
        let session =
            lab.session().map_err(|error| CliError::undetermined(format!("lab: {error}")))?;
        let folder = session.path().display().to_string();
        if up.json {
            let resolver = lab.world().resolver.to_string();
            let attempts = chosen.iter().filter_map(|one| Settings::of(&lab, one)).collect();
            let services = chosen.iter().filter_map(ApiSettings::of).collect();
            let scenarios = chosen.len();
            let session = folder.as_str();
            output::json(&Running { session, resolver, scenarios, attempts, services })?;
        } else {
            output::data(&escape::block(&format!("{folder}\n")))?;
        }
        output::note(&format!("Scenarios up: {}.", chosen.len()));
        let is_check = |one: &&Scenario| one.submission.is_none() && one.api.is_none();
        if let Some(first) = chosen.iter().find(is_check) {
            let domain = &first.domain;
            output::note(&format!("Try: waxseal lab exec --session {folder} -- check {domain}"));
        }
        // Who names none gets one server of a hundred to begin with.
        let told = |one: &&Scenario| one.name == STANDING || !up.names.is_empty();
        for scenario in chosen.iter().filter(told) {
            if scenario.submission.is_some() {
                output::note(&credentials(scenario));
                output::note(&first_connection(scenario, &folder));
            }
            if scenario.api.is_some() {
                output::note(&service_account(scenario));
                output::note(&first_service(scenario, &folder));
            }
        }
        output::note("Ctrl-C ends the lab and removes the folder.");
        ended().await.map_err(|error| CliError::undetermined(format!("signal: {error}")))?;
        drop(session);
        Ok(Exit::Good)
    })
}
