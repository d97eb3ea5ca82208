//! The renderers of a process, one for each look and theme, made when first wanted and kept while they are in use.

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

/// Renderers kept; one holds some 50 MB once it is warm.
const MOST_RENDERERS: usize = 8;

type Outfit = (String, Option<String>, Option<String>);

/// All renderers of one scale and format.
pub struct Studio {
    looks: Looks,
    scale: u8,
    format: Format,
    /// The one that was wanted last stands last.
    renderers: Mutex<Vec<(Outfit, Arc<Renderer>)>>,
}

impl Default for Studio {
    fn default() -> Self {
        Self::new(Looks::default(), 1, Format::default())
    }
}

impl Studio {
    /// A studio whose pictures are `scale` times 1200 × 630.
    pub fn new(looks: Looks, scale: u8, format: Format) -> Self {
        Self { looks, scale, format, renderers: Mutex::default() }
    }

    /// The format of its pictures.
    pub fn format(&self) -> Format {
        self.format
    }

    /// The renderer for a style. The files of its look are read when it is first wanted; a change of them shows after a restart.
    pub fn renderer(&self, style: Style<'_>) -> Result<Arc<Renderer>, CardError> {
        let mut renderers = self.renderers.lock().unwrap_or_else(PoisonError::into_inner);
        let wanted = |(look, theme, template): &Outfit| {
            (look.as_str(), theme.as_deref(), template.as_deref()) == (style.look, style.theme, style.template)
        };
        if let Some(at) = renderers.iter().position(|(known, _)| wanted(known)) {
            renderers[at..].rotate_left(1);
        } else {
            let (look, theme) = (style.look.to_owned(), style.theme.map(str::to_owned));
            let template = style.template.map(str::to_owned);
            let (looks, scale, format) = (self.looks.clone(), self.scale, self.format);
            let options = Options { look, looks, theme, template, scale, format };
            let renderer = Arc::new(Renderer::new(&options)?);
            if renderers.len() >= MOST_RENDERERS {
                renderers.remove(0);
            }
            renderers.push(((options.look, options.theme, options.template), renderer));
        }
        let (_, last) = &renderers[renderers.len() - 1];
        Ok(Arc::clone(last))
    }

    /// The fingerprint of all that decides a row's picture besides its content: 64 bits of SHA-256, in hex.
    pub fn template(&self, style: Style<'_>) -> Result<String, CardError> {
        let renderer = self.renderer(style)?;
        let digest = Sha256::digest([renderer.template(), style.draw, style.site].join("\n"));
        let half = digest.first_chunk().map_or(0, |head| u64::from_be_bytes(*head));
        Ok(format!("{half:016x}"))
    }
}
