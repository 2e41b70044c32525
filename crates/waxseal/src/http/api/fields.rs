//! The fields of a connection as a program sends them. In a new connection `null` is the same as nothing; in a change
//! it takes an optional field away, and a field that is left out stays. Keep: the text of a secret is in no error
//! and in no `Debug`, and there is no field for an exception.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use std::collections::BTreeMap;
use utoipa::ToSchema;
use waxseal_app::connections::{Form, SecretChange, SecretInput};
use waxseal_app::store::{Secret, Zeroizing};

/// A field that may be left out, given, or null.
type Field<T> = Option<Option<T>>;

/// What a connection is to be. With `service` it uses the interface of a delivery service, otherwise SMTP.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct ConnectionFields {
    /// What people call it.
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Option<String>, example = "news")]
    name: Field<String>,
    /// The From address of its messages.
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Option<String>, example = "news@example.com")]
    from_address: Field<String>,
    /// The name beside the From address.
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    from_name: Field<String>,
    /// A built-in service, such as postmark.
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    service: Field<String>,
    /// Settings of the service, never a secret; null takes one away.
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Option<BTreeMap<String, Option<String>>>)]
    settings: Field<BTreeMap<String, Option<String>>>,
    /// SMTP: a preset to take host, port and security from.
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    preset: Field<String>,
    /// SMTP: the host.
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Option<String>, example = "smtp.example.com")]
    host: Field<String>,
    /// SMTP: the port. The security mode is never derived from it.
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Option<u16>, example = 587)]
    port: Field<u16>,
    /// SMTP: starttls (must succeed), tls (from the first byte) or none (encrypts nothing, never signs in; off
    /// loopback it needs an exception, which no program can give).
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Option<String>, example = "starttls")]
    security: Field<String>,
    /// SMTP: the user name.
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    user: Field<String>,
    /// SMTP: the mechanism of the sign-in.
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    auth: Field<String>,
    /// SMTP: certificates of a private authority in PEM.
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    ca: Field<String>,
    /// SMTP: SHA-256 of public keys to trust alone.
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Option<Vec<String>>)]
    pins: Field<Vec<String>>,
    /// SMTP: the oldest TLS version, 1.2 or 1.3.
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    minimum_tls: Field<String>,
    /// SMTP: the name given in EHLO.
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    ehlo_name: Field<String>,
    /// SMTP: which addresses are tried.
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    ip: Field<String>,
    /// The password, token or key; of a service also an object from its secret fields to their texts. It is
    /// stored and never shown; null removes it.
    #[serde(deserialize_with = "given")]
    #[schema(schema_with = super::openapi::secret)]
    secret: Field<SecretGiven>,
}

/// A field that is there: null or a value.
fn given<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Field<T>, D::Error> {
    Option::<T>::deserialize(deserializer).map(Some)
}

impl ConnectionFields {
    /// Whether something is said about the secret of a new connection.
    pub(super) const fn has_secret(&self) -> bool {
        matches!(self.secret, Some(Some(_)))
    }

    /// A new connection.
    pub(super) fn new_form(self) -> (Form, SecretChange) {
        let secret = match self.secret.flatten() {
            Some(secret) => SecretChange::Set(secret.0),
            None => SecretChange::Keep,
        };
        let settings = self.settings.flatten().unwrap_or_default();
        let settings = settings.into_iter().filter_map(|(name, value)| Some((name, value?)));
        let form = Form {
            name: self.name.flatten(),
            from_name: self.from_name.flatten(),
            from_address: self.from_address.flatten(),
            service: self.service.flatten(),
            settings: settings.collect(),
            preset: self.preset.flatten(),
            host: self.host.flatten(),
            port: self.port.flatten().map(|port| port.to_string()),
            security: self.security.flatten(),
            user: self.user.flatten(),
            auth: self.auth.flatten(),
            ca: self.ca.flatten(),
            pins: self.pins.flatten(),
            minimum_tls: self.minimum_tls.flatten(),
            ehlo_name: self.ehlo_name.flatten(),
            ip: self.ip.flatten(),
        };
        (form, secret)
    }

