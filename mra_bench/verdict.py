"""The verdict in words, and the warnings that go before any figure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mra_bench.compute import EQUAL, amount, compute_sentence, ratio, since_common
from mra_bench.decision_results import no_better_than_constant
from mra_bench.drawn import not_drawn_warnings
from mra_bench.imports.words import imported_warnings
from mra_bench.likelihood import likelihood_warnings
from mra_bench.listed_overlaps import LONG_RUN, NEAR, questions_listed
from mra_bench.same_conditions import unlike_warnings, unrepeatable_warnings
from mra_bench.stamps import stamp_sentence
from mra_bench.statistics import holm

ALPHA = 0.05
MANY = 0.05  # share of texts cut, empty or run on above which a warning is due
SILENT = 0.25  # share of its parent's tokens under which a model has stopped talking
QUOTED = 200  # characters of a grader's error that are quoted
TELLING = (LONG_RUN, NEAR)  # likenesses that are more than a common template or phrase


def points(value: float, *, sign: bool = False) -> str:
    """A difference of proportions in percentage points, e.g. ``4.3`` or ``+4.3``; what rounds to 0 is ``0.0``."""
    rounded = round(100 * value, 1) or 0.0
    return f"{rounded:{'+' if sign and rounded else ''}.1f}"


def p_digits(p: float) -> str:
    """A p value of 0.001 or more with the digits that matter: near 0.05 as many as say on which side it is."""
    return f"{p:.4f}" if 0.0495 <= p < 0.0505 else f"{p:.3f}" if p < 0.1 else f"{p:.2f}"


def p_text(p: float) -> str:
    """A p value in a sentence, e.g. ``p = 0.012``; under 0.001 no more than that."""
    return "p < 0.001" if p < 0.001 else f"p = {p_digits(p)}"


def counted(count: int, noun: str) -> str:
    """``1 problem``, ``1,200 problems``."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def adjusted(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows of pairs with their p by Holm over all of them, and what each says."""
    for row, p in zip(rows, holm([row["p"] for row in rows]), strict=True):
        row["p_holm"] = p
        row["conclusion"] = conclusion(row)
    return rows


def conclusion(row: Mapping[str, Any]) -> str:
    """What one paired comparison (b against a) says, in words."""
    tail = _figures(row, row["low"], row["high"])
    if row["p_holm"] < ALPHA:
        verb = "beats" if row["difference"] > 0 else "is worse than"
        return f"{row['b']} {verb} {row['a']} by {points(abs(row['difference']))} points ({_turned(row, tail)})."
    return (
        f"{row['b']} against {row['a']}: no difference detected ({points(row['difference'], sign=True)} points, "
        f"{tail}); {_missed(row)}."
    )


def is_sequential(row: Mapping[str, Any]) -> bool:
    """Whether a comparison is from a run that may end once it knows."""
    return str(row.get("test", "")).startswith("sequential")


def _figures(row: Mapping[str, Any], low: float, high: float) -> str:
    """Interval, p and n of a comparison, the interval being given."""
    kind = "sequential " if is_sequential(row) else ""
    return f"95 % {kind}CI {points(low)} to {points(high)}, {kind}{p_text(row['p_holm'])}, n = {row['n']}"


def _missed(row: Mapping[str, Any]) -> str:
    """What a comparison that shows nothing could not have seen."""
    if row["detectable"] is None:
        return f"n = {row['n']} is too few to show any difference"
    return f"a gap under about {points(row['detectable'])} points would often be missed here"


def _turned(row: Mapping[str, Any], tail: str) -> str:
    """For "worse by", the interval of the loss instead of the gain."""
    if row["difference"] > 0:
        return tail
    return _figures(row, -row["high"], -row["low"])


Models = Sequence[Mapping[str, Any]]
Pairs = Sequence[Mapping[str, Any]]
Spoken = list[tuple[tuple[str, str], Mapping[str, Any]]]


