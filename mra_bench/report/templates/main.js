// Ties data, filters and view together, and follows links, keys and the counts of the tables.

const PAGE = 50;
const MANY = 4; // models whose marks stand beside a problem's name; those of more stand below it
// `live`: whether the first problem has been shown; until then the address stays as it was opened.
const state = { live: false, data: null, filters: noFilters(), matches: [], item: null, drawn: null, page: 0, asked: 0, view: { shown: null, source: false, compare: { open: false, a: "", b: "" } } };

async function refresh() {
  const asked = (state.asked += 1);
  const { data, filters } = state;
  let matches = matching(data, filters);
  const needle = filters.search.trim();
  if (needle) {
    const found = await searchPlaces(data, needle, () => asked !== state.asked, sayProgress);
    if (!found) return;
    matches = matches.filter((item) => found.has(item.place));
  }
  state.matches = matches;
  if (!matches.includes(state.item)) state.item = matches[0] || null;
  state.page = Math.max(0, Math.floor(matches.indexOf(state.item) / PAGE));
  setAddress();
  showCount();
  showList();
  if (state.item && state.item === state.drawn) sayPlace(byId("problem"), place());
  else await showProblem();
}

function place() {
  return { place: state.matches.indexOf(state.item), total: state.matches.length };
}

// The share stands beside the live count: said aloud it would never end.
function sayProgress(share) {
  const count = byId("count");
  if (count.textContent !== "Searching") count.textContent = "Searching";
  byId("progress").textContent = Math.floor(100 * share) + "\u202f%";
}

function showCount() {
  byId("progress").textContent = "";
  const { matches, data } = state;
  byId("count").textContent = number(matches.length) + " of " + number(data.items.length) + (data.items.length === 1 ? " problem" : " problems");
  byId("capped").textContent = data.note;
  const pair = state.filters.pair;
  const chip = byId("relation");
  chip.hidden = !pair;
  if (!pair) return;
  const words = { wins: " more often right than ", losses: " less often right than ", both_right: " always right, and so is ", both_wrong: " never right, nor is " };
  const remove = element("button", { type: "button", on: { click: () => ((state.filters.pair = null), refresh()) } }, "Remove");
  chip.replaceChildren(element("span", {}, pair.b + words[pair.relation] + pair.a), remove);
}

function showList() {
  const from = state.page * PAGE;
  const shown = state.matches.slice(from, from + PAGE);
  byId("list").replaceChildren(...shown.map((item) => listEntry(item, state.data, item === state.item, choose)));
  byId("list").start = from + 1;
  const pages = Math.max(1, Math.ceil(state.matches.length / PAGE));
  byId("page").textContent = state.page + 1 + " / " + number(pages);
  byId("page-back").disabled = state.page === 0;
  byId("page-on").disabled = state.page >= pages - 1;
  const current = byId("list").querySelector("[aria-current]");
  const scroller = byId("scroller");
  if (current) scroller.scrollTop = current.parentElement.offsetTop - scroller.clientHeight / 2;
}

// `focus`: what the new drawing of a control that was pressed is named by, so that it keeps the focus.
async function showProblem(focus) {
  const box = byId("problem");
  const { item, data } = state;
  state.drawn = null;
  if (!item) {
    box.replaceChildren(element("p", { class: "empty" }, "No problem matches these filters."));
    return;
  }
  let texts;
  try {
    texts = await store.texts(data, item);
  } catch (error) {
    box.replaceChildren(element("p", { class: "note" }, "The texts cannot be shown: " + error.message + ". They are in the run folder."));
    return;
  }
  if (item !== state.item || data !== state.data) return;
  box.replaceChildren(...problemView(data, item, texts, state.view, { go, show: showProblem }));
  sayPlace(box, place());
  state.drawn = item;
  for (const wide of box.querySelectorAll(".question, .solution, .gold")) if (wide.scrollWidth > wide.clientWidth) wide.tabIndex = 0;
  if (focus) box.querySelector(`[data-does="${focus}"]`).focus();
}

