//! A real mail server as second receiver: Postfix from the unpacked packages, on every loopback address.
//! Only in a network of its own, because it then listens on all addresses there are. Its accounts are
//! those that every Debian has and nobody uses.

use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::contenders::library_path;
use crate::targets::{self, Target};

const OWNER: &str = "news";
const GROUP: &str = "uucp";
const PORT: u16 = 2525;
/// The hosts of all domains have names below this one, so that one wildcard certificate covers them; the
/// one with a thousand names would be measured instead of the session.
pub(crate) const HOSTS: &str = "bench.test";
const QUEUES: &[&str] = &[
    "active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming", "maildrop",
    "pid", "private", "public", "saved", "trace",
];
/// How often and how long the start is waited for: 10 s in all.
const LOOKS: u32 = 100;
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// A running Postfix; it ends with this value.
#[derive(Debug)]
pub(crate) struct Postfix {
    master: Child,
}

impl Drop for Postfix {
    fn drop(&mut self) {
        // SIGTERM lets master end its children; a kill would leave them.
        let _ = Command::new("kill").arg(self.master.id().to_string()).status();
        let _ = self.master.wait();
    }
}

impl Postfix {
    /// Starts it in `folder` with domains, addresses and authority of the receiver in `like`, and describes
    /// it there as another receiver.
    ///
    /// # Errors
    /// When it does not start.
    pub(crate) fn start(root: &Path, like: &Path, folder: &Path) -> Result<Self> {
        let config = folder.join("etc");
        std::fs::create_dir_all(&config)?;
        std::fs::set_permissions(folder, PermissionsExt::from_mode(0o755))?;
        make_folders(folder)?;
        std::fs::write(config.join("main.cf"), main_cf(root, like, folder))?;
        std::fs::write(config.join("master.cf"), master_cf())?;
        std::fs::copy(like.join("ca.pem"), folder.join("ca.pem"))?;
        let moved = targets::read(like)?.into_iter().zip(1..).map(|(target, number)| Target {
            host: format!("mx{number}.{HOSTS}"),
            socket: SocketAddr::new(target.socket.ip(), PORT),
            ..target
        });
        let list: Vec<Target> = moved.collect();
        targets::write(folder, &list)?;
        std::fs::write(folder.join("zone.json"), targets::zone_file(&list)?)?;
        let log = std::fs::File::create(folder.join("master.log"))?;
        let master = Command::new(root.join("usr/lib/postfix/sbin/master"))
            .env("LD_LIBRARY_PATH", library_path(root))
            .env("MAIL_CONFIG", &config)
            .env("MAIL_LOGTAG", "postfix")
            .args(["-d".as_ref(), "-c".as_ref(), config.as_os_str()])
            .stdin(Stdio::null())
            .stderr(log)
            .spawn()
            .context("starting Postfix")?;
        let started = Self { master };
        let first = list.first().context("no target")?.socket;
        wait_for(first)?;
        Ok(started)
    }
}

#[expect(clippy::disallowed_methods, reason = "a foreign server tells nobody that it is ready")]
fn wait_for(socket: SocketAddr) -> Result<()> {
    for _ in 0..LOOKS {
        if TcpStream::connect(socket).is_ok() {
            return Ok(());
        }
        std::thread::sleep(LOOK_AGAIN);
    }
    bail!("Postfix does not answer at {socket}")
}

fn main_cf(root: &Path, like: &Path, folder: &Path) -> String {
    let show = |path: &str| root.join(path).display().to_string();
    let (keys, folder) = (like.join("server.pem"), folder.display());
    format!(
        "compatibility_level = 3.6\n\
         queue_directory = {folder}/spool\ndata_directory = {folder}/data\n\
         command_directory = {}\ndaemon_directory = {}\nshlib_directory = {}\n\
         meta_directory = {folder}/etc\n\
         mail_owner = {OWNER}\nsetgid_group = {GROUP}\ndefault_privs = nobody\n\
         myhostname = bench.test\nmydestination =\nmynetworks =\n\
         inet_interfaces = all\ninet_protocols = ipv4\nalias_maps =\nlocal_recipient_maps =\n\
         smtpd_peername_lookup = no\nsmtpd_relay_restrictions = reject\n\
         smtpd_client_connection_count_limit = 0\nsmtpd_client_connection_rate_limit = 0\n\
         default_process_limit = 250\n\
         maillog_file = {folder}/log\nmaillog_file_prefixes = {folder}\n\
         import_environment = LD_LIBRARY_PATH={} MAIL_CONFIG MAIL_LOGTAG TZ LANG=C\n\
         smtpd_tls_security_level = may\nsmtpd_tls_chain_files = {}\n",
        show("usr/sbin"),
        show("usr/lib/postfix/sbin"),
        show("usr/lib/postfix"),
        library_path(root),
        keys.display(),
    )
}

fn master_cf() -> String {
    format!(
        "{PORT} inet n - n - - smtpd\n\
         tlsmgr unix - - n 1000? 1 tlsmgr\n\
         rewrite unix - - n - - trivial-rewrite\n\
         proxymap unix - - n - - proxymap\n\
         anvil unix - - n - 1 anvil\n\
         postlog unix-dgram n - n - 1 postlogd\n"
    )
}

fn make_folders(folder: &Path) -> Result<()> {
    let owner = Some(id("passwd", OWNER)?);
    let group = Some(id("group", GROUP)?);
    let mode = |name: &str| match name {
        "maildrop" => 0o730,
        "pid" => 0o755,
        "public" => 0o710,
        _ => 0o700,
    };
    for name in QUEUES {
        let path = folder.join("spool").join(name);
        std::fs::create_dir_all(&path)?;
        match *name {
            "pid" => {}
            "maildrop" | "public" => chown(&path, owner, group)?,
            _ => chown(&path, owner, None)?,
        }
        std::fs::set_permissions(&path, PermissionsExt::from_mode(mode(name)))?;
    }
    let data = folder.join("data");
    std::fs::create_dir_all(&data)?;
    chown(&data, owner, None).context("giving Postfix its folder (needs root)")?;
    std::fs::set_permissions(&data, PermissionsExt::from_mode(0o700))?;
    Ok(())
}

fn id(database: &str, name: &str) -> Result<u32> {
    let output = Command::new("getent").args([database, name]).output()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let number = text.split(':').nth(2).with_context(|| format!("no account {name}"))?;
    Ok(number.trim().parse()?)
}
