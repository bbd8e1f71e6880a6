"""vLLM's offline engine, stepped token by token, so that each text ends by our rule. Runs in `mra_vllm.child` alone.

Imports torch and vllm.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from mra_transformers.batching import RowSpec
from mra_transformers.endings import Ended, Vocabulary
from mra_transformers.loading import load_tokenizer
from mra_transformers.model import end_ids
from mra_transformers.stops import StopRule
from vllm import LLM, SamplingParams
from vllm.platforms import current_platform
from vllm.sampling_params import RequestOutputKind

from mra_bench.errors import UsageError
from mra_bench.types import LENGTH, Decoding

from .settings import EngineSettings

DTYPES = {"bf16": "bfloat16", "fp16": "float16", "fp32": "float32"}
NEVER = -100.0  # the lowest bias that vLLM takes; of the padding token's logit


@dataclass
class _Row:
    """A text on its way: what was asked, and its token ids so far."""

    spec: RowSpec
    ids: list[int] = field(default_factory=list)


class VllmEngine:
    """A loaded model. `context`: the longest sequence in tokens.

    Everything is scheduled in this process, step by step, and a block starts with an empty prefix cache: so which texts
    are computed together depends on the block alone, and on how many fit in the KV cache.
    """

    def __init__(self, settings: EngineSettings) -> None:
        if current_platform.device_type != settings.device:
            raise UsageError(
                f"vLLM computes on {current_platform.device_type} here; the run is planned on {settings.device}"
            )
        self.llm: Any = LLM(
            model=settings.folder,
            dtype=DTYPES[settings.dtype],
            load_format="safetensors",
            trust_remote_code=settings.own_code,
            skip_tokenizer_init=True,
            generation_config="vllm",  # nothing of the folder's own decoding: the block says how
            kv_cache_memory_bytes=None if settings.kv_cache_gib is None else int(settings.kv_cache_gib * 2**30),
            seed=0,
            async_scheduling=False,  # else a step is computed behind the end of each text
            **{name: value for name, value in settings.shaping().items() if name != "kv_cache_gib"},
        )
        self.engine: Any = self.llm.llm_engine
        self.context = int(self.llm.model_config.max_model_len)
        tokenizer = load_tokenizer(settings.folder, own_code=settings.own_code)
        self.vocabulary = Vocabulary(tokenizer, _ends(settings, tokenizer))
        self._never = self._not_offered(tokenizer)

    def run(self, rows: Sequence[RowSpec], rule: StopRule, decoding: Decoding) -> Iterator[list[Ended]]:
        """Generate every row; texts are yielded as they end. A row without room yields an empty text cut by length."""
        self.engine.reset_prefix_cache()
        going: dict[str, _Row] = {}
        if full := [Ended(row.position, "", 0, LENGTH) for row in rows if row.room < 1]:
            yield full
        for row in rows:
            if row.room > 0:
                going[str(row.position)] = _Row(row)
                prompt = {"prompt_token_ids": list(row.prompt)}
                self.engine.add_request(str(row.position), prompt, self._sampling(row, decoding))
        while going:
            if ended := self._step(going, rule):
                yield ended

    def _step(self, going: dict[str, _Row], rule: StopRule) -> list[Ended]:
        """One step of the engine: the texts that have ended with it, which leave `going`."""
        watched, ended = self.vocabulary.watched(rule), {}
        for output in self.engine.step():
            row = going.get(output.request_id)
            if row is None or output.request_id in ended:
                continue
            for token in output.outputs[0].token_ids:
                row.ids.append(token)
                at_end = len(row.ids) >= row.spec.room
                if at_end or token in watched:
                    done = self.vocabulary.ended(row.spec.position, row.ids, rule, at_end=at_end)
                    if done is not None:
                        ended[output.request_id] = done
                        break
            if output.finished and output.request_id not in ended:
                raise RuntimeError(f"vLLM ended a text by itself ({output.outputs[0].finish_reason})")
        for request in ended:
            del going[request]
        self.engine.abort_request(list(ended))  # those that vLLM has ended itself are gone there, and passed over
        return list(ended.values())

    def close(self) -> None:
        """End the processes of a model that is spread over several GPUs."""
        self.engine.engine_core.shutdown()

    def _sampling(self, row: RowSpec, decoding: Decoding) -> Any:
        return SamplingParams(
            max_tokens=row.room,
            temperature=decoding.temperature,
            top_p=decoding.top_p,
            seed=row.key,
            ignore_eos=True,  # all ends are in the next line
            stop_token_ids=sorted(self.vocabulary.ends),
            logit_bias=self._never,
            detokenize=False,
            output_kind=RequestOutputKind.DELTA,
        )

    def _not_offered(self, tokenizer: Any) -> dict[int, float] | None:
        """The padding token, which is no part of a text: where the model has a logit for it and it is no end."""
        pad, known = tokenizer.pad_token_id, self.llm.model_config.get_vocab_size()
        return {pad: NEVER} if pad < known and pad not in self.vocabulary.ends else None


def _ends(settings: EngineSettings, tokenizer: Any) -> frozenset[int]:
    from transformers import AutoConfig, GenerationConfig

    config = AutoConfig.from_pretrained(settings.folder, trust_remote_code=settings.own_code)
    try:
        generation = GenerationConfig.from_pretrained(settings.folder)
    except OSError:  # it is not there
        generation = GenerationConfig.from_model_config(config)
    return end_ids((generation, config), tokenizer, settings.family)
