//! From typed fields to settings. A field that is left out keeps what is stored; an empty one takes an
//! optional setting away.
//!
//! The way in is [`settings`]. Keep: port and mode come from the form or from a preset that the form names,
//! never from one another, and mode none has no field of a sign-in.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::num::NonZeroU16;

use waxseal_proto::name::{DomainName, Mailbox};
use waxseal_proto::tls::mode::Mode;
use waxseal_services::address::EmailAddress;
use waxseal_services::presets::{self, HostPattern, Preset};
use waxseal_store::connection::{
    ClearTextException, Connection, ConnectionKind, CustomSmtp, EncryptedMode, IpPreference,
    Mechanism, MinimumTls, OneLine, PinnedKey, RelayHost, ServiceConnection, ServiceName, Settings,
    SignIn, Transport, Trust, TrustPem,
};

use super::error::FieldProblem;
use super::offer::offer;
use super::secret::service_of;
use crate::near;

/// What is wrong with mode none off loopback.
pub(super) const NEEDS_EXCEPTION: &str =
    "none sends everything readable, and off loopback it needs the owner's exception";

/// Every field of a connection that is no secret, as it was typed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Form {
    /// What people call the connection.
    pub name: Option<String>,
    /// The name beside the From address; empty for none.
    pub from_name: Option<String>,
    /// The From address.
    pub from_address: Option<String>,
    /// A built-in service.
    pub service: Option<String>,
    /// Settings of the service; an empty value takes one away.
    pub settings: BTreeMap<String, String>,
    /// A preset to take host, port and mode from.
    pub preset: Option<String>,
    /// The host of a server of one's own choice.
    pub host: Option<String>,
    /// Its port.
    pub port: Option<String>,
    /// Its mode: starttls, tls or none.
    pub security: Option<String>,
    /// The user name; empty for no sign-in.
    pub user: Option<String>,
    /// The mechanism.
    pub auth: Option<String>,
    /// Certificates of a private authority in PEM; empty for none.
    pub ca: Option<String>,
    /// SHA-256 of public keys to trust alone; one empty text for none.
    pub pins: Option<Vec<String>>,
    /// The oldest TLS version.
    pub minimum_tls: Option<String>,
    /// The name given in EHLO; empty for the program's choice.
    pub ehlo_name: Option<String>,
    /// Which addresses are tried.
    pub ip: Option<String>,
}

impl Form {
    /// The first field that only SMTP has.
    fn smtp_field(&self) -> Option<&'static str> {
        let fields = [
            ("preset", self.preset.is_some()),
            ("host", self.host.is_some()),
            ("port", self.port.is_some()),
            ("security", self.security.is_some()),
            ("user", self.user.is_some()),
            ("auth", self.auth.is_some()),
            ("ca", self.ca.is_some()),
            ("pin", self.pins.is_some()),
            ("minimum-tls", self.minimum_tls.is_some()),
            ("ehlo-name", self.ehlo_name.is_some()),
            ("ip", self.ip.is_some()),
        ];
        fields.into_iter().find(|(_, is_set)| *is_set).map(|(name, _)| name)
    }
}

/// The settings that a form makes, on top of what is stored.
pub(super) fn settings(
    form: &Form,
    stored: Option<&Connection>,
    exception: Option<ClearTextException>,
) -> Result<Settings, FieldProblem> {
    let before = stored.map(|connection| &connection.settings);
    let from_name = match form.from_name.as_deref() {
        None => before.and_then(|settings| settings.from_name.clone()),
        Some("") => None,
        Some(name) => Some(OneLine::parse("from-name", name)?),
    };
    let from_address = match (&form.from_address, before) {
        (Some(text), _) => address(text)?,
        (None, Some(settings)) => settings.from_address.clone(),
        (None, None) => {
            return Err(FieldProblem::new("from-address", "is missing")
                .hint("--from-address ADDR: the address that messages come from"));
        }
    };
    let kind = match before.map(|settings| &settings.kind) {
        Some(ConnectionKind::Api(api)) => api_kind(form, Some(api), exception.is_some()),
        Some(ConnectionKind::Smtp(smtp)) => smtp_kind(form, Some(smtp), exception),
        None if form.service.is_some() => api_kind(form, None, exception.is_some()),
        None => smtp_kind(form, None, exception),
    }?;
    if let ConnectionKind::Api(_) = kind {
        EmailAddress::from_mailbox(&from_address)
            .map_err(|error| FieldProblem::new("from-address", error.to_string()))?;
    }
    Ok(Settings { kind, from_name, from_address })
}

