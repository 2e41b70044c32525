//! What leads to private addresses is not contacted, by whatever way it is named: over the pages, the interface
//! for programs and the tools for agents, in the real world with a name server that changes its answers.

use crate::http_agent::HttpAgent;
use crate::name_server::NameServer;
use crate::own_network::{Contacts, Network, in_own_network};
use crate::program::program;
use crate::site::Running;
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, Stdio};

/// Ports that a check knows of, and one that a report address may name.
const PORTS: [u16; 8] = [22, 25, 53, 80, 443, 465, 587, 8443];

/// Typed instead of a domain.
const TYPED: [&str; 16] = [
    "127.0.0.1",
    "169.254.169.254",
    "10.0.0.1",
    "0.0.0.0",
    "[::1]",
    "::1",
    "[::ffff:10.0.0.1]",
    "[64:ff9b::7f00:1]",
    "localhost",
    "2130706433",
    "0x7f000001",
    "0177.0.0.1",
    "127.1",
    "127.0.0.1:25",
    "http://127.0.0.1:8443/",
    "root@[127.0.0.1]",
];

/// Names that lead there.
const NAMED: [&str; 12] = [
    "mx-loopback.example",
    "mx-private.example",
    "mx-metadata.example",
    "mx-six.example",
    "mx-mapped.example",
    "mx-number.example",
    "mx-localhost.example",
    "implicit.example",
    "alias.example",
    "sts.example",
    "rpt.example",
    "zone.example",
];

const ZONE: &str = "
    localhost A 127.0.0.1
    localhost AAAA ::1
    0x7f000001 A 127.0.0.1
    2130706433 A 127.0.0.1
    mx-loopback.example MX mx.mx-loopback.example
    mx.mx-loopback.example A 127.0.0.1, 127.8.8.8
    mx-private.example MX mx.mx-private.example
    mx.mx-private.example A 10.0.0.1, 192.168.1.1, 172.16.0.1, 100.64.0.1
    mx-metadata.example MX mx.mx-metadata.example
    mx.mx-metadata.example A 169.254.169.254, 0.0.0.0, 255.255.255.255, 224.0.0.1
    mx-six.example MX mx.mx-six.example
    mx.mx-six.example AAAA ::1, fd00::25, fec0::25, fd00:ec2::254
    mx-mapped.example MX mx.mx-mapped.example
    mx.mx-mapped.example AAAA ::ffff:10.0.0.1, 64:ff9b::a00:1, 2002:a00:1::1, ::127.0.0.1
    mx-number.example MX 127.0.0.1
    127.0.0.1 A 127.0.0.1
    mx-localhost.example MX localhost
    implicit.example A 127.0.0.1
    implicit.example AAAA ::1
    alias.example CNAME implicit.example
    sts.example MX mx.mx-loopback.example
    _mta-sts.sts.example TXT v=STSv1; id=1;
    mta-sts.sts.example A 127.0.0.1, 10.0.0.1
    rpt.example MX mx.mx-loopback.example
    _smtp._tls.rpt.example TXT v=TLSRPTv1; rua=https://inside.rpt.example/,https://inside.rpt.example:8443/,https://127.0.0.1/
    inside.rpt.example A 127.0.0.1
    zone.example MX mx.mx-loopback.example
    zone.example NS ns.zone.example
    ns.zone.example A 127.0.0.1
    ns.zone.example AAAA ::1
";

fn site(names: &NameServer) -> Running {
    let resolver = names.address.to_string();
    Running::start(&[
        "serve",
        "--public-checker",
        "--checks-per-client",
        "1000",
        "--timeout",
        "2",
        "--resolver",
        &resolver,
    ])
}

/// An agent that comes in over HTTP.
fn remote(site: &Running) -> HttpAgent<'_> {
    let mut create = program();
    create.args(["token", "create", "--data", site.data_folder().to_str().unwrap()]);
    HttpAgent::begin(site, create)
}

/// What the page says in the end; an input that is refused at once counts too.
fn by_page(site: &Running, tool: &str, typed: &str) -> String {
    let typed = typed.replace('@', "%40").replace(':', "%3A").replace('/', "%2F");
    let answer = site.post(&format!("/tools/{tool}"), "", &format!("domain={typed}"));
    match answer.status {
        303 => site.get(&answer.headers["location"]).body,
        422 => answer.body,
        _ => panic!("{typed}: {answer:?}"),
    }
}

/// The report of the interface for programs; null for an input that is refused at once.
fn by_api(site: &Running, typed: &str, port: u16) -> Value {
    let body = json!({ "domain": typed, "port": port }).to_string();
    let (answer, begun) = site.json("POST", "/api/v1/checks", &body);
    if answer.status == 422 {
        return Value::Null;
    }
    assert_eq!(answer.status, 202, "{typed}: {answer:?}");
    let address = format!("/api/v1/checks/{}", begun["id"].as_str().unwrap());
    site.get(&format!("{address}/events"));
    site.json("GET", &address, "").1["report"].clone()
}

/// `waxseal mcp` over its standard input and output.
struct Agent {
    child: Child,
    input: ChildStdin,
    lines: std::io::Lines<BufReader<std::process::ChildStdout>>,
}

