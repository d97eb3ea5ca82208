//! Draws the posts in `fixtures/gallery` through the public library: each card at full size into the folder that `--out` names,
//! and all of them, 400 pixels wide, as one sheet in `docs/gallery.png`. A post's front matter says `look`, `theme` and `scale`
//! besides what every post may say.
//!
//! `cargo run --example gallery -- --out target/gallery`

use std::{
    env,
    error::Error,
    fs,
    io::{BufWriter, Cursor},
    path::{Path, PathBuf},
};

use tintype::{
    card::{Options, Renderer},
    picture::{self, Draw},
    post::{Fields, Post},
};

const POSTS: &str = "fixtures/gallery";
const SHEET: &str = "docs/gallery.png";
const COLUMNS: usize = 4;
/// The size of a card on the sheet, and the room around it, in pixels.
const WIDTH: usize = 400;
const HEIGHT: usize = 210;
const GAP: usize = 20;
const GROUND: [u8; 3] = [0x80, 0x84, 0x8e];

/// Red, green, blue.
type Pixel = [u8; 3];

/// Pixels in rows, top to bottom.
struct Picture {
    width: usize,
    pixels: Vec<Pixel>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut words = env::args().skip(1);
    let out = match (words.next().as_deref(), words.next()) {
        (None, _) => None,
        (Some("--out"), Some(folder)) => Some(PathBuf::from(folder)),
        _ => return Err("usage: gallery [--out FOLDER]".into()),
    };
    let mut posts: Vec<PathBuf> =
        fs::read_dir(POSTS)?.map(|entry| Ok(entry?.path())).collect::<Result<_, std::io::Error>>()?;
    posts.sort();
    if let Some(out) = &out {
        fs::create_dir_all(out)?;
    }
    let mut small = Vec::new();
    for path in &posts {
        let bytes = draw(path).map_err(|error| format!("{}: {error}", path.display()))?;
        small.push(shrunk(&decoded(&bytes)?));
        if let (Some(out), Some(name)) = (&out, path.file_stem()) {
            fs::write(out.join(name).with_extension("png"), bytes)?;
        }
    }
    write(&sheet(&small), Path::new(SHEET))?;
    eprintln!("{SHEET}: {} cards, {} KB", small.len(), fs::metadata(SHEET)?.len() / 1000);
    Ok(())
}

/// The PNG of one post.
fn draw(path: &Path) -> Result<Vec<u8>, Box<dyn Error>> {
    let body = fs::read_to_string(path)?;
    let options = Options {
        look: setting(&body, "look").unwrap_or("night").to_owned(),
        theme: setting(&body, "theme").map(str::to_owned),
        scale: setting(&body, "scale").map_or(Ok(1), str::parse)?,
        ..Options::default()
    };
    let post = Post::new(Fields { body, ..Fields::default() });
    let image = Renderer::new(&options)?.render(&picture::choose(&post, Draw::Auto, None)?)?;
    if !image.missing.is_empty() {
        eprintln!("{}: no font has {:?}", path.display(), image.missing);
    }
    Ok(image.bytes)
}

/// The value of a key in the front matter, which is all between the first line and the next `---`.
fn setting<'a>(body: &'a str, key: &str) -> Option<&'a str> {
    let front = body.lines().skip(1).take_while(|line| *line != "---");
    front.filter_map(|line| line.split_once(": ")).find_map(|(name, value)| (name == key).then_some(value))
}

fn decoded(bytes: &[u8]) -> Result<Picture, Box<dyn Error>> {
    let mut decoder = png::Decoder::new(Cursor::new(bytes));
    decoder.set_transformations(png::Transformations::EXPAND);
    let mut reader = decoder.read_info()?;
    let mut data = vec![0; reader.output_buffer_size().ok_or("the picture is too large")?];
    let frame = reader.next_frame(&mut data)?;
    let samples = frame.color_type.samples();
    let pixels =
        data[..frame.buffer_size()].chunks_exact(samples).map(|pixel| [pixel[0], pixel[1], pixel[2]]).collect();
    Ok(Picture { width: frame.width as usize, pixels })
}

/// A card of 400 × 210, each pixel the mean of those that it stands for.
fn shrunk(picture: &Picture) -> Picture {
    let side = picture.width / WIDTH;
    let mean = |at: usize| {
        let (left, top) = (at % WIDTH * side, at / WIDTH * side);
        let mut sums = [0_usize; 3];
        for y in top..top + side {
            for pixel in &picture.pixels[y * picture.width + left..][..side] {
                for (sum, sample) in sums.iter_mut().zip(pixel) {
                    *sum += usize::from(*sample);
                }
            }
        }
        sums.map(|sum| ((sum + side * side / 2) / (side * side)) as u8)
    };
    Picture { width: WIDTH, pixels: (0..WIDTH * HEIGHT).map(mean).collect() }
}

/// All cards in rows of four on a plain ground.
fn sheet(cards: &[Picture]) -> Picture {
    let width = COLUMNS * (WIDTH + GAP) + GAP;
    let height = cards.len().div_ceil(COLUMNS) * (HEIGHT + GAP) + GAP;
    let mut pixels = vec![GROUND; width * height];
    for (at, card) in cards.iter().enumerate() {
        let (left, top) = (GAP + at % COLUMNS * (WIDTH + GAP), GAP + at / COLUMNS * (HEIGHT + GAP));
        for (y, row) in card.pixels.chunks_exact(WIDTH).enumerate() {
            pixels[(top + y) * width + left..][..WIDTH].copy_from_slice(row);
        }
    }
    Picture { width, pixels }
}

fn write(picture: &Picture, path: &Path) -> Result<(), Box<dyn Error>> {
    let file = BufWriter::new(fs::File::create(path)?);
    let (width, height) = (picture.width, picture.pixels.len() / picture.width);
    let mut encoder = png::Encoder::new(file, u32::try_from(width)?, u32::try_from(height)?);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_compression(png::Compression::High);
    encoder.write_header()?.write_image_data(picture.pixels.as_flattened())?;
    Ok(())
}
