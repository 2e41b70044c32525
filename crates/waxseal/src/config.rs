//! Settings: flags over environment (`WAXSEAL_…`) over `waxseal.toml` over defaults, each with where it
//! comes from. The merge is our own because there are few settings; an unknown key in the file is an error
//! that names the key and its line. The ways in are [`load`] and [`data::load`].

pub(crate) mod data;

use crate::cli::error::CliError;
use crate::cli::input::read_at_most;
use crate::limits::{CONFIG_FILE_OCTETS_MAX, RELAYS_MAX, TIMEOUT_MAX};
use clap::Args;
use serde::Deserialize;
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU16;
use std::path::{Path, PathBuf};
use std::time::Duration;
use waxseal_app::ControlHost;
use waxseal_app::world::Relay;
use waxseal_proto::name::{DomainName, TargetInput};

const FILE_NAME: &str = "waxseal.toml";
const KNOWN_KEYS: &str = "known keys: resolver, control_hosts, from_host, timeout, \
    relays (host, port), data, workspace, key_file, key_command";

/// A value and where it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Setting<T> {
    pub(crate) value: T,
    pub(crate) source: Source,
}

/// Where a setting comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    Default,
    Environment(&'static str),
    File(PathBuf),
    Flag(&'static str),
    Lab,
}

impl std::fmt::Display for Source {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Default => formatter.write_str("default"),
            Self::Environment(name) => write!(formatter, "environment {name}"),
            Self::File(path) => write!(formatter, "file {}", path.display()),
            Self::Flag(name) => write!(formatter, "flag {name}"),
            Self::Lab => formatter.write_str("the lab"),
        }
    }
}

/// The effective settings.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// The resolver to ask; the system's if absent.
    pub(crate) resolver: Setting<Option<SocketAddr>>,
    /// Hosts known to answer on port 25, to tell a closed port here from a dead target.
    pub(crate) control_hosts: Setting<Vec<String>>,
    /// The name given in EHLO; found out if absent.
    pub(crate) from_host: Setting<Option<DomainName>>,
    /// The longest single wait.
    pub(crate) timeout: Setting<Option<Duration>>,
    /// Relays that mail may go to though they stand at private addresses. The file alone can list them: it
    /// belongs to the administrator, while flags and variables may belong to anybody.
    pub(crate) relays: Setting<Vec<Relay>>,
}

/// The flags of everything that looks at the network.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Network")]
pub(crate) struct NetworkFlags {
    /// Ask this DNS resolver instead of the system's
    #[arg(long, value_name = "IP:PORT")]
    resolver: Option<String>,
    /// Longest single wait (connect, greeting, reply, handshake)
    #[arg(long, value_name = "SECONDS")]
    timeout: Option<String>,
    /// Name given in EHLO; default: the name of this machine's address
    #[arg(long, value_name = "NAME")]
    from_host: Option<String>,
    /// A host known to answer, to tell a port closed here from a dead target; may be repeated
    #[arg(long, value_name = "HOST:PORT")]
    control: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_field_names, reason = "the names are the keys of the settings file")]
struct File {
    resolver: Option<String>,
    control_hosts: Option<Vec<String>>,
    from_host: Option<String>,
    timeout: Option<f64>,
    relays: Option<Vec<RelayEntry>>,
    data: Option<PathBuf>,
    workspace: Option<String>,
    key_file: Option<PathBuf>,
    key_command: Option<String>,
}

/// One `[[relays]]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RelayEntry {
    host: String,
    port: NonZeroU16,
}

/// Reads all sources and merges them. `config` is the file named by a flag.
///
/// # Errors
///
/// A file that was named and cannot be read, a file with an unknown key or a bad value, a bad flag or
/// variable.
pub(crate) fn load(config: Option<&Path>, flags: &NetworkFlags) -> Result<Settings, CliError> {
    let (path, file) = read_file(config)?;
    merge(flags, &|name| std::env::var(name).ok(), &file, &path)
}

/// The control hosts as the use cases want them.
pub(crate) fn control_hosts(settings: &Settings) -> Result<Vec<ControlHost>, CliError> {
    let read = |text: &String| {
        TargetInput::parse(text)
            .map(|input| ControlHost { host: input.target, port: input.port.unwrap_or(25) })
            .map_err(|error| wrong(&settings.control_hosts.source, "control host", text, &error))
    };
    settings.control_hosts.value.iter().map(read).collect()
}

fn wrong(source: &Source, what: &str, text: &str, why: &dyn std::fmt::Display) -> CliError {
    CliError::usage(format!("{source}: {what} {text:?}: {why}"))
}

