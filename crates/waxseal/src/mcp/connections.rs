//! Tools about stored connections. A connection is shown as every face shows it; the results of its tests hold
//! text of strangers, which is marked.

use super::answer::{Refusal, guide_sections};
use super::arguments::{
    AddConnection, EditConnection, ReadArrival, TestConnection, UseConnection, few, within,
};
use super::caller::Caller;
use super::offline;
use super::schema::{Explained, ForAPerson, Kept, shown};
use super::scope::Scope;
use crate::clock;
use crate::wire::connection::{All, Arrival, One, OneChanged, TestedOne, Verified};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;
use waxseal_app::connections::wire::ConnectionView;
use waxseal_app::connections::{
    self, ArrivedMessage, Changed, Form, SecretChange, Use, Wanted, note_arrived,
};
use waxseal_app::store::{DataError, Opening};
use waxseal_app::test_send::{self, IdempotencyKey, TestRequest};
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
            data.close().await;
            found?
        }
    };
    let workspace = caller.data.workspace.as_str();
    shown(&All { connections: &found, workspace, simulated: caller.is_simulated() })
}

/// One connection.
pub(super) async fn show(caller: &Caller, name: &str) -> Result<Value, Refusal> {
    let name = within("connection", name)?;
    let data = caller.open(Opening::Existing).await?;
    let found = connections::show(&data, name, clock::now()).await;
    data.close().await;
    shown(&One { connection: &found?, simulated: caller.is_simulated() })
}

/// Signs in and leaves, or asks the service about its key.
pub(super) async fn verify(caller: &Caller, name: &str) -> Result<Value, Refusal> {
    let name = within("connection", name)?;
    let desk = &caller.desk;
    let _place = desk.place()?;
    let data = caller.open(Opening::Existing).await?;
    let mut tell = |_| {};
    let verifying = connections::verify(&desk.world, &data, name, &mut tell, clock::now());
    let found = Box::pin(verifying).await;
    data.close().await;
    let found = found?;
    let findings = found.result.as_ref().map(|sent| sent.findings.as_slice());
    let guide_sections = guides(findings.unwrap_or_default());
    let answer = Verified::of(&found, caller.is_simulated());
    shown(&Explained { answer, guide_sections })
}

/// Sends one real message. Once begun it is carried to its end and recorded, whoever waits for it.
pub(super) async fn test(caller: &Arc<Caller>, wanted: &TestConnection) -> Result<Value, Refusal> {
    caller.allows(Scope::TestSend)?;
    let connection = within("connection", &wanted.connection)?.to_owned();
    let to = Mailbox::parse(within("to", &wanted.to)?)
        .map_err(|error| Refusal::argument("to", error))?;
    let key = wanted.idempotency_key.as_deref();
    let key =
        key.map(|key| within("idempotency_key", key).map(IdempotencyKey::parse)).transpose()?;
    let key = key.transpose().map_err(|error| Refusal::argument("idempotency_key", error))?;
    let place = caller.desk.send_place()?;
    let simulated = caller.is_simulated();
    let caller = Arc::clone(caller);
    let sending = tokio::spawn(async move {
        let _place = place;
        let data = caller.open(Opening::Existing).await?;
        let request = TestRequest { connection, to, key };
        let mut tell = |_| {};
        let world = &caller.desk.world;
        let testing = test_send::test(world, &data, &request, &mut tell, clock::now());
        let tested = Box::pin(testing).await;
        data.close().await;
        tested.map_err(Refusal::from)
    });
    let ended = sending.await;
    let tested = ended.map_err(|error| Refusal::new("machine", error.to_string()))??;
    let guide_sections = guides(&tested.sent.findings);
    shown(&Explained { answer: TestedOne::of(&tested, simulated), guide_sections })
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
    data.close().await;
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
    caller.allows(Scope::AddConnection)?;
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
    let added = connections::add(&data, &wanted, clock::now()).await;
    data.close().await;
    kept(caller, &added?)
}

/// Changes settings of a connection; never its secret.
pub(super) async fn edit(caller: &Caller, wanted: EditConnection) -> Result<Value, Refusal> {
    caller.allows(Scope::AddConnection)?;
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
    let changed = connections::edit(&data, &wanted.connection, &change, clock::now()).await;
    data.close().await;
    kept(caller, &changed?)
}

/// Whether anything may be sent over a connection.
pub(super) async fn set_use(caller: &Caller, wanted: &UseConnection) -> Result<Value, Refusal> {
    caller.allows(Scope::AddConnection)?;
    let name = within("connection", &wanted.connection)?;
    let to = if wanted.enabled { Use::Enabled } else { Use::Disabled };
    let data = caller.open(Opening::Existing).await?;
    let found = connections::set_use(&data, name, to, clock::now()).await;
    data.close().await;
    shown(&One { connection: &found?, simulated: caller.is_simulated() })
}

fn kept(caller: &Caller, changed: &Changed) -> Result<Value, Refusal> {
    let answer = Kept {
        changed: OneChanged::of(changed, caller.is_simulated()),
        for_a_person: for_a_person(caller, &changed.connection),
    };
    shown(&Explained { answer, guide_sections: guides(&changed.warnings) })
}

/// The command that asks a person for the secret; none when the connection has none or holds it already.
fn for_a_person(caller: &Caller, kept: &ConnectionView) -> Option<ForAPerson> {
    if kept.secret.stored || (kept.service.is_none() && kept.sign_in.is_none()) {
        return None;
    }
    let folder = caller.data.folder.display().to_string();
    let workspace = caller.data.workspace.as_str();
    let command = ["waxseal", "connection", "edit", &kept.id, "--ask-secret"];
    let place = ["--data", &folder, "--workspace", workspace];
    let words = command.into_iter().chain(place).map(str::to_owned);
    Some(ForAPerson { enter_secret: words.collect() })
}
