//! The pages of connections over real HTTP, in a lab with a submission server: adding, the diagnosis of a wrong
//! mode, the suggestion that is applied by a click, roles, workspaces, and that no secret is in any answer.

use crate::person::Person;
use crate::program::{file, finish, program};
use crate::secrecy::{forms, holds};
use crate::site::Running;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};

/// The test account's password in the lab.
const PASSWORD: &str = "lab-only-9fK2mQx7vT4wZs";
const CANARY: &str = "Wr0ng/canary+of%20a&password=Q9";
const HOST: &str = "smtp.submission.test";

impl Person<'_> {
    /// Adds a connection to the lab's submission server, and gives its address.
    fn add(&self, name: &str, security: &str, secret: &str) -> String {
        let fields = [
            ("name", name),
            ("from-address", "news@submission.test"),
            ("host", HOST),
            ("port", "587"),
            ("security", security),
            ("user", "sender@submission.test"),
            ("auth", "automatic"),
            ("minimum-tls", "1.2"),
            ("ip", "any"),
            ("secret", secret),
        ];
        let (status, address) = self.post("/connections/new/smtp", &fields);
        assert_eq!(status, 303, "{address}");
        address.split('?').next().unwrap().to_owned()
    }
}

fn count(text: &str, part: &str) -> usize {
    text.matches(part).count()
}

#[test]
fn a_wrong_mode_is_diagnosed_and_mended_by_a_click() {
    let mut site = Running::start(&["lab", "serve"]);
    let link = site.first_link();
    let anna = Person::enter(&site, &link, "anna");
    let (_, empty) = anna.get("/connections");
    assert!(
        empty.contains("There is no connection") && empty.contains("href=\"/connections/new\"")
    );
    let typing = "/connections/warnings?host=smtp.submission.test&port=587&security=tls";
    let (_, notes) = anna.get(typing);
    assert!(notes.contains("input-mode-port-conflict") && !notes.contains("<html"), "{notes}");
    let (_, notes) = anna.get(&typing.replace("=tls", "=starttls"));
    assert!(!notes.contains("input-mode"), "{notes}");

    let address = anna.add("own", "tls", PASSWORD);
    let (_, page) = anna.get(&address);
    assert!(page.contains("id=\"state\">untested<"), "{page}");
    assert!(page.contains("/guides/findings/input-mode-port-conflict"), "also without scripts");
    let to = ("to", "you@submission.test");
    let (status, job) = anna.post(&format!("{address}/test"), &[to, ("key", "k-1")]);
    assert_eq!(status, 303, "{job}");
    let (_, failed) = anna.get(&job);
    let at_step = failed.split("<strong>tls</strong>").nth(1).unwrap();
    assert!(at_step[..700].contains("This port begins in plain text"), "{failed}");
    for words in [
        "/guides/findings/greet-plain-port-with-tls",
        "/guides/tls#port-and-security-mode",
        ">Change security to starttls<",
        "does not prove",
    ] {
        assert!(failed.contains(words), "{words}: {failed}");
    }
    let (_, page) = anna.get(&address);
    assert!(page.contains("id=\"state\">failing<") && page.contains("Change security to starttls"));

    let pair = [("port", "587"), ("security", "starttls")];
    assert_eq!(anna.post(&format!("{address}/apply"), &pair), (303, address.clone()));
    let (_, page) = anna.get(&address);
    assert!(page.contains("id=\"state\">untested<") && page.contains(":587 starttls"), "{page}");
    assert!(!page.contains("Change security to"), "it is applied");
    // The form of the first test sent again sends nothing.
    let (_, again) = anna.post(&format!("{address}/test"), &[to, ("key", "k-1")]);
    assert_eq!(again, job);
    let (_, job) = anna.post(&format!("{address}/test"), &[to, ("key", "k-2")]);
    let (_, passed) = anna.get(&job);
    assert!(
        passed.contains("The message was taken.") && passed.contains("<strong>passing</strong>")
    );
    let (_, job) = anna.post(&format!("{address}/verify"), &[]);
    assert!(anna.get(&job).1.contains("Settings and secret are right"), "{job}");
    let (_, log) = anna.get("/account");
    for word in
        ["connection.added", "connection.tested", "connection.changed", "connection.verified"]
    {
        assert!(log.contains(word), "{word}");
    }
    assert_eq!(count(&log, "connection.tested"), 2, "what was sent, not what was asked for again");
    for answer in anna.heard.borrow().iter() {
        assert!(answer.body.len() < 100_000, "{} octets", answer.body.len());
        for form in forms(PASSWORD.as_bytes()) {
            assert!(!holds(answer.body.as_bytes(), &form), "{}", answer.body);
        }
    }
}

