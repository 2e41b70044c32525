//! Limits of one survey. Every number bounds work that foreign data could otherwise grow; the report says
//! where one was reached.

use std::time::Duration;

/// The limits of one survey, adjustable as a whole so that a test world can run with short times.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// MX hosts that are looked at. RFC 5321 §5.1 allows a limit and wants at least two tried.
    pub mx_hosts_max: usize,
    /// Addresses per MX host.
    pub addresses_per_host_max: usize,
    /// Authoritative name servers that are asked directly.
    pub name_servers_max: usize,
    /// Report addresses (rua) that are looked at.
    pub report_uris_max: usize,
    /// AIA certificates that are fetched in one survey.
    pub issuer_fetches_max: usize,
    /// Follow-up sessions per address after the first (diagnosis only).
    pub follow_ups_per_address_max: usize,
    /// A greeting later than this is worth a note (`greet-delay`).
    pub greeting_slow: Duration,
    /// The whole survey; what is unanswered then is "not checked".
    pub survey_total: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            mx_hosts_max: 20,
            addresses_per_host_max: 4,
            name_servers_max: 4,
            report_uris_max: 4,
            issuer_fetches_max: 4,
            follow_ups_per_address_max: 4,
            greeting_slow: Duration::from_secs(5),
            survey_total: Duration::from_mins(10),
        }
    }
}
