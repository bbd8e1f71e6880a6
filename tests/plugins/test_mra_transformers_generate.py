"""The generation engine against the library's own `generate`, and its promises about streams, stops and batches."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from mra_transformers import Options, load
from mra_transformers.batching import ALONE, Limits, RowSpec, groups
from mra_transformers.model import TransformersModel
from mra_transformers.probe import computes_in_slots
from mra_transformers.stops import StopRule, closed_box, watched_tokens
from mra_transformers.streams import choose, row_key, uniforms
from transformers_kit import CONTEXT, block, by_request, problems, save

from mra_bench.errors import BenchError
from mra_bench.types import LENGTH, Decoding, PromptStyle, Request

ARCHITECTURES = ("qwen2", "gpt2", "mistral")
NEW = 40
Opener = Callable[..., TransformersModel]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return {arch: save(arch, tmp_path_factory.mktemp("models") / arch) for arch in ARCHITECTURES}


@pytest.fixture(scope="module")
def opened(folders: dict[str, Path]) -> Opener:
    return lambda arch="qwen2", **options: load(Options(path=str(folders[arch]), **options))


def library_ids(model: TransformersModel, prompts: list[str]) -> list[list[int]]:
    """What the library's greedy search generates for a batch of prompts."""
    network = model._loaded().network
    pad = network.tokenizer.pad_token_id
    inputs = network.tokenizer(prompts, padding=True, padding_side="left", return_tensors="pt")
    output = network.model.generate(
        input_ids=inputs.input_ids, attention_mask=inputs.attention_mask, max_new_tokens=NEW, do_sample=False,
        bad_words_ids=[[pad]], eos_token_id=sorted(network.ends), pad_token_id=pad,
    )  # fmt: skip
    return [ids.tolist() for ids in output[:, inputs.input_ids.shape[1] :]]


def expected(model: TransformersModel, ids: list[int], rule: StopRule) -> tuple[str, int, str]:
    """Text, tokens and finish that follow from generated ids: the first prefix that has ended, found by trying all."""
    network = model._loaded().network
    for count, token in enumerate(ids):
        if token in network.ends:
            return network.decode(ids[:count]).strip(), count, "stop"
        cut = rule.cut(network.decode(ids[: count + 1]))
        if cut is not None:
            return cut.strip(), count + 1, "stop"
    return network.decode(ids).strip(), len(ids), "length"


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_greedy_is_what_the_library_generates_cut_where_the_text_ends(opened: Opener, arch: str) -> None:
    model = opened(arch)
    wanted = problems(20)
    prompts = [model.render(problem, block((), Decoding()).style) for problem in wanted]
    ids = library_ids(model, prompts)
    alone = [library_ids(model, [prompt])[0] for prompt in prompts[:2]]
    assert alone == [row[: len(one)] for row, one in zip(ids, alone, strict=False)]
    lengths = set()
    for stop, boxed in (((), False), ((" so", "8,"), True)):
        got = by_request(model.generate(block(wanted, Decoding(NEW, stop=stop, stop_after_answer=boxed))))
        rule = StopRule((*model.format.stops, *stop), boxed)
        reference = [expected(model, row, rule) for row in ids]
        assert [(got[p.id, 0].text, got[p.id, 0].tokens, got[p.id, 0].finish) for p in wanted] == reference
        lengths |= {tokens for _, tokens, _ in reference}
    assert len(lengths) > 3, "the rows should end at different times"


@pytest.mark.parametrize(("arch", "in_slots"), [("opt", True), ("gemma2", True), ("bloom", False), ("lfm2", False)])
def test_other_kinds_of_models_are_kept_where_they_compute_right(tmp_path: Path, arch: str, in_slots: bool) -> None:
    model = load(Options(path=str(save(arch, tmp_path / "model"))))
    assert computes_in_slots(model._loaded().network) is in_slots
    wanted = problems(8)
    got = by_request(model.generate(block(wanted, Decoding(NEW))))
    for problem in wanted:
        (ids,) = library_ids(model, [model.render(problem, PromptStyle())])
        done = got[problem.id, 0]
        assert (done.text, done.tokens, done.finish) == expected(model, ids, StopRule(model.format.stops))


