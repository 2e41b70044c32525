//! Links by which a person enters the secret of one connection, so that whoever asks for it, an agent above all,
//! never types or sees it. A link works once and not for long; it alone opens the page.
//!
//! The ways in are [`create`], [`look`] and [`enter`]. Keep: what the page shows is what the secret is stored for.
//! Settings that changed in between are shown again before anything is stored.

use crate::audit;
use crate::connections::wire::time;
use crate::connections::{
    ConnectionsError, Fault, SecretInput, check_secret, find, secret_fields_of, set_secret_of,
};
use crate::limits::SECRET_LINK_HOLDS;
use crate::store::{Data, DataError, Secret, StoreError, Zeroizing};
use jiff::Timestamp;
use std::collections::BTreeMap;
use waxseal_services::presets;
use waxseal_services::service::{Field, FieldKind};
use waxseal_store::connection::{Connection, ConnectionKind, Transport};
use waxseal_store::id::NoRandomness;
use waxseal_store::secret_links::{SecretLink, SecretLinks as _};

pub use waxseal_store::token::{Token, TokenHash};

/// Why a link cannot be made or followed.
#[derive(Debug, thiserror::Error)]
pub enum SecretLinkError {
    /// The settings are other ones than those that were shown.
    #[error("the settings of this connection were changed meanwhile; nothing was stored")]
    Changed,
    /// The connection, its fields or the data.
    #[error(transparent)]
    Connections(#[from] ConnectionsError),
    /// The link was used, ended, or never was.
    #[error("this link was used already, or it ended")]
    Link,
    /// It never signs in.
    #[error("connection {name:?} has no secret: it never signs in")]
    NoSecret {
        /// The connection.
        name: String,
    },
    /// The system gave no random numbers.
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
}

impl From<StoreError> for SecretLinkError {
    fn from(error: StoreError) -> Self {
        Self::Connections(error.into())
    }
}

impl From<DataError> for SecretLinkError {
    fn from(error: DataError) -> Self {
        Self::Connections(error.into())
    }
}

impl SecretLinkError {
    /// What kind of failure it is.
    pub fn fault(&self) -> Fault {
        match self {
            Self::Changed => Fault::Conflict,
            Self::Connections(error) => error.fault(),
            Self::Link => Fault::NotFound,
            Self::NoSecret { .. } => Fault::Input,
            Self::NoRandomness(_) => Fault::Machine,
        }
    }

    /// What to do next.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Changed => Some("look at the settings, and enter it again".to_owned()),
            Self::Connections(error) => error.hint(),
            Self::Link => Some("ask for a new link".to_owned()),
            Self::NoSecret { .. } | Self::NoRandomness(_) => None,
        }
    }
}

/// A link that was just made. Its text is shown now and never again.
#[derive(Debug)]
pub struct Made {
    /// The part of the address that opens the page.
    pub token: Token,
    /// When it ends.
    pub ends_at: String,
}

/// What a person sees who follows a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// What people call the connection.
    pub name: String,
    /// Who gets the secret: the service by the name that people know, or host and port.
    pub goes_to: String,
    /// The user name it belongs to; none for a built-in service.
    pub user: Option<String>,
    /// Who asked for it.
    pub asked_by: String,
    /// When the link ends.
    pub ends_at: Timestamp,
    /// The fields: their names, and whether they must be filled in.
    pub fields: Vec<(&'static str, bool)>,
    /// A secret is stored already and would be replaced.
    pub replaces: bool,
    /// Counts the changes of the settings that are shown.
    pub revision: u64,
}

/// The name of the one secret of an SMTP connection.
pub const SMTP_FIELD: &str = "secret";

/// Makes a link to the secret of a connection.
///
/// # Errors
/// [`SecretLinkError`]; then there is no link.
pub async fn create(
    data: &Data,
    connection: &str,
    who: &str,
    now: Timestamp,
) -> Result<Made, SecretLinkError> {
    let found = find(data, connection).await?;
    if fields(&found)?.is_empty() {
        return Err(SecretLinkError::NoSecret { name: found.name.to_string() });
    }
    let token = Token::new()?;
    let expires_at = now + SECRET_LINK_HOLDS;
    let link = SecretLink {
        workspace: data.workspace(),
        connection: found.id,
        created_by: who.to_owned(),
        expires_at,
    };
    data.store().add_secret_link(token.hash(), &link, now).await?;
    audit::note(data, who, "connection.secret-asked", found.name.as_str(), now).await?;
    Ok(Made { token, ends_at: time(expires_at) })
}

