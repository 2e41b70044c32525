//! Connections to delivery services and SMTP servers: added, changed, listed, shown, enabled, removed.
//!
//! The ways in are [`add`], [`edit`], [`list`], [`find`] and [`set_secret`]. Every face fills a [`Form`] and
//! renders a [`wire::ConnectionView`]. Keep: a secret goes in and never comes out here, the security mode is
//! what the form says and nothing derives it, and mode none off loopback needs an exception.

mod error;
mod exception;
mod form;
mod kept;
pub mod line;
mod offer;
mod received;
pub mod secret;
pub(crate) mod trial;
mod verify;
pub mod wire;

use jiff::Timestamp;
use waxseal_check::report::wire::FindingV1;
use waxseal_services::service::Field;
use waxseal_store::StoreError;
use waxseal_store::connection::{
    ConnectionChange, NewConnection, OneLine, SecretWrite, ServiceConnection, Settings, TrialKind,
};
use waxseal_store::connections::{Connections as _, Page, SealedSecret};

pub use error::{ConnectionsError, Fault, FieldProblem};
pub use exception::ExceptionForm;
pub use form::Form;
pub use offer::{Typed, contradictions, offer, warnings};
pub use received::{ArrivedMessage, note_arrived};
pub use secret::{SecretChange, SecretInput};
pub use verify::{StepListener, Verification, verify};
pub(crate) use verify::{carry_out, give_up, open_to_verify};
pub use waxseal_store::connection::{
    Connection, ConnectionKind, ConnectionState, EncryptedMode, SecretState, Transport, Use,
};
pub use waxseal_store::id::ConnectionId;

use crate::limits::CONNECTIONS_LISTED_MAX;
use crate::store::{Data, NoKeyYet, Secret, Zeroizing};
use wire::{ConnectionView, Offer, PresetOffer, TrialView};

/// What is to be added or changed.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// The fields. For a change, those that are left out stay as they are.
    pub form: Form,
    /// What becomes of the secret.
    pub secret: SecretChange,
    /// The owner's exception for mode none. Only a caller who knows that the owner asks may give one.
    pub exception: Option<ExceptionForm>,
}

/// What was added or changed.
#[derive(Clone, Debug)]
pub struct Changed {
    /// The connection as it is now.
    pub connection: ConnectionView,
    /// What is known of its host.
    pub offer: Offer,
    /// The preset of its host that documents other pairs of port and mode than the one stored.
    pub repair: Option<PresetOffer>,
    /// What contradicts itself in its settings.
    pub warnings: Vec<FindingV1>,
    /// The key file that was made for its secret.
    pub key_file_made: Option<std::path::PathBuf>,
}

/// What a new connection will be, read from its form.
struct New {
    name: OneLine,
    settings: Settings,
    text: Option<Secret<Zeroizing<String>>>,
}

impl New {
    fn read(wanted: &Wanted, now: Timestamp) -> Result<Self, ConnectionsError> {
        let name = wanted.form.name.as_deref().unwrap_or_default();
        let name = OneLine::parse("name", name)?;
        let exception = wanted.exception.as_ref().map(|form| form.read(now)).transpose()?;
        let settings = form::settings(&wanted.form, None, exception)?;
        let text = stored_text(&settings, &wanted.secret)?;
        secret::check_settings(&settings.kind)?;
        Ok(Self { name, settings, text })
    }
}

fn stored_text(
    settings: &Settings,
    change: &SecretChange,
) -> Result<Option<Secret<Zeroizing<String>>>, ConnectionsError> {
    match change {
        SecretChange::Keep | SecretChange::Remove => Ok(None),
        SecretChange::Set(input) => Ok(Some(secret::stored_text(&settings.kind, input)?)),
    }
}

/// Whether a connection could be added by its form alone, so that nothing is made for one that cannot.
///
/// # Errors
/// A field that is wrong or missing.
pub fn check_new(wanted: &Wanted, now: Timestamp) -> Result<(), ConnectionsError> {
    New::read(wanted, now).map(|_| ())
}

