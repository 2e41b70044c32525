//! `tool address check`: one envelope address as RFC 5321 §4.1.2 and RFC 6531 §3.3 read it, offline. Whether
//! the mailbox exists is not asked.

use super::super::error::CliError;
use super::super::exit::Exit;
use super::super::text;
use super::Shown;
use clap::{Args, Subcommand};
use serde::Serialize;
use waxseal_proto::name::Mailbox;

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

#[derive(Serialize)]
struct Checked {
    valid: bool,
    ascii: Option<String>,
    needs_smtputf8: Option<bool>,
    reason: Option<String>,
}

pub(super) fn run(tool: &Address) -> Result<Exit, CliError> {
    let Address::Check(arguments) = tool;
    let value = match Mailbox::parse(&arguments.address) {
        Ok(mailbox) => Checked {
            valid: true,
            ascii: mailbox.ascii(),
            needs_smtputf8: Some(mailbox.needs_smtputf8()),
            reason: None,
        },
        Err(error) => Checked {
            valid: false,
            ascii: None,
            needs_smtputf8: None,
            reason: Some(error.to_string()),
        },
    };
    let lines = [
        ("valid", text::yes(value.valid)),
        ("ascii", value.ascii.clone().unwrap_or_default()),
        ("needs smtputf8", value.needs_smtputf8.map(text::yes).unwrap_or_default()),
        ("reason", value.reason.clone().unwrap_or_default()),
    ];
    arguments.shown.show(&value, &lines)?;
    Ok(Exit::of_answer(value.valid))
}
