//! The secret of a connection on its way into the store, and its form there.
//!
//! For SMTP the stored text is the password or token itself; for a built-in service it is a JSON object
//! from field to value. The ways in are [`SecretInput`] and, for whoever signs in, [`service_settings`].
//! Keep: all secret fields of a service are replaced together, so nothing is opened to be written.

use std::collections::BTreeMap;

use waxseal_proto::secret::Secret;
use waxseal_services::service::{self, FieldKind, ServiceId, SettingsError};
use waxseal_store::connection::{ConnectionKind, ServiceConnection, Transport};
use waxseal_store::limits::SECRET_OCTETS_MAX;
use zeroize::{Zeroize as _, Zeroizing};

use super::error::FieldProblem;
use crate::near;

/// What becomes of the secret of a connection.
#[derive(Clone, Debug, Default)]
pub enum SecretChange {
    /// It stays as it is.
    #[default]
    Keep,
    /// It is removed.
    Remove,
    /// It is stored in place of what was there.
    Set(SecretInput),
}

/// A secret as it was given.
#[derive(Clone, Debug)]
pub enum SecretInput {
    /// The only or the first one that the connection needs: a password, a token, a key.
    One(Secret<Zeroizing<String>>),
    /// Secrets by the name of the field of the service.
    Named(BTreeMap<String, Secret<Zeroizing<String>>>),
}

/// The names of the secret fields of a service, the first one that is needed first.
pub fn secret_fields(service: ServiceId) -> Vec<&'static str> {
    let of = |kind| {
        service.fields().iter().filter(move |field| field.kind == kind).map(|field| field.name)
    };
    of(FieldKind::RequiredSecret).chain(of(FieldKind::OptionalSecret)).collect()
}

/// The text that is sealed.
pub(super) fn stored_text(
    kind: &ConnectionKind,
    input: &SecretInput,
) -> Result<Secret<Zeroizing<String>>, FieldProblem> {
    match (kind, input) {
        (ConnectionKind::Smtp(_), _) if !kind.may_hold_secret() => {
            Err(FieldProblem::new("secret", "mode none never signs in and holds no secret"))
        }
        (ConnectionKind::Smtp(_), SecretInput::One(secret)) => {
            Ok(Secret::new(checked("secret", secret)?))
        }
        (ConnectionKind::Smtp(_), SecretInput::Named(_)) => {
            Err(FieldProblem::new("secret", "a connection by SMTP has one secret without a name"))
        }
        (ConnectionKind::Api(api), input) => api_text(api, input),
    }
}

fn api_text(
    api: &ServiceConnection,
    input: &SecretInput,
) -> Result<Secret<Zeroizing<String>>, FieldProblem> {
    let service = service_of(api)?;
    let known = secret_fields(service);
    let first = known.first().copied().unwrap_or("secret");
    let mut given = BTreeMap::new();
    match input {
        SecretInput::One(secret) => {
            given.insert(first.to_owned(), checked(first, secret)?);
        }
        SecretInput::Named(named) => {
            for (name, secret) in named {
                if !known.contains(&name.as_str()) {
                    return Err(FieldProblem::new("secret", "the service has no such secret")
                        .hint(format!("its secrets: {}", known.join(", "))));
                }
                given.insert(name.clone(), checked(name, secret)?);
            }
        }
    }
    let mut settings = plain_settings(api);
    for (name, secret) in &given {
        settings.secret.insert(name.clone(), Secret::new(secret.as_str().to_owned()));
    }
    service::connect(service, &settings).map_err(|error| problem(service, error))?;
    let object: BTreeMap<&str, &str> =
        given.iter().map(|(name, secret)| (name.as_str(), secret.as_str())).collect();
    let text =
        serde_json::to_string(&object).map_err(|_| FieldProblem::new(first, "cannot be stored"))?;
    fits(first, Zeroizing::new(text)).map(Secret::new)
}

/// A secret without the line end of its file.
fn checked(
    field: &str,
    secret: &Secret<Zeroizing<String>>,
) -> Result<Zeroizing<String>, FieldProblem> {
    let text = secret.expose().as_str();
    let text = text.strip_suffix('\n').unwrap_or(text);
    let text = text.strip_suffix('\r').unwrap_or(text);
    if text.is_empty() {
        return Err(FieldProblem::new(field, "is empty"));
    }
    if text.chars().any(char::is_control) {
        return Err(FieldProblem::new(field, "has a line end or another control character in it")
            .hint("the file must hold the secret alone, on one line"));
    }
    fits(field, Zeroizing::new(text.to_owned()))
}

