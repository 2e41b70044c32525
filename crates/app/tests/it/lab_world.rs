//! A world made of a lab's parts.

use std::time::Duration;
use waxseal_app::check_domain::{CheckRequest, ControlHost};
use waxseal_app::world::{self, Parts, Route, Waits, World};
use waxseal_check::limits::Limits;
use waxseal_check::survey::{Area, Depth};
use waxseal_lab::control::{LabParts, Route as LabRoute};
use waxseal_lab::scenario::Scenario;
use waxseal_proto::name::{DomainName, TargetInput};

/// Waits that a lab on loopback never needs in full.
fn waits(scenario: &Scenario) -> Waits {
    let mut waits = Waits {
        connect: Duration::from_millis(1500),
        greeting: Duration::from_millis(1500),
        reply: Duration::from_millis(1500),
        farewell: Duration::from_millis(500),
        message_end: Duration::from_millis(1500),
        handshake: Duration::from_millis(1500),
        session_total: Duration::from_secs(6),
        dns_query: Duration::from_secs(1),
        dns_attempts: 2,
        dns_total: Duration::from_secs(4),
        fetch_total: Duration::from_secs(3),
        service_request: Duration::from_secs(3),
        service_answer: Duration::from_millis(1500),
        spacing: Duration::ZERO,
        connections_max: 64,
    };
    for (name, value) in &scenario.options.limits {
        let ms = Duration::from_millis(*value);
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
            "greeting_slow_ms" | "mx_hosts_max" | "addresses_per_host_max" | "survey_total_ms" => {}
            other => panic!("{}: unknown limit {other}", scenario.name),
        }
    }
    waits
}

fn limits(scenario: &Scenario) -> Limits {
    let mut limits = Limits { survey_total: Duration::from_secs(20), ..Limits::default() };
    for (name, value) in &scenario.options.limits {
        match name.as_str() {
            "greeting_slow_ms" => limits.greeting_slow = Duration::from_millis(*value),
            "mx_hosts_max" => limits.mx_hosts_max = usize::try_from(*value).unwrap(),
            "addresses_per_host_max" => {
                limits.addresses_per_host_max = usize::try_from(*value).unwrap();
            }
            "survey_total_ms" => limits.survey_total = Duration::from_millis(*value),
            _ => {}
        }
    }
    limits
}

/// The lab's world with the scenario's limits.
pub(crate) fn world(parts: &LabParts, scenario: &Scenario) -> World {
    let routes = parts
        .routes
        .iter()
        .map(|(key, route)| {
            let route = match route {
                LabRoute::Socket(address) => Route::Socket(*address),
                LabRoute::Unanswered => Route::Unanswered,
                LabRoute::Unreachable => Route::Unreachable,
            };
            (*key, route)
        })
        .collect();
    let now = jiff::Timestamp::from_second(scenario.options.now.unwrap_or(parts.now)).unwrap();
    world::simulated(Parts {
        resolver: parts.resolver,
        trust_anchor: parts.trust_anchor.clone(),
        routes,
        roots_pem: parts.roots_pem.clone(),
        now: Some(now),
        waits: waits(scenario),
    })
    .unwrap()
}

/// The check a scenario asks for.
pub(crate) fn request(scenario: &Scenario) -> CheckRequest {
    let options = &scenario.options;
    let mut request = CheckRequest::full(scenario.input());
    request.limits = limits(scenario);
    request.depth = Depth::WithFollowUps;
    if let Some(only) = &options.only {
        request.areas = only.split(',').map(|word| Area::parse(word).unwrap()).collect();
    }
    if let Some(port) = &options.port {
        request.port = port.parse().unwrap();
    }
    request.expected_mx = options
        .expect_mx
        .iter()
        .map(|host| DomainName::parse(host.split_whitespace().last().unwrap()).unwrap())
        .collect();
    request.controls = options
        .control_hosts
        .iter()
        .map(|text| {
            let input = TargetInput::parse(text).unwrap();
            ControlHost { host: input.target, port: input.port.unwrap_or(25) }
        })
        .collect();
    request
}

/// The present moment, for which a lab is made.
#[expect(clippy::disallowed_methods, reason = "a lab is made for the present moment")]
pub(crate) fn lab_now() -> i64 {
    jiff::Timestamp::now().as_second()
}