impl Agent {
    fn start(names: &NameServer) -> Self {
        let mut child = program()
            .args(["mcp", "--timeout", "2", "--resolver", &names.address.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let input = child.stdin.take().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut agent = Self { child, input, lines };
        agent.ask(
            "initialize",
            &json!({
                "protocolVersion": "2025-06-18", "capabilities": {},
                "clientInfo": { "name": "test", "version": "0" },
            }),
        );
        let ready = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
        writeln!(agent.input, "{ready}").unwrap();
        agent
    }

    fn ask(&mut self, method: &str, parameters: &Value) -> Value {
        let asked = json!({ "jsonrpc": "2.0", "id": 7, "method": method, "params": parameters });
        writeln!(self.input, "{asked}").unwrap();
        self.lines
            .by_ref()
            .map(|line| serde_json::from_str::<Value>(&line.unwrap()).unwrap())
            .find(|said| said["id"] == 7)
            .unwrap()
    }

    fn check(&mut self, domain: &str) -> Value {
        let call = json!({ "name": "check_domain", "arguments": { "domain": domain } });
        self.ask("tools/call", &call)["result"]["structuredContent"].clone()
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a report says about each address of each mail host.
fn outcomes(report: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let hosts = report["mx"].as_array().into_iter().flatten();
    hosts
        .flat_map(|host| host["addresses"].as_array().into_iter().flatten())
        .map(|address| (text(&address["address"]), text(&address["outcome"])))
        .collect()
}

#[test]
fn nothing_private_is_contacted_whatever_names_it() {
    in_own_network("web_targets::nothing_private_is_contacted_whatever_names_it", |network| {
        let names = NameServer::start(ZONE);
        let contacts = Contacts::watch(network, &PORTS);
        let site = site(&names);
        let mut agent = Agent::start(&names);
        let remote = remote(&site);
        for typed in TYPED.iter().chain(&NAMED) {
            let page = by_page(&site, "smtp-tls", typed);
            let refused = ["not public", "domain-problem", "dns-mx-ip-literal"];
            assert!(refused.iter().any(|words| page.contains(words)), "{typed}: {page}");
            by_page(&site, "mx", typed);
            for port in [25, 465, 587] {
                let report = by_api(&site, typed, port);
                assert!(
                    outcomes(&report).iter().all(|(_, outcome)| outcome == "guard-refused"),
                    "{typed}: {report}"
                );
            }
            for told in [agent.check(typed), remote.check(typed)] {
                assert!(told.is_object(), "{typed}: {told}");
            }
            assert_eq!(contacts.met(), [], "{typed}");
        }
        for name in ["mx-private.example", "mx-mapped.example"] {
            assert_eq!(
                outcomes(&by_api(&site, name, 25)).len(),
                4,
                "{name}: all addresses are judged"
            );
        }
        assert!(names.asked("zone.example", "NS") > 0);
    });
}

/// Each name leads somewhere else when it is asked again.
const CHANGING: &str = "
    first-public.example MX mx.first-public.example
    mx.first-public.example A PUBLIC
    mx.first-public.example A 127.0.0.1
    both.example MX mx.both.example
    mx.both.example A PUBLIC, 127.0.0.1
    first-private.example MX mx.first-private.example
    mx.first-private.example A 127.0.0.1
    mx.first-private.example A PUBLIC
    sts.example MX mx.both.example
    _mta-sts.sts.example TXT v=STSv1; id=1;
    mta-sts.sts.example A PUBLIC
    mta-sts.sts.example A 127.0.0.1
    _smtp._tls.sts.example TXT v=TLSRPTv1; rua=https://in.sts.example/
    in.sts.example A PUBLIC
    in.sts.example A 127.0.0.1
    zone.example MX mx.both.example
    zone.example NS ns.zone.example
    ns.zone.example A PUBLIC
    ns.zone.example A 127.0.0.1
";

#[test]
fn a_name_that_changes_its_answer_leads_nowhere_private() {
    in_own_network(
        "web_targets::a_name_that_changes_its_answer_leads_nowhere_private",
        |network| {
            // Outside of an own network nothing public may be contacted: there an address of no public network
            // takes its place, and is refused as well.
            let public = match network {
                Network::Own => "9.9.9.25",
                Network::Shared => "198.18.0.25",
            };
            let names = NameServer::start(&CHANGING.replace("PUBLIC", public));
            let contacts = Contacts::watch(network, &PORTS);
            let site = site(&names);
            let remote = remote(&site);
            let mut agent = Agent::start(&names);
            for name in ["first-public", "both", "first-private", "sts", "zone"] {
                let domain = format!("{name}.example");
                by_page(&site, "smtp-tls", &domain);
                let again = by_api(&site, &domain, 587);
                for (address, outcome) in outcomes(&again) {
                    let is_refused = outcome == "guard-refused";
                    assert_eq!(
                        is_refused,
                        address == "127.0.0.1" || network == Network::Shared,
                        "{again}"
                    );
                }
                by_page(&site, "mx", &domain);
                agent.check(&domain);
                remote.check(&domain);
            }
            for name in ["mx.first-public", "mx.first-private", "mta-sts.sts", "in.sts", "ns.zone"]
            {
                assert!(
                    names.asked(&format!("{name}.example"), "A") > 1,
                    "{name} gave its second answer"
                );
            }
            let met = contacts.met();
            let private: Vec<_> =
                met.iter().filter(|contact| contact.ip().to_string() != public).collect();
            assert!(private.is_empty(), "{private:?}");
            if network == Network::Own {
                for port in [25, 443, 587] {
                    let at = format!("{public}:{port}").parse().unwrap();
                    assert!(met.contains(&at), "{at} is where the name led first: {met:?}");
                }
            }
        },
    );
}
