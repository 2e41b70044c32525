//! `waxseal tool …`: one mechanism each, offline unless it says so, with exact JSON keys. Every tool reads
//! its input, calls one function of `waxseal_proto`, and shows the value.

mod address;
mod cert;
mod mta_sts;
mod smtp;
mod tls;
mod tls_rpt;

use super::error::CliError;
use super::exit::Exit;
use super::world::WorldSource;
use super::{output, text};
use clap::{Args, Subcommand};
use serde::Serialize;
use std::path::Path;
use waxseal_proto::finding::Code;

/// The small tools.
#[derive(Subcommand, Debug)]
pub(crate) enum Tool {
    /// Check the form of an email address
    #[command(subcommand)]
    Address(address::Address),
    /// Verify, show and match certificates
    #[command(subcommand)]
    Cert(cert::Cert),
    /// Read and match MTA-STS records and policies
    #[command(subcommand)]
    MtaSts(mta_sts::MtaSts),
    /// Read SMTP replies, and hand one message to a server
    #[command(subcommand)]
    Smtp(smtp::Smtp),
    /// Look at the TLS of one server
    #[command(subcommand)]
    Tls(tls::Tls),
    /// Read TLS reporting records
    #[command(subcommand)]
    TlsRpt(tls_rpt::TlsRpt),
}

/// How a tool shows its value.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct Shown {
    /// Print one JSON object and nothing else
    #[arg(long)]
    json: bool,
}

impl Shown {
    /// Writes the value as JSON, or the lines for people.
    fn show(self, value: &impl Serialize, lines: &[(&str, String)]) -> Result<(), CliError> {
        if self.json { output::json(value) } else { output::data(&text::fields(lines)) }
    }
}

/// Runs one tool.
pub(crate) fn run(
    tool: &Tool,
    config: Option<&Path>,
    world: &WorldSource,
) -> Result<Exit, CliError> {
    match tool {
        Tool::Address(tool) => address::run(tool),
        Tool::Cert(tool) => cert::run(tool),
        Tool::MtaSts(tool) => mta_sts::run(tool),
        Tool::Smtp(tool) => smtp::run(tool, config, world),
        Tool::Tls(tool) => tls::run(tool, config, world),
        Tool::TlsRpt(tool) => tls_rpt::run(tool),
    }
}

/// Where the guides explain what is wrong.
fn guides(codes: &[Code]) -> impl Iterator<Item = (&'static str, String)> {
    codes.iter().map(|code| ("more", format!("waxseal guide {code}")))
}
