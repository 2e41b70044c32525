//! What became of the messages of one call, one entry for each, in the order of the call.
//!
//! An acceptance is a place in the service's queue (RFC 9110 §15.3.3), never a delivery. The way in is
//! [`ServiceOutcome`]. Invariant: as many entries as messages, so nobody is lost between answer and ledger.

use crate::address::EmailAddress;
use crate::fault::ServiceFault;
use crate::limits::SERVICE_ID_CHARS_MAX;
use crate::message::Outgoing;

/// The id under which a service knows a message: one line of at most 300 characters.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ServiceMessageId(String);

impl ServiceMessageId {
    /// Reads an id; angle brackets around it are dropped, as events come without them. `None` for an empty
    /// one, one with control characters or one that is no id, and for one that holds a secret of the
    /// account: an answer may echo what it was sent.
    pub(crate) fn read(text: &str, secrets: &[&str]) -> Option<Self> {
        let text = text.trim();
        let bare = text.strip_prefix('<').and_then(|rest| rest.strip_suffix('>')).unwrap_or(text);
        let fits = !bare.is_empty()
            && bare.len() <= SERVICE_ID_CHARS_MAX
            && bare.bytes().all(|each| each.is_ascii_graphic())
            && !secrets.iter().any(|secret| !secret.is_empty() && bare.contains(secret));
        fits.then(|| Self(bare.to_string()))
    }

    /// The id, without brackets.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What became of one message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Queued by the service.
    Accepted {
        /// Its id, when the service gave one.
        id: Option<ServiceMessageId>,
    },
    /// The call was refused as a whole before this message was looked at: it was certainly not taken.
    NotTaken,
    /// Refused, for its own reason.
    Rejected(ServiceFault),
    /// It may have been taken or not. Look it up by its reference before repeating it.
    Unknown,
}

/// The fate of one recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecipientOutcome {
    /// Who.
    pub recipient: EmailAddress,
    /// What became of the message.
    pub fate: Fate,
}

/// What became of one call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceOutcome {
    /// One entry for each message, in the order of the call.
    pub recipients: Vec<RecipientOutcome>,
    /// What was wrong with the call as a whole.
    pub fault: Option<ServiceFault>,
}

impl ServiceOutcome {
    /// The call failed as a whole.
    pub(crate) fn failed(messages: &[Outgoing], fault: ServiceFault) -> Self {
        let fate = if fault.leaves_open() { Fate::Unknown } else { Fate::NotTaken };
        Self::each(messages, Some(fault), |_| fate.clone())
    }

    /// A fate for each message, by its place in the call.
    pub(crate) fn each(
        messages: &[Outgoing],
        fault: Option<ServiceFault>,
        mut fate: impl FnMut(usize) -> Fate,
    ) -> Self {
        let entry = |(place, message): (usize, &Outgoing)| RecipientOutcome {
            recipient: message.to().address().clone(),
            fate: fate(place),
        };
        Self { recipients: messages.iter().enumerate().map(entry).collect(), fault }
    }

    /// One message, refused for its own reason: the call and the message have the same fault.
    pub(crate) fn of_fault(messages: &[Outgoing], fault: ServiceFault) -> Self {
        use crate::fault::FaultClass;
        match (messages, fault.class) {
            ([_], FaultClass::Permanent) => {
                Self::each(messages, Some(fault.clone()), |_| Fate::Rejected(fault.clone()))
            }
            (
                _,
                FaultClass::Pause
                | FaultClass::Permanent
                | FaultClass::Retry { .. }
                | FaultClass::Unknown,
            ) => Self::failed(messages, fault),
        }
    }

    /// Those that were queued, with their ids.
    pub fn accepted(&self) -> impl Iterator<Item = (&EmailAddress, Option<&ServiceMessageId>)> {
        self.recipients.iter().filter_map(|entry| match &entry.fate {
            Fate::Accepted { id } => Some((&entry.recipient, id.as_ref())),
            Fate::NotTaken | Fate::Rejected(_) | Fate::Unknown => None,
        })
    }

    /// Those that were refused for a reason of their own.
    pub fn rejected(&self) -> impl Iterator<Item = (&EmailAddress, &ServiceFault)> {
        self.recipients.iter().filter_map(|entry| match &entry.fate {
            Fate::Rejected(fault) => Some((&entry.recipient, fault)),
            Fate::Accepted { .. } | Fate::NotTaken | Fate::Unknown => None,
        })
    }
}
