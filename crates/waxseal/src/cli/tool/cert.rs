//! `tool cert verify|inspect|match`: certificates as RFC 5280 and RFC 9525 judge them, offline. The
//! judgement is [`waxseal_proto::x509`]; here are files, options and the words around it.

use super::super::error::CliError;
use super::super::exit::Exit;
use super::super::{input, text};
use super::Shown;
use crate::wire::mechanism::Certificates;
use clap::{Args, Subcommand};
use jiff::Timestamp;
use serde::Serialize;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use waxseal_check::report::certificate;
use waxseal_check::report::wire::{CertificateEntryV1, CertificateV1};
use waxseal_proto::name::DomainName;
use waxseal_proto::x509::{
    ChainQuery, ReferenceId, Roots, judge, match_dns, read_certificates, read_revocation_lists,
};

/// Certificate tools.
#[derive(Subcommand, Debug)]
pub(crate) enum Cert {
    /// Show what certificates say, without judging them
    #[command(after_help = "Examples:\n  \
        waxseal tool cert inspect chain.pem\n  \
        openssl s_client -starttls smtp -connect mx.example.com:25 </dev/null | waxseal tool cert inspect - --json")]
    Inspect(Inspect),
    /// Compare one name in a certificate with a host name
    #[command(after_help = "Examples:\n  \
        waxseal tool cert match --presented '*.example.com' mx.example.com\n  \
        waxseal tool cert match --presented mx.example.com mx2.example.com --json")]
    Match(Match),
    /// Judge a chain for a name or an address; tells every fault, not only the first
    #[command(after_help = "Examples:\n  \
        waxseal tool cert verify --chain chain.pem --roots roots.pem --name mx.example.com\n  \
        waxseal tool cert verify --chain leaf.der --roots ca.pem --ip 192.0.2.1 --time 2026-01-01T00:00:00Z --json\n\n\
        Exit status: 0 valid, 1 not valid (a chain that cannot be read is `malformed`), 2 bad usage.")]
    Verify(Verify),
}

/// `cert inspect`.
#[derive(Args, Debug)]
pub(crate) struct Inspect {
    /// PEM or DER file; - is standard input
    file: PathBuf,
    #[command(flatten)]
    shown: Shown,
}

/// `cert match`.
#[derive(Args, Debug)]
pub(crate) struct Match {
    /// The dNSName in the certificate
    #[arg(long, value_name = "ID", allow_hyphen_values = true)]
    presented: String,
    /// The host name looked for
    #[arg(allow_hyphen_values = true)]
    name: String,
    #[command(flatten)]
    shown: Shown,
}

/// `cert verify`.
#[derive(Args, Debug)]
#[command(group = clap::ArgGroup::new("reference").required(true).args(["name", "ip"]))]
pub(crate) struct Verify {
    /// The chain as presented, PEM (leaf first) or DER; - is standard input
    #[arg(long, value_name = "FILE")]
    chain: PathBuf,
    /// Trusted roots, PEM or DER
    #[arg(long, value_name = "FILE")]
    roots: PathBuf,
    /// The host name the certificate must be for
    #[arg(long)]
    name: Option<String>,
    /// The address the certificate must be for
    #[arg(long)]
    ip: Option<IpAddr>,
    /// Judge at this time (RFC 3339); default now
    #[arg(long, value_name = "TIME")]
    time: Option<Timestamp>,
    /// Revocation list, PEM or DER; may be repeated
    #[arg(long, value_name = "FILE")]
    crl: Vec<PathBuf>,
    /// Intermediates allowed between leaf and root
    #[arg(long, value_name = "N")]
    max_depth: Option<usize>,
    #[command(flatten)]
    shown: Shown,
}

pub(super) fn run(tool: &Cert) -> Result<Exit, CliError> {
    match tool {
        Cert::Inspect(arguments) => run_inspect(arguments),
        Cert::Match(arguments) => run_match(arguments),
        Cert::Verify(arguments) => run_verify(arguments),
    }
}

fn run_inspect(arguments: &Inspect) -> Result<Exit, CliError> {
    let octets = input::read(&arguments.file)?;
    let read = Certificates::read(&octets)
        .map_err(|error| CliError::usage(format!("{}: {error}", arguments.file.display())))?;
    let mut lines = Vec::new();
    for one in &read.certificates {
        lines.extend(entry_lines(one));
    }
    arguments.shown.show(&read, &lines)?;
    Ok(Exit::Good)
}

