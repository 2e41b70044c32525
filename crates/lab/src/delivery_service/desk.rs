//! What all services have in common: an account, a clock, ids, keys of repeated requests, and the order in
//! which a request is judged. The way in: [`Desk::judge`]. What a service documents stands in its own file.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use serde_json::Value;

use super::kept::{Ledger, Verdict};
use super::request::Request;
use super::shape::Shape;
use super::{Permission, ServiceBehaviour, ServiceFault, mailbox, rule};
use crate::policy_host::{WebEnd, WebResponse};

/// An account at a service, and what happened to it.
#[derive(Debug)]
pub(crate) struct Desk {
    pub(crate) account: ServiceBehaviour,
    /// Verified domains.
    pub(crate) senders: Vec<String>,
    /// The service's clock in seconds since 1970.
    pub(crate) now: i64,
    ledger: Ledger,
    served: AtomicUsize,
    ids: AtomicUsize,
    /// Answers by idempotency key, with the body they belong to.
    repeated: Mutex<BTreeMap<String, (Vec<u8>, Answer)>>,
}

/// An answer of a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) content_type: &'static str,
    pub(crate) body: String,
    pub(crate) ids: Vec<String>,
}

impl Answer {
    /// JSON with this status.
    pub(crate) fn json(status: u16, body: &Value) -> Self {
        Self {
            status,
            headers: Vec::new(),
            content_type: "application/json",
            body: body.to_string(),
            ids: Vec::new(),
        }
    }

    /// Anything else.
    pub(crate) fn text(status: u16, content_type: &'static str, body: &str) -> Self {
        Self { status, headers: Vec::new(), content_type, body: body.into(), ids: Vec::new() }
    }

    /// With one more header.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_string()));
        self
    }

    /// With the ids of accepted messages.
    pub(crate) fn accepting(mut self, ids: Vec<String>) -> Self {
        self.ids = ids;
        self
    }
}

/// What the rules say of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ruling {
    /// Messages are taken.
    Accept(Answer),
    /// A question is answered.
    Tell(Answer),
    /// The scenario wants it to fail.
    Fail(Answer),
    /// The request is at fault.
    Refuse(Answer, Vec<String>),
    /// The same answer as to the first request with this key.
    Replay(Answer),
}

/// What goes back over the wire.
#[derive(Debug)]
pub(crate) struct Judged {
    pub(crate) response: WebResponse,
}

impl Desk {
    /// A desk with a fresh account.
    pub(crate) fn new(account: ServiceBehaviour, domain: &str, now: i64, ledger: Ledger) -> Self {
        let senders = account.senders.clone().unwrap_or_else(|| vec![domain.to_owned()]);
        let now = now + account.clock_ahead_s;
        Self {
            account,
            senders,
            now,
            ledger,
            served: AtomicUsize::new(0),
            ids: AtomicUsize::new(0),
            repeated: Mutex::default(),
        }
    }

    /// Judges one request and keeps it.
    pub(crate) fn judge(&self, host: &str, region: &str, request: &Request) -> Judged {
        let number = self.served.fetch_add(1, Ordering::Relaxed);
        let meets = number >= self.account.spares && self.account.meets.meets(request);
        if let Some(response) = self.account.answer.clone().filter(|_| meets) {
            let status = if response.end == WebEnd::Silent { 0 } else { response.status };
            self.note(host, request, status, Verdict::Faulted);
            return Judged { response };
        }
        let ruling = if let Some(why) = basics(host, request) {
            let page = Answer::text(400, "text/html", "<h1>400 Bad Request</h1>");
            Ruling::Refuse(page, vec![why])
        } else {
            let fault = self.account.fault.filter(|_| meets);
            let case = Case { desk: self, region, request, fault };
            rule(&case).unwrap_or_else(|ruling| ruling)
        };
        let (answer, verdict) = match ruling {
            Ruling::Accept(answer) => (answer.clone(), Verdict::Accepted(answer.ids)),
            Ruling::Tell(answer) => (answer, Verdict::Answered),
            Ruling::Fail(answer) => (answer, Verdict::Faulted),
            Ruling::Refuse(answer, why) => (answer, Verdict::Refused(why)),
            Ruling::Replay(answer) => (answer.clone(), Verdict::Replayed(answer.ids)),
        };
        self.note(host, request, answer.status, verdict);
        let response = WebResponse {
            status: answer.status,
            content_type: answer.content_type.into(),
            headers: answer.headers.into_iter().collect(),
            ..WebResponse::with_body(answer.body)
        };
        Judged { response }
    }

    /// Keeps a request.
    pub(crate) fn note(&self, host: &str, request: &Request, status: u16, verdict: Verdict) {
        self.ledger.keep(self.account.service, host, request, (status, verdict));
    }
}

/// What holds for all of them: the name asked for, no body with a question, one Content-Type with a message.
fn basics(host: &str, request: &Request) -> Option<String> {
    let asked = request.header("host").unwrap_or_default();
    let name = asked.rsplit_once(':').map_or(asked, |(name, _)| name);
    // Libraries that are pointed at the lab by address name that address.
    if !name.eq_ignore_ascii_case(host) && !matches!(name, "127.0.0.1" | "localhost") {
        return Some(format!("Host is {asked:?}, not {host}"));
    }
    match request.method.as_str() {
        "GET" if !request.body.is_empty() => Some("GET with a body".into()),
        "POST" if request.media_type().is_empty() => Some("a body without Content-Type".into()),
        "GET" | "POST" => None,
        other => Some(format!("method {other}")),
    }
}

