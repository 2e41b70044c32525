//! One loop for all faces: thirty scenarios of the lab through the command line, the HTTP interface, the pages
//! and the tools for agents. Each must name the same findings, with the same owners and guide sections.

use super::check_lab::terminate;
use super::person::Person;
use super::program::{finish, program};
use super::site::{Answer, Running};
use rmcp::model::CallToolRequestParams;
use rmcp::service::RunningService;
use rmcp::transport::TokioChildProcess;
use rmcp::{RoleClient, ServiceExt as _};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

/// Domains, one of each area and stage at least.
const CHECKS: [&str; 24] = [
    "cert-expired",
    "cert-expiring-soon",
    "cert-hostile-subject",
    "cert-name-mismatch",
    "cert-self-signed",
    "dns-domain-nxdomain",
    "dns-implicit-mx",
    "dns-mx-ip-literal",
    "dns-mx-private-address-loopback",
    "dns-no-mail-records",
    "dns-null-mx",
    "ehlo-rejected",
    "greet-4xx-greylist",
    "greet-5xx-blocklist",
    "healthy-one-mx",
    "rpt-multiple",
    "starttls-5xx",
    "starttls-injected-reply",
    "starttls-not-advertised",
    "starttls-partial-mx",
    "sts-enforce-wrong-name",
    "sts-host-cert-expired",
    "tcp-refused",
    "tls-version-too-old",
];

/// Connections, each with its own kind of cause.
const CONNECTIONS: [&str; 6] = [
    "a-auth-bad-credentials",
    "a-cert-expired",
    "a-cert-name-mismatch",
    "a-healthy-starttls",
    "a-plain-port-as-tls",
    "a-send-from-not-owned",
];

/// What every face must agree on: code, owner, guide section.
type Named = BTreeSet<(String, String, String)>;

fn named(findings: &Value) -> Named {
    let text = |finding: &Value, key: &str| finding[key].as_str().unwrap_or("?").to_owned();
    let all = findings.as_array().unwrap_or_else(|| panic!("no findings in {findings}"));
    all.iter()
        .map(|finding| (text(finding, "code"), text(finding, "owner"), text(finding, "guide")))
        .collect()
}

/// The findings of a page: below the heading of each owner stand articles with their links.
fn named_on(body: &str) -> Named {
    let mut found = Named::new();
    for part in body.split("<h3>").skip(1) {
        let heading = part.split('<').next().unwrap_or_default();
        let owner = heading.split(": ").next().unwrap_or_default();
        for article in part.split("<article class=\"finding").skip(1) {
            let article = article.split("</article>").next().unwrap_or_default();
            let links: Vec<&str> = article
                .split("href=\"/guides/")
                .skip(1)
                .filter_map(|rest| rest.split('"').next())
                .collect();
            let code = links.iter().find_map(|link| link.strip_prefix("findings/"));
            let guide = links.iter().find(|link| link.contains('#'));
            let (code, guide) = (code.unwrap_or("?"), guide.unwrap_or(&"?"));
            found.insert((code.to_owned(), owner.to_owned(), (*guide).to_owned()));
        }
    }
    found
}

/// A lab that ends with the test, and the site and the agent inside it.
struct Faces {
    lab: Child,
    session: String,
    attempts: Vec<Value>,
}

impl Drop for Faces {
    fn drop(&mut self) {
        terminate(&mut self.lab);
    }
}

