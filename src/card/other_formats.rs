//! Encoding besides PNG, on request: the pixels of a picture come in, the bytes of a WebP or a JPEG go out. The same pixels give
//! the same bytes.

use image_webp::WebPEncoder;
use jpeg_encoder::{ColorType, Encoder, SamplingFactor};

use super::CardError;
use super::coloured::Coloured;
use super::photograph::MOST_BYTES;

/// The quality at which letters keep their edges; then what is given up, step by step, for a file that is small enough: colours
/// at full resolution last, since code is coloured in strokes of a pixel.
const JPEG_QUALITIES: [(u8, SamplingFactor); 6] = [
    (88, SamplingFactor::F_1_1),
    (80, SamplingFactor::F_1_1),
    (70, SamplingFactor::F_1_1),
    (70, SamplingFactor::F_2_2),
    (55, SamplingFactor::F_2_2),
    (40, SamplingFactor::F_2_2),
];

/// Up to how many pixels a JPEG gets codes of its own: more than a page of the usual width and the greatest height has. They make it
/// smaller, much smaller where areas have one colour, but are found by holding the whole picture three more times; the usual codes are
/// written as it goes.
const MOST_WITH_OWN_CODES: usize = 25_000_000;

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

/// Writes an opaque picture as a JPEG, at the first quality at which it is small enough.
pub(super) fn jpeg(picture: &Coloured) -> Result<Vec<u8>, CardError> {
    let side = |pixels: usize| u16::try_from(pixels).map_err(|error| CardError::OtherEncoding(error.to_string()));
    let mut bytes = Vec::with_capacity(192 * 1024);
    for (quality, sampling) in JPEG_QUALITIES {
        bytes.clear();
        let mut encoder = Encoder::new(&mut bytes, quality);
        encoder.set_sampling_factor(sampling);
        encoder.set_optimized_huffman_tables(picture.pixels.len() <= MOST_WITH_OWN_CODES);
        encoder
            .encode(picture.pixels.as_flattened(), side(picture.width)?, side(picture.height())?, ColorType::Rgb)
            .map_err(|error| CardError::OtherEncoding(error.to_string()))?;
        if bytes.len() <= MOST_BYTES {
            break;
        }
    }
    Ok(bytes)
}