/// Every field that is wrong in what is to be added, or changed on the connection of that name, as far as that
/// can be told before anything is done. An empty answer promises nothing.
///
/// # Errors
/// No such connection, or whatever the store says.
pub async fn wrong_fields(
    data: &Data,
    name: Option<&str>,
    wanted: &Wanted,
    now: Timestamp,
) -> Result<Vec<FieldProblem>, ConnectionsError> {
    let before = match name {
        Some(name) => Some(find(data, name).await?),
        None => None,
    };
    let mut found = Vec::new();
    let new_name = match (&wanted.form.name, &before) {
        (None, Some(_)) => None,
        (name, _) => OneLine::parse("name", name.as_deref().unwrap_or_default()).err(),
    };
    found.extend(new_name.map(FieldProblem::from));
    let exception = wanted.exception.as_ref().map(|form| form.read(now)).transpose();
    found.extend(exception.as_ref().err().cloned());
    let exception = exception.ok().flatten();
    found.extend(form::problems(&wanted.form, before.as_ref(), exception.as_ref()));
    let settings = form::settings(&wanted.form, before.as_ref(), exception);
    if let Ok(settings) = settings {
        let secret = match stored_text(&settings, &wanted.secret) {
            Err(ConnectionsError::Field(problem)) => Some(problem),
            Err(_) | Ok(_) => None,
        };
        let alone = secret::check_settings(&settings.kind).err();
        let known = |problem: &FieldProblem| found.iter().any(|one| one.field == problem.field);
        let more: Vec<FieldProblem> =
            alone.or(secret).into_iter().filter(|problem| !known(problem)).collect();
        found.extend(more);
    }
    Ok(found)
}

/// The tests of a connection that are kept, the newest first.
///
/// # Errors
/// No such connection, or whatever the store says.
pub async fn tests(data: &Data, name: &str) -> Result<Vec<TrialView>, ConnectionsError> {
    let connection = find(data, name).await?;
    let found = data.store().trials(data.workspace(), connection.id, TrialKind::Test).await?;
    Ok(found.iter().map(|trial| TrialView::of(&connection, trial)).collect())
}

/// Adds a connection, enabled and untested.
///
/// # Errors
/// A field that is wrong or missing, a name that is taken, or whatever the store says; then nothing was
/// added.
pub async fn add(
    data: &Data,
    wanted: &Wanted,
    now: Timestamp,
) -> Result<Changed, ConnectionsError> {
    let New { name, settings, text } = New::read(wanted, now)?;
    let id = ConnectionId::new(now).map_err(StoreError::from)?;
    let (secret, key_file_made) = sealed(data, id, text, now).await?;
    let new = NewConnection { id, name, settings, secret };
    data.store().insert(data.workspace(), &[new], now).await?;
    changed(data, id, key_file_made, now).await
}

/// Changes a connection: settings and secret together or nothing. New settings or a new secret make it
/// untested.
///
/// # Errors
/// As [`add`]; a secret that is stored while the mode becomes none, or while host, service or trust change
/// and it is not given again; a change by somebody else meanwhile.
pub async fn edit(
    data: &Data,
    name: &str,
    wanted: &Wanted,
    now: Timestamp,
) -> Result<Changed, ConnectionsError> {
    change(data, find(data, name).await?, wanted, now).await
}

/// The same for a connection that the caller has read: nobody else changed it since.
///
/// # Errors
/// As [`edit`].
pub async fn edit_from(
    data: &Data,
    before: &Connection,
    wanted: &Wanted,
    now: Timestamp,
) -> Result<Changed, ConnectionsError> {
    change(data, before.clone(), wanted, now).await
}

/// Changes a connection that was read before, unless somebody else changed it since.
async fn change(
    data: &Data,
    before: Connection,
    wanted: &Wanted,
    now: Timestamp,
) -> Result<Changed, ConnectionsError> {
    let new_name = match &wanted.form.name {
        Some(name) => OneLine::parse("name", name)?,
        None => before.name.clone(),
    };
    let exception = wanted.exception.as_ref().map(|form| form.read(now)).transpose()?;
    let settings = form::settings(&wanted.form, Some(&before), exception)?;
    secret::check_settings(&settings.kind)?;
    let removes = matches!(wanted.secret, SecretChange::Remove);
    let holds = matches!(before.secret, SecretState::Stored { .. });
    if holds && !removes && !settings.kind.may_hold_secret() {
        return Err(ConnectionsError::SecretInTheWay { name: before.name.to_string() });
    }
    let keeps = matches!(wanted.secret, SecretChange::Keep);
    if holds && keeps && secret::would_go_elsewhere(&before.settings.kind, &settings.kind) {
        return Err(ConnectionsError::SecretForElsewhere { name: before.name.to_string() });
    }
    let text = stored_text(&settings, &wanted.secret)?;
    let (sealed, key_file_made) = sealed(data, before.id, text, now).await?;
    let change = ConnectionChange {
        id: before.id,
        seen_revision: before.revision,
        name: new_name,
        settings,
        secret: match sealed {
            Some(sealed) => SecretWrite::Set(sealed),
            None if removes => SecretWrite::Remove,
            None => SecretWrite::Keep,
        },
    };
    data.store()
        .update(data.workspace(), &[change], now)
        .await
        .map_err(|error| of(&before, error))?;
    changed(data, before.id, key_file_made, now).await
}

