//! Golden pictures: cards are drawn and compared, pixel for pixel, with the references in `fixtures/golden`. Only embedded faces
//! appear in them, so a machine's own fonts do not matter. A reference can only be made by `scripts/approve-golden`.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use tintype::card::{Card, CodeCard, Cover, Eyebrow, Format, Looks, Options, Renderer, TitleCard};

/// The references hold for this architecture; elsewhere floating point may round otherwise.
const ARCHITECTURE: &str = "x86_64";

const ELIXIR: &str = include_str!("../../fixtures/golden/form.ex.txt");
const RUST: &str = include_str!("../../fixtures/golden/worker.rs.txt");
const DIFF: &str = " fn claim(&self) -> u32 {\n-    self.limit\n+    self.limit.min(self.free())\n }";
const SQL: &str = "SELECT tintype.attach(\n  'public.posts',\n  body  => 'body',\n  image => 'og_image_url'\n);";

fn eyebrow() -> Eyebrow {
    Eyebrow { author: Some("Grace Hopper".to_owned()), site: Some("notes.example".to_owned()) }
}

fn code(title: &str, language: &str, code: &str) -> CodeCard {
    CodeCard {
        eyebrow: eyebrow(),
        title: (!title.is_empty()).then(|| title.to_owned()),
        language: Some(language.to_owned()),
        code: code.to_owned(),
        ..CodeCard::default()
    }
}

fn title(title: &str) -> TitleCard {
    TitleCard {
        eyebrow: eyebrow(),
        title: title.to_owned(),
        excerpt: Some("What one global lock at commit means for a table that everybody writes to.".to_owned()),
        tags: vec!["postgres".to_owned(), "queues".to_owned()],
        date: Some("21 Nov 2026".to_owned()),
        cover: None,
        code: None,
    }
}

/// One renderer for all cards of the same options, as a worker has it.
fn renderer(options: &Options) -> Arc<Renderer> {
    static KEPT: Mutex<Vec<(Options, Arc<Renderer>)>> = Mutex::new(Vec::new());
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, renderer)) = kept.iter().find(|(known, _)| known == options) {
        return Arc::clone(renderer);
    }
    let renderer = Arc::new(Renderer::new(options).unwrap());
    kept.push((options.clone(), Arc::clone(&renderer)));
    renderer
}

fn check(name: &str, options: &Options, card: &Card) {
    check_but(name, options, card, &[]);
}

/// The same for a card with characters that no face has.
fn check_but(name: &str, options: &Options, card: &Card, missing: &[char]) {
    let renderer = renderer(options);
    let image = renderer.render(card).unwrap();
    assert_eq!(image.missing, missing, "{name}: goldens use embedded faces only");
    assert_eq!(image.bytes, renderer.render(card).unwrap().bytes, "{name}: the same card gave other bytes");
    assert!(image.bytes.len() < 300_000, "{name}: {} bytes", image.bytes.len());
    if std::env::consts::ARCH == ARCHITECTURE {
        compare(name, &image.bytes);
    }
}

fn compare(name: &str, got: &[u8]) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let save = |kind: &str, bytes: &[u8]| -> PathBuf {
        let folder = root.join("target/golden");
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join(format!("{name}.{kind}.png"));
        fs::write(&path, bytes).unwrap();
        path
    };
    let Ok(wanted) = fs::read(root.join(format!("fixtures/golden/{name}.png"))) else {
        let path = save("got", got);
        panic!("{name} has no reference; look at {} and approve it with scripts/approve-golden {name}", path.display());
    };
    let (got_size, got_pixels) = decode(got);
    let (size, pixels) = decode(&wanted);
    assert_eq!(got_size, size, "{name}: the sizes differ");
    let different = got_pixels.iter().zip(&pixels).filter(|(a, b)| a != b).count();
    if different > 0 {
        let path = save("got", got);
        save("diff", &difference(size, &got_pixels, &pixels));
        panic!("{name}: {different} pixels differ from the reference; see {} and its .diff.png", path.display());
    }
}

fn decode(bytes: &[u8]) -> ((u32, u32), Vec<[u8; 3]>) {
    let mut decoder = png::Decoder::new(std::io::Cursor::new(bytes));
    decoder.set_transformations(png::Transformations::normalize_to_color8());
    let mut reader = decoder.read_info().unwrap();
    let mut buffer = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut buffer).unwrap();
    assert_eq!(info.color_type, png::ColorType::Rgb);
    ((info.width, info.height), buffer.as_chunks::<3>().0.to_vec())
}

