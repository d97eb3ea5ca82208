//! The demo's web page: the posts with their pictures, as the table has them now.

use std::{io, path::PathBuf, sync::Arc};

use axum::{
    Json, Router,
    extract::{Path, State},
    http::{StatusCode, header},
    response::{Html, IntoResponse, Response},
    routing::get,
};
use serde::Serialize;
use tokio::net::TcpListener;

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

/// Where the pictures lie, and the database with the posts.
pub(super) struct Gallery {
    pub(super) db: Database,
    pub(super) pictures: PathBuf,
}

/// Serves until the process ends.
pub(super) async fn serve(listener: TcpListener, gallery: Gallery) -> io::Result<()> {
    let routes = Router::new()
        .route("/", get(async || Html(include_str!("gallery.html"))))
        .route("/posts.json", get(posts))
        .route("/pictures/{*path}", get(picture))
        .with_state(Arc::new(gallery));
    axum::serve(listener, routes).await
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

async fn posts(State(gallery): State<Arc<Gallery>>) -> Response {
    match entries(&gallery.db).await {
        Ok(entries) => Json(entries).into_response(),
        Err(error) => (StatusCode::SERVICE_UNAVAILABLE, error.to_string()).into_response(),
    }
}

async fn picture(State(gallery): State<Arc<Gallery>>, Path(path): Path<String>) -> Response {
    if path.split('/').any(|part| part.is_empty() || part.starts_with('.')) {
        return StatusCode::NOT_FOUND.into_response();
    }
    match tokio::fs::read(gallery.pictures.join(path)).await {
        Ok(bytes) => (
            [(header::CONTENT_TYPE, "image/png"), (header::CACHE_CONTROL, "public, max-age=31536000, immutable")],
            bytes,
        )
            .into_response(),
        Err(_) => StatusCode::NOT_FOUND.into_response(),
    }
}