@dataclass(frozen=True)
class Speech:
    """What a verdict speaks of: `pairs` chooses the comparisons (see `spoken_pairs`), `compute` says of two models
    whether they took as much of it (see `compute_sentence`)."""

    pairs: Callable[[Models, Pairs], Spoken]
    compute: Callable[[Models, str, str], str] = compute_sentence


def sentences(results: Mapping[str, Any], speech: Speech | None = None) -> list[str]:
    """The verdict: first of all which models were trained on test questions, if any were; then each trained model
    against its parent and its control, or what else `speech` chooses, on the headline dataset, in run order."""
    stamp = stamp_sentence(results["contamination"])
    return [*([stamp] if stamp else []), *_of_headline(results, speech or Speech(spoken_pairs))]


def _of_headline(results: Mapping[str, Any], speech: Speech) -> list[str]:
    headline = next((d for d in results["datasets"] if d["headline"]), None)
    if headline is None:
        return []
    silent = {row["model"] for row in headline["scores"] if not judged(row)}
    if silent:
        return [unjudged_sentence(headline, silent), *_of_judged(results, headline, silent, speech)]
    return _compared(results, headline, speech)


def judged(row: Mapping[str, Any]) -> bool:
    """Whether the grader could judge a single text of this scoreboard row (or there was none to judge)."""
    return bool(row["worst"] > 0 or row["best"] < 1 or not row["n"])


def unjudged_sentence(dataset: Mapping[str, Any], silent: Collection[str]) -> str:
    """That there is nothing to conclude about the models in `silent`, and the grader's first error, if it raised."""
    who = "" if len(silent) == len(dataset["scores"]) else f" of {', '.join(sorted(silent))}"
    errors = [row.get("first_crash", "") for row in dataset["scores"] if row["model"] in silent]
    why = next((f" The first error: {error[:QUOTED]}" for error in errors if error), "")
    return f"Nothing was judged: the grader could not judge a single text{who} on {dataset['name']}.{why}"


def _of_judged(
    results: Mapping[str, Any],
    headline: Mapping[str, Any],
    silent: Collection[str],
    speech: Speech,
) -> list[str]:
    scores = [row for row in headline["scores"] if row["model"] not in silent]
    pairs = [row for row in headline["pairs"] if not {row["a"], row["b"]} & set(silent)]
    return _compared(results, {**headline, "scores": scores, "pairs": pairs}, speech)


def _compared(results: Mapping[str, Any], headline: Mapping[str, Any], speech: Speech) -> list[str]:
    if not headline["pairs"]:
        return [score_sentence(row, headline) for row in headline["scores"]]
    models = results["models"]
    chosen = speech.pairs(models, headline["pairs"])
    said = [f"{conclusion(oriented(row, pair))} {speech.compute(models, *pair)}".rstrip() for pair, row in chosen]
    return [*said, *stop_sentences(results)]


def spoken_pairs(models: Models, pairs: Pairs) -> Spoken:
    """The comparisons that the verdict is about, each with the models in the order in which it names them: each trained
    model against its parent and its control; every pair where there is none of these."""
    wanted: list[tuple[str, str]] = [(m["from"], m["name"]) for m in models if m["from"] and not m["control_for"]]
    wanted += [(m["name"], controlled) for m in models for controlled in controlled_by(m)]
    found = {frozenset((row["a"], row["b"])): row for row in pairs}
    chosen = [(pair, found[frozenset(pair)]) for pair in wanted if frozenset(pair) in found]
    return chosen or [((row["a"], row["b"]), row) for row in pairs]


def controlled_by(model: Mapping[str, Any]) -> list[str]:
    """The models that this one is a control of; the record of an older run names one, or None."""
    named = model["control_for"]
    return [] if named is None else [named] if isinstance(named, str) else list(named)