def test_a_kind_of_model_that_computes_wrong_with_a_cache_is_refused(tmp_path: Path) -> None:
    model = load(Options(path=str(save("mamba", tmp_path / "model"))))
    with pytest.raises(BenchError, match="Models of the kind 'mamba' cannot be used: with a cache"):
        list(model.generate(block(problems(2), Decoding(NEW))))


def test_packed_layers_compute_the_same() -> None:
    import torch
    from mra_transformers.packed import PackedLinear, is_linear, pack, packed
    from transformers.pytorch_utils import Conv1D

    torch.manual_seed(0)
    for layer in (torch.nn.Linear(48, 33), torch.nn.Linear(48, 33, bias=False), Conv1D(33, 48)):
        twin = packed(layer)
        weight = layer.weight.t() if isinstance(layer, Conv1D) else layer.weight
        assert torch.equal(twin.weight, weight)
        for shape in ((48,), (1, 48), (7, 48), (3, 5, 48), (200, 48), (0, 48)):
            x = torch.randn(shape)
            assert torch.allclose(twin(x), layer(x), atol=1e-5)
    assert not is_linear(torch.nn.Embedding(3, 4))
    model = torch.nn.Sequential(torch.nn.Linear(600, 500), torch.nn.Linear(600, 499), torch.nn.Embedding(600, 600))
    model.device, model.dtype = torch.device("cpu"), torch.float32
    assert pack(model)
    assert [isinstance(layer, PackedLinear) for layer in model] == [True, False, False]


def test_the_same_block_gives_the_same_texts(opened: Opener) -> None:
    made = block(problems(12), Decoding(NEW, temperature=1.0), samples=3)
    first, again = list(opened().generate(made)), list(opened().generate(made))
    assert first == again
    assert {c.finish for c in first} == {"stop", "length"}


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_a_sampled_text_does_not_depend_on_the_rows_beside_it(opened: Opener, arch: str) -> None:
    decoding = Decoding(NEW, temperature=0.9, top_p=0.95)
    whole = block(problems(16), decoding, samples=4)
    part = dataclasses.replace(whole, requests=whole.requests[5:60:7])
    got = by_request(opened(arch).generate(whole))
    alone = by_request(opened(arch, token_budget=1).generate(part))
    assert alone == {key: got[key] for key in alone}


def test_samples_seeds_and_problems_have_streams_of_their_own(opened: Opener) -> None:
    decoding = Decoding(NEW, temperature=1.2)
    same_question = tuple(dataclasses.replace(problems(1)[0], id=name) for name in "abcd")
    texts = [c.text for seed in (0, 1) for c in opened().generate(block(same_question, decoding, samples=4, seed=seed))]
    assert len(set(texts)) > 28  # 32 texts for one prompt


def test_every_request_is_answered_once_with_true_counts(opened: Opener) -> None:
    model = opened()
    made = block(problems(10), Decoding(7, temperature=1.0), samples=2)
    got = by_request(model.generate(made))
    assert set(got) == {(r.problem.id, r.sample) for r in made.requests}
    tokenizer = model._loaded().network.tokenizer
    for request in made.requests:
        done = got[request.problem.id, request.sample]
        assert done.prompt_tokens == len(tokenizer(model.render(request.problem, made.style)).input_ids)
        assert done.tokens <= 7
        assert done.finish == "stop" or done.tokens == 7
        assert done.text == done.text.strip()


def test_a_stop_string_is_cut_and_a_closed_answer_kept(opened: Opener) -> None:
    model = opened("gpt2")
    made = block(problems(24), Decoding(NEW, temperature=1.5, stop_after_answer=True), samples=4)
    closed = [c for c in model.generate(made) if closed_box(c.text) is not None]
    assert closed
    assert all(closed_box(c.text) == len(c.text) and c.finish == "stop" for c in closed)
    made = block(problems(24), Decoding(NEW, temperature=1.5, stop=("boxed",)), samples=4)
    cut = list(model.generate(made))
    assert any(c.text.endswith("\\") and c.finish == "stop" for c in cut)
    assert not any("boxed" in c.text for c in cut)


