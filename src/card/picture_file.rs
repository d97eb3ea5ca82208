//! Pictures that a look brings along: a PNG, JPEG or WebP file comes in, pixels at the size at which they are drawn go out. A file
//! is decoded once, when its look is read; what is too large to be meant is refused before it takes memory.

use std::fmt;
use std::io::Cursor;
use std::sync::Arc;

use image_webp::WebPDecoder;
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use super::bitmap::{self, premultiply, resample};
use super::paint::times;
use super::raster::Raster;

/// The largest file, in bytes.
pub(super) const MOST_BYTES: u64 = 2 * 1024 * 1024;
/// The longest side, in pixels.
const LONGEST_SIDE: usize = 4096;
/// The memory that decoding WebP may take besides the pixels.
const WEBP_MEMORY: usize = 128 * 1024 * 1024;

/// Pixels with premultiplied alpha.
#[derive(Clone, PartialEq)]
pub(super) struct Picture {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) pixels: Vec<[u8; 4]>,
}

impl fmt::Debug for Picture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Picture({} × {})", self.width, self.height)
    }
}

impl Picture {
    /// Decodes a file.
    ///
    /// # Errors
    /// What is wrong with it, as the end of a sentence that begins with its name.
    pub(super) fn decode(data: &[u8]) -> Result<Self, String> {
        if data.starts_with(b"\x89PNG") {
            Self::from_png(data)
        } else if data.starts_with(&[0xff, 0xd8]) {
            Self::from_jpeg(data)
        } else if data.starts_with(b"RIFF") && data.get(8..12) == Some(b"WEBP") {
            Self::from_webp(data)
        } else {
            Err("is neither a PNG nor a JPEG nor a WebP picture".to_owned())
        }
    }

    /// The same picture, ready to be drawn.
    pub(super) fn raster(self) -> Arc<Raster> {
        Arc::new(Raster::coloured((0, 0), self.width, self.pixels))
    }

    fn from_png(data: &[u8]) -> Result<Self, String> {
        let (width, height) = bitmap::size(data).ok_or("is a damaged PNG")?;
        bounded(width, height)?;
        let (width, height, pixels) = bitmap::decode(data).ok_or("is a damaged PNG")?;
        Ok(Self { width, height, pixels })
    }

    fn from_jpeg(data: &[u8]) -> Result<Self, String> {
        let damaged = |error| format!("is a JPEG that cannot be read: {error:?}");
        let options = DecoderOptions::default()
            .set_strict_mode(true)
            .set_use_unsafe(false) // no SIMD, for the same pixels on every processor
            .set_max_width(usize::from(u16::MAX))
            .set_max_height(usize::from(u16::MAX))
            .jpeg_set_out_colorspace(ColorSpace::RGB);
        let mut decoder = JpegDecoder::new_with_options(Cursor::new(data), options);
        decoder.decode_headers().map_err(damaged)?;
        let (width, height) = decoder.dimensions().unwrap_or_default();
        bounded(width, height)?;
        let bytes = decoder.decode().map_err(damaged)?;
        Self::opaque(width, height, &bytes)
    }

    fn from_webp(data: &[u8]) -> Result<Self, String> {
        let damaged = |error| format!("is a WebP picture that cannot be read: {error}");
        let mut decoder = WebPDecoder::new(Cursor::new(data)).map_err(damaged)?;
        decoder.set_memory_limit(WEBP_MEMORY);
        let (width, height) = decoder.dimensions();
        let (width, height) = (width as usize, height as usize);
        bounded(width, height)?;
        let mut bytes = vec![0; decoder.output_buffer_size().ok_or("is too large")?];
        decoder.read_image(&mut bytes).map_err(damaged)?;
        if !decoder.has_alpha() {
            return Self::opaque(width, height, &bytes);
        }
        Ok(Self { width, height, pixels: bytes.as_chunks::<4>().0.iter().copied().map(premultiply).collect() })
    }

    fn opaque(width: usize, height: usize, rgb: &[u8]) -> Result<Self, String> {
        let pixels: Vec<[u8; 4]> = rgb.as_chunks::<3>().0.iter().map(|&[r, g, b]| [r, g, b, 255]).collect();
        if pixels.len() == width * height {
            Ok(Self { width, height, pixels })
        } else {
            Err("is damaged: it has fewer pixels than it says".to_owned())
        }
    }

    /// The picture at another size, each pixel the mean of the area that it covers.
    fn scaled(&self, width: usize, height: usize) -> Self {
        let pixels = resample(&self.pixels, (self.width, self.height), (width, height));
        Self { width, height, pixels }
    }

    /// The square in the middle of the picture, `side` pixels wide, its corners cut off by a circle.
    pub(super) fn round(&self, side: usize) -> Self {
        let length = self.width.min(self.height);
        let (left, top) = ((self.width - length) / 2, (self.height - length) / 2);
        let rows = self.pixels.chunks_exact(self.width).skip(top).take(length);
        let pixels = rows.flat_map(|row| row[left..left + length].iter().copied()).collect();
        let mut round = Self { width: length, height: length, pixels }.scaled(side, side);
        let radius = side as f32 / 2.0;
        for (y, row) in round.pixels.chunks_exact_mut(side).enumerate() {
            for (x, pixel) in row.iter_mut().enumerate() {
                let (across, down) = (x as f32 + 0.5 - radius, y as f32 + 0.5 - radius);
                let inside = (radius - (across * across + down * down).sqrt() + 0.5).clamp(0.0, 1.0);
                *pixel = pixel.map(|channel| (f32::from(channel) * inside).round() as u8);
            }
        }
        round
    }

