//! The product as contender: one process that checks every domain of a receiver through
//! [`check_domain`], so many at once, and makes the whole report for each. The way in is [`run`].

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context, Result, bail, ensure};
use jiff::Timestamp;
use waxseal_app::world::World;
use waxseal_app::world::{self, Parts, PrivateTargets, Route, Settings, SimulationOptions, Waits};
use waxseal_app::{CheckRequest, check_domain};
use waxseal_check::report::wire::VerdictV1;
use waxseal_check::survey::{Area, Depth};
use waxseal_lab::control::{LabParts, Route as LabRoute};

use crate::arguments::Arguments;
use crate::targets::{self, Target};

/// What is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scope {
    /// Every area with one session for each address.
    OneSession,
    /// Every area with follow-up sessions.
    Full,
    /// Everything that DNS alone tells.
    DnsOnly,
}

/// Checks every domain and fails unless each report says what a healthy domain must get.
///
/// # Errors
/// When the world cannot be set up or a domain gets another verdict.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let folder = arguments.folder()?;
    let at_once = arguments.number("at-once", 50)?;
    let scope = match arguments.required("scope")? {
        "one-session" => Scope::OneSession,
        "full" => Scope::Full,
        "dns" => Scope::DnsOnly,
        other => bail!("no scope is called '{other}'"),
    };
    let targets = Arc::new(targets::read(&folder)?);
    let port = targets.first().context("no target")?.socket.port();
    let (world, port) = match arguments.required("dns")? {
        "file" => (from_zone_file(&folder)?, port),
        "lab" => (from_lab(&folder)?, 25),
        other => bail!("no DNS is called '{other}'"),
    };
    let world = Arc::new(world);
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let next = Arc::new(AtomicUsize::new(0));
    runtime.block_on(async {
        let mut workers = tokio::task::JoinSet::new();
        for _ in 0..at_once {
            let (targets, next, world) =
                (Arc::clone(&targets), Arc::clone(&next), Arc::clone(&world));
            workers.spawn(async move {
                while let Some(target) = targets.get(next.fetch_add(1, Ordering::Relaxed)) {
                    Box::pin(check(&world, target, scope, port)).await?;
                }
                anyhow::Ok(())
            });
        }
        while let Some(ended) = workers.join_next().await {
            ended??;
        }
        Ok(())
    })
}

async fn check(world: &World, target: &Target, scope: Scope, port: u16) -> Result<()> {
    let mut request = CheckRequest::full(target.domain.as_str());
    request.port = port;
    match scope {
        Scope::Full => {}
        Scope::OneSession => request.depth = Depth::OneSession,
        Scope::DnsOnly => request.areas = vec![Area::Mx, Area::MtaSts, Area::TlsRpt],
    }
    let report = check_domain(world, &request, &|_| {}).await.report;
    let domain = &target.domain;
    ensure!(report.mx_status == "found", "{domain}: MX records {}", report.mx_status);
    ensure!(report.tls_rpt.is_some(), "{domain}: no TLS reporting record");
    if scope != Scope::DnsOnly {
        let codes: Vec<&str> = report.findings.iter().map(|found| found.code.as_str()).collect();
        let verdict = report.verdict;
        ensure!(verdict == VerdictV1::Pass, "{domain}: {verdict:?}: {}", codes.join(", "));
    }
    Ok(())
}

/// A world whose DNS comes from a file: no DNS traffic and no validation.
fn from_zone_file(folder: &Path) -> Result<World> {
    let options = SimulationOptions {
        roots_pem: Some(std::fs::read(folder.join("ca.pem"))?),
        zone_file: Some(std::fs::read_to_string(folder.join("zone.json"))?),
        private_targets: PrivateTargets::Allowed,
        ..SimulationOptions::default()
    };
    Ok(world::real(Settings { options, ..Settings::default() })?)
}

/// The world of the lab: its resolver, validated with its trust anchor.
fn from_lab(folder: &Path) -> Result<World> {
    let parts = LabParts::read(folder)?;
    let routes = parts.routes.into_iter().map(|(key, route)| {
        let route = match route {
            LabRoute::Socket(socket) => Route::Socket(socket),
            LabRoute::Unanswered => Route::Unanswered,
            LabRoute::Unreachable => Route::Unreachable,
        };
        (key, route)
    });
    Ok(world::simulated(Parts {
        resolver: parts.resolver,
        trust_anchor: parts.trust_anchor,
        routes: routes.collect(),
        roots_pem: parts.roots_pem,
        now: Some(Timestamp::from_second(parts.now)?),
        waits: Waits::default(),
    })?)
}
