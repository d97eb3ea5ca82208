//! The pages: the wall, one row, what failed, and the form that lets a browser in. They ask, fill templates, and change nothing but by
//! the functions for it.

use std::{collections::HashSet, sync::Arc};

use axum::{
    Form,
    extract::{Path, RawQuery, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;
use serde_json::json;
use tokio_postgres::error::SqlState;

use super::{
    Site, access, page,
    reading::{ReadError, Value},
    tile::{COLUMNS, Tile},
};
use crate::queue::Text;

/// The longest text that is searched for, in characters.
const LONGEST: usize = 200;

/// How many entries are shown of what was found.
const MOST: usize = 96;

/// The states that a person may ask for.
const STATES: [&str; 5] = ["pending", "processing", "ready", "skipped", "failed"];

/// A value of the query, where it is not empty.
fn asked(query: Option<&str>, name: &str) -> Option<String> {
    let pairs = url::form_urlencoded::parse(query.unwrap_or_default().as_bytes());
    let value = pairs.into_iter().find(|(key, _)| key == name).map(|(_, value)| value);
    let value: String = value?.trim().chars().take(LONGEST).filter(|c| *c != '\0').collect();
    (!value.is_empty()).then_some(value)
}

/// What a person looks for.
struct Quest {
    words: Option<String>,
    state: Option<String>,
    source: Option<String>,
}

/// Tiles that were looked for, and whether titles were too many to be looked at in time.
#[derive(Default)]
struct Finds {
    tiles: Vec<String>,
    cut_short: bool,
}

impl Quest {
    fn read(query: Option<&str>) -> Option<Self> {
        let state = asked(query, "state").filter(|state| STATES.contains(&state.as_str()));
        let quest = Self { words: asked(query, "q"), state, source: asked(query, "source") };
        (quest.words.is_some() || quest.state.is_some() || quest.source.is_some()).then_some(quest)
    }

    fn values(&self) -> Vec<Value> {
        vec![Box::new(self.words.clone()), Box::new(self.state.clone()), Box::new(self.source.clone())]
    }

    /// What ledger and queue know, and behind it what the tables' own titles say.
    async fn find(&self, site: &Site) -> Result<Finds, ReadError> {
        let sql = |function: &str| format!("SELECT {COLUMNS} FROM tintype.{function}($1, $2, $3) e");
        let mut rows = site.reader.read(sql("search"), self.values()).await?;
        let mut cut_short = false;
        if self.words.is_some() && rows.len() < MOST {
            match site.reader.read_briefly(sql("search_titles"), self.values()).await {
                Ok(more) => rows.extend(more),
                Err(ReadError::Database(error)) if error.sql_state() == Some(&SqlState::QUERY_CANCELED) => {
                    cut_short = true;
                }
                Err(error) => return Err(error),
            }
        }
        let (mut seen, mut tiles) = (HashSet::new(), Vec::new());
        for row in &rows {
            let tile = Tile::read(row, &site.storage)?;
            if tiles.len() < MOST && seen.insert(tile.id.clone()) {
                tiles.push(page::tile(&tile));
            }
        }
        Ok(Finds { tiles, cut_short })
    }
}

/// The wall; with `?q=`, `?state=` or `?source=` what was looked for.
pub(super) async fn wall(State(site): State<Arc<Site>>, RawQuery(query): RawQuery) -> Response {
    let quest = Quest::read(query.as_deref());
    let made = async {
        let snapshot = site.board.snapshot().await?;
        let hung = || snapshot.tiles.iter().map(|hung| hung.html.clone()).collect();
        let finds = match &quest {
            Some(quest) => quest.find(&site).await?,
            None => Finds { tiles: hung(), ..Finds::default() },
        };
        let Quest { words, state, source } =
            quest.as_ref().unwrap_or(&Quest { words: None, state: None, source: None });
        Ok(page::show(
            "wall",
            &json!({
                "here": "wall", "tiles": finds.tiles, "cut_short": finds.cut_short, "strip": snapshot.strip, "live": quest.is_none(),
                "words": words, "state": state, "source": source, "states": STATES, "may_change": site.token.is_some(),
            }),
        ))
    };
    made.await.unwrap_or_else(|error| page::trouble(&error))
}

/// What has failed, by cause.
pub(super) async fn failures(State(site): State<Arc<Site>>) -> Response {
    let sql = "SELECT permanent, tintype.bytes(cause) AS cause, rows, tintype.bytes(example) AS example, sources, keys,
                      to_char(latest AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') AS latest,
                      to_char(next_due AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') AS next_due
                 FROM tintype.failures()";
    let rows = match site.reader.read(sql.to_owned(), Vec::new()).await {
        Ok(rows) => rows,
        Err(error) => return page::trouble(&error),
    };
    let groups: Vec<_> = rows.iter().map(group).collect();
    let (lasting, passing): (Vec<_>, Vec<_>) = groups.into_iter().partition(|group| group["permanent"] == true);
    let values =
        json!({ "here": "failures", "lasting": lasting, "passing": passing, "may_change": site.token.is_some() });
    page::show("failures", &values)
}

fn group(row: &tokio_postgres::Row) -> serde_json::Value {
    let text = |name: &str| row.try_get::<_, Text>(name).map(Text::into_string).unwrap_or_default();
    let sources: Vec<String> = row.get("sources");
    let keys: Vec<String> = row.get::<_, Vec<Text>>("keys").into_iter().map(Text::into_string).collect();
    let rows: Vec<_> = sources
        .iter()
        .zip(&keys)
        .map(|(source, key)| json!({ "name": format!("{source}/{key}"), "href": super::tile::row_path(source, key) }))
        .collect();
    json!({
        "permanent": row.get::<_, bool>("permanent"), "cause": text("cause"), "example": text("example"), "count": row.get::<_, i64>("rows"),
        "rows": rows, "latest": row.get::<_, Option<String>>("latest"), "next_due": row.get::<_, Option<String>>("next_due"),
    })
}

/// Tries one row again.
pub(super) async fn retry_row(State(site): State<Arc<Site>>, Path((source, key)): Path<(String, String)>) -> Response {
    let back = super::tile::row_path(&source, &key);
    let sql = "SELECT tintype.retry(s.relation, $2) FROM tintype.source s
                WHERE s.name = $1 AND EXISTS (SELECT FROM tintype.entry e WHERE e.source_id = s.id AND e.key = $2)";
    let rows = match site.reader.change(sql.to_owned(), vec![Box::new(source), Box::new(key)]).await {
        Ok(rows) => rows,
        Err(error) => return page::trouble(&error),
    };
    match rows.first().map(|row| row.get::<_, i64>(0)) {
        None => super::row::unknown(),
        Some(0) => page::message(
            StatusCode::CONFLICT,
            "There is nothing to retry",
            "This row has not failed, and waits for no further attempt: it has its picture, needs none, or is about to be drawn.",
        ),
        Some(_) => Redirect::to(&back).into_response(),
    }
}

#[derive(Deserialize)]
pub(super) struct Cause {
    cause: String,
}

/// Tries again what failed with one cause.
pub(super) async fn retry_cause(State(site): State<Arc<Site>>, Form(Cause { cause }): Form<Cause>) -> Response {
    match site.reader.change("SELECT tintype.retry_cause($1)".to_owned(), vec![Box::new(cause)]).await {
        Ok(rows) if rows.first().is_some_and(|row| row.get::<_, i64>(0) == 0) => page::message(
            StatusCode::CONFLICT,
            "There is nothing to retry",
            "No row has failed with this cause any more: somebody was quicker, or it has mended itself.",
        ),
        Ok(_) => Redirect::to("/failures").into_response(),
        Err(error) => page::trouble(&error),
    }
}

/// Where a visitor wanted to go: a path of this page, or its beginning. Browsers leave tabs and line ends out of an address, and take a
/// backslash for a slash.
fn destination(next: Option<String>) -> String {
    let is_unsafe = |c: char| c.is_ascii_control() || c == '\\';
    next.filter(|next| next.starts_with('/') && !next.starts_with("//") && !next.contains(is_unsafe))
        .unwrap_or_else(|| "/".to_owned())
}

pub(super) async fn login(RawQuery(query): RawQuery) -> Response {
    page::show("login", &json!({ "next": destination(asked(query.as_deref(), "next")), "wrong": false }))
}

#[derive(Deserialize)]
pub(super) struct Login {
    token: String,
    next: Option<String>,
}

pub(super) async fn log_in(State(site): State<Arc<Site>>, headers: HeaderMap, Form(form): Form<Login>) -> Response {
    let next = destination(form.next);
    let Some(token) = &site.token else { return Redirect::to(&next).into_response() };
    if !access::same_origin(&headers, true) {
        return StatusCode::FORBIDDEN.into_response();
    }
    if !token.is(form.token.trim()) {
        tracing::warn!("somebody showed a wrong token");
        return (StatusCode::FORBIDDEN, page::show("login", &json!({ "next": next, "wrong": true }))).into_response();
    }
    ([(header::SET_COOKIE, access::let_in(token, access::over_tls(&headers)))], Redirect::to(&next)).into_response()
}

pub(super) async fn log_out(headers: HeaderMap) -> Response {
    ([(header::SET_COOKIE, access::let_out(access::over_tls(&headers)))], Redirect::to("/login")).into_response()
}
