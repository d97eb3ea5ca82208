//! What the runners of the Rust peers share: a request a line comes in on stdin, `COUNT FILE [OUT]`; so many pictures of the file
//! are drawn, each of a text that was never drawn before; `BYTES WIDTH HEIGHT` of the last one goes out on stdout.

use std::{
    error::Error,
    fs,
    io::{self, BufRead, Write},
    path::Path,
};

/// The number in every snippet that is counted up, so that no picture is that of a text seen before.
const COUNTED: &str = "4217";

/// Answers requests until stdin ends. `draw` makes the bytes of a PNG from a file's extension and text.
pub fn serve(mut draw: impl FnMut(&str, &str) -> Result<Vec<u8>, Box<dyn Error>>) -> Result<(), Box<dyn Error>> {
    let mut drawn = 1000_usize;
    for request in io::stdin().lock().lines() {
        let request = request?;
        let words: Vec<&str> = request.split(' ').collect();
        let [count, file, out @ ..] = words.as_slice() else { return Err("a request is COUNT FILE [OUT]".into()) };
        let extension = Path::new(file).extension().and_then(|extension| extension.to_str()).unwrap_or_default();
        let text = fs::read_to_string(file)?;
        let mut bytes = Vec::new();
        for _ in 0..count.parse::<usize>()? {
            drawn += 1;
            let text = if out.is_empty() { text.replace(COUNTED, &drawn.to_string()) } else { text.clone() };
            bytes = draw(extension, &text)?;
        }
        if let [out] = out {
            fs::write(out, &bytes)?;
        }
        let side = |at: usize| bytes.get(at..at + 4).map_or(0, |four| four.iter().fold(0_u32, |n, b| n << 8 | u32::from(*b)));
        println!("{} {} {}", bytes.len(), side(16), side(20));
        io::stdout().flush()?;
    }
    Ok(())
}
