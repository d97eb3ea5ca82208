//! Options, by the pixels and the words of the pages that they make.

use tintype::capture::{Captured, Clip, Options, PageFormat, ResourceKind, WaitUntil};

use super::{
    site::Site,
    yard::{Yard, pixel, pixels},
};

const RED: [u8; 3] = [255, 0, 0];
const BLUE: [u8; 3] = [0, 0, 255];
const GREEN: [u8; 3] = [0, 128, 0];
const WHITE: [u8; 3] = [255, 255, 255];

/// A long page: a green bar that stays at the window's top, one of the same height as the window, a blue picture far below that is
/// loaded late, and another that a script loads when it comes near.
const LONG: &str = "<!doctype html><style>
    body { margin: 0; height: 4000px; position: relative }
    #bar { position: sticky; top: 0; height: 50px; background: green }
    #fixed { position: fixed; bottom: 0; left: 600px; width: 100px; height: 30px; background: red }
    #tall { height: 100vh; width: 10px; background: red; position: absolute; left: 1100px; top: 100px }
    img { position: absolute; left: 200px; width: 100px; height: 100px }
    </style><div id=bar></div><div id=fixed></div><div id=tall></div>
    <img style='top: 3000px' loading=lazy src=/blue.svg><img style='top: 3500px' id=watched>
    <script>new IntersectionObserver((seen) => {
        if (seen.some((one) => one.isIntersecting)) watched.src = '/blue.svg?watched';
    }).observe(watched)</script>";

/// Captures one page with options.
async fn captured(page: &'static str, change: impl FnOnce(&mut Options)) -> Captured {
    let site = Site::open(&[("/page", page)]).await;
    let yard = Yard::open(&site);
    let captured = yard.capture(&site.url("/page"), change).await.unwrap();
    yard.close().await;
    captured
}

#[tokio::test]
async fn a_full_page_has_its_late_pictures_and_its_bar_once() {
    let picture = captured(LONG, |options| options.full_page = true).await;
    assert_eq!((picture.image.width, picture.image.height, picture.cut_from), (1200, 4000, None));
    assert_eq!((pixel(&picture, 5, 20), pixel(&picture, 5, 60)), (GREEN, WHITE));
    assert_eq!((pixel(&picture, 250, 3050), pixel(&picture, 250, 3550)), (BLUE, BLUE));
    let pixels = pixels(&picture);
    let count = |x: usize, colour| (0..4000).filter(|y| pixels[y * 1200 + x] == colour).count();
    assert_eq!(count(5, GREEN), 50);
    assert_eq!(count(650, RED), 30);
    assert_eq!(count(1105, RED), 630, "what is as high as the window stays so");
}

#[tokio::test]
async fn a_page_that_is_too_high_is_cut_and_told() {
    let cut = |options: &mut Options| (options.full_page, options.max_height, options.scale) = (true, 1000, 2.0);
    let picture = captured(LONG, cut).await;
    assert_eq!((picture.image.width, picture.image.height, picture.cut_from), (2400, 2000, Some(4000)));
}

#[tokio::test]
async fn scale_element_and_clip() {
    const PAGE: &str =
        "<!doctype html><style>body { margin: 0 } div { position: absolute; width: 40px; height: 30px }</style>
        <div style='left: 300.5px; top: 2000px; background: blue'></div>
        <div id=here style='left: 100px; top: 3000px; background: red'></div>";
    let site = Site::open(&[("/page", PAGE)]).await;
    let yard = Yard::open(&site);
    let take = async |change: fn(&mut Options)| yard.capture(&site.url("/page"), change).await.unwrap();
    let plain = yard.capture(&site.url("/"), |options| options.scale = 2.0).await.unwrap();
    assert_eq!((plain.image.width, plain.image.height), (2400, 1260));
    assert_eq!((pixel(&plain, 199, 199), pixel(&plain, 200, 199)), (RED, WHITE));
    let element = take(|options| (options.selector, options.scale) = (Some("#here".into()), 2.0)).await;
    assert_eq!((element.image.width, element.image.height), (80, 60));
    assert!([(0, 0), (79, 0), (0, 59), (79, 59)].iter().all(|(x, y)| pixel(&element, *x, *y) == RED));
    let clip = Clip { x: 290.0, y: 1990.0, width: 100.0, height: 50.0 };
    let part = yard.capture(&site.url("/page"), |options| options.clip = Some(clip)).await.unwrap();
    assert_eq!((part.image.width, part.image.height), (100, 50));
    assert_eq!((pixel(&part, 5, 5), pixel(&part, 20, 20)), (WHITE, BLUE));
    yard.close().await;
}

