// The stage: slides of one story that turn by key, clicker, touch or remote, and stay when the network goes.
(() => {
  const { all, ask, el, follow, say, secret, t } = window.story;
  const QUIET_MS = 2600, LONG = 220, LONGER = 520;
  const words = all(JSON.parse(document.getElementById("words").textContent));
  const find = (id) => document.getElementById(id);
  const id = location.hash.slice(1), owner = secret();
  const slides = find("slides");
  let view = { title: "", scenes: [], work: null }, shown = 0, told = -1, offline = false, pending = 0;

  const count = () => view.scenes.length + 1;
  const post = (action, values = {}) => ask(`stories/${id}/${action}`, { values, owner });

  function show(slide, { tell = true } = {}) {
    shown = Math.min(Math.max(slide, 0), count() - 1);
    [...slides.children].forEach((node, place) => {
      node.classList.toggle("on", place === shown);
      node.classList.toggle("past", place < shown);
      node.inert = place !== shown;
    });
    const picture = slides.children[shown]?.querySelector("img")?.src;
    const ambience = picture || slides.querySelector("img")?.src;
    if (ambience) find("ambience").style.backgroundImage = `url("${ambience}")`;
    find("spoken").textContent = shown ? view.scenes[shown - 1].text : view.title;
    if (tell && shown !== told) {
      told = shown;
      pending += 1;
      post("show", { slide: shown }).catch(() => {}).finally(() => { pending -= 1; });
    }
    state();
  }

  function state() {
    const work = view.work;
    const doing = work ? say(words[work.state], work) : "";
    const place = say(words.slide, { n: shown + 1, m: count() });
    find("state").textContent = [place, doing, t(view.problem), offline ? words.offline : ""].filter(Boolean).join("  ·  ");
    controls.previous.disabled = shown === 0;
    controls.next.disabled = shown >= count() - 1;
    controls.write.hidden = Boolean(work);
    controls.write.disabled = offline;
    controls.pause.hidden = !work;
  }

  function write() { if (!view.work) post("next-scene").catch((error) => { view.problem = error.told ? error.message : ""; state(); }); }
  const pause = () => post("stop").catch(() => {});
  const leave = () => { post("leave-stage").catch(() => {}).finally(() => location.assign(`story#${id}`)); };
  const fullScreen = () => (document.fullscreenElement ? document.exitFullscreen() : document.documentElement.requestFullscreen?.());

  async function remote() {
    const dialog = find("remote");
    if (dialog.open) return dialog.close();
    const address = new URL(".", location.href).href;
    const opened = await post("stage", { address }).then((answer) => answer.json()).catch(() => null);
    if (!opened) return;
    const code = el("div", { role: "img", "aria-label": opened.link });
    code.innerHTML = opened.qr;
    const local = ["localhost", "127.0.0.1", "[::1]"].includes(location.hostname);
    dialog.replaceChildren(
      el("h2", { id: "remote-title" }, words.remote_title), code, el("p.code", {}, opened.code),
      el("p", {}, el("a", { href: opened.link, target: "_blank", rel: "noopener" }, opened.link)),
      el("p.hint", {}, words.remote_more), local ? el("p.hint", {}, words.remote_local) : null,
      el("button", { type: "button", onclick: () => dialog.close() }, words.close),
    );
    dialog.showModal();
  }

  function button(name, label, act, kind = "") {
    return el(`button${kind}`, { type: "button", id: name, title: words.keys, onclick: act }, label);
  }
  const controls = {
    previous: button("previous", words.previous, () => show(shown - 1)),
    next: button("next", words.next, () => show(shown + 1), ".primary"),
    write: button("write", words.write_next, write),
    pause: button("pause", words.pause, pause),
    remote: button("open-remote", words.remote, remote),
    full: button("full-screen", words.full_screen, fullScreen),
    leave: button("leave", words.leave, leave),
  };
  find("controls").append(...Object.values(controls));
  find("controls").setAttribute("aria-label", words.keys);

  function titleSlide() {
    const node = slides.children[0] || slides.appendChild(el("section.slide.title", {}, el("h1")));
    if (node.firstChild.textContent !== view.title) node.firstChild.textContent = view.title;
  }

  function sceneSlide(scene, place) {
    let node = slides.children[place + 1];
    if (!node) {
      node = el("section.slide", {}, el("figure", {}, el("img", { alt: "" })), el("p"));
      slides.append(node);
    }
    const work = view.work?.place === place ? view.work : null;
    const [figure, text] = node.children, picture = figure.firstChild;
    const source = (work && work.preview) || scene.picture?.url || "";
    if (source && picture.getAttribute("src") !== source) picture.src = source;
    if (!source) picture.removeAttribute("src");
    picture.alt = say(words.picture, { n: place + 1 });
    figure.classList.toggle("forming", work?.state === "drawing");
    figure.style.setProperty("--done", work?.steps ? work.step / work.steps : 0);
    figure.hidden = !source && !work;
    node.classList.toggle("words", figure.hidden);
    node.classList.toggle("long", scene.text.length > LONG);
    node.classList.toggle("longer", scene.text.length > LONGER);
    const before = text.textContent;
    if (before === scene.text) return;
    if (before && scene.text.startsWith(before)) text.append(el("span.fresh", {}, scene.text.slice(before.length)));
    else text.replaceChildren(el("span.fresh", {}, scene.text));
  }

  function draw(next) {
    const began = next.scenes.length > view.scenes.length && shown === count() - 1 && told !== -1;
    offline = false;
    view = next;
    document.title = `${view.title} · MiniGPT-5`;
    titleSlide();
    view.scenes.forEach(sceneSlide);
    while (slides.children.length > count()) slides.lastChild.remove();
    if (told === -1) { told = view.slide; show(view.slide, { tell: false }); return; }
    if (began) show(count() - 1);  // who waits at the end sees the new scene come
    else if (!pending && view.slide !== told) { told = view.slide; show(view.slide, { tell: false }); }
    else show(shown, { tell: false });
  }

  function away(error) {
    offline = !error.told;
    if (error.told) { view.problem = words.missing; }
    state();
  }

  const keys = {
    ArrowRight: () => show(shown + 1), ArrowDown: () => show(shown + 1), PageDown: () => show(shown + 1), " ": () => show(shown + 1), Enter: () => show(shown + 1),
    ArrowLeft: () => show(shown - 1), ArrowUp: () => show(shown - 1), PageUp: () => show(shown - 1), Backspace: () => show(shown - 1),
    Home: () => show(0), End: () => show(count() - 1), w: write, r: remote, f: fullScreen, Escape: leave,
  };
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || find("remote").open) return;
    const pressed = event.target.closest("button, a") && [" ", "Enter"].includes(event.key);
    const act = !pressed && keys[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (act) { event.preventDefault(); act(); }
  });
  slides.addEventListener("click", (event) => show(shown + (event.clientX < innerWidth / 3 ? -1 : 1)));

  let quiet;
  const wake = () => {
    document.body.classList.remove("quiet");
    clearTimeout(quiet);
    quiet = setTimeout(() => document.body.classList.add("quiet"), QUIET_MS);
  };
  for (const kind of ["pointermove", "pointerdown", "focusin"]) addEventListener(kind, wake);
  wake();
  titleSlide();
  state();
  if (id) follow(`stories/${id}/events`, owner, draw, away); else away({ told: true });
})();
