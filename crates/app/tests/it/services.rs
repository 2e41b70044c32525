//! Delivery services against the lab's own strict interfaces: verify and send over real sockets, names and
//! certificates, and each fault with its first code.

use super::lab_world::{lab_now, world};
use waxseal_app::service::{CameTo, SentOverService, Service, VerifiedService, send_one, verify};
use waxseal_app::submission::StepTold;
use waxseal_app::world::World;
use waxseal_check::report::send::exit_status;
use waxseal_check::report::send::wire::{OutcomeV1, SendV1};
use waxseal_lab::control::{Lab, LabOptions};
use waxseal_lab::delivery_service::{ServiceName, USUAL_KEY_ID, Verdict};
use waxseal_lab::scenario::Scenario;
use waxseal_proto::name::DomainName;
use waxseal_proto::secret::Secret;
use waxseal_services::account::{DomainState, Stage, Verified};
use waxseal_services::address::{EmailAddress, NamedAddress};
use waxseal_services::message::{Content, IdempotencyKey, Outgoing, Parties, Reference, Subject};
use waxseal_services::service::{Idempotency, ServiceId, Settings};

const ALL: [(ServiceId, ServiceName); 6] = [
    (ServiceId::AmazonSes, ServiceName::AmazonSes),
    (ServiceId::Brevo, ServiceName::Brevo),
    (ServiceId::Mailgun, ServiceName::Mailgun),
    (ServiceId::Postmark, ServiceName::Postmark),
    (ServiceId::Resend, ServiceName::Resend),
    (ServiceId::SendGrid, ServiceName::Sendgrid),
];

/// A lab with one or more services, and its world.
struct Running {
    lab: Lab,
    world: World,
    domain: String,
}

async fn run(tables: &str) -> Running {
    let text = format!("title = \"Services\"\nkind = \"healthy\"\n{tables}");
    let scenario = Scenario::parse("healthy/services", &text).unwrap();
    let lab = Lab::start(std::slice::from_ref(&scenario), LabOptions::at(lab_now())).await.unwrap();
    let world = world(&lab.world(), &scenario);
    Running { lab, world, domain: scenario.domain.clone() }
}

fn table(name: ServiceName, more: &str) -> String {
    format!("[[service]]\nservice = \"{}\"\n{more}\n", name.as_str())
}

impl Running {
    fn service(&self, id: ServiceId, key: Option<&str>, plain: &[(&str, &str)]) -> Service {
        let (_, name) = ALL.into_iter().find(|(each, _)| *each == id).unwrap();
        let mut settings = Settings::default();
        let mut set = |name: &str, value: &str| settings.plain.insert(name.into(), value.into());
        match id {
            ServiceId::AmazonSes => {
                set("region", "eu-west-1");
                set("access-key-id", USUAL_KEY_ID);
            }
            ServiceId::Mailgun => {
                set("domain", &self.domain);
            }
            ServiceId::Brevo | ServiceId::Postmark | ServiceId::Resend | ServiceId::SendGrid => {}
        }
        for (name, value) in plain {
            set(name, value);
        }
        let field = id.fields().iter().find(|field| field.is_secret()).unwrap();
        let key = Secret::new(key.unwrap_or_else(|| name.usual_key()).to_owned());
        settings.secret.insert(field.name.to_owned(), key);
        Service::new(id, &settings, DomainName::parse(&self.domain).unwrap()).unwrap()
    }

    fn message(&self, to: &str) -> Outgoing {
        let from = &format!("news@{}", self.domain);
        let mailbox = |text| NamedAddress::new(EmailAddress::parse(text).unwrap(), "").unwrap();
        let parties = Parties { from: mailbox(from), to: mailbox(to), reply_to: None };
        let content = Content::new("Hello", "<p>Hello</p>").unwrap();
        let reference = Reference::parse("test-1").unwrap();
        Outgoing::new(parties, Subject::parse("A test").unwrap(), content, reference)
    }

    async fn send(&self, service: &Service, message: &Outgoing) -> SentOverService {
        Box::pin(send_one(&self.world, service, message, &mut |_| {})).await.unwrap()
    }

    async fn verify(&self, service: &Service) -> VerifiedService {
        Box::pin(verify(&self.world, service, &mut |_| {})).await
    }
}

