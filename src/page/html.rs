//! A template in HTML and a row in, a page out: `{{ title }}` and its kin, escaped for HTML (Jinja's syntax, by minijinja). The page
//! is the whole of it; what it loads besides comes through the guard.

use std::collections::BTreeMap;

use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value};

use super::PageError;
use crate::{card::Looks, post::Post, queue::Material};

/// The work that one page may take, in minijinja's steps: an endless loop of a template ends there.
const FUEL: u64 = 2_000_000;

/// The template's text.
pub(super) fn text(looks: &Looks, name: &str) -> Result<String, PageError> {
    looks.html(name).map_err(|what| PageError::Template { name: name.to_owned(), what })
}

/// The page of a row.
pub(super) fn page(template: &str, material: &Material) -> Result<String, PageError> {
    fill(template, material).map_err(|error| PageError::Template {
        name: material.html.clone().unwrap_or_default(),
        what: match error.line() {
            Some(line) => format!("line {line}: {error}"),
            None => error.to_string(),
        },
    })
}

fn fill(template: &str, material: &Material) -> Result<String, minijinja::Error> {
    let mut environment = Environment::empty();
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    environment.set_undefined_behavior(UndefinedBehavior::SemiStrict); // a mistyped name is told
    environment.set_fuel(Some(FUEL));
    for (name, filter) in [("upper", upper as fn(&str) -> String), ("lower", lower)] {
        environment.add_filter(name, filter);
    }
    environment.render_str(template, values(material))
}

fn upper(text: &str) -> String {
    text.to_uppercase()
}

fn lower(text: &str) -> String {
    text.to_lowercase()
}

/// What a template may name: the post's parts, and the columns that the source gives it, by their own names.
fn values(material: &Material) -> Value {
    let post = Post::new(material.fields());
    let text = |text: Option<String>| Value::from(text.unwrap_or_default()); // empty is false
    let code = post.blocks.iter().find(|block| !block.code.trim().is_empty());
    let mut values = vec![
        ("title".to_owned(), text(post.title.clone())),
        ("excerpt".to_owned(), text(post.excerpt.clone())),
        ("author".to_owned(), text(post.author.clone())),
        ("site".to_owned(), text(post.site.clone())),
        ("date".to_owned(), text(post.date.map(|date| date.to_string()))),
        ("tags".to_owned(), Value::from(post.tags.clone())),
        ("code".to_owned(), text(code.map(|block| block.code.clone()))),
        ("language".to_owned(), text(code.and_then(|block| block.info.language.clone()))),
        ("body".to_owned(), text(material.body.clone())),
    ];
    values.extend(material.data.iter().map(|(name, value)| (name.clone(), text(value.clone()))));
    Value::from(values.into_iter().collect::<BTreeMap<_, _>>())
}
