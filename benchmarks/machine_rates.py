"""Measurements for machine.py: rates of the machine, what a model costs, and the engine's runs of the model."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median
from time import perf_counter
from typing import Any

SQUARE = 2048
BUFFER = 512 << 20
SKIPPED = 4
"""Steps of writing before those that are counted: the first ones make kernels and buffers."""
SEED = 0

KINDS = {
    "products": r"linear|_linear_pointwise|addmm|baddbmm|bmm|mm|mv|matmul|mkldnn_.*",
    "attention": r".*attention.*",
    "copies and views": r"copy_|clone|contiguous|to|_to_copy|cat|stack|index.*|slice|expand|view|_?reshape.*|"
    r"_unsafe_view|transpose|t|permute|unsqueeze|squeeze|select|narrow|as_strided|empty.*|zeros.*|new_.*|fill_|zero_|pad",
    "choice of the token": r"argmax|_?softmax|topk|sort|cumsum|gather|isnan|isfinite|any|all|item|_local_scalar.*",
}
"""Kinds of operators by name, without namespace."""
REST = "norms, activations, other arithmetic"
OUTSIDE = "between operators (Python)"


@dataclass(frozen=True)
class Peak:
    """Best rates of this machine: operations per second of a product of large square matrices in the model's dtype,
    bytes per second copied (read and written both count) and read."""

    products: float
    copy: float
    read: float

    def least(self, operations: float, moved: float) -> float:
        """Seconds below which nothing can be done that needs so many operations and bytes (the roofline of Williams,
        Waterman and Patterson, 2009)."""
        return max(operations / self.products, moved / self.read)


@dataclass(frozen=True)
class Counts:
    """What a model costs. body, head: weights of its linear layers, and of the one that makes the logits. attention:
    operations of one token for each token it attends to. kept: bytes of keys and values of a token. size: bytes of a
    number."""

    body: int
    head: int
    attention: int
    kept: int
    size: int

    def operations(self, tokens: int, logits: int, attended: float) -> float:
        """Two for each weight and token (the head's only for `logits` tokens), and attention to `attended` tokens,
        summed over the tokens."""
        return 2.0 * (self.body * tokens + self.head * logits) + self.attention * attended

    def moved(self, attended: float) -> float:
        """Bytes read in one run of the model: every weight once, keys and values of the tokens attended to."""
        return self.size * (self.body + self.head) + self.kept * attended


@dataclass(frozen=True)
class Times:
    """Seconds for `rows` prompts of `prompt` tokens. read: reading all of them. model: a run that writes one token a
    row, median; step: from one such run to the next, median. context: tokens a row attends to, mean of the runs."""

    rows: int
    prompt: int
    read: float
    model: float
    step: float
    context: float


def best(work: Callable[[], Any], seconds: float) -> float:
    """The shortest time of `work` within about so many seconds, three at least; one before them is not counted."""
    work()
    found: list[float] = []
    until = perf_counter() + seconds
    while len(found) < 3 or perf_counter() < until:
        started = perf_counter()
        work()
        found.append(perf_counter() - started)
    return min(found)


def peak(dtype: Any, seconds: float) -> Peak:
    """The machine's best rates. Reading is the better of a sum and of a matrix times a vector."""
    import torch

    torch.manual_seed(SEED)
    left, right = (torch.randn(SQUARE, SQUARE).to(dtype) for _ in range(2))
    products = 2.0 * SQUARE**3 / best(lambda: left @ right, seconds)
    source, target = torch.ones(BUFFER // 4), torch.empty(BUFFER // 4)
    matrix, vector = source.view(-1, 4096), torch.ones(4096)
    copy = 2 * BUFFER / best(lambda: target.copy_(source), seconds)
    return Peak(products, copy, BUFFER / min(best(source.sum, seconds), best(lambda: matrix @ vector, seconds)))


def linear_layers(model: Any) -> list[tuple[Any, int, int]]:
    """Each linear layer of a model with its inputs and outputs, in the model's order."""
    import torch
    from transformers.pytorch_utils import Conv1D

    found = []
    for module in model.modules():
        if isinstance(module, torch.nn.Linear):
            found.append((module, module.in_features, module.out_features))
        elif isinstance(module, Conv1D):
            found.append((module, *module.weight.shape))
    return found


def counted(model: Any) -> Counts:
    """The counts of a model whose layers are not packed. Every layer is taken to attend to all tokens."""
    head = model.get_output_embeddings()
    sizes = {layer: inputs * outputs for layer, inputs, outputs in linear_layers(model)}
    last = sizes.pop(head, 0)
    config = model.config.get_text_config(decoder=True)
    heads = config.num_attention_heads
    width = getattr(config, "head_dim", None) or config.hidden_size // heads
    key_heads = getattr(config, "num_key_value_heads", None) or heads
    depth, size = config.num_hidden_layers, model.dtype.itemsize
    return Counts(sum(sizes.values()), last, 4 * heads * width * depth, 2 * key_heads * width * depth * size, size)


def layer_times(
    layers: list[tuple[Any, int, int]], dtype: Any, rows: int, seconds: float
) -> dict[tuple[int, int], float]:
    """Seconds for all layers of each shape (inputs, outputs), the best of some passes. The layers are called one after
    the other, as the model does, so that weights come from memory where they do not fit in the processor's caches."""
    import torch

    given = {inputs: torch.randn(rows, inputs).to(dtype) for _, inputs, _ in layers}
    found: dict[tuple[int, int], float] = {}

    def once() -> None:
        times: dict[tuple[int, int], float] = {}
        for layer, inputs, outputs in layers:
            started = perf_counter()
            layer(given[inputs])
            times[inputs, outputs] = times.get((inputs, outputs), 0.0) + perf_counter() - started
        found.update({shape: min(time, found.get(shape, time)) for shape, time in times.items()})

    with torch.inference_mode():
        best(once, seconds)
    return found


class Watch:
    """Times the runs of a model while it is `on`; `at(step)` is called before run number `step` that writes."""

    def __init__(self, at: Callable[[int], None] | None = None) -> None:
        self.at = at
        self.on = False
        self.began: list[float] = []
        self.ended: list[float] = []
        self.tokens: list[int] = []

    def network(self, model: Any, tokenizer: Any) -> Any:
        """The engine's network of a model, watched, in which no token ends a text."""
        from mra_transformers.network import Network

        watch = self

        class Watched(Network):
            def logits(self, ids: Any, mask: Any, positions: Any, cache: Any) -> Any:
                if not watch.on:
                    return super().logits(ids, mask, positions, cache)
                watch.tokens.append(ids.shape[1])
                if watch.at is not None and ids.shape[1] == 1:
                    watch.at(watch.tokens.count(1))
                watch.began.append(perf_counter())
                result = super().logits(ids, mask, positions, cache)
                watch.ended.append(perf_counter())
                return result

        return Watched(model, tokenizer, frozenset())


def write(model: Any, tokenizer: Any, watch: Watch, shape: tuple[int, int, int]) -> None:
    """Let the engine write texts. shape: rows, tokens of each prompt (drawn at random), tokens to write. A few tokens
    are written before it is watched, so that what is done once, as trials of the model are, is not counted."""
    import torch
    from mra_transformers.batching import Limits, RowSpec
    from mra_transformers.budget import PREFILL_TOKENS
    from mra_transformers.generate import Engine
    from mra_transformers.stops import StopRule

    from mra_bench.types import Decoding

    rows, prompt, new = shape
    draw = torch.Generator().manual_seed(SEED)
    ids = torch.randint(0, len(tokenizer), (rows, prompt), generator=draw).tolist()
    limits = Limits(rows * (prompt + new), rows, PREFILL_TOKENS["cpu"])
    engine = Engine(watch.network(model, tokenizer), limits)
    for watch.on, room in ((False, SKIPPED), (True, new)):
        specs = [RowSpec(k, tuple(row), k, room) for k, row in enumerate(ids)]
        for _ in engine.run(specs, StopRule(), Decoding(room)):
            pass


def timed(model: Any, tokenizer: Any, shape: tuple[int, int, int]) -> Times:
    """Times of the engine."""
    watch = Watch()
    write(model, tokenizer, watch, shape)
    first = watch.tokens.index(1)
    runs = range(first + SKIPPED, len(watch.began) - 1)  # the last one is followed by no other
    written = [k - first + 1 for k in runs]
    return Times(
        rows=shape[0],
        prompt=shape[1],
        read=watch.began[first] - watch.began[0],
        model=median(watch.ended[k] - watch.began[k] for k in runs),
        step=median(watch.began[k + 1] - watch.began[k] for k in runs),
        context=shape[1] + sum(written) / len(written),
    )


def profiled(model: Any, tokenizer: Any, shape: tuple[int, int, int]) -> dict[str, float]:
    """The share of each kind of operator in steps that write a token a row, and of the time between operators."""
    from torch.profiler import ProfilerActivity, profile

    recorder = profile(activities=[ProfilerActivity.CPU])
    marks: list[float] = []
    last = shape[2] - 1

    def at(step: int) -> None:
        if step == SKIPPED + 1:
            recorder.start()
            marks.append(perf_counter())
        if step == last:
            marks.append(perf_counter())
            recorder.stop()

    write(model, tokenizer, Watch(at), shape)
    events = {event.key: event.self_cpu_time_total / 1e6 for event in recorder.key_averages()}
    return shares(events, marks[1] - marks[0])


def shares(events: Mapping[str, float], seconds: float) -> dict[str, float]:
    """Shares by kind from seconds by operator; what is left of all `seconds` is the time between operators."""
    found = dict.fromkeys([*KINDS, REST, OUTSIDE], 0.0)
    for name, time in events.items():
        bare = name.rpartition("::")[2]
        found[next((kind for kind, names in KINDS.items() if re.fullmatch(names, bare)), REST)] += time / seconds
    found[OUTSIDE] = max(0.0, 1 - sum(found.values()))
    return found
