//! The verdict on transport: one word from facts and findings. A fault wins over "could not be tested", that
//! over a weakness, and pass needs every address that was to be tested to have shown its TLS.

use super::wire::{AreaVerdictV1, VerdictV1};
use super::words::Judged;
use crate::facts::Facts;
use crate::rules::starttls::small_hello_works;
use crate::survey::Area;
use waxseal_guides::Severity;
use waxseal_proto::dns::{MxSet, Outcome};
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
        verdict(VerdictV1::Pass, "every mail host that was tested is encrypted and verified")
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
    }
    if !facts.scope.has(Area::Tls) {
        return false;
    }
    let mut tested = 0;
    for address in facts.hosts.iter().flat_map(|host| &host.addresses) {
        match address.session().map(waxseal_proto::smtp::seen::SessionSeen::outcome) {
            Some(ProbeOutcome::StarttlsOk) => tested += 1,
            // The session of the smaller hello stands for it, and the dropped one is a finding.
            _ if small_hello_works(address) => tested += 1,
            _ if no_such_family_here(address) => {}
            _ => return true,
        }
    }
    tested == 0
}

/// An address family that this machine does not have does not lower the verdict of a host that was
/// tested on the other one.
fn no_such_family_here(address: &crate::facts::AddressFacts) -> bool {
    matches!(
        address.connect(),
        Some(crate::question::Connect::Unreachable { local_family_missing: true })
    )
}