fn fits(field: &str, text: Zeroizing<String>) -> Result<Zeroizing<String>, FieldProblem> {
    if text.len() > SECRET_OCTETS_MAX {
        let problem = format!("is longer than {SECRET_OCTETS_MAX} octets");
        return Err(FieldProblem::new(field, problem));
    }
    Ok(text)
}

/// Whether a secret that was given for one kind of settings would be shown to somebody else under the other:
/// another host, another service, or a server that somebody else vouches for. Whoever may change settings
/// need not be the one who knows the secret.
pub(super) fn would_go_elsewhere(before: &ConnectionKind, after: &ConnectionKind) -> bool {
    match (before, after) {
        (ConnectionKind::Api(before), ConnectionKind::Api(after)) => {
            before.service != after.service
        }
        (ConnectionKind::Smtp(before), ConnectionKind::Smtp(after)) => {
            let trust = |transport: &Transport| match transport {
                Transport::Clear { .. } => None,
                Transport::Encrypted { trust, .. } => Some(trust.clone()),
            };
            before.host != after.host || trust(&before.transport) != trust(&after.transport)
        }
        (ConnectionKind::Api(_) | ConnectionKind::Smtp(_), _) => true,
    }
}

/// Whether the settings of a service could make a connection, whatever its secrets are.
pub(super) fn check_settings(kind: &ConnectionKind) -> Result<(), FieldProblem> {
    let ConnectionKind::Api(api) = kind else {
        return Ok(());
    };
    let service = service_of(api)?;
    let mut settings = plain_settings(api);
    // Any visible text stands for what is not known here; the parser of the service judges the rest.
    for field in service.fields().iter().filter(|field| field.kind == FieldKind::RequiredSecret) {
        settings.secret.insert(field.name.to_owned(), Secret::new("not-known".to_owned()));
    }
    service::connect(service, &settings).map(drop).map_err(|error| problem(service, error))
}

fn problem(service: ServiceId, error: SettingsError) -> FieldProblem {
    let names: Vec<&str> = service.fields().iter().map(|field| field.name).collect();
    let hint = format!("{} takes: {}", service.as_str(), names.join(", "));
    match error {
        SettingsError::Missing(name) => FieldProblem::new(name, "is missing").hint(hint),
        SettingsError::Invalid(name) => {
            let field = service.fields().iter().find(|field| field.name == name);
            let choices = field.map(|field| field.choices.join(", ")).unwrap_or_default();
            let hint = if choices.is_empty() { hint } else { format!("one of {choices}") };
            FieldProblem::new(name, "has a value that is not allowed").hint(hint)
        }
        SettingsError::Unknown => {
            FieldProblem::new("setting", format!("{} has no such setting", service.as_str()))
                .hint(hint)
        }
    }
}

fn plain_settings(api: &ServiceConnection) -> service::Settings {
    let plain = api.settings().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    service::Settings { plain, secret: BTreeMap::new() }
}

/// The built-in service of a stored connection.
///
/// # Errors
/// A word that this program does not know.
pub fn service_of(api: &ServiceConnection) -> Result<ServiceId, FieldProblem> {
    ServiceId::parse(api.service.as_str()).ok_or_else(|| {
        let names: Vec<&str> = ServiceId::ALL.into_iter().map(ServiceId::as_str).collect();
        let near = near::near(api.service.as_str(), names.iter().copied());
        let hint = if near.is_empty() {
            format!("one of {}; others over SMTP: waxseal presets", names.join(", "))
        } else {
            format!("near names: {}", near.join(", "))
        };
        FieldProblem::new("service", "is not built in").hint(hint)
    })
}

/// Settings and secrets of a stored connection by API, for signing in to its service and for nothing else.
///
/// # Errors
/// A service that is not known, or a stored text that is not what [`SecretInput`] became.
pub fn service_settings(
    api: &ServiceConnection,
    secret: Option<&Secret<Zeroizing<String>>>,
) -> Result<(ServiceId, service::Settings), FieldProblem> {
    let service = service_of(api)?;
    let mut settings = plain_settings(api);
    if let Some(secret) = secret {
        let object: BTreeMap<String, String> = serde_json::from_str(secret.expose())
            .map_err(|_| FieldProblem::new("secret", "is stored in a form that cannot be read"))?;
        for (name, mut value) in object {
            settings.secret.insert(name, Secret::new(value.clone()));
            value.zeroize();
        }
    }
    Ok((service, settings))
}
