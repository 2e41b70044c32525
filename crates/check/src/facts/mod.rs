//! What was seen of one subject, ready for the rules. Everything that was looked for is an
//! [`Observation`]; nothing here is judged except certificate chains, whose faults
//! [`waxseal_proto::x509`] lists. Facts carry no serde: the published shape is the report's.

mod build;

pub(crate) use build::build;

use crate::finding::{PATH_A, PATH_B, When};
use crate::question::{Connect, ControlQuestion, FetchEnd, Peer, ProbeSeen, Vantage};
use crate::survey::Scope;
use jiff::Timestamp;
use std::net::IpAddr;
use std::time::Duration;
use waxseal_proto::dns::{DnsAnswer, MxExchange, MxSet, QueryName};
use waxseal_proto::mta_sts::PolicyParse;
use waxseal_proto::name::DomainName;
use waxseal_proto::observation::Observation;
use waxseal_proto::smtp::seen::{SessionSeen, Stage};
use waxseal_proto::tls::hello::{HelloAnswer, HelloPlan};
use waxseal_proto::tls::mode::Mode;
use waxseal_proto::tls::seen::{HandshakeEnd, HandshakeSeen, Offer, TlsSession};
use waxseal_proto::x509::ChainVerdict;

/// Which part of the journey the facts are about. The same fault has another owner on each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Path {
    /// Path B: towards the servers that take mail for a domain.
    ToInbox,
    /// Path A: from the app to its delivery service, in this security mode.
    ToService(Mode),
}

/// Everything that was seen of one subject.
#[derive(Clone, Debug)]
pub struct Facts {
    /// What the survey was about.
    pub scope: Scope,
    /// The part of the journey.
    pub path: Path,
    /// The clock that certificates were judged by.
    pub now: Timestamp,
    /// From when on a greeting counts as slow.
    pub greeting_slow: Duration,
    /// The MX answer and what follows from it.
    pub mx: MxFacts,
    /// The zone's name servers, each asked directly.
    pub name_servers: Observation<Vec<NameServerFacts>>,
    /// Name servers that were not asked.
    pub name_servers_unasked: Unasked,
    /// The mail hosts, in order of preference.
    pub hosts: Vec<HostFacts>,
    /// Mail hosts beyond the limit.
    pub hosts_left_out: Vec<String>,
    /// MTA-STS.
    pub sts: Observation<StsFacts>,
    /// TLS reporting.
    pub rpt: Observation<RptFacts>,
    /// What this machine looks like.
    pub vantage: Observation<Vantage>,
    /// The control hosts that were tried.
    pub controls: Vec<(ControlQuestion, Connect)>,
    /// The survey was ended before every question was answered.
    pub cut_short: bool,
}

/// The MX answer and what follows from it.
#[derive(Clone, Debug)]
pub struct MxFacts {
    /// The answer of the resolver; not observed for an address literal.
    pub answer: Observation<DnsAnswer>,
    /// What the answer means for delivery.
    pub set: Observation<MxSet>,
    /// A and AAAA of the domain, asked only when it has no MX.
    pub own_addresses: Vec<DnsAnswer>,
}

/// One name server of the zone.
#[derive(Clone, Debug)]
pub struct NameServerFacts {
    /// Its host name.
    pub host: QueryName,
    /// The address that was asked.
    pub address: Observation<IpAddr>,
    /// Its own answer for the MX of the domain.
    pub mx: Observation<DnsAnswer>,
    /// Its own answer for the SOA of the zone.
    pub soa: Observation<DnsAnswer>,
}

/// Name servers of a zone that were not asked, by why.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unasked {
    /// More than one survey asks.
    pub over_limit: usize,
    /// Their names cannot be held here.
    pub unreadable: usize,
}

/// One mail host.
#[derive(Clone, Debug)]
pub struct HostFacts {
    /// MX preference, 0 for an implicit MX or a literal.
    pub preference: u16,
    /// The exchange as published.
    pub exchange: MxExchange,
    /// Who is verified there; not observed when the exchange is no host name.
    pub peer: Observation<Peer>,
    /// The A and AAAA answers.
    pub lookups: Vec<DnsAnswer>,
    /// The addresses that got a session.
    pub addresses: Vec<AddressFacts>,
    /// The addresses beyond the limit.
    pub addresses_left_out: Vec<IpAddr>,
}

/// One address of a mail host.
#[derive(Clone, Debug)]
pub struct AddressFacts {
    /// The address.
    pub address: IpAddr,
    /// The first session.
    pub probe: Observation<ProbeSeen>,
    /// The judgement of its chain.
    pub chain: Observation<ChainVerdict>,
    /// Further sessions with another offer, and the judgement of their chains.
    pub other_offers: Vec<OtherOffer>,
    /// Hand-made hellos.
    pub hellos: Vec<(HelloPlan, HelloAnswer)>,
    /// The mode in which a further connection to the same port was answered.
    pub answers_in: Observation<Mode>,
}

