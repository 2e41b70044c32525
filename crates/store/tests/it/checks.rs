//! What every database must do with reports: one suite over the trait, run for each database.

use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use waxseal_check::report::wire::{ReportV1, VerdictV1};
use waxseal_store::checks::{Checks, NewCheck, Retention};
use waxseal_store::connections::Page;
use waxseal_store::id::{CheckId, WorkspaceId};
use waxseal_store::{Store, StoreError};

use crate::conformance::now;

pub(crate) fn check(target: &str, day: i64, verdict: &str) -> NewCheck {
    let at = now() + SignedDuration::from_hours(24 * day);
    let area = json!({"verdict": verdict, "reason": "because"});
    let report: ReportV1 = serde_json::from_value(json!({
        "schema": "waxseal.report/1", "simulated": day % 2 == 1, "target": target,
        "checked_at": at.to_string(), "took_ms": 12, "verdict": verdict,
        "vantage": {"address": null, "ptr": null, "ehlo_name": null, "port_25": "unknown"},
        "proves": ["a"], "does_not_prove": [], "transport": area, "sender_trust": area,
        "reputation": area, "mx_status": "found", "mx": [], "name_servers": [], "mta_sts": null,
        "tls_rpt": null, "dnssec": null, "spf": null, "dkim": null, "dmarc": null, "ptr": null,
        "policy_table": [], "not_checked": [], "findings": [],
    }))
    .unwrap();
    NewCheck { id: CheckId::new(at).unwrap(), report }
}

#[tokio::test]
async fn sqlite_conforms() {
    let root = tempfile::tempdir().unwrap();
    let store = Store::open(root.path(), now()).await.unwrap();
    let workspace = store.workspace("default").await.unwrap();
    let other = store.ensure_workspace("other", now()).await.unwrap();
    conforms(&store, workspace, other).await;
}

async fn conforms<C: Checks>(store: &C, workspace: WorkspaceId, other: WorkspaceId) {
    let saved: Vec<NewCheck> = (0..6)
        .map(|day| match day % 2 {
            0 => check("even.example", day, "pass"),
            _ => check("odd.example", day, "fail"),
        })
        .collect();
    store.save(workspace, &saved).await.unwrap();
    let ids: Vec<CheckId> = saved.iter().map(|check| check.id).collect();
    let read = store.reports(workspace, &[ids[4], ids[0]]).await.unwrap();
    assert_eq!(read, [saved[4].report.clone(), saved[0].report.clone()]);
    for refused in [
        store.reports(other, &ids[..1]).await,
        store.reports(workspace, &[CheckId::new(now()).unwrap()]).await,
    ] {
        assert!(matches!(refused, Err(StoreError::NotFound { .. })), "{refused:?}");
    }

    let all = store.summaries(workspace, None, Page::first(4)).await.unwrap();
    assert_eq!(
        all.iter().map(|each| each.id).collect::<Vec<_>>(),
        [ids[5], ids[4], ids[3], ids[2]]
    );
    let rest = Page { after: Some(all[3].id), rows_max: 4 };
    let rest = store.summaries(workspace, None, rest).await.unwrap();
    assert_eq!(rest.iter().map(|each| each.id).collect::<Vec<_>>(), [ids[1], ids[0]]);
    assert_eq!((rest[0].target.as_str(), rest[0].verdict), ("odd.example", VerdictV1::Fail));
    assert!(rest[0].simulated && !rest[1].simulated);
    assert_eq!(rest[1].checked_at, now());
    let odd = store.summaries(workspace, Some("odd.example"), Page::first(9)).await.unwrap();
    assert_eq!(odd.len(), 3);
    assert!(store.summaries(other, None, Page::first(9)).await.unwrap().is_empty());

    let day = |day: i64| now() + SignedDuration::from_hours(24 * day);
    for (not_before, per_target_max, dropped, left) in
        [(day(-1), 3, 0, 6), (day(-1), 2, 2, 4), (day(4), 2, 2, 2), (Timestamp::MAX, 2, 2, 0)]
    {
        let retention = Retention { not_before, per_target_max };
        assert_eq!(store.prune(workspace, retention).await.unwrap(), dropped, "{retention:?}");
        let kept = store.summaries(workspace, None, Page::first(9)).await.unwrap();
        assert_eq!(kept.len(), left, "{retention:?}");
    }
    let large = "x".repeat(waxseal_store::limits::REPORT_OCTETS_MAX);
    let mut too_large = check("large.example", 1, "pass");
    too_large.report.proves.push(large);
    let error = store.save(workspace, &[too_large]).await.unwrap_err();
    assert!(matches!(error, StoreError::TooLarge { .. }), "{error:?}");
    let mut no_time = check("time.example", 1, "pass");
    "yesterday".clone_into(&mut no_time.report.checked_at);
    assert!(store.save(workspace, &[check("ok.example", 1, "pass"), no_time]).await.is_err());
    assert!(store.summaries(workspace, None, Page::first(9)).await.unwrap().is_empty());
}
