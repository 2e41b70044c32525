//! `waxseal headers FILE`: the path of a received message by its `Received` lines (RFC 5321 §4.4), with what
//! each line says about TLS, and what the receiver wrote about the sender (RFC 8601). Offline; the rules
//! are in `waxseal_proto::message`, here is only how they are shown. Keep: every answer says that it is a
//! claim of the server that wrote the line.

mod wire;

pub(crate) use wire::Message;

use super::error::CliError;
use super::exit::Exit;
use super::{input, output, text};
use clap::Args;
use std::path::{Path, PathBuf};
use waxseal_proto::message::alignment::{Alignment, AlignmentSeen, Identity};
use waxseal_proto::message::auth_results::{self, AuthResults};
use waxseal_proto::message::header::HeaderBlock;
use waxseal_proto::message::path::MailPath;
use waxseal_proto::message::received::{Hop, Protection};

/// `headers`.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    waxseal headers message.eml\n  \
    waxseal headers - --json < message.eml\n\n\
    In JSON, tls.encrypted says whether the line claims TLS; protection tells a hop without TLS from one\n\
    inside a machine and from a line that does not say. first_unencrypted is a place in hops, from 0.\n\n\
    Exit status: 0 every hop between machines claims TLS, 1 a hop names a protocol without TLS,\n\
    2 no message, 3 the lines do not say.")]
pub(crate) struct Headers {
    /// The message as it was received, or only its header; - is standard input
    file: PathBuf,
    /// Print one JSON object and nothing else
    #[arg(long)]
    json: bool,
}

/// What the lines prove when the server that wrote them is trusted.
const PROVES: [&str; 1] = [
    "for each line of a server you trust, usually the newest ones of your own mailbox provider: that \
     hand-over was made as the line says",
];

/// What they never prove.
const DOES_NOT_PROVE: [&str; 4] = [
    "anything by lines below the first server you do not trust: whoever sent the message can have \
     written them",
    "that the sending side verified the receiving server's certificate: encrypted here means \
     encrypted, not verified",
    "that another message takes the same path, or that this one is stored encrypted",
    "that the sender may use the From domain: the authentication results are claims of the server \
     they name",
];

/// What to do about a text without a header.
pub(crate) const NO_HEADER: &str =
    "save the message with its full header (\"show original\", \"view source\")";

/// One message, read.
struct Seen {
    block: HeaderBlock,
    path: MailPath,
    results: Vec<(AuthResults, AlignmentSeen)>,
}

/// A message as it arrived, for every command that shows one.
pub(crate) struct Arrived(Seen);

impl Arrived {
    /// Reads a message, or only its header.
    pub(super) fn read(file: &Path) -> Result<Self, CliError> {
        let octets = input::read(file)?;
        Self::parse(&octets).ok_or_else(|| {
            let name = file.display();
            CliError::usage(format!("{name}: no header field of a message in it")).hint(NO_HEADER)
        })
    }

    /// A message, or only its header; none when there is no header field in it.
    pub(crate) fn parse(octets: &[u8]) -> Option<Self> {
        let block = HeaderBlock::parse(octets);
        if block.fields.is_empty() {
            return None;
        }
        let results = auth_results::of_block(&block).into_iter().map(|results| {
            let alignment = AlignmentSeen::of(&block, &results);
            (results, alignment)
        });
        let results = results.collect();
        Some(Self(Seen { path: MailPath::of(&block), results, block }))
    }

    /// Its Message-ID without angle brackets.
    pub(crate) fn message_id(&self) -> Option<String> {
        let value = self.0.block.named("Message-ID").next()?.value();
        let id = value.trim().strip_prefix('<')?.strip_suffix('>')?;
        Some(id.to_owned())
    }

    /// Its `Received` lines.
    pub(crate) const fn path(&self) -> &MailPath {
        &self.0.path
    }

    /// As JSON.
    pub(crate) fn wire(&self) -> Message {
        Message::of(&self.0)
    }

    /// As text.
    pub(super) fn text(&self) -> String {
        shown(&self.0)
    }

    /// What it means for the exit status.
    pub(super) fn exit(&self) -> Exit {
        exit(&self.0.path)
    }
}

pub(super) fn run(arguments: &Headers) -> Result<Exit, CliError> {
    let arrived = Arrived::read(&arguments.file)?;
    if arguments.json {
        output::json(&arrived.wire())?;
    } else {
        output::data(&arrived.text())?;
    }
    Ok(arrived.exit())
}

fn exit(path: &MailPath) -> Exit {
    path.all_encrypted().map_or(Exit::Undetermined, Exit::of_answer)
}

fn shown(seen: &Seen) -> String {
    let mut out = String::new();
    for (index, hop) in seen.path.hops.iter().enumerate() {
        out.push_str(&format_hop(index, hop));
        out.push('\n');
    }
    for (results, alignment) in &seen.results {
        out.push_str(&text::fields(&authentication(results, alignment)));
        out.push('\n');
    }
    let mut lines = vec![("path", summary(&seen.path))];
    if seen.path.hops_not_read > 0 {
        lines.push(("not read", format!("{} more Received lines", seen.path.hops_not_read)));
    }
    for deviation in &seen.block.deviations {
        lines.push(("deviations", deviation.as_str().to_owned()));
    }
    if let Some(next) = next(&seen.path) {
        lines.push(("next", next.to_owned()));
    }
    lines.extend(text::list("proves", &PROVES.map(str::to_owned)));
    lines.extend(text::list("does not prove", &DOES_NOT_PROVE.map(str::to_owned)));
    out.push_str(&text::fields(&lines));
    out
}

