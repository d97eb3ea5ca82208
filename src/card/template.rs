//! Templates: an SVG file with marked places comes in, cards in its layout go out. Its art is drawn once for each look and scale, and
//! kept; text is set by the same engine as on every other card, so that it wraps, fits and falls back to other faces as there.

mod art;
mod code;
mod colours;
mod fit;
mod sheet;
mod slot;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use sha2::{Digest, Sha256};
use syntect::highlighting::Theme;
use tiny_skia::{FillRule, Mask, PathBuilder, Transform};

use super::TitleCard;
use super::colour::Rgb;
use super::eyebrow::draw_initial;
use super::format::Format;
use super::indexed::Indexed;
use super::layer::Scene;
use super::look::{Assets, Look};
use super::look_error::LookError;
use super::looks::read_text;
use super::paint::Rounded;
use super::photograph::{Photographs, is_photograph};
use super::picture_file::Picture;
use super::plan;
use super::raster::{Pixels, Raster};
use super::stage::Stage;
use super::tags::{Row, draw_tags};
use colours::coloured;
use sheet::Sheet;
use slot::{Block, Chips, Content, Field, Fit, Ground, Side};

/// The templates that are built in: name and file.
const BUILT_IN: [(&str, &str); 1] = [("blog-post", include_str!("../../assets/templates/blog-post.svg"))];
/// The largest file of a cover, in bytes.
const MOST_COVER_BYTES: u64 = 10 * 1024 * 1024;
/// Sets of fields for which the art is kept, and the most that it takes besides the one that was wanted last, in bytes.
const MOST_KEPT: usize = 16;
const MOST_KEPT_BYTES: usize = 128 * 1024 * 1024;
/// What a slot may show besides text.
const PICTURES: u16 = 1 << Field::Cover as u16 | 1 << Field::Avatar as u16 | 1 << Field::Logo as u16;

/// The picture of a post, decoded.
#[derive(Debug, Clone, PartialEq)]
pub struct Cover(Arc<Picture>);

impl Eq for Cover {}

impl Cover {
    /// Decodes a PNG, JPEG or WebP file.
    ///
    /// # Errors
    /// What is wrong with it, as the end of a sentence that begins with its name.
    pub fn decode(data: &[u8]) -> Result<Self, String> {
        if data.len() as u64 > MOST_COVER_BYTES {
            return Err(format!("is larger than {} MB", MOST_COVER_BYTES / (1024 * 1024)));
        }
        Picture::decode(data).map(Arc::new).map(Self)
    }
}

/// The names of the templates that are built in.
pub(super) fn names() -> Vec<&'static str> {
    BUILT_IN.iter().map(|(name, _)| *name).collect()
}

/// Whether a template of this name is built in.
pub(super) fn is_built_in(name: &str) -> bool {
    BUILT_IN.iter().any(|(known, _)| *known == name)
}

/// A template in one look and scale.
pub(super) struct Template {
    path: PathBuf,
    sheet: Sheet,
    pictures: art::Pictures,
    scale: u8,
    digest: String,
    /// The look's avatar and logo at the sizes of the slots.
    own: Vec<Option<Arc<Raster>>>,
    has: u16,
    /// The art with the fields on which it depends; what was wanted last stands last.
    kept: Mutex<Vec<(u16, Arc<Art>)>>,
    /// What that takes, in bytes.
    kept_bytes: AtomicUsize,
}

/// What lies under the slots, and between each of them and the one before it.
struct Art {
    ground: Option<Arc<Indexed>>,
    layers: Vec<Option<art::Layer>>,
}

impl Art {
    fn bytes(&self) -> usize {
        let layers: usize = self.layers.iter().flatten().map(|layer| layer.raster.bytes()).sum();
        layers + self.ground.as_ref().map_or(0, |ground| ground.rows.len())
    }
}

impl Template {
    /// A template that is built in, by its name.
    pub(super) fn built_in(name: &str, look: &Look, scale: u8) -> Result<Option<Self>, LookError> {
        let Some((_, text)) = BUILT_IN.iter().find(|(known, _)| *known == name) else { return Ok(None) };
        Self::new(Path::new(&format!("{name}.svg")), text, None, (look, scale)).map(Some)
    }

    /// The template in a file.
    pub(super) fn read(path: &Path, look: &Look, scale: u8) -> Result<Self, LookError> {
        let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        Self::new(path, &read_text(path)?, Some(directory), (look, scale))
    }

