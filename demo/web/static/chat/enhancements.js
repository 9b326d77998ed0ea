// What Gradio lacks: the chat follows its end, files may be dropped anywhere on it, and it speaks to screen readers.
(() => {
  const { t } = window.minigpt5;
  const NEAR_END = 140;
  const find = (selector) => document.querySelector(selector);

  function followEnd(log) {
    let following = true;
    log.addEventListener("scroll", () => {
      following = log.scrollHeight - log.scrollTop - log.clientHeight < NEAR_END;
    }, { passive: true });
    const toEnd = () => {
      if (following && !window.minigpt5.outline?.editing && log.querySelector(".message-row")) log.scrollTop = log.scrollHeight;
    };
    new MutationObserver(toEnd).observe(log, { childList: true, subtree: true, characterData: true });
    const sizes = new ResizeObserver(toEnd);
    sizes.observe(log);
    log.addEventListener("load", toEnd, true);
    find("#composer")?.addEventListener("keydown", (event) => { if (event.key === "Enter") following = true; });
    find("#composer")?.addEventListener("click", (event) => { if (event.target.closest(".submit-button")) following = true; });
    document.addEventListener("minigpt5:stay", () => { following = false; });
  }

  function dropAnywhere() {
    const hasFiles = (event) => [...(event.dataTransfer?.types || [])].includes("Files");
    let depth = 0;
    const mark = (on) => document.body.classList.toggle("dropping", on);
    addEventListener("dragenter", (event) => { if (hasFiles(event)) { depth += 1; mark(true); } });
    addEventListener("dragleave", (event) => { if (hasFiles(event) && (depth -= 1) <= 0) { depth = 0; mark(false); } });
    addEventListener("dragover", (event) => { if (hasFiles(event)) event.preventDefault(); });
    addEventListener("drop", (event) => {
      depth = 0;
      mark(false);
      if (!hasFiles(event) || event.target.closest("#composer")) return;
      event.preventDefault();
      const input = find("#composer input[type=file]");
      if (!input) return;
      input.files = event.dataTransfer.files;
      input.dispatchEvent(new Event("change", { bubbles: true }));
    });
  }

  function label(selector, attributes) {
    document.querySelectorAll(selector).forEach((node) => {
      Object.entries(attributes).forEach(([name, value]) => {
        if (node.getAttribute(name) !== value) node.setAttribute(name, value);
      });
    });
  }

  function nameThings() {
    label("#notice", { role: "status", "aria-live": "polite" });
    label("#composer textarea", { "aria-label": t("Your message") });
    label("#settings .toggle-button", { "aria-label": t("Settings"), title: t("Settings"), "data-close": t("Close") });
    label("#chat .examples", { role: "group", "aria-label": t("Examples") }); // a list of buttons is no list
    label("#history .toggle-button", { "aria-label": t("Chats"), title: t("Chats"), "data-close": t("Close") });
  }

  function watch() {
    let log = null;
    const look = () => {
      nameThings();
      const now = find("#chat .bubble-wrap");
      if (now && now !== log) { log = now; followEnd(log); }
    };
    new MutationObserver(look).observe(document.body, { childList: true, subtree: true });
    look();
    dropAnywhere();
  }

  if (document.body) watch(); else addEventListener("DOMContentLoaded", watch);
})();
