//! A menu from a file and into one.

use actix_web::http::header;
use actix_web::web::Data;
use actix_web::{HttpResponse, web};
use domain::menu::transfer::{self, Import, ImportDish, Row};
use serde::Deserialize;
use serde_json::value::RawValue;
use wire::menu::transfer::{ExportQuery, FileFormat, Imported, MenuFile};
use wire::patch::{Clearable, clearable};
use wire::{DishId, ErrorBody, FieldError, RestaurantId, lists};

use super::csv;
use crate::access::auth::Caller;
use crate::platform::errors::ApiError;
use crate::platform::extract::{File, FileKind, Path, Query, parse, part};
use crate::platform::reply;
use crate::state::AppState;

/// Rows that a file has at most.
const ROWS: usize = 10_000;

/// A file of JSON whose rows have yet to be read.
#[derive(Deserialize)]
struct Rows {
    #[serde(default, deserialize_with = "lists::required::<ROWS, _, _>")]
    categories: Vec<Box<RawValue>>,
    #[serde(deserialize_with = "lists::required::<ROWS, _, _>")]
    dishes: Vec<Box<RawValue>>,
}

/// What a row says beside the fields of a dish.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Head {
    #[serde(alias = "dish_id")]
    dish_id: Option<DishId>,
    #[serde(deserialize_with = "clearable")]
    category: Clearable<String>,
}

/// Imports a menu from JSON or CSV (`text/csv`, UTF-8, with the header that an export has), up to
/// 16 MiB and 10,000 rows: all of it, or nothing and then `items` names the first ten rows that are
/// at fault, and `more` says how many more there are. Dishes are found by `dishId` and changed, or made; categories are found by their name.
#[utoipa::path(
    post, path = "/api/v1/restaurants/{rid}/menu/import", tag = "menu",
    params(("rid" = RestaurantId, Path)),
    request_body(content((MenuFile = "application/json"), (String = "text/csv"))),
    responses(
        (status = 200, body = Imported), (status = 409, body = ErrorBody),
        (status = 413, body = ErrorBody, description = "The file is larger than 16 MiB."),
        (status = 415, body = ErrorBody, description = "The file is neither JSON nor CSV."),
    )
)]
pub async fn import(
    state: Data<AppState>,
    caller: Caller,
    Path(rid): Path<RestaurantId>,
    File { kind, bytes }: File,
) -> Result<HttpResponse, ApiError> {
    // A large file takes a while to read, in which this thread would answer nobody else.
    let file = web::block(move || match kind {
        FileKind::Json => from_json(&bytes),
        FileKind::Csv => from_csv(&bytes),
    })
    .await
    .map_err(ApiError::internal)??;
    let scope = caller.scope(rid);
    state
        .post(
            "menu.import",
            &scope,
            async |tx| transfer::import(tx, &file).await,
            |saved| reply::done(&saved.value, saved.position()),
        )
        .await
}

/// The whole menu as a file, unpublished dishes included, in the form that an import reads.
#[utoipa::path(
    get, path = "/api/v1/restaurants/{rid}/menu/export", tag = "menu",
    params(("rid" = RestaurantId, Path), ExportQuery),
    responses((status = 200, content((MenuFile = "application/json"), (String = "text/csv"))))
)]
pub async fn export(
    state: Data<AppState>,
    Path(rid): Path<RestaurantId>,
    Query(query): Query<ExportQuery>,
) -> Result<HttpResponse, ApiError> {
    let now = state.db.clock().now();
    let read = state.db.snapshot("menu.export", async move |conn| {
        transfer::export(conn, rid, now).await
    });
    let file = read.await?;
    let mut answer = HttpResponse::Ok();
    let mut named = |name: &str| {
        let value = format!("attachment; filename=\"{name}\"");
        answer.insert_header((header::CONTENT_DISPOSITION, value));
    };
    Ok(match query.format.unwrap_or(FileFormat::Json) {
        FileFormat::Json => {
            named("menu.json");
            answer.json(file)
        }
        FileFormat::Csv => {
            named("menu.csv");
            answer
                .content_type("text/csv; charset=utf-8")
                .insert_header((header::CACHE_CONTROL, "no-store"))
                .body(csv::write(&file.dishes)?)
        }
    })
}

fn from_json(bytes: &[u8]) -> Result<Import, ApiError> {
    let rows: Rows = parse(bytes)?;
    Ok(Import {
        categories: numbered(rows.categories, part),
        dishes: numbered(rows.dishes, dish),
    })
}

fn numbered<T>(
    rows: Vec<Box<RawValue>>,
    read: impl Fn(&str) -> Result<T, Vec<FieldError>>,
) -> Vec<Row<T>> {
    let rows = rows.into_iter().enumerate();
    rows.map(|(index, row)| Row {
        index,
        line: None,
        fields: read(row.get()),
    })
    .collect()
}

fn from_csv(bytes: &[u8]) -> Result<Import, ApiError> {
    let mut dishes = Vec::new();
    for line in csv::Lines::new(bytes)? {
        check_count(dishes.len() + 1)?;
        dishes.push(Row {
            index: dishes.len(),
            line: Some(line.number),
            fields: line.dish.and_then(|text| dish(&text)),
        });
    }
    Ok(Import {
        dishes,
        ..Import::default()
    })
}

fn dish(row: &str) -> Result<ImportDish, Vec<FieldError>> {
    let (head, fields) = (part::<Head>(row), part(row));
    match (head, fields) {
        (Ok(head), Ok(fields)) => Ok(ImportDish {
            dish_id: head.dish_id,
            category: head.category,
            fields,
        }),
        (head, fields) => {
            let mut faults = head.err().unwrap_or_default();
            faults.extend(fields.err().unwrap_or_default());
            // Both say it of what is no object.
            faults.dedup();
            Err(faults)
        }
    }
}

/// Refuses a file of too many rows.
///
/// # Errors
/// 422.
fn check_count(rows: usize) -> Result<(), ApiError> {
    if rows > ROWS {
        return Err(ApiError::invalid(vec![FieldError {
            field: "dishes".to_owned(),
            message: format!("must be at most {ROWS} in one file"),
        }]));
    }
    Ok(())
}
