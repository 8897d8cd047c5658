"""What is drawn, in its very pixels."""

from __future__ import annotations

from typing import cast

import pytest
from PIL import Image, ImageChops

from app.client.grounding.draw import PALETTE, drawn, luminance, writing_on
from app.client.grounding.found import Box, Detection, Point
from app.model.image_tokens import Size

FIRST, SECOND = (230, 25, 75), (0, 114, 178)
BLACK = (0, 0, 0)


def detection(
    *boxes: tuple[str, tuple[float, float, float, float]],
    points: tuple[tuple[str, tuple[float, float]], ...] = (),
    size: tuple[int, int] = (700, 700),
) -> Detection:
    return Detection(
        tuple(Box(label, xyxy, "") for label, xyxy in boxes),
        tuple(Point(label, xy, "") for label, xy in points),
        Size(*size),
        "",
        (),
    )


def grey(width: int = 700, height: int = 700) -> Image.Image:
    return Image.new("RGB", (width, height), "grey")


def colours(picture: Image.Image) -> set[tuple[int, int, int]]:
    counted = picture.getcolors(picture.width * picture.height) or []
    return {cast("tuple[int, int, int]", colour) for _, colour in counted}


def changed(before: Image.Image, after: Image.Image) -> tuple[int, int, int, int] | None:
    return ImageChops.difference(before, after).getbbox()


def test_a_box_is_a_line_inside_its_edges_and_nothing_in_its_middle() -> None:
    after = drawn(grey(), detection(("", (100, 200, 300, 400))))
    for x, y in [(100, 300), (299, 300), (200, 200), (200, 399)]:
        assert after.getpixel((x, y)) == FIRST
    assert after.getpixel((200, 300)) == (128, 128, 128)
    assert changed(grey(), after) == (99, 199, 301, 401)  # with a rim of one pixel


def test_the_rim_is_seen_where_the_picture_has_the_boxs_colour() -> None:
    red = Image.new("RGB", (700, 700), FIRST)
    assert drawn(red, detection(("", (100, 200, 300, 400)))).getpixel((99, 300)) == BLACK


def test_the_picture_given_stays_as_it_is() -> None:
    before = grey()
    drawn(before, detection(("cup", (100, 200, 300, 400)), points=(("cup", (50, 50)),)))
    assert changed(before, grey()) is None


def test_a_picture_in_another_mode_is_drawn_on_in_rgb() -> None:
    after = drawn(Image.new("L", (700, 700), 128), detection(("cup", (100, 200, 300, 400))))
    assert after.mode == "RGB"
    assert after.getpixel((100, 300)) == FIRST


def test_each_label_has_a_colour_of_its_own_and_keeps_it() -> None:
    after = drawn(
        grey(),
        detection(
            ("cup", (100, 100, 200, 200)),
            ("plate", (300, 100, 400, 200)),
            ("cup", (100, 300, 200, 400)),
            points=(("plate", (600, 600)),),
        ),
    )
    assert after.getpixel((100, 150)) == FIRST
    assert after.getpixel((300, 150)) == SECOND
    assert after.getpixel((100, 350)) == FIRST
    assert after.getpixel((600, 600)) == SECOND


def test_a_label_stands_on_its_boxs_colour_above_the_box() -> None:
    after = drawn(grey(), detection(("cup", (100, 200, 300, 400))))
    above = after.crop((100, 180, 130, 199))
    assert {FIRST, BLACK} <= colours(above)
    assert colours(after.crop((100, 150, 130, 175))) == {(128, 128, 128)}


@pytest.mark.parametrize("corner", [(0, 0), (660, 0), (0, 660), (660, 660)])
@pytest.mark.parametrize("label", ["a blue cup with a handle", "g" * 300])
def test_a_label_at_the_edge_is_moved_and_not_cut(corner: tuple[int, int], label: str) -> None:
    free = drawn(grey(), detection((label, (300, 300, 340, 340))))
    left, top, right, _ = changed(grey(700, 299), free.crop((0, 0, 700, 299))) or (0, 0, 0, 0)
    width, height = right - left, 300 - top
    assert width > 100
    assert height > 15
    x, y = corner
    at_edge = drawn(grey(), detection((label, (x, y, x + 40, y + 40))))
    new_left, new_top = min(x, 700 - width), max(0, y - height)
    moved = at_edge.crop((new_left, new_top, new_left + width, new_top + height))
    assert changed(moved, free.crop((left, top, right, 300))) is None


def test_a_label_longer_than_the_picture_ends_in_dots() -> None:
    box = (300, 300, 340, 340)
    long, longer = (drawn(grey(), detection(("g" * n, box))) for n in (300, 400))
    assert changed(long, longer) is None
    assert changed(long, drawn(grey(), detection(("g" * 10, box)))) is not None


def test_lines_grow_with_the_picture() -> None:
    small = drawn(grey(), detection(("", (100, 200, 300, 400))))
    large = drawn(grey(7000, 7000), detection(("", (1000, 2000, 3000, 4000)), size=(7000, 7000)))
    assert (small.getpixel((101, 300)), small.getpixel((104, 300))) == (FIRST, (128, 128, 128))
    assert (large.getpixel((1019, 3000)), large.getpixel((1040, 3000))) == (FIRST, (128, 128, 128))


def test_a_point_is_a_disc() -> None:
    after = drawn(grey(), detection(points=(("", (350, 350)),)))
    assert after.getpixel((350, 350)) == FIRST
    assert changed(grey(), after) == (344, 344, 357, 357)


@pytest.mark.parametrize("size", [(1, 1), (3, 200), (28, 28)])
def test_the_smallest_pictures_are_drawn_on(size: tuple[int, int]) -> None:
    found = detection(("cup", (0, 0, *size)), points=(("cup\nand plate", (0, 0)),), size=size)
    assert drawn(grey(*size), found).size == size


def test_writing_is_readable_on_every_colour() -> None:
    """WCAG 2.2 AA asks for 4.5."""
    for colour in PALETTE:
        lighter, darker = sorted((luminance(colour), luminance(writing_on(colour))), reverse=True)
        assert (lighter + 0.05) / (darker + 0.05) >= 4.5
    assert writing_on((255, 225, 25)) == (0, 0, 0)
    assert writing_on((128, 0, 0)) == (255, 255, 255)


def test_luminance_is_wcags() -> None:
    assert luminance((0, 0, 0)) == 0.0
    assert luminance((255, 255, 255)) == pytest.approx(1.0)
    assert luminance((255, 0, 0)) == pytest.approx(0.2126)
    assert luminance((119, 119, 119)) == pytest.approx(0.1845, abs=1e-4)
