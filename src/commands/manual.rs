//! `tintype completions` and `tintype man`: what a shell and a manual want to know, out of the flags themselves.

use std::{fs, io, path::Path};

use clap::CommandFactory;

use super::terminal::{print, say};
use crate::{
    cli::{Cli, Completions, Man},
    error::Error,
};

/// The name of the program.
const NAME: &str = "tintype";

pub(super) fn completions(flags: &Completions) {
    let mut script = Vec::new();
    clap_complete::generate(flags.shell, &mut Cli::command(), NAME, &mut script);
    print(String::from_utf8_lossy(&script).trim_end());
}

pub(super) fn man(flags: &Man) -> Result<(), Error> {
    let Some(directory) = &flags.directory else {
        let mut page = Vec::new();
        let written = clap_mangen::Man::new(Cli::command()).render(&mut page);
        written.map_err(in_file(Path::new("tintype.1")))?;
        print(String::from_utf8_lossy(&page).trim_end());
        return Ok(());
    };
    fs::create_dir_all(directory).map_err(in_file(directory))?;
    clap_mangen::generate_to(Cli::command(), directory).map_err(in_file(directory))?;
    say(&format!("wrote {}", directory.join("tintype.1").display()));
    Ok(())
}

fn in_file(path: &Path) -> impl Fn(io::Error) -> Error {
    move |error| Error::File { path: path.to_owned(), error }
}
