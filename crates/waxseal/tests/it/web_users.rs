//! Coming in for the first time, signing in and out, inviting, a forgotten password: over real HTTP, and by the
//! command line beside it.

use crate::program::{finish, program};
use crate::site::{Answer, Running};

const PASSWORD: &str = "four+words+of+chance";

fn cookie_of(answer: &Answer) -> String {
    let cookie = &answer.headers["set-cookie"];
    assert!(cookie.starts_with("waxseal-session="), "{cookie}");
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"), "{cookie}");
    format!("Cookie: {}\r\n", cookie.split(';').next().unwrap())
}

/// The value of a hidden field.
fn form_token(page: &Answer) -> String {
    let after = page.body.split("name=\"form_token\" value=\"").nth(1).unwrap();
    after.split('"').next().unwrap().to_owned()
}

/// `waxseal user …` on the data of a running site.
fn user(site: &Running, arguments: &[&str]) -> (i32, String, String) {
    let mut command = program();
    command.arg("user").args(arguments).args(["--data", site.data_folder().to_str().unwrap()]);
    let said = finish(&mut command, b"");
    (said.status, said.stdout.trim().to_owned(), said.stderr)
}

fn enter(site: &Running, link: &str, name: &str) -> Answer {
    site.post(link, "", &format!("name={name}&password={PASSWORD}&again={PASSWORD}"))
}

fn come_in(site: &mut Running) -> Answer {
    let link = site.first_link();
    enter(site, &link, "anna")
}

#[test]
fn the_first_owner_comes_in_by_a_link_that_works_once() {
    let mut site = Running::start(&["serve"]);
    let link = site.first_link();
    let shown = site.get(&link);
    assert_eq!((shown.status, shown.headers["cache-control"].as_str()), (200, "no-store"));
    assert!(shown.headers["x-robots-tag"].contains("noindex"));
    for (body, words) in [
        ("name=anna&password=short&again=short", "12 to 256 characters"),
        ("name=anna&password=four+words+of+chance&again=other+words+of+chance", "not the same"),
        ("name=a%3Cb&password=four+words+of+chance&again=four+words+of+chance", "A name has"),
    ] {
        let refused = site.post(&link, "", body);
        assert_eq!(refused.status, 422, "{body}");
        assert!(refused.body.contains(words), "{body}: {}", refused.body);
        assert!(!refused.body.contains("four words"), "a password is never shown");
    }
    let entered = enter(&site, &link, "anna");
    assert_eq!((entered.status, entered.headers["location"].as_str()), (303, "/account"));
    assert_eq!(enter(&site, &link, "eve").status, 404, "it works once");
    let page = site.get_with("/account", &cookie_of(&entered));
    assert!(page.body.contains("<strong>anna</strong>") && page.body.contains("owner"));
    assert_eq!(page.headers["cache-control"], "no-store");
    assert_eq!(site.get("/account").headers["location"], "/sign-in");
}

#[test]
fn names_that_do_not_exist_are_answered_like_wrong_passwords() {
    let mut site = Running::start(&["serve"]);
    come_in(&mut site);
    let sign_in = |name: &str, password: &str| {
        site.post("/sign-in", "", &format!("name={name}&password={password}"))
    };
    let wrong = sign_in("anna", "wrong+words+of+chance");
    let nobody = sign_in("nobody", "wrong+words+of+chance");
    assert_eq!((wrong.status, nobody.status), (401, 401));
    let without_name = |answer: &Answer, name: &str| answer.body.replace(name, "");
    assert_eq!(without_name(&wrong, "anna"), without_name(&nobody, "nobody"));
    let right = sign_in("anna", PASSWORD);
    assert_eq!(right.status, 303, "{right:?}");
    let mut tried = (0..20).map(|_| sign_in("anna", "wrong+words+of+chance").status);
    assert!(tried.any(|status| status == 429), "tries are limited");
}

#[test]
fn a_session_ends_here_and_everywhere() {
    let mut site = Running::start(&["serve"]);
    let first = cookie_of(&come_in(&mut site));
    let signed_in = site.post("/sign-in", "", &format!("name=anna&password={PASSWORD}"));
    let second = cookie_of(&signed_in);
    let status = |cookie: &str| site.get_with("/account", cookie).status;
    assert_eq!((status(&first), status(&second)), (200, 200));
    let token = form_token(&site.get_with("/account", &first));
    let post = |path: &str, cookie: &str, token: &str| {
        site.post(path, cookie, &format!("form_token={token}&role=viewer")).status
    };
    for path in ["/sign-out", "/account/sign-out-everywhere", "/account/invite"] {
        assert_eq!(post(path, &first, ""), 403, "{path} without the token of the session");
        assert_eq!(post(path, &second, &token), 403, "{path} with that of another session");
    }
    assert_eq!(post("/sign-out", &first, &token), 303);
    assert_eq!((status(&first), status(&second)), (303, 200));
    let token = form_token(&site.get_with("/account", &second));
    assert_eq!(post("/account/sign-out-everywhere", &second, &token), 303);
    assert_eq!(status(&second), 303);
}

