//! Encoding besides PNG, on request: the pixels of a picture come in, the bytes of a WebP or a JPEG go out. The same pixels give
//! the same bytes.

use image_webp::WebPEncoder;
use jpeg_encoder::{ColorType, Encoder, SamplingFactor};

use super::CardError;
use super::coloured::Coloured;

/// The quality at which letters keep their edges.
const JPEG_QUALITY: u8 = 88;

/// Writes an opaque picture as a WebP without loss. The encoder knows no palettes: the dithered ground makes the file three to five
/// times as large as the PNG.
pub(super) fn webp(picture: &Coloured) -> Result<Vec<u8>, CardError> {
    let mut bytes = Vec::with_capacity(128 * 1024);
    WebPEncoder::new(&mut bytes)
        .encode(
            picture.pixels.as_flattened(),
            picture.width as u32,
            picture.height() as u32,
            image_webp::ColorType::Rgb8,
        )
        .map_err(|error| CardError::OtherEncoding(error.to_string()))?;
    Ok(bytes)
}

/// Writes an opaque picture as a JPEG with colours at full resolution, since code is coloured in strokes of a pixel.
pub(super) fn jpeg(picture: &Coloured) -> Result<Vec<u8>, CardError> {
    let side = |pixels: usize| u16::try_from(pixels).map_err(|error| CardError::OtherEncoding(error.to_string()));
    let mut bytes = Vec::with_capacity(192 * 1024);
    let mut encoder = Encoder::new(&mut bytes, JPEG_QUALITY);
    encoder.set_sampling_factor(SamplingFactor::F_1_1);
    encoder.set_optimized_huffman_tables(true);
    encoder
        .encode(picture.pixels.as_flattened(), side(picture.width)?, side(picture.height())?, ColorType::Rgb)
        .map_err(|error| CardError::OtherEncoding(error.to_string()))?;
    Ok(bytes)
}
