// What on this page is hard to use: a list of words, empty where nothing is.
(() => {
  const faults = [], seen = element => element.getClientRects().length > 0 && getComputedStyle(element).visibility !== "hidden";
  const name = element => (element.getAttribute("aria-label") ?? element.textContent).trim() || element.querySelector("img[alt]:not([alt=''])")?.alt;
  const short = element => element.outerHTML.slice(0, 120);
  if (!document.documentElement.lang) faults.push("no language");
  if (document.querySelectorAll("h1").length !== 1) faults.push("not one h1");
  if (!document.title) faults.push("no title");
  if (document.scrollingElement.scrollWidth > innerWidth) faults.push(`wider than the window: ${document.scrollingElement.scrollWidth}`);
  for (const image of document.images) if (!image.alt) faults.push(`no alt: ${short(image)}`);
  for (const element of document.querySelectorAll("a, button, summary")) if (seen(element) && !name(element)) faults.push(`no name: ${short(element)}`);
  for (const field of document.querySelectorAll("input:not([type=hidden]), select, textarea, progress"))
    if (!field.labels?.length && !field.getAttribute("aria-label")) faults.push(`no label: ${short(field)}`);
  const ids = [...document.querySelectorAll("[id]")].map(element => element.id);
  for (const id of ids) if (ids.indexOf(id) !== ids.lastIndexOf(id)) faults.push(`twice: #${id}`);

  // Colours as [red, green, blue, alpha]; what lies under a text is looked for up to the first that hides all else.
  const colour = text => { const [r, g, b, a = 1] = text.match(/[\d.]+/g).map(Number); return [r, g, b, a]; };
  const over = ([r, g, b, a], [R, G, B]) => [r * a + R * (1 - a), g * a + G * (1 - a), b * a + B * (1 - a), 1];
  const ground = element => {
    if (!element) return matchMedia("(prefers-color-scheme: dark)").matches ? [0, 0, 0, 1] : [255, 255, 255, 1];
    const own = colour(getComputedStyle(element).backgroundColor);
    return own[3] === 1 ? own : over(own, ground(element.parentElement));
  };
  const light = ([r, g, b]) => {
    const [R, G, B] = [r, g, b].map(c => (c /= 255) <= .04045 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4);
    return .2126 * R + .7152 * G + .0722 * B;
  };
  const contrast = (a, b) => { const [x, y] = [light(a), light(b)].sort((x, y) => y - x); return (x + .05) / (y + .05); };
  const check = (element, text, what) => {
    const under = ground(element), found = contrast(over(colour(text), under), under);
    if (found < 4.5) faults.push(`contrast ${found.toFixed(2)} of ${what}: ${short(element)}`);
  };
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement;
    if (texts.currentNode.data.trim() && seen(element)) check(element, getComputedStyle(element).color, "text");
  }
  for (const field of document.querySelectorAll("input[placeholder]")) check(field, getComputedStyle(field, "::placeholder").color, "a placeholder");

  for (const element of document.querySelectorAll("a[href], button, input:not([type=hidden]), [tabindex]")) {
    if (!seen(element)) continue;
    element.focus({ focusVisible: true });
    const style = getComputedStyle(element);
    if (document.activeElement === element && (style.outlineStyle === "none" || parseFloat(style.outlineWidth) < 2)) faults.push(`focus unseen: ${short(element)}`);
  }
  return faults;
})()
