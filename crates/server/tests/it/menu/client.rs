//! The client of the dishes' document, in JavaScript, as a browser would run it.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::process::Command;
use tokio::time::timeout;

use crate::support::restaurant::PASSWORD;
use crate::support::{Restaurant, TestApp};

/// Runs a program to its end. A test that is without it fails, and says what is missing.
async fn run(program: &str, arguments: &[&str], folder: &Path) -> String {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = timeout(Duration::from_secs(120), output)
        .await
        .unwrap_or_else(|_| panic!("{program} does not come to an end"))
        .unwrap_or_else(|error| {
            panic!("{program} cannot be run ({error}): this test needs Node.js 18 or newer and npm")
        });
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(
        output.status.success(),
        "{program} {arguments:?}: {}{}",
        text(&output.stdout),
        text(&output.stderr)
    );
    text(&output.stdout)
}

/// The client's folder with what it needs, as the lock file has it: beside what is built, so that
/// the tree stays clean and a second run is quick.
async fn installed() -> PathBuf {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/menu/client");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("menu-client");
    std::fs::create_dir_all(&folder).unwrap();
    let lock = "package-lock.json";
    let is_installed = std::fs::read(folder.join(lock)).ok()
        == std::fs::read(source.join(lock)).ok()
        && folder.join("node_modules/ws/package.json").is_file();
    for file in ["client.js", "package.json", lock] {
        std::fs::copy(source.join(file), folder.join(file)).unwrap();
    }
    if !is_installed {
        run(
            "npm",
            &["ci", "--ignore-scripts", "--no-audit", "--no-fund"],
            &folder,
        )
        .await;
    }
    folder
}

#[tokio::test(flavor = "multi_thread")]
async fn the_documents_client_sees_what_it_toggles() {
    let app = TestApp::start().await;
    let house = Restaurant::new(&app).await;
    house.dish("Soup", json!({"isPublished": true})).await;
    let image = "https://images.example.com/margherita.webp";
    let id = house
        .dish("Pizza Margherita", json!({"imageUrl": image}))
        .await;
    let folder = installed().await;
    let url = format!("http://{}", app.client(1).address);
    let script = [
        "client.js",
        &url,
        &house.email,
        PASSWORD,
        "Pizza Margherita",
    ];
    let seen: Value = serde_json::from_str(&run("node", &script, &folder).await).unwrap();
    assert_eq!(super::names(&seen["dishes"]), ["Soup", "Pizza Margherita"]);
    assert_eq!(seen["toggled"]["isPublished"], true);
    assert_eq!(
        seen["changed"],
        json!({"dishId": id, "dishName": "Pizza Margherita", "imageUrl": image, "isPublished": true})
    );
    app.finish().await;
}
