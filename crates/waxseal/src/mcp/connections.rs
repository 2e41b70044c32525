//! Tools about stored connections. A connection is shown as every face shows it; the results of its tests hold
//! text of strangers, which is marked.

use super::Shared;
use super::answer::{Refusal, guide_sections, json_of};
use super::arguments::{AddConnection, TestConnection, few, within};
use super::scope::Scope;
use super::untrusted::{SENT, mark};
use crate::clock;
use serde_json::{Value, json};
use std::sync::Arc;
use waxseal_app::connections::wire::ConnectionView;
use waxseal_app::connections::{self, Form, SecretChange, Wanted};
use waxseal_app::store::{Data, DataError, Opening};
use waxseal_app::test_send::{self, IdempotencyKey, TestRequest, Tested};
use waxseal_check::report::send::wire::SendV1;
use waxseal_proto::name::Mailbox;

async fn open(shared: &Shared, opening: Opening) -> Result<Data, DataError> {
    Data::open(shared.settings.data.clone(), opening, clock::now()).await
}

fn shown(view: &ConnectionView) -> Result<Value, Refusal> {
    let mut value = json_of(view)?;
    for trial in ["last_test", "last_verify"] {
        if let Some(detail) = value.pointer_mut(&format!("/{trial}/detail")) {
            mark(detail, SENT);
        }
    }
    Ok(value)
}

fn outcome(sent: &SendV1) -> Result<(Value, Vec<Value>), Refusal> {
    let guides = guide_sections(sent.findings.iter().map(|finding| finding.guide.as_str()));
    let mut value = json_of(sent)?;
    mark(&mut value, SENT);
    Ok((value, guides))
}

/// All connections of the workspace.
pub(super) async fn list(shared: &Shared) -> Result<Value, Refusal> {
    let found = match open(shared, Opening::Existing).await {
        // Nothing was ever added: that is an empty list.
        Err(DataError::NothingThere { .. }) => Vec::new(),
        Err(other) => return Err(other.into()),
        Ok(data) => {
            let found = connections::list(&data, clock::now()).await;
            data.close().await;
            found?
        }
    };
    let found: Vec<Value> = found.iter().map(shown).collect::<Result<_, _>>()?;
    let (workspace, simulated) = (&shared.settings.data.workspace, shared.world.is_simulated());
    Ok(json!({ "connections": found, "workspace": workspace, "simulated": simulated }))
}

/// One connection.
pub(super) async fn show(shared: &Shared, name: &str) -> Result<Value, Refusal> {
    let name = within("connection", name)?;
    let data = open(shared, Opening::Existing).await?;
    let found = connections::show(&data, name, clock::now()).await;
    data.close().await;
    let simulated = shared.world.is_simulated();
    Ok(json!({ "connection": shown(&found?)?, "simulated": simulated }))
}

/// Signs in and leaves, or asks the service about its key.
pub(super) async fn verify(shared: &Shared, name: &str) -> Result<Value, Refusal> {
    let name = within("connection", name)?;
    let _place = shared.place()?;
    let data = open(shared, Opening::Existing).await?;
    let mut tell = |_| {};
    let world = &shared.world;
    let found = Box::pin(connections::verify(world, &data, name, &mut tell, clock::now())).await;
    data.close().await;
    let found = found?;
    let (result, guides) = match &found.result {
        Some(sent) => outcome(sent)?,
        None => (Value::Null, Vec::new()),
    };
    Ok(json!({
        "connection": shown(&found.connection)?,
        "result": result,
        "account": json_of(&found.account)?,
        "simulated": world.is_simulated(),
        "guide_sections": guides,
    }))
}

/// Sends one real message. Once begun it is carried to its end and recorded, whoever waits for it.
pub(super) async fn test(shared: &Arc<Shared>, wanted: &TestConnection) -> Result<Value, Refusal> {
    shared.allows(Scope::TestSend)?;
    let connection = within("connection", &wanted.connection)?.to_owned();
    let to = Mailbox::parse(within("to", &wanted.to)?)
        .map_err(|error| Refusal::argument("to", error))?;
    let key = wanted.idempotency_key.as_deref();
    let key =
        key.map(|key| within("idempotency_key", key).map(IdempotencyKey::parse)).transpose()?;
    let key = key.transpose().map_err(|error| Refusal::argument("idempotency_key", error))?;
    let place = Arc::clone(&shared.sends).try_acquire_owned().map_err(|_| Refusal::busy())?;
    let shared = Arc::clone(shared);
    let simulated = shared.world.is_simulated();
    let sending = tokio::spawn(async move {
        let _place = place;
        let data = open(&shared, Opening::Existing).await?;
        let request = TestRequest { connection, to, key };
        let mut tell = |_| {};
        let testing = test_send::test(&shared.world, &data, &request, &mut tell, clock::now());
        let tested = Box::pin(testing).await;
        data.close().await;
        tested.map_err(Refusal::from)
    });
    let ended = sending.await;
    let tested = ended.map_err(|error| Refusal::new("machine", error.to_string()))??;
    let Tested { test, connection, sent, repeated } = &tested;
    let (result, guides) = outcome(sent)?;
    Ok(json!({
        "test": test,
        "repeated": repeated,
        "connection": shown(connection)?,
        "result": result,
        "simulated": simulated,
        "guide_sections": guides,
    }))
}

/// Adds a connection without a secret, and says what a person has to run to enter one.
pub(super) async fn add(shared: &Shared, wanted: AddConnection) -> Result<Value, Refusal> {
    shared.allows(Scope::AddConnection)?;
    few("settings", wanted.settings.len())?;
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
    let settings =
        wanted.settings.iter().flat_map(|(name, value)| [("settings", name), ("settings", value)]);
    let texts = texts.into_iter().filter_map(|(name, text)| Some((name, text?)));
    for (name, text) in texts.chain(settings) {
        within(name, text)?;
    }
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
    let data = open(shared, Opening::Create).await?;
    let added = connections::add(&data, &wanted, clock::now()).await;
    data.close().await;
    let added = added?;
    let warnings = &added.warnings;
    let guides = guide_sections(warnings.iter().map(|finding| finding.guide.as_str()));
    let mut warnings = json!({ "findings": json_of(warnings)? });
    mark(&mut warnings, SENT);
    Ok(json!({
        "connection": shown(&added.connection)?,
        "offer": json_of(&added.offer)?,
        "warnings": warnings["findings"],
        "simulated": shared.world.is_simulated(),
        "for_a_person": for_a_person(shared, &added.connection),
        "guide_sections": guides,
    }))
}

/// The command that asks a person for the secret, word by word; null when the connection has none.
fn for_a_person(shared: &Shared, added: &ConnectionView) -> Value {
    if added.service.is_none() && added.sign_in.is_none() {
        return Value::Null;
    }
    let folder = shared.settings.data.folder.display().to_string();
    let workspace = shared.settings.data.workspace.as_str();
    let command = ["waxseal", "connection", "edit", &added.id, "--ask-secret"];
    let place = ["--data", &folder, "--workspace", workspace];
    let command = [&command[..], &place[..]].concat();
    json!({ "enter_secret": command })
}
