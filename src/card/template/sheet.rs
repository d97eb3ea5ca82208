//! A template's file: its text comes in, its slots and the parts of its art between them go out. The art is never written anew: to
//! leave a part out, the stretch of text that describes it is cut, and no data ever gets into what is left.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;

use roxmltree::{Document, Node, ParsingOptions};
use svgtypes::{Length, LengthUnit, Transform, ViewBox};

use super::super::layout::{HEIGHT, WIDTH};
use super::super::look_error::LookError;
use super::super::paint::Rounded;
use super::slot::{self, Field, Mark, Slot};

/// Bounds of a file: elements, how deep they stand in each other, and slots.
const MOST_ELEMENTS: u32 = 20_000;
const DEEPEST: usize = 60;
const MOST_SLOTS: usize = 40;
/// Elements that may be drawn once all references are followed, and how many of them a filter and a mask or pattern count for each
/// time they are used.
const MOST_DRAWN: usize = 50_000;
const FILTER_COST: usize = 1_000;
const MASK_COST: usize = 250;
/// How far the picture's shape may be from 1200 × 630.
const OBLIQUE: f32 = 0.01;
/// The largest deviation of a blur, and filters in all.
const WIDEST_BLUR: f32 = 120.0;
const MOST_FILTERS: usize = 40;

const SHAPES: [&str; 9] = ["path", "rect", "circle", "ellipse", "line", "polyline", "polygon", "image", "use"];
/// What is drawn only where something else names it.
const DEFINITIONS: [&str; 14] = [
    "defs",
    "linearGradient",
    "radialGradient",
    "pattern",
    "clipPath",
    "mask",
    "filter",
    "symbol",
    "marker",
    "style",
    "metadata",
    "title",
    "desc",
    "namedview",
];
/// What is not drawn by this renderer, or costs too much.
const REFUSED: [(&str, &str); 8] = [
    (
        "text",
        "text is not drawn as it stands here: give a rectangle the id tintype:text and data-text=\"…\", or turn the text into paths",
    ),
    ("foreignObject", "foreignObject is not drawn; use rectangles with ids such as tintype:title"),
    ("script", "scripts are not run; take this element out"),
    ("feImage", "feImage is not drawn; use an image element"),
    ("feTurbulence", "feTurbulence is not drawn; use an image element"),
    ("feConvolveMatrix", "feConvolveMatrix is not drawn; use an image element"),
    ("feDiffuseLighting", "lighting is not drawn; use an image element"),
    ("feSpecularLighting", "lighting is not drawn; use an image element"),
];

/// A file that has been understood.
pub(super) struct Sheet {
    text: String,
    elements: Vec<Element>,
    /// In the order in which they lie over each other, each with the stretch of text that describes it.
    pub(super) slots: Vec<(Slot, Range<usize>)>,
    /// Those on which the art depends.
    pub(super) fields: u16,
}

/// What has to be known of an element to cut it.
struct Element {
    range: Range<usize>,
    condition: Option<(Field, bool)>,
    slot: bool,
    shape: bool,
}

impl Sheet {
    /// Reads a file's text.
    pub(super) fn read(path: &Path, text: String) -> Result<Self, LookError> {
        let whole = |what: &str| LookError::whole(path, what);
        if text.contains("<!ENTITY") {
            return Err(whole("has entities of its own; save it as a plain SVG"));
        }
        let options = ParsingOptions { allow_dtd: true, nodes_limit: MOST_ELEMENTS * 4, ..ParsingOptions::default() };
        let document = Document::parse_with_options(&text, options)
            .map_err(|error| LookError::whole(path, format!("is not an SVG that can be read: {error}")))?;
        let root = document.root_element();
        if root.tag_name().name() != "svg" {
            return Err(whole("is not an SVG: its first element is not <svg>"));
        }
        let wrong = |node: Node<'_, '_>, what: String| LookError::at(path, &text, node.range().start, what);
        let view = view(root).map_err(|what| wrong(root, what))?;
        let mut reader = Reader { elements: Vec::new(), slots: Vec::new(), filters: 0, count: 0 };
        reader.children(root, (view, 0)).map_err(|(node, what)| wrong(node, what))?;
        let ids = document.descendants().filter_map(|node| Some((node.attribute("id")?, node))).collect();
        if drawn(root, &ids, DEEPEST, MOST_DRAWN).is_none() {
            return Err(whole("draws too much: its `use` elements, patterns, masks or filters multiply"));
        }
        let Reader { elements, slots, .. } = reader;
        let fields =
            elements.iter().filter_map(|element| element.condition).fold(0, |all, (field, _)| all | field.bit());
        let slots = slots.into_iter().map(|(slot, at)| (slot, elements[at].range.clone())).collect();
        Ok(Self { text, elements, slots, fields })
    }

