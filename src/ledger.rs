//! The ledger's entry of one row: its last picture, or why there is none. Read with the row, written by its publication.

use serde::{Deserialize, Serialize};

/// What became of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It has a picture.
    Ready,
    /// It calls for none, or the row filter leaves it out.
    Skipped,
    /// Its content cannot be drawn, or its table refused the URL.
    Failed,
}

/// What the ledger `tintype.image` says of one row, apart from its key.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Ledger {
    /// What became of the row; `None` for a row that is not there.
    pub state: Option<State>,
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
    /// `code`, `title` or `page`.
    pub kind: Option<String>,
    /// `native`, or the browser with its version.
    pub engine: Option<String>,
    /// The text alternative.
    pub alt: Option<String>,
    /// When it was drawn, as Postgres writes it in JSON.
    pub rendered_at: Option<String>,
    /// The row filter left the row out; what is on record besides state and reason is from before.
    #[serde(skip_serializing)]
    pub outside: bool,
}
