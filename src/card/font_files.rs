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

/// The data of an embedded face, by its name in a path: `inter-medium`.
pub(crate) fn embedded(name: &str) -> Option<&'static [u8]> {
    EMBEDDED.iter().find(|(known, _)| known.to_lowercase().replace(' ', "-") == name).map(|(_, bytes)| *bytes)
}

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
#[rustfmt::skip]
pub(super) const FALLBACKS: [Fallback; 91] = [
    cjk(0, Region::Japanese),
    cjk(1, Region::Korean),
    cjk(2, Region::Chinese),
    script("NotoSansArabic-Regular.ttf", "NotoSansArabic-Bold.ttf", &['\u{600}'..='\u{6ff}', '\u{750}'..='\u{77f}', '\u{870}'..='\u{8ff}', '\u{fb50}'..='\u{fdff}', '\u{fe70}'..='\u{feff}']),
    script("NotoSansHebrew-Regular.ttf", "NotoSansHebrew-Bold.ttf", &['\u{590}'..='\u{5ff}', '\u{fb1d}'..='\u{fb4f}']),
    script("NotoSansDevanagari-Regular.ttf", "NotoSansDevanagari-Bold.ttf", &['\u{900}'..='\u{97f}', '\u{1cd0}'..='\u{1cff}', '\u{a8e0}'..='\u{a8ff}']),
    script("NotoSansBengali-Regular.ttf", "NotoSansBengali-Bold.ttf", &['\u{980}'..='\u{9ff}']),
    script("NotoSansGurmukhi-Regular.ttf", "NotoSansGurmukhi-Bold.ttf", &['\u{a00}'..='\u{a7f}']),
    script("NotoSansGujarati-Regular.ttf", "NotoSansGujarati-Bold.ttf", &['\u{a80}'..='\u{aff}']),
    script("NotoSansOriya-Regular.ttf", "NotoSansOriya-Bold.ttf", &['\u{b00}'..='\u{b7f}']),
    script("NotoSansTamil-Regular.ttf", "NotoSansTamil-Bold.ttf", &['\u{b80}'..='\u{bff}']),
    script("NotoSansTelugu-Regular.ttf", "NotoSansTelugu-Bold.ttf", &['\u{c00}'..='\u{c7f}']),
    script("NotoSansKannada-Regular.ttf", "NotoSansKannada-Bold.ttf", &['\u{c80}'..='\u{cff}']),
    script("NotoSansMalayalam-Regular.ttf", "NotoSansMalayalam-Bold.ttf", &['\u{d00}'..='\u{d7f}']),
    script("NotoSansSinhala-Regular.ttf", "NotoSansSinhala-Bold.ttf", &['\u{d80}'..='\u{dff}']),
    script("NotoSansThai-Regular.ttf", "NotoSansThai-Bold.ttf", &['\u{e00}'..='\u{e7f}']),
    script("NotoSansLao-Regular.ttf", "NotoSansLao-Bold.ttf", &['\u{e80}'..='\u{eff}']),
    script("NotoSerifTibetan-Regular.ttf", "NotoSerifTibetan-Bold.ttf", &['\u{f00}'..='\u{fff}']),
    script("NotoSansMyanmar-Regular.ttf", "NotoSansMyanmar-Bold.ttf", &['\u{1000}'..='\u{109f}', '\u{a9e0}'..='\u{a9ff}', '\u{aa60}'..='\u{aa7f}']),
    script("NotoSansKhmer-Regular.ttf", "NotoSansKhmer-Bold.ttf", &['\u{1780}'..='\u{17ff}', '\u{19e0}'..='\u{19ff}']),
    script("NotoSansGeorgian-Regular.ttf", "NotoSansGeorgian-Bold.ttf", &['\u{10a0}'..='\u{10ff}', '\u{1c90}'..='\u{1cbf}', '\u{2d00}'..='\u{2d2f}']),
    script("NotoSansArmenian-Regular.ttf", "NotoSansArmenian-Bold.ttf", &['\u{530}'..='\u{58f}', '\u{fb13}'..='\u{fb17}']),
    script("NotoSansEthiopic-Regular.ttf", "NotoSansEthiopic-Bold.ttf", &['\u{1200}'..='\u{139f}', '\u{2d80}'..='\u{2ddf}', '\u{ab00}'..='\u{ab2f}']),
    script("NotoSansCherokee-Regular.ttf", "NotoSansCherokee-Bold.ttf", &['\u{13a0}'..='\u{13ff}', '\u{ab70}'..='\u{abbf}']),
    script("NotoSansCanadianAboriginal-Regular.ttf", "NotoSansCanadianAboriginal-Bold.ttf", &['\u{1400}'..='\u{167f}', '\u{18b0}'..='\u{18ff}']),
    script("NotoSansMongolian-Regular.ttf", "NotoSansMongolian-Regular.ttf", &['\u{1800}'..='\u{18af}']),
    script("NotoSansSyriac-Regular.ttf", "NotoSansSyriac-Regular.ttf", &['\u{700}'..='\u{74f}', '\u{860}'..='\u{86f}']),
    script("NotoSansThaana-Regular.ttf", "NotoSansThaana-Bold.ttf", &['\u{780}'..='\u{7bf}']),
    script("NotoSansNKo-Regular.ttf", "NotoSansNKo-Regular.ttf", &['\u{7c0}'..='\u{7ff}']),
    script("NotoSansSamaritan-Regular.ttf", "NotoSansSamaritan-Regular.ttf", &['\u{800}'..='\u{83f}']),
    script("NotoSansMandaic-Regular.ttf", "NotoSansMandaic-Regular.ttf", &['\u{840}'..='\u{85f}']),
    script("NotoSansAdlam-Regular.ttf", "NotoSansAdlam-Bold.ttf", &['\u{1e900}'..='\u{1e95f}']),
    script("NotoSansHanifiRohingya-Regular.ttf", "NotoSansHanifiRohingya-Bold.ttf", &['\u{10d00}'..='\u{10d3f}']),
    script("NotoSansTagalog-Regular.ttf", "NotoSansTagalog-Regular.ttf", &['\u{1700}'..='\u{171f}']),
    script("NotoSansHanunoo-Regular.ttf", "NotoSansHanunoo-Regular.ttf", &['\u{1720}'..='\u{173f}']),
    script("NotoSansBuhid-Regular.ttf", "NotoSansBuhid-Regular.ttf", &['\u{1740}'..='\u{175f}']),
    script("NotoSansTagbanwa-Regular.ttf", "NotoSansTagbanwa-Regular.ttf", &['\u{1760}'..='\u{177f}']),
    script("NotoSansLimbu-Regular.ttf", "NotoSansLimbu-Regular.ttf", &['\u{1900}'..='\u{194f}']),
    script("NotoSansTaiLe-Regular.ttf", "NotoSansTaiLe-Regular.ttf", &['\u{1950}'..='\u{197f}']),
    script("NotoSansNewTaiLue-Regular.ttf", "NotoSansNewTaiLue-Regular.ttf", &['\u{1980}'..='\u{19df}']),
    script("NotoSansBuginese-Regular.ttf", "NotoSansBuginese-Regular.ttf", &['\u{1a00}'..='\u{1a1f}']),
    script("NotoSansTaiTham-Regular.ttf", "NotoSansTaiTham-Bold.ttf", &['\u{1a20}'..='\u{1aaf}']),
    script("NotoSansBalinese-Regular.ttf", "NotoSansBalinese-Bold.ttf", &['\u{1b00}'..='\u{1b7f}']),
    script("NotoSansSundanese-Regular.ttf", "NotoSansSundanese-Bold.ttf", &['\u{1b80}'..='\u{1bbf}', '\u{1cc0}'..='\u{1ccf}']),
    script("NotoSansBatak-Regular.ttf", "NotoSansBatak-Regular.ttf", &['\u{1bc0}'..='\u{1bff}']),
    script("NotoSansLepcha-Regular.ttf", "NotoSansLepcha-Regular.ttf", &['\u{1c00}'..='\u{1c4f}']),
    script("NotoSansOlChiki-Regular.ttf", "NotoSansOlChiki-Bold.ttf", &['\u{1c50}'..='\u{1c7f}']),
    script("NotoSansTifinagh-Regular.ttf", "NotoSansTifinagh-Regular.ttf", &['\u{2d30}'..='\u{2d7f}']),
    script("NotoSansYi-Regular.ttf", "NotoSansYi-Regular.ttf", &['\u{a000}'..='\u{a4cf}']),
    script("NotoSansLisu-Regular.ttf", "NotoSansLisu-Bold.ttf", &['\u{a4d0}'..='\u{a4ff}']),
    script("NotoSansVai-Regular.ttf", "NotoSansVai-Regular.ttf", &['\u{a500}'..='\u{a63f}']),
    script("NotoSansBamum-Regular.ttf", "NotoSansBamum-Bold.ttf", &['\u{a6a0}'..='\u{a6ff}']),
    script("NotoSansSylotiNagri-Regular.ttf", "NotoSansSylotiNagri-Regular.ttf", &['\u{a800}'..='\u{a82f}']),
    script("NotoSansPhagsPa-Regular.ttf", "NotoSansPhagsPa-Regular.ttf", &['\u{a840}'..='\u{a87f}']),
    script("NotoSansSaurashtra-Regular.ttf", "NotoSansSaurashtra-Regular.ttf", &['\u{a880}'..='\u{a8df}']),
    script("NotoSansKayahLi-Regular.ttf", "NotoSansKayahLi-Bold.ttf", &['\u{a900}'..='\u{a92f}']),
    script("NotoSansRejang-Regular.ttf", "NotoSansRejang-Regular.ttf", &['\u{a930}'..='\u{a95f}']),
    script("NotoSansJavanese-Regular.ttf", "NotoSansJavanese-Bold.ttf", &['\u{a980}'..='\u{a9df}']),
    script("NotoSansCham-Regular.ttf", "NotoSansCham-Bold.ttf", &['\u{aa00}'..='\u{aa5f}']),
    script("NotoSansTaiViet-Regular.ttf", "NotoSansTaiViet-Regular.ttf", &['\u{aa80}'..='\u{aadf}']),
    script("NotoSansMeeteiMayek-Regular.ttf", "NotoSansMeeteiMayek-Bold.ttf", &['\u{aae0}'..='\u{aaff}', '\u{abc0}'..='\u{abff}']),
    script("NotoSansChakma-Regular.ttf", "NotoSansChakma-Regular.ttf", &['\u{11100}'..='\u{1114f}']),
    script("NotoSansNewa-Regular.ttf", "NotoSansNewa-Regular.ttf", &['\u{11400}'..='\u{1147f}']),
    script("NotoSansCoptic-Regular.ttf", "NotoSansCoptic-Regular.ttf", &['\u{3e2}'..='\u{3ef}', '\u{2c80}'..='\u{2cff}']),
    script("NotoSansGlagolitic-Regular.ttf", "NotoSansGlagolitic-Regular.ttf", &['\u{2c00}'..='\u{2c5f}', '\u{1e000}'..='\u{1e02f}']),
    script("NotoSansOgham-Regular.ttf", "NotoSansOgham-Regular.ttf", &['\u{1680}'..='\u{169f}']),
    script("NotoSansRunic-Regular.ttf", "NotoSansRunic-Regular.ttf", &['\u{16a0}'..='\u{16ff}']),
    script("NotoSansLinearB-Regular.ttf", "NotoSansLinearB-Regular.ttf", &['\u{10000}'..='\u{100ff}']),
    script("NotoSansOldItalic-Regular.ttf", "NotoSansOldItalic-Regular.ttf", &['\u{10300}'..='\u{1032f}']),
    script("NotoSansGothic-Regular.ttf", "NotoSansGothic-Regular.ttf", &['\u{10330}'..='\u{1034f}']),
    script("NotoSansUgaritic-Regular.ttf", "NotoSansUgaritic-Regular.ttf", &['\u{10380}'..='\u{1039f}']),
    script("NotoSansOldPersian-Regular.ttf", "NotoSansOldPersian-Regular.ttf", &['\u{103a0}'..='\u{103df}']),
    script("NotoSansDeseret-Regular.ttf", "NotoSansDeseret-Regular.ttf", &['\u{10400}'..='\u{1044f}']),
    script("NotoSansShavian-Regular.ttf", "NotoSansShavian-Regular.ttf", &['\u{10450}'..='\u{1047f}']),
    script("NotoSansOsage-Regular.ttf", "NotoSansOsage-Regular.ttf", &['\u{104b0}'..='\u{104ff}']),
    script("NotoSansImperialAramaic-Regular.ttf", "NotoSansImperialAramaic-Regular.ttf", &['\u{10840}'..='\u{1085f}']),
    script("NotoSansPhoenician-Regular.ttf", "NotoSansPhoenician-Regular.ttf", &['\u{10900}'..='\u{1091f}']),
    script("NotoSansAvestan-Regular.ttf", "NotoSansAvestan-Regular.ttf", &['\u{10b00}'..='\u{10b3f}']),
    script("NotoSansOldTurkic-Regular.ttf", "NotoSansOldTurkic-Regular.ttf", &['\u{10c00}'..='\u{10c4f}']),
    script("NotoSansOldHungarian-Regular.ttf", "NotoSansOldHungarian-Regular.ttf", &['\u{10c80}'..='\u{10cff}']),
    script("NotoSansBrahmi-Regular.ttf", "NotoSansBrahmi-Regular.ttf", &['\u{11000}'..='\u{1107f}']),
    script("NotoSansCuneiform-Regular.ttf", "NotoSansCuneiform-Regular.ttf", &['\u{12000}'..='\u{1254f}']),
    script("NotoSansEgyptianHieroglyphs-Regular.ttf", "NotoSansEgyptianHieroglyphs-Regular.ttf", &['\u{13000}'..='\u{1342f}']),
    script("NotoMusic-Regular.ttf", "NotoMusic-Regular.ttf", &['\u{1d100}'..='\u{1d24f}']),
    Fallback {
        regular: "NotoColorEmoji.ttf", bold: "NotoColorEmoji.ttf", index: 0, ranges: &[], region: None, emoji: true,
    },
    script("DejaVuSansMono.ttf", "DejaVuSansMono-Bold.ttf", &[]),
    script("NotoSans-Regular.ttf", "NotoSans-Bold.ttf", &[]),
    script("NotoSansMath-Regular.ttf", "NotoSansMath-Regular.ttf", &[]),
    script("NotoSansSymbols-Regular.ttf", "NotoSansSymbols-Bold.ttf", &[]),
    script("NotoSansSymbols2-Regular.ttf", "NotoSansSymbols2-Regular.ttf", &[]),
    script("DejaVuSans.ttf", "DejaVuSans-Bold.ttf", &[]),
];