    /// Whether a stretch of the file is drawn, given the fields that a post has.
    pub(super) fn is_drawn(&self, range: &Range<usize>, fields: u16) -> bool {
        !self.elements.iter().any(|element| {
            element.range.start <= range.start && element.range.end >= range.end && element.is_off(fields)
        })
    }

    /// The file with only what is drawn between slot `at` and the one before it, given the fields that a post has; none where
    /// that is nothing.
    pub(super) fn between(&self, at: usize, fields: u16) -> Option<String> {
        let from = at.checked_sub(1).map_or(0, |before| self.slots[before].1.end);
        let to = self.slots.get(at).map_or(self.text.len(), |(_, range)| range.start);
        let (mut kept, mut written, mut any) = (String::with_capacity(self.text.len()), 0, false);
        for element in &self.elements {
            let Range { start, end } = element.range;
            if start < written {
                continue; // within what has been cut
            }
            if element.slot || element.is_off(fields) || end <= from || start >= to {
                kept.push_str(&self.text[written..start]);
                written = end;
            } else {
                any |= element.shape;
            }
        }
        kept.push_str(&self.text[written..]);
        any.then_some(kept)
    }
}

impl Element {
    fn is_off(&self, fields: u16) -> bool {
        self.condition.is_some_and(|(field, wanted)| (fields & field.bit() != 0) != wanted)
    }
}

type Mistake<'a, 'i> = (Node<'a, 'i>, String);

struct Reader {
    elements: Vec<Element>,
    /// Slots, and which elements they are.
    slots: Vec<(Slot, usize)>,
    filters: usize,
    count: u32,
}

impl Reader {
    fn children<'a, 'i>(&mut self, node: Node<'a, 'i>, place: (Transform, usize)) -> Result<(), Mistake<'a, 'i>> {
        node.children().filter(Node::is_element).try_for_each(|child| self.element(child, place))
    }

    fn element<'a, 'i>(
        &mut self,
        node: Node<'a, 'i>,
        (outer, depth): (Transform, usize),
    ) -> Result<(), Mistake<'a, 'i>> {
        let fail = |what: String| (node, what);
        let name = node.tag_name().name();
        if depth > DEEPEST {
            return Err(fail(format!("elements stand more than {DEEPEST} deep in each other")));
        }
        self.check(node).map_err(fail)?;
        if DEFINITIONS.contains(&name) {
            return node.descendants().filter(Node::is_element).skip(1).try_for_each(|inner| {
                if slot::mark(inner).is_some() {
                    return Err((inner, format!("a slot cannot stand in <{name}>")));
                }
                self.check(inner).map_err(|what| (inner, what))
            });
        }
        if name == "svg" {
            return Err(fail("an svg cannot stand in another; group what it holds with <g>".to_owned()));
        }
        let transform = compose(outer, own_transform(node).map_err(fail)?);
        let scale = (transform.a * transform.d - transform.b * transform.c).abs().sqrt() as f32;
        let mark = slot::mark(node).map(|mark| slot::read(&mark, node, scale)).transpose().map_err(fail)?;
        let (condition, content) = match mark {
            Some(Mark::Condition(field, wanted)) => (Some((field, wanted)), None),
            Some(Mark::Slot(content)) => (None, Some(content)),
            None => (None, None),
        };
        let shape = SHAPES.contains(&name);
        let at = self.elements.len();
        self.elements.push(Element { range: node.range(), condition, slot: content.is_some(), shape });
        let Some(content) = content else { return self.children(node, (transform, depth + 1)) };
        if self.slots.len() == MOST_SLOTS {
            return Err(fail(format!("there are more than {MOST_SLOTS} slots")));
        }
        let area = area(node, transform).map_err(fail)?;
        self.slots.push((Slot { area, content }, at));
        Ok(())
    }

