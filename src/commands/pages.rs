//! The flags about pages as a source keeps them, and what a worker has for pages.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::{Context, capture::rectangle};
use crate::{
    card::Looks,
    cli::{BrowserFlags, Pages},
    error::Error,
    page::{self, Gallery},
};

/// `--capture` and `--auth` as one object; `None` where neither is there.
pub(super) fn options(flags: &Pages) -> Result<Option<Value>, Error> {
    if flags.capture.is_empty() && flags.auth.is_empty() {
        return Ok(None);
    }
    let mut options = Map::new();
    for words in flags.capture.iter().filter(|words| !words.is_empty()) {
        let (name, value) = words.split_once('=').ok_or_else(|| Error::Usage {
            what: format!("--capture: there is no = in `{words}`"),
            hint: "write --capture width=800, with the names of tintype capture's flags".to_owned(),
        })?;
        let name = name.trim().replace('-', "_");
        let name = if name == "block_type" { "block_types" } else { &name };
        add(&mut options, name, read(name, value.trim()));
    }
    if !flags.auth.is_empty() {
        let ways = flags.auth.iter().filter(|words| !words.is_empty()); // '' alone takes all back
        options.insert("auth".to_owned(), ways.cloned().map(Value::from).collect());
    }
    let options = Value::Object(options);
    page::check_options(&options).map_err(|error| Error::Usage {
        what: error.to_string(),
        hint: "tintype capture --help lists the flags, tintype attach --help the ways in".to_owned(),
    })?;
    Ok(Some(options))
}

/// A number, `true`, a list, an object, a rectangle as the flag `--clip` has it, or a text.
fn read(name: &str, value: &str) -> Value {
    if let ("clip", Ok(clip)) = (name, rectangle(value)) {
        return serde_json::json!({ "x": clip.x, "y": clip.y, "width": clip.width, "height": clip.height });
    }
    serde_json::from_str(value).unwrap_or_else(|_| Value::from(value))
}

/// What may be given several times is a list.
fn add(options: &mut Map<String, Value>, name: &str, value: Value) {
    let is_list = ["hide", "click", "block_types"].contains(&name);
    match options.get_mut(name).and_then(Value::as_array_mut) {
        Some(list) => list.push(value),
        None if is_list && !value.is_array() => drop(options.insert(name.to_owned(), Value::Array(vec![value]))),
        None => drop(options.insert(name.to_owned(), value)),
    }
}

/// What pages are made of in this process.
pub(super) fn gallery(context: &Context, looks: &Looks, flags: &BrowserFlags) -> Result<Gallery, Error> {
    Ok(Gallery {
        looks: looks.clone(),
        secrets: context.config.secrets()?,
        rules: Arc::new(context.config.rules(flags)?),
    })
}
