//! The command line: what can be typed, and which function answers it. Commands return an exit status or
//! one error line; only [`run`] touches the process. Every `--help` shows examples.

mod backup;
mod check;
mod completions;
pub(crate) mod connection;
mod demo;
mod doctor;
pub(crate) mod error;
pub(crate) mod exit;
mod guide;
pub(crate) mod headers;
pub(crate) mod input;
mod key;
mod lab;
mod mcp;
pub(crate) mod output;
mod presets;
mod prompt;
mod serve;
mod settings;
mod text;
mod token;
mod tool;
mod user;
mod world;

use crate::escape;
use clap::{CommandFactory, Parser, Subcommand};
use error::CliError;
use exit::Exit;
use std::ffi::OsString;
use std::path::PathBuf;
use world::WorldSource;

/// TLS for email, checked from a server
#[derive(Parser, Debug)]
#[command(
    name = "waxseal",
    version,
    propagate_version = true,
    disable_help_subcommand = true,
    after_help = "Examples:\n  \
        waxseal demo\n  \
        waxseal check example.com\n  \
        waxseal check --only mx example.com --json\n  \
        waxseal guide tls\n\n\
        Exit status: 0 done and good, 1 a problem was found, 2 bad usage or unreadable input, 3 could not be determined."
)]
pub(crate) struct Cli {
    /// Settings file; default: waxseal.toml here, then in the user's configuration folder
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

/// The commands.
#[derive(Subcommand, Debug)]
enum Command {
    /// Write a copy of the live database; the master key is separate
    Backup(backup::Backup),
    /// Check one or a few domains from here, as a sending mail server would
    Check(Box<check::Check>),
    /// Print a shell completion script
    Completions(completions::Completions),
    /// Show the effective settings and where each comes from
    #[command(subcommand)]
    Config(settings::Config),
    /// Connections to delivery services and SMTP servers, with their secrets sealed
    #[command(subcommand)]
    Connection(connection::Connection),
    /// Start the lab, check three of its domains and test connections
    Demo(demo::Demo),
    /// Look at this machine: resolver, DNSSEC, port 25, own address and names
    Doctor(doctor::Doctor),
    /// Read a guide page, a section, or about one finding
    Guide(guide::Guide),
    /// Show the path of a received message, hop by hop, with what TLS each hop used
    Headers(headers::Headers),
    /// The master keys that stored secrets are sealed with
    #[command(subcommand)]
    Key(key::Key),
    /// A small mail internet on loopback, with everything that can go wrong
    #[command(subcommand)]
    Lab(lab::Lab),
    /// Write manual pages into a folder
    Man(completions::Man),
    /// Serve agents over standard input and output (Model Context Protocol)
    Mcp(mcp::Mcp),
    /// Show host, port, mode and documentation page of known services
    Presets(presets::Presets),
    /// Make the database of an empty folder from a copy; the master key is separate
    Restore(backup::Restore),
    /// Serve the web pages until Ctrl-C
    Serve(Box<serve::Serve>),
    /// Tokens by which programs come in to the HTTP interface
    #[command(subcommand)]
    Token(token::Token),
    /// Small tools: one mechanism each, exact
    #[command(subcommand)]
    Tool(tool::Tool),
    /// Who may sign in to the web pages
    #[command(subcommand)]
    User(user::User),
}

/// Runs the command line and says how it ended.
pub(crate) fn run(arguments: impl IntoIterator<Item = OsString>) -> Exit {
    run_in(arguments, &WorldSource::Real)
}

/// Runs a command line in a world.
fn run_in(arguments: impl IntoIterator<Item = OsString>, world: &WorldSource) -> Exit {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => return refused(&error),
    };
    match dispatch(&cli, world) {
        Ok(exit) => exit,
        Err(error) => {
            output::note(&error.line());
            error.exit()
        }
    }
}

fn dispatch(cli: &Cli, world: &WorldSource) -> Result<Exit, CliError> {
    let config = cli.config.as_deref();
    match &cli.command {
        Command::Backup(command) => backup::run(command, config, world),
        Command::Check(command) => check::run(command, config, world),
        Command::Completions(command) => completions::run(command),
        Command::Config(command) => settings::run(command, config, world),
        Command::Connection(command) => connection::run(command, config, world),
        Command::Demo(command) => demo::run(command),
        Command::Doctor(command) => doctor::run(command, config, world),
        Command::Guide(command) => guide::run(command),
        Command::Headers(command) => headers::run(command),
        Command::Key(command) => key::run(command, config, world),
        Command::Lab(command) => lab::run(command, world),
        Command::Man(command) => completions::run_man(command),
        Command::Mcp(command) => mcp::run(command, config, world),
        Command::Presets(command) => presets::run(command),
        Command::Restore(command) => backup::run_restore(command, config, world),
        Command::Serve(command) => serve::run(command, config, world),
        Command::Token(command) => token::run(command, config, world),
        Command::Tool(command) => tool::run(command, config, world),
        Command::User(command) => user::run(command, config, world),
    }
}

/// Help and version go to standard output; a usage error to standard error, with what was typed escaped.
fn refused(error: &clap::Error) -> Exit {
    if error.use_stderr() {
        output::note(escape::block(&error.render().to_string()).trim_end());
        return Exit::Usage;
    }
    match output::data(&error.render().ansi().to_string()) {
        Ok(()) => Exit::Good,
        Err(error) => error.exit(),
    }
}

/// The definition of the whole command line.
pub(crate) fn command() -> clap::Command {
    Cli::command()
}

/// Runs something asynchronous to its end.
fn block_on<T>(work: impl Future<Output = Result<T, CliError>>) -> Result<T, CliError> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| CliError::undetermined(format!("runtime: {error}")))?
        .block_on(work)
}

/// Waits for Ctrl-C or, where there is such a thing, for a request to terminate.
async fn ended() -> std::io::Result<()> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate())?;
        tokio::select! {
            ended = tokio::signal::ctrl_c() => ended,
            _ = terminate.recv() => Ok(()),
        }
    }
    #[cfg(not(unix))]
    {
        tokio::signal::ctrl_c().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_is_sound_and_every_command_shows_examples() {
        command().debug_assert();
        let mut open = vec![(String::from("waxseal"), command())];
        while let Some((path, command)) = open.pop() {
            let is_leaf = command.get_subcommands().next().is_none();
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(!is_leaf || help.contains("Examples:"), "{path} --help shows no example");
            for sub in command.get_subcommands() {
                open.push((format!("{path} {}", sub.get_name()), sub.clone()));
            }
        }
    }
}
