//! `waxseal token`: made, listed and revoked; the text is shown once and stands in no file.

use crate::program::{Said, finish, program};
use crate::site::Running;
use serde_json::Value;

fn token(site: &Running, arguments: &[&str]) -> Said {
    let mut command = program();
    command.arg("token").args(arguments).args(["--data", site.data_folder().to_str().unwrap()]);
    finish(&mut command, b"")
}

fn listed(site: &Running) -> Value {
    token(site, &["list", "--json"]).json()["tokens"].clone()
}

#[test]
fn a_token_is_shown_once_and_ends_when_it_is_revoked() {
    let site = Running::start(&["serve"]);
    let made = token(&site, &["create", "--name", "build", "--scope", "check", "--scope", "read"]);
    assert_eq!(made.status, 0, "{made:?}");
    let text = made.stdout.trim();
    assert!(text.starts_with("wxs_") && made.stdout.lines().count() == 1, "{made:?}");
    assert!(made.stderr.contains("shown this once") && !made.stderr.contains(text));

    let found = listed(&site);
    assert_eq!(found[0]["name"], "build");
    assert_eq!(found[0]["scopes"], serde_json::json!(["read", "check"]));
    assert_eq!((&found[0]["expired"], &found[0]["last_used_at"]), (&false.into(), &Value::Null));
    assert!(!found.to_string().contains(&text[4..]));
    for file in std::fs::read_dir(site.data_folder()).unwrap() {
        let octets = std::fs::read(file.unwrap().path()).unwrap_or_default();
        assert!(!octets.windows(text.len() - 4).any(|part| part == &text.as_bytes()[4..]));
    }

    let twice = token(&site, &["create", "--name", "build", "--scope", "read"]);
    assert_eq!((twice.status, twice.stderr.lines().count()), (2, 1), "{twice:?}");
    let made = token(
        &site,
        &["create", "--name", "for ever", "--scope", "test-send", "--expires", "never", "--json"],
    )
    .json();
    assert!(made["secret"].as_str().unwrap().starts_with("wxs_"), "{made}");
    assert_eq!(
        (&made["token"]["expires_at"], &made["workspace"]),
        (&Value::Null, &"default".into())
    );
    let text = token(&site, &["list"]).stdout;
    assert!(text.contains("for ever  test-send  no end  never used"), "{text}");

    assert_eq!(token(&site, &["revoke", "build"]).status, 0);
    assert_eq!(listed(&site).as_array().unwrap().len(), 1);
    let again = token(&site, &["revoke", "build"]);
    assert_eq!((again.status, again.stderr.lines().count()), (2, 1), "{again:?}");
}

#[test]
fn what_no_token_can_be_is_refused_in_one_line() {
    let site = Running::start(&["serve"]);
    for (arguments, words) in [
        (&["create", "--name", "x", "--scope", "tokens"][..], "scopes: read, check"),
        (&["create", "--name", "", "--scope", "read"], "name"),
        (&["create", "--name", "x", "--scope", "read", "--expires", "2020-01-01"], "30d"),
        (&["create", "--name", "x", "--scope", "read", "--workspace", "nobody"], "workspace"),
        (&["revoke", "nothing"], "token list"),
    ] {
        let said = token(&site, arguments);
        said.is_calm();
        assert_eq!((said.status, said.stderr.lines().count()), (2, 1), "{said:?}");
        assert!(said.stderr.contains(words), "{said:?}");
    }
    assert_eq!(token(&site, &["create", "--name", "x"]).status, 2, "a token needs a scope");
    assert_eq!(listed(&site), serde_json::json!([]));
}