/// A further session with another offer.
#[derive(Clone, Debug)]
pub struct OtherOffer {
    /// What was offered.
    pub offer: Offer,
    /// The session.
    pub probe: ProbeSeen,
    /// The judgement of its chain.
    pub chain: Observation<ChainVerdict>,
}

/// MTA-STS as seen.
#[derive(Clone, Debug)]
pub struct StsFacts {
    /// The TXT answer at `_mta-sts`.
    pub record: Observation<DnsAnswer>,
    /// A and AAAA of the policy host.
    pub host_lookups: Vec<DnsAnswer>,
    /// How the fetch ended.
    pub fetch: Observation<FetchEnd>,
    /// The judgement of the policy host's chain, when it was refused.
    pub fetch_chain: Observation<ChainVerdict>,
    /// The body as parsed, when there was a response with status 200.
    pub policy: Observation<PolicyParse>,
    /// For a sub-domain without a record: the organisational domain and its TXT answer.
    pub parent_record: Observation<(DomainName, DnsAnswer)>,
}

/// TLS reporting as seen.
#[derive(Clone, Debug)]
pub struct RptFacts {
    /// The TXT answer at `_smtp._tls`.
    pub record: Observation<DnsAnswer>,
    /// The mailbox domains of mailto addresses.
    pub mailboxes: Vec<ReportMailbox>,
    /// The https addresses.
    pub endpoints: Vec<ReportEndpoint>,
}

/// The domain of a mailto report address.
#[derive(Clone, Debug)]
pub struct ReportMailbox {
    /// The domain.
    pub domain: DomainName,
    /// Its MX answer.
    pub mx: Observation<DnsAnswer>,
    /// Its A and AAAA answers, asked when it has no MX.
    pub addresses: Vec<DnsAnswer>,
}

/// An https report address.
#[derive(Clone, Debug)]
pub struct ReportEndpoint {
    /// The host.
    pub host: DomainName,
    /// Its A and AAAA answers.
    pub lookups: Vec<DnsAnswer>,
    /// The bare TLS connect.
    pub reach: Observation<FetchEnd>,
}

impl Facts {
    /// The facts of a survey in which nothing was asked.
    pub(crate) fn nothing_seen(scope: Scope, now: Timestamp) -> Self {
        let not_asked = waxseal_proto::observation::Reason::NotAsked;
        Self {
            scope,
            path: Path::ToInbox,
            now,
            greeting_slow: Duration::MAX,
            mx: MxFacts {
                answer: Observation::NotObserved(not_asked),
                set: Observation::NotObserved(not_asked),
                own_addresses: Vec::new(),
            },
            name_servers: Observation::NotObserved(not_asked),
            name_servers_unasked: Unasked::default(),
            hosts: Vec::new(),
            hosts_left_out: Vec::new(),
            sts: Observation::NotObserved(not_asked),
            rpt: Observation::NotObserved(not_asked),
            vantage: Observation::NotObserved(not_asked),
            controls: Vec::new(),
            cut_short: false,
        }
    }
}

impl Path {
    /// The case of a finding whose owner depends on the path.
    pub const fn case(self) -> When {
        match self {
            Self::ToInbox => PATH_B,
            Self::ToService(_) => PATH_A,
        }
    }

    /// How TLS begins here.
    pub const fn mode(self) -> Mode {
        match self {
            Self::ToInbox => Mode::Starttls,
            Self::ToService(mode) => mode,
        }
    }
}

impl HostFacts {
    /// The name as reports show it.
    pub fn name(&self) -> String {
        crate::survey::exchange_text(&self.exchange)
    }
}

impl AddressFacts {
    /// How the connection attempt ended.
    pub fn connect(&self) -> Option<&Connect> {
        self.probe.seen().map(|probe| &probe.connect)
    }

    /// The session, if one was had.
    pub fn session(&self) -> Option<&SessionSeen> {
        self.probe.seen()?.session.seen()
    }

    /// The handshake, if one was begun.
    pub fn handshake(&self) -> Option<&HandshakeSeen> {
        self.session()?.handshake.seen()
    }

    /// The TLS session, if the handshake completed.
    pub fn tls(&self) -> Option<&TlsSession> {
        match &self.handshake()?.end {
            HandshakeEnd::Completed(tls) => Some(tls),
            HandshakeEnd::Failed(_) => None,
        }
    }

    /// How long a stage of the first session took.
    pub fn took(&self, stage: Stage) -> Option<Duration> {
        let probe = self.probe.seen()?;
        probe.timings.iter().find(|(timed, _)| *timed == stage).map(|(_, took)| *took)
    }

    /// What came back for a hand-made hello.
    pub fn hello(&self, plan: HelloPlan) -> Option<&HelloAnswer> {
        self.hellos.iter().find(|(asked, _)| *asked == plan).map(|(_, answer)| answer)
    }

    /// The further session with this offer.
    pub fn other_offer(&self, offer: Offer) -> Option<&OtherOffer> {
        self.other_offers.iter().find(|other| other.offer == offer)
    }
}
