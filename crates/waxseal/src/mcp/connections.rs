//! Tools about stored connections. A connection is shown as every face shows it; the results of its tests hold
//! text of strangers, which is marked.

use super::answer::{Refusal, guide_sections};
use super::arguments::{
    AddConnection, EditConnection, ReadArrival, TestConnection, UseConnection, few, within,
};
use super::caller::Caller;
use super::offline;
use super::schema::{Asked, Explained, ForAPerson, Kept, shown};
use crate::clock;
use crate::wire::connection::{All, Arrival, One, OneChanged, TestedOne, Verified};
use serde_json::Value;
use std::collections::BTreeMap;
use waxseal_app::connections::wire::ConnectionView;
use waxseal_app::connections::{
    self, ArrivedMessage, Changed, Form, SecretChange, Use, Wanted, note_arrived,
};
use waxseal_app::jobs::wire::JobView;
use waxseal_app::jobs::{JobWatch, Wanted as JobWanted};
use waxseal_app::secret_link;
use waxseal_app::store::{Data, DataError, Opening};
use waxseal_app::test_send::{IdempotencyKey, TestRequest};
use waxseal_check::report::wire::FindingV1;
use waxseal_proto::name::Mailbox;

fn guides(findings: &[FindingV1]) -> Vec<super::answer::GuideSection> {
    guide_sections(findings.iter().map(|finding| finding.guide.as_str()))
}

/// All connections of the workspace.
pub(super) async fn list(caller: &Caller) -> Result<Value, Refusal> {
    let found = match caller.open(Opening::Existing).await {
        // Nothing was ever added: that is an empty list.
        Err(DataError::NothingThere { .. }) => Vec::new(),
        Err(other) => return Err(other.into()),
        Ok(data) => {
            let found = connections::list(&data, clock::now()).await;
            data.end().await;
            found?
        }
    };
    let (workspace, simulated) = (caller.workspace(), caller.is_simulated());
    shown(&All { connections: &found, workspace, simulated })
}

/// One connection.
pub(super) async fn show(caller: &Caller, name: &str) -> Result<Value, Refusal> {
    let name = within("connection", name)?;
    let data = caller.open(Opening::Existing).await?;
    let found = connections::show(&data, name, clock::now()).await;
    data.end().await;
    shown(&One { connection: &found?, simulated: caller.is_simulated() })
}

/// Signs in and leaves, or asks the service about its key. Once begun it goes on to its end and is recorded.
pub(super) async fn verify(caller: &Caller, name: &str) -> Result<Value, Refusal> {
    let connection = within("connection", name)?.to_owned();
    let (job, connection) = run(caller, JobWanted::Verify { connection }).await?;
    let answer = Verified {
        connection: &connection,
        result: &job.result,
        account: &job.account,
        simulated: caller.is_simulated(),
    };
    let findings = job.result.as_ref().map(|sent| sent.findings.as_slice());
    let guide_sections = guides(findings.unwrap_or_default());
    shown(&Explained { answer, guide_sections })
}

/// Sends one real message. Once begun it is carried to its end and recorded, whoever waits for it.
pub(super) async fn test(caller: &Caller, wanted: &TestConnection) -> Result<Value, Refusal> {
    let connection = within("connection", &wanted.connection)?.to_owned();
    let to = Mailbox::parse(within("to", &wanted.to)?)
        .map_err(|error| Refusal::argument("to", error))?;
    let key = wanted.idempotency_key.as_deref();
    let key =
        key.map(|key| within("idempotency_key", key).map(IdempotencyKey::parse)).transpose()?;
    let key = key.transpose().map_err(|error| Refusal::argument("idempotency_key", error))?;
    let (job, connection) =
        run(caller, JobWanted::Test(TestRequest { connection, to, key })).await?;
    let lost = || Refusal::new("machine", "the record of this test cannot be read");
    let answer = TestedOne {
        test: &job.id,
        repeated: job.repeated,
        connection: &connection,
        result: job.result.as_ref().ok_or_else(lost)?,
        simulated: caller.is_simulated(),
    };
    let guide_sections = guides(&answer.result.findings);
    shown(&Explained { answer, guide_sections })
}

