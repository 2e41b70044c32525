//! TLS reporting (RFC 8460): the record that asks for reports (§3). It sends and reads no report. Start
//! at [`RecordSet::evaluate`]. A change must keep addresses that cannot be used visible with their reason.

mod record;
mod rua;
#[cfg(test)]
mod tests;

pub use record::{RecordError, RecordParse, RecordSet, RecordWarning, TlsRptRecord, parse_record};
pub use rua::{ReportDestination, Rua, RuaError};
