//! Tests of MTA-STS (RFC 8461 §3.1, §3.2, §3.3, §4.1, §5), with the vectors of other projects.

use super::*;
use crate::finding::Code;
use crate::name::DomainName;
use crate::observation::{Observation, Reason};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use serde_json::Value;

fn rows(text: &str) -> Vec<Value> {
    serde_json::from_str(text).unwrap()
}

fn codes(codes: &[Code]) -> Vec<&str> {
    codes.iter().map(|code| code.as_str()).collect()
}

#[test]
fn checkdmarc_records_hold() {
    let rows = rows(include_str!("../../vectors/mta-sts/checkdmarc-records.json"));
    assert_eq!(rows.len(), 4);
    for row in rows {
        let parse = parse_record(row["record"].as_str().unwrap());
        assert_eq!(Some(parse.valid()), row["valid"].as_bool(), "{row} {parse:?}");
    }
}

#[test]
fn snawoot_records_hold() {
    let rows = rows(include_str!("../../vectors/mta-sts/snawoot-records.json"));
    assert_eq!(rows.len(), 9);
    for row in rows {
        let text = row["record"].as_str().unwrap();
        let parse = parse_record(text);
        let tags: serde_json::Map<String, Value> =
            parse.tags.iter().map(|(name, value)| (name.clone(), value.clone().into())).collect();
        assert_eq!(Value::from(tags.clone()), row["tags"], "{row}");
        // The grammar has no empty fields, so `;;;` is refused although its tags can be read.
        assert_eq!(parse.valid(), !tags.is_empty() && !text.ends_with(";;;"), "{row} {parse:?}");
    }
}

#[test]
fn checkdmarc_policies_hold() {
    let rows = rows(include_str!("../../vectors/mta-sts/checkdmarc-policies.json"));
    assert_eq!(rows.len(), 13);
    for row in rows {
        let parse = parse_policy(row["policy"].as_str().unwrap().as_bytes());
        // Where a row carries `conflict`, RFC 8461 §3.2 accepts what checkdmarc rejects.
        let right = row["valid"] == true || row.get("conflict").is_some();
        assert_eq!(parse.valid(), right, "{row} {parse:?}");
    }
}

#[test]
fn snawoot_content_types_hold() {
    let rows = rows(include_str!("../../vectors/mta-sts/snawoot-content-types.json"));
    assert_eq!(rows.len(), 11);
    for row in rows {
        let accepted = content_type_acceptable(row["content_type"].as_str().unwrap());
        assert_eq!(Some(accepted), row["acceptable"].as_bool(), "{row}");
    }
    assert!(!content_type_acceptable(""));
}

#[test]
fn records_are_read_by_the_grammar() {
    let id_33 = format!("v=STSv1; id={}", "1".repeat(33));
    let id_32 = format!("v=STSv1; id={}", "1".repeat(32));
    let name_33 = format!("v=STSv1; id=1; {}=1", "a".repeat(33));
    let too_long = format!("v=STSv1; id=1; a={}", "1".repeat(9_000));
    let (syntax, id, fine): (&[&str], &[&str], &[&str]) =
        (&["sts-record-syntax"], &["sts-id-invalid"], &[]);
    let cases = [
        ("v=STSv1;id=1", fine),
        ("v=STSv1\t;\t id=aZ09 ; ", fine),
        ("v=STSv1; a.b_c-d=x:y<z; id=1;", fine),
        ("v=STSv1; id=1; ext=a; ext=b", fine),
        (id_32.as_str(), fine),
        ("v=STSv1", syntax),
        ("v=STSv1;", syntax),
        ("v=stsv1; id=1", syntax),
        ("V=STSv1; id=1", syntax),
        ("v=STSv2; id=1", syntax),
        ("v=STSv10; id=1", syntax),
        (" v=STSv1; id=1", syntax),
        ("id=1; v=STSv1", syntax),
        ("v=STSv1 id=1", syntax),
        ("v=STSv1,id=1", syntax),
        ("v=STSv1;; id=1", syntax),
        ("v=STSv1; id=1;;", syntax),
        ("v=STSv1; ID=1", syntax),
        ("v=STSv1; id", syntax),
        ("v=STSv1; id =1", syntax),
        ("v=STSv1; id= 1", syntax),
        ("v=STSv1; id=1 2", syntax),
        ("v=STSv1; id=\"1\u{fc}\"", syntax),
        ("v=STSv1; id=1; id=1", syntax),
        ("v=STSv1; id=1; ext=", syntax),
        ("v=STSv1; id=1; ext=a b", syntax),
        ("v=STSv1; id=1; ext=a=b", syntax),
        ("v=STSv1; id=1; .ext=a", syntax),
        ("v=STSv1; id=1; mode: enforce", syntax),
        (name_33.as_str(), syntax),
        (too_long.as_str(), syntax),
        ("v=STSv1; id=", id),
        ("v=STSv1; id=2026-01-15", id),
        ("v=STSv1; id=20260115T12:00", id),
        ("v=STSv1; id=a_b", id),
        ("v=STSv1; id=\"1\"", id),
        (id_33.as_str(), id),
    ];
    for (text, expected) in cases {
        let parse = parse_record(text);
        assert_eq!(codes(&parse.codes()), expected, "{text:?} {parse:?}");
        assert_eq!(parse.valid(), expected.is_empty(), "{text:?}");
    }
    let parse = parse_record("v=STSv1; b=2; id=1; b=3");
    let record = parse.record.unwrap();
    assert_eq!((record.id.as_str(), record.extensions), ("1", vec![("b".into(), "2".into())]));
    assert_eq!(parse.warnings.len(), 2);
}

