//! Tests of `Received` lines (RFC 5321 §4.4, RFC 3848) with the lines of real servers.

use super::*;
use proptest::prelude::*;
use serde_json::Value;

/// Forms in `forms.txt`.
const FORMS: usize = 44;

fn rows(text: &str) -> Vec<Value> {
    serde_json::from_str(text).unwrap()
}

fn text<'a>(row: &'a Value, key: &str) -> Option<&'a str> {
    row[key].as_str()
}

/// The instant that a labelled row of the Stalwart set means. Two-digit years are labelled 1903 there;
/// RFC 5322 §4.3 says 2003.
fn labelled_date(date: &Value) -> Option<Timestamp> {
    let part = |key: &str| date[key].as_i64();
    let year = part("year")?;
    let year = if year < 1950 { year + 100 } else { year };
    let minutes = part("tz_hour")? * 60 + part("tz_minute")?;
    let minutes = if date["tz_before_gmt"] == true { -minutes } else { minutes };
    let small = |key: &str| i8::try_from(part(key)?).ok();
    let civil = jiff::civil::DateTime::new(
        i16::try_from(year).ok()?,
        small("month")?,
        small("day")?,
        small("hour")?,
        small("minute")?,
        small("second")?,
        0,
    );
    let offset = jiff::tz::Offset::from_seconds(i32::try_from(minutes * 60).ok()?).ok()?;
    offset.to_timestamp(civil.ok()?).ok()
}

/// What differs between a hop and the labels of the Stalwart set.
fn stalwart_differences(row: &Value) -> Vec<String> {
    let expected = &row["expected"];
    let hop = Hop::parse(row["header"].as_str().unwrap());
    let mut wrong = Vec::new();
    let mut differ = |what: &str, ours: Option<String>, theirs: Option<String>| {
        if ours != theirs {
            wrong.push(format!("{what}: {ours:?} for {theirs:?}"));
        }
    };
    let owned = |value: Option<&str>| value.map(str::to_owned);
    if let Some(ip) = text(expected, "from_ip") {
        differ("ip", hop.from.ip.map(|ip| ip.to_string()), Some(ip.to_owned()));
    }
    let by = text(&expected["by"], "Name").or_else(|| text(&expected["by"], "IpAddr"));
    differ("by", hop.by.clone(), owned(by));
    differ("with", hop.with.map(|with| with.as_str().to_owned()), owned(text(expected, "with")));
    differ("id", hop.id.clone(), owned(text(expected, "id")));
    let version = text(expected, "tls_version");
    let version = version.map(|v| v.trim_start_matches("TLSv").replace('_', "."));
    differ("version", hop.tls.version.map(|v| v.as_str().to_owned()), version);
    differ("cipher", hop.tls.cipher.clone(), owned(text(expected, "tls_cipher")));
    if let Some(at) = labelled_date(&expected["date"]) {
        differ("date", hop.date.map(|at| at.to_string()), Some(at.to_string()));
    }
    wrong
}

#[test]
fn stalwart_lines_hold() {
    let rows = rows(include_str!("../../../vectors/received/stalwart-received.json"));
    assert_eq!(rows.len(), 53);
    let mut wrong = Vec::new();
    for row in &rows {
        let differences = stalwart_differences(row);
        if !differences.is_empty() {
            wrong.push(format!("{} {differences:?}", row["header"]));
        }
    }
    println!("{}", wrong.join("\n"));
    assert!(wrong.len() <= 1, "{}", wrong.join("\n"));
}

