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
