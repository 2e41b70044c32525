//! Scenario files: what the world does and which findings must and must not appear, as TOML.
//! Every field is described in `scenarios/README.md`. Reading is strict: an unknown field is an error that
//! names file, line and field. The way in: [`Scenario::parse`]. Nothing is started here.

mod api;
mod attempt;

pub use api::{ApiAction, ApiAttempt, ApiMessage};
pub use attempt::{Attempt, Trust};

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::delivery_service::ServiceBehaviour;
use crate::dns::{
    DnssecFaultConfig, FaultConfig, GenerateConfig, PtrConfig, ResolverConfig, ServerConfig,
    VariantConfig, ZoneConfig,
};
use crate::policy_host::{WebBehaviour, WebResponse};
use crate::smtp_server::SmtpBehaviour;
use crate::tls::TlsBehaviour;

/// One scenario.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// The file name without folder and ending; names the scenario everywhere.
    #[serde(skip)]
    pub name: String,
    /// The folder: the stage the fault belongs to, or `healthy`, `script`.
    #[serde(skip)]
    pub area: String,
    /// What happens, in plain words.
    pub title: String,
    /// Which family the scenario belongs to.
    pub kind: Kind,
    /// The domain of the scenario; default the name under `.test`.
    #[serde(default)]
    pub domain: String,
    /// What is checked; default the domain.
    pub input: Option<String>,
    /// How the check is called.
    #[serde(default)]
    pub options: CheckOptions,
    /// Codes that must be found.
    #[serde(default)]
    pub must: Vec<String>,
    /// Codes that must not be found.
    #[serde(default)]
    pub must_not: Vec<String>,
    /// Expected verdict on transport, as the report writes it.
    pub verdict: Option<String>,
    /// Expected exit code.
    pub exit: Option<u8>,
    /// Expected outcome of every address, as the report writes it.
    pub outcome: Option<String>,
    /// Expected owner of a code.
    #[serde(default)]
    pub owner: BTreeMap<String, String>,
    /// Hosts with their servers.
    #[serde(default, rename = "host")]
    pub hosts: Vec<Host>,
    /// Delivery services with their accounts.
    #[serde(default, rename = "service")]
    pub services: Vec<ServiceBehaviour>,
    /// DNS beyond what the hosts give.
    #[serde(default)]
    pub dns: ScenarioDns,
    /// MTA-STS in short.
    pub sts: Option<Sts>,
    /// TLS reporting in short.
    pub rpt: Option<Rpt>,
    /// Path A: what a client of a submission server is set to, and what must be found. Where it stands, this is
    /// tried instead of a check of the domain.
    pub submission: Option<Attempt>,
    /// Path A over a service's own interface: what a client is set to, the message, and what must be found.
    /// Where it stands, this is tried instead of a check of the domain.
    pub api: Option<ApiAttempt>,
}

/// The family of a scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Something is wrong and must be found.
    Fault,
    /// Nothing is wrong: no finding of severity warn or fail may appear.
    Healthy,
    /// A scripted server taken from elsewhere.
    Script,
}

/// How the check is called; absent means the product's default.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CheckOptions {
    /// `--expect-mx`, each `PREFERENCE HOST` or `HOST`.
    pub expect_mx: Vec<String>,
    /// `--only`.
    pub only: Option<String>,
    /// `--scope`.
    pub scope: Option<String>,
    /// `--port`, as text because invalid ports are input faults.
    pub port: Option<String>,
    /// `--allow-private`.
    pub allow_private: bool,
    /// Control hosts the administrator configured, `HOST:PORT`.
    pub control_hosts: Vec<String>,
    /// Limits by name in milliseconds, octets or counts, smaller than the product's so that tests are fast.
    pub limits: BTreeMap<String, u64>,
    /// The clock of the check in seconds since 1970; certificates of the scenario are made relative to it.
    pub now: Option<i64>,
    /// Whether the scenario gets a lab of its own, because it changes the resolver or a shared zone.
    pub own_lab: bool,
    /// How often the check is run against the same lab before it is judged; default once.
    pub rounds: Option<u8>,
}

