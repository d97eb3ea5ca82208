//! `/i/{source}/{key}.png`: the address of a row's picture whether or not it is there yet. What is stored is found under its own URL;
//! else the row is drawn as it is now. It always holds that the row is there now and that its filter wants it: what was deleted or taken
//! back a moment ago has no picture here, whatever the ledger still says.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    response::Response,
};

use super::{
    Site,
    demand::{Found, answer},
    reading::ReadError,
    tile,
};
use crate::queue;

/// How long caches may keep an answer: soon the picture has an address that stays.
const KEPT: u32 = 60;

pub(super) async fn picture(
    State(site): State<Arc<Site>>,
    Path((source, file)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    let Some(key) = file.strip_suffix(".png").map(str::to_owned) else {
        return answer(Found::Nothing(StatusCode::NOT_FOUND, "it ends in .png".to_owned()), &headers, KEPT);
    };
    let name = format!("row {source}\0{key}");
    let finding = {
        let site = Arc::clone(&site);
        async move { find(&site, source, key).await.unwrap_or_else(|error| trouble(&error)) }
    };
    answer(site.demand.fulfil(name, finding).await, &headers, KEPT)
}

async fn find(site: &Site, source: String, key: String) -> Result<Found, ReadError> {
    let nothing = |words: &str| Ok(Found::Nothing(StatusCode::NOT_FOUND, words.to_owned()));
    let sql = "SELECT s.id, tintype.wants(s, $2) AS wanted, e.state, e.url, e.object FROM tintype.source s
                 LEFT JOIN tintype.entry e ON e.source_id = s.id AND e.key = $2 WHERE s.name = $1";
    let rows = site.reader.read(sql, vec![Box::new(source), Box::new(key.clone())]).await?;
    let Some(row) = rows.first() else { return nothing("no such table") };
    if !row.get::<_, bool>("wanted") {
        return nothing("no such row");
    }
    let text = |name: &str| row.get::<_, Option<String>>(name);
    if text("state").as_deref() == Some("ready")
        && let Some(stored) = tile::picture(&site.storage, text("url").as_deref(), text("object").as_deref())
    {
        return Ok(Found::Stored(stored));
    }
    let number: i32 = row.get("id");
    let rows = site.reader.read(queue::READ, vec![Box::new(number), Box::new(key)]).await?;
    let Some(material) = rows.first().map(queue::material).transpose()?.filter(|material| material.wanted) else {
        return nothing("no such row");
    };
    Ok(site.demand.draw(material).await)
}

/// Why there is no answer; a key that is none of its column's type names no row.
fn trouble(error: &ReadError) -> Found {
    match error {
        ReadError::Database(error) if error.sql_state().is_some_and(|state| state.code().starts_with("22")) => {
            Found::Nothing(StatusCode::NOT_FOUND, "no such row".to_owned())
        }
        ReadError::Database(_) => {
            Found::Nothing(StatusCode::SERVICE_UNAVAILABLE, "the database does not answer as it should".to_owned())
        }
        ReadError::Busy => Found::Nothing(StatusCode::SERVICE_UNAVAILABLE, error.to_string()),
    }
}
