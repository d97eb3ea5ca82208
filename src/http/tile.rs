//! An entry of the ledger or the queue as it is shown: what the database says comes in, texts and addresses for a template go out.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use tokio_postgres::Row;

use super::headers;
use crate::{db::DbError, queue::Text, storage::Storage, studio::half_digest};

/// The columns that [`Tile::read`] wants of `tintype.entry`; texts that a host wrote, as bytes.
pub(super) const COLUMNS: &str = "e.source, tintype.bytes(e.key) AS key, e.state, tintype.bytes(e.reason) AS reason, e.url, e.object, e.width, e.height, e.bytes, \
     e.kind, e.engine, tintype.bytes(e.alt) AS alt, e.attempt, to_char(e.at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"') AS at";

/// What stands in a path as it is.
const PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// One entry.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Tile {
    /// Its element's id.
    pub(super) id: String,
    /// Another one where anything that is shown is another.
    pub(super) revision: String,
    pub(super) source: String,
    pub(super) key: String,
    /// Its own page.
    pub(super) href: String,
    /// `pending`, `processing`, `ready`, `skipped` or `failed`.
    pub(super) state: String,
    /// Where a browser gets its picture; `None` where there is none, or it lies where this page may not look.
    pub(super) picture: Option<String>,
    /// What the picture shows, or the row's name.
    pub(super) alt: String,
    pub(super) url: Option<String>,
    pub(super) reason: Option<String>,
    pub(super) kind: Option<String>,
    pub(super) engine: Option<String>,
    pub(super) width: Option<i32>,
    pub(super) height: Option<i32>,
    pub(super) bytes: Option<i32>,
    /// The same for people.
    pub(super) size: Option<String>,
    pub(super) attempt: i32,
    /// Its last change, ISO 8601 in UTC.
    pub(super) at: String,
}

impl Tile {
    pub(super) fn read(row: &Row, storage: &Storage) -> Result<Self, DbError> {
        let wrong = |error: tokio_postgres::Error| DbError::unexpected(error.to_string());
        let text =
            |name: &str| row.try_get::<_, Option<Text>>(name).map(|text| text.map(Text::into_string)).map_err(wrong);
        let (source, key): (String, String) = (row.get("source"), text("key")?.unwrap_or_default());
        let (url, object): (Option<String>, Option<String>) = (row.get("url"), row.get("object"));
        let state: String = row.get("state");
        let picture = (state != "skipped").then(|| picture(storage, url.as_deref(), object.as_deref())).flatten();
        let bytes: Option<i32> = row.get("bytes");
        let mut tile = Self {
            id: format!("row-{}", half_digest(&[&source, &key])),
            revision: String::new(),
            href: row_path(&source, &key),
            alt: text("alt")?.filter(|alt| !alt.is_empty()).unwrap_or_else(|| format!("{source}, row {key}")),
            source,
            key,
            state,
            picture,
            url,
            reason: text("reason")?,
            kind: row.get("kind"),
            engine: row.get("engine"),
            width: row.get("width"),
            height: row.get("height"),
            bytes,
            size: bytes.map(|bytes| format!("{} KB", (bytes + 1023) / 1024)),
            attempt: row.get("attempt"),
            at: row.get("at"),
        };
        let shown = format!("{tile:?}");
        tile.revision = half_digest(&[&shown]);
        Ok(tile)
    }
}

/// Where a row has its page.
pub(super) fn row_path(source: &str, key: &str) -> String {
    format!("/row/{}/{}", in_path(source), in_path(key))
}

/// A text as one part of a path.
pub(super) fn in_path(text: &str) -> String {
    utf8_percent_encode(text, PATH).to_string()
}

/// Where a browser gets a picture: from here where it lies in a folder, else from the store's own origin.
pub(super) fn picture(storage: &Storage, url: Option<&str>, object: Option<&str>) -> Option<String> {
    match storage {
        Storage::Folder(_) => {
            let parts: Vec<_> = object?.split('/').map(in_path).collect();
            Some(format!("/pictures/{}", parts.join("/")))
        }
        Storage::S3(_) => {
            let origin = headers::origin(storage)?;
            url.filter(|url| url.strip_prefix(&origin).is_some_and(|rest| rest.starts_with('/'))).map(str::to_owned)
        }
    }
}
