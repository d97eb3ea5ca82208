//! Encoding: the pixels of a picture come in, the bytes of a PNG go out. The same pixels give the same bytes.

use flate2::{Compress, Compression, FlushCompress, Status};
use png::{BitDepth, ColorType, DeflateCompression, Encoder, EncodingError, Filter, chunk};

use super::coloured::Coloured;
use super::indexed::Indexed;

/// Effort for pixels in a palette, 1 to 9: beyond this a byte saved costs too much time.
const INDEXED_EFFORT: u32 = 2;
/// Effort for true colour.
const COLOUR_EFFORT: u8 = 6;

/// Writes PNGs; kept between cards for its memory.
pub(super) struct Writer {
    deflate: Compress,
    packed: Vec<u8>,
}

impl Writer {
    pub(super) fn new() -> Self {
        Self { deflate: Compress::new(Compression::new(INDEXED_EFFORT), true), packed: Vec::new() }
    }

    /// Writes a picture in a palette.
    pub(super) fn indexed(&mut self, picture: &Indexed) -> Result<Vec<u8>, EncodingError> {
        self.deflate.reset();
        self.packed.clear();
        // Deflate never makes data this much larger, so one call does it all.
        self.packed.reserve(picture.rows.len() + picture.rows.len() / 64 + 1024);
        let done = self.deflate.compress_vec(&picture.rows, &mut self.packed, FlushCompress::Finish);
        if done.map_err(|error| EncodingError::IoError(error.into()))? != Status::StreamEnd {
            return Err(EncodingError::LimitsExceeded);
        }
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
