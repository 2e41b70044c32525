//! What all requests share: settings, counters, the log, the addresses of the files.

use super::assets::Assets;
use super::log::{Event, Log};
use super::metrics::{Gauge, Metrics};
use super::streams::{StreamPlace, Streams};
use crate::cli::error::chain;
use crate::clock;
use crate::escape;
use crate::limits::STREAMS_PER_CLIENT_MAX;
use axum::http::{HeaderMap, header};
use jiff::Timestamp;
use std::net::IpAddr;
use std::sync::Arc;
use tokio::sync::watch;
use waxseal_app::check_desk::CheckDesk;
use waxseal_app::jobs::Jobs;
use waxseal_app::store::{Data, DataError};
use waxseal_app::tokens::Tokens;
use waxseal_app::users::{Accounts, User};

/// What the operator chose.
#[derive(Clone)]
pub(crate) struct SiteSettings {
    /// The address visitors type, without a path; unknown on a machine of one's own.
    pub(crate) public_url: Option<String>,
    /// Visitors come over https.
    pub(crate) is_https: bool,
    /// People without an account may have domains checked.
    pub(crate) public_checker: bool,
    /// Reverse proxies whose report about the visitor's address is believed.
    pub(crate) proxies: Vec<IpAddr>,
    /// The site looks at a lab.
    pub(crate) simulated: bool,
    /// Opens `/metrics` beside the pages.
    pub(crate) metrics_token: Option<String>,
    /// Origins of pages elsewhere that may use the tools for agents.
    pub(crate) mcp_origins: Vec<String>,
}

impl SiteSettings {
    /// Whether this site is meant by a host name. Without a public address only addresses and `localhost`
    /// are: a page elsewhere must not reach it under a name of its own (DNS rebinding).
    pub(crate) fn answers_for(&self, host: Option<&str>) -> bool {
        let Some(host) = host else { return false };
        let name = without_port(host);
        let is_local =
            name == "localhost" || name.trim_matches(['[', ']']).parse::<IpAddr>().is_ok();
        self.public_url.as_ref().map_or(is_local, |url| {
            let authority = url.split_once("://").map_or(url.as_str(), |(_, rest)| rest);
            name.eq_ignore_ascii_case(without_port(authority)) || is_local
        })
    }
}

/// The site.
pub(crate) struct Site {
    pub(crate) settings: SiteSettings,
    pub(crate) assets: Assets,
    pub(crate) metrics: Metrics,
    pub(crate) log: Log,
    pub(crate) desk: Arc<CheckDesk>,
    pub(crate) accounts: Accounts,
    /// The tokens of programs.
    pub(crate) tokens: Tokens,
    /// What is kept, as the workspace that the program was started for sees it.
    pub(crate) data: Data,
    /// Test sends and verifications that run.
    pub(crate) jobs: Arc<Jobs>,
    /// Turns true when the program is asked to stop, so that event streams end.
    pub(crate) closing: watch::Sender<bool>,
    streams: Streams,
}

impl Site {
    /// A site with these settings.
    pub(crate) fn new(
        settings: SiteSettings,
        desk: Arc<CheckDesk>,
        (data, jobs): (Data, Arc<Jobs>),
        log: Log,
    ) -> Self {
        let (closing, _) = watch::channel(false);
        Self {
            settings,
            assets: Assets::new(),
            metrics: Metrics::default(),
            log,
            desk,
            accounts: Accounts::new(data.store().clone()),
            tokens: Tokens::new(data.store().clone()),
            data,
            jobs,
            closing,
            streams: Streams::new(STREAMS_PER_CLIENT_MAX),
        }
    }

    /// Notes that this program could not do its own job.
    pub(crate) fn fault(&self, doing: &str, error: &dyn std::error::Error) {
        self.log.write(&Event::Fault { doing, problem: &chain(error) });
    }

    /// What is kept, as the workspace of this person sees it.
    ///
    /// # Errors
    /// Whatever the store says.
    pub(crate) async fn data_of(&self, person: &User) -> Result<Data, DataError> {
        self.data.of_workspace(person.workspace).await
    }

    /// The present moment.
    #[expect(clippy::unused_self, reason = "a site may get a clock of its own")]
    pub(crate) fn now(&self) -> Timestamp {
        clock::now()
    }

    /// A place for an event stream; none when this client has as many as it may.
    pub(crate) fn stream(&self, client: IpAddr) -> Option<StreamPlace> {
        self.streams.enter(client)
    }

    /// Numbers that are looked up when the metrics are read.
    pub(crate) fn gauges(&self) -> Vec<Gauge> {
        let counts = self.desk.counts();
        let gauge = |name, help, kind, value| Gauge { name, help, kind, value };
        vec![
            gauge("checks_running", "Checks that run now.", "gauge", counts.running),
            gauge("checks_begun_total", "Checks that were begun.", "counter", counts.begun),
            gauge(
                "checks_cancelled_total",
                "Checks that ended because nobody watched any more.",
                "counter",
                counts.cancelled,
            ),
            gauge(
                "jobs_running",
                "Test sends and verifications that run now.",
                "gauge",
                self.jobs.running(),
            ),
            gauge("event_streams_open", "Open event streams.", "gauge", self.streams.open()),
        ]
    }

    /// Where whoever sent these headers found the site: its public address, or the host of the request.
    pub(crate) fn found_at(&self, headers: &HeaderMap) -> String {
        if let Some(url) = &self.settings.public_url {
            return url.clone();
        }
        let scheme = if self.settings.is_https { "https" } else { "http" };
        let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
        format!("{scheme}://{}", escape::line(host.unwrap_or_default()))
    }

    /// The beginning of addresses in texts that leave the site.
    pub(crate) fn base(&self) -> &str {
        self.settings.public_url.as_deref().unwrap_or_default()
    }
}

/// A host without the port after it.
fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|octet| octet.is_ascii_digit()) => name,
        Some(_) | None => host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_foreign_name_does_not_reach_the_site() {
        let site = |public_url: Option<&str>| SiteSettings {
            public_url: public_url.map(str::to_owned),
            is_https: false,
            simulated: false,
            public_checker: false,
            proxies: Vec::new(),
            metrics_token: None,
            mcp_origins: Vec::new(),
        };
        let local = site(None);
        let public = site(Some("https://mail.example.com"));
        for (host, at_home, in_public) in [
            (Some("127.0.0.1:8025"), true, true),
            (Some("[::1]:8025"), true, true),
            (Some("localhost"), true, true),
            (Some("mail.example.com"), false, true),
            (Some("MAIL.example.com:443"), false, true),
            (Some("evil.example"), false, false),
            (Some("mail.example.com.evil.example"), false, false),
            (None, false, false),
        ] {
            assert_eq!(local.answers_for(host), at_home, "{host:?}");
            assert_eq!(public.answers_for(host), in_public, "{host:?}");
        }
    }
}
