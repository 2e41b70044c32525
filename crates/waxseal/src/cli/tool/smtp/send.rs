//! `tool smtp send`: hands one message to one server, for trying a server. Credentials and mail leave over
//! verified TLS only; mode none takes neither a user name nor a host off loopback. What happened and what it
//! means comes from [`waxseal_app::submission`].

use super::super::super::error::{CliError, chain};
use super::super::super::exit::Exit;
use super::super::super::world::{Simulation, WorldSource};
use super::super::super::{block_on, input, output};
use crate::config::{self, NetworkFlags};
use crate::limits::PASSWORD_FILE_OCTETS_MAX;
use crate::render::{self, Layout};
use clap::{Args, ValueEnum};
use serde::Serialize;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use waxseal_app::submission::{
    Account, Choice, Credential, Encryption, Family, Goal, Host, Onward, Protection, StepTold,
    SubmissionRequest, Transaction, Trust, parse_host, submit,
};
use waxseal_check::report::send::exit_status;
use waxseal_check::report::send::wire::{DiagnosisV1, RecipientV1, SendV1, StepV1};
use waxseal_check::report::wire::{CertificateV1, FindingV1, TlsV1};
use waxseal_proto::name::Mailbox;
use waxseal_proto::secret::Secret;
use waxseal_proto::smtp::sasl::Mechanism;
use waxseal_proto::smtp::{MessageData, ReversePath};
use waxseal_proto::tls::requirement::MinimumVersion;

/// Examples and exit status.
pub(super) const HELP: &str = "Examples:\n  \
    waxseal tool smtp send --host smtp.example.com --port 587 --security starttls \\\n    \
      --username u --password-file pw --from me@example.com --to you@example.net mail.eml\n  \
    printf 'From: me@example.com\\nDate: %s\\nSubject: hello\\n\\nhello\\n' \"$(date -R)\" | \\\n    \
      waxseal tool smtp send --host localhost --port 25 --security none --allow-private \\\n    \
      --from me@example.com --to you@example.net -\n\n\
    The mode is never derived from the port. Nothing but EHLO and STARTTLS leaves before TLS is\n\
    verified.\n\
    FILE is a message with its header; it is sent as it is, with the line ends of SMTP.\n\n\
    Exit status: 0 taken for every recipient, 1 refused or a problem was found, 2 bad usage,\n\
    3 could not be determined (no answer, not now, or lost on the way).";

/// `smtp send`.
#[derive(Args, Debug)]
pub(crate) struct Send {
    /// The message, header and body; - is standard input
    file: PathBuf,
    /// The server's name, as its certificate has it, or its address
    #[arg(long)]
    host: String,
    /// The server's port
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
    port: u16,
    /// How TLS begins; nothing is derived from the port
    #[arg(long, value_enum)]
    security: Security,
    /// Sign in with this user name
    #[arg(long, value_name = "USER", requires = "password_file")]
    username: Option<String>,
    /// File with the password, or with the token for --auth xoauth2; - is standard input
    #[arg(long, value_name = "FILE", requires = "username")]
    password_file: Option<PathBuf>,
    /// Sign in by this mechanism only; default: the best that the server offers
    #[arg(long, value_enum, value_name = "MECHANISM", requires = "username")]
    auth: Option<Auth>,
    /// Envelope sender; <> for none
    #[arg(long, value_name = "ADDR")]
    from: String,
    /// Envelope recipient; may be repeated
    #[arg(long, value_name = "ADDR", required = true)]
    to: Vec<String>,
    /// Ask every further server for verified TLS, or a bounce (REQUIRETLS, RFC 8689)
    #[arg(long)]
    require_tls_onward: bool,
    /// Lowest TLS version
    #[arg(long, value_name = "1.2|1.3", value_parser = minimum_version)]
    minimum_tls: Option<MinimumVersion>,
    /// Trust this private authority (PEM) in place of the public roots
    #[arg(long, value_name = "FILE", conflicts_with = "pin")]
    ca: Option<PathBuf>,
    /// Accept this public key only (SHA-256 of its SubjectPublicKeyInfo, hexadecimal); may be repeated
    #[arg(long, value_name = "SHA256", value_parser = pin)]
    pin: Vec<Pin>,
    /// Which addresses of the host are tried
    #[arg(long, value_enum, default_value_t)]
    ip: Ip,
    /// Print one JSON object and nothing else
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    network: NetworkFlags,
    #[command(flatten)]
    simulation: Simulation,
}

