// What stands under each message (versions, edit, retry, copy, figures), and what goes on above the composer.
(() => {
  const page = window.minigpt5;
  const { make, button, icon, act, t } = page;
  const find = (selector) => document.querySelector(selector);

  function versions({ data }) {
    const { version, versions: all } = data;
    if (all.length < 2) return [];
    const to = (index) => {
      document.dispatchEvent(new CustomEvent("minigpt5:stay")); // the eye is on this message, not on the end
      act("flip", all[index]);
    };
    const shown = `${version + 1}/${all.length}`;
    return [make("span", { class: "versions", role: "group", "aria-label": t("Version {n} of {m}", { n: version + 1, m: all.length }) },
      button("back", t("Version before"), () => to(version - 1), { disabled: version === 0 }),
      make("span", { "aria-hidden": "true" }, shown),
      button("on", t("Next version"), () => to(version + 1), { disabled: version === all.length - 1 }))];
  }

  async function copy(event, { element, data }) {
    const tool = event.currentTarget;
    const text = data.text || element.innerText;
    try { await navigator.clipboard.writeText(text); } catch { copyBySelection(text); }
    tool.replaceChildren(icon("done"));
    setTimeout(() => tool.replaceChildren(icon("copy")), 1400);
  }

  function copyBySelection(text) {
    const area = make("textarea", { class: "unseen" });
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }

  const seconds = (value) => t("{n} s", { n: value < 10 ? value.toFixed(2) : value.toFixed(0) });
  function figures({ data }) {
    const { timings } = data;
    if (!timings?.total) return [];
    const entries = [
      ["In all", seconds(timings.total)],
      ["Reading", timings.prefill && seconds(timings.prefill)],
      ["Writing", timings.text && seconds(timings.text)],
      ["Drawing", timings.pictures && seconds(timings.pictures)],
      ["Tokens", timings.tokens],
      ["Tokens a second", timings.tokens_per_second && Math.round(timings.tokens_per_second)],
      ["Seed", data.seed],
    ].filter(([, value]) => value);
    const list = make("dl", {}, ...entries.map(([name, value]) => make("div", {}, make("dt", {}, t(name)), make("dd", {}, String(value)))));
    const summary = make("summary", { class: "tool", "aria-label": t("How it was made"), title: t("How it was made") }, icon("info"));
    return [make("details", { class: "figures" }, summary, list)];
  }

  const ENDINGS = { "": "Stopped", stopped: "Stopped", failed: "Failed", length: "Cut at its longest length" };
  function tools(row) {
    const { data } = row;
    const mine = data.role === "user";
    const note = ENDINGS[data.ending];
    return make("div", { class: "tools", "data-state": state(row) },
      ...versions(row),
      ...(mine ? [button("edit", t("Edit message"), () => act("edit", data.id))] : [button("retry", t("Retry answer"), () => act("retry", data.id))]),
      button("copy", t("Copy text"), (event) => copy(event, row)),
      ...(mine ? [] : [...figures(row), page.lookInside(data.id)]),
      ...(note && !mine ? [make("span", { class: "ending" }, t(note))] : []));
  }

  const state = ({ data, last }) => JSON.stringify([data, last, page.outline.busy]);
  function furnish() {
    const { busy, editing } = page.outline || {};
    let after = false;
    for (const row of page.rows()) {
      const { element, data, last } = row;
      const place = element.querySelector(".flex-wrap") || element;
      const old = place.querySelector(":scope > .tools");
      if (busy && last) old?.remove();
      else if (old?.dataset.state !== state(row)) {
        const focused = old?.contains(document.activeElement) && document.activeElement.getAttribute("aria-label");
        old?.remove();
        const fresh = tools(row);
        place.append(fresh);
        if (focused) (fresh.querySelector(`[aria-label="${focused}"]:not(:disabled)`) || fresh.querySelector("button:not(:disabled)"))?.focus();
      }
      element.classList.toggle("last", last);
      element.classList.toggle("edited", data.id === editing);
      element.classList.toggle("replaced", after);
      after ||= data.id === editing;
    }
    showEarlier();
  }

  function showEarlier() {
    const old = find("#chat .earlier");
    const first = page.rows()[0]?.element;
    if (!page.outline?.hidden || !first) return old?.remove();
    if (old && first.contains(old)) return undefined;
    old?.remove();
    return first.append(make("button", { type: "button", class: "earlier", onclick: () => { document.dispatchEvent(new CustomEvent("minigpt5:stay")); act("earlier"); } }, t("Earlier messages")));
  }

  function announce() {
    const bar = find("#stage .stage");
    if (!bar) return;
    const { busy, editing } = page.outline || {};
    if (editing && !busy) return showEditing(bar, editing);
    const text = busy ? t(page.status || "Thinking") : "";
    const [, done, all] = text.match(/(\d+)\/(\d+)/) || [];
    if (bar.dataset.shown !== text) {
      bar.dataset.shown = text;
      bar.replaceChildren(...(text ? [make("span", { class: "pill", style: done ? `--done:${(100 * done) / all}%` : "" }, make("span", { class: "dot" }), text)] : []));
    }
    const stage = text.replace(/\s*\d+\/.*/, "");
    const said = find("#stage .said");
    if (said && said.textContent !== stage) said.textContent = stage;
  }

  function showEditing(bar, editing) {
    if (bar.dataset.shown === editing) return;
    bar.dataset.shown = editing;
    const cancel = make("button", { type: "button", class: "cancel", onclick: () => act("cancel") }, t("Cancel"));
    bar.replaceChildren(make("span", { class: "pill editing" }, icon("edit"), make("span", {}, t("Editing your message."), " ", make("small", {}, t("Sending makes another version, nothing is lost."))), cancel));
    const field = find("#composer textarea");
    field?.focus();
    field?.setSelectionRange(field.value.length, field.value.length);
    find("#chat .edited")?.scrollIntoView({ block: "nearest" });
  }

  document.addEventListener("keydown", (event) => {
    const field = event.target.closest?.("#composer textarea");
    if (!page.outline || page.outline.busy) return;
    if (event.key === "Escape" && page.outline.editing) act("cancel");
    const empty = field && !field.value && !find("#composer .thumbnail-item");
    if (event.key === "ArrowUp" && empty && !page.outline.editing) {
      const mine = page.outline.rows.filter((row) => row.role === "user").at(-1);
      if (mine) { event.preventDefault(); act("edit", mine.id); }
    }
  });
  document.addEventListener("click", (event) => {
    document.querySelectorAll("details.figures[open]").forEach((open) => { if (!open.contains(event.target)) open.open = false; });
  });
  document.addEventListener("minigpt5:changed", () => { furnish(); announce(); });
})();
