//! Tests of sign-in: published exchanges, the choice of a mechanism, what a false server gets, and the
//! replies of providers.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::exchange::{AuthLine, Exchange, ExchangeFault};
use super::refusal::{RefusalKind, classify_sign_in};
use super::{Choice, ClientNonce, Credential, Mechanism, SignIn, SignInError};
use crate::limits::AUTH_LINE_OCTETS_MAX;
use crate::observation::{Observation, Reason};
use crate::secret::Secret;
use crate::smtp::reply::parse_reply_file;
use crate::smtp::session::Verified;
use crate::tls::requirement::{Cleared, Requirement};
use crate::tls::seen::{CipherSuite, HandshakeEnd, HandshakeSeen, TlsSession, TlsVersion};

fn cleared() -> Cleared {
    let session = TlsSession {
        version: TlsVersion::Tls13,
        suite: CipherSuite(0x1301),
        group: None,
        ocsp_staple: Vec::new(),
    };
    let handshake = HandshakeSeen {
        chain: Observation::NotObserved(Reason::NotAsked),
        certificate_requested: false,
        end: HandshakeEnd::Completed(session),
    };
    Requirement::default().judge(&handshake, Verified::Yes).unwrap()
}

fn password(text: &str) -> Credential {
    Credential::Password(Secret::new(text.to_owned()))
}

fn token(text: &str) -> Credential {
    Credential::Token(Secret::new(text.to_owned()))
}

fn sign_in(username: &str, credential: Credential) -> SignIn {
    let nonce = ClientNonce("rOprNGfwEbeRWgbNEkqO".to_owned());
    SignIn::new(username, credential, Choice::Automatic, nonce).unwrap()
}

fn wire(line: &AuthLine) -> String {
    String::from_utf8(line.encode().expose().clone()).unwrap()
}

fn b64(text: &str) -> String {
    STANDARD.encode(text)
}

/// Runs an exchange over the given prompts and returns what was sent and what a transcript shows.
fn run(
    sign_in: &SignIn,
    mechanism: Mechanism,
    prompts: &[String],
) -> (Exchange, Vec<String>, Vec<String>) {
    let cleared = cleared();
    let (mut exchange, first) = Exchange::start(sign_in, mechanism, &cleared);
    let mut lines = vec![first];
    for prompt in prompts {
        lines.push(exchange.handle_prompt(prompt, sign_in, &cleared));
    }
    let shown = lines.iter().map(|line| line.shown().to_owned()).collect();
    (exchange, lines.iter().map(wire).collect(), shown)
}

const SERVER_FIRST: &str =
    "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
const CLIENT_FINAL: &str = "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
                            p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
const SERVER_FINAL: &str = "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=";

#[test]
fn scram_follows_the_published_exchange() {
    let sign_in = sign_in("user", password("pencil"));
    let prompts = [b64(SERVER_FIRST), b64(SERVER_FINAL)];
    let (exchange, sent, shown) = run(&sign_in, Mechanism::ScramSha256, &prompts);
    let first = b64("n,,n=user,r=rOprNGfwEbeRWgbNEkqO");
    assert_eq!(sent[0], format!("AUTH SCRAM-SHA-256 {first}\r\n"));
    assert_eq!(sent[1], format!("{}\r\n", b64(CLIENT_FINAL)));
    assert_eq!(sent[2], "\r\n");
    assert_eq!(shown, ["AUTH SCRAM-SHA-256 [secret]", "[secret]", ""]);
    assert_eq!(exchange.fault(), None);
}

