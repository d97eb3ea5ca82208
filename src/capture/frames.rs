//! Frames of a tab that paints only when it is told to: the headless shell lets us. A tab comes in; while its page loads, frames without
//! paint go out, in which scripts that wait for frames run and layout is done; the last one is the picture, painted once. So
//! nothing is painted that nobody sees, and nobody waits for the screen's next turn. It always holds that one frame is asked for at a time.

use std::{
    convert::Infallible,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use chromiumoxide::{
    cdp::browser_protocol::headless_experimental::{BeginFrameParams, ScreenshotParams},
    types::Binary,
};
use tokio::{
    sync::{Mutex, Notify},
    time::sleep,
};

use super::{tab::Tab, wire::WireError};

/// What a browser must be told so that its tabs can wait for frames.
pub(super) const FLAGS: &[&str] = &[
    "--run-all-compositor-stages-before-draw",
    "--disable-new-content-rendering-timeout",
    "--disable-threaded-animation",
    "--disable-threaded-scrolling",
    "--disable-checker-imaging",
];

/// How long a page may load before its first frame; a light one is there by then.
const FIRST: Duration = Duration::from_millis(40);

/// Between frames.
const EVERY: Duration = Duration::from_millis(16);

/// The frames of one capture.
#[derive(Debug, Default)]
pub(super) struct Frames {
    begun: Notify,
    now: Notify,
    painted: AtomicBool,
    turn: Mutex<()>,
}

impl Frames {
    /// Lets frames begin: there is a page.
    pub(super) fn begin(&self) {
        self.begun.notify_one();
    }

    /// Asks for a frame at once: the page has loaded.
    pub(super) fn hurry(&self) {
        self.now.notify_one();
    }

    /// Has a tab do frames, for as long as this is waited for.
    pub(super) async fn run(&self, tab: &Tab) -> Infallible {
        self.begun.notified().await;
        let mut pause = FIRST;
        loop {
            tokio::select! {
                () = sleep(pause) => {}
                () = self.now.notified() => {}
            }
            let _turn = self.turn.lock().await;
            let painted = self.painted.load(Ordering::Relaxed);
            // A page that crashed or hangs is noticed by others.
            let _ = tab.call(BeginFrameParams::builder().no_display_updates(!painted).build()).await;
            pause = EVERY;
        }
    }

    /// Lets all frames from now on be painted, for pictures that the browser takes by itself.
    pub(super) fn paint(&self) {
        self.painted.store(true, Ordering::Relaxed);
        self.hurry();
    }

    /// The last frame with its picture, in Base64; none where the browser has none yet.
    pub(super) async fn last(&self, tab: &Tab, picture: ScreenshotParams) -> Result<Option<Binary>, WireError> {
        let _turn = self.turn.lock().await;
        let answer = tab.call(BeginFrameParams::builder().screenshot(picture).build()).await?;
        Ok(answer.screenshot_data)
    }
}
