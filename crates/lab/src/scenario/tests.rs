//! Tests of reading scenario files.

use super::*;

const HEAD: &str = "title = 't'\nkind = 'fault'\nmust = ['tcp-refused']\n";

#[test]
fn placeholders_are_filled() {
    let text = format!(
        "{HEAD}input = 'user@{{domain}}'\n[[host]]\nname = 'mx$'\ncopies = 2\n\
         [[host.smtp]]\ngreeting = '220 {{host}}'\ntls.certificate.names = ['{{host}}', 'x.{{domain}}']\n"
    );
    let scenario = Scenario::parse("tcp/some-name", &text).unwrap();
    assert_eq!((scenario.name.as_str(), scenario.area.as_str()), ("some-name", "tcp"));
    assert_eq!(scenario.input(), "user@some-name.test");
    let names: Vec<&str> = scenario.hosts.iter().map(|host| host.name.as_str()).collect();
    assert_eq!(names, ["mx1", "mx2"]);
    let server = &scenario.hosts[1].smtp[0];
    let greeting = crate::smtp_server::Action::Text("220 mx2.some-name.test".into());
    assert_eq!(server.greeting, Some(greeting));
    assert_eq!(server.tls.certificate.names, ["mx2.some-name.test", "x.some-name.test"]);
}

#[test]
fn mistakes_name_file_and_field() {
    let cases = [
        ("titel = 'x'", "titel"),
        ("[options]\nexpectmx = []", "expectmx"),
        ("[[host]]\nname = 'mx1'\nmxx = 1", "mxx"),
        ("[[host]]\nname = 'mx1'\n[[host.smtp]]\ngreeeting = 'x'", "greeeting"),
        ("[[host]]\nname = 'mx1'\n[[host.smtp]]\ntls.certificate.key = 'rsa'", "rsa"),
        ("[[host]]\nname = 'mx1'\n[[host.smtp]]\non = [1]", "on = [1]"),
        ("[[host]]\nname = 'mx1'\nsame_address_as = 'mx9'", "mx9"),
        ("must_not = ['tcp-refused']", "tcp-refused"),
        ("[owner]\ntcp-timeout = 'receiver'", "tcp-timeout"),
        ("[dns]\nfaults = []", "faults"),
        ("[sts]\nmodee = 'x'", "modee"),
    ];
    for (text, field) in cases {
        let error = Scenario::parse("tcp/x", &format!("{HEAD}{text}\n")).unwrap_err().to_string();
        assert!(error.contains("tcp/x") && error.contains(field), "{error}");
    }
    let error = Scenario::parse("tcp/x", "title = 't'\nkind = 'fault'\n").unwrap_err();
    assert!(error.to_string().contains("must"), "{error}");
}

/// Every field and every variant that the README names; a field that no longer reads fails here.
#[test]
fn every_documented_field_reads() {
    let text = include_str!("every_field.toml");
    let scenario = Scenario::parse("script/all", text).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(scenario.hosts[0].smtp[0].tls.script[0].then.len(), 15);
    assert_eq!(scenario.dns.zones[0].name, "other-of-all.test");
    let readme = include_str!("../../scenarios/README.md");
    let keys = text.lines().filter_map(|line| line.split_once(" = ")).map(|(key, _)| key.trim());
    for key in
        keys.filter(|key| key.chars().all(|letter| letter.is_ascii_lowercase() || letter == '_'))
    {
        assert!(readme.contains(key), "the README says nothing about {key}");
    }
}

#[test]
fn an_attempt_is_filled_and_judged() {
    let head = "title = 't'\nkind = 'fault'\n[submission]\n";
    let text = format!("{head}first = 'tcp-refused'\nowner = 'app'\nmust = ['tcp-timeout']\n");
    let scenario = Scenario::parse("send/a", &text).unwrap();
    let attempt = scenario.submission.as_ref().unwrap();
    assert_eq!((attempt.host(), attempt.port.as_str()), ("smtp.a.test", "587"));
    assert_eq!((attempt.user(), attempt.to()), (Some("sender@a.test"), "recipient@a.test"));
    assert_eq!(scenario.expected_codes().collect::<Vec<_>>(), ["tcp-refused", "tcp-timeout"]);
    for (text, field) in [
        ("must = ['tcp-refused']", "first"),
        ("first = 'tcp-refused'", "owner"),
        ("first = 'tcp-refused'\nowner = 'app'\nmode = 'auto'", "mode"),
        ("first = 'tcp-refused'\nowner = 'app'\nmust_not = ['tcp-refused']", "must_not"),
        ("first = 'tcp-refused'\nowner = 'app'\nusername = ''", "username"),
    ] {
        let error = Scenario::parse("send/a", &format!("{head}{text}\n")).unwrap_err().to_string();
        assert!(error.contains(field), "{error}");
    }
    let both =
        "title = 't'\nkind = 'fault'\nmust = ['x']\n[submission]\nfirst = 'x'\nowner = 'app'\n";
    assert!(Scenario::parse("send/a", both).is_err());
}