#[test]
fn a_scram_server_that_proves_nothing_is_not_believed() {
    let sign_in = sign_in("user", password("pencil"));
    let forged = format!("v={}", STANDARD.encode([0_u8; 32]));
    let with_iterations = |count: &str| SERVER_FIRST.replace("4096", count);
    let cases = [
        (vec![], ExchangeFault::ServerNotProven),
        (vec![SERVER_FIRST.to_owned()], ExchangeFault::ServerNotProven),
        (vec![SERVER_FIRST.to_owned(), forged], ExchangeFault::ServerNotProven),
        (vec![SERVER_FIRST.to_owned(), "e=invalid-proof".to_owned()], ExchangeFault::ScramRefused),
        (vec![SERVER_FIRST.to_owned(), "what".to_owned()], ExchangeFault::Prompt),
        (vec![with_iterations("4095")], ExchangeFault::ScramIterations(4095)),
        (vec![with_iterations("1000001")], ExchangeFault::ScramIterations(1_000_001)),
        (vec![with_iterations("99999999999")], ExchangeFault::Prompt),
        (vec![SERVER_FIRST.replace("rOpr", "xOpr")], ExchangeFault::ScramNonce),
        (vec!["r=rOprNGfwEbeRWgbNEkqO,s=W22Z,i=4096".to_owned()], ExchangeFault::ScramNonce),
        (vec![format!("m=x,{SERVER_FIRST}")], ExchangeFault::Prompt),
    ];
    for (prompts, expected) in cases {
        let encoded: Vec<String> = prompts.iter().map(|prompt| b64(prompt)).collect();
        let (exchange, sent, _) = run(&sign_in, Mechanism::ScramSha256, &encoded);
        assert_eq!(exchange.fault(), Some(&expected), "{prompts:?}");
        let proof = sent.iter().any(|line| line.contains(&b64(CLIENT_FINAL)));
        let asked_well = prompts.first().is_some_and(|first| first == SERVER_FIRST);
        assert_eq!(proof, asked_well, "{prompts:?}");
    }
}

#[test]
fn the_simple_mechanisms_say_what_their_documents_show() {
    let tim = sign_in("tim", password("tanstaaftanstaaf"));
    // RFC 2195 §2.
    let challenge = b64("<1896.697170952@postoffice.reston.mci.net>");
    let (_, sent, shown) = run(&tim, Mechanism::CramMd5, std::slice::from_ref(&challenge));
    let answer = b64("tim b913a602c7eda7a495b4e6e7334d3890");
    assert_eq!(sent, ["AUTH CRAM-MD5\r\n".to_owned(), format!("{answer}\r\n")]);
    assert_eq!(shown, ["AUTH CRAM-MD5", "[secret]"]);
    // RFC 4616 §4.
    let (_, sent, shown) = run(&tim, Mechanism::Plain, &[]);
    assert_eq!(sent, ["AUTH PLAIN AHRpbQB0YW5zdGFhZnRhbnN0YWFm\r\n"]);
    assert_eq!(shown, ["AUTH PLAIN [secret]"]);
    let prompts = [b64("Username:"), b64("Password:")];
    let (_, sent, shown) = run(&tim, Mechanism::Login, &prompts);
    assert_eq!(sent, ["AUTH LOGIN\r\n", "dGlt\r\n", "dGFuc3RhYWZ0YW5zdGFhZg==\r\n"]);
    assert_eq!(shown, ["AUTH LOGIN", "[secret]", "[secret]"]);
    let bearer = sign_in("someuser@example.com", token("vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg"));
    let (exchange, sent, shown) = run(&bearer, Mechanism::Xoauth2, &[b64("{\"status\":\"401\"}")]);
    let expected = "user=someuser@example.com\u{1}auth=Bearer vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg\u{1}\u{1}";
    assert_eq!(sent, [format!("AUTH XOAUTH2 {}\r\n", b64(expected)), "\r\n".to_owned()]);
    assert_eq!(shown, ["AUTH XOAUTH2 [secret]", ""]);
    let status = Some("401".to_owned());
    assert_eq!(exchange.own_fault(), Some(&ExchangeFault::TokenRefused(status)));
}

