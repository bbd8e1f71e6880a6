// Which problems match. Works on plain data, knows nothing of the page.

const GROUPS = ["subject", "level", "answer_type", "steps"]; // what problems are sorted by

// "right", "wrong", "mixed" (several samples, some right), "unjudged" or "missing".
function outcome(samples) {
  if (!samples.length) return "missing";
  const judged = samples.filter((sample) => sample.correct !== null);
  if (!judged.length) return "unjudged";
  const right = judged.filter((sample) => sample.correct).length;
  return right === judged.length ? "right" : right === 0 ? "wrong" : "mixed";
}

function rightShare(samples) {
  const judged = samples.filter((sample) => sample.correct !== null);
  return judged.length ? judged.filter((sample) => sample.correct).length / judged.length : null;
}

function isFlip(item) {
  return new Set(item.cells.map(rightShare).filter((share) => share !== null)).size > 1;
}

// `wanted`: "", an outcome, "cut", "kind=K", "cut=K" (of kind K and cut at the limit) or "grader=N:R", what further
// grader number N says of a text beside the headline grader: R is "headline_only", "other_only", "not_judged", ...
function modelMatches(samples, wanted) {
  if (!wanted) return true;
  if (wanted === "cut") return samples.some((sample) => sample.finish === "length");
  const [word, kind] = split(wanted);
  if (word === "grader") return samples.some((sample) => graderRelation(sample, kind) === kind);
  if (word === "kind") return samples.some((sample) => sample.kind === kind);
  if (word === "cut") return samples.some((sample) => sample.kind === kind && sample.finish === "length");
  return outcome(samples) === wanted;
}

// "N:R" for the further grader that `named` ("N:...") begins with; "" where it has no verdict.
function graderRelation(sample, named) {
  const place = Number(named.split(":")[0]);
  const other = sample.others[place];
  if (!other) return "";
  const [a, b] = [sample.correct, other.correct];
  if (a === null || b === null) return place + ":not_judged";
  return place + ":" + (a === b ? (a ? "both" : "neither") : a ? "headline_only" : "other_only");
}

function split(wanted) {
  const place = wanted.indexOf("=");
  return place < 0 ? [wanted, ""] : [wanted.slice(0, place), wanted.slice(place + 1)];
}

function pairMatches(item, models, pair) {
  const place = (name) => models.findIndex((model) => model.name === name);
  const a = rightShare(item.cells[place(pair.a)] || []);
  const b = rightShare(item.cells[place(pair.b)] || []);
  if (a === null || b === null) return false;
  return { wins: b > a, losses: b < a, both_right: a === 1 && b === 1, both_wrong: a === 0 && b === 0 }[pair.relation];
}

// All filters but the search, which needs the texts.
function matching(data, filters) {
  return data.items.filter(
    (item) =>
      GROUPS.every((name) => !filters[name] || item[name] === filters[name]) &&
      (!filters.kind || item.cells.some((samples) => samples.some((sample) => sample.kind === filters.kind))) &&
      data.models.every((model, place) => modelMatches(item.cells[place], filters.models[model.name])) &&
      (!filters.pair || pairMatches(item, data.models, filters.pair)) &&
      (!filters.flips || isFlip(item))
  );
}

function noFilters() {
  return { ...Object.fromEntries(GROUPS.map((name) => [name, ""])), search: "", kind: "", models: {}, pair: null, flips: false };
}

// Values of a field over all items, in natural order.
function valuesOf(items, pick) {
  const found = new Set();
  for (const item of items) for (const value of pick(item)) if (value) found.add(value);
  return [...found].sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
}
