// A look inside one reply: how long its parts took, its tokens, what the vokens do, and a script that makes it again.
//
// The server side is `inspector/handlers.py`. Its data arrives as minigpt5.inspection.
(() => {
  const page = window.minigpt5;
  const { make, button, act } = page;
  const TEXT = page.all({
    open: "Look inside", title: "Inside this reply", close: "Close", loading: "Looking…",
    time: "Time", prefill: "Reading", text: "Writing", pictures: "Drawing", seconds: "{n} s", noTime: "The reply did not come to its end, so it was not timed.",
    reply: "What the model said", prompt: "What the model was handed", noTokens: "The reply did not come to its end, so its tokens are not known.",
    dropped: "{n} earlier messages did not fit and were left out.",
    hint: "Point at a token, or walk with the arrow keys, to see its number.",
    words: "text", control: "control token", picture: "picture that is seen", voken: "voken",
    seen: "Each picture that is seen takes {n} positions.",
    mapOne: "From vokens to the picture", map: "From vokens to picture {n}",
    explained: "When the model comes to a picture it says eight vokens. Their hidden states are mapped to 77 vectors, and these alone guide the drawing. Here each voken in turn was put to zero and the 77 vectors were made anew: a cell tells how far a vector then moves, as a share of its own length. A dark row by day (a bright one by night) is a voken that much of the picture hangs on. Nothing here is read from attention; it is what really changes.",
    most: "{voken} matters most: without it a vector moves by {share} on average.",
    peak: "The strongest single effect is that of {voken} on vector {vector}: {share}.",
    average: "On average", strongest: "Strongest on", column: "Voken", numbers: "The same in numbers",
    cell: "{voken} → vector {vector}: {share}", pointCell: "Point at a cell to see its value.",
    scale: "0 to {share}", scroll: "Heat map, {vokens} vokens by {vectors} vectors",
    script: "Make it again in Python", copy: "Copy the script", copied: "Copied", noScript: "Only a reply that came to its end can be made again.",
  });
  const PARTS = ["prefill", "text", "pictures"];
  const KINDS = { text: "words", control: "control", picture: "picture", voken: "voken" };
  const say = (name, values) => page.fill(TEXT[name], values);
  const named = (voken) => `[IMG${voken}]`;
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
    if (page.inspection?.node === node) render();
    else parts.body.replaceChildren(make("p", { role: "status" }, TEXT.loading));
    parts.dialog.showModal();
    act("inside", node);
  }

  function render() {
    if (!parts || page.inspection?.node !== asked) return;
    const data = page.inspection;
    if (data.problem) { parts.body.replaceChildren(make("p", { class: "problem", role: "alert" }, data.problem)); return; }
    const notes = [data.dropped_turns && say("dropped", { n: data.dropped_turns }), data.prompt.some(([, , kind]) => kind === "picture") && say("seen", { n: data.tokens_per_picture })].filter(Boolean);
    parts.body.replaceChildren(
      section(TEXT.time, ...times(data.timings)),
      section(TEXT.reply, ...(data.reply.length ? tokens(data.reply, TEXT.reply) : [make("p", {}, TEXT.noTokens)])),
      section(TEXT.prompt, ...tokens(data.prompt, TEXT.prompt), ...notes.map((note) => make("p", { class: "hint" }, note))),
      ...data.pictures.map((picture, index) => section(data.pictures.length > 1 ? say("map", { n: index + 1 }) : TEXT.mapOne, ...map(picture, index))),
      section(TEXT.script, ...script(data.snippet)));
  }

  const section = (title, ...children) => make("section", {}, make("h3", {}, title), ...children);

  function times(timings) {
    const found = PARTS.map((key) => [key, TEXT[key], timings[key] || 0]).filter(([, , value]) => value > 0);
    if (!found.length) return [make("p", {}, TEXT.noTime)];
    const bar = make("div", { class: "bar", "aria-hidden": "true" }, ...found.map(([key, , value]) => make("i", { class: key, style: `flex-grow:${value}` })));
    const list = make("dl", { class: "times" }, ...found.map(([key, name, value]) => make("div", {}, make("dt", { class: key }, name), make("dd", {}, say("seconds", { n: value.toFixed(2) })))));
    return [bar, list];
  }

  // ---- tokens -----------------------------------------------------------------------------------------------------

  function tokens(all, label) {
    const told = make("p", { class: "told", "aria-live": "polite" }, TEXT.hint);
    const tell = (event) => { if (event.target.dataset.told) told.textContent = event.target.dataset.told; };
    const cells = all.map(([id, text, kind], index) =>
      make("button", { type: "button", class: `token ${kind}`, tabindex: index ? -1 : 0, "data-told": `${id} · ${JSON.stringify(text)} · ${TEXT[KINDS[kind]]}` }, text === "<0x0A>" ? "⏎" : text));
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
      make("b", {}, named(voken)),
      ...row.map((value, vector) => make("i", { style: `--heat:${(100 * value / highest).toFixed(1)}%`, "data-told": say("cell", { voken: named(voken), vector, share: percent(value) }) })),
    ]);
    const grid = make("div", { class: "grid", style: `--vectors:${influence[0].length}`, "aria-hidden": "true", onmouseover: (event) => { if (event.target.dataset.told) told.textContent = event.target.dataset.told; } }, ...cells);
    const scale = make("p", { class: "scale" }, make("i", { "aria-hidden": "true" }), say("scale", { share: percent(highest) }));
    const sum = make("p", { class: "sum" }, [
      say("most", { voken: named(leader), share: percent(mean(influence[leader])) }),
      say("peak", { voken: named(peak), vector: top(influence[peak]), share: percent(Math.max(...influence[peak])) }),
    ].join(" "));
    return [
      make("div", { class: "print" }, make("img", { src: url, alt: "" }), sum),
      make("div", { class: "heat", tabindex: 0, role: "region", "aria-label": `${say("scroll", { vokens: influence.length, vectors: influence[0].length })} (${index + 1})` }, grid),
      make("div", { class: "under" }, told, scale), numbers(influence), make("p", { class: "hint" }, TEXT.explained)];
  }

  function numbers(influence) {
    const head = make("tr", {}, ...[TEXT.column, TEXT.average, TEXT.strongest].map((name) => make("th", { scope: "col" }, name)));
    const rows = influence.map((row, voken) => make("tr", {}, make("th", { scope: "row" }, named(voken)), make("td", {}, percent(mean(row))), make("td", {}, `${top(row)} (${percent(Math.max(...row))})`)));
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

  document.addEventListener("minigpt5:inspection", render);
})();