#[test]
fn a_response_that_does_not_fit_the_command_waits_for_the_prompt() {
    let long = "t".repeat(1_000);
    let bearer = sign_in("u", token(&long));
    let (_, sent, shown) = run(&bearer, Mechanism::Xoauth2, &[String::new()]);
    assert_eq!(sent[0], "AUTH XOAUTH2\r\n");
    assert_eq!(
        sent[1],
        format!("{}\r\n", b64(&format!("user=u\u{1}auth=Bearer {long}\u{1}\u{1}")))
    );
    assert_eq!(shown, ["AUTH XOAUTH2", "[secret]"]);
    for (octets, fits) in [(369, true), (370, false)] {
        let edge = sign_in("u", password(&"p".repeat(octets)));
        let (_, sent, _) = run(&edge, Mechanism::Plain, &[]);
        assert!(sent[0].len() <= 512, "{}", sent[0].len());
        assert_eq!(sent[0] != "AUTH PLAIN\r\n", fits, "{octets}");
    }
}

#[test]
fn prompts_without_end_and_prompts_out_of_place_are_cancelled() {
    let tim = sign_in("tim", password("tanstaaf"));
    let (exchange, sent, _) = run(&tim, Mechanism::Plain, &[b64("more")]);
    assert_eq!(sent[1], "*\r\n");
    assert_eq!(exchange.own_fault(), Some(&ExchangeFault::Prompt));
    let many = vec![b64("again"); 10];
    let (_, sent, _) = run(&tim, Mechanism::Login, &many);
    assert!(sent[3..].iter().all(|line| line == "*\r\n"), "{sent:?}");
    let (exchange, sent, _) = run(&tim, Mechanism::CramMd5, &["no base64!".to_owned()]);
    assert_eq!((sent[1].as_str(), exchange.own_fault()), ("*\r\n", Some(&ExchangeFault::Prompt)));
}

#[test]
fn the_best_offered_mechanism_is_chosen_and_no_other() {
    let offered = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let all = ["XOAUTH2", "CRAM-MD5", "LOGIN", "PLAIN", "SCRAM-SHA-256"];
    let by_password = sign_in("u", password("secret"));
    let by_token = sign_in("u", token("secret"));
    for (who, names, expected) in [
        (&by_password, &all[..], Ok(Mechanism::ScramSha256)),
        (&by_password, &all[..4], Ok(Mechanism::Plain)),
        (&by_password, &all[..3], Ok(Mechanism::Login)),
        (&by_password, &all[..2], Ok(Mechanism::CramMd5)),
        (&by_password, &all[..1], Err(RefusalKind::OauthNeeded)),
        (&by_password, &["GSSAPI"][..], Err(RefusalKind::MechanismMismatch)),
        (&by_password, &["SCRAM-SHA-256-PLUS"][..], Err(RefusalKind::MechanismMismatch)),
        (&by_password, &[][..], Err(RefusalKind::NotAdvertised)),
        (&by_token, &all[..], Ok(Mechanism::Xoauth2)),
        (&by_token, &all[1..], Err(RefusalKind::MechanismMismatch)),
    ] {
        assert_eq!(who.choose(&offered(names)), expected, "{names:?}");
    }
    let nonce = || ClientNonce::from_random([7; 18]);
    let only = SignIn::new("u", password("p"), Choice::Only(Mechanism::CramMd5), nonce()).unwrap();
    assert_eq!(only.choose(&offered(&all)), Ok(Mechanism::CramMd5));
    assert_eq!(only.choose(&offered(&["PLAIN"])), Err(RefusalKind::MechanismMismatch));
    for (username, credential, choice, expected) in [
        ("", password("p"), Choice::Automatic, SignInError::EmptyUserName),
        ("u", password(""), Choice::Automatic, SignInError::EmptyCredential),
        ("u\r\nMAIL", password("p"), Choice::Automatic, SignInError::UserNameCharacter),
        ("u", password("p\0q"), Choice::Automatic, SignInError::CredentialCharacter),
        ("u", token("a\u{1}b"), Choice::Automatic, SignInError::CredentialCharacter),
        ("u", password(&"p".repeat(8193)), Choice::Automatic, SignInError::TooLong),
        ("u", token("t"), Choice::Only(Mechanism::Plain), SignInError::Mechanism(Mechanism::Plain)),
    ] {
        let error = SignIn::new(username, credential, choice, nonce()).unwrap_err();
        assert_eq!(error, expected);
    }
}

