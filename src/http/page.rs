//! Pages out of templates, by minijinja, every value escaped for HTML. The templates, the style and the script are part of the program.

use std::sync::LazyLock;

use axum::{
    http::StatusCode,
    response::{Html, IntoResponse, Response},
};
use minijinja::{AutoEscape, Environment, Value, value::Serde};
use serde::Serialize;
use serde_json::json;

use super::{files, reading::ReadError};

static TEMPLATES: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut all = Environment::new();
    all.set_auto_escape_callback(|_| AutoEscape::Html);
    for (name, text) in [
        ("layout", include_str!("templates/layout.html")),
        ("wall", include_str!("templates/wall.html")),
        ("tile", include_str!("templates/tile.html")),
        ("strip", include_str!("templates/strip.html")),
        ("row", include_str!("templates/row.html")),
        ("failures", include_str!("templates/failures.html")),
        ("login", include_str!("templates/login.html")),
        ("message", include_str!("templates/message.html")),
    ] {
        // The tests render each of them.
        if let Err(error) = all.add_template(name, text) {
            tracing::error!(%error, name, "a template that cannot be used");
        }
    }
    all.add_global("style", files::STYLE.path());
    all.add_global("script", files::SCRIPT.path());
    all.add_global("version", env!("CARGO_PKG_VERSION"));
    all
});

/// A template with its values, as HTML.
fn fill(name: &str, values: impl Serialize) -> Result<String, minijinja::Error> {
    TEMPLATES.get_template(name)?.render(Value::from(Serde(values)))
}

/// The same; what is wrong with a template is logged.
fn part(name: &str, values: impl Serialize) -> String {
    fill(name, values).unwrap_or_else(|error| {
        tracing::error!(%error, name, "a page could not be made");
        String::new()
    })
}

pub(super) fn tile(tile: &impl Serialize) -> String {
    part("tile", json!({ "tile": tile }))
}

pub(super) fn strip(strip: &impl Serialize) -> String {
    part("strip", json!({ "strip": strip }))
}

/// A whole page.
pub(super) fn show(name: &str, values: &serde_json::Value) -> Response {
    Html(part(name, values)).into_response()
}

/// A page that says one thing.
pub(super) fn message(status: StatusCode, title: &str, words: &str) -> Response {
    (status, show("message", &json!({ "title": title, "words": words }))).into_response()
}

/// Why there is nothing to show, where the database is the reason.
pub(super) fn trouble(error: &ReadError) -> Response {
    let later = [("retry-after", "5")];
    let (status, title) = match error {
        ReadError::Busy => (StatusCode::SERVICE_UNAVAILABLE, "Too many ask at once"),
        ReadError::Database(_) => (StatusCode::SERVICE_UNAVAILABLE, "The database does not answer as it should"),
    };
    (later, message(status, title, &error.to_string())).into_response()
}
