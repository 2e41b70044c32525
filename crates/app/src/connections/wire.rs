//! A connection as the command line, the pages and the HTTP interface show it: one set of field names.
//!
//! The way in is [`ConnectionView::of`]. Keep: nothing here can hold a secret; it says that one is stored
//! and since when. `encrypted` is false for mode none, and every face marks that.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use waxseal_proto::x509::{inspect, read_certificates};
use waxseal_services::account::{AccountState, DomainState, Permission, QuotaUnit, Sending, Stage};
use waxseal_services::second_path::InboxPolicy;
use waxseal_store::connection::{
    ClearTextException, Connection, ConnectionKind, CustomSmtp, Holder, OneLine, PinnedKey,
    SecretState, Transport, Trial, Trust,
};

/// A connection.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ConnectionView {
    /// Its identifier.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// api or smtp.
    pub kind: &'static str,
    /// The built-in service; null for SMTP.
    pub service: Option<String>,
    /// Settings of the service; empty for SMTP.
    pub settings: BTreeMap<String, String>,
    /// The host; null for a built-in service.
    pub host: Option<String>,
    /// The port; null for a built-in service.
    pub port: Option<u16>,
    /// starttls, tls or none; null for a built-in service, which is always https.
    pub security: Option<&'static str>,
    /// Whether everything it sends is encrypted.
    pub encrypted: bool,
    /// How it signs in; null when it does not, and for a built-in service.
    pub sign_in: Option<SignInView>,
    /// What certificates it trusts; null where there is no TLS of its own.
    pub trust: Option<TrustView>,
    /// The oldest TLS version of SMTP.
    pub minimum_tls: Option<&'static str>,
    /// The name given in EHLO; null for the program's choice.
    pub ehlo_name: Option<String>,
    /// Which addresses are tried; null for a built-in service.
    pub ip: Option<&'static str>,
    /// The name beside the From address.
    pub from_name: Option<String>,
    /// The From address.
    pub from_address: String,
    /// Whether a secret is stored.
    pub secret: SecretView,
    /// Whether it may be used.
    pub enabled: bool,
    /// untested, passing or failing.
    pub state: &'static str,
    /// Counts the changes of settings and secret.
    pub revision: u64,
    /// The newest test.
    pub last_test: Option<TrialView>,
    /// The newest verification without a message.
    pub last_verify: Option<TrialView>,
    /// The exception for mode none.
    pub exception: Option<ExceptionView>,
    /// What uses it and keeps it from being removed.
    pub used_by: Vec<HolderView>,
    /// When it was added.
    pub created_at: String,
    /// When settings or secret last changed.
    pub changed_at: String,
}

/// How a connection signs in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SignInView {
    /// automatic or a mechanism.
    pub mechanism: &'static str,
    /// The user name.
    pub user: String,
}

/// What certificates a connection trusts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct TrustView {
    /// public-roots, authority or pinned-keys.
    pub kind: &'static str,
    /// The certificates of the private authority.
    pub certificates: Vec<CertificateView>,
    /// SHA-256 of the pinned keys.
    pub pins: Vec<String>,
}

/// A certificate of a private authority.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CertificateView {
    /// Its subject.
    pub subject: String,
    /// When it ends.
    pub not_after: String,
    /// Its SHA-256.
    pub sha256: String,
}

/// Whether a secret is stored, and since when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SecretView {
    /// Whether there is one.
    pub stored: bool,
    /// Since when.
    pub changed_at: Option<String>,
}

/// A test or verification.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct TrialView {
    /// Its identifier.
    pub id: String,
    /// When it began.
    pub started_at: String,
    /// How long it took.
    pub took_ms: u64,
    /// accepted, rejected, failed or unknown.
    pub outcome: &'static str,
    /// Whether it was of the present settings and secret.
    pub current: bool,
    /// What it showed.
    pub detail: Value,
}

/// An exception for mode none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ExceptionView {
    /// The page of the provider.
    pub documentation: String,
    /// Why.
    pub reason: String,
    /// Who decided.
    pub granted_by: String,
    /// When.
    pub granted_at: String,
    /// When it ends.
    pub ends_at: String,
    /// Whether it holds now.
    pub in_force: bool,
}

/// Something that uses a connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct HolderView {
    /// What it is.
    pub kind: String,
    /// Which one.
    pub id: String,
}