#[test]
fn nothing_of_a_credential_is_shown_by_debug() {
    let who = sign_in("somebody", password("canary-4711-canary"));
    let (exchange, line) = Exchange::start(&who, Mechanism::ScramSha256, &cleared());
    let debug = format!("{who:?} {exchange:?} {line:?}");
    for secret in ["canary", "somebody", &b64("n,,n=somebody")[..12]] {
        assert!(!debug.contains(secret), "{debug}");
    }
}

#[test]
fn replies_of_providers_are_told_apart() {
    use Mechanism::{Plain, Xoauth2};
    use RefusalKind as K;
    for (reply, mechanism, expected) in [
        ("535 5.7.8 Error: authentication failed", Plain, K::BadCredentials),
        ("535 5.7.8 Username and Password not accepted", Plain, K::BadCredentials),
        ("535 5.7.8 Username and Password not accepted", Xoauth2, K::TokenInvalid),
        (
            "535 5.7.3 Authentication unsuccessful [AM0PR01CA0001 2026-01-01T00:00:00Z]",
            Plain,
            K::BadCredentials,
        ),
        (
            "534-5.7.9 Application-specific password required. For more information, go to\r\n534 5.7.9 https://support.google.com/mail/?p=InvalidSecondFactor",
            Plain,
            K::AppPasswordNeeded,
        ),
        ("535 5.7.8 use an app password", Plain, K::AppPasswordNeeded),
        (
            "534-5.7.14 <https://accounts.google.com/signin/continue> Please log in via\r\n534 5.7.14 your web browser",
            Plain,
            K::WebLoginNeeded,
        ),
        ("534 5.7.9 mechanism too weak", Plain, K::MechanismMismatch),
        ("504 5.5.4 unrecognised", Plain, K::MechanismMismatch),
        (
            "550 5.7.30 Basic authentication is not supported for Client Submission",
            Plain,
            K::OauthNeeded,
        ),
        (
            "535 5.7.139 Authentication unsuccessful, basic authentication is disabled",
            Plain,
            K::OauthNeeded,
        ),
        (
            "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant",
            Plain,
            K::AccountDisabled,
        ),
        (
            "535 5.7.139 Authentication unsuccessful, the user credentials were incorrect",
            Plain,
            K::BadCredentials,
        ),
        ("525 5.7.13 user account disabled", Plain, K::AccountDisabled),
        ("550 account suspended", Plain, K::AccountDisabled),
        ("535 5.7.1 not allowed from 192.0.2.7", Plain, K::NetworkNotAllowed),
        ("554 5.7.1 Unauthorized IP address", Plain, K::NetworkNotAllowed),
        ("454 4.7.0 Temporary authentication failure", Plain, K::Temporary),
        ("421 4.7.0 too many login attempts", Plain, K::Temporary),
        ("432 4.7.12 password transition needed", Plain, K::PasswordTransition),
        ("530 5.7.0 Must issue a STARTTLS command first", Plain, K::StartTlsFirst),
        ("530 5.7.0 Authentication required", Plain, K::AuthRequired),
        ("538 5.7.11 Encryption required", Plain, K::EncryptionRequired),
        ("501 5.5.2 cannot decode", Plain, K::ExchangeBroken),
        ("500 5.5.6 line too long", Plain, K::ExchangeBroken),
        ("250 ok", Plain, K::ExchangeBroken),
        ("354 go", Plain, K::ExchangeBroken),
        ("550 5.7.1 no", Plain, K::Other),
        // The number, the enhanced code or the words alone say it.
        ("525 no", Plain, K::AccountDisabled),
        ("534 5.7.14 see the page", Plain, K::WebLoginNeeded),
        ("535 5.7.8 log in with your browser first", Plain, K::WebLoginNeeded),
        ("535 5.7.13 no", Plain, K::AccountDisabled),
        ("535 5.7.8 no", Plain, K::BadCredentials),
        ("554 5.7.0 authentication failed", Plain, K::BadCredentials),
        ("550 5.7.1 invalid credentials", Plain, K::BadCredentials),
        ("535 5.7.1 not allowed from [2001:db8::7].", Plain, K::NetworkNotAllowed),
        // Too short to be anybody's address: an error number in the notation of a program.
        ("535 5.7.8 error ::1", Plain, K::BadCredentials),
    ] {
        let reply = parse_reply_file(format!("{reply}\r\n").as_bytes()).unwrap().reply;
        assert_eq!(classify_sign_in(&reply, mechanism), expected, "{reply:?}");
    }
}