/// One request before the desk.
pub(crate) struct Case<'a> {
    pub(crate) desk: &'a Desk,
    /// The region whose name was asked.
    pub(crate) region: &'a str,
    pub(crate) request: &'a Request,
    /// What the scenario wants to go wrong with it.
    pub(crate) fault: Option<ServiceFault>,
}

impl<'a> Case<'a> {
    /// The account.
    pub(crate) fn account(&self) -> &'a ServiceBehaviour {
        &self.desk.account
    }

    /// The key that the account has.
    pub(crate) fn key(&self) -> &'a str {
        let account = self.account();
        account.key.as_deref().unwrap_or(account.service.usual_key())
    }

    /// Whether the scenario wants this to go wrong.
    pub(crate) fn has(&self, fault: ServiceFault) -> bool {
        self.fault == Some(fault)
    }

    /// Whether the account lives in the region asked.
    pub(crate) fn at_home(&self) -> bool {
        let usual = self.account().service.regions().first().copied().unwrap_or_default();
        self.account().region.as_deref().unwrap_or(usual) == self.region
    }

    /// Whether the key may do this.
    pub(crate) fn may(&self, permission: Permission) -> bool {
        self.account().may.contains(&permission)
    }

    /// Method and path.
    pub(crate) fn place(&self) -> (&'a str, &'a str) {
        (&self.request.method, self.request.path())
    }

    /// The body as JSON of this shape; every difference otherwise.
    pub(crate) fn json(&self, shape: Shape) -> Result<Value, Vec<String>> {
        if self.request.media_type() != "application/json" {
            return Err(vec![format!("content type {:?}", self.request.media_type())]);
        }
        let value: Value = serde_json::from_slice(&self.request.body)
            .map_err(|error| vec![format!("no JSON: {error}")])?;
        let faults: Vec<String> = shape
            .faults(&value)
            .into_iter()
            .map(|fault| format!("{}: {}", fault.field, fault.what))
            .collect();
        if faults.is_empty() { Ok(value) } else { Err(faults) }
    }

    /// Whether mail may be sent from this address.
    pub(crate) fn is_verified(&self, address: &str) -> bool {
        let domain = mailbox::domain(address);
        self.desk.senders.iter().any(|sender| {
            let sender = sender.to_lowercase();
            domain == sender || domain.ends_with(&format!(".{sender}"))
        })
    }

    /// The recipients that the sandbox does not allow.
    pub(crate) fn not_approved(&self, recipients: &[String]) -> Vec<String> {
        let account = self.account();
        let stranger = |address: &&String| {
            account.sandbox
                && !account.approved.iter().any(|each| each.eq_ignore_ascii_case(address))
        };
        recipients.iter().filter(stranger).cloned().collect()
    }

    /// The recipients on the list of bounces.
    pub(crate) fn suppressed(&self, recipients: &[String]) -> Vec<String> {
        let listed = &self.account().suppressed;
        let is_listed =
            |address: &&String| listed.iter().any(|each| each.eq_ignore_ascii_case(address));
        recipients.iter().filter(is_listed).cloned().collect()
    }

    /// Whether the plan has nothing left.
    pub(crate) fn is_used_up(&self) -> bool {
        self.account().quota.left() == 0
    }

    /// A number for the next message.
    pub(crate) fn next_number(&self) -> usize {
        self.desk.ids.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// An id of the form that many services use (RFC 9562 §4).
    pub(crate) fn next_uuid(&self) -> String {
        format!("1ab1ab1a-0000-4000-8000-{:012x}", self.next_number())
    }

    /// What an earlier request with this key was answered: nothing, the same body, or another one.
    pub(crate) fn earlier(&self, key: &str) -> Earlier {
        let repeated = self.desk.repeated.lock().unwrap_or_else(PoisonError::into_inner);
        match repeated.get(key) {
            None => Earlier::Nothing,
            Some((body, answer)) if *body == self.request.body => Earlier::Same(answer.clone()),
            Some(_) => Earlier::Other,
        }
    }

    /// Keeps the answer for the next request with this key.
    pub(crate) fn remember(&self, key: &str, answer: &Answer) {
        let mut repeated = self.desk.repeated.lock().unwrap_or_else(PoisonError::into_inner);
        repeated.insert(key.to_owned(), (self.request.body.clone(), answer.clone()));
    }
}

/// What an idempotency key brings back.
pub(crate) enum Earlier {
    /// It is new.
    Nothing,
    /// The same request came before.
    Same(Answer),
    /// Another request had it.
    Other,
}

/// The addresses in a field of JSON objects with an address each.
pub(crate) fn addresses(value: &Value, member: &str) -> Vec<String> {
    let list = value.as_array().into_iter().flatten();
    list.filter_map(|entry| entry[member].as_str().map(str::to_owned)).collect()
}
