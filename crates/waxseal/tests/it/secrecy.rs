//! After every command that takes or holds a secret, no file but the key file and no output has one, in none of
//! the forms in which it could hide: as it is, in base64, hexadecimal, or encoded for URLs or JSON.

use super::program::{Said, file, finish, program};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use serde_json::Value;
use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use waxseal_lab::delivery_service::ServiceName;

/// Secrets with the characters that encodings change.
const PASSWORD: &str = "Zx7/kolibri+ofen%20&\"regen\"=Q9";
const NEXT_PASSWORD: &str = "Tv4?laterne>garten{82}~Wb";
const TOKEN: &str = "ya29.a0Af/Canary+token-Kd83_Lq==";
const API_KEY: &str = "SG.k3y/canary+Rm5-Jh2_Pz7.x8Y=";
const AWS_KEY: &str = "wJalr/CANARY+K7MDENG/bPxRfi=Cz4";
const AWS_SESSION: &str = "FwoGZX/session+canary/Er72==Nb6";

/// The forms in which a secret could stand somewhere.
pub(super) fn forms(secret: &[u8]) -> Vec<Vec<u8>> {
    let mut forms = vec![secret.to_vec()];
    let text = String::from_utf8_lossy(secret);
    for engine in [&STANDARD, &URL_SAFE] {
        // At three offsets; the letters that depend on the neighbours are cut off.
        for before in 0..3 {
            let encoded = engine.encode([&vec![b'x'; before], secret].concat());
            let from = [0, 2, 3][before];
            let whole = (before + secret.len()) / 3 * 4;
            forms.push(encoded.as_bytes()[from..whole].to_vec());
        }
    }
    let hex = secret.iter().fold(String::new(), |mut hex, octet| {
        write!(hex, "{octet:02x}").unwrap();
        hex
    });
    forms.extend([hex.to_uppercase().into_bytes(), hex.into_bytes()]);
    for unreserved in ["-._~", "*-._", "-_.!~*'()"] {
        let url = secret.iter().fold(String::new(), |mut url, octet| {
            if octet.is_ascii_alphanumeric() || unreserved.as_bytes().contains(octet) {
                url.push(char::from(*octet));
            } else {
                write!(url, "%{octet:02X}").unwrap();
            }
            url
        });
        forms.push(url.into_bytes());
    }
    let json = serde_json::to_string(&text).unwrap();
    forms.push(json.trim_matches('"').as_bytes().to_vec());
    forms
}

pub(super) fn holds(octets: &[u8], form: &[u8]) -> bool {
    octets.windows(form.len()).any(|window| window == form)
}

pub(super) fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found
}

/// Runs commands on one data folder and keeps all they say.
struct Machine {
    root: tempfile::TempDir,
    said: Vec<u8>,
    commands: usize,
}

impl Machine {
    fn run(&mut self, data: &str, command: &str, input: &str) -> Said {
        let folder = self.root.path().join(data);
        let mut program = program();
        program.env("RUST_LOG", "trace").env("RUST_BACKTRACE", "full").env("WAXSEAL_LOG", "trace");
        program.args(command.split_whitespace()).arg("--data").arg(folder);
        self.keep(finish(&mut program, input.as_bytes()))
    }

    /// A command without data.
    fn tool(&mut self, command: &str, input: &str) -> Said {
        let mut program = program();
        program.env("RUST_LOG", "trace").env("RUST_BACKTRACE", "full");
        program.args(command.split_whitespace());
        self.keep(finish(&mut program, input.as_bytes()))
    }

    fn keep(&mut self, said: Said) -> Said {
        said.is_calm();
        self.commands += 1;
        self.said.extend(format!("{}{}", said.stdout, said.stderr).into_bytes());
        said
    }

    fn expect(&mut self, status: i32, command: &str, input: &str) -> Said {
        let said = self.run("data", command, input);
        assert_eq!(said.status, status, "{command}: {said:?}");
        said
    }

    fn path(&self, name: &str) -> String {
        self.root.path().join(name).display().to_string()
    }
}

#[test]
fn a_form_is_found_wherever_it_hides() {
    for (octets, what) in [
        (STANDARD.encode(format!("\0user\0{PASSWORD}")), "base64 of PLAIN"),
        (URL_SAFE.encode(format!("ab{PASSWORD}c")), "base64 for URLs"),
        (format!("a={}", "Zx7%2Fkolibri%2Bofen%2520%26%22regen%22%3DQ9"), "URL"),
        (serde_json::json!({ "a": PASSWORD }).to_string(), "JSON"),
    ] {
        let found = forms(PASSWORD.as_bytes()).iter().any(|form| holds(octets.as_bytes(), form));
        assert!(found, "{what}: {octets}");
    }
}

