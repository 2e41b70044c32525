//! Who is signed in: the session of a request, by its cookie. What a person may do is decided by the role, and a
//! form must carry the token of its session.

use super::site::Site;
use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use std::sync::Arc;
use tokio::task::JoinError;
use waxseal_app::users::{Role, SESSION_SECONDS, Session, Token, TokenHash, User};

/// The cookie of a session. Browsers take a name with `__Host-` only over https and only for this host.
const COOKIE: &str = "waxseal-session";
const COOKIE_HTTPS: &str = "__Host-waxseal-session";

/// Somebody who is signed in.
#[derive(Clone, Debug)]
pub(crate) struct Visitor {
    /// The session.
    pub(crate) session: Session,
    /// The hash of its secret.
    pub(crate) token: TokenHash,
}

impl Visitor {
    /// The person.
    pub(crate) const fn user(&self) -> &User {
        &self.session.user
    }

    /// Whether the person has at least this role.
    pub(crate) fn is(&self, role: Role) -> bool {
        self.session.user.role >= role
    }

    /// Whether a form came from a page of this session.
    pub(crate) fn sent(&self, form_token: &str) -> bool {
        TokenHash::of(form_token) == TokenHash::of(&self.session.form_token)
    }
}

/// The cookie that begins a session in a browser.
pub(crate) fn session_cookie(site: &Site, token: &Token) -> String {
    let (name, secure) = kind(site);
    format!(
        "{name}={}; Path=/; Max-Age={SESSION_SECONDS}; HttpOnly; SameSite=Lax{secure}",
        token.expose()
    )
}

/// The cookie that ends it.
pub(crate) fn no_cookie(site: &Site) -> String {
    let (name, secure) = kind(site);
    format!("{name}=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax{secure}")
}

const fn kind(site: &Site) -> (&'static str, &'static str) {
    if site.settings.is_https { (COOKIE_HTTPS, "; Secure") } else { (COOKIE, "") }
}

/// The value of a cookie.
pub(crate) fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .find_map(|pair| pair.trim().strip_prefix(name)?.strip_prefix('='))
}

tokio::task_local! {
    /// Whether the request that is answered carries the cookie of a session.
    static HAS_COOKIE: bool;
}

/// Answers a request; meanwhile [`may_be_signed_in`] tells of it.
pub(super) async fn answering<T>(
    site: &Site,
    headers: &HeaderMap,
    answer: impl Future<Output = T>,
) -> T {
    HAS_COOKIE.scope(cookie(headers, kind(site).0).is_some(), answer).await
}

/// Answers on its own, whoever waits; [`may_be_signed_in`] tells the same meanwhile.
pub(super) async fn on_its_own<T: Send + 'static>(
    answer: impl Future<Output = T> + Send + 'static,
) -> Result<T, JoinError> {
    tokio::spawn(HAS_COOKIE.scope(may_be_signed_in(), answer)).await
}

/// Whether the visitor of the request that is answered shows a session, which may have ended: enough for the
/// navigation, and for nothing else.
pub(crate) fn may_be_signed_in() -> bool {
    HAS_COOKIE.try_with(|has_cookie| *has_cookie).unwrap_or(false)
}

/// The visitor of a request, if somebody is signed in.
pub(crate) async fn visitor(site: &Site, headers: &HeaderMap) -> Option<Visitor> {
    let token = TokenHash::of(cookie(headers, kind(site).0)?);
    match site.accounts.session(token, site.now()).await {
        Ok(session) => session.map(|session| Visitor { session, token }),
        Err(error) => {
            site.fault("look for a session", &error);
            None
        }
    }
}

impl OptionalFromRequestParts<Arc<Site>> for Visitor {
    type Rejection = StatusCode;

    async fn from_request_parts(
        parts: &mut Parts,
        site: &Arc<Site>,
    ) -> Result<Option<Self>, StatusCode> {
        Ok(visitor(site, &parts.headers).await)
    }
}

impl FromRequestParts<Arc<Site>> for Visitor {
    type Rejection = Response;

    /// Whoever is not signed in is led to the page where that is done.
    async fn from_request_parts(parts: &mut Parts, site: &Arc<Site>) -> Result<Self, Response> {
        let found = visitor(site, &parts.headers).await;
        found.ok_or_else(|| Redirect::to("/sign-in").into_response())
    }
}
