//! The files that pages load: style sheet, icon, scripts. Each address carries a mark of the content, so that
//! browsers may keep it for good. htmx and its extension are as published; their origin and SHA-256 stand in
//! `assets/VENDORED.toml`, which tidy compares.

use axum::extract::Path;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

/// A file, its media type, and the octets.
struct Asset {
    name: &'static str,
    media_type: &'static str,
    octets: &'static [u8],
}

const ASSETS: [Asset; 5] = [
    Asset {
        name: "waxseal.css",
        media_type: "text/css; charset=utf-8",
        octets: include_bytes!("../../assets/waxseal.css"),
    },
    Asset {
        name: "seal.svg",
        media_type: "image/svg+xml",
        octets: include_bytes!("../../assets/seal.svg"),
    },
    Asset {
        name: "waxseal.js",
        media_type: SCRIPT,
        octets: include_bytes!("../../assets/waxseal.js"),
    },
    Asset {
        name: "htmx-2.0.11.min.js",
        media_type: SCRIPT,
        octets: include_bytes!("../../assets/htmx-2.0.11.min.js"),
    },
    Asset {
        name: "htmx-ext-sse-2.2.4.min.js",
        media_type: SCRIPT,
        octets: include_bytes!("../../assets/htmx-ext-sse-2.2.4.min.js"),
    },
];

const SCRIPT: &str = "text/javascript; charset=utf-8";

/// The addresses of the files, for templates.
#[derive(Clone, Debug)]
pub(crate) struct Assets {
    /// The style sheet.
    pub(crate) style: String,
    /// The icon.
    pub(crate) icon: String,
    /// Our own script.
    pub(crate) script: String,
    /// htmx.
    pub(crate) htmx: String,
    /// Its extension for server-sent events.
    pub(crate) events: String,
}

impl Assets {
    /// The addresses of this build.
    pub(crate) fn new() -> Self {
        let [style, icon, script, htmx, events] =
            ASSETS.map(|asset| format!("/assets/{}?v={:016x}", asset.name, mark(asset.octets)));
        Self { style, icon, script, htmx, events }
    }
}

/// FNV-1a: tells two versions of a file apart; it protects nothing.
fn mark(octets: &[u8]) -> u64 {
    octets.iter().fold(0xcbf2_9ce4_8422_2325, |hash, octet| {
        (hash ^ u64::from(*octet)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// `GET /favicon.ico`, which browsers ask for beside anything that is no page of ours.
pub(super) async fn icon() -> Response {
    serve(Path("seal.svg".to_owned())).await
}

/// `GET /assets/{name}`.
pub(super) async fn serve(Path(name): Path<String>) -> Response {
    let Some(asset) = ASSETS.iter().find(|asset| asset.name == name) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(asset.media_type));
    let keep = HeaderValue::from_static("public, max-age=31536000, immutable");
    headers.insert(header::CACHE_CONTROL, keep);
    (headers, asset.octets).into_response()
}
