//! The flags that say which columns of a table make the picture, and how it is drawn.

use clap::{Args, ValueEnum};

use super::LooksFlag;

/// Which columns make the picture. What is left out is found by its name; an empty name means none.
#[derive(Debug, Clone, Default, Args)]
pub struct Columns {
    /// The column with the Markdown
    #[arg(long, value_name = "COLUMN")]
    pub body: Option<String>,
    /// The column that receives the URL; leave it out beside --body to keep URLs in tintype.image alone
    #[arg(long, value_name = "COLUMN")]
    pub image: Option<String>,
    /// The column with the title
    #[arg(long, value_name = "COLUMN")]
    pub title: Option<String>,
    /// The column with the author's name
    #[arg(long, value_name = "COLUMN")]
    pub author: Option<String>,
    /// The column with the date
    #[arg(long, value_name = "COLUMN")]
    pub date: Option<String>,
    /// The column with the tags
    #[arg(long, value_name = "COLUMN")]
    pub tags: Option<String>,
    /// The columns of the key, by commas [default: the primary key]
    #[arg(long, value_name = "COLUMN", value_delimiter = ',')]
    pub key: Option<Vec<String>>,
    /// An SQL condition; rows outside it get no picture
    #[arg(long = "where", value_name = "CONDITION")]
    pub row_filter: Option<String>,
    /// A row that leaves --where loses its URL, and gets it back when it returns [default: false]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true", require_equals = true)]
    pub unpublish: Option<bool>,
    /// What to draw [default: auto]
    #[arg(long, value_enum)]
    pub draw: Option<SourceDraw>,
    /// The look: night, paper, or one of --looks [default: night]
    #[arg(long, value_name = "NAME", env = "TINTYPE_LOOK")]
    pub look: Option<String>,
    /// The column with the name of a row's own look; empty means the table's
    #[arg(long, value_name = "COLUMN")]
    pub look_column: Option<String>,
    /// Where looks are found
    #[command(flatten)]
    pub looks: LooksFlag,
    /// A syntax theme in place of the look's own: a name, or a .tmTheme file of --looks
    #[arg(long, value_name = "NAME", env = "TINTYPE_THEME")]
    pub theme: Option<String>,
    /// The template in whose layout titles are drawn: blog-post, or one of --looks; empty means none
    #[arg(long, value_name = "NAME", env = "TINTYPE_TEMPLATE")]
    pub template: Option<String>,
    /// The site's name on the card
    #[arg(long, value_name = "TEXT", env = "TINTYPE_SITE")]
    pub site: Option<String>,
    /// Pages in place of cards
    #[command(flatten)]
    pub pages: Pages,
}

/// Pages in place of cards.
#[derive(Debug, Clone, Default, Args)]
pub struct Pages {
    /// The address of a row's page, with columns in braces: 'https://app.example/posts/{slug}', or '{url}' where a column has all of it
    #[arg(long, value_name = "URL", help_heading = "Pages")]
    pub url: Option<String>,
    /// A template in HTML, NAME.html of --looks
    #[arg(long, value_name = "NAME", help_heading = "Pages")]
    pub html: Option<String>,
    /// More columns for the template, or whose change calls for a new picture of the page, by commas
    #[arg(long, value_name = "COLUMN", value_delimiter = ',', help_heading = "Pages")]
    pub data: Option<Vec<String>>,
    /// How a page is taken: a flag of `tintype capture` with its value, again for each: width=800, dark=true, hide=.banner; '' takes these back
    #[arg(long, value_name = "NAME=VALUE", help_heading = "Pages")]
    pub capture: Vec<String>,
    /// What lets us in, by the name of a secret that the worker has (TINTYPE_SECRET_NAME): bearer=NAME, basic=NAME, header:X-Key=NAME,
    /// cookie:session=NAME, or sign=NAME for signed addresses; '' takes these back
    #[arg(long, value_name = "WAY=NAME", help_heading = "Pages")]
    pub auth: Vec<String>,
}

/// What a table's pictures are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SourceDraw {
    /// Code where there is some, else the title
    Auto,
    /// Code, or nothing
    Code,
    /// The title, always
    Title,
    /// The row's page, through Chromium
    Page,
    /// A template in HTML, through Chromium
    Html,
}

impl SourceDraw {
    /// As the database has it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Code => "code",
            Self::Title => "title",
            Self::Page => "page",
            Self::Html => "html",
        }
    }
}
