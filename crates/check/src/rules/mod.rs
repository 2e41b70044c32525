//! The rules, one file per area of the fault catalogue. A rule reads facts and nothing else, reports a cause
//! once, and never turns "could not test" into "bad" or "fine".

use crate::registry::Rule;

pub(crate) mod cert;
pub(crate) mod dns;
mod dns_hosts;
pub(crate) mod dns_servers;
pub(crate) mod ehlo;
pub(crate) mod greeting;
pub(crate) mod input;
pub(crate) mod rpt;
pub(crate) mod starttls;
pub(crate) mod sts;
pub(crate) mod sts_fetch;
pub(crate) mod tcp;
pub(crate) mod tls;
pub(crate) mod tls_failure;
mod tls_offer;
mod tls_session;

/// The rules of every area, in the order of the stages.
pub(crate) const ALL: &[&[Rule]] = &[
    input::RULES,
    dns::RULES,
    tcp::RULES,
    greeting::RULES,
    ehlo::RULES,
    starttls::RULES,
    tls::RULES,
    cert::RULES,
    sts::RULES,
    rpt::RULES,
];
