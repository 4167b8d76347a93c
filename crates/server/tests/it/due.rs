//! Time passes for all restaurants, whatever happens in one of them.

use chrono::TimeDelta;
use serde_json::json;
use testkit::wait::{DEADLINE, until};

use crate::support::app::connect;
use crate::support::{Restaurant, TestApp};

#[tokio::test(flavor = "multi_thread")]
async fn one_that_is_slow_and_one_that_fails_delay_no_other() {
    // Enough connections for more than one of them at a time.
    let app = TestApp::with(2, &[("DATABASE_POOL_SIZE", "20")]).await;
    let (mut houses, mut parties) = (Vec::new(), Vec::new());
    for name in ["slow", "failing", "well"] {
        let house = Restaurant::new(&app).await;
        let party = json!({"guestName": name, "partySize": 2, "quotedWaitMinutes": 5});
        let party = house.owner.post(&house.path("/guests"), party).await;
        let id = party.expect(201)["id"].as_str().unwrap().to_owned();
        parties.push(house.path(&format!("/guests/{id}")));
        houses.push(house);
    }
    let sql = connect(app.database_url()).await;
    sql.batch_execute(&format!(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS \
         $$ BEGIN RAISE EXCEPTION 'not here'; END $$; \
         CREATE TRIGGER refuse BEFORE UPDATE ON guests FOR EACH ROW \
         WHEN (NEW.restaurant_id = '{}') EXECUTE FUNCTION refuse()",
        houses[1].id
    ))
    .await
    .unwrap();
    let in_the_way = connect(app.database_url()).await;
    in_the_way
        .batch_execute(&format!(
            "BEGIN; SELECT FROM guests WHERE restaurant_id = '{}' FOR UPDATE",
            houses[0].id
        ))
        .await
        .unwrap();

    app.time().advance(TimeDelta::minutes(6));
    let is_late = async |place: usize| {
        let party = houses[place].owner.get(&parties[place]).await.expect(200);
        party["overQuote"].as_bool().unwrap()
    };
    until(
        "the party of who is well to be late",
        DEADLINE,
        async || is_late(2).await.then_some(()),
    )
    .await;
    assert!(!is_late(0).await && !is_late(1).await);
    until("failures to be counted", DEADLINE, async || {
        let metrics =
            app.client(0).get("/metrics").await.text + &app.client(1).get("/metrics").await.text;
        metrics
            .lines()
            .filter(|line| {
                line.starts_with(r#"qtable_background_rounds_total{result="failed",work="floor"}"#)
            })
            .any(|line| !line.ends_with(" 0"))
            .then_some(())
    })
    .await;

    in_the_way.batch_execute("COMMIT").await.unwrap();
    sql.batch_execute("DROP TRIGGER refuse ON guests")
        .await
        .unwrap();
    for place in [0, 1] {
        until("the others to be late, too", DEADLINE, async || {
            is_late(place).await.then_some(())
        })
        .await;
    }
    // Once each, by two workers.
    let told = sql
        .query_one(
            "SELECT count(*), count(DISTINCT entity_id) FROM events \
             WHERE kind = 'guest_updated' AND (frame::jsonb -> 'actor_id') IS NULL",
            &[],
        )
        .await
        .unwrap();
    assert_eq!((told.get::<_, i64>(0), told.get::<_, i64>(1)), (3, 3));
    app.finish().await;
}
