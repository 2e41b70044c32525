//! What tools take. The comments of the fields are what agents read about them; unknown fields are refused, so
//! that nothing is silently left out.

use super::answer::Refusal;
use crate::limits::{MCP_ARGUMENT_OCTETS_MAX, MCP_ENTRIES_MAX};
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;

/// What to check.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CheckDomain {
    /// The domain, such as example.com; an email address or URL is reduced to its domain.
    #[schemars(length(max = 320))]
    pub(super) domain: String,
    /// Look at these areas only; all when left out.
    #[serde(default)]
    pub(super) only: Vec<AreaName>,
    /// The MX hosts that the provider's page lists, to compare with.
    #[serde(default)]
    pub(super) expect_mx: Vec<String>,
    /// The port of the mail hosts: 25, 465 or 587.
    #[serde(default = "port_smtp")]
    pub(super) port: u16,
}

/// An area of a check.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum AreaName {
    /// MX records.
    Mx,
    /// MTA-STS.
    MtaSts,
    /// STARTTLS and certificates.
    Tls,
    /// TLS reporting.
    TlsRpt,
}

const fn port_smtp() -> u16 {
    25
}

/// Whose MX records to look at.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct MxRecords {
    /// The domain, such as example.com.
    #[schemars(length(max = 320))]
    pub(super) domain: String,
    /// The MX hosts that the provider's page lists, to compare with.
    #[serde(default)]
    pub(super) expect_mx: Vec<String>,
}

/// Which finding.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct FindingCode {
    /// The code, such as cert-expired.
    pub(super) code: String,
}

/// Which findings.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ListFindings {
    /// Only codes that begin so, such as cert- or dns-.
    pub(super) prefix: Option<String>,
}

/// Which guide.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ReadGuide {
    /// A page, such as tls, or PAGE#SECTION, such as tls#certificate.
    pub(super) guide: String,
}

/// What to look for.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SearchGuides {
    /// A few words; all of them must occur.
    pub(super) words: String,
}

/// A received message.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ReadHeaders {
    /// The message as it was received, or only its header.
    pub(super) message: String,
}

/// A message of a test, where it arrived.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ReadArrival {
    /// Name or identifier of the connection that sent it.
    pub(super) connection: String,
    /// The message as it was received, or only its header.
    pub(super) message: String,
}

/// An address.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CheckAddress {
    /// The address, without name and angle brackets.
    pub(super) address: String,
}

/// What a domain publishes for MTA-STS.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ReadMtaSts {
    /// The text of the TXT record at _mta-sts.
    pub(super) record: Option<String>,
    /// The text of the policy file.
    pub(super) policy: Option<String>,
    /// A mail host to look for in the policy.
    pub(super) host: Option<String>,
}

/// What a domain publishes for TLS reporting.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ReadTlsRpt {
    /// The text of the TXT record at _smtp._tls.
    pub(super) record: String,
}

/// Certificates.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct InspectCertificates {
    /// One or more certificates in PEM form.
    pub(super) pem: String,
}

/// Which services.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Presets {
    /// Name of one preset; all when left out.
    pub(super) name: Option<String>,
}

/// Nothing.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Nothing {}

/// Which connection.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NamedConnection {
    /// Its name or identifier.
    pub(super) connection: String,
}

/// What to test.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TestConnection {
    /// Its name or identifier.
    pub(super) connection: String,
    /// The address that gets one real message.
    pub(super) to: String,
    /// Names this test: repeated with the same key, nothing is sent and the first outcome is told.
    pub(super) idempotency_key: Option<String>,
}

/// What to add. There is no field for a secret: a person enters it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AddConnection {
    /// What to call it.
    pub(super) name: String,
    /// The From address of its messages.
    pub(super) from_address: String,
    /// The name beside the From address.
    pub(super) from_name: Option<String>,
    /// A built-in service, such as postmark; leave it out for SMTP.
    pub(super) service: Option<String>,
    /// Settings of the built-in service, never a secret.
    #[serde(default)]
    pub(super) settings: BTreeMap<String, String>,
    /// SMTP: a preset to take host, port and security from.
    pub(super) preset: Option<String>,
    /// SMTP: the host.
    pub(super) host: Option<String>,
    /// SMTP: the port. The security mode is never derived from it.
    pub(super) port: Option<u16>,
    /// SMTP: starttls (must succeed), tls (from the first byte) or none (encrypts nothing, never signs in).
    pub(super) security: Option<String>,
    /// SMTP: the user name.
    pub(super) user: Option<String>,
}

/// What to change; what is left out stays. There is no field for a secret, and a stored one never goes to
/// another host.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct EditConnection {
    /// Its name or identifier.
    pub(super) connection: String,
    /// What to call it from now on.
    pub(super) name: Option<String>,
    /// The From address of its messages.
    pub(super) from_address: Option<String>,
    /// The name beside the From address; empty for none.
    pub(super) from_name: Option<String>,
    /// Settings of a built-in service, never a secret.
    #[serde(default)]
    pub(super) settings: BTreeMap<String, String>,
    /// SMTP: the host.
    pub(super) host: Option<String>,
    /// SMTP: the port. The security mode is never derived from it.
    pub(super) port: Option<u16>,
    /// SMTP: starttls (must succeed), tls (from the first byte) or none (encrypts nothing, never signs in).
    pub(super) security: Option<String>,
    /// SMTP: the user name; empty for no sign-in.
    pub(super) user: Option<String>,
}

/// Whether a connection may be used.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct UseConnection {
    /// Its name or identifier.
    pub(super) connection: String,
    /// Whether anything may be sent over it.
    pub(super) enabled: bool,
}

/// A text argument within its limit.
pub(super) fn within<'a>(name: &str, text: &'a str) -> Result<&'a str, Refusal> {
    if text.len() > MCP_ARGUMENT_OCTETS_MAX {
        let problem = format!("has more than {MCP_ARGUMENT_OCTETS_MAX} octets");
        return Err(Refusal::argument(name, problem));
    }
    Ok(text)
}

/// A list or table within its limit.
pub(super) fn few(name: &str, entries: usize) -> Result<(), Refusal> {
    if entries > MCP_ENTRIES_MAX {
        let problem = format!("has more than {MCP_ENTRIES_MAX} entries");
        return Err(Refusal::argument(name, problem));
    }
    Ok(())
}
