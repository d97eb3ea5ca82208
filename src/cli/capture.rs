//! The flags of `tintype capture`, and those about the browser that other commands share.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// How the browser is kept.
#[derive(Debug, Clone, Args)]
pub struct BrowserFlags {
    /// The browser's program [default: chromium-headless-shell, chromium, google-chrome …, whichever is found first]
    #[arg(long, value_name = "PATH", env = "TINTYPE_BROWSER", help_heading = "Browser")]
    pub browser: Option<PathBuf>,
    /// Keep pages in no sandbox; only where every page is your own
    #[arg(long, env = "TINTYPE_NO_SANDBOX", help_heading = "Browser")]
    pub no_sandbox: bool,
    /// A host of your own that pages may reach though it is not public, again for each, or several with commas between: localhost:4000, app.internal,
    /// 10.0.0.5
    #[arg(
        long = "allow-host",
        value_name = "HOST",
        env = "TINTYPE_ALLOW_HOST",
        value_delimiter = ',',
        help_heading = "Browser"
    )]
    pub allow_hosts: Vec<String>,
    /// A list of advertisements and trackers in the form of EasyList or of a hosts file, again for each, beside the small one that
    /// is built in
    #[arg(
        long = "block-list",
        value_name = "FILE",
        env = "TINTYPE_BLOCK_LIST",
        value_delimiter = ',',
        help_heading = "Browser"
    )]
    pub block_lists: Vec<PathBuf>,
}

/// How much a worker's browser works.
#[derive(Debug, Clone, Args)]
pub struct PoolFlags {
    /// Pages captured at once
    #[arg(long, value_name = "N", env = "TINTYPE_CAPTURES", default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..=64), help_heading = "Browser")]
    pub captures: u16,
    /// Seconds without a capture after which the browser is stopped
    #[arg(long, value_name = "SECONDS", env = "TINTYPE_BROWSER_IDLE", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=86_400), help_heading = "Browser")]
    pub browser_idle: u64,
    /// Pages of one host captured at once: fewer than of all, so that a host that hangs stops no other
    #[arg(long, value_name = "N", env = "TINTYPE_HOST_CAPTURES", default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..=64), help_heading = "Browser")]
    pub host_captures: u16,
    /// Pages of one host captured in a minute [default: any number]
    #[arg(long, value_name = "N", env = "TINTYPE_HOST_PER_MINUTE", value_parser = clap::value_parser!(u32).range(1..), help_heading = "Browser")]
    pub host_per_minute: Option<u32>,
}

/// Flags of `capture`.
#[derive(Debug, Args)]
pub struct Capture {
    /// The page
    #[arg(value_name = "URL", required_unless_present = "show_browser")]
    pub url: Option<String>,
    /// Where the picture goes; - for stdout [default: capture, with the format's ending]
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// The format [default: as --output ends, else png, and jpeg where the PNG would be larger than crawlers take]
    #[arg(long, value_enum)]
    pub format: Option<PageFormat>,
    /// The window's width in CSS pixels
    #[arg(long, value_name = "PIXELS", default_value_t = 1200)]
    pub width: u32,
    /// The window's height in CSS pixels
    #[arg(long, value_name = "PIXELS", default_value_t = 630)]
    pub height: u32,
    /// Pixels of the picture in a CSS pixel
    #[arg(long, value_name = "N", default_value_t = 1.0)]
    pub scale: f64,
    /// What of the page
    #[command(flatten)]
    pub part: Part,
    /// As whom
    #[command(flatten)]
    pub visitor: Visitor,
    /// When
    #[command(flatten)]
    pub when: When,
    /// What is changed or left out
    #[command(flatten)]
    pub change: Change,
    /// How the browser is kept
    #[command(flatten)]
    pub browser: BrowserFlags,
    /// Print what was captured as JSON
    #[arg(long)]
    pub json: bool,
    /// Print which browser is used, and its version
    #[arg(long)]
    pub show_browser: bool,
}

