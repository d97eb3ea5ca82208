// A peer's name comes in as argument. With a file and an output it draws one picture and ends; without, it answers requests on
// stdin as benches/peers/rust/src/lib.rs says: `COUNT FILE [OUT]` in, `BYTES WIDTH HEIGHT` out.

import { readFileSync, writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { extname } from "node:path";
import { prepare } from "./card.mjs";

const [name, file, out] = process.argv.slice(2);
const [peer, variant] = name.split("-");
const options = { shadow: variant !== "flat" };
const { draw } = await import(`./peer-${peer}.mjs`);

async function picture(path, text) {
  const extension = extname(path).slice(1);
  await prepare(extension);
  return draw(extension, text, options);
}

if (file) {
  writeFileSync(out, await picture(file, readFileSync(file, "utf8")));
} else {
  let drawn = 1000;
  for await (const request of createInterface({ input: process.stdin })) {
    const [count, path, out] = request.split(" ");
    const text = readFileSync(path, "utf8");
    let bytes;
    for (let i = 0; i < Number(count); i += 1) {
      bytes = await picture(path, out ? text : text.replaceAll("4217", String(++drawn)));
    }
    if (out) writeFileSync(out, bytes);
    console.log(bytes.length, bytes.readUInt32BE(16), bytes.readUInt32BE(20));
  }
}
