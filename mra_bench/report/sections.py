"""The sections that mra-bench's own plugin `report` offers, and what each shows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from mra_bench.imports.words import published_sentences
from mra_bench.listed_overlaps import questions_listed
from mra_bench.report.claims import claims_view
from mra_bench.report.data import RunData
from mra_bench.report.decisions import decisions_view
from mra_bench.report.figures import ALPHA, SMALL, dataset_view
from mra_bench.report.flips import flips_view
from mra_bench.report.history import making_view, timings_view, training_view
from mra_bench.report.markup import from_template
from mra_bench.report.profiles import profiles_view
from mra_bench.report.repetitions import repetitions
from mra_bench.report.samples import blocks
from mra_bench.report.splits import splits_view
from mra_bench.same_conditions import checks
from mra_bench.stamps import stamp_sentence
from mra_bench.verdict import is_sequential

SHOWN_OVERLAPS = 200
_LOOKS = (
    "In a sequential test the grades are looked at after each share of the problems, taken in a random order, and the "
    "run ends once the verdict is decided. Its p allows for that: it is the smallest level at which"
)
_REPEATED = (
    "The interval beside a sequential difference is Tango's score interval for paired answers, made wider so that "
    "those of all looks hold together (a repeated confidence interval)"
)
METHODS = {
    "exact McNemar": "The exact McNemar test asks how often a fair coin would share out wins and losses as unevenly.",
    "sign-flip": "With several samples for a problem, a model wins a problem by its share of right samples; the "
    "sign-flip test asks how often as large a mean difference would come up if a fair coin said who wins each problem.",
    "sequential McNemar": f"{_LOOKS} McNemar's exact test in looks tells the two models apart, most of the level being "
    "kept for the last look (O'Brien and Fleming's type).",
    "sequential sign-flip": f"{_LOOKS} the sign-flip test in looks tells the two models apart, most of the level being "
    "kept for the last look (O'Brien and Fleming's type); a model wins a problem by its share of right samples.",
    "repeated Tango score": _REPEATED + ".",
    "repeated Tango score, effective n": _REPEATED + ", with samples counted by how alike those of one problem are.",
    "Tango score": "The interval beside a difference is Tango's score interval, made for paired answers.",
    "Tango score, effective n": "The interval beside a difference is Tango's score interval for paired answers, with "
    "samples counted by how alike those of one problem are, so that they do not count as problems.",
}


def _headline(run: RunData) -> Mapping[str, Any] | None:
    if run.headline is None:
        return None
    return {"view": dataset_view(run, run.headline), "small": SMALL, "alpha": ALPHA}


def _pairs(run: RunData) -> Mapping[str, Any] | None:
    found = _headline(run)
    return found if found and found["view"]["pairs"]["rows"] else None


def _if_any(part: str) -> Callable[[RunData], Mapping[str, Any] | None]:
    """The headline dataset, where its view has anything under `part`."""

    def context(run: RunData) -> Mapping[str, Any] | None:
        found = _headline(run)
        return found if found and found["view"][part] else None

    return context


def _further(run: RunData) -> Mapping[str, Any] | None:
    others = [dataset_view(run, entry) for entry in run.datasets if entry is not run.headline]
    return {"views": others, "small": SMALL, "alpha": ALPHA} if others else None


def _other_graders(run: RunData) -> Mapping[str, Any] | None:
    views = [view for entry in run.datasets if (view := dataset_view(run, entry))["others"]]
    grader = (run.results.get("grader") or {}).get("name", "")
    return {"views": views, "headline": grader} if views else None


def _published(run: RunData) -> Mapping[str, Any] | None:
    found = run.results.get("published")
    if not found:
        return None
    rows = [{**one, "index": run.model_order.get(one["model"], 0)} for one in found["models"]]
    return {"found": {**found, "models": rows}, "sentences": published_sentences(found)}


def _repeated(run: RunData) -> Mapping[str, Any] | None:
    entries = repetitions(run)
    if not entries:
        return None
    strict = any(identity.get("strict_determinism") for identity in (run.provenance.get("models") or {}).values())
    return {"entries": entries, "times": max(entry["repetition"] for entry in entries), "strict": strict}


def _training(run: RunData) -> Mapping[str, Any] | None:
    entries = [training_view(entry) for entry in run.results.get("training") or ()]
    return {"trainings": entries} if entries else None


def _built(run: RunData) -> Mapping[str, Any] | None:
    """Pairs and rows; an older mra-bench did not say who built them, and there was one builder."""
    entries = [
        {"builder": "graded", "samples": 0, "from_reference": 0, "problems": 0, "what": what, "reference_as": as_what}
        | {**entry, "built": entry[what], "reasons": entry[reasons]}
        for what, reasons, as_what in (("pairs", "no_pair", "the chosen answer"), ("rows", "no_row", "taken"))
        for entry in run.results.get(what) or ()
    ]
    return {"entries": entries} if entries else None


def _contamination(run: RunData) -> Mapping[str, Any] | None:
    found = run.results.get("contamination")
    if not found:
        return None
    overlaps = found.get("overlaps") or []
    every = [*overlaps, *(found.get("earlier") or ()), *(found.get("built") or ())]
    listed = found.get("listed") or []
    return {
        "found": {"stamped": (), **found},
        "stamp": stamp_sentence(found),
        "total": len(overlaps),
        "shown_of": len(every),
        "overlaps": [{"source": "", "model": "", **overlap} for overlap in every[:SHOWN_OVERLAPS]],
        "listed": listed,
        "listed_total": questions_listed(listed).total(),
        "trained": any(model.get("from") for model in run.results.get("models") or ()),
    }


def _samples(run: RunData) -> Mapping[str, Any] | None:
    from markupsafe import Markup

    made = blocks(run)
    index = [
        {"name": b.dataset, "label": b.label, "problems": b.problems, "note": b.note, "encoding": b.encoding}
        for b in made
    ]
    contents = [(block.encoding, Markup(block.index), list(map(Markup, block.parts))) for block in made]
    return {"index": index, "contents": contents} if made else None


def _timings(run: RunData) -> Mapping[str, Any] | None:
    made = making_view(run)
    return {**timings_view(run), "made": made} if run.timings or made else None


def _provenance(run: RunData) -> Mapping[str, Any] | None:
    if not (run.provenance or run.recipe):
        return None
    return {
        "checks": checks(run.provenance),
        "mixed": run.results.get("mixed_conditions"),
        "unknown": "mixed_conditions" in run.results and run.results["mixed_conditions"] is None,
        "provenance": run.provenance,
        "recipe": run.recipe,
    }


def _reading(run: RunData) -> Mapping[str, Any]:
    compared = [pair for entry in run.datasets for pair in entry.get("pairs") or ()]
    return {
        "alpha": ALPHA,
        "tests": bool(compared),
        "methods": [METHODS.get(name, f"The {kind} is {name}.") for kind, name in _methods(compared)],
        "sequential": (run.results.get("sequential") or {}).get("dataset", ""),
        "fixed": any(not is_sequential(pair) for pair in compared),
        "several": any(score["samples"] > 1 for entry in run.datasets for score in entry.get("scores") or ()),
    }


def _methods(pairs: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """Each test and interval of the run once: ("test", name) or ("interval", name)."""
    return list(dict.fromkeys((kind, pair[kind]) for pair in pairs for kind in ("test", "interval")))


scoreboard = from_template("scoreboard.html", _headline)
pairs = from_template("pairs.html", _pairs)
flips = from_template("flips.html", flips_view)
groups = from_template("groups.html", _if_any("groups"))
efficiency = from_template("efficiency.html", _if_any("efficiency"))
agreement = from_template("agreement.html", _if_any("agreement"))
splits = from_template("splits.html", splits_view)
decisions = from_template("decisions.html", decisions_view)
errors = from_template("errors.html", _headline)
profiles = from_template("profiles.html", profiles_view)
graders = from_template("graders.html", _other_graders)
published = from_template("published.html", _published)
claims = from_template("claims.html", claims_view)
repeated = from_template("repeated.html", _repeated)
further = from_template("further.html", _further)
training = from_template("training.html", _training)
built_data = from_template("built_data.html", _built)
contamination = from_template("contamination.html", _contamination)
samples = from_template("samples.html", _samples)
cost = from_template("cost.html", _timings)
provenance = from_template("provenance.html", _provenance)
reading = from_template("reading.html", _reading)
