// The story page: the list of stories, a sheet for a new story, and the book that is being written. `story/book.js` draws the book.
(() => {
  const { all, ask, el, follow, say, secret } = window.story;
  const MAX_BYTES = 10 * 2 ** 20;

  function start(root) {
    const { tones, limits, logo, ...given } = JSON.parse(root.dataset.values);
    const words = all(given.words);
    const owner = secret();
    let leave = null, current = null, pictures = [];

    const notice = el("p.notice", { role: "status" });
    const tellProblem = (error) => { notice.textContent = error?.message || ""; if (error) notice.scrollIntoView({ block: "nearest" }); };
    const json = async (url, sent) => (await ask(url, { ...sent, owner })).json();
    const list = el("ul.story-list"), stage = el("div", { id: "story-main" });

    async function showList() {
      const found = await json("stories").catch(() => []);
      list.replaceChildren(...found.map((info) => el("li", {}, el("a", {
        href: `#${info.id}`, "aria-current": info.id === current ? "page" : null,
      }, info.title))));
      if (!found.length) list.append(el("li.none", {}, words.none_yet));
    }

    function head() {
      const file = el("input", { type: "file", accept: ".zip,application/zip", hidden: true, id: "story-file", onchange: takeIn, "aria-label": words.import });
      const sign = el("span.sign", { "aria-hidden": "true" });
      sign.innerHTML = logo;
      return el("div.story-head", {},
        el("a.brand", { href: "./", "aria-label": words.brand }, sign, el("span", {}, words.brand)),
        el("nav", { "aria-label": words.pages }, el("a", { href: "./" }, words.chat), el("a", { href: "story", "aria-current": "page", onclick: (event) => { event.preventDefault(); location.hash = ""; } }, words.stories)),
        el("details.menu.my-stories", {}, el("summary", {}, words.my_stories), el("div.sheet", {}, list,
          el("button", { type: "button", id: "new-story", onclick: () => { location.hash = ""; } }, words.new_story),
          el("button", { type: "button", id: "import", onclick: () => file.click() }, words.import), file)));
    }

    async function takeIn(event) {
      const [file] = event.target.files;
      event.target.value = "";
      if (!file) return;
      tellProblem(null);
      try { location.hash = (await json("stories/import", { body: file })).id; } catch (error) { tellProblem(error); }
    }

    const field = (label, input, more) => el("label.field", {}, el("span", {}, label), input, more ? el("small", {}, more) : null);

    function choices() {
      const all = tones.map((tone, place) => el("label.pill", {}, el("input", { type: "radio", name: "tone", value: tone, checked: place === 0 }), el("span", {}, words[`tone_${tone}`])));
      return el("fieldset.pills", {}, el("legend", {}, words.tone), ...all);
    }

    function pictureRow() {
      const row = el("div.picture-row");
      const draw = () => row.replaceChildren(...pictures.map((url, place) => el("button.thumb", {
        type: "button", title: say(words.remove_picture, { n: place + 1 }), "aria-label": say(words.remove_picture, { n: place + 1 }),
        onclick: () => { pictures.splice(place, 1); draw(); },
      }, el("img", { src: url, alt: "" }))), pictures.length < limits.pictures ? add : "");
      const input = el("input", { type: "file", accept: "image/*", multiple: true, hidden: true, id: "premise-pictures", "aria-label": words.add_picture, onchange: async () => {
        const chosen = [...input.files].filter((file) => file.size <= MAX_BYTES).slice(0, limits.pictures - pictures.length);
        pictures.push(...await Promise.all(chosen.map(readPicture)));
        input.value = "";
        draw();
      } });
      const add = el("button.add", { type: "button", onclick: () => input.click() }, words.add_picture);
      draw();
      return el("div.field", {}, el("span", {}, words.pictures), row, input);
    }

    const readPicture = (file) => new Promise((resolve) => {
      const reader = new FileReader();
      reader.onload = () => resolve(reader.result);
      reader.readAsDataURL(file);
    });

    function newStory() {
      pictures = [];
      const premise = el("textarea", { id: "premise", rows: 2, maxLength: 2000, placeholder: words.premise_hint, enterkeyhint: "enter" });
      const cast = el("input", { id: "cast", type: "text", maxLength: 300, placeholder: words.cast_hint, autocomplete: "off" });
      const scenes = el("input", { id: "scenes", type: "range", min: limits.min_scenes, max: limits.max_scenes, value: 6, oninput: () => count() });
      const number = el("output", {}, "6");
      const whole = el("button.primary", { type: "submit", id: "write-whole", value: "run" }, words.write_whole);
      const count = () => { number.textContent = scenes.value; };
      const how = ["guidance_scale", "num_inference_steps", "seed"].map((name) => el("input", { id: `story-${name}`, type: "number", name, step: name === "guidance_scale" ? 0.5 : 1, min: name === "seed" ? 0 : 1, max: { guidance_scale: 20, num_inference_steps: 100 }[name], value: { guidance_scale: 3, num_inference_steps: 20 }[name] ?? "", placeholder: name === "seed" ? words.seed_hint : "" }));
      const form = el("form.new-story", { onsubmit: async (event) => {
        event.preventDefault();
        tellProblem(null);
        const options = Object.fromEntries(how.filter((input) => input.value !== "").map((input) => [input.name, Number(input.value)]));
        const values = { premise: premise.value, cast: cast.value, scenes: Number(scenes.value), tone: form.elements.tone.value, pictures, options };
        const action = event.submitter?.value || "run";
        form.inert = true;
        try {
          const { id } = await json("stories", { values });
          await ask(`stories/${id}/${action}`, { values: {}, owner });
          location.hash = id;
        } catch (error) { tellProblem(error); form.inert = false; }
      } },
      el("h1", {}, words.hello), el("p.lead", {}, words.hello_more),
      field(words.premise, premise), el("div.pair", {}, field(words.cast, cast, words.cast_more), pictureRow()),
      el("label.field.count", {}, el("span", {}, words.scenes, " ", number), scenes), choices(),
      el("details.how", {}, el("summary", {}, words.more), el("div.how-fields", {}, field(words.guidance, how[0]), field(words.steps, how[1]), field(words.seed, how[2]))),
      el("div.actions", {}, whole, el("button", { type: "submit", id: "write-first", value: "write" }, words.write_first)));
      stage.replaceChildren(form);
    }

    function open(id) {
      const book = window.storyBook(id, { words, owner, tellProblem, onGone: () => { location.hash = ""; } });
      stage.replaceChildren(book.node);
      leave = follow(`stories/${id}/events`, owner, (view) => { book.draw(view); if (notice.dataset.away) { delete notice.dataset.away; tellProblem(null); } }, (error) => {
        if (error.told) { tellProblem(error); location.hash = ""; } else { notice.dataset.away = "yes"; tellProblem(new Error(words.offline)); }
      });
    }

    function route() {
      leave?.();
      leave = null;
      current = location.hash.slice(1) || null;
      for (const menu of root.querySelectorAll("details.menu")) menu.open = false;
      if (current) open(current); else newStory();
      root.scrollTop = 0;
      showList();
    }

    root.replaceChildren(head(), notice, stage);
    root.addEventListener("toggle", (event) => { if (event.target.matches?.(".my-stories") && event.target.open) showList(); }, true);
    root.addEventListener("click", (event) => {
      for (const menu of root.querySelectorAll("details.menu[open]")) if (!menu.contains(event.target)) menu.open = false;
    });
    root.addEventListener("keydown", (event) => {
      const menu = event.key === "Escape" && event.target.closest("details[open]");
      if (menu) { menu.open = false; menu.querySelector("summary").focus(); }
    });
    addEventListener("hashchange", () => { tellProblem(null); route(); });
    route();
  }

  start(document.getElementById("story-book"));
})();
