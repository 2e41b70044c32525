//! Connections over `/api/v1`, against the servers of a running lab: the same views as on the command line, tests and
//! verifications as jobs, keys that are answered once also over a restart, and no secret in any answer.

use crate::api_tokens::{bearer, command};
use crate::program::{finish, program};
use crate::site::{Answer, Running};
use serde_json::{Value, json};
use std::collections::BTreeSet;

const ALL: [&str; 5] = ["read", "check", "add-connection", "connections", "test-send"];
/// What the lab's submission server takes.
const PASSWORD: &str = "lab-only-9fK2mQx7vT4wZs";
const WRONG: &str = "Wr0ng-canary-of-the-http-interface";

/// A lab whose pages run, and a token of it that may do all.
struct Lab {
    site: Running,
    session: String,
    token: String,
    /// All that was answered.
    said: std::cell::RefCell<Vec<String>>,
}

impl Lab {
    fn start() -> Self {
        let mut site = Running::start(&["lab", "serve"]);
        let session = site.session();
        let mut lab = Self { site, session, token: String::new(), said: Vec::new().into() };
        let mut arguments = vec!["token", "create", "--name", "all"];
        arguments.extend(ALL.iter().flat_map(|scope| ["--scope", *scope]));
        lab.token = format!("Authorization: Bearer {}\r\n", lab.run(&arguments));
        lab
    }

    /// A command beside the pages.
    fn run(&self, arguments: &[&str]) -> String {
        let mut program = program();
        program.args(["lab", "exec", "--session", &self.session, "--"]).args(arguments);
        let said = finish(&mut program, b"");
        assert_eq!(said.status, 0, "{said:?}");
        said.stdout.trim().to_owned()
    }

    fn ask(&self, method: &str, path: &str, body: &Value) -> (Answer, Value) {
        self.ask_with(method, path, "", body)
    }

    fn ask_with(&self, method: &str, path: &str, headers: &str, body: &Value) -> (Answer, Value) {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let headers = format!("{}{headers}", self.token);
        let (answer, value) = self.site.ask((method, path), &headers, &body);
        self.said.borrow_mut().push(format!("{answer:?}"));
        (answer, value)
    }

    /// Follows a job to its end and gets it.
    fn ended(&self, begun: &(Answer, Value)) -> Value {
        assert_eq!(begun.0.status, 202, "{begun:?}");
        let location = &begun.0.headers["location"];
        assert_eq!(location, &format!("/api/v1/jobs/{}", begun.1["job"]["id"].as_str().unwrap()));
        let events = self.ask("GET", &format!("{location}/events"), &Value::Null).0;
        assert_eq!(events.headers["content-type"], "text/event-stream");
        assert!(events.body.contains("event: step\n"), "{}", events.body);
        let last = events.body.trim_end().rsplit("event: end\ndata: ").next().unwrap().to_owned();
        let told: Value = serde_json::from_str(&last).unwrap();
        let (answer, job) = self.ask("GET", location, &Value::Null);
        assert_eq!((answer.status, &job["job"]["state"]), (200, &"ended".into()), "{job}");
        assert_eq!(job["job"], told, "the stream ends with the job");
        job["job"].clone()
    }
}

fn own(security: &str) -> Value {
    json!({ "name": "own", "from_address": "news@submission.test", "host": "smtp.submission.test",
        "port": 587, "security": security, "user": "sender@submission.test", "secret": PASSWORD })
}

