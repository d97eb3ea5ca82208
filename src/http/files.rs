//! Files: the page's style and script, the fonts of the cards, and the pictures of a store that is a folder. Each asset has its digest in
//! its name, so that a browser may keep it for ever.

use std::{
    io,
    sync::{Arc, LazyLock},
};

use axum::{
    body::Body,
    extract::{Path, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use futures_util::stream;
use tokio::io::AsyncReadExt;

use super::Site;
use crate::{card, storage::Storage, studio::half_digest};

const FOR_EVER: &str = "public, max-age=31536000, immutable";

/// How much of a picture is in memory at once, in bytes.
const PIECE: usize = 64 * 1024;

/// A file of the page's own.
pub(super) struct Asset {
    stem: &'static str,
    ending: &'static str,
    media_type: &'static str,
    text: &'static str,
}

pub(super) static STYLE: LazyLock<Asset> = LazyLock::new(|| Asset {
    stem: "live",
    ending: "css",
    media_type: "text/css; charset=utf-8",
    text: include_str!("assets/live.css"),
});

pub(super) static SCRIPT: LazyLock<Asset> = LazyLock::new(|| Asset {
    stem: "live",
    ending: "js",
    media_type: "text/javascript; charset=utf-8",
    text: include_str!("assets/live.js"),
});

const ICON: &str = include_str!("assets/icon.svg");

impl Asset {
    pub(super) fn path(&self) -> String {
        format!("/assets/{}", self.name())
    }

    fn name(&self) -> String {
        format!("{}-{}.{}", self.stem, half_digest(&[self.text]), self.ending)
    }
}

pub(super) async fn asset(Path(name): Path<String>) -> Response {
    let kept = |media_type: &'static str| [(header::CONTENT_TYPE, media_type), (header::CACHE_CONTROL, FOR_EVER)];
    if let Some(asset) = [&*STYLE, &*SCRIPT].into_iter().find(|asset| asset.name() == name) {
        return (kept(asset.media_type), asset.text).into_response();
    }
    if name == "icon.svg" {
        return (kept("image/svg+xml"), ICON).into_response();
    }
    match name.strip_suffix(".font").and_then(card::face) {
        Some(bytes) => (kept("font/otf"), bytes).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// A picture of a store that is a folder: one of those that a worker put there, and nothing else that lies in it or beside it.
pub(super) async fn picture(State(site): State<Arc<Site>>, Path(path): Path<String>) -> Response {
    let Storage::Folder(folder) = &site.storage else { return StatusCode::NOT_FOUND.into_response() };
    let media_type = match path.rsplit_once('.').map(|(_, ending)| ending) {
        Some("png") => "image/png",
        Some("jpg") => "image/jpeg",
        Some("webp") => "image/webp",
        Some("pdf") => "application/pdf",
        _ => return StatusCode::NOT_FOUND.into_response(),
    };
    if !has_our_name(&path) {
        return StatusCode::NOT_FOUND.into_response();
    }
    match folder.picture(&path).await {
        Ok(Some((file, length))) => {
            let kept = [(header::CONTENT_TYPE, media_type), (header::CACHE_CONTROL, FOR_EVER)];
            (kept, [(header::CONTENT_LENGTH, length)], by_pieces(file, length)).into_response()
        }
        Ok(None) => StatusCode::NOT_FOUND.into_response(),
        Err(error) => {
            tracing::warn!(%error, "a picture cannot be read");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// A file piece by piece, as the visitor takes it: a page's picture may have many megabytes, and many may want it.
fn by_pieces(file: std::fs::File, length: u64) -> Body {
    let file = tokio::fs::File::from_std(file).take(length);
    Body::from_stream(stream::try_unfold(file, |mut file| async move {
        let mut piece = Vec::with_capacity(PIECE);
        let read = file.read_buf(&mut piece).await?;
        Ok::<_, io::Error>((read > 0).then_some((piece, file)))
    }))
}

/// Whether a file is called as pictures are, TABLE/KEY/DIGEST.ENDING with 32 digits: a folder may hold other people's files as well.
fn has_our_name(path: &str) -> bool {
    let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    let mut parts = path.rsplit('/');
    let stem = parts.next().and_then(|name| name.split('.').next()).unwrap_or_default();
    stem.len() == 32 && stem.bytes().all(is_digit) && parts.count() >= 2
}

#[cfg(test)]
mod tests {
    use super::has_our_name;

    #[test]
    fn only_what_is_called_as_pictures_are_is_shown() {
        assert!(has_our_name("posts/1/0123456789abcdef0123456789abcdef.png"));
        assert!(has_our_name("og/posts/1/0123456789abcdef0123456789abcdef.jpg"));
        for path in [
            "invoices/2026.pdf",
            "0123456789abcdef0123456789abcdef.png",
            "posts/1/0123456789ABCDEF0123456789ABCDEF.png",
            "posts/1/.png",
        ] {
            assert!(!has_our_name(path), "{path}");
        }
    }
}
