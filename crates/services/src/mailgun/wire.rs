//! Mailgun's JSON (RFC 8259), field by field as its documentation names it.
//!
//! Nothing is judged here; [`super`] does that. Invariant: an answer that lacks a field that decides
//! acceptance does not parse.

use serde::{Deserialize, Serialize, Serializer};

use crate::json::Map;

/// Variables by recipient.
pub(super) struct Variables<'a>(pub(super) Vec<(&'a str, Map<'a>)>);

impl Serialize for Variables<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

#[derive(Default, Deserialize)]
pub(super) struct Said {
    pub(super) id: Option<String>,
    pub(super) message: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct DomainAnswer {
    pub(super) domain: Domain,
}

#[derive(Clone, Deserialize)]
pub(super) struct Domain {
    pub(super) state: String,
    #[serde(rename = "type", default)]
    pub(super) kind: String,
    #[serde(default)]
    pub(super) require_tls: bool,
    #[serde(default)]
    pub(super) skip_verification: bool,
}
