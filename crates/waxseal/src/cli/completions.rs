//! `waxseal completions SHELL` and `waxseal man DIR`: generated from the definition of the command line.

use super::error::CliError;
use super::exit::Exit;
use super::{command, output};
use clap::Args;
use clap_complete::Shell;
use std::path::PathBuf;

/// `waxseal completions`.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    waxseal completions bash > ~/.local/share/bash-completion/completions/waxseal\n  \
    waxseal completions zsh > ~/.zfunc/_waxseal")]
pub(crate) struct Completions {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

/// `waxseal man`.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  waxseal man ~/.local/share/man/man1")]
pub(crate) struct Man {
    /// The folder; it is made if it does not exist
    folder: PathBuf,
}

pub(super) fn run(completions: &Completions) -> Result<Exit, CliError> {
    let mut script = Vec::new();
    clap_complete::generate(completions.shell, &mut command(), "waxseal", &mut script);
    output::data(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Good)
}

pub(super) fn run_man(man: &Man) -> Result<Exit, CliError> {
    let wrong = |error: std::io::Error| CliError::file(&man.folder, &error);
    std::fs::create_dir_all(&man.folder).map_err(wrong)?;
    clap_mangen::generate_to(command(), &man.folder).map_err(wrong)?;
    Ok(Exit::Good)
}
