//! The formats of a picture: a name or the end of a file's name comes in, the media type and the end of a file's name go out.

use std::fmt;
use std::str::FromStr;

/// The format of a finished picture.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Format {
    /// PNG, which every crawler reads.
    #[default]
    Png,
    /// WebP without loss.
    WebP,
    /// JPEG at a quality of 88, colours at full resolution; less where the file would be larger than 300 KB.
    Jpeg,
}

/// A word that names no [`Format`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a format of pictures: use `png`, `webp` or `jpeg`")]
pub struct UnknownFormat(String);

impl Format {
    /// The media type, such as `image/png`.
    #[must_use]
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Png => "image/png",
            Self::WebP => "image/webp",
            Self::Jpeg => "image/jpeg",
        }
    }

    /// The end of a file's name, without the dot.
    #[must_use]
    pub fn extension(self) -> &'static str {
        match self {
            Self::Png => "png",
            Self::WebP => "webp",
            Self::Jpeg => "jpg",
        }
    }
}

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(text: &str) -> Result<Self, UnknownFormat> {
        match text.trim().to_ascii_lowercase().as_str() {
            "png" => Ok(Self::Png),
            "webp" => Ok(Self::WebP),
            "jpeg" | "jpg" => Ok(Self::Jpeg),
            _ => Err(UnknownFormat(text.to_owned())),
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Png => "png",
            Self::WebP => "webp",
            Self::Jpeg => "jpeg",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_go_by_their_names_and_endings() {
        for format in [Format::Png, Format::WebP, Format::Jpeg] {
            assert_eq!(format.to_string().parse(), Ok(format));
            assert_eq!(format.extension().parse(), Ok(format));
        }
        assert_eq!("GIF".parse::<Format>(), Err(UnknownFormat("GIF".to_owned())));
    }
}
