//! Built-in delivery services in use: looks whether key and settings are right without sending, asks for the
//! state of the account, and sends one message. It holds no rule: [`waxseal_services`] builds requests and
//! reads answers, [`waxseal_check::diagnose`] says what they mean. The ways in are [`Service::new`],
//! [`verify`] and [`send_one`]. Keep: a message is offered once and never repeated here.

mod published;
mod steps;

use std::net::IpAddr;

use waxseal_check::call::{CallEnd, CallSeen};
use waxseal_check::diagnose::service::{
    Heard, OtherEnd, OtherHost, ServiceTried, diagnose_service,
};
use waxseal_check::finding::Finding;
use waxseal_check::question::{Answer, DnsQuestion, DnsServer, FetchEnd, Question, ReachQuestion};
use waxseal_check::report::send::wire::SendV1;
use waxseal_net::ServiceLine;
use waxseal_proto::dns::{QueryName, Record, RecordType};
use waxseal_proto::finding::Code;
use waxseal_proto::name::DomainName;
use waxseal_services::account::{AccountState, Verification, Verified};
use waxseal_services::http::{HTTPS_PORT, HttpRequest, HttpResponse};
use waxseal_services::message::Outgoing;
use waxseal_services::second_path::SecondPath;
use waxseal_services::service::{
    DeliveryService, MessageIdHandling, ServiceId, Settings, SettingsError, Unsendable, connect,
};

use crate::submission::Listener;
use crate::world::World;
use published::published;
use steps::Narrator;

pub use waxseal_check::diagnose::service::CameTo;

/// A delivery service with the settings and the key of one connection.
pub struct Service {
    adapter: Box<dyn DeliveryService>,
    from_domain: DomainName,
}

impl std::fmt::Debug for Service {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Service")
            .field("id", &self.id())
            .field("from_domain", &self.from_domain)
            .finish_non_exhaustive()
    }
}

impl Service {
    /// A service from settings and key; `from_domain` is the domain of the connection's From address.
    ///
    /// # Errors
    ///
    /// [`SettingsError`] naming the field; nothing was connected to.
    pub fn new(
        id: ServiceId,
        settings: &Settings,
        from_domain: DomainName,
    ) -> Result<Self, SettingsError> {
        Ok(Self { adapter: connect(id, settings)?, from_domain })
    }

    /// Which service.
    pub fn id(&self) -> ServiceId {
        self.adapter.id()
    }
}

/// What could be learnt without sending.
#[derive(Clone, Debug)]
pub struct VerifiedService {
    /// Whether the service has such a question at all.
    pub was_asked: bool,
    /// The result as every face shows it.
    pub result: SendV1,
    /// What the question about the key showed; `None` when it came to no answer, or when the service has
    /// no such question and only a test send can tell.
    pub verified: Option<Verified>,
    /// What the account says about itself.
    pub account: AccountState,
    /// What the service can insist on towards inboxes; what it does insist on stands in the account.
    pub second_path: SecondPath,
    /// The cause of a failure first, then what is worth saying.
    pub findings: Vec<Finding>,
}

/// What became of one message.
#[derive(Clone, Debug)]
pub struct SentOverService {
    /// The result as every face shows it.
    pub result: SendV1,
    /// What came of it, in one word.
    pub came_to: CameTo,
    /// What was seen.
    pub tried: ServiceTried,
    /// What the service can insist on towards inboxes.
    pub second_path: SecondPath,
    /// The cause of a failure first, then what is worth saying.
    pub findings: Vec<Finding>,
}

/// Asks the service whether key and settings are right, and then for the state of the account. Nothing is
/// sent to anybody and nothing is changed there.
pub async fn verify(world: &World, service: &Service, listener: Listener<'_>) -> VerifiedService {
    let adapter = service.adapter.as_ref();
    let mut line = world.net().service_line();
    let host = adapter.host().clone();
    let mut narrator = Narrator::begin(world, host.clone(), listener);
    narrator.settings(service.id().as_str());
    let call = match adapter.verification(world.now()) {
        Verification::OnlyTestSend => CallSeen::not_asked(host),
        Verification::Request(request) => carry(&mut line, &request, &mut narrator).await,
    };
    let verified = answered(&call).map(|response| adapter.read_verification(response, world.now()));
    let no_use = matches!(verified, Some(Verified::Refused(_)));
    let account = if no_use || (verified.is_none() && call.end != CallEnd::NotAsked) {
        AccountState::default()
    } else {
        ask_account(world, service, &mut line).await
    };
    line.close().await;
    let was_asked = call.end != CallEnd::NotAsked;
    let heard = verified.clone().map_or(Heard::Nothing, Heard::Verified);
    let tried = tried(world, service, call, heard, account.clone());
    let (tried, findings) = diagnosed(world, tried).await;
    let result = published(world, &tried, &findings, narrator.finish());
    let second_path = service.id().second_path();
    VerifiedService { was_asked, result, verified, account, second_path, findings }
}