    /// Refuses what is not drawn or costs too much.
    fn check(&mut self, node: Node<'_, '_>) -> Result<(), String> {
        let name = node.tag_name().name();
        if let Some((_, what)) = REFUSED.iter().find(|(refused, _)| *refused == name) {
            return Err((*what).to_owned());
        }
        let most = |key: &str| {
            let numbers = node.attribute(key).unwrap_or_default().split(|c: char| c.is_whitespace() || c == ',');
            numbers.filter_map(|number| number.parse::<f32>().ok()).fold(0.0, f32::max)
        };
        self.count += 1;
        if self.count > MOST_ELEMENTS {
            return Err(format!("there are more than {MOST_ELEMENTS} elements"));
        }
        let styled = if name == "style" { node.text() } else { node.attribute("style") }.unwrap_or_default();
        if [styled, node.attribute("filter").unwrap_or_default()].iter().any(|text| text.contains("blur(")) {
            return Err("a blur is written as a <filter> element, not as a function".to_owned());
        }
        if name == "style" && (styled.contains("url(") || styled.contains("filter")) {
            return Err("filters, masks and patterns are named in attributes, not in a <style>".to_owned());
        }
        if name == "filter" {
            self.filters += 1;
        }
        if self.filters > MOST_FILTERS {
            return Err(format!("there are more than {MOST_FILTERS} filters"));
        }
        if most("stdDeviation") > WIDEST_BLUR || name == "feMorphology" && most("radius") > WIDEST_BLUR {
            return Err(format!("a filter reaches no farther than {WIDEST_BLUR}"));
        }
        Ok(())
    }
}

/// From the file's own lengths to pixels of a 1200 × 630 picture.
fn view(root: Node<'_, '_>) -> Result<Transform, String> {
    let length = |key: &str| root.attribute(key).and_then(|text| text.parse::<Length>().ok());
    let plain = |key: &str| {
        let length = length(key).filter(|length| matches!(length.unit, LengthUnit::None | LengthUnit::Px));
        length.map(|length| length.number)
    };
    let view = match root.attribute("viewBox").and_then(|text| text.parse::<ViewBox>().ok()) {
        Some(view) => view,
        None => match (plain("width"), plain("height")) {
            (Some(width), Some(height)) => ViewBox::new(0.0, 0.0, width, height),
            _ => return Err("the svg says neither its viewBox nor its width and height in pixels".to_owned()),
        },
    };
    let shape = |width: f64, height: f64| (width / height) as f32;
    let wanted = WIDTH / HEIGHT;
    let sizes = length("width").zip(length("height")).filter(|(width, height)| width.unit == height.unit);
    let sizes = sizes.filter(|(width, _)| width.unit != LengthUnit::Percent);
    let outer = sizes.map_or(wanted, |(width, height)| shape(width.number, height.number));
    let fits = |shape: f32| (shape / wanted - 1.0).abs() <= OBLIQUE;
    if !fits(shape(view.w, view.h)) || !fits(outer) {
        return Err(format!("the drawing is {} × {}; make it 1200 × 630, or a multiple of that", view.w, view.h));
    }
    let (across, down) = (f64::from(WIDTH) / view.w, f64::from(HEIGHT) / view.h);
    Ok(Transform { a: across, b: 0.0, c: 0.0, d: down, e: -view.x * across, f: -view.y * down })
}

fn own_transform(node: Node<'_, '_>) -> Result<Transform, String> {
    let text = node.attribute("transform").unwrap_or_default();
    text.parse().map_err(|_| format!("the transform `{}` cannot be read", super::super::look_error::shown(text)))
}

