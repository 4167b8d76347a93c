//! Rules that every table keeps, those of later migrations too.

use std::collections::BTreeSet;

use crate::sql::Sql;
use crate::support::TestDb;

/// The tables that are no restaurant's, and why.
const GLOBAL: &[&str] = &[
    // The restaurants themselves.
    "restaurants",
    // An account may belong to several restaurants; so may its devices and their tickets.
    "users",
    "device_sessions",
    "socket_tickets",
    // Workers serve any restaurant.
    "presence_workers",
    // One row each about the database.
    "database_identity",
    "primary_beat",
    // The migrations' own.
    "__diesel_schema_migrations",
];

const TABLES: &str = "SELECT c.oid::regclass::text FROM pg_class c
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')";

async fn tenant_tables(sql: &Sql) -> BTreeSet<String> {
    let all = sql.all::<String>(TABLES).await;
    for global in GLOBAL {
        assert!(
            all.iter().any(|table| table == global),
            "{global} is not a table any more"
        );
    }
    all.into_iter()
        .filter(|table| !GLOBAL.contains(&table.as_str()))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenants_table_has_the_restaurant_first_in_its_key() {
    let test = TestDb::new().await;
    let sql = Sql::beside(&test).await;
    for table in tenant_tables(&sql).await {
        let first: Vec<String> = sql
            .all(&format!(
                "SELECT attname::text FROM pg_index i JOIN pg_attribute a
                 ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
                 WHERE i.indrelid = '{table}'::regclass AND i.indisprimary"
            ))
            .await;
        assert_eq!(
            first,
            ["restaurant_id"],
            "{table} is neither a restaurant's nor in the list of those that are nobody's"
        );
    }
}

/// A foreign key: of which table, to which, and its columns in pairs.
struct Reference {
    name: String,
    from: String,
    to: String,
    columns: Vec<String>,
    targets: Vec<String>,
}

async fn references(sql: &Sql) -> Vec<Reference> {
    let names = |relation: &str, numbers: &str| {
        format!(
            "(SELECT array_agg(attname::text ORDER BY n) FROM unnest({numbers})
             WITH ORDINALITY AS k (attnum, n) JOIN pg_attribute a USING (attnum)
             WHERE a.attrelid = {relation})"
        )
    };
    let query = format!(
        "SELECT array[conname::text, conrelid::regclass::text, confrelid::regclass::text]
         || {} || {} FROM pg_constraint WHERE contype = 'f' ORDER BY 1",
        names("conrelid", "conkey"),
        names("confrelid", "confkey"),
    );
    let rows = sql.all::<Vec<String>>(&query).await;
    rows.into_iter()
        .map(|row| {
            let (head, columns) = row.split_at(3);
            let (columns, targets) = columns.split_at(columns.len() / 2);
            Reference {
                name: head[0].clone(),
                from: head[1].clone(),
                to: head[2].clone(),
                columns: columns.to_vec(),
                targets: targets.to_vec(),
            }
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn no_row_points_into_another_restaurant() {
    let test = TestDb::new().await;
    let sql = Sql::beside(&test).await;
    let tenants = tenant_tables(&sql).await;
    let references = references(&sql).await;
    assert!(!references.is_empty());
    for reference in references {
        if !tenants.contains(&reference.from) || !tenants.contains(&reference.to) {
            continue;
        }
        let is_bound = reference
            .columns
            .iter()
            .zip(&reference.targets)
            .any(|(from, to)| from == "restaurant_id" && to == "restaurant_id");
        assert!(
            is_bound,
            "{} of {} leaves the restaurant",
            reference.name, reference.from
        );
    }
}

/// Without one, every deletion of what is pointed at reads the whole table that points.
#[tokio::test(flavor = "multi_thread")]
async fn every_reference_has_an_index() {
    let test = TestDb::new().await;
    let sql = Sql::beside(&test).await;
    let mut without = Vec::new();
    for reference in references(&sql).await {
        let indices = sql
            .all::<Vec<String>>(&format!(
                "SELECT (SELECT array_agg(coalesce(attname, '(expression)')::text ORDER BY n)
                 FROM unnest(indkey::int2[]) WITH ORDINALITY AS k (attnum, n)
                 LEFT JOIN pg_attribute a ON a.attrelid = indrelid AND a.attnum = k.attnum)
                 FROM pg_index WHERE indrelid = '{}'::regclass AND indpred IS NULL",
                reference.from
            ))
            .await;
        let wanted: BTreeSet<&String> = reference.columns.iter().collect();
        let serves = |index: &Vec<String>| {
            index.iter().take(wanted.len()).collect::<BTreeSet<_>>() == wanted
        };
        if !indices.iter().any(serves) {
            without.push(format!(
                "{} ({})",
                reference.from,
                reference.columns.join(", ")
            ));
        }
    }
    assert!(
        without.is_empty(),
        "references without an index: {without:#?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn every_moment_has_a_time_zone() {
    let test = TestDb::new().await;
    let sql = Sql::beside(&test).await;
    let without = sql
        .all::<String>(
            "SELECT table_name || '.' || column_name FROM information_schema.columns
             WHERE table_schema = 'public' AND table_name <> '__diesel_schema_migrations'
             AND (data_type IN ('timestamp without time zone', 'time without time zone')
             OR (column_name ~ '_(at|time)$' AND udt_name <> 'timestamptz'))",
        )
        .await;
    assert!(
        without.is_empty(),
        "moments that nobody can place: {without:?}"
    );
}
