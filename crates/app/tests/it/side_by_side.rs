//! Mail hosts are probed side by side, and one address never sees two connections at once.

use super::lab_world::{lab_now, request, world};
use waxseal_app::check_domain;
use waxseal_lab::control::{Lab, LabOptions};
use waxseal_lab::scenario::Scenario;

/// Five hosts that each keep a client waiting, so that sessions overlap if they can.
const FIVE_SLOW_HOSTS: &str = r#"
title = "Five hosts that greet slowly"
kind = "healthy"

[[host]]
name = "mx$"
copies = 5
mx = 10
[[host.smtp]]
greeting = [{ pause_ms = 300 }, { send = "220 {host} slow\r\n" }]
"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hosts_side_by_side_and_addresses_one_at_a_time() {
    let scenario = Scenario::parse("healthy/five-slow-hosts", FIVE_SLOW_HOSTS).unwrap();
    let lab = Lab::start(std::slice::from_ref(&scenario), LabOptions::at(lab_now())).await.unwrap();
    let world = world(&lab.world(), &scenario);
    let checked = check_domain(&world, &request(&scenario), &|_| {}).await;

    assert_eq!(checked.report.mx.len(), 5);
    assert!(lab.recorder().most_open() >= 5, "at most {} at once", lab.recorder().most_open());
    for host in &checked.report.mx {
        let address = host.addresses.first().unwrap();
        assert_eq!(address.outcome, "starttls-ok");
        let published = address.address.parse().unwrap();
        assert_eq!(lab.recorder().most_open_to(published), 1, "{}", host.host);
    }
}
