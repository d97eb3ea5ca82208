//! Which font files exist: the embedded ones with their data, and the names of those that may be found on a machine.
//! A table and nothing else.

use std::ops::RangeInclusive;

use super::font::Region;

/// The embedded faces: name and data. [`super::font::face`] names their places.
pub(super) const EMBEDDED: [(&str, &[u8]); 7] = [
    ("Inter Medium", include_bytes!("../../assets/fonts/inter-medium.otf")),
    ("Inter SemiBold", include_bytes!("../../assets/fonts/inter-semibold.otf")),
    ("Inter Display SemiBold", include_bytes!("../../assets/fonts/inter-display-semibold.otf")),
    ("Inter Display Bold", include_bytes!("../../assets/fonts/inter-display-bold.otf")),
    ("JetBrains Mono Regular", include_bytes!("../../assets/fonts/jetbrains-mono-regular.ttf")),
    ("JetBrains Mono Bold", include_bytes!("../../assets/fonts/jetbrains-mono-bold.ttf")),
    ("JetBrains Mono Italic", include_bytes!("../../assets/fonts/jetbrains-mono-italic.ttf")),
];

/// Where distributions and container images keep the fallback fonts.
pub(super) const DIRECTORIES: [&str; 10] = [
    "/usr/share/fonts/truetype/noto",
    "/usr/share/fonts/opentype/noto",
    "/usr/share/fonts/noto",
    "/usr/share/fonts/noto-cjk",
    "/usr/share/fonts/google-noto",
    "/usr/share/fonts/google-noto-cjk",
    "/usr/share/fonts/google-noto-color-emoji-fonts",
    "/usr/share/fonts/truetype/dejavu",
    "/usr/share/fonts/dejavu",
    "/usr/local/share/fonts",
];

/// A face that steps in where the embedded ones end.
pub(super) struct Fallback {
    pub(super) regular: &'static str,
    pub(super) bold: &'static str,
    /// The face's place in a font collection, 0 in a plain file.
    pub(super) index: u32,
    /// The characters it is asked for; empty means any.
    pub(super) ranges: &'static [RangeInclusive<char>],
    pub(super) region: Option<Region>,
    pub(super) emoji: bool,
}

const CJK: &[RangeInclusive<char>] = &[
    '\u{1100}'..='\u{11ff}',
    '\u{2e80}'..='\u{a4cf}',
    '\u{a960}'..='\u{a97f}',
    '\u{ac00}'..='\u{d7ff}',
    '\u{f900}'..='\u{faff}',
    '\u{fe30}'..='\u{fe4f}',
    '\u{ff00}'..='\u{ffef}',
    '\u{1f200}'..='\u{1f2ff}',
    '\u{20000}'..='\u{3ffff}',
];

const fn cjk(index: u32, region: Region) -> Fallback {
    let (regular, bold) = ("NotoSansCJK-Regular.ttc", "NotoSansCJK-Bold.ttc");
    Fallback { regular, bold, index, ranges: CJK, region: Some(region), emoji: false }
}

const fn script(regular: &'static str, bold: &'static str, ranges: &'static [RangeInclusive<char>]) -> Fallback {
    Fallback { regular, bold, index: 0, ranges, region: None, emoji: false }
}

/// The fallbacks, in the order in which they are asked.
pub(super) const FALLBACKS: [Fallback; 24] = [
    cjk(0, Region::Japanese),
    cjk(1, Region::Korean),
    cjk(2, Region::Chinese),
    script(
        "NotoSansArabic-Regular.ttf",
        "NotoSansArabic-Bold.ttf",
        &[
            '\u{600}'..='\u{6ff}',
            '\u{750}'..='\u{77f}',
            '\u{8a0}'..='\u{8ff}',
            '\u{fb50}'..='\u{fdff}',
            '\u{fe70}'..='\u{feff}',
        ],
    ),
    script("NotoSansHebrew-Regular.ttf", "NotoSansHebrew-Bold.ttf", &['\u{590}'..='\u{5ff}', '\u{fb1d}'..='\u{fb4f}']),
    script(
        "NotoSansDevanagari-Regular.ttf",
        "NotoSansDevanagari-Bold.ttf",
        &['\u{900}'..='\u{97f}', '\u{a8e0}'..='\u{a8ff}'],
    ),
    script("NotoSansBengali-Regular.ttf", "NotoSansBengali-Bold.ttf", &['\u{980}'..='\u{9ff}']),
    script("NotoSansGurmukhi-Regular.ttf", "NotoSansGurmukhi-Bold.ttf", &['\u{a00}'..='\u{a7f}']),
    script("NotoSansGujarati-Regular.ttf", "NotoSansGujarati-Bold.ttf", &['\u{a80}'..='\u{aff}']),
    script("NotoSansTamil-Regular.ttf", "NotoSansTamil-Bold.ttf", &['\u{b80}'..='\u{bff}']),
    script("NotoSansTelugu-Regular.ttf", "NotoSansTelugu-Bold.ttf", &['\u{c00}'..='\u{c7f}']),
    script("NotoSansKannada-Regular.ttf", "NotoSansKannada-Bold.ttf", &['\u{c80}'..='\u{cff}']),
    script("NotoSansMalayalam-Regular.ttf", "NotoSansMalayalam-Bold.ttf", &['\u{d00}'..='\u{d7f}']),
    script("NotoSansSinhala-Regular.ttf", "NotoSansSinhala-Bold.ttf", &['\u{d80}'..='\u{dff}']),
    script("NotoSansThai-Regular.ttf", "NotoSansThai-Bold.ttf", &['\u{e00}'..='\u{e7f}']),
    script("NotoSansKhmer-Regular.ttf", "NotoSansKhmer-Bold.ttf", &['\u{1780}'..='\u{17ff}']),
    script(
        "NotoSansGeorgian-Regular.ttf",
        "NotoSansGeorgian-Bold.ttf",
        &['\u{10a0}'..='\u{10ff}', '\u{1c90}'..='\u{1cbf}'],
    ),
    script("NotoSansArmenian-Regular.ttf", "NotoSansArmenian-Bold.ttf", &['\u{530}'..='\u{58f}']),
    script("NotoSansEthiopic-Regular.ttf", "NotoSansEthiopic-Bold.ttf", &['\u{1200}'..='\u{139f}']),
    Fallback {
        regular: "NotoColorEmoji.ttf",
        bold: "NotoColorEmoji.ttf",
        index: 0,
        ranges: &[],
        region: None,
        emoji: true,
    },
    script("NotoSansMath-Regular.ttf", "NotoSansMath-Regular.ttf", &[]),
    script("NotoSansSymbols-Regular.ttf", "NotoSansSymbols-Bold.ttf", &[]),
    script("NotoSansSymbols2-Regular.ttf", "NotoSansSymbols2-Regular.ttf", &[]),
    script("DejaVuSans.ttf", "DejaVuSans-Bold.ttf", &[]),
];
