from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.model.image_tokens import FACTOR, Size, image_tokens, smart_resize

MIN_PIXELS, MAX_PIXELS = 3136, 1_016_064


@pytest.mark.parametrize(
    ("size", "resized", "tokens"),
    [
        (Size(1024, 1024), Size(1008, 1008), 1296),
        (Size(1024, 768), Size(1036, 756), 999),
        (Size(640, 480), Size(644, 476), 391),
        (Size(1920, 1080), Size(1344, 756), 1296),
        (Size(1, 1), Size(56, 56), 4),
    ],
)
def test_sizes_and_tokens_are_those_measured_on_a_real_server(
    size: Size, resized: Size, tokens: int
) -> None:
    assert smart_resize(size, MIN_PIXELS, MAX_PIXELS) == resized
    assert image_tokens(size, MIN_PIXELS, MAX_PIXELS) == tokens


@given(st.integers(1, 12_000), st.integers(1, 12_000))
def test_a_resized_picture_is_left_alone_by_the_server(width: int, height: int) -> None:
    if max(width, height) / min(width, height) > 200:
        return
    once = smart_resize(Size(width, height), MIN_PIXELS, MAX_PIXELS)
    assert once.width % FACTOR == once.height % FACTOR == 0
    if max(once) / min(once) <= 200:
        assert smart_resize(once, MIN_PIXELS, MAX_PIXELS) == once


@pytest.mark.parametrize("size", [Size(0, 10), Size(10, 2001)])
def test_what_cannot_be_resized_is_refused(size: Size) -> None:
    with pytest.raises(ValueError, match=r"nothing in it|longer than 200"):
        smart_resize(size, MIN_PIXELS, MAX_PIXELS)
