//! The finished picture: what is drawn on a layer comes in, the bytes of a file go out.

use super::coloured::Coloured;
use super::encode::{self, Writer};
use super::format::Format;
use super::indexed::Indexed;
use super::paint::Op;
use super::{CardError, other_formats, photograph, plan};

/// Paints what is drawn on a layer, and writes it in a format; in true colours, or in a palette where there is a good one.
pub(super) fn encode(
    (layer, ops): (&Indexed, &[Op]),
    (format, true_colours): (Format, bool),
    (painted, writer): (&mut Indexed, &mut Writer),
) -> Result<Vec<u8>, CardError> {
    if true_colours && format == Format::Png {
        return photograph::png((layer, ops), (painted, writer));
    }
    let palette = if true_colours { None } else { plan::palette(layer, ops, usize::MAX) };
    let picture = match palette {
        None => Coloured::paint(layer, ops),
        Some(palette) => {
            painted.paint(layer, palette, ops);
            if format == Format::Png {
                return Ok(writer.indexed(painted)?);
            }
            Coloured::of(painted)
        }
    };
    match format {
        Format::Png => Ok(encode::coloured(&picture)?),
        Format::WebP => other_formats::webp(&picture),
        Format::Jpeg => other_formats::jpeg(&picture),
    }
}
