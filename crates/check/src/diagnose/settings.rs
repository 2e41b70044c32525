//! Contradictions in settings that show before the first connection (RFC 8314 §3.3, §4.1 and §7.3, RFC 9525
//! §2): a port that does not go with its mode, no TLS, a host that no certificate can name. The way in is
//! [`settings`]. Keep: a contradiction is told and never mended here.

use super::SmtpTried;
use super::pairs::in_words;
use crate::facts::Facts;
use crate::finding::{ANY, Finding, When};
use crate::survey::{InputFinding, Scope};
use jiff::Timestamp;
use std::net::{IpAddr, Ipv4Addr};
use waxseal_proto::finding::Code;
use waxseal_proto::name::{Target, TargetInput};
use waxseal_proto::smtp::submission::Stop;
use waxseal_proto::tls::mode::Mode;
use waxseal_services::presets::{self, Judgement, Preset};

/// Mode none by nobody's leave.
pub(super) const UNRECORDED: When = When("unrecorded");
/// Mode none by a recorded exception, or on this machine.
pub(super) const RECORDED: When = When("recorded");

/// The security mode as a person or another program wrote it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chosen {
    /// One of the modes there are.
    Mode(Mode),
    /// TLS where the server offers it, else none; there is no such mode here.
    Optional,
}

/// By whose leave mail would travel without TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClearText {
    /// Nobody's.
    NotAllowed,
    /// A recorded exception that runs, or a server on this machine.
    Allowed,
}

/// Settings before the first connection.
#[derive(Clone, Copy, Debug)]
pub struct Settings<'a> {
    /// The host as entered.
    pub host: &'a str,
    /// The port.
    pub port: u16,
    /// The security mode.
    pub security: Chosen,
    /// By whose leave mode none would be used.
    pub clear_text: ClearText,
}

/// What contradicts itself.
pub fn settings(settings: &Settings<'_>) -> Vec<Finding> {
    let mut findings = host(settings);
    match settings.security {
        Chosen::Optional => findings.push(
            Finding::new(Code::StarttlsOptionalInSettings, ANY, settings.host)
                .with("security mode", "TLS only where the server offers it"),
        ),
        Chosen::Mode(Mode::None) => {
            let when = match settings.clear_text {
                ClearText::NotAllowed => UNRECORDED,
                ClearText::Allowed => RECORDED,
            };
            findings.push(
                Finding::new(Code::InputModeNone, when, settings.host)
                    .with("security mode", "none"),
            );
        }
        Chosen::Mode(mode) => findings.extend(conflict(settings, mode)),
    }
    findings.extend(super::service::smtp_instead(settings.host));
    findings
}

/// What the settings of an attempt contradict.
pub(super) fn of_tried(tried: &SmtpTried) -> Vec<Finding> {
    // Who may send in clear is judged at the address; where nothing was reached, nothing was refused.
    let refused =
        tried.session.as_ref().is_some_and(|session| session.stop == Some(Stop::NotAllowedInClear));
    settings(&Settings {
        host: &tried.host_text(),
        port: tried.port,
        security: Chosen::Mode(tried.mode),
        clear_text: if refused { ClearText::NotAllowed } else { ClearText::Allowed },
    })
}

/// What is wrong with the host and the port as entered, by the rule of every other input. A single label
/// is a short name here, not a top-level domain.
fn host(settings: &Settings<'_>) -> Vec<Finding> {
    let note = |code, detail: String| InputFinding { code, detail };
    let (target, mut notes) = match TargetInput::parse(settings.host) {
        Ok(input) => {
            let notes = input.notes.iter().map(|n| note(n.code(), settings.host.to_owned()));
            (input.target, notes.collect::<Vec<_>>())
        }
        Err(error) => {
            let target = Target::Address(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
            (target, vec![note(error.code(), error.to_string())])
        }
    };
    let short = target.domain().filter(|name| !name.as_str().contains('.'));
    let mut findings = Vec::new();
    if let Some(name) = short {
        notes.retain(|note| note.code != Code::InputPublicSuffix);
        if name.as_str() != "localhost" {
            findings
                .push(Finding::new(Code::InputHostNotFqdn, ANY, settings.host).with("host", name));
        }
    }
    if settings.port == 0 {
        notes.push(note(Code::InputPortInvalid, "port 0".to_owned()));
    }
    let loopback = matches!(target, Target::Address(address) if address.is_loopback());
    notes.retain(|note| !(loopback && note.code == Code::InputIpLiteralTarget));
    let scope = Scope { input_notes: notes, ..Scope::full(target) };
    let facts = Facts::nothing_seen(scope, Timestamp::UNIX_EPOCH);
    findings.extend(
        crate::rules::input::as_typed(&facts)
            .into_iter()
            .map(|finding| Finding { subject: settings.host.to_owned(), ..finding }),
    );
    findings
}

/// A port whose mode is another by standard, or by the page of the host's service.
fn conflict(settings: &Settings<'_>, mode: Mode) -> Option<Finding> {
    let preset = presets::for_host(settings.host).next();
    let documented = preset.and_then(|preset| match preset.judge(settings.port, mode) {
        Judgement::OtherMode { documented } => Some(documented),
        Judgement::Documented | Judgement::UnknownPort { .. } => None,
    });
    let is_documented =
        preset.is_some_and(|p| p.judge(settings.port, mode) == Judgement::Documented);
    let usual = documented.or(usual_mode(settings.port))?;
    if usual == mode || is_documented {
        return None;
    }
    let finding = Finding::new(Code::InputModePortConflict, ANY, settings.host)
        .with("chosen", format!("port {} {}", settings.port, in_words(mode)))
        .with("usual", format!("port {} {}", settings.port, in_words(usual)));
    Some(match preset {
        Some(preset) => with_page(finding, preset),
        None => finding,
    })
}

fn with_page(finding: Finding, preset: &Preset) -> Finding {
    let pair = preset.recommended();
    finding
        .with("recommended by the service", format!("port {} {}", pair.port, in_words(pair.mode)))
        .with("documentation of the service", preset.documentation)
}

/// RFC 8314 §3.3 and §7.3: 465 is TLS from the start, 587 and 25 begin in clear text.
const fn usual_mode(port: u16) -> Option<Mode> {
    match port {
        465 => Some(Mode::Tls),
        25 | 587 => Some(Mode::Starttls),
        _ => None,
    }
}

impl Chosen {
    /// The choice of this word, also in the words of other programs; `None` when there is no such word.
    pub fn parse(word: &str) -> Option<Self> {
        let word = word.to_ascii_lowercase();
        match word.as_str() {
            "auto" | "if-available" | "may" | "opportunistic" | "optional" | "prefer"
            | "preferred" => Some(Self::Optional),
            word => Mode::parse(word).map(Self::Mode),
        }
    }
}
