//! What cards show and what comes of them: plain data, already chosen and trimmed. Nothing here draws.

use super::template::Cover;

/// What a card shows: plain text, already chosen and trimmed; nothing here is Markdown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Card {
    /// A window of highlighted code under a title.
    Code(CodeCard),
    /// A large title with an excerpt, for posts without code.
    Title(TitleCard),
}

/// The line above the title: who wrote it, and where.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Eyebrow {
    /// The author's name; its first letter stands in the avatar.
    pub author: Option<String>,
    /// The site's name, muted.
    pub site: Option<String>,
}

/// A window of code.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CodeCard {
    /// Author and site.
    pub eyebrow: Eyebrow,
    /// The post's title; without one the window moves up.
    pub title: Option<String>,
    /// The name in the window's title bar, such as `lib/form.ex`.
    pub file: Option<String>,
    /// The language as the author wrote it (`rs`, `c++`, `Elixir`); unknown ones are drawn as plain text.
    pub language: Option<String>,
    /// The code, LF line ends, tabs kept, no common indentation.
    pub code: String,
    /// The code has more lines than these, and nobody has counted them.
    pub cut: bool,
    /// Lines to stress, 1-based, both ends included; the others dim.
    pub highlights: Vec<std::ops::RangeInclusive<usize>>,
    /// Lines marked as added and as removed, like the highlights; a diff's own lines need no marking.
    pub added: Vec<std::ops::RangeInclusive<usize>>,
    /// See [`CodeCard::added`].
    pub removed: Vec<std::ops::RangeInclusive<usize>>,
    /// The number of the first line where numbers are asked for.
    pub line_numbers: Option<usize>,
    /// Whether a line that is too wide goes on in the next row; else it fades out.
    pub wrap: bool,
    /// The cells a tab reaches for, 1 to 8; 4 where nothing is said.
    pub tab_width: Option<u8>,
}

/// A title without code.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TitleCard {
    /// Author and site.
    pub eyebrow: Eyebrow,
    /// The post's title.
    pub title: String,
    /// The first words of the post.
    pub excerpt: Option<String>,
    /// Tags, drawn as chips while there is room.
    pub tags: Vec<String>,
    /// The date as it is printed, such as `21 Nov 2026`.
    pub date: Option<String>,
    /// The post's own picture, for templates that have a place for it.
    pub cover: Option<Cover>,
    /// The post's code, likewise.
    pub code: Option<Box<CodeCard>>,
}

/// What the cards of a renderer have room for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Room {
    /// Code or a title, a card each: there is no template.
    #[default]
    Either,
    /// Titles, in a template; code goes onto cards of its own.
    Titles,
    /// Titles and code beside each other, in a template.
    Both,
}

/// A finished picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// The encoded file.
    pub bytes: Vec<u8>,
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
    /// The media type, such as `image/png`.
    pub media_type: &'static str,
    /// The end of a file's name for it, without the dot.
    pub extension: &'static str,
    /// Characters that no face had a glyph for, each once, in order of appearance.
    pub missing: Vec<char>,
}
