//! `/api/v1` over real HTTP: checks in a lab, the catalogue, problem documents, and the same results as on the
//! command line.

use crate::program::run;
use crate::site::Running;
use serde_json::{Value, json};

/// Begins a check, follows it to its end and gets it.
fn checked(site: &Running, domain: &str) -> (String, String, Value) {
    let (answer, begun) =
        site.json("POST", "/api/v1/checks", &json!({ "domain": domain }).to_string());
    assert_eq!(answer.status, 202, "{answer:?}");
    let id = begun["id"].as_str().unwrap().to_owned();
    assert_eq!(answer.headers["location"], format!("/api/v1/checks/{id}"));
    let events = site.get(&format!("/api/v1/checks/{id}/events"));
    assert!(events.body.trim_end().ends_with("event: end\ndata: {}"), "{}", events.body);
    let (_, check) = site.json("GET", &format!("/api/v1/checks/{id}"), "");
    assert_eq!(check["status"], "done", "{check}");
    (id, begun["owner"].as_str().unwrap().to_owned(), check["report"].clone())
}

fn told(report: &Value) -> Vec<(String, String, String)> {
    let text = |finding: &Value, key: &str| finding[key].as_str().unwrap().to_owned();
    let findings = report["findings"].as_array().unwrap().iter();
    findings.map(|each| (text(each, "code"), text(each, "owner"), text(each, "guide"))).collect()
}

#[test]
fn a_check_says_the_same_as_on_the_command_line() {
    let site = Running::start(&["lab", "serve"]);
    for domain in [
        "healthy-one-mx.test",
        "cert-expired.test",
        "starttls-not-advertised.test",
        "dns-null-mx.test",
        "sts-mx-not-listed.test",
    ] {
        let (id, _, report) = checked(&site, domain);
        let said = run(&["lab", "exec", "--", "check", "--json", domain]).json();
        assert_eq!(told(&report), told(&said), "{domain}");
        assert_eq!(report["verdict"], said["verdict"], "{domain}");
        let page = site.get(&format!("/results/{id}")).body;
        for (code, _, guide) in told(&report) {
            assert!(page.contains(&format!("/guides/findings/{code}")), "{domain}: {code}");
            assert!(page.contains(&format!("href=\"/guides/{guide}\"")), "{domain}: {guide}");
        }
    }
}

#[test]
fn a_result_is_deleted_with_its_own_secret_only() {
    let site = Running::start(&["lab", "serve"]);
    let (id, owner, _) = checked(&site, "healthy-one-mx.test");
    let address = format!("/api/v1/checks/{id}");
    let delete = |owner: &str| {
        let host = &site.address;
        site.send(&format!(
            "DELETE {address} HTTP/1.1\r\nHost: {host}\r\nWaxseal-Owner: {owner}\r\n\
             Connection: close\r\n\r\n"
        ))
    };
    assert_eq!(delete(&id).status, 404);
    assert_eq!(delete(&owner).status, 204);
    assert_eq!(site.json("GET", &address, "").0.status, 404);
}

#[test]
fn a_refusal_is_a_problem_document() {
    let site = Running::start(&["lab", "serve"]);
    for (body, status, code, words) in [
        ("{\"domain\": 7}", 422, "bad-body", "domain"),
        ("{\"domain\": \"a.test\", \"prot\": 25}", 422, "bad-body", "prot"),
        ("{\"domain\": \"a.test\", \"port\": 99999}", 422, "bad-body", "port"),
        ("{\"domain\": \"a.test\", \"port\": 22}", 422, "port", "25, 465 or 587"),
        ("{\"domain\": \"not a domain\"}", 422, "input-domain-syntax", "guides/findings"),
        ("{", 400, "bad-body", "body"),
    ] {
        let (answer, problem) = site.json("POST", "/api/v1/checks", body);
        assert_eq!((answer.status, &problem["code"]), (status, &code.into()), "{body}: {answer:?}");
        assert_eq!(answer.headers["content-type"], "application/problem+json");
        assert_eq!(problem["status"], status);
        assert!(answer.body.contains(words), "{body}: {}", answer.body);
        assert!(problem.get("hint").is_some() && problem.get("guide").is_some());
    }
    for path in ["/api/v1/checks/nothing", "/api/v1/guides/nothing", "/api/v1/nothing", "/api/x"] {
        let (answer, problem) = site.json("GET", path, "");
        assert_eq!((answer.status, &problem["code"]), (404, &"not-found".into()), "{path}");
    }
    let closed = Running::start(&["serve"]);
    let (answer, problem) = closed.json("POST", "/api/v1/checks", "{\"domain\": \"a.test\"}");
    assert_eq!((answer.status, &problem["code"]), (401, &"token-needed".into()));
}

#[test]
fn the_catalogue_and_the_description_are_served() {
    let site = Running::start(&["serve"]);
    let get = |path: &str| {
        let (answer, value) = site.json("GET", path, "");
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        value
    };
    let said = run(&["presets", "--json"]).json();
    assert_eq!(get("/api/v1/presets"), said);
    assert_eq!(get("/api/v1/presets/postmark")["name"], "postmark");
    let guides = get("/api/v1/guides");
    let names: Vec<&str> =
        guides["guides"].as_array().unwrap().iter().map(|g| g["name"].as_str().unwrap()).collect();
    assert!(names.contains(&"tls"), "{names:?}");
    assert!(get("/api/v1/guides/tls")["markdown"].as_str().unwrap().starts_with("# "));
    let finding = get("/api/v1/findings/cert-expired");
    assert_eq!(finding["cases"][0]["severity"], "fail", "{finding}");
    assert!(get("/api/v1/findings")["findings"].as_array().unwrap().len() > 100);
    let described = get("/api/v1/openapi.json");
    assert_eq!(described["openapi"], "3.1.0");
    assert!(described["paths"]["/api/v1/checks/{id}/events"]["get"].is_object());
}
