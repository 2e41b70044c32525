//! Folds the answers of a survey into facts. It repeats no decision of the plan: which hosts, addresses and
//! servers there are comes from the same functions. A question without an answer becomes a reason.

use super::{
    AddressFacts, Facts, HostFacts, MxFacts, NameServerFacts, OtherOffer, Path, ReportEndpoint,
    ReportMailbox, RptFacts, StsFacts, Unasked,
};
use crate::question::{DnsServer, FetchEnd, HelloQuestion, Peer, ProbeQuestion};
use crate::survey::{
    Answers, Area, View, ZoneServers, addresses, addresses_in, budgeted, mail_hosts, mx_answer,
    organizational_parent, policy_host, policy_question_of, reach_question, report_destinations,
    server_names, zone_servers,
};
use jiff::Timestamp;
use std::net::IpAddr;
use waxseal_proto::dns::{DnsAnswer, MxSet, QueryName, RecordType};
use waxseal_proto::mta_sts::parse_policy;
use waxseal_proto::name::{DomainName, Target};
use waxseal_proto::observation::{Observation, Reason};
use waxseal_proto::tls::hello::HelloPlan;
use waxseal_proto::tls::seen::Offer;
use waxseal_proto::tls_rpt::ReportDestination;
use waxseal_proto::x509::ChainVerdict;

const PLANS: [HelloPlan; 6] = [
    HelloPlan::AnySuite,
    HelloPlan::AnyGroup,
    HelloPlan::AnySignature,
    HelloPlan::OldVersions,
    HelloPlan::Tls12Extensions,
    HelloPlan::ImplicitTls,
];
const OTHER_OFFERS: [Offer; 2] = [Offer::SmallHello, Offer::WithoutSni];

/// The facts of a survey. `cut` says that questions were left unanswered when it was stopped.
pub(crate) fn build(view: View<'_>, now: Timestamp, cut: bool) -> Facts {
    let missing = if cut { Reason::LimitReached } else { Reason::NotAsked };
    let fold = Fold { view, missing };
    let mail_hosts = mail_hosts(view.scope, view.limits, view.known);
    let hosts = mail_hosts
        .hosts
        .iter()
        .map(|host| fold.host(host.preference, &host.exchange, host.peer.as_ref()))
        .collect();
    let domain = view.scope.target.domain();
    Facts {
        scope: view.scope.clone(),
        path: Path::ToInbox,
        now,
        greeting_slow: view.limits.greeting_slow,
        mx: fold.mx(),
        name_servers: fold.in_area(Area::Mx, domain.map(|domain| fold.name_servers(domain))),
        name_servers_unasked: domain.map(|domain| fold.unasked(domain)).unwrap_or_default(),
        hosts,
        hosts_left_out: mail_hosts.left_out,
        sts: fold.in_area(Area::MtaSts, domain.map(|domain| fold.sts(domain))),
        rpt: fold.in_area(Area::TlsRpt, domain.map(|domain| fold.rpt(domain))),
        vantage: fold.observe(view.known.vantage().cloned()),
        controls: view
            .scope
            .controls
            .iter()
            .filter_map(|control| Some((control.clone(), view.known.control(control)?.clone())))
            .collect(),
        cut_short: cut,
    }
}

#[derive(Clone, Copy)]
struct Fold<'a> {
    view: View<'a>,
    missing: Reason,
}