    /// The middle of the picture, as much of it as fills the size.
    pub(super) fn covering(&self, width: usize, height: usize) -> Self {
        let (across, down) = if self.width * height > width * self.height {
            ((self.height * width / height).max(1), self.height)
        } else {
            (self.width, (self.width * height / width).max(1))
        };
        let (left, top) = ((self.width - across) / 2, (self.height - down) / 2);
        let rows = self.pixels.chunks_exact(self.width).skip(top).take(down);
        let pixels = rows.flat_map(|row| row[left..left + across].iter().copied()).collect();
        Self { width: across, height: down, pixels }.scaled(width, height)
    }

    /// The picture where a mask of its size shows it.
    pub(super) fn masked(mut self, mask: &[u8]) -> Self {
        for (pixel, covered) in self.pixels.iter_mut().zip(mask) {
            *pixel = pixel.map(|channel| times(channel, *covered));
        }
        self
    }

    /// The picture as a PNG.
    pub(super) fn png(&self) -> Result<Vec<u8>, png::EncodingError> {
        let plain = |[r, g, b, a]: [u8; 4]| {
            let whole = |c: u8| (u32::from(c) * 255 / u32::from(a.max(1))).min(255) as u8;
            [whole(r), whole(g), whole(b), a]
        };
        let pixels: Vec<u8> = self.pixels.iter().copied().flat_map(plain).collect();
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, self.width as u32, self.height as u32);
        encoder.set_color(png::ColorType::Rgba);
        encoder.set_depth(png::BitDepth::Eight);
        encoder.set_compression(png::Compression::Fastest);
        encoder.write_header()?.write_image_data(&pixels)?;
        Ok(bytes)
    }

    /// The whole picture `height` pixels high, or less where it would be wider than `most`.
    pub(super) fn fitted(&self, height: usize, most: usize) -> Self {
        let across = |height: usize| (self.width * height + self.height / 2) / self.height;
        if across(height) <= most {
            return self.scaled(across(height).max(1), height);
        }
        self.scaled(most, (self.height * most / self.width).max(1))
    }
}

fn bounded(width: usize, height: usize) -> Result<(), String> {
    if (1..=LONGEST_SIDE).contains(&width) && (1..=LONGEST_SIDE).contains(&height) {
        return Ok(());
    }
    Err(format!("is {width} × {height} pixels; no side may be longer than {LONGEST_SIDE}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn png(width: u32, height: u32, colour: png::ColorType, data: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, width, height);
        encoder.set_color(colour);
        encoder.set_depth(png::BitDepth::Eight);
        encoder.write_header().unwrap().write_image_data(data).unwrap();
        bytes
    }

    #[test]
    fn three_formats_give_the_same_picture() {
        let rgb: Vec<u8> = [200, 40, 40].repeat(64);
        let mut webp = Vec::new();
        image_webp::WebPEncoder::new(&mut webp).encode(&rgb, 8, 8, image_webp::ColorType::Rgb8).unwrap();
        let mut jpeg = Vec::new();
        jpeg_encoder::Encoder::new(&mut jpeg, 95).encode(&rgb, 8, 8, jpeg_encoder::ColorType::Rgb).unwrap();
        for file in [png(8, 8, png::ColorType::Rgb, &rgb), webp, jpeg] {
            let picture = Picture::decode(&file).unwrap();
            assert_eq!((picture.width, picture.height, picture.pixels.len()), (8, 8, 64));
            assert!(picture.pixels.iter().all(|pixel| pixel[0].abs_diff(200) < 4 && pixel[1].abs_diff(40) < 4));
        }
    }

    #[test]
    fn grey_pictures_and_grey_jpegs_are_read() {
        let grey = png(4, 4, png::ColorType::Grayscale, &[90; 16]);
        assert_eq!(Picture::decode(&grey).unwrap().pixels[5], [90, 90, 90, 255]);
        let mut jpeg = Vec::new();
        jpeg_encoder::Encoder::new(&mut jpeg, 95).encode(&[90; 256], 16, 16, jpeg_encoder::ColorType::Luma).unwrap();
        assert_eq!(Picture::decode(&jpeg).unwrap().pixels.len(), 256);
    }

    #[test]
    fn damaged_and_huge_files_are_refused() {
        let whole = png(8, 8, png::ColorType::Rgb, &[9; 192]);
        let mut huge = whole.clone();
        huge[16..20].copy_from_slice(&100_000_u32.to_be_bytes());
        let jpeg = [0xff, 0xd8, 0xff, 0xe0, 0, 16, b'J'];
        for file in [&whole[..40], &huge, &jpeg, b"RIFF\x04\0\0\0WEBPVP8 ", b"GIF89a", b""] {
            assert!(Picture::decode(file).is_err(), "{:?}", &file[..file.len().min(12)]);
        }
    }

    #[test]
    fn a_round_picture_has_no_corners() {
        let picture = Picture { width: 90, height: 60, pixels: vec![[10, 20, 30, 255]; 5400] }.round(40);
        assert_eq!(picture.pixels.len(), 1600);
        assert_eq!((picture.pixels[0], picture.pixels[20 * 40 + 20]), ([0; 4], [10, 20, 30, 255]));
    }

    #[test]
    fn a_fitted_picture_keeps_its_shape() {
        let picture = |width, height| Picture { width, height, pixels: vec![[1; 4]; width * height] };
        let size = |picture: Picture| (picture.width, picture.height);
        assert_eq!(size(picture(200, 100).fitted(40, 320)), (80, 40));
        assert_eq!(size(picture(2000, 100).fitted(40, 320)), (320, 16));
        assert_eq!(size(picture(1, 4000).fitted(40, 320)), (1, 40));
        assert_eq!(size(picture(4000, 1).fitted(40, 320)), (320, 1));
    }
}
