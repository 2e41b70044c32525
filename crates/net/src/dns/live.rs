//! The validating resolver (RFC 4035 §4.3, RFC 6840): hickory validates, and what it cannot tell apart is
//! asked again on the wire: SERVFAIL with checking disabled, truncation, silence. If the resolver behind
//! passes no DNSSEC records, every answer is indeterminate instead of bogus. The way in is
//! [`LiveResolver::resolve`]; a change must keep names absolute and the hosts file unread.

use super::answer::{alias_chain, authenticity, from_message, from_records, negative_ttl};
use super::answer::{code_failure, wire_name, wire_type};
use super::exchange::{Ask, Recursion, exchange};
use super::failed;
use crate::error::NetError;
use crate::limits::{Limits, UDP_PAYLOAD_OCTETS};
use hickory_net::runtime::TokioRuntimeProvider;
use hickory_net::{DnsError, NetError as WireError};
use hickory_proto::dnssec::{Proof, TrustAnchors};
use hickory_proto::op::ResponseCode;
use hickory_proto::rr::{Name, Record as WireRecord, RecordType as WireType};
use hickory_resolver::TokioResolver;
use hickory_resolver::config::{NameServerConfig, ResolveHosts, ResolverConfig};
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::sync::OnceCell;
use tokio::time::timeout;
use waxseal_proto::dns::{Authenticity, DnsAnswer, Failure, Outcome, QueryName, RecordType};

/// Which resolver is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ServerChoice {
    /// This one.
    Given(SocketAddr),
    /// Those of the system's settings.
    System,
}

/// A validating resolver over one or more recursive servers.
pub(crate) struct LiveResolver {
    validating: TokioResolver,
    servers: Vec<SocketAddr>,
    limits: Limits,
    passes_dnssec: OnceCell<bool>,
}

impl std::fmt::Debug for LiveResolver {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("LiveResolver")
            .field("servers", &self.servers)
            .finish_non_exhaustive()
    }
}

/// The root zone's keys: the given DNSKEY records, or IANA's.
pub(crate) fn trust_anchors(text: Option<&str>) -> Result<TrustAnchors, NetError> {
    let Some(text) = text else { return Ok(TrustAnchors::default()) };
    let wrong = |problem: String| NetError::TrustAnchor { problem };
    let anchors: TrustAnchors = text.parse().map_err(|error| wrong(format!("{error}")))?;
    if anchors.is_empty() {
        return Err(wrong("no DNSKEY record of the root".to_owned()));
    }
    Ok(anchors)
}

impl LiveResolver {
    /// A resolver with this trust anchor.
    pub(crate) fn new(
        choice: ServerChoice,
        anchors: TrustAnchors,
        limits: &Limits,
    ) -> Result<Self, NetError> {
        let config = match choice {
            ServerChoice::Given(socket) => {
                let mut server = NameServerConfig::udp_and_tcp(socket.ip());
                for connection in &mut server.connections {
                    connection.port = socket.port();
                }
                ResolverConfig::from_name_servers(vec![server])
            }
            ServerChoice::System => {
                let (config, _) = hickory_resolver::system_conf::read_system_conf()
                    .map_err(NetError::ResolverSettings)?;
                ResolverConfig::from_name_servers(config.name_servers().to_vec())
            }
        };
        let servers = config
            .name_servers()
            .iter()
            .filter_map(|server| {
                let port = server.connections.first()?.port;
                Some(SocketAddr::new(server.ip, port))
            })
            .collect();
        let mut builder =
            TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
                .with_trust_anchor(Arc::new(anchors));
        let options = builder.options_mut();
        options.use_hosts_file = ResolveHosts::Never;
        options.timeout = limits.dns_query;
        options.attempts = limits.dns_attempts.max(1);
        options.edns_payload_len = UDP_PAYLOAD_OCTETS;
        let validating = builder.build().map_err(NetError::Resolver)?;
        Ok(Self { validating, servers, limits: limits.clone(), passes_dnssec: OnceCell::new() })
    }

    /// Resolves one name and type, within the limit for a whole question.
    pub(crate) async fn resolve(&self, name: &QueryName, record_type: RecordType) -> DnsAnswer {
        let work = async {
            if self.passes_dnssec().await {
                self.validated(name, record_type).await
            } else {
                self.on_the_wire(name, record_type).await
            }
        };
        match timeout(self.limits.dns_total, Box::pin(work)).await {
            Ok(answer) => answer,
            Err(_) => failed(name, record_type, Failure::TimedOut),
        }
    }

    /// Whether DNSSEC records reach us at all: asked at the root's keys, until there is an answer.
    async fn passes_dnssec(&self) -> bool {
        let known = self.passes_dnssec.get_or_try_init(|| async {
            match self.validating.lookup(Name::root(), WireType::DNSKEY).await {
                Ok(lookup) => Ok(lookup.answers().iter().any(|record| {
                    record.record_type() == WireType::DNSKEY && record.proof == Proof::Secure
                })),
                Err(WireError::Dns(_)) => Ok(false),
                // Silence says nothing about DNSSEC, and the resolver may speak again.
                Err(_) => Err(()),
            }
        });
        known.await.copied().unwrap_or(false)
    }

