// Following a story: a stream of views that comes back by itself when the network does.
window.story = (() => {
  const RETRY_MS = 1500;

  function secret() {
    const fresh = () => [...crypto.getRandomValues(new Uint8Array(16))].map((b) => b.toString(16).padStart(2, "0")).join("");
    try {
      const known = localStorage.getItem("minigpt5-secret");
      if (known) return known;
      const made = fresh();
      localStorage.setItem("minigpt5-secret", made);
      return made;
    } catch { return fresh(); }
  }

  const { t, all, fill: say } = window.minigpt5;

  async function ask(url, { values, body, owner } = {}) {
    const headers = owner ? { "X-Story-Owner": owner } : {};
    const sent = values !== undefined || body !== undefined;
    const answer = await fetch(url, { method: sent ? "POST" : "GET", headers, body: body ?? (values && JSON.stringify(values)) });
    if (!answer.ok) {
      const told = await answer.json().catch(() => ({}));
      throw Object.assign(new Error(t(told.error) || `${answer.status}`), { told: Boolean(told.error) });
    }
    return answer;
  }

  async function* views(url, owner, signal) {
    const answer = await fetch(url, { headers: owner ? { "X-Story-Owner": owner } : {}, signal });
    if (!answer.ok) {
      const told = await answer.json().catch(() => ({}));
      throw Object.assign(new Error(t(told.error) || `${answer.status}`), { told: Boolean(told.error) });
    }
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    let buffer = "";
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      buffer += value;
      const events = buffer.split("\n\n");
      buffer = events.pop();
      const last = events.filter((event) => event.startsWith("data: ")).at(-1);  // a slow page skips what is stale
      if (last) yield JSON.parse(last.slice(6));
    }
  }

  // Calls `show(view)` for every view, `away(error)` whenever the stream ends; an answer in words ends it for good.
  function follow(url, owner, show, away) {
    const control = new AbortController();
    (async () => {
      while (!control.signal.aborted) {
        try {
          for await (const view of views(url, owner, control.signal)) show(view);
        } catch (error) {
          if (control.signal.aborted) return;
          away(error);
          if (error.told) return;
        }
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    })();
    return () => control.abort();
  }

  // el("button.primary", {onclick, "aria-label": ...}, children...)
  function el(name, properties = {}, ...children) {
    const [tag, ...classes] = name.split(".");
    const node = document.createElement(tag);
    if (classes.length) node.className = classes.join(" ");
    for (const [key, value] of Object.entries(properties)) {
      if (value === undefined || value === null || value === false) continue;
      if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
      else if (key in node && key !== "list" && !key.includes("-")) node[key] = value;
      else node.setAttribute(key, value);
    }
    node.append(...children.filter((child) => child !== null && child !== undefined));
    return node;
  }

  return { all, ask, el, follow, say, secret, t };
})();
