//! Pictures that were not drawn here, such as those of pages: pixels come in, the bytes of a file go out, with every pixel as it was
//! where the format is PNG.

use png::{BitDepth, ColorType, DeflateCompression, Encoder, Filter};
use rustc_hash::FxHashMap;

use super::coloured::Coloured;
use super::encode::Writer;
use super::format::Format;
use super::indexed::Indexed;
use super::photograph::MOST_BYTES;
use super::{CardError, Image, other_formats};

/// Colours of a palette.
const COLOURS: usize = 256;

/// Filter and effort, 1 to 9, for a PNG in true colour of what was drawn, and of what a camera took.
const DRAWING: (Filter, u8) = (Filter::NoFilter, 4);
const PHOTOGRAPH: (Filter, u8) = (Filter::Adaptive, 3);

/// Of how many places in a picture so many rows each are its sample.
const BANDS: usize = 4;
const BAND: usize = 16;

/// Writes pixels in a format. Where none is asked for: PNG, and JPEG where the PNG would be larger than crawlers take.
pub(crate) fn exact(width: u32, pixels: Vec<[u8; 3]>, format: Option<Format>) -> Result<Image, CardError> {
    let picture = Coloured { width: width as usize, pixels };
    let (bytes, format) = match format {
        Some(Format::Png) => (png(&picture)?, Format::Png),
        Some(Format::WebP) => (other_formats::webp(&picture)?, Format::WebP),
        Some(Format::Jpeg) => (other_formats::jpeg(&picture)?, Format::Jpeg),
        None => match Some(png(&picture)?).filter(|bytes| bytes.len() <= MOST_BYTES) {
            Some(bytes) => (bytes, Format::Png),
            None => (other_formats::jpeg(&picture)?, Format::Jpeg),
        },
    };
    let height = picture.height() as u32;
    let (media_type, extension) = (format.media_type(), format.extension());
    Ok(Image { bytes, width, height, media_type, extension, missing: Vec::new() })
}

/// A PNG of exactly these pixels.
pub(super) fn png(picture: &Coloured) -> Result<Vec<u8>, CardError> {
    if let Some(indexed) = in_palette(picture) {
        return Ok(Writer::default().indexed(&indexed)?);
    }
    let (filter, effort) = if is_photograph(picture)? { PHOTOGRAPH } else { DRAWING };
    coloured(picture.width, &picture.pixels, filter, effort)
}

/// A PNG in true colour.
fn coloured(width: usize, pixels: &[[u8; 3]], filter: Filter, effort: u8) -> Result<Vec<u8>, CardError> {
    let mut bytes = Vec::with_capacity(256 * 1024);
    let mut encoder = Encoder::new(&mut bytes, width as u32, (pixels.len() / width.max(1)) as u32);
    encoder.set_color(ColorType::Rgb);
    encoder.set_depth(BitDepth::Eight);
    encoder.set_filter(filter);
    encoder.set_deflate_compression(DeflateCompression::Level(effort));
    let mut writer = encoder.write_header()?;
    writer.write_image_data(pixels.as_flattened())?;
    writer.finish()?;
    Ok(bytes)
}

/// Whether filters make a picture smaller, by a sample of its rows: they do for what a camera took. Text, areas of one colour and a
/// browser's gradients, which are the same colours over and over, are smaller and quicker without.
fn is_photograph(picture: &Coloured) -> Result<bool, CardError> {
    let row = picture.width.max(1);
    let step = picture.height().div_ceil(BANDS).max(BAND);
    let bands = picture.pixels.chunks(step * row).map(|part| &part[..part.len().min(BAND * row)]);
    let sample = bands.collect::<Vec<_>>().concat();
    let length = |(filter, effort)| Ok::<_, CardError>(coloured(row, &sample, filter, effort)?.len());
    Ok(length(PHOTOGRAPH)? < length(DRAWING)?)
}

/// The same picture in a palette, where it has no more colours than one; in the order in which they are met.
fn in_palette(picture: &Coloured) -> Option<Indexed> {
    let mut palette: Vec<[u8; 3]> = Vec::with_capacity(COLOURS);
    let mut places: FxHashMap<[u8; 3], u8> = FxHashMap::default();
    let mut rows = Vec::with_capacity(picture.pixels.len() + picture.height());
    let mut last = None;
    for row in picture.pixels.chunks_exact(picture.width.max(1)) {
        rows.push(0);
        for pixel in row {
            let place = match last {
                Some((known, place)) if known == *pixel => place,
                _ => match places.get(pixel) {
                    Some(place) => *place,
                    None if palette.len() == COLOURS => return None,
                    None => {
                        let place = palette.len() as u8;
                        palette.push(*pixel);
                        places.insert(*pixel, place);
                        place
                    }
                },
            };
            last = Some((*pixel, place));
            rows.push(place);
        }
    }
    Some(Indexed { width: picture.width, palette, rows })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(bytes: &[u8]) -> Vec<u8> {
        let mut decoder = png::Decoder::new(std::io::Cursor::new(bytes));
        decoder.set_transformations(png::Transformations::EXPAND);
        let mut reader = decoder.read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        reader.next_frame(&mut pixels).unwrap();
        pixels
    }

    #[test]
    fn pixels_come_back_as_they_were() {
        let colours =
            |most: usize| (0..300 * 40).map(move |at| [(at * 7 % most % 256) as u8, (at * 7 % most / 256) as u8, 9]);
        for most in [1, 2, 255, 256, 257, 5000] {
            let picture = Coloured { width: 300, pixels: colours(most).collect() };
            let indexed = in_palette(&picture).is_some();
            assert_eq!(indexed, most <= 256, "{most} colours");
            assert_eq!(decoded(&png(&picture).unwrap()), picture.pixels.as_flattened(), "{most} colours");
        }
    }

    #[test]
    fn a_gradient_is_no_photograph() {
        let picture = |colour: fn(usize, usize) -> [u8; 3]| {
            let pixels = (0..600 * 300).map(|at| colour(at % 600, at / 600)).collect();
            Coloured { width: 600, pixels }
        };
        let gradient = picture(|x, y| [(x + y) / 4, (x + y) / 7, 255 - (x + y) / 5].map(|side| side as u8));
        assert!(in_palette(&gradient).is_none() && !is_photograph(&gradient).unwrap());
        // Light that falls off, and the grain of a sensor.
        let grain = |x: usize, y: usize| (x * 7919 + y * 104_729 + x * y * 31) % 7;
        let light = |x: usize, y: usize, grain: usize| {
            [(x * x / 1600 + grain) as u8, (y * y / 400 + grain) as u8, ((x + y) / 5 + grain) as u8]
        };
        let pixels = (0..600 * 300).map(|at| light(at % 600, at / 600, grain(at % 600, at / 600))).collect();
        assert!(is_photograph(&Coloured { width: 600, pixels }).unwrap());
    }
}
