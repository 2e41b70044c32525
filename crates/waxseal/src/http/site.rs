//! What all requests share: settings, counters, the log, the addresses of the files.

use super::assets::Assets;
use super::log::Log;
use super::metrics::Metrics;
use std::net::IpAddr;

/// What the operator chose.
#[derive(Clone)]
pub(crate) struct SiteSettings {
    /// The address visitors type, without a path; unknown on a machine of one's own.
    pub(crate) public_url: Option<String>,
    /// Visitors come over https.
    pub(crate) is_https: bool,
    /// The site looks at a lab.
    pub(crate) simulated: bool,
    /// Opens `/metrics` beside the pages.
    pub(crate) metrics_token: Option<String>,
}

/// The site.
pub(crate) struct Site {
    pub(crate) settings: SiteSettings,
    pub(crate) assets: Assets,
    pub(crate) metrics: Metrics,
    pub(crate) log: Log,
}

impl Site {
    /// A site with these settings.
    pub(crate) fn new(settings: SiteSettings, log: Log) -> Self {
        Self { settings, assets: Assets::new(), metrics: Metrics::default(), log }
    }

    /// The beginning of addresses in texts that leave the site.
    pub(crate) fn base(&self) -> &str {
        self.settings.public_url.as_deref().unwrap_or_default()
    }

    /// Whether this site is meant by a host name. Without a public address only addresses and `localhost`
    /// are: a page elsewhere must not reach it under a name of its own (DNS rebinding).
    pub(crate) fn answers_for(&self, host: Option<&str>) -> bool {
        let Some(host) = host else { return false };
        let name = without_port(host);
        let is_local =
            name == "localhost" || name.trim_matches(['[', ']']).parse::<IpAddr>().is_ok();
        self.settings.public_url.as_ref().map_or(is_local, |url| {
            let authority = url.split_once("://").map_or(url.as_str(), |(_, rest)| rest);
            name.eq_ignore_ascii_case(without_port(authority)) || is_local
        })
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
        let site = |public_url: Option<&str>| {
            let settings = SiteSettings {
                public_url: public_url.map(str::to_owned),
                is_https: false,
                simulated: false,
                metrics_token: None,
            };
            Site::new(settings, Log::Faults)
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
