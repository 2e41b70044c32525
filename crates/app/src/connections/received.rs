//! What the lines of a test's message say where it arrived, kept with the test. The way in is
//! [`note_arrived`]. Keep: the lines are claims of the servers that wrote them and change no state, and of foreign
//! text only bounded parts are kept.

use super::wire::{TrialView, time};
use super::{ConnectionsError, FieldProblem, find};
use crate::limits::{RECEIVED_HOPS_KEPT, RECEIVED_TEXT_CHARS_MAX};
use crate::store::Data;
use jiff::Timestamp;
use serde::Serialize;
use waxseal_proto::message::path::MailPath;
use waxseal_proto::message::received::{Hop, TlsVersionNoted};
use waxseal_store::connection::TrialKind;
use waxseal_store::connections::{Connections as _, ReceivedNote};

/// A message as somebody saved it where it arrived.
#[derive(Clone, Copy, Debug)]
pub struct ArrivedMessage<'a> {
    /// Its Message-ID, without angle brackets.
    pub message_id: Option<&'a str>,
    /// Its `Received` lines.
    pub path: &'a MailPath,
}

/// The field `received` of the detail of a test.
#[derive(Serialize)]
struct ReceivedView {
    read_at: String,
    /// As `waxseal headers` says it; null when the lines do not say.
    all_encrypted: Option<bool>,
    /// A place in hops.
    first_unencrypted: Option<usize>,
    /// Newest first.
    hops: Vec<HopView>,
    /// Older lines that were not kept.
    hops_left_out: usize,
}

#[derive(Serialize)]
struct HopView {
    by: Option<String>,
    from: Option<String>,
    protection: &'static str,
    tls_version: Option<&'static str>,
    cipher: Option<String>,
}

impl ReceivedView {
    fn of(path: &MailPath, now: Timestamp) -> Self {
        let hops: Vec<HopView> =
            path.hops.iter().take(RECEIVED_HOPS_KEPT).map(HopView::of).collect();
        let hops_left_out = path.hops.len() - hops.len() + path.hops_not_read;
        Self {
            read_at: time(now),
            all_encrypted: path.all_encrypted(),
            first_unencrypted: path.first_unencrypted(),
            hops,
            hops_left_out,
        }
    }
}

impl HopView {
    fn of(hop: &Hop) -> Self {
        let from = hop.from.helo.as_deref().or(hop.from.name.as_deref()).map(bounded);
        Self {
            by: hop.by.as_deref().map(bounded),
            from: from.or_else(|| hop.from.ip.map(|ip| ip.to_string())),
            protection: hop.protection.as_str(),
            tls_version: hop.tls.version.map(TlsVersionNoted::as_str),
            cipher: hop.tls.cipher.as_deref().map(bounded),
        }
    }
}

fn bounded(text: &str) -> String {
    text.chars().take(RECEIVED_TEXT_CHARS_MAX).collect()
}

/// Keeps what a message says with the test of the connection that sent it, in place of what was kept before,
/// and gives the test back.
///
/// # Errors
/// No such connection, or the message of no test of it: another message says nothing about it.
pub async fn note_arrived(
    data: &Data,
    name: &str,
    message: ArrivedMessage<'_>,
    now: Timestamp,
) -> Result<TrialView, ConnectionsError> {
    let connection = find(data, name).await?;
    let (store, workspace) = (data.store(), data.workspace());
    let mut tests = store.trials(workspace, connection.id, TrialKind::Test).await?;
    let sent = |test: &TrialView| {
        let id = test.detail.get("message_id").and_then(serde_json::Value::as_str);
        id.is_some() && id == message.message_id
    };
    tests.retain(|test| sent(&TrialView::of(&connection, test)));
    let Some(test) = tests.first().map(|test| test.id) else {
        let problem =
            FieldProblem::new("received", "is not the message of a test of this connection");
        let hint = "send one with --to, and save it with its full header where it arrived";
        return Err(problem.hint(hint).into());
    };
    let json = serde_json::to_string(&ReceivedView::of(message.path, now))
        .unwrap_or_else(|_| "null".to_owned());
    store.note_received(workspace, connection.id, &[ReceivedNote { trial: test, json }]).await?;
    let tests = store.trials(workspace, connection.id, TrialKind::Test).await?;
    let noted = tests.iter().find(|noted| noted.id == test);
    noted.map(|noted| TrialView::of(&connection, noted)).ok_or_else(|| {
        FieldProblem::new("received", "belongs to a test that was removed meanwhile").into()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use waxseal_proto::message::header::HeaderBlock;
    use waxseal_store::limits::RECEIVED_NOTE_OCTETS_MAX;

    #[test]
    fn the_largest_note_fits_beside_its_test() {
        let long = "\\\"".repeat(2_000);
        let line = format!(
            "Received: from \"{long}\" ([192.0.2.1]) by {long} with ESMTPS (TLS1.3:{long}:256) id 1\r\n"
        );
        let block = HeaderBlock::parse(line.repeat(400).as_bytes());
        let path = MailPath::of(&block);
        let view = ReceivedView::of(&path, Timestamp::UNIX_EPOCH);
        assert_eq!(view.hops.len(), RECEIVED_HOPS_KEPT.min(path.hops.len()));
        let json = serde_json::to_string(&view).unwrap();
        assert!(json.len() <= RECEIVED_NOTE_OCTETS_MAX, "{}", json.len());
        // Every character escaped, in every field.
        let worst = RECEIVED_HOPS_KEPT * (3 * 6 * RECEIVED_TEXT_CHARS_MAX + 200) + 400;
        assert!(worst <= RECEIVED_NOTE_OCTETS_MAX, "{worst}");
    }
}