#[test]
fn spamassassin_lines_hold() {
    let rows = rows(include_str!("../../../vectors/received/spamassassin-received.json"));
    assert_eq!(rows.len(), 46);
    let mut wrong = Vec::new();
    for row in rows.iter().filter(|row| row["expected"]["ip"].is_string()) {
        let hop = Hop::parse(row["header"].as_str().unwrap());
        let expected = &row["expected"];
        let ip = hop.from.ip.map(|ip| ip.to_string());
        if ip.as_deref() != text(expected, "ip") || hop.by.as_deref() != text(expected, "by") {
            wrong.push(format!("{row} {ip:?} {:?}", hop.by));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn real_lines_hold() {
    let files = [
        (include_str!("../../../vectors/received/real-tls-headers.json"), 103),
        (include_str!("../../../vectors/received/real-plain-headers.json"), 106),
    ];
    let mut wrong = Vec::new();
    for (file, count) in files {
        let rows = rows(file);
        assert_eq!(rows.len(), count);
        for row in rows {
            let hop = Hop::parse(row["header"].as_str().unwrap());
            let literals = &row["literals"];
            let claimed = row["transport_encrypted_claimed"].as_bool().unwrap();
            // The label was made by pattern and misses the words of Microsoft's SMTPSVC.
            let claimed =
                claimed || row["header"].as_str().unwrap().contains("TLS secured channel");
            let mut ok = hop.claims_tls() == claimed;
            if let Some(version) = text(literals, "tls_version") {
                let plain =
                    version.trim_start_matches("TLS").trim_start_matches('v').replace('_', ".");
                let plain = if plain == "1" { "1.0".to_owned() } else { plain };
                ok &= hop.tls.version.map(TlsVersionNoted::as_str) == Some(plain.as_str());
            }
            if let Some(cipher) = text(literals, "cipher") {
                ok &= hop.tls.cipher.as_deref() == Some(cipher);
            }
            if !ok {
                wrong.push(format!("{row} {hop:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// One form of a server: its name, the line, and `ip rdns helo | by | with id for | version cipher bits | protection`.
#[test]
fn forms_of_servers_are_read() {
    let table = include_str!("forms.txt");
    let mut count = 0;
    for form in table.split("\n\n").filter(|form| !form.trim_start().starts_with('#')) {
        let mut lines: Vec<&str> = form.trim().lines().collect();
        let (name, expected) = (lines.remove(0), lines.pop().unwrap());
        let hop = Hop::parse(&lines.join("\r\n"));
        let or = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
        let shown = format!(
            "{} {} {} | {} | {} {} {} | {} {} {} | {}",
            or(hop.from.ip.map(|ip| ip.to_string())),
            or(hop.from.rdns),
            or(hop.from.helo),
            or(hop.by),
            or(hop.with.map(|with| with.as_str().to_owned())),
            or(hop.id),
            or(hop.for_recipient),
            or(hop.tls.version.map(|version| version.as_str().to_owned())),
            or(hop.tls.cipher),
            or(hop.tls.bits.map(|bits| bits.to_string())),
            hop.protection.as_str(),
        );
        assert_eq!(shown, expected.trim_start_matches("= "), "{name}");
        assert!(hop.date.is_some(), "{name}");
        count += 1;
    }
    assert_eq!(count, FORMS);
}

proptest! {
    #[test]
    fn any_text_is_read(text in "\\PC{0,200}", marks in "[ ()<>;:=\\[\\]@a-z0-9\r\n]{0,200}") {
        for text in [&text, &marks] {
            let hop = Hop::parse(text);
            prop_assert_eq!(hop.protection == Protection::Encrypted, hop.claims_tls());
            prop_assert_eq!(&hop.raw, text);
        }
    }

    #[test]
    fn clauses_survive_any_order_of_comments(comment in "[a-z ]{0,12}", seed in 0_u8..4) {
        let comment = format!("({comment})");
        let at = |index: u8| if index == seed { comment.as_str() } else { "" };
        let line = format!(
            "from a.example {} by b.example {} with ESMTPS {} id 7 {}; 1 Jan 2026 00:00:00 +0000",
            at(0), at(1), at(2), at(3)
        );
        let hop = Hop::parse(&line);
        prop_assert_eq!(hop.by.as_deref(), Some("b.example"));
        prop_assert_eq!(hop.with, Some(WithProtocol::Esmtps));
        prop_assert_eq!(hop.id.as_deref(), Some("7"));
        prop_assert!(hop.date.is_some());
    }
}
