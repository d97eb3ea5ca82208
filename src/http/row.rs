//! A row's page: its picture as others show it, the tags to paste, what it was made from and by whom, and what went wrong.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::Response,
};
use serde_json::{Value, json};
use tokio_postgres::Row;

use super::{
    Site, page,
    reading::ReadError,
    tile::{COLUMNS, Tile},
};
use crate::{
    db::DbError,
    post::Post,
    queue::{self, Material},
};

/// How much of a text is shown, in characters.
const SHOWN: usize = 4_000;

/// How often a job may kill its worker before it is parked.
const DEATHS: i32 = 3;

/// What is said of a row whose entry the next sweep takes away, or that the filter leaves out.
const GONE: &str = "The row is deleted, or hidden from the worker. Its address under /i/ is not found; a picture that was stored stays until it is pruned.";
const LEFT_OUT: &str =
    "The row filter leaves this row out. Its address under /i/ is not found; what was drawn before stays in the store.";

pub(super) async fn row(State(site): State<Arc<Site>>, Path((source, key)): Path<(String, String)>) -> Response {
    match find(&site, source, key).await {
        Ok(Some(values)) => page::show("row", &values),
        Ok(None) => unknown(),
        Err(error) => page::trouble(&error),
    }
}

/// What is said of a table or a row that nobody has heard of.
pub(super) fn unknown() -> Response {
    page::message(
        StatusCode::NOT_FOUND,
        "Nothing is known of this row",
        "No attached table has this name, or the row has neither a picture nor a job. A row that was there before its table was attached gets one with tintype backfill.",
    )
}

async fn find(site: &Site, source: String, key: String) -> Result<Option<Value>, ReadError> {
    let sql = format!(
        "SELECT {COLUMNS}, e.source_id, e.content, e.template, e.media_type, e.in_row, e.deaths, s.draw, s.site, s.image_column, s.url AS page_url,
                to_char(e.rendered_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') AS rendered_at,
                to_char(e.due_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') AS due_at
           FROM tintype.entry e JOIN tintype.source s ON s.id = e.source_id WHERE e.source = $1 AND e.key = $2"
    );
    let rows = site.reader.read(sql, vec![Box::new(source), Box::new(key.clone())]).await?;
    let Some(row) = rows.first() else { return Ok(None) };
    let tile = Tile::read(row, &site.storage)?;
    let number: i32 = row.get("source_id");
    let inputs = match site.reader.read(queue::READ, vec![Box::new(number), Box::new(key)]).await {
        Ok(rows) => rows.first().map(queue::material).transpose()?,
        Err(ReadError::Database(error @ DbError::Query(_))) => {
            return Ok(Some(values(site, row, &tile, None, Some(&error.to_string()))));
        }
        Err(error) => return Err(error),
    };
    let outside = match &inputs {
        None => Some(GONE),
        Some(material) if !material.wanted => Some(LEFT_OUT),
        Some(_) => None,
    };
    Ok(Some(values(site, row, &tile, inputs.as_ref(), outside)))
}

fn values(site: &Site, row: &Row, tile: &Tile, material: Option<&Material>, trouble: Option<&str>) -> Value {
    let text = |name: &str| row.get::<_, Option<String>>(name);
    let own_site = text("site");
    let headline = material.and_then(|material| Post::new(material.fields()).title).unwrap_or_else(|| tile.alt.clone());
    let excerpt = material.and_then(|material| Post::new(material.fields()).excerpt);
    let deaths: i32 = row.get("deaths");
    let whole_address = tile.url.as_deref().is_none_or(is_whole);
    json!({
        "here": "row", "tile": tile, "title": headline, "excerpt": excerpt,
        "site": own_site.clone().unwrap_or_else(|| "your-site.example".to_owned()),
        "inputs": material.map(inputs), "trouble": trouble, "tags": tags(tile, text("media_type").as_deref()), "whole_address": whole_address,
        "content": text("content"), "template": text("template"), "media_type": text("media_type"), "draw": row.get::<_, String>("draw"),
        "image_column": text("image_column"), "in_row": row.get::<_, bool>("in_row"), "left_out": trouble.is_some_and(|words| [GONE, LEFT_OUT].contains(&words)),
        "rendered_at": text("rendered_at"), "due_at": text("due_at"), "deaths": deaths, "most_deaths": DEATHS,
        "may_change": site.token.is_some(),
        "can_retry": tile.state == "failed" || (tile.reason.is_some() && tile.state == "pending"),
    })
}

/// Whether an address means the same wherever it is read; a path does not, and no crawler adds the site to it.
fn is_whole(address: &str) -> bool {
    ["http://", "https://"].iter().any(|scheme| address.starts_with(scheme))
}

/// What the picture is made from, a name and a text each; long texts are cut.
fn inputs(material: &Material) -> Vec<Value> {
    let fixed = [
        ("title", &material.title),
        ("author", &material.author),
        ("date", &material.date),
        ("tags", &material.tags),
        ("look", &material.row_look),
        ("body", &material.body),
    ];
    let fixed = fixed.into_iter().map(|(name, text)| (name, text.as_deref()));
    let data = material.data.iter().map(|(name, text)| (name.as_str(), text.as_deref()));
    let shown = fixed.chain(data).filter_map(|(name, text)| Some((name, text?)));
    shown
        .map(|(name, text)| {
            let cut: String = text.chars().take(SHOWN).collect();
            json!({ "name": name, "text": cut, "long": text.contains('\n') || text.len() > 120, "cut": cut.len() < text.len() })
        })
        .collect()
}

/// The tags that a page of this row wants in its head; values are escaped with the page, once for the tag and once for being shown.
fn tags(tile: &Tile, media_type: Option<&str>) -> Option<String> {
    let url = tile.url.as_deref().filter(|_| tile.picture.is_some())?;
    let escaped = |text: &str| html_escape::encode_double_quoted_attribute(text).into_owned();
    let mut lines = vec![("property", "og:image", url.to_owned())];
    let sizes = [("og:image:width", tile.width), ("og:image:height", tile.height)];
    lines.extend(sizes.into_iter().filter_map(|(name, size)| Some(("property", name, size?.to_string()))));
    lines.extend(media_type.map(|media_type| ("property", "og:image:type", media_type.to_owned())));
    lines.push(("property", "og:image:alt", tile.alt.clone()));
    lines.push(("name", "twitter:card", "summary_large_image".to_owned()));
    let line =
        |(kind, name, value): &(&str, &str, String)| format!("<meta {kind}=\"{name}\" content=\"{}\">", escaped(value));
    Some(lines.iter().map(line).collect::<Vec<_>>().join("\n"))
}
