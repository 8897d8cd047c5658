"""Pictures whose boxes are known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.model.drawn import COLOURS, LEAST_VISIBLE, SHAPES, draw
from app.model.image_tokens import Size


def test_a_seed_is_one_picture_wherever_it_is_drawn() -> None:
    scene = draw(7, Size(640, 480))
    assert [(s.name, s.xyxy) for s in scene.objects] == [
        ("purple circle", (32, 20, 163, 151)),
        ("red cross", (59, 26, 286, 256)),
        ("green square", (76, 147, 329, 400)),
    ]
    again = draw(7, Size(640, 480))
    assert scene.image.tobytes() == again.image.tobytes()
    assert draw(8, Size(640, 480)).image.tobytes() != scene.image.tobytes()


@settings(max_examples=40)
@given(st.integers(0, 10**9), st.sampled_from([Size(320, 240), Size(200, 400), Size(450, 150)]))
def test_a_box_is_the_extent_of_what_is_seen_of_its_shape(seed: int, size: Size) -> None:
    scene = draw(seed, size)
    assert 1 <= len(scene.objects) <= 5
    assert scene.owners.shape == (size.height, size.width)
    for number, shape in enumerate(scene.objects, start=1):
        assert shape.colour in COLOURS
        assert shape.shape in SHAPES
        rows, columns = np.nonzero(scene.owners == number)
        extent = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
        assert shape.xyxy == extent


@pytest.mark.parametrize("seed", range(20))
def test_a_picture_has_no_two_alike_and_lists_them_from_left_to_right(seed: int) -> None:
    objects = draw(seed, Size(320, 240)).objects
    assert len({s.name for s in objects}) == len(objects)
    assert [s.xyxy[0] for s in objects] == sorted(s.xyxy[0] for s in objects)


def test_what_is_seen_has_its_colour() -> None:
    scene = draw(3, Size(640, 480))
    pixels = np.asarray(scene.image).astype(int)
    for number, shape in enumerate(scene.objects, start=1):
        mean = pixels[scene.owners == number].mean(axis=0)
        assert np.abs(mean - COLOURS[shape.colour]).max() < 40


def test_large_pictures_are_drawn_alike() -> None:
    small, large = draw(5, Size(640, 480)), draw(5, Size(2560, 1920))
    assert [s.name for s in small.objects] == [s.name for s in large.objects]
    for a, b in zip(small.objects, large.objects, strict=True):
        assert np.allclose(np.array(a.xyxy) * 4, b.xyxy, atol=5)
    assert 0 < LEAST_VISIBLE < 1
