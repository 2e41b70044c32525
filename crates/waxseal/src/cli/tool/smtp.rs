//! `tool smtp …`: one reply of a server as RFC 5321 §4.2 reads it, offline; and one message handed to a server.

mod send;

use super::super::error::CliError;
use super::super::exit::Exit;
use super::super::world::WorldSource;
use super::super::{input, text};
use super::Shown;
use clap::{Args, Subcommand};
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use waxseal_proto::name::DomainName;
use waxseal_proto::smtp::ehlo::EhloSeen;
use waxseal_proto::smtp::reply::{FileReply, parse_reply_file};

/// SMTP tools.
#[derive(Subcommand, Debug)]
pub(crate) enum Smtp {
    /// Read one reply; the answer to EHLO shows its extensions too
    #[command(after_help = "Examples:\n  \
        printf '454 4.7.0 TLS not available\\r\\n' | waxseal tool smtp parse-reply -\n  \
        waxseal tool smtp parse-reply ehlo.txt --json\n\n\
        Exit status: 0 a complete reply of one code, 1 a reply with a fault or cut short, 2 no reply.")]
    ParseReply(ParseReply),
    /// Hand one message to a server, and say what happened at each step
    #[command(after_help = send::HELP)]
    Send(Box<send::Send>),
}

/// `smtp parse-reply`.
#[derive(Args, Debug)]
pub(crate) struct ParseReply {
    /// File with the reply as it came; - is standard input
    file: PathBuf,
    #[command(flatten)]
    shown: Shown,
}

#[derive(Serialize)]
struct Parsed {
    code: u16,
    enhanced: Option<String>,
    message: String,
    complete: bool,
    hostname: Option<String>,
    extensions: Option<BTreeMap<String, String>>,
    auth: Option<Vec<String>>,
    size: Option<u64>,
    /// Where the reply departs from the standard; with a fault, why the exit status is 1.
    deviations: Vec<&'static str>,
}

pub(super) fn run(
    tool: &Smtp,
    config: Option<&Path>,
    world: &WorldSource,
) -> Result<Exit, CliError> {
    match tool {
        Smtp::ParseReply(arguments) => parse_reply(arguments),
        Smtp::Send(arguments) => send::run(arguments, config, world),
    }
}

fn parse_reply(arguments: &ParseReply) -> Result<Exit, CliError> {
    let octets = input::read(&arguments.file)?;
    let found = parse_reply_file(&octets)
        .map_err(|error| CliError::usage(format!("{}: {error}", arguments.file.display())))?;
    let good = found.complete && found.reply.is_consistent();
    let value = parsed(&found);
    let mut lines = vec![
        ("code", value.code.to_string()),
        ("enhanced", value.enhanced.clone().unwrap_or_default()),
        ("complete", text::yes(value.complete)),
    ];
    lines.extend(text::list("message", &found.reply.lines));
    if let Some(extensions) = &value.extensions {
        lines.push(("hostname", value.hostname.clone().unwrap_or_default()));
        for (keyword, parameters) in extensions {
            lines.push(("extensions", format!("{keyword} {parameters}").trim_end().to_owned()));
        }
    }
    for deviation in &value.deviations {
        lines.push(("deviations", (*deviation).to_owned()));
    }
    arguments.shown.show(&value, &lines)?;
    Ok(Exit::of_answer(good))
}

fn parsed(found: &FileReply) -> Parsed {
    let reply = &found.reply;
    let ehlo = EhloSeen::from_reply(reply.clone());
    // The file does not say which command was answered. A 250 of several lines, or of one line that names
    // a host, reads as an answer to EHLO.
    let names_a_host = ehlo
        .hostname
        .as_deref()
        .is_some_and(|name| name.contains('.') && DomainName::parse(name).is_ok());
    let answers_ehlo =
        ehlo.accepted() && reply.enhanced.is_none() && (reply.lines.len() > 1 || names_a_host);
    let size = ehlo.size();
    Parsed {
        code: reply.code.number(),
        enhanced: reply.enhanced.map(|code| code.to_string()),
        message: reply.message(),
        complete: found.complete,
        hostname: ehlo.hostname.clone().filter(|_| answers_ehlo),
        extensions: answers_ehlo.then(|| extensions(&ehlo)),
        auth: answers_ehlo.then(|| ehlo.auth()),
        size: size.filter(|_| answers_ehlo),
        deviations: reply
            .deviations
            .iter()
            .chain(ehlo.deviations.iter().filter(|_| answers_ehlo))
            .map(|deviation| deviation.as_str())
            .collect(),
    }
}

/// Keyword to parameters; the first of a repeated keyword counts.
fn extensions(ehlo: &EhloSeen) -> BTreeMap<String, String> {
    let pairs = ehlo.extensions.iter().rev();
    pairs.map(|one| (one.keyword.clone(), one.parameters.join(" "))).collect()
}
