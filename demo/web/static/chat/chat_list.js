// The list of chats, and who this browser is: a secret that only it knows finds its chats again.
(() => {
  const page = window.minigpt5;
  const { make, button, icon, act, t } = page;
  const SEARCH_MS = 180;
  const WIDE = 1100;
  const LONG_MS = 5 * 60 * 1000;
  const find = (selector) => document.querySelector(selector);
  const random = () => [...crypto.getRandomValues(new Uint8Array(16))].map((b) => b.toString(16).padStart(2, "0")).join("");
  let secret = null;
  let atWork = null; // the chat that is being renamed, or asked about before it is deleted

  page.who = () => {
    try {
      secret = localStorage.getItem("minigpt5-secret") || secret || random();
      localStorage.setItem("minigpt5-secret", secret);
    } catch { secret ||= random(); } // a browser that keeps nothing: the chats last as long as the page
    return [secret, sessionStorage.getItem("minigpt5-chat") || ""];
  };

  const DAY = 24 * 3600 * 1000;
  const midnight = (date) => new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();
  function dayOf(updated) {
    const date = new Date(updated * 1000);
    const days = Math.round((midnight(new Date()) - midnight(date)) / DAY);
    if (days <= 0) return t("Today");
    if (days === 1) return t("Yesterday");
    if (days < 7) return date.toLocaleDateString(page.language, { weekday: "long" });
    const year = date.getFullYear() === new Date().getFullYear() ? {} : { year: "numeric" };
    return date.toLocaleDateString(page.language, { day: "numeric", month: "long", ...year });
  }

  function entry(chat, open) {
    if (atWork?.id === chat.id) return atWork.deleting ? confirmation(chat) : renaming(chat);
    const begin = (deleting) => () => { atWork = { id: chat.id, deleting }; render(); };
    return make("li", { class: "entry", "data-chat": chat.id },
      make("button", { type: "button", class: "title", title: chat.title, "aria-current": chat.id === open ? "page" : null, onclick: () => choose(chat.id) }, chat.title),
      button("edit", t("Rename “{title}”", chat), begin(false)),
      button("remove", t("Delete “{title}”", chat), begin(true)));
  }

  function renaming(chat) {
    const field = make("input", { class: "rename", value: chat.title, maxlength: 200, "aria-label": t("Title of the chat") });
    const end = (save) => {
      if (atWork?.id !== chat.id) return;
      atWork = null;
      const title = field.value.trim();
      if (save && title && title !== chat.title) { chat.title = title; act("rename", { id: chat.id, title }); }
      render(chat.id);
    };
    field.addEventListener("keydown", (event) => {
      if (event.key === "Enter") end(true);
      if (event.key === "Escape") { event.stopPropagation(); end(false); }
    });
    field.addEventListener("blur", () => end(true));
    return make("li", { class: "entry" }, field);
  }

  function confirmation(chat) {
    const end = (sure) => () => {
      atWork = null;
      if (sure) act("delete", chat.id);
      render(sure ? null : chat.id);
    };
    const keep = make("button", { type: "button", class: "keep", onclick: end(false) }, t("Keep"));
    const remove = make("button", { type: "button", class: "sure", onclick: end(true) }, t("Delete"));
    return make("li", { class: "entry asking", role: "group", "aria-label": t("Delete “{title}” for good?", chat), onkeydown: (event) => { if (event.key === "Escape") end(false)(); } },
      make("span", {}, t("Delete for good?")), remove, keep);
  }

  function choose(id) {
    act("open", id);
    if (innerWidth < WIDE) toggle(false);
  }

  function groups({ chats, open }) {
    const found = new Map();
    for (const chat of chats) found.set(dayOf(chat.updated), [...(found.get(dayOf(chat.updated)) || []), chat]);
    return [...found].map(([day, list]) => make("section", {}, make("h3", {}, day), make("ul", {}, ...list.map((chat) => entry(chat, open)))));
  }

  function frame(holder) {
    const field = make("input", { type: "search", class: "search", placeholder: t("Search chats"), "aria-label": t("Search chats"), autocomplete: "off" });
    let timer = 0;
    field.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(() => act("search", field.value), SEARCH_MS); });
    holder.replaceChildren(
      make("h2", {}, t("Chats")),
      make("label", { class: "searching" }, icon("search"), field),
      make("nav", { "aria-label": t("Your chats") }));
  }

  function render(focus = null) {
    const holder = find("#history .chats");
    if (!holder || !page.history) return;
    if (!holder.firstChild) frame(holder);
    const { chats, query, more } = page.history;
    const empty = query ? t("Nothing found for “{query}”.", { query }) : t("Your chats will be kept here, on the computer that runs this page. Only this browser sees them.");
    const list = holder.querySelector("nav");
    const kept = document.activeElement?.closest?.("#history li")?.dataset.chat;
    const top = holder.parentElement.scrollTop;
    list.replaceChildren(
      ...(chats.length ? groups(page.history) : [make("p", { class: "none" }, empty)]),
      ...(more ? [make("button", { type: "button", class: "older", onclick: () => act("older") }, t("Older chats"))] : []));
    holder.parentElement.scrollTop = top;
    const asked = list.querySelector(".rename, .keep"); // at once: the next key is meant for it
    if (asked) { asked.focus(); asked.select?.(); return; }
    const again = focus || kept;
    if (again) list.querySelector(`[data-chat="${again}"] .title`)?.focus();
  }

  function toggle(open) {
    const sidebar = find("#history");
    if (sidebar && sidebar.classList.contains("open") !== open) sidebar.querySelector(".toggle-button")?.click();
  }

  let greeted = false;
  function greet() {
    const handle = find("#history .toggle-button");
    if (greeted || !handle || !page.history) return;
    greeted = true;
    if (innerWidth >= WIDE && page.history.chats.length && localStorage.getItem("minigpt5-chats") !== "closed") toggle(true);
    handle.addEventListener("click", () => {
      const open = !find("#history").classList.contains("open");
      try { localStorage.setItem("minigpt5-chats", open ? "open" : "closed"); } catch { /* nothing is kept */ }
    });
  }

  let hidden = 0;
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) hidden = Date.now();
    else if (Date.now() - hidden > LONG_MS) act("wake"); // the server may have forgotten this tab
  });
  document.addEventListener("minigpt5:history", () => { if (!atWork) render(); greet(); });
  document.addEventListener("minigpt5:outline", () => {
    const { chat } = page.outline;
    if (chat) sessionStorage.setItem("minigpt5-chat", chat); else sessionStorage.removeItem("minigpt5-chat");
  });
})();
