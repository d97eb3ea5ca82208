//! Bytes become a post: the first chooses look and what is drawn, the rest is its body.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tintype_fuzz::{
    card::language_name,
    picture::{Draw, alt_text, choose},
    post::{Fields, Post},
};

fuzz_target!(init: tintype_fuzz::prepare(), |data: &[u8]| {
    let Some((first, body)) = data.split_first() else { return };
    let draw = [Draw::Auto, Draw::Code, Draw::Title, Draw::Auto][usize::from(first >> 1 & 3)];
    tintype_fuzz::hold(data, usize::from(first & 1), || {
        let body = String::from_utf8_lossy(body).into_owned();
        let card = choose(&Post::new(Fields { body, ..Fields::default() }), draw, None).ok()?;
        assert!((1..=400).contains(&alt_text(&card, language_name).chars().count()));
        Some(card)
    });
});