    fn new(path: &Path, text: &str, beside: Option<&Path>, (look, scale): (&Look, u8)) -> Result<Self, LookError> {
        let text = coloured(text, look).map_err(|(at, what)| LookError::at(path, text, at, what))?;
        let pictures = art::Pictures::read(path, &text, beside)?;
        let mut hash = Sha256::new();
        hash.update(&text);
        pictures.all().for_each(|(name, bytes)| hash.update(format!("{name} {:x}\n", Sha256::digest(bytes))));
        let sheet = Sheet::read(path, text)?;
        let own = sheet.slots.iter().map(|(slot, _)| own_picture(slot, &look.assets, scale)).collect();
        let has = [(look.assets.avatar.is_some(), Field::Avatar), (look.assets.logo.is_some(), Field::Logo)];
        let has = has.into_iter().filter(|(has, _)| *has).fold(0, |all, (_, field)| all | field.bit());
        let digest = format!("{:x}", hash.finalize());
        let path = path.to_owned();
        let template = Self {
            path,
            sheet,
            pictures,
            scale,
            digest,
            own,
            has,
            kept: Mutex::default(),
            kept_bytes: AtomicUsize::new(0),
        };
        template.art(0)?; // for its mistakes
        Ok(template)
    }

    /// A digest of all that it is made of.
    pub(super) fn digest(&self) -> &str {
        &self.digest
    }

    /// Whether there is a place for code.
    pub(super) fn takes_code(&self) -> bool {
        self.sheet.slots.iter().any(|(slot, _)| matches!(slot.content, Content::Code(_)))
    }

    /// The colour of its own on which code stands, where it has one: the first, where there are several.
    pub(super) fn code_ground(&self) -> Option<Rgb> {
        self.sheet.slots.iter().find_map(|(slot, _)| match slot.content {
            Content::Code(Block { ground: Ground::Own(colour, _), .. }) => Some(colour),
            _ => None,
        })
    }

    /// The memory that its pictures and its art take.
    pub(super) fn bytes(&self) -> usize {
        let own: usize = self.own.iter().flatten().map(|raster| raster.bytes()).sum();
        own + self.pictures.bytes() + self.kept_bytes.load(Ordering::Relaxed)
    }

    /// Draws a card onto a fresh stage.
    pub(super) fn draw(&self, card: &TitleCard, theme: (&Theme, Option<Rgb>), stage: &mut Stage<'_>) {
        let fields = self.fields(card, stage);
        let pictures = self.shown(card, fields);
        let is_drawing = |slot: &slot::Slot| matches!(slot.content, Content::Picture(Field::Logo, _));
        let photographs = self.sheet.slots.iter().zip(&pictures).filter(|((slot, _), _)| !is_drawing(slot));
        let area: usize = photographs.filter_map(|(_, picture)| photograph_area(&picture.as_ref()?.raster)).sum();
        let design = usize::from(self.scale).pow(2);
        stage.photographs = Photographs::of(area / design + self.pictures.photograph_area());
        stage.true_colours = stage.photographs != Photographs::None || stage.format() != Format::Png;
        stage.lay(Scene::Plain);
        let Ok(art) = self.art(fields) else { return };
        let mut waiting: Vec<art::Layer> = Vec::new();
        for (at, layer) in art.layers.iter().enumerate() {
            waiting.extend(layer.clone());
            let Some((slot, range)) = self.sheet.slots.get(at) else { continue };
            if !self.sheet.is_drawn(range, fields) || slot.is_empty(fields) {
                continue;
            }
            if let Some(picture) = &pictures[at] {
                waiting.push(picture.clone());
            } else {
                lay(&mut waiting, art.ground.as_ref(), stage);
                fill(slot, card, theme, stage);
            }
        }
        lay(&mut waiting, art.ground.as_ref(), stage);
    }

    /// What a card has, as a set of fields.
    fn fields(&self, card: &TitleCard, stage: &Stage<'_>) -> u16 {
        let texts = [Field::Title, Field::Author, Field::Site, Field::Date, Field::Tag, Field::Tags, Field::Excerpt];
        let said = texts.into_iter().filter(|field| !fit::value(*field, card, stage.look.site.as_deref()).is_empty());
        let mut all = said.fold(self.has, |all, field| all | field.bit());
        for (has, field) in [(card.cover.is_some(), Field::Cover), (card.code.is_some(), Field::Code)] {
            all |= if has { field.bit() } else { 0 };
        }
        if all & Field::Author.bit() != 0 {
            all |= Field::Avatar.bit();
        }
        all
    }

