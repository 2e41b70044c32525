//! Who comes in to `/api/v1`: every address of the description, without a token, with one that lacks the scope, and
//! with one of another workspace. A new address is tried because it is in the description.

use crate::program::{finish, program};
use crate::site::{Answer, Running};
use serde_json::{Value, json};

/// What is open to everybody: what is known without asking anybody, and results behind their secret names.
const OPEN: [&str; 9] = [
    "GET /api/v1/checks/{id}",
    "DELETE /api/v1/checks/{id}",
    "GET /api/v1/checks/{id}/events",
    "GET /api/v1/presets",
    "GET /api/v1/presets/{name}",
    "GET /api/v1/guides",
    "GET /api/v1/guides/{name}",
    "GET /api/v1/findings",
    "GET /api/v1/findings/{code}",
];

const SCOPES: [&str; 5] = ["read", "check", "add-connection", "connections", "test-send"];

/// A command on the data of a running site.
pub(crate) fn command(site: &Running, arguments: &[&str]) -> String {
    let mut program = program();
    program.args(arguments).args(["--data", site.data_folder().to_str().unwrap()]);
    let said = finish(&mut program, b"");
    assert_eq!(said.status, 0, "{said:?}");
    said.stdout.trim().to_owned()
}

/// The header line of a new token.
pub(crate) fn bearer(site: &Running, name: &str, scopes: &[&str], workspace: &str) -> String {
    let mut arguments = vec!["token", "create", "--name", name, "--workspace", workspace];
    arguments.extend(scopes.iter().flat_map(|scope| ["--scope", *scope]));
    format!("Authorization: Bearer {}\r\n", command(site, &arguments))
}

fn add(site: &Running, name: &str, workspace: &str) -> String {
    let added = command(
        site,
        &[
            "connection",
            "add",
            name,
            "--host",
            "smtp.example.com",
            "--port",
            "587",
            "--security",
            "starttls",
            "--from-address",
            "news@example.com",
            "--no-secret",
            "--workspace",
            workspace,
            "--json",
        ],
    );
    let added: Value = serde_json::from_str(&added).unwrap();
    added["connection"]["id"].as_str().unwrap().to_owned()
}

/// An address of the description: its name, method and path, and the scope it asks for.
struct Operation {
    name: String,
    method: String,
    path: String,
    scope: Option<String>,
    has_token: bool,
}

fn operations(site: &Running, id: &str) -> Vec<Operation> {
    let (_, described) = site.json("GET", "/api/v1/openapi.json", "");
    let mut all = Vec::new();
    for (path, methods) in described["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let method = method.to_uppercase();
            let scope = operation["security"][0]["token"][0].as_str().map(str::to_owned);
            let filled = path.replace("{id}", id).replace("{name}", "tls").replace("{code}", "x");
            let has_token = operation["security"].is_array();
            all.push(Operation {
                name: format!("{method} {path}"),
                method,
                path: filled,
                scope,
                has_token,
            });
        }
    }
    assert!(all.len() > 25, "{}", all.len());
    all
}

/// A body that every operation with one could take.
fn body(name: &str) -> String {
    let body = match name {
        "POST /api/v1/checks" => json!({ "domain": "example.com" }),
        "POST /api/v1/connections" => json!({ "name": "x", "from_address": "a@example.com",
            "host": "smtp.example.com", "port": 587, "security": "starttls" }),
        name if name.ends_with("/tests") => json!({ "to": "you@example.net" }),
        name if name.ends_with("/secret") => json!({ "secret": "Canary-9" }),
        name if name.ends_with("/received") || name.ends_with("/headers") => {
            json!({ "message": "Subject: x\r\n\r\n" })
        }
        _ => json!({ "name": "taken over" }),
    };
    body.to_string()
}

fn is_refusal(answer: &Answer, problem: &Value, (status, code): (u16, &str), name: &str) {
    assert_eq!((answer.status, &problem["code"]), (status, &code.into()), "{name}: {answer:?}");
    assert_eq!(answer.headers["content-type"], "application/problem+json", "{name}");
}

#[test]
fn no_address_lets_anybody_in_without_its_scope() {
    let site = Running::start(&["serve"]);
    let id = add(&site, "mine", "default");
    let tokens: Vec<(&str, String)> =
        SCOPES.iter().map(|scope| (*scope, bearer(&site, scope, &[*scope], "default"))).collect();
    let others = |scope: &str| -> String {
        let has =
            |each: &str| each == scope || (scope == "add-connection" && each == "connections");
        let others: Vec<&str> = SCOPES.into_iter().filter(|each| !has(each)).collect();
        bearer(&site, &format!("all but {scope}"), &others, "default")
    };
    let lacking: Vec<(&str, String)> = SCOPES.iter().map(|scope| (*scope, others(scope))).collect();
    let of = |all: &[(&str, String)], scope: &str| -> String {
        all.iter().find(|(each, _)| *each == scope).unwrap().1.clone()
    };
    for operation in operations(&site, &id) {
        let Operation { name, method, path, scope, has_token } = &operation;
        let ask = |headers: &str| site.ask((method, path), headers, &body(name));
        if OPEN.contains(&name.as_str()) {
            assert!(!has_token, "{name}");
            continue;
        }
        assert!(has_token, "{name} is described as open to everybody");
        let (answer, problem) = ask("");
        is_refusal(&answer, &problem, (401, "token-needed"), name);
        assert!(answer.headers["www-authenticate"].starts_with("Bearer"), "{name}");
        let (answer, problem) = ask("Authorization: Bearer wxs_AAAAAAAAAAAAAAAAAAAAAAAA\r\n");
        // Some of the many wrong tokens of this client are too many.
        assert!([401, 429].contains(&answer.status), "{name}: {answer:?}");
        assert!(["token-wrong", "wrong-tokens"].contains(&problem["code"].as_str().unwrap()));
        let Some(scope) = scope else {
            assert_eq!(name, "GET /api/v1/me");
            continue;
        };
        let (answer, problem) = ask(&of(&lacking, scope));
        is_refusal(&answer, &problem, (403, "scope-missing"), name);
        assert!(problem["detail"].as_str().unwrap().contains(scope.as_str()), "{problem}");
        assert!(answer.headers["www-authenticate"].contains(&format!("scope=\"{scope}\"")));
        if name == "POST /api/v1/checks" {
            continue; // It would ask the real network.
        }
        let (answer, _) = ask(&of(&tokens, scope));
        assert!(![401, 403].contains(&answer.status), "{name}: {answer:?}");
    }
}

