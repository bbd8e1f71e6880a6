// The embedded samples: for each dataset an index, read when it is first looked at, and parts with the texts, unpacked
// when a problem of theirs is looked at or searched.

const KEPT = 6; // unpacked parts

const store = {
  index: byId("sample-index") ? JSON.parse(byId("sample-index").textContent) : [],
  loaded: new Map(),

  names() {
    return this.index.map((entry) => entry.name);
  },

  // {name, label, note, problems: total in the run, models, graders: names of the further ones, profilers, items, several}
  dataset(name) {
    if (!this.loaded.has(name)) this.loaded.set(name, readIndex(this.index.findIndex((entry) => entry.name === name)));
    return this.loaded.get(name);
  },

  // {question, answer, solution, math, cells: for each model its samples, formulas, latex} of an item of `data`.
  async texts(data, item) {
    const part = await unpackedPart(data, partOf(data, item.place));
    const row = item.place - data.starts[part.number];
    const cells = part.answers[row].map((samples, model) =>
      (samples || []).map((values, place) => sampleOf(data, values, item.cells[model][place]))
    );
    return { math: {}, ...part.problems[row], cells, formulas: part.formulas, latex: part.latex };
  },
};

async function readIndex(block) {
  const entry = store.index[block];
  const found = await readBlock(entry, "samples-" + block);
  const states = found.states.map(([correct, kind, finish, others]) => ({ correct, kind, finish, others: others.map((other) => other && { correct: other[0] }) }));
  const cellOf = (cell) => (cell === null ? [] : typeof cell === "number" ? [states[cell]] : cell.map((state) => states[state]));
  const unreadable = new Set(found.unreadable);
  const items = found.ids.map((id, place) => ({
    id,
    place,
    ...Object.fromEntries(GROUPS.map((name) => [name, found.groups[name].values[found.groups[name].of[place]]])),
    unreadable: unreadable.has(place),
    cells: found.cells.map((column) => cellOf(column[place])),
  }));
  const several = items.some((item) => item.cells.some((samples) => samples.length > 1));
  const { models, graders, profilers, fields, verdict, starts } = found;
  return { ...entry, block, models, graders, profilers, fields, verdict, starts, items, several, parts: new Map(), searched: [] };
}

function partOf(data, place) {
  let [low, high] = [0, data.starts.length - 1];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (data.starts[middle] <= place) low = middle;
    else high = middle;
  }
  return low;
}

async function unpackedPart(data, number) {
  let part = data.parts.get(number);
  if (part) data.parts.delete(number); // to the end: the one looked at last is dropped last
  else part = readBlock(data, "samples-" + data.block + "-" + number).then((read) => ({ ...read, number }));
  data.parts.set(number, part);
  if (data.parts.size > KEPT) data.parts.delete(data.parts.keys().next().value);
  return part;
}

function sampleOf(data, values, state) {
  const sample = { ...state, ...named(data.fields, values) };
  sample.others = sample.others.map((verdict, place) => verdict && { ...state.others[place], ...named(data.verdict, verdict) });
  return sample;
}

function named(fields, values) {
  const made = {};
  fields.forEach((field, place) => (made[field] = values[place]));
  return made;
}

async function readBlock(entry, id) {
  const text = byId(id).textContent;
  return JSON.parse(entry.encoding === "json" ? text : await inflate(text));
}

async function inflate(base64) {
  if (typeof DecompressionStream === "undefined") throw new Error("this browser cannot unpack gzip");
  const bytes = Uint8Array.fromBase64 ? Uint8Array.fromBase64(base64) : decoded(base64);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).text();
}

function decoded(base64) {
  const binary = atob(base64);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i += 1) bytes[i] = binary.charCodeAt(i);
  return bytes;
}