#[test]
fn every_error_is_reported() {
    let parse = parse_record("v=stsv1;; nonsense; id=a-b; id=2");
    let kinds: Vec<String> = parse.errors.iter().map(ToString::to_string).collect();
    assert_eq!(
        kinds,
        [
            "record starts with \"v=stsv1\", not with v=STSv1;",
            "empty field between two semicolons",
            "field \"nonsense\" is not name=value of the allowed characters",
            "id is given more than once",
            "id \"a-b\" is not 1 to 32 letters or digits",
        ]
    );
    assert_eq!(codes(&parse.codes()), ["sts-record-syntax", "sts-id-invalid"]);
}

#[test]
fn record_sets_are_judged() {
    let good = "v=STSv1; id=1";
    let cases: [(&[&str], &[&str]); 17] = [
        (&[good], &[]),
        (&["v=spf1 -all", good, "google-site-verification=x"], &[]),
        // What does not start with `v=STSv1;` is dropped, near miss or not.
        (&["v=stsv1; id=2", good], &[]),
        (&[], &["sts-none"]),
        (&["v=spf1 -all"], &["sts-none"]),
        (&["stsomething"], &["sts-none"]),
        (&[good, "v=STSv1; id=2"], &["sts-record-multiple"]),
        (&[good, "v=STSv1;"], &["sts-record-multiple"]),
        (&["v=STSv1;"], &["sts-record-syntax"]),
        (&["v=STSv1; id=a-b"], &["sts-id-invalid"]),
        (&["v=stsv1; id=1"], &["sts-record-syntax"]),
        (&["STSv1; id=1"], &["sts-record-syntax"]),
        (&["\"v=STSv1; id=1\""], &["sts-record-syntax"]),
        (&["v=STSv1 id=1"], &["sts-record-syntax"]),
        (&["v=STSv1 ; id=1"], &["sts-record-syntax"]),
        (&[" v=STSv1; id=1"], &["sts-record-syntax"]),
        (&["version: STSv1\nmode: enforce"], &["sts-record-syntax"]),
    ];
    for (texts, expected) in cases {
        let set = RecordSet::evaluate(texts);
        assert_eq!(codes(&set.codes()), expected, "{texts:?}");
        assert_eq!(set.record().is_some(), expected.is_empty(), "{texts:?}");
    }
}

/// A valid policy with one part replaced.
fn policy(from: &str, to: &str) -> Vec<u8> {
    let whole = "version: STSv1\nmode: enforce\nmx: mx.example.test\nmax_age: 604800\n";
    assert!(whole.contains(from));
    whole.replacen(from, to, 1).into_bytes()
}