    async fn validated(&self, name: &QueryName, record_type: RecordType) -> DnsAnswer {
        let Some(asked) = wire_name(name) else {
            return failed(name, record_type, Failure::Malformed);
        };
        match self.validating.lookup(asked, wire_type(record_type)).await {
            Ok(lookup) => {
                let answer = from_records(name, record_type, lookup.answers());
                if answer.authenticity == Authenticity::Bogus {
                    return self.bogus(name, record_type).await;
                }
                if answer.outcome != Outcome::NoData {
                    return answer;
                }
                let authorities = lookup.authorities();
                self.absence((name, record_type), ResponseCode::NoError, authorities).await
            }
            Err(WireError::Dns(error)) => self.dns_error(name, record_type, error).await,
            Err(_) => self.on_the_wire(name, record_type).await,
        }
    }

    async fn dns_error(
        &self,
        name: &QueryName,
        record_type: RecordType,
        error: DnsError,
    ) -> DnsAnswer {
        let asked = (name, record_type);
        match error {
            DnsError::DnssecBogus | DnsError::Nsec { proof: Proof::Bogus, .. } => {
                self.bogus(name, record_type).await
            }
            DnsError::NoRecordsFound(none) => {
                let authorities = none.authorities.unwrap_or_default();
                self.absence(asked, none.response_code, &authorities).await
            }
            DnsError::Nsec { response, .. } => {
                let code = response.metadata.response_code;
                self.absence(asked, code, &response.authorities).await
            }
            DnsError::ResponseCode(ResponseCode::ServFail) => {
                self.on_the_wire(name, record_type).await
            }
            DnsError::ResponseCode(code) => {
                let failure = code_failure(code).unwrap_or(Failure::Malformed);
                failed(name, record_type, failure)
            }
            _ => failed(name, record_type, Failure::Malformed),
        }
    }

    /// A proven or unproven absence, with the aliases that led to it: the resolver drops them from
    /// negative answers, and an unsigned alias makes the whole answer insecure (RFC 7672 §2.1.3).
    async fn absence(
        &self,
        (name, record_type): (&QueryName, RecordType),
        code: ResponseCode,
        authorities: &[WireRecord],
    ) -> DnsAnswer {
        let mut answer = failed(name, record_type, Failure::Malformed);
        answer.outcome =
            if code == ResponseCode::NXDomain { Outcome::NoName } else { Outcome::NoData };
        answer.ttl_s = authorities.iter().find_map(negative_ttl);
        let worst = authorities.iter().map(|record| authenticity(record.proof)).min();
        answer.authenticity = worst.unwrap_or(Authenticity::Indeterminate);
        if record_type == RecordType::Cname {
            return answer;
        }
        let Some(asked) = wire_name(name) else { return answer };
        if let Ok(lookup) = self.validating.lookup(asked.clone(), WireType::CNAME).await {
            let (aliases, steps) = alias_chain(&asked, lookup.answers());
            let worst = steps.iter().map(|record| authenticity(record.proof)).min();
            answer.authenticity =
                worst.map_or(answer.authenticity, |step| step.min(answer.authenticity));
            answer.aliases = aliases;
        }
        answer
    }

    /// Validation failed here; the resolver behind may say why. Keys that did not come prove nothing.
    async fn bogus(&self, name: &QueryName, record_type: RecordType) -> DnsAnswer {
        if self.keys_are_silent(name).await {
            return failed(name, record_type, Failure::TimedOut);
        }
        let ask = Ask { name, record_type, recursion: Recursion::Desired };
        let reason = match self.ask_first(&ask).await {
            Ok(response) => response.extended_error(),
            Err(_) => None,
        };
        failed(name, record_type, Failure::Bogus(reason))
    }

    /// Whether the keys above a name, or the digests of them, cannot be had for lack of an answer.
    async fn keys_are_silent(&self, name: &QueryName) -> bool {
        let mut zone = wire_name(name);
        while let Some(apex) = zone.filter(|zone| !zone.is_root()) {
            for record_type in [WireType::DS, WireType::DNSKEY] {
                match self.validating.lookup(apex.clone(), record_type).await {
                    Ok(_) | Err(WireError::Dns(_)) => {}
                    Err(_) => return true,
                }
            }
            zone = Some(apex.base_name());
        }
        false
    }

    /// Asks the resolver behind without validating: what failed for the validator is told apart here.
    /// RFC 4035 §5.5: an answer that comes only with checking disabled is bogus and must not be used.
    async fn on_the_wire(&self, name: &QueryName, record_type: RecordType) -> DnsAnswer {
        let ask = Ask { name, record_type, recursion: Recursion::Desired };
        let response = match self.ask_first(&ask).await {
            Ok(response) => response,
            Err(failure) => return failed(name, record_type, failure),
        };
        let answer = from_message(&response, name, record_type);
        if answer.outcome != Outcome::Failed(Failure::ServFail) {
            return DnsAnswer { authoritative: false, ..answer };
        }
        let unchecked = Ask { recursion: Recursion::DesiredUnchecked, ..ask };
        let failure = match self.ask_first(&unchecked).await {
            Ok(second) if code_failure(second.message.metadata.response_code).is_none() => {
                Failure::Bogus(response.extended_error())
            }
            Ok(_) | Err(_) => Failure::ServFail,
        };
        failed(name, record_type, failure)
    }

    /// The first server that gives a usable response; else what the last one did.
    async fn ask_first(&self, ask: &Ask<'_>) -> Result<super::exchange::Response, Failure> {
        let mut last = Failure::Network;
        for server in &self.servers {
            match exchange(*server, ask, &self.limits).await {
                Ok(response) => return Ok(response),
                Err(failure) => last = failure,
            }
        }
        Err(last)
    }
}
