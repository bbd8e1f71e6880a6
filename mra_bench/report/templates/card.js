// One model's text for one problem: verdict, answer, what graders and profilers say, and the text.

const SHOWN = 20000; // characters of one text before a button offers the rest
const AROUND = 500;

function modelCard(data, model, texts, column, view, chosen) {
  const samples = texts.cells[column];
  const card = element("section", { class: "card", "aria-label": model.name });
  const show = (place) => {
    card.replaceChildren(cardHead(model, samples));
    if (!samples.length) {
      card.append(element("p", { class: "note" }, "This model has no text for this problem yet."));
      return;
    }
    if (samples.length > 1) card.append(sampleStrip(samples, place, (next) => (show(next), chosen(next))));
    card.append(...sampleView(data, samples[place], texts, view));
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
    const press = () => {
      const card = strip.closest(".card");
      show(number);
      card.querySelectorAll(".strip button")[number].focus();
    };
    strip.append(element("button", { type: "button", "aria-label": said, "aria-pressed": String(number === place), on: { click: press } }, sign(result)));
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

function sampleView(data, sample, texts, view) {
  const found = sample.answer
    ? element("span", {}, "Answer ", answerView(sample.answer, "found", texts, view.source))
    : element("span", {}, "No answer found");
  const kind = element("span", { class: "tag" }, sample.kind || sampleOutcome(sample));
  const rule = sample.answer && sample.rule ? element("span", { class: "tag" }, "found as " + sample.rule) : null;
  const cut = sample.finish === "length" ? element("span", { class: "tag cut" }, "cut at limit") : null;
  const text = textView(sample);
  return [
    element("p", { class: "found-line" }, found, " ", kind, " ", rule, " ", cut),
    element("p", { class: "reason" }, sample.reason),
    otherVerdicts(sample, data.graders),
    text.box,
    ...sample.profiles.map((profile, place) => profileView(profile, data.profilers[place] || "a profiler", text.mark)),
    element("p", { class: "foot" }, number(sample.tokens) + " tokens, " + (sample.finish === "length" ? "cut at the limit" : "stopped by itself")),
  ].filter(Boolean);
}

// A profile, opened on demand: a line for each dimension; while it is open what its sentences quote is marked in the text.
function profileView(profile, name, mark) {
  if (!profile) return null;
  const [dimensions, scores, failure] = profile;
  const two = (value) => (typeof value === "number" ? value.toFixed(2) : "\u2013");
  const wrong = dimensions.filter(([, error]) => error > 0).length;
  const told = failure ? "none" : wrong ? "errors in " + wrong + " of " + dimensions.length : "no error found";
  const box = element("details", { class: "profile" }, element("summary", {}, "Profile by " + name + ": " + told));
  box.addEventListener("toggle", () => mark(box.open ? dimensions.flatMap(([, , , places]) => places) : []));
  if (failure) box.append(element("p", { class: "note" }, failure));
  const lines = dimensions.map(([dimension, error, said]) =>
    element("li", { class: error > 0 ? "has-error" : "" }, element("b", {}, dimension), " ", two(error), ...said.map((sentence) => element("p", { class: "evidence" }, sentence)))
  );
  box.append(element("ul", {}, ...lines));
  if (scores.length) box.append(element("p", { class: "note" }, "Scores: " + scores.map(([score, value]) => score + " " + two(value)).join(", ") + "."));
  return box;
}

// The text with the extracted answer marked, and `mark` to mark further places. A very long one shows its start and the
// place of the answer first.
function textView(sample) {
  const box = element("pre", { class: "text", tabindex: "0", role: "group", "aria-label": "Text" });
  const [from, to] = sample.span || [0, 0];
  const near = to > SHOWN ? [Math.max(SHOWN, from - AROUND), Math.min(sample.text.length, to + AROUND)] : [SHOWN, SHOWN];
  let [whole, places] = [sample.text.length <= SHOWN, []];
  const draw = () => {
    const marks = cutAt(sample, places);
    box.replaceChildren();
    if (!sample.text) box.append(element("i", {}, "(empty)"));
    if (whole) return addMarked(box, sample.text, 0, sample.text.length, marks);
    addMarked(box, sample.text, 0, SHOWN, marks);
    if (near[0] > SHOWN) addText(box, "\n\u2026\n");
    addMarked(box, sample.text, near[0], near[1], marks);
    if (near[1] < sample.text.length) addText(box, "\n\u2026");
  };
  const mark = (wanted) => {
    places = wanted;
    draw();
  };
  draw();
  if (whole) return { box, mark };
  const all = element("button", { type: "button", class: "all" }, "Show all " + number(sample.text.length) + " characters");
  all.addEventListener("click", () => {
    whole = true;
    draw();
    all.remove();
    box.focus();
  });
  return { box: element("div", {}, box, all), mark };
}

// The text's places where a mark begins or ends: [start, end, class] that do not overlap, in order.
function cutAt(sample, places) {
  const inside = (list, at) => list.some(([start, end]) => start <= at && at < end);
  const answer = sample.span ? [sample.span] : [];
  const edges = [...new Set([...answer, ...places].flat())].sort((a, b) => a - b);
  return edges.slice(0, -1).flatMap((start, number) => {
    const kind = inside(answer, start) ? "answer" : inside(places, start) ? "quoted" : "";
    return kind ? [[start, edges[number + 1], kind]] : [];
  });
}

function addMarked(box, text, start, end, marks) {
  let at = start;
  for (const [from, to, kind] of marks) {
    const [a, b] = [Math.max(from, start), Math.min(to, end)];
    if (a >= b) continue;
    addText(box, text.slice(at, a));
    box.append(element("mark", { class: kind }, text.slice(a, b)));
    at = b;
  }
  addText(box, text.slice(at, end));
}
