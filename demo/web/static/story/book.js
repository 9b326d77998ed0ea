// One story as a picture book: its scenes as spreads, what can be done to each, and what is being done right now.
window.storyBook = (id, { words, owner, tellProblem, onGone }) => {
  const { ask, el, say, t } = window.story;
  const spreads = new Map();
  let view = null;

  const post = (action, values = {}) => ask(`stories/${id}/${action}`, { values, owner }).catch(tellProblem);
  const button = (label, act, kind = "", more = {}) => el(`button${kind}`, { type: "button", onclick: act, ...more }, label);

  const title = el("textarea.title", {
    id: "story-title", "aria-label": words.title, maxLength: 200, rows: 1, onchange: () => post("rename", { title: title.value }),
    onkeydown: (event) => { if (event.key === "Enter") { event.preventDefault(); title.blur(); } }, oninput: () => fitTitle(),
  });
  const fitTitle = () => { title.style.height = "auto"; title.style.height = `${title.scrollHeight + 4}px`; };
  const about = el("p.about"), begun = el("div.begun"), status = el("p.status", { role: "status", "aria-live": "polite" });
  const pages = el("ol.spreads");
  const asked = el("input", { id: "ask", type: "text", maxLength: 300, placeholder: words.ask_hint, "aria-label": words.ask, autocomplete: "off", enterkeyhint: "send" });
  const next = el("button.primary", { type: "submit", id: "write-next" }, words.write_next);
  const all = button("", () => post("run"), "", { id: "write-all" });
  const pause = button(words.pause, () => post("stop"), ".primary", { id: "pause" });
  const undo = button(words.undo, () => post("undo"), "", { id: "undo" });
  const stage = el("a.button", { id: "open-stage", href: `stage#${id}` }, words.stage);
  const composer = el("form.composer", { onsubmit: (event) => { event.preventDefault(); post("write", { ask: asked.value }); asked.value = ""; } }, asked, next, all, pause);

  const kinds = { html: words.as_html, pdf: words.as_pdf, pptx: words.as_pptx, gif: words.as_gif, zip: words.as_zip };
  const saving = el("span.saving", { role: "status" });
  const save = el("details.menu", { id: "save-as" }, el("summary.button", {}, words.save_as), el("div.sheet", {},
    ...Object.entries(kinds).map(([kind, label]) => button(label, () => saveAs(kind), "", { "data-kind": kind })), saving));
  const remove = button(words.delete_story, async () => {
    if (remove.dataset.sure) { if (await post("delete")) onGone(); return; }
    remove.dataset.sure = "yes";
    remove.textContent = words.really;
    setTimeout(() => { delete remove.dataset.sure; remove.textContent = words.delete_story; }, 4000);
  }, ".grave", { id: "delete-story" });

  async function saveAs(kind) {
    saving.textContent = words.saving;
    try {
      const answer = await ask(`stories/${id}/as/${kind}`, { owner });
      const name = answer.headers.get("content-disposition")?.match(/filename="(.+)"/)?.[1] || `story.${kind}`;
      const link = el("a", { href: URL.createObjectURL(await answer.blob()), download: name });
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 60000);
      save.open = false;
    } catch (error) { tellProblem(error); }
    saving.textContent = "";
  }

  const node = el("article.book", {}, el("div.book-head", {}, title, about, begun,
    el("div.tools", {}, stage, save, undo, remove)), pages, status, composer);

  function spread(scene) {
    const place = () => view.scenes.findIndex((other) => other.id === scene.id);
    const act = (name, values = () => ({})) => () => post(name, { place: place(), ...values() });
    const picture = el("img", { alt: "" }), words_ = el("p.words"), asks = el("p.asked"), mark = el("span.stopped", {}, words.stopped);
    const editor = el("textarea.editor", { hidden: true, rows: 4, maxLength: 4000 });
    const version = el("span.version");
    const versions = el("div.versions", { role: "group" },
      button("‹", act("choose", () => ({ version: shown().version - 1 })), ".before", { "aria-label": words.version_before, title: words.version_before }), version,
      button("›", act("choose", () => ({ version: shown().version + 1 })), ".after", { "aria-label": words.version_after, title: words.version_after }));
    const shown = () => view.scenes[place()].picture;
    const edit = button(words.edit, () => change(true), ".edit");
    const cancel = button(words.cancel, () => change(false), ".cancel");
    const done = button(words.done, async () => { await post("edit", { place: place(), text: editor.value }); change(false); }, ".done.primary");
    const redraw = button(words.redraw, act("redraw"), ".redraw");
    const more = el("details.menu.more", {}, el("summary.button", {}, "⋯"), el("div.sheet", {},
      button(words.retell, act("retell"), ".retell"), button(words.illustrate, act("illustrate"), ".illustrate"),
      button(words.go_on, act("go-on"), ".go-on"),
      button(words.earlier, act("move", () => ({ to: place() - 1 })), ".earlier"), button(words.later, act("move", () => ({ to: place() + 1 })), ".later"),
      button(words.remove, act("remove"), ".remove.grave")));
    more.addEventListener("click", (event) => { if (event.target.closest(".sheet button")) more.open = false; });
    const actions = el("div.scene-actions", {}, edit, redraw, more), editing = el("div.scene-actions", { hidden: true }, done, cancel);
    const frame = el("figure", {}, picture, el("div.progress"));
    const item = el("li.spread", {}, frame, el("div.side", {}, el("span.number"), asks, words_, mark, editor, editing, actions, versions));

    function change(on) {
      editor.value = view.scenes[place()]?.text ?? "";
      for (const [part, shownNow] of [[editor, on], [editing, on], [words_, !on], [actions, !on]]) part.hidden = !shownNow;
      if (on) { editor.focus(); editor.style.height = `${Math.max(editor.scrollHeight, 110)}px`; } else edit.focus();
    }

    function draw(now, at) {
      const work = view.work?.place === at ? view.work : null;
      const source = work?.preview || now.picture?.url || "";
      if (source && picture.getAttribute("src") !== source) picture.src = source;
      if (!source) picture.removeAttribute("src");
      picture.alt = source ? say(work ? words.picture_forming : words.picture_of, { n: at + 1, text: now.text }) : "";
      frame.className = work ? `at-work ${work.state}` : source ? "" : "empty";
      frame.style.setProperty("--done", work?.steps ? work.step / work.steps : 0);
      item.querySelector(".number").textContent = at + 1;
      item.setAttribute("aria-label", say(words.scene, { n: at + 1 }));
      asks.textContent = now.ask;
      asks.hidden = !now.ask;
      mark.hidden = now.ending !== "stopped";
      ink(words_, now.text);
      editor.setAttribute("aria-label", say(words.edit_words, { n: at + 1 }));
      more.firstChild.setAttribute("aria-label", say(words.more_deeds, { n: at + 1 }));
      for (const part of [...actions.querySelectorAll("button"), ...versions.querySelectorAll("button"), done]) part.disabled = Boolean(view.work);
      redraw.textContent = now.picture ? words.redraw : words.illustrate;
      if (!view.work) {
        item.querySelector(".earlier").disabled = at === 0;
        item.querySelector(".later").disabled = at === view.scenes.length - 1;
      }
      versions.hidden = !now.picture || now.picture.versions < 2;
      if (!versions.hidden) {
        version.textContent = say(words.version, { n: now.picture.version + 1, m: now.picture.versions });
        if (!view.work) {
          versions.querySelector(".before").disabled = now.picture.version === 0;
          versions.querySelector(".after").disabled = now.picture.version === now.picture.versions - 1;
        }
      }
    }
    return { item, draw };
  }

  // New words dry in like ink; words that were there stay as they are.
  function ink(target, text) {
    const before = target.textContent;
    if (before === text) return;
    if (before && text.startsWith(before)) target.append(el("span.fresh", {}, text.slice(before.length)));
    else target.replaceChildren(text ? el("span.fresh", {}, text) : "");
  }

  function draw(now) {
    const grown = view && now.scenes.length > view.scenes.length;
    view = now;
    if (document.activeElement !== title && title.value !== view.title) { title.value = view.title; requestAnimationFrame(fitTitle); }
    const { premise, cast, tone } = view.plan;
    about.textContent = [...[premise, cast].filter((said) => said.toLowerCase() !== view.title.toLowerCase()), tone === "plain" ? "" : words[`tone_${tone}`]].filter(Boolean).join(" · ");
    if (begun.children.length !== view.pictures.length) begun.replaceChildren(...view.pictures.map((url) => el("img", { src: url, alt: words.pictures })));
    for (const [known, { item }] of spreads) if (!view.scenes.some((scene) => scene.id === known)) { item.remove(); spreads.delete(known); }
    view.scenes.forEach((scene, at) => {
      if (!spreads.has(scene.id)) spreads.set(scene.id, spread(scene));
      const { item, draw: drawSpread } = spreads.get(scene.id);
      if (pages.children[at] !== item) pages.insertBefore(item, pages.children[at] ?? null);
      drawSpread(scene, at);
    });
    tools();
    if (grown) pages.lastChild.scrollIntoView({ block: "nearest", behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
  }

  function tools() {
    const { work, scenes, plan } = view, missing = plan.scenes - scenes.length;
    const doing = work ? (work.pausing ? words.pausing : say(words[work.state], { ...work, n: work.place + 1 })) : t(view.problem);
    if (status.textContent !== doing) status.textContent = doing;
    status.classList.toggle("problem", !work && Boolean(view.problem));
    pause.hidden = !work;
    pause.disabled = Boolean(work?.pausing);
    next.hidden = Boolean(work);
    all.hidden = Boolean(work) || missing < 2;
    all.textContent = say(words.write_all, { n: plan.scenes });
    undo.disabled = Boolean(work) || !view.can_undo;
  }

  return { node, draw };
};