/// Every field that is wrong by itself, as far as that can be told; at least the one that [`settings`] names.
pub(super) fn problems(
    form: &Form,
    stored: Option<&Connection>,
    exception: Option<&ClearTextException>,
) -> Vec<FieldProblem> {
    let before = stored.map(|connection| &connection.settings);
    let mut found = Vec::new();
    let from_name = form.from_name.as_deref().filter(|name| !name.is_empty());
    let from_name = from_name.map(|name| OneLine::parse("from-name", name)).transpose();
    found.extend(from_name.err().map(FieldProblem::from));
    match (&form.from_address, before) {
        (Some(text), _) => found.extend(address(text).err()),
        (None, Some(_)) => {}
        (None, None) => found.push(FieldProblem::new("from-address", "is missing")),
    }
    let smtp = match before.map(|settings| &settings.kind) {
        Some(ConnectionKind::Api(_)) => None,
        Some(ConnectionKind::Smtp(smtp)) => Some(Some(smtp)),
        None if form.service.is_some() => None,
        None => Some(None),
    };
    if let Some(before) = smtp {
        let preset = form.preset.as_deref().map(preset).transpose();
        found.extend(preset.as_ref().err().cloned());
        if let Ok(preset) = preset {
            found.extend(host(form, preset, before).err());
        }
        found.extend(port(form).err());
        found.extend(mode(form).err());
    }
    // What belongs together is judged once the parts are right, and once.
    if let Err(problem) = settings(form, stored, exception.cloned())
        && !found.iter().any(|known| known.field == problem.field)
    {
        found.push(problem);
    }
    found
}

fn address(text: &str) -> Result<Mailbox, FieldProblem> {
    Mailbox::parse(text.trim()).map_err(|error| {
        FieldProblem::new("from-address", error.to_string()).hint("such as news@example.com")
    })
}

fn api_kind(
    form: &Form,
    before: Option<&ServiceConnection>,
    has_exception: bool,
) -> Result<ConnectionKind, FieldProblem> {
    let smtp_field = form.smtp_field().or(has_exception.then_some("exception"));
    if let Some(field) = smtp_field {
        return Err(FieldProblem::new(field, "belongs to SMTP and not to a built-in service")
            .hint("add a connection of its own for SMTP: leave --service out"));
    }
    let service = match (&form.service, before) {
        (Some(word), None) => ServiceName::parse(word)?,
        (Some(word), Some(api)) if word == api.service.as_str() => api.service.clone(),
        (Some(_), Some(_)) => return Err(other_kind()),
        (None, Some(api)) => api.service.clone(),
        (None, None) => return Err(FieldProblem::new("service", "is missing")),
    };
    let mut settings: BTreeMap<String, String> = before
        .into_iter()
        .flat_map(ServiceConnection::settings)
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    for (name, value) in &form.settings {
        if value.trim().is_empty() {
            settings.remove(name);
        } else {
            settings.insert(name.clone(), value.clone());
        }
    }
    let made = ServiceConnection::new(service, settings.clone())?;
    let id = service_of(&made)?;
    // A secret among the settings would stand readable in the database.
    if let Some(field) =
        id.fields().iter().find(|field| field.is_secret() && settings.contains_key(field.name))
    {
        return Err(FieldProblem::new(field.name, "is a secret and no setting").hint(
            "give it with --secret-file FILE, from standard input with --secret-file -, or at the prompt",
        ));
    }
    Ok(ConnectionKind::Api(made))
}

fn other_kind() -> FieldProblem {
    FieldProblem::new("service", "a connection keeps its kind and its service")
        .hint("add another connection for it")
}

