//! Templates from the command line to the row, and what a template's file may not hold.

use std::fs;
use std::path::Path;

use tempfile::TempDir;
use tintype::card::{Card, CardError, Cover, Looks, Options, Renderer, TitleCard};

use crate::support::{
    program::tintype,
    schema::{installed, run, text, texts},
    worker::Workplace,
};

const OWN: &str = include_str!("../../fixtures/templates/field-notes.svg");
const POST: &str = "---\ntitle: A title\nauthor: Ada Lovelace\n---\n\n```rust\nfn main() {}\n// two\n```\n";
const COVER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/templates/ridges.jpg");

fn directory() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("own.svg"), OWN).unwrap();
    fs::write(folder.path().join("broken.svg"), "<svg viewBox='0 0 1200 630'>\n  <text>hi</text></svg>").unwrap();
    fs::write(folder.path().join("post.md"), POST).unwrap();
    folder
}

fn path(folder: &Path) -> String {
    folder.to_str().unwrap().to_owned()
}

/// A renderer of a template with this inside of its 1200 × 630.
fn drawing(inside: &str) -> Result<Renderer, CardError> {
    let folder = tempfile::tempdir().unwrap();
    let xlink = "xmlns:xlink='http://www.w3.org/1999/xlink'";
    let svg = format!("<svg xmlns='http://www.w3.org/2000/svg' {xlink} viewBox='0 0 1200 630'>\n{inside}</svg>");
    fs::write(folder.path().join("t.svg"), svg).unwrap();
    fs::write(folder.path().join("secret.txt"), "a secret").unwrap();
    let looks = Looks::new(Some(folder.path().to_owned()));
    Renderer::new(&Options { looks, template: Some("t".to_owned()), ..Options::default() })
}

fn refused(inside: &str) -> String {
    drawing(inside).err().map(|error| error.to_string()).unwrap_or_default()
}

fn drawn(renderer: &Renderer, card: TitleCard) -> Vec<u8> {
    renderer.render(&Card::Title(card)).unwrap().bytes
}

#[tokio::test]
async fn a_post_is_drawn_in_a_template_with_what_its_meta_tags_want() {
    let folder = directory();
    let file = |name: &str| path(&folder.path().join(name));
    let (post, own, card) = (file("post.md"), file("own.svg"), file("card.jpg"));
    let run = tintype("", &["render", &post, "--template", &own, "--cover", COVER, "--json", "-o", &card]).await;
    assert_eq!(run.code, 0, "{}", run.stderr);
    let told: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!((&told["width"], &told["height"]), (&1200.into(), &630.into()));
    assert_eq!((&told["media_type"], &told["kind"]), (&"image/jpeg".into(), &"title".into()));
    assert!(told["alt"].as_str().unwrap().starts_with("A title"));
    assert!(fs::read(&card).unwrap().starts_with(&[0xff, 0xd8]));

    let listed = tintype("", &["render", "--looks", &path(folder.path()), "--list-templates"]).await;
    assert_eq!(listed.stdout, "blog-post\nbroken\nown\n");
}

#[tokio::test]
async fn mistakes_name_file_line_and_what_to_do() {
    let folder = directory();
    let (post, broken) = (path(&folder.path().join("post.md")), path(&folder.path().join("broken.svg")));
    let run = tintype("", &["render", &post, "--template", &broken]).await;
    assert_eq!(run.code, 3, "{}", run.stderr);
    assert!(run.stderr.contains("broken.svg:2:3: text is not drawn as it stands here"), "{}", run.stderr);
    let run = tintype("", &["render", &post, "--template", "blogpost"]).await;
    assert_eq!(run.code, 2, "{}", run.stderr);
    assert!(run.stderr.contains("did you mean `blog-post`?"), "{}", run.stderr);
    let run = tintype("", &["render", &post, "--template", "blog-post", "--cover", &post]).await;
    assert!(run.stderr.contains("neither a PNG nor a JPEG nor a WebP"), "{}", run.stderr);
}

#[tokio::test]
async fn a_table_has_its_template() {
    let (test, client) = installed().await;
    run(&client, "a host", "CREATE TABLE posts (id int PRIMARY KEY, title text, body text, og_image_url text)").await;
    let folder = directory();
    let looks = path(folder.path());
    let attach = |template: &'static str| {
        let arguments = ["attach", "posts", "--looks", &looks, "--yes", "--template", template].map(str::to_owned);
        let url = test.url();
        async move { tintype(&url, &arguments.each_ref().map(String::as_str)).await }
    };
    assert_eq!(attach("./own.svg").await.code, 2);
    assert_eq!(attach("own").await.code, 0);
    assert_eq!(text(&client, "SELECT template FROM tintype.source").await, "own");
    run(&client, "a row", &format!("INSERT INTO posts VALUES (1, NULL, $${POST}$$)")).await;
    let workplace = Workplace::new(test.url());
    assert_eq!(workplace.start(&["--exit-when-idle", "--looks", &looks]).exit().await.code(), Some(0));
    assert_eq!(
        texts(&client, "SELECT concat_ws(' ', state, kind, alt) FROM tintype.image").await,
        ["ready title A title"]
    );
    assert_eq!(attach("").await.code, 0);
    assert_eq!(text(&client, "SELECT template FROM tintype.source").await, "NULL");
}

