//! A connection to a built-in delivery service. Which services there are and what their settings mean is
//! not known here: a service is a word, its settings are names and values, none of them secret.

use std::collections::BTreeMap;

use super::text::{FieldError, OneLine};
use crate::limits::SERVICE_SETTINGS_MAX;

/// The word of a service: lower-case letters, digits and hyphens.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServiceName(String);

impl ServiceName {
    const OCTETS_MAX: usize = 40;

    /// Checks the word.
    ///
    /// # Errors
    /// Any other text.
    pub fn parse(text: &str) -> Result<Self, FieldError> {
        let plain = |octet: u8| matches!(octet, b'a'..=b'z' | b'0'..=b'9' | b'-');
        if text.is_empty() || text.len() > Self::OCTETS_MAX || !text.bytes().all(plain) {
            let problem = "is not a word of lower-case letters, digits and hyphens";
            return Err(FieldError::new("service", problem));
        }
        Ok(Self(text.to_owned()))
    }

    /// The word.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A service and its settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceConnection {
    /// Which service.
    pub service: ServiceName,
    settings: BTreeMap<ServiceName, OneLine>,
}

impl ServiceConnection {
    /// A service with its settings, such as `region` and `eu-west-1`. Secrets are not settings.
    ///
    /// # Errors
    /// More settings than any service has, a bad name or a bad value.
    pub fn new(
        service: ServiceName,
        settings: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, FieldError> {
        let mut checked = BTreeMap::new();
        for (name, value) in settings {
            let name = ServiceName::parse(&name)
                .map_err(|error| FieldError::new("setting", error.problem))?;
            checked.insert(name, OneLine::parse_sentence("setting", &value)?);
        }
        if checked.len() > SERVICE_SETTINGS_MAX {
            let problem = format!("there are more than {SERVICE_SETTINGS_MAX}");
            return Err(FieldError::new("setting", problem));
        }
        Ok(Self { service, settings: checked })
    }

    /// Names and values, sorted by name.
    pub fn settings(&self) -> impl Iterator<Item = (&str, &str)> {
        self.settings.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The value of one setting.
    pub fn setting(&self, name: &str) -> Option<&str> {
        self.settings().find(|(found, _)| *found == name).map(|(_, value)| value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_names_and_lines() {
        let service = ServiceName::parse("amazon-ses").unwrap();
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let made = ServiceConnection::new(service.clone(), [pair("region", "eu-west-1")]).unwrap();
        assert_eq!(made.setting("region"), Some("eu-west-1"));
        assert_eq!(made.setting("stream"), None);
        for (name, value) in [("Region", "x"), ("", "x"), ("region", "a\nb"), ("region", "")] {
            assert!(ServiceConnection::new(service.clone(), [pair(name, value)]).is_err());
        }
        let many = (0..=SERVICE_SETTINGS_MAX).map(|at| pair(&format!("s{at}"), "x"));
        assert!(ServiceConnection::new(service, many).is_err());
    }
}
