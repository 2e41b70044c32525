//! Somebody in front of a browser: comes in by a link, keeps the cookie, sends forms with the token of the session.

use crate::site::{Answer, Running};
use std::cell::RefCell;

/// The password of everybody here.
const ACCOUNT: &str = "four+words+of+chance";

/// A person with a browser that keeps its cookie; everything answered is kept to be searched.
pub(crate) struct Person<'a> {
    pub(crate) site: &'a Running,
    pub(crate) cookie: String,
    pub(crate) form_token: String,
    pub(crate) heard: RefCell<Vec<Answer>>,
}

impl<'a> Person<'a> {
    pub(crate) fn enter(site: &'a Running, link: &str, name: &str) -> Self {
        let body = format!("name={name}&password={ACCOUNT}&again={ACCOUNT}");
        let entered = site.post(link, "", &body);
        let cookie = entered.headers["set-cookie"].split(';').next().unwrap();
        let cookie = format!("Cookie: {cookie}\r\n");
        let page = site.get_with("/account", &cookie).body;
        let token = page.split("name=\"form_token\" value=\"").nth(1).unwrap();
        let form_token = token.split('"').next().unwrap().to_owned();
        Self { site, cookie, form_token, heard: RefCell::default() }
    }

    pub(crate) fn invited(&self, role: &str, name: &str) -> Self {
        let page = self.post("/account/invite", &[("role", role)]);
        let link = page.1.split("/enter/").nth(1).unwrap().split('<').next().unwrap();
        Self::enter(self.site, &format!("/enter/{link}"), name)
    }

    pub(crate) fn get(&self, path: &str) -> (u16, String) {
        self.keep(self.site.get_with(path, &self.cookie))
    }

    /// Sends a form with the token of the session; gives status and body, or the address that it leads to.
    pub(crate) fn post(&self, path: &str, fields: &[(&str, &str)]) -> (u16, String) {
        self.post_with(path, "", fields)
    }

    pub(crate) fn post_with(
        &self,
        path: &str,
        headers: &str,
        fields: &[(&str, &str)],
    ) -> (u16, String) {
        let token = [("form_token", self.form_token.as_str())];
        let encoded = |(name, value): &(&str, &str)| format!("{name}={}", percent(value));
        let body: Vec<String> = token.iter().chain(fields).map(encoded).collect();
        let headers = format!("{}{headers}", self.cookie);
        self.keep(self.site.post(path, &headers, &body.join("&")))
    }

    pub(crate) fn upload(&self, path: &str, fields: &[(&str, &str)]) -> (u16, String) {
        let token = [("form_token", self.form_token.as_str())];
        let mut body = String::new();
        for (name, value) in token.iter().chain(fields) {
            let file = if *name == "file" { "; filename=\"a.eml\"" } else { "" };
            let head = format!("Content-Disposition: form-data; name=\"{name}\"{file}");
            body.extend(["--Lim1t\r\n", &head, "\r\n\r\n", value, "\r\n"]);
        }
        body += "--Lim1t--\r\n";
        let answer = self.site.send(&format!(
            "POST {path} HTTP/1.1\r\nHost: {}\r\n{}Connection: close\r\n\
             Content-Type: multipart/form-data; boundary=Lim1t\r\nContent-Length: {}\r\n\r\n{body}",
            self.site.address,
            self.cookie,
            body.len()
        ));
        self.keep(answer)
    }

    fn keep(&self, answer: Answer) -> (u16, String) {
        let shown = match answer.headers.get("location") {
            Some(location) => location.clone(),
            None => answer.body.clone(),
        };
        let status = answer.status;
        self.heard.borrow_mut().push(answer);
        (status, shown)
    }
}

fn percent(text: &str) -> String {
    let plain = |octet: u8| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'.' | b'_');
    let each = |octet: u8| {
        if plain(octet) { char::from(octet).to_string() } else { format!("%{octet:02X}") }
    };
    text.bytes().map(each).collect()
}
