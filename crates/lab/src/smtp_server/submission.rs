//! The part of a session that only submission servers have (RFC 6409): AUTH exchanges, envelope, message.
//! A scripted reply always takes the place of the correct one. The way in: [`Session::command`].

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::behaviour::{Action, Stage, Step};
use super::service::SubmissionService;
use super::session::{Flow, Session};
use super::sign_in::{Exchange, Turn, hexadecimal};
use super::transaction::Terms;
use crate::mailbox::StoredMessage;

/// Octets of one message; a longer one ends the session.
const MESSAGE_OCTETS_MAX: usize = 64 * 1024 * 1024;

impl Session {
    /// Answers one command line.
    pub(super) async fn command(&mut self, line: &str) -> Flow {
        let server = std::sync::Arc::clone(&self.server);
        let behaviour = &server.behaviour;
        let verb = line.split([' ', ':']).next().unwrap_or_default().to_lowercase();
        let scripted = behaviour.scripted(&verb, self.stage);
        let Some(service) = &behaviour.submission else {
            let standard = || behaviour.standard_answer(&verb, self.stage, &server.host);
            let steps = scripted.unwrap_or_else(standard);
            return self.steps(&steps).await;
        };
        if verb == "auth" && scripted.is_none() {
            return self.sign_in(line, service).await;
        }
        let steps = scripted.unwrap_or_else(|| self.correct(&verb, line, service));
        if self.steps(&steps).await == Flow::Over {
            return Flow::Over;
        }
        let digit = first_digit(&steps);
        self.transaction.note(&verb, line, digit);
        if verb == "data" && digit == b'3' {
            return self.message(service).await;
        }
        if verb == "auth" && digit == b'2' {
            self.transaction.user = Some(String::new());
        }
        Flow::Goes
    }

    fn terms<'a>(&self, service: &'a SubmissionService, keywords: &'a [String]) -> Terms<'a> {
        Terms { service, inside_tls: self.stage == Stage::Tls, keywords }
    }

    fn correct(&self, verb: &str, line: &str, service: &SubmissionService) -> Vec<Step> {
        let server = &self.server;
        let keywords = server.behaviour.keywords(self.stage);
        let reply = self.transaction.reply(verb, line, &self.terms(service, &keywords));
        let Some(reply) = reply else {
            return server.behaviour.standard_answer(verb, self.stage, &server.host);
        };
        let address = line.split(['<', '>']).nth(1).unwrap_or_default().to_lowercase();
        match service.recipients.get(&address) {
            Some(action) if verb == "rcpt" && reply.starts_with('2') => action.steps(),
            Some(_) | None => Action::Text(reply).steps(),
        }
    }

    async fn say(&mut self, reply: &str) -> Flow {
        self.steps(&Action::Text(reply.to_owned()).steps()).await
    }

    /// One AUTH command and the exchange that follows.
    async fn sign_in(&mut self, line: &str, service: &SubmissionService) -> Flow {
        let mut words = line.split_whitespace().skip(1);
        let mechanism = words.next().unwrap_or_default().to_uppercase();
        let initial = words.next().map(str::to_owned);
        let keywords = self.server.behaviour.keywords(self.stage);
        let against = self.transaction.against_sign_in(&mechanism, &self.terms(service, &keywords));
        if let Some(refusal) = against {
            return self.say(&refusal).await;
        }
        let begun = Exchange::begin(&mechanism, &self.server.host, &nonce());
        let Some(mut exchange) = begun else {
            return self.say("504 5.7.4 mechanism is not available").await;
        };
        if line.len() > service.auth_line_octets {
            return self.say("500 5.5.6 Authentication Exchange line is too long").await;
        }
        if initial.is_some() && !(service.initial_response && exchange.client_may_begin()) {
            return self.say("501 5.5.4 no initial response is taken").await;
        }
        let mut turn = match initial.as_deref() {
            None => exchange.prompt(),
            // RFC 4954 §4: a lone equals sign is an empty response.
            Some("=") => exchange.respond(b"", service),
            Some(text) => decoded(text, &mut exchange, service),
        };
        loop {
            let challenge = match turn {
                Turn::Challenge(challenge) => challenge,
                Turn::Passed(user) => return self.end_sign_in(Some(user)).await,
                Turn::Refused => return self.end_sign_in(None).await,
                Turn::Malformed => {
                    return self.say("501 5.5.2 cannot decode the response").await;
                }
            };
            if self.say(&format!("334 {}", STANDARD.encode(challenge))).await == Flow::Over {
                return Flow::Over;
            }
            let Some(response) = self.line().await else { return Flow::Over };
            if response == "*" {
                return self.say("501 5.7.0 authentication cancelled").await;
            }
            if response.len() > service.auth_line_octets {
                return self.say("500 5.5.6 Authentication Exchange line is too long").await;
            }
            turn = decoded(&response, &mut exchange, service);
        }
    }

