//! `waxseal check DOMAIN…`: one use case per domain, its report in the shape that was asked for. Reports
//! appear in the order of the domains; progress goes to standard error, and only to people.

use super::error::CliError;
use super::exit::Exit;
use super::world::{Simulation, WorldSource};
use super::{block_on, output};
use crate::config::{self, NetworkFlags};
use crate::escape;
use crate::limits::{DOMAINS_AT_ONCE, LAB_SURVEY};
use crate::render::{self, Format, Layout, Palette};
use clap::Args;
use futures::StreamExt;
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use waxseal_app::world::World;
use waxseal_app::{CheckRequest, Progress, check_domain};
use waxseal_check::report::wire::ReportV1;
use waxseal_check::report::{FailOn, exit_status};
use waxseal_check::survey::{Area, Depth};
use waxseal_proto::name::DomainName;

/// Areas of the report that this version does not check yet.
const AREAS_LATER: [&str; 8] =
    ["spf", "dkim", "dmarc", "alignment", "dane", "ptr", "reputation", "sender-trust"];

/// `waxseal check`.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    waxseal check example.com\n  \
    waxseal check example.com example.net --json\n  \
    waxseal check --only mx --expect-mx mx1.example.net,mx2.example.net example.com\n  \
    waxseal check --format html --output report.html example.com\n  \
    waxseal check --zone-file zone.json --connect mx.example.com=127.0.0.1:2525 --allow-private example.com\n\n\
    Exit status: 0 good, 1 a problem was found, 2 bad usage or input, 3 could not be determined.")]
pub(crate) struct Check {
    /// Domains; an address or URL is reduced to its domain
    #[arg(required = true, value_name = "DOMAIN")]
    targets: Vec<OsString>,
    /// Print JSON: one object, or one per line for several domains
    #[arg(long, conflicts_with = "format")]
    json: bool,
    /// Shape of the report
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Write the report to this file instead of standard output
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Look at these areas only: mx, tls, mta-sts, tls-rpt
    #[arg(long, value_name = "AREA", value_delimiter = ',')]
    only: Vec<String>,
    /// The MX hosts your provider's page lists, to compare with
    #[arg(long, value_name = "HOST", value_delimiter = ',')]
    expect_mx: Vec<String>,
    /// Port of the mail hosts
    #[arg(long, default_value = "25")]
    port: String,
    /// From which severity on the exit status is 1
    #[arg(long, value_enum, value_name = "SEVERITY", default_value_t)]
    fail_on: Severity,
    /// One session per address only; look-alike faults are then not told apart
    #[arg(long)]
    one_session: bool,
    #[command(flatten)]
    network: NetworkFlags,
    #[command(flatten)]
    simulation: Simulation,
}

/// From which severity on a finding is a problem.
#[derive(Clone, Copy, Debug, Default, clap::ValueEnum)]
enum Severity {
    /// Only what fails
    #[default]
    Fail,
    /// Weaknesses too
    Warn,
}

impl From<Severity> for FailOn {
    fn from(severity: Severity) -> Self {
        match severity {
            Severity::Fail => Self::Fail,
            Severity::Warn => Self::Warn,
        }
    }
}

pub(super) fn run(
    check: &Check,
    config: Option<&Path>,
    source: &WorldSource,
) -> Result<Exit, CliError> {
    let settings = config::load(config, &check.network)?;
    let mut template = CheckRequest::full("");
    template.areas = areas(&check.only)?;
    template.expected_mx = expected_mx(&check.expect_mx)?;
    template.controls = config::control_hosts(&settings)?;
    if check.one_session {
        template.depth = Depth::OneSession;
    }
    if source.is_lab() {
        template.limits.survey_total = LAB_SURVEY;
    }
    let requests = requests(check, &template);
    let world = source.open(&settings, &check.simulation)?;
    block_on(async { run_all(check, &world, &requests).await })
}

/// One request per domain. A port that is none is a fault of the input, with its own finding.
fn requests(check: &Check, template: &CheckRequest) -> Vec<CheckRequest> {
    let port = check.port.parse::<u16>().ok().filter(|port| *port > 0);
    check
        .targets
        .iter()
        .map(|target| {
            let mut request = template.clone();
            let typed = target.to_string_lossy();
            request.input = match port {
                Some(_) => typed.into_owned(),
                None => format!("{typed}:{}", check.port),
            };
            request.port = port.unwrap_or(request.port);
            request
        })
        .collect()
}

