// Formulas: trees made when the report was written, built element by element. What is not on the list is not built.

const MATHML = "http://www.w3.org/1998/Math/MathML";
const MATH_ATTRIBUTES = {
  math: ["display"],
  mrow: [],
  mi: ["mathvariant"],
  mn: ["mathvariant"],
  mo: ["stretchy", "fence", "form", "accent", "movablelimits", "mathvariant", "minsize", "maxsize"],
  mtext: ["mathvariant"],
  mspace: ["width"],
  msup: [],
  msub: [],
  msubsup: [],
  mover: ["accent"],
  munder: [],
  munderover: [],
  mfrac: ["linethickness"],
  msqrt: [],
  mroot: [],
  mstyle: ["displaystyle", "scriptlevel"],
  mpadded: ["width", "height", "depth"],
  mphantom: [],
  mtable: ["columnlines", "rowlines", "displaystyle"],
  mtr: [],
  mtd: ["columnalign"],
  menclose: ["notation"],
};
const MATH_VALUE = /^[a-z0-9. %-]{0,40}$/;

// The element of a tree ["tag", {attributes}, children and texts...]; null where it holds anything else.
function mathElement(tree) {
  if (!Array.isArray(tree) || !Object.hasOwn(MATH_ATTRIBUTES, tree[0])) return null;
  const made = document.createElementNS(MATHML, tree[0]);
  for (const part of tree.slice(1)) {
    if (typeof part === "string") made.append(document.createTextNode(part));
    else if (Array.isArray(part)) {
      const child = mathElement(part);
      if (!child) return null;
      made.append(child);
    } else if (part && typeof part === "object") {
      for (const [name, value] of Object.entries(part)) {
        if (!MATH_ATTRIBUTES[tree[0]].includes(name) || !MATH_VALUE.test(value)) return null;
        made.setAttribute(name, value);
      }
    } else return null;
  }
  return made;
}

function formula(texts, number, source) {
  const made = texts.formulas[number] === undefined ? null : mathElement(JSON.parse(texts.formulas[number]));
  if (made) made.setAttribute("title", seen(source));
  return made;
}

// Text with the formulas `places` ([start, end, number] each) drawn, or as it is where `source` is asked for.
function addMathText(parent, text, places, texts, source) {
  let from = 0;
  for (const [start, end, number] of source ? [] : places || []) {
    const drawn = formula(texts, number, text.slice(start, end));
    if (!drawn) continue;
    addText(parent, text.slice(from, start));
    parent.append(drawn);
    from = end;
  }
  addText(parent, text.slice(from));
  return parent;
}

// A bare answer: drawn where it is LaTeX, else as it is.
function answerView(answer, className, texts, source) {
  const drawn = source || !answer || !Object.hasOwn(texts.latex, answer) ? null : formula(texts, texts.latex[answer], answer);
  return drawn ? element("span", { class: className + " drawn" }, drawn) : element("code", { class: className }, answer || "\u2013");
}

function hasFormulas(texts) {
  const answers = [texts.answer, ...texts.cells.flat().map((sample) => sample.answer)];
  return Object.keys(texts.math).length > 0 || answers.some((answer) => Object.hasOwn(texts.latex, answer));
}