    /// A change: an empty text takes a field away.
    pub(super) fn change(self) -> (Form, SecretChange) {
        let text = Option::<String>::unwrap_or_default;
        let secret = match self.secret {
            None => SecretChange::Keep,
            Some(None) => SecretChange::Remove,
            Some(Some(secret)) => SecretChange::Set(secret.0),
        };
        let settings = self.settings.flatten().unwrap_or_default();
        let settings = settings.into_iter().map(|(name, value)| (name, value.unwrap_or_default()));
        let form = Form {
            name: self.name.map(text),
            from_name: self.from_name.map(text),
            from_address: self.from_address.map(text),
            service: self.service.map(text),
            settings: settings.collect(),
            preset: self.preset.map(text),
            host: self.host.map(text),
            port: self.port.map(|port| port.map(|port| port.to_string()).unwrap_or_default()),
            security: self.security.map(text),
            user: self.user.map(text),
            auth: self.auth.flatten(),
            ca: self.ca.map(text),
            pins: self.pins.map(|pins| pins.unwrap_or_else(|| vec![String::new()])),
            minimum_tls: self.minimum_tls.flatten(),
            ehlo_name: self.ehlo_name.map(text),
            ip: self.ip.flatten(),
        };
        (form, secret)
    }
}

/// The secret of a connection.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewSecret {
    /// The password, token or key; of a service also an object from its secret fields to their texts. It is
    /// stored and never shown.
    #[schema(schema_with = super::openapi::secret, required)]
    pub(super) secret: SecretGiven,
}

/// A secret as it was sent.
#[derive(Debug)]
pub(super) struct SecretGiven(pub(super) SecretInput);

impl<'de> Deserialize<'de> for SecretGiven {
    /// No error shows what was sent.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let wrong = || D::Error::custom("a secret is a text, or an object from field to text");
        let kept = |text: String| Secret::new(Zeroizing::new(text));
        match serde_json::Value::deserialize(deserializer).map_err(|_| wrong())? {
            serde_json::Value::String(text) => Ok(Self(SecretInput::One(kept(text)))),
            serde_json::Value::Object(fields) => {
                let each = fields.into_iter().map(|(name, value)| match value {
                    serde_json::Value::String(text) => Ok((name, kept(text))),
                    serde_json::Value::Null
                    | serde_json::Value::Bool(_)
                    | serde_json::Value::Number(_)
                    | serde_json::Value::Array(_)
                    | serde_json::Value::Object(_) => Err(wrong()),
                });
                Ok(Self(SecretInput::Named(each.collect::<Result<_, _>>()?)))
            }
            serde_json::Value::Null
            | serde_json::Value::Bool(_)
            | serde_json::Value::Number(_)
            | serde_json::Value::Array(_) => Err(wrong()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<ConnectionFields, serde_json::Error> {
        serde_json::from_str(text)
    }

    #[test]
    fn null_is_nothing_in_what_is_new_and_takes_away_in_a_change() {
        let text =
            r#"{"name":"a","from_name":null,"pins":null,"port":25,"settings":{"a":null,"b":"c"}}"#;
        let (new, secret) = read(text).unwrap().new_form();
        assert_eq!((new.name.as_deref(), new.from_name, new.pins), (Some("a"), None, None));
        assert_eq!(new.settings, BTreeMap::from([("b".to_owned(), "c".to_owned())]));
        assert!(matches!(secret, SecretChange::Keep));
        let (change, _) = read(text).unwrap().change();
        assert_eq!((change.from_name.as_deref(), change.host), (Some(""), None));
        assert_eq!((change.pins, change.settings.len()), (Some(vec![String::new()]), 2));
        let (_, secret) = read(r#"{"secret":null}"#).unwrap().change();
        assert!(matches!(secret, SecretChange::Remove));
    }

    #[test]
    fn a_secret_is_in_no_error() {
        for text in [
            r#"{"secret":["hunter2"]}"#,
            r#"{"secret":{"key":["hunter2"]}}"#,
            r#"{"secret":31415}"#,
        ] {
            let error = read(text).unwrap_err().to_string();
            assert!(!error.contains("hunter2") && !error.contains("31415"), "{error}");
        }
        let kept = read(r#"{"secret":{"key":"hunter2"}}"#).unwrap();
        assert!(!format!("{kept:?}").contains("hunter2"));
        assert!(kept.has_secret());
    }
}
