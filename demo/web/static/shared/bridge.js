// How the scripts and the server speak: the server's data lies in empty elements, an action clicks a hidden button.
//
// minigpt5.act(name, about)       asks the server for an action of the page, about an id or any plain value
// minigpt5.outline, .history      the newest data of `views/session_view.py`; "minigpt5:outline" etc. on document tell of changes
// minigpt5.rows()                 [{element, data, last}]: the chat's rows, each with its part of the outline
// minigpt5.pictures(row)          [{element, data}]: the pictures the model drew in a row, in the order of the outline
(() => {
  const page = (window.minigpt5 ||= {});
  const DATA = ["status", "outline", "history", "dialog", "restored", "inspection"];
  const read = {};

  page.about = {}; // of each action, since Gradio asks for it a little later
  page.act = (name, about = null) => {
    page.about[name] = about;
    document.getElementById(`do-${name}`)?.click();
  };

  page.rows = () => {
    const elements = [...document.querySelectorAll("#chat .message-row")];
    const rows = page.outline?.rows || [];
    if (elements.length !== rows.length) return []; // between two views
    return elements.map((element, index) => ({ element, data: rows[index], last: index === rows.length - 1 }));
  };

  page.pictures = ({ element, data }) => {
    const frames = [...element.querySelectorAll(".image-container")];
    return data.pictures.map((picture, index) => ({ element: frames[index], data: picture })).filter((found) => found.element);
  };

  page.make = (tag, attributes = {}, ...children) => {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
      else if (value !== false && value != null) node.setAttribute(name, value === true ? "" : value);
    }
    node.append(...children);
    return node;
  };

  const PATHS = {
    edit: '<path d="M4 20l1-4L16 5l3 3L8 19z"/><path d="M13.500 7.500l3 3"/>',
    retry: '<path d="M19 12a7 7 0 1 1-2.300-5.200"/><path d="M19 3v5h-5"/>',
    copy: '<rect x="8" y="8" width="12" height="12" rx="2"/><path d="M16 8V5a1 1 0 0 0-1-1H5a1 1 0 0 0-1 1v10a1 1 0 0 0 1 1h3"/>',
    done: '<path d="M5 13l5 5L19 7"/>',
    info: '<circle cx="12" cy="12" r="8.500"/><path d="M12 11.500v5M12 7.800v.2"/>',
    back: '<path d="M14.500 6l-6 6 6 6"/>',
    on: '<path d="M9.500 6l6 6-6 6"/>',
    remove: '<path d="M5 7h14M10 7V4.500h4V7M7 7l1 12.500h8L17 7M10.300 10.500v6M13.700 10.500v6"/>',
    close: '<path d="M6 6l12 12M18 6L6 18"/>',
    search: '<circle cx="11" cy="11" r="6"/><path d="M15.500 15.500L20 20"/>',
    plus: '<path d="M12 5v14M5 12h14"/>',
    minus: '<path d="M5 12h14"/>',
    fit: '<path d="M4 9V4h5M20 9V4h-5M4 15v5h5M20 15v5h-5"/>',
    dice: '<rect x="4" y="4" width="16" height="16" rx="4"/><path d="M9 9v.1M15 9v.1M12 12v.1M9 15v.1M15 15v.1"/>',
    save: '<path d="M12 4v11M7 11l5 5 5-5M5 20h14"/>',
    camera: '<path d="M4 8h4l2-3h4l2 3h4v11H4z"/><circle cx="12" cy="13" r="3.500"/>',
    inside: '<path d="M3 12s3.500-6.500 9-6.500 9 6.500 9 6.500-3.500 6.500-9 6.500S3 12 3 12z"/><circle cx="12" cy="12" r="2.800"/>',
    up: '<path d="M12 19V6M6 11l6-6 6 6"/>',
  };
  page.icon = (name) => {
    const holder = document.createElement("span");
    holder.className = "icon";
    holder.innerHTML = `<svg viewBox="0 0 24 24" aria-hidden="true">${PATHS[name]}</svg>`;
    return holder;
  };
  page.button = (icon, label, onclick, attributes = {}) =>
    page.make("button", { type: "button", class: "tool", "aria-label": label, title: label, onclick, ...attributes }, page.icon(icon));

  function take(name) {
    const raw = document.querySelector(`[data-${name}]`)?.getAttribute(`data-${name}`);
    if (raw === undefined || raw === null || raw === read[name]) return;
    read[name] = raw;
    page[name] = JSON.parse(decodeURIComponent(raw));
    document.dispatchEvent(new CustomEvent(`minigpt5:${name}`));
  }

  function watch() {
    let due = false;
    const look = () => {
      due = false;
      DATA.forEach(take);
      document.dispatchEvent(new CustomEvent("minigpt5:changed"));
    };
    const soon = () => { if (!due) { due = true; requestAnimationFrame(look); } };
    new MutationObserver(soon).observe(document.body, { childList: true, subtree: true, attributes: true, attributeFilter: [...DATA.map((name) => `data-${name}`), "src"] });
    soon();
  }

  if (document.body) watch(); else addEventListener("DOMContentLoaded", watch);
})();