def test_the_caller_is_not_in_inference_mode_between_texts(opened: Opener) -> None:
    import torch

    texts = opened().generate(block(problems(6), Decoding(NEW, temperature=1.0), samples=2))
    assert not any(torch.is_inference_mode_enabled() for _ in texts)
    next(opened().generate(block(problems(6), Decoding(NEW))))  # abandoned
    assert not torch.is_inference_mode_enabled()


def test_a_request_may_have_a_shorter_limit_of_its_own(opened: Opener) -> None:
    model = opened("qwen2")
    whole = block(problems(4), Decoding(20))
    free = by_request(model.generate(whole))
    limits = (None, 2, 5, 400)
    requests = tuple(Request(one.problem, 0, limit) for one, limit in zip(whole.requests, limits, strict=True))
    held = by_request(model.generate(dataclasses.replace(whole, requests=requests)))
    for request, limit in zip(requests, limits, strict=True):
        one, other = free[request.problem.id, 0], held[request.problem.id, 0]
        assert other.text == one.text if one.tokens < (limit or 20) else one.text.startswith(other.text)
        assert other.tokens == min(one.tokens, limit or 20)
        assert other.finish == (LENGTH if one.tokens > (limit or 20) else one.finish)


def test_an_empty_block_gives_nothing(opened: Opener) -> None:
    assert list(opened().generate(block((), Decoding()))) == []


@pytest.mark.parametrize("arch", ["qwen2", "gpt2"])
def test_the_context_bounds_a_text_and_a_prompt_that_fills_it_gets_none(opened: Opener, arch: str) -> None:
    short, long = problems(2)
    more = dataclasses.replace(short, id="more", question=short.question + " 1 + 2 + 3 + 4?")
    long = dataclasses.replace(long, question="1 + " * CONTEXT)
    model = opened(arch)
    model._loaded().network.ends = frozenset()  # so that texts go on
    made = block((short, more, long), Decoding(10 * CONTEXT, temperature=0.7), samples=6)
    # One row with less room than its batch: it stays in the batch for a while after its positions are used up.
    few = tuple(request for request in made.requests if request.problem != more or request.sample == 0)
    got = by_request(model.generate(dataclasses.replace(made, requests=few)))
    assert all((c.text, c.tokens, c.finish) == ("", 0, "length") for c in got.values() if c.problem_id == long.id)
    others = [c for c in got.values() if c.problem_id != long.id]
    assert all(c.finish == "stop" or c.tokens + c.prompt_tokens == CONTEXT for c in others)
    assert len({c.prompt_tokens for c in others if c.finish == "length"}) == 2


@pytest.mark.parametrize("error", ["torch", "allocator"])
def test_lack_of_memory_halves_the_batch_and_changes_no_text(
    opened: Opener, monkeypatch: pytest.MonkeyPatch, error: str
) -> None:
    import torch

    made = block(problems(8), Decoding(NEW, temperature=0.8), samples=2)
    plenty = by_request(opened().generate(made))
    model = opened()
    forward = model._loaded().network.model.forward
    calls = []

    def scarce(input_ids: Any, **others: Any) -> Any:
        calls.append(len(input_ids))
        if len(input_ids) > 3 and len(calls) > 4:
            text = "DefaultCPUAllocator: can't allocate memory"
            raise torch.OutOfMemoryError() if error == "torch" else RuntimeError(text)
        return forward(input_ids, **others)

    monkeypatch.setattr(model._loaded().network.model, "forward", scarce)
    identity = model.identity()
    assert by_request(model.generate(made)) == plenty
    assert model.halvings
    assert model.halvings[0].rows == 8
    assert model.identity() == identity


