// Serves requests on stdin, a line of JSON each, and answers each with a line of JSON on stdout. The peer's name and the browser's
// program come in as arguments. Requests:
//   {"do": "open"}                                        starts the browser
//   {"do": "fresh", "url", "count", "at_once", "out"?}    pictures of a page, each in a context of its own
//   {"do": "kept", "html": [text, …], "out"?}             pictures of texts, one after the other, in one page
//   {"do": "close"}                                       ends the browser
// The answer has the milliseconds of each picture, of all together, and the bytes of the last; `out` is a file for the last.

import { writeFileSync } from "node:fs";
import { createInterface } from "node:readline";

const [peer, program] = process.argv.slice(2);
const [name, variant] = peer.split("-");
const { open } = await import(`./peer-${name}.mjs`);

let browser;
let kept;

async function timed(take) {
  const started = performance.now();
  const [picture, end] = await take();
  const ms = performance.now() - started;
  await end?.(); // outside the clock: the picture is there
  return { ms, picture };
}

async function fresh({ url, count, at_once: atOnce }) {
  const times = [];
  let left = count;
  let last;
  const worker = async () => {
    while (left-- > 0) {
      const { ms, picture } = await timed(() => browser.fresh(url));
      times.push(ms);
      last = picture;
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return { times, last };
}

async function inKeptPage({ html }) {
  kept ??= await browser.keep();
  const times = [];
  let last;
  for (const text of html) {
    const { ms, picture } = await timed(() => kept(text));
    times.push(ms);
    last = picture;
  }
  return { times, last };
}

async function answer(request) {
  switch (request.do) {
    case "open":
      browser = await open(program, variant);
      return { times: [] };
    case "close":
      await browser?.close();
      [browser, kept] = [];
      return { times: [] };
    case "fresh":
      return fresh(request);
    case "kept":
      return inKeptPage(request);
    default:
      throw new Error(`unknown request ${request.do}`);
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line);
  try {
    const started = performance.now();
    const { times, last } = await answer(request);
    const all = performance.now() - started;
    if (request.out && last) writeFileSync(request.out, last);
    console.log(JSON.stringify({ times, all, bytes: last?.length ?? 0 }));
  } catch (error) {
    console.log(JSON.stringify({ error: String(error) }));
  }
}
await browser?.close();
