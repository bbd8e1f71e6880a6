// Full-text search, part by part, so that a large page stays quick to use: what is searched of a part (question, answers
// and texts in lower case) is kept as one string once it has been unpacked.

const GAP = "\n\u0000\n";
const BUSY = 12; // milliseconds of work before others have their turn

// The places of the problems that have `needle`, or null once `stale()`. `progress` is told the share that is done.
async function searchPlaces(data, needle, stale, progress) {
  const wanted = needle.toLowerCase();
  const found = new Set();
  let since = performance.now();
  for (let number = 0; number < data.starts.length - 1; number += 1) {
    const { text, ends } = data.searched[number] || (await searchedPart(data, number));
    let row = 0;
    for (let at = text.indexOf(wanted); at >= 0; at = text.indexOf(wanted, ends[row])) {
      while (ends[row] <= at) row += 1;
      if (at + wanted.length <= ends[row]) found.add(data.starts[number] + row);
    }
    if (performance.now() - since > BUSY) {
      progress((number + 1) / (data.starts.length - 1));
      await turn();
      since = performance.now();
    }
    if (stale()) return null;
  }
  return found;
}

async function searchedPart(data, number) {
  const part = await readBlock(data, "samples-" + data.block + "-" + number);
  const [text, answer] = ["text", "answer"].map((name) => data.fields.indexOf(name));
  const pieces = [];
  const ends = [];
  let end = 0;
  part.problems.forEach((problem, row) => {
    const samples = part.answers[row].flatMap((of) => of || []);
    const id = data.items[data.starts[number] + row].id;
    const words = [id, problem.question, problem.answer, ...samples.flatMap((values) => [values[text], values[answer]]), ""];
    const joined = words.join(GAP).toLowerCase();
    pieces.push(joined);
    ends.push((end += joined.length));
  });
  data.searched[number] = { text: pieces.join(""), ends };
  return data.searched[number];
}

function turn() {
  return new Promise((done) => setTimeout(done));
}

// Prepares the search while nobody asks for anything.
function prepareSearch(data, current) {
  const idle = window.requestIdleCallback || ((work) => setTimeout(work, 200));
  const next = async () => {
    const number = Array.from({ length: data.starts.length - 1 }).findIndex((_, place) => !data.searched[place]);
    if (!current()) return;
    if (number < 0) return performance.mark("search-prepared"); // for benchmarks/report
    await searchedPart(data, number);
    idle(next);
  };
  idle(next);
}
