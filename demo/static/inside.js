// A look inside one reply: how long its parts took, its tokens, what the vokens do, and a script that makes it again.
//
// The server side is `inside.py`. Its data arrives as minigpt5.inside.
(() => {
  const page = window.minigpt5;
  const { make, button, deed } = page;
  const TEXT = {
    open: "Look inside", title: "Inside this reply", close: "Close", loading: "Looking…",
    time: "Time", parts: { prefill: "Reading", text: "Writing", pictures: "Drawing" }, seconds: (value) => `${value.toFixed(2)} s`, noTime: "The reply did not come to its end, so it was not timed.",
    reply: "What the model said", prompt: "What the model was handed", noTokens: "The reply did not come to its end, so its tokens are not known.",
    dropped: (count) => `${count} earlier messages did not fit and were left out.`,
    hint: "Point at a token, or walk with the arrow keys, to see its number.",
    token: (id, text, kind) => `${id} · ${JSON.stringify(text)} · ${kind}`,
    kinds: { text: "text", control: "control token", picture: "picture that is seen", voken: "voken" },
    seen: (count) => `Each picture that is seen takes ${count} positions.`,
    map: (number, all) => (all > 1 ? `From vokens to picture ${number}` : "From vokens to the picture"),
    explained: "When the model comes to a picture it says eight vokens. Their hidden states are mapped to 77 vectors, and these alone guide the drawing. Here each voken in turn was put to zero and the 77 vectors were made anew: a cell tells how far a vector then moves, as a share of its own length. A dark row by day (a bright one by night) is a voken that much of the picture hangs on. Nothing here is read from attention; it is what really changes.",
    most: (voken, mean) => `[IMG${voken}] matters most: without it a vector moves by ${percent(mean)} on average.`,
    peak: (voken, vector, value) => `The strongest single effect is that of [IMG${voken}] on vector ${vector}: ${percent(value)}.`,
    average: "On average", strongest: "Strongest on", voken: "Voken", numbers: "The same in numbers",
    cell: (voken, vector, value) => `[IMG${voken}] → vector ${vector}: ${percent(value)}`, pointCell: "Point at a cell to see its value.",
    scale: (value) => `0 to ${percent(value)}`, scroll: "Heat map, 8 vokens by 77 vectors",
    script: "Make it again in Python", copy: "Copy the script", copied: "Copied", noScript: "Only a reply that came to its end can be made again.",
  };
  const percent = (value) => `${(100 * value).toFixed(value < 0.1 ? 1 : 0)}%`;
  let parts = null;
  let asked = null; // the id of the reply that is looked into

  page.lookInside = (node) => button("inside", TEXT.open, () => open(node));

  function build() {
    const body = make("div", { class: "body" });
    const head = make("header", {}, make("h2", { id: "inside-title" }, TEXT.title), button("close", TEXT.close, () => dialog.close(), { class: "tool close" }));
    const dialog = make("dialog", { id: "inside", "aria-labelledby": "inside-title" }, head, body);
    dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
    document.querySelector("main.contain").append(dialog); // outside it Gradio's media rules do not reach
    return { dialog, body };
  }

  function open(node) {
    parts ||= build();
    asked = node;
    if (page.inside?.node === node) render();
    else parts.body.replaceChildren(make("p", { role: "status" }, TEXT.loading));
    parts.dialog.showModal();
    deed("inside", node);
  }

  function render() {
    if (!parts || page.inside?.node !== asked) return;
    const data = page.inside;
    if (data.problem) { parts.body.replaceChildren(make("p", { class: "problem", role: "alert" }, data.problem)); return; }
    const notes = [data.dropped_turns && TEXT.dropped(data.dropped_turns), data.prompt.some(([, , kind]) => kind === "picture") && TEXT.seen(data.tokens_per_picture)].filter(Boolean);
    parts.body.replaceChildren(
      section(TEXT.time, ...times(data.timings)),
      section(TEXT.reply, ...(data.reply.length ? tokens(data.reply, TEXT.reply) : [make("p", {}, TEXT.noTokens)])),
      section(TEXT.prompt, ...tokens(data.prompt, TEXT.prompt), ...notes.map((note) => make("p", { class: "hint" }, note))),
      ...data.pictures.map((picture, index) => section(TEXT.map(index + 1, data.pictures.length), ...map(picture, index))),
      section(TEXT.script, ...script(data.snippet)));
  }

  const section = (title, ...children) => make("section", {}, make("h3", {}, title), ...children);

  function times(timings) {
    const found = Object.entries(TEXT.parts).map(([key, name]) => [key, name, timings[key] || 0]).filter(([, , value]) => value > 0);
    if (!found.length) return [make("p", {}, TEXT.noTime)];
    const bar = make("div", { class: "bar", "aria-hidden": "true" }, ...found.map(([key, , value]) => make("i", { class: key, style: `flex-grow:${value}` })));
    const list = make("dl", { class: "times" }, ...found.map(([key, name, value]) => make("div", {}, make("dt", { class: key }, name), make("dd", {}, TEXT.seconds(value)))));
    return [bar, list];
  }

  // ---- tokens -----------------------------------------------------------------------------------------------------

  function tokens(all, label) {
    const told = make("p", { class: "told", "aria-live": "polite" }, TEXT.hint);
    const tell = (event) => { if (event.target.dataset.told) told.textContent = event.target.dataset.told; };
    const cells = all.map(([id, text, kind], index) =>
      make("button", { type: "button", class: `token ${kind}`, tabindex: index ? -1 : 0, "data-told": TEXT.token(id, text, TEXT.kinds[kind]) }, text === "<0x0A>" ? "⏎" : text));
    const box = make("div", { class: "tokens", role: "group", "aria-label": label, onmouseover: tell, onfocusin: tell, onkeydown: (event) => walk(event, cells) }, ...cells);
    return [box, told];
  }

  function walk(event, cells) {
    const at = cells.indexOf(event.target);
    const to = { ArrowLeft: at - 1, ArrowUp: at - 1, ArrowRight: at + 1, ArrowDown: at + 1, Home: 0, End: cells.length - 1 }[event.key];
    if (to === undefined || !cells[to]) return;
    event.preventDefault();
    cells[at].tabIndex = -1;
    cells[to].tabIndex = 0;
    cells[to].focus();
  }

  // ---- vokens -> vectors ------------------------------------------------------------------------------------------

  const mean = (row) => row.reduce((sum, value) => sum + value, 0) / row.length;
  const top = (row) => row.indexOf(Math.max(...row));

  function map({ url, influence }, index) {
    const highest = Math.max(...influence.flat());
    const leader = top(influence.map(mean));
    const peak = top(influence.map((row) => Math.max(...row)));
    const told = make("p", { class: "told" }, TEXT.pointCell);
    const cells = influence.flatMap((row, voken) => [
      make("b", {}, `[IMG${voken}]`),
      ...row.map((value, vector) => make("i", { style: `--heat:${(100 * value / highest).toFixed(1)}%`, "data-told": TEXT.cell(voken, vector, value) })),
    ]);
    const grid = make("div", { class: "grid", style: `--vectors:${influence[0].length}`, "aria-hidden": "true", onmouseover: (event) => { if (event.target.dataset.told) told.textContent = event.target.dataset.told; } }, ...cells);
    const scale = make("p", { class: "scale" }, make("i", { "aria-hidden": "true" }), TEXT.scale(highest));
    const sum = make("p", { class: "sum" }, `${TEXT.most(leader, mean(influence[leader]))} ${TEXT.peak(peak, top(influence[peak]), influence[peak][top(influence[peak])])}`);
    return [
      make("div", { class: "print" }, make("img", { src: url, alt: "" }), sum),
      make("div", { class: "heat", tabindex: 0, role: "region", "aria-label": `${TEXT.scroll} (${index + 1})` }, grid),
      make("div", { class: "under" }, told, scale), numbers(influence), make("p", { class: "hint" }, TEXT.explained)];
  }

  function numbers(influence) {
    const head = make("tr", {}, ...[TEXT.voken, TEXT.average, TEXT.strongest].map((name) => make("th", { scope: "col" }, name)));
    const rows = influence.map((row, voken) => make("tr", {}, make("th", { scope: "row" }, `[IMG${voken}]`), make("td", {}, percent(mean(row))), make("td", {}, `${top(row)} (${percent(Math.max(...row))})`)));
    return make("details", {}, make("summary", {}, TEXT.numbers), make("table", {}, make("thead", {}, head), make("tbody", {}, ...rows)));
  }

  // ---- the script -------------------------------------------------------------------------------------------------

  function script(snippet) {
    if (!snippet) return [make("p", {}, TEXT.noScript)];
    const code = make("pre", { tabindex: 0, role: "region", "aria-label": TEXT.script }, snippet);
    const copy = make("button", { type: "button", class: "main", onclick: () => take(snippet, code, copy) }, TEXT.copy);
    return [code, copy];
  }

  async function take(snippet, code, copy) {
    try { await navigator.clipboard.writeText(snippet); } catch { getSelection().selectAllChildren(code); document.execCommand("copy"); }
    copy.textContent = TEXT.copied;
    setTimeout(() => { copy.textContent = TEXT.copy; }, 1400);
  }

  document.addEventListener("minigpt5:inside", render);
})();
