//! Tests of the TLS reporting record (RFC 8460 §3).

use super::*;
use crate::finding::Code;
use proptest::prelude::*;

fn codes(codes: &[Code]) -> Vec<&str> {
    codes.iter().map(|code| code.as_str()).collect()
}

#[test]
fn records_are_read_by_the_grammar() {
    let mail = "rua=mailto:tls@example.test";
    let (fine, syntax, scheme): (&[&str], &[&str], &[&str]) =
        (&[], &["rpt-syntax"], &["rpt-rua-scheme"]);
    let cases = [
        (format!("v=TLSRPTv1;{mail}"), fine),
        (format!("v=TLSRPTv1 ; {mail} ; "), fine),
        (format!("v=TLSRPTv1; {mail} , \t https://r.test/x?y=1 "), fine),
        (format!("v=TLSRPTv1; {mail}; {mail}"), fine),
        (format!("v=TLSRPTv1; ext=a/b; {mail};"), fine),
        ("v=TLSRPTv1; rua=MAILTO:a@b.test,HTTPS://R.test".into(), fine),
        ("v=TLSRPTv1; rua=mailto:a%2Cb@b.test".into(), syntax),
        ("v=TLSRPTv1; rua=mailto:a%21b@b.test?subject=x".into(), fine),
        (format!("v=TLSRPTv1;; {mail}"), syntax),
        (format!("v=TLSRPTv1; {mail};;"), syntax),
        (format!("v=tlsrptv1; {mail}"), syntax),
        (format!("v=TLSRPTv2; {mail}"), syntax),
        (format!("v=DMARC1; {mail}"), syntax),
        (format!("{mail}; v=TLSRPTv1"), syntax),
        (format!("v=TLSRPTv1 {mail}"), syntax),
        (format!("v=TLSRPTv1; {mail}; ext="), syntax),
        (format!("v=TLSRPTv1; {mail}; e x=1"), syntax),
        ("v=TLSRPTv1".into(), syntax),
        ("v=TLSRPTv1;".into(), syntax),
        ("v=TLSRPTv1; rua=".into(), syntax),
        ("v=TLSRPTv1; rua= mailto:a@b.test".into(), syntax),
        ("v=TLSRPTv1; RUA=mailto:a@b.test".into(), syntax),
        ("v=TLSRPTv1; rua=mailto:a@b.test,".into(), syntax),
        ("v=TLSRPTv1; rua=mailto:a@b.test!10m".into(), syntax),
        ("v=TLSRPTv1; rua=mailto:a;b@b.test".into(), syntax),
        ("v=TLSRPTv1; rua=mailto:b.test".into(), syntax),
        ("v=TLSRPTv1; rua=mailto:@b.test".into(), syntax),
        ("v=TLSRPTv1; rua=mailto:a@b_c.test".into(), syntax),
        ("v=TLSRPTv1; rua=mailto:a%4".into(), syntax),
        ("v=TLSRPTv1; rua=mailto:a b@b.test".into(), syntax),
        ("v=TLSRPTv1; rua=https:r.test".into(), syntax),
        ("v=TLSRPTv1; rua=https:///x".into(), syntax),
        ("v=TLSRPTv1; rua=https://r.test:0/".into(), syntax),
        ("v=TLSRPTv1; rua=https://r.test:x/".into(), syntax),
        ("v=TLSRPTv1; rua=http://r.test/".into(), scheme),
        ("v=TLSRPTv1; rua=ftp://r.test/".into(), scheme),
        ("v=TLSRPTv1; rua=tls@example.test".into(), scheme),
        ("v=TLSRPTv1; rua=r.test:443".into(), scheme),
        (format!("v=TLSRPTv1; {mail},http://r.test/"), scheme),
        (format!("v=TLSRPTv1; {mail}; a={}", "1".repeat(9_000)), syntax),
    ];
    for (text, expected) in cases {
        let parse = parse_record(&text);
        assert_eq!(codes(&parse.codes()), expected, "{text:?} {:?}", parse.errors);
        assert_eq!(parse.valid(), expected.is_empty(), "{text:?}");
    }
}

#[test]
fn addresses_keep_their_field_and_meaning() {
    let text = "v=TLSRPTv1; rua=mailto:a%2Bx@b.test?subject=y,https://u@[2001:db8::1]:8443/z; \
                rua=https://R.test; x=1";
    let parse = parse_record(text);
    let lists: Vec<usize> = parse.rua.iter().map(Vec::len).collect();
    assert_eq!(lists, [2, 1]);
    assert_eq!(parse.tags, [("v".into(), "TLSRPTv1".into()), ("x".into(), "1".into())]);
    let shown: Vec<String> = parse
        .record
        .unwrap()
        .destinations
        .iter()
        .map(|destination| match destination {
            ReportDestination::Https { host, port } => format!("{host} {port}"),
            ReportDestination::Mailto { address, domain } => format!("{address} {domain}"),
        })
        .collect();
    assert_eq!(shown, ["a+x@b.test b.test", "2001:db8::1 8443", "r.test 443"]);
    assert!(parse.warnings.contains(&RecordWarning::RepeatedRua));
}

#[test]
fn a_foreign_scheme_does_not_spoil_a_good_address() {
    let set = RecordSet::evaluate(["v=TLSRPTv1; rua=mailto:a@b.test,http://r.test/"]);
    assert_eq!(set.record().unwrap().destinations.len(), 1);
    assert_eq!(codes(&set.codes()), ["rpt-rua-scheme"]);
    let none = RecordSet::evaluate(["v=TLSRPTv1; rua=http://r.test/"]);
    assert_eq!(none.record(), None);
}

#[test]
fn record_sets_are_judged() {
    let good = "v=TLSRPTv1; rua=mailto:a@b.test";
    let cases: [(&[&str], &[&str]); 9] = [
        (&[good], &[]),
        (&["v=spf1 -all", good, "v=tlsrptv1; rua=mailto:x@b.test"], &[]),
        (&[], &["rpt-none"]),
        (&["v=spf1 -all"], &["rpt-none"]),
        (&[good, good], &["rpt-multiple"]),
        (&["v=TLSRPTv1;"], &["rpt-syntax"]),
        (&["v=tlsrptv1; rua=mailto:a@b.test"], &["rpt-syntax"]),
        (&["v=DMARC1; p=none; rua=mailto:a@b.test"], &["rpt-syntax"]),
        (&["\"v=TLSRPTv1; rua=mailto:a@b.test\""], &["rpt-syntax"]),
    ];
    for (texts, expected) in cases {
        assert_eq!(codes(&RecordSet::evaluate(texts).codes()), expected, "{texts:?}");
    }
}

proptest! {
    #[test]
    fn any_text_is_read_without_panic(text in any::<String>(), uri in "\\PC{0,40}") {
        let _ = parse_record(&text);
        let _ = RecordSet::evaluate([&text]);
        let _ = parse_record(&format!("v=TLSRPTv1; rua=mailto:{uri}, https://{uri}"));
        let _ = Rua::parse(&uri);
    }
}