/// First the inner transform, then the outer one.
fn compose(outer: Transform, inner: Transform) -> Transform {
    Transform {
        a: outer.a * inner.a + outer.c * inner.b,
        b: outer.b * inner.a + outer.d * inner.b,
        c: outer.a * inner.c + outer.c * inner.d,
        d: outer.b * inner.c + outer.d * inner.d,
        e: outer.a * inner.e + outer.c * inner.f + outer.e,
        f: outer.b * inner.e + outer.d * inner.f + outer.f,
    }
}

/// The place of a slot, in pixels of a 1200 × 630 picture.
fn area(node: Node<'_, '_>, transform: Transform) -> Result<Rounded, String> {
    let node = match node.tag_name().name() {
        "g" => node.children().find(|child| child.has_tag_name((node.tag_name().namespace().unwrap_or(""), "rect"))),
        _ => Some(node),
    };
    let needed = "a slot is a rect, a circle, an ellipse or an image; its place cannot be told from this";
    let node = node.ok_or(needed)?;
    let number = |key: &str| match node.attribute(key) {
        None => Ok(0.0),
        Some(text) => match text.parse::<Length>() {
            Ok(Length { number, unit: LengthUnit::None | LengthUnit::Px }) => Ok(number),
            _ => Err(format!("{key} is to be a number of pixels, not `{text}`")),
        },
    };
    let [x, y, width, height, radius] = match node.tag_name().name() {
        "rect" | "image" => {
            let radius = number("rx")?.max(number("ry")?);
            [number("x")?, number("y")?, number("width")?, number("height")?, radius]
        }
        "circle" => {
            let r = number("r")?;
            [number("cx")? - r, number("cy")? - r, 2.0 * r, 2.0 * r, r]
        }
        "ellipse" => {
            let (rx, ry) = (number("rx")?, number("ry")?);
            [number("cx")? - rx, number("cy")? - ry, 2.0 * rx, 2.0 * ry, rx.min(ry)]
        }
        _ => return Err(needed.to_owned()),
    };
    let Transform { a, b, c, d, e, f } = transform;
    if b.abs() > 1e-6 || c.abs() > 1e-6 || a <= 0.0 || d <= 0.0 {
        return Err("a slot cannot be turned or mirrored".to_owned());
    }
    let [x, y, width, height, radius] =
        [a * x + e, d * y + f, a * width, d * height, a.min(d) * radius].map(|length| length as f32);
    let sane = |length: f32| (1.0..=2.0 * WIDTH).contains(&length);
    let near = |place: f32| (-WIDTH..=2.0 * WIDTH).contains(&place);
    if !sane(width) || !sane(height) || !near(x) || !near(y) {
        return Err(format!("a slot of {width} × {height} at {x}, {y} is not on the picture"));
    }
    Ok(Rounded { x, y, width, height, radius })
}

/// What is drawn once all references are followed, within `room`: each element counts one, and a filter or a mask as many as it
/// costs; none where that is too much.
fn drawn(node: Node<'_, '_>, ids: &BTreeMap<&str, Node<'_, '_>>, depth: usize, room: usize) -> Option<usize> {
    let mut left = room.checked_sub(1)?;
    let next = depth.checked_sub(1);
    for child in node.children().filter(Node::is_element) {
        left = drawn(child, ids, next?, left)?;
    }
    for attribute in node.attributes() {
        let value = attribute.value();
        let named = if attribute.name() == "href" { value.strip_prefix('#') } else { None };
        let urls = value.split("url(").skip(1).filter_map(|rest| {
            let inner = rest.split(')').next()?.trim_matches(|c: char| c.is_whitespace() || c == '"' || c == '\'');
            inner.strip_prefix('#')
        });
        for target in urls.chain(named).filter_map(|id| ids.get(id)) {
            let cost = match target.tag_name().name() {
                "filter" => FILTER_COST,
                "mask" | "pattern" => MASK_COST,
                _ => 0,
            };
            left = drawn(*target, ids, next?, left.checked_sub(cost)?)?;
        }
    }
    Some(left)
}
