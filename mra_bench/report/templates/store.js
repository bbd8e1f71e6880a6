// The embedded samples: one block for each dataset, unpacked when it is first looked at.

const store = {
  index: byId("sample-index") ? JSON.parse(byId("sample-index").textContent) : [],
  loaded: new Map(),

  names() {
    return this.index.map((entry) => entry.name);
  },

  // {name, label, note, problems: total in the run, models, graders: names of the further ones, items, several}
  async dataset(name) {
    if (!this.loaded.has(name)) this.loaded.set(name, unpack(this.index.findIndex((entry) => entry.name === name)));
    return this.loaded.get(name);
  },
};

async function unpack(place) {
  const entry = store.index[place];
  const text = byId("samples-" + place).textContent;
  const data = JSON.parse(entry.encoding === "json" ? text : await inflate(text));
  const items = data.problems.map((problem, row) => ({
    ...problem,
    cells: data.answers[row].map((samples) => (samples || []).map((values) => sampleOf(data, values))),
  }));
  const several = items.some((item) => item.cells.some((samples) => samples.length > 1));
  return { ...entry, models: data.models, graders: data.graders, items, several };
}

function sampleOf(data, values) {
  const sample = named(data.fields, values);
  sample.others = sample.others.map((verdict) => verdict && named(data.verdict, verdict));
  return sample;
}

function named(fields, values) {
  const made = {};
  fields.forEach((field, place) => (made[field] = values[place]));
  return made;
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
