//! Presets: host, port, mode, sign-in and limits of known delivery services and mailbox providers
//! (RFC 8314 §3 and §7.3 for what the two modes are), as data with the page each rests on.
//!
//! The ways in are [`by_name`], [`for_host`] and [`Preset::judge`]. No advice is worded here. Invariants,
//! held by tests: the mode stands on every endpoint, the first endpoint is the recommended one, and mode
//! `none` is only in presets for this machine.

mod mailboxes;
mod submission;
#[cfg(test)]
mod tests;

use waxseal_proto::tls::mode::Mode;

use crate::service::ServiceId;

/// What is known of one service or provider.
#[derive(Clone, Copy, Debug)]
pub struct Preset {
    /// Its key: lower case, digits and hyphens.
    pub name: &'static str,
    /// What people call it.
    pub title: &'static str,
    /// The hosts it covers; the first is the one to fill in.
    pub hosts: &'static [HostPattern],
    /// Documented pairs of port and mode, the recommended one first.
    pub endpoints: &'static [Endpoint],
    /// How to sign in, the recommended kind first.
    pub sign_in: &'static [SignIn],
    /// What to give as user name.
    pub user: UserName,
    /// Whether its hosts would go on without TLS, so that a stripped STARTTLS would go unnoticed by a
    /// client that does not require it.
    pub clear_text: ClearText,
    /// What it allows.
    pub limits: &'static [Limit],
    /// When to give up a connection and open a new one.
    pub recycling: Recycling,
    /// The built-in HTTP interface for the same service.
    pub api: Option<ServiceId>,
    /// What to know beforehand.
    pub cautions: &'static [Caution],
    /// The provider's page about these settings.
    pub documentation: &'static str,
    /// What the row rests on.
    pub evidence: Evidence,
}

/// A host name, or a family of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostPattern {
    /// This name.
    Exact(&'static str),
    /// One part of a label, without a dot, between two texts: a region or a server number.
    Varies {
        /// What comes before.
        before: &'static str,
        /// What the part is called.
        part: &'static str,
        /// What comes after.
        after: &'static str,
    },
}

/// A port with the mode that it speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Endpoint {
    /// The TCP port.
    pub port: u16,
    /// The mode.
    pub mode: Mode,
}

/// A kind of sign-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignIn {
    /// A password made for one program, not the one of the web page.
    AppPassword,
    /// The address from which one connects is on the provider's list.
    AllowedAddress,
    /// A key or token made in the provider's panel.
    Key,
    /// None at all.
    NotNeeded,
    /// OAuth 2 (XOAUTH2, RFC 7628 OAUTHBEARER).
    OAuth2,
    /// The password of the account or mailbox.
    Password,
}

/// What stands in the user field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserName {
    /// Any text.
    Any,
    /// This word, the same for everybody.
    Fixed(&'static str),
    /// The mailbox address.
    FullAddress,
    /// A name that the provider's panel shows.
    Issued,
    /// Nothing.
    NotNeeded,
    /// The same value as the password.
    SameAsPassword,
}

/// Whether a host takes mail without TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClearText {
    /// It does.
    Accepted,
    /// Not documented.
    NotKnown,
    /// It insists on TLS.
    Refused,
}

/// What is counted by a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counted {
    /// Messages.
    Messages,
    /// Recipients.
    Recipients,
}

/// Over which time a limit counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Period {
    /// 24 hours.
    Day,
    /// 60 seconds.
    Minute,
    /// 600 seconds.
    TenMinutes,
}

/// One documented limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// How many.
    pub count: u64,
    /// Of what.
    pub counted: Counted,
    /// In which time.
    pub period: Period,
}

/// When a connection is to be renewed. `None` means that the provider states nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recycling {
    /// After so many messages.
    pub messages_max: Option<u32>,
    /// After so many seconds without a message.
    pub idle_s_max: Option<u32>,
    /// Whether the provider advises against long-lived connections without naming a number.
    pub advice: RecyclingAdvice,
}

/// Advice without a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecyclingAdvice {
    /// None is given.
    NotGiven,
    /// Renew by count or by time.
    Renew,
}

/// What the row rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// Thunderbird's published provider settings.
    Autoconfig,
    /// nodemailer's published list of services.
    Nodemailer,
    /// A page of the provider.
    Official,
    /// Another public source.
    ThirdParty,
}

/// What to know before the first connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caution {
    /// Only AUTH LOGIN is offered.
    AuthLoginOnly,
    /// The certificate names this host alone, so an alias under one's own domain fails the name check.
    CertificateForThisHostOnly,
    /// The host must match the data centre of the account; otherwise it looks like a wrong password.
    DataCentre,
    /// SMTP must be switched on in the account first.
    EnableFirst,
    /// From must be the mailbox or an address it may send as.
    FromMustBeMailbox,
    /// For this machine only; no TLS that anybody could verify.
    LoopbackOnly,
    /// Sign-in with a password is being switched off.
    PasswordSignInEnds,
    /// Only some plans have it.
    PlanDependent,
    /// The certificate is made by a program on this machine: pin its key.
    SelfMadeCertificate,
    /// The SMTP credentials are not the keys of the HTTP interface.
    SeparateCredentials,
    /// Campaigns and single messages have different hosts.
    StreamByHost,
}