#[test]
fn policies_are_read() {
    let parse = parse_policy(&policy("mx:", "mx:*.Example.TEST \nnote: a \u{fc}b\nmx:"));
    assert!(parse.valid(), "{parse:?}");
    assert_eq!(parse.mx, ["*.Example.TEST", "mx.example.test"]);
    assert_eq!(parse.extensions, [("note".to_owned(), "a \u{fc}b".to_owned())]);
    let policy = parse.policy.unwrap();
    let shown: Vec<String> = policy.mx.iter().map(ToString::to_string).collect();
    assert_eq!(shown, ["*.example.test", "mx.example.test"]);
    assert_eq!((policy.mode, policy.max_age_s), (Mode::Enforce, 604_800));
}

#[test]
fn policy_faults_get_their_codes() {
    let p = policy;
    let syntax: &[&str] = &["sts-policy-syntax"];
    let cases: Vec<(Vec<u8>, &[&str])> = vec![
        (p("mode: enforce", "mode:enforce"), &[]),
        (p("mode: enforce", "mode:\t enforce \t"), &[]),
        (p("mode: enforce", "mode: none"), &[]),
        (p("mx: mx.example.test\n", ""), &["sts-mx-missing"]),
        (p("enforce\nmx: mx.example.test\n", "none\n"), &[]),
        (p("604800", "31557600"), &[]),
        (p("604800", "0"), &[]),
        (p("604800\n", "604800"), &[]),
        (p("604800\n", "604800\n\n \n"), &[]),
        (p("version", "\nversion"), &[]),
        (p("mode: enforce", "mode: enforce\nmode: bogus\nversion: STSv2"), &[]),
        (p("604800", "31557601"), &["sts-max-age-invalid"]),
        (p("604800", "99999999999"), &["sts-max-age-invalid"]),
        (p("604800", "1 week"), &["sts-max-age-invalid"]),
        (p("604800", "+1"), &["sts-max-age-invalid"]),
        (p("max_age: 604800\n", ""), syntax),
        (p("version: STSv1\n", ""), syntax),
        (p("STSv1", "stsv1"), syntax),
        (p("version", "Version"), syntax),
        (p("mode: enforce\n", ""), syntax),
        (p("enforce", "Enforce"), syntax),
        (p("mode: enforce", "mode=enforce"), syntax),
        (p("mode: enforce", "mode : enforce"), syntax),
        (p("mode: enforce", " mode: enforce"), syntax),
        (p("mode: enforce", "mode: enforce\nnote:"), syntax),
        (p("mode: enforce", "mode: enforce\nnote: a\u{7}"), syntax),
        (p("mx.example.test", "a.example.test, b.example.test"), syntax),
        (p("mx.example.test", "mx*.example.test"), &["sts-mx-pattern-invalid"]),
        (p("mx.example.test", "192.0.2.1"), &["sts-mx-pattern-invalid"]),
        (p("version", "\u{feff}version"), &["sts-encoding"]),
        (p("enforce\n", "enforce\r"), &["sts-encoding"]),
        (p("604800\n", "604800\r"), &["sts-encoding"]),
        (b"\xff\xfev\0e\0r\0".to_vec(), &["sts-encoding"]),
        (b"v\0e\0r\0".to_vec(), &["sts-encoding"]),
        (
            [p("version", "version"), b"note: \xff\n".to_vec()].concat(),
            &["sts-encoding", "sts-policy-syntax"],
        ),
        (vec![b'a'; 65_537], &["sts-oversize"]),
        (Vec::new(), syntax),
        (b"<!DOCTYPE html>\n<p>".to_vec(), syntax),
    ];
    for (octets, expected) in cases {
        let parse = parse_policy(&octets);
        let text = String::from_utf8_lossy(octets.get(..200).unwrap_or(&octets));
        assert_eq!(codes(&parse.codes()), expected, "{text:?} {:?}", parse.errors);
        let capped = matches!(parse.errors.as_slice(), [PolicyError::MaxAgeOverCap(_)]);
        assert_eq!(parse.policy.is_some(), parse.valid() || capped, "{text:?}");
    }
    let capped = parse_policy(&policy("604800", "99999999"));
    assert_eq!(capped.max_age_s, Some(99_999_999));
    assert_eq!(capped.policy.unwrap().max_age_s, 31_557_600);
}