def stop_sentences(results: Mapping[str, Any]) -> list[str]:
    """Of a run that ends once it knows: that it is one, where it has ended and why, what that saved, and where it must
    not stand."""
    found = results.get("sequential")
    if found is None:
        return []
    seen = f"{found['seen']:,} of {counted(found['problems'], 'problem')}"
    if found["saved_tokens"] is None:
        end = f"it went to the end ({seen}), so nothing was saved"
    else:
        all_tokens = found["tokens"] + found["saved_tokens"]
        share = f"{100 * found['saved_tokens'] / max(1, all_tokens):.0f} %"
        at = f"look {found['look']} of {len(found['looks'])}, {seen}"
        end = (
            f"it ended once every comparison above was decided ({at}), "
            f"which saved about {found['saved_tokens']:,} of {all_tokens:,} tokens, {share}"
        )
    return [f"This is a sequential test: {end}. Its intervals and p allow for the looks; it enters no leaderboard."]


def score_sentence(row: Mapping[str, Any], dataset: Mapping[str, Any]) -> str:
    """One model alone: its accuracy with its interval."""
    return (
        f"{row['model']} solves {points(row['accuracy'])} % of {dataset['name']} "
        f"(95 % CI {points(row['low'])} to {points(row['high'])}, n = {row['n']})."
    )


def oriented(row: Mapping[str, Any], pair: tuple[str, str]) -> Mapping[str, Any]:
    """The comparison as pair[1] against pair[0]; rows are stored later model against earlier one."""
    if (row["a"], row["b"]) == pair:
        return row
    return {
        **row,
        "a": pair[0],
        "b": pair[1],
        "difference": -row["difference"],
        "low": -row["high"],
        "high": -row["low"],
    }


def warnings_of(results: Mapping[str, Any]) -> list[dict[str, str]]:
    """What a reader must know before any figure, most serious first."""
    found: list[tuple[str, str]] = []
    if results["partial"]:
        found.append(("partial", f"This run is not complete. Missing: {', '.join(results['missing'])}."))
    found += _contamination_warnings(results)
    found += imported_warnings(results.get("published"))
    found += unlike_warnings(results.get("unlike_models", ()))
    found += _condition_warnings(results["mixed_conditions"])
    found += unrepeatable_warnings(results.get("not_reproducible", ()))
    found += not_drawn_warnings(results.get("not_drawn", ()))
    found += _control_warnings(results["models"])
    found += likelihood_warnings(results["models"])
    for dataset in results["datasets"]:
        for row in dataset["scores"]:
            found += _score_warnings(row, dataset["name"])
        found += _silence_warnings(results["models"], dataset)
        found += _dataset_warnings(dataset)
        found += [("constant-decision", text) for text in no_better_than_constant(dataset)]
    return [{"kind": kind, "text": text} for kind, text in found]


def _contamination_warnings(results: Mapping[str, Any]) -> list[tuple[str, str]]:
    contamination, found = results["contamination"], []
    if contamination["overlaps"] and contamination["policy"] == "allow":
        count = len({(o["dataset"], o["problem_id"]) for o in contamination["overlaps"]})
        what = f"{counted(count, 'test question')} {'was' if count == 1 else 'were'}"
        found.append(("contamination", f"{what} in the training data (allowed by the user)."))
    for model in dict.fromkeys(o["model"] for o in contamination.get("earlier", ())):
        met = {(o["dataset"], o["problem_id"]) for o in contamination["earlier"] if o["model"] == model}
        text = f"{model} was trained on {counted(len(met), 'test question')} in the run that its weights come from."
        found.append(("contamination", text))
    alike = questions_listed(contamination.get("listed", ()), TELLING)
    for dataset in results["datasets"]:
        if dataset["n"] and (count := alike[dataset["name"]]) > MANY * dataset["n"]:
            text = (
                f"{dataset['name']}: {count:,} of {counted(dataset['n'], 'problem')} are much like a training question"
            )
            found.append(("similar-questions", f"{text}, none the same. The section on contamination counts them."))
    return found


def _dataset_warnings(dataset: Mapping[str, Any]) -> list[tuple[str, str]]:
    name, found = dataset["name"], []
    if dataset["scores"] and not dataset["n"]:
        found.append(("nothing-judged", f"{name}: no problem is left that the grader could judge."))
    if count := dataset["duplicates"]["repeated"]:
        text = f"{name}: {count} of {counted(dataset['n'], 'problem')} {'repeats' if count == 1 else 'repeat'}"
        so = "Each counts, so intervals and p are a little too sure of themselves."
        found.append(("duplicate-questions", f"{text} the question of another. {so}"))
    if count := len(dataset["unreadable"]):
        text = f"{name}: {counted(count, 'problem')} left out for all models because"
        found.append(("unreadable-gold", f"{text} {'its' if count == 1 else 'their'} gold answer cannot be read."))
    return found