fn smtp_kind(
    form: &Form,
    before: Option<&CustomSmtp>,
    exception: Option<ClearTextException>,
) -> Result<ConnectionKind, FieldProblem> {
    if form.service.is_some() {
        return Err(other_kind());
    }
    if let Some(name) = form.settings.keys().next() {
        return Err(FieldProblem::new(
            "setting",
            format!("{name:?} belongs to a built-in service"),
        )
        .hint("name the service with --service"));
    }
    let preset = form.preset.as_deref().map(preset).transpose()?;
    let host = host(form, preset, before)?;
    let (port, mode) = endpoint(form, preset, before, &host)?;
    let transport = match mode {
        Mode::None => clear(form, before, &host, exception)?,
        Mode::Starttls => encrypted(form, before, EncryptedMode::Starttls, exception.is_some())?,
        Mode::Tls => encrypted(form, before, EncryptedMode::Tls, exception.is_some())?,
    };
    let ehlo_name = match form.ehlo_name.as_deref() {
        None => before.and_then(|smtp| smtp.ehlo_name.clone()),
        Some("") => None,
        Some(name) => Some(
            DomainName::parse(name)
                .map_err(|error| FieldProblem::new("ehlo-name", error.to_string()))?,
        ),
    };
    let ip_preference = match form.ip.as_deref() {
        None => before.map(|smtp| smtp.ip_preference).unwrap_or_default(),
        Some(word) => IpPreference::parse(word)
            .ok_or_else(|| choice("ip", &IpPreference::ALL.map(IpPreference::as_str)))?,
    };
    Ok(ConnectionKind::Smtp(CustomSmtp { host, port, transport, ehlo_name, ip_preference }))
}

fn preset(name: &str) -> Result<&'static Preset, FieldProblem> {
    presets::by_name(name).ok_or_else(|| {
        let near = near::presets(name);
        let hint = if near.is_empty() {
            "waxseal presets lists all".to_owned()
        } else {
            format!("near names: {}", near.join(", "))
        };
        FieldProblem::new("preset", format!("no preset is called {name:?}")).hint(hint)
    })
}

fn host(
    form: &Form,
    preset: Option<&'static Preset>,
    before: Option<&CustomSmtp>,
) -> Result<RelayHost, FieldProblem> {
    if let Some(host) = &form.host {
        return typed_host(host.trim());
    }
    match (preset.and_then(|preset| preset.hosts.first()), before) {
        (Some(HostPattern::Exact(name)), _) => Ok(RelayHost::parse(name)?),
        (Some(pattern @ HostPattern::Varies { .. }), _) => {
            Err(FieldProblem::new("host", "is missing: the preset has a part that varies")
                .hint(format!("--host {}", pattern.template())))
        }
        (None, Some(smtp)) => Ok(smtp.host.clone()),
        (None, None) => Err(FieldProblem::new("host", "is missing")
            .hint("give --host, --port and --security, or --preset NAME, or --service NAME")),
    }
}

/// A host that was typed, perhaps with its port.
fn typed_host(text: &str) -> Result<RelayHost, FieldProblem> {
    RelayHost::parse(text).map_err(|error| {
        let problem = FieldProblem::from(error);
        match text.rsplit_once(':') {
            Some((host, port)) if RelayHost::parse(host).is_ok() && port.parse::<u16>().is_ok() => {
                problem
                    .hint(format!("the port has an option of its own: --host {host} --port {port}"))
            }
            Some(_) | None => problem.hint("a name or an address alone, such as smtp.example.com"),
        }
    })
}

/// Port and mode: typed, else of the preset that was named, else what is stored.
fn endpoint(
    form: &Form,
    preset: Option<&'static Preset>,
    before: Option<&CustomSmtp>,
    host: &RelayHost,
) -> Result<(NonZeroU16, Mode), FieldProblem> {
    let port = port(form)?;
    let mode = mode(form)?;
    let recommended = preset.map(Preset::recommended);
    let port = port
        .or_else(|| recommended.and_then(|endpoint| NonZeroU16::new(endpoint.port)))
        .or_else(|| before.map(|smtp| smtp.port));
    let mode = mode
        .or_else(|| recommended.map(|endpoint| endpoint.mode))
        .or_else(|| before.map(CustomSmtp::mode));
    match (port, mode) {
        (Some(port), Some(mode)) => Ok((port, mode)),
        (None, _) => Err(missing("port", host)),
        (_, None) => Err(missing("security", host)),
    }
}

