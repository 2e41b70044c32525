//! Tools that read one text and ask nobody: a message header, an address, records and policies, certificates.

use super::answer::Refusal;
use super::arguments::{
    CheckAddress, InspectCertificates, ReadHeaders, ReadMtaSts, ReadTlsRpt, within,
};
use super::schema::{Sts, shown};
use crate::cli::headers::{Arrived, NO_HEADER};
use crate::limits::MCP_MESSAGE_OCTETS_MAX;
use crate::wire::mechanism::{Address, Certificates, RptRecord, StsMatch, StsPolicy, StsRecord};
use serde_json::Value;
use waxseal_proto::mta_sts::{parse_policy, parse_record};
use waxseal_proto::name::DomainName;
use waxseal_proto::tls_rpt;

/// A text that may be as long as a message.
fn long<'a>(name: &str, text: &'a str) -> Result<&'a str, Refusal> {
    if text.len() > MCP_MESSAGE_OCTETS_MAX {
        let problem = format!("has more than {MCP_MESSAGE_OCTETS_MAX} octets");
        return Err(Refusal::argument(name, problem));
    }
    Ok(text)
}

/// The header of a received message.
pub(super) fn arrived(message: &str) -> Result<Arrived, Refusal> {
    let message = long("message", message).map_err(|found| found.hint("give its header only"))?;
    Arrived::parse(message.as_bytes()).ok_or_else(|| {
        Refusal::argument("message", "no header field of a message in it").hint(NO_HEADER)
    })
}

/// The path of a received message.
pub(super) fn headers(wanted: &ReadHeaders) -> Result<Value, Refusal> {
    shown(&arrived(&wanted.message)?.wire())
}

/// Whether a text is an email address.
pub(super) fn address(wanted: &CheckAddress) -> Result<Value, Refusal> {
    shown(&Address::of(within("address", &wanted.address)?))
}

/// What an MTA-STS record and policy say.
pub(super) fn mta_sts(wanted: &ReadMtaSts) -> Result<Value, Refusal> {
    let record = wanted.record.as_deref().map(|text| within("record", text)).transpose()?;
    let policy = wanted.policy.as_deref().map(|text| long("policy", text)).transpose()?;
    if record.is_none() && policy.is_none() {
        return Err(Refusal::argument("record", "give a record, a policy, or both"));
    }
    let host = wanted.host.as_deref().map(|host| within("host", host)).transpose()?;
    let parsed = policy.map(|text| parse_policy(text.as_bytes()));
    let listed = host.zip(parsed.as_ref()).map(|(host, parsed)| {
        let name = DomainName::parse(host).ok();
        let pattern = parsed.policy.as_ref().zip(name);
        let pattern = pattern.and_then(|(policy, name)| policy.matching(&name));
        StsMatch::of(pattern.map(ToString::to_string))
    });
    shown(&Sts {
        record: record.map(|text| StsRecord::of(&parse_record(text))),
        policy: parsed.as_ref().map(StsPolicy::of),
        listed,
    })
}

/// What a TLS reporting record says.
pub(super) fn tls_rpt(wanted: &ReadTlsRpt) -> Result<Value, Refusal> {
    shown(&RptRecord::of(&tls_rpt::parse_record(within("record", &wanted.record)?)))
}

/// What certificates say.
pub(super) fn certificates(wanted: &InspectCertificates) -> Result<Value, Refusal> {
    let pem = long("pem", &wanted.pem)?;
    let read = Certificates::read(pem.as_bytes());
    shown(&read.map_err(|problem| Refusal::argument("pem", problem))?)
}
