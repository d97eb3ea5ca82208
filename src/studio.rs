//! The renderers of a process, one for each look and theme, made when first wanted and kept.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use sha2::{Digest, Sha256};

use crate::card::{CardError, Options, Renderer};

/// All that decides a row's picture besides its content.
#[derive(Debug, Clone, Copy)]
pub struct Style<'a> {
    /// The look's name.
    pub look: &'a str,
    /// The theme that replaces the look's code colours.
    pub theme: Option<&'a str>,
    /// `auto`, `code` or `title`.
    pub draw: &'a str,
    /// The site's name, empty where there is none.
    pub site: &'a str,
}

type LookAndTheme = (String, Option<String>);

/// All renderers of one scale.
pub struct Studio {
    scale: u8,
    renderers: Mutex<HashMap<LookAndTheme, Arc<Renderer>>>,
}

impl Studio {
    /// A studio whose pictures are `scale` times 1200 × 630.
    pub fn new(scale: u8) -> Self {
        Self { scale, renderers: Mutex::default() }
    }

    /// The renderer for a style.
    pub fn renderer(&self, style: Style<'_>) -> Result<Arc<Renderer>, CardError> {
        let style = (style.look.to_owned(), style.theme.map(str::to_owned));
        let mut renderers = self.renderers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(renderer) = renderers.get(&style) {
            return Ok(Arc::clone(renderer));
        }
        let options = Options { look: style.0.clone(), theme: style.1.clone(), scale: self.scale };
        let renderer = Arc::new(Renderer::new(&options)?);
        renderers.insert(style, Arc::clone(&renderer));
        Ok(renderer)
    }

    /// The fingerprint of all that decides a row's picture besides its content: 64 bits of SHA-256, in hex.
    pub fn template(&self, style: Style<'_>) -> Result<String, CardError> {
        let inputs = [&self.renderer(style)?.template(), style.draw, style.site];
        let digest = Sha256::digest(inputs.join("\n"));
        let half = digest.first_chunk().map_or(0, |head| u64::from_be_bytes(*head));
        Ok(format!("{half:016x}"))
    }
}
