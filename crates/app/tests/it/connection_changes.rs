//! Changes of a stored connection: settings and secret belong together, whatever comes between.

use jiff::Timestamp;
use waxseal_app::connections::line::open;
use waxseal_app::connections::{self, ConnectionsError, Form, SecretChange, SecretInput, Wanted};
use waxseal_app::store::{Data, DataSettings, KeyFile, KeySource, Opening, Secret, Zeroizing};
use waxseal_app::submission::Goal;
use waxseal_app::world::{self, Settings, SimulationOptions};

fn now() -> Timestamp {
    "2026-05-01T10:00:00Z".parse().unwrap()
}

async fn data(folder: &tempfile::TempDir) -> Data {
    let settings = DataSettings {
        folder: folder.path().join("data"),
        workspace: "default".to_owned(),
        keys: KeySource::File(KeyFile::at(folder.path().join("keys/master.key"))),
    };
    Data::open(settings, Opening::Create, now()).await.unwrap()
}

fn password(text: &str) -> SecretChange {
    SecretChange::Set(SecretInput::One(Secret::new(Zeroizing::new(text.to_owned()))))
}

async fn add(data: &Data, name: &str) {
    let text = |text: &str| Some(text.to_owned());
    let form = Form {
        name: text(name),
        from_address: text("sender@example.com"),
        host: text("smtp.example.com"),
        port: text("587"),
        security: text("starttls"),
        user: text("u"),
        ..Form::default()
    };
    let wanted = Wanted { form, secret: password("of smtp.example.com"), exception: None };
    connections::add(data, &wanted, now()).await.unwrap();
}

#[tokio::test]
async fn a_secret_that_is_newer_than_the_settings_at_hand_is_not_used() {
    let folder = tempfile::tempdir().unwrap();
    let data = data(&folder).await;
    add(&data, "relay").await;
    let options = SimulationOptions {
        zone_file: Some(r#"{"records":[],"secure":[]}"#.to_owned()),
        ..SimulationOptions::default()
    };
    let world = world::real(Settings { options, ..Settings::default() }).unwrap();
    let before = connections::find(&data, "relay").await.unwrap();
    assert!(open(&world, &data, &before, Goal::Verify, now()).await.is_ok());
    let form = Form { host: Some("smtp.example.net".to_owned()), ..Form::default() };
    let wanted = Wanted { form, secret: password("of smtp.example.net"), exception: None };
    connections::edit(&data, "relay", &wanted, now()).await.unwrap();
    let refused = open(&world, &data, &before, Goal::Verify, now()).await.unwrap_err();
    assert!(matches!(refused, ConnectionsError::ChangedMeanwhile { .. }), "{refused}");
    let after = connections::find(&data, "relay").await.unwrap();
    assert!(open(&world, &data, &after, Goal::Verify, now()).await.is_ok());
}

#[tokio::test]
async fn a_change_that_is_refused_leaves_the_secret_where_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let data = data(&folder).await;
    add(&data, "one").await;
    add(&data, "other").await;
    let before = connections::find(&data, "one").await.unwrap();
    let form = Form { name: Some("other".to_owned()), ..Form::default() };
    for secret in [SecretChange::Remove, password("another")] {
        let wanted = Wanted { form: form.clone(), secret, exception: None };
        let refused = connections::edit(&data, "one", &wanted, now()).await.unwrap_err();
        assert!(refused.to_string().contains("other"), "{refused}");
        assert_eq!(connections::find(&data, "one").await.unwrap(), before, "nothing was changed");
    }
}

#[tokio::test]
async fn a_secret_is_asked_for_again_when_somebody_else_would_see_it() {
    let folder = tempfile::tempdir().unwrap();
    let data = data(&folder).await;
    add(&data, "relay").await;
    let before = connections::find(&data, "relay").await.unwrap();
    let wanted = |form, secret| Wanted { form, secret, exception: None };
    let pin = Form { pins: Some(vec!["ab".repeat(32)]), ..Form::default() };
    let host = Form { host: Some("smtp.example.net".to_owned()), ..Form::default() };
    for form in [pin, host.clone()] {
        let kept = wanted(form, SecretChange::Keep);
        let refused = connections::edit(&data, "relay", &kept, now()).await.unwrap_err();
        assert!(matches!(refused, ConnectionsError::SecretForElsewhere { .. }), "{refused}");
        assert_eq!(connections::find(&data, "relay").await.unwrap(), before, "nothing was changed");
    }
    let port = Form { port: Some("2525".to_owned()), ..Form::default() };
    connections::edit(&data, "relay", &wanted(port, SecretChange::Keep), now()).await.unwrap();
    let given = wanted(host, password("again"));
    connections::edit(&data, "relay", &given, now()).await.unwrap();
}
