//! The tools for agents over HTTP: asked by the official client, and by hand on raw sockets. Nobody comes in without
//! a token, and a token acts in its workspace within its scopes.

use super::mcp::{Agent, Lab, a_cancelled_check_makes_room};
use super::mcp_calls::{arrival, calls};
use super::program::finish;
use super::site::{Answer, Running};
use rmcp::ServiceExt as _;
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;

const SCOPES: [&str; 5] = ["read", "check", "add-connection", "connections", "test-send"];

/// A site in a lab.
pub(crate) struct LabSite {
    pub(crate) lab: Lab,
    pub(crate) site: Running,
}

impl LabSite {
    pub(crate) fn up(arguments: &[&str]) -> Self {
        let lab = Lab::up();
        let serve = ["lab", "exec", "--session", &lab.session, "--", "serve"];
        let site = Running::start(&[&serve, arguments].concat());
        Self { lab, site }
    }

    /// A new token.
    pub(crate) fn token(&self, workspace: &str, scopes: &[&str]) -> String {
        let name = format!("{workspace} {}", scopes.join(" "));
        let mut command = vec!["token", "create", "--name", &name, "--workspace", workspace];
        for scope in scopes {
            command.extend(["--scope", scope]);
        }
        self.lab.json(&command)["secret"].as_str().unwrap().to_owned()
    }

    /// A workspace with a connection of its own.
    fn workspace(&self, workspace: &str) {
        let add = ["connection", "add", "theirs", "--service", "postmark", "--no-secret"];
        let rest = ["--from-address", "a@example.com", "--workspace", workspace];
        self.lab.json(&[&add[..], &rest].concat());
    }

    pub(crate) async fn agent(&self, token: &str) -> Agent {
        let uri = format!("http://{}/mcp", self.site.address);
        let config = StreamableHttpClientTransportConfig::with_uri(uri).auth_header(token);
        Agent(().serve(StreamableHttpClientTransport::from_config(config)).await.unwrap())
    }

    /// One message by hand, with further header lines.
    fn post(&self, headers: &str, body: &str) -> Answer {
        let host = &self.site.address;
        self.site.send(&format!(
            "POST /mcp HTTP/1.1\r\nHost: {host}\r\n{headers}Connection: close\r\n\
             Accept: application/json, text/event-stream\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        ))
    }

    fn ask(&self, method: &str, headers: &str) -> Answer {
        let host = &self.site.address;
        self.site.send(&format!(
            "{method} /mcp HTTP/1.1\r\nHost: {host}\r\n{headers}Connection: close\r\n\
             Accept: text/event-stream\r\n\r\n"
        ))
    }

    /// The session that a token begins by hand.
    fn session(&self, token: &str) -> String {
        let answer = self.post(&bearer(token), &hello());
        assert_eq!(answer.status, 200, "{answer:?}");
        let session = answer.headers["mcp-session-id"].clone();
        let headers = format!("{}Mcp-Session-Id: {session}\r\n", bearer(token));
        let ready = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
        assert_eq!(self.post(&headers, &ready.to_string()).status, 202);
        session
    }
}

fn bearer(token: &str) -> String {
    format!("Authorization: Bearer {token}\r\n")
}

fn hello() -> String {
    json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
        "protocolVersion": "2025-11-25", "capabilities": {},
        "clientInfo": { "name": "test", "version": "0" },
    } })
    .to_string()
}

fn call(tool: &str, arguments: &Value) -> String {
    json!({ "jsonrpc": "2.0", "id": 2, "method": "tools/call",
        "params": { "name": tool, "arguments": arguments } })
    .to_string()
}