#[test]
fn all_faults_of_a_policy_are_found() {
    let text =
        "version = STSv1\r\nmode: maybe\r\nmx: *.*.test\r\nmx: mx.test:25\r\nmax_age: 1d\r\n";
    let parse = parse_policy(text.as_bytes());
    let shown: Vec<String> = parse.errors.iter().map(ToString::to_string).collect();
    assert_eq!(
        shown,
        [
            "line 1: = instead of :: \"version = STSv1\"",
            "line 3: mx \"*.*.test\": * must be the whole first label",
            "line 4: mx \"mx.test:25\": a port does not belong here",
            "version is missing",
            "mode \"maybe\" is not enforce, testing or none",
            "max_age \"1d\" is not a number of 1 to 10 digits",
        ]
    );
}

#[test]
fn policy_warnings_are_kept() {
    let text = "version: STSv1\n\nmode: none\nmode: none\nMx: a.test\nmx: a.test\nmx: A.test\nx: 1\n\
                x: 2\nmax_age: 1\n";
    let parse = parse_policy(text.as_bytes());
    let shown: Vec<String> = parse.warnings.iter().map(ToString::to_string).collect();
    assert_eq!(
        shown,
        [
            "line 2 is empty",
            "mode is given more than once, only the first counts",
            "\"Mx\" must be written in lower case",
            "mx a.test is given more than once",
            "x is not defined",
            "x is given more than once, only the first counts",
        ]
    );
}

#[test]
fn patterns_parse_or_name_the_mistake() {
    use MxPatternError as E;
    let cases = [
        ("mx.example.test", None),
        ("*.example.test", None),
        ("*.test", None),
        ("mail", None),
        ("xn--bcher-kva.example", None),
        ("", Some(E::Name)),
        ("*", Some(E::Wildcard)),
        ("*.", Some(E::Name)),
        ("*.*.test", Some(E::Wildcard)),
        ("mx.*.test", Some(E::Wildcard)),
        ("mx*.test", Some(E::Wildcard)),
        ("*mx.test", Some(E::Wildcard)),
        (".example.test", Some(E::Name)),
        ("mx_1.test", Some(E::Name)),
        ("-mx.test", Some(E::Name)),
        ("mx.test.", Some(E::TrailingDot)),
        ("b\u{fc}cher.example", Some(E::ULabel)),
        ("192.0.2.1", Some(E::Address)),
        ("[192.0.2.1]", Some(E::Address)),
        ("2001:db8::1", Some(E::Address)),
        ("mx.test:25", Some(E::Port)),
        ("https://mx.test/", Some(E::Url)),
        ("a@mx.test", Some(E::Url)),
        ("a.test,b.test", Some(E::Comma)),
        ("a.test b.test", Some(E::Comma)),
    ];
    for (text, expected) in cases {
        assert_eq!(MxPattern::parse(text).err(), expected, "{text:?}");
    }
}

#[test]
fn patterns_match_one_label_only() {
    let cases = [
        ("mx.example.test", "mx.example.test", true),
        ("MX.Example.Test", "mx.EXAMPLE.test.", true),
        ("mx.example.test", "a.mx.example.test", false),
        ("*.example.test", "mx.example.test", true),
        ("*.example.test", "example.test", false),
        ("*.example.test", "a.mx.example.test", false),
        ("*.example.test", "mxexample.test", false),
        ("*.xn--bcher-kva.example", "mx.b\u{fc}cher.example", true),
    ];
    for (pattern, mx, expected) in cases {
        let matches = MxPattern::parse(pattern).unwrap().matches(&DomainName::parse(mx).unwrap());
        assert_eq!(matches, expected, "{pattern} {mx}");
    }
}

fn enforce(mode: &str) -> Policy {
    parse_policy(&policy("enforce", mode)).policy.unwrap()
}

