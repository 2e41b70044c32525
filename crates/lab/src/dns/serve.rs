//! Sockets on 127.0.0.1: one UDP and one TCP port of the same number per server (RFC 7766 §5).
//!
//! Moves octets and waits; `answer` decides. All tasks of a server end when its [`Served`] is
//! dropped. Nothing is bound to any other address.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, PoisonError, RwLock};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream, UdpSocket};
use tokio::sync::Semaphore;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{sleep, timeout};

use super::answer::{Reaction, respond};
use super::build::World;
use super::config::{TcpMode, Transport};
use super::fault::Role;
use super::limits::{
    BIND_TRIES_MAX, CONCURRENT_QUERIES_MAX, MESSAGE_OCTETS_MAX, TCP_CONNECTIONS_MAX, TCP_IDLE,
};
use super::log::QueryLog;

/// What all sockets share.
pub(super) struct Shared {
    pub(super) world: RwLock<Arc<World>>,
    pub(super) log: QueryLog,
}

impl Shared {
    /// The world as it is now.
    pub(super) fn world(&self) -> Arc<World> {
        Arc::clone(&self.world.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn respond(&self, role: &Role, transport: Transport, octets: &[u8]) -> Reaction {
        respond(&self.world(), &self.log, (role, transport), octets)
    }
}

/// One server's sockets; dropping it closes them.
pub(super) struct Served {
    pub(super) address: SocketAddr,
    tasks: Vec<AbortHandle>,
    /// Keeps a refused TCP port refused: nobody else can listen on its number.
    _held: Option<TcpSocket>,
}

/// The TCP side of a server.
enum TcpSide {
    /// Takes connections.
    Listening(TcpListener),
    /// Bound but not listening: connections are refused by the operating system.
    Held(TcpSocket),
}

impl Drop for Served {
    fn drop(&mut self) {
        self.tasks.iter().for_each(AbortHandle::abort);
    }
}

/// Opens the sockets of one server and starts answering.
pub(super) async fn serve(shared: &Arc<Shared>, role: Role, tcp: TcpMode) -> io::Result<Served> {
    let (udp, tcp) = bind(tcp).await?;
    let address = udp.local_addr()?;
    let mut tasks = vec![
        tokio::spawn(serve_udp(Arc::clone(shared), role.clone(), Arc::new(udp))).abort_handle(),
    ];
    let held = match tcp {
        TcpSide::Listening(listener) => {
            tasks.push(tokio::spawn(serve_tcp(Arc::clone(shared), role, listener)).abort_handle());
            None
        }
        TcpSide::Held(socket) => Some(socket),
    };
    Ok(Served { address, tasks, _held: held })
}

/// A UDP socket, and the same port number on TCP, listening if that is wanted.
async fn bind(tcp: TcpMode) -> io::Result<(UdpSocket, TcpSide)> {
    let mut last = io::Error::from(io::ErrorKind::AddrInUse);
    for _ in 0..BIND_TRIES_MAX {
        let udp = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = udp.local_addr()?;
        let side = match tcp {
            TcpMode::Refused => TcpSocket::new_v4().and_then(|socket| {
                socket.bind(address)?;
                Ok(TcpSide::Held(socket))
            }),
            TcpMode::Open => TcpListener::bind(address).await.map(TcpSide::Listening),
        };
        match side {
            Ok(side) => return Ok((udp, side)),
            Err(error) => last = error,
        }
    }
    Err(last)
}

async fn serve_udp(shared: Arc<Shared>, role: Role, socket: Arc<UdpSocket>) {
    let slots = Arc::new(Semaphore::new(CONCURRENT_QUERIES_MAX));
    let mut waiting = JoinSet::new();
    let mut buffer = vec![0; MESSAGE_OCTETS_MAX];
    loop {
        while waiting.try_join_next().is_some() {}
        // An error here is one client's unreachable port reported late; the socket stays good.
        let Ok((length, peer)) = socket.recv_from(&mut buffer).await else { continue };
        let octets = buffer.get(..length).unwrap_or_default();
        let Reaction::Send { octets, delay } = shared.respond(&role, Transport::Udp, octets) else {
            continue;
        };
        if delay.is_zero() {
            // A client that went away is no concern of the server.
            let _ = socket.send_to(&octets, peer).await;
        } else if let Ok(slot) = Arc::clone(&slots).try_acquire_owned() {
            let socket = Arc::clone(&socket);
            waiting.spawn(async move {
                sleep(delay).await;
                let _ = socket.send_to(&octets, peer).await;
                drop(slot);
            });
        }
    }
}

async fn serve_tcp(shared: Arc<Shared>, role: Role, listener: TcpListener) {
    let slots = Arc::new(Semaphore::new(TCP_CONNECTIONS_MAX));
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        let Ok(slot) = Arc::clone(&slots).acquire_owned().await else { return };
        let Ok((stream, _)) = listener.accept().await else { continue };
        let (shared, role) = (Arc::clone(&shared), role.clone());
        connections.spawn(async move {
            // Errors end this connection only.
            let _ = serve_stream(&shared, &role, stream).await;
            drop(slot);
        });
    }
}

/// Answers the messages of one connection in order until it is idle or closed.
async fn serve_stream(shared: &Shared, role: &Role, mut stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    loop {
        let length = match timeout(TCP_IDLE, stream.read_u16()).await {
            Ok(length) => usize::from(length?),
            Err(_) => return Ok(()),
        };
        let mut octets = vec![0; length];
        timeout(TCP_IDLE, stream.read_exact(&mut octets)).await??;
        match shared.respond(role, Transport::Tcp, &octets) {
            Reaction::Close => return Ok(()),
            Reaction::Silence => {}
            Reaction::Send { octets, delay } => {
                sleep(delay).await;
                let Ok(length) = u16::try_from(octets.len()) else { return Ok(()) };
                let mut framed = length.to_be_bytes().to_vec();
                framed.extend_from_slice(&octets);
                stream.write_all(&framed).await?;
            }
        }
    }
}
