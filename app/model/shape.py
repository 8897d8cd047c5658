"""A model's shape, and what follows from it: parameters, bytes and floating-point operations.

Norms and biases are left out: together under 0.1 % of the parameters.
"""

from __future__ import annotations

from dataclasses import dataclass

BYTES = 2
"""Of one number in bfloat16."""
MERGED = 4
"""Patches in one image token: two by two (``spatial_merge_size`` in the model's config)."""
WINDOW_PATCHES = 64
"""Patches that attend to each other where attention is not over the whole picture: a window of
112 pixels is 8 by 8 patches (``window_size``)."""
PATCH_NUMBERS = 3 * 2 * 14 * 14
"""Colours, frames, rows and columns of one patch (``temporal_patch_size``, ``patch_size``)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """A decoder of the Qwen2 and Llama family, by the names of its ``config.json``."""

    layers: int
    hidden_size: int
    heads: int
    kv_heads: int
    head_width: int
    intermediate_size: int
    vocabulary: int
    tied: bool = False
    """The head that gives the logits is the embedding."""
    layer_bits: float = 16
    """Of one parameter in the layers. AWQ leaves embedding, head and encoder in bfloat16."""

    @property
    def layer_parameters(self) -> int:
        """Of all layers: query, key, value and output projections, and the MLP's three."""
        attention = 2 * self.heads + 2 * self.kv_heads
        each = attention * self.head_width + 3 * self.intermediate_size
        return self.layers * self.hidden_size * each

    @property
    def embedding_parameters(self) -> int:
        return self.vocabulary * self.hidden_size

    @property
    def step_bytes(self) -> float:
        """Read from memory to write one token: all layers and the head, whatever the batch."""
        return self.layer_parameters * self.layer_bits / 8 + self.embedding_parameters * BYTES

    @property
    def weight_bytes(self) -> float:
        """In memory: what a step reads, and the embedding where it is not the head."""
        return self.step_bytes + (0 if self.tied else self.embedding_parameters * BYTES)

    @property
    def kv_bytes_per_token(self) -> int:
        """2 (key, value) * layers * KV heads * head width * 2 bytes."""
        return 2 * self.layers * self.kv_heads * self.head_width * BYTES

    def prefill_flops(self, tokens: int, context: int = 0) -> float:
        """Of reading ``tokens`` that follow ``context`` others: a multiplication and an addition
        for each parameter and token, and attention to all that came before."""
        pairs = tokens * context + tokens**2 / 2
        attention = 4 * self.layers * self.heads * self.head_width * pairs
        return 2 * self.layer_parameters * tokens + attention


@dataclass(frozen=True, slots=True, kw_only=True)
class Vision:
    """Qwen2.5-VL's encoder, by the names of ``vision_config``."""

    layers: int
    hidden_size: int
    intermediate_size: int
    whole_picture_layers: int
    """Those whose attention is not within windows (``fullatt_block_indexes``)."""
    out_hidden_size: int
    """The language model's."""

    @property
    def layer_parameters(self) -> int:
        each = 4 * self.hidden_size + 3 * self.intermediate_size
        return self.layers * self.hidden_size * each

    @property
    def merger_parameters(self) -> int:
        """Two layers that make one token of four patches."""
        merged = MERGED * self.hidden_size
        return merged * (merged + self.out_hidden_size)

    @property
    def weight_bytes(self) -> float:
        patches = PATCH_NUMBERS * self.hidden_size
        return (self.layer_parameters + self.merger_parameters + patches) * BYTES

    @property
    def bytes_per_patch(self) -> int:
        """In memory at the MLP's activation, where most is held at once: the block's input, its
        attention, its norm, the residual and the MLP's result; gate, up and their product; the
        pixels as they came and in bfloat16. Read from ``qwen2_5_vl.py`` of vLLM 0.33.0.
        """
        return BYTES * (5 * self.hidden_size + 3 * self.intermediate_size + 2 * PATCH_NUMBERS)

    def flops(self, tokens: int) -> float:
        """Of encoding one picture of so many image tokens."""
        patches = MERGED * tokens
        windowed = self.layers - self.whole_picture_layers
        pairs = patches * (windowed * WINDOW_PATCHES + self.whole_picture_layers * patches)
        products = self.layer_parameters * patches + self.merger_parameters * tokens
        return 2 * products + 4 * self.hidden_size * pairs
