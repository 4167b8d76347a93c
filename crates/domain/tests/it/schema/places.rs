//! Where people's values live: whoever adds a column says whether they live there.

use std::collections::BTreeSet;

use domain::privacy::places;

use crate::sql::Sql;
use crate::support::TestDb;

#[tokio::test(flavor = "multi_thread")]
async fn every_text_of_a_restaurant_is_known_to_be_about_people_or_not() {
    let test = TestDb::new().await;
    let sql = Sql::beside(&test).await;
    // Everything that can hold words, in tables whose key begins with the restaurant.
    let there: BTreeSet<String> = sql
        .all::<String>(
            "SELECT c.table_name || '.' || c.column_name FROM information_schema.columns c
             WHERE c.table_schema = 'public'
             AND c.udt_name IN ('text', '_text', 'varchar', '_varchar', 'bpchar', 'json', 'jsonb', 'xml')
             AND EXISTS (SELECT FROM information_schema.columns r WHERE r.table_schema = 'public'
                AND r.table_name = c.table_name AND r.column_name = 'restaurant_id'
                AND r.is_nullable = 'NO')",
        )
        .await
        .into_iter()
        .collect();
    let listed: BTreeSet<String> = places()
        .flat_map(|place| {
            let columns = place.columns.iter();
            columns.map(|(column, _)| format!("{}.{column}", place.table))
        })
        .collect();
    assert_eq!(
        there, listed,
        "domain::privacy::places() says of each column whether people's values are in it"
    );
}
