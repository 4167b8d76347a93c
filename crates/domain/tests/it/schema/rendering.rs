//! `src/schema.rs`, written anew from a migrated database and compared.

use std::fmt::Write;

use crate::sql::Sql;
use crate::support::TestDb;

const WRITTEN: &str = include_str!("../../../src/schema.rs");

const HEADER: &str =
    "//! The tables, as `information_schema` has them; `tests/it/schema/rendering.rs` compares.\n";

struct Column {
    table: String,
    name: String,
    kind: String,
    is_nullable: bool,
}

#[tokio::test(flavor = "multi_thread")]
async fn schema_rs_is_what_the_database_has() {
    let test = TestDb::new().await;
    let rendered = render(&Sql::beside(&test).await).await;
    assert!(
        WRITTEN == rendered,
        "src/schema.rs does not fit the migrations; it should be:\n\n{rendered}"
    );
}

async fn render(sql: &Sql) -> String {
    let columns = columns(sql).await;
    let mut tables: Vec<&str> = columns.iter().map(|column| column.table.as_str()).collect();
    tables.dedup();
    let mut text = HEADER.to_owned();
    for table in &tables {
        let key = primary_key(sql, table).await.join(", ");
        writeln!(text, "\ndiesel::table! {{\n    {table} ({key}) {{").unwrap();
        for column in columns.iter().filter(|column| column.table == *table) {
            let kind = diesel_type(&column.kind).unwrap_or_else(|| {
                panic!(
                    "{table}.{} is a {}: say in `diesel_type` what diesel calls that",
                    column.name, column.kind
                )
            });
            let kind = if column.is_nullable {
                format!("Nullable<{kind}>")
            } else {
                kind
            };
            let name = name(&column.name);
            if name != column.name {
                writeln!(text, "        #[sql_name = \"{}\"]", column.name).unwrap();
            }
            writeln!(text, "        {name} -> {kind},").unwrap();
        }
        text.push_str("    }\n}\n");
    }
    text.push_str("\ndiesel::allow_tables_to_appear_in_same_query!(\n");
    for table in tables {
        writeln!(text, "    {table},").unwrap();
    }
    text.push_str(");\n");
    text
}

/// What a column is called here. The time of a row's last change has two names in the database, and
/// one in what all rows have in common (`src/record.rs`).
fn name(column: &str) -> &str {
    match column {
        "updated_at" => "last_updated",
        column => column,
    }
}

async fn columns(sql: &Sql) -> Vec<Column> {
    sql.all::<Vec<String>>(
        "SELECT array[table_name, column_name, udt_name, is_nullable]::text[]
         FROM information_schema.columns JOIN information_schema.tables USING (table_schema, table_name)
         WHERE table_schema = 'public' AND table_type = 'BASE TABLE'
         AND table_name <> '__diesel_schema_migrations'
         ORDER BY table_name, ordinal_position",
    )
    .await
    .into_iter()
    .map(|row| {
        let [table, name, kind, nullable] = row.try_into().unwrap();
        Column { table, name, kind, is_nullable: nullable == "YES" }
    })
    .collect()
}

async fn primary_key(sql: &Sql, table: &str) -> Vec<String> {
    let key = sql
        .all(&format!(
            "SELECT column_name::text FROM information_schema.key_column_usage
             JOIN information_schema.table_constraints
             USING (constraint_schema, constraint_name, table_name)
             WHERE constraint_schema = 'public' AND table_name = '{table}'
             AND constraint_type = 'PRIMARY KEY' ORDER BY ordinal_position"
        ))
        .await;
    assert!(!key.is_empty(), "{table} has no primary key");
    key
}

/// Diesel's name for a type of PostgreSQL; an array's is that of its elements after an underscore.
fn diesel_type(kind: &str) -> Option<String> {
    if let Some(element) = kind.strip_prefix('_') {
        return Some(format!("Array<{}>", diesel_type(element)?));
    }
    let name = match kind {
        "bool" => "Bool",
        "bytea" => "Bytea",
        "date" => "Date",
        "float8" => "Float8",
        "int2" => "Int2",
        "int4" => "Int4",
        "int8" => "Int8",
        "jsonb" => "Jsonb",
        "text" => "Text",
        "timestamptz" => "Timestamptz",
        "tstzrange" => "Tstzrange",
        "uuid" => "Uuid",
        _ => return None,
    };
    Some(name.to_owned())
}