#[test]
fn a_connection_is_added_tested_mended_and_passes() {
    let lab = Lab::start();
    let to = json!({ "to": "you@submission.test" });
    let (answer, added) = lab.ask("POST", "/api/v1/connections", &own("tls"));
    assert_eq!(answer.status, 201, "{answer:?}");
    let id = added["connection"]["id"].as_str().unwrap();
    let path = format!("/api/v1/connections/{id}");
    assert_eq!(answer.headers["location"], path);
    let failed = lab.ended(&lab.ask("POST", &format!("{path}/tests"), &to));
    assert_eq!(failed["result"]["outcome"], "failed", "{failed}");
    assert_eq!(failed["result"]["findings"][0]["code"], "greet-plain-port-with-tls");
    assert_eq!(failed["result"]["simulated"], true);

    let (answer, shown) = lab.ask("GET", &path, &Value::Null);
    assert_eq!(shown["connection"]["state"], "failing");
    let said: Value =
        serde_json::from_str(&lab.run(&["connection", "show", "own", "--json"])).unwrap();
    assert_eq!(shown, said, "the same as on the command line");
    let etag = answer.headers["etag"].clone();
    let mend = json!({ "security": "starttls" });
    let match_ = |tag: &str| format!("If-Match: {tag}\r\n");
    let (stale, problem) = lab.ask_with("PATCH", &path, &match_("\"77\""), &mend);
    assert_eq!((stale.status, &problem["code"]), (412, &"changed-meanwhile".into()));
    let (answer, changed) = lab.ask_with("PATCH", &path, &match_(&etag), &mend);
    assert_eq!((answer.status, &changed["connection"]["state"]), (200, &"untested".into()));
    assert_ne!(answer.headers["etag"], etag);

    let verified = lab.ended(&lab.ask("POST", &format!("{path}/verify"), &Value::Null));
    assert_eq!(
        (&verified["kind"], &verified["result"]["outcome"]),
        (&"verify".into(), &"ready".into())
    );
    let passed = lab.ended(&lab.ask("POST", &format!("{path}/tests"), &to));
    assert_eq!(passed["result"]["outcome"], "accepted", "{passed}");
    let (_, listed) = lab.ask("GET", "/api/v1/connections", &Value::Null);
    assert_eq!(listed["connections"][0]["state"], "passing");
    assert_eq!(listed["connections"][0]["last_test"]["detail"], Value::Null);
    let (_, tests) = lab.ask("GET", &format!("{path}/tests"), &Value::Null);
    let outcomes: Vec<&str> = tests["tests"]
        .as_array()
        .unwrap()
        .iter()
        .map(|test| test["outcome"].as_str().unwrap())
        .collect();
    assert_eq!(outcomes, ["accepted", "failed"], "newest first");

    let (_, disabled) = lab.ask("POST", &format!("{path}/disable"), &Value::Null);
    assert_eq!(disabled["connection"]["enabled"], false);
    let (answer, problem) = lab.ask("POST", &format!("{path}/tests"), &to);
    assert_eq!((answer.status, &problem["code"]), (409, &"disabled".into()), "{answer:?}");
    assert_eq!(
        lab.ask("POST", &format!("{path}/enable"), &Value::Null).1["connection"]["enabled"],
        true
    );
    assert_eq!(lab.ask("DELETE", &path, &Value::Null).0.status, 200);
    assert_eq!(lab.ask("GET", &path, &Value::Null).0.status, 404);
    assert!(!lab.said.borrow().iter().any(|said| said.contains(PASSWORD)));
}

#[test]
fn what_was_begun_by_a_key_is_done_once() {
    let lab = Lab::start();
    let key = |key: &str| format!("Idempotency-Key: {key}\r\n");
    let add =
        |name: &str, body: &Value| lab.ask_with("POST", "/api/v1/connections", &key(name), body);
    let (first, added) = add("add-1", &own("starttls"));
    let (again, repeated) = add("add-1", &own("starttls"));
    assert_eq!((again.status, &repeated), (first.status, &added));
    assert_eq!(again.headers["location"], first.headers["location"]);
    assert_eq!(again.headers["idempotent-replayed"], "true");
    assert!(!first.headers.contains_key("idempotent-replayed"));
    let (other, problem) = add("add-1", &own("tls"));
    assert_eq!((other.status, &problem["code"]), (422, &"key-of-another-request".into()));
    // What was refused did nothing, so its key is free.
    assert_eq!(add("add-2", &own("starttls")).0.status, 409, "the name is taken");
    let mut second = own("starttls");
    second["name"] = "second".into();
    assert_eq!(add("add-2", &second).0.status, 201);
    for wrong in ["", "a b", &"k".repeat(129)] {
        let (answer, problem) = add(wrong, &own("starttls"));
        assert_eq!((answer.status, &problem["code"]), (400, &"bad-key".into()), "{wrong:?}");
        assert_eq!(problem["field"], "Idempotency-Key");
    }

    let path = format!("/api/v1/connections/{}/tests", added["connection"]["id"].as_str().unwrap());
    let to = json!({ "to": "you@submission.test" });
    let send = || lab.ask_with("POST", &path, &key("send"), &to);
    let job = lab.ended(&send());
    let (answer, repeated) = send();
    assert_eq!((answer.status, &repeated["job"]["id"]), (202, &job["id"]), "{repeated}");
    assert_eq!(lab.ask("GET", &path, &Value::Null).1["tests"].as_array().unwrap().len(), 1);

    let check = json!({ "domain": "healthy-one-mx.test" });
    let ask = || lab.ask_with("POST", "/api/v1/checks", &key("check"), &check);
    let (first, begun) = ask();
    let (second, repeated) = ask();
    assert_eq!((first.status, second.status, &begun), (202, 202, &repeated), "secrets and all");
    let (answer, problem) =
        lab.site.ask(("POST", "/api/v1/checks"), &key("check"), &check.to_string());
    assert_eq!((answer.status, &problem["code"]), (401, &"key-without-token".into()));
    let owner = begun["owner"].as_str().unwrap();
    let database = std::path::Path::new(&lab.session).join("data");
    for file in std::fs::read_dir(database).unwrap() {
        let octets = std::fs::read(file.unwrap().path()).unwrap_or_default();
        assert!(
            !octets.windows(owner.len()).any(|part| part == owner.as_bytes()),
            "an answer is sealed"
        );
    }
}