    /// The picture of each slot that is drawn and has one.
    fn shown(&self, card: &TitleCard, fields: u16) -> Vec<Option<art::Layer>> {
        let slots = self.sheet.slots.iter().enumerate();
        let is_shown = |(slot, range): &(slot::Slot, std::ops::Range<usize>)| {
            self.sheet.is_drawn(range, fields) && !slot.is_empty(fields)
        };
        slots.map(|(at, slot)| if is_shown(slot) { self.picture(at, &slot.0, card) } else { None }).collect()
    }

    /// The picture in a slot, where it has one.
    fn picture(&self, at: usize, slot: &slot::Slot, card: &TitleCard) -> Option<art::Layer> {
        let raster = match (&slot.content, &card.cover) {
            (Content::Picture(Field::Cover, how), Some(Cover(cover))) => placed(cover, slot.area, *how, self.scale),
            _ => self.own[at].clone()?,
        };
        let [left, top] = [slot.area.x, slot.area.y].map(|place| (place * f32::from(self.scale)).round() as i32);
        Some(art::Layer { at: (left + raster.left, top - raster.top), raster, opaque: false })
    }

    /// The art for a set of fields, drawn now if it is not kept.
    fn art(&self, fields: u16) -> Result<Arc<Art>, LookError> {
        let wanted = fields & (self.sheet.fields | PICTURES);
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = kept.iter().position(|(fields, _)| *fields == wanted) {
            kept[at..].rotate_left(1);
            return Ok(Arc::clone(&kept[kept.len() - 1].1));
        }
        let mut layers = Vec::with_capacity(self.sheet.slots.len() + 1);
        for at in 0..=self.sheet.slots.len() {
            let layer = match self.sheet.between(at, wanted) {
                Some(svg) => {
                    art::draw(&svg, &self.pictures, self.scale).map_err(|what| LookError::whole(&self.path, what))?
                }
                None => None,
            };
            layers.push(layer);
        }
        self.merge(&mut layers, wanted);
        let first = layers.first().and_then(Option::as_ref).filter(|layer| layer.opaque);
        let ground = first.and_then(|layer| plan::ground(&layer.raster)).map(Arc::new);
        let art = Arc::new(Art { ground, layers });
        kept.push((wanted, Arc::clone(&art)));
        let bytes = |kept: &[(u16, Arc<Art>)]| kept.iter().map(|(_, art)| art.bytes()).sum::<usize>();
        while kept.len() > 1 && (kept.len() > MOST_KEPT || bytes(&kept) > MOST_KEPT_BYTES) {
            kept.remove(0);
        }
        self.kept_bytes.store(bytes(&kept), Ordering::Relaxed);
        Ok(art)
    }

    /// Makes one of neighbouring layers, where nothing that is drawn in a slot between them lies under the upper one: what is
    /// translucent needs the colours under it to get good ones in a palette.
    fn merge(&self, layers: &mut [Option<art::Layer>], fields: u16) {
        let is_between = |layer: &art::Layer, (slot, range): &(slot::Slot, std::ops::Range<usize>)| {
            let Rounded { x, y, width, height, .. } = slot.area;
            let area = [x, y, x + width, y + height].map(|place| place * f32::from(self.scale));
            !slot.is_empty(fields) && self.sheet.is_drawn(range, fields) && layer.touches(area)
        };
        let mut lower = 0;
        for upper in 1..layers.len() {
            let Some(layer) = &layers[upper] else { continue };
            if let Some(under) = layers[lower].clone()
                && !self.sheet.slots[lower..upper].iter().any(|slot| is_between(layer, slot))
            {
                layers[lower] = art::flattened(&[under, layer.clone()]);
                layers[upper] = None;
            } else {
                lower = upper;
            }
        }
    }
}

/// The pixels of a photograph; none of anything else.
fn photograph_area(raster: &Raster) -> Option<usize> {
    let Pixels::Colour(pixels, _) = &raster.pixels else { return None };
    is_photograph(pixels).then_some(pixels.len())
}

