// The remote: turns the slides of one stage, and asks for the story's next scene.
(() => {
  const { all, ask, follow, say, t } = window.story;
  const words = all(JSON.parse(document.getElementById("words").textContent));
  const find = (id) => document.getElementById(id);
  const code = location.pathname.split("/").filter(Boolean).at(-1);
  let view = null;

  const post = (action, values = {}) => ask(`${code}/${action}`, { values }).catch((error) => tell(error.message));
  const tell = (text) => { find("state").textContent = text; };
  const last = () => view.scenes.length;
  const go = (slide) => { if (view) { view.slide = Math.min(Math.max(slide, 0), last()); draw(view); post("show", { slide: view.slide }); } };

  function text(slide) {
    if (slide > last()) return words.nothing;
    return slide === 0 ? words.title_slide : view.scenes[slide - 1] || "…";
  }

  function draw(next) {
    view = next;
    const slide = Math.min(view.slide, last());
    find("title").textContent = view.title;
    find("now").textContent = text(slide);
    find("then").textContent = text(slide + 1);
    const doing = view.work ? say(words[view.work.state], view.work) : "";
    tell([say(words.slide, { n: slide + 1, m: last() + 1 }), doing, t(view.problem)].filter(Boolean).join(" · "));
    find("previous").disabled = slide === 0;
    find("next").disabled = slide >= last();
    find("write").hidden = Boolean(view.work);
    find("pause").hidden = !view.work;
  }

  const labels = { previous: words.previous, next: words.next, write: words.write_next, pause: words.pause, "now-name": words.now, "then-name": words.then };
  for (const [id, label] of Object.entries(labels)) find(id).textContent = label;
  find("ask").placeholder = words.ask_hint;
  find("ask").setAttribute("aria-label", words.ask_hint);
  find("title").textContent = words.name;
  find("previous").addEventListener("click", () => go(view?.slide - 1));
  find("next").addEventListener("click", () => go(view?.slide + 1));
  find("pause").addEventListener("click", () => post("stop"));
  find("asking").addEventListener("submit", (event) => {
    event.preventDefault();
    post("next-scene", { ask: find("ask").value });
    find("ask").value = "";
  });
  addEventListener("keydown", (event) => {
    if (event.target.matches("input, button")) return;
    if (["ArrowRight", "PageDown", " "].includes(event.key)) go(view?.slide + 1);
    if (["ArrowLeft", "PageUp"].includes(event.key)) go(view?.slide - 1);
  });
  follow(`${code}/events`, null, draw, (error) => tell(error.told ? error.message : words.offline));
})();
