// One problem with the models' answers side by side, and the list of matches.

const SIGNS = { right: "\u2713", wrong: "\u2717", mixed: "\u25d0", unjudged: "?", missing: "\u2013" };
const WORDS = { right: "right", wrong: "wrong", mixed: "right in some samples", unjudged: "not judged", missing: "no text" };
const SHOWN = 20000; // characters of one text before a button offers the rest
const AROUND = 500;

const SHAPES = ["\u25cf", "\u25a0", "\u25c6", "\u25b2", "\u25bc", "\u271a"]; // the markers of the charts

function swatch(model) {
  return element("span", { class: "swatch m" + (model.index % 8), title: model.name, "aria-hidden": "true" }, SHAPES[model.index % 6]);
}

function sign(name) {
  return element("span", { class: "sign-" + name, "aria-hidden": "true" }, SIGNS[name]);
}

function sampleOutcome(sample) {
  return sample.correct === null ? "unjudged" : sample.correct ? "right" : "wrong";
}

function listEntry(item, data, current, choose) {
  const said = data.models.map((model, place) => model.name + " " + WORDS[outcome(item.cells[place])]).join(", ");
  const marks = element("span", { class: "marks" });
  for (const samples of item.cells) marks.append(sign(outcome(samples)));
  const button = element(
    "button",
    { type: "button", "aria-current": current && "true", title: said, on: { click: () => choose(item) } },
    element("bdi", {}, item.id),
    marks,
    element("span", { class: "vh" }, said)
  );
  return element("li", {}, button);
}

function problemView(item, data, place, total, go) {
  const step = (label, by, off) =>
    element("button", { type: "button", disabled: off, class: "step", on: { click: () => go(by) } }, label);
  const tags = [item.subject && "subject " + item.subject, item.level && "level " + item.level].filter(Boolean).join(" \u00b7 ");
  const head = element(
    "header",
    {},
    element("h3", {}, element("a", { href: link(data.name, item.id), title: "Link to this problem" }, element("bdi", {}, item.id))),
    element("span", { class: "tags" }, tags),
    element("span", { class: "steps" }, step("\u2190 Previous", -1, place <= 0), element("span", { class: "place" }, place + 1 + " / " + number(total)), step("Next \u2192", 1, place >= total - 1))
  );
  const body = [head, element("p", { class: "question", dir: "auto" }, item.question)];
  if (item.unreadable) body.push(element("p", { class: "note" }, "Nobody can read this reference answer, so the problem is left out of all figures."));
  body.push(element("p", { class: "gold" }, "Reference answer ", element("code", {}, item.answer || "\u2013")));
  if (item.solution) {
    body.push(element("details", {}, element("summary", {}, "Reference solution"), element("pre", { class: "text" }, item.solution)));
  }
  const columns = element("div", { class: "columns" });
  data.models.forEach((model, column) => columns.append(modelCard(model, item.cells[column], data.graders)));
  return [...body, columns];
}

function modelCard(model, samples, graders) {
  const card = element("section", { class: "card", "aria-label": model.name });
  const show = (place) => {
    card.replaceChildren(cardHead(model, samples));
    if (!samples.length) {
      card.append(element("p", { class: "note" }, "This model has no text for this problem yet."));
      return;
    }
    if (samples.length > 1) card.append(sampleStrip(samples, place, show));
    card.append(...sampleView(samples[place], graders));
  };
  show(0);
  return card;
}

function cardHead(model, samples) {
  const result = outcome(samples);
  return element("h4", { class: "is-" + result }, swatch(model), element("bdi", {}, model.name), element("span", { class: "result" }, sign(result), " " + WORDS[result]));
}

function sampleStrip(samples, place, show) {
  const strip = element("div", { class: "strip", role: "group", "aria-label": "Samples" });
  samples.forEach((sample, number) => {
    const result = sampleOutcome(sample);
    const said = "Sample " + (sample.index + 1) + ", " + WORDS[result];
    strip.append(element("button", { type: "button", "aria-label": said, "aria-pressed": String(number === place), on: { click: () => show(number) } }, sign(result)));
  });
  return strip;
}

// What the other graders say of a text: name, verdict, answer and sentence, a line each.
function otherVerdicts(sample, graders) {
  const lines = graders.map((grader, place) => {
    const other = sample.others[place];
    if (!other) return element("li", {}, element("b", {}, grader), " has not judged this text yet");
    const result = sampleOutcome(other);
    const found = other.answer ? element("span", {}, " Answer ", element("code", { class: "found" }, other.answer), ".") : null;
    const differs = other.correct !== sample.correct ? " differs" : "";
    return element("li", { class: "other" + differs }, element("b", {}, grader), " ", sign(result), " ", WORDS[result], other.kind && other.kind !== "correct" && other.kind !== "wrong" ? " (" + other.kind + ")" : "", ".", found, " ", other.reason);
  });
  return lines.length ? element("ul", { class: "others", "aria-label": "Other graders" }, ...lines) : null;
}

function sampleView(sample, graders) {
  const found = sample.answer
    ? element("span", {}, "Answer ", element("code", { class: "found" }, sample.answer))
    : element("span", {}, "No answer found");
  const kind = element("span", { class: "tag" }, sample.kind || sampleOutcome(sample));
  const rule = sample.answer && sample.rule ? element("span", { class: "tag" }, "found as " + sample.rule) : null;
  const cut = sample.finish === "length" ? element("span", { class: "tag cut" }, "cut at limit") : null;
  return [
    element("p", { class: "found-line" }, found, " ", kind, " ", rule, " ", cut),
    element("p", { class: "reason" }, sample.reason),
    otherVerdicts(sample, graders),
    textView(sample),
    element("p", { class: "foot" }, number(sample.tokens) + " tokens, " + (sample.finish === "length" ? "cut at the limit" : "stopped by itself")),
  ].filter(Boolean);
}

// The text with the extracted answer marked. A very long one shows its start and the place of the answer first.
function textView(sample) {
  const box = element("pre", { class: "text", tabindex: "0", "aria-label": "Text" });
  const [from, to] = sample.span || [0, 0];
  const piece = (start, end) => {
    if (start >= end) return;
    const a = Math.max(start, from);
    const b = Math.min(end, to);
    if (a >= b) return addText(box, sample.text.slice(start, end));
    addText(box, sample.text.slice(start, a));
    box.append(element("mark", {}, sample.text.slice(a, b)));
    addText(box, sample.text.slice(b, end));
  };
  if (sample.text.length <= SHOWN) {
    piece(0, sample.text.length);
    if (!sample.text) box.append(element("i", {}, "(empty)"));
    return box;
  }
  const near = to > SHOWN ? [Math.max(SHOWN, from - AROUND), Math.min(sample.text.length, to + AROUND)] : [SHOWN, SHOWN];
  piece(0, SHOWN);
  if (near[0] > SHOWN) addText(box, "\n\u2026\n");
  piece(near[0], near[1]);
  if (near[1] < sample.text.length) addText(box, "\n\u2026");
  const all = element("button", { type: "button", class: "all" }, "Show all " + number(sample.text.length) + " characters");
  all.addEventListener("click", () => {
    box.replaceChildren();
    piece(0, sample.text.length);
    all.remove();
  });
  return element("div", {}, box, all);
}

function link(dataset, id) {
  const parts = new URLSearchParams();
  parts.set("q", id);
  if (dataset !== store.index[0].name) parts.set("data", dataset);
  return "#" + parts;
}