def test_one_row_too_large_for_memory_and_other_faults_are_errors(
    opened: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    model = opened()
    full = torch.OutOfMemoryError()

    def fails(**others: Any) -> Any:
        raise full

    computes_in_slots(model._loaded().network)
    monkeypatch.setattr(model._loaded().network, "model", _Failing(model._loaded().network.model, fails))
    with pytest.raises(BenchError, match="Not enough memory for one text"):
        list(model.generate(block(problems(3), Decoding(NEW))))
    full = RuntimeError("shapes do not fit")
    with pytest.raises(RuntimeError, match="shapes do not fit"):
        list(model.generate(block(problems(3), Decoding(NEW))))


class _Failing:
    """A model whose forward pass is replaced; everything else is the real one's."""

    def __init__(self, model: Any, forward: Callable[..., Any]) -> None:
        self.config, self.device, self._forward = model.config, model.device, forward

    def __call__(self, **inputs: Any) -> Any:
        return self._forward(**inputs)


def test_weights_that_are_not_numbers_are_an_error(opened: Opener) -> None:
    import torch

    model = opened()
    with torch.no_grad():
        model._loaded().network.model.get_input_embeddings().weight.fill_(float("nan"))
    with pytest.raises(BenchError, match="not a number"):
        list(model.generate(block(problems(2), Decoding(NEW))))


def test_the_padding_token_is_never_generated(tmp_path: Path) -> None:
    import torch
    from mra_transformers.loading import load_causal_lm

    folder = save("gpt2", tmp_path / "model")
    model = load(Options(path=str(folder)))
    network = model._loaded().network
    pad = network.tokenizer.pad_token_id
    biased = load_causal_lm(str(folder), tokenizer=network.tokenizer)
    with torch.no_grad():
        weights = biased.get_output_embeddings().weight
        weights[pad] = weights[5] * 50
    network.model = biased
    made = block(problems(4), Decoding(NEW, temperature=2.0), samples=4)
    seen = []
    decode = network.decode
    network.decode = lambda ids: (seen.extend(ids), decode(ids))[1]  # type: ignore[method-assign, func-returns-value]
    list(model.generate(made))
    assert seen
    assert pad not in seen


def test_the_streams_are_uniform_and_differ_by_row_and_step() -> None:
    import numpy as np
    from scipy import stats

    keys = [row_key(0, f"p{index}", 0) for index in range(40)]
    drawn = np.array([uniforms(keys, [step] * 40) for step in range(500)])
    assert stats.kstest(drawn.ravel(), "uniform").pvalue > 1e-3
    correlated = np.corrcoef(np.vstack([drawn.T, np.roll(drawn, 1, axis=0).T]))
    np.fill_diagonal(correlated, 0)
    assert abs(correlated).max() < 5 / 500**0.5
    assert uniforms(keys[7:9], [3, 5]) == [drawn[3, 7], drawn[5, 8]]
    assert 0 < drawn.min() < drawn.max() < 1
    assert row_key(1, "a", 2) != row_key(12, "a", 2) != row_key(1, "a2", 0)


def test_choices_follow_the_probabilities() -> None:
    import torch
    from scipy import stats

    chances = torch.tensor([0.5, 0.3, 0.15, 0.05])
    keys = [row_key(5, "q", sample) for sample in range(20_000)]
    count = len(keys)
    logits = chances.log().expand(count, 4)
    drawn = torch.bincount(choose(logits, keys, [0] * count, 1.0, 1.0), minlength=4)
    assert stats.chisquare(drawn.numpy(), (chances * count).numpy()).pvalue > 1e-3
    nucleus = torch.bincount(choose(logits, keys, [1] * count, 1.0, 0.7), minlength=4).double() / count
    assert nucleus.tolist() == pytest.approx([0.625, 0.375, 0, 0], abs=0.02)
    assert choose(logits, keys, [0] * count, 0.0, 1.0).eq(0).all()
    assert choose(logits, keys, [0] * count, 1.0, 0.01).eq(0).all()
    sharp = torch.bincount(choose(logits, keys, [2] * count, 0.5, 1.0), minlength=4).double() / count
    assert sharp.tolist() == pytest.approx((chances**2 / (chances**2).sum()).tolist(), abs=0.02)


@pytest.mark.parametrize("top_p", [1.0, 0.9])
def test_a_draw_from_a_large_vocabulary_is_the_inverse_of_the_cumulated_chances(top_p: float) -> None:
    import torch

    torch.manual_seed(3)
    logits = torch.cat([torch.randn(30, 5000) * 3, torch.zeros(2, 5000), torch.full((1, 5000), -1e30)])
    logits[:, ::7] = float("-inf")
    logits[-1, 4321] = 0.0
    keys, steps = [row_key(1, "q", sample) for sample in range(33)], list(range(33))
    for row, (token, number) in enumerate(
        zip(choose(logits, keys, steps, 0.8, top_p), uniforms(keys, steps), strict=True)
    ):
        exact = (logits[row].double() / 0.8).softmax(0)
        order = exact.argsort(descending=True)
        inside = exact[order].cumsum(0) - exact[order] < top_p
        kept = torch.where(exact >= exact[order[inside]].min(), exact, 0)
        below = kept[:token].sum() / kept.sum()
        assert below - 1e-5 <= number <= below + kept[token] / kept.sum() + 1e-5
        assert kept[token] > 0


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("", None),
        ("so \\boxed{4", None),
        ("so \\boxed{4}", 12),
        ("\\boxed{\\frac{1}{2}} tail", 19),
        ("\\boxed{\\{1, 2\\}}", 16),
        ("\\boxed{\\", None),
        ("boxed{4}", None),
        ("\\boxed{1} and \\boxed{2}", 9),
    ],
)
def test_a_box_closes_at_its_own_brace(text: str, end: int | None) -> None:
    assert closed_box(text) == end