impl Faces {
    fn start() -> Self {
        let mut lab = program()
            .args(["lab", "up", "--json"])
            .args(CHECKS)
            .args(CONNECTIONS)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(lab.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let told: Value = serde_json::from_str(&line).unwrap();
        let session = told["session"].as_str().unwrap().to_owned();
        let attempts = told["attempts"].as_array().unwrap().clone();
        Self { lab, session, attempts }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = program();
        command.args(["lab", "exec", "--session", &self.session, "--"]).args(arguments);
        command
    }

    /// What a command prints with `--json`.
    fn cli(&self, arguments: &[&str]) -> Value {
        finish(self.command(arguments).arg("--json"), b"").json()
    }

    /// Adds the connection that the client of a scenario is set to.
    fn add(&self, scenario: &str) -> String {
        let attempt = self.attempts.iter().find(|one| one["scenario"] == scenario).unwrap();
        let of = |key: &str| attempt[key].as_str().unwrap();
        let add = [
            ["connection", "add", scenario].as_slice(),
            &["--host", of("host"), "--port", of("port"), "--security", of("security")],
            &["--user", of("username"), "--from-address", of("from"), "--secret-file", "-"],
        ]
        .concat();
        let added = finish(&mut self.command(&add), of("password").as_bytes());
        assert_eq!(added.status, 0, "{scenario}: {added:?}");
        of("to").to_owned()
    }
}

/// Follows what a request began to its end, and gets it.
fn ended(site: &Running, bearer: &str, begun: &(Answer, Value)) -> Value {
    assert_eq!(begun.0.status, 202, "{begun:?}");
    let location = &begun.0.headers["location"];
    let events = site.ask(("GET", &format!("{location}/events")), bearer, "").0;
    assert!(events.body.contains("event: end"), "{events:?}");
    site.ask(("GET", location), bearer, "").1
}

/// A tool for agents and its structured answer.
async fn tool(agent: &RunningService<RoleClient, ()>, name: &str, arguments: Value) -> Value {
    let parameters = CallToolRequestParams::new(name.to_owned())
        .with_arguments(arguments.as_object().unwrap().clone());
    let result = agent.call_tool(parameters).await.unwrap();
    assert_eq!(result.is_error, Some(false), "{name} {arguments}: {result:?}");
    result.structured_content.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thirty_scenarios_are_told_alike_by_every_face() {
    let faces = Faces::start();
    let mut site = Running::start(&["lab", "exec", "--session", &faces.session, "--", "serve"]);
    let link = site.first_link();
    let scopes = ["read", "check", "connections", "test-send"];
    let scopes = scopes.iter().flat_map(|scope| ["--scope", *scope]);
    let create: Vec<&str> =
        ["token", "create", "--name", "parity"].into_iter().chain(scopes).collect();
    let token = faces.cli(&create)["secret"].as_str().unwrap().to_owned();
    let bearer = format!("Authorization: Bearer {token}\r\n");
    let anna = Person::enter(&site, &link, "anna");
    let command = faces.command(&["mcp", "--allow", "test-send"]);
    let transport = TokioChildProcess::new(tokio::process::Command::from(command)).unwrap();
    let agent = ().serve(transport).await.unwrap();

    let mut compared = 0;
    for scenario in CHECKS {
        let domain = format!("{scenario}.test");
        let told = named(&faces.cli(&["check", &domain])["findings"]);
        let begun =
            site.ask(("POST", "/api/v1/checks"), &bearer, &json!({ "domain": domain }).to_string());
        let check = ended(&site, &bearer, &begun);
        assert_eq!(named(&check["report"]["findings"]), told, "{scenario} by the HTTP interface");
        let (status, address) = anna.post("/tools/smtp-tls", &[("domain", &domain)]);
        assert_eq!(status, 303, "{scenario}: {address}");
        assert_eq!(named_on(&anna.get(&address).1), told, "{scenario} on the page");
        let answer = tool(&agent, "check_domain", json!({ "domain": domain })).await;
        assert_eq!(named(&answer["report"]["findings"]), told, "{scenario} by the tool");
        compared += 1;
    }
    for scenario in CONNECTIONS {
        let to = faces.add(scenario);
        let shown = faces.cli(&["connection", "test", scenario, "--to", &to]);
        let told = named(&shown["result"]["findings"]);
        let id = shown["connection"]["id"].as_str().unwrap();
        let path = format!("/api/v1/connections/{id}/tests");
        let begun = site.ask(("POST", &path), &bearer, &json!({ "to": to }).to_string());
        let job = ended(&site, &bearer, &begun);
        assert_eq!(
            named(&job["job"]["result"]["findings"]),
            told,
            "{scenario} by the HTTP interface"
        );
        let (_, address) =
            anna.post(&format!("/connections/{id}/test"), &[("to", &to), ("key", scenario)]);
        assert_eq!(named_on(&anna.get(&address).1), told, "{scenario} on the page");
        let wanted = json!({ "connection": scenario, "to": to });
        let answer = tool(&agent, "test_connection", wanted).await;
        assert_eq!(named(&answer["result"]["findings"]), told, "{scenario} by the tool");
        compared += 1;
    }
    assert_eq!(compared, 30);
    agent.cancel().await.unwrap();
}
