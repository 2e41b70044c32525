//! Seeing less never makes a verdict better: one answer after the other is taken out of the facts of a check
//! and the rest is judged again. Follow-up sessions only sharpen a finding, so they are held to less.

use std::time::Duration;
use waxseal_app::check_domain::Checked;
use waxseal_check::facts::{AddressFacts, Facts};
use waxseal_check::report::wire::VerdictV1;
use waxseal_check::report::{Run, Simulated, report};
use waxseal_proto::dns::Record;
use waxseal_proto::observation::{Observation, Reason};

/// Facts with one answer less, and which.
struct Reduced {
    without: String,
    follow_up: bool,
    facts: Facts,
}

/// Every answer whose removal turns a verdict other than pass into pass.
pub(crate) fn improved_by_loss(checked: &Checked) -> Vec<String> {
    let verdict = checked.report.verdict;
    let Some(facts) = &checked.facts else { return Vec::new() };
    if verdict == VerdictV1::Pass {
        return Vec::new();
    }
    let weakness_only = verdict == VerdictV1::Warn;
    reductions(facts)
        .into_iter()
        .filter(|reduced| !(reduced.follow_up && weakness_only))
        .filter(|reduced| verdict_of(&reduced.facts) == VerdictV1::Pass)
        .map(|reduced| format!("{verdict:?} becomes pass without {}", reduced.without))
        .collect()
}

fn verdict_of(facts: &Facts) -> VerdictV1 {
    let run = Run { checked_at: facts.now, took: Duration::ZERO, simulated: Simulated::Yes };
    report(facts, run).verdict
}

/// How many answers can be taken out of these facts.
pub(crate) fn removable(checked: &Checked) -> usize {
    checked.facts.as_ref().map_or(0, |facts| reductions(facts).len())
}

const fn unseen<T>() -> Observation<T> {
    Observation::NotObserved(Reason::NotAsked)
}

struct Reductions<'a> {
    whole: &'a Facts,
    out: Vec<Reduced>,
}

impl Reductions<'_> {
    fn without(&mut self, without: impl Into<String>, take: impl FnOnce(&mut Facts)) {
        let mut facts = self.whole.clone();
        take(&mut facts);
        self.out.push(Reduced { without: without.into(), follow_up: false, facts });
    }

    fn without_follow_up(
        &mut self,
        without: String,
        take: impl FnOnce(&mut AddressFacts),
        at: (usize, usize),
    ) {
        self.without(without, |facts| take(&mut facts.hosts[at.0].addresses[at.1]));
        if let Some(reduced) = self.out.last_mut() {
            reduced.follow_up = true;
        }
    }
}

fn reductions(facts: &Facts) -> Vec<Reduced> {
    let mut list = Reductions { whole: facts, out: Vec::new() };
    list.without("the MX answer", |facts| {
        facts.mx.answer = unseen();
        facts.mx.set = unseen();
        facts.hosts.clear();
    });
    for index in 0..facts.mx.own_addresses.len() {
        list.without(format!("address answer {index} of the domain"), |facts| {
            let gone = facts.mx.own_addresses.remove(index);
            let gone: Vec<_> = gone.records().iter().filter_map(Record::address).collect();
            for host in &mut facts.hosts {
                host.addresses.retain(|address| !gone.contains(&address.address));
            }
        });
    }
    list.without("the name servers", |facts| facts.name_servers = unseen());
    hosts(&mut list);
    policy(&mut list);
    reporting(&mut list);
    list.out
}

fn hosts(list: &mut Reductions<'_>) {
    for (at, host) in list.whole.hosts.iter().enumerate() {
        let name = host.name();
        for index in 0..host.lookups.len() {
            list.without(format!("address answer {index} of {name}"), |facts| {
                let host = &mut facts.hosts[at];
                let gone = host.lookups.remove(index);
                let gone: Vec<_> = gone.records().iter().filter_map(Record::address).collect();
                host.addresses.retain(|address| !gone.contains(&address.address));
            });
        }
        for (index, address) in host.addresses.iter().enumerate() {
            let one = format!("{name} [{}]", address.address);
            list.without(format!("the session with {one}"), |facts| {
                let address = &mut facts.hosts[at].addresses[index];
                address.probe = unseen();
                address.chain = unseen();
                address.other_offers.clear();
                address.hellos.clear();
            });
            list.without(format!("the chain of {one}"), |facts| {
                facts.hosts[at].addresses[index].chain = unseen();
            });
            for offer in 0..address.other_offers.len() {
                let without = format!("further session {offer} with {one}");
                let take = |address: &mut AddressFacts| drop(address.other_offers.remove(offer));
                list.without_follow_up(without, take, (at, index));
            }
            for hello in 0..address.hellos.len() {
                let without = format!("hand-made hello {hello} to {one}");
                let take = |address: &mut AddressFacts| drop(address.hellos.remove(hello));
                list.without_follow_up(without, take, (at, index));
            }
        }
    }
}

fn policy(list: &mut Reductions<'_>) {
    list.without("MTA-STS", |facts| facts.sts = unseen());
    let Observation::Observed(sts) = &list.whole.sts else { return };
    let mut without = |what: String, take: &dyn Fn(&mut waxseal_check::facts::StsFacts)| {
        list.without(what, |facts| {
            if let Observation::Observed(sts) = &mut facts.sts {
                take(sts);
            }
        });
    };
    without("the MTA-STS record".into(), &|sts| sts.record = unseen());
    for index in 0..sts.host_lookups.len() {
        without(format!("address answer {index} of the policy host"), &|sts| {
            drop(sts.host_lookups.remove(index));
        });
    }
    without("the policy".into(), &|sts| {
        sts.fetch = unseen();
        sts.fetch_chain = unseen();
        sts.policy = unseen();
    });
    without("the body of the policy".into(), &|sts| sts.policy = unseen());
    without("the chain of the policy host".into(), &|sts| sts.fetch_chain = unseen());
}

fn reporting(list: &mut Reductions<'_>) {
    list.without("TLS reporting", |facts| facts.rpt = unseen());
    let Observation::Observed(rpt) = &list.whole.rpt else { return };
    let mut without = |what: String, take: &dyn Fn(&mut waxseal_check::facts::RptFacts)| {
        list.without(what, |facts| {
            if let Observation::Observed(rpt) = &mut facts.rpt {
                take(rpt);
            }
        });
    };
    without("the reporting record".into(), &|rpt| {
        rpt.record = unseen();
        rpt.mailboxes.clear();
        rpt.endpoints.clear();
    });
    for (at, mailbox) in rpt.mailboxes.iter().enumerate() {
        without(format!("the MX of {}", mailbox.domain), &|rpt| rpt.mailboxes[at].mx = unseen());
        for index in 0..mailbox.addresses.len() {
            without(format!("address answer {index} of {}", mailbox.domain), &|rpt| {
                drop(rpt.mailboxes[at].addresses.remove(index));
            });
        }
    }
    for (at, endpoint) in rpt.endpoints.iter().enumerate() {
        without(format!("the connection to {}", endpoint.host), &|rpt| {
            rpt.endpoints[at].reach = unseen();
        });
        for index in 0..endpoint.lookups.len() {
            without(format!("address answer {index} of {}", endpoint.host), &|rpt| {
                drop(rpt.endpoints[at].lookups.remove(index));
            });
        }
    }
}
