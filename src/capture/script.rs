//! Tasks for our own script in a page: a task and wishes go in, what it found comes out. The script runs in a world of its own, so
//! that what a page does to its own objects deceives it in nothing.

use chromiumoxide::cdp::{
    browser_protocol::page::{CreateIsolatedWorldParams, FrameId},
    js_protocol::runtime::{EvaluateParams, ExecutionContextId},
};
use serde::{Deserialize, Serialize};

use super::{
    error::Trouble,
    shot::{Clip, Options, WaitUntil},
    tab::Tab,
    wire::WireError,
};

/// The script; a function of a task and wishes.
const SCRIPT: &str = include_str!("script.js");

/// Milliseconds for fonts, and then for pictures, that do not come.
const PATIENCE: u32 = 5000;

/// What the script is told.
#[derive(Debug, Serialize)]
struct Wishes<'a> {
    hide: &'a [String],
    click: &'a [String],
    css: Option<&'a str>,
    wait_for: Option<&'a str>,
    /// Milliseconds.
    delay: u64,
    full_page: bool,
    selector: Option<&'a str>,
    clip: bool,
    expect_selector: Option<&'a str>,
    highest: f64,
    patience: u32,
    /// Whether all that the page names has to be there.
    loaded: bool,
}

/// What the script found.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Found {
    /// The page's title.
    pub(super) title: String,
    /// The page's size.
    pub(super) page: Size,
    /// Where the element is.
    #[serde(rename = "box")]
    pub(super) element: Option<Clip>,
    absent: Option<String>,
    bad: Option<String>,
    failed: Option<String>,
}

/// A page's size in CSS pixels.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
pub(super) struct Size {
    pub(super) width: f64,
    pub(super) height: f64,
}

/// The script's own world in a document.
#[derive(Debug)]
pub(super) struct World {
    context: ExecutionContextId,
}

/// Why the script did not do its task.
#[derive(Debug)]
pub(super) enum Undone {
    /// The document went away meanwhile.
    Navigated,
    /// Anything else.
    Trouble(Trouble),
}

impl From<Trouble> for Undone {
    fn from(trouble: Trouble) -> Self {
        Self::Trouble(trouble)
    }
}

impl World {
    /// Makes a world in the document that is there.
    pub(super) async fn new(tab: &Tab) -> Result<Self, Undone> {
        let mut create = CreateIsolatedWorldParams::new(FrameId::new(tab.target.inner().clone()));
        create.world_name = Some("tintype".to_owned());
        Ok(Self { context: tab.call(create).await.map_err(undone)?.execution_context_id })
    }

    /// Does a task.
    pub(super) async fn run(&self, tab: &Tab, task: &str, options: &Options) -> Result<Found, Undone> {
        let wishes = Wishes {
            hide: &options.hide,
            click: &options.click,
            css: options.css.as_deref(),
            wait_for: options.wait_for.as_deref(),
            delay: u64::try_from(options.pause().as_millis()).unwrap_or(u64::MAX),
            full_page: options.full_page,
            selector: options.selector.as_deref(),
            clip: options.clip.is_some(),
            expect_selector: options.expect_selector.as_deref(),
            highest: options.highest(f64::from(options.width)),
            patience: PATIENCE,
            loaded: options.wait_until != WaitUntil::Dom,
        };
        let unreadable = |error: serde_json::Error| Trouble::Protocol { what: error.to_string() };
        let wishes = serde_json::to_string(&wishes).map_err(unreadable)?;
        let mut evaluate = EvaluateParams::new(format!("({SCRIPT})('{task}', {wishes})"));
        evaluate.context_id = Some(self.context);
        evaluate.await_promise = Some(true);
        evaluate.return_by_value = Some(true);
        let answer = tab.call(evaluate).await.map_err(undone)?;
        let text = answer.result.value.as_ref().and_then(serde_json::Value::as_str).unwrap_or_default().to_owned();
        if let Some(exception) = answer.exception_details {
            return Err(Trouble::Protocol { what: exception.text }.into());
        }
        let found: Found = serde_json::from_str(&text).map_err(unreadable)?;
        match &found {
            Found { bad: Some(selector), .. } => Err(Trouble::BadSelector { selector: selector.clone() }.into()),
            Found { failed: Some(what), .. } => Err(Trouble::Protocol { what: what.clone() }.into()),
            Found { absent: Some(which), .. } => Err(absent(which, options).into()),
            _ => Ok(found),
        }
    }
}

fn absent(which: &str, options: &Options) -> Trouble {
    let (selector, purpose) = match which {
        "expect" => (&options.expect_selector, "which the page was to hold"),
        _ => (&options.selector, "which was to be the picture"),
    };
    Trouble::NoElement { selector: selector.clone().unwrap_or_default(), purpose }
}

/// The words with which the browser says that a document went away.
fn undone(error: WireError) -> Undone {
    const GONE: [&str; 5] = [
        "Cannot find context",
        "Execution context was destroyed",
        "Promise was collected",
        "Inspected target navigated or closed",
        "No frame for given id",
    ];
    match &error {
        WireError::Refused { message, .. } if GONE.iter().any(|gone| message.contains(gone)) => Undone::Navigated,
        _ => Undone::Trouble(error.into()),
    }
}
