//! `tool tls-rpt parse-record`: what RFC 8460 §3 says about the text of one TXT record, offline.

use super::super::error::CliError;
use super::super::exit::Exit;
use super::super::text;
use super::{Shown, guides};
use crate::wire::mechanism::RptRecord;
use clap::{Args, Subcommand};
use waxseal_proto::tls_rpt::parse_record;

/// TLS reporting tools.
#[derive(Subcommand, Debug)]
pub(crate) enum TlsRpt {
    /// Read the text of one TXT record at _smtp._tls
    #[command(after_help = "Examples:\n  \
        waxseal tool tls-rpt parse-record 'v=TLSRPTv1; rua=mailto:tls@example.com'\n  \
        waxseal tool tls-rpt parse-record 'v=TLSRPTv1; rua=https://example.com/report' --json")]
    ParseRecord(ParseRecord),
}

/// `tls-rpt parse-record`.
#[derive(Args, Debug)]
pub(crate) struct ParseRecord {
    /// The text of the record
    #[arg(allow_hyphen_values = true)]
    text: String,
    #[command(flatten)]
    shown: Shown,
}

pub(super) fn run(tool: &TlsRpt) -> Result<Exit, CliError> {
    let TlsRpt::ParseRecord(arguments) = tool;
    let parse = parse_record(&arguments.text);
    let value = RptRecord::of(&parse);
    let mut lines = vec![("valid", text::yes(value.valid))];
    for (name, value) in &parse.tags {
        lines.push(("tags", format!("{name}={value}")));
    }
    for rua in parse.rua.iter().flatten() {
        lines.push(("rua", rua.uri.clone()));
    }
    lines.extend(text::list("errors", &value.errors));
    lines.extend(text::list("warnings", &value.warnings));
    lines.extend(guides(&parse.codes()));
    let exit = Exit::of_answer(value.valid);
    arguments.shown.show(&value, &lines)?;
    Ok(exit)
}
