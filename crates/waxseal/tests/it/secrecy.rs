//! After every command that takes or holds a secret, no file but the key file and no output has one, in none of
//! the forms in which it could hide: as it is, in base64, hexadecimal, or encoded for URLs or JSON.

use super::program::{Said, file, finish, program};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Secrets with the characters that encodings change.
const PASSWORD: &str = "Zx7/kolibri+ofen%20&\"regen\"=Q9";
const NEXT_PASSWORD: &str = "Tv4?laterne>garten{82}~Wb";
const TOKEN: &str = "ya29.a0Af/Canary+token-Kd83_Lq==";
const API_KEY: &str = "SG.k3y/canary+Rm5-Jh2_Pz7.x8Y=";
const AWS_KEY: &str = "wJalr/CANARY+K7MDENG/bPxRfi=Cz4";
const AWS_SESSION: &str = "FwoGZX/session+canary/Er72==Nb6";

/// The forms in which a secret could stand somewhere.
fn forms(secret: &[u8]) -> Vec<Vec<u8>> {
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

fn holds(octets: &[u8], form: &[u8]) -> bool {
    octets.windows(form.len()).any(|window| window == form)
}

fn files(folder: &Path) -> Vec<PathBuf> {
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
        program.env("RUST_LOG", "trace").args(command.split_whitespace());
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

    let key_file = machine.path("data/master.key");
    let key_text = std::fs::read_to_string(&key_file).unwrap();
    let keys: Vec<&str> =
        key_text.lines().skip(1).filter_map(|line| line.rsplit(' ').next()).collect();
    assert_eq!(keys.len(), 2, "the current key and the one before");
    let mut secrets: Vec<(String, Vec<u8>)> =
        [PASSWORD, NEXT_PASSWORD, TOKEN, API_KEY, AWS_KEY, AWS_SESSION]
            .map(|secret| (secret.to_owned(), secret.into()))
            .into();
    for key in keys {
        let octets = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(key).unwrap();
        secrets.extend([(key.to_owned(), key.into()), (format!("octets of {key}"), octets)]);
    }
    let mut places = vec![("what was said".to_owned(), machine.said.clone())];
    for path in files(machine.root.path()) {
        let name = path.strip_prefix(machine.root.path()).unwrap().display().to_string();
        if !name.ends_with("master.key") && !name.starts_with("given/") {
            places.push((name, std::fs::read(&path).unwrap()));
        }
    }
    let names: Vec<&str> = places.iter().map(|(name, _)| name.as_str()).collect();
    for needed in ["data/waxseal.db", "copy.db", "other/waxseal.db"] {
        assert!(names.contains(&needed), "{needed} is not among {names:?}");
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
