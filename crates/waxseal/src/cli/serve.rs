//! `waxseal serve`: the pages and the interface for programs, on one address. Loopback unless told
//! otherwise; over TLS with the operator's own certificate files, or behind a reverse proxy. In a lab
//! everything it keeps is temporary.

use super::error::{CliError, chain};
use super::exit::Exit;
use super::input::read_at_most;
use super::world::{Simulation, WorldSource};
use super::{block_on, ended, output};
use crate::clock;
use crate::config::data::{self, DataFlags};
use crate::config::{self, NetworkFlags, Settings};
use crate::escape;
use crate::http::server::{Door, run as run_doors};
use crate::http::{Certificates, Event, Log, Site, SiteSettings, metrics_router, router};
use crate::limits::{LAB_CHECKS_PER_CLIENT, LAB_SURVEY, SERVER_FILE_OCTETS_MAX, TIDY_EVERY};
use clap::Args;
use futures::StreamExt as _;
use futures::stream::BoxStream;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::task::JoinHandle;
use waxseal_app::check_desk::{CheckDesk, DeskSettings};
use waxseal_app::jobs::Jobs;
use waxseal_app::limits::CHECKS_PER_CLIENT;
use waxseal_app::store::{Data, Opening};
use waxseal_check::limits::Limits;

/// The port has no meaning of its own anywhere.
const LISTEN_DEFAULT: &str = "127.0.0.1:8025";

/// `waxseal serve`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:\n  \
    waxseal serve\n  \
    waxseal serve --public-checker --public-url https://mail-check.example.com \\\n    \
      --trusted-proxy 127.0.0.1\n  \
    waxseal serve --listen 0.0.0.0:443 --public-url https://mail-check.example.com \\\n    \
      --tls-cert chain.pem --tls-key key.pem\n\n\
    Requests are logged to standard error as JSON Lines, without addresses of visitors and of pages.\n\
    Ctrl-C or SIGTERM ends it once open requests are answered; SIGHUP reads the certificate files again.")]
pub(crate) struct Serve {
    /// Address to listen on
    #[arg(long, value_name = "IP:PORT", default_value = LISTEN_DEFAULT)]
    listen: SocketAddr,
    /// The address visitors type, for links that leave the site; other host names are then refused
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
    /// Certificate chain (PEM, leaf first) to serve https with
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// The key of that certificate (PEM)
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// Let people without an account have domains checked
    #[arg(long)]
    public_checker: bool,
    /// Checks that one visitor may begin in ten minutes
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..))]
    checks_per_client: Option<u32>,
    /// Address of a reverse proxy whose X-Forwarded-For is believed; may be repeated
    #[arg(long, value_name = "IP")]
    trusted_proxy: Vec<IpAddr>,
    /// Serve /metrics on this address of its own
    #[arg(long, value_name = "IP:PORT")]
    metrics_listen: Option<SocketAddr>,
    /// File with the bearer token that opens /metrics beside the pages
    #[arg(long, value_name = "FILE")]
    metrics_token_file: Option<PathBuf>,
    /// Origin of a page elsewhere that may use the tools for agents at /mcp; may be repeated
    #[arg(long, value_name = "ORIGIN")]
    mcp_allow_origin: Vec<String>,
    /// Log only what goes wrong here
    #[arg(long)]
    quiet: bool,
    #[command(flatten)]
    data: DataFlags,
    #[command(flatten)]
    network: NetworkFlags,
}

pub(super) fn run(
    command: &Serve,
    config: Option<&Path>,
    source: &WorldSource,
) -> Result<Exit, CliError> {
    let settings = config::load(config, &command.network)?;
    let world = Arc::new(source.open(&settings, &Simulation::default())?);
    let public_url =
        command.public_url.as_deref().map(|text| address("--public-url", text)).transpose()?;
    let certificates = match (&command.tls_cert, &command.tls_key) {
        (Some(chain), Some(key)) => Some(Certificates::read(chain, key)?),
        _ => None,
    };
    let is_https = certificates.is_some()
        || public_url.as_ref().is_some_and(|url| url.starts_with("https://"));
    let site_settings = SiteSettings {
        public_url,
        is_https,
        public_checker: command.public_checker || source.is_lab(),
        proxies: command.trusted_proxy.iter().map(IpAddr::to_canonical).collect(),
        simulated: world.is_simulated(),
        metrics_token: command.metrics_token_file.as_deref().map(token).transpose()?,
        mcp_origins: command
            .mcp_allow_origin
            .iter()
            .map(|text| address("--mcp-allow-origin", text))
            .collect::<Result<_, _>>()?,
    };
    let log = if command.quiet { Log::Faults } else { Log::All };
    let place = data::load(config, &command.data, source.lab_data())?;
    let desk_settings = desk_settings(command, &settings, source)?;
    block_on(async {
        let data = Data::open(place.settings(), Opening::Create, clock::now())
            .await
            .map_err(|error| CliError::undetermined(format!("data: {}", chain(&error))))?;
        let jobs = Jobs::new(Arc::clone(&world));
        let desk = CheckDesk::new(world, data.store().clone(), desk_settings, clock::now())
            .await
            .map_err(|error| CliError::undetermined(format!("data: {}", chain(&error))))?;
        let site = Arc::new(Site::new(site_settings, desk, (data, jobs), log));
        let renewing = certificates.clone().map(|files| renewing(&site, files)).transpose()?;
        let scheme = if certificates.is_some() { "https" } else { "http" };
        let door = Door::open(command.listen, certificates, router(&site)).await?;
        let here = format!("{scheme}://{}", door.address()?);
        output::data(&format!("{here}\n"))?;
        first_link(&site, &here).await?;
        session_of(source);
        let mut doors = vec![door];
        if let Some(address) = command.metrics_listen {
            doors.push(Door::open(address, None, metrics_router(&site)).await?);
        }
        let stop = async {
            // Without signals the program ends with its process.
            if ended().await.is_err() {
                std::future::pending::<()>().await;
            }
            site.closing.send_replace(true);
        };
        let tidying = tokio::spawn(tidy(Arc::clone(&site)));
        run_doors(doors, &site.settings.proxies, stop).await;
        tidying.abort();
        renewing.inspect(JoinHandle::abort);
        // A test send that was begun may have left its message already: its end is awaited and recorded.
        site.jobs.finish().await;
        site.data.close().await;
        Ok(Exit::Good)
    })
}

