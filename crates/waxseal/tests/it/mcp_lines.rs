//! `waxseal mcp` line by line: what is no message gets an error, and the program ends when it is asked to.

use super::program::program;
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Lines, Read as _, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

/// An agent that types by hand.
struct ByHand {
    process: Child,
    input: Option<ChildStdin>,
    output: Lines<BufReader<ChildStdout>>,
}

impl ByHand {
    /// Starts a command and greets it.
    fn start(arguments: &[&str]) -> Self {
        let mut process = program()
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let input = process.stdin.take();
        let output = BufReader::new(process.stdout.take().unwrap()).lines();
        let mut begun = Self { process, input, output };
        begun.say(json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
            "protocolVersion": "2025-06-18", "capabilities": {},
            "clientInfo": { "name": "test", "version": "0" },
        } }));
        assert_eq!(begun.hear()["result"]["serverInfo"]["name"], "waxseal");
        begun.say(json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }));
        begun
    }

    fn say(&mut self, line: impl std::fmt::Display) {
        writeln!(self.input.as_mut().unwrap(), "{line}").unwrap();
    }

    fn hear(&mut self) -> Value {
        serde_json::from_str(&self.output.next().unwrap().unwrap()).unwrap()
    }

    fn terminate(&self) {
        let id = self.process.id().to_string();
        std::process::Command::new("kill").args(["-TERM", &id]).status().unwrap();
    }

    /// How it ended, and what it said on standard error.
    fn end(mut self) -> (Option<i32>, String) {
        let status = self.process.wait().unwrap().code();
        let mut errors = String::new();
        self.process.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
        (status, errors)
    }
}

impl Drop for ByHand {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn what_is_no_message_gets_an_error_and_the_end_of_input_is_the_end() {
    let mut agent = ByHand::start(&["mcp"]);
    let long = "x".repeat(2 * 1024 * 1024);
    let call = json!({ "jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": {
        "name": "read_headers", "arguments": { "message": long } } });
    let table = [
        ("this is no JSON".to_owned(), -32700, Value::Null),
        ("{\"jsonrpc\":".to_owned(), -32700, Value::Null),
        (call.to_string(), -32600, Value::Null),
        (long, -32600, Value::Null),
        ("[]".to_owned(), -32600, Value::Null),
        ("{\"id\":7}".to_owned(), -32600, json!(7)),
        ("{\"jsonrpc\":\"1.0\",\"id\":\"a\",\"method\":\"ping\"}".to_owned(), -32600, json!("a")),
    ];
    for (line, code, id) in table {
        agent.say(&line);
        let said = agent.hear();
        let line = line.get(..60).unwrap_or(&line);
        assert_eq!((&said["error"]["code"], &said["id"]), (&json!(code), &id), "{line}: {said}");
        assert_eq!(said["jsonrpc"], "2.0");
    }
    // Editors send notifications of their own, and empty lines are nothing.
    agent.say("{\"jsonrpc\":\"2.0\",\"method\":\"$/setTrace\",\"params\":3}");
    agent.say("");
    agent.say(json!({ "jsonrpc": "2.0", "id": 3, "method": "ping" }));
    assert_eq!(agent.hear()["id"], 3);
    agent.say("no JSON at the end");
    agent.input = None;
    assert_eq!(agent.hear()["error"]["code"], -32700);
    assert_eq!(agent.end(), (Some(0), String::new()));
}

#[test]
fn it_ends_when_it_is_asked_to_while_its_input_is_open() {
    for arguments in [&["mcp"][..], &["lab", "exec", "--", "mcp"]] {
        let mut agent = ByHand::start(arguments);
        agent.say(json!({ "jsonrpc": "2.0", "id": 2, "method": "ping" }));
        assert_eq!(agent.hear()["id"], 2);
        agent.terminate();
        assert_eq!(agent.output.next().map(Result::unwrap), None);
        let (status, errors) = agent.end();
        assert_eq!((status, errors.contains("panicked")), (Some(0), false), "{errors}");
    }
}
