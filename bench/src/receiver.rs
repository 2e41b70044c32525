//! The receiving side as a process of its own: DNS of the lab for so many domains, and for each a cheap
//! STARTTLS server (RFC 3207) on a loopback address of its own. It does only what a session needs, so
//! that the two processors are left to the contenders. Ends with its standard input; the way in is [`run`].

use std::io::BufRead;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, Result};
use nix::sys::resource::{UsageWho, getrusage};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use waxseal_lab::control::{Lab, LabOptions, LabParts, Listen, Route};
use waxseal_lab::scenario::Scenario;

use crate::arguments::Arguments;
use crate::machine;
use crate::measure::cpu_s;
use crate::pki::{KeyKind, Pki};
use crate::postfix;
use crate::targets::{self, Target};

/// The port of mail (RFC 5321 §4.5.4.2).
const SMTP_PORT: u16 = 25;
/// A command line longer than this ends a session (RFC 5321 §4.5.3.1.4: 512).
const LINE_OCTETS_MAX: usize = 512;

/// What a receiver has done so far.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Tally {
    /// Connections taken by the mail servers.
    pub(crate) connections: u64,
    /// CPU time of the process in seconds.
    pub(crate) cpu_s: f64,
}

/// Starts everything, prints `ready`, and answers every line of input with a [`Tally`].
///
/// # Errors
/// When a part cannot be started.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let folder = arguments.folder()?;
    let kind = KeyKind::parse(arguments.required("key")?)?;
    let domains = arguments.number("domains", 1000)?;
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let connections = Arc::new(AtomicU64::new(0));
    let _lab = runtime.block_on(start(&folder, kind, domains, &connections))?;
    println!("ready");
    for line in std::io::stdin().lock().lines() {
        line?;
        let usage = getrusage(UsageWho::RUSAGE_SELF)?;
        let connections = connections.load(Ordering::Relaxed);
        println!("{}", serde_json::to_string(&Tally { connections, cpu_s: cpu_s(&usage) })?);
    }
    Ok(())
}

async fn start(
    folder: &Path,
    kind: KeyKind,
    domains: usize,
    connections: &Arc<AtomicU64>,
) -> Result<Lab> {
    let now = machine::now();
    let pki = Pki::new(kind, now)?;
    let scenarios: Vec<Scenario> = (1..=domains).map(scenario).collect::<Result<_>>()?;
    let listen = Listen::DistinctAddresses;
    let lab = Lab::start(&scenarios, LabOptions { now: now.as_second(), listen }).await?;
    let mut parts = lab.world();
    let mut list = Vec::new();
    let mut port = 0;
    let key = rustls::crypto::aws_lc_rs::sign::any_supported_type(&pki.leaf_key())?;
    for scenario in &scenarios {
        let host = scenario.absolute("mx");
        let published = *lab.addresses(&host).first().context("a host without address")?;
        let listener = TcpListener::bind((loopback(published)?, port)).await?;
        let socket = listener.local_addr()?;
        port = socket.port();
        let certified = CertifiedKey::new(pki.chain(&host)?, Arc::clone(&key));
        let acceptor = acceptor(certified)?;
        tokio::spawn(serve(listener, acceptor, Arc::clone(connections)));
        route(&mut parts, published, socket);
        list.push(Target { domain: scenario.domain.clone(), host, socket });
    }
    parts.roots_pem.push_str(pki.root_pem());
    write(folder, &parts, &list, &pki)?;
    Ok(lab)
}

/// One domain with one MX host and a reporting record; the lab's own mail server stays closed, because the
/// cheap one takes its place.
fn scenario(number: usize) -> Result<Scenario> {
    let text = "title = 'bench'\nkind = 'healthy'\n\
                [[host]]\nname = 'mx'\nmx = 10\nsmtp = [{ state = 'closed' }]\n[rpt]\n";
    Ok(Scenario::parse(&format!("bench/d{number:04}"), text)?)
}

/// The lab's rule: 198.19.x.y answers at 127.19.x.y.
fn loopback(published: IpAddr) -> Result<Ipv4Addr> {
    let IpAddr::V4(published) = published else { anyhow::bail!("{published} is not IPv4") };
    let [_, second, third, fourth] = published.octets();
    Ok(Ipv4Addr::new(127, second, third, fourth))
}

fn route(parts: &mut LabParts, published: IpAddr, socket: SocketAddr) {
    for (key, route) in &mut parts.routes {
        if *key == (published, SMTP_PORT) {
            *route = Route::Socket(socket);
        }
    }
}

fn write(folder: &Path, parts: &LabParts, list: &[Target], pki: &Pki) -> Result<()> {
    std::fs::write(folder.join("parts.json"), serde_json::to_string(parts)?)?;
    std::fs::write(folder.join("ca.pem"), pki.root_pem())?;
    std::fs::write(folder.join("zone.json"), targets::zone_file(list)?)?;
    let server = pki.key_and_chain_pem(&format!("*.{}", postfix::HOSTS))?;
    std::fs::write(folder.join("server.pem"), server)?;
    targets::write(folder, list)
}

#[derive(Debug)]
struct One(Arc<CertifiedKey>);

impl ResolvesServerCert for One {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }
}

fn acceptor(certified: CertifiedKey) -> Result<TlsAcceptor> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(One(Arc::new(certified))));
    Ok(TlsAcceptor::from(Arc::new(config)))
}

async fn serve(listener: TcpListener, acceptor: TlsAcceptor, connections: Arc<AtomicU64>) {
    while let Ok((stream, _)) = listener.accept().await {
        connections.fetch_add(1, Ordering::Relaxed);
        let acceptor = acceptor.clone();
        // What a client does wrong is its own loss; the contender counts its hosts.
        tokio::spawn(async move { session(stream, acceptor).await.ok() });
    }
}

async fn session(mut stream: TcpStream, acceptor: TlsAcceptor) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    stream.write_all(b"220 bench ESMTP\r\n").await?;
    if !answer(&mut stream, b"250-bench\r\n250-PIPELINING\r\n250 STARTTLS\r\n").await? {
        return Ok(());
    }
    let mut stream = acceptor.accept(stream).await?;
    answer(&mut stream, b"250-bench\r\n250 PIPELINING\r\n").await?;
    stream.shutdown().await
}

/// Answers EHLO with `features` until STARTTLS (true) or the end of the session (false).
async fn answer(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    features: &[u8],
) -> std::io::Result<bool> {
    let mut line = Vec::with_capacity(LINE_OCTETS_MAX);
    let mut buffer = [0; LINE_OCTETS_MAX];
    loop {
        let count = stream.read(&mut buffer).await?;
        line.extend_from_slice(buffer.get(..count).unwrap_or_default());
        if count == 0 || line.len() > LINE_OCTETS_MAX {
            return Ok(false);
        }
        if !line.ends_with(b"\r\n") {
            continue;
        }
        let verb = line.get(..4).unwrap_or_default().to_ascii_uppercase();
        line.clear();
        let (reply, end) = match verb.as_slice() {
            b"EHLO" => (features, None),
            b"STAR" => (&b"220 go ahead\r\n"[..], Some(true)),
            b"QUIT" => (&b"221 bye\r\n"[..], Some(false)),
            _ => (&b"502 not here\r\n"[..], None),
        };
        stream.write_all(reply).await?;
        stream.flush().await?;
        if let Some(end) = end {
            return Ok(end);
        }
    }
}