/// Seals a secret for a connection, and says which key file was made for it.
async fn sealed(
    data: &Data,
    id: ConnectionId,
    text: Option<Secret<Zeroizing<String>>>,
    now: Timestamp,
) -> Result<(Option<SealedSecret>, Option<std::path::PathBuf>), ConnectionsError> {
    let Some(text) = text else { return Ok((None, None)) };
    let opened = data.vault(NoKeyYet::Make, now).await?;
    Ok((Some(opened.vault.seal(id, &text)?), opened.made))
}

/// Stores or replaces the secret of a connection and leaves everything else.
///
/// # Errors
/// As [`edit`].
pub async fn set_secret(
    data: &Data,
    name: &str,
    input: SecretInput,
    now: Timestamp,
) -> Result<Changed, ConnectionsError> {
    let wanted = Wanted { secret: SecretChange::Set(input), ..Wanted::default() };
    edit(data, name, &wanted, now).await
}

/// Stores the secret of a connection that was read before, unless somebody changed it since.
pub(crate) async fn set_secret_of(
    data: &Data,
    before: Connection,
    input: SecretInput,
    now: Timestamp,
) -> Result<Changed, ConnectionsError> {
    let wanted = Wanted { secret: SecretChange::Set(input), ..Wanted::default() };
    change(data, before, &wanted, now).await
}

/// Whether a text could be the secret of a connection.
pub(crate) fn check_secret(
    connection: &Connection,
    input: &SecretInput,
) -> Result<(), ConnectionsError> {
    secret::stored_text(&connection.settings.kind, input)?;
    Ok(())
}

/// The secret fields of a built-in service.
pub(crate) fn secret_fields_of(api: &ServiceConnection) -> Result<Vec<Field>, ConnectionsError> {
    let service = secret::service_of(api)?;
    Ok(service.fields().iter().filter(|field| field.is_secret()).copied().collect())
}

/// Removes the secret of a connection.
///
/// # Errors
/// No such connection.
pub async fn remove_secret(
    data: &Data,
    name: &str,
    now: Timestamp,
) -> Result<Changed, ConnectionsError> {
    let wanted = Wanted { secret: SecretChange::Remove, ..Wanted::default() };
    edit(data, name, &wanted, now).await
}

/// The connections of the workspace, sorted by name.
///
/// # Errors
/// Whatever the store says.
pub async fn list(data: &Data, now: Timestamp) -> Result<Vec<ConnectionView>, ConnectionsError> {
    trial::settle(data, now).await?;
    let page = Page::first(CONNECTIONS_LISTED_MAX);
    let mut found = data.store().list(data.workspace(), page).await?;
    found.sort_by(|one, other| one.name.cmp(&other.name));
    let mut views = Vec::with_capacity(found.len());
    for connection in &found {
        views.push(view(data, connection, now).await?);
    }
    Ok(views)
}

/// A part of the connections, in the order in which they were added, and whether there are more. What their tests
/// showed is left out.
///
/// # Errors
/// Whatever the store says.
pub async fn page(
    data: &Data,
    after: Option<ConnectionId>,
    rows_max: u32,
    now: Timestamp,
) -> Result<(Vec<ConnectionView>, bool), ConnectionsError> {
    trial::settle(data, now).await?;
    let page = Page { after, rows_max: rows_max.saturating_add(1) };
    let mut found = data.store().list(data.workspace(), page).await?;
    let wanted = usize::try_from(rows_max).unwrap_or(usize::MAX);
    let has_more = found.len() > wanted;
    found.truncate(wanted);
    let mut views = Vec::with_capacity(found.len());
    for connection in &found {
        views.push(view(data, connection, now).await?.without_details());
    }
    Ok((views, has_more))
}