#[tokio::test]
async fn a_visitor_who_likes_it_dark() {
    const PAGE: &str = "<style>@media (prefers-color-scheme: dark) { body { background: blue } }</style>";
    assert_eq!(pixel(&captured(PAGE, |options| options.dark = true).await, 600, 300), BLUE);
    assert_eq!(pixel(&captured(PAGE, |_| {}).await, 600, 300), WHITE);
}

#[tokio::test]
async fn a_visitor_from_elsewhere_with_a_telephone() {
    const PAGE: &str = "<meta name=viewport content='width=device-width'><title></title><script>
        const zone = new Intl.DateTimeFormat().resolvedOptions().timeZone;
        const touch = matchMedia('(pointer: coarse)').matches;
        document.title = [zone, navigator.language, (1.5).toLocaleString(), innerWidth, touch,
            navigator.userAgent.includes('Mobile')].join(' ');
    </script>";
    let site = Site::open(&[("/page", PAGE)]).await;
    let yard = Yard::open(&site);
    let change = |options: &mut Options| {
        (options.locale, options.time_zone) = (Some("de-DE".into()), Some("Asia/Tokyo".into()));
        (options.mobile, options.width, options.height) = (true, 390, 844);
    };
    let picture = yard.capture(&site.url("/page"), change).await.unwrap();
    assert_eq!(picture.title, "Asia/Tokyo de-DE 1,5 390 true true");
    assert_eq!((picture.image.width, picture.image.height), (390, 844));
    assert!(site.headers("/page").iter().any(|header| header.starts_with("accept-language: de-DE")));
    let named = |options: &mut Options| options.user_agent = Some("tintype/1".into());
    yard.capture(&site.url("/page"), named).await.unwrap();
    assert!(site.headers("/page").contains(&"user-agent: tintype/1".to_owned()));
    yard.close().await;
}

#[tokio::test]
async fn waiting_for_what_comes_late() {
    const PAGE: &str = "<body style='margin: 0'><script>setTimeout(() => {
        document.body.innerHTML = '<div id=late style=\"width: 100px; height: 100px; background: red\"></div>';
    }, 400)</script>";
    const ASKS: &str = "<body><script>onload = () => fetch('/').then(() => fetch('/')).then(() => {
        document.body.style.background = 'red';
    })</script>";
    let site = Site::open(&[("/page", PAGE), ("/asks", ASKS)]).await;
    let yard = Yard::open(&site);
    let take = async |path: &str, change: fn(&mut Options)| yard.capture(&site.url(path), change).await.unwrap();
    assert_eq!(pixel(&take("/page", |options| options.wait_for = Some("#late".into())).await, 50, 50), RED);
    assert_eq!(pixel(&take("/page", |options| options.delay = 0.8).await, 50, 50), RED);
    assert_eq!(pixel(&take("/asks", |options| options.wait_until = WaitUntil::Idle).await, 50, 50), RED);
    let early = |options: &mut Options| (options.wait_until, options.deadline) = (WaitUntil::Dom, 20.0);
    assert!(yard.capture(&site.url("/stalled"), early).await.is_ok(), "its text is there");
    yard.close().await;
}