/// The tools of docs/mcp.md with the scope that a token needs for each.
fn documented() -> BTreeMap<String, String> {
    let page = include_str!("../../../../docs/mcp.md");
    let rows = page.lines().filter(|line| line.starts_with("| `"));
    rows.map(|row| {
        let cells: Vec<&str> = row.split('|').map(|cell| cell.trim().trim_matches('`')).collect();
        (cells[1].to_owned(), cells[8].to_owned())
    })
    .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_tool_answers_over_http() {
    let here = LabSite::up(&[]);
    here.lab.add_own();
    let agent =
        here.agent(&here.token("default", &["read", "check", "connections", "test-send"])).await;
    let tools = agent.0.list_all_tools().await.unwrap();
    let mut seen = Vec::new();
    for (tool, arguments) in calls(&here.lab.account) {
        seen.push((tool, agent.answer(&tools, tool, arguments).await));
    }
    let of = |tool| &seen.iter().rev().find(|(name, _)| *name == tool).unwrap().1;
    let arrived = agent.answer(&tools, "read_test_arrival", arrival(of("test_connection"))).await;
    assert_eq!(arrived["received"]["hops"][0]["by"]["untrusted_text"], "b.test");
    let asked: BTreeSet<&str> = seen.iter().map(|(tool, _)| *tool).collect();
    let listed: BTreeSet<&str> = tools.iter().map(|tool| tool.name.as_ref()).collect();
    assert_eq!(listed.difference(&asked).copied().collect::<Vec<_>>(), ["read_test_arrival"]);
    for (tool, value) in &seen {
        assert!(!value.to_string().contains(here.lab.account("password")), "{tool}");
    }
    let sent = of("test_connection");
    assert_eq!((&sent["result"]["outcome"], &sent["repeated"]), (&json!("accepted"), &json!(true)));
    let links = format!("http://{}/secrets/", here.site.address);
    for tool in ["add_connection", "request_secret_link"] {
        let person = &of(tool)["for_a_person"];
        assert_eq!(person["enter_secret"], Value::Null);
        assert!(person["link"].as_str().unwrap().starts_with(&links), "{person}");
    }
    assert!(!agent.0.list_all_resources().await.unwrap().is_empty());
    for domain in ["127.0.0.1", "::1", "169.254.169.254"] {
        let got = agent.get("check_domain", json!({ "domain": domain })).await;
        let looked = got["report"]["mx"][0]["addresses"].as_array().unwrap();
        assert!(!looked.is_empty() && looked.iter().all(|one| one["outcome"] == "guard-refused"));
    }
    a_cancelled_check_makes_room(&agent).await;
    agent.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_token_no_tool_is_reached() {
    let here = LabSite::up(&[]);
    here.lab.add_own();
    let token = here.token("default", &["read"]);
    let session = here.session(&token);
    let named = format!("Mcp-Session-Id: {session}\r\n");
    let wrong = ["", "Authorization: Basic YTpi\r\n", "Authorization: Bearer \r\n"];
    let mut tried = 0;
    for (tool, arguments) in calls(&here.lab.account) {
        for headers in wrong {
            let answer = here.post(&format!("{named}{headers}"), &call(tool, &arguments));
            assert_eq!(answer.status, 401, "{tool} {answer:?}");
            assert!(answer.headers["www-authenticate"].starts_with("Bearer realm="), "{answer:?}");
            assert!(!answer.body.contains("own"), "{answer:?}");
            tried += 1;
        }
    }
    assert!(tried > 60);
    for method in ["GET", "DELETE", "PUT", "HEAD"] {
        assert_eq!(here.ask(method, &named).status, 401, "{method}");
    }
    assert_eq!(here.post("", &hello()).status, 401);
    let answer = here.post(&bearer("wxs_000000000000000000000000"), &hello());
    assert_eq!(answer.status, 401);
    assert!(answer.headers["www-authenticate"].contains("invalid_token"), "{answer:?}");
    // A token that is revoked is out at once, with all its sessions.
    let list = call("list_connections", &json!({}));
    let headers = format!("{named}{}", bearer(&token));
    assert_eq!(here.post(&headers, &list).status, 200);
    here.lab.json(&["token", "revoke", "default read"]);
    assert_eq!(here.post(&headers, &list).status, 401);
    // Many wrong tokens of one client are answered no more.
    let statuses: Vec<u16> =
        (0..40).map(|_| here.post(&bearer("wxs_x"), &hello()).status).collect();
    assert!(statuses.contains(&429), "{statuses:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_acts_within_its_scopes() {
    let here = LabSite::up(&[]);
    here.lab.add_own();
    let documented = documented();
    let before = here.lab.json(&["connection", "list"]);
    for scope in SCOPES {
        let agent = here.agent(&here.token("default", &[scope])).await;
        let listed = agent.0.list_all_tools().await.unwrap();
        let names: BTreeSet<&str> = listed.iter().map(|tool| tool.name.as_ref()).collect();
        assert_eq!(names, documented.keys().map(String::as_str).collect());
        let mut calls: BTreeMap<_, _> = calls(&here.lab.account).into_iter().collect();
        let message = json!({ "connection": "own", "message": "Message-ID: <x@y>" });
        calls.insert("read_test_arrival", message);
        for (tool, arguments) in calls {
            let needed = documented[tool].as_str();
            let may = needed == "none"
                || needed == scope
                || (needed == "add-connection" && scope == "connections");
            if may {
                continue;
            }
            let refusal = agent.refusal(tool, arguments).await;
            assert_eq!(refusal["code"], "scope", "{tool} with {scope}: {refusal}");
            let hint = refusal["hint"].as_str().unwrap();
            assert!(hint.ends_with(&format!("--scope {needed}")), "{tool}: {refusal}");
        }
        agent.end().await;
    }
    assert_eq!(here.lab.json(&["connection", "list"]), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_another_workspace_sees_and_changes_nothing() {
    let here = LabSite::up(&[]);
    here.lab.add_own();
    here.workspace("other");
    let own = here.lab.json(&["connection", "show", "own"]);
    let id = own["connection"]["id"].as_str().unwrap();
    let agent = here.agent(&here.token("other", &SCOPES)).await;
    let listed = agent.get("list_connections", json!({})).await;
    assert_eq!(listed["workspace"], "other");
    assert_eq!(listed["connections"].as_array().unwrap().len(), 1);
    let mut about_one = 0;
    for tool in agent.0.list_all_tools().await.unwrap() {
        let fields = tool.input_schema.get("properties");
        if fields.is_none_or(|fields| fields.get("connection").is_none()) {
            continue;
        }
        about_one += 1;
        for name in ["own", id] {
            let mut arguments = json!({ "connection": name });
            match tool.name.as_ref() {
                "test_connection" => arguments["to"] = json!(here.lab.account("to")),
                "set_connection_enabled" => arguments["enabled"] = json!(false),
                "read_test_arrival" => arguments["message"] = json!("Message-ID: <x@y>"),
                _ => {}
            }
            let refusal = agent.refusal(&tool.name, arguments.clone()).await;
            assert_eq!(refusal["code"], "not-found", "{}: {refusal}", tool.name);
            // It is as unknown as one that never was.
            arguments["connection"] = json!("nobody");
            let unknown = agent.refusal(&tool.name, arguments).await.to_string();
            assert_eq!(refusal.to_string().replace(name, "nobody"), unknown, "{}", tool.name);
        }
    }
    assert_eq!(about_one, 7);
    assert_eq!(here.lab.json(&["connection", "show", "own"]), own);
    agent.end().await;
}

#[test]
fn a_session_answers_to_the_token_that_began_it() {
    let here = LabSite::up(&[]);
    here.lab.add_own();
    let one = here.token("default", &["read"]);
    let other = here.token("default", &["read", "check"]);
    let session = here.session(&one);
    let named =
        |token: &str, session: &str| format!("{}Mcp-Session-Id: {session}\r\n", bearer(token));
    let list = call("list_connections", &json!({}));
    let told = here.post(&named(&one, &session), &list);
    assert!(told.status == 200 && told.body.contains("own"), "{told:?}");
    for headers in [named(&other, &session), named(&one, "x"), named(&one, "")] {
        let told = here.post(&headers, &list);
        assert_eq!((told.status, told.body.contains("own")), (404, false), "{told:?}");
        assert_eq!(here.ask("GET", &headers).status, 404);
        assert_eq!(here.ask("DELETE", &headers).status, 404);
    }
    assert_eq!(here.post(&named(&one, &session), &list).status, 200);
    assert_eq!(here.ask("DELETE", &named(&one, &session)).status, 202);
    assert_eq!(here.post(&named(&one, &session), &list).status, 404);
    // Without a session only the greeting is taken, and a token has only so many sessions.
    assert_eq!(here.post(&bearer(&one), &list).status, 400);
    let begun: Vec<u16> = (0..20).map(|_| here.post(&bearer(&one), &hello()).status).collect();
    assert_eq!(begun.iter().filter(|status| **status == 200).count(), 16, "{begun:?}");
    assert_eq!(begun.last(), Some(&429));
    assert_eq!(here.post(&bearer(&other), &hello()).status, 200);
}

#[test]
fn a_call_without_a_session_is_judged_like_any_other() {
    let here = LabSite::up(&["--checks-per-client", "1"]);
    here.lab.add_own();
    let ask = |token: &str, tool: &str, arguments: Value| {
        let meta = json!({
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientInfo": { "name": "test", "version": "0" },
            "io.modelcontextprotocol/clientCapabilities": {},
        });
        let body = json!({ "jsonrpc": "2.0", "id": 2, "method": "tools/call",
            "params": { "name": tool, "arguments": arguments, "_meta": meta } });
        let version = "MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: tools/call\r\n";
        let headers = format!("{version}Mcp-Name: {tool}\r\n{token}");
        here.post(&headers, &body.to_string())
    };
    let token = bearer(&here.token("default", &["check", "read"]));
    let listed = ask(&token, "list_connections", json!({}));
    assert!(listed.status == 200 && listed.body.contains("\"name\":\"own\""), "{listed:?}");
    assert_eq!(ask("", "list_connections", json!({})).status, 401);
    let refused = ask(&token, "verify_connection", json!({ "connection": "own" }));
    assert!(refused.body.contains("\"code\":\"scope\""), "{refused:?}");
    // The budget of the pages counts here too.
    let checked = ask(&token, "mx_records", json!({ "domain": "dns-null-mx.test" }));
    assert!(checked.body.contains("nothing-to-test"), "{checked:?}");
    let busy = ask(&token, "mx_records", json!({ "domain": "healthy-one-mx.test" }));
    assert!(busy.body.contains("\"code\":\"busy\"") && busy.body.contains("seconds"), "{busy:?}");
}

#[test]
fn a_token_has_only_so_many_requests_open() {
    let here = LabSite::up(&[]);
    let token = here.token("default", &["read"]);
    let sessions: Vec<String> = (0..4).map(|_| here.session(&token)).collect();
    let host = &here.site.address;
    let listen = |session: &String| {
        let mut stream = TcpStream::connect(host).unwrap();
        write!(
            stream,
            "GET /mcp HTTP/1.1\r\nHost: {host}\r\n{}Mcp-Session-Id: {session}\r\n\
             Accept: text/event-stream\r\n\r\n",
            bearer(&token)
        )
        .unwrap();
        let mut begun = [0; 12];
        stream.read_exact(&mut begun).unwrap();
        (stream, String::from_utf8_lossy(&begun).into_owned())
    };
    let open: Vec<_> = sessions.iter().cycle().take(64).map(listen).collect();
    assert!(open.iter().all(|(_, begun)| begun == "HTTP/1.1 200"));
    assert_eq!(listen(&sessions[0]).1, "HTTP/1.1 429");
    let headers = format!("{}Mcp-Session-Id: {}\r\n", bearer(&token), sessions[0]);
    assert_eq!(here.post(&headers, &call("list_guides", &json!({}))).status, 429);
    // Another token is not kept waiting.
    let other = here.token("default", &["check"]);
    assert_eq!(here.post(&bearer(&other), &hello()).status, 200);
}

#[test]
fn host_and_origin_are_judged() {
    let allowed = "https://agents.example";
    let here = LabSite::up(&["--mcp-allow-origin", allowed]);
    let token = here.token("default", &["read"]);
    let evil = format!(
        "POST /mcp HTTP/1.1\r\nHost: evil.example\r\n{}Connection: close\r\n\
         Accept: application/json, text/event-stream\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{}",
        bearer(&token),
        hello().len(),
        hello()
    );
    assert_eq!(here.site.send(&evil).status, 421);
    let own = format!("http://{}", here.site.address);
    for (origin, status) in [
        (own.as_str(), 200),
        (allowed, 200),
        ("https://evil.example", 403),
        ("https://agents.example.evil.example", 403),
        ("http://agents.example", 403),
        ("null", 403),
        ("", 403),
    ] {
        let headers =
            format!("{}Origin: {origin}\r\nSec-Fetch-Site: cross-site\r\n", bearer(&token));
        let answer = here.post(&headers, &hello());
        assert_eq!(answer.status, status, "{origin}: {answer:?}");
        let told = answer.headers.get("access-control-allow-origin").map(String::as_str);
        assert_eq!(told, (origin == allowed).then_some(allowed), "{origin}");
        if status == 403 {
            for method in ["GET", "DELETE", "OPTIONS"] {
                assert_eq!(here.ask(method, &headers).status, 403, "{method} {origin}");
            }
        }
    }
    let asked = here.ask("OPTIONS", &format!("Origin: {allowed}\r\n"));
    assert_eq!(asked.status, 204);
    assert!(asked.headers["access-control-allow-headers"].contains("authorization"));
    assert!(!asked.headers.contains_key("access-control-allow-credentials"));
}

#[test]
fn bodies_have_limits_and_what_is_no_message_gets_an_error() {
    let here = LabSite::up(&[]);
    let token = here.token("default", &["read"]);
    let session = here.session(&token);
    let headers = format!("{}Mcp-Session-Id: {session}\r\n", bearer(&token));
    let long = format!("\"{}\"", "x".repeat(1024 * 1024));
    for (body, status, code) in
        [("no JSON", 400, json!(-32700)), ("", 400, json!(-32700)), (&long, 413, json!(-32600))]
    {
        let answer = here.post(&headers, body);
        let error: Value = serde_json::from_str(&answer.body).unwrap();
        assert_eq!((answer.status, &error["error"]["code"]), (status, &code), "{answer:?}");
    }
    let other = here.post(&headers, "[]").status;
    assert!((400..500).contains(&other), "{other}");
    assert_eq!(here.ask("PUT", &bearer(&token)).status, 405);
}

#[test]
fn the_end_of_the_server_ends_its_streams() {
    let mut here = LabSite::up(&[]);
    let token = here.token("default", &["read"]);
    let session = here.session(&token);
    let mut stream = TcpStream::connect(&here.site.address).unwrap();
    let host = here.site.address.clone();
    write!(
        stream,
        "GET /mcp HTTP/1.1\r\nHost: {host}\r\n{}Mcp-Session-Id: {session}\r\n\
         Accept: text/event-stream\r\n\r\n",
        bearer(&token)
    )
    .unwrap();
    let mut begun = [0; 12];
    stream.read_exact(&mut begun).unwrap();
    assert_eq!(&begun, b"HTTP/1.1 200");
    assert_eq!(here.site.stop(), 0);
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).unwrap();
    assert!(rest.ends_with(b"0\r\n\r\n"), "the stream was cut off");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_enters_the_secret_by_a_link() {
    let mut here = LabSite::up(&[]);
    let owner = here.site.first_link();
    let here = here;
    let account = |name| here.lab.account(name);
    let agent = here.agent(&here.token("default", &["read", "connections"])).await;
    let port: u16 = account("port").parse().unwrap();
    let new = json!({ "name": "own", "host": account("host"), "port": port, "user": account("username"),
        "security": account("security"), "from_address": account("from") });
    let added = agent.get("add_connection", new).await;
    let path = |answer: &Value| {
        let link = answer["for_a_person"]["link"].as_str().unwrap();
        link.split_once(&here.site.address).unwrap().1.to_owned()
    };
    let link = path(&added);
    let shown = here.site.get(&link);
    assert_eq!(shown.status, 200);
    assert_eq!(shown.headers["cache-control"], "no-store");
    assert!(shown.headers["x-robots-tag"].contains("noindex"));
    for text in [account("host"), account("username"), "Token default read connections", "own"] {
        assert!(shown.body.contains(text), "{text}: {}", shown.body);
    }
    let revision = |page: &str| {
        let at = page.split_once("name=\"revision\" value=\"").unwrap().1;
        at.split_once('"').unwrap().0.to_owned()
    };
    let body = |revision: &str, secret: &str| format!("revision={revision}&secret={secret}");
    let password = account("password");
    // What the person saw is not what it would be given to any more.
    let seen = revision(&shown.body);
    agent.get("edit_connection", json!({ "connection": "own", "from_name": "News" })).await;
    let changed = here.site.post(&link, "", &body(&seen, password));
    assert!(changed.status == 409 && changed.body.contains("changed meanwhile"), "{changed:?}");
    let seen = revision(&changed.body);
    let empty = here.site.post(&link, "", &body(&seen, ""));
    assert_eq!(empty.status, 422, "{empty:?}");
    let elsewhere = "Origin: https://evil.example\r\n";
    assert_eq!(here.site.post(&link, elsewhere, &body(&seen, password)).status, 403);
    let stored = here.site.post(&link, "", &body(&seen, password));
    assert!(stored.status == 200 && stored.body.contains("It is stored"), "{stored:?}");
    for page in [&shown, &changed, &empty, &stored] {
        assert!(!page.body.contains(password));
    }
    for used in [link.as_str(), "/secrets/x", "/secrets/000000000000000000000000"] {
        assert_eq!(here.site.get(used).status, 404, "{used}");
        assert_eq!(here.site.post(used, "", &body(&seen, "other")).status, 404, "{used}");
    }
    let verified = agent.get("verify_connection", json!({ "connection": "own" })).await;
    assert_eq!(verified["result"]["outcome"], "ready");
    let form = "name=olivia&password=a+long+pass+phrase&again=a+long+pass+phrase";
    let cookie = here.site.post(&owner, "", form).headers["set-cookie"].clone();
    let cookie = format!("Cookie: {}\r\n", cookie.split(';').next().unwrap());
    let log = here.site.get_with("/account", &cookie).body;
    let who = "token default read connections";
    for text in [who, "connection.added", "connection.secret-asked", "connection.secret-set"] {
        assert!(log.contains(text), "{text}");
    }
    assert!(log.contains(&format!("link of {who}")) && !log.contains(password));
    // Another link replaces it, and a link of a connection that is gone leads nowhere.
    let again = path(&agent.get("request_secret_link", json!({ "connection": "own" })).await);
    assert!(here.site.get(&again).body.contains("takes the place of the one that is stored"));
    let ses = json!({ "name": "ses", "service": "amazon-ses", "from_address": "a@example.com",
        "settings": { "region": "eu-west-1", "access-key-id": "AKIAEXAMPLEEXAMPLE12" } });
    let shown = here.site.get(&path(&agent.get("add_connection", ses).await)).body;
    for text in ["Amazon SES", "Secret access key", "Session token (optional)"] {
        assert!(shown.contains(text), "{text}: {shown}");
    }
    let removed = finish(here.lab.command(&["connection", "remove", "own"]).arg("--json"), b"");
    assert_eq!(removed.status, 0, "{removed:?}");
    assert_eq!(here.site.get(&again).status, 404);
    agent.end().await;
}
