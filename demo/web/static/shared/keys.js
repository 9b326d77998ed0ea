// The keyboard: what each page's keys are, in a dialog that `?` opens, the keys that lead to a place, and a way past the head.
(() => {
  const page = window.minigpt5;
  const { t } = page;
  const find = (selector) => document.querySelector(selector);
  const PAGES = {
    chat: [["Enter", "Send the message"], ["Shift Enter", "New line"], ["/", "To the message field"], ["n", "New chat"],
      ["Ctrl k", "Search the chats"], ["↑", "Edit the last message, in an empty field"], ["Esc", "Leave what is open"],
      ["← →", "On the picture desk: another drawing"], ["+ − 0", "On the picture desk: larger, smaller, whole"]],
    story: [["/", "To the field for what happens"], ["n", "New story"], ["Esc", "Leave what is open"]],
    stage: [["→", "The next slide"], ["←", "The slide before"], ["Home End", "First and last slide"], ["w", "Write the next scene"],
      ["r", "Remote"], ["f", "Full screen"], ["Esc", "Leave the stage"]],
    arena: [["1 2 3", "The next question: A, a tie, B"], ["← →", "Another answer"], ["Enter", "Vote"]],
  };
  const MARKS = { arena: "#sides", stage: "#slides", story: "#story-book", chat: "#composer" };
  const here = () => Object.keys(MARKS).find((name) => find(MARKS[name]));

  function make(tag, attributes = {}, ...children) {
    const node = document.createElement(tag);
    Object.entries(attributes).forEach(([name, value]) => node.setAttribute(name, value));
    node.append(...children);
    return node;
  }

  function show() {
    const opener = document.activeElement;
    const row = ([keys, what]) => make("div", {}, make("dt", {}, ...keys.split(" ").map((key) => make("kbd", {}, key))), make("dd", {}, t(what)));
    const close = make("button", { type: "button" }, t("Close"));
    const dialog = make("dialog", { id: "keyboard", "aria-labelledby": "keyboard-title" },
      make("h2", { id: "keyboard-title" }, t("Keyboard")), make("dl", {}, ...[...PAGES[here()], ["?", "These keys"]].map(row)), close);
    close.addEventListener("click", () => dialog.close());
    dialog.addEventListener("keydown", (event) => event.stopPropagation());
    dialog.addEventListener("close", () => { dialog.remove(); opener?.focus?.(); });
    (find("main.contain") || document.body).append(dialog);
    dialog.showModal();
  }

  const field = () => find("#composer textarea") || find("#ask") || find("#premise") || find("#sides");
  function toField() {
    const target = field();
    if (target && !target.matches("input, textarea")) target.tabIndex = -1;
    target?.focus();
    target?.scrollIntoView({ block: "nearest" });
  }

  function search() {
    const sidebar = find("#history");
    if (!sidebar.classList.contains("open")) sidebar.querySelector(".toggle-button")?.click();
    setTimeout(() => find("#history .search")?.focus(), 350); // it is not visible before it has slid in
  }

  const ACTIONS = {
    "?": show,
    "/": () => here() !== "arena" && here() !== "stage" && toField(),
    n: () => (here() === "chat" ? find("#new") : here() === "story" ? find("#new-story") : null)?.click(),
  };
  const typing = (target) => target.closest?.("input:not([type=radio], [type=range], [type=checkbox]), textarea, select, [contenteditable=true]");

  document.addEventListener("keydown", (event) => {
    if (event.altKey || event.isComposing || find("dialog[open]")) return;
    const command = event.ctrlKey || event.metaKey;
    if (command && event.key.toLowerCase() === "k" && here() === "chat") search();
    else if (!command && !typing(event.target) && ACTIONS[event.key] && here()) ACTIONS[event.key]();
    else return;
    event.preventDefault();
  });

  function skipLink() {
    if (here() === undefined || here() === "stage" || find("a.skip")) return;
    const link = make("a", { class: "skip", href: MARKS[here()] }, t(here() === "chat" ? "Skip to the message field" : "Skip to the main part"));
    link.addEventListener("click", (event) => { event.preventDefault(); toField(); });
    document.body.prepend(link);
    seen.disconnect();
  }
  const seen = new MutationObserver(skipLink);
  const begin = () => { seen.observe(document.body, { childList: true, subtree: true }); skipLink(); };
  if (document.body) begin(); else addEventListener("DOMContentLoaded", begin);
})();
