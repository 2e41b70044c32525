//! An agent at `/mcp` of a running site, by hand over raw sockets.

use crate::site::{Answer, Running};
use serde_json::{Value, json};
use std::process::Command;

/// A session that was begun with a token.
pub(crate) struct HttpAgent<'a> {
    site: &'a Running,
    headers: String,
}

impl<'a> HttpAgent<'a> {
    /// Begins a session. `create` is `waxseal token create` on the data of the site.
    pub(crate) fn begin(site: &'a Running, mut create: Command) -> Self {
        let said =
            crate::program::finish(create.args(["--name", "t", "--scope", "check", "--json"]), b"");
        let token = said.json()["secret"].as_str().unwrap().to_owned();
        let mut agent = Self { site, headers: format!("Authorization: Bearer {token}\r\n") };
        let parameters = json!({
            "protocolVersion": "2025-06-18", "capabilities": {},
            "clientInfo": { "name": "test", "version": "0" },
        });
        let begun = agent.post(&json!({
            "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": parameters,
        }));
        assert_eq!(begun.status, 200, "{begun:?}");
        let session = format!("Mcp-Session-Id: {}\r\n", begun.headers["mcp-session-id"]);
        agent.headers.push_str(&session);
        let ready = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
        assert_eq!(agent.post(&ready).status, 202);
        agent
    }

    /// `check_domain`: its structured result.
    pub(crate) fn check(&self, domain: &str) -> Value {
        let answer = self.post(&json!({
            "jsonrpc": "2.0", "id": 2, "method": "tools/call",
            "params": { "name": "check_domain", "arguments": { "domain": domain } },
        }));
        let lines = answer.body.lines().map(|line| line.strip_prefix("data: ").unwrap_or(line));
        let said = lines
            .filter_map(|line| serde_json::from_str::<Value>(line).ok())
            .find(|said| said["id"] == 2)
            .unwrap_or_else(|| panic!("{domain}: {answer:?}"));
        said["result"]["structuredContent"].clone()
    }

    fn post(&self, message: &Value) -> Answer {
        let (host, body) = (&self.site.address, message.to_string());
        self.site.send(&format!(
            "POST /mcp HTTP/1.1\r\nHost: {host}\r\n{}Connection: close\r\n\
             Accept: application/json, text/event-stream\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n{body}",
            self.headers,
            body.len()
        ))
    }
}
