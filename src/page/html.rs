//! A template in HTML and a row in, a page out: `{{ title }}` and its kin, escaped for HTML (Jinja's syntax, by minijinja). The page
//! is the whole of it; what it loads besides comes through the guard.

use std::collections::BTreeMap;

use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value, filters};

use super::PageError;
use crate::{card::Looks, post::Post, queue::Material};

/// The work that one page may take, in minijinja's steps: an endless loop of a template ends there.
const FUEL: u64 = 2_000_000;

/// The template's text.
pub(super) fn text(looks: &Looks, name: &str) -> Result<String, PageError> {
    looks.html(name).map_err(|what| PageError::Template { name: name.to_owned(), what })
}

/// Fills the template with a post that has all parts, and with columns that each hold a `1`: what fails here fails for every row.
pub(super) fn try_out(looks: &Looks, name: &str, columns: &[String]) -> Result<(), PageError> {
    let say = |text: &str| Some(text.to_owned());
    let material = Material {
        html: say(name),
        title: say("Notes"),
        body: say("Some words.\n\n```rust\nfn main() {}\n```\n"),
        author: say("Ada Lovelace"),
        date: say("1843-10-01"),
        tags: say("{one,two}"),
        site: say("blog.example"),
        data: columns.iter().map(|column| (column.clone(), say("1"))).collect(),
        ..Material::default()
    };
    page(&text(looks, name)?, &material).map(drop)
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
    environment.add_filter("upper", |text: &str| text.to_uppercase());
    environment.add_filter("lower", |text: &str| text.to_lowercase());
    environment.add_filter("trim", filters::trim);
    environment.add_filter("length", filters::length);
    environment.add_filter("first", filters::first);
    environment.add_filter("last", filters::last);
    environment.add_filter("join", filters::join);
    environment.add_filter("default", filters::default);
    environment.add_filter("int", filters::int);
    environment.render_str(template, values(material))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_out_of_a_filter_is_escaped_like_the_rest() {
        let material = Material {
            title: Some("A <b> & c".to_owned()),
            tags: Some("{<i>one,two}".to_owned()),
            data: vec![("views".to_owned(), Some("41".to_owned()))],
            ..Material::default()
        };
        let template = r#"{{ title|upper }}|{{ tags|join(", ") }}|{{ tags|length }}|{{ tags|first }}|{{ site|default("none", true) }}|{{ views|int + 1 }}"#;
        let expected = "A &lt;B&gt; &amp; C|&lt;i&gt;one, two|2|&lt;i&gt;one|none|42";
        assert_eq!(page(template, &material).unwrap(), expected);
    }
}