    async fn end_sign_in(&mut self, user: Option<String>) -> Flow {
        let server = std::sync::Arc::clone(&self.server);
        let scripted = server.behaviour.scripted("sign-in", self.stage);
        let steps = scripted.unwrap_or_else(|| {
            let reply = match &user {
                Some(_) => "235 2.7.0 authentication successful",
                None => "535 5.7.8 authentication credentials invalid",
            };
            Action::Text(reply.into()).steps()
        });
        if self.steps(&steps).await == Flow::Over {
            return Flow::Over;
        }
        if first_digit(&steps) == b'2' {
            self.transaction.user = Some(user.unwrap_or_default());
        }
        Flow::Goes
    }

    /// Reads a message to its final dot and answers it.
    async fn message(&mut self, service: &SubmissionService) -> Flow {
        let Some(data) = self.read_message().await else { return Flow::Over };
        let server = std::sync::Arc::clone(&self.server);
        let keywords = server.behaviour.keywords(self.stage);
        let against = self.transaction.against_message(&data, &self.terms(service, &keywords));
        let scripted = server.behaviour.scripted("message", self.stage);
        let digit = match (&scripted, &against) {
            (Some(steps), _) => first_digit(steps),
            (None, Some(_)) => b'5',
            (None, None) => b'2',
        };
        let mut taken = "250 2.0.0 ok".to_owned();
        if digit == b'2' {
            let number = self.store(data);
            taken = format!("250 2.0.0 ok: queued as lab-{number:04}");
        }
        self.transaction.reset();
        match scripted {
            Some(steps) => self.steps(&steps).await,
            None => self.say(&against.unwrap_or(taken)).await,
        }
    }

    fn store(&self, data: Vec<u8>) -> usize {
        let server = &self.server;
        let (from, parameters) = self.transaction.mail.clone().unwrap_or_default();
        server.recorder.mailbox().store(StoredMessage {
            host: server.host.clone(),
            published: server.published,
            port: server.port,
            inside_tls: self.stage == Stage::Tls,
            user: self.transaction.user.clone(),
            from,
            parameters,
            recipients: self.transaction.recipients.clone(),
            data,
        })
    }

    /// The message up to `CRLF . CRLF`, without dot-stuffing (RFC 5321 §4.5.2); `None` when the client is gone.
    async fn read_message(&mut self) -> Option<Vec<u8>> {
        const END: &[u8] = b"\r\n.\r\n";
        let mut seen: usize = 0;
        loop {
            let at_once = self.buffer.starts_with(&END[2..]);
            let from = seen.saturating_sub(END.len());
            let found = self.buffer.get(from..).and_then(|rest| {
                rest.windows(END.len()).position(|window| window == END).map(|at| from + at + 2)
            });
            if let Some(end) = if at_once { Some(0) } else { found } {
                let mut octets: Vec<u8> = self.buffer.drain(..end + 3).collect();
                self.note_message(&octets);
                octets.truncate(end);
                return Some(unstuffed(&octets));
            }
            seen = self.buffer.len();
            if seen > MESSAGE_OCTETS_MAX || !self.fill_buffer().await {
                self.buffer.clear();
                return None;
            }
        }
    }
}

/// Removes the first dot of every line that begins with one.
fn unstuffed(octets: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(octets.len());
    for line in octets.split_inclusive(|octet| *octet == b'\n') {
        out.extend_from_slice(line.strip_prefix(b".").unwrap_or(line));
    }
    out
}

fn decoded(text: &str, exchange: &mut Exchange, service: &SubmissionService) -> Turn {
    match STANDARD.decode(text) {
        Ok(octets) => exchange.respond(&octets, service),
        Err(_) => Turn::Malformed,
    }
}

/// The first octet that an answer sends as text.
fn first_digit(steps: &[Step]) -> u8 {
    let text = steps.iter().find_map(|step| match step {
        Step::Send(text)
        | Step::Drip { text, .. }
        | Step::Repeat { text, .. }
        | Step::Fill { text, .. } => Some(text),
        Step::SendHex(_)
        | Step::PauseMs(_)
        | Step::Hang
        | Step::Close
        | Step::Reset
        | Step::Tls => None,
    });
    text.and_then(|text| text.bytes().next()).unwrap_or_default()
}

/// Unique to one exchange.
fn nonce() -> String {
    let mut octets = [0u8; 12];
    // Without randomness every exchange has the same nonce, which no client can tell.
    let _ = aws_lc_rs::rand::fill(&mut octets);
    hexadecimal(&octets)
}
