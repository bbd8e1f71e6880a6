"""A loaded model and its tokenizer as the engine uses them: token ids in, logits of the next token out."""

from __future__ import annotations

import inspect
from typing import Any

from .endings import Vocabulary


class Network(Vocabulary):
    """`ends`: ids of the tokens that end a text. The padding token is never offered, unless it is one of them. `dtype`:
    of the activations, where autocast makes it another than the weights'."""

    def __init__(self, model: Any, tokenizer: Any, ends: frozenset[int], dtype: Any = None) -> None:
        super().__init__(tokenizer, ends)
        self.model = model
        self.pad: int = tokenizer.pad_token_id
        self.dtype = dtype or model.dtype
        self._tokens = len(tokenizer)
        self._takes = frozenset(inspect.signature(model.forward).parameters)

    @property
    def device(self) -> Any:
        """Where the model is."""
        return self.model.device

    def new_cache(self) -> Any:
        """An empty KV cache of the library."""
        from transformers import DynamicCache

        return DynamicCache(config=self.model.config)

    @property
    def context(self) -> int:
        """Longest sequence, in tokens, that the model's positions allow."""
        config = self.model.config.get_text_config(decoder=True)
        return int(getattr(config, "max_position_embeddings", None) or 1 << 30)

    def logits(self, ids: Any, mask: Any, positions: Any, cache: Any) -> Any:
        """Logits of the token behind each row of `ids` [rows, tokens], float32 [rows, vocabulary]; the cache grows.

        mask: [rows, tokens so far], 0 where there is padding; or [rows, 1, tokens, columns], added to the scores of
        attention. What is no token, and padding, gets -inf.
        """
        given = {"attention_mask": mask, "position_ids": positions, "past_key_values": cache, "logits_to_keep": 1}
        known = {name: value for name, value in given.items() if name in self._takes}
        logits = self.model(input_ids=ids, use_cache=True, **known).logits[:, -1].float()
        logits[:, self._tokens :] = float("-inf")
        if self.pad not in self.ends:
            logits[:, self.pad] = float("-inf")
        return logits
