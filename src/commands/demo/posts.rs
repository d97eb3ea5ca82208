//! The demo's posts and what became of them, as the table has them now.

use serde::Serialize;

use crate::db::{Database, DbError, Queries};

/// A post and what became of it.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Entry {
    pub(super) id: i64,
    pub(super) title: String,
    pub(super) state: String,
    pub(super) reason: Option<String>,
    pub(super) url: Option<String>,
    pub(super) alt: Option<String>,
    pub(super) bytes: Option<i32>,
    pub(super) updated_at: Option<String>,
    /// From the row's last write to its picture.
    pub(super) milliseconds: Option<f64>,
}

/// All posts, in the order in which they were written.
pub(super) async fn entries(db: &Database) -> Result<Vec<Entry>, DbError> {
    let rows = db.get().await?.query(include_str!("posts.sql"), &[]).await?;
    Ok(rows
        .iter()
        .map(|row| Entry {
            id: row.get("id"),
            title: Some(row.get::<_, String>("title"))
                .filter(|title| !title.is_empty())
                .unwrap_or_else(|| row.get("slug")),
            state: row.get("state"),
            reason: row.get("reason"),
            url: row.get("url"),
            alt: row.get("alt"),
            bytes: row.get("bytes"),
            updated_at: row.get("updated_at"),
            milliseconds: row.get("milliseconds"),
        })
        .collect())
}
