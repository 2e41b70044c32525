//! What the command line prints with `--json` about stored connections, and what tools for agents answer: the
//! same values, so that they cannot drift apart. The connection itself is
//! [`waxseal_app::connections::wire::ConnectionView`].

use crate::cli::headers;
use schemars::JsonSchema;
use serde::Serialize;
use waxseal_app::connections::wire::{AccountView, ConnectionView, Offer, TrialView};
use waxseal_app::connections::{Changed, Verification};
use waxseal_app::test_send::Tested;
use waxseal_check::report::send::wire::SendV1;
use waxseal_check::report::wire::FindingV1;

/// All connections of a workspace.
#[derive(Serialize, JsonSchema)]
pub(crate) struct All<'a> {
    /// They, by name.
    pub(crate) connections: &'a [ConnectionView],
    /// The workspace.
    pub(crate) workspace: &'a str,
    /// Whether this is a lab.
    pub(crate) simulated: bool,
}

/// One connection.
#[derive(Serialize, JsonSchema)]
pub(crate) struct One<'a> {
    /// It.
    pub(crate) connection: &'a ConnectionView,
    /// Whether this is a lab.
    pub(crate) simulated: bool,
}

/// A connection that was added or changed.
#[derive(Serialize, JsonSchema)]
pub(crate) struct OneChanged<'a> {
    /// It, as it is now.
    pub(crate) connection: &'a ConnectionView,
    /// What is known of its host.
    pub(crate) offer: &'a Offer,
    /// What contradicts itself in its settings.
    pub(crate) warnings: &'a [FindingV1],
    /// The key file that was made for its secret.
    pub(crate) key_file_made: Option<String>,
    /// Whether this is a lab.
    pub(crate) simulated: bool,
}

/// What a verification found.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Verified<'a> {
    /// The connection, as it is now.
    pub(crate) connection: &'a ConnectionView,
    /// What happened; null when the service has no such question and only a test send can tell.
    pub(crate) result: &'a Option<SendV1>,
    /// What the account says about itself; null for SMTP.
    pub(crate) account: &'a Option<AccountView>,
    /// Whether this is a lab.
    pub(crate) simulated: bool,
}

/// A test and what became of its message.
#[derive(Serialize, JsonSchema)]
pub(crate) struct TestedOne<'a> {
    /// The identifier of the test.
    pub(crate) test: &'a str,
    /// Nothing was sent now: this is the outcome of an earlier test of the same key.
    pub(crate) repeated: bool,
    /// The connection, as it is now.
    pub(crate) connection: &'a ConnectionView,
    /// What became of the message.
    pub(crate) result: &'a SendV1,
    /// Whether this is a lab.
    pub(crate) simulated: bool,
}

/// The message of a test where it arrived.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Arrival<'a> {
    /// The connection.
    pub(crate) connection: &'a ConnectionView,
    /// The test whose message it is.
    pub(crate) test: &'a TrialView,
    /// What its header says of its path.
    pub(crate) received: headers::Message,
    /// Whether this is a lab.
    pub(crate) simulated: bool,
}

impl<'a> OneChanged<'a> {
    /// What was added or changed.
    pub(crate) fn of(changed: &'a Changed, simulated: bool) -> Self {
        Self {
            connection: &changed.connection,
            offer: &changed.offer,
            warnings: &changed.warnings,
            key_file_made: changed.key_file_made.as_ref().map(|path| path.display().to_string()),
            simulated,
        }
    }
}

impl<'a> Verified<'a> {
    /// What a verification found.
    pub(crate) const fn of(found: &'a Verification, simulated: bool) -> Self {
        let Verification { connection, result, account } = found;
        Self { connection, result, account, simulated }
    }
}

impl<'a> TestedOne<'a> {
    /// What became of a test.
    pub(crate) fn of(tested: &'a Tested, simulated: bool) -> Self {
        let Tested { test, connection, sent, repeated } = tested;
        Self { test, repeated: *repeated, connection, result: sent, simulated }
    }
}
