//! The picture itself: a page that is ready comes in, the bytes of a file go out.

use chromiumoxide::cdp::browser_protocol::page::{
    CaptureScreenshotFormat, CaptureScreenshotParams, PrintToPdfParams, Viewport,
};

use super::{
    error::Trouble,
    script::{Size, Undone, World},
    shot::{Clip, Options, PageFormat},
    tab::Tab,
};
use crate::card::{self, Image};

/// The quality of what the browser itself encodes.
const QUALITY: i64 = 82;

/// Pixels of a WebP's sides (its specification, "Extended File Format").
const HIGHEST_WEBP: f64 = 16_383.0;

/// CSS pixels of an element across.
const WIDEST: f64 = 20_000.0;

/// CSS pixels in an inch of paper.
const INCH: f64 = 96.0;

/// A picture, and the height of the page where it is cut.
#[derive(Debug)]
pub(super) struct Taken {
    pub(super) image: Image,
    pub(super) cut_from: Option<u32>,
}

/// Takes the picture that the options want.
pub(super) async fn picture(tab: &Tab, world: &World, options: &Options) -> Result<Taken, Undone> {
    if options.format == Some(PageFormat::Pdf) {
        return Ok(Taken { image: pdf(tab, options).await?, cut_from: None });
    }
    let (clip, cut_from) = part(tab, world, options).await?;
    let webp = options.format == Some(PageFormat::WebP);
    let size = clip.map_or((f64::from(options.width), f64::from(options.height)), |clip| (clip.width, clip.height));
    let scale = options.scale;
    let pixels = move |side: f64| (side * scale).round().max(1.0) as u32;
    if webp && f64::max(size.0, size.1) * scale > HIGHEST_WEBP {
        let what =
            format!("a WebP of {} × {} pixels: its sides are at most {HIGHEST_WEBP}", pixels(size.0), pixels(size.1));
        return Err(Trouble::Size { what }.into());
    }
    let bytes = screenshot(tab, clip, webp).await?;
    if bytes.is_empty() {
        return Err(Trouble::Encoding("the browser made an empty file".to_owned()).into());
    }
    if webp {
        let (width, height) = (pixels(size.0), pixels(size.1));
        let (media_type, extension) = ("image/webp", "webp");
        let image = Image { bytes, width, height, media_type, extension, missing: Vec::new() };
        return Ok(Taken { image, cut_from });
    }
    let format = options.format;
    let encoded = tokio::task::spawn_blocking(move || encode(bytes, format));
    let image = encoded.await.map_err(|error| Trouble::Encoding(error.to_string()))??;
    Ok(Taken { image, cut_from })
}

/// The browser's own picture.
async fn screenshot(tab: &Tab, clip: Option<Clip>, webp: bool) -> Result<Vec<u8>, Trouble> {
    let format = if webp { CaptureScreenshotFormat::Webp } else { CaptureScreenshotFormat::Png };
    let mut command = CaptureScreenshotParams::builder().format(format).build();
    command.quality = webp.then_some(QUALITY);
    command.optimize_for_speed = Some(!webp); // a PNG from here is only carried, and packed by ourselves
    if let Some(clip) = clip {
        command.clip = Some(Viewport { x: clip.x, y: clip.y, width: clip.width, height: clip.height, scale: 1.0 });
        command.capture_beyond_viewport = Some(true);
    }
    Ok(tab.fetch(command).await?)
}

