//! The test of a stored connection: one real message over the very path that every message takes, recorded
//! with the revision that was tried. The way in is [`test`]. Keep: a test is noted before anything leaves, the
//! same key never sends twice, and a test that failed stays on the connection until a later one passes.

mod message;

use crate::connections::line::{Line, open};
use crate::connections::secret::service_of;
use crate::connections::wire::ConnectionView;
use crate::connections::{ConnectionsError, Fault, StepListener, find, show, trial_of};
use crate::limits::{TEST_LASTS_AT_MOST, TESTS_MAX, TESTS_WINDOW};
use crate::service::send_one;
use crate::store::{Data, StoreError};
use crate::submission::{Goal, StepTold, SubmissionError, submit};
use crate::world::{World, WorldError};
use jiff::Timestamp;
use message::TestMessage;
use waxseal_check::report::send::statements;
use waxseal_check::report::send::wire::{OutcomeV1, SEND_SCHEMA, SendV1};
use waxseal_proto::name::Mailbox;
use waxseal_services::http::HTTPS_PORT;
use waxseal_store::connection::{Connection, ConnectionKind, FieldError, OneLine, Trial};
use waxseal_store::connections::{Connections as _, TestGate, TestPace, TestStart};
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
    /// It is disabled.
    #[error("connection {name:?} is disabled: nothing is sent over it")]
    Disabled {
        /// The connection.
        name: String,
    },
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
    /// Too many tests within a short time.
    #[error("connection {name:?} was tested {TESTS_MAX} times within ten minutes")]
    TooMany {
        /// The connection.
        name: String,
        /// When the next may begin.
        free_at: Timestamp,
    },
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
            Self::Disabled { name } => Some(format!("waxseal connection enable {name}")),
            Self::Message { .. } | Self::Submission(_) => None,
            Self::NotRecorded { .. } => Some(
                "a message may have arrived; the connection shows the test before this one"
                    .to_owned(),
            ),
            Self::TooMany { free_at, .. } => Some(format!("the next may begin at {free_at}")),
            Self::UnderWay => Some("wait for it and ask again with the same key".to_owned()),
        }
    }

    /// What kind of failure it is.
    pub fn fault(&self) -> Fault {
        match self {
            Self::Connections(error) => error.fault(),
            Self::Disabled { .. } | Self::UnderWay => Fault::Conflict,
            Self::NotRecorded { .. }
            | Self::Submission(SubmissionError::World(_))
            | Self::TooMany { .. } => Fault::Machine,
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
    let connection = find(data, &request.connection).await?;
    if !connection.enabled {
        return Err(TestError::Disabled { name: connection.name.to_string() });
    }
    let id = TrialId::new(now).map_err(StoreError::from)?;
    let message = TestMessage::compose(world, &connection, &request.to)?;
    let goal = Goal::Deliver(message.transaction()?);
    let line = open(world, data, &connection, goal, now).await?;
    let key = request.key.as_ref().map(|key| key.0.clone());
    let start = TestStart { trial: id, connection: connection.id, key, at: now };
    let gate = data.store().begin_test(data.workspace(), &start, pace()).await?;
    let sent = match gate {
        TestGate::Begun => {
            let begun = BegunTest { connection, id, message, line };
            return Ok(Prepared::Begun(Box::new(begun)));
        }
        TestGate::Lost { trial, started_at } => {
            let sent = lost(world, &connection, started_at);
            record(data, &connection, (trial, started_at), &sent).await?;
            (trial, sent, true)
        }
        TestGate::Recorded(trial) => (trial.id, read_back(&trial)?, true),
        TestGate::TooMany { free_at } => {
            return Err(TestError::TooMany { name: connection.name.to_string(), free_at });
        }
        TestGate::UnderWay => return Err(TestError::UnderWay),
    };
    Ok(Prepared::Earlier(Box::new(tested(data, &connection, sent, now).await?)))
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
            data.store().withdraw_test(data.workspace(), *id).await?;
            return Err(error);
        }
    };
    let outcome = sent.outcome;
    let kept = async {
        record(data, connection, (*id, now), &sent).await?;
        tested(data, connection, (*id, sent, false), now).await
    };
    kept.await.map_err(|error| TestError::NotRecorded { outcome, error: Box::new(error) })
}

const fn pace() -> TestPace {
    TestPace { tests_max: TESTS_MAX, window: TESTS_WINDOW, lasts_at_most: TEST_LASTS_AT_MOST }
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

/// A test of an older revision is kept and decides nothing; so is one that began before the last change.
async fn record(
    data: &Data,
    connection: &Connection,
    (id, started_at): (TrialId, Timestamp),
    sent: &SendV1,
) -> Result<(), TestError> {
    let mut trial = trial_of(connection, sent, (id, started_at));
    if started_at < connection.changed_at {
        trial.revision = 0;
    }
    data.store().record_test(data.workspace(), &[trial]).await?;
    Ok(())
}

fn read_back(trial: &Trial) -> Result<SendV1, TestError> {
    serde_json::from_str(&trial.detail).map_err(|error| {
        let problem = format!("the record of an earlier test cannot be read: {error}");
        TestError::Message { problem }
    })
}

/// A test whose process ended before it could be recorded: nobody knows what became of its message.
fn lost(world: &World, connection: &Connection, started_at: Timestamp) -> SendV1 {
    let (service, host, port, security) = match &connection.settings.kind {
        ConnectionKind::Api(api) => {
            let host = service_of(api).map(|id| id.api_host().to_owned()).unwrap_or_default();
            (Some(api.service.as_str().to_owned()), host, HTTPS_PORT, "https")
        }
        ConnectionKind::Smtp(smtp) => {
            (None, smtp.host.to_string(), smtp.port.get(), smtp.mode().as_str())
        }
    };
    let (encrypted, outcome) = (connection.encrypts(), OutcomeV1::Unknown);
    let said = statements(&waxseal_check::report::send::Attempted {
        host: &host,
        port,
        verified: None,
        encrypted,
        signed_in: false,
        outcome,
    });
    SendV1 {
        schema: SEND_SCHEMA.to_owned(),
        simulated: world.is_simulated(),
        began_at: started_at.to_string(),
        took_ms: 0,
        service,
        port,
        security: security.to_owned(),
        encrypted,
        accepted: false,
        outcome,
        ended: "lost".to_owned(),
        server_id: None,
        message_id: None,
        signed_in_by: None,
        steps: Vec::new(),
        tls: None,
        certificate: None,
        recipients: Vec::new(),
        diagnosis: None,
        findings: Vec::new(),
        transcript: Vec::new(),
        proves: said.proves,
        does_not_prove: said.does_not_prove,
        next: said.next,
        host,
    }
}

impl From<WorldError> for TestError {
    fn from(error: WorldError) -> Self {
        Self::Submission(error.into())
    }
}
