//! The HTTP interfaces of delivery services on loopback, under their real names and over HTTPS: Amazon SES,
//! Brevo, Mailgun, Postmark, Resend, SendGrid.
//!
//! Each request is judged strictly by what the service documents: method, path, key or signature, headers,
//! form of the body, every field. The answer has the service's own shape for success and for each fault, and
//! what was asked is kept for tests. The way in: [`ServiceBehaviour`] as data, [`ServiceServer::serve`].
//! Nothing is ever sent anywhere.

mod amazon_ses;
mod brevo;
mod desk;
mod form;
mod kept;
mod mailbox;
mod mailgun;
mod postmark;
mod request;
mod resend;
mod sendgrid;
mod shape;
mod sigv4;

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde::Deserialize;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::policy_host::WebResponse;
use crate::recorder::Recorder;
use crate::scenario::PortState;
use crate::tls::{Farewell, Handshake, Outcome, Prefixed, TlsBehaviour, TlsSide};
pub(crate) use desk::Desk;
use desk::{Case, Judged, Ruling};
pub(crate) use kept::Ledger;
pub use kept::{KeptRequest, Verdict};
use request::{Came, Request};

/// A service with an HTTP interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ServiceName {
    /// Amazon SES, version 2.
    AmazonSes,
    /// Brevo.
    Brevo,
    /// Mailgun.
    Mailgun,
    /// Postmark.
    Postmark,
    /// Resend.
    Resend,
    /// SendGrid.
    Sendgrid,
}

/// A name of a service's interface and the region it stands for.
pub(crate) struct Endpoint {
    pub(crate) host: String,
    pub(crate) region: String,
}

impl ServiceName {
    /// The key in scenarios.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AmazonSes => "amazon-ses",
            Self::Brevo => "brevo",
            Self::Mailgun => "mailgun",
            Self::Postmark => "postmark",
            Self::Resend => "resend",
            Self::Sendgrid => "sendgrid",
        }
    }

    /// The regions in which the lab has this service, the usual one first; one empty region where it has none.
    pub(crate) const fn regions(self) -> &'static [&'static str] {
        match self {
            Self::AmazonSes => &["eu-west-1", "us-east-1"],
            Self::Brevo | Self::Postmark | Self::Resend => &[""],
            Self::Mailgun => &["us", "eu"],
            Self::Sendgrid => &["global", "eu"],
        }
    }

    /// The names under which its interface answers.
    pub(crate) fn endpoints(self) -> Vec<Endpoint> {
        let host = |region: &str| match (self, region) {
            (Self::AmazonSes, region) => format!("email.{region}.amazonaws.com"),
            (Self::Brevo, _) => "api.brevo.com".into(),
            (Self::Mailgun, "eu") => "api.eu.mailgun.net".into(),
            (Self::Mailgun, _) => "api.mailgun.net".into(),
            (Self::Postmark, _) => "api.postmarkapp.com".into(),
            (Self::Resend, _) => "api.resend.com".into(),
            (Self::Sendgrid, "eu") => "api.eu.sendgrid.com".into(),
            (Self::Sendgrid, _) => "api.sendgrid.com".into(),
        };
        let regions = self.regions().iter();
        regions.map(|region| Endpoint { host: host(region), region: (*region).into() }).collect()
    }

    /// The key of the lab's account where a scenario names none; for Amazon SES the secret access key.
    pub const fn usual_key(self) -> &'static str {
        match self {
            Self::AmazonSes => "lab/secret/access/key/that/opens/nothing",
            Self::Brevo => "xkeysib-lab-key-that-opens-nothing",
            Self::Mailgun => "key-lab-that-opens-nothing",
            Self::Postmark => "1ab00000-0000-4000-8000-000000000001",
            Self::Resend => "re_lab_key_that_opens_nothing",
            Self::Sendgrid => "SG.lab.key-that-opens-nothing",
        }
    }
}

/// The access key id of the lab's account at Amazon SES where a scenario names none.
pub const USUAL_KEY_ID: &str = "AKIALABKEYOPENSNOTHN";

