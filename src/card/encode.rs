//! Encoding: the pixels of a picture come in, the bytes of a PNG go out. The same pixels give the same bytes.

use png::{BitDepth, ColorType, DeflateCompression, Encoder, EncodingError, Filter};
use tiny_skia::Pixmap;

use super::quantise::Indexed;

/// Effort for indexed pixels, 1 to 9: beyond this a byte saved costs too much time.
const INDEXED_EFFORT: u8 = 4;
/// Effort for true colour.
const COLOUR_EFFORT: u8 = 6;

/// Writes a picture of one byte a pixel as a PNG.
pub(super) fn indexed(picture: &Indexed, width: u32, height: u32) -> Result<Vec<u8>, EncodingError> {
    let mut bytes = Vec::with_capacity(96 * 1024);
    let mut encoder = Encoder::new(&mut bytes, width, height);
    encoder.set_color(ColorType::Indexed);
    encoder.set_depth(BitDepth::Eight);
    encoder.set_palette(picture.palette.concat());
    encoder.set_filter(Filter::NoFilter);
    encoder.set_deflate_compression(DeflateCompression::Level(INDEXED_EFFORT));
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&picture.pixels)?;
    writer.finish()?;
    Ok(bytes)
}

/// Writes an opaque picture in true colour as a PNG.
pub(super) fn coloured(pixmap: &Pixmap) -> Result<Vec<u8>, EncodingError> {
    let mut bytes = Vec::with_capacity(256 * 1024);
    let mut encoder = Encoder::new(&mut bytes, pixmap.width(), pixmap.height());
    encoder.set_color(ColorType::Rgb);
    encoder.set_depth(BitDepth::Eight);
    encoder.set_filter(Filter::Adaptive);
    encoder.set_deflate_compression(DeflateCompression::Level(COLOUR_EFFORT));
    let mut writer = encoder.write_header()?;
    let rgb: Vec<u8> = pixmap.data().as_chunks::<4>().0.iter().flat_map(|&[r, g, b, _]| [r, g, b]).collect();
    writer.write_image_data(&rgb)?;
    writer.finish()?;
    Ok(bytes)
}