fn desk_settings(
    command: &Serve,
    settings: &Settings,
    source: &WorldSource,
) -> Result<DeskSettings, CliError> {
    let mut limits = Limits::default();
    let mut checks_per_client = CHECKS_PER_CLIENT;
    if source.is_lab() {
        limits.survey_total = LAB_SURVEY;
        checks_per_client = LAB_CHECKS_PER_CLIENT;
    }
    Ok(DeskSettings {
        controls: config::control_hosts(settings)?,
        limits,
        checks_per_client: command.checks_per_client.unwrap_or(checks_per_client),
    })
}

/// Names the folder of a lab, for commands beside the pages.
fn session_of(source: &WorldSource) {
    if let Some(session) = source.lab_data().and_then(Path::parent) {
        let session = escape::line(&session.display().to_string());
        output::note(&format!("Session folder, for waxseal lab exec --session: {session}"));
    }
}

/// Before there is an owner, every start prints a link for one, and the links before it end. There is no password to begin with.
async fn first_link(site: &Site, here: &str) -> Result<(), CliError> {
    let link = site.accounts.team(site.data.workspace()).first_link(site.now()).await;
    let link = link.map_err(|error| CliError::undetermined(format!("data: {}", chain(&error))))?;
    if let Some(token) = link {
        // Whoever listens on all addresses is asked at this machine's own.
        let here = here.replace("//0.0.0.0:", "//127.0.0.1:").replace("//[::]:", "//[::1]:");
        let base = if site.base().is_empty() { &here } else { site.base() };
        output::note(&format!(
            "There is no owner yet. Come in here, once, within 24 hours: {base}/enter/{}",
            token.expose()
        ));
    }
    Ok(())
}

/// Reads the certificate files again on SIGHUP; files that cannot be used change nothing.
fn renewing(site: &Arc<Site>, files: Arc<Certificates>) -> Result<JoinHandle<()>, CliError> {
    let mut hangups =
        hangups().map_err(|error| CliError::undetermined(format!("signal SIGHUP: {error}")))?;
    let site = Arc::clone(site);
    Ok(tokio::spawn(async move {
        while hangups.next().await.is_some() {
            if let Err(error) = files.reload() {
                let problem = error.line();
                let doing = "read the certificate files again";
                site.log.write(&Event::Fault { doing, problem: &problem });
            }
        }
    }))
}

/// Every SIGHUP from now on; none where the system has no such signal.
fn hangups() -> std::io::Result<BoxStream<'static, ()>> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let hangups = signal(SignalKind::hangup())?;
        let next = |mut hangups: tokio::signal::unix::Signal| async move {
            hangups.recv().await.map(|()| ((), hangups))
        };
        Ok(futures::stream::unfold(hangups, next).boxed())
    }
    #[cfg(not(unix))]
    {
        Ok(futures::stream::empty().boxed())
    }
}

/// Drops results, sessions and links that ended, now and then.
async fn tidy(site: Arc<Site>) {
    let mut turns = tokio::time::interval(TIDY_EVERY);
    loop {
        turns.tick().await;
        if let Err(error) = site.desk.tidy(site.now()).await {
            site.fault("drop results that ended", &error);
        }
        if let Err(error) = site.accounts.tidy(site.now()).await {
            site.fault("drop sessions that ended", &error);
        }
        if let Err(error) = site.tokens.tidy(site.now()).await {
            site.fault("drop kept answers that ended", &error);
        }
    }
}

/// `scheme://host[:port]`, without anything behind it.
fn address(flag: &str, text: &str) -> Result<String, CliError> {
    let wrong = || {
        CliError::usage(format!(
            "{flag} {text}: not an address such as https://mail-check.example.com"
        ))
    };
    let url = text.trim_end_matches('/');
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    let authority = rest.ok_or_else(wrong)?;
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '[' | ']');
    if authority.is_empty() || !authority.chars().all(plain) {
        return Err(wrong());
    }
    Ok(url.to_ascii_lowercase())
}

/// A token from a file, so that it is in no process list.
fn token(path: &Path) -> Result<String, CliError> {
    const TOKEN_CHARS_MIN: usize = 16;
    let octets = read_at_most(path, SERVER_FILE_OCTETS_MAX)?;
    let text = String::from_utf8_lossy(&octets);
    let token = text.trim();
    if token.len() < TOKEN_CHARS_MIN {
        return Err(CliError::usage(format!(
            "{}: a token has at least {TOKEN_CHARS_MIN} characters",
            path.display()
        )));
    }
    Ok(token.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_public_address_is_scheme_and_host() {
        for (text, read) in [
            ("https://Mail.example.com/", Some("https://mail.example.com")),
            ("http://127.0.0.1:8025", Some("http://127.0.0.1:8025")),
            ("mail.example.com", None),
            ("https://", None),
            ("https://a.example/path", None),
            ("https://a.example\"><script>", None),
            ("javascript:alert(1)", None),
        ] {
            assert_eq!(address("--public-url", text).ok().as_deref(), read, "{text}");
        }
    }
}
