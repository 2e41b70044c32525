//! A lab inside the test's own process, so that a test sees every session that a site opens to it.

use crate::program::program;
use crate::site::Running;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::process::Command;
use tokio::runtime::Runtime;
use waxseal_lab::control::{Lab, LabOptions, SessionFolder};
use waxseal_lab::scenario::Scenario;

/// A lab whose recorder can be read.
pub(crate) struct WatchedLab {
    pub(crate) lab: Lab,
    pub(crate) runtime: Runtime,
    session: SessionFolder,
}

impl WatchedLab {
    /// A lab for these scenarios: a name and the text of a scenario file, without its title and kind.
    pub(crate) fn start<T: AsRef<str>>(scenarios: &[(T, T)]) -> Self {
        let parse = |(name, text): &(T, T)| {
            let text = format!("title = \"A test\"\nkind = \"healthy\"\n{}", text.as_ref());
            Scenario::parse(&format!("healthy/{}", name.as_ref()), &text).unwrap()
        };
        let scenarios: Vec<Scenario> = scenarios.iter().map(parse).collect();
        let runtime = Runtime::new().unwrap();
        let lab = runtime.block_on(Lab::start(&scenarios, LabOptions::at(now()))).unwrap();
        let session = lab.session().unwrap();
        Self { lab, runtime, session }
    }

    /// A site that looks at this lab.
    pub(crate) fn site(&self, arguments: &[&str]) -> Running {
        let session = self.session.path().to_str().unwrap();
        let inside = ["lab", "exec", "--session", session, "--", "serve"];
        Running::start(&[&inside, arguments].concat())
    }

    /// A command in this lab.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = program();
        command.args(["lab", "exec", "--session"]).arg(self.session.path());
        command.arg("--").args(arguments);
        command
    }

    /// How many sessions each address and port has had.
    pub(crate) fn sessions(&self) -> BTreeMap<(IpAddr, u16), usize> {
        let mut counts = BTreeMap::new();
        for recording in self.lab.recordings() {
            *counts.entry((recording.published, recording.port)).or_default() += 1;
        }
        counts
    }
}

#[expect(clippy::disallowed_methods, reason = "a lab is made for the present moment")]
fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}
