//! The second half of the demo: commands as a person types them, run as the program runs them, in the lab.
//! A connection with the wrong mode fails with its cause, an edit mends it, and a service's interface is used.

use super::super::error::{CliError, chain};
use super::super::exit::Exit;
use super::super::world::WorldSource;
use super::super::{output, run_in};
use crate::config::data::{self, DataFlags};
use crate::{clock, escape};
use std::ffi::OsString;
use std::path::Path;
use tokio::runtime::Runtime;
use waxseal_app::connections;
use waxseal_app::connections::wire::ConnectionView;
use waxseal_app::store::{Data, Opening};
use waxseal_lab::control::Lab;
use waxseal_lab::scenario::Scenario;

/// What TLS from the first octet on port 587 is called.
const WRONG_MODE: &str = "greet-plain-port-with-tls";

/// Where the commands run and what is shown of them.
pub(super) struct Story<'a> {
    pub(super) lab: &'a Lab,
    pub(super) world: &'a WorldSource,
    pub(super) runtime: &'a Runtime,
    pub(super) json: bool,
}

impl Story<'_> {
    /// Whether everything came out as expected.
    pub(super) fn tell(&self, server: &Scenario, service: &Scenario) -> Result<bool, CliError> {
        // The lab's own folder: what is written there goes with it.
        let data = self.world.lab_data();
        let folder = data.and_then(Path::parent).ok_or_else(|| failed("no folder"))?;
        let over_smtp = self.over_smtp(server, folder)?;
        let over_api = self.over_api(service, folder)?;
        Ok(over_smtp && over_api)
    }

    fn over_smtp(&self, server: &Scenario, folder: &Path) -> Result<bool, CliError> {
        let Some(attempt) = &server.submission else { return Ok(false) };
        let host = self.lab.attempt_host(server).unwrap_or_default();
        let secret = write(folder, "password.txt", &attempt.password)?;
        let to = attempt.to();

        self.head("A connection with a wrong setting: port 587 with mode tls")?;
        let place = ["connection", "add", "own", "--host", &host, "--port", "587"];
        let account = ["--user", attempt.user().unwrap_or_default(), "--secret-file", &secret];
        let from = ["--security", "tls", "--from-address", attempt.from()];
        let mut good = self.command(&[&place[..], &from, &account].concat(), Exit::Good)?;
        good &= self.command(&["connection", "test", "own", "--to", to], Exit::Problem)?;
        let failed = self.stored("own")?;
        good &= expect("the connection is failing", failed.state == "failing");
        good &= expect("the cause is the mode", cause(&failed) == Some(WRONG_MODE));
        good &= expect("no message has left", self.lab.messages().is_empty());

        self.head("The same connection, corrected by the person who runs it")?;
        let edit = ["connection", "edit", "own", "--security", "starttls"];
        good &= self.command(&edit, Exit::Good)?;
        good &= self.command(&["connection", "test", "own", "--to", to], Exit::Good)?;
        good &= expect("the connection is passing", self.stored("own")?.state == "passing");
        good &= expect("one message has arrived", self.lab.messages().len() == 1);

        self.head("The message as it arrived")?;
        if !self.json {
            output::note(
                "The lab's server keeps a message as it was sent and adds no Received line, so there is no hop \
                 to judge. In a mailbox each server has added one.",
            );
        }
        let arrived = folder.join("mail").join("0001.eml").display().to_string();
        let read = ["connection", "test", "own", "--received", &arrived];
        good &= self.command(&read, Exit::Undetermined)?;
        Ok(good)
    }

    fn over_api(&self, service: &Scenario, folder: &Path) -> Result<bool, CliError> {
        let Some(attempt) = &service.api else { return Ok(false) };
        let name = attempt.service().map_or("", |service| service.as_str());
        let key = attempt.secrets.values().next().map_or("", String::as_str);
        let secret = write(folder, "token.txt", key)?;

        self.head("A delivery service over its own interface (a simulated one)")?;
        let settings: Vec<String> =
            attempt.settings.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let from = attempt.message.from();
        let mut add = vec!["connection", "add", "news", "--service", name, "--from-address", from];
        add.extend(settings.iter().flat_map(|setting| ["--setting", setting.as_str()]));
        add.extend(["--secret-file", &secret]);
        let mut good = self.command(&add, Exit::Good)?;
        good &= self.command(&["connection", "verify", "news"], Exit::Good)?;
        let to = attempt.message.to.as_str();
        good &= self.command(&["connection", "test", "news", "--to", to], Exit::Good)?;
        good &= expect("the service is passing", self.stored("news")?.state == "passing");
        Ok(good)
    }

    /// Runs a command in the lab; says whether it ended as expected.
    fn command(&self, arguments: &[&str], expected: Exit) -> Result<bool, CliError> {
        let typed = arguments.join(" ");
        if !self.json {
            output::data(&escape::block(&format!("\n$ waxseal {typed}\n")))?;
        }
        let line = std::iter::once("waxseal").chain(arguments.iter().copied());
        let form = self.json.then_some("--json");
        let exit = run_in(line.chain(form).map(OsString::from), self.world);
        let what = format!(
            "exit status {} of {}, was {}",
            expected.number(),
            escape::line(&typed),
            exit.number()
        );
        Ok(expect(&what, exit == expected))
    }

    /// What is kept of a connection.
    fn stored(&self, name: &str) -> Result<ConnectionView, CliError> {
        let config = data::load(None, &DataFlags::default(), self.world.lab_data())?;
        self.runtime.block_on(async {
            let now = clock::now();
            let data = Data::open(config.settings(), Opening::Existing, now)
                .await
                .map_err(|error| failed(&chain(&error)))?;
            let shown = connections::show(&data, name, now).await;
            data.close().await;
            shown.map_err(|error| failed(&chain(&error)))
        })
    }

    fn head(&self, title: &str) -> Result<(), CliError> {
        if self.json { Ok(()) } else { output::data(&format!("\n== {title} ==\n")) }
    }
}

fn failed(text: &str) -> CliError {
    CliError::undetermined(format!("demo: {text}"))
}

/// The code of what the newest test found first.
fn cause(connection: &ConnectionView) -> Option<&str> {
    connection.last_test.as_ref()?.detail.pointer("/findings/0/code")?.as_str()
}

/// Tells when something is not as the demo expects it.
fn expect(what: &str, holds: bool) -> bool {
    if !holds {
        output::note(&format!("waxseal: demo: expected: {what}"));
    }
    holds
}

/// Writes a file; gives its path as a command takes it.
fn write(folder: &Path, name: &str, text: &str) -> Result<String, CliError> {
    let path = folder.join(name);
    std::fs::write(&path, text)
        .map_err(|error| CliError::undetermined(format!("{}: {error}", path.display())))?;
    Ok(path.display().to_string())
}
