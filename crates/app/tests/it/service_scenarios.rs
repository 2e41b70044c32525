//! Every scenario with `[api]` through the use cases for delivery services: the cause is found, nothing leaves
//! without a verified session, and no key comes out again. `WAXSEAL_SCENARIOS=name,name` runs some of them.

use super::lab_world::{lab_now, world};
use futures::StreamExt;
use waxseal_app::service::{CameTo, Service, send_one, verify};
use waxseal_check::finding::Finding;
use waxseal_check::report::published;
use waxseal_lab::catalogue;
use waxseal_lab::control::{Lab, LabOptions};
use waxseal_lab::delivery_service::{KeptRequest, Verdict};
use waxseal_lab::expectation::attempt_mismatches;
use waxseal_lab::scenario::{ApiAction, ApiAttempt, ApiMessage, Scenario};
use waxseal_proto::name::DomainName;
use waxseal_proto::secret::Secret;
use waxseal_services::address::{EmailAddress, NamedAddress};
use waxseal_services::header::{HeaderName, HeaderText};
use waxseal_services::message::{Content, IdempotencyKey, Outgoing, Parties, Reference, Subject};
use waxseal_services::service::{ServiceId, Settings};

/// Scenarios that run at once.
const SIDE_BY_SIDE: usize = 8;

fn chosen() -> Vec<Scenario> {
    let wanted = std::env::var("WAXSEAL_SCENARIOS").ok();
    let is_chosen = |scenario: &Scenario| {
        let is_named = |list: &String| list.split(',').any(|name| name == scenario.name);
        scenario.api.is_some() && wanted.as_ref().is_none_or(is_named)
    };
    catalogue::all().unwrap().into_iter().filter(is_chosen).collect()
}

fn message(of: &ApiMessage) -> Outgoing {
    let mailbox = |text: &str, name: &str| {
        NamedAddress::new(EmailAddress::parse(text).unwrap(), name).unwrap()
    };
    let reply_to = Some(&of.reply_to).filter(|text| !text.is_empty());
    let parties = Parties {
        from: mailbox(of.from(), &of.from_name),
        to: mailbox(&of.to, ""),
        reply_to: reply_to.map(|text| mailbox(text, "")),
    };
    let content = Content::new(&of.text, &of.html).unwrap();
    let subject = Subject::parse(&of.subject).unwrap();
    let message =
        Outgoing::new(parties, subject, content, Reference::parse(&of.reference).unwrap());
    let message = of.headers.iter().fold(message, |message, (name, value)| {
        let (name, value) = (HeaderName::parse(name).unwrap(), HeaderText::parse(value).unwrap());
        message.with_header(name, value).unwrap()
    });
    match of.idempotency_key.as_str() {
        "" => message,
        key => message.with_idempotency_key(IdempotencyKey::parse(key).unwrap()),
    }
}

fn service(attempt: &ApiAttempt) -> Service {
    let secret = |(name, value): (&String, &String)| (name.clone(), Secret::new(value.clone()));
    let settings = Settings {
        plain: attempt.settings.clone(),
        secret: attempt.secrets.iter().map(secret).collect(),
    };
    let id = ServiceId::parse(attempt.service().unwrap().as_str()).unwrap();
    let from = EmailAddress::parse(attempt.message.from()).unwrap();
    let domain = DomainName::parse(from.domain().as_str()).unwrap();
    Service::new(id, &settings, domain).unwrap()
}

/// What the last time came to, and all that the services were asked.
async fn run(scenario: &Scenario) -> (Vec<Finding>, String, Lab) {
    let options = LabOptions::at(scenario.options.now.unwrap_or_else(lab_now));
    let lab = Lab::start(std::slice::from_ref(scenario), options).await.unwrap();
    let world = world(&lab.world(), scenario);
    let attempt = scenario.api.as_ref().unwrap();
    let service = service(attempt);
    let mut last = (Vec::new(), "");
    for time in 0..attempt.times {
        last = match attempt.action {
            ApiAction::Send => {
                let of = attempt.then.as_ref().filter(|_| time > 0).unwrap_or(&attempt.message);
                let sent = send_one(&world, &service, &message(of), &mut |_| {}).await.unwrap();
                let outcome = match sent.came_to {
                    CameTo::Accepted => "accepted",
                    CameTo::Failed => "failed",
                    CameTo::Rejected => "rejected",
                    CameTo::Unknown => "unknown",
                };
                (sent.findings, outcome)
            }
            ApiAction::Verify => {
                let verified = verify(&world, &service, &mut |_| {}).await;
                let outcome =
                    if verified.findings.is_empty() { "verified" } else { "not-verified" };
                (verified.findings, outcome)
            }
        };
    }
    (last.0, last.1.to_owned(), lab)
}

/// What must hold besides the expectation.
fn besides(scenario: &Scenario, findings: &str, lab: &Lab) -> Vec<String> {
    let mut wrong = Vec::new();
    let attempt = scenario.api.as_ref().unwrap();
    if let Some((name, _)) = attempt.secrets.iter().find(|(_, key)| findings.contains(*key)) {
        wrong.push(format!("{name} stands in a finding"));
    }
    for recording in lab.recordings() {
        if !recording.clear.is_empty() {
            wrong.push(format!("{} octets in clear", recording.clear.len()));
        }
    }
    let kept = lab.service_requests();
    let first = attempt.first.as_deref().unwrap_or_default();
    let unverified = first.starts_with("cert-")
        || first == "api-tls-interception"
        || first == "api-trust-store-old";
    if unverified && !kept.is_empty() {
        wrong.push("a request left without a verified session".into());
    }
    // What a scenario makes fail must have been asked for without a fault of its own.
    let service = scenario.services.first().unwrap();
    let made = service.fault.is_some() || service.answer.is_some();
    let faulted = |request: &KeptRequest| request.verdict == Verdict::Faulted;
    if made && !kept.iter().any(faulted) {
        wrong.push(format!("the request was not at the fault: {:?}", kept.last()));
    }
    wrong
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn service_scenarios() {
    let chosen = chosen();
    let failed: Vec<String> = futures::stream::iter(&chosen)
        .map(|scenario| async move {
            let (findings, outcome, lab) = Box::pin(run(scenario)).await;
            let value = serde_json::to_value(published(&findings, &scenario.domain)).unwrap();
            let attempt = scenario.api.as_ref().unwrap();
            let mut wrong = attempt_mismatches(&attempt.expected(scenario.kind), &value, &outcome);
            wrong.extend(besides(scenario, &value.to_string(), &lab));
            (!wrong.is_empty()).then(|| format!("{}: {}", scenario.name, wrong.join("; ")))
        })
        .buffer_unordered(SIDE_BY_SIDE)
        .filter_map(|failed| async move { failed })
        .collect()
        .await;
    println!("scenarios: {} passed, {} failed", chosen.len() - failed.len(), failed.len());
    assert!(failed.is_empty(), "\n{}", failed.join("\n"));
}
