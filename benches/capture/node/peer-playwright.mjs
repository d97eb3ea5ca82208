// Playwright as its documentation has it: a context and a page for each picture, `load`, a screenshot. It waits for fonts by itself.

import { chromium } from "playwright-core";

const WINDOW = { width: 1200, height: 630 };

export async function open(program) {
  const browser = await chromium.launch({ executablePath: program, chromiumSandbox: true });
  return {
    async fresh(url) {
      const context = await browser.newContext({ viewport: WINDOW });
      const page = await context.newPage();
      await page.goto(url, { waitUntil: "load" });
      return [await page.screenshot({ type: "png" }), () => context.close()];
    },
    async keep() {
      const page = await browser.newPage({ viewport: WINDOW });
      return async (html) => {
        await page.setContent(html, { waitUntil: "load" });
        return [await page.screenshot({ type: "png" })];
      };
    },
    close: () => browser.close(),
  };
}
