//! The art of a template: an SVG without text or data comes in, pixels go out. Nothing is read but what stands in the file itself
//! and the pictures beside it that were read with it; resvg never opens a file.

use std::path::Path;
use std::sync::Arc;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{ImageHrefResolver, ImageKind, Options, Size, Tree};
use roxmltree::Document;

use super::super::layout::{HEIGHT, WIDTH};
use super::super::look_error::{LookError, shown};
use super::super::looks::{is_name, read};
use super::super::paint::times;
use super::super::photograph::is_photograph;
use super::super::picture_file::{self, Picture};
use super::super::raster::{Pixels, Raster};

/// Pictures in one template.
const MOST_PICTURES: usize = 20;

/// The pictures that a template's art holds: what the file calls each, and the same as a PNG.
#[derive(Default)]
pub(super) struct Pictures {
    all: Vec<(String, Arc<Vec<u8>>)>,
    photograph_area: usize,
}

impl Pictures {
    /// Reads the pictures of a file: `data:` URLs, and files in the same directory where there is one.
    pub(super) fn read(path: &Path, text: &str, beside: Option<&Path>) -> Result<Self, LookError> {
        let options = roxmltree::ParsingOptions { allow_dtd: true, ..roxmltree::ParsingOptions::default() };
        let Ok(document) = Document::parse_with_options(text, options) else { return Ok(Self::default()) };
        let mut all = Self::default();
        for node in document.descendants().filter(|node| node.tag_name().name() == "image") {
            let wrong = |what: String| LookError::at(path, text, node.range().start, what);
            let href = node.attribute("href").or_else(|| node.attribute(("http://www.w3.org/1999/xlink", "href")));
            let Some(href) = href.filter(|href| !href.starts_with('#') && super::slot::mark(node).is_none()) else {
                continue;
            };
            if all.get(href).is_some() {
                continue;
            }
            if all.all.len() == MOST_PICTURES {
                return Err(wrong(format!("there are more than {MOST_PICTURES} pictures")));
            }
            let bytes = if let Some(data) = href.strip_prefix("data:") {
                data_bytes(data).map_err(wrong)?
            } else {
                let directory = beside.filter(|_| is_name(href)).ok_or_else(|| {
                    let what = "is not read: a picture stands in the file itself (data:), or in a file beside it";
                    wrong(format!("`{}` {what}", shown(href)))
                })?;
                read(&directory.join(href), picture_file::MOST_BYTES)?
            };
            let picture = Picture::decode(&bytes).map_err(|what| wrong(format!("`{}` {what}", shown(href))))?;
            let png = picture.png().map_err(|error| wrong(error.to_string()))?;
            if is_photograph(&picture.pixels) {
                all.photograph_area += picture.pixels.len();
            }
            all.all.push((href.to_owned(), Arc::new(png)));
        }
        Ok(all)
    }

    fn get(&self, href: &str) -> Option<ImageKind> {
        self.all.iter().find(|(known, _)| known == href).map(|(_, png)| ImageKind::PNG(Arc::clone(png)))
    }

    /// The memory that they take.
    pub(super) fn bytes(&self) -> usize {
        self.all.iter().map(|(_, png)| png.len()).sum()
    }

    /// The pixels of those that are photographs.
    pub(super) fn photograph_area(&self) -> usize {
        self.photograph_area
    }

    /// The names and bytes, for a digest.
    pub(super) fn all(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.all.iter().map(|(name, png)| (name.as_str(), png.as_slice()))
    }
}

/// The bytes of a `data:` URL in base64, without its scheme.
pub(super) fn data_bytes(url: &str) -> Result<Vec<u8>, String> {
    let (_, data) = url.split_once(";base64,").ok_or("a data: URL holds its picture in base64")?;
    if data.len() as u64 > picture_file::MOST_BYTES * 3 / 2 {
        return Err(format!("a picture is larger than {} MB", picture_file::MOST_BYTES / (1024 * 1024)));
    }
    let data: String = data.chars().filter(|c| !c.is_whitespace()).collect();
    BASE64_STANDARD.decode(data).map_err(|error| format!("a data: URL cannot be decoded: {error}"))
}

/// Part of a template's art, or another picture, and its corner, in pixels of the picture.
#[derive(Clone)]
pub(super) struct Layer {
    pub(super) at: (i32, i32),
    pub(super) raster: Arc<Raster>,
    /// Whether it hides the whole picture.
    pub(super) opaque: bool,
}

