//! Encoding: the pixels of a picture come in, the bytes of a PNG go out. The same pixels give the same bytes.

use png::{BitDepth, ColorType, DeflateCompression, Encoder, EncodingError, Filter, chunk};

use super::coloured::Coloured;
use super::deflate::Deflate;
use super::indexed::Indexed;

/// Effort for true colour, 1 to 9.
const COLOUR_EFFORT: u8 = 6;

/// Writes PNGs; kept between cards for its memory.
#[derive(Debug, Default)]
pub(super) struct Writer {
    deflate: Deflate,
    packed: Vec<u8>,
}

impl Writer {
    /// Writes a picture in a palette.
    pub(super) fn indexed(&mut self, picture: &Indexed) -> Result<Vec<u8>, EncodingError> {
        self.packed.clear();
        self.deflate.pack(&picture.rows, picture.width + 1, &mut self.packed);
        let mut bytes = Vec::with_capacity(self.packed.len() + 4096);
        let mut encoder = Encoder::new(&mut bytes, picture.width as u32, picture.height() as u32);
        encoder.set_color(ColorType::Indexed);
        encoder.set_depth(BitDepth::Eight);
        encoder.set_palette(picture.palette.as_flattened());
        let mut writer = encoder.write_header()?;
        writer.write_chunk(chunk::IDAT, &self.packed)?;
        drop(writer); // writes the last chunk
        Ok(bytes)
    }
}

/// Writes a picture in true colour.
pub(super) fn coloured(picture: &Coloured) -> Result<Vec<u8>, EncodingError> {
    let mut bytes = Vec::with_capacity(256 * 1024);
    let mut encoder = Encoder::new(&mut bytes, picture.width as u32, picture.height() as u32);
    encoder.set_color(ColorType::Rgb);
    encoder.set_depth(BitDepth::Eight);
    encoder.set_filter(Filter::Adaptive);
    encoder.set_deflate_compression(DeflateCompression::Level(COLOUR_EFFORT));
    let mut writer = encoder.write_header()?;
    writer.write_image_data(picture.pixels.as_flattened())?;
    writer.finish()?;
    Ok(bytes)
}
