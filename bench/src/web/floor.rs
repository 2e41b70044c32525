//! A bare HTTP server: hyper on tokio, one answer for each path, nothing decided. It shows what the runtime and
//! the machine can do with these octets. Started as a process of its own; ends with its standard input.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};
use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

use crate::arguments::Arguments;

/// Serves the files of `--folder` by their names and prints where.
///
/// # Errors
/// When a file cannot be read or no socket be had.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let files = files(Path::new(arguments.required("folder")?))?;
    tokio::runtime::Runtime::new()?.block_on(serve(Arc::new(files)))
}

fn files(folder: &Path) -> Result<BTreeMap<String, Bytes>> {
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().into_string().ok().context("a file name is no text")?;
        files.insert(format!("/{name}"), Bytes::from(std::fs::read(entry.path())?));
    }
    Ok(files)
}

async fn serve(files: Arc<BTreeMap<String, Bytes>>) -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("http://{}", listener.local_addr()?);
    tokio::spawn(async move {
        loop {
            let Ok((stream, _)) = listener.accept().await else { continue };
            let _ = stream.set_nodelay(true);
            let files = Arc::clone(&files);
            let answer = move |request: Request<Incoming>| {
                let body = files.get(request.uri().path()).cloned().unwrap_or_default();
                async move { Ok::<_, Infallible>(response(body)) }
            };
            // A connection that breaks is counted by the one who measures.
            tokio::spawn(
                http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(answer)),
            );
        }
    });
    // The one who started this process holds the other end.
    tokio::io::copy(&mut tokio::io::stdin(), &mut tokio::io::sink()).await?;
    Ok(())
}

fn response(body: Bytes) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body));
    let html = HeaderValue::from_static("text/html; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, html);
    response
}