#[tokio::test]
async fn what_is_hidden_clicked_and_styled() {
    const PAGE: &str = "<!doctype html><meta http-equiv=Content-Security-Policy content=\"style-src 'nonce-a'; script-src 'nonce-a'\">
        <style nonce=a>body { margin: 0 } div { width: 100px; height: 100px } #a { background: red } #b { background: blue }</style>
        <div id=a></div><div id=b></div><button id=ok>OK</button>
        <script nonce=a>document.getElementById('ok').onclick = () => { document.title = 'Agreed' }</script>";
    let change = |options: &mut Options| {
        options.hide = vec!["#a".into(), ".absent".into()];
        options.click = vec!["#ok".into(), "#absent".into()];
        options.css = Some("#b { background: green !important }".into());
        options.expect_selector = Some("#a".into());
    };
    let picture = captured(PAGE, change).await;
    assert_eq!((pixel(&picture, 50, 50), picture.title.as_str()), (GREEN, "Agreed"));
}

#[tokio::test]
async fn what_is_not_loaded() {
    const PAGE: &str = "<style>body { margin: 0 } img { display: block; width: 100px; height: 100px }</style>
        <img src=/blue.svg><img src=/ads/blue.svg><iframe src=/></iframe>";
    let site = Site::open(&[("/page", PAGE)]).await;
    let mut list = tintype::capture::BlockList::small();
    assert_eq!(list.add("/ads/*$image\n"), 1);
    let yard = Yard::with(&site, |settings| settings.block_list = std::sync::Arc::new(list));
    let picture = yard.capture(&site.url("/page"), |options| options.block_ads = true).await.unwrap();
    assert_eq!((pixel(&picture, 50, 50), site.asked("/blue.svg")), (BLUE, 1));
    assert_eq!((site.asked("/ads/blue.svg"), site.asked("/")), (0, 1));
    let kinds = |options: &mut Options| options.block_types = vec![ResourceKind::Image, ResourceKind::Frame];
    let picture = yard.capture(&site.url("/page"), kinds).await.unwrap();
    assert_ne!(pixel(&picture, 50, 50), BLUE);
    assert_eq!((site.asked("/blue.svg"), site.asked("/")), (1, 1));
    yard.close().await;
}

#[tokio::test]
async fn headers_go_to_the_page_s_own_origin_alone() {
    let other = Site::open(&[]).await;
    let page = format!(
        "<img src=/blue.svg><img src='{}'><iframe src='{}'></iframe><iframe src='{}'></iframe>",
        other.url("/blue.svg"),
        other.url("/"),
        other.url("/").replace("127.0.0.1", "localhost"),
    );
    let site = Site::open(&[("/page", page.leak())]).await;
    let mut yard = Yard::open(&site);
    yard.allow(&[&other.address.to_string(), &format!("localhost:{}", other.address.port())]);
    let mut shot = yard.shot(&site.url("/page"), |_| {});
    shot.credentials.headers = vec![("Authorization".into(), "Basic abc".into()), ("X-Preview".into(), "1".into())];
    yard.chrome.capture(&shot).await.unwrap();
    for path in ["/page", "/blue.svg"] {
        let headers = site.headers(path);
        assert!(headers.contains(&"authorization: Basic abc".to_owned()), "{path}: {headers:?}");
        assert!(headers.contains(&"x-preview: 1".to_owned()), "{path}: {headers:?}");
    }
    assert_eq!((other.asked("/blue.svg"), other.asked("/")), (1, 2));
    for path in ["/", "/blue.svg"] {
        assert!(!other.headers(path).iter().any(|header| header.starts_with("x-preview")), "{path}");
    }
    yard.close().await;
}

