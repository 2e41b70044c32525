//! The submission cases: what is tried at which door of which server, and what must come of it (RFC 6409).
//!
//! Every case is tried by `curl` first, then by the built binary as a person would run it. The way in is
//! [`Session::run`].

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::super::cases::note;
use super::super::pki::{Authority, Certificate, Period};
use super::super::tree::Tree;
use super::witness::{self, Fact};
use super::{HOST, INBOX, PASSWORD, Peer, Start, USER, exim, node, postfix};
use crate::command::Command;
use crate::pipeline::Count;

/// A name that no certificate here is for.
const OTHER_HOST: &str = "mail.other.test";

/// The password as it is and in base64 at the three places it can have there, without the letters that
/// depend on its neighbours.
const PASSWORD_FORMS: [&str; 4] = [
    PASSWORD,
    "UmVnZW5zY2hpcm0tNDctS29saWJyaS1PZmVu",
    "JlZ2Vuc2NoaXJtLTQ3LUtvbGlicmktT2Zl",
    "SZWdlbnNjaGlybS00Ny1Lb2xpYnJpLU9m",
];

/// A way into a server, and the way of speaking that belongs to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Door {
    /// STARTTLS, usually on port 587.
    Starttls,
    /// TLS from the first octet, usually on port 465.
    Tls,
}

/// One try.
#[derive(Clone, Copy, Debug)]
pub(super) struct Attempt<'a> {
    /// The door that is knocked at.
    pub(super) door: Door,
    /// How the client speaks.
    pub(super) mode: Door,
    /// The name asked for.
    pub(super) host: &'a str,
    /// The password given.
    pub(super) password: &'a str,
    /// The one mechanism to use, or the client's choice.
    pub(super) mechanism: Option<&'a str>,
    /// The message, as a file.
    pub(super) message: &'a Path,
}

/// One case, at both doors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Case {
    Expired,
    Send(Option<&'static str>),
    WrongMode,
    WrongName,
    WrongPassword,
}

/// A server with the mechanisms it offers.
struct Candidate {
    name: &'static str,
    start: Start,
    mechanisms: &'static [&'static str],
}

const CANDIDATES: &[Candidate] = &[
    Candidate {
        name: "postfix-dovecot",
        start: postfix::start,
        mechanisms: &["SCRAM-SHA-256", "PLAIN", "LOGIN", "CRAM-MD5"],
    },
    Candidate {
        name: "exim-submission",
        start: exim::start,
        mechanisms: &["PLAIN", "LOGIN", "CRAM-MD5"],
    },
    Candidate {
        name: "smtp-server",
        start: node::start,
        mechanisms: &["PLAIN", "LOGIN", "CRAM-MD5"],
    },
];

const DOORS: [Door; 2] = [Door::Starttls, Door::Tls];

impl Door {
    const fn other(self) -> Self {
        match self {
            Self::Starttls => Self::Tls,
            Self::Tls => Self::Starttls,
        }
    }

    const fn port(self) -> u16 {
        match self {
            Self::Starttls => 587,
            Self::Tls => 465,
        }
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::Starttls => "starttls",
            Self::Tls => "tls",
        }
    }
}

impl Case {
    fn name(self) -> String {
        match self {
            Self::Expired => "expired".into(),
            Self::Send(None) => "send".into(),
            Self::Send(Some(mechanism)) => format!("send-{}", mechanism.to_lowercase()),
            Self::WrongMode => "wrong-mode".into(),
            Self::WrongName => "wrong-name".into(),
            Self::WrongPassword => "wrong-password".into(),
        }
    }

    /// What curl must see; nothing where both sides wait for the other to begin.
    fn fact(self, door: Door) -> Option<Fact> {
        match self {
            Self::Expired => Some(Fact::Expired),
            // curl has no SCRAM in Debian's build.
            Self::Send(Some("SCRAM-SHA-256")) => None,
            Self::Send(_) => Some(Fact::Accepted),
            Self::WrongMode => (door == Door::Starttls).then_some(Fact::NotTls),
            Self::WrongName => Some(Fact::OtherName),
            Self::WrongPassword => Some(Fact::Denied),
        }
    }

