//! Looks without a message whether a connection is right: signs in over SMTP and leaves, or asks the service
//! about the key and the account. What it shows is recorded and never decides the state of the connection.
//! The way in is [`verify`].

use jiff::Timestamp;
use waxseal_check::report::send::wire::{SendV1, StepV1};
use waxseal_proto::smtp::submission::Goal;
use waxseal_services::account::Verified;
use waxseal_store::StoreError;
use waxseal_store::connection::{Connection, TrialKind};
use waxseal_store::connections::Connections as _;
use waxseal_store::id::{ConnectionId, TrialId};

use super::error::ConnectionsError;
use super::line::{Line, open};
use super::trial::{begin, trial_of};
use super::wire::{AccountView, ConnectionView};
use super::{find, show};
use crate::service::{self, VerifiedService};
use crate::store::Data;
use crate::submission::{self, submit};
use crate::world::World;

/// What a verification showed.
#[derive(Clone, Debug)]
pub struct Verification {
    /// The connection, with this as its newest verification.
    pub connection: ConnectionView,
    /// What was seen; `None` when the service has no such question and only a test send can tell.
    pub result: Option<SendV1>,
    /// What the account says about itself; `None` for SMTP.
    pub account: Option<AccountView>,
}

/// Told of every step that ended.
pub type StepListener<'a> = &'a mut (dyn FnMut(StepV1) + Send);

/// Looks whether a connection is right; sends no message.
///
/// # Errors
/// No such connection, a disabled one, too many verifications, a secret that is missing or does not open, or this
/// machine cannot do it. A fault of the other side is a result.
pub async fn verify(
    world: &World,
    data: &Data,
    name: &str,
    listener: StepListener<'_>,
    now: Timestamp,
) -> Result<Verification, ConnectionsError> {
    let opened = open_to_verify(world, data, name, now).await?;
    Box::pin(carry_out(world, data, &opened, listener, now)).await
}

/// A connection that is about to be looked at.
#[derive(Debug)]
pub(crate) struct OpenedToVerify {
    connection: Connection,
    id: TrialId,
    line: Line,
}

impl OpenedToVerify {
    /// The identifier that the record will have, if there is one.
    pub(crate) const fn id(&self) -> TrialId {
        self.id
    }

    /// The connection.
    pub(crate) const fn connection(&self) -> ConnectionId {
        self.connection.id
    }
}

/// Everything that can be refused before anything is contacted.
pub(crate) async fn open_to_verify(
    world: &World,
    data: &Data,
    name: &str,
    now: Timestamp,
) -> Result<OpenedToVerify, ConnectionsError> {
    let connection = find(data, name).await?;
    if !connection.enabled {
        return Err(ConnectionsError::Disabled { name: connection.name.to_string() });
    }
    let id = TrialId::new(now).map_err(StoreError::from)?;
    let line = open(world, data, &connection, Goal::Verify, now).await?;
    // Sign-ins that are refused again and again can lock an account.
    begin(world, data, (&connection, TrialKind::Verify), None, (id, now)).await?;
    Ok(OpenedToVerify { connection, id, line })
}

/// Takes back a verification that came to nothing.
pub(crate) async fn give_up(data: &Data, opened: &OpenedToVerify) -> Result<(), StoreError> {
    data.store().withdraw_trial(data.workspace(), opened.id).await
}

/// Looks, and records what was seen.
pub(crate) async fn carry_out(
    world: &World,
    data: &Data,
    opened: &OpenedToVerify,
    listener: StepListener<'_>,
    now: Timestamp,
) -> Result<Verification, ConnectionsError> {
    let seen = look(world, opened, listener).await;
    let (result, account) = match seen {
        Ok(seen) => seen,
        Err(error) => {
            give_up(data, opened).await?;
            return Err(error);
        }
    };
    if let Some(result) = &result {
        let trial = trial_of(&opened.connection, result, (opened.id, now));
        data.store().record_verify(data.workspace(), &[trial]).await?;
    } else {
        give_up(data, opened).await?;
    }
    let connection = show(data, &opened.connection.id.to_string(), now).await?;
    Ok(Verification { connection, result, account })
}

async fn look(
    world: &World,
    opened: &OpenedToVerify,
    listener: StepListener<'_>,
) -> Result<(Option<SendV1>, Option<AccountView>), ConnectionsError> {
    let mut tell = |told| {
        if let submission::StepTold::Ended(step) = told {
            listener(step);
        }
    };
    Ok(match &opened.line {
        Line::Smtp(request) => (Some(Box::pin(submit(world, request, &mut tell)).await?), None),
        Line::Api(service) => {
            let seen = Box::pin(service::verify(world, service, &mut tell)).await;
            let account = AccountView::of(&seen.account);
            (of_service(seen), Some(account))
        }
    })
}

/// The published form; `None` when nothing could be asked, or this key may not ask.
fn of_service(seen: VerifiedService) -> Option<SendV1> {
    match seen.verified {
        Some(Verified::OnlyTestSend(_)) => None,
        None if !seen.was_asked => None,
        Some(Verified::KeyAccepted | Verified::MaySend | Verified::Refused(_)) | None => {
            Some(seen.result)
        }
    }
}
