//! What a card costs: CPU, bytes and allocations for each language when everything is warm, the tail, hostile input, two threads,
//! memory after ten thousand cards, and a whole process from its start to the finished file. `cargo bench --bench card`.

#[path = "card/hostile.rs"]
mod hostile;
#[path = "report/mod.rs"]
mod report;

use std::{
    alloc::{GlobalAlloc, Layout, System},
    fs,
    path::Path,
    process::{Command, Stdio},
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use report::{Goal, Report, quantile};
use rustix::time::{ClockId, clock_gettime};
use tintype::{
    card::{Card, CodeCard, Image, Options, Renderer},
    picture::{Draw, choose},
    post::{Fields, Post},
};
use wait4::Wait4;

/// The eight languages: what they are called, the fence, and 25 lines of each.
const SNIPPETS: [(&str, &str, &str); 8] = [
    ("Elixir", "elixir lib/tides/forecast.ex", include_str!("card/snippets/tides.ex")),
    ("Rust", "rust src/ledger.rs", include_str!("card/snippets/ledger.rs")),
    ("TypeScript", "ts cart.ts", include_str!("card/snippets/cart.ts")),
    ("Python", "python kalman.py", include_str!("card/snippets/kalman.py")),
    ("Go", "go pool.go", include_str!("card/snippets/pool.go")),
    ("SQL", "sql report.sql", include_str!("card/snippets/report.sql")),
    ("HTML", "html note.html", include_str!("card/snippets/card.html")),
    ("JSON", "json board.json", include_str!("card/snippets/board.json")),
];
/// Cards of each language that are timed.
const TIMED: usize = 200;
/// Runs of a whole process.
const PROCESSES: usize = 11;

/// Counts what is asked of the allocator.
struct Counting;

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

// SAFETY: every call goes on to the system's allocator as it came.
#[allow(unsafe_code, reason = "an allocator that counts can be written in no other way")]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

fn main() {
    // Under `cargo test --benches` everything runs once, as a proof that it runs.
    let quick = !std::env::args().any(|argument| argument == "--bench");
    let mut report = Report::default();
    processes(&mut report, if quick { 1 } else { PROCESSES });
    warm(&mut report, if quick { 1 } else { TIMED });
    hostile_posts(&mut report);
    if !quick {
        threads(&mut report);
        memory(&mut report);
    }
    report.finish("card");
}

fn renderer(look: &str) -> Renderer {
    Renderer::new(&Options { look: look.to_owned(), ..Options::default() }).expect("the look is built in")
}

/// From the Markdown of a post to the bytes of its picture, as the worker does it.
fn picture(renderer: &Renderer, body: &str) -> Option<Image> {
    let fields = Fields {
        author: Some("Ada Lovelace".to_owned()),
        site: Some("notes.example".to_owned()),
        body: body.to_owned(),
        ..Fields::default()
    };
    let card = choose(&Post::new(fields), Draw::Auto, None).ok()?;
    Some(renderer.render(&card).expect("a card is drawn"))
}

fn post(fence: &str, code: &str) -> String {
    format!("# Pictures for every post in one statement\n\nSome words before the code.\n\n```{fence}\n{code}```\n")
}

/// The CPU time of this thread so far.
fn cpu() -> Duration {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(now.tv_sec as u64, now.tv_nsec as u32)
}

/// Milliseconds of CPU that some work takes, and what comes of it.
fn timed<T>(work: impl FnOnce() -> T) -> (f64, T) {
    let start = cpu();
    let result = work();
    (cpu().saturating_sub(start).as_secs_f64() * 1e3, result)
}

/// Each language, one thread, everything warm: the languages take turns, so that noise hits all alike.
fn warm(report: &mut Report, rounds: usize) {
    let renderer = renderer("night");
    let posts: Vec<(&str, String)> = SNIPPETS.iter().map(|(name, fence, code)| (*name, post(fence, code))).collect();
    for (_, body) in posts.iter().cycle().take(posts.len() * 3) {
        picture(&renderer, body);
    }
    let mut times = vec![Vec::new(); posts.len()];
    for _ in 0..rounds {
        for ((_, body), times) in posts.iter().zip(&mut times) {
            times.push(timed(|| picture(&renderer, body)).0);
        }
    }
    let mut all = times.concat();
    let mut sizes = Vec::new();
    for ((name, body), times) in posts.iter().zip(&mut times) {
        let before = ALLOCATIONS.load(Ordering::Relaxed);
        let image = picture(&renderer, body).expect("a post with code");
        let allocations = ALLOCATIONS.load(Ordering::Relaxed) - before;
        let case = format!("warm, {name}");
        report.add(&case, "CPU, median", quantile(times, 0.5), "ms", Goal::None);
        report.add(&case, "bytes", kilobytes(&image), "KB", Goal::None);
        report.add(&case, "allocations", allocations as f64, "", Goal::None);
        sizes.push(kilobytes(&image));
    }
    report.add("warm, all eight", "CPU, median", quantile(&mut all, 0.5), "ms", Goal::AtMost(2.5));
    report.add("warm, all eight", "CPU, mean", all.iter().sum::<f64>() / all.len() as f64, "ms", Goal::None);
    report.add("warm, all eight", "CPU, p99", quantile(&mut all, 0.99), "ms", Goal::AtMost(5.0));
    report.add("warm, all eight", "bytes, median", quantile(&mut sizes, 0.5), "KB", Goal::AtMost(50.0));
    let mut sizes: Vec<f64> =
        fixtures().iter().filter_map(|body| picture(&renderer, body)).map(|image| kilobytes(&image)).collect();
    report.add("fixtures", "bytes, median", quantile(&mut sizes, 0.5), "KB", Goal::AtMost(50.0));
    report.add("fixtures", "bytes, largest", quantile(&mut sizes, 1.0), "KB", Goal::AtMost(100.0));
}

fn kilobytes(image: &Image) -> f64 {
    image.bytes.len() as f64 / 1024.0
}

/// The posts of the test fixtures.
fn fixtures() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/posts");
    let mut files: Vec<_> = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    files.sort();
    files.iter().filter_map(|file| fs::read_to_string(file).ok()).collect()
}