/// What the account of a service says about itself; null where it does not say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct AccountView {
    /// enabled or stopped.
    pub sending: Option<&'static str>,
    /// production or sandbox.
    pub stage: Option<&'static str>,
    /// Whether this key may send.
    pub key_may_send: Option<bool>,
    /// Whether the sending domain, or stream, is ready.
    pub domain_verified: Option<bool>,
    /// How much the plan allows.
    pub quota: Option<QuotaView>,
    /// The most recipients per second.
    pub rate_per_second_max: Option<u64>,
    /// opportunistic, required or required-verified: what the account insists on towards inboxes.
    pub inbox_tls: Option<&'static str>,
}

/// An amount that a plan allows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct QuotaView {
    /// credits or recipients-per-day.
    pub unit: &'static str,
    /// How many in all.
    pub limit: Option<u64>,
    /// How many are left.
    pub left: Option<u64>,
}

impl AccountView {
    /// Shows what is known of an account.
    pub fn of(state: &AccountState) -> Self {
        Self {
            sending: state.sending.seen().map(|sending| match sending {
                Sending::Enabled => "enabled",
                Sending::Stopped => "stopped",
            }),
            stage: state.stage.seen().map(|stage| match stage {
                Stage::Production => "production",
                Stage::Sandbox => "sandbox",
            }),
            key_may_send: state.permission.seen().map(|each| *each == Permission::MaySend),
            domain_verified: state.domain.seen().map(|each| *each == DomainState::Verified),
            quota: state.quota.seen().map(|quota| QuotaView {
                unit: match quota.unit {
                    QuotaUnit::Credits => "credits",
                    QuotaUnit::RecipientsPerDay => "recipients-per-day",
                },
                limit: quota.limit.seen().copied(),
                left: quota.left.seen().copied(),
            }),
            rate_per_second_max: state.rate_per_second_max.seen().copied(),
            inbox_tls: state.inbox_tls.seen().map(|policy| match policy {
                InboxPolicy::Opportunistic => "opportunistic",
                InboxPolicy::Required => "required",
                InboxPolicy::RequiredVerified => "required-verified",
            }),
        }
    }
}

/// What is known of a host.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Offer {
    /// The built-in service that the host belongs to: the better way, by its HTTPS interface.
    pub service: Option<String>,
    /// The presets of its SMTP side, the likeliest first.
    pub presets: Vec<PresetOffer>,
}

/// A preset that fits a host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PresetOffer {
    /// Its key.
    pub name: String,
    /// What people call the service.
    pub title: String,
    /// The host to fill in, a varying part in braces.
    pub host: String,
    /// The recommended port.
    pub port: u16,
    /// Its mode.
    pub security: String,
    /// Whether the ordinary password is refused.
    pub needs_app_password: bool,
    /// Whether nothing but OAuth 2 is taken.
    pub oauth_only: bool,
    /// The provider's page.
    pub documentation: String,
}

impl ConnectionView {
    /// Shows a stored connection.
    pub fn of(connection: &Connection, holders: &[Holder], now: Timestamp) -> Self {
        let (service, settings, smtp) = match &connection.settings.kind {
            ConnectionKind::Api(api) => {
                let settings =
                    api.settings().map(|(name, value)| (name.to_owned(), value.to_owned()));
                (Some(api.service.as_str().to_owned()), settings.collect(), None)
            }
            ConnectionKind::Smtp(smtp) => (None, BTreeMap::new(), Some(smtp)),
        };
        let tls = smtp.and_then(TlsSide::of);
        Self {
            id: connection.id.to_string(),
            name: connection.name.to_string(),
            kind: connection.settings.kind.as_str(),
            service,
            settings,
            host: smtp.map(|smtp| smtp.host.to_string()),
            port: smtp.map(|smtp| smtp.port.get()),
            security: smtp.map(|smtp| smtp.mode().as_str()),
            encrypted: connection.encrypts(),
            sign_in: tls.as_ref().and_then(|tls| tls.sign_in.clone()),
            trust: tls.as_ref().map(|tls| tls.trust.clone()),
            minimum_tls: tls.as_ref().map(|tls| tls.minimum),
            ehlo_name: smtp.and_then(|smtp| smtp.ehlo_name.as_ref()).map(ToString::to_string),
            ip: smtp.map(|smtp| smtp.ip_preference.as_str()),
            from_name: connection.settings.from_name.as_ref().map(OneLine::to_string),
            from_address: connection.settings.from_address.to_string(),
            secret: secret(connection.secret),
            enabled: connection.enabled,
            state: connection.state.as_str(),
            revision: connection.revision,
            last_test: connection.last_test.as_ref().map(|trial| TrialView::of(connection, trial)),
            last_verify: connection
                .last_verify
                .as_ref()
                .map(|trial| TrialView::of(connection, trial)),
            exception: smtp.and_then(exception_of).map(|exception| exception_view(exception, now)),
            used_by: holders
                .iter()
                .map(|holder| HolderView {
                    kind: holder.kind.to_string(),
                    id: holder.id.to_string(),
                })
                .collect(),
            created_at: time(connection.created_at),
            changed_at: time(connection.changed_at),
        }
    }
}