impl Fold<'_> {
    fn known(&self) -> &Answers {
        self.view.known
    }

    fn observe<T>(&self, value: Option<T>) -> Observation<T> {
        value.map_or(Observation::NotObserved(self.missing), Observation::Observed)
    }

    fn in_area<T>(&self, area: Area, value: Option<T>) -> Observation<T> {
        match value {
            Some(value) if self.view.scope.has(area) => Observation::Observed(value),
            _ => Observation::NotObserved(Reason::NotAsked),
        }
    }

    fn lookups(&self, name: &QueryName) -> Vec<DnsAnswer> {
        [RecordType::A, RecordType::Aaaa]
            .into_iter()
            .filter_map(|record_type| self.known().dns(name, record_type).cloned())
            .collect()
    }

    fn mx(&self) -> MxFacts {
        let answer = mx_answer(self.view.scope, self.known());
        MxFacts {
            set: self.observe(answer.map(MxSet::from_answer)),
            answer: self.observe(answer.cloned()),
            own_addresses: match &self.view.scope.target {
                Target::Domain(domain) => self.lookups(&QueryName::from(domain)),
                Target::Address(_) => Vec::new(),
            },
        }
    }

    fn name_servers(&self, domain: &DomainName) -> Vec<NameServerFacts> {
        let ZoneServers::Found(answer) = zone_servers(self.known(), domain) else {
            return Vec::new();
        };
        let zone = answer.name.clone();
        server_names(answer, self.view.limits)
            .0
            .into_iter()
            .map(|host| {
                let address =
                    addresses(&host, self.known()).and_then(|found| found.first().copied());
                let direct = |name: &QueryName, record_type| {
                    let server = DnsServer::Authoritative(address?);
                    self.known().dns_from(name, record_type, server).cloned()
                };
                NameServerFacts {
                    mx: self.observe(direct(&QueryName::from(domain), RecordType::Mx)),
                    soa: self.observe(direct(&zone, RecordType::Soa)),
                    address: self.observe(address),
                    host,
                }
            })
            .collect()
    }

    fn unasked(&self, domain: &DomainName) -> Unasked {
        let over_limit = match zone_servers(self.known(), domain) {
            ZoneServers::Found(answer) => server_names(answer, self.view.limits).1,
            ZoneServers::Ask(_) | ZoneServers::None => 0,
        };
        let up = std::iter::successors(Some(domain.clone()), DomainName::parent);
        let unreadable = up
            .filter_map(|name| self.known().dns(&QueryName::from(&name), RecordType::Ns))
            .map(|answer| answer.unreadable)
            .sum();
        Unasked { over_limit, unreadable }
    }

    fn host(
        &self,
        preference: u16,
        exchange: &waxseal_proto::dns::MxExchange,
        peer: Option<&Peer>,
    ) -> HostFacts {
        let lookups = match peer {
            Some(Peer::Host(name)) => self.lookups(&QueryName::from(name)),
            Some(Peer::Address(_)) | None => Vec::new(),
        };
        let found: Vec<IpAddr> = match peer {
            Some(Peer::Address(address)) => vec![*address],
            Some(Peer::Host(_)) | None => lookups.iter().flat_map(addresses_in).collect(),
        };
        let (probed, addresses_left_out) = budgeted(&found, self.view.limits);
        let addresses = peer.map_or_else(Vec::new, |peer| {
            probed.into_iter().map(|address| self.address(peer, address)).collect()
        });
        HostFacts {
            preference,
            exchange: exchange.clone(),
            peer: peer.cloned().map_or(
                Observation::NotObserved(Reason::EarlierStageFailed),
                Observation::Observed,
            ),
            lookups,
            addresses,
            addresses_left_out,
        }
    }

    fn address(&self, peer: &Peer, address: IpAddr) -> AddressFacts {
        let port = self.view.scope.port;
        let probe = |offer| ProbeQuestion { peer: peer.clone(), address, port, offer };
        let first = probe(Offer::Standard);
        let other_offers = OTHER_OFFERS
            .into_iter()
            .filter_map(|offer| {
                let question = probe(offer);
                Some(OtherOffer {
                    offer,
                    probe: self.known().probe(&question)?.clone(),
                    chain: self.observe(self.known().chains.get(&question).cloned()),
                })
            })
            .collect();
        let hellos = PLANS
            .into_iter()
            .filter_map(|plan| {
                let question = HelloQuestion { peer: peer.clone(), address, port, plan };
                Some((plan, self.known().hello(&question)?.seen()?.clone()))
            })
            .collect();
        AddressFacts {
            address,
            chain: self.observe(self.chain_of(&first, &probe(Offer::SmallHello))),
            probe: self.observe(self.known().probe(&first).cloned()),
            other_offers,
            hellos,
            answers_in: Observation::NotObserved(Reason::NotAsked),
        }
    }

    /// The chain of the usual session; where that one's hello was dropped, the one of the smaller hello.
    fn chain_of(&self, first: &ProbeQuestion, small: &ProbeQuestion) -> Option<ChainVerdict> {
        let chains = &self.known().chains;
        chains.get(first).or_else(|| chains.get(small)).cloned()
    }

    fn sts(&self, domain: &DomainName) -> StsFacts {
        let txt = |name: &DomainName| {
            self.known().dns(&QueryName::below("_mta-sts", name), RecordType::Txt).cloned()
        };
        let question = policy_question_of(self.known(), self.view.scope);
        let fetch = question.as_ref().and_then(|question| self.known().policy(question).cloned());
        let policy = match &fetch {
            Some(FetchEnd::Response(response)) if response.status == 200 => {
                Some(parse_policy(&response.body))
            }
            _ => None,
        };
        let parent = organizational_parent(domain);
        StsFacts {
            record: self.observe(txt(domain)),
            host_lookups: policy_host(domain)
                .map(|host| self.lookups(&QueryName::from(&host)))
                .unwrap_or_default(),
            fetch_chain: self.observe(
                question.and_then(|question| self.known().policy_chains.get(&question).cloned()),
            ),
            fetch: self.observe(fetch),
            policy: self.observe(policy),
            parent_record: self.observe(parent.and_then(|parent| {
                let answer = txt(&parent)?;
                Some((parent, answer))
            })),
        }
    }

    fn rpt(&self, domain: &DomainName) -> RptFacts {
        let record = QueryName::below("_smtp._tls", domain);
        let mut facts = RptFacts {
            record: self.observe(self.known().dns(&record, RecordType::Txt).cloned()),
            mailboxes: Vec::new(),
            endpoints: Vec::new(),
        };
        for uri in report_destinations(self.view, domain) {
            match uri {
                ReportDestination::Mailto { domain, .. } => {
                    let name = QueryName::from(&domain);
                    facts.mailboxes.push(ReportMailbox {
                        mx: self.observe(self.known().dns(&name, RecordType::Mx).cloned()),
                        addresses: self.lookups(&name),
                        domain,
                    });
                }
                ReportDestination::Https { host: Target::Domain(host), port } => {
                    let reach = reach_question(self.known(), host.clone(), port)
                        .and_then(|question| self.known().reach(&question).cloned());
                    facts.endpoints.push(ReportEndpoint {
                        lookups: self.lookups(&QueryName::from(&host)),
                        reach: self.observe(reach),
                        host,
                    });
                }
                ReportDestination::Https { host: Target::Address(_), .. } => {}
            }
        }
        facts
    }
}
