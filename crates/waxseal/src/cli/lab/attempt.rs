//! Path-A scenarios: one message is sent over a connection set as the scenario says, and what it means is
//! compared with what the scenario expects. The way in is [`try_scenario`].

use super::super::error::{CliError, chain};
use super::super::world::lab_world;
use super::scenario::limits;
use serde::Serialize;
use std::fmt::Display;
use waxseal_app::submission::{
    Account, Choice, Credential, Encryption, Family, Goal, Onward, Protection, SubmissionRequest,
    Transaction, Trust, parse_host, parse_pin, submit,
};
use waxseal_check::report::send::wire::SendV1;
use waxseal_lab::control::Lab;
use waxseal_lab::expectation::attempt_mismatches;
use waxseal_lab::scenario::{Attempt, Scenario, Trust as LabTrust};
use waxseal_proto::name::{DomainName, Mailbox};
use waxseal_proto::secret::Secret;
use waxseal_proto::smtp::{MessageData, ReversePath};
use waxseal_proto::tls::requirement::MinimumVersion;

/// A scenario that was tried.
pub(crate) struct TriedScenario {
    /// What became of the message, and what it means.
    pub(crate) sent: SendV1,
    /// Every way in which it differs from what the scenario expects.
    pub(crate) wrong: Vec<String>,
}

/// The cause, expected and found.
#[derive(Serialize)]
pub(crate) struct Cause {
    expected: Option<String>,
    expected_owner: Option<String>,
    found: Option<String>,
    found_owner: Option<String>,
    outcome: &'static str,
}

impl Cause {
    /// Of a scenario that was tried.
    pub(crate) fn of(attempt: &Attempt, tried: &TriedScenario) -> Self {
        let first = tried.sent.findings.first();
        Self {
            expected: attempt.first.clone(),
            expected_owner: attempt.owner.clone(),
            found: first.map(|finding| finding.code.clone()),
            found_owner: first.map(|finding| finding.owner.clone()),
            outcome: tried.sent.outcome.as_str(),
        }
    }
}

/// Tries a scenario as it asks to be, and compares.
pub(crate) async fn try_scenario(
    lab: &Lab,
    scenario: &Scenario,
    attempt: &Attempt,
) -> Result<TriedScenario, CliError> {
    let (waits, _) = limits(scenario)?;
    let world = lab_world(&lab.world(), scenario.options.now, waits)?;
    let request = request(lab, scenario, attempt)?;
    let sent = Box::pin(submit(&world, &request, &mut |_| {}))
        .await
        .map_err(|error| wrong(scenario, chain(&error)))?;
    let findings = serde_json::to_value(&sent.findings)
        .map_err(|error| CliError::undetermined(format!("json: {error}")))?;
    let expected = attempt.expected(scenario.kind);
    let wrong = attempt_mismatches(&expected, &findings, sent.outcome.as_str());
    Ok(TriedScenario { sent, wrong })
}

fn request(
    lab: &Lab,
    scenario: &Scenario,
    attempt: &Attempt,
) -> Result<SubmissionRequest, CliError> {
    let host = lab.attempt_host(scenario).unwrap_or_default();
    let port = attempt.port.parse().map_err(|error| wrong(scenario, error))?;
    let encryption = || encryption(lab, scenario, attempt, (&host, port));
    let protection = match attempt.mode.as_str() {
        "starttls" => Protection::StartTls(encryption()?),
        "tls" => Protection::Tls(encryption()?),
        other => return Err(wrong(scenario, format!("mode {other} cannot be tried"))),
    };
    let mailbox = |text: &str| Mailbox::parse(text).map_err(|error| wrong(scenario, error));
    let message = MessageData::from_local_text(attempt.message().as_bytes())
        .map_err(|error| wrong(scenario, error))?;
    let onward = if attempt.require_tls { Onward::RequireTls } else { Onward::Unspecified };
    let sender = ReversePath::Mailbox(mailbox(attempt.from())?);
    let transaction = Transaction::new(sender, vec![mailbox(attempt.to())?], message, onward)
        .map_err(|error| wrong(scenario, error))?;
    let ehlo_name = attempt.ehlo_name.as_ref().map(|name| DomainName::parse(name)).transpose();
    Ok(SubmissionRequest {
        host: parse_host(&host).map_err(|error| wrong(scenario, error))?,
        port,
        protection,
        ehlo_name: ehlo_name.map_err(|error| wrong(scenario, error))?,
        family: Family::Any,
        goal: Goal::Deliver(transaction),
    })
}

fn encryption(
    lab: &Lab,
    scenario: &Scenario,
    attempt: &Attempt,
    (host, port): (&str, u16),
) -> Result<Encryption, CliError> {
    let credential = match &attempt.token {
        Some(token) => Credential::Token(Secret::new(token.clone())),
        None => Credential::Password(Secret::new(attempt.password.clone())),
    };
    let account = attempt.user().map(|user| Account {
        user: user.to_owned(),
        credential,
        choice: Choice::Automatic,
    });
    let trust = match attempt.trust {
        LabTrust::Public => Trust::PublicRoots,
        LabTrust::PrivateRoot => Trust::Authority(lab.private_root_pem().as_bytes().to_vec()),
        LabTrust::Key => {
            let key = lab.public_key(host, port).and_then(parse_pin);
            Trust::PinnedKeys(vec![key.ok_or_else(|| wrong(scenario, "there is no such key"))?])
        }
        LabTrust::OtherKey => Trust::PinnedKeys(vec![[0x5a; 32]]),
    };
    let minimum = match attempt.least_tls.as_deref() {
        Some("1.3") => MinimumVersion::Tls13,
        Some(_) | None => MinimumVersion::default(),
    };
    Ok(Encryption { minimum, trust, account })
}

fn wrong(scenario: &Scenario, why: impl Display) -> CliError {
    CliError::usage(format!("lab: scenario {}: {why}", scenario.name))
}
