// Pictures on their way to the model: the order of those in the composer, the camera, and files that bring settings along.
(() => {
  const page = window.minigpt5;
  const { make, button, act, fill, t } = page;
  const TEXT = page.all({
    camera: "Take a picture with the camera", shoot: "Take picture", cancel: "Cancel", noCamera: "The camera cannot be used ({why}).",
    restored: "Settings of this picture are set: seed {seed}, guidance {guidance}, {steps} steps.", undo: "Undo", words: "Use its words", close: "Close",
    move: "Picture {n} of {m}. Arrow keys move it, Delete takes it away.",
  });
  const SETTINGS = ["guidance_scale", "num_inference_steps", "scheduler", "seed"];
  const find = (selector) => document.querySelector(selector);

  // ---- a PNG that was drawn here tells how (`provenance.py`) ------------------------------------------------------

  async function provenance(file) {
    if (file.type !== "image/png") return null;
    const data = new DataView(await file.slice(0, 1 << 18).arrayBuffer());
    for (let at = 8; at + 12 <= data.byteLength;) {
      const length = data.getUint32(at);
      const kind = String.fromCharCode(...[4, 5, 6, 7].map((offset) => data.getUint8(at + offset)));
      if (kind === "IDAT" || at + 8 + length > data.byteLength) return null;
      if (kind === "iTXt" || kind === "tEXt") {
        const facts = read(new Uint8Array(data.buffer, at + 8, length), kind);
        if (facts) return facts;
      }
      at += 12 + length;
    }
    return null;
  }

  function read(chunk, kind) {
    const words = new TextDecoder().decode(chunk);
    if (!words.startsWith("minigpt5\0")) return null;
    try { return JSON.parse(kind === "iTXt" ? words.slice(words.lastIndexOf("\0") + 1) : words.slice(9)); } catch { return null; }
  }

  let dropped = null;
  async function look(files) {
    for (const file of files) {
      const facts = await provenance(file);
      if (!facts) continue;
      dropped = facts;
      act("restore", Object.fromEntries(SETTINGS.filter((name) => name in facts).map((name) => [name, facts[name]])));
      return;
    }
  }

  function told() {
    const { before, problem } = page.restored || {};
    if (!dropped) return;
    const { seed, guidance_scale: guidance, num_inference_steps: steps, prompt } = dropped;
    dropped = null;
    const undo = () => { act("restore", before); hide(); };
    const useWords = () => { type(prompt); hide(); };
    show(problem ? [make("span", {}, t(problem))] : [
      make("span", {}, fill(TEXT.restored, { seed, guidance, steps })),
      ...(prompt ? [make("button", { type: "button", onclick: useWords }, TEXT.words)] : []),
      make("button", { type: "button", onclick: undo }, TEXT.undo)]);
  }

  function show(children) {
    hide();
    const bar = make("div", { id: "restored", role: "status" }, ...children, button("close", TEXT.close, () => hide()));
    find("#stage")?.append(bar);
  }
  const hide = () => find("#restored")?.remove();

  function type(words) {
    const field = find("#composer textarea");
    if (!field) return;
    field.value = words;
    field.dispatchEvent(new Event("input", { bubbles: true }));
    field.focus();
  }

  document.addEventListener("minigpt5:restored", told);
  document.addEventListener("change", (event) => {
    if (event.target.matches?.("#composer input[type=file]")) look([...event.target.files]);
  }, true);
  document.addEventListener("drop", (event) => { if (event.target.closest?.("#composer")) look([...event.dataTransfer.files]); }, true);
  document.addEventListener("paste", (event) => { if (event.target.closest?.("#composer")) look([...event.clipboardData.files]); }, true);

  // ---- their order ------------------------------------------------------------------------------------------------

  const thumbnails = () => [...document.querySelectorAll("#composer .thumbnail-item")];
  function move(from, to) {
    const order = thumbnails().map((_, index) => index);
    if (to < 0 || to >= order.length || from === to) return;
    order.splice(to, 0, ...order.splice(from, 1));
    refocus = to;
    act("reorder", order);
  }

  let refocus = null;
  let held = null;
  function arrange() {
    const all = thumbnails();
    all.forEach((item, index) => {
      const label = fill(TEXT.move, { n: index + 1, m: all.length });
      if (item.getAttribute("aria-label") !== label) item.setAttribute("aria-label", label);
      if (item.dataset.movable) return;
      Object.assign(item.dataset, { movable: "yes" });
      Object.assign(item, { draggable: true, tabIndex: 0 });
      const place = () => thumbnails().indexOf(item);
      item.addEventListener("dragstart", (event) => { held = place(); event.dataTransfer.effectAllowed = "move"; event.dataTransfer.setData("text/plain", ""); });
      item.addEventListener("dragend", () => { held = null; });
      item.addEventListener("dragover", (event) => { if (held !== null) event.preventDefault(); });
      item.addEventListener("drop", (event) => { if (held === null) return; event.preventDefault(); event.stopPropagation(); move(held, place()); held = null; });
      item.addEventListener("keydown", (event) => {
        if (event.key === "ArrowLeft") move(place(), place() - 1);
        else if (event.key === "ArrowRight") move(place(), place() + 1);
        else if (event.key === "Delete") (item.querySelector("button") || item.parentElement.querySelector(".delete-button"))?.click();
        else return;
        event.preventDefault();
        event.stopPropagation();
      });
    });
    if (refocus !== null && document.activeElement === document.body) { all[refocus]?.focus(); refocus = null; }
  }

  // ---- the camera -------------------------------------------------------------------------------------------------

  async function camera() {
    let stream;
    try { stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } }); } catch (error) {
      return show([make("span", {}, fill(TEXT.noCamera, { why: error.message }))]);
    }
    const video = make("video", { autoplay: true, playsinline: true, muted: true });
    video.srcObject = stream;
    const dialog = make("dialog", { id: "camera", "aria-label": TEXT.camera, onclose: () => { stream.getTracks().forEach((track) => track.stop()); dialog.remove(); } },
      video, make("div", { class: "making" },
        make("button", { type: "button", onclick: () => dialog.close() }, TEXT.cancel),
        make("button", { type: "button", class: "main", onclick: () => { shoot(video); dialog.close(); } }, TEXT.shoot)));
    find("main.contain").append(dialog);
    dialog.showModal();
  }

  function shoot(video) {
    const canvas = make("canvas", { width: video.videoWidth, height: video.videoHeight });
    canvas.getContext("2d").drawImage(video, 0, 0);
    canvas.toBlob((blob) => {
      const input = find("#composer input[type=file]");
      const files = new DataTransfer();
      files.items.add(new File([blob], "camera.png", { type: "image/png" }));
      input.files = files.files;
      input.dispatchEvent(new Event("change", { bubbles: true }));
    }, "image/png");
  }

  function addCamera() {
    const upload = find("#composer .upload-button");
    if (!upload || !navigator.mediaDevices || find("#composer .camera")) return;
    upload.after(button("camera", TEXT.camera, camera, { class: "tool camera" }));
  }

  document.addEventListener("minigpt5:changed", () => { arrange(); addCamera(); });
})();