#[test]
fn wrong_fields_are_named_beside_them_and_values_are_kept() {
    let mut site = Running::start(&["lab", "serve"]);
    let link = site.first_link();
    let anna = Person::enter(&site, &link, "anna");
    let fields = [
        ("name", ""),
        ("from-address", "not an address"),
        ("from-name", "Kept <b>"),
        ("host", HOST),
        ("port", "70000"),
        ("security", ""),
        ("user", "sender@submission.test"),
        ("secret", CANARY),
    ];
    let (status, page) = anna.post("/connections/new/smtp", &fields);
    assert_eq!(status, 422);
    for field in ["name", "from-address", "port", "security"] {
        assert!(page.contains(&format!("id=\"{field}-problem\"")), "{field}: {page}");
        assert!(page.contains(&format!("aria-describedby=\"{field}-problem")), "{field}");
    }
    for kept in ["value=\"70000\"", "value=\"Kept &#60;b&#62;\"", "value=\"not an address\""] {
        assert!(page.contains(kept), "{kept}: {page}");
    }
    let in_clear = [
        ("name", "clear"),
        ("from-address", "news@submission.test"),
        ("host", HOST),
        ("port", "587"),
        ("security", "none"),
    ];
    let (status, page) = anna.post("/connections/new/smtp", &in_clear);
    assert_eq!((status, page.contains("/connections/new/exception")), (422, true), "{page}");
    let (status, page) =
        anna.post("/connections/new/postmark", &[("name", "p"), ("server-token", CANARY)]);
    assert!(status == 422 && page.contains("from-address-problem"), "{page}");
    let address = anna.add("own", "starttls", CANARY);
    let (status, page) = anna.post(
        "/connections/new/smtp",
        &[
            ("name", "own"),
            ("from-address", "a@b.test"),
            ("host", HOST),
            ("port", "587"),
            ("security", "starttls"),
        ],
    );
    assert!(status == 422 && page.contains("id=\"name-problem\""), "{page}");
    // Another host asks for the secret again, and without it nothing changes.
    let (_, form) = anna.get(&format!("{address}/edit"));
    assert!(form.contains(&format!("value=\"{HOST}\"")) && form.contains("Stored since"), "{form}");
    let edit = [
        ("name", "own"),
        ("from-address", "news@submission.test"),
        ("host", "elsewhere.submission.test"),
        ("port", "587"),
        ("security", "starttls"),
        ("user", "sender@submission.test"),
    ];
    let (status, page) = anna.post(&format!("{address}/edit"), &edit);
    assert!(status == 422 && page.contains("id=\"secret-problem\""), "{page}");
    let remove = [edit.as_slice(), &[("remove-secret", "yes")]].concat();
    assert_eq!(anna.post(&format!("{address}/edit"), &remove).0, 303);
    let (_, page) = anna.get(&address);
    assert!(page.contains("No secret is stored yet") && page.contains("elsewhere.submission.test"));
    for answer in anna.heard.borrow().iter() {
        for form in forms(CANARY.as_bytes()) {
            assert!(!holds(answer.body.as_bytes(), &form), "{}", answer.body);
        }
    }
    let (_, log) = anna.get("/account");
    assert!(log.contains("connection.secret-removed"), "{log}");
}

