//! `web`: the guide page and a report page of `waxseal lab serve`, loaded with wrk at 50 connections, beside a
//! bare hyper server and nginx that answer the same octets; then single requests and the weight of pages.
//!
//! Every row of a table was measured in the same run, in turn. An answer that is not 200 is an error, never
//! a fast row. The way in is [`run`].

mod document;
pub(crate) mod floor;
mod load;
mod servers;
mod single;

use std::path::Path;

use anyhow::{Context, Result, ensure};

use crate::arguments::Arguments;
use crate::contenders::Tools;
use crate::machine;
use load::Load;
use servers::{Contender, Folder, Server};
use single::Single;

/// Connections that wrk keeps open.
const CONNECTIONS: usize = 50;

/// The guide page that is measured.
const GUIDE: &str = "/guides/tls";

/// The lab domain whose report is measured: two hosts, three addresses, a policy.
const DOMAIN: &str = "healthy-two-hosts.test";

/// A page: its name in tables and its path.
#[derive(Clone, Debug)]
struct Page {
    title: &'static str,
    path: String,
    /// The content, which the other contenders answer too.
    body: Vec<u8>,
}

/// The runs of one contender with one page.
#[derive(Debug)]
struct Row {
    page: &'static str,
    contender: Contender,
    loads: Vec<Load>,
}

/// How much is measured.
#[derive(Clone, Copy, Debug)]
struct Extent {
    /// Of one run of wrk.
    seconds: usize,
    rounds: usize,
    /// Single requests of each page.
    requests: usize,
}

/// Measures, prints the tables, and writes them into the document named by `--out`.
///
/// # Errors
/// When wrk is missing, a server does not start, or an answer is not what it should be.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let extent = if arguments.has("quick") {
        Extent { seconds: 2, rounds: 1, requests: 50 }
    } else {
        Extent { seconds: 10, rounds: 3, requests: 500 }
    };
    load::is_there()?;
    let folder = tempfile::Builder::new().prefix("waxseal-bench-").tempdir()?;
    let tools = Tools::new(None, folder.path())?;
    let binary = arguments.required("waxseal")?;
    let site = Server::waxseal(binary, folder.path())?;
    let pages = pages(&site)?;
    let files = Folder::new(folder.path(), &pages)?;
    let mut servers = vec![site, Server::floor(&files)?];
    servers.extend(Server::nginx(&files)?);
    let rows = measure(&servers, &pages, extent)?;
    let first = single::first_requests(binary, GUIDE, folder.path())?;
    let weights = single::measure(&servers[0], &pages, extent.requests)?;
    let document = document::document(&rows, (&weights, first), extent, &machine::lines(&tools));
    println!("{document}");
    if let Some(path) = arguments.text("out") {
        document::write(Path::new(path), &document)?;
    }
    judge(&weights)
}

/// The pages that are measured, one of them the report of a check that is made for it.
fn pages(site: &Server) -> Result<Vec<Page>> {
    let form = format!("domain={DOMAIN}");
    let begun = site.request("POST", "/tools/smtp-tls", &form)?;
    let report = begun.location.with_context(|| format!("no result: {}", begun.status))?;
    let page = |title, path: &str| {
        let body = site.request("GET", path, "")?;
        ensure!(body.status == 200, "{path} is answered with {}", body.status);
        anyhow::Ok(Page { title, path: path.to_owned(), body: body.body })
    };
    Ok(vec![
        page("guide page", GUIDE)?,
        page("report page", &report)?,
        page("first page", "/")?,
        page("checker page", "/tools/smtp-tls")?,
        page("finding page", "/guides/findings/cert-expired")?,
    ])
}

/// Guide and report under load, every contender once a round; the first round warms caches.
fn measure(servers: &[Server], pages: &[Page], extent: Extent) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for (number, page) in pages.iter().enumerate().take(2) {
        let mut of_page: Vec<Row> = servers
            .iter()
            .map(|server| Row { page: page.title, contender: server.contender, loads: Vec::new() })
            .collect();
        for round in 0..=extent.rounds {
            for (server, row) in servers.iter().zip(&mut of_page) {
                let seconds = if round == 0 { 1 } else { extent.seconds };
                let address = server.address_of(page, number);
                let load = load::run(&address, CONNECTIONS, seconds)
                    .with_context(|| format!("{}, {}", row.contender.label(), page.title))?;
                if round > 0 {
                    row.loads.push(load);
                }
            }
        }
        rows.append(&mut of_page);
    }
    Ok(rows)
}

/// The aims of the project.
fn judge(weights: &[Single]) -> Result<()> {
    const OCTETS_MAX: usize = 100_000;
    for single in weights {
        ensure!(single.octets < OCTETS_MAX, "{} has {} octets", single.title, single.octets);
    }
    Ok(())
}