    /// The code of the diagnosis; none where the message is taken.
    const fn code(self, door: Door) -> Option<&'static str> {
        match (self, door) {
            (Self::Expired, _) => Some("cert-expired"),
            (Self::Send(_), _) => None,
            (Self::WrongMode, Door::Starttls) => Some("greet-plain-port-with-tls"),
            (Self::WrongMode, Door::Tls) => Some("greet-tls-port-in-plaintext"),
            (Self::WrongName, _) => Some("cert-name-mismatch"),
            (Self::WrongPassword, _) => Some("auth-bad-credentials"),
        }
    }
}

/// What the cases share.
pub(in crate::peers) struct Session<'a> {
    tree: &'a Tree,
    binary: &'a Path,
    folder: &'a Path,
    root: PathBuf,
    good: Certificate,
    expired: Certificate,
}

impl<'a> Session<'a> {
    /// Makes what the cases share.
    ///
    /// # Errors
    /// When the certificates cannot be made.
    pub(in crate::peers) fn new(
        tree: &'a Tree,
        binary: &'a Path,
        folder: &'a Path,
        authority: &Authority,
    ) -> Result<Self> {
        let good = authority.certificate(HOST, Period::Present)?;
        let expired = authority.certificate(HOST, Period::Past)?;
        Ok(Self { tree, binary, folder, root: authority.root(), good, expired })
    }

    /// Runs the cases of every server whose name starts with `only`, and prints a line for each.
    pub(in crate::peers) fn run(&self, only: &str) -> Count {
        let mut count = Count::default();
        for candidate in CANDIDATES.iter().filter(|each| each.name.starts_with(only)) {
            self.candidate(candidate, &mut count);
        }
        count
    }

    fn candidate(&self, candidate: &Candidate, count: &mut Count) {
        let mut good =
            vec![Case::Send(None), Case::WrongMode, Case::WrongName, Case::WrongPassword];
        good.extend(candidate.mechanisms.iter().map(|each| Case::Send(Some(each))));
        for (name, certificate, cases) in
            [("good", &self.good, good), ("expired", &self.expired, vec![Case::Expired])]
        {
            let folder = self.folder.join(format!("{}-{name}", candidate.name));
            let peer = std::fs::create_dir_all(&folder)
                .map_err(anyhow::Error::from)
                .and_then(|()| (candidate.start)(self.tree, &folder, certificate));
            let peer = match peer {
                Ok(peer) => peer,
                Err(error) => {
                    note(count, &format!("{}-{name}", candidate.name), Err(error));
                    continue;
                }
            };
            for case in cases {
                for door in DOORS {
                    let name = format!("{}-{}-{}", candidate.name, door.port(), case.name());
                    note(count, &name, self.case(&peer, &folder, case, door));
                }
            }
        }
    }

    fn case(&self, peer: &Peer, folder: &Path, case: Case, door: Door) -> Result<Vec<String>> {
        let password = if case == Case::WrongPassword { "not-this-one-at-all" } else { PASSWORD };
        let attempt = Attempt {
            door,
            mode: if case == Case::WrongMode { door.other() } else { door },
            host: if case == Case::WrongName { OTHER_HOST } else { HOST },
            password,
            mechanism: if let Case::Send(mechanism) = case { mechanism } else { None },
            message: &folder.join("message"),
        };
        let label = format!("{}-{}", door.port(), case.name());
        if let Some(fact) = case.fact(door) {
            let text = write_message(attempt.message, &format!("curl-{label}"))?;
            let problem = witness::agrees(peer, &attempt, fact, &self.root)?;
            if let Some(problem) = problem.or_else(|| arrival(peer, &text, fact == Fact::Accepted))
            {
                return Ok(vec![problem]);
            }
        }
        let text = write_message(attempt.message, &format!("waxseal-{label}"))?;
        let answer = self.send(peer, &attempt, folder)?;
        let mut problems = compare(&answer, case.code(door));
        if problems.is_empty() {
            problems.extend(arrival(peer, &text, case.code(door).is_none()));
        } else {
            problems.push(answer.to_string());
        }
        Ok(problems)
    }

