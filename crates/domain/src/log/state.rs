//! What a thing was like, as far back as the log reaches.

use diesel::prelude::*;
use diesel::sql_types;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use serde_json::Value;
use uuid::Uuid;
use wire::RestaurantId;

use crate::Result;

/// A thing as it was in one of its versions; `None` when the log does not tell (any more).
pub(crate) async fn state_at(
    conn: &mut AsyncPgConnection,
    restaurant: RestaurantId,
    entity: Uuid,
    version: i32,
) -> Result<Option<Value>> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = sql_types::Jsonb)]
        data: Value,
    }
    let row: Option<Row> = diesel::sql_query(
        "SELECT frame::jsonb -> 'data' AS data FROM events \
         WHERE restaurant_id = $1 AND entity_id = $2 \
         AND (frame::jsonb #>> '{data,version}') = $3 \
         AND kind NOT LIKE '%\\_deleted' \
         ORDER BY seq DESC LIMIT 1",
    )
    .bind::<sql_types::Uuid, _>(restaurant)
    .bind::<sql_types::Uuid, _>(entity)
    .bind::<sql_types::Text, _>(version.to_string())
    .get_result(conn)
    .await
    .optional()?;
    Ok(row.map(|row| row.data))
}
