//! Calls with several messages, and keys that bring back an earlier answer.

use super::*;

/// Service, request line, body of a call with two messages of which the second is at fault or not, status,
/// parts of the answer, ids given.
type BatchCase = (ServiceName, &'static str, &'static str, u16, &'static [&'static str], usize);

const BATCHES: &[BatchCase] = {
    use ServiceName as S;
    &[
        (
            S::Brevo,
            "POST /v3/smtp/email",
            r#"{"sender":{"email":"news@example.com"},"subject":"A","htmlContent":"B","messageVersions":[{"to":[{"email":"anna@example.net"}]},{"to":[{"email":"bob@example.net"}],"subject":"C"}]}"#,
            201,
            &[r#"{"messageIds":["<202601051000.1@"#],
            2,
        ),
        (
            S::Brevo,
            "POST /v3/smtp/email",
            r#"{"sender":{"email":"news@example.com"},"subject":"A","htmlContent":"B","messageVersions":[{"to":[]}]}"#,
            400,
            &["to is missing"],
            0,
        ),
        (
            S::Mailgun,
            "POST /v3/example.com/messages",
            "from=news%40example.com&to=anna%40example.net&to=bob%40example.net&subject=%25recipient.s%25&text=B&recipient-variables=%7B%22anna%40example.net%22%3A%7B%22s%22%3A%22A%22%7D%7D",
            200,
            &["Queued. Thank you."],
            1,
        ),
        (
            S::Mailgun,
            "POST /v3/example.com/messages",
            "from=news%40example.com&to=anna%40example.net&subject=A&text=B&recipient-variables=%7B%22bob%40example.net%22%3A%7B%7D%7D",
            400,
            &["recipient-variables parameter"],
            0,
        ),
        (
            S::Postmark,
            "POST /email/batch",
            r#"[{"From":"news@example.com","To":"anna@example.net","TextBody":"B"},{"From":"news@other.example","To":"bob@example.net","TextBody":"B"}]"#,
            200,
            &[r#""ErrorCode":0"#, r#""ErrorCode":400"#],
            1,
        ),
        (
            S::Resend,
            "POST /emails/batch",
            r#"[{"from":"news@example.com","to":"anna@example.net","subject":"A","text":"B"},{"from":"news@example.com","to":"bob@example.net","subject":"A","text":"B"}]"#,
            200,
            &[r#"{"data":[{"id":""#],
            2,
        ),
        (
            S::Resend,
            "POST /emails/batch",
            r#"[{"from":"news@example.com","to":"anna@example.net","subject":"A","text":"B"},{"from":"news@other.example","to":"bob@example.net","subject":"A","text":"B"}]"#,
            403,
            &["The other.example domain is not verified"],
            0,
        ),
        (
            S::Sendgrid,
            "POST /v3/mail/send",
            r#"{"personalizations":[{"to":[{"email":"anna@example.net"}]},{"to":[{"email":"bob@example.net"}],"subject":"C"}],"from":{"email":"news@example.com"},"subject":"A","content":[{"type":"text/html","value":"B"}]}"#,
            202,
            &["X-Message-Id: "],
            1,
        ),
        (
            S::Sendgrid,
            "POST /v3/mail/send",
            r#"{"personalizations":[{"to":[{"email":"anna@example.net"},{"email":"ANNA@example.net"}]}],"from":{"email":"news@example.com"},"subject":"A","content":[{"type":"text/html","value":"B"}]}"#,
            400,
            &["should be unique"],
            0,
        ),
    ]
};

#[tokio::test]
async fn batches_get_the_answer_of_their_service() {
    for (service, line, body, status, parts, ids) in BATCHES {
        let lab = lab(service.as_str(), "").await;
        let (host, single) = good(*service);
        let headers: Vec<(&str, &str)> = single
            .headers
            .iter()
            .filter(|(name, _)| name != "Idempotency-Key")
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let answer = ask(&lab, host, &request(line, &headers, body)).await;
        let text = format!("{}\n{}", answer.head, answer.body);
        assert!(answer.status == *status, "{service:?}: {text}");
        assert!(parts.iter().all(|part| text.contains(part)), "{service:?}: {text}");
        let verdict = lab.service_requests().remove(0).verdict;
        let given = if let Verdict::Accepted(given) = &verdict { given.len() } else { 0 };
        assert_eq!(given, *ids, "{service:?}: {verdict:?}");
    }
}

#[tokio::test]
async fn a_permissive_batch_and_a_reused_key_are_told_apart() {
    let lab = lab("resend", "").await;
    let (host, single) = good(ServiceName::Resend);
    let mut batch = single.clone();
    batch.target = "/emails/batch".into();
    batch.headers.push(("x-batch-validation".into(), "permissive".into()));
    let wrong =
        String::from_utf8(single.body.clone()).unwrap().replace("example.com", "other.example");
    batch.body = format!("[{},{wrong}]", String::from_utf8(single.body).unwrap()).into();
    let first = ask(&lab, host, &batch).await;
    assert!(first.body.contains(r#""errors":[{"index":1,"#), "{first:?}");
    assert_eq!(
        ask(&lab, host, &batch).await.body,
        first.body,
        "the key brings back the first answer"
    );
    batch.body.insert(0, b' ');
    let other = ask(&lab, host, &batch).await;
    assert!(other.status == 409 && other.body.contains("invalid_idempotent_request"), "{other:?}");
}