#[test]
fn roles_and_workspaces_hold() {
    let mut site = Running::start(&["serve"]);
    let link = site.first_link();
    let anna = Person::enter(&site, &link, "anna");
    // Nobody listens there, which is a result like any other.
    let here = [
        ("name", "own"),
        ("from-address", "a@example.com"),
        ("host", "127.0.0.1"),
        ("port", "9"),
        ("security", "none"),
    ];
    let (_, address) = anna.post("/connections/new/smtp", &here);
    let (_, job) = anna.post(&format!("{address}/verify"), &[]);
    let viewer = anna.invited("viewer", "vera");
    let sender = anna.invited("sender", "sven");
    assert_eq!(site.get(&address).headers["location"], "/sign-in");
    assert!(!site.get("/").body.contains("href=\"/connections\""), "nothing for strangers");
    let (status, page) = viewer.get(&address);
    assert!(status == 200 && page.contains("href=\"/connections\""), "{page}");
    for part in ["/test\"", "/verify\"", "/edit\"", "/remove\"", "/use\""] {
        assert!(!page.contains(&format!("{address}{part}")), "{part}");
    }
    let to = [("to", "you@submission.test")];
    let owners = ["/edit", "/use", "/apply", "/remove", "/exception"];
    for path in owners.into_iter().chain(["/test", "/verify"]) {
        let (status, said) = viewer.post(&format!("{address}{path}"), &to);
        assert_eq!(status, 403, "{path}: {said}");
    }
    for path in owners {
        assert_eq!(sender.post(&format!("{address}{path}"), &to).0, 403, "{path}");
    }
    for path in ["/connections/new", "/connections/new/smtp"] {
        assert_eq!((viewer.get(path).0, sender.get(path).0), (403, 403), "{path}");
    }
    assert_eq!(sender.post(&format!("{address}/test"), &to).0, 303);
    let forged = anna.site.post(&format!("{address}/remove"), &anna.cookie, "form_token=x");
    assert_eq!(forged.status, 403);

    let data = site.data_folder().display().to_string();
    let run = |arguments: &[&str]| {
        let mut command = program();
        command.args(arguments).args(["--workspace", "two", "--data", &data]);
        let said = finish(&mut command, b"");
        assert_eq!(said.status, 0, "{said:?}");
        said.stdout.trim().to_owned()
    };
    let server = ["--host", "127.0.0.1", "--port", "25", "--security", "none"];
    let add = ["connection", "add", "x", "--no-secret", "--from-address", "a@example.com"];
    run(&[&add[..], &server].concat());
    let link = run(&["user", "invite", "--role", "owner"]);
    let zoe = Person::enter(&site, &link, "zoe");
    let log = zoe.get("/account").1;
    assert!(log.contains("connection.added") && log.contains("(command line)"), "{log}");
    let nothing = "/connections/01890a5d-ac96-774b-bcce-b302099a8057";
    for path in ["", "/edit", "/remove", "/exception", job.strip_prefix(&address).unwrap()] {
        let (foreign, missing) =
            (zoe.get(&format!("{address}{path}")), zoe.get(&format!("{nothing}{path}")));
        assert_eq!((foreign.0, &foreign.1), (404, &missing.1), "{path}");
    }
    for path in ["/test", "/verify", "/use", "/apply", "/remove", "/edit", "/exception"] {
        let fields = [to[0], ("port", "25"), ("security", "starttls")];
        assert_eq!(zoe.post(&format!("{address}{path}"), &fields).0, 404, "{path}");
    }
    let events = zoe.get(&format!("{job}/events"));
    assert_eq!(events.0, 404, "{events:?}");
    assert!(!zoe.get("/connections").1.contains("own"), "only those of the workspace");
    assert_eq!(anna.post(&format!("{address}/use"), &[("to", "disabled")]).0, 303);
    let (status, page) = anna.post(&format!("{address}/test"), &to);
    assert!(status == 409 && page.contains("is disabled"), "{page}");
    assert_eq!(anna.get(&format!("{address}/remove")).0, 200);
    assert_eq!(anna.post(&format!("{address}/remove"), &[]).1, "/connections");
    assert_eq!(anna.get(&address).0, 404);
}

