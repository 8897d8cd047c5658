"""Boxes that are right to the pixel of the picture that was given."""

from __future__ import annotations

import json

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from app.client.grounding.boxes import read
from app.client.grounding.frame import Frame
from app.model.image_tokens import Size, smart_resize
from app.model.profiles import PROFILES

SIZES = st.tuples(st.integers(28, 12_000), st.integers(28, 9_000)).map(lambda s: Size(*s))
BOUNDS = st.sampled_from([(p.min_pixels, p.max_pixels) for p in PROFILES.values()])


def one_box(numbers: list[float], original: Size, sent: Size) -> tuple[float, ...]:
    answer = json.dumps([{"bbox_2d": numbers, "label": "x"}])
    [box] = read(answer, Frame(original, sent, "pixels")).boxes
    return box.xyxy


@st.composite
def pictures_with_a_box(draw: st.DrawFn) -> tuple[Size, Size, tuple[float, ...]]:
    original = draw(SIZES)
    assume(max(original) <= 200 * min(original))
    x = sorted(draw(st.tuples(*[st.integers(0, original.width)] * 2)))
    y = sorted(draw(st.tuples(*[st.integers(0, original.height)] * 2)))
    assume(x[0] < x[1] and y[0] < y[1])
    return original, smart_resize(original, *draw(BOUNDS)), (x[0], y[0], x[1], y[1])


@settings(max_examples=400)
@given(pictures_with_a_box())
def test_a_box_told_exactly_comes_back_within_a_pixel(
    case: tuple[Size, Size, tuple[float, ...]],
) -> None:
    original, sent, truth = case
    factors = (sent.width / original.width, sent.height / original.height) * 2
    back = one_box([c * f for c, f in zip(truth, factors, strict=True)], original, sent)
    assert back == pytest.approx(truth, abs=1)


@settings(max_examples=400)
@given(pictures_with_a_box())
def test_a_box_told_in_whole_pixels_comes_back_within_half_a_pixel_of_the_picture_sent(
    case: tuple[Size, Size, tuple[float, ...]],
) -> None:
    original, sent, truth = case
    factors = (sent.width / original.width, sent.height / original.height) * 2
    told = [round(c * f) for c, f in zip(truth, factors, strict=True)]
    assume(told[0] < told[2] and told[1] < told[3])
    back = one_box(list(map(float, told)), original, sent)
    for got, right, factor in zip(back, truth, factors, strict=True):
        assert abs(got - right) <= 0.5 / factor + 1e-6


def test_each_side_has_a_factor_of_its_own() -> None:
    # 4032x3024 is sent as 1148x868: 3.512 across, 3.484 down.
    sent = smart_resize(Size(4032, 3024), 3136, 1_016_064)
    assert sent == (1148, 868)
    assert one_box([574, 434, 1148, 868], Size(4032, 3024), sent) == (2016, 1512, 4032, 3024)


def test_a_box_that_leaves_the_picture_is_cut_at_its_edge() -> None:
    assert one_box([-5, 10, 300, 20], Size(560, 280), Size(280, 280)) == (0, 10, 560, 20)


def test_thousandths_are_shares_of_the_original_whatever_was_sent() -> None:
    answer = '[{"bbox_2d": [100, 200, 300, 1000], "label": "x"}]'
    [box] = read(answer, Frame(Size(640, 480), Size(252, 168), "thousandths")).boxes
    assert box.xyxy == pytest.approx((64, 96, 192, 480))