fn port(form: &Form) -> Result<Option<NonZeroU16>, FieldProblem> {
    let read = |text: &str| {
        let port = text.trim().parse::<NonZeroU16>();
        port.map_err(|_| FieldProblem::new("port", "is not a number from 1 to 65535"))
    };
    form.port.as_deref().map(read).transpose()
}

fn mode(form: &Form) -> Result<Option<Mode>, FieldProblem> {
    let read = |word: &str| {
        Mode::parse(word).ok_or_else(|| {
            let words = Mode::ALL.map(Mode::as_str);
            let problem = choice("security", &words);
            match other_word(word) {
                Some(mode) => {
                    let words = words.join(", ");
                    problem.hint(format!("one of {words}; here it is --security {mode}"))
                }
                None => problem,
            }
        })
    };
    form.security.as_deref().map(read).transpose()
}

/// The mode that other programs have another word for, where the word leaves no doubt.
fn other_word(word: &str) -> Option<&'static str> {
    let word: String = word.chars().filter(char::is_ascii_alphanumeric).collect();
    match word.to_ascii_lowercase().as_str() {
        "ssl" | "smtps" | "ssltls" | "implicit" | "implicittls" => Some(Mode::Tls.as_str()),
        "starttls" => Some(Mode::Starttls.as_str()),
        _ => None,
    }
}

/// What to do about a missing port or mode, with what is known of the host.
fn missing(field: &str, host: &RelayHost) -> FieldProblem {
    let known = offer(&host.to_string());
    let preset = known.presets.first().map(|preset| {
        format!("--preset {} for SMTP ({} {})", preset.name, preset.port, preset.security)
    });
    let hint = match (&known.service, preset) {
        (Some(service), Some(preset)) => format!(
            "{host} belongs to a built-in service: --service {service} for its HTTPS API, or {preset}"
        ),
        (None, Some(preset)) => format!("{host} is known: {preset}"),
        (Some(_) | None, None) => {
            "say it as the provider documents it, such as --port 587 --security \
             starttls or --port 465 --security tls"
                .to_owned()
        }
    };
    FieldProblem::new(field, "is missing").hint(hint)
}

fn encrypted(
    form: &Form,
    before: Option<&CustomSmtp>,
    mode: EncryptedMode,
    has_exception: bool,
) -> Result<Transport, FieldProblem> {
    if has_exception {
        return Err(FieldProblem::new("exception", "belongs to mode none; this mode encrypts"));
    }
    let stored = before.and_then(|smtp| match &smtp.transport {
        Transport::Encrypted { sign_in, trust, minimum_tls, .. } => {
            Some((sign_in.clone(), trust.clone(), *minimum_tls))
        }
        Transport::Clear { .. } => None,
    });
    let (old_sign_in, old_trust, old_minimum) =
        stored.unwrap_or((None, Trust::default(), MinimumTls::default()));
    let minimum_tls = match form.minimum_tls.as_deref() {
        None => old_minimum,
        Some(word) => {
            MinimumTls::parse(word).ok_or_else(|| choice("minimum-tls", &["1.2", "1.3"]))?
        }
    };
    let sign_in = sign_in(form, old_sign_in)?;
    Ok(Transport::Encrypted { mode, sign_in, trust: trust(form, old_trust)?, minimum_tls })
}

