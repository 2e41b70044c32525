//! Carries requests to a delivery service (RFC 9110, RFC 9112 §9.3): resolves the host, connects, makes the
//! handshake with a verifier that refuses, writes the request, reads the answer up to a limit, and tells each
//! step with its time. It knows no service, judges no status, follows no redirect, looks at no proxy setting
//! and repeats nothing. The way in is [`World::service_line`]; a change must keep a key from every
//! connection whose certificate was not verified for the very host of the request.

use crate::clock::Stopwatch;
use crate::dial::Target;
use crate::limits::{ADDRESSES_MAX, HEADER_OCTETS_MAX};
use crate::service_exchange::{Exchange, Opened, exchange, written};
use crate::tls::SecureStream;
use crate::world::World;
use futures::FutureExt;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use std::net::IpAddr;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::timeout;
use waxseal_check::call::{Breakage, CallEnd, CallEvent, CallSeen, CallStep, Line, StepResult};
use waxseal_check::question::Connect;
use waxseal_proto::dns::{DnsAnswer, QueryName, Record, RecordType};
use waxseal_proto::name::DomainName;
use waxseal_proto::observation::{Observation, Reason};
use waxseal_proto::tls::seen::HandshakeSeen;
use waxseal_services::http::HttpRequest;

/// Who is told what happens.
pub(crate) type Listener<'a> = &'a mut (dyn FnMut(CallEvent) + Send);

/// The requests of one use to one service. A connection stays open between them while the service keeps
/// it, and is closed with this value.
pub struct ServiceLine<'a> {
    world: &'a World,
    open: Option<Open>,
}

/// An open connection and the very host and port it was verified for.
struct Open {
    host: DomainName,
    port: u16,
    opened: Opened,
}

impl std::fmt::Debug for ServiceLine<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let host = self.open.as_ref().map(|open| open.host.as_str());
        formatter.debug_struct("ServiceLine").field("open_to", &host).finish_non_exhaustive()
    }
}

impl World {
    /// A line to a delivery service; nothing is connected to before the first request.
    pub const fn service_line(&self) -> ServiceLine<'_> {
        ServiceLine { world: self, open: None }
    }
}

/// What the steps before the request showed.
struct Way {
    answers: Vec<DnsAnswer>,
    connects: Vec<(IpAddr, Connect)>,
    handshake: Observation<HandshakeSeen>,
}

impl ServiceLine<'_> {
    /// Says farewell, if a connection is open.
    pub async fn close(mut self) {
        let Some(Open { opened: Opened { sender, connection }, .. }) = self.open.take() else {
            return;
        };
        // Without a sender the connection ends TLS and closes; what the service does then is nobody's fact.
        drop(sender);
        let _ = timeout(self.world.limits().farewell, connection).await;
    }

    /// Carries one request out and tells its steps to `listener`. The addresses of the host are tried in
    /// turn until one connects; nothing is tried again after that.
    pub async fn carry(&mut self, request: &HttpRequest, listener: Listener<'_>) -> CallSeen {
        let mut teller = Teller { listener, current: None, timings: Vec::new() };
        let mut way = Way {
            answers: Vec::new(),
            connects: Vec::new(),
            handshake: Observation::NotObserved(Reason::NotAsked),
        };
        let (line, end) = self.run(request, &mut way, &mut teller).await;
        CallSeen {
            host: request.host.clone(),
            port: request.port,
            line,
            answers: way.answers,
            connects: way.connects,
            handshake: way.handshake,
            end,
            timings: teller.timings,
        }
    }

    async fn run(
        &mut self,
        request: &HttpRequest,
        way: &mut Way,
        teller: &mut Teller<'_>,
    ) -> (Line, CallEnd) {
        let limits = self.world.limits();
        let Some(mut whole) = written(request) else {
            return (Line::Fresh, CallEnd::Unwritable);
        };
        if let Some(mut opened) = self.take_open(request) {
            if let Exchange::Ended(end) =
                Box::pin(exchange(limits, &mut opened, whole, teller)).await
            {
                self.keep(request, opened);
                return (Line::KeptOpen, end);
            }
            // The service had closed the line: nothing of the request left, so a fresh one carries it.
            let Some(again) = written(request) else {
                return (Line::Fresh, CallEnd::Unwritable);
            };
            whole = again;
        }
        let mut opened = match self.connected(request, way, teller).await {
            Ok(opened) => opened,
            Err(end) => return (Line::Fresh, end),
        };
        let end = match Box::pin(exchange(limits, &mut opened, whole, teller)).await {
            Exchange::NotBegun => CallEnd::Broken(CallStep::Request, Breakage::Closed),
            Exchange::Ended(end) => end,
        };
        self.keep(request, opened);
        (Line::Fresh, end)
    }

    /// The open connection, if it leads to the host of this request and the service has not closed it.
    fn take_open(&mut self, request: &HttpRequest) -> Option<Opened> {
        let mut open = self.open.take()?;
        let leads_there = open.host == request.host && open.port == request.port;
        let is_over = (&mut open.opened.connection).now_or_never().is_some();
        (leads_there && !is_over && open.opened.sender.is_ready()).then_some(open.opened)
    }

    fn keep(&mut self, request: &HttpRequest, mut opened: Opened) {
        let is_over = (&mut opened.connection).now_or_never().is_some();
        if !is_over && opened.sender.is_ready() {
            self.open = Some(Open { host: request.host.clone(), port: request.port, opened });
        }
    }

    async fn connected(
        &self,
        request: &HttpRequest,
        way: &mut Way,
        teller: &mut Teller<'_>,
    ) -> Result<Opened, CallEnd> {
        teller.begin(CallStep::Resolve);
        let addresses;
        (way.answers, addresses) = addresses_of(self.world, &request.host).await;
        teller.tell(CallEvent::Resolved(addresses.clone()));
        teller.end(result(!addresses.is_empty()));
        if addresses.is_empty() {
            way.handshake = Observation::NotObserved(Reason::EarlierStageFailed);
            return Err(CallEnd::Unresolved);
        }
        let stream = self.dialled(request, addresses, way, teller).await?;
        teller.begin(CallStep::Handshake);
        let limit = self.world.limits().handshake;
        let sealed = Box::pin(self.world.tls().strict(stream, &request.host, limit)).await;
        teller.tell(CallEvent::Handshake(Box::new(sealed.seen.clone())));
        way.handshake = Observation::Observed(sealed.seen);
        let stream = sealed.stream.filter(|_| sealed.verified);
        teller.end(result(stream.is_some()));
        opened(stream.ok_or(CallEnd::TlsRefused)?).await.ok_or(CallEnd::Unwritable)
    }

    async fn dialled(
        &self,
        request: &HttpRequest,
        addresses: Vec<IpAddr>,
        way: &mut Way,
        teller: &mut Teller<'_>,
    ) -> Result<TcpStream, CallEnd> {
        for address in addresses {
            teller.begin(CallStep::Connect);
            let host = Some(request.host.as_str());
            let target = Target { host, address, port: request.port };
            let dialled = self.world.dialer().dial(&target).await;
            let connect = dialled.as_ref().err().cloned().unwrap_or(Connect::Connected);
            teller.tell(CallEvent::Connect(address, connect.clone()));
            way.connects.push((address, connect));
            teller.end(result(dialled.is_ok()));
            if let Ok(stream) = dialled {
                return Ok(stream);
            }
        }
        way.handshake = Observation::NotObserved(Reason::EarlierStageFailed);
        Err(CallEnd::NotConnected)
    }
}