/// What differs, bright; what does not, black.
fn difference((width, height): (u32, u32), got: &[[u8; 3]], wanted: &[[u8; 3]]) -> Vec<u8> {
    let bright =
        |a: &[u8; 3], b: &[u8; 3]| -> [u8; 3] { std::array::from_fn(|at| a[at].abs_diff(b[at]).saturating_mul(4)) };
    let pixels: Vec<u8> = got.iter().zip(wanted).flat_map(|(a, b)| bright(a, b)).collect();
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.write_header().unwrap().write_image_data(&pixels).unwrap();
    bytes
}

fn look(name: &str) -> Options {
    Options { look: name.to_owned(), ..Options::default() }
}

#[test]
fn code_that_closes() {
    let card = Card::Code(code("Pictures for every post in one statement", "sql", SQL));
    check("code-closed-night", &look("night"), &card);
}

#[test]
fn code_under_two_lines_of_title() {
    let long = "Why your queue table gets slower every hour that one analytics query stays open";
    check("code-two-lines-paper", &look("paper"), &Card::Code(code(long, "sql", SQL)));
}

#[test]
fn code_that_runs_off_the_picture() {
    let title = "Save a LiveView form and queue its social image";
    let card = CodeCard { file: Some("drops_live/form.ex".to_owned()), ..code(title, "ex", ELIXIR) };
    check("code-open-night", &look("night"), &Card::Code(card));
}

#[test]
fn code_that_runs_off_light_paper() {
    let card = CodeCard { file: Some("src/worker.rs".to_owned()), ..code("One loop, two ways to wake up", "rs", RUST) };
    check("code-open-paper", &look("paper"), &Card::Code(card));
}

#[test]
fn code_without_a_title() {
    let card = CodeCard { file: Some("drops_live/form.ex".to_owned()), ..code("", "elixir", ELIXIR) };
    check("code-untitled-night", &look("night"), &Card::Code(card));
}

#[test]
fn one_line_in_the_middle() {
    check("code-one-line-night", &look("night"), &Card::Code(code("One line", "rust", "let seen = a != b && b >= c;")));
}

#[test]
fn stressed_lines_with_numbers() {
    let card =
        CodeCard { highlights: vec![2..=2, 4..=4], line_numbers: Some(41), ..code("Four lines of SQL", "sql", SQL) };
    check("code-stressed-paper", &look("paper"), &Card::Code(card));
}

#[test]
fn a_diff() {
    check("code-diff-night", &look("night"), &Card::Code(code("Claim no more than there is room for", "diff", DIFF)));
}

#[test]
fn lines_too_wide_and_marks_for_what_deceives() {
    let text = format!("if access != \"user\u{202e} \u{2066}// check\" {{ // {}\n}}", "wide ".repeat(30));
    check("code-wide-night", &look("night"), &Card::Code(code("A line that is too wide fades out", "c", &text)));
}

#[test]
fn lines_that_go_on_in_the_next_row() {
    let text = "fn wrapped() -> &'static str {\n\tlet text = \"a line that is far too long for the window goes on below its own beginning, \
                again and again\"; // as its comment does\n\tcall(text, |one| one.to_owned(), |two| two != text)\n}";
    let title = "Wrapped where it is asked for";
    let card = CodeCard {
        wrap: true,
        tab_width: Some(2),
        line_numbers: Some(8),
        highlights: vec![2..=2],
        ..code(title, "rust", text)
    };
    check("code-wrapped-night", &look("night"), &Card::Code(card));
}

#[test]
fn wrapped_lines_that_run_off_the_picture() {
    let text = format!("one();\n{}\ntwo();\n{}", "wrapped(here, and, there); ".repeat(8), "three();\n".repeat(20));
    let card = CodeCard { wrap: true, ..code("", "c", &text) };
    check("code-wrapped-open-paper", &look("paper"), &Card::Code(card));
}

#[test]
fn lines_marked_as_added_and_removed() {
    let card = CodeCard { added: vec![4..=4], removed: vec![3..=3], ..code("Marked by hand", "sql", SQL) };
    check("code-marked-paper", &look("paper"), &Card::Code(card));
}

#[test]
fn three_short_lines_are_large() {
    check("code-few-paper", &look("paper"), &Card::Code(code("", "sh", "make demo\nmake test\nmake bench-card")));
}

