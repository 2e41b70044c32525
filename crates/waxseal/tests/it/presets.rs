//! `waxseal presets`: the list, one row, and names that nobody has.

use super::program::run;
use serde_json::json;

#[test]
fn all_are_listed() {
    let said = run(&["presets", "--json"]);
    let value = said.is_calm().json();
    let rows = value["presets"].as_array().unwrap();
    assert!(said.status == 0 && rows.len() >= 50, "{}", rows.len());
    let text = run(&["presets"]);
    assert_eq!(text.is_calm().status, 0);
    for row in rows {
        assert!(row["documentation"].as_str().unwrap().starts_with("https://"), "{row}");
        let name = row["name"].as_str().unwrap();
        assert!(text.stdout.lines().any(|line| line.starts_with(&format!("{name} "))), "{name}");
    }
}

#[test]
fn one_is_shown() {
    let said = run(&["presets", "sendgrid", "--json"]);
    let expected = json!({
        "name": "sendgrid", "title": "Twilio SendGrid",
        "hosts": ["smtp.sendgrid.net", "smtp.eu.sendgrid.net"],
        "port": 465, "mode": "tls",
        "alternatives": [{"port": 587, "mode": "starttls"}, {"port": 2525, "mode": "starttls"},
            {"port": 25, "mode": "starttls"}],
        "sign_in": ["key"], "user_name": "fixed", "user_name_fixed": "apikey",
        "clear_text": "accepted", "limits": [], "messages_per_connection_max": 5000,
        "idle_s_max": null, "cautions": ["data-centre"], "api": "sendgrid",
        "documentation": "https://www.twilio.com/docs/sendgrid/for-developers/sending-email/integrating-with-the-smtp-api",
        "evidence": "official"
    });
    assert_eq!((said.json(), said.status), (expected, 0));
    let text = run(&["presets", "sendgrid"]);
    for words in ["fixed (apikey)", "2525 starttls", "smtp.eu.sendgrid.net"] {
        assert!(text.is_calm().stdout.contains(words), "{text:?}");
    }
}

#[test]
fn an_unknown_name_gets_near_ones() {
    for (typed, near) in [
        ("sendgird", "near names: sendgrid"),
        ("Postmark", "near names: postmark"),
        ("smtp.sendgrid.net", "near names: sendgrid"),
        ("zzzzzzzzzz", "waxseal presets lists all"),
        ("", "waxseal presets lists all"),
        ("\u{1b}[2J", "waxseal presets lists all"),
    ] {
        let said = run(&["presets", typed]);
        assert_eq!((said.is_calm().status, said.stderr.lines().count()), (2, 1), "{said:?}");
        assert!(said.stderr.contains(near) && said.stdout.is_empty(), "{said:?}");
    }
}
