// Runs in a world of its own beside the page's scripts, which can neither see nor change what it uses. It is told one task a time:
// `ready` prepares the page for its picture, `measure` says where on the page the picture is.
async (task, wishes) => {
  const within = (limit, promise) => Promise.race([promise, new Promise((done) => setTimeout(done, limit))]);
  const frame = () => new Promise((done) => requestAnimationFrame(() => done()));
  const pause = (time) => new Promise((done) => setTimeout(done, time));
  const find = (selector, purpose) => {
    try {
      return document.querySelector(selector);
    } catch {
      throw { bad: selector };
    }
  };
  const isShown = (element) => {
    const box = element.getBoundingClientRect();
    return box.width > 0 && box.height > 0 && getComputedStyle(element).visibility !== "hidden";
  };
  const root = () => document.scrollingElement || document.documentElement;

  const style = () => {
    const hidden = wishes.hide.map((selector) => (find(selector), `${selector}{display:none!important}`));
    const text = hidden.join("\n") + "\n" + (wishes.css || "");
    if (!text.trim()) return;
    const sheet = new CSSStyleSheet(); // which no policy of the page's forbids
    sheet.replaceSync(text);
    document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
  };

  const click = async () => {
    for (const selector of wishes.click) {
      const element = find(selector);
      if (element instanceof HTMLElement) element.click();
    }
    if (wishes.click.length) await pause(100);
  };

  // Pictures that wait until somebody comes near them are told that somebody did; pages that watch the window's place themselves
  // see it pass by.
  const wake = async (limit) => {
    for (const image of document.querySelectorAll("img[loading=lazy], iframe[loading=lazy]")) image.loading = "eager";
    const [left, top] = [scrollX, scrollY];
    const step = Math.max(innerHeight, 200);
    for (let at = 0; at < Math.min(root().scrollHeight, limit); at += step) {
      scrollTo({ left, top: at, behavior: "instant" });
      await within(100, frame().then(frame));
    }
    scrollTo({ left, top, behavior: "instant" });
    await within(100, frame());
  };

  const settled = async (inWindow) => {
    await within(wishes.patience, document.fonts.ready);
    const images = Array.from(document.images).filter((image) => {
      const box = image.getBoundingClientRect();
      const near = box.bottom >= 0 && box.right >= 0 && box.top <= innerHeight && box.left <= innerWidth;
      return image.currentSrc && (near || !inWindow);
    });
    await within(wishes.patience, Promise.allSettled(images.map((image) => image.decode())));
  };

  const ready = async () => {
    style();
    root().getBoundingClientRect(); // so that fonts are asked for, painted or not
    if (wishes.loaded && document.readyState !== "complete") {
      await new Promise((done) => addEventListener("load", done, { once: true })); // a text that was written into the page
    }
    while (wishes.wait_for) {
      const element = find(wishes.wait_for);
      if (element && isShown(element)) break;
      await pause(20);
    }
    await click();
    if (wishes.delay) await pause(wishes.delay);
    const whole = wishes.full_page || wishes.selector || wishes.clip;
    if (whole) await wake(wishes.highest);
    await settled(!whole);
    if (wishes.expect_selector && !find(wishes.expect_selector)) return { absent: "expect" };
    return { title: document.title.slice(0, 1000).toWellFormed().trim() };
  };

  const measure = () => {
    const page = { width: root().scrollWidth, height: root().scrollHeight };
    if (!wishes.selector) return { page };
    const element = find(wishes.selector);
    if (!element) return { absent: "selector" };
    const box = element.getBoundingClientRect();
    return { page, box: { x: box.x + scrollX, y: box.y + scrollY, width: box.width, height: box.height } };
  };

  try {
    return JSON.stringify(task === "ready" ? await ready() : measure());
  } catch (error) {
    return JSON.stringify(error && error.bad ? error : { failed: String(error) });
  }
}