#[test]
fn one_mark_for_what_no_font_has() {
    let text = "# \u{10fffd}\u{10fffc}\nprint(\"a\u{10fffd}b\") # z\u{301}\u{302}\u{303}\u{304}\u{305}\u{306}\u{307}\u{308}\n\n0";
    let card = code("Two \u{10fffd}\u{10fffc}\u{10fffd} are one mark", "python", text);
    check_but("code-missing-paper", &look("paper"), &Card::Code(card), &['\u{10fffd}', '\u{10fffc}']);
}

#[test]
fn a_short_title_is_larger_and_tags_left_out_are_counted() {
    let words = ["postgres", "queues", "listen-notify", "unicode", "rendering", "images", "workers", "rust", "sql"];
    let card = TitleCard { tags: words.map(str::to_owned).to_vec(), ..title("One short title") };
    check("title-short-paper", &look("paper"), &Card::Title(card));
}

#[test]
fn a_bundled_theme_at_twice_the_size() {
    let options = Options { theme: Some("Solarized (light)".to_owned()), scale: 2, ..look("paper") };
    check("code-theme-double", &options, &Card::Code(code("Twice the size", "rust", RUST)));
}

#[test]
fn a_title_with_everything() {
    let card = title("Postgres LISTEN/NOTIFY, and when it stops scaling");
    check("title-full-night", &look("night"), &Card::Title(card));
}

#[test]
fn a_title_alone() {
    let card = TitleCard { title: "A year of writing Elixir every day".to_owned(), ..TitleCard::default() };
    check("title-alone-paper", &look("paper"), &Card::Title(card));
}

#[test]
fn a_title_of_many_words() {
    let card = title(&"Everything that a title could say and then some more of it ".repeat(5));
    check("title-long-night", &look("night"), &Card::Title(card));
}

/// A look of one's own, from `fixtures/looks`.
fn own(path: &str) -> Options {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/looks").join(path).display().to_string();
    Options { look: path, looks: Looks::default().and_paths(), ..Options::default() }
}

#[test]
fn a_look_of_ones_own_with_avatar_and_logo() {
    let card = CodeCard {
        eyebrow: Eyebrow { author: Some("Ada Lovelace".to_owned()), site: None },
        file: Some("src/worker.rs".to_owned()),
        ..code("One loop, two ways to wake up", "rs", RUST)
    };
    check("code-house", &own("house.toml"), &Card::Code(card));
}

#[test]
fn a_title_in_a_look_of_ones_own_at_twice_the_size() {
    let options = Options { scale: 2, ..own("house.toml") };
    check("title-house-double", &options, &Card::Title(title("Postgres LISTEN/NOTIFY, and when it stops scaling")));
}

#[test]
fn a_light_theme_on_night() {
    let options = Options { theme: Some("GitHub".to_owned()), ..look("night") };
    let card = CodeCard { file: Some("src/worker.rs".to_owned()), ..code("A light window", "rs", RUST) };
    check("code-light-theme-night", &options, &Card::Code(card));
}

#[test]
fn a_theme_from_a_file() {
    let theme = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/looks/dusk.tmTheme").display().to_string();
    let options = Options { theme: Some(theme), looks: Looks::default().and_paths(), ..look("paper") };
    let card = CodeCard { file: Some("drops_live/form.ex".to_owned()), ..code("A theme from a file", "ex", ELIXIR) };
    check("code-theme-file-paper", &options, &Card::Code(card));
}

#[test]
fn other_formats_hold_the_same_picture() {
    let card = Card::Code(code("Pictures for every post in one statement", "sql", SQL));
    let draw = |format| {
        let renderer = Renderer::new(&Options { format: Some(format), ..look("night") }).unwrap();
        let image = renderer.render(&card).unwrap();
        assert_eq!(image.bytes, renderer.render(&card).unwrap().bytes, "{format}: the same card gave other bytes");
        assert_eq!((image.width, image.height, image.media_type), (1200, 630, format.media_type()));
        assert!(image.bytes.len() < 300_000, "{format}: {} bytes", image.bytes.len());
        image.bytes
    };
    let (_, png) = decode(&draw(Format::Png));
    let webp = draw(Format::WebP);
    let mut decoder = image_webp::WebPDecoder::new(std::io::Cursor::new(&webp)).unwrap();
    let mut pixels = vec![0; decoder.output_buffer_size().unwrap()];
    decoder.read_image(&mut pixels).unwrap();
    assert!(distance(&png, &pixels) < 3.0, "WebP: {}", distance(&png, &pixels));
    let pixels = zune_jpeg::JpegDecoder::new(std::io::Cursor::new(&draw(Format::Jpeg))).decode().unwrap();
    assert!(distance(&png, &pixels) < 4.0, "JPEG: {}", distance(&png, &pixels));
}

