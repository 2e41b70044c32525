//! One DNS question to one server on the wire (RFC 1035 §4, RFC 6891, RFC 7766): UDP with repetition, TCP
//! after truncation or silence, extended errors (RFC 8914). It follows nothing and validates nothing. The
//! way in is [`exchange`]; a change must keep datagrams that answer another question out.

use super::answer::{wire_name, wire_type};
use super::query_limits;
use crate::clock::Stopwatch;
use crate::limits::{Limits, STRAY_DATAGRAMS_MAX, TCP_MESSAGE_OCTETS_MAX, UDP_PAYLOAD_OCTETS};
use hickory_proto::op::{Edns, Message, MessageType, Query};
use hickory_proto::rr::rdata::opt::{EdnsCode, EdnsOption};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::timeout;
use waxseal_proto::dns::{Failure, QueryName, RecordType};

/// The option code of an extended error (RFC 8914 §2).
const EXTENDED_ERROR: u16 = 15;

/// One question.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ask<'a> {
    pub(crate) name: &'a QueryName,
    pub(crate) record_type: RecordType,
    pub(crate) recursion: Recursion,
}

/// What the server is asked to do besides answering.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Recursion {
    /// RD=1: resolve and validate as usual.
    Desired,
    /// RD=1, CD=1: resolve without validation (RFC 4035 §3.2.2).
    DesiredUnchecked,
    /// RD=0: answer from your own data.
    None,
}

/// A response that belongs to the question.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) message: Message,
    pub(crate) over_tcp: bool,
}

impl Response {
    /// The extended error code, if one was given (RFC 8914 §2).
    pub(crate) fn extended_error(&self) -> Option<u16> {
        let edns = self.message.edns.as_ref()?;
        let option = edns.option(EdnsCode::Unknown(EXTENDED_ERROR))?;
        let EdnsOption::Unknown(_, data) = option else { return None };
        let code: [u8; 2] = data.get(..2)?.try_into().ok()?;
        Some(u16::from_be_bytes(code))
    }
}

/// How one transport failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lost {
    Malformed,
    Network,
    TimedOut,
}

/// Asks over UDP, repeats, and takes TCP where UDP was truncated or silent.
///
/// # Errors
///
/// [`Failure`] of the transport; a response with an error code is a response.
pub(crate) async fn exchange(
    server: SocketAddr,
    ask: &Ask<'_>,
    limits: &Limits,
) -> Result<Response, Failure> {
    let query = message(ask).ok_or(Failure::Malformed)?;
    let octets = query.to_vec().map_err(|_| Failure::Malformed)?;
    let (wait, attempts) = query_limits(limits);
    let mut lost = Lost::TimedOut;
    for _ in 0..attempts.max(1) {
        match over_udp(server, &query, &octets, wait).await {
            Ok(message) if message.metadata.truncation => {
                let retried = over_tcp(server, &query, &octets, wait).await;
                return retried.map_err(|_| Failure::Truncated);
            }
            Ok(message) => return Ok(Response { message, over_tcp: false }),
            Err(why) => lost = why,
        }
    }
    match over_tcp(server, &query, &octets, wait).await {
        Ok(response) => Ok(response),
        Err(_) => Err(match lost {
            Lost::Malformed => Failure::Malformed,
            Lost::Network => Failure::Network,
            Lost::TimedOut => Failure::TimedOut,
        }),
    }
}

fn message(ask: &Ask<'_>) -> Option<Message> {
    let mut message = Message::query();
    message.add_query(Query::query(wire_name(ask.name)?, wire_type(ask.record_type)));
    message.metadata.recursion_desired = ask.recursion != Recursion::None;
    message.metadata.checking_disabled = ask.recursion == Recursion::DesiredUnchecked;
    let mut edns = Edns::new();
    edns.set_max_payload(UDP_PAYLOAD_OCTETS);
    edns.set_dnssec_ok(ask.recursion != Recursion::None);
    message.set_edns(edns);
    Some(message)
}

/// RFC 5452 §9.1: same ID, same question, from the address that was asked (the socket is connected).
fn belongs(response: &Message, query: &Message) -> bool {
    response.metadata.message_type == MessageType::Response
        && response.metadata.id == query.metadata.id
        && (response.queries == query.queries || response.queries.is_empty())
}

async fn over_udp(
    server: SocketAddr,
    query: &Message,
    octets: &[u8],
    wait: Duration,
) -> Result<Message, Lost> {
    let any: IpAddr = match server.ip() {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let watch = Stopwatch::start();
    let socket = UdpSocket::bind(SocketAddr::new(any, 0)).await.map_err(lost)?;
    socket.connect(server).await.map_err(lost)?;
    socket.send(octets).await.map_err(lost)?;
    let mut buffer = vec![0; usize::from(u16::MAX)];
    let mut end = Lost::TimedOut;
    for _ in 0..STRAY_DATAGRAMS_MAX {
        let received = timeout(watch.left_of(wait), socket.recv(&mut buffer)).await;
        let count = received.map_err(|_| end)?.map_err(lost)?;
        match Message::from_vec(buffer.get(..count).unwrap_or_default()) {
            Ok(response) if belongs(&response, query) => return Ok(response),
            Ok(_) => {}
            Err(_) => end = Lost::Malformed,
        }
    }
    Err(end)
}

async fn over_tcp(
    server: SocketAddr,
    query: &Message,
    octets: &[u8],
    wait: Duration,
) -> Result<Response, Lost> {
    let conversation = async {
        let mut stream = TcpStream::connect(server).await.map_err(lost)?;
        let length = u16::try_from(octets.len()).map_err(|_| Lost::Malformed)?;
        let mut framed = length.to_be_bytes().to_vec();
        framed.extend_from_slice(octets);
        stream.write_all(&framed).await.map_err(lost)?;
        let length = usize::from(stream.read_u16().await.map_err(lost)?);
        let mut body = vec![0; length.min(TCP_MESSAGE_OCTETS_MAX)];
        stream.read_exact(&mut body).await.map_err(lost)?;
        let message = Message::from_vec(&body).map_err(|_| Lost::Malformed)?;
        if belongs(&message, query) {
            Ok(Response { message, over_tcp: true })
        } else {
            Err(Lost::Malformed)
        }
    };
    timeout(wait, conversation).await.map_err(|_| Lost::TimedOut)?
}

#[expect(clippy::needless_pass_by_value, reason = "the shape that map_err takes")]
fn lost(error: io::Error) -> Lost {
    if error.kind() == io::ErrorKind::TimedOut { Lost::TimedOut } else { Lost::Network }
}
