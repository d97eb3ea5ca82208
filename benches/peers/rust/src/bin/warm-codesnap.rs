//! codesnap through its library, with the theme that its program starts with; the first argument is the scale. Requests as `lib.rs` says.

use std::error::Error;

use codesnap::config::{CodeBuilder, CodeSnap, Content};

fn main() -> Result<(), Box<dyn Error>> {
    let scale: u8 = std::env::args().nth(1).unwrap_or_default().parse()?;
    tintype_peers::serve(|extension, text| {
        let code = CodeBuilder::default().content(text).file_path(format!("snippet.{extension}")).build()?;
        let mut snap = CodeSnap::from_default_theme()?;
        let config = snap.content(Content::Code(code)).scale_factor(scale).build()?;
        let mut bytes = Vec::new();
        config.write_png(&mut bytes)?;
        Ok(bytes)
    })
}
