"""How many tokens a picture costs, by the rule that the model's own processor applies."""

from __future__ import annotations

import math
from typing import NamedTuple

FACTOR = 28
"""Pixels per image token side: 14-pixel patches, merged 2 by 2 (Qwen2.5-VL)."""
MAX_ASPECT = 200
MAX_IMAGE_PIXELS = 16 * 2**20
"""The model server reads no larger picture (``VLLM_MAX_IMAGE_PIXELS``)."""


class Size(NamedTuple):
    """Pixels."""

    width: int
    height: int


def smart_resize(size: Size, min_pixels: int, max_pixels: int) -> Size:
    """The size the server will resize a picture to; a size of this form is left as it is.

    The rule of transformers' ``image_processing_qwen2_vl.smart_resize``, which vLLM imports.

    Raises:
        ValueError: a side is not positive, or one side is over 200 times the other.
    """
    width, height = size
    if min(width, height) < 1:
        raise ValueError(f"a picture of {width}x{height} pixels has nothing in it")
    if max(width, height) / min(width, height) > MAX_ASPECT:
        raise ValueError(f"{width}x{height} is longer than {MAX_ASPECT} times its width")
    new_width = round(width / FACTOR) * FACTOR  # 0 below half a token: then it is enlarged
    new_height = round(height / FACTOR) * FACTOR
    if new_width * new_height > max_pixels:
        beta = math.sqrt(width * height / max_pixels)
        new_width = max(FACTOR, math.floor(width / beta / FACTOR) * FACTOR)
        new_height = max(FACTOR, math.floor(height / beta / FACTOR) * FACTOR)
    elif new_width * new_height < min_pixels:
        beta = math.sqrt(min_pixels / (width * height))
        new_width = math.ceil(width * beta / FACTOR) * FACTOR
        new_height = math.ceil(height * beta / FACTOR) * FACTOR
    return Size(new_width, new_height)


def image_tokens(size: Size, min_pixels: int, max_pixels: int) -> int:
    """Tokens of one picture in the prompt, its two markers not counted."""
    resized = smart_resize(size, min_pixels, max_pixels)
    return (resized.width // FACTOR) * (resized.height // FACTOR)
