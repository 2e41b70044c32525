//! What of a result is kept: all of it, or what fits. The way in is [`detail`]. Keep: a result of any size has a
//! record, because a test without one would look as if it had never ended.

use waxseal_check::report::send::wire::{DiagnosisV1, SendV1};
use waxseal_store::limits::TRIAL_DETAIL_OCTETS_MAX;

use crate::limits::STEP_DETAIL_CHARS_MAX;

/// The text of a row. A result that is larger than a row may be loses its transcript first, and then all but
/// what became of the message and why.
pub(super) fn detail(result: &SendV1) -> String {
    let fits = |result: &SendV1| {
        let text = serde_json::to_string(result).unwrap_or_else(|_| "null".to_owned());
        (text.len() <= TRIAL_DETAIL_OCTETS_MAX).then_some(text)
    };
    fits(result)
        .or_else(|| fits(&without_transcript(result)))
        .or_else(|| fits(&in_short(result)))
        .unwrap_or_else(|| "null".to_owned())
}

fn without_transcript(result: &SendV1) -> SendV1 {
    let note = format!("(a transcript of {} lines was too large)", result.transcript.len());
    SendV1 { transcript: vec![note], ..result.clone() }
}

/// Lists that another side can fill are empty, and its texts are cut.
fn in_short(result: &SendV1) -> SendV1 {
    let short = |text: &String| text.chars().take(STEP_DETAIL_CHARS_MAX).collect::<String>();
    let cause = |cause: &DiagnosisV1| DiagnosisV1 { text: short(&cause.text), ..cause.clone() };
    SendV1 {
        server_id: result.server_id.as_ref().map(short),
        steps: Vec::new(),
        tls: None,
        certificate: None,
        recipients: Vec::new(),
        diagnosis: result.diagnosis.as_ref().map(cause),
        findings: Vec::new(),
        transcript: vec!["(the record was too large: only its outcome is kept)".to_owned()],
        ..result.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn result(lines: &[String], detail: &str, id: &str) -> SendV1 {
        serde_json::from_value(json!({
            "schema": "waxseal.send/1", "simulated": false, "began_at": "2026-05-01T10:00:00Z",
            "took_ms": 7, "service": null, "host": "smtp.example.com", "port": 587,
            "security": "starttls", "encrypted": true, "accepted": true, "outcome": "accepted",
            "ended": "accepted", "server_id": id, "message_id": null, "signed_in_by": null,
            "steps": [{"step": "accepted", "passed": true, "detail": detail, "elapsed_ms": 1.0,
                "took_ms": null}],
            "tls": null, "certificate": null, "recipients": [], "diagnosis": null, "findings": [],
            "transcript": lines, "proves": [], "does_not_prove": [], "next": [],
        }))
        .unwrap()
    }

    #[test]
    fn what_does_not_fit_is_kept_in_short() {
        let large = "x".repeat(TRIAL_DETAIL_OCTETS_MAX);
        for (sent, transcript, steps) in [
            (result(&["C: QUIT".to_owned()], "ok", "q-1"), "C: QUIT", 1),
            (result(&[large.clone(), large.clone()], "ok", "q-1"), "(a transcript of 2 lines", 1),
            (result(&[], &large, "q-1"), "(the record was too large", 0),
            (result(std::slice::from_ref(&large), &large, &large), "(the record was too large", 0),
        ] {
            let kept = detail(&sent);
            assert!(kept.len() <= TRIAL_DETAIL_OCTETS_MAX);
            let kept: Value = serde_json::from_str(&kept).unwrap();
            assert!(
                kept["transcript"][0].as_str().unwrap().starts_with(transcript),
                "{transcript}"
            );
            assert_eq!(kept["steps"].as_array().unwrap().len(), steps, "{transcript}");
            assert_eq!((&kept["outcome"], &kept["took_ms"]), (&json!("accepted"), &json!(7)));
            assert!(kept["server_id"].as_str().unwrap().starts_with(['q', 'x']));
        }
    }
}
