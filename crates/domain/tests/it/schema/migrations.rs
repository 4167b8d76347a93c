//! The migrations' way there, back, and there again.

use domain::migrations;

use crate::sql::{Sql, url_of};
use crate::support::TestDb;

/// All that migrations make: columns, constraints, indices, triggers. Extensions stay on the way
/// back, because others may use them.
async fn described(sql: &Sql) -> Vec<String> {
    sql.all(
        "WITH ours AS (
            SELECT oid, oid::regclass::text AS name FROM pg_class
            WHERE relnamespace = 'public'::regnamespace
            AND relname NOT LIKE '\\_\\_diesel%'
         )
         SELECT name || ' ' || attnum || ' ' || attname || ' ' || format_type(atttypid, atttypmod)
            || ' ' || attnotnull || ' ' || attgenerated::text || ' '
            || coalesce(pg_get_expr(adbin, adrelid), '')
         FROM ours JOIN pg_attribute ON attrelid = oid LEFT JOIN pg_attrdef
            ON adrelid = attrelid AND adnum = attnum
         WHERE NOT attisdropped
         UNION ALL SELECT name || ' ' || conname || ' ' || pg_get_constraintdef(c.oid)
         FROM ours JOIN pg_constraint c ON conrelid = ours.oid
         UNION ALL SELECT pg_get_indexdef(indexrelid) FROM ours JOIN pg_index ON indrelid = oid
         UNION ALL SELECT pg_get_triggerdef(t.oid) FROM ours JOIN pg_trigger t ON tgrelid = ours.oid
         WHERE NOT tgisinternal
         UNION ALL SELECT pg_get_functiondef(p.oid) FROM pg_proc p
         WHERE pronamespace = 'public'::regnamespace
         AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
         ORDER BY 1",
    )
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn there_and_back_and_there_again() {
    let test = TestDb::new().await;
    let sql = Sql::beside(&test).await;
    let url = url_of(&test.db).await;
    let before = described(&sql).await;
    assert!(!before.is_empty());
    assert!(!migrations::is_pending(&url).await.unwrap());

    migrations::revert_all(&url).await.unwrap();
    assert_eq!(
        described(&sql).await,
        Vec::<String>::new(),
        "what the way back leaves"
    );
    assert!(migrations::is_pending(&url).await.unwrap());

    let applied = migrations::run(&url).await.unwrap();
    assert!(!applied.is_empty());
    assert_eq!(described(&sql).await, before);
    assert_eq!(migrations::run(&url).await.unwrap(), Vec::<String>::new());
}
