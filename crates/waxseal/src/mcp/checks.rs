//! `check_domain`, `mx_records` and `read_headers`.

use super::Shared;
use super::answer::{Refusal, guide_sections, json_of};
use super::arguments::{AreaName, CheckDomain, ReadHeaders, few, within};
use super::untrusted::{HEADERS, REPORT, mark};
use crate::cli::headers::{Arrived, NO_HEADER};
use crate::limits::MCP_MESSAGE_OCTETS_MAX;
use serde_json::{Value, json};
use waxseal_app::check_desk::PORTS;
use waxseal_app::{CheckRequest, check_domain};
use waxseal_check::survey::Area;
use waxseal_proto::name::DomainName;

/// Checks a domain.
pub(super) async fn check(shared: &Shared, wanted: &CheckDomain) -> Result<Value, Refusal> {
    let mut request = CheckRequest::full(within("domain", &wanted.domain)?.trim());
    if !PORTS.contains(&wanted.port) {
        return Err(Refusal::argument("port", "not 25, 465 or 587"));
    }
    few("only", wanted.only.len())?;
    if !wanted.only.is_empty() {
        request.areas = wanted.only.iter().copied().map(Area::from).collect();
    }
    request.expected_mx = expected(&wanted.expect_mx)?;
    request.port = wanted.port;
    request.controls.clone_from(&shared.settings.controls);
    request.limits = shared.settings.limits.clone();
    let _place = shared.place()?;
    let report = Box::pin(check_domain(&shared.world, &request, &|_| {})).await.report;
    let guides = guide_sections(report.findings.iter().map(|finding| finding.guide.as_str()));
    let mut report = json_of(&report)?;
    mark(&mut report, REPORT);
    Ok(json!({ "report": report, "guide_sections": guides }))
}

impl From<AreaName> for Area {
    fn from(name: AreaName) -> Self {
        match name {
            AreaName::Mx => Self::Mx,
            AreaName::MtaSts => Self::MtaSts,
            AreaName::Tls => Self::Tls,
            AreaName::TlsRpt => Self::TlsRpt,
        }
    }
}

/// A preference before a name, as provider pages write it, is left out.
fn expected(hosts: &[String]) -> Result<Vec<DomainName>, Refusal> {
    few("expect_mx", hosts.len())?;
    let read = |host: &String| {
        let name = within("expect_mx", host)?.split_whitespace().last().unwrap_or_default();
        DomainName::parse(name).map_err(|error| Refusal::argument("expect_mx", error))
    };
    hosts.iter().map(read).collect()
}

/// Reads the header of a received message.
pub(super) fn headers(wanted: &ReadHeaders) -> Result<Value, Refusal> {
    if wanted.message.len() > MCP_MESSAGE_OCTETS_MAX {
        let problem = format!("has more than {MCP_MESSAGE_OCTETS_MAX} octets");
        return Err(Refusal::argument("message", problem).hint("give its header only"));
    }
    let arrived = Arrived::parse(wanted.message.as_bytes()).ok_or_else(|| {
        Refusal::argument("message", "no header field of a message in it").hint(NO_HEADER)
    })?;
    let mut message = json_of(&arrived.wire())?;
    mark(&mut message, HEADERS);
    Ok(message)
}