/// How TLS begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Security {
    /// STARTTLS, which must succeed
    Starttls,
    /// TLS from the first octet
    Tls,
    /// No encryption: this machine only, and never with a user name
    None,
}

/// A sign-in mechanism.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Auth {
    /// SCRAM-SHA-256
    #[value(name = "scram-sha-256")]
    ScramSha256,
    /// PLAIN
    Plain,
    /// LOGIN
    Login,
    /// CRAM-MD5
    CramMd5,
    /// XOAUTH2, with a token
    Xoauth2,
}

/// Which addresses are tried.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum Ip {
    /// All, IPv6 first
    #[default]
    Any,
    /// All, IPv4 first
    Ipv4First,
    /// IPv4 and nothing else
    Ipv4Only,
    /// IPv6 and nothing else
    Ipv6Only,
}

#[derive(Clone, Copy, Debug)]
struct Pin([u8; 32]);

/// The value, its contract keys first.
#[derive(Serialize)]
struct Sent<'a> {
    accepted: bool,
    /// Where it ended, in one word.
    outcome: &'a str,
    tls: &'a Option<TlsV1>,
    recipients: &'a [RecipientV1],
    diagnosis: &'a Option<DiagnosisV1>,
    transcript: &'a [String],
    simulated: bool,
    host: &'a str,
    port: u16,
    security: &'a str,
    encrypted: bool,
    began_at: &'a str,
    took_ms: u64,
    server_id: &'a Option<String>,
    signed_in_by: &'a Option<String>,
    steps: &'a [StepV1],
    certificate: &'a Option<CertificateV1>,
    findings: &'a [FindingV1],
    proves: &'a [String],
    does_not_prove: &'a [String],
    next: &'a [String],
}

pub(super) fn run(
    arguments: &Send,
    config: Option<&Path>,
    source: &WorldSource,
) -> Result<Exit, CliError> {
    let request = arguments.request()?;
    let settings = config::load(config, &arguments.network)?;
    let world = source.open(&settings, &arguments.simulation)?;
    let tells = !arguments.json || output::is_watched();
    let mut tell = |told| {
        if let (StepTold::Ended(step), true) = (told, tells) {
            output::note(&render::step(&step));
        }
    };
    let sent = block_on(async {
        let submitting = Box::pin(submit(&world, &request, &mut tell));
        submitting.await.map_err(|error| CliError::usage(chain(&error)))
    })?;
    if arguments.json {
        output::json(&shown(&sent))?;
    } else {
        let layout = Layout { palette: output::palette(), width: output::width() };
        output::data(&render::sent(&sent, layout))?;
    }
    Ok(Exit::from_number(exit_status(&sent)))
}

fn shown(sent: &SendV1) -> Sent<'_> {
    Sent {
        accepted: sent.accepted,
        outcome: &sent.ended,
        tls: &sent.tls,
        recipients: &sent.recipients,
        diagnosis: &sent.diagnosis,
        transcript: &sent.transcript,
        simulated: sent.simulated,
        host: &sent.host,
        port: sent.port,
        security: &sent.security,
        encrypted: sent.encrypted,
        began_at: &sent.began_at,
        took_ms: sent.took_ms,
        server_id: &sent.server_id,
        signed_in_by: &sent.signed_in_by,
        steps: &sent.steps,
        certificate: &sent.certificate,
        findings: &sent.findings,
        proves: &sent.proves,
        does_not_prove: &sent.does_not_prove,
        next: &sent.next,
    }
}

impl Send {
    fn request(&self) -> Result<SubmissionRequest, CliError> {
        let host = parse_host(&self.host)
            .map_err(|error| CliError::usage(format!("--host {:?}: {error}", self.host)))?;
        self.refuse_contradictions(&host)?;
        let protection = match self.security {
            Security::None => Protection::None(None),
            Security::Starttls => Protection::StartTls(self.encryption()?),
            Security::Tls => Protection::Tls(self.encryption()?),
        };
        Ok(SubmissionRequest {
            host,
            port: self.port,
            protection,
            ehlo_name: None,
            family: match self.ip {
                Ip::Any => Family::Any,
                Ip::Ipv4First => Family::Ipv4First,
                Ip::Ipv4Only => Family::Ipv4Only,
                Ip::Ipv6Only => Family::Ipv6Only,
            },
            goal: Goal::Deliver(self.transaction()?),
        })
    }