def test_the_earliest_end_counts() -> None:
    rule = StopRule(("\nQ:", "END"), after_answer=True)
    assert rule.cut("a \\boxed{1}\nQ: END") == "a \\boxed{1}"
    assert rule.cut("a\nQ: \\boxed{1}") == "a"
    assert rule.cut("aEND\nQ:") == "a"
    assert rule.cut("a \\boxed{1") is None
    assert StopRule().cut("\\boxed{1}") is None


def test_watched_tokens_are_those_that_can_complete_a_stop(opened: Opener) -> None:
    tokenizer = opened()._loaded().network.tokenizer
    watched = watched_tokens(tokenizer, StopRule(("\nQ:",), after_answer=True))
    pieces = [tokenizer.decode([token]) for token in range(len(tokenizer))]
    assert watched == [token for token, piece in enumerate(pieces) if ":" in piece or "}" in piece]
    assert watched_tokens(tokenizer, StopRule()) == []


def test_a_token_with_part_of_a_character_is_watched() -> None:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    letters = {letter: index for index, letter in enumerate(sorted(pre_tokenizers.ByteLevel.alphabet()))}
    byte_level = Tokenizer(models.BPE(letters, []))
    byte_level.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    byte_level.decoder = decoders.ByteLevel()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=byte_level)
    watched = watched_tokens(tokenizer, StopRule(("。",)))
    assert set(tokenizer("。").input_ids) <= set(watched)
    assert not set(tokenizer("abc").input_ids) & set(watched)


def test_groups_keep_within_their_bounds_and_hold_every_row_once() -> None:
    rows = [RowSpec(i, tuple(range(i * 7 % 11 + 1)), i, 5) for i in range(50)]
    rows.append(RowSpec(50, tuple(range(300)), 50, 5))
    for budget, most in ((1, 9), (400, 9), (1000, 9), (10**6, 1000)):
        found = groups(rows, Limits(budget, most, 64))
        assert sorted(row.position for group in found for row in group.rows) == list(range(51))
        for group in found:
            assert group.slots == 1 or (group.slots * group.longest <= budget and group.slots <= most)
            lengths = [len(row.prompt) for row in group.rows]
            assert lengths == sorted(lengths, reverse=True)
    assert len(groups(rows, Limits(10**6, 1000, 64))) == 1
    one, others = groups(rows, Limits(1000, 60, 64))
    assert (len(one.rows), one.slots, others.slots) == (1, 1, 50)


