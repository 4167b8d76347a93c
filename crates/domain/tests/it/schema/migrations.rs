//! The migrations' way there, back, and there again.

use diesel_migrations::FileBasedMigrations;
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

/// A step as somebody might write it who forgets that others are at work.
fn a_step(directory: &std::path::Path, sql: &str, is_alone: bool) -> FileBasedMigrations {
    let step = directory.join("2027-01-01-000000_a_step");
    std::fs::create_dir_all(&step).unwrap();
    std::fs::write(step.join("up.sql"), sql).unwrap();
    std::fs::write(step.join("down.sql"), "SELECT 1").unwrap();
    if is_alone {
        std::fs::write(step.join("metadata.toml"), "run_in_transaction = false").unwrap();
    }
    FileBasedMigrations::from_path(directory).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_gives_way_to_those_at_work() {
    let test = TestDb::new().await;
    let url = url_of(&test.db).await;
    let directory = std::env::temp_dir().join(format!("qt_steps_{}", name_of(&url)));
    let change = "ALTER TABLE guests ADD COLUMN mood text";
    let at_work = Sql::beside(&test).await;
    at_work.run("BEGIN; LOCK guests IN ACCESS SHARE MODE").await;
    // Whoever comes after the step would wait with it, so it does not wait for long.
    let refused = migrations::run_steps(&url, a_step(&directory, change, false)).await;
    assert!(
        matches!(refused, Err(domain::Error::Unavailable(_))),
        "{refused:?}"
    );
    at_work.run("ROLLBACK").await;
    let applied = migrations::run_steps(&url, a_step(&directory, change, false)).await;
    assert_eq!(applied.unwrap().len(), 1);
    std::fs::remove_dir_all(&directory).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_index_is_built_beside_those_at_work() {
    let test = TestDb::new().await;
    let url = url_of(&test.db).await;
    let directory = std::env::temp_dir().join(format!("qt_steps_{}", name_of(&url)));
    let index = "CREATE INDEX CONCURRENTLY guests_notes ON guests (restaurant_id, notes)";
    let applied = migrations::run_steps(&url, a_step(&directory, index, true)).await;
    assert_eq!(applied.unwrap().len(), 1);
    let sql = Sql::beside(&test).await;
    let is_valid: bool = sql
        .one("SELECT indisvalid FROM pg_index WHERE indexrelid = 'guests_notes'::regclass")
        .await;
    assert!(is_valid);
    std::fs::remove_dir_all(&directory).unwrap();
}

fn name_of(url: &str) -> &str {
    url.rsplit('/').next().unwrap()
}