    fn refuse_contradictions(&self, host: &Host) -> Result<(), CliError> {
        let is_remote = match host {
            Host::Address(address) => !IpAddr::to_canonical(address).is_loopback(),
            Host::Name(_) => false,
        };
        if self.security == Security::None && self.username.is_some() {
            return Err(CliError::usage("--security none never signs in")
                .hint("leave --username out, or use starttls or tls"));
        }
        if self.security == Security::None && is_remote {
            return Err(CliError::usage("--security none reaches this machine only")
                .hint("use starttls or tls"));
        }
        if self.security == Security::None
            && (self.ca.is_some() || !self.pin.is_empty() || self.minimum_tls.is_some())
        {
            return Err(CliError::usage("--security none has no certificate and no version")
                .hint("leave --ca, --pin and --minimum-tls out"));
        }
        if self.username.is_some() && self.simulation.has_other_clock() {
            return Err(CliError::usage(
                "--now replaces the clock that certificates are judged by",
            )
            .hint("leave it out, or send without --username"));
        }
        let stdin = Path::new("-");
        if self.file == stdin && self.password_file.as_deref() == Some(stdin) {
            return Err(CliError::usage(
                "standard input holds the message or the password, not both",
            ));
        }
        Ok(())
    }

    fn encryption(&self) -> Result<Encryption, CliError> {
        let trust = match &self.ca {
            Some(file) => Trust::Authority(input::read(file)?),
            None if self.pin.is_empty() => Trust::PublicRoots,
            None => Trust::PinnedKeys(self.pin.iter().map(|pin| pin.0).collect()),
        };
        let account = match (&self.username, &self.password_file) {
            (Some(user), Some(file)) => {
                let secret = password(file)?;
                let choice = self.auth.map_or(Choice::Automatic, |auth| Choice::Only(auth.into()));
                let credential = match self.auth {
                    Some(Auth::Xoauth2) => Credential::Token(secret),
                    Some(Auth::CramMd5 | Auth::Login | Auth::Plain | Auth::ScramSha256) | None => {
                        Credential::Password(secret)
                    }
                };
                Some(Account { user: user.clone(), credential, choice })
            }
            (Some(_) | None, _) => None,
        };
        Ok(Encryption { minimum: self.minimum_tls.unwrap_or_default(), trust, account })
    }

    fn transaction(&self) -> Result<Transaction, CliError> {
        let mailbox = |flag: &str, text: &str| {
            Mailbox::parse(text)
                .map_err(|error| CliError::usage(format!("{flag} {text:?}: {error}")))
        };
        let sender = match self.from.as_str() {
            "" | "<>" => ReversePath::Null,
            text => ReversePath::Mailbox(mailbox("--from", text)?),
        };
        let recipients =
            self.to.iter().map(|text| mailbox("--to", text)).collect::<Result<_, _>>()?;
        let wrong = |error: &dyn std::fmt::Display| {
            CliError::usage(format!("{}: {error}", self.file.display()))
        };
        let message = MessageData::from_local_text(&input::read(&self.file)?)
            .map_err(|error| wrong(&error))?;
        let onward = if self.require_tls_onward { Onward::RequireTls } else { Onward::Unspecified };
        Transaction::new(sender, recipients, message, onward).map_err(|error| wrong(&error))
    }
}

/// The first line of the file; its line end is not part of the password.
fn password(file: &Path) -> Result<Secret<String>, CliError> {
    let wrong = |what| CliError::usage(format!("{}: {what}", file.display()));
    let octets = input::read_at_most(file, PASSWORD_FILE_OCTETS_MAX)?;
    let mut text = String::from_utf8(octets).map_err(|_| wrong("not UTF-8 text"))?;
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    if text.contains('\n') {
        return Err(wrong("more than one line"));
    }
    Ok(Secret::new(text))
}

fn minimum_version(word: &str) -> Result<MinimumVersion, String> {
    MinimumVersion::parse(word)
        .ok_or_else(|| "1.2 or 1.3; older versions cannot be chosen".to_owned())
}

fn pin(text: &str) -> Result<Pin, String> {
    waxseal_app::submission::parse_pin(text)
        .map(Pin)
        .ok_or_else(|| "not 64 hexadecimal digits".to_owned())
}

impl From<Auth> for Mechanism {
    fn from(auth: Auth) -> Self {
        match auth {
            Auth::ScramSha256 => Self::ScramSha256,
            Auth::Plain => Self::Plain,
            Auth::Login => Self::Login,
            Auth::CramMd5 => Self::CramMd5,
            Auth::Xoauth2 => Self::Xoauth2,
        }
    }
}
