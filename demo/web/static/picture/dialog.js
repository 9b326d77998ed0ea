// The picture dialog: one picture large, every drawing that was made of its vokens, and the tools that make more.
//
// The server side is `picture/handlers.py`. Its data arrives as minigpt5.dialog; a null means that the picture is gone.
(() => {
  const page = window.minigpt5;
  const { make, button, icon, act, fill: filled, t } = page;
  const TEXT = page.all({
    open: "Open the picture", title: "Picture", yours: "Your picture", close: "Close", before: "Drawing before", next: "Next drawing",
    guidance: "Guidance", steps: "Steps", scheduler: "Scheduler", seed: "Seed", dice: "Another seed",
    redraw: "Draw again", anew: "Draw again with a new seed", variations: "Four variations", strip: "Guidance strip", stop: "Stop",
    use: "Use as input", copy: "Copy picture", save: "Download", zoomIn: "Larger", zoomOut: "Smaller", fit: "Whole picture",
    drawings: "Drawings", drawing: "Drawing {n} of {m}", zoom: "Zoom", failed: "Copying did not work: {why}",
    hint: "The words stay; only the picture is drawn anew from the same vokens.",
  });
  const STRIP = [1, 3, 5, 7.5, 12];
  const ZOOMS = [1, 8];
  const view = { scale: 1, x: 0, y: 0 };
  let parts = null; // the dialog's elements by name
  let shown = null; // {node, part} of the picture in the dialog, or {url} of one that is only looked at

  // ---- the dialog -------------------------------------------------------------------------------------------------

  function build() {
    const p = {};
    p.image = make("img", { alt: "", draggable: "false" });
    p.forming = make("div", { class: "forming", "aria-live": "off" });
    p.canvas = make("div", { class: "canvas" }, p.image);
    p.zoom = make("div", { class: "zoom", role: "group", "aria-label": TEXT.zoom },
      button("minus", TEXT.zoomOut, () => zoomBy(1 / 1.5)), button("fit", TEXT.fit, fit), button("plus", TEXT.zoomIn, () => zoomBy(1.5)));
    p.prompt = make("p", { class: "prompt" });
    p.film = make("div", { class: "film", role: "group", "aria-label": TEXT.drawings });
    p.fields = fields(p);
    p.problem = make("p", { class: "problem", role: "alert" });
    p.redraw = make("button", { type: "button", class: "main", onclick: () => draw([unchanged() ? { ...settings(), seed: newSeed() } : settings()]) }, TEXT.redraw);
    p.variations = make("button", { type: "button", onclick: () => draw([1, 2, 3, 4].map(() => ({ ...settings(), seed: newSeed() }))) }, TEXT.variations);
    p.strip = make("button", { type: "button", onclick: () => draw(STRIP.map((guidance_scale) => ({ ...settings(), guidance_scale }))) }, TEXT.strip);
    p.stop = make("button", { type: "button", class: "main", onclick: () => act("stop") }, TEXT.stop);
    p.make = make("div", { class: "making" }, p.redraw, p.variations, p.strip, p.stop);
    p.tools = make("section", { class: "again" }, p.film, make("p", { class: "hint" }, TEXT.hint), p.fields, p.problem, p.make);
    p.use = labelled("up", TEXT.use, useAsInput);
    p.take = make("div", { class: "taking" }, p.use, labelled("copy", TEXT.copy, copyPicture), labelled("save", TEXT.save, download));
    p.title = make("h2", { id: "desk-title" });
    const panel = make("div", { class: "panel" }, make("header", {}, p.title, button("close", TEXT.close, () => p.dialog.close(), { class: "tool close" })), p.prompt, p.tools, p.take);
    p.dialog = make("dialog", { id: "desk", "aria-labelledby": "desk-title", onclose: closed }, make("div", { class: "view" }, p.canvas, p.forming, p.zoom), panel);
    document.querySelector("main.contain").append(p.dialog); // outside it Gradio's media rules do not reach
    listen(p);
    return p;
  }

  const labelled = (sign, text, onclick) => make("button", { type: "button", onclick }, icon(sign), text);

  function fields(p) {
    const slider = (name, label, min, max, step) => {
      const out = make("output", { for: `desk-${name}` });
      p[name] = make("input", { type: "range", id: `desk-${name}`, min, max, step, oninput: () => { out.value = p[name].value; } });
      return make("div", { class: "field" }, make("label", { for: `desk-${name}` }, label), out, p[name]);
    };
    p.scheduler = make("select", { id: "desk-scheduler", oninput: takeFast }); // filled when the model's are known
    p.seed = make("input", { type: "text", id: "desk-seed", inputmode: "numeric", autocomplete: "off", spellcheck: "false" });
    const nameRedraw = () => { p.redraw.textContent = unchanged() ? TEXT.anew : TEXT.redraw; };
    return make("div", { class: "fields", oninput: nameRedraw, onclick: nameRedraw },
      slider("guidance_scale", TEXT.guidance, 1, 20, 0.5), slider("num_inference_steps", TEXT.steps, 1, 50, 1),
      make("div", { class: "field" }, make("label", { for: "desk-scheduler" }, TEXT.scheduler), p.scheduler),
      make("div", { class: "field seed" }, make("label", { for: "desk-seed" }, TEXT.seed), p.seed, button("dice", TEXT.dice, () => { p.seed.value = newSeed(); })));
  }

  // ---- what it shows ----------------------------------------------------------------------------------------------

  function open(picture, alt, opener) {
    parts ||= build();
    shown = { ...picture, opener, filled: null };
    const mine = picture.url !== undefined;
    parts.title.textContent = mine ? TEXT.yours : TEXT.title;
    parts.tools.hidden = parts.use.hidden = mine;
    parts.prompt.textContent = "";
    parts.forming.replaceChildren();
    parts.problem.textContent = "";
    parts.image.alt = alt;
    parts.image.src = picture.url ?? opener.querySelector("img")?.src ?? "";
    fit();
    if (!parts.dialog.open) parts.dialog.showModal();
    if (!mine) act("look", { node: picture.node, part: picture.part });
  }

  const drawing = () => page.dialog?.drawings[page.dialog.chosen];
  const here = () => parts?.dialog.open && page.dialog && page.dialog.node === shown?.node && page.dialog.part === shown?.part;

  function render() {
    if (!here()) return;
    const { drawings, chosen, forming, busy, prompt, problem, schedulers } = page.dialog;
    parts.dialog.classList.toggle("busy", busy);
    parts.prompt.textContent = prompt;
    if (problem) parts.problem.textContent = t(problem);
    const alone = forming.length === 1;
    const now = alone ? forming[0].url : drawings[chosen].url;
    if (parts.image.getAttribute("src") !== now) parts.image.src = now;
    parts.image.classList.toggle("rough", alone);
    showSideBySide(busy ? forming : finished(drawings));
    if (!parts.scheduler.length) parts.scheduler.append(...schedulers.map(([name, value]) => make("option", { value }, t(name))));
    if (shown.filled !== chosen) fill(drawings[chosen], chosen);
    showFilm(drawings, chosen, busy);
    parts.stop.hidden = !busy;
    [parts.redraw, parts.variations, parts.strip].forEach((tool) => { tool.hidden = busy; });
  }

  // Of the several that were asked for those that are done, to choose from.
  function finished(drawings) {
    const made = (wanted) => drawings.findIndex((one) => Object.entries(wanted).every(([name, value]) => one[name] === value));
    return (shown.asked || []).map(made).filter((index) => index >= 0).map((index) => ({ url: drawings[index].url, index }));
  }

  function showSideBySide(cells) {
    if (cells.length < 2) cells = [];
    parts.forming.hidden = !cells.length;
    parts.forming.classList.toggle("pairs", cells.length === 4);
    while (parts.forming.children.length > cells.length) parts.forming.lastChild.remove();
    cells.forEach(({ url, label, index: drawn }, index) => {
      const cell = parts.forming.children[index] || parts.forming.appendChild(make("button", { type: "button" }, make("img", { alt: "" }), make("span")));
      cell.firstChild.src = url;
      cell.disabled = drawn === undefined;
      cell.onclick = () => choose(drawn);
      const { guidance_scale, seed } = shown.asked[index];
      cell.lastChild.textContent = [shown.strip ? `${TEXT.guidance} ${guidance_scale}` : `${TEXT.seed} ${seed}`, label].filter(Boolean).join(" · ");
    });
  }

  function showFilm(drawings, chosen, busy) {
    const state = JSON.stringify([drawings.map((one) => one.url), chosen, busy]);
    if (parts.film.dataset.state === state) return;
    const focused = parts.film.contains(document.activeElement);
    parts.film.dataset.state = state;
    parts.film.replaceChildren(...drawings.map((one, index) => make("button", {
      type: "button", class: "frame", "aria-pressed": String(index === chosen), disabled: busy, title: t(one.label),
      "aria-label": `${filled(TEXT.drawing, { n: index + 1, m: drawings.length })}, ${t(one.label)}`, onclick: () => choose(index),
    }, make("img", { src: one.url, alt: "" }), make("span", {}, `${index + 1} · ${one.guidance_scale}`))));
    const current = parts.film.children[chosen];
    current?.scrollIntoView({ block: "nearest", inline: "center" });
    if (focused) current?.focus();
  }

  function fill(one, chosen) {
    shown.filled = chosen;
    slide(one);
    parts.scheduler.value = one.scheduler;
    takeFast();
    parts.seed.value = one.seed;
    parts.redraw.textContent = TEXT.anew;
  }

  const SLIDERS = ["guidance_scale", "num_inference_steps"];

  function slide(values) {
    for (const name of SLIDERS) {
      parts[name].value = values[name];
      parts[name].dispatchEvent(new Event("input"));
    }
  }

  // `fast` has steps and guidance of its own, so there is nothing to slide, and no strip of guidances to draw.
  function takeFast() {
    const fast = parts.scheduler.value === "fast" && page.dialog.fast;
    for (const part of [...SLIDERS, "strip"]) parts[part].disabled = Boolean(fast);
    if (fast) slide(fast);
  }

  function closed() {
    const { opener } = shown || {};
    shown = null;
    if (opener?.isConnected) opener.focus();
  }

  // ---- actions ----------------------------------------------------------------------------------------------------

  const newSeed = () => String(crypto.getRandomValues(new Uint32Array(1))[0]);
  const settings = () => ({
    guidance_scale: Number(parts.guidance_scale.value), num_inference_steps: Number(parts.num_inference_steps.value),
    scheduler: parts.scheduler.value, seed: parts.seed.value.trim(),
  });

  // The same settings give the same file, so that drawing again would change nothing.
  function unchanged() {
    const now = drawing();
    return Boolean(now) && Object.entries(settings()).every(([name, value]) => now[name] === value);
  }

  function draw(choices) {
    shown.asked = choices;
    shown.strip = choices.length > 1 && choices.every(({ seed }) => seed === choices[0].seed);
    shown.filled = null;
    parts.problem.textContent = "";
    fit();
    act("redraw", { node: shown.node, part: shown.part, choices });
  }

  function choose(chosen) {
    if (!page.dialog || page.dialog.busy || chosen < 0 || chosen >= page.dialog.drawings.length) return;
    if (shown) shown.asked = null;
    act("choose", { node: page.dialog.node, part: page.dialog.part, chosen });
  }

  function useAsInput() {
    act("use", { node: shown.node, part: shown.part });
    parts.dialog.close();
    document.querySelector("#composer textarea")?.focus();
  }

  function fileName() {
    const one = drawing();
    return shown.url || !one ? "picture.png" : `minigpt5-seed-${one.seed}-guidance-${one.guidance_scale}.png`;
  }

  async function download() { // by way of a blob, since the server's header would name the file otherwise
    const url = URL.createObjectURL(await (await fetch(parts.image.src)).blob());
    make("a", { href: url, download: fileName() }).click();
    setTimeout(() => URL.revokeObjectURL(url), 60000);
  }

  async function copyPicture(event) {
    const sign = event.currentTarget.querySelector(".icon");
    try {
      const blob = await (await fetch(parts.image.src)).blob();
      await navigator.clipboard.write([new ClipboardItem({ [blob.type]: blob })]);
    } catch (error) { parts.problem.textContent = filled(TEXT.failed, { why: error.message }); return; }
    const was = [...sign.childNodes];
    sign.replaceChildren(...icon("done").childNodes);
    setTimeout(() => sign.replaceChildren(...was), 1400);
  }

  // ---- zoom and pan -----------------------------------------------------------------------------------------------

  function place() {
    parts.image.style.transform = `translate(${view.x}px, ${view.y}px) scale(${view.scale})`;
    parts.canvas.classList.toggle("zoomed", view.scale > 1);
  }
  function fit() { Object.assign(view, { scale: 1, x: 0, y: 0 }); place(); }

  function zoomBy(factor, at = null) {
    const scale = Math.min(ZOOMS[1], Math.max(ZOOMS[0], view.scale * factor));
    const box = parts.canvas.getBoundingClientRect();
    const x = at ? at.clientX - box.left - box.width / 2 : 0;
    const y = at ? at.clientY - box.top - box.height / 2 : 0;
    view.x = x - (x - view.x) * (scale / view.scale);
    view.y = y - (y - view.y) * (scale / view.scale);
    view.scale = scale;
    if (scale === 1) view.x = view.y = 0;
    place();
  }

  function listen(p) {
    const fingers = new Map();
    const apart = () => { const [a, b] = [...fingers.values()]; return Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY); };
    p.canvas.addEventListener("wheel", (event) => { event.preventDefault(); zoomBy(event.deltaY < 0 ? 1.2 : 1 / 1.2, event); }, { passive: false });
    p.canvas.addEventListener("dblclick", (event) => (view.scale > 1 ? fit() : zoomBy(2.5, event)));
    p.canvas.addEventListener("pointerdown", (event) => { p.canvas.setPointerCapture(event.pointerId); fingers.set(event.pointerId, event); });
    p.canvas.addEventListener("pointermove", (event) => {
      const before = fingers.get(event.pointerId);
      if (!before) return;
      const was = fingers.size === 2 ? apart() : 0;
      fingers.set(event.pointerId, event);
      if (fingers.size === 2) zoomBy(apart() / was, event);
      else if (view.scale > 1) { view.x += event.clientX - before.clientX; view.y += event.clientY - before.clientY; place(); }
    });
    for (const end of ["pointerup", "pointercancel"]) p.canvas.addEventListener(end, (event) => fingers.delete(event.pointerId));
    p.dialog.addEventListener("click", (event) => { if (event.target === p.dialog) p.dialog.close(); });
    p.dialog.addEventListener("keydown", keys);
  }

  function keys(event) {
    if (event.target.matches("input, select, textarea") || event.ctrlKey || event.metaKey || event.altKey) return;
    const moves = {
      ArrowLeft: () => choose(page.dialog?.chosen - 1), ArrowRight: () => choose(page.dialog?.chosen + 1),
      "+": () => zoomBy(1.5), "=": () => zoomBy(1.5), "-": () => zoomBy(1 / 1.5), 0: fit,
    };
    const move = moves[event.key];
    if (!move || (event.key.startsWith("Arrow") && !here())) return;
    event.preventDefault();
    move();
  }

  // ---- pictures in the chat ---------------------------------------------------------------------------------------

  function flipper({ part, chosen, drawings }, node) {
    const to = (index) => act("choose", { node, part, chosen: index });
    return make("div", { class: "drawings", role: "group", "aria-label": filled(TEXT.drawing, { n: chosen + 1, m: drawings }), "data-state": `${chosen}/${drawings}` },
      button("back", TEXT.before, () => to(chosen - 1), { disabled: chosen === 0 }),
      make("span", { "aria-hidden": "true" }, `${chosen + 1}/${drawings}`),
      button("on", TEXT.next, () => to(chosen + 1), { disabled: chosen === drawings - 1 }));
  }

  function furnish() {
    for (const row of page.rows()) {
      for (const element of row.element.querySelectorAll(".image-container > button")) {
        const label = `${TEXT.open}: ${element.querySelector("img")?.alt || TEXT.yours}`;
        if (element.getAttribute("aria-label") !== label) element.setAttribute("aria-label", label);
      }
      for (const { element, data } of page.pictures(row)) {
        const place = element.closest(".component") || element.parentElement;
        const old = place.querySelector(":scope > .drawings");
        if (data.drawings < 2) old?.remove();
        else if (old?.dataset.state !== `${data.chosen}/${data.drawings}`) {
          const focused = old?.contains(document.activeElement) && document.activeElement.getAttribute("aria-label");
          const fresh = flipper(data, row.data.id);
          if (old) old.replaceWith(fresh); else place.append(fresh);
          if (focused) (fresh.querySelector(`[aria-label="${focused}"]:not(:disabled)`) || fresh.querySelector("button:not(:disabled)"))?.focus();
        }
      }
    }
  }

  function opened(event) {
    const element = event.target.closest?.("#chat .image-container");
    if (!element || (event.type === "keydown" && event.key !== "Enter" && event.key !== " ")) return;
    event.preventDefault();
    event.stopPropagation();
    const row = page.rows().find((one) => one.element.contains(element));
    const image = element.querySelector("img");
    if (!row || !image || image.src.startsWith("data:image/svg")) return;
    const picture = page.pictures(row).find((one) => one.element === element);
    const opener = image.closest("button") || element;
    if (picture) open({ node: row.data.id, part: picture.data.part }, image.alt, opener);
    else open({ url: image.src }, image.alt, opener);
  }

  document.addEventListener("click", opened, true);
  document.addEventListener("keydown", opened, true);
  document.addEventListener("minigpt5:changed", furnish);
  document.addEventListener("minigpt5:dialog", render);
  document.addEventListener("minigpt5:outline", () => { if (here()) render(); });
})();
