//! Pages that are kept from one text to the next, since opening one takes longer than a template. A page comes in that nothing can
//! be left in, and goes out to a text that wants the same window. It always holds that no script of a text ran in it, that nothing
//! came into it but texts, not a byte through its door, and that each text has a new document.

use std::sync::{Arc, Mutex, PoisonError};

use url::Url;

use super::{
    guard::Rules,
    page::Page,
    shot::{Options, Shot, Subject},
};

/// How many texts a page takes; its memory grows a little with each.
const TEXTS: u32 = 100;

/// How many pages are kept.
const PAGES: usize = 4;

/// What a text must not hold: what could run, load a page of its own, or show what is shown where nothing may run.
const ACTIVE: [&[u8]; 8] =
    [b"<script", b"<noscript", b"<iframe", b"<frame", b"<object", b"<embed", b"http-equiv", b"javascript:"];

/// All that two texts must have in common to be written into the same page.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Window {
    options: Options,
    base: Option<Url>,
    rules: Arc<Rules>,
}

/// The pages that nobody uses at the moment. They keep no browser alive.
#[derive(Debug, Default)]
pub(super) struct Kept {
    pages: Mutex<Vec<(Window, Page)>>,
}

impl Window {
    /// Of a text that leaves nothing behind; none where it might.
    pub(super) fn of(shot: &Shot) -> Option<Self> {
        let Subject::Html { html, base } = &shot.subject else { return None };
        let options = &shot.options;
        let asks = options.block_ads || !options.block_types.is_empty() || !shot.credentials.headers.is_empty();
        let still = !asks && options.click.is_empty() && is_still(html);
        still.then(|| Self { options: options.clone(), base: base.clone(), rules: Arc::clone(&shot.rules) })
    }
}

impl Kept {
    /// Takes a page with this window.
    pub(super) fn take(&self, window: &Window) -> Option<Page> {
        let mut pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        let at = pages.iter().position(|(own, page)| own == window && page.tab.door.is_untouched())?;
        Some(pages.swap_remove(at).1)
    }

    /// Whether a page may be kept after so many texts: nobody has asked its door for anything.
    pub(super) fn wants(page: &Page) -> bool {
        page.texts < TEXTS && page.tab.door.is_untouched()
    }

    /// Keeps a page; gives back one that there is no room for.
    pub(super) fn keep(&self, window: Window, page: Page) -> Option<Page> {
        let mut pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        pages.push((window, page));
        if pages.len() > PAGES { Some(pages.remove(0).1) } else { None }
    }

    /// Throws all away.
    pub(super) fn clear(&self) {
        drop(std::mem::take(&mut *self.pages.lock().unwrap_or_else(PoisonError::into_inner)));
    }
}

/// Whether nothing in a text could run, whatever it says; some that could not is taken for one that could.
fn is_still(html: &str) -> bool {
    let text = html.to_ascii_lowercase();
    let bytes = text.as_bytes();
    let holds = |word: &&[u8]| bytes.windows(word.len()).any(|window| window == *word);
    !ACTIVE.iter().any(holds) && !has_handler(bytes)
}

/// Whether there is anything like ` onload=`.
fn has_handler(text: &[u8]) -> bool {
    text.windows(3).enumerate().any(|(at, window)| {
        let begins = window[1..] == *b"on" && (window[0].is_ascii_whitespace() || b"\"'/".contains(&window[0]));
        let mut rest = text[at + 3..].iter().skip_while(|byte| byte.is_ascii_alphabetic());
        begins && rest.find(|byte| !byte.is_ascii_whitespace()) == Some(&b'=')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_run_is_not_still() {
        for active in [
            "<SCRIPT>1</script>",
            "<img src=x onerror=alert(1)>",
            "<img src='x'onerror = alert(1)>",
            "<svg/onload=alert(1)>",
            "<a href='JavaScript:alert(1)'>",
            "<meta http-equiv=refresh content=1>",
            "<iframe srcdoc=x>",
            "<noscript>without</noscript>",
        ] {
            assert!(!is_still(active), "{active}");
        }
        for still in ["<h1>On the Analytical Engine</h1>", "<p>&lt;script&gt;</p>", "<p class=on>ion=1", "on"] {
            assert!(is_still(still), "{still}");
        }
    }
}