fn summary(path: &MailPath) -> String {
    let claim = match (path.all_encrypted(), path.first_unencrypted()) {
        (Some(true), _) => "every hop between machines claims TLS".to_owned(),
        (_, Some(at)) => format!("not encrypted: hop {} names a protocol without TLS", at + 1),
        (Some(false) | None, None) if path.hops.is_empty() => "no Received lines".to_owned(),
        (Some(false) | None, None) => {
            "no hop names a protocol without TLS, but not every line says that TLS was used"
                .to_owned()
        }
    };
    let hops = path.hops.len();
    format!("{claim} ({hops} {}, newest first)", if hops == 1 { "hop" } else { "hops" })
}

/// What to look at where the lines do not say.
fn next(path: &MailPath) -> Option<&'static str> {
    if path.hops.is_empty() {
        return Some(
            "save the message from the mailbox it arrived in: a sent copy has no Received lines, and each server \
             on the way adds one",
        );
    }
    path.all_encrypted().is_none().then_some(
        "look at the hops whose TLS is not stated: a line of your own provider's servers can be asked for there, \
         and waxseal check DOMAIN shows what a server of the recipient offers",
    )
}

fn format_hop(index: usize, hop: &Hop) -> String {
    let number = format!("hop {}", index + 1);
    let by = hop.by.as_deref().unwrap_or("a server that does not name itself");
    let mut lines = vec![(number.as_str(), format!("{by} took it from {}", peer(hop)))];
    lines.push(("TLS", protection(hop)));
    if hop.tls.version_is_family {
        lines.push((
            "",
            "TLSv1/SSLv3 names a family of suites; the session may have been newer".to_owned(),
        ));
    }
    let mut how = hop.with_text.clone().unwrap_or_else(|| "not said".to_owned());
    if let Some(via) = &hop.via {
        how = format!("{how}, via {via}");
    }
    lines.push(("with", how));
    lines.push(("id", hop.id.clone().unwrap_or_default()));
    lines.push(("for", hop.for_recipient.clone().unwrap_or_default()));
    lines.push(("date", hop.date.map(|at| at.to_string()).unwrap_or_default()));
    for deviation in &hop.deviations {
        lines.push(("deviations", deviation.as_str().to_owned()));
    }
    text::fields(&lines)
}

/// The peer in words: EHLO name, address, reverse name.
fn peer(hop: &Hop) -> String {
    let from = &hop.from;
    let name = from.helo.as_deref().or(from.name.as_deref());
    let mut words: Vec<String> = name.map(str::to_owned).into_iter().collect();
    words.extend(from.ip.map(|ip| format!("[{ip}]")));
    words.extend(from.rdns.as_deref().map(|name| format!("(reverse name {name})")));
    if words.is_empty() { "nobody it names".to_owned() } else { words.join(" ") }
}

/// What a line says of TLS, by the word of [`Protection::as_str`].
pub(crate) fn in_words(protection: &str) -> &'static str {
    match protection {
        "encrypted" => "encrypted, not verified",
        "local" => "not needed: the line tells of no other machine",
        "not-encrypted" => "not encrypted: the line names a protocol without TLS",
        "other-transport" => "not stated: handed in over the web or fetched from a mailbox",
        _ => "not stated: the line names neither a protocol nor TLS",
    }
}

fn protection(hop: &Hop) -> String {
    let words = in_words(hop.protection.as_str());
    let mut parts = vec![words.to_owned()];
    parts.extend(hop.tls.version.map(|version| match version.as_str() {
        "ssl3" => "SSL 3.0".to_owned(),
        number => format!("TLS {number}"),
    }));
    parts.extend(hop.tls.cipher.clone());
    parts.extend(hop.tls.bits.map(|bits| format!("{bits} bits")));
    if hop.protection == Protection::Encrypted && parts.len() == 1 {
        parts.push("version and cipher not said".to_owned());
    }
    parts.join(", ")
}

fn authentication<'a>(results: &AuthResults, alignment: &AlignmentSeen) -> Vec<(&'a str, String)> {
    let server = results.authserv_id.as_deref().unwrap_or("a server that does not name itself");
    let mut lines = vec![("results by", format!("{server} (its claim)"))];
    for result in &results.results {
        let properties: Vec<String> =
            result.properties.iter().map(|(key, value)| format!("{key}={value}")).collect();
        let line = format!("{}={} {}", result.method, result.result, properties.join(" "));
        lines.push(("result", line.trim_end().to_owned()));
    }
    let from = alignment.from_domain.as_ref().map(ToString::to_string);
    lines.push(("From domain", from.unwrap_or_default()));
    lines.extend(alignment.identities.iter().map(|one| ("alignment", aligned(one))));
    lines
}

fn aligned(identity: &Identity) -> String {
    let close = match identity.alignment.map(Alignment::as_str) {
        Some("none") => "not aligned with the From domain".to_owned(),
        Some(kind) => format!("aligned ({kind})"),
        None => "not comparable: no single From domain".to_owned(),
    };
    format!("{} {} for {}: {close}", identity.mechanism.as_str(), identity.result, identity.domain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exit_status_follows_the_claims() {
        let table: &[(&[u8], Exit)] = &[
            (b"Received: from a.test ([192.0.2.1]) by b.test with ESMTPS id 1\r\n", Exit::Good),
            (b"Received: from a.test ([192.0.2.1]) by b.test with ESMTP id 1\r\n", Exit::Problem),
            (b"Received: from a.test ([192.0.2.1]) by b.test id 1\r\n", Exit::Undetermined),
            (b"Received: by b.test (Postfix) id 1\r\n", Exit::Undetermined),
            (b"Subject: x\r\n", Exit::Undetermined),
        ];
        for (message, expected) in table {
            assert_eq!(exit(&MailPath::of(&HeaderBlock::parse(message))), *expected);
        }
    }
}
