//! Domain and host names, typed targets and address blocks (RFC 1035 §2.3, RFC 5890, RFC 5891,
//! RFC 6890). The only constructor of a [`DomainName`] parses; [`TargetInput::parse`] reads what a
//! person typed; [`Mailbox::parse`] reads an address; [`classify`] says whether an address is public.

mod address_class;
mod domain;
mod idn;
mod input;
mod mailbox;
#[cfg(test)]
mod tests;

pub use address_class::{AddressClass, classify};
pub use domain::{DomainName, NameError, NameErrorKind};
pub use input::{InputError, InputNote, Target, TargetInput};
pub use mailbox::{LocalPart, MailDomain, Mailbox, MailboxError, MailboxErrorKind};

pub(crate) use input::parse_address;
