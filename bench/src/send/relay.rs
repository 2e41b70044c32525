//! A relay between client and server that delays both directions and counts round trips: how often the
//! server answered something that the client had said. It reads no content, so TLS hides nothing from the
//! count.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Result;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::Instant;

/// Octets read at once; larger than any flight here.
const READ_OCTETS: usize = 16 * 1024;

/// A running relay; it ends with its runtime.
#[derive(Debug)]
pub(super) struct Relay {
    /// Where it listens.
    pub(super) address: SocketAddr,
    turns: Arc<AtomicU64>,
}

/// Which way octets go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Direction {
    FromClient,
    FromServer,
}

#[derive(Debug)]
struct Count {
    turns: Arc<AtomicU64>,
    client_spoke: AtomicBool,
}

impl Relay {
    /// Starts a relay to `server` with this delay each way.
    ///
    /// # Errors
    /// When no socket can be opened.
    pub(super) async fn start(server: SocketAddr, one_way: Duration) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let turns = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&turns);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let count =
                    Count { turns: Arc::clone(&counted), client_spoke: AtomicBool::new(false) };
                tokio::spawn(pass(client, server, one_way, count));
            }
        });
        Ok(Self { address, turns })
    }

    /// Round trips of all connections so far.
    pub(super) fn round_trips(&self) -> u64 {
        self.turns.load(Ordering::SeqCst)
    }
}

impl Count {
    fn note(&self, direction: Direction) {
        match direction {
            Direction::FromClient => self.client_spoke.store(true, Ordering::SeqCst),
            Direction::FromServer => {
                if self.client_spoke.swap(false, Ordering::SeqCst) {
                    self.turns.fetch_add(1, Ordering::SeqCst);
                }
            }
        }
    }
}

async fn pass(client: TcpStream, server: SocketAddr, one_way: Duration, count: Count) {
    tokio::time::sleep(one_way).await;
    let Ok(server) = TcpStream::connect(server).await else { return };
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    tokio::join!(
        carry(from_client, to_server, one_way, (&count, Direction::FromClient)),
        carry(from_server, to_client, one_way, (&count, Direction::FromServer)),
    );
}

/// Carries octets one way, each part as much later as the line is long.
async fn carry(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    one_way: Duration,
    (count, direction): (&Count, Direction),
) {
    let (sender, mut parts) = mpsc::unbounded_channel::<(Instant, Vec<u8>)>();
    let read = async move {
        let mut buffer = vec![0; READ_OCTETS];
        while let Ok(octets @ 1..) = from.read(&mut buffer).await {
            count.note(direction);
            let part = buffer.get(..octets).unwrap_or_default().to_vec();
            if sender.send((Instant::now() + one_way, part)).is_err() {
                return;
            }
        }
    };
    let write = async {
        while let Some((due, part)) = parts.recv().await {
            tokio::time::sleep_until(due).await;
            if to.write_all(&part).await.is_err() {
                return;
            }
        }
        let _ = to.shutdown().await;
    };
    tokio::join!(read, write);
}