impl ConnectionView {
    /// Without what its newest test and verification showed: that they were, and how they ended, stays.
    #[must_use]
    pub fn without_details(self) -> Self {
        Self {
            last_test: self.last_test.map(TrialView::without_detail),
            last_verify: self.last_verify.map(TrialView::without_detail),
            ..self
        }
    }
}

/// A time as every face shows it: whole seconds, UTC.
pub(crate) fn time(at: Timestamp) -> String {
    Timestamp::from_second(at.as_second()).unwrap_or(at).to_string()
}

const fn exception_of(smtp: &CustomSmtp) -> Option<&ClearTextException> {
    match &smtp.transport {
        Transport::Clear { exception } => exception.as_ref(),
        Transport::Encrypted { .. } => None,
    }
}

struct TlsSide {
    sign_in: Option<SignInView>,
    trust: TrustView,
    minimum: &'static str,
}

impl TlsSide {
    fn of(smtp: &CustomSmtp) -> Option<Self> {
        let Transport::Encrypted { sign_in, trust, minimum_tls, .. } = &smtp.transport else {
            return None;
        };
        Some(Self {
            sign_in: sign_in.as_ref().map(|sign_in| SignInView {
                mechanism: sign_in.mechanism.as_str(),
                user: sign_in.user.to_string(),
            }),
            trust: trust_view(trust),
            minimum: minimum_tls.as_str(),
        })
    }
}

fn trust_view(trust: &Trust) -> TrustView {
    let none = TrustView { kind: "public-roots", certificates: Vec::new(), pins: Vec::new() };
    match trust {
        Trust::PublicRoots => none,
        Trust::PinnedKeys(keys) => TrustView {
            kind: "pinned-keys",
            pins: keys.iter().map(PinnedKey::to_string).collect(),
            ..none
        },
        Trust::Authority(pem) => TrustView {
            kind: "authority",
            certificates: read_certificates(pem.as_str().as_bytes())
                .unwrap_or_default()
                .iter()
                .filter_map(|der| inspect(der).ok())
                .map(|seen| CertificateView {
                    subject: seen.subject,
                    not_after: time(seen.not_after),
                    sha256: seen.sha256,
                })
                .collect(),
            ..none
        },
    }
}

fn secret(state: SecretState) -> SecretView {
    match state {
        SecretState::Missing => SecretView { stored: false, changed_at: None },
        SecretState::Stored { changed_at } => {
            SecretView { stored: true, changed_at: Some(time(changed_at)) }
        }
    }
}

impl TrialView {
    /// Shows a stored test or verification of a connection.
    pub fn of(connection: &Connection, trial: &Trial) -> Self {
        Self {
            id: trial.id.to_string(),
            started_at: time(trial.started_at),
            took_ms: trial.took_ms,
            outcome: trial.outcome.as_str(),
            current: trial.revision == connection.revision,
            // The store takes nothing but JSON here.
            detail: serde_json::from_str(&trial.detail).unwrap_or(Value::Null),
        }
    }
}

impl TrialView {
    /// Without what it showed.
    #[must_use]
    pub fn without_detail(self) -> Self {
        Self { detail: Value::Null, ..self }
    }
}

fn exception_view(exception: &ClearTextException, now: Timestamp) -> ExceptionView {
    let grant = exception.grant();
    ExceptionView {
        documentation: grant.documentation.as_str().to_owned(),
        reason: grant.reason.to_string(),
        granted_by: grant.granted_by.to_string(),
        granted_at: time(grant.granted_at),
        ends_at: time(grant.ends_at),
        in_force: exception.is_in_force(now),
    }
}
