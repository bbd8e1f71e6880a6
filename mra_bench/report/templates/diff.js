// Differences of two texts, word by word: Myers' shortest edit script (An O(ND) Difference Algorithm, 1986), greedy.

const DIFF_CHARACTERS = 20000; // of each text
const DIFF_EDITS = 1500;

// Words, numbers and signs, each with the space before it, which does not count when they are compared.
function words(text) {
  return text.match(/\s*(?:[\p{L}\p{M}\p{N}_]+|[^\s])|\s+$/gu) || [];
}

// {pieces: [{kind: "same" | "old" | "new", text}], cut: whether the end is not compared word by word}
function differences(before, after) {
  const [a, b] = [words(before.slice(0, DIFF_CHARACTERS)), words(after.slice(0, DIFF_CHARACTERS))];
  const [x, y] = [a.map((word) => word.trim()), b.map((word) => word.trim())];
  let head = 0;
  while (head < x.length && head < y.length && x[head] === y[head]) head += 1;
  let tail = 0;
  while (tail < x.length - head && tail < y.length - head && x[x.length - 1 - tail] === y[y.length - 1 - tail]) tail += 1;
  const { steps, cut } = editScript(x.slice(head, x.length - tail), y.slice(head, y.length - tail));
  const pieces = [];
  const add = (kind, text) => {
    const last = pieces[pieces.length - 1];
    if (last && last.kind === kind) last.text += text;
    else pieces.push({ kind, text });
  };
  for (let place = 0; place < head; place += 1) add("same", b[place]);
  let [i, j] = [head, head];
  for (const step of steps) {
    if (step === "old") add("old", a[i++]);
    else if (step === "new") add("new", b[j++]);
    else {
      add("same", b[j++]);
      i += 1;
    }
  }
  for (; j < b.length; j += 1) add("same", b[j]);
  return { pieces: grouped(pieces), cut: cut || before.length > DIFF_CHARACTERS || after.length > DIFF_CHARACTERS };
}

// "same", "old" and "new" steps from x to y. Beyond DIFF_EDITS edits the rest is all old, then all new.
function editScript(x, y) {
  const most = Math.min(x.length + y.length, DIFF_EDITS);
  const ends = new Int32Array(2 * most + 3);
  const traces = [];
  let best = [0, 0];
  for (let edits = 0; edits <= most; edits += 1) {
    traces.push(ends.slice(most + 1 - edits - 1, most + 1 + edits + 2));
    for (let k = -edits; k <= edits; k += 2) {
      const down = k === -edits || (k !== edits && ends[most + k] < ends[most + 2 + k]);
      let i = down ? ends[most + 2 + k] : ends[most + k] + 1;
      let j = i - k;
      while (i < x.length && j < y.length && x[i] === y[j]) [i, j] = [i + 1, j + 1];
      ends[most + 1 + k] = i;
      if (i <= x.length && j <= y.length && i + j > best[0] + best[1]) best = [i, j];
      if (i >= x.length && j >= y.length) return { steps: walkBack(traces, x.length, y.length), cut: false };
    }
  }
  const steps = walkBack(traces, ...best);
  const rest = [...Array(x.length - best[0]).fill("old"), ...Array(y.length - best[1]).fill("new")];
  return { steps: [...steps, ...rest], cut: true };
}

// traces[d] holds, for diagonals -d-1 to d+1, how far the paths of d-1 edits came.
function walkBack(traces, i, j) {
  const steps = [];
  for (let edits = traces.length - 1; edits >= 0 && (i > 0 || j > 0); edits -= 1) {
    const at = (k) => traces[edits][k + edits + 1];
    const k = i - j;
    if (Math.abs(k) > edits || (edits - k) % 2) continue;
    const down = k === -edits || (k !== edits && at(k - 1) < at(k + 1));
    const before = edits === 0 ? 0 : down ? at(k + 1) : at(k - 1);
    const start = edits === 0 ? 0 : down ? before : before + 1;
    while (i > start) {
      steps.push("same");
      [i, j] = [i - 1, j - 1];
    }
    if (edits === 0) break;
    steps.push(down ? "new" : "old");
    [i, j] = down ? [i, j - 1] : [i - 1, j];
  }
  return steps.reverse();
}

// Of changes that follow one another without a pause, first all that goes, then all that comes.
function grouped(pieces) {
  const made = [];
  let held = { old: "", new: "" };
  const flush = () => {
    for (const kind of ["old", "new"]) if (held[kind]) made.push({ kind, text: held[kind] });
    held = { old: "", new: "" };
  };
  for (const piece of pieces) {
    if (piece.kind === "same") {
      flush();
      made.push(piece);
    } else held[piece.kind] += piece.text;
  }
  flush();
  return made;
}

// Whether what stands behind the removed text `gone` would read as one with it: "12" and "9" as 129. Of the same text
// this is so of letters and digits alone: it has the spaces of the new text.
function touches(gone, kind, text) {
  if (!gone || /\s$/u.test(gone) || /^\s/u.test(text)) return false;
  return kind === "new" || (/[\p{L}\p{M}\p{N}_]$/u.test(gone) && /^[\p{L}\p{M}\p{N}_]/u.test(text));
}

function diffView(before, after) {
  const box = element("pre", { class: "text diff", tabindex: "0", role: "group", "aria-label": "Differences" });
  const { pieces, cut } = differences(before, after);
  let gone = "";
  for (const { kind, text } of pieces) {
    if (touches(gone, kind, text)) box.append(" ");
    gone = kind === "old" ? text : "";
    if (kind === "same") addText(box, text);
    else box.append(element(kind === "old" ? "del" : "ins", {}, text));
  }
  const same = pieces.every((piece) => piece.kind === "same");
  const note = same ? "No difference but spaces." : cut ? "The texts are long or very different: their ends are not compared word by word." : "";
  return note ? [element("p", { class: "note" }, note), box] : [box];
}