/// What a link asks for. `data` may be that of any workspace: the link names its own.
///
/// # Errors
/// [`SecretLinkError::Link`], and what the store says.
pub async fn look(data: &Data, token: TokenHash, now: Timestamp) -> Result<Asked, SecretLinkError> {
    let (_, link, found) = followed(data, token, now).await?;
    asked(&link, &found)
}

/// Stores the secret that a person entered; the link is used then. `revision` is that of the settings that the
/// person saw.
///
/// # Errors
/// [`SecretLinkError`]. A secret that cannot be one leaves the link as it is.
pub async fn enter(
    data: &Data,
    token: TokenHash,
    (entered, revision): (BTreeMap<String, Secret<Zeroizing<String>>>, u64),
    now: Timestamp,
) -> Result<Asked, SecretLinkError> {
    let (data, link, found) = followed(data, token, now).await?;
    if found.revision != revision {
        return Err(SecretLinkError::Changed);
    }
    let asked = asked(&link, &found)?;
    let input = input(&found, entered);
    check_secret(&found, &input)?;
    data.store().take_secret_link(token, now).await?.ok_or(SecretLinkError::Link)?;
    set_secret_of(&data, found, input, now).await?;
    let who = format!("link of {}", link.created_by);
    audit::note(&data, &who, "connection.secret-set", &asked.name, now).await?;
    Ok(asked)
}

async fn followed(
    data: &Data,
    token: TokenHash,
    now: Timestamp,
) -> Result<(Data, SecretLink, Connection), SecretLinkError> {
    let link = data.store().secret_link(token, now).await?.ok_or(SecretLinkError::Link)?;
    let data = data.of_workspace(link.workspace).await?;
    match find(&data, &link.connection.to_string()).await {
        Ok(found) => Ok((data, link, found)),
        Err(ConnectionsError::NotFound { .. }) => Err(SecretLinkError::Link),
        Err(other) => Err(other.into()),
    }
}

fn asked(link: &SecretLink, found: &Connection) -> Result<Asked, SecretLinkError> {
    let (goes_to, user) = match &found.settings.kind {
        ConnectionKind::Api(api) => {
            let service = api.service.as_str();
            let known =
                presets::all().find(|preset| preset.api.is_some_and(|id| id.as_str() == service));
            (known.map_or(service, |preset| preset.title).to_owned(), None)
        }
        ConnectionKind::Smtp(smtp) => {
            let user = match &smtp.transport {
                Transport::Clear { .. } => None,
                Transport::Encrypted { sign_in, .. } => {
                    sign_in.as_ref().map(|sign_in| sign_in.user.to_string())
                }
            };
            (format!("{} port {}", smtp.host, smtp.port), user)
        }
    };
    Ok(Asked {
        name: found.name.to_string(),
        goes_to,
        user,
        asked_by: link.created_by.clone(),
        ends_at: link.expires_at,
        fields: fields(found)?,
        replaces: matches!(found.secret, waxseal_store::connection::SecretState::Stored { .. }),
        revision: found.revision,
    })
}

/// The secret fields; none for a connection that never signs in.
fn fields(found: &Connection) -> Result<Vec<(&'static str, bool)>, SecretLinkError> {
    let named = |field: &Field| (field.name, field.kind == FieldKind::RequiredSecret);
    match &found.settings.kind {
        ConnectionKind::Api(api) => Ok(secret_fields_of(api)?.iter().map(named).collect()),
        ConnectionKind::Smtp(smtp) => Ok(match &smtp.transport {
            Transport::Encrypted { sign_in: Some(_), .. } => vec![(SMTP_FIELD, true)],
            Transport::Encrypted { .. } | Transport::Clear { .. } => Vec::new(),
        }),
    }
}

/// What was entered, as the connection takes it. Fields that were left empty were not entered.
fn input(
    found: &Connection,
    mut entered: BTreeMap<String, Secret<Zeroizing<String>>>,
) -> SecretInput {
    match &found.settings.kind {
        ConnectionKind::Smtp(_) => SecretInput::One(
            entered
                .remove(SMTP_FIELD)
                .unwrap_or_else(|| Secret::new(Zeroizing::new(String::new()))),
        ),
        ConnectionKind::Api(_) => {
            entered.retain(|_, secret| !secret.expose().is_empty());
            SecretInput::Named(entered)
        }
    }
}