const fn result(passed: bool) -> StepResult {
    if passed { StepResult::Passed } else { StepResult::Failed }
}

/// HTTP over a verified stream. Nothing is written yet.
async fn opened(stream: Box<SecureStream>) -> Option<Opened> {
    let handshake = http1::Builder::new()
        .max_buf_size(HEADER_OCTETS_MAX)
        .max_headers(waxseal_services::limits::RESPONSE_HEADERS_MAX)
        .handshake(TokioIo::new(stream))
        .await;
    let (sender, connection) = handshake.ok()?;
    Some(Opened { sender, connection: Box::pin(connection) })
}

/// The addresses of a host, IPv6 first, both families asked at once.
async fn addresses_of(world: &World, host: &DomainName) -> (Vec<DnsAnswer>, Vec<IpAddr>) {
    let name = QueryName::from(host);
    let (six, four) = futures::join!(
        Box::pin(world.resolve(&name, RecordType::Aaaa)),
        Box::pin(world.resolve(&name, RecordType::A))
    );
    let answers = vec![six, four];
    let addresses = answers.iter().flat_map(addresses_in).collect();
    (answers, addresses)
}

/// The first addresses of an answer, as many as are tried.
pub(crate) fn addresses_in(answer: &DnsAnswer) -> impl Iterator<Item = IpAddr> {
    let addresses = answer.records().iter().filter_map(|record| match record {
        Record::Address(address) => Some(*address),
        Record::Cname(_)
        | Record::Mx(_)
        | Record::Ns(_)
        | Record::Ptr(_)
        | Record::Soa(_)
        | Record::Tlsa(_)
        | Record::Txt(_) => None,
    });
    addresses.take(ADDRESSES_MAX)
}

/// Tells steps and keeps their times.
pub(crate) struct Teller<'a> {
    listener: Listener<'a>,
    current: Option<(CallStep, Stopwatch)>,
    timings: Vec<(CallStep, Duration)>,
}

impl Teller<'_> {
    pub(crate) fn begin(&mut self, step: CallStep) {
        self.current = Some((step, Stopwatch::start()));
        (self.listener)(CallEvent::Begun(step));
    }

    pub(crate) fn tell(&mut self, event: CallEvent) {
        (self.listener)(event);
    }

    pub(crate) fn end(&mut self, result: StepResult) {
        let Some((step, watch)) = self.current.take() else { return };
        let elapsed = watch.elapsed();
        self.timings.push((step, elapsed));
        (self.listener)(CallEvent::Ended(step, result, elapsed));
    }
}
