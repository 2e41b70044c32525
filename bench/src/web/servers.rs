//! The servers that are compared, as processes that end with their values, and one request to them.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail, ensure};

use super::Page;

/// Attempts to connect to a server that has just been started.
const ATTEMPTS_MAX: usize = 20_000;

/// Who answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Contender {
    Floor,
    Nginx,
    Waxseal,
}

impl Contender {
    pub(super) const fn label(self) -> &'static str {
        match self {
            Self::Floor => "floor: bare hyper, the same octets from memory",
            Self::Nginx => "nginx, the same octets from a file",
            Self::Waxseal => "waxseal",
        }
    }
}

/// The pages as files, for contenders that make none.
#[derive(Debug)]
pub(super) struct Folder {
    root: PathBuf,
}

impl Folder {
    pub(super) fn new(folder: &Path, pages: &[Page]) -> Result<Self> {
        let root = folder.join("pages");
        std::fs::create_dir(&root)?;
        for (number, page) in pages.iter().enumerate() {
            std::fs::write(root.join(name(number)), &page.body)?;
        }
        Ok(Self { root })
    }
}

fn name(number: usize) -> String {
    format!("page{number}.html")
}

/// A running server.
#[derive(Debug)]
pub(super) struct Server {
    pub(super) contender: Contender,
    /// Address and port.
    address: String,
    process: Child,
}

/// An answer.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) location: Option<String>,
    pub(super) body: Vec<u8>,
}

impl Server {
    /// The product in a lab of its own.
    pub(super) fn waxseal(binary: &str, folder: &Path) -> Result<Self> {
        let mut command = Command::new(binary);
        command.args(["lab", "serve", "--listen", "127.0.0.1:0", "--quiet"]).env("TMPDIR", folder);
        Self::telling(Contender::Waxseal, command)
    }

    /// The bare server.
    pub(super) fn floor(files: &Folder) -> Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("web-floor").arg("--folder").arg(&files.root);
        Self::telling(Contender::Floor, command)
    }

    /// A server that prints its address first.
    fn telling(contender: Contender, mut command: Command) -> Result<Self> {
        let mut process = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| format!("starting {}", contender.label()))?;
        let mut line = String::new();
        let out = process.stdout.take().context("no output")?;
        BufReader::new(out).read_line(&mut line)?;
        let (_, address) =
            line.trim().split_once("://").with_context(|| format!("no address: {line:?}"))?;
        Ok(Self { contender, address: address.to_owned(), process })
    }

    /// nginx with one process for each processor and without a log, if it is on this machine.
    pub(super) fn nginx(files: &Folder) -> Result<Option<Self>> {
        const NGINX: &str = "/usr/sbin/nginx";
        if !Path::new(NGINX).exists() {
            return Ok(None);
        }
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let home = files.root.with_file_name("nginx");
        std::fs::create_dir(&home)?;
        let root = files.root.display();
        let temporary = "client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; \
             uwsgi_temp_path uwsgi; scgi_temp_path scgi;\n";
        let text = format!(
            "user root;\ndaemon off;\nworker_processes auto;\npid nginx.pid;\nerror_log stderr crit;\n\
             events {{ worker_connections 1024; }}\n\
             http {{\naccess_log off;\nsendfile on;\ntcp_nopush on;\nkeepalive_requests 1000000000;\n\
             {temporary}types {{ text/html html; }}\n\
             server {{ listen 127.0.0.1:{port}; root {root}; }}\n}}\n"
        );
        let settings = home.join("nginx.conf");
        std::fs::write(&settings, text)?;
        let process = Command::new(NGINX)
            .arg("-p")
            .arg(&home)
            .arg("-c")
            .arg(&settings)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .context("starting nginx")?;
        let address = format!("127.0.0.1:{port}");
        let server = Self { contender: Contender::Nginx, address, process };
        let answers = (0..ATTEMPTS_MAX).any(|_| TcpStream::connect(&server.address).is_ok());
        ensure!(answers, "nginx does not answer");
        Ok(Some(server))
    }

    /// Where this server has a page.
    pub(super) fn address_of(&self, page: &Page, number: usize) -> String {
        let Self { address, .. } = self;
        match self.contender {
            Contender::Waxseal => format!("http://{address}{}", page.path),
            Contender::Floor | Contender::Nginx => format!("http://{address}/{}", name(number)),
        }
    }

    /// One request on a connection of its own.
    pub(super) fn request(&self, method: &str, path: &str, form: &str) -> Result<Answer> {
        let mut stream = TcpStream::connect(&self.address)?;
        stream.set_nodelay(true)?;
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{form}",
            self.address,
            form.len()
        );
        stream.write_all(request.as_bytes())?;
        let mut octets = Vec::new();
        stream.read_to_end(&mut octets)?;
        read(&octets)
    }
}

fn read(octets: &[u8]) -> Result<Answer> {
    let end = octets.windows(4).position(|four| four == b"\r\n\r\n").context("no answer")?;
    let (head, body) = octets.split_at(end);
    let head = String::from_utf8_lossy(head);
    let status = head.split(' ').nth(1).context("no status")?.parse()?;
    let location = head.lines().find_map(|line| line.strip_prefix("location: "));
    if head.contains("transfer-encoding") {
        bail!("an answer in chunks");
    }
    Ok(Answer {
        status,
        location: location.map(str::to_owned),
        body: body.get(4..).unwrap_or_default().to_vec(),
    })
}

impl Drop for Server {
    fn drop(&mut self) {
        // nginx ends its workers, and the product its lab, when they are asked to.
        let id = self.process.id().to_string();
        let _ = Command::new("kill").args(["-TERM", &id]).status();
        let _ = self.process.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_whole() {
        let answer = read(b"HTTP/1.1 303 See Other\r\nlocation: /results/x\r\n\r\nbody").unwrap();
        assert_eq!((answer.status, answer.location.as_deref()), (303, Some("/results/x")));
        assert_eq!(answer.body, b"body");
        assert!(read(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").is_err());
        assert!(read(b"").is_err());
    }
}
