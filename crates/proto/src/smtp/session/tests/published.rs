//! The 19 published odd servers of `vectors/starttls`, each with the outcome it must get.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Peer, Silence, is_allowed};
use crate::smtp::session::{Until, Verified};

/// One entry of `vectors/starttls/servers.json`.
#[derive(Deserialize)]
struct Server {
    id: String,
    greeting: String,
    capabilities: Vec<String>,
    capabilities_tls: Vec<String>,
    starttls_reply: String,
    hide_commands: Vec<String>,
    override_response: BTreeMap<String, String>,
    outcome: String,
}

impl Server {
    fn peer(&self) -> Peer {
        let reply = |verb: &str, usual: Vec<u8>| -> Vec<u8> {
            if let Some(reply) = self.override_response.get(verb) {
                return reply.clone().into_bytes();
            }
            if self.hide_commands.iter().any(|hidden| hidden.eq_ignore_ascii_case(verb)) {
                return b"500 Syntax error, command unrecognized\r\n".to_vec();
            }
            usual
        };
        let list = |capabilities: &[String]| {
            let lines: Vec<String> =
                capabilities.iter().map(|capability| format!("250-{capability}\r\n")).collect();
            format!("250-smtp.example.com\r\n{}250 HELP\r\n", lines.concat()).into_bytes()
        };
        let mut peer = Peer::good().silence(Silence::Closed).greeting(self.greeting.as_bytes());
        peer.clear = BTreeMap::from([
            ("EHLO", reply("ehlo", list(&self.capabilities))),
            ("HELO", reply("helo", b"250 smtp.example.com\r\n".to_vec())),
            ("STARTTLS", reply("starttls", self.starttls_reply.clone().into_bytes())),
            ("QUIT", reply("quit", b"221 bye\r\n".to_vec())),
        ]);
        peer.inside("EHLO", &list(&self.capabilities_tls))
    }
}

#[test]
fn the_published_odd_servers_get_their_outcome() {
    let servers: Vec<Server> =
        serde_json::from_str(include_str!("../../../../vectors/starttls/servers.json")).unwrap();
    assert_eq!(servers.len(), 19);
    for server in servers {
        for chunk in [usize::MAX, 7, 1] {
            let mut peer = server.peer();
            peer.chunk = chunk;
            let (seen, sent) = peer.run(Until::Quit);
            assert_eq!(seen.outcome().as_str(), server.outcome, "{} by {chunk}", server.id);
            assert!(is_allowed(&sent, Verified::Yes, true), "{}: {sent:?}", server.id);
        }
    }
}