fn areas(only: &[String]) -> Result<Vec<Area>, CliError> {
    if only.is_empty() {
        return Ok(Area::ALL.to_vec());
    }
    only.iter()
        .map(|word| {
            let known = Area::ALL.map(Area::as_str).join(", ");
            Area::parse(word).ok_or_else(|| {
                if AREAS_LATER.contains(&word.as_str()) {
                    CliError::usage(format!("--only {word}: not checked by this version"))
                } else {
                    CliError::usage(format!("--only {word}: no such area"))
                }
                .hint(format!("areas: {known}"))
            })
        })
        .collect()
}

/// The hosts of `--expect-mx`; a preference before the name, as provider pages write it, is left out.
fn expected_mx(hosts: &[String]) -> Result<Vec<DomainName>, CliError> {
    hosts
        .iter()
        .map(|host| {
            let name = host.split_whitespace().last().unwrap_or_default();
            DomainName::parse(name)
                .map_err(|error| CliError::usage(format!("--expect-mx {host}: {error}")))
        })
        .collect()
}

async fn run_all(
    check: &Check,
    world: &World,
    requests: &[CheckRequest],
) -> Result<Exit, CliError> {
    let watcher = Watcher::default();
    let watcher = &watcher;
    let mut running = futures::stream::iter(requests)
        .map(|request| async move {
            check_domain(world, request, &|progress| watcher.show(&progress)).await.report
        })
        .buffered(DOMAINS_AT_ONCE);
    let mut sink = Sink::new(check);
    let mut exit = Exit::Good;
    while let Some(report) = running.next().await {
        exit = exit.and(Exit::from_number(exit_status(&report, sink.fail_on)));
        sink.take(report)?;
    }
    sink.finish(check.output.as_deref())?;
    Ok(exit)
}

/// Where reports go: each at once to standard output where the format allows it, else all together.
struct Sink {
    format: Format,
    fail_on: FailOn,
    layout: Layout,
    streams: bool,
    written: usize,
    kept: Vec<ReportV1>,
}

impl Sink {
    fn new(check: &Check) -> Self {
        let format = if check.json { Format::Json } else { check.format };
        let to_file = check.output.is_some();
        let palette = if to_file { Palette::plain() } else { output::palette() };
        Self {
            format,
            fail_on: FailOn::from(check.fail_on),
            layout: Layout { palette, width: output::width() },
            streams: !to_file && matches!(format, Format::Json | Format::Text),
            written: 0,
            kept: Vec::new(),
        }
    }

    fn take(&mut self, report: ReportV1) -> Result<(), CliError> {
        if !self.streams {
            self.kept.push(report);
            return Ok(());
        }
        if self.written > 0 && self.format == Format::Text {
            output::data("\n")?;
        }
        self.written += 1;
        output::data(&render::reports(&[report], self.format, self.fail_on, self.layout)?)
    }

    fn finish(&self, file: Option<&Path>) -> Result<(), CliError> {
        if self.streams {
            return Ok(());
        }
        let text = render::reports(&self.kept, self.format, self.fail_on, self.layout)?;
        match file {
            Some(path) => std::fs::write(path, text).map_err(|error| CliError::file(path, &error)),
            None => output::data(&text),
        }
    }
}

/// One line per address of a mail host on standard error, for people only.
#[derive(Debug, Default)]
struct Watcher {
    shown: Mutex<BTreeSet<(String, IpAddr)>>,
}

impl Watcher {
    fn show(&self, progress: &Progress) {
        let Progress::ProbeBegan { host, address } = progress else { return };
        if !output::is_watched() {
            return;
        }
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        if shown.insert((host.clone(), *address)) {
            output::note(&escape::line(&format!("{host} [{address}]: looking")));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn areas_of_later_versions_are_refused_by_name() {
        let list =
            |words: &[&str]| areas(&words.iter().map(ToString::to_string).collect::<Vec<_>>());
        assert_eq!(list(&[]).unwrap(), Area::ALL);
        assert_eq!(list(&["mx", "tls-rpt"]).unwrap(), [Area::Mx, Area::TlsRpt]);
        let later = list(&["mx", "dmarc"]).unwrap_err().line();
        assert!(later.contains("dmarc: not checked by this version"), "{later}");
        let unknown = list(&["mxx"]).unwrap_err().line();
        assert!(unknown.contains("mxx: no such area"), "{unknown}");
    }

    #[test]
    fn expected_hosts_may_carry_a_preference() {
        let hosts = expected_mx(&["10 mx.example.net".to_owned()]).unwrap();
        assert_eq!(hosts[0].as_str(), "mx.example.net");
        assert!(expected_mx(&["a b c..".to_owned()]).is_err());
    }
}
