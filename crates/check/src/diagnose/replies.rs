//! What a refusal of MAIL, RCPT, DATA or the message says (RFC 5321 §4.2, RFC 3463, RFC 7372): the basic code
//! decides about trying again, the text and the enhanced code together tell one refusal from another,
//! because providers give the same numbers different meanings (5.7.27, 5.7.29, 5.7.30). The way in is
//! [`code_of`]; keep the order of its questions, the most specific first.

use super::refusal::{Refusal, classes_differ};
use super::sign_in::code_of_kind;
use waxseal_proto::finding::Code;
use waxseal_proto::smtp::reply::Reply;
use waxseal_proto::smtp::reply_class::{Permanence, is_greylisting, is_reputation_block};
use waxseal_proto::smtp::sasl::Mechanism;
use waxseal_proto::smtp::sasl::refusal::{RefusalKind, classify_sign_in};
use waxseal_proto::smtp::submission::Step;

/// The code for a refusal in this step.
pub(super) fn code_of(reply: &Reply, step: Step) -> Code {
    let refusal = Refusal::read(reply, step);
    let specific: [fn(&Refusal<'_>) -> Option<Code>; 12] = [
        shared_numbers,
        sender_trust,
        tls,
        sign_in,
        form,
        sender,
        relay,
        quota,
        recipient,
        size,
        pace,
        content,
    ];
    specific.iter().find_map(|question| question(&refusal)).unwrap_or_else(|| rest(&refusal))
}

/// Numbers with several meanings, where the words leave one.
fn shared_numbers(refusal: &Refusal<'_>) -> Option<Code> {
    let null_mx = refusal.says(&["null mx", "nullmx", "null-mx"]);
    if null_mx && (refusal.is(7, 27) || refusal.step == Step::Mail || refusal.says(&["sender"])) {
        Some(Code::DnsNullMxOnSender)
    } else if refusal.says(&["requiretls"]) {
        Some(Code::SendRequiretlsUnsupported)
    } else if refusal.says(&[
        "basic authentication is",
        "basic authentication has been",
        "basic auth is",
    ]) {
        Some(Code::AuthOauthNeeded)
    } else {
        None
    }
}

/// SPF, DKIM, DMARC: by word, or by a number whose text says nothing else.
fn sender_trust(refusal: &Refusal<'_>) -> Option<Code> {
    if refusal.names(&["spf", "dkim", "dmarc"]) {
        return Some(Code::SendAuthRejected);
    }
    // RFC 7372 §3.3 and Gmail: the address of the client has no name.
    if refusal.names(&["ptr", "rdns"]) || refusal.says(&["reverse dns"]) {
        return refusal.is_permanent().then_some(Code::SendPolicyRejected);
    }
    let (7, detail) = refusal.subject_and_detail()? else { return None };
    // A number that contradicts its own reply says nothing alone.
    if classes_differ(refusal.reply).is_some() {
        return None;
    }
    match detail {
        // RFC 7372 §3; Gmail and Microsoft have numbers of their own.
        20..=26 | 31 | 32 | 40 | 515 => Some(Code::SendAuthRejected),
        // RFC 7505 §4.2 has 5.7.27 for a sender with a null MX; Gmail has 4.7.27 and 4.7.30 of its own.
        27 if refusal.is_permanent() => Some(Code::DnsNullMxOnSender),
        27 | 30 if !refusal.is_permanent() => Some(Code::SendAuthRejected),
        // RFC 8617 §7 has x.7.29 for ARC, Gmail for mail without TLS.
        29 if refusal.names(&["arc"]) => Some(Code::SendAuthRejected),
        _ => None,
    }
}

/// The message came without encryption.
fn tls(refusal: &Refusal<'_>) -> Option<Code> {
    let by_words = refusal.says(&[
        "tls required",
        "tls is required",
        "requires tls",
        "require tls",
        "without tls",
        "not sent over tls",
        "over a tls connection",
        "encryption required",
        "encryption is required",
        "encrypted connection",
        "secure connection required",
    ]);
    // RFC 8689 §4.2.1 for 5.7.10; Gmail for x.7.29.
    let by_number = refusal.is(7, 10) || refusal.is(7, 29);
    let starttls_first = refusal.code() == 530 && refusal.says(&["starttls"]);
    (!starttls_first && refusal.code() != 538 && (by_words || by_number))
        .then_some(Code::SendTlsRequired)
}

/// Nobody signed in, or the sign-in is taken back.
fn sign_in(refusal: &Refusal<'_>) -> Option<Code> {
    match refusal.code() {
        525 | 530 | 534 | 535 | 538 => {
            code_of_kind(classify_sign_in(refusal.reply, Mechanism::Plain))
        }
        _ if !refusal.is_permanent() => None,
        _ if refusal.says(&[
            "authentication required",
            "authentication is required",
            "authentication needed",
            "must authenticate",
            "please authenticate",
            "authenticate first",
            "need to authenticate",
            "not authenticated",
            "not logged in",
            "log in first",
            "sign in first",
            "auth first",
            "smtp auth required",
        ]) =>
        {
            Some(Code::Auth530AuthRequired)
        }
        550 | 554 if classify_sign_in(refusal.reply, Mechanism::Plain) == ACCOUNT_DISABLED => {
            let own = refusal.step == Step::Mail || refusal.says(&["your account"]);
            own.then_some(Code::AuthAccountDisabled)
        }
        550 | 554
            if refusal.says(&[
                "unauthorized ip",
                "ip not authorized",
                "ip is not authorized",
                "ip address is not allowed",
                "ip address not allowed",
                "ip address is not authorized",
                "not in the allowed list",
            ]) =>
        {
            Some(Code::AuthNetworkNotAllowed)
        }
        _ => None,
    }
}

const ACCOUNT_DISABLED: RefusalKind = RefusalKind::AccountDisabled;

/// The form of the message, its lines and its addresses.
fn form(refusal: &Refusal<'_>) -> Option<Code> {
    if refusal.says(&[
        "bare lf",
        "bare <lf>",
        "bare cr",
        "bare <cr>",
        "bare newline",
        "bare line feed",
        "bare linefeed",
        "bare carriage return",
    ]) {
        return Some(Code::SendBareNewline);
    }
    if refusal.code() == 521 && refusal.is(5, 2) && refusal.in_message() {
        return Some(Code::SendBareNewline);
    }
    if refusal.is(6, 7) || refusal.says(&["smtputf8", "non-ascii", "internationalized"]) {
        return Some(Code::SendUtf8Unsupported);
    }
    let about_lines = refusal.says(&["line too long", "line is too long", "lines too long"])
        || refusal.says(&["line length", "lines longer", "overlong line", "maximum line"]);
    if about_lines || refusal.in_message() && refusal.code() == 500 {
        return Some(Code::SendLineTooLong);
    }
    let about_header = refusal.names(&["header", "headers", "message-id", "from", "date"])
        && refusal.names(&["missing", "duplicate", "duplicated", "multiple", "malformed"]);
    let by_standard = refusal.says(&["rfc 5322", "rfc5322", "rfc 2822", "rfc2822", "rfc 822"]);
    (refusal.in_message() && (about_header || by_standard || refusal.is(6, 0)))
        .then_some(Code::SendFormatInvalid)
}

/// The From address or the return path is not the account's.
fn sender(refusal: &Refusal<'_>) -> Option<Code> {
    let by_words = refusal.says(&[
        "not allowed to send as",
        "not authorized to send",
        "not authorised to send",
        "not permitted to send",
        "sendasdenied",
        "send as denied",
        "not owned by",
        "sender address rejected: not",
        "sender identity",
        "address is not verified",
        "address not verified",
        "domain is not verified",
        "domain not verified",
        "domain must be verified",
        "must be verified",
        "unverified",
        "sender is not allowed",
        "sender not allowed",
        "does not match authenticated",
        "does not match the authenticated",
        "from address is not",
        "from address must",
        "unauthorized sender",
    ]);
    // Up to here nothing but the sender's address has been named.
    let by_number = refusal.step == Step::Mail
        && refusal.is_permanent()
        && !is_reputation_block(refusal.reply)
        && (refusal.code() == 553 || refusal.is(7, 1) || refusal.is(1, 7) || refusal.is(1, 8));
    (by_words || by_number || refusal.is(7, 60)).then_some(Code::SendFromNotAuthorised)
}

fn relay(refusal: &Refusal<'_>) -> Option<Code> {
    let by_words = refusal.says(&[
        "relay access denied",
        "relaying denied",
        "relay denied",
        "relaying not",
        "relay not",
        "unable to relay",
        "cannot relay",
        "not permitted to relay",
        "not allowed to relay",
        "does not relay",
        "relaying is not",
        "relay is not",
        "no relaying",
    ]);
    let by_number = refusal.step == Step::Rcpt && refusal.code() == 551;
    (by_words || by_number).then_some(Code::SendRelayDenied)
}

/// The limit of the sending account. The same words at RCPT speak of the recipient's storage.
fn quota(refusal: &Refusal<'_>) -> Option<Code> {
    let by_words = refusal.says(&[
        "daily",
        "per day",
        "hourly",
        "per hour",
        "monthly",
        "per month",
        "sending limit",
        "sending quota",
        "message limit",
        "user sending",
        "out of credit",
        "your quota",
        "your limit",
    ]);
    let limit = refusal.says(&["limit", "quota", "credit", "exceeded", "too many"]);
    let too_many_recipients = refusal.is(5, 3);
    let own = refusal.step != Step::Rcpt
        && (refusal.says(&["over quota", "quota exceeded"])
            || refusal.is_permanent() && refusal.says(&["rate limit", "too many messages"]));
    (by_words && limit || own || too_many_recipients || refusal.is_permanent() && refusal.is(4, 5))
        .then_some(Code::SendQuotaExceeded)
}

fn recipient(refusal: &Refusal<'_>) -> Option<Code> {
    if refusal.step == Step::Mail {
        return None;
    }
    let full = refusal.says(&["mailbox full", "mailbox is full", "over quota", "quota exceeded"])
        || refusal.says(&["mailbox size limit", "mailbox for recipient is full"]);
    if refusal.is(2, 2) || full || refusal.step == Step::Rcpt && refusal.code() == 552 {
        return Some(Code::SendMailboxFull);
    }
    let by_words = refusal.says(&[
        "user unknown",
        "unknown user",
        "unknown recipient",
        "no such user",
        "no such recipient",
        "no such mailbox",
        "no mailbox here",
        "does not exist",
        "doesn't exist",
        "user not found",
        "mailbox not found",
        "recipient not found",
        "invalid recipient",
        "invalid mailbox",
        "recipient address rejected: undeliverable",
        "unrouteable address",
        "null mx",
    ]);
    let by_number = refusal.is(1, 1) || refusal.is(1, 2) || refusal.is(1, 6) || refusal.is(1, 10);
    let by_code = refusal.code() == 556 || refusal.step == Step::Rcpt && refusal.code() == 553;
    (refusal.is_permanent() && (by_words || by_number || by_code))
        .then_some(Code::SendRecipientUnknown)
}

fn size(refusal: &Refusal<'_>) -> Option<Code> {
    let by_words = refusal.says(&[
        "message size",
        "message too large",
        "message is too large",
        "message too big",
        "message is too big",
        "message length exceeds",
        "size limit",
        "too much mail data",
        "exceeds fixed maximum",
        "exceeds size",
    ]);
    // Without other words the text may speak of what is in it.
    let bare = refusal.code() == 552 && !refusal.is(7, 0) && !refusal.is(7, 1);
    let by_number = refusal.is(3, 4) || refusal.is(2, 3);
    (by_words || by_number || bare).then_some(Code::SendTooLarge)
}

/// A server that slows its clients, or refuses a first attempt on purpose.
fn pace(refusal: &Refusal<'_>) -> Option<Code> {
    if refusal.permanence() != Permanence::Transient {
        return None;
    }
    if is_greylisting(refusal.reply) {
        return Some(Code::SendGreylisted);
    }
    let by_words = refusal.names(&["rate", "throttled", "throttling", "throttle"])
        || refusal.says(&["too many", "too fast", "slow down", "rate limit", "maximum sending"]);
    let by_number = matches!(refusal.code(), 421 | 450 | 451)
        && classes_differ(refusal.reply).is_none()
        && (refusal.is(2, 1) || refusal.is(4, 5) || refusal.subject() == Some(7));
    (by_words || by_number).then_some(Code::SendRateLimited)
}

fn content(refusal: &Refusal<'_>) -> Option<Code> {
    let by_words = refusal.names(&[
        "spam",
        "virus",
        "viruses",
        "malware",
        "malicious",
        "phishing",
        "attachment",
        "attachments",
        "infected",
        "content",
        "url",
        "urls",
        "links",
        "junk",
    ]);
    (refusal.in_message() && refusal.is_permanent() && by_words && !is_about_the_client(refusal))
        .then_some(Code::SendContentBlocked)
}

/// A refusal for the name of the client's address, which lists call spam too.
fn is_about_the_client(refusal: &Refusal<'_>) -> bool {
    refusal.says(&["client host", "your ip", "ip address", "sending ip"])
        && is_reputation_block(refusal.reply)
}

/// By the basic code alone.
fn rest(refusal: &Refusal<'_>) -> Code {
    match refusal.permanence() {
        Permanence::Transient => Code::SendTemporary,
        Permanence::Permanent if refusal.code() == 503 => Code::SendSequenceError,
        Permanence::Permanent
            if refusal.subject() == Some(7)
                || is_reputation_block(refusal.reply)
                || refusal.names(&["policy", "policies"])
                || refusal.says(&["access denied"]) =>
        {
            Code::SendPolicyRejected
        }
        Permanence::Permanent => Code::SendPermanent,
        // An answer that fits no question asked.
        Permanence::Positive | Permanence::Intermediate | Permanence::Other => {
            Code::SendSequenceError
        }
    }
}
