//! Single requests: how long a page takes from connect to last octet when nothing else is asked, in a process
//! that has answered before and in a fresh one; and how much a page weighs with all that it loads.

use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result, ensure};

use super::Page;
use super::servers::Server;
use crate::statistics::percentile;

/// Fresh processes whose first answer is timed.
const FRESH: usize = 5;

/// One page alone.
#[derive(Debug)]
pub(super) struct Single {
    pub(super) title: &'static str,
    /// Half of all requests took at most so long, in milliseconds.
    pub(super) p50_ms: f64,
    /// 99 of 100 took at most so long, in milliseconds.
    pub(super) p99_ms: f64,
    /// Octets of the page itself.
    pub(super) page: usize,
    /// Octets with style sheet, scripts and pictures.
    pub(super) octets: usize,
}

/// Times and weighs each page.
///
/// # Errors
/// When a page or a file of it is not answered.
pub(super) fn measure(site: &Server, pages: &[Page], requests: usize) -> Result<Vec<Single>> {
    pages
        .iter()
        .map(|page| {
            let times =
                (0..requests).map(|_| timed(site, &page.path)).collect::<Result<Vec<f64>>>()?;
            let time = |part| percentile(times.iter().copied(), part).context("nothing measured");
            Ok(Single {
                title: page.title,
                p50_ms: time(0.5)?,
                p99_ms: time(0.99)?,
                page: page.body.len(),
                octets: page.body.len() + files(site, &page.body)?,
            })
        })
        .collect()
}

/// The slowest first answer of fresh processes, in milliseconds.
///
/// # Errors
/// When one does not start or answer.
pub(super) fn first_requests(binary: &str, path: &str, folder: &Path) -> Result<f64> {
    let mut slowest = 0.0;
    for _ in 0..FRESH {
        slowest = timed(&Server::waxseal(binary, folder)?, path)?.max(slowest);
    }
    Ok(slowest)
}

#[expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
fn timed(site: &Server, path: &str) -> Result<f64> {
    let began = Instant::now();
    let answer = site.request("GET", path, "")?;
    let took = began.elapsed().as_secs_f64() * 1e3;
    ensure!(answer.status == 200, "{path} is answered with {}", answer.status);
    Ok(took)
}

/// Octets of the files that a page names, each once.
fn files(site: &Server, page: &[u8]) -> Result<usize> {
    let text = String::from_utf8_lossy(page);
    let mut paths: Vec<&str> =
        text.split('"').filter(|part| part.starts_with("/assets/")).collect();
    paths.sort_unstable();
    paths.dedup();
    let mut sum = 0;
    for path in paths {
        let answer = site.request("GET", path, "")?;
        ensure!(answer.status == 200, "{path} is answered with {}", answer.status);
        sum += answer.body.len();
    }
    Ok(sum)
}
