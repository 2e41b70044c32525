//! `tool address check`: one envelope address as RFC 5321 §4.1.2 and RFC 6531 §3.3 read it, offline. Whether
//! the mailbox exists is not asked.

use super::super::error::CliError;
use super::super::exit::Exit;
use super::super::text;
use super::Shown;
use crate::wire::mechanism;
use clap::{Args, Subcommand};

/// Address tools.
#[derive(Subcommand, Debug)]
pub(crate) enum Address {
    /// Say whether a text is an email address, and how it is written in ASCII
    #[command(after_help = "Examples:\n  \
        waxseal tool address check someone@example.com\n  \
        waxseal tool address check 'someone@bücher.example' --json\n\n\
        Only the form is checked; no server is asked. \"ascii\" is empty for an address that can travel\n\
        only where SMTPUTF8 is offered (RFC 6531).\n\n\
        Exit status: 0 an address, 1 none.")]
    Check(Check),
}

/// `address check`.
#[derive(Args, Debug)]
pub(crate) struct Check {
    /// The address, without name and angle brackets
    #[arg(value_name = "ADDR", allow_hyphen_values = true)]
    address: String,
    #[command(flatten)]
    shown: Shown,
}

pub(super) fn run(tool: &Address) -> Result<Exit, CliError> {
    let Address::Check(arguments) = tool;
    let value = mechanism::Address::of(&arguments.address);
    let lines = [
        ("valid", text::yes(value.valid)),
        ("ascii", value.ascii.clone().unwrap_or_default()),
        ("needs smtputf8", value.needs_smtputf8.map(text::yes).unwrap_or_default()),
        ("reason", value.reason.clone().unwrap_or_default()),
    ];
    arguments.shown.show(&value, &lines)?;
    Ok(Exit::of_answer(value.valid))
}