#[tokio::test]
async fn headers_do_not_travel_with_a_redirect() {
    let other = Site::open(&[]).await;
    let page = format!("<img src='/to/{0}/blue.svg'><iframe src='/to/{0}/moved'></iframe>", other.address);
    let site = Site::open(&[("/page", page.leak())]).await;
    let mut yard = Yard::open(&site);
    yard.allow(&[&other.address.to_string()]);
    let secrets = [("Authorization", "Bearer abc"), ("X-Preview", "1"), ("Cookie", "session=abc")];
    let own = format!("/to/{}/", other.address);
    for path in ["/page", own.as_str()] {
        let mut shot = yard.shot(&site.url(path), |_| {});
        shot.credentials.headers = secrets.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        yard.chrome.capture(&shot).await.unwrap();
        let headers = site.headers(path);
        for (name, value) in secrets {
            assert!(headers.contains(&format!("{}: {value}", name.to_lowercase())), "{path}: {headers:?}");
        }
    }
    assert!(other.asked("/blue.svg") == 1 && other.asked("/moved") == 1 && other.asked("/") >= 1);
    for path in ["/blue.svg", "/moved", "/"] {
        let told = other.headers(path);
        let secret =
            |header: &&String| ["authorization:", "x-preview:", "cookie:"].iter().any(|name| header.starts_with(name));
        assert_eq!(told.iter().find(secret), None, "{path}");
    }
    yard.close().await;
}

#[tokio::test]
async fn web_sockets_are_blocked_as_all_else() {
    const PAGE: &str = "<title>Sockets</title><script>
        const open = (from) => new Promise((done) => { from.onerror = from.onclose = done });
        const code = new Blob([`const socket = new WebSocket('ws://${location.host}/socket'); socket.onerror = () => postMessage(0)`]);
        const worker = new Worker(URL.createObjectURL(code));
        Promise.all([open(new WebSocket(`ws://${location.host}/socket`)), new Promise((done) => { worker.onmessage = done })])
            .then(() => { document.body.id = 'done' });
    </script><body>";
    let site = Site::open(&[("/page", PAGE)]).await;
    let mut list = tintype::capture::BlockList::small();
    list.add("||127.0.0.1^$websocket\n");
    let yard = Yard::with(&site, |settings| settings.block_list = std::sync::Arc::new(list));
    let take = async |change: fn(&mut Options)| {
        let waiting = |options: &mut Options| {
            options.wait_for = Some("#done".to_owned());
            options.css = Some("body { height: 9px }".to_owned());
            change(options);
        };
        yard.capture(&site.url("/page"), waiting).await.unwrap();
        site.asked("/socket")
    };
    assert_eq!(take(|_| {}).await, 2, "two are opened");
    assert_eq!(take(|options| options.block_ads = true).await, 2);
    assert_eq!(take(|options| options.block_types = vec![ResourceKind::Websocket]).await, 2);
    assert_eq!(take(|options| options.block_types = vec![ResourceKind::Font]).await, 4);
    yard.close().await;
}

#[tokio::test]
async fn formats() {
    const NOISE: &str = "<body style='margin: 0'><canvas id=noise width=1200 height=630></canvas><script>
        const context = noise.getContext('2d'), image = context.createImageData(1200, 630);
        for (let i = 0, at = 1; i < image.data.length; i++) {
            at ^= at << 13, at ^= at >>> 17, at ^= at << 5;
            image.data[i] = i % 4 == 3 ? 255 : 100 + (at & 31);
        }
        context.putImageData(image, 0, 0);
    </script>";
    let site = Site::open(&[("/noise", NOISE)]).await;
    let yard = Yard::open(&site);
    for (path, format, start, kind) in [
        ("/", None, &b"\x89PNG"[..], "image/png"),
        ("/noise", None, b"\xff\xd8\xff", "image/jpeg"),
        ("/noise", Some(PageFormat::Png), b"\x89PNG", "image/png"),
        ("/", Some(PageFormat::Jpeg), b"\xff\xd8\xff", "image/jpeg"),
        ("/", Some(PageFormat::WebP), b"RIFF", "image/webp"),
        ("/", Some(PageFormat::Pdf), b"%PDF", "application/pdf"),
    ] {
        let picture = yard.capture(&site.url(path), |options| options.format = format).await.unwrap();
        assert!(picture.image.bytes.starts_with(start), "{path} {format:?}");
        assert_eq!(picture.image.media_type, kind, "{path} {format:?}");
        if format.is_none() {
            assert!(picture.image.bytes.len() <= 300_000, "{path}: {} bytes", picture.image.bytes.len());
        }
    }
    yard.close().await;
}

