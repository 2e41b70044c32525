//! Reads secrets: from files, from standard input, or from a prompt without echo. A file may be named with
//! the field of a service that it is for. No secret stands in an error.

use super::super::error::CliError;
use super::super::{input, prompt};
use crate::limits::SECRET_FILE_OCTETS_MAX;
use std::collections::BTreeMap;
use std::io::IsTerminal as _;
use std::path::Path;
use waxseal_app::connections::secret::secret_fields;
use waxseal_app::connections::{ConnectionKind, Form, SecretChange, SecretInput};
use waxseal_app::store::{Secret, Zeroizing};
use waxseal_services::service::{FieldKind, ServiceId};

type Text = Secret<Zeroizing<String>>;

/// The secret of a new connection: from files, else asked for where one is needed and a person is there.
pub(super) fn for_new(form: &Form, files: &[String]) -> Result<SecretChange, CliError> {
    if !files.is_empty() {
        return from_files(files);
    }
    if !std::io::stdin().is_terminal() {
        return Ok(SecretChange::Keep);
    }
    match form.service.as_deref().map(ServiceId::parse) {
        Some(Some(service)) => ask_for(service),
        None if form.user.as_deref().is_some_and(|user| !user.is_empty()) => {
            prompt::secret("Password or token").map(SecretInput::One).map(SecretChange::Set)
        }
        // The use case says what is wrong with an unknown service.
        Some(None) | None => Ok(SecretChange::Keep),
    }
}

/// A new secret for a connection, asked for.
pub(super) fn asked(kind: &ConnectionKind) -> Result<SecretChange, CliError> {
    match kind {
        ConnectionKind::Smtp(_) => {
            prompt::secret("Password or token").map(SecretInput::One).map(SecretChange::Set)
        }
        ConnectionKind::Api(api) => match ServiceId::parse(api.service.as_str()) {
            Some(service) => ask_for(service),
            None => {
                Err(CliError::usage(format!("service {} is not built in", api.service.as_str())))
            }
        },
    }
}

fn ask_for(service: ServiceId) -> Result<SecretChange, CliError> {
    let mut named = BTreeMap::new();
    for field in service.fields().iter().filter(|field| field.kind == FieldKind::RequiredSecret) {
        named.insert(field.name.to_owned(), prompt::secret(field.name)?);
    }
    Ok(SecretChange::Set(SecretInput::Named(named)))
}

/// The secrets in files; none for no file.
pub(super) fn from_files(files: &[String]) -> Result<SecretChange, CliError> {
    let mut named = BTreeMap::new();
    let mut plain = None;
    for file in files {
        match named_field(file) {
            Some((field, path)) => {
                if named.insert(field.to_owned(), read(path)?).is_some() {
                    return Err(CliError::usage(format!("--secret-file {field}=: given twice")));
                }
            }
            None if plain.is_some() => {
                return Err(CliError::usage("--secret-file: given twice")
                    .hint("FIELD=FILE names which secret a file holds"));
            }
            None => plain = Some(read(file)?),
        }
    }
    match (plain, named.is_empty()) {
        (None, true) => Ok(SecretChange::Keep),
        (Some(secret), true) => Ok(SecretChange::Set(SecretInput::One(secret))),
        (None, false) => Ok(SecretChange::Set(SecretInput::Named(named))),
        (Some(_), false) => {
            Err(CliError::usage("--secret-file: one file has a field and one has none")
                .hint("name the field of each: FIELD=FILE"))
        }
    }
}

/// `FIELD=FILE` where a service has a secret of that name; anything else is a path.
fn named_field(file: &str) -> Option<(&str, &str)> {
    let (field, path) = file.split_once('=')?;
    let known = ServiceId::ALL.into_iter().any(|service| secret_fields(service).contains(&field));
    known.then_some((field, path))
}

fn read(path: &str) -> Result<Text, CliError> {
    // Whoever types the secret itself here must not find it in a log.
    if path != "-" && !Path::new(path).exists() {
        let problem = "--secret-file: there is no file of that name";
        return Err(CliError::usage(problem)
            .hint("it takes a file name, never the secret itself; - is standard input"));
    }
    let octets = Zeroizing::new(input::read_at_most(Path::new(path), SECRET_FILE_OCTETS_MAX)?);
    let text = std::str::from_utf8(&octets)
        .map_err(|_| CliError::usage(format!("{path}: not UTF-8 text")))?;
    Ok(Secret::new(Zeroizing::new(text.to_owned())))
}