/// A job, and the connection as it is after it.
async fn run(caller: &Caller, wanted: JobWanted) -> Result<(JobView, ConnectionView), Refusal> {
    let data = caller.open(Opening::Existing).await?;
    let ended = async {
        // On its own: a call that is cancelled meanwhile has begun it and is noted all the same.
        let begun = tokio::spawn(begin(caller.clone(), Data::clone(&data), wanted)).await;
        let mut watch =
            begun.map_err(|_| Refusal::new("machine", "the job ended by a fault"))??;
        let job = watch.end().await;
        if let Some(problem) = job.problem {
            return Err(Refusal::of_job(problem));
        }
        let connection = connections::show(&data, &job.connection, clock::now()).await?;
        Ok((job, connection))
    };
    let ended = ended.await;
    data.end().await;
    ended
}

/// Begins a job and notes who did; an earlier test of the same key is nothing new.
async fn begin(caller: Caller, data: Data, wanted: JobWanted) -> Result<JobWatch, Refusal> {
    let watch = caller.jobs.begin(&data, wanted, clock::now()).await?;
    let begun = watch.view();
    if !begun.repeated {
        let found = connections::find(&data, &begun.connection).await?;
        let what = if begun.kind == "test" { "connection.tested" } else { "connection.verified" };
        caller.note(&data, what, found.name.as_str()).await?;
    }
    Ok(watch)
}

/// The path of the message of a test where it arrived, kept with the test.
pub(super) async fn arrival(caller: &Caller, wanted: &ReadArrival) -> Result<Value, Refusal> {
    let name = within("connection", &wanted.connection)?;
    let arrived = offline::arrived(&wanted.message)?;
    let data = caller.open(Opening::Existing).await?;
    let message_id = arrived.message_id();
    let message = ArrivedMessage { message_id: message_id.as_deref(), path: arrived.path() };
    let noted = async {
        let test = note_arrived(&data, name, message, clock::now()).await?;
        Ok::<_, Refusal>((test, connections::show(&data, name, clock::now()).await?))
    };
    let noted = noted.await;
    data.end().await;
    let (test, connection) = &noted?;
    let (received, simulated) = (arrived.wire(), caller.is_simulated());
    shown(&Arrival { connection, test, received, simulated })
}

fn all_within(
    texts: &[(&str, Option<&String>)],
    settings: &BTreeMap<String, String>,
) -> Result<(), Refusal> {
    few("settings", settings.len())?;
    let settings =
        settings.iter().flat_map(|(name, value)| [("settings", name), ("settings", value)]);
    let texts = texts.iter().filter_map(|(name, text)| Some((*name, (*text)?)));
    for (name, text) in texts.chain(settings) {
        within(name, text)?;
    }
    Ok(())
}

/// Adds a connection without a secret, and says how a person enters one.
pub(super) async fn add(caller: &Caller, wanted: AddConnection) -> Result<Value, Refusal> {
    let texts = [
        ("name", Some(&wanted.name)),
        ("from_address", Some(&wanted.from_address)),
        ("from_name", wanted.from_name.as_ref()),
        ("service", wanted.service.as_ref()),
        ("preset", wanted.preset.as_ref()),
        ("host", wanted.host.as_ref()),
        ("security", wanted.security.as_ref()),
        ("user", wanted.user.as_ref()),
    ];
    all_within(&texts, &wanted.settings)?;
    let form = Form {
        name: Some(wanted.name),
        from_name: wanted.from_name,
        from_address: Some(wanted.from_address),
        service: wanted.service,
        settings: wanted.settings,
        preset: wanted.preset,
        host: wanted.host,
        port: wanted.port.map(|port| port.to_string()),
        security: wanted.security,
        user: wanted.user,
        ..Form::default()
    };
    let wanted = Wanted { form, secret: SecretChange::Keep, exception: None };
    // A database is made only for what can be added.
    connections::check_new(&wanted, clock::now())?;
    let data = caller.open(Opening::Create).await?;
    let added = async {
        let added = connections::add(&data, &wanted, clock::now()).await?;
        caller.note(&data, "connection.added", &added.connection.name).await?;
        kept(caller, &data, &added).await
    };
    let added = added.await;
    data.end().await;
    added
}

