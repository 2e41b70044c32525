//! `waxseal serve`: the pages and the interface for programs, on one address. Loopback unless told
//! otherwise; over TLS with the operator's own certificate files, or behind a reverse proxy. In a lab
//! everything it keeps is temporary.

use super::error::CliError;
use super::exit::Exit;
use super::input::read_at_most;
use super::world::{Simulation, WorldSource};
use super::{block_on, ended, output};
use crate::config::{self, NetworkFlags};
use crate::http::server::{Door, run as run_doors, tls};
use crate::http::{Log, Site, SiteSettings, metrics_router, router};
use crate::limits::SERVER_FILE_OCTETS_MAX;
use clap::Args;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The port has no meaning of its own anywhere.
const LISTEN_DEFAULT: &str = "127.0.0.1:8025";

/// `waxseal serve`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:\n  \
    waxseal serve\n  \
    waxseal serve --public-url https://mail-check.example.com\n  \
    waxseal serve --listen 0.0.0.0:443 --public-url https://mail-check.example.com \\\n    \
      --tls-cert chain.pem --tls-key key.pem\n\n\
    Requests are logged to standard error as JSON Lines, without addresses of visitors and of pages.\n\
    Ctrl-C or SIGTERM ends it once open requests are answered.")]
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
    /// Serve /metrics on this address of its own
    #[arg(long, value_name = "IP:PORT")]
    metrics_listen: Option<SocketAddr>,
    /// File with the bearer token that opens /metrics beside the pages
    #[arg(long, value_name = "FILE")]
    metrics_token_file: Option<PathBuf>,
    /// Log only what goes wrong here
    #[arg(long)]
    quiet: bool,
    #[command(flatten)]
    network: NetworkFlags,
}

pub(super) fn run(
    command: &Serve,
    config: Option<&Path>,
    source: &WorldSource,
) -> Result<Exit, CliError> {
    let settings = config::load(config, &command.network)?;
    let world = source.open(&settings, &Simulation::default())?;
    let public_url = command.public_url.as_deref().map(public_url).transpose()?;
    let acceptor = match (&command.tls_cert, &command.tls_key) {
        (Some(chain), Some(key)) => Some(tls(chain, key)?),
        _ => None,
    };
    let is_https =
        acceptor.is_some() || public_url.as_ref().is_some_and(|url| url.starts_with("https://"));
    let site_settings = SiteSettings {
        public_url,
        is_https,
        simulated: world.is_simulated(),
        metrics_token: command.metrics_token_file.as_deref().map(token).transpose()?,
    };
    let log = if command.quiet { Log::Faults } else { Log::All };
    block_on(async {
        let site = Arc::new(Site::new(site_settings, log));
        let scheme = if acceptor.is_some() { "https" } else { "http" };
        let door = Door::open(command.listen, acceptor, router(&site)).await?;
        output::data(&format!("{scheme}://{}\n", door.address()?))?;
        let mut doors = vec![door];
        if let Some(address) = command.metrics_listen {
            doors.push(Door::open(address, None, metrics_router(&site)).await?);
        }
        let stop = async {
            // Without signals the program ends with its process.
            if ended().await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        run_doors(doors, stop).await;
        Ok(Exit::Good)
    })
}

/// `scheme://host[:port]`, without anything behind it.
fn public_url(text: &str) -> Result<String, CliError> {
    let wrong = || {
        CliError::usage(format!(
            "--public-url {text}: not an address such as https://mail-check.example.com"
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
            assert_eq!(public_url(text).ok().as_deref(), read, "{text}");
        }
    }
}
