//! The fields of a connection's form as the templates show them: label, hint, value, and what is wrong beside the
//! field. Values of secret fields are never here.

use super::typed::{Typed, Way};
use super::{Moment, sentence};
use crate::escape;
use waxseal_app::connections::FieldProblem;
use waxseal_app::connections::wire::ConnectionView;
use waxseal_services::service::{Field, FieldKind, ServiceId};

/// One choice of a list.
pub(super) struct Choice {
    pub(super) value: &'static str,
    pub(super) label: String,
    pub(super) chosen: bool,
}

/// One field.
pub(super) struct FieldView {
    pub(super) id: &'static str,
    pub(super) label: String,
    /// text, email, number, date, url, password, select, lines or box.
    pub(super) kind: &'static str,
    pub(super) value: String,
    pub(super) choices: Vec<Choice>,
    pub(super) hint: String,
    pub(super) problem: Option<String>,
    /// An address and a label beside the problem.
    pub(super) way_out: Option<(String, &'static str)>,
    pub(super) required: bool,
    /// A change shows what contradicts itself.
    pub(super) live: bool,
}

impl FieldView {
    fn new(id: &'static str, label: &str, kind: &'static str) -> Self {
        Self {
            id,
            label: label.to_owned(),
            kind,
            value: String::new(),
            choices: Vec::new(),
            hint: String::new(),
            problem: None,
            way_out: None,
            required: false,
            live: false,
        }
    }

    fn hint(mut self, hint: &str) -> Self {
        hint.clone_into(&mut self.hint);
        self
    }

    const fn required(mut self) -> Self {
        self.required = true;
        self
    }

    const fn live(mut self) -> Self {
        self.live = true;
        self
    }

    /// A list with these values and labels.
    fn choices(mut self, choices: &[(&'static str, &str)]) -> Self {
        let choice = |(value, label): &(&'static str, &str)| Choice {
            value,
            label: (*label).to_owned(),
            chosen: false,
        };
        self.choices = choices.iter().map(choice).collect();
        self
    }

    /// The elements that describe it.
    pub(super) fn described_by(&self) -> String {
        let hint = (!self.hint.is_empty()).then(|| format!("{}-hint", self.id));
        let problem = self.problem.as_ref().map(|_| format!("{}-problem", self.id));
        problem.into_iter().chain(hint).collect::<Vec<_>>().join(" ")
    }

    fn fill(&mut self, typed: &Typed, problems: &[FieldProblem]) {
        let value = typed.get(self.id);
        for choice in &mut self.choices {
            choice.chosen = choice.value == value;
        }
        if self.kind != "password" {
            value.clone_into(&mut self.value);
        }
        let mine = problems.iter().find(|problem| problem.field == self.id);
        self.problem = mine.map(|one| escape::line(&sentence(&one.problem, one.hint.as_deref())));
    }
}

/// Fields that belong together.
pub(super) struct Group {
    pub(super) legend: String,
    pub(super) fields: Vec<FieldView>,
    /// What contradicts itself is shown below it.
    pub(super) warns: bool,
    /// Folded away, and whether it is open.
    pub(super) folded: Option<bool>,
}

/// What a form is filled with.
pub(super) struct Filling<'a> {
    pub(super) way: Way,
    pub(super) typed: &'a Typed,
    pub(super) problems: &'a [FieldProblem],
    pub(super) stored: Option<&'a ConnectionView>,
}

impl Filling<'_> {
    /// The whole form.
    pub(super) fn groups(&self) -> Vec<Group> {
        let mut groups = vec![group("Connection and sender", sender())];
        match self.way {
            Way::Service(service) => {
                groups.push(group(&format!("{} account", title(service)), self.service(service)));
            }
            Way::Smtp => {
                groups.push(Group { warns: true, ..group("Server", server()) });
                groups.push(group("Sign-in", self.sign_in()));
                groups.push(Group { folded: Some(false), ..group("More settings", self.more()) });
            }
            Way::Clear => {
                let reached = |field: &FieldView| field.id != "security";
                groups.push(group("Server", server().into_iter().filter(reached).collect()));
                groups.push(group("Exception", exception()));
            }
        }
        for group in &mut groups {
            for field in &mut group.fields {
                field.fill(self.typed, self.problems);
            }
            let is_wrong = group.fields.iter().any(|field| field.problem.is_some());
            if is_wrong && group.folded.is_some() {
                group.folded = Some(true);
            }
        }
        self.lead_to_exception(&mut groups);
        groups
    }