#[tokio::test]
async fn html_is_captured_as_a_page_of_its_base() {
    use tintype::capture::{Credentials, Shot, Subject};
    let site = Site::open(&[]).await;
    let yard = Yard::open(&site);
    let html = "<title>Mine</title><body style='margin: 0'><img src=/blue.svg width=100 height=100>".to_owned();
    let subject = Subject::Html { html, base: Some(site.url("/").parse().unwrap()) };
    let shot =
        Shot { subject, options: Options::default(), rules: yard.rules.clone(), credentials: Credentials::default() };
    let picture = yard.chrome.capture(&shot).await.unwrap();
    assert_eq!((picture.title.as_str(), pixel(&picture, 50, 50)), ("Mine", BLUE));
    yard.close().await;
}

/// What a text loads late is waited for; that the page was idle before the text was there says nothing.
#[tokio::test]
async fn a_text_is_idle_when_its_own_requests_are_done() {
    use tintype::capture::Subject;
    const LATE: &str = "<title>Early</title><body><script>setTimeout(() => {
        const image = new Image();
        image.onload = () => { document.title = 'Late' };
        image.src = '/blue.svg';
        document.body.append(image);
    }, 200)</script>";
    let site = Site::open(&[]).await;
    let yard = Yard::open(&site);
    let mut shot = yard.shot(&site.url("/"), |options| options.wait_until = WaitUntil::Idle);
    shot.subject = Subject::Html { html: LATE.to_owned(), base: Some(site.url("/").parse().unwrap()) };
    for _ in 0..4 {
        assert_eq!(yard.chrome.capture(&shot).await.unwrap().title, "Late");
    }
    yard.close().await;
}

#[tokio::test]
async fn pictures_that_are_decoded_late_are_there() {
    const GRID: &str = "<style>body { margin: 0 } img { float: left; width: 300px; height: 157px }</style>
        <script>for (let i = 0; i < 16; i += 1) document.write(`<img decoding=async src='/large.png?${i}'>`)</script>";
    let site = Site::open(&[("/page", GRID)]).await;
    let yard = Yard::open(&site);
    for _ in 0..3 {
        let picture = yard.capture(&site.url("/page"), |_| {}).await.unwrap();
        let tiles = (0..16).map(|at| pixel(&picture, 300 * (at % 4) + 150, 157 * (at / 4) + 150));
        assert_eq!(tiles.filter(|tile| *tile == WHITE).count(), 0);
    }
    yard.close().await;
}

