//! One house that wants everything, and all others beside it.

use futures_util::future::{join, join_all};
use reqwest::Method;
use serde_json::json;
use testkit::wait::{DEADLINE, until};

use crate::support::app::connect;
use crate::support::restaurant::login;
use crate::support::{Client, Restaurant, TestApp};

/// How many devices it has that write, of which two at a time do.
const WRITERS: usize = 40;

const REFUSED: &str = "qtable_db_crowded_total{kind=\"write\"} ";

async fn until_at_least(client: &Client, metric: &str, least: f64) {
    until(metric, DEADLINE, async || {
        (client.metric(metric).await >= least).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_house_whose_writers_wait_for_each_other_is_in_nobodys_way() {
    let app = TestApp::with(2, &[]).await;
    let (greedy, other) = (Restaurant::new(&app).await, Restaurant::new(&app).await);
    let path = greedy.path(&format!("/guests/{}", greedy.guest("Ada", 2).await));
    other.guest("Bob", 2).await;
    let in_the_way = connect(app.database_url()).await;
    let lock = format!(
        "BEGIN; SELECT FROM guests WHERE restaurant_id = '{}' FOR UPDATE",
        greedy.id
    );
    in_the_way.batch_execute(&lock).await.unwrap();

    let write = |number: usize| {
        let note = json!({"notes": number.to_string()});
        let (owner, path) = (&greedy.owner, &path);
        async move { owner.send(Method::PUT, path, Some(note), &[]).await }
    };
    let writers = join_all((0..WRITERS).map(write));
    let meanwhile = async {
        until_at_least(&greedy.owner, "qtable_db_in_line{kind=\"write\"} ", 10.0).await;
        for path in ["/health/ready", "/health"] {
            app.client(0).get(path).await.expect(200);
        }
        other.owner.get(&other.path("/guests")).await.expect(200);
        other.guest("Cid", 2).await;
        login(&app.client(0), &other.email).await;
        other.socket(&app, 0).await;
        // It still reads, and its devices still follow.
        greedy.owner.get(&greedy.path("/guests")).await.expect(200);
        greedy.socket(&app, 0).await;
        // Nobody waits in its line for long.
        until_at_least(&greedy.owner, REFUSED, 1.0).await;
        in_the_way.batch_execute("COMMIT").await.unwrap();
    };
    let (mut done, mut refused) = (0_u32, 0_u32);
    for reply in join(writers, meanwhile).await.0 {
        match reply.status {
            200 => done += 1,
            // It had its turn, and outwaited the lock.
            503 => {}
            _ => {
                refused += 1;
                assert_eq!(reply.header("retry-after"), Some("2"));
                let error = reply.expect_error(429, "too_many");
                let sentence = error["error"].as_str().unwrap();
                let says = "the restaurant has too many changes under way";
                assert!(sentence.contains(says), "{sentence}");
            }
        }
    }
    assert!(refused > 0, "{done} were done");
    let counted = greedy.owner.metric(REFUSED).await;
    assert!((counted - f64::from(refused)).abs() < 0.1, "{counted}");
    until("nothing to be left of it", DEADLINE, async || {
        (greedy.owner.metric("qtable_db_houses ").await < 0.1).then_some(())
    })
    .await;
    let faults = app.take_faults();
    assert!(
        faults.iter().all(|fault| fault.contains(&path)),
        "{faults:?}"
    );
    app.finish().await;
}

/// A share so small that what one request costs is paid for in a second or more.
#[tokio::test(flavor = "multi_thread")]
async fn a_house_that_has_used_up_its_share_is_refused_and_others_are_not() {
    let vars = [("RATE_LIMITS", "on"), ("RATE_LIMIT_WORK", "2")];
    let app = TestApp::with(1, &vars).await;
    let (greedy, other) = (Restaurant::new(&app).await, Restaurant::new(&app).await);
    let path = greedy.path("/sync/full");
    let refused = until("the house to be refused", DEADLINE, async || {
        let replies = join_all((0..20).map(|_| greedy.owner.get(&path))).await;
        replies.into_iter().find(|reply| reply.status != 200)
    })
    .await;
    let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((3..=7).contains(&wait), "{wait}");
    let error = refused.expect_error(429, "too_many");
    let sentence = error["error"].as_str().unwrap();
    assert!(sentence.contains("its share of the work"), "{sentence}");
    assert!(greedy.owner.metric("qtable_work_refused_total ").await > 0.9);
    other.owner.get(&other.path("/guests")).await.expect(200);
    app.finish().await;
}