/// A host with its addresses and servers.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Host {
    /// Name relative to the domain; `@` is the domain itself; a final dot makes it absolute. `$` is the number
    /// of the copy.
    pub name: String,
    /// Preference of the MX record; without it the host has none.
    pub mx: Option<u16>,
    /// So many hosts alike, numbered from 1.
    pub copies: Option<u16>,
    /// One published address per entry; default one IPv4 address.
    #[serde(default = "one_v4")]
    pub addresses: Vec<Family>,
    /// Shares addresses and servers of this host (same form as `name`) instead of having its own.
    pub same_address_as: Option<String>,
    /// Whether address records are published; default true.
    #[serde(default = "yes")]
    pub publish: bool,
    /// Whether the addresses point back to the name; default true.
    #[serde(default = "yes")]
    pub ptr: bool,
    /// Publishes `TLSA 3 1 1` for port 25 from the certificate of the first address.
    #[serde(default)]
    pub tlsa: bool,
    /// Mail servers; without any server of either kind, a correct one on port 25.
    #[serde(default)]
    pub smtp: Vec<SmtpBehaviour>,
    /// Web servers.
    #[serde(default)]
    pub web: Vec<WebBehaviour>,
}

fn one_v4() -> Vec<Family> {
    vec![Family::V4]
}

fn yes() -> bool {
    true
}

/// An address family.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Family {
    /// From 198.18.0.0/15.
    V4,
    /// From 2001:db8::/32.
    V6,
}

/// What stands behind a published port.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PortState {
    /// A server.
    #[default]
    Open,
    /// Nothing listens: connections are refused.
    Closed,
    /// Connection attempts get no answer.
    Unanswered,
    /// The network says that there is no way.
    Unreachable,
}

/// DNS of a scenario beyond what its hosts give. `{v4:NAME}` and `{v6:NAME}` in records stand for the first
/// published address of a host.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ScenarioDns {
    /// Whether the zone of the domain exists.
    pub exists: bool,
    /// Signs the zone.
    pub signed: bool,
    /// Records added to the zone.
    pub records: Vec<String>,
    /// Numbered records added to the zone.
    pub generate: Vec<GenerateConfig>,
    /// Name servers of the zone by name.
    pub servers: Vec<String>,
    /// SOA serial.
    pub serial: Option<u32>,
    /// Time to live of records that name none, in seconds.
    pub ttl: Option<u32>,
    /// What is wrong with the zone's signatures.
    pub dnssec_fault: Option<DnssecFaultConfig>,
    /// Name servers that serve other data.
    pub variants: Vec<VariantConfig>,
    /// Further zones.
    #[serde(rename = "zone")]
    pub zones: Vec<ZoneConfig>,
    /// Further reverse names.
    #[serde(rename = "ptr")]
    pub ptrs: Vec<PtrConfig>,
    /// Name servers that need more than a name.
    #[serde(rename = "server")]
    pub server_details: Vec<ServerConfig>,
    /// Answers that go wrong.
    #[serde(rename = "fault")]
    pub faults: Vec<FaultConfig>,
    /// The resolver, for a scenario with a lab of its own.
    pub resolver: Option<ResolverConfig>,
}

impl Default for ScenarioDns {
    fn default() -> Self {
        Self {
            exists: true,
            signed: false,
            records: Vec::new(),
            generate: Vec::new(),
            servers: Vec::new(),
            serial: None,
            ttl: None,
            dnssec_fault: None,
            variants: Vec::new(),
            zones: Vec::new(),
            ptrs: Vec::new(),
            server_details: Vec::new(),
            faults: Vec::new(),
            resolver: None,
        }
    }
}

