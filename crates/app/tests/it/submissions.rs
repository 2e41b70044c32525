//! Every path-A scenario of the lab: one message is sent as its `[submission]` says, and the diagnosis is
//! compared. `WAXSEAL_SCENARIOS=name,name` tries some of them and prints what was found.

use super::lab_world::{lab_now, world};
use futures::StreamExt;
use waxseal_app::submission::{
    Account, Choice, Credential, Encryption, Family, Goal, Onward, Protection, SubmissionRequest,
    Transaction, Trust, parse_host, parse_pin, submit,
};
use waxseal_lab::catalogue;
use waxseal_lab::control::{Lab, LabOptions};
use waxseal_lab::expectation::attempt_mismatches;
use waxseal_lab::scenario::{Attempt, Scenario, Trust as LabTrust};
use waxseal_proto::name::{DomainName, Mailbox};
use waxseal_proto::secret::Secret;
use waxseal_proto::smtp::{MessageData, ReversePath};
use waxseal_proto::tls::requirement::MinimumVersion;

/// Attempts that run at once.
const SIDE_BY_SIDE: usize = 16;

/// What an attempt asks of the product.
pub(crate) fn request(lab: &Lab, scenario: &Scenario) -> SubmissionRequest {
    let attempt = scenario.submission.as_ref().unwrap();
    let host = lab.attempt_host(scenario).unwrap();
    let protection = match attempt.mode.as_str() {
        "starttls" => Protection::StartTls(encryption(lab, attempt, &host)),
        "tls" => Protection::Tls(encryption(lab, attempt, &host)),
        other => panic!("{}: no way to try mode {other}", scenario.name),
    };
    let mailbox = |text: &str| Mailbox::parse(text).unwrap();
    let message = MessageData::from_local_text(attempt.message().as_bytes()).unwrap();
    let onward = if attempt.require_tls { Onward::RequireTls } else { Onward::Unspecified };
    let sender = ReversePath::Mailbox(mailbox(attempt.from()));
    let transaction = Transaction::new(sender, vec![mailbox(attempt.to())], message, onward);
    SubmissionRequest {
        host: parse_host(&host).unwrap(),
        port: attempt.port.parse().unwrap(),
        protection,
        ehlo_name: attempt.ehlo_name.as_ref().map(|name| DomainName::parse(name).unwrap()),
        family: Family::Any,
        goal: Goal::Deliver(transaction.unwrap()),
    }
}

fn encryption(lab: &Lab, attempt: &Attempt, host: &str) -> Encryption {
    let port = attempt.port.parse().unwrap();
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
            let key = lab.public_key(host, port).unwrap();
            Trust::PinnedKeys(vec![parse_pin(key).unwrap()])
        }
        LabTrust::OtherKey => Trust::PinnedKeys(vec![[0x5a; 32]]),
    };
    let minimum = match attempt.least_tls.as_deref() {
        Some("1.3") => MinimumVersion::Tls13,
        Some(_) | None => MinimumVersion::default(),
    };
    Encryption { minimum, trust, account }
}

async fn tried(lab: &Lab, scenario: &Scenario) -> serde_json::Value {
    let world = world(&lab.world(), scenario);
    let sent = submit(&world, &request(lab, scenario), &mut |_| {}).await.unwrap();
    serde_json::to_value(&sent).unwrap()
}

fn chosen() -> Vec<Scenario> {
    let attempts = catalogue::all().unwrap().into_iter().filter(|s| s.submission.is_some());
    let Ok(names) = std::env::var("WAXSEAL_SCENARIOS") else { return attempts.collect() };
    attempts.filter(|s| names.split(',').any(|name| name == s.name)).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn attempts() {
    let chosen = chosen();
    let verbose = std::env::var("WAXSEAL_SCENARIOS").is_ok();
    let lab = Lab::start(&chosen, LabOptions::at(lab_now())).await.unwrap();
    let lab = &lab;
    let results: Vec<(String, Vec<String>)> = futures::stream::iter(&chosen)
        .map(|scenario| async move {
            let sent = tried(lab, scenario).await;
            if verbose {
                println!("{}: {}", scenario.name, serde_json::to_string_pretty(&sent).unwrap());
            }
            let expected = scenario.submission.as_ref().unwrap().expected(scenario.kind);
            let outcome = sent["outcome"].as_str().unwrap();
            (scenario.name.clone(), attempt_mismatches(&expected, &sent["findings"], outcome))
        })
        .buffer_unordered(SIDE_BY_SIDE)
        .collect()
        .await;
    let failed: Vec<String> = results
        .iter()
        .filter(|(_, wrong)| !wrong.is_empty())
        .map(|(name, wrong)| format!("{name}: {}", wrong.join("; ")))
        .collect();
    println!("attempts: {} held, {} did not", results.len() - failed.len(), failed.len());
    assert!(failed.is_empty(), "\n{}", failed.join("\n"));
}