/// Sends one message, once.
///
/// # Errors
///
/// [`Unsendable`] when the message does not fit this service; nothing was connected to.
pub async fn send_one(
    world: &World,
    service: &Service,
    message: &Outgoing,
    listener: Listener<'_>,
) -> Result<SentOverService, Unsendable> {
    let adapter = service.adapter.as_ref();
    let request = adapter.send_one(message, world.now())?;
    let mut narrator = Narrator::begin(world, request.host.clone(), listener);
    narrator.settings(service.id().as_str());
    let mut line = world.net().service_line();
    let call = carry(&mut line, &request, &mut narrator).await;
    line.close().await;
    let heard = answered(&call).map_or(Heard::Nothing, |response| {
        Heard::Sent(adapter.read_one(message, response, world.now()))
    });
    let tried = tried(world, service, call, heard, AccountState::default());
    narrator.message(&tried);
    let (tried, findings) = diagnosed(world, tried).await;
    let mut result = published(world, &tried, &findings, narrator.finish());
    if service.id().capabilities().message_id == MessageIdHandling::Kept {
        let own = message.message_id().map(|id| id.trim_matches(['<', '>']).to_owned());
        result.message_id = own;
    }
    let (came_to, second_path) = (tried.came_to(), service.id().second_path());
    Ok(SentOverService { result, came_to, tried, second_path, findings })
}

fn tried(
    world: &World,
    service: &Service,
    call: CallSeen,
    heard: Heard,
    account: AccountState,
) -> ServiceTried {
    ServiceTried {
        service: service.id(),
        call,
        heard,
        account,
        other_host: None,
        at: world.now(),
        roots: std::sync::Arc::clone(world.roots()),
    }
}

async fn carry(
    line: &mut ServiceLine<'_>,
    request: &HttpRequest,
    narrator: &mut Narrator<'_>,
) -> CallSeen {
    Box::pin(line.carry(request, &mut |event| narrator.hear(event))).await
}

const fn answered(call: &CallSeen) -> Option<&HttpResponse> {
    match &call.end {
        CallEnd::Answered(response) => Some(response),
        CallEnd::Broken(..)
        | CallEnd::NotAsked
        | CallEnd::NotConnected
        | CallEnd::Redirected { .. }
        | CallEnd::TimedOut(_)
        | CallEnd::TlsRefused
        | CallEnd::Unresolved
        | CallEnd::Unwritable => None,
    }
}

async fn ask_account(world: &World, service: &Service, line: &mut ServiceLine<'_>) -> AccountState {
    let mut state = AccountState::default();
    let adapter = service.adapter.as_ref();
    for question in adapter.account_questions(&service.from_domain, world.now()) {
        let call = Box::pin(line.carry(&question.request, &mut |_| {})).await;
        let Some(response) = answered(&call) else { continue };
        adapter.read_account(&mut state, question.topic, response, &service.from_domain);
    }
    state
}

/// The findings; where a foreign issuer vouches for the service, another public host is looked at first,
/// without a key and without a request, to tell an interception from a list of roots that is too old.
async fn diagnosed(world: &World, mut tried: ServiceTried) -> (ServiceTried, Vec<Finding>) {
    let findings = diagnose_service(&tried);
    if !findings.iter().any(|finding| finding.code == Code::ApiTlsInterception) {
        return (tried, findings);
    }
    tried.other_host = other_host(world, tried.service).await;
    let findings = diagnose_service(&tried);
    (tried, findings)
}

async fn other_host(world: &World, service: ServiceId) -> Option<OtherHost> {
    let other =
        if service == ServiceId::Postmark { ServiceId::Resend } else { ServiceId::Postmark };
    let host = DomainName::parse(other.api_host()).ok()?;
    let mut addresses: Vec<IpAddr> = Vec::new();
    for record_type in [RecordType::Aaaa, RecordType::A] {
        let question =
            DnsQuestion { name: QueryName::from(&host), record_type, server: DnsServer::Resolver };
        if let Answer::Dns(answer) = world.answer(&Question::Dns(question)).await {
            addresses.extend(answer.records().iter().filter_map(|record| match record {
                Record::Address(address) => Some(*address),
                Record::Cname(_)
                | Record::Mx(_)
                | Record::Ns(_)
                | Record::Ptr(_)
                | Record::Soa(_)
                | Record::Tlsa(_)
                | Record::Txt(_) => None,
            }));
        }
    }
    let question = ReachQuestion { host: host.clone(), port: HTTPS_PORT, addresses };
    let end = match world.answer(&Question::Reach(question)).await {
        Answer::Reach(FetchEnd::TlsEstablished) => OtherEnd::Verified,
        Answer::Reach(FetchEnd::TlsRefused(seen)) => OtherEnd::Refused(seen),
        Answer::Certificate(_)
        | Answer::Control(_)
        | Answer::Dns(_)
        | Answer::Hello(_)
        | Answer::Policy(_)
        | Answer::Probe(_)
        | Answer::Reach(_)
        | Answer::Vantage(_) => OtherEnd::NotReached,
    };
    Some(OtherHost { host, end })
}