/// Changes settings of a connection; never its secret.
pub(super) async fn edit(caller: &Caller, wanted: EditConnection) -> Result<Value, Refusal> {
    let texts = [
        ("connection", Some(&wanted.connection)),
        ("name", wanted.name.as_ref()),
        ("from_address", wanted.from_address.as_ref()),
        ("from_name", wanted.from_name.as_ref()),
        ("host", wanted.host.as_ref()),
        ("security", wanted.security.as_ref()),
        ("user", wanted.user.as_ref()),
    ];
    all_within(&texts, &wanted.settings)?;
    let form = Form {
        name: wanted.name,
        from_name: wanted.from_name,
        from_address: wanted.from_address,
        settings: wanted.settings,
        host: wanted.host,
        port: wanted.port.map(|port| port.to_string()),
        security: wanted.security,
        user: wanted.user,
        ..Form::default()
    };
    let change = Wanted { form, secret: SecretChange::Keep, exception: None };
    let data = caller.open(Opening::Existing).await?;
    let changed = async {
        let changed = connections::edit(&data, &wanted.connection, &change, clock::now()).await?;
        caller.note(&data, "connection.changed", &changed.connection.name).await?;
        kept(caller, &data, &changed).await
    };
    let changed = changed.await;
    data.end().await;
    changed
}

/// Whether anything may be sent over a connection.
pub(super) async fn set_use(caller: &Caller, wanted: &UseConnection) -> Result<Value, Refusal> {
    let name = within("connection", &wanted.connection)?;
    let to = if wanted.enabled { Use::Enabled } else { Use::Disabled };
    let data = caller.open(Opening::Existing).await?;
    let found = async {
        let found = connections::set_use(&data, name, to, clock::now()).await?;
        let what = if wanted.enabled { "connection.enabled" } else { "connection.disabled" };
        caller.note(&data, what, &found.name).await?;
        Ok::<_, Refusal>(found)
    };
    let found = found.await;
    data.end().await;
    shown(&One { connection: &found?, simulated: caller.is_simulated() })
}

async fn kept(caller: &Caller, data: &Data, changed: &Changed) -> Result<Value, Refusal> {
    let answer = Kept {
        changed: OneChanged::of(changed, caller.is_simulated()),
        for_a_person: for_a_person(caller, data, &changed.connection).await?,
    };
    shown(&Explained { answer, guide_sections: guides(&changed.warnings) })
}

/// How a person enters the secret; none when the connection has none or holds it already.
async fn for_a_person(
    caller: &Caller,
    data: &Data,
    kept: &ConnectionView,
) -> Result<Option<ForAPerson>, Refusal> {
    if kept.secret.stored || (kept.service.is_none() && kept.sign_in.is_none()) {
        return Ok(None);
    }
    enter(caller, data, &kept.id).await.map(Some)
}

/// A link to a page where there are pages, else the command that asks for the secret.
async fn enter(caller: &Caller, data: &Data, connection: &str) -> Result<ForAPerson, Refusal> {
    if let Some(base) = &caller.base {
        let made = secret_link::create(data, connection, &caller.who, clock::now()).await?;
        let link = format!("{base}/secrets/{}", made.token.expose());
        return Ok(ForAPerson {
            enter_secret: None,
            link: Some(link),
            ends_at: Some(made.ends_at),
        });
    }
    let folder = data.folder().display().to_string();
    let command = ["waxseal", "connection", "edit", connection, "--ask-secret"];
    let place = ["--data", &folder, "--workspace", caller.workspace()];
    let words = command.into_iter().chain(place).map(str::to_owned);
    Ok(ForAPerson { enter_secret: Some(words.collect()), link: None, ends_at: None })
}

/// A way for a person to enter the secret of a stored connection.
pub(super) async fn ask_secret(caller: &Caller, name: &str) -> Result<Value, Refusal> {
    let name = within("connection", name)?;
    let data = caller.open(Opening::Existing).await?;
    let asked = async {
        let connection = connections::show(&data, name, clock::now()).await?;
        if connection.service.is_none() && connection.sign_in.is_none() {
            return Err(Refusal::argument("connection", "has no secret: it never signs in"));
        }
        let for_a_person = enter(caller, &data, &connection.id).await?;
        shown(&Asked { connection: &connection, for_a_person, simulated: caller.is_simulated() })
    };
    let asked = asked.await;
    data.end().await;
    asked
}
