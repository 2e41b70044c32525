//! `tool mta-sts parse-record|parse-policy|match`: what RFC 8461 says about a text, offline.

use super::super::error::CliError;
use super::super::exit::Exit;
use super::super::{input, text};
use super::{Shown, guides};
use crate::wire::mechanism::{StsMatch, StsPolicy, StsRecord};
use clap::{Args, Subcommand};
use std::path::PathBuf;
use waxseal_proto::mta_sts::{MxPattern, parse_policy, parse_record};
use waxseal_proto::name::DomainName;

/// MTA-STS tools.
#[derive(Subcommand, Debug)]
pub(crate) enum MtaSts {
    /// Ask whether a policy or a pattern lists a mail host
    #[command(after_help = "Examples:\n  \
        waxseal tool mta-sts match --policy mta-sts.txt mx1.example.com\n  \
        waxseal tool mta-sts match --pattern '*.example.com' mx1.example.com --json\n\n\
        Exit status: 0 listed, 1 not listed, 2 bad usage or a policy that cannot be read.")]
    Match(Match),
    /// Read a policy file
    #[command(after_help = "Examples:\n  \
        waxseal tool mta-sts parse-policy mta-sts.txt\n  \
        curl -s https://mta-sts.example.com/.well-known/mta-sts.txt | waxseal tool mta-sts parse-policy - --json")]
    ParsePolicy(ParsePolicy),
    /// Read the text of one TXT record at _mta-sts
    #[command(after_help = "Examples:\n  \
        waxseal tool mta-sts parse-record 'v=STSv1; id=20260101T000000;'\n  \
        waxseal tool mta-sts parse-record 'v=STSv1; id=1' --json")]
    ParseRecord(ParseRecord),
}

/// `mta-sts match`.
#[derive(Args, Debug)]
#[command(group = clap::ArgGroup::new("against").required(true).args(["policy", "pattern"]))]
pub(crate) struct Match {
    /// Policy file; - is standard input
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// One mx pattern
    #[arg(long, value_name = "P", allow_hyphen_values = true)]
    pattern: Option<String>,
    /// The mail host
    #[arg(value_name = "MX", allow_hyphen_values = true)]
    host: String,
    #[command(flatten)]
    shown: Shown,
}

/// `mta-sts parse-policy`.
#[derive(Args, Debug)]
pub(crate) struct ParsePolicy {
    /// Policy file; - is standard input
    file: PathBuf,
    #[command(flatten)]
    shown: Shown,
}

/// `mta-sts parse-record`.
#[derive(Args, Debug)]
pub(crate) struct ParseRecord {
    /// The text of the record
    #[arg(allow_hyphen_values = true)]
    text: String,
    #[command(flatten)]
    shown: Shown,
}

pub(super) fn run(tool: &MtaSts) -> Result<Exit, CliError> {
    match tool {
        MtaSts::Match(arguments) => run_match(arguments),
        MtaSts::ParsePolicy(arguments) => run_parse_policy(arguments),
        MtaSts::ParseRecord(arguments) => run_parse_record(arguments),
    }
}

fn run_match(arguments: &Match) -> Result<Exit, CliError> {
    let pattern = matching_pattern(arguments)?;
    let lines =
        [("match", text::yes(pattern.is_some())), ("pattern", pattern.clone().unwrap_or_default())];
    let exit = Exit::of_answer(pattern.is_some());
    arguments.shown.show(&StsMatch::of(pattern), &lines)?;
    Ok(exit)
}

/// The pattern that lists the host. A host or pattern that is no name lists nothing.
fn matching_pattern(arguments: &Match) -> Result<Option<String>, CliError> {
    let host = DomainName::parse(&arguments.host).ok();
    if let Some(pattern) = &arguments.pattern {
        let listed = MxPattern::parse(pattern)
            .ok()
            .zip(host)
            .is_some_and(|(pattern, host)| pattern.matches(&host));
        return Ok(listed.then(|| pattern.clone()));
    }
    let path = arguments.policy.as_deref().unwrap_or_else(|| std::path::Path::new("-"));
    let parse = parse_policy(&input::read(path)?);
    let Some(policy) = parse.policy.as_ref() else {
        let first = parse.errors.first().map(ToString::to_string).unwrap_or_default();
        return Err(CliError::usage(format!("{}: no usable policy: {first}", path.display()))
            .hint(format!("waxseal tool mta-sts parse-policy {}", path.display())));
    };
    Ok(host.and_then(|host| policy.matching(&host).map(ToString::to_string)))
}

fn run_parse_policy(arguments: &ParsePolicy) -> Result<Exit, CliError> {
    let parse = parse_policy(&input::read(&arguments.file)?);
    let value = StsPolicy::of(&parse);
    let mut lines = vec![
        ("valid", text::yes(value.valid)),
        ("mode", value.mode.unwrap_or_default().to_owned()),
    ];
    lines.extend(text::list("mx", &value.mx));
    lines.push(("max_age", value.max_age.map_or_else(String::new, |age| age.to_string())));
    for (name, value) in &value.extensions {
        lines.push(("extension", format!("{name}: {value}")));
    }
    lines.extend(text::list("errors", &value.errors));
    lines.extend(text::list("warnings", &value.warnings));
    lines.extend(guides(&parse.codes()));
    let exit = Exit::of_answer(value.valid);
    arguments.shown.show(&value, &lines)?;
    Ok(exit)
}

fn run_parse_record(arguments: &ParseRecord) -> Result<Exit, CliError> {
    let parse = parse_record(&arguments.text);
    let value = StsRecord::of(&parse);
    let mut lines = vec![("valid", text::yes(value.valid))];
    for (name, value) in &parse.tags {
        lines.push(("tags", format!("{name}={value}")));
    }
    lines.extend(text::list("errors", &value.errors));
    lines.extend(text::list("warnings", &value.warnings));
    lines.extend(guides(&parse.codes()));
    let exit = Exit::of_answer(value.valid);
    arguments.shown.show(&value, &lines)?;
    Ok(exit)
}
