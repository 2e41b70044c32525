//! `send`: one message over a healthy submission server on loopback (RFC 6409), by the product and by what
//! people have at hand, in turn, in both modes, without latency and with some on the way.
//!
//! Round trips are counted on the wire by the relay, never derived from a log. A contender that did not
//! hand over exactly one message in a run is an error, and so is a product that needs more round trips than
//! the protocol. The way in is [`run`].

mod contenders;
pub(crate) mod dialogue;
mod relay;
mod server;
mod table;

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::arguments::Arguments;
use crate::contenders::Tools;
use crate::machine;
use crate::measure::{Cost, measured};
use crate::pki::{KeyKind, Pki};
use contenders::{Contender, Job};
use relay::Relay;
use server::Mailbox;

/// The name in the certificate.
const HOST: &str = "smtp.bench.test";
/// Latency of the slow line, each way.
const ONE_WAY: Duration = Duration::from_millis(15);
/// Counted runs of each contender in each row.
const RUNS: usize = 30;

/// How a session is secured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Mode {
    Starttls,
    Tls,
}

impl Mode {
    const ALL: [Self; 2] = [Self::Starttls, Self::Tls];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Starttls => "starttls",
            Self::Tls => "tls",
        }
    }

    /// Round trips after the connection that a message needs, signed in with an initial response and with
    /// PIPELINING (RFC 2920): STARTTLS has EHLO, STARTTLS, ClientHello, Finished with EHLO, AUTH, the group
    /// of MAIL to DATA, the message, QUIT. TLS from the start has ClientHello, Finished (answered by the
    /// greeting), EHLO, AUTH, the group, the message, QUIT.
    const fn round_trips_needed(self) -> u64 {
        match self {
            Self::Starttls => 8,
            Self::Tls => 7,
        }
    }
}

/// One counted run.
#[derive(Clone, Copy, Debug)]
struct Sample {
    cost: Cost,
    round_trips: Option<u64>,
}

/// The runs of one contender in one mode over one line.
#[derive(Debug)]
struct Row {
    mode: Mode,
    line: Line,
    contender: Contender,
    samples: Vec<Sample>,
}

/// What lies between client and server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Line {
    Loopback,
    Slow,
}

/// Where a server answers.
struct Doors {
    direct: SocketAddr,
    relay: Relay,
}

/// Measures, prints the tables, and writes them into the document named by `--out`.
///
/// # Errors
/// When a server does not start, a contender does not hand its message over, or the product needs more
/// round trips than the protocol.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let runs = arguments.number("rounds", if arguments.has("quick") { 5 } else { RUNS })?;
    ensure!(runs > 0, "nothing to measure");
    let folder = tempfile::Builder::new().prefix("waxseal-bench-").tempdir()?;
    let tools = Tools::new(arguments.text("peers"), folder.path())?;
    let pki = Pki::new(KeyKind::Ecdsa, machine::now())?;
    std::fs::write(folder.path().join("ca.pem"), pki.root_pem())?;
    std::fs::write(folder.path().join("password"), contenders::PASSWORD)?;
    std::fs::write(folder.path().join("message"), contenders::MESSAGE)?;
    // No contender asks DNS: the others are given the address.
    let record = serde_json::json!({ "name": HOST, "type": "A", "data": ["127.0.0.1"] });
    let zone = serde_json::json!({ "records": [record], "secure": [] }).to_string();
    std::fs::write(folder.path().join("zone.json"), zone)?;
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let mailbox = Mailbox::default();
    let mut rows = Vec::new();
    for mode in Mode::ALL {
        let doors = runtime.block_on(async {
            let direct = server::start(&pki, mode, &mailbox).await?;
            anyhow::Ok(Doors { direct, relay: Relay::start(direct, ONE_WAY).await? })
        })?;
        for line in [Line::Loopback, Line::Slow] {
            let job = Job {
                binary: arguments.required("waxseal")?,
                peers: tools.peers(),
                folder: folder.path(),
                mode,
                address: match line {
                    Line::Loopback => doors.direct,
                    Line::Slow => doors.relay.address,
                },
            };
            rows.extend(measure(&job, line, &doors.relay, (&mailbox, runs))?);
        }
    }
    let document = table::document(&rows, &machine::lines(&tools), runs);
    println!("{document}");
    if let Some(path) = arguments.text("out") {
        table::write(Path::new(path), &document)?;
    }
    judge(&rows)
}

/// Every contender once a round, in turn; the first round warms caches and is not counted.
fn measure(
    job: &Job<'_>,
    line: Line,
    relay: &Relay,
    (mailbox, runs): (&Mailbox, usize),
) -> Result<Vec<Row>> {
    let mode = job.mode;
    let present = Contender::ALL.into_iter().filter(|each| each.is_there(job));
    let row = |contender| Row { mode, line, contender, samples: Vec::new() };
    let mut rows: Vec<Row> = present.map(row).collect();
    for round in 0..=runs {
        for row in &mut rows {
            let before = (mailbox.messages(), relay.round_trips());
            let complaints = job.folder.join("complaints");
            let mut command = row.contender.command(job)?;
            let cost = measured(&mut command, &complaints)
                .with_context(|| format!("{}, {}", row.contender.label(), mode.as_str()))?;
            let messages = mailbox.messages() - before.0;
            ensure!(messages == 1, "{} handed over {messages} messages", row.contender.label());
            let turns = relay.round_trips() - before.1;
            let round_trips = (line == Line::Slow).then_some(turns);
            if round > 0 {
                row.samples.push(Sample { cost, round_trips });
            }
        }
    }
    Ok(rows)
}

/// The product may not need more than the protocol does.
fn judge(rows: &[Row]) -> Result<()> {
    for row in rows.iter().filter(|row| row.contender == Contender::Waxseal) {
        let most = row.samples.iter().filter_map(|sample| sample.round_trips).max();
        let needed = row.mode.round_trips_needed();
        ensure!(
            most.is_none_or(|most| most <= needed),
            "{} took {most:?} round trips, the protocol needs {needed}",
            row.mode.as_str()
        );
    }
    Ok(())
}
