//! How a scenario wants the check to be called: its options as a request and as the waits of its world.
//! An option that the check does not know is an error that names the scenario.

use super::super::error::CliError;
use super::super::world::lab_waits;
use crate::limits::LAB_SURVEY;
use std::time::Duration;
use waxseal_app::world::Waits;
use waxseal_app::{CheckRequest, ControlHost};
use waxseal_check::limits::Limits;
use waxseal_check::survey::Area;
use waxseal_lab::scenario::Scenario;
use waxseal_proto::name::{DomainName, TargetInput};

/// The limits of the world and of the survey.
pub(super) fn limits(scenario: &Scenario) -> Result<(Waits, Limits), CliError> {
    let mut waits = lab_waits(None);
    let mut limits = Limits { survey_total: LAB_SURVEY, ..Limits::default() };
    for (name, value) in &scenario.options.limits {
        let ms = Duration::from_millis(*value);
        let count = usize::try_from(*value).unwrap_or(usize::MAX);
        match name.as_str() {
            "connect_ms" => waits.connect = ms,
            "greeting_ms" => waits.greeting = ms,
            "reply_ms" => waits.reply = ms,
            "message_end_ms" => waits.message_end = ms,
            "farewell_ms" => waits.farewell = ms,
            "handshake_ms" => waits.handshake = ms,
            "session_total_ms" => waits.session_total = ms,
            "dns_query_ms" => waits.dns_query = ms,
            "dns_total_ms" => waits.dns_total = ms,
            "fetch_total_ms" => waits.fetch_total = ms,
            "service_answer_ms" => waits.service_answer = ms,
            "spacing_ms" => waits.spacing = ms,
            "greeting_slow_ms" => limits.greeting_slow = ms,
            "mx_hosts_max" => limits.mx_hosts_max = count,
            "addresses_per_host_max" => limits.addresses_per_host_max = count,
            "survey_total_ms" => limits.survey_total = ms,
            other => return Err(wrong(scenario, &format!("unknown limit {other}"))),
        }
    }
    Ok((waits, limits))
}

/// The check the scenario asks for.
pub(super) fn request(scenario: &Scenario, limits: Limits) -> Result<CheckRequest, CliError> {
    let options = &scenario.options;
    let mut request = CheckRequest::full(scenario.input());
    request.limits = limits;
    if let Some(only) = &options.only {
        let areas = only.split(',').map(Area::parse).collect::<Option<Vec<_>>>();
        request.areas = areas.ok_or_else(|| wrong(scenario, &format!("unknown area in {only}")))?;
    }
    if let Some(port) = &options.port {
        match port.parse() {
            Ok(number) => request.port = number,
            Err(_) => request.input = format!("{}:{port}", scenario.input()),
        }
    }
    for host in &options.expect_mx {
        let name = host.split_whitespace().last().unwrap_or_default();
        let name = DomainName::parse(name).map_err(|error| wrong(scenario, &error.to_string()))?;
        request.expected_mx.push(name);
    }
    for text in &options.control_hosts {
        let input =
            TargetInput::parse(text).map_err(|error| wrong(scenario, &error.to_string()))?;
        request.controls.push(ControlHost { host: input.target, port: input.port.unwrap_or(25) });
    }
    Ok(request)
}

fn wrong(scenario: &Scenario, why: &str) -> CliError {
    CliError::usage(format!("lab: scenario {}: {why}", scenario.name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scenario_can_be_asked_for() {
        for scenario in super::super::all().unwrap() {
            let (_, limits) = limits(&scenario).unwrap();
            assert!(request(&scenario, limits).is_ok(), "{}", scenario.name);
        }
    }
}