def _condition_warnings(mixed: list[dict[str, Any]] | None) -> list[tuple[str, str]]:
    if not mixed:
        return []
    parts = [f"{m['what']} of {m['kind']} ({', '.join(v['value'] for v in m['values'])})" for m in mixed]
    text = f"Stages of this run were not made under the same conditions: {'; '.join(parts)}."
    return [("mixed-conditions", text)]


def _control_warnings(models: list[dict[str, Any]]) -> list[tuple[str, str]]:
    found = []
    by_name = {m["name"]: m for m in models}
    controls: dict[str, list[str]] = {}
    for m in models:
        for controlled in controlled_by(m):
            controls.setdefault(controlled, []).append(m["name"])
    for model in models:
        parent = by_name.get(model["from"] or "")
        if parent is None or parent["from"] is None or model["control_for"]:
            continue
        if model["name"] not in controls:
            found.append(
                ("no-control", f"A gain of {model['name']} over {parent['name']} could be due to training longer, not "
                 "to how it was trained: there is no equal-budget control for it.")
            )  # fmt: skip
            continue
        for name in controls[model["name"]]:
            if text := _unequal(models, by_name[name], model["name"]):
                found.append(("unequal-compute", text))
    return found


def _unequal(models: list[dict[str, Any]], control: Mapping[str, Any], name: str) -> str:
    """That a control took more or less compute than its model, and with how many steps it would not; "" else."""
    took, wanted = since_common(models, control["name"], name)
    if not took or not wanted or ratio(took, wanted) <= EQUAL:
        return ""
    steps = (control.get("making") or {}).get("steps")
    so = f" About {max(1, round(steps * wanted / took)):,} steps instead of {steps:,} would be equal." if steps else ""
    return f"{control['name']} took {amount(took)} of compute, {name} {amount(wanted)}: the budgets are not equal.{so}"


def _silence_warnings(models: Sequence[Mapping[str, Any]], dataset: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Models that write far less than the one they were trained from: a gain or loss of theirs may be one of length."""
    tokens = {row["model"]: row["tokens_mean"] for row in dataset["scores"]}
    found = []
    for model in models:
        now, before = tokens.get(model["name"]), tokens.get(model["from"] or "")
        if now is None or before is None or now >= SILENT * before:
            continue
        text = f"{model['name']} on {dataset['name']}: {now:.1f} tokens an answer, where {model['from']} writes"
        found.append(("stopped-talking", f"{text} {before:.1f}: training has made it stop talking."))
    return found


def _score_warnings(row: Mapping[str, Any], dataset: str) -> list[tuple[str, str]]:
    texts = row["n"] * row["samples"]
    if not texts:
        return []
    who = f"{row['model']} on {dataset}"
    shares = (
        ("truncated", row["truncated"], "were cut at the length limit"),
        ("ran-on", row["kinds"].get("ran-on", 0), "ran on into an invented next question"),
        ("empty", row["empty"], "are empty: there is no answer in them"),
    )
    found = [
        (kind, f"{who}: {100 * count / texts:.0f} % of texts {what}.")
        for kind, count, what in shares
        if count > MANY * texts
    ]
    for kind, what in (("timeout", "took the grader too long"), ("crashed", "made the grader fail")):
        if count := row["kinds"].get(kind, 0):
            how_many = f"{'all ' if count == texts > 1 else ''}{counted(count, 'text')}"
            so = "it counts" if count == 1 else "they count"
            first = f" The first: {row['first_crash'][:QUOTED]}" if kind == "crashed" and "first_crash" in row else ""
            found.append((kind, f"{who}: {how_many} {what}; {so} as not correct.{first}"))
    return found
