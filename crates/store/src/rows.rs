//! Rows as they are stored, and their conversion from and to what the program works with.
//!
//! Domain values carry no serde; these structs do. A row that does not convert is reported as damaged with
//! its table and field and is never repaired silently. Keep: no row here has a place for a secret.

use std::collections::BTreeMap;
use std::num::NonZeroU16;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;
use waxseal_proto::name::{DomainName, Mailbox};

use crate::connection::{
    ClearTextException, ClearTextExceptionGrant, Connection, ConnectionKind, ConnectionState,
    CustomSmtp, EncryptedMode, FieldError, Holder, HttpsUrl, IpPreference, Mechanism, MinimumTls,
    OneLine, PinnedKey, RelayHost, SecretState, ServiceConnection, ServiceName, Settings, SignIn,
    Transport, Trial, TrialOutcome, Trust, TrustPem,
};
use crate::error::StoreError;
use crate::id::{ConnectionId, TrialId, WorkspaceId};

const CONNECTIONS: &str = "connections";
const TRIALS: &str = "connection_trials";

/// The column `settings` of a connection by API.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ApiRow {
    service: String,
    settings: BTreeMap<String, String>,
}

/// The column `settings` of custom SMTP. The table's own check reads `mode` and `sign_in`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SmtpRow {
    host: String,
    port: NonZeroU16,
    mode: String,
    sign_in: Option<SignInRow>,
    trust: Option<TrustRow>,
    minimum_tls: Option<String>,
    exception: Option<ExceptionRow>,
    ehlo_name: Option<String>,
    ip_preference: String,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SignInRow {
    mechanism: String,
    user: String,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum TrustRow {
    Authority(String),
    PinnedKeys(Vec<String>),
    PublicRoots,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ExceptionRow {
    documentation: String,
    reason: String,
    granted_by: String,
    granted_at: Timestamp,
    ends_at: Timestamp,
}

/// The text of the column `settings`.
pub(crate) fn settings_text(kind: &ConnectionKind) -> Result<String, StoreError> {
    let text = match kind {
        ConnectionKind::Api(api) => serde_json::to_string(&ApiRow {
            service: api.service.as_str().to_owned(),
            settings: api.settings().map(|(n, v)| (n.to_owned(), v.to_owned())).collect(),
        }),
        ConnectionKind::Smtp(smtp) => serde_json::to_string(&SmtpRow::from(smtp)),
    };
    text.map_err(|error| damaged(CONNECTIONS, &error))
}

impl From<&CustomSmtp> for SmtpRow {
    fn from(smtp: &CustomSmtp) -> Self {
        let mut row = Self {
            host: smtp.host.to_string(),
            port: smtp.port,
            mode: smtp.mode().as_str().to_owned(),
            sign_in: None,
            trust: None,
            minimum_tls: None,
            exception: None,
            ehlo_name: smtp.ehlo_name.as_ref().map(ToString::to_string),
            ip_preference: smtp.ip_preference.as_str().to_owned(),
        };
        match &smtp.transport {
            Transport::Clear { exception } => {
                row.exception =
                    exception.as_ref().map(|exception| ExceptionRow::from(exception.grant()));
            }
            Transport::Encrypted { mode: _, sign_in, trust, minimum_tls } => {
                row.sign_in = sign_in.as_ref().map(|sign_in| SignInRow {
                    mechanism: sign_in.mechanism.as_str().to_owned(),
                    user: sign_in.user.as_str().to_owned(),
                });
                row.trust = Some(match trust {
                    Trust::Authority(pem) => TrustRow::Authority(pem.as_str().to_owned()),
                    Trust::PinnedKeys(keys) => {
                        TrustRow::PinnedKeys(keys.iter().map(ToString::to_string).collect())
                    }
                    Trust::PublicRoots => TrustRow::PublicRoots,
                });
                row.minimum_tls = Some(minimum_tls.as_str().to_owned());
            }
        }
        row
    }
}

impl From<&ClearTextExceptionGrant> for ExceptionRow {
    fn from(grant: &ClearTextExceptionGrant) -> Self {
        Self {
            documentation: grant.documentation.as_str().to_owned(),
            reason: grant.reason.as_str().to_owned(),
            granted_by: grant.granted_by.as_str().to_owned(),
            granted_at: grant.granted_at,
            ends_at: grant.ends_at,
        }
    }
}

impl SmtpRow {
    fn convert(self) -> Result<CustomSmtp, FieldError> {
        let unknown = |field| move || field_error(field, "is not a known word");
        let mode = match self.mode.as_str() {
            "starttls" => Some(EncryptedMode::Starttls),
            "tls" => Some(EncryptedMode::Tls),
            "none" => None,
            _ => return Err(unknown("mode")()),
        };
        let transport = match mode {
            Some(mode) => Transport::Encrypted {
                mode,
                sign_in: self.sign_in.map(SignInRow::convert).transpose()?,
                trust: self.trust.ok_or_else(unknown("trust"))?.convert()?,
                minimum_tls: self
                    .minimum_tls
                    .as_deref()
                    .and_then(MinimumTls::parse)
                    .ok_or_else(unknown("minimum_tls"))?,
            },
            None if self.sign_in.is_some() => {
                return Err(field_error("sign_in", "stands beside mode none"));
            }
            None => Transport::Clear {
                exception: self.exception.map(ExceptionRow::convert).transpose()?,
            },
        };
        let ehlo_name = self.ehlo_name.as_deref().map(DomainName::parse).transpose();
        Ok(CustomSmtp {
            host: RelayHost::parse(&self.host)?,
            port: self.port,
            transport,
            ehlo_name: ehlo_name.map_err(|error| field_error("ehlo_name", &error.to_string()))?,
            ip_preference: IpPreference::parse(&self.ip_preference)
                .ok_or_else(unknown("ip_preference"))?,
        })
    }
}

impl SignInRow {
    fn convert(self) -> Result<SignIn, FieldError> {
        let mechanism = Mechanism::parse(&self.mechanism)
            .ok_or_else(|| field_error("mechanism", "is not a known word"))?;
        Ok(SignIn { mechanism, user: OneLine::parse("user", &self.user)? })
    }
}

impl TrustRow {
    fn convert(self) -> Result<Trust, FieldError> {
        match self {
            Self::Authority(pem) => TrustPem::parse(&pem).map(Trust::Authority),
            Self::PinnedKeys(keys) => {
                let keys: Result<Vec<_>, _> =
                    keys.iter().map(|key| PinnedKey::parse(key)).collect();
                Trust::pinned(keys?)
            }
            Self::PublicRoots => Ok(Trust::PublicRoots),
        }
    }
}

impl ExceptionRow {
    fn convert(self) -> Result<ClearTextException, FieldError> {
        ClearTextException::new(ClearTextExceptionGrant {
            documentation: HttpsUrl::parse("documentation", &self.documentation)?,
            reason: OneLine::parse_sentence("reason", &self.reason)?,
            granted_by: OneLine::parse("granted_by", &self.granted_by)?,
            granted_at: self.granted_at,
            ends_at: self.ends_at,
        })
    }
}

fn field_error(field: &'static str, problem: &str) -> FieldError {
    FieldError { field, problem: problem.to_owned() }
}

fn damaged(table: &'static str, problem: &dyn std::fmt::Display) -> StoreError {
    StoreError::Row { table, problem: problem.to_string() }
}

/// A time column.
pub(crate) fn time(table: &'static str, microseconds: i64) -> Result<Timestamp, StoreError> {
    Timestamp::from_microsecond(microseconds).map_err(|error| damaged(table, &error))
}

fn count(table: &'static str, number: i64) -> Result<u64, StoreError> {
    u64::try_from(number).map_err(|error| damaged(table, &error))
}

/// A column of a row.
pub(crate) fn column<'row, T>(
    table: &'static str,
    row: &'row SqliteRow,
    name: &str,
) -> Result<T, StoreError>
where
    T: sqlx::Decode<'row, sqlx::Sqlite> + sqlx::Type<sqlx::Sqlite>,
{
    row.try_get(name).map_err(|error| damaged(table, &error))
}

/// A connection from its row; the trials are added by the caller.
pub(crate) fn connection(row: &SqliteRow) -> Result<Connection, StoreError> {
    let get = |name| column::<String>(CONNECTIONS, row, name);
    let number = |name| column::<i64>(CONNECTIONS, row, name);
    let bad = |error: &dyn std::fmt::Display| damaged(CONNECTIONS, error);
    let line = |field, text: &str| OneLine::parse(field, text).map_err(|error| bad(&error));
    let secret: Option<i64> = column(CONNECTIONS, row, "secret_changed_at_us")?;
    let from_name: Option<String> = column(CONNECTIONS, row, "from_name")?;
    Ok(Connection {
        id: ConnectionId::parse(&get("id")?).map_err(|error| bad(&error))?,
        workspace: WorkspaceId::parse(&get("workspace_id")?).map_err(|error| bad(&error))?,
        name: line("name", &get("name")?)?,
        settings: Settings {
            kind: kind(&get("kind")?, &get("settings")?)?,
            from_name: from_name.map(|name| line("from_name", &name)).transpose()?,
            from_address: Mailbox::parse(&get("from_address")?).map_err(|error| bad(&error))?,
        },
        enabled: number("enabled")? == 1,
        secret: match secret {
            Some(at) => SecretState::Stored { changed_at: time(CONNECTIONS, at)? },
            None => SecretState::Missing,
        },
        state: ConnectionState::parse(&get("state")?).ok_or_else(|| bad(&"unknown state"))?,
        revision: count(CONNECTIONS, number("revision")?)?,
        last_test: None,
        last_verify: None,
        created_at: time(CONNECTIONS, number("created_at_us")?)?,
        changed_at: time(CONNECTIONS, number("changed_at_us")?)?,
    })
}

fn kind(kind: &str, settings: &str) -> Result<ConnectionKind, StoreError> {
    let bad = |error: &dyn std::fmt::Display| damaged(CONNECTIONS, error);
    match kind {
        "api" => {
            let row: ApiRow = serde_json::from_str(settings).map_err(|error| bad(&error))?;
            let service = ServiceName::parse(&row.service).map_err(|error| bad(&error))?;
            let api = ServiceConnection::new(service, row.settings);
            Ok(ConnectionKind::Api(api.map_err(|error| bad(&error))?))
        }
        "smtp" => {
            let row: SmtpRow = serde_json::from_str(settings).map_err(|error| bad(&error))?;
            Ok(ConnectionKind::Smtp(row.convert().map_err(|error| bad(&error))?))
        }
        _ => Err(bad(&"unknown kind")),
    }
}

/// A trial from its row.
pub(crate) fn trial(row: &SqliteRow) -> Result<Trial, StoreError> {
    let get = |name| column::<String>(TRIALS, row, name);
    let number = |name| column::<i64>(TRIALS, row, name);
    Ok(Trial {
        id: TrialId::parse(&get("id")?).map_err(|error| damaged(TRIALS, &error))?,
        revision: count(TRIALS, number("revision")?)?,
        started_at: time(TRIALS, number("started_at_us")?)?,
        took_ms: count(TRIALS, number("took_ms")?)?,
        outcome: TrialOutcome::parse(&get("outcome")?)
            .ok_or_else(|| damaged(TRIALS, &"unknown outcome"))?,
        detail: get("detail")?,
    })
}

/// A holder from its row.
pub(crate) fn holder(row: &SqliteRow) -> Result<Holder, StoreError> {
    const HOLDS: &str = "connection_holds";
    let line = |name: &'static str| {
        let text: String = column(HOLDS, row, name)?;
        OneLine::parse(name, &text).map_err(|error| damaged(HOLDS, &error))
    };
    Ok(Holder { kind: line("holder_kind")?, id: line("holder_id")? })
}
