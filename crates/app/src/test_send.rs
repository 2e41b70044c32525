//! The test of a stored connection: one real message over the very path that every message takes, recorded
//! with the revision that was tried. The way in is [`test`]. Keep: a test is noted before anything leaves, the
//! same key never sends twice, and a test that failed stays on the connection until a later one passes.

mod message;

use crate::connections::line::{Line, open};
use crate::connections::trial::{Begun, begin, settle, trial_of};
use crate::connections::wire::ConnectionView;
use crate::connections::{ConnectionsError, Fault, StepListener, find, show};
use crate::service::send_one;
use crate::store::{Data, StoreError};
use crate::submission::{Goal, StepTold, SubmissionError, submit};
use crate::world::{World, WorldError};
use jiff::Timestamp;
use message::TestMessage;
use waxseal_check::report::send::wire::{OutcomeV1, SendV1};
use waxseal_proto::name::Mailbox;
use waxseal_store::connection::{Connection, FieldError, OneLine, Trial, TrialKind};
use waxseal_store::connections::Connections as _;
use waxseal_store::id::{ConnectionId, TrialId};

/// What is to be tested.
#[derive(Clone, Debug)]
pub struct TestRequest {
    /// Name or identifier of the connection.
    pub connection: String,
    /// Who gets the message.
    pub to: Mailbox,
    /// What the caller names this test by; the same name never sends twice.
    pub key: Option<IdempotencyKey>,
}

/// The name of one operation, chosen by its caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotencyKey(OneLine);

impl IdempotencyKey {
    /// Reads a name: one line, not empty.
    ///
    /// # Errors
    /// Any other text.
    pub fn parse(text: &str) -> Result<Self, FieldError> {
        OneLine::parse("idempotency-key", text).map(Self)
    }
}

/// A test and what became of it. The same value is shown by every face.
#[derive(Clone, Debug)]
pub struct Tested {
    /// The identifier of the test.
    pub test: String,
    /// The connection as it is after the test.
    pub connection: ConnectionView,
    /// What became of the message.
    pub sent: SendV1,
    /// Nothing was sent now: this is the outcome of an earlier test of the same key.
    pub repeated: bool,
}

/// Why no test was made. The fault of a server or service is never one of these.
#[derive(Debug, thiserror::Error)]
pub enum TestError {
    /// The connection, its secret or the data.
    #[error(transparent)]
    Connections(#[from] ConnectionsError),
    /// No message can be made of the connection's From and the recipient.
    #[error("the test message: {problem}")]
    Message {
        /// What is wrong.
        problem: String,
    },
    /// The test was made, and what it came to could not be kept: the state of the connection is the one before.
    #[error("the test came to {outcome:?} and could not be recorded: {error}")]
    NotRecorded {
        /// What it came to.
        outcome: OutcomeV1,
        /// Why it is not kept.
        error: Box<Self>,
    },
    /// The attempt could not be made.
    #[error(transparent)]
    Submission(#[from] SubmissionError),
    /// A test of the same key is being carried out.
    #[error("a test of this key is being carried out")]
    UnderWay,
}

impl From<StoreError> for TestError {
    fn from(error: StoreError) -> Self {
        Self::Connections(error.into())
    }
}

impl TestError {
    /// What to do next.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Connections(error) => error.hint(),
            Self::Message { .. } | Self::Submission(_) => None,
            Self::NotRecorded { .. } => Some(
                "a message may have arrived; the connection shows the test before this one"
                    .to_owned(),
            ),
            Self::UnderWay => Some("wait for it and ask again with the same key".to_owned()),
        }
    }

    /// What kind of failure it is.
    pub fn fault(&self) -> Fault {
        match self {
            Self::Connections(error) => error.fault(),
            Self::UnderWay => Fault::Conflict,
            Self::NotRecorded { .. } | Self::Submission(SubmissionError::World(_)) => {
                Fault::Machine
            }
            Self::Message { .. } | Self::Submission(_) => Fault::Input,
        }
    }
}

/// Tests a connection with one message, or tells what became of the earlier test of the same key. `now` is
/// the time of stored things.
///
/// # Errors
/// [`TestError`]; then nothing was sent and nothing recorded, but with [`TestError::NotRecorded`].
pub async fn test(
    world: &World,
    data: &Data,
    request: &TestRequest,
    listener: StepListener<'_>,
    now: Timestamp,
) -> Result<Tested, TestError> {
    match prepare(world, data, request, now).await? {
        Prepared::Begun(begun) => Box::pin(carry_out(world, data, &begun, listener, now)).await,
        Prepared::Earlier(tested) => Ok(*tested),
    }
}

