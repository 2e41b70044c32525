//! What somebody typed into the form of a connection, and the use case's form that it becomes. An empty field of a
//! new connection is left out where it may be; on a change it takes the setting away. No rule about a value.

use std::collections::BTreeMap;
use waxseal_app::connections::wire::ConnectionView;
use waxseal_app::connections::{ExceptionForm, Form, SecretChange, SecretInput, Wanted};
use waxseal_app::store::{Secret, Zeroizing};
use waxseal_services::presets::{self, HostPattern};
use waxseal_services::service::ServiceId;

/// What kind of connection a form is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// A built-in service.
    Service(ServiceId),
    /// A server of one's own choice.
    Smtp,
    /// A server without encryption, by an exception.
    Clear,
}

impl Way {
    /// The word in addresses.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Service(id) => id.as_str(),
            Self::Smtp => "smtp",
            Self::Clear => "exception",
        }
    }

    /// The way of a word.
    pub(super) fn parse(word: &str) -> Option<Self> {
        match word {
            "smtp" => Some(Self::Smtp),
            "exception" => Some(Self::Clear),
            word => ServiceId::parse(word).map(Self::Service),
        }
    }

    /// The way of a stored connection.
    pub(super) fn of(view: &ConnectionView) -> Option<Self> {
        match view.service.as_deref() {
            Some(service) => ServiceId::parse(service).map(Self::Service),
            None => Some(Self::Smtp),
        }
    }
}

/// The fields of a form by their names.
#[derive(Clone, Default)]
pub(super) struct Typed(BTreeMap<String, String>);

impl Typed {
    /// What a form sent.
    pub(super) const fn new(fields: BTreeMap<String, String>) -> Self {
        Self(fields)
    }

    /// The settings of a stored connection, as its form shows them.
    pub(super) fn of(view: &ConnectionView) -> Self {
        let mut fields = view.settings.clone();
        let mut put = |name: &str, value: Option<String>| {
            fields.insert(name.to_owned(), value.unwrap_or_default());
        };
        put("name", Some(view.name.clone()));
        put("from-address", Some(view.from_address.clone()));
        put("from-name", view.from_name.clone());
        put("host", view.host.clone());
        put("port", view.port.map(|port| port.to_string()));
        put("security", view.security.map(str::to_owned));
        put("user", view.sign_in.as_ref().map(|sign_in| sign_in.user.clone()));
        put("auth", view.sign_in.as_ref().map(|sign_in| sign_in.mechanism.to_owned()));
        put("pin", view.trust.as_ref().map(|trust| trust.pins.join("\n")));
        put("minimum-tls", view.minimum_tls.map(str::to_owned));
        put("ehlo-name", view.ehlo_name.clone());
        put("ip", view.ip.map(str::to_owned));
        Self(fields)
    }

    /// Host, port, mode and user name of a preset, as a start.
    pub(super) fn of_preset(name: &str) -> Self {
        let mut fields = BTreeMap::new();
        if let Some(preset) = presets::by_name(name) {
            let pair = preset.recommended();
            let host = preset.hosts.first().map(HostPattern::template).unwrap_or_default();
            fields.insert("host".to_owned(), host);
            fields.insert("port".to_owned(), pair.port.to_string());
            fields.insert("security".to_owned(), pair.mode.as_str().to_owned());
            if let presets::UserName::Fixed(word) = preset.user {
                fields.insert("user".to_owned(), word.to_owned());
            }
        }
        Self(fields)
    }

    /// The value of a field; empty if there is none.
    pub(super) fn get(&self, name: &str) -> &str {
        self.0.get(name).map(String::as_str).unwrap_or_default()
    }

    /// Whether a box was ticked.
    pub(super) fn is_on(&self, name: &str) -> bool {
        self.get(name) == "yes"
    }

    /// Without what must not be shown again.
    pub(super) fn without_secrets(mut self, way: Way) -> Self {
        self.0.remove("secret");
        self.0.remove("form_token");
        if let Way::Service(service) = way {
            for field in service.fields().iter().filter(|field| field.is_secret()) {
                self.0.remove(field.name);
            }
        }
        self
    }

    /// What is asked of the use case. `stored` is the connection that is changed.
    pub(super) fn wanted(&self, way: Way, stored: Option<&ConnectionView>) -> Wanted {
        let text = |name: &str| Some(self.get(name).to_owned());
        let mut form = Form {
            name: text("name"),
            from_name: text("from-name"),
            from_address: text("from-address"),
            ..Form::default()
        };
        match way {
            Way::Service(service) => {
                form.service = stored.is_none().then(|| service.as_str().to_owned());
                let plain = service.fields().iter().filter(|field| !field.is_secret());
                form.settings = plain
                    .map(|field| (field.name.to_owned(), self.get(field.name).trim().to_owned()))
                    .collect();
            }
            Way::Clear => {
                form.host = text("host");
                form.port = text("port");
                form.security = Some("none".to_owned());
                form.ehlo_name = text("ehlo-name");
            }
            Way::Smtp => self.smtp(&mut form, stored),
        }
        Wanted { form, secret: self.secret(way), exception: None }
    }

    fn smtp(&self, form: &mut Form, stored: Option<&ConnectionView>) {
        let text = |name: &str| Some(self.get(name).to_owned());
        let filled = |name: &str| text(name).filter(|value| !value.trim().is_empty());
        form.host = text("host");
        form.port = text("port");
        form.security = text("security");
        form.ehlo_name = text("ehlo-name");
        form.ip = filled("ip");
        if self.get("security") == "none" {
            // It has none of these; a user name that was left standing is told.
            form.user = filled("user");
            return;
        }
        form.user = text("user");
        form.auth = filled("auth").filter(|_| filled("user").is_some());
        form.minimum_tls = filled("minimum-tls");
        if self.is_on("public-roots") {
            form.ca = Some(String::new());
            return;
        }
        form.ca = filled("ca");
        let pins: Vec<String> = self.get("pin").split_whitespace().map(str::to_owned).collect();
        let before = stored.and_then(|view| view.trust.as_ref()).map(|trust| trust.pins.as_slice());
        let is_new = !pins.is_empty() && before != Some(pins.as_slice());
        form.pins = is_new.then_some(pins);
    }

    fn secret(&self, way: Way) -> SecretChange {
        let given = |name: &str| {
            let value = self.get(name);
            (!value.is_empty()).then(|| Secret::new(Zeroizing::new(value.to_owned())))
        };
        if self.is_on("remove-secret") {
            return SecretChange::Remove;
        }
        match way {
            Way::Clear => SecretChange::Keep,
            Way::Smtp => given("secret")
                .map_or(SecretChange::Keep, |secret| SecretChange::Set(SecretInput::One(secret))),
            Way::Service(service) => {
                let named: BTreeMap<_, _> = service
                    .fields()
                    .iter()
                    .filter(|field| field.is_secret())
                    .filter_map(|field| Some((field.name.to_owned(), given(field.name)?)))
                    .collect();
                if named.is_empty() {
                    SecretChange::Keep
                } else {
                    SecretChange::Set(SecretInput::Named(named))
                }
            }
        }
    }

    /// The exception that was typed, granted by this person.
    pub(super) fn exception(&self, granted_by: &str) -> ExceptionForm {
        ExceptionForm {
            documentation: self.get("exception-page").to_owned(),
            reason: self.get("exception-reason").to_owned(),
            ends: self.get("exception-until").to_owned(),
            granted_by: granted_by.to_owned(),
        }
    }
}