    fn send(&self, peer: &Peer, attempt: &Attempt<'_>, folder: &Path) -> Result<Value> {
        let server = match attempt.door {
            Door::Starttls => peer.starttls,
            Door::Tls => peer.tls,
        };
        let password = folder.join("password");
        std::fs::write(&password, attempt.password)?;
        let mut command = Command::new(self.binary)
            .args(["tool", "smtp", "send", "--json", "--allow-private"])
            .args(["--host", attempt.host, "--port", &attempt.door.port().to_string()])
            .args(["--security", attempt.mode.as_str(), "--username", USER])
            .args(["--password-file".as_ref(), password.as_os_str()])
            .args(["--roots".as_ref(), self.root.as_os_str()])
            .args(["--connect", &route(attempt, server)])
            .args(["--zone-file".as_ref(), zone(folder)?.as_os_str()])
            .args(["--from", USER, "--to", INBOX]);
        if let Some(mechanism) = attempt.mechanism {
            command = command.args(["--auth", &mechanism.to_lowercase()]);
        }
        let done = command.args([attempt.message]).output()?;
        let said = format!("{}{}", done.stdout, done.stderr);
        if PASSWORD_FORMS.iter().chain([&attempt.password]).any(|form| said.contains(form)) {
            bail!("the password is shown:\n{said}");
        }
        serde_json::from_str(&done.stdout)
            .with_context(|| format!("no answer: {}\n{}{}", done.status, done.stdout, done.stderr))
    }
}

fn route(attempt: &Attempt<'_>, server: SocketAddr) -> String {
    format!("{}:{}={server}", attempt.host, attempt.door.port())
}

/// Both names are this machine.
fn zone(folder: &Path) -> Result<PathBuf> {
    let record = |name| serde_json::json!({ "name": name, "type": "A", "data": ["127.0.0.1"] });
    let records = [record(HOST), record(OTHER_HOST)];
    let file = folder.join("zone.json");
    std::fs::write(&file, serde_json::json!({ "records": records, "secure": [] }).to_string())?;
    Ok(file)
}

/// Writes a message and returns the text that only this one has.
fn write_message(file: &Path, label: &str) -> Result<String> {
    let text = format!("this is the message of {label}.");
    let message = format!(
        "From: {USER}\r\nTo: {INBOX}\r\nSubject: {label}\r\nMessage-ID: <{label}@peer.test>\r\n\
         Date: Mon, 23 Nov 2026 12:00:00 +0000\r\n\r\n{text}\r\n.a line that begins with a dot\r\n"
    );
    std::fs::write(file, message)?;
    Ok(text)
}

/// What is wrong with the mailbox. A message that is there came whole, signed in and inside TLS: servers
/// note that as ESMTPSA (RFC 3848).
fn arrival(peer: &Peer, text: &str, expected: bool) -> Option<String> {
    if !expected {
        let there = peer.messages().iter().any(|message| message.contains(text));
        return there.then(|| format!("the mailbox has '{text}' all the same"));
    }
    let Some(message) = peer.delivered(text) else {
        return Some(format!("the mailbox lacks '{text}'"));
    };
    if !message.to_lowercase().contains("with esmtpsa") {
        return Some(format!("not signed in and inside TLS:\n{message}"));
    }
    let whole = message.lines().any(|line| line == ".a line that begins with a dot");
    (!whole).then(|| format!("the message was changed:\n{message}"))
}

/// What of the answer is not as expected.
fn compare(answer: &Value, code: Option<&str>) -> Vec<String> {
    let mut problems = Vec::new();
    let accepted = answer["accepted"].as_bool();
    if accepted != Some(code.is_none()) {
        problems.push(format!("accepted {accepted:?}, expected {}", code.is_none()));
    }
    let found = answer.pointer("/diagnosis/code").and_then(Value::as_str);
    if found != code {
        problems.push(format!("diagnosis {found:?}, expected {code:?}"));
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_right_only_with_the_expected_code() {
        let answer = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        let taken = answer(r#"{"accepted":true,"diagnosis":null}"#);
        let refused = answer(r#"{"accepted":false,"diagnosis":{"code":"cert-expired"}}"#);
        assert!(compare(&taken, None).is_empty());
        assert!(compare(&refused, Some("cert-expired")).is_empty());
        assert_eq!(compare(&taken, Some("cert-expired")).len(), 2);
        assert_eq!(compare(&refused, Some("cert-name-mismatch")).len(), 1);
        assert_eq!(compare(&answer("{}"), None).len(), 1);
    }
}