#[test]
fn nothing_outside_of_the_template_is_read() {
    for href in ["/etc/passwd", "../x.png", "file:///etc/passwd", "https://site.example/x.png", "sub/x.png"] {
        for name in ["href", "xlink:href"] {
            let error = refused(&format!("<image {name}='{href}' width='9' height='9'/>"));
            assert!(error.contains("t.svg:2:1: `") && error.contains("is not read"), "{href}: {error}");
        }
    }
    assert!(refused("<image href='secret.txt' width='9' height='9'/>").contains("neither a PNG"));
    assert!(refused("<image href='data:image/svg+xml;base64,PHN2Zy8+'/>").contains("neither a PNG"));
    assert!(refused("<filter id='f'><feImage href='/etc/passwd'/></filter>").contains("feImage"));
}

#[test]
fn what_would_take_too_long_is_refused() {
    let double = |at: u32| format!("<g id='a{at}'><use href='#a{}'/><use href='#a{}'/></g>", at - 1, at - 1);
    let doubled = (1..40).map(double).collect::<Vec<_>>().concat();
    assert!(
        refused(&format!("<defs><path id='a0' d='M0 0h9v9z'/>{doubled}</defs><use href='#a39'/>")).contains("multiply")
    );
    assert!(refused("<g id='a'><use href='#a'/></g>").contains("multiply"));
    assert!(refused("<filter id='f'><feGaussianBlur stdDeviation='5000'/></filter>").contains("120"));
    assert!(refused("<filter id='f'><feGaussianBlur stdDeviation='500&#9;500'/></filter>").contains("120"));
    assert!(refused("<rect style='filter:blur(500px)' width='9' height='9'/>").contains("not as a function"));
    assert!(refused("<style>rect { filter: url(#f) }</style>").contains("in attributes"));
    let blur = "<filter id='f'><feGaussianBlur stdDeviation='9'/></filter>";
    assert!(
        refused(&(blur.to_owned() + &"<rect filter='url(#f)' width='9' height='9'/>".repeat(2000)))
            .contains("multiply")
    );
    let tile =
        |at: u32| format!("<pattern id='p{at}'>{}</pattern>", format!("<rect fill='url(#p{})'/>", at - 1).repeat(9));
    let tiles = (1..7).map(tile).collect::<Vec<_>>().concat();
    assert!(refused(&format!("<pattern id='p0'/>{tiles}<rect fill='url(#p6)'/>")).contains("multiply"));
    assert!(refused(&"<path/>".repeat(30_000)).contains("20000 elements"));
    assert!(refused(&"<g>".repeat(100)).contains("is not an SVG that can be read"));
    assert!(refused(&("<g>".repeat(100) + &"</g>".repeat(100))).contains("deep"));
    assert!(refused(&"<rect id='tintype:title' width='9' height='9'/>".repeat(50)).contains("slots"));
    assert!(refused("<rect id='tintype:title' transform='rotate(9)' width='9' height='9'/>").contains("turned"));
}

#[test]
fn data_is_text_and_never_part_of_the_drawing() {
    let renderer = drawing("<rect id='tintype:title' x='60' y='60' width='900' height='300'/>").unwrap();
    let said = |title: &str| drawn(&renderer, TitleCard { title: title.to_owned(), ..TitleCard::default() });
    let hostile = "</svg><rect width=\"1200\" height=\"630\" fill=\"red\"/>{author} var(--title) &lt;";
    assert_ne!(said(hostile), said("a"));
    assert_eq!(said(hostile), said(hostile));
    for title in ["", "\u{202e}", "𝔘".repeat(400).as_str(), "m".repeat(5000).as_str(), "שלום עולם"] {
        said(title);
    }
}

#[test]
fn covers_of_any_shape_fill_their_place() {
    let renderer = drawing("<circle id='tintype:cover' cx='0' cy='300' r='200'/>").unwrap();
    let mut seen = Vec::new();
    for (width, height) in [(1, 1), (1, 4000), (4000, 1), (300, 200)] {
        let mut file = Vec::new();
        let mut encoder = png::Encoder::new(&mut file, width, height);
        encoder.set_color(png::ColorType::Rgb);
        encoder.write_header().unwrap().write_image_data(&[200, 30, 30].repeat((width * height) as usize)).unwrap();
        let cover = Some(Cover::decode(&file).unwrap());
        seen.push(drawn(&renderer, TitleCard { cover, ..TitleCard::default() }));
    }
    assert!(seen.windows(2).all(|pair| pair[0] == pair[1]), "one colour looks the same in any shape");
    assert!(Cover::decode(b"GIF89a").is_err());
}

#[test]
fn a_change_of_the_file_is_another_picture_for_every_row() {
    let digest = |inside: &str| drawing(inside).unwrap().template().to_owned();
    let slot = "<rect id='tintype:title' width='900' height='300'/>";
    assert_eq!(digest(slot), digest(slot));
    assert_ne!(digest(slot), digest(&slot.replace("900", "901")));
    assert_ne!(digest(slot), Renderer::new(&Options::default()).unwrap().template());
}

