//! `check`: starts the receivers, lets every contender probe all hosts in turn, several rounds, and writes
//! the table. The first round warms caches and is not counted. The way in is [`run`].

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context, Result, ensure};

use crate::arguments::Arguments;
use crate::contenders::{Contender, Tools};
use crate::measure::{Cost, measured};
use crate::pki::KeyKind;
use crate::postfix::Postfix;
use crate::receiver::Tally;
use crate::{document, machine};

/// One measured run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    /// What the contender cost.
    pub(crate) cost: Cost,
    /// TCP connections to the mail servers, or with Postfix all there were.
    pub(crate) connections: Option<u64>,
    /// CPU time of the receiver's process in seconds.
    pub(crate) receiver_cpu_s: Option<f64>,
    /// Processors kept busy by anything else meanwhile.
    pub(crate) others: Option<f64>,
}

/// The runs against one receiver.
#[derive(Debug)]
pub(crate) struct Group {
    /// The receiver in words.
    pub(crate) title: String,
    /// Runs by contender.
    pub(crate) samples: BTreeMap<Contender, Vec<Sample>>,
}

/// How much is measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Extent {
    /// Domains of a receiver.
    pub(crate) domains: usize,
    /// Counted rounds.
    pub(crate) rounds: usize,
}

enum Receiver {
    Cheap { child: Child, input: ChildStdin, output: BufReader<ChildStdout>, folder: PathBuf },
    Postfix { _running: Postfix, folder: PathBuf },
}

/// Measures, prints the tables, and writes them into the document named by `--out`.
///
/// # Errors
/// When a receiver does not start or a contender does not finish.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let quick = arguments.has("quick");
    let extent = Extent {
        domains: arguments.number("domains", if quick { 200 } else { 1000 })?,
        rounds: arguments.number("rounds", if quick { 1 } else { 3 })?,
    };
    ensure!(extent.domains > 0 && extent.rounds > 0, "nothing to measure");
    let folder = tempfile::Builder::new().prefix("waxseal-bench-").tempdir()?;
    let tools = Tools::new(arguments.text("peers"), folder.path())?;
    let mut groups = Vec::new();
    let mut receivers = Vec::new();
    for kind in KeyKind::ALL {
        receivers.push((
            format!("Cheap receiver, {}", kind.words()),
            cheap(&folder.path().join(kind.as_str()), kind, extent.domains)?,
        ));
    }
    if let Some(root) = tools.peers().filter(|_| machine::is_private_network()) {
        let (like, own) = (folder.path().join("rsa"), folder.path().join("postfix"));
        let running = Postfix::start(root, &like, &own)?;
        let title = format!("Postfix, {}", KeyKind::Rsa.words());
        receivers.push((title, Receiver::Postfix { _running: running, folder: own }));
    }
    for (title, mut receiver) in receivers {
        let samples = measure_all(&tools, &mut receiver, extent.rounds)?;
        receiver.end();
        let group = Group { title, samples };
        print!("{}", document::table(&group, extent.domains));
        groups.push(group);
    }
    match arguments.text("out") {
        Some(path) => document::write(Path::new(path), &groups, extent, &machine::lines(&tools)),
        None => Ok(()),
    }
}

fn measure_all(
    tools: &Tools,
    receiver: &mut Receiver,
    rounds: usize,
) -> Result<BTreeMap<Contender, Vec<Sample>>> {
    let mut samples: BTreeMap<Contender, Vec<Sample>> = BTreeMap::new();
    for round in 0..=rounds {
        for contender in Contender::ALL {
            let absent = contender.needs_lab_dns() && receiver.is_postfix();
            if absent || !tools.has(contender) {
                continue;
            }
            let sample = one(tools, receiver, contender)?;
            if round > 0 {
                samples.entry(contender).or_default().push(sample);
            }
        }
        eprintln!("bench: round {round} of {rounds}");
    }
    Ok(samples)
}

fn one(tools: &Tools, receiver: &mut Receiver, contender: Contender) -> Result<Sample> {
    let mut command = tools.command(contender, receiver.folder())?;
    let complaints = receiver.folder().join("complaints.txt");
    let (before, busy) = (receiver.tally()?, machine::busy_s());
    let cost = measured(&mut command, &complaints)?;
    let (after, busy_after) = (receiver.tally()?, machine::busy_s());
    let receiver_cpu_s = before.cpu_s.zip(after.cpu_s).map(|(before, after)| after - before);
    let others = busy.zip(busy_after).zip(receiver_cpu_s).map(|((before, after), receiver)| {
        ((after - before - receiver - cost.cpu_s) / cost.wall_s).max(0.0)
    });
    let connections =
        before.connections.zip(after.connections).map(|(before, after)| after - before);
    Ok(Sample { cost, connections, receiver_cpu_s, others })
}

/// What a receiver can tell.
struct Told {
    connections: Option<u64>,
    cpu_s: Option<f64>,
}

impl Receiver {
    fn folder(&self) -> &Path {
        match self {
            Self::Cheap { folder, .. } | Self::Postfix { folder, .. } => folder,
        }
    }

    const fn is_postfix(&self) -> bool {
        matches!(self, Self::Postfix { .. })
    }

    fn tally(&mut self) -> Result<Told> {
        match self {
            Self::Cheap { input, output, .. } => {
                writeln!(input, "tally")?;
                let mut line = String::new();
                output.read_line(&mut line)?;
                let tally: Tally = serde_json::from_str(&line).context("the receiver's tally")?;
                Ok(Told { connections: Some(tally.connections), cpu_s: Some(tally.cpu_s) })
            }
            Self::Postfix { .. } => {
                Ok(Told { connections: machine::opened_connections(), cpu_s: None })
            }
        }
    }

    fn end(self) {
        match self {
            Self::Cheap { mut child, input, .. } => {
                drop(input);
                // It ends with its input; how does not matter any more.
                let _ = child.wait();
            }
            Self::Postfix { .. } => {}
        }
    }
}

fn cheap(folder: &Path, kind: KeyKind, domains: usize) -> Result<Receiver> {
    std::fs::create_dir_all(folder)?;
    let mut child = Command::new(std::env::current_exe()?)
        .args(["receiver", "--key", kind.as_str(), "--domains", &domains.to_string(), "--folder"])
        .arg(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context("starting the receiver")?;
    let input = child.stdin.take().context("the receiver's input")?;
    let mut output = BufReader::new(child.stdout.take().context("the receiver's output")?);
    let mut line = String::new();
    output.read_line(&mut line)?;
    ensure!(line == "ready\n", "the receiver did not start");
    Ok(Receiver::Cheap { child, input, output, folder: folder.to_owned() })
}
