//! The flags that several commands share about how a picture looks: the look, where looks are found, the theme, the format.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// Where looks are found.
#[derive(Debug, Clone, Default, Args)]
pub struct LooksFlag {
    /// A directory of looks and templates: DIR/NAME.toml is the look NAME, DIR/NAME.svg the template NAME
    #[arg(long, value_name = "DIR", env = "TINTYPE_LOOKS")]
    pub looks: Option<PathBuf>,
}

/// How a picture looks.
#[derive(Debug, Clone, Args)]
pub struct Style {
    /// The look: night, paper, one of --looks, or the path of a file
    #[arg(long, value_name = "NAME", env = "TINTYPE_LOOK", default_value = "night")]
    pub look: String,
    /// Where looks are found
    #[command(flatten)]
    pub looks: LooksFlag,
    /// A syntax theme in place of the look's own: a name, or a .tmTheme file
    #[arg(long, value_name = "NAME", env = "TINTYPE_THEME")]
    pub theme: Option<String>,
    /// A template in whose layout the title is drawn, and code where it has a place for it: blog-post, one of --looks, or the path of an SVG file
    #[arg(long, value_name = "NAME", env = "TINTYPE_TEMPLATE")]
    pub template: Option<String>,
}

/// The format of pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PictureFormat {
    /// What every crawler reads
    Png,
    /// WebP without loss, three to five times as large
    Webp,
    /// With traces around letters
    #[value(alias = "jpg")]
    Jpeg,
}
