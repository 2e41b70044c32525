//! What four kinds of sender would do with each mail host: the same facts read by RFC 7435, RFC 7672, RFC
//! 8461 and RFC 8689. It predicts; nothing is sent.

use super::host::outcome;
use super::wire::PolicyRowV1;
use crate::facts::{AddressFacts, Facts, HostFacts};
use crate::rules::starttls::small_hello_works;
use crate::rules::sts::{announced, usable_policy};
use waxseal_proto::dns::Outcome;
use waxseal_proto::mta_sts::Mode;
use waxseal_proto::smtp::outcome::ProbeOutcome;

/// One row per mail host.
pub(crate) fn rows(facts: &Facts) -> Vec<PolicyRowV1> {
    facts
        .hosts
        .iter()
        .filter(|host| !host.addresses.is_empty())
        .map(|host| row(facts, host))
        .collect()
}

fn row(facts: &Facts, host: &HostFacts) -> PolicyRowV1 {
    let reading = host
        .addresses
        .iter()
        .map(|address| reading(facts, address))
        .max()
        .unwrap_or(Reading::NotTested);
    PolicyRowV1 {
        host: host.name(),
        opportunistic: reading.opportunistic().to_owned(),
        dane: "not checked".to_owned(),
        mta_sts: mta_sts(facts, host, reading),
        requiretls: requiretls(host, reading),
    }
}

/// The worst that an address of a host shows, least bad first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Reading {
    Verified,
    Unverified,
    NotTested,
    Broken,
    Clear,
}

fn reading(facts: &Facts, address: &AddressFacts) -> Reading {
    let outcome = outcome(facts, address);
    if outcome == ProbeOutcome::StarttlsOk || small_hello_works(address) {
        let verified = address.chain.seen().is_some_and(|chain| chain.valid);
        return if verified { Reading::Verified } else { Reading::Unverified };
    }
    let broken = [
        ProbeOutcome::ResponseInjection,
        ProbeOutcome::StarttlsRefused,
        ProbeOutcome::StarttlsTimeout,
        ProbeOutcome::TlsHandshakeFailed,
    ];
    if outcome == ProbeOutcome::StarttlsNotOffered {
        Reading::Clear
    } else if broken.contains(&outcome) {
        Reading::Broken
    } else {
        Reading::NotTested
    }
}

impl Reading {
    const fn opportunistic(self) -> &'static str {
        match self {
            Self::Verified => "delivers, encrypted; the certificate is good",
            Self::Unverified => "delivers, encrypted; nobody is verified",
            Self::Clear => "delivers in clear text",
            Self::Broken => "differs by sender: waits, or delivers in clear text",
            Self::NotTested => "unknown, the session was not had",
        }
    }
}

fn mta_sts(facts: &Facts, host: &HostFacts, reading: Reading) -> String {
    let Some(policy) = usable_policy(facts) else {
        return without_policy(facts).to_owned();
    };
    let listed = host.exchange.host().is_some_and(|name| policy.matching(name).is_some());
    let good = match reading {
        Reading::NotTested if listed => return "unknown, the session was not had".to_owned(),
        Reading::NotTested | Reading::Unverified | Reading::Broken | Reading::Clear => false,
        Reading::Verified => listed,
    };
    match (policy.mode, good) {
        (Mode::None, _) => "policy is off: as opportunistic",
        (Mode::Enforce, true) => "delivers, encrypted and verified",
        (Mode::Enforce, false) => "skips this host",
        (Mode::Testing, true) => "delivers, encrypted and verified; reports success",
        (Mode::Testing, false) => "delivers as opportunistic; reports the failure",
    }
    .to_owned()
}

/// Why there is no policy to follow. A domain is said to have none only after an answer that says so.
fn without_policy(facts: &Facts) -> &'static str {
    let record = facts.sts.seen().and_then(|sts| sts.record.seen());
    match record.map(|answer| &answer.outcome) {
        None => "not checked",
        Some(Outcome::Failed(_)) => "unknown, the record could not be looked up",
        Some(Outcome::Found(_) | Outcome::NoData | Outcome::NoName)
            if facts.sts.seen().is_some_and(announced) =>
        {
            "no policy can be read: as opportunistic, unless an earlier one is kept"
        }
        Some(Outcome::Found(_) | Outcome::NoData | Outcome::NoName) => {
            "no policy: as opportunistic"
        }
    }
}

fn requiretls(host: &HostFacts, reading: Reading) -> String {
    let offered = host.addresses.iter().any(|address| {
        address
            .session()
            .and_then(|session| session.ehlo_after_tls.seen())
            .is_some_and(|ehlo| ehlo.offers("REQUIRETLS"))
    });
    match (reading, offered) {
        (Reading::NotTested, _) => "unknown, the session was not had",
        (Reading::Verified, true) => "delivers, if DNSSEC or MTA-STS vouches for the MX name",
        (Reading::Verified, false) => "does not deliver here: REQUIRETLS is not offered",
        (Reading::Unverified | Reading::Broken | Reading::Clear, _) => {
            "does not deliver here: no verified TLS"
        }
    }
    .to_owned()
}
