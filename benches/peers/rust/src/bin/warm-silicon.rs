//! silicon through its library, with the defaults of its program; requests as `lib.rs` says.

use std::{error::Error, io::Cursor};

use silicon::{
    assets::HighlightingAssets,
    formatter::ImageFormatterBuilder,
    utils::{Background, ShadowAdder, ToRgba},
};
use syntect::{easy::HighlightLines, util::LinesWithEndings};

fn main() -> Result<(), Box<dyn Error>> {
    let assets = HighlightingAssets::new();
    let theme = &assets.theme_set.themes["Dracula"];
    // A formatter scans the machine's fonts where families are named, so one is made for plain text and one for the rest.
    let fonts: [&[&str]; 2] = [&["Hack"], &["Hack", "Noto Sans CJK JP", "Noto Color Emoji"]];
    let mut formatters = Vec::new();
    for names in fonts {
        let shadow = ShadowAdder::new()
            .background(Background::Solid("#aaaaff".to_rgba()?))
            .shadow_color("#555555".to_rgba()?)
            .blur_radius(0.0)
            .pad_horiz(80)
            .pad_vert(100);
        let font = names.iter().map(|name| (*name, 26.0)).collect::<Vec<(&str, f32)>>();
        let builder = ImageFormatterBuilder::new().font(font).shadow_adder(shadow).line_offset(1);
        formatters.push(builder.build().map_err(|error| error.to_string())?);
    }
    tintype_peers::serve(|extension, text| {
        let syntax = assets.syntax_set.find_syntax_by_extension(extension).ok_or("no such language")?;
        let mut highlighter = HighlightLines::new(syntax, theme);
        let lines = LinesWithEndings::from(text)
            .map(|line| highlighter.highlight_line(line, &assets.syntax_set))
            .collect::<Result<Vec<_>, _>>()?;
        let image = formatters[usize::from(!text.is_ascii())].format(&lines, theme);
        let mut bytes = Cursor::new(Vec::new());
        image.write_to(&mut bytes, image::ImageOutputFormat::Png)?;
        Ok(bytes.into_inner())
    })
}
