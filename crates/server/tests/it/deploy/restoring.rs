//! `scripts/backup` and `scripts/restore` under the feet of workers and clients.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::{Value, json};
use testkit::wait::{DEADLINE, until};

use super::fleet::root;
use crate::support::{Restaurant, Socket, TestApp};

/// A directory that goes with the test.
struct Directory(PathBuf);

impl Directory {
    fn of(app: &TestApp) -> Self {
        let name = app.database_url().rsplit('/').next().unwrap().to_owned();
        let path = std::env::temp_dir().join(format!("{name}_backup"));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self) -> PathBuf {
        self.0.join("house.dump")
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ended = fs::remove_dir_all(&self.0);
    }
}

async fn run(app: &TestApp, script: &str, arguments: &[&str]) -> Output {
    let mut command = Command::new(root().join("scripts").join(script));
    command
        .args(arguments)
        .env("DATABASE_URL", app.database_url());
    tokio::task::spawn_blocking(move || command.output().unwrap())
        .await
        .unwrap()
}

#[track_caller]
fn succeeded(output: &Output) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
}

#[track_caller]
fn refused(output: &Output, words: &str) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success(), "not refused: {said}");
    assert!(said.contains(words), "{words} is not in {said}");
}

async fn names(house: &Restaurant) -> Vec<String> {
    let guests = house.owner.get(&house.path("/guests")).await.expect(200);
    let guests = guests.as_array().unwrap().iter();
    let mut names: Vec<_> = guests
        .map(|guest| guest["guestName"].as_str().unwrap().to_owned())
        .collect();
    names.sort_unstable();
    names
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_is_put_in_place_while_everybody_is_connected() {
    let app = TestApp::start().await;
    let house = Restaurant::new(&app).await;
    let mut tablets = [house.socket(&app, 0).await, house.socket(&app, 1).await];
    let epoch = tablets[0].connect["epoch"].as_str().unwrap().to_owned();
    house.guest("Ann", 2).await;
    house.guest("Ben", 2).await;
    let directory = Directory::of(&app);
    let file = directory.file();
    let path = file.to_str().unwrap();
    succeeded(&run(&app, "backup", &[path]).await);
    // What comes after the backup will be gone, and everybody has seen it.
    house.guest("Cleo", 2).await;
    for tablet in &mut tablets {
        tablet.until(3).await;
    }

    succeeded(&run(&app, "restore", &["--replace", "--drop-old", path]).await);
    for tablet in &mut tablets {
        let resync = tablet.frame_of("resync_required").await;
        assert_eq!(
            (&resync["reason"], &resync["seq"]),
            (&json!("epoch_changed"), &json!(2))
        );
        assert_ne!(resync["epoch"], Value::from(epoch.as_str()));
    }
    until("both workers to be ready", DEADLINE, async || {
        let one = app.client(0).get("/health/ready").await.status;
        let two = app.client(1).get("/health/ready").await.status;
        ([one, two] == [200, 200]).then_some(())
    })
    .await;
    app.take_faults();
    assert_eq!(names(&house).await, ["Ann", "Ben"]);
    // The number that Cleo had is given again, in another life of the log.
    house.guest("Dora", 2).await;
    for tablet in &mut tablets {
        let frame = tablet.frame().await;
        assert_eq!(
            (&frame["seq"], &frame["data"]["guestName"]),
            (&json!(3), &json!("Dora"))
        );
    }
    // Who was away and comes back with the old position is not told that nothing was missed.
    let client = house.owner.at(&app.client(1));
    let query = format!("&since=3&epoch={epoch}");
    let mut back = Socket::open(&client, &house.id, &query).await;
    assert_eq!(back.connect["resumed"], false);
    assert_eq!(back.frame().await["reason"], "epoch_changed");
    let delta = house.path(&format!("/sync/delta?since=3&epoch={epoch}"));
    client
        .get(&delta)
        .await
        .expect_error(410, "resync_required");
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_would_do_harm_is_refused_and_changes_nothing() {
    let app = TestApp::with(1, &[]).await;
    let house = Restaurant::new(&app).await;
    house.guest("Ann", 2).await;
    let directory = Directory::of(&app);
    let file = directory.file();
    let path = file.to_str().unwrap();
    succeeded(&run(&app, "backup", &[path]).await);
    refused(&run(&app, "backup", &[path]).await, "is there already");
    house.guest("Ben", 2).await;
    refused(&run(&app, "restore", &[path]).await, "is not empty");

    // One byte.
    let mut bytes = fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&file, &bytes).unwrap();
    refused(
        &run(&app, "restore", &["--replace", path]).await,
        "is damaged",
    );
    // Cut off, and without a checksum that would tell: the beginning is restored, then all of it
    // is taken back.
    bytes[middle] ^= 1;
    bytes.truncate(bytes.len() - 300);
    fs::write(&file, &bytes).unwrap();
    fs::remove_file(directory.0.join("house.dump.sha256")).unwrap();
    refused(&run(&app, "restore", &["--replace", path]).await, "");
    assert_eq!(names(&house).await, ["Ann", "Ben"]);
    app.finish().await;
}