    /// Problems of no field of the form.
    pub(super) fn others(&self, groups: &[Group]) -> Vec<String> {
        let is_shown = |problem: &&FieldProblem| {
            let mut fields = groups.iter().flat_map(|group| &group.fields);
            !fields.any(|field| field.id == problem.field)
        };
        let words = |problem: &FieldProblem| {
            escape::line(&sentence(
                &format!("{} {}", problem.field, problem.problem),
                problem.hint.as_deref(),
            ))
        };
        self.problems.iter().filter(is_shown).map(words).collect()
    }

    /// Mode none off this machine has a page of its own.
    fn lead_to_exception(&self, groups: &mut [Group]) {
        let mut fields = groups.iter_mut().flat_map(|group| &mut group.fields);
        let Some(field) = fields.find(|field| field.id == "security") else { return };
        if field.problem.is_some() && field.value == "none" {
            let address = match self.stored {
                Some(view) => format!("/connections/{}/exception", view.id),
                None => "/connections/new/exception".to_owned(),
            };
            field.way_out = Some((address, "What such an exception means, and how to grant one"));
        }
    }

    /// What is said beside a secret field.
    fn stored_words(&self) -> String {
        match self.stored.map(|view| (&view.secret.changed_at, view.secret.stored)) {
            None => "It is sealed when it is stored and never shown again.".to_owned(),
            Some((Some(since), true)) => {
                let since = Moment::of(since).words;
                format!("Stored since {since}. Leave it empty to keep what is stored.")
            }
            Some(_) => {
                "Not stored. It is sealed when it is stored and never shown again.".to_owned()
            }
        }
    }

    fn removal(&self) -> Option<FieldView> {
        let stored = self.stored.is_some_and(|view| view.secret.stored);
        let removal = FieldView::new("remove-secret", "Remove the stored secret", "box");
        stored.then(|| {
            removal
                .hint("Nothing can be sent over this connection then, until one is stored again.")
        })
    }

    fn service(&self, service: ServiceId) -> Vec<FieldView> {
        let words = self.stored_words();
        let mut fields: Vec<FieldView> = service
            .fields()
            .iter()
            .map(|field| {
                let view = of_service(field);
                if field.is_secret() { view.hint(&words) } else { view }
            })
            .collect();
        fields.extend(self.removal());
        fields
    }

    fn sign_in(&self) -> Vec<FieldView> {
        let user = FieldView::new("user", "User name", "text")
            .hint("Leave it empty for a server that asks nobody to sign in.");
        let secret =
            FieldView::new("secret", "Password or token", "password").hint(&self.stored_words());
        [user, secret].into_iter().chain(self.removal()).collect()
    }