class Passes:
    """Watches what the model is asked: the shape [rows, tokens] of each pass, and the columns of its cache."""

    def __init__(self, model: TransformersModel, monkeypatch: pytest.MonkeyPatch) -> None:
        self.shapes: list[tuple[int, int]] = []
        network = model._loaded().network
        computes_in_slots(network)  # tried out now, not while it is watched
        logits = network.logits

        def watched(ids: Any, mask: Any, positions: Any, cache: Any) -> Any:
            self.shapes.append(tuple(ids.shape))
            return logits(ids, mask, positions, cache)

        monkeypatch.setattr(network, "logits", watched)

    @property
    def read(self) -> list[tuple[int, int]]:
        """Passes over prompts."""
        return [shape for shape in self.shapes if shape[1] > 1]

    @property
    def rows(self) -> list[int]:
        """Rows of the passes over newest tokens."""
        return [rows for rows, tokens in self.shapes if tokens == 1]


@pytest.mark.parametrize("arch", ["qwen2", "gpt2"])
def test_rows_enter_where_others_have_left(opened: Opener, monkeypatch: pytest.MonkeyPatch, arch: str) -> None:
    wanted = problems(60)
    alone = by_request(opened(arch).generate(block(wanted, Decoding(NEW))))
    longest = max(completion.prompt_tokens for completion in alone.values()) + NEW
    model = opened(arch, token_budget=longest * 8)
    passes = Passes(model, monkeypatch)
    assert by_request(model.generate(block(wanted, Decoding(NEW)))) == alone
    assert max(passes.rows) == 8
    at_work = passes.rows[: len(passes.rows) * 2 // 3]
    assert sum(at_work) > 0.8 * 8 * len(at_work), "slots stood empty while rows waited"
    assert len(passes.read) > 8
    tokens = sum(completion.tokens for completion in alone.values())
    assert sum(passes.rows) <= tokens, "a row was computed after its end"


@pytest.mark.parametrize("arch", ["qwen2", "gpt2"])
def test_slots_are_used_again_and_only_columns_of_rows_at_work_are_looked_at(
    opened: Opener, monkeypatch: pytest.MonkeyPatch, arch: str
) -> None:
    from mra_transformers.pool import Pool

    widths = []
    advance = Pool.advance

    def watched(pool: Pool) -> None:
        advance(pool)
        if pool.rows:
            longest = max(len(row.spec.prompt) + len(row.ids) for row in pool.rows)
            widths.append((pool.store.places.width, longest, pool.store.length))  # type: ignore[attr-defined]

    monkeypatch.setattr(Pool, "advance", watched)
    made = block(problems(40), Decoding(NEW, temperature=2.0), samples=5)
    got = by_request(opened(arch, token_budget=400).generate(made))
    assert all(width == longest <= length for width, longest, length in widths)
    assert len(widths) > 2 * widths[0][2], "the rows should take more steps than there are columns"
    assert sum(completion.tokens == 0 for completion in got.values()) > 2, "some should end as soon as they enter"
    assert got == by_request(opened(arch).generate(made))


def test_what_all_prompts_begin_with_is_read_once(opened: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    from mra_transformers import prefill

    wanted = problems(12)
    shots = "Answer like this. What is 1 + 1? 2. What is 2 + 2? 4. Now it is your turn:"
    made = block(wanted, Decoding(20), instruction=shots)
    model = opened()
    passes = Passes(model, monkeypatch)
    together = by_request(model.generate(made))
    one, others = passes.read[0], passes.read[1:]
    assert one[0] == 1
    assert one[1] >= prefill.SHORTEST_PREFIX
    longest = max(completion.prompt_tokens for completion in together.values())
    assert max(tokens for _, tokens in others) == longest - one[1]
    monkeypatch.setattr(prefill, "SHORTEST_PREFIX", 10**6)
    apart = opened()
    passes = Passes(apart, monkeypatch)
    assert by_request(apart.generate(made)) == together
    assert max(tokens for _, tokens in passes.read) == longest


@pytest.mark.parametrize("slots", [3, 8, 100])
def test_the_samples_of_a_problem_share_one_reading(
    opened: Opener, monkeypatch: pytest.MonkeyPatch, slots: int
) -> None:
    made = block(problems(9), Decoding(NEW, temperature=1.0), samples=7)
    whole = by_request(opened().generate(made))
    longest = max(completion.prompt_tokens for completion in whole.values()) + NEW
    model = opened(token_budget=slots * longest)
    passes = Passes(model, monkeypatch)
    assert by_request(model.generate(made)) == whole
    assert sum(rows for rows, _ in passes.read) == 9


def test_shared_prefixes() -> None:
    from mra_transformers.prefill import SHORTEST_PREFIX, shared_prefix

    begin = tuple(range(100, 100 + SHORTEST_PREFIX))
    assert shared_prefix([(*begin, 1), (*begin, 2, 3)]) == begin
    assert shared_prefix([(*begin, 1, 2), (*begin, 1)]) == begin  # a token is left to each
    assert shared_prefix([begin, (*begin, 1)]) == ()
    assert shared_prefix([(*begin[1:], 1), (*begin[1:], 2)]) == ()
    assert shared_prefix([(*begin, 1), (*begin, 1)]) == ()
    assert shared_prefix([]) == ()


def test_a_halving_is_repeated_when_the_block_is_done_again(opened: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    made = block(problems(12), Decoding(NEW, temperature=0.8), samples=2)
    model = opened()
    network = model._loaded().network
    logits = network.logits
    calls = []

    def scarce(ids: Any, *others: Any) -> Any:
        calls.append(len(ids))
        if len(calls) in (9, 15):
            raise torch.OutOfMemoryError
        return logits(ids, *others)

    monkeypatch.setattr(network, "logits", scarce)
    first = list(model.generate(made))
    halvings = model.halvings
    assert [halving.rows for halving in halvings] == [12, 6]
    fits = opened()
    passes = Passes(fits, monkeypatch)
    again = list(fits.generate(dataclasses.replace(made, halvings=halvings)))
    assert again == first  # the same texts in the same order
    assert fits.halvings == halvings
    assert passes.rows[-1] <= 6
    assert list(fits.generate(made)) != first  # in another order
    assert fits.halvings == ()


def test_by_itself_every_row_is_a_group_of_its_own_size() -> None:
    rows = [RowSpec(place, tuple(range(3 + place % 2)), 0, 5 + place) for place in range(4)]
    found = groups(rows, ALONE)
    assert sorted(group.rows[0].position for group in found) == [0, 1, 2, 3]
    assert [(group.slots, len(group.rows), group.longest) for group in found] == [
        (1, 1, group.rows[0].length) for group in found
    ]


@pytest.mark.parametrize("temperature", [0.0, 0.9])
@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_strict_texts_are_those_of_each_request_alone(
    opened: Opener, arch: str, temperature: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoding = Decoding(NEW, temperature=temperature)
    whole = block(problems(12), decoding, samples=2, instruction="What is 1 + 2, and what is 3 + 4? Answer: so 7.")
    model = opened(arch, strict_determinism=True, dtype="fp32")
    widths: list[int] = []
    network = model._loaded().network
    assert computes_in_slots(network)  # found out on two rows, before
    monkeypatch.setattr(network, "logits", _noting(network.logits, widths))
    got = by_request(model.generate(whole))
    assert set(widths) == {1}
    for request in whole.requests[::5]:
        alone = dataclasses.replace(whole, requests=(request,))
        assert by_request(model.generate(alone)) == {
            (request.problem.id, request.sample): got[request.problem.id, request.sample]
        }


def _noting(logits: Callable[..., Any], widths: list[int]) -> Callable[..., Any]:
    """Notes how many texts the model runs over at once."""

    def noted(ids: Any, *rest: Any) -> Any:
        widths.append(ids.shape[0])
        return logits(ids, *rest)

    return noted


def test_strict_options_refuse_what_they_cannot_keep(opened: Opener) -> None:
    with pytest.raises(ValueError, match="leave dtype out, or set it to fp32"):
        opened(strict_determinism=True, dtype="bf16")
    with pytest.raises(ValueError, match="leave token_budget out"):
        opened(strict_determinism=True, token_budget=100)
    assert opened(strict_determinism=True).options.number_format == "fp32"
    assert opened(dtype="bf16").options.number_format == "bf16"