/// What a preset says about a chosen port and mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// The pair is documented.
    Documented,
    /// The port is documented with another mode.
    OtherMode {
        /// The documented mode of that port.
        documented: Mode,
    },
    /// The port is not documented.
    UnknownPort {
        /// The pair to use instead: the recommended one of the chosen mode, else the recommended one.
        instead: Endpoint,
    },
}

/// The preset of that key.
pub fn by_name(name: &str) -> Option<&'static Preset> {
    all().find(|preset| preset.name == name)
}

/// Every preset: delivery services first, then mailbox providers.
pub fn all() -> impl Iterator<Item = &'static Preset> {
    submission::PRESETS.iter().chain(mailboxes::PRESETS)
}

/// The presets of a host, the likeliest first. Case and one final dot do not matter.
pub fn for_host(host: &str) -> impl Iterator<Item = &'static Preset> {
    let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
    all().filter(move |preset| preset.hosts.iter().any(|pattern| pattern.matches(&host)))
}

/// The presets to which a name in a certificate belongs: the name itself, or for `*.parent` every host one
/// label below `parent` (RFC 9525 §6.3).
pub fn for_presented_name(name: &str) -> impl Iterator<Item = &'static Preset> {
    let name = name.to_ascii_lowercase();
    all().filter(move |preset| {
        preset.hosts.iter().any(|pattern| match name.strip_prefix("*.") {
            None => pattern.matches(&name),
            Some(parent) => pattern.is_child_of(parent),
        })
    })
}

/// The built-in service to which an SMTP host belongs.
pub fn service_of_host(host: &str) -> Option<ServiceId> {
    for_host(host).find_map(|preset| preset.api)
}

impl Preset {
    /// The pair of port and mode to preset.
    pub fn recommended(&self) -> Endpoint {
        // Every row has one; a test holds it. 587 with STARTTLS is what RFC 6409 §3.1 would say.
        self.endpoints.first().copied().unwrap_or(STARTTLS_587)
    }

    /// Compares a choice with what is documented.
    pub fn judge(&self, port: u16, mode: Mode) -> Judgement {
        let mut same_port = self.endpoints.iter().filter(|endpoint| endpoint.port == port);
        let Some(first) = same_port.clone().next() else {
            let same_mode = self.endpoints.iter().find(|endpoint| endpoint.mode == mode);
            return Judgement::UnknownPort {
                instead: same_mode.copied().unwrap_or(self.recommended()),
            };
        };
        if same_port.any(|endpoint| endpoint.mode == mode) {
            Judgement::Documented
        } else {
            Judgement::OtherMode { documented: first.mode }
        }
    }

    /// What to try when nothing answers on `blocked`: every other documented pair but port 25, ports that
    /// networks seldom block first.
    pub fn alternatives(&self, blocked: u16) -> Vec<Endpoint> {
        let usable = |endpoint: &&Endpoint| endpoint.port != blocked && endpoint.port != 25;
        let mut found: Vec<Endpoint> = self.endpoints.iter().filter(usable).copied().collect();
        found.sort_by_key(|endpoint| matches!(endpoint.port, 465 | 587));
        found
    }

    /// Whether nothing but OAuth 2 is taken.
    pub fn is_oauth_only(&self) -> bool {
        !self.sign_in.is_empty() && self.sign_in.iter().all(|kind| *kind == SignIn::OAuth2)
    }

    /// Whether the ordinary password is refused and one made for this program is needed.
    pub fn needs_app_password(&self) -> bool {
        self.sign_in.contains(&SignIn::AppPassword) && !self.sign_in.contains(&SignIn::Password)
    }
}

impl HostPattern {
    /// Whether a lower-case host belongs to it.
    fn matches(&self, host: &str) -> bool {
        match *self {
            Self::Exact(name) => name == host,
            Self::Varies { before, after, .. } => host
                .strip_prefix(before)
                .and_then(|rest| rest.strip_suffix(after))
                .is_some_and(|part| !part.is_empty() && !part.contains('.')),
        }
    }

    /// Whether its hosts stand one label below `parent`.
    fn is_child_of(&self, parent: &str) -> bool {
        match *self {
            Self::Exact(name) => name.split_once('.').is_some_and(|(_, rest)| rest == parent),
            Self::Varies { before, part, after } => match before.split_once('.') {
                Some((_, before)) => Self::Varies { before, part, after }.matches(parent),
                None => after.strip_prefix('.') == Some(parent),
            },
        }
    }

    /// The name to fill in, with the varying part in braces.
    pub fn template(&self) -> String {
        match *self {
            Self::Exact(name) => name.to_string(),
            Self::Varies { before, part, after } => format!("{before}{{{part}}}{after}"),
        }
    }
}

const STARTTLS_587: Endpoint = starttls(587);
const TLS_465: Endpoint = tls(465);
const NO_RECYCLING: Recycling =
    Recycling { messages_max: None, idle_s_max: None, advice: RecyclingAdvice::NotGiven };

const fn starttls(port: u16) -> Endpoint {
    Endpoint { port, mode: Mode::Starttls }
}

const fn tls(port: u16) -> Endpoint {
    Endpoint { port, mode: Mode::Tls }
}

const fn at(host: &'static str) -> HostPattern {
    HostPattern::Exact(host)
}

const fn limit(count: u64, counted: Counted, period: Period) -> Limit {
    Limit { count, counted, period }
}
