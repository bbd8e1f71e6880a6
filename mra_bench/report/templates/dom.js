// Building elements. Text enters the page here only, and only as text nodes.

const byId = (id) => document.getElementById(id);

// Control, format and lone surrogate characters, but not tab, newline and the joiners of scripts and emoji.
const UNSEEN = /(?![\t\n\u200c\u200d])[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/u;
const UNSEEN_SPLIT = new RegExp("(" + UNSEEN.source + ")", "u");

function element(tag, options, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(options || {})) {
    if (value === false || value === null || value === undefined) continue;
    if (name === "on") for (const [event, handler] of Object.entries(value)) made.addEventListener(event, handler);
    else made.setAttribute(name, value === true ? "" : name === "title" || name === "aria-label" ? seen(String(value)) : String(value));
  }
  for (const child of children) {
    if (child === null || child === undefined || child === "") continue;
    if (child instanceof Node) made.append(child);
    else addText(made, String(child));
  }
  return made;
}

// Adds text so that characters nobody can see, or that turn the reading direction, stand there as their code points.
function addText(parent, text) {
  if (!UNSEEN.test(text)) {
    parent.append(document.createTextNode(text));
    return;
  }
  for (const part of text.split(UNSEEN_SPLIT)) {
    if (part === "" || part === "\r") continue;
    if (!UNSEEN.test(part)) {
      parent.append(document.createTextNode(part));
      continue;
    }
    const badge = document.createElement("span");
    badge.className = "unseen";
    badge.textContent = codePoint(part);
    parent.append(badge);
  }
}

// Text for where no element can stand.
function seen(text) {
  return UNSEEN.test(text) ? text.split(UNSEEN_SPLIT).map((part) => (UNSEEN.test(part) ? "[" + codePoint(part) + "]" : part)).join("") : text;
}

function codePoint(letter) {
  return "U+" + letter.codePointAt(0).toString(16).toUpperCase().padStart(4, "0");
}

function number(value) {
  return value.toLocaleString("en-US");
}

function fillSelect(select, options, chosen) {
  select.replaceChildren();
  for (const entry of options) {
    const home = entry.group ? groupOf(select, entry.group) : select;
    home.append(element("option", { value: entry.value }, entry.label));
  }
  select.value = chosen;
}

function groupOf(select, label) {
  const last = select.lastElementChild;
  if (last && last.tagName === "OPTGROUP" && last.label === label) return last;
  const made = element("optgroup", { label });
  select.append(made);
  return made;
}