fn merge(
    flags: &NetworkFlags,
    variable: &dyn Fn(&str) -> Option<String>,
    file: &File,
    path: &Path,
) -> Result<Settings, CliError> {
    let pick =
        |flag: (&'static str, Option<String>), name: &'static str, in_file: Option<String>| {
            flag.1
                .map(|value| (value, Source::Flag(flag.0)))
                .or_else(|| variable(name).map(|value| (value, Source::Environment(name))))
                .or_else(|| in_file.map(|value| (value, Source::File(path.to_owned()))))
        };
    let resolver =
        pick(("--resolver", flags.resolver.clone()), "WAXSEAL_RESOLVER", file.resolver.clone());
    let from_host =
        pick(("--from-host", flags.from_host.clone()), "WAXSEAL_FROM_HOST", file.from_host.clone());
    let timeout = pick(
        ("--timeout", flags.timeout.clone()),
        "WAXSEAL_TIMEOUT",
        file.timeout.map(|seconds| seconds.to_string()),
    );
    let controls = (!flags.control.is_empty()).then(|| flags.control.join(","));
    let in_file = file.control_hosts.as_ref().map(|hosts| hosts.join(","));
    let controls = pick(("--control", controls), "WAXSEAL_CONTROL_HOSTS", in_file);
    let controls =
        controls
            .map_or(Setting { value: Vec::new(), source: Source::Default }, |(list, source)| {
                Setting { value: split(&list), source }
            });
    Ok(Settings {
        resolver: read(resolver, "resolver", socket)?,
        control_hosts: controls,
        from_host: read(from_host, "EHLO name", |text| {
            DomainName::parse(text).map_err(|error| error.to_string())
        })?,
        timeout: read(timeout, "timeout", seconds)?,
        relays: relays(file, path)?,
    })
}

/// The listed relays, each by the host as a connection names it.
fn relays(file: &File, path: &Path) -> Result<Setting<Vec<Relay>>, CliError> {
    let Some(entries) = &file.relays else {
        return Ok(Setting { value: Vec::new(), source: Source::Default });
    };
    let source = Source::File(path.to_owned());
    if entries.len() > RELAYS_MAX {
        return Err(CliError::usage(format!("{source}: more than {RELAYS_MAX} relays")));
    }
    let read = |entry: &RelayEntry| {
        let host = match entry.host.parse::<IpAddr>() {
            Ok(address) => address.to_string(),
            Err(_) => DomainName::parse(&entry.host)
                .map_err(|error| wrong(&source, "relay", &entry.host, &error))?
                .as_str()
                .to_owned(),
        };
        Ok(Relay { host, port: entry.port.get() })
    };
    let value = entries.iter().map(read).collect::<Result<_, CliError>>()?;
    Ok(Setting { value, source })
}

fn split(list: &str) -> Vec<String> {
    list.split(',').map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

fn read<T>(
    picked: Option<(String, Source)>,
    what: &str,
    parse: impl Fn(&str) -> Result<T, String>,
) -> Result<Setting<Option<T>>, CliError> {
    let Some((text, source)) = picked else {
        return Ok(Setting { value: None, source: Source::Default });
    };
    match parse(&text) {
        Ok(value) => Ok(Setting { value: Some(value), source }),
        Err(why) => Err(wrong(&source, what, &text, &why)),
    }
}

/// `IP:PORT`, or an address alone with the port of DNS.
fn socket(text: &str) -> Result<SocketAddr, String> {
    text.parse()
        .or_else(|_| text.parse().map(|address| SocketAddr::new(address, 53)))
        .map_err(|_| "not IP:PORT".to_owned())
}

fn seconds(text: &str) -> Result<Duration, String> {
    let wrong = || format!("not a number of seconds above 0 and up to {}", TIMEOUT_MAX.as_secs());
    let seconds: f64 = text.trim().parse().map_err(|_| wrong())?;
    let timeout = Duration::try_from_secs_f64(seconds).map_err(|_| wrong())?;
    if timeout.is_zero() || timeout > TIMEOUT_MAX { Err(wrong()) } else { Ok(timeout) }
}

/// The file that was named, or the first of the usual places that exists.
fn read_file(config: Option<&Path>) -> Result<(PathBuf, File), CliError> {
    let named = config.map(Path::to_owned).or_else(|| {
        std::env::var_os("WAXSEAL_CONFIG").filter(|path| !path.is_empty()).map(PathBuf::from)
    });
    let path = match named {
        Some(path) => path,
        None => match usual_places().into_iter().find(|path| path.exists()) {
            Some(path) => path,
            None => return Ok((PathBuf::from(FILE_NAME), File::default())),
        },
    };
    let octets = read_at_most(&path, CONFIG_FILE_OCTETS_MAX)?;
    let text = String::from_utf8(octets)
        .map_err(|_| CliError::usage(format!("{}: not UTF-8 text", path.display())))?;
    let file = parse_file(&path, &text)?;
    Ok((path, file))
}

fn usual_places() -> Vec<PathBuf> {
    let home = std::env::var_os("XDG_CONFIG_HOME")
        .map(PathBuf::from)
        .or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".config")));
    let mut places = vec![PathBuf::from(FILE_NAME)];
    places.extend(home.map(|home| home.join("waxseal").join(FILE_NAME)));
    places
}