async function choose(item) {
  state.item = item;
  state.page = Math.floor(state.matches.indexOf(item) / PAGE);
  setAddress();
  const within = byId("list").contains(document.activeElement);
  showList();
  if (within) byId("list").querySelector("[aria-current]").focus({ preventScroll: true });
  await showProblem();
}

// The address is that of the problem shown, and a notice about what was asked for before is over.
function setAddress() {
  if (!state.live) return;
  const address = state.item ? link(state.data.name, state.item.id, state.view.shown) : "#samples";
  if (address !== location.hash) history.replaceState(null, "", address);
  say();
}

function say(...words) {
  byId("notice").replaceChildren(...words);
}

async function go(by) {
  const next = state.matches[state.matches.indexOf(state.item) + by];
  if (!next) return;
  const within = byId("problem").contains(document.activeElement);
  await choose(next);
  if (within) byId("problem").focus({ preventScroll: true });
}

// Controls

// `shown`: names of the models that stand side by side; undefined leaves them as they are, null is all.
async function open(name, filters, id, shown) {
  const data = await store.dataset(name);
  const before = state.data;
  state.data = data;
  state.filters = { ...noFilters(), ...filters };
  state.item = data.items.find((item) => item.id === id) || null;
  if (shown !== undefined) showOnly(shown);
  else if (state.view.shown) showOnly([...state.view.shown]);
  fillControls();
  await refresh();
  if (before !== data) prepareSearch(data, () => state.data === data);
}

function showOnly(names) {
  const there = state.data.models.map((model) => model.name).filter((name) => names === null || names.includes(name));
  state.drawn = null;
  state.view.shown = there.length && there.length < state.data.models.length ? new Set(there) : null;
}

function fillControls() {
  const { data, filters } = state;
  const plain = (values, any) => [{ value: "", label: any }, ...values.map((value) => ({ value, label: value }))];
  const kinds = valuesOf(data.items, (item) => item.cells.flat().map((sample) => sample.kind));
  fillSelect(byId("dataset"), store.index.map((entry) => ({ value: entry.name, label: entry.label })), data.name);
  for (const name of GROUPS) fillSelect(byId(name), plain(valuesOf(data.items, (item) => [item[name]]), "Any"), filters[name]);
  fillSelect(byId("kind"), plain(kinds, "Any"), filters.kind);
  byId("search").value = filters.search;
  byId("flips").checked = filters.flips;
  byId("model-filters").replaceChildren(...data.models.map(modelFilter));
  for (const id of GROUPS) byId(id).parentElement.hidden = byId(id).options.length < 2;
  byId("dataset").parentElement.hidden = store.index.length < 2;
  for (const id of ["flips", "kind"]) byId(id).parentElement.hidden = data.models.length < 2; // what compares models
  byId("browser").classList.toggle("many", data.models.length > MANY);
  byId("columns").replaceChildren(element("span", {}, "Problem"), element("span", { class: "marks" }, ...data.models.map(swatch)));
  sayShown();
}

function sayShown() {
  const { data, view } = state;
  const names = data.models.map((model) => model.name);
  for (const box of byId("model-filters").querySelectorAll("input")) box.checked = !view.shown || view.shown.has(box.dataset.shown);
  byId("shown").textContent = view.shown ? view.shown.size + " of " + names.length : names.length > 1 ? "all " + names.length : "";
  byId("all-models").hidden = !view.shown;
}

// One model always stays ticked. A box says `input` and `change`: the second finds nothing to do.
function chooseShown() {
  const { shown } = state.view;
  const boxes = [...byId("model-filters").querySelectorAll("input")];
  if (boxes.every((box) => box.checked === (!shown || shown.has(box.dataset.shown)))) return;
  const names = boxes.filter((box) => box.checked).map((box) => box.dataset.shown);
  if (names.length) return showModels(names);
  sayShown();
  say("At least one model stays shown.");
}