#[test]
fn one_host_is_decided() {
    use Observation::{NotObserved, Observed};
    let listed = DomainName::parse("mx.example.test").unwrap();
    let other = DomainName::parse("other.example.test").unwrap();
    let session = |starttls, certificate_valid| SessionEvidence { starttls, certificate_valid };
    let good = session(Observed(true), Observed(true));
    let clear = session(Observed(false), NotObserved(Reason::EarlierStageFailed));
    let expired = session(Observed(true), Observed(false));
    let unseen = session(NotObserved(Reason::TimedOut), NotObserved(Reason::EarlierStageFailed));
    let (strict, testing) = (enforce("enforce"), enforce("testing"));
    let unreachable = PolicyDecision::TreatAsUnreachable;
    let cases = [
        (&strict, &listed, &good, PolicyDecision::Deliver),
        (&strict, &other, &good, unreachable(vec![Miss::NotListed])),
        (&strict, &listed, &clear, unreachable(vec![Miss::Starttls])),
        (&strict, &listed, &expired, unreachable(vec![Miss::Certificate])),
        (&strict, &other, &expired, unreachable(vec![Miss::NotListed, Miss::Certificate])),
        (&strict, &listed, &unseen, PolicyDecision::Undecided(Reason::TimedOut)),
        (&strict, &other, &unseen, unreachable(vec![Miss::NotListed])),
        (&testing, &listed, &good, PolicyDecision::Deliver),
        (&testing, &listed, &clear, PolicyDecision::DeliverAndReport(vec![Miss::Starttls])),
        (&enforce("none"), &other, &clear, PolicyDecision::WithoutPolicy),
    ];
    for (policy, mx, session, expected) in cases {
        assert_eq!(decide(Some(policy), mx, session), expected, "{policy:?} {mx} {session:?}");
    }
    assert_eq!(decide(None, &listed, &good), PolicyDecision::WithoutPolicy);
}

#[test]
fn a_cached_policy_lives_until_its_end() {
    let fetched: Timestamp = "2026-11-01T00:00:00Z".parse().unwrap();
    let after = |seconds| fetched + SignedDuration::from_secs(seconds);
    let id = |text| PolicyId::parse(text).unwrap();
    let entry = CachedPolicy { id: id("1"), policy: enforce("enforce"), fetched };
    assert!(entry.is_fresh(after(604_799)) && !entry.is_fresh(after(604_800)));
    assert_eq!(entry.refresh_due(), after(86_400));
    let steps = [
        (None, 0, FetchStep::UseCached),
        (Some("1"), 0, FetchStep::UseCached),
        (Some("2"), 0, FetchStep::Fetch),
        (None, 604_800, FetchStep::NoPolicy),
        (Some("1"), 604_800, FetchStep::Fetch),
    ];
    for (record, seconds, expected) in steps {
        let record = record.map(id);
        let step = next_step(Some(&entry), record.as_ref(), after(seconds));
        assert_eq!(step, expected, "{record:?} {seconds}");
    }
    assert_eq!(next_step(None, None, fetched), FetchStep::NoPolicy);
    assert!(!retry_allowed(fetched, after(299)) && retry_allowed(fetched, after(300)));
    let short = CachedPolicy { policy: Policy { max_age_s: 60, ..entry.policy.clone() }, ..entry };
    assert_eq!(short.refresh_due(), after(30));
    let far = CachedPolicy { fetched: Timestamp::MAX, ..short };
    assert_eq!(far.expires(), Timestamp::MAX);
}

proptest! {
    #[test]
    fn any_text_is_read_without_panic(text in any::<String>(), octets in any::<Vec<u8>>()) {
        let _ = parse_record(&text);
        let _ = parse_record(&format!("v=STSv1;{text}"));
        let _ = RecordSet::evaluate([&text]);
        let _ = parse_policy(&octets);
        let _ = MxPattern::parse(&text);
    }

    #[test]
    fn any_grammatical_record_is_valid(id in "[A-Za-z0-9]{1,32}", gap in "[ \t]{0,3}", end in ";?") {
        let parse = parse_record(&format!("v=STSv1{gap};{gap}id={id}{gap}{end}{gap}"));
        prop_assert_eq!(parse.record.map(|record| record.id.to_string()), Some(id));
    }

    #[test]
    fn line_ends_do_not_matter(line in "[ -~]{0,30}") {
        let with = |end: &str| parse_policy(format!("mode: none{end}{line}{end}max_age: 1{end}").as_bytes());
        prop_assert_eq!(with("\n"), with("\r\n"));
    }
}