#[test]
fn mistakes_behind_a_colour_of_the_look_stand_where_they_are_said_to() {
    let before = "<rect fill='var(--title, #f4f5fb)' stroke='var(--muted)' width='9' height='9'/>";
    let error = refused(&format!("{before}<text>hi</text>"));
    assert!(error.contains(&format!("t.svg:2:{}: text is not drawn", before.len() + 1)), "{error}");
    let below = refused("<rect fill='var(--title,\n  #f4f5fb)' width='9' height='9'/><text>hi</text>");
    assert!(below.contains(&format!(":3:{}: text", "  #f4f5fb)' width='9' height='9'/>".len() + 1)), "{below}");
    let spaced = "<path style='fill:var(--accent-from, #000); stroke: var(--muted)' d='M0 0h90v90z'/>";
    assert!(drawing(spaced).is_ok());
}

#[tokio::test]
async fn a_template_s_path_may_be_named_where_a_row_names_its_look() {
    let (test, client) = installed().await;
    let table = "CREATE TABLE posts (id int PRIMARY KEY, title text, body text, look text, og_image_url text)";
    run(
        &client,
        "a host",
        &format!("{table}; INSERT INTO posts VALUES (1, 'One', 'Words.', 'paper'), (2, 'Two', '', './own.toml')"),
    )
    .await;
    let folder = directory();
    let (own, card) = (path(&folder.path().join("own.svg")), path(&folder.path().join("card.png")));
    let preview = async |key: &str| {
        let arguments = ["preview", "posts", key, "--look-column", "look", "--template", &own, "-o", &card];
        tintype(&test.url(), &arguments).await
    };
    preview("1").await.done();
    assert!(fs::read(&card).unwrap().starts_with(b"\x89PNG"));
    let ran = preview("2").await;
    assert!(ran.code == 2 && ran.error().contains("there is no look `./own.toml`"), "{ran:?}");
}

const WITH_CODE: &str = include_str!("../../fixtures/templates/side-by-side.svg");

#[tokio::test]
async fn code_stands_in_a_template_that_has_a_place_for_it() {
    let folder = directory();
    fs::write(folder.path().join("code.svg"), WITH_CODE).unwrap();
    let file = |name: &str| path(&folder.path().join(name));
    let (post, own, code, card) = (file("post.md"), file("own.svg"), file("code.svg"), file("card.png"));
    let render = async |template: &str, flags: &[&str]| {
        tintype("", &[&["render", &post, "--template", template, "--json", "-o", &card], flags].concat()).await
    };
    let told = async |template: &str, flags: &[&str]| -> (String, Vec<u8>) {
        let ran = render(template, flags).await;
        let told: serde_json::Value = serde_json::from_str(ran.done()).unwrap();
        (format!("{} {}", told["kind"], told["alt"]), fs::read(&card).unwrap())
    };
    let (said, whole) = told(&code, &[]).await;
    assert_eq!(said, r#""code" "Rust code: A title""#);
    assert_ne!(told(&code, &["--lines", "2"]).await.1, whole);
    assert_eq!(told(&code, &["--block", "1"]).await.1, whole);
    let (said, titled) = told(&code, &["--draw", "title"]).await;
    assert!(said.starts_with(r#""title" "A title"#) && titled != whole, "{said}");
    assert!(told(&own, &[]).await.0.starts_with(r#""title""#));
    for flags in [&["--lines", "2"][..], &["--block", "1"]] {
        let ran = render(&own, flags).await;
        assert!(ran.code == 2 && ran.error().contains("has no place for the code"), "{ran:?}");
        assert!(ran.hint().contains("tintype:code"), "{ran:?}");
    }
    assert!(told(&own, &["--lines", "2", "--draw", "code"]).await.0.starts_with(r#""code""#));
}

#[test]
fn code_fits_into_any_rectangle() {
    let lines = |count: usize| "let value = call(one, two, three); // and a comment\n".repeat(count);
    for (width, height) in [(1, 1), (40, 30), (300, 40), (60, 600), (1200, 630)] {
        for fill in ["", "fill='none'", "fill='#123456'", "fill='#fff' fill-opacity='0.5' rx='400'"] {
            let slot = format!("<rect id='tintype:code' width='{width}' height='{height}' {fill}/>");
            let renderer = drawing(&slot).unwrap();
            for (code, wrap) in
                [(lines(1), false), (lines(60), false), (lines(60), true), ("\u{202e}x".repeat(9000), true)]
            {
                let code =
                    tintype::card::CodeCard { code, wrap, language: Some("rs".to_owned()), ..Default::default() };
                drawn(&renderer, TitleCard { code: Some(Box::new(code)), ..TitleCard::default() });
            }
        }
    }
    assert!(refused("<rect id='tintype:code' data-size='4' width='9' height='9'/>").contains("between 8 and 300"));
    assert!(refused("<rect id='tintype:text' data-text='{code}' width='9' height='9'/>").contains("tintype:code"));
}
