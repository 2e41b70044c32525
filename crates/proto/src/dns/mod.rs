//! DNS answers as values (RFC 1034, RFC 2308, RFC 4035). Found, no data, no name and failed are kept
//! apart, and so are secure, insecure, bogus and indeterminate. Nothing here looks anything up; the
//! way in is [`DnsAnswer`]. A change must never let a failure look like an absence.

mod answer;
mod mx_set;
mod record;
#[cfg(test)]
mod tests;

pub use answer::{Authenticity, DnsAnswer, Failure, Outcome};
pub use mx_set::MxSet;
pub use record::{
    MxExchange, MxRecord, QueryName, Record, RecordType, SoaRecord, TlsaRecord, TxtRecord,
};
