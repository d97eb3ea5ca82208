// takumi draws the same element tree by itself; emoji come from the machine's Noto Color Emoji, where it has it.

import { existsSync, readFileSync } from "node:fs";
import { Renderer } from "@takumi-rs/core";
import { fromJsx } from "@takumi-rs/helpers/jsx";
import { card, fonts, japaneseFont, needsJapanese } from "./card.mjs";

const EMOJI = "/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf";

const renderer = new Renderer();
const registered = (async () => {
  for (const font of fonts) await renderer.registerFont(font);
})();
let more;
async function registerMore() {
  await renderer.registerFont(japaneseFont());
  if (existsSync(EMOJI)) await renderer.registerFont({ name: "Noto Color Emoji", data: readFileSync(EMOJI), generic: "emoji" });
}

export async function draw(extension, text, options) {
  await registered;
  if (/[^\x00-\x7f]/.test(text)) await (more ??= registerMore());
  const { node, css } = await fromJsx(card(extension, text, options));
  return renderer.render(node, { width: 1200, height: 630, format: "png", css });
}
