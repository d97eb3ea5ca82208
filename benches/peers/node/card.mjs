// A snippet comes in, the element tree of a card of 1200 × 630 goes out: what somebody would write by hand for satori or takumi
// to get the card that tintype draws: the same layout, the same faces, tokens coloured by shiki, and only the lines that show.

import { readFileSync } from "node:fs";
import { createHighlighterCore } from "shiki/core";
import { createOnigurumaEngine } from "shiki/engine/oniguruma";

const LANGUAGES = { ex: "elixir", rs: "rust", ts: "typescript", py: "python", js: "javascript" };
const LINES = 10; // of the smallest size, in the room below the title
const ROOM = 312;
const WIDTH = 1072;
const LINE_HEIGHT = 1.5;
const FALLBACK = ["Noto Sans JP", "Noto Sans Hebrew", "Noto Sans Arabic"];
const ADVANCE = 0.6; // JetBrains Mono, of its size

let highlighter;
const known = new Set();

/** Loads one language and the theme; once each. */
export async function prepare(extension) {
  highlighter ??= await createHighlighterCore({
    themes: [import("shiki/themes/one-dark-pro.mjs")],
    engine: createOnigurumaEngine(import("shiki/wasm")),
  });
  const language = LANGUAGES[extension];
  if (!known.has(language)) await highlighter.loadLanguage(import(`shiki/langs/${language}.mjs`));
  known.add(language);
}

const assets = new URL(process.env.TINTYPE_ASSETS, "file:///");
const files = {
  "Inter Display": ["fonts/inter-display-semibold.otf", 600],
  Inter: ["fonts/inter-semibold.otf", 600],
  "JetBrains Mono": ["fonts/jetbrains-mono-regular.ttf", 400],
};
export const fonts = Object.entries(files).map(([name, [file, weight]]) => ({
  name,
  weight,
  style: "normal",
  data: readFileSync(new URL(file, assets)),
}));
const file = (script) => new URL(import.meta.resolve(`@fontsource/noto-sans-${script}-400-normal.woff`));
/** The faces of other scripts, loaded only where a snippet needs them. */
export const moreFonts = () =>
  ["jp/files/noto-sans-jp-japanese", "hebrew/files/noto-sans-hebrew-hebrew", "arabic/files/noto-sans-arabic-arabic"].map((path, at) => ({
    name: FALLBACK[at],
    weight: 400,
    style: "normal",
    data: readFileSync(file(path)),
  }));
export const needsMoreFonts = (text) => /[^\x00-\x7f]/.test(text);

const el = (style, children) => ({ type: "div", props: { style: { display: "flex", ...style }, children } });

function line(tokens, size) {
  // Spaces at a token's edge would be lost, so all of them are the kind that is kept.
  const spans = tokens.map((token) => el({ color: token.color, flexShrink: 0 }, token.content.replaceAll(" ", "\u00a0")));
  return el({ height: size * LINE_HEIGHT, flexShrink: 0 }, spans.length ? spans : "\u00a0");
}

/** Cells that a line takes; CJK and emoji take two. */
function cells(row) {
  return [...row].reduce((sum, c) => sum + (/[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uff00-\uff60]|\p{Emoji_Presentation}/u.test(c) ? 2 : 1), 0);
}

/** The card; `shadow` is left out where asked, since some renderers take most of their time for it. */
export function card(extension, text, { shadow = true } = {}) {
  const all = text.trimEnd().split("\n");
  const shown = all.slice(0, LINES);
  const { tokens } = highlighter.codeToTokens(shown.join("\n"), { lang: LANGUAGES[extension], theme: "one-dark-pro", tokenizeTimeLimit: 0 });
  const longest = Math.max(...shown.map(cells));
  const size = Math.max(20, Math.min(30, Math.floor(1010 / (longest * ADVANCE))));
  const visible = tokens.slice(0, Math.floor(ROOM / (size * LINE_HEIGHT)));
  const dot = (background) => el({ width: 13, height: 13, borderRadius: 7, background, marginRight: 9 });
  const bar = el({ height: 52, flexShrink: 0, alignItems: "center", padding: "0 24px" }, [
    dot("#ff5f57"), dot("#febc2e"), dot("#28c840"),
    el({ color: "#9aa0b8", fontFamily: "JetBrains Mono", fontSize: 19, marginLeft: 12 }, `snippet.${extension}`),
  ]);
  const code = el(
    { flexDirection: "column", padding: "8px 30px", fontFamily: ["JetBrains Mono", ...FALLBACK].join(", "), fontSize: size },
    visible.map((row) => line(row, size)),
  );
  const window = {
    flexDirection: "column", width: WIDTH, height: 372, flexShrink: 0, marginTop: 32, borderRadius: 18, border: "1px solid rgba(255,255,255,0.08)",
    background: "#171926",
    // Clipping and wide shadows cost satori and resvg much, so neither is more than needed.
    ...(longest * size * ADVANCE > 1010 && { overflow: "hidden" }),
    ...(shadow && { boxShadow: "0 20px 40px rgba(0,0,0,0.65)" }),
  };
  const eyebrow = el({ alignItems: "center", fontFamily: "Inter", fontWeight: 600, fontSize: 24, color: "#f4f5fb" }, [
    el({ width: 40, height: 40, borderRadius: 20, marginRight: 14, background: "#d9763d", alignItems: "center", justifyContent: "center" }, "A"),
    el({}, "Ada Lovelace"),
    el({ color: "#9aa0b8", marginLeft: 12 }, "· blog.example"),
  ]);
  const title = el({ marginTop: 22, fontFamily: "Inter Display", fontWeight: 600, fontSize: 50, color: "#f4f5fb" }, "What the code says");
  const ground = {
    width: 1200, height: 630, flexDirection: "column", padding: "52px 64px", backgroundColor: "#0d0f1a",
    backgroundImage: "radial-gradient(circle at 88% 0%, #3b2a72, #0d0f1a 62%)",
  };
  return el(ground, [eyebrow, title, el(window, [bar, code])]);
}
