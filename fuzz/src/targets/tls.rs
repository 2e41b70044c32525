//! The first messages of a TLS server, read without any cryptography (RFC 9846 §4.1.3, §5.1).
//!
//! How the messages were cut into packets never changes what is read.

use waxseal_proto::tls::hello::{HelloAnswer, ServerFlight};
use waxseal_proto::tls::tap::first_octets as classify;

/// Reads an answer whole and octet by octet: both see the same.
pub fn server_flight(data: &[u8]) {
    let whole = answer(data, data.len().max(1));
    let single = answer(data, 1);
    match (&whole, &single) {
        // How many octets are kept of an answer that is no TLS depends on what had arrived.
        (Some(HelloAnswer::NotTls(_)), Some(HelloAnswer::NotTls(_))) => {}
        _ => assert_eq!(whole, single, "the answer depends on how the octets were cut"),
    }
    assert!(whole.is_some(), "an ended connection without an answer");
}

fn answer(data: &[u8], piece: usize) -> Option<HelloAnswer> {
    let mut flight = ServerFlight::new();
    for octets in data.chunks(piece) {
        flight.handle_server_bytes(octets);
    }
    assert!(flight.received() <= data.len(), "more received than sent");
    flight.handle_closed();
    flight.poll_answer()
}

/// Tells TLS from what is not.
pub fn first_octets(data: &[u8]) {
    let _ = classify(data).is_tls();
}
