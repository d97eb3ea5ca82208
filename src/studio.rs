//! The renderers of a process, one for each look and theme, made when first wanted and kept while there is room.

use std::sync::{Arc, Mutex, PoisonError};

use sha2::{Digest, Sha256};

use crate::card::{CardError, Format, Looks, Options, Renderer};

/// All that decides a row's picture besides its content.
#[derive(Debug, Clone, Copy)]
pub struct Style<'a> {
    /// The look's name.
    pub look: &'a str,
    /// The theme that replaces the look's code colours.
    pub theme: Option<&'a str>,
    /// The template in whose layout titles are drawn.
    pub template: Option<&'a str>,
    /// `auto`, `code` or `title`.
    pub draw: &'a str,
    /// The site's name, empty where there is none.
    pub site: &'a str,
}

/// The most that renderers take, in bytes, besides the one that was wanted last: eight without a template.
const MOST_BYTES: usize = 512 * 1024 * 1024;

type Outfit = (String, Option<String>, Option<String>);

/// Where one renderer stands; who finds it empty makes it, and everybody else who wants it waits.
type Place = Arc<Mutex<Option<Arc<Renderer>>>>;

/// All renderers of one scale and format.
#[derive(Default)]
pub struct Studio {
    options: Options,
    /// The one that was wanted last stands last.
    places: Mutex<Vec<(Outfit, Place)>>,
}

impl Studio {
    /// A studio whose pictures are `scale` times 1200 × 630.
    pub fn new(looks: Looks, scale: u8, format: Option<Format>) -> Self {
        Self { options: Options { looks, scale, format, ..Options::default() }, places: Mutex::default() }
    }

    /// The renderer for a style, where it is made already. This takes no time.
    pub fn ready(&self, style: Style<'_>) -> Option<Arc<Renderer>> {
        let place = self.place(style);
        let made = place.try_lock().ok()?;
        made.clone()
    }

    /// The renderer for a style. The files of its look are read and a template's art is drawn when it is first wanted, once, however
    /// many want it; that takes a while, so it is for a thread that may wait. A change of the files shows after a restart.
    pub fn renderer(&self, style: Style<'_>) -> Result<Arc<Renderer>, CardError> {
        let place = self.place(style);
        let mut made = place.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(renderer) = made.as_ref() {
            return Ok(Arc::clone(renderer));
        }
        let (look, theme) = (style.look.to_owned(), style.theme.map(str::to_owned));
        let template = style.template.map(str::to_owned);
        let renderer = Arc::new(Renderer::new(&Options { look, theme, template, ..self.options.clone() })?);
        let _ = renderer.template(); // it reads the list of this machine's fonts, once
        *made = Some(Arc::clone(&renderer));
        drop(made);
        self.make_room();
        Ok(renderer)
    }

    /// The fingerprint of all that decides a row's picture besides its content: 64 bits of SHA-256, in hex.
    pub fn template(&self, style: Style<'_>) -> Result<String, CardError> {
        Ok(fingerprint(self.renderer(style)?.as_ref(), style))
    }

    /// The place of a style's renderer, from now on the one that was wanted last.
    fn place(&self, style: Style<'_>) -> Place {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        let wanted = |(look, theme, template): &Outfit| {
            (look.as_str(), theme.as_deref(), template.as_deref()) == (style.look, style.theme, style.template)
        };
        if let Some(at) = places.iter().position(|(known, _)| wanted(known)) {
            places[at..].rotate_left(1);
        } else {
            places.retain(|(_, place)| Arc::strong_count(place) > 1 || is_made(place)); // those of looks that do not exist
            let [theme, template] = [style.theme, style.template].map(|name| name.map(str::to_owned));
            places.push(((style.look.to_owned(), theme, template), Place::default()));
        }
        Arc::clone(&places[places.len() - 1].1)
    }

    /// Lets go of what has not been wanted for longest, until the rest is not too large.
    fn make_room(&self) {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        let bytes = |place: &Place| {
            let made = place.try_lock().ok().and_then(|made| made.clone());
            made.map_or(0, |renderer| renderer.bytes())
        };
        let mut sum: usize = places.iter().map(|(_, place)| bytes(place)).sum();
        let mut at = 0;
        while sum > MOST_BYTES && at + 1 < places.len() {
            match bytes(&places[at].1) {
                0 => at += 1, // somebody is making it
                bytes => {
                    sum -= bytes;
                    places.remove(at);
                }
            }
        }
    }
}

/// Whether a renderer stands in a place, or somebody is making one.
fn is_made(place: &Place) -> bool {
    place.try_lock().map_or(true, |made| made.is_some())
}

/// The fingerprint of a renderer in a style of its own.
pub fn fingerprint(renderer: &Renderer, style: Style<'_>) -> String {
    half_digest(&[renderer.template(), style.draw, style.site])
}

/// The first 64 bits of SHA-256 over the parts, a line each, in hex.
pub(crate) fn half_digest(parts: &[&str]) -> String {
    let digest = Sha256::digest(parts.join("\n"));
    let half = digest.first_chunk().map_or(0, |head| u64::from_be_bytes(*head));
    format!("{half:016x}")
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    fn style(look: &str) -> Style<'_> {
        Style { look, theme: None, template: Some("blog-post"), draw: "auto", site: "" }
    }

    #[test]
    fn however_many_want_a_renderer_one_is_made() {
        let studio = Studio::default();
        let made: Vec<Arc<Renderer>> = thread::scope(|scope| {
            let all: Vec<_> = (0..8).map(|_| scope.spawn(|| studio.renderer(style("paper")).unwrap())).collect();
            all.into_iter().map(|one| one.join().unwrap()).collect()
        });
        assert!(made.iter().all(|one| Arc::ptr_eq(one, &made[0])));
        assert!(studio.ready(style("paper")).is_some_and(|ready| Arc::ptr_eq(&ready, &made[0])));
        assert!(studio.ready(style("night")).is_none());
    }

    #[test]
    fn looks_that_do_not_exist_leave_nothing_behind() {
        let studio = Studio::default();
        for at in 0..100 {
            assert!(studio.renderer(style(&format!("no-{at}"))).is_err());
        }
        studio.renderer(style("night")).unwrap();
        assert_eq!(studio.places.lock().unwrap().len(), 1);
    }

    #[test]
    fn renderers_are_kept_while_there_is_room() {
        let folder = tempfile::tempdir().unwrap();
        let names: Vec<String> = (0..12).map(|at| format!("look-{at}")).collect();
        for name in &names {
            std::fs::write(folder.path().join(format!("{name}.toml")), "extends = \"night\"\n").unwrap();
        }
        let studio = Studio::new(Looks::new(Some(folder.path().to_owned())), 1, None);
        for name in &names {
            studio.renderer(style(name)).unwrap();
        }
        let places = studio.places.lock().unwrap();
        let sum: usize = places.iter().filter_map(|(_, place)| Some(place.lock().unwrap().as_ref()?.bytes())).sum();
        assert!(sum <= MOST_BYTES && places.len() > 2 && places.len() < 12, "{} of {sum} bytes", places.len());
        assert_eq!(places.last().unwrap().0.0, "look-11");
    }
}