#[test]
fn no_token_reaches_another_workspace() {
    let site = Running::start(&["serve"]);
    let mine = add(&site, "mine", "default");
    add(&site, "theirs", "other");
    let other = bearer(&site, "other", &SCOPES, "other");
    let before = command(&site, &["connection", "show", &mine, "--json"]);
    for operation in operations(&site, &mine) {
        let Operation { name, method, path, .. } = &operation;
        if OPEN.contains(&name.as_str()) || !name.contains("{id}") {
            continue;
        }
        let (answer, problem) = site.ask((method, path), &other, &body(name));
        is_refusal(&answer, &problem, (404, "not-found"), name);
        let nothing = path.replace(&mine, "01890a5d-ac96-774b-bcce-b302099a8057");
        let (unknown, _) = site.ask((method, &nothing), &other, &body(name));
        assert_eq!(unknown.body, answer.body, "{name} tells what exists elsewhere");
    }
    let (_, listed) = site.ask(("GET", "/api/v1/connections"), &other, "");
    assert_eq!(listed["connections"].as_array().unwrap().len(), 1, "{listed}");
    assert_eq!(
        (&listed["connections"][0]["name"], &listed["workspace"]),
        (&"theirs".into(), &"other".into())
    );
    assert_eq!(
        command(&site, &["connection", "show", &mine, "--json"]),
        before,
        "nothing was changed"
    );
}

#[test]
fn a_token_that_ended_or_was_revoked_is_answered_like_one_that_never_was() {
    let site = Running::start(&["serve"]);
    let me = |header: &str| site.ask(("GET", "/api/v1/me"), header, "");
    let read = bearer(&site, "reader", &["read"], "default");
    let (answer, told) = me(&read);
    assert_eq!((answer.status, &told["scopes"]), (200, &json!(["read"])), "{answer:?}");
    assert_eq!((&told["name"], &told["workspace"]), (&"reader".into(), &"default".into()));
    assert!(command(&site, &["token", "list"]).contains("reader  read  until 20"));
    assert!(!command(&site, &["token", "list"]).contains("never used"));

    let short = {
        let made = command(
            &site,
            &["token", "create", "--name", "short", "--scope", "read", "--expires", "1d"],
        );
        format!("Authorization: Bearer {made}\r\n")
    };
    assert_eq!(me(&short).0.status, 200);
    command(&site, &["token", "revoke", "reader"]);
    let refused = me(&read).0;
    assert_eq!(refused.status, 401);
    for header in [
        "Authorization: Bearer wxs_AAAAAAAAAAAAAAAAAAAAAAAA\r\n",
        "Authorization: Bearer \r\n",
        "Authorization: Basic d3hzOng=\r\n",
        &format!("{short}{short}"),
    ] {
        let answer = me(header).0;
        assert_eq!((answer.status, &answer.body), (401, &refused.body), "{header}");
        assert_eq!(answer.headers["www-authenticate"], refused.headers["www-authenticate"]);
    }
    let wrong = || me("Authorization: Bearer wxs_BBBBBBBBBBBBBBBBBBBBBBBB\r\n").0;
    let tired = (0..60).map(|_| wrong()).find(|answer| answer.status == 429).unwrap();
    assert!(tired.headers["retry-after"].parse::<u64>().unwrap() > 0, "{tired:?}");
    assert_eq!(me(&short).0.status, 200, "a right token always comes in");
    let cookie = "Cookie: waxseal-session=anything\r\n";
    assert_eq!(me(cookie).0.status, 401, "sessions of people let nobody in here");
}

#[test]
fn checks_need_a_token_where_the_checker_is_not_public() {
    let site = Running::start(&["serve"]);
    let check = bearer(&site, "checker", &["check"], "default");
    let begin = |header: &str, body: &Value| {
        site.ask(("POST", "/api/v1/checks"), header, &body.to_string())
    };
    let unusable = json!({ "domain": "not a domain" });
    assert_eq!(begin("", &unusable).0.status, 401);
    let (answer, problem) = begin(&check, &unusable);
    assert_eq!((answer.status, &problem["code"]), (422, &"input-domain-syntax".into()));
    assert_eq!(site.get("/api/v1/checks/nothing").status, 404, "results are behind their names");
}
