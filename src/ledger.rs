//! The ledger's entry of one row: its last picture, or why there is none. Read with the row, written by its publication.

use serde::{Deserialize, Serialize};

/// What the ledger `tintype.image` says of one row, apart from its key.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Ledger {
    /// `ready`, `skipped` or `failed`.
    pub state: String,
    /// Why there is no picture, or what is not right with it, such as characters that no font has.
    pub reason: Option<String>,
    /// Fingerprint of the columns that were drawn.
    pub content: Option<String>,
    /// Fingerprint of all else that decides the pixels.
    pub template: Option<String>,
    /// Where the world finds the picture.
    pub url: Option<String>,
    /// The object's key in the store.
    pub object: Option<String>,
    /// Pixels across.
    pub width: Option<u32>,
    /// Pixels down.
    pub height: Option<u32>,
    /// Length of the file.
    pub bytes: Option<usize>,
    /// Such as `image/png`.
    pub media_type: Option<String>,
    /// `code` or `title`.
    pub kind: Option<String>,
    /// `native`.
    pub engine: Option<String>,
    /// The text alternative.
    pub alt: Option<String>,
    /// When it was drawn, as Postgres writes it in JSON.
    pub rendered_at: Option<String>,
}