/// Which part of the page is the picture, where it is not the window; and the page's height where the part ends before it.
async fn part(tab: &Tab, world: &World, options: &Options) -> Result<(Option<Clip>, Option<u32>), Undone> {
    if let Some(clip) = options.clip {
        let Size { width, height } = world.run(tab, "measure", options).await?.page;
        if clip.x >= width || clip.y >= height {
            let what = format!("the clip is outside the page, which is {width} × {height}");
            return Err(Trouble::Size { what }.into());
        }
        return Ok((options.clip, None));
    }
    if !options.full_page && options.selector.is_none() {
        return Ok((None, None));
    }
    let found = world.run(tab, "measure", options).await?;
    let whole = Clip { x: 0.0, y: 0.0, width: f64::from(options.width), height: found.page.height };
    let clip = found.element.unwrap_or(whole);
    if clip.width < 1.0 || clip.height < 1.0 {
        return Err(Trouble::Size { what: "the element has no size".to_owned() }.into());
    }
    let is_off = clip.x + clip.width < 1.0 || clip.y + clip.height < 1.0 || clip.x >= found.page.width.max(1.0);
    if is_off {
        return Err(Trouble::Size { what: "the element is outside the page".to_owned() }.into());
    }
    if clip.width > WIDEST {
        return Err(Trouble::Size { what: format!("the element is {} pixels wide", clip.width.round()) }.into());
    }
    let highest = options.highest(clip.width);
    let cut_from = (clip.height > highest).then_some(clip.height.round() as u32);
    // On whole pixels, or its edges are blurred.
    let (x, y) = (clip.x.max(0.0).round(), clip.y.max(0.0).round());
    let (right, bottom) = ((clip.x + clip.width).round(), (clip.y + clip.height.min(highest)).round());
    Ok((Some(Clip { x, y, width: (right - x).max(1.0), height: (bottom - y).max(1.0) }), cut_from))
}

/// The page as it would be printed on paper of the window's size.
async fn pdf(tab: &Tab, options: &Options) -> Result<Image, Trouble> {
    let mut print = PrintToPdfParams::builder()
        .print_background(true)
        .prefer_css_page_size(true)
        .paper_width(f64::from(options.width) / INCH)
        .paper_height(f64::from(options.height) / INCH)
        .build();
    for margin in [&mut print.margin_top, &mut print.margin_bottom, &mut print.margin_left, &mut print.margin_right] {
        *margin = Some(0.0);
    }
    let bytes = tab.fetch(print).await?;
    let (width, height) = (options.width, options.height);
    Ok(Image { bytes, width, height, media_type: "application/pdf", extension: "pdf", missing: Vec::new() })
}

/// The browser's PNG, written anew: smaller, and in the format that is wanted.
fn encode(bytes: Vec<u8>, format: Option<PageFormat>) -> Result<Image, Trouble> {
    let (width, pixels) = pixels(bytes)?;
    let format = match format {
        Some(PageFormat::Png) => Some(card::Format::Png),
        Some(PageFormat::Jpeg) => Some(card::Format::Jpeg),
        Some(PageFormat::WebP | PageFormat::Pdf) | None => None,
    };
    card::exact(width, pixels, format).map_err(|error| Trouble::Encoding(error.to_string()))
}

/// The width and the pixels of a PNG, read row by row, so that they are there once.
fn pixels(bytes: Vec<u8>) -> Result<(u32, Vec<[u8; 3]>), Trouble> {
    let failed = |error: &dyn std::fmt::Display| Trouble::Encoding(error.to_string());
    let mut decoder = png::Decoder::new(std::io::Cursor::new(bytes));
    decoder.set_transformations(png::Transformations::EXPAND | png::Transformations::STRIP_16);
    let mut reader = decoder.read_info().map_err(|error| failed(&error))?;
    let (width, height) = reader.info().size();
    let kind = reader.output_color_type().0;
    let mut pixels = Vec::with_capacity(width as usize * height as usize);
    while let Some(row) = reader.next_row().map_err(|error| failed(&error))? {
        match kind {
            png::ColorType::Rgb => pixels.extend_from_slice(row.data().as_chunks::<3>().0),
            png::ColorType::Rgba => pixels.extend(row.data().as_chunks::<4>().0.iter().map(|&[r, g, b, _]| [r, g, b])),
            other => return Err(failed(&format!("a PNG of the kind {other:?}"))),
        }
    }
    Ok((width, pixels))
}