/// One connection as every face shows it.
///
/// # Errors
/// No such connection.
pub async fn show(
    data: &Data,
    name: &str,
    now: Timestamp,
) -> Result<ConnectionView, ConnectionsError> {
    trial::settle(data, now).await?;
    let connection = find(data, name).await?;
    view(data, &connection, now).await
}

/// A connection by its name or its identifier.
///
/// # Errors
/// No such connection.
pub async fn find(data: &Data, name: &str) -> Result<Connection, ConnectionsError> {
    let missing = || ConnectionsError::NotFound { name: name.to_owned() };
    let found = match OneLine::parse("name", name) {
        Err(_) => return Err(missing()),
        Ok(line) => data.store().find(data.workspace(), &line).await,
    };
    match (found, ConnectionId::parse(name)) {
        (Ok(found), _) => Ok(found),
        (Err(StoreError::NotFound { .. }), Ok(id)) => {
            let mut found = match data.store().get(data.workspace(), &[id]).await {
                Err(StoreError::NotFound { .. }) => return Err(missing()),
                other => other?,
            };
            found.pop().ok_or_else(missing)
        }
        (Err(StoreError::NotFound { .. }), Err(_)) => Err(missing()),
        (Err(other), _) => Err(other.into()),
    }
}

/// Enables or disables a connection; its state and its secret stay.
///
/// # Errors
/// No such connection.
pub async fn set_use(
    data: &Data,
    name: &str,
    to: Use,
    now: Timestamp,
) -> Result<ConnectionView, ConnectionsError> {
    let before = find(data, name).await?;
    data.store().set_enabled(data.workspace(), &[before.id], to).await?;
    show(data, &before.id.to_string(), now).await
}

/// Deletes a connection with its secret and its tests. Gives back what was deleted.
///
/// # Errors
/// No such connection, or one that is in use.
pub async fn remove(
    data: &Data,
    name: &str,
    now: Timestamp,
) -> Result<ConnectionView, ConnectionsError> {
    let before = find(data, name).await?;
    let shown = view(data, &before, now).await?;
    data.store()
        .delete(data.workspace(), &[before.id])
        .await
        .map_err(|error| of(&before, error))?;
    Ok(shown)
}

/// A stored connection as every face shows it.
///
/// # Errors
/// Whatever the store says.
pub async fn view(
    data: &Data,
    connection: &Connection,
    now: Timestamp,
) -> Result<ConnectionView, ConnectionsError> {
    let holders = data.store().holders(data.workspace(), connection.id).await?;
    Ok(ConnectionView::of(connection, &holders, now))
}

async fn changed(
    data: &Data,
    id: ConnectionId,
    key_file_made: Option<std::path::PathBuf>,
    now: Timestamp,
) -> Result<Changed, ConnectionsError> {
    let stored = find(data, &id.to_string()).await?;
    let connection = view(data, &stored, now).await?;
    let offer = match &stored.settings.kind {
        ConnectionKind::Api(_) => Offer::default(),
        ConnectionKind::Smtp(smtp) => offer::offer_for(smtp),
    };
    let repair = match &stored.settings.kind {
        ConnectionKind::Api(_) => None,
        ConnectionKind::Smtp(smtp) => offer::documented_otherwise(smtp, &offer),
    };
    let warnings = warnings(&stored.settings.kind);
    Ok(Changed { connection, offer, repair, warnings, key_file_made })
}

/// An error about a connection that people know by its name.
fn of(connection: &Connection, error: StoreError) -> ConnectionsError {
    let name = connection.name.to_string();
    if let StoreError::InUse { holder, .. } = error {
        ConnectionsError::InUse { name, holder }
    } else if matches!(error, StoreError::ChangedMeanwhile { .. }) {
        ConnectionsError::ChangedMeanwhile { name }
    } else if matches!(error, StoreError::SecretNotAllowed { .. }) {
        ConnectionsError::SecretInTheWay { name }
    } else {
        error.into()
    }
}