fn sign_in(form: &Form, before: Option<SignIn>) -> Result<Option<SignIn>, FieldProblem> {
    let mechanism = form
        .auth
        .as_deref()
        .map(|word| {
            Mechanism::parse(word)
                .ok_or_else(|| choice("auth", &Mechanism::ALL.map(Mechanism::as_str)))
        })
        .transpose()?;
    let user = match form.user.as_deref() {
        Some("") if mechanism.is_some() => {
            return Err(FieldProblem::new("auth", "needs a user name"));
        }
        Some("") => return Ok(None),
        Some(user) => Some(OneLine::parse("user", user)?),
        None => before.as_ref().map(|sign_in| sign_in.user.clone()),
    };
    match (user, mechanism) {
        (None, None) => Ok(None),
        (None, Some(_)) => Err(FieldProblem::new("auth", "needs a user name").hint("give --user")),
        (Some(user), mechanism) => {
            let before = before.map(|sign_in| sign_in.mechanism);
            let mechanism = mechanism.or(before).unwrap_or(Mechanism::Automatic);
            Ok(Some(SignIn { mechanism, user }))
        }
    }
}

fn trust(form: &Form, before: Trust) -> Result<Trust, FieldProblem> {
    let pins: Option<Vec<&str>> = form
        .pins
        .as_ref()
        .map(|pins| pins.iter().map(|pin| pin.trim()).filter(|pin| !pin.is_empty()).collect());
    let ca = form.ca.as_deref().map(str::trim);
    match (ca, pins) {
        (None, None) => Ok(before),
        (Some(ca), Some(pins)) if !ca.is_empty() && !pins.is_empty() => {
            Err(FieldProblem::new("pin", "goes with no --ca: a pinned key is trusted alone"))
        }
        (_, Some(pins)) if !pins.is_empty() => {
            let keys = pins.into_iter().map(PinnedKey::parse).collect::<Result<Vec<_>, _>>()?;
            Ok(Trust::pinned(keys)?)
        }
        (Some(ca), _) if !ca.is_empty() => Ok(Trust::Authority(TrustPem::parse(ca)?)),
        (Some(_), _) | (None, Some(_)) => Ok(Trust::PublicRoots),
    }
}

fn clear(
    form: &Form,
    before: Option<&CustomSmtp>,
    host: &RelayHost,
    exception: Option<ClearTextException>,
) -> Result<Transport, FieldProblem> {
    let is_set = |text: &Option<String>| text.as_deref().is_some_and(|text| !text.is_empty());
    let fields = [
        ("user", is_set(&form.user)),
        ("auth", form.auth.is_some()),
        ("ca", is_set(&form.ca)),
        ("pin", form.pins.as_ref().is_some_and(|pins| pins.iter().any(|pin| !pin.is_empty()))),
        ("minimum-tls", form.minimum_tls.is_some()),
    ];
    if let Some((field, _)) = fields.into_iter().find(|(_, is_set)| *is_set) {
        return Err(FieldProblem::new(
            field,
            "does not go with mode none, which never signs in and has no TLS",
        )
        .hint(format!(
            "leave --{field} out, or use --security starttls or tls as the provider documents it"
        )));
    }
    let stored = before.and_then(|smtp| match &smtp.transport {
        // It was given for that host.
        Transport::Clear { exception } if smtp.host == *host => exception.clone(),
        Transport::Clear { .. } | Transport::Encrypted { .. } => None,
    });
    let exception = exception.or(stored);
    if exception.is_none() && !is_loopback(host) {
        return Err(FieldProblem::new("security", NEEDS_EXCEPTION).hint(
            "use starttls or tls; else give --exception-page URL, --exception-reason TEXT and \
             --exception-until DATE (at most 90 days)",
        ));
    }
    Ok(Transport::Clear { exception })
}

/// Whether the host is this machine by its very name; an address that a name resolves to is judged when
/// it is connected to.
pub(super) fn is_loopback(host: &RelayHost) -> bool {
    match host {
        RelayHost::Address(IpAddr::V4(address)) => address.is_loopback(),
        RelayHost::Address(IpAddr::V6(address)) => {
            address.to_ipv4_mapped().map_or(address.is_loopback(), |v4| v4.is_loopback())
        }
        RelayHost::Name(name) => {
            let name = name.as_str();
            name == "localhost" || name.ends_with(".localhost")
        }
    }
}

fn choice(field: &str, words: &[&str]) -> FieldProblem {
    FieldProblem::new(field, "has a value that is not allowed")
        .hint(format!("one of {}", words.join(", ")))
}