/// What of the page.
#[derive(Debug, Clone, Args)]
pub struct Part {
    /// The page from its top to its end
    #[arg(long, help_heading = "Part")]
    pub full_page: bool,
    /// The most CSS pixels of a full page; what is beyond is left out, and told
    #[arg(long, value_name = "PIXELS", default_value_t = 16_000, help_heading = "Part")]
    pub max_height: u32,
    /// The first element that matches
    #[arg(long, value_name = "CSS", help_heading = "Part")]
    pub selector: Option<String>,
    /// A part of the page in CSS pixels: X,Y,WIDTH,HEIGHT
    #[arg(long, value_name = "RECTANGLE", help_heading = "Part")]
    pub clip: Option<String>,
}

/// As whom.
#[derive(Debug, Clone, Args)]
pub struct Visitor {
    /// Ask the page for its dark form
    #[arg(long, help_heading = "Visitor")]
    pub dark: bool,
    /// Be a telephone
    #[arg(long, help_heading = "Visitor")]
    pub mobile: bool,
    /// The language: de-DE
    #[arg(long, value_name = "LANGUAGE", help_heading = "Visitor")]
    pub locale: Option<String>,
    /// The time zone: Europe/Berlin
    #[arg(long, value_name = "ZONE", help_heading = "Visitor")]
    pub time_zone: Option<String>,
    /// What the browser calls itself
    #[arg(long, value_name = "TEXT", help_heading = "Visitor")]
    pub user_agent: Option<String>,
    /// A header for the page's own server, again for each: 'Name: value'
    #[arg(long = "header", value_name = "HEADER", help_heading = "Visitor")]
    pub headers: Vec<String>,
}

/// When.
#[derive(Debug, Clone, Args)]
pub struct When {
    /// How far the page has to be
    #[arg(long, value_enum, default_value_t = WaitUntil::Load, help_heading = "Wait")]
    pub wait_until: WaitUntil,
    /// Until an element matches and can be seen
    #[arg(long, value_name = "CSS", help_heading = "Wait")]
    pub wait_for: Option<String>,
    /// So many seconds besides
    #[arg(long, value_name = "SECONDS", default_value_t = 0.0, help_heading = "Wait")]
    pub delay: f64,
    /// Seconds that all of it may take
    #[arg(long, value_name = "SECONDS", default_value_t = 30.0, help_heading = "Wait")]
    pub deadline: f64,
    /// Fail unless an element matches
    #[arg(long, value_name = "CSS", help_heading = "Wait")]
    pub expect_selector: Option<String>,
}

/// What is changed or left out.
#[derive(Debug, Clone, Args)]
pub struct Change {
    /// Show no element that matches, again for each
    #[arg(long, value_name = "CSS", help_heading = "Change")]
    pub hide: Vec<String>,
    /// Click the first element that matches, where there is one, again for each: cookie banners
    #[arg(long, value_name = "CSS", help_heading = "Change")]
    pub click: Vec<String>,
    /// A file with styles of your own
    #[arg(long, value_name = "FILE", help_heading = "Change")]
    pub css: Option<PathBuf>,
    /// Load no advertisements and trackers
    #[arg(long, help_heading = "Change")]
    pub block_ads: bool,
    /// Load nothing of this kind, again for each
    #[arg(long = "block-type", value_name = "KIND", value_enum, value_delimiter = ',', help_heading = "Change")]
    pub block_types: Vec<ResourceKind>,
}

/// The format of a page's picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PageFormat {
    /// Every pixel as it was
    Png,
    /// With traces around letters
    #[value(alias = "jpg")]
    Jpeg,
    /// As good as a JPEG, and smaller
    Webp,
    /// The page as it would be printed
    Pdf,
}

/// How far a page has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum WaitUntil {
    /// Its text is there
    Dom,
    /// So is all that it names
    Load,
    /// And for half a second nothing has been loaded any more
    Idle,
}

/// A kind of what pages load.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[allow(missing_docs)] // their names say it, here and in --help
pub enum ResourceKind {
    Image,
    Media,
    Font,
    Stylesheet,
    Script,
    Fetch,
    Websocket,
    Frame,
}
