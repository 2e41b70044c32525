//! Looks at other pairs of port and mode after an attempt that failed: one connection at a time.

use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpListener;
use waxseal_app::submission::{
    Encryption, Family, Goal, Protection, SubmissionRequest, parse_host, submit,
};
use waxseal_app::world::{self, PrivateTargets, Settings, SimulationOptions};

#[tokio::test]
async fn looks_come_one_after_the_other() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent = listener.local_addr().unwrap();
    let counts = Arc::new(Mutex::new(Vec::new()));
    let counted = Arc::clone(&counts);
    let server = tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut octets = Vec::new();
            // It says nothing and waits until the client has given up.
            let at_once = tokio::select! {
                biased;
                _ = stream.read_to_end(&mut octets) => 1,
                _ = listener.accept() => 2,
            };
            counted.lock().unwrap().push(at_once);
        }
    });
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let options = SimulationOptions {
        zone_file: Some(r#"{"records":[],"secure":[]}"#.to_owned()),
        connect: [465, 587, 2525].map(|port| format!("127.0.0.1:{port}={silent}")).to_vec(),
        private_targets: PrivateTargets::Allowed,
        ..SimulationOptions::default()
    };
    let timeout = Some(Duration::from_millis(100));
    let world = world::real(Settings { timeout, options, ..Settings::default() }).unwrap();
    let request = SubmissionRequest {
        host: parse_host("127.0.0.1").unwrap(),
        port: closed.port(),
        protection: Protection::Tls(Encryption::default()),
        ehlo_name: None,
        family: Family::Any,
        goal: Goal::Verify,
    };
    let sent = submit(&world, &request, &mut |_| {}).await.unwrap();
    assert_eq!(sent.ended, "connect-refused");
    server.abort();
    let counts = counts.lock().unwrap();
    // The end of the last one may not have been seen yet.
    assert!(counts.len() >= 2 && counts.iter().all(|at_once| *at_once == 1), "{counts:?}");
}