/// The mean difference of two pictures' channels.
fn distance(one: &[[u8; 3]], other: &[u8]) -> f64 {
    let one = one.as_flattened();
    assert_eq!(one.len(), other.len());
    let sum: u64 = one.iter().zip(other).map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
    sum as f64 / one.len() as f64
}

/// The options of a look in a template.
fn template(look_name: &str, template: &str) -> Options {
    let looks = Looks::new(Some(Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/templates")));
    Options { template: Some(template.to_owned()), looks, ..look(look_name) }
}

fn cover() -> Cover {
    Cover::decode(include_bytes!("../../fixtures/templates/ridges.jpg")).unwrap()
}

#[test]
fn a_template_without_a_cover() {
    let card = title("Why your queue table gets slower every hour that one query stays open");
    check("template-post", &template("night", "blog-post"), &Card::Title(card));
}

#[test]
fn a_template_with_a_cover() {
    let card = TitleCard { cover: Some(cover()), ..title("What a sequence does when a transaction rolls back") };
    let options = Options { format: Some(Format::Png), ..template("paper", "blog-post") };
    check("template-post-cover-paper", &options, &Card::Title(card));
}

#[test]
fn a_photograph_makes_a_jpeg_of_its_true_colours() {
    let card = TitleCard { cover: Some(cover()), ..title("What a sequence does when a transaction rolls back") };
    for name in ["blog-post", "field-notes"] {
        let draw = |format| {
            let renderer = Renderer::new(&Options { format, ..template("night", name) }).unwrap();
            let image = renderer.render(&Card::Title(card.clone())).unwrap();
            assert!(image.bytes.len() <= 300_000, "{name}: {} bytes", image.bytes.len());
            (image.media_type, image.extension, image.bytes)
        };
        let (media_type, extension, jpeg) = draw(None);
        assert_eq!((media_type, extension), ("image/jpeg", "jpg"));
        assert_eq!(draw(Some(Format::Jpeg)).2, jpeg);
        let (_, _, png) = draw(Some(Format::Png));
        let (_, exact) = decode(&png);
        let pixels = zune_jpeg::JpegDecoder::new(std::io::Cursor::new(&jpeg)).decode().unwrap();
        assert!(distance(&exact, &pixels) < 1.5, "{name}: {}", distance(&exact, &pixels));
        let colours: std::collections::BTreeSet<_> = exact.iter().collect();
        assert!(colours.len() > 4096, "{name}: {} colours", colours.len());
    }
    let plain = Renderer::new(&template("night", "blog-post")).unwrap().render(&Card::Title(title("None"))).unwrap();
    assert_eq!((plain.media_type, plain.extension), ("image/png", "png"));
}

#[test]
fn a_template_with_code() {
    let code = CodeCard { highlights: vec![3..=4], ..code("", "rs", RUST) };
    let card = TitleCard { code: Some(Box::new(code)), ..title("One loop, two ways to wake up") };
    check("template-code", &template("paper", "side-by-side"), &Card::Title(card));
}

#[test]
fn a_template_of_one_s_own() {
    let card = title("Reading query plans from the inside out");
    check("template-own", &template("night", "field-notes"), &Card::Title(card));
}

#[test]
fn a_template_of_one_s_own_with_a_cover() {
    let text =
        "One lock, many writers, and what a commit waits for while everybody else reads the same page of the index";
    let card = TitleCard { cover: Some(cover()), ..title(text) };
    let options = Options { format: Some(Format::Png), ..template("night", "field-notes") };
    check("template-own-cover", &options, &Card::Title(card));
}

#[test]
fn a_template_is_drawn_at_any_scale() {
    let options = Options { scale: 3, ..template("paper", "blog-post") };
    let image = Renderer::new(&options).unwrap().render(&Card::Title(title("Three times as large"))).unwrap();
    assert_eq!((image.width, image.height, image.media_type), (3600, 1890, "image/png"));
}
