//! What every request passes: the host it names, the headers every answer carries, one log line, the
//! counters. Invariant: no answer leaves without the security headers, and neither path nor query is logged,
//! because result links are secrets.

use super::api;
use super::client::{Peer, client};
use super::log::Event;
use super::site::Site;
use super::visitor;
use crate::limits::REQUEST_TOTAL;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use waxseal_app::world::Stopwatch;

/// Whom budgets count for this request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Client(pub(crate) IpAddr);

/// Scripts, styles and pictures of this site only, and no way to frame it or to send a form elsewhere.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
     img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

const SECURITY_HEADERS: [(HeaderName, &str); 7] = [
    (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "same-origin"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (
        HeaderName::from_static("permissions-policy"),
        "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    ),
];

/// A year; sent only where this program itself speaks TLS or is told that its public address is https.
const STRICT_TRANSPORT_SECURITY: &str = "max-age=31536000";

/// Around every request.
pub(super) async fn guard(
    State(site): State<Arc<Site>>,
    mut request: Request,
    next: Next,
) -> Response {
    let began = Stopwatch::start();
    let method = request.method().clone();
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or_else(|| "none".to_owned(), |path| path.as_str().to_owned());
    let peer = request.extensions().get::<Peer>().copied();
    let peer = peer.unwrap_or(Peer(SocketAddr::from(([0, 0, 0, 0], 0))));
    let client = client(peer, request.headers(), &site.settings.proxies);
    request.extensions_mut().insert(Client(client));
    let mut response = if site.settings.answers_for(host(&request)) {
        if is_from_elsewhere(&request) && route != crate::mcp::http::PATH {
            (StatusCode::FORBIDDEN, "This was sent by a page of another site.\n").into_response()
        } else {
            let headers = request.headers().clone();
            visitor::answering(&site, &headers, next.run(request)).await
        }
    } else {
        (StatusCode::MISDIRECTED_REQUEST, "This server does not answer for that host name.\n")
            .into_response()
    };
    let headers = response.headers_mut();
    for (name, value) in &SECURITY_HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if site.settings.is_https {
        let value = HeaderValue::from_static(STRICT_TRANSPORT_SECURITY);
        headers.insert(header::STRICT_TRANSPORT_SECURITY, value);
    }
    headers.entry(header::CACHE_CONTROL).or_insert_with(|| HeaderValue::from_static("no-cache"));
    let status = response.status();
    site.metrics.request(&route, status.as_u16(), began.elapsed());
    site.log.write(&Event::Request {
        method: method.as_str(),
        route: &route,
        status: status.as_u16(),
        took: began.elapsed(),
    });
    response
}

/// The host that the request names (RFC 9112 §3.2).
fn host(request: &Request) -> Option<&str> {
    let named = request.headers().get(header::HOST).and_then(|value| value.to_str().ok());
    request.uri().authority().map(axum::http::uri::Authority::as_str).or(named)
}

/// Whether a request changes nothing (RFC 9110 §9.2.1).
fn is_only_looking(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

/// Whether a page of another site had this request sent, as the browser says (Fetch Metadata, or RFC 6454 §7).
/// Only requests that change something are judged; programs send neither header. The tools for agents have a rule
/// of their own, and no cookie opens them.
fn is_from_elsewhere(request: &Request) -> bool {
    if is_only_looking(request.method()) {
        return false;
    }
    let text = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = text("sec-fetch-site") {
        return !matches!(site, "same-origin" | "none");
    }
    text("origin").is_some_and(|origin| {
        let authority = origin.split_once("://").map(|(_, authority)| authority);
        authority != host(request)
    })
}

/// What changes something is carried to its end, also when its visitor goes away: a change that was made is noted.
pub(crate) async fn to_the_end(request: Request, next: Next) -> Response {
    if is_only_looking(request.method()) {
        return next.run(request).await;
    }
    match visitor::on_its_own(next.run(request)).await {
        Ok(response) => response,
        Err(_) => (StatusCode::INTERNAL_SERVER_ERROR, "This did not work.\n").into_response(),
    }
}

/// A request that waits for nothing but this program ends in time.
pub(super) async fn in_time(request: Request, next: Next) -> Response {
    let is_of_a_program = request.uri().path().starts_with("/api/");
    match tokio::time::timeout(REQUEST_TOTAL, next.run(request)).await {
        Ok(response) => response,
        Err(_) if is_of_a_program => api::too_slow(),
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "This took too long.\n").into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::Router;
    use axum::body::Body;
    use axum::middleware::from_fn;
    use axum::routing::any;
    use hyper::service::Service as _;
    use hyper_util::service::TowerToHyperService;
    use tokio::sync::mpsc;

    #[tokio::test]
    async fn a_change_goes_on_without_its_visitor_and_a_look_does_not() {
        for (method, goes_on) in [(Method::POST, true), (Method::GET, false)] {
            let (begun, mut has_begun) = mpsc::unbounded_channel();
            let (go, may_go) = tokio::sync::watch::channel(false);
            let (done, mut is_done) = mpsc::unbounded_channel();
            let work = move || {
                let (begun, mut may_go, done) = (begun.clone(), may_go.clone(), done.clone());
                async move {
                    begun.send(()).unwrap();
                    may_go.wait_for(|go| *go).await.unwrap();
                    done.send(()).unwrap();
                }
            };
            let router: Router = Router::new().route("/", any(work)).layer(from_fn(to_the_end));
            let service = TowerToHyperService::new(router);
            let request = Request::builder().method(&method).body(Body::empty()).unwrap();
            tokio::select! {
                _ = service.call(request) => panic!("nobody let it go on"),
                _ = has_begun.recv() => {}
            }
            drop(service);
            let _ = go.send(true);
            assert_eq!(is_done.recv().await.is_some(), goes_on, "{method}");
        }
    }
}
