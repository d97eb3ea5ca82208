//! How long captures take; run by hand, with a release build: `cargo nextest run --release --run-ignored only --no-capture speed`.

use std::time::{Duration, Instant};

use super::{site::Site, yard::Yard};

/// A light page, much as a blog's.
const LIGHT: &str = "<!doctype html><title>Light</title><style>
    body { margin: 0; font: 22px sans-serif; background: linear-gradient(135deg, #fde, #def) }
    main { margin: 60px; padding: 40px; background: #fff; border-radius: 16px; box-shadow: 0 10px 40px #0003 }
    </style><main><h1>On the Analytical Engine</h1><p>It weaves algebraic patterns just as the loom weaves flowers and
    leaves, and has no pretensions whatever to originate anything.<p>Ada Lovelace</main>";

#[tokio::test]
#[ignore = "a measurement"]
async fn how_long_a_capture_takes() {
    const NUMBER: usize = 40;
    let site = Site::open(&[("/light", LIGHT)]).await;
    let yard = Yard::with(&site, |settings| (settings.captures, settings.host_captures) = (8, 8));
    let url = site.url("/light");
    for _ in 0..5 {
        yard.capture(&url, |_| {}).await.unwrap();
    }
    let mut times = Vec::new();
    for _ in 0..NUMBER {
        let started = Instant::now();
        yard.capture(&url, |_| {}).await.unwrap();
        times.push(started.elapsed());
    }
    times.sort();
    println!("one at a time: median {:?}, worst {:?}", times[NUMBER / 2], times[NUMBER - 1]);
    for at_once in [2, 4, 8] {
        let started = Instant::now();
        let one = async || {
            for _ in 0..NUMBER / at_once {
                yard.capture(&url, |_| {}).await.unwrap();
            }
        };
        futures_util::future::join_all((0..at_once).map(|_| one())).await;
        let seconds = started.elapsed().as_secs_f64();
        println!("{at_once} at once: {:.1} a second", (NUMBER / at_once * at_once) as f64 / seconds);
    }
    assert!(times[0] < Duration::from_secs(10));
    yard.close().await;
}