/// MTA-STS in short: the record, the host `mta-sts` and its policy (RFC 8461 §3).
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Sts {
    /// Policy id.
    pub id: String,
    /// The texts at `_mta-sts` instead of the usual one; empty for no record.
    pub records: Option<Vec<String>>,
    /// Policy mode.
    pub mode: String,
    /// `mx` lines; default every host with an MX record.
    pub mx: Option<Vec<String>>,
    /// Lifetime in seconds, as text because invalid ones are faults.
    pub max_age: String,
    /// The whole policy file instead of the one made from the fields above.
    pub policy: Option<String>,
    /// How the policy is answered; an empty body becomes the policy.
    pub response: WebResponse,
    /// Whether an empty body of `response` stays empty.
    pub keep_body: bool,
    /// TLS of the policy host.
    pub tls: TlsBehaviour,
    /// What stands behind port 443 of the policy host.
    pub state: PortState,
    /// Whether the name `mta-sts` has an address.
    pub publish: bool,
}

impl Default for Sts {
    fn default() -> Self {
        Self {
            id: "20260101000000".into(),
            records: None,
            mode: "enforce".into(),
            mx: None,
            max_age: "2419200".into(),
            policy: None,
            response: WebResponse::default(),
            keep_body: false,
            tls: TlsBehaviour::default(),
            state: PortState::Open,
            publish: true,
        }
    }
}

/// TLS reporting in short (RFC 8460 §3).
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Rpt {
    /// Report addresses; default `mailto:tls-reports@{domain}`.
    pub rua: Vec<String>,
    /// The texts at `_smtp._tls` instead of the usual one.
    pub records: Option<Vec<String>>,
}

/// Why a scenario file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ScenarioError {
    /// The file is not TOML of the right shape.
    #[error("scenario {file}: {source}")]
    Syntax {
        /// The file.
        file: String,
        /// Line, column and field.
        source: Box<toml::de::Error>,
    },
    /// A field says something that cannot be.
    #[error("scenario {file}: {field}: {reason}")]
    Field {
        /// The file.
        file: String,
        /// The field.
        field: String,
        /// What is wrong.
        reason: String,
    },
}

impl Scenario {
    /// Reads a scenario; `path` is `area/name`.
    ///
    /// # Errors
    /// Where the text is not TOML, has an unknown or missing field, or contradicts itself.
    pub fn parse(path: &str, text: &str) -> Result<Self, ScenarioError> {
        let syntax = |source: toml::de::Error| ScenarioError::Syntax {
            file: path.to_owned(),
            source: Box::new(source),
        };
        // Once as written, for errors with a line; once more with the placeholders filled.
        let written: Self = toml::from_str(text).map_err(syntax)?;
        let (area, name) = path.split_once('/').unwrap_or(("", path));
        let domain =
            if written.domain.is_empty() { format!("{name}.test") } else { written.domain };
        let mut table: toml::Table = toml::from_str(text).map_err(syntax)?;
        expand_hosts(&mut table, &domain);
        for (_, value) in &mut table {
            replace(value, "{domain}", &domain);
        }
        let mut scenario: Self = toml::Value::Table(table).try_into().map_err(syntax)?;
        name.clone_into(&mut scenario.name);
        area.clone_into(&mut scenario.area);
        for server in scenario.hosts.iter_mut().flat_map(|host| &mut host.smtp) {
            if let Some(service) = &mut server.submission {
                service.settle(&domain);
            }
        }
        if let Some(attempt) = &mut scenario.submission {
            attempt.settle(&domain);
        }
        if let Some(attempt) = &mut scenario.api {
            attempt.settle(&domain, &scenario.services);
        }
        scenario.domain = domain;
        scenario.judge(path)?;
        Ok(scenario)
    }

    /// What is checked.
    pub fn input(&self) -> &str {
        self.input.as_deref().unwrap_or(&self.domain)
    }

    /// Every code that must be found, by a check or by an attempt.
    pub fn expected_codes(&self) -> impl Iterator<Item = &str> {
        let over_smtp = self.submission.iter();
        let over_smtp = over_smtp.flat_map(|attempt| attempt.first.iter().chain(&attempt.must));
        let by_api = self.api.iter();
        let by_api = by_api.flat_map(|attempt| attempt.first.iter().chain(&attempt.must));
        self.must.iter().chain(over_smtp).chain(by_api).map(String::as_str)
    }