/// A service with one account.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceBehaviour {
    /// Which.
    pub service: ServiceName,
    /// Where the account lives; default the service's usual region. Every region's name answers.
    pub region: Option<String>,
    /// The key that it knows.
    pub key: Option<String>,
    /// Amazon SES: the id of the key.
    pub key_id: Option<String>,
    /// Amazon SES: the token of temporary credentials, which must then come along.
    pub session_token: Option<String>,
    /// What the key may do.
    #[serde(default = "everything")]
    pub may: Vec<Permission>,
    /// Verified sending domains; default the scenario's domain. Mailgun's paths name one of them.
    pub senders: Option<Vec<String>>,
    /// Only approved recipients may be written to.
    #[serde(default)]
    pub sandbox: bool,
    /// Recipients approved for the sandbox.
    #[serde(default)]
    pub approved: Vec<String>,
    /// Recipients on the list of bounces and complaints. Only Postmark refuses them while sending; the others
    /// accept and drop.
    #[serde(default)]
    pub suppressed: Vec<String>,
    /// How much the plan allows, and how much is used.
    #[serde(default)]
    pub quota: Quota,
    /// Requests or recipients per second that the account is told.
    #[serde(default = "usual_rate")]
    pub rate: u32,
    /// Postmark's streams; Amazon SES's configuration sets.
    pub streams: Option<Vec<String>>,
    /// What the account insists on towards inboxes.
    #[serde(default)]
    pub inbox_tls: InboxTls,
    /// What goes wrong.
    pub fault: Option<ServiceFault>,
    /// Instead of any answer of the service's own.
    pub answer: Option<WebResponse>,
    /// Which requests `fault` and `answer` meet.
    #[serde(default)]
    pub meets: Meets,
    /// So many requests are served without `fault` and `answer`.
    #[serde(default)]
    pub spares: usize,
    /// Seconds by which the service's clock is ahead of the lab's.
    #[serde(default)]
    pub clock_ahead_s: i64,
    /// What the TLS side does.
    #[serde(default)]
    pub tls: TlsBehaviour,
    /// What stands behind port 443.
    #[serde(default)]
    pub state: PortState,
    /// Whether its names have addresses.
    #[serde(default = "yes")]
    pub publish: bool,
}

impl ServiceBehaviour {
    /// What the service cannot be, if anything.
    pub(crate) fn contradiction(&self) -> Option<String> {
        let regions = self.service.regions();
        let stranger = self.region.as_deref().filter(|region| !regions.contains(region));
        if let Some(region) = stranger {
            return Some(format!("region {region:?} is none of {regions:?}"));
        }
        let fault = self.fault.filter(|fault| !fault.is_of(self.service))?;
        Some(format!("this service has no fault {fault:?}"))
    }
}

fn everything() -> Vec<Permission> {
    vec![Permission::Read, Permission::Send]
}

fn usual_rate() -> u32 {
    14
}

fn yes() -> bool {
    true
}

/// What a key may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Permission {
    /// Ask about the account.
    Read,
    /// Send.
    Send,
}

/// What a plan allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Quota {
    /// In all.
    pub limit: u32,
    /// Used.
    pub used: u32,
}

impl Default for Quota {
    fn default() -> Self {
        Self { limit: 50_000, used: 1_200 }
    }
}

impl Quota {
    /// What is left.
    pub(crate) fn left(self) -> u32 {
        self.limit.saturating_sub(self.used)
    }
}

/// What an account insists on towards inboxes, where the service can.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum InboxTls {
    /// TLS where the inbox offers it.
    #[default]
    Opportunistic,
    /// TLS, with any certificate.
    Required,
    /// TLS with a certificate that verifies.
    Verified,
}

/// What goes wrong at a service that understood the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ServiceFault {
    /// Postmark: the account waits for approval and may write only to the sender's own domain.
    AccountPending,
    /// The account is suspended, or not yet activated.
    AccountSuspended,
    /// The address the request comes from is not on the account's list.
    CallerRefused,
    /// Resend: a request with the same idempotency key is still being handled.
    IdempotencyRunning,
    /// The content is refused.
    PayloadRefused,
    /// The request is too large.
    PayloadTooLarge,
    /// Too many requests at once.
    RateLimited,
    /// The service failed.
    ServiceError,
}

