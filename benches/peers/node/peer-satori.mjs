// satori makes an SVG of the card, resvg-js a PNG of the SVG. Emoji are pictures of twemoji, as satori's own playground does it.

import { readFileSync } from "node:fs";
import satori from "satori";
import { Resvg } from "@resvg/resvg-js";
import { card, fonts, moreFonts, needsMoreFonts } from "./card.mjs";

let all;

const svgFolder = new URL("svg/", import.meta.resolve("@discordapp/twemoji/dist/twemoji.npm.js"));

/** The picture of one emoji, or nothing for a script that no font was given for. */
async function loadAdditionalAsset(kind, segment) {
  if (kind !== "emoji") return [];
  const full = [...segment].map((c) => c.codePointAt(0).toString(16));
  const name = full.includes("200d") ? full : full.filter((point) => point !== "fe0f");
  try {
    return `data:image/svg+xml;base64,${readFileSync(new URL(`${name.join("-")}.svg`, svgFolder)).toString("base64")}`;
  } catch {
    return [];
  }
}

export async function draw(extension, text, options) {
  const used = needsMoreFonts(text) ? (all ??= [...fonts, ...moreFonts()]) : fonts;
  const svg = await satori(card(extension, text, options), { width: 1200, height: 630, fonts: used, loadAdditionalAsset });
  return new Resvg(svg, { font: { loadSystemFonts: false } }).render().asPng();
}
