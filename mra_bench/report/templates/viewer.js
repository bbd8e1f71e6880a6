// One problem with the models' answers side by side, and the list of matches.

const SIGNS = { right: "\u2713", wrong: "\u2717", mixed: "\u25d0", unjudged: "?", missing: "\u2013" };
const WORDS = { right: "right", wrong: "wrong", mixed: "right in some samples", unjudged: "not judged", missing: "no text" };
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

// `view`: what the reader chose: {shown: names of models or null for all,
// source: formulas as LaTeX, compare: {open, a, b}}. `does`: {go, show: draw again, chosen: link with these models}.
function problemView(data, item, texts, view, does) {
  const samples = texts.cells.map(() => 0); // the sample of each model that is shown
  const body = [problemHead(data, item, texts, view, does, samples), question(item, texts, view)];
  if (item.unreadable) body.push(element("p", { class: "note" }, "Nobody can read this reference answer, so the problem is left out of all figures."));
  body.push(element("p", { class: "gold" }, "Reference answer ", answerView(texts.answer, "found", texts, view.source)));
  if (texts.solution) {
    const solution = element("div", { class: "solution", dir: "auto", tabindex: "0", role: "group", "aria-label": "Reference solution" });
    addMathText(solution, texts.solution, texts.math.solution, texts, view.source);
    body.push(element("details", {}, element("summary", {}, "Reference solution"), solution));
  }
  const compare = comparison(data, texts, view, samples);
  const columns = element("div", { class: "columns" });
  data.models.forEach((model, column) => {
    if (view.shown && !view.shown.has(model.name)) return;
    const chosen = (place) => {
      samples[column] = place;
      if (compare) compare.refresh();
    };
    columns.append(modelCard(data, model, texts, column, view, chosen));
  });
  return [...body, columns, compare ? compare.box : null].filter(Boolean);
}

function question(item, texts, view) {
  return addMathText(element("p", { class: "question", dir: "auto" }), texts.question, texts.math.question, texts, view.source);
}

// Where a problem stands among the matches: {place, total of them}.
function sayPlace(box, at) {
  const [back, on] = box.querySelectorAll(".step");
  back.disabled = at.place <= 0;
  on.disabled = at.place >= at.total - 1;
  box.querySelector(".place").textContent = at.place + 1 + " / " + number(at.total);
}

function problemHead(data, item, texts, view, does, samples) {
  const step = (label, by) => element("button", { type: "button", class: "step", on: { click: () => does.go(by) } }, label);
  const tags = [item.subject && "subject " + item.subject, item.level && "level " + item.level].filter(Boolean).join(" \u00b7 ");
  return element(
    "header",
    {},
    element("h3", {}, element("a", { href: link(data.name, item.id, view.shown), title: "Link to this problem" }, element("bdi", {}, item.id))),
    element("span", { class: "tags" }, element("bdi", {}, tags)),
    element("span", { class: "steps" }, step("\u2190 Previous", -1), element("span", { class: "place" }), step("Next \u2192", 1)),
    problemActions(data, item, texts, view, does, samples)
  );
}

function problemActions(data, item, texts, view, does, samples) {
  const said = element("span", { class: "said", role: "status" });
  const box = element("p", { class: "actions" });
  const copy = async () => {
    const columns = data.models.map((model, column) => [model.name, texts.cells[column][samples[column]], texts.cells[column].length]);
    const copied = await copyText(problemMarkdown(data, item, texts, columns.filter(([name]) => !view.shown || view.shown.has(name))), box);
    said.textContent = copied ? "Copied" : "Not allowed here: copy the selected text";
  };
  const source = () => {
    view.source = !view.source;
    does.show("source");
  };
  box.append(
    element("button", { type: "button", "data-does": "copy", on: { click: copy } }, "Copy as Markdown"),
    element("button", { type: "button", "data-does": "print", on: { click: printProblem } }, "Print this problem")
  );
  if (hasFormulas(texts)) box.append(element("button", { type: "button", "data-does": "source", "aria-pressed": String(view.source), on: { click: source } }, "LaTeX source"));
  box.append(said);
  return box;
}

function printProblem() {
  const page = document.documentElement.classList;
  page.add("one-problem");
  addEventListener("afterprint", () => page.remove("one-problem"), { once: true });
  print();
}

// Differences between the texts of two models, worked out when they are asked for.
function comparison(data, texts, view, samples) {
  const names = data.models.filter((model, column) => texts.cells[column].length).map((model) => model.name);
  if (names.length < 2) return null;
  const chosen = (name, others) => (names.includes(name) ? name : names.find((other) => !others.includes(other)));
  const a = chosen(view.compare.a, []);
  const b = chosen(view.compare.b, [a]);
  const pick = (label, name) => element("label", { class: "field" }, label, modelSelect(names, name));
  const [from, to] = [pick("From", a), pick("To", b)];
  const result = element("div", { class: "result-box" });
  const box = element("details", { class: "compare", open: view.compare.open }, element("summary", {}, "Differences between two texts"));
  box.append(element("div", { class: "pickers" }, from, to), result);
  const textOf = (name) => {
    const column = data.models.findIndex((model) => model.name === name);
    return texts.cells[column][samples[column]].text;
  };
  const refresh = () => {
    if (!box.open) return;
    const names = [from, to].map((field) => field.querySelector("select").value);
    result.replaceChildren(legend(...names), ...diffView(...names.map(textOf)));
  };
  const read = () => {
    [view.compare.a, view.compare.b] = [from, to].map((field) => field.querySelector("select").value);
    refresh();
  };
  box.addEventListener("toggle", () => ((view.compare.open = box.open), refresh()));
  for (const field of [from, to]) field.addEventListener("change", read);
  refresh();
  return { box, refresh };
}

function modelSelect(names, chosen) {
  const select = element("select", {});
  fillSelect(select, names.map((name) => ({ value: name, label: name })), chosen);
  return select;
}

function legend(from, to) {
  return element("p", { class: "note" }, element("del", {}, "only in ", element("bdi", {}, from)), " ", element("ins", {}, "only in ", element("bdi", {}, to)), " Spaces are not compared.");
}

function link(dataset, id, shown) {
  const parts = new URLSearchParams();
  parts.set("q", id);
  if (dataset !== store.index[0].name) parts.set("data", dataset);
  for (const name of shown || []) parts.append("model", name);
  return "#" + parts;
}
