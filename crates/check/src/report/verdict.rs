//! The verdict on transport: one word from facts and findings. A fault wins over "could not be tested", that
//! over a weakness, and pass needs every address that was to be tested to have shown its TLS.

use super::wire::{AreaVerdictV1, VerdictV1};
use super::words::Judged;
use crate::facts::{Facts, HostFacts, ReportEndpoint, ReportMailbox, RptFacts, StsFacts};
use crate::question::{FetchEnd, Peer};
use crate::rules::starttls::small_hello_works;
use crate::survey::Area;
use waxseal_guides::Severity;
use waxseal_proto::dns::{DnsAnswer, MxSet, Outcome};
use waxseal_proto::name::Target;
use waxseal_proto::smtp::outcome::ProbeOutcome;

/// The verdict on transport with its reason.
pub(crate) fn transport(facts: &Facts, judged: &[Judged<'_>]) -> AreaVerdictV1 {
    let decided = judged.iter().filter(|finding| !finding.case.not_tested);
    let count = |severity| decided.clone().filter(|f| f.case.severity == severity).count();
    let fails = count(Severity::Fail);
    let warns = count(Severity::Warn);
    let not_tested = judged.iter().any(|finding| finding.case.not_tested);
    if let Some(reason) = nothing_to_test(facts) {
        return verdict(VerdictV1::NothingToTest, reason);
    }
    if fails > 0 {
        return verdict(
            VerdictV1::Fail,
            format!("{fails} {} must be fixed", plural(fails, "fault", "faults")),
        );
    }
    if not_tested || untested(facts) {
        return verdict(VerdictV1::Incomplete, "something that decides could not be tested");
    }
    if warns > 0 {
        let reason =
            format!("works today, with {warns} {}", plural(warns, "weakness", "weaknesses"));
        return verdict(VerdictV1::Warn, reason);
    }
    if facts.scope.has(Area::Tls) {
        let reason = "every mail host that was tested is encrypted and verified";
        match facts.hosts_left_out.len() {
            0 => verdict(VerdictV1::Pass, reason),
            left_out => {
                verdict(VerdictV1::Pass, format!("{reason}; {left_out} more were not tested"))
            }
        }
    } else {
        verdict(VerdictV1::Pass, "nothing wrong in the areas that were looked at")
    }
}

fn verdict(word: VerdictV1, reason: impl Into<String>) -> AreaVerdictV1 {
    AreaVerdictV1 { verdict: word, reason: reason.into() }
}

const fn plural(count: usize, one: &'static str, more: &'static str) -> &'static str {
    if count == 1 { one } else { more }
}

/// Why there is no mail host: a proven answer, never a failed look-up.
fn nothing_to_test(facts: &Facts) -> Option<&'static str> {
    match facts.mx.set.seen()? {
        MxSet::Null(_) => Some("the domain says that it takes no mail"),
        MxSet::NoName => Some("the domain does not exist"),
        MxSet::NoData if facts.hosts.is_empty() => {
            let own = &facts.mx.own_addresses;
            let answered = own.len() == 2
                && own.iter().all(|a| matches!(a.outcome, Outcome::NoData | Outcome::NoName));
            answered.then_some("the domain has no mail host")
        }
        MxSet::NoData | MxSet::Hosts(_) | MxSet::NullMixed { .. } | MxSet::Failed(_) => None,
    }
}

/// Whether anything that decides is unknown: the MX answer itself, or an address without a TLS session.
fn untested(facts: &Facts) -> bool {
    if facts.cut_short {
        return true;
    }
    if matches!(facts.scope.target, Target::Domain(_)) {
        match facts.mx.set.seen() {
            None | Some(MxSet::Failed(_)) => return true,
            Some(_) => {}
        }
        if area_unseen(facts) {
            return true;
        }
    }
    if !facts.scope.has(Area::Tls) {
        return false;
    }
    if facts.hosts.iter().any(half_looked_up) {
        return true;
    }
    let mut tested = 0;
    for address in facts.hosts.iter().flat_map(|host| &host.addresses) {
        match address.session().map(waxseal_proto::smtp::seen::SessionSeen::outcome) {
            Some(ProbeOutcome::StarttlsOk) if address.chain.seen().is_none() => return true,
            Some(ProbeOutcome::StarttlsOk) => tested += 1,
            // The session of the smaller hello stands for it, and the dropped one is a finding.
            _ if small_hello_works(address) => tested += 1,
            _ if no_such_family_here(address) => {}
            _ => return true,
        }
    }
    tested == 0
}

/// Whether an answer is missing of an area that was asked for; a failed look-up is an answer.
fn area_unseen(facts: &Facts) -> bool {
    let scope = &facts.scope;
    let sts = || facts.sts.seen().is_none_or(policy_unseen);
    let rpt = || facts.rpt.seen().is_none_or(reporting_unseen);
    (scope.has(Area::Mx) && facts.name_servers.seen().is_none())
        || (scope.has(Area::MtaSts) && sts())
        || (scope.has(Area::TlsRpt) && rpt())
}

fn has_address(lookups: &[DnsAnswer]) -> bool {
    lookups.iter().any(|answer| answer.records().iter().any(|one| one.address().is_some()))
}

fn policy_unseen(sts: &StsFacts) -> bool {
    let parsed = sts.policy.seen().is_some();
    let unread = match sts.fetch.seen() {
        None => has_address(&sts.host_lookups),
        Some(FetchEnd::Response(response)) => response.status == 200 && !parsed,
        Some(FetchEnd::TlsRefused(handshake)) => {
            handshake.chain.seen().is_some() && sts.fetch_chain.seen().is_none()
        }
        Some(_) => false,
    };
    sts.record.seen().is_none() || sts.host_lookups.len() < 2 || unread
}

fn reporting_unseen(rpt: &RptFacts) -> bool {
    let mailbox = |mailbox: &ReportMailbox| match mailbox.mx.seen() {
        None => true,
        Some(answer) => answer.outcome == Outcome::NoData && mailbox.addresses.len() < 2,
    };
    let endpoint = |endpoint: &ReportEndpoint| {
        endpoint.lookups.len() < 2
            || (has_address(&endpoint.lookups) && endpoint.reach.seen().is_none())
    };
    rpt.record.seen().is_none()
        || rpt.mailboxes.iter().any(mailbox)
        || rpt.endpoints.iter().any(endpoint)
}

/// A host of which A or AAAA was not answered may have addresses that nobody tested.
fn half_looked_up(host: &HostFacts) -> bool {
    matches!(host.peer.seen(), Some(Peer::Host(_))) && host.lookups.len() < 2
}

/// An address family that this machine does not have does not lower the verdict of a host that was
/// tested on the other one.
fn no_such_family_here(address: &crate::facts::AddressFacts) -> bool {
    matches!(
        address.connect(),
        Some(crate::question::Connect::Unreachable { local_family_missing: true })
    )
}