fn entry_lines(one: &CertificateEntryV1) -> Vec<(&'static str, String)> {
    let bits = one.key.bits.map_or_else(String::new, |bits| format!(" {bits} bits"));
    let mut lines = vec![
        ("subject", one.subject.clone()),
        ("issuer", one.issuer.clone()),
        ("not before", one.not_before.clone()),
        ("not after", one.not_after.clone()),
    ];
    lines.extend(text::list("dns names", &one.dns_names));
    lines.extend(text::list("ip addresses", &one.ip_addresses));
    lines.extend([
        ("key", format!("{}{bits}", one.key.kind)),
        ("signature algorithm", one.signature_algorithm.clone()),
        ("sha256", one.sha256.clone()),
        ("spki sha256", one.spki_sha256.clone()),
    ]);
    lines
}

#[derive(Serialize)]
struct Matched {
    #[serde(rename = "match")]
    matches: bool,
    presented_valid: bool,
}

fn run_match(arguments: &Match) -> Result<Exit, CliError> {
    let answer = match_dns(&arguments.presented, &arguments.name);
    let lines = [
        ("match", text::yes(answer.matches)),
        ("presented identifier valid", text::yes(answer.presented_valid)),
    ];
    let value = Matched { matches: answer.matches, presented_valid: answer.presented_valid };
    arguments.shown.show(&value, &lines)?;
    Ok(Exit::of_answer(answer.matches))
}

fn run_verify(arguments: &Verify) -> Result<Exit, CliError> {
    let reference = reference(arguments);
    let roots_file = input::read(&arguments.roots)?;
    let roots = Roots::from_pem(&roots_file)
        .map_err(|error| CliError::usage(format!("{}: {error}", arguments.roots.display())))?;
    let chain = chain(&input::read(&arguments.chain)?);
    let mut crls = Vec::new();
    for path in &arguments.crl {
        crls.extend(revocation_lists(path)?);
    }
    let verdict = judge(&ChainQuery {
        chain: &chain,
        roots: &roots,
        reference: Some(&reference),
        now: arguments.time.unwrap_or_else(crate::clock::now),
        crls: &crls,
        max_depth: arguments.max_depth,
        extra_intermediates: &[],
    });
    let published = Verified::from(certificate(&verdict));
    arguments.shown.show(&published, &published.lines())?;
    Ok(Exit::of_answer(verdict.valid))
}

/// What the certificate must be for. A name that is no host name is judged too: no certificate is for it.
fn reference(arguments: &Verify) -> ReferenceId {
    if let Some(address) = arguments.ip {
        return ReferenceId::Ip(address);
    }
    let name = arguments.name.as_deref().unwrap_or_default();
    DomainName::parse(name)
        .map_or_else(|_| ReferenceId::NoHostName(name.to_owned()), ReferenceId::Dns)
}

/// The certificates of the chain. What cannot be split is judged as one certificate that cannot be read, so
/// that the answer is `malformed` and not a usage error.
fn chain(octets: &[u8]) -> Vec<Vec<u8>> {
    match read_certificates(octets) {
        Ok(ders) => ders,
        Err(_) if octets.is_empty() => Vec::new(),
        Err(_) => vec![octets.to_vec()],
    }
}

/// Revocation lists of one file: PEM sections, or the whole file as DER.
fn revocation_lists(path: &Path) -> Result<Vec<Vec<u8>>, CliError> {
    let octets = input::read(path)?;
    read_revocation_lists(&octets)
        .map_err(|error| CliError::usage(format!("{}: {error}", path.display())))
}

/// The answer without the certificates themselves, which `cert inspect` shows.
#[derive(Serialize)]
struct Verified {
    valid: bool,
    errors: Vec<String>,
    error: Option<String>,
    detail: Option<String>,
    name_match: Option<bool>,
    path: Vec<String>,
    warnings: Vec<String>,
}

impl From<CertificateV1> for Verified {
    fn from(chain: CertificateV1) -> Self {
        Self {
            valid: chain.valid,
            errors: chain.errors,
            error: chain.error,
            detail: chain.detail,
            name_match: chain.name_match,
            path: chain.path,
            warnings: chain.warnings,
        }
    }
}

impl Verified {
    fn lines(&self) -> Vec<(&'static str, String)> {
        let mut lines = vec![("valid", text::yes(self.valid))];
        lines.extend(text::list("errors", &self.errors));
        lines.push(("detail", self.detail.clone().unwrap_or_default()));
        lines.push(("name matches", self.name_match.map_or_else(String::new, text::yes)));
        lines.extend(text::list("path", &self.path));
        lines.extend(text::list("warnings", &self.warnings));
        lines
    }
}
