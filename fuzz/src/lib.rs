//! What every target holds a card to: it is drawn, its PNG can be decoded and is 1200 × 630 and under 300 KB, a new renderer draws
//! the same bytes, and the slowest input so far is kept in the file that `TINTYPE_SLOWEST` names.
//!
//! The modules between text and pixels stand by themselves, so they are compiled here (their files are links) without the rest: a
//! build takes a quarter of the time, and it fails where one of them comes to need a database.

pub mod card;
pub mod markdown;
pub mod picture;
pub mod post;

use std::{
    fs,
    io::Cursor,
    panic,
    path::PathBuf,
    sync::{LazyLock, Mutex, PoisonError},
    time::{Duration, Instant},
};

use rustix::time::{ClockId, clock_gettime};
use crate::card::{Card, Options, Renderer};

/// The looks that are drawn.
const LOOKS: [&str; 2] = ["night", "paper"];
/// The largest picture that may come out, in bytes: what messengers take.
const LARGEST: usize = 300_000;
/// One card in so many is drawn again by a new renderer.
const DRAWN_AGAIN: usize = 64;
/// What an input may take of a processor.
const LONGEST: Duration = Duration::from_secs(2);
/// Beyond this on the clock the highlighter may have given up, and bytes may differ.
const CLOCK_FREE: Duration = Duration::from_millis(250);

static RENDERERS: LazyLock<[Renderer; 2]> = LazyLock::new(|| LOOKS.map(renderer));
/// What the slowest input took, this run's or one's before it.
static SLOWEST: LazyLock<Mutex<Duration>> = LazyLock::new(|| {
    let known = SLOWEST_FILE.as_ref().and_then(|file| fs::read_to_string(file.with_extension("ms")).ok());
    Mutex::new(Duration::from_millis(known.and_then(|text| text.trim().parse().ok()).unwrap_or(0)))
});
static SLOWEST_FILE: LazyLock<Option<PathBuf>> =
    LazyLock::new(|| std::env::var_os("TINTYPE_SLOWEST").map(PathBuf::from));

/// Lets panics that are caught inside pass, after saying where they were; those that come out end the process all the same.
pub fn prepare() {
    panic::set_hook(Box::new(|info| eprintln!("a panic: {info}")));
    LazyLock::force(&RENDERERS);
}

/// Draws what `card` makes of the input, in one of the looks, and checks the picture.
pub fn hold(data: &[u8], look: usize, card: impl FnOnce() -> Option<Card>) {
    let (start, clock) = (cpu(), Instant::now());
    let Some(card) = card() else { return };
    let image = RENDERERS[look % LOOKS.len()].render(&card).expect("a card is drawn");
    let (took, on_the_clock) = (cpu().saturating_sub(start), clock.elapsed());
    keep_slowest(data, took);

    assert!(took < LONGEST, "{took:?}");
    assert!(image.bytes.len() < LARGEST, "{} bytes", image.bytes.len());
    assert_eq!((image.width, image.height), (1200, 630));
    assert_eq!(decoded(&image.bytes), (1200, 630));
    let number = data.iter().fold(0_usize, |sum, byte| sum.wrapping_mul(31).wrapping_add(usize::from(*byte)));
    if number.is_multiple_of(DRAWN_AGAIN) && on_the_clock < CLOCK_FREE {
        let again = renderer(LOOKS[look % LOOKS.len()]).render(&card).expect("a card is drawn again");
        assert!(image == again, "a new renderer draws something else");
    }
}

/// The processor time of this thread so far.
fn cpu() -> Duration {
    Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).unwrap_or_default()
}

fn renderer(look: &str) -> Renderer {
    Renderer::new(&Options { look: look.to_owned(), ..Options::default() }).expect("the look is built in")
}

/// Width and height of a PNG whose every pixel could be read.
fn decoded(bytes: &[u8]) -> (u32, u32) {
    let mut reader = png::Decoder::new(Cursor::new(bytes)).read_info().expect("the PNG has a head");
    let mut pixels = vec![0; reader.output_buffer_size().expect("the PNG is of a sane size")];
    let frame = reader.next_frame(&mut pixels).expect("the PNG has pixels");
    (frame.width, frame.height)
}

fn keep_slowest(data: &[u8], took: Duration) {
    let mut slowest = SLOWEST.lock().unwrap_or_else(PoisonError::into_inner);
    if took > *slowest {
        *slowest = took;
        if let Some(file) = &*SLOWEST_FILE {
            let _ = fs::write(file, data);
            let _ = fs::write(file.with_extension("ms"), format!("{:.0}\n", took.as_secs_f64() * 1e3));
        }
    }
}
