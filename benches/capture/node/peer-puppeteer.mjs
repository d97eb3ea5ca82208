// Puppeteer as its documentation has it: a context and a page for each picture, `load`, fonts, a screenshot. The variant `quick` asks
// for the PNG that is quick to make and large.

import puppeteer from "puppeteer-core";

const WINDOW = { width: 1200, height: 630 };

export async function open(program, variant) {
  const browser = await puppeteer.launch({ executablePath: program, defaultViewport: WINDOW, headless: "shell" });
  const picture = async (page) => {
    await page.evaluate("document.fonts.ready.then(() => 0)");
    return page.screenshot({ type: "png", optimizeForSpeed: variant === "quick" });
  };
  return {
    async fresh(url) {
      const context = await browser.createBrowserContext();
      const page = await context.newPage();
      await page.goto(url, { waitUntil: "load" });
      return [await picture(page), () => context.close()];
    },
    async keep() {
      const page = await browser.newPage();
      return async (html) => {
        await page.setContent(html, { waitUntil: "load" });
        return [await picture(page)];
      };
    },
    close: () => browser.close(),
  };
}
