//! The paint of an element: its style and attributes come in, a plain colour goes out.

use std::str::FromStr;

use roxmltree::Node;
use svgtypes::Color;

use super::super::super::colour::Rgb;

/// The colour of an element and how strong it is; none where it says nothing, or `none`.
pub(super) fn fill(node: Node<'_, '_>, given: Option<&str>) -> Result<(Option<Rgb>, f32), String> {
    let strength =
        |name: &str| property(node, name).and_then(|text| text.parse::<f32>().ok()).unwrap_or(1.0).clamp(0.0, 1.0);
    let alpha = strength("fill-opacity") * strength("opacity");
    let written = given.or_else(|| property(node, "fill"));
    Ok((written.map(colour).transpose()?.flatten(), alpha))
}

/// A property of an element, from its style or its attribute.
pub(super) fn property<'a>(node: Node<'a, '_>, name: &str) -> Option<&'a str> {
    let styled = node.attribute("style").and_then(|style| {
        let declarations = style.split(';').filter_map(|declaration| declaration.split_once(':'));
        declarations.filter(|(key, _)| key.trim() == name).map(|(_, value)| value.trim()).next_back()
    });
    styled.or_else(|| node.attribute(name).map(str::trim))
}

/// A colour as SVG writes it.
pub(super) fn colour(text: &str) -> Result<Option<Rgb>, String> {
    if text == "none" || text == "currentColor" {
        return Ok(None);
    }
    match Color::from_str(text) {
        Ok(colour) => Ok(Some(Rgb(colour.red, colour.green, colour.blue))),
        Err(_) => Err(format!("text takes a plain colour such as #1d2433, not `{text}`")),
    }
}
