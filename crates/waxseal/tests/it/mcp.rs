//! `waxseal mcp`, asked by the official client over standard input and output, inside the lab's world.

use super::check_lab::terminate;
use super::program::{finish, program};
use rmcp::model::{
    CallToolRequest, CallToolRequestParams, CallToolResult, ClientRequest, ServerResult, Tool,
};
use rmcp::service::{PeerRequestOptions, RequestHandle, RunningService};
use rmcp::transport::TokioChildProcess;
use rmcp::{RoleClient, ServiceExt as _};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
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
struct Lab {
    process: Child,
    session: String,
    /// What a client of its standing submission server is set to.
    account: Value,
}

impl Lab {
    fn up() -> Self {
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

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = program();
        command.args(["lab", "exec", "--session", &self.session, "--"]).args(arguments);
        command
    }

    /// What a command prints with `--json`.
    fn json(&self, arguments: &[&str]) -> Value {
        finish(self.command(arguments).arg("--json"), b"").json()
    }

    fn account(&self, name: &str) -> &str {
        self.account[name].as_str().unwrap()
    }

    async fn agent(&self, arguments: &[&str]) -> Agent {
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

struct Agent(RunningService<RoleClient, ()>);

impl Agent {
    async fn begin(&self, tool: &str, arguments: &Value) -> RequestHandle<RoleClient> {
        let parameters = CallToolRequestParams::new(tool.to_owned())
            .with_arguments(arguments.as_object().unwrap().clone());
        let request = ClientRequest::CallToolRequest(CallToolRequest::new(parameters));
        self.0.send_cancellable_request(request, PeerRequestOptions::no_options()).await.unwrap()
    }

    async fn call(&self, tool: &str, arguments: Value) -> CallToolResult {
        ended(self.begin(tool, &arguments).await).await
    }

    /// The structured value of a tool that did what it was asked.
    async fn get(&self, tool: &str, arguments: Value) -> Value {
        let result = self.call(tool, arguments).await;
        assert_eq!(result.is_error, Some(false), "{tool}: {result:?}");
        let value = result.structured_content.unwrap();
        let text = result.content.first().and_then(|block| block.as_text()).unwrap();
        assert_eq!(serde_json::from_str::<Value>(&text.text).unwrap(), value, "{tool}");
        value
    }

    /// The code of a refusal.
    async fn refusal(&self, tool: &str, arguments: Value) -> Value {
        let result = self.call(tool, arguments).await;
        assert_eq!(result.is_error, Some(true), "{tool}: {result:?}");
        result.structured_content.unwrap_or_else(|| json!({ "code": "schema" }))
    }

    async fn end(self) {
        self.0.cancel().await.unwrap();
    }
}

async fn ended(handle: RequestHandle<RoleClient>) -> CallToolResult {
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
    let add = [
        ["connection", "add", "own"].as_slice(),
        &["--host", lab.account("host"), "--port", lab.account("port")],
        &["--security", lab.account("security"), "--user", lab.account("username")],
        &["--from-address", lab.account("from"), "--secret-file", "-"],
    ]
    .concat();
    let added = finish(&mut lab.command(&add), lab.account("password").as_bytes());
    assert_eq!(added.status, 0, "{added:?}");

    let agent = lab.agent(&["--allow", "test-send", "--allow", "add-connection"]).await;
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

    let mut asked = BTreeSet::new();
    let mut seen = Vec::new();
    let test = json!({ "connection": "own", "to": lab.account("to"), "idempotency_key": "once" });
    let add = json!({ "name": "second", "service": "postmark", "from_address": "a@example.com" });
    let calls = [
        ("check_domain", json!({ "domain": "healthy-one-mx.test", "only": ["tls", "mx"] })),
        ("mx_records", json!({ "domain": "dns-null-mx.test", "expect_mx": ["10 mx.a.test"] })),
        ("explain_finding", json!({ "code": "cert-expired" })),
        ("list_findings", json!({ "prefix": "cert-" })),
        ("list_guides", json!({})),
        ("read_guide", json!({ "guide": "tls#certificate" })),
        ("read_guide", json!({ "guide": "tls" })),
        ("search_guides", json!({ "words": "expired certificate" })),
        ("read_headers", json!({ "message": "Received: from a.test by b.test with ESMTPS id 1" })),
        ("presets", json!({ "name": "postmark" })),
        ("list_connections", json!({})),
        ("verify_connection", json!({ "connection": "own" })),
        ("test_connection", test.clone()),
        ("test_connection", test),
        ("show_connection", json!({ "connection": "own" })),
        ("add_connection", add),
    ];
    for (tool, arguments) in calls {
        asked.insert(tool);
        let value = agent.get(tool, arguments).await;
        let shown = value.to_string();
        assert!(!shown.contains(lab.account("password")), "{tool}: {shown}");
        seen.push((tool, value));
    }
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
    assert_eq!(*of("presets"), lab_free_json(&["presets", "postmark"]));
    assert_eq!(of("verify_connection")["result"]["outcome"], "ready");
    let sent = of("test_connection");
    assert_eq!((&sent["result"]["outcome"], &sent["repeated"]), (&json!("accepted"), &json!(true)));
    assert_eq!(of("show_connection")["connection"]["state"], "passing");
    let printed = lab.json(&["connection", "show", "own"]);
    assert_eq!(unmarked(of("show_connection")), printed);
    let for_person = &of("add_connection")["for_a_person"]["enter_secret"];
    assert_eq!(for_person[4], "--ask-secret");
    assert_eq!(of("add_connection")["connection"]["secret"]["stored"], false);
    agent.end().await;
}

fn lab_free_json(arguments: &[&str]) -> Value {
    finish(program().args(arguments).arg("--json"), b"").json()
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
    let new = json!({ "name": "x", "from_address": "a@example.com", "service": "postmark" });
    let long = "a".repeat(5000);
    let table = [
        ("test_connection", json!({ "connection": "own", "to": "a@b.example" }), "scope"),
        ("add_connection", new, "scope"),
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
    agent.end().await;
}

#[test]
fn an_overlong_line_is_dropped_and_the_end_of_input_is_the_end() {
    let mut process = program()
        .arg("mcp")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = process.stdin.take().unwrap();
    let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
    let hello = json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
        "protocolVersion": "2025-06-18", "capabilities": {},
        "clientInfo": { "name": "test", "version": "0" },
    } });
    writeln!(input, "{hello}").unwrap();
    let said: Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
    assert_eq!(said["result"]["serverInfo"]["name"], "waxseal");
    writeln!(input, "{}", json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }))
        .unwrap();
    let message = "x".repeat(2 * 1024 * 1024);
    let call = json!({ "jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": {
        "name": "read_headers", "arguments": { "message": message } } });
    writeln!(input, "{call}").unwrap();
    writeln!(input, "{}", json!({ "jsonrpc": "2.0", "id": 3, "method": "ping" })).unwrap();
    let answered = lines
        .by_ref()
        .map(|line| serde_json::from_str::<Value>(&line.unwrap()).unwrap())
        .find(|said| said.get("result").is_some())
        .unwrap();
    assert_eq!(answered["id"], 3);
    drop(input);
    assert_eq!(process.wait().unwrap().code(), Some(0));
    let mut errors = String::new();
    process.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
    assert_eq!(errors, "");
}
