//! tintype's runner in `make bench-peers`: a request a line comes in on stdin, `COUNT FILE [OUT]`; so many cards of the source
//! file are drawn, each of a text that was never drawn before; `BYTES WIDTH HEIGHT` of the last one goes out on stdout.

use std::{
    error::Error,
    fs,
    io::{self, BufRead, Write},
};

use tintype::{
    card::{Image, Options, Renderer},
    picture::{self, Draw},
    post::Post,
};

/// The number in every snippet that is counted up, so that no card is that of a text seen before.
const COUNTED: &str = "4217";

fn main() -> Result<(), Box<dyn Error>> {
    let renderer = Renderer::new(&Options::default())?;
    let mut drawn = 1000_usize;
    for request in io::stdin().lock().lines() {
        let request = request?;
        let words: Vec<&str> = request.split(' ').collect();
        let [count, file, out @ ..] = words.as_slice() else { return Err("a request is COUNT FILE [OUT]".into()) };
        let text = fs::read_to_string(file)?;
        let mut last = None;
        for _ in 0..count.parse::<usize>()? {
            drawn += 1;
            let text = if out.is_empty() { text.replace(COUNTED, &drawn.to_string()) } else { text.clone() };
            last = Some(draw(&renderer, file, &text)?);
        }
        let image = last.ok_or("the count is 0")?;
        if let [out] = out {
            fs::write(out, &image.bytes)?;
        }
        println!("{} {} {}", image.bytes.len(), image.width, image.height);
        io::stdout().flush()?;
    }
    Ok(())
}

fn draw(renderer: &Renderer, file: &str, text: &str) -> Result<Image, Box<dyn Error>> {
    let post = Post {
        title: Some("What the code says".to_owned()),
        author: Some("Ada Lovelace".to_owned()),
        site: Some("blog.example".to_owned()),
        ..Post::from_source(file, text)
    };
    Ok(renderer.render(&picture::choose(&post, Draw::Code, None)?)?)
}
