//! A message that was sent or tried as a part of a page of the site: its steps with the cause at the one that failed,
//! recipients, findings, and what it proves. Like the other writers it judges nothing and escapes everything foreign.

use super::html::{list, prose};
use super::site::{findings, seal};
use crate::escape;
use std::fmt::Write as _;
use waxseal_check::report::send::wire::{OutcomeV1, RecipientV1, SendV1, StepV1};
use waxseal_check::report::wire::VerdictV1;

/// The whole result.
pub(crate) fn sent(sent: &SendV1) -> String {
    let mut out = String::new();
    head(&mut out, sent);
    out.push_str("<h3>Steps</h3>\n");
    out.push_str(&steps(&sent.steps, Some(sent)));
    if !sent.recipients.is_empty() {
        out.push_str("<h3>Recipients</h3>\n");
        list(&mut out, "ul", sent.recipients.iter().map(recipient));
    }
    out.push_str(&findings(&sent.findings));
    for (title, lines) in [
        ("What this proves", &sent.proves),
        ("What it does not prove", &sent.does_not_prove),
        ("What comes next", &sent.next),
    ] {
        if !lines.is_empty() {
            let _ = writeln!(out, "<h3>{title}</h3>");
            list(&mut out, "ul", lines.iter().map(|line| escape::html(&capital(line))));
        }
    }
    if !sent.transcript.is_empty() {
        out.push_str("<details><summary>The session, line by line, without any secret</summary>\n");
        list(
            &mut out,
            "ol",
            sent.transcript.iter().map(|line| format!("<code>{}</code>", escape::html(line))),
        );
        out.push_str("</details>\n");
    }
    out
}

fn head(out: &mut String, sent: &SendV1) {
    let (class, verdict, words) = match sent.outcome {
        OutcomeV1::Accepted => ("is-good", VerdictV1::Pass, "The message was taken."),
        OutcomeV1::Ready => {
            ("is-good", VerdictV1::Pass, "Settings and secret are right. No message was sent.")
        }
        OutcomeV1::AuthFailed => {
            ("is-bad", VerdictV1::Fail, "Nobody was signed in; nothing was sent.")
        }
        OutcomeV1::Failed => {
            ("is-bad", VerdictV1::Fail, "It did not come to an answer about a message.")
        }
        OutcomeV1::Rejected => ("is-bad", VerdictV1::Fail, "It was refused."),
        OutcomeV1::Unknown => {
            ("is-open", VerdictV1::Incomplete, "Nobody knows whether the message was taken.")
        }
    };
    let by = sent.service.as_deref().unwrap_or(&sent.host);
    let _ = writeln!(
        out,
        "<ul class=\"verdicts\"><li class=\"{class}\">{}<div><p class=\"faint\">{} port {}, {}</p>\
         <p class=\"word\">{}</p><p>{words}</p></div></li></ul>",
        seal(verdict),
        escape::html(by),
        sent.port,
        escape::html(&sent.security),
        sent.outcome.as_str(),
    );
    if !sent.encrypted {
        out.push_str(
            "<p class=\"bad\">NOT ENCRYPTED: anybody on the way can read and change what is sent.</p>\n",
        );
    }
    let ids = [("Taken as", &sent.server_id), ("Message-ID", &sent.message_id)];
    for (label, id) in ids {
        if let Some(id) = id {
            let _ =
                writeln!(out, "<p class=\"faint\">{label} <code>{}</code></p>", escape::html(id));
        }
    }
}

/// Steps as a list. With a result, its cause stands at the step that failed.
pub(crate) fn steps(steps: &[StepV1], sent: Option<&SendV1>) -> String {
    let mut out = String::from("<ol class=\"live steps\">\n");
    let failed = steps.iter().position(|step| !step.passed);
    // A cause without a failed step belongs to the last one that was taken.
    let place = failed.or_else(|| steps.len().checked_sub(1));
    for (index, one) in steps.iter().enumerate() {
        let cause = sent.filter(|_| Some(index) == place).and_then(cause);
        out.push_str(&line(one, cause.as_deref()));
        out.push('\n');
    }
    out.push_str("</ol>\n");
    out
}

/// One step as it passes.
pub(crate) fn step(step: &StepV1) -> String {
    line(step, None)
}

fn line(step: &StepV1, cause: Option<&str>) -> String {
    let (class, mark, word) =
        if step.passed { ("good", "✓", "passed") } else { ("bad", "✗", "failed") };
    let mut out = format!(
        "<li><span class=\"{class}\"><span aria-hidden=\"true\">{mark}</span><span class=\"hidden\">{word}</span></span> <strong>{}</strong>",
        escape::html(&step.step)
    );
    if let Some(detail) = &step.detail {
        let _ = write!(out, " {}", escape::html(detail));
    }
    if let Some(took) = step.took_ms {
        let _ = write!(out, " <span class=\"took\">{took:.1} ms</span>");
    }
    out.push_str(cause.unwrap_or_default());
    out.push_str("</li>");
    out
}

/// The cause in short; all of it stands among the findings.
fn cause(sent: &SendV1) -> Option<String> {
    let diagnosis = sent.diagnosis.as_ref()?;
    Some(format!("<div class=\"problem\"><p>{}</p></div>", prose(&diagnosis.text)))
}

fn recipient(one: &RecipientV1) -> String {
    let code = one.code.map(|code| format!(" {code}")).unwrap_or_default();
    let text = one.message.as_deref().unwrap_or_default();
    // Most servers begin their text with it.
    let enhanced = one.enhanced.as_deref().filter(|code| !text.starts_with(code));
    let enhanced = enhanced.map(|code| format!(" {code}")).unwrap_or_default();
    let said = if text.is_empty() { String::new() } else { format!(" {text}") };
    let reply = format!("{code}{enhanced}{said}");
    let colon = if reply.is_empty() { "" } else { ":" };
    format!(
        "<code>{}</code> {}{colon}{}",
        escape::html(&one.address),
        escape::html(&one.outcome),
        escape::html(&reply)
    )
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}", chars.as_str())
}

/// The seal of a connection's state.
pub(crate) fn state_seal(state: &str) -> &'static str {
    seal(match state {
        "passing" => VerdictV1::Pass,
        "failing" => VerdictV1::Fail,
        _ => VerdictV1::NotChecked,
    })
}