#[test]
fn mechanisms_are_known_by_name_in_any_case() {
    for mechanism in Mechanism::PREFERRED {
        assert_eq!(Mechanism::parse(mechanism.as_str()), Some(mechanism));
        assert_eq!(Mechanism::parse(&mechanism.as_str().to_lowercase()), Some(mechanism));
    }
    for name in ["", "NTLM", "SCRAM-SHA-1", "SCRAM-SHA-256-PLUS", "PLAIN "] {
        assert_eq!(Mechanism::parse(name), None, "{name}");
    }
}

#[test]
fn a_line_knows_what_it_carries_and_what_it_only_says() {
    let cleared = cleared();
    let sign_in = sign_in("u", password("p"));
    let carried = |line: &AuthLine| line.carried().map(|carried| carried.expose().clone());
    let (_, line) = Exchange::start(&sign_in, Mechanism::Plain, &cleared);
    assert_eq!(carried(&line), Some(b64("\0u\0p")));
    let (mut exchange, line) = Exchange::start(&sign_in, Mechanism::Login, &cleared);
    assert_eq!(carried(&line), None);
    for expected in ["u", "p"] {
        let line = exchange.handle_prompt("", &sign_in, &cleared);
        assert_eq!(carried(&line), Some(b64(expected)));
    }
    assert_eq!(carried(&exchange.handle_prompt("", &sign_in, &cleared)), None, "the asterisk");
}

#[test]
fn a_prompt_is_read_up_to_the_limit_of_its_line() {
    let sign_in = sign_in("u", password("p"));
    for (octets, cancelled) in [(AUTH_LINE_OCTETS_MAX, false), (AUTH_LINE_OCTETS_MAX + 4, true)] {
        let prompt = b64(&"a".repeat(octets / 4 * 3));
        assert_eq!(prompt.len(), octets);
        let (_, lines, _) = run(&sign_in, Mechanism::CramMd5, &[prompt]);
        assert_eq!(lines[1] == "*\r\n", cancelled, "{octets}");
    }
}

#[test]
fn the_status_of_a_refused_token_is_a_short_word_or_nothing() {
    let sign_in = sign_in("u", token("t"));
    let long = "4".repeat(41);
    for (status, expected) in
        [("401", Some("401")), ("", None), (&long, None), (&long[1..], Some(&long[1..]))]
    {
        let prompt = b64(&format!(r#"{{"status":"{status}"}}"#));
        let (exchange, _, _) = run(&sign_in, Mechanism::Xoauth2, &[prompt]);
        let expected = ExchangeFault::TokenRefused(expected.map(str::to_owned));
        assert_eq!(exchange.own_fault(), Some(&expected), "{status}");
    }
}

#[test]
fn refusals_have_stable_words() {
    use RefusalKind as R;
    for (kind, word) in [
        (R::AppPasswordNeeded, "app-password-needed"),
        (R::BadCredentials, "bad-credentials"),
        (R::StartTlsFirst, "starttls-first"),
        (R::Temporary, "temporary"),
        (R::WebLoginNeeded, "web-login-needed"),
    ] {
        assert_eq!(kind.as_str(), word);
    }
}