#[test]
fn no_secret_leaves_the_key_file_and_the_vault() {
    let root = tempfile::tempdir().unwrap();
    let mut machine = Machine { root, said: Vec::new(), commands: 0 };
    every_command(&mut machine);
    assert!(machine.commands >= 30, "{}", machine.commands);

    let secrets = [PASSWORD, NEXT_PASSWORD, TOKEN, API_KEY, AWS_KEY, AWS_SESSION];
    let keys = keys(&machine.path("data/master.key"));
    assert_eq!(keys.len(), 2, "the current key and the one before");
    nothing_holds(&machine, &secrets, &keys, &["data/waxseal.db", "copy.db", "other/waxseal.db"]);
}

/// The keys in a key file.
fn keys(file: &str) -> Vec<String> {
    let text = std::fs::read_to_string(file).unwrap();
    text.lines().skip(1).filter_map(|line| line.rsplit(' ').next()).map(str::to_owned).collect()
}

/// Searches what was said and every file; those that are `needed` must be among them.
fn nothing_holds(machine: &Machine, secrets: &[&str], keys: &[String], needed: &[&str]) {
    let mut secrets: Vec<(String, Vec<u8>)> =
        secrets.iter().map(|secret| ((*secret).to_owned(), (*secret).into())).collect();
    for key in keys {
        let octets = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(key).unwrap();
        secrets.extend([(key.clone(), key.as_str().into()), (format!("octets of {key}"), octets)]);
    }
    let mut places = vec![("what was said".to_owned(), machine.said.clone())];
    for path in files(machine.root.path()) {
        let name = path.strip_prefix(machine.root.path()).unwrap().display().to_string();
        // What the lab's service was sent is the other side: a key must be there.
        let may_hold =
            name.ends_with("master.key") || name.ends_with(HEARD) || name.starts_with("given/");
        if !may_hold {
            places.push((name, std::fs::read(&path).unwrap()));
        }
    }
    let names: Vec<&str> = places.iter().map(|(name, _)| name.as_str()).collect();
    for needed in needed {
        assert!(names.iter().any(|name| name.ends_with(needed)), "{needed} is not among {names:?}");
    }
    for (place, octets) in &places {
        for (secret, plain) in &secrets {
            for form in forms(plain) {
                let shown = String::from_utf8_lossy(&form);
                assert!(!holds(octets, &form), "{place} holds {secret} as {shown}");
            }
        }
    }
}