/// What a request for a test came to before anything left.
#[derive(Debug)]
pub(crate) enum Prepared {
    /// The test is noted and may leave: it is to be carried to its end, or it counts as lost.
    Begun(Box<BegunTest>),
    /// The outcome of the earlier test of the same key.
    Earlier(Box<Tested>),
}

/// A test that is noted.
#[derive(Debug)]
pub(crate) struct BegunTest {
    connection: Connection,
    id: TrialId,
    message: TestMessage,
    line: Line,
}

impl BegunTest {
    /// The identifier of the test.
    pub(crate) const fn id(&self) -> TrialId {
        self.id
    }

    /// The connection.
    pub(crate) const fn connection(&self) -> ConnectionId {
        self.connection.id
    }
}

/// Everything that can be refused before anything leaves, and then the note that a test begins.
pub(crate) async fn prepare(
    world: &World,
    data: &Data,
    request: &TestRequest,
    now: Timestamp,
) -> Result<Prepared, TestError> {
    settle(data, now).await?;
    let connection = find(data, &request.connection).await?;
    let key = request.key.as_ref().map(|key| &key.0);
    // What was sent is told without the secret, and of a disabled connection too.
    if let Some(key) = key
        && let Some(trial) = data.store().test_of_key(data.workspace(), connection.id, key).await?
    {
        return earlier(data, &connection, &trial, now).await;
    }
    if !connection.enabled {
        return Err(ConnectionsError::Disabled { name: connection.name.to_string() }.into());
    }
    let id = TrialId::new(now).map_err(StoreError::from)?;
    let message = TestMessage::compose(world, &connection, &request.to)?;
    let goal = Goal::Deliver(message.transaction()?);
    let line = open(world, data, &connection, goal, now).await?;
    let what = (&connection, TrialKind::Test);
    match begin(world, data, what, key.cloned(), (id, now)).await? {
        Begun::Now => Ok(Prepared::Begun(Box::new(BegunTest { connection, id, message, line }))),
        Begun::Earlier(trial) => earlier(data, &connection, &trial, now).await,
        Begun::UnderWay => Err(TestError::UnderWay),
    }
}

async fn earlier(
    data: &Data,
    connection: &Connection,
    trial: &Trial,
    now: Timestamp,
) -> Result<Prepared, TestError> {
    let told = (trial.id, read_back(trial)?, true);
    Ok(Prepared::Earlier(Box::new(tested(data, connection, told, now).await?)))
}

/// Offers the message of a test that is noted, and records what became of it.
pub(crate) async fn carry_out(
    world: &World,
    data: &Data,
    begun: &BegunTest,
    listener: StepListener<'_>,
    now: Timestamp,
) -> Result<Tested, TestError> {
    let BegunTest { connection, id, message, line } = begun;
    let sent = match carry(world, line, (message, *id), listener).await {
        Ok(sent) => sent,
        Err(error) => {
            data.store().withdraw_trial(data.workspace(), *id).await?;
            return Err(error);
        }
    };
    let outcome = sent.outcome;
    let kept = async {
        // A test of an older revision is kept and decides nothing.
        let trial = trial_of(connection, &sent, (*id, now));
        data.store().record_test(data.workspace(), &[trial]).await?;
        tested(data, connection, (*id, sent, false), now).await
    };
    kept.await.map_err(|error| TestError::NotRecorded { outcome, error: Box::new(error) })
}

async fn tested(
    data: &Data,
    connection: &Connection,
    (id, sent, repeated): (TrialId, SendV1, bool),
    now: Timestamp,
) -> Result<Tested, TestError> {
    let connection = show(data, &connection.id.to_string(), now).await?;
    Ok(Tested { test: id.to_string(), connection, sent, repeated })
}

/// Offers the message once.
async fn carry(
    world: &World,
    line: &Line,
    (message, id): (&TestMessage, TrialId),
    listener: StepListener<'_>,
) -> Result<SendV1, TestError> {
    let mut tell = |told| {
        if let StepTold::Ended(step) = told {
            listener(step);
        }
    };
    match line {
        Line::Api(service) => {
            let outgoing = message.outgoing(id)?;
            let sent = Box::pin(send_one(world, service, &outgoing, &mut tell)).await;
            let sent = sent.map_err(|error| TestError::Message { problem: error.to_string() })?;
            Ok(sent.result)
        }
        Line::Smtp(request) => {
            let sent = Box::pin(submit(world, request, &mut tell)).await?;
            Ok(SendV1 { message_id: Some(message.id().to_owned()), ..sent })
        }
    }
}

fn read_back(trial: &Trial) -> Result<SendV1, TestError> {
    serde_json::from_str(&trial.detail).map_err(|error| {
        let problem = format!("the record of an earlier test cannot be read: {error}");
        TestError::Message { problem }
    })
}

impl From<WorldError> for TestError {
    fn from(error: WorldError) -> Self {
        Self::Submission(error.into())
    }
}
