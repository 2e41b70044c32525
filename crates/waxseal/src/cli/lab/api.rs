//! `lab run` of a scenario with `[api]`: its settings, its message and its service through the product's own use
//! case, and what came of it beside what the scenario expects. It judges nothing itself.

use super::super::error::{CliError, chain};
use super::super::world::lab_world;
use super::scenario::limits;
use waxseal_app::service::{CameTo, Service, send_one, verify};
use waxseal_app::world::World;
use waxseal_check::finding::Finding;
use waxseal_check::report::published;
use waxseal_check::report::wire::FindingV1;
use waxseal_lab::control::Lab;
use waxseal_lab::expectation::attempt_mismatches;
use waxseal_lab::scenario::{ApiAction, ApiAttempt, ApiMessage, Scenario};
use waxseal_proto::name::DomainName;
use waxseal_proto::secret::Secret;
use waxseal_services::address::{EmailAddress, NamedAddress};
use waxseal_services::header::{HeaderName, HeaderText};
use waxseal_services::message::{Content, IdempotencyKey, Outgoing, Parties, Reference, Subject};
use waxseal_services::service::{ServiceId, Settings};

/// What came of a scenario.
pub(super) struct TriedApi {
    /// What was found, the cause first.
    pub(super) findings: Vec<FindingV1>,
    /// Every way in which it differs from what the scenario expects.
    pub(super) wrong: Vec<String>,
}

/// Does what the scenario asks for, as often as it asks, and compares the last time.
pub(super) async fn try_api(
    lab: &Lab,
    scenario: &Scenario,
    attempt: &ApiAttempt,
) -> Result<TriedApi, CliError> {
    let (waits, _) = limits(scenario)?;
    let world = lab_world(&lab.world(), scenario.options.now, waits)?;
    let service = service(scenario, attempt)?;
    let mut last = (Vec::new(), String::new());
    for time in 0..attempt.times {
        let message = attempt.then.as_ref().filter(|_| time > 0).unwrap_or(&attempt.message);
        last = once(&world, &service, (scenario, attempt.action, message)).await?;
    }
    let (found, outcome) = last;
    let findings = published(&found, &scenario.domain);
    let value = serde_json::to_value(&findings)
        .map_err(|error| CliError::undetermined(format!("json: {error}")))?;
    let wrong = attempt_mismatches(&attempt.expected(scenario.kind), &value, &outcome);
    Ok(TriedApi { findings, wrong })
}

async fn once(
    world: &World,
    service: &Service,
    (scenario, action, message): (&Scenario, ApiAction, &ApiMessage),
) -> Result<(Vec<Finding>, String), CliError> {
    match action {
        ApiAction::Send => {
            let message = composed(scenario, message)?;
            let sent = send_one(world, service, &message, &mut |_| {}).await;
            let sent = sent.map_err(|error| wrong(scenario, &chain(&error)))?;
            let outcome = match sent.came_to {
                CameTo::Accepted => "accepted",
                CameTo::Failed => "failed",
                CameTo::Rejected => "rejected",
                CameTo::Unknown => "unknown",
            };
            Ok((sent.findings, outcome.to_owned()))
        }
        ApiAction::Verify => {
            let verified = verify(world, service, &mut |_| {}).await;
            let outcome = if verified.findings.is_empty() { "verified" } else { "not-verified" };
            Ok((verified.findings, outcome.to_owned()))
        }
    }
}

fn service(scenario: &Scenario, attempt: &ApiAttempt) -> Result<Service, CliError> {
    let name = attempt.service().map_or("", |service| service.as_str());
    let id = ServiceId::parse(name).ok_or_else(|| wrong(scenario, "no such service"))?;
    let secret = |(name, value): (&String, &String)| (name.clone(), Secret::new(value.clone()));
    let settings = Settings {
        plain: attempt.settings.clone(),
        secret: attempt.secrets.iter().map(secret).collect(),
    };
    let from = EmailAddress::parse(attempt.message.from());
    let from = from.map_err(|error| wrong(scenario, &chain(&error)))?;
    let domain = DomainName::parse(from.domain().as_str());
    let domain = domain.map_err(|error| wrong(scenario, &chain(&error)))?;
    Service::new(id, &settings, domain).map_err(|error| wrong(scenario, &chain(&error)))
}

fn composed(scenario: &Scenario, message: &ApiMessage) -> Result<Outgoing, CliError> {
    let refused = |error: &dyn std::error::Error| wrong(scenario, &error.to_string());
    let address = |text: &str| EmailAddress::parse(text).map_err(|error| refused(&error));
    let mailbox = |text: &str, name: &str| {
        NamedAddress::new(address(text)?, name).map_err(|error| refused(&error))
    };
    let reply_to = Some(&message.reply_to).filter(|text| !text.is_empty());
    let parties = Parties {
        from: mailbox(message.from(), &message.from_name)?,
        to: mailbox(&message.to, "")?,
        reply_to: reply_to.map(|text| mailbox(text, "")).transpose()?,
    };
    let subject = Subject::parse(&message.subject).map_err(|error| refused(&error))?;
    let content = Content::new(&message.text, &message.html).map_err(|error| refused(&error))?;
    let reference = Reference::parse(&message.reference).map_err(|error| refused(&error))?;
    let mut outgoing = Outgoing::new(parties, subject, content, reference);
    for (name, value) in &message.headers {
        let name = HeaderName::parse(name).map_err(|error| refused(&error))?;
        let value = HeaderText::parse(value).map_err(|error| refused(&error))?;
        outgoing = outgoing.with_header(name, value).map_err(|error| refused(&error))?;
    }
    if !message.idempotency_key.is_empty() {
        let key = IdempotencyKey::parse(&message.idempotency_key);
        outgoing = outgoing.with_idempotency_key(key.map_err(|error| refused(&error))?);
    }
    Ok(outgoing)
}

fn wrong(scenario: &Scenario, why: &str) -> CliError {
    CliError::usage(format!("lab: scenario {}: {why}", scenario.name))
}
