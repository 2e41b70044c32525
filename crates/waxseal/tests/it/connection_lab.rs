//! Stored connections against the submission servers and delivery services of a running lab, each command a
//! process of its own: what passes, what is diagnosed, how the state goes, and that no secret comes out.

use super::program::{Said, file, finish, program};
use super::secrecy::{files, forms, holds};
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};

const WRONG: &str = "Wr0ng/canary+of%20a&password=Q9";
const SES_KEY: &str = "lab/secret/access/key/that/opens/nothing";
const POSTMARK_TOKEN: &str = "1ab00000-0000-4000-8000-000000000001";

/// A lab that runs until the value is dropped, and all that was said inside it.
struct RunningLab {
    child: Child,
    told: Value,
    given: tempfile::TempDir,
    said: Vec<u8>,
}

impl RunningLab {
    fn start(scenarios: &[&str]) -> Self {
        let mut child = program()
            .args(["lab", "up", "--json"])
            .args(scenarios)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let told = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
        Self { child, told, given: tempfile::tempdir().unwrap(), said: Vec::new() }
    }

    fn folder(&self) -> &str {
        self.told["session"].as_str().unwrap()
    }

    /// What the client of a scenario is set to.
    fn attempt(&self, scenario: &str) -> Value {
        let all = self.told["attempts"].as_array().unwrap();
        all.iter().find(|one| one["scenario"] == scenario).unwrap().clone()
    }

    /// A file with a secret, outside the session folder.
    fn secret(&self, name: &str, text: &str) -> String {
        file(&self.given, name, text).display().to_string()
    }

    /// Runs `connection …` inside, expects this exit status.
    fn run(&mut self, status: i32, command: &str) -> Said {
        let mut program = program();
        program.env("RUST_LOG", "trace").args(["lab", "exec", "--session", self.folder(), "--"]);
        let said = finish(program.arg("connection").args(command.split_whitespace()), b"");
        assert_eq!(said.is_calm().status, status, "{command}: {said:?}");
        self.said.extend(format!("{}{}", said.stdout, said.stderr).into_bytes());
        said
    }

    fn json(&mut self, status: i32, command: &str) -> Value {
        let value = self.run(status, &format!("{command} --json")).json();
        assert_eq!(value["simulated"], true, "{command}");
        value
    }

    /// Adds a connection as the client of a scenario is set.
    fn add(&mut self, name: &str, scenario: &str) -> Value {
        let attempt = self.attempt(scenario);
        let of = |key: &str| attempt[key].as_str().unwrap().to_owned();
        let secret = self.secret(name, &of("password"));
        let added = self.json(
            0,
            &format!(
                "add {name} --host {} --port {} --security {} --user {} --from-address {} \
                 --secret-file {secret}",
                of("host"),
                of("port"),
                of("security"),
                of("username"),
                of("from")
            ),
        );
        assert_eq!(added["connection"]["state"], "untested");
        attempt
    }

    /// Nothing that was said or stored holds one of these secrets in any form.
    fn keeps(&self, secrets: &[&str]) {
        let mut places = vec![("what was said".to_owned(), self.said.clone())];
        let data = std::path::Path::new(self.folder()).join("data");
        for path in files(&data) {
            places.push((path.display().to_string(), std::fs::read(&path).unwrap()));
        }
        assert!(places.iter().any(|(name, _)| name.ends_with("waxseal.db")), "{}", places.len());
        for (place, octets) in &places {
            for secret in secrets {
                for form in forms(secret.as_bytes()) {
                    let shown = String::from_utf8_lossy(&form);
                    assert!(!holds(octets, &form), "{place} holds {secret} as {shown}");
                }
            }
        }
    }
}

impl Drop for RunningLab {
    fn drop(&mut self) {
        // Asked to end, so that its folder goes too.
        let _ = std::process::Command::new("kill").arg(self.child.id().to_string()).status();
        let _ = self.child.wait();
    }
}

/// The first finding: the cause.
fn cause(value: &Value) -> (&str, &str) {
    let first = &value["result"]["findings"][0];
    (first["code"].as_str().unwrap_or_default(), first["owner"].as_str().unwrap_or_default())
}