fn first(result: &SendV1) -> &str {
    result.findings.first().map_or("", |finding| finding.code.as_str())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_service_verifies_and_takes_a_message() {
    let tables: String = ALL.iter().map(|(_, name)| table(*name, "")).collect();
    let running = run(&tables).await;
    for (id, name) in ALL {
        let service = running.service(id, None, &[]);
        let verified = running.verify(&service).await;
        assert!(
            matches!(verified.verified, Some(Verified::MaySend | Verified::KeyAccepted)),
            "{id:?} {:?}",
            verified.verified
        );
        assert_eq!(verified.result.findings, Vec::new(), "{id:?}");
        assert_eq!(verified.result.outcome, OutcomeV1::Ready, "{id:?}");
        assert_eq!(exit_status(&verified.result), 0, "{id:?}");
        assert_ne!(verified.account.domain.seen(), Some(&DomainState::Unverified), "{id:?}");
        assert_ne!(verified.account.stage.seen(), Some(&Stage::Sandbox), "{id:?}");

        let mut message = running.message("anna@example.net");
        if id.capabilities().idempotency != Idempotency::None {
            let key = "6f3c7a9e-0d1b-4d4e-9b7e-2f2b8a6c1d00";
            message = message.with_idempotency_key(IdempotencyKey::parse(key).unwrap());
        }
        let mut told = Vec::new();
        let sent = Box::pin(send_one(&running.world, &service, &message, &mut |step| {
            told.push(step);
        }))
        .await
        .unwrap();
        let result = &sent.result;
        assert_eq!((sent.tried.came_to(), first(result)), (CameTo::Accepted, "api-accepted-only"));
        assert_eq!((result.outcome, exit_status(result)), (OutcomeV1::Accepted, 0));
        assert_eq!(result.service.as_deref(), Some(id.as_str()));
        assert!(result.encrypted && result.certificate.as_ref().unwrap().valid);
        let steps: Vec<&str> = result.steps.iter().map(|step| step.step.as_str()).collect();
        assert_eq!(
            steps,
            ["settings", "dns", "connect", "tls", "certificate", "request", "answer", "accepted",],
            "{id:?}"
        );
        assert!(result.steps.iter().all(|step| step.passed && step.elapsed_ms >= 0.0), "{id:?}");
        let began = told.iter().filter(|told| matches!(told, StepTold::Began { .. })).count();
        assert_eq!(began, 5, "{id:?}");
        let ended = told.iter().filter_map(|told| match told {
            StepTold::Began { .. } => None,
            StepTold::Ended(step) => Some(step),
        });
        assert!(ended.eq(&result.steps), "{id:?}: what was told is what is kept");

        let requests = running.lab.service_requests();
        let last = requests.iter().rfind(|request| request.service == name).unwrap();
        let Verdict::Accepted(ids) = &last.verdict else { panic!("{id:?} {:?}", last.verdict) };
        let own = sent.tried.accepted().unwrap().unwrap().as_str();
        assert!(ids.iter().any(|each| each.trim_matches(['<', '>']) == own), "{own} {ids:?}");
        assert_eq!(result.server_id.as_deref(), Some(own));
    }
}

/// What is wrong, at which service, with which key and settings, the first code, and what came of the
/// message.
type Fault = (ServiceName, &'static str, Option<&'static str>, &'static str, CameTo);

const FAULTS: &[Fault] = &[
    (ServiceName::AmazonSes, "", Some("another/secret"), "api-key-invalid", CameTo::Failed),
    (ServiceName::AmazonSes, "clock_ahead_s = 3600", None, "api-key-invalid", CameTo::Failed),
    (ServiceName::AmazonSes, "may = [\"read\"]", None, "api-key-scope", CameTo::Failed),
    (ServiceName::AmazonSes, "senders = []", None, "api-sender-unverified", CameTo::Rejected),
    (ServiceName::AmazonSes, "fault = \"rate-limited\"", None, "api-rate-limited", CameTo::Failed),
    (ServiceName::Brevo, "", Some("xkeysib-other"), "api-key-invalid", CameTo::Failed),
    (ServiceName::Brevo, "fault = \"caller-refused\"", None, "api-key-scope", CameTo::Failed),
    (
        ServiceName::Brevo,
        "quota = { limit = 1, used = 1 }",
        None,
        "api-quota-exceeded",
        CameTo::Failed,
    ),
    (
        ServiceName::Brevo,
        "fault = \"payload-refused\"",
        None,
        "api-payload-invalid",
        CameTo::Rejected,
    ),
    (ServiceName::Mailgun, "", Some("key-other"), "api-key-invalid", CameTo::Failed),
    (ServiceName::Mailgun, "region = \"eu\"", None, "api-region-mismatch", CameTo::Failed),
    (ServiceName::Mailgun, "fault = \"service-error\"", None, "api-service-error", CameTo::Unknown),
    (ServiceName::Postmark, "", Some("other-token"), "api-key-invalid", CameTo::Failed),
    (ServiceName::Postmark, "senders = []", None, "api-sender-unverified", CameTo::Rejected),
    (ServiceName::Postmark, "fault = \"account-pending\"", None, "api-sandbox", CameTo::Rejected),
    (
        ServiceName::Postmark,
        "suppressed = [\"anna@example.net\"]",
        None,
        "api-recipient-suppressed",
        CameTo::Rejected,
    ),
    (ServiceName::Resend, "", Some("re_other"), "api-key-invalid", CameTo::Failed),
    (ServiceName::Resend, "sandbox = true", None, "api-sandbox", CameTo::Rejected),
    (ServiceName::Resend, "fault = \"rate-limited\"", None, "api-rate-limited", CameTo::Failed),
    (ServiceName::Sendgrid, "", Some("SG.other"), "api-key-invalid", CameTo::Failed),
    (ServiceName::Sendgrid, "may = [\"read\"]", None, "api-key-scope", CameTo::Failed),
    (ServiceName::Sendgrid, "senders = []", None, "api-sender-unverified", CameTo::Rejected),
    (
        ServiceName::Sendgrid,
        "fault = \"account-suspended\"",
        None,
        "api-quota-exceeded",
        CameTo::Failed,
    ),
    // What stands between us and the service.
    (
        ServiceName::Resend,
        "tls.certificate = { issuer = \"private\" }",
        None,
        "api-tls-interception",
        CameTo::Failed,
    ),
    (
        ServiceName::Resend,
        "tls.certificate = { not_after_days = -1 }",
        None,
        "cert-expired",
        CameTo::Failed,
    ),
    (
        ServiceName::Resend,
        "tls.certificate = { names = [\"other.test\"] }",
        None,
        "cert-name-mismatch",
        CameTo::Failed,
    ),
    (
        ServiceName::Resend,
        "tls.certificate = { send = [\"leaf\"] }",
        None,
        "cert-missing-intermediate",
        CameTo::Failed,
    ),
    (ServiceName::Resend, "state = \"closed\"", None, "tcp-refused", CameTo::Failed),
    (ServiceName::Resend, "state = \"unanswered\"", None, "tcp-timeout", CameTo::Failed),
    (ServiceName::Resend, "publish = false", None, "dns-host-unresolvable", CameTo::Failed),
    (
        ServiceName::Resend,
        "answer = { status = 302, headers = { Location = \"https://example.org/\" } }",
        None,
        "api-service-error",
        CameTo::Unknown,
    ),
    (
        ServiceName::Resend,
        "answer = { end = \"silent\" }",
        None,
        "api-service-error",
        CameTo::Unknown,
    ),
    (ServiceName::Resend, "answer = { status = 407 }", None, "api-proxy-auth", CameTo::Failed),
    (
        ServiceName::Resend,
        "answer = { status = 200, content_type = \"text/html\", body = \"<h1>Welcome</h1>\" }",
        None,
        "api-service-error",
        CameTo::Unknown,
    ),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_fault_of_a_service_has_its_first_code() {
    let mut wrong = Vec::new();
    for (name, table_lines, key, code, came_to) in FAULTS {
        let running = run(&table(*name, table_lines)).await;
        let (id, _) = ALL.into_iter().find(|(_, each)| each == name).unwrap();
        let service = running.service(id, *key, &[]);
        let sent = running.send(&service, &running.message("anna@example.net")).await;
        let got = (first(&sent.result), sent.tried.came_to());
        if got != (*code, *came_to) {
            wrong.push(format!("{name:?} {table_lines}: {got:?}, expected {code} {came_to:?}\n"));
        }
        assert_eq!(sent.result.diagnosis.as_ref().unwrap().code, *code, "{name:?} {table_lines}");
        assert!([1, 3].contains(&exit_status(&sent.result)), "{name:?} {table_lines}");
        let shown = format!("{:?}{:?}", sent.result, sent.tried);
        let secret = key.unwrap_or_else(|| name.usual_key());
        assert!(!shown.contains(secret), "{name:?} {table_lines}: the key is shown");
    }
    assert!(wrong.is_empty(), "{}", wrong.concat());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_proxy_in_front_of_two_services_is_no_old_list_of_roots() {
    let private = "tls.certificate = { issuer = \"private\" }";
    let tables = [ServiceName::Resend, ServiceName::Postmark].map(|name| table(name, private));
    let running = run(&tables.concat()).await;
    let service = running.service(ServiceId::Resend, None, &[]);
    let sent = running.send(&service, &running.message("anna@example.net")).await;
    assert_eq!(first(&sent.result), "api-tls-interception");
    let evidence = &sent.result.findings[0].evidence;
    let other = "issuer of another host: api.postmarkapp.com: ";
    assert!(evidence.iter().any(|line| line.starts_with(other)), "{evidence:?}");
    assert_eq!(running.lab.service_requests(), Vec::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn verifying_tells_what_the_account_says_and_sends_nothing() {
    let running = run(&table(ServiceName::AmazonSes, "sandbox = true")).await;
    let verified = running.verify(&running.service(ServiceId::AmazonSes, None, &[])).await;
    assert_eq!(verified.account.stage.seen(), Some(&Stage::Sandbox));
    assert_eq!(first(&verified.result), "api-sandbox");
    assert!(verified.account.quota.seen().is_some());
    assert_eq!(verified.result.outcome, OutcomeV1::Ready);
    for (name, id, key) in [
        (ServiceName::Postmark, ServiceId::Postmark, "no-such-token"),
        (ServiceName::Sendgrid, ServiceId::SendGrid, "SG.no.such"),
    ] {
        let running = run(&table(name, "")).await;
        let verified = running.verify(&running.service(id, Some(key), &[])).await;
        assert!(matches!(verified.verified, Some(Verified::Refused(_))), "{:?}", verified.verified);
        assert_eq!(first(&verified.result), "api-key-invalid");
    }
    assert!(running.lab.service_requests().iter().all(|request| request.method == "GET"));
}