function showModels(names) {
  showOnly(names);
  sayShown();
  setAddress();
  return showProblem();
}

function modelFilter(model, place) {
  const { data, filters } = state;
  const cells = [...new Set(data.items.flatMap((item) => item.cells[place]))];
  const kinds = [...new Set(cells.map((sample) => sample.kind))].filter(Boolean).sort();
  const cut = [...new Set(cells.filter((sample) => sample.finish === "length").map((sample) => sample.kind))].filter(Boolean).sort();
  const options = [
    { value: "", label: "Any" },
    { value: "right", label: data.several ? "\u2713 Always right" : "\u2713 Right" },
    ...(data.several ? [{ value: "mixed", label: "\u25d0 Right in some" }] : []),
    { value: "wrong", label: data.several ? "\u2717 Never right" : "\u2717 Wrong" },
    ...(cells.some((sample) => sample.correct === null) ? [{ value: "unjudged", label: "? Not judged" }] : []),
    ...(cut.length ? [{ value: "cut", label: "Cut at the limit" }] : []),
    ...kinds.map((kind) => ({ value: "kind=" + kind, label: kind, group: "Kind" })),
    ...cut.map((kind) => ({ value: "cut=" + kind, label: kind, group: "Kind, cut at the limit" })),
    ...data.graders.flatMap((grader, number) => graderOptions(grader, number, cells)),
  ];
  const select = element("select", { "data-model": model.name, "aria-label": "Texts of " + model.name });
  fillSelect(select, options, filters.models[model.name] || "");
  const box = element("input", { type: "checkbox", "data-shown": model.name, hidden: data.models.length < 2 });
  return element("div", { class: "field" }, element("label", { class: "shown" }, box, swatch(model), element("bdi", { title: model.name }, model.name)), select);
}

function graderOptions(grader, number, cells) {
  const words = { headline_only: "right for the headline grader only", other_only: "right for this one only", not_judged: "not judged by one" };
  const found = new Set(cells.map((sample) => graderRelation(sample, number + ":")));
  const present = Object.keys(words).filter((relation) => found.has(number + ":" + relation));
  return present.map((relation) => ({ value: "grader=" + number + ":" + relation, label: words[relation], group: "By " + grader }));
}

// Selects say `input` and `change`: what was read already is not looked for again.
function readControls() {
  const { filters } = state;
  const before = JSON.stringify(filters);
  for (const id of ["search", "kind", ...GROUPS]) filters[id] = byId(id).value;
  filters.flips = byId("flips").checked;
  for (const select of byId("model-filters").querySelectorAll("select")) filters.models[select.dataset.model] = select.value;
  if (JSON.stringify(filters) !== before) refresh();
}

// A count in a table was clicked: show what it counts.
async function follow(wanted) {
  const { data, ...filters } = wanted;
  const compared = filters.pair ? [filters.pair.a, filters.pair.b] : Object.keys(filters.models || {});
  const many = (await store.dataset(data)).models.length > MANY;
  await open(data, filters, null, many && compared.length > 1 ? compared : undefined);
  byId("samples").scrollIntoView({ block: "start" });
  byId("problem").focus({ preventScroll: true });
}

// Shows what the address asks for, and says what of it is not there. False: it asks for nothing in the samples.
async function followHash() {
  const parts = new URLSearchParams(location.hash.slice(1));
  const [id, wanted] = [parts.get("q"), parts.get("data")];
  const shown = parts.get("model") ? parts.getAll("model") : undefined;
  if (!id && !wanted && !shown) return false;
  const data = await linked(id, wanted);
  const there = data && data === state.data && (!id || (state.item && state.item.id === id));
  if (there && shown) await showModels(shown);
  else if (there) setAddress();
  else if (data) await open(data.name, {}, id, shown);
  else if (!state.data) await open(store.names()[0], {}, null, shown);
  const missing = data ? (shown || []).filter((name) => !data.models.some((model) => model.name === name)) : [];
  if (!data) say(...absent(id, wanted));
  else if (missing.length) say(...missing.flatMap((name) => notThere("model", name, " on this dataset. ")));
  if (!there || missing.length) byId("samples").scrollIntoView({ block: "start" });
  return true;
}

