//! A started server: its address, and the promise that it is gone when the value is.
//!
//! The way in is [`Server::start`]; it returns only once the server accepts connections.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::clock;
use crate::command::Command;

/// How long a server may take until it accepts connections: they need 0.1 to 2 s on a busy machine.
const START_LIMIT: Duration = Duration::from_secs(30);
/// How long a server may take to end by itself before it is killed.
const STOP_LIMIT: Duration = Duration::from_secs(5);

/// A running server that listens; dropping it ends it.
#[derive(Debug)]
pub(crate) struct Server {
    /// Where it listens, on loopback.
    pub(crate) address: SocketAddr,
    /// The program itself.
    pub(crate) process: Process,
}

/// A running program; dropping it ends it.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
}

impl Server {
    /// Starts `command`, which stays in the foreground and listens on `address`, and waits until it
    /// accepts. What it writes goes to `out` in `folder`.
    ///
    /// # Errors
    /// When it cannot be started, ends at once, or does not accept in time; with what it wrote.
    pub(crate) fn start(command: Command, address: SocketAddr, folder: &Path) -> Result<Self> {
        let process = Process::start(command, folder, || TcpStream::connect(address).is_ok())?;
        Ok(Self { address, process })
    }
}

impl Process {
    /// Starts `command`, which stays in the foreground, and waits until it is `ready`. What it writes
    /// goes to `out` in `folder`.
    ///
    /// # Errors
    /// When it cannot be started, ends at once, or is not ready in time; with what it wrote.
    pub(crate) fn start(command: Command, folder: &Path, ready: impl Fn() -> bool) -> Result<Self> {
        use std::os::unix::process::CommandExt as _;
        let out = std::fs::File::create(folder.join("out"))?;
        let mut process = command.into_process();
        process.stdout(out.try_clone()?).stderr(out).stdin(Stdio::null());
        // Postfix's master kills its process group when it ends, so each server gets its own.
        process.process_group(0);
        let child = process.spawn().context("starting a server")?;
        let mut process = Self { child };
        let mut ended = false;
        let started = clock::until(START_LIMIT, || {
            ended = matches!(process.child.try_wait(), Ok(Some(_)));
            ended || ready()
        });
        if started && !ended {
            return Ok(process);
        }
        let wrote = std::fs::read_to_string(folder.join("out")).unwrap_or_default();
        let log = std::fs::read_to_string(folder.join("log")).unwrap_or_default();
        bail!("the server in {} did not start\n{wrote}{log}", folder.display())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let id = self.child.id().to_string();
        let asked = Command::new("kill").args(["-TERM", &id]).output();
        let ended = asked.is_ok()
            && clock::until(STOP_LIMIT, || matches!(self.child.try_wait(), Ok(Some(_))));
        if !ended {
            let group = format!("-{id}");
            let _ = Command::new("kill").args(["-KILL", "--", &group]).output();
            let _ = self.child.wait();
        }
    }
}

/// A loopback port that was free a moment ago.
///
/// # Errors
/// When the machine has no free port.
pub(crate) fn free_port() -> Result<u16> {
    let listener =
        TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("looking for a free port")?;
    Ok(listener.local_addr()?.port())
}
