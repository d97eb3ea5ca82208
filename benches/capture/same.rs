//! Whether two pictures show the same.

use std::io::Cursor;

/// A decoded picture.
#[derive(Debug)]
pub(crate) struct Pixels {
    pub(crate) width: u32,
    pub(crate) height: u32,
    rgb: Vec<[u8; 3]>,
}

impl Pixels {
    /// Decodes a PNG.
    pub(crate) fn of(png: &[u8]) -> Self {
        let mut decoder = png::Decoder::new(Cursor::new(png));
        decoder.set_transformations(png::Transformations::EXPAND | png::Transformations::STRIP_16);
        let mut reader = decoder.read_info().expect("it is a PNG");
        let mut bytes = vec![0; reader.output_buffer_size().expect("it is not too large")];
        let info = reader.next_frame(&mut bytes).expect("it is whole");
        let step = info.color_type.samples();
        let rgb = bytes[..info.buffer_size()].chunks_exact(step).map(|pixel| [pixel[0], pixel[1], pixel[2]]).collect();
        Self { width: info.width, height: info.height, rgb }
    }

    /// The share of pixels that another picture has in a colour that an eye would take for another, in parts of a hundred.
    /// None where the sizes differ.
    pub(crate) fn differs(&self, other: &Self) -> Option<f64> {
        const SEEN: u8 = 48;
        if (self.width, self.height) != (other.width, other.height) {
            return None;
        }
        let differ = |(a, b): (&[u8; 3], &[u8; 3])| a.iter().zip(b).any(|(a, b)| a.abs_diff(*b) > SEEN);
        let count = self.rgb.iter().zip(&other.rgb).filter(|pair| differ(*pair)).count();
        Some(100.0 * count as f64 / self.rgb.len() as f64)
    }

    /// How many colours there are, up to a thousand: an empty page has one.
    pub(crate) fn colours(&self) -> usize {
        let mut seen = std::collections::HashSet::new();
        for colour in &self.rgb {
            if seen.insert(*colour) && seen.len() == 1_000 {
                break;
            }
        }
        seen.len()
    }
}
