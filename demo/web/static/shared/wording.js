// The page's words in the reader's language. English stands where it is said, and is the key of `translations/*.json`.
//
// minigpt5.t(english, values)     that sentence, its {slots} filled; English where the table has none
// minigpt5.all({name: english})   a table of sentences, their slots left open for minigpt5.fill
// The server speaks English too: "3 before you" is found by its pattern, "{n} before you".
(() => {
  const page = (window.minigpt5 ||= {});
  const LANGUAGES = ["ja", "zh"];
  const offered = (tag) => ["en", ...LANGUAGES].find((language) => tag.toLowerCase().split("-")[0] === language);
  const language = navigator.languages.map(offered).find(Boolean) || "en";
  const column = LANGUAGES.indexOf(language);
  const table = page.words || {};
  // The words of elements that come from the server or from Gradio, where no script has its hand on them.
  const SAID = `#notice p, #header .chip, nav.pages a, .welcome :is(h2, p), .panel-title :is(h2, h3, p), .example-text,
    #chat [data-testid=block-label], #chat .bot-row em, #settings [data-testid$=radio-label] span, #arena-header :is(h1, p),
    #progress p, #form :is(label, [data-testid=block-info]) span, #keys p, #sides em, #results :is(h3 span, th, td, .empty), [role=tab]`;
  const NAMED = "#chat img[alt], nav.pages, #history > section, #sides article, #history img, #sides img";

  page.language = language;
  page.fill = (words, values = {}) => words.replace(/\{(\w+)\}/g, (slot, name) => values[name] ?? slot);
  page.t = (english, values) => page.fill(worded(english) || "", values);
  page.all = (sentences) => Object.fromEntries(Object.entries(sentences).map(([name, english]) => [name, worded(english)]));

  const escaped = (words) => words.replace(/[.*+?^$()|[\]\\/]/g, "\\$&");
  const pattern = (english) => new RegExp(`^${escaped(english).replace(/\{(\w+)\}/g, "(?<$1>.+?)")}$`, "s");
  const patterns = Object.keys(table).filter((english) => english.includes("{")).sort((a, b) => b.length - a.length)
    .map((english) => ({ found: pattern(english), english }));

  function worded(english) {
    if (column < 0 || !english) return english;
    if (Object.hasOwn(table, english)) return table[english][column];
    for (const { found, english: key } of patterns) {
      const match = found.exec(english);
      if (match) return page.fill(table[key][column], match.groups);
    }
    const pieces = english.split(/(?<=[.!?]) (?=[A-Z])/);
    return pieces.length > 1 ? pieces.map(worded).join(" ") : english;
  }

  function reword(node, name) {
    const before = node[name];
    if (!before) return;
    const [space, words] = [before.match(/^\s*/)[0], before.trim()];
    const line = words.split("\n")[0]; // of an example only its label: what is sent stays English
    const after = node.parentElement?.matches(".example-text") ? worded(line) + words.slice(line.length) : worded(words);
    if (after !== words) node[name] = space + after;
  }

  function watch() {
    document.documentElement.lang = language;
    if (column < 0) return;
    let due = false;
    const look = () => {
      due = false;
      // the text nodes stay: Gradio goes on writing into them
      for (const element of document.querySelectorAll(SAID)) for (const node of element.childNodes) if (node.nodeType === Node.TEXT_NODE) reword(node, "nodeValue");
      for (const element of document.querySelectorAll(NAMED)) reword(element, element.alt ? "alt" : "ariaLabel");
    };
    const soon = () => { if (!due) { due = true; requestAnimationFrame(look); } };
    new MutationObserver(soon).observe(document.body, { childList: true, subtree: true, characterData: true, attributes: true, attributeFilter: ["alt"] });
    soon();
  }

  if (document.body) watch(); else addEventListener("DOMContentLoaded", watch);
})();