#[test]
fn a_key_is_remembered_over_a_restart_and_belongs_to_its_token() {
    let mut site = Running::start(&["serve"]);
    let mut one = own("starttls");
    one.as_object_mut().unwrap().remove("secret");
    let tokens = ["one", "two"].map(|name| bearer(&site, name, &["add-connection"], "default"));
    let add = |site: &Running, token: &str, body: &Value| {
        let headers = format!("{token}Idempotency-Key: monday\r\n");
        site.ask(("POST", "/api/v1/connections"), &headers, &body.to_string())
    };
    let (first, added) = add(&site, &tokens[0], &one);
    assert_eq!(first.status, 201, "{first:?}");
    site.restart(&["serve"]);
    let (again, repeated) = add(&site, &tokens[0], &one);
    assert_eq!((again.status, repeated), (201, added));
    assert_eq!(again.headers["idempotent-replayed"], "true");
    let (other, problem) = add(&site, &tokens[1], &one);
    assert_eq!(
        (other.status, &problem["code"]),
        (409, &"name-taken".into()),
        "another token's key"
    );
    one["secret"] = "x".into();
    let (answer, problem) = add(&site, &tokens[1], &one);
    assert_eq!(
        (answer.status, &problem["code"]),
        (403, &"scope-missing".into()),
        "a secret needs more"
    );
    let log = command(&site, &["connection", "list"]);
    assert_eq!(log.lines().count(), 1, "{log}");
}

#[test]
fn a_secret_goes_in_and_never_comes_out() {
    let lab = Lab::start();
    let mut without = own("starttls");
    without.as_object_mut().unwrap().remove("secret");
    let (_, added) = lab.ask("POST", "/api/v1/connections", &without);
    assert_eq!(added["connection"]["secret"]["stored"], false);
    let path = format!("/api/v1/connections/{}", added["connection"]["id"].as_str().unwrap());
    let secret = format!("{path}/secret");
    let (answer, stored) = lab.ask("PUT", &secret, &json!({ "secret": WRONG }));
    assert_eq!(
        (answer.status, &stored["connection"]["secret"]["stored"]),
        (200, &true.into()),
        "{answer:?}"
    );
    let refused = lab.ended(&lab.ask("POST", &format!("{path}/verify"), &Value::Null));
    assert_eq!(refused["result"]["outcome"], "auth-failed", "{refused}");

    let elsewhere = json!({ "host": "smtp.example.com" });
    let (answer, problem) = lab.ask("PATCH", &path, &elsewhere);
    assert_eq!(
        (answer.status, &problem["code"]),
        (409, &"secret-for-elsewhere".into()),
        "{answer:?}"
    );
    for body in [
        json!({ "secret": [WRONG] }),
        json!({ "secret": { "key": WRONG } }),
        json!({ "secret": "" }),
    ] {
        assert_eq!(lab.ask("PUT", &secret, &body).0.status, 422, "{body}");
    }
    let (answer, moved) =
        lab.ask("PATCH", &path, &json!({ "host": "smtp.example.com", "secret": null }));
    assert_eq!(
        (answer.status, &moved["connection"]["secret"]["stored"]),
        (200, &false.into()),
        "{answer:?}"
    );
    assert_eq!(lab.ask("DELETE", &secret, &Value::Null).0.status, 200);
    for read in [&path, &format!("{path}/tests"), "/api/v1/connections", "/api/v1/me"] {
        assert_eq!(lab.ask("GET", read, &Value::Null).0.status, 200, "{read}");
    }
    assert!(!lab.said.borrow().iter().any(|said| said.contains(WRONG)));
}

