//! What is asked for: whose picture, how it is taken, and what may be reached for it.

use std::{fmt, sync::Arc, time::Duration};

use hyper::header::{HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};
use url::Url;

use super::guard::Rules;
use crate::card;

/// One picture that is wanted.
#[derive(Debug, Clone)]
pub struct Shot {
    /// Of what.
    pub subject: Subject,
    /// How.
    pub options: Options,
    /// What may be reached for it.
    pub rules: Arc<Rules>,
    /// What the page's own server is told besides.
    pub credentials: Credentials,
}

/// What a picture is of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// A page.
    Address(Url),
    /// A text in HTML, with the address that its relative links mean.
    Html {
        /// The text.
        html: String,
        /// What its links are relative to.
        base: Option<Url>,
    },
}

/// What goes to the page's own origin alone, and never to that of a frame, a script or a picture within it. It is no part of
/// [`Options`] and is never printed.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Credentials {
    /// Headers, cookies and authorisation among them: name and value.
    pub headers: Vec<(String, String)>,
}

impl Credentials {
    /// Whether the browser takes such a header from us: one that is well formed, and none that is its own affair.
    #[must_use]
    pub fn can_have(name: &str, value: &str) -> bool {
        const OWN: [&str; 8] =
            ["host", "connection", "content-length", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"];
        let lower = name.to_ascii_lowercase();
        HeaderName::from_bytes(name.as_bytes()).is_ok()
            && HeaderValue::from_str(value).is_ok()
            && !OWN.contains(&lower.as_str())
            && !lower.starts_with("proxy-")
            && !lower.starts_with("sec-")
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Credentials({} headers)", self.headers.len())
    }
}

/// How a picture is taken. Plain data: a source keeps it as it is, and the flags of `tintype capture` make the same.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[allow(clippy::struct_excessive_bools)] // each is a setting of its own
pub struct Options {
    /// The window's width in CSS pixels.
    pub width: u32,
    /// The window's height in CSS pixels.
    pub height: u32,
    /// Pixels of the picture in a CSS pixel.
    pub scale: f64,
    /// Take the page from its top to its end.
    pub full_page: bool,
    /// The most CSS pixels of a whole page's height; what is beyond is left out, and told.
    pub max_height: u32,
    /// Take only the first element that matches.
    pub selector: Option<String>,
    /// Take only this part of the page.
    pub clip: Option<Clip>,
    /// Ask the page for its dark form.
    pub dark: bool,
    /// Be a telephone: touch, and the viewport that the page wants for one.
    pub mobile: bool,
    /// The language, such as `de-DE`.
    pub locale: Option<String>,
    /// The time zone, such as `Europe/Berlin`.
    pub time_zone: Option<String>,
    /// What the browser calls itself.
    pub user_agent: Option<String>,
    /// How far the page has to be.
    pub wait_until: WaitUntil,
    /// Wait until an element matches and can be seen.
    pub wait_for: Option<String>,
    /// Seconds to wait besides.
    pub delay: f64,
    /// Seconds that a capture may take, from the moment when a browser is there for it.
    pub deadline: f64,
    /// Elements that are not shown.
    pub hide: Vec<String>,
    /// Elements that are clicked, where they are there: cookie banners.
    pub click: Vec<String>,
    /// Styles of one's own.
    pub css: Option<String>,
    /// There is no picture unless an element matches: an error page that says 200 has none.
    pub expect_selector: Option<String>,
    /// Load nothing that the list of advertisements and trackers names.
    pub block_ads: bool,
    /// Load nothing of these kinds.
    pub block_types: Vec<ResourceKind>,
    /// The format; where none is asked for: PNG, and JPEG where the PNG would be larger than crawlers take.
    pub format: Option<PageFormat>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            width: 1200,
            height: 630,
            scale: 1.0,
            full_page: false,
            max_height: 16_000,
            selector: None,
            clip: None,
            dark: false,
            mobile: false,
            locale: None,
            time_zone: None,
            user_agent: None,
            wait_until: WaitUntil::Load,
            wait_for: None,
            delay: 0.0,
            deadline: 30.0,
            hide: Vec::new(),
            click: Vec::new(),
            css: None,
            expect_selector: None,
            block_ads: false,
            block_types: Vec::new(),
            format: None,
        }
    }
}

/// The most pixels of a picture; more would take a gigabyte to paint.
const MOST_PIXELS: f64 = 80_000_000.0;