fn every_command(machine: &mut Machine) {
    std::fs::create_dir(machine.root.path().join("given")).unwrap();
    let given = |name: &str| format!("given/{name}");
    for (name, secret) in [("pw", PASSWORD), ("token", TOKEN), ("aws", AWS_KEY)] {
        file(&machine.root, &given(name), secret);
    }
    file(&machine.root, &given("mail"), "Subject: a\n\nb\n");
    let (pw, token, aws) =
        (machine.path("given/pw"), machine.path("given/token"), machine.path("given/aws"));
    let sender = "--from-address news@example.com";

    machine.expect(0, "key init --json", "");
    let smtp = "--host 127.0.0.1 --port 587 --security starttls --user sender";
    machine.expect(0, &format!("connection add own {smtp} {sender} --secret-file {pw} --json"), "");
    let oauth = format!("{smtp} --auth xoauth2 {sender} --secret-file {token}");
    machine.expect(0, &format!("connection add oauth {oauth}"), "");
    let api = format!("--service sendgrid {sender} --secret-file -");
    machine.expect(0, &format!("connection add api {api} --json"), API_KEY);
    let ses = format!(
        "--service amazon-ses --setting region=eu-west-1 --setting access-key-id=AKIDEXAMPLE \
         {sender} --secret-file secret-access-key={aws} --secret-file session-token=-"
    );
    machine.expect(0, &format!("connection add ses {ses}"), AWS_SESSION);
    for name in ["own", "oauth", "api", "ses"] {
        machine.expect(0, &format!("connection show {name} --json"), "");
        machine.expect(0, &format!("connection show {name}"), "");
    }
    machine.expect(0, "connection edit own --secret-file - --json", NEXT_PASSWORD);
    machine.expect(0, "connection edit own --port 465 --security tls", "");
    machine.expect(2, &format!("connection edit own --password {TOKEN}"), "");
    machine.expect(2, &format!("connection add own {smtp} {sender} --secret-file -"), PASSWORD);
    machine.expect(2, "connection edit api --secret-file nothing=-", API_KEY);
    machine.expect(0, "connection disable own", "");
    machine.expect(0, "connection enable own --json", "");
    machine.expect(0, "connection list --json", "");
    machine.expect(0, "connection list", "");
    machine.expect(0, "key rotate --json", "");
    machine.expect(0, "key status --json", "");
    let copy = machine.path("copy.db");
    machine.expect(0, &format!("backup {copy} --json"), "");
    machine.run("other", &format!("restore {copy} --json"), "");
    machine.run("other", "connection list --json", "");
    machine.run("other", "connection edit own --secret-file -", PASSWORD);
    machine.tool("config show --json", "");
    machine.tool("config show", "");
    for (security, port) in [("starttls", "1"), ("tls", "1")] {
        machine.tool(
            &format!(
                "tool smtp send --host 127.0.0.1 --port {port} --security {security} --username u \
                 --password-file {pw} --allow-private --from a@example.com --to b@example.net \
                 --json {}",
                machine.path("given/mail")
            ),
            "",
        );
    }
    let mut program = program();
    let key = std::fs::read_to_string(machine.path("data/master.key")).unwrap();
    program.env("WAXSEAL_MASTER_KEY", key.replace('\n', ";")).args(["config", "show", "--json"]);
    let said = finish(&mut program, b"");
    machine.keep(said);
    machine.expect(0, "connection remove oauth --json", "");
    // This machine is no target of a connection, so nothing is contacted.
    machine.run("data", "connection verify own --json", "");
    file(&machine.root, &given("zone"), r#"{"records":[],"secure":[]}"#);
    let zone = machine.path("given/zone");
    machine.tool(&format!("check example.com --zone-file {zone} --json"), "");
}

/// Where a lab keeps the requests that its delivery services heard.
const HEARD: &str = "requests.jsonl";

/// A lab that other commands work in.
struct Lab {
    process: Child,
    session: String,
    /// What a client of its submission server is set to.
    attempt: Value,
}

impl Lab {
    fn up(folder: &Path, scenarios: &[&str]) -> Self {
        let mut command = program();
        command.env("TMPDIR", folder).args(["lab", "up", "--json"]).args(scenarios);
        let mut process = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let told: Value = serde_json::from_str(&line).unwrap();
        let session = told["session"].as_str().unwrap().to_owned();
        Self { process, session, attempt: told["attempts"][0].clone() }
    }

    fn setting(&self, name: &str) -> String {
        self.attempt[name].as_str().unwrap().to_owned()
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        let _ = (self.process.kill(), self.process.wait());
    }
}

#[test]
fn no_secret_leaves_when_connections_are_tried() {
    let root = tempfile::tempdir().unwrap();
    std::fs::create_dir(root.path().join("given")).unwrap();
    let mut machine = Machine { root, said: Vec::new(), commands: 0 };
    let lab = Lab::up(machine.root.path(), &["submission", "healthy-sendgrid", "healthy-one-mx"]);
    let (right_password, right_key) = (lab.setting("password"), ServiceName::Sendgrid.usual_key());
    every_trial(&mut machine, &lab, (&right_password, right_key));
    let keys = keys(&format!("{}/data/master.key", lab.session));
    assert_eq!(keys.len(), 1);
    let heard = std::fs::read(Path::new(&lab.session).join(HEARD)).unwrap();
    for key in [API_KEY, right_key] {
        assert!(holds(&heard, key.as_bytes()), "the service was never sent {key}");
    }
    let secrets = [PASSWORD, API_KEY, &right_password, right_key];
    nothing_holds(&machine, &secrets, &keys, &["data/waxseal.db"]);
}

/// Verifies, tests and sends with wrong and right secrets.
fn every_trial(machine: &mut Machine, lab: &Lab, (password, key): (&str, &str)) {
    let mut inside = |status, command: &str, input: &str| {
        let command = format!("lab exec --session {} -- {command}", lab.session);
        let said = machine.tool(&command, input);
        assert_eq!(said.status, status, "{command}: {said:?}");
    };
    let [host, port, security, user, from, to] =
        ["host", "port", "security", "username", "from", "to"].map(|name| lab.setting(name));
    inside(0, "key init", "");
    let own = format!("--host {host} --port {port} --security {security} --user {user}");
    inside(0, &format!("connection add own {own} --from-address {from} --secret-file -"), PASSWORD);
    let sender = "--from-address news@healthy-sendgrid.test";
    let api = format!("connection add api --service sendgrid {sender} --secret-file -");
    inside(0, &api, API_KEY);
    for (name, right, is_right) in
        [("own", password, false), ("own", password, true), ("api", key, false), ("api", key, true)]
    {
        if is_right {
            inside(0, &format!("connection edit {name} --secret-file - --json"), right);
        }
        let status = i32::from(!is_right);
        for form in ["--json", ""] {
            inside(status, &format!("connection verify {name} {form}"), "");
            inside(status, &format!("connection test {name} --to {to} {form}"), "");
            inside(0, &format!("connection show {name} {form}"), "");
        }
    }
    inside(0, "connection list --json", "");
    inside(0, "doctor --control mx1.healthy-one-mx.test:25 --json", "");
    inside(0, "doctor --control mx1.healthy-one-mx.test:25", "");
    let mail = format!(
        "From: {from}\nSubject: a\nDate: Mon, 23 Nov 2026 12:00:00 +0000\nMessage-ID: <1@a>\n\nb\n"
    );
    let mail = file(&machine.root, "given/mail", mail).display().to_string();
    for (name, secret, status) in [("right", password, 0), ("wrong", PASSWORD, 1)] {
        let secret = file(&machine.root, &format!("given/{name}"), secret).display().to_string();
        let send = format!(
            "lab exec --session {} -- tool smtp send --host {host} --port {port} --security \
             {security} --username {user} --password-file {secret} --from {from} --to {to} --json \
             {mail}",
            lab.session
        );
        let said = machine.tool(&send, "");
        assert_eq!(said.status, status, "{said:?}");
    }
}
