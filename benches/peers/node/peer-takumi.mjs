// takumi draws the same element tree by itself; emoji come from the machine's Noto Color Emoji, where it has it.

import { existsSync, readFileSync } from "node:fs";
import { Renderer } from "@takumi-rs/core";
import { fromJsx } from "@takumi-rs/helpers/jsx";
import { card, fonts, moreFonts, needsMoreFonts } from "./card.mjs";

const EMOJI = "/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf";

const renderer = new Renderer();
const registered = (async () => {
  for (const font of fonts) await renderer.registerFont(font);
})();
let more;
async function registerMore() {
  for (const font of moreFonts()) await renderer.registerFont(font);
  if (existsSync(EMOJI)) await renderer.registerFont({ name: "Noto Color Emoji", data: readFileSync(EMOJI), generic: "emoji" });
}

export async function draw(extension, text, options) {
  await registered;
  if (needsMoreFonts(text)) await (more ??= registerMore());
  const { node, css } = await fromJsx(card(extension, text, options));
  return renderer.render(node, { width: 1200, height: 630, format: "png", css });
}