impl Options {
    /// How long a capture may take.
    #[must_use]
    pub fn limit(&self) -> Duration {
        seconds(self.deadline)
    }

    /// How long is waited besides.
    pub(super) fn pause(&self) -> Duration {
        seconds(self.delay)
    }

    /// What is wrong with the numbers, if anything is.
    ///
    /// # Errors
    /// With words for who gave them.
    pub fn check(&self) -> Result<(), String> {
        let sides = 1..=10_000;
        if !sides.contains(&self.width) || !sides.contains(&self.height) {
            return Err(format!("a window of {} × {}: each side is 1 to 10000", self.width, self.height));
        }
        if !(0.1..=4.0).contains(&self.scale) {
            return Err(format!("a scale of {}: it is 0.1 to 4", self.scale));
        }
        if !(1..=50_000).contains(&self.max_height) {
            return Err(format!("a page of at most {} pixels: it is 1 to 50000", self.max_height));
        }
        if f64::from(self.width) * f64::from(self.height) * self.scale * self.scale > MOST_PIXELS {
            return Err("a picture of more than 80 million pixels".to_owned());
        }
        if !(0.1..=600.0).contains(&self.deadline) || !(0.0..=600.0).contains(&self.delay) {
            return Err("a time of more than 600 seconds".to_owned());
        }
        if self.format == Some(PageFormat::Pdf) && (self.clip.is_some() || self.selector.is_some()) {
            return Err("a PDF is of the whole page: no clip and no element".to_owned());
        }
        match &self.clip {
            Some(_) if self.selector.is_some() || self.full_page => {
                Err("a clip beside an element or the full page: one of them is the picture".to_owned())
            }
            Some(clip) if !clip.is_sound() => {
                Err("a clip needs a width and a height, and a place on the page".to_owned())
            }
            _ if self.selector.is_some() && self.full_page => {
                Err("an element beside the full page: one of them is the picture".to_owned())
            }
            _ => Ok(()),
        }
    }

    /// The height at which a picture of such a width has as many pixels as it may have.
    pub(super) fn highest(&self, width: f64) -> f64 {
        let most = MOST_PIXELS / (width.max(1.0) * self.scale * self.scale);
        most.min(f64::from(self.max_height)).floor().max(1.0)
    }
}

fn seconds(number: f64) -> Duration {
    Duration::try_from_secs_f64(number).unwrap_or(Duration::from_secs(30))
}

/// A part of a page, in CSS pixels from its top left corner.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Clip {
    /// From the left.
    pub x: f64,
    /// From the top.
    pub y: f64,
    /// Across.
    pub width: f64,
    /// Down.
    pub height: f64,
}

impl Clip {
    fn is_sound(&self) -> bool {
        let sides = 1.0..=50_000.0;
        [self.x, self.y].iter().all(|at| (0.0..=100_000.0).contains(at))
            && sides.contains(&self.width)
            && sides.contains(&self.height)
            && self.width * self.height <= MOST_PIXELS
    }
}

/// How far a page has to be before its picture is taken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WaitUntil {
    /// Its text is there.
    Dom,
    /// So is all that it names.
    #[default]
    Load,
    /// And for half a second nothing has been loaded any more.
    Idle,
}

impl WaitUntil {
    /// As the browser calls it.
    pub(super) fn event(self) -> &'static str {
        match self {
            Self::Dom => "DOMContentLoaded",
            Self::Load => "load",
            Self::Idle => "networkIdle",
        }
    }
}

/// The format of a page's picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PageFormat {
    /// Every pixel as it was.
    Png,
    /// With traces around letters.
    #[serde(alias = "jpg")]
    Jpeg,
    /// As good as a JPEG, and smaller.
    #[serde(rename = "webp")]
    WebP,
    /// The page as it would be printed.
    Pdf,
}

impl From<card::Format> for PageFormat {
    fn from(format: card::Format) -> Self {
        match format {
            card::Format::Png => Self::Png,
            card::Format::WebP => Self::WebP,
            card::Format::Jpeg => Self::Jpeg,
        }
    }
}

/// A kind of what pages load.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ResourceKind {
    /// Pictures.
    Image,
    /// Sound and films.
    Media,
    /// Fonts.
    Font,
    /// Styles.
    Stylesheet,
    /// Scripts.
    Script,
    /// What scripts ask for.
    Fetch,
    /// Lines that stay open.
    Websocket,
    /// Pages within the page.
    Frame,
}
