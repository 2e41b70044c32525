//! What is known of a delivery service or mailbox provider, as programs and pages get it. The rows are
//! [`waxseal_services::presets`], the words of single values in `words`; nothing is judged here.

mod words;

use schemars::JsonSchema;
use serde::Serialize;
use utoipa::ToSchema;
use waxseal_services::presets::{Endpoint, HostPattern, Preset};

/// What is known of one service.
#[derive(Clone, Debug, JsonSchema, Serialize, ToSchema)]
pub(crate) struct PresetV1 {
    /// The name in commands and addresses.
    pub(crate) name: &'static str,
    /// The name that people know.
    pub(crate) title: &'static str,
    /// Host names; a part in braces depends on the account.
    pub(crate) hosts: Vec<String>,
    /// The recommended port.
    pub(crate) port: u16,
    /// The recommended mode: starttls, tls or none.
    pub(crate) mode: &'static str,
    /// Every other documented pair, in the order of the documentation.
    pub(crate) alternatives: Vec<PairV1>,
    /// Kinds of sign-in.
    pub(crate) sign_in: Vec<&'static str>,
    /// What to give as user name.
    pub(crate) user_name: &'static str,
    /// The word that everybody gives as user name.
    pub(crate) user_name_fixed: Option<&'static str>,
    /// Whether the service takes mail without TLS.
    pub(crate) clear_text: &'static str,
    /// Documented limits.
    pub(crate) limits: Vec<LimitV1>,
    /// Messages after which a connection is ended.
    pub(crate) messages_per_connection_max: Option<u32>,
    /// Seconds after which an idle connection is ended.
    pub(crate) idle_s_max: Option<u32>,
    /// What to keep in mind.
    pub(crate) cautions: Vec<&'static str>,
    /// The HTTP interface of the same service.
    pub(crate) api: Option<&'static str>,
    /// The provider's page.
    pub(crate) documentation: &'static str,
    /// How the row was established.
    pub(crate) evidence: &'static str,
}

/// A port and its mode.
#[derive(Clone, Debug, JsonSchema, Serialize, ToSchema)]
pub(crate) struct PairV1 {
    /// The port.
    pub(crate) port: u16,
    /// The mode.
    pub(crate) mode: &'static str,
}

/// One documented limit.
#[derive(Clone, Debug, JsonSchema, Serialize, ToSchema)]
pub(crate) struct LimitV1 {
    /// How many.
    pub(crate) count: u64,
    /// Of what.
    pub(crate) counted: &'static str,
    /// In how many seconds.
    pub(crate) period_s: u32,
}

impl PresetV1 {
    /// The host of the provider's page.
    pub(crate) fn documentation_host(&self) -> &str {
        let rest =
            self.documentation.split_once("://").map_or(self.documentation, |(_, rest)| rest);
        rest.split('/').next().unwrap_or(rest)
    }
}

impl From<&Preset> for PresetV1 {
    fn from(preset: &Preset) -> Self {
        let recommended = preset.recommended();
        Self {
            name: preset.name,
            title: preset.title,
            hosts: preset.hosts.iter().map(HostPattern::template).collect(),
            port: recommended.port,
            mode: recommended.mode.as_str(),
            alternatives: preset.endpoints.iter().skip(1).copied().map(pair).collect(),
            sign_in: preset.sign_in.iter().map(|kind| words::sign_in(*kind)).collect(),
            user_name: words::user_name(preset.user),
            user_name_fixed: words::fixed_user_name(preset.user),
            clear_text: words::clear_text(preset.clear_text),
            limits: preset
                .limits
                .iter()
                .map(|limit| LimitV1 {
                    count: limit.count,
                    counted: words::counted(limit.counted),
                    period_s: words::seconds(limit.period),
                })
                .collect(),
            messages_per_connection_max: preset.recycling.messages_max,
            idle_s_max: preset.recycling.idle_s_max,
            cautions: preset.cautions.iter().map(|caution| words::caution(*caution)).collect(),
            api: preset.api.map(waxseal_services::service::ServiceId::as_str),
            documentation: preset.documentation,
            evidence: words::evidence(preset.evidence),
        }
    }
}

const fn pair(endpoint: Endpoint) -> PairV1 {
    PairV1 { port: endpoint.port, mode: endpoint.mode.as_str() }
}
