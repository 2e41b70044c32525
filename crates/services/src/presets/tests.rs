//! Tests of the preset tables and of the judgement about a chosen port and mode.

use super::*;

#[test]
fn every_row_is_complete_and_sane() {
    let mut names = Vec::new();
    for preset in all() {
        let name = preset.name;
        assert!(!names.contains(&name), "{name} twice");
        names.push(name);
        assert!(!name.is_empty() && !preset.title.is_empty());
        assert!(
            name.bytes()
                .all(|each| each.is_ascii_lowercase() || each.is_ascii_digit() || each == b'-')
        );
        assert!(!preset.hosts.is_empty() && !preset.endpoints.is_empty(), "{name}");
        assert!(!preset.sign_in.is_empty(), "{name}");
        assert!(preset.documentation.starts_with("https://"), "{name}");
        for (at, endpoint) in preset.endpoints.iter().enumerate() {
            assert!(!preset.endpoints[..at].contains(endpoint), "{name}: {endpoint:?} twice");
            assert!(
                endpoint.mode != Mode::None || name == "local-mail-catcher",
                "{name} without TLS"
            );
        }
        assert_ne!(preset.recommended().port, 25, "{name}");
        assert!(
            for_host(&preset.hosts[0].template().replace(['{', '}'], ""))
                .any(|each| each.name == name)
        );
    }
    assert_eq!(names.len(), 60);
}

#[test]
fn the_services_have_their_documented_ports() {
    // Ports in rising order: STARTTLS, then TLS from the start.
    let cases: &[(&str, &[u16], &[u16], u16)] = &[
        ("amazon-ses", &[25, 587, 2587], &[465, 2465], 465),
        ("sendgrid", &[25, 587, 2525], &[465], 465),
        ("postmark", &[25, 587, 2525], &[], 587),
        ("mailgun", &[25, 587, 2525], &[465], 465),
        ("resend", &[25, 587, 2587], &[465, 2465], 465),
        ("sparkpost", &[587, 2525], &[], 587),
        ("brevo", &[587, 2525], &[465], 465),
        ("mailjet", &[25, 80, 587, 588, 2525], &[465], 465),
        ("mailersend", &[587], &[], 587),
        ("smtp2go", &[25, 80, 587, 2525, 8025], &[443, 465, 8465], 465),
        ("mandrill", &[25, 587, 2525], &[465], 465),
        ("zeptomail", &[587], &[465], 465),
        ("elastic-email", &[25, 587, 2525], &[465], 465),
        ("scaleway-tem", &[25, 587, 2587], &[465, 2465], 465),
        ("azure-communication-services", &[25, 587], &[], 587),
    ];
    for (name, starttls, tls, recommended) in cases {
        let preset = by_name(name).unwrap();
        let ports = |mode| {
            let of_mode = preset.endpoints.iter().filter(|endpoint| endpoint.mode == mode);
            let mut ports: Vec<u16> = of_mode.map(|endpoint| endpoint.port).collect();
            ports.sort_unstable();
            ports
        };
        assert_eq!(
            (&ports(Mode::Starttls)[..], &ports(Mode::Tls)[..]),
            (*starttls, *tls),
            "{name}"
        );
        assert_eq!(preset.recommended().port, *recommended, "{name}");
    }
}

#[test]
fn hosts_are_found() {
    let first = |host| for_host(host).next().map(|preset| preset.name);
    let cases = [
        ("email-smtp.eu-west-1.amazonaws.com", Some("amazon-ses")),
        ("EMAIL-SMTP.us-east-1.AmazonAWS.com.", Some("amazon-ses")),
        ("email-smtp.amazonaws.com", None),
        ("email-smtp.a.b.amazonaws.com", None),
        ("email-smtp.eu-west-1.amazonaws.com.example.com", None),
        ("smtp.gmail.com", Some("gmail")),
        ("ex4.mail.ovh.net", Some("ovh-exchange")),
        ("smtp.zeptomail.eu", Some("zeptomail")),
        ("smtp.zoho.com.au", Some("zoho-mail")),
        ("smtp.example.com", None),
        ("", None),
    ];
    for (host, name) in cases {
        assert_eq!(first(host), name, "{host}");
    }
    assert_eq!(for_host("smtp.gmail.com").count(), 2);
    assert_eq!(service_of_host("smtp-broadcasts.postmarkapp.com"), Some(ServiceId::Postmark));
    assert_eq!(service_of_host("smtp.gmail.com"), None);
    for id in ServiceId::ALL {
        assert_eq!(by_name(id.as_str()).unwrap().api, Some(id));
    }
}

#[test]
fn a_presented_name_leads_to_its_preset() {
    let first = |name| for_presented_name(name).next().map(|preset| preset.name);
    assert_eq!(first("ssl0.ovh.net"), Some("ovh"));
    assert_eq!(first("*.mailgun.org"), Some("mailgun"));
    assert_eq!(first("*.eu-west-1.amazonaws.com"), Some("amazon-ses"));
    assert_eq!(first("*.mail.ovh.net"), Some("ovh-exchange"));
    assert_eq!(first("*.org"), None);
    assert_eq!(first("*."), None);
}

#[test]
fn a_choice_is_judged_by_port_and_mode() {
    let cases = [
        ("gmail", 465, Mode::Tls, Judgement::Documented),
        ("gmail", 587, Mode::Starttls, Judgement::Documented),
        ("gmail", 465, Mode::Starttls, Judgement::OtherMode { documented: Mode::Tls }),
        ("gmail", 587, Mode::Tls, Judgement::OtherMode { documented: Mode::Starttls }),
        ("gmail", 587, Mode::None, Judgement::OtherMode { documented: Mode::Starttls }),
        ("gmail", 2525, Mode::Starttls, Judgement::UnknownPort { instead: STARTTLS_587 }),
        ("postmark", 465, Mode::Tls, Judgement::UnknownPort { instead: STARTTLS_587 }),
        ("amazon-ses", 466, Mode::Tls, Judgement::UnknownPort { instead: TLS_465 }),
        ("amazon-ses", 26, Mode::None, Judgement::UnknownPort { instead: TLS_465 }),
    ];
    for (name, port, mode, judgement) in cases {
        assert_eq!(by_name(name).unwrap().judge(port, mode), judgement, "{name} {port} {mode:?}");
    }
}

#[test]
fn a_blocked_port_has_alternatives() {
    let ports = |name, blocked| -> Vec<u16> {
        by_name(name).unwrap().alternatives(blocked).iter().map(|endpoint| endpoint.port).collect()
    };
    assert_eq!(ports("sendgrid", 465), [2525, 587]);
    assert_eq!(ports("amazon-ses", 25), [2465, 2587, 465, 587]);
    assert_eq!(ports("icloud", 587), [] as [u16; 0]);
}

#[test]
fn sign_in_flags_follow_the_rows() {
    assert!(by_name("outlook-com").unwrap().is_oauth_only());
    assert!(!by_name("microsoft-365").unwrap().is_oauth_only());
    assert!(by_name("gmail").unwrap().needs_app_password());
    assert!(!by_name("zoho-mail").unwrap().needs_app_password());
}
