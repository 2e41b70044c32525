//! `waxseal mcp`, asked by the official client over standard input and output, inside the lab's world.

use super::check_lab::terminate;
use super::mcp_calls::{RPT_RECORD, STS_POLICY, STS_RECORD, arrival, calls, fits};
use super::program::{file, finish, program};
use rmcp::model::{
    CallToolRequest, CallToolRequestParams, CallToolResult, ClientRequest,
    ReadResourceRequestParams, ServerResult, Tool,
};
use rmcp::service::{PeerRequestOptions, RequestHandle, RunningService};
use rmcp::transport::TokioChildProcess;
use rmcp::{RoleClient, ServiceExt as _};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

/// Scenarios of different areas; `greet-none` keeps a check waiting.
const SCENARIOS: [&str; 12] = [
    "healthy-one-mx",
    "cert-expired",
    "cert-hostile-subject",
    "starttls-not-advertised",
    "tcp-refused",
    "dns-null-mx",
    "dns-no-mail-records",
    "dns-mx-private-address-loopback",
    "greet-4xx-greylist",
    "greet-not-smtp-html",
    "greet-none",
    "submission",
];

/// A lab that ends with the test.
pub(crate) struct Lab {
    process: Child,
    pub(crate) session: String,
    /// What a client of its standing submission server is set to.
    pub(crate) account: Value,
}

impl Lab {
    pub(crate) fn up() -> Self {
        let mut process = program()
            .args(["lab", "up", "--json"])
            .args(SCENARIOS)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let running: Value = serde_json::from_str(&line).unwrap();
        let attempts = running["attempts"].as_array().unwrap();
        let account = attempts.iter().find(|one| one["scenario"] == "submission").unwrap().clone();
        let session = running["session"].as_str().unwrap().to_owned();
        Self { process, session, account }
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = program();
        command.args(["lab", "exec", "--session", &self.session, "--"]).args(arguments);
        command
    }

    /// What a command prints with `--json`.
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        finish(self.command(arguments).arg("--json"), b"").json()
    }

    pub(crate) fn account(&self, name: &str) -> &str {
        self.account[name].as_str().unwrap()
    }

    /// Adds the connection `own` to the standing server, with its password.
    pub(crate) fn add_own(&self) {
        let add = [
            ["connection", "add", "own"].as_slice(),
            &["--host", self.account("host"), "--port", self.account("port")],
            &["--security", self.account("security"), "--user", self.account("username")],
            &["--from-address", self.account("from"), "--secret-file", "-"],
        ]
        .concat();
        let added = finish(&mut self.command(&add), self.account("password").as_bytes());
        assert_eq!(added.status, 0, "{added:?}");
    }

    pub(crate) async fn agent(&self, arguments: &[&str]) -> Agent {
        let command = self.command(&[&["mcp"], arguments].concat());
        let transport = TokioChildProcess::new(tokio::process::Command::from(command)).unwrap();
        Agent(().serve(transport).await.unwrap())
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        terminate(&mut self.process);
    }
}

pub(crate) struct Agent(pub(crate) RunningService<RoleClient, ()>);

impl Agent {
    pub(crate) async fn begin(&self, tool: &str, arguments: &Value) -> RequestHandle<RoleClient> {
        let parameters = CallToolRequestParams::new(tool.to_owned())
            .with_arguments(arguments.as_object().unwrap().clone());
        let request = ClientRequest::CallToolRequest(CallToolRequest::new(parameters));
        self.0.send_cancellable_request(request, PeerRequestOptions::no_options()).await.unwrap()
    }

    pub(crate) async fn call(&self, tool: &str, arguments: Value) -> CallToolResult {
        ended(self.begin(tool, &arguments).await).await
    }

    /// The structured value of a tool that did what it was asked.
    pub(crate) async fn get(&self, tool: &str, arguments: Value) -> Value {
        let result = self.call(tool, arguments).await;
        assert_eq!(result.is_error, Some(false), "{tool}: {result:?}");
        let value = result.structured_content.unwrap();
        let text = result.content.first().and_then(|block| block.as_text()).unwrap();
        assert_eq!(serde_json::from_str::<Value>(&text.text).unwrap(), value, "{tool}");
        value
    }

    /// The same, once it was compared with the schema that the tool has for it.
    pub(crate) async fn answer(&self, tools: &[Tool], tool: &str, arguments: Value) -> Value {
        let value = self.get(tool, arguments).await;
        let listed = tools.iter().find(|listed| listed.name == tool).unwrap();
        let schema = Value::Object((**listed.output_schema.as_ref().unwrap()).clone());
        fits(&schema, &value, tool).unwrap_or_else(|problem| panic!("{problem}"));
        value
    }

