// Keeps an open page as it should be. Without it everything still works, after a reload.
"use strict";
{
  const main = document.getElementById("main"), link = document.getElementById("link");
  const wall = document.getElementById("wall"), strip = document.getElementById("strip");
  const words = new Intl.RelativeTimeFormat("en", { numeric: "auto" });

  // "2026-11-26T21:13:04Z" → "3 minutes ago"; what is due and has not come yet is due now.
  function ago(time) {
    const at = Date.parse(time.dateTime);
    if (Number.isNaN(at)) return;
    time.title = new Date(at).toLocaleString();
    const seconds = (at - Date.now()) / 1000, [size, unit] =
      [[86400, "day"], [3600, "hour"], [60, "minute"], [1, "second"]].find(([size]) => Math.abs(seconds) >= size) ?? [1, "second"];
    const due = "due" in time.dataset;
    const text = due && seconds < 2 ? "now" : Math.abs(seconds) < 2 ? "just now" : words.format(Math.round(seconds / size), unit);
    if (time.textContent !== text) time.textContent = text;
  }
  const times = () => document.querySelectorAll("time[datetime]").forEach(ago);

  function element(html) {
    const template = document.createElement("template");
    template.innerHTML = html.trim();
    return template.content.firstElementChild;
  }

  // What stands on the wall from now on. A new picture takes the old one's place once it can be painted, so that nothing blinks.
  function hang(id, html) {
    const fresh = element(html), old = document.getElementById(id);
    if (!old) {
      fresh.classList.add("fresh");
      return fresh;
    }
    if (old.dataset.revision === fresh.dataset.revision) return old;
    const [image, was] = [fresh, old].map(tile => tile.querySelector("img"));
    const swap = () => {
      const now = document.getElementById(id);
      if (!now || now.dataset.wanted !== fresh.dataset.revision) return;
      const focused = now.contains(document.activeElement);
      if (image && image.getAttribute("src") !== was?.getAttribute("src")) fresh.classList.add("fresh");
      now.replaceWith(fresh);
      if (focused) fresh.querySelector("a").focus({ preventScroll: true });
      times();
    };
    old.dataset.wanted = fresh.dataset.revision;
    if (!image) {
      swap();
      return fresh;
    }
    image.decode().then(swap, swap);
    return old;
  }

  function show({ order, tiles, strip: figures }) {
    if (figures !== null) strip.innerHTML = figures;
    const wanted = new Set(order);
    for (const tile of [...wall.children]) if (!wanted.has(tile.id)) tile.remove();
    let place = null;
    for (const id of order) {
      const tile = id in tiles ? hang(id, tiles[id]) : document.getElementById(id);
      if (!tile) continue;
      const next = place ? place.nextElementSibling : wall.firstElementChild;
      if (tile !== next) wall.insertBefore(tile, next);
      place = tile;
    }
    times();
  }

  // The page of a row is fetched anew when its tile on the wall is another.
  async function follow({ tiles }) {
    const tile = tiles[main.dataset.row] && element(tiles[main.dataset.row]);
    if (!tile || tile.dataset.revision === main.dataset.revision) return;
    const answer = await fetch(location.href, { headers: { accept: "text/html" } });
    if (!answer.ok) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("main");
    if (page?.dataset.row !== main.dataset.row) return;
    main.dataset.revision = page.dataset.revision;
    main.replaceChildren(...page.childNodes);
    ready();
  }

  function listen(tell) {
    const events = new EventSource("/events");
    events.onmessage = event => {
      if (link.textContent) link.textContent = "";
      tell(JSON.parse(event.data));
    };
    events.onerror = () => {
      link.textContent = "The worker does not answer; trying again.";
      if (events.readyState === EventSource.CLOSED) setTimeout(listen, 5000, tell);
    };
  }

  function ready() {
    times();
    for (const button of document.querySelectorAll("[data-copy]")) {
      button.hidden = !navigator.clipboard;
      button.onclick = async () => {
        await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
        button.textContent = "Copied";
      };
    }
  }

  ready();
  setInterval(times, 1000);
  if ("live" in main.dataset) listen(show);
  else if (main.dataset.row) listen(follow);
  // "/" searches, as in many places.
  addEventListener("keydown", event => {
    const field = document.getElementById("q");
    if (event.key !== "/" || !field || event.target.closest("input, textarea") || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    field.focus();
  });
}
