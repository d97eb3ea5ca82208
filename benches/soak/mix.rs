//! The pages: what is asked for, and what has to come of it. One of each in a row that no rhythm of kills falls in with.

use std::sync::Arc;

use tintype::capture::{CaptureError, Captured, Credentials, Options, Shot, Subject, Trouble, guard::check_subject};

use super::{site::Site, yard::Yard};

/// Pages of the soak's own.
pub(crate) const PAGES: &[(&str, &str)] = &[
    ("/long", LONG),
    (
        "/inward",
        "<title>Inward</title><img src='http://169.254.169.254/latest/meta-data/'><iframe src='http://10.0.0.1/'></iframe>",
    ),
    ("/popups", "<title>Popups</title><script>for (let i = 0; i < 5; i += 1) open('/')</script>"),
    ("/hung", "<title>Hung</title><script>open('/endless')</script>"), // which shares the page's own thread
    ("/workers", WORKERS),
];

const LONG: &str = "<!doctype html><title>Long</title><style>img { display: block; width: 90px; height: 900px }</style>\
    <script>for (let i = 0; i < 6; i += 1) document.write(`<img src='/blue.svg?${i}' loading=lazy>`)</script>";

const WORKERS: &str = "<title>Workers</title><script>\
    const code = URL.createObjectURL(new Blob(['for (;;) {}'])); for (let i = 0; i < 2; i += 1) new Worker(code)</script>";

/// What has to come of a page, whatever happens to the browser meanwhile.
#[derive(Debug, Clone, Copy)]
enum Outcome {
    /// A picture, and the page's title.
    Picture(&'static str),
    /// The server's status.
    Status(u16),
    /// Its own time over.
    Late,
    /// No page.
    NoPage,
    /// The guard's no.
    Blocked,
    /// The browser's own no.
    Refused,
    /// No such name, or nobody to ask for it.
    NoHost,
}

/// A page.
#[derive(Debug)]
pub(crate) struct Case {
    /// For people.
    pub(crate) name: &'static str,
    address: Address,
    outcome: Outcome,
    /// Seconds.
    deadline: f64,
    options: fn(&mut Options),
}

#[derive(Debug)]
enum Address {
    Path(&'static str),
    Whole(&'static str),
    Html(&'static str),
}

impl Case {
    pub(crate) fn shot(&self, yard: &Yard, site: &Site) -> Shot {
        let mut options = Options { deadline: self.deadline, ..Options::default() };
        (self.options)(&mut options);
        let of = |url: &str| Subject::Address(check_subject(url).expect("it is an address of a page"));
        let subject = match self.address {
            Address::Path(path) => of(&site.url(path)),
            Address::Whole(url) => of(url),
            Address::Html(html) => Subject::Html { html: html.to_owned(), base: None },
        };
        Shot { subject, options, rules: Arc::clone(&yard.rules), credentials: Credentials::default() }
    }

    /// Whether somebody waits for a picture of it.
    pub(crate) fn is_good(&self) -> bool {
        matches!(self.outcome, Outcome::Picture(_))
    }

    /// Whether it came as it has to.
    pub(crate) fn is_right(&self, captured: &Result<Captured, CaptureError>) -> bool {
        match (self.outcome, captured.as_ref().map_err(|error| &error.trouble)) {
            (Outcome::Picture(title), Ok(captured)) => captured.title == title && !captured.image.bytes.is_empty(),
            (Outcome::Status(status), Err(Trouble::Status { status: said, .. })) => status == *said,
            (Outcome::Late, Err(Trouble::Deadline { .. }))
            | (Outcome::NoPage, Err(Trouble::NoPage { .. }))
            | (Outcome::Blocked, Err(Trouble::Blocked { .. }))
            | (Outcome::NoHost, Err(Trouble::NoSuchHost { .. } | Trouble::Unreachable { .. }))
            | (Outcome::Refused, Err(Trouble::Refused { .. })) => true,
            _ => false,
        }
    }
}

const fn page(name: &'static str, path: &'static str, outcome: Outcome) -> Case {
    Case { name, address: Address::Path(path), outcome, deadline: 30.0, options: |_| {} }
}

const fn late(name: &'static str, path: &'static str, deadline: f64) -> Case {
    Case { name, address: Address::Path(path), outcome: Outcome::Late, deadline, options: |_| {} }
}

const PLAIN: Case = page("a plain page", "/", Outcome::Picture("A plain page"));

/// The mix. Its length shares no factor with the numbers after which something happens to the browser.
pub(crate) const ALL: [Case; 31] = [
    PLAIN,
    late("an endless script", "/endless", 2.0),
    Case {
        options: |options| options.full_page = true,
        ..page("a long page, whole", "/long", Outcome::Picture("Long"))
    },
    page("a status of 404", "/status/404", Outcome::Status(404)),
    PLAIN,
    page("dialogs", "/alert", Outcome::Picture("After all")),
    page("a download", "/download", Outcome::NoPage),
    Case { address: Address::Html("<title>A text</title><h1>Text"), ..page("a text", "", Outcome::Picture("A text")) },
    late("a part that never comes", "/stalled", 1.5),
    page("a page that moved", "/moved", Outcome::Picture("A plain page")),
    page("popups", "/popups", Outcome::Picture("Popups")),
    late("a popup that hangs its opener", "/hung", 2.0),
    PLAIN,
    page("a status of 503", "/status/503", Outcome::Status(503)),
    Case { options: |options| options.dark = true, ..PLAIN },
    late("a page that never answers", "/never", 1.0),
    page("parts of the inside", "/inward", Outcome::Picture("Inward")),
    page("an empty answer", "/empty", Outcome::NoPage),
    Case {
        options: |options| options.delay = 0.5,
        ..page("a page that goes elsewhere", "/away", Outcome::Picture("A plain page"))
    },
    PLAIN,
    page("redirects without an end", "/loop", Outcome::Refused),
    Case {
        address: Address::Whole("http://169.254.169.254/latest/meta-data/"),
        ..page("an address of the inside", "", Outcome::Blocked)
    },
    Case { options: |options| options.selector = Some("#red".to_owned()), ..PLAIN },
    page("a page that nobody may leave", "/leave", Outcome::Picture("Stay")),
    page("workers without an end", "/workers", Outcome::Picture("Workers")),
    PLAIN,
    Case { address: Address::Whole("http://nowhere.invalid/"), ..page("no such host", "", Outcome::NoHost) },
    page("an error without a text", "/bare/404", Outcome::Status(404)),
    Case {
        address: Address::Html("<title>Another text</title><h1>Text"),
        ..page("a text", "", Outcome::Picture("Another text"))
    },
    Case { options: |options| options.mobile = true, ..PLAIN },
    PLAIN,
];

/// The page of a number.
pub(crate) fn case(number: usize) -> &'static Case {
    static MIX: [Case; 31] = ALL;
    &MIX[number % MIX.len()]
}