impl ServiceFault {
    /// Whether this service has such a fault.
    pub(crate) const fn is_of(self, service: ServiceName) -> bool {
        match self {
            Self::AccountPending => matches!(service, ServiceName::Postmark),
            Self::CallerRefused => {
                matches!(service, ServiceName::Brevo | ServiceName::Mailgun | ServiceName::Sendgrid)
            }
            Self::IdempotencyRunning => matches!(service, ServiceName::Resend),
            Self::AccountSuspended
            | Self::PayloadRefused
            | Self::PayloadTooLarge
            | Self::RateLimited
            | Self::ServiceError => true,
        }
    }
}

/// Which requests something meets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Meets {
    /// All.
    #[default]
    All,
    /// Questions about the account.
    Read,
    /// Messages.
    Send,
}

impl Meets {
    pub(crate) fn meets(self, request: &Request) -> bool {
        match self {
            Self::All => true,
            Self::Read => request.method == "GET",
            Self::Send => request.method == "POST",
        }
    }
}

/// One name of a service: address, TLS side, and the desk that judges.
#[derive(Debug)]
pub(crate) struct ServiceServer {
    /// The name.
    pub(crate) host: String,
    /// The address the lab publishes.
    pub(crate) published: IpAddr,
    /// Its TLS side.
    pub(crate) tls: TlsSide,
    /// What answers behind it.
    pub(crate) desk: Arc<Desk>,
    /// The region this name stands for.
    pub(crate) region: String,
    /// Where connections are recorded.
    pub(crate) recorder: Recorder,
    /// Connections accepted so far.
    pub(crate) connections: AtomicUsize,
}

impl ServiceServer {
    /// Accepts connections until the task is aborted.
    pub(crate) async fn serve(self: Arc<Self>, listener: TcpListener) {
        let mut sessions = JoinSet::new();
        loop {
            tokio::select! {
                accepted = listener.accept() => {
                    let Ok((tcp, _)) = accepted else { continue };
                    let number = self.connections.fetch_add(1, Ordering::Relaxed) + 1;
                    let server = Arc::clone(&self);
                    sessions.spawn(async move { server.session(tcp, number).await });
                }
                Some(_) = sessions.join_next() => {}
            }
        }
    }

    async fn session(&self, tcp: TcpStream, number: usize) {
        let entry = self.recorder.open(self.published, 443, &self.host);
        let behaviour = &self.desk.account.tls;
        let handshake = Handshake {
            host: &self.host,
            behaviour,
            side: &self.tls,
            connection: number,
            entry: &entry,
        };
        let stream = Prefixed::new(Vec::new(), tcp);
        let (mut wire, outcome) = handshake.serve(stream).await;
        if outcome == Outcome::Ended {
            wire.close(Farewell::Truncated).await;
            return;
        }
        let judged = match request::read(&mut wire).await {
            Came::Request(request) => {
                entry.tls_command(&format!("{} {}", request.method, request.target));
                for (name, value) in &request.headers {
                    entry.tls_command(&format!("{name}: {value}"));
                }
                self.desk.judge(&self.host, &self.region, &request)
            }
            Came::Broken(why) => {
                let request = Request::default();
                self.desk.note(&self.host, &request, 400, Verdict::Refused(vec![why.into()]));
                Judged { response: WebResponse { status: 400, ..WebResponse::with_body(why) } }
            }
            Came::Nothing => return,
        };
        // A client that leaves early has seen enough.
        let _ = judged.response.write(&mut wire).await;
        wire.close(Farewell::CloseNotify).await;
    }
}

/// The rule book of a service; a refusal comes back on the side of errors.
fn rule(case: &Case<'_>) -> Result<Ruling, Ruling> {
    match case.account().service {
        ServiceName::AmazonSes => amazon_ses::rule(case),
        ServiceName::Brevo => brevo::rule(case),
        ServiceName::Mailgun => mailgun::rule(case),
        ServiceName::Postmark => postmark::rule(case),
        ServiceName::Resend => resend::rule(case),
        ServiceName::Sendgrid => sendgrid::rule(case),
    }
}

#[cfg(test)]
mod tests;