    /// A name of this scenario made absolute, without final dot.
    pub fn absolute(&self, name: &str) -> String {
        absolute(name, &self.domain)
    }

    fn judge(&self, path: &str) -> Result<(), ScenarioError> {
        let fail = |field: &str, reason: String| {
            Err(ScenarioError::Field { file: path.to_owned(), field: field.to_owned(), reason })
        };
        if let Some(code) = self.must.iter().find(|code| self.must_not.contains(code)) {
            return fail("must_not", format!("{code} is also in must"));
        }
        if let Some(code) = self.owner.keys().find(|code| !self.must.contains(code)) {
            return fail("owner", format!("{code} is not in must"));
        }
        if let Some(attempt) = &self.submission {
            if !self.must.is_empty() || self.verdict.is_some() || !self.owner.is_empty() {
                let reason = "a scenario with [submission] says there what is expected";
                return fail("must", reason.into());
            }
            if let Err((field, reason)) = attempt.judge(self.kind) {
                return fail(&format!("submission: {field}"), reason);
            }
        } else if let Some(attempt) = &self.api {
            if !self.must.is_empty() || self.verdict.is_some() || !self.owner.is_empty() {
                return fail("must", "a scenario with [api] says there what is expected".into());
            }
            if let Err((field, reason)) = attempt.judge(self.kind) {
                return fail(&format!("api: {field}"), reason);
            }
        } else if self.kind == Kind::Fault && self.must.is_empty() {
            return fail("must", "a fault needs at least one code".into());
        }
        for service in &self.services {
            if let Some(why) = service.contradiction() {
                return fail(&format!("service {}", service.service.as_str()), why);
            }
        }
        for host in &self.hosts {
            let field = format!("host {}", host.name);
            let known = |other: &&String| self.hosts.iter().any(|host| host.name == **other);
            if let Some(other) = host.same_address_as.as_ref().filter(|other| !known(other)) {
                return fail(&field, format!("same_address_as {other:?} is no host"));
            }
            let placed = host.smtp.iter().map(|server| &server.on);
            let placed = placed.chain(host.web.iter().map(|server| &server.on)).flatten();
            if let Some(index) = placed.copied().find(|index| *index >= host.addresses.len()) {
                return fail(&field, format!("on = [{index}]: there is no such address"));
            }
        }
        Ok(())
    }
}

/// `name` relative to `domain` made absolute, without final dot.
fn absolute(name: &str, domain: &str) -> String {
    match name.strip_suffix('.') {
        Some(absolute) => absolute.to_owned(),
        None if name == "@" => domain.to_owned(),
        None => format!("{name}.{domain}"),
    }
}

/// Makes the copies of hosts and fills `{host}` in each.
fn expand_hosts(table: &mut toml::Table, domain: &str) {
    let Some(toml::Value::Array(hosts)) = table.get_mut("host") else { return };
    let mut expanded = Vec::new();
    for host in hosts.drain(..) {
        let copies = host.get("copies").and_then(toml::Value::as_integer).unwrap_or(1);
        for number in 1..=copies {
            let mut copy = host.clone();
            let name = copy.get("name").and_then(toml::Value::as_str).unwrap_or_default();
            let name = name.replace('$', &number.to_string());
            replace(&mut copy, "{host}", &absolute(&name, domain));
            if let Some(fields) = copy.as_table_mut() {
                fields.insert("name".into(), name.into());
            }
            expanded.push(copy);
        }
    }
    *hosts = expanded;
}

/// Replaces a placeholder in every text below `value`.
fn replace(value: &mut toml::Value, placeholder: &str, text: &str) {
    match value {
        toml::Value::String(old) => *old = old.replace(placeholder, text),
        toml::Value::Array(items) => {
            for item in items {
                replace(item, placeholder, text);
            }
        }
        toml::Value::Table(table) => {
            for (_, item) in table.iter_mut() {
                replace(item, placeholder, text);
            }
        }
        toml::Value::Integer(_)
        | toml::Value::Float(_)
        | toml::Value::Boolean(_)
        | toml::Value::Datetime(_) => {}
    }
}

#[cfg(test)]
mod tests;