#[tokio::test]
async fn what_cannot_be_a_picture_is_told() {
    const PAGE: &str = "<title>Half \u{1f600}</title><script>document.title = 'Half \\ud83d'</script><style>body { margin: 0; height: 30000px }
        div { position: absolute; background: red; height: 40px } #fine { top: 10.3px; left: 20.4px; width: 100px }
        #off { left: -900px; width: 100px } #wide { width: 30000px }</style>
        <div id=fine></div><div id=off></div><div id=wide></div>";
    let site = Site::open(&[("/page", PAGE)]).await;
    let yard = Yard::open(&site);
    let url = site.url("/page");
    let element = async |id: &str| yard.capture(&url, |options| options.selector = Some(format!("#{id}"))).await;
    let fine = element("fine").await.unwrap();
    assert_eq!((fine.image.width, fine.image.height, pixel(&fine, 99, 39)), (100, 40, RED));
    assert_eq!(fine.title, "Half \u{fffd}");
    for (id, said) in [("off", "outside the page"), ("wide", "30000 pixels wide")] {
        let trouble = element(id).await.unwrap_err().trouble;
        assert!(trouble.is_permanent() && trouble.to_string().contains(said), "{trouble}");
    }
    let clip = Clip { x: 0.0, y: 40_000.0, width: 10.0, height: 10.0 };
    let trouble = yard.capture(&url, |options| options.clip = Some(clip)).await.unwrap_err().trouble;
    assert!(trouble.to_string().contains("the clip is outside the page"), "{trouble}");
    let high = yard.capture(&url, |options| {
        (options.full_page, options.max_height, options.format) = (true, 20_000, Some(PageFormat::WebP));
    });
    let trouble = high.await.unwrap_err().trouble;
    assert!(trouble.to_string().contains("a WebP of 1200 × 20000 pixels"), "{trouble}");
    let pdf = yard.capture(&url, |options| {
        (options.selector, options.format) = (Some("#fine".to_owned()), Some(PageFormat::Pdf));
    });
    assert!(pdf.await.unwrap_err().trouble.is_permanent());
    yard.close().await;
}

/// Who is within our page, or where it went to, asks our server in the reader's name and not in ours.
#[tokio::test]
async fn headers_do_not_go_along_with_what_strangers_ask() {
    const STRANGER: &str = "<title>Stranger</title><script>const own = location.hash.slice(1);
        new Image().src = own + '/ads/blue.svg'; fetch(own + '/delete', { method: 'POST', mode: 'no-cors' })</script>";
    const BACK: &str = "<title>Back</title><script>const [own, path] = decodeURI(location.hash.slice(1)).split(' ');
        setTimeout(() => location = own + path, 50);
        setInterval(() => fetch(own + '/delete', { method: 'POST', mode: 'no-cors' }), 5)</script>";
    let stranger = Site::open(&[("/stranger", STRANGER), ("/back", BACK)]).await;
    let frame = "<script>document.write(`<iframe src='http://STRANGER/stranger#${location.origin}'></iframe>`)</script><img src=/blue.svg>";
    let frame = frame.replace("STRANGER", &stranger.address.to_string());
    let site = Site::open(&[("/page", frame.leak())]).await;
    let mut yard = Yard::open(&site);
    yard.allow(&[&stranger.address.to_string()]);
    let moved = format!("/to/{}/stranger", stranger.address);
    for (asked, path) in [(1, "/page"), (2, moved.as_str())] {
        let url = site.url(&format!("{path}#http://{}", site.address));
        let mut shot = yard.shot(&url, |options| options.wait_until = WaitUntil::Idle);
        shot.credentials.headers = vec![("X-Preview".into(), "1".into())];
        yard.chrome.capture(&shot).await.unwrap();
        let has = |path: &str| site.headers(path).contains(&"x-preview: 1".to_owned());
        assert_eq!((site.asked("/ads/blue.svg"), site.asked("/delete")), (asked, asked), "{path}");
        assert!(has(path) && has("/blue.svg") && !has("/ads/blue.svg") && !has("/delete"), "{path}");
    }
    // Nor where his page asks to go to an own address that leaves it where it is.
    for path in ["/empty", "/download", "/never"] {
        let back = format!("/to/{}/back", stranger.address);
        let shot_of = site.url(&format!("{back}#http://{} {path}", site.address));
        let mut shot = yard.shot(&shot_of, |options| options.delay = 1.0);
        shot.credentials.headers = vec![("X-Preview".into(), "1".into())];
        let before = site.asked("/delete");
        let _ = yard.chrome.capture(&shot).await; // of a download there may be no picture
        assert!(site.asked("/delete") > before, "{path}");
        assert!(!site.headers("/delete").contains(&"x-preview: 1".to_owned()), "{path}");
    }
    yard.close().await;
}