#[test]
fn steps_appear_live_and_the_message_is_read_where_it_arrived() {
    let mut site = Running::start(&["lab", "serve"]);
    let link = site.first_link();
    let anna = Person::enter(&site, &link, "anna");
    let address = anna.add("own", "starttls", PASSWORD);
    let (status, fragment) = anna.post_with(
        &format!("{address}/test"),
        "HX-Request: true\r\n",
        &[("to", "you@submission.test")],
    );
    let events = fragment.split("sse-connect=\"").nth(1).unwrap().split('"').next().unwrap();
    assert_eq!((status, count(&fragment, "<html")), (200, 0), "{fragment}");
    let stream = TcpStream::connect(&site.address).unwrap();
    write!(&stream, "GET {events} HTTP/1.1\r\nHost: {}\r\n{}\r\n", site.address, anna.cookie)
        .unwrap();
    let mut steps = Vec::new();
    for told in BufReader::new(&stream).lines() {
        let told = told.unwrap();
        if let Some(step) = told.split("<strong>").nth(1) {
            steps.push(step.split('<').next().unwrap().to_owned());
        }
        if told == "event: end" {
            break;
        }
    }
    assert_eq!(steps.first().map(String::as_str), Some("settings"), "{steps:?}");
    assert_eq!(steps.last().map(String::as_str), Some("accepted"), "{steps:?}");
    let job = events.strip_suffix("/events").unwrap();
    let (_, page) = anna.get(job);
    assert!(page.contains("The message was taken."), "{page}");
    let id = page.split("Message-ID <code>").nth(1).unwrap().split('<').next().unwrap();

    let test = job.rsplit('/').next().unwrap();
    let lines = format!(
        "Received: from a.test ([198.51.100.1]) by mx.example.net with ESMTPS\r\n \
         (TLS1.3:TLS_AES_256_GCM_SHA384:256) id 1\r\nMessage-ID: <{id}>\r\n\r\nbody"
    );
    let upload = format!("{address}/received");
    for (field, text, words) in [
        ("file", "no header", "No header field"),
        ("pasted", "Message-ID: <other@x>\r\n\r\n", "not the message of a test"),
    ] {
        let (status, page) = anna.upload(&upload, &[("test", test), (field, text)]);
        assert!(status == 422 && page.contains(words), "{words}: {page}");
    }
    for field in ["file", "pasted"] {
        let (status, there) = anna.upload(&upload, &[("test", test), (field, &lines)]);
        assert_eq!((status, there.as_str()), (303, format!("{job}#arrived").as_str()));
    }
    let (_, page) = anna.get(job);
    assert!(page.contains("mx.example.net") && page.contains("TLS 1.3"), "{page}");
    assert!(page.contains("Every hop between machines claims TLS"), "{page}");
}

