//! Envelopes: what opens, what does not, and what the errors say.

use super::*;

const PASSWORD: &str = "correct horse battery staple 42";

fn place(row: u128) -> Place {
    Place { table: "connection_secrets", row: Uuid::from_u128(row), column: "envelope" }
}

fn secret() -> Secret<Zeroizing<String>> {
    Secret::new(Zeroizing::new(PASSWORD.to_owned()))
}

#[test]
fn an_envelope_opens_where_it_was_sealed_and_nowhere_else() {
    let keys = MasterKeys::generate().unwrap();
    let envelope = keys.seal(&place(1), &secret()).unwrap();
    let read = Envelope::parse(&envelope.to_text(), &place(1)).unwrap();
    assert_eq!(read, envelope);
    assert_eq!(keys.open(&place(1), &read).unwrap().expose().as_str(), PASSWORD);
    let elsewhere =
        [place(2), Place { table: "dkim_keys", ..place(1) }, Place { column: "other", ..place(1) }];
    for other in elsewhere {
        let error = keys.open(&other, &envelope).unwrap_err();
        assert_eq!(error, SealError::Tampered { place: other.to_string() });
        assert_eq!(keys.sealed_for(&envelope, &[other, place(1)]), Some(place(1)));
    }
    assert_eq!(keys.sealed_for(&envelope, &elsewhere), None);
}

#[test]
fn two_seals_of_one_secret_differ() {
    let keys = MasterKeys::generate().unwrap();
    let seal = || keys.seal(&place(1), &secret()).unwrap().to_text();
    assert_ne!(seal(), seal());
}

#[test]
fn older_keys_open_and_foreign_keys_do_not() {
    let keys = MasterKeys::generate().unwrap();
    let envelope = keys.seal(&place(1), &secret()).unwrap();
    let rotated = keys.with_new_current().unwrap();
    assert_eq!(rotated.open(&place(1), &envelope).unwrap().expose().as_str(), PASSWORD);
    let error = MasterKeys::generate().unwrap().open(&place(1), &envelope).unwrap_err();
    let key_id = keys.current().clone();
    assert_eq!(error, SealError::UnknownKey { place: place(1).to_string(), key_id });
}

#[test]
fn every_changed_octet_is_noticed_and_no_error_shows_the_secret() {
    let keys = MasterKeys::generate().unwrap();
    let text = keys.seal(&place(1), &secret()).unwrap().to_text();
    for at in 0..text.len() {
        let mut octets = text.clone().into_bytes();
        octets[at] = if octets[at] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(octets).unwrap();
        let result = Envelope::parse(&changed, &place(1))
            .and_then(|envelope| keys.open(&place(1), &envelope));
        let error = result.expect_err(&changed).to_string();
        assert!(!error.contains("horse") && !error.contains(&text[25..]), "{error}");
    }
}

#[test]
fn what_is_no_envelope_is_named() {
    let keys = MasterKeys::generate().unwrap();
    let id = keys.current();
    let text = keys.seal(&place(1), &secret()).unwrap().to_text();
    let cases = [
        (String::new(), "version"),
        (text.replacen("v1", "v2", 1), "version"),
        ("v1:aa".to_owned(), "four parts"),
        (format!("{text}:x"), "four parts"),
        ("v1:XY:AA:AA".to_owned(), "key id"),
        (format!("v1:{id}:AA:AA"), "nonce"),
        (format!("v1:{id}:{}:AA", "A".repeat(32)), "ciphertext"),
    ];
    for (text, expected) in cases {
        let error = Envelope::parse(&text, &place(1)).unwrap_err().to_string();
        assert!(error.contains(expected) && error.contains("connection_secrets/"), "{error}");
    }
}

#[test]
fn secrets_have_a_size() {
    let keys = MasterKeys::generate().unwrap();
    for octets in [0, SECRET_OCTETS_MAX + 1] {
        let secret = Secret::new(Zeroizing::new("x".repeat(octets)));
        assert_eq!(keys.seal(&place(1), &secret), Err(SealError::Size { octets }));
    }
    let longest = Secret::new(Zeroizing::new("x".repeat(SECRET_OCTETS_MAX)));
    let envelope = keys.seal(&place(1), &longest).unwrap();
    assert!(Envelope::parse(&envelope.to_text(), &place(1)).is_ok());
}