/// Layers as one, from the lowest to the highest, from the left and top edge of the one that reaches farthest there.
pub(super) fn flattened(layers: &[Layer]) -> Option<Layer> {
    let left = layers.iter().map(|layer| layer.at.0).min()?;
    let top = layers.iter().map(|layer| layer.at.1).min()?;
    let right = layers.iter().map(|layer| layer.at.0 + layer.raster.width as i32).max()?;
    let bottom = layers.iter().map(|layer| layer.at.1 + layer.raster.height() as i32).max()?;
    let width = (right - left) as usize;
    let mut pixels = vec![[0_u8; 4]; width * (bottom - top) as usize];
    for layer in layers {
        let Pixels::Colour(over, _) = &layer.raster.pixels else { continue };
        let (x, y) = ((layer.at.0 - left) as usize, (layer.at.1 - top) as usize);
        for (row, over) in pixels.chunks_exact_mut(width).skip(y).zip(over.chunks_exact(layer.raster.width)) {
            for (under, over) in row[x..].iter_mut().zip(over) {
                match over[3] {
                    0 => {}
                    255 => *under = *over,
                    alpha => {
                        *under = std::array::from_fn(|at| over[at].saturating_add(times(under[at], 255 - alpha)));
                    }
                }
            }
        }
    }
    let opaque = layers.iter().any(|layer| layer.opaque);
    let raster = Arc::new(Raster::coloured((0, 0), width, pixels));
    Some(Layer { at: (left, top), raster, opaque })
}

impl Layer {
    /// Whether it has any part in an area, in pixels of the picture.
    pub(super) fn touches(&self, [left, top, right, bottom]: [f32; 4]) -> bool {
        let (x, y) = (self.at.0 as f32, self.at.1 as f32);
        x < right && left < x + self.raster.width as f32 && y < bottom && top < y + self.raster.height() as f32
    }
}

/// Draws an SVG at a scale; none where it leaves no mark.
pub(super) fn draw(svg: &str, pictures: &Pictures, scale: u8) -> Result<Option<Layer>, String> {
    let mut options = Options::default();
    if let Some(size) = Size::from_wh(WIDTH, HEIGHT) {
        options.default_size = size;
    }
    // A data: URL comes here decoded, so it is looked up by the string: what `resolve_data` gets is not used.
    options.image_href_resolver = ImageHrefResolver {
        resolve_data: Box::new(|_, data, _| {
            let picture = Picture::decode(&data).ok()?;
            Some(ImageKind::PNG(Arc::new(picture.png().ok()?)))
        }),
        resolve_string: Box::new(|href, _| pictures.get(href)),
    };
    let tree = Tree::from_str(svg, &options).map_err(|error| format!("is not an SVG that can be drawn: {error}"))?;
    let (width, height) = ((WIDTH as u32) * u32::from(scale), (HEIGHT as u32) * u32::from(scale));
    let mut pixmap = Pixmap::new(width, height).ok_or("there is no memory for it")?;
    let size = tree.size();
    let transform = Transform::from_scale(width as f32 / size.width(), height as f32 / size.height());
    resvg::render(&tree, transform, &mut pixmap.as_mut());
    Ok(cropped(width as usize, pixmap.data().as_chunks::<4>().0))
}

/// What is not empty of pixels with premultiplied alpha.
fn cropped(width: usize, pixels: &[[u8; 4]]) -> Option<Layer> {
    let rows = || pixels.chunks_exact(width);
    let lit = |pixel: &[u8; 4]| pixel[3] > 0;
    let top = rows().position(|row| row.iter().any(lit))?;
    let bottom = rows().rposition(|row| row.iter().any(lit))? + 1;
    let left = rows().filter_map(|row| row.iter().position(lit)).min()?;
    let right = rows().filter_map(|row| row.iter().rposition(lit)).max()? + 1;
    let kept: Vec<[u8; 4]> = rows().take(bottom).skip(top).flat_map(|row| row[left..right].iter().copied()).collect();
    let opaque = kept.len() == pixels.len() && kept.iter().all(|pixel| pixel[3] == 255);
    let raster = Arc::new(Raster::coloured((0, 0), right - left, kept));
    Some(Layer { at: (left as i32, top as i32), raster, opaque })
}