/// The worst of the hostile posts, warm: fonts are open and grammars unpacked, as in a worker.
fn hostile_posts(report: &mut Report) {
    let renderer = renderer("night");
    for (name, body) in hostile::posts() {
        picture(&renderer, &body);
        let mut times: Vec<f64> = (0..3).map(|_| timed(|| picture(&renderer, &body)).0).collect();
        let case = format!("hostile, {name}");
        report.add(&case, "CPU, median of 3", quantile(&mut times, 0.5), "ms", Goal::AtMost(40.0));
    }
}

/// Cards a second with one thread and with two, in turns.
fn threads(report: &mut Report) {
    let renderer = renderer("night");
    let posts: Vec<String> = SNIPPETS.iter().map(|(_, fence, code)| post(fence, code)).collect();
    let drawn = |threads: usize| {
        let (start, count) = (Instant::now(), 400);
        std::thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| (0..count).for_each(|at| drop(picture(&renderer, &posts[at % posts.len()]))));
            }
        });
        (threads * count) as f64 / start.elapsed().as_secs_f64()
    };
    drawn(2);
    let pairs: Vec<(f64, f64)> = (0..7).map(|_| (drawn(1), drawn(2))).collect();
    report.add("one thread", "cards a second, median", middle(pairs.iter().map(|p| p.0)), "", Goal::None);
    report.add("two threads", "cards a second, median", middle(pairs.iter().map(|p| p.1)), "", Goal::None);
    let ratio = middle(pairs.iter().map(|(one, two)| two / one));
    report.add("two threads", "times one, median of 7 pairs", ratio, "×", Goal::AtLeast(1.8));
}

fn middle(values: impl Iterator<Item = f64>) -> f64 {
    quantile(&mut values.collect::<Vec<_>>(), 0.5)
}

/// Resident memory after ten thousand different cards of every language that there is.
fn memory(report: &mut Report) {
    let renderer = renderer("paper");
    let languages = tintype::card::languages();
    for at in 0..10_000 {
        let (_, _, code) = SNIPPETS[at % SNIPPETS.len()];
        let card = CodeCard {
            title: Some(format!("Card number {at}")),
            language: Some(languages[at % languages.len()].clone()),
            code: format!("{}\n{at}", code.lines().take(4 + at % 22).collect::<Vec<_>>().join("\n")),
            ..CodeCard::default()
        };
        renderer.render(&Card::Code(card)).expect("a card is drawn");
    }
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let of = |field: &str| {
        let line = status.lines().find(|line| line.starts_with(field)).unwrap_or_default();
        line.split_whitespace().nth(1).and_then(|kb| kb.parse::<f64>().ok()).unwrap_or(f64::NAN) / 1024.0
    };
    report.add("10,000 cards, all languages", "resident", of("VmRSS"), "MB", Goal::AtMost(100.0));
}

/// `tintype render` as a whole process: its start to the finished file.
fn processes(report: &mut Report, runs: usize) {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, fence, code) in SNIPPETS {
        let (input, output) = (folder.path().join("post.md"), folder.path().join("card.png"));
        fs::write(&input, post(fence, code)).expect("the post is written");
        let (mut wall, mut cpu, mut peak) = (Vec::new(), Vec::new(), 0.0_f64);
        for _ in 0..runs {
            let start = Instant::now();
            let mut command = Command::new(env!("CARGO_BIN_EXE_tintype"));
            command.arg("render").arg(&input).arg("-o").arg(&output).stderr(Stdio::null());
            let used = command.spawn().and_then(|mut child| child.wait4()).expect("tintype runs");
            wall.push(start.elapsed().as_secs_f64() * 1e3);
            cpu.push((used.rusage.utime + used.rusage.stime).as_secs_f64() * 1e3);
            peak = peak.max(used.rusage.maxrss as f64 / 1024.0 / 1024.0);
            assert!(used.status.success(), "tintype render failed");
        }
        let case = format!("process, {name}");
        report.add(&case, "wall, median", quantile(&mut wall, 0.5), "ms", Goal::AtMost(40.0));
        report.add(&case, "CPU, median", quantile(&mut cpu, 0.5), "ms", Goal::None);
        report.add(&case, "peak memory", peak, "MB", Goal::AtMost(40.0));
    }
}