#[test]
fn an_exception_is_granted_on_its_own_page_only() {
    let mut site = Running::start(&["lab", "serve"]);
    let link = site.first_link();
    let anna = Person::enter(&site, &link, "anna");
    let address = anna.add("own", "starttls", PASSWORD);
    let exception = format!("{address}/exception");
    let (_, page) = anna.get(&exception);
    assert!(page.contains("What is lost") && page.contains("secret is removed"), "{page}");
    let (status, page) =
        anna.post(&exception, &[("exception-page", "http://x.test/"), ("exception-reason", "")]);
    assert_eq!(status, 422);
    assert!(page.contains("id=\"exception-page-problem\""), "{page}");
    let until = later(&anna.get(&address).1, 30);
    let granted = [
        ("exception-page", "https://provider.test/no-tls"),
        ("exception-reason", "An old relay."),
        ("exception-until", until.as_str()),
    ];
    assert_eq!(anna.post(&exception, &granted), (303, address.clone()));
    let (_, page) = anna.get(&address);
    for words in
        ["NOT ENCRYPTED", "granted by anna: An old relay.", "none: this mode never signs in"]
    {
        assert!(page.contains(words), "{words}: {page}");
    }
    assert!(anna.get("/connections").1.contains("NOT ENCRYPTED"));
    assert!(anna.get("/account").1.contains("connection.exception"));
    let new = [
        granted.as_slice(),
        &[
            ("name", "relay"),
            ("from-address", "a@b.test"),
            ("host", "relay.submission.test"),
            ("port", "25"),
        ],
    ]
    .concat();
    assert!(anna.get("/connections/new/exception").1.contains("What is lost"));
    let (status, there) = anna.post("/connections/new/exception", &new);
    assert_eq!(status, 303, "{there}");
}

/// A server in clear that tells when it has the message, and takes it once it may.
fn slow_server(has_it: Sender<()>, may_take: Receiver<()>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let reader = BufReader::new(stream.try_clone().unwrap());
        stream.write_all(b"220 a.test ESMTP\r\n").unwrap();
        let mut in_message = false;
        for told in reader.lines() {
            let reply: &[u8] = match told.unwrap().as_str() {
                "." => {
                    in_message = false;
                    has_it.send(()).unwrap();
                    may_take.recv().unwrap();
                    b"250 2.0.0 taken\r\n"
                }
                _ if in_message => continue,
                "DATA" => {
                    in_message = true;
                    b"354 go\r\n"
                }
                "QUIT" => return stream.write_all(b"221 bye\r\n").unwrap(),
                _ => b"250 ok\r\n",
            };
            stream.write_all(reply).unwrap();
        }
    });
    port
}

#[test]
fn a_begun_test_is_carried_to_its_end_when_the_server_is_asked_to_stop() {
    let (has_it, message) = channel();
    let (release, may_take) = channel();
    let port = slow_server(has_it, may_take);
    let folder = tempfile::tempdir().unwrap();
    let relays = format!("[[relays]]\nhost = \"127.0.0.1\"\nport = {port}\n");
    let config = file(&folder, "waxseal.toml", &relays).display().to_string();
    let arguments = ["--config", config.as_str(), "serve"];
    let mut site = Running::start(&arguments);
    let link = site.first_link();
    let anna = Person::enter(&site, &link, "anna");
    let here = [
        ("name", "own"),
        ("from-address", "a@example.com"),
        ("host", "127.0.0.1"),
        ("port", &port.to_string()),
        ("security", "none"),
    ];
    let (_, address) = anna.post("/connections/new/smtp", &here);
    let by_script = "HX-Request: true\r\n";
    let to = [("to", "b@example.net")];
    let (_, fragment) = anna.post_with(&format!("{address}/test"), by_script, &to);
    let events = fragment.split("sse-connect=\"").nth(1).unwrap_or_else(|| panic!("{fragment}"));
    let job = events.split("/events").next().unwrap().to_owned();
    let cookie = anna.cookie;
    message.recv().unwrap();
    site.signal("TERM");
    while TcpStream::connect(&site.address).is_ok() {
        std::thread::yield_now();
    }
    release.send(()).unwrap();
    site.restart(&arguments);
    let page = site.get_with(&job, &cookie).body;
    assert!(page.contains("The message was taken.") && page.contains("taken"), "{page}");
    assert!(site.get_with(&address, &cookie).body.contains("id=\"state\">passing<"));
}

/// The day some time after the one on which the connection of this page was added.
fn later(page: &str, days: i64) -> String {
    let added = page.split("Added</th><td><time datetime=\"").nth(1).unwrap();
    let added: jiff::civil::Date = added[..10].parse().unwrap();
    (added + jiff::SignedDuration::from_hours(24 * days)).to_string()
}
