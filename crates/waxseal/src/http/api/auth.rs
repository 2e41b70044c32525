//! Who may use the interface: a bearer token (RFC 6750) and the scope that a handler asks for. Cookies of people let
//! nobody in here. Keep: an unknown, an ended and a revoked token are answered alike, and a handler sees the data of
//! the token's own workspace only.

use super::problem::Problem;
use crate::http::Client;
use crate::http::Site;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use std::marker::PhantomData;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use waxseal_app::store::Data;
use waxseal_app::tokens::{Bearer, Scope, TokenError};

/// A program that came in.
#[derive(Clone, Debug)]
pub(super) struct Caller {
    /// Its token.
    pub(super) bearer: Bearer,
    /// What is kept, as its workspace sees it.
    pub(super) data: Data,
}

impl Caller {
    /// Who the log of changes says it was.
    pub(super) fn who(&self) -> String {
        self.bearer.who()
    }

    /// Refuses what the token may not do.
    pub(super) fn needs(&self, scope: Scope) -> Result<(), Problem> {
        if self.bearer.scopes.allow(scope) { Ok(()) } else { Err(Problem::scope(scope)) }
    }
}

/// The scope that a handler asks for.
pub(super) trait Needs: Send + Sync + 'static {
    /// None: any token will do.
    const SCOPE: Option<Scope>;
}

macro_rules! needs {
    ($name:ident, $scope:expr) => {
        pub(super) struct $name;

        impl Needs for $name {
            const SCOPE: Option<Scope> = $scope;
        }
    };
}

needs!(AnyToken, None);
needs!(Read, Some(Scope::Read));
needs!(AddConnection, Some(Scope::AddConnection));
needs!(Connections, Some(Scope::Connections));
needs!(TestSend, Some(Scope::TestSend));

/// A caller who may do what a handler does.
pub(super) struct Can<N> {
    /// Who it is.
    pub(super) caller: Caller,
    needs: PhantomData<N>,
}

impl<N: Needs> FromRequestParts<Arc<Site>> for Can<N> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, site: &Arc<Site>) -> Result<Self, Problem> {
        let caller = caller(parts, site).await?.ok_or_else(Problem::no_token)?;
        if let Some(scope) = N::SCOPE {
            caller.needs(scope)?;
        }
        Ok(Self { caller, needs: PhantomData })
    }
}

/// Who may have domains checked: a token with the scope, or anybody where the operator says so.
pub(super) struct MayCheck(pub(super) Option<Caller>);

impl FromRequestParts<Arc<Site>> for MayCheck {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, site: &Arc<Site>) -> Result<Self, Problem> {
        let caller = caller(parts, site).await?;
        match &caller {
            Some(caller) => caller.needs(Scope::Check)?,
            None if site.settings.public_checker => {}
            None => return Err(Problem::no_token()),
        }
        Ok(Self(caller))
    }
}

/// The caller of a request; none without a token.
async fn caller(parts: &Parts, site: &Site) -> Result<Option<Caller>, Problem> {
    let Some(shown) = shown(&parts.headers)? else { return Ok(None) };
    let client = parts.extensions.get::<Client>().map(|client| client.0);
    let client = client.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
    let bearer = match site.tokens.authenticate(shown, client, site.now()).await {
        Ok(bearer) => bearer,
        Err(TokenError::TooMany { again_in }) => {
            let status = StatusCode::TOO_MANY_REQUESTS;
            return Err(Problem::new(status, "wrong-tokens", "Too many wrong tokens were shown")
                .hint("wait as long as Retry-After says")
                .retry_after(again_in));
        }
        Err(TokenError::Wrong) => return Err(Problem::wrong_token()),
        Err(error) => {
            site.fault("look for a token", &error);
            return Err(Problem::broken());
        }
    };
    match site.data.of_workspace(bearer.workspace).await {
        Ok(data) => Ok(Some(Caller { bearer, data })),
        Err(error) => {
            site.fault("open the workspace of a token", &error);
            Err(Problem::broken())
        }
    }
}

/// The token of a request. Two of them, or another kind of credentials, are a wrong one.
fn shown(headers: &HeaderMap) -> Result<Option<&str>, Problem> {
    let mut all = headers.get_all(header::AUTHORIZATION).iter();
    let Some(value) = all.next() else { return Ok(None) };
    let text = value.to_str().map_err(|_| Problem::wrong_token())?;
    let token = text.split_once(' ').filter(|(kind, _)| kind.eq_ignore_ascii_case("bearer"));
    match (token, all.next()) {
        (Some((_, token)), None) => Ok(Some(token.trim())),
        _ => Err(Problem::wrong_token()),
    }
}