#[test]
fn a_refusal_names_the_field() {
    let lab = Lab::start();
    let with = |field: &str, value: Value| {
        let mut body = own("starttls");
        body[field] = value;
        body
    };
    for (body, status, code, field) in [
        (with("port", json!("587")), 422, "bad-body", "port"),
        (with("port", json!(70_000)), 422, "bad-body", "port"),
        (with("prot", json!(25)), 422, "bad-body", "prot"),
        (with("settings", json!({ "a": 1 })), 422, "bad-body", "settings.a"),
        (with("from_address", json!("nobody")), 422, "field", "from_address"),
        (with("minimum_tls", json!("1.1")), 422, "field", "minimum_tls"),
        (with("name", Value::Null), 422, "field", "name"),
        (with("security", json!("none")), 422, "field", "user"),
        (
            json!({ "name": "x", "from_address": "a@b.test", "host": "smtp.example.com", "port": 25, "security": "none" }),
            422,
            "exception-needed",
            "security",
        ),
    ] {
        let (answer, problem) = lab.ask("POST", "/api/v1/connections", &body);
        assert_eq!((answer.status, &problem["code"]), (status, &code.into()), "{body}: {answer:?}");
        assert_eq!(problem["field"], field, "{body}: {problem}");
        assert!(!answer.body.contains("--"), "flags belong to the command line: {problem}");
    }
    let (answer, problem) = lab.ask("POST", "/api/v1/connections", &json!([]));
    assert_eq!((answer.status, &problem["code"]), (422, &"bad-body".into()));
    let large = with("from_name", "x".repeat(300_000).into());
    assert_eq!(lab.ask("POST", "/api/v1/connections", &large).0.status, 413);
    for query in ["limit=0", "limit=101", "limit=x", "cursor=x", "cursor=%00"] {
        let (answer, problem) =
            lab.ask("GET", &format!("/api/v1/connections?{query}"), &Value::Null);
        assert_eq!((answer.status, &problem["code"]), (400, &"bad-query".into()), "{query}");
        assert!(query.starts_with(problem["field"].as_str().unwrap()), "{query}");
    }
    let (answer, problem) = lab.ask("PUT", "/api/v1/connections", &json!({}));
    assert_eq!((answer.status, &problem["code"]), (405, &"method".into()));
    assert!(answer.headers["allow"].contains("POST"), "{answer:?}");
    for path in ["/api/v1/connections/%ff", "/api/v1/connections/", "/api/v1/jobs/x", "/api/v2"] {
        let (answer, problem) = lab.ask("GET", path, &Value::Null);
        assert_eq!((answer.status, &problem["code"]), (404, &"not-found".into()), "{path}");
    }
    let text = format!("{}Content-Type: text/plain\r\n", lab.token);
    let answer = lab.site.send(&format!(
        "POST /api/v1/connections HTTP/1.1\r\nHost: {}\r\n{text}Connection: close\r\nContent-Length: 2\r\n\r\n{{}}",
        lab.site.address
    ));
    assert_eq!(answer.status, 415);
}

#[test]
fn a_list_is_read_in_parts() {
    let lab = Lab::start();
    let mut names = BTreeSet::new();
    for name in ["a", "b", "c", "d", "e"] {
        let mut body = own("starttls");
        body["name"] = name.into();
        assert_eq!(lab.ask("POST", "/api/v1/connections", &body).0.status, 201);
        names.insert(name.to_owned());
    }
    let mut read = BTreeSet::new();
    let (mut path, mut parts) = ("/api/v1/connections?limit=2".to_owned(), 0);
    loop {
        let (_, part) = lab.ask("GET", &path, &Value::Null);
        for connection in part["connections"].as_array().unwrap() {
            assert!(read.insert(connection["name"].as_str().unwrap().to_owned()), "twice");
        }
        parts += 1;
        let Some(next) = part["next"].as_str() else { break };
        path = format!("/api/v1/connections?limit=2&cursor={next}");
    }
    assert_eq!((read, parts), (names, 3));
}

#[test]
fn the_header_of_a_message_is_read_as_on_the_command_line() {
    let lab = Lab::start();
    let file = format!("{}/tests/it/data/received.eml", env!("CARGO_MANIFEST_DIR"));
    let message = String::from_utf8_lossy(&std::fs::read(&file).unwrap()).into_owned();
    let (answer, read) = lab.ask("POST", "/api/v1/headers", &json!({ "message": message }));
    assert_eq!(answer.status, 200, "{answer:?}");
    let said = crate::program::run(&["headers", &file, "--json"]).json();
    assert_eq!(read, said);
    let (answer, problem) = lab.ask("POST", "/api/v1/headers", &json!({ "message": "nothing" }));
    assert_eq!((answer.status, &problem["field"]), (422, &"message".into()));
}