fn parse_file(path: &Path, text: &str) -> Result<File, CliError> {
    toml::from_str(text).map_err(|error| {
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        CliError::usage(format!("{} line {line}: {}", path.display(), error.message()))
            .hint(KNOWN_KEYS)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn merged(
        flags: &NetworkFlags,
        variable: Option<&str>,
        file: &str,
    ) -> Result<Settings, CliError> {
        let path = Path::new("waxseal.toml");
        let file = parse_file(path, file)?;
        let environment =
            |name: &str| variable.filter(|_| name == "WAXSEAL_RESOLVER").map(str::to_owned);
        merge(flags, &environment, &file, path)
    }

    #[test]
    fn flags_win_over_environment_over_file_over_default() {
        let flags =
            NetworkFlags { resolver: Some("192.0.2.1:53".into()), ..NetworkFlags::default() };
        let none = NetworkFlags::default();
        let file =
            "resolver = '192.0.2.3:53'\ntimeout = 2.5\ncontrol_hosts = ['a.test:25', 'b.test']";
        let table = [
            (merged(&flags, Some("192.0.2.2"), file), Some("192.0.2.1:53"), "flag --resolver"),
            (
                merged(&none, Some("192.0.2.2"), file),
                Some("192.0.2.2:53"),
                "environment WAXSEAL_RESOLVER",
            ),
            (merged(&none, None, file), Some("192.0.2.3:53"), "file waxseal.toml"),
            (merged(&none, None, ""), None, "default"),
        ];
        for (settings, expected, source) in table {
            let resolver = settings.unwrap().resolver;
            assert_eq!(resolver.value.map(|socket| socket.to_string()).as_deref(), expected);
            assert_eq!(resolver.source.to_string(), source);
        }
        let settings = merged(&none, None, file).unwrap();
        assert_eq!(settings.timeout.value, Some(Duration::from_millis(2500)));
        assert!(settings.relays.value.is_empty());
        let hosts = control_hosts(&settings).unwrap();
        assert_eq!(hosts.iter().map(|host| host.port).collect::<Vec<_>>(), [25, 25]);
    }

    #[test]
    fn relays_stand_in_the_file_by_the_name_that_connections_use() {
        let file = "[[relays]]\nhost = 'Relay.Example.'\nport = 587\n\n\
                    [[relays]]\nhost = '10.0.0.7'\nport = 25\n";
        let relays = merged(&NetworkFlags::default(), None, file).unwrap().relays;
        let shown: Vec<String> =
            relays.value.iter().map(|relay| format!("{}:{}", relay.host, relay.port)).collect();
        assert_eq!(shown, ["relay.example:587", "10.0.0.7:25"]);
        assert_eq!(relays.source.to_string(), "file waxseal.toml");
        let many = "[[relays]]\nhost = '10.0.0.7'\nport = 25\n".repeat(RELAYS_MAX + 1);
        let error = merged(&NetworkFlags::default(), None, &many).unwrap_err().line();
        assert!(error.contains("more than"), "{error}");
    }

    #[test]
    fn bad_settings_name_themselves_and_their_place() {
        let error = |file: &str| merged(&NetworkFlags::default(), None, file).unwrap_err().line();
        let table = [
            ("timeout = 1\nresolve = 'x'\n", "waxseal.toml line 2: unknown field `resolve`"),
            ("timeout = 0", "file waxseal.toml: timeout"),
            ("timeout = 1e9", "file waxseal.toml: timeout"),
            ("resolver = 'dns.example'", "resolver \"dns.example\": not IP:PORT"),
            ("from_host = 'a b'", "EHLO name \"a b\""),
            ("control_hosts = 3", "waxseal.toml line 1:"),
            ("[[relays]]\nhost = 'a b'\nport = 1", "file waxseal.toml: relay \"a b\""),
            ("[[relays]]\nhost = 'a.example'\nport = 0", "waxseal.toml line 3:"),
            ("[[relays]]\nhost = 'a.example'", "waxseal.toml line 1: missing field `port`"),
        ];
        for (file, expected) in table {
            assert!(error(file).contains(expected), "{file}: {}", error(file));
        }
    }
}