    fn more(&self) -> Vec<FieldView> {
        let trust = self.stored.and_then(|view| view.trust.as_ref());
        let mut fields = vec![
            FieldView::new("auth", "Sign-in mechanism", "select").choices(&[
                ("automatic", "automatic: the strongest that the server offers"),
                ("scram-sha-256", "SCRAM-SHA-256"),
                ("plain", "PLAIN"),
                ("login", "LOGIN"),
                ("cram-md5", "CRAM-MD5"),
                ("xoauth2", "XOAUTH2: the secret is an OAuth 2 token"),
            ]),
            FieldView::new("minimum-tls", "Oldest TLS version", "select")
                .choices(&[("1.2", "TLS 1.2"), ("1.3", "TLS 1.3")]),
        ];
        if let Some(trust) = trust.filter(|trust| trust.kind != "public-roots") {
            let hint = match trust.kind {
                "authority" => {
                    "A private authority is trusted now. Leave its field empty to keep it."
                }
                _ => "Pinned keys are trusted now.",
            };
            fields.push(
                FieldView::new("public-roots", "Trust the public authorities again", "box")
                    .hint(hint),
            );
        }
        fields.extend([
            FieldView::new("ca", "Private authority", "lines").hint(
                "Certificates in PEM form. They are trusted in place of the public ones; the name is \
                 still verified.",
            ),
            FieldView::new("pin", "Pinned keys", "lines")
                .hint("SHA-256 of public keys, one a line. A pinned key is trusted alone."),
            FieldView::new("ehlo-name", "Name given in EHLO", "text")
                .hint("Empty: this program finds it out."),
            FieldView::new("ip", "Addresses that are tried", "select").choices(&[
                ("any", "all, as the resolver gives them"),
                ("ipv4-first", "IPv4 first"),
                ("ipv4-only", "IPv4 only"),
                ("ipv6-first", "IPv6 first"),
                ("ipv6-only", "IPv6 only"),
            ]),
        ]);
        fields
    }
}

fn group(legend: &str, fields: Vec<FieldView>) -> Group {
    Group { legend: legend.to_owned(), fields, warns: false, folded: None }
}

fn sender() -> Vec<FieldView> {
    vec![
        FieldView::new("name", "Name of the connection", "text")
            .hint("What people here call it.")
            .required(),
        FieldView::new("from-address", "From address", "email")
            .hint("The address that messages come from. The service must let you use it.")
            .required(),
        FieldView::new("from-name", "From name", "text"),
    ]
}

fn server() -> Vec<FieldView> {
    vec![
        FieldView::new("host", "Host", "text")
            .hint("The name that the certificate must have, such as smtp.example.com.")
            .required()
            .live(),
        FieldView::new("port", "Port", "number").required().live(),
        FieldView::new("security", "Security mode", "select")
            .choices(&[
                ("", "choose as the provider documents it"),
                ("starttls", "starttls: begins in the clear and must switch to TLS; usual on 587"),
                ("tls", "tls: encrypted from the first byte; usual on 465"),
                ("none", "none: nothing is encrypted and nobody signs in"),
            ])
            .hint("Nothing is derived from the port, and nothing falls back to a weaker mode.")
            .required()
            .live(),
    ]
}

/// What an exception needs.
pub(super) fn exception() -> Vec<FieldView> {
    vec![
        FieldView::new("exception-page", "The provider's page", "url")
            .hint("The https page on which the provider says that there is no encryption.")
            .required(),
        FieldView::new("exception-reason", "Reason", "text")
            .hint("Why nothing can be encrypted here.")
            .required(),
        FieldView::new("exception-until", "Last day", "date")
            .hint("At most 90 days from now. Nothing is sent after it.")
            .required(),
    ]
}

/// The fields of an exception alone, filled.
pub(super) fn exception_group(typed: &Typed, problems: &[FieldProblem]) -> Group {
    let mut group = group("Exception", exception());
    for field in &mut group.fields {
        field.fill(typed, problems);
    }
    group
}

fn of_service(field: &Field) -> FieldView {
    let kind = match (field.is_secret(), field.choices) {
        (true, _) => "password",
        (false, []) => "text",
        (false, _) => "select",
    };
    let label: Vec<String> = field.name.split('-').enumerate().map(word).collect();
    let mut view = FieldView::new(field.name, &label.join(" "), kind);
    view.required = field.kind == FieldKind::Required;
    if kind == "select" {
        let none = ("", "as the service does by itself");
        let all = std::iter::once(none).chain(field.choices.iter().map(|one| (*one, *one)));
        view = view.choices(&all.collect::<Vec<_>>());
    }
    view
}

/// A word of a label.
fn word((place, word): (usize, &str)) -> String {
    match word {
        "api" | "id" | "tls" => word.to_uppercase(),
        word if place == 0 => super::capital(word),
        word => word.to_owned(),
    }
}

/// What people call a service.
pub(super) fn title(service: ServiceId) -> &'static str {
    waxseal_services::presets::by_name(service.as_str())
        .map_or(service.as_str(), |preset| preset.title)
}
