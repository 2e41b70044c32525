//! Fetches over HTTP and HTTPS: the MTA-STS policy (RFC 8461 §3.3), a bare TLS connect to a report address
//! (RFC 8460 §3), a missing certificate (RFC 5280 §4.2.2.1). All go through the same dialler, strict TLS and
//! limits. Whether a status, type or body is any good is judged elsewhere. A change must keep redirects
//! unfollowed and the certificate verified for the host that was asked for.

use crate::budget::Permit;
use crate::clock::Stopwatch;
use crate::dial::Target;
use crate::guard::is_web_port;
use crate::https::{Request, get};
use crate::world::World;
use std::net::IpAddr;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::timeout;
use waxseal_check::question::{
    CertificateQuestion, Connect, FetchEnd, PolicyQuestion, ReachQuestion,
};
use waxseal_proto::name::DomainName;
use waxseal_proto::observation::{Observation, Reason};

/// RFC 8461 §3.3.
const POLICY_PATH: &str = "/.well-known/mta-sts.txt";

/// RFC 9110 §4.2.2.
const HTTPS_PORT: u16 = 443;

/// RFC 9110 §4.2.1.
const HTTP_PORT: u16 = 80;

/// Fetches a policy.
pub(crate) async fn policy(world: &World, question: &PolicyQuestion) -> FetchEnd {
    let request = Request { authority: question.host.as_str(), path: POLICY_PATH };
    let goal = Goal { host: &question.host, port: HTTPS_PORT, addresses: &question.addresses };
    over_tls(world, &goal, Some(request)).await
}

/// Connects with TLS and sends nothing inside.
pub(crate) async fn reach(world: &World, question: &ReachQuestion) -> FetchEnd {
    let goal = Goal { host: &question.host, port: question.port, addresses: &question.addresses };
    over_tls(world, &goal, None).await
}

/// Downloads one certificate in clear; its signature is what makes it trusted or not.
pub(crate) async fn certificate(
    world: &World,
    question: &CertificateQuestion,
) -> Observation<Vec<u8>> {
    let CertificateQuestion { host, port, path, addresses } = question;
    let goal = Goal { host, port: *port, addresses };
    let authority = if *port == HTTP_PORT { host.to_string() } else { format!("{host}:{port}") };
    let end = match connect(world, &goal).await {
        Ok(Connected { stream, left, _permit }) => {
            within(left, get(stream, Request { authority: &authority, path })).await
        }
        Err(end) => end,
    };
    match end {
        FetchEnd::Response(response) if response.status == 200 => {
            Observation::Observed(response.body)
        }
        FetchEnd::NotConnected(connect) => Observation::NotObserved(reason_of(&connect)),
        FetchEnd::TooLarge => Observation::NotObserved(Reason::LimitReached),
        FetchEnd::TooSlow => Observation::NotObserved(Reason::TimedOut),
        FetchEnd::HttpMalformed(_)
        | FetchEnd::Response(_)
        | FetchEnd::TlsEstablished
        | FetchEnd::TlsRefused(_) => Observation::NotObserved(Reason::RefusedByPeer),
    }
}

/// Why a failed connection attempt left something unobserved.
pub(crate) const fn reason_of(connect: &Connect) -> Reason {
    match connect {
        Connect::Connected => Reason::EarlierStageFailed,
        Connect::GuardRefused => Reason::GuardRefused,
        Connect::Refused | Connect::Reset | Connect::Unreachable { .. } => Reason::RefusedByPeer,
        Connect::TimedOut => Reason::TimedOut,
    }
}

struct Goal<'a> {
    host: &'a DomainName,
    port: u16,
    addresses: &'a [IpAddr],
}

/// A connection, its place in the budget, and what is left of the fetch's limit.
struct Connected {
    stream: TcpStream,
    left: Duration,
    _permit: Permit,
}

async fn within(left: Duration, fetch: impl Future<Output = FetchEnd>) -> FetchEnd {
    timeout(left, Box::pin(fetch)).await.unwrap_or(FetchEnd::TooSlow)
}

async fn over_tls(world: &World, goal: &Goal<'_>, request: Option<Request<'_>>) -> FetchEnd {
    let Connected { stream, left, _permit } = match connect(world, goal).await {
        Ok(connected) => connected,
        Err(end) => return end,
    };
    let exchange = async {
        let limit = world.limits().handshake.min(left);
        let sealed = Box::pin(world.tls().strict(stream, goal.host, limit)).await;
        let Some(stream) = sealed.stream else {
            return FetchEnd::TlsRefused(sealed.seen);
        };
        match request {
            Some(request) => get(stream, request).await,
            None => FetchEnd::TlsEstablished,
        }
    };
    within(left, exchange).await
}

/// The first address that connects; else how the last attempt ended. Waiting for our own place in the
/// budget does not count against the peer.
async fn connect(world: &World, goal: &Goal<'_>) -> Result<Connected, FetchEnd> {
    if !is_web_port(goal.port) {
        return Err(FetchEnd::NotConnected(Connect::GuardRefused));
    }
    let mut left = world.limits().fetch_total;
    let mut last = Connect::Unreachable { local_family_missing: false };
    for address in goal.addresses {
        let target = Target { host: Some(goal.host.as_str()), address: *address, port: goal.port };
        let permit = world.budget().enter(*address).await;
        let watch = Stopwatch::start();
        let dialled = timeout(left, world.dialer().dial(&target)).await;
        left = watch.left_of(left);
        match dialled {
            Ok(Ok(stream)) => return Ok(Connected { stream, left, _permit: permit }),
            Ok(Err(connect)) => last = connect,
            Err(_) => return Err(FetchEnd::TooSlow),
        }
    }
    Err(FetchEnd::NotConnected(last))
}
