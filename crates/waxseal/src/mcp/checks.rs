//! `check_domain` and `mx_records`.

use super::answer::{Refusal, guide_sections};
use super::arguments::{AreaName, CheckDomain, few, within};
use super::caller::Caller;
use super::schema::{Checked, Explained, shown};
use serde_json::Value;
use waxseal_app::check_desk::Look;
use waxseal_check::survey::Area;
use waxseal_proto::name::DomainName;

/// Checks a domain.
pub(super) async fn check(caller: &Caller, wanted: &CheckDomain) -> Result<Value, Refusal> {
    let input = within("domain", &wanted.domain)?.trim().to_owned();
    few("only", wanted.only.len())?;
    let areas = match wanted.only.as_slice() {
        [] => Area::ALL.to_vec(),
        only => only.iter().copied().map(Area::from).collect(),
    };
    let expected_mx = expected(&wanted.expect_mx)?;
    let look = Look { input, areas, expected_mx, port: wanted.port };
    let report = caller.look(look).await?;
    let guide_sections = guide_sections(report.findings.iter().map(|one| one.guide.as_str()));
    shown(&Explained { answer: Checked { report }, guide_sections })
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