#[test]
fn smtp_with_sign_in_passes_and_wrong_settings_are_diagnosed() {
    let mut lab = RunningLab::start(&["a-healthy-starttls", "a-healthy-tls"]);
    let mut password = String::new();
    for (name, scenario) in [("starttls", "a-healthy-starttls"), ("tls", "a-healthy-tls")] {
        let attempt = lab.add(name, scenario);
        attempt["password"].as_str().unwrap().clone_into(&mut password);
        let verified = lab.json(0, &format!("verify {name}"));
        assert_eq!(verified["result"]["outcome"], "ready", "{verified}");
        assert_eq!(verified["connection"]["state"], "untested", "no message was sent");
        let to = attempt["to"].as_str().unwrap();
        let tested = lab.json(0, &format!("test {name} --to {to}"));
        let result = &tested["result"];
        assert_eq!((&result["outcome"], &result["encrypted"]), (&json!("accepted"), &json!(true)));
        assert!(result["signed_in_by"].is_string(), "{tested}");
        assert_eq!(tested["connection"]["state"], "passing", "{tested}");
    }
    let passing = lab.json(0, "show starttls")["connection"].clone();
    let attempt = lab.attempt("a-healthy-starttls");
    let (host, to) = (attempt["host"].as_str().unwrap(), attempt["to"].as_str().unwrap());
    let (right, wrong) = (lab.secret("right", &password), lab.secret("wrong", WRONG));
    let test = format!("test starttls --to {to}");
    for (edit, back, outcome, code) in [
        (
            format!("--secret-file {wrong}"),
            format!("--secret-file {right}"),
            "auth-failed",
            "auth-bad-credentials",
        ),
        (
            "--security tls".to_owned(),
            "--security starttls".to_owned(),
            "failed",
            "greet-plain-port-with-tls",
        ),
        (
            format!("--host nowhere.a-healthy-starttls.test --secret-file {right}"),
            format!("--host {host} --secret-file {right}"),
            "failed",
            "dns-host-unresolvable",
        ),
        // Settings and secret in one change.
        (
            format!("--security tls --secret-file {wrong}"),
            format!("--security starttls --secret-file {right}"),
            "failed",
            "greet-plain-port-with-tls",
        ),
    ] {
        let edited = lab.json(0, &format!("edit starttls {edit}"));
        assert_eq!(edited["connection"]["state"], "untested", "{edit}");
        let failed = lab.json(1, &test);
        assert_eq!(cause(&failed), (code, "app"), "{edit}: {failed}");
        assert_eq!(failed["result"]["outcome"], outcome, "{edit}: {failed}");
        assert_eq!(failed["connection"]["state"], "failing", "{edit}");
        let list = lab.run(0, "list");
        assert!(list.stdout.contains("failing"), "{list:?}");
        let verified = lab.json(1, "verify starttls");
        assert_eq!(cause(&verified), (code, "app"), "{edit}: {verified}");
        let mended = lab.json(0, &format!("edit starttls {back}"));
        let (before, after) =
            (&edited["connection"]["revision"], &mended["connection"]["revision"]);
        assert_eq!(after.as_u64(), before.as_u64().map(|number| number + 1), "one change: {back}");
        assert_eq!(mended["connection"]["state"], "untested");
        assert_eq!(mended["connection"]["last_test"]["current"], false, "it stays in sight");
        assert_eq!(lab.json(0, &test)["connection"]["state"], "passing", "{back}");
    }
    // The same settings again, and nothing of another connection was touched.
    let now = lab.json(0, "show starttls")["connection"].clone();
    for same in ["host", "port", "security", "sign_in", "trust", "name", "id"] {
        assert_eq!(now[same], passing[same], "{same}");
    }
    assert_eq!(lab.json(0, "show tls")["connection"]["state"], "passing");
    lab.keeps(&[&password, WRONG]);
}

#[test]
fn built_in_services_pass_and_a_wrong_key_is_diagnosed() {
    let mut lab = RunningLab::start(&["healthy-postmark", "healthy-amazon-ses"]);
    let (token, key) = (lab.secret("token", POSTMARK_TOKEN), lab.secret("key", SES_KEY));
    let wrong = lab.secret("wrong", WRONG);
    let ses = "--setting region=eu-west-1 --setting access-key-id=AKIALABKEYOPENSNOTHN";
    for (name, settings, right) in [
        ("postmark", "--service postmark".to_owned(), &token),
        ("ses", format!("--service amazon-ses {ses}"), &key),
    ] {
        let from = format!(
            "--from-address news@healthy-{}.test",
            match name {
                "ses" => "amazon-ses",
                other => other,
            }
        );
        let add = format!("add {name} {settings} {from} --secret-file {right}");
        assert_eq!(lab.json(0, &add)["connection"]["state"], "untested");
        let verified = lab.json(0, &format!("verify {name}"));
        assert_eq!(verified["result"]["outcome"], "ready", "{verified}");
        let test = format!("test {name} --to anna@example.net");
        let passed = lab.json(0, &test);
        assert_eq!(passed["result"]["outcome"], "accepted", "{passed}");
        assert_eq!(passed["connection"]["state"], "passing");

        lab.json(0, &format!("edit {name} --secret-file {wrong}"));
        let failed = lab.json(1, &test);
        assert_eq!(cause(&failed), ("api-key-invalid", "app"), "{failed}");
        assert_eq!(failed["connection"]["state"], "failing");
        let mended = lab.json(0, &format!("edit {name} --secret-file {right}"));
        assert_eq!(mended["connection"]["state"], "untested");
        assert_eq!(lab.json(0, &test)["connection"]["state"], "passing");
    }
    lab.keeps(&[POSTMARK_TOKEN, SES_KEY, WRONG]);
}
