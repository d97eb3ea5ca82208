//! The flags that say which columns of a table make the picture, and how it is drawn.

use clap::Args;

use super::{Draw, LooksFlag};

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
    pub draw: Option<Draw>,
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
}