    /// The code of a refusal.
    pub(crate) async fn refusal(&self, tool: &str, arguments: Value) -> Value {
        let result = self.call(tool, arguments).await;
        assert_eq!(result.is_error, Some(true), "{tool}: {result:?}");
        result.structured_content.unwrap_or_else(|| json!({ "code": "schema" }))
    }

    pub(crate) async fn end(self) {
        self.0.cancel().await.unwrap();
    }
}

pub(crate) async fn ended(handle: RequestHandle<RoleClient>) -> CallToolResult {
    let answer = handle.await_response().await.unwrap();
    let ServerResult::CallToolResult(result) = answer else { panic!("{answer:?}") };
    result
}

/// Takes the marks of text of strangers away.
fn unmarked(value: &Value) -> Value {
    match value {
        Value::Object(fields) => match (fields.get("untrusted_text"), fields.len()) {
            (Some(text), 1) => text.clone(),
            _ => fields.iter().map(|(name, field)| (name.clone(), unmarked(field))).collect(),
        },
        Value::Array(entries) => entries.iter().map(unmarked).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}

/// The findings of a report without what strangers wrote, which is cut for agents.
fn judged(report: &Value) -> Value {
    let mut findings = report["findings"].clone();
    for finding in findings.as_array_mut().unwrap() {
        let evidence = finding["evidence"].as_array().unwrap().len();
        finding["evidence"] = evidence.into();
    }
    findings
}

/// Every text that is not marked as a stranger's.
fn own_texts(value: &Value, texts: &mut Vec<String>) {
    match value {
        Value::String(text) => texts.push(text.clone()),
        Value::Object(fields) if fields.contains_key("untrusted_text") => {}
        Value::Object(fields) => fields.values().for_each(|field| own_texts(field, texts)),
        Value::Array(entries) => entries.iter().for_each(|entry| own_texts(entry, texts)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Read-only, destructive, idempotent, open world.
fn hints(tool: &Tool) -> [bool; 4] {
    let hints = tool.annotations.as_ref().unwrap();
    [hints.read_only_hint, hints.destructive_hint, hints.idempotent_hint, hints.open_world_hint]
        .map(Option::unwrap)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_findings_as_on_the_command_line() {
    let lab = Lab::up();
    let agent = lab.agent(&[]).await;
    let domains = SCENARIOS.iter().take(10).map(|name| format!("{name}.test"));
    for domain in domains.chain(["127.0.0.1", "::1", "169.254.169.254"].map(str::to_owned)) {
        let printed = lab.json(&["check", &domain]);
        let got = agent.get("check_domain", json!({ "domain": domain })).await;
        let report = &got["report"];
        assert_eq!(judged(report), judged(&printed), "{domain}");
        for key in ["schema", "simulated", "target", "verdict", "transport", "not_checked"] {
            assert_eq!(report[key], printed[key], "{domain} {key}");
        }
        let keys = |value: &Value| -> BTreeSet<String> {
            value.as_object().unwrap().keys().cloned().collect()
        };
        assert_eq!(keys(report), keys(&printed), "{domain}");
        let findings = report["findings"].as_array().unwrap();
        let first = findings.first().map(|finding| &finding["guide"]);
        assert_eq!(first, got["guide_sections"].get(0).map(|section| &section["guide"]));
        let looked = |address: &Value| address["outcome"] == "guard-refused";
        if domain.contains(':') || domain.ends_with(['1', '4']) {
            let addresses = report["mx"][0]["addresses"].as_array().unwrap();
            assert!(!addresses.is_empty() && addresses.iter().all(looked), "{domain}: {report}");
        }
    }
    agent.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_tool_is_listed_as_documented_and_answers() {
    let lab = Lab::up();
    lab.add_own();
    let agent = lab.agent(&["--allow", "test-send", "--allow", "connections"]).await;
    let info = agent.0.peer_info().unwrap();
    assert_eq!(info.server_info.as_ref().unwrap().name, "waxseal");
    let tools = agent.0.list_all_tools().await.unwrap();
    let page = include_str!("../../../../docs/mcp.md");
    for tool in &tools {
        let [read_only, destructive, idempotent, open] =
            hints(tool).map(|hint| if hint { "yes" } else { "no" });
        let row = page.lines().find(|line| line.starts_with(&format!("| `{}` |", tool.name)));
        let row = row.unwrap_or_else(|| panic!("{} is not in docs/mcp.md", tool.name));
        let words = format!("| {read_only} | {destructive} | {idempotent} | {open} |");
        assert!(row.contains(&words), "{row}");
        assert_eq!(tool.input_schema["additionalProperties"], false, "{}", tool.name);
        assert!(tool.description.is_some() && tool.title.is_none(), "{}", tool.name);
    }
    assert_eq!(page.lines().filter(|line| line.starts_with("| `")).count(), tools.len());

    let mut seen = Vec::new();
    for (tool, arguments) in calls(&lab.account) {
        seen.push((tool, agent.answer(&tools, tool, arguments).await));
    }
    let sent = &seen.iter().find(|(name, _)| *name == "test_connection").unwrap().1;
    let arrived = agent.answer(&tools, "read_test_arrival", arrival(sent)).await;
    seen.push(("read_test_arrival", arrived));
    for (tool, value) in &seen {
        let shown = value.to_string();
        assert!(!shown.contains(lab.account("password")), "{tool}: {shown}");
    }
    let asked: BTreeSet<&str> = seen.iter().map(|(tool, _)| *tool).collect();
    assert_eq!(asked, tools.iter().map(|tool| tool.name.as_ref()).collect());
    let of = |tool| &seen.iter().rev().find(|(name, _)| *name == tool).unwrap().1;
    assert_eq!(of("mx_records")["report"]["verdict"], "nothing-to-test");
    let explained = &of("explain_finding")["finding"];
    assert_eq!(explained["guide"], "tls#certificate");
    assert_eq!(of("explain_finding")["guide_sections"][0]["guide"], "tls#certificate");
    assert!(of("search_guides")["hits"].as_array().unwrap().len() > 1);
    let hop = &of("read_headers")["hops"][0];
    assert_eq!(hop["by"]["untrusted_text"], "b.test");
    assert_eq!(hop["tls"]["encrypted"], true);
    assert_eq!(of("verify_connection")["result"]["outcome"], "ready");
    let sent = of("test_connection");
    assert_eq!((&sent["result"]["outcome"], &sent["repeated"]), (&json!("accepted"), &json!(true)));
    assert_eq!(of("show_connection")["connection"]["state"], "passing");
    let hop = &of("read_test_arrival")["test"]["detail"]["received"]["hops"][0];
    assert_eq!(hop["by"]["untrusted_text"], "b.test");
    let for_person = &of("add_connection")["for_a_person"]["enter_secret"];
    assert_eq!(for_person[4], "--ask-secret");
    assert_eq!(of("add_connection")["connection"]["secret"]["stored"], false);
    assert_eq!(of("set_connection_enabled")["connection"]["enabled"], false);
    agent.end().await;
}

/// What differs between two runs of the same thing, and what an agent gets in another form.
const UNSTEADY: [&str; 17] = [
    "began_at",
    "changed_at",
    "checked_at",
    "created_at",
    "elapsed_ms",
    "extensions",
    "for_a_person",
    "guide_sections",
    "id",
    "message_id",
    "revision",
    "server_id",
    "started_at",
    "test",
    "timings_ms",
    "took_ms",
    "transcript",
];

fn steady(value: &Value) -> Value {
    match value {
        Value::Object(fields) => fields
            .iter()
            .filter(|(name, _)| !UNSTEADY.contains(&name.as_str()))
            .map(|(name, field)| (name.clone(), steady(field)))
            .collect(),
        Value::Array(entries) => entries.iter().map(steady).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}

const MAIL: &str = "Received: from a.test by b.test with ESMTPS id 1\n";
const PEM: &str = include_str!("../../../check/src/diagnose/tests/service.pem");

/// Tool, part of its answer, arguments, and the command that prints the same.
type Same = (&'static str, &'static str, Value, Vec<String>);

fn same(lab: &Lab, (policy, certificate, message): (&str, &str, &str)) -> Vec<Same> {
    let to = lab.account("to");
    let own = || json!({ "connection": "own" });
    let sts = |part, arguments, command: &str| {
        let words = format!("tool mta-sts {command}");
        ("read_mta_sts", part, arguments, words)
    };
    let new = json!({ "name": "n", "service": "postmark", "from_address": "a@example.com" });
    let add = "connection add m --service postmark --from-address a@example.com --no-secret";
    let table = [
        ("read_headers", "", json!({ "message": MAIL }), format!("headers {message}")),
        (
            "check_address",
            "",
            json!({ "address": "a@b.test" }),
            "tool address check a@b.test".into(),
        ),
        sts("policy", json!({ "policy": STS_POLICY }), &format!("parse-policy {policy}")),
        sts(
            "listed",
            json!({ "policy": STS_POLICY, "host": "mx.example.com" }),
            &format!("match --policy {policy} mx.example.com"),
        ),
        (
            "inspect_certificates",
            "",
            json!({ "pem": PEM }),
            format!("tool cert inspect {certificate}"),
        ),
        ("presets", "", json!({ "name": "postmark" }), "presets postmark".into()),
        ("presets", "", json!({}), "presets".into()),
        (
            "check_domain",
            "report",
            json!({ "domain": "cert-expired.test" }),
            "check cert-expired.test".into(),
        ),
        (
            "mx_records",
            "report",
            json!({ "domain": "dns-null-mx.test" }),
            "check --only mx dns-null-mx.test".into(),
        ),
        ("verify_connection", "", own(), "connection verify own".into()),
        (
            "test_connection",
            "",
            json!({ "connection": "own", "to": to }),
            format!("connection test own --to {to}"),
        ),
        ("show_connection", "", own(), "connection show own".into()),
        ("add_connection", "", new, add.into()),
        (
            "edit_connection",
            "",
            json!({ "connection": "n", "from_name": "News" }),
            "connection edit m --from-name News".into(),
        ),
        (
            "set_connection_enabled",
            "",
            json!({ "connection": "n", "enabled": false }),
            "connection disable m".into(),
        ),
        ("list_connections", "", json!({}), "connection list".into()),
    ];
    let words = |text: &str| text.split(' ').map(str::to_owned).collect();
    let record = |command: &str, text: &str| {
        vec!["tool".to_owned(), command.to_owned(), "parse-record".to_owned(), text.to_owned()]
    };
    let records = [
        ("read_mta_sts", "record", json!({ "record": STS_RECORD }), record("mta-sts", STS_RECORD)),
        ("read_tls_rpt", "", json!({ "record": RPT_RECORD }), record("tls-rpt", RPT_RECORD)),
    ];
    let table = table.map(|(tool, part, arguments, text)| (tool, part, arguments, words(&text)));
    records.into_iter().chain(table).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_gets_what_the_command_line_prints() {
    let lab = Lab::up();
    lab.add_own();
    let folder = tempfile::tempdir().unwrap();
    let text = |name: &str, content: &str| file(&folder, name, content).display().to_string();
    let policy = text("policy", STS_POLICY);
    let certificate = text("service.pem", PEM);
    let message = text("message", MAIL);
    let agent = lab.agent(&["--allow", "test-send", "--allow", "connections"]).await;
    for (tool, part, arguments, command) in same(&lab, (&policy, &certificate, &message)) {
        let got = agent.get(tool, arguments).await;
        let got = if part.is_empty() { &got } else { &got[part] };
        let one = |value: &Value| {
            let text = serde_json::to_string_pretty(&steady(value)).unwrap();
            text.replace("\"name\": \"n\"", "\"name\": \"m\"").replace("lab-0002", "lab-0001")
        };
        let (got, printed) = (
            one(&unmarked(got)),
            one(&lab.json(&command.iter().map(String::as_str).collect::<Vec<_>>())),
        );
        let apart = got.lines().zip(printed.lines()).find(|(got, printed)| got != printed);
        assert_eq!(apart, None, "{tool}");
        assert_eq!(got.len(), printed.len(), "{tool}");
    }
    agent.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn guides_and_findings_are_resources() {
    let lab = Lab::up();
    let agent = lab.agent(&[]).await;
    let listed = agent.0.list_all_resources().await.unwrap();
    let guides = agent.get("list_guides", json!({})).await;
    assert_eq!(listed.len(), guides["guides"].as_array().unwrap().len());
    let templates = agent.0.list_all_resource_templates().await.unwrap();
    assert_eq!(templates.len(), 2);
    let finding = "waxseal://findings/cert-expired".to_owned();
    let uris: Vec<String> = listed.iter().map(|one| one.uri.clone()).chain([finding]).collect();
    for uri in uris {
        let read = agent.0.read_resource(ReadResourceRequestParams::new(uri.as_str())).await;
        let contents = serde_json::to_value(&read.unwrap().contents).unwrap();
        assert_eq!(contents[0]["uri"], uri);
        assert!(contents[0]["text"].as_str().unwrap().starts_with('#'), "{uri}");
    }
    for uri in ["waxseal://guides/../x", "waxseal://guides/", "file:///etc/passwd", ""] {
        let read = agent.0.read_resource(ReadResourceRequestParams::new(uri)).await;
        assert!(read.is_err(), "{uri}");
    }
    agent.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn text_of_strangers_is_marked_and_harmless() {
    let lab = Lab::up();
    let agent = lab.agent(&[]).await;
    let got = agent.get("check_domain", json!({ "domain": "cert-hostile-subject.test" })).await;
    assert!(got.to_string().contains("<script>alert(1)</script>"), "it is told: {got}");
    assert!(!got.to_string().contains(['\u{202e}', '\u{1b}']), "{got}");
    let mut texts = Vec::new();
    own_texts(&got, &mut texts);
    let html = texts.iter().find(|text| text.contains("<script"));
    assert_eq!(html, None);
    agent.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn scopes_are_off_and_input_has_limits() {
    let lab = Lab::up();
    let agent = lab.agent(&[]).await;
    let tools = agent.0.list_all_tools().await.unwrap();
    let new = json!({ "name": "x", "from_address": "a@example.com", "service": "postmark" });
    let long = "a".repeat(5000);
    let table = [
        ("test_connection", json!({ "connection": "own", "to": "a@b.example" }), "scope"),
        ("add_connection", new, "scope"),
        ("request_secret_link", json!({ "connection": "own" }), "scope"),
        ("edit_connection", json!({ "connection": "own", "name": "x" }), "scope"),
        ("set_connection_enabled", json!({ "connection": "own", "enabled": true }), "scope"),
        ("read_test_arrival", json!({ "connection": "own", "message": "A: b" }), "not-found"),
        ("read_mta_sts", json!({}), "input"),
        ("check_address", json!({ "address": long }), "input"),
        ("inspect_certificates", json!({ "pem": "no certificate" }), "input"),
        ("check_domain", json!({ "domain": long }), "input"),
        ("check_domain", json!({ "domain": "a.test", "port": 22 }), "input"),
        ("check_domain", json!({ "domain": "a.test", "expect_mx": vec!["a.test"; 100] }), "input"),
        ("check_domain", json!({ "domain": "a.test", "allow_private": true }), "schema"),
        ("check_domain", json!({ "domain": "a.test", "roots": "ca.pem" }), "schema"),
        ("verify_connection", json!({ "connection": "own" }), "not-found"),
        ("show_connection", json!({ "connection": long }), "input"),
        ("read_headers", json!({ "message": "x".repeat(300_000) }), "input"),
        ("read_headers", json!({ "message": "no header" }), "input"),
        ("read_guide", json!({ "guide": "nothing" }), "not-found"),
        ("explain_finding", json!({ "code": "../x" }), "not-found"),
        ("presets", json!({ "name": "nothing" }), "not-found"),
    ];
    for (tool, arguments, code) in table {
        let refusal = agent.refusal(tool, arguments).await;
        assert_eq!(refusal["code"], code, "{tool}: {refusal}");
        if code != "schema" {
            let listed = tools.iter().find(|listed| listed.name == tool).unwrap();
            let schema = Value::Object((**listed.output_schema.as_ref().unwrap()).clone());
            fits(&schema, &refusal, tool).unwrap();
        }
        if code == "scope" {
            assert!(refusal["hint"].as_str().unwrap().contains("--allow"), "{refusal}");
        }
    }
    assert_eq!(agent.get("list_connections", json!({})).await["connections"], json!([]));
    agent.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn few_checks_run_at_once_and_a_cancelled_one_makes_room() {
    let lab = Lab::up();
    let agent = lab.agent(&[]).await;
    a_cancelled_check_makes_room(&agent).await;
    agent.end().await;
}

/// Begins one check more than may run, cancels those that wait, and begins another.
pub(crate) async fn a_cancelled_check_makes_room(agent: &Agent) {
    let slow = json!({ "domain": "greet-none.test" });
    let mut waiting = Vec::new();
    for _ in 0..5 {
        waiting.push(agent.begin("check_domain", &slow).await);
    }
    let mut busy = None;
    // Whichever came fifth is told so at once, while the others wait for a greeting.
    while busy.is_none() {
        for at in 0..waiting.len() {
            if let Ok(answer) = waiting[at].rx.try_recv() {
                busy = Some(answer.unwrap());
                drop(waiting.remove(at));
                break;
            }
        }
        tokio::task::yield_now().await;
    }
    let Some(ServerResult::CallToolResult(busy)) = busy else { panic!("{busy:?}") };
    assert_eq!(busy.structured_content.unwrap()["code"], "busy");
    for handle in waiting {
        handle.cancel(Some("enough".to_owned())).await.unwrap();
    }
    let mut refused = 0;
    while agent.call("check_domain", json!({ "domain": "dns-null-mx.test" })).await.is_error
        == Some(true)
    {
        refused += 1;
        assert!(refused < 1000, "cancelled checks keep their places");
    }
}
