//! Colour glyphs that are stored as pictures: a PNG strike comes in, the same glyph at the wanted size goes out. Each pixel is the
//! mean of the area it covers, so nothing shimmers when a strike of 136 pixels becomes one of 36.

use super::raster::Raster;

/// Where a strike's picture stands, in its own pixels.
#[derive(Debug, Clone, Copy)]
pub(super) struct Strike {
    pub(super) ppem: f32,
    pub(super) left: f32,
    pub(super) top: f32,
}

/// Decodes a strike and scales it to `size` pixels an em; none when the picture is damaged.
pub(super) fn scale(data: &[u8], strike: Strike, size: f32) -> Option<Raster> {
    let (width, height, source) = decode(data)?;
    let ratio = size / strike.ppem;
    let (across, down) = ((width as f32 * ratio).round().max(1.0), (height as f32 * ratio).round().max(1.0));
    let (columns, rows) = (across as usize, down as usize);
    let pixels = resample(&source, (width, height), (columns, rows));
    let place = ((strike.left * ratio).round() as i32, (strike.top * ratio).round() as i32);
    Some(Raster::coloured(place, columns, pixels))
}

/// A picture of another size: each pixel is the mean of the area that it covers.
pub(super) fn resample(source: &[[u8; 4]], from: (usize, usize), to: (usize, usize)) -> Vec<[u8; 4]> {
    let spans_x = spans(from.0, to.0);
    let spans_y = spans(from.1, to.1);
    let mut pixels = Vec::with_capacity(to.0 * to.1);
    for row in &spans_y {
        for column in &spans_x {
            let mut sum = [0.0_f32; 4];
            let mut weight = 0.0;
            for &(y, wy) in row {
                for &(x, wx) in column {
                    let pixel = source[y * from.0 + x];
                    for (total, channel) in sum.iter_mut().zip(pixel) {
                        *total += f32::from(channel) * wx * wy;
                    }
                    weight += wx * wy;
                }
            }
            pixels.push(sum.map(|channel| (channel / weight).round() as u8));
        }
    }
    pixels
}

/// For each of `count` places, the source positions it covers and how much of each.
fn spans(length: usize, count: usize) -> Vec<Vec<(usize, f32)>> {
    let step = length as f32 / count as f32;
    (0..count)
        .map(|at| {
            let (from, to) = (at as f32 * step, ((at + 1) as f32 * step).min(length as f32));
            let last = (to.ceil() as usize).min(length);
            (from as usize..last).map(|x| (x, (to.min((x + 1) as f32) - from.max(x as f32)).max(1e-4))).collect()
        })
        .collect()
}

/// The size of a PNG, without its pixels.
pub(super) fn size(data: &[u8]) -> Option<(usize, usize)> {
    let reader = png::Decoder::new(std::io::Cursor::new(data)).read_info().ok()?;
    Some((reader.info().width as usize, reader.info().height as usize))
}

/// A colour multiplied by its alpha.
pub(super) fn premultiply([r, g, b, a]: [u8; 4]) -> [u8; 4] {
    let by = |c: u8| ((u32::from(c) * u32::from(a) + 127) / 255) as u8;
    [by(r), by(g), by(b), a]
}

/// The picture's size and its pixels with premultiplied alpha.
pub(super) fn decode(data: &[u8]) -> Option<(usize, usize, Vec<[u8; 4]>)> {
    let mut decoder = png::Decoder::new(std::io::Cursor::new(data));
    decoder.set_transformations(png::Transformations::normalize_to_color8() | png::Transformations::ALPHA);
    let mut reader = decoder.read_info().ok()?;
    let mut buffer = vec![0; reader.output_buffer_size()?];
    let info = reader.next_frame(&mut buffer).ok()?;
    let (width, height) = (info.width as usize, info.height as usize);
    let pixels: Vec<[u8; 4]> = match info.color_type {
        png::ColorType::Rgba => buffer.as_chunks::<4>().0.iter().copied().map(premultiply).collect(),
        png::ColorType::GrayscaleAlpha => {
            buffer.as_chunks::<2>().0.iter().map(|&[v, a]| premultiply([v, v, v, a])).collect()
        }
        _ => return None,
    };
    (pixels.len() >= width * height && width > 0 && height > 0).then_some((width, height, pixels))
}
