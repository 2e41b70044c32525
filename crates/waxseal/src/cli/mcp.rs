//! `waxseal mcp`: the tools for agents over standard input and output. It opens the world once and says which
//! scopes the agent has; simulation options do not exist here, a lab is the one other world.

use super::ended;
use super::error::CliError;
use super::exit::Exit;
use super::lab::runtime;
use super::world::{Simulation, WorldSource};
use crate::config::data::{self, DataFlags};
use crate::config::{self, NetworkFlags};
use crate::limits::LAB_SURVEY;
use crate::mcp::{LookSettings, SWITCHES, Settings, serve_stdio};
use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser};
use std::path::Path;
use waxseal_app::tokens::{Scope, Scopes};
use waxseal_check::limits::Limits;

/// `waxseal mcp`.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    waxseal mcp\n  \
    waxseal mcp --allow test-send\n  \
    waxseal lab exec -- mcp --allow test-send --allow add-connection\n\n\
    A program that works with agents starts it and speaks the Model Context Protocol with it over\n\
    standard input and output. Without --allow it looks and explains: it sends no message and adds\n\
    nothing. No tool takes or shows a secret. It ends when its input ends, or on SIGTERM.")]
pub(crate) struct Mcp {
    /// What agents may do besides looking; may be repeated
    #[arg(
        long,
        value_name = "SCOPE",
        value_delimiter = ',',
        value_parser = PossibleValuesParser::new(SWITCHES.map(word))
    )]
    allow: Vec<String>,
    #[command(flatten)]
    data: DataFlags,
    #[command(flatten)]
    network: NetworkFlags,
}

pub(super) fn run(
    command: &Mcp,
    config: Option<&Path>,
    source: &WorldSource,
) -> Result<Exit, CliError> {
    let network = config::load(config, &command.network)?;
    let world = source.open(&network, &Simulation::default())?;
    let place = data::load(config, &command.data, source.lab_data())?;
    let mut limits = Limits::default();
    if source.is_lab() {
        limits.survey_total = LAB_SURVEY;
    }
    let settings = Settings {
        data: place.settings(),
        look: LookSettings { controls: config::control_hosts(&network)?, limits },
        scopes: Scopes::of_words(command.allow.iter().map(String::as_str)),
    };
    // A thread waits for standard input for as long as it is open: it does not keep the program.
    let runtime = runtime()?;
    let served = runtime.block_on(serve_stdio(world, settings, stopped()));
    runtime.shutdown_background();
    served.map_err(|error| CliError::undetermined(format!("standard input: {error}")))?;
    Ok(Exit::Good)
}

fn word(scope: Scope) -> PossibleValue {
    PossibleValue::new(scope.as_str()).help(match scope {
        Scope::AddConnection => "Add connections, without their secrets",
        Scope::Connections => "Change, enable and disable connections too",
        Scope::TestSend => "Send real test messages over stored connections",
        Scope::Check | Scope::Read => "Look",
    })
}

/// Waits to be asked to end; without signals the program ends with its input.
async fn stopped() {
    if ended().await.is_err() {
        std::future::pending::<()>().await;
    }
}
