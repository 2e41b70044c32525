//! What a service says about the account behind a key: may it send, to whom, how much, how fast.
//!
//! Each value is an [`Observation`]: what was not asked, refused or not understood stays visible as that.
//! The way in is [`AccountState`]. Invariant: a request in [`AccountQuestion`] never sends mail and never
//! changes anything.

use waxseal_proto::observation::{Observation, Reason};

use crate::fault::ServiceFault;
use crate::http::HttpRequest;
use crate::second_path::InboxPolicy;

/// Whether the account may send at the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sending {
    /// It may.
    Enabled,
    /// It was stopped.
    Stopped,
}

/// To whom the account may write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// To anybody.
    Production,
    /// To approved recipients, or to nobody in truth.
    Sandbox,
}

/// Whether the key in use may send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permission {
    /// It may not.
    MayNotSend,
    /// It may.
    MaySend,
}

/// Whether the sending domain is verified at the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DomainState {
    /// It is not, or not yet.
    Unverified,
    /// It is.
    Verified,
}

/// An amount that the plan allows, in the service's own unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quota {
    /// What is counted.
    pub unit: QuotaUnit,
    /// How many in all; [`Observation::NotObserved`] when the service does not say.
    pub limit: Observation<u64>,
    /// How many are left.
    pub left: Observation<u64>,
}

/// The unit of a quota.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QuotaUnit {
    /// Credits of the plan, about one for each message.
    Credits,
    /// Recipients in 24 hours.
    RecipientsPerDay,
}

/// What is known of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountState {
    /// Whether it may send.
    pub sending: Observation<Sending>,
    /// To whom.
    pub stage: Observation<Stage>,
    /// Whether this key may send.
    pub permission: Observation<Permission>,
    /// Whether the sending domain, or stream, is ready.
    pub domain: Observation<DomainState>,
    /// How much the plan allows.
    pub quota: Observation<Quota>,
    /// The most recipients per second.
    pub rate_per_second_max: Observation<u64>,
    /// What the account insists on towards inboxes.
    pub inbox_tls: Observation<InboxPolicy>,
}

impl Default for AccountState {
    /// Nothing asked yet.
    fn default() -> Self {
        const NOT_ASKED: Reason = Reason::NotAsked;
        Self {
            sending: Observation::NotObserved(NOT_ASKED),
            stage: Observation::NotObserved(NOT_ASKED),
            permission: Observation::NotObserved(NOT_ASKED),
            domain: Observation::NotObserved(NOT_ASKED),
            quota: Observation::NotObserved(NOT_ASKED),
            rate_per_second_max: Observation::NotObserved(NOT_ASKED),
            inbox_tls: Observation::NotObserved(NOT_ASKED),
        }
    }
}

/// What a question about the account is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topic {
    /// The account or server itself.
    Account,
    /// What the plan has left.
    Credits,
    /// The sending domain or message stream.
    Domain,
    /// What is insisted on towards inboxes.
    InboxTls,
}

/// One question: carry out the request and hand the answer back with its topic.
#[derive(Clone, Debug)]
pub struct AccountQuestion {
    /// The topic.
    pub topic: Topic,
    /// The request.
    pub request: HttpRequest,
}

/// How to find out, without sending, whether a connection's settings are right.
#[derive(Clone, Debug)]
pub enum Verification {
    /// The service has no such call.
    OnlyTestSend,
    /// Carry this out and hand the answer to
    /// [`crate::service::DeliveryService::read_verification`].
    Request(HttpRequest),
}

/// What the verification showed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verified {
    /// The key is good; only a test send can tell whether it may send.
    KeyAccepted,
    /// The key is good and may send.
    MaySend,
    /// This kind of key may not make the call, so only a test send can tell. The fault is what was said.
    OnlyTestSend(ServiceFault),
    /// Something is wrong.
    Refused(ServiceFault),
}

/// The reason that an answer without the expected content leaves behind.
pub(crate) const fn missing(is_success: bool) -> Reason {
    if is_success { Reason::Unintelligible } else { Reason::RefusedByPeer }
}

/// A value that an answer had, or why not.
pub(crate) fn observed<T>(value: Option<T>, reason: Reason) -> Observation<T> {
    value.map_or(Observation::NotObserved(reason), Observation::Observed)
}
