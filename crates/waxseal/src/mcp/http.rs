//! The tools for agents over HTTP, at `/mcp` of the site: the streamable HTTP transport of the Model Context
//! Protocol. Whoever calls shows a token with every request, and acts in its workspace within its scopes.
//!
//! The way in is [`routes`]. Keep: nothing is read before token and origin are judged, a session answers to the
//! token that began it and to no other, and sessions, open requests and bodies have limits.

use super::caller::Caller;
use super::sessions::Sessions;
use super::{Callers, Server};
use crate::http::{Client, Site, StreamPlace, Streams};
use crate::limits::{
    MCP_CHECKS_AT_ONCE, MCP_LINE_OCTETS_MAX, MCP_OPEN_PER_TOKEN_MAX, MCP_SESSIONS_PER_TOKEN_MAX,
};
use axum::Router;
use axum::body::{Body, Bytes, HttpBody, to_bytes};
use axum::extract::{Extension, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use hyper::body::{Frame, SizeHint};
use rmcp::model::{ErrorCode, ErrorData};
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use serde_json::{Value, json};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use waxseal_app::tokens::{Bearer, TokenError, TokenId};

/// The address of the tools.
pub(crate) const PATH: &str = "/mcp";

/// The header that names a session.
const SESSION: HeaderName = HeaderName::from_static("mcp-session-id");

/// What a browser of an allowed origin may send, and read of an answer.
const CORS_HEADERS: [(HeaderName, &str); 4] = [
    (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, POST, DELETE"),
    (
        header::ACCESS_CONTROL_ALLOW_HEADERS,
        "authorization, content-type, accept, last-event-id, mcp-session-id, mcp-protocol-version, \
         mcp-method, mcp-name",
    ),
    (header::ACCESS_CONTROL_EXPOSE_HEADERS, "mcp-session-id, www-authenticate"),
    (header::VARY, "origin"),
];

/// What all requests share.
struct Door {
    service: StreamableHttpService<Server, LocalSessionManager>,
    sessions: Sessions,
    /// Checks of each token that run.
    checks: Streams<TokenId>,
    /// Requests of each token that are open; one that waits for notices is open for long.
    open: Streams<TokenId>,
}

/// The address of the tools, on this site.
pub(crate) fn routes(site: &Arc<Site>) -> Router<Arc<Site>> {
    let manager = Arc::new(super::sessions::manager());
    let config = StreamableHttpServerConfig::default()
        // The site judged host and origin already.
        .disable_allowed_hosts()
        .disable_allowed_origins()
        .with_max_request_body_bytes(MCP_LINE_OCTETS_MAX);
    let stop = config.cancellation_token.clone();
    let mut closing = site.closing.subscribe();
    tokio::spawn(async move {
        // The site is gone, or asked to go: sessions and streams end with it.
        let _ = closing.wait_for(|closing| *closing).await;
        stop.cancel();
    });
    let router = Arc::new(Server::tools());
    let server = Server { callers: Callers::OfRequests, router };
    let service =
        StreamableHttpService::new(move || Ok(server.clone()), Arc::clone(&manager), config);
    let door = Arc::new(Door {
        service,
        sessions: Sessions::new(manager, MCP_SESSIONS_PER_TOKEN_MAX),
        checks: Streams::new(MCP_CHECKS_AT_ONCE),
        open: Streams::new(MCP_OPEN_PER_TOKEN_MAX),
    });
    let answer = move |State(site): State<Arc<Site>>,
                       Extension(client): Extension<Client>,
                       request: Request| {
        let door = Arc::clone(&door);
        async move { door.answer(&site, client, request).await }
    };
    Router::new().route(PATH, any(answer))
}

impl Door {
    async fn answer(&self, site: &Site, client: Client, request: Request) -> Response {
        let origin = match Origin::of(site, &request) {
            Origin::Allowed(origin) => Some(origin),
            Origin::Own => None,
            Origin::Foreign => {
                let text = "this origin may not use the tools";
                return refusal(StatusCode::FORBIDDEN, ErrorCode::INVALID_REQUEST, text);
            }
        };
        let mut response = if request.method() == Method::OPTIONS && origin.is_some() {
            StatusCode::NO_CONTENT.into_response()
        } else {
            self.enter(site, client, request).await.unwrap_or_else(|refusal| refusal)
        };
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(origin) = origin {
            headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
            for (name, value) in &CORS_HEADERS {
                headers.insert(name, HeaderValue::from_static(value));
            }
        }
        response
    }

    async fn enter(
        &self,
        site: &Site,
        client: Client,
        mut request: Request,
    ) -> Result<Response, Response> {
        let bearer = bearer(site, client, request.headers()).await?;
        let place = self.open.enter(bearer.id).ok_or_else(too_many)?;
        let session = request.headers().get(SESSION).cloned();
        if let Some(session) = &session
            && !self.sessions.is_of(session, bearer.id)
        {
            let text = "there is no such session";
            return Err(refusal(StatusCode::NOT_FOUND, ErrorCode::INVALID_REQUEST, text));
        }
        let caller = self.caller(site, client, &bearer, request.headers()).await?;
        request.extensions_mut().insert(Arc::new(caller));
        let begins = if request.method() == Method::POST {
            let (whole, message) = read(request).await?;
            request = whole;
            message["method"] == "initialize"
        } else {
            false
        };
        let opening = if begins {
            Some(self.sessions.begin(bearer.id).await.ok_or_else(too_many)?)
        } else {
            None
        };
        let ends = request.method() == Method::DELETE;
        let response = self.service.handle(request).await;
        if let (Some(opening), Some(id)) = (opening, response.headers().get(SESSION)) {
            self.sessions.begun(opening, id);
        }
        if let (true, Some(session)) = (ends, &session) {
            self.sessions.ended(session);
        }
        Ok(response.map(|body| Body::new(Held { body, _place: place })))
    }

    async fn caller(
        &self,
        site: &Site,
        Client(client): Client,
        bearer: &Bearer,
        headers: &HeaderMap,
    ) -> Result<Caller, Response> {
        let data = site.data.of_workspace(bearer.workspace).await.map_err(|error| {
            site.fault("open the workspace of a token", &error);
            broken()
        })?;
        let shared = (&site.desk, &site.jobs, &self.checks);
        Ok(Caller::by_token(shared, (bearer, client), data, site.found_at(headers)))
    }
}

/// Where a request comes from, as a browser tells it.
enum Origin {
    /// A page elsewhere that the operator allows.
    Allowed(HeaderValue),
    /// Any other page: it must not use what somebody else's browser can reach.
    Foreign,
    /// This site, or a program, which tells none.
    Own,
}

impl Origin {
    fn of(site: &Site, request: &Request) -> Self {
        let Some(origin) = request.headers().get(header::ORIGIN) else { return Self::Own };
        let text = origin.to_str().unwrap_or_default();
        if site.settings.mcp_origins.iter().any(|allowed| allowed == text) {
            return Self::Allowed(origin.clone());
        }
        if text == site.found_at(request.headers()) { Self::Own } else { Self::Foreign }
    }
}

/// Who comes in by a token (RFC 6750 §2.1).
async fn bearer(
    site: &Site,
    Client(client): Client,
    headers: &HeaderMap,
) -> Result<Bearer, Response> {
    let shown = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let shown = shown.and_then(|value| {
        let (scheme, token) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
    });
    let challenge = |text: &'static str, message: &str| {
        let mut response = refusal(StatusCode::UNAUTHORIZED, ErrorCode::INVALID_REQUEST, message);
        let value = HeaderValue::from_static(text);
        response.headers_mut().insert(header::WWW_AUTHENTICATE, value);
        response
    };
    let Some(shown) = shown else {
        return Err(challenge("Bearer realm=\"waxseal\"", "the tools need a token"));
    };
    match site.tokens.authenticate(shown, client, site.now()).await {
        Ok(bearer) => Ok(bearer),
        Err(TokenError::TooMany { again_in }) => {
            let text = "too many wrong tokens";
            let mut response =
                refusal(StatusCode::TOO_MANY_REQUESTS, ErrorCode::INVALID_REQUEST, text);
            response.headers_mut().insert(header::RETRY_AFTER, (again_in.as_secs() + 1).into());
            Err(response)
        }
        Err(TokenError::Wrong) => {
            let text = "Bearer realm=\"waxseal\", error=\"invalid_token\"";
            Err(challenge(text, "this token lets nobody in"))
        }
        Err(error) => {
            site.fault("look for a token", &error);
            Err(broken())
        }
    }
}

/// The whole request and its message. What is no JSON gets the error of JSON-RPC for it.
async fn read(request: Request) -> Result<(Request, Value), Response> {
    let (parts, body) = request.into_parts();
    let octets = to_bytes(body, MCP_LINE_OCTETS_MAX).await.map_err(|_| {
        let text = format!("a message has at most {MCP_LINE_OCTETS_MAX} octets");
        refusal(StatusCode::PAYLOAD_TOO_LARGE, ErrorCode::INVALID_REQUEST, &text)
    })?;
    let message = serde_json::from_slice(&octets).map_err(|_| {
        refusal(StatusCode::BAD_REQUEST, ErrorCode::PARSE_ERROR, "this body is not JSON")
    })?;
    Ok((Request::from_parts(parts, Body::from(octets)), message))
}

fn too_many() -> Response {
    let text = "this token has as many sessions or requests open as it may";
    refusal(StatusCode::TOO_MANY_REQUESTS, ErrorCode::INVALID_REQUEST, text)
}

fn broken() -> Response {
    let text = "this server could not do its own job";
    refusal(StatusCode::INTERNAL_SERVER_ERROR, ErrorCode::INTERNAL_ERROR, text)
}

/// An error that belongs to no message.
fn refusal(status: StatusCode, code: ErrorCode, text: &str) -> Response {
    let error = ErrorData::new(code, text.to_owned(), None);
    let body = json!({ "jsonrpc": "2.0", "id": null, "error": error }).to_string();
    (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}

/// A body that holds a place for as long as somebody reads it.
struct Held<B> {
    body: B,
    _place: StreamPlace<TokenId>,
}

impl<B> HttpBody for Held<B>
where
    B: HttpBody<Data = Bytes> + Unpin,
{
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
