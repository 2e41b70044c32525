//! The answer to EHLO (RFC 5321 §4.1.1.1).

use super::reply::Reply;

/// The answer to EHLO and what it offers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EhloSeen {
    /// The reply as it came, also when it was a refusal.
    pub reply: Reply,
    /// The extensions offered, in order; empty for a refusal.
    pub extensions: Vec<Extension>,
}

/// One extension line: the keyword in upper case and its parameters as sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extension {
    /// The keyword, in upper case; exact match decides (RFC 5321 §2.2.1).
    pub keyword: String,
    /// The parameters, separated by spaces in the line.
    pub parameters: Vec<String>,
}
