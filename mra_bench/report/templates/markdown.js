// One problem as Markdown, for an issue or a note. Every text of a stranger stands in a fence or a code span that is
// longer than any run of backticks in it; characters nobody can see stand as their code points.

function ticks(text, least) {
  const longest = Math.max(0, ...(text.match(/`+/g) || []).map((run) => run.length));
  return "`".repeat(Math.max(least, longest + 1));
}

function fenced(text) {
  const shown = seen(text.replace(/\r\n?/g, "\n"));
  const fence = ticks(shown, 3);
  return fence + "text\n" + shown + (shown.endsWith("\n") ? "" : "\n") + fence + "\n";
}

function codeSpan(text) {
  const shown = seen(text.replace(/\s+/g, " ").trim()) || "(none)";
  const tick = ticks(shown, 1);
  const space = /^`|`$/.test(shown) ? " " : "";
  return tick + space + shown + space + tick;
}

// `columns`: [model name, its sample or undefined, how many samples it has] of each model to be copied.
function problemMarkdown(data, item, texts, columns) {
  const parts = ["# Problem " + codeSpan(item.id) + " of " + codeSpan(data.label), ""];
  const facts = ["subject", "level"].filter((name) => item[name]).map((name) => name + " " + codeSpan(item[name]));
  if (facts.length) parts.push(facts.join(", "), "");
  parts.push(fenced(texts.question), "Reference answer:", "", fenced(texts.answer));
  for (const [model, sample, several] of columns) parts.push(...sampleMarkdown(model, sample, several));
  return parts.join("\n");
}

function sampleMarkdown(model, sample, several) {
  if (!sample) return ["## " + codeSpan(model) + ": no text", ""];
  const which = several > 1 ? ", sample " + (sample.index + 1) + " of " + several : "";
  const end = sample.finish === "length" ? ", cut at the limit" : "";
  const answer = sample.answer ? "Answer " + codeSpan(sample.answer) : "No answer found";
  const reason = sample.reason ? ": " + codeSpan(sample.reason) : "";
  return [
    "## " + codeSpan(model) + ": " + WORDS[sampleOutcome(sample)] + which,
    "",
    answer + ", kind " + codeSpan(sample.kind) + reason,
    "",
    fenced(sample.text),
    number(sample.tokens) + " tokens" + end,
    "",
  ];
}

// Puts text on the clipboard; where the browser refuses that, offers it selected.
async function copyText(text, home) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const box = element("textarea", { class: "copied", readonly: true, rows: "8", "aria-label": "Markdown to copy" });
    box.value = text;
    for (const before of home.querySelectorAll("textarea")) before.remove();
    home.append(box);
    box.select();
    if (!document.execCommand("copy")) return false;
    box.remove();
    return true;
  }
}