#[test]
fn an_invitation_gives_its_role_and_no_more() {
    let mut site = Running::start(&["serve"]);
    let owner = cookie_of(&come_in(&mut site));
    let token = form_token(&site.get_with("/account", &owner));
    let invited = site.post("/account/invite", &owner, &format!("form_token={token}&role=viewer"));
    let link = invited.body.split("/enter/").nth(1).unwrap().split('<').next().unwrap();
    let viewer = enter(&site, &format!("/enter/{link}"), "bert");
    let viewer = cookie_of(&viewer);
    let page = site.get_with("/account", &viewer);
    assert!(page.body.contains("<code>viewer</code>"), "{}", page.body);
    assert!(!page.body.contains("Invite somebody") && !page.body.contains("user.invited"));
    let token = form_token(&page);
    let refused = site.post("/account/invite", &viewer, &format!("form_token={token}&role=owner"));
    assert_eq!(refused.status, 403);
    let log = site.get_with("/account", &owner).body;
    for word in ["user.added", "user.invited"] {
        assert!(log.contains(word), "{word}");
    }
    assert_eq!(site.get("/tools/mx").status, 403);
    assert_eq!(site.get_with("/tools/mx", &viewer).status, 200, "people may check");
}

#[test]
fn a_forgotten_password_is_replaced_by_a_link_from_the_command_line() {
    let mut site = Running::start(&["serve"]);
    let cookie = cookie_of(&come_in(&mut site));
    let (status, _, words) = user(&site, &["reset", "nobody"]);
    assert_eq!((status, words.lines().count()), (2, 1), "{words}");
    let (status, link, _) = user(&site, &["reset", "anna"]);
    assert_eq!(status, 0);
    let new = "other+words+of+chance";
    let entered = site.post(&link, "", &format!("password={new}&again={new}"));
    assert_eq!(entered.status, 303, "{entered:?}");
    assert_eq!(site.get_with("/account", &cookie).status, 303, "old sessions ended");
    let sign_in = |password: &str| {
        site.post("/sign-in", "", &format!("name=anna&password={password}")).status
    };
    assert_eq!((sign_in(PASSWORD), sign_in(new)), (401, 303));
    let (_, listed, _) = user(&site, &["list", "--json"]);
    let listed: serde_json::Value = serde_json::from_str(&listed).unwrap();
    assert_eq!(
        (&listed["users"][0]["name"], &listed["users"][0]["role"]),
        (&"anna".into(), &"owner".into())
    );
    let (_, link, _) = user(&site, &["invite", "--role", "sender"]);
    assert!(site.get(&link).body.contains("sender"), "{link}");
    let database = std::fs::read(site.data_folder().join("waxseal.db")).unwrap();
    let holds = |words: &[u8]| database.windows(words.len()).any(|part| part == words);
    assert!(
        !holds(b"other words of chance") && !holds(link.trim_start_matches("/enter/").as_bytes())
    );
}

#[test]
fn a_new_start_ends_the_links_for_a_first_owner_before_it() {
    let mut site = Running::start(&["serve"]);
    let first = site.first_link();
    let (_, invitation, _) = user(&site, &["invite", "--role", "owner"]);
    site.restart(&["serve"]);
    let second = site.first_link();
    let status = |path: &str| site.get(path).status;
    assert_eq!((status(&first), status(&second), status(&invitation)), (404, 200, 200));
    assert_eq!(enter(&site, &invitation, "anna").status, 303, "an owner came in another way");
    assert_eq!(status(&second), 404, "there is an owner now");
}

#[test]
fn owners_see_the_people_of_their_own_workspace_only() {
    let mut site = Running::start(&["serve"]);
    let anna = cookie_of(&come_in(&mut site));
    let data = site.data_folder();
    let mut add = program();
    add.args(["connection", "add", "own", "--no-secret", "--host", "127.0.0.1", "--port", "25"])
        .args(["--security", "none", "--from-address", "a@example.com", "--workspace", "two"])
        .args(["--data", data.to_str().unwrap()]);
    assert_eq!(finish(&mut add, b"").status, 0);
    let (status, link, words) = user(&site, &["invite", "--role", "owner", "--workspace", "two"]);
    assert_eq!(status, 0, "{words}");
    let zoe = cookie_of(&enter(&site, &link, "zoe"));
    let page = site.get_with("/account", &zoe);
    assert!(page.body.contains("<th scope=\"row\">zoe</th>"), "{}", page.body);
    assert!(page.body.contains("user.added") && !page.body.contains("anna"), "{}", page.body);
    let body = format!("form_token={}&role=viewer", form_token(&page));
    let invited = site.post("/account/invite", &zoe, &body);
    let link = invited.body.split("/enter/").nth(1).unwrap().split('<').next().unwrap();
    assert_eq!(enter(&site, &format!("/enter/{link}"), "yan").status, 303);
    assert!(site.get_with("/account", &zoe).body.contains("<th scope=\"row\">yan</th>"));
    let page = site.get_with("/account", &anna).body;
    assert!(page.contains("anna"), "{page}");
    for foreign in ["zoe", "yan"] {
        assert!(!page.contains(foreign), "{foreign}: {page}");
    }
    let (status, ..) = user(&site, &["reset", "anna", "--workspace", "two"]);
    assert_eq!(status, 2, "nobody there has this name");
}