/// Lays pictures that wait under what comes next. Where they cover everything they become the ground, dithered as any other, unless
/// the card is painted in true colours.
fn lay(waiting: &mut Vec<art::Layer>, ground: Option<&Arc<Indexed>>, stage: &mut Stage<'_>) {
    let Some(all) = (if waiting.len() > 1 { art::flattened(waiting) } else { waiting.pop() }) else { return };
    let alone = waiting.is_empty();
    waiting.clear();
    let fresh = stage.canvas.ops.is_empty() && !stage.true_colours;
    if all.opaque && fresh {
        let ground = if alone { ground.cloned() } else { plan::ground(&all.raster).map(Arc::new) };
        if ground.is_some() {
            stage.layer = ground;
            return;
        }
    }
    stage.canvas.picture(all.raster, all.at);
}

/// Puts text, chips or code into a slot, or an initial where there is no avatar.
fn fill(slot: &slot::Slot, card: &TitleCard, theme: (&Theme, Option<Rgb>), stage: &mut Stage<'_>) {
    match &slot.content {
        Content::Code(block) => {
            if let Some(card) = &card.code {
                code::draw(card, slot.area, block, theme, stage);
            }
        }
        Content::Text(pieces, setting) => {
            let text = fit::text(pieces, card, stage.look.site.as_deref());
            if !text.is_empty() {
                fit::draw(&text, slot.area, setting, stage);
            }
        }
        Content::Tags(chips) => draw_tags(&card.tags, row(slot.area, chips, stage.look), stage),
        Content::Picture(Field::Avatar, _) => {
            let author = fit::value(Field::Author, card, None);
            if !author.is_empty() {
                draw_initial(Some(&author), slot.area, stage);
            }
        }
        Content::Picture(..) => {}
    }
}

/// The look's own picture for a slot.
fn own_picture(slot: &slot::Slot, assets: &Assets, scale: u8) -> Option<Arc<Raster>> {
    match slot.content {
        Content::Picture(Field::Avatar, how) => Some(placed(assets.avatar.as_ref()?, slot.area, how, scale)),
        Content::Picture(Field::Logo, how) => Some(placed(assets.logo.as_ref()?, slot.area, how, scale)),
        _ => None,
    }
}

/// A picture at the size of a slot, in the slot's shape, and how far it stands from the slot's corner.
fn placed(picture: &Picture, area: Rounded, how: Fit, scale: u8) -> Arc<Raster> {
    let scale = f32::from(scale);
    let corner = [area.x, area.y].map(|place| (place * scale).round());
    let [width, height] = [area.width, area.height].map(|length| ((length * scale).round() as usize).max(1));
    if how == Fit::Contain {
        let whole = picture.fitted(height, width);
        let (left, top) = ((width - whole.width) / 2, (height - whole.height.min(height)) / 2);
        return Arc::new(Raster::coloured((left as i32, -(top as i32)), whole.width, whole.pixels));
    }
    let picture = picture.covering(width, height);
    let picture = match mask(area, scale, corner, (width, height)) {
        Some(mask) if area.radius > 0.0 => picture.masked(mask.data()),
        _ => picture,
    };
    Arc::new(Raster::coloured((0, 0), width, picture.pixels))
}

/// The shape of a slot.
fn mask(area: Rounded, scale: f32, corner: [f32; 2], (width, height): (usize, usize)) -> Option<Mask> {
    let mut mask = Mask::new(width as u32, height as u32)?;
    let mut path = PathBuilder::new();
    area.add_to(&mut path);
    let transform = Transform::from_scale(scale, scale).post_translate(-corner[0], -corner[1]);
    mask.fill_path(&path.finish()?, FillRule::Winding, true, transform);
    Some(mask)
}

/// Chips in a slot's colours, else the look's.
fn row(area: Rounded, chips: &Chips, look: &Look) -> Row {
    let lead = match chips.align {
        Side::Start => 0.0,
        Side::Middle => 0.5,
        Side::End => 1.0,
    };
    let area = Rounded { radius: if area.radius > 0.0 { area.radius } else { area.height / 2.0 }, ..area };
    let ground = chips.ground.unwrap_or((look.chip.ground, look.chip.alpha));
    Row { area, size: chips.size, colour: chips.colour.unwrap_or(look.chip.text), ground, lead }
}
