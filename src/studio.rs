//! The renderers of a process, one for each look and theme, made when first wanted and kept.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use sha2::{Digest, Sha256};

use crate::{
    card::{CardError, Options, Renderer},
    queue::Material,
};

type Style = (String, Option<String>);

/// All renderers of one scale.
pub struct Studio {
    scale: u8,
    renderers: Mutex<HashMap<Style, Arc<Renderer>>>,
}

impl Studio {
    /// A studio whose pictures are `scale` times 1200 × 630.
    pub fn new(scale: u8) -> Self {
        Self { scale, renderers: Mutex::default() }
    }

    /// The renderer for a look, with another theme for the code where one is given.
    pub fn renderer(&self, look: &str, theme: Option<&str>) -> Result<Arc<Renderer>, CardError> {
        let style = (look.to_owned(), theme.map(str::to_owned));
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
    pub fn template(&self, material: &Material) -> Result<String, CardError> {
        let renderer = self.renderer(&material.look, material.theme.as_deref())?;
        let inputs = [&renderer.template(), &material.draw, material.site.as_deref().unwrap_or_default()];
        let digest = Sha256::digest(inputs.join("\n"));
        let half = digest.first_chunk().map_or(0, |head| u64::from_be_bytes(*head));
        Ok(format!("{half:016x}"))
    }
}
