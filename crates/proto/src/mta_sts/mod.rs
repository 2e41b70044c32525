//! MTA-STS (RFC 8461): the TXT record (§3.1), the policy file (§3.2), host patterns (§4.1), how long a
//! policy lives (§3.3) and what it means for one mail host (§5). It fetches nothing. Start at
//! [`RecordSet::evaluate`], [`parse_policy`] and [`decide`]. A change must never turn "could not be read"
//! into "no policy wanted".

pub(crate) mod fields;
mod lifetime;
mod matching;
mod policy;
mod policy_error;
mod record;
#[cfg(test)]
mod tests;

pub use lifetime::{CachedPolicy, FetchStep, next_step, retry_allowed};
pub use matching::{Miss, MxPattern, MxPatternError, PolicyDecision, SessionEvidence, decide};
pub use policy::{Mode, Policy, PolicyParse, content_type_acceptable, parse_policy};
pub use policy_error::{LineFault, PolicyError, PolicyWarning};
pub use record::{
    PolicyId, RecordError, RecordParse, RecordSet, RecordWarning, StsRecord, parse_record,
};