// The dataset of a link: the named one, or the first that has the problem; undefined where none is or has it.
async function linked(id, wanted) {
  for (const name of store.names().filter((name) => !wanted || name === wanted)) {
    const data = await store.dataset(name);
    if (!id || data.items.some((item) => item.id === id)) return data;
  }
}

function absent(id, wanted) {
  if (!wanted) return notThere("problem", id, " in this report.");
  if (!store.names().includes(wanted)) return notThere("dataset", wanted, " in this report.");
  return notThere("problem", id, " of this dataset in this report.");
}

// Words for `say`. Of a long name the beginning is said.
function notThere(what, name, where) {
  const letters = [...name];
  const said = letters.length > 80 ? letters.slice(0, 80).join("") + "\u2026" : name;
  return ["There is no " + what + " '", element("bdi", {}, said), "'" + where];
}

function onKey(event) {
  const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (!by || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
  if (event.target.closest("input, select, textarea, .scroll, summary")) return;
  const seen = byId("browser").getBoundingClientRect();
  if (seen.bottom < 80 || seen.top > innerHeight - 80) return;
  event.preventDefault();
  go(by);
}

function listen() {
  let waiting = 0;
  byId("filters").addEventListener("submit", (event) => event.preventDefault());
  const changed = (event) => {
    if (event.target.id === "dataset") return;
    if (event.target.dataset.shown !== undefined) return chooseShown();
    clearTimeout(waiting);
    waiting = setTimeout(readControls, event.target.id === "search" ? 80 : 0);
  };
  for (const kind of ["input", "change"]) byId("filters").addEventListener(kind, changed);
  byId("all-models").addEventListener("click", () => {
    for (const box of byId("model-filters").querySelectorAll("input")) box.checked = true;
    chooseShown();
    byId("model-filters").querySelector("input").focus();
  });
  byId("dataset").addEventListener("change", (event) => open(event.target.value, {}, null));
  byId("reset").addEventListener("click", () => open(state.data.name, {}, state.item && state.item.id));
  byId("page-back").addEventListener("click", () => ((state.page -= 1), showList()));
  byId("page-on").addEventListener("click", () => ((state.page += 1), showList()));
  document.addEventListener("keydown", onKey);
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-filter]");
    if (button) follow(JSON.parse(button.dataset.filter));
  });
  addEventListener("hashchange", followHash);
}

function markContents() {
  const links = new Map([...document.querySelectorAll(".contents a")].map((a) => [a.getAttribute("href").slice(1), a]));
  const parts = [...document.querySelectorAll("#summary, main > section")];
  const mark = () => {
    const at = parts.filter((part) => part.getBoundingClientRect().top < innerHeight / 3).pop() || parts[0];
    for (const [id, a] of links) if (id === at.id) a.setAttribute("aria-current", "true"); else a.removeAttribute("aria-current");
  };
  addEventListener("scroll", () => requestAnimationFrame(mark), { passive: true });
  mark();
}

async function start() {
  markContents();
  if (!store.index.length) return;
  document.documentElement.classList.add("live");
  listen();
  try {
    byId("browser").hidden = false;
    if (!(await followHash())) await open(store.index[0].name, {}, null);
    state.live = true;
    performance.mark("samples-shown"); // for benchmarks/report
  } catch (error) {
    byId("browser").replaceChildren(element("p", { class: "note" }, "The samples cannot be shown: " + error.message + ". They are in the run folder."));
  }
}

start();
