//! What stands around every page, and how a template becomes an answer.

use crate::http::{Assets, Event, Site, may_be_signed_in};
use askama::Template;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};

/// The places of the main navigation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Signing in, people.
    Account,
    /// The checkers.
    Checker,
    /// Connections of the workspace.
    Connections,
    /// Guides and findings.
    Guides,
    /// What is known of services.
    Presets,
}

const PLACES: [(Place, &str, &str); 5] = [
    (Place::Checker, "Check", "/tools/smtp-tls"),
    (Place::Connections, "Connections", "/connections"),
    (Place::Guides, "Guides", "/guides"),
    (Place::Presets, "Services", "/presets"),
    (Place::Account, "Account", "/account"),
];

/// One entry of the main navigation.
pub(super) struct NavItem {
    pub(super) title: &'static str,
    pub(super) address: &'static str,
    pub(super) current: bool,
}

/// What stands around a page.
pub(super) struct Frame<'a> {
    pub(super) assets: &'a Assets,
    pub(super) place: Option<Place>,
    /// Search engines are asked to leave the page out.
    pub(super) noindex: bool,
    /// The whole site looks at a lab.
    pub(super) simulated: bool,
}

impl<'a> Frame<'a> {
    /// The frame of a page of this site.
    pub(super) fn of(site: &'a Site) -> Self {
        Self {
            assets: &site.assets,
            place: None,
            noindex: false,
            simulated: site.settings.simulated,
        }
    }

    /// At a place of the navigation.
    pub(super) const fn at(mut self, place: Place) -> Self {
        self.place = Some(place);
        self
    }

    /// Not for search engines.
    pub(super) const fn noindex(mut self) -> Self {
        self.noindex = true;
        self
    }

    /// The main navigation.
    pub(super) fn nav(&self) -> Vec<NavItem> {
        let entry = |(place, title, address)| NavItem {
            title,
            address,
            current: self.place == Some(place),
        };
        // Whoever is not signed in has none.
        let is_shown = |(place, ..): &(Place, _, _)| {
            *place != Place::Connections || self.place == Some(*place) || may_be_signed_in()
        };
        PLACES.into_iter().filter(is_shown).map(entry).collect()
    }

    /// The version of this program.
    #[expect(clippy::unused_self, reason = "templates call it on the frame")]
    pub(super) const fn version(&self) -> &'static str {
        env!("CARGO_PKG_VERSION")
    }
}

/// A page with one sentence and a way on.
#[derive(Template)]
#[template(path = "message.html")]
pub(super) struct Message<'a> {
    pub(super) frame: Frame<'a>,
    pub(super) title: String,
    pub(super) text: String,
    pub(super) next: Option<(&'static str, &'static str)>,
}

/// A filled template as an answer.
pub(super) fn page(site: &Site, template: &impl Template) -> Response {
    match template.render() {
        Ok(text) => Html(text).into_response(),
        Err(error) => {
            let problem = error.to_string();
            site.log.write(&Event::Fault { doing: "fill a page", problem: &problem });
            (StatusCode::INTERNAL_SERVER_ERROR, "This page could not be made.\n").into_response()
        }
    }
}

/// A page behind a secret address: no cache keeps it, and no search engine lists it.
pub(super) fn private(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert("x-robots-tag", HeaderValue::from_static("noindex, nofollow"));
    response
}
