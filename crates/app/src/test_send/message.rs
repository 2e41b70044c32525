//! The message of a test: composed once, and given to SMTP or to a service. Keep: every field of it has a
//! type that cannot hold a line end.

use super::TestError;
use crate::submission::{Onward, Transaction};
use crate::world::{World, WorldError};
use waxseal_proto::name::Mailbox;
use waxseal_proto::smtp::ReversePath;
use waxseal_send::compose::{Composed, Draft, Seed, compose, test_draft};
use waxseal_send::header::{Address, HeaderText};
use waxseal_services::address::{EmailAddress, NamedAddress};
use waxseal_services::message::{
    Content, IdempotencyKey, MessageId, Outgoing, Parties, Reference, Subject,
};
use waxseal_store::connection::Connection;
use waxseal_store::id::TrialId;

/// A composed test message.
#[derive(Debug)]
pub(super) struct TestMessage {
    draft: Draft,
    composed: Composed,
}

impl TestMessage {
    /// The message of a test of this connection.
    pub(super) fn compose(
        world: &World,
        connection: &Connection,
        to: &Mailbox,
    ) -> Result<Self, TestError> {
        let settings = &connection.settings;
        let name = settings.from_name.as_ref();
        let name = name.map(|name| HeaderText::parse(name.as_str())).transpose().map_err(wrong)?;
        let from = Address { name, mailbox: settings.from_address.clone() };
        let subject = format!("Waxseal test of {}", connection.name);
        let subject = HeaderText::parse(&subject).map_err(wrong)?;
        let seed = Seed(world.net().seed_octets().map_err(WorldError::from)?);
        let draft = test_draft(from, Address::bare(to.clone()), subject, seed);
        let composed = compose(&draft, world.now(), seed).map_err(wrong)?;
        Ok(Self { draft, composed })
    }

    /// Its Message-ID, without angle brackets.
    pub(super) fn id(&self) -> &str {
        self.composed.message_id.as_str()
    }

    /// The message with its envelope.
    pub(super) fn transaction(&self) -> Result<Transaction, TestError> {
        let sender = ReversePath::Mailbox(self.draft.from.mailbox.clone());
        let recipients = vec![self.draft.to.mailbox.clone()];
        let message = self.composed.data.clone();
        Transaction::new(sender, recipients, message, Onward::Unspecified).map_err(wrong)
    }

    /// The message as a delivery service takes it; the service knows it by the test's identifier.
    pub(super) fn outgoing(&self, test: TrialId) -> Result<Outgoing, TestError> {
        let address = |address: &Address| -> Result<NamedAddress, TestError> {
            let mailbox = EmailAddress::from_mailbox(&address.mailbox).map_err(wrong)?;
            match &address.name {
                Some(name) => NamedAddress::new(mailbox, name.as_str()).map_err(wrong),
                None => Ok(NamedAddress::bare(mailbox)),
            }
        };
        let parties = Parties {
            from: address(&self.draft.from)?,
            to: address(&self.draft.to)?,
            reply_to: None,
        };
        let subject = Subject::parse(self.draft.subject.as_str()).map_err(wrong)?;
        let content = Content::new(&self.draft.text, &self.draft.html).map_err(wrong)?;
        let test = test.to_string();
        let reference = Reference::parse(&test).map_err(wrong)?;
        let id = MessageId::parse(&format!("<{}>", self.id())).map_err(wrong)?;
        let key = IdempotencyKey::parse(&test).map_err(wrong)?;
        Outgoing::new(parties, subject, content, reference)
            .with_message_id(id)
            .with_idempotency_key(key)
            .with_mime(self.composed.data.as_bytes().to_vec())
            .map_err(wrong)
    }
}

/// Errors of parts that name their field and never show a value.
fn wrong(error: impl std::error::Error) -> TestError {
    let mut problem = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        problem.push_str(": ");
        problem.push_str(&error.to_string());
        source = error.source();
    }
    TestError::Message { problem }
}