#[test]
fn an_attempt_over_an_interface_fits_its_account() {
    let head = "title = 't'\nkind = 'fault'\n[[service]]\nservice = 'mailgun'\nregion = 'eu'\nkey = 'k'\n[api]\n";
    let good = "first = 'api-sandbox'\nowner = 'provider'\nmust = ['cert-expired']\n";
    let scenario = Scenario::parse("api/a", &format!("{head}{good}")).unwrap();
    let attempt = scenario.api.as_ref().unwrap();
    let plain: Vec<(&str, &str)> =
        attempt.settings.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(plain, [("domain", "a.test"), ("region", "eu")]);
    assert_eq!(attempt.secrets.get("api-key").map(String::as_str), Some("k"));
    assert_eq!(attempt.message.from(), "news@a.test");
    assert_eq!(scenario.expected_codes().collect::<Vec<_>>(), ["api-sandbox", "cert-expired"]);
    for (text, field) in [
        ("must = ['api-sandbox']", "first"),
        ("first = 'api-sandbox'", "owner"),
        ("first = 'x'\nowner = 'app'\ntimes = 0", "times"),
        ("first = 'x'\nowner = 'app'\nmust_not = ['x']", "must_not"),
        ("first = 'x'\nowner = 'app'\nkey = ''", "key"),
    ] {
        let error = Scenario::parse("api/a", &format!("{head}{text}\n")).unwrap_err().to_string();
        assert!(error.contains(field), "{error}");
    }
    let alone = "title = 't'\nkind = 'fault'\n[api]\nfirst = 'x'\nowner = 'app'\n";
    assert!(Scenario::parse("api/a", alone).unwrap_err().to_string().contains("service"));
}

/// Every field of `[api]` that the README names.
#[test]
fn every_documented_field_of_an_attempt_over_an_interface_reads() {
    let readme = include_str!("../../scenarios/README.md");
    let part = readme.split("```toml\n[api]\n").nth(1).unwrap();
    let part = part.split("```").next().unwrap();
    let text = format!("title = 't'\nkind = 'fault'\n[api]\n{part}");
    let oneline = text.replace(",\n", ",");
    let scenario = Scenario::parse("api/a", &oneline).unwrap_or_else(|error| panic!("{error}"));
    let attempt = scenario.api.unwrap();
    assert_eq!(attempt.outcome.as_deref(), Some("rejected"));
    assert_eq!(attempt.then.unwrap().subject, "Another");
}

/// Every field of `[submission]` that the README names.
#[test]
fn every_documented_field_of_an_attempt_reads() {
    let text = "title = 't'\nkind = 'fault'\n[submission]\nhost = 'x'\nport = '1'\nmode = 'none'\n\
        user = ''\npassword = 'p'\ntoken = 't'\ntrust = 'other-key'\nleast_tls = '1.3'\n\
        ehlo_name = 'x'\nfrom = 'a'\nto = 'b'\nrequire_tls = true\npadding = 1\n\
        first = 'x'\nowner = 'app'\nseverity = 'fail'\nmust = []\nmust_not = []\n\
        outcome = 'accepted'\n";
    let scenario = Scenario::parse("send/a", text).unwrap();
    assert_eq!(scenario.submission.unwrap().user(), None);
    let readme = include_str!("../../scenarios/README.md");
    let part = readme.split("[submission]\n").nth(1).unwrap();
    for key in text.lines().skip(3).filter_map(|line| line.split_once(" = ")).map(|(key, _)| key) {
        assert!(part.contains(&format!("\n{key} = ")) || part.starts_with(key), "{key}");
    }
}
